//! The table of runs: `.snowglobe/explore.db`.
//!
//! A run is what its recorded inputs make of it, so a row is never changed but by what a second run of the same says of it.
//! Explorers of several campaigns, and of several shards of one, may have it open at once.

mod add;
mod schema;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::types::Type;
use rusqlite::{Connection, Row, TransactionBehavior, params};
use snowglobe_abi::spec::{Nanos, YieldPoint};
use snowglobe_check::assertions::{Assertion, Claim};
use snowglobe_check::{Finding, Kind};
use snowglobe_world::Problem;
use snowglobe_world::faults::record::KindRecord;
use snowglobe_world::rundir::BinaryRecord;

use crate::job::Outcome;
use crate::seeds::Shard;
use crate::trouble::Trouble;

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

/// What became of an assertion inside programs, over all runs of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// What it says, and how often it held and failed in all.
    pub assertion: Assertion,
    /// Runs in whose catalogue it is.
    pub runs: u64,
    /// The seed of the first run that was kept in which it held.
    pub held: Option<u64>,
    /// The seed of the first in which its condition was false.
    pub failed: Option<u64>,
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
    pub fn open(dir: &Path) -> Result<Database, Trouble> {
        fs::create_dir_all(dir).map_err(|e| {
            Problem::new(format!("cannot make {}: {e}", dir.display()))
                .help("run snowglobe in a directory that you may write to")
        })?;
        let path = dir.join("explore.db");
        match schema::open(&path) {
            Ok(connection) => Ok(Database { connection, path }),
            Err(error) => Err(error.trouble(&path)),
        }
    }

    /// Opens the database of a folder, if there is one.
    ///
    /// # Errors
    /// As with [`Database::open`].
    pub fn open_existing(dir: &Path) -> Result<Option<Database>, Trouble> {
        if dir.join("explore.db").exists() { Database::open(dir).map(Some) } else { Ok(None) }
    }

    fn trouble(&self, error: rusqlite::Error) -> Trouble {
        schema::Error::from(error).trouble(&self.path)
    }

    /// The campaigns with this key, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn campaigns_of(&self, key: &str) -> Result<Vec<Campaign>, Trouble> {
        self.select_campaigns("WHERE key = ?1 ORDER BY id DESC", &[&key])
    }

    /// All campaigns, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn campaigns(&self) -> Result<Vec<Campaign>, Trouble> {
        self.select_campaigns("ORDER BY id", &[])
    }

    /// A campaign by its number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn campaign(&self, id: i64) -> Result<Option<Campaign>, Trouble> {
        Ok(self.select_campaigns("WHERE id = ?1", &[&id])?.pop())
    }

    fn select_campaigns(&self, rest: &str, with: &[&dyn rusqlite::ToSql]) -> Result<Vec<Campaign>, Trouble> {
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
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// Begins a campaign, or finds the one that another explorer began in the same moment.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&self, identity: &Identity<'_>, binaries: &[BinaryRecord]) -> Result<Campaign, Trouble> {
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
        let id = add().map_err(|e| self.trouble(e))?;
        Ok(self.campaign(id)?.expect("it was just written"))
    }

    /// Marks a shard of a campaign as one that is explored, for as long as the result lives and this process does.
    ///
    /// # Errors
    /// Somebody explores it.
    pub fn hold(&self, campaign: &Campaign, shard: Shard) -> Result<File, Trouble> {
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
                let problem = Problem::new(format!("another snowglobe explores {} here now", campaign.world.display()));
                let help = "wait for it, share the seeds with `--shard 1/2` and `--shard 2/2`, or use another folder";
                Err(Trouble::usage(problem.help(help)))
            }
        }
    }

    /// The seeds of a campaign that were run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn seeds(&self, campaign: &Campaign) -> Result<Vec<u64>, Trouble> {
        let read = || {
            let mut select = self.connection.prepare("SELECT seed FROM runs WHERE campaign = ?1")?;
            let rows = select.query_map([campaign.id], |row| Ok(row.get::<_, i64>(0)? as u64))?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// The loops that the newest runs of a campaign gave way at: those of all its runs, since they only become more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn points(&self, campaign: &Campaign) -> Result<Vec<YieldPoint>, Trouble> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT list FROM points WHERE id IN (SELECT DISTINCT points FROM runs WHERE campaign = ?1)",
            )?;
            let rows = select.query_map([campaign.id], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<String>, _>>()
        };
        let lists = read().map_err(|e: rusqlite::Error| self.trouble(e))?;
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
    pub fn add(&mut self, campaign: &Campaign, run: &Outcome, again: Option<bool>) -> Result<Added, Trouble> {
        let add = |connection: &mut Connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let added = add::run(&change, campaign, run, again)?;
            change.commit()?;
            Ok(added)
        };
        add(&mut self.connection).map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// What a campaign's runs came to.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn tally(&self, campaign: i64) -> Result<Tally, Trouble> {
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
            .map_err(|e| self.trouble(e))
    }

    /// The kinds of failure of a campaign, the most frequent first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn groups(&self, campaign: i64) -> Result<Vec<Group>, Trouble> {
        let mut groups = self.select_groups("WHERE f.campaign = ?1", campaign)?;
        groups.sort_by_key(|group| (std::cmp::Reverse(group.hits), group.id));
        Ok(groups)
    }

    /// A kind of failure by its number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn group(&self, id: i64) -> Result<Option<Group>, Trouble> {
        Ok(self.select_groups("WHERE f.id = ?1", id)?.pop())
    }

    fn select_groups(&self, rest: &str, with: i64) -> Result<Vec<Group>, Trouble> {
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
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// The runs with a failure, in the order of their seeds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sightings(&self, group: i64) -> Result<Vec<Sighting>, Trouble> {
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
        let mut found = read().map_err(|e: rusqlite::Error| self.trouble(e))?;
        found.sort_by_key(|sighting| sighting.seed);
        Ok(found)
    }

    /// The group of each finding of a kept run: by the run's ID.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn groups_of_run(&self, kept: &str) -> Result<Vec<(i64, Finding)>, Trouble> {
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
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// The runs that were not the same when they were run again, by their seeds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn differing(&self, campaign: i64) -> Result<Vec<u64>, Trouble> {
        let read = || {
            let mut select =
                self.connection.prepare("SELECT seed FROM runs WHERE campaign = ?1 AND again = 2 ORDER BY id")?;
            let rows = select.query_map([campaign], |row| Ok(row.get::<_, i64>(0)? as u64))?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// What became of the assertions inside programs, over all runs of a campaign.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn assertions(&self, campaign: i64) -> Result<Vec<Asserted>, Trouble> {
        let read = || {
            let mut select = self.connection.prepare(
                "SELECT claim, message, location, holds, fails, details, runs, held, failed FROM assertions
                 WHERE campaign = ?1 ORDER BY claim, message",
            )?;
            let seed =
                |row: &Row<'_>, column| row.get::<_, Option<i64>>(column).map(|seed| seed.map(|seed| seed as u64));
            let rows = select.query_map([campaign], |row| {
                Ok(Asserted {
                    assertion: Assertion {
                        claim: claim(row, 0)?,
                        message: row.get(1)?,
                        location: row.get(2)?,
                        holds: row.get::<_, i64>(3)? as u64,
                        fails: row.get::<_, i64>(4)? as u64,
                        details: row.get(5)?,
                    },
                    runs: row.get::<_, i64>(6)? as u64,
                    held: seed(row, 7)?,
                    failed: seed(row, 8)?,
                })
            })?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// What became of each kind of fault, over all runs of a campaign, with in how many runs it was on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn faults(&self, campaign: i64) -> Result<Vec<(KindRecord, u64)>, Trouble> {
        let read = || {
            let mut select = self
                .connection
                .prepare("SELECT kind, planned, hits, runs FROM faults WHERE campaign = ?1 ORDER BY kind")?;
            let rows = select.query_map([campaign], |row| {
                let (planned, hits) = (row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64);
                Ok((KindRecord { kind: row.get(0)?, planned, hits }, row.get::<_, i64>(3)? as u64))
            })?;
            rows.collect::<Result<_, _>>()
        };
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }

    /// The reasons for which runs could not be judged, the most frequent first, with how often and a seed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn unknowns(&self, campaign: i64) -> Result<Vec<(String, u64, u64)>, Trouble> {
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
        read().map_err(|e: rusqlite::Error| self.trouble(e))
    }
}

/// Reads the kind of a finding.
fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let name: String = row.get(column)?;
    let unknown = || rusqlite::Error::InvalidColumnType(column, format!("kind `{name}`"), Type::Text);
    Kind::of_name(&name).ok_or_else(unknown)
}

/// Reads what an assertion says.
fn claim(row: &Row<'_>, column: usize) -> rusqlite::Result<Claim> {
    let name: String = row.get(column)?;
    let unknown = || rusqlite::Error::InvalidColumnType(column, format!("claim `{name}`"), Type::Text);
    Claim::of_name(&name).ok_or_else(unknown)
}
