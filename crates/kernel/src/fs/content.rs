//! The bytes of a regular file.

use super::disk::kept::Kept;
use super::store::Store;
use crate::machine::{LowerFile, Machine};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::map::PAGE;

/// Largest file in bytes, as ext4 with 4 KiB blocks has it.
pub const MAX_SIZE: u64 = 16 << 40;

/// Where the bytes are.
pub struct Content {
    /// Length in bytes.
    pub size: u64,
    /// Bytes that come from the machine, as long as nothing was written.
    lower: Option<Lower>,
    /// File page to (store page, count), not overlapping.
    extents: BTreeMap<u64, (u64, u64)>,
    pub(in crate::fs) store: Store,
    /// What the disk has of pages that were changed; only for a file of a disk that is watched.
    pub kept: Option<Kept>,
}

struct Lower {
    path: String,
    file: Option<LowerFile>,
}

/// A piece of a file's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Offset in the file, bytes.
    pub at: u64,
    /// Length, bytes.
    pub len: u64,
    /// Offset in the store, or `None` for a hole.
    pub store: Option<u64>,
}

impl Drop for Content {
    fn drop(&mut self) {
        self.drop_extents(0);
    }
}

impl Content {
    /// An empty file.
    pub fn empty(store: &Store) -> Content {
        Content { size: 0, lower: None, extents: BTreeMap::new(), store: store.clone(), kept: None }
    }

    /// A file of the machine.
    pub fn lower(store: &Store, path: String, size: u64) -> Content {
        Content {
            size,
            lower: Some(Lower { path, file: None }),
            extents: BTreeMap::new(),
            store: store.clone(),
            kept: None,
        }
    }

    /// The path on the machine from which it comes, as long as nothing was written.
    pub fn lower_path(&self) -> Option<&str> {
        self.lower.as_ref().map(|l| l.path.as_str())
    }

    /// The open file of the machine behind it, if it is still one of the machine's.
    ///
    /// # Errors
    /// What opening it gives.
    pub fn lower_file(&mut self, m: &mut dyn Machine) -> Result<Option<LowerFile>> {
        let Some(lower) = &mut self.lower else { return Ok(None) };
        if lower.file.is_none() {
            lower.file = Some(m.lower_open(&lower.path)?);
        }
        Ok(lower.file)
    }

    /// Makes the bytes the world's own.
    ///
    /// # Errors
    /// `ENOSPC`, or what the machine says.
    pub fn copy_up(&mut self, m: &mut dyn Machine) -> Result<()> {
        let Some(file) = self.lower_file(m)? else { return Ok(()) };
        let pages = self.size.div_ceil(PAGE);
        if pages > 0 {
            let start = self.store.take(pages, m)?;
            m.lower_to_store(file, 0, start * PAGE, self.size)?;
            self.extents.insert(0, (start, pages));
        }
        self.forget_lower(m);
        Ok(())
    }

    fn forget_lower(&mut self, m: &mut dyn Machine) {
        // Mappings of the file keep the machine's file alive by themselves.
        if let Some(Lower { file: Some(file), .. }) = self.lower.take() {
            m.lower_close(file);
        }
    }

    /// The pieces that cover `at..at+len`, in order; the range may reach past the end of the file.
    pub fn pieces(&self, at: u64, len: u64) -> Vec<Piece> {
        let mut out = Vec::new();
        let end = at + len;
        let mut pos = at;
        while pos < end {
            let page = pos / PAGE;
            let found = self.extents.range(..=page).next_back().filter(|(s, (_, n))| page < **s + n);
            let (stop, store) = match found {
                Some((s, (p, n))) => ((s + n) * PAGE, Some(p * PAGE + (pos - s * PAGE))),
                None => (self.extents.range(page + 1..).next().map_or(end, |(s, _)| s * PAGE), None),
            };
            let stop = stop.min(end);
            out.push(Piece { at: pos, len: stop - pos, store });
            pos = stop;
        }
        out
    }

    /// The store's page that has a page of the file.
    pub(in crate::fs) fn store_page(&self, page: u64) -> Option<u64> {
        let (first, (start, count)) = self.extents.range(..=page).next_back()?;
        (page < first + count).then(|| start + (page - first))
    }

    /// Bytes of the pages of `at..at+len` that have no place in the store yet.
    pub fn missing(&self, at: u64, len: u64) -> u64 {
        let from = at - at % PAGE;
        let end = at.saturating_add(len).min(MAX_SIZE).next_multiple_of(PAGE);
        if end <= from {
            return 0;
        }
        self.pieces(from, end - from).iter().filter(|p| p.store.is_none()).map(|p| p.len).sum()
    }

