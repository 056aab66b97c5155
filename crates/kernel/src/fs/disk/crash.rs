//! What is left when the power is lost.
//!
//! All that is not durable is undone, and some of it made again: by the rules of the profile, and within them by the seed.

use super::journal::{Change, Record, close_over};
use super::kept::{Kept, PageNo, Was};
use super::profile::{Fresh, Rules};
use super::{Dirty, Disk, Inner};
use crate::Kernel;
use crate::fs::inode::{Entry, InodeRef, Meta};
use crate::machine::Machine;
use crate::rng::Rng;
use crate::task::HostId;
use crate::uapi::{S_IFDIR, S_IFMT};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::map::PAGE;

/// How likely something made it to the disk, drawn once for a crash: a disk that lags behind leaves nothing, one that is
/// quick leaves all, and the most is between.
#[derive(Clone, Copy)]
enum Mood {
    Nothing,
    Everything,
    Some,
}

impl Mood {
    fn draw(rng: &mut Rng) -> Mood {
        match rng.below(4) {
            0 => Mood::Nothing,
            1 => Mood::Everything,
            _ => Mood::Some,
        }
    }

    fn made_it(self, rng: &mut Rng) -> bool {
        match self {
            Mood::Nothing => false,
            Mood::Everything => true,
            Mood::Some => rng.one_in(2),
        }
    }

    /// How many of `n` things in a row made it.
    fn how_many(self, n: usize, rng: &mut Rng) -> usize {
        match self {
            Mood::Nothing => 0,
            Mood::Everything => n,
            Mood::Some => rng.below(n as u64 + 1) as usize,
        }
    }
}

/// What a file's length came to be.
#[derive(Clone, Copy, Debug)]
struct Length {
    size: u64,
    /// The shortest that it was on the way: the disk has nothing of old from there on.
    low: u64,
    /// Up to here its data was written before its length.
    sure: u64,
    /// From this page on it was cut, and the disk does not know of that: there it is as the disk had it.
    uncut: PageNo,
}

impl Length {
    fn cut_or_told(&mut self, size: u64) {
        self.size = size;
        self.low = self.low.min(size);
        self.sure = self.sure.min(size);
    }

    /// A cut of which the disk does not know.
    fn not_cut(&mut self, size: u64) {
        self.uncut = self.uncut.min(size.div_ceil(PAGE));
    }

    fn written(&mut self, size: u64) {
        self.size = self.size.max(size);
        self.sure = self.sure.max(size);
    }
}

/// Makes a name lead to an inode, or to none, and counts that.
fn put(dir: &InodeRef, name: &[u8], node: Option<&InodeRef>) {
    let Ok(cell) = dir.dir() else { return };
    let old = cell.borrow_mut().set(name, node);
    if let Some(old) = old {
        let mut meta = old.meta.borrow_mut();
        let is_dir = meta.mode & S_IFMT == S_IFDIR;
        meta.nlink = if is_dir { 0 } else { meta.nlink.saturating_sub(1) };
    }
    let Some(node) = node else { return };
    node.set_parent(dir, name);
    let mut meta = node.meta.borrow_mut();
    match node.dir() {
        // One link means "not counted".
        Ok(dir) => meta.nlink = if dir.borrow().lower.is_some() { 1 } else { 2 },
        Err(_) => meta.nlink += 1,
    }
}

/// Whether a directory is another, or lies below it.
fn is_within(dir: &InodeRef, above: &InodeRef) -> bool {
    let mut node = dir.clone();
    loop {
        if Rc::ptr_eq(&node, above) {
            return true;
        }
        let up = node.parent(above);
        if Rc::ptr_eq(&up, &node) || !Rc::ptr_eq(&up.fs, &node.fs) {
            return false;
        }
        node = up;
    }
}

/// Counts a directory's links anew.
fn count_links(dir: &InodeRef) {
    let Ok(cell) = dir.dir() else { return };
    let below = cell.borrow().entries.values().filter(|e| matches!(e, Entry::There(n) if n.is_dir())).count();
    let mut meta = dir.meta.borrow_mut();
    if meta.nlink >= 2 {
        meta.nlink = 2 + below as u32;
    }
}

impl Inner {
    /// The power is lost.
    fn crash(&mut self, rules: &Rules, m: &mut dyn Machine) {
        let first = self.journal.first();
        let records = self.journal.take_all();
        let (made, cut) = self.choose_records(&records, rules);
        self.crash_names(&records, &made);
        let moods = (Mood::draw(&mut self.rng), Mood::draw(&mut self.rng));
        let mut by_file: BTreeMap<u64, Vec<(u64, bool, &Change)>> = BTreeMap::new();
        for (i, record) in records.iter().enumerate() {
            let (Change::Attributes(node, _) | Change::Size(node, _) | Change::Flushed(node, _)) = &record.change
            else {
                continue;
            };
            by_file.entry(node.ino).or_default().push((first + i as u64, made[i], &record.change));
        }
        for (ino, file) in core::mem::take(&mut self.files) {
            let history = by_file.remove(&ino).unwrap_or_default();
            let mut left =
                Left { rules, rng: &mut self.rng, flushes: moods.0, pages: moods.1, cut: first + cut as u64 };
            left.file(file, &history, m);
        }
    }

