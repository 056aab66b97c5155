//! System V shared memory.

use crate::ipc::ids::{Perm, READ, WRITE};
use crate::ipc::shm::{DEST, LOCKED, MAX_SEGMENTS, MAX_SIZE, Segment, Tag, sweep, touch};
use crate::mem::{self, Struct};
use crate::mm::{SharedMemory, Source, Vma, page_up};
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::rc::Rc;
use core::cell::Cell;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

const SHM_HUGETLB: u32 = 0o4000;
const SHM_RDONLY: u32 = 0o10000;
const SHM_RND: u32 = 0o20000;
const SHM_REMAP: u32 = 0o40000;
const SHM_EXEC: u32 = 0o100000;

impl Cx<'_> {
    fn segment(&mut self, id: u32) -> Result<&mut Segment> {
        let segments = &mut self.ipc().segments;
        sweep(segments);
        segments.get_mut(id)
    }

    fn new_segment(&mut self, key: u32, size: u64, flags: u32) -> Result<u32> {
        if size == 0 || size > MAX_SIZE {
            return Err(Errno::EINVAL);
        }
        if flags & SHM_HUGETLB != 0 {
            // There are no huge pages, as /proc/sys/vm/nr_hugepages says.
            return Err(if self.proc().cred.capable(CAP_IPC_LOCK) { Errno::ENOMEM } else { Errno::EPERM });
        }
        let (now, maker) = (self.k.seconds(), self.proc().pid);
        let perm = Perm::new(key, flags, &self.proc().cred);
        let count = page_up(size) / PAGE;
        let start = self.k.store.take(count, self.m).map_err(|_| Errno::ENOMEM)?;
        let tag = Tag { key, id: Cell::new(0), atime: Cell::new(0), dtime: Cell::new(0), pid: Cell::new(0) };
        let tag = Rc::new(tag);
        let memory = SharedMemory { start, count, store: self.k.store.clone(), tag: Some(tag.clone()) };
        let segment = Segment::new(perm, size, maker, now, tag.clone(), memory);
        let id = self.ipc().segments.insert(segment)?;
        tag.id.set(id);
        Ok(id)
    }
}

pub fn shmget(cx: &mut Cx) -> Answer {
    let (key, size, flags) = (cx.uint(0), cx.args[1], cx.uint(2));
    let segments = &mut cx.ipc().segments;
    sweep(segments);
    let Some(id) = segments.look(key, flags)? else { return Ok(i64::from(cx.new_segment(key, size, flags)?)) };
    let segment = cx.segment(id)?;
    let (known, perm) = (segment.size, segment.perm.clone());
    if known < size {
        return Err(Errno::EINVAL.into());
    }
    perm.check(&cx.proc().cred, flags & 0o777)?;
    Ok(i64::from(id))
}

pub fn shmat(cx: &mut Cx) -> Answer {
    let (id, mut addr, flags) = (cx.uint(0), cx.args[1], cx.uint(2));
    if cx.int(0) < 0 {
        return Err(Errno::EINVAL.into());
    }
    if addr % PAGE != 0 {
        if flags & SHM_RND == 0 {
            return Err(Errno::EINVAL.into());
        }
        addr &= !(PAGE - 1);
    }
    if addr == 0 && flags & SHM_REMAP != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (mut prot, mut want) = (PROT_READ, READ);
    if flags & SHM_RDONLY == 0 {
        (prot, want) = (PROT_READ | PROT_WRITE, READ | WRITE);
    }
    if flags & SHM_EXEC != 0 {
        (prot, want) = (prot | PROT_EXEC, want | 0o111);
    }
    let segment = cx.segment(id)?;
    let (perm, len, memory) = (segment.perm.clone(), page_up(segment.size), segment.memory());
    let tag = segment.tag.clone();
    perm.check(&cx.proc().cred, want)?;
    let memory = memory.ok_or(Errno::EIDRM)?;
    let placing = if addr != 0 { MAP_FIXED } else { 0 };
    if addr != 0 && flags & SHM_REMAP == 0 {
        let end = addr.checked_add(len).ok_or(Errno::EINVAL)?;
        if !cx.k.space_of(cx.task).is_free(addr, end - addr) {
            return Err(Errno::EINVAL.into());
        }
    }
    cx.check_address_limit(len)?;
    let at = cx.place(addr, len, placing)?;
    let may_write = flags & SHM_RDONLY == 0;
    let source = Source::Shared(memory, 0);
    let vma = Vma { end: at + len, prot, shared: true, may_write, source, label: "", marks: 0 };
    cx.with_space(|space, m| space.map(at, vma, m))?;
    tag.pid.set(cx.proc().pid);
    tag.atime.set(cx.k.seconds());
    Ok(at as i64)
}

pub fn shmdt(cx: &mut Cx) -> Answer {
    let addr = cx.args[0];
    if !addr.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL.into());
    }
    // The address is that of the attachment, of which parts may have been unmapped.
    let shown = |start: u64, vma: &Vma| match &vma.source {
        Source::Shared(memory, at) if *at == start - addr => memory.tag.clone().map(|tag| (tag, memory.count)),
        _ => None,
    };
    let space = cx.k.space_of(cx.task);
    let first = space.vmas.range(addr..).find_map(|(start, vma)| shown(*start, vma));
    let (tag, count) = first.ok_or(Errno::EINVAL)?;
    let pieces = space.pieces(addr, count * PAGE);
    tag.pid.set(cx.proc().pid);
    tag.dtime.set(cx.k.seconds());
    for (start, len, vma) in pieces {
        if shown(start, &vma).is_some_and(|(t, _)| Rc::ptr_eq(&t, &tag)) {
            // Its count must be right when the mapping goes.
            drop(vma);
            cx.with_space(|space, m| space.unmap(start, len, m))?;
        }
    }
    Ok(0)
}

