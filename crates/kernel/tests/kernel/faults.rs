//! The plan of faults, carried out.

use super::help::*;
use snowglobe_abi::errno::Errno;
use snowglobe_abi::fault::{Fault, FaultPlan, HostVerb, Planned, When};
use snowglobe_abi::spec::{Nanos, Report, decode};
use snowglobe_kernel::task::HostId;

const SECOND: Nanos = 1_000_000_000;

fn at(at: Nanos, lasts: Option<Nanos>, fault: Fault) -> Planned {
    Planned { when: When::At(at), lasts, fault, cause: "test".into() }
}

fn world(timeline: Vec<Planned>, quiet_from: Option<Nanos>) -> World {
    World::of(|spec| spec.faults = FaultPlan { timeline, quiet_from, ..FaultPlan::default() })
}

fn host(verb: HostVerb) -> Fault {
    Fault::Host { hosts: vec![1], verb }
}

fn apart() -> Fault {
    Fault::Partition { network: None, groups: vec![vec![0], vec![1]] }
}

/// A connection from a task of host a to one of host b: their descriptors.
fn connect(w: &mut World, a: snowglobe_kernel::task::TaskId, b: snowglobe_kernel::task::TaskId) -> (u64, u64) {
    let listener = w.listener(b, 80);
    let fd = w.ok(a, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([10, 0, 0, 3], 80);
    w.waits(a, "connect", [fd, to, 16]);
    assert_eq!(w.finish(a), 0);
    w.sleep(a, 2 * LATENCY);
    let other = w.ok(b, "accept4", [listener, 0, 0, 0]);
    (fd, other)
}

/// What the world reports of its faults: when each began and ended, and what it hit.
fn reports(w: &mut World) -> Vec<(Option<(Nanos, Option<Nanos>)>, u64)> {
    w.k.stop_asked = true;
    while w.m.over.is_none() {
        w.k.pick(&mut w.m);
    }
    let report: Report = decode(w.m.over.as_ref().unwrap()).unwrap();
    report.faults.iter().map(|fault| (fault.times, fault.hits)).collect()
}

#[test]
fn a_partition_begins_and_ends_at_its_times_and_counts_packets() {
    let mut w = world(vec![at(SECOND, Some(2 * SECOND), apart())], None);
    let (a, b) = (w.process(0), w.process(1));
    let (fd, other) = connect(&mut w, a, b);
    w.sleep(a, SECOND);
    assert_eq!(w.send(a, fd, b"lost", 0), 4);
    w.sleep(a, SECOND);
    assert_eq!(w.recv(b, other, 8, 0x40), Err(Errno::EAGAIN));
    w.sleep(a, 10 * SECOND);
    assert_eq!(w.recv(b, other, 8, 0x40), Ok(b"lost".to_vec()), "TCP sends again when the partition is gone");
    let all = reports(&mut w);
    assert_eq!(all[0].0, Some((SECOND, Some(3 * SECOND))));
    assert!(all[0].1 >= 1, "{all:?}");
}

#[test]
fn faults_that_overlap_end_one_by_one() {
    let timeline = vec![at(SECOND, Some(4 * SECOND), apart()), at(2 * SECOND, Some(SECOND), apart())];
    let mut w = world(timeline, None);
    let (a, b) = (w.process(0), w.process(1));
    let (fd, other) = connect(&mut w, a, b);
    w.sleep(a, 3 * SECOND + SECOND / 2);
    assert_eq!(w.send(a, fd, b"x", 0), 1);
    w.sleep(a, SECOND);
    assert_eq!(w.recv(b, other, 8, 0x40), Err(Errno::EAGAIN), "the first still cuts");
    w.sleep(a, 10 * SECOND);
    assert!(w.recv(b, other, 8, 0x40).is_ok());
}

#[test]
fn the_quiet_time_ends_what_lasts_and_nothing_strikes_in_it() {
    let timeline = vec![at(SECOND, None, apart()), at(3 * SECOND, None, apart())];
    let mut w = world(timeline, Some(2 * SECOND));
    let a = w.process(0);
    w.sleep(a, 5 * SECOND);
    assert_eq!(reports(&mut w), [(Some((SECOND, Some(2 * SECOND))), 0), (None, 0)]);
}

#[test]
fn a_paused_host_runs_no_thread_and_its_timers_go_on() {
    let mut w = world(vec![at(SECOND, Some(3 * SECOND), host(HostVerb::Pause))], None);
    let (a, b) = (w.process(0), w.process(1));
    let time = w.longs(&[2, 0]);
    w.waits(b, "nanosleep", [time, 0]);
    w.sleep(a, 3 * SECOND);
    assert!(w.is_waiting(b) || w.k.task(b).state == snowglobe_kernel::task::State::Blocked);
    assert_eq!(w.finish(b), 0, "its sleep was over at 2 s");
    assert_eq!(w.now() / SECOND, 4, "it runs again when the pause ends");
}

#[test]
fn a_host_that_loses_power_is_gone_without_a_word() {
    let mut w = world(vec![at(SECOND, Some(2 * SECOND), host(HostVerb::PowerLoss { restart: None }))], None);
    let (a, b) = (w.process(0), w.process(1));
    let (fd, _) = connect(&mut w, a, b);
    w.sleep(a, SECOND + 1);
    assert!(w.k.try_task(b).is_none() && w.k.host(HostId(1)).pids.is_empty());
    assert_eq!(w.recv(a, fd, 8, 0x40), Err(Errno::EAGAIN), "nobody told it");
    assert_eq!(w.send(a, fd, b"x", 0), 1);
    w.sleep(a, SECOND);
    assert_eq!(w.recv(a, fd, 8, 0x40), Err(Errno::EAGAIN), "nor answers");
    w.sleep(a, 20 * SECOND);
    assert_eq!(w.recv(a, fd, 8, 0x40), Err(Errno::ECONNRESET), "what is up again knows nothing of it");
    let again = w.process(1);
    assert_eq!(w.ok(again, "getpid", []), 1, "process ids begin anew");
    w.listener(again, 80);
}

#[test]
fn a_kill_ends_all_processes_of_a_host_and_their_peers_are_told() {
    let mut w = world(vec![at(SECOND, None, host(HostVerb::Kill { restart: None }))], None);
    let (a, b) = (w.process(0), w.process(1));
    let (fd, _) = connect(&mut w, a, b);
    let time = w.longs(&[100, 0]);
    w.waits(b, "nanosleep", [time, 0]);
    w.sleep(a, 2 * SECOND);
    assert!(w.k.try_task(b).is_none());
    assert_eq!(w.recv(a, fd, 8, 0x40), Ok(Vec::new()), "its kernel has sent a FIN");
    assert_eq!(reports(&mut w)[0].1, 1);
}

#[test]
fn whoever_runs_when_its_host_loses_power_is_taken_away() {
    let mut w = world(vec![at(1_000, None, host(HostVerb::PowerLoss { restart: None }))], None);
    let (a, b) = (w.process(0), w.process(1));
    w.ok(b, "getpid", []);
    w.ok(b, "getpid", []);
    w.sleep(a, SECOND);
    assert!(w.k.try_task(b).is_none());
}
