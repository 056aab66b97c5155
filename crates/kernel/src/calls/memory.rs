//! Memory: mmap and its kin.

use crate::exec::anon;
use crate::fs::file::{FileKind, OpenFile};
use crate::fs::inode::{Inode, Node};
use crate::machine::Backing;
use crate::mem;
use crate::mm::{DONT_DUMP, LOCKED, PROMISED, SharedMemory, Source, UNRESERVED, Vma, allowed, page_up, show};
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::rc::Rc;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

/// Flags that every kind of mapping knows: of these, MAP_SHARED_VALIDATE refuses none.
const LEGACY_MAP_FLAGS: u32 = 0x7c07_f973;

pub fn mmap(cx: &mut Cx) -> Answer {
    let [addr, len, prot, flags, _, offset] = cx.args;
    let (prot, flags) = (prot as u32, flags as u32);
    if !offset.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL.into());
    }
    if flags & MAP_ANONYMOUS == 0 {
        cx.file(4)?;
    }
    if len == 0 {
        return Err(Errno::EINVAL.into());
    }
    let len = page_up(len);
    if len > 1 << 46 {
        return Err(Errno::ENOMEM.into());
    }
    let kind = flags & 0xf;
    if kind == 0 || kind > 3 {
        return Err(Errno::EINVAL.into());
    }
    if kind == MAP_SHARED_VALIDATE {
        if flags & MAP_ANONYMOUS != 0 {
            return Err(Errno::EINVAL.into());
        }
        // All that there was before MAP_SHARED_VALIDATE; MAP_SYNC is for memory that stays.
        if flags & !LEGACY_MAP_FLAGS != 0 {
            return Err(Errno::EOPNOTSUPP.into());
        }
    }
    if flags & (MAP_HUGETLB | MAP_ANONYMOUS) == MAP_HUGETLB | MAP_ANONYMOUS {
        // There are no huge pages, as /proc/sys/vm/nr_hugepages says.
        return Err(Errno::ENOMEM.into());
    }
    let shared = kind != MAP_PRIVATE;
    let mut vma = Vma { end: 0, prot: prot & 7, shared, may_write: true, source: Source::Anon, label: "", marks: 0 };
    if flags & MAP_ANONYMOUS == 0 {
        vma = cx.file_mapping(vma, offset, len)?;
    }
    if flags & MAP_LOCKED != 0 {
        if !cx.may_lock() {
            return Err(Errno::EPERM.into());
        }
        vma.marks |= LOCKED;
    }
    if vma.marks & LOCKED != 0 || cx.k.space_of(cx.task).lock_future {
        cx.check_lock_limit(len, Errno::EAGAIN)?;
    }
    if flags & MAP_NORESERVE != 0 && cx.k.overcommit(cx.proc().host) != 2 {
        vma.marks |= UNRESERVED;
    }
    cx.check_address_limit(len)?;
    let at = cx.place(addr, len, flags)?;
    cx.promise_mapping(at, len, &vma)?;
    // Shared memory without a name: so is a shared mapping of /dev/zero.
    if shared && matches!(vma.source, Source::Anon) {
        let pages = len / PAGE;
        let start = cx.k.store.take(pages, cx.m)?;
        let memory = SharedMemory { start, count: pages, store: cx.k.store.clone(), tag: None };
        vma.source = Source::Shared(Rc::new(memory), 0);
    }
    vma.end = at + len;
    cx.with_space(|space, m| space.map(at, vma, m))?;
    Ok(at as i64)
}

