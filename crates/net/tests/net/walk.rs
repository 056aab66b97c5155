//! Random walks: whatever is called in whatever order, bytes stay in order, statuses move as the diagram says, and
//! memory is bounded.

use super::help::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// More than any queue may hold with the buffers' default sizes.
const BOUND: usize = 8 << 20;

/// Follows the trace: each move begins where the one before ended, and is one of the diagram's; and the events give the
/// table as it is.
#[derive(Default)]
struct Moves(BTreeMap<u64, Followed>);

/// An entry as a reader of the events has it.
struct Followed {
    status: SocketStatus,
    lengths: Lengths,
    description: Option<Description>,
}

impl Default for Followed {
    fn default() -> Followed {
        Followed { status: SocketStatus::Unconnected, lengths: Lengths::default(), description: None }
    }
}

impl Moves {
    fn follow(&mut self, w: &mut World) {
        let events: Vec<Event> = w.table.take_events().collect();
        for event in events.into_iter().filter(|event| event.socket != 0) {
            let socket = event.socket;
            if event.what == What::Gone {
                self.0.remove(&socket);
                continue;
            }
            let known = self.0.entry(socket).or_default();
            match event.what {
                What::Status { old, new } => {
                    assert_eq!(known.status, old, "socket {socket}");
                    assert!(old.may_become(new), "socket {socket}: {old:?} to {new:?}");
                    known.status = new;
                    match new {
                        SocketStatus::Unconnected | SocketStatus::Bound | SocketStatus::Connected => {
                            known.lengths = Lengths::default();
                        }
                        SocketStatus::Receiving => known.lengths.send = 0,
                        _ => {}
                    }
                }
                What::Send { len, .. } if known.status == SocketStatus::Sending => known.lengths.send += len,
                What::Deliver { len } => {
                    known.lengths.receive += len;
                    known.lengths.messages += 1;
                }
                What::Queues(lengths) => known.lengths = lengths,
                What::Described(description) => known.description = Some(*description),
                _ => {}
            }
        }
        for entry in w.table.entries() {
            let known = self.0.get(&entry.unique()).expect("an entry is told of");
            assert_eq!(known.status, entry.status);
            self.compare(w, entry, known);
            assert!(entry.send_queue.len() <= BOUND && entry.receive_queue.len() <= BOUND);
        }
        let there: Vec<u64> = w.table.entries().map(Entry::unique).collect();
        assert!(self.0.keys().all(|id| there.contains(id)), "what has gone is told of");
    }

