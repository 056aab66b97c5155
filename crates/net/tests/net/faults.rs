//! Faults of the network: partitions, clogs, slow links, resets, hosts whose network stands still.

use super::help::*;

const MS: u64 = 1_000_000;

fn strike(w: &mut World, verb: Verb, from: &[u32], to: &[u32]) {
    let strike = Strike { verb, network: None, from: from.to_vec(), to: to.to_vec() };
    w.table.strike(&strike, w.now);
}

/// A UDP socket on each host, at port 4000.
fn sockets(w: &mut World) -> Vec<SocketId> {
    (0..4)
        .map(|host| {
            let id = w.udp(host);
            w.table.bind(id, &ip(&format!("10.0.0.{}:4000", host + 2))).unwrap();
            id
        })
        .collect()
}

fn send(w: &mut World, ids: &[SocketId], from: u32, to: u32) {
    w.send_to(ids[from as usize], &[from as u8], &ip(&format!("10.0.0.{}:4000", to + 2))).unwrap();
}

/// Who has got something from whom, when everybody has sent to everybody.
fn reach(w: &mut World, ids: &[SocketId]) -> Vec<(u32, u32)> {
    for from in 0..4 {
        (0..4).filter(|to| *to != from).for_each(|to| send(w, ids, from, to));
    }
    w.settle();
    let mut out = Vec::new();
    for to in 0..4u32 {
        while let Ok(bytes) = w.recv(ids[to as usize], 1) {
            out.push((u32::from(bytes[0]), to));
        }
    }
    out.sort_unstable();
    out
}

fn all() -> Vec<(u32, u32)> {
    (0..4).flat_map(|a| (0..4).filter(move |b| *b != a).map(move |b| (a, b))).collect()
}

#[test]
fn a_partition_has_any_shape_and_heals() {
    let mut w = world();
    let ids = sockets(&mut w);
    assert_eq!(reach(&mut w, &ids), all());
    // Two halves.
    strike(&mut w, Verb::Cut, &[0, 1], &[2, 3]);
    strike(&mut w, Verb::Cut, &[2, 3], &[0, 1]);
    assert_eq!(reach(&mut w, &ids), [(0, 1), (1, 0), (2, 3), (3, 2)]);
    strike(&mut w, Verb::Heal, &[0, 1, 2, 3], &[0, 1, 2, 3]);
    assert_eq!(reach(&mut w, &ids), all());
    // One direction; and a bridge, which everybody reaches.
    strike(&mut w, Verb::Cut, &[0], &[1]);
    assert!(!reach(&mut w, &ids).contains(&(0, 1)) && reach(&mut w, &ids).contains(&(1, 0)));
    strike(&mut w, Verb::Cut, &[1], &[0]);
    let want: Vec<_> = all().into_iter().filter(|p| ![(0, 1), (1, 0)].contains(p)).collect();
    assert_eq!(reach(&mut w, &ids), want);
}

#[test]
fn a_cut_is_told_with_its_reason_and_spares_what_was_on_its_way() {
    let mut w = world();
    w.table.set_tracing(true);
    let ids = sockets(&mut w);
    send(&mut w, &ids, 0, 1);
    strike(&mut w, Verb::Cut, &[0], &[1]);
    send(&mut w, &ids, 0, 1);
    w.settle();
    assert!(w.recv(ids[1], 1).is_ok() && w.recv(ids[1], 1).is_err());
    let events: Vec<Event> = w.table.take_events().collect();
    let partition = |e: &&Event| matches!(e.what, What::Drop { reason: DropReason::Partition, .. });
    assert_eq!(events.iter().filter(partition).count(), 1);
    assert!(events.iter().any(|e| e.what == What::Fault("cut a -> b".into())));
}

#[test]
fn a_clog_keeps_packets_in_order_until_it_is_gone() {
    let mut w = world();
    let ids = sockets(&mut w);
    strike(&mut w, Verb::Clog, &[0], &[1]);
    for byte in 0..5 {
        w.send_to(ids[0], &[byte], &ip("10.0.0.3:4000")).unwrap();
    }
    w.now += 10_000 * MS;
    w.table.advance(w.now);
    assert_eq!((w.recv(ids[1], 1), w.table.next_event()), (Err(Errno::EAGAIN), None));
    strike(&mut w, Verb::Unclog, &[0], &[1]);
    assert_eq!(w.table.next_event(), Some(w.now + LATENCY), "they set out when the clog is gone");
    w.settle();
    let got: Vec<u8> = std::iter::from_fn(|| w.recv(ids[1], 1).ok()).flatten().collect();
    assert_eq!(got, [0, 1, 2, 3, 4]);
}

#[test]
fn a_clog_holds_its_sender_back_and_lets_it_go() {
    let mut w = world();
    let ids = sockets(&mut w);
    strike(&mut w, Verb::Clog, &[0], &[1]);
    let to = ip("10.0.0.3:4000");
    let sent = (0..1000).take_while(|_| w.send_to(ids[0], &[0; 1472], &to).is_ok()).count();
    assert_eq!((sent, w.ready(ids[0]) & poll::OUT), (93, 0));
    strike(&mut w, Verb::Unclog, &[0], &[1]);
    assert_ne!(w.ready(ids[0]) & poll::OUT, 0);
    assert_eq!(w.table.siocoutq(ids[0]), Ok(0));
    w.settle();
    assert!(w.recv(ids[1], 1).is_ok());
}