impl Cx<'_> {
    /// Works on the address space with the machine at hand.
    pub fn with_space<T>(&mut self, f: impl FnOnce(&mut crate::mm::Space, &mut dyn crate::machine::Machine) -> T) -> T {
        let id = self.proc().space;
        let entry = self.k.spaces[id.0 as usize].as_mut().expect("a live process has a space");
        f(&mut entry.space, self.m)
    }

    fn file_mapping(&mut self, mut vma: Vma, offset: u64, len: u64) -> Result<Vma> {
        let file = self.file(4)?;
        if offset.checked_add(len).is_none() {
            return Err(Errno::EOVERFLOW);
        }
        if let FileKind::Device(crate::fs::dev::Device::Zero) = file.kind {
            vma.may_write = !vma.shared || file.writable();
            return Ok(vma);
        }
        let inode = file.inode.clone().ok_or(Errno::ENODEV)?;
        if !matches!(inode.node, Node::File(_)) {
            return Err(Errno::ENODEV);
        }
        // mmap(2): EACCES for a file not open for reading, or for a shared writable mapping of one not open for both.
        if !file.readable() || vma.shared && vma.prot & PROT_WRITE != 0 && !file.writable() {
            return Err(Errno::EACCES);
        }
        vma.may_write = !vma.shared || file.writable();
        if let Some(seals) = inode.seals.get()
            && vma.shared
            && seals & 0x18 != 0
        {
            if vma.prot & PROT_WRITE != 0 {
                return Err(Errno::EPERM);
            }
            vma.may_write = false;
        }
        let path = Rc::new(self.k.file_path(self.task, &file));
        vma.source = Source::File { inode, offset, path };
        Ok(vma)
    }

    /// Whether memory may be promised for a new mapping, in the place of what is there.
    ///
    /// # Errors
    /// `ENOMEM`.
    fn promise_mapping(&mut self, at: u64, len: u64, vma: &Vma) -> Result<()> {
        let private = vma.prot & PROT_WRITE != 0 && vma.would_promise();
        let shared =
            vma.shared && vma.marks & UNRESERVED == 0 && matches!(vma.source, Source::Anon | Source::Shared(..));
        if !private && !shared || !self.k.memory.counted {
            return Ok(());
        }
        let there = self.k.space_of(self.task).promised_in(at, len);
        self.k.promise(self.task, len.saturating_sub(there))
    }

    /// Whether RLIMIT_AS lets the address space grow by so many bytes.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn check_address_limit(&self, more: u64) -> Result<()> {
        let limit = self.proc().limits[RLIMIT_AS as usize].0;
        let total = self.k.space_of(self.task).total;
        if total.saturating_add(more) > limit { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// Chooses the address of a new mapping.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`, `EEXIST`, `ENOMEM`.
    pub fn place(&mut self, addr: u64, len: u64, flags: u32) -> Result<u64> {
        if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0 {
            if !addr.is_multiple_of(PAGE) {
                return Err(Errno::EINVAL);
            }
            if !allowed(addr, len) {
                return Err(if addr < snowglobe_abi::map::GUEST_MIN { Errno::EPERM } else { Errno::ENOMEM });
            }
            let free = self.k.space_of(self.task).is_free(addr, len);
            if flags & MAP_FIXED_NOREPLACE != 0 && !free {
                return Err(Errno::EEXIST);
            }
            if !free {
                self.unsealed(addr, len)?;
            }
            return Ok(addr);
        }
        let hint = addr & !(PAGE - 1);
        let space = self.k.space_of_mut(self.task);
        if hint != 0 && allowed(hint, len) && space.is_free(hint, len) {
            return Ok(hint);
        }
        space.room(len, (flags & MAP_32BIT != 0).then_some(0x8000_0000))
    }
}

impl crate::Kernel {
    /// The path by which a file was opened, for `/proc`.
    pub fn file_path(&self, task: crate::task::TaskId, file: &OpenFile) -> alloc::vec::Vec<u8> {
        let root = self.proc_of(task).fs.borrow().root.clone();
        let Some((dir, name)) = &file.name else { return alloc::vec::Vec::new() };
        let moved = file.inode.as_ref().and_then(|i| i.moved_to(dir, name));
        let (dir, name) = moved.as_ref().map_or((dir, name), |(dir, name)| (dir, name));
        let mut path = match &file.inode {
            Some(inode) if name.is_empty() => inode.dir_path(&root).unwrap_or_default(),
            _ => dir.dir_path(&root).unwrap_or_default(),
        };
        if !name.is_empty() {
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            path.extend_from_slice(name);
        }
        let gone = file.inode.as_ref().is_some_and(|i| i.meta.borrow().nlink == 0);
        if gone && !path.ends_with(b" (deleted)") {
            path.extend_from_slice(b" (deleted)");
        }
        path
    }
}

