//! Every case of `tests/worlds`, as a test of its own: `network::partition-halves`.

use libtest_mimic::{Arguments, Trial};
use snowglobe_programs::world::{self, Case};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = match world::read() {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trials = cases.into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(case: Case) -> Trial {
    let name = format!("{}::{}", case.family, case.name);
    Trial::test(name, move || case.try_it().map_err(|error| format!("{error:#}").into()))
}
