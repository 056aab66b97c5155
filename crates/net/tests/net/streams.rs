//! TCP and AF_UNIX streams.

use super::help::*;

const IN: u32 = poll::READ;
const OUT: u32 = poll::WRITE;

#[test]
fn bytes_arrive_at_once_within_a_host_and_after_the_latency_between_hosts() {
    let mut w = world();
    let (client, server) = w.pair(0, 0);
    w.send(client, b"hello").unwrap();
    assert_eq!(w.recv(server, 64).unwrap(), b"hello");

    let (client, server) = w.pair(0, 1);
    let sent = w.now;
    w.send(client, b"hello").unwrap();
    assert_eq!(w.recv(server, 64), Err(Errno::EAGAIN));
    assert_eq!(w.table.next_event(), Some(sent + LATENCY));
    w.settle();
    assert_eq!(w.recv(server, 64).unwrap(), b"hello");
}

#[test]
fn a_handshake_between_hosts_takes_a_round_trip() {
    let mut w = world();
    let server = w.listen(1, "10.0.0.3:80", 5);
    let client = w.tcp(0);
    assert_eq!(w.connect(client, "10.0.0.3:80"), Ok(Connect::InProgress));
    assert_eq!(w.connect(client, "10.0.0.3:80"), Err(Errno::EALREADY));
    assert_eq!(w.ready(client), 0);
    assert_eq!(w.status(client), SocketStatus::Connecting);
    w.run(2 * LATENCY);
    assert_eq!(w.ready(client), OUT);
    assert_eq!(w.connect(client, "10.0.0.3:80"), Ok(Connect::Done));
    assert_eq!(w.connect(client, "10.0.0.3:80"), Err(Errno::EISCONN));
    assert_eq!(w.accept(server), Err(Errno::EAGAIN));
    w.run(3 * LATENCY);
    assert_eq!(w.ready(server), IN);
    assert!(w.accept(server).is_ok());
}

#[test]
fn readiness_of_sockets_that_are_not_connected_is_linuxs() {
    let mut w = world();
    let id = w.tcp(0);
    assert_eq!(w.ready(id), OUT | poll::HUP);
    w.table.bind(id, &ip("10.0.0.2:80")).unwrap();
    w.table.listen(id, 1).unwrap();
    assert_eq!(w.ready(id), 0);
    let id = w.socket(0, af::UNIX, sock::STREAM);
    assert_eq!(w.ready(id), OUT | poll::WRBAND | poll::HUP);
    let id = w.udp(0);
    assert_eq!(w.ready(id), OUT | poll::WRBAND);
}

#[test]
fn a_refused_connect_says_so_and_may_be_tried_again() {
    let mut w = world();
    let id = w.tcp(0);
    assert_eq!(w.connect(id, "127.0.0.1:80"), Err(Errno::ECONNREFUSED));
    let server = w.listen(0, "127.0.0.1:80", 1);
    assert_eq!(w.connect(id, "127.0.0.1:80"), Ok(Connect::Done));
    w.accept(server).unwrap();

    let id = w.tcp(0);
    assert_eq!(w.connect(id, "10.0.0.3:80"), Ok(Connect::InProgress));
    w.settle();
    assert_eq!(w.ready(id), IN | OUT | poll::HUP | poll::ERR | poll::RDHUP);
    assert_eq!(w.error(id), 111);
    assert_eq!(w.error(id), 0);
    assert_eq!(w.connect(id, "10.0.0.3:80"), Err(Errno::ECONNABORTED));
    assert_eq!(w.connect(id, "10.0.0.3:80"), Ok(Connect::InProgress));
}

#[test]
fn an_address_that_nobody_has_is_unreachable_after_three_seconds_and_one_without_a_route_at_once() {
    let mut w = world();
    let id = w.tcp(0);
    assert_eq!(w.connect(id, "10.0.0.99:80"), Ok(Connect::InProgress));
    w.run(u64::MAX);
    assert_eq!(w.now, 3_000_000_000);
    assert_eq!(w.connect(id, "10.0.0.99:80"), Err(Errno::EHOSTUNREACH));
    assert_eq!(w.connect(id, "192.168.1.1:80"), Err(Errno::ENETUNREACH));
}

