//! `snowglobe show`.

use serde_json::json;
use snowglobe_explore::database::Database;
use snowglobe_world::faults::record::FaultRecord;
use snowglobe_world::rundir::{Layout, RunDir, RunRecord, Verdict, changed_binaries};

use crate::args::ShowArgs;
use crate::commands::{print, print_json};
use crate::conduct;
use crate::exit::{self, Failure, usage};
use crate::text::{count, loop_place, seconds, table};

/// Runs it.
pub fn run(args: &ShowArgs) -> Result<u8, Failure> {
    let run = conduct::store().open(&args.run).map_err(usage)?;
    let record = run.record().map_err(usage)?;
    let faults = run.faults().map_err(usage)?;
    if args.json {
        let mut record = json!(record);
        record["faults"] = json!(faults);
        print_json(&record)?;
    } else {
        print(&render(&run, &record, groups(&record), &faults))?;
    }
    Ok(exit::status::PASSED)
}

/// The groups of failures that an exploration here put the run into, as rows.
fn groups(record: &RunRecord) -> Vec<Vec<String>> {
    // A table of runs that cannot be read is told by those who are asked for it.
    let database = Database::open_existing(conduct::store().dir()).ok().flatten();
    let found = database.and_then(|database| database.groups_of_run(&record.run).ok()).unwrap_or_default();
    found.into_iter().map(|(id, finding)| vec![format!("g{id}"), finding.kind.to_string(), finding.key]).collect()
}

/// A fault as a row: when, what, whom, what it hit, and where it comes from.
fn fault_row(fault: &FaultRecord) -> Vec<String> {
    let when = match (fault.begin_ns, fault.end_ns) {
        (None, _) => "never".to_owned(),
        (Some(begin), None) => format!("{} on", seconds(begin)),
        (Some(begin), Some(end)) => format!("{} to {}", seconds(begin), seconds(end)),
    };
    let hits = if fault.disturbed { format!("{} hits", count(fault.hits)) } else { "disturbed nothing".to_owned() };
    vec![fault.index.to_string(), when, fault.kind.clone(), fault.whom.clone(), hits, fault.cause.clone()]
}

fn render(run: &RunDir, record: &RunRecord, groups: Vec<Vec<String>>, faults: &[FaultRecord]) -> String {
    let mut head = vec![
        ("run", record.run.clone()),
        ("verdict", format!("{}: {}", record.verdict.name(), record.reason)),
        ("command", record.command.clone()),
        ("reproduce", record.reproduce.clone()),
        ("began", record.began.clone()),
        ("seed", record.seed.to_string()),
        ("digest", record.digest.clone()),
        ("virtual time", seconds(record.virtual_ns)),
        ("wall time", seconds(record.wall_ns)),
        ("events", count(record.events)),
        ("calls", count(record.calls)),
        ("snowglobe", record.snowglobe.clone()),
        ("directory", run.path.display().to_string()),
    ];
    if record.layout == Layout::Traditional {
        head.retain(|(name, _)| !["seed", "digest", "virtual time", "calls"].contains(name));
        head.push(("layout", "traditional: real time, and nothing to repeat".to_owned()));
    }
    if record.verdict == Verdict::Running {
        head.insert(2, ("note", "the trace holds what it has done so far".to_owned()));
    }
    let mut out = table(&head.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect::<Vec<_>>());
    let mut section = |title: &str, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            out += &format!("\n{title}\n");
            for line in table(&rows).lines() {
                out += &format!("  {line}\n");
            }
        }
    };
    section("groups of failures, see `snowglobe groups`", groups);
    section("hosts", record.hosts.iter().map(|host| vec![host.name.clone(), host.addresses.join(" ")]).collect());
    let status =
        |status: Option<u32>| status.map_or_else(|| "still ran".to_owned(), |status| format!("status {status}"));
    section(
        "processes",
        record
            .processes
            .iter()
            .map(|p| {
                let check = if p.check { "check" } else { "" };
                vec![p.host.clone(), p.pid.to_string(), p.name.clone(), status(p.exit_status), check.to_owned()]
            })
            .collect(),
    );
    section("faults", faults.iter().map(fault_row).collect());
    section(
        "calls that are not supported",
        record
            .unsupported
            .iter()
            .map(|call| vec![call.call.clone(), format!("{} times", call.count), call.first.clone()])
            .collect(),
    );
    section("loops that were found to spin", record.learned.iter().map(|point| vec![loop_place(point)]).collect());
    let changed = changed_binaries(&record.binaries);
    section(
        "programs",
        record
            .binaries
            .iter()
            .map(|binary| {
                let hash = binary.blake3.as_deref().map_or("made in the world", |hash| &hash[..hash.len().min(16)]);
                let note = if changed.contains(&binary) { "changed since" } else { "" };
                vec![binary.host.clone(), binary.path.clone(), hash.to_owned(), note.to_owned()]
            })
            .collect(),
    );
    out
}