/// `struct ipc64_perm`.
pub fn put_perm(out: Struct, perm: &Perm, id: u32) -> Struct {
    let out = out.u32(perm.key).u32(perm.uid).u32(perm.gid).u32(perm.cuid).u32(perm.cgid).u32(perm.mode);
    out.u16((id >> 15) as u16).pad(48)
}

/// What IPC_SET reads of a `struct ipc64_perm`: user, group, mode.
pub fn get_perm(raw: &[u8]) -> (u32, u32, u32) {
    (mem::field32(raw, 4), mem::field32(raw, 8), mem::field32(raw, 20))
}

fn put_segment(segment: &Segment, id: u32) -> Struct {
    let tag = &segment.tag;
    let out = put_perm(Struct::new(), &segment.perm, id).u64(segment.size);
    let out = out.u64(tag.atime.get()).u64(tag.dtime.get()).u64(segment.ctime);
    out.u32(segment.maker).u32(tag.pid.get()).u64(segment.attached() as u64).pad(112)
}

pub fn shmctl(cx: &mut Cx) -> Answer {
    let (id, cmd, addr) = (cx.uint(0), cx.uint(1), cx.args[2]);
    if cx.int(0) < 0 || (cmd as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let now = cx.k.seconds();
    sweep(&mut cx.ipc().segments);
    match cmd {
        0 => {
            let perm = cx.segment(id)?.perm.clone();
            perm.check_owner(&cx.proc().cred)?;
            cx.segment(id)?.doom();
            sweep(&mut cx.ipc().segments);
            Ok(0)
        }
        1 => {
            let raw: [u8; 112] = mem::array(cx.m, addr)?;
            let perm = cx.segment(id)?.perm.clone();
            perm.check_owner(&cx.proc().cred)?;
            let (uid, gid, mode) = get_perm(&raw);
            let segment = cx.segment(id)?;
            segment.perm.set(uid, gid, mode);
            segment.ctime = now;
            Ok(0)
        }
        2 | 13 | 15 => {
            // SHM_STAT names a place of the table, and SHM_STAT_ANY asks for no right.
            let id = if cmd == 2 { id } else { cx.ipc().segments.id_at(id)? };
            let segment = cx.segment(id)?;
            let (perm, out) = (segment.perm.clone(), put_segment(segment, id));
            if cmd != 15 {
                perm.check(&cx.proc().cred, READ)?;
            }
            out.put(cx.m, addr)?;
            Ok(if cmd == 2 { 0 } else { i64::from(id) })
        }
        3 => {
            let out = [MAX_SIZE, 1, u64::from(MAX_SEGMENTS), u64::from(MAX_SEGMENTS), MAX_SIZE];
            out.iter().fold(Struct::new(), |s, w| s.u64(*w)).pad(72).put(cx.m, addr)?;
            Ok(i64::from(cx.ipc().segments.highest()))
        }
        14 => {
            let segments = &cx.ipc().segments;
            let pages: u64 = segments.iter().map(|(_, s)| page_up(s.size) / PAGE).sum();
            let (used, highest) = (segments.len() as u64, segments.highest());
            Struct::new().u64(used).u64(pages).u64(pages).pad(48).put(cx.m, addr)?;
            Ok(i64::from(highest))
        }
        11 | 12 => {
            let perm = cx.segment(id)?.perm.clone();
            if !cx.proc().cred.capable(CAP_IPC_LOCK) {
                perm.check_owner(&cx.proc().cred)?;
                if cmd == 11 && cx.proc().limits[8].0 == 0 {
                    return Err(Errno::EPERM.into());
                }
            }
            let mode = &mut cx.segment(id)?.perm.mode;
            *mode = if cmd == 11 { *mode | LOCKED } else { *mode & !LOCKED };
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

impl crate::Kernel {
    /// A process begins to share a copy of its parent's segments, or is about to leave its address space.
    pub fn touch_segments(&self, proc: crate::task::ProcId, attach: bool) {
        let p = self.proc(proc);
        if let Some(entry) = self.spaces[p.space.0 as usize].as_ref() {
            touch(&entry.space, p.pid, self.seconds(), attach);
        }
    }

    /// `/proc/sysvipc/shm`
    pub fn proc_shm(&self, host: u32) -> alloc::string::String {
        use core::fmt::Write;
        let mut out = alloc::string::String::from(
            "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      \
             dtime      ctime                   rss                  swap\n",
        );
        for (id, s) in
            self.ipc[host as usize].segments.iter().filter(|(_, s)| s.perm.mode & DEST == 0 || s.attached() > 0)
        {
            let (p, tag) = (&s.perm, &s.tag);
            let _ = writeln!(
                out,
                "{:>10} {id:>10}  {:>4o} {:>21} {:>5} {:>5}  {:>5} {:>5} {:>5} {:>5} {:>5} {:>10} {:>10} {:>10} {:>21} {:>21}",
                p.key as i32,
                p.mode,
                s.size,
                s.maker,
                tag.pid.get(),
                s.attached(),
                p.uid,
                p.gid,
                p.cuid,
                p.cgid,
                tag.atime.get(),
                tag.dtime.get(),
                s.ctime,
                page_up(s.size),
                0
            );
        }
        out
    }
}
