//! Clocks of hosts that go wrong, and what goes by them.

use super::help::*;
use snowglobe_abi::errno::Errno;
use snowglobe_abi::fault::{ClockVerb, Fault, FaultPlan, HostVerb, Planned, When};
use snowglobe_abi::spec::{DEFAULT_START_S, Nanos};
use snowglobe_kernel::task::TaskId;

const SECOND: Nanos = 1_000_000_000;
const START: Nanos = DEFAULT_START_S * SECOND;
const REALTIME: u64 = 0;
const MONOTONIC: u64 = 1;
const BOOTTIME: u64 = 7;
const TAI: u64 = 11;
const ABSTIME: u64 = 1;
const CANCEL_ON_SET: u64 = 2;
const FUTEX_CLOCK_REALTIME: u64 = 256;

/// Host a's clock goes wrong at 1 s, for so long.
fn wrong(verb: ClockVerb, lasts: Option<Nanos>) -> World {
    let fault = Fault::Clock { hosts: vec![0], verb };
    let planned = Planned { when: When::At(SECOND), lasts, fault, cause: "test".into() };
    World::of(|spec| spec.faults = FaultPlan { timeline: vec![planned], ..FaultPlan::default() })
}

fn shown(w: &mut World, task: TaskId, clock: u64) -> Nanos {
    let at = w.room(16);
    w.ok(task, "clock_gettime", [clock, at]);
    w.long(at) * SECOND + w.long(at + 8)
}

fn timespec(w: &mut World, time: Nanos) -> u64 {
    w.longs(&[time / SECOND, time % SECOND])
}

/// When a call that waits until the wall clock shows START and so many seconds is over, in tenths of virtual seconds.
fn over_at(w: &mut World, task: TaskId, seconds: u64, call: impl Fn(&mut World, u64)) -> u64 {
    let until = timespec(w, START + seconds * SECOND);
    call(w, until);
    w.finish(task);
    w.now() / (SECOND / 10)
}

type Waits = fn(&mut World, TaskId, u64);

/// Calls that wait for a time of the wall clock.
const BY_WALL: [Waits; 3] = [
    |w, task, until| w.waits(task, "clock_nanosleep", [REALTIME, ABSTIME, until, 0]),
    |w, task, until| {
        let word = w.words(&[0]);
        w.waits(task, "futex", [word, 9 | FUTEX_CLOCK_REALTIME, 0, until, 0, u64::from(u32::MAX)]);
    },
    |w, task, until| {
        let name = w.put(b"queue\0");
        let queue = w.ok(task, "mq_open", [name, 0o102, 0o600, 0]);
        let buffer = w.room(8192);
        w.waits(task, "mq_timedreceive", [queue, buffer, 8192, 0, until]);
    },
];

#[test]
fn waits_for_the_wall_clock_end_when_it_shows_the_time() {
    for wait in BY_WALL {
        let over = |verb, lasts| {
            let mut w = wrong(verb, lasts);
            let (a, _) = (w.process(0), w.process(1));
            over_at(&mut w, a, 10, |w, until| wait(w, a, until))
        };
        assert_eq!(over(ClockVerb::Jump(6 * SECOND as i64), None), 40);
        assert_eq!(over(ClockVerb::Jump(100 * SECOND as i64), None), 10, "the time is past");
        assert_eq!(over(ClockVerb::Jump(-5 * SECOND as i64), None), 150);
        assert_eq!(over(ClockVerb::Jump(-5 * SECOND as i64), Some(20 * SECOND)), 150);
        assert_eq!(over(ClockVerb::Jump(-5 * SECOND as i64), Some(2 * SECOND)), 100, "it has jumped back");
        assert_eq!(over(ClockVerb::Leap(1), None), 110);
        assert_eq!(over(ClockVerb::Drift(500_000), None), 70, "1 s, and 9 s in 6");
        assert_eq!(over(ClockVerb::Drift(-500_000), Some(4 * SECOND)), 120, "1 s, 2 s in 4, and 7 s");
        assert_eq!(over(ClockVerb::Strobe { by: SECOND as i64, every: 100_000_000 }, Some(60 * SECOND)), 90);
    }
}

