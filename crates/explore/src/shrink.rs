//! The search for the least world in which the same still fails.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use snowglobe_abi::fault::Planned;
use snowglobe_abi::spec::{Nanos, WorldSpec, YieldPoint};
use snowglobe_check::Finding;

use crate::ddmin::ddmin;
use crate::explorer::no_worker;
use crate::job::{Answer, Job, Outcome, Subject};
use crate::pool::Pool;
use crate::trouble::Trouble;
use crate::{reduce, seeds};

/// Who tries worlds.
pub trait Oracle {
    /// The first of these worlds in which the same fails; `None` when it does in none, or when no more can be tried.
    ///
    /// # Errors
    /// They cannot be run.
    fn first_failing(&mut self, worlds: Vec<WorldSpec>) -> Result<Option<Failing>, Trouble>;

    /// Hears of each step: what is looked at, and the least world so far.
    fn on_step(&mut self, step: &'static str, best: &Failing);
}

/// A world in which it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// Its place among those that were tried together.
    pub index: usize,
    /// The world, with the seed with which it failed.
    pub world: WorldSpec,
    /// Virtual time that the run took.
    pub virtual_ns: Nanos,
}

/// Times that the end of a world is moved, each to an eighth more exactly.
const END_ROUNDS: u32 = 3;
/// Passes over all dimensions: what one takes away may let another take more.
const PASSES: u32 = 4;

/// Finds it: leaves out faults, time, hosts, disturbances of networks and of the schedule for as long as something can be left out.
///
/// # Errors
/// Worlds cannot be run.
pub fn shrink(start: Failing, oracle: &mut dyn Oracle) -> Result<Failing, Trouble> {
    let mut shrinker = Shrinker { best: start, oracle, error: None };
    for _ in 0..PASSES {
        let before = shrinker.best.world.clone();
        shrinker.pass();
        if let Some(error) = shrinker.error {
            return Err(error);
        }
        let after = WorldSpec { seed: before.seed, ..shrinker.best.world.clone() };
        if after == before {
            break;
        }
    }
    Ok(shrinker.best)
}

struct Shrinker<'a> {
    best: Failing,
    oracle: &'a mut dyn Oracle,
    error: Option<Trouble>,
}

