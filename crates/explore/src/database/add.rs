//! What one run adds to the tables.

use rusqlite::{OptionalExtension, Transaction, params};
use snowglobe_check::Finding;
use snowglobe_check::assertions::Assertion;
use snowglobe_world::faults::record::KindRecord;
use snowglobe_world::rundir::Verdict;

use super::{Added, Campaign};
use crate::job::Outcome;

/// Adds a run; `again` is whether it was the same when it was run again.
pub fn run(
    change: &Transaction<'_>,
    campaign: &Campaign,
    run: &Outcome,
    again: Option<bool>,
) -> rusqlite::Result<Added> {
    let list = serde_json::to_string(&run.points).expect("plain data can always be written");
    change.execute("INSERT OR IGNORE INTO points (list) VALUES (?1)", [&list])?;
    let points: i64 = change.query_row("SELECT id FROM points WHERE list = ?1", [&list], |row| row.get(0))?;
    let known: Option<(i64, String, i64)> = change
        .query_row(
            "SELECT id, digest, points FROM runs WHERE campaign = ?1 AND seed = ?2",
            params![campaign.id, run.seed as i64],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    if let Some((id, digest, with)) = known {
        // With other points it is another run.
        if with != points {
            return Ok(Added::Known);
        }
        let same = digest == run.digest;
        let (again, verdict) = if same { (1, None) } else { (2, Some(Verdict::Nondeterministic.name())) };
        change.execute(
            "UPDATE runs SET again = max(again, ?2), verdict = coalesce(?3, verdict) WHERE id = ?1",
            params![id, again, verdict],
        )?;
        return Ok(if same { Added::Known } else { Added::Differs });
    }
    let (again, verdict) = match again {
        None => (0, run.verdict),
        Some(true) => (1, run.verdict),
        Some(false) => (2, Verdict::Nondeterministic),
    };
    change.execute(
        "INSERT INTO runs (campaign, seed, verdict, reason, digest, virtual_ns, wall_ns, events, calls, points, again, kept)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            campaign.id,
            run.seed as i64,
            verdict.name(),
            run.reason,
            run.digest,
            run.virtual_ns as i64,
            run.wall_ns as i64,
            run.events as i64,
            run.calls as i64,
            points,
            again,
            run.run,
        ],
    )?;
    let id = change.last_insert_rowid();
    // What cannot be seen again is no failure of the world's, and nothing else that the world did either.
    if verdict == Verdict::Nondeterministic {
        return Ok(Added::New);
    }
    for assertion in &run.assertions.assertions {
        add_assertion(change, campaign, run, assertion)?;
    }
    for kind in &run.faults {
        add_faults(change, campaign, kind)?;
    }
    if verdict == Verdict::Failed {
        for finding in &run.findings {
            add_finding(change, campaign, id, finding)?;
        }
    }
    Ok(Added::New)
}

fn add_finding(change: &Transaction<'_>, campaign: &Campaign, run: i64, finding: &Finding) -> rusqlite::Result<()> {
    let Finding { kind, key, text } = finding;
    change.execute(
        "INSERT OR IGNORE INTO failures (campaign, kind, key) VALUES (?1, ?2, ?3)",
        params![campaign.id, kind.name(), key],
    )?;
    change.execute(
        "INSERT OR IGNORE INTO findings (run, failure, text) SELECT ?1, id, ?5 FROM failures
         WHERE campaign = ?2 AND kind = ?3 AND key = ?4",
        params![run, campaign.id, kind.name(), key, text],
    )?;
    Ok(())
}

fn add_assertion(
    change: &Transaction<'_>,
    campaign: &Campaign,
    run: &Outcome,
    new: &Assertion,
) -> rusqlite::Result<()> {
    let seed = |times: u64| (times > 0).then_some(run.seed as i64);
    change.execute(
        "INSERT INTO assertions (campaign, claim, message, location, runs, holds, fails, held, failed, details)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT DO UPDATE SET runs = runs + 1, holds = holds + ?5, fails = fails + ?6,
            held = coalesce(held, ?7), failed = coalesce(failed, ?8), details = coalesce(details, ?9)",
        params![
            campaign.id,
            new.claim.name(),
            new.message,
            new.location,
            new.holds as i64,
            new.fails as i64,
            seed(new.holds),
            seed(new.fails),
            new.details,
        ],
    )?;
    Ok(())
}

fn add_faults(change: &Transaction<'_>, campaign: &Campaign, of: &KindRecord) -> rusqlite::Result<()> {
    change.execute(
        "INSERT INTO faults (campaign, kind, runs, planned, hits) VALUES (?1, ?2, 1, ?3, ?4)
         ON CONFLICT DO UPDATE SET runs = runs + 1, planned = planned + ?3, hits = hits + ?4",
        params![campaign.id, of.kind, of.planned as i64, of.hits as i64],
    )?;
    Ok(())
}
