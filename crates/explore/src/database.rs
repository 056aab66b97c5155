//! The table of runs: `.snowglobe/explore.db`.
//!
//! A run is what its recorded inputs make of it, so a row is never changed but by what a second run of the same says of it.
//! Explorers of several campaigns, and of several shards of one, may have it open at once.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, params};
use snowglobe_abi::spec::{Nanos, YieldPoint};
use snowglobe_check::{Finding, Kind};
use snowglobe_world::Problem;
use snowglobe_world::rundir::{BinaryRecord, Verdict};

use crate::job::Outcome;
use crate::seeds::Shard;

/// Version of the tables.
const VERSION: i64 = 1;
/// Tells a database of snowglobe's from another: `snow`.
const APPLICATION: i64 = 0x736e_6f77;
/// How long one explorer waits for another to have written.
const PATIENCE: Duration = Duration::from_secs(60);

const TABLES: &str = "
CREATE TABLE campaigns (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,          -- hash of what was given: world, files, version
    label TEXT NOT NULL,
    world TEXT NOT NULL,        -- path of the world file
    snowglobe TEXT NOT NULL,    -- version
    began TEXT NOT NULL,        -- by the machine's clock, RFC 3339
    binaries TEXT NOT NULL,     -- what the first run executed, JSON
    UNIQUE (key, binaries)
);
CREATE TABLE points (
    id INTEGER PRIMARY KEY,
    list TEXT NOT NULL UNIQUE   -- loops that gave way from the beginning, JSON
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaigns,
    seed INTEGER NOT NULL,      -- as a signed number
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    digest TEXT NOT NULL,
    virtual_ns INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL,
    events INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    points INTEGER NOT NULL REFERENCES points,
    again INTEGER NOT NULL,     -- 0: run once, 1: run again and the same, 2: run again and not the same
    kept TEXT,                  -- ID of the run directory
    UNIQUE (campaign, seed)
);
CREATE TABLE failures (         -- the kinds of failure of a campaign
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaigns,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    UNIQUE (campaign, kind, key)
);
CREATE TABLE findings (
    run INTEGER NOT NULL REFERENCES runs,
    failure INTEGER NOT NULL REFERENCES failures,
    text TEXT NOT NULL,
    PRIMARY KEY (run, failure)
) WITHOUT ROWID;
CREATE INDEX findings_by_failure ON findings (failure);
";

/// An open database.
pub struct Database {
    connection: Connection,
    path: PathBuf,
}

/// Runs of one world with the same files and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its number.
    pub id: i64,
    /// The label of its runs.
    pub label: String,
    /// The world file.
    pub world: PathBuf,
    /// Snowglobe's version.
    pub snowglobe: String,
    /// When it began.
    pub began: String,
    /// What its first run executed.
    pub binaries: Vec<BinaryRecord>,
}

/// What a campaign is known by before its first run.
pub struct Identity<'a> {
    /// Hash of world, files and version.
    pub key: &'a str,
    /// The label of its runs.
    pub label: &'a str,
    /// The world file.
    pub world: &'a Path,
    /// Snowglobe's version.
    pub snowglobe: &'a str,
    /// The time by the machine's clock.
    pub now: &'a str,
}

/// What runs of a campaign came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks passed.
    pub passed: u64,
    /// A check failed.
    pub failed: u64,
    /// Could not be judged.
    pub unknown: u64,
    /// Were not the same when they were run again.
    pub differed: u64,
    /// Were the same when they were run again.
    pub same: u64,
    /// Virtual nanoseconds in all.
    pub virtual_ns: u64,
    /// Nanoseconds on the machine in all, of one core.
    pub wall_ns: u64,
}

impl Tally {
    /// Runs.
    pub fn runs(&self) -> u64 {
        self.judged() + self.unknown + self.differed
    }

    /// Runs that passed or failed.
    pub fn judged(&self) -> u64 {
        self.passed + self.failed
    }
}

/// A kind of failure with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub id: i64,
    /// Its campaign's.
    pub campaign: i64,
    /// The kind of check.
    pub kind: Kind,
    /// What failed, without what differs between runs.
    pub key: String,
    /// Runs with it.
    pub hits: u64,
    /// Runs of the campaign that were judged.
    pub judged: u64,
    /// The shortest of them in virtual time; of those that are kept, where one is.
    pub shortest: Sighting,
}

/// A run in which something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its seed.
    pub seed: u64,
    /// Its virtual time.
    pub virtual_ns: Nanos,
    /// Its run directory's ID, where it is kept.
    pub kept: Option<String>,
    /// What failed, of this run.
    pub text: String,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New,
    /// Another explorer had run it, and it was the same.
    Known,
    /// Another explorer had run it with the same inputs, and it was not the same.
    Differs,
}

