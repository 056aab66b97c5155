//! From what a run left behind to its verdict.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use snowglobe_abi::spec::{CHANNELS, Condition, Ending, FinalState, HistoryCheck, ProcessReport, Report, WorldSpec};
use snowglobe_check::assertions::Catalogue;
use snowglobe_check::defaults;
use snowglobe_check::{Bounds, Finding, Kind, Model, Outcome, Reader, model, outputs};
use snowglobe_world::checks::show_state;
use snowglobe_world::rundir::{RunDir, Verdict};

use crate::exit;
use crate::text::{seconds, shell_status, wait_status};

/// A verdict, why, and what to exit with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// The exit status.
    pub exit: u8,
    /// All that was checked, found, and not known.
    pub outcome: Outcome,
    /// What became of the assertions inside programs, some of which are claims about many runs.
    pub assertions: Catalogue,
}

fn judged(verdict: Verdict, reason: impl Into<String>, outcome: Outcome) -> Judgement {
    let assertions = Catalogue::default();
    Judgement { verdict, reason: reason.into(), exit: exit::of_verdict(verdict), outcome, assertions }
}

/// Judges a run. Without a report it did not end; without a directory there is nothing to read.
pub fn judge(spec: &WorldSpec, report: Option<&Report>, run: Option<&RunDir>) -> Judgement {
    if report.is_some_and(|report| report.ending == Ending::Stopped) {
        return judged(Verdict::Interrupted, "it was interrupted", Outcome::default());
    }
    if let (true, Some(report)) = (spec.knobs.one_program, report) {
        return one_program(report);
    }
    let mut out = Outcome::default();
    match report {
        Some(report) => {
            exits(spec, report, &mut out);
            expectations(spec, report, &mut out);
        }
        None => out.unknown.push("the run did not end: what became of its processes is not known".to_owned()),
    }
    let mut catalogue = Catalogue::default();
    if let Some(run) = run {
        written(spec, run, &mut out);
        catalogue = assertions(spec, run, &mut out);
    }
    let asked = !out.checked.is_empty() || !out.unknown.is_empty();
    if let Some(report) = report {
        without_writing(spec, report, &mut out);
    }
    let (verdict, reason) = reason(&out, report, asked);
    Judgement { assertions: catalogue, ..judged(verdict, reason, out) }
}

/// A judgement of no more than what a judge said.
pub fn of_outcome(out: Outcome) -> Judgement {
    let (verdict, reason) = reason(&out, None, true);
    judged(verdict, reason, out)
}

/// The verdict and its reason in one sentence.
fn reason(out: &Outcome, report: Option<&Report>, asked: bool) -> (Verdict, String) {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let more = |n: usize| if n > 1 { format!(" (and {} more)", n - 1) } else { String::new() };
    match (out.findings.first(), out.unknown.first()) {
        (Some(finding), _) => (Verdict::Failed, first(&finding.text) + &more(out.findings.len())),
        (None, Some(why)) => (Verdict::Unknown, first(why) + &more(out.unknown.len())),
        (None, None) if !asked => {
            let why = match report.map(|report| &report.ending) {
                Some(Ending::Until) => "the time was up",
                _ => "nothing runs any more",
            };
            (Verdict::Passed, format!("{why}; nothing was checked"))
        }
        (None, None) if out.checked.iter().all(|check| check.starts_with("exit status")) => {
            (Verdict::Passed, "every check ended with status 0".to_owned())
        }
        (None, None) if out.checked.len() == 1 => (Verdict::Passed, "the one check passed".to_owned()),
        (None, None) => (Verdict::Passed, format!("all {} checks passed", out.checked.len())),
    }
}

