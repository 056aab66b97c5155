//! `snowglobe doctor`.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::args::JsonArgs;
use crate::commands::{print, print_json};
use crate::exit::{self, Failure};

/// Runs it.
pub fn run(args: &JsonArgs) -> Result<u8, Failure> {
    let checks = assess(&Facts::gather());
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Good);
    if args.json {
        print_json(&json!({"checks": checks, "runs_worlds": worst < State::Missing}))?;
    } else {
        print(&render(&checks))?;
    }
    Ok(if worst == State::Missing { exit::status::FAILED } else { exit::status::PASSED })
}

/// What was found on the machine.
#[derive(Clone, Debug)]
struct Facts {
    architecture: &'static str,
    kernel: String,
    seccomp_actions: Option<String>,
    tsc_can_trap: bool,
    cpu_flags: String,
    fsgsbase: bool,
    memfd: Result<(), String>,
    /// What the traditional layout cannot do, or why it cannot be had.
    traditional: Result<Vec<String>, String>,
    cores: usize,
    ptrace_scope: Option<u32>,
    /// How many files a process may have open at most; none for no limit.
    open_files: Option<u64>,
    free_disk: Option<u64>,
    shmem_limit: Option<u64>,
}

impl Facts {
    fn gather() -> Facts {
        let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
        let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags")).unwrap_or_default();
        Facts {
            architecture: std::env::consts::ARCH,
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            seccomp_actions: read("/proc/sys/kernel/seccomp/actions_avail"),
            tsc_can_trap: rustix::process::time_stamp_counter_readability().is_ok(),
            cpu_flags: format!(" {} ", flags.trim_start_matches([' ', '\t', ':'])),
            fsgsbase: rustix::param::linux_hwcap().1 & 2 != 0,
            memfd: rustix::fs::memfd_create("doctor", rustix::fs::MemfdFlags::CLOEXEC)
                .map(drop)
                .map_err(|e| e.to_string()),
            traditional: snowglobe_traditional::probe().map_err(|e| e.to_string()),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            ptrace_scope: read("/proc/sys/kernel/yama/ptrace_scope").and_then(|n| n.parse().ok()),
            open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum,
            free_disk: rustix::fs::statvfs(Path::new(".")).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize)),
            shmem_limit: meminfo(&read("/proc/meminfo").unwrap_or_default()),
        }
    }
}

/// Memory that is available, in bytes.
fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// How much of a thing there is, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// All of it.
    Good,
    /// Worlds run, and something is lost.
    Degraded,
    /// Worlds do not run.
    Missing,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What is lost without it.
    without: &'static str,
    mend: &'static str,
}

fn yes(found: bool) -> String {
    if found { "available" } else { "not available" }.to_owned()
}

