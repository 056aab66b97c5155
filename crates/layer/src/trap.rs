//! What the entry code calls: a call at a rewritten site, a trap or a fault in guest code, a signal in the layer itself.

use crate::baton;
use crate::entry::{fixup, is_way_back};
use crate::host::Host;
use crate::state::{Frame, control, cpu, frame, kernel, shared};
use crate::{clock, hidden, rewrite, spin};
use core::sync::atomic::Ordering::Relaxed;
use snowglobe_abi::map::LAYER_BASE;
use snowglobe_kernel::Flow;
use snowglobe_kernel::signal::Info;
use snowglobe_kernel::uapi::{SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGURG};

/// `siginfo_t`, as far as it is read here.
#[repr(C)]
pub struct HostInfo {
    signo: i32,
    errno: i32,
    code: i32,
    pad: i32,
    /// Address of a fault, or of the instruction after a trapped call.
    addr: u64,
    /// Call number (low half) and architecture (high half) of SIGSYS.
    call: u64,
}

/// `ucontext_t`, as far as it is read here.
#[repr(C)]
pub struct HostContext {
    flags: u64,
    link: u64,
    stack: [u64; 3],
    /// r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags, segments, err, trapno, oldmask, cr2
    regs: [u64; 23],
    fpstate: u64,
}

/// Trap flag.
const TF: u64 = 0x100;
/// Alignment check flag, and the trap that it leads to.
const AC: u64 = 0x4_0000;
const ALIGNMENT_CHECK: u64 = 17;

/// The trap of a single step or a breakpoint register.
pub const DEBUG_TRAP: u64 = 1;
/// What a program is told that has jumped into the layer: a page fault (14) of a user's fetch (0x14), where nothing is mapped.
const PAGE_FAULT: u64 = 14;
const USER_FETCH: u64 = 0x14;
const SEGV_MAPERR: i32 = 1;
/// More than the layer's image takes from its address on.
pub const IMAGE_SPAN: u64 = 0x1000_0000;

const RSP: usize = 15;
const RIP: usize = 16;
const EFLAGS: usize = 17;
const ERR: usize = 19;
const TRAPNO: usize = 20;
const CR2: usize = 22;
/// AUDIT_ARCH_X86_64
const ARCH: u64 = 0xc000_003e;

/// A call by way of a stub: the frame is filled in.
pub extern "C" fn on_call(f: &mut Frame) {
    clock::stop();
    answer(f);
    clock::go();
}

/// A yield point has been passed often enough: the frame is filled in.
pub extern "C" fn on_yield() {
    clock::stop();
    cpu().passes = spin::PASSES;
    let at = frame().rip;
    let few = core::mem::take(&mut cpu().trapped);
    after(kernel().yield_now(&mut Host, at, few));
    clock::go();
}

/// Answers the call in the frame.
fn answer(f: &mut Frame) {
    spin::stop_stepping(f);
    let args = [f.rdi, f.rsi, f.rdx, f.r10, f.r8, f.r9];
    let kernel = kernel();
    // By this the supervisor sees that the runner is not in a loop.
    control().calls.store(kernel.calls, Relaxed);
    match kernel.syscall(&mut Host, f.rax, args) {
        Flow::Return(value) => f.rax = value as u64,
        Flow::Go => {}
        Flow::Switch => baton::schedule(),
    }
}

fn after(flow: Flow) {
    match flow {
        Flow::Return(value) => frame().rax = value as u64,
        Flow::Go => {}
        Flow::Switch => baton::schedule(),
    }
}

/// A signal of the operating system while guest code ran. The vector registers are the guest's; the low ones are in
/// the frame already.
pub extern "C" fn on_trap(signal: i32, info: &HostInfo, uc: &HostContext) {
    let f = frame();
    take_registers(f, uc);
    clock::stop();
    answer_trap(f, signal as u32, info, uc);
    clock::go();
}

fn answer_trap(f: &mut Frame, signal: u32, info: &HostInfo, uc: &HostContext) {
    match signal {
        _ if is_layer(f.rip) => strayed(f),
        SIGSYS => {
            let c = control();
            c.traps.store(c.traps.load(Relaxed) + 1, Relaxed);
            if info.call >> 32 != ARCH {
                // int 0x80: the 32-bit calls are not there.
                f.rax = (-38i64) as u64;
                return;
            }
            f.rcx = f.rip;
            f.r11 = f.rflags;
            rewrite::consider(f);
            answer(f);
        }
        SIGURG => spin::look(f),
        SIGTRAP if spin::step(f) || spin::passed(f) || rewrite::moved_away(f) => {}
        SIGSEGV if read_counter(f) || hidden::answer(f) => {}
        SIGILL if hidden::answer(f) => {}
        SIGSEGV | SIGBUS | SIGFPE | SIGILL | SIGTRAP => fault(signal, info, uc),
        _ => {}
    }
}