    fn compare(&self, w: &World, entry: &Entry<u32>, known: &Followed) {
        let socket = entry.unique();
        let (send, receive) = (&entry.send_queue, &entry.receive_queue);
        let stream = entry.local.kind == SocketType::Stream;
        assert_eq!(known.lengths.send, send.len() as u64, "socket {socket}");
        assert_eq!(known.lengths.receive, receive.len() as u64, "socket {socket}");
        assert!(stream || known.lengths.messages as usize == receive.messages(), "socket {socket}");
        let actual = w.table.description(entry.id()).unwrap();
        let mut known = known.description.clone().expect("an entry is described");
        // One that has gone is nobody's other end.
        if !self.0.contains_key(&known.other_end) {
            known.other_end = 0;
        }
        assert_eq!(known, actual, "socket {socket}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send(usize, usize),
    Receive(usize, usize),
    Peek(usize, usize),
    Shutdown(usize, u64),
    Close(usize),
    Wait(u64),
}

/// One direction of a connection.
#[derive(Default)]
struct Flow {
    sent: u64,
    got: u64,
}

fn pattern(at: u64) -> u8 {
    (at ^ at >> 7 ^ at >> 13) as u8
}

fn step(ends: usize) -> impl Strategy<Value = Step> {
    let end = 0..ends;
    prop_oneof![
        8 => (end.clone(), 0usize..200_000).prop_map(|(e, n)| Step::Send(e, n)),
        8 => (end.clone(), 0usize..300).prop_map(|(e, n)| Step::Send(e, n)),
        12 => (end.clone(), 1usize..200_000).prop_map(|(e, n)| Step::Receive(e, n)),
        2 => (end.clone(), 1usize..3000).prop_map(|(e, n)| Step::Peek(e, n)),
        1 => (end.clone(), 0u64..3).prop_map(|(e, h)| Step::Shutdown(e, h)),
        1 => end.prop_map(Step::Close),
        8 => (0u64..300_000).prop_map(Step::Wait),
    ]
}

/// Connections within a host, between hosts, and of AF_UNIX; end `e` talks to end `e ^ 1`.
fn ends(w: &mut World) -> Vec<SocketId> {
    let (a, b) = w.pair(0, 0);
    let (c, d) = w.pair(0, 1);
    let [e, f] = w.table.socketpair(0, af::UNIX.into(), sock::STREAM, 0, ROOT).unwrap();
    let (g, h) = w.pair(2, 1);
    w.set(h, sol::SOCKET, so::RCVBUF, 3000).unwrap();
    w.set(g, sol::SOCKET, so::SNDBUF, 5000).unwrap();
    vec![a, b, c, d, e, f, g, h]
}

struct Walk {
    w: World,
    ends: Vec<Option<SocketId>>,
    flows: Vec<Flow>,
    moves: Moves,
    /// Ends whose connection a reset may have cut.
    cut: Vec<bool>,
}

impl Walk {
    fn new() -> Walk {
        let mut w = world();
        w.table.set_tracing(true);
        let ends: Vec<Option<SocketId>> = ends(&mut w).into_iter().map(Some).collect();
        let flows = ends.iter().map(|_| Flow::default()).collect();
        let cut = vec![false; ends.len()];
        let mut walk = Walk { w, ends, flows, moves: Moves::default(), cut };
        walk.moves.follow(&mut walk.w);
        walk
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Send(end, n) => self.send(end, n),
            Step::Receive(end, n) => drop(self.receive(end, n, 0)),
            Step::Peek(end, n) => drop(self.receive(end, n, msg::PEEK)),
            Step::Shutdown(end, how) => {
                if let (Some(id), Some(how)) = (self.ends[end], How::from_arg(how)) {
                    let _ = self.w.table.shutdown(id, how, self.w.now);
                    self.cut[end | 1] |= how != How::Write;
                    self.cut[end & !1] |= how != How::Write;
                }
            }
            Step::Close(end) => {
                if let Some(id) = self.ends[end].take() {
                    self.w.table.close(id, self.w.now);
                    self.cut[end | 1] = true;
                    self.cut[end & !1] = true;
                }
            }
            Step::Wait(time) => {
                let until = self.w.now + time;
                self.w.run(until);
                self.w.now = until;
                self.w.table.advance(until);
            }
        }
        self.moves.follow(&mut self.w);
    }

    fn send(&mut self, end: usize, n: usize) {
        let Some(id) = self.ends[end] else { return };
        let from = self.flows[end].sent;
        let bytes: Vec<u8> = (from..from + n as u64).map(pattern).collect();
        let writable = self.w.ready(id) & poll::OUT != 0;
        match self.w.send(id, &bytes) {
            Ok(sent) => self.flows[end].sent += sent as u64,
            Err(Errno::EAGAIN) => assert!(!writable, "a writable socket takes something"),
            Err(_) => {}
        }
    }

    fn receive(&mut self, end: usize, n: usize, flags: u32) -> bool {
        let Some(id) = self.ends[end] else { return false };
        let readable = self.w.ready(id) & poll::IN != 0;
        let Ok((bytes, _)) = self.w.recv_with(id, n, flags) else { return false };
        assert!(readable, "what can be received is readable");
        let flow = &mut self.flows[end ^ 1];
        let from = flow.got;
        assert!(bytes.iter().zip(from..).all(|(&b, at)| b == pattern(at)), "bytes come in order");
        if flags & msg::PEEK == 0 {
            flow.got += bytes.len() as u64;
        }
        assert!(flow.got <= flow.sent);
        !bytes.is_empty()
    }

    /// Lets everything arrive: nothing that was sent on a connection that lives is lost.
    fn finish(mut self) {
        for _ in 0..200 {
            // An acknowledgement that waits, or a probe, may be what comes next.
            self.step(&Step::Wait(1_000_000_000));
            let more: Vec<bool> = (0..self.ends.len()).map(|end| self.receive(end, 1 << 20, 0)).collect();
            self.moves.follow(&mut self.w);
            if !more.contains(&true) && self.w.table.next_event().is_none() {
                break;
            }
        }
        for (end, flow) in self.flows.iter().enumerate() {
            assert!(self.cut[end] || flow.got == flow.sent, "end {end}: {} of {}", flow.got, flow.sent);
        }
        for end in self.ends.iter().flatten() {
            self.w.table.close(*end, self.w.now);
        }
        self.w.run(u64::MAX);
        self.moves.follow(&mut self.w);
        assert_eq!(self.w.table.entries().count(), 0, "every entry goes");
    }
}

/// Any call with any arguments.
fn wild(w: &mut World, open: &mut Vec<SocketId>, call: u8, pick: usize, arg: u64) {
    let id = open.get(pick % open.len().max(1)).copied().unwrap_or(SocketId(9999));
    let port = 7000 + arg % 3;
    let at = match arg >> 4 & 7 {
        0 => ip(&format!("127.0.0.1:{port}")),
        1 => ip(&format!("0.0.0.0:{port}")),
        2 => ip(&format!("10.0.0.3:{port}")),
        3 => ip(&format!("[::]:{port}")),
        4 => ip(&format!("[::1]:{port}")),
        5 => Addr::Unspec,
        6 => ip(&format!("10.0.0.77:{port}")),
        _ => abstract_name(if arg & 1 == 0 { "one" } else { "two" }),
    };
    match call {
        0 | 1 if open.len() < 24 => {
            let domain = [af::INET, af::INET6, af::UNIX, af::NETLINK][arg as usize & 3];
            let kind = [sock::STREAM, sock::DGRAM, sock::SEQPACKET, sock::STREAM][(arg >> 2) as usize & 3];
            open.extend(w.table.socket((arg >> 4) as u32 & 1, domain.into(), kind, 0, ROOT));
        }
        2 => drop(w.table.bind(id, &at)),
        3 => drop(w.table.listen(id, (arg & 3) as i32 - 1)),
        4 | 5 => drop(w.table.connect(id, &at, w.now)),
        6 | 7 => open.extend(w.table.accept(id, w.now).map(|(id, _)| id)),
        8 | 9 => drop(w.send(id, &vec![1; (arg as usize & 0xffff) * (arg as usize >> 16 & 7)])),
        10 => drop(w.send_to(id, &vec![1; arg as usize & 0xfff], &at)),
        11 | 12 => {
            drop(w.recv_with(id, arg as usize & 0x3ffff, [0, msg::PEEK, msg::OOB, msg::TRUNC][arg as usize & 3]))
        }
        13 => drop(How::from_arg(arg & 3).map(|how| w.table.shutdown(id, how, w.now))),
        14 => {
            open.retain(|&other| other != id);
            w.table.close(id, w.now);
        }
        15 => drop(w.send_rights(id, b"rights", vec![arg as u32])),
        16 => drop(w.set(id, sol::SOCKET, arg as u32 & 0x3f, (arg >> 8) as i32)),
        17 => drop(w.set(id, (arg & 0x3f) as u32, (arg >> 6) as u32 & 0x3f, (arg >> 12) as i32)),
        18 => drop(w.table.getsockopt(id, (arg & 0x3f) as u32, (arg >> 6) as u32 & 0x3f, 256)),
        _ => {
            let until = w.now + arg % 2_000_000_000;
            w.run(until);
            w.now = until;
        }
    }
    let _ = (w.ready(id), w.table.getsockname(id), w.table.getpeername(id), w.table.fionread(id), w.table.siocoutq(id));
}

/// Few cases by default; PROPTEST_CASES says otherwise.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 64 };
    ProptestConfig { cases, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn streams_lose_nothing_and_keep_their_order(steps in prop::collection::vec(step(8), 1..120)) {
        let mut walk = Walk::new();
        for step in &steps {
            walk.step(step);
        }
        walk.finish();
    }

    #[test]
    fn no_sequence_of_calls_breaks_the_table(
        calls in prop::collection::vec((0u8..20, any::<usize>(), any::<u64>()), 1..300)
    ) {
        let mut w = world();
        w.table.set_tracing(true);
        let mut moves = Moves::default();
        let mut open = Vec::new();
        for (call, pick, arg) in calls {
            wild(&mut w, &mut open, call, pick, arg);
            moves.follow(&mut w);
            w.notified();
        }
        for id in open {
            w.table.close(id, w.now);
            moves.follow(&mut w);
        }
        w.run(u64::MAX);
        prop_assert_eq!(w.table.entries().count(), 0);
    }

    #[test]
    fn the_same_calls_and_seed_give_the_same_events(steps in prop::collection::vec(step(8), 1..60)) {
        let run = || {
            let mut walk = Walk::new();
            let mut events = Vec::new();
            for step in &steps {
                walk.step(step);
                events.push((walk.w.table.next_event(), walk.w.notified()));
            }
            events
        };
        prop_assert_eq!(run(), run());
    }
}

/// All statuses, in the order of their numbers.
fn statuses() -> Vec<SocketStatus> {
    (0..).map_while(SocketStatus::from_u8).collect()
}

/// All moves that the diagram has.
fn diagram() -> BTreeSet<(SocketStatus, SocketStatus)> {
    let pairs = statuses().into_iter().flat_map(|from| statuses().into_iter().map(move |to| (from, to)));
    pairs.filter(|(from, to)| from != to && from.may_become(*to)).collect()
}

const RESET: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];

