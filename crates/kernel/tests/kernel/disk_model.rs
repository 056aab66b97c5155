//! Short histories of a directory, what each profile permits a crash to leave of them, and what the kernel leaves.
//!
//! The model here knows nothing of how the kernel keeps what is durable: it goes through all that could have been made of a
//! history, from the rules in the book.

use super::help::*;
use proptest::prelude::*;
use snowglobe_abi::fault::{DiskProfile, Fault, HostVerb, Planned, When};
use snowglobe_abi::map::PAGE;
use snowglobe_abi::spec::{MountSource, MountSpec};
use snowglobe_kernel::task::{HostId, TaskId};
use std::collections::{BTreeMap, BTreeSet};

pub const RDWR: u64 = 2;
pub const CREAT: u64 = 0o100;
pub const TRUNC: u64 = 0o1000;
pub const APPEND: u64 = 0o2000;

pub const PROFILES: [DiskProfile; 4] =
    [DiskProfile::Ext4Ordered, DiskProfile::Ext4Writeback, DiskProfile::Xfs, DiskProfile::PosixWorst];

/// A world with one directory on a disk from which the power may be taken, and somebody who works in it.
pub struct Disk {
    pub w: World,
    pub t: TaskId,
}

impl Disk {
    pub fn new(profile: DiskProfile, seed: u64) -> Disk {
        let loss = Fault::Host { hosts: vec![0], verb: HostVerb::PowerLoss { restart: None } };
        let planned = Planned { when: When::At(1 << 60), lasts: None, fault: loss, cause: "test".into() };
        let mount = |target: &str, source| MountSpec { target: target.into(), source, read_only: false };
        let own = mount("/own", MountSource::Volume("own".into()));
        let shared = mount("/shared", MountSource::Volume("shared".into()));
        let scratch = mount("/own/scratch", MountSource::Tmpfs);
        let mut w = World::of(|spec| {
            spec.hosts[1].mounts.push(shared.clone());
            spec.hosts[0].mounts.extend([own, shared, scratch]);
            spec.seed = seed;
            spec.knobs.disk_profile = profile;
            spec.faults.timeline.push(planned);
        });
        let t = w.process(0);
        let mut disk = Disk { w, t };
        disk.path_call("mkdir", "/d", [0o755]);
        disk.sync();
        disk
    }

    pub fn text(&mut self, path: &str) -> u64 {
        self.w.put(format!("{path}\0").as_bytes())
    }

    pub fn path_call<const N: usize>(&mut self, name: &str, path: &str, more: [u64; N]) -> i64 {
        let path = self.text(path);
        let mut args = [0; 6];
        args[0] = path;
        args[1..=N].copy_from_slice(&more);
        self.w.call(self.t, name, args)
    }

    pub fn open(&mut self, path: &str, flags: u64) -> u64 {
        let fd = self.path_call("open", path, [flags, 0o644]);
        u64::try_from(fd).unwrap_or_else(|_| panic!("open of {path} gave {fd}"))
    }

    pub fn close(&mut self, fd: u64) {
        self.w.ok(self.t, "close", [fd]);
    }

    /// Writes bytes at an offset.
    pub fn write(&mut self, fd: u64, at: u64, bytes: &[u8]) -> i64 {
        let buf = self.w.put(bytes);
        self.w.call(self.t, "pwrite64", [fd, buf, bytes.len() as u64, at])
    }

