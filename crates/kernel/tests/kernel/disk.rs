//! What each profile leaves of the ways in which programs write files, and what a host finds when it boots again.

use super::disk_model::*;
use super::help::*;
use snowglobe_abi::Errno;
use snowglobe_abi::fault::DiskProfile::{self, *};
use snowglobe_abi::map::PAGE;
use std::collections::BTreeSet;

const SEEDS: u64 = 100;

/// All that is left of a file over many seeds.
fn outcomes(profile: DiskProfile, path: &str, story: impl Fn(&mut Disk)) -> BTreeSet<Option<Vec<u8>>> {
    (0..SEEDS)
        .map(|seed| {
            let mut disk = Disk::new(profile, seed);
            story(&mut disk);
            disk.crash();
            disk.get(path)
        })
        .collect()
}

fn set<const N: usize>(of: [Option<&[u8]>; N]) -> BTreeSet<Option<Vec<u8>>> {
    of.into_iter().map(|o| o.map(<[u8]>::to_vec)).collect()
}

#[test]
fn a_new_file_that_nobody_synced_is_gone_empty_or_there() {
    for profile in [Ext4Ordered, Xfs, PosixWorst] {
        let all = outcomes(profile, "/d/new", |disk| disk.put("/d/new", b"text"));
        let mut want = set([None, Some(b""), Some(b"text")]);
        if profile == PosixWorst {
            want.insert(Some(vec![0; 4]));
        }
        assert_eq!(all, want, "{profile:?}");
    }
}

/// Writes a new file and renames it over the old one, without a sync.
fn replace(disk: &mut Disk) {
    disk.put("/d/f", b"old");
    disk.sync();
    disk.put("/d/f.new", b"new text");
    assert_eq!(disk.rename("/d/f.new", "/d/f"), 0);
}

#[test]
fn a_rename_over_a_file_is_all_or_nothing_on_ext4() {
    // auto_da_alloc: the data goes before the rename.
    assert_eq!(outcomes(Ext4Ordered, "/d/f", replace), set([Some(b"old"), Some(b"new text")]));
}

#[test]
fn a_rename_over_a_file_may_leave_it_empty_on_xfs() {
    assert_eq!(outcomes(Xfs, "/d/f", replace), set([Some(b"old"), Some(b""), Some(b"new text")]));
}

#[test]
fn with_a_sync_of_the_new_file_a_rename_is_safe_everywhere() {
    for profile in PROFILES {
        let all = outcomes(profile, "/d/f", |disk| {
            disk.put("/d/f", b"old");
            disk.sync();
            disk.put("/d/f.new", b"new text");
            disk.fsync("/d/f.new");
            assert_eq!(disk.rename("/d/f.new", "/d/f"), 0);
        });
        assert_eq!(all, set([Some(b"old"), Some(b"new text")]), "{profile:?}");
    }
}

#[test]
fn a_file_that_is_cut_and_written_anew_may_be_empty() {
    let story = |disk: &mut Disk| {
        disk.put("/d/f", b"old");
        disk.sync();
        let fd = disk.open("/d/f", RDWR | TRUNC);
        disk.write(fd, 0, b"new text");
        disk.close(fd);
    };
    for profile in [Ext4Ordered, Xfs] {
        assert_eq!(outcomes(profile, "/d/f", story), set([Some(b"old"), Some(b""), Some(b"new text")]), "{profile:?}");
    }
}

#[test]
fn a_sync_of_a_new_file_keeps_its_name_where_there_is_a_journal() {
    for profile in PROFILES {
        let all = outcomes(profile, "/d/new", |disk| {
            disk.put("/d/new", b"text");
            disk.fsync("/d/new");
        });
        let want = if profile == PosixWorst { set([None, Some(b"text")]) } else { set([Some(b"text")]) };
        assert_eq!(all, want, "{profile:?}");
    }
}

#[test]
fn an_append_within_a_page_may_be_zeros_on_ext4_and_not_on_xfs() {
    let story = |disk: &mut Disk| {
        disk.put("/d/log", b"one ");
        disk.sync();
        let fd = disk.open("/d/log", RDWR);
        disk.write(fd, 4, b"two");
        disk.close(fd);
    };
    let want = set([Some(b"one "), Some(b"one two"), Some(b"one \0\0\0")]);
    assert_eq!(outcomes(Ext4Ordered, "/d/log", story), want);
    assert_eq!(outcomes(Xfs, "/d/log", story), set([Some(b"one "), Some(b"one two")]));
}

