//! From a run's report to its verdict.

use snowglobe_abi::spec::{Ending, ProcessReport, Report, WorldSpec};
use snowglobe_world::rundir::Verdict;

use crate::exit;
use crate::text::{shell_status, wait_status};

/// A verdict, why, and what to exit with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// The exit status.
    pub exit: u8,
}

fn judged(verdict: Verdict, reason: impl Into<String>) -> Judgement {
    Judgement { verdict, reason: reason.into(), exit: exit::of_verdict(verdict) }
}

/// Judges a run.
pub fn judge(spec: &WorldSpec, report: &Report) -> Judgement {
    if report.ending == Ending::Stopped {
        return judged(Verdict::Interrupted, "it was interrupted");
    }
    if spec.knobs.one_program {
        return one_program(report);
    }
    let checks =
        || spec.hosts.iter().enumerate().filter(|(_, host)| host.service.as_ref().is_some_and(|service| service.check));
    if checks().next().is_none() {
        let why = match report.ending {
            Ending::Until => "the time was up; no service judges the run",
            _ => "nothing runs any more; no service judges the run",
        };
        return judged(Verdict::Passed, why);
    }
    let mut open = None;
    for (index, host) in checks() {
        match last_main(report, index as u32).map(|process| process.status) {
            Some(Some(0)) => {}
            Some(Some(status)) => {
                return judged(Verdict::Failed, format!("{} ended with {}", host.name, wait_status(status)));
            }
            Some(None) => {
                let why = if report.ending == Ending::Until {
                    "when the time was up"
                } else {
                    "and waits for something that cannot come"
                };
                open = open.or(Some(format!("{} still ran {why}", host.name)));
            }
            None => open = open.or(Some(format!("{} never started", host.name))),
        }
    }
    match open {
        Some(why) => judged(Verdict::Unknown, why),
        None => judged(Verdict::Passed, "every check ended with status 0"),
    }
}

/// A service that was restarted is judged by its last process.
fn last_main(report: &Report, host: u32) -> Option<&ProcessReport> {
    report.processes.iter().rev().find(|process| process.main && process.host == host)
}

/// The program's own status is the command's.
fn one_program(report: &Report) -> Judgement {
    let Some(process) = last_main(report, 0) else {
        return judged(Verdict::Unknown, "the program never started");
    };
    let Some(status) = process.status else {
        let why = match report.ending {
            Ending::Until => "the program still ran when the time was up",
            _ => "the program waits for something that cannot come",
        };
        return judged(Verdict::Unknown, why);
    };
    let verdict = if status == 0 { Verdict::Passed } else { Verdict::Failed };
    let reason = format!("{} ended with {}", process.name, wait_status(status));
    Judgement { verdict, reason, exit: shell_status(status) as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snowglobe_abi::spec::Knobs;

    /// Two hosts from a file; the second is a check.
    fn world() -> WorldSpec {
        let options =
            snowglobe_world::Options { vars: Default::default(), images: "/nowhere".into(), seed: None, until: None };
        let text =
            "services:\n  server: {command: sleep inf}\n  client: {command: sleep 1, x-snowglobe: {check: true}}\n";
        snowglobe_world::resolve::parse("w.yaml", text, "/".as_ref(), &options).unwrap().spec
    }

    fn process(host: u32, status: Option<u32>) -> ProcessReport {
        ProcessReport { host, name: "sleep".into(), pid: 1, status, main: true, check: host == 1 }
    }

    fn check(processes: Vec<ProcessReport>, ending: Ending, want: Verdict, reason: &str) {
        let report = Report { processes, ending, ..Report::default() };
        let got = judge(&world(), &report);
        assert_eq!(got.verdict, want, "{got:?}");
        assert!(got.reason.contains(reason), "{got:?}");
    }

    #[test]
    fn a_world_passes_when_its_checks_do_though_servers_still_wait() {
        check(vec![process(0, None), process(1, Some(0))], Ending::Deadlock, Verdict::Passed, "every check");
        check(
            vec![process(0, None), process(1, Some(0x300))],
            Ending::Completed,
            Verdict::Failed,
            "client ended with status 3",
        );
        check(vec![process(1, Some(0x100)), process(1, Some(0))], Ending::Completed, Verdict::Passed, "every check");
    }

    #[test]
    fn a_check_that_did_not_end_leaves_the_world_unjudged() {
        check(vec![process(1, None)], Ending::Until, Verdict::Unknown, "when the time was up");
        check(vec![process(1, None)], Ending::Deadlock, Verdict::Unknown, "cannot come");
        check(vec![process(0, None)], Ending::Until, Verdict::Unknown, "client never started");
        check(vec![process(1, Some(0))], Ending::Stopped, Verdict::Interrupted, "interrupted");
    }

    #[test]
    fn one_program_exits_with_its_own_status() {
        let mut spec = world();
        spec.knobs = Knobs { one_program: true, ..Knobs::default() };
        for (status, exit, verdict) in
            [(0, 0, Verdict::Passed), (0x2a00, 42, Verdict::Failed), (11, 139, Verdict::Failed)]
        {
            let report = Report { processes: vec![process(0, Some(status))], ..Report::default() };
            let got = judge(&spec, &report);
            assert_eq!((got.exit, got.verdict), (exit, verdict));
        }
    }
}
