//! `snowglobe worker`: runs worlds one after another, as an explorer asks for them.

use std::io::{BufRead, Write};

use snowglobe_abi::spec::YieldPoint;
use snowglobe_check::Finding;
use snowglobe_explore::job::{Answer, Fault, Job, Outcome, Setup, Subject};
use snowglobe_supervisor::seat::Seat;
use snowglobe_world::faults::record::by_kind;
use snowglobe_world::rundir::{BinaryRecord, Layout, RunDir, RunRecord, Verdict};
use snowglobe_world::{Problem, load};

use crate::commands::run::replay_command;
use crate::conduct::{self, Conduct, Finished, Keep, Plan};
use crate::exit::{Failure, fault, status};

/// Runs it.
pub fn run() -> Result<u8, Failure> {
    // Whoever asked for worlds has ended: nobody waits for this one.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    let mut lines = std::io::stdin().lock().lines();
    let Some(setup) = lines.next() else { return Ok(status::PASSED) };
    let setup: Setup = understood(&setup?)?;
    // The supervisor's own work is done there, too: the world waits for most of it.
    let seat = Seat::take(setup.worker);
    if let Some(seat) = &seat {
        let mut set = rustix::thread::CpuSet::new();
        set.set(seat.core);
        // A machine that does not allow it only loses time.
        let _ = rustix::thread::sched_setaffinity(None, &set);
    }
    let mut worker = Worker { setup, binaries: Vec::new() };
    let mut out = std::io::stdout().lock();
    for line in lines {
        let answer = worker.answer(understood(&line?)?);
        let mut line = serde_json::to_vec(&answer).expect("plain data can always be written");
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()?;
        if conduct::interrupted().is_some() {
            break;
        }
    }
    Ok(status::PASSED)
}

fn understood<T: serde::de::DeserializeOwned>(line: &str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|e| {
        fault(Problem::new(format!("this is no request: {e}")).help("`snowglobe explore` starts workers itself"))
    })
}

struct Worker {
    setup: Setup,
    /// What the run before executed.
    binaries: Vec<BinaryRecord>,
}

impl Worker {
    fn answer(&mut self, job: Job) -> Answer {
        let result = self.one_run(job);
        let _ = std::fs::remove_dir_all(conduct::store().scratch());
        match result {
            _ if conduct::interrupted().is_some() => Answer::Interrupted,
            Ok(outcome) => Answer::Ended(Box::new(outcome)),
            Err(failure) => Answer::Fault(as_fault(failure)),
        }
    }

    fn one_run(&mut self, job: Job) -> Result<Outcome, Failure> {
        let Job { subject, points, learn, keep, .. } = job;
        let plan = self.plan(subject, points)?;
        let store = conduct::store();
        let place = if keep {
            store.create(&plan.label)
        } else {
            let place = store.scratch().join("run");
            // What an earlier process with our number left.
            let _ = std::fs::remove_dir_all(&place);
            RunDir::create_at(&place)
        };
        let place = place.map_err(fault)?;
        let how = Conduct {
            pass_output: false,
            show_progress: false,
            // Our standard input is not the world's: it reads what a run without any has read.
            input: Some(place.clone()),
            compare: None,
            reproduce: replay_command(&place, false),
            capture: None,
            keep: if keep { Keep::Everything } else { Keep::Judgement },
            learn,
            place,
        };
        let finished = conduct::carry_out(&plan, how)?;
        Ok(self.outcome(plan, finished, keep))
    }

    /// What is to be run.
    fn plan(&self, subject: Subject, points: Vec<YieldPoint>) -> Result<Plan, Failure> {
        let world = self.setup.world.clone();
        let mut spec = match subject {
            Subject::World(spec) => *spec,
            Subject::Seed(seed) => {
                let path = world.as_deref().ok_or_else(|| fault(Problem::new("there is no world file for a seed")))?;
                load(path, &conduct::options(Some(seed), self.setup.until))?.spec
            }
        };
        spec.yield_points.extend(points);
        spec.yield_points.sort();
        spec.yield_points.dedup();
        let command = match &world {
            Some(path) => conduct::run_command(path, spec.seed, self.setup.until),
            None => String::new(),
        };
        Ok(Plan { spec, label: self.setup.label.clone(), world, layout: Layout::Layer, command })
    }

    fn outcome(&mut self, plan: Plan, finished: Finished, keep: bool) -> Outcome {
        let record = finished.record;
        let mut points = plan.spec.yield_points;
        points.extend(record.learned.iter().cloned());
        points.sort();
        let findings = findings(&record);
        let is_judged = !record.checks.checked.is_empty() || !record.checks.unknown.is_empty();
        let remarks = if is_judged { Vec::new() } else { vec!["nothing was checked".to_owned()] };
        let binaries = (record.binaries != self.binaries).then(|| record.binaries.clone());
        self.binaries = record.binaries;
        Outcome {
            seed: record.seed,
            verdict: record.verdict,
            reason: record.reason,
            findings,
            digest: record.digest,
            virtual_ns: record.virtual_ns,
            wall_ns: record.wall_ns,
            events: record.events,
            calls: record.calls,
            points,
            run: keep.then_some(record.run),
            binaries,
            assertions: finished.assertions,
            faults: by_kind(&finished.faults),
            remarks,
        }
    }
}

/// What failed in a run.
pub fn findings(record: &RunRecord) -> Vec<Finding> {
    if record.verdict != Verdict::Failed {
        return Vec::new();
    }
    record.checks.findings.clone()
}

/// Why a run could not be made, for whoever asked for it.
fn as_fault(failure: Failure) -> Fault {
    let usage = matches!(failure, Failure::Usage(_));
    let problem = match failure {
        Failure::Usage(problems) => problems.into_iter().next(),
        Failure::Fault(problem) => Some(problem),
        Failure::Unheard => None,
    };
    Fault {
        message: problem.as_ref().map_or_else(|| "the run could not be made".to_owned(), ToString::to_string),
        help: problem.as_ref().and_then(|problem| problem.advice()).map(str::to_owned),
        usage,
        endless: false,
    }
}
