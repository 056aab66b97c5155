use super::help::*;

#[test]
fn a_spliced_socket_loses_no_byte_to_a_pipe_that_is_nearly_full() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, STREAM);
    let fds = w.room(8);
    w.ok(t, "pipe2", [fds, NONBLOCK]);
    let (rd, wr) = (u64::from(w.word(fds)), u64::from(w.word(fds + 4)));
    let buf = w.room(65536);
    w.ok(t, "write", [wr, buf, 65530]);
    w.send(t, a, b"0123456789", 0);
    assert_eq!(w.ok(t, "splice", [b, 0, wr, 0, 100, 0]), 6);
    assert_eq!(w.recv(t, b, 100, 0).unwrap(), b"6789");
    assert_eq!(w.ok(t, "read", [rd, buf, 65536]), 65536);
}

#[test]
fn a_file_is_sent_whole_to_a_socket() {
    let mut w = World::new();
    let t = w.process(0);
    let (a, b) = w.pair(t, STREAM);
    let path = w.put(b"/tmp/file\0");
    let fd = w.ok(t, "open", [path, 0o102, 0o600]);
    let text = w.put(b"what a file holds");
    w.ok(t, "write", [fd, text, 17]);
    let at = w.longs(&[5]);
    assert_eq!(w.ok(t, "sendfile", [a, fd, at, 100]), 12);
    assert_eq!(w.long(at), 17);
    assert_eq!(w.recv(t, b, 100, 0).unwrap(), b"a file holds");
}
