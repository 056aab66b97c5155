//! What a user is told of a file that is wrong: the place, the reason, and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use crate::{parse_in, problems_in};

/// The file has exactly one problem, here, with these words in it and in its advice.
#[track_caller]
fn check(text: &str, line: usize, column: usize, message: &str, help: &str) {
    let dir = tempfile::tempdir().unwrap();
    let problems = problems_in(dir.path(), text);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let problem = &problems[0];
    assert!(problem.message().contains(message), "{problem}");
    assert!(problem.advice().unwrap_or_default().contains(help), "{:?}", problem.advice());
    let place = problem.place().expect("it has a place");
    assert_eq!((place.file.as_str(), place.line, place.column), ("world.yaml", line, column), "{problem}");
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_may_be_meant() {
    check("services:\n  a:\n    comand: sleep 1\n", 3, 5, "unknown key `comand`", "did you mean `command`?");
    check("service: {}\n", 1, 1, "unknown key `service`", "did you mean `services`?");
    check("services: {a: {frobnicate: 1}}\n", 1, 16, "unknown key `frobnicate`", "known keys: image, command");
    check("x-snowglob: {}\nservices: {a: }\n", 1, 1, "unknown key `x-snowglob`", "did you mean `x-snowglobe`?");
    check("services: {a: {check: true}}\n", 1, 16, "unknown key `check`", "`x-snowglobe: {check: ..}`");
    check("x-snowglobe: {seeds: 1}\nservices: {a: }\n", 1, 15, "unknown key `seeds`", "did you mean `seed`?");
}

#[test]
fn a_profile_of_disks_that_nobody_knows_is_named_with_those_that_are() {
    let world = "x-snowglobe: {disk-profile: ext4-orderd}\nservices: {a: }\n";
    check(world, 1, 29, "`disk-profile`", "did you mean `ext4-ordered`?");
}

#[test]
fn a_key_that_is_not_supported_says_what_to_do_instead() {
    check(
        "services: {a: {ports: ['80:80']}}\n",
        1,
        16,
        "`ports` is not supported",
        "remove it: hosts of a world reach",
    );
    check("services: {a: {build: .}}\n", 1, 16, "`build` is not supported", "docker save");
    check("include: [x]\nservices: {a: }\n", 1, 1, "`include` is not supported", "copy the services");
}

#[test]
fn a_key_that_is_not_supported_and_asks_for_nothing_is_passed_over() {
    let world = "services:\n  a: {privileged: false, ports: [], build: , tty: false, sysctls: {}}\n  \
                 b: {depends_on: {a: {condition: service_started, restart: false}}}\n";
    let dir = tempfile::tempdir().unwrap();
    assert!(parse_in(dir.path(), world).is_ok());
    check("services: {a: {privileged: true}}\n", 1, 16, "`privileged` is not supported", "remove it");
}

#[test]
fn a_host_twice_shows_both_places() {
    check("services:\n  a: {}\n  a: {}\n", 3, 3, "`services` has `a` twice", "rename one");
    check("services:\n  a: {}\n  b: {hostname: a}\n", 3, 17, "two hosts `a`", "rename one");
    check("services:\n  a: {scale: 2}\n  a-1: {}\n", 3, 3, "two hosts `a-1`", "rename one");
}

#[test]
fn addresses_must_fit_their_network_and_be_unique() {
    let world = |a: &str, b: &str| {
        format!(
            "networks: {{n: {{ipam: {{config: [{{subnet: 10.9.0.0/29}}]}}}}}}\nservices:\n  a: {{networks: {{n: {{ipv4_address: {a}}}}}}}\n  b: {{networks: {{n: {{ipv4_address: {b}}}}}}}\n"
        )
    };
    check(&world("10.9.1.2", "10.9.0.3"), 3, 36, "10.9.1.2 is no host's address", "from 10.9.0.2 to 10.9.0.6");
    check(&world("10.9.0.7", "10.9.0.3"), 3, 36, "10.9.0.7 is no host's address", "from 10.9.0.2 to 10.9.0.6");
    check(&world("10.9.0.3", "10.9.0.3"), 4, 36, "the address 10.9.0.3 is given twice", "its own");
    check(&world("10.9.0.1", "10.9.0.3"), 3, 36, "the world's resolver", "choose another");
    check(&world("10.9.0", "10.9.0.3"), 3, 36, "`10.9.0` is not understood", "IPv4 address");
    let many = "networks: {n: {ipam: {config: [{subnet: 10.9.0.0/30}]}}}\nservices: {a: {networks: [n], scale: 2}}\n";
    check(many, 2, 12, "has no address left", "larger subnet");
    let overlap = "networks: {a: {ipam: {config: [{subnet: 10.9.0.0/16}]}}, b: {ipam: {config: [{subnet: 10.9.3.0/24}]}}}\nservices: {s: }\n";
    check(overlap, 1, 87, "networks `a` and `b` overlap", "its own subnet");
}

/// A network `n` with these settings, in line 2 from column 23 on, of hosts `a` and `b`, and a host `c` elsewhere.
fn linked(settings: &str) -> String {
    format!(
        "networks:\n  n: {{x-snowglobe: {{{settings}}}}}\nservices:\n  a: {{command: sleep 1, networks: [n]}}\n  b: {{command: sleep 1, networks: [n]}}\n  c: {{command: sleep 1}}\n"
    )
}

#[test]
fn links_that_cannot_be_are_refused() {
    let at = |settings: &str, column: usize, message: &str, help: &str| {
        check(&linked(settings), 2, 20 + column, message, help);
    };
    at("latency: -5ms", 10, "`-5ms` is not understood", "cannot be negative");
    at("jitter: 5", 9, "`5` is not understood", "needs a unit");
    at("loss: 2", 7, "`2` is not understood", "at most 1, which is 100 %: did you mean `2 %`?");
    at("loss: 101%", 7, "`101%` is not understood", "at most 100 %");
    at("corrupt: -1%", 10, "`-1%` is not understood", "cannot be negative");
    at("bandwidth: 0", 12, "`0` is not understood", "bits per second");
    at("bandwidth: 0 Mbit", 12, "`0 Mbit` is not understood", "`cut: true`");
    at("bandwidth: 10 MB/s", 12, "`10 MB/s` is not understood", "in bits");
    at("queue: 1000", 8, "a queue of 1000 bytes holds not one packet", "at least `1514`");
    at("mtu: 100", 6, "`100` is not understood", "from 1280 to 65535");
    at("profile: wam", 10, "`wam` is not understood", "did you mean `wan`?");
    at("latancy: 5ms", 1, "unknown key `latancy`", "did you mean `latency`?");
    at("latency: {distribution: normal, mean: 5ms}", 10, "`latency` is not understood", "needs `deviation`");
    at("latency: {distribution: gamma}", 10, "`latency` is not understood", "one of `constant`");
    at("latency: {distribution: uniform, min: 5ms, max: 1ms}", 10, "`latency` is not understood", "exchange them");
    at("latency: {distribution: uniform, meen: 5ms}", 34, "unknown key `meen`", "did you mean `mean`?");
    at("latency: {distribution: uniform, mean: 5ms}", 10, "`latency` is not understood", "takes min, max");
    at("latency: normal 5ms", 10, "is not understood", "names and values in turn");
    at("latency: exponential min 5ms mean 1ms", 10, "is not understood", "`min` is longer than `mean`");
    at("loss: {to_bad: 1%}", 7, "`loss` is not understood", "needs `to_good`");
    at("loss: {to_bad: 1%, to_good: 120%}", 7, "`loss` is not understood", "at most 100 %");
}

#[test]
fn links_between_hosts_that_are_not_there_are_refused() {
    let at = |entry: &str, column: usize, message: &str, help: &str| {
        check(&linked(&format!("links: [{{{entry}}}]")), 2, 29 + column, message, help);
    };
    at("between: [a, bb], loss: 1%", 14, "there is no host `bb`", "did you mean `b`?");
    at("from: zebra, loss: 1%", 7, "there is no host `zebra`", "`a`, `b`");
    at("between: [a, c], loss: 1%", 14, "`c` is not on network `n`", "add `n` to the `networks` of the service");
    at("between: [a], loss: 1%", 10, "names fewer than two", "write `between: [a, b]`");
    at("from: a, to: a, loss: 1%", 0, "from one host to another", "name two hosts");
    at("loss: 1%", 0, "says not between which hosts", "between: [a, b]");
    at("between: [a, b], from: a", 0, "`between` and `from` or `to`", "leave one of them out");
    at("between: [a, b], queue: 99", 25, "a queue of 99 bytes", "at least `1514`");
    at("between: [a, b], cut: maybe", 23, "`maybe` is not understood", "`true` or `false`");
    at("between: [a, b], cat: true", 18, "unknown key `cat`", "did you mean `cut`?");
}

#[test]
fn what_is_not_declared_is_not_guessed() {
    check(
        "services: {a: {networks: [bakc]}}\nnetworks: {back: }\n",
        1,
        27,
        "no network `bakc`",
        "did you mean `back`?",
    );
    check("services: {a: {volumes: ['data:/d']}}\n", 1, 26, "no volume `data`", "`./data` for a directory");
    check("services: {a: {depends_on: [b]}, bb: }\n", 1, 29, "depends on `b`", "did you mean `bb`?");
    check("services: {a: {volumes: ['./no:/d']}}\n", 1, 26, "cannot be mounted", "world file's directory");
    check(
        "services: {a: {command: sleep 1, env_file: no.env}}\n",
        1,
        44,
        "no.env cannot be read",
        "world file's directory",
    );
    check("services: {a: {command: sleep 1, user: nobodi}}\n", 1, 40, "no user `nobodi`", "`nobody`");
}

#[test]
fn dependencies_that_can_never_hold_are_found() {
    check(
        "services: {a: {depends_on: [b]}, b: {depends_on: [c]}, c: {depends_on: [a]}}\n",
        1,
        73,
        "a -> b -> c -> a",
        "remove one",
    );
    check("services: {a: {depends_on: [a]}}\n", 1, 29, "a -> a", "remove one");
    let text =
        "services: {a: {command: sleep 1, depends_on: {b: {condition: service_healthy}}}, b: {command: sleep 1}}\n";
    check(text, 1, 47, "it has no health check", "add a `healthcheck`");
    let text = "services: {a: {depends_on: {b: {condition: service_completed_successfully}}}, b: {restart: always}}\n";
    check(text, 1, 29, "always restarted", "remove its `restart`");
}

#[test]
fn a_program_that_cannot_run_is_found_before_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8], mode: u32| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let elf = fs::read("/bin/true").unwrap();
    let patched = |at: usize, byte: u8| {
        let mut bytes = elf.clone();
        bytes[at] = byte;
        bytes
    };
    put("plain", &elf, 0o644);
    put("text", b"hello", 0o755);
    put("arm", &patched(18, 0xb7), 0o755);
    put("old", &patched(4, 1), 0o755);
    put("cut", &elf[..40], 0o755);
    put("script", b"#!/no/such/shell\n", 0o755);
    put("object", &patched(16, 1), 0o755);
    let text = |command: &str| format!("services:\n  a:\n    volumes: ['.:/w:ro']\n    command: {command}\n");
    for (command, message, help) in [
        ("nonesuch-prog", "no program `nonesuch-prog` in the host's PATH", "install it"),
        ("bahs -c x", "no program `bahs`", "did you mean `bash`?"),
        ("/w/plain", "is not executable", "chmod +x"),
        ("/w/text", "neither an ELF program nor a script", "#!/bin/sh"),
        ("/w/arm", "is a program for ARM (aarch64)", "x86-64"),
        ("/w/old", "is a 32-bit program", "x86-64"),
        ("/w/cut", "is a damaged ELF file", "install it again"),
        ("/w/script", "asks for the interpreter `/no/such/shell`", "installed program"),
        ("/w/object", "an object file", "link it"),
        ("/w", "is a directory", "name a program in it"),
        ("/usr/bin", "is a directory", "name a program in it"),
        ("/tmp/x/y", "there is no `/tmp/x/y`", ""),
        ("['']", "the command is empty", "name a program"),
    ] {
        let problems = problems_in(dir.path(), &text(command));
        assert_eq!(problems.len(), 1, "{command}: {problems:#?}");
        assert!(problems[0].message().contains(message), "{command}: {}", problems[0]);
        assert!(problems[0].advice().unwrap_or_default().contains(help), "{command}: {:?}", problems[0].advice());
        assert_eq!(problems[0].place().unwrap().line, 4);
    }
    // What only the running world can tell is left to it.
    for command in ["/dev/shm/x", "/v/made/later", "/proc/self/exe"] {
        let text =
            format!("volumes: {{v: }}\nservices: {{a: {{command: {command}, volumes: ['v:/v', 'v:/dev/shm']}}}}\n");
        parse_in(dir.path(), &text).unwrap_or_else(|e| panic!("{command}: {e}"));
    }
}

