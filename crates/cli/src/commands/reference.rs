//! `snowglobe reference`: chapters of the book that are made from the code.

use clap::CommandFactory;

use crate::args::{Chapter, Cli, ReferenceArgs};
use crate::commands::print;
use crate::exit::{self, Failure};

/// Runs it.
pub fn run(args: &ReferenceArgs) -> Result<u8, Failure> {
    let text = match args.chapter {
        Chapter::Cli => command_line(),
        Chapter::World => format!("# The world file\n\n{}", snowglobe_world::keys::reference()),
    };
    print(&text)?;
    Ok(exit::status::PASSED)
}

/// The help of every command.
fn command_line() -> String {
    let mut cli = Cli::command().term_width(100);
    cli.build();
    let mut out = format!("# The command line\n\n```text\n{}\n```\n", cli.render_long_help());
    for command in cli.get_subcommands_mut().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        out += &format!(
            "\n## `snowglobe {}`\n\n```text\n{}```\n",
            command.get_name().to_owned(),
            command.render_long_help()
        );
    }
    out
}
