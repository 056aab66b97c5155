//! The traditional layout: what a world says and leaves there. Where the machine gives no namespaces these tests say so and
//! check nothing.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::endings::World;
use crate::{command, err, json, out, snowglobe, status};

const TRADITIONAL: &[&str] = &["run", "--layout", "traditional"];

/// Whether the layout runs here.
pub fn is_there() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let found = json(&snowglobe(dir.path(), &["doctor", "--json"]));
    let is_good = |check: &serde_json::Value| check["name"] == "traditional layout" && check["state"] == "good";
    let there = found["checks"].as_array().unwrap().iter().any(is_good);
    if !there {
        eprintln!("not checked: this machine has no traditional layout");
    }
    there
}

fn run(dir: &Path, rest: &[&str]) -> Output {
    snowglobe(dir, &[TRADITIONAL, rest].concat())
}

const WORLD: &str = r#"
services:
  store:
    command: ["sh", "-c", "trap 'echo stopped; exit 0' INT; echo here > /shared/state; touch /tmp/ready; while :; do sleep 0.05; done"]
    stop_signal: SIGINT
    init: true
    volumes: ["shared:/shared", "./given:/given", "./given:/fixed:ro"]
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 100ms}
  flaky:
    command: ["sh", "-c", "test -e /root/again && exit 0; touch /root/again; exit 7"]
    restart: on-failure
  judge:
    command:
      - sh
      - -c
      - |
        cat /shared/state; getent ahostsv4 twin | cut -d' ' -f1 | sort -u
        echo mine > /given/file; cat /given/file; echo no > /fixed/file || echo fixed; touch /tmp/of-judge; exit 3
    depends_on: {store: {condition: service_healthy}, flaky: {condition: service_completed_successfully}}
    volumes: ["shared:/shared", "./given:/given", "./given:/fixed:ro"]
    x-snowglobe: {check: true}
  idle:
    command: ["sleep", "0"]
    deploy: {replicas: 2}
    networks: {default: {aliases: [twin]}}
volumes: {shared: {}}
"#;

#[test]
fn a_world_of_the_traditional_layout_is_the_layers_but_for_time() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("given")).unwrap();
    fs::write(dir.path().join("given/file"), "the machine's\n").unwrap();
    fs::write(dir.path().join("w.yaml"), WORLD).unwrap();
    let said =
        |out: &Path, host: &str| fs::read_to_string(out.join("hosts").join(host).join("stdout")).unwrap_or_default();
    let (mut outputs, mut statuses) = (Vec::new(), Vec::new());
    for layout in ["traditional", "layer"] {
        let output =
            snowglobe(dir.path(), &["run", "--layout", layout, "--json", "--until", "30s", "--out", layout, "w.yaml"]);
        let record = json(&output);
        assert_eq!(record["verdict"], "failed", "{layout}: {record} {}", err(&output));
        assert_eq!(record["digest"].is_null(), layout == "traditional");
        statuses.push((record["reason"].clone(), status(&output)));
        outputs.push(said(&dir.path().join(layout), "judge"));
    }
    assert_eq!(statuses[0], statuses[1]);
    assert_eq!(outputs[0], outputs[1]);
    assert!(outputs[0].starts_with("here\n10.0.1."), "{}", outputs[0]);
    assert!(outputs[0].ends_with("mine\nfixed\n"), "{}", outputs[0]);
    // With its judge the world ended, and the store was asked to stop.
    assert_eq!(said(&dir.path().join("traditional"), "store"), "stopped\n");
    assert_eq!(fs::read_to_string(dir.path().join("given/file")).unwrap(), "the machine's\n");
    assert!(!Path::new("/tmp/of-judge").exists());
}

#[test]
fn one_program_has_its_own_status_and_input_in_the_traditional_layout() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("in"), "given").unwrap();
    let mut cat = command(dir.path(), &[TRADITIONAL, &["--", "sh", "-c", "cat; exit 42"]].concat());
    let output = cat.stdin(fs::File::open(dir.path().join("in")).unwrap()).output().unwrap();
    assert_eq!((status(&output), out(&output)), (42, "given".into()), "{}", err(&output));
    assert_eq!(status(&run(dir.path(), &["--", "sh", "-c", "kill -KILL $$"])), 137);
    let seen = out(&run(dir.path(), &["--", "sh", "-c", "echo $$ $(hostname); ls /proc/self/fd | wc -l"]));
    assert_eq!(seen, "2 host\n4\n");
}

#[test]
fn runs_of_the_traditional_layout_are_not_compared() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(status(&run(dir.path(), &["--", "true"])), 0);
    for args in [&["replay", "latest"][..], &["verify", "--layout", "traditional", "--", "true"]] {
        let output = snowglobe(dir.path(), args);
        assert_eq!(status(&output), 254, "{args:?}");
        assert!(err(&output).contains("in the traditional layout cannot be"), "{}", err(&output));
    }
    // Its trace can be read all the same.
    let trace = out(&snowglobe(dir.path(), &["trace", "latest"]));
    assert!(trace.contains("spawn"), "{trace}");
}

#[test]
fn nothing_of_a_traditional_world_is_left_however_it_ends() {
    if !is_there() {
        return;
    }
    const LOOP: &str = "(sleep 1000 &); trap '' TERM; echo under way; while :; do sleep 0.1; done";
    for signal in ["INT", "KILL"] {
        let dir = tempfile::tempdir().unwrap();
        let mounts =
            || fs::read_to_string("/proc/self/mountinfo").unwrap().lines().filter(|l| l.contains("snowglobe")).count();
        let text = format!("services: {{a: {{command: [\"sh\", \"-c\", \"{LOOP}\"], stop_grace_period: 200ms}}}}\n");
        fs::write(dir.path().join("w.yaml"), text).unwrap();
        let before = mounts();
        let world = World::start(dir.path(), &[TRADITIONAL, &["w.yaml"]].concat());
        // The gate, the warden, the service and what it started.
        let names = world.processes();
        assert!(names.len() >= 4, "{names:?}");
        world.end(signal);
        assert_eq!(mounts(), before);
    }
}
