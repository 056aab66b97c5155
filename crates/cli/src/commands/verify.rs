//! `snowglobe verify`.

use serde_json::{Value, json};
use snowglobe_abi::spec::YieldPoint;
use snowglobe_world::Problem;
use snowglobe_world::rundir::{RunDir, RunRecord, Verdict};
use snowglobe_world::trace::{Difference, compare};

use crate::args::VerifyArgs;
use crate::commands::{print_json, run as run_command};
use crate::conduct::{self, Conduct, Finished, Keep, Plan};
use crate::exit::{self, Failure, fault};
use crate::text::{self, count, many, seconds};

/// How many runs may learn loops that spin before the comparison begins.
const MAX_LEARNING: u32 = 8;

/// Runs it.
pub fn run(args: &VerifyArgs) -> Result<u8, Failure> {
    conduct::must_repeat(args.world.layout.into(), "verified")?;
    let mut plan = conduct::plan(&args.world)?;
    // All runs read the same input: that of the first.
    let mut first = learn(&mut plan)?;
    let input = first.run.clone();
    let mut ids = vec![first.record.run.clone()];
    report(&first.record, 1, args.runs);
    if first.record.verdict == Verdict::Interrupted {
        return Ok(given_up(&first.record));
    }
    let mut number = 2;
    let mut relearned = 0;
    while number <= args.runs {
        let next = once(&plan, Some(input.clone()))?;
        if !next.record.learned.is_empty() && relearned < MAX_LEARNING {
            // It ran with more yield points than the first: both must have the same, so the first is run again.
            relearned += 1;
            add(&mut plan, &next.record.learned);
            first = once(&plan, Some(input.clone()))?;
            ids = vec![first.record.run.clone()];
            report(&first.record, 1, args.runs);
            number = 2;
            continue;
        }
        number += 1;
        ids.push(next.record.run.clone());
        report(&next.record, number - 1, args.runs);
        if next.record.verdict == Verdict::Interrupted {
            return Ok(given_up(&next.record));
        }
        if let Some(difference) = differ(&first, &next)? {
            return broken(args, &plan, &mut first, &next, &difference, &ids);
        }
    }
    let record = &first.record;
    eprintln!(
        "{} runs with seed {} are the same, to the last of {} events",
        args.runs,
        record.seed,
        count(record.events)
    );
    if args.world.json {
        print_json(&object(record, &ids, "passed", Value::Null))?;
    }
    Ok(exit::status::PASSED)
}

/// Says that there is nothing to compare.
fn given_up(record: &RunRecord) -> u8 {
    eprintln!("{}: {}; nothing was verified", record.run, record.reason);
    exit::status::UNKNOWN
}

/// The first run that learns nothing: a loop that was found to spin in the middle of a run was not known at its beginning.
fn learn(plan: &mut Plan) -> Result<Finished, Failure> {
    let mut input = None;
    for _ in 0..MAX_LEARNING {
        let finished = once(plan, input)?;
        if finished.record.learned.is_empty() || finished.record.verdict == Verdict::Interrupted {
            return Ok(finished);
        }
        eprintln!(
            "{}: learned {}; running it again with that",
            finished.record.run,
            many(finished.record.learned.len(), "spinning loop")
        );
        conduct::store().learn(&finished.record.learned).map_err(fault)?;
        add(plan, &finished.record.learned);
        input = Some(finished.run);
    }
    Err(fault(
        Problem::new(format!("{MAX_LEARNING} runs in a row found new loops that spin"))
            .help("run it again: what was learned is kept"),
    ))
}

/// Lets a plan's world give way at these loops from its beginning.
fn add(plan: &mut Plan, learned: &[YieldPoint]) {
    plan.spec.yield_points.extend(learned.iter().cloned());
    plan.spec.yield_points.sort();
    plan.spec.yield_points.dedup();
}

fn once(plan: &Plan, input: Option<RunDir>) -> Result<Finished, Failure> {
    let place = conduct::store().create(&plan.label).map_err(fault)?;
    let reproduce = run_command::replay_command(&place, false);
    let how = Conduct {
        place,
        pass_output: false,
        show_progress: true,
        input,
        compare: None,
        reproduce,
        capture: None,
        keep: Keep::Everything,
        learn: true,
    };
    let finished = conduct::carry_out(plan, how)?;
    conduct::tell_idle_faults(&finished);
    Ok(finished)
}

fn report(record: &RunRecord, number: u32, of: u32) {
    eprintln!(
        "run {number} of {of}, {}: {}, {} virtual in {} wall, {} events, digest {}",
        record.run,
        record.verdict.name(),
        seconds(record.virtual_ns),
        seconds(record.wall_ns),
        count(record.events),
        record.digest
    );
}

/// The first difference of two runs. The traces themselves are compared: digests only say that there is one.
fn differ(first: &Finished, next: &Finished) -> Result<Option<Difference>, Failure> {
    if first.record.digest == next.record.digest {
        return Ok(None);
    }
    let (left, right) = (first.run.trace().map_err(fault)?, next.run.trace().map_err(fault)?);
    let found = compare(left, right)
        .map_err(|e| fault(Problem::new(e.to_string()).help("the disk may be full or failing: run it again")))?;
    match found.difference {
        Some(difference) => Ok(Some(difference)),
        None => Err(fault(
            Problem::new("the digests differ and the traces do not")
                .help("this is a fault of snowglobe's: report it with both run directories"),
        )),
    }
}

fn broken(
    args: &VerifyArgs,
    plan: &Plan,
    first: &mut Finished,
    next: &Finished,
    difference: &Difference,
    ids: &[String],
) -> Result<u8, Failure> {
    let names: Vec<String> = plan.spec.hosts.iter().map(|host| host.name.clone()).collect();
    let told = text::difference(difference, &names, &first.record.run, &next.record.run);
    let mut record = next.record.clone();
    record.verdict = Verdict::Nondeterministic;
    record.reason = format!("event {} differs from that of {}", difference.index, first.record.run);
    record.exit_status = exit::status::NONDETERMINISTIC;
    record.reproduce = format!("snowglobe replay {}", first.record.run);
    next.run.write_record(&record).map_err(fault)?;
    if args.world.json {
        let side =
            |event: &Option<snowglobe_world::trace::Event>| event.as_ref().map(|event| text::event_line(event, &names));
        let found = json!({"event": difference.index, "left": side(&difference.left), "right": side(&difference.right), "text": told});
        print_json(&object(&record, ids, "nondeterministic", found))?;
    }
    eprint!("determinism is broken: {told}");
    run_command::tell_reproduce(&record);
    Ok(exit::status::NONDETERMINISTIC)
}

fn object(record: &RunRecord, ids: &[String], verdict: &str, difference: Value) -> Value {
    let mut object = run_command::summary(record);
    object["runs"] = json!(ids);
    object["verdict"] = json!(verdict);
    object["difference"] = difference;
    object
}