#[test]
fn other_waits_take_as_long_as_they_take() {
    let mut w = wrong(ClockVerb::Jump(50 * SECOND as i64), None);
    let a = w.process(0);
    let time = timespec(&mut w, 3 * SECOND);
    w.waits(a, "clock_nanosleep", [REALTIME, 0, time, 0]);
    w.finish(a);
    assert_eq!(w.now() / SECOND, 3, "of the wall clock, but for a time");
    let until = timespec(&mut w, 105 * SECOND);
    w.waits(a, "clock_nanosleep", [MONOTONIC, ABSTIME, until, 0]);
    w.finish(a);
    assert_eq!(w.now() / SECOND, 5);
}

#[test]
fn another_hosts_clock_moves_nothing_here() {
    let mut w = wrong(ClockVerb::Jump(50 * SECOND as i64), None);
    let (_, b) = (w.process(0), w.process(1));
    assert_eq!(over_at(&mut w, b, 4, |w, until| BY_WALL[0](w, b, until)), 40);
    assert_eq!(shown(&mut w, b, REALTIME) / SECOND, DEFAULT_START_S + 4);
}

/// A timerfd of the wall clock, set to START and so many seconds, and every two.
fn timer(w: &mut World, task: TaskId, flags: u64) -> u64 {
    let fd = w.ok(task, "timerfd_create", [REALTIME, NONBLOCK]);
    let at = START + 10 * SECOND;
    let value = w.longs(&[2, 0, at / SECOND, at % SECOND]);
    w.ok(task, "timerfd_settime", [fd, flags, value, 0]);
    fd
}

fn read_timer(w: &mut World, task: TaskId, fd: u64) -> Result<u64, Errno> {
    let buf = w.room(8);
    match w.call(task, "read", [fd, buf, 8]) {
        8 => Ok(w.long(buf)),
        e => Err(Errno(-e as u16)),
    }
}

#[test]
fn a_timerfd_of_the_wall_clock_moves_with_it_and_its_periods_too() {
    let mut w = wrong(ClockVerb::Jump(7 * SECOND as i64), None);
    let a = w.process(0);
    let fd = timer(&mut w, a, ABSTIME);
    w.sleep(a, SECOND + SECOND / 2);
    let left = w.room(32);
    w.ok(a, "timerfd_gettime", [fd, left]);
    assert_eq!((w.long(left + 16), read_timer(&mut w, a, fd)), (1, Err(Errno::EAGAIN)));
    w.sleep(a, 2 * SECOND);
    assert_eq!(read_timer(&mut w, a, fd), Ok(1));
    w.sleep(a, 4 * SECOND);
    assert_eq!(read_timer(&mut w, a, fd), Ok(2));
}

#[test]
fn a_timer_that_is_cancelled_when_the_clock_is_set_says_so_once() {
    let mut w = wrong(ClockVerb::Jump(-7 * SECOND as i64), None);
    let (a, b) = (w.process(0), w.process(0));
    let fd = timer(&mut w, a, ABSTIME | CANCEL_ON_SET);
    let other = timer(&mut w, a, ABSTIME);
    let blocking = w.ok(b, "timerfd_create", [REALTIME, 0]);
    let value = w.longs(&[0, 0, START / SECOND + 100, 0]);
    w.ok(b, "timerfd_settime", [blocking, ABSTIME | CANCEL_ON_SET, value, 0]);
    let buf = w.room(8);
    w.waits(b, "read", [blocking, buf, 8]);
    w.sleep(a, SECOND + 1);
    assert_eq!(w.poll(a, fd, IN), IN);
    assert_eq!(w.finish(b), -i64::from(Errno::ECANCELED.0), "who waits is told");
    assert_eq!(read_timer(&mut w, a, fd), Err(Errno::ECANCELED));
    assert_eq!(read_timer(&mut w, a, fd), Err(Errno::EAGAIN));
    assert_eq!(w.poll(a, other, IN), 0);
}

#[test]
fn a_clock_that_drifts_is_not_set() {
    let mut w = wrong(ClockVerb::Drift(1000), None);
    let a = w.process(0);
    let fd = timer(&mut w, a, ABSTIME | CANCEL_ON_SET);
    w.sleep(a, 2 * SECOND);
    assert_eq!(read_timer(&mut w, a, fd), Err(Errno::EAGAIN));
}