    /// Makes a file with this content.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        let fd = self.open(path, RDWR | CREAT);
        assert_eq!(self.write(fd, 0, bytes), bytes.len() as i64);
        self.close(fd);
    }

    pub fn fsync(&mut self, path: &str) {
        let fd = self.open(path, 0);
        self.w.ok(self.t, "fsync", [fd]);
        self.close(fd);
    }

    pub fn sync(&mut self) {
        self.w.ok(self.t, "sync", []);
    }

    pub fn rename(&mut self, from: &str, to: &str) -> i64 {
        let (from, to) = (self.text(from), self.text(to));
        self.w.call(self.t, "rename", [from, to])
    }

    /// The power is lost, and the host boots again.
    pub fn crash(&mut self) {
        self.w.k.crash_disks(HostId(0), &mut self.w.m);
        self.t = self.w.process(0);
    }

    /// What is in a file, if it is there.
    pub fn get(&mut self, path: &str) -> Option<Vec<u8>> {
        let fd = self.path_call("open", path, [0]);
        let fd = u64::try_from(fd).ok()?;
        let size = self.w.ok(self.t, "lseek", [fd, 0, 2]);
        let buf = self.w.room(size as usize + 1);
        let n = self.w.ok(self.t, "pread64", [fd, buf, size + 1, 0]);
        self.close(fd);
        assert_eq!(n, size);
        Some(self.w.get(buf, n as usize))
    }

    /// The names in a directory.
    pub fn names(&mut self, dir: &str) -> Vec<String> {
        let fd = self.open(dir, 0);
        let buf = self.w.room(8192);
        let n = self.w.ok(self.t, "getdents64", [fd, buf, 8192]);
        let raw = self.w.get(buf, n as usize);
        self.close(fd);
        let mut out = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let len = usize::from(u16::from_le_bytes([raw[at + 16], raw[at + 17]]));
            let name = raw[at + 19..at + len].split(|b| *b == 0).next().unwrap();
            out.push(String::from_utf8(name.to_vec()).unwrap());
            at += len;
        }
        out.retain(|name| name != "." && name != "..");
        out.sort();
        out
    }
}

/// One step of a history. Names and pages are few, so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    /// Writes a page of a file with a byte of its own; the file is made if it is not there.
    Write {
        name: usize,
        page: u64,
    },
    /// Cuts or extends a file to so many pages.
    Truncate {
        name: usize,
        pages: u64,
    },
    Rename {
        from: usize,
        to: usize,
    },
    Unlink {
        name: usize,
    },
    Fsync {
        name: usize,
    },
    FsyncDir,
    /// Lets so many seconds pass.
    Wait(u64),
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        6 => (name.clone(), 0u64..3).prop_map(|(name, page)| Step::Write { name, page }),
        1 => (name.clone(), 0u64..3).prop_map(|(name, pages)| Step::Truncate { name, pages }),
        3 => (name.clone(), name.clone()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => name.clone().prop_map(|name| Step::Unlink { name }),
        2 => name.prop_map(|name| Step::Fsync { name }),
        1 => Just(Step::FsyncDir),
        1 => (1u64..50).prop_map(Step::Wait),
    ]
}

/// What a file has been.
#[derive(Clone, Debug, Default)]
struct File {
    size: u64,
    pages: BTreeMap<u64, u8>,
    /// Sizes that it may have on a disk: since its last sync, in order.
    sizes: Vec<u64>,
    /// Bytes that each page may have on a disk; 0 for a page that was never written.
    seen: BTreeMap<u64, BTreeSet<u8>>,
}

impl File {
    fn resize(&mut self, size: u64) {
        if size < self.size {
            for page in size.div_ceil(PAGE)..self.size.div_ceil(PAGE) {
                self.pages.remove(&page);
                self.seen.entry(page).or_default().insert(0);
            }
        }
        self.size = size;
        self.sizes.push(size);
    }

    fn write(&mut self, page: u64, byte: u8) {
        self.seen.entry(page).or_insert_with(|| BTreeSet::from([0])).insert(byte);
        self.pages.insert(page, byte);
        self.resize(self.size.max((page + 1) * PAGE));
    }

    /// All of it is on the disk.
    fn synced(&mut self) {
        self.sizes = vec![self.size];
        let size = self.size.div_ceil(PAGE);
        self.seen = (0..size).map(|p| (p, BTreeSet::from([self.pages.get(&p).copied().unwrap_or(0)]))).collect();
    }
}

/// A change of names: name to file, as one.
type Change = Vec<(usize, Option<usize>)>;