#[test]
fn foreign_bytes_are_left_by_writeback_alone() {
    for profile in PROFILES {
        let all = outcomes(profile, "/d/new", |disk| {
            disk.put("/d/new", &[7; 2 * PAGE as usize]);
            disk.fsync("/d");
            let fd = disk.open("/d/new", RDWR);
            disk.w.ok(disk.t, "sync_file_range", [fd, 0, 0, 2]);
            disk.close(fd);
        });
        let foreign = all.iter().flatten().any(|bytes| bytes.iter().any(|b| *b != 7 && *b != 0));
        assert_eq!(foreign, profile == Ext4Writeback, "{profile:?}");
        let zeros = all.iter().flatten().any(|bytes| bytes.contains(&0));
        assert_eq!(zeros, matches!(profile, Ext4Writeback | PosixWorst), "{profile:?}");
    }
}

#[test]
fn what_is_old_enough_has_been_written_in_the_background() {
    for profile in [Ext4Ordered, Ext4Writeback, Xfs] {
        let all = outcomes(profile, "/d/new", |disk| {
            disk.put("/d/new", b"text");
            disk.w.sleep(disk.t, 61_000_000_000);
        });
        assert_eq!(all, set([Some(b"text")]), "{profile:?}");
    }
    // The name is in the journal after 5 s, the data is not.
    let all = outcomes(Ext4Ordered, "/d/new", |disk| {
        disk.put("/d/new", b"text");
        disk.w.sleep(disk.t, 6_000_000_000);
    });
    assert_eq!(all, set([Some(b""), Some(b"text")]));
}

#[test]
fn versions_in_between_can_be_what_is_left() {
    let all = outcomes(Ext4Ordered, "/d/f", |disk| {
        for text in [b"one", b"two", b"333"] {
            disk.put("/d/f", text);
            disk.w.sleep(disk.t, 40_000_000_000);
        }
        disk.put("/d/f", b"end");
    });
    assert_eq!(all, set([Some(b"333"), Some(b"end")]));
}

#[test]
fn writes_that_go_through_are_never_lost() {
    const SYNC: u64 = 0o4010000;
    const DSYNC: u64 = 0o10000;
    for profile in PROFILES {
        for flags in [SYNC, DSYNC] {
            let all = outcomes(profile, "/d/f", |disk| {
                disk.put("/d/f", b"old text");
                disk.sync();
                let fd = disk.open("/d/f", RDWR | flags);
                disk.write(fd, 0, b"new text and more");
                disk.close(fd);
            });
            assert_eq!(all, set([Some(b"new text and more")]), "{profile:?} {flags:o}");
        }
        for rwf in [2, 4] {
            let all = outcomes(profile, "/d/f", |disk| {
                disk.put("/d/f", b"old text");
                disk.sync();
                let fd = disk.open("/d/f", RDWR);
                let text = disk.w.put(b"new text");
                let iov = disk.w.longs(&[text, 8]);
                disk.w.ok(disk.t, "pwritev2", [fd, iov, 1, 0, 0, rwf]);
                disk.close(fd);
            });
            assert_eq!(all, set([Some(b"new text")]), "{profile:?} RWF {rwf}");
        }
    }
}

#[test]
fn fdatasync_leaves_attributes_that_data_does_not_need_to_chance() {
    let mut modes = BTreeSet::new();
    for seed in 0..SEEDS {
        let mut disk = Disk::new(Ext4Ordered, seed);
        disk.put("/d/f", b"old");
        disk.sync();
        disk.path_call("chmod", "/d/f", [0o600]);
        let fd = disk.open("/d/f", RDWR);
        disk.write(fd, 0, b"new");
        disk.w.ok(disk.t, "fdatasync", [fd]);
        disk.close(fd);
        disk.crash();
        assert_eq!(disk.get("/d/f").unwrap(), b"new");
        modes.insert(disk.mode("/d/f") & 0o777);
    }
    assert_eq!(modes, BTreeSet::from([0o600, 0o644]));
}

