//! What Linux 6.18 printed for the same calls, on its loopback interface: poll bits and results, step by step.

use super::help::*;

/// The result of a call as the judge printed it.
fn said(result: Result<Vec<u8>, Errno>) -> String {
    result.map_or_else(|e| e.name().into(), |bytes| String::from_utf8(bytes).unwrap())
}

impl World {
    fn bits(&self, id: SocketId) -> String {
        format!("{:#x}", self.ready(id))
    }

    fn got(&mut self, id: SocketId) -> String {
        said(self.recv(id, 10))
    }

    fn put(&mut self, id: SocketId, bytes: &[u8]) -> String {
        self.send(id, bytes).map_or_else(|e| e.name().into(), |n| n.to_string())
    }

    fn end(&mut self, id: SocketId, how: How) -> String {
        self.table.shutdown(id, how, self.now).map_or_else(|e| e.name().into(), |()| "ok".into())
    }

    fn shut(&mut self, id: SocketId) {
        self.table.close(id, self.now);
    }

    fn unix_pair(&mut self, kind: u32) -> [SocketId; 2] {
        self.table.socketpair(0, af::UNIX.into(), kind, 0, ROOT).unwrap()
    }
}

#[test]
fn fresh_sockets() {
    let mut w = world();
    let tcp = w.tcp(0);
    assert_eq!([w.bits(tcp), w.put(tcp, b"x"), w.got(tcp)], ["0x114", "EPIPE", "ENOTCONN"]);
    let udp = w.udp(0);
    assert_eq!([w.bits(udp), w.put(udp, b"x"), w.end(udp, How::Write)], ["0x304", "EDESTADDRREQ", "ENOTCONN"]);
    let unix = w.socket(0, af::UNIX, sock::STREAM);
    assert_eq!([w.bits(unix), w.got(unix), w.put(unix, b"x")], ["0x314", "EINVAL", "ENOTCONN"]);
    assert_eq!(w.table.listen(unix, 1), Err(Errno::EINVAL));
    assert_eq!([w.end(unix, How::Write), w.bits(unix)], ["ok", "0x314"]);
    let unix = w.socket(0, af::UNIX, sock::DGRAM);
    assert_eq!([w.bits(unix), w.put(unix, b"x"), w.end(unix, How::Write)], ["0x304", "ENOTCONN", "ok"]);
    let unix = w.socket(0, af::UNIX, sock::SEQPACKET);
    assert_eq!([w.bits(unix), w.put(unix, b"x"), w.got(unix)], ["0x314", "ENOTCONN", "ENOTCONN"]);
}

#[test]
fn tcp_shut_one_way_and_then_the_other() {
    let mut w = world();
    let (c, s) = w.pair(0, 0);
    assert_eq!([w.bits(c), w.bits(s)], ["0x104", "0x104"]);
    w.end(c, How::Write);
    assert_eq!([w.bits(s), w.bits(c)], ["0x2145", "0x104"]);
    w.end(s, How::Write);
    assert_eq!([w.bits(s), w.bits(c)], ["0x2155", "0x2155"]);
    assert_eq!(w.table.getpeername(c), Err(Errno::ENOTCONN));
    assert_eq!(w.table.getpeername(s), Err(Errno::ENOTCONN));
}

#[test]
fn tcp_that_has_shut_its_reading_still_reads() {
    let mut w = world();
    let (c, s) = w.pair(0, 0);
    w.end(c, How::Read);
    assert_eq!([w.bits(c), w.bits(s)], ["0x2145", "0x104"]);
    w.send(s, b"abc").unwrap();
    assert_eq!([w.bits(c), w.got(c), w.got(c), w.put(s, b"x")], ["0x2145", "abc", "", "1"]);
}

#[test]
fn tcp_whose_peer_closed() {
    let mut w = world();
    let (c, s) = w.pair(0, 0);
    w.shut(s);
    assert_eq!([w.bits(c), w.put(c, b"x"), w.bits(c)], ["0x2145", "1", "0x215d"]);
    assert_eq!(w.error(c), 32);
    assert_eq!([w.bits(c), w.got(c), w.put(c, b"x")], ["0x2155", "", "EPIPE"]);
    assert_eq!(w.table.getpeername(c), Err(Errno::ENOTCONN));
}

