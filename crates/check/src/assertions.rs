//! Assertions from inside programs, in the records that existing SDKs write (Antithesis' fallback protocol).
//!
//! A line is `{"antithesis_assert": {...}}`, `{"antithesis_setup": {...}}`, `{"antithesis_sdk": {...}}` or an event of the
//! program's own. An assertion with `hit: false` is an entry of the catalogue, written when the program begins: it makes an assertion
//! visible that is never reached. `always` fails when its condition was false once, or when it must be hit and never was; `sometimes`
//! and `reachable` are about many runs: one in which they were not hit says nothing by itself.

use std::io::BufRead;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::finding::{Finding, Kind, Outcome};
use crate::history::short;

/// Longest line that is read.
const LINE: u64 = 4 << 20;

/// What an assertion says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Its condition holds whenever it is reached, and it is reached.
    Always,
    /// Its condition holds whenever it is reached.
    AlwaysOrUnreachable,
    /// Its condition holds at least once in all runs.
    Sometimes,
    /// It is reached at least once in all runs.
    Reachable,
    /// It is never reached.
    Unreachable,
}

impl Claim {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Claim::Always => "always",
            Claim::AlwaysOrUnreachable => "always or unreachable",
            Claim::Sometimes => "sometimes",
            Claim::Reachable => "reachable",
            Claim::Unreachable => "unreachable",
        }
    }

    /// The claim of these words.
    pub fn of_name(name: &str) -> Option<Claim> {
        use Claim::{Always, AlwaysOrUnreachable, Reachable, Sometimes, Unreachable};
        [Always, AlwaysOrUnreachable, Sometimes, Reachable, Unreachable].into_iter().find(|claim| claim.name() == name)
    }
}

/// What became of one assertion, in one run or in many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// What it says.
    pub claim: Claim,
    /// Its text, by which it is known.
    pub message: String,
    /// Where it stands: file, function, line.
    pub location: String,
    /// How often it was reached with its condition true.
    pub holds: u64,
    /// How often with its condition false.
    pub fails: u64,
    /// The details of the first failure.
    pub details: Option<String>,
}

impl Assertion {
    /// Whether it is wrong whatever other runs show.
    pub fn is_broken(&self) -> bool {
        match self.claim {
            Claim::Always | Claim::AlwaysOrUnreachable => self.fails > 0,
            Claim::Unreachable => self.holds + self.fails > 0,
            Claim::Sometimes | Claim::Reachable => false,
        }
    }

    /// Whether it is one that all runs together must make true, and none of these did.
    pub fn is_missing(&self) -> bool {
        match self.claim {
            Claim::Sometimes => self.holds == 0,
            Claim::Always | Claim::Reachable => self.holds + self.fails == 0,
            Claim::AlwaysOrUnreachable | Claim::Unreachable => false,
        }
    }

    /// The finding of it: of one run when it is broken, of all when it is missing.
    pub fn finding(&self) -> Finding {
        let (claim, message) = (self.claim.name(), &self.message);
        let mut text = match (self.claim, self.is_broken()) {
            (Claim::Unreachable, true) => format!("unreachable was reached: {message}"),
            // How often is not known: SDKs tell the first time that it was true and the first that it was false.
            (_, true) => format!("{claim} was false: {message}"),
            (Claim::Sometimes, false) => format!("sometimes was never true: {message}"),
            (_, false) => format!("{claim} was never reached: {message}"),
        };
        text += &format!("\n  at {}", self.location);
        if let Some(details) = &self.details {
            text += &format!("\n  with {details}");
        }
        Finding::new(Kind::Assertion, format!("{claim}/{message}"), text)
    }
}

/// The assertions of a run, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// By claim and message.
    pub assertions: Vec<Assertion>,
    /// How often programs said that they are set up.
    pub setups: u64,
}

