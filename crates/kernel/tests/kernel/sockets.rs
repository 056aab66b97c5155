use super::help::*;
use snowglobe_abi::Errno;

#[test]
fn two_tasks_exchange_bytes_over_a_socketpair() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, STREAM);
    assert_eq!(w.send(t, a, b"ping", 0), 4);
    assert_eq!(w.recv(t, b, 16, 0).unwrap(), b"ping");
    let text = w.put(b"pong");
    assert_eq!(w.ok(t, "write", [b, text, 4]), 4);
    let buf = w.room(16);
    assert_eq!(w.ok(t, "read", [a, buf, 16]), 4);
    assert_eq!(w.get(buf, 4), b"pong");
}

#[test]
fn two_hosts_talk_over_tcp_and_the_way_takes_time() {
    let mut w = World::new();
    let (server, client) = (w.process(0), w.process(1));
    let listener = w.listener(server, 80);
    let (addr, len) = (w.room(16), w.words(&[16]));
    w.waits(server, "accept", [listener, addr, len]);
    let c = w.ok(client, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([10, 0, 0, 2], 80);
    w.waits(client, "connect", [c, to, 16]);
    let begun = w.now();
    assert_eq!(w.finish(client), 0);
    assert_eq!(w.now() - begun, 2 * LATENCY, "SYN and its answer");
    let s = w.finish(server) as u64;
    assert_eq!(w.word(len), 16);
    assert_eq!(w.get(addr + 4, 4), [10, 0, 0, 3]);
    let buf = w.room(64);
    w.waits(server, "recvfrom", [s, buf, 64, 0, 0, 0]);
    assert_eq!(w.send(client, c, b"hello", 0), 5);
    assert_eq!(w.finish(server), 5);
    assert_eq!(w.get(buf, 5), b"hello");
    w.ok(client, "close", [c]);
    w.waits(server, "recvfrom", [s, buf, 64, 0, 0, 0]);
    assert_eq!(w.finish(server), 0, "the end of the stream");
}

#[test]
fn a_blocked_receive_is_woken_by_a_send_and_by_the_end() {
    let mut w = World::new();
    let (t, u) = (w.process(0), w.process(0));
    let (a, b) = w.pair(t, STREAM);
    // The second process has the sockets too, as after a fork.
    let fds = w.k.proc_of(t).fds.clone();
    w.k.proc_of_mut(u).fds = fds;
    let buf = w.room(8);
    w.waits(u, "read", [b, buf, 8]);
    assert!(w.is_waiting(u));
    w.send(t, a, b"x", 0);
    assert!(!w.is_waiting(u));
    assert_eq!(w.finish(u), 1);
    w.waits(u, "read", [b, buf, 8]);
    w.ok(t, "shutdown", [a, 1]);
    assert_eq!(w.finish(u), 0);
}

#[test]
fn a_full_stream_makes_the_sender_wait_until_all_is_taken() {
    let mut w = World::new();
    let (t, u) = (w.process(0), w.process(0));
    let (a, b) = w.pair(t, STREAM);
    let fds = w.k.proc_of(t).fds.clone();
    w.k.proc_of_mut(u).fds = fds;
    let total = 1 << 20;
    let buf = w.room(total);
    w.waits(t, "write", [a, buf, total as u64]);
    let mut got = 0;
    let into = w.room(65536);
    while got < total {
        let n = w.ok(u, "read", [b, into, 65536]) as usize;
        assert!(n > 0);
        got += n;
        w.run();
    }
    assert_eq!(w.finish(t), total as i64);
}

#[test]
fn writing_to_nobody_is_epipe_with_sigpipe_unless_the_call_says_not() {
    let mut w = World::new();
    let t = w.process(0);
    w.catch(t, 13, false);
    let (a, b) = w.pair(t, STREAM);
    w.ok(t, "close", [b]);
    let buf = w.put(b"x");
    assert_eq!(w.err(t, "sendto", [a, buf, 1, 0x4000, 0, 0]), Errno::EPIPE);
    assert!(w.m.handled.is_empty(), "MSG_NOSIGNAL");
    assert_eq!(w.err(t, "write", [a, buf, 1]), Errno::EPIPE);
    assert_eq!(w.err(t, "sendto", [a, buf, 1, 0, 0, 0]), Errno::EPIPE);
    assert_eq!(w.m.handled, [(t.0, 13)], "SIGPIPE is blocked while its handler runs");
}

#[test]
fn a_time_out_ends_a_receive_and_the_clock_has_moved() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, _) = w.pair(t, STREAM);
    w.timeout(t, a, 20, 5000);
    let buf = w.room(8);
    for call in ["recvfrom", "read"] {
        let begun = w.now();
        w.waits(t, call, [a, buf, 8, 0, 0, 0]);
        assert_eq!(w.finish(t), Errno::EAGAIN.to_ret());
        assert!((5_000_000..5_010_000).contains(&(w.now() - begun)));
    }
}

