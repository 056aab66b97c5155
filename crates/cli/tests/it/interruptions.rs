//! On a busy machine the supervisor interrupts a runner that seems to stand still, at whatever instruction it is. A run must
//! not show it.

use std::fs;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::{command, err, out, status};

/// Programs that trap often: each new one meets call sites that are not rewritten yet, and asks what the processor is.
const SCRIPT: &str =
    "set -eu; cd /tmp; for i in 1 2 3 4 5 6 7 8; do echo $i > $i; cat $i | sort > /dev/null; done; ls | wc -l";

fn children(parent: u32) -> Vec<Pid> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect::<Vec<_>>())
        .collect()
}

#[test]
fn interruptions_at_any_instruction_do_not_show() {
    let dir = tempfile::tempdir().unwrap();
    let mut verify = command(dir.path(), &["verify", "--runs", "25", "--", "/bin/sh", "-c", SCRIPT]);
    let mut verify = verify.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut sent = 0;
    while verify.try_wait().unwrap().is_none() {
        for child in children(verify.id()) {
            sent += u32::from(kill_process(child, Signal::URG).is_ok());
        }
    }
    let output = verify.wait_with_output().unwrap();
    assert_eq!(status(&output), 0, "{}{}", out(&output), err(&output));
    assert!(sent > 1000, "{sent} interruptions are no test");
}
