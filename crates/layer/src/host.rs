//! The kernel's [`Machine`], for real.

use crate::baton;
use crate::entry::{guest_cmpxchg, guest_copy};
use crate::lower::Lower;
use crate::state::{XSave, control, cpu, frame, shared};
use crate::sys::{futex_wait, futex_wake, sys};
use crate::{frames, hidden, pages, rewrite, vectors};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use snowglobe_abi::control::state;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::{
    ARENA_BASE, BLOB_OFFSET, BLOB_SIZE, GUEST_MAX, GUEST_MIN, RESERVED_END, RESERVED_START, RING_OFFSET, RING_SIZE,
    STORE_BASE, fd,
};
use snowglobe_kernel::machine::{Backing, LowerFile, LowerStat, Machine, SignalFrame, SignalReturn};

/// See the module.
pub struct Host;

const MAP_SHARED: u64 = 1;
const MAP_PRIVATE: u64 = 2;
const MAP_FIXED: u64 = 0x10;
const MAP_ANONYMOUS: u64 = 0x20;
const MAP_NORESERVE: u64 = 0x4000;

/// Whether a guest may name these addresses.
fn guest_range(addr: u64, len: u64) -> Result<()> {
    let end = addr.checked_add(len).ok_or(Errno::EFAULT)?;
    if addr < GUEST_MIN || end > GUEST_MAX + 0x1000 || (addr < RESERVED_END && end > RESERVED_START) {
        return Err(Errno::EFAULT);
    }
    Ok(())
}

/// Copies with a fault answered.
fn copy(to: u64, from: u64, len: u64) -> Result<()> {
    // SAFETY: one side is the layer's own memory, the other a guest's, whose faults the routine survives.
    let left = unsafe { guest_copy(to as *mut u8, from as *const u8, len as usize) };
    if left == 0 { Ok(()) } else { Err(Errno::EFAULT) }
}

fn check(ret: i64) -> Result<()> {
    match ret {
        0.. => Ok(()),
        // A mapping that the operating system has no room for is the guest's ENOMEM.
        e => Err(Errno((-e) as u16)),
    }
}

