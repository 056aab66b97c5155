//! Monotonic reads: what a `read` answers never goes back, for one process, or for all in the order of time. Values are numbers:
//! revisions, offsets, counters that only grow.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::finding::{Finding, Kind, Outcome};
use crate::history::{End, History, Operation};

/// Whose reads are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those of one process.
    #[default]
    Process,
    /// Those of all: a read that begins after another has ended answers no less.
    Global,
}

fn number(value: &Value) -> Option<i128> {
    match value {
        Value::Number(n) => n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Judges reads.
pub fn judge(name: &str, history: &History, scope: Scope) -> Outcome {
    let mut out = Outcome::default();
    let mut wrong: Vec<(&Operation, &Operation)> = Vec::new();
    let mut count = 0;
    for (key, operations) in history.by_key() {
        let mut reads: Vec<(&Operation, i128)> = Vec::new();
        for operation in operations.iter().filter(|op| &*op.f == "read" && op.end == End::Ok) {
            match number(&operation.answered) {
                Some(value) => reads.push((operation, value)),
                // Nothing was there yet.
                None if operation.answered.is_null() => {}
                None => out.unknown.push(format!(
                    "history {name}: key {key}: {}: values that grow are numbers",
                    history.show(operation)
                )),
            }
        }
        count += reads.len();
        match scope {
            Scope::Global => going_back(&reads, &mut wrong),
            Scope::Process => {
                let mut by_process: BTreeMap<u32, Vec<(&Operation, i128)>> = BTreeMap::new();
                for read in reads {
                    by_process.entry(read.0.process).or_default().push(read);
                }
                by_process.values().for_each(|reads| going_back(reads, &mut wrong));
            }
        }
    }
    if let Some((before, after)) = wrong.first() {
        let text = format!(
            "history {name}: {} of {count} reads went back; the first after\n  {}\nis\n  {}",
            wrong.len(),
            history.show(before),
            history.show(after)
        );
        out.findings.push(Finding::new(Kind::History, format!("{name}/monotonic/went-back"), text));
    }
    out.checked.push(format!("history {name}: monotonic, {count} reads"));
    out
}

/// Reads that answer less than one that had ended before they began, each with such a one.
fn going_back<'a>(reads: &[(&'a Operation, i128)], wrong: &mut Vec<(&'a Operation, &'a Operation)>) {
    let mut by_end: Vec<&(&Operation, i128)> = reads.iter().collect();
    by_end.sort_by_key(|(read, _)| read.ret);
    let mut ended = by_end.into_iter().peekable();
    let mut highest: Option<&(&Operation, i128)> = None;
    for (read, value) in reads {
        while let Some(before) = ended.next_if(|(before, _)| before.ret < read.call) {
            if highest.is_none_or(|(_, high)| before.1 > *high) {
                highest = Some(before);
            }
        }
        if let Some((before, high)) = highest
            && high > value
        {
            wrong.push((before, read));
        }
    }
}
