use super::help::*;
use snowglobe_abi::Errno;
use snowglobe_kernel::task::TaskId;

/// A `struct msghdr` with one piece of memory.
struct Msg {
    header: u64,
    buf: u64,
    control: u64,
}

const CTRUNC: u32 = 8;
const TRUNC: u32 = 0x20;

fn msg(w: &mut World, len: usize, name: (u64, u32), control: &[u8], room: usize) -> Msg {
    let buf = w.room(len);
    let iov = w.longs(&[buf, len as u64]);
    let control_at = w.room(room.max(control.len()).max(1));
    w.m_write(control_at, control);
    let header = w.longs(&[name.0, u64::from(name.1), iov, 1, control_at, room.max(control.len()) as u64, u64::MAX, 0]);
    Msg { header, buf, control: control_at }
}

impl World {
    fn m_write(&mut self, at: u64, bytes: &[u8]) {
        use snowglobe_kernel::machine::Machine;
        self.m.write(at, bytes).unwrap();
    }
    fn flags(&mut self, m: &Msg) -> u32 {
        self.word(m.header + 48)
    }
    fn control_len(&mut self, m: &Msg) -> u64 {
        self.long(m.header + 40)
    }
}

fn cmsg(level: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    let mut out = (16 + data.len() as u64).to_le_bytes().to_vec();
    out.extend(level.to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.extend(data);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

fn rights(fds: &[u64]) -> Vec<u8> {
    cmsg(1, 1, &fds.iter().flat_map(|fd| (*fd as u32).to_le_bytes()).collect::<Vec<u8>>())
}

/// Two processes with one end of a pair each.
fn apart(w: &mut World, kind: u64) -> (TaskId, u64, TaskId, u64) {
    let (t, u) = (w.process(0), w.process(0));
    let (a, b) = w.pair(t, kind);
    let file = w.k.proc_of(t).fds.borrow_mut().remove(b as i32).unwrap().file;
    let b = w.k.proc_of(u).fds.borrow_mut().add(file, false, 0, 100).unwrap();
    (t, a, u, b as u64)
}

#[test]
fn a_descriptor_travels_and_names_the_same_pipe() {
    let mut w = World::new();
    let (t, a, u, b) = apart(&mut w, STREAM);
    let pipe = w.room(8);
    w.ok(t, "pipe2", [pipe, 0]);
    let (rd, wr) = (u64::from(w.word(pipe)), u64::from(w.word(pipe + 4)));
    let out = msg(&mut w, 1, (0, 0), &rights(&[wr]), 0);
    assert_eq!(w.ok(t, "sendmsg", [a, out.header, 0]), 1);
    w.ok(t, "close", [wr]);
    let into = msg(&mut w, 4, (0, 0), &[], 64);
    assert_eq!(w.ok(u, "recvmsg", [b, into.header, 0x4000_0000]), 1);
    assert_eq!(w.control_len(&into), 24);
    assert_eq!(w.flags(&into), 0x4000_0000);
    assert_eq!(w.get(into.control, 16), [20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    let got = u64::from(w.word(into.control + 16));
    assert_eq!(w.ok(u, "fcntl", [got, 1, 0]), 1, "MSG_CMSG_CLOEXEC");
    let text = w.put(b"through");
    w.ok(u, "write", [got, text, 7]);
    let buf = w.room(16);
    assert_eq!(w.ok(t, "read", [rd, buf, 16]), 7);
    w.ok(u, "close", [got]);
    assert_eq!(w.ok(t, "read", [rd, buf, 16]), 0, "nobody else holds the writing end");
}

#[test]
fn descriptors_without_room_are_closed_and_told_of() {
    let mut w = World::new();
    let (t, a, u, b) = apart(&mut w, STREAM);
    let pipe = w.room(8);
    w.ok(t, "pipe2", [pipe, 0]);
    let (rd, wr) = (u64::from(w.word(pipe)), u64::from(w.word(pipe + 4)));
    for (room, given) in [(0, 0), (16, 0), (20, 1), (24, 2)] {
        let out = msg(&mut w, 1, (0, 0), &rights(&[wr, wr, wr]), 0);
        w.ok(t, "sendmsg", [a, out.header, 0]);
        let into = msg(&mut w, 4, (0, 0), &[], room);
        w.ok(u, "recvmsg", [b, into.header, 0]);
        assert_eq!(w.flags(&into), CTRUNC, "{room}");
        assert_eq!(w.control_len(&into), if given == 0 { 0 } else { room as u64 }, "{room}");
    }
    assert_eq!(w.k.proc_of(u).fds.borrow().iter().count(), 1 + 1 + 2);
    let out = msg(&mut w, 1, (0, 0), &rights(&[wr]), 0);
    w.ok(t, "sendmsg", [a, out.header, 0]);
    assert_eq!(w.recv(u, b, 4, 0).unwrap().len(), 1, "a call without room for any");
    for fd in 0..10 {
        if fd != b {
            w.call(u, "close", [fd]);
        }
    }
    w.ok(t, "close", [wr]);
    let buf = w.room(4);
    assert_eq!(w.ok(t, "read", [rd, buf, 4]), 0, "no copy of the writing end is left");
}

#[test]
fn a_descriptor_that_nobody_receives_is_closed_with_the_socket() {
    let mut w = World::new();
    let (t, a, u, b) = apart(&mut w, STREAM);
    let pipe = w.room(8);
    w.ok(t, "pipe2", [pipe, 0]);
    let (rd, wr) = (u64::from(w.word(pipe)), u64::from(w.word(pipe + 4)));
    let out = msg(&mut w, 1, (0, 0), &rights(&[wr]), 0);
    w.ok(t, "sendmsg", [a, out.header, 0]);
    w.ok(t, "close", [wr]);
    let buf = w.room(4);
    w.waits(t, "read", [rd, buf, 4]);
    w.ok(u, "close", [b]);
    assert_eq!(w.finish(t), 0);
}

#[test]
fn a_bad_control_message_sends_nothing() {
    let mut w = World::new();
    let (t, a, u, b) = apart(&mut w, STREAM);
    for (control, errno) in [
        (rights(&[99]), Errno::EBADF),
        (rights(&[0; 254]), Errno::EINVAL),
        (cmsg(1, 2, &[0; 4]), Errno::EINVAL),
        (cmsg(1, 77, &[0; 4]), Errno::EINVAL),
        (8u64.to_le_bytes().repeat(2), Errno::EINVAL),
        (1000u64.to_le_bytes().repeat(2), Errno::EINVAL),
    ] {
        let out = msg(&mut w, 1, (0, 0), &control, 0);
        assert_eq!(w.err(t, "sendmsg", [a, out.header, 0]), errno);
    }
    assert_eq!(w.recv(u, b, 1, 0x40), Err(Errno::EAGAIN));
}

#[test]
fn credentials_travel_when_they_are_asked_for_and_only_root_may_invent_them() {
    let mut w = World::new();
    let t = w.process_of(0, 1000);
    let (a, b) = w.pair(t, DGRAM);
    let on = w.words(&[1]);
    w.ok(t, "setsockopt", [b, 1, 16, on, 4]);
    w.send(t, a, b"x", 0);
    let into = msg(&mut w, 4, (0, 0), &[], 64);
    w.ok(t, "recvmsg", [b, into.header, 0]);
    assert_eq!(w.control_len(&into), 32);
    let pid = w.k.proc_of(t).pid;
    assert_eq!([16, 20, 24].map(|at| w.word(into.control + at)), [pid, 1000, 1000]);
    let state = |pid: u32, uid: u32| cmsg(1, 2, &[pid, uid, 1000].map(u32::to_le_bytes).concat());
    let out = msg(&mut w, 1, (0, 0), &state(pid, 0), 0);
    assert_eq!(w.err(t, "sendmsg", [a, out.header, 0]), Errno::EPERM);
    let out = msg(&mut w, 1, (0, 0), &state(pid, 1000), 0);
    assert_eq!(w.ok(t, "sendmsg", [a, out.header, 0]), 1);
}

#[test]
fn a_message_longer_than_its_room_is_cut_and_its_length_told_on_request() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, DGRAM);
    w.send(t, a, b"0123456789", 0);
    w.send(t, a, b"", 0);
    let into = msg(&mut w, 4, (0, 0), &[], 0);
    assert_eq!(w.ok(t, "recvmsg", [b, into.header, u64::from(TRUNC) | 2]), 10, "a peek");
    assert_eq!(w.flags(&into), TRUNC);
    assert_eq!(w.ok(t, "recvmsg", [b, into.header, 0]), 4);
    assert_eq!(w.flags(&into), TRUNC);
    assert_eq!(w.get(into.buf, 4), b"0123");
    assert_eq!(w.recv(t, b, 4, 0).unwrap(), b"", "an empty message");
}

#[test]
fn udp_tells_who_sent_and_where_to() {
    let mut w = World::new();
    let (s, c) = (w.process(0), w.process(1));
    let server = w.ok(s, "socket", [AF_INET, DGRAM, 0]);
    let addr = w.inet([0; 4], 53);
    w.ok(s, "bind", [server, addr, 16]);
    let on = w.words(&[1]);
    w.ok(s, "setsockopt", [server, 0, 8, on, 4]);
    let client = w.ok(c, "socket", [AF_INET, DGRAM, 0]);
    let addr = w.inet([0; 4], 4000);
    w.ok(c, "bind", [client, addr, 16]);
    let name = w.room(16);
    let into = msg(&mut w, 16, (name, 16), &[], 64);
    w.waits(s, "recvmsg", [server, into.header, 0]);
    let to = w.inet([10, 0, 0, 2], 53);
    let text = w.put(b"hi");
    assert_eq!(w.ok(c, "sendto", [client, text, 2, 0, to, 16]), 2);
    assert_eq!(w.finish(s), 2);
    assert_eq!(w.word(into.header + 8), 16);
    assert_eq!(w.get(name, 8), [2, 0, 0x0f, 0xa0, 10, 0, 0, 3]);
    assert_eq!(w.control_len(&into), 32, "IP_PKTINFO");
    assert_eq!(w.get(into.control + 24, 4), [10, 0, 0, 2]);
    assert_eq!(w.err(c, "sendto", [client, text, 2, 0, to, 8]), Errno::EINVAL);
    assert_eq!(w.err(c, "sendto", [client, text, 2, 0, 0, 0]), Errno::EDESTADDRREQ);
}

#[test]
fn many_messages_go_and_come_in_one_call() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, DGRAM);
    let vec = w.room(64 * 3);
    let into = w.room(64 * 3);
    for i in 0..3u64 {
        let out = msg(&mut w, i as usize + 1, (0, 0), &[], 0);
        let header = w.get(out.header, 64);
        w.m_write(vec + i * 64, &header);
        let back = msg(&mut w, 8, (0, 0), &[], 0);
        let header = w.get(back.header, 64);
        w.m_write(into + i * 64, &header);
    }
    assert_eq!(w.ok(t, "sendmmsg", [a, vec, 3, 0]), 3);
    assert_eq!([0, 1, 2].map(|i| w.word(vec + i * 64 + 56)), [1, 2, 3]);
    assert_eq!(w.ok(t, "recvmmsg", [b, into, 2, 0, 0]), 2);
    assert_eq!(w.ok(t, "recvmmsg", [b, into, 3, 0x1_0000, 0]), 1, "MSG_WAITFORONE");
    assert_eq!(w.word(into + 56), 3);
    assert_eq!(w.err(t, "recvmmsg", [b, into, 3, 0x40, 0]), Errno::EAGAIN);
    w.waits(t, "recvmmsg", [b, into, 2, 0, 0]);
}

#[test]
fn a_header_is_checked_before_anything_is_done() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, _) = w.pair(t, STREAM);
    assert_eq!(w.err(t, "sendmsg", [a, NOWHERE, 0]), Errno::EFAULT);
    let name = w.room(16);
    let m = msg(&mut w, 1, (name, u32::MAX), &[], 0);
    assert_eq!(w.err(t, "recvmsg", [a, m.header, 0]), Errno::EINVAL);
    let m = msg(&mut w, 1, (0, 0), &[], 0);
    w.m_write(m.header + 24, &1025u64.to_le_bytes());
    assert_eq!(w.err(t, "sendmsg", [a, m.header, 0]), Errno::EMSGSIZE);
}
