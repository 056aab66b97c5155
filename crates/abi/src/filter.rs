//! The seccomp filter that every guest process runs under: calls from the layer's text go through, all others trap.
//!
//! It is here, not in the layer, so that it can be examined as the program that it is, for every call number and address.

use crate::map::LAYER_BASE;

/// `struct sock_filter`: one instruction of classic BPF.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// Instructions skipped when a comparison holds.
    pub jt: u8,
    /// Instructions skipped when it does not.
    pub jf: u8,
    /// Its operand.
    pub k: u32,
}

/// Load a word of `struct seccomp_data`: 0 the number, 4 the architecture, 8 and 12 the call's address, low and high.
pub const LOAD: u16 = 0x20;
/// Compare for equality.
pub const JEQ: u16 = 0x15;
/// Compare for greater or equal.
pub const JGE: u16 = 0x35;
/// Decide.
pub const RET: u16 = 0x06;
/// SIGSYS, before the call does anything.
pub const TRAP: u32 = 0x0003_0000;
/// The call is the operating system's.
pub const ALLOW: u32 = 0x7fff_0000;
/// `AUDIT_ARCH_X86_64`: not `int 0x80`, whose numbers are others.
pub const X86_64: u32 = 0xc000_003e;

// The layer's text begins where the lower half of an address is 0, so one comparison is enough for it.
const _: () = assert!(LAYER_BASE & 0xffff_ffff == 0);

/// The filter for a layer whose text ends before this address. The number of a call plays no part.
pub const fn program(text_end: u64) -> [Instruction; 8] {
    assert!(text_end > LAYER_BASE && text_end >> 32 == LAYER_BASE >> 32);
    const fn op(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
        Instruction { code, jt, jf, k }
    }
    [
        op(LOAD, 0, 0, 4),
        op(JEQ, 0, 4, X86_64),
        op(LOAD, 0, 0, 12),
        op(JEQ, 0, 2, (LAYER_BASE >> 32) as u32),
        op(LOAD, 0, 0, 8),
        op(JGE, 0, 1, text_end as u32),
        op(RET, 0, 0, TRAP),
        op(RET, 0, 0, ALLOW),
    ]
}

/// What the operating system does with a call under a program: [`TRAP`] or [`ALLOW`]; none if the program is none.
///
/// `arch` and `at` are the architecture and the address that the operating system tells of the call.
pub fn verdict(program: &[Instruction], nr: u32, arch: u32, at: u64) -> Option<u32> {
    let (mut accumulator, mut pc) = (0u32, 0usize);
    loop {
        let Instruction { code, jt, jf, k } = *program.get(pc)?;
        pc += 1;
        let jump = match code {
            LOAD => {
                accumulator = match k {
                    0 => nr,
                    4 => arch,
                    8 => at as u32,
                    12 => (at >> 32) as u32,
                    _ => return None,
                };
                continue;
            }
            JEQ => accumulator == k,
            JGE => accumulator >= k,
            RET => return Some(k),
            _ => return None,
        };
        pc += usize::from(if jump { jt } else { jf });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{ARENA_BASE, GUEST_MAX, PROC_BASE, STORE_BASE};
    use alloc::vec::Vec;

    const TEXT_END: u64 = LAYER_BASE + 0x12_3456;
    /// The bit that marks the calls of the x32 interface.
    const X32: u32 = 0x4000_0000;
    const I386: u32 = 0x4000_0003;

    /// Every number that Linux has or may get, the gap between 334 and 424, far ones, and all of them with the x32 bit.
    fn numbers() -> Vec<u32> {
        let plain =
            (0..4096).chain([0x7fff, 0xffff, 0x1_0000, 0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, u32::MAX - 1, u32::MAX]);
        plain.flat_map(|nr| [nr, nr | X32]).collect()
    }

    #[test]
    fn from_the_layer_every_number_goes_through_and_from_elsewhere_none() {
        let program = program(TEXT_END);
        let inside = [LAYER_BASE, LAYER_BASE + 2, LAYER_BASE + 0x1000, TEXT_END - 1];
        let outside = [
            0,
            2,
            0x40_0000,
            0x5555_5555_4002,
            LAYER_BASE - 1,
            // The same lower half below, above, and in the upper half of all addresses.
            LAYER_BASE - (1 << 32),
            LAYER_BASE + (1 << 32),
            LAYER_BASE | 1 << 63,
            LAYER_BASE | 0xffff << 48,
            TEXT_END,
            TEXT_END + 1,
            LAYER_BASE + 0xffff_ffff,
            ARENA_BASE,
            PROC_BASE,
            STORE_BASE,
            GUEST_MAX - 1,
            0x7fff_f7fc_1002,
            0xffff_ffff_ff60_0002,
            u64::MAX,
        ];
        let (mut allowed, mut trapped) = (0, 0);
        for nr in numbers() {
            for at in inside {
                assert_eq!(verdict(&program, nr, X86_64, at), Some(ALLOW), "{nr:#x} at {at:#x}");
                allowed += 1;
            }
            for at in outside {
                assert_eq!(verdict(&program, nr, X86_64, at), Some(TRAP), "{nr:#x} at {at:#x}");
                trapped += 1;
            }
            // `int 0x80` and other architectures have other numbers: not even the layer makes them.
            for arch in [I386, 0, u32::MAX, 0xc000_00b7, X86_64 ^ 0x8000_0000] {
                for at in inside.into_iter().chain(outside) {
                    assert_eq!(verdict(&program, nr, arch, at), Some(TRAP), "{nr:#x} of {arch:#x} at {at:#x}");
                    trapped += 1;
                }
            }
        }
        assert_eq!((allowed, trapped), (4 * numbers().len(), (19 + 5 * 23) * numbers().len()));
    }

    #[test]
    fn it_is_a_program_that_the_operating_system_takes() {
        let program = program(TEXT_END);
        for (at, op) in program.iter().enumerate() {
            let target = at + 1 + usize::from(op.jt.max(op.jf));
            assert!(matches!(op.code, RET) || target < program.len(), "no jump leaves it");
        }
        assert!(program.iter().filter(|op| op.code == LOAD).all(|op| op.k != 0), "the number of a call plays no part");
        assert!(matches!(program.last(), Some(Instruction { code: RET, .. })));
    }
}