#[test]
fn a_signal_ends_a_receive_with_a_time_out_even_under_sa_restart() {
    let mut w = World::new();
    let (t, u) = (w.process(0), w.process(0));
    let (a, _) = w.pair(t, STREAM);
    w.catch(t, 10, true);
    let buf = w.room(8);
    w.waits(t, "recvfrom", [a, buf, 8, 0, 0, 0]);
    let pid = u64::from(w.k.proc_of(t).pid);
    w.ok(u, "kill", [pid, 10]);
    assert!(!w.is_waiting(t));
    assert_eq!(w.m.handled.len(), 1);
    w.k.task_mut(t).mask = 0;
    w.timeout(t, a, 20, 1_000_000);
    w.waits(t, "recvfrom", [a, buf, 8, 0, 0, 0]);
    w.ok(u, "kill", [pid, 10]);
    assert_eq!(w.finish(t), Errno::EINTR.to_ret());
}

#[test]
fn waitall_waits_for_all_and_gives_what_came_when_a_signal_comes() {
    let mut w = World::new();
    let (t, u) = (w.process(0), w.process(0));
    let (a, b) = w.pair(t, STREAM);
    let fds = w.k.proc_of(t).fds.clone();
    w.k.proc_of_mut(u).fds = fds;
    let buf = w.room(8);
    w.waits(t, "recvfrom", [a, buf, 8, 0x100, 0, 0]);
    w.send(u, b, b"abc", 0);
    assert!(w.is_waiting(t));
    w.send(u, b, b"defgh", 0);
    assert_eq!(w.finish(t), 8);
    assert_eq!(w.get(buf, 8), b"abcdefgh");
    w.catch(t, 10, true);
    w.waits(t, "recvfrom", [a, buf, 8, 0x100, 0, 0]);
    w.send(u, b, b"ij", 0);
    assert!(w.is_waiting(t));
    let pid = u64::from(w.k.proc_of(t).pid);
    w.ok(u, "kill", [pid, 10]);
    assert_eq!(w.finish(t), 2);
}

#[test]
fn an_edge_is_told_once_and_again_with_every_arrival() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, STREAM);
    let level = w.epoll(t, &[(b, IN)]);
    let edge = w.epoll(t, &[(b, IN | ET)]);
    assert_eq!(w.ready(t, edge), []);
    w.send(t, a, b"one", 0);
    assert_eq!(w.ready(t, edge), [(b, IN)]);
    assert_eq!(w.ready(t, edge), [], "the same readiness is no news");
    assert_eq!(w.ready(t, level), [(b, IN)]);
    assert_eq!(w.ready(t, level), [(b, IN)], "but it still holds");
    w.send(t, a, b"two", 0);
    assert_eq!(w.ready(t, edge), [(b, IN)], "more has come");
    w.recv(t, b, 64, 0).unwrap();
    assert_eq!(w.ready(t, level), []);
    assert_eq!(w.ready(t, edge), []);
}

