//! `snowglobe groups`.

use serde_json::{Value, json};
use snowglobe_explore::database::{Database, Group};
use snowglobe_world::Problem;

use crate::args::GroupsArgs;
use crate::commands::explore::Report;
use crate::commands::{print, print_json};
use crate::conduct;
use crate::exit::{Failure, fault, status, usage};

/// Runs it.
pub fn run(args: &GroupsArgs) -> Result<u8, Failure> {
    let store = conduct::store();
    let mut reports = Vec::new();
    if let Some(database) = Database::open_existing(store.dir()).map_err(fault)? {
        for campaign in database.campaigns().map_err(fault)? {
            reports.push(Report::of(&database, &campaign, None).map_err(fault)?);
        }
    }
    if args.json {
        print_json(&json!({"campaigns": reports.iter().map(Report::whole).collect::<Vec<Value>>()}))?;
    } else if reports.is_empty() {
        eprintln!("nothing was explored here: `snowglobe explore WORLD.yaml` does");
    } else {
        let texts: Vec<String> =
            reports.iter().map(|report| format!("{}  {}", report.campaign.began, report.text())).collect();
        print(&texts.join("\n"))?;
    }
    Ok(status::PASSED)
}

/// The number that a group's name has: `g3`, or `3`.
pub fn number(name: &str) -> Option<i64> {
    name.strip_prefix('g').unwrap_or(name).parse().ok()
}

/// The group that a user names.
///
/// # Errors
/// There is none, or no table of runs.
pub fn named(name: &str) -> Result<(Database, Group), Failure> {
    let none = || usage(Problem::new(format!("there is no group `{name}`")).help("`snowglobe groups` lists them"));
    let number = number(name).ok_or_else(none)?;
    let database = Database::open_existing(conduct::store().dir()).map_err(fault)?.ok_or_else(none)?;
    let group = database.group(number).map_err(fault)?.ok_or_else(none)?;
    Ok((database, group))
}
