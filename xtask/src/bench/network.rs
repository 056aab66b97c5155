//! Rows of the network: each world in the layer against the same world in the traditional layout, which has the operating
//! system's own stack between namespaces.

use super::measure::{self, Pair, Spread};
use super::memory;
use super::place::{Layout, Place};
use super::rows::Outcome;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Longest virtual time of a world that ends by itself.
const UNTIL: &str = "1h";
const PORT: &str = "17201";

/// A service of one host. At the end of the world it is not asked to stop: that would take its time.
fn service(command: &[&str]) -> Value {
    json!({"command": command, "stop_signal": "SIGKILL"})
}

/// A service by which the world is judged: with it the world ends in both layouts.
fn judge(command: &[&str]) -> Value {
    json!({"command": command, "x-snowglobe": {"check": true}})
}

fn world(place: &Place, name: &str, services: Value) -> Result<PathBuf> {
    place.write_file(name, json!({"x-snowglobe": {"until": UNTIL}, "services": services}))
}

/// A world with a size in both layouts.
fn layouts(place: &Place, sizes: (u64, u64), of_size: &dyn Fn(u64) -> Result<PathBuf>) -> Result<Pair> {
    let traditional = |n: u64| place.world_in(Layout::Traditional, &of_size(n)?);
    let layer = |n: u64| place.world_in(Layout::Layer, &of_size(n)?);
    measure::pair(place.samples, sizes, &traditional, &layer)
}

fn times(pair: Pair, units: f64) -> Pair {
    let scaled = |s: Spread| Spread { median: s.median * units, low: s.low * units, high: s.high * units };
    Pair { first: scaled(pair.first), second: scaled(pair.second), ratio: pair.ratio }
}

/// Round trips of 64 bytes.
pub fn round_trips(place: &Place) -> Result<Outcome> {
    let guest = place.guest("ping_pong", &[])?;
    let of_size = |n: u64| {
        let client = [&guest, "client", "server", PORT, &n.to_string()];
        world(place, "net-tcp", json!({"server": service(&[&guest, "server", PORT]), "client": judge(&client)}))
    };
    layouts(place, (10_000, 60_000), &of_size).map(Outcome::Pair)
}

/// A stream, timed for 1 GiB.
pub fn stream(place: &Place) -> Result<Outcome> {
    let guest = place.guest("stream", &[])?;
    let of_size = |n: u64| {
        let client = [&guest, "client", "server", PORT, &n.to_string()];
        world(place, "net-stream", json!({"server": service(&[&guest, "server", PORT]), "client": judge(&client)}))
    };
    Ok(Outcome::Pair(times(layouts(place, (64, 1088), &of_size)?, 1024.0)))
}

/// redis-benchmark, with so many requests sent at once.
pub fn redis(place: &Place, test: &str, pipeline: u64) -> Result<Outcome> {
    let server =
        ["/usr/bin/redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--dir", "/tmp"];
    let of_size = |n: u64| {
        let line = format!(
            "until redis-cli -h redis ping > /dev/null 2>&1; do sleep 0.1; done; \
             redis-benchmark -h redis -t {test} -n {n} -P {pipeline} -q && redis-cli -h redis shutdown nosave; true"
        );
        world(place, "net-redis", json!({"redis": service(&server), "client": judge(&["/bin/sh", "-c", &line])}))
    };
    let sizes = (10_000 * pipeline.min(4), 60_000 * pipeline.min(8));
    layouts(place, sizes, &of_size).map(Outcome::Pair)
}

/// Opens and closes connections, timed for 20,000.
pub fn connections(place: &Place) -> Result<Outcome> {
    let guest = place.guest("connections", &[])?;
    let of_size = |n: u64| {
        let n = n.to_string();
        let (server, client) = ([&*guest, "server", PORT, &n], [&*guest, "client", "server", PORT, &n]);
        world(place, "net-connections", json!({"server": service(&server), "client": judge(&client)}))
    };
    Ok(Outcome::Pair(times(layouts(place, (1000, 21_000), &of_size)?, 20_000.0)))
}

/// Hosts of the worlds that have many.
const MANY: usize = 1000;

/// A world of many hosts that all run one command.
fn many(place: &Place, name: &str, command: &[&str]) -> Result<PathBuf> {
    let services = json!({"host": {"command": command, "deploy": {"replicas": MANY}, "stop_signal": "SIGKILL"}});
    let networks = json!({"default": {"ipam": {"config": [{"subnet": "10.9.0.0/16"}]}}});
    place.write_file(name, json!({"x-snowglobe": {"until": UNTIL}, "services": services, "networks": networks}))
}

