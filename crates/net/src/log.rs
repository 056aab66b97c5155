//! What the table has to tell: activity for sleepers, and events for the trace.
//!
//! The events are so complete that their reader has the whole table at any time. A description tells what of an entry
//! changes rarely; it is made again when a call or a phase may have changed it. The queues' lengths are not told with each
//! send and receive: their reader follows them by rules ([`Told`]) from what is told anyway, and so does this log, which
//! tells the lengths only where the rules get them wrong.

use crate::addr::Addr;
use crate::call::SocketId;
use crate::entry::{Descriptor, Entry, Path, Phase, SocketStatus, SocketType};
use crate::linux::poll;
use crate::table::Slab;
use crate::verdict::Verdict;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::Errno;

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
    /// The receiver or the sender has no power.
    HostDown,
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
            DropReason::HostDown => "host down",
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
    /// The entry has come to be, or what changes rarely of it has changed.
    Described(Box<Description>),
    /// These options of it differ from those that its protocol begins with: `NAME=value`, a space between two.
    Options(String),
    /// The queues' lengths, where they cannot be followed from the other events.
    Queues(Lengths),
    /// The entry has left the table.
    Gone,
}

/// What changes rarely of an entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Description {
    /// Index of its host.
    pub host: u32,
    /// Number of its family, `AF_*`.
    pub family: u16,
    /// Socket type.
    pub kind: SocketType,
    /// Protocol: its number.
    pub protocol: u32,
    /// Whether calls on it block.
    pub blocking: bool,
    /// Directions that have ended: 1 receive, 2 send.
    pub shut: u8,
    /// The descriptor that first named it.
    pub socket: Option<Descriptor>,
    /// Unique ID of the other end's entry; 0 while there is none.
    pub other_end: u64,
    /// Index of the network that its connection goes over; none within a host.
    pub network: Option<u32>,
    /// The error that waits to be told.
    pub error: Option<Errno>,
    /// Connections that wait to be accepted.
    pub waiting: u32,
    /// Network address of the local socket structure.
    pub local: Addr,
    /// Network address of the remote one.
    pub remote: Addr,
}

/// How much the queues of an entry hold.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lengths {
    /// Bytes in the send queue.
    pub send: u64,
    /// Bytes in the receive queue.
    pub receive: u64,
    /// Messages in the receive queue; 0 in a stream.
    pub messages: u32,
}

/// What the reader of an entry's events knows of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// By the rules below, from the events so far.
    lengths: Lengths,
    /// Hash of the last description; 0 before the first.
    description: u64,
    phase: Phase,
    /// Whether the description may have changed.
    changed: bool,
    options_changed: bool,
    /// Whether options were told of before.
    options_told: bool,
    /// Whether it is among those to be looked at.
    listed: bool,
}

impl Default for Told {
    fn default() -> Told {
        Told {
            lengths: Lengths::default(),
            description: 0,
            phase: Phase::Unconnected,
            changed: false,
            options_changed: false,
            options_told: false,
            listed: false,
        }
    }
}

impl Told {
    /// These statuses say which queues are empty.
    #[inline]
    fn status(&mut self, new: SocketStatus) {
        match new {
            SocketStatus::Unconnected | SocketStatus::Bound | SocketStatus::Connected => {
                self.lengths = Lengths::default();
            }
            SocketStatus::Receiving => self.lengths.send = 0,
            _ => {}
        }
    }

    /// What is sent while the status is `sending` is in the send queue; else it has left already.
    #[inline]
    fn sent(&mut self, status: SocketStatus, len: u64) {
        if status == SocketStatus::Sending {
            self.lengths.send += len;
        }
    }

    /// What arrives is in the receive queue.
    #[inline]
    fn delivered(&mut self, kind: SocketType, len: u64) {
        self.lengths.receive += len;
        self.lengths.messages += u32::from(kind != SocketType::Stream);
    }
}

/// How much the queues of an entry hold now.
#[inline]
fn lengths<R>(entry: &Entry<R>) -> Lengths {
    let (send, receive) = (&entry.send_queue, &entry.receive_queue);
    Lengths { send: send.len() as u64, receive: receive.len() as u64, messages: receive.messages() as u32 }
}

pub(crate) fn describe<R>(entry: &Entry<R>, other_end: u64) -> Description {
    let connection = &entry.connection;
    Description {
        host: connection.host,
        family: entry.local.family.number(),
        kind: entry.local.kind,
        protocol: entry.local.protocol.number(entry.local.family),
        blocking: entry.local.blocking,
        shut: connection.shut,
        socket: entry.socket,
        other_end,
        network: match connection.path {
            Path::Local => None,
            Path::Link { network, .. } | Path::Nobody { network } => Some(network),
        },
        error: connection.error,
        waiting: connection.listener.as_ref().map_or(0, |l| l.accept.len() as u32),
        local: entry.local.address.clone(),
        remote: entry.remote.address.clone(),
    }
}

