//! Default-deny: every number is answered by the table, or is ENOSYS and reported.

use super::help::World;
use snowglobe_abi::Errno;
use snowglobe_kernel::table::{self, Level, TABLE};

/// The newest call of Linux 7.0.
const NEWEST: u32 = 471;
/// The bit that marks the calls of the x32 interface.
const X32: u32 = 0x4000_0000;

/// A world, and a call of its only task.
fn world() -> (World, impl Fn(&mut World, u64, [u64; 6]) -> i64) {
    let mut w = World::new();
    let task = w.process(0);
    (w, move |w, nr, args| w.start_number(task, nr, args).unwrap_or_else(|| panic!("call {nr:#x} waits")))
}

#[test]
fn the_table_has_every_number_of_linux_once() {
    let known: Vec<u32> = TABLE.iter().map(|entry| entry.nr).collect();
    assert_eq!(known, (0..=336).chain(424..=NEWEST).collect::<Vec<_>>());
}

#[test]
fn a_number_that_is_not_in_the_table_is_enosys_and_reported() {
    let (mut w, call) = world();
    let far = [1 << 16, X32 - 1, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX];
    let numbers: Vec<u32> = (0..4096).chain(far).flat_map(|nr| [nr, nr | X32]).collect();
    let unknown: std::collections::BTreeSet<u32> =
        numbers.into_iter().filter(|nr| table::entry(u64::from(*nr)).is_none()).collect();
    // 87 in the gap, those after the newest, far ones, and every one of the x32 interface.
    assert!(
        unknown.contains(&337) && unknown.contains(&423) && unknown.contains(&(NEWEST + 1)) && unknown.contains(&X32)
    );
    for nr in &unknown {
        assert_eq!(call(&mut w, u64::from(*nr), [0; 6]), Errno::ENOSYS.to_ret(), "{nr:#x}");
    }
    let reported: Vec<u32> = w.k.report.unsupported.iter().map(|line| line.nr).collect();
    assert_eq!(reported, unknown.iter().copied().collect::<Vec<_>>());
    assert!(
        w.k.report.unsupported.iter().all(|line| line.name == format!("syscall_{:#x}", line.nr) && line.count == 1)
    );
    // Only the lower half of the number counts, as on Linux.
    assert_eq!(call(&mut w, 1 << 32 | 500, [0; 6]), Errno::ENOSYS.to_ret());
    assert_eq!(w.k.report.unsupported.iter().find(|line| line.nr == 500).map(|line| line.count), Some(2));
}

#[test]
fn a_refused_call_gives_the_errno_that_its_note_says() {
    let (mut w, call) = world();
    for entry in TABLE.iter().filter(|entry| entry.level == Level::Refused) {
        // A path that can be read, where one is asked for.
        let path = w.put(b"/\0");
        let args = if entry.name == "mount" { [path, path, path, 0, 0, 0] } else { [0; 6] };
        let value = call(&mut w, u64::from(entry.nr), args);
        let error = Errno(u16::try_from(-value).unwrap_or(0)).name();
        assert!(entry.note.starts_with(error), "{} gives {error}: {}", entry.name, entry.note);
    }
}

#[test]
fn a_call_that_is_missing_is_reported_and_one_that_is_partial_says_what_is_missing() {
    let (mut w, call) = world();
    for entry in TABLE {
        match entry.level {
            Level::Full => assert_eq!(entry.note, "", "{} is full", entry.name),
            Level::Partial | Level::Refused => assert!(!entry.note.is_empty(), "{} has no note", entry.name),
            Level::Missing => {
                assert_eq!(call(&mut w, u64::from(entry.nr), [0; 6]), Errno::ENOSYS.to_ret());
                assert!(w.k.report.unsupported.iter().any(|line| line.nr == entry.nr), "{}", entry.name);
            }
        }
    }
}
