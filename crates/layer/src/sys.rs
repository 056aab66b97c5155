//! System calls of the operating system. Only from this image's text does the filter let them through.

use core::arch::asm;

/// Calls that the layer makes, by number on x86-64.
#[allow(missing_docs)]
pub mod nr {
    pub const CLOSE: u64 = 3;
    pub const LSEEK: u64 = 8;
    pub const MMAP: u64 = 9;
    pub const MPROTECT: u64 = 10;
    pub const MUNMAP: u64 = 11;
    pub const RT_SIGACTION: u64 = 13;
    pub const RT_SIGPROCMASK: u64 = 14;
    pub const IOCTL: u64 = 16;
    pub const PREAD64: u64 = 17;
    pub const SCHED_YIELD: u64 = 24;
    pub const MREMAP: u64 = 25;
    pub const MADVISE: u64 = 28;
    pub const CLONE: u64 = 56;
    pub const READLINK: u64 = 89;
    pub const GETPPID: u64 = 110;
    pub const SETSID: u64 = 112;
    pub const SIGALTSTACK: u64 = 131;
    pub const PRCTL: u64 = 157;
    pub const FUTEX: u64 = 202;
    pub const GETDENTS64: u64 = 217;
    pub const CLOCK_GETTIME: u64 = 228;
    pub const EXIT_GROUP: u64 = 231;
    pub const OPENAT: u64 = 257;
    pub const NEWFSTATAT: u64 = 262;
    pub const FALLOCATE: u64 = 285;
    pub const SECCOMP: u64 = 317;
}

/// Makes a call; errors come as small negative numbers.
///
/// # Safety
/// The call must be right for the address space: it can unmap or overwrite anything.
#[inline]
pub unsafe fn call(nr: u64, args: [u64; 6]) -> i64 {
    let ret: i64;
    // SAFETY: the instruction clobbers what is named here; the rest is the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr as i64 => ret,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    ret
}

macro_rules! sys {
    ($nr:ident $(, $arg:expr)* $(,)?) => {
        // SAFETY: stated at each use.
        unsafe { $crate::sys::call($crate::sys::nr::$nr, $crate::sys::six([$($arg as u64),*])) }
    };
}
pub(crate) use sys;

/// Fills up to six arguments with zeros.
#[inline]
pub fn six<const N: usize>(args: [u64; N]) -> [u64; 6] {
    core::array::from_fn(|i| args.get(i).copied().unwrap_or(0))
}

/// Waits while a word holds a value; returns at wake-ups and signals.
pub fn futex_wait(word: &core::sync::atomic::AtomicU32, value: u32) {
    // SAFETY: the word outlives the call.
    let _ = sys!(FUTEX, core::ptr::from_ref(word), 0, value, 0, 0, 0);
}

/// Wakes all who wait on a word.
pub fn futex_wake(word: &core::sync::atomic::AtomicU32) {
    // SAFETY: waking touches no memory.
    let _ = sys!(FUTEX, core::ptr::from_ref(word), 1, i32::MAX);
}

/// Ends this host process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: nothing runs here afterwards.
        let _ = sys!(EXIT_GROUP, status);
    }
}
