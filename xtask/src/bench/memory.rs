//! What a running world costs in memory.

use super::measure::Server;
use crate::process;
use anyhow::{Result, bail};
use std::fs;
use std::time::{Duration, Instant};

/// How long the processes must have stayed the same.
const CALM: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(60);

/// MiB that a world uses once all its hosts have started: pages, of which shared ones count once, and page tables.
pub fn of_world(world: Server, least_processes: usize) -> Result<f64> {
    let end = Instant::now() + LIMIT;
    let mut before = 0;
    let mut since = Instant::now();
    loop {
        let processes = process::descendants(world.0.id());
        if processes.len() != before {
            before = processes.len();
            since = Instant::now();
        } else if before >= least_processes && since.elapsed() >= CALM {
            let kibibytes: u64 = processes.iter().chain([&world.0.id()]).map(|&pid| of_process(pid)).sum();
            return Ok(kibibytes as f64 / 1024.0);
        }
        if Instant::now() >= end {
            bail!("{least_processes} processes were to start in {} s; there are {before}", LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// KiB of one process: its share of each page that it has mapped, and its page tables.
fn of_process(pid: u32) -> u64 {
    field(&format!("/proc/{pid}/smaps_rollup"), "Pss:") + field(&format!("/proc/{pid}/status"), "VmPTE:")
}

/// A field in KiB; 0 where the process has ended.
fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_memory() {
        assert!(of_process(std::process::id()) > 100);
        assert_eq!(field("/proc/self/status", "NoSuchField:"), 0);
    }
}
