//! Each row of the speed table against normal execution.
//!
//! | Module | Content |
//! |---|---|
//! | [`rows`] | the table: what is measured, how, and what is to be reached |
//! | [`network`] | the rows of the network, against the traditional layout |
//! | [`measure`] | timing of commands, slopes, medians |
//! | [`place`] | the guests, the trees and the worlds that are measured, made ready |
//! | [`check`] | how long a judge takes |
//! | [`explore`] | how many worlds are explored in a minute, and how long the examples' bugs take to be found |
//! | [`memory`] | what one more idle host costs |
//! | [`report`] | the table as text, as JSON and as a page of the book |
//!
//! Normal execution and the layer take turns, sample by sample, on one core. A guest's clock is virtual, so nothing is timed
//! inside: each work is run with a small and a large count, and the difference of the whole runs' wall times counts. So
//! starting up does not count, but in the row that is about it.

mod check;
mod explore;
mod measure;
mod memory;
mod network;
mod place;
mod report;
mod rows;

use crate::deps::{self, Part};
use crate::project;
use anyhow::{Result, bail};
use place::Place;
use report::{Report, Row};
use std::path::PathBuf;

/// `cargo xtask bench`
#[derive(clap::Args)]
pub struct Options {
    /// Only rows whose name contains one of these
    rows: Vec<String>,
    /// Samples of each row
    #[arg(long, default_value_t = 5)]
    samples: usize,
    /// Write the results to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the results to the book
    #[arg(long)]
    book: bool,
    /// Let the supervisor use the other cores; the guests stay on one, as snowglobe places them
    #[arg(long)]
    free_supervisor: bool,
    /// Measure how long it takes to find the bug of each example instead: ten searches for each, which may take hours
    #[arg(long)]
    explore: bool,
    /// Print the rows' names and end
    #[arg(long)]
    list: bool,
}

/// Measures, prints, writes. A row that cannot be measured does not keep the others from it.
pub fn run(options: &Options) -> Result<()> {
    let wanted = |name: &str| options.rows.is_empty() || options.rows.iter().any(|part| name.contains(part.as_str()));
    let chosen: Vec<_> = rows::ALL.iter().filter(|row| wanted(row.name)).collect();
    if options.list {
        chosen.iter().for_each(|row| println!("{:<14} {}", row.name, row.what));
        return Ok(());
    }
    if options.explore {
        deps::ensure(&[Part::Bench])?;
        // The median of ten, unless more are asked for.
        let place = Place::new(project::build_snowglobe()?, options.samples.max(10), options.free_supervisor)?;
        let (table, missed) = explore::first_failures(&place, wanted)?;
        if options.book {
            let page = explore::page(&table, &report::Origin::of(&place)?);
            std::fs::write(project::root().join("book/src/searches.md"), page)?;
        }
        match missed {
            0 => return Ok(()),
            missed => bail!("{missed} searches found nothing"),
        }
    }
    if options.samples == 0 || chosen.is_empty() {
        bail!("nothing to measure; `cargo xtask bench --list` names the rows");
    }
    deps::ensure(&[Part::Bench])?;
    let place = Place::new(project::build_snowglobe()?, options.samples, options.free_supervisor)?;
    let mut rows = Vec::new();
    for plan in chosen {
        eprintln!("measuring {}: {}", plan.name, plan.what);
        let row = Row::new(plan, plan.measure(&place));
        println!("{}", report::line(&row));
        rows.push(row);
    }
    let report = Report::new(&place, rows)?;
    println!("\n{}", report.table());
    if let Some(path) = &options.json {
        std::fs::write(path, report.json()?)?;
    }
    if options.book {
        std::fs::write(project::root().join("book/src/bench.md"), report.page())?;
    }
    match report.failures() {
        0 => Ok(()),
        failures => bail!("{failures} rows could not be measured"),
    }
}
