//! What the table has to tell: activity for sleepers, and events for the trace.

use crate::addr::Addr;
use crate::call::SocketId;
use crate::entry::{Entry, SocketStatus};
use crate::verdict::Verdict;
use alloc::string::String;
use alloc::vec::Vec;

/// Why the network dropped something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropReason {
    /// The receiver's queue is full.
    ReceiveQueueFull,
    /// The listener's accept queue is full.
    AcceptQueueFull,
    /// No host of the network has the address.
    NoSuchAddress,
    /// Nobody listens on the port.
    NoSuchPort,
    /// The receiver is not one that takes it: it has closed, or is connected to another.
    NotExpected,
    /// The link lost it.
    Loss,
    /// A partition cuts the link.
    Partition,
    /// The queue of the sender's interface is full.
    QueueFull,
    /// Its checksum is wrong: the link has damaged it.
    Checksum,
}

impl DropReason {
    /// Its name in the trace.
    pub fn name(self) -> &'static str {
        match self {
            DropReason::ReceiveQueueFull => "receive queue full",
            DropReason::AcceptQueueFull => "accept queue full",
            DropReason::NoSuchAddress => "no such address",
            DropReason::NoSuchPort => "no such port",
            DropReason::NotExpected => "not expected",
            DropReason::Loss => "loss",
            DropReason::Partition => "partition",
            DropReason::QueueFull => "link queue full",
            DropReason::Checksum => "wrong checksum",
        }
    }
}

/// One event for the trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Virtual nanoseconds.
    pub at: u64,
    /// Unique ID of the socket that it is about; 0 where there is none.
    pub socket: u64,
    /// What happened.
    pub what: What,
}

/// What an [`Event`] says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The status moved.
    Status {
        /// From this.
        old: SocketStatus,
        /// To this.
        new: SocketStatus,
    },
    /// The network took so many bytes.
    Send {
        /// Bytes.
        len: u64,
        /// Where to.
        to: Addr,
    },
    /// So many bytes arrived.
    Deliver {
        /// Bytes.
        len: u64,
    },
    /// So many bytes did not.
    Drop {
        /// Bytes.
        len: u64,
        /// Why.
        reason: DropReason,
    },
    /// The verdict on so many bytes, where it is neither to pass nor to drop.
    Verdict {
        /// Bytes.
        len: u64,
        /// Index of the host that sends them.
        from: u32,
        /// Index of the host that they go to.
        to: u32,
        /// What becomes of them.
        verdict: Verdict,
    },
    /// A fault strikes the network: what it does, and to whom.
    Fault(String),
}

/// Collects events and activity.
#[derive(Default, Debug)]
pub(crate) struct Log {
    pub(crate) tracing: bool,
    pub(crate) now: u64,
    events: Vec<Event>,
    active: Vec<SocketId>,
}

impl Log {
    /// Notes activity: what a sleeper on the socket must be told, whatever the readiness was before.
    #[inline]
    pub(crate) fn notify<R>(&mut self, entry: &mut Entry<R>, bits: u32) {
        if entry.local.event == 0 {
            self.active.push(entry.connection.here);
        }
        entry.local.event |= bits;
    }

    /// Brings the status up to date.
    #[inline]
    pub(crate) fn settle<R>(&mut self, entry: &mut Entry<R>) {
        let new = entry.status_now();
        let old = entry.status;
        if new != old {
            entry.status = new;
            if self.tracing {
                self.event(entry.local.id, What::Status { old, new });
            }
        }
    }

    #[inline]
    pub(crate) fn sent<R>(&mut self, entry: &Entry<R>, len: usize, to: &Addr) {
        if self.tracing {
            self.event(entry.local.id, What::Send { len: len as u64, to: to.clone() });
        }
    }

    #[inline]
    pub(crate) fn delivered<R>(&mut self, entry: &Entry<R>, len: usize) {
        if self.tracing {
            self.event(entry.local.id, What::Deliver { len: len as u64 });
        }
    }

    pub(crate) fn dropped(&mut self, socket: u64, len: usize, reason: DropReason) {
        if self.tracing {
            self.event(socket, What::Drop { len: len as u64, reason });
        }
    }

    /// Tells a verdict that no other event tells.
    pub(crate) fn judged(&mut self, socket: u64, len: usize, (from, to): (u32, u32), verdict: Verdict) {
        if self.tracing && !matches!(verdict, Verdict::Pass(_) | Verdict::Drop(_)) {
            self.event(socket, What::Verdict { len: len as u64, from, to, verdict });
        }
    }

    pub(crate) fn fault(&mut self, text: String) {
        if self.tracing {
            self.event(0, What::Fault(text));
        }
    }

    fn event(&mut self, socket: u64, what: What) {
        self.events.push(Event { at: self.now, socket, what });
    }

    pub(crate) fn take_events(&mut self) -> alloc::vec::Drain<'_, Event> {
        self.events.drain(..)
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub(crate) fn pop_active(&mut self) -> Vec<SocketId> {
        core::mem::take(&mut self.active)
    }

    pub(crate) fn give_back(&mut self, mut list: Vec<SocketId>) {
        list.clear();
        if self.active.is_empty() {
            self.active = list;
        }
    }
}
