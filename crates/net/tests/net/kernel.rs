//! The kernel's own TCP, asked by `tests/judge/tcp.py` where that can be done: whether the times that the tests of `tcp` hold
//! are still Linux's.

use std::process::Command;

/// Scenarios that take few seconds together.
const SHORT: [&str; 9] =
    ["two", "user_timeout", "answering", "nagle", "cork", "reordered", "dup_acks", "half_open", "disowned"];
/// The judge cannot work here: no namespaces, no TUN device.
const SKIPPED: i32 = 77;

#[test]
fn linux_keeps_the_times_that_the_table_keeps() {
    let judge = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/judge/tcp.py");
    let mut said = String::new();
    // Real time on a busy machine: one calm moment will do.
    for _ in 0..3 {
        let run = Command::new("unshare").args(["-Urn", "python3", judge, "--check"]).args(SHORT).output();
        let Ok(output) = run else { return eprintln!("skipped: no unshare") };
        said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.code() {
            Some(0) => return,
            Some(SKIPPED) => return eprintln!("skipped: {said}"),
            _ if said.is_empty() => return eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr)),
            _ => {}
        }
    }
    panic!("{said}");
}
