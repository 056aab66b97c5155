//! How a run goes, for whoever waits for it: one status line on a terminal, lines at growing intervals elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::Sample;
use crate::text::{count, seconds};

/// First interval between lines where there is no terminal; each is twice the one before.
const FIRST_LINE: Duration = Duration::from_secs(2);
/// Longest interval between them.
const LAST_LINE: Duration = Duration::from_secs(300);

/// Tells how a run goes, on standard error.
pub struct Progress {
    hosts: u32,
    status: Status,
}

/// What is known now, on standard error.
pub struct Status {
    form: Form,
}

enum Form {
    Silent,
    Line(ProgressBar),
    Lines(Pace),
}

/// When the next line is due.
struct Pace {
    next: Duration,
    interval: Duration,
}

impl Pace {
    fn new() -> Pace {
        Pace { next: FIRST_LINE, interval: FIRST_LINE }
    }

    fn is_due(&mut self, wall: Duration) -> bool {
        if wall < self.next {
            return false;
        }
        self.interval = (self.interval * 2).min(LAST_LINE);
        self.next = wall + self.interval;
        true
    }
}

impl Status {
    /// A status line on a terminal, lines elsewhere.
    pub fn new(terminal: bool) -> Status {
        let form = if terminal {
            let bar = ProgressBar::new_spinner();
            bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("the template is constant"));
            Form::Line(bar)
        } else {
            Form::Lines(Pace::new())
        };
        Status { form }
    }

    /// A status that nobody sees.
    pub fn silent() -> Status {
        Status { form: Form::Silent }
    }

    /// Tells what is known now, when it is time to.
    pub fn tell(&mut self, wall: Duration, line: impl FnOnce() -> String) {
        match &mut self.form {
            Form::Silent => {}
            Form::Line(bar) => {
                bar.set_message(line());
                bar.tick();
            }
            Form::Lines(pace) => {
                if pace.is_due(wall) {
                    eprintln!("{}", line());
                }
            }
        }
    }

    /// Takes the status line away.
    pub fn finish(self) {
        if let Form::Line(bar) = self.form {
            bar.finish_and_clear();
        }
    }
}

impl Progress {
    /// Progress of a world with so many hosts.
    pub fn new(hosts: u32, terminal: bool) -> Progress {
        Progress { hosts, status: Status::new(terminal) }
    }

    /// Progress that nobody sees.
    pub fn silent() -> Progress {
        Progress { hosts: 0, status: Status::silent() }
    }

    /// Takes what is known now.
    pub fn feed(&mut self, wall: Duration, sample: Sample) {
        let hosts = self.hosts;
        self.status.tell(wall, || line(wall, sample, hosts));
    }

    /// A handle by which others may write without tearing the status line.
    pub fn bar(&self) -> Option<ProgressBar> {
        match &self.status.form {
            Form::Line(bar) => Some(bar.clone()),
            _ => None,
        }
    }

    /// Takes the status line away.
    pub fn finish(self) {
        self.status.finish();
    }
}

/// What is known, in one line.
fn line(wall: Duration, sample: Sample, hosts: u32) -> String {
    let wall_s = wall.as_secs_f64().max(1e-9);
    format!(
        "{} virtual, {:.1} s wall ({} times), {} events/s, {}/{hosts} hosts up",
        seconds(sample.virtual_ns),
        wall_s,
        ratio(sample.virtual_ns as f64 / 1e9 / wall_s),
        count((sample.events as f64 / wall_s) as u64),
        sample.hosts_up,
    )
}

/// A ratio with as many digits as matter.
pub fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_at_growing_intervals() {
        let mut pace = Pace::new();
        let due: Vec<u64> = (0..200).filter(|s| pace.is_due(Duration::from_secs(*s))).collect();
        assert_eq!(due, [2, 6, 14, 30, 62, 126]);
    }

    #[test]
    fn a_line_says_time_ratio_rate_and_hosts() {
        let sample = Sample { virtual_ns: 90_500_000_000, events: 3_000_000, hosts_up: 2 };
        assert_eq!(
            line(Duration::from_secs(2), sample, 3),
            "90.500 s virtual, 2.0 s wall (45 times), 1.5 M events/s, 2/3 hosts up"
        );
    }
}
