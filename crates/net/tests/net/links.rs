//! Links with character: what they do to packets, and how faithfully.

use super::help::*;
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// Bytes of headers of a UDP datagram on the wire: Ethernet, IP, UDP.
const HEADERS: u64 = 14 + 20 + 8;

fn percent(parts: u32) -> Chance {
    Chance(parts * 10_000_000)
}

fn rule(from: &[u32], to: &[u32], change: LinkChange) -> LinkRule {
    LinkRule { from: from.to_vec(), to: to.to_vec(), change }
}

/// A receiver on `host` that takes all there is, and a sender on `a`.
fn ends(w: &mut World, host: u32) -> (SocketId, SocketId, Addr) {
    let to = ip(&format!("10.0.0.{}:4000", host + 2));
    let receiver = w.udp(host);
    w.table.bind(receiver, &to).unwrap();
    w.set(receiver, sol::SOCKET, so::RCVBUFFORCE, i32::MAX / 4).unwrap();
    (w.udp(0), receiver, to)
}

/// Sends `count` numbered datagrams, `gap` nanoseconds apart, and says which arrived when, in the order of their arrival.
fn volley(w: &mut World, host: u32, count: u32, gap: u64, len: usize) -> Vec<(u32, u64)> {
    let (sender, receiver, to) = ends(w, host);
    w.set(sender, sol::SOCKET, so::SNDBUFFORCE, i32::MAX / 4).unwrap();
    let mut got = Vec::new();
    let begin = w.now;
    let mut next = 0;
    loop {
        let due = begin + u64::from(next) * gap;
        let event = w.table.next_event();
        if next < count && event.is_none_or(|at| at > due) {
            w.now = due;
            w.table.advance(due);
            let mut bytes = vec![0; len];
            bytes[..4].copy_from_slice(&next.to_be_bytes());
            w.send_to(sender, &bytes, &to).unwrap();
            next += 1;
            continue;
        }
        let Some(at) = event else { break };
        w.now = at;
        w.table.advance(at);
        while let Ok(bytes) = w.recv(receiver, 4) {
            got.push((u32::from_be_bytes(bytes.try_into().unwrap()), w.now - begin));
        }
    }
    w.table.close(sender, w.now);
    w.table.close(receiver, w.now);
    got
}

/// What the trace says of drops, by reason.
fn drops(w: &mut World, why: DropReason) -> usize {
    w.table.take_events().filter(|e| matches!(e.what, What::Drop { reason, .. } if reason == why)).count()
}

#[track_caller]
fn near(got: f64, want: f64, part: f64) {
    assert!((got - want).abs() <= want * part, "{got} is not near {want}");
}

#[test]
fn a_plain_link_has_its_latency_and_tells_no_verdict() {
    let mut w = world();
    w.table.set_tracing(true);
    let got = volley(&mut w, 1, 10, 7, 100);
    assert_eq!(got, (0..10).map(|n| (n, u64::from(n) * 7 + LATENCY)).collect::<Vec<_>>());
    assert!(!w.table.take_events().any(|e| matches!(e.what, What::Verdict { .. })));
}

#[test]
fn latencies_follow_their_distribution() {
    for (latency, mean, deviation) in [
        (Latency::Uniform { min: 10 * MS, max: 20 * MS }, 15.0, 10.0 / 12f64.sqrt()),
        (Latency::Normal { mean: 40 * MS, deviation: 4 * MS, min: 0 }, 40.0, 4.0),
        (Latency::Exponential { min: 5 * MS, mean: 10 * MS }, 10.0, 5.0),
        (Latency::Pareto { min: 10 * MS, shape: 4_000, max: SECOND }, 40.0 / 3.0, 0.0),
    ] {
        let mut w = linked(LinkSpec { latency, ..LinkSpec::default() });
        // Far enough apart that none waits for the one before it.
        let gap = 2 * SECOND;
        let times: Vec<f64> =
            volley(&mut w, 1, 4000, gap, 10).iter().map(|&(n, at)| (at - u64::from(n) * gap) as f64 / 1e6).collect();
        assert_eq!(times.len(), 4000);
        let got = times.iter().sum::<f64>() / 4000.0;
        near(got, mean, 0.03);
        if deviation != 0.0 {
            let variance = times.iter().map(|t| (t - got).powi(2)).sum::<f64>() / 4000.0;
            near(variance.sqrt(), deviation, 0.06);
        }
    }
}