impl Disk {
    fn mode(&mut self, path: &str) -> u32 {
        let buf = self.w.room(144);
        assert_eq!(self.path_call("stat", path, [buf]), 0);
        self.w.word(buf + 24)
    }

    fn links(&mut self, path: &str) -> u64 {
        let buf = self.w.room(144);
        assert_eq!(self.path_call("stat", path, [buf]), 0);
        self.w.long(buf + 16)
    }
}

#[test]
fn links_are_counted_after_a_crash() {
    for profile in PROFILES {
        for seed in 0..40 {
            let mut disk = Disk::new(profile, seed);
            disk.put("/d/f", b"text");
            disk.path_call("mkdir", "/d/sub", [0o755]);
            disk.sync();
            let (from, to) = (disk.text("/d/f"), disk.text("/d/sub/g"));
            disk.w.ok(disk.t, "link", [from, to]);
            disk.path_call("unlink", "/d/f", []);
            disk.path_call("mkdir", "/d/sub/deep", [0o755]);
            disk.crash();
            let names: Vec<_> = ["/d/f", "/d/sub/g"].into_iter().filter(|p| disk.get(p).is_some()).collect();
            for name in &names {
                assert_eq!(disk.links(name), names.len() as u64, "{profile:?}, seed {seed}");
            }
            let deep = u64::from(disk.names("/d/sub").contains(&"deep".into()));
            assert_eq!(disk.links("/d/sub"), 2 + deep);
            assert_eq!(disk.links("/d"), 3);
        }
    }
}

#[test]
fn a_file_without_a_name_is_gone() {
    let mut disk = Disk::new(Ext4Ordered, 1);
    disk.put("/d/f", b"text");
    let fd = disk.open("/d/f", RDWR);
    disk.path_call("unlink", "/d/f", []);
    disk.w.ok(disk.t, "fsync", [fd]);
    disk.crash();
    assert_eq!(disk.names("/d"), Vec::<String>::new());
}

#[test]
fn what_is_in_memory_only_is_empty_and_in_its_place() {
    let mut disk = Disk::new(Ext4Ordered, 1);
    disk.put("/tmp/f", b"text");
    disk.put("/dev/shm/f", b"text");
    disk.put("/etc/own", b"text");
    disk.sync();
    disk.crash();
    assert_eq!(disk.get("/tmp/f"), None);
    assert_eq!(disk.get("/dev/shm/f"), None);
    assert_eq!(disk.get("/etc/own").unwrap(), b"text");
    assert!(disk.get("/etc/hosts").is_some());
    disk.put("/tmp/f", b"again");
    assert_eq!(disk.get("/dev/null").unwrap(), b"");
    assert_eq!(disk.names("/run"), ["lock"]);
}

#[test]
fn volumes_are_where_they_were_however_often_the_power_is_lost() {
    let mut gone = BTreeSet::new();
    for seed in 0..30 {
        let mut disk = Disk::new(Xfs, seed);
        disk.put("/own/kept", b"text");
        disk.sync();
        for _ in 0..3 {
            disk.put("/own/lost", b"text");
            disk.put("/shared/f", b"text");
            disk.put("/own/scratch/f", b"text");
            disk.crash();
            assert_eq!(disk.get("/own/kept").unwrap(), b"text");
            assert_eq!(disk.get("/shared/f").unwrap(), b"text", "a volume of several hosts keeps its power");
            assert_eq!(disk.names("/own/scratch"), Vec::<String>::new());
            gone.insert(disk.get("/own/lost").is_none());
        }
    }
    assert_eq!(gone.len(), 2, "a volume of one host is of its disk");
}

#[test]
fn a_world_without_a_fault_of_disks_watches_none() {
    let mut w = World::new();
    let t = w.process(0);
    assert!(w.k.hosts[0].root.fs.disk.is_none());
    let path = w.put(b"/f\0");
    let fd = w.ok(t, "open", [path, RDWR | CREAT, 0o600]);
    w.ok(t, "fsync", [fd]);
}

