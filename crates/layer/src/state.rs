//! What the layer keeps: in the arena for all host processes, and privately for each.

use crate::hidden::Hidden;
use crate::lower::Lower;
use crate::near::{Core, Patience};
use alloc::alloc::{Layout, alloc, dealloc};
use alloc::boxed::Box;
use alloc::vec::Vec;
use snowglobe_abi::control::Control;
use snowglobe_abi::map::{ARENA_BASE, PROC_BASE};
use snowglobe_kernel::Kernel;

/// A guest's registers as they are kept while the layer works for it. The entry code knows the offsets.
#[repr(C, align(16))]
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Frame {
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub rsp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
    /// Address of the guest's call instruction, where known; 0 for a rewritten site.
    pub site: u64,
    pub spare: u64,
    pub xmm: [u128; 16],
}

impl Frame {
    /// All zero.
    pub const ZERO: Frame = Frame {
        rax: 0,
        rbx: 0,
        rcx: 0,
        rdx: 0,
        rsi: 0,
        rdi: 0,
        rbp: 0,
        rsp: 0,
        r8: 0,
        r9: 0,
        r10: 0,
        r11: 0,
        r12: 0,
        r13: 0,
        r14: 0,
        r15: 0,
        rip: 0,
        rflags: 0x202,
        site: 0,
        spare: 0,
        xmm: [0; 16],
    };
}

/// Where the frame of the task that a host process works for is: the top of the layer's stack.
pub const FRAME: u64 = PROC_BASE + 0x10_0000;
/// The signal stack of the layer.
pub const SIGNAL_STACK: u64 = PROC_BASE + 0x11_0000;
/// Its size.
pub const SIGNAL_STACK_SIZE: u64 = 0x4_0000;

/// The first bytes of the private area, to which gs points. The entry code knows the offsets of the first eight.
#[repr(C)]
pub struct Cpu {
    this: u64,
    /// The guest's stack pointer, on the way in and out.
    pub rsp: u64,
    /// The guest's instruction pointer, on the way out.
    pub rip: u64,
    /// The entry code's address.
    pub entry: u64,
    /// [`FRAME`].
    pub frame: u64,
    /// rcx of a guest at a yield point, which counts in it.
    pub yield_rcx: u64,
    /// Passes of yield points until the next gives up the baton.
    pub passes: u64,
    /// Where stubs of yield points jump to.
    pub yield_entry: u64,
    /// Whether breakpoints of yield points have been passed since the last one that gave up the baton.
    pub trapped: bool,
    /// This host process's slot.
    pub slot: u32,
    /// The task whose registers are in the frame and in the processor; 0 for none.
    pub loaded: u32,
    /// Whether this address space has ended: the process ends when it has passed the baton on.
    pub dying: bool,
    /// Whether this host process gains by staying awake.
    pub patience: Patience,
    /// Whether its next yield is timed.
    pub time_next: bool,
}

impl Cpu {
    /// The block of the first host process.
    pub fn new(entry: u64, yield_entry: u64) -> Cpu {
        Cpu {
            this: PROC_BASE,
            rsp: 0,
            rip: 0,
            entry,
            frame: FRAME,
            yield_rcx: 0,
            passes: crate::spin::PASSES,
            yield_entry,
            trapped: false,
            slot: 0,
            loaded: 0,
            dying: false,
            patience: Patience::new(),
            time_next: false,
        }
    }
}

/// A task's registers while another task of its address space runs.
pub struct Context {
    /// Whether the registers are here, and not in the frame and the processor.
    pub kept: bool,
    /// General registers and low vector registers.
    pub frame: Frame,
    /// The fs base.
    pub fs: u64,
    /// What XSAVE keeps.
    pub vectors: XSave,
}

/// A buffer for XSAVE.
pub struct XSave(*mut u8);

/// Largest XSAVE area of any processor that is supported.
pub const XSAVE_MAX: usize = 4096;

fn xsave_layout() -> Layout {
    Layout::from_size_align(shared().machine.xsave_size, 64).expect("a sane size")
}

impl XSave {
    /// An area of zeros, which is the initial state.
    pub fn new() -> XSave {
        // SAFETY: the layout is not empty.
        let ptr = unsafe { alloc(xsave_layout()) };
        assert!(!ptr.is_null(), "the arena is full");
        // SAFETY: just given.
        unsafe { ptr.write_bytes(0, shared().machine.xsave_size) };
        XSave(ptr)
    }

    /// Keeps the processor's vector state.
    pub fn save(&mut self) {
        match shared().machine.compacts {
            true => crate::vectors::save_compact(self.0),
            false => crate::vectors::save(self.0),
        }
    }

    /// Its first byte.
    pub fn ptr(&self) -> *mut u8 {
        self.0
    }
}

impl Drop for XSave {
    fn drop(&mut self) {
        // SAFETY: allocated with the same layout.
        unsafe { dealloc(self.0, xsave_layout()) };
    }
}

/// Facts about the processor.
#[derive(Clone, Copy, Default)]
pub struct Processor {
    /// Bytes of an XSAVE area in the standard format.
    pub xsave_size: usize,
    /// Whether the processor has XSAVEC.
    pub compacts: bool,
    /// State components that the system enables.
    pub xcr0: u64,
}

/// What all host processes share.
pub struct Shared {
    /// The world.
    pub kernel: Option<Kernel>,
    /// Where registers of tasks are kept while others run, by task id.
    pub contexts: Vec<Option<Box<Context>>>,
    /// Files of the machine.
    pub lower: Lower,
    /// See [`Processor`].
    pub machine: Processor,
    /// See [`Core`].
    pub core: Core,
    /// See [`Hidden`].
    pub hidden: Hidden,
    /// Where a program first ran into the layer's code, and its task.
    pub strayed: Option<(u64, u32)>,
}

/// The shared state. One runner at a time makes this sound: whoever calls holds the baton.
pub fn shared() -> &'static mut Shared {
    // SAFETY: set before anything else runs; see above.
    unsafe { &mut *(*crate::heap::header()).shared }
}

/// The world.
pub fn kernel() -> &'static mut Kernel {
    shared().kernel.as_mut().expect("the world has been made")
}

/// The control page.
pub fn control() -> &'static Control {
    // SAFETY: mapped at the arena's beginning in every host process; all its changing fields are atomic.
    unsafe { &*(ARENA_BASE as *const Control) }
}

/// The private block.
pub fn cpu() -> &'static mut Cpu {
    // SAFETY: mapped privately in every host process, which has one thread.
    unsafe { &mut *(PROC_BASE as *mut Cpu) }
}

/// The frame of the task that this host process works for.
pub fn frame() -> &'static mut Frame {
    // SAFETY: as for `cpu`.
    unsafe { &mut *(FRAME as *mut Frame) }
}