#[test]
fn an_epoll_wait_is_woken_across_the_network() {
    let mut w = World::new();
    let (server, client) = (w.process(0), w.process(1));
    let listener = w.listener(server, 80);
    let epfd = w.epoll(server, &[(listener, IN)]);
    let events = w.room(24);
    w.waits(server, "epoll_wait", [epfd, events, 2, u64::MAX]);
    let c = w.ok(client, "socket", [AF_INET, STREAM | NONBLOCK, 0]);
    let to = w.inet([10, 0, 0, 2], 80);
    assert_eq!(w.err(client, "connect", [c, to, 16]), Errno::EINPROGRESS);
    assert_eq!(w.poll(client, c, OUT), 0);
    assert_eq!(w.err(client, "connect", [c, to, 16]), Errno::EALREADY);
    assert_eq!(w.finish(server), 1);
    let s = w.ok(server, "accept4", [listener, 0, 0, NONBLOCK]);
    assert_eq!(w.err(server, "accept4", [listener, 0, 0, 1]), Errno::EINVAL);
    assert_eq!(w.poll(client, c, OUT), OUT);
    assert_eq!(w.ok(client, "connect", [c, to, 16]), 0, "the outcome, once");
    assert_eq!(w.recv(server, s, 1, 0), Err(Errno::EAGAIN));
    assert_eq!(w.ok(server, "fcntl", [s, 3, 0]) & NONBLOCK, NONBLOCK);
}