#[test]
fn jitter_lies_evenly_on_both_sides_of_the_latency() {
    let mut w = linked(LinkSpec { latency: Latency::Constant(10 * MS), jitter: 2 * MS, ..LinkSpec::default() });
    let gap = SECOND;
    let times: Vec<u64> = volley(&mut w, 1, 2000, gap, 10).iter().map(|&(n, at)| at - u64::from(n) * gap).collect();
    assert!(times.iter().all(|t| (8 * MS..=12 * MS).contains(t)));
    near(times.iter().sum::<u64>() as f64 / 2000.0, 10.0 * MS as f64, 0.01);
    assert!(times.iter().any(|&t| t < 8_100_000) && times.iter().any(|&t| t > 11_900_000));
}

#[test]
fn drawn_latencies_let_nobody_overtake() {
    let mut w = linked(LinkSpec { latency: Latency::Exponential { min: 0, mean: 10 * MS }, ..LinkSpec::default() });
    let got = volley(&mut w, 1, 1000, 10_000, 10);
    assert!(got.is_sorted_by_key(|(n, _)| *n) && got.len() == 1000);
}

#[test]
fn what_is_reordered_is_overtaken_and_nothing_else_is() {
    let mut w = linked(LinkSpec { reorder: percent(5), reorder_by: MS, ..plain() });
    w.table.set_tracing(true);
    let got = volley(&mut w, 1, 2000, 10_000, 10);
    assert_eq!(got.len(), 2000);
    let late = got.iter().filter(|&&(n, at)| at > u64::from(n) * 10_000 + LATENCY).count();
    near(late as f64, 100.0, 0.4);
    let kept: Vec<u32> =
        got.iter().filter(|&&(n, at)| at == u64::from(n) * 10_000 + LATENCY).map(|(n, _)| *n).collect();
    assert!(kept.is_sorted() && kept.len() + late == 2000);
    assert!(got.iter().all(|&(n, at)| at <= u64::from(n) * 10_000 + LATENCY + MS));
}

#[test]
fn bandwidth_gives_the_time_of_a_transfer() {
    // 1000 datagrams of 1000 bytes on the wire at 8 Mbit/s: one second.
    let mut w = linked(LinkSpec { bandwidth: 8_000_000, queue: 10 << 20, ..plain() });
    let got = volley(&mut w, 1, 1000, 0, 1000 - HEADERS as usize);
    assert_eq!(got.len(), 1000);
    assert_eq!(got[0].1, MS + LATENCY);
    assert_eq!(got[999].1, SECOND + LATENCY);
}

