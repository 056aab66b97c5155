//! The table as text, as JSON and as a page of the book.

use super::measure::Spread;
use super::place::Place;
use super::rows::{Goal, Outcome, Plan};
use crate::process;
use anyhow::Result;
use serde_json::{Value, json};
use std::process::Command;
use std::{fmt, fs};

/// A row with what was measured.
pub struct Row {
    plan: &'static Plan,
    outcome: Result<Outcome>,
}

impl Row {
    /// Joins the two.
    pub fn new(plan: &'static Plan, outcome: Result<Outcome>) -> Row {
        Row { plan, outcome }
    }

    /// What is held against the goal.
    fn judged(&self) -> Option<Spread> {
        match self.outcome.as_ref().ok()? {
            Outcome::Pair(pair) => Some(pair.ratio),
            Outcome::Value(value) => Some(*value),
        }
    }

    fn reached(&self) -> Option<bool> {
        let median = self.judged()?.median;
        Some(match self.plan.goal? {
            Goal::AtMost(limit) => median <= limit,
            Goal::AtLeast(limit) => median >= limit,
        })
    }

    /// What, normal execution, layer, ratio or value with its spread, goal, whether it was reached.
    fn cells(&self) -> [String; 6] {
        let (scale, unit) = self.plan.unit.scale();
        let time = |spread: Spread| format!("{} {unit}", number(spread.median * scale));
        let (normal, layer, judged) = match &self.outcome {
            Err(error) => (String::new(), String::new(), format!("not measured: {error:#}")),
            Ok(Outcome::Pair(pair)) => (time(pair.first), time(pair.second), spread(pair.ratio)),
            Ok(Outcome::Value(value)) => (String::new(), time(*value), spread(*value)),
        };
        let goal = match self.plan.goal {
            None => String::new(),
            Some(Goal::AtMost(limit)) => format!("at most {limit}"),
            Some(Goal::AtLeast(limit)) => format!("at least {limit}"),
        };
        let reached = self.reached().map_or("", |reached| if reached { "yes" } else { "no" });
        [self.plan.what.to_owned(), normal, layer, judged, goal, reached.to_owned()]
    }

    fn json(&self) -> Value {
        let mut value = json!({"name": self.plan.name, "what": self.plan.what, "reached": self.reached()});
        let (scale, unit) = self.plan.unit.scale();
        let scaled = |s: Spread| json!({"median": s.median * scale, "low": s.low * scale, "high": s.high * scale});
        match &self.outcome {
            Err(error) => value["error"] = json!(format!("{error:#}")),
            Ok(Outcome::Pair(pair)) => {
                value["normal"] = scaled(pair.first);
                value["layer"] = scaled(pair.second);
                value["ratio"] = json!(pair.ratio);
            }
            Ok(Outcome::Value(spread)) => value["value"] = json!(spread),
        }
        value["unit"] = json!(unit);
        match self.plan.goal {
            None => {}
            Some(Goal::AtMost(limit)) => value["at_most"] = json!(limit),
            Some(Goal::AtLeast(limit)) => value["at_least"] = json!(limit),
        }
        value
    }
}

const TITLES: [&str; 6] = ["Work", "Normal", "Layer", "Ratio or value", "Goal", "Reached"];

/// One row in a line.
pub fn line(row: &Row) -> String {
    let [_, normal, layer, judged, goal, reached] = row.cells();
    format!("{:<14} {normal:>12} {layer:>12}   {judged:<24} {goal:<14} {reached}", row.plan.name)
}

/// A few digits, whatever the size.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn spread(spread: Spread) -> String {
    format!("{} ({} to {})", number(spread.median), number(spread.low), number(spread.high))
}

/// What was measured, when and where; it is shown as the begin of a sentence.
pub struct Origin {
    version: String,
    date: String,
    machine: String,
}

