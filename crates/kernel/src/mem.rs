//! Guest memory in the shapes that calls use.

use crate::io::MAX_RW;
use crate::machine::Machine;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::{GUEST_MAX, PAGE};

/// Longest path, with its NUL (`PATH_MAX`).
pub const PATH_MAX: usize = 4096;

/// Writes zeros.
///
/// # Errors
/// `EFAULT`.
pub fn zero(m: &mut dyn Machine, addr: u64, len: u64) -> Result<()> {
    let zeros = [0u8; 4096];
    let mut done = 0;
    while done < len {
        let n = (len - done).min(4096);
        m.write(addr + done, &zeros[..n as usize])?;
        done += n;
    }
    Ok(())
}

/// Reads a NUL-terminated string of at most `max` bytes, its NUL counted.
///
/// # Errors
/// `EFAULT`, or `too_long` when no NUL comes within `max` bytes.
pub fn c_string(m: &mut dyn Machine, addr: u64, max: usize, too_long: Errno) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut buf = [0u8; 256];
    let mut at = addr;
    while out.len() < max {
        // Never cross a page in one read: the string may end just before an unmapped one.
        let room = (PAGE - at % PAGE).min(256) as usize;
        let room = room.min(max - out.len());
        m.read(at, &mut buf[..room])?;
        if let Some(n) = buf[..room].iter().position(|b| *b == 0) {
            out.extend_from_slice(&buf[..n]);
            return Ok(out);
        }
        out.extend_from_slice(&buf[..room]);
        at += room as u64;
    }
    Err(too_long)
}

/// Reads a path.
///
/// # Errors
/// `EFAULT`, `ENAMETOOLONG`.
pub fn path(m: &mut dyn Machine, addr: u64) -> Result<Vec<u8>> {
    c_string(m, addr, PATH_MAX, Errno::ENAMETOOLONG)
}

/// Reads `len` bytes.
///
/// # Errors
/// `EFAULT`.
pub fn bytes(m: &mut dyn Machine, addr: u64, len: usize) -> Result<Vec<u8>> {
    let mut out = alloc::vec![0; len];
    m.read(addr, &mut out)?;
    Ok(out)
}

/// Reads a fixed number of bytes.
///
/// # Errors
/// `EFAULT`.
pub fn array<const N: usize>(m: &mut dyn Machine, addr: u64) -> Result<[u8; N]> {
    let mut out = [0; N];
    m.read(addr, &mut out)?;
    Ok(out)
}

/// Reads a 32-bit word.
///
/// # Errors
/// `EFAULT`.
pub fn u32(m: &mut dyn Machine, addr: u64) -> Result<u32> {
    Ok(u32::from_le_bytes(array(m, addr)?))
}

/// Reads a 64-bit word.
///
/// # Errors
/// `EFAULT`.
pub fn u64(m: &mut dyn Machine, addr: u64) -> Result<u64> {
    Ok(u64::from_le_bytes(array(m, addr)?))
}

/// Reads an array of 64-bit words.
///
/// # Errors
/// `EFAULT`.
pub fn words(m: &mut dyn Machine, addr: u64, count: usize) -> Result<Vec<u64>> {
    let raw = bytes(m, addr, count * 8)?;
    Ok(raw.chunks_exact(8).map(|c| u64::from_le_bytes(c.try_into().unwrap_or_default())).collect())
}

/// A field of a structure read before.
pub fn field32(buf: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(buf[at..at + 4].try_into().unwrap_or_default())
}

/// A field of a structure read before.
pub fn field64(buf: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(buf[at..at + 8].try_into().unwrap_or_default())
}

/// Builds a structure as C lays it out.
#[derive(Default)]
pub struct Struct(pub Vec<u8>);