fn text<'a>(map: &'a Map<String, Value>, name: &str) -> &'a str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Catalogue {
    /// Reads what a host's programs wrote.
    ///
    /// # Errors
    /// A line that is no record, with its number: what else was written is not known then.
    pub fn read(&mut self, host: &str, from: &mut dyn BufRead) -> Result<(), String> {
        let (mut number, mut line) = (0_u64, Vec::new());
        loop {
            number += 1;
            line.clear();
            let n = std::io::Read::take(&mut *from, LINE).read_until(b'\n', &mut line);
            let n = n.map_err(|error| format!("assertions of {host}: {error}"))?;
            if n == 0 {
                return Ok(());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice::<Map<String, Value>>(&line) {
                Ok(map) => self.record(&map).map_err(|why| format!("assertions of {host}, line {number}: {why}"))?,
                // The program was stopped while it wrote.
                Err(_) if line.last() != Some(&b'\n') && (n as u64) < LINE => return Ok(()),
                Err(error) => return Err(format!("assertions of {host}, line {number}: {error}")),
            }
        }
    }

    fn record(&mut self, map: &Map<String, Value>) -> Result<(), String> {
        if map.contains_key("antithesis_setup") {
            self.setups += 1;
        }
        match map.get("antithesis_assert") {
            None => Ok(()),
            Some(Value::Object(assert)) => self.assert(assert),
            Some(_) => Err("`antithesis_assert` is no object".to_owned()),
        }
    }

    fn assert(&mut self, map: &Map<String, Value>) -> Result<(), String> {
        let flag = |name: &str, usual: bool| match map.get(name) {
            None => Ok(usual),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(format!("`{name}` is neither true nor false")),
        };
        let (hit, must_hit, condition) = (flag("hit", true)?, flag("must_hit", true)?, flag("condition", false)?);
        let claim = match (text(map, "assert_type"), text(map, "display_type")) {
            ("always", _) if must_hit => Claim::Always,
            ("always", _) => Claim::AlwaysOrUnreachable,
            ("sometimes", _) => Claim::Sometimes,
            ("reachability", shown) => {
                if must_hit && !shown.eq_ignore_ascii_case("unreachable") {
                    Claim::Reachable
                } else {
                    Claim::Unreachable
                }
            }
            (other, _) => return Err(format!("`{other}` is no type of assertion")),
        };
        let message = match text(map, "message") {
            "" => text(map, "id"),
            message => message,
        };
        let known = self.assertions.iter().position(|known| known.claim == claim && known.message == message);
        let at = known.unwrap_or_else(|| {
            self.assertions.push(Assertion {
                claim,
                message: message.to_owned(),
                location: location(map.get("location")),
                holds: 0,
                fails: 0,
                details: None,
            });
            self.assertions.len() - 1
        });
        if hit {
            let assertion = &mut self.assertions[at];
            *(if condition { &mut assertion.holds } else { &mut assertion.fails }) += 1;
            if assertion.is_broken() && assertion.details.is_none() {
                assertion.details = map.get("details").filter(|details| !details.is_null()).map(short);
            }
        }
        Ok(())
    }

    /// Adds what other runs showed.
    pub fn add(&mut self, other: &Catalogue) {
        self.setups += other.setups;
        for new in &other.assertions {
            match self.assertions.iter_mut().find(|old| old.claim == new.claim && old.message == new.message) {
                Some(old) => {
                    old.holds += new.holds;
                    old.fails += new.fails;
                    old.details = old.details.take().or_else(|| new.details.clone());
                }
                None => self.assertions.push(new.clone()),
            }
        }
    }

    /// Judges one run: what is wrong whatever others show.
    pub fn judge(&self) -> Outcome {
        let mut out = Outcome::default();
        if self.assertions.is_empty() {
            return out;
        }
        let missing = self.assertions.iter().filter(|assertion| assertion.is_missing()).count();
        let mut notes = format!("assertions: {}", self.assertions.len());
        if missing > 0 {
            notes += &format!(", {missing} not seen in this run");
        }
        out.checked.push(notes);
        out.findings.extend(self.assertions.iter().filter(|a| a.is_broken()).map(Assertion::finding));
        out
    }

    /// Judges all runs together: what none of them made true.
    pub fn judge_all(&self) -> Vec<Finding> {
        self.assertions.iter().filter(|a| a.is_broken() || a.is_missing()).map(Assertion::finding).collect()
    }
}

