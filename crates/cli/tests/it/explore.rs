//! Many runs of a world: what fails by the seed, how often, the least of it, and whether it is gone.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{command, err, json, out, snowglobe, status};

/// A world whose check fails with one seed in some: it draws a byte, which must not be below `limit`.
fn world(limit: u32, more: &str) -> String {
    format!(
        "services:
  other:
    command: sleep 3
  client:
    command: [sh, -c, 'sleep 1; n=$$(od -An -N1 -tu1 /dev/urandom); echo drew $$n; test $$n -ge {limit}']
    x-snowglobe: {{check: true}}
{more}"
    )
}

fn folder(text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("w.yaml"), text).unwrap();
    dir
}

fn explore(dir: &Path, more: &[&str]) -> (i32, Value) {
    let output = snowglobe(dir, &[&["explore", "w.yaml", "--json"], more].concat());
    assert!(!output.stdout.is_empty(), "{}", err(&output));
    (status(&output), json(&output))
}

/// Waits for a line of what a command says on stderr; what is given back must live as long as the command may say more.
fn until_it_says(child: &mut Child, is_it: impl Fn(&str) -> bool) -> Lines<BufReader<ChildStderr>> {
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| is_it(&line)), "it ended without saying so");
    lines
}

fn runs(dir: &Path) -> usize {
    fs::read_dir(dir.join(".snowglobe/runs"))
        .map_or(0, |list| list.flatten().filter(|entry| entry.file_name() != "latest").count())
}

#[test]
fn what_fails_is_found_grouped_kept_and_seen_again() {
    let dir = folder(&world(60, ""));
    let (code, first) = explore(dir.path(), &["--seeds", "1..24", "-j", "3"]);
    assert_eq!(code, 1, "{first}");
    let counts = &first["runs"];
    assert_eq!((&counts["all"], &counts["unknown"], &counts["nondeterministic"]), (&24.into(), &0.into(), &0.into()));
    let [group] = &first["groups"].as_array().unwrap()[..] else { panic!("{first}") };
    assert_eq!(group["hits"], counts["failed"]);
    assert!(group["text"].as_str().unwrap().contains("client ended with status 1"), "{group}");
    // Every failing run was run again, and the first three of all were.
    assert!(counts["run_again_and_same"].as_u64() >= counts["failed"].as_u64(), "{counts}");
    // A few are kept, and none but these.
    let hits = group["hits"].as_u64().unwrap() as usize;
    assert!((1..=hits).contains(&runs(dir.path())));
    assert!(
        fs::read_dir(dir.path().join(".snowglobe"))
            .unwrap()
            .flatten()
            .all(|e| !e.file_name().to_string_lossy().contains("scratch"))
    );
    let again = snowglobe(dir.path(), &["replay", group["shortest"]["run"].as_str().unwrap()]);
    assert_eq!(status(&again), 1, "{}", err(&again));
    assert!(err(&again).contains("the same as"), "{}", err(&again));

    // The same command has nothing more to do; more seeds go on; as many workers as one likes find the same.
    let kept = runs(dir.path());
    let (code, second) = explore(dir.path(), &["--seeds", "1..24"]);
    assert_eq!((code, &second["now"]["runs"], &second["now"]["before"]), (1, &0.into(), &24.into()));
    assert_eq!((&second["groups"], runs(dir.path())), (&first["groups"], kept));
    let other = folder(&world(60, ""));
    let (_, alone) = explore(other.path(), &["--seeds", "1..12", "-j", "1"]);
    let (_, alone) = (alone, explore(other.path(), &["--seeds", "13..24", "-j", "1"]).1);
    assert_eq!(alone["groups"][0]["hits"], group["hits"]);

    let listed = snowglobe(dir.path(), &["groups"]);
    assert!(out(&listed).contains("g1  exit: "), "{}", out(&listed));
    assert!(out(&listed).contains("shrink it:    snowglobe shrink"), "{}", out(&listed));
}

