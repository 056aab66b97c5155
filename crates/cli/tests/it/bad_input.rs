//! World files and programs that are wrong, or malign, and disks that are full.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{err, out, snowglobe, status};

/// The world file is refused with these words, and nothing is run.
#[track_caller]
fn refused(world: &str, wants: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("w.yaml"), world).unwrap();
    for command in ["run", "validate", "verify"] {
        let output = snowglobe(dir.path(), &[command, "w.yaml"]);
        assert_eq!(status(&output), 254, "{command}: {}", err(&output));
        for want in wants {
            assert!(err(&output).contains(want), "{command}: {want} in {}", err(&output));
        }
    }
    assert!(!dir.path().join(".snowglobe/runs").exists(), "what is not run leaves nothing behind");
}

#[test]
fn a_world_file_that_does_not_parse_shows_where() {
    refused("services:\n  a: {command: [sleep, 1\n  b: {}\n", &["w.yaml:3:"]);
    refused("services:\n\ta: {}\n", &["w.yaml:2:"]);
    refused("services: *none\n", &["w.yaml:1:"]);
}

#[test]
fn a_place_in_a_line_that_is_too_long_to_show_is_named() {
    let long = "x".repeat(100_000);
    refused(&format!("services: {{a: {{command: [echo, {long}], bogus: 1}}}}\n"), &["bogus", "(w.yaml:1:100"]);
}

#[test]
fn a_world_file_without_an_end_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let output = snowglobe(dir.path(), &["validate", "/dev/zero"]);
    assert_eq!(status(&output), 254);
    assert!(err(&output).contains("/dev/zero is longer than"), "{}", err(&output));
}

#[test]
fn a_world_that_contradicts_itself_shows_where() {
    refused("services:\n  a: {command: sleep 1}\n  a: {command: sleep 2}\n", &["`a` twice", "w.yaml:3:3"]);
    refused("services:\n  a: {}\n  b: {hostname: a}\n", &["two hosts `a`", "w.yaml:3:"]);
    refused("services:\n  a:\n    command: no-such-program -x\n", &["no-such-program", "w.yaml:3:", "install it"]);
    refused(
        "networks: {n: {ipam: {config: [{subnet: 10.9.0.0/24}]}}}\nservices:\n  a: {networks: {n: {ipv4_address: 10.8.0.2}}}\n",
        &["10.8.0.2 is no host's address", "w.yaml:3:", "from 10.9.0.2"],
    );
}

