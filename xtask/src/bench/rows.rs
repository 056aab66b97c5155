//! The table: what is measured, how, and what is to be reached.

use super::check;
use super::explore;
use super::measure::{self, Pair, Spread};
use super::memory;
use super::network;
use super::place::{Host, Place};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;

/// What a row must reach.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// One row.
pub struct Plan {
    /// By which it is chosen.
    pub name: &'static str,
    /// What is done.
    pub what: &'static str,
    /// Unit of the times, or of the value.
    pub unit: Unit,
    /// What it must reach; none where the row is there to explain another.
    pub goal: Option<Goal>,
    how: fn(&Place) -> Result<Outcome>,
}

/// Units of what is printed.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Already in the unit that is named.
    Named(&'static str),
}

impl Unit {
    /// How many of it a second has, and its name.
    pub fn scale(self) -> (f64, &'static str) {
        match self {
            Unit::Ns => (1e9, "ns"),
            Unit::Us => (1e6, "us"),
            Unit::Ms => (1e3, "ms"),
            Unit::Named(name) => (1.0, name),
        }
    }
}

/// What was measured.
pub enum Outcome {
    /// Two ways to do one work; the ratio is judged.
    Pair(Pair),
    /// One value, which is judged.
    Value(Spread),
}

impl Plan {
    /// Measures it.
    pub fn measure(&self, place: &Place) -> Result<Outcome> {
        (self.how)(place)
    }
}

use Goal::{AtLeast, AtMost};

