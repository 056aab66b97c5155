//! `snowglobe run`.

use serde_json::{Value, json};
use snowglobe_world::rundir::{Layout, RunDir, RunRecord, Verdict};

use crate::args::RunArgs;
use crate::commands::print_json;
use crate::conduct::{self, Conduct, Finished, Keep};
use crate::exit::{Failure, fault, usage};
use crate::text::{count, loop_place, many, seconds};

/// Runs it.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    let plan = conduct::plan(&args.world)?;
    let place = match &args.out {
        Some(dir) => RunDir::create_at(dir).map_err(usage)?,
        None => conduct::store().create(&plan.label).map_err(fault)?,
    };
    let is_program = plan.spec.knobs.one_program;
    let reproduce = replay_command(&place, args.out.is_some());
    let how = Conduct {
        pass_output: !args.world.json,
        show_progress: !is_program,
        input: None,
        compare: None,
        reproduce,
        capture: None,
        keep: Keep::Everything,
        learn: true,
        place,
    };
    let finished = conduct::carry_out(&plan, how)?;
    conduct::tell_idle_faults(&finished);
    conduct::store().learn(&finished.record.learned).map_err(fault)?;
    if args.world.json {
        print_json(&summary(&finished.record))?;
    }
    // One program behaves as it does without us: we speak up only when there is something to say.
    let ended_oddly = matches!(finished.record.verdict, Verdict::Unknown | Verdict::Interrupted);
    if !is_program || ended_oddly || !finished.record.unsupported.is_empty() {
        tell(&finished);
    } else if finished.record.verdict != Verdict::Passed {
        tell_reproduce(&finished.record);
    }
    Ok(finished.record.exit_status)
}

/// The command that repeats a run exactly.
pub fn replay_command(run: &RunDir, by_path: bool) -> String {
    if by_path { format!("snowglobe replay {}", run.path.display()) } else { format!("snowglobe replay {}", run.id) }
}

/// The object that `--json` prints.
pub fn summary(record: &RunRecord) -> Value {
    json!({
        "run": record.run,
        "seed": record.seed,
        "digest": (record.layout == Layout::Layer).then_some(&record.digest),
        "virtual_ns": record.virtual_ns,
        "wall_ns": record.wall_ns,
        "events": record.events,
        "calls": record.calls,
        "hosts": record.hosts,
        "processes": record.processes,
        "unsupported": record.unsupported,
        "learned": record.learned,
        "checked": record.checks.checked,
        "findings": record.checks.findings,
        "unknown": record.checks.unknown,
        "verdict": record.verdict,
        "reason": record.reason,
        "reproduce": record.reproduce,
        "snowglobe": record.snowglobe,
    })
}

/// Tells the operator how a run ended, on standard error.
pub fn tell(finished: &Finished) {
    let record = &finished.record;
    let what = format!("{}: {} ({})", record.run, record.verdict.name(), record.reason);
    match record.layout {
        Layout::Layer => {
            eprintln!(
                "{what}; seed {}, {} virtual in {} wall, {} events, {} calls",
                record.seed,
                seconds(record.virtual_ns),
                seconds(record.wall_ns),
                count(record.events),
                count(record.calls)
            );
            eprintln!("digest {}", record.digest);
        }
        Layout::Traditional => eprintln!("{what}; traditional layout, {} wall", seconds(record.wall_ns)),
    }
    for finding in &record.checks.findings {
        eprintln!("FAILED {}", finding.text);
    }
    for why in &record.checks.unknown {
        eprintln!("unknown: {why}");
    }
    for call in &record.unsupported {
        eprintln!("not supported: {} ({} times, first {})", call.call, call.count, call.first);
    }
    if !record.learned.is_empty() {
        eprintln!(
            "learned {}: runs from now on give way there from the start",
            many(record.learned.len(), "spinning loop")
        );
        for point in &record.learned {
            eprintln!("  {}", loop_place(point));
        }
    }
    if record.verdict != Verdict::Passed {
        tell_reproduce(record);
    }
}

/// The last line of a run that did not pass.
pub fn tell_reproduce(record: &RunRecord) {
    eprintln!("reproduce it with: {}", record.reproduce);
}
