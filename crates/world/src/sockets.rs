//! The socket table of a run (FIG. 48, 4800) as it stood at any virtual time, from the run's trace.
//!
//! The trace says all that happens to the table, so there is nothing else to keep or to bring up to date: the table at a time
//! is what the events up to then make of an empty one. Most of a trace is calls, which are stepped over without being
//! decoded, so that a million events take a small part of a second.
//!
//! | Event | What becomes of the entry |
//! |---|---|
//! | `socket` | it comes to be, or gets what the event says |
//! | `options` | it has these options |
//! | `status` | its status moves; `unconnected`, `bound` and `connected` mean that its queues are empty, `receiving` that the send queue is |
//! | `send` | while it is `sending`, the bytes are in the send queue; else they have left already |
//! | `deliver` | the bytes are in the receive queue |
//! | `queues` | its queues hold this: where the rules above would be wrong |
//! | `gone` | it leaves the table |

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use snowglobe_abi::spec::Nanos;
use snowglobe_abi::trace::{Kind, Record, delay, entry as place};
use snowglobe_net::SocketStatus;
use snowglobe_net::linux::{af, sock};

use crate::trace::{Scanner, TraceError, Unpacked};

/// A queue (4824, 4828).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Bytes that it holds.
    pub bytes: u64,
    /// Messages that they are; 0 in a stream.
    pub messages: u64,
}

/// A socket structure (4808, 4812).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketStructure {
    /// Unique socket ID; 0 when the table has no entry of it.
    pub id: u64,
    /// Socket type: `SOCK_*`.
    pub kind: u64,
    /// Protocols: `IPPROTO_*`, or the number of a netlink protocol.
    pub protocol: u64,
    /// Options that were set, `NAME=value`.
    pub options: Vec<String>,
    /// Network address.
    pub address: String,
    /// Event: what has happened that the program has not taken yet.
    pub event: Vec<&'static str>,
    /// Family: `AF_*`.
    pub family: u64,
    /// Whether calls on it block.
    pub blocking: bool,
}

/// The descriptor by which a program names a socket (4820).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Index of its host.
    pub host: u32,
    /// Process id on the host.
    pub pid: u32,
    /// Number.
    pub fd: u64,
    /// The program that the process runs; nothing when the process has ended.
    pub program: Option<String>,
}

/// The link between the two ends (4832).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Index of the network; none within a host.
    pub network: Option<u32>,
    /// Host of the other end, where the table has it.
    pub host: Option<u32>,
    /// Directions that have ended: receive, send.
    pub ended: (bool, bool),
    /// Number of the error that waits to be told, or 0.
    pub error: u64,
    /// Connections that wait to be accepted.
    pub waiting: u64,
}

/// An entry (4804).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Index of its host; `u32::MAX` is the world's own resolver.
    pub host: u32,
    /// Local socket structure (4808).
    pub local: SocketStructure,
    /// Remote socket structure (4812).
    pub remote: SocketStructure,
    /// Socket status (4816).
    pub status: SocketStatus,
    /// Socket (4820); none before there is a descriptor of it.
    pub socket: Option<Descriptor>,
    /// Send queue (4824).
    pub send_queue: Queue,
    /// Receive queue (4828).
    pub receive_queue: Queue,
    /// Connection (4832).
    pub connection: Connection,
}

/// How far the trace of a run reaches that was asked for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Beyond it.
    Beyond,
    /// It ends before: this is the time of its last event.
    Ended(Nanos),
    /// It was cut before: this is the time of the last event that it still has.
    Cut(Nanos),
}

/// The table at one time.
#[derive(Clone, Debug)]
pub struct SocketTable {
    /// Its entries, by unique ID.
    pub entries: Vec<Entry>,
    /// How far the trace reaches.
    pub reach: Reach,
    /// Entries that there have been up to that time.
    pub seen: u64,
}

/// Reads the table of a run as it stood at a time: after all that happened at it. Without a time, at the end.
///
/// # Errors
/// The trace cannot be read, or is damaged before that time.
pub fn table_at(trace: &Path, at: Option<Nanos>, whole: bool) -> Result<SocketTable, TraceError> {
    table_of(Unpacked::open(trace).map_err(TraceError::Io)?, at, whole)
}