#[test]
fn tcp_whose_peer_closed_with_unread_bytes() {
    let mut w = world();
    let (c, s) = w.pair(0, 0);
    w.send(c, b"x").unwrap();
    w.shut(s);
    assert_eq!([w.bits(c), w.got(c), w.got(c)], ["0x215d", "ECONNRESET", ""]);
    assert_eq!([w.put(c, b"x"), w.bits(c)], ["EPIPE", "0x2155"]);
}

#[test]
fn tcp_that_was_reset_can_be_read_first() {
    let mut w = world();
    let (c, s) = w.pair(0, 0);
    w.send(c, b"unread").unwrap();
    w.send(s, b"data").unwrap();
    w.shut(s);
    assert_eq!([w.bits(c), w.got(c), w.got(c), w.got(c)], ["0x215d", "data", "ECONNRESET", ""]);
}

#[test]
fn tcp_that_was_refused() {
    let mut w = world();
    let c = w.tcp(0);
    w.connect(c, "10.0.0.3:1").unwrap();
    w.settle();
    let Addr::Ip(end) = w.table.getsockname(c).unwrap() else { panic!() };
    assert_ne!(end.port, 0, "it shows the port that it had");
    assert_eq!(w.bits(c), "0x215d");
    assert_eq!(w.connect(c, "10.0.0.3:1"), Err(Errno::ECONNREFUSED));
    assert_eq!(w.connect(c, "10.0.0.3:1"), Ok(Connect::InProgress));
    w.settle();
    assert_eq!([w.bits(c), w.got(c), w.got(c)], ["0x215d", "ECONNREFUSED", ""]);
}

#[test]
fn tcp_listeners_and_what_they_refuse() {
    let mut w = world();
    let l = w.listen(0, "10.0.0.2:80", 5);
    assert_eq!(w.connect(l, "10.0.0.2:80"), Err(Errno::EISCONN));
    assert_eq!([w.end(l, How::Write), w.bits(l), w.end(l, How::Read), w.bits(l)], ["ok", "0x0", "ok", "0x114"]);
    assert_eq!(w.accept(l), Err(Errno::EINVAL));
    assert_eq!(w.table.getsockname(l), Ok(ip("10.0.0.2:80")));
    let (c, _) = w.pair(0, 0);
    assert_eq!(w.connect(c, "10.0.0.2:81"), Err(Errno::EISCONN));
    assert_eq!(w.table.listen(c, 1), Err(Errno::EINVAL));
    assert_eq!(w.table.bind(c, &ip("10.0.0.2:0")), Err(Errno::EINVAL));
}

#[test]
fn tcp_urgent_bytes() {
    let mut w = world();
    let (c, s) = w.pair(0, 0);
    let urgent = |w: &mut World, id, mut bytes: &[u8]| {
        let call = Send { flags: msg::OOB, ..Send::bytes(bytes.len()) };
        w.table.send(id, &mut bytes, call, 0).unwrap()
    };
    w.send(c, b"ab").unwrap();
    urgent(&mut w, c, b"c!");
    w.send(c, b"de").unwrap();
    assert_eq!([w.bits(s), w.got(s), w.bits(s)], ["0x147", "abc", "0x147"]);
    assert_eq!(w.recv_with(s, 1, msg::OOB).unwrap().0, b"!");
    assert_eq!(w.bits(s), "0x145");
    assert_eq!(w.recv_with(s, 1, msg::OOB).unwrap_err(), Errno::EINVAL);
    assert_eq!([w.got(s), w.bits(s)], ["de", "0x104"]);
    let (c, s) = w.pair(0, 0);
    urgent(&mut w, c, b"!");
    assert_eq!([w.bits(s), w.got(s), w.bits(s)], ["0x106", "EAGAIN", "0x104"]);
}

#[test]
fn unix_streams() {
    let mut w = world();
    let [a, b] = w.unix_pair(sock::STREAM);
    assert_eq!(w.bits(a), "0x304");
    w.shut(b);
    assert_eq!([w.bits(a), w.got(a), w.put(a, b"x")], ["0x2355", "", "EPIPE"]);
    let [a, b] = w.unix_pair(sock::STREAM);
    w.send(a, b"x").unwrap();
    w.shut(b);
    assert_eq!([w.bits(a), w.got(a), w.got(a)], ["0x235d", "ECONNRESET", ""]);
    let [a, b] = w.unix_pair(sock::STREAM);
    w.end(a, How::Write);
    assert_eq!([w.bits(a), w.bits(b)], ["0x304", "0x2345"]);
    w.end(a, How::Read);
    assert_eq!([w.bits(a), w.bits(b)], ["0x2355", "0x2355"]);
}