#[test]
fn a_start_that_has_no_directory_and_a_check_that_has_no_program_are_found() {
    check("services: {a: {command: sleep 1, working_dir: /tmp/x}}\n", 1, 47, "starts in /tmp/x", "`tmpfs: /tmp/x`");
    let text = "services: {a: {command: sleep 1, healthcheck: {test: [CMD, nonesuch-prog]}}}\n";
    check(text, 1, 12, "the health check of service `a` cannot run", "install it");
}

#[test]
fn values_that_are_not_understood_say_how_to_write_them() {
    for (value, message, help) in [
        ("x-snowglobe: {until: 60}", "`until`: `60` is not understood", "a duration needs a unit"),
        ("x-snowglobe: {seed: -1}", "`seed`", "whole number from 0"),
        ("x-snowglobe: {start: yesterday}", "`start`", "2027-01-01T00:00:00Z"),
        ("x-snowglobe: {memory: lots}", "`memory`", "`64M`"),
        ("x-snowglobe: {cpus: 0}", "`cpus`", "from 1 to 1024"),
        ("x-snowglobe: [1]", "must be a mapping, and here is a list", "name: value"),
        ("networks: {n: {ipam: {config: [{subnet: 10.0.0.1/24}]}}}", "`subnet`", "write `10.0.0.0/24`"),
        ("networks: {n: {driver: overlay}}", "`driver`", "one of `bridge`"),
    ] {
        check(
            &format!("services: {{a: }}\n{value}\n"),
            2,
            value.find(": ").map_or(1, |_| 0).max(column(value)),
            message,
            help,
        );
    }
    for (value, message, help) in [
        ("restart: sometimes", "`sometimes`", "one of `no`, `always`"),
        ("command: 'echo \"x'", "`echo \"x`", "close its quotes"),
        ("command: {a: b}", "must be a list, and here is a mapping", "- item"),
        ("stop_signal: SIGNOPE", "`SIGNOPE`", "SIGTERM"),
        ("working_dir: here", "`here`", "absolute path"),
        ("hostname: a b", "`a b`", "host name"),
        ("init: maybe", "`maybe`", "`true` or `false`"),
        ("healthcheck: {test: [RUN, x]}", "`test` is not understood", "CMD-SHELL"),
        ("depends_on: {b: {condition: service_helthy}}", "`service_helthy`", "did you mean `service_healthy`?"),
        ("deploy: {replicas: many}", "`many`", "whole number"),
        ("environment: ['=x']", "cannot be a variable's name", "NAME=value"),
        ("volumes: ['a:b:c:d']", "is not understood", "SOURCE:TARGET"),
        ("tmpfs: /", "nothing can be mounted on `/`", "image"),
        ("command: sleep ${N:?how long}", "must be set: how long", "`$$`"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let problems = problems_in(dir.path(), &format!("services:\n  b: {{}}\n  a:\n    {value}\n"));
        assert_eq!(problems.len(), 1, "{value}: {problems:#?}");
        assert!(problems[0].message().contains(message), "{value}: {}", problems[0]);
        assert!(problems[0].advice().unwrap_or_default().contains(help), "{value}: {:?}", problems[0].advice());
        assert_eq!(problems[0].place().unwrap().line, 4, "{value}");
    }
}

/// Column of the innermost value of a one-line mapping.
fn column(text: &str) -> usize {
    let at = text.rfind(": ").unwrap() + 2;
    at + 1
}

#[test]
fn all_problems_are_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let problems =
        problems_in(dir.path(), "services:\n  a: {comand: x, ports: [80]}\n  b: {networks: [n], restart: maybe}\n");
    assert_eq!(problems.iter().map(|p| p.place().unwrap().line).collect::<Vec<_>>(), [2, 2, 3]);
    assert!(problems[0].message().contains("comand"), "in the order of the file");
}