pub fn munmap(cx: &mut Cx) -> Answer {
    let (addr, len) = (cx.args[0], page_up(cx.args[1]));
    if !addr.is_multiple_of(PAGE) || len == 0 || addr.checked_add(len).is_none_or(|e| e > 1 << 47) {
        return Err(Errno::EINVAL.into());
    }
    cx.unsealed(addr, len)?;
    cx.with_space(|space, m| space.unmap(addr, len, m))?;
    Ok(0)
}

pub fn mprotect(cx: &mut Cx) -> Answer {
    let (addr, len, prot) = (cx.args[0], page_up(cx.args[1]), cx.uint(2));
    // PROT_GROWSDOWN and PROT_GROWSUP need a mapping of that kind, which none here is.
    if !addr.is_multiple_of(PAGE) || prot & !7 & !0x8 != 0 {
        return Err(Errno::EINVAL.into());
    }
    if len == 0 {
        return Ok(0);
    }
    if addr.checked_add(len).is_none() {
        return Err(Errno::ENOMEM.into());
    }
    cx.unsealed(addr, len)?;
    if prot & PROT_WRITE != 0 && cx.k.memory.counted {
        let more = cx.k.space_of(cx.task).would_promise(addr, len);
        cx.k.promise(cx.task, more)?;
    }
    cx.with_space(|space, m| space.protect(addr, len, prot & 7, m))?;
    Ok(0)
}

pub fn brk(cx: &mut Cx) -> Answer {
    let want = cx.args[0];
    let space = cx.k.space_of(cx.task);
    let (start, old, limit) = (space.brk_start, space.brk, space.brk_limit);
    let data = cx.proc().limits[RLIMIT_DATA as usize].0;
    if want < start || want > limit || want - start > data {
        return Ok(old as i64);
    }
    let (from, to) = (page_up(old), page_up(want));
    if to > from {
        let fits = allowed(from, to - from) && space.is_free(from, to - from);
        if !fits || cx.check_address_limit(to - from).is_err() || cx.k.promise(cx.task, to - from).is_err() {
            return Ok(old as i64);
        }
        let vma = anon(to, PROT_READ | PROT_WRITE, "[heap]");
        if cx.with_space(|space, m| space.map(from, vma, m)).is_err() {
            return Ok(old as i64);
        }
    } else if to < from && cx.with_space(|space, m| space.unmap(to, from - to, m)).is_err() {
        return Ok(old as i64);
    }
    cx.k.space_of_mut(cx.task).brk = want;
    Ok(want as i64)
}