/// Small scenes that together make every move.
fn scenes() -> Vec<fn(&mut World)> {
    vec![
        // Bound, listening, and back, or closed.
        |w| {
            for at in ["10.0.0.2:80", "10.0.0.2:81"] {
                let id = w.listen(0, at, 1);
                match at {
                    "10.0.0.2:80" => drop(w.table.connect(id, &Addr::Unspec, w.now)),
                    _ => drop(w.table.close(id, w.now)),
                }
            }
            let id = w.tcp(0);
            w.table.listen(id, 1).unwrap();
            w.table.connect(id, &Addr::Unspec, w.now).unwrap();
            w.table.close(id, w.now);
            let id = w.tcp(0);
            w.table.close(id, w.now);
        },
        // An attempt to connect that fails, from a socket that is bound and from one that is not; one that is given up.
        |w| {
            for bind in [false, true] {
                let id = w.tcp(0);
                if bind {
                    w.table.bind(id, &ip("10.0.0.2:80")).unwrap();
                }
                w.connect(id, "10.0.0.3:1").unwrap();
                w.settle();
                w.table.close(id, w.now);
            }
            let id = w.tcp(0);
            w.connect(id, "10.0.0.3:1").unwrap();
            w.table.close(id, w.now);
        },
        // Both ends call at once, and one of them has nothing to say.
        |w| {
            let [a, b] = [0, 1].map(|host| w.tcp(host));
            w.table.bind(a, &ip("10.0.0.2:80")).unwrap();
            w.table.bind(b, &ip("10.0.0.3:80")).unwrap();
            w.connect(a, "10.0.0.3:80").unwrap();
            w.connect(b, "10.0.0.2:80").unwrap();
            w.run(w.now + LATENCY);
            w.table.shutdown(a, How::Write, w.now).unwrap();
            w.settle();
        },
        // A connection that sends and receives, and what shutting, closing, resetting and dissolving make of it.
        |w| {
            let (client, server) = w.pair(0, 1);
            w.send(client, b"x").unwrap();
            w.settle();
            w.recv(server, 9).unwrap();
            w.send(server, b"y").unwrap();
            w.settle();
            // Its receive queue holds something when it begins to send, and still when all is acknowledged.
            w.send(client, b"z").unwrap();
            w.run(w.now + 1_000_000_000);
            w.table.shutdown(client, How::Write, w.now).unwrap();
            w.table.shutdown(client, How::Read, w.now).unwrap();
            let (client, server) = w.pair(0, 1);
            w.table.shutdown(client, How::Write, w.now).unwrap();
            w.table.shutdown(server, How::Both, w.now).unwrap();
            let (client, _) = w.pair(0, 1);
            w.send(client, b"x").unwrap();
            w.table.shutdown(client, How::Write, w.now).unwrap();
            let (client, _) = w.pair(0, 1);
            w.send(client, b"x").unwrap();
            w.table.close(client, w.now);
        },
        |w| {
            let dissolve = |w: &mut World, id| w.table.connect(id, &Addr::Unspec, w.now).unwrap();
            for port in [0, 4000] {
                for act in 0..4 {
                    let at = format!("10.0.0.3:{}", 90 + act + port);
                    let listener = w.listen(1, &at, 1);
                    let client = w.tcp(0);
                    if port != 0 {
                        w.table.bind(client, &ip(&format!("10.0.0.2:{}", port + act))).unwrap();
                    }
                    w.connect(client, &at).unwrap();
                    w.settle();
                    let server = w.accept(listener).unwrap();
                    match act {
                        0 => drop(w.send(client, b"x")),
                        1 => drop(w.send(server, b"x")),
                        2 => w.table.shutdown(client, How::Write, w.now).unwrap(),
                        _ => {
                            w.table.setsockopt(server, sol::SOCKET, so::LINGER, &RESET, ROOT).unwrap();
                            w.table.close(server, w.now);
                        }
                    }
                    if act > 0 {
                        w.settle();
                    }
                    dissolve(w, client);
                }
            }
        },
        // Datagrams come without a connection, and connections of theirs come and go.
        |w| {
            for bind in [false, true] {
                let id = w.udp(0);
                if bind {
                    w.table.bind(id, &ip("10.0.0.2:53")).unwrap();
                    let other = w.udp(1);
                    w.send_to(other, b"x", &ip("10.0.0.2:53")).unwrap();
                    w.settle();
                    w.recv(id, 9).unwrap();
                    w.send_to(other, b"x", &ip("10.0.0.2:53")).unwrap();
                    w.settle();
                    w.table.shutdown(id, How::Read, w.now).unwrap_err();
                    w.table.close(id, w.now);
                    let id = w.udp(0);
                    w.table.bind(id, &ip("10.0.0.2:54")).unwrap();
                    w.connect(id, "10.0.0.3:1").unwrap();
                    w.table.connect(id, &Addr::Unspec, w.now).unwrap();
                    w.table.shutdown(id, How::Read, w.now).unwrap_err();
                    w.table.connect(id, &Addr::Unspec, w.now).unwrap();
                } else {
                    w.table.shutdown(id, How::Read, w.now).unwrap_err();
                    let id = w.udp(0);
                    w.send_to(id, b"x", &ip("10.0.0.3:1")).unwrap();
                    w.table.connect(id, &Addr::Unspec, w.now).unwrap();
                    w.connect(id, "10.0.0.3:1").unwrap();
                    w.table.connect(id, &Addr::Unspec, w.now).unwrap();
                    w.table.close(id, w.now);
                }
            }
        },
        // A pair has another end from the start; a raw socket receives without an address.
        |w| {
            let [a, b] = w.table.socketpair(0, af::UNIX.into(), sock::STREAM, 0, ROOT).unwrap();
            w.table.close(a, w.now);
            w.table.close(b, w.now);
            let one = w.socket(0, af::UNIX, sock::DGRAM);
            let _ = w.table.shutdown(one, How::Read, w.now);
            let raw = w.table.socket(0, af::INET.into(), sock::RAW, ipproto::ICMP, ROOT).unwrap();
            let echo = [8, 0, 0, 0, 0, 1, 0, 1];
            w.send_to(raw, &echo, &ip("127.0.0.1:0")).unwrap();
        },
        |w| {
            let id = w.udp(0);
            w.table.bind(id, &ip("10.0.0.2:55")).unwrap();
            w.table.close(id, w.now);
        },
    ]
}

