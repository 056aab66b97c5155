//! UDP, AF_UNIX messages, ICMP.

use super::help::*;

#[test]
fn datagrams_keep_their_boundaries_and_say_where_they_came_from() {
    let mut w = world();
    let server = w.udp(1);
    w.table.bind(server, &ip("0.0.0.0:53000")).unwrap();
    let client = w.udp(0);
    w.send_to(client, b"one", &ip("10.0.0.3:53000")).unwrap();
    w.send_to(client, b"", &ip("10.0.0.3:53000")).unwrap();
    w.send_to(client, b"three", &ip("10.0.0.3:53000")).unwrap();
    w.settle();
    let (bytes, received) = w.recv_with(server, 2, 0).unwrap();
    assert_eq!((bytes.as_slice(), received.full_len, received.flags), (&b"on"[..], 3, msg::TRUNC));
    let Some(Addr::Ip(from)) = received.from else { panic!() };
    assert_eq!(from.ip.to_string(), "10.0.0.2");
    assert_eq!(w.recv(server, 10).unwrap(), b"");
    assert_eq!(w.recv(server, 10).unwrap(), b"three");
    assert_eq!(w.recv(server, 10), Err(Errno::EAGAIN));
}

#[test]
fn a_closed_port_is_told_to_connected_sockets_only() {
    let mut w = world();
    for to in ["127.0.0.1:9", "10.0.0.3:9"] {
        let id = w.udp(0);
        w.send_to(id, b"x", &ip(to)).unwrap();
        w.settle();
        assert_eq!(w.ready(id) & poll::ERR, 0);
        assert_eq!(w.connect(id, to), Ok(Connect::Done));
        assert_eq!(w.send(id, b"x"), Ok(1));
        w.settle();
        assert_ne!(w.ready(id) & poll::ERR, 0);
        assert_eq!(w.recv(id, 1), Err(Errno::ECONNREFUSED));
        assert_eq!(w.recv(id, 1), Err(Errno::EAGAIN));
    }
}

#[test]
fn a_connected_socket_takes_datagrams_of_its_peer_only_until_it_is_dissolved() {
    let mut w = world();
    let [a, b, c] = [1001, 1002, 1003].map(|port| {
        let id = w.udp(0);
        w.table.bind(id, &ip(&format!("127.0.0.1:{port}"))).unwrap();
        id
    });
    w.connect(a, "127.0.0.1:1002").unwrap();
    w.send_to(c, b"no", &ip("127.0.0.1:1001")).unwrap();
    w.send_to(b, b"yes", &ip("127.0.0.1:1001")).unwrap();
    assert_eq!(w.recv(a, 9).unwrap(), b"yes");
    assert_eq!(w.recv(a, 9), Err(Errno::EAGAIN));
    w.table.connect(a, &Addr::Unspec, 0).unwrap();
    assert_eq!(w.table.getpeername(a), Err(Errno::ENOTCONN));
    w.send_to(c, b"now", &ip("127.0.0.1:1001")).unwrap();
    assert_eq!(w.recv(a, 9).unwrap(), b"now");
}

#[test]
fn a_full_receive_queue_drops_with_its_reason() {
    let mut w = world();
    w.table.set_tracing(true);
    let server = w.udp(0);
    w.table.bind(server, &ip("127.0.0.1:1000")).unwrap();
    let client = w.udp(0);
    for _ in 0..1000 {
        w.send_to(client, &[0; 1472], &ip("127.0.0.1:1000")).unwrap();
    }
    let held = std::iter::from_fn(|| w.recv(server, 10).ok()).count();
    let dropped = w
        .table
        .take_events()
        .filter(|e| matches!(e.what, What::Drop { reason: DropReason::ReceiveQueueFull, .. }))
        .count();
    assert_eq!(held + dropped, 1000);
    assert_eq!(held, 92, "as Linux counts");
}

#[test]
fn broadcast_needs_permission_and_reaches_every_host() {
    let mut w = world();
    let all: Vec<SocketId> = (0..3)
        .map(|host| {
            let id = w.udp(host);
            w.table.bind(id, &ip("0.0.0.0:7000")).unwrap();
            id
        })
        .collect();
    let client = w.udp(0);
    assert_eq!(w.send_to(client, b"x", &ip("10.0.0.255:7000")), Err(Errno::EACCES));
    w.set(client, sol::SOCKET, so::BROADCAST, 1).unwrap();
    w.send_to(client, b"x", &ip("10.0.0.255:7000")).unwrap();
    w.settle();
    for id in all {
        assert_eq!(w.recv(id, 9).unwrap(), b"x");
    }
}

