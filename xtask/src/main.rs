//! `cargo xtask`: the project's own chores.
//!
//! | Module | Content |
//! |---|---|
//! | [`deps`] | the Debian packages that each part needs, and their installation |
//! | [`test`] | the whole test suite in steps, each with a time limit |
//! | [`demo`] | the bug of `examples/redis-sentinel`, found, shrunk and replayed |
//! | [`bench`] | each row of the speed table against normal execution |
//! | [`docs`] | the pages of the book that come from the program |
//! | [`licences`] | the licence of every dependency against a list |
//! | [`project`] | where things are, and how the `snowglobe` binary is built |
//! | [`process`] | child processes with time limits |
#![forbid(unsafe_code)]

mod bench;
mod demo;
mod deps;
mod docs;
mod licences;
mod process;
mod project;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's own chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build snowglobe, let it find a bug of a three-node cluster, shrink it, and replay it twice
    Demo,
    /// Run every check and test; the last line says how many passed and failed
    Test(test::Options),
    /// Install the Debian packages that a part needs, after naming them
    Deps(deps::Options),
    /// Measure the speed table against normal execution
    Bench(bench::Options),
    /// Write the reference pages of the book from the program
    Docs(docs::Options),
    /// Check the licence of every dependency
    Licences,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo => demo::run(),
        Command::Test(options) if test::run(&options) => Ok(()),
        Command::Test(_) => return ExitCode::FAILURE,
        Command::Deps(options) => deps::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Licences => licences::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
