//! Every example that finds a bug, as a test of its own: `finds::pysyncobj`.

use libtest_mimic::{Arguments, Trial};
use snowglobe_programs::example::{self, Example};
use std::process::ExitCode;

fn main() -> ExitCode {
    let examples = match example::read() {
        Ok(examples) => examples,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trials = examples.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(example: Example) -> Trial {
    let name = format!("finds::{}", example.name);
    Trial::test(name, move || example.finds_and_is_mended().map_err(|error| format!("{error:#}").into()))
}
