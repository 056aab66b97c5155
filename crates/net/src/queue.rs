//! The queues of an entry (FIG. 48, 4824 and 4828): bytes in shared chunks, or datagrams.
//!
//! A chunk is a piece of a pooled, counted buffer. A stream's bytes are copied twice in all: from the sender's memory
//! into a chunk, and from the chunk into the receiver's memory. What lies between (the send queue, a segment in
//! flight, the receive queue) shares the chunk. An empty queue holds no buffer.

use crate::addr::{Addr, Endpoint};
use crate::call::{Ancillary, Cred, SocketId};
use crate::io::{Sink, Source};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::net::IpAddr;
use snowglobe_abi::Errno;

/// Buffer sizes that the pool keeps, and how many of each it keeps at most.
const CLASSES: [(usize, usize); 3] = [(256, 4096), (4096, 512), (65536, 128)];

/// Payloads up to this length are copied together instead of shared, so that small messages do not pin large buffers.
const SMALL: usize = 256;

/// The smallest size that has room for `want` bytes.
#[inline]
fn class_of(want: usize) -> Option<usize> {
    match want {
        _ if want <= CLASSES[0].0 => Some(0),
        _ if want <= CLASSES[1].0 => Some(1),
        _ if want <= CLASSES[2].0 => Some(2),
        _ => None,
    }
}

/// A piece of a counted buffer.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    buf: Rc<[u8]>,
    start: u32,
    end: u32,
}

impl Chunk {
    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buf[self.start as usize..self.end as usize]
    }

    /// The room behind the bytes, if nobody else holds the buffer.
    #[inline]
    fn room(&mut self) -> Option<&mut [u8]> {
        let end = self.end as usize;
        if end == self.buf.len() {
            return None;
        }
        Rc::get_mut(&mut self.buf).map(|buf| &mut buf[end..])
    }

    /// The part of it from `from`, at most `max` bytes.
    pub(crate) fn slice(&self, from: usize, max: usize) -> Chunk {
        let start = self.start + from as u32;
        Chunk { buf: self.buf.clone(), start, end: self.end.min(start + max as u32) }
    }
}

/// Buffers to be used again.
#[derive(Default, Debug)]
pub(crate) struct Pool {
    free: [Vec<Rc<[u8]>>; CLASSES.len()],
}

impl Pool {
    /// An empty chunk with room for `want` bytes.
    #[inline]
    pub(crate) fn take(&mut self, want: usize) -> Chunk {
        let class = class_of(want);
        let kept = class.and_then(|class| self.free[class].pop());
        let buf = kept.unwrap_or_else(|| {
            let size = class.map_or(want, |class| CLASSES[class].0);
            alloc::vec![0u8; size].into()
        });
        Chunk { buf, start: 0, end: 0 }
    }

    /// Takes a chunk back; its buffer is kept when this was its last holder.
    #[inline]
    pub(crate) fn give(&mut self, mut chunk: Chunk) {
        let size = chunk.buf.len();
        let Some(class) = class_of(size).filter(|&class| CLASSES[class].0 == size) else { return };
        if self.free[class].len() < CLASSES[class].1 && Rc::get_mut(&mut chunk.buf).is_some() {
            self.free[class].push(chunk.buf);
        }
    }

    /// A chunk filled from `source`.
    pub(crate) fn fill(&mut self, source: &mut dyn Source, len: usize) -> Result<Chunk, Errno> {
        let mut chunk = self.take(len);
        if len > 0
            && let Some(room) = chunk.room()
        {
            if let Err(e) = source.read_into(&mut room[..len]) {
                self.give(chunk);
                return Err(e);
            }
            chunk.end = len as u32;
        }
        Ok(chunk)
    }

    /// A chunk with a copy of `bytes`.
    #[inline]
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Chunk {
        let mut chunk = self.take(bytes.len());
        if let Some(room) = chunk.room() {
            room[..bytes.len()].copy_from_slice(bytes);
            chunk.end = bytes.len() as u32;
        }
        chunk
    }
}

/// Bytes in order.
#[derive(Default, Debug)]
pub(crate) struct ByteQueue {
    chunks: VecDeque<Chunk>,
    len: usize,
}

impl ByteQueue {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends `len` bytes of `source`; returns how many came before it failed, if it did.
    #[inline]
    pub(crate) fn push_from(&mut self, pool: &mut Pool, source: &mut dyn Source, len: usize) -> (usize, Option<Errno>) {
        let mut left = len;
        while left > 0 {
            if self.chunks.back_mut().is_none_or(|tail| tail.room().is_none()) {
                let want = if self.len >= 16384 { 65536 } else { left.clamp(4096, 65536) };
                self.chunks.push_back(pool.take(want));
            }
            let Some(tail) = self.chunks.back_mut() else { break };
            let Some(room) = tail.room() else { break };
            let n = room.len().min(left);
            if let Err(e) = source.read_into(&mut room[..n]) {
                if tail.len() == 0
                    && let Some(tail) = self.chunks.pop_back()
                {
                    pool.give(tail);
                }
                return (len - left, Some(e));
            }
            tail.end += n as u32;
            self.len += n;
            left -= n;
        }
        (len - left, None)
    }

