//! Changes of names, lengths and attributes in their order, as far as they are not durable.

use crate::fs::inode::{InodeRef, Meta, Name};
use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use snowglobe_abi::spec::Nanos;

/// So many changes are committed without being asked, as when a journal has no room left.
pub const ROOM: usize = 8192;

/// One name's change.
#[derive(Clone)]
pub struct Set {
    /// In which directory.
    pub dir: InodeRef,
    /// Which name.
    pub name: Name,
    /// What it leads to now.
    pub to: Option<InodeRef>,
    /// The number of the inode that it led to.
    pub from: Option<u64>,
}

/// A change that is made as a whole.
pub enum Change {
    /// Names, all at once.
    Names(Vec<Set>),
    /// Attributes, as they are after it.
    Attributes(InodeRef, Box<Meta>),
    /// A length.
    Size(InodeRef, u64),
    /// A length, and the data of all that was written up to it goes before it.
    Flushed(InodeRef, u64),
}

/// A change and its time by the wall clock.
pub struct Record {
    /// When.
    pub at: Nanos,
    /// What.
    pub change: Change,
}

/// The changes that are not durable.
#[derive(Default)]
pub struct Journal {
    records: VecDeque<Record>,
    /// The number of the first of them.
    first: u64,
}

impl Journal {
    /// Adds a change.
    pub fn push(&mut self, at: Nanos, change: Change) {
        self.records.push_back(Record { at, change });
    }

    /// The number of the first change that is not durable.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next change gets.
    pub fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether all is durable.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The time of the oldest.
    pub fn oldest(&self) -> Option<Nanos> {
        self.records.front().map(|r| r.at)
    }

    /// The number of the first change after a time.
    pub fn after(&self, at: Nanos) -> u64 {
        self.first + self.records.iter().take_while(|r| r.at <= at).count() as u64
    }

    /// Takes the changes before a number out.
    pub fn take_before(&mut self, end: u64) -> Vec<Record> {
        let n = (end.saturating_sub(self.first) as usize).min(self.records.len());
        self.first += n as u64;
        self.records.drain(..n).collect()
    }

    /// Takes all out.
    pub fn take_all(&mut self) -> Vec<Record> {
        self.take_before(u64::MAX)
    }

    /// Takes the changes out that `chosen` says, and all that they build on.
    pub fn take_chosen(&mut self, mut chosen: Vec<bool>) -> Vec<Record> {
        close_over(self.records.make_contiguous(), &mut chosen);
        let mut taken = Vec::new();
        let mut left = VecDeque::new();
        for (record, chosen) in core::mem::take(&mut self.records).into_iter().zip(chosen) {
            if chosen {
                taken.push(record);
            } else {
                left.push_back(record);
            }
        }
        self.first += taken.len() as u64;
        self.records = left;
        taken
    }

    /// For each change whether it is one that `test` says.
    pub fn choose(&self, mut test: impl FnMut(&Change) -> bool) -> Vec<bool> {
        self.records.iter().map(|r| test(&r.change)).collect()
    }
}

/// Adds what chosen changes build on: earlier ones of the same names. So a rename is made with all that made the name
/// which it moves, and a file never has its old and its new name.
pub fn close_over(records: &[Record], chosen: &mut [bool]) {
    let mut needed = BTreeSet::new();
    for (i, record) in records.iter().enumerate().rev() {
        let Change::Names(sets) = &record.change else { continue };
        let key = |set: &Set| (set.dir.ino, set.name.clone());
        chosen[i] |= sets.iter().any(|set| needed.contains(&key(set)));
        if chosen[i] {
            needed.extend(sets.iter().map(key));
        }
    }
}
