//! `snowglobe replay`.

use serde_json::json;
use snowglobe_world::rundir::{RunRecord, Verdict, changed_binaries};
use snowglobe_world::trace::StreamCheck;

use crate::args::ReplayArgs;
use crate::changed;
use crate::commands::{print_json, run as run_command};
use crate::conduct::{self, Conduct, Keep, Plan, VERSION};
use crate::exit::{self, Failure, fault, usage};
use crate::text;

/// Runs it.
pub fn run(args: &ReplayArgs) -> Result<u8, Failure> {
    let recorded = conduct::store().open(&args.run).map_err(usage)?;
    let record = recorded.record().map_err(usage)?;
    conduct::must_repeat(record.layout, "replayed")?;
    let spec = recorded.world().map_err(usage)?;
    for note in notes(&record) {
        eprintln!("note: {note}");
    }
    let names: Vec<String> = spec.hosts.iter().map(|host| host.name.clone()).collect();
    let label = record.run.split_once('-').map_or(record.run.as_str(), |(_, label)| label).to_owned();
    let plan =
        Plan { spec, label, world: record.world.clone(), layout: record.layout, command: record.command.clone() };
    let check = StreamCheck::new(recorded.trace().map_err(usage)?);
    let place = conduct::store().create(&plan.label).map_err(fault)?;
    let how = Conduct {
        place,
        pass_output: !args.json,
        show_progress: !plan.spec.knobs.one_program,
        // A run without a kept input had none.
        input: Some(recorded.clone()),
        compare: Some(if is_whole(&record) { check } else { check.unfinished() }),
        // Not the name that was written: `latest` means this run from now on.
        reproduce: run_command::replay_command(&recorded, args.run.contains('/')),
        capture: None,
        keep: Keep::Everything,
        learn: true,
    };
    let finished = conduct::carry_out(&plan, how)?;
    conduct::tell_idle_faults(&finished);
    let same = finished.difference.is_none() && finished.record.digest == record.digest;
    if args.json {
        let mut object = run_command::summary(&finished.record);
        object["replay_of"] = json!(record.run);
        object["same"] = json!(same);
        object["difference"] = match &finished.difference {
            None => json!(null),
            Some(difference) => {
                json!({"event": difference.index, "text": text::difference(difference, &names, &record.run, &finished.record.run)})
            }
        };
        print_json(&object)?;
    }
    if let Some(difference) = &finished.difference {
        eprint!(
            "{}",
            text::difference(
                difference,
                &names,
                &format!("recorded, {}", record.run),
                &format!("now, {}", finished.record.run)
            )
        );
        for path in changed::since(&recorded, &plan.spec, difference.index) {
            eprintln!("this may be why: {} has changed since the run was recorded", path.display());
        }
    }
    run_command::tell(&finished);
    if finished.difference.is_none() && (conduct::interrupted().is_some() || !is_whole(&record)) {
        Ok(finished.record.exit_status)
    } else if same {
        eprintln!("the same as {}, to the last of {} events", record.run, finished.record.events);
        Ok(finished.record.exit_status)
    } else {
        Ok(exit::status::NONDETERMINISTIC)
    }
}

/// Whether the recorded run came to an end of its own.
pub fn is_whole(record: &RunRecord) -> bool {
    !record.digest.is_empty() && !matches!(record.verdict, Verdict::Interrupted | Verdict::Nondeterministic)
}

/// What may make the run differ from the record.
fn notes(record: &RunRecord) -> Vec<String> {
    let mut out = Vec::new();
    if record.snowglobe != VERSION {
        out.push(format!("it was recorded by snowglobe {}, and this is {VERSION}", record.snowglobe));
    }
    for binary in changed_binaries(&record.binaries) {
        let path = binary.machine_path.as_deref().unwrap_or(binary.path.as_ref());
        out.push(format!("{} is not the file that was recorded (on host {})", path.display(), binary.host));
    }
    if !is_whole(record) {
        out.push("the recorded run did not end: only what it left can be compared".to_owned());
    }
    if !record.learned.is_empty() {
        out.push("the recorded run learned loops that spin while it ran: it may differ from there on".to_owned());
    }
    out
}
