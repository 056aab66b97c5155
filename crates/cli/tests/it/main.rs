//! The command from outside: here what it says of runs, elsewhere what it makes of bad input and how runs end.

mod bad_input;
mod endings;
mod explore;
mod hosts;
mod images;
mod interruptions;
mod links;
mod sockets;
mod traditional;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;
use snowglobe_abi::trace::{Encoder, Kind, zigzag};
use snowglobe_world::rundir::{FORMAT, HostRecord, Layout, ProcessRecord, Recorder, RunDir, RunRecord, Store, Verdict};
use snowglobe_world::trace::{TraceWriter, hex};
use tempfile::TempDir;

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snowglobe"));
    command.args(args).current_dir(dir).stdin(Stdio::null());
    command
}

fn snowglobe(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", out(output)))
}

/// A record: its kind, time since the one before, task, numbers and blobs.
type Row<'a> = (Kind, u64, u32, &'a [u64], &'a [&'a [u8]]);

/// A stream of these records.
fn records(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, dt, task, nums, blobs) in rows {
        let mut encoder = Encoder::new();
        encoder.begin(*kind, *dt, *task);
        for num in *nums {
            encoder.num(*num);
        }
        for blob in *blobs {
            encoder.blob(blob);
        }
        encoder.finish();
        out.extend_from_slice(encoder.records());
    }
    out
}

/// A stream of two hosts: one opens a file, the other spins in a call that is unknown and is killed.
fn stream() -> Vec<u8> {
    records(&[
        (Kind::Host, 0, 0, &[0, 1], &[b"db"]),
        (Kind::Spawn, 0, 1, &[0, 100, 100, 0], &[b"server"]),
        (Kind::Spawn, 0, 2, &[1, 100, 100, 0], &[b"client"]),
        (Kind::Spawn, 0, 3, &[1, 100, 101, 3], &[b"client"]),
        (Kind::Begin, 500, 1, &[257, 0xffff_ff9c, 0x7fff_0000_0000, 0, 0], &[b"/etc/hosts"]),
        (Kind::Return, 500, 1, &[257, zigzag(3)], &[]),
        (Kind::Begin, 0, 3, &[35, 0x7fff_0000_1000, 0], &[]),
        (Kind::Block, 0, 3, &[35, 5_000_001_000], &[]),
        (Kind::Unsupported, 0, 2, &[425], &[b"client, libc+0x10"]),
        (Kind::Wake, 5_000_000_000, 3, &[], &[]),
        (Kind::Return, 0, 3, &[35, zigzag(-4)], &[]),
        (Kind::Signal, 0, 2, &[15, zigzag(-6), 0], &[]),
        (Kind::Output, 0, 1, &[0, 1, 0], &[b"ready\n"]),
        (Kind::Exit, 0, 2, &[15], &[]),
    ])
}

/// A working directory with a run in it that looks as if it had been made.
fn recorded(stream: &[u8], verdict: Verdict) -> (TempDir, RunDir) {
    let dir = tempfile::tempdir().unwrap();
    let run = Store::of(dir.path()).create("demo").unwrap();
    let hosts = ["db", "client"].map(str::to_owned).to_vec();
    let mut recorder = Recorder::new(&run, hosts.clone()).unwrap();
    recorder.feed(stream).unwrap();
    let trace = recorder.finish().unwrap().trace;
    let record = RunRecord {
        format: FORMAT,
        run: run.id.clone(),
        snowglobe: "0.1.0".into(),
        began: "2026-11-23T00:00:00Z".into(),
        world: Some("demo.yaml".into()),
        command: "snowglobe run --seed 7 demo.yaml".into(),
        reproduce: format!("snowglobe replay {}", run.id),
        layout: Layout::Layer,
        seed: 7,
        verdict,
        reason: "client ended with killed by SIGTERM".into(),
        exit_status: 1,
        digest: hex(&trace.digest),
        virtual_ns: 5_000_001_000,
        wall_ns: 2_000_000,
        events: 14,
        calls: 2,
        hosts: hosts.iter().map(|name| HostRecord { name: name.clone(), addresses: vec!["10.0.1.2".into()] }).collect(),
        processes: vec![ProcessRecord {
            host: "client".into(),
            name: "client".into(),
            pid: 100,
            exit_status: Some(143),
            check: true,
        }],
        unsupported: Vec::new(),
        binaries: Vec::new(),
        learned: Vec::new(),
        checks: Default::default(),
    };
    run.write_record(&record).unwrap();
    (dir, run)
}