impl Database {
    /// Opens the database of a folder, and makes it where it is not there.
    ///
    /// # Errors
    /// It cannot be made or read, or is not one of ours, or a newer snowglobe's.
    pub fn open(dir: &Path) -> Result<Database, Problem> {
        fs::create_dir_all(dir).map_err(|e| {
            Problem::new(format!("cannot make {}: {e}", dir.display()))
                .help("run snowglobe in a directory that you may write to")
        })?;
        let path = dir.join("explore.db");
        Database::at(&path).map_err(|e| e.problem(&path))
    }

    /// Opens the database of a folder, if there is one.
    ///
    /// # Errors
    /// As with [`Database::open`].
    pub fn open_existing(dir: &Path) -> Result<Option<Database>, Problem> {
        if dir.join("explore.db").exists() { Database::open(dir).map(Some) } else { Ok(None) }
    }

    fn at(path: &Path) -> Result<Database, Error> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Two explorers may begin in a new folder at once: the second finds the tables of the first.
        let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let number = |name: &str| change.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        match (number("application_id")?, number("user_version")?) {
            (0, 0) if tables == 0 => {
                change.execute_batch(TABLES)?;
                change.pragma_update(None, "application_id", APPLICATION)?;
                change.pragma_update(None, "user_version", VERSION)?;
            }
            (APPLICATION, VERSION) => {}
            (APPLICATION, version) => return Err(Error::Version(version)),
            _ => return Err(Error::Foreign),
        }
        change.commit()?;
        Ok(Database { connection, path: path.to_owned() })
    }

    fn problem(&self, error: impl Into<Error>) -> Problem {
        error.into().problem(&self.path)
    }

    /// The campaigns with this key, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn campaigns_of(&self, key: &str) -> Result<Vec<Campaign>, Problem> {
        self.select_campaigns("WHERE key = ?1 ORDER BY id DESC", &[&key])
    }

    /// All campaigns, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn campaigns(&self) -> Result<Vec<Campaign>, Problem> {
        self.select_campaigns("ORDER BY id", &[])
    }

    /// A campaign by its number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn campaign(&self, id: i64) -> Result<Option<Campaign>, Problem> {
        Ok(self.select_campaigns("WHERE id = ?1", &[&id])?.pop())
    }

    fn select_campaigns(&self, rest: &str, with: &[&dyn rusqlite::ToSql]) -> Result<Vec<Campaign>, Problem> {
        let read = || {
            let sql = format!("SELECT id, label, world, snowglobe, began, binaries FROM campaigns {rest}");
            let mut select = self.connection.prepare(&sql)?;
            let rows = select.query_map(with, |row| {
                Ok(Campaign {
                    id: row.get(0)?,
                    label: row.get(1)?,
                    world: PathBuf::from(row.get::<_, String>(2)?),
                    snowglobe: row.get(3)?,
                    began: row.get(4)?,
                    binaries: serde_json::from_str(&row.get::<_, String>(5)?).unwrap_or_default(),
                })
            })?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.problem(e))
    }

    /// Begins a campaign, or finds the one that another explorer began in the same moment.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&self, identity: &Identity<'_>, binaries: &[BinaryRecord]) -> Result<Campaign, Problem> {
        let binaries = serde_json::to_string(binaries).expect("plain data can always be written");
        let world = identity.world.to_string_lossy();
        let add = || {
            self.connection.execute(
                "INSERT OR IGNORE INTO campaigns (key, label, world, snowglobe, began, binaries)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![identity.key, identity.label, world, identity.snowglobe, identity.now, binaries],
            )?;
            self.connection.query_row(
                "SELECT id FROM campaigns WHERE key = ?1 AND binaries = ?2",
                params![identity.key, binaries],
                |row| row.get::<_, i64>(0),
            )
        };
        let id = add().map_err(|e| self.problem(e))?;
        Ok(self.campaign(id)?.expect("it was just written"))
    }

    /// Marks a shard of a campaign as one that is explored, for as long as the result lives and this process does.
    ///
    /// # Errors
    /// Somebody explores it.
    pub fn hold(&self, campaign: &Campaign, shard: Shard) -> Result<File, Problem> {
        let name = format!(".explore-{}-{}-of-{}", campaign.id, shard.index, shard.of);
        let path = self.path.with_file_name(name);
        let file = File::create(&path).map_err(|e| {
            Problem::new(format!("cannot make {}: {e}", path.display())).help("check the disk and its permissions")
        })?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            // A file system without locks: rows that two write are still written once.
            Err(TryLockError::Error(_)) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(Problem::new(format!("another snowglobe explores {} here now", campaign.world.display()))
                    .help("wait for it, share the seeds with `--shard 1/2` and `--shard 2/2`, or use another folder"))
            }
        }
    }

    /// The seeds of a campaign that were run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn seeds(&self, campaign: &Campaign) -> Result<Vec<u64>, Problem> {
        let read = || {
            let mut select = self.connection.prepare("SELECT seed FROM runs WHERE campaign = ?1")?;
            let rows = select.query_map([campaign.id], |row| Ok(row.get::<_, i64>(0)? as u64))?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.problem(e))
    }

    /// The loops that the newest runs of a campaign gave way at: those of all its runs, since they only become more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn points(&self, campaign: &Campaign) -> Result<Vec<YieldPoint>, Problem> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT list FROM points WHERE id IN (SELECT DISTINCT points FROM runs WHERE campaign = ?1)",
            )?;
            let rows = select.query_map([campaign.id], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<String>, _>>()
        };
        let lists = read().map_err(|e: rusqlite::Error| self.problem(e))?;
        let mut points: Vec<YieldPoint> =
            lists.iter().flat_map(|list| serde_json::from_str::<Vec<YieldPoint>>(list).unwrap_or_default()).collect();
        points.sort();
        points.dedup();
        Ok(points)
    }

    /// Keeps a run: all of it or nothing. `again` is whether it was the same when it was run again.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, campaign: &Campaign, run: &Outcome, again: Option<bool>) -> Result<Added, Problem> {
        let add = |connection: &mut Connection| {
            let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let added = add_run(&change, campaign, run, again)?;
            change.commit()?;
            Ok(added)
        };
        add(&mut self.connection).map_err(|e: rusqlite::Error| self.problem(e))
    }

    /// What a campaign's runs came to.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tally(&self, campaign: i64) -> Result<Tally, Problem> {
        let number = |row: &Row<'_>, i| Ok::<u64, rusqlite::Error>(row.get::<_, Option<i64>>(i)?.unwrap_or(0) as u64);
        self.connection
            .query_row(
                "SELECT sum(verdict = 'passed'), sum(verdict = 'failed'), sum(verdict = 'unknown'), sum(again = 2),
                        sum(again = 1), sum(virtual_ns), sum(wall_ns) FROM runs WHERE campaign = ?1",
                [campaign],
                |row| {
                    Ok(Tally {
                        passed: number(row, 0)?,
                        failed: number(row, 1)?,
                        unknown: number(row, 2)?,
                        differed: number(row, 3)?,
                        same: number(row, 4)?,
                        virtual_ns: number(row, 5)?,
                        wall_ns: number(row, 6)?,
                    })
                },
            )
            .map_err(|e| self.problem(e))
    }

    /// The kinds of failure of a campaign, the most frequent first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn groups(&self, campaign: i64) -> Result<Vec<Group>, Problem> {
        let mut groups = self.select_groups("WHERE f.campaign = ?1", campaign)?;
        groups.sort_by_key(|group| (std::cmp::Reverse(group.hits), group.id));
        Ok(groups)
    }

    /// A kind of failure by its number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn group(&self, id: i64) -> Result<Option<Group>, Problem> {
        Ok(self.select_groups("WHERE f.id = ?1", id)?.pop())
    }

    fn select_groups(&self, rest: &str, with: i64) -> Result<Vec<Group>, Problem> {
        let read = || {
            let mut select = self.connection.prepare(&format!(
                "SELECT f.id, f.campaign, f.kind, f.key,
                        (SELECT count(*) FROM findings WHERE failure = f.id),
                        (SELECT count(*) FROM runs WHERE campaign = f.campaign AND verdict IN ('passed', 'failed')),
                        r.seed, r.virtual_ns, r.kept, s.text
                 FROM failures f JOIN findings s ON s.failure = f.id JOIN runs r ON r.id = s.run
                 {rest} AND r.id = (
                    SELECT x.id FROM runs x JOIN findings y ON y.run = x.id WHERE y.failure = f.id
                    ORDER BY x.kept IS NULL, x.virtual_ns, x.events, x.id LIMIT 1)"
            ))?;
            let rows = select.query_map([with], |row| {
                Ok(Group {
                    id: row.get(0)?,
                    campaign: row.get(1)?,
                    kind: kind(row, 2)?,
                    key: row.get(3)?,
                    hits: row.get::<_, i64>(4)? as u64,
                    judged: row.get::<_, i64>(5)? as u64,
                    shortest: Sighting {
                        seed: row.get::<_, i64>(6)? as u64,
                        virtual_ns: row.get::<_, i64>(7)? as u64,
                        kept: row.get(8)?,
                        text: row.get(9)?,
                    },
                })
            })?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.problem(e))
    }

    /// The runs with a failure, in the order of their seeds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sightings(&self, group: i64) -> Result<Vec<Sighting>, Problem> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT r.seed, r.virtual_ns, r.kept, s.text FROM findings s JOIN runs r ON r.id = s.run
                 WHERE s.failure = ?1 ORDER BY r.id",
            )?;
            let rows = select.query_map([group], |row| {
                Ok(Sighting {
                    seed: row.get::<_, i64>(0)? as u64,
                    virtual_ns: row.get::<_, i64>(1)? as u64,
                    kept: row.get(2)?,
                    text: row.get(3)?,
                })
            })?;
            rows.collect::<Result<Vec<Sighting>, _>>()
        };
        let mut found = read().map_err(|e: rusqlite::Error| self.problem(e))?;
        found.sort_by_key(|sighting| sighting.seed);
        Ok(found)
    }

    /// The group of each finding of a kept run: by the run's ID.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn groups_of_run(&self, kept: &str) -> Result<Vec<(i64, Finding)>, Problem> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT f.id, f.kind, f.key, s.text FROM runs r JOIN findings s ON s.run = r.id
                 JOIN failures f ON f.id = s.failure WHERE r.kept = ?1 ORDER BY f.id",
            )?;
            let rows = select.query_map([kept], |row| {
                Ok((row.get(0)?, Finding { kind: kind(row, 1)?, key: row.get(2)?, text: row.get(3)? }))
            })?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.problem(e))
    }

    /// The runs that were not the same when they were run again, by their seeds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn differing(&self, campaign: i64) -> Result<Vec<u64>, Problem> {
        let read = || {
            let mut select =
                self.connection.prepare("SELECT seed FROM runs WHERE campaign = ?1 AND again = 2 ORDER BY id")?;
            let rows = select.query_map([campaign], |row| Ok(row.get::<_, i64>(0)? as u64))?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.problem(e))
    }

    /// The reasons for which runs could not be judged, the most frequent first, with how often and a seed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn unknowns(&self, campaign: i64) -> Result<Vec<(String, u64, u64)>, Problem> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT reason, count(*), min(seed) FROM runs WHERE campaign = ?1 AND verdict = 'unknown'
                 GROUP BY reason ORDER BY count(*) DESC, reason LIMIT 10",
            )?;
            let rows = select.query_map([campaign], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64))
            })?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.problem(e))
    }
}

