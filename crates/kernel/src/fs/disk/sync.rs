//! What becomes durable, and when: by calls, by time.

use super::journal::{Change, ROOM, Record};
use super::kept::PageNo;
use super::profile::{EXPIRE, Fresh, Rules, WAKE};
use super::{Dirty, Disk, Inner, faults, journal};
use crate::Kernel;
use crate::fs::file::FileRef;
use crate::fs::inode::{Entry, FileSystem, InodeRef, Name};
use crate::machine::Machine;
use crate::mm::Source;
use crate::task::HostId;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Range;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;
use snowglobe_abi::spec::Nanos;

/// What somebody who writes to a disk needs: the machine's pages, who has a file mapped, and what goes wrong.
pub struct Writer<'a> {
    k: &'a Kernel,
    m: &'a mut dyn Machine,
    faults: &'a mut faults::Faults,
    host: Option<u32>,
}

/// Whether a name leads to an inode.
fn leads_to(dir: &InodeRef, name: &Name, node: Option<&InodeRef>) -> bool {
    let Ok(dir) = dir.dir() else { return false };
    let dir = dir.borrow();
    match (dir.entries.get(name), node) {
        (Some(Entry::There(there)), Some(node)) => Rc::ptr_eq(there, node),
        (Some(Entry::Gone) | None, None) => true,
        _ => false,
    }
}

impl Writer<'_> {
    /// The pages of a file that programs may change without a call.
    fn mapped(&self, node: &InodeRef) -> Vec<Range<PageNo>> {
        let spaces = self.k.spaces.iter().flatten();
        let vmas = spaces.flat_map(|entry| entry.space.vmas.iter());
        let shared = vmas.filter(|(_, v)| v.shared && v.may_write);
        shared
            .filter_map(|(start, v)| match &v.source {
                Source::File { inode, offset, .. } if Rc::ptr_eq(inode, node) => {
                    Some(offset / PAGE..(offset + (v.end - start)).div_ceil(PAGE))
                }
                _ => None,
            })
            .collect()
    }

    /// Writes a file's pages; those that get lost on the way are not on the disk and count as written.
    fn write_pages(&mut self, file: &mut Dirty, pages: Range<PageNo>) {
        let Some(content) = file.node.content() else { return };
        let ranges = if file.mapped { self.mapped(&file.node) } else { Vec::new() };
        file.mapped &= !ranges.is_empty();
        if self.faults.any()
            && let Some(host) = self.host
        {
            self.faults.lose_pages(self.k, host, &file.node, &pages, &ranges, self.m);
        }
        content.borrow_mut().settle(pages, &ranges, self.m);
    }
}

impl Inner {
    /// Makes a change part of what the disk has.
    fn make_durable(&mut self, record: Record, rules: &Rules, w: &mut Writer) {
        match record.change {
            Change::Names(sets) => {
                for set in sets {
                    let key = (set.dir.ino, set.name);
                    if let Some(held) = self.names.get_mut(&key) {
                        held.node = set.to.clone();
                        if leads_to(&set.dir, &key.1, set.to.as_ref()) {
                            self.names.remove(&key);
                        }
                    }
                    self.prune(set.dir.ino);
                    if let Some(node) = set.to {
                        self.prune(node.ino);
                    }
                    if let Some(from) = set.from {
                        self.prune(from);
                    }
                }
            }
            Change::Attributes(node, meta) => {
                if let Some(file) = self.files.get_mut(&node.ino) {
                    let same = node.meta.borrow().ctime == meta.ctime && node.meta.borrow().mtime == meta.mtime;
                    file.meta = (!same).then_some(*meta);
                }
                self.prune(node.ino);
            }
            Change::Size(node, size) => {
                self.size_is(&node, size, w);
                self.prune(node.ino);
            }
            Change::Flushed(node, size) => {
                if rules.fresh == Fresh::Written
                    && let Some(file) = self.files.get_mut(&node.ino)
                {
                    w.write_pages(file, 0..size.div_ceil(PAGE));
                }
                self.size_is(&node, size, w);
                self.prune(node.ino);
            }
        }
    }

