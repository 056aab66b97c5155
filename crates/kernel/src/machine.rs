//! The one seam to the machine: what the kernel asks of the layer (or of a test's fake).
//!
//! All guest addresses are of the address space of the *current* task, the one whose call is being answered or
//! whose wait is being completed. Nothing here can block.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use snowglobe_abi::errno::Result;

/// A file of the machine that the layer holds open, read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowerFile(pub i32);

/// What `lstat` says of a file of the machine, as far as a guest may know it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerStat {
    /// Type and permission bits, as in `st_mode`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Modification time in nanoseconds since 1970.
    pub mtime: u64,
    /// Device number of a device file.
    pub rdev: u64,
}

/// What lies behind a range of guest addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Private memory, zero at first.
    Anon,
    /// Bytes of the store from this offset.
    Store {
        /// Byte offset in the store, page aligned.
        offset: u64,
        /// Whether stores of the guest reach the store.
        shared: bool,
    },
    /// Bytes of a file of the machine from this offset; never written through.
    Lower {
        /// The file.
        file: LowerFile,
        /// Byte offset, page aligned.
        offset: u64,
    },
}

/// A signal frame to be built on a guest stack.
#[derive(Clone, Debug)]
pub struct SignalFrame {
    /// The signal's number.
    pub signal: u32,
    /// `siginfo_t`, all 128 bytes.
    pub info: [u8; 128],
    /// Where the handler begins.
    pub handler: u64,
    /// `sa_restorer`: where the handler returns to.
    pub restorer: u64,
    /// The mask that `rt_sigreturn` restores.
    pub saved_mask: u64,
    /// The alternate stack as `uc_stack` shows it: base, flags, size.
    pub altstack: (u64, u32, u64),
    /// Top of the stack to use instead of the interrupted one.
    pub on_stack: Option<u64>,
    /// Trap number, error code and address for `uc_mcontext` of a synchronous fault.
    pub fault: Option<(u64, u64, u64)>,
}

/// What `rt_sigreturn` found in the frame.
#[derive(Clone, Copy, Debug)]
pub struct SignalReturn {
    /// The mask to restore.
    pub mask: u64,
    /// The alternate stack to restore: base, flags, size.
    pub altstack: (u64, u32, u64),
}

/// See the module.
pub trait Machine {
    /// Copies from guest memory.
    ///
    /// # Errors
    /// `EFAULT` when a byte cannot be read; what `buf` then holds is unspecified.
    fn read(&mut self, addr: u64, buf: &mut [u8]) -> Result<()>;
    /// Copies to guest memory.
    ///
    /// # Errors
    /// `EFAULT` when a byte cannot be written; those before it may have been.
    fn write(&mut self, addr: u64, buf: &[u8]) -> Result<()>;
    /// Replaces the 32-bit word at `addr` by `new` if it is `old`; returns what was there.
    ///
    /// # Errors
    /// `EFAULT`.
    fn compare_exchange(&mut self, addr: u64, old: u32, new: u32) -> Result<u32>;

    /// Copies from the store.
    fn store_read(&mut self, offset: u64, buf: &mut [u8]);
    /// Copies to the store.
    fn store_write(&mut self, offset: u64, buf: &[u8]);
    /// Copies from guest memory to the store.
    ///
    /// # Errors
    /// `EFAULT`.
    fn store_from_guest(&mut self, offset: u64, addr: u64, len: u64) -> Result<()>;
    /// Copies from the store to guest memory.
    ///
    /// # Errors
    /// `EFAULT`.
    fn store_to_guest(&mut self, offset: u64, addr: u64, len: u64) -> Result<()>;
    /// Makes a page-aligned range of the store zero and gives its memory back.
    fn store_discard(&mut self, offset: u64, len: u64);

    /// Maps a range, replacing what was there.
    ///
    /// # Errors
    /// `ENOMEM` when the machine has no room for it.
    fn map(&mut self, addr: u64, len: u64, prot: u32, backing: Backing) -> Result<()>;
    /// Unmaps a range.
    fn unmap(&mut self, addr: u64, len: u64) -> Result<()>;
    /// Changes the protection of a mapped range.
    ///
    /// # Errors
    /// `ENOMEM`.
    fn protect(&mut self, addr: u64, len: u64, prot: u32) -> Result<()>;
    /// Moves the pages of `old..old+len` to `new`, which is not mapped; the old range is unmapped.
    ///
    /// # Errors
    /// `ENOMEM`.
    fn remap(&mut self, old: u64, len: u64, new: u64) -> Result<()>;
    /// `madvise` whose result the world's state fixes (MADV_DONTNEED on memory).
    fn advise(&mut self, addr: u64, len: u64, advice: u32);
    /// Pages of the current address space, and of its copies, are brought in one by one from now on: they will be counted.
    fn count_pages(&mut self);
    /// Bytes of private pages in these ranges that hold something of the program's own: those that it has written to, and not
    /// what only shows a file or zeros that nobody has written.
    fn touched(&mut self, ranges: &[(u64, u64)]) -> u64;
    /// Bytes of the pages of this range of the store that somebody has written to.
    fn store_touched(&mut self, offset: u64, len: u64) -> u64;
    /// Unmaps all guest memory of the current address space.
    fn clear_space(&mut self);

