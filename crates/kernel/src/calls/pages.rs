//! Memory calls beyond mapping: seals, protection keys, memory nodes, the page cache.

use crate::mem::{self, Struct};
use crate::mm::{SEALED, Source, page_up};
use crate::uapi::*;
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

impl Cx<'_> {
    /// Whether a range holds no sealed mapping.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn unsealed(&self, addr: u64, len: u64) -> Result<()> {
        let space = self.k.space_of(self.task);
        // Most address spaces have none.
        if !space.sealed || !space.pieces(addr, len).iter().any(|(_, _, v)| v.marks & SEALED != 0) {
            return Ok(());
        }
        Err(Errno::EPERM)
    }
}

impl Cx<'_> {
    /// Whether the pages of a range may be thrown away: sealed ones only by who could write zeros to them.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn may_discard(&self, addr: u64, len: u64) -> Result<()> {
        let kept = |v: &crate::mm::Vma| v.marks & SEALED != 0 && v.prot & PROT_WRITE == 0 && !v.shared;
        let space = self.k.space_of(self.task);
        if space.sealed && space.pieces(addr, len).iter().any(|(_, _, v)| kept(v)) {
            return Err(Errno::EPERM);
        }
        Ok(())
    }
}

pub fn mseal(cx: &mut Cx) -> Answer {
    let (addr, len, flags) = (cx.args[0], cx.args[1], cx.args[2]);
    if flags != 0 || !addr.is_multiple_of(PAGE) || len > u64::MAX - PAGE || addr.checked_add(page_up(len)).is_none() {
        return Err(Errno::EINVAL.into());
    }
    let len = page_up(len);
    if len == 0 {
        return Ok(0);
    }
    if !cx.k.space_of(cx.task).covers(addr, len) {
        return Err(Errno::ENOMEM.into());
    }
    let space = cx.k.space_of_mut(cx.task);
    space.mark(addr, len, SEALED, true);
    space.sealed = true;
    Ok(0)
}

pub fn pkey_alloc(cx: &mut Cx) -> Answer {
    if cx.args[0] != 0 || cx.args[1] & !3 != 0 {
        return Err(Errno::EINVAL.into());
    }
    // pkey_alloc(2): so it is where the processor has none.
    Err(Errno::ENOSPC.into())
}

pub fn pkey_free(_: &mut Cx) -> Answer {
    Err(Errno::EINVAL.into())
}

pub fn pkey_mprotect(cx: &mut Cx) -> Answer {
    // Key -1 makes it mprotect; no other key has been given out.
    if cx.int(3) != -1 {
        return Err(Errno::EINVAL.into());
    }
    super::memory::mprotect(cx)
}

pub fn remap_file_pages(cx: &mut Cx) -> Answer {
    let [start, size, prot, page, _, _] = cx.args;
    let (start, len) = (start & !(PAGE - 1), size & !(PAGE - 1));
    if prot != 0 || len == 0 || start.checked_add(len).is_none() || page > 1 << 40 {
        return Err(Errno::EINVAL.into());
    }
    let space = cx.k.space_of(cx.task);
    let found = space.find(start).filter(|(_, v)| v.shared && start + len <= v.end);
    let mut vma = found.ok_or(Errno::EINVAL)?.1.clone();
    match &mut vma.source {
        Source::Anon => return Err(Errno::EINVAL.into()),
        Source::Shared(_, at) | Source::File { offset: at, .. } => *at = page * PAGE,
    }
    cx.unsealed(start, len)?;
    vma.end = start + len;
    cx.with_space(|space, m| space.map(start, vma, m))?;
    Ok(0)
}

// A host has one memory node.

/// A set that holds node 0, as a bit mask of `bits` bits.
fn put_nodes(cx: &mut Cx, addr: u64, bits: u64, any: bool) -> Result<()> {
    if addr == 0 {
        return Ok(());
    }
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    let words = (bits - 1).div_ceil(64).clamp(1, 512);
    mem::zero(cx.m, addr, words * 8)?;
    cx.m.write(addr, &u64::from(any).to_le_bytes())
}