/// What was done, and what of it a disk may have.
#[derive(Default)]
struct Model {
    journal: bool,
    files: Vec<File>,
    names: BTreeMap<usize, usize>,
    /// Names as they are on the disk for sure, and the changes since.
    durable: BTreeMap<usize, usize>,
    changes: Vec<Change>,
    next: u8,
}

impl Model {
    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    fn commit(&mut self) {
        self.durable = self.names.clone();
        self.changes.clear();
    }

    /// All states of the names that a crash may leave.
    fn states(&self) -> BTreeSet<BTreeMap<usize, usize>> {
        let n = self.changes.len();
        if self.journal {
            return (0..=n).map(|cut| self.after((0..n).map(|i| i < cut))).collect();
        }
        (0u32..1 << n)
            .filter(|set| self.builds(*set))
            .map(|set| self.after((0..n).map(|i| set >> i & 1 != 0)))
            .collect()
    }

    /// Whether a set of changes has, with each change, all earlier ones of its names.
    fn builds(&self, set: u32) -> bool {
        let meet = |a: &Change, b: &Change| a.iter().any(|(x, _)| b.iter().any(|(y, _)| x == y));
        (0..self.changes.len())
            .filter(|j| set >> j & 1 != 0)
            .all(|j| (0..j).all(|i| set >> i & 1 != 0 || !meet(&self.changes[i], &self.changes[j])))
    }

    fn after(&self, chosen: impl Iterator<Item = bool>) -> BTreeMap<usize, usize> {
        let mut names = self.durable.clone();
        for (change, _) in self.changes.iter().zip(chosen).filter(|(_, chosen)| *chosen) {
            apply(&mut names, change);
        }
        names
    }
}

fn apply(names: &mut BTreeMap<usize, usize>, change: &Change) {
    for (name, file) in change {
        match file {
            Some(file) => names.insert(*name, *file),
            None => names.remove(name),
        };
    }
}

/// Makes a history on the kernel and in the model.
fn run(disk: &mut Disk, model: &mut Model, steps: &[Step]) {
    let path = |name: usize| format!("/d/{}", NAMES[name]);
    for step in steps {
        match *step {
            Step::Write { name, page } => {
                model.next += 1;
                let byte = model.next;
                let file = model.names.get(&name).copied().unwrap_or_else(|| {
                    model.files.push(File { sizes: vec![0], ..File::default() });
                    model.change(vec![(name, Some(model.files.len() - 1))]);
                    model.files.len() - 1
                });
                model.files[file].write(page, byte);
                let fd = disk.open(&path(name), RDWR | CREAT);
                assert_eq!(disk.write(fd, page * PAGE, &[byte; PAGE as usize]), PAGE as i64);
                disk.close(fd);
            }
            Step::Truncate { name, pages } => {
                let done = disk.path_call("truncate", &path(name), [pages * PAGE]);
                assert_eq!(done == 0, model.names.contains_key(&name));
                if let Some(file) = model.names.get(&name) {
                    model.files[*file].resize(pages * PAGE);
                }
            }
            Step::Rename { from, to } => {
                let done = disk.rename(&path(from), &path(to));
                assert_eq!(done == 0, model.names.contains_key(&from));
                if let Some(file) = model.names.get(&from).copied().filter(|_| from != to) {
                    model.change(vec![(from, None), (to, Some(file))]);
                }
            }
            Step::Unlink { name } => {
                let done = disk.path_call("unlink", &path(name), []);
                assert_eq!(done == 0, model.names.contains_key(&name));
                if done == 0 {
                    model.change(vec![(name, None)]);
                }
            }
            Step::Fsync { name } => {
                if let Some(file) = model.names.get(&name).copied() {
                    disk.fsync(&path(name));
                    model.files[file].synced();
                    // Which names a journal makes durable with it is the kernel's to say: those that it must are tested apart.
                }
            }
            Step::FsyncDir => {
                disk.fsync("/d");
                model.commit();
            }
            Step::Wait(seconds) => disk.w.sleep(disk.t, seconds * 1_000_000_000),
        }
    }
}