    /// Gives every page of `at..at+len` a place in the store.
    ///
    /// # Errors
    /// `ENOSPC`.
    pub fn allocate(&mut self, at: u64, len: u64, m: &mut dyn Machine) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let first = at / PAGE;
        let last = (at + len).div_ceil(PAGE);
        let mut page = first;
        while page < last {
            if let Some((s, (_, n))) = self.extents.range(..=page).next_back()
                && page < s + n
            {
                page = s + n;
                continue;
            }
            let mut stop = self.extents.range(page..).next().map_or(u64::MAX, |(s, _)| *s);
            // A file that grows by appending gets room ahead, so that it stays in few extents.
            let ahead = if stop == u64::MAX { (page / 4).min(1024) } else { 0 };
            stop = stop.min(last + ahead);
            let start = self.store.take(stop - page, m)?;
            self.insert(page, start, stop - page);
            page = stop;
        }
        Ok(())
    }

    /// Adds an extent, joined to the one before it where both are in a row.
    fn insert(&mut self, page: u64, start: u64, count: u64) {
        if let Some((s, (p, n))) = self.extents.range_mut(..page).next_back()
            && *s + *n == page
            && *p + *n == start
        {
            *n += count;
            return;
        }
        self.extents.insert(page, (start, count));
    }

    /// Gives back all pages from `page` on.
    pub(in crate::fs) fn drop_extents(&mut self, page: u64) {
        let tail = self.extents.split_off(&page);
        for (start, count) in tail.into_values() {
            self.store.give(start, count);
        }
        if let Some((s, (p, n))) = self.extents.iter_mut().next_back()
            && *s + *n > page
        {
            let keep = page - *s;
            self.store.give(*p + keep, *n - keep);
            *n = keep;
        }
    }

    /// Copies from the file into guest memory; returns the bytes copied, short at the end of the file.
    ///
    /// # Errors
    /// `EFAULT`, or what the machine says.
    pub fn read_guest(&mut self, at: u64, addr: u64, len: u64, m: &mut dyn Machine) -> Result<u64> {
        if at >= self.size {
            return Ok(0);
        }
        let len = len.min(self.size - at);
        if let Some(file) = self.lower_file(m)? {
            return m.lower_to_guest(file, at, addr, len);
        }
        for piece in self.pieces(at, len) {
            let to = addr + (piece.at - at);
            match piece.store {
                Some(store) => m.store_to_guest(store, to, piece.len)?,
                None => crate::mem::zero(m, to, piece.len)?,
            }
        }
        Ok(len)
    }

    /// Copies from the file into the kernel's memory.
    ///
    /// # Errors
    /// What the machine says.
    pub fn read(&mut self, at: u64, buf: &mut [u8], m: &mut dyn Machine) -> Result<usize> {
        if at >= self.size {
            return Ok(0);
        }
        let len = (buf.len() as u64).min(self.size - at);
        let buf = &mut buf[..len as usize];
        if let Some(file) = self.lower_file(m)? {
            return m.lower_read(file, at, buf);
        }
        for piece in self.pieces(at, len) {
            let part = &mut buf[(piece.at - at) as usize..][..piece.len as usize];
            match piece.store {
                Some(store) => m.store_read(store, part),
                None => part.fill(0),
            }
        }
        Ok(len as usize)
    }

    fn prepare_write(&mut self, at: u64, len: u64, m: &mut dyn Machine) -> Result<()> {
        if at.checked_add(len).is_none_or(|end| end > MAX_SIZE) {
            return Err(Errno::EFBIG);
        }
        self.copy_up(m)?;
        self.keep(at, len, m)?;
        self.zero_tail(at, m);
        self.allocate(at, len, m)
    }

    /// Bytes between the end of the file and `upto` in allocated pages may be stale (a mapping wrote past the end).
    fn zero_tail(&mut self, upto: u64, m: &mut dyn Machine) {
        if upto <= self.size {
            return;
        }
        let zeros = [0u8; 512];
        for piece in self.pieces(self.size, (upto - self.size).min(PAGE)) {
            let Some(store) = piece.store else { continue };
            let mut done = 0;
            while done < piece.len {
                let n = (piece.len - done).min(512);
                m.store_write(store + done, &zeros[..n as usize]);
                done += n;
            }
        }
    }

    /// Copies from guest memory into the file.
    ///
    /// # Errors
    /// `EFAULT`, `EFBIG`, `ENOSPC`.
    pub fn write_guest(&mut self, at: u64, addr: u64, len: u64, m: &mut dyn Machine) -> Result<u64> {
        if len == 0 {
            return Ok(0);
        }
        self.prepare_write(at, len, m)?;
        for piece in self.pieces(at, len) {
            let store = piece.store.expect("written ranges are allocated");
            m.store_from_guest(store, addr + (piece.at - at), piece.len)?;
        }
        self.size = self.size.max(at + len);
        Ok(len)
    }

    /// Copies from the kernel's memory into the file.
    ///
    /// # Errors
    /// `EFBIG`, `ENOSPC`.
    pub fn write(&mut self, at: u64, data: &[u8], m: &mut dyn Machine) -> Result<usize> {
        if data.is_empty() {
            return Ok(0);
        }
        self.prepare_write(at, data.len() as u64, m)?;
        for piece in self.pieces(at, data.len() as u64) {
            let store = piece.store.expect("written ranges are allocated");
            m.store_write(store, &data[(piece.at - at) as usize..][..piece.len as usize]);
        }
        self.size = self.size.max(at + data.len() as u64);
        Ok(data.len())
    }

    /// `ftruncate`.
    ///
    /// # Errors
    /// `EFBIG`, `ENOSPC`.
    pub fn truncate(&mut self, size: u64, m: &mut dyn Machine) -> Result<()> {
        if size > MAX_SIZE {
            return Err(Errno::EFBIG);
        }
        if size == 0 && self.kept.is_none() {
            self.forget_lower(m);
        } else {
            self.copy_up(m)?;
        }
        if size < self.size {
            self.keep(size, self.size - size, m)?;
            // Pages stay where they are when a mapping may still show them; their bytes past the end become zero.
            let keep = size.div_ceil(PAGE);
            for piece in self.pieces(keep * PAGE, (self.size.div_ceil(PAGE) * PAGE).saturating_sub(keep * PAGE)) {
                if let Some(store) = piece.store {
                    m.store_discard(store, piece.len.div_ceil(PAGE) * PAGE);
                }
            }
            let end = self.size.min(keep * PAGE);
            self.size = size;
            self.zero_tail(end, m);
        } else {
            self.zero_tail(size, m);
            self.size = size;
        }
        Ok(())
    }

    /// Makes a range zero (`FALLOC_FL_PUNCH_HOLE`, `FALLOC_FL_ZERO_RANGE`); the size stays.
    ///
    /// # Errors
    /// `ENOSPC`.
    pub fn zero_range(&mut self, at: u64, len: u64, m: &mut dyn Machine) -> Result<()> {
        self.copy_up(m)?;
        let len = len.min(self.size.saturating_sub(at));
        self.keep(at, len, m)?;
        let zeros = [0u8; 4096];
        for piece in self.pieces(at, len) {
            let Some(store) = piece.store else { continue };
            let mut done = 0;
            while done < piece.len {
                let here = store + done;
                if here.is_multiple_of(PAGE) && piece.len - done >= PAGE {
                    let whole = (piece.len - done) / PAGE * PAGE;
                    m.store_discard(here, whole);
                    done += whole;
                } else {
                    let n = (PAGE - here % PAGE).min(piece.len - done);
                    m.store_write(here, &zeros[..n as usize]);
                    done += n;
                }
            }
        }
        Ok(())
    }

    /// 512-byte blocks for `st_blocks`.
    pub fn blocks(&self) -> u64 {
        if self.lower.is_some() {
            return self.size.div_ceil(PAGE) * 8;
        }
        let in_size = self.size.div_ceil(PAGE);
        let pages: u64 = self.extents.iter().map(|(s, (_, n))| (s + n).min(in_size).saturating_sub(*s)).sum();
        pages * 8
    }

    /// Next data (`true`) or hole (`false`) at or after `at`, in bytes, for `SEEK_DATA` and `SEEK_HOLE`.
    pub fn seek(&self, at: u64, data: bool) -> Option<u64> {
        if at >= self.size {
            return None;
        }
        if self.lower.is_some() {
            return Some(if data { at } else { self.size });
        }
        for piece in self.pieces(at, self.size - at) {
            if piece.store.is_some() == data {
                return Some(piece.at);
            }
        }
        (!data).then_some(self.size)
    }
}