fn location(value: Option<&Value>) -> String {
    let Some(Value::Object(map)) = value else { return "an unknown place".to_owned() };
    let line = map.get("begin_line").map_or_else(String::new, |line| format!(":{line}"));
    let function = match text(map, "function") {
        "" => String::new(),
        function => format!(" ({function})"),
    };
    let file = text(map, "file");
    format!("{file}{line}{function}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, hit: bool, condition: bool, must_hit: bool, message: &str) -> String {
        format!(
            "{{\"antithesis_assert\":{{\"assert_type\":\"{kind}\",\"display_type\":\"x\",\"hit\":{hit},\"condition\":{condition},\
             \"must_hit\":{must_hit},\"message\":\"{message}\",\"id\":\"{message}\",\"location\":{{\"file\":\"a.py\",\
             \"begin_line\":3,\"function\":\"f\"}},\"details\":{{\"x\":1}}}}}}\n"
        )
    }

    fn read(text: &str) -> Catalogue {
        let mut catalogue = Catalogue::default();
        catalogue.read("db", &mut text.as_bytes()).unwrap();
        catalogue
    }

    #[test]
    fn always_fails_a_run_and_sometimes_only_all_of_them() {
        let entry =
            line("sometimes", false, false, true, "leader changes") + &line("always", false, false, true, "no loss");
        let good = read(&(entry.clone() + &line("always", true, true, true, "no loss")));
        assert!(good.judge().findings.is_empty());
        let bad = read(&(entry + &line("always", true, false, true, "no loss")));
        let findings = bad.judge().findings;
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].key, "always/no loss");
        assert!(findings[0].text.contains("a.py:3 (f)") && findings[0].text.contains("{\"x\":1}"));
        let mut all = good.clone();
        all.add(&good);
        let keys: Vec<String> = all.judge_all().into_iter().map(|f| f.key).collect();
        assert_eq!(keys, ["sometimes/leader changes"]);
        all.add(&read(&line("sometimes", true, true, true, "leader changes")));
        assert!(all.judge_all().is_empty());
    }

    #[test]
    fn claims_are_stored_by_their_names() {
        use Claim::{Always, AlwaysOrUnreachable, Reachable, Sometimes, Unreachable};
        for claim in [Always, AlwaysOrUnreachable, Sometimes, Reachable, Unreachable] {
            assert_eq!(Claim::of_name(claim.name()), Some(claim));
        }
        assert_eq!(Claim::of_name("never"), None);
    }

    #[test]
    fn unreachable_fails_when_it_is_reached() {
        let reached = read(&line("reachability", true, false, false, "bad state"));
        assert_eq!(reached.judge().findings[0].key, "unreachable/bad state");
        let entry = read(&line("reachability", false, false, false, "bad state"));
        assert!(entry.judge().findings.is_empty() && entry.judge_all().is_empty());
        let never = read(&line("reachability", false, true, true, "good state"));
        assert_eq!(never.judge_all()[0].key, "reachable/good state");
    }

    #[test]
    fn a_line_that_is_no_record_is_an_error_and_a_cut_last_one_is_not() {
        let mut catalogue = Catalogue::default();
        assert!(catalogue.read("db", &mut &b"{}\nxx\n{}\n"[..]).unwrap_err().contains("line 2"));
        assert!(catalogue.read("db", &mut &b"{}\n{\"antithesis_as"[..]).is_ok());
        assert!(catalogue.read("db", &mut &b"{\"antithesis_assert\":{\"assert_type\":\"never\"}}\n"[..]).is_err());
    }
}