impl Machine for Host {
    fn read(&mut self, addr: u64, buf: &mut [u8]) -> Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        guest_range(addr, buf.len() as u64)?;
        copy(buf.as_mut_ptr() as u64, addr, buf.len() as u64)
    }

    fn write(&mut self, addr: u64, buf: &[u8]) -> Result<()> {
        if buf.is_empty() {
            return Ok(());
        }
        guest_range(addr, buf.len() as u64)?;
        copy(addr, buf.as_ptr() as u64, buf.len() as u64)
    }

    fn compare_exchange(&mut self, addr: u64, old: u32, new: u32) -> Result<u32> {
        guest_range(addr, 4)?;
        let mut fault = 0;
        // SAFETY: the routine survives a fault.
        let was = unsafe { guest_cmpxchg(addr as *mut u32, old, new, &mut fault) };
        if fault == 0 { Ok(was) } else { Err(Errno::EFAULT) }
    }

    fn store_read(&mut self, offset: u64, buf: &mut [u8]) {
        let from = (STORE_BASE + offset) as *const u8;
        // SAFETY: the kernel names only pages of the store that it has given out.
        unsafe { core::ptr::copy_nonoverlapping(from, buf.as_mut_ptr(), buf.len()) };
    }

    fn store_write(&mut self, offset: u64, buf: &[u8]) {
        let to = (STORE_BASE + offset) as *mut u8;
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(buf.as_ptr(), to, buf.len()) };
    }

    fn store_from_guest(&mut self, offset: u64, addr: u64, len: u64) -> Result<()> {
        guest_range(addr, len)?;
        copy(STORE_BASE + offset, addr, len)
    }

    fn store_to_guest(&mut self, offset: u64, addr: u64, len: u64) -> Result<()> {
        guest_range(addr, len)?;
        copy(addr, STORE_BASE + offset, len)
    }

    fn store_discard(&mut self, offset: u64, len: u64) {
        const PUNCH: u64 = 3;
        // SAFETY: the pages' content is not wanted any more.
        let ret = sys!(FALLOCATE, fd::STORE, PUNCH, offset, len);
        assert!(ret == 0, "punching a hole in the store failed: {ret}");
    }

    fn map(&mut self, addr: u64, len: u64, prot: u32, backing: Backing) -> Result<()> {
        const PROT_EXEC: u32 = 4;
        let (flags, file, offset) = match backing {
            Backing::Anon => (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1i64, 0),
            Backing::Store { offset, shared } => {
                (if shared { MAP_SHARED } else { MAP_PRIVATE | MAP_NORESERVE }, i64::from(fd::STORE), offset)
            }
            Backing::Lower { file, offset } => {
                (MAP_PRIVATE | MAP_NORESERVE, i64::from(shared().lower.fd(file)?), offset)
            }
        };
        rewrite::forget(addr, len);
        // SAFETY: the kernel chose the range, which is a guest's.
        check(sys!(MMAP, addr, len, prot, flags | MAP_FIXED, file, offset))?;
        match backing {
            _ if prot & PROT_EXEC == 0 => {}
            Backing::Lower { file, offset } => {
                hidden::hide(addr, len, prot, Some((shared().lower.path(file)?, offset)))
            }
            Backing::Store { shared: false, .. } => hidden::hide(addr, len, prot, None),
            _ => {}
        }
        Ok(())
    }

    fn unmap(&mut self, addr: u64, len: u64) -> Result<()> {
        // SAFETY: the range is a guest's.
        let ret = sys!(MUNMAP, addr, len);
        // Cutting a mapping in two can be one mapping too many, and nothing else can fail.
        assert!(ret == 0 || ret == -12, "munmap({addr:#x}, {len:#x}) failed: {ret}");
        if ret == 0 {
            rewrite::forget(addr, len);
        }
        check(ret)
    }

    fn protect(&mut self, addr: u64, len: u64, prot: u32) -> Result<()> {
        // SAFETY: the range is a guest's.
        check(sys!(MPROTECT, addr, len, prot))
    }

    fn remap(&mut self, old: u64, len: u64, new: u64) -> Result<()> {
        const MAYMOVE_FIXED: u64 = 3;
        rewrite::forget(old, len);
        // The operating system moves one mapping at a time; pieces that it sees as one go together.
        // SAFETY: both ranges are the guest's.
        let ret = sys!(MREMAP, old, len, len, MAYMOVE_FIXED, new);
        if ret >= 0 { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    fn advise(&mut self, addr: u64, len: u64, advice: u32) {
        // SAFETY: the range is a guest's.
        let _ = sys!(MADVISE, addr, len, advice);
    }

    fn count_pages(&mut self) {
        pages::one_by_one();
    }

    fn touched(&mut self, ranges: &[(u64, u64)]) -> u64 {
        pages::touched(ranges)
    }

    fn store_touched(&mut self, offset: u64, len: u64) -> u64 {
        pages::written(fd::STORE, offset, len)
    }

    fn clear_space(&mut self) {
        // SAFETY: no guest memory is wanted any more, and the layer's own regions lie between the two ranges.
        let low = sys!(MUNMAP, 0x1000, RESERVED_START - 0x1000);
        // SAFETY: as above.
        let high = sys!(MUNMAP, RESERVED_END, GUEST_MAX - RESERVED_END);
        assert!(low == 0 && high == 0, "clearing an address space failed: {low} {high}");
        rewrite::reset();
        cpu().passes = crate::spin::PASSES;
        cpu().trapped = false;
    }

    fn lower_stat(&mut self, path: &str) -> Result<LowerStat> {
        Lower::stat(path)
    }

    fn lower_list(&mut self, path: &str) -> Result<Vec<Vec<u8>>> {
        Lower::list(path)
    }

    fn lower_link(&mut self, path: &str) -> Result<Vec<u8>> {
        Lower::link(path)
    }

    fn lower_open(&mut self, path: &str) -> Result<LowerFile> {
        shared().lower.open(path)
    }

    fn lower_close(&mut self, file: LowerFile) {
        shared().lower.close(file);
    }

    fn lower_read(&mut self, file: LowerFile, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let (addr, len) = (buf.as_mut_ptr() as u64, buf.len() as u64);
        shared().lower.read(file, offset, addr, len).map(|n| n as usize)
    }

    fn lower_to_guest(&mut self, file: LowerFile, offset: u64, addr: u64, len: u64) -> Result<u64> {
        guest_range(addr, len)?;
        shared().lower.read(file, offset, addr, len)
    }

    fn lower_to_store(&mut self, file: LowerFile, offset: u64, store: u64, len: u64) -> Result<u64> {
        shared().lower.read(file, offset, STORE_BASE + store, len)
    }

    fn emit(&mut self, record: &[u8]) {
        let c = control();
        let head = c.ring_head.load(Relaxed);
        while head + record.len() as u64 - c.ring_tail.load(Acquire) > RING_SIZE {
            let seen = c.ring_room.load(Acquire);
            c.ring_full.store(1, Release);
            if head + record.len() as u64 - c.ring_tail.load(Acquire) > RING_SIZE {
                // The reader may rest.
                futex_wake(&c.state);
                futex_wait(&c.ring_room, seen);
            }
        }
        let at = head % RING_SIZE;
        let ring = ARENA_BASE + RING_OFFSET;
        let first = (RING_SIZE - at).min(record.len() as u64) as usize;
        // SAFETY: the ring lies in the arena, and the range has been given free by the reader.
        unsafe {
            core::ptr::copy_nonoverlapping(record.as_ptr(), (ring + at) as *mut u8, first);
            core::ptr::copy_nonoverlapping(record.as_ptr().add(first), ring as *mut u8, record.len() - first);
        }
        c.ring_head.store(head + record.len() as u64, Release);
    }

    fn input(&mut self) -> Vec<u8> {
        let c = control();
        baton::publish();
        c.state.store(state::WANT_INPUT, Release);
        futex_wake(&c.state);
        while c.state.load(Acquire) == state::WANT_INPUT {
            futex_wait(&c.state, state::WANT_INPUT);
        }
        let len = c.input_len.load(Acquire).min(BLOB_SIZE) as usize;
        // SAFETY: the supervisor has filled that much of the blob area.
        unsafe { core::slice::from_raw_parts((ARENA_BASE + BLOB_OFFSET) as *const u8, len) }.to_vec()
    }

    fn fs_base(&mut self) -> u64 {
        vectors::fs_base()
    }

    fn set_fs_base(&mut self, addr: u64) {
        vectors::set_fs_base(addr);
    }

    fn registers(&mut self, task: u32) -> [u64; 27] {
        let (f, fs) = match shared().contexts.get(task as usize).and_then(Option::as_ref) {
            Some(context) if context.kept => (context.frame, context.fs),
            // The registers of the one that runs are where it left them.
            _ => (*frame(), vectors::fs_base()),
        };
        let (code, stack) = (0x33, 0x2b);
        [
            f.r15,
            f.r14,
            f.r13,
            f.r12,
            f.rbp,
            f.rbx,
            f.r11,
            f.r10,
            f.r9,
            f.r8,
            f.rax,
            f.rcx,
            f.rdx,
            f.rsi,
            f.rdi,
            u64::MAX,
            rewrite::guest_rip(f.rip),
            code,
            f.rflags,
            f.rsp,
            stack,
            fs,
            0,
            0,
            0,
            0,
            0,
        ]
    }

    fn stack_pointer(&mut self) -> u64 {
        frame().rsp
    }

    fn call_site(&mut self) -> u64 {
        rewrite::guest_rip(frame().rip).wrapping_sub(2)
    }

    fn copy_context(&mut self, child: u32, stack: u64, tls: Option<u64>) {
        let mut copy = *frame();
        copy.rax = 0;
        if stack != 0 {
            copy.rsp = stack;
        }
        baton::keep(child, &copy, tls.unwrap_or_else(vectors::fs_base));
    }

    fn drop_context(&mut self, task: u32) {
        if let Some(slot) = shared().contexts.get_mut(task as usize) {
            *slot = None;
        }
        if cpu().loaded == task {
            cpu().loaded = 0;
        }
    }

    fn fork_space(&mut self, slot: u32) -> Result<()> {
        baton::fork(slot)
    }

    fn fresh_space(&mut self, slot: u32) {
        baton::fresh(slot);
    }

    fn end_space(&mut self, slot: u32) {
        baton::end(slot);
    }

    fn start_program(&mut self, entry: u64, stack: u64) {
        *frame() = crate::state::Frame { rip: entry, rsp: stack, ..crate::state::Frame::ZERO };
        vectors::set_fs_base(0);
        let area = XSave::new();
        vectors::initial(area.ptr());
        vectors::restore(area.ptr());
    }

    fn set_result(&mut self, value: i64) {
        frame().rax = value as u64;
    }

    fn restart_call(&mut self, nr: u64) {
        let f = frame();
        f.rip = rewrite::guest_rip(f.rip).wrapping_sub(2);
        f.rax = nr;
    }

    fn push_signal(&mut self, signal: &SignalFrame) -> Result<()> {
        frames::push(self, signal)
    }

    fn pop_signal(&mut self) -> Result<SignalReturn> {
        frames::pop(self)
    }

    fn yield_point(&mut self, addr: u64, code: Range<u64>) {
        rewrite::yield_point(addr, &code);
    }

    fn yield_point_made(&mut self, addr: u64) {
        rewrite::yield_point_made(addr);
    }

    fn world_ended(&mut self, report: &[u8]) {
        let c = control();
        let len = report.len().min(BLOB_SIZE as usize);
        // SAFETY: the blob area is the layer's to write from the world's beginning on.
        unsafe { core::ptr::copy_nonoverlapping(report.as_ptr(), (ARENA_BASE + BLOB_OFFSET) as *mut u8, len) };
        c.report_len.store(len as u64, Release);
        baton::publish();
        c.state.store(state::ENDED, Release);
        futex_wake(&c.state);
    }

    fn debug(&mut self, text: String) {
        crate::note(&text);
    }
}