/// All of them.
#[rustfmt::skip]
pub const ALL: &[Plan] = &[
    Plan { name: "call",         what: "a call that the layer answers, against getppid",        unit: Unit::Ns, goal: Some(AtMost(0.40)), how: call },
    Plan { name: "call-untraced", what: "the same with calls not traced",                        unit: Unit::Ns, goal: None,               how: call_untraced },
    Plan { name: "sha256",       what: "sha256 of 1 GiB",                                       unit: Unit::Ms, goal: Some(AtMost(1.02)), how: sha256 },
    Plan { name: "python-loop",  what: "a Python loop, 1,000 passes",                           unit: Unit::Us, goal: Some(AtMost(1.02)), how: python_loop },
    Plan { name: "sqlite",       what: "SQLite in memory, 1,000 rows",                          unit: Unit::Us, goal: Some(AtMost(1.02)), how: sqlite },
    Plan { name: "fork-exec",    what: "fork, exec and wait of /bin/true",                      unit: Unit::Us, goal: Some(AtMost(1.5)),  how: fork_exec },
    Plan { name: "gcc",          what: "gcc -O2 of a file of 2,000 lines",                      unit: Unit::Ms, goal: Some(AtMost(1.5)),  how: gcc },
    Plan { name: "disk-git",     what: "git add and commit with every sync, on a disk that may lose its power", unit: Unit::Ms, goal: Some(AtMost(1.5)), how: disk_git },
    Plan { name: "disk-pgbench", what: "a pgbench transaction of 4 clients, on a disk that may lose its power", unit: Unit::Ms, goal: Some(AtMost(1.5)), how: disk_pgbench },
    Plan { name: "git-status",   what: "git status over 20,000 files",                          unit: Unit::Ms, goal: Some(AtMost(1.5)),  how: git_status },
    Plan { name: "tar",          what: "tar of 20,000 files",                                   unit: Unit::Ms, goal: Some(AtMost(1.5)),  how: tar },
    Plan { name: "tcp",          what: "round trip of 64 bytes by TCP between two hosts, against loopback", unit: Unit::Us, goal: Some(AtMost(0.5)), how: tcp },
    Plan { name: "redis-set",    what: "redis-benchmark SET between two hosts, against loopback", unit: Unit::Us, goal: Some(AtMost(1.0)), how: |place| redis(place, "set") },
    Plan { name: "redis-get",    what: "redis-benchmark GET between two hosts, against loopback", unit: Unit::Us, goal: Some(AtMost(1.0)), how: |place| redis(place, "get") },
    Plan { name: "net-tcp",      what: "round trip of 64 bytes by TCP, against the traditional layout", unit: Unit::Us, goal: Some(AtMost(0.5)), how: network::round_trips },
    Plan { name: "net-stream",   what: "1 GiB by TCP, against the traditional layout",           unit: Unit::Ms, goal: Some(AtMost(1.0)), how: network::stream },
    Plan { name: "net-redis-set", what: "redis-benchmark SET, against the traditional layout",   unit: Unit::Us, goal: Some(AtMost(1.0)), how: |place| network::redis(place, "set", 1) },
    Plan { name: "net-redis-get", what: "redis-benchmark GET, against the traditional layout",   unit: Unit::Us, goal: Some(AtMost(1.0)), how: |place| network::redis(place, "get", 1) },
    Plan { name: "net-redis-set-16", what: "redis-benchmark SET, 16 at once, against the traditional layout", unit: Unit::Us, goal: Some(AtMost(1.0)), how: |place| network::redis(place, "set", 16) },
    Plan { name: "net-redis-get-16", what: "redis-benchmark GET, 16 at once, against the traditional layout", unit: Unit::Us, goal: Some(AtMost(1.0)), how: |place| network::redis(place, "get", 16) },
    Plan { name: "net-nginx",    what: "nginx with wrk, 64 connections, a file of 1 KiB, against the traditional layout", unit: Unit::Us, goal: Some(AtMost(1.0)), how: network::nginx },
    Plan { name: "net-swarm",    what: "1,000 hosts, 100 datagrams from each to random others, against the traditional layout", unit: Unit::Ms, goal: Some(AtMost(0.5)), how: network::swarm },
    Plan { name: "net-connections", what: "20,000 connections opened and closed, against the traditional layout", unit: Unit::Ms, goal: Some(AtMost(0.5)), how: network::connections },
    Plan { name: "net-watch",    what: "epoll_wait on 9,000 sockets, against one",               unit: Unit::Us, goal: Some(AtMost(1.1)), how: network::watching },
    Plan { name: "many-start",   what: "start and end of a world of 1,000 hosts",               unit: Unit::Named("s"), goal: Some(AtMost(10.0)), how: network::many_start },
    Plan { name: "many-memory",  what: "memory of a world of 1,000 hosts",                       unit: Unit::Named("GiB"), goal: Some(AtMost(4.0)), how: network::many_memory },
    Plan { name: "start",        what: "snowglobe run -- /bin/true",                            unit: Unit::Named("ms"), goal: Some(AtMost(60.0)), how: start },
    Plan { name: "tracing",      what: "redis-benchmark, calls traced against not traced",      unit: Unit::Us, goal: Some(AtMost(1.10)), how: tracing },
    Plan { name: "event-size",   what: "bytes of an event on disk, redis-benchmark",            unit: Unit::Named("bytes"), goal: Some(AtMost(8.0)), how: event_size },
    Plan { name: "etcd-idle",    what: "three idle etcd nodes, virtual seconds in one of the wall clock", unit: Unit::Named("s/s"), goal: Some(AtLeast(200.0)), how: etcd_idle },
    Plan { name: "worlds-etcd",  what: "worlds of three etcd nodes explored in a minute, 30 s of load and faults", unit: Unit::Named("/min"), goal: None, how: |place| explore::worlds_per_minute(place, "etcd-stale-read").map(Outcome::Value) },
    Plan { name: "worlds-redis", what: "worlds of redis with sentinels explored in a minute",    unit: Unit::Named("/min"), goal: None,               how: |place| explore::worlds_per_minute(place, "redis-sentinel").map(Outcome::Value) },
    Plan { name: "check-register", what: "linearizability of 10,000 operations on a register", unit: Unit::Named("s"), goal: Some(AtMost(5.0)), how: |place| check::register(place).map(Outcome::Value) },
    Plan { name: "idle-host",    what: "memory of one more idle host",                          unit: Unit::Named("MiB"), goal: Some(AtMost(1.0)), how: idle_host },
];

/// Longest virtual time of a world that ends by itself.
const UNTIL: &str = "1h";

/// A program with a count as its last argument, against itself in a world of its own.
fn counted(place: &Place, sizes: (u64, u64), argv: &[&str]) -> Result<Outcome> {
    compared(place, place.samples, sizes, argv).map(Outcome::Pair)
}

fn compared(place: &Place, samples: usize, sizes: (u64, u64), argv: &[&str]) -> Result<Pair> {
    let with = |n: u64, run: &dyn Fn(&[&str]) -> Result<f64>| {
        let count = n.to_string();
        run(&argv.iter().copied().chain([count.as_str()]).collect::<Vec<_>>())
    };
    let normal = |n| with(n, &|argv| place.normal(argv));
    let layer = |n| with(n, &|argv| place.alone(argv));
    measure::pair(samples, sizes, &normal, &layer)
}

/// Pure compute: more samples, since its times spread wider than what is to be seen; with a time for some units at once.
fn computed(place: &Place, units: f64, sizes: (u64, u64), argv: &[&str]) -> Result<Outcome> {
    let times =
        |spread: Spread| Spread { median: spread.median * units, low: spread.low * units, high: spread.high * units };
    let pair = compared(place, place.samples * 3, sizes, argv)?;
    Ok(Outcome::Pair(Pair { first: times(pair.first), second: times(pair.second), ratio: pair.ratio }))
}

