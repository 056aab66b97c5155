//! ELF headers, read with suspicion (`elf(5)`).

use crate::mem::{field32, field64};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

/// Most program headers read: Linux takes what fits in 64 KiB, and in truth nobody has more than a few dozen.
const MAX_HEADERS: usize = 1024;
/// Bytes of one program header.
pub const PHENT: usize = 56;
/// Bytes of the file header.
pub const EHDR: usize = 64;

/// A LOAD segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address in the image.
    pub vaddr: u64,
    /// Bytes in memory.
    pub memsz: u64,
    /// Offset in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub filesz: u64,
    /// PROT_ bits.
    pub prot: u32,
}

/// What of a file is needed to run it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    /// Whether it may be loaded anywhere (ET_DYN).
    pub pie: bool,
    /// Entry point, as an address in the image.
    pub entry: u64,
    /// LOAD segments in file order.
    pub segments: Vec<Segment>,
    /// Offset and length of the interpreter's path.
    pub interp: Option<(u64, u64)>,
    /// Address of the program headers in the image.
    pub phdr: u64,
    /// How many there are.
    pub phnum: u64,
}

/// Where the program headers are in the file: offset and bytes.
///
/// # Errors
/// `ENOEXEC` for what is not an x86-64 program.
pub fn headers(head: &[u8]) -> Result<(u64, usize)> {
    if head.len() < EHDR || &head[..4] != b"\x7fELF" {
        return Err(Errno::ENOEXEC);
    }
    let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let (class, data) = (head[4], head[5]);
    let (kind, machine) = (half(16), half(18));
    if class != 2 || data != 1 || machine != 62 || !(kind == 2 || kind == 3) {
        return Err(Errno::ENOEXEC);
    }
    let (phoff, phentsize, phnum) = (field64(head, 32), half(54) as usize, half(56) as usize);
    if phentsize != PHENT || phnum == 0 || phnum > MAX_HEADERS {
        return Err(Errno::ENOEXEC);
    }
    Ok((phoff, phnum * PHENT))
}

/// Reads the program headers.
///
/// # Errors
/// `ENOEXEC` for what cannot be loaded.
pub fn parse(head: &[u8], table: &[u8]) -> Result<Elf> {
    let (phoff, _) = headers(head)?;
    let mut elf = Elf {
        pie: head[16] == 3,
        entry: field64(head, 24),
        segments: Vec::new(),
        interp: None,
        phdr: 0,
        phnum: (table.len() / PHENT) as u64,
    };
    for ph in table.chunks_exact(PHENT) {
        let (offset, vaddr) = (field64(ph, 8), field64(ph, 16));
        let (filesz, memsz) = (field64(ph, 32), field64(ph, 40));
        match field32(ph, 0) {
            1 => elf.segments.extend(segment(field32(ph, 4), offset, vaddr, filesz, memsz)?),
            3 if elf.interp.is_none() => {
                if !(2..=4096).contains(&filesz) {
                    return Err(Errno::ENOEXEC);
                }
                elf.interp = Some((offset, filesz));
            }
            6 => elf.phdr = vaddr,
            _ => {}
        }
    }
    if elf.segments.is_empty() {
        return Err(Errno::ENOEXEC);
    }
    if elf.phdr == 0 {
        let holds = |s: &&Segment| s.offset <= phoff && phoff < s.offset + s.filesz;
        elf.phdr = elf.segments.iter().find(holds).map_or(0, |s| phoff - s.offset + s.vaddr);
    }
    Ok(elf)
}

fn segment(flags: u32, offset: u64, vaddr: u64, filesz: u64, memsz: u64) -> Result<Option<Segment>> {
    if memsz == 0 {
        return Ok(None);
    }
    let fits = |a: u64, b: u64| a.checked_add(b).is_some_and(|e| e < 1 << 47);
    if filesz > memsz || !fits(vaddr, memsz) || !fits(offset, filesz) || vaddr % PAGE != offset % PAGE {
        return Err(Errno::ENOEXEC);
    }
    let prot = (flags & 4) >> 2 | flags & 2 | (flags & 1) << 2;
    Ok(Some(Segment { vaddr, memsz, offset, filesz, prot }))
}

impl Elf {
    /// First and last page-aligned address of the image.
    pub fn span(&self) -> (u64, u64) {
        let low = self.segments.iter().map(|s| s.vaddr & !(PAGE - 1)).min().unwrap_or(0);
        let high = self.segments.iter().map(|s| crate::mm::page_up(s.vaddr + s.memsz)).max().unwrap_or(0);
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_elf_is_not_executable() {
        assert_eq!(headers(b"#!/bin/sh"), Err(Errno::ENOEXEC));
        assert_eq!(headers(&[0; 64]), Err(Errno::ENOEXEC));
    }

    #[test]
    fn a_segment_that_wraps_is_refused() {
        assert_eq!(segment(5, 0, u64::MAX - 4095, 10, 8192), Err(Errno::ENOEXEC));
        assert_eq!(segment(5, 0, 0x1000, 20, 10), Err(Errno::ENOEXEC));
        assert_eq!(segment(5, 8, 0x1000, 5, 10), Err(Errno::ENOEXEC));
    }
}