impl Origin {
    /// Of what is measured here and now.
    pub fn of(place: &Place) -> Result<Origin> {
        Ok(Origin {
            version: process::output_of(Command::new(&place.snowglobe).arg("--version"))?.trim().to_owned(),
            date: process::output_of(Command::new("date").args(["-u", "+%F"]))?.trim().to_owned(),
            machine: machine()?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, measured on {} on {}", self.version, self.date, self.machine)
    }
}

/// All rows, and where they were measured.
pub struct Report {
    rows: Vec<Row>,
    origin: Origin,
    samples: usize,
    free_supervisor: bool,
}

impl Report {
    /// Joins the rows with the date and the machine.
    pub fn new(place: &Place, rows: Vec<Row>) -> Result<Report> {
        Ok(Report { rows, origin: Origin::of(place)?, samples: place.samples, free_supervisor: place.free_supervisor })
    }

    /// Rows that could not be measured.
    pub fn failures(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome.is_err()).count()
    }

    /// The rows as a Markdown table.
    pub fn table(&self) -> String {
        let line =
            |cells: [String; 6]| format!("| {} |\n", cells.map(|cell| cell.replace(['|', '\n'], " ")).join(" | "));
        let head = line(TITLES.map(str::to_owned)) + "|---|---:|---:|---|---|---|\n";
        self.rows.iter().fold(head, |table, row| table + &line(row.cells()))
    }

    /// The rows for programs.
    pub fn json(&self) -> Result<String> {
        let value = json!({
            "date": self.origin.date,
            "machine": self.origin.machine,
            "version": self.origin.version,
            "samples": self.samples,
            "supervisor_on_the_same_core": !self.free_supervisor,
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        });
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }

    /// The page of the book.
    pub fn page(&self) -> String {
        let supervisor = if self.free_supervisor { "the supervisor on another" } else { "the supervisor on the same" };
        format!(
            "<!-- Written by `cargo xtask bench --book`. -->\n\n# Speed and memory\n\n\
             {measured}. Guests run on one core, {supervisor}; normal execution runs on the \
             same one. The two take turns, sample by sample; each row has the medians of {samples} samples, and in brackets \
             the least and the greatest. Times are differences between a large and a small work, so that starting up does \
             not count.\n\n{table}\n\
             `cargo xtask bench` measures it on your machine.\n",
            measured = self.origin,
            samples = self.samples,
            table = self.table(),
        )
    }
}

/// Processor, cores, memory and kernel.
fn machine() -> Result<String> {
    let field = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let processor = field("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism()?;
    let kibibytes: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!("{processor}, {cores} cores, {} GiB, Linux {}", kibibytes.div_ceil(1 << 20), kernel.trim()))
}

#[cfg(test)]
mod tests {
    use super::super::measure::Pair;
    use super::super::rows::ALL;
    use super::*;

    fn ratio_of(ratio: f64) -> Row {
        let same = |value| Spread { median: value, low: value, high: value };
        let pair = Pair { first: same(1e-7), second: same(1e-7 * ratio), ratio: same(ratio) };
        Row::new(&ALL[0], Ok(Outcome::Pair(pair)))
    }

    #[test]
    fn a_row_is_held_against_its_goal() {
        assert_eq!(ratio_of(0.39).reached(), Some(true));
        assert_eq!(ratio_of(0.41).reached(), Some(false));
        assert_eq!(Row::new(&ALL[0], Err(anyhow::anyhow!("no"))).reached(), None);
    }

    #[test]
    fn a_row_shows_both_times() {
        let [_, normal, layer, judged, goal, reached] = ratio_of(0.25).cells();
        assert_eq!([normal, layer, judged], ["100.0 ns", "25.0 ns", "0.25 (0.25 to 0.25)"]);
        assert_eq!([goal, reached], ["at most 0.4", "yes"]);
    }

    #[test]
    fn no_name_is_used_twice() {
        let names: std::collections::BTreeSet<_> = ALL.iter().map(|plan| plan.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
