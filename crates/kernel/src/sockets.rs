//! The socket table's place in the kernel: who waits on its entries, its timer, and how bytes come and go.
//!
//! The table knows no time, no waiting and no descriptors. After every call of it [`Kernel::network_settle`] wakes who
//! waits, tells the trace, and sets the one timer of the network. Messages with all that travels besides bytes are
//! in [`crate::calls::message`], the calls themselves in [`crate::calls::net`].

use crate::calls::message::{Many, Receiving, Sending};
use crate::fs::file::{FileKind, FileRef, OpenFile};
use crate::machine::Machine;
use crate::mem::Iov;
use crate::record::Recorder;
use crate::rng::Rng;
use crate::sched::{Sched, TimerAction, WaitQueue, Waiter};
use crate::signal::Info;
use crate::task::{HostId, ProcId};
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Kernel, Stop};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::{IpAddr, Ipv4Addr};
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::{Nanos, WorldSpec};
use snowglobe_abi::trace;
use snowglobe_net::capture::{Captured, Transport};
use snowglobe_net::linux::poll;
use snowglobe_net::report::ProcFile;
use snowglobe_net::{
    Addr, Close, Connect, Cred, Description, Endpoint, Family, Int, Received, Send, Sink, SocketTable, SocketType,
    Source, Verdict, What,
};

/// Names a socket: its place in the table.
pub use snowglobe_net::SocketId;

/// The table and who waits on its entries.
pub struct Sockets {
    /// FIG. 48.
    pub table: SocketTable<FileRef>,
    /// By place.
    places: Vec<Place>,
    /// Who waits in `close` for SO_LINGER.
    lingerers: WaitQueue,
    /// What the last close left to be waited for: until when, and the entry's unique ID.
    lingering: Option<(Nanos, u64)>,
    /// The timers of what is in flight, which moves with every packet, and of the table's deadlines, which seldom move.
    timer: Option<(Nanos, u64)>,
    deadline: Option<(Nanos, u64)>,
    /// Keys of socket files given out; 0 is one that nobody has bound.
    last_key: u64,
    /// Whether sockets have been sent by SCM_RIGHTS since there were none on their way.
    pub sent_sockets: bool,
}

/// What the kernel keeps of a place in the table; empty where no descriptor names it.
#[derive(Default)]
struct Place {
    queue: WaitQueue,
    file: Weak<OpenFile>,
}

/// A blocked call on a socket.
pub struct SocketWait {
    /// On which.
    pub socket: SocketId,
    /// Keeps it open while the call goes on; none for `close`.
    _file: Option<FileRef>,
    op: Op,
}

/// Which call, and how far it is.
pub enum Op {
    /// `accept`: where the address and its length go, and flags for the new descriptor.
    Accept(u64, u64, u32),
    /// `connect`, and what it says when its time is up.
    Connect(Addr, Errno),
    /// `send` and its kin; for `sendmmsg` the place in its vector.
    Send(Box<Sending>, Option<Many>),
    /// `recv` and its kin; for `recvmmsg` the place in its vector.
    Receive(Box<Receiving>, Option<Many>),
    /// `close` with SO_LINGER, of the entry with this unique ID.
    Linger(u64),
}

/// A cursor over guest memory from which the table takes what is sent.
struct FromGuest<'a> {
    m: &'a mut dyn Machine,
    iov: &'a Iov,
    at: u64,
}

impl Source for FromGuest<'_> {
    #[inline]
    fn read_into(&mut self, buf: &mut [u8]) -> Result<()> {
        self.iov.gather(self.m, self.at, buf)?;
        self.at += buf.len() as u64;
        Ok(())
    }
}

/// A cursor over guest memory to which the table gives what is received.
struct ToGuest<'a> {
    m: &'a mut dyn Machine,
    iov: &'a Iov,
    at: u64,
}