#[test]
fn a_full_accept_queue_drops_the_syn_which_is_sent_again_after_a_second() {
    let mut w = world();
    let server = w.listen(0, "127.0.0.1:80", 0);
    let first = w.tcp(0);
    assert_eq!(w.connect(first, "127.0.0.1:80"), Ok(Connect::Done));
    let second = w.tcp(0);
    assert_eq!(w.connect(second, "127.0.0.1:80"), Ok(Connect::InProgress));
    w.accept(server).unwrap();
    w.run(1_000_000_000);
    assert_eq!(w.connect(second, "127.0.0.1:80"), Ok(Connect::Done));
    assert_eq!(w.table.next_event(), None);

    let third = w.tcp(0);
    assert_eq!(w.connect(third, "127.0.0.1:80"), Ok(Connect::InProgress));
    w.run(u64::MAX);
    assert_eq!(w.now, 132_000_000_000);
    assert_eq!(w.connect(third, "127.0.0.1:80"), Err(Errno::ETIMEDOUT));
}

#[test]
fn half_close_lets_the_other_direction_live() {
    for host in [0, 1] {
        let mut w = world();
        let (client, server) = w.pair(0, host);
        w.send(client, b"question").unwrap();
        w.table.shutdown(client, How::Write, w.now).unwrap();
        w.settle();
        assert_eq!(w.ready(server), IN | OUT | poll::RDHUP);
        assert_eq!(w.recv(server, 64).unwrap(), b"question");
        assert_eq!(w.recv(server, 64).unwrap(), b"");
        assert_eq!(w.status(server), SocketStatus::Shutdown);
        w.send(server, b"answer").unwrap();
        w.settle();
        assert_eq!(w.recv(client, 64).unwrap(), b"answer");
        assert_eq!(w.send(client, b"x"), Err(Errno::EPIPE));
        w.table.shutdown(server, How::Write, w.now).unwrap();
        w.settle();
        assert_eq!(w.ready(client), IN | OUT | poll::RDHUP | poll::HUP);
        assert_eq!(w.recv(client, 64).unwrap(), b"");
    }
}

#[test]
fn closing_with_unread_data_resets_the_connection() {
    for host in [0, 1] {
        let mut w = world();
        let (client, server) = w.pair(0, host);
        w.send(client, b"never read").unwrap();
        w.settle();
        w.table.close(server, w.now);
        w.settle();
        assert_eq!(w.ready(client), IN | OUT | poll::RDHUP | poll::HUP | poll::ERR);
        assert_eq!(w.recv(client, 64), Err(Errno::ECONNRESET));
        assert_eq!(w.recv(client, 64).unwrap(), b"");
        assert_eq!(w.send(client, b"x"), Err(Errno::EPIPE));
    }
}

#[test]
fn sending_to_a_closed_end_is_answered_by_a_reset() {
    for host in [0, 1] {
        let mut w = world();
        let (client, server) = w.pair(0, host);
        w.table.close(server, w.now);
        w.settle();
        assert_eq!(w.send(client, b"into the void"), Ok(13));
        w.settle();
        // It had seen the other end's FIN: a broken pipe.
        assert_eq!(w.error(client), 32);
        assert_eq!(w.recv(client, 64).unwrap(), b"");
        assert_eq!(w.send(client, b"x"), Err(Errno::EPIPE));
    }
}

#[test]
fn linger_of_no_time_resets() {
    let mut w = world();
    let (client, server) = w.pair(0, 0);
    let value: Vec<u8> = [1i32, 0].iter().flat_map(|v| v.to_ne_bytes()).collect();
    w.table.setsockopt(client, sol::SOCKET, so::LINGER, &value, ROOT).unwrap();
    w.table.close(client, w.now);
    assert_eq!(w.recv(server, 1), Err(Errno::ECONNRESET));
}

#[test]
fn a_sender_is_held_back_by_a_reader_that_does_not_read_and_woken_when_a_third_is_free() {
    for host in [0, 1] {
        let mut w = world();
        let (client, server) = w.pair(0, host);
        let block = vec![7u8; 100_000];
        let mut sent = 0;
        loop {
            match w.send(client, &block) {
                Ok(n) => sent += n,
                Err(e) => break assert_eq!(e, Errno::EAGAIN),
            }
            w.settle();
        }
        assert!(sent < 4 << 20, "{sent}");
        assert_eq!(w.ready(client) & OUT, 0);
        assert_eq!(w.status(client), SocketStatus::Sending);
        w.notified();
        let mut got = 0;
        let mut woken = 0;
        while let Ok(bytes) = w.recv(server, 50_000) {
            got += bytes.len();
            w.settle();
            woken += w.notified().iter().filter(|&&(id, bits)| id == client && bits & OUT != 0).count();
        }
        assert_eq!(got, sent);
        assert_eq!(woken, 1);
        assert_eq!(w.table.siocoutq(client), Ok(0));
    }
}

