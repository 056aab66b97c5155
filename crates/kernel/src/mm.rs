//! Address spaces: which guest addresses are mapped to what. All addresses are given out here.

use crate::Kernel;
use crate::fs::disk::Resize;
use crate::fs::inode::InodeRef;
use crate::machine::{Backing, Machine};
use crate::signal::Info;
use crate::task::TaskId;
use crate::uapi::*;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::{self, PAGE};

/// Shared memory without a name (`MAP_SHARED | MAP_ANONYMOUS`) and System V segments: pages of the store.
pub struct SharedMemory {
    /// First page in the store.
    pub start: u64,
    /// Pages.
    pub count: u64,
    /// Gives the pages back.
    pub store: crate::fs::store::Store,
    /// The System V segment that it is of.
    pub tag: Option<Rc<crate::ipc::shm::Tag>>,
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        self.store.give(self.start, self.count);
    }
}

/// What a mapping shows.
#[derive(Clone)]
pub enum Source {
    /// Private memory.
    Anon,
    /// Shared memory, from this byte of it.
    Shared(Rc<SharedMemory>, u64),
    /// A file from this byte of it.
    File {
        /// The file.
        inode: InodeRef,
        /// Byte offset of the mapping's first byte.
        offset: u64,
        /// Its path as it was opened, for `/proc/self/maps`.
        path: Rc<Vec<u8>>,
    },
}

/// One mapping.
#[derive(Clone)]
pub struct Vma {
    /// First byte after it.
    pub end: u64,
    /// PROT_ bits.
    pub prot: u32,
    /// Whether stores are seen by others.
    pub shared: bool,
    /// Whether it may be made writable (a shared mapping of a file opened for writing, or a private one).
    pub may_write: bool,
    /// See [`Source`].
    pub source: Source,
    /// A name in `/proc/self/maps`.
    pub label: &'static str,
    /// [`SEALED`], [`WIPE_ON_FORK`], [`DONT_FORK`], [`LOCKED`], [`DONT_DUMP`], [`UNRESERVED`], [`PROMISED`].
    pub marks: u8,
}

/// `mseal`: the mapping stays as it is.
pub const SEALED: u8 = 1;
/// MADV_WIPEONFORK: a child finds zeros.
pub const WIPE_ON_FORK: u8 = 2;
/// MADV_DONTFORK: a child finds nothing.
pub const DONT_FORK: u8 = 4;
/// MADV_DONTDUMP: it is not in a core.
pub const DONT_DUMP: u8 = 16;
/// `mlock`: the mapping's pages stay in memory, where all are anyway; what is locked is counted.
pub const LOCKED: u8 = 8;
/// MAP_NORESERVE: nobody has promised that there is memory for it.
pub const UNRESERVED: u8 = 32;
/// Memory has been promised for all of it: it has been private and writable (`VM_ACCOUNT` of Linux).
pub const PROMISED: u8 = 64;

impl Vma {
    /// The same mapping from `delta` bytes on.
    fn tail(&self, delta: u64) -> Vma {
        let mut v = self.clone();
        match &mut v.source {
            Source::Anon => {}
            Source::Shared(_, at) => *at += delta,
            Source::File { offset, .. } => *offset += delta,
        }
        v
    }

    /// Whether its pages can become the program's own: what is private and can be written, or is nobody else's anyway.
    pub fn is_own(&self) -> bool {
        !self.shared && self.prot != 0 && (self.prot & PROT_WRITE != 0 || matches!(self.source, Source::Anon))
    }

    /// Whether making it writable promises memory for it.
    pub fn would_promise(&self) -> bool {
        !self.shared && self.marks & (UNRESERVED | PROMISED) == 0 && self.label != "[stack]"
    }

    /// Whether it shows this file.
    fn is_of(&self, file: &InodeRef) -> bool {
        matches!(&self.source, Source::File { inode, .. } if Rc::ptr_eq(inode, file))
    }

