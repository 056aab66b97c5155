//! The shared object that guests find by `AT_SYSINFO_EHDR` (vdso(7)): clocks without a call.
//!
//! Time passes as these functions are called, so that a loop that waits for a clock ends. They read and set the clock in the
//! control page ([`snowglobe_abi::control::Clock`]); at its limit, where a timer is due or a turn is over, they make the
//! call instead. They know the way to the layer, and need no trap.

use core::arch::global_asm;
use snowglobe_abi::control::CLOCK_OFFSET;
use snowglobe_abi::map::ARENA_BASE;

unsafe extern "C" {
    static vdso_start: u8;
    static vdso_end: u8;
}

/// The object's bytes, whole pages.
pub fn image() -> &'static [u8] {
    let (start, end) = (core::ptr::addr_of!(vdso_start), core::ptr::addr_of!(vdso_end));
    // SAFETY: the labels enclose constants of this image.
    unsafe { core::slice::from_raw_parts(start, end.offset_from(start) as usize) }
}

// The ELF file by hand: one loaded segment, five functions of version LINUX_2.6, a hash table of one bucket. Loaders differ
// in which of the hash tables they know; all know this one. Offsets within the clock are those of `Clock`.
global_asm!(
    r#"
    .section .rodata.vdso, "a", @progbits
    .balign 4096
    .globl vdso_start
vdso_start:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0
    .zero 8
    .short 3, 62
    .long 1
    .quad 0
    .quad 70f - vdso_start
    .quad 0
    .long 0
    .short 64, 56, 2, 0, 0, 0
70:
    .long 1, 5
    .quad 0, 0, 0
    .quad vdso_end - vdso_start, vdso_end - vdso_start
    .quad 4096
    .long 2, 4
    .quad 71f - vdso_start, 71f - vdso_start, 71f - vdso_start
    .quad 72f - 71f, 72f - 71f
    .quad 8

    .balign 8
71:
    .quad 14, 73f - 74f
    .quad 4, 75f - vdso_start
    .quad 5, 74f - vdso_start
    .quad 6, 76f - vdso_start
    .quad 10, 77f - 74f
    .quad 11, 24
    .quad 0x6ffffff0, 78f - vdso_start
    .quad 0x6ffffffc, 79f - vdso_start
    .quad 0x6ffffffd, 2
    .quad 0, 0
72:

    .balign 8
75:
    .long 1, 6
    .long 1
    .long 0, 2, 3, 4, 5, 0

    .balign 8
76:
    .zero 24
    # Name, global function in section 1, place and length.
    .macro function name, from, to
    .long \name - 74f
    .byte 0x12, 0
    .short 1
    .quad \from - vdso_start, \to - \from
    .endm
    function 81f, 91f, 92f
    function 82f, 92f, 93f
    function 83f, 93f, 94f
    function 84f, 94f, 95f
    function 85f, 95f, 96f
    .purgem function

74:
    .byte 0
81: .asciz "__vdso_clock_gettime"
82: .asciz "__vdso_gettimeofday"
83: .asciz "__vdso_time"
84: .asciz "__vdso_getcpu"
85: .asciz "__vdso_clock_getres"
73: .asciz "linux-vdso.so.1"
86: .asciz "LINUX_2.6"
77:
    .balign 2
78:
    .short 0, 2, 2, 2, 2, 2
    .balign 8
79:
    # The file itself, then the version.
    .short 1, 1, 1, 1
    .long 0x0deebfa1, 20, 28
    .long 73b - 74b, 0
    .short 1, 0, 2, 1
    .long 0x03ae75f6, 20, 0
    .long 86b - 74b, 0

    # The time after this reading in rax, or the call when it would pass the limit.
    .macro reading
    mov rax, [r8]
    add rax, [r8 + 16]
    cmp rax, [r8 + 8]
    jae 20f
    mov [r8], rax
    .endm
    # Seconds in rax and nanoseconds in rdx, with an offset in a register or the clock.
    .macro seconds offset:vararg
    add rax, \offset
    xor edx, edx
    mov ecx, 1000000000
    div rcx
    .endm

    .balign 16
91:
    cmp edi, 7
    ja 20f
    movabs r8, {clock}
    mov eax, 0x21
    bt eax, edi
    mov r9, [r8 + 24]
    jc 10f
    mov eax, 0xd2
    bt eax, edi
    mov r9, [r8 + 32]
    jnc 20f
10:
    reading
    seconds r9
    mov [rsi], rax
    mov [rsi + 8], rdx
    xor eax, eax
    ret
20:
    mov eax, 228
    jmp 99f

    .balign 16
92:
    test rdi, rdi
    jz 20f
    test rsi, rsi
    jnz 20f
    movabs r8, {clock}
    reading
    seconds [r8 + 24]
    mov [rdi], rax
    mov eax, edx
    xor edx, edx
    mov ecx, 1000
    div ecx
    mov [rdi + 8], rax
    xor eax, eax
    ret
20:
    mov eax, 96
    jmp 99f

    .balign 16
93:
    movabs r8, {clock}
    reading
    seconds [r8 + 24]
    test rdi, rdi
    jz 10f
    mov [rdi], rax
10:
    ret
20:
    mov eax, 201
    jmp 99f

    .balign 16
94:
    mov eax, 309
    jmp 99f

    .balign 16
95:
    mov eax, 229
    jmp 99f

    .balign 16
96:
99:
    lea rcx, [rip + 98f]
    jmp qword ptr gs:[24]
98:
    ret
    .purgem reading
    .purgem seconds
    .balign 4096
    .globl vdso_end
vdso_end:
    .text
"#,
    clock = const ARENA_BASE + CLOCK_OFFSET,
);