pub fn mremap(cx: &mut Cx) -> Answer {
    let [addr, old_len, new_len, flags, new_addr, _] = cx.args;
    let flags = flags as u32;
    let fixed = flags & MREMAP_FIXED != 0;
    if !addr.is_multiple_of(PAGE)
        || new_len == 0
        || flags & !(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) != 0
        || (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) != 0 && flags & MREMAP_MAYMOVE == 0)
    {
        return Err(Errno::EINVAL.into());
    }
    // No sum of these leaves 64 bits: there are no more addresses than this.
    const ALL: u64 = 1 << 47;
    if new_len > ALL || old_len > ALL || fixed && new_addr > ALL {
        return Err(Errno::EINVAL.into());
    }
    if addr > ALL {
        return Err(Errno::EFAULT.into());
    }
    let (old_len, new_len) = (page_up(old_len), page_up(new_len));
    let overlap = new_addr < addr + old_len && addr < new_addr + new_len;
    if fixed && (!new_addr.is_multiple_of(PAGE) || !allowed(new_addr, new_len) || overlap) {
        return Err(Errno::EINVAL.into());
    }
    let stays = flags & MREMAP_DONTUNMAP != 0;
    if stays && old_len != new_len {
        return Err(Errno::EINVAL.into());
    }
    cx.unsealed(addr, old_len)?;
    if fixed {
        cx.unsealed(new_addr, new_len)?;
    }
    let space = cx.k.space_of(cx.task);
    let (start, vma) = space.find(addr).ok_or(Errno::EFAULT)?;
    if old_len > 0 && addr + old_len > vma.end {
        return Err(Errno::EFAULT.into());
    }
    let mut vma = vma.clone();
    let from_start = addr - start;
    vma = tail_of(&vma, from_start);
    if old_len == 0 {
        // A second mapping of shared memory (mremap(2)).
        if !vma.shared {
            return Err(Errno::EINVAL.into());
        }
        let to = if fixed { new_addr } else { cx.k.space_of_mut(cx.task).room(new_len, None)? };
        vma.end = to + new_len;
        cx.with_space(|space, m| space.map(to, vma, m))?;
        return Ok(to as i64);
    }
    if stays {
        let to = if fixed { new_addr } else { cx.k.space_of_mut(cx.task).room(new_len, None)? };
        cx.check_address_limit(new_len)?;
        cx.move_mapping(addr, old_len, to)?;
        // What stays shows the same, without the pages that have moved.
        vma.end = addr + old_len;
        cx.with_space(|space, m| space.map(addr, vma, m))?;
        return Ok(to as i64);
    }
    if !fixed && new_len <= old_len {
        if new_len < old_len {
            cx.with_space(|space, m| space.unmap(addr + new_len, old_len - new_len, m))?;
        }
        return Ok(addr as i64);
    }
    if new_len > old_len {
        cx.check_address_limit(new_len - old_len)?;
    }
    let more = new_len.saturating_sub(old_len);
    if vma.marks & PROMISED != 0 {
        cx.k.promise(cx.task, more)?;
    }
    let space = cx.k.space_of(cx.task);
    if !fixed && allowed(addr, new_len) && space.is_free(addr + old_len, more) {
        let mut rest = tail_of(&vma, old_len);
        rest.end = addr + new_len;
        cx.with_space(|space, m| space.map(addr + old_len, rest, m))?;
        return Ok(addr as i64);
    }
    if flags & MREMAP_MAYMOVE == 0 {
        return Err(Errno::ENOMEM.into());
    }
    let to = if fixed { new_addr } else { cx.k.space_of_mut(cx.task).room(new_len, None)? };
    cx.move_mapping(addr, old_len.min(new_len), to)?;
    if old_len > new_len {
        cx.with_space(|space, m| space.unmap(addr + new_len, old_len - new_len, m))?;
    }
    if more > 0 {
        let mut rest = tail_of(&vma, old_len);
        rest.end = to + new_len;
        cx.with_space(|space, m| space.map(to + old_len, rest, m))?;
    }
    Ok(to as i64)
}

fn tail_of(vma: &Vma, delta: u64) -> Vma {
    let mut v = vma.clone();
    match &mut v.source {
        Source::Anon => {}
        Source::Shared(_, at) => *at += delta,
        Source::File { offset, .. } => *offset += delta,
    }
    v
}

