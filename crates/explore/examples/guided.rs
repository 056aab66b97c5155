//! An experiment: does a search that varies runs which saw something new find failures sooner than fresh seeds do?
//!
//! ```sh
//! cargo build --release --bin snowglobe --example guided -p snowglobe -p snowglobe-explore
//! cp target/release/snowglobe target/release/snowglobe-workload DIR; cp target/release/examples/guided DIR
//! DIR/guided WORLD.yaml KEY SECONDS > spells.jsonl
//! crates/explore/examples/guided-figures.py spells.jsonl
//! ```
//!
//! `snowglobe` and its companions are looked for beside this program. Spells of both ways alternate; a spell ends with the first
//! failure whose key begins with KEY. Each is a line of JSON: way, runs, seconds; the last one may have been cut by the end of the
//! time (`cut`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use snowglobe_abi::fault::{Fault, HostVerb, When};
use snowglobe_abi::spec::{Nanos, WorldSpec};
use snowglobe_explore::job::{Answer, Job, Outcome, Setup, Subject};
use snowglobe_explore::pool::Pool;
use snowglobe_explore::seeds::derived;

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        derived(self.0, 1)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A run that saw something new.
struct Entry {
    world: WorldSpec,
    virtual_ns: Nanos,
    /// How much was new.
    news: usize,
    picked: u64,
}

/// What a search has seen since its last failure.
#[derive(Default)]
struct Guide {
    seen: BTreeMap<u32, u32>,
    corpus: Vec<Entry>,
    fresh: u64,
}

/// Runs before anything is varied.
const BEGIN: u64 = 4;

impl Guide {
    fn next(&mut self, rng: &mut Rng, fresh: impl FnOnce(u64) -> WorldSpec) -> WorldSpec {
        if self.fresh < BEGIN || self.corpus.is_empty() || rng.one_in(4) {
            self.fresh += 1;
            return fresh(rng.next());
        }
        // What was new to a run that was seldom picked counts most.
        let weight = |entry: &Entry| (1 + entry.news as u64) * 1000 / (1 + entry.picked * entry.picked);
        let all: u64 = self.corpus.iter().map(weight).sum();
        let mut at = rng.below(all);
        let picked = self
            .corpus
            .iter()
            .position(|entry| {
                let here = weight(entry);
                let found = at < here;
                at = at.saturating_sub(here);
                found
            })
            .unwrap_or(0);
        self.corpus[picked].picked += 1;
        let other = rng.below(self.corpus.len() as u64) as usize;
        let other = self.corpus[other].world.clone();
        vary(&self.corpus[picked], &other, rng)
    }

    fn learn(&mut self, world: WorldSpec, outcome: &Outcome) {
        let mut news = 0;
        for pair in &outcome.coverage {
            let times = self.seen.entry(*pair).or_default();
            news += usize::from(*times == 0);
            *times += 1;
        }
        if news > 0 {
            self.corpus.push(Entry { world, virtual_ns: outcome.virtual_ns, news, picked: 0 });
        }
    }
}

/// A world that is like one that saw something new: up to a moment the same, or with another plan.
fn vary(entry: &Entry, other: &WorldSpec, rng: &mut Rng) -> WorldSpec {
    let mut world = entry.world.clone();
    let has_plan = !world.faults.timeline.is_empty();
    let ways = if has_plan { rng.below(4) } else { 0 };
    if ways != 1 {
        // The same until a moment, then other luck.
        let at = rng.below(entry.virtual_ns);
        world.reseeds.retain(|(when, _)| *when < at);
        world.reseeds.push((at, rng.next()));
    }
    if ways != 0 {
        for _ in 0..1 + rng.below(3) {
            vary_plan(&mut world, other, rng);
        }
    }
    world
}

