//! `snowglobe shrink`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use snowglobe_abi::spec::WorldSpec;
use snowglobe_check::Finding;
use snowglobe_explore::database::Group;
use snowglobe_explore::job::{Answer, Job, Outcome, Setup, Subject};
use snowglobe_explore::pool::Pool;
use snowglobe_explore::shrink::{Bounds, Failing, Runs, shrink};
use snowglobe_explore::{explorer, timeline};
use snowglobe_world::Problem;
use snowglobe_world::rundir::{RunDir, RunRecord};

use crate::args::ShrinkArgs;
use crate::commands::run::replay_command;
use crate::commands::{groups, print, print_json};
use crate::conduct;
use crate::exit::{Failure, fault, status, usage};
use crate::progress::Status;
use crate::text::{many, seconds};
use crate::workers;

/// Runs it.
pub fn run(args: &ShrinkArgs) -> Result<u8, Failure> {
    let (recorded, group) = recorded(&args.run)?;
    let record = recorded.record().map_err(usage)?;
    conduct::must_repeat(record.layout, "shrunk")?;
    let world = recorded.world().map_err(usage)?;
    let stop = conduct::catch_signals().map_err(fault)?;
    // What fails now is what is looked for, by the checks of now.
    let Some(first) = ask(&record, &world, false)? else { return Ok(status::UNKNOWN) };
    if let Some(status) = is_no_start(&record, &first) {
        return Ok(status);
    }
    let wanted = wanted(&first, group.as_ref()).ok_or_else(|| {
        let problem = Problem::new(format!("{} does not fail like {} any more", record.run, args.run));
        usage(problem.help(format!("`snowglobe shrink {}` looks for what fails in it now", record.run)))
    })?;
    announce(&wanted);
    let start = Failing {
        index: 0,
        world: WorldSpec { yield_points: first.points.clone(), ..world.clone() },
        virtual_ns: first.virtual_ns,
    };
    let (began, mut status_line) = (Instant::now(), Status::new(conduct::stderr_is_terminal()));
    let mut pool = workers::pool(args.effort.jobs, args.effort.run_limit, setup(&record))?;
    let mut on_run = |step: &'static str, runs: u64, best: &WorldSpec| {
        status_line.tell(began.elapsed(), || format!("{runs} runs, {step}: {}", size(best)));
    };
    let bounds = Bounds { budget: args.effort.budget.map(Duration::from_nanos), tries: args.tries };
    let mut oracle = Runs::new(&mut pool, &stop, &start.world, wanted.clone(), bounds, &mut on_run);
    let least = shrink(start, &mut oracle);
    let (runs, spent) = (oracle.runs, oracle.spent);
    status_line.finish();
    drop(pool);
    let least = least.map_err(fault)?;
    if let Some(signal) = conduct::interrupted() {
        eprintln!("interrupted by {signal} after {}: {}", many(runs as usize, "run"), size(&least.world));
        match &args.out {
            Some(out) => {
                write_least(out, &least.world)?;
                eprintln!("the least world so far is in {}", out.display());
            }
            None => {
                eprintln!("nothing is written: `--out FILE` keeps the least world so far, and `--budget` ends in order")
            }
        }
        return Ok(status::UNKNOWN);
    }
    // The last word is a run with its whole trace.
    let Some(last) = ask(&record, &least.world, true)? else { return Ok(status::UNKNOWN) };
    if !last.findings.iter().any(|found| wanted.iter().any(|wanted| wanted.is_like(found))) {
        eprintln!("determinism is broken: the least world failed, and did not when it was run again");
        return Ok(status::NONDETERMINISTIC);
    }
    let run = last.run.as_deref().and_then(|run| conduct::store().open(run).ok());
    let run = run.ok_or_else(|| fault(Problem::new("the least run was not kept").help("look at the disk")))?;
    let file = write_world(args, &run)?;
    let told = Told { from: &world, first: &first, least: &least.world, last: &last, run: &run, file, runs, spent };
    if args.effort.json {
        print_json(&told.json(&record))?;
    } else {
        print(&told.text())?;
        eprintln!("{} in {:.1} s", many(runs as usize, "run"), began.elapsed().as_secs_f64());
    }
    Ok(status::PASSED)
}

/// What must go on failing: the group that the user named, or any of what fails in the run.
fn wanted(first: &Outcome, group: Option<&Group>) -> Option<Vec<Finding>> {
    let Some(group) = group else { return Some(first.findings.clone()) };
    let named = Finding::new(group.kind, &group.key, &group.shortest.text);
    first.findings.iter().any(|found| found.is_like(&named)).then(|| vec![named])
}

fn announce(wanted: &[Finding]) {
    for (i, finding) in wanted.iter().enumerate() {
        let or = if i > 0 { "or with" } else { "looking for the least world with" };
        eprintln!("{or}: {}: {}", finding.kind, finding.key);
    }
    if wanted.len() > 1 {
        eprintln!("`snowglobe groups` names each: a group such as g1 in the place of the run looks for that alone");
    }
}

/// Writes a world that no run was kept of.
fn write_least(out: &Path, world: &WorldSpec) -> Result<(), Failure> {
    std::fs::write(out, snowglobe_world::resolved::to_yaml(world)).map_err(|e| {
        fault(Problem::new(format!("cannot write {}: {e}", out.display())).help("choose another file with `--out`"))
    })
}

