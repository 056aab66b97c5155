//! The resolver, netlink, ioctls and the texts of `/proc/net`.

use super::help::*;
use snowglobe_abi::spec::NetworkSpec;
use snowglobe_net::ioctl::IFREQ;
use snowglobe_net::report::ProcFile;

fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut out = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out
}

/// Response code and the data of each answer.
fn read(answer: &[u8], question: &[u8]) -> (u8, Vec<Vec<u8>>) {
    assert_eq!(answer[..2], [0xab, 0xcd]);
    let count = u16::from_be_bytes([answer[6], answer[7]]);
    let mut at = question.len();
    let data = (0..count).map(|_| {
        let len = usize::from(u16::from_be_bytes([answer[at + 10], answer[at + 11]]));
        at += 12 + len;
        answer[at - len..at].to_vec()
    });
    let data = data.collect();
    (answer[3] & 15, data)
}

fn ask(w: &mut World, resolver: &str, name: &str, kind: u16) -> (u8, Vec<Vec<u8>>) {
    let id = w.udp(0);
    let q = question(name, kind);
    w.send_to(id, &q, &ip(resolver)).unwrap();
    w.settle();
    let answer = w.recv(id, 512).unwrap();
    w.table.close(id, w.now);
    read(&answer, &q)
}

#[test]
fn the_resolver_knows_hosts_and_gives_replicas_in_turn() {
    let mut w = world();
    for resolver in ["10.0.0.1:53", "127.0.0.11:53"] {
        assert_eq!(ask(&mut w, resolver, "b", 1), (0, vec![vec![10, 0, 0, 3]]));
        assert_eq!(ask(&mut w, resolver, "B", 28), (0, vec![]), "the name is there, but has no such address");
        assert_eq!(ask(&mut w, resolver, "nobody", 1), (3, vec![]));
        assert_eq!(ask(&mut w, resolver, "3.0.0.10.in-addr.arpa", 12), (0, vec![b"\x01b\0".to_vec()]));
    }
    let first = ask(&mut w, "10.0.0.1:53", "web", 1).1;
    let second = ask(&mut w, "10.0.0.1:53", "web", 1).1;
    assert_eq!(first.len(), 2);
    assert_eq!(first, second.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn names_have_ipv6_addresses_on_networks_that_say_so() {
    let mut w = networked(NetworkSpec { ipv6: true, ..network() }, 7);
    assert_eq!(ask(&mut w, "10.0.0.1:53", "B", 28).1[0][12..], [10, 0, 0, 3]);
    assert_eq!(ask(&mut w, "10.0.0.1:53", "B", 1), (0, vec![vec![10, 0, 0, 3]]));
}

#[test]
fn the_resolver_answers_by_tcp_too() {
    for resolver in ["10.0.0.1:53", "127.0.0.11:53"] {
        let mut w = world();
        let id = w.tcp(0);
        let _ = w.connect(id, resolver);
        w.settle();
        let q = question("b", 1);
        let mut out = (q.len() as u16).to_be_bytes().to_vec();
        out.extend_from_slice(&q);
        w.send(id, &out).unwrap();
        w.settle();
        let answer = w.recv(id, 512).unwrap();
        assert_eq!(read(&answer[2..], &q), (0, vec![vec![10, 0, 0, 3]]));
        w.table.close(id, w.now);
        w.run(u64::MAX);
        assert_eq!(w.table.entries().count(), 0);
    }
}

#[test]
fn netlink_lists_links_and_addresses() {
    let mut w = world();
    let id = w.socket(0, af::NETLINK, sock::RAW);
    w.table.bind(id, &Addr::Netlink { port: 0, groups: 0 }).unwrap();
    for (kind, needle) in [(18u16, &b"eth0\0"[..]), (22, &[10, 0, 0, 2]), (26, &[10, 0, 0, 0])] {
        let mut request = Vec::new();
        request.extend_from_slice(&20u32.to_ne_bytes());
        request.extend_from_slice(&kind.to_ne_bytes());
        request.extend_from_slice(&0x301u16.to_ne_bytes());
        request.extend_from_slice(&[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        w.send_to(id, &request, &Addr::Netlink { port: 0, groups: 0 }).unwrap();
        let list = w.recv(id, 8192).unwrap();
        assert!(list.windows(needle.len()).any(|w| w == needle));
        let mut at = 0;
        while at < list.len() {
            let len = u32::from_ne_bytes(list[at..at + 4].try_into().unwrap()) as usize;
            assert!(len >= 16 && len.is_multiple_of(4), "{len}");
            at += len;
        }
        assert_eq!(w.recv(id, 8192).unwrap()[4..6], 3u16.to_ne_bytes());
    }
}

#[test]
fn interface_ioctls_tell_address_and_index() {
    let w = world();
    let mut request = [0u8; IFREQ];
    request[..4].copy_from_slice(b"eth0");
    w.table.interface_ioctl(0, 0x8915, &mut request).unwrap();
    assert_eq!(request[20..24], [10, 0, 0, 2]);
    w.table.interface_ioctl(0, 0x891b, &mut request).unwrap();
    assert_eq!(request[20..24], [255, 255, 255, 0]);
    w.table.interface_ioctl(0, 0x8933, &mut request).unwrap();
    assert_eq!(request[16], 2);
    request[3] = b'9';
    assert_eq!(w.table.interface_ioctl(0, 0x8933, &mut request), Err(Errno::ENODEV));
    assert_eq!(w.table.interface_list(0).len(), 2 * IFREQ);
}

#[test]
fn the_texts_of_proc_net_have_linuxs_columns() {
    let mut w = world();
    w.listen(0, "127.0.0.1:80", 5);
    let client = w.tcp(0);
    w.connect(client, "127.0.0.1:80").unwrap();
    let text = w.table.proc_text(0, ProcFile::Tcp);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.len() == 149));
    assert!(lines[1].starts_with("   0: 0100007F:0050 00000000:0000 0A 00000000:00000001 00:00000000"), "{}", lines[1]);
    assert!(lines[2].contains(":0050 01 ") || lines[3].contains(":0050 01 "));
    let id = w.socket(0, af::UNIX, sock::STREAM);
    w.table.bind(id, &abstract_name("door")).unwrap();
    assert!(w.table.proc_text(0, ProcFile::Unix).ends_with(" @door\n"));
}

#[test]
fn tcp_info_is_as_long_as_linuxs_and_begins_with_the_state() {
    let mut w = world();
    let (client, _) = w.pair(0, 1);
    let info = w.table.getsockopt(client, sol::TCP, 11, 1024).unwrap();
    assert_eq!((info.len(), info[0]), (248, 1));
    assert_eq!(w.table.getsockopt(client, sol::TCP, 11, 104).unwrap().len(), 104);
}

#[test]
fn options_that_are_not_known_are_reported() {
    let mut w = world();
    let id = w.tcp(0);
    assert_eq!(w.set(id, sol::TCP, 999, 1), Err(Errno::ENOPROTOOPT));
    assert_eq!(w.table.take_unsupported(), [(sol::TCP, 999)]);
    w.set(id, sol::SOCKET, so::RCVBUF, 5000).unwrap();
    assert_eq!(w.table.getsockopt(id, sol::SOCKET, so::RCVBUF, 4).unwrap(), 10000i32.to_ne_bytes());
}
