//! What a store must be able to do, and what may come of an operation.

use std::time::Instant;

use crate::Workload;

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not happen, and will not.
    Not(String),
    /// It may have happened, or may yet.
    Unknown(String),
}

impl Failure {
    /// What it is before anything was sent, or for a read: nothing has happened.
    #[must_use]
    pub fn harmless(self) -> Failure {
        match self {
            Failure::Not(why) | Failure::Unknown(why) => Failure::Not(why),
        }
    }
}

/// What came of an operation.
pub type Outcome<T> = Result<T, Failure>;

/// One operation of a transaction on lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Micro {
    /// Appends a value to the list of a key.
    Append(String, i64),
    /// Reads the list of a key.
    Read(String),
}

impl Micro {
    /// The key that it is about.
    pub fn key(&self) -> &str {
        match self {
            Micro::Append(key, _) | Micro::Read(key) => key,
        }
    }
}

/// What one operation of a transaction saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was an append.
    Appended,
    /// The list.
    List(Vec<i64>),
}

/// A connection to a store. Every operation ends by its deadline, and makes a connection first where there is none.
pub trait Client {
    /// Makes tables and accounts, where they are missing.
    fn prepare(&mut self, workload: Workload, accounts: u32, balance: i64, deadline: Instant) -> Outcome<()>;
    /// Gives the connection up, since an answer may still come on it, and goes to the next node.
    fn forget(&mut self);
    /// Reads a register.
    fn read(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>>;
    /// Writes a register.
    fn write(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()>;
    /// Writes a register if it has a value; whether it had.
    fn cas(&mut self, key: &str, old: i64, new: i64, deadline: Instant) -> Outcome<bool>;
    /// Adds to a set.
    fn add(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()>;
    /// Reads a set.
    fn members(&mut self, key: &str, deadline: Instant) -> Outcome<Vec<i64>>;
    /// Puts into a queue.
    fn enqueue(&mut self, key: &str, value: i64, deadline: Instant) -> Outcome<()>;
    /// Takes out of a queue; nothing when it is empty.
    fn dequeue(&mut self, key: &str, deadline: Instant) -> Outcome<Option<i64>>;
    /// Adds to a number.
    fn increase(&mut self, key: &str, by: i64, deadline: Instant) -> Outcome<()>;
    /// Reads a number.
    fn count(&mut self, key: &str, deadline: Instant) -> Outcome<i64>;
    /// A transaction on lists.
    fn transact(&mut self, micros: &[Micro], deadline: Instant) -> Outcome<Vec<Seen>>;
    /// Moves money unless there is too little; whether there was enough.
    fn transfer(&mut self, from: u32, to: u32, amount: i64, deadline: Instant) -> Outcome<bool>;
    /// All balances at one moment.
    fn balances(&mut self, accounts: u32, deadline: Instant) -> Outcome<Vec<i64>>;
}

/// Numbers with commas: how lists are kept in stores that have none.
pub fn parse_list(text: &str) -> Outcome<Vec<i64>> {
    text.split(',').filter(|item| !item.is_empty()).map(parse_number).collect()
}

/// The other way.
pub fn show_list(list: &[i64]) -> String {
    list.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// A number that a store answered with. Anything else is told and no outcome.
pub fn parse_number(text: &str) -> Outcome<i64> {
    text.trim().parse().map_err(|_| Failure::Unknown(format!("`{text}` is no number")))
}

/// What a transaction on lists does to lists that were read: what each operation saw, and what the lists are then.
pub fn apply(micros: &[Micro], lists: &mut std::collections::BTreeMap<String, Vec<i64>>) -> Vec<Seen> {
    micros
        .iter()
        .map(|micro| match micro {
            Micro::Append(key, value) => {
                lists.entry(key.clone()).or_default().push(*value);
                Seen::Appended
            }
            Micro::Read(key) => Seen::List(lists.get(key).cloned().unwrap_or_default()),
        })
        .collect()
}
