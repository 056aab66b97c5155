//! The allocator on the arena: size classes with free lists, in memory that all host processes share.
//!
//! Only the runner allocates, so there is no lock. Blocks of a megabyte and more give their memory back when freed.

use crate::sys::sys;
use core::alloc::{GlobalAlloc, Layout};
use snowglobe_abi::map::{ARENA_BASE, ARENA_SIZE, HEAP_OFFSET, PAGE};

/// Classes: powers of two from 16 bytes on, each in four steps.
const CLASSES: usize = 160;
const BIG: usize = 1 << 20;

/// What stands at the heap's beginning.
#[repr(C)]
pub struct Header {
    /// The layer's state that all host processes share.
    pub shared: *mut crate::state::Shared,
    next: usize,
    free: [usize; CLASSES],
}

/// The header.
pub fn header() -> *mut Header {
    (ARENA_BASE + HEAP_OFFSET) as *mut Header
}

/// Prepares an empty heap.
pub fn init() {
    let start = (ARENA_BASE + HEAP_OFFSET) as usize + core::mem::size_of::<Header>().next_multiple_of(PAGE as usize);
    // SAFETY: the arena is mapped and nobody else runs yet.
    unsafe { (*header()).next = start };
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