/// The same from an uncompressed stream. `whole`: whether the run ended in order.
///
/// # Errors
/// As [`table_at`].
pub fn table_of(mut stream: impl Read, at: Option<Nanos>, whole: bool) -> Result<SocketTable, TraceError> {
    let mut follower = Follower { until: at.unwrap_or(Nanos::MAX), ..Follower::default() };
    let mut scanner = Scanner::default();
    let mut chunk = vec![0; 256 << 10];
    let mut cut = !whole;
    while !follower.past {
        match stream.read(&mut chunk) {
            Ok(0) => {
                cut |= scanner.is_within();
                break;
            }
            Ok(n) => scanner.feed(&chunk[..n], |kind, record| follower.take(kind, record))?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                cut = true;
                break;
            }
            // The decompressor says so of bytes that are no frame.
            Err(e) if e.raw_os_error().is_none() => return Err(TraceError::Damaged(scanner.offset())),
            Err(e) => return Err(TraceError::Io(e)),
        }
    }
    let reach = match (follower.past, cut) {
        (true, _) => Reach::Beyond,
        (_, true) => Reach::Cut(follower.time),
        _ => Reach::Ended(follower.time),
    };
    Ok(follower.finish(reach))
}

/// An entry as the events have it.
#[derive(Clone, Debug)]
struct Followed {
    nums: [u64; place::COUNT],
    local: String,
    remote: String,
    options: String,
    status: SocketStatus,
    send: Queue,
    receive: Queue,
}

impl Default for Followed {
    fn default() -> Followed {
        let (local, remote, options) = Default::default();
        let (send, receive) = Default::default();
        Followed { nums: [0; place::COUNT], local, remote, options, status: SocketStatus::Unconnected, send, receive }
    }
}

/// Makes the table of events.
#[derive(Default)]
struct Follower {
    until: Nanos,
    time: Nanos,
    /// An event after that time has come.
    past: bool,
    entries: BTreeMap<u64, Followed>,
    /// Host and process id by task.
    tasks: BTreeMap<u32, (u32, u32)>,
    /// Programs, and how many tasks run each, by host and process id.
    programs: BTreeMap<(u32, u32), (String, usize)>,
    seen: u64,
}

impl Follower {
    fn take(&mut self, kind: Kind, bytes: &[u8]) {
        let time = self.time.saturating_add(delay(bytes).unwrap_or(0));
        self.past |= time > self.until;
        if self.past {
            return;
        }
        self.time = time;
        if !is_followed(kind) {
            return;
        }
        // Two records can come as one.
        if let Ok((record, and, _)) = Record::decode(bytes) {
            self.apply(&record);
            and.iter().for_each(|record| self.apply(record));
        }
    }

    fn apply(&mut self, record: &Record) {
        let number = |i: usize| record.nums.get(i).copied().unwrap_or(0);
        match record.kind {
            Kind::Spawn | Kind::Exec | Kind::Exit => return self.apply_to_task(record),
            Kind::Socket | Kind::Options | Kind::Status | Kind::Send | Kind::Deliver | Kind::Queues => {}
            Kind::Gone => {
                self.entries.remove(&number(0));
                return;
            }
            _ => return,
        }
        let entry = self.entries.entry(number(0)).or_default();
        let text = |i: usize| record.blobs.get(i).map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
        match record.kind {
            Kind::Socket => {
                self.seen += u64::from(entry.nums[place::FAMILY] == 0);
                (0..place::COUNT).for_each(|i| entry.nums[i] = number(i));
                (entry.local, entry.remote) = (text(0), text(1));
            }
            Kind::Options => entry.options = text(0),
            Kind::Status => {
                entry.status = SocketStatus::from_u8(number(2) as u8).unwrap_or(entry.status);
                match entry.status {
                    SocketStatus::Unconnected | SocketStatus::Bound | SocketStatus::Connected => {
                        (entry.send, entry.receive) = (Queue::default(), Queue::default());
                    }
                    SocketStatus::Receiving => entry.send = Queue::default(),
                    _ => {}
                }
            }
            Kind::Send if entry.status == SocketStatus::Sending => entry.send.bytes += number(1),
            Kind::Deliver => {
                entry.receive.bytes += number(1);
                // The type may come after the first message; a stream's messages are not shown.
                entry.receive.messages += 1;
            }
            Kind::Queues => {
                entry.send = Queue { bytes: number(1), messages: 0 };
                entry.receive = Queue { bytes: number(2), messages: number(3) };
            }
            _ => {}
        }
    }

