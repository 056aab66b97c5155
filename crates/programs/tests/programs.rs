//! Every scenario of `tests/programs`, in each of its variants, as a test of its own: `linux::bash`, `layer::bash`,
//! `verify::bash`. Those under the layer that the list switches off are shown as ignored; `-- --include-ignored` runs them.

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use snowglobe_programs::list::{self, Scenario};
use snowglobe_programs::trial;
use std::process::ExitCode;

fn main() -> ExitCode {
    let scenarios = match list::read() {
        Ok(scenarios) => scenarios,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let trials = scenarios.iter().flat_map(trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trials(scenario: &Scenario) -> Vec<Trial> {
    let mut trials = vec![
        made("layer", scenario, trial::under_layer).with_ignored_flag(!scenario.layer),
        made("verify", scenario, trial::verified).with_ignored_flag(!scenario.layer),
    ];
    if scenario.linux.is_some() {
        trials.push(made("linux", scenario, trial::on_linux));
    }
    trials
}

fn made(variant: &str, scenario: &Scenario, body: fn(&Scenario) -> Result<()>) -> Trial {
    let name = format!("{variant}::{}", scenario.name);
    let scenario = scenario.clone();
    Trial::test(name, move || body(&scenario).map_err(|error| format!("{error:#}").into()))
}
