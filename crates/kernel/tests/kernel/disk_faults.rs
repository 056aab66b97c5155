//! Disks that go wrong: each kind of fault, what it does and to whom, and that it is counted.

use super::disk_model::*;
use snowglobe_abi::Errno;
use snowglobe_abi::fault::DiskProfile::*;
use snowglobe_abi::fault::DiskVerb;
use snowglobe_abi::map::PAGE;
use snowglobe_abi::spec::Chance;

const ALWAYS: Chance = Chance::SURE;
const SECOND: u64 = 1_000_000_000;

impl Disk {
    /// A disk with a file that is on it.
    fn with_file(bytes: &[u8]) -> Disk {
        let mut disk = Disk::new(Ext4Ordered, 7);
        disk.put("/d/f", bytes);
        disk.sync();
        disk
    }

    fn strike(&mut self, verb: DiskVerb) {
        self.w.k.strike_disks(0, &[0], None, verb);
    }

    fn heal(&mut self) {
        self.w.k.heal_disks(0);
    }

    fn hits(&self) -> u64 {
        self.w.k.disk_hits(0)
    }

    fn read(&mut self, fd: u64, len: u64) -> Result<Vec<u8>, Errno> {
        let buf = self.w.room(len as usize);
        let n = self.w.call(self.t, "pread64", [fd, buf, len, 0]);
        if n < 0 { Err(Errno(-n as u16)) } else { Ok(self.w.get(buf, n as usize)) }
    }
}

#[test]
fn a_read_of_what_is_on_the_disk_fails_and_one_of_the_cache_does_not() {
    let mut disk = Disk::with_file(b"text");
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::ReadError(ALWAYS));
    assert_eq!(disk.read(fd, 4), Err(Errno::EIO));
    assert_eq!(disk.write(fd, 0, b"more"), 4);
    assert_eq!(disk.read(fd, 4).unwrap(), b"more");
    assert_eq!(disk.hits(), 1);
    disk.heal();
    disk.w.ok(disk.t, "fsync", [fd]);
    assert_eq!(disk.read(fd, 4).unwrap(), b"more");
}

#[test]
fn a_fault_of_a_path_is_about_that_path() {
    let mut disk = Disk::with_file(b"text");
    disk.put("/d/other", b"more");
    disk.sync();
    disk.w.k.strike_disks(0, &[0], Some("/d/o*r"), DiskVerb::ReadError(ALWAYS));
    let (f, other) = (disk.open("/d/f", 0), disk.open("/d/other", 0));
    assert_eq!(disk.read(f, 4).unwrap(), b"text");
    assert_eq!(disk.read(other, 4), Err(Errno::EIO));
}

#[test]
fn a_fault_of_another_host_is_none_of_this_one() {
    let mut disk = Disk::with_file(b"text");
    disk.w.k.strike_disks(0, &[1], None, DiskVerb::ReadError(ALWAYS));
    assert_eq!(disk.get("/d/f").unwrap(), b"text");
    assert_eq!(disk.hits(), 0);
}

#[test]
fn writes_fail_while_the_fault_lasts() {
    let mut disk = Disk::with_file(b"text");
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::WriteError(ALWAYS));
    assert_eq!(disk.write(fd, 0, b"more"), Errno::EIO.to_ret());
    disk.heal();
    assert_eq!(disk.write(fd, 0, b"more"), 4);
}

#[test]
fn a_sync_that_fails_is_told_once_to_each_who_had_it_open_and_its_pages_are_never_written() {
    let mut disk = Disk::with_file(b"old!");
    let (a, b) = (disk.open("/d/f", RDWR), disk.open("/d/f", RDWR));
    disk.write(a, 0, b"new!");
    disk.strike(DiskVerb::SyncError(ALWAYS));
    assert_eq!(disk.w.err(disk.t, "fsync", [a]), Errno::EIO);
    // The pages count as clean: the next sync has nothing to write, and so nothing fails.
    disk.w.ok(disk.t, "fsync", [a]);
    assert_eq!(disk.hits(), 1);
    assert_eq!(disk.w.err(disk.t, "fsync", [b]), Errno::EIO, "another description");
    disk.w.ok(disk.t, "fsync", [b]);
    let late = disk.open("/d/f", RDWR);
    disk.w.ok(disk.t, "fsync", [late]);
    disk.heal();
    assert_eq!(disk.get("/d/f").unwrap(), b"new!", "the cache still has it");
    disk.sync();
    disk.crash();
    assert_eq!(disk.get("/d/f").unwrap(), b"old!", "the disk never got it");
}