#[test]
fn every_arrival_is_told_even_when_the_socket_was_readable() {
    let mut w = world();
    let (client, server) = w.pair(0, 0);
    w.notified();
    for _ in 0..2 {
        w.send(client, b"x").unwrap();
        assert_eq!(w.notified(), [(server, IN)]);
    }
    w.send(client, b"x").unwrap();
    w.send(client, b"x").unwrap();
    assert_eq!(w.notified(), [(server, IN)]);
}

#[test]
fn a_port_is_kept_while_its_connection_rests_unless_addresses_may_be_reused() {
    let mut w = world();
    for reuse in [0, 1] {
        let at = format!("127.0.0.1:{}", 8080 + reuse);
        let server = w.tcp(0);
        w.set(server, sol::SOCKET, so::REUSEADDR, reuse).unwrap();
        w.table.bind(server, &ip(&at)).unwrap();
        w.table.listen(server, 5).unwrap();
        let client = w.tcp(0);
        w.connect(client, &at).unwrap();
        let accepted = w.accept(server).unwrap();
        w.table.close(accepted, w.now);
        w.table.close(client, w.now);
        w.table.close(server, w.now);
        let again = w.tcp(0);
        w.set(again, sol::SOCKET, so::REUSEADDR, reuse).unwrap();
        let expected = if reuse == 1 { Ok(()) } else { Err(Errno::EADDRINUSE) };
        assert_eq!(w.table.bind(again, &ip(&at)), expected);
        w.table.close(again, w.now);
    }
    w.now += 60_000_000_000;
    w.table.advance(w.now);
    let again = w.udp(0);
    w.table.bind(again, &ip("127.0.0.1:0")).unwrap();
    let again = w.tcp(0);
    w.table.bind(again, &ip("127.0.0.1:0")).unwrap();
    let again = w.tcp(0);
    assert_eq!(w.table.bind(again, &ip("127.0.0.1:8080")), Ok(()));
}

#[test]
fn bind_conflicts_are_linuxs() {
    let check = |first: &str, second: &str, expected: Result<(), Errno>| {
        let mut w = world();
        let domain = |at: &str| if at.starts_with('[') { af::INET6 } else { af::INET };
        let a = w.socket(0, domain(first), sock::STREAM);
        w.table.bind(a, &ip(first)).unwrap();
        let b = w.socket(0, domain(second), sock::STREAM);
        assert_eq!(w.table.bind(b, &ip(second)), expected, "{first} {second}");
    };
    check("127.0.0.1:80", "127.0.0.1:80", Err(Errno::EADDRINUSE));
    check("127.0.0.1:80", "127.0.0.2:80", Ok(()));
    check("0.0.0.0:80", "127.0.0.2:80", Err(Errno::EADDRINUSE));
    check("[::]:80", "0.0.0.0:80", Err(Errno::EADDRINUSE));
    check("[::1]:80", "127.0.0.1:80", Ok(()));
    check("127.0.0.1:80", "10.9.9.9:80", Err(Errno::EADDRNOTAVAIL));
    check("127.0.0.1:80", "127.0.0.1:81", Ok(()));
}

#[test]
fn reuseport_spreads_connections_over_its_listeners() {
    let mut w = world();
    let listeners: Vec<SocketId> = (0..2)
        .map(|_| {
            let id = w.tcp(0);
            w.set(id, sol::SOCKET, so::REUSEPORT, 1).unwrap();
            w.table.bind(id, &ip("127.0.0.1:80")).unwrap();
            w.table.listen(id, 100).unwrap();
            id
        })
        .collect();
    for _ in 0..40 {
        let client = w.tcp(0);
        w.connect(client, "127.0.0.1:80").unwrap();
    }
    let counts = listeners.map(|id| std::iter::from_fn(|| w.accept(id).ok()).count());
    assert!(counts.iter().all(|&n| n > 8), "{counts:?}");
}

trait Map2 {
    fn map(self, f: impl FnMut(SocketId) -> usize) -> Vec<usize>;
}

impl Map2 for Vec<SocketId> {
    fn map(self, f: impl FnMut(SocketId) -> usize) -> Vec<usize> {
        self.into_iter().map(f).collect()
    }
}

