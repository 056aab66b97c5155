//! What lies on a host's disk, as opposed to what its programs see: the two differ until something is made durable.
//!
//! | Module | Content |
//! |---|---|
//! | [`profile`] | what a file system promises, as data |
//! | [`kept`] | what the disk has of a file's changed pages |
//! | [`journal`] | changes of names, sizes and attributes in their order |
//! | [`sync`] | what becomes durable, and when: calls, the writing in the background |
//! | [`crash`] | what is left when the power is lost |
//! | [`faults`] | disks that go wrong: which operations are struck, and how often that happened |
//!
//! The state that programs see is the one that the rest of the kernel keeps. A [`Disk`] notes what the disk has *instead*,
//! for what was changed and is not durable: the inode that a name led to, a file's length, its attributes, its pages.
//! Changes of names, lengths and attributes are also kept in their order, so that a crash can keep some of them. A world
//! without a power loss and without a fault of disks in its plan has no `Disk`.

pub mod crash;
pub mod faults;
pub mod journal;
pub mod kept;
pub mod profile;
pub mod sync;

use super::inode::{Inode, InodeRef, Meta, Name};
use crate::rng::Rng;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use journal::{Change, Journal, Set};
use profile::{Cut, Rules};
use snowglobe_abi::fault::{DiskProfile, Fault, HostVerb};
use snowglobe_abi::map::PAGE;
use snowglobe_abi::spec::{Nanos, WorldSpec};

/// The disk under one file system.
pub struct Disk {
    /// What it promises.
    pub rules: Rules,
    /// The host that it belongs to; `None` for a volume of several, which is a server of its own and keeps its power.
    pub host: Option<u32>,
    /// The fault for which it refuses to be changed.
    pub read_only: Cell<Option<u32>>,
    /// How often it did.
    pub refused: Cell<u64>,
    inner: RefCell<Inner>,
}

struct Inner {
    rng: Rng,
    journal: Journal,
    /// What names lead to on the disk that lead to something else now: by directory and name.
    names: BTreeMap<(u64, Name), Held>,
    /// Inodes that are not on the disk as they are now.
    files: BTreeMap<u64, Dirty>,
    /// Set while several changes of names are one.
    joined: Option<Vec<Set>>,
    /// When somebody looks next for what has waited long enough.
    look_at: Nanos,
}

/// What a name leads to on the disk.
struct Held {
    dir: InodeRef,
    node: Option<InodeRef>,
}

/// An inode that is not on the disk as it is now.
struct Dirty {
    node: InodeRef,
    /// Attributes that the disk has, if others.
    meta: Option<Meta>,
    /// Length that the disk has, if another.
    size: Option<u64>,
    /// Lengths to which it has grown by writing, each with the journal's end at the time: they are in no journal until
    /// the data is written.
    grown: Vec<(u64, u64)>,
    /// The journal's end after its last change.
    last: u64,
    /// The same after its last change that its data cannot be read without.
    last_data: u64,
    /// The same after its data was last begun to be written.
    flushed: u64,
    /// When it was first changed, wall clock.
    since: Nanos,
    /// Whether it was cut so that it is to be written when it is closed.
    cut: bool,
    /// Whether it was mapped so that it changes without a call.
    mapped: bool,
}

impl Dirty {
    fn new(node: &InodeRef, since: Nanos) -> Dirty {
        Dirty {
            node: node.clone(),
            meta: None,
            size: None,
            grown: Vec::new(),
            last: 0,
            last_data: 0,
            flushed: 0,
            since,
            cut: false,
            mapped: false,
        }
    }

    fn size_on_disk(&self) -> u64 {
        self.size.unwrap_or_else(|| self.node.size())
    }

    /// Whether there is nothing left to be told of it; `first` is where the journal begins.
    fn is_clean(&self, first: u64) -> bool {
        let pages = self.node.content().is_none_or(|c| c.borrow().kept.as_ref().is_none_or(kept::Kept::is_empty));
        pages && self.meta.is_none() && self.size.is_none() && self.last <= first && !self.mapped && !self.cut
    }
}

/// How a file came to have another length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resize {
    /// It grew as it was written.
    Written,
    /// It was told to (`ftruncate`, `fallocate`).
    Told,
}

