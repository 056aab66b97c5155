//! A table of runs in a folder of its own.

use super::*;
use crate::director::tests::outcome;
use snowglobe_check::assertions::Catalogue;
use snowglobe_world::rundir::Verdict;
use tempfile::TempDir;

fn open() -> (TempDir, Database) {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(dir.path()).unwrap();
    (dir, database)
}

fn identity(key: &str) -> Identity<'_> {
    Identity { key, label: "w", world: Path::new("w.yaml"), snowglobe: "1.0", now: "2026-01-01T00:00:00Z" }
}

fn with(seed: u64, verdict: Verdict, findings: &[(Kind, &str)]) -> Outcome {
    let finding = |(kind, key): &(Kind, &str)| Finding::new(*kind, *key, format!("{key} of {seed}"));
    Outcome { findings: findings.iter().map(finding).collect(), ..outcome(seed, verdict) }
}

#[test]
fn failures_are_grouped_by_what_failed() {
    let (_dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    for seed in 0..20 {
        let run = match seed {
            3 | 7 | 11 => with(seed, Verdict::Failed, &[(Kind::Exit, "client")]),
            8 => with(seed, Verdict::Failed, &[(Kind::Exit, "client"), (Kind::Crash, "server")]),
            5 => with(seed, Verdict::Unknown, &[]),
            _ => with(seed, Verdict::Passed, &[]),
        };
        let run = Outcome { run: (seed == 7).then(|| "0001-w".into()), ..run };
        assert_eq!(database.add(&campaign, &run, (seed == 7).then_some(true)).unwrap(), Added::New);
    }
    let groups = database.groups(campaign.id).unwrap();
    let told: Vec<_> = groups.iter().map(|g| (g.key.as_str(), g.hits, g.judged, g.shortest.seed)).collect();
    // Of those that are kept the shortest, where one is.
    assert_eq!(told, [("client", 4, 19, 7), ("server", 1, 19, 8)]);
    assert_eq!(groups[0].shortest.text, "client of 7");
    let tally = database.tally(campaign.id).unwrap();
    assert_eq!((tally.passed, tally.failed, tally.unknown, tally.same), (15, 4, 1, 1));
    let seeds: Vec<u64> = database.sightings(groups[0].id).unwrap().iter().map(|s| s.seed).collect();
    assert_eq!(seeds, [3, 7, 8, 11]);
    assert_eq!(database.groups_of_run("0001-w").unwrap().len(), 1);
    assert_eq!(database.unknowns(campaign.id).unwrap(), [("because".to_owned(), 1, 5)]);
    assert_eq!(database.group(groups[1].id).unwrap().as_ref(), Some(&groups[1]));
    assert_eq!(database.group(99).unwrap(), None);
}

#[test]
fn what_was_run_is_known_when_it_is_opened_again() {
    let (dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    let points = vec![YieldPoint { file: "/lib/x".into(), offset: 7, made: None }];
    let seeds = [1, u64::MAX, 3];
    for seed in seeds {
        let run = Outcome { virtual_ns: 1, points: points.clone(), ..outcome(1, Verdict::Passed) };
        database.add(&campaign, &Outcome { seed, ..run }, None).unwrap();
    }
    drop(database);
    let database = Database::open_existing(dir.path()).unwrap().unwrap();
    assert_eq!(database.campaigns_of("k").unwrap(), std::slice::from_ref(&campaign));
    assert_eq!(database.campaigns_of("other").unwrap(), []);
    let mut known = database.seeds(&campaign).unwrap();
    known.sort_unstable();
    assert_eq!(known, [1, 3, u64::MAX]);
    assert_eq!(database.points(&campaign).unwrap(), points);
}

#[test]
fn a_run_that_two_explorers_made_counts_once_and_must_be_the_same() {
    let (dir, mut first) = open();
    let mut second = Database::open(dir.path()).unwrap();
    let campaign = first.begin(&identity("k"), &[]).unwrap();
    assert_eq!(second.begin(&identity("k"), &[]).unwrap(), campaign);
    let run = outcome(1, Verdict::Passed);
    assert_eq!(first.add(&campaign, &run, None).unwrap(), Added::New);
    assert_eq!(second.add(&campaign, &run, None).unwrap(), Added::Known);
    assert_eq!(first.tally(campaign.id).unwrap().runs(), 1);
    let other = Outcome { digest: "else".into(), ..run.clone() };
    assert_eq!(second.add(&campaign, &other, None).unwrap(), Added::Differs);
    assert_eq!(first.tally(campaign.id).unwrap().passed, 0);
    assert_eq!(first.differing(campaign.id).unwrap(), [1]);
    // With other yield points it is another run, and says nothing of the first.
    let learned = Outcome { points: vec![YieldPoint { file: "/a".into(), offset: 1, made: None }], ..other };
    assert_eq!(second.add(&campaign, &learned, None).unwrap(), Added::Known);
}

fn asserts(claim: Claim, message: &str, holds: u64, fails: u64) -> Assertion {
    let (message, location) = (message.to_owned(), "a.py:3".to_owned());
    Assertion { claim, message, location, holds, fails, details: (fails > 0).then(|| format!("{fails}")) }
}

#[test]
fn assertions_are_about_all_runs_together() {
    let (_dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    for seed in 0..4 {
        let assertions = vec![
            asserts(Claim::Sometimes, "a leader changes", u64::from(seed == 2), seed),
            asserts(Claim::Sometimes, "a snapshot is taken", 0, 0),
            asserts(Claim::Always, "no write is lost", 5, 0),
        ];
        let assertions = Catalogue { assertions, setups: 1 };
        let run = Outcome { assertions, ..outcome(seed, Verdict::Passed) };
        database.add(&campaign, &run, None).unwrap();
        // Another explorer that ran it too adds nothing.
        database.add(&campaign, &run, None).unwrap();
    }
    // What is not the same twice made nothing true.
    let assertions = Catalogue { assertions: vec![asserts(Claim::Sometimes, "a snapshot is taken", 1, 0)], setups: 1 };
    database.add(&campaign, &Outcome { assertions, ..outcome(9, Verdict::Passed) }, Some(false)).unwrap();
    let all = database.assertions(campaign.id).unwrap();
    let told: Vec<_> = all.iter().map(|a| (a.assertion.holds, a.assertion.fails, a.runs, a.held, a.failed)).collect();
    assert_eq!(told, [(20, 0, 4, Some(0), None), (1, 6, 4, Some(2), Some(1)), (0, 0, 4, None, None)]);
    assert_eq!(all[1].assertion.details.as_deref(), Some("1"));
    let assertions = all.into_iter().map(|known| known.assertion).collect();
    let missing = Catalogue { assertions, setups: 0 }.judge_all();
    assert_eq!(missing.iter().map(|f| f.key.as_str()).collect::<Vec<_>>(), ["sometimes/a snapshot is taken"]);
}

#[test]
fn what_faults_hit_is_counted_over_all_runs() {
    let (_dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    for seed in 0..3 {
        let kind = |kind: &str, hits| KindRecord { kind: kind.into(), planned: 2, hits };
        let faults = if seed == 1 { vec![kind("kill", 1)] } else { vec![kind("kill", 0), kind("cut", 0)] };
        database.add(&campaign, &Outcome { faults, ..outcome(seed, Verdict::Passed) }, None).unwrap();
    }
    let kind = |kind: &str, planned, hits| KindRecord { kind: kind.into(), planned, hits };
    assert_eq!(database.faults(campaign.id).unwrap(), [(kind("cut", 4, 0), 2), (kind("kill", 6, 1), 3)]);
}

#[test]
fn a_database_of_version_1_is_brought_up_and_its_campaigns_are_closed() {
    let (dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    database.add(&campaign, &outcome(1, Verdict::Failed), Some(true)).unwrap();
    let back = "DROP TABLE assertions; DROP TABLE faults; PRAGMA user_version = 1";
    database.connection.execute_batch(back).unwrap();
    drop(database);
    let mut database = Database::open(dir.path()).unwrap();
    assert_eq!(database.campaigns_of("k").unwrap(), []);
    assert_eq!(database.groups(campaign.id).unwrap().len(), 1);
    let next = database.begin(&identity("k"), &[]).unwrap();
    let assertions = Catalogue { assertions: vec![asserts(Claim::Always, "x", 1, 0)], setups: 0 };
    database.add(&next, &Outcome { assertions, ..outcome(1, Verdict::Passed) }, None).unwrap();
    assert_eq!(database.assertions(next.id).unwrap().len(), 1);
    drop(database);
    Database::open(dir.path()).unwrap();
}

#[test]
fn a_run_that_differs_from_itself_is_no_failure() {
    let (_dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    database.add(&campaign, &outcome(1, Verdict::Failed), Some(false)).unwrap();
    assert_eq!(database.groups(campaign.id).unwrap(), []);
    let tally = database.tally(campaign.id).unwrap();
    assert_eq!((tally.differed, tally.failed, tally.runs()), (1, 0, 1));
}

#[test]
fn one_explorer_has_a_shard_at_a_time() {
    let (dir, database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    let second = Database::open(dir.path()).unwrap();
    let held = database.hold(&campaign, Shard::WHOLE).unwrap();
    let refused = second.hold(&campaign, Shard::WHOLE).unwrap_err();
    assert!(refused.usage && refused.problem.message().contains("another snowglobe explores"), "{refused:?}");
    second.hold(&campaign, Shard { index: 2, of: 2 }).unwrap();
    drop(held);
    second.hold(&campaign, Shard::WHOLE).unwrap();
}

#[track_caller]
fn refused(dir: &Path, what: &str) {
    let problem = Database::open(dir).err().expect("it is refused").problem;
    assert!(problem.message().contains(what), "{problem}");
    assert!(problem.advice().is_some());
}

#[test]
fn databases_that_are_not_understood_are_refused_and_left_alone() {
    let (dir, database) = open();
    database.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    refused(dir.path(), "of version 99");
    let path = dir.path().join("explore.db");
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE photos (id)").unwrap();
    refused(dir.path(), "not one of snowglobe's");
    fs::write(&path, [b'x'; 5000]).unwrap();
    refused(dir.path(), "cannot be used");
    assert_eq!(fs::read(&path).unwrap(), [b'x'; 5000]);
}

#[test]
fn a_full_disk_keeps_what_is_there_and_counts_nothing_that_is_not() {
    let (_dir, mut database) = open();
    let campaign = database.begin(&identity("k"), &[]).unwrap();
    let pages: i64 = database.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    database.connection.pragma_update(None, "max_page_count", pages + 3).unwrap();
    let mut kept = 0;
    let problem = loop {
        match database.add(&campaign, &outcome(kept, Verdict::Passed), None) {
            Ok(_) => kept += 1,
            Err(trouble) => break trouble.problem,
        }
        assert!(kept < 1000);
    };
    assert!(problem.advice().unwrap().contains("free some disk space"), "{problem}");
    assert_eq!(database.tally(campaign.id).unwrap().passed, kept);
    assert_eq!(database.seeds(&campaign).unwrap().len() as u64, kept);
}
