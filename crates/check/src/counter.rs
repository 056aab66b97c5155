//! Counters: `add` (or `inc`, `dec`) changes a number, `read` answers it. After Jepsen's `counter`: what a read answers lies between
//! what it had to see and what it may have seen.

use crate::finding::{Finding, Kind, Outcome};
use crate::history::{End, History, Operation};

/// Sums of what was added by a place.
struct Sums(Vec<(u64, i128)>);

impl Sums {
    fn new(mut list: Vec<(u64, i128)>) -> Sums {
        list.sort_unstable();
        let mut sum = 0;
        for (_, by) in &mut list {
            sum += *by;
            *by = sum;
        }
        Sums(list)
    }

    /// What came before a place.
    fn before(&self, place: u64) -> i128 {
        match self.0.partition_point(|(at, _)| *at < place) {
            0 => 0,
            n => self.0[n - 1].1,
        }
    }
}

/// Judges counters.
pub fn judge(name: &str, history: &History, initial: i128) -> Outcome {
    let mut out = Outcome::default();
    for (key, operations) in history.by_key() {
        let whose = if key.is_empty() { format!("history {name}") } else { format!("history {name}, key {key}") };
        judge_key(name, &whose, history, &operations, initial, &mut out);
    }
    out
}

fn judge_key(name: &str, whose: &str, history: &History, ops: &[&Operation], initial: i128, out: &mut Outcome) {
    // What must be seen by what begins later, and what may be seen by what ends later; upwards and downwards.
    let (mut must_up, mut may_up, mut must_down, mut may_down) = (vec![], vec![], vec![], vec![]);
    let (mut reads, mut adds) = (Vec::new(), 0);
    for operation in ops {
        let sign = match &*operation.f {
            "add" | "inc" | "increment" => 1,
            "dec" | "decrement" => -1,
            "read" => {
                reads.extend((operation.end == End::Ok).then_some(*operation));
                continue;
            }
            other => {
                out.unknown.push(format!("{whose}: `{other}` is no operation of a counter"));
                continue;
            }
        };
        let by = if operation.asked.is_null() { Some(1) } else { operation.asked.as_i64() };
        let Some(by) = by.map(|by| i128::from(by) * sign) else {
            out.unknown.push(format!("{whose}: {}: a whole number is added", history.show(operation)));
            continue;
        };
        adds += 1;
        let (must, may) = if by >= 0 { (&mut must_up, &mut may_up) } else { (&mut must_down, &mut may_down) };
        must.extend((operation.end == End::Ok).then_some((operation.ret, by)));
        may.extend((operation.end != End::Fail).then_some((operation.call, by)));
    }
    let [must_up, may_up, must_down, may_down] = [must_up, may_up, must_down, may_down].map(Sums::new);
    let mut wrong = Vec::new();
    for read in &reads {
        let Some(value) = read.answered.as_i64().map(i128::from) else {
            out.unknown.push(format!("{whose}: {}: a counter is a whole number", history.show(read)));
            continue;
        };
        let low = initial + must_up.before(read.call) + may_down.before(read.ret);
        let high = initial + may_up.before(read.ret) + must_down.before(read.call);
        if value < low || value > high {
            wrong.push((read, low, high, value));
        }
    }
    for (what, list) in [
        ("too-low", wrong.iter().filter(|w| w.3 < w.1).collect::<Vec<_>>()),
        ("too-high", wrong.iter().filter(|w| w.3 > w.2).collect()),
    ] {
        let Some((read, low, high, _)) = list.first() else { continue };
        let text = format!(
            "{whose}: {} of {} reads are {}: the first should be from {low} to {high}:\n  {}",
            list.len(),
            reads.len(),
            what.replace('-', " "),
            history.show(read)
        );
        out.findings.push(Finding::new(Kind::History, format!("{name}/counter/{what}"), text));
    }
    out.checked.push(format!("{whose}: counter, {adds} additions, {} reads", reads.len()));
    if reads.is_empty() && adds > 0 {
        out.unknown.push(format!("{whose}: the counter was never read"));
    }
}
