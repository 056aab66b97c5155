//! Programs that were right until somebody changed them: whatever comes of it, the kernel lives and maps nothing outside
//! what a guest may have.
//!
//! `SNOWGLOBE_FUZZ_CASES=1000000` makes a long run of it.

use super::help::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("SNOWGLOBE_FUZZ_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), failure_persistence: None, ..ProptestConfig::default() }
}

const LOAD: u32 = 1;
const INTERP: u32 = 3;
const PHDR: u32 = 6;

/// A program with three segments, which may be loaded anywhere or not, and may ask for an interpreter.
fn program(pie: bool, interp: Option<&str>) -> Vec<u8> {
    let base: u64 = if pie { 0 } else { 0x40_0000 };
    let path = interp.map(|path| format!("{path}\0")).unwrap_or_default();
    let mut segments: Vec<(u32, u32, u64, u64, u64, u64)> = vec![
        (PHDR, 4, 64, base + 64, 280, 280),
        (LOAD, 4, 0, base, 0x400, 0x400),
        (LOAD, 5, 0x1000, base + 0x1000, 0x800, 0x800),
        (LOAD, 6, 0x1800, base + 0x2800, 0x100, 0x3000),
    ];
    if interp.is_some() {
        segments.push((INTERP, 4, 0x200, base + 0x200, path.len() as u64, path.len() as u64));
    }
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    out.extend(if pie { 3u16 } else { 2 }.to_le_bytes());
    out.extend(62u16.to_le_bytes());
    out.extend(1u32.to_le_bytes());
    for word in [base + 0x1000, 64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0u32.to_le_bytes());
    for half in [64u16, 56, segments.len() as u16, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    for (kind, flags, offset, vaddr, filesz, memsz) in segments {
        out.extend(kind.to_le_bytes());
        out.extend(flags.to_le_bytes());
        for word in [offset, vaddr, vaddr, filesz, memsz, 0x1000] {
            out.extend(word.to_le_bytes());
        }
    }
    out.resize(0x200, 0);
    out.extend(path.bytes());
    out.resize(0x1900, 0x90);
    out
}

/// One change of a program.
#[derive(Clone, Debug)]
enum Change {
    /// A field of the file header: 64 bits.
    Header(Index, u64),
    /// A field of a program header.
    Segment(Index, Index, u64),
    /// A program header is like another.
    Same(Index, Index),
    Byte(Index, u8),
    End(Index),
}

/// Numbers at the edges of the memory map, of files and of arithmetic.
fn number() -> impl Strategy<Value = u64> {
    let edges = [
        0,
        1,
        0xfff,
        0x1000,
        0x1_0000,
        0x40_0000,
        0x6fff_f000,
        0x7000_0000,
        0xffff_ffff,
        1 << 40,
        0x5555_5555_4000,
        0x5fff_ffff_f000,
        0x6000_0000_0000,
        0x6020_0000_0000,
        0x7000_0000_0000,
        0x70ff_c000_0000,
        0x7fef_ff80_0000,
        0x7ff0_0000_0000,
        0x7fff_ffff_f000,
        (1 << 47) - 1,
        1 << 47,
        1 << 62,
        i64::MAX as u64,
        1 << 63,
        u64::MAX - 0xfff,
        u64::MAX,
    ];
    prop_oneof![4 => select(edges.to_vec()), 1 => any::<u64>(), 1 => 0..0x4000u64]
        .prop_flat_map(|n| prop_oneof![4 => Just(n), 1 => Just(n.wrapping_add(8)), 1 => Just(n.wrapping_sub(1))])
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        1 => (at(), number()).prop_map(|(field, n)| Change::Header(field, n)),
        6 => (at(), at(), number()).prop_map(|(segment, field, n)| Change::Segment(segment, field, n)),
        1 => (at(), at()).prop_map(|(from, to)| Change::Same(from, to)),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => at().prop_map(Change::End),
    ]
}

