//! What a check says.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Which kind of check found something. Its name in JSON and in databases is its name here in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A service that checks ended with another status than 0.
    Exit,
    /// The final state of a process is not what `expect:` says.
    Expect,
    /// An output has what it must not have, or lacks what it must.
    Output,
    /// A history breaks its model.
    History,
    /// An assertion inside a program failed.
    Assertion,
    /// A process was ended by a signal that tells of a crash.
    Crash,
    /// All threads of a host wait for ever.
    Deadlock,
    /// Memory or descriptors grow without bound.
    Growth,
    /// A host was not up at the end of the quiet time.
    Down,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 9] = [
        Kind::Exit,
        Kind::Expect,
        Kind::Output,
        Kind::History,
        Kind::Assertion,
        Kind::Crash,
        Kind::Deadlock,
        Kind::Growth,
        Kind::Down,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Exit => "exit",
            Kind::Expect => "expect",
            Kind::Output => "output",
            Kind::History => "history",
            Kind::Assertion => "assertion",
            Kind::Crash => "crash",
            Kind::Deadlock => "deadlock",
            Kind::Growth => "growth",
            Kind::Down => "down",
        }
    }

    /// The kind of a name.
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// Which kind of check found it.
    pub kind: Kind,
    /// What failed, without what differs from seed to seed (times, values, process ids, replicas): runs with the same kind
    /// and key failed by the same. `kv/set/lost`, `redis-server/SIGSEGV`.
    pub key: String,
    /// What is wrong, for people: the smallest explanation that the judge has. May have several lines.
    pub text: String,
}

impl Finding {
    /// A finding.
    pub fn new(kind: Kind, key: impl Into<String>, text: impl Into<String>) -> Finding {
        Finding { kind, key: key.into(), text: text.into() }
    }

    /// Whether it is the same failure: text and run may be others.
    pub fn is_like(&self, other: &Finding) -> bool {
        self.kind == other.kind && self.key == other.key
    }

    /// By what failures are grouped: kind and key.
    pub fn group(&self) -> String {
        format!("{}: {}", self.kind.name(), self.key)
    }
}

/// What a judgement comes to. The worse one is the larger one: a failure stands though something else is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that was asked holds.
    #[default]
    Passed,
    /// It could not be told: time, memory or the history itself did not reach.
    Unknown,
    /// Something is wrong.
    Failed,
}

/// All that judges said of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What was judged, one line each (`history kv: register, 1200 operations on 8 keys`). Nothing was checked when empty.
    pub checked: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be told, and why.
    pub unknown: Vec<String>,
}

impl Outcome {
    /// What it comes to. A run in which nothing was checked did not fail; whoever shows it says so.
    pub fn verdict(&self) -> Verdict {
        match (self.findings.is_empty(), self.unknown.is_empty()) {
            (false, _) => Verdict::Failed,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Passed,
        }
    }

    /// Adds what another judge said.
    pub fn add(&mut self, other: Outcome) {
        self.checked.extend(other.checked);
        self.findings.extend(other.findings);
        self.unknown.extend(other.unknown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_what_is_unknown_and_both_outweigh_a_pass() {
        let finding = Finding::new(Kind::History, "kv/set/lost", "element 3 is gone");
        let mut outcome = Outcome { checked: vec!["history kv".into()], ..Outcome::default() };
        assert_eq!(outcome.verdict(), Verdict::Passed);
        outcome.unknown.push("history q: cut".into());
        assert_eq!(outcome.verdict(), Verdict::Unknown);
        outcome.add(Outcome { findings: vec![finding.clone()], ..Outcome::default() });
        assert_eq!(outcome.verdict(), Verdict::Failed);
        assert_eq!(finding.group(), "history: kv/set/lost");
    }

    #[test]
    fn kinds_are_stored_by_their_names() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(Kind::of_name(kind.name()), Some(kind));
        }
    }
}
