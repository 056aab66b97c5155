//! Address spaces: which guest addresses are mapped to what. All addresses are given out here.

use crate::fs::inode::InodeRef;
use crate::machine::{Backing, Machine};
use crate::uapi::*;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
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
    /// [`SEALED`], [`WIPE_ON_FORK`], [`DONT_FORK`].
    pub marks: u8,
}

/// `mseal`: the mapping stays as it is.
pub const SEALED: u8 = 1;
/// MADV_WIPEONFORK: a child finds zeros.
pub const WIPE_ON_FORK: u8 = 2;
/// MADV_DONTFORK: a child finds nothing.
pub const DONT_FORK: u8 = 4;

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
                self.total -= v.end - key;
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
    pub fn map(&mut self, addr: u64, vma: Vma, m: &mut dyn Machine) -> Result<()> {
        let len = vma.end - addr;
        show(addr, &vma, m)?;
        self.remove(addr, len);
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
            m.yield_point(addr + (at - offset));
        }
    }

    /// Unmaps a range.
    pub fn unmap(&mut self, addr: u64, len: u64, m: &mut dyn Machine) {
        if self.remove(addr, len) {
            m.unmap(addr, len);
        }
    }

    /// `mprotect`.
    ///
    /// # Errors
    /// `ENOMEM` for a gap, `EACCES` for writing what was opened for reading.
    pub fn protect(&mut self, addr: u64, len: u64, prot: u32, m: &mut dyn Machine) -> Result<()> {
        if !self.covers(addr, len) {
            return Err(Errno::ENOMEM);
        }
        let pieces = self.pieces(addr, len);
        if prot & PROT_WRITE != 0 && pieces.iter().any(|(_, _, v)| !v.may_write) {
            return Err(Errno::EACCES);
        }
        m.protect(addr, len, prot)?;
        self.remove(addr, len);
        for (start, n, mut v) in pieces {
            v.prot = prot;
            v.end = start + n;
            self.insert(start, v);
        }
        Ok(())
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

    /// Makes a copied address space what a child of fork gets; returns the ranges whose pages it must lose, and whether
    /// they stay mapped.
    pub fn forked(&mut self) -> Vec<(u64, u64, bool)> {
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
            let content = inode.content().ok_or(Errno::ENODEV)?;
            let mut content = content.borrow_mut();
            if let Some(file) = lower_or_own(&mut content, vma, m)? {
                return m.map(addr, len, vma.prot, Backing::Lower { file, offset: *offset });
            }
            // Pages past the end get their place now: the file may grow under the mapping.
            content.allocate(*offset, len, m)?;
            for piece in content.pieces(*offset, len) {
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

/// A shared reference to an address space's entry.
pub type SpaceCell = Rc<RefCell<Space>>;
