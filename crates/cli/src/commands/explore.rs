//! `snowglobe explore`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use snowglobe_check::assertions::Assertion;
use snowglobe_explore::database::{Asserted, Campaign, Database, Group, Identity, Tally};
use snowglobe_explore::explorer::{End, Explored, Explorer, Live, Wanted};
use snowglobe_explore::identity;
use snowglobe_explore::job::{Fault, Setup};
use snowglobe_explore::seeds::{Shard, share};
use snowglobe_explore::stats::{self, CONFIDENCE, one_in};
use snowglobe_explore::trouble::Trouble;
use snowglobe_world::faults::record::KindRecord;
use snowglobe_world::{Problem, load, units};

use crate::args::ExploreArgs;
use crate::commands::{print, print_json};
use crate::conduct::{self, VERSION};
use crate::exit::{self, Failure, fault, status};
use crate::progress::{Status, ratio};
use crate::text::{count, many, seconds};
use crate::workers;

/// Runs it.
pub fn run(args: &ExploreArgs) -> Result<u8, Failure> {
    let key = key(&args.world, args.until)?;
    // What is wrong or may not be meant is told once and not for each seed.
    let loaded = load(&args.world, &conduct::options(Some(args.seeds.first), args.until))?;
    loaded.warnings.iter().for_each(exit::tell);
    let store = conduct::store();
    let mut database = Database::open(store.dir()).map_err(fault)?;
    let label = conduct::label(&args.world);
    let setup = Setup { label: label.clone(), world: Some(args.world.clone()), until: args.until, worker: 0 };
    let mut pool = workers::pool(args.effort.jobs, args.effort.run_limit, setup)?;
    let stop = conduct::catch_signals().map_err(fault)?;
    let now = now();
    let identity = Identity { key: &key, label: &label, world: &args.world, snowglobe: VERSION, now: &now };
    let wanted = Wanted {
        seeds: args.seeds,
        shard: args.shard,
        budget: args.effort.budget.map(Duration::from_nanos),
        until_failure: args.until_failure,
    };
    let mut status = Status::new(conduct::stderr_is_terminal());
    let mut explorer = Explorer {
        database: &mut database,
        pool: &mut pool,
        stop: &stop,
        on_tick: &mut |live| status.tell(live.elapsed, || line(live)),
        faults: Vec::new(),
        remarks: BTreeMap::new(),
    };
    let explored = explorer.explore(&identity, &store.yield_points().map_err(fault)?, wanted);
    let (faults, remarks) = (explorer.faults, explorer.remarks);
    status.finish();
    drop(pool);
    if explored.is_err() && database.campaigns_of(&key).is_ok_and(|known| !known.is_empty()) {
        eprintln!("what has run is kept: `snowglobe groups` shows it, and the same command goes on");
    }
    let Some(explored) = explored? else {
        faults.iter().take(1).for_each(|(_, fault)| exit::tell(&Trouble::from(fault).problem));
        if args.effort.json {
            let runs = json!({"all": 0, "passed": 0, "failed": 0, "unknown": 0, "nondeterministic": 0});
            print_json(&json!({"world": args.world, "runs": runs, "groups": [], "not_run": not_run(&faults)}))?;
        }
        eprintln!("no run came to its end: nothing was judged. Give the world an end with `until`, or it more time");
        return Ok(status::UNKNOWN);
    };
    store.learn(&database.points(&explored.campaign).map_err(fault)?).map_err(fault)?;
    let report = Report::of(&database, &explored.campaign, args.until).map_err(fault)?;
    if args.effort.json {
        print_json(&report.json(&explored, &faults, &remarks))?;
    } else {
        print(&report.text())?;
    }
    tell(&explored, &faults, &remarks);
    let whole = is_whole(&database, &explored, args)?;
    if !whole && report.missing().next().is_some() {
        eprintln!(
            "what no run of this shard showed another may: the shard that ends last in one folder, or `--shard 1/1`, can say"
        );
    }
    let open = !faults.is_empty() || explored.end == End::Interrupted;
    Ok(report.status(open, whole))
}