#[test]
fn directories_that_move_into_each_other_are_never_lost() {
    for profile in PROFILES {
        for seed in 0..100 {
            let mut disk = Disk::new(profile, seed);
            disk.path_call("mkdir", "/d/p", [0o755]);
            disk.path_call("mkdir", "/d/p/q", [0o755]);
            disk.put("/d/p/q/f", b"kept");
            disk.sync();
            assert_eq!(disk.rename("/d/p/q", "/d/q"), 0);
            assert_eq!(disk.rename("/d/p", "/d/q/p"), 0);
            disk.crash();
            let places = ["/d/p/q/f", "/d/q/f", "/d/q/p/q/f"];
            let found = places.into_iter().filter(|p| disk.get(p).is_some()).count();
            assert_eq!(found, 1, "{profile:?}, seed {seed}: {:?}", disk.names("/d"));
        }
    }
}

#[test]
fn what_a_mapping_has_changed_is_durable_after_msync() {
    const SHARED: u64 = 1;
    const SYNC: u64 = 4;
    for profile in PROFILES {
        let mut kept = BTreeSet::new();
        for seed in 0..60 {
            let mut disk = Disk::new(profile, seed);
            disk.put("/d/f", &[1; 2 * PAGE as usize]);
            disk.sync();
            let fd = disk.open("/d/f", RDWR);
            let at = disk.w.ok(disk.t, "mmap", [0, 2 * PAGE, 3, SHARED, fd, 0]);
            disk.poke("/d/f", 0, 2);
            disk.w.ok(disk.t, "msync", [at, 2 * PAGE, SYNC]);
            disk.poke("/d/f", 1, 3);
            disk.crash();
            let bytes = disk.get("/d/f").unwrap();
            assert_eq!(bytes[0], 2, "{profile:?}: what msync has made durable");
            kept.insert(bytes[PAGE as usize]);
        }
        assert_eq!(kept, BTreeSet::from([1, 3]), "{profile:?}: what it has not");
    }
}

impl Disk {
    /// Changes a byte of a page as a mapping does: without a call.
    fn poke(&mut self, path: &str, page: u64, byte: u8) {
        let node = self.node(path);
        let piece = node.content().unwrap().borrow().pieces(page * PAGE, 1)[0];
        snowglobe_kernel::machine::Machine::store_write(&mut self.w.m, piece.store.unwrap(), &[byte]);
    }

    pub fn node(&mut self, path: &str) -> snowglobe_kernel::fs::inode::InodeRef {
        self.w.k.walk(&mut self.w.m, self.t, -100, path.as_bytes(), true).unwrap().inode().unwrap()
    }
}

#[test]
fn a_disk_tells_what_it_tells_on_linux_of_the_wrong_kind_of_file() {
    let mut disk = Disk::new(Ext4Ordered, 1);
    let (a, _) = disk.w.pair(disk.t, STREAM);
    assert_eq!(disk.w.err(disk.t, "fsync", [a]), Errno::EINVAL);
    assert_eq!(disk.w.err(disk.t, "fdatasync", [a]), Errno::EINVAL);
    disk.w.ok(disk.t, "syncfs", [a]);
}

#[test]
fn files_that_were_removed_make_room_before_a_disk_is_full() {
    let mut disk = Disk::new(Ext4Ordered, 1);
    let free = disk.w.k.spec.knobs.disk / PAGE;
    let page = vec![1; PAGE as usize];
    disk.put("/d/f", &page);
    let fd = disk.open("/d/f", RDWR);
    disk.w.ok(disk.t, "fallocate", [fd, 0, 0, (free - 1000) * PAGE]);
    disk.close(fd);
    disk.path_call("unlink", "/d/f", []);
    let fd = disk.open("/d/g", RDWR | CREAT);
    disk.w.ok(disk.t, "fallocate", [fd, 0, 0, (free - 1000) * PAGE]);
}

#[test]
fn programs_that_never_sync_do_not_fill_the_memory() {
    let mut disk = Disk::new(Ext4Ordered, 1);
    for round in 0..20_000 {
        let path = disk.text(&format!("/d/{}", round % 7));
        let fd = disk.w.ok(disk.t, "open", [path, RDWR | CREAT | APPEND, 0o600]);
        disk.close(fd);
        disk.path_call("unlink", &format!("/d/{}", round % 7), []);
    }
    let pending = disk.node("/d").fs.disk.as_ref().unwrap().pending();
    assert!(pending <= 8193, "{pending} changes are kept");
}