#[test]
fn a_socket_may_close_while_its_datagrams_wait() {
    let mut w = world();
    let ids = sockets(&mut w);
    strike(&mut w, Verb::Clog, &[0], &[1]);
    send(&mut w, &ids, 0, 1);
    w.table.close(ids[0], w.now);
    let next = w.udp(0);
    strike(&mut w, Verb::Unclog, &[0], &[1]);
    assert_eq!(w.table.siocoutq(next), Ok(0), "whose place it has does not matter");
    w.settle();
    assert!(w.recv(ids[1], 1).is_ok());
}

#[test]
fn a_slow_link_takes_longer_and_is_as_fast_as_before_afterwards() {
    let mut w = world();
    let ids = sockets(&mut w);
    let slow = Slow { latency: 5 * MS, bandwidth: Chance::SURE };
    strike(&mut w, Verb::Slow(slow), &[0], &[1, 2]);
    send(&mut w, &ids, 0, 1);
    assert_eq!(w.table.next_event(), Some(w.now + 5 * MS + LATENCY));
    w.settle();
    send(&mut w, &ids, 1, 0);
    assert_eq!(w.table.next_event(), Some(w.now + LATENCY), "the other direction is not");
    w.settle();
    strike(&mut w, Verb::Unslow, &[0], &[1, 2]);
    send(&mut w, &ids, 0, 1);
    assert_eq!(w.table.next_event(), Some(w.now + LATENCY));
    let mut w = linked(LinkSpec { bandwidth: 8_000_000, ..plain() });
    let ids = sockets(&mut w);
    strike(&mut w, Verb::Slow(Slow { latency: 0, bandwidth: Chance(100_000_000) }), &[0], &[1]);
    w.send_to(ids[0], &[0; 958], &ip("10.0.0.3:4000")).unwrap();
    w.run(u64::MAX);
    assert_eq!(w.now, 10 * MS + LATENCY, "a tenth of the bandwidth");
}

#[test]
fn a_reset_ends_connections_between_the_chosen_at_both_ends_and_no_other() {
    let mut w = world();
    let (client, server) = w.pair(0, 1);
    let (other, far) = w.pair(0, 2);
    let listener = w.listen(1, "10.0.0.3:80", 4);
    strike(&mut w, Verb::Reset, &[1], &[0]);
    for id in [client, server] {
        assert_eq!(w.error(id), i32::from(Errno::ECONNRESET.0));
        assert_eq!(w.status(id), SocketStatus::Disconnected);
    }
    assert_eq!(w.status(listener), SocketStatus::Listening);
    w.send(other, b"still here").unwrap();
    w.settle();
    assert_eq!(w.recv(far, 99).unwrap(), b"still here");
    // One that is about to connect is refused, as an RST does it.
    let late = w.tcp(0);
    w.connect(late, "10.0.0.3:80").unwrap();
    strike(&mut w, Verb::Reset, &[0], &[1]);
    assert_eq!(w.connect(late, "10.0.0.3:80"), Err(Errno::ECONNREFUSED));
}

#[test]
fn a_paused_host_sends_and_gets_nothing_until_it_goes_on() {
    let mut w = world();
    let ids = sockets(&mut w);
    send(&mut w, &ids, 0, 1);
    strike(&mut w, Verb::Pause, &[1], &[]);
    send(&mut w, &ids, 1, 2);
    send(&mut w, &ids, 2, 1);
    send(&mut w, &ids, 0, 2);
    w.now += 1000 * MS;
    w.table.advance(w.now);
    assert_eq!(w.recv(ids[2], 9).unwrap(), [0], "the others go on");
    assert!(w.recv(ids[1], 9).is_err() && w.recv(ids[2], 9).is_err());
    strike(&mut w, Verb::Resume, &[1], &[]);
    w.settle();
    assert_eq!([w.recv(ids[1], 9).unwrap(), w.recv(ids[1], 9).unwrap()], [[0], [2]], "what had reached it comes first");
    assert_eq!(w.recv(ids[2], 9).unwrap(), [1]);
}

#[test]
fn a_host_reaches_itself_whatever_strikes() {
    let mut w = world();
    strike(&mut w, Verb::Cut, &[0], &[0, 1, 2, 3]);
    strike(&mut w, Verb::Pause, &[0], &[]);
    let (client, server) = w.pair(0, 0);
    w.send(client, b"x").unwrap();
    assert_eq!(w.recv(server, 1).unwrap(), b"x");
}

#[test]
fn hosts_and_networks_that_are_not_there_are_passed_over() {
    let mut w = world();
    w.table.set_tracing(true);
    for verb in [Verb::Cut, Verb::Heal, Verb::Clog, Verb::Unclog, Verb::Reset, Verb::Pause, Verb::Resume, Verb::Unslow]
    {
        strike(&mut w, verb, &[0, 77, u32::MAX], &[1, 99, u32::MAX]);
        w.table.strike(&Strike { verb, network: Some(9), from: vec![0], to: vec![1] }, w.now);
    }
    let ids = sockets(&mut w);
    assert_eq!(reach(&mut w, &ids), all());
}