impl Shrinker<'_> {
    fn pass(&mut self) {
        self.step("the schedule");
        while self.try_these(reduce::simpler_schedules(&self.best.world)).is_some() {}
        self.step("faults");
        let all = self.best.world.faults.timeline.clone();
        ddmin(all, &mut |lists: &[Vec<Planned>]| {
            let base = self.best.world.clone();
            self.try_these(lists.iter().map(|list| reduce::with_timeline(&base, list)).collect())
        });
        self.step("round times");
        self.try_these(reduce::rounder_plans(&self.best.world));
        self.step("time");
        self.sooner_end();
        self.step("hosts");
        self.fewer_hosts();
        self.step("networks");
        while self.try_these(reduce::calmer_networks(&self.best.world)).is_some() {}
        self.step("whom faults strike");
        self.shorter_lists();
        self.step("how long and when they strike");
        self.tidier_faults();
    }

    fn step(&mut self, what: &'static str) {
        self.oracle.on_step(what, &self.best);
    }

    /// Goes on with the first of these that fails.
    fn try_these(&mut self, worlds: Vec<WorldSpec>) -> Option<usize> {
        if worlds.is_empty() || self.error.is_some() {
            return None;
        }
        match self.oracle.first_failing(worlds) {
            Ok(found) => {
                let index = found.as_ref()?.index;
                self.best = found?;
                Some(index)
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// The soonest end with which it fails, to an eighth of what it could be, a few times over.
    fn sooner_end(&mut self) {
        let mut low = 0;
        for _ in 0..END_ROUNDS {
            let high = self.best.world.until.unwrap_or(u64::MAX).min(self.best.virtual_ns);
            let ends: Vec<Nanos> = (1..8).map(|k| reduce::rounded(low + (high - low) / 8 * k)).collect();
            let fits = |end: &Nanos| *end > low && *end < high;
            let ends: Vec<Nanos> = ends.into_iter().filter(fits).collect();
            let worlds = ends.iter().map(|end| reduce::with_until(&self.best.world, *end)).collect();
            match self.try_these(worlds) {
                Some(0) => {}
                Some(i) => low = ends[i - 1],
                None => return,
            }
        }
    }

    fn fewer_hosts(&mut self) {
        // The last first: what comes first is more often what the others need.
        let mut host = self.best.world.hosts.len();
        while host > 0 {
            host -= 1;
            if let Some(world) = reduce::without_host(&self.best.world, host as u32) {
                self.try_these(vec![world]);
            }
        }
    }

    fn shorter_lists(&mut self) {
        for place in reduce::long_host_lists(&self.best.world) {
            let all = reduce::host_list(&self.best.world, place);
            ddmin(all, &mut |lists: &[Vec<u32>]| {
                let base = self.best.world.clone();
                // A fault that is about nobody is none: that was tried.
                let some: Vec<usize> = (0..lists.len()).filter(|i| !lists[*i].is_empty()).collect();
                let worlds = some.iter().map(|i| reduce::with_host_list(&base, place, &lists[*i])).collect();
                self.try_these(worlds).map(|found| some[found])
            });
        }
    }

    fn tidier_faults(&mut self) {
        for fault in 0..self.best.world.faults.timeline.len() {
            while self.try_these(reduce::shorter_faults(&self.best.world, fault)).is_some() {}
            self.try_these(reduce::rounder_times(&self.best.world, fault));
        }
    }
}

/// How much may be tried.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Time on the machine.
    pub budget: Option<Duration>,
    /// Seeds that are tried for each world: its own, and others that come from it.
    pub tries: u64,
}

/// An oracle that runs worlds on a pool.
pub struct Runs<'a> {
    pool: &'a mut Pool<Trial>,
    stop: &'a AtomicBool,
    /// Any of these must fail again.
    wanted: Vec<Finding>,
    bounds: Bounds,
    began: Instant,
    /// What is known of worlds that were tried, by the hash of the world: how those failed that did.
    known: BTreeMap<[u8; 32], Option<Failed>>,
    round: u64,
    /// Runs that were made.
    pub runs: u64,
    /// Whether it gave up early.
    pub spent: bool,
    on_run: &'a mut dyn FnMut(&'static str, u64, &WorldSpec),
    step: &'static str,
    best: WorldSpec,
}

/// How a world failed: after which time, and with which loops that gave way from the beginning.
type Failed = (Nanos, Vec<YieldPoint>);

/// What a job of shrinking is about.
#[derive(Clone, Debug)]
pub struct Trial {
    round: u64,
    place: usize,
    hash: [u8; 32],
}

impl<'a> Runs<'a> {
    /// One that looks for any of these findings. `on_run` hears after each run: the step, how many runs, the least world so far.
    pub fn new(
        pool: &'a mut Pool<Trial>,
        stop: &'a AtomicBool,
        start: &WorldSpec,
        wanted: Vec<Finding>,
        bounds: Bounds,
        on_run: &'a mut dyn FnMut(&'static str, u64, &WorldSpec),
    ) -> Runs<'a> {
        Runs {
            pool,
            stop,
            wanted,
            bounds,
            began: Instant::now(),
            known: BTreeMap::new(),
            round: 0,
            runs: 0,
            spent: false,
            on_run,
            step: "",
            best: start.clone(),
        }
    }

    fn is_spent(&mut self) -> bool {
        let spent = self.stop.load(Relaxed) || self.bounds.budget.is_some_and(|b| self.began.elapsed() >= b);
        self.spent |= spent;
        spent
    }

    fn is_it(&self, outcome: &Outcome) -> bool {
        outcome.failed() && outcome.findings.iter().any(|found| self.wanted.iter().any(|wanted| wanted.is_like(found)))
    }

    /// Hands over what has no answer yet, in order, while a worker is free.
    fn submit(
        &mut self,
        open: &mut std::iter::Peekable<std::vec::IntoIter<(usize, [u8; 32], WorldSpec)>>,
    ) -> Result<(), Trouble> {
        while self.pool.free() > 0
            && let Some((place, hash, world)) = open.next()
        {
            let points = world.yield_points.clone();
            let job = Job { subject: Subject::World(Box::new(world)), points, learn: true, keep: false };
            self.pool.submit(job, Trial { round: self.round, place, hash }).map_err(no_worker)?;
        }
        Ok(())
    }
}

