//! Files that were right until somebody changed them: by pieces of their structure, and by bytes.
//!
//! `SNOWGLOBE_FUZZ_CASES=1000000` makes a long run of it.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use snowglobe_abi::trace::{Encoder, Kind};
use snowglobe_world::rundir::{FORMAT, Layout, RunRecord, Store, Verdict};
use snowglobe_world::trace::{Scanner, StreamCheck, TraceError, TraceReader};
use snowglobe_world::{EXAMPLE, Problem, resolved};

use crate::parse_in;

fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("SNOWGLOBE_FUZZ_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), ..ProptestConfig::default() }
}

/// A world that uses most of what there is.
const WORLD: &str = "
name: ${NAME:-all}
x-common: &common
  environment: {A: 1, B: 'two $$'}
  restart: on-failure:3
x-snowglobe: {seed: 7, until: 90s, latency: 2ms, cpus: 4, memory: 2G, max_tasks: 100, start: 2027-01-01T00:00:00Z}
networks:
  front: {ipam: {config: [{subnet: 10.5.0.0/24}]}}
  back:
volumes: {data: , logs: {}}
services:
  db:
    <<: *common
    command: [\"sh\", \"-c\", \"sleep 1\"]
    networks: {front: {ipv4_address: 10.5.0.9, aliases: [store]}, back: {}}
    volumes: ['data:/d', '/etc:/e:ro', {type: tmpfs, target: /t}]
    healthcheck: {test: [CMD, 'true'], interval: 1s, timeout: 3s, retries: 2, start_period: 500ms}
    stop_signal: SIGINT
    stop_grace_period: 5s
    init: true
  web:
    command: sleep ${N:-5}
    user: '0:0'
    working_dir: /
    scale: 3
    tmpfs: [/x]
    depends_on: {db: {condition: service_healthy}}
    networks: [back]
    x-snowglobe: {check: true}
";

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Cut(Index, usize),
    Repeat(Index, Index, u8),
    DropLine(Index),
    SwapLines(Index, Index),
    Indent(Index, usize),
    Insert(Index, String),
    Value(Index, String),
    End(Index),
}

/// Pieces that mean something where they do not belong, and values at the edges.
fn odd() -> impl Strategy<Value = String> {
    let pieces = [
        "*common",
        "&common ",
        "<<: *common",
        "!!binary ",
        "? ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "'",
        "\"",
        "|\n",
        "# ",
        "${",
        "${A:?}",
        "$$",
        "~",
        "null",
        "true",
        "-1",
        "0",
        "4294967296",
        "18446744073709551616",
        "1e999",
        ".nan",
        "0x7fffffffffffffff",
        "99999999999h",
        "18446744073709551615ns",
        "255.255.255.255",
        "0.0.0.0/0",
        "10.0.0.0/33",
        "/",
        "..",
        "\u{0}",
        "\u{feff}",
        "\u{2028}",
        "\t",
        "\r\n",
        "---\n",
        "...\n",
        "%YAML 9.9\n",
        "services",
        "a: {b: {c: {d: {e: {f: {g: h}}}}}}",
        "[[[[[[[[[[[[[[[[[[[[",
    ];
    prop_oneof![4 => select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (at(), 1..40usize).prop_map(|(at, n)| Change::Cut(at, n)),
        (at(), at(), 1..30u8).prop_map(|(from, to, n)| Change::Repeat(from, to, n)),
        at().prop_map(Change::DropLine),
        (at(), at()).prop_map(|(a, b)| Change::SwapLines(a, b)),
        (at(), 0..9usize).prop_map(|(at, n)| Change::Indent(at, n)),
        (at(), odd()).prop_map(|(at, text)| Change::Insert(at, text)),
        (at(), odd()).prop_map(|(at, text)| Change::Value(at, text)),
        at().prop_map(Change::End),
    ]
}