fn is_layer(rip: u64) -> bool {
    (LAYER_BASE..LAYER_BASE + IMAGE_SPAN).contains(&rip)
}

/// A program has jumped into the layer's code, and met a fault there. To it nothing is mapped there. What it has run of the
/// layer until then may have done harm, which is said if the layer should come to grief later.
fn strayed(f: &Frame) {
    shared().strayed.get_or_insert((f.rip, cpu().loaded));
    let trap = (PAGE_FAULT, USER_FETCH, f.rip);
    after(kernel().fault(&mut Host, Info::fault(SIGSEGV, SEGV_MAPERR, f.rip), trap));
}

fn take_registers(f: &mut Frame, uc: &HostContext) {
    let r = &uc.regs;
    [f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15] = [r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]];
    [f.rdi, f.rsi, f.rbp, f.rbx, f.rdx, f.rax, f.rcx, f.rsp] = [r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]];
    // While loops are looked for, the trap flag is the layer's.
    let own = if spin::is_stepping() { TF } else { 0 };
    [f.rip, f.rflags, f.site] = [r[RIP], r[EFLAGS] & !own, 0];
}

fn fault(signal: u32, info: &HostInfo, uc: &HostContext) {
    let trap = (uc.regs[TRAPNO], uc.regs[ERR], uc.regs[CR2]);
    // A general protection fault has no address: Linux says SI_KERNEL and 0.
    let addr = if signal == SIGTRAP && info.code == 0x80 { 0 } else { info.addr };
    after(kernel().fault(&mut Host, Info::fault(signal, info.code, addr), trap));
}

/// `rdtsc` and `rdtscp`, which trap: a counter that shows virtual nanoseconds.
fn read_counter(f: &mut Frame) -> bool {
    let mut code = [0u8; 3];
    use snowglobe_kernel::machine::Machine;
    if Host.read(f.rip, &mut code).is_err() && Host.read(f.rip, &mut code[..2]).is_err() {
        return false;
    }
    let len = match code {
        [0x0f, 0x31, _] => 2,
        [0x0f, 0x01, 0xf9] => {
            f.rcx = 0;
            3
        }
        _ => return false,
    };
    let now = kernel().counter();
    f.rax = now & 0xffff_ffff;
    f.rdx = now >> 32;
    f.rip += len;
    if kernel().notice {
        after(kernel().before_return(&mut Host));
    }
    true
}

/// A signal while the layer's own code ran. Only copies of guest memory may fault.
pub extern "C" fn on_own_signal(signal: i32, info: &HostInfo, uc: &mut HostContext) {
    match signal as u32 {
        SIGURG => {}
        // The flags are restored, and with them the trap flag: the rest of the way back is done here, so that the
        // next trap comes after one instruction of the guest.
        SIGTRAP if uc.regs[EFLAGS] & TF != 0 && is_way_back(uc.regs[RIP]) => {
            uc.regs[RSP] = cpu().rsp;
            uc.regs[RIP] = cpu().rip;
        }
        // A guest that is stepped through has called: its own flags are in the frame.
        SIGTRAP if uc.regs[EFLAGS] & TF != 0 => uc.regs[EFLAGS] &= !TF,
        SIGBUS if uc.regs[TRAPNO] == ALIGNMENT_CHECK => uc.regs[EFLAGS] &= !AC,
        SIGSEGV | SIGBUS => match fixup(uc.regs[RIP]) {
            Some(rip) => uc.regs[RIP] = rip,
            None => own_fault(signal, info, uc),
        },
        _ => own_fault(signal, info, uc),
    }
}

fn own_fault(signal: i32, info: &HostInfo, uc: &HostContext) {
    panic!(
        "signal {signal} (code {}, address {:#x}) in the layer at {:#x}, stack {:#x}, slot {}",
        info.code,
        info.addr,
        uc.regs[RIP],
        uc.regs[RSP],
        cpu().slot
    );
}