impl Oracle for Runs<'_> {
    fn first_failing(&mut self, worlds: Vec<WorldSpec>) -> Result<Option<Failing>, Trouble> {
        if self.is_spent() {
            return Ok(None);
        }
        self.round += 1;
        let tries = self.bounds.tries.max(1);
        // Each world with its seeds, one after another: the first that fails is the same however many run side by side.
        let trials: Vec<WorldSpec> = worlds
            .iter()
            .flat_map(|world| {
                let mut world = world.clone();
                // A loop in code that a program made is elsewhere in another world.
                world.yield_points.retain(|point| !point.file.is_empty());
                (0..tries).map(move |n| WorldSpec { seed: seed_of_try(world.seed, n), ..world.clone() })
            })
            .collect();
        let hashes: Vec<[u8; 32]> = trials.iter().map(hash).collect();
        let mut answers: Vec<Option<Option<Failed>>> =
            hashes.iter().map(|hash| self.known.get(hash).cloned()).collect();
        let open: Vec<_> =
            (0..trials.len()).filter(|i| answers[*i].is_none()).map(|i| (i, hashes[i], trials[i].clone())).collect();
        let mut open = open.into_iter().peekable();
        let mut faults_in_row = 0;
        loop {
            // All before the first that fails must have been answered.
            if let Some(place) = answers.iter().position(|answer| !matches!(answer, Some(None))) {
                if let Some(Some((virtual_ns, points))) = answers[place].take() {
                    let world = WorldSpec { yield_points: points, ..trials[place].clone() };
                    let found = Failing { index: place / tries as usize, world, virtual_ns };
                    self.best = found.world.clone();
                    return Ok(Some(found));
                }
            } else {
                return Ok(None);
            }
            if self.is_spent() {
                self.pool.interrupt();
                return Ok(None);
            }
            self.submit(&mut open)?;
            let Some((trial, answer)) = self.pool.wait(Duration::from_millis(100)).map_err(no_worker)? else {
                continue;
            };
            let failed = match answer {
                Answer::Ended(outcome) => {
                    faults_in_row = 0;
                    self.is_it(&outcome).then_some((outcome.virtual_ns, outcome.points))
                }
                Answer::Interrupted => continue,
                // A world from which too much was taken away may not run, or not end; a machine that can run none is
                // another matter.
                Answer::Fault(fault) => {
                    faults_in_row += 1;
                    if !fault.usage && faults_in_row >= MAX_FAULTS {
                        return Err(Trouble::from(&fault));
                    }
                    None
                }
            };
            self.runs += 1;
            self.known.insert(trial.hash, failed.clone());
            if trial.round == self.round {
                answers[trial.place] = Some(failed);
            }
            (self.on_run)(self.step, self.runs, &self.best);
        }
    }

    fn on_step(&mut self, step: &'static str, best: &Failing) {
        self.step = step;
        self.best = best.world.clone();
    }
}

/// So many worlds in a row that could not be run for another reason than themselves end the search.
const MAX_FAULTS: u32 = 3;