    /// Which changes of the journal made it; and how many of the first, for a journal that is written in order.
    fn choose_records(&mut self, records: &[Record], rules: &Rules) -> (Vec<bool>, usize) {
        let mood = Mood::draw(&mut self.rng);
        if rules.journal {
            let cut = mood.how_many(records.len(), &mut self.rng);
            return ((0..records.len()).map(|i| i < cut).collect(), cut);
        }
        let mut made: Vec<bool> = records.iter().map(|_| mood.made_it(&mut self.rng)).collect();
        close_over(records, &mut made);
        (made, records.len())
    }

    fn crash_names(&mut self, records: &[Record], made: &[bool]) {
        let names = core::mem::take(&mut self.names);
        let mut dirs: BTreeMap<u64, InodeRef> = BTreeMap::new();
        // First all that was changed is taken away, then put back: so no directory is in two places on the way.
        for ((_, name), held) in &names {
            put(&held.dir, name, None);
        }
        for ((_, name), held) in &names {
            put(&held.dir, name, held.node.as_ref());
        }
        let mut see = |node: &InodeRef| drop(dirs.insert(node.ino, node.clone()));
        names.values().for_each(|held| see(&held.dir));
        names.values().filter_map(|held| held.node.as_ref()).for_each(&mut see);
        for (record, _) in records.iter().zip(made).filter(|(_, made)| **made) {
            let Change::Names(sets) = &record.change else { continue };
            // A directory that would come to lie in itself stays where it is, as who moved it further is not there.
            if sets.iter().any(|set| set.to.as_ref().is_some_and(|n| n.is_dir() && is_within(&set.dir, n))) {
                continue;
            }
            for set in sets {
                put(&set.dir, &set.name, None);
                see(&set.dir);
                set.to.iter().for_each(&mut see);
            }
            for set in sets.iter().filter(|set| set.to.is_some()) {
                put(&set.dir, &set.name, set.to.as_ref());
            }
        }
        dirs.values().for_each(count_links);
    }
}

/// What is left of files.
struct Left<'a> {
    rules: &'a Rules,
    rng: &'a mut Rng,
    flushes: Mood,
    pages: Mood,
    /// The number of the first change that did not make it.
    cut: u64,
}