#[test]
fn bad_arguments_exit_with_254_and_help_with_0() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["frobnicate"][..],
        &["run"],
        &["run", "--seed", "x", "w.yaml"],
        &["run", "--until", "60", "w.yaml"],
        &["trace", "--pid", "x"],
    ] {
        let output = snowglobe(dir.path(), args);
        assert_eq!((status(&output), out(&output).as_str()), (254, ""), "{args:?}");
        assert!(!err(&output).is_empty());
    }
    for args in [&["--help"][..], &["--version"], &["run", "--help"], &["help", "trace"]] {
        assert_eq!(status(&snowglobe(dir.path(), args)), 0, "{args:?}");
    }
}

#[test]
fn a_world_file_that_is_wrong_exits_with_254_and_shows_the_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("w.yaml"), "services:\n  a:\n    comand: sleep 1\n").unwrap();
    for command in ["validate", "run", "verify"] {
        let output = snowglobe(dir.path(), &[command, "w.yaml"]);
        assert_eq!(status(&output), 254, "{command}");
        let text = err(&output);
        for want in ["unknown key `comand`", "[w.yaml:3:5]", "comand: sleep 1", "did you mean `command`?"] {
            assert!(text.contains(want), "{command}: {want} in {text}");
        }
    }
    let output = snowglobe(dir.path(), &["validate", "--json", "w.yaml"]);
    let object = json(&output);
    assert_eq!((&object["valid"], &object["problems"][0]["line"]), (&Value::from(false), &Value::from(3)));
    assert!(!dir.path().join(".snowglobe/runs").exists(), "what is not run leaves nothing behind");
    assert_eq!(status(&snowglobe(dir.path(), &["run", "none.yaml"])), 254);
    assert_eq!(status(&snowglobe(dir.path(), &["run", "--", "no-such-program"])), 254);
}

#[test]
fn init_writes_an_example_that_validates_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(status(&snowglobe(dir.path(), &["init"])), 0);
    fs::write(dir.path().join("mine.yaml"), "precious").unwrap();
    let output = snowglobe(dir.path(), &["init", "mine.yaml"]);
    assert_eq!(status(&output), 254);
    assert!(err(&output).contains("--force"));
    assert_eq!(fs::read_to_string(dir.path().join("mine.yaml")).unwrap(), "precious");
    assert_eq!(status(&snowglobe(dir.path(), &["init", "--force", "mine.yaml"])), 0);
    // A small world that every machine can run.
    fs::write(dir.path().join("w.yaml"), "services: {a: {command: sleep 1}}\n").unwrap();
    let output = snowglobe(dir.path(), &["validate", "w.yaml"]);
    assert!(out(&output).contains("10.0.1.2"), "{}", out(&output));
    let resolved = out(&snowglobe(dir.path(), &["validate", "--resolved", "w.yaml"]));
    fs::write(dir.path().join("again.yaml"), &resolved).unwrap();
    assert_eq!(out(&snowglobe(dir.path(), &["validate", "--resolved", "again.yaml"])), resolved);
}