    /// `lstat` of an absolute path of the machine.
    ///
    /// # Errors
    /// Whatever the machine says, `ENOENT` foremost.
    fn lower_stat(&mut self, path: &str) -> Result<LowerStat>;
    /// Names in a directory of the machine, in any order, without `.` and `..`.
    ///
    /// # Errors
    /// Whatever the machine says.
    fn lower_list(&mut self, path: &str) -> Result<Vec<Vec<u8>>>;
    /// `readlink` of an absolute path of the machine.
    ///
    /// # Errors
    /// Whatever the machine says.
    fn lower_link(&mut self, path: &str) -> Result<Vec<u8>>;
    /// Opens a regular file of the machine for reading.
    ///
    /// # Errors
    /// Whatever the machine says.
    fn lower_open(&mut self, path: &str) -> Result<LowerFile>;
    /// Closes it.
    fn lower_close(&mut self, file: LowerFile);
    /// `pread` into the kernel's memory; short only at the end of the file.
    ///
    /// # Errors
    /// Whatever the machine says.
    fn lower_read(&mut self, file: LowerFile, offset: u64, buf: &mut [u8]) -> Result<usize>;
    /// `pread` into guest memory.
    ///
    /// # Errors
    /// `EFAULT`, or whatever the machine says.
    fn lower_to_guest(&mut self, file: LowerFile, offset: u64, addr: u64, len: u64) -> Result<u64>;
    /// `pread` into the store.
    ///
    /// # Errors
    /// Whatever the machine says.
    fn lower_to_store(&mut self, file: LowerFile, offset: u64, store: u64, len: u64) -> Result<u64>;

    /// Appends a record to the trace.
    fn emit(&mut self, record: &[u8]);
    /// The next part of the run's standard input; an empty one when there is no more.
    fn input(&mut self) -> Vec<u8>;

    /// The fs base of the current task.
    fn fs_base(&mut self) -> u64;
    /// Sets it.
    fn set_fs_base(&mut self, addr: u64);
    /// A thread's registers, of the current address space, in the order of `struct user_regs_struct`.
    fn registers(&mut self, task: u32) -> [u64; 27];
    /// The guest's stack pointer at the call.
    fn stack_pointer(&mut self) -> u64;
    /// The address of the guest's call instruction, for reports.
    fn call_site(&mut self) -> u64;
    /// Gives a new task a copy of the current task's registers, with 0 as the call's result, in the current address space.
    /// `stack` 0 keeps the stack pointer; `tls` sets the fs base.
    fn copy_context(&mut self, child: u32, stack: u64, tls: Option<u64>);
    /// Forgets a task's registers.
    fn drop_context(&mut self, task: u32);
    /// Makes a copy-on-write copy of the current address space, in which `child` (given registers before) lives.
    ///
    /// # Errors
    /// `EAGAIN` or `ENOMEM` when the machine gives no process.
    fn fork_space(&mut self, slot: u32) -> Result<()>;
    /// Makes an empty address space.
    fn fresh_space(&mut self, slot: u32);
    /// Ends an address space; the current one ends when the baton has been passed on.
    fn end_space(&mut self, slot: u32);
    /// Starts a program: all registers zero but these.
    fn start_program(&mut self, entry: u64, stack: u64);
    /// Sets the result that the interrupted call of the current task returns.
    fn set_result(&mut self, value: i64);
    /// Makes the current task repeat its call `nr` when it next runs.
    fn restart_call(&mut self, nr: u64);
    /// Builds a signal frame and makes the current task run the handler.
    ///
    /// # Errors
    /// `EFAULT` when the stack cannot take it.
    fn push_signal(&mut self, frame: &SignalFrame) -> Result<()>;
    /// Undoes [`Machine::push_signal`] from the frame at the stack pointer.
    ///
    /// # Errors
    /// `EFAULT` when there is no frame.
    fn pop_signal(&mut self) -> Result<SignalReturn>;
    /// Makes the branch at an address give up the baton now and then, which lies in this range of a file's code.
    fn yield_point(&mut self, addr: u64, code: Range<u64>);
    /// The same for a branch in code that the program has made.
    fn yield_point_made(&mut self, addr: u64);
    /// The world is over.
    fn world_ended(&mut self, report: &[u8]);
    /// Last words about a bug of our own.
    fn debug(&mut self, text: String);
}