#[test]
fn multicast_reaches_those_who_joined() {
    let mut w = world();
    let ids = [0, 1, 2].map(|host| {
        let id = w.udp(host);
        w.table.bind(id, &ip("0.0.0.0:7000")).unwrap();
        id
    });
    let request = [224, 1, 1, 1, 0, 0, 0, 0];
    for id in &ids[..2] {
        w.table.setsockopt(*id, sol::IP, 35, &request, ROOT).unwrap();
    }
    let client = w.udp(0);
    w.send_to(client, b"x", &ip("224.1.1.1:7000")).unwrap();
    w.settle();
    assert_eq!(ids.map(|id| w.recv(id, 9).is_ok()), [true, true, false]);
}

#[test]
fn pktinfo_tells_the_destination_and_the_interface() {
    let mut w = world();
    let server = w.udp(1);
    w.table.bind(server, &ip("0.0.0.0:7000")).unwrap();
    w.set(server, sol::IP, 8, 1).unwrap();
    let client = w.udp(0);
    w.send_to(client, b"x", &ip("10.0.0.3:7000")).unwrap();
    w.settle();
    let (_, received) = w.recv_with(server, 9, 0).unwrap();
    let [Control::PktInfo { interface: 2, local, to }] = received.control[..] else { panic!() };
    assert_eq!((local.to_string().as_str(), to.to_string().as_str()), ("10.0.0.3", "10.0.0.3"));
}

#[test]
fn unix_datagrams_wait_for_room_in_the_receivers_queue() {
    let mut w = world();
    let server = w.socket(0, af::UNIX, sock::DGRAM);
    w.table.bind(server, &abstract_name("log")).unwrap();
    let client = w.socket(0, af::UNIX, sock::DGRAM);
    let mut sent = 0;
    while w.send_to(client, b"line", &abstract_name("log")).is_ok() {
        sent += 1;
    }
    assert_eq!(sent, 11);
    w.notified();
    w.recv(server, 9).unwrap();
    assert!(w.notified().iter().any(|&(id, bits)| id == client && bits & poll::OUT != 0));
    w.send_to(client, b"line", &abstract_name("log")).unwrap();
    w.table.close(server, 0);
    assert_eq!(w.send_to(client, b"line", &abstract_name("log")), Err(Errno::ECONNREFUSED));
}

#[test]
fn sequenced_packets_keep_boundaries_and_end_with_the_peer() {
    let mut w = world();
    let [a, b] = w.table.socketpair(0, af::UNIX.into(), sock::SEQPACKET, 0, ROOT).unwrap();
    w.send(a, b"one").unwrap();
    w.send_rights(a, b"two", vec![5]).unwrap();
    w.table.close(a, 0);
    assert_eq!(w.recv(b, 2).unwrap(), b"on");
    let (bytes, received) = w.recv_with(b, 9, 0).unwrap();
    assert_eq!(bytes, b"two");
    assert!(matches!(&received.control[..], [Control::Rights(r)] if *r == [5]));
    assert_eq!(w.recv(b, 9).unwrap(), b"");
}

#[test]
fn credentials_come_with_messages_when_asked_for() {
    let mut w = world();
    let [a, b] = w.table.socketpair(0, af::UNIX.into(), sock::DGRAM, 0, ROOT).unwrap();
    w.set(b, sol::SOCKET, so::PASSCRED, 1).unwrap();
    w.send_rights(a, b"x", vec![]).unwrap();
    let (_, received) = w.recv_with(b, 9, 0).unwrap();
    assert!(matches!(received.control[..], [Control::Credentials(c)] if c == USER));
}

#[test]
fn a_host_answers_an_echo() {
    for kind in [sock::RAW, sock::DGRAM] {
        let mut w = world();
        let id = w.table.socket(0, af::INET.into(), kind, ipproto::ICMP, ROOT).unwrap();
        let mut echo = vec![8, 0, 0, 0, 0x12, 0x34, 0, 1];
        echo.extend_from_slice(b"payload");
        w.send_to(id, &echo, &ip("10.0.0.3:0")).unwrap();
        w.settle();
        let got = w.recv(id, 100).unwrap();
        let message = if kind == sock::RAW { &got[20..] } else { &got };
        assert_eq!((message[0], &message[6..8], &message[8..]), (0, &[0u8, 1][..], &b"payload"[..]));
        assert_eq!(w.now, 2 * LATENCY);
    }
}
