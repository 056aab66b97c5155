//! Queues: `enqueue` puts an element in, `dequeue` takes one out (`null`, or a failure, when there is none), `drain` takes all
//! (a list). After Jepsen's `total-queue`. The order in which elements come out is not judged.
//!
//! An element is *lost* if it was acknowledged and never came out though the queue was seen empty after that, and no dequeue of unknown
//! outcome is left that may have taken it; *duplicated* if it came out more often than it was put in; *unexpected* if nobody put
//! it in, or that failed; *recovered* if it came out though the outcome of its `enqueue` was unknown.

use std::collections::BTreeMap;

use crate::finding::{Finding, Kind, Outcome};
use crate::history::{End, History, Operation};

/// What is forbidden besides loss and what was never put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// An element may come out more than once (delivery at least once).
    pub duplicates: bool,
}

#[derive(Default)]
struct Element<'a> {
    tried: usize,
    acknowledged: Vec<&'a Operation>,
    /// Attempts whose outcome is unknown.
    open: usize,
    out: Vec<&'a Operation>,
}

/// Judges queues.
pub fn judge(name: &str, history: &History, options: Options) -> Outcome {
    let mut out = Outcome::default();
    for (key, operations) in history.by_key() {
        let whose = if key.is_empty() { format!("history {name}") } else { format!("history {name}, key {key}") };
        judge_key(name, &whose, history, &operations, options, &mut out);
    }
    out
}

fn judge_key(name: &str, whose: &str, history: &History, ops: &[&Operation], options: Options, out: &mut Outcome) {
    let mut elements: BTreeMap<String, Element<'_>> = BTreeMap::new();
    // The last time that the queue was seen empty: by an operation that began there.
    let (mut empty, mut open_takes) = (None::<u64>, 0);
    for operation in ops {
        let (f, end) = (&*operation.f, operation.end);
        match f {
            "enqueue" => {
                let element = elements.entry(operation.asked.to_string()).or_default();
                element.tried += usize::from(end != End::Fail);
                element.open += usize::from(end == End::Info);
                element.acknowledged.extend((end == End::Ok).then_some(operation));
            }
            "dequeue" | "drain" if end == End::Info => open_takes += 1,
            "dequeue" if end == End::Fail => {}
            "dequeue" if operation.answered.is_null() => empty = empty.max(Some(operation.call)),
            "dequeue" => elements.entry(operation.answered.to_string()).or_default().out.push(operation),
            "drain" if end == End::Ok => {
                empty = empty.max(Some(operation.call));
                for value in operation.answered.as_array().into_iter().flatten() {
                    elements.entry(value.to_string()).or_default().out.push(operation);
                }
            }
            "drain" => {}
            other => out.unknown.push(format!("{whose}: `{other}` is no operation of a queue")),
        }
    }
    let mut find = |what: &str, says: &str, list: &[(&String, &Element<'_>)]| {
        let Some((value, element)) = list.first() else { return };
        let shown: Vec<&str> = list.iter().take(20).map(|(value, _)| value.as_str()).collect();
        let more = if list.len() > 20 { ", …" } else { "" };
        let mut text =
            format!("{whose}: {} of {} elements {says}: {}{more}", list.len(), elements.len(), shown.join(", "));
        for operation in element.acknowledged.iter().chain(&element.out).take(4) {
            text += &format!("\n  {}", history.show(operation));
        }
        if element.acknowledged.is_empty() && element.tried == 0 {
            text += &format!("\n  nobody put {value} in");
        }
        out.findings.push(Finding::new(Kind::History, format!("{name}/queue/{what}"), text));
    };
    let all = || elements.iter();
    let unexpected: Vec<_> = all().filter(|(_, e)| e.tried == 0 && !e.out.is_empty()).collect();
    find("unexpected", "came out though nobody put them in, or putting them in failed", &unexpected);
    let duplicated: Vec<_> = all().filter(|(_, e)| e.tried > 0 && e.out.len() > e.tried).collect();
    if !options.duplicates {
        find("duplicated", "came out more often than they were put in", &duplicated);
    }
    let missing: Vec<_> = all().filter(|(_, e)| e.out.len() < e.acknowledged.len()).collect();
    let (gone, kept): (Vec<_>, Vec<_>) = missing
        .into_iter()
        .partition(|(_, e)| e.acknowledged.iter().all(|op| empty.is_some_and(|empty| op.ret < empty)));
    let lost: usize = gone.iter().map(|(_, e)| e.acknowledged.len() - e.out.len()).sum();
    if lost > open_takes {
        find("lost", "were acknowledged and never came out", &gone);
    }
    let recovered = all().filter(|(_, e)| e.out.len() > e.acknowledged.len() && e.open > 0).count();
    let mut notes = format!("{whose}: queue, {} elements", elements.len());
    for (count, what) in [(recovered, "recovered"), (duplicated.len(), "duplicated")] {
        if count > 0 {
            notes += &format!(", {count} {what}");
        }
    }
    if lost > 0 && lost <= open_takes {
        notes += &format!(", {lost} may be with {open_takes} dequeues of unknown outcome");
    }
    out.checked.push(notes);
    if !kept.is_empty() {
        out.unknown.push(format!(
            "{whose}: {} elements were acknowledged and did not come out, and the queue was not seen empty after that: end with a drain",
            kept.len()
        ));
    }
}