/// Puts an executable file into a directory.
fn put(dir: &Path, name: &str, bytes: &[u8]) {
    fs::write(dir.join(name), bytes).unwrap();
    fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A copy of `/bin/true` with other bytes in some places.
fn patched(patches: &[(usize, &[u8])]) -> Vec<u8> {
    let mut elf = fs::read("/bin/true").unwrap();
    for (at, bytes) in patches {
        elf[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    elf
}

#[test]
fn what_cannot_be_run_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read("/bin/true").unwrap();
    put(dir.path(), "arm", &patched(&[(18, &[0xb7])]));
    put(dir.path(), "old", &patched(&[(4, &[1])]));
    put(dir.path(), "cut", &whole[..100]);
    put(dir.path(), "empty", b"");
    put(dir.path(), "script", b"#!/no/such/shell\n");
    fs::write(dir.path().join("plain"), &whole).unwrap();
    for (program, want) in [
        ("/usr", "is a directory"),
        ("./plain", "is not executable"),
        ("./arm", "is a program for ARM"),
        ("./old", "is a 32-bit program"),
        ("./cut", "is a damaged ELF file"),
        ("./empty", "neither an ELF program nor a script"),
        ("./script", "asks for the interpreter `/no/such/shell`"),
        ("./none", "there is no"),
        ("no-such-program", "no-such-program"),
        ("", "empty"),
    ] {
        let output = snowglobe(dir.path(), &["run", "--", program]);
        assert_eq!(status(&output), 254, "{program}: {}", err(&output));
        assert!(err(&output).contains(want), "{program}: {}", err(&output));
    }
    assert!(!dir.path().join(".snowglobe/runs").exists());
}

#[test]
fn a_malign_program_ends_its_own_process_and_nothing_else() {
    const ENTRY: usize = 24;
    const PHOFF: usize = 32;
    let dir = tempfile::tempdir().unwrap();
    let whole = patched(&[]);
    let headers = u64::from_le_bytes(whole[PHOFF..PHOFF + 8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes([whole[56], whole[57]]));
    let loads: Vec<usize> =
        (0..count).map(|i| headers + i * 56).filter(|at| whole[*at..*at + 4] == [1, 0, 0, 0]).collect();
    let first = loads[0];
    let far = |address: u64| {
        // Every segment as far up, so that they still fit each other.
        let mut elf = whole.clone();
        for at in &loads {
            let old = u64::from_le_bytes(elf[at + 16..at + 24].try_into().unwrap());
            elf[at + 16..at + 24].copy_from_slice(&(old + address).to_le_bytes());
        }
        elf
    };
    let programs = [
        ("entry-nowhere", patched(&[(ENTRY, &0x10u64.to_le_bytes())])),
        ("entry-in-the-layer", patched(&[(ENTRY, &0x6000_0000_0000u64.wrapping_sub(0x5555_5555_4000).to_le_bytes())])),
        ("headers-nowhere", patched(&[(PHOFF, &(u64::MAX - 7).to_le_bytes())])),
        ("huge", patched(&[(first + 40, &(1u64 << 46).to_le_bytes())])),
        ("over-the-layer", patched(&[(first + 40, &0x1000_0000_0000u64.to_le_bytes())])),
        ("far-up", far(0x7000_0000_0000)),
        ("over-the-stack", far(0x7fef_ff00_0000)),
        ("no-right", patched(&[(first + 4, &[0]), (loads[1] + 4, &[0])])),
    ];
    for (name, bytes) in programs {
        put(dir.path(), name, &bytes);
        let output = snowglobe(dir.path(), &["run", "--", &format!("./{name}")]);
        // 126: exec has refused it; over 128: a signal has ended it; 254: it is seen before the run.
        let code = status(&output);
        assert!(code == 126 || code == 254 || (129..=159).contains(&code), "{name}: {code}: {}", err(&output));
        if code != 254 {
            let shown = out(&snowglobe(dir.path(), &["show"]));
            assert!(shown.contains("failed: "), "{name}: {shown}");
        }
    }
}

/// Runs a shell script in a directory, `$S` being the command; in namespaces of its own where it is to mount something.
fn script(dir: &Path, mounts: bool, text: &str) -> std::process::Output {
    let mut command = if mounts { Command::new("unshare") } else { Command::new("sh") };
    if mounts {
        command.args(["-rm", "sh"]);
    }
    command.args(["-c", text]).env("S", env!("CARGO_BIN_EXE_snowglobe")).current_dir(dir).stdin(Stdio::null());
    command.output().unwrap()
}

#[test]
fn a_disk_that_fills_up_ends_the_run_with_a_clear_word() {
    let dir = tempfile::tempdir().unwrap();
    if !script(dir.path(), true, "mkdir disk && mount -t tmpfs -o size=1m disk disk").status.success() {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    for program in ["head -c 100M /dev/urandom", "sh -c 'while :; do cat /proc/sys/kernel/random/uuid; done'"] {
        let text = format!(
            "mount -t tmpfs -o size=1m disk disk && cd disk || exit
            $S run -- {program} >/dev/null 2>../said; echo status $?
            ls -A .snowglobe/runs/latest; $S ls; $S show; $S trace 2>../note | wc -l
            pgrep -P $$"
        );
        let output = script(dir.path(), true, &text);
        let (text, said) = (out(&output), fs::read_to_string(dir.path().join("said")).unwrap());
        assert!(text.contains("status 255"), "{text}\n{said}");
        assert!(said.contains("No space left on device") && said.contains("free some disk space"), "{said}");
        assert!(text.contains("unknown: cannot write") && !text.contains("run.json."), "{text}");
        let note = fs::read_to_string(dir.path().join("note")).unwrap();
        let events: u64 = text.lines().rev().find_map(|line| line.trim().parse().ok()).unwrap();
        assert!(events > 100 && note.contains("ends early"), "{text}\n{note}");
    }
    // A disk that is full from the start has no room for a run.
    let text = "mount -t tmpfs -o size=100k disk disk && cd disk || exit
        head -c 100k /dev/zero >all 2>/dev/null; $S run -- true 2>&1; echo status $?";
    let text = out(&script(dir.path(), true, text));
    assert!(text.contains("status 255") && text.contains("No space left on device"), "{text}");
}

#[test]
fn a_limit_of_file_sizes_is_told_and_kills_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let output = script(dir.path(), false, "ulimit -f 2000; $S run -- true");
    assert_eq!(status(&output), 255);
    assert!(err(&output).contains("ulimit -f unlimited"), "{}", err(&output));
    let shown = out(&snowglobe(dir.path(), &["show"]));
    assert!(shown.contains("unknown: cannot make the world's shared memory"), "{shown}");
}

#[test]
fn an_input_that_is_longer_than_any_buffer_is_read_in_parts_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        "head -c 70000001 /dev/zero | $S run -- wc -c && wc -c <.snowglobe/runs/latest/stdin && $S replay latest";
    let output = script(dir.path(), false, text);
    assert_eq!((status(&output), out(&output).as_str()), (0, "70000001\n70000001\n70000001\n"), "{}", err(&output));
    // What happens to be there at one moment is not what guests read: a pipe that is slow makes the same run.
    let digest = |text: &str| {
        let output = script(dir.path(), false, &format!("{text} | $S run --json -- cat"));
        assert_eq!(status(&output), 0, "{}", err(&output));
        crate::json(&output)["digest"].clone()
    };
    assert_eq!(digest("printf 'one\\ntwo\\n'"), digest("(echo one; sleep 0.2; echo two)"));
}

#[test]
fn a_replay_names_the_files_that_have_changed_since() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    fs::write(&data, "one\n").unwrap();
    assert_eq!(status(&snowglobe(dir.path(), &["run", "--", "/bin/cat", "data"])), 0);
    fs::write(&data, "another\n").unwrap();
    let output = snowglobe(dir.path(), &["replay", "latest"]);
    assert_eq!(status(&output), 3);
    let wanted = format!("{} has changed since the run was recorded", data.display());
    assert!(err(&output).contains(&wanted), "{}", err(&output));
}

#[test]
fn a_users_soft_limit_of_open_files_is_not_the_worlds() {
    let dir = tempfile::tempdir().unwrap();
    let program = "import os; print(len([os.read(os.open('f%d' % i, os.O_RDONLY), 1) for i in range(1, 301)]))";
    let text = format!(
        "for i in $(seq 300); do echo > f$i; done
        ulimit -Sn 100; exec $S run -- /usr/bin/python3 -c \"{program}\""
    );
    let output = script(dir.path(), false, &text);
    assert_eq!((status(&output), out(&output).trim()), (0, "300"), "{}", err(&output));
}