    /// Appends a chunk: by reference, or copied behind the last where it is small.
    pub(crate) fn push_chunk(&mut self, pool: &mut Pool, chunk: Chunk) {
        let n = chunk.len();
        if n == 0 {
            return pool.give(chunk);
        }
        if n <= SMALL {
            let (took, _) = self.push_from(pool, &mut chunk.bytes(), n);
            debug_assert!(took == n);
            return pool.give(chunk);
        }
        self.len += n;
        self.chunks.push_back(chunk);
    }

    /// Gives `len` bytes from `offset` to `sink`; returns how many it took before it failed, if it did.
    #[inline]
    pub(crate) fn copy_out(&self, mut offset: usize, len: usize, sink: &mut dyn Sink) -> (usize, Option<Errno>) {
        let mut left = len;
        for chunk in &self.chunks {
            if left == 0 {
                break;
            }
            let bytes = chunk.bytes();
            if offset >= bytes.len() {
                offset -= bytes.len();
                continue;
            }
            let bytes = &bytes[offset..];
            let bytes = &bytes[..bytes.len().min(left)];
            offset = 0;
            if let Err(e) = sink.write_from(bytes) {
                return (len - left, Some(e));
            }
            left -= bytes.len();
        }
        (len - left, None)
    }

    /// Drops the first `n` bytes.
    #[inline]
    pub(crate) fn consume(&mut self, pool: &mut Pool, mut n: usize) {
        self.len -= n;
        while n > 0 {
            let Some(head) = self.chunks.front_mut() else { return };
            let took = n.min(head.len());
            head.start += took as u32;
            n -= took;
            if head.len() == 0
                && let Some(head) = self.chunks.pop_front()
            {
                pool.give(head);
            }
        }
    }

    /// At most `max` bytes from `offset`, as far as one chunk holds them.
    pub(crate) fn share(&self, pool: &mut Pool, offset: usize, max: usize) -> Chunk {
        // What has not been sent lies at the end: look from there.
        let mut begin = self.len;
        for chunk in self.chunks.iter().rev() {
            begin -= chunk.len();
            if begin <= offset {
                let part = chunk.slice(offset - begin, max);
                return if part.len() <= SMALL { pool.copy(part.bytes()) } else { part };
            }
        }
        pool.take(0)
    }

    /// Exactly `len` bytes from `offset`: shared where one chunk holds them, else copied together.
    pub(crate) fn gather(&self, pool: &mut Pool, offset: usize, len: usize) -> Chunk {
        let part = self.share(pool, offset, len);
        if part.len() == len {
            return part;
        }
        pool.give(part);
        let mut whole = pool.take(len);
        if let Some(room) = whole.room() {
            let mut rest = &mut room[..len];
            let (copied, _) = self.copy_out(offset, len, &mut rest);
            whole.end = copied as u32;
        }
        whole
    }

    /// Moves the first `n` bytes behind those of `to`.
    pub(crate) fn move_to(&mut self, to: &mut ByteQueue, pool: &mut Pool, mut n: usize) {
        while n > 0 {
            let Some(head) = self.chunks.front() else { return };
            let part = head.slice(0, n);
            let took = part.len();
            if took == head.len() {
                // The head goes whole: let go of it first, so that the mover is its only holder.
                drop(part);
                let Some(head) = self.chunks.pop_front() else { return };
                self.len -= took;
                to.push_chunk(pool, head);
            } else {
                to.push_chunk(pool, part);
                self.consume(pool, took);
            }
            n -= took;
        }
    }

    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        self.len = 0;
        while let Some(chunk) = self.chunks.pop_front() {
            pool.give(chunk);
        }
    }
}

/// What travels with bytes of an AF_UNIX stream: a receive does not read past the end of one.
#[derive(Debug)]
pub(crate) struct Mark<R> {
    /// Place of its first byte in the stream.
    pub(crate) start: u64,
    /// Place after its last byte.
    pub(crate) end: u64,
    /// Descriptors on their way.
    pub(crate) rights: Vec<R>,
    /// Who sent it, where either end asked for that.
    pub(crate) cred: Option<Cred>,
}

/// A sender that no socket is.
pub(crate) const NOBODY: (SocketId, u64) = (SocketId(u32::MAX), 0);