#[test]
fn a_trace_is_printed_in_the_manner_of_strace() {
    let (dir, _) = recorded(&stream(), Verdict::Failed);
    let output = snowglobe(dir.path(), &["trace"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let want = r#"      0.000000000 db               host    db up
      0.000000000 db/100           spawn   pid 100 tid 100 "server"
      0.000000000 client/100       spawn   pid 100 tid 100 "client"
      0.000000000 client/100.101   spawn   pid 100 tid 101 "client" by task 2
      0.000000500 db/100           openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3
      0.000001000 client/100.101   nanosleep(0x7fff00001000, NULL <unfinished ...>
      0.000001000 client/100       unsupported io_uring_setup client, libc+0x10
      5.000001000 client/100.101   <... nanosleep resumed>)                = -1 EINTR (Interrupted system call)
      5.000001000 client/100       --- SIGTERM {si_signo=SIGTERM, si_code=SI_TKILL} ---
      5.000001000 db/100           output  stdout "ready\n"
      5.000001000 client/100       +++ killed by SIGTERM +++
"#;
    assert_eq!(out(&output), want);
    // For one thread alone there is nothing between the ends of its call.
    let alone = out(&snowglobe(dir.path(), &["trace", "--call", "nanosleep"]));
    assert_eq!(
        alone,
        "      0.000001000 client/100.101   nanosleep(0x7fff00001000, NULL)         = -1 EINTR (Interrupted system call)\n"
    );
}

#[test]
fn every_event_of_a_trace_can_have_a_line() {
    let (dir, _) = recorded(&stream(), Verdict::Failed);
    let output = snowglobe(dir.path(), &["trace", "--events"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let want = r#"      0.000000000 db               host    db up
      0.000000000 db/100           spawn   pid 100 tid 100 "server"
      0.000000000 client/100       spawn   pid 100 tid 100 "client"
      0.000000000 client/100.101   spawn   pid 100 tid 101 "client" by task 2
      0.000000500 db/100           BEGIN   openat(AT_FDCWD, "/etc/hosts", O_RDONLY)
      0.000001000 db/100           RETURN  openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3
      0.000001000 client/100.101   BEGIN   nanosleep(0x7fff00001000, NULL)
      0.000001000 client/100.101   block   nanosleep until 5.000001000
      0.000001000 client/100       unsupported io_uring_setup client, libc+0x10
      5.000001000 client/100.101   wake    nanosleep
      5.000001000 client/100.101   RETURN  nanosleep(0x7fff00001000, NULL) = -1 EINTR (Interrupted system call)
      5.000001000 client/100       signal  SIGTERM SI_TKILL (default action)
      5.000001000 db/100           output  stdout "ready\n"
      5.000001000 client/100       exit    killed by SIGTERM
"#;
    assert_eq!(out(&output), want);
    assert_eq!(status(&snowglobe(dir.path(), &["trace", "--events", "--json"])), 254);
}

#[test]
fn calls_that_wait_are_replaced_or_never_return_read_as_in_strace() {
    let list: &[Row] = &[
        (Kind::Spawn, 0, 1, &[0, 1, 1, 0], &[b"sh"]),
        (Kind::Spawn, 0, 2, &[0, 2, 2, 2], &[b"sh"]),
        // A read that waits: its data is told when it comes.
        (Kind::Begin, 100, 1, &[0, 3, 0x7fff_0000_0000, 64], &[]),
        (Kind::Block, 0, 1, &[0, 0], &[]),
        // A write with what happens within it.
        (Kind::Begin, 100, 2, &[1, 4, 0x7fff_0000_0000, 3], &[b"abc"]),
        (Kind::Output, 0, 2, &[0, 1, 0], &[b"abc"]),
        (Kind::Wake, 0, 1, &[], &[]),
        (Kind::Return, 0, 2, &[1, zigzag(3)], &[]),
        (Kind::Return, 0, 1, &[0, zigzag(3)], &[b"abc"]),
        // A program in place of the caller's.
        (Kind::Begin, 100, 2, &[59, 0x7fff_0000_0000, 0x10, 0x20], &[b"/bin/true"]),
        (Kind::Exec, 0, 2, &[], &[b"/bin/true"]),
        (Kind::Begin, 100, 2, &[231, 0], &[]),
        (Kind::Exit, 0, 2, &[0], &[]),
        // A signal comes before the end of the call that it interrupts; then the world ends.
        (Kind::Begin, 100, 1, &[34], &[]),
        (Kind::Block, 0, 1, &[34, 0], &[]),
        (Kind::Return, 100, 1, &[34, zigzag(-4)], &[]),
        (Kind::Signal, 0, 1, &[17, zigzag(1), 0x40_0000], &[]),
        (Kind::Begin, 100, 1, &[15], &[]),
        (Kind::Begin, 100, 1, &[35, 0x10, 0], &[]),
        (Kind::Block, 0, 1, &[35, 0], &[]),
    ];
    let (dir, _) = recorded(&records(list), Verdict::Failed);
    let want = r#"      0.000000000 db/1             spawn   pid 1 tid 1 "sh"
      0.000000000 db/2             spawn   pid 2 tid 2 "sh" by task 1
      0.000000100 db/1             read(3,  <unfinished ...>
      0.000000200 db/2             write(4, "abc", 3)                      = 3
      0.000000200 db/2             output  stdout "abc"
      0.000000200 db/1             <... read resumed>"abc", 64)            = 3
      0.000000300 db/2             execve("/bin/true", 0x10, 0x20)         = 0
      0.000000400 db/2             exit_group(0)                           = ?
      0.000000400 db/2             +++ exited with 0 +++
      0.000000500 db/1             pause()                                 = -1 EINTR (Interrupted system call)
      0.000000600 db/1             --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---
      0.000000700 db/1             rt_sigreturn()                          = ?
      0.000000800 db/1             nanosleep(0x10, NULL <unfinished ...>
"#;
    assert_eq!(out(&snowglobe(dir.path(), &["trace"])), want);
}

#[test]
fn a_trace_is_filtered_by_host_process_call_and_time() {
    let (dir, _) = recorded(&stream(), Verdict::Failed);
    let count = |args: &[&str]| {
        let output = snowglobe(dir.path(), &[&["trace", "latest", "--events"], args].concat());
        assert_eq!(status(&output), 0, "{}", err(&output));
        out(&output).lines().count()
    };
    assert_eq!(count(&["--host", "db"]), 5);
    assert_eq!(count(&["--host", "db,client"]), 14);
    assert_eq!(count(&["--pid", "100", "--host", "client"]), 9);
    assert_eq!(count(&["--pid", "7"]), 0);
    assert_eq!(count(&["--call", "openat"]), 2);
    assert_eq!(count(&["--call", "nanosleep,openat"]), 6);
    assert_eq!(count(&["--from", "1s"]), 5);
    assert_eq!(count(&["--from", "500ns", "--to", "1us"]), 5);
    for (args, want) in [
        (&["--host", "dbb"][..], "did you mean `db`?"),
        (&["--call", "opemat"], "did you mean `openat`?"),
        (&["--from", "2s", "--to", "1s"], "--to is before --from"),
    ] {
        let output = snowglobe(dir.path(), &[&["trace", "1"], args].concat());
        assert_eq!(status(&output), 254);
        assert!(err(&output).contains(want), "{}", err(&output));
    }
}

#[test]
fn a_trace_as_json_has_an_object_on_each_line() {
    let (dir, _) = recorded(&stream(), Verdict::Failed);
    let output = snowglobe(dir.path(), &["trace", "--json", "--call", "openat"]);
    let lines: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let want = [
        r#"{"event":4,"time_ns":500,"kind":"BEGIN","host":"db","pid":100,"tid":100,"program":"server","call":"openat","nr":257,
            "args":[4294967196,140733193388032,0,0],"shown":["AT_FDCWD","\"/etc/hosts\"","O_RDONLY"],
            "text":"openat(AT_FDCWD, \"/etc/hosts\", O_RDONLY)"}"#,
        r#"{"event":5,"time_ns":1000,"kind":"RETURN","host":"db","pid":100,"tid":100,"program":"server","call":"openat","nr":257,
            "args":[4294967196,140733193388032,0,0],"shown":["AT_FDCWD","\"/etc/hosts\"","O_RDONLY"],"value":3,"error":null,
            "text":"openat(AT_FDCWD, \"/etc/hosts\", O_RDONLY) = 3"}"#,
    ];
    assert_eq!(lines, want.map(|line| serde_json::from_str::<Value>(line).unwrap()));
    let rest = out(&snowglobe(dir.path(), &["trace", "--json", "--host", "client"]));
    let line = |kind: &str| {
        let mut lines = rest.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.find(|line| line["kind"] == kind).unwrap()
    };
    assert_eq!(line("block")["deadline_ns"], 5_000_001_000_u64);
    assert_eq!((&line("RETURN")["value"], &line("RETURN")["error"]), (&Value::from(-4), &Value::from("EINTR")));
    assert_eq!((&line("signal")["signal"], &line("signal")["code"]), (&Value::from("SIGTERM"), &Value::from(-6)));
    assert_eq!(line("exit")["status"], 15);
}

#[test]
fn verify_names_the_first_call_that_differs_with_its_arguments_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let (file, next) = (dir.path().join("counter"), dir.path().join("next"));
    let write = |n: u64| {
        fs::write(&next, format!("{n:012}")).unwrap();
        fs::rename(&next, &file).unwrap();
    };
    write(0);
    // The world reads a file of this machine that is another one in every run.
    let over = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1.. {
                if over.load(Relaxed) {
                    break;
                }
                write(n);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let output = snowglobe(dir.path(), &["verify", "--runs", "2", "--", "cat", file.to_str().unwrap()]);
        over.store(true, Relaxed);
        output
    });
    let told = err(&output);
    assert_eq!(status(&output), 3, "{told}");
    let (_, told) = told.split_once("is the first that differs").unwrap_or_else(|| panic!("{told}"));
    let (before, told) = told.split_once("0001-cat:").unwrap_or_else(|| panic!("{told}"));
    assert!(before.contains("BEGIN   read(3, 0x"), "{before}");
    let sides: Vec<&str> = told.lines().filter(|line| line.contains("RETURN  read(3, \"")).collect();
    assert_eq!(sides.len(), 2, "{told}");
    assert!(sides[0] != sides[1] && sides.iter().all(|side| side.ends_with(") = 12")), "{told}");
}

#[test]
fn replay_names_the_first_call_that_differs_from_the_record() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(status(&snowglobe(dir.path(), &["run", "--", "cat", "/dev/null"])), 0);
    let run = Store::of(dir.path()).open("latest").unwrap();
    // The same trace, but for the name of one file.
    let mut changed = 0;
    let mut stream = Vec::new();
    for event in run.trace().unwrap() {
        let mut record = event.unwrap().record;
        if record.kind == Kind::Begin && record.blobs.first().is_some_and(|blob| blob == b"/dev/null") {
            record.blobs[0] = b"/dev/zero".to_vec();
            changed += 1;
        }
        let blobs: Vec<&[u8]> = record.blobs.iter().map(Vec::as_slice).collect();
        stream.extend(records(&[(record.kind, record.dt, record.task, &record.nums, &blobs)]));
    }
    assert_eq!(changed, 1);
    fs::remove_file(run.trace_path()).unwrap();
    let mut writer = TraceWriter::create(&run.trace_path()).unwrap();
    writer.write(&stream).unwrap();
    writer.finish().unwrap();
    let output = snowglobe(dir.path(), &["replay", "1"]);
    let told = err(&output);
    assert_eq!(status(&output), 3, "{told}");
    for name in ["zero", "null"] {
        let call = format!("BEGIN   openat(AT_FDCWD, \"/dev/{name}\", O_RDONLY)");
        assert!(told.contains(&call), "{call} in {told}");
    }
}