impl Cx<'_> {
    fn move_mapping(&mut self, from: u64, len: u64, to: u64) -> Result<()> {
        self.with_space(|space, m| {
            let pieces = space.pieces(from, len);
            space.unmap(to, len, m)?;
            for (start, n, vma) in &pieces {
                let at = to + (start - from);
                if vma.shared {
                    // Nothing of it is the mapping's own: it is shown again there.
                    let mut there = vma.clone();
                    there.end = at + n;
                    show(at, &there, m)?;
                    m.unmap(*start, *n)?;
                    continue;
                }
                let inside = vma.inside(*n);
                if inside > 0 {
                    m.remap(*start, inside, at)?;
                }
                if inside < *n {
                    m.map(at + inside, n - inside, 0, Backing::Anon)?;
                    m.unmap(start + inside, n - inside)?;
                }
            }
            space.remove(from, len);
            for (start, n, mut vma) in pieces {
                let at = to + (start - from);
                vma.end = at + n;
                space.insert(at, vma);
            }
            Ok(())
        })
    }
}

const MADV_DONTDUMP: u32 = 16;
const MADV_DODUMP: u32 = 17;

pub fn madvise(cx: &mut Cx) -> Answer {
    let (addr, len, advice) = (cx.args[0], page_up(cx.args[1]), cx.uint(2));
    if !addr.is_multiple_of(PAGE) || addr.checked_add(len).is_none() {
        return Err(Errno::EINVAL.into());
    }
    // Pages are neither merged nor poisoned here, as where CONFIG_KSM and CONFIG_MEMORY_FAILURE are off.
    if !matches!(advice, 0..=4 | 8..=11 | 14..=25) {
        return Err(Errno::EINVAL.into());
    }
    if len == 0 {
        return Ok(0);
    }
    let pieces = cx.k.space_of(cx.task).pieces(addr, len);
    // What a mapping refuses is said before what is not mapped is found.
    if pieces.iter().any(|(_, _, v)| v.marks & LOCKED != 0) && matches!(advice, MADV_DONTNEED | MADV_FREE | MADV_REMOVE)
    {
        return Err(Errno::EINVAL.into());
    }
    match advice {
        // MADV_FREE may keep or drop the pages at any time: here it always drops them.
        MADV_DONTNEED | MADV_FREE => {
            cx.may_discard(addr, len)?;
            for (start, n, vma) in pieces {
                let anonymous = !vma.shared && matches!(vma.source, Source::Anon);
                if advice == MADV_FREE && !anonymous {
                    return Err(Errno::EINVAL.into());
                }
                if !vma.shared {
                    cx.k.space_of_mut(cx.task).given_back(start, n);
                    cx.m.advise(start, n, MADV_DONTNEED);
                }
            }
        }
        MADV_REMOVE => {
            for (_, n, vma) in pieces {
                match &vma.source {
                    Source::Shared(memory, at) => cx.m.store_discard(memory.start * PAGE + at, n),
                    Source::File { inode, offset, .. } if vma.shared => {
                        let content = inode.content().ok_or(Errno::EINVAL)?;
                        content.borrow_mut().zero_range(*offset, n, cx.m)?;
                    }
                    _ => return Err(Errno::EINVAL.into()),
                }
            }
        }
        MADV_DONTDUMP | MADV_DODUMP => {
            cx.k.space_of_mut(cx.task).mark(addr, len, DONT_DUMP, advice == MADV_DONTDUMP);
        }
        MADV_DONTFORK | MADV_DOFORK | MADV_WIPEONFORK | 19 => {
            super::pages::mark_for_fork(cx, addr, len, advice)?;
        }
        _ => {}
    }
    // madvise(2): the advice has been taken for the parts that are mapped.
    if cx.k.space_of(cx.task).covers(addr, len) { Ok(0) } else { Err(Errno::ENOMEM.into()) }
}

