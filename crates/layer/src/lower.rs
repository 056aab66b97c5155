//! Files of the machine, read-only: a table of open ones, the least recently used of which are closed when they are many.

use crate::sys::{nr, sys};
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_kernel::machine::{LowerFile, LowerStat};

/// How many are kept open: well below the usual limit of descriptors.
const KEEP_OPEN: usize = 512;

const O_RDONLY: u64 = 0;
const O_NOCTTY: u64 = 0o400;
const O_NONBLOCK: u64 = 0o4000;
const O_DIRECTORY: u64 = 0o200_000;
const O_CLOEXEC: u64 = 0o2_000_000;
const AT_FDCWD: i64 = -100;
const AT_SYMLINK_NOFOLLOW: u64 = 0x100;

struct Handle {
    path: String,
    fd: i32,
    /// When it was used last, by the count of uses.
    used: u64,
}

/// See the module.
#[derive(Default)]
pub struct Lower {
    handles: Vec<Option<Handle>>,
    free: Vec<usize>,
    open: usize,
    clock: u64,
}

fn errno(ret: i64) -> Result<i64> {
    if ret < 0 { Err(Errno((-ret) as u16)) } else { Ok(ret) }
}

/// A path with its NUL.
fn c_path(path: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 1);
    out.extend_from_slice(path.as_bytes());
    out.push(0);
    out
}

fn open(path: &str, flags: u64) -> Result<i32> {
    let path = c_path(path);
    // SAFETY: the path ends in NUL and outlives the call.
    errno(sys!(OPENAT, AT_FDCWD, path.as_ptr(), flags | O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
        .map(|fd| fd as i32)
}

fn close(fd: i32) {
    // SAFETY: the descriptor is the table's own.
    let _ = sys!(CLOSE, fd);
}

impl Lower {
    /// `lstat`.
    pub fn stat(path: &str) -> Result<LowerStat> {
        let path = c_path(path);
        let mut buf = [0u64; 18];
        // SAFETY: the buffer holds a struct stat of 144 bytes.
        errno(sys!(NEWFSTATAT, AT_FDCWD, path.as_ptr(), buf.as_mut_ptr(), AT_SYMLINK_NOFOLLOW))?;
        Ok(LowerStat {
            mode: buf[3] as u32,
            uid: (buf[3] >> 32) as u32,
            gid: buf[4] as u32,
            rdev: buf[5],
            size: buf[6],
            mtime: buf[11].wrapping_mul(1_000_000_000).wrapping_add(buf[12]),
        })
    }

    /// Names in a directory.
    pub fn list(path: &str) -> Result<Vec<Vec<u8>>> {
        let fd = open(path, O_DIRECTORY)?;
        let mut out = Vec::new();
        let mut buf = alloc::vec![0u8; 32768];
        loop {
            // SAFETY: the buffer is as long as said.
            let n = match errno(sys!(GETDENTS64, fd, buf.as_mut_ptr(), buf.len())) {
                Ok(0) => break,
                Ok(n) => n as usize,
                Err(e) => {
                    close(fd);
                    return Err(e);
                }
            };
            let mut at = 0;
            while at < n {
                let len = u16::from_le_bytes([buf[at + 16], buf[at + 17]]) as usize;
                let name = &buf[at + 19..at + len];
                let name = &name[..name.iter().position(|b| *b == 0).unwrap_or(name.len())];
                if name != b"." && name != b".." {
                    out.push(name.to_vec());
                }
                at += len;
            }
        }
        close(fd);
        Ok(out)
    }

    /// `readlink`.
    pub fn link(path: &str) -> Result<Vec<u8>> {
        let path = c_path(path);
        let mut buf = alloc::vec![0u8; 4096];
        // SAFETY: the buffer is as long as said.
        let n = errno(sys!(READLINK, path.as_ptr(), buf.as_mut_ptr(), buf.len()))?;
        buf.truncate(n as usize);
        Ok(buf)
    }

    /// Opens a file for the table.
    pub fn open(&mut self, path: &str) -> Result<LowerFile> {
        self.make_room();
        let fd = open(path, 0)?;
        self.open += 1;
        self.clock += 1;
        let handle = Handle { path: path.into(), fd, used: self.clock };
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.handles.push(None);
                self.handles.len() - 1
            }
        };
        self.handles[index] = Some(handle);
        Ok(LowerFile(index as i32))
    }

    /// Forgets a file.
    pub fn close(&mut self, file: LowerFile) {
        if let Some(handle) = self.handles[file.0 as usize].take() {
            if handle.fd >= 0 {
                close(handle.fd);
                self.open -= 1;
            }
            self.free.push(file.0 as usize);
        }
    }

    fn make_room(&mut self) {
        if self.open < KEEP_OPEN {
            return;
        }
        // Half of them go at once, so that the search is rare.
        let mut ages: Vec<u64> = self.handles.iter().flatten().filter(|h| h.fd >= 0).map(|h| h.used).collect();
        ages.sort_unstable();
        let limit = ages[ages.len() / 2];
        for handle in self.handles.iter_mut().flatten() {
            if handle.fd >= 0 && handle.used <= limit {
                close(handle.fd);
                handle.fd = -1;
                self.open -= 1;
            }
        }
    }

    /// The path by which a file was opened.
    pub fn path(&self, file: LowerFile) -> Result<String> {
        Ok(self.handles[file.0 as usize].as_ref().ok_or(Errno::EBADF)?.path.clone())
    }

    /// The descriptor of a file, which is opened again if it was closed.
    pub fn fd(&mut self, file: LowerFile) -> Result<i32> {
        self.clock += 1;
        let clock = self.clock;
        let handle = self.handles[file.0 as usize].as_mut().ok_or(Errno::EBADF)?;
        handle.used = clock;
        if handle.fd >= 0 {
            return Ok(handle.fd);
        }
        self.make_room();
        let handle = self.handles[file.0 as usize].as_mut().ok_or(Errno::EBADF)?;
        handle.fd = open(&handle.path, 0)?;
        self.open += 1;
        Ok(handle.fd)
    }

    /// `pread` until the range is full or the file ends.
    pub fn read(&mut self, file: LowerFile, offset: u64, addr: u64, len: u64) -> Result<u64> {
        let fd = self.fd(file)?;
        let mut done = 0;
        while done < len {
            // SAFETY: the caller answers for the range; a bad one gives EFAULT.
            let ret =
                unsafe { crate::sys::call(nr::PREAD64, [fd as u64, addr + done, len - done, offset + done, 0, 0]) };
            match errno(ret) {
                Ok(0) => break,
                Ok(n) => done += n as u64,
                Err(Errno::EINTR) => {}
                Err(e) if done == 0 => return Err(e),
                Err(_) => break,
            }
        }
        Ok(done)
    }
}