/// What the facts mean.
fn assess(facts: &Facts) -> Vec<Check> {
    let check = |name, good: bool, bad: State, found: String, without, mend| Check {
        name,
        state: if good { State::Good } else { bad },
        found,
        without,
        mend,
    };
    let version = kernel_version(&facts.kernel);
    let traps = facts.seccomp_actions.as_deref().is_some_and(|list| list.split(' ').any(|action| action == "trap"));
    let cpuid = facts.cpu_flags.contains(" cpuid_fault ");
    const GIB: u64 = 1 << 30;
    vec![
        check(
            "architecture",
            facts.architecture == "x86_64",
            State::Missing,
            facts.architecture.to_owned(),
            "worlds do not run: the layer is made for x86-64",
            "use an x86-64 machine",
        ),
        check(
            "kernel",
            version >= (5, 9),
            State::Missing,
            facts.kernel.clone(),
            "worlds do not run: Linux 5.9 is the first with all that the layer uses",
            "use Linux 5.9 or newer",
        ),
        check(
            "seccomp",
            traps,
            State::Missing,
            facts.seccomp_actions.clone().unwrap_or_else(|| "no filters".to_owned()),
            "worlds do not run: calls cannot be trapped",
            "use a kernel with CONFIG_SECCOMP_FILTER; in a container, allow seccomp filters",
        ),
        check(
            "memfd",
            facts.memfd.is_ok(),
            State::Missing,
            facts.memfd.as_ref().map_or_else(String::clone, |()| "available".to_owned()),
            "worlds do not run: the layer's memory cannot be shared",
            "use a kernel with CONFIG_MEMFD_CREATE",
        ),
        check(
            "fsgsbase",
            facts.fsgsbase,
            State::Missing,
            yes(facts.fsgsbase),
            "worlds do not run: the layer finds its data by the gs base, and sets it in user space",
            "use a processor of 2012 or newer and a kernel that was not booted with `nofsgsbase`",
        ),
        check(
            "PR_SET_TSC",
            facts.tsc_can_trap,
            State::Degraded,
            yes(facts.tsc_can_trap),
            "programs that read the processor's time stamp counter see the machine's time: their runs differ",
            "use a machine or container that allows prctl(PR_SET_TSC)",
        ),
        check(
            "ARCH_SET_CPUID",
            cpuid,
            State::Degraded,
            yes(cpuid),
            "programs see this machine's processor: a run repeats here, and perhaps not on another kind of machine",
            "use an Intel processor of 2012 or newer, or a virtual machine whose hypervisor passes CPUID faulting on",
        ),
        check(
            "cores",
            facts.cores >= 2,
            State::Degraded,
            facts.cores.to_string(),
            "the trace is compressed on the core on which the world runs: runs are slower",
            "use a machine with two cores or more",
        ),
        check(
            "open files",
            facts.open_files.is_none_or(|most| most >= 4096),
            State::Degraded,
            facts.open_files.map_or_else(|| "no limit".to_owned(), |most| format!("{most} at most")),
            "programs of a world that have more files of the machine open together fail with EMFILE",
            "raise the hard limit: `ulimit -Hn`, or `nofile` in /etc/security/limits.conf",
        ),
        check(
            "traditional layout",
            facts.traditional.is_ok(),
            State::Degraded,
            match &facts.traditional {
                Ok(limits) if limits.is_empty() => yes(true),
                Ok(limits) => format!("available, but {}", limits.join("; ")),
                Err(why) => why.clone(),
            },
            "`--layout traditional`, the baseline, does not run",
            "sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0 (those that exist), or run it as root",
        ),
        check(
            "ptrace scope",
            facts.ptrace_scope.unwrap_or(0) <= 1,
            State::Degraded,
            facts.ptrace_scope.map_or_else(|| "not restricted".to_owned(), |scope| scope.to_string()),
            "loops that spin cannot be looked at from outside, and gdb cannot attach to guests",
            "sysctl -w kernel.yama.ptrace_scope=1",
        ),
        check(
            "free disk",
            facts.free_disk.is_none_or(|free| free >= GIB),
            State::Degraded,
            facts.free_disk.map_or_else(|| "unknown".to_owned(), gibibytes),
            "traces of long runs may not fit",
            "free some space here, or keep runs elsewhere with `--out DIR`",
        ),
        check(
            "free memory",
            facts.shmem_limit.is_none_or(|free| free >= GIB),
            State::Degraded,
            facts.shmem_limit.map_or_else(|| "unknown".to_owned(), gibibytes),
            "worlds of many hosts may not fit: what hosts write is kept in memory",
            "use a machine with more memory",
        ),
    ]
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

fn kernel_version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn render(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for check in checks {
        let mark = match check.state {
            State::Good => "ok      ",
            State::Degraded => "degraded",
            State::Missing => "MISSING ",
        };
        out += &format!("{mark}  {:width$}  {}\n", check.name, check.found);
        if check.state != State::Good {
            out += &format!("          {:width$}  without it: {}\n", "", check.without);
            out += &format!("          {:width$}  mend: {}\n", "", check.mend);
        }
    }
    out += match checks.iter().map(|check| check.state).max() {
        Some(State::Missing) => "this machine cannot run worlds\n",
        Some(State::Degraded) => "this machine runs worlds, with what is said above\n",
        _ => "this machine runs worlds\n",
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            architecture: "x86_64",
            kernel: "6.1.0-13-amd64".into(),
            seccomp_actions: Some("kill_process kill_thread trap errno allow".into()),
            tsc_can_trap: true,
            cpu_flags: " fpu cpuid_fault vme ".into(),
            fsgsbase: true,
            memfd: Ok(()),
            traditional: Ok(Vec::new()),
            cores: 2,
            ptrace_scope: Some(1),
            open_files: Some(4096),
            free_disk: Some(10 << 30),
            shmem_limit: Some(8 << 30),
        }
    }

    fn state(facts: &Facts, name: &str) -> State {
        assess(facts).into_iter().find(|check| check.name == name).unwrap().state
    }

    #[test]
    fn a_good_machine_has_nothing_to_mend() {
        let text = render(&assess(&good()));
        assert!(text.ends_with("this machine runs worlds\n") && !text.contains("mend"), "{text}");
    }

    #[test]
    fn what_is_missing_is_named_with_its_mend() {
        let old = Facts { kernel: "5.4.0".into(), seccomp_actions: None, ..good() };
        assert_eq!((state(&old, "kernel"), state(&old, "seccomp")), (State::Missing, State::Missing));
        let amd = Facts { cpu_flags: " fpu ".into(), traditional: Err("not permitted".into()), ..good() };
        assert_eq!(
            (state(&amd, "ARCH_SET_CPUID"), state(&amd, "traditional layout")),
            (State::Degraded, State::Degraded)
        );
        let text = render(&assess(&amd));
        assert!(
            text.contains("without it: programs see this machine's processor") && text.contains("mend: "),
            "{text}"
        );
    }

    #[test]
    fn kernel_versions_are_compared_as_numbers() {
        assert!(kernel_version("5.10.0-rc1") > kernel_version("5.9.16"));
        assert_eq!(kernel_version("odd"), (0, 0));
    }
}