/// One message.
#[derive(Debug)]
pub(crate) struct Datagram<R> {
    pub(crate) from: Addr,
    /// The address to which it was sent.
    pub(crate) to: IpAddr,
    /// Index of the interface by which it came.
    pub(crate) interface: u32,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    pub(crate) payload: Chunk,
    /// What it counts against the buffer sizes.
    pub(crate) truesize: u32,
    pub(crate) ancillary: Option<Box<Ancillary<R>>>,
    /// When it came.
    pub(crate) at: u64,
    /// The port to which it was sent.
    pub(crate) to_port: u16,
    /// Messages that found the queue full before it.
    pub(crate) drops: u32,
    /// The socket that sent it, by its place and its unique ID, for AF_UNIX write space.
    pub(crate) sender: (SocketId, u64),
}

impl<R> Datagram<R> {
    /// A message without anything on the side.
    pub(crate) fn plain(from: Endpoint, to: IpAddr, payload: Chunk, at: u64) -> Datagram<R> {
        let truesize = truesize(payload.len());
        let from = Addr::Ip(from);
        let (to_port, drops) = (0, 0);
        Datagram {
            from,
            to,
            to_port,
            interface: 0,
            ttl: 64,
            tos: 0,
            payload,
            truesize,
            ancillary: None,
            at,
            sender: NOBODY,
            drops,
        }
    }
}

/// `sizeof(struct sk_buff)` and `sizeof(struct skb_shared_info)`, rounded to cache lines.
const BOOKKEEPING: usize = 256;
const SHARED_INFO: usize = 320;
/// Bytes of an AF_UNIX buffer that are not in pages.
const UNIX_HEAD: usize = 3776;
/// Bytes of one buffer of an AF_UNIX stream at most.
pub(crate) const UNIX_BUFFER: usize = UNIX_HEAD + 32768;

/// What Linux counts for a datagram of `len` bytes against a socket's buffer: headers and data come from the slab of
/// small heads, or from one of a power of two.
pub(crate) fn truesize(len: usize) -> u32 {
    const HEADERS: usize = 59;
    const SMALL_HEAD: usize = 576;
    let data = len + HEADERS + SHARED_INFO;
    (BOOKKEEPING + if data <= SMALL_HEAD { SMALL_HEAD } else { data.next_power_of_two() }) as u32
}

/// The same for an AF_UNIX message or buffer: no headers, and pages for what is long.
pub(crate) fn unix_truesize(len: usize) -> u32 {
    let head = (len.min(UNIX_HEAD) + SHARED_INFO).next_power_of_two();
    let pages = len.saturating_sub(UNIX_HEAD).next_multiple_of(4096);
    (BOOKKEEPING + head.max(512) + pages) as u32
}

/// A queue of an entry: streams use the bytes, the others the datagrams.
#[derive(Debug)]
pub struct Queue<R> {
    pub(crate) bytes: ByteQueue,
    pub(crate) marks: VecDeque<Mark<R>>,
    /// Place in the stream of the first byte held.
    pub(crate) head: u64,
    pub(crate) datagrams: VecDeque<Datagram<R>>,
    /// Bytes in all datagrams together.
    total: usize,
    /// Sum of the datagrams' `truesize`, in a send queue of those that the interface still has; of an AF_UNIX stream's
    /// buffers, those read in part counted in part.
    pub(crate) held: usize,
}

impl<R> Default for Queue<R> {
    fn default() -> Self {
        Queue {
            bytes: ByteQueue::default(),
            marks: VecDeque::new(),
            head: 0,
            datagrams: VecDeque::new(),
            total: 0,
            held: 0,
        }
    }
}

impl<R> Queue<R> {
    /// Bytes held, in a stream or in all messages together.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() + self.total
    }

    /// Messages held.
    #[inline]
    pub fn messages(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether nothing is held.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 0 && self.held == 0 && self.datagrams.is_empty()
    }

    /// What the messages held count against the buffer size, in bytes.
    pub fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn push_datagram(&mut self, datagram: Datagram<R>) {
        self.held += datagram.truesize as usize;
        self.total += datagram.payload.len();
        self.datagrams.push_back(datagram);
    }

    pub(crate) fn pop_datagram(&mut self) -> Option<Datagram<R>> {
        let datagram = self.datagrams.pop_front()?;
        self.held -= datagram.truesize as usize;
        self.total -= datagram.payload.len();
        Some(datagram)
    }

    #[inline]
    pub(crate) fn consume(&mut self, pool: &mut Pool, n: usize) {
        if self.held != 0 {
            self.held = if n == self.bytes.len() { 0 } else { self.held - self.held * n / self.bytes.len() };
        }
        self.bytes.consume(pool, n);
        self.head += n as u64;
    }

    /// Empties it; descriptors that were on their way go to `discarded`.
    pub(crate) fn clear(&mut self, pool: &mut Pool, discarded: &mut Vec<R>) {
        self.bytes.clear(pool);
        for mark in self.marks.drain(..) {
            discarded.extend(mark.rights);
        }
        (self.held, self.total) = (0, 0);
        for datagram in self.datagrams.drain(..) {
            if let Some(ancillary) = datagram.ancillary {
                discarded.extend(ancillary.rights);
            }
            pool.give(datagram.payload);
        }
    }
}