pub fn get_mempolicy(cx: &mut Cx) -> Answer {
    const NODE: u64 = 1;
    const ADDR: u64 = 2;
    const ALLOWED: u64 = 4;
    let [mode, nodes, bits, addr, flags, _] = cx.args;
    if flags & !(NODE | ADDR | ALLOWED) != 0 || flags & ALLOWED != 0 && flags & (NODE | ADDR) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if flags & ALLOWED != 0 {
        put_nodes(cx, nodes, bits, true)?;
        return Ok(0);
    }
    if flags & ADDR != 0 {
        cx.k.space_of(cx.task).find(addr).ok_or(Errno::EFAULT)?;
    } else if addr != 0 || flags & NODE != 0 {
        return Err(Errno::EINVAL.into());
    }
    // MPOL_DEFAULT and node 0 are both 0.
    if mode != 0 {
        cx.m.write(mode, &0u32.to_le_bytes())?;
    }
    put_nodes(cx, nodes, bits, false)?;
    Ok(0)
}

pub fn migrate_pages(cx: &mut Cx) -> Answer {
    cx.process(cx.uint(0))?;
    Ok(0)
}

pub fn move_pages(cx: &mut Cx) -> Answer {
    let [pid, count, pages, nodes, status, flags] = cx.args;
    if flags & !6 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let id = cx.process(pid as u32)?;
    for i in 0..count {
        let addr = mem::u64(cx.m, pages + i * 8)?;
        let space = cx.k.proc(id).space;
        let mapped = cx.k.spaces[space.0 as usize].as_ref().is_some_and(|s| s.space.find(addr).is_some());
        let node = if nodes == 0 { 0 } else { mem::u32(cx.m, nodes + i * 4)? as i32 };
        if node != 0 {
            return Err(Errno::ENODEV.into());
        }
        let answer = if mapped { 0 } else { -i32::from(Errno::EFAULT.0) };
        cx.m.write(status + i * 4, &answer.to_le_bytes())?;
    }
    Ok(0)
}

pub fn cachestat(cx: &mut Cx) -> Answer {
    let (range, out, flags) = (cx.args[1], cx.args[2], cx.uint(3));
    let file = cx.file(0)?;
    let raw: [u8; 16] = mem::array(cx.m, range)?;
    let (at, len) = (mem::field64(&raw, 0), mem::field64(&raw, 8));
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let content = file.inode.as_ref().and_then(|i| i.content());
    let pages = content.map_or(0, |content| {
        let content = content.borrow();
        let end = if len == 0 { content.size } else { at.saturating_add(len).min(content.size) };
        let (from, to) = (at / PAGE * PAGE, page_up(end));
        let kept = content.pieces(from, to.saturating_sub(from));
        // All that a file has is in memory.
        kept.iter().filter(|p| p.store.is_some() || content.lower_path().is_some()).map(|p| page_up(p.len) / PAGE).sum()
    });
    Struct::new().u64(pages).pad(40).put(cx.m, out)?;
    Ok(0)
}

/// MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK.
pub fn mark_for_fork(cx: &mut Cx, addr: u64, len: u64, advice: u32) -> Answer {
    use crate::mm::{DONT_FORK, WIPE_ON_FORK};
    const KEEPONFORK: u32 = 19;
    let space = cx.k.space_of_mut(cx.task);
    let wipes = advice == MADV_WIPEONFORK || advice == KEEPONFORK;
    if wipes && space.pieces(addr, len).iter().any(|(_, _, v)| v.shared || !matches!(v.source, Source::Anon)) {
        return Err(Errno::EINVAL.into());
    }
    let mark = if wipes { WIPE_ON_FORK } else { DONT_FORK };
    space.mark(addr, len, mark, matches!(advice, MADV_WIPEONFORK | MADV_DONTFORK));
    Ok(0)
}
