//! The socket table of a run at any time, and its packets as a capture.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use snowglobe_abi::trace::Kind;
use snowglobe_world::rundir::Verdict;
use tempfile::TempDir;

use crate::{err, json, out, recorded, records, snowglobe, status};

/// Two hosts, a tenth of a second apart. A socket of each has each status at a known time.
const WORLD: &str = r#"
x-snowglobe: {latency: 100ms, until: 60s}
services:
  server:
    command:
      - python3
      - -c
      - |
        import socket, time
        def at(t): time.sleep(max(0, 1798761600 + t - time.time()))
        at(1); l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at(2); l.bind(("0.0.0.0", 7000))
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("0.0.0.0", 7001))
        at(3); l.listen(5)
        at(6); c, _ = l.accept()
        at(7); c.recv(2)
        at(8); c.recv(3); u.recv(100)
        at(9); c.shutdown(socket.SHUT_WR)
        at(12); c.close(); u.close()
        at(13); l.close()
        at(14)
  client:
    command:
      - python3
      - -c
      - |
        import socket, time
        def at(t): time.sleep(max(0, 1798761600 + t - time.time()))
        at(3); a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); a.send(b"one"); a.send(b"three")
        at(4); s = socket.socket(); s.connect(("server", 7000))
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.sendto(b"x" * 10, ("server", 7001)); u.sendto(b"y" * 2000, ("server", 7001)); u.sendto(b"z", ("server", 7009))
        at(5); s.send(b"hello"); s.setblocking(False)
        at(11); s.close()
"#;