    /// A length is on the disk; with a shorter one, what was behind it is gone there.
    fn size_is(&mut self, node: &InodeRef, size: u64, w: &mut Writer) {
        let Some(file) = self.files.get_mut(&node.ino) else { return };
        let shorter = size < file.size_on_disk();
        file.size = (size != node.size()).then_some(size);
        if shorter && let Some(content) = node.content() {
            content.borrow_mut().cut_kept(size, w.m);
        }
    }

    /// Forgets an inode that is on the disk as it is, or that is nowhere any more.
    fn prune(&mut self, ino: u64) {
        let first = self.journal.first();
        let Some(file) = self.files.get(&ino) else { return };
        let gone = file.node.meta.borrow().nlink == 0 && !file.node.linkable.get();
        if file.is_clean(first) || gone && file.last <= first {
            if let Some(content) = file.node.content() {
                content.borrow_mut().forget_kept();
            }
            self.files.remove(&ino);
        }
    }

    fn commit_before(&mut self, end: u64, rules: &Rules, w: &mut Writer) {
        for record in self.journal.take_before(end) {
            self.make_durable(record, rules, w);
        }
    }

    fn commit_chosen(&mut self, chosen: Vec<bool>, rules: &Rules, w: &mut Writer) {
        for record in self.journal.take_chosen(chosen) {
            self.make_durable(record, rules, w);
        }
    }

    /// Does what the file system has done in the background until now.
    fn catch_up(&mut self, rules: &Rules, now: Nanos, w: &mut Writer) {
        while rules.journal
            && let Some(due) = self.journal.oldest().map(|at| at + rules.commit).filter(|due| *due <= now)
        {
            let end = self.journal.after(due);
            self.commit_before(end, rules, w);
        }
        if self.journal.len() > ROOM {
            let end = self.journal.first() + ROOM as u64 / 2;
            self.commit_before(end, rules, w);
        }
        if now < self.look_at {
            return;
        }
        self.look_at = now - now % WAKE + WAKE;
        let old = |file: &&Dirty| (file.since + EXPIRE).next_multiple_of(WAKE) <= now;
        let due: Vec<u64> = self.files.values().filter(old).map(|file| file.node.ino).collect();
        for ino in due {
            self.write_back(ino, rules, now, w);
        }
    }

    /// Writes an inode that has waited long enough.
    fn write_back(&mut self, ino: u64, rules: &Rules, now: Nanos, w: &mut Writer) {
        if rules.journal {
            self.flush(ino, now);
            let end = self.journal.end();
            self.commit_before(end, rules, w);
        }
        // Where nothing but a sync is sure, half of it still waits.
        let all = rules.journal || self.rng.one_in(2);
        let Some(file) = self.files.get_mut(&ino) else { return };
        file.since = now;
        if all {
            let journal_first = self.journal.first();
            w.write_pages(file, 0..PageNo::MAX);
            file.meta = None;
            file.size = None;
            file.grown.clear();
            file.last = file.last.min(journal_first);
            self.forget_records(ino, rules);
            self.prune(ino);
        }
    }

    /// Where each inode is on its own: what the journal has of this one is durable.
    fn forget_records(&mut self, ino: u64, rules: &Rules) {
        if rules.journal {
            return;
        }
        let chosen = self.journal.choose(|change| match change {
            Change::Attributes(node, _) | Change::Size(node, _) | Change::Flushed(node, _) => node.ino == ino,
            Change::Names(_) => false,
        });
        drop(self.journal.take_chosen(chosen));
    }

