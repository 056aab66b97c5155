//! `snowglobe check`.

use std::path::{Path, PathBuf};

use serde_json::json;
use snowglobe_abi::spec::HistoryCheck;
use snowglobe_check::Model;
use snowglobe_world::Problem;
use snowglobe_world::rundir::Verdict;

use crate::args::CheckArgs;
use crate::commands::{print, print_json};
use crate::conduct;
use crate::exit::{Failure, usage};
use crate::judge::{self, Judgement};

/// Judges a run again, or histories that are not of a run.
pub fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let (name, judgement) = if args.history.is_empty() { of_run(args)? } else { of_files(args)? };
    let Judgement { verdict, reason, exit, outcome, .. } = &judgement;
    if args.json {
        print_json(&json!({
            "run": name,
            "verdict": verdict,
            "reason": reason,
            "checked": outcome.checked,
            "findings": outcome.findings,
            "unknown": outcome.unknown,
        }))?;
        return Ok(*exit);
    }
    let mut text = String::new();
    for check in &outcome.checked {
        text += &format!("checked  {check}\n");
    }
    for finding in &outcome.findings {
        text += &format!("FAILED   {}\n", finding.text.replace('\n', "\n         "));
    }
    for why in &outcome.unknown {
        text += &format!("unknown  {}\n", why.replace('\n', "\n         "));
    }
    print(&format!("{text}{name}: {} ({reason})\n", verdict.name()))?;
    Ok(*exit)
}

fn of_run(args: &CheckArgs) -> Result<(String, Judgement), Failure> {
    let run = conduct::store().open(args.run.as_deref().unwrap_or("latest")).map_err(usage)?;
    let record = run.record().map_err(usage)?;
    if record.verdict == Verdict::Running {
        return Err(usage(Problem::new(format!("{} still runs", run.id)).help("wait for its end, or interrupt it")));
    }
    let spec = run.world().map_err(usage)?;
    let report = run.report().map_err(usage)?;
    let mut judgement = judge::judge(&spec, report.as_ref(), Some(&run));
    if record.verdict == Verdict::Nondeterministic {
        judgement.verdict = record.verdict;
        judgement.reason = record.reason;
        judgement.exit = crate::exit::of_verdict(record.verdict);
    }
    Ok((run.id, judgement))
}

fn of_files(args: &CheckArgs) -> Result<(String, Judgement), Failure> {
    let mut options: Vec<(String, String)> = Vec::new();
    for option in &args.option {
        let (name, value) = option.split_once('=').ok_or_else(|| {
            usage(Problem::new(format!("`{option}` is no option of a model")).help("write it as NAME=VALUE"))
        })?;
        options.push((name.to_owned(), value.to_owned()));
    }
    if let Some(model) = &args.model {
        Model::named(model, &options.iter().cloned().collect())
            .map_err(|why| usage(Problem::new(why).help("see `snowglobe check --help` and the book")))?;
    }
    let files: Vec<(String, PathBuf)> = args.history.iter().map(|path| (shown(path), path.clone())).collect();
    for (name, path) in &files {
        std::fs::File::open(path)
            .map_err(|error| usage(Problem::new(format!("{name} cannot be read: {error}")).help("check the path")))?;
    }
    let name = args.model.clone().unwrap_or_else(|| "history".to_owned());
    let check = HistoryCheck { name: name.clone(), hosts: Vec::new(), model: args.model.clone(), options };
    let outcome = judge::history(&check, &files);
    Ok((files[0].0.clone(), judge::of_outcome(outcome)))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
