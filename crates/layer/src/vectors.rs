//! Vector state and segment bases of the processor.

use core::arch::asm;

/// XSAVE of all enabled components, in the standard format.
pub fn save(area: *mut u8) {
    // SAFETY: the area is as long as the processor asks for, and aligned to 64 bytes.
    unsafe {
        asm!("xsave64 [{}]", in(reg) area, in("eax") u32::MAX, in("edx") u32::MAX, options(nostack));
    }
}

/// XSAVEC of all enabled components: only those in use are written, in the compacted format, for [`restore`] alone.
pub fn save_compact(area: *mut u8) {
    // SAFETY: as for XSAVE; the compacted format is never longer.
    unsafe {
        asm!("xsavec64 [{}]", in(reg) area, in("eax") u32::MAX, in("edx") u32::MAX, options(nostack));
    }
}

/// XRSTOR of all enabled components.
pub fn restore(area: *const u8) {
    // SAFETY: the area was written by XSAVE, or its header has been checked. The low vector registers that this
    // changes are the compiler's scratch: the guest's are in the frame.
    unsafe {
        asm!(
            "xrstor64 [{}]", in(reg) area, in("eax") u32::MAX, in("edx") u32::MAX,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
            out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _, options(nostack),
        );
    }
}

/// The fs base.
pub fn fs_base() -> u64 {
    let base: u64;
    // SAFETY: the system allows it (the supervisor has looked).
    unsafe { asm!("rdfsbase {}", out(reg) base, options(nomem, nostack)) };
    base
}

/// Sets the fs base.
pub fn set_fs_base(base: u64) {
    // SAFETY: the layer has no thread-local data.
    unsafe { asm!("wrfsbase {}", in(reg) base, options(nomem, nostack)) };
}

/// Sets the gs base.
pub fn set_gs_base(base: u64) {
    // SAFETY: done once, before the entry code is used.
    unsafe { asm!("wrgsbase {}", in(reg) base, options(nomem, nostack)) };
}

/// `cpuid`
pub fn cpuid(leaf: u32, sub: u32) -> [u32; 4] {
    let r = core::arch::x86_64::__cpuid_count(leaf, sub);
    [r.eax, r.ebx, r.ecx, r.edx]
}

/// Makes an area (of zeros) the state in which programs start.
pub fn initial(area: *mut u8) {
    // SAFETY: an area has at least 576 bytes.
    unsafe {
        // x87 control word, MXCSR; the header says that x87 and SSE are given, and all else is initial.
        (area as *mut u16).write(0x37f);
        (area.add(24) as *mut u32).write(0x1f80);
        (area.add(512) as *mut u64).write(3);
    }
}