fn run_world() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("w.yaml"), WORLD).unwrap();
    let output = snowglobe(dir.path(), &["run", "w.yaml"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    dir
}

/// The entries at a time.
fn entries(dir: &Path, at: &str) -> Vec<Value> {
    let output = snowglobe(dir, &["sockets", "--json", "--at", at]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    json(&output)["entries"].as_array().unwrap().clone()
}

/// The entry of a host whose local or remote address ends so.
fn one(dir: &Path, at: &str, host: &str, end: &str) -> Value {
    let ends = |e: &Value, side: &str| e[side]["address"].as_str().unwrap().ends_with(end);
    let mut found = entries(dir, at);
    found.retain(|e| e["host"] == host && (ends(e, "local") || ends(e, "remote")));
    assert_eq!(found.len(), 1, "{host} {end} at {at}: {found:#?}");
    found.remove(0)
}

#[test]
fn each_status_is_there_at_its_time() {
    let world = run_world();
    let dir = world.path();
    let statuses = |list: &[(&str, &str, &str, &str)]| {
        for (at, host, end, status) in list {
            assert_eq!(one(dir, at, host, end)["status"], *status, "{host} {end} at {at}");
        }
    };
    assert!(entries(dir, "500ms").is_empty());
    statuses(&[
        ("1.5s", "server", ":0", "unconnected"),
        ("2.5s", "server", ":7000", "bound"),
        ("3.5s", "server", ":7000", "listening"),
        ("4.15s", "client", ":7000", "connecting"),
        ("4.25s", "client", ":7000", "connected"),
        ("5.05s", "client", ":7000", "sending"),
        ("5.5s", "client", ":7000", "connected"),
        ("9.05s", "client", ":7000", "connected"),
        ("9.5s", "client", ":7000", "shutdown"),
        ("11.05s", "client", ":7000", "disconnected"),
    ]);
    // The server's end has its own ID, and the listening socket's port.
    let child = |at: &str| {
        let mut found = entries(dir, at);
        found.retain(|e| e["host"] == "server" && e["local"]["type"] == "stream" && e["status"] != "listening");
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    };
    for (at, status, receive) in [
        ("5.05s", "connected", 0),
        ("5.15s", "receiving", 5),
        ("7.5s", "receiving", 3),
        ("8.5s", "connected", 0),
        ("9.5s", "shutdown", 0),
        ("11.5s", "disconnected", 0),
    ] {
        let child = child(at);
        assert_eq!((&child["status"], &child["receive_queue"]["bytes"]), (&status.into(), &receive.into()), "{at}");
    }
    assert!(entries(dir, "13.5s").is_empty());
}

#[test]
fn an_entry_has_the_parts_of_the_drawing() {
    let world = run_world();
    let dir = world.path();
    let client = one(dir, "5.05s", "client", ":7000");
    let server = &entries(dir, "5.05s")
        .into_iter()
        .find(|e| e["host"] == "server" && e["local"]["id"] == client["remote"]["id"])
        .expect("the other end is an entry too");
    assert_eq!(client["local"]["protocol"], "tcp");
    assert_eq!(client["local"]["family"], "inet");
    assert_eq!(client["send_queue"]["bytes"], 5);
    assert_eq!(client["connection"]["network"], "default");
    assert_eq!(client["connection"]["latency_ns"], 100_000_000);
    assert_eq!(client["connection"]["other_end"], server["local"]["id"]);
    assert_eq!(client["connection"]["other_host"], "server");
    assert_eq!((&client["socket"]["pid"], &client["local"]["id"]), (&1.into(), &server["remote"]["id"]));
    assert!(client["socket"]["program"].as_str().unwrap().starts_with("python3"), "{client}");
    assert_eq!(client["remote"]["address"], server["local"]["address"]);
    assert_eq!(server["remote"]["address"], client["local"]["address"]);
    assert_eq!(server["local"]["options"]["SO_REUSEADDR"], "1");
    assert_eq!(client["remote"]["options"]["SO_REUSEADDR"], "1");
    assert_eq!(server["socket"], Value::Null);
    assert!(one(dir, "4.25s", "client", ":7000")["local"]["blocking"] == true);
    assert!(one(dir, "6.5s", "client", ":7000")["local"]["blocking"] == false);
    let listener = one(dir, "5.5s", "server", "0.0.0.0:7000");
    assert_eq!((&listener["connection"]["waiting"], &listener["local"]["event"][0]), (&1.into(), &"in".into()));
    let udp = one(dir, "7.5s", "server", ":7001");
    assert_eq!((&udp["receive_queue"]["bytes"], &udp["receive_queue"]["messages"]), (&2010.into(), &2.into()));
    let udp = one(dir, "8.5s", "server", ":7001");
    assert_eq!((&udp["receive_queue"]["bytes"], &udp["receive_queue"]["messages"]), (&2000.into(), &1.into()));
    let mut pair = entries(dir, "3.5s");
    pair.retain(|e| e["local"]["family"] == "unix");
    assert_eq!((pair.len(), &pair[1]["receive_queue"]["messages"]), (2, &2.into()));
    assert_eq!((&pair[0]["remote"]["id"], &pair[1]["local"]["event"][0]), (&pair[1]["local"]["id"], &"in".into()));
}

#[test]
fn the_table_reads_like_that_of_ss() {
    let world = run_world();
    let dir = world.path();
    let output = snowglobe(dir, &["sockets", "--at", "5.5s", "--host", "server"]);
    let text = out(&output);
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0][..5], ["HOST", "ID", "FAMILY", "TYPE", "PROTOCOL"], "{text}");
    let listening = lines.iter().find(|line| line.contains(&"listening")).expect("there is a listener");
    assert_eq!(listening[6..10], ["1", "0", "0.0.0.0:7000", "0.0.0.0:*"], "{text}");
    assert!(
        listening[10].starts_with("python3")
            && listening[10].contains(",pid=")
            && listening.contains(&"SO_REUSEADDR=1"),
        "{text}"
    );
    let receiving =
        lines.iter().find(|line| line.contains(&"receiving") && line.contains(&"tcp")).expect("it has bytes");
    assert!(receiving.contains(&"default") && receiving[6] == "5", "{text}");
    assert!(text.lines().skip(1).all(|line| line.starts_with("server")), "{text}");
}

