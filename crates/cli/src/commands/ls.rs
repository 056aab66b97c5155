//! `snowglobe ls`.

use serde_json::json;

use crate::args::LsArgs;
use crate::commands::{print, print_json};
use crate::conduct;
use crate::exit::{self, Failure, fault};
use crate::text::{count, seconds, table};

/// Runs it.
pub fn run(args: &LsArgs) -> Result<u8, Failure> {
    let runs = conduct::store().list().map_err(fault)?;
    let mut records = Vec::new();
    for run in &runs {
        match run.record() {
            Ok(record) => records.push(record),
            // One damaged run does not hide the others.
            Err(problem) => exit::tell(&problem.warning()),
        }
    }
    if args.json {
        print_json(&json!({ "runs": records }))?;
        return Ok(exit::status::PASSED);
    }
    if records.is_empty() {
        eprintln!("there is no run yet: `snowglobe run WORLD.yaml` makes one");
        return Ok(exit::status::PASSED);
    }
    let head = ["RUN", "BEGAN", "VERDICT", "SEED", "VIRTUAL", "WALL", "EVENTS", "HOSTS", "DIGEST"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(records.iter().map(|record| {
        vec![
            record.run.clone(),
            record.began.clone(),
            record.verdict.name().to_owned(),
            record.seed.to_string(),
            seconds(record.virtual_ns),
            seconds(record.wall_ns),
            count(record.events),
            record.hosts.len().to_string(),
            record.digest.chars().take(12).collect(),
        ]
    }));
    print(&table(&rows))?;
    Ok(exit::status::PASSED)
}