/// Whether a campaign has all runs that were asked for, or that there was time for, so that what none of them showed can be
/// held against it. A shard alone cannot: another may have shown it.
fn is_whole(database: &Database, explored: &Explored, args: &ExploreArgs) -> Result<bool, Failure> {
    if args.shard == Shard::WHOLE {
        return Ok(true);
    }
    let seeds = database.seeds(&explored.campaign)?;
    let here = seeds.iter().filter(|seed| (args.seeds.first..=args.seeds.last).contains(*seed)).count() as u64;
    Ok(here == share(args.seeds, Shard::WHOLE))
}

/// What identifies a campaign of a world file.
///
/// # Errors
/// The world file cannot be read.
pub fn key(world: &Path, until: Option<u64>) -> Result<String, Failure> {
    let base = load(world, &conduct::options(Some(0), until))?.spec;
    let text = std::fs::read(world).map_err(|e| {
        exit::usage(Problem::new(format!("cannot read {}: {e}", world.display())).help("check the path"))
    })?;
    Ok(identity::key(&text, &base, VERSION))
}

/// The time, by the machine's clock.
fn now() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    units::show_time(now.saturating_mul(1_000_000_000))
}

/// How it goes, in one line.
fn line(live: &Live) -> String {
    let now = &live.now;
    let wall = live.elapsed.as_secs_f64().max(1e-9);
    let done = live.before + now.runs();
    let of = if live.wanted < 1 << 40 { format!(" of {}", live.wanted) } else { String::new() };
    if now.runs() == 0 {
        return format!("{done}{of} seeds, the first of now runs");
    }
    let mut out = format!(
        "{done}{of} seeds, {} seeds/s, {} virtual ({} times)",
        rate(now.runs() as f64 / wall),
        seconds(now.virtual_ns),
        ratio(now.virtual_ns as f64 / 1e9 / wall),
    );
    let kinds: Vec<String> = live.kinds.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    out += &match now.failed {
        0 => ", nothing failed".to_owned(),
        n => format!(", {n} failed ({})", kinds.join(", ")),
    };
    if !live.assertions.assertions.is_empty() {
        out += &format!(", {}", verdicts(live.assertions.assertions.iter()));
    }
    if now.unknown > 0 {
        out += &format!(", {} not judged", now.unknown);
    }
    if now.differed > 0 {
        out += &format!(", {} NOT THE SAME TWICE", now.differed);
    }
    out
}

/// How many assertions have which verdict.
fn verdicts<'a>(all: impl Iterator<Item = &'a Assertion>) -> String {
    let (mut hold, mut broken, mut missing) = (0, 0, 0);
    for assertion in all {
        *match verdict(assertion) {
            "broken" => &mut broken,
            "missing" => &mut missing,
            _ => &mut hold,
        } += 1;
    }
    format!("assertions: {hold} hold, {broken} broken, {missing} not seen yet")
}

/// What all runs together make of an assertion.
fn verdict(assertion: &Assertion) -> &'static str {
    if assertion.is_broken() {
        "broken"
    } else if assertion.is_missing() {
        "missing"
    } else {
        "holds"
    }
}

fn rate(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.2}") } else { format!("{rate:.0}") }
}

/// What is known of a campaign.
pub struct Report {
    /// The campaign.
    pub campaign: Campaign,
    /// Its runs.
    pub tally: Tally,
    /// What failed, the most frequent first.
    pub groups: Vec<Group>,
    unknowns: Vec<(String, u64, u64)>,
    differing: Vec<u64>,
    assertions: Vec<Asserted>,
    faults: Vec<(KindRecord, u64)>,
    until: Option<u64>,
}

impl Report {
    /// Reads it.
    ///
    /// # Errors
    /// The table of runs cannot be read.
    pub fn of(database: &Database, campaign: &Campaign, until: Option<u64>) -> Result<Report, Trouble> {
        Ok(Report {
            campaign: campaign.clone(),
            tally: database.tally(campaign.id)?,
            groups: database.groups(campaign.id)?,
            unknowns: database.unknowns(campaign.id)?,
            differing: database.differing(campaign.id)?,
            assertions: database.assertions(campaign.id)?,
            faults: database.faults(campaign.id)?,
            until,
        })
    }

    /// Assertions that some run must make true, and none did.
    fn missing(&self) -> impl Iterator<Item = &Asserted> {
        self.assertions.iter().filter(|known| verdict(&known.assertion) == "missing")
    }