pub fn msync(cx: &mut Cx) -> Answer {
    let (addr, len, flags) = (cx.args[0], page_up(cx.args[1]), cx.uint(2));
    if !addr.is_multiple_of(PAGE) || flags & !7 != 0 || flags & 5 == 5 {
        return Err(Errno::EINVAL.into());
    }
    let space = cx.k.space_of(cx.task);
    // msync(2): EBUSY for MS_INVALIDATE and a locked mapping.
    if flags & 2 != 0 && space.locked(addr, len) > 0 {
        return Err(Errno::EBUSY.into());
    }
    if !space.covers(addr, len) {
        return Err(Errno::ENOMEM.into());
    }
    const SYNC: u32 = 4;
    if flags & SYNC == 0 {
        return Ok(0);
    }
    let shared = space.pieces(addr, len).into_iter().filter(|(_, _, v)| v.shared);
    let mut files: alloc::vec::Vec<crate::fs::inode::InodeRef> = alloc::vec::Vec::new();
    for (_, _, v) in shared {
        if let Source::File { inode, .. } = v.source
            && !files.iter().any(|f| Rc::ptr_eq(f, &inode))
        {
            files.push(inode);
        }
    }
    for inode in files {
        cx.k.sync_mapped(cx.m, &inode)?;
    }
    Ok(0)
}

pub fn mincore(cx: &mut Cx) -> Answer {
    let (addr, len) = (cx.args[0], page_up(cx.args[1]));
    if !addr.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL.into());
    }
    if !cx.k.space_of(cx.task).covers(addr, len) {
        return Err(Errno::ENOMEM.into());
    }
    // Which pages are resident is the machine's business: all of them, as far as a guest can tell.
    let ones = [1u8; 256];
    let mut done = 0;
    while done < len / PAGE {
        let n = (len / PAGE - done).min(256);
        cx.m.write(cx.args[2].saturating_add(done), &ones[..n as usize])?;
        done += n;
    }
    Ok(0)
}

const RLIMIT_MEMLOCK: usize = 8;

impl Cx<'_> {
    /// Whether the caller may lock anything at all.
    fn may_lock(&self) -> bool {
        self.proc().limits[RLIMIT_MEMLOCK].0 > 0 || self.proc().cred.capable(CAP_IPC_LOCK)
    }

    /// Whether so many bytes more may be locked.
    fn check_lock_limit(&self, more: u64, error: Errno) -> Result<()> {
        let limit = self.proc().limits[RLIMIT_MEMLOCK].0;
        let now = self.k.space_of(self.task).locked(0, snowglobe_abi::map::GUEST_MAX);
        if now.saturating_add(more) > limit && !self.proc().cred.capable(CAP_IPC_LOCK) { Err(error) } else { Ok(()) }
    }

    /// The pages that a call to lock means.
    fn lock_range(&self) -> Result<(u64, u64)> {
        let [addr, len, ..] = self.args;
        let start = addr & !(PAGE - 1);
        let end = addr.checked_add(len).filter(|end| *end <= u64::MAX - PAGE).ok_or(Errno::EINVAL)?;
        Ok((start, page_up(end) - start))
    }

    fn lock_pages(&mut self, on: bool) -> Answer {
        let (start, len) = self.lock_range()?;
        if len == 0 {
            return Ok(0);
        }
        // What is mapped before a gap has been locked when the gap is found.
        let space = self.k.space_of_mut(self.task);
        let whole = space.covers(start, len);
        space.mark(start, len, LOCKED, on);
        if whole { Ok(0) } else { Err(Errno::ENOMEM.into()) }
    }
}

pub fn mlock(cx: &mut Cx) -> Answer {
    let (start, len) = cx.lock_range()?;
    if !cx.may_lock() {
        return Err(Errno::EPERM.into());
    }
    let again = cx.k.space_of(cx.task).locked(start, len);
    cx.check_lock_limit(len - again, Errno::ENOMEM)?;
    cx.lock_pages(true)
}

pub fn mlock2(cx: &mut Cx) -> Answer {
    const ONFAULT: u32 = 1;
    if cx.uint(2) & !ONFAULT != 0 { Err(Errno::EINVAL.into()) } else { mlock(cx) }
}

pub fn munlock(cx: &mut Cx) -> Answer {
    cx.lock_pages(false)
}