fn changed(text: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        let count = lines.len();
        let len = bytes.len().max(1);
        match change {
            Change::Byte(at, byte) if !bytes.is_empty() => bytes[at.index(len)] = *byte,
            Change::Byte(..) => {}
            Change::Cut(at, n) => {
                let at = at.index(len).min(bytes.len());
                bytes.drain(at..(at + n).min(bytes.len()));
            }
            Change::Repeat(from, to, n) => {
                let (a, b) = (from.index(count), to.index(count));
                let block = lines[a.min(b)..=a.max(b)].join(&b'\n');
                let block = [block, b"\n".to_vec()].concat();
                // Within bounds: repeated repetitions grow fast.
                let n = usize::from(*n).min(100_000 / block.len().max(1));
                lines.insert(a, block.repeat(n));
                bytes = lines.join(&b'\n');
            }
            Change::DropLine(at) => {
                lines.remove(at.index(count));
                bytes = lines.join(&b'\n');
            }
            Change::SwapLines(a, b) => {
                lines.swap(a.index(count), b.index(count));
                bytes = lines.join(&b'\n');
            }
            Change::Indent(at, n) => {
                let line = &mut lines[at.index(count)];
                let text = line.trim_ascii_start().to_vec();
                *line = [vec![b' '; *n], text].concat();
                bytes = lines.join(&b'\n');
            }
            Change::Insert(at, text) => {
                let at = at.index(len).min(bytes.len());
                bytes.splice(at..at, text.bytes());
            }
            Change::Value(at, text) => {
                let line = &mut lines[at.index(count)];
                if let Some(colon) = line.iter().position(|b| *b == b':') {
                    line.truncate(colon + 1);
                    line.push(b' ');
                    line.extend(text.bytes());
                }
                bytes = lines.join(&b'\n');
            }
            Change::End(at) => bytes.truncate(at.index(len)),
        }
    }
    bytes
}

/// A problem of a file says where in it, or that it is the whole file.
fn has_place(problem: &Problem, lines: usize) -> bool {
    match problem.place() {
        Some(place) => place.line >= 1 && place.line <= lines.max(1) && place.column >= 1,
        None => problem.message().contains("world.yaml"),
    }
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_world_file_that_was_changed_is_a_world_or_has_errors_with_places(
        whole in any::<bool>(),
        changes in vec(change(), 1..6),
    ) {
        let bytes = changed(if whole { WORLD } else { EXAMPLE }, &changes);
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = parse_in("/nonexistent".as_ref(), &text) {
            prop_assert!(!error.problems.is_empty());
            for problem in &error.problems {
                prop_assert!(has_place(problem, text.split('\n').count()), "{problem:?}\n{text}");
            }
        }
    }

    #[test]
    fn a_resolved_world_that_was_changed_never_stops_its_reader(changes in vec(change(), 1..6)) {
        let whole = resolved::to_yaml(&crate::world(WORLD));
        let bytes = changed(&whole, &changes);
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = resolved::from_yaml("world.yaml", &text) {
            for problem in error.problems {
                prop_assert!(has_place(&problem, text.split('\n').count()), "{problem:?}\n{text}");
            }
        }
    }

    #[test]
    fn a_run_record_that_was_changed_is_read_or_refused_with_its_place(
        changes in vec(change(), 0..5),
        nodes in vec((any::<Index>(), select(vec![json!(null), json!(-1), json!(1e300), json!(u64::MAX), json!([]), json!({"a": 1}), json!("x")])), 0..3),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let run = Store::of(dir.path()).create("demo").unwrap();
        let mut value = serde_json::to_value(record()).unwrap();
        for (at, node) in &nodes {
            replace(&mut value, at, node);
        }
        let bytes = changed(&serde_json::to_string_pretty(&value).unwrap(), &changes);
        fs::write(run.path.join("run.json"), &bytes).unwrap();
        if let Err(problem) = run.record() {
            let text = problem.to_string();
            let has_place = text.contains("line ") && text.contains(" column ") || text.contains("its format is ");
            prop_assert!(text.contains("run.json") && has_place, "{text}");
        }
    }

    #[test]
    fn a_trace_that_was_changed_is_read_up_to_an_error_that_names_its_place(
        changes in vec((any::<Index>(), 0..4u8, any::<u8>()), 1..6),
        pieces in 1..300usize,
    ) {
        let whole = stream();
        let mut bytes = whole.clone();
        for (at, how, byte) in &changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            match how {
                0 if at < bytes.len() => bytes[at] = *byte,
                1 => bytes.insert(at, *byte),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                _ => {}
            }
        }
        let same = whole.iter().zip(&bytes).take_while(|(a, b)| a == b).count() as u64;
        let len = bytes.len() as u64;
        let mut good = 0u64;
        for event in TraceReader::new(&bytes[..]) {
            match event {
                Ok(_) => good += 1,
                Err(TraceError::Damaged(at)) => prop_assert!(at < len && at + MAX >= same, "{at} of {len}, the same to {same}"),
                Err(TraceError::Cut(at)) => prop_assert!(at <= len && at + MAX >= same.min(len), "{at} of {len}"),
                Err(TraceError::Io(e)) => prop_assert!(false, "{e}"),
            }
        }
        prop_assert!(good <= len);
        // Who looks at few records finds the same damage at the same place, or none.
        let mut scanner = Scanner::default();
        for piece in bytes.chunks(pieces) {
            match scanner.feed(piece, |_, _| {}) {
                Ok(()) => {}
                Err(TraceError::Damaged(at)) => {
                    prop_assert!(at < len && at + MAX >= same, "{at} of {len}, the same to {same}");
                    break;
                }
                Err(e) => prop_assert!(false, "{e}"),
            }
        }
        let mut check = StreamCheck::new(TraceReader::new(&bytes[..])).unfinished();
        let _ = check.feed(&whole).and_then(|_| check.finish());
    }

    #[test]
    fn a_trace_file_that_was_changed_never_stops_its_reader(changes in vec((any::<Index>(), any::<u8>()), 1..6), end in any::<Index>()) {
        let dir = tempfile::tempdir().unwrap();
        let run = Store::of(dir.path()).create("demo").unwrap();
        let mut bytes = crate::packed(&stream());
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(end.index(bytes.len() * 2));
        fs::write(run.trace_path(), &bytes).unwrap();
        let mut last = None;
        for event in run.trace().unwrap() {
            prop_assert!(last.is_none(), "nothing comes after an error");
            last = event.err();
        }
        prop_assert!(!matches!(last, Some(TraceError::Io(_))), "{last:?}");
    }
}