/// What the kernel left, in the words of the model; files are known by the bytes in their pages, so not empty ones.
fn left(disk: &mut Disk) -> BTreeMap<usize, Vec<u8>> {
    disk.names("/d")
        .iter()
        .map(|name| (NAMES.iter().position(|n| n == name).unwrap(), disk.get(&format!("/d/{name}")).unwrap()))
        .collect()
}

/// Whether a file's content is one that a crash may leave.
fn is_permitted(file: &File, bytes: &[u8], profile: DiskProfile) -> Result<(), String> {
    let size = bytes.len() as u64;
    let grows = file.sizes.windows(2).any(|w| w[0] <= size && size <= w[1]);
    if !(file.sizes.contains(&size) || grows && size.is_multiple_of(PAGE)) {
        return Err(format!("{size} bytes, it has had {:?}", file.sizes));
    }
    for (page, bytes) in bytes.chunks(PAGE as usize).enumerate() {
        let seen = file.seen.get(&(page as u64)).cloned().unwrap_or(BTreeSet::from([0]));
        let sector = if profile == DiskProfile::PosixWorst { 512 } else { PAGE as usize };
        for part in bytes.chunks(sector) {
            if part.iter().any(|b| *b != part[0]) {
                // Only what was on the disk before is neither what was written nor zeros.
                let stale = profile == DiskProfile::Ext4Writeback && seen.contains(&0);
                if !stale {
                    return Err(format!("page {page} is torn within a sector"));
                }
            } else if !seen.contains(&part[0]) {
                return Err(format!("page {page} has {}, it has had {seen:?}", part[0]));
            }
        }
    }
    Ok(())
}

/// A file of the model that a name may lead to with this content.
fn fits(model: &Model, names: &BTreeMap<usize, usize>, left: &BTreeMap<usize, Vec<u8>>, profile: DiskProfile) -> bool {
    names.keys().eq(left.keys())
        && names.iter().all(|(name, file)| is_permitted(&model.files[*file], &left[name], profile).is_ok())
}

fn check(profile: DiskProfile, seed: u64, steps: &[Step]) {
    let mut disk = Disk::new(profile, seed);
    let mut model = Model { journal: profile != DiskProfile::PosixWorst, ..Model::default() };
    run(&mut disk, &mut model, steps);
    let live = left(&mut disk);
    disk.crash();
    let after = left(&mut disk);
    let states = model.states();
    let fit = states.iter().any(|names| fits(&model, names, &after, profile));
    let short = |m: &BTreeMap<usize, Vec<u8>>| -> Vec<String> {
        let pages = |b: &Vec<u8>| b.chunks(PAGE as usize).map(|c| c[0]).collect::<Vec<_>>();
        m.iter().map(|(n, b)| format!("{}: {} bytes {:?}", NAMES[*n], b.len(), pages(b))).collect()
    };
    assert!(
        fit,
        "{profile:?}, seed {seed}: {steps:#?}\nbefore {:?}\nafter {:?}\npermitted names {states:?}\nfiles {:?}",
        short(&live),
        short(&after),
        model.files
    );
    // What is left is on the disk: another crash changes nothing.
    disk.crash();
    assert_eq!(after, left(&mut disk), "a second crash");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_leaves_what_the_profile_permits(
        profile in prop::sample::select(&PROFILES[..]),
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..10),
    ) {
        check(profile, seed, &steps);
    }

    #[test]
    fn what_was_synced_is_never_lost(
        profile in prop::sample::select(&PROFILES[..]),
        seed in any::<u64>(),
        before in prop::collection::vec(step(), 0..8),
        name in 0..NAMES.len(),
        pages in 1u64..4,
        others in prop::collection::vec(step(), 0..6),
    ) {
        let mut disk = Disk::new(profile, seed);
        let mut model = Model::default();
        run(&mut disk, &mut model, &before);
        let bytes = vec![250; (pages * PAGE) as usize - 7];
        let path = format!("/d/{}", NAMES[name]);
        let fd = disk.open(&path, RDWR | CREAT | TRUNC);
        disk.write(fd, 0, &bytes);
        disk.w.ok(disk.t, "fsync", [fd]);
        disk.close(fd);
        disk.fsync("/d");
        // What others do in the same directory is nothing to it.
        let touches = |step: &Step| match step {
            Step::Write { name: n, .. } | Step::Truncate { name: n, .. } | Step::Unlink { name: n } => *n == name,
            Step::Rename { from, to } => *from == name || *to == name,
            _ => false,
        };
        model.names.insert(name, usize::MAX);
        let others: Vec<Step> =
            others.into_iter().filter(|s| !touches(s) && !matches!(s, Step::Fsync { name: n } if *n == name)).collect();
        run(&mut disk, &mut model, &others);
        disk.crash();
        prop_assert_eq!(disk.get(&path), Some(bytes));
    }
}

