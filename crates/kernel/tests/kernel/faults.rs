//! The plan of faults, carried out.

use super::help::*;
use snowglobe_abi::errno::Errno;
use snowglobe_abi::fault::{CallFilter, CallVerb, ClockVerb, Fault, FaultPlan, HostVerb, Planned, When};
use snowglobe_abi::spec::{Chance, Nanos, Report, decode};
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

/// What became of a fault: when it struck and ended, and how often it hit.
type Became = (Option<(Nanos, Option<Nanos>)>, u64);

/// What the world reports of its faults: when each began and ended, and what it hit.
fn reports(w: &mut World) -> Vec<Became> {
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

/// Calls of a name, on all hosts.
fn calls(name: &str) -> CallFilter {
    CallFilter { calls: vec![snowglobe_kernel::table::number(name).unwrap()], ..CallFilter::default() }
}

fn nth(name: &str, nth: u64, verb: CallVerb) -> Planned {
    let fault = Fault::Call { calls: calls(name), chance: Chance::SURE, verb };
    Planned { when: When::Call { calls: calls(name), nth }, lasts: None, fault, cause: "test".into() }
}

#[test]
fn the_third_call_of_a_kind_fails_and_no_other() {
    let mut w = world(vec![nth("getpid", 3, CallVerb::Errno(Errno::EIO.0))], None);
    let (a, b) = (w.process(0), w.process(1));
    assert_eq!(w.ok(a, "getpid", []), 1);
    assert_eq!(w.ok(b, "getpid", []), 1);
    w.ok(a, "getppid", []);
    assert_eq!(w.err(b, "getpid", []), Errno::EIO);
    assert_eq!(w.ok(b, "getpid", []), 1);
    let reports = reports(&mut w);
    assert_eq!(reports[0].1, 1);
}

#[test]
fn a_call_at_which_its_process_is_killed_is_not_done() {
    let mut w = world(vec![nth("mkdir", 1, CallVerb::Kill)], None);
    // The first process of a host would take the others along.
    let (b, a) = (w.process(0), w.process(0));
    let path = w.put(b"/tmp/x\0");
    assert_eq!(w.start(a, "mkdir", [path, 0o755]), None);
    assert!(w.k.try_task(a).is_none());
    assert_eq!(w.err(b, "rmdir", [path]), Errno::ENOENT);
}

#[test]
fn calls_are_struck_by_path_address_and_program_while_the_fault_lasts() {
    let fault = |calls: CallFilter| Fault::Call { calls, chance: Chance::SURE, verb: CallVerb::Errno(Errno::EIO.0) };
    let path = CallFilter { path: Some("/tmp/*.aof".into()), ..calls("open") };
    let address = CallFilter { address: Some(":80".into()), ..CallFilter::default() };
    let program = CallFilter { program: Some("other*".into()), ..calls("getpid") };
    let lasts = Some(SECOND);
    let all = vec![at(0, lasts, fault(path)), at(0, lasts, fault(address)), at(0, lasts, fault(program))];
    let mut w = world(all, None);
    let a = w.process(0);
    w.sleep(a, 1);
    let (aof, rdb) = (w.put(b"/tmp/x.aof\0"), w.put(b"/tmp/x.rdb\0"));
    assert_eq!(w.err(a, "open", [aof, 0o102, 0o644]), Errno::EIO);
    w.ok(a, "open", [rdb, 0o102, 0o644]);
    let fd = w.ok(a, "socket", [AF_INET, DGRAM, 0]);
    let (here, there) = (w.inet([10, 0, 0, 3], 80), w.inet([10, 0, 0, 3], 81));
    assert_eq!(w.err(a, "connect", [fd, here, 16]), Errno::EIO);
    w.ok(a, "connect", [fd, there, 16]);
    w.ok(a, "getpid", []);
    w.sleep(a, SECOND);
    w.ok(a, "open", [aof, 0o102, 0o644]);
    w.ok(a, "connect", [fd, here, 16]);
}

#[test]
fn a_call_sets_off_another_fault_before_it_is_done() {
    let fault = host(HostVerb::PowerLoss { restart: None });
    let when = When::Call { calls: CallFilter { hosts: vec![1], ..calls("mkdir") }, nth: 2 };
    let mut w = world(vec![Planned { when, lasts: None, fault, cause: "test".into() }], None);
    let (a, b) = (w.process(0), w.process(1));
    let (x, y) = (w.put(b"/srv/x\0"), w.put(b"/srv/y\0"));
    w.call(a, "mkdir", [x, 0o755]);
    w.call(b, "mkdir", [x, 0o755]);
    w.start(b, "mkdir", [y, 0o755]);
    w.run();
    w.sleep(a, SECOND);
    assert!(w.k.try_task(b).is_none());
    assert_eq!(reports(&mut w)[0].1, 1);
}

#[test]
fn a_slow_host_takes_longer_for_each_call() {
    let mut w = world(vec![at(0, Some(SECOND), host(HostVerb::Slow(1_000_000)))], None);
    let (a, b) = (w.process(0), w.process(1));
    w.sleep(a, 1);
    let took = |w: &mut World, task| {
        let before = w.now();
        w.ok(task, "getpid", []);
        w.now() - before
    };
    let (usual, slow) = (took(&mut w, a), took(&mut w, b));
    assert_eq!(slow - usual, 1_000_000);
    w.sleep(a, 2 * SECOND);
    assert_eq!(took(&mut w, b), usual);
}

#[test]
fn a_bound_of_descriptors_is_met_and_goes_away() {
    let mut w = world(vec![at(0, Some(SECOND), host(HostVerb::Descriptors(2)))], None);
    let (a, b) = (w.process(0), w.process(1));
    w.sleep(a, 1);
    w.ok(b, "socket", [AF_INET, DGRAM, 0]);
    w.ok(b, "epoll_create1", [0]);
    assert_eq!(w.err(b, "socket", [AF_INET, DGRAM, 0]), Errno::EMFILE);
    assert_eq!(w.err(b, "epoll_create1", [0]), Errno::EMFILE);
    w.sleep(a, SECOND);
    w.ok(b, "socket", [AF_INET, DGRAM, 0]);
    assert_eq!(reports(&mut w)[0].1, 2);
}

/// What a clock of a task shows, in nanoseconds.
fn clock(w: &mut World, task: snowglobe_kernel::task::TaskId, clock: u64) -> i64 {
    let at = w.room(16);
    w.k.settle_host_clock(task);
    w.ok(task, "clock_gettime", [clock, at]);
    w.long(at) as i64 * 1_000_000_000 + w.long(at + 8) as i64
}

#[test]
fn a_wall_clock_jumps_and_drifts_alone_and_the_monotonic_one_does_not() {
    let on_b = |verb| Fault::Clock { hosts: vec![1], verb };
    let jump = at(SECOND, Some(SECOND), on_b(ClockVerb::Jump(-5_000_000_000)));
    let drift = at(4 * SECOND, Some(10 * SECOND), on_b(ClockVerb::Drift(100_000)));
    let leap = at(20 * SECOND, None, on_b(ClockVerb::Leap(1)));
    let mut w = world(vec![jump, drift, leap], None);
    let (a, b) = (w.process(0), w.process(1));
    let apart = |w: &mut World| {
        let near = |ns: i64| (ns + 500_000).div_euclid(1_000_000);
        (near(clock(w, b, 0) - clock(w, a, 0)), near(clock(w, b, 1) - clock(w, a, 1)))
    };
    assert_eq!(apart(&mut w), (0, 0));
    w.sleep(a, SECOND + SECOND / 2);
    assert_eq!(apart(&mut w), (-5000, 0));
    w.sleep(a, SECOND);
    assert_eq!(apart(&mut w), (0, 0), "it is right again when the fault ends");
    w.sleep(a, 12 * SECOND);
    assert_eq!(apart(&mut w), (1000, 0), "ten seconds at a tenth more");
    w.sleep(a, 6 * SECOND);
    assert_eq!(apart(&mut w), (0, 0), "a leap second that is inserted sets it back");
}

/// A world whose host b has no power from 1 s on, for so long.
fn dark(lasts: Nanos) -> World {
    world(vec![at(SECOND, Some(lasts), host(HostVerb::PowerLoss { restart: None }))], None)
}

/// When a connection from host a to host b fails, in seconds, and by what.
fn refused(w: &mut World, a: snowglobe_kernel::task::TaskId) -> (u64, Errno) {
    let fd = w.ok(a, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([10, 0, 0, 3], 80);
    let begin = w.now();
    w.waits(a, "connect", [fd, to, 16]);
    let error = Errno(-w.finish(a) as u16);
    ((w.now() - begin) / SECOND, error)
}

#[test]
fn a_host_that_is_down_and_unknown_is_unreachable_after_three_seconds() {
    let mut w = dark(1000 * SECOND);
    let (a, _) = (w.process(0), w.process(1));
    w.sleep(a, 2 * SECOND);
    assert_eq!(refused(&mut w, a), (3, Errno::EHOSTUNREACH));
    assert_eq!(refused(&mut w, a), (3, Errno::EHOSTUNREACH));
    let fd = w.ok(a, "socket", [AF_INET, DGRAM, 0]);
    let to = w.inet([10, 0, 0, 3], 80);
    w.ok(a, "connect", [fd, to, 16]);
    // udp(7): without IP_RECVERR an error that may go away is not told.
    let on = w.words(&[1]);
    w.ok(a, "setsockopt", [fd, 0, 11, on, 4]);
    assert_eq!(w.send(a, fd, b"x", 0), 1);
    let begin = w.now();
    let buf = w.room(8);
    w.waits(a, "recvfrom", [fd, buf, 8, 0, 0, 0]);
    assert_eq!((w.finish(a), (w.now() - begin) / SECOND), (-i64::from(Errno::EHOSTUNREACH.0), 3));
}

#[test]
fn a_host_that_was_just_heard_of_is_doubted_first() {
    let mut w = dark(1000 * SECOND);
    let (a, b) = (w.process(0), w.process(1));
    connect(&mut w, a, b);
    w.sleep(a, 2 * SECOND);
    let (after, error) = refused(&mut w, a);
    // What is known holds 30 s, is doubted 8 s from the next packet on, and is then looked for 3 s.
    assert_eq!(error, Errno::EHOSTUNREACH);
    assert!((41..80).contains(&after), "{after}");
    assert_eq!(refused(&mut w, a), (3, Errno::EHOSTUNREACH));
}

#[test]
fn a_host_that_has_power_again_in_time_is_found() {
    let mut w = dark(4 * SECOND);
    let (a, _) = (w.process(0), w.process(1));
    w.sleep(a, 3 * SECOND);
    assert_eq!(refused(&mut w, a), (2, Errno::ECONNREFUSED), "nobody listens there yet, but its kernel answers");
}

#[test]
fn a_connection_to_a_host_that_is_down_ends_with_what_is_known_of_it() {
    let mut w = dark(10_000 * SECOND);
    let (a, b) = (w.process(0), w.process(1));
    let (fd, _) = connect(&mut w, a, b);
    w.sleep(a, 2 * SECOND);
    assert_eq!(w.send(a, fd, b"x", 0), 1);
    w.sleep(a, 100 * SECOND);
    assert_eq!(w.recv(a, fd, 8, 0x40), Err(Errno::EAGAIN), "it goes on trying");
    w.sleep(a, 2000 * SECOND);
    assert_eq!(w.recv(a, fd, 8, 0x40), Err(Errno::EHOSTUNREACH));
}
