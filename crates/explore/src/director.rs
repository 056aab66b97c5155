//! What is run next, and what an answer means. No clock, no process, no file: an explorer asks and tells.

use std::collections::BTreeMap;

use snowglobe_abi::spec::{Nanos, YieldPoint};
use snowglobe_check::{Finding, Kind};

use crate::job::{Job, Outcome, Subject};
use crate::seeds;

/// Failing runs of a kind that are kept with their traces, whatever their length.
const KEEP_FIRST: u64 = 3;

/// What a job is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// The seed.
    pub seed: u64,
    /// The so many-th run, from 0.
    pub number: u64,
    /// What the run said the first time, when this is its second.
    pub first: Option<Box<Outcome>>,
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It is run again, to see that it is the same.
    Again(Job, Tag),
    /// It counts. Whether it was the same when it was run again, where it was.
    Counts(Box<Outcome>, Option<bool>),
}

/// Decides over the runs of a campaign.
pub struct Director {
    seeds: Box<dyn Iterator<Item = u64>>,
    number: u64,
    points: Vec<YieldPoint>,
    kept: BTreeMap<(Kind, String), Kept>,
}

/// What is kept of a kind of failure.
#[derive(Clone, Copy, Debug)]
struct Kept {
    runs: u64,
    shortest: Nanos,
}

impl Director {
    /// One for these seeds. `points` are the loops that give way from the beginning; `before` is how many runs the campaign has.
    pub fn new(seeds: impl Iterator<Item = u64> + 'static, points: Vec<YieldPoint>, before: u64) -> Director {
        Director { seeds: Box::new(seeds), number: before, points, kept: BTreeMap::new() }
    }

    /// Remembers that a failing run was kept earlier.
    pub fn has_kept(&mut self, kind: Kind, key: &str, virtual_ns: Nanos) {
        let kept = self.kept.entry((kind, key.to_owned())).or_insert(Kept { runs: 0, shortest: u64::MAX });
        kept.runs += 1;
        kept.shortest = kept.shortest.min(virtual_ns);
    }

    /// The loops that give way from the beginning in the next run.
    pub fn points(&self) -> &[YieldPoint] {
        &self.points
    }

    /// The next run, while there are seeds.
    pub fn next_job(&mut self) -> Option<(Job, Tag)> {
        let seed = self.seeds.next()?;
        let tag = Tag { seed, number: self.number, first: None };
        self.number += 1;
        Some((self.job(seed, self.points.clone(), true, false), tag))
    }

    fn job(&self, seed: u64, points: Vec<YieldPoint>, learn: bool, keep: bool) -> Job {
        Job { subject: Subject::Seed(seed), points, learn, keep }
    }

    /// What follows from a run's outcome.
    pub fn answered(&mut self, tag: Tag, outcome: Outcome) -> Step {
        // A run is what its seed and its points make of it: those that are found out now are for the runs that follow.
        self.learn(&outcome.points);
        match tag.first {
            Some(first) => {
                let same = first.is_same(&outcome);
                if same && outcome.run.is_some() {
                    for finding in &outcome.findings {
                        self.has_kept(finding.kind, &finding.key, outcome.virtual_ns);
                    }
                }
                let run = outcome.run.or(first.run.clone());
                Step::Counts(Box::new(Outcome { run, ..*first }), Some(same))
            }
            None if outcome.failed() || seeds::is_verified(tag.number) => {
                let keep = outcome.failed() && self.is_worth_keeping(&outcome);
                let job = self.job(outcome.seed, outcome.points.clone(), false, keep);
                Step::Again(job, Tag { first: Some(Box::new(outcome)), ..tag })
            }
            None => Step::Counts(Box::new(outcome), None),
        }
    }

    /// The first few of a kind, and those that are much shorter than all before.
    fn is_worth_keeping(&self, outcome: &Outcome) -> bool {
        let is_news = |finding: &Finding| {
            let key = (finding.kind, finding.key.clone());
            self.kept
                .get(&key)
                .is_none_or(|kept| kept.runs < KEEP_FIRST || outcome.virtual_ns < kept.shortest - kept.shortest / 5)
        };
        outcome.findings.iter().any(is_news)
    }