#[test]
fn names_are_durable_with_their_directory_when_its_attributes_were_written_before() {
    for seed in 0..200 {
        let mut disk = Disk::new(DiskProfile::PosixWorst, seed);
        let steps = [Step::Write { name: 0, page: 0 }, Step::Wait(35), Step::Fsync { name: 0 }, Step::FsyncDir];
        run(&mut disk, &mut Model::default(), &steps);
        disk.crash();
        assert!(disk.get("/d/a").is_some(), "seed {seed}");
    }
}

/// The names that are left over many seeds, with the first byte of their files.
fn reached(profile: DiskProfile, steps: &[Step], seeds: u64) -> (BTreeSet<BTreeMap<usize, Vec<u8>>>, Model) {
    let mut out = BTreeSet::new();
    let mut model = Model::default();
    for seed in 0..seeds {
        let mut disk = Disk::new(profile, seed);
        model = Model { journal: profile != DiskProfile::PosixWorst, ..Model::default() };
        run(&mut disk, &mut model, steps);
        disk.crash();
        out.insert(left(&mut disk));
    }
    (out, model)
}

/// Every state of the names that is permitted is left for some seed.
fn reaches_all_names(profile: DiskProfile, steps: &[Step]) {
    let (reached, model) = reached(profile, steps, 300);
    for names in model.states() {
        assert!(
            reached.iter().any(|left| fits(&model, &names, left, profile)),
            "{profile:?} never leaves {names:?} of {steps:?}"
        );
    }
}

#[test]
fn every_permitted_state_of_the_names_is_reached() {
    let write = |name| Step::Write { name, page: 0 };
    let histories = [
        vec![write(0), write(1), write(2)],
        vec![write(0), Step::FsyncDir, write(1), Step::Rename { from: 1, to: 0 }, write(2), Step::Unlink { name: 0 }],
        vec![write(0), write(1), Step::FsyncDir, Step::Rename { from: 0, to: 2 }, Step::Rename { from: 1, to: 0 }],
    ];
    for profile in PROFILES {
        for steps in &histories {
            reaches_all_names(profile, steps);
        }
    }
}

#[test]
fn in_the_worst_case_every_mixture_of_pages_and_lengths_is_reached() {
    let write = |page| Step::Write { name: 0, page };
    let steps = [write(0), write(1), Step::Fsync { name: 0 }, Step::FsyncDir, write(0), write(1), write(2)];
    let (reached, _) = reached(DiskProfile::PosixWorst, &steps, 600);
    let lengths: BTreeSet<usize> = reached.iter().map(|left| left[&0].len() / PAGE as usize).collect();
    assert_eq!(lengths, BTreeSet::from([2, 3]));
    let page = |left: &BTreeMap<usize, Vec<u8>>, page: usize| -> Option<u8> {
        let bytes = &left[&0][page * PAGE as usize..][..PAGE as usize];
        bytes.iter().all(|b| *b == bytes[0]).then_some(bytes[0])
    };
    let pages: BTreeSet<_> = reached.iter().map(|left| (page(left, 0), page(left, 1))).collect();
    for first in [Some(1), Some(3), None] {
        for second in [Some(2), Some(4), None] {
            assert!(pages.contains(&(first, second)), "{first:?} and {second:?} (none: torn) are not among {pages:?}");
        }
    }
}