/// FNV-1a: a hash that is the same everywhere.
struct Fnv(u64);

impl core::hash::Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Collects events and activity.
#[derive(Default, Debug)]
pub(crate) struct Log {
    pub(crate) tracing: bool,
    pub(crate) now: u64,
    events: Vec<Event>,
    active: Vec<SocketId>,
    /// Entries of which something may have to be told that is no event of its own.
    stale: Vec<SocketId>,
}

impl Log {
    /// Notes activity: what a sleeper on the socket must be told, whatever the readiness was before.
    #[inline]
    pub(crate) fn notify<R>(&mut self, entry: &mut Entry<R>, bits: u32) {
        if entry.local.event == 0 {
            self.active.push(entry.connection.here);
        }
        entry.local.event |= bits;
        // Ends and errors, and connections that wait: all that is told without a move of the status.
        if bits & (poll::ERR | poll::HUP | poll::RDHUP) != 0 || entry.connection.listener.is_some() {
            self.changed(entry);
        }
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
                entry.told.status(new);
            }
        }
        if self.tracing {
            if entry.told.phase != entry.connection.phase {
                entry.told.phase = entry.connection.phase;
                entry.told.changed = true;
            }
            if entry.told.changed || entry.told.lengths != lengths(entry) {
                self.list(entry);
            }
        }
    }

    /// What changes rarely of an entry may have changed.
    #[inline]
    pub(crate) fn changed<R>(&mut self, entry: &mut Entry<R>) {
        if self.tracing {
            entry.told.changed = true;
            self.list(entry);
        }
    }

    /// An entry has come to be, or options of it were set.
    pub(crate) fn options_changed<R>(&mut self, entry: &mut Entry<R>) {
        entry.told.options_changed = true;
        self.changed(entry);
    }

    #[inline]
    fn list<R>(&mut self, entry: &mut Entry<R>) {
        if !entry.told.listed {
            entry.told.listed = true;
            self.stale.push(entry.connection.here);
        }
    }

    /// Tells what of an entry the events so far do not say.
    fn catch_up<R>(&mut self, entry: &mut Entry<R>, other_end: u64) {
        let (unique, actual) = (entry.local.id, lengths(entry));
        entry.told.listed = false;
        if core::mem::take(&mut entry.told.changed) {
            let description = describe(entry, other_end);
            let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
            core::hash::Hash::hash(&description, &mut hasher);
            if core::mem::replace(&mut entry.told.description, hasher.0) != hasher.0 {
                self.event(unique, What::Described(Box::new(description)));
            }
        }
        if core::mem::take(&mut entry.told.options_changed) {
            let set = crate::options::set_options(entry);
            // Nothing is known to be set of one that was told of for the first time.
            if !set.is_empty() || entry.told.options_told {
                entry.told.options_told = true;
                self.event(unique, What::Options(set));
            }
        }
        if entry.told.lengths != actual {
            entry.told.lengths = actual;
            self.event(unique, What::Queues(actual));
        }
    }

    /// Brings the events up to date.
    pub(crate) fn catch_up_all<R>(&mut self, slab: &mut Slab<R>) {
        let mut stale = core::mem::take(&mut self.stale);
        for &id in &stale {
            let other_end = slab.get(id).and_then(|entry| entry.connection.peer);
            let other_end = other_end.and_then(|peer| slab.get(peer)).map_or(0, |peer| peer.local.id);
            // One that was made in the place of another is listed for itself.
            if let Some(entry) = slab.get_mut(id).filter(|entry| entry.told.listed) {
                self.catch_up(entry, other_end);
            }
        }
        stale.clear();
        self.stale = stale;
    }

    /// An entry leaves the table.
    pub(crate) fn gone(&mut self, unique: u64) {
        if self.tracing {
            self.event(unique, What::Gone);
        }
    }

    #[inline]
    pub(crate) fn sent<R>(&mut self, entry: &mut Entry<R>, len: usize, to: &Addr) {
        if self.tracing {
            entry.told.sent(entry.status, len as u64);
            self.event(entry.local.id, What::Send { len: len as u64, to: to.clone() });
        }
    }

    #[inline]
    pub(crate) fn delivered<R>(&mut self, entry: &mut Entry<R>, len: usize) {
        if self.tracing {
            entry.told.delivered(entry.local.kind, len as u64);
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
        !self.events.is_empty() || !self.stale.is_empty()
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