impl Struct {
    /// Empty.
    pub fn new() -> Struct {
        Struct(Vec::with_capacity(144))
    }
    /// Adds 16 bits.
    pub fn u16(mut self, v: u16) -> Struct {
        self.0.extend_from_slice(&v.to_le_bytes());
        self
    }
    /// Adds 32 bits.
    pub fn u32(mut self, v: u32) -> Struct {
        self.0.extend_from_slice(&v.to_le_bytes());
        self
    }
    /// Adds 64 bits.
    pub fn u64(mut self, v: u64) -> Struct {
        self.0.extend_from_slice(&v.to_le_bytes());
        self
    }
    /// Adds bytes.
    pub fn bytes(mut self, v: &[u8]) -> Struct {
        self.0.extend_from_slice(v);
        self
    }
    /// Adds zeros up to a length.
    pub fn pad(mut self, len: usize) -> Struct {
        self.0.resize(len.max(self.0.len()), 0);
        self
    }
    /// Copies it to the guest.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn put(self, m: &mut dyn Machine, addr: u64) -> Result<()> {
        m.write(addr, &self.0)
    }
}

/// Whether a range lies within what addresses programs have, mapped or not.
fn in_reach(addr: u64, len: u64) -> Result<()> {
    let end = addr.checked_add(len).ok_or(Errno::EFAULT)?;
    if end > GUEST_MAX { Err(Errno::EFAULT) } else { Ok(()) }
}

/// A range of guest memory in pieces (`struct iovec`).
#[derive(Clone, Debug, Default)]
pub struct Iov {
    /// Address and length of the first piece: most calls have one, which then needs no heap.
    first: (u64, u64),
    rest: Vec<(u64, u64)>,
}

impl Iov {
    /// One piece.
    pub fn one(addr: u64, len: u64) -> Iov {
        Iov { first: (addr, len.min(MAX_RW)), rest: Vec::new() }
    }

    /// One piece that a program has named.
    ///
    /// # Errors
    /// `EFAULT` when it leaves what addresses programs have.
    pub fn named(addr: u64, len: u64) -> Result<Iov> {
        in_reach(addr, len)?;
        Ok(Iov::one(addr, len))
    }

    /// Reads an array of `struct iovec`. What is more than a call moves is cut off.
    ///
    /// # Errors
    /// `EFAULT`; `EINVAL` for more than 1024 pieces or a negative length.
    pub fn read(m: &mut dyn Machine, addr: u64, count: u64) -> Result<Iov> {
        if count > 1024 {
            return Err(Errno::EINVAL);
        }
        let raw = bytes(m, addr, count as usize * 16)?;
        let named = raw.chunks_exact(16).map(|c| (field64(c, 0), field64(c, 8)));
        if named.clone().any(|(_, len)| len > i64::MAX as u64) {
            return Err(Errno::EINVAL);
        }
        let mut room = MAX_RW;
        let mut parts = Vec::with_capacity(count as usize);
        for (addr, len) in named {
            in_reach(addr, len)?;
            parts.push((addr, len.min(room)));
            room -= len.min(room);
        }
        let mut parts = parts.into_iter();
        Ok(Iov { first: parts.next().unwrap_or_default(), rest: parts.collect() })
    }

    /// Sum of the pieces' lengths.
    pub fn len(&self) -> u64 {
        self.parts().map(|p| p.1).sum()
    }

    /// Address and length of each piece.
    pub fn parts(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        core::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// Whether there is no room in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address ranges from `skip` on, at most `max` bytes.
    pub fn ranges(&self, skip: u64, max: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut skip = skip;
        let mut max = max;
        self.parts().filter_map(move |(addr, len)| {
            let cut = skip.min(len);
            skip -= cut;
            let n = (len - cut).min(max);
            max -= n;
            (n > 0).then_some((addr + cut, n))
        })
    }

    /// Copies from the guest into `buf`, from byte `skip` of the range.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn gather(&self, m: &mut dyn Machine, skip: u64, buf: &mut [u8]) -> Result<()> {
        let mut at = 0;
        for (addr, n) in self.ranges(skip, buf.len() as u64) {
            m.read(addr, &mut buf[at..at + n as usize])?;
            at += n as usize;
        }
        Ok(())
    }

    /// Copies `data` to the guest, from byte `skip` of the range.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn scatter(&self, m: &mut dyn Machine, skip: u64, data: &[u8]) -> Result<()> {
        let mut at = 0;
        for (addr, n) in self.ranges(skip, data.len() as u64) {
            m.write(addr, &data[at..at + n as usize])?;
            at += n as usize;
        }
        Ok(())
    }
}

/// Bytes as text, where something must be shown.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