#[test]
fn who_opens_after_a_failure_that_nobody_has_seen_is_told() {
    let mut disk = Disk::with_file(b"old!");
    let fd = disk.open("/d/f", RDWR);
    disk.write(fd, 0, b"new!");
    disk.strike(DiskVerb::SyncError(ALWAYS));
    disk.sync();
    let late = disk.open("/d/f", RDWR);
    assert_eq!(disk.w.err(disk.t, "fsync", [late]), Errno::EIO);
    let later = disk.open("/d/f", RDWR);
    disk.w.ok(disk.t, "fsync", [later]);
}

#[test]
fn pages_that_a_failed_sync_dropped_are_written_when_they_are_changed_again() {
    let mut disk = Disk::with_file(b"old!");
    let fd = disk.open("/d/f", RDWR);
    disk.write(fd, 0, b"new!");
    disk.strike(DiskVerb::SyncError(ALWAYS));
    assert_eq!(disk.w.err(disk.t, "fsync", [fd]), Errno::EIO);
    disk.heal();
    disk.write(fd, 0, b"new!");
    disk.w.ok(disk.t, "fsync", [fd]);
    disk.crash();
    assert_eq!(disk.get("/d/f").unwrap(), b"new!");
}

#[test]
fn reads_and_writes_do_a_part() {
    let mut disk = Disk::with_file(&[5; 1000]);
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::Short(ALWAYS));
    let n = disk.read(fd, 1000).unwrap().len();
    assert!((1..1000).contains(&n), "{n} bytes");
    let n = disk.write(fd, 0, &[6; 1000]);
    assert!((1..1000).contains(&n), "{n} bytes");
    assert_eq!(disk.hits(), 2);
}

#[test]
fn a_bit_that_turns_stays_turned() {
    let mut disk = Disk::with_file(&[0; 100]);
    disk.strike(DiskVerb::Flip(ALWAYS));
    let fd = disk.open("/d/f", RDWR);
    let read = disk.read(fd, 100).unwrap();
    assert_eq!(read.iter().map(|b| b.count_ones()).sum::<u32>(), 1);
    disk.heal();
    assert_eq!(disk.read(fd, 100).unwrap(), read);
    disk.crash();
    assert_eq!(disk.get("/d/f").unwrap(), read);
}

#[test]
fn a_write_that_gets_lost_is_acknowledged() {
    let mut disk = Disk::with_file(b"old!");
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::Lost(ALWAYS));
    disk.write(fd, 0, b"new!");
    assert_eq!(disk.read(fd, 4).unwrap(), b"new!");
    disk.w.ok(disk.t, "fsync", [fd]);
    assert_eq!(disk.read(fd, 4).unwrap(), b"old!");
    assert_eq!(disk.hits(), 1);
}

#[test]
fn a_misdirected_write_lands_on_another_page_of_the_file() {
    let page = PAGE as usize;
    let mut disk = Disk::with_file(&[[1; PAGE as usize], [2; PAGE as usize], [3; PAGE as usize]].concat());
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::Misdirected(ALWAYS));
    disk.write(fd, 0, &[9; PAGE as usize]);
    disk.w.ok(disk.t, "fsync", [fd]);
    disk.heal();
    let now: Vec<u8> = disk.get("/d/f").unwrap().chunks(page).map(|c| c[0]).collect();
    assert!(now == [1, 9, 3] || now == [1, 2, 9], "{now:?}");
}

#[test]
fn a_slow_disk_takes_its_time_for_what_reaches_it() {
    let mut disk = Disk::with_file(b"text");
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::Latency(2 * SECOND));
    let buf = disk.w.room(4);
    let before = disk.w.now();
    disk.w.waits(disk.t, "read", [fd, buf, 4]);
    assert_eq!(disk.w.finish(disk.t), 4);
    assert!((2 * SECOND..3 * SECOND).contains(&(disk.w.now() - before)));
    assert_eq!(disk.w.get(buf, 4), b"text");
    // A write ends in the cache; a sync does not.
    assert_eq!(disk.write(fd, 0, b"more"), 4);
    let before = disk.w.now();
    disk.w.waits(disk.t, "fsync", [fd]);
    assert_eq!(disk.w.finish(disk.t), 0);
    assert!((2 * SECOND..3 * SECOND).contains(&(disk.w.now() - before)));
    assert_eq!(disk.hits(), 2);
}

