//! Linearizability: against brute force, against stateright, and on histories made by a real sequential execution.

use proptest::prelude::*;
use serde_json::Value;
use snowglobe_check::linear::{Answer, Model, Timed, check};
use snowglobe_check::register::{Op, Register};
use snowglobe_check::{Bounds, Verdict};

use super::{Dice, expect, judge};

/// Tries every order.
fn brute(ops: &[Timed<Op>], done: &mut Vec<bool>, state: u32) -> bool {
    if ops.iter().zip(&*done).all(|(op, done)| *done || op.ret.is_none()) {
        return true;
    }
    let first_end = ops.iter().zip(&*done).filter(|(_, done)| !**done).filter_map(|(op, _)| op.ret).min();
    for at in 0..ops.len() {
        if done[at] || first_end.is_some_and(|end| ops[at].call > end) {
            continue;
        }
        if let Some(next) = Register.step(&state, &ops[at].op) {
            done[at] = true;
            if brute(ops, done, next) {
                return true;
            }
            done[at] = false;
        }
    }
    false
}

fn operation() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0..3_u32).prop_map(Op::Read),
        (0..3_u32).prop_map(Op::Write),
        (0..3_u32, 0..3_u32).prop_map(|(old, new)| Op::Cas(old, new)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_search_says_what_trying_every_order_says(
        ops in prop::collection::vec((operation(), 0..14_u64, 1..8_u64, prop::bool::weighted(0.75)), 1..8)
    ) {
        // Distinct places: beginnings even, ends odd, ties by index.
        let ops: Vec<Timed<Op>> = ops
            .iter()
            .enumerate()
            .map(|(at, (op, call, length, known))| Timed {
                op: *op,
                call: call * 100 + at as u64,
                ret: known.then_some((call + length) * 100 + 50 + at as u64),
            })
            .filter(|op| op.ret.is_some() || !matches!(op.op, Op::Read(_)))
            .collect();
        let want = brute(&ops, &mut vec![false; ops.len()], 0);
        let got = check(&Register, &ops, &Bounds::default());
        prop_assert_eq!(want, got == Answer::Linearizable, "{:?}", ops);
    }
}

#[test]
fn the_published_examples() {
    // Knossos' README: a read of what was never written.
    expect("register", "0 write 0; 0!; 1 read; 1! 1", &["not-linearizable"]);
    // Porcupine's README: put 0; then put 1 and two gets that see 1 and 0 (one after the other), all during the put: not.
    let gets = |a: u32, b: u32| format!("0 write 0; 0!; 1 write 1; 2 read; 2! {a}; 2 read; 2! {b}; 1!");
    expect("register", &gets(1, 0), &["not-linearizable"]);
    expect("register", &gets(0, 1), &[]);
    // Herlihy and Wing, figure 1: writes overlap, reads tell their order.
    expect("register", "0 write 0; 1 write 1; 0!; 1!; 0 read; 0! 1; 1 read; 1! 1", &[]);
    expect("register", "0 write 0; 0!; 1 write 1; 1!; 0 read; 0! 0", &["not-linearizable"]);
    // A write that nobody answered takes effect much later, and once only.
    expect("register", "0 write 1; 0?; 1 write 2; 1!; 1 read; 1! 2; 1 read; 1! 1", &[]);
    expect("register", "0 write 1; 0?; 1 read; 1! 1; 1 write 2; 1!; 1 read; 1! 1", &["not-linearizable"]);
    expect("register", "0 write 1; 0-; 1 read; 1! 1", &["not-linearizable"]);
    expect("cas-register", "0 write 1; 0!; 1 cas [1,2]; 2 cas [1,3]; 1!; 2!", &["not-linearizable"]);
    expect("cas-register", "0 write 1; 0!; 1 cas [1,2]; 2 cas [2,3]; 1!; 2!; 0 read; 0! 3", &[]);
    expect("register initial=7", "0 read; 0! 7", &[]);
}

/// An operation that has begun: process, f, key, value asked; and what it will answer once it has taken effect.
type Open = (u64, &'static str, u64, Value, Option<(&'static str, Value)>);