    /// Follows which program each process runs.
    fn apply_to_task(&mut self, record: &Record) {
        let number = |i: usize| record.nums.get(i).map_or(0, |n| *n as u32);
        let text = || record.blobs.first().map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
        match record.kind {
            Kind::Spawn => {
                let process = (number(0), number(1));
                self.tasks.insert(record.task, process);
                self.programs.entry(process).or_insert_with(|| (text(), 0)).1 += 1;
            }
            Kind::Exec => {
                let program = self.tasks.get(&record.task).and_then(|process| self.programs.get_mut(process));
                if let Some((program, _)) = program {
                    *program = text().rsplit('/').next().unwrap_or_default().to_owned();
                }
            }
            _ => {
                let Some(process) = self.tasks.remove(&record.task) else { return };
                let Some((_, tasks)) = self.programs.get_mut(&process) else { return };
                *tasks -= 1;
                if *tasks == 0 {
                    self.programs.remove(&process);
                }
            }
        }
    }

    fn finish(self, reach: Reach) -> SocketTable {
        // What a cut trace does not describe any more is not known to be a socket.
        let described = self.entries.values().filter(|entry| entry.nums[place::FAMILY] != 0);
        let entries = described.map(|entry| self.entry(entry)).collect();
        SocketTable { entries, reach, seen: self.seen }
    }

    fn entry(&self, of: &Followed) -> Entry {
        let number = |i: usize| of.nums[i];
        let host = number(place::HOST) as u32;
        let socket = (number(place::PID) != 0).then(|| {
            let pid = number(place::PID) as u32;
            let program = self.programs.get(&(host, pid)).map(|(program, _)| program.clone());
            Descriptor { host, pid, fd: number(place::FD), program }
        });
        let other = self.entries.get(&number(place::OTHER_END));
        let mut remote = other.map(structure).unwrap_or_else(|| SocketStructure {
            kind: number(place::TYPE),
            protocol: number(place::PROTOCOL),
            family: number(place::FAMILY),
            ..SocketStructure::default()
        });
        // A name that the other end got later is its name too; but an IP address is as this end sees it.
        if other.is_none() || number(place::FAMILY) != u64::from(af::UNIX) {
            remote.address.clone_from(&of.remote);
        }
        let flags = number(place::FLAGS);
        Entry {
            host,
            local: structure(of),
            remote,
            status: of.status,
            socket,
            send_queue: of.send,
            receive_queue: shown(of, of.receive),
            connection: Connection {
                network: number(place::NETWORK).checked_sub(1).map(|network| network as u32),
                host: other.map(|other| other.nums[place::HOST] as u32),
                ended: (flags & 2 != 0, flags & 4 != 0),
                error: number(place::ERROR),
                waiting: number(place::WAITING),
            },
        }
    }
}

/// Whether the table follows from events of this kind.
fn is_followed(kind: Kind) -> bool {
    use Kind::*;
    matches!(kind, Socket | Options | Status | Send | Deliver | Queues | Gone | Spawn | Exec | Exit)
}

fn shown(of: &Followed, queue: Queue) -> Queue {
    let stream = of.nums[place::TYPE] == u64::from(sock::STREAM);
    Queue { messages: if stream { 0 } else { queue.messages }, ..queue }
}

/// The local socket structure of an entry.
fn structure(of: &Followed) -> SocketStructure {
    let number = |i: usize| of.nums[i];
    SocketStructure {
        id: number(place::ID),
        kind: number(place::TYPE),
        protocol: number(place::PROTOCOL),
        options: of.options.split_whitespace().map(str::to_owned).collect(),
        address: of.local.clone(),
        event: event(of),
        family: number(place::FAMILY),
        blocking: number(place::FLAGS) & 1 != 0,
    }
}

/// What has happened that the program has not taken yet, by the names of poll(2): bytes, messages, connections and errors
/// that wait, and ends.
fn event(of: &Followed) -> Vec<&'static str> {
    let flags = of.nums[place::FLAGS];
    let (receive_ended, both) = (flags & 2 != 0, flags & 6 == 6);
    let waits = shown(of, of.receive) != Queue::default() || of.nums[place::WAITING] > 0 || receive_ended;
    [("in", waits), ("rdhup", receive_ended), ("hup", both), ("err", of.nums[place::ERROR] != 0)]
        .into_iter()
        .filter_map(|(name, holds)| holds.then_some(name))
        .collect()
}