#[test]
fn every_move_of_the_diagram_is_made_and_no_other() {
    let mut made = BTreeSet::new();
    for scene in scenes() {
        let mut w = world();
        w.table.set_tracing(true);
        scene(&mut w);
        w.settle();
        made.extend(w.table.take_events().filter_map(|event| match event.what {
            What::Status { old, new } => Some((old, new)),
            _ => None,
        }));
    }
    let names = |moves: &BTreeSet<(SocketStatus, SocketStatus)>| -> Vec<String> {
        moves.iter().map(|(from, to)| format!("{} -> {}", from.name(), to.name())).collect()
    };
    assert_eq!(names(&made), names(&diagram()));
}

/// The table of moves in the book: a row for each status, in whose cells those that it may become have a mark.
fn table_of_the_book() -> String {
    let all = statuses();
    let head: String = all.iter().map(|to| format!(" {} |", to.name())).collect();
    let mut text = format!("| from, to |{head}\n|---|{}\n", ":-:|".repeat(all.len()));
    for from in &all {
        let cells: String =
            all.iter().map(|to| if from != to && from.may_become(*to) { " x |" } else { "  |" }).collect();
        text += &format!("| {} |{cells}\n", from.name());
    }
    text
}

#[test]
fn the_book_shows_the_moves_of_the_diagram() {
    let book = include_str!("../../../../book/src/concepts/network.md");
    let table = table_of_the_book();
    assert!(book.contains(&table), "book/src/concepts/network.md wants this table:\n{table}");
}