/// Datagrams between many hosts, timed for 100 from each.
pub fn swarm(place: &Place) -> Result<Outcome> {
    let guest = place.guest("swarm", &["-static"])?;
    let of_size = |n: u64| many(place, "net-swarm", &[&guest, "10.9.0.2", &MANY.to_string(), &n.to_string()]);
    Ok(Outcome::Pair(times(layouts(place, (100, 2100), &of_size)?, 100.0)))
}

/// From the start of a world of many hosts to its end, when each has run a program that does nothing, in seconds.
pub fn many_start(place: &Place) -> Result<Outcome> {
    let guest = place.guest("swarm", &["-static"])?;
    let world = many(place, "many-start", &[&guest, "10.9.0.2", "1", "0"])?;
    let samples = (0..place.samples).map(|_| place.world_in(Layout::Layer, &world));
    Ok(Outcome::Value(Spread::of(&samples.collect::<Result<Vec<_>>>()?)))
}

/// Memory of a world of many hosts that have all started, in GiB. The programs' own is a few pages each.
pub fn many_memory(place: &Place) -> Result<Outcome> {
    let (busy, sleeper) = (place.guest("busy", &["-static"])?, place.guest("sleeper", &["-static"])?);
    let services = json!({
        "sleeper": {"command": [sleeper], "deploy": {"replicas": MANY - 1}},
        "busy": {"command": [busy]},
    });
    let networks = json!({"default": {"ipam": {"config": [{"subnet": "10.9.0.0/16"}]}}});
    let text = json!({"x-snowglobe": {"until": UNTIL}, "services": services, "networks": networks});
    let world = place.write_file("many-memory", text)?;
    let mebibytes = memory::of_world(place.started(&world)?, MANY)?;
    Ok(Outcome::Value(Spread::of(&[mebibytes / 1024.0])))
}

/// Waiting by epoll on one socket, and on 9,000.
pub fn watching(place: &Place) -> Result<Outcome> {
    let guest = place.guest("watch", &[])?;
    let with = |sockets: &'static str| {
        let guest = guest.clone();
        move |n: u64| place.alone(&[&guest, sockets, &n.to_string()])
    };
    measure::pair(place.samples, (20_000, 220_000), &with("1"), &with("9000")).map(Outcome::Pair)
}

/// nginx with one worker and wrk with 64 connections: seconds for one request. wrk runs for a time, and says how many it made.
pub fn nginx(place: &Place) -> Result<Outcome> {
    let folder = place.folder_for("nginx")?;
    fs::write(folder.join("kibibyte"), [b'x'; 1024])?;
    let root = folder.to_str().context("a path that is not UTF-8")?;
    fs::write(
        folder.join("nginx.conf"),
        format!(
            "daemon off;\nmaster_process off;\nuser root;\npid /tmp/nginx.pid;\nerror_log stderr crit;\n\
             events {{ worker_connections 256; }}\n\
             http {{ access_log off; keepalive_requests 100000000; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p;\n\
             fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s;\n\
             server {{ listen 8080; root {root}; }} }}\n"
        ),
    )?;
    let conf = format!("{root}/nginx.conf");
    let one = |layout: Layout, seconds: u64| -> Result<(f64, f64)> {
        let line = format!(
            "until wrk -t1 -c1 -d1s http://nginx:8080/kibibyte > /dev/null; do sleep 0.1; done; \
             wrk -t1 -c64 -d{seconds}s http://nginx:8080/kibibyte"
        );
        let services = json!({
            "nginx": service(&["/usr/sbin/nginx", "-c", &conf]),
            "client": judge(&["/bin/sh", "-c", &line]),
        });
        let world = world(place, "net-nginx", services)?;
        let wall = place.world_in(layout, &world)?;
        let said = place.output_of("client")?;
        let requests = said.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse::<f64>().ok());
        Ok((wall, requests.with_context(|| format!("wrk said no count: {said}"))?))
    };
    let per_request = |layout: Layout| -> Result<f64> {
        let ((short, few), (long, many)) = (one(layout, 1)?, one(layout, 4)?);
        Ok((long - short) / (many - few))
    };
    let mut samples = Vec::new();
    for _ in 0..place.samples {
        samples.push([per_request(Layout::Traditional)?, per_request(Layout::Layer)?]);
    }
    let spread = |of: fn(&[f64; 2]) -> f64| Spread::of(&samples.iter().map(of).collect::<Vec<_>>());
    Ok(Outcome::Pair(Pair { first: spread(|s| s[0]), second: spread(|s| s[1]), ratio: spread(|s| s[1] / s[0]) }))
}
