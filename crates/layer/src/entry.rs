//! The ways in and out: rewritten sites, signals of the operating system, and the way back to the guest.

use crate::trap::{HostContext, HostInfo};
use core::arch::global_asm;

unsafe extern "C" {
    /// Where stubs of rewritten sites jump to; rcx holds the address to return to.
    pub fn layer_entry();
    /// Where stubs of yield points jump to; rcx holds the branch's address, and the guest's rcx is kept.
    pub fn yield_entry();
    /// The way back to the guest by the frame, up to the jump.
    static layer_resume: u8;
    static layer_resume_end: u8;
    /// Where the operating system delivers signals.
    pub fn signal_entry();
    /// `rt_sigreturn` for signals that hit the layer itself.
    pub fn signal_restorer();
    /// Empties the stack, calls a function, and goes to the guest by the frame.
    pub fn from_the_top(f: extern "C" fn()) -> !;
    /// Copies bytes; returns 1 if a fault came between.
    pub fn guest_copy(to: *mut u8, from: *const u8, len: usize) -> usize;
    static guest_copy_start: u8;
    static guest_copy_end: u8;
    static guest_copy_fault: u8;
    /// `lock cmpxchg` on a guest's word: returns what was there; sets `*fault` to 1 if it cannot be touched.
    pub fn guest_cmpxchg(word: *mut u32, old: u32, new: u32, fault: *mut u32) -> u32;
    static guest_cmpxchg_start: u8;
    static guest_cmpxchg_end: u8;
    static guest_cmpxchg_fault: u8;
}

/// Where to go on after a fault at an address of the copy routines.
pub fn fixup(rip: u64) -> Option<u64> {
    let at = |label: &'static u8| core::ptr::from_ref(label) as u64;
    // SAFETY: only the labels' addresses are taken.
    let (copy, exchange) = unsafe {
        (
            (at(&guest_copy_start), at(&guest_copy_end), at(&guest_copy_fault)),
            (at(&guest_cmpxchg_start), at(&guest_cmpxchg_end), at(&guest_cmpxchg_fault)),
        )
    };
    [copy, exchange].into_iter().find(|(from, to, _)| (*from..*to).contains(&rip)).map(|(_, _, go)| go)
}

/// Whether an address lies on the way back to the guest.
pub fn is_way_back(rip: u64) -> bool {
    // SAFETY: only the labels' addresses are taken.
    let range = unsafe { core::ptr::from_ref(&layer_resume) as u64..core::ptr::from_ref(&layer_resume_end) as u64 };
    range.contains(&rip)
}