#[test]
fn connecting_takes_even_ports_and_binding_odd_ones() {
    let mut w = world();
    w.listen(0, "127.0.0.1:80", 100);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let client = w.tcp(0);
        w.connect(client, "127.0.0.1:80").unwrap();
        let Addr::Ip(end) = w.table.getsockname(client).unwrap() else { panic!() };
        assert!((32768..=60999).contains(&end.port) && end.port % 2 == 0);
        assert!(seen.insert(end.port));
        let bound = w.tcp(0);
        w.table.bind(bound, &ip("127.0.0.1:0")).unwrap();
        let Addr::Ip(end) = w.table.getsockname(bound).unwrap() else { panic!() };
        assert!((32768..=60999).contains(&end.port) && end.port % 2 == 1);
    }
}

#[test]
fn a_dual_stack_listener_sees_ipv4_addresses_mapped() {
    let mut w = world();
    let server = w.socket(0, af::INET6, sock::STREAM);
    w.table.bind(server, &ip("[::]:80")).unwrap();
    w.table.listen(server, 5).unwrap();
    let client = w.tcp(0);
    w.connect(client, "127.0.0.1:80").unwrap();
    let (accepted, from) = w.table.accept(server, 0).unwrap();
    assert!(from.to_string().starts_with("[::ffff:127.0.0.1]:"), "{from}");
    assert_eq!(w.table.getsockname(accepted).unwrap(), ip("[::ffff:127.0.0.1]:80"));
    let client = w.socket(0, af::INET6, sock::STREAM);
    assert_eq!(w.connect(client, "[fd00::a00:2]:80"), Ok(Connect::Done));
}

#[test]
fn urgent_data_marks_its_place_in_the_stream() {
    for host in [0, 1] {
        let mut w = world();
        let (client, server) = w.pair(0, host);
        w.send(client, b"ab").unwrap();
        let call = Send { flags: msg::OOB, ..Send::bytes(2) };
        w.table.send(client, &mut &b"c!"[..], call, w.now).unwrap();
        w.send(client, b"de").unwrap();
        w.settle();
        assert_ne!(w.ready(server) & poll::PRI, 0);
        assert_eq!(w.table.siocatmark(server), Ok(false));
        assert_eq!(w.recv(server, 64).unwrap(), b"abc");
        assert_eq!(w.table.siocatmark(server), Ok(true));
        assert_eq!(w.recv_with(server, 1, msg::OOB).unwrap().0, b"!");
        assert_eq!(w.recv_with(server, 1, msg::OOB).unwrap_err(), Errno::EINVAL);
        assert_eq!(w.recv(server, 64).unwrap(), b"de");
    }
}

#[test]
fn a_socket_can_call_itself() {
    let mut w = world();
    let id = w.tcp(0);
    w.table.bind(id, &ip("127.0.0.1:4000")).unwrap();
    assert_eq!(w.connect(id, "127.0.0.1:4000"), Ok(Connect::Done));
    w.send(id, b"echo").unwrap();
    assert_eq!(w.recv(id, 64).unwrap(), b"echo");
}

#[test]
fn an_idle_world_has_nothing_to_do() {
    let mut w = world();
    let (client, server) = w.pair(0, 1);
    w.settle();
    assert_eq!(w.table.next_event(), None);
    w.table.close(client, w.now);
    w.settle();
    w.table.close(server, w.now);
    w.run(u64::MAX);
    assert_eq!(w.table.next_event(), None);
    assert_eq!(w.table.entries().count(), 0);
}

#[test]
fn unix_streams_pass_descriptors_with_their_bytes_and_do_not_read_past_them() {
    let mut w = world();
    let [a, b] = w.table.socketpair(0, af::UNIX.into(), sock::STREAM, 0, ROOT).unwrap();
    w.send(a, b"one").unwrap();
    w.send_rights(a, b"two", vec![41, 42]).unwrap();
    w.send(a, b"three").unwrap();
    let (bytes, received) = w.recv_with(b, 64, 0).unwrap();
    assert_eq!(bytes, b"onetwo");
    assert!(matches!(&received.control[..], [Control::Rights(r)] if *r == [41, 42]));
    assert_eq!(w.recv(b, 64).unwrap(), b"three");
    w.send_rights(a, b"lost", vec![43]).unwrap();
    w.table.close(b, 0);
    assert_eq!(w.table.take_discarded(), [43]);
    assert_eq!(w.send(a, b"x"), Err(Errno::EPIPE));
    assert_eq!(w.recv(a, 1), Err(Errno::ECONNRESET));
    assert_eq!(w.recv(a, 1).unwrap(), b"");
}