#[test]
fn a_run_that_was_killed_shows_what_it_left() {
    let whole = stream();
    let (dir, _) = recorded(&whole[..whole.len() - 3], Verdict::Running);
    let output = snowglobe(dir.path(), &["trace"]);
    assert_eq!((status(&output), out(&output).lines().count()), (0, 10));
    assert!(err(&output).contains("ends early"), "{}", err(&output));
    let text = out(&snowglobe(dir.path(), &["show"]));
    assert!(text.contains("was killed"), "{text}");
}

#[test]
fn a_damaged_run_is_told_and_does_not_hide_the_others() {
    let (dir, run) = recorded(&stream(), Verdict::Passed);
    let second = Store::of(dir.path()).create("broken").unwrap();
    fs::write(second.path.join("run.json"), "{").unwrap();
    let output = snowglobe(dir.path(), &["ls"]);
    assert_eq!(status(&output), 0);
    assert!(out(&output).contains(&run.id) && err(&output).contains("0002-broken"));
    assert_eq!(status(&snowglobe(dir.path(), &["show", "2"])), 254);
    fs::write(run.trace_path(), b"rubbish").unwrap();
    let output = snowglobe(dir.path(), &["trace", "1"]);
    assert_eq!(status(&output), 255);
    assert!(err(&output).contains("damaged"), "{}", err(&output));
}

