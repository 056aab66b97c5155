//! Many runs, one after another on each worker, into the table of runs.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use snowglobe_check::Kind;
use snowglobe_check::assertions::Catalogue;
use snowglobe_world::Problem;
use snowglobe_world::rundir::{Verdict, changed_binaries};

use crate::database::{Added, Campaign, Database, Identity, Tally};
use crate::director::{Director, Step, Tag};
use crate::job::{Answer, Fault, Outcome};
use crate::pool::Pool;
use crate::seeds::{Pending, Seeds, Shard, share};
use crate::trouble::Trouble;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);
/// So many runs in a row that could not be made end an exploration: the next ones cannot either.
const MAX_FAULTS: u32 = 3;

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Of these seeds
    pub seeds: Seeds,
    /// those that are this shard's,
    pub shard: Shard,
    /// no longer than this,
    pub budget: Option<Duration>,
    /// and not on after a failure.
    pub until_failure: bool,
}

/// How an exploration goes.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Seeds that were wanted.
    pub wanted: u64,
    /// Of these, run in earlier explorations.
    pub before: u64,
    /// What was run now.
    pub now: Tally,
    /// Failing runs of now by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// What became of the assertions inside programs, in all runs of the campaign.
    pub assertions: Catalogue,
    /// Since when.
    pub elapsed: Duration,
    /// Time until the first failure was found.
    pub first_failure: Option<Duration>,
}

/// Why an exploration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All seeds were run.
    Done,
    /// A failure was found, and no more was wanted.
    Failure,
    /// The time was up.
    Budget,
    /// It was interrupted.
    Interrupted,
}

/// An exploration.
pub struct Explorer<'a> {
    /// Where runs are kept.
    pub database: &'a mut Database,
    /// Who runs them.
    pub pool: &'a mut Pool<Tag>,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
    /// Hears how it goes.
    pub on_tick: &'a mut dyn FnMut(&Live),
    /// Runs that could not be made, which are run again another time.
    pub faults: Vec<(u64, Fault)>,
    /// Remarks about runs, with how often and a seed.
    pub remarks: BTreeMap<String, (u64, u64)>,
}

/// How an exploration came out.
pub struct Explored {
    /// The campaign.
    pub campaign: Campaign,
    /// The last that was known.
    pub live: Live,
    /// Why it ended.
    pub end: End,
    /// Held until the end of the report, so that it is of these runs.
    pub hold: File,
}

/// A campaign that can go on.
struct Begun {
    campaign: Campaign,
    hold: File,
}

