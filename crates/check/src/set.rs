//! Sets: `add` puts an element in, `read` answers all of them. After Jepsen's `set-full`.
//!
//! An element is known from the end of its `add`, or of the first read that has it. It is *lost* if the last read that began after
//! that lacks it and no later one has it; *stale* if one lacks it and a later one has it; *duplicated* if a read has it twice; *unexpected*
//! if nobody asked for it, or its `add` failed; *recovered* if it is there though the outcome of its `add` was unknown.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::finding::{Finding, Kind, Outcome};
use crate::history::{End, History, Operation, short};

/// What is forbidden besides loss, duplicates and what was never added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// A read may lack an element that a later one has.
    pub stale: bool,
}

/// One element's life.
struct Element<'a> {
    add: Option<&'a Operation>,
    /// The place from which it is known to be there.
    known: u64,
    last_present: Option<&'a Operation>,
    /// The last read that began when it was known and lacks it.
    last_absent: Option<&'a Operation>,
    most: u32,
}

/// Judges sets.
pub fn judge(name: &str, history: &History, options: Options) -> Outcome {
    let mut out = Outcome::default();
    for (key, operations) in history.by_key() {
        judge_key(name, history, key, &operations, options, &mut out);
    }
    out
}

fn judge_key(name: &str, history: &History, key: &str, operations: &[&Operation], options: Options, out: &mut Outcome) {
    let whose = if key.is_empty() { format!("history {name}") } else { format!("history {name}, key {key}") };
    let mut reads: Vec<(&Operation, &Vec<Value>)> = Vec::new();
    let mut elements: Vec<(String, Element<'_>)> = Vec::new();
    let mut index: BTreeMap<String, usize> = BTreeMap::new();
    for operation in operations {
        match (&*operation.f, operation.end) {
            ("add", end) => {
                let known = if end == End::Ok { operation.ret } else { u64::MAX };
                let at = element(&operation.asked, &mut elements, &mut index);
                let element = &mut elements[at].1;
                // An element that is added again after a failure is as that one says.
                if element.add.is_none_or(|add| add.end == End::Fail || end == End::Ok) {
                    element.add = Some(operation);
                }
                element.known = element.known.min(known);
            }
            ("read", End::Ok) => match &operation.answered {
                Value::Array(list) => reads.push((operation, list)),
                Value::Null => reads.push((operation, &EMPTY)),
                _ => out.unknown.push(format!("{whose}: {}: a read of a set is a list", history.show(operation))),
            },
            ("read", _) => {}
            (other, _) => out.unknown.push(format!("{whose}: `{other}` is no operation of a set")),
        }
    }
    reads.sort_by_key(|(read, _)| read.call);
    let sets: Vec<Vec<u32>> = reads.iter().map(|(_, list)| counted(list, &mut elements, &mut index)).collect();
    for ((read, _), counts) in reads.iter().zip(&sets) {
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let element = &mut elements[at].1;
            element.known = element.known.min(read.ret);
            element.most = element.most.max(*count);
        }
    }
    for ((read, _), counts) in reads.iter().zip(&sets) {
        for (at, (_, element)) in elements.iter_mut().enumerate() {
            if counts.get(at).is_some_and(|count| *count > 0) {
                element.last_present = Some(read);
            } else if element.known < read.call {
                element.last_absent = Some(read);
            }
        }
    }
    tell(name, &whose, history, &elements, &reads, options, out);
}

static EMPTY: Vec<Value> = Vec::new();

fn element<'a>(value: &Value, elements: &mut Vec<(String, Element<'a>)>, index: &mut BTreeMap<String, usize>) -> usize {
    *index.entry(value.to_string()).or_insert_with_key(|text| {
        let new = Element { add: None, known: u64::MAX, last_present: None, last_absent: None, most: 0 };
        elements.push((text.clone(), new));
        elements.len() - 1
    })
}

/// How often each element is in a list.
fn counted(list: &[Value], elements: &mut Vec<(String, Element<'_>)>, index: &mut BTreeMap<String, usize>) -> Vec<u32> {
    let mut counts = vec![0; elements.len()];
    for value in list {
        let at = element(value, elements, index);
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        counts[at] += 1;
    }
    counts
}

fn tell(
    name: &str,
    whose: &str,
    history: &History,
    elements: &[(String, Element<'_>)],
    reads: &[(&Operation, &Vec<Value>)],
    options: Options,
    out: &mut Outcome,
) {
    let is_absent_last = |e: &Element<'_>| match (e.last_absent, e.last_present) {
        (Some(absent), Some(present)) => absent.call > present.call,
        (absent, _) => absent.is_some(),
    };
    let pick = |which: &dyn Fn(&Element<'_>) -> bool| -> Vec<usize> {
        (0..elements.len()).filter(|at| which(&elements[*at].1)).collect()
    };
    let lost = pick(&|e| is_absent_last(e));
    let stale = pick(&|e| e.last_absent.is_some() && !is_absent_last(e));
    let duplicated = pick(&|e| e.most > 1);
    let unexpected = pick(&|e| e.most > 0 && e.add.is_none_or(|add| add.end == End::Fail));
    let recovered = pick(&|e| e.most > 0 && e.add.is_some_and(|add| add.end == End::Info));
    let never_read =
        pick(&|e| e.add.is_some_and(|add| add.end == End::Ok) && e.last_present.is_none() && e.last_absent.is_none());
    let mut find = |what: &str, says: &str, list: &[usize]| {
        let Some(first) = list.first() else { return };
        let shown: Vec<&str> = list.iter().take(20).map(|at| elements[*at].0.as_str()).collect();
        let more = if list.len() > 20 { ", …" } else { "" };
        let element = &elements[*first].1;
        let mut text =
            format!("{whose}: {} of {} elements {says}: {}{more}", list.len(), elements.len(), shown.join(", "));
        text += &element.add.map_or_else(
            || format!("\n  nobody added {}", elements[*first].0),
            |add| format!("\n  {}", history.show(add)),
        );
        for (words, read) in [("is in", element.last_present), ("is missing in", element.last_absent)] {
            if let Some(read) = read {
                text += &format!("\n  {} {words} the {}", elements[*first].0, short_read(history, read));
            }
        }
        out.findings.push(Finding::new(Kind::History, format!("{name}/set/{what}"), text));
    };
    find("lost", "were acknowledged or seen, and are gone", &lost);
    find("duplicated", "are there more than once", &duplicated);
    find("unexpected", "are there though nobody added them, or adding failed", &unexpected);
    if !options.stale {
        find("stale", "were missing in a read after they were acknowledged or seen, and came back", &stale);
    }
    let adds = elements.iter().filter(|(_, e)| e.add.is_some()).count();
    let mut notes = format!("{whose}: set, {adds} elements, {} reads", reads.len());
    for (count, what) in [(recovered.len(), "recovered"), (stale.len(), "stale"), (never_read.len(), "never read")] {
        if count > 0 {
            notes += &format!(", {count} {what}");
        }
    }
    out.checked.push(notes);
    if !never_read.is_empty() {
        let n = never_read.len();
        out.unknown
            .push(format!("{whose}: {n} elements were acknowledged, and no read began after that: end with a read"));
    }
}

/// A read without its long answer.
fn short_read(history: &History, read: &Operation) -> String {
    let size = read.answered.as_array().map_or(0, Vec::len);
    let text = history.show(read);
    let place = text.rfind(" by process").unwrap_or(0);
    if size > 8 {
        format!("read of {size} elements{}", &text[place..])
    } else {
        format!("read {}", short(&read.answered)) + &text[place..]
    }
}