    /// How many of its first `len` bytes are in pages that its file has; all of what is no file's.
    pub fn inside(&self, len: u64) -> u64 {
        match &self.source {
            Source::File { inode, offset, .. } => page_up(inode.size()).saturating_sub(*offset).min(len),
            _ => len,
        }
    }

    /// Whether `next`, which begins where this one ends, is more of the same.
    fn continues(&self, next: &Vma, len: u64) -> bool {
        let kind = |v: &Vma| (v.prot, v.shared, v.may_write, v.label, v.marks);
        if kind(self) != kind(next) {
            return false;
        }
        match (&self.source, &next.source) {
            (Source::Anon, Source::Anon) => true,
            (Source::Shared(a, x), Source::Shared(b, y)) => Rc::ptr_eq(a, b) && x + len == *y,
            (Source::File { inode: a, offset: x, .. }, Source::File { inode: b, offset: y, .. }) => {
                Rc::ptr_eq(a, b) && x + len == *y
            }
            _ => false,
        }
    }
}

/// A range of a file that mappings must show anew.
#[derive(Clone)]
pub struct Stale {
    inode: InodeRef,
    from: u64,
    to: u64,
    /// Whether only shared mappings are concerned: private ones may go on showing what was there.
    shared: bool,
}

/// An address space.
#[derive(Clone, Default)]
pub struct Space {
    /// Mappings by first byte.
    pub vmas: BTreeMap<u64, Vma>,
    /// Start of the heap.
    pub brk_start: u64,
    /// End of the heap.
    pub brk: u64,
    /// Highest address that the heap may reach.
    pub brk_limit: u64,
    /// Bytes mapped.
    pub total: u64,
    /// Most bytes ever mapped.
    pub peak: u64,
    /// Bytes mapped with any access at all: these count as resident, because which pages the machine has
    /// really brought in is not the same on every machine.
    pub resident: u64,
    /// Most bytes ever resident.
    pub peak_resident: u64,
    /// Bytes for which memory has been promised ([`PROMISED`]).
    pub promised: u64,
    /// What of its memory counts on a host that is short of it.
    pub account: crate::memory::Account,
    /// Where the last search for room ended.
    cursor: u64,
    /// Addresses of arguments and environment: start and end of each, for `/proc/self/stat`.
    pub args: [u64; 4],
    /// Loops that give up the baton: path of the file to offsets of their branches.
    pub yields: Rc<BTreeMap<Vec<u8>, Vec<u64>>>,
    /// Start and end of code, start of the stack.
    pub code: (u64, u64, u64),
    /// Whether any mapping is sealed.
    pub sealed: bool,
    /// What `membarrier` has been registered for.
    pub barriers: u32,
    /// Whether new mappings are locked (MCL_FUTURE).
    pub lock_future: bool,
    /// Ranges of files that mappings must show anew before anybody runs here.
    pub stale: Vec<Stale>,
}

/// Rounds up to a page.
pub fn page_up(v: u64) -> u64 {
    v.checked_add(PAGE - 1).map_or(!(PAGE - 1), |v| v & !(PAGE - 1))
}

/// Whether a guest may have these addresses.
pub fn allowed(addr: u64, len: u64) -> bool {
    let Some(end) = addr.checked_add(len) else { return false };
    let stub = map::STUB_ZONES.iter().any(|(zone, _)| addr < zone + map::STUB_ZONE_SIZE && *zone < end);
    !stub
        && addr >= map::GUEST_MIN
        && end <= map::GUEST_MAX
        && (end <= map::RESERVED_START || addr >= map::RESERVED_END)
}

impl Space {
    /// The mapping that holds an address, and its first byte.
    pub fn find(&self, addr: u64) -> Option<(u64, &Vma)> {
        self.vmas.range(..=addr).next_back().filter(|(_, v)| addr < v.end).map(|(s, v)| (*s, v))
    }

    /// Whether nothing is mapped in a range.
    pub fn is_free(&self, addr: u64, len: u64) -> bool {
        self.vmas.range(..addr + len).next_back().is_none_or(|(_, v)| v.end <= addr)
    }

