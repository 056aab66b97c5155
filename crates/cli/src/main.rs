//! The `snowglobe` command.
//!
//! | Looking for | Module |
//! |---|---|
//! | flags and help texts | [`args`] |
//! | what a command does | [`commands`], one module each |
//! | running a world from its file to its record | [`conduct`] |
//! | the seam to the supervisor | [`engine`] |
//! | standard input | [`input`] |
//! | verdicts | [`judge`] |
//! | exit statuses, errors on the screen | [`exit`] |
//! | files that are not what a run has read | [`changed`] |
//! | a trace in the manner of strace | [`lines`] |
//! | events, times and tables as text | [`text`] |
//! | the status line | [`progress`] |
//! | processes that run worlds for us | [`workers`] |
//!
//! Results go to standard output, everything else to standard error.
#![forbid(unsafe_code)]

/// Writes to standard error, which may have gone with whoever read it (`2>&1 | head`): that ends no command, as the standard
/// library's macro of this name would.
macro_rules! eprintln {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($arg)*);
    }};
}
/// The same without an end of the line.
macro_rules! eprint {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = write!(std::io::stderr(), $($arg)*);
    }};
}

mod args;
mod changed;
mod commands;
mod conduct;
mod engine;
mod exit;
mod input;
mod judge;
mod lines;
mod progress;
mod text;
mod workers;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    if let Some(code) = snowglobe_traditional::enter() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            // Help and version that were asked for are no error.
            return if error.use_stderr() { ExitCode::from(exit::status::USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match cli.command {
        Command::Run(args) => commands::run::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Explore(args) => commands::explore::run(&args),
        Command::Groups(args) => commands::groups::run(&args),
        Command::Shrink(args) => commands::shrink::run(&args),
        Command::Retest(args) => commands::retest::run(&args),
        Command::Worker => commands::worker::run(),
        Command::Ls(args) => commands::ls::run(&args),
        Command::Show(args) => commands::show::run(&args),
        Command::Trace(args) => commands::trace::run(&args),
        Command::Sockets(args) => commands::sockets::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Support(args) => commands::support::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Validate(args) => commands::validate::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Reference(args) => commands::reference::run(&args),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failure.tell(),
    }
}