/// The run that a user names: as elsewhere, or by its group.
fn recorded(name: &str) -> Result<(RunDir, Option<Group>), Failure> {
    if !name.starts_with('g') || groups::number(name).is_none() {
        return Ok((conduct::store().open(name).map_err(usage)?, None));
    }
    let (_, group) = groups::named(name)?;
    let run = group.shortest.kept.clone().ok_or_else(|| {
        usage(Problem::new(format!("no run of {name} is kept")).help("name a run of `snowglobe ls` instead"))
    })?;
    Ok((conduct::store().open(&run).map_err(usage)?, Some(group)))
}

fn setup(record: &RunRecord) -> Setup {
    let label = record.run.split_once('-').map_or(record.run.as_str(), |(_, label)| label);
    let label = label.strip_suffix("-least").unwrap_or(label);
    Setup { label: format!("{label}-least"), world: record.world.clone(), until: None, worker: 0 }
}

/// Runs one world; nothing when it was interrupted.
fn ask(record: &RunRecord, world: &WorldSpec, keep: bool) -> Result<Option<Outcome>, Failure> {
    let mut pool: Pool<()> = workers::pool(Some(1), u64::MAX, setup(record))?;
    let job = Job { subject: Subject::World(Box::new(world.clone())), points: Vec::new(), learn: !keep, keep };
    pool.submit(job, ()).map_err(explorer::no_worker).map_err(fault)?;
    loop {
        if conduct::interrupted().is_some() {
            pool.interrupt();
        }
        match pool.wait(Duration::from_millis(100)).map_err(explorer::no_worker).map_err(fault)? {
            None => {}
            Some(((), Answer::Ended(outcome))) => return Ok(Some(*outcome)),
            Some(((), Answer::Interrupted)) => return Ok(None),
            Some(((), Answer::Fault(problem))) => return Err(fault(&problem)),
        }
    }
}

/// Why there is nothing to shrink.
fn is_no_start(record: &RunRecord, first: &Outcome) -> Option<u8> {
    if first.failed() {
        return None;
    }
    let run = &record.run;
    match record.verdict {
        snowglobe_world::rundir::Verdict::Failed => {
            eprintln!("{run} failed and does not now ({}): a file that it runs or reads has changed", first.reason);
            Some(status::NONDETERMINISTIC)
        }
        _ => {
            eprintln!("{run} did not fail ({}): there is nothing to shrink", first.reason);
            Some(status::USAGE)
        }
    }
}

/// Writes the world for people to keep.
fn write_world(args: &ShrinkArgs, run: &RunDir) -> Result<PathBuf, Failure> {
    let Some(out) = &args.out else { return Ok(run.world_path()) };
    std::fs::copy(run.world_path(), out).map_err(|e| {
        fault(
            Problem::new(format!("cannot write {}: {e}", out.display()))
                .help(format!("the world is in {} all the same", run.world_path().display())),
        )
    })?;
    Ok(out.clone())
}

/// What is in a world that can be taken out of it.
fn size(world: &WorldSpec) -> String {
    let mut out = format!("{}, {}", many(world.hosts.len(), "host"), many(world.faults.timeline.len(), "fault"));
    if let Some(until) = world.until {
        out += &format!(", {}", seconds(until));
    }
    out
}

struct Told<'a> {
    from: &'a WorldSpec,
    first: &'a Outcome,
    least: &'a WorldSpec,
    last: &'a Outcome,
    run: &'a RunDir,
    file: PathBuf,
    runs: u64,
    spent: bool,
}

impl Told<'_> {
    /// For people.
    fn text(&self) -> String {
        let (before, after) = (self.first, self.last);
        let mut out = format!(
            "from {} ({} virtual, {} events)\nto   {} ({} virtual, {} events)\n",
            size(self.from),
            seconds(before.virtual_ns),
            before.events,
            size(self.least),
            seconds(after.virtual_ns),
            after.events,
        );
        if self.spent {
            out += "the time was up: there may be less\n";
        }
        for line in timeline::lines(self.least) {
            out += &format!("    {line}\n");
        }
        let calm = self.least.networks.iter().all(|network| network.is_plain());
        let hosts: Vec<&str> = self.least.hosts.iter().map(|host| host.name.as_str()).collect();
        out += &format!("    hosts {}{}\n", hosts.join(", "), if calm { "; calm networks" } else { "" });
        for finding in &after.findings {
            out += &format!("{}: {}\n", finding.kind, finding.text);
        }
        let file = conduct::shell_words_quote(&self.file.display().to_string());
        out += &format!("see it again: {}\nrun it anew:  snowglobe run {file}\n", replay_command(self.run, false));
        out
    }

    fn json(&self, record: &RunRecord) -> Value {
        json!({
            "shrunk": record.run,
            "run": self.run.id,
            "world": self.file,
            "seed": self.least.seed,
            "runs": self.runs,
            "budget_spent": self.spent,
            "findings": self.last.findings,
            "timeline": timeline::lines(self.least),
            "hosts": self.least.hosts.iter().map(|host| &host.name).collect::<Vec<_>>(),
            "before": {"faults": self.from.faults.timeline.len(), "hosts": self.from.hosts.len(), "virtual_ns": self.first.virtual_ns, "events": self.first.events},
            "after": {"faults": self.least.faults.timeline.len(), "hosts": self.least.hosts.len(), "virtual_ns": self.last.virtual_ns, "events": self.last.events},
            "reproduce": replay_command(self.run, false),
        })
    }
}