/// Its own seed first.
fn seed_of_try(seed: u64, number: u64) -> u64 {
    if number == 0 { seed } else { seeds::derived(seed, number) }
}

fn hash(world: &WorldSpec) -> [u8; 32] {
    *blake3::hash(&snowglobe_abi::spec::encode(world)).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use snowglobe_abi::fault::{Fault, FaultPlan, HostVerb, Schedule, When};
    use snowglobe_abi::spec::{Chance, Loss, Strike, Verb};
    use snowglobe_world::{Options, resolve};

    const SECOND: Nanos = 1_000_000_000;

    /// Four hosts, many faults, a lossy network.
    fn world() -> WorldSpec {
        let text = "services:\n  a: {command: sleep 9}\n  b: {command: sleep 9, depends_on: [a]}\n  c: {command: sleep 9}\n  d: {command: sleep 9, depends_on: [b, c]}\n";
        let options =
            Options { vars: Default::default(), images: "/nowhere".into(), seed: Some(7), until: Some(60 * SECOND) };
        let mut spec = resolve::parse("w.yaml", text, "/".as_ref(), &options).unwrap().spec;
        spec.networks[0].link.loss = Loss::Independent(Chance(10_000_000));
        let timeline = (0..40).map(|i| Planned {
            when: When::At(SECOND + i * SECOND + 123_456_789),
            lasts: (i % 3 == 0).then_some(3 * SECOND),
            fault: match i % 3 {
                0 => Fault::Network(Strike { verb: Verb::Cut, network: None, from: vec![0, 2], to: vec![1, 3] }),
                1 => Fault::Host { hosts: vec![(i % 4) as u32], verb: HostVerb::Kill { restart: Some(SECOND) } },
                _ => Fault::Host { hosts: vec![0, 1, 2], verb: HostVerb::Pause },
            },
            cause: format!("test {i}"),
        });
        spec.faults = FaultPlan {
            timeline: timeline.collect(),
            quiet_from: Some(50 * SECOND),
            schedule: Schedule::Pct { changes: 5, calls: 1000 },
        };
        spec
    }

    /// An oracle that knows what fails without running it.
    struct Knows<F>(F, u64);

    impl<F: Fn(&WorldSpec) -> bool> Oracle for Knows<F> {
        fn first_failing(&mut self, worlds: Vec<WorldSpec>) -> Result<Option<Failing>, Trouble> {
            self.1 += worlds.len() as u64;
            let found = worlds.iter().position(|world| (self.0)(world));
            Ok(found.map(|index| Failing {
                index,
                world: worlds[index].clone(),
                virtual_ns: worlds[index].until.unwrap(),
            }))
        }

        fn on_step(&mut self, _: &'static str, _: &Failing) {}
    }

    fn least(fails: impl Fn(&WorldSpec) -> bool) -> (WorldSpec, u64) {
        let start = world();
        assert!(fails(&start));
        let mut oracle = Knows(fails, 0);
        let failing = Failing { index: 0, virtual_ns: start.until.unwrap(), world: start };
        (shrink(failing, &mut oracle).unwrap().world, oracle.1)
    }

    #[test]
    fn what_fails_whatever_happens_is_left_with_nothing() {
        let (world, _) = least(|_| true);
        assert_eq!(world.hosts.len(), 1);
        assert_eq!(world.faults, FaultPlan::default());
        assert!(world.networks.iter().all(|network| network.is_plain()));
        assert!(world.until.unwrap() < SECOND, "{:?}", world.until);
    }

    #[test]
    fn a_cut_and_a_kill_after_it_are_left_with_the_hosts_that_they_are_about() {
        let fails = |world: &WorldSpec| {
            let has = |name: &str| world.hosts.iter().position(|host| host.name == name);
            let (Some(a), Some(b)) = (has("a"), has("b")) else { return false };
            let cut = world.faults.timeline.iter().position(|planned| {
                matches!(&planned.fault, Fault::Network(strike)
                    if strike.from.contains(&(a as u32)) && strike.to.contains(&(b as u32)))
            });
            let killed = world.faults.timeline.iter().rposition(|planned| {
                matches!(&planned.fault, Fault::Host { hosts, verb: HostVerb::Kill { .. } } if hosts.contains(&(b as u32)))
            });
            cut.zip(killed).is_some_and(|(cut, killed)| cut < killed) && world.until.unwrap() > 5 * SECOND
        };
        let (world, tried) = least(fails);
        let names: Vec<&str> = world.hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let [cut, killed] = &world.faults.timeline[..] else { panic!("{:#?}", world.faults) };
        assert_eq!(cut.fault, Fault::Network(Strike { verb: Verb::Cut, network: None, from: vec![0], to: vec![1] }));
        assert!(matches!(&killed.fault, Fault::Host { hosts, .. } if hosts == &[1]));
        assert_eq!(world.faults.schedule, Schedule::Usual);
        assert!(world.until.unwrap() <= 6 * SECOND, "{:?}", world.until);
        assert!(tried < 600, "{tried}");
    }

    #[test]
    fn times_are_rounded_together_as_far_as_it_still_fails() {
        let mut start = world();
        start.faults.timeline.truncate(3);
        let at = |world: &WorldSpec, i: usize| match world.faults.timeline[i].when {
            When::At(at) => at,
            When::Call { .. } => 0,
        };
        // Too late by 50 ms is not at all, and alone none can be moved: their distance matters.
        let fails = |world: &WorldSpec| {
            world.faults.timeline.len() == 3
                && (at(world, 0)..SECOND + 130_000_000).contains(&(SECOND + 100_000_000))
                && at(world, 1) - at(world, 0) == SECOND
                && at(world, 2) - at(world, 1) == SECOND
        };
        assert!(!fails(&start));
        start.faults.timeline[0].when = When::At(SECOND + 90_123_456);
        start.faults.timeline[1].when = When::At(2 * SECOND + 90_123_456);
        start.faults.timeline[2].when = When::At(3 * SECOND + 90_123_456);
        let failing = Failing { index: 0, virtual_ns: start.until.unwrap(), world: start };
        let least = shrink(failing, &mut Knows(fails, 0)).unwrap().world;
        assert_eq!([0, 1, 2].map(|i| at(&least, i) % 10_000_000), [0; 3]);
    }

    #[test]
    fn turns_end_as_seldom_as_it_still_fails() {
        let mut start = world();
        start.faults.schedule = Schedule::Random(Chance(50_000_000));
        let fails = |world: &WorldSpec| matches!(world.faults.schedule, Schedule::Random(c) if c >= Chance(3_000_000));
        let failing = Failing { index: 0, virtual_ns: start.until.unwrap(), world: start };
        let least = shrink(failing, &mut Knows(fails, 0)).unwrap().world;
        assert_eq!(least.faults.schedule, Schedule::Random(Chance(5_000_000)));
    }

    #[test]
    fn a_world_without_a_host_is_about_the_others() {
        let start = world();
        let fewer = reduce::without_host(&start, 1).unwrap();
        assert_eq!(fewer.hosts[2].service.as_ref().unwrap().depends_on.len(), 1);
        assert_eq!(fewer.hosts[2].service.as_ref().unwrap().depends_on[0].host, 1);
        let Fault::Network(strike) = &fewer.faults.timeline[0].fault else { panic!() };
        assert_eq!((&strike.from[..], &strike.to[..]), (&[0, 1][..], &[2][..]));
        // What was only about it is gone.
        let kills = |world: &WorldSpec| {
            let kill = |p: &&Planned| matches!(p.fault, Fault::Host { verb: HostVerb::Kill { .. }, .. });
            world.faults.timeline.iter().filter(kill).count()
        };
        assert_eq!((kills(&start), kills(&fewer)), (13, 9));
    }
}