#[test]
fn nobody_listens_is_refused() {
    let mut w = World::new();
    let t = w.process(0);
    let c = w.ok(t, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([127, 0, 0, 1], 81);
    assert_eq!(w.err(t, "connect", [c, to, 16]), Errno::ECONNREFUSED);
    let to = w.inet([10, 0, 0, 3], 81);
    w.waits(t, "connect", [c, to, 16]);
    assert_eq!(w.finish(t), Errno::ECONNREFUSED.to_ret());
}

#[test]
fn a_connect_to_nobody_is_in_progress_when_the_send_time_out_ends_it() {
    let mut w = World::new();
    let t = w.process(0);
    let c = w.ok(t, "socket", [AF_INET, STREAM, 0]);
    w.timeout(t, c, 21, 1000);
    let to = w.inet([10, 0, 0, 77], 80);
    w.waits(t, "connect", [c, to, 16]);
    assert_eq!(w.finish(t), Errno::EINPROGRESS.to_ret());
}

#[test]
fn calls_check_their_arguments_in_the_order_of_linux() {
    let mut w = World::new();
    let t = w.process(0);
    let (rd, _) = {
        let fds = w.room(8);
        w.ok(t, "pipe2", [fds, 0]);
        (u64::from(w.word(fds)), 0)
    };
    let s = w.ok(t, "socket", [AF_INET, STREAM, 0]);
    let addr = w.inet([127, 0, 0, 1], 80);
    for call in ["bind", "connect"] {
        assert_eq!(w.err(t, call, [99, addr, 16]), Errno::EBADF);
        assert_eq!(w.err(t, call, [rd, addr, 16]), Errno::ENOTSOCK);
        assert_eq!(w.err(t, call, [s, addr, 200]), Errno::EINVAL);
        assert_eq!(w.err(t, call, [s, addr, 3]), Errno::EINVAL);
        assert_eq!(w.err(t, call, [s, NOWHERE, 16]), Errno::EFAULT);
    }
    let (path, len) = w.unix("/tmp/x");
    assert!(len < 16);
    assert_eq!(w.err(t, "bind", [s, path, 16]), Errno::EAFNOSUPPORT);
    assert_eq!(w.err(t, "connect", [rd, NOWHERE, 16]), Errno::EFAULT, "connect reads the address first");
    assert_eq!(w.err(t, "socket", [AF_INET, STREAM | 0x100, 0]), Errno::EINVAL);
    assert_eq!(w.err(t, "socket", [99, STREAM, 0]), Errno::EAFNOSUPPORT);
    assert_eq!(w.err(t, "accept4", [99, 0, 0, 1]), Errno::EINVAL);
    assert_eq!(w.err(t, "accept", [rd, 0, 0]), Errno::ENOTSOCK);
    assert_eq!(w.err(t, "accept", [s, 0, 0]), Errno::EINVAL);
    assert_eq!(w.err(t, "shutdown", [s, 7]), Errno::EINVAL);
    assert_eq!(w.err(t, "shutdown", [s, 2]), Errno::ENOTCONN);
    let value = w.words(&[1]);
    assert_eq!(w.err(t, "setsockopt", [99, 1, 2, value, u64::from(u32::MAX)]), Errno::EINVAL);
    assert_eq!(w.err(t, "setsockopt", [s, 1, 2, NOWHERE, 4]), Errno::EFAULT);
    assert_eq!(w.err(t, "getsockopt", [s, 1, 2, value, NOWHERE]), Errno::EFAULT);
}

#[test]
fn a_name_that_has_no_room_is_cut_and_its_length_told() {
    let mut w = World::new();
    let t = w.process(0);
    let s = w.listener(t, 4242);
    let (addr, len) = (w.room(16), w.words(&[4]));
    w.ok(t, "getsockname", [s, addr, len]);
    assert_eq!(w.word(len), 16);
    assert_eq!(w.get(addr, 8), [2, 0, 0x10, 0x92, 0, 0, 0, 0]);
    let len = w.words(&[u32::MAX]);
    assert_eq!(w.err(t, "getsockname", [s, addr, len]), Errno::EINVAL);
    assert_eq!(w.err(t, "getpeername", [s, addr, len]), Errno::ENOTCONN);
}

#[test]
fn a_process_without_room_for_a_descriptor_leaves_the_connection_waiting() {
    let mut w = World::new();
    let t = w.process(0);
    let listener = w.listener(t, 80);
    let c = w.ok(t, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([127, 0, 0, 1], 80);
    w.ok(t, "connect", [c, to, 16]);
    let limit = w.longs(&[2, 2]);
    w.ok(t, "setrlimit", [7, limit]);
    assert_eq!(w.err(t, "accept", [listener, 0, 0]), Errno::EMFILE);
    assert_eq!(w.err(t, "socket", [AF_INET, STREAM, 0]), Errno::EMFILE);
    let limit = w.longs(&[20, 20]);
    w.ok(t, "setrlimit", [7, limit]);
    w.ok(t, "accept", [listener, 0, 0]);
}

#[test]
fn a_socket_file_is_a_name_with_permissions() {
    let mut w = World::new();
    let (root, user) = (w.process(0), w.process_of(0, 1000));
    let s = w.ok(root, "socket", [AF_UNIX, STREAM, 0]);
    let (addr, len) = w.unix("/tmp/sock");
    w.ok(root, "bind", [s, addr, len]);
    assert_eq!(w.err(root, "bind", [s, addr, len]), Errno::EADDRINUSE);
    let (stat, path) = (w.room(144), addr + 2);
    w.ok(root, "stat", [path, stat]);
    assert_eq!(w.word(stat + 24), 0o140755, "a socket, less the umask");
    let c = w.ok(user, "socket", [AF_UNIX, STREAM, 0]);
    assert_eq!(w.err(user, "connect", [c, addr, len]), Errno::EACCES);
    w.ok(root, "chmod", [path, 0o777]);
    assert_eq!(w.err(user, "connect", [c, addr, len]), Errno::ECONNREFUSED, "it does not listen");
    w.ok(root, "listen", [s, 1]);
    w.ok(user, "connect", [c, addr, len]);
    let a = w.ok(root, "accept", [s, 0, 0]);
    // SO_PEERCRED: pid, uid, gid.
    let (cred, size) = (w.room(12), w.words(&[12]));
    w.ok(root, "getsockopt", [a, 1, 17, cred, size]);
    assert_eq!(w.word(cred), w.k.proc_of(user).pid);
    assert_eq!(w.word(cred + 4), 1000);
    let (name, size) = (w.room(110), w.words(&[110]));
    w.ok(user, "getpeername", [c, name, size]);
    assert_eq!(w.get(name + 2, 10), b"/tmp/sock\0");
    w.ok(root, "close", [s]);
    let d = w.ok(user, "socket", [AF_UNIX, STREAM, 0]);
    assert_eq!(w.err(user, "connect", [d, addr, len]), Errno::ECONNREFUSED, "the file is left behind");
    w.ok(root, "unlink", [path]);
    assert_eq!(w.err(user, "connect", [d, addr, len]), Errno::ENOENT);
}

#[test]
fn a_path_that_is_no_socket_refuses() {
    let mut w = World::new();
    let t = w.process(0);
    let path = w.put(b"/tmp/file\0");
    w.ok(t, "creat", [path, 0o644]);
    let s = w.ok(t, "socket", [AF_UNIX, DGRAM, 0]);
    let (addr, len) = w.unix("/tmp/file");
    assert_eq!(w.err(t, "connect", [s, addr, len]), Errno::ECONNREFUSED);
    assert_eq!(w.err(t, "sendto", [s, addr, 1, 0, addr, len]), Errno::ECONNREFUSED);
    assert_eq!(w.err(t, "bind", [s, addr, len]), Errno::EADDRINUSE);
    let (addr, len) = w.unix("/tmp/none/sock");
    assert_eq!(w.err(t, "bind", [s, addr, len]), Errno::ENOENT);
}

#[test]
fn ioctls_tell_what_waits_and_which_interfaces_there_are() {
    let mut w = World::new();
    let t = w.process(1);
    let (a, b) = w.pair(t, STREAM);
    w.send(t, a, b"12345", 0);
    let n = w.words(&[0]);
    w.ok(t, "ioctl", [b, 0x541b, n]);
    assert_eq!(w.word(n), 5);
    let on = w.words(&[1]);
    w.ok(t, "ioctl", [b, 0x5421, on]);
    w.recv(t, b, 5, 0).unwrap();
    assert_eq!(w.recv(t, b, 5, 0), Err(Errno::EAGAIN), "FIONBIO");
    assert_eq!(w.err(t, "ioctl", [b, 0x5401, n]), Errno::ENOTTY);
    let mut request = [0; 40];
    request[..4].copy_from_slice(b"eth0");
    let request = w.put(&request);
    w.ok(t, "ioctl", [a, 0x8915, request]);
    assert_eq!(w.get(request + 20, 4), [10, 0, 0, 3]);
    let buf = w.room(400);
    let list = w.longs(&[400, buf]);
    w.ok(t, "ioctl", [a, 0x8912, list]);
    assert_eq!(w.word(list), 80);
    assert_eq!(w.get(buf + 40, 4), b"eth0");
}

#[test]
fn the_tables_of_proc_show_the_sockets_and_their_inodes() {
    let mut w = World::new();
    let t = w.process(0);
    let s = w.listener(t, 80);
    let path = w.put(b"/proc/self/net/tcp\0");
    let fd = w.ok(t, "open", [path, 0, 0]);
    let buf = w.room(4096);
    let n = w.ok(t, "read", [fd, buf, 4096]);
    let text = String::from_utf8(w.get(buf, n as usize)).unwrap();
    let stat = w.room(144);
    w.ok(t, "fstat", [s, stat]);
    let ino = w.long(stat + 8);
    assert!(text.lines().nth(1).unwrap().contains("00000000:0050 00000000:0000 0A"), "{text}");
    assert!(text.lines().nth(1).unwrap().contains(&format!(" {ino} ")), "{text}");
    let link = w.put(format!("/proc/self/fd/{s}\0").as_bytes());
    let n = w.ok(t, "readlink", [link, buf, 100]);
    assert_eq!(w.get(buf, n as usize), format!("socket:[{ino}]").as_bytes());
    for name in ["dev", "route", "if_inet6", "unix", "udp"] {
        let path = w.put(format!("/proc/net/{name}\0").as_bytes());
        let fd = w.ok(t, "open", [path, 0, 0]);
        w.ok(t, "read", [fd, buf, 4096]);
    }
}

#[test]
fn a_closed_sockets_place_wakes_nobody_who_watched_the_one_before() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, STREAM);
    let epfd = w.epoll(t, &[(b, IN | ET)]);
    w.ok(t, "close", [a]);
    w.ok(t, "close", [b]);
    let (a, _) = w.pair(t, STREAM);
    w.send(t, a, b"x", 0);
    assert_eq!(w.ready(t, epfd), []);
}