#[test]
fn a_file_that_is_empty_or_no_file_at_all_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    for (text, want) in [
        ("", "empty"),
        ("services: {}\n", "no service"),
        ("[1]\n", "must be a mapping"),
        ("x-a: 1\n", "`services` is missing"),
    ] {
        let problems = problems_in(dir.path(), text);
        assert!(problems[0].message().contains(want), "{text:?}: {}", problems[0]);
    }
    let load =
        |path: &std::path::Path| snowglobe_world::load(path, &crate::options(dir.path())).unwrap_err().to_string();
    assert!(load(&dir.path().join("none.yaml")).contains("snowglobe init"));
    assert!(load(dir.path()).contains("name the file in it"));
    let latin = dir.path().join("latin.yaml");
    fs::write(&latin, b"services: {\xe4: }").unwrap();
    assert!(load(&latin).contains("byte 11 is not UTF-8"));
}

#[test]
fn a_damaged_environment_file_shows_its_own_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.env"), "A=1\nB C=2\n").unwrap();
    let problems = problems_in(dir.path(), "services: {a: {command: sleep 1, env_file: a.env}}\n");
    let place = problems[0].place().unwrap();
    assert!(place.file.ends_with("a.env") && place.line == 2, "{place:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_any_kind_never_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_in("/nonexistent".as_ref(), &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn pieces_of_world_files_in_any_order_never_stop_the_reader(pieces in prop::collection::vec(piece(), 0..40)) {
        let _ = parse_in("/nonexistent".as_ref(), &pieces.concat());
    }
}

/// What world files are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "services:\n",
            "  a:\n",
            "  b: ",
            "    command: ",
            "    networks: ",
            "x-snowglobe: ",
            "networks:\n",
            "{",
            "}",
            "[",
            "]",
            ", ",
            ": ",
            "- ",
            "\n",
            "  ",
            "&x ",
            "*x",
            "<<: *x",
            "!!str ",
            "!tag ",
            "|\n",
            ">\n",
            "'",
            "\"",
            "#",
            "~",
            "${",
            "}",
            "$A",
            "${A:-",
            "1e999",
            "0x",
            ".nan",
            "---\n",
            "...\n",
            "? ",
            "\t",
            "\u{feff}",
            "\u{85}",
            "depends_on: ",
            "ipv4_address: 10.0.1.2",
            "healthcheck: ",
            "test: ",
            "volumes: ",
            "seed: 1",
            "snowglobe_world: 1\n",
            "hosts:\n",
            "deploy: {replicas: 3}",
            "env_file: ",
            "image: ./x",
            "user: ",
        ])
        .prop_map(str::to_owned),
        "[ -~\n]{0,6}",
    ]
}