    /// `fsync` and `fdatasync` of an inode.
    fn sync(&mut self, node: &InodeRef, data_only: bool, rules: &Rules, now: Nanos, w: &mut Writer) -> Result<()> {
        // What a directory itself had to write may have been written in the background; its names wait for this.
        let Some(file) = self.files.get_mut(&node.ino) else {
            self.sync_names(node, rules, w);
            return Ok(());
        };
        if let Some(host) = w.host
            && w.faults.any()
            && w.faults.sync_fails(w.k, host, node)
        {
            // What was to be written is written off: its pages are clean, its length goes into the journal all the same.
            if let Some(kept) =
                node.content().and_then(|c| c.borrow_mut().kept.as_mut().map(super::kept::Kept::drop_all))
            {
                let _ = kept;
            }
            self.flush(node.ino, now);
            node.fail_writing();
            return Err(Errno::EIO);
        }
        w.write_pages(file, 0..PageNo::MAX);
        let first = self.journal.first();
        let grown = !file.grown.is_empty();
        let last = if data_only { file.last_data } else { file.last };
        let times = !data_only && file.meta.is_some();
        if rules.journal {
            self.flush(node.ino, now);
            if grown || last > first || times {
                let end = if rules.sync_to_last && !grown { last } else { self.journal.end() };
                self.commit_before(end, rules, w);
            }
        }
        self.sync_names(node, rules, w);
        if let Some(file) = self.files.get_mut(&node.ino) {
            file.size = None;
            file.cut = false;
            file.grown.clear();
            if !data_only || grown || last > first {
                file.meta = None;
            }
        }
        self.forget_records(node.ino, rules);
        self.prune(node.ino);
        Ok(())
    }

    /// Where names are not in a journal with all else: those of a directory are durable.
    fn sync_names(&mut self, node: &InodeRef, rules: &Rules, w: &mut Writer) {
        if rules.journal || !node.is_dir() {
            return;
        }
        let chosen = self.journal.choose(|change| match change {
            Change::Names(sets) => sets.iter().any(|set| Rc::ptr_eq(&set.dir, node)),
            _ => false,
        });
        self.commit_chosen(chosen, rules, w);
    }

    /// `sync` and `syncfs`.
    fn sync_all(&mut self, rules: &Rules, now: Nanos, w: &mut Writer) -> Result<()> {
        let mut result = Ok(());
        for ino in self.files.keys().copied().collect::<Vec<_>>() {
            let node = self.files.get(&ino).map(|f| f.node.clone());
            if let Some(node) = node {
                result = self.sync(&node, false, rules, now, w).and(result);
            }
        }
        let end = self.journal.end();
        self.commit_before(end, rules, w);
        result
    }

    /// Before a file is cut: what was begun to be written of it is, as it can be no more afterwards.
    fn before_cut(&mut self, node: &InodeRef, rules: &Rules, w: &mut Writer) {
        let flushed = self.files.get(&node.ino).map_or(0, |f| f.flushed);
        if flushed > self.journal.first() && rules.journal {
            self.commit_before(flushed, rules, w);
        }
    }

    /// What programs see is what the disk has: a host has just been built.
    fn accept(&mut self) {
        self.names.clear();
        self.journal = journal::Journal::default();
        for file in core::mem::take(&mut self.files).into_values() {
            if let Some(content) = file.node.content() {
                content.borrow_mut().forget_kept();
            }
        }
    }
}

impl Disk {
    /// All that was changed so far is on the disk.
    pub fn accept(&self) {
        self.inner.borrow_mut().accept();
    }
}

impl Kernel {
    /// Works on a disk with all that writing to it needs.
    fn with_disk<T>(
        &mut self,
        m: &mut dyn Machine,
        disk: &Disk,
        f: impl FnOnce(&mut Inner, &Rules, Nanos, &mut Writer) -> T,
    ) -> T {
        let mut faults = core::mem::take(&mut self.disk_faults);
        let now = self.realtime();
        let mut writer = Writer { k: self, m, faults: &mut faults, host: disk.host };
        let result = f(&mut disk.inner.borrow_mut(), &disk.rules, now, &mut writer);
        self.disk_faults = faults;
        result
    }