#[test]
fn a_trace_can_be_asked_for_one_socket() {
    let world = run_world();
    let dir = world.path();
    let id = one(dir, "5.05s", "client", ":7000")["local"]["id"].to_string();
    let text = out(&snowglobe(dir, &["trace", "--events", "--socket", &id]));
    for want in ["connecting -> connected", "5 bytes to", "connected -> sending", "-> disconnected", "gone"] {
        assert!(text.contains(want), "{want}: {text}");
    }
    assert!(text.lines().all(|line| line.contains(&format!("socket {id}"))), "{text}");
    let moves = out(&snowglobe(dir, &["trace", "--json", "--socket", &id]));
    assert!(moves.contains(r#""new_status":"sending""#), "{moves}");
}

#[test]
fn times_hosts_and_runs_that_are_not_there_are_said_in_words() {
    let world = run_world();
    let dir = world.path();
    let said = |args: &[&str], want: &str, code: i32| {
        let output = snowglobe(dir, args);
        assert!(err(&output).contains(want) && status(&output) == code, "{args:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{args:?}");
    };
    said(&["sockets", "--at", "1ns"], "no socket had been made at 0.000000001", 0);
    said(&["sockets", "--at", "13.5s"], "the table is empty at 13.500000000", 0);
    said(&["sockets", "--at", "2h"], "the last event of the run is at 1", 0);
    said(&["sockets", "--host", "nobody"], "one of `server`, `client`", 254);
    said(&["sockets", "7"], "there is no run `7`", 254);
    said(&["sockets", "--at", "soon"], "soon", 254);
}

/// A stream in which one socket is made and bound, and then more is said of the world.
fn bound() -> Vec<u8> {
    let made = [1, 0, 2, 1, 6, 1, 100, 3, 0, 0, 0, 0];
    records(&[
        (Kind::Spawn, 0, 1, &[0, 100, 100, 0], &[b"server"]),
        (Kind::Socket, 500, 0, &made, &[b"0.0.0.0:0", b"0.0.0.0:0"]),
        (Kind::Socket, 500, 0, &made, &[b"0.0.0.0:80", b"0.0.0.0:0"]),
        (Kind::Status, 0, 0, &[1, 0, 1], &[]),
        (Kind::Note, 1_000_000, 0, &[], &[b"later"]),
    ])
}

#[test]
fn a_run_that_was_cut_has_its_table_as_far_as_it_goes() {
    let stream = bound();
    let (dir, run) = recorded(&stream[..stream.len() - 3], Verdict::Killed);
    fs::write(run.world_path(), resolved_world()).unwrap();
    let mut record = run.record().unwrap();
    record.digest = String::new();
    run.write_record(&record).unwrap();
    let output = snowglobe(dir.path(), &["sockets"]);
    assert!(out(&output).contains("0.0.0.0:80") && status(&output) == 0, "{}", out(&output));
    assert!(err(&output).contains("the run was killed: this is the table at 0.000001000"), "{}", err(&output));
    let output = snowglobe(dir.path(), &["sockets", "--at", "1s"]);
    assert!(err(&output).contains("what the table was at 1.000000000 is not known"), "{}", err(&output));
    let output = snowglobe(dir.path(), &["sockets", "--at", "700ns"]);
    assert!(out(&output).contains("unconnected") && err(&output).is_empty(), "{}{}", out(&output), err(&output));
}

fn resolved_world() -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("w.yaml"), "services:\n  db: {command: 'true'}\n  client: {command: 'true'}\n").unwrap();
    out(&snowglobe(dir.path(), &["validate", "--resolved", "w.yaml"]))
}

/// What tshark says of a capture, with all checksums verified.
fn tshark(dir: &Path, args: &[&str]) -> String {
    let checks = ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE"];
    let mut command = Command::new("/usr/bin/tshark");
    command.current_dir(dir).env("HOME", dir).args(["-n", "-r", "out.pcapng"]).args(args);
    command.args(checks.iter().flat_map(|check| ["-o", check]));
    let output = command.output().expect("tshark is there: `cargo xtask deps test` installs it");
    assert!(output.status.success(), "{}", err(&output));
    out(&output)
}

