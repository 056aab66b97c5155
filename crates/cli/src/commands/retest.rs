//! `snowglobe retest`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use snowglobe_abi::spec::WorldSpec;
use snowglobe_check::Finding;
use snowglobe_explore::database::{Campaign, Database, Group};
use snowglobe_explore::job::Setup;
use snowglobe_explore::retest::{Conclusion, Question, Seen, retest};
use snowglobe_explore::stats::{self, CONFIDENCE, one_in};
use snowglobe_explore::trouble::Trouble;
use snowglobe_world::{Problem, load};

use crate::args::RetestArgs;
use crate::commands::explore::key;
use crate::commands::{groups, print, print_json};
use crate::conduct;
use crate::exit::{self, Failure, fault, status, usage};
use crate::progress::Status;
use crate::text::many;
use crate::workers;

/// Failing seeds that are run again at most, those that were found first.
const MAX_KNOWN: usize = 200;

/// Runs it.
pub fn run(args: &RetestArgs) -> Result<u8, Failure> {
    let (database, group) = groups::named(&args.group)?;
    let campaign = database.campaign(group.campaign).map_err(fault)?.expect("a group has a campaign");
    let world = args.world.clone().unwrap_or_else(|| campaign.world.clone());
    let loaded = load(&world, &conduct::options(None, None))?;
    loaded.warnings.iter().for_each(exit::tell);
    is_like(&campaign, &world, &loaded.spec)?;
    let question = question(&database, &campaign, &group, args)?;
    announce(&group, &question, &world);
    if database.campaigns_of(&key(&world, None)?).map_err(fault)?.iter().any(|same| same.id == campaign.id) {
        eprintln!("note: {} is as it was when it failed, unless a program has changed", world.display());
    }
    let setup = Setup { label: conduct::label(&world), world: Some(world.clone()), until: None, worker: 0 };
    let mut pool = workers::pool(args.effort.jobs, args.effort.run_limit, setup)?;
    let stop = conduct::catch_signals().map_err(fault)?;
    let points = conduct::store().yield_points().map_err(fault)?;
    let mut status = Status::new(conduct::stderr_is_terminal());
    let seen =
        retest(&question, points, &mut pool, &stop, &mut |seen| status.tell(seen.elapsed, || line(seen, &question)));
    status.finish();
    drop(pool);
    let seen = seen.map_err(fault)?;
    let conclusion = seen.conclusion(&question);
    if args.effort.json {
        print_json(&object(&group, &question, &seen, conclusion))?;
    } else {
        print(&text(&group, &question, &seen, conclusion))?;
    }
    Ok(match conclusion {
        Conclusion::Nondeterministic => status::NONDETERMINISTIC,
        Conclusion::Still => status::FAILED,
        // Another failure than this one is a failure all the same.
        _ if !seen.others.is_empty() => status::FAILED,
        Conclusion::Gone => status::PASSED,
        Conclusion::CannotSay(_) => status::UNKNOWN,
    })
}

/// Whether the world that failed may have become this one: of a world without one of its hosts nothing can be said to be gone.
fn is_like(campaign: &Campaign, world: &Path, spec: &WorldSpec) -> Result<(), Failure> {
    // Where the file that failed is gone or damaged, nobody knows better than the user.
    let Ok(failed) = load(&campaign.world, &conduct::options(None, None)) else { return Ok(()) };
    let has = |name: &str| spec.hosts.iter().any(|host| host.name == name);
    let missing: Vec<&str> =
        failed.spec.hosts.iter().map(|host| host.name.as_str()).filter(|name| !has(name)).collect();
    if missing.len() == failed.spec.hosts.len() {
        let problem = Problem::new(format!("{} has no host of {}", world.display(), campaign.world.display()));
        return Err(usage(problem.help("name the changed world file of the world that failed")));
    }
    if !missing.is_empty() {
        eprintln!("note: {} has no more: {}", world.display(), missing.join(", "));
    }
    Ok(())
}

fn question(database: &Database, campaign: &Campaign, group: &Group, args: &RetestArgs) -> Result<Question, Trouble> {
    let known = database.sightings(group.id)?.into_iter().map(|sighting| sighting.seed).take(MAX_KNOWN);
    let last = database.seeds(campaign)?.into_iter().max().unwrap_or(0);
    Ok(Question {
        finding: Finding::new(group.kind, &group.key, &group.shortest.text),
        known: known.collect(),
        fresh_from: last.saturating_add(1),
        rate: stats::interval(group.hits, group.judged, CONFIDENCE).low,
        confidence: args.confidence,
        budget: args.effort.budget.map(Duration::from_nanos),
    })
}