/// Longest record with its length.
const MAX: u64 = 4098;

/// Replaces one value somewhere in a tree.
fn replace(value: &mut Value, at: &Index, new: &Value) {
    let len = match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    };
    if len == 0 {
        *value = new.clone();
        return;
    }
    let i = at.index(len);
    let child = match value {
        Value::Object(map) => map.values_mut().nth(i),
        Value::Array(list) => list.get_mut(i),
        _ => None,
    };
    match child {
        Some(child) if child.is_object() || child.is_array() => replace(child, at, new),
        Some(child) => *child = new.clone(),
        None => {}
    }
}

fn record() -> RunRecord {
    RunRecord {
        format: FORMAT,
        run: "0001-demo".into(),
        snowglobe: "0.1.0".into(),
        began: "2026-11-23T00:00:00Z".into(),
        world: Some("w.yaml".into()),
        command: "snowglobe run w.yaml".into(),
        reproduce: "snowglobe replay 0001-demo".into(),
        layout: Layout::Layer,
        seed: 7,
        verdict: Verdict::Failed,
        reason: "a ended with status 1 \u{2026}".into(),
        exit_status: 1,
        digest: "00ff".into(),
        virtual_ns: 1,
        wall_ns: 2,
        events: 3,
        calls: 4,
        hosts: vec![snowglobe_world::rundir::HostRecord { name: "a".into(), addresses: vec!["10.0.1.2".into()] }],
        processes: Vec::new(),
        unsupported: Vec::new(),
        binaries: Vec::new(),
        learned: vec![snowglobe_abi::spec::YieldPoint { file: "/bin/a".into(), offset: 9, made: None }],
        checks: Default::default(),
    }
}

/// Records of every kind, short and long.
fn stream() -> Vec<u8> {
    let mut out = Vec::new();
    for kind in (0..=u8::MAX).filter_map(Kind::from_u8) {
        for (nums, blob) in [(0u32, 0), (2, 5), (4, 200), (7, 4000)] {
            // A BEGIN says at least which call it is.
            let nums = if kind == Kind::Begin { nums.max(1) } else { nums };
            let mut encoder = Encoder::new();
            encoder.begin(kind, u64::from(nums) << 40, nums);
            for n in 0..nums {
                encoder.num(u64::from(n) << (9 * n));
            }
            if blob > 0 {
                encoder.blob(&vec![b'x'; blob]);
            }
            match kind {
                // To this one a return is added where it is short enough.
                Kind::Begin => encoder.finish_open(),
                _ => encoder.finish(),
            }
            if encoder.is_open() {
                encoder.add_return(u64::from(nums)).finish();
            }
            out.extend_from_slice(encoder.records());
        }
    }
    out
}