#[test]
fn an_unread_unix_stream_takes_as_many_bytes_as_linux_counts_for() {
    for (size, expected) in [(64, 17_792), (65_536, 233_152)] {
        let mut w = world();
        let [a, b] = w.table.socketpair(0, af::UNIX.into(), sock::STREAM, 0, ROOT).unwrap();
        let block = vec![1; size];
        let sent: usize = std::iter::from_fn(|| w.send(a, &block).ok()).sum();
        assert_eq!(sent, expected);
        assert_eq!(w.ready(a), 0);
        assert_eq!(w.recv(b, 1 << 20).unwrap().len(), expected);
        assert_eq!(w.ready(a), OUT | poll::WRBAND);
    }
}

#[test]
fn unix_connections_know_who_is_at_the_other_end() {
    let mut w = world();
    let server = w.table.socket(0, af::UNIX.into(), sock::STREAM, 0, ROOT).unwrap();
    w.table.bind(server, &abstract_name("door")).unwrap();
    w.table.listen(server, 0).unwrap();
    let client = w.table.socket(0, af::UNIX.into(), sock::STREAM, 0, USER).unwrap();
    assert_eq!(w.table.connect(client, &abstract_name("door"), 0), Ok(Connect::Done));
    let late = w.table.socket(0, af::UNIX.into(), sock::STREAM, 0, USER).unwrap();
    assert_eq!(w.table.connect(late, &abstract_name("door"), 0), Err(Errno::EAGAIN));
    w.notified();
    let (accepted, from) = w.table.accept(server, 0).unwrap();
    assert!(w.notified().iter().any(|&(id, _)| id == late));
    assert_eq!(w.table.connect(late, &abstract_name("door"), 0), Ok(Connect::Done));
    assert_eq!(from, Addr::Unix(UnixAddr::Unnamed));
    let cred = |w: &mut World, id| w.table.getsockopt(id, sol::SOCKET, so::PEERCRED, 12).unwrap();
    assert_eq!(cred(&mut w, accepted)[..4], 2u32.to_ne_bytes());
    assert_eq!(cred(&mut w, client)[..4], 1u32.to_ne_bytes());
    assert_eq!(w.table.getpeername(client).unwrap(), abstract_name("door"));
    // Abstract names are a host's own.
    let far = w.socket(1, af::UNIX, sock::STREAM);
    assert_eq!(w.table.connect(far, &abstract_name("door"), 0), Err(Errno::ECONNREFUSED));
}

#[test]
fn a_fault_in_memory_consumes_nothing() {
    struct Bad;
    impl Source for Bad {
        fn read_into(&mut self, _: &mut [u8]) -> Result<(), Errno> {
            Err(Errno::EFAULT)
        }
    }
    impl Sink for Bad {
        fn write_from(&mut self, _: &[u8]) -> Result<(), Errno> {
            Err(Errno::EFAULT)
        }
    }
    let mut w = world();
    let (client, server) = w.pair(0, 0);
    assert_eq!(w.table.send(client, &mut Bad, Send::bytes(10), 0), Err(Errno::EFAULT));
    assert_eq!(w.ready(server) & IN, 0);
    w.send(client, b"kept").unwrap();
    assert_eq!(w.table.recv(server, &mut Bad, 10, 0, 0).unwrap_err(), Errno::EFAULT);
    assert_eq!(w.recv_with(server, 10, msg::PEEK).unwrap().0, b"kept");
    assert_eq!(w.recv(server, 10).unwrap(), b"kept");
}

#[test]
fn each_status_move_is_an_event() {
    let mut w = world();
    w.table.set_tracing(true);
    let (client, server) = w.pair(0, 1);
    w.send(client, b"x").unwrap();
    w.settle();
    w.recv(server, 1).unwrap();
    let unique = w.table.get(client).unwrap().unique();
    let moves: Vec<SocketStatus> = w
        .table
        .take_events()
        .filter(|e| e.socket == unique)
        .filter_map(|e| match e.what {
            What::Status { new, .. } => Some(new),
            _ => None,
        })
        .collect();
    use SocketStatus::*;
    assert_eq!(moves, [Connecting, Connected, Sending, Connected]);
}
