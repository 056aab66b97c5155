//! PostgreSQL, by its protocol 3.0 (<https://www.postgresql.org/docs/current/protocol.html>) and simple queries.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use crate::client::{Client, Failure, Micro, Outcome, Seen, apply, parse_list, parse_number, show_list};
use crate::wire::{Nodes, Wire};
use crate::{Args, Isolation, Workload};

const PORT: u16 = 5432;

/// A client.
pub struct Postgres {
    nodes: Nodes,
    user: String,
    password: String,
    database: String,
    isolation: Option<Isolation>,
    read_modify_write: bool,
    wire: Option<Wire>,
}

/// Rows of text; `None` is NULL.
type Rows = Vec<Vec<Option<String>>>;

/// An error of the server's.
struct Refusal {
    state: String,
    text: String,
}

impl Refusal {
    /// Whether a statement that was refused so may have taken effect: the connection or the server went while it ran (classes 08,
    /// 57P, 58, XX).
    fn is_unclear(&self) -> bool {
        ["08", "57P", "58", "XX"].iter().any(|class| self.state.starts_with(class))
    }

    fn failure(self) -> Failure {
        let text = format!("{} {}", self.state, self.text);
        if self.is_unclear() { Failure::Unknown(text) } else { Failure::Not(text) }
    }
}

fn odd(what: impl std::fmt::Display) -> Failure {
    Failure::Unknown(what.to_string())
}

impl Postgres {
    /// It connects when it is first used.
    pub fn new(args: &Args, index: u32) -> Postgres {
        let user = args.user.clone().unwrap_or_else(|| "postgres".to_owned());
        Postgres {
            nodes: Nodes::new(&args.nodes, index),
            database: args.database.clone().unwrap_or_else(|| user.clone()),
            user,
            password: args.password.clone().or_else(|| std::env::var("PASSWORD").ok()).unwrap_or_default(),
            isolation: args.isolation,
            read_modify_write: args.read_modify_write,
            wire: None,
        }
    }

    /// The connection's wire, with the login behind it. Until then nothing can have happened.
    fn connected(&mut self, deadline: Instant) -> Outcome<&mut Wire> {
        if self.wire.is_none() {
            let mut wire = Wire::connect(self.nodes.now(), PORT, deadline)?;
            self.login(&mut wire, deadline).map_err(Failure::harmless)?;
            if let Some(isolation) = self.isolation {
                let level = match isolation {
                    Isolation::ReadCommitted => "READ COMMITTED",
                    Isolation::RepeatableRead => "REPEATABLE READ",
                    Isolation::Serializable => "SERIALIZABLE",
                };
                let set = format!("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}");
                query(&mut wire, &set, deadline).map_err(Failure::harmless)?.map_err(Refusal::failure)?;
            }
            self.wire = Some(wire);
        }
        Ok(self.wire.as_mut().expect("it was made above"))
    }

    fn login(&self, wire: &mut Wire, deadline: Instant) -> Outcome<()> {
        let mut out = BytesMut::new();
        frontend::startup_message([("user", &self.user[..]), ("database", &self.database[..])], &mut out)
            .map_err(odd)?;
        wire.send(&out, deadline)?;
        let mut scram = None;
        loop {
            let mut out = BytesMut::new();
            match message(wire, deadline)? {
                Message::AuthenticationCleartextPassword => {
                    frontend::password_message(self.password.as_bytes(), &mut out).map_err(odd)?;
                }
                Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(self.user.as_bytes(), self.password.as_bytes(), body.salt());
                    frontend::password_message(hash.as_bytes(), &mut out).map_err(odd)?;
                }
                Message::AuthenticationSasl(_) => {
                    let binding = sasl::ChannelBinding::unsupported();
                    let new = sasl::ScramSha256::new(self.password.as_bytes(), binding);
                    frontend::sasl_initial_response(sasl::SCRAM_SHA_256, new.message(), &mut out).map_err(odd)?;
                    scram = Some(new);
                }
                Message::AuthenticationSaslContinue(body) => {
                    let scram = scram.as_mut().ok_or_else(|| odd("a login out of order"))?;
                    scram.update(body.data()).map_err(odd)?;
                    frontend::sasl_response(scram.message(), &mut out).map_err(odd)?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    scram.as_mut().ok_or_else(|| odd("a login out of order"))?.finish(body.data()).map_err(odd)?;
                }
                Message::ErrorResponse(body) => return Err(refusal(&body)?.failure()),
                Message::ReadyForQuery(_) => return Ok(()),
                _ => {}
            }
            if !out.is_empty() {
                wire.send(&out, deadline)?;
            }
        }
    }

    /// One statement of its own.
    fn sql(&mut self, sql: &str, deadline: Instant) -> Outcome<Rows> {
        query(self.connected(deadline)?, sql, deadline)?.map_err(Refusal::failure)
    }

    fn number(&mut self, sql: &str, deadline: Instant) -> Outcome<Option<i64>> {
        single(&self.sql(sql, deadline)?)
    }

    /// A transaction: what comes before the commit has not happened if it fails. The answer is that of `work`; the second of
    /// it says whether to commit.
    fn transaction<T>(
        &mut self,
        deadline: Instant,
        work: impl FnOnce(&mut Postgres) -> Outcome<(T, bool)>,
    ) -> Outcome<T> {
        self.sql("BEGIN", deadline).map_err(Failure::harmless)?;
        match work(self) {
            Ok((result, true)) => match query(self.connected(deadline)?, "COMMIT", deadline)? {
                Ok(_) => Ok(result),
                Err(refusal) => Err(refusal.failure()),
            },
            Ok((result, false)) => {
                // The answer stands whatever becomes of a transaction without changes.
                if self.sql("ROLLBACK", deadline).is_err() {
                    self.wire = None;
                }
                Ok(result)
            }
            Err(failure) => {
                // Who forgets the connection rolls back.
                self.wire = None;
                Err(failure.harmless())
            }
        }
    }
}

