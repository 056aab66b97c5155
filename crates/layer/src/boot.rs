//! From the first instruction of the layer's image to the first task of the world.

use crate::state::{
    Cpu, Frame, Processor, SIGNAL_STACK, SIGNAL_STACK_SIZE, Shared, XSAVE_MAX, control, cpu, frame, shared,
};
use crate::sys::{exit, futex_wake, sys};
use crate::{baton, entry, frames, heap, vectors};
use core::sync::atomic::Ordering::{Acquire, Release};
use snowglobe_abi::control::{MAGIC, STARTER, state};
use snowglobe_abi::filter;
use snowglobe_abi::map::{
    ARENA_BASE, ARENA_SIZE, BLOB_OFFSET, GUEST_MAX, LAYER_BASE, PROC_BASE, PROC_SIZE, STORE_BASE, STORE_SIZE, fd,
};
use snowglobe_abi::spec::WorldSpec;
use snowglobe_kernel::{Kernel, MachineInfo};

core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "and rsp, -16",
    "call {start}",
    "ud2",
    start = sym start,
);

extern "C" fn start() -> ! {
    map_regions();
    vectors::set_gs_base(PROC_BASE);
    *cpu() = Cpu::new(entry::layer_entry as *const () as u64, entry::yield_entry as *const () as u64);
    *frame() = Frame::ZERO;
    // SAFETY: the stack that the operating system gave is left for the layer's own.
    unsafe { entry::from_the_top(template) }
}

fn map(at: u64, len: u64, flags: u64, file: i32) {
    const RW: u64 = 3;
    const MAP_NORESERVE: u64 = 0x4000;
    const MAP_FIXED_NOREPLACE: u64 = 0x10_0000;
    // SAFETY: the range is the layer's, and free.
    let ret = sys!(MMAP, at, len, RW, flags | MAP_NORESERVE | MAP_FIXED_NOREPLACE, i64::from(file), 0);
    if ret != at as i64 {
        // Without the arena nothing can be said: the supervisor knows this status.
        exit(120);
    }
}

fn map_regions() {
    const MAP_SHARED: u64 = 1;
    const MAP_PRIVATE_ANONYMOUS: u64 = 0x22;
    map(ARENA_BASE, ARENA_SIZE, MAP_SHARED, fd::ARENA);
    map(STORE_BASE, STORE_SIZE, MAP_SHARED, fd::STORE);
    map(PROC_BASE, PROC_SIZE, MAP_PRIVATE_ANONYMOUS, -1);
}

/// Everybody of a world dies with the supervisor.
pub fn tie_to_supervisor() {
    const PR_SET_PDEATHSIG: u64 = 1;
    const SIGKILL: u64 = 9;
    // SAFETY: it changes only what happens at the parent's end.
    let _ = sys!(PRCTL, PR_SET_PDEATHSIG, SIGKILL);
    // A supervisor that ended before that call is not waited for.
    // SAFETY: it touches no memory.
    if sys!(GETPPID) != i64::from(control().supervisor.load(Acquire)) {
        exit(0);
    }
}

extern "C" fn template() {
    assert!(control().magic == MAGIC, "the supervisor and the layer are of different versions");
    // SAFETY: what the operating system mapped for this process (stack, vdso) is not used any more.
    unsafe {
        crate::sys::call(crate::sys::nr::MUNMAP, [0x1000, LAYER_BASE - 0x1000, 0, 0, 0, 0]);
        crate::sys::call(
            crate::sys::nr::MUNMAP,
            [STORE_BASE + STORE_SIZE, GUEST_MAX - STORE_BASE - STORE_SIZE, 0, 0, 0, 0],
        );
    }
    tie_to_supervisor();
    // SAFETY: a session of its own keeps the terminal's signals away.
    let _ = sys!(SETSID);
    let processor = look_at_processor();
    heap::init();
    make_shared(processor);
    trap_counters();
    install_handlers();
    install_filter();
    crate::warm_up();
    // The world is made by a process of its own, so that this one stays as empty as it is now.
    control().fresh_request.store(0, Release);
    match baton::copy_for_start(STARTER) {
        Ok(true) => {
            cpu().slot = STARTER;
            make_world();
        }
        Ok(false) => baton::template(),
        Err(e) => panic!("cannot start a process: {e}"),
    }
}

