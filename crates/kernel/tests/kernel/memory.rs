//! Hosts that are short of memory.

use super::help::*;
use snowglobe_abi::errno::Errno;
use snowglobe_abi::fault::{Fault, FaultPlan, HostVerb, Planned, When};
use snowglobe_abi::spec::Nanos;
use snowglobe_kernel::task::TaskId;
use snowglobe_kernel::uapi::SIGKILL;

const MIB: u64 = 1 << 20;
const SECOND: Nanos = 1_000_000_000;
const READ_WRITE: u64 = 3;
const PRIVATE: u64 = 0x22;
const SHARED: u64 = 0x21;
const NORESERVE: u64 = 0x4000;

/// Host a has so much memory.
fn limited(bytes: u64) -> World {
    World::of(|spec| spec.hosts[0].memory = Some(bytes))
}

fn map(w: &mut World, task: TaskId, len: u64, prot: u64, flags: u64) -> i64 {
    w.call(task, "mmap", [0, len, prot, flags, u64::MAX, 0])
}

/// A process maps so much and touches all of it.
fn use_memory(w: &mut World, task: TaskId, len: u64) {
    assert!(map(w, task, len, READ_WRITE, PRIVATE) > 0);
    *w.m.touched.entry(task).or_default() += len;
}

/// Makes a call at which its memory may be looked at; whether the process lives on.
fn lives(w: &mut World, task: TaskId) -> bool {
    if w.k.try_task(task).is_none() {
        return false;
    }
    w.start(task, "getpid", []);
    w.k.try_task(task).is_some_and(|t| w.k.proc(t.proc).dying.is_none())
}

#[test]
fn the_largest_process_is_killed_when_more_is_touched_than_there_is() {
    let mut w = limited(64 * MIB);
    let (large, small) = (w.process(0), w.process(0));
    use_memory(&mut w, large, 40 * MIB);
    assert!(lives(&mut w, large));
    for _ in 0..5 {
        use_memory(&mut w, small, 4 * MIB);
        assert!(lives(&mut w, small));
    }
    use_memory(&mut w, small, 8 * MIB);
    assert!(lives(&mut w, small), "it is not the largest");
    assert!(!lives(&mut w, large));
    w.run();
    use_memory(&mut w, small, 20 * MIB);
    assert!(lives(&mut w, small), "what the other had is free");
}

#[test]
fn who_is_killed_has_the_status_of_sigkill_and_may_be_the_caller() {
    let mut w = limited(64 * MIB);
    let (parent, _) = (w.process(0), w.process(1));
    let child = TaskId(w.k.tasks.len() as u32);
    w.ok(parent, "fork", []);
    w.run();
    use_memory(&mut w, child, 60 * MIB);
    assert!(lives(&mut w, child));
    use_memory(&mut w, child, 10 * MIB);
    assert!(!lives(&mut w, child));
    let status = w.room(4);
    assert!(w.call(parent, "wait4", [u64::MAX, status, 0, 0]) > 0);
    assert_eq!(w.word(status), SIGKILL);
}

#[test]
fn what_is_mapped_and_not_touched_is_free() {
    let mut w = limited(64 * MIB);
    let a = w.process(0);
    for _ in 0..20 {
        assert!(map(&mut w, a, 60 * MIB, READ_WRITE, PRIVATE) > 0);
    }
    assert!(map(&mut w, a, 1 << 36, 0, PRIVATE | NORESERVE) > 0);
    (0..2000).for_each(|_| assert!(lives(&mut w, a)));
    assert_eq!(map(&mut w, a, 65 * MIB, READ_WRITE, PRIVATE), -i64::from(Errno::ENOMEM.0), "more than there is at all");
    assert!(map(&mut w, a, 65 * MIB, READ_WRITE, PRIVATE | NORESERVE) > 0);
}

#[test]
fn counts_are_few_and_none_where_there_is_no_bound() {
    let mut w = limited(256 * MIB);
    let (a, b) = (w.process(0), w.process(1));
    use_memory(&mut w, b, 300 * MIB);
    (0..2000).for_each(|_| assert!(lives(&mut w, b)));
    assert_eq!(w.m.counts, 0);
    use_memory(&mut w, a, 128 * MIB);
    (0..200_000).for_each(|_| assert!(lives(&mut w, a)));
    assert!((2..6).contains(&w.m.counts), "{}", w.m.counts);
}