/// A shell line, repeated.
fn repeated(place: &Place, sizes: (u64, u64), line: &str) -> Result<Outcome> {
    let script = format!("i=0; while [ \"$i\" -lt \"$1\" ]; do {line} || exit 1; i=$((i + 1)); done");
    counted(place, sizes, &["/bin/sh", "-c", &script, "sh"])
}

const CALLS: (u64, u64) = (200_000, 2_200_000);

fn call(place: &Place) -> Result<Outcome> {
    counted(place, CALLS, &[&place.guest("getppid", &[])?])
}

fn call_untraced(place: &Place) -> Result<Outcome> {
    let guest = place.guest("getppid", &[])?;
    let normal = |n: u64| place.normal(&[&guest, &n.to_string()]);
    let layer = |n: u64| {
        let host = Host { name: "caller", command: &[&guest, &n.to_string()], replicas: 1 };
        place.world(&place.write_world("calls", json!({"until": UNTIL, "trace_calls": false}), &[host])?)
    };
    measure::pair(place.samples, CALLS, &normal, &layer).map(Outcome::Pair)
}

fn sha256(place: &Place) -> Result<Outcome> {
    computed(place, 1024.0, (64, 1088), &["/usr/bin/python3", &place.script("compute.py")?, "sha256"])
}

fn python_loop(place: &Place) -> Result<Outcome> {
    computed(place, 1000.0, (1_000_000, 11_000_000), &["/usr/bin/python3", &place.script("compute.py")?, "loop"])
}

fn sqlite(place: &Place) -> Result<Outcome> {
    computed(place, 1000.0, (50_000, 550_000), &["/usr/bin/python3", &place.script("compute.py")?, "sqlite"])
}

fn fork_exec(place: &Place) -> Result<Outcome> {
    counted(place, (100, 1100), &[&place.guest("fork_exec", &[])?])
}

fn gcc(place: &Place) -> Result<Outcome> {
    repeated(place, (1, 4), &format!("/usr/bin/gcc -O2 -c -o /tmp/generated.o '{}'", place.c_file()?))
}

fn disk_git(place: &Place) -> Result<Outcome> {
    watched(place, (3, 33), "git_commits.sh")
}

fn disk_pgbench(place: &Place) -> Result<Outcome> {
    watched(place, (40, 2040), "pgbench.sh")
}

/// A script with a folder on the disk and a count, in a world that has a power loss in its plan, long after its end: so what is
/// durable is kept apart from what is not.
fn watched(place: &Place, sizes: (u64, u64), script: &str) -> Result<Outcome> {
    let (script, folder) = (place.script(script)?, place.on_disk()?);
    let normal = |n: u64| place.normal(&["/bin/bash", &script, &folder, &n.to_string()]);
    let layer = |n: u64| {
        // A folder of the host's own, wherever this project is.
        let command = ["/bin/bash", &script, "/var/tmp", &n.to_string()];
        let host = json!({"command": command, "x-snowglobe": {"check": true}});
        let loss = json!({"timeline": [{"at": "59m", "power-loss": "host"}]});
        let world = json!({"x-snowglobe": {"until": UNTIL, "faults": loss}, "services": {"host": host}});
        place.world(&place.write_file("disk", world)?)
    };
    measure::pair(place.samples, sizes, &normal, &layer).map(Outcome::Pair)
}

fn git_status(place: &Place) -> Result<Outcome> {
    // The first one in a world finds new inode numbers and writes a new index; it is in both sizes.
    repeated(place, (2, 12), &format!("/usr/bin/git -C '{}' status --porcelain", place.tree()?))
}

fn tar(place: &Place) -> Result<Outcome> {
    // To /dev/null tar would not read the files.
    repeated(place, (1, 4), &format!("/usr/bin/tar -C '{}' -cf - . | cat > /dev/null", place.tree()?))
}

fn tcp(place: &Place) -> Result<Outcome> {
    const PORT: &str = "17201";
    let guest = place.guest("ping_pong", &[])?;
    let normal = |n: u64| {
        let server = place.server(&[&guest, "server", PORT])?;
        let seconds = place.normal(&[&guest, "client", "127.0.0.1", PORT, &n.to_string()])?;
        server.finished()?;
        Ok(seconds)
    };
    let layer = |n: u64| {
        let count = n.to_string();
        let server = Host { name: "server", command: &[&guest, "server", PORT], replicas: 1 };
        let client = Host { name: "client", command: &[&guest, "client", "server", PORT, &count], replicas: 1 };
        place.world(&place.write_world("tcp", json!({"until": UNTIL}), &[server, client])?)
    };
    measure::pair(place.samples, (10_000, 60_000), &normal, &layer).map(Outcome::Pair)
}