    /// Kinds of faults that were on and disturbed nothing, with in how many runs.
    fn idle(&self) -> impl Iterator<Item = &(KindRecord, u64)> {
        self.faults.iter().filter(|(kind, _)| kind.hits == 0)
    }

    /// What to exit with; `open` when there is more that nothing is known of. What no run made true counts against a campaign when it is
    /// `whole` and nothing is open.
    fn status(&self, open: bool, whole: bool) -> u8 {
        let tally = &self.tally;
        let missing = self.missing().next().is_some();
        if tally.differed > 0 {
            status::NONDETERMINISTIC
        } else if tally.failed > 0 || (missing && whole && !open) {
            status::FAILED
        } else if tally.unknown > 0 || open || missing || tally.judged() == 0 {
            status::UNKNOWN
        } else {
            status::PASSED
        }
    }

    /// For people.
    pub fn text(&self) -> String {
        let tally = &self.tally;
        let mut out = format!(
            "{}: {}, {} passed, {} failed, {} not judged; {} virtual; {} run twice{}\n",
            self.campaign.world.display(),
            many(tally.runs() as usize, "seed"),
            tally.passed,
            tally.failed,
            tally.unknown,
            seconds(tally.virtual_ns),
            tally.same + tally.differed,
            if tally.differed == 0 { ", all the same" } else { "" },
        );
        for group in &self.groups {
            out += &group_text(group);
        }
        if !self.assertions.is_empty() {
            out += &format!("\n{}\n", verdicts(self.assertions.iter().map(|known| &known.assertion)));
        }
        for known in self.missing() {
            out += &format!(
                "    in {}: {}\n",
                none_of(known.runs),
                known.assertion.finding().text.replace('\n', "\n    ")
            );
        }
        for (kind, runs) in self.idle() {
            out += &format!("\nnote: {} disturbed nothing ({})\n", kind.name(), many(*runs as usize, "run"));
        }
        for (reason, n, seed) in &self.unknowns {
            out += &format!("\nnot judged: {reason}\n    {}, first seed {seed}\n", many(*n as usize, "run"));
        }
        for seed in self.differing.iter().take(5) {
            out += &format!("\ndeterminism is broken: seed {seed} did not run the same twice\n");
            let run = conduct::run_command(&self.campaign.world, *seed, self.until);
            out += &format!("    look at it: {}\n", run.replacen("snowglobe run", "snowglobe verify", 1));
        }
        out
    }

    fn json(&self, explored: &Explored, faults: &[(u64, Fault)], remarks: &BTreeMap<String, (u64, u64)>) -> Value {
        let Live { wanted, before, now, elapsed, first_failure, .. } = &explored.live;
        let end = match explored.end {
            End::Done => "done",
            End::Failure => "failure",
            End::Budget => "budget",
            End::Interrupted => "interrupted",
        };
        let mut object = self.whole();
        object["end"] = json!(end);
        object["now"] = json!({
            "wanted": wanted,
            "before": before,
            "runs": now.runs(),
            "wall_ns": nanos(*elapsed),
            "virtual_ns": now.virtual_ns,
            "first_failure_ns": first_failure.map(nanos),
        });
        object["not_run"] = not_run(faults);
        object["remarks"] =
            remarks.iter().map(|(text, (n, seed))| json!({"text": text, "runs": n, "seed": seed})).collect();
        object
    }