/// A register that clients work on at once: each operation takes effect at one moment between its beginning and its end.
fn real(seed: u64, operations: usize, clients: u64, keys: u64, unknown: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let (mut out, mut values) = (Vec::new(), vec![Value::Null; keys as usize]);
    let mut open: Vec<Option<Open>> = vec![None; clients as usize];
    let (mut begun, mut next_process, mut value) = (0, clients, 0);
    let mut processes: Vec<u64> = (0..clients).collect();
    let line = |kind: &str, process: u64, f: &str, key: u64, value: &Value| {
        format!("{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\"key\":{key},\"value\":{value}}}")
    };
    while begun < operations || open.iter().any(Option::is_some) {
        let client = dice.below(clients) as usize;
        match &mut open[client] {
            None if begun < operations => {
                begun += 1;
                value += 1;
                let key = dice.below(keys);
                let (f, asked) = match dice.below(3) {
                    0 => ("read", Value::Null),
                    1 => ("write", Value::from(value % 50)),
                    _ => ("cas", serde_json::json!([values[key as usize], value % 50])),
                };
                out.push(line("invoke", processes[client], f, key, &asked));
                open[client] = Some((processes[client], f, key, asked, None));
            }
            None => {}
            Some((_, f, key, asked, done @ None)) => {
                let now = &mut values[*key as usize];
                *done = Some(match *f {
                    "read" => ("ok", now.clone()),
                    "write" => {
                        *now = asked.clone();
                        ("ok", asked.clone())
                    }
                    _ if asked[0] == *now => {
                        *now = asked[1].clone();
                        ("ok", asked.clone())
                    }
                    _ => ("fail", asked.clone()),
                });
            }
            Some((process, f, key, asked, Some((kind, answer)))) => {
                if dice.below(1000) < unknown {
                    out.push(line("info", *process, f, *key, asked));
                    processes[client] = next_process;
                    next_process += 1;
                } else {
                    out.push(line(kind, *process, f, *key, answer));
                }
                open[client] = None;
            }
        }
    }
    out
}

#[test]
fn histories_of_a_real_register_are_accepted_and_a_read_of_another_value_is_not() {
    let mut refused = 0;
    for seed in 0..150 {
        let mut lines = real(seed, 120, 5, 2, 30);
        let text = lines.join("\n") + "\n";
        let out = judge("register", &text);
        assert_eq!(out.verdict(), Verdict::Passed, "seed {seed}: {out:#?}");
        let reads: Vec<usize> =
            (0..lines.len()).filter(|at| lines[*at].contains("\"ok\"") && lines[*at].contains("\"read\"")).collect();
        let at = reads[Dice(seed).below(reads.len() as u64) as usize];
        let cut = lines[at].find("\"value\"").unwrap();
        lines[at] = format!("{}\"value\":999}}", &lines[at][..cut]);
        let out = judge("register", &(lines.join("\n") + "\n"));
        refused += usize::from(out.verdict() == Verdict::Failed);
    }
    assert_eq!(refused, 150);
}

#[test]
fn ten_thousand_operations_are_judged_in_seconds_and_bounds_end_a_search_as_unknown() {
    let text = real(1, 10_000, 10, 1, 5).join("\n") + "\n";
    let history = snowglobe_check::history::parse(&text).unwrap();
    let began = std::time::Instant::now();
    let model = super::model("register");
    let out = model.judge("h", &history, &Bounds::default());
    assert_eq!(out.verdict(), Verdict::Passed, "{out:#?}");
    assert!(began.elapsed().as_secs() < 30);
    let out = model.judge("h", &history, &Bounds { steps: 1000, ..Bounds::default() });
    assert_eq!(out.verdict(), Verdict::Unknown);
    let out = model.judge("h", &history, &Bounds { states: 100, ..Bounds::default() });
    assert_eq!(out.verdict(), Verdict::Unknown);
}

/// The register as stateright's tester takes it.
#[derive(Clone)]
struct Theirs(u32);

impl stateright::semantics::SequentialSpec for Theirs {
    type Op = Op;
    /// What a read answered, or whether a condition held.
    type Ret = Option<u32>;

    fn invoke(&mut self, op: &Op) -> Option<u32> {
        match *op {
            Op::Read(_) => Some(self.0),
            Op::Write(value) => {
                self.0 = value;
                None
            }
            Op::Cas(old, new) if self.0 == old => {
                self.0 = new;
                Some(1)
            }
            Op::Cas(..) => Some(0),
        }
    }
}

/// What stateright says: its tester tries orders one after the other, without memory or bound.
fn theirs(ops: &[Timed<Op>]) -> bool {
    use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
    let mut events: Vec<(u64, usize, bool)> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        events.push((op.call, at, false));
        events.extend(op.ret.map(|ret| (ret, at, true)));
    }
    events.sort_unstable();
    let mut tester = LinearizabilityTester::new(Theirs(0));
    for (_, at, ends) in events {
        let answer = match ops[at].op {
            Op::Read(value) => Some(value),
            Op::Write(_) => None,
            Op::Cas(..) => Some(1),
        };
        let result = match ends {
            true => tester.on_return(at, answer).map(|_| ()),
            false => tester.on_invoke(at, ops[at].op).map(|_| ()),
        };
        result.unwrap();
    }
    tester.is_consistent()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn stateright_says_the_same(
        ops in prop::collection::vec((operation(), 0..10_u64, 1..6_u64), 1..7)
    ) {
        let ops: Vec<Timed<Op>> = ops
            .iter()
            .enumerate()
            .map(|(at, (op, call, length))| Timed {
                op: *op,
                call: call * 100 + at as u64,
                ret: Some((call + length) * 100 + 50 + at as u64),
            })
            .collect();
        prop_assert_eq!(theirs(&ops), check(&Register, &ops, &Bounds::default()) == Answer::Linearizable, "{:?}", ops);
    }
}
