//! Worlds over links with character: what programs see of them, and what the trace says.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::{err, json, out, snowglobe, status};

/// Sends numbered datagrams; the receiver says how many came, how many twice, and how many out of order.
const RECEIVER: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 4000))
s.settimeout(5)
seen, twice, late, last = set(), 0, 0, -1
while True:
    try:
        n = int.from_bytes(s.recv(100), 'big')
    except TimeoutError:
        break
    twice += n in seen
    late += n < last
    last = max(n, last)
    seen.add(n)
print(len(seen), twice, late)
";
const SENDER: &str = "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('receiver', 4000))
for n in range(1000):
    s.send(n.to_bytes(4, 'big') * 10)
    time.sleep(0.001)
";

/// A world of a receiver and a sender on a network with these settings.
fn world(settings: &str, receiver: &str, sender: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("receiver.py"), receiver).unwrap();
    fs::write(dir.path().join("sender.py"), sender).unwrap();
    let text = format!(
        "x-snowglobe: {{until: 600s}}
networks: {{default: {{x-snowglobe: {settings}}}}}
services:
  receiver: {{command: python3 /w/receiver.py, volumes: ['.:/w'], x-snowglobe: {{check: true}}}}
  sender: {{command: python3 /w/sender.py, volumes: ['.:/w'], depends_on: [receiver], x-snowglobe: {{check: true}}}}
"
    );
    fs::write(dir.path().join("w.yaml"), text).unwrap();
    dir
}

/// Runs it, and gives what a host has written.
fn run(dir: &Path, host: &str) -> String {
    let output = snowglobe(dir, &["run", "w.yaml"]);
    assert_eq!(status(&output), 0, "{}\n{}", out(&output), err(&output));
    fs::read_to_string(dir.join(format!(".snowglobe/runs/latest/hosts/{host}/stdout"))).unwrap()
}

fn numbers(line: &str) -> Vec<usize> {
    line.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

/// The events of a kind, with their texts.
fn events(dir: &Path, kind: &str) -> Vec<String> {
    let output = snowglobe(dir, &["trace", "latest", "--json"]);
    let lines = out(&output);
    let event = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let of_kind = lines.lines().map(event).filter(|event| event["kind"] == kind);
    of_kind.map(|event| event["text"].as_str().unwrap().to_owned()).collect()
}

fn count(events: &[String], word: &str) -> usize {
    events.iter().filter(|text| text.contains(word)).count()
}

#[track_caller]
fn verified(dir: &Path) {
    let output = snowglobe(dir, &["verify", "w.yaml"]);
    assert_eq!(status(&output), 0, "{}\n{}", out(&output), err(&output));
}

#[test]
fn what_a_program_misses_is_what_the_trace_says_was_lost() {
    let settings = "{latency: normal mean 5ms deviation 2ms, loss: 5 %, duplicate: 3 %, corrupt: 2 %, reorder: 4 %, reorder_by: 10ms}";
    let dir = world(settings, RECEIVER, SENDER);
    let [seen, twice, late] = numbers(&run(dir.path(), "receiver"))[..] else { panic!() };
    let drops: Vec<String> = events(dir.path(), "drop").into_iter().filter(|text| text.contains(" 40 bytes")).collect();
    let verdicts: Vec<String> =
        events(dir.path(), "verdict").into_iter().filter(|text| text.contains(" 40 bytes to receiver")).collect();
    let (lost, damaged) = (count(&drops, "loss"), count(&drops, "wrong checksum"));
    assert_eq!(seen, 1000 - lost - damaged, "{drops:?}");
    assert_eq!(damaged, count(&verdicts, "arrives damaged"));
    assert_eq!(twice, count(&verdicts, "arrives twice"));
    assert_eq!(verdicts.len() + lost, 1000);
    assert!((20..90).contains(&lost) && (10..60).contains(&twice) && (5..45).contains(&damaged) && late > 10);
    verified(dir.path());
}

#[test]
fn a_sender_is_as_fast_as_its_link() {
    // 200 datagrams of 1042 bytes on the wire, 8336 bits each, at 1 Mbit/s.
    let sender = "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
s.connect(('receiver', 4000))
begin = time.monotonic()
for n in range(200):
    s.send(n.to_bytes(4, 'big') * 250)
print(round((time.monotonic() - begin) * 1000))
";
    let dir = world("{bandwidth: 1 Mbit}", RECEIVER, sender);
    let [took] = numbers(&run(dir.path(), "sender"))[..] else { panic!() };
    // The last ones are still in the interface when the call returns: 16,384 bytes of buffer hold eight of 2,304.
    assert!((1580..1680).contains(&took), "{took} ms");
    assert_eq!(count(&events(dir.path(), "drop"), "40"), 0);
    verified(dir.path());
}

#[test]
fn a_partition_of_one_direction_lets_the_other_through() {
    let receiver = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 4000))
_, who = s.recvfrom(9)
s.sendto(b'answer', who)
print('1')
";
    let sender = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('receiver', 4000))
s.settimeout(2)
s.send(b'question')
try:
    print(s.recv(9))
except TimeoutError:
    print('0')
";
    let dir = world("{links: [{from: receiver, to: sender, cut: true}]}", receiver, sender);
    assert_eq!(run(dir.path(), "sender"), "0\n");
    assert_eq!(events(dir.path(), "drop").iter().filter(|text| text.contains("6 bytes: partition")).count(), 1);
}

#[test]
fn every_replica_answers_to_the_name_in_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    // The C library sorts what it is told (RFC 6724): what comes first is seen in the answer itself.
    let program = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.11', 53))
first = []
for n in range(6):
    kind = b'\\x00\\x01' if n % 2 == 0 else b'\\x00\\x1c'
    s.send(b'\\x00\\x01\\x01\\x00\\x00\\x01' + bytes(6) + b'\\x03web\\x00' + kind + b'\\x00\\x01')
    answer = s.recv(512)
    if n % 2 == 0:
        first.append(answer[33:37][-1])
print(first, socket.gethostbyname('web-2'))
";
    fs::write(dir.path().join("ask.py"), program).unwrap();
    fs::write(
        dir.path().join("w.yaml"),
        "services:\n  web: {command: sleep 1, scale: 3}\n  client: {command: python3 /w/ask.py, volumes: ['.:/w']}\n",
    )
    .unwrap();
    assert_eq!(run(dir.path(), "client"), "[2, 3, 4] 10.0.1.3\n");
}

#[test]
fn programs_are_told_of_the_mtu() {
    let program = "
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(struct.unpack('16si20x', fcntl.ioctl(s, 0x8921, struct.pack('16si20x', b'eth0', 0)))[1])
s.connect(('receiver', 4000))
print(s.getsockopt(socket.IPPROTO_IP, 14))
s.setsockopt(socket.IPPROTO_IP, 10, 2)
s.send(bytes(8972))
try:
    s.send(bytes(8973))
except OSError as e:
    print(e.errno)
";
    let dir = world("{mtu: 9000, profile: lan}", RECEIVER, program);
    assert_eq!(run(dir.path(), "sender"), "9000\n9000\n90\n");
    let show = snowglobe(dir.path(), &["show", "latest", "--json"]);
    assert_eq!(json(&show)["exit_status"], 0);
}
