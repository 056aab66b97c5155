//! Transactions on lists: histories of a real serial execution, and what brute force says of small ones.

use std::collections::BTreeMap;
use std::fmt::Write;

use snowglobe_check::Verdict;

use super::{Dice, judge};

type List = Vec<u64>;

/// A transaction: micro-operations with what reads saw.
#[derive(Clone, Debug)]
struct Txn(Vec<(bool, u64, u64, List)>);

/// Transactions that took effect one after the other, in an order that fits the times.
fn serial(seed: u64, count: usize, clients: u64, keys: u64) -> (String, Vec<Txn>) {
    let mut dice = Dice(seed);
    let mut lists: BTreeMap<u64, List> = BTreeMap::new();
    let mut open: Vec<Option<(Txn, bool)>> = vec![None; clients as usize];
    let (mut out, mut txns, mut begun, mut value) = (String::new(), Vec::new(), 0, 0);
    while begun < count || open.iter().any(Option::is_some) {
        let client = dice.below(clients) as usize;
        match &mut open[client] {
            None if begun < count => {
                begun += 1;
                let mut micros = Vec::new();
                for _ in 0..1 + dice.below(4) {
                    value += 1;
                    micros.push((dice.below(2) == 0, dice.below(keys), value, List::new()));
                }
                let txn = Txn(micros);
                out += &line("invoke", client, &txn, false);
                open[client] = Some((txn, false));
            }
            None => {}
            Some((txn, done @ false)) => {
                *done = true;
                for (append, key, value, seen) in &mut txn.0 {
                    let list = lists.entry(*key).or_default();
                    if *append {
                        list.push(*value);
                    } else {
                        *seen = list.clone();
                    }
                }
            }
            Some((txn, true)) => {
                out += &line("ok", client, txn, true);
                txns.push(txn.clone());
                open[client] = None;
            }
        }
    }
    (out, txns)
}

fn line(kind: &str, process: usize, txn: &Txn, seen: bool) -> String {
    let micros: Vec<String> = txn
        .0
        .iter()
        .map(|(append, key, value, list)| match (append, seen) {
            (true, _) => format!("[\"append\",{key},{value}]"),
            (false, true) => format!("[\"r\",{key},{list:?}]"),
            (false, false) => format!("[\"r\",{key},null]"),
        })
        .collect();
    let mut out = String::new();
    let micros = micros.join(",");
    writeln!(out, "{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"txn\",\"value\":[{micros}]}}").unwrap();
    out
}

#[test]
fn histories_of_a_serial_store_are_strictly_serializable() {
    for seed in 0..120 {
        let (text, _) = serial(seed, 60, 6, 3);
        let out = judge("append", &text);
        assert_eq!(out.verdict(), Verdict::Passed, "seed {seed}: {out:#?}");
    }
}

#[test]
fn large_histories_are_judged() {
    let (text, _) = serial(7, 3000, 8, 200);
    assert_eq!(judge("append", &text).verdict(), Verdict::Passed);
}

/// Whether some order of the transactions explains what all of them saw.
fn is_serializable(txns: &[Txn], done: &mut Vec<bool>, lists: &BTreeMap<u64, List>) -> bool {
    if done.iter().all(|done| *done) {
        return true;
    }
    for at in 0..txns.len() {
        if done[at] {
            continue;
        }
        let mut next = lists.clone();
        let fits = txns[at].0.iter().all(|(append, key, value, seen)| {
            let list = next.entry(*key).or_default();
            if *append {
                list.push(*value);
            }
            *append || list == seen
        });
        if fits {
            done[at] = true;
            if is_serializable(txns, done, &next) {
                return true;
            }
            done[at] = false;
        }
    }
    false
}

#[test]
fn what_is_refused_as_not_serializable_has_no_serial_order() {
    let (mut refused, mut kept) = (0, 0);
    for seed in 0..3000 {
        let (_, mut txns) = serial(seed, 5, 3, 2);
        let mut dice = Dice(seed + 10_000);
        // Some reads saw less than they should have, or lists in another order.
        for txn in &mut txns {
            for (_, _, _, seen) in txn.0.iter_mut().filter(|(append, ..)| !append) {
                if dice.below(3) == 0 && !seen.is_empty() {
                    seen.truncate(dice.below(seen.len() as u64) as usize);
                }
            }
        }
        let text: String = txns
            .iter()
            .enumerate()
            .map(|(at, txn)| line("invoke", at, txn, false))
            .chain(txns.iter().enumerate().map(|(at, txn)| line("ok", at, txn, true)))
            .collect();
        let out = judge("append consistency=serializable", &text);
        let serial = is_serializable(&txns, &mut vec![false; txns.len()], &BTreeMap::new());
        match out.verdict() {
            // Sound: what is refused is wrong.
            Verdict::Failed => {
                refused += 1;
                assert!(!serial, "seed {seed}: {txns:#?}\n{out:#?}");
            }
            Verdict::Passed => kept += usize::from(!serial),
            Verdict::Unknown => panic!("seed {seed}: {out:#?}"),
        }
    }
    // Nearly all that is wrong is found: a cycle needs what some read has seen.
    assert!(refused > 500 && kept * 20 < refused, "{refused} refused, {kept} wrong ones kept");
}
