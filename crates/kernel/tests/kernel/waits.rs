use super::help::*;
use snowglobe_abi::Errno;
use snowglobe_kernel::task::TaskId;

#[test]
fn a_reader_of_an_empty_pipe_waits_for_the_writer() {
    let mut w = World::new();
    let (t, u) = (w.process(0), w.process(0));
    let fds = w.room(8);
    w.ok(t, "pipe2", [fds, 0]);
    let table = w.k.proc_of(t).fds.clone();
    w.k.proc_of_mut(u).fds = table;
    let (rd, wr) = (u64::from(w.word(fds)), u64::from(w.word(fds + 4)));
    let (buf, text) = (w.room(8), w.put(b"data"));
    w.waits(u, "read", [rd, buf, 8]);
    assert!(w.is_waiting(u));
    assert_eq!(w.ok(t, "write", [wr, text, 4]), 4);
    assert_eq!(w.finish(u), 4);
    w.waits(u, "read", [rd, buf, 8]);
    w.ok(t, "close", [wr]);
    assert_eq!(w.finish(u), 0);
}

#[test]
fn a_futex_wakes_as_many_as_it_is_told_to() {
    let mut w = World::new();
    let tasks = [w.process(0), w.process(0)];
    let waker = w.process(0);
    // One address space for all three, as of threads.
    let space = w.k.proc_of(waker).space;
    for t in tasks {
        w.k.proc_of_mut(t).space = space;
    }
    let word = w.words(&[7]);
    assert_eq!(w.err(tasks[0], "futex", [word, 128, 8, 0]), Errno::EAGAIN, "the word is not 8");
    for t in tasks {
        w.waits(t, "futex", [word, 128, 7, 0]);
    }
    assert_eq!(w.ok(waker, "futex", [word, 129, 1]), 1);
    assert_eq!(w.finish(tasks[0]), 0);
    assert!(w.is_waiting(tasks[1]));
    assert_eq!(w.ok(waker, "futex", [word, 129, 5]), 1);
    assert_eq!(w.finish(tasks[1]), 0);
}

#[test]
fn a_sleep_takes_no_time_but_virtual_time() {
    let mut w = World::new();
    let t = w.process(0);
    let hour = w.longs(&[3600, 5]);
    w.waits(t, "nanosleep", [hour, 0]);
    let begun = w.now();
    assert_eq!(w.finish(t), 0);
    assert_eq!(w.now() - begun, 3_600_000_000_005);
}

#[test]
fn a_poll_gives_up_when_its_time_is_up() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, STREAM);
    let fds = w.words(&[a as u32, IN]);
    w.waits(t, "poll", [fds, 1, 20]);
    let begun = w.now();
    assert_eq!(w.finish(t), 0);
    assert_eq!(w.now() - begun, 20_000_000);
    w.waits(t, "poll", [fds, 1, u64::MAX]);
    let u = w.process(0);
    let table = w.k.proc_of(t).fds.clone();
    w.k.proc_of_mut(u).fds = table;
    w.ok(u, "close", [b]);
    assert_eq!(w.finish(t), 1);
    assert_eq!(w.word(fds + 4) >> 16, IN | 0x10, "POLLIN and POLLHUP");
}

#[test]
fn the_same_seed_gives_the_same_times_and_bytes() {
    let run = || {
        let mut w = World::new();
        let t = w.process(0);
        let buf = w.room(64);
        w.ok(t, "getrandom", [buf, 64, 0]);
        w.sleep(t, 1000);
        let s = w.ok(t, "socket", [AF_INET, STREAM, 0]);
        w.ok(t, "listen", [s, 1]);
        let (name, len) = (w.room(16), w.words(&[16]));
        w.ok(t, "getsockname", [s, name, len]);
        (w.get(buf, 64), w.get(name, 16), w.now())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_host_is_up_while_a_process_of_it_lives() {
    let mut w = World::new();
    assert_eq!(w.k.hosts_up, 0);
    let (a, b) = (w.process(0), w.process(1));
    let child = w.process(0);
    assert_eq!(w.k.hosts_up, 2);
    for (task, left) in [(child, 2), (b, 1), (a, 0)] {
        w.k.end_task(&mut w.m, task, 0);
        assert_eq!(w.k.hosts_up, left);
    }
}

#[test]
fn who_waits_for_a_child_comes_before_a_handler_that_reaps_all() {
    const THREAD: u64 = 0x1_0f00; // CLONE_VM, FS, FILES, SIGHAND and THREAD
    let mut w = World::new();
    let main = w.process(0);
    w.catch(main, 17, true);
    let thread = TaskId(w.k.tasks.len() as u32);
    let stack = w.room(64);
    w.ok(main, "clone", [THREAD, stack + 64]);
    let child = TaskId(w.k.tasks.len() as u32);
    let pid = w.ok(main, "fork", []);
    w.run();
    w.waits(thread, "wait4", [pid, 0, 0, 0]);
    w.waits(main, "pause", []);
    w.k.end_task(&mut w.m, child, 0);
    assert_eq!([w.step(), w.step()], [Some(thread), Some(main)]);
    assert_eq!(w.finish(thread), pid as i64);
}