pub fn mlockall(cx: &mut Cx) -> Answer {
    const CURRENT: u32 = 1;
    const FUTURE: u32 = 2;
    const ONFAULT: u32 = 4;
    let flags = cx.uint(0);
    if flags == 0 || flags & !7 != 0 || flags == ONFAULT {
        return Err(Errno::EINVAL.into());
    }
    if !cx.may_lock() {
        return Err(Errno::EPERM.into());
    }
    let limit = cx.proc().limits[RLIMIT_MEMLOCK].0;
    let over = cx.k.space_of(cx.task).total > limit && !cx.proc().cred.capable(CAP_IPC_LOCK);
    if flags & CURRENT != 0 && over {
        return Err(Errno::ENOMEM.into());
    }
    let space = cx.k.space_of_mut(cx.task);
    space.lock_future = flags & FUTURE != 0;
    if flags & CURRENT != 0 {
        space.lock_all(true);
    }
    Ok(0)
}

pub fn munlockall(cx: &mut Cx) -> Answer {
    let space = cx.k.space_of_mut(cx.task);
    space.lock_future = false;
    space.lock_all(false);
    Ok(0)
}

pub fn memfd_create(cx: &mut Cx) -> Answer {
    const CLOEXEC: u32 = 1;
    const ALLOW_SEALING: u32 = 2;
    const NOEXEC_SEAL: u32 = 8;
    const EXEC: u32 = 16;
    let flags = cx.uint(1);
    if flags & !(CLOEXEC | ALLOW_SEALING | NOEXEC_SEAL | EXEC) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = mem::c_string(cx.m, cx.args[0], 250, Errno::EINVAL)?;
    let cred = cx.proc().cred.clone();
    let fs = cx.k.host_of(cx.task).root.fs.clone();
    let mode = if flags & NOEXEC_SEAL != 0 { 0o666 } else { 0o777 };
    let node = Inode::new_file(&fs, mode, cred.fsuid, cred.fsgid, cx.k.realtime());
    node.meta.borrow_mut().nlink = 0;
    let sealable = flags & (ALLOW_SEALING | NOEXEC_SEAL) != 0;
    node.leave_disk();
    node.seals.set(Some(if sealable { 0 } else { 1 }));
    let id = cx.k.next_file;
    cx.k.next_file += 1;
    let mut file = OpenFile::new(FileKind::Inode, O_RDWR | O_LARGEFILE, id, &cx.k.graveyard);
    let mut label = b"memfd:".to_vec();
    label.extend_from_slice(&name);
    file.name = Some((cx.k.host_of(cx.task).root.clone(), label));
    file.inode = Some(node);
    Ok(i64::from(cx.install(Rc::new(file), flags & CLOEXEC != 0)?))
}

pub fn membarrier(cx: &mut Cx) -> Answer {
    const QUERY: i32 = 0;
    const GLOBAL: i32 = 1;
    const GLOBAL_EXPEDITED: i32 = 2;
    const PRIVATE: i32 = 8;
    const SYNC_CORE: i32 = 32;
    // Each kind with its registration, one bit further: global, private, and private with the instruction stream. What
    // is for restartable sequences is not there, as they are not.
    const REGISTERS: [i32; 3] = [GLOBAL_EXPEDITED << 1, PRIVATE << 1, SYNC_CORE << 1];
    if cx.uint(1) != 0 {
        return Err(Errno::EINVAL.into());
    }
    // One runner at a time is a barrier by itself.
    match cx.int(0) {
        QUERY => Ok(0x7f),
        GLOBAL | GLOBAL_EXPEDITED => Ok(0),
        kind @ (PRIVATE | SYNC_CORE) => {
            let registered = cx.k.space_of(cx.task).barriers & (kind << 1) as u32 != 0;
            if registered { Ok(0) } else { Err(Errno::EPERM.into()) }
        }
        kind if REGISTERS.contains(&kind) => {
            cx.k.space_of_mut(cx.task).barriers |= kind as u32;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
