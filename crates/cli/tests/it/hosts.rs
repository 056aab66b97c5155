//! Faults of hosts, from the world file to what programs see: memory, clocks, power.

use std::fs;

use tempfile::TempDir;

use crate::{err, out, snowglobe, status};

/// A world of services, each a Python program on a host of its own: the services and what stands beside each command.
fn world(settings: &str, services: &[(&str, &str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut text = format!("x-snowglobe: {settings}\nservices:\n");
    for (name, more, program) in services {
        fs::write(dir.path().join(format!("{name}.py")), program).unwrap();
        text += &format!("  {name}: {{command: python3 /w/{name}.py, volumes: ['.:/w']{more}}}\n");
    }
    fs::write(dir.path().join("w.yaml"), text).unwrap();
    dir
}

/// Verifies it, and gives what a host has written.
fn verified(dir: TempDir) -> impl Fn(&str) -> String {
    let output = snowglobe(dir.path(), &["verify", "w.yaml"]);
    assert_eq!(status(&output), 0, "{}\n{}", out(&output), err(&output));
    let output = snowglobe(dir.path(), &["run", "w.yaml"]);
    assert!(status(&output) <= 1, "{}\n{}", out(&output), err(&output));
    move |host| fs::read_to_string(dir.path().join(format!(".snowglobe/runs/latest/hosts/{host}/stdout"))).unwrap()
}

/// Fills memory by a mebibyte at a time, and says how far it has come.
const FILL: &str = "
import sys, time
kept = []
print('began', flush=True)
while len(kept) < 60:
    try:
        kept.append(bytearray(b'x' * (1 << 20)))
        time.sleep(0.05)
    except MemoryError:
        print('MemoryError', flush=True)
        time.sleep(1)
print('filled', flush=True)
";

#[test]
fn a_host_has_the_memory_that_the_file_says() {
    let careful = "
try:
    bytearray(200 << 20)
except MemoryError:
    print('no such memory')
print(open('/proc/meminfo').readline().split()[1])
";
    let services = [
        ("hog", ", mem_limit: 48M, x-snowglobe: {expect: signal SIGKILL}", FILL),
        ("small", ", mem_limit: 128M, x-snowglobe: {check: true}", FILL),
        ("careful", ", deploy: {resources: {limits: {memory: 64M}}}", careful),
        ("free", "", FILL),
    ];
    let written = verified(world("{until: 60s}", &services));
    assert_eq!(written("hog"), "began\n", "it was killed");
    assert_eq!(written("small"), "began\nfilled\n");
    assert_eq!(written("careful"), "no such memory\n65536\n");
    assert_eq!(written("free"), "began\nfilled\n");
}

#[test]
fn a_fault_takes_memory_away_for_a_while() {
    let settings = "
  until: 60s
  faults:
    timeline:
    - {at: 1s, for: 4s, memory: strict, limit: 48M, overcommit: never}
    - {at: 1s, for: 4s, memory: [once, again], limit: 32M}
";
    let services = [("strict", "", FILL), ("once", "", FILL), ("again", ", restart: on-failure", FILL)];
    let written = verified(world(settings, &services));
    let strict = written("strict");
    assert!(strict.contains("MemoryError\n") && strict.ends_with("filled\n"), "{strict}");
    assert_eq!(written("once"), "began\nbegan\nfilled\n", "it is started again when the fault ends");
    let again = written("again");
    assert!(again.matches("began\n").count() > 2 && again.ends_with("filled\n"), "{again}");
}

#[test]
fn clocks_go_wrong_and_monotonic_ones_do_not() {
    let waits = "
import ctypes, os, struct, time
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.timerfd_create(time.CLOCK_REALTIME, 0)
libc.timerfd_settime(fd, 3, struct.pack('qqqq', 0, 0, int(time.time()) + 60, 0), None)
wall, began = time.time(), time.monotonic()
try:
    os.read(fd, 8)
    print('fired')
except OSError as e:
    print(os.strerror(e.errno), round(time.monotonic() - began))
last = time.monotonic()
for _ in range(200):
    time.sleep(0.02)
    now = time.monotonic()
    assert now > last
    last = now
print(round(time.time() - wall, 1), round(time.monotonic() - began, 1))
";
    let skewed = "
import time
wall, began = time.time(), time.monotonic()
time.sleep(5)
print(round(time.time() - wall, 2), round(time.monotonic() - began, 2))
";
    let power = "
import time
btime = [line for line in open('/proc/stat') if line.startswith('btime')][0].split()[1]
boot = open('/proc/sys/kernel/random/boot_id').read().strip()
print(int(time.monotonic()), open('/proc/uptime').read().split('.')[0], btime, boot, flush=True)
time.sleep(1000)
";
    let settings = "
  until: 40s
  faults:
    timeline:
    - {at: 2s, clock-jump: jump, by: 100s}
    - {at: 2s, for: 1s, clock-strobe: strobe, by: 1s, every: 100ms}
    - {at: 2s, leap-second: leap, by: insert}
    - {at: 1s, for: 2s, clock-drift: skew, by: 100000 ppm}
    - {at: 5s, for: 5s, power-loss: power, restart: 2s}
";
    let hosts =
        [("jump", "", waits), ("strobe", "", waits), ("leap", "", waits), ("skew", "", skewed), ("power", "", power)];
    let written = verified(world(settings, &hosts));
    assert_eq!(written("jump"), "Operation canceled 2\n106.0 6.0\n");
    assert_eq!(written("strobe"), "Operation canceled 2\n6.0 6.0\n");
    assert_eq!(written("leap"), "Operation canceled 2\n5.0 6.0\n");
    assert_eq!(written("skew"), "5.2 5.0\n");
    let boots = written("power");
    let boots: Vec<Vec<&str>> = boots.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!((&boots[0][..2], &boots[1][..2]), (&["100", "100"][..], &["4", "4"][..]));
    let booted = |n: usize| boots[n][2].parse::<u64>().unwrap();
    assert_eq!(booted(1) - booted(0), 108, "at 10 s, and the world began at 100");
    assert_ne!(boots[0][3], boots[1][3]);
}

#[test]
fn a_host_without_power_is_unreachable_by_and_by() {
    let server = "
import socket
s = socket.socket()
s.bind(('0.0.0.0', 80))
s.listen()
while True:
    s.accept()
";
    let client = "
import socket, time
def attempt():
    began, s = time.monotonic(), socket.socket()
    try:
        s.connect(('down', 80))
        print('connected', flush=True)
    except OSError as e:
        print(e.strerror, int(time.monotonic() - began), flush=True)
time.sleep(2)
attempt()
attempt()
time.sleep(60)
attempt()
";
    let settings = "{until: 200s, faults: {timeline: [{at: 1s, for: 60s, power-loss: down, restart: 1s}]}}";
    let written = verified(world(settings, &[("down", "", server), ("client", "", client)]));
    assert_eq!(written("client"), "No route to host 3\nNo route to host 3\nconnected\n");
}