/// Services whose exit status judges the run.
fn exits(spec: &WorldSpec, report: &Report, out: &mut Outcome) {
    let judges = |(_, host): &(usize, &snowglobe_abi::spec::HostSpec)| host.service.as_ref().is_some_and(|s| s.check);
    for (index, host) in spec.hosts.iter().enumerate().filter(judges) {
        match last_main(report, index as u32).map(|process| process.status) {
            Some(Some(0)) => {}
            Some(Some(status)) => {
                let how = wait_status(status);
                let key = format!("{}/{how}", host.name);
                out.findings.push(Finding::new(Kind::Exit, key, format!("{} ended with {how}", host.name)));
            }
            Some(None) => {
                let why = if report.ending == Ending::Until {
                    "when the time was up"
                } else {
                    "and waits for something that cannot come"
                };
                out.unknown.push(format!("{} still ran {why}", host.name));
            }
            None => out.unknown.push(format!("{} never started{}", host.name, obstacle(spec, report, index as u32))),
        }
        out.checked.push(format!("exit status of {}", host.name));
    }
}

/// Why a service never started: the end of the chain of those that wait for each other.
fn obstacle(spec: &WorldSpec, report: &Report, host: u32) -> String {
    let waits_for = |host: u32| report.waiting.iter().find(|(waiting, _)| *waiting == host).map(|(_, on)| *on);
    let mut link = None;
    let mut at = host;
    // Whoever waits in a ring has no end.
    for _ in 0..spec.hosts.len() {
        let Some(on) = waits_for(at) else { break };
        link = Some((at, on));
        at = on;
    }
    let Some((waiting, on)) = link else { return String::new() };
    let needs = spec.hosts[waiting as usize].service.iter().flat_map(|service| &service.depends_on);
    let condition = needs.filter(|need| need.host == on).map(|need| need.condition).next();
    let name = &spec.hosts[on as usize].name;
    let status = last_main(report, on).map(|process| process.status);
    match (condition, status) {
        (Some(Condition::Healthy), Some(None)) => format!(": {name} was not healthy"),
        (Some(Condition::Completed), Some(None)) => format!(": {name} still ran"),
        _ => format!(": {name} {}", state(status)),
    }
}

/// `expect:` of services.
fn expectations(spec: &WorldSpec, report: &Report, out: &mut Outcome) {
    for expect in &spec.checks.expect {
        let host = &spec.hosts[expect.host as usize].name;
        let want = show_state(expect.state);
        out.checked.push(format!("{host} is expected: {want}"));
        let status = last_main(report, expect.host).map(|process| process.status);
        let fits = match (expect.state, status) {
            (_, None) => false,
            (FinalState::Running, Some(status)) => status.is_none(),
            (FinalState::Ended, Some(status)) => status.is_some(),
            (FinalState::Exit(code), Some(status)) => status == Some(u32::from(code) << 8),
            (FinalState::Signal(signal), Some(status)) => status.is_some_and(|s| s & 0x7f == u32::from(signal)),
        };
        if !fits {
            let state = state(status);
            let text = format!("{host} {state}, and expected is: {want}");
            out.findings.push(Finding::new(Kind::Expect, format!("{host}/{want}/{state}"), text));
        }
    }
}

fn state(status: Option<Option<u32>>) -> String {
    match status {
        None => "never started".to_owned(),
        Some(None) => "runs".to_owned(),
        Some(Some(status)) => format!("ended with {}", wait_status(status)),
    }
}