// Offsets are those of `Frame` and `Cpu` in state.rs, and of ucontext_t.
global_asm!(
    r#"
    # To the layer's stack, where the frame is; all registers but rcx and r11 are kept there.
    .macro enter
    mov gs:[8], rsp
    mov rsp, gs:[32]
    mov [rsp + 0], rax
    mov [rsp + 8], rbx
    mov [rsp + 24], rdx
    mov [rsp + 32], rsi
    mov [rsp + 40], rdi
    mov [rsp + 48], rbp
    mov [rsp + 64], r8
    mov [rsp + 72], r9
    mov [rsp + 80], r10
    mov [rsp + 96], r12
    mov [rsp + 104], r13
    mov [rsp + 112], r14
    mov [rsp + 120], r15
    .endm
    .macro save_vectors frame
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps [\frame + 160 + 16 * \n], xmm\n
    .endr
    .endm

    .globl layer_entry
layer_entry:
    enter
    mov [rsp + 16], rcx
    mov [rsp + 128], rcx
    mov rcx, gs:[8]
    mov [rsp + 56], rcx
    pushfq
    pop rcx
    mov [rsp + 136], rcx
    mov [rsp + 88], rcx
    mov qword ptr [rsp + 144], 0
    save_vectors rsp
    cld
    mov rdi, rsp
    call {on_call}
    jmp layer_resume

    .globl yield_entry
yield_entry:
    enter
    mov [rsp + 88], r11
    mov [rsp + 128], rcx
    mov rcx, gs:[40]
    mov [rsp + 16], rcx
    mov rcx, gs:[8]
    mov [rsp + 56], rcx
    pushfq
    pop rcx
    mov [rsp + 136], rcx
    mov qword ptr [rsp + 144], 0
    save_vectors rsp
    cld
    call {on_yield}

    .globl layer_resume
layer_resume:
    mov rsp, gs:[32]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps xmm\n, [rsp + 160 + 16 * \n]
    .endr
    mov rcx, [rsp + 56]
    mov gs:[8], rcx
    mov rcx, [rsp + 128]
    mov gs:[16], rcx
    mov rbx, [rsp + 8]
    mov rdx, [rsp + 24]
    mov rsi, [rsp + 32]
    mov rdi, [rsp + 40]
    mov rbp, [rsp + 48]
    mov r8, [rsp + 64]
    mov r9, [rsp + 72]
    mov r10, [rsp + 80]
    mov r11, [rsp + 88]
    mov r12, [rsp + 96]
    mov r13, [rsp + 104]
    mov r14, [rsp + 112]
    mov r15, [rsp + 120]
    # popfq is slow. The arithmetic flags can be set without it: overflow by an addition, the others from ah.
    mov rax, [rsp + 136]
    mov rcx, rax
    and rcx, ~0x8d5
    cmp rcx, 0x202
    jne 2f
    xor ecx, ecx
    bt eax, 11
    adc ecx, 0
    mov ah, al
    mov al, cl
    add al, 0x7f
    sahf
    mov rax, [rsp + 0]
    mov rcx, [rsp + 16]
    mov rsp, gs:[8]
    jmp qword ptr gs:[16]
2:
    mov rax, [rsp + 0]
    mov rcx, [rsp + 16]
    push qword ptr [rsp + 136]
    popfq
    mov rsp, gs:[8]
    jmp qword ptr gs:[16]
    .globl layer_resume_end
layer_resume_end:

    .globl signal_entry
signal_entry:
    # The operating system leaves the alignment check flag as it was.
    push 0x202
    popfq
    mov rax, [rdx + 168]
    mov rcx, 0x600000000000
    sub rax, rcx
    cmp rax, {image}
    jae 1f
    # The layer's code runs on the layer's stack, but for the first and the last few instructions, where nothing of it
    # faults: a fault on another stack is that of a program that has jumped there.
    cmp edi, {sigurg}
    je 2f
    cmp qword ptr [rdx + 200], {debug}
    je 2f
    mov rax, [rdx + 160]
    mov rcx, {proc}
    sub rax, rcx
    cmp rax, {proc_size}
    jb 2f
1:
    mov r12, rdx
    mov r13, rsi
    mov r14, rdi
    mov rcx, [rdx + 224]
    mov eax, -1
    mov edx, -1
    xrstor64 [rcx]
    mov rbx, gs:[32]
    save_vectors rbx
    # What the system says of the trap is taken along while this is still the signal stack: the next signal, which
    # may come at any instruction, is put at the top of that again once this is not.
    lea rdi, [rbx - {context}]
    mov rsi, r12
    mov ecx, {context} / 8
    rep movsq
    lea rdi, [rbx - {context} - {info}]
    mov rsi, r13
    mov ecx, {info} / 8
    rep movsq
    mov edi, r14d
    lea rsi, [rbx - {context} - {info}]
    lea rdx, [rbx - {context}]
    mov rsp, rsi
    call {on_trap}
    jmp layer_resume
2:
    sub rsp, 8
    cld
    call {on_own_signal}
    add rsp, 8
    ret

    .globl signal_restorer
signal_restorer:
    mov eax, 15
    syscall
    ud2

    .globl from_the_top
from_the_top:
    mov rsp, gs:[32]
    call rdi
    jmp layer_resume

    .globl guest_copy
guest_copy:
    .globl guest_copy_start
guest_copy_start:
    cmp rdx, 16
    jb 2f
    cmp rdx, 32
    ja 4f
    movups xmm0, [rsi]
    movups xmm1, [rsi + rdx - 16]
    movups [rdi], xmm0
    movups [rdi + rdx - 16], xmm1
    xor eax, eax
    ret
2:
    cmp edx, 8
    jb 3f
    mov rax, [rsi]
    mov rcx, [rsi + rdx - 8]
    mov [rdi], rax
    mov [rdi + rdx - 8], rcx
    xor eax, eax
    ret
3:
    mov rcx, rdx
    rep movsb
    xor eax, eax
    ret
4:
    cmp rdx, 512
    ja 3b
    lea rcx, [rdx - 16]
    xor eax, eax
5:
    movups xmm0, [rsi + rax]
    movups [rdi + rax], xmm0
    add rax, 16
    cmp rax, rcx
    jb 5b
    movups xmm0, [rsi + rcx]
    movups [rdi + rcx], xmm0
    xor eax, eax
    ret
    .globl guest_copy_end
guest_copy_end:
    .globl guest_copy_fault
guest_copy_fault:
    mov eax, 1
    ret

    .globl guest_cmpxchg
guest_cmpxchg:
    mov eax, esi
    .globl guest_cmpxchg_start
guest_cmpxchg_start:
    lock cmpxchg [rdi], edx
    .globl guest_cmpxchg_end
guest_cmpxchg_end:
    ret
    .globl guest_cmpxchg_fault
guest_cmpxchg_fault:
    mov dword ptr [rcx], 1
    ret

    # The prebuilt alloc crate can unwind; this image aborts instead.
    .globl _Unwind_Resume
_Unwind_Resume:
    .globl rust_eh_personality
rust_eh_personality:
    ud2

    # Most copies are short, and `rep movsb` takes its time to begin. Up to 32 bytes all is read before anything is
    # written, so that memmove can begin the same way.
    .globl memcpy
memcpy:
    mov rax, rdi
    cmp rdx, 32
    jbe 20f
10:
    cmp rdx, 512
    ja 12f
    movups xmm1, [rsi + rdx - 16]
    lea r8, [rdi + rdx - 16]
11:
    movups xmm0, [rsi]
    movups [rdi], xmm0
    add rsi, 16
    add rdi, 16
    cmp rdi, r8
    jb 11b
    movups [r8], xmm1
    ret
12:
    mov rcx, rdx
    rep movsb
    ret
20:
    cmp edx, 16
    jae 24f
    cmp edx, 8
    jae 23f
    cmp edx, 4
    jae 22f
    test edx, edx
    jz 21f
    movzx ecx, byte ptr [rsi]
    movzx r8d, byte ptr [rsi + rdx - 1]
    mov r9, rdx
    shr r9, 1
    movzx r10d, byte ptr [rsi + r9]
    mov [rdi], cl
    mov [rdi + r9], r10b
    mov [rdi + rdx - 1], r8b
21:
    ret
22:
    mov ecx, [rsi]
    mov r8d, [rsi + rdx - 4]
    mov [rdi], ecx
    mov [rdi + rdx - 4], r8d
    ret
23:
    mov rcx, [rsi]
    mov r8, [rsi + rdx - 8]
    mov [rdi], rcx
    mov [rdi + rdx - 8], r8
    ret
24:
    movups xmm0, [rsi]
    movups xmm1, [rsi + rdx - 16]
    movups [rdi], xmm0
    movups [rdi + rdx - 16], xmm1
    ret
    .globl memmove
memmove:
    mov rax, rdi
    cmp rdx, 32
    jbe 20b
    mov r8, rdi
    sub r8, rsi
    cmp r8, rdx
    jae 10b
    # The end of the source is overwritten first: from behind.
    movups xmm1, [rsi]
30:
    movups xmm0, [rsi + rdx - 16]
    movups [rdi + rdx - 16], xmm0
    sub rdx, 16
    cmp rdx, 16
    ja 30b
    movups [rdi], xmm1
    ret
    .globl memset
memset:
    mov r8, rdi
    movzx eax, sil
    cmp rdx, 128
    ja 41f
    mov rcx, 0x0101010101010101
    imul rax, rcx
    cmp edx, 8
    jb 42f
    mov [rdi + rdx - 8], rax
    lea rcx, [rdi + rdx - 8]
40:
    mov [rdi], rax
    add rdi, 8
    cmp rdi, rcx
    jb 40b
    mov rax, r8
    ret
41:
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret
42:
    test edx, edx
    jz 44f
43:
    mov [rdi + rdx - 1], al
    dec edx
    jnz 43b
44:
    mov rax, r8
    ret
    .globl memcmp
memcmp:
    xor ecx, ecx
50:
    lea r8, [rcx + 8]
    cmp r8, rdx
    ja 51f
    mov rax, [rdi + rcx]
    mov r9, [rsi + rcx]
    mov rcx, r8
    cmp rax, r9
    je 50b
    bswap rax
    bswap r9
    cmp rax, r9
    sbb eax, eax
    or eax, 1
    ret
51:
    xor eax, eax
52:
    cmp rcx, rdx
    je 53f
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r8d
    je 52b
53:
    ret
    .globl bcmp
bcmp:
    jmp memcmp
    .globl strlen
strlen:
    xor eax, eax
6:
    cmp byte ptr [rdi + rax], 0
    je 7f
    inc rax
    jmp 6b
7:
    ret
"#,
    on_call = sym crate::trap::on_call,
    on_yield = sym crate::trap::on_yield,
    on_trap = sym crate::trap::on_trap,
    on_own_signal = sym crate::trap::on_own_signal,
    context = const size_of::<HostContext>().next_multiple_of(16),
    info = const size_of::<HostInfo>().next_multiple_of(16),
    image = const crate::trap::IMAGE_SPAN,
    sigurg = const snowglobe_kernel::uapi::SIGURG,
    debug = const crate::trap::DEBUG_TRAP,
    proc = const snowglobe_abi::map::PROC_BASE,
    proc_size = const snowglobe_abi::map::PROC_SIZE,
);
