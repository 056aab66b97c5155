//! `snowglobe support`.

use serde_json::json;

use crate::args::JsonArgs;
use crate::commands::{print, print_json};
use crate::engine;
use crate::exit::{self, Failure, fault};
use crate::text::table;

/// Runs it.
pub fn run(args: &JsonArgs) -> Result<u8, Failure> {
    let rows = engine::support().map_err(fault)?;
    if args.json {
        print_json(&json!({ "calls": rows }))?;
        return Ok(exit::status::PASSED);
    }
    let mut lines = vec![["NR", "CALL", "LEVEL", "NOTE"].map(str::to_owned).to_vec()];
    lines.extend(rows.into_iter().map(|row| vec![row.number.to_string(), row.name, row.level, row.note]));
    print(&table(&lines))?;
    Ok(exit::status::PASSED)
}
