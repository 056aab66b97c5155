//! Checks that need no writing: crashes, deadlocks, growth without bound, services that did not come back.

use crate::finding::{Finding, Kind, Outcome};

/// Their names, by which a world file switches them off.
pub const NAMES: [&str; 4] = ["crash", "deadlock", "growth", "up"];

/// Signals that the kernel or the C library end a broken program with, and their names (signal(7)).
const CRASHES: [(u32, &str); 7] =
    [(4, "SIGILL"), (5, "SIGTRAP"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (11, "SIGSEGV"), (31, "SIGSYS")];

/// The name of a signal that tells of a crash.
pub fn crash(signal: u32) -> Option<&'static str> {
    CRASHES.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name)
}

/// A process was ended by a signal that tells of a crash.
pub fn crashed(host: &str, program: &str, pid: u32, signal: &str, at: &str) -> Finding {
    let text = format!("{program} (pid {pid}) on {host} was ended by {signal} at {at}");
    Finding::new(Kind::Crash, format!("{program}/{signal}"), text)
}

/// One thread that waits for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Its process.
    pub pid: u32,
    /// Itself.
    pub tid: u32,
    /// The program's name, or the thread's.
    pub name: String,
    /// For what it waits.
    pub what: String,
}

/// All threads of a host, or of a process of it, wait for each other.
pub fn deadlocked(host: &str, threads: &[Stuck]) -> Finding {
    let mut key: Vec<String> = threads
        .iter()
        .map(|stuck| format!("{}:{}", stuck.name, stuck.what.split_whitespace().next().unwrap_or("")))
        .collect();
    key.sort();
    key.dedup();
    let mut text = format!("on {host}, {} threads wait for each other for ever:", threads.len());
    for stuck in threads.iter().take(32) {
        text += &format!("\n  {} (pid {}, tid {}): {}", stuck.name, stuck.pid, stuck.tid, stuck.what);
    }
    if threads.len() > 32 {
        text += &format!("\n  and {} more", threads.len() - 32);
    }
    Finding::new(Kind::Deadlock, key.join("+"), text)
}

/// In how many windows of equal length, at the end of a process's life, its least use must have grown each time, at the least.
pub const WINDOWS: usize = 8;

/// By how many descriptors at least.
pub const DESCRIPTORS: u64 = 128;

/// By how many bytes at least.
pub const MEMORY: u64 = 64 << 20;

/// Which share of all that a process grew by came in the last [`WINDOWS`] windows, at the least: one in so many. There are at most
/// 32 windows, so what grows evenly has a fourth.
const SHARE: u64 = 5;

/// What is wrong with the least use of each of a process's windows, oldest first. What has a bound comes back to it, or stays:
/// so a process that grows is one whose least use grew from window to window until the end, in at least [`WINDOWS`] of them; came to twice
/// what it was when that began, and by no less than a floor that caches and pools of usual programs reach; and has not become
/// so slow that it was rather filled than grows.
pub fn grows(least: &[u64], floor: u64) -> bool {
    let Some(&end) = least.last() else { return false };
    let rising = least.windows(2).rev().take_while(|pair| pair[0] < pair[1]).count();
    if rising < WINDOWS {
        return false;
    }
    let first = least[least.len() - 1 - rising];
    let lately = end - least[least.len() - 1 - WINDOWS];
    end - first >= floor && end >= first.saturating_mul(2) && lately.saturating_mul(SHARE) >= end - first
}

/// A process that grows.
pub fn grew(host: &str, program: &str, pid: u32, what: &str, least: &[u64], window: &str) -> Finding {
    let numbers: Vec<String> = least.iter().map(u64::to_string).collect();
    let text = format!(
        "{program} (pid {pid}) on {host} has more {what} in every window of {window}, at least: {}",
        numbers.join(", ")
    );
    Finding::new(Kind::Growth, format!("{program}/{what}"), text)
}

/// A service that does not run at the end of the quiet time.
pub fn down(host: &str, state: &str) -> Outcome {
    let text = format!("{host} {state} at the end of the quiet time");
    Outcome { findings: vec![Finding::new(Kind::Down, host, text)], ..Outcome::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_in_every_window_is_told_and_what_comes_back_is_not() {
        let rising: Vec<u64> = (1..=12).map(|n| n * 100).collect();
        assert!(grows(&rising, 128));
        assert!(!grows(&rising, 10_000));
        assert!(!grows(&rising[..8], 128));
        let mut sawtooth = rising.clone();
        sawtooth[9] = 50;
        assert!(!grows(&sawtooth, 128));
        // A cache that fills up and stays.
        assert!(!grows(&[100, 200, 400, 800, 800, 800, 800, 800, 800, 800], 128));
        // What grows evenly for long.
        let even: Vec<u64> = (0..32).map(|n| 3 + n * 20).collect();
        assert!(grows(&even, 128));
        // What was filled, and goes on a little.
        let filled: Vec<u64> = (0..20).map(|n| if n < 8 { n * 100 } else { 800 + n }).collect();
        assert!(!grows(&filled, 128));
        // A little on top of much.
        assert!(!grows(&(0..12).map(|n| 1_000_000 + n * 100).collect::<Vec<_>>(), 128));
    }
}