#[test]
fn a_posix_timer_moves_with_the_wall_clock() {
    let mut w = wrong(ClockVerb::Jump(6 * SECOND as i64), None);
    let a = w.process(0);
    w.catch(a, 14, false);
    let id = w.room(4);
    w.ok(a, "timer_create", [REALTIME, 0, id]);
    let at = START + 10 * SECOND;
    let value = w.longs(&[0, 0, at / SECOND, at % SECOND]);
    w.ok(a, "timer_settime", [0, ABSTIME, value, 0]);
    w.waits(a, "pause", []);
    assert_eq!(w.finish(a), -i64::from(Errno::EINTR.0));
    assert_eq!(w.now() / SECOND, 4);
}

#[test]
fn monotonic_clocks_and_atomic_time_do_not_see_what_is_wrong() {
    let verbs = [
        ClockVerb::Jump(-50 * SECOND as i64),
        ClockVerb::Drift(-400_000),
        ClockVerb::Leap(1),
        ClockVerb::Leap(-1),
        ClockVerb::Strobe { by: SECOND as i64, every: 1_000_000 },
    ];
    for verb in verbs {
        let mut w = wrong(verb, Some(SECOND));
        let a = w.process(0);
        let mut last = [0; 2];
        for _ in 0..40 {
            w.sleep(a, 100_000_000);
            let now = [MONOTONIC, BOOTTIME].map(|clock| shown(&mut w, a, clock));
            assert!(now[0] > last[0] && now[1] > last[1]);
            last = now;
        }
        assert!(w.now() + 100 * SECOND - last[1] < 1_000_000);
        if let ClockVerb::Leap(by) = verb {
            let (wall, tai) = (shown(&mut w, a, REALTIME), shown(&mut w, a, TAI));
            assert_eq!(((tai - wall + SECOND / 2) / SECOND) as i64, 37 + i64::from(by));
            assert!(tai - (START + w.now()) <= 37 * SECOND);
        }
    }
}

#[test]
fn a_host_that_comes_back_has_booted() {
    let fault = Fault::Host { hosts: vec![1], verb: HostVerb::PowerLoss { restart: None } };
    let planned = Planned { when: When::At(10 * SECOND), lasts: Some(5 * SECOND), fault, cause: "test".into() };
    let mut w = World::of(|spec| spec.faults = FaultPlan { timeline: vec![planned], ..FaultPlan::default() });
    let (a, b) = (w.process(0), w.process(1));
    let boot_id = |w: &mut World, task: TaskId| {
        let path = w.put(b"/proc/sys/kernel/random/boot_id\0");
        let fd = w.ok(task, "openat", [(-100i64) as u64, path, 0, 0]);
        let buf = w.room(64);
        let n = w.ok(task, "read", [fd, buf, 64]);
        w.get(buf, n as usize)
    };
    let first = boot_id(&mut w, b);
    assert_eq!(shown(&mut w, b, MONOTONIC) / SECOND, 100);
    w.sleep(a, 20 * SECOND);
    let again = w.process(1);
    w.sleep(again, SECOND);
    let up = shown(&mut w, again, MONOTONIC);
    assert!((7 * SECOND..9 * SECOND).contains(&up), "power is back for 6 s, and booting has taken some: {up}");
    assert_eq!(shown(&mut w, again, REALTIME) / SECOND, DEFAULT_START_S + w.now() / SECOND);
    assert_ne!(boot_id(&mut w, again), first);
    let until = timespec(&mut w, up + 3 * SECOND);
    let before = w.now();
    w.waits(again, "clock_nanosleep", [MONOTONIC, ABSTIME, until, 0]);
    assert_eq!(w.finish(again), 0);
    assert_eq!((w.now() - before + SECOND / 2) / SECOND, 3);
    w.sleep(a, 1);
    assert!(shown(&mut w, a, MONOTONIC) / SECOND > 120, "the other host has not");
}

#[test]
fn the_counter_moves_on_by_more_than_the_bits_that_go_leaves_out() {
    let mut w = World::new();
    let task = w.process(0);
    w.ok(task, "getpid", []);
    let before = w.now();
    let mut last = w.k.counter();
    for _ in 0..100 {
        let counter = w.k.counter();
        assert!(counter / 64 > last / 64, "{last} and {counter} show the same");
        last = counter;
    }
    let passed = w.now() - before;
    assert_eq!(passed, 101 * w.k.clock_step(), "and takes the time of a clock's reading");
}