#[test]
fn runs_are_listed_and_summarised() {
    let (dir, run) = recorded(&stream(), Verdict::Failed);
    let listed = out(&snowglobe(dir.path(), &["ls"]));
    assert!(listed.starts_with("RUN "), "{listed}");
    for want in ["0001-demo", "failed", "5.000 s"] {
        assert!(listed.contains(want), "{want} in {listed}");
    }
    assert_eq!(json(&snowglobe(dir.path(), &["ls", "--json"]))["runs"][0]["run"], run.id);
    let shown = out(&snowglobe(dir.path(), &["show", "1"]));
    for want in ["snowglobe replay 0001-demo", "client ended with killed by SIGTERM", "status 143", "10.0.1.2"] {
        assert!(shown.contains(want), "{want} in {shown}");
    }
    assert_eq!(json(&snowglobe(dir.path(), &["show", "--json"]))["verdict"], "failed");
    let output = snowglobe(dir.path(), &["show", "9"]);
    assert_eq!(status(&output), 254);
    assert!(err(&output).contains("there is no run `9`"));
    let empty = tempfile::tempdir().unwrap();
    let output = snowglobe(empty.path(), &["ls"]);
    assert_eq!((status(&output), out(&output).as_str()), (0, ""));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let (dir, _) = recorded(&stream().repeat(20_000), Verdict::Passed);
    let mut child = command(dir.path(), &["trace"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), err(&output).as_str()), (0, ""));
}

#[test]
fn the_doctor_says_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let checks = json(&snowglobe(dir.path(), &["doctor", "--json"]));
    let names: Vec<&str> =
        checks["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    for want in ["architecture", "kernel", "seccomp", "PR_SET_TSC", "ARCH_SET_CPUID", "fsgsbase", "memfd", "cores"] {
        assert!(names.contains(&want), "{want}");
    }
}

#[test]
fn completions_and_chapters_are_made_from_the_definition() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = snowglobe(dir.path(), &["completions", shell]);
        assert!(status(&output) == 0 && out(&output).contains("verify"), "{shell}");
    }
    let chapter = out(&snowglobe(dir.path(), &["reference", "cli"]));
    assert!(chapter.contains("## `snowglobe verify`") && chapter.contains("--runs <N>"), "{chapter}");
    assert!(out(&snowglobe(dir.path(), &["reference", "world"])).contains("| `x-snowglobe` |"));
}