/// What is judged by what hosts wrote: outputs and histories.
fn written(spec: &WorldSpec, run: &RunDir, out: &mut Outcome) {
    let name = |host: u32| spec.hosts[host as usize].name.as_str();
    for check in &spec.checks.outputs {
        let Ok(pattern) = outputs::pattern(&check.pattern) else { continue };
        for host in &check.hosts {
            let streams =
                [(1, "stdout"), (2, "stderr")].into_iter().filter(|(n, _)| check.stream.is_none_or(|s| s == *n));
            let texts: Result<Vec<_>, String> =
                streams.map(|(_, stream)| Ok((stream, read(&run.host_path(name(*host)).join(stream))?))).collect();
            match texts {
                Ok(texts) => {
                    let texts: Vec<(&str, &[u8])> = texts.iter().map(|(n, text)| (*n, text.as_slice())).collect();
                    out.add(outputs::judge(name(*host), &texts, &pattern, check.must));
                }
                Err(why) => out.unknown.push(why),
            }
        }
    }
    for check in &spec.checks.histories {
        let files = check.hosts.iter().map(|host| {
            let file = CHANNELS[0].name;
            (format!("{}/{file}", name(*host)), run.host_path(name(*host)).join(file))
        });
        out.add(history(check, &files.collect::<Vec<_>>()));
    }
}

/// What became of the assertions inside programs, judged for this run.
fn assertions(spec: &WorldSpec, run: &RunDir, out: &mut Outcome) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for host in &spec.hosts {
        let path = run.host_path(&host.name).join(CHANNELS[1].name);
        match File::open(&path) {
            Ok(file) => {
                if let Err(why) = catalogue.read(&host.name, &mut BufReader::new(file)) {
                    out.unknown.push(why);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => out.unknown.push(format!("{}: {error}", path.display())),
        }
    }
    out.add(catalogue.judge());
    catalogue
}

/// What a host wrote; nothing when it wrote nothing.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut text)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
        _ => Ok(text),
    }
}

