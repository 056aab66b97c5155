//! Whether a failure is gone: the seeds that failed, and as many fresh ones as it takes to say so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use snowglobe_abi::spec::YieldPoint;
use snowglobe_check::{Finding, Kind};
use snowglobe_world::rundir::Verdict;

use crate::director::{Director, Step, Tag};
use crate::explorer::no_worker;
use crate::job::{Answer, Outcome};
use crate::pool::Pool;
use crate::stats;
use crate::trouble::Trouble;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The failure.
    pub finding: Finding,
    /// Seeds that failed by it.
    pub known: Vec<u64>,
    /// The first seed that was never run.
    pub fresh_from: u64,
    /// The least rate at which it failed that what was seen does not speak against.
    pub rate: f64,
    /// With which confidence it is to be said that it is gone.
    pub confidence: f64,
    /// No longer than this.
    pub budget: Option<Duration>,
}

impl Question {
    /// Fresh seeds that must pass before it can be said to be gone.
    pub fn needed(&self) -> u64 {
        stats::runs_to_say_gone(self.rate, self.confidence).unwrap_or(u64::MAX)
    }
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Seeds that had failed and were run and judged.
    pub known: u64,
    /// Fresh seeds that were run and judged.
    pub fresh: u64,
    /// Runs that could not be judged, or not be made.
    pub unknown: u64,
    /// Runs that were not the same when they were run again, by their seeds.
    pub differed: Vec<u64>,
    /// The run in which it failed again.
    pub again: Option<Box<Outcome>>,
    /// Other failures, by kind and key: how often, and the first run.
    pub others: BTreeMap<(Kind, String), (u64, Box<Outcome>)>,
    /// Since when.
    pub elapsed: Duration,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Conclusion {
    /// It failed again.
    Still,
    /// It is gone, with the confidence that was asked for.
    Gone,
    /// Too few runs were judged: so sure it is that it is gone.
    CannotSay(f64),
    /// Runs are not the same when they are run again.
    Nondeterministic,
}

impl Seen {
    /// The answer to a question.
    pub fn conclusion(&self, question: &Question) -> Conclusion {
        if self.again.is_some() {
            Conclusion::Still
        } else if !self.differed.is_empty() {
            Conclusion::Nondeterministic
        } else if self.fresh >= question.needed() && self.known >= question.known.len() as u64 {
            Conclusion::Gone
        } else {
            Conclusion::CannotSay(stats::confidence_of(question.rate, self.fresh))
        }
    }

    /// Takes an outcome; whether it is the failure.
    fn take(&mut self, question: &Question, outcome: Outcome, again: Option<bool>) -> bool {
        if again == Some(false) {
            self.differed.push(outcome.seed);
            return false;
        }
        match outcome.verdict {
            Verdict::Passed | Verdict::Failed if outcome.seed < question.fresh_from => self.known += 1,
            Verdict::Passed | Verdict::Failed => self.fresh += 1,
            _ => {
                self.unknown += 1;
                return false;
            }
        }
        if outcome.findings.iter().any(|finding| finding.is_like(&question.finding)) {
            self.again = Some(Box::new(outcome));
            return true;
        }
        for finding in &outcome.findings {
            let key = (finding.kind, finding.key.clone());
            self.others.entry(key).or_insert_with(|| (0, Box::new(outcome.clone()))).0 += 1;
        }
        false
    }
}

/// More runs than this that could not be judged, for each one that could, and nothing can be said.
const UNKNOWN_PER_JUDGED: u64 = 1;
/// So many of them are nothing yet.
const UNKNOWN_FREE: u64 = 20;

/// Runs what it takes.
///
/// # Errors
/// No world can be run.
pub fn retest(
    question: &Question,
    points: Vec<YieldPoint>,
    pool: &mut Pool<Tag>,
    stop: &AtomicBool,
    on_tick: &mut dyn FnMut(&Seen),
) -> Result<Seen, Trouble> {
    let seeds = question.known.clone().into_iter().chain(question.fresh_from..);
    let mut director = Director::new(seeds, points, 0);
    let (mut seen, began) = (Seen::default(), Instant::now());
    let mut over = false;
    loop {
        // What runs may be all that is still needed.
        let sure = |seen: &Seen, open: usize| {
            seen.known + seen.fresh + open as u64 >= question.needed().saturating_add(question.known.len() as u64)
        };
        let hopeless = seen.unknown > UNKNOWN_FREE + UNKNOWN_PER_JUDGED * (seen.known + seen.fresh);
        while !over && !hopeless && pool.free() > 0 && !sure(&seen, pool.open()) {
            let Some((job, tag)) = director.next_job() else { break };
            pool.submit(job, tag).map_err(no_worker)?;
        }
        if pool.open() == 0 {
            return Ok(seen);
        }
        if let Some((tag, answer)) = pool.wait(Duration::from_millis(100)).map_err(no_worker)? {
            match answer {
                Answer::Interrupted => {}
                Answer::Fault(fault) if fault.usage => return Err(Trouble::from(&fault)),
                Answer::Fault(_) => seen.unknown += 1,
                Answer::Ended(outcome) => match director.answered(tag, *outcome) {
                    Step::Again(job, tag) if !over => pool.submit(job, tag).map_err(no_worker)?,
                    Step::Again(..) => {}
                    Step::Counts(outcome, again) => {
                        if seen.take(question, *outcome, again) && !over {
                            over = true;
                            pool.interrupt();
                        }
                    }
                },
            }
        }
        seen.elapsed = began.elapsed();
        seen.interrupted |= stop.load(Relaxed);
        if !over && (seen.interrupted || question.budget.is_some_and(|budget| seen.elapsed >= budget)) {
            over = true;
            pool.interrupt();
        }
        on_tick(&seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::director::tests::outcome;

    fn question() -> Question {
        let finding = Finding::new(Kind::Exit, "client", "");
        Question { finding, known: vec![4, 9], fresh_from: 100, rate: 0.1, confidence: 0.95, budget: None }
    }

    #[test]
    fn gone_is_said_when_the_known_seeds_and_enough_fresh_ones_passed() {
        let question = question();
        assert_eq!(question.needed(), 29);
        let mut seen = Seen::default();
        for seed in [4, 9].into_iter().chain(100..128) {
            seen.take(&question, outcome(seed, Verdict::Passed), None);
        }
        let Conclusion::CannotSay(sure) = seen.conclusion(&question) else { panic!() };
        assert!((0.94..0.95).contains(&sure), "{sure}");
        seen.take(&question, outcome(128, Verdict::Unknown), None);
        assert!(matches!(seen.conclusion(&question), Conclusion::CannotSay(_)));
        seen.take(&question, outcome(129, Verdict::Passed), None);
        assert_eq!(seen.conclusion(&question), Conclusion::Gone);
    }

    #[test]
    fn another_failure_is_not_this_one_and_is_told() {
        let question = question();
        let mut seen = Seen::default();
        let other = Finding::new(Kind::Crash, "server", "SIGSEGV");
        let run = Outcome { findings: vec![other], ..outcome(4, Verdict::Failed) };
        assert!(!seen.take(&question, run, Some(true)));
        assert_eq!(seen.others.len(), 1);
        assert!(seen.take(&question, outcome(9, Verdict::Failed), Some(true)));
        assert_eq!(seen.conclusion(&question), Conclusion::Still);
    }

    #[test]
    fn a_run_that_differs_is_no_answer() {
        let question = question();
        let mut seen = Seen::default();
        seen.take(&question, outcome(4, Verdict::Failed), Some(false));
        assert_eq!(seen.conclusion(&question), Conclusion::Nondeterministic);
    }
}
