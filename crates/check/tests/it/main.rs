//! Judges against histories whose verdict is known: by their making, by brute force, and by hand.

mod by_hand;
mod lists;
mod registers;
mod simple;

use std::fmt::Write;

use snowglobe_check::{Bounds, Model, Outcome, Verdict, history};

/// The model of a name, with options as `name=value` words.
pub fn model(words: &str) -> Model {
    let mut words = words.split(' ');
    let name = words.next().unwrap();
    let options = words.filter_map(|word| word.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    Model::named(name, &options).unwrap()
}

/// Judges text.
pub fn judge(words: &str, text: &str) -> Outcome {
    match history::parse(text) {
        Ok(history) => model(words).judge("h", &history, &Bounds::default()),
        Err(error) => snowglobe_check::model::broken("h", &error),
    }
}

/// A history in short: `P f VALUE` begins, `P! VALUE` succeeds, `P-` fails, `P?` is unknown; on lines or behind semicolons.
pub fn short(text: &str) -> String {
    let mut out = String::new();
    let mut asked: std::collections::BTreeMap<u32, (String, String)> = std::collections::BTreeMap::new();
    for event in text.split([';', '\n']).map(str::trim).filter(|event| !event.is_empty()) {
        let (who, rest) = event.split_once(' ').unwrap_or((event, ""));
        let process: u32 = who.trim_end_matches(['!', '-', '?']).parse().unwrap();
        let (kind, f, value) = match who.chars().last() {
            Some(end @ ('!' | '-' | '?')) => {
                let (f, value) = asked[&process].clone();
                let kind = match end {
                    '!' => "ok",
                    '-' => "fail",
                    _ => "info",
                };
                (kind, f, if rest.is_empty() { value } else { rest.to_owned() })
            }
            _ => {
                let (f, value) = rest.split_once(' ').unwrap_or((rest, "null"));
                asked.insert(process, (f.to_owned(), value.to_owned()));
                ("invoke", f.to_owned(), value.to_owned())
            }
        };
        writeln!(out, "{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\"value\":{value}}}").unwrap();
    }
    out
}

/// Asserts what is found, by the ends of keys; nothing for a pass.
#[track_caller]
pub fn expect(words: &str, text: &str, found: &[&str]) {
    let out = judge(words, &short(text));
    let mut keys: Vec<&str> = out.findings.iter().map(|f| f.key.rsplit('/').next().unwrap()).collect();
    keys.sort_unstable();
    let mut found = found.to_vec();
    found.sort_unstable();
    assert_eq!(keys, found, "{words}: {text}\n{out:#?}");
    assert!(!keys.is_empty() || out.verdict() == Verdict::Passed, "{words}: {text}\n{out:#?}");
}

/// Numbers for tests that make histories.
pub struct Dice(pub u64);

impl Dice {
    /// The next number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