#[test]
fn a_childs_pages_count_once_and_are_its_own_when_its_parent_is_gone() {
    let mut w = limited(64 * MIB);
    let (_init, parent) = (w.process(0), w.process(0));
    use_memory(&mut w, parent, 40 * MIB);
    let child = TaskId(w.k.tasks.len() as u32);
    w.ok(parent, "fork", []);
    w.run();
    w.m.touched.insert(child, 40 * MIB);
    use_memory(&mut w, child, 10 * MIB);
    (0..30_000).for_each(|_| assert!(lives(&mut w, child) && lives(&mut w, parent)));
    w.start(parent, "exit_group", [0]);
    w.run();
    use_memory(&mut w, child, 20 * MIB);
    assert!(!lives(&mut w, child), "40 and 10 and 20 are its own");
}

#[test]
fn many_small_children_are_many() {
    let mut w = limited(64 * MIB);
    let parent = w.process(0);
    use_memory(&mut w, parent, 30 * MIB);
    for n in 1..=12 {
        let child = TaskId(w.k.tasks.len() as u32);
        w.ok(parent, "fork", []);
        w.run();
        w.m.touched.insert(child, 30 * MIB);
        use_memory(&mut w, child, 3 * MIB);
        lives(&mut w, child);
        let all = (1..=child.0).map(TaskId).filter(|&task| lives(&mut w, task)).count();
        assert_eq!(all, if n == 12 { n } else { n + 1 }, "30 and {n} times 3");
    }
}

#[test]
fn shared_memory_counts_as_far_as_it_is_written() {
    let mut w = limited(64 * MIB);
    let a = w.process(0);
    let before = w.k.store.used();
    assert!(map(&mut w, a, 60 * MIB, READ_WRITE, SHARED) > 0);
    assert_eq!(w.k.store.used() - before, 60 * MIB / 4096);
    use_memory(&mut w, a, 40 * MIB);
    assert!(lives(&mut w, a));
    for page in 0..30 * MIB / 4096 {
        snowglobe_kernel::machine::Machine::store_write(&mut w.m, page * 4096, b"x");
    }
    use_memory(&mut w, a, MIB);
    (0..30_000).for_each(|_| {
        lives(&mut w, a);
    });
    assert!(!lives(&mut w, a));
}

fn short(limit: u64, strict: bool) -> World {
    let fault = Fault::Host { hosts: vec![0], verb: HostVerb::Memory { limit, strict } };
    let planned = Planned { when: When::At(SECOND), lasts: Some(2 * SECOND), fault, cause: "test".into() };
    World::of(|spec| spec.faults = FaultPlan { timeline: vec![planned], ..FaultPlan::default() })
}

#[test]
fn a_host_that_promises_no_more_than_it_has_answers_enomem() {
    let mut w = short(64 * MIB, true);
    let a = w.process(0);
    let at = map(&mut w, a, 100 * MIB, READ_WRITE, PRIVATE);
    assert!(at > 0, "the fault has not begun");
    let reserved = map(&mut w, a, 100 * MIB, 0, PRIVATE);
    w.sleep(a, SECOND + SECOND / 2);
    assert_eq!(map(&mut w, a, 4096, READ_WRITE, PRIVATE), -i64::from(Errno::ENOMEM.0));
    assert_eq!(map(&mut w, a, 4096, READ_WRITE, PRIVATE | NORESERVE), -i64::from(Errno::ENOMEM.0));
    assert!(map(&mut w, a, 4096, 0, PRIVATE) > 0, "what nobody may write needs no promise");
    w.ok(a, "munmap", [at as u64, 60 * MIB]);
    assert!(map(&mut w, a, 20 * MIB, READ_WRITE, PRIVATE) > 0);
    assert_eq!(w.err(a, "mprotect", [reserved as u64, 10 * MIB, READ_WRITE]), Errno::ENOMEM);
    assert_eq!(w.ok(a, "mprotect", [reserved as u64, 2 * MIB, READ_WRITE]), 0);
    assert_eq!(w.err(a, "mprotect", [reserved as u64, 6 * MIB, READ_WRITE]), Errno::ENOMEM);
    assert_eq!(w.err(a, "fork", []), Errno::ENOMEM);
    w.sleep(a, 2 * SECOND);
    assert!(map(&mut w, a, 100 * MIB, READ_WRITE, PRIVATE) > 0, "it is over");
}

#[test]
fn a_fault_of_memory_kills_and_counts_what_it_has_hit() {
    let mut w = short(64 * MIB, false);
    let (a, b) = (w.process(0), w.process(1));
    use_memory(&mut w, a, 100 * MIB);
    (0..60_000).for_each(|_| assert!(lives(&mut w, a)));
    w.sleep(b, 2 * SECOND);
    (0..60_000).for_each(|_| {
        lives(&mut w, a);
    });
    assert!(!lives(&mut w, a));
    w.k.stop_asked = true;
    while w.m.over.is_none() {
        w.k.pick(&mut w.m);
    }
    assert_eq!(w.k.report.faults[0].hits, 1);
}