#[test]
fn a_world_that_passes_passes_and_a_part_of_its_runs_is_made_twice() {
    let dir = folder(&world(0, ""));
    let output = snowglobe(dir.path(), &["explore", "w.yaml", "--seeds", "1..9", "--shard", "1/2"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("4 seeds, 4 passed, 0 failed, 0 not judged"), "{}", out(&output));
    assert!(out(&output).contains("3 run twice, all the same"), "{}", out(&output));
    let (code, both) = explore(dir.path(), &["--seeds", "1..9", "--shard", "2/2"]);
    assert_eq!((code, &both["runs"]["passed"], &both["now"]["runs"]), (0, &9.into(), &5.into()));
    assert_eq!(runs(dir.path()), 0);
}

#[test]
fn runs_that_cannot_be_judged_are_not_passed() {
    let dir = folder("services:\n  a: {command: sleep 100, x-snowglobe: {check: true}}\nx-snowglobe: {until: 1s}\n");
    let (code, report) = explore(dir.path(), &["--seeds", "1..3"]);
    assert_eq!((code, &report["runs"]["unknown"], &report["runs"]["passed"]), (2, &3.into(), &0.into()));
    assert_eq!(report["not_judged"][0]["runs"], 3);
}

#[test]
fn a_world_that_never_ends_is_given_up_and_counts_for_nothing() {
    let dir = folder("services:\n  a: {command: [sh, -c, 'while :; do :; done'], x-snowglobe: {check: true}}\n");
    let output = snowglobe(dir.path(), &["explore", "w.yaml", "--seeds", "1..2", "-j", "1", "--run-limit", "1500ms"]);
    assert_eq!(status(&output), 2, "{}", err(&output));
    assert!(err(&output).contains("did not end in 1 s"), "{}", err(&output));
    assert!(err(&output).contains("nothing was judged"), "{}", err(&output));
}

#[test]
fn it_stops_at_the_first_failure_and_when_it_is_asked_to_and_goes_on_where_it_was() {
    let dir = folder(&world(30, ""));
    let (code, report) = explore(dir.path(), &["--seeds", "1..", "--until-failure"]);
    assert_eq!((code, &report["end"], &report["runs"]["failed"]), (1, &"failure".into(), &1.into()));

    let dir = folder(&world(0, ""));
    let mut child = command(dir.path(), &["explore", "w.yaml", "--seeds", "1..1000000", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _progress = until_it_says(&mut child, |line| line.contains("seeds") && !line.starts_with("0 of"));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let report = json(&output);
    assert_eq!((output.status.code(), &report["end"]), (Some(2), &"interrupted".into()), "{report}");
    let done = report["runs"]["passed"].as_u64().unwrap();
    let (code, on) = explore(dir.path(), &["--seeds", &format!("1..{}", done + 2)]);
    assert_eq!((code, on["runs"]["passed"].as_u64().unwrap()), (0, done + 2), "{on}");
    assert!(on["now"]["runs"].as_u64().unwrap() < 10, "{on}");
}

#[test]
fn a_failure_that_is_mended_is_gone_and_one_that_is_not_is_still_there() {
    let dir = folder(&world(90, ""));
    let (code, report) = explore(dir.path(), &["--seeds", "1..16"]);
    assert_eq!(code, 1, "{report}");
    let still = snowglobe(dir.path(), &["retest", "g1"]);
    assert_eq!(status(&still), 1, "{}", err(&still));
    assert!(out(&still).contains("is still there"), "{}", out(&still));
    assert!(err(&still).contains("is as it was when it failed"), "{}", err(&still));
    fs::write(dir.path().join("w.yaml"), world(0, "")).unwrap();
    let gone = snowglobe(dir.path(), &["retest", "g1", "--json"]);
    assert_eq!(status(&gone), 0, "{}", err(&gone));
    let answer = json(&gone);
    assert_eq!((&answer["conclusion"], &answer["fresh"]), (&"gone".into(), &answer["fresh_needed"]));
    assert_eq!(answer["known"], report["groups"][0]["hits"]);
    let unsure = snowglobe(dir.path(), &["retest", "1", "w.yaml", "--confidence", "99.99999%", "--budget", "1s"]);
    assert_eq!(status(&unsure), 2, "{}", err(&unsure));
    assert!(out(&unsure).contains("gone cannot be said"), "{}", out(&unsure));
}

#[test]
fn the_least_world_that_fails_has_nothing_that_it_does_not_need() {
    // A world that fails with most seeds: with a host less, other random numbers are drawn.
    let more = "  third: {command: sleep 2, depends_on: [other]}
networks:
  default:
    x-snowglobe: {latency: 5ms, jitter: 1ms, loss: 1%}
";
    let dir = folder(&world(200, more));
    let (_, report) = explore(dir.path(), &["--seeds", "1..16", "--until-failure"]);
    let run = report["groups"][0]["shortest"]["run"].as_str().unwrap().to_owned();
    let shrunk = snowglobe(dir.path(), &["shrink", &run, "--json", "--tries", "8", "--out", "least.yaml"]);
    assert_eq!(status(&shrunk), 0, "{}", err(&shrunk));
    let shrunk = json(&shrunk);
    assert_eq!((&shrunk["hosts"], &shrunk["after"]["faults"]), (&serde_json::json!(["client"]), &0.into()), "{shrunk}");
    // It fails without a hunt, and the record of it is the same.
    let anew = snowglobe(dir.path(), &["run", "least.yaml"]);
    assert_eq!(status(&anew), 1, "{}", err(&anew));
    let again = snowglobe(dir.path(), &["replay", shrunk["run"].as_str().unwrap()]);
    assert!(err(&again).contains("the same as"), "{}", err(&again));

    let other = folder(&world(0, ""));
    snowglobe(other.path(), &["run", "w.yaml"]);
    let none = snowglobe(other.path(), &["shrink", "latest"]);
    assert_eq!(status(&none), 254);
    assert!(err(&none).contains("there is nothing to shrink"), "{}", err(&none));
}

#[test]
fn of_many_faults_the_one_that_matters_is_left() {
    let dir = folder(
        "services:
  client:
    command: [sh, -c, 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done']
    x-snowglobe: {check: true}
  one: {command: sleep 30}
  two: {command: sleep 30}
x-snowglobe:
  until: 40s
  faults:
    timeline:
      - {at: 500ms, for: 2s, pause: one}
      - {at: 1s, for: 4s, partition: [[one], [two, client]]}
      - {at: 1500ms, kill: two}
      - {at: 2s, for: 1s, pause: client}
      - {at: 4321ms, kill: client}
      - {at: 5s, for: 1s, loss: 10%, between: [one, two]}
      - {at: 7s, for: 1s, pause: two}
",
    );
    let ran = snowglobe(dir.path(), &["run", "w.yaml"]);
    assert_eq!(status(&ran), 1, "{}", err(&ran));
    let shrunk = snowglobe(dir.path(), &["shrink", "latest", "--tries", "1", "--out", "least.yaml"]);
    assert_eq!(status(&shrunk), 0, "{}", err(&shrunk));
    let text = out(&shrunk);
    assert!(text.contains("to   1 host, 1 fault"), "{text}");
    assert!(text.contains("{at: 4s, kill: client"), "{text}");
    assert!(text.contains("hosts client; calm networks"), "{text}");
    let least = fs::read_to_string(dir.path().join("least.yaml")).unwrap();
    assert!(least.contains("kill: client"), "{least}");
    assert_eq!(status(&snowglobe(dir.path(), &["run", "least.yaml"])), 1);
}

/// A world whose program claims two things that some run must make true: that it draws a byte above 200, and one that it never
/// reaches; and one that every run must keep.
fn claims(least: u32) -> String {
    let entry = |kind: &str, hit: bool, condition: &str, message: &str| {
        format!(
            r#"{{"antithesis_assert":{{"assert_type":"{kind}","display_type":"x","hit":{hit},"condition":{condition},"must_hit":true,"message":"{message}","id":"{message}","location":{{"file":"a.sh","begin_line":3}}}}}}"#
        )
    };
    format!(
        "services:
  one: {{command: sleep 9}}
  client:
    command:
      - sh
      - -c
      - |
        n=$$(od -An -N1 -tu1 /dev/urandom); high=false; test $$n -gt {least} && high=true
        cat >> $$ANTITHESIS_SDK_LOCAL_OUTPUT << END
        {}
        {}
        {}
        END
    x-snowglobe: {{check: true}}
x-snowglobe:
  until: 4s
  faults: {{timeline: [{{at: 3s, kill: client}}, {{at: 1s, for: 1s, pause: one}}]}}
",
        entry("sometimes", true, "$$high", "draws a high byte"),
        entry("reachability", false, "false", "reaches the moon").replace("\"x\"", "\"Reachable\""),
        entry("always", true, "true", "keeps its word"),
    )
}

#[test]
fn what_some_run_must_make_true_is_judged_over_all_runs() {
    let dir = folder(&claims(180));
    let (code, few) = explore(dir.path(), &["--seeds", "1..20", "--shard", "1/2"]);
    // The other shard may reach it.
    assert_eq!((code, &few["runs"]["passed"]), (2, &10.into()), "{few}");
    let (code, all) = explore(dir.path(), &["--seeds", "1..20", "--shard", "2/2"]);
    assert_eq!(code, 1, "{all}");
    let verdicts: Vec<(&str, &str)> = all["assertions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["message"].as_str().unwrap(), a["verdict"].as_str().unwrap()))
        .collect();
    let want = [("keeps its word", "holds"), ("reaches the moon", "missing"), ("draws a high byte", "holds")];
    assert_eq!(verdicts, want, "{all}");
    let sometimes = &all["assertions"][2];
    assert_eq!(sometimes["runs"], 20);
    assert!(sometimes["first_seed_held"].is_u64() && sometimes["fails"].as_u64() > Some(0), "{sometimes}");
    // A kill of what has ended hit nothing, and is told.
    let text = out(&snowglobe(dir.path(), &["explore", "w.yaml", "--seeds", "1..20"]));
    assert!(text.contains("assertions: 2 hold, 0 broken, 1 not seen yet"), "{text}");
    assert!(text.contains("in none of 20 runs: reachable was never reached: reaches the moon"), "{text}");
    assert!(text.contains("20 faults of kind `kill` disturbed nothing (20 runs)"), "{text}");
    assert!(!text.contains("kind `pause`"), "{text}");
}

#[test]
fn what_cannot_be_explored_is_said_at_once() {
    let dir = folder(&world(0, ""));
    for (args, what) in [
        (&["explore", "w.yaml", "--seeds", "9..1"][..], "9 is greater than 1"),
        (&["explore", "w.yaml", "--seeds", "many"], "is not a seed"),
        (&["explore", "w.yaml", "--shard", "3/2"], "is not a shard"),
        (&["explore", "w.yaml", "-j", "0"], "0 is not in 1..=4096"),
        (&["explore", "nowhere.yaml"], "cannot read nowhere.yaml"),
        (&["retest", "g1"], "there is no group `g1`"),
        (&["retest", "g1", "--confidence", "1.5"], "is not a confidence"),
        (&["shrink", "g7"], "there is no group `g7`"),
        (&["shrink", "latest"], "there is no run yet"),
    ] {
        let output = snowglobe(dir.path(), args);
        assert_eq!(status(&output), 254, "{args:?}: {}", err(&output));
        assert!(err(&output).contains(what), "{args:?}: {}", err(&output));
    }
    fs::create_dir_all(dir.path().join(".snowglobe")).unwrap();
    fs::write(dir.path().join(".snowglobe/explore.db"), vec![b'x'; 4096]).unwrap();
    let output = snowglobe(dir.path(), &["explore", "w.yaml", "--seeds", "1..2"]);
    assert_eq!(status(&output), 255, "{}", err(&output));
    assert!(err(&output).contains("move it away"), "{}", err(&output));
}

#[test]
fn two_explorers_of_one_world_in_one_folder_do_not_do_the_same_twice() {
    let dir = folder(&world(0, ""));
    explore(dir.path(), &["--seeds", "1"]);
    let mut first =
        command(dir.path(), &["explore", "w.yaml", "--seeds", "1..1000000"]).stderr(Stdio::piped()).spawn().unwrap();
    // What it tells of its progress it tells when the folder is its own.
    let _progress = until_it_says(&mut first, |line| line.contains("seeds"));
    let second = snowglobe(dir.path(), &["explore", "w.yaml", "--seeds", "1..5"]);
    let pid = rustix::process::Pid::from_child(&first);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    first.wait().unwrap();
    assert_eq!(status(&second), 254, "{}", err(&second));
    assert!(err(&second).contains("another snowglobe explores"), "{}", err(&second));
}