fn announce(group: &Group, question: &Question, world: &Path) {
    eprintln!("g{} {}: {}", group.id, group.kind, group.key);
    eprintln!("it failed with {}", one_in(group.hits, group.judged));
    eprintln!(
        "{}: {} that failed, and {} fresh ones: if it still failed with {} seeds, they would show it with {} % confidence",
        world.display(),
        many(question.known.len(), "seed"),
        question.needed(),
        stats::share(question.rate),
        percent(question.confidence),
    );
}

/// A share in percent, with as many digits as it has.
fn percent(share: f64) -> String {
    format!("{:.2}", share * 100.0).trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn line(seen: &Seen, question: &Question) -> String {
    format!(
        "{} of {} known seeds, {} of {} fresh ones: it did not fail; gone with {} % confidence so far",
        seen.known,
        question.known.len(),
        seen.fresh,
        question.needed(),
        percent((stats::confidence_of(question.rate, seen.fresh) * 1000.0).floor() / 1000.0),
    )
}

/// The answer for people.
fn text(group: &Group, question: &Question, seen: &Seen, conclusion: Conclusion) -> String {
    let rarest = stats::share(question.rate);
    let runs = format!("{} known and {}", seen.known, many(seen.fresh as usize, "fresh seed"));
    let mut out = match conclusion {
        Conclusion::Still => {
            let run = seen.again.as_ref().expect("it failed again");
            let kept = run.run.as_ref().map_or_else(String::new, |run| {
                format!("\n    see it again: snowglobe replay {run}\n    shrink it:    snowglobe shrink {run}")
            });
            let found = run.findings.iter().find(|finding| finding.is_like(&question.finding));
            let what = found.and_then(|finding| finding.text.lines().next()).unwrap_or(&run.reason);
            format!("g{} is still there: seed {}, {what}{kept}\n", group.id, run.seed)
        }
        Conclusion::Gone => format!(
            "g{} is gone with {} % confidence: {runs} ran without it\n    that is so if it would fail as often as before \
             (with at least {rarest} seeds); a change that only made it rarer than that is not told from one that mended it\n",
            group.id,
            percent(question.confidence),
        ),
        Conclusion::CannotSay(sure) => format!(
            "g{} was not seen, but gone cannot be said: {runs} ran without it, which says so with {} % confidence only \
             ({} fresh ones would say it with {} %)\n",
            group.id,
            percent((sure * 1000.0).floor() / 1000.0),
            question.needed(),
            percent(question.confidence),
        ),
        Conclusion::Nondeterministic => {
            format!("determinism is broken: seed {} did not run the same twice\n", seen.differed[0])
        }
    };
    if seen.unknown > 0 {
        out += &format!("{} could not be judged, and count for nothing\n", many(seen.unknown as usize, "run"));
    }
    for ((kind, key), (n, run)) in &seen.others {
        out += &format!("another failure, {kind}: {key} ({}, first seed {})\n", many(*n as usize, "run"), run.seed);
        if let Some(run) = &run.run {
            out += &format!("    see it again: snowglobe replay {run}\n");
        }
    }
    out
}

fn object(group: &Group, question: &Question, seen: &Seen, conclusion: Conclusion) -> Value {
    let name = match conclusion {
        Conclusion::Still => "still",
        Conclusion::Gone => "gone",
        Conclusion::CannotSay(_) => "cannot_say",
        Conclusion::Nondeterministic => "nondeterministic",
    };
    json!({
        "group": format!("g{}", group.id),
        "conclusion": name,
        "confidence": match conclusion {
            Conclusion::Gone => Some(question.confidence),
            Conclusion::CannotSay(sure) => Some(sure),
            _ => None,
        },
        "rate_low": question.rate,
        "known": seen.known,
        "fresh": seen.fresh,
        "fresh_needed": question.needed(),
        "unknown": seen.unknown,
        "again": seen.again.as_ref().map(|run| json!({"seed": run.seed, "reason": run.reason, "run": run.run})),
        "others": seen.others.iter().map(|((kind, key), (n, run))| json!({
            "kind": kind, "key": key, "runs": n, "seed": run.seed, "run": run.run,
        })).collect::<Vec<Value>>(),
        "nondeterministic": seen.differed,
    })
}