    /// Room for `len` bytes, upward from where mappings go.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn room(&mut self, len: u64, below: Option<u64>) -> Result<u64> {
        let limit = below.unwrap_or(map::STACK_TOP - (1 << 36));
        let base = if below.is_some() { 0x4000_0000 } else { map::MMAP_BASE };
        let from = if below.is_none() { self.cursor.max(base) } else { base };
        let found = self.first_fit(from, limit, len).or_else(|| self.first_fit(base, limit, len));
        let at = found.ok_or(Errno::ENOMEM)?;
        if below.is_none() {
            self.cursor = at;
        }
        Ok(at)
    }

    fn first_fit(&self, from: u64, limit: u64, len: u64) -> Option<u64> {
        let mut at = from;
        if let Some((_, v)) = self.find(at) {
            at = v.end;
        }
        for (start, v) in self.vmas.range(at..) {
            if start - at >= len {
                break;
            }
            at = v.end;
        }
        (at.checked_add(len)? <= limit).then_some(at)
    }

    /// Cuts the mapping that holds `addr` in two there.
    fn split(&mut self, addr: u64) {
        let Some((start, v)) = self.find(addr) else { return };
        if start == addr {
            return;
        }
        let tail = v.tail(addr - start);
        if let Some(head) = self.vmas.get_mut(&start) {
            head.end = addr;
        }
        self.vmas.insert(addr, tail);
    }

    /// Forgets the mappings of a range; says whether there were any.
    pub fn remove(&mut self, addr: u64, len: u64) -> bool {
        self.split(addr);
        self.split(addr + len);
        let keys: Vec<u64> = self.vmas.range(addr..addr + len).map(|(s, _)| *s).collect();
        for key in &keys {
            if let Some(v) = self.vmas.remove(key) {
                let len = v.end - key;
                self.total -= len;
                if v.prot != 0 {
                    self.resident -= len;
                }
                if v.marks & PROMISED != 0 {
                    self.promised -= len;
                }
                if v.is_own() {
                    self.account.own -= len;
                }
            }
        }
        self.cursor = self.cursor.min(addr.max(map::MMAP_BASE));
        !keys.is_empty()
    }

    /// Notes a mapping, joined to its neighbours where they are the same.
    pub fn insert(&mut self, addr: u64, vma: Vma) {
        let mut start = addr;
        let mut vma = vma;
        self.total += vma.end - addr;
        self.peak = self.peak.max(self.total);
        if vma.prot != 0 {
            self.resident += vma.end - addr;
            self.peak_resident = self.peak_resident.max(self.resident);
        }
        if vma.marks & PROMISED != 0 {
            self.promised += vma.end - addr;
        }
        if vma.is_own() {
            self.account.own += vma.end - addr;
        }
        if let Some((s, before)) = self.vmas.range(..addr).next_back()
            && before.end == addr
            && before.continues(&vma, addr - s)
        {
            start = *s;
            let end = vma.end;
            vma = before.clone();
            vma.end = end;
        }
        if let Some(after) = self.vmas.get(&vma.end)
            && vma.continues(after, vma.end - start)
        {
            let key = vma.end;
            vma.end = after.end;
            self.vmas.remove(&key);
        }
        self.vmas.insert(start, vma);
    }

    /// The pieces of mappings within a range: first byte, length, mapping from there on.
    pub fn pieces(&self, addr: u64, len: u64) -> Vec<(u64, u64, Vma)> {
        let end = addr + len;
        let mut out = Vec::new();
        let first = self.find(addr).map_or(addr, |(s, _)| s);
        for (start, v) in self.vmas.range(first..end) {
            let from = (*start).max(addr);
            let to = v.end.min(end);
            if from < to {
                out.push((from, to - from, v.tail(from - start)));
            }
        }
        out
    }

    /// Whether a range is mapped without a gap.
    pub fn covers(&self, addr: u64, len: u64) -> bool {
        if addr.checked_add(len).is_none() {
            return false;
        }
        let mut at = addr;
        for (start, n, _) in self.pieces(addr, len) {
            if start != at {
                return false;
            }
            at = start + n;
        }
        at >= addr + len
    }

    /// Maps a range on the machine and notes it; what was there goes.
    ///
    /// # Errors
    /// `ENOMEM`, or what reaching the file's bytes gives.
    pub fn map(&mut self, addr: u64, mut vma: Vma, m: &mut dyn Machine) -> Result<()> {
        let len = vma.end - addr;
        if self.lock_future {
            vma.marks |= LOCKED;
        }
        if vma.prot & PROT_WRITE != 0 && vma.would_promise() {
            vma.marks |= PROMISED;
        }
        show(addr, &vma, m)?;
        self.given_back(addr, len);
        self.remove(addr, len);
        if vma.is_own() {
            self.account.grown += len;
        }
        self.yield_points(addr, &vma, m);
        self.insert(addr, vma);
        Ok(())
    }

    /// Puts the learned yield points into code that has just been mapped.
    fn yield_points(&self, addr: u64, vma: &Vma, m: &mut dyn Machine) {
        let Source::File { offset, path, .. } = &vma.source else { return };
        if vma.prot & PROT_EXEC == 0 || vma.shared || self.yields.is_empty() {
            return;
        }
        let Some(points) = self.yields.get(&**path) else { return };
        for at in points.iter().filter(|at| (*offset..*offset + (vma.end - addr)).contains(at)) {
            m.yield_point(addr + (at - offset), addr..vma.end);
        }
    }

    /// Unmaps a range.
    ///
    /// # Errors
    /// `ENOMEM` when the machine cannot cut one mapping in two any more.
    pub fn unmap(&mut self, addr: u64, len: u64, m: &mut dyn Machine) -> Result<()> {
        if !self.is_free(addr, len) {
            m.unmap(addr, len)?;
            self.given_back(addr, len);
            self.remove(addr, len);
        }
        Ok(())
    }

    /// The pages of a range are gone: as many as it can have had count no more, until they are next looked at.
    pub fn given_back(&mut self, addr: u64, len: u64) {
        if self.account.touched > 0 {
            let own = self.pieces(addr, len).iter().filter(|(_, _, v)| v.is_own()).map(|(_, n, _)| n).sum();
            self.account.touched = self.account.touched.saturating_sub(own);
        }
    }

    /// `mprotect`.
    ///
    /// # Errors
    /// `ENOMEM` for a gap, `EACCES` for writing what was opened for reading.
    pub fn protect(&mut self, addr: u64, len: u64, prot: u32, m: &mut dyn Machine) -> Result<()> {
        let mut at = addr;
        for (start, n, mut v) in self.pieces(addr, len) {
            // What comes before a mapping that refuses, or before a gap, has been changed.
            if start != at {
                return Err(Errno::ENOMEM);
            }
            if prot & PROT_WRITE != 0 && !v.may_write {
                return Err(Errno::EACCES);
            }
            let inside = v.inside(n);
            if inside > 0 {
                m.protect(start, inside, prot)?;
            }
            at = start + n;
            self.remove(start, n);
            let was_own = v.is_own();
            v.prot = prot;
            if v.is_own() && !was_own {
                self.account.grown += n;
            }
            if prot & PROT_WRITE != 0 && v.would_promise() {
                v.marks |= PROMISED;
            }
            v.end = at;
            self.insert(start, v);
        }
        if at < addr + len { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// Whether a file is mapped here.
    fn maps(&self, inode: &InodeRef) -> bool {
        self.vmas.values().any(|v| v.is_of(inode))
    }

    /// Shows a range of a file anew, which has come to be inside or outside it.
    fn show_again(&mut self, stale: &Stale, m: &mut dyn Machine) {
        for (start, v) in self.vmas.iter().filter(|(_, v)| v.is_of(&stale.inode) && (v.shared || !stale.shared)) {
            let Source::File { offset, .. } = &v.source else { continue };
            let (first, last) = (stale.from.max(*offset), stale.to.min(offset + (v.end - start)));
            if first < last {
                let mut piece = v.tail(first - offset);
                piece.end = start + (last - offset);
                // Without room for a page it stays out of reach: that faults, as when memory is short on Linux.
                let _ = show(start + (first - offset), &piece, m);
            }
        }
    }

    /// Catches up with what happened to mapped files while other address spaces ran.
    pub fn catch_up(&mut self, m: &mut dyn Machine) {
        for stale in core::mem::take(&mut self.stale) {
            self.show_again(&stale, m);
        }
    }

    /// Sets or clears a mark on the mappings of a range.
    pub fn mark(&mut self, addr: u64, len: u64, mark: u8, on: bool) {
        let pieces = self.pieces(addr, len);
        self.remove(addr, len);
        for (start, n, mut v) in pieces {
            v.marks = if on { v.marks | mark } else { v.marks & !mark };
            v.end = start + n;
            self.insert(start, v);
        }
    }

    /// Bytes of a range that are locked.
    pub fn locked(&self, addr: u64, len: u64) -> u64 {
        self.pieces(addr, len).iter().filter(|(_, _, v)| v.marks & LOCKED != 0).map(|(_, n, _)| n).sum()
    }

    /// Locks all that is mapped, or nothing.
    pub fn lock_all(&mut self, on: bool) {
        for vma in self.vmas.values_mut() {
            vma.marks = if on { vma.marks | LOCKED } else { vma.marks & !LOCKED };
        }
    }

    /// Makes a copied address space what a child of fork gets; returns the ranges whose pages it must lose, and whether
    /// they stay mapped.
    pub fn forked(&mut self) -> Vec<(u64, u64, bool)> {
        // mlock(2): a child inherits no locks.
        self.lock_future = false;
        self.lock_all(false);
        let marked = self.vmas.iter().filter(|(_, v)| v.marks & (WIPE_ON_FORK | DONT_FORK) != 0);
        let out: Vec<_> = marked.map(|(start, v)| (*start, v.end - start, v.marks & DONT_FORK == 0)).collect();
        for (start, len, stays) in &out {
            if !stays {
                self.remove(*start, *len);
            }
        }
        out
    }

    /// The identity of a byte of shared memory, for futexes that processes share: a store offset, or file and offset.
    pub fn shared_key(&self, addr: u64) -> Option<(u64, u64)> {
        let (start, v) = self.find(addr)?;
        if !v.shared {
            return None;
        }
        match &v.source {
            Source::Anon => None,
            Source::Shared(mem, at) => Some((0, mem.start * PAGE + at + (addr - start))),
            Source::File { inode, offset, .. } => Some((inode.fs.dev << 32 | inode.ino, offset + (addr - start))),
        }
    }
}

/// Makes the machine show a mapping.
///
/// # Errors
/// `ENOMEM`, or what reaching the file's bytes gives.
pub fn show(addr: u64, vma: &Vma, m: &mut dyn Machine) -> Result<()> {
    let len = vma.end - addr;
    match &vma.source {
        Source::Anon => m.map(addr, len, vma.prot, Backing::Anon),
        Source::Shared(mem, at) => {
            m.map(addr, len, vma.prot, Backing::Store { offset: mem.start * PAGE + at, shared: true })
        }
        Source::File { inode, offset, .. } => {
            inode.mapped.set(true);
            // Pages past the end of the file are out of reach until it grows.
            let inside = vma.inside(len);
            if inside < len {
                m.map(addr + inside, len - inside, 0, Backing::Anon)?;
            }
            if inside == 0 {
                return Ok(());
            }
            let content = inode.content().ok_or(Errno::ENODEV)?;
            let mut content = content.borrow_mut();
            if let Some(file) = lower_or_own(&mut content, vma, m)? {
                return m.map(addr, inside, vma.prot, Backing::Lower { file, offset: *offset });
            }
            if vma.shared && vma.may_write && content.kept.is_some() {
                content.keep(*offset, inside, m)?;
                crate::fs::disk::of(inode).inspect(|disk| disk.mapped(inode));
            }
            content.allocate(*offset, inside, m)?;
            for piece in content.pieces(*offset, inside) {
                let store = piece.store.expect("mapped ranges are allocated");
                let backing = Backing::Store { offset: store, shared: vma.shared };
                m.map(addr + (piece.at - offset), page_up(piece.len), vma.prot, backing)?;
            }
            Ok(())
        }
    }
}

/// The machine's file if the mapping may show it: one that nobody can write through.
fn lower_or_own(
    content: &mut crate::fs::content::Content,
    vma: &Vma,
    m: &mut dyn Machine,
) -> Result<Option<crate::machine::LowerFile>> {
    if vma.shared && vma.may_write {
        content.copy_up(m)?;
        return Ok(None);
    }
    content.lower_file(m)
}

/// A file before a change of it, as far as mappings show it.
pub struct Before {
    size: u64,
    /// Whether its bytes were the machine's.
    lower: bool,
    /// How its length comes to be another.
    how: Resize,
}

impl Before {
    /// The file as it is now.
    pub fn of(inode: &InodeRef) -> Before {
        let lower = inode.content().is_some_and(|c| c.borrow().lower_path().is_some());
        Before { size: inode.size(), lower, how: Resize::Written }
    }

    /// The file as it is now, before its length is set.
    pub fn told(inode: &InodeRef) -> Before {
        Before { how: Resize::Told, ..Before::of(inode) }
    }
}

impl Kernel {
    /// A file has changed: mappings reach as far as it does now, and show the world's own bytes once it has some. The
    /// current address space's do at once, others' before anybody runs there.
    pub fn show_change(&mut self, m: &mut dyn Machine, inode: &InodeRef, before: &Before) {
        if let Some(disk) = &inode.fs.disk {
            disk.wrote(inode, before.size, before.how, self.realtime());
        }
        if !inode.mapped.get() {
            return;
        }
        let (a, b) = (page_up(before.size), page_up(inode.size()));
        if a != b {
            self.show_range(m, Stale { inode: inode.clone(), from: a.min(b), to: a.max(b), shared: false });
        }
        if before.lower && !Before::of(inode).lower && a.min(b) > 0 {
            self.show_range(m, Stale { inode: inode.clone(), from: 0, to: a.min(b), shared: true });
        }
    }

    fn show_range(&mut self, m: &mut dyn Machine, stale: Stale) {
        let current = self.proc_of(self.current).space;
        for (id, entry) in self.spaces.iter_mut().enumerate() {
            let Some(entry) = entry.as_mut().filter(|e| e.space.maps(&stale.inode)) else { continue };
            if id == current.0 as usize {
                entry.space.show_again(&stale, m);
            } else {
                entry.space.stale.push(stale.clone());
            }
        }
    }

    /// What a fault is to the program: one in a page past the end of a mapped file is SIGBUS (`mmap(2)`).
    pub fn classify_fault(&self, task: TaskId, info: Info, error: u64) -> Info {
        const WRITE: u64 = 2;
        const FETCH: u64 = 16;
        const BUS_ADRERR: i32 = 2;
        if info.signal != SIGSEGV || info.code != SEGV_ACCERR {
            return info;
        }
        let addr = info.fields[0];
        let Some((start, vma)) = self.space_of(task).find(addr) else { return info };
        let want = match error {
            e if e & FETCH != 0 => PROT_EXEC,
            e if e & WRITE != 0 => PROT_WRITE,
            _ => PROT_READ | PROT_WRITE | PROT_EXEC,
        };
        if vma.prot & want == 0 || vma.inside(addr - start + 1) > addr - start {
            return info;
        }
        Info::fault(SIGBUS, BUS_ADRERR, addr)
    }
}
