//! Signal frames on guest stacks, as Linux lays them out (`struct rt_sigframe` of x86-64).

use crate::rewrite;
use crate::state::{Frame, XSave, frame, shared};
use crate::vectors;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_kernel::machine::{Machine, SignalFrame, SignalReturn};
use snowglobe_kernel::mem::{Struct, array, field32, field64};

/// Bytes below the stack pointer that a function may use without moving it.
const RED_ZONE: u64 = 128;
const MAGIC1: u32 = 0x4650_5853;
const MAGIC2: u32 = 0x4650_5845;
/// UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
const UC_FLAGS: u64 = 7;
/// Code and stack segments of 64-bit user mode.
const SEGMENTS: u64 = 0x33 | 0x2b << 48;
/// uc_flags to uc_sigmask.
const UC_SIZE: u64 = 304;
/// Offsets in `struct sigcontext`.
const GREGS: u64 = 40;

/// Bytes that a frame takes at most, for AT_MINSIGSTKSZ.
pub fn size() -> u64 {
    RED_ZONE + 8 + UC_SIZE + 128 + shared().machine.xsave_size as u64 + 4 + 128
}

/// Builds a frame and points the guest at its handler.
pub fn push(m: &mut dyn Machine, signal: &SignalFrame) -> Result<()> {
    let f = *frame();
    let size = shared().machine.xsave_size as u64;
    let top = signal.on_stack.unwrap_or_else(|| f.rsp.wrapping_sub(RED_ZONE));
    let fp = top.wrapping_sub(size + 4) & !63;
    let at = (fp.wrapping_sub(8 + UC_SIZE + 128) & !15).wrapping_sub(8);
    put_vectors(m, fp, &f)?;
    let (trapno, err, cr2) = signal.fault.unwrap_or((0, 0, 0));
    let (base, flags, stack_size) = signal.altstack;
    let mut out = Struct::new().u64(signal.restorer).u64(UC_FLAGS).u64(0).u64(base).u32(flags).u32(0).u64(stack_size);
    for reg in
        [f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15, f.rdi, f.rsi, f.rbp, f.rbx, f.rdx, f.rax, f.rcx, f.rsp]
    {
        out = out.u64(reg);
    }
    out = out.u64(rewrite::guest_rip(f.rip)).u64(f.rflags).u64(SEGMENTS).u64(err).u64(trapno);
    out = out.u64(signal.saved_mask).u64(cr2).u64(fp).pad((8 + 40 + 256) as usize);
    out = out.u64(signal.saved_mask).bytes(&signal.info);
    out.put(m, at)?;
    let g = frame();
    g.rip = signal.handler;
    g.rsp = at;
    g.rdi = u64::from(signal.signal);
    g.rsi = at + 8 + UC_SIZE;
    g.rdx = at + 8;
    g.rax = 0;
    // The direction and trap flags are clear in a handler.
    g.rflags &= !0x500;
    Ok(())
}

fn put_vectors(m: &mut dyn Machine, at: u64, f: &Frame) -> Result<()> {
    let size = shared().machine.xsave_size;
    let area = XSave::new();
    vectors::save(area.ptr());
    // SAFETY: the area is that long and nobody else's.
    let bytes = unsafe { core::slice::from_raw_parts_mut(area.ptr(), size) };
    for (i, xmm) in f.xmm.iter().enumerate() {
        bytes[160 + i * 16..176 + i * 16].copy_from_slice(&xmm.to_le_bytes());
    }
    // The low registers are in use, whatever the layer's own use of them made XSAVE say.
    bytes[512] |= 3;
    let xcr0 = shared().machine.xcr0;
    let extra = Struct::new().u32(MAGIC1).u32(size as u32 + 4).u64(xcr0).u32(size as u32).pad(48).0;
    bytes[464..512].copy_from_slice(&extra);
    m.write(at, bytes)?;
    m.write(at + size as u64, &MAGIC2.to_le_bytes())
}

/// Takes the frame at the stack pointer back.
pub fn pop(m: &mut dyn Machine) -> Result<SignalReturn> {
    // The handler's return has taken the restorer's address off the stack.
    let uc = frame().rsp;
    let raw: [u8; UC_SIZE as usize] = array(m, uc)?;
    let reg = |i: u64| field64(&raw, (GREGS + i * 8) as usize);
    let fp = reg(23);
    if fp != 0 {
        get_vectors(m, fp)?;
    } else {
        frame().xmm = [0; 16];
    }
    let rip = rewrite::resume_rip(reg(16));
    // A guest may have changed anything: flags keep to those that it may set here, as Linux keeps to them.
    let rflags = reg(17) & 0x0004_0dd5 | 0x202;
    let xmm = frame().xmm;
    *frame() = Frame {
        r8: reg(0),
        r9: reg(1),
        r10: reg(2),
        r11: reg(3),
        r12: reg(4),
        r13: reg(5),
        r14: reg(6),
        r15: reg(7),
        rdi: reg(8),
        rsi: reg(9),
        rbp: reg(10),
        rbx: reg(11),
        rdx: reg(12),
        rax: reg(13),
        rcx: reg(14),
        rsp: reg(15),
        rip,
        rflags,
        site: 0,
        spare: 0,
        xmm,
    };
    let altstack = (field64(&raw, 16), field32(&raw, 24), field64(&raw, 32));
    Ok(SignalReturn { mask: field64(&raw, 296), altstack })
}

fn get_vectors(m: &mut dyn Machine, at: u64) -> Result<()> {
    let size = shared().machine.xsave_size;
    let area = XSave::new();
    // SAFETY: the area is that long and nobody else's.
    let bytes = unsafe { core::slice::from_raw_parts_mut(area.ptr(), size) };
    m.read(at, &mut bytes[..512])?;
    let extended = field32(bytes, 464) == MAGIC1 && field32(bytes, 480) as usize == size;
    if extended {
        m.read(at + 512, &mut bytes[512..])?;
    } else {
        bytes[512..].fill(0);
        bytes[512] = 3;
    }
    // XRSTOR faults on what is not possible: the header is cut to what is.
    let given = field64(bytes, 512) & shared().machine.xcr0;
    bytes[512..520].copy_from_slice(&given.to_le_bytes());
    bytes[520..576].fill(0);
    let mxcsr = field32(bytes, 24) & 0xffff;
    bytes[24..28].copy_from_slice(&mxcsr.to_le_bytes());
    vectors::restore(area.ptr());
    let f = frame();
    for (i, xmm) in f.xmm.iter_mut().enumerate() {
        let part: [u8; 16] = bytes[160 + i * 16..176 + i * 16].try_into().map_err(|_| Errno::EFAULT)?;
        *xmm = if given & 2 != 0 { u128::from_le_bytes(part) } else { 0 };
    }
    Ok(())
}