const REQUESTS: (u64, u64) = (10_000, 60_000);

fn redis(place: &Place, test: &str) -> Result<Outcome> {
    const PORT: u16 = 17202;
    let port = PORT.to_string();
    let normal = |n: u64| {
        let argv = ["/usr/bin/redis-server", "--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"];
        let _server = place.server(&argv)?.ready(PORT)?;
        place.normal(&[
            "/usr/bin/redis-benchmark",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-t",
            test,
            "-n",
            &n.to_string(),
            "-q",
        ])
    };
    let layer = |n: u64| place.world(&redis_world(place, test, n, true)?);
    measure::pair(place.samples, REQUESTS, &normal, &layer).map(Outcome::Pair)
}

fn redis_world(place: &Place, test: &str, count: u64, traced: bool) -> Result<PathBuf> {
    let line = format!(
        "until redis-cli -h redis ping > /dev/null 2>&1; do sleep 0.1; done; \
         redis-benchmark -h redis -t {test} -n {count} -q && redis-cli -h redis shutdown nosave; true"
    );
    let server =
        ["/usr/bin/redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", "/tmp"];
    let hosts = [
        Host { name: "redis", command: &server, replicas: 1 },
        Host { name: "client", command: &["/bin/sh", "-c", &line], replicas: 1 },
    ];
    place.write_world("redis", json!({"until": UNTIL, "trace_calls": traced}), &hosts)
}

fn start(place: &Place) -> Result<Outcome> {
    let samples = (0..place.samples.max(10)).map(|_| Ok(place.nothing()? * 1e3));
    Ok(Outcome::Value(Spread::of(&samples.collect::<Result<Vec<_>>>()?)))
}

fn tracing(place: &Place) -> Result<Outcome> {
    let off = |n: u64| place.world(&redis_world(place, "set,get", n, false)?);
    let on = |n: u64| place.world(&redis_world(place, "set,get", n, true)?);
    measure::pair(place.samples, REQUESTS, &off, &on).map(Outcome::Pair)
}

fn event_size(place: &Place) -> Result<Outcome> {
    let (run, bytes) = place.recorded(&redis_world(place, "set,get", REQUESTS.1, true)?)?;
    Ok(Outcome::Value(Spread::of(&[bytes as f64 / run.events as f64])))
}

fn etcd_idle(place: &Place) -> Result<Outcome> {
    let nodes = ["etcd1", "etcd2", "etcd3"];
    let cluster = nodes.map(|name| format!("{name}=http://{name}:2380")).join(",");
    let commands = nodes.map(|name| {
        ["/usr/bin/etcd", "--name", name, "--data-dir", "/tmp/etcd", "--initial-cluster", &cluster]
            .map(str::to_owned)
            .into_iter()
            .chain(
                ["--listen-client-urls", "http://0.0.0.0:2379", "--listen-peer-urls", "http://0.0.0.0:2380"]
                    .map(str::to_owned),
            )
            .chain([format!("--advertise-client-urls=http://{name}:2379")])
            .chain([format!("--initial-advertise-peer-urls=http://{name}:2380")])
            .collect::<Vec<_>>()
    });
    let commands: Vec<Vec<&str>> = commands.iter().map(|words| words.iter().map(String::as_str).collect()).collect();
    let work = |virtual_seconds: u64| {
        let host = |n: usize| Host { name: nodes[n], command: &commands[n], replicas: 1 };
        let settings = json!({"until": format!("{virtual_seconds}s")});
        place.world(&place.write_world("etcd", settings, &[host(0), host(1), host(2)])?)
    };
    let samples = measure::units(place.samples, (30, 630), [&work])?;
    Ok(Outcome::Value(Spread::of(&samples.iter().map(|[seconds]| 1.0 / seconds).collect::<Vec<_>>())))
}

fn idle_host(place: &Place) -> Result<Outcome> {
    const FEW: usize = 10;
    const MORE: usize = 100;
    let (busy, sleeper) = (place.guest("busy", &["-static"])?, place.guest("sleeper", &["-static"])?);
    let mebibytes = |sleepers: usize| {
        let hosts = [
            Host { name: "sleeper", command: &[&sleeper], replicas: sleepers },
            Host { name: "busy", command: &[&busy], replicas: 1 },
        ];
        let world = place.write_world("idle", json!({"until": UNTIL}), &hosts)?;
        memory::of_world(place.started(&world)?, sleepers)
    };
    let samples = (0..place.samples.min(3)).map(|_| Ok((mebibytes(FEW + MORE)? - mebibytes(FEW)?) / MORE as f64));
    Ok(Outcome::Value(Spread::of(&samples.collect::<Result<Vec<_>>>()?)))
}
