//! Banks: `transfer` moves money between accounts, `read` answers the balances of all at one moment: an object of account and
//! balance, a list of balances, or a list of pairs. Every snapshot has the same sum.

use serde_json::Value;

use crate::finding::{Finding, Kind, Outcome};
use crate::history::{End, History, Operation};

/// What a bank promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The sum of all balances; that of most snapshots without it.
    pub total: Option<i64>,
    /// Balances below zero are allowed.
    pub negative: bool,
}

fn balances(value: &Value) -> Option<Vec<i64>> {
    match value {
        Value::Object(map) => map.values().map(Value::as_i64).collect(),
        Value::Array(list) => list
            .iter()
            .map(|item| match item {
                Value::Array(pair) if pair.len() == 2 => pair[1].as_i64(),
                item => item.as_i64(),
            })
            .collect(),
        _ => None,
    }
}

/// The sum that most snapshots have; of equals the first.
fn usual(sums: &[(i128, &Operation)]) -> Option<i128> {
    let mut counts = std::collections::BTreeMap::new();
    for (sum, _) in sums {
        *counts.entry(*sum).or_insert(0) += 1;
    }
    let most = counts.values().max().copied()?;
    sums.iter().map(|(sum, _)| *sum).find(|sum| counts[sum] == most)
}

/// Judges banks.
pub fn judge(name: &str, history: &History, options: Options) -> Outcome {
    let mut out = Outcome::default();
    for (key, operations) in history.by_key() {
        let whose = if key.is_empty() { format!("history {name}") } else { format!("history {name}, key {key}") };
        let mut sums: Vec<(i128, &Operation)> = Vec::new();
        let mut negative: Vec<&Operation> = Vec::new();
        for read in operations.iter().filter(|op| &*op.f == "read" && op.end == End::Ok) {
            match balances(&read.answered) {
                Some(list) => {
                    sums.push((list.iter().map(|balance| i128::from(*balance)).sum(), read));
                    negative.extend(list.iter().any(|balance| *balance < 0).then_some(*read));
                }
                None => out.unknown.push(format!("{whose}: {}: these are no balances", history.show(read))),
            }
        }
        let total = options.total.map(i128::from).or_else(|| usual(&sums));
        let wrong: Vec<_> = sums.iter().filter(|(sum, _)| Some(*sum) != total).collect();
        if let (Some((sum, read)), Some(total)) = (wrong.first(), total) {
            let text = format!(
                "{whose}: {} of {} snapshots do not have the sum {total}; the first has {sum}:\n  {}",
                wrong.len(),
                sums.len(),
                history.show(read)
            );
            out.findings.push(Finding::new(Kind::History, format!("{name}/bank/total"), text));
        }
        if let (Some(read), false) = (negative.first(), options.negative) {
            let text =
                format!("{whose}: {} snapshots have a balance below zero:\n  {}", negative.len(), history.show(read));
            out.findings.push(Finding::new(Kind::History, format!("{name}/bank/negative"), text));
        }
        let transfers = operations.iter().filter(|op| &*op.f == "transfer").count();
        out.checked.push(format!("{whose}: bank, {transfers} transfers, {} snapshots", sums.len()));
        if sums.is_empty() {
            out.unknown.push(format!("{whose}: no snapshot was read"));
        }
    }
    out
}