fn look_at_processor() -> Processor {
    let [low, current, ..] = vectors::cpuid(0xd, 0);
    let [extensions, ..] = vectors::cpuid(0xd, 1);
    let enabled: u32;
    // SAFETY: the operating system uses XSAVE, or it would not have started programs like this.
    unsafe { core::arch::asm!("xgetbv", in("ecx") 0, out("eax") enabled, out("edx") _) };
    assert!((current as usize) <= XSAVE_MAX, "the processor's vector state takes {current} bytes");
    Processor { xsave_size: current as usize, compacts: extensions & 2 != 0, xcr0: u64::from(low & enabled) }
}

fn make_shared(processor: Processor) {
    let value = Shared {
        kernel: None,
        contexts: alloc::vec::Vec::new(),
        lower: Default::default(),
        machine: processor,
        core: crate::near::Core::new(),
        hidden: Default::default(),
        strayed: None,
    };
    let shared = alloc::boxed::Box::new(value);
    // SAFETY: nobody else runs yet.
    unsafe { (*heap::header()).shared = alloc::boxed::Box::leak(shared) };
}

fn trap_counters() {
    const PR_SET_TSC: u64 = 26;
    const PR_TSC_SIGSEGV: u64 = 2;
    // SAFETY: it makes rdtsc fault, which the layer answers.
    let _ = sys!(PRCTL, PR_SET_TSC, PR_TSC_SIGSEGV);
}

/// `struct kernel_sigaction`
#[repr(C)]
struct HostAction {
    handler: u64,
    flags: u64,
    restorer: u64,
    mask: u64,
}

fn install_handlers() {
    // SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_NODEFER
    const FLAGS: u64 = 0x4 | 0x0400_0000 | 0x0800_0000 | 0x4000_0000;
    let action = HostAction {
        handler: entry::signal_entry as *const () as u64,
        flags: FLAGS,
        restorer: entry::signal_restorer as *const () as u64,
        mask: 0,
    };
    let stack = [SIGNAL_STACK, 0, SIGNAL_STACK_SIZE];
    // SAFETY: the stack is mapped, and nobody else uses it.
    let ret = sys!(SIGALTSTACK, stack.as_ptr(), 0);
    assert!(ret == 0, "sigaltstack failed: {ret}");
    // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGURG, SIGSYS
    for signal in [4, 5, 7, 8, 11, 23, 31] {
        // SAFETY: the handler is made for all of them.
        let ret = sys!(RT_SIGACTION, signal, core::ptr::from_ref(&action), 0, 8);
        assert!(ret == 0, "sigaction({signal}) failed: {ret}");
    }
    let none = 0u64;
    const SIG_SETMASK: u64 = 2;
    // SAFETY: the mask outlives the call.
    let _ = sys!(RT_SIGPROCMASK, SIG_SETMASK, core::ptr::from_ref(&none), 0, 8);
}

/// Lets calls through from the layer's text only; all others trap.
fn install_filter() {
    unsafe extern "C" {
        static __text_end: u8;
    }
    let program = filter::program(core::ptr::addr_of!(__text_end) as u64);
    #[repr(C)]
    struct Fprog {
        len: u16,
        filter: *const filter::Instruction,
    }
    let fprog = Fprog { len: program.len() as u16, filter: program.as_ptr() };
    const PR_SET_NO_NEW_PRIVS: u64 = 38;
    const SET_MODE_FILTER: u64 = 1;
    const SPEC_ALLOW: u64 = 4;
    // SAFETY: no program is started by the operating system any more.
    let ret = sys!(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    assert!(ret == 0, "prctl(PR_SET_NO_NEW_PRIVS) failed: {ret}");
    // SAFETY: the program outlives the call.
    let ret = sys!(SECCOMP, SET_MODE_FILTER, SPEC_ALLOW, core::ptr::from_ref(&fprog));
    assert!(ret == 0, "installing the filter failed: {ret}");
}

fn make_world() -> ! {
    let c = control();
    let len = c.spec_len.load(Acquire) as usize;
    // SAFETY: the supervisor has put that many bytes there.
    let bytes = unsafe { core::slice::from_raw_parts((ARENA_BASE + BLOB_OFFSET) as *const u8, len) };
    let spec: WorldSpec = snowglobe_abi::spec::decode(bytes).expect("the supervisor's specification decodes");
    let [_, _, _, hwcap] = vectors::cpuid(1, 0);
    let info = MachineInfo { hwcap: u64::from(hwcap), signal_frame: frames::size(), vdso: crate::vdso::image() };
    let kernel = Kernel::new(spec, info, &mut crate::host::Host);
    crate::clock::set(&kernel);
    shared().kernel = Some(kernel);
    c.state.store(state::RUNNING, Release);
    futex_wake(&c.state);
    cpu().dying = true;
    baton::schedule();
    panic!("the process that makes the world has no task to run");
}