#[test]
fn unix_datagram_pairs() {
    let mut w = world();
    let [a, b] = w.unix_pair(sock::DGRAM);
    let sent = std::iter::from_fn(|| w.send(a, &[1; 100]).ok()).count();
    assert_eq!((sent, w.bits(a)), (278, "0x0".into()));
    w.recv(b, 10).unwrap();
    assert_eq!(w.bits(a), "0x0");
    w.shut(b);
    assert_eq!([w.bits(a), w.put(a, b"x"), w.put(a, b"x")], ["0x304", "ECONNREFUSED", "ENOTCONN"]);
    assert_eq!(w.table.getpeername(a), Err(Errno::ENOTCONN));
}

#[test]
fn udp_refused_and_shut() {
    let mut w = world();
    let u = w.udp(0);
    w.connect(u, "127.0.0.1:1").unwrap();
    assert_eq!([w.put(u, b"x"), w.bits(u), w.put(u, b"x"), w.bits(u)], ["1", "0x30c", "ECONNREFUSED", "0x304"]);
    assert_eq!([w.end(u, How::Write), w.bits(u), w.put(u, b"x")], ["ok", "0x304", "EPIPE"]);
    assert_eq!([w.end(u, How::Read), w.bits(u)], ["ok", "0x2355"]);
}

#[test]
fn udp_queues_hold_as_many_as_linux_counts() {
    let held = |size: usize| {
        let mut w = world();
        let (u, v) = (w.udp(0), w.udp(0));
        w.table.bind(u, &ip("127.0.0.1:9")).unwrap();
        let bytes = vec![1; size];
        for _ in 0..400 {
            w.send_to(v, &bytes, &ip("127.0.0.1:9")).unwrap();
        }
        std::iter::from_fn(|| w.recv(u, 1).ok()).count()
    };
    let sizes = [0, 1, 64, 200, 512, 1000, 1472, 4000, 9000, 60_000];
    assert_eq!(sizes.map(held), [256, 256, 256, 166, 166, 92, 92, 25, 12, 3]);
}

#[test]
fn udp_dissolved_gives_its_address_back() {
    let mut w = world();
    let u = w.udp(0);
    w.connect(u, "127.0.0.1:9").unwrap();
    assert_ne!(w.table.getsockname(u), Ok(ip("0.0.0.0:0")));
    w.table.connect(u, &Addr::Unspec, 0).unwrap();
    assert_eq!(w.table.getsockname(u), Ok(ip("0.0.0.0:0")));
    assert_eq!(w.table.getpeername(u), Err(Errno::ENOTCONN));
}

#[test]
fn options_and_the_sockets_that_have_none_of_them() {
    let mut w = world();
    let (tcp, udp) = (w.tcp(0), w.udp(0));
    let unix = w.socket(0, af::UNIX, sock::STREAM);
    let read = |w: &mut World, id, level, name| {
        i32::from_ne_bytes(w.table.getsockopt(id, level, name, 4).unwrap().try_into().unwrap())
    };
    assert_eq!([read(&mut w, tcp, 1, so::SNDBUF), read(&mut w, udp, 1, so::SNDBUF)], [16_384, 212_992]);
    assert_eq!([read(&mut w, tcp, 1, so::RCVBUF), read(&mut w, udp, 1, so::RCVBUF)], [131_072, 212_992]);
    assert_eq!([2, 9, 8, 12, 23, 25].map(|name| read(&mut w, tcp, 6, name)), [536, 0, 60, 1, 0, 0]);
    assert_eq!(w.set(tcp, sol::IPV6, 26, 1), Err(Errno::ENOPROTOOPT));
    assert_eq!(w.set(udp, sol::TCP, 1, 1), Err(Errno::ENOPROTOOPT));
    assert_eq!(w.set(unix, sol::IP, 1, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(w.set(unix, sol::TCP, 1, 1), Err(Errno::EOPNOTSUPP));
    assert_eq!(w.table.setsockopt(tcp, 1, 2, &[1], ROOT), Err(Errno::EINVAL));
    assert_eq!(w.table.setsockopt(tcp, 0, 1, &[1], ROOT), Ok(()));
}