/// One message of the server's.
fn message(wire: &mut Wire, deadline: Instant) -> Outcome<Message> {
    let head = wire.take(5, deadline)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let rest = length.checked_sub(4).ok_or_else(|| odd("a message that is too short"))?;
    let mut bytes = BytesMut::from(&head[..]);
    bytes.extend_from_slice(&wire.take(rest, deadline)?);
    Message::parse(&mut bytes).map_err(odd)?.ok_or_else(|| odd("half a message"))
}

fn refusal(body: &postgres_protocol::message::backend::ErrorResponseBody) -> Outcome<Refusal> {
    let mut refusal = Refusal { state: String::new(), text: String::new() };
    let mut fields = body.fields();
    while let Some(field) = fields.next().map_err(odd)? {
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => refusal.state = value,
            b'M' => refusal.text = value,
            _ => {}
        }
    }
    Ok(refusal)
}

/// A simple query: its rows, or why the server refused it.
fn query(wire: &mut Wire, sql: &str, deadline: Instant) -> Outcome<Result<Rows, Refusal>> {
    let mut out = BytesMut::new();
    frontend::query(sql, &mut out).map_err(odd)?;
    wire.send(&out, deadline)?;
    let (mut rows, mut refused) = (Rows::new(), None);
    loop {
        match message(wire, deadline)? {
            Message::DataRow(body) => {
                let mut ranges = body.ranges();
                let mut row = Vec::new();
                while let Some(range) = ranges.next().map_err(odd)? {
                    let text = range.and_then(|range| body.buffer().get(range));
                    row.push(text.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
                }
                rows.push(row);
            }
            Message::ErrorResponse(body) => refused = refused.or(Some(refusal(&body)?)),
            Message::CommandComplete(body) if sql == "COMMIT" && body.tag().map_err(odd)? == "ROLLBACK" => {
                let text = "the transaction had failed".to_owned();
                refused = Some(Refusal { state: "25P02".to_owned(), text });
            }
            Message::ReadyForQuery(_) => return Ok(refused.map_or(Ok(rows), Err)),
            _ => {}
        }
    }
}

/// The only field of the first row.
fn single(rows: &Rows) -> Outcome<Option<i64>> {
    rows.first().and_then(|row| row.first()).and_then(Option::as_deref).map(parse_number).transpose()
}

fn column(rows: &Rows) -> Outcome<Vec<i64>> {
    rows.iter().filter_map(|row| row.first()?.as_deref()).map(parse_number).collect()
}

const TABLES: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS sg_value (key text PRIMARY KEY, value bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sg_set (key text NOT NULL, value bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sg_queue (id bigserial PRIMARY KEY, key text NOT NULL, value bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sg_list (key text PRIMARY KEY, value text NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sg_account (id int PRIMARY KEY, value bigint NOT NULL)",
];

impl Client for Postgres {
    fn prepare(&mut self, _: Workload, accounts: u32, balance: i64, deadline: Instant) -> Outcome<()> {
        for table in TABLES {
            self.sql(table, deadline)?;
        }
        for id in 0..accounts {
            let add = format!("INSERT INTO sg_account VALUES ({id}, {balance}) ON CONFLICT DO NOTHING");
            self.sql(&add, deadline)?;
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.wire = None;
        self.nodes.next();
    }

    fn read(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>> {
        self.number(&format!("SELECT value FROM sg_value WHERE key = '{key}'"), deadline)
    }

    fn write(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        let sql = format!(
            "INSERT INTO sg_value VALUES ('{key}', {value}) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"
        );
        self.sql(&sql, deadline).map(|_| ())
    }

    fn cas(&mut self, key: &str, old: i64, new: i64, deadline: Instant) -> Outcome<bool> {
        let sql = format!("UPDATE sg_value SET value = {new} WHERE key = '{key}' AND value = {old} RETURNING 1");
        Ok(!self.sql(&sql, deadline)?.is_empty())
    }

    fn add(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.sql(&format!("INSERT INTO sg_set VALUES ('{key}', {value})"), deadline).map(|_| ())
    }

    fn members(&mut self, key: &str, deadline: Instant) -> Outcome<Vec<i64>> {
        column(&self.sql(&format!("SELECT value FROM sg_set WHERE key = '{key}' ORDER BY value"), deadline)?)
    }

    fn enqueue(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()> {
        self.sql(&format!("INSERT INTO sg_queue (key, value) VALUES ('{key}', {value})"), deadline).map(|_| ())
    }

    fn dequeue(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>> {
        let sql = format!(
            "DELETE FROM sg_queue WHERE id = (SELECT id FROM sg_queue WHERE key = '{key}' ORDER BY id LIMIT 1 \
             FOR UPDATE SKIP LOCKED) RETURNING value"
        );
        self.number(&sql, deadline)
    }

    fn increase(&mut self, key: &str, by: i64, deadline: Instant) -> Outcome<()> {
        if self.read_modify_write {
            return self.transaction(deadline, |me| {
                let now = me.read(key, deadline)?.unwrap_or(0);
                me.write(key, now + by, deadline)?;
                Ok(((), true))
            });
        }
        let sql = format!(
            "INSERT INTO sg_value VALUES ('{key}', {by}) ON CONFLICT (key) DO UPDATE SET value = sg_value.value + {by}"
        );
        self.sql(&sql, deadline).map(|_| ())
    }

    fn count(&mut self, key: &str, deadline: Instant) -> Outcome<i64> {
        Ok(self.read(key, deadline)?.unwrap_or(0))
    }

    fn transact(&mut self, micros: &[Micro], deadline: Instant) -> Outcome<Vec<Seen>> {
        let by_program = self.read_modify_write;
        self.transaction(deadline, |me| {
            let mut seen = Vec::new();
            for micro in micros {
                let (Micro::Append(key, _) | Micro::Read(key)) = micro;
                let select = format!("SELECT value FROM sg_list WHERE key = '{key}'");
                let insert = |list: &str, change: &str| {
                    format!("INSERT INTO sg_list VALUES ('{key}', '{list}') ON CONFLICT (key) DO UPDATE SET value = {change}")
                };
                match micro {
                    Micro::Read(_) => seen.push(Seen::List(list(&me.sql(&select, deadline)?)?)),
                    Micro::Append(_, value) if by_program => {
                        let mut lists = BTreeMap::from([(key.clone(), list(&me.sql(&select, deadline)?)?)]);
                        seen.extend(apply(std::slice::from_ref(micro), &mut lists));
                        let _ = value;
                        me.sql(&insert(&show_list(&lists[key]), "EXCLUDED.value"), deadline)?;
                    }
                    Micro::Append(_, value) => {
                        let change = format!("sg_list.value || ',{value}'");
                        me.sql(&insert(&value.to_string(), &change), deadline)?;
                        seen.push(Seen::Appended);
                    }
                }
            }
            Ok((seen, true))
        })
    }

    fn transfer(&mut self, from: u32, to: u32, amount: i64, deadline: Instant) -> Outcome<bool> {
        let by_program = self.read_modify_write;
        self.transaction(deadline, |me| {
            let select = |id| format!("SELECT value FROM sg_account WHERE id = {id}");
            if by_program {
                let has = me.number(&select(from), deadline)?.unwrap_or(0);
                let gets = me.number(&select(to), deadline)?.unwrap_or(0);
                if has < amount {
                    return Ok((false, false));
                }
                for (id, value) in [(from, has - amount), (to, gets + amount)] {
                    me.sql(&format!("UPDATE sg_account SET value = {value} WHERE id = {id}"), deadline)?;
                }
                return Ok((true, true));
            }
            // In the order of their numbers, so that no two transfers wait for each other.
            let take =
                format!("UPDATE sg_account SET value = value - {amount} WHERE id = {from} AND value >= {amount}");
            let give = format!("UPDATE sg_account SET value = value + {amount} WHERE id = {to}");
            if to < from {
                me.sql(&give, deadline)?;
            }
            if me.sql(&format!("{take} RETURNING 1"), deadline)?.is_empty() {
                return Ok((false, false));
            }
            if to > from {
                me.sql(&give, deadline)?;
            }
            Ok((true, true))
        })
    }

    fn balances(&mut self, accounts: u32, deadline: Instant) -> Outcome<Vec<i64>> {
        column(&self.sql(&format!("SELECT value FROM sg_account WHERE id < {accounts} ORDER BY id"), deadline)?)
    }
}

fn list(rows: &Rows) -> Outcome<Vec<i64>> {
    let text = rows.first().and_then(|row| row.first()).and_then(Option::as_deref);
    parse_list(text.unwrap_or(""))
}