#[test]
fn a_queue_that_is_full_drops_the_tail() {
    let mut w = linked(LinkSpec { bandwidth: 8_000_000, queue: 10_000, ..plain() });
    w.table.set_tracing(true);
    let got = volley(&mut w, 1, 100, 0, 1000 - HEADERS as usize);
    assert_eq!(got.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!(drops(&mut w, DropReason::QueueFull), 90);
    // As it empties there is room again: one packet in a millisecond.
    let got = volley(&mut w, 1, 200, MS / 2, 1000 - HEADERS as usize);
    near(got.len() as f64, 110.0, 0.02);
}

#[test]
fn loss_is_as_frequent_as_it_is_said_and_every_one_is_told() {
    let mut w = linked(LinkSpec { loss: Loss::Independent(percent(1)), ..plain() });
    w.table.set_tracing(true);
    let got = volley(&mut w, 1, 20_000, 1000, 10);
    near(20_000.0 - got.len() as f64, 200.0, 0.25);
    assert_eq!(drops(&mut w, DropReason::Loss), 20_000 - got.len());
}

#[test]
fn bursts_of_loss_are_as_long_and_as_frequent_as_they_are_said() {
    let loss = Loss::Bursty { to_bad: percent(1), to_good: percent(20), in_good: Chance::NEVER, in_bad: Chance::SURE };
    let mut w = linked(LinkSpec { loss, ..plain() });
    let count = 50_000;
    let got: std::collections::BTreeSet<u32> = volley(&mut w, 1, count, 1000, 10).iter().map(|(n, _)| *n).collect();
    // The bad state holds for 1 / 0.2 packets and comes after 1 / 0.01 good ones.
    let lost = (count as usize - got.len()) as f64;
    near(lost / f64::from(count), 0.01 / 0.21, 0.15);
    let bursts = (1..count).filter(|n| !got.contains(n) && got.contains(&(n - 1))).count() as f64;
    near(lost / bursts, 5.0, 0.15);
}

#[test]
fn what_is_duplicated_comes_twice_and_what_is_damaged_not_at_all() {
    let mut w = linked(LinkSpec { duplicate: percent(10), corrupt: percent(5), ..plain() });
    w.table.set_tracing(true);
    let count = 5_000u32;
    let got = volley(&mut w, 1, count, 1000, 10);
    let events: Vec<Event> = w.table.take_events().collect();
    let verdict = |is: fn(Verdict) -> bool| {
        events.iter().filter(|e| matches!(e.what, What::Verdict { verdict, .. } if is(verdict))).count()
    };
    let twice = verdict(|v| matches!(v, Verdict::Duplicate(..)));
    let damaged = verdict(|v| matches!(v, Verdict::Corrupt(_)));
    let once = verdict(|v| matches!(v, Verdict::Delay(_)));
    let thrown =
        events.iter().filter(|e| matches!(e.what, What::Drop { reason: DropReason::Checksum, len: 10 })).count();
    near(twice as f64, 0.95 * 500.0, 0.15);
    near(damaged as f64, 250.0, 0.2);
    assert_eq!(thrown, damaged);
    assert_eq!(once + twice + damaged, count as usize);
    assert_eq!(got.len(), once + 2 * twice);
}

#[test]
fn a_datagram_in_fragments_is_lost_with_any_of_them() {
    let mut w = linked(LinkSpec { loss: Loss::Independent(percent(5)), ..plain() });
    w.table.set_tracing(true);
    // Five fragments: all five must come.
    let got = volley(&mut w, 1, 4_000, 1000, 1480 * 5 - 8);
    near(got.len() as f64, 4_000.0 * 0.95f64.powi(5), 0.03);
    assert_eq!(drops(&mut w, DropReason::Loss), 4_000 - got.len());
    // And each takes its place on the wire, with an IP header of its own.
    let mut w = linked(LinkSpec { bandwidth: 8_000_000, ..plain() });
    let got = volley(&mut w, 1, 1, 0, 1480 * 5 - 8);
    assert_eq!(got[0].1, 5 * (1480 + 34) * 1000 + LATENCY);
}

#[test]
fn a_datagram_that_must_not_be_cut_has_to_fit() {
    let mut w = ruled(plain(), vec![], 1400, 7);
    let (sender, _, to) = ends(&mut w, 1);
    assert_eq!(w.send_to(sender, &[0; 1373], &to), Ok(1373));
    const MTU_DISCOVER: u32 = 10;
    w.set(sender, sol::IP, MTU_DISCOVER, 2).unwrap();
    assert_eq!(w.send_to(sender, &[0; 1372], &to), Ok(1372));
    assert_eq!(w.send_to(sender, &[0; 1373], &to), Err(Errno::EMSGSIZE));
    assert_eq!(w.send_to(sender, &[0; 1373], &ip("127.0.0.1:9")), Ok(1373));
}

#[test]
fn a_slow_interface_holds_its_sender_back_as_on_linux() {
    let mut w = linked(LinkSpec { bandwidth: 8_000_000, ..plain() });
    let (sender, receiver, to) = ends(&mut w, 1);
    // 212,992 bytes of buffer, and 2,304 for each datagram of a full packet.
    let sent = (0..1000).take_while(|_| w.send_to(sender, &[7; 1472], &to).is_ok()).count();
    assert_eq!(sent, 93);
    assert_eq!(w.send_to(sender, &[7; 1472], &to), Err(Errno::EAGAIN));
    assert_eq!((w.ready(sender) & poll::OUT, w.status(sender)), (0, SocketStatus::Sending));
    assert_eq!(w.table.siocoutq(sender), Ok(93 * 2304));
    w.notified();
    // Half of it must have left before poll says so; one that tries gets in before.
    let frame = (1472 + HEADERS) * 1000;
    w.run(frame);
    w.now = w.now.max(frame);
    assert!(w.ready(sender) & poll::OUT == 0 && w.notified().is_empty());
    assert_eq!(w.send_to(sender, &[7; 1472], &to), Ok(1472));
    w.run(frame * 49);
    assert_ne!(w.ready(sender) & poll::OUT, 0);
    assert!(w.notified().iter().any(|&(id, bits)| id == sender && bits & poll::OUT != 0));
    w.run(u64::MAX);
    assert_eq!((w.table.siocoutq(sender), w.status(sender)), (Ok(0), SocketStatus::Bound));
    assert_eq!(std::iter::from_fn(|| w.recv(receiver, 1).ok()).count(), 94);
}

#[test]
fn who_asks_for_errors_is_told_of_a_full_queue() {
    let mut w = linked(LinkSpec { bandwidth: 8_000_000, queue: 3_000, ..plain() });
    let (sender, _, to) = ends(&mut w, 1);
    assert!((0..10).all(|_| w.send_to(sender, &[7; 1400], &to) == Ok(1400)));
    const RECVERR: u32 = 11;
    w.set(sender, sol::IP, RECVERR, 1).unwrap();
    assert_eq!(w.send_to(sender, &[7; 1400], &to), Err(Errno::ENOBUFS));
}

#[test]
fn a_stream_is_cut_into_packets_and_its_bytes_keep_their_order() {
    for mtu in [1280, 1500, 9000] {
        let mut w = ruled(LinkSpec { bandwidth: 100_000_000, jitter: 10_000, ..plain() }, vec![], mtu, 7);
        w.table.set_tracing(true);
        let (client, server) = w.pair(0, 1);
        let data: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let mut sent = 0;
        let mut got = Vec::new();
        while got.len() < data.len() {
            if sent < data.len() {
                sent += w.send(client, &data[sent..]).unwrap_or(0);
            }
            let Some(at) = w.table.next_event() else { break };
            w.now = at;
            w.table.advance(at);
            got.extend(w.recv(server, 1 << 20).unwrap_or_default());
        }
        assert!(got == data);
        let longest = w.table.take_events().filter_map(|e| match e.what {
            What::Verdict { len, .. } => Some(len),
            _ => None,
        });
        assert_eq!(longest.max(), Some(u64::from(mtu) - 52));
    }
}

#[test]
fn a_rule_changes_one_direction_between_those_it_names() {
    let change = LinkChange { latency: Some(Latency::Constant(5 * MS)), ..LinkChange::default() };
    let mut w = ruled(plain(), vec![rule(&[0], &[1], change)], 1500, 7);
    assert_eq!(volley(&mut w, 1, 1, 0, 10)[0].1, 5 * MS);
    assert_eq!(volley(&mut w, 2, 1, 0, 10)[0].1, LATENCY);
    let back = w.udp(1);
    let here = w.udp(0);
    w.table.bind(here, &ip("10.0.0.2:5000")).unwrap();
    let begin = w.now;
    w.send_to(back, b"x", &ip("10.0.0.2:5000")).unwrap();
    assert_eq!(w.table.next_event(), Some(begin + LATENCY));
}

#[test]
fn later_rules_have_the_last_word_key_by_key() {
    let first = LinkChange { latency: Some(Latency::Constant(5 * MS)), cut: Some(true), ..LinkChange::default() };
    let second = LinkChange { cut: Some(false), ..LinkChange::default() };
    let all = [0, 1, 2, 3];
    let mut w = ruled(plain(), vec![rule(&all, &all, first), rule(&[0], &[1], second)], 1500, 7);
    assert_eq!(volley(&mut w, 1, 1, 0, 10)[0].1, 5 * MS);
    assert!(volley(&mut w, 2, 1, 0, 10).is_empty());
}

/// Which of some datagrams arrive at `host`, after others have been sent elsewhere.
fn fate(seed: u64, link: LinkSpec, before: u32, host: u32) -> Vec<(u32, u64)> {
    let mut w = ruled(link, vec![], 1500, seed);
    volley(&mut w, 3 - host, before, 1000, 10);
    let begin = w.now;
    w.now = begin.next_multiple_of(100 * SECOND);
    w.table.advance(w.now);
    volley(&mut w, host, 300, SECOND, 10)
}

fn wild(loss: u32, duplicate: u32, reorder: u32) -> LinkSpec {
    LinkSpec {
        latency: Latency::Normal { mean: 10 * MS, deviation: 3 * MS, min: 0 },
        loss: Loss::Independent(percent(loss)),
        duplicate: percent(duplicate),
        reorder: percent(reorder),
        ..LinkSpec::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_same_seed_gives_the_same_and_traffic_elsewhere_changes_nothing(
        seed in any::<u64>(), others in 0..200u32, loss in 1..50u32, duplicate in 0..30u32, reorder in 0..30u32,
    ) {
        let link = wild(loss, duplicate, reorder);
        let alone = fate(seed, link.clone(), 0, 1);
        prop_assert_eq!(&alone, &fate(seed, link.clone(), 0, 1));
        prop_assert_eq!(&alone, &fate(seed, link.clone(), others, 1));
        prop_assert_ne!(&alone, &fate(seed, link.clone(), 0, 2), "each way has a stream of its own");
        prop_assert_ne!(&alone, &fate(seed ^ 1, link.clone(), 0, 1));
        // One effect more moves none of another.
        let arrived = |list: &[(u32, u64)]| list.iter().map(|(n, _)| *n).collect::<std::collections::BTreeSet<_>>();
        let calm = fate(seed, LinkSpec { duplicate: Chance::NEVER, reorder: Chance::NEVER, ..link }, 0, 1);
        prop_assert_eq!(arrived(&alone), arrived(&calm));
    }

    #[test]
    fn floods_keep_memory_bounded(
        queue in 2_000..50_000u64, len in 1..1400usize, clog in any::<bool>(), hosts in prop::collection::vec(1..4u32, 1..4),
    ) {
        let mut w = linked(LinkSpec { bandwidth: 1_000_000, queue, clog, ..plain() });
        w.table.set_tracing(true);
        let sender = w.udp(0);
        let mut taken = 0;
        for n in 0..2_000 {
            let to = ip(&format!("10.0.0.{}:4000", hosts[n % hosts.len()] + 2));
            taken += usize::from(w.send_to(sender, &vec![1; len], &to).is_ok());
        }
        let dropped = drops(&mut w, DropReason::QueueFull);
        let held = (taken - dropped) as u64 * (len as u64 + HEADERS);
        prop_assert!(held <= queue * 3, "{} bytes in queues of {}", held, queue);
        prop_assert!(dropped > 0 || taken < 2_000, "either the queue or the sender's buffer is full");
    }
}

#[test]
fn a_broadcast_has_a_verdict_for_each_receiver() {
    let change = LinkChange { loss: Some(Loss::Independent(Chance::SURE)), ..LinkChange::default() };
    let mut w = ruled(plain(), vec![rule(&[0], &[2], change)], 1500, 7);
    w.table.set_tracing(true);
    let receivers: Vec<SocketId> = (1..4)
        .map(|host| {
            let id = w.udp(host);
            w.table.bind(id, &ip("0.0.0.0:4000")).unwrap();
            id
        })
        .collect();
    let sender = w.udp(0);
    w.set(sender, sol::SOCKET, so::BROADCAST, 1).unwrap();
    w.send_to(sender, b"all", &ip("10.0.0.255:4000")).unwrap();
    w.settle();
    let got: Vec<bool> = receivers.iter().map(|&id| w.recv(id, 9).is_ok()).collect();
    assert_eq!(got, [true, false, true]);
    assert_eq!(drops(&mut w, DropReason::Loss), 1);
}
