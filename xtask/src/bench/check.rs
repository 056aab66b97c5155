//! How long a judge takes.

use super::measure::Spread;
use super::place::Place;
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Operations of the history, by so many clients on one register.
const OPERATIONS: usize = 10_000;
const CLIENTS: usize = 10;

/// Seconds that `snowglobe check` takes for the linearizability of a register's history.
pub fn register(place: &Place) -> Result<Spread> {
    let path = place.folder_for("check")?.join("register.jsonl");
    std::fs::write(&path, history()).with_context(|| format!("cannot write {}", path.display()))?;
    let sample = |_| {
        let began = Instant::now();
        let mut command = Command::new(&place.snowglobe);
        let status =
            command.args(["check", "--model", "register", "--history"]).arg(&path).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "the history of a register was not accepted: {status}");
        Ok(began.elapsed().as_secs_f64())
    };
    Ok(Spread::of(&(0..place.samples).map(sample).collect::<Result<Vec<_>>>()?))
}

/// What a client has begun: the value that it writes, if it writes; and what came of it, if that is known.
type Open = (Option<usize>, Option<Option<usize>>);

/// The history of a real register: each operation takes effect at one moment between its beginning and its end.
fn history() -> String {
    let mut state = 1_u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let (mut out, mut begun, mut now) = (String::new(), 0, None::<usize>);
    // Of each client: what it writes, if anything, and what it saw once it has taken effect.
    let mut open: Vec<Option<Open>> = vec![None; CLIENTS];
    while begun < OPERATIONS || open.iter().any(Option::is_some) {
        let client = below(CLIENTS);
        let shown = |value: Option<usize>| value.map_or("null".to_owned(), |value| value.to_string());
        let mut line = |kind: &str, write: Option<usize>, value: Option<usize>| {
            let (f, value) = (if write.is_some() { "write" } else { "read" }, shown(write.or(value)));
            let _ = writeln!(out, "{{\"type\":\"{kind}\",\"process\":{client},\"f\":\"{f}\",\"value\":{value}}}");
        };
        match open[client] {
            None if begun < OPERATIONS => {
                begun += 1;
                let write = (begun % 2 == 0).then_some(begun % 100);
                line("invoke", write, None);
                open[client] = Some((write, None));
            }
            None => {}
            Some((write, None)) => {
                now = write.or(now);
                open[client] = Some((write, Some(now)));
            }
            Some((write, Some(seen))) => {
                line("ok", write, seen);
                open[client] = None;
            }
        }
    }
    out
}
