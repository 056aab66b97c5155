//! The memory shared with the layer: control page, trace ring, blob area.

use snowglobe_abi::control::{Control, MAGIC, PANIC_BYTES};
use snowglobe_abi::map::{ARENA_SIZE, BLOB_OFFSET, BLOB_SIZE, HEAP_OFFSET, RING_OFFSET, RING_SIZE, STORE_SIZE};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A new anonymous file of a length.
///
/// # Errors
/// What the operating system says.
pub fn memfd(name: &std::ffi::CStr, len: u64) -> io::Result<File> {
    // SAFETY: the name ends in NUL.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else's.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(len)?;
    Ok(file)
}

/// The arena, as far as the supervisor looks into it.
pub struct Arena {
    base: *mut u8,
    /// The arena's file.
    pub file: File,
    /// The store's file.
    pub store: File,
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length; nothing refers to it any more.
        unsafe { libc::munmap(self.base.cast(), HEAP_OFFSET as usize) };
    }
}

impl Arena {
    /// Fresh memory with a control page.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn new() -> io::Result<Arena> {
        let file = memfd(c"snowglobe-arena", ARENA_SIZE)?;
        let store = memfd(c"snowglobe-store", STORE_SIZE)?;
        let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_NORESERVE);
        // SAFETY: a new mapping where the operating system likes it.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), HEAP_OFFSET as usize, prot, flags, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the control page is the mapping's beginning, and zero is a fine state of all else.
        unsafe { (*base.cast::<Control>()).magic = MAGIC };
        Ok(Arena { base: base.cast(), file, store })
    }

    /// The control page.
    pub fn control(&self) -> &Control {
        // SAFETY: mapped as long as `self`; what changes in it is atomic.
        unsafe { &*self.base.cast() }
    }

    /// Puts bytes into the blob area.
    ///
    /// # Errors
    /// When they do not fit.
    pub fn put_blob(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() as u64 > BLOB_SIZE {
            let text = format!("{} bytes do not fit into the {BLOB_SIZE} that can be handed to a world", bytes.len());
            return Err(io::Error::other(text));
        }
        // SAFETY: the blob area is mapped, and the layer does not touch it now.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(BLOB_OFFSET as usize), bytes.len()) };
        Ok(())
    }

    /// Bytes from the blob area.
    pub fn blob(&self, len: usize) -> Vec<u8> {
        let len = len.min(BLOB_SIZE as usize);
        // SAFETY: the layer has written them and does not touch them any more.
        unsafe { std::slice::from_raw_parts(self.base.add(BLOB_OFFSET as usize), len) }.to_vec()
    }

    /// Gives what is in the ring to `take`, and its room back to the runner. Returns how many bytes there were.
    pub fn drain(&self, mut take: impl FnMut(&[u8])) -> u64 {
        let c = self.control();
        let (head, tail) = (c.ring_head.load(Acquire), c.ring_tail.load(Relaxed));
        let len = head - tail;
        if len == 0 {
            return 0;
        }
        let at = tail % RING_SIZE;
        let first = len.min(RING_SIZE - at);
        // SAFETY: the runner has written these bytes and waits before it writes them again.
        unsafe {
            let ring = self.base.add(RING_OFFSET as usize).cast_const();
            take(std::slice::from_raw_parts(ring.add(at as usize), first as usize));
            if len > first {
                take(std::slice::from_raw_parts(ring, (len - first) as usize));
            }
        }
        c.ring_tail.store(head, Release);
        if c.ring_full.swap(0, Acquire) != 0 {
            c.ring_room.fetch_add(1, Release);
            futex(&c.ring_room, libc::FUTEX_WAKE, i32::MAX as u32, None);
        }
        len
    }

    /// The layer's last words.
    pub fn panic_text(&self) -> String {
        let c = self.control();
        let len = (c.panic_len.load(Acquire) as usize).min(PANIC_BYTES);
        String::from_utf8_lossy(&c.panic_text[..len]).into_owned()
    }
}

/// `futex(2)` on shared memory.
pub fn futex(word: &std::sync::atomic::AtomicU32, op: i32, value: u32, timeout: Option<std::time::Duration>) {
    let time = timeout.map(|t| libc::timespec { tv_sec: t.as_secs() as i64, tv_nsec: i64::from(t.subsec_nanos()) });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word and the time outlive the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, time) };
}
