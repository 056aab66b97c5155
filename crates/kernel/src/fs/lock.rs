//! `flock`, POSIX record locks and open-file-description locks on one inode.

use crate::sched::WaitQueue;
use alloc::vec::Vec;

/// Who holds a lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Owner {
    /// A process (F_SETLK).
    Process(u32),
    /// An open file description (F_OFD_SETLK, `flock`).
    File(u64),
}

/// A held range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// Who holds it.
    pub owner: Owner,
    /// First byte.
    pub start: u64,
    /// Last byte.
    pub end: u64,
    /// Whether it excludes all others.
    pub exclusive: bool,
    /// The holder's pid, as F_GETLK shows it (-1 for open file descriptions).
    pub pid: i32,
}

/// The locks of one inode.
#[derive(Default)]
pub struct Locks {
    /// Record locks, each owner's together and by first byte.
    pub records: Vec<Range>,
    /// `flock` locks: owner and whether it is exclusive.
    pub whole: Vec<(u64, bool)>,
    /// Who waits for one of them.
    pub queue: WaitQueue,
}

impl Locks {
    /// The first lock that stands against this one.
    pub fn conflict(&self, want: &Range) -> Option<Range> {
        self.records
            .iter()
            .filter(|r| r.owner != want.owner && r.start <= want.end && want.start <= r.end)
            .find(|r| r.exclusive || want.exclusive)
            .copied()
    }

    /// Takes `range` out of what its owner holds, splitting ranges as needed.
    pub fn clear(&mut self, range: &Range) {
        let mut out = Vec::with_capacity(self.records.len() + 1);
        for r in self.records.drain(..) {
            if r.owner != range.owner || r.end < range.start || range.end < r.start {
                out.push(r);
                continue;
            }
            if r.start < range.start {
                out.push(Range { end: range.start - 1, ..r });
            }
            if r.end > range.end {
                out.push(Range { start: range.end + 1, ..r });
            }
        }
        self.records = out;
    }

    /// Sets a range; neighbours of the same kind are joined.
    pub fn set(&mut self, range: Range) {
        self.clear(&range);
        let mut range = range;
        self.records.retain(|r| {
            let same = r.owner == range.owner && r.exclusive == range.exclusive;
            let touches = r.start <= range.end.saturating_add(1) && range.start <= r.end.saturating_add(1);
            if same && touches {
                range.start = range.start.min(r.start);
                range.end = range.end.max(r.end);
            }
            !(same && touches)
        });
        // Linux keeps an owner's ranges together and in order, and owners in the order in which they came: F_GETLK shows
        // the first that stands in the way.
        let own = |r: &Range| r.owner == range.owner;
        let next = self.records.iter().position(|r| own(r) && r.start > range.start);
        let after_last = self.records.iter().rposition(own).map(|at| at + 1);
        let at = next.or(after_last).unwrap_or(self.records.len());
        self.records.insert(at, range);
    }

    /// Whether `flock` by this owner would have to wait.
    pub fn whole_conflict(&self, owner: u64, exclusive: bool) -> bool {
        self.whole.iter().any(|(o, x)| *o != owner && (*x || exclusive))
    }
}
