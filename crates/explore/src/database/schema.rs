//! The tables, their version, and what can be wrong with them.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use snowglobe_world::Problem;

use crate::trouble::Trouble;

/// Version of the tables.
const VERSION: i64 = 2;
/// Tells a database of snowglobe's from another: `snow`.
const APPLICATION: i64 = 0x736e_6f77;
/// How long one explorer waits for another to have written.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tables as they were in version 1.
const TABLES_1: &str = "
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

/// What version 2 added.
const TABLES_2: &str = "
CREATE TABLE assertions (       -- inside programs, over all runs of a campaign
    campaign INTEGER NOT NULL REFERENCES campaigns,
    claim TEXT NOT NULL,
    message TEXT NOT NULL,
    location TEXT NOT NULL,
    runs INTEGER NOT NULL,      -- in so many it is in the catalogue
    holds INTEGER NOT NULL,     -- how often it was reached with its condition true
    fails INTEGER NOT NULL,     -- and false
    held INTEGER,               -- the seed, as a signed number, of the first run in which it held
    failed INTEGER,             -- and of the first in which its condition was false
    details TEXT,               -- of the first failure
    PRIMARY KEY (campaign, claim, message)
) WITHOUT ROWID;
CREATE TABLE faults (           -- by kind, over all runs of a campaign
    campaign INTEGER NOT NULL REFERENCES campaigns,
    kind TEXT NOT NULL,
    runs INTEGER NOT NULL,      -- in so many it was on
    planned INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    PRIMARY KEY (campaign, kind)
) WITHOUT ROWID;
";

/// Runs of version 1 did not keep what became of assertions and faults. No campaign may go on from them: what they made true would be
/// said never to have been.
const FROM_1: &str = "UPDATE campaigns SET key = 'version 1: ' || key";

/// Opens a database and sees to its tables.
pub fn open(path: &Path) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Two explorers may begin in a new folder at once: the second finds the tables of the first.
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    prepare(&change)?;
    change.commit()?;
    Ok(connection)
}

/// Makes the tables, or brings those of an earlier version up to this one.
fn prepare(change: &Transaction<'_>) -> Result<(), Error> {
    let number = |name: &str| change.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (number("application_id")?, number("user_version")?) {
        (0, 0) if tables == 0 => {
            change.execute_batch(TABLES_1)?;
            change.execute_batch(TABLES_2)?;
            change.pragma_update(None, "application_id", APPLICATION)?;
        }
        (APPLICATION, VERSION) => return Ok(()),
        (APPLICATION, 1) => {
            change.execute_batch(TABLES_2)?;
            change.execute_batch(FROM_1)?;
        }
        (APPLICATION, version) => return Err(Error::Version(version)),
        _ => return Err(Error::Foreign),
    }
    Ok(change.pragma_update(None, "user_version", VERSION)?)
}

/// What can be wrong with a database.
pub enum Error {
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
    /// What the operator is told of the database at this path.
    pub fn trouble(self, path: &Path) -> Trouble {
        let name = path.display();
        match self {
            Error::Version(version) => Trouble::usage(
                Problem::new(format!("{name} is of version {version}, and this snowglobe knows version {VERSION}"))
                    .help("a newer snowglobe wrote it: use that one, or explore in another folder"),
            ),
            Error::Foreign => Trouble::usage(
                Problem::new(format!("{name} is a database, but not one of snowglobe's"))
                    .help("move it away, or explore in another folder"),
            ),
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
                Problem::new(format!("the table of runs {name} cannot be used: {error}")).help(help).into()
            }
        }
    }
}