    fn learn(&mut self, points: &[YieldPoint]) {
        // Code that no file holds is elsewhere in the next run.
        let new = points.iter().filter(|point| !point.file.is_empty() && !self.points.contains(point));
        let new: Vec<YieldPoint> = new.cloned().collect();
        if !new.is_empty() {
            self.points.extend(new);
            self.points.sort();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use snowglobe_world::rundir::Verdict;

    pub(crate) fn outcome(seed: u64, verdict: Verdict) -> Outcome {
        let finding = Finding::new(Kind::Exit, "client", "client ended with 1");
        Outcome {
            seed,
            verdict,
            reason: "because".into(),
            findings: if verdict == Verdict::Failed { vec![finding] } else { vec![] },
            digest: format!("{seed:x}"),
            virtual_ns: 1000 - seed,
            wall_ns: 10,
            events: 5,
            calls: 3,
            points: vec![],
            run: None,
            binaries: None,
            assertions: Default::default(),
            faults: vec![],
            remarks: vec![],
        }
    }

    fn point(file: &str, offset: u64) -> YieldPoint {
        YieldPoint { file: file.into(), offset, made: None }
    }

    #[test]
    fn a_share_of_the_passing_runs_and_every_failing_one_is_run_again() {
        let mut director = Director::new(1..200, vec![], 0);
        let (mut again, mut counted) = (vec![], 0);
        while let Some((_, tag)) = director.next_job() {
            let verdict = if tag.seed == 20 { Verdict::Failed } else { Verdict::Passed };
            match director.answered(tag.clone(), outcome(tag.seed, verdict)) {
                Step::Again(job, tag) => {
                    assert!(!job.learn && job.keep == (tag.seed == 20));
                    again.push(tag.seed);
                    let same = director.answered(tag.clone(), outcome(tag.seed, verdict));
                    assert!(matches!(same, Step::Counts(_, Some(true))), "{same:?}");
                }
                Step::Counts(run, None) => counted += u64::from(run.verdict == Verdict::Passed),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(again, [1, 2, 3, 20, 51, 101, 151]);
        assert_eq!(counted, 192);
    }

    #[test]
    fn a_run_that_differs_the_second_time_counts_as_that() {
        let mut director = Director::new(1..2, vec![], 0);
        let (_, tag) = director.next_job().unwrap();
        let Step::Again(_, tag) = director.answered(tag, outcome(1, Verdict::Failed)) else { panic!() };
        let other = Outcome { digest: "else".into(), ..outcome(1, Verdict::Failed) };
        assert!(matches!(director.answered(tag, other), Step::Counts(_, Some(false))));
    }

    #[test]
    fn few_failing_runs_of_a_kind_are_kept_and_much_shorter_ones() {
        let mut director = Director::new(1..1000, vec![], 0);
        let mut kept = vec![];
        while let Some((_, tag)) = director.next_job() {
            let Step::Again(job, tag) = director.answered(tag.clone(), outcome(tag.seed, Verdict::Failed)) else {
                panic!()
            };
            let run = job.keep.then(|| tag.seed.to_string());
            if job.keep {
                kept.push(tag.seed);
            }
            director.answered(tag.clone(), Outcome { run, ..outcome(tag.seed, Verdict::Failed) });
        }
        assert_eq!(kept[..4], [1, 2, 3, 203]);
        assert!(kept.len() < 40, "{kept:?}");
    }

    #[test]
    fn what_a_run_learned_is_for_those_that_follow_and_its_own_second_run() {
        let mut director = Director::new(1..9, vec![point("/a", 1)], 7);
        let (job, tag) = director.next_job().unwrap();
        assert_eq!(job.points, [point("/a", 1)]);
        let all = vec![point("/a", 1), point("/b", 2), point("", 3)];
        let found = Outcome { points: all.clone(), ..outcome(1, Verdict::Failed) };
        let Step::Again(second, _) = director.answered(tag, found) else { panic!() };
        assert_eq!(second.points, all);
        assert_eq!(director.next_job().unwrap().0.points, [point("/a", 1), point("/b", 2)]);
    }
}