impl Explorer<'_> {
    /// Explores.
    ///
    /// # Errors
    /// No run can be made, or none can be kept.
    pub fn explore(
        &mut self,
        identity: &Identity<'_>,
        known_points: &[snowglobe_abi::spec::YieldPoint],
        wanted: Wanted,
    ) -> Result<Option<Explored>, Trouble> {
        let mut begun = self.go_on(identity, wanted.shard)?;
        let (mut director, before) = self.director(begun.as_ref(), known_points, wanted)?;
        let began = Instant::now();
        let mut live = Live { wanted: share(wanted.seeds, wanted.shard), before, ..Live::default() };
        if let Some(Begun { campaign, .. }) = &begun {
            let assertions = self.database.assertions(campaign.id)?.into_iter().map(|known| known.assertion);
            live.assertions.assertions = assertions.collect();
        }
        let (mut end, mut exhausted, mut faults_in_row) = (None, false, 0);
        loop {
            // The first run says which campaign it is and finds most loops that spin, for all that follow: it runs alone.
            while end.is_none() && !exhausted && self.pool.free() > 0 && (begun.is_some() || self.pool.open() == 0) {
                match director.next_job() {
                    Some((job, tag)) => self.pool.submit(job, tag).map_err(no_worker)?,
                    None => exhausted = true,
                }
            }
            if self.pool.open() == 0 {
                break;
            }
            if let Some((tag, answer)) = self.pool.wait(TICK).map_err(no_worker)? {
                let step = match answer {
                    Answer::Interrupted => None,
                    Answer::Fault(fault) => {
                        faults_in_row += 1;
                        if fault.usage || faults_in_row >= MAX_FAULTS {
                            return Err(Trouble::from(&fault));
                        }
                        self.faults.push((tag.seed, fault));
                        None
                    }
                    Answer::Ended(outcome) => {
                        faults_in_row = 0;
                        if begun.is_none() {
                            begun = Some(self.begin(identity, &outcome, wanted.shard)?);
                        }
                        Some(director.answered(tag, *outcome))
                    }
                };
                match step {
                    None => {}
                    Some(Step::Again(job, tag)) if end.is_none() => self.pool.submit(job, tag).map_err(no_worker)?,
                    Some(Step::Again(..)) => {}
                    Some(Step::Counts(run, again)) => {
                        let campaign = &begun.as_ref().expect("a run that ended began it").campaign;
                        let failed = self.count(campaign, &run, again, &mut live, began)?;
                        if failed && wanted.until_failure {
                            self.end(&mut end, End::Failure);
                        }
                    }
                }
            }
            live.elapsed = began.elapsed();
            if self.stop.load(Relaxed) {
                self.end(&mut end, End::Interrupted);
            } else if wanted.budget.is_some_and(|budget| live.elapsed >= budget) {
                self.end(&mut end, End::Budget);
            }
            (self.on_tick)(&live);
        }
        let end = end.unwrap_or(End::Done);
        Ok(begun.map(|Begun { campaign, hold }| Explored { campaign, live, end, hold }))
    }

    /// The campaign of these inputs whose programs are on the machine as they were.
    fn go_on(&self, identity: &Identity<'_>, shard: Shard) -> Result<Option<Begun>, Trouble> {
        for campaign in self.database.campaigns_of(identity.key)? {
            if changed_binaries(&campaign.binaries).is_empty() {
                let hold = self.database.hold(&campaign, shard)?;
                return Ok(Some(Begun { campaign, hold }));
            }
        }
        Ok(None)
    }

    fn begin(&self, identity: &Identity<'_>, first: &Outcome, shard: Shard) -> Result<Begun, Trouble> {
        // Another shard may have begun it with a seed that executes other programs.
        if let Some(begun) = self.go_on(identity, shard)? {
            return Ok(begun);
        }
        let campaign = self.database.begin(identity, first.binaries.as_deref().unwrap_or_default())?;
        let hold = self.database.hold(&campaign, shard)?;
        Ok(Begun { campaign, hold })
    }

    fn director(
        &self,
        begun: Option<&Begun>,
        known_points: &[snowglobe_abi::spec::YieldPoint],
        wanted: Wanted,
    ) -> Result<(Director, u64), Trouble> {
        let mut points = known_points.to_vec();
        let (mut done, mut runs, mut kept) = (Vec::new(), 0, Vec::new());
        if let Some(Begun { campaign, .. }) = begun {
            points.extend(self.database.points(campaign)?.into_iter().filter(|point| !point.file.is_empty()));
            done = self.database.seeds(campaign)?;
            runs = done.len() as u64;
            for group in self.database.groups(campaign.id)? {
                let sightings = self.database.sightings(group.id)?.into_iter().filter(|s| s.kept.is_some());
                kept.extend(sightings.map(|s| (group.kind, group.key.clone(), s.virtual_ns)));
            }
        }
        points.sort();
        points.dedup();
        let here = |seed: &&u64| (wanted.seeds.first..=wanted.seeds.last).contains(*seed) && wanted.shard.has(**seed);
        let before = done.iter().filter(here).count() as u64;
        let mut director = Director::new(Pending::new(wanted.seeds, wanted.shard, done), points, runs);
        for (kind, key, virtual_ns) in kept {
            director.has_kept(kind, &key, virtual_ns);
        }
        Ok((director, before))
    }

    /// Keeps a run and counts it; whether it failed.
    fn count(
        &mut self,
        campaign: &Campaign,
        run: &Outcome,
        again: Option<bool>,
        live: &mut Live,
        began: Instant,
    ) -> Result<bool, Trouble> {
        let added = self.database.add(campaign, run, again)?;
        live.now.virtual_ns += run.virtual_ns;
        live.now.wall_ns += run.wall_ns;
        live.now.same += u64::from(again == Some(true));
        if again == Some(false) || added == Added::Differs {
            live.now.differed += 1;
            return Ok(false);
        }
        live.assertions.add(&run.assertions);
        for remark in &run.remarks {
            self.remarks.entry(remark.clone()).or_insert((0, run.seed)).0 += 1;
        }
        match run.verdict {
            Verdict::Passed => live.now.passed += 1,
            Verdict::Failed => {
                live.now.failed += 1;
                live.first_failure.get_or_insert_with(|| began.elapsed());
                let kinds: std::collections::BTreeSet<Kind> = run.findings.iter().map(|f| f.kind).collect();
                for kind in kinds {
                    *live.kinds.entry(kind).or_default() += 1;
                }
            }
            _ => live.now.unknown += 1,
        }
        Ok(run.failed())
    }

    /// Ends the worlds that run: they say nothing, and are run again another time.
    fn end(&mut self, end: &mut Option<End>, why: End) {
        if end.is_none() {
            *end = Some(why);
            self.pool.interrupt();
        }
    }
}

/// What the operator can do when no worker can be started.
pub fn no_worker(error: std::io::Error) -> Trouble {
    Problem::new(format!("cannot start a process that runs worlds: {error}")).help("use fewer at once: `-j 1`").into()
}