fn add_run(
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
    // What cannot be seen again is no failure of the world's.
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

/// Reads the kind of a finding.
fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let name: String = row.get(column)?;
    let unknown = || rusqlite::Error::InvalidColumnType(column, format!("kind `{name}`"), Type::Text);
    Kind::of_name(&name).ok_or_else(unknown)
}

/// What can be wrong with a database.
enum Error {
    Sqlite(rusqlite::Error),
    Version(i64),
    Foreign,
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Sqlite(error)
    }
}

impl Error {
    fn problem(self, path: &Path) -> Problem {
        let name = path.display();
        match self {
            Error::Version(version) => {
                Problem::new(format!("{name} is of version {version}, and this snowglobe knows version {VERSION}"))
                    .help("a newer snowglobe wrote it: use that one, or explore in another folder")
            }
            Error::Foreign => Problem::new(format!("{name} is a database, but not one of snowglobe's"))
                .help("move it away, or explore in another folder"),
            Error::Sqlite(error) => {
                let help = match error.sqlite_error_code() {
                    Some(ErrorCode::DiskFull) => {
                        "free some disk space and explore again: what was kept is not run again, and what was not kept \
                         does not count"
                    }
                    Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                        "it is damaged, or something else: move it away, or explore in another folder"
                    }
                    Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                        "another program holds it: wait for that one, or explore in another folder"
                    }
                    Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                        "run snowglobe in a directory that you may write to"
                    }
                    _ => "check the disk under it",
                };
                Problem::new(format!("the table of runs {name} cannot be used: {error}")).help(help)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::director::tests::outcome;
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
        assert!(refused.message().contains("another snowglobe explores"), "{refused}");
        second.hold(&campaign, Shard { index: 2, of: 2 }).unwrap();
        drop(held);
        second.hold(&campaign, Shard::WHOLE).unwrap();
    }

    #[track_caller]
    fn refused(dir: &Path, what: &str) {
        let problem = Database::open(dir).err().expect("it is refused");
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
                Err(problem) => break problem,
            }
            assert!(kept < 1000);
        };
        assert!(problem.advice().unwrap().contains("free some disk space"), "{problem}");
        assert_eq!(database.tally(campaign.id).unwrap().passed, kept);
        assert_eq!(database.seeds(&campaign).unwrap().len() as u64, kept);
    }
}