#[test]
fn a_stalled_disk_goes_on_when_the_fault_ends() {
    let mut disk = Disk::with_file(b"text");
    let fd = disk.open("/d/f", RDWR);
    disk.strike(DiskVerb::Stall);
    let buf = disk.w.room(4);
    disk.w.waits(disk.t, "pread64", [fd, buf, 4, 0]);
    assert!(disk.w.is_waiting(disk.t));
    disk.heal();
    assert_eq!(disk.w.finish(disk.t), 4);
    assert_eq!(disk.w.get(buf, 4), b"text");
}

#[test]
fn a_full_disk_takes_nothing_new_and_lets_go() {
    for (verb, errno) in [(DiskVerb::Full, Errno::ENOSPC), (DiskVerb::Quota, Errno::EDQUOT)] {
        let mut disk = Disk::with_file(b"text");
        let fd = disk.open("/d/f", RDWR);
        disk.strike(verb);
        assert_eq!(disk.write(fd, PAGE, b"more"), errno.to_ret());
        assert_eq!(disk.write(fd, 0, b"more"), 4, "in place");
        assert_eq!(disk.path_call("mkdir", "/d/sub", [0o755]), errno.to_ret());
        assert_eq!(disk.path_call("open", "/d/new", [RDWR | CREAT, 0o600]), errno.to_ret());
        assert_eq!(disk.path_call("unlink", "/d/f", []), 0);
        assert_eq!(disk.hits(), 3);
        disk.heal();
        disk.put("/d/new", b"text");
    }
}

#[test]
fn a_disk_that_has_become_read_only_refuses_changes_and_can_be_read() {
    let mut disk = Disk::with_file(b"text");
    let fd = disk.open("/d/f", RDWR);
    disk.write(fd, 0, b"more");
    disk.strike(DiskVerb::ReadOnly);
    assert_eq!(disk.write(fd, 0, b"none"), Errno::EROFS.to_ret());
    assert_eq!(disk.w.err(disk.t, "fsync", [fd]), Errno::EROFS);
    assert_eq!(disk.path_call("open", "/d/f", [RDWR, 0]), Errno::EROFS.to_ret());
    assert_eq!(disk.path_call("unlink", "/d/f", []), Errno::EROFS.to_ret());
    assert_eq!(disk.path_call("chmod", "/d/f", [0o600]), Errno::EROFS.to_ret());
    assert_eq!(disk.path_call("truncate", "/d/f", [0]), Errno::EROFS.to_ret());
    assert_eq!(disk.path_call("open", "/tmp/f", [RDWR | CREAT, 0o600]).min(0), 0, "memory is no disk");
    let mounts = disk.get_proc("/proc/mounts");
    assert!(mounts.contains(" / ext4 ro,"), "{mounts}");
    assert_eq!(disk.read(fd, 4).unwrap(), b"more");
    assert_eq!(disk.hits(), 6);
    disk.heal();
    assert_eq!(disk.hits(), 6);
    assert_eq!(disk.write(fd, 0, b"some"), 4);
}

impl Disk {
    fn get_proc(&mut self, path: &str) -> String {
        let fd = self.open(path, 0);
        let bytes = self.read(fd, 4096).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

#[test]
fn chances_are_drawn_from_the_seed() {
    let failures = |seed: u64| {
        let mut disk = Disk::new(Ext4Ordered, seed);
        disk.put("/d/f", b"text");
        disk.sync();
        disk.strike(DiskVerb::ReadError(Chance(Chance::SURE.0 / 4)));
        let fd = disk.open("/d/f", 0);
        (0..200).map(|_| disk.read(fd, 4).is_err()).collect::<Vec<_>>()
    };
    assert_eq!(failures(1), failures(1));
    assert_ne!(failures(1), failures(2));
    let n = failures(1).into_iter().filter(|f| *f).count();
    assert!((25..80).contains(&n), "{n} of 200 with a chance of a quarter");
}