#[test]
fn a_capture_opens_without_a_complaint() {
    let world = run_world();
    let dir = world.path();
    let output = snowglobe(dir, &["export", "--pcapng", "out.pcapng"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    assert!(err(&output).contains("packets of 0001-w to out.pcapng"), "{}", err(&output));
    let complaints = "_ws.malformed || tcp.analysis.flags || ip.checksum.status == 0 || tcp.checksum.status == 0 || \
                      udp.checksum.status == 0 || icmp.checksum.status == 0 || tcp.reassembled_in || _ws.expert.severity > 0x400000";
    assert_eq!(tshark(dir, &["-Y", complaints]), "");
    let fields = |filter: &str, fields: &[&str]| {
        let mut args = vec!["-Y", filter, "-T", "fields"];
        fields.iter().for_each(|field| args.extend(["-e", field]));
        tshark(dir, &args)
    };
    let syns = "tcp.flags.syn == 1 && tcp.flags.ack == 0";
    assert_eq!(fields(syns, &["frame.interface_name"]), "client/eth0\n");
    assert_eq!(fields("tcp.len == 5", &["tcp.payload", "tcp.seq"]), "68656c6c6f\t1\n");
    // A datagram that does not fit goes in fragments, which are put together again.
    assert_eq!(fields("udp.length == 2008", &["ip.fragment.count"]), "2\n");
    assert_eq!(fields("icmp.type == 3", &["icmp.code", "udp.dstport"]), "3\t7009\n");
    assert_eq!(fields("ip.addr == 127.0.0.0/8", &["frame.number"]), "");
    assert!(!dir.join(".snowglobe/runs/0002-w").exists(), "no run is left of it");
    // At both ends: the SYN is seen where it leaves, and a tenth of a second later where it arrives.
    assert_eq!(status(&snowglobe(dir, &["export", "--arrivals", "--force", "--pcapng", "out.pcapng"])), 0);
    assert_eq!(fields("ip.checksum.status == 0 || tcp.checksum.status == 0", &["frame.number"]), "");
    let syns = fields(syns, &["frame.interface_name", "frame.time_epoch"]);
    let syns: Vec<(&str, f64)> =
        syns.lines().filter_map(|line| line.split_once('\t')).map(|(name, at)| (name, at.parse().unwrap())).collect();
    assert_eq!((syns.len(), syns[0].0, syns[1].0), (2, "client/eth0", "server/eth0"));
    assert!(syns[0].1 > 4.0 && (syns[1].1 - syns[0].1 - 0.1).abs() < 1e-9, "{syns:?}");
    let left: Vec<_> = fs::read_dir(dir.join(".snowglobe")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_capture_of_the_loopback_has_what_hosts_send_to_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let program = r#"
import socket
l = socket.create_server(("127.0.0.1", 7000))
c = socket.create_connection(("127.0.0.1", 7000))
s, _ = l.accept()
for size in (10, 70000, 3):
    c.sendall(b"x" * size)
    while size: size -= len(s.recv(100000))
s.sendall(b"answer"); c.recv(10); c.close(); s.close()
"#;
    let output = snowglobe(dir.path(), &["run", "--", "python3", "-c", program]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let output = snowglobe(dir.path(), &["export", "--loopback", "--pcapng", "out.pcapng"]);
    assert_eq!(status(&output), 0, "{}", err(&output));
    let complaints = "_ws.malformed || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment || \
                      tcp.analysis.retransmission || tcp.checksum.status == 0 || ip.checksum.status == 0";
    assert_eq!(tshark(dir.path(), &["-Y", complaints]), "");
    let sent = tshark(dir.path(), &["-Y", "tcp.dstport == 7000", "-T", "fields", "-e", "tcp.len"]);
    assert_eq!(sent.lines().map(|n| n.parse::<u32>().unwrap()).sum::<u32>(), 70013);
}

#[test]
fn a_capture_changes_nothing_of_the_run_and_what_cannot_be_run_again_is_refused() {
    let world = run_world();
    let dir = world.path();
    let export = |args: &[&str]| snowglobe(dir, &[&["export", "--pcapng", "out.pcapng"], args].concat());
    // It is compared with the record, event by event and by its digest, while packets are captured.
    assert_eq!(status(&export(&["--loopback"])), 0);
    let again = export(&[]);
    assert!(status(&again) == 254 && err(&again).contains("is there already"), "{}", err(&again));
    let first = fs::read(dir.join("out.pcapng")).unwrap();
    assert_eq!(status(&export(&["--force", "--loopback"])), 0);
    assert!(fs::read(dir.join("out.pcapng")).unwrap() == first, "two captures of a run are the same");
    let path = dir.join(".snowglobe/runs/0001-w/run.json");
    let text = fs::read_to_string(&path).unwrap();
    let hash = text.split("\"blake3\": \"").nth(1).unwrap()[..64].to_owned();
    fs::write(&path, text.replace(&hash, &hash.chars().rev().collect::<String>())).unwrap();
    let refused = export(&["--force"]);
    assert!(status(&refused) == 254 && err(&refused).contains("not those that ran"), "{}", err(&refused));
    let other = text.replace("\"layout\": \"layer\"", "\"layout\": \"traditional\"");
    fs::write(&path, other).unwrap();
    assert!(err(&export(&["--force"])).contains("normal execution"));
}
