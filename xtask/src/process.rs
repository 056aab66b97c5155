//! Child processes with time limits.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How a child that had a time limit ended.
pub enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Its time was up: it and all its descendants were killed.
    OutOfTime,
}

/// A command as a reader would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs a command to its end and fails unless it succeeds.
pub fn must(command: &mut Command, limit: Duration) -> Result<()> {
    let text = shown(command);
    let mut child = command.spawn().with_context(|| format!("cannot start: {text}"))?;
    match wait(&mut child, limit)? {
        Ending::Exited(status) if status.success() => Ok(()),
        Ending::Exited(status) => bail!("{text}: {status}"),
        Ending::OutOfTime => bail!("{text}: not done after {} s", limit.as_secs()),
    }
}

/// Runs a command to its end and gives its standard output; fails unless it succeeds.
pub fn output_of(command: &mut Command) -> Result<String> {
    let text = shown(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start: {text}"))?;
    if !output.status.success() {
        bail!("{text}: {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{text}: output is not UTF-8"))
}

/// Waits for a child, at most so long.
pub fn wait(child: &mut Child, limit: Duration) -> Result<Ending> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ending::Exited(status));
        }
        if Instant::now() >= end {
            kill_tree(child);
            return Ok(Ending::OutOfTime);
        }
        sleep(Duration::from_millis(20));
    }
}

/// Kills a child and all its descendants, and reaps the child.
pub fn kill_tree(child: &mut Child) {
    let mut doomed = descendants(child.id());
    doomed.push(child.id());
    for id in doomed {
        if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            // It may have ended by itself since the list was made.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    let _ = child.wait();
}

/// All processes whose chain of parents leads to this one.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(parent) = parent_of(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for &child in children.get(&pid).into_iter().flatten() {
            found.push(child);
            open.push(child);
        }
    }
    found
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold blanks and brackets; the fields after the last one do not.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'a b'", "x=1", ""]);
        assert_eq!(shown(&command), r"sh -c 'echo '\''a b'\''' x=1 ''");
    }

    #[test]
    fn a_limit_ends_grandchildren_too() {
        let mut child = Command::new("sh").args(["-c", "sleep 300 & wait"]).spawn().unwrap();
        while descendants(child.id()).is_empty() {
            sleep(Duration::from_millis(5));
        }
        let grandchild = descendants(child.id())[0];
        assert!(matches!(wait(&mut child, Duration::ZERO).unwrap(), Ending::OutOfTime));
        let gone = || std::fs::read_to_string(format!("/proc/{grandchild}/stat")).map_or(true, |s| s.contains(") Z "));
        for _ in 0..1000 {
            if gone() {
                return;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("process {grandchild} is still there");
    }
}