    /// To be called before anything on a file system changes: what its background work has written until now is the disk's.
    #[inline]
    pub fn catch_up_disk(&mut self, m: &mut dyn Machine, fs: &FileSystem) {
        if let Some(disk) = fs.disk.as_ref().filter(|disk| disk.is_due(self.realtime())) {
            let disk = disk.clone();
            self.with_disk(m, &disk, |inner, rules, now, w| inner.catch_up(rules, now, w));
        }
    }

    /// Commits all journals: what they hold on to, such as files that were removed, is let go. A full file system does so
    /// before it says that it is full.
    pub fn commit_disks(&mut self, m: &mut dyn Machine) {
        let roots = self.hosts.iter().flat_map(|host| host.mounted.iter().cloned()).collect::<Vec<_>>();
        for disk in roots.iter().filter_map(|root| root.fs.disk.clone()) {
            self.with_disk(m, &disk, |inner, rules, _, w| {
                let end = inner.journal.end();
                inner.commit_before(end, rules, w);
            });
        }
    }

    /// To be called before a file is cut.
    pub fn before_cut(&mut self, m: &mut dyn Machine, node: &InodeRef) {
        if let Some(disk) = &node.fs.disk {
            let disk = disk.clone();
            self.with_disk(m, &disk, |inner, rules, _, w| inner.before_cut(node, rules, w));
        }
    }

    /// Makes a file durable: `fsync`, or `fdatasync` with `data_only`.
    ///
    /// # Errors
    /// `EIO` when it could not be written, once for each description that was open then; `EROFS`.
    pub fn sync_file(&mut self, m: &mut dyn Machine, file: &FileRef, data_only: bool) -> Result<()> {
        let Some(node) = &file.inode else { return Ok(()) };
        self.sync_inode(m, node, data_only)?;
        if node.failed_since(&file.error_seen) { Err(Errno::EIO) } else { Ok(()) }
    }

    /// `msync` of a file's mapping: its data is durable. The description that it was mapped from tells of no failure here.
    ///
    /// # Errors
    /// `EIO`, `EROFS`.
    pub fn sync_mapped(&mut self, m: &mut dyn Machine, node: &InodeRef) -> Result<()> {
        let seen = core::cell::Cell::new(node.errors_told());
        self.sync_inode(m, node, true)?;
        if node.failed_since(&seen) { Err(Errno::EIO) } else { Ok(()) }
    }

    fn sync_inode(&mut self, m: &mut dyn Machine, node: &InodeRef, data_only: bool) -> Result<()> {
        let Some(disk) = node.fs.disk.clone() else { return Ok(()) };
        if disk.refuses() {
            return Err(Errno::EROFS);
        }
        // Who is told of a failure is the inode's to say.
        let _ = self.with_disk(m, &disk, |inner, rules, now, w| {
            inner.catch_up(rules, now, w);
            inner.sync(node, data_only, rules, now, w)
        });
        Ok(())
    }

    /// Makes a whole file system durable.
    ///
    /// # Errors
    /// `EIO` when something could not be written.
    pub fn sync_fs(&mut self, m: &mut dyn Machine, fs: &FileSystem) -> Result<()> {
        let Some(disk) = fs.disk.clone() else { return Ok(()) };
        self.with_disk(m, &disk, |inner, rules, now, w| {
            inner.catch_up(rules, now, w);
            inner.sync_all(rules, now, w)
        })
    }

    /// `sync`: all file systems that a host has mounted.
    pub fn sync_host(&mut self, m: &mut dyn Machine, host: HostId) {
        for root in self.host(host).mounted.clone() {
            // sync(2) always succeeds.
            let _ = self.sync_fs(m, &root.fs);
        }
    }
}
