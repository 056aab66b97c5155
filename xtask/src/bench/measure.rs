//! Timing of commands, slopes, medians.

use crate::process::{self, Ending};
use anyhow::{Context, Result, bail, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest time of one sample.
const LIMIT: Duration = Duration::from_secs(300);

/// A middle and how far the samples are from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least sample.
    pub low: f64,
    /// The greatest sample.
    pub high: f64,
}

impl Spread {
    /// Of at least one sample.
    pub fn of(samples: &[f64]) -> Spread {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        Spread { median: (sorted[last / 2] + sorted[last.div_ceil(2)]) / 2.0, low: sorted[0], high: sorted[last] }
    }
}

/// The cores that processes are started on.
pub struct Cores {
    all: CpuSet,
    one: CpuSet,
}

impl Cores {
    /// All that this process may use, and one of them: the last, as the first is where most interrupts go.
    pub fn here() -> Result<Cores> {
        let all = sched_getaffinity(None)?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|&cpu| all.is_set(cpu)).context("no core")?;
        let mut one = CpuSet::new();
        one.set(last);
        Ok(Cores { all, one })
    }

    /// The number of the one core.
    pub fn number(&self) -> Result<usize> {
        (0..CpuSet::MAX_CPU).find(|&cpu| self.one.is_set(cpu)).context("no core")
    }

    /// Starts a process on one core, or on all.
    pub fn start(&self, command: &mut Command, on_one: bool) -> Result<Child> {
        // A child inherits the cores of the thread that starts it.
        sched_setaffinity(None, if on_one { &self.one } else { &self.all })?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        sched_setaffinity(None, &self.all)?;
        child.with_context(|| format!("cannot start: {}", process::shown(command)))
    }

    /// Runs a command to its end and gives its wall time in seconds.
    pub fn time(&self, command: &mut Command, on_one: bool) -> Result<f64> {
        let began = Instant::now();
        let mut child = self.start(command, on_one)?;
        // No polling, so that the time is exact: commands made by `bounded` end by themselves.
        let status = child.wait()?;
        let seconds = began.elapsed().as_secs_f64();
        ensure!(status.success(), "{}: {status}", process::shown(command));
        Ok(seconds)
    }
}

/// A command that ends after the limit at the latest.
pub fn bounded(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--kill-after=5", &LIMIT.as_secs().to_string()]).arg(program);
    command
}

/// A server that is killed when it is no longer needed.
pub struct Server(pub Child);

impl Drop for Server {
    fn drop(&mut self) {
        process::kill_tree(&mut self.0);
    }
}

impl Server {
    /// Waits until it takes connections.
    pub fn ready(self, port: u16) -> Result<Server> {
        let end = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(Instant::now() < end, "nothing listens on port {port}");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(self)
    }

    /// Waits for its own end.
    pub fn finished(mut self) -> Result<()> {
        match process::wait(&mut self.0, Duration::from_secs(10))? {
            Ending::Exited(status) if status.success() => Ok(()),
            Ending::Exited(status) => bail!("the server ended with {status}"),
            Ending::OutOfTime => bail!("the server did not end"),
        }
    }
}

/// Two ways to do one work, and their ratio, sample by sample.
pub struct Pair {
    /// Seconds for one unit of the work in the first way.
    pub first: Spread,
    /// In the second.
    pub second: Spread,
    /// Second to first.
    pub ratio: Spread,
}

/// Seconds that a work of some size takes.
pub type Timed<'a> = &'a dyn Fn(u64) -> Result<f64>;

/// Measures two ways in turn.
pub fn pair(samples: usize, sizes: (u64, u64), first: Timed, second: Timed) -> Result<Pair> {
    let samples = units(samples, sizes, [first, second])?;
    let spread = |of: fn(&[f64; 2]) -> f64| Spread::of(&samples.iter().map(of).collect::<Vec<_>>());
    Ok(Pair { first: spread(|s| s[0]), second: spread(|s| s[1]), ratio: spread(|s| s[1] / s[0]) })
}

/// Seconds for one unit in each way: the difference between a large and a small work, divided by that of their sizes.
pub fn units<const N: usize>(samples: usize, sizes: (u64, u64), ways: [Timed; N]) -> Result<Vec<[f64; N]>> {
    // Once for what is read from the disk for the first time.
    for way in ways {
        way(sizes.0)?;
    }
    let (mut good, mut spoiled) = (Vec::new(), 0);
    while good.len() < samples {
        let mut sample = [0.0; N];
        for (seconds, way) in sample.iter_mut().zip(ways) {
            let (short, long) = (way(sizes.0)?, way(sizes.1)?);
            *seconds = (long - short) / (sizes.1 - sizes.0) as f64;
        }
        if sample.iter().all(|&seconds| seconds > 0.0) {
            good.push(sample);
            continue;
        }
        // The machine did something else for longer than the work takes.
        spoiled += 1;
        ensure!(spoiled <= samples, "a work of {} often takes no longer than one of {}", sizes.1, sizes.0);
    }
    Ok(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]), Spread { median: 2.5, low: 1.0, high: 4.0 });
        assert_eq!(Spread::of(&[7.0]), Spread { median: 7.0, low: 7.0, high: 7.0 });
    }

    #[test]
    fn starting_up_does_not_count() {
        let work = |n: u64| Ok(5.0 + n as f64 * 0.25);
        assert!((units(1, (10, 30), [&work]).unwrap()[0][0] - 0.25).abs() < 1e-9);
        let slow = |n: u64| Ok(9.0 + n as f64 * 0.5);
        let pair = pair(3, (10, 30), &work, &slow).unwrap();
        assert!((pair.ratio.median - 2.0).abs() < 1e-9);
    }
}
