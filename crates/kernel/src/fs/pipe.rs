//! Pipes and named pipes (`pipe(7)`).

use crate::machine::Machine;
use crate::mem::Iov;
use crate::sched::WaitQueue;
use crate::uapi::*;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use snowglobe_abi::errno::{Errno, Result};

/// Bytes that a pipe holds unless F_SETPIPE_SZ says otherwise.
pub const DEFAULT_CAPACITY: usize = 65536;
/// Writes of at most so many bytes are not mixed with others.
pub const PIPE_BUF: u64 = 4096;

/// A pipe.
pub struct Pipe {
    /// Its name among objects without an inode; 0 for a named pipe.
    pub id: u64,
    buf: RefCell<VecDeque<u8>>,
    /// Lengths of the packets in it, in O_DIRECT mode.
    packets: RefCell<VecDeque<usize>>,
    /// Bytes that it can hold.
    pub capacity: Cell<usize>,
    /// Open descriptions that can read.
    pub readers: Cell<u32>,
    /// Open descriptions that can write.
    pub writers: Cell<u32>,
    /// How often a reader or writer has opened it, for the blocking open of a named pipe.
    pub reader_opens: Cell<u64>,
    /// See `reader_opens`.
    pub writer_opens: Cell<u64>,
    /// Who waits on it.
    pub queue: WaitQueue,
}

impl Pipe {
    /// An empty pipe with no ends.
    pub fn new(id: u64) -> Rc<Pipe> {
        Rc::new(Pipe {
            id,
            buf: RefCell::new(VecDeque::new()),
            packets: RefCell::new(VecDeque::new()),
            capacity: Cell::new(DEFAULT_CAPACITY),
            readers: Cell::new(0),
            writers: Cell::new(0),
            reader_opens: Cell::new(0),
            writer_opens: Cell::new(0),
            queue: WaitQueue::default(),
        })
    }

    /// Bytes in it.
    pub fn len(&self) -> usize {
        self.buf.borrow().len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        self.capacity.get().saturating_sub(self.len())
    }

    /// Poll bits for a description with these flags.
    pub fn readiness(&self, flags: u32) -> u32 {
        let mut events = 0;
        if flags & O_ACCMODE != O_WRONLY {
            if !self.is_empty() {
                events |= POLLIN | POLLRDNORM;
            }
            if self.writers.get() == 0 && self.writer_opens.get() > 0 {
                events |= POLLHUP;
            }
        }
        if flags & O_ACCMODE != O_RDONLY {
            if self.room() >= PIPE_BUF as usize {
                events |= POLLOUT | POLLWRNORM;
            }
            if self.readers.get() == 0 {
                events |= POLLERR;
            }
        }
        events
    }

    /// Reads what is there; 0 at the end.
    ///
    /// # Errors
    /// `EAGAIN` when there is nothing yet; `EFAULT`.
    pub fn read(&self, iov: &Iov, m: &mut dyn Machine) -> Result<u64> {
        let want = iov.len();
        if want == 0 {
            return Ok(0);
        }
        let mut buf = self.buf.borrow_mut();
        if buf.is_empty() {
            return if self.writers.get() == 0 { Ok(0) } else { Err(Errno::EAGAIN) };
        }
        let mut packets = self.packets.borrow_mut();
        let packet = packets.front().copied();
        let n = (want as usize).min(packet.unwrap_or(buf.len()));
        let (a, b) = buf.as_slices();
        let first = n.min(a.len());
        iov.scatter(m, 0, &a[..first])?;
        iov.scatter(m, first as u64, &b[..n - first])?;
        let gone = packet.unwrap_or(n);
        buf.drain(..gone);
        if packet.is_some() {
            packets.pop_front();
        }
        Ok(n as u64)
    }

    /// The first bytes in it, at most `max`, for the kernel's own use.
    pub fn peek(&self, max: usize) -> Vec<u8> {
        let buf = self.buf.borrow();
        let n = buf.len().min(max);
        let (a, b) = buf.as_slices();
        let first = n.min(a.len());
        let mut out = Vec::with_capacity(n);
        out.extend_from_slice(&a[..first]);
        out.extend_from_slice(&b[..n - first]);
        out
    }

    /// Drops the first `n` bytes, which have gone elsewhere. Of a packet that went in part, the rest is a packet.
    pub fn consume(&self, mut n: usize) {
        self.buf.borrow_mut().drain(..n);
        let mut packets = self.packets.borrow_mut();
        while n > 0 {
            let Some(packet) = packets.front_mut() else { return };
            let part = n.min(*packet);
            *packet -= part;
            n -= part;
            if *packet == 0 {
                packets.pop_front();
            }
        }
    }

    /// Puts bytes of the kernel's own in, as many as fit.
    pub fn put(&self, data: &[u8]) -> usize {
        let n = data.len().min(self.room());
        self.buf.borrow_mut().extend(&data[..n]);
        n
    }

    /// Writes from byte `done` of the range on, as much as fits; a write of at most PIPE_BUF bytes all or nothing.
    ///
    /// # Errors
    /// `EPIPE` without readers; `EAGAIN` when nothing fits; `EFAULT`.
    pub fn write(&self, iov: &Iov, done: u64, packets: bool, m: &mut dyn Machine) -> Result<u64> {
        if self.readers.get() == 0 {
            return Err(Errno::EPIPE);
        }
        let total = iov.len();
        let left = total - done;
        if left == 0 {
            return Ok(0);
        }
        let room = self.room() as u64;
        if room == 0 || (total <= PIPE_BUF && left > room) || (packets && left.min(PIPE_BUF) > room) {
            return Err(Errno::EAGAIN);
        }
        let n = if packets { left.min(PIPE_BUF) } else { left.min(room) };
        let mut buf = self.buf.borrow_mut();
        let before = buf.len();
        let mut chunk = [0u8; 4096];
        let mut at = 0;
        while at < n {
            let part = &mut chunk[..(n - at).min(4096) as usize];
            if let Err(fault) = iov.gather(m, done + at, part) {
                if at == 0 {
                    return Err(fault);
                }
                break;
            }
            buf.extend(&*part);
            at += part.len() as u64;
        }
        if packets {
            self.packets.borrow_mut().push_back(buf.len() - before);
        }
        Ok(at)
    }
}