impl Left<'_> {
    fn file(&mut self, file: Dirty, history: &[(u64, bool, &Change)], m: &mut dyn Machine) {
        let node = file.node.clone();
        let meta = self.attributes(&file, history);
        let Some(content) = node.content() else {
            if let Some(meta) = meta {
                set_meta(&node, meta);
            }
            return;
        };
        let length = if self.rules.journal { self.journaled(&file, history) } else { self.any(&file, history) };
        let disk_size = file.size_on_disk();
        let kept: Vec<(PageNo, Was)> = match &content.borrow().kept {
            Some(kept) => kept.pages().iter().map(|(page, was)| (*page, *was)).collect(),
            None => Vec::new(),
        };
        let mut changed = length.size != disk_size;
        for (page, was) in kept.iter().filter(|(page, _)| page * PAGE < length.size) {
            changed |= self.page(&node, *page, *was, length, m);
        }
        let mut content = content.borrow_mut();
        content.end_at(length.size, m);
        let store = content.store.clone();
        content.kept = content.kept.is_some().then(|| Kept::new(&store));
        drop(content);
        if let Some(mut meta) = meta {
            if changed {
                let now = node.meta.borrow();
                (meta.mtime, meta.ctime) = (now.mtime, now.ctime);
            }
            set_meta(&node, meta);
        }
    }

    /// The attributes that are left, if they are others than now.
    fn attributes(&mut self, file: &Dirty, history: &[(u64, bool, &Change)]) -> Option<Meta> {
        let made = history.iter().rev().find_map(|(_, made, change)| match change {
            Change::Attributes(_, meta) if *made => Some((**meta).clone()),
            _ => None,
        });
        made.or_else(|| file.meta.clone())
    }

    /// The length of a file whose changes are in a journal.
    fn journaled(&mut self, file: &Dirty, history: &[(u64, bool, &Change)]) -> Length {
        let on_disk = file.size_on_disk();
        let mut length = Length { size: on_disk, low: on_disk, sure: 0, uncut: PageNo::MAX };
        let flush = self.flush(file);
        let mut flush_left = flush;
        for (number, made, change) in history {
            if let Some((_, size)) = flush_left.take_if(|(at, _)| *at <= *number) {
                length.written(size);
            }
            match change {
                Change::Size(_, size) if *made => length.cut_or_told(*size),
                Change::Size(_, size) => length.not_cut(*size),
                Change::Flushed(_, size) if *made => length.written(*size),
                _ => {}
            }
        }
        if let Some((_, size)) = flush_left {
            length.written(size);
        }
        length
    }

    /// The moment at which data was written that nobody asked to be, and how far: before the crash somebody may have
    /// begun with it.
    fn flush(&mut self, file: &Dirty) -> Option<(u64, u64)> {
        let possible: Vec<(u64, u64)> = file.grown.iter().copied().filter(|(at, _)| *at <= self.cut).collect();
        if possible.is_empty() || !self.flushes.made_it(self.rng) {
            return None;
        }
        let (at, size) = match self.flushes {
            Mood::Everything => possible[possible.len() - 1],
            _ => possible[self.rng.below(possible.len() as u64) as usize],
        };
        // Not all of it may have been written yet: whole pages were.
        let from = file.size_on_disk().div_ceil(PAGE);
        let pages = (size / PAGE).saturating_sub(from);
        let short = matches!(self.flushes, Mood::Some) && pages > 0 && self.rng.one_in(3);
        Some((at, if short { (from + self.rng.below(pages + 1)) * PAGE } else { size }))
    }

    /// The length of a file where each length that it had may be on the disk.
    fn any(&mut self, file: &Dirty, history: &[(u64, bool, &Change)]) -> Length {
        let mut sizes: Vec<(u64, u64)> = file.grown.clone();
        sizes.extend(history.iter().filter_map(|(number, _, change)| match change {
            Change::Size(_, size) | Change::Flushed(_, size) => Some((*number, *size)),
            _ => None,
        }));
        sizes.sort_by_key(|(number, _)| *number);
        let on_disk = file.size_on_disk();
        let mut length = Length { size: on_disk, low: on_disk, sure: 0, uncut: PageNo::MAX };
        let n = self.flushes.how_many(sizes.len(), self.rng);
        for (_, size) in &sizes[..n] {
            length.size = *size;
            length.low = length.low.min(*size);
        }
        for (_, size) in &sizes[n..] {
            length.not_cut(*size);
        }
        length
    }

    /// One page within the file's length; whether it is another than the disk had.
    fn page(&mut self, node: &InodeRef, page: PageNo, was: Was, length: Length, m: &mut dyn Machine) -> bool {
        let Some(content) = node.content() else { return false };
        let mut content = content.borrow_mut();
        let new = page >= length.low / PAGE && page * PAGE < length.sure;
        if new && !was.dropped && self.rules.fresh == Fresh::Written {
            return true;
        }
        let never = was.dropped || page >= length.uncut;
        let made = !never && self.pages.made_it(self.rng);
        let sectors = PAGE / self.rules.sector;
        let all = (1 << sectors) - 1;
        let mut back = if made { 0 } else { all };
        if sectors > 1 && !never && matches!(self.pages, Mood::Some) && self.rng.one_in(2) {
            back = self.rng.next_u64() & all;
        }
        if back == 0 {
            return true;
        }
        if new && was.page.is_none() && self.rules.fresh == Fresh::Stale && self.rng.one_in(2) {
            let mut foreign = [0u8; PAGE as usize];
            self.rng.fill(&mut foreign);
            content.overwrite(page, &foreign, m);
            return true;
        }
        // What the disk had behind the shortest length is gone.
        let from = length.low.saturating_sub(page * PAGE).min(PAGE);
        content.revert_sectors(page, back, self.rules.sector, from, m);
        back != all
    }
}

/// Sets attributes; how many names it has is counted, not remembered.
fn set_meta(node: &InodeRef, meta: Meta) {
    let mut now = node.meta.borrow_mut();
    let nlink = now.nlink;
    *now = meta;
    now.nlink = nlink;
}

impl Disk {
    /// The power is lost: what programs see next is what is left.
    pub fn crash(&self, m: &mut dyn Machine) {
        self.inner.borrow_mut().crash(&self.rules, m);
    }
}

impl Kernel {
    /// A host has lost its power: its file systems become what they are when it boots again. To be called when all its
    /// processes are gone, before its services start anew. A volume that several hosts mount keeps its power.
    pub fn crash_disks(&mut self, host: HostId, m: &mut dyn Machine) {
        self.bury(m);
        for root in self.host(host).mounted.clone() {
            self.catch_up_disk(m, &root.fs);
            if let Some(disk) = root.fs.disk.as_ref().filter(|disk| disk.host == Some(host.0)) {
                disk.crash(m);
            }
        }
        crate::fs::build::boot_again(self, host, m);
    }
}