#[test]
fn close_lingers_until_the_other_end_has_everything() {
    let mut w = World::new();
    let (server, client) = (w.process(0), w.process(1));
    let listener = w.listener(server, 80);
    let c = w.ok(client, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([10, 0, 0, 2], 80);
    w.waits(client, "connect", [c, to, 16]);
    assert_eq!(w.finish(client), 0);
    let linger = w.words(&[1, 5]);
    w.ok(client, "setsockopt", [c, 1, 13, linger, 8]);
    w.send(client, c, b"last words", 0);
    let begun = w.now();
    w.waits(client, "close", [c]);
    assert_eq!(w.finish(client), 0);
    assert!(w.now() - begun >= 2 * LATENCY);
    let s = w.ok(server, "accept", [listener, 0, 0]);
    assert_eq!(w.recv(server, s, 64, 0).unwrap(), b"last words");
}

#[test]
fn a_connect_that_does_not_wait_is_in_progress_even_on_the_same_host() {
    let mut w = World::new();
    let t = w.process(0);
    w.listener(t, 80);
    let c = w.ok(t, "socket", [AF_INET, STREAM | NONBLOCK, 0]);
    let to = w.inet([127, 0, 0, 1], 80);
    assert_eq!(w.err(t, "connect", [c, to, 16]), Errno::EINPROGRESS);
    assert_eq!(w.poll(t, c, OUT), OUT);
    assert_eq!(w.ok(t, "connect", [c, to, 16]), 0);
    assert_eq!(w.err(t, "connect", [c, to, 16]), Errno::EISCONN);
    let c = w.ok(t, "socket", [AF_INET, STREAM | NONBLOCK, 0]);
    let to = w.inet([127, 0, 0, 1], 81);
    assert_eq!(w.err(t, "connect", [c, to, 16]), Errno::EINPROGRESS);
    let (error, len) = (w.room(4), w.words(&[4]));
    w.ok(t, "getsockopt", [c, 1, 4, error, len]);
    assert_eq!(w.word(error), u32::from(Errno::ECONNREFUSED.0));
}

#[test]
fn urgent_data_and_asynchronous_data_signal_the_owner() {
    const F_SETFL: u64 = 4;
    const F_SETOWN: u64 = 8;
    let mut w = World::new();
    let t = w.process(0);
    w.catch(t, 23, true);
    w.catch(t, 29, true);
    let listener = w.listener(t, 80);
    let c = w.ok(t, "socket", [AF_INET, STREAM, 0]);
    let to = w.inet([127, 0, 0, 1], 80);
    w.ok(t, "connect", [c, to, 16]);
    let s = w.ok(t, "accept", [listener, 0, 0]);
    let pid = u64::from(w.k.proc_of(t).pid);
    w.ok(t, "fcntl", [s, F_SETOWN, pid]);
    w.send(t, c, b"ab", 0);
    assert_eq!(w.m.handled, []);
    w.send(t, c, b"!", 1);
    assert_eq!(w.m.handled, [(t.0, 23)], "SIGURG");
    assert_eq!(w.poll(t, s, 2), 2, "POLLPRI");
    w.ok(t, "fcntl", [s, F_SETFL, 0x2000]);
    w.send(t, c, b"c", 0);
    assert_eq!(w.m.handled, [(t.0, 23), (t.0, 29)], "SIGIO");
}

#[test]
fn netlink_lists_interfaces_and_refuses_what_it_does_not_know() {
    let mut w = World::new();
    let t = w.process(0);
    let request = |kind: u16, flags: u16| {
        let mut m = 20u32.to_le_bytes().to_vec();
        m.extend(kind.to_le_bytes());
        m.extend(flags.to_le_bytes());
        m.extend([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        m
    };
    let route = w.ok(t, "socket", [16, 3, 0]);
    w.send(t, route, &request(18, 0x301), 0);
    let links = w.recv(t, route, 65536, 0).unwrap();
    assert_eq!(links[4..6], 16u16.to_le_bytes(), "RTM_NEWLINK");
    assert!(links.windows(5).any(|b| b == b"eth0\0"));
    let diag = w.ok(t, "socket", [16, 3, 4]);
    w.send(t, diag, &request(20, 0x301), 0);
    let error = w.recv(t, diag, 65536, 0).unwrap();
    assert_eq!(error[4..6], 2u16.to_le_bytes(), "NLMSG_ERROR");
    assert_eq!(error[16..20], (-2i32).to_le_bytes(), "ENOENT");
}