/// Whether the disks of a world are watched: only then can it matter what is durable.
pub fn is_watched(spec: &WorldSpec) -> bool {
    spec.faults.timeline.iter().any(|planned| {
        let loses_power = matches!(&planned.fault, Fault::Host { verb: HostVerb::PowerLoss { .. }, .. });
        loses_power || matches!(&planned.fault, Fault::Disk { .. })
    })
}

impl Disk {
    /// A disk whose choices are drawn from the stream of this name.
    pub fn new(profile: DiskProfile, seed: u64, name: &str, host: Option<u32>) -> Disk {
        let inner = Inner {
            rng: Rng::stream(seed, &alloc::format!("disk {name}")),
            journal: Journal::default(),
            names: BTreeMap::new(),
            files: BTreeMap::new(),
            joined: None,
            look_at: 0,
        };
        Disk {
            rules: Rules::of(profile),
            host,
            read_only: Cell::new(None),
            refused: Cell::new(0),
            inner: RefCell::new(inner),
        }
    }

    /// Whether it refuses to be changed now; counts that.
    pub fn refuses(&self) -> bool {
        let refuses = self.read_only.get().is_some();
        self.refused.set(self.refused.get() + u64::from(refuses));
        refuses
    }

    /// A name leads to something else than before.
    pub fn named(&self, dir: &InodeRef, name: &[u8], was: Option<InodeRef>, now: Option<InodeRef>, at: Nanos) {
        let inner = &mut *self.inner.borrow_mut();
        for node in was.iter().chain(&now).chain([dir]) {
            inner.touch(node, at, 1);
        }
        // What was made now has more to be made durable than a time.
        if let Some(node) = now.as_ref().filter(|n| was.is_none() && n.meta.borrow().btime == at) {
            let file = inner.touch(node, at, 1);
            file.last_data = file.last;
        }
        let from = was.as_ref().map(|node| node.ino);
        let held = || Held { dir: dir.clone(), node: was };
        inner.names.entry((dir.ino, name.to_vec())).or_insert_with(held);
        let set = Set { dir: dir.clone(), name: name.to_vec(), to: now, from };
        match &mut inner.joined {
            Some(sets) => sets.push(set),
            None => inner.journal.push(at, Change::Names(alloc::vec![set])),
        }
    }

    /// Makes the changes of names until the guard is dropped one.
    pub fn join(&self) {
        self.inner.borrow_mut().joined = Some(Vec::new());
    }

    /// Ends what [`Disk::join`] began.
    pub fn joined(&self, at: Nanos) {
        let inner = &mut *self.inner.borrow_mut();
        if let Some(sets) = inner.joined.take().filter(|sets| !sets.is_empty()) {
            inner.journal.push(at, Change::Names(sets));
        }
    }

    /// Changes attributes.
    pub fn change<T>(&self, node: &InodeRef, at: Nanos, f: impl FnOnce(&mut Meta) -> T) -> T {
        let inner = &mut *self.inner.borrow_mut();
        let mut meta = node.meta.borrow_mut();
        let before = meta.clone();
        let result = f(&mut meta);
        let after = meta.clone();
        drop(meta);
        let file = inner.touch(node, at, 1);
        file.meta.get_or_insert(before);
        inner.journal.push(at, Change::Attributes(node.clone(), alloc::boxed::Box::new(after)));
        result
    }

    /// A file's bytes have changed, and perhaps its length. Its pages were kept as they were before.
    pub fn wrote(&self, node: &InodeRef, before: u64, how: Resize, at: Nanos) {
        let inner = &mut *self.inner.borrow_mut();
        let size = node.size();
        // Writing sets the times too: they are in the journal with it.
        let file = inner.touch(node, at, 0);
        if file.meta.is_none() {
            file.meta = Some(node.meta.borrow().clone());
        }
        if size == before {
            return;
        }
        let (old_on_disk, pending) = (file.size_on_disk_before(before), !file.grown.is_empty());
        file.size.get_or_insert(before);
        let in_page = self.rules.grows_in_page && !pending && old_on_disk == before && grew_in_page(node, before, size);
        if size < before {
            let cut = match self.rules.flush_on_close {
                Some(Cut::Any) => true,
                Some(Cut::ToNothing) => size == 0,
                None => false,
            };
            file.cut |= cut;
        }
        if how == Resize::Told || size < before || in_page {
            let file = inner.touch(node, at, 1);
            file.last_data = file.last;
            if size < before {
                // Nothing is left of what it had grown by: it is taken for never written.
                file.grown.clear();
            }
            inner.journal.push(at, Change::Size(node.clone(), size));
            return;
        }
        let end = inner.journal.end();
        let file = inner.touch(node, at, 0);
        match file.grown.last_mut() {
            Some((when, to)) if *when == end => *to = size,
            _ => file.grown.push((end, size)),
        }
    }

