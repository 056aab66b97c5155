//! The allocator on the arena: size classes with free lists, in memory that all host processes share.
//!
//! Only the runner allocates, so there is no lock. Blocks of a megabyte and more give their memory back when freed.
//!
//! Each host process has page tables of its own for the arena, and the first touch of a page by each is a fault, which in a virtual
//! machine takes 2 us. So a world that has many of them joins the pages of the arena, and of the layer's code, to huge ones, which
//! are mapped by one fault for 512. A small world does not: to make a huge page takes about a millisecond.

use crate::sys::sys;
use core::alloc::{GlobalAlloc, Layout};
use snowglobe_abi::map::{ARENA_BASE, ARENA_SIZE, HEAP_OFFSET, HUGE_PAGE, LAYER_BASE, PAGE};

/// Classes: powers of two from 16 bytes on, each in four steps.
const CLASSES: usize = 160;
const BIG: usize = 1 << 20;

/// What stands at the heap's beginning.
#[repr(C)]
pub struct Header {
    /// The layer's state that all host processes share.
    pub shared: *mut crate::state::Shared,
    next: usize,
    /// Where the pages that have not been joined begin; the end of the address space as long as none are to be.
    apart: usize,
    /// Host processes that are still to be made before pages are joined.
    until_joined: u32,
    free: [usize; CLASSES],
}

/// Host processes of a world after which huge pages pay.
const MANY: u32 = 16;

/// The header.
pub fn header() -> *mut Header {
    (ARENA_BASE + HEAP_OFFSET) as *mut Header
}

/// Prepares an empty heap.
pub fn init() {
    let start = (ARENA_BASE + HEAP_OFFSET) as usize + core::mem::size_of::<Header>().next_multiple_of(PAGE as usize);
    // SAFETY: the arena is mapped and nobody else runs yet.
    unsafe { ((*header()).next, (*header()).apart, (*header()).until_joined) = (start, usize::MAX, MANY) };
}

/// A host process has been made.
pub fn has_one_more_process() {
    // SAFETY: the heap has been prepared, and only the runner comes here.
    let h = unsafe { &mut *header() };
    match h.until_joined {
        0 => {}
        1 => {
            h.until_joined = 0;
            join(LAYER_BASE as usize);
            // The control page and the ring are one, and the heap begins with another.
            if join_touched(ARENA_BASE as usize) {
                h.apart = (ARENA_BASE + HEAP_OFFSET) as usize;
                h.join_to(h.next);
            }
        }
        _ => h.until_joined -= 1,
    }
}

impl Header {
    /// Joins pages up to an address of the heap.
    #[cold]
    fn join_to(&mut self, end: usize) {
        while self.apart < end {
            self.apart = if join_touched(self.apart) { self.apart + HUGE_PAGE as usize } else { usize::MAX };
        }
    }
}

/// Makes a huge page of those at an address. An operating system that cannot do that (before Linux 6.1, or without memory that
/// hangs together) leaves all as it was.
fn join(at: usize) -> bool {
    const MADV_COLLAPSE: u64 = 25;
    // SAFETY: what the pages hold stays as it is.
    sys!(MADVISE, at, HUGE_PAGE, MADV_COLLAPSE) == 0
}

/// The same for pages of the arena, of which none may have been touched: one has to be there.
fn join_touched(at: usize) -> bool {
    // SAFETY: the arena is mapped, and a byte that is written back unchanged is nobody's loss: nobody else runs.
    unsafe { core::ptr::write_volatile(at as *mut u8, core::ptr::read_volatile(at as *const u8)) };
    join(at)
}

#[inline]
fn class_of(size: usize) -> (usize, usize) {
    let size = size.max(16);
    if size <= 16 {
        return (0, 16);
    }
    // The step is a quarter of the power of two below, and a power of two itself.
    let top = usize::BITS - 1 - (size - 1).leading_zeros();
    let (base, shift) = (1usize << top, top - 2);
    let quarter = (size - base + (1 << shift) - 1) >> shift;
    let rounded = base + (quarter << shift);
    ((top as usize - 3) * 4 + quarter, rounded.next_multiple_of(16))
}

struct Arena;

// SAFETY: blocks come from a region that only this allocator gives out, and only the runner calls it.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size().max(layout.align());
        let (class, rounded) = class_of(size);
        // SAFETY: the header is there from the first instruction on that may allocate.
        let h = unsafe { &mut *header() };
        let head = h.free[class];
        if head != 0 && head.is_multiple_of(layout.align()) {
            // SAFETY: a free block's first word is the next one's address.
            h.free[class] = unsafe { *(head as *const usize) };
            return head as *mut u8;
        }
        let at = h.next.next_multiple_of(layout.align().max(16));
        let end = at + rounded;
        if end > (ARENA_BASE + ARENA_SIZE) as usize {
            return core::ptr::null_mut();
        }
        h.next = end;
        if end > h.apart {
            h.join_to(end);
        }
        at as *mut u8
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        let size = layout.size().max(layout.align());
        let (class, rounded) = class_of(size);
        if rounded >= BIG {
            let from = (ptr as usize + 8).next_multiple_of(PAGE as usize);
            let to = (ptr as usize + rounded) & !(PAGE as usize - 1);
            const MADV_REMOVE: u64 = 9;
            // SAFETY: the block is free, and its first word is kept.
            let _ = sys!(MADVISE, from, to - from, MADV_REMOVE);
        }
        // SAFETY: the block is at least 16 bytes and no longer anybody's.
        unsafe {
            let h = &mut *header();
            *(ptr as *mut usize) = h.free[class];
            h.free[class] = ptr as usize;
        }
    }
}

#[global_allocator]
static ALLOCATOR: Arena = Arena;
