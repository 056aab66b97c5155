//! `libvoidstar.so`: functions that pass JSON to the world's channel and draw random numbers, by system calls alone, and those by
//! which instrumented programs tell which code they ran. These are there because SDKs give up without them (Go's panics), and
//! because programs are linked against them; nobody wants to know, and each is told so at once.

#![no_std]

use core::arch::asm;

/// The world's channel for assertions.
const CHANNEL: &[u8] = b"/dev/snowglobe/sdk.jsonl\0";

const SYS_OPEN: usize = 2;
const SYS_CLOSE: usize = 3;
const SYS_WRITEV: usize = 20;
const SYS_GETRANDOM: usize = 318;
const O_WRONLY_APPEND_CLOEXEC: usize = 0o1 | 0o2000 | 0o2_000_000;

/// A system call of three arguments.
///
/// # Safety
/// That of the call.
unsafe fn call(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result;
    // SAFETY: the kernel keeps all registers but these.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
            lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

#[repr(C)]
struct Part {
    base: *const u8,
    length: usize,
}

/// Writes one record and a line's end, as one line. The channel is opened each time: a program may close descriptors that it does not
/// know, and fork.
///
/// # Safety
/// There are `length` bytes at `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fuzz_json_data(data: *const u8, length: usize) {
    // SAFETY: the path ends in a zero; the parts are as the caller says.
    unsafe {
        let file = call(SYS_OPEN, CHANNEL.as_ptr() as usize, O_WRONLY_APPEND_CLOEXEC, 0);
        if file < 0 {
            return;
        }
        let ends = length > 0 && *data.add(length - 1) == b'\n';
        let parts = [Part { base: data, length }, Part { base: b"\n".as_ptr(), length: !ends as usize }];
        call(SYS_WRITEV, file as usize, parts.as_ptr() as usize, parts.len());
        call(SYS_CLOSE, file as usize, 0, 0);
    }
}

/// A random number, of the seed's program stream like all that programs get.
#[unsafe(no_mangle)]
pub extern "C" fn fuzz_get_random() -> u64 {
    let mut number = 0_u64;
    // SAFETY: eight bytes are there to be written.
    unsafe { call(SYS_GETRANDOM, &raw mut number as usize, 8, 0) };
    number
}

/// Nothing is held back.
#[unsafe(no_mangle)]
pub extern "C" fn fuzz_flush() {}

/// Where the edges of a module that was instrumented begin.
#[unsafe(no_mangle)]
pub extern "C" fn init_coverage_module(_edges: usize, _symbols: *const u8) -> usize {
    0
}

/// Whether an edge is to be told again.
#[unsafe(no_mangle)]
pub extern "C" fn notify_coverage(_edge: usize) -> bool {
    false
}

/// Guards of a module, as clang's `-fsanitize-coverage=trace-pc-guard` lays them out: zero, as they are, is off.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_trace_pc_guard_init(_start: *mut u32, _stop: *mut u32) {}

/// An edge of a program that is linked against this library.
///
/// # Safety
/// The guard can be written, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sanitizer_cov_trace_pc_guard(guard: *mut u32) {
    // SAFETY: as the caller says.
    unsafe { __sanitizer_cov_trace_pc_guard_internal(guard, 0) }
}

/// An edge of a program that found this library by itself.
///
/// # Safety
/// The guard can be written, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sanitizer_cov_trace_pc_guard_internal(guard: *mut u32, _edge: u64) {
    if !guard.is_null() {
        // SAFETY: as the caller says.
        unsafe { *guard = 0 };
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