fn vary_plan(world: &mut WorldSpec, other: &WorldSpec, rng: &mut Rng) {
    let end = world.faults.quiet_from.or(world.until).unwrap_or(entry_end(world));
    let timeline = &mut world.faults.timeline;
    if timeline.is_empty() {
        return;
    }
    let i = rng.below(timeline.len() as u64) as usize;
    match rng.below(7) {
        0 | 1 => {
            if let When::At(at) = &mut timeline[i].when {
                let by = [10_000_000, 100_000_000, 1_000_000_000, 4_000_000_000][rng.below(4) as usize];
                *at = (*at + rng.below(2 * by)).saturating_sub(by).clamp(1_000_000, end.saturating_sub(1));
            }
        }
        2 => {
            let (num, den) = [(1, 4), (1, 2), (2, 1), (4, 1)][rng.below(4) as usize];
            let scale = |time: &mut Nanos| *time = (*time / den * num).max(1_000_000);
            timeline[i].lasts.iter_mut().for_each(scale);
            if let Fault::Host { verb: HostVerb::Kill { restart } | HostVerb::PowerLoss { restart }, .. } =
                &mut timeline[i].fault
            {
                restart.iter_mut().for_each(scale);
            }
        }
        3 => {
            let kind = timeline[i].fault.kind();
            let like: Vec<Fault> =
                timeline.iter().filter(|other| other.fault.kind() == kind).map(|other| other.fault.clone()).collect();
            timeline[i].fault = like[rng.below(like.len() as u64) as usize].clone();
            if let Fault::Partition { groups, .. } = &mut timeline[i].fault {
                let (from, to) = (rng.below(groups.len() as u64) as usize, rng.below(groups.len() as u64) as usize);
                if groups[from].len() > 1 && from != to {
                    let host = groups[from].remove(0);
                    groups[to].push(host);
                }
            }
        }
        4 if timeline.len() > 1 => {
            timeline.remove(i);
        }
        5 => {
            let mut twin = timeline[i].clone();
            if let When::At(at) = &mut twin.when {
                *at = (*at + rng.below(4_000_000_000)).saturating_sub(2_000_000_000).clamp(1_000_000, end - 1);
            }
            timeline.push(twin);
        }
        _ => {
            // The beginning of one plan and the end of another.
            let cut = rng.below(end);
            let is_before = |when: &When| matches!(when, When::At(at) if *at < cut);
            timeline.retain(|planned| is_before(&planned.when));
            timeline.extend(other.faults.timeline.iter().filter(|planned| !is_before(&planned.when)).cloned());
        }
    }
    timeline.sort_by_key(|planned| match planned.when {
        When::At(at) => at,
        When::Call { .. } => u64::MAX,
    });
}

fn entry_end(world: &WorldSpec) -> Nanos {
    world.until.unwrap_or(60_000_000_000)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, world, key, seconds, more @ ..] = &args[..] else { panic!("guided WORLD.yaml KEY SECONDS [FIRST]") };
    let (path, budget) = (PathBuf::from(world), Duration::from_secs(seconds.parse().unwrap()));
    let first: u64 = more.first().map_or(1, |text| text.parse().unwrap());
    let program = std::env::current_exe().unwrap().with_file_name("snowglobe");
    let pool = |coverage| {
        let program = program.clone();
        let setup = Setup { label: "guided".into(), world: Some(path.clone()), until: None, core: None };
        let command = move || {
            let mut command = std::process::Command::new(&program);
            command.arg("worker").env("SNOWGLOBE_COVERAGE", if coverage { "1" } else { "0" });
            command
        };
        Pool::<()>::new(1, vec![], setup, Duration::from_secs(300), Box::new(command), Box::new(|_| ()))
    };
    let mut pools = [pool(false), pool(true)];
    let fresh = |seed: u64| {
        let vars = std::env::vars().collect();
        let options =
            snowglobe_world::Options { vars, images: ".snowglobe/images".into(), seed: Some(seed), until: None };
        snowglobe_world::load(&path, &options).unwrap().spec
    };
    let (began, mut rng, mut points) = (Instant::now(), Rng(first << 32), Vec::new());
    for spell in 0.. {
        let guided = spell % 2 == 1;
        let (mut guide, mut runs, mut wall) = (Guide::default(), 0u64, Duration::ZERO);
        let cut = loop {
            if began.elapsed() >= budget {
                break true;
            }
            let since = Instant::now();
            let world = if guided { guide.next(&mut rng, fresh) } else { fresh(rng.next()) };
            let pool = &mut pools[usize::from(guided)];
            let mut job = world.clone();
            job.yield_points.extend(points.iter().cloned());
            job.yield_points.sort();
            job.yield_points.dedup();
            let job = Job { points: vec![], subject: Subject::World(Box::new(job)), learn: true, keep: false };
            pool.submit(job, ()).unwrap();
            let answer = loop {
                if let Some((_, answer)) = pool.wait(Duration::from_secs(1)).unwrap() {
                    break answer;
                }
            };
            runs += 1;
            let Answer::Ended(outcome) = answer else {
                eprintln!("{answer:?}");
                wall += since.elapsed();
                continue;
            };
            points.extend(outcome.points.iter().filter(|point| !point.file.is_empty()).cloned());
            points.sort();
            points.dedup();
            if guided {
                guide.learn(world, &outcome);
            }
            wall += since.elapsed();
            if outcome.failed() && outcome.findings.iter().any(|found| found.key.starts_with(key)) {
                break false;
            }
        };
        let way = if guided { "guided" } else { "random" };
        let (corpus, pairs) = (guide.corpus.len(), guide.seen.len());
        println!(
            r#"{{"way":"{way}","runs":{runs},"wall_s":{:.3},"cut":{cut},"corpus":{corpus},"pairs":{pairs}}}"#,
            wall.as_secs_f64()
        );
        if cut {
            return;
        }
    }
}