fn changed(mut elf: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    let count = usize::from(u16::from_le_bytes([elf[56], elf[57]]));
    for change in changes {
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(place) = elf.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        };
        match change {
            // Entry, program headers' offset, and the halves behind them.
            Change::Header(field, n) => match field.index(6) {
                0 => put(24, &n.to_le_bytes()),
                1 => put(32, &n.to_le_bytes()),
                i => put([16, 18, 54, 56][i - 2], &(*n as u16).to_le_bytes()),
            },
            Change::Segment(segment, field, n) => {
                let at = 64 + segment.index(count) * 56;
                match field.index(7) {
                    0 => put(at, &(*n as u32).to_le_bytes()),
                    1 => put(at + 4, &(*n as u32).to_le_bytes()),
                    i => put(at + [8, 16, 32, 40, 48][i - 2], &n.to_le_bytes()),
                }
            }
            Change::Same(from, to) => {
                let (from, to) = (64 + from.index(count) * 56, 64 + to.index(count) * 56);
                if let Some(header) = elf.get(from..from + 56).map(<[u8]>::to_vec)
                    && let Some(place) = elf.get_mut(to..to + 56)
                {
                    place.copy_from_slice(&header);
                }
            }
            Change::Byte(at, byte) if !elf.is_empty() => {
                let at = at.index(elf.len());
                elf[at] = *byte;
            }
            Change::Byte(..) => {}
            Change::End(at) => elf.truncate(at.index(elf.len() + 1)),
        }
    }
    elf
}

/// Puts an executable file into the world.
fn put_file(w: &mut World, t: snowglobe_kernel::task::TaskId, path: &[u8], bytes: &[u8]) -> u64 {
    let path = w.put(path);
    let fd = w.ok(t, "open", [path, 0o1102, 0o755]);
    let data = w.put(bytes);
    assert_eq!(w.ok(t, "write", [fd, data, bytes.len() as u64]), bytes.len() as u64);
    w.ok(t, "close", [fd]);
    path
}

/// Runs a program: the error of exec, or nothing when it has begun or died.
fn run(elf: &[u8], interpreter: &[u8]) -> Option<i64> {
    let mut w = World::new();
    let t = w.process(0);
    put_file(&mut w, t, b"/tmp/ld\0", interpreter);
    let path = put_file(&mut w, t, b"/tmp/program\0", elf);
    let argv = w.longs(&[path, 0]);
    w.exec(t, [path, argv, 0])
}

#[test]
fn the_programs_that_are_to_be_changed_are_right() {
    for pie in [false, true] {
        for interp in [None, Some("/tmp/ld")] {
            assert_eq!(run(&program(pie, interp), &program(true, None)), None, "{pie} {interp:?}");
        }
    }
    assert_eq!(run(b"no program", b""), Some(-8));
    assert_eq!(run(&program(true, Some("/tmp/ld")), b"no program"), Some(-80));
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_program_that_was_changed_maps_nothing_that_no_guest_may_have(
        pie in any::<bool>(),
        has_interp in any::<bool>(),
        changes in vec(change(), 1..5),
    ) {
        let elf = changed(program(pie, has_interp.then_some("/tmp/ld")), &changes);
        run(&elf, &program(true, None));
    }

    #[test]
    fn an_interpreter_that_was_changed_maps_nothing_that_no_guest_may_have(pie in any::<bool>(), changes in vec(change(), 1..5)) {
        run(&program(true, Some("/tmp/ld")), &changed(program(pie, None), &changes));
    }

    #[test]
    fn a_script_of_any_kind_is_run_or_refused(line in vec(any::<u8>(), 0..300), to_itself in any::<bool>()) {
        let head: &[u8] = if to_itself { b"#!/tmp/program" } else { b"#! /tmp/ld" };
        run(&[head, &line].concat(), &program(true, None));
    }
}