impl Sink for ToGuest<'_> {
    #[inline]
    fn write_from(&mut self, bytes: &[u8]) -> Result<()> {
        self.iov.scatter(self.m, self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

impl Sockets {
    /// An empty table.
    pub fn new(spec: &WorldSpec) -> Sockets {
        let seed = Rng::stream(spec.seed, "network").next_u64();
        let mut table = SocketTable::new(&spec.networks, &spec.hosts, seed);
        table.set_tracing(spec.knobs.trace_calls);
        table.set_capture(spec.knobs.capture);
        Sockets {
            table,
            places: Vec::new(),
            lingerers: WaitQueue::default(),
            lingering: None,
            timer: None,
            deadline: None,
            last_key: 0,
            sent_sockets: false,
        }
    }

    /// Makes room for those who will wait on a socket with a new description.
    pub fn adopt(&mut self, id: SocketId, file: &FileRef) {
        let index = id.0 as usize;
        if self.places.len() <= index {
            self.places.resize_with(index + 1, Place::default);
        }
        self.places[index] = Place { queue: WaitQueue::default(), file: Rc::downgrade(file) };
    }

    /// A key for a new socket file.
    pub fn new_key(&mut self) -> u64 {
        self.last_key += 1;
        self.last_key
    }

    /// Whether it is a stream, which raises SIGPIPE.
    pub fn is_stream(&self, id: SocketId) -> bool {
        self.table.get(id).is_ok_and(|e| e.local.kind == SocketType::Stream)
    }

    /// Poll bits.
    pub fn readiness(&self, id: SocketId) -> u32 {
        self.table.readiness(id)
    }

    /// Hangs a waiter in an entry's queue.
    pub fn watch(&self, id: SocketId, waiter: Waiter, sched: &Sched) {
        if let Some(place) = self.places.get(id.0 as usize) {
            place.queue.add(waiter, sched);
        }
    }

    /// Hangs the waiter of a call where it is woken.
    pub fn watch_call(&self, wait: &SocketWait, waiter: Waiter, sched: &Sched) {
        match wait.op {
            Op::Linger(_) => self.lingerers.add(waiter, sched),
            _ => self.watch(wait.socket, waiter, sched),
        }
    }

    /// O_NONBLOCK has changed.
    pub fn set_nonblocking(&mut self, id: SocketId, on: bool) {
        self.table.set_blocking(id, !on);
    }

    /// Bytes that must have come before a receive call that may wait returns.
    pub fn low_water(&self, id: SocketId) -> u64 {
        self.table.options(id).map_or(1, |o| o.int(Int::ReceiveLowWater).max(1) as u64)
    }

    /// A table of `/proc/net`.
    ///
    /// # Errors
    /// `ENOENT` for one that is not there.
    pub fn proc_net(&self, host: u32, name: &str) -> Result<Vec<u8>> {
        let file = match name {
            "tcp" => ProcFile::Tcp,
            "tcp6" => ProcFile::Tcp6,
            "udp" => ProcFile::Udp,
            "udp6" => ProcFile::Udp6,
            "raw" => ProcFile::Raw,
            "unix" => ProcFile::Unix,
            "dev" => return Ok(self.devices_text(host).into_bytes()),
            "route" => return Ok(self.routes_text(host).into_bytes()),
            "snmp" => return Ok(self.table.snmp_text(host).into_bytes()),
            "netstat" => return Ok(self.table.netstat_text(host).into_bytes()),
            "sockstat" => return Ok(self.table.sockstat_text(host, false).into_bytes()),
            "sockstat6" => return Ok(self.table.sockstat_text(host, true).into_bytes()),
            "arp" => return Ok(self.table.arp_text(host).into_bytes()),
            "raw6" => ProcFile::Raw6,
            "icmp" => ProcFile::Icmp,
            "icmp6" => ProcFile::Icmp6,
            "netlink" => ProcFile::Netlink,
            "if_inet6" => return Ok(self.inet6_text(host).into_bytes()),
            _ => return Err(Errno::ENOENT),
        };
        Ok(self.table.proc_text(host, file).into_bytes())
    }

    /// The interfaces of a host.
    pub fn interfaces(&self, host: u32) -> &[snowglobe_net::link::Interface] {
        self.table.world().hosts.get(host as usize).map_or(&[], |h| &h.interfaces)
    }

    fn devices_text(&self, host: u32) -> String {
        let mut out = String::from(
            "Inter-|   Receive                                                |  Transmit\n \
             face |bytes    packets errs drop fifo frame compressed multicast|\
             bytes    packets errs drop fifo colls carrier compressed\n",
        );
        for i in self.interfaces(host) {
            let zeros = "       0       0    0    0    0     0          0         0        \
                         0       0    0    0    0     0       0          0";
            out.push_str(&format!("{:>6}: {zeros}\n", i.name));
        }
        out
    }

    fn routes_text(&self, host: u32) -> String {
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
        let mut out = format!("{head:<127}\n");
        for i in self.interfaces(host).iter().filter(|i| i.network.is_some()) {
            let mask = u32::MAX.checked_shl(32 - u32::from(i.prefix)).unwrap_or(0);
            let net = (u32::from(i.v4) & mask).swap_bytes();
            let line = format!("{}\t{net:08X}\t00000000\t0001\t0\t0\t0\t{:08X}\t0\t0\t0", i.name, mask.swap_bytes());
            out.push_str(&format!("{line:<127}\n"));
        }
        out
    }

    fn inet6_text(&self, host: u32) -> String {
        let mut out = String::new();
        for i in self.interfaces(host) {
            for (ip, prefix) in &i.v6 {
                // Scopes as include/net/ipv6.h has them: host, link, global.
                let scope = if ip.is_loopback() { 0x10 } else { u32::from(ip.is_unicast_link_local()) * 0x20 };
                let bits = u128::from(*ip);
                let name = &i.name;
                out.push_str(&format!("{bits:032x} {:02x} {prefix:02x} {scope:02x} 80 {name:>8}\n", i.index));
            }
        }
        out
    }
}

/// Text without the heap, cut where it does not fit.
struct Short {
    bytes: [u8; 160],
    len: usize,
}

impl Write for Short {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let n = s.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

/// Moves a timer to `next`.
#[inline]
fn rearm(sched: &mut Sched, timer: &mut Option<(Nanos, u64)>, next: Option<Nanos>, action: TimerAction) {
    if next == timer.map(|key| key.0) {
        return;
    }
    if let Some(key) = timer.take() {
        sched.disarm(key);
    }
    *timer = next.map(|at| sched.arm(at, action));
}

fn record_packet(record: &mut Recorder, p: &Captured) {
    use trace::packet::*;
    let mut nums = [0; COUNT];
    nums[AT] = p.at;
    nums[HOST] = u64::from(p.host);
    nums[NETWORK] = p.network.map_or(0, |network| u64::from(network) + 1);
    nums[FLAGS] = u64::from(p.out);
    nums[SOCKET] = p.socket;
    nums[TTL_TOS] = u64::from(p.ttl) | u64::from(p.tos) << 8;
    nums[PORTS] = u64::from(p.src.port) | u64::from(p.dst.port) << 16;
    match p.transport {
        Transport::Tcp { bits, seq, ack, window, urgent } => {
            (nums[TRANSPORT], nums[BITS], nums[SEQ], nums[ACK]) = (TCP, u64::from(bits), seq, ack);
            (nums[WINDOW], nums[URGENT]) = (window, urgent.map_or(0, |at| at + 1));
        }
        Transport::Udp => nums[TRANSPORT] = UDP,
        Transport::Icmp => nums[TRANSPORT] = ICMP,
    }
    let (mut src, mut dst) = ([0; 16], [0; 16]);
    record.packet(&nums, [octets(p.src.ip, &mut src), octets(p.dst.ip, &mut dst)], &p.payload);
}

/// The bytes of an IP address.
fn octets(ip: IpAddr, room: &mut [u8; 16]) -> &[u8] {
    match ip {
        IpAddr::V4(ip) => room[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => *room = ip.octets(),
    }
    &room[..if ip.is_ipv4() { 4 } else { 16 }]
}

/// The numbers of a description in the trace.
fn numbers(socket: u64, d: &Description) -> [u64; trace::entry::COUNT] {
    use trace::entry::*;
    let mut nums = [0; COUNT];
    nums[ID] = socket;
    nums[HOST] = u64::from(d.host);
    nums[FAMILY] = u64::from(d.family);
    nums[TYPE] = u64::from(d.kind.number());
    nums[PROTOCOL] = u64::from(d.protocol);
    nums[FLAGS] = u64::from(d.blocking) | u64::from(d.shut) << 1;
    if let Some(socket) = d.socket {
        nums[PID] = u64::from(socket.pid);
        nums[FD] = socket.fd as u64;
    }
    nums[OTHER_END] = d.other_end;
    nums[NETWORK] = d.network.map_or(0, |network| u64::from(network) + 1);
    nums[ERROR] = d.error.map_or(0, |error| u64::from(error.0));
    nums[WAITING] = u64::from(d.waiting);
    nums
}

impl Kernel {
    /// What follows from a call of the table: sleepers wake, the trace is told, the timer is set.
    #[inline]
    pub fn network_settle(&mut self) {
        let Kernel { sockets, sched, .. } = self;
        let Sockets { table, places, lingerers, timer, deadline, .. } = sockets;
        let mut owned = Vec::new();
        table.take_notifications(|id, bits| {
            let Some(place) = places.get(id.0 as usize) else { return };
            place.queue.wake(sched, bits);
            if let Some(file) = place.file.upgrade()
                && file.owner.get() != 0
            {
                owned.push((id, file, bits));
            }
        });
        if !lingerers.is_empty() {
            lingerers.wake(sched, 0);
        }
        rearm(sched, timer, table.next_arrival(), TimerAction::Network);
        rearm(sched, deadline, table.next_deadline(), TimerAction::NetworkDeadline);
        // Files that were on their way to nobody are closed.
        drop(table.take_discarded());
        // The RETURN of a call that goes on may follow its BEGIN in one record: what happened comes after it.
        if !self.record.is_open() {
            self.trace_network();
        }
        for (id, file, bits) in owned {
            self.signal_owner(id, &file, bits);
        }
    }

    /// The processes that F_SETOWN of a description names.
    fn owners(&self, host: HostId, file: &FileRef) -> Vec<ProcId> {
        let owner = file.owner.get();
        let matches = |p: &ProcId| match owner {
            0 => false,
            1.. => self.proc(*p).pid == owner as u32,
            _ => self.proc(*p).pgid == owner.unsigned_abs(),
        };
        self.host(host).pids.values().copied().filter(matches).collect()
    }

    /// fcntl(2), F_SETSIG: a signal to the owner of each pipe, terminal and the like on which something has happened.
    #[cold]
    pub fn pay_owners(&mut self) {
        for (file, events) in core::mem::take(&mut self.sched.owed) {
            let readable = if file.readable() { POLLIN | POLLPRI } else { 0 };
            let writable = if file.writable() { POLLOUT } else { 0 };
            // Who opens for reading is told of what can be read, and of the end; and so for writing.
            let band = events & (readable | writable | POLLHUP | POLLERR);
            if band == 0 {
                continue;
            }
            let (host, fd) = file.async_by.get();
            self.signal_owners(HostId(host), &file, |signal| Info::band(signal, band, fd));
        }
    }

    /// Sends a description's owner SIGIO, or the signal that it asked for and what that one tells (fcntl(2), F_SETSIG).
    pub fn signal_owners(&mut self, host: HostId, file: &FileRef, told: impl Fn(u32) -> Info) {
        let info = match file.owner_signal.get() {
            0 => Info::kernel(SIGIO),
            signal => told(signal),
        };
        for proc in self.owners(host, file) {
            let _ = self.signal_process(proc, info);
        }
    }

    /// socket(7), Signals: SIGURG for urgent data, and SIGIO for what O_ASYNC asks for, to the owner of F_SETOWN.
    #[cold]
    fn signal_owner(&mut self, id: SocketId, file: &FileRef, bits: u32) {
        let Ok(entry) = self.sockets.table.get(id) else { return };
        let (host, fd) = (HostId(entry.host()), entry.socket.map_or(-1, |s| s.fd));
        let procs = self.owners(host, file);
        let band = if bits == poll::ANY { self.sockets.readiness(id) } else { bits };
        for proc in procs {
            if bits != poll::ANY && bits & poll::PRI != 0 {
                let _ = self.signal_process(proc, Info::kernel(SIGURG));
            }
            if file.flags.get() & O_ASYNC != 0 {
                let info = match file.owner_signal.get() {
                    0 => Info::kernel(SIGIO),
                    signal => Info::band(signal, band, fd),
                };
                let _ = self.signal_process(proc, info);
            }
        }
    }

    /// Tells the trace what has happened in the network.
    #[inline]
    pub fn trace_network(&mut self) {
        if self.sockets.table.has_events() {
            self.trace_events();
        }
    }

    fn trace_events(&mut self) {
        let now = self.sched.now;
        let Kernel { sockets, record, .. } = self;
        for packet in sockets.table.take_captured() {
            record_packet(record, &packet);
        }
        let mut events = sockets.table.take_events().peekable();
        while let Some(event) = events.next() {
            let socket = event.socket;
            // Taking bytes moves the status first, and their arrival does so afterwards: one record says both.
            let next = events.peek().filter(|next| next.socket == socket).map(|next| &next.what);
            let ipv4 = |len, ip: Ipv4Addr, port| [socket, len, u64::from(ip.to_bits()), u64::from(port)];
            match (event.what, next) {
                (
                    What::Status { old, new },
                    Some(What::Send { len, to: Addr::Ip(Endpoint { ip: IpAddr::V4(ip), port, .. }) }),
                ) => {
                    record.send4(now, ipv4(*len, *ip, *port), Some([old as u64, new as u64]));
                    events.next();
                }
                (What::Deliver { len }, Some(What::Status { old, new })) => {
                    record.deliver(now, [socket, len, *old as u64, *new as u64]);
                    events.next();
                }
                (What::Status { old, new }, _) => {
                    record.network(now, trace::Kind::Status, &[socket, old as u64, new as u64], &[]);
                }
                (What::Send { len, to: Addr::Ip(Endpoint { ip: IpAddr::V4(ip), port, .. }) }, _) => {
                    record.send4(now, ipv4(len, ip, port), None);
                }
                (What::Send { len, to }, _) => {
                    let mut text = Short { bytes: [0; 160], len: 0 };
                    let _ = write!(text, "{to}");
                    record.network(now, trace::Kind::Send, &[socket, len], &[&text.bytes[..text.len]]);
                }
                (What::Deliver { len }, _) => record.network(now, trace::Kind::Deliver, &[socket, len], &[]),
                (What::Drop { len, reason }, _) => {
                    record.network(now, trace::Kind::Drop, &[socket, len], &[reason.name().as_bytes()]);
                }
                (What::Verdict { len, from, to, verdict }, _) => {
                    let (code, first, second) = match verdict {
                        Verdict::Delay(after) => (trace::verdict::DELAY, after, 0),
                        Verdict::Duplicate(first, second) => (trace::verdict::DUPLICATE, first, second),
                        Verdict::Corrupt(after) => (trace::verdict::CORRUPT, after, 0),
                        Verdict::Hold => (trace::verdict::HOLD, 0, 0),
                        // The table tells these in other ways, or not at all.
                        Verdict::Pass(_) | Verdict::Drop(_) => continue,
                    };
                    let nums = [socket, len, u64::from(from), u64::from(to), code, first, second];
                    record.network(now, trace::Kind::Verdict, &nums, &[]);
                }
                (What::Fault(text), _) => record.network(now, trace::Kind::Fault, &[], &[text.as_bytes()]),
                (What::Described(description), _) => {
                    let (local, remote) = (format!("{}", description.local), format!("{}", description.remote));
                    let texts = [local.as_bytes(), remote.as_bytes()];
                    record.network(now, trace::Kind::Socket, &numbers(socket, &description), &texts);
                }
                (What::Options(set), _) => {
                    record.network(now, trace::Kind::Options, &[socket], &[set.as_bytes()]);
                }
                (What::Queues(held), _) => {
                    let nums = [socket, held.send, held.receive, u64::from(held.messages)];
                    record.network(now, trace::Kind::Queues, &nums, &[]);
                }
                (What::Gone, _) => record.network(now, trace::Kind::Gone, &[socket], &[]),
            }
        }
    }

    /// O_NONBLOCK has changed.
    pub fn set_nonblocking(&mut self, id: SocketId, on: bool) {
        self.sockets.set_nonblocking(id, on);
        self.network_settle();
    }

    /// The last descriptor of a socket is closed.
    pub fn close_socket(&mut self, id: SocketId, _m: &mut dyn Machine) {
        let now = self.sched.now;
        let unix = self.sockets.table.get(id).is_ok_and(|e| e.local.family == Family::Unix);
        if let Close::Linger { until, unique } = self.sockets.table.close(id, now) {
            self.sockets.lingering = Some((until, unique));
        }
        // The place may be given to another socket.
        if let Some(place) = self.sockets.places.get_mut(id.0 as usize) {
            *place = Place::default();
        }
        if unix && self.sockets.sent_sockets {
            self.collect_in_flight();
        }
        self.network_settle();
    }

    /// Sockets that nobody can receive any more, because they are on their way to each other and nowhere else, let go of
    /// what they hold. Linux looks for them too when an AF_UNIX socket is closed (`unix_gc`).
    #[cold]
    fn collect_in_flight(&mut self) {
        // For each socket on its way: how often it is, and how many hold it in all.
        let mut held: BTreeMap<SocketId, (usize, usize)> = BTreeMap::new();
        let mut ways: Vec<(SocketId, SocketId)> = Vec::new();
        self.sockets.table.each_in_flight(|owner, file| {
            if let FileKind::Socket(id) = file.kind {
                held.entry(id).or_insert((0, Rc::strong_count(file))).0 += 1;
                ways.push((owner, id));
            }
        });
        self.sockets.sent_sockets = !held.is_empty();
        let outside = |id: &SocketId| held.get(id).is_none_or(|(ways, holders)| holders > ways);
        let mut reached: BTreeSet<SocketId> =
            ways.iter().flat_map(|(owner, id)| [*owner, *id]).filter(outside).collect();
        loop {
            let before = reached.len();
            let next: Vec<SocketId> = ways.iter().filter(|(owner, _)| reached.contains(owner)).map(|w| w.1).collect();
            reached.extend(next);
            if reached.len() == before {
                break;
            }
        }
        for id in held.keys().filter(|id| !reached.contains(id)) {
            self.sockets.table.discard_rights(*id);
        }
    }

    /// Something in flight arrives, or a deadline of the table has come.
    pub fn network_due(&mut self, deadline: bool) {
        let timer = if deadline { &mut self.sockets.deadline } else { &mut self.sockets.timer };
        *timer = None;
        let now = self.sched.now;
        self.sockets.table.advance(now);
        self.network_settle();
    }

    /// When SO_RCVTIMEO or SO_SNDTIMEO ends a wait that begins now.
    pub fn socket_deadline(&self, file: &FileRef, read: bool) -> Option<Nanos> {
        let FileKind::Socket(id) = &file.kind else { return None };
        let options = self.sockets.table.options(*id).ok()?;
        let timeout = if read { options.receive_timeout } else { options.send_timeout };
        (timeout != 0).then(|| self.sched.now.saturating_add(timeout))
    }
}

impl Cx<'_> {
    /// Who the caller is, as other programs may see it.
    pub fn net_cred(&self) -> Cred {
        let p = self.proc();
        Cred { pid: p.pid, uid: p.cred.euid, gid: p.cred.egid }
    }

    /// One send of guest memory from byte `done` on.
    ///
    /// # Errors
    /// `EAGAIN` when there is no room, and what `send` gives.
    #[inline]
    pub fn send_bytes(&mut self, id: SocketId, iov: &Iov, done: u64, call: Send<FileRef>) -> Result<usize> {
        let now = self.k.sched.now;
        let mut source = FromGuest { m: self.m, iov, at: done };
        let result = self.k.sockets.table.send(id, &mut source, call, now);
        self.k.network_settle();
        result
    }

    /// One receive into guest memory from byte `done` on.
    ///
    /// # Errors
    /// `EAGAIN` when there is nothing, and what `recv` gives.
    #[inline]
    pub fn receive_bytes(&mut self, id: SocketId, iov: &Iov, done: u64, flags: u32) -> Result<Received<FileRef>> {
        let now = self.k.sched.now;
        let len = (iov.len().min(crate::io::MAX_RW) - done) as usize;
        let mut sink = ToGuest { m: self.m, iov, at: done };
        let result = self.k.sockets.table.recv(id, &mut sink, len, flags, now);
        self.k.network_settle();
        result
    }

    /// `read` of a socket.
    ///
    /// # Errors
    /// What `recv` gives.
    pub fn read_socket(&mut self, id: SocketId, iov: &Iov) -> Result<u64> {
        // Linux's sock_read_iter: a read of nothing gives nothing, whatever the socket's state.
        if iov.is_empty() {
            return Ok(0);
        }
        Ok(self.receive_bytes(id, iov, 0, 0)?.len as u64)
    }

    /// `write` to a socket.
    ///
    /// # Errors
    /// What `send` gives.
    pub fn write_socket(&mut self, id: SocketId, iov: &Iov, done: u64) -> Result<u64> {
        let len = (iov.len().min(crate::io::MAX_RW) - done) as usize;
        let call = Send { cred: self.net_cred(), ..Send::bytes(len) };
        Ok(self.send_bytes(id, iov, done, call)? as u64)
    }

    /// Sends bytes of the kernel's own.
    ///
    /// # Errors
    /// What `send` gives.
    pub fn put_socket(&mut self, id: SocketId, data: &[u8]) -> Result<usize> {
        let call = Send { cred: self.net_cred(), ..Send::bytes(data.len()) };
        let now = self.k.sched.now;
        let result = self.k.sockets.table.send(id, &mut &data[..], call, now);
        self.k.network_settle();
        result
    }

    /// Takes bytes for the kernel's own use.
    ///
    /// # Errors
    /// What `recv` gives.
    pub fn take_socket(&mut self, id: SocketId, max: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let now = self.k.sched.now;
        let result = self.k.sockets.table.recv(id, &mut out, max, 0, now);
        self.k.network_settle();
        result.map(|_| out)
    }

    /// Makes a call wait.
    pub fn wait_on_socket(&mut self, file: FileRef, socket: SocketId, op: Op) -> Stop {
        let read = matches!(op, Op::Accept(..) | Op::Receive(..));
        let deadline = self.k.socket_deadline(&file, read);
        let wait = SocketWait { socket, _file: Some(file), op };
        Wait::new(Kind::Socket(wait)).until(deadline).on_signal(Interrupt::for_timeout(deadline)).stop()
    }

    /// Closes a description that may be the last of its socket, and waits where SO_LINGER says so.
    pub fn close_last(&mut self, file: FileRef, socket: SocketId) -> Answer {
        drop(file);
        self.k.sockets.lingering = None;
        self.k.bury(self.m);
        let Some((until, unique)) = self.k.sockets.lingering.take() else { return Ok(0) };
        if !self.k.sockets.table.lingers(unique) {
            return Ok(0);
        }
        let wait = SocketWait { socket, _file: None, op: Op::Linger(unique) };
        Err(Wait::new(Kind::Socket(wait)).until(Some(until)).on_signal(Interrupt::Fail).stop())
    }

    /// Goes on with a blocked call.
    ///
    /// # Errors
    /// `EAGAIN` while it must wait.
    pub fn socket_now(&mut self, wait: &mut SocketWait) -> Result<i64> {
        let id = wait.socket;
        match &mut wait.op {
            Op::Accept(addr, len, flags) => self.accept_now(id, *addr, *len, *flags),
            Op::Connect(addr, _) => {
                let now = self.k.sched.now;
                let result = self.k.sockets.table.connect(id, addr, now);
                self.k.network_settle();
                match result {
                    Ok(Connect::Done) => Ok(0),
                    Ok(Connect::InProgress) | Err(Errno::EALREADY) => Err(Errno::EAGAIN),
                    Err(e) => Err(e),
                }
            }
            Op::Send(call, None) => self.send_now(id, call),
            Op::Send(call, Some(many)) => self.send_many(id, call, many),
            Op::Receive(call, None) => self.receive_now(id, call),
            Op::Receive(call, Some(many)) => self.receive_many(id, call, many),
            Op::Linger(unique) if self.k.sockets.table.lingers(*unique) => Err(Errno::EAGAIN),
            Op::Linger(_) => Ok(0),
        }
    }

    /// What the call gives when its time is up.
    ///
    /// # Errors
    /// `EAGAIN`; for `connect` `EINPROGRESS` (socket(7), SO_SNDTIMEO).
    pub fn socket_timed_out(&mut self, wait: &mut SocketWait) -> Result<i64> {
        match (self.socket_partial(wait), &wait.op) {
            (Some(result), _) => result,
            (None, Op::Connect(_, errno)) => Err(*errno),
            (None, _) => Err(Errno::EAGAIN),
        }
    }

    /// What has been done already, if the call may end with it.
    pub fn socket_partial(&mut self, wait: &mut SocketWait) -> Option<Result<i64>> {
        match &mut wait.op {
            Op::Send(call, many) => self.send_partial(call, many.as_mut()),
            Op::Receive(call, many) => self.receive_partial(call, many.as_mut()),
            Op::Linger(_) => Some(Ok(0)),
            Op::Accept(..) | Op::Connect(..) => None,
        }
    }
}