    /// All of it as JSON.
    pub fn whole(&self) -> Value {
        let Tally { passed, failed, unknown, differed, same, virtual_ns, wall_ns } = self.tally;
        json!({
            "campaign": self.campaign.id,
            "world": self.campaign.world,
            "began": self.campaign.began,
            "snowglobe": self.campaign.snowglobe,
            "runs": {
                "all": self.tally.runs(), "passed": passed, "failed": failed, "unknown": unknown,
                "nondeterministic": differed, "run_again_and_same": same,
                "virtual_ns": virtual_ns, "wall_ns": wall_ns,
            },
            "groups": self.groups.iter().map(group_json).collect::<Vec<Value>>(),
            "not_judged": self.unknowns.iter().map(|(why, n, seed)| json!({"why": why, "runs": n, "seed": seed})).collect::<Vec<Value>>(),
            "nondeterministic": self.differing,
            "assertions": self.assertions.iter().map(asserted_json).collect::<Vec<Value>>(),
            "faults": self.faults.iter().map(|(of, runs)| json!({
                "kind": of.kind, "runs": runs, "planned": of.planned, "hits": of.hits, "disturbed": of.hits > 0,
            })).collect::<Vec<Value>>(),
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// So many runs, and not one.
fn none_of(runs: u64) -> String {
    if runs == 1 { "the only run".to_owned() } else { format!("none of {}", many(runs as usize, "run")) }
}

fn asserted_json(known: &Asserted) -> Value {
    let Assertion { claim, message, location, holds, fails, details } = &known.assertion;
    json!({
        "claim": claim, "message": message, "location": location, "verdict": verdict(&known.assertion),
        "runs": known.runs, "holds": holds, "fails": fails, "details": details,
        "first_seed_held": known.held, "first_seed_failed": known.failed,
    })
}

fn not_run(faults: &[(u64, Fault)]) -> Value {
    faults.iter().map(|(seed, fault)| json!({"seed": seed, "why": fault.message})).collect()
}

/// A kind of failure for people.
fn group_text(group: &Group) -> String {
    let shortest = &group.shortest;
    let mut text = shortest.text.lines();
    let mut out = format!("\ng{}  {}: {}\n", group.id, group.kind, group.key);
    let first = text.next().unwrap_or_default();
    if first != group.key {
        out += &format!("    {first}\n");
    }
    text.for_each(|line| out += &format!("    {line}\n"));
    out += &format!("    {}\n", one_in(group.hits, group.judged));
    let run = shortest.kept.as_ref().map_or_else(String::new, |run| format!(", run {run}"));
    out += &format!("    shortest: seed {}, {} virtual{run}\n", shortest.seed, seconds(shortest.virtual_ns));
    if let Some(run) = &shortest.kept {
        out += &format!("    see it again: snowglobe replay {run}\n    shrink it:    snowglobe shrink {run}\n");
    }
    out
}

fn group_json(group: &Group) -> Value {
    let found = stats::interval(group.hits, group.judged, CONFIDENCE);
    json!({
        "group": format!("g{}", group.id),
        "kind": group.kind,
        "key": group.key,
        "text": group.shortest.text,
        "hits": group.hits,
        "judged": group.judged,
        "rate": group.hits as f64 / group.judged.max(1) as f64,
        "rate_low": found.low,
        "rate_high": found.high,
        "rate_text": one_in(group.hits, group.judged),
        "shortest": {
            "seed": group.shortest.seed,
            "virtual_ns": group.shortest.virtual_ns,
            "run": group.shortest.kept,
        },
        "reproduce": group.shortest.kept.as_ref().map(|run| format!("snowglobe replay {run}")),
    })
}

/// What is not in the report: how this exploration went, on standard error.
fn tell(explored: &Explored, faults: &[(u64, Fault)], remarks: &BTreeMap<String, (u64, u64)>) {
    let Live { wanted, before, now, elapsed, first_failure, .. } = &explored.live;
    let mut line = format!("{} in {:.1} s", many(now.runs() as usize, "run"), elapsed.as_secs_f64());
    if let Some(time) = first_failure {
        line += &format!(", the first failure after {:.1} s", time.as_secs_f64());
    }
    if *before > 0 {
        line += &format!("; {} were known", count(*before));
    }
    let left = wanted.saturating_sub(before + now.runs());
    let more = if *wanted < 1 << 40 { format!("; {} not run", many(left as usize, "seed")) } else { String::new() };
    match explored.end {
        End::Done if left == 0 => {}
        End::Done => line += &more,
        End::Failure => line += "; it stopped at the first failure",
        End::Budget => line += &format!("; the time is up{more}: the same command goes on"),
        End::Interrupted => {
            let signal = conduct::interrupted().unwrap_or("a signal");
            line += &format!("; interrupted by {signal}{more}: the same command goes on");
        }
    }
    eprintln!("{line}");
    for (text, (n, seed)) in remarks {
        eprintln!("note: {text} ({}, first seed {seed})", many(*n as usize, "run"));
    }
    if let Some((seed, fault)) = faults.first() {
        eprintln!("{} could not be made, first seed {seed}: {}", many(faults.len(), "run"), fault.message);
    }
}
