//! Registers: `read`, `write` and `cas` (compare and set, its value `[old, new]`), each key by itself: a history is linearizable
//! if that of every key is (Herlihy and Wing's locality).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::finding::{Finding, Kind, Outcome};
use crate::history::{Bounds, End, History, Operation, short};
use crate::linear::{self, Answer, Model, Timed};

/// An operation with its answer; values are numbers given out by first appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// It read the value.
    Read(u32),
    /// It wrote the value.
    Write(u32),
    /// It replaced the first value by the second.
    Cas(u32, u32),
}

/// A register that holds the value 0 at the beginning.
pub struct Register;

impl Model for Register {
    type State = u32;
    type Op = Op;

    fn begin(&self) -> u32 {
        0
    }

    fn step(&self, state: &u32, op: &Op) -> Option<u32> {
        match *op {
            Op::Read(value) => (value == *state).then_some(value),
            Op::Write(value) => Some(value),
            Op::Cas(old, new) => (old == *state).then_some(new),
        }
    }

    fn is_read(&self, op: &Op) -> bool {
        matches!(op, Op::Read(_))
    }

    fn sees(&self, op: &Op, earlier: &Op) -> bool {
        let (Op::Write(left) | Op::Cas(_, left)) = *earlier else { return false };
        match *op {
            Op::Read(value) | Op::Cas(value, _) => value == left,
            Op::Write(_) => false,
        }
    }
}

/// Numbers for values.
struct Values {
    known: BTreeMap<String, u32>,
    list: Vec<Value>,
}

impl Values {
    fn number(&mut self, value: &Value) -> u32 {
        let next = self.list.len() as u32;
        *self.known.entry(value.to_string()).or_insert_with(|| {
            self.list.push(value.clone());
            next
        })
    }
}

/// Judges registers.
pub fn judge(name: &str, history: &History, initial: &Value, bounds: &Bounds) -> Outcome {
    let mut out = Outcome::default();
    let keys = history.by_key();
    let (mut wrong, mut open) = (0, 0);
    for (key, operations) in &keys {
        match judge_key(history, operations, initial, bounds) {
            Ok(None) => {}
            Ok(Some(text)) => {
                wrong += 1;
                if wrong <= 5 {
                    let whose = if key.is_empty() { String::new() } else { format!("key {key}: ") };
                    let text = format!("history {name}: {whose}{text}");
                    out.findings.push(Finding::new(Kind::History, format!("{name}/register/not-linearizable"), text));
                }
            }
            Err(why) => {
                open += 1;
                if open <= 5 {
                    out.unknown.push(format!("history {name}: key {key}: {why}"));
                }
            }
        }
    }
    let operations = history.operations.len();
    out.checked.push(format!("history {name}: register, {operations} operations on {} keys", keys.len()));
    out
}

/// What is wrong with the operations on one key.
fn judge_key(
    history: &History,
    operations: &[&Operation],
    initial: &Value,
    bounds: &Bounds,
) -> Result<Option<String>, String> {
    let mut values = Values { known: BTreeMap::new(), list: Vec::new() };
    values.number(initial);
    let mut ops: Vec<Timed<Op>> = Vec::new();
    let mut of: Vec<&Operation> = Vec::new();
    for operation in operations {
        if operation.end == End::Fail {
            continue;
        }
        let known = operation.end == End::Ok;
        let op = match &*operation.f {
            // A read without an answer says nothing.
            "read" | "r" | "get" if !known => continue,
            "read" | "r" | "get" => Op::Read(values.number(&operation.answered)),
            "write" | "w" | "put" | "set" => Op::Write(values.number(&operation.asked)),
            "cas" | "compare-and-set" => match operation.asked.as_array().map(Vec::as_slice) {
                Some([old, new]) => Op::Cas(values.number(old), values.number(new)),
                _ => return Err(format!("{}: a cas needs [old, new]", history.show(operation))),
            },
            other => return Err(format!("`{other}` is no operation of a register")),
        };
        ops.push(Timed { op, call: operation.call, ret: known.then_some(operation.ret) });
        of.push(operation);
    }
    leave_out_unseen(&mut ops, &mut of);
    match linear::check(&Register, &ops, bounds) {
        Answer::Linearizable => Ok(None),
        Answer::Unknown => Err(format!("the search of {} operations reached its bound", ops.len())),
        Answer::Not { stuck, last, state } => {
            Ok(Some(explain(history, &ops, &of, stuck, &last, &values.list[state as usize])))
        }
    }
}

/// Leaves out operations whose outcome is unknown and whose value nobody saw: they need not have happened.
fn leave_out_unseen(ops: &mut Vec<Timed<Op>>, of: &mut Vec<&Operation>) {
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    for op in ops.iter() {
        if let Op::Read(value) | Op::Cas(value, _) = op.op {
            seen.insert(value);
        }
    }
    let stays: Vec<bool> = ops
        .iter()
        .map(|op| match op.op {
            Op::Write(value) | Op::Cas(_, value) => op.ret.is_some() || seen.contains(&value),
            Op::Read(_) => true,
        })
        .collect();
    let mut keep = stays.iter();
    ops.retain(|_| *keep.next().expect("one each"));
    let mut keep = stays.iter();
    of.retain(|_| *keep.next().expect("one each"));
}

fn explain(
    history: &History,
    ops: &[Timed<Op>],
    of: &[&Operation],
    stuck: usize,
    last: &[usize],
    value: &Value,
) -> String {
    let end = ops[stuck].ret.unwrap_or(u64::MAX);
    let mut text = format!(
        "no order of the operations fits what they answered, from the end of this one on:\n  {}\nan order of those before it, as far as one goes, leaves {}; its last are:",
        history.show(of[stuck]),
        short(value),
    );
    for op in last {
        text += &format!("\n  {}", history.show(of[*op]));
    }
    let beside = |i: &usize| {
        *i != stuck && ops[*i].call < end && ops[*i].ret.is_none_or(|ret| ret > ops[stuck].call) && !last.contains(i)
    };
    let beside: Vec<usize> = (0..ops.len()).filter(beside).collect();
    if !beside.is_empty() {
        text += "\nat the same time:";
        for op in beside.iter().take(8) {
            text += &format!("\n  {}", history.show(of[*op]));
        }
        if beside.len() > 8 {
            text += &format!("\n  and {} more", beside.len() - 8);
        }
    }
    text
}