/// Judges one history: files by name and path.
pub fn history(check: &HistoryCheck, files: &[(String, std::path::PathBuf)]) -> Outcome {
    let unknown = |why: String| Outcome { unknown: vec![why], ..Outcome::default() };
    let name = &check.name;
    let options: BTreeMap<String, String> = check.options.iter().cloned().collect();
    let independent = options.get("independent").is_some_and(|value| value == "true");
    let bounds = Bounds::default();
    let mut reader = Reader::new(bounds, independent);
    let mut found = false;
    for (shown, path) in files {
        match File::open(path) {
            Ok(file) => {
                found = true;
                if let Err(error) = reader.file(shown, &mut BufReader::new(file)) {
                    return model::broken(name, &error);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return unknown(format!("history {name}: {shown}: {error}")),
        }
    }
    if !found {
        return unknown(format!("history {name}: nobody wrote it"));
    }
    let history = reader.finish();
    let Some(model) = check.model.as_ref().or(history.model.as_ref()) else {
        return unknown(format!("history {name}: neither the world file nor its lines name a model"));
    };
    match Model::named(model, &options) {
        Ok(model) => model.judge(name, &history, &bounds),
        Err(why) => unknown(format!("history {name}: {why}")),
    }
}

/// Checks that need no writing.
fn without_writing(spec: &WorldSpec, report: &Report, out: &mut Outcome) {
    let is_on = |name: &str| !spec.checks.off.iter().any(|off| off == name);
    let name = |host: u32| spec.hosts[host as usize].name.as_str();
    let expects = |host: u32| spec.checks.expect.iter().find(|expect| expect.host == host).map(|expect| expect.state);
    if is_on("crash") {
        for crash in &report.crashes {
            let Some(signal) = defaults::crash(crash.signal) else { continue };
            if expects(crash.host) != Some(FinalState::Signal(crash.signal as u8)) {
                let at = seconds(crash.at);
                out.findings.push(defaults::crashed(name(crash.host), &crash.name, crash.pid, signal, &at));
            }
        }
    }
    if is_on("deadlock") {
        for stuck in &report.stuck {
            let threads: Vec<defaults::Stuck> = stuck
                .threads
                .iter()
                .map(|(pid, tid, name, what)| defaults::Stuck {
                    pid: *pid,
                    tid: *tid,
                    name: name.clone(),
                    what: what.clone(),
                })
                .collect();
            out.findings.push(defaults::deadlocked(name(stuck.host), &threads));
        }
    }
    if is_on("growth") {
        for life in &report.growth {
            let window = seconds(life.window);
            for (what, least, floor) in [
                ("descriptors", &life.descriptors, defaults::DESCRIPTORS),
                ("bytes of memory", &life.memory, defaults::MEMORY),
            ] {
                if defaults::grows(least, floor) {
                    out.findings.push(defaults::grew(name(life.host), &life.name, life.pid, what, least, &window));
                }
            }
        }
    }
    // A world in which nothing can happen any more is at its end as it would be after its quiet time.
    let is_over = |quiet| quiet <= report.virtual_ns || matches!(report.ending, Ending::Completed | Ending::Deadlock);
    if is_on("up") && spec.faults.quiet_from.is_some_and(is_over) {
        for (index, host) in spec.hosts.iter().enumerate() {
            let index = index as u32;
            let Some(service) = &host.service else { continue };
            let status = last_main(report, index).map(|process| process.status);
            let is_up = matches!(status, Some(None | Some(0)));
            if !is_up && !service.check && expects(index).is_none() {
                out.add(defaults::down(&host.name, &state(status)));
            }
        }
    }
}

/// A service that was restarted is judged by its last process.
fn last_main(report: &Report, host: u32) -> Option<&ProcessReport> {
    report.processes.iter().rev().find(|process| process.main && process.host == host)
}

/// The program's own status is the command's.
fn one_program(report: &Report) -> Judgement {
    let Some(process) = last_main(report, 0) else {
        return judged(Verdict::Unknown, "the program never started", Outcome::default());
    };
    let Some(status) = process.status else {
        let why = match report.ending {
            Ending::Until => "the program still ran when the time was up",
            _ => "the program waits for something that cannot come",
        };
        return judged(Verdict::Unknown, why, Outcome::default());
    };
    let verdict = if status == 0 { Verdict::Passed } else { Verdict::Failed };
    let reason = format!("{} ended with {}", process.name, wait_status(status));
    let mut outcome = Outcome::default();
    outcome.checked.push(format!("exit status of {}", process.name));
    if status != 0 {
        let key = format!("{}/{}", process.name, wait_status(status));
        outcome.findings.push(Finding::new(Kind::Exit, key, reason.clone()));
    }
    Judgement { exit: shell_status(status) as u8, ..judged(verdict, reason, outcome) }
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
        let got = judge(&world(), Some(&report), None);
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
    fn who_never_started_says_who_kept_it_from_it() {
        let options =
            snowglobe_world::Options { vars: Default::default(), images: "/nowhere".into(), seed: None, until: None };
        let text = "services:\n  db: {command: sleep 1, healthcheck: {test: 'true'}}\n  \
                    app: {command: sleep 1, depends_on: {db: {condition: service_healthy}}}\n  \
                    client: {command: sleep 1, depends_on: [app], x-snowglobe: {check: true}}\n";
        let spec = snowglobe_world::resolve::parse("w.yaml", text, "/".as_ref(), &options).unwrap().spec;
        let why = |status| {
            let processes = vec![process(0, status)];
            let report =
                Report { processes, ending: Ending::Until, waiting: vec![(1, 0), (2, 1)], ..Report::default() };
            judge(&spec, Some(&report), None).reason
        };
        assert_eq!(why(Some(0x100)), "client never started: db ended with status 1");
        assert_eq!(why(None), "client never started: db was not healthy");
    }

    #[test]
    fn one_program_exits_with_its_own_status() {
        let mut spec = world();
        spec.knobs = Knobs { one_program: true, ..Knobs::default() };
        for (status, exit, verdict) in
            [(0, 0, Verdict::Passed), (0x2a00, 42, Verdict::Failed), (11, 139, Verdict::Failed)]
        {
            let report = Report { processes: vec![process(0, Some(status))], ..Report::default() };
            let got = judge(&spec, Some(&report), None);
            assert_eq!((got.exit, got.verdict), (exit, verdict));
        }
    }
}
