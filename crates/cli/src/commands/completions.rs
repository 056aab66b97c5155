//! `snowglobe completions`.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::commands::print;
use crate::exit::{self, Failure};

/// Runs it.
pub fn run(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "snowglobe", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(exit::status::PASSED)
}