    /// A file's pages may change without a call from now on; they were kept.
    pub fn mapped(&self, node: &InodeRef) {
        let inner = &mut *self.inner.borrow_mut();
        inner.touch(node, node.fs.start, 0).mapped = true;
    }

    /// Something begins to write a file's data: whatever its profile lets wait for that goes into the journal.
    pub fn flush(&self, node: &InodeRef, at: Nanos) {
        let inner = &mut *self.inner.borrow_mut();
        inner.flush(node.ino, at);
    }

    /// Before a rename puts a file in another's place.
    pub fn replaces(&self, node: &InodeRef, at: Nanos) {
        if self.rules.flush_on_rename {
            self.flush(node, at);
        }
    }

    /// A file that was open for writing is closed.
    pub fn closed(&self, node: &InodeRef, at: Nanos) {
        let inner = &mut *self.inner.borrow_mut();
        if let Some(file) = inner.files.get_mut(&node.ino)
            && core::mem::take(&mut file.cut)
        {
            inner.flush(node.ino, at);
        }
    }

    /// Whether there is something to be done in the background by now.
    fn is_due(&self, now: Nanos) -> bool {
        let inner = self.inner.borrow();
        let commit = self.rules.journal && inner.journal.oldest().is_some_and(|at| at + self.rules.commit <= now);
        commit || now >= inner.look_at || inner.journal.len() > journal::ROOM
    }

    /// How many changes of names, lengths and attributes are not durable.
    pub fn pending(&self) -> usize {
        self.inner.borrow().journal.len()
    }
}

impl Dirty {
    /// The length that the disk has of a file that had `before` until now.
    fn size_on_disk_before(&self, before: u64) -> u64 {
        self.size.unwrap_or(before)
    }
}

/// Whether a file has grown within a page that the disk has.
fn grew_in_page(node: &Inode, before: u64, after: u64) -> bool {
    let Some(content) = node.content() else { return false };
    let content = content.borrow();
    let has = content.kept.as_ref().and_then(|k| k.get(before / PAGE)).is_none_or(|was| was.page.is_some());
    after > before && !before.is_multiple_of(PAGE) && before / PAGE == (after - 1) / PAGE && has
}

impl Inner {
    /// The entry of an inode that changes, in as many records of the journal as will be pushed now.
    fn touch(&mut self, node: &InodeRef, at: Nanos, records: u64) -> &mut Dirty {
        let end = self.journal.end() + records;
        let file = self.files.entry(node.ino).or_insert_with(|| Dirty::new(node, at));
        file.last = file.last.max(end);
        file
    }

    fn flush(&mut self, ino: u64, at: Nanos) {
        let Some(file) = self.files.get_mut(&ino).filter(|f| !f.grown.is_empty()) else { return };
        file.grown.clear();
        file.last = self.journal.end() + 1;
        (file.last_data, file.flushed) = (file.last, file.last);
        let node = file.node.clone();
        let size = node.size();
        self.journal.push(at, Change::Flushed(node, size));
    }
}

/// A guard under which changes of names are one.
pub struct Joined<'a> {
    disk: &'a Disk,
    at: Nanos,
}

impl<'a> Joined<'a> {
    /// Begins.
    pub fn new(disk: &'a Disk, at: Nanos) -> Joined<'a> {
        disk.join();
        Joined { disk, at }
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        self.disk.joined(self.at);
    }
}

/// The disk of a file system, if it is watched.
pub fn of(node: &Inode) -> Option<&Rc<Disk>> {
    node.fs.disk.as_ref()
}
