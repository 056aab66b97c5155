//! What the disk has of a file's pages that were changed since they were last written to it.

use crate::fs::content::Content;
use crate::fs::store::Store;
use crate::machine::Machine;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;
use snowglobe_abi::errno::Result;
use snowglobe_abi::map::PAGE;

/// A page of a file.
pub type PageNo = u64;

/// What the disk has of one page.
#[derive(Clone, Copy, Debug)]
pub struct Was {
    /// The store's page that has its bytes; `None` for a page that the disk does not have (it reads as zeros).
    pub page: Option<u64>,
    /// Whether a sync that failed has marked the page clean: the next one does not write it.
    pub dropped: bool,
}

/// The pages of a file that are not on the disk as programs see them.
pub struct Kept {
    pages: BTreeMap<PageNo, Was>,
    store: Store,
}

impl Drop for Kept {
    fn drop(&mut self) {
        for was in core::mem::take(&mut self.pages).into_values() {
            self.forget(was);
        }
    }
}

impl Kept {
    /// None yet.
    pub fn new(store: &Store) -> Kept {
        Kept { pages: BTreeMap::new(), store: store.clone() }
    }

    /// The pages, in order.
    pub fn pages(&self) -> &BTreeMap<PageNo, Was> {
        &self.pages
    }

    /// Whether a page has been changed.
    pub fn get(&self, page: PageNo) -> Option<Was> {
        self.pages.get(&page).copied()
    }

    /// Whether nothing has been changed, or marked clean.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Whether a page waits to be written.
    pub fn is_dirty(&self) -> bool {
        self.pages.values().any(|was| !was.dropped)
    }

    fn forget(&self, was: Was) {
        if let Some(page) = was.page {
            self.store.give_aside(page);
        }
    }

    /// What programs see of a page is on the disk.
    pub fn settle(&mut self, page: PageNo) {
        if let Some(was) = self.pages.remove(&page) {
            self.forget(was);
        }
    }

    /// Takes what the disk has of a page out; its bytes are the caller's to give back.
    fn take(&mut self, page: PageNo) -> Option<Was> {
        self.pages.remove(&page)
    }

    /// A sync that failed marks all pages clean; returns how many there were.
    pub fn drop_all(&mut self) -> usize {
        let dirty = self.pages.values_mut().filter(|was| !was.dropped);
        dirty.map(|was| was.dropped = true).count()
    }
}

fn copy_page(from: u64, to: u64, m: &mut dyn Machine) {
    let mut buf = [0u8; PAGE as usize];
    m.store_read(from * PAGE, &mut buf);
    m.store_write(to * PAGE, &buf);
}

impl Content {
    /// A file of a disk that the world may take the power from: what changes is kept as it was.
    #[must_use]
    pub fn tracked(mut self) -> Content {
        self.kept = Some(Kept::new(&self.store));
        self
    }

    /// Keeps the pages of a range as they are, before they are changed.
    ///
    /// # Errors
    /// `ENOSPC` when the store is full.
    pub fn keep(&mut self, at: u64, len: u64, m: &mut dyn Machine) -> Result<()> {
        if self.kept.is_none() || len == 0 {
            return Ok(());
        }
        for page in at / PAGE..(at + len).div_ceil(PAGE) {
            self.keep_page(page, m)?;
        }
        Ok(())
    }

    fn keep_page(&mut self, page: PageNo, m: &mut dyn Machine) -> Result<()> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        if let Some(was) = kept.pages.get_mut(&page) {
            was.dropped = false;
            return Ok(());
        }
        // A page past the end is on no disk, whatever a mapping has left there.
        let page_of_store = if page * PAGE < self.size { self.store_page(page) } else { None };
        let copy = match page_of_store {
            Some(from) => {
                let to = self.store.take_aside(m)?;
                copy_page(from, to, m);
                let inside = self.size - page * PAGE;
                if inside < PAGE {
                    zero(to * PAGE + inside, PAGE - inside, m);
                }
                Some(to)
            }
            None => None,
        };
        if let Some(kept) = &mut self.kept {
            kept.pages.insert(page, Was { page: copy, dropped: false });
        }
        Ok(())
    }

    /// What programs see of all pages is on the disk now. The pages in `mapped` may change without a call: they are kept on.
    pub(in crate::fs) fn settle(&mut self, pages: Range<PageNo>, mapped: &[Range<PageNo>], m: &mut dyn Machine) {
        let Some(kept) = &mut self.kept else { return };
        let done: Vec<PageNo> =
            kept.pages.range(pages).filter(|(_, was)| !was.dropped).map(|(page, _)| *page).collect();
        for page in done {
            if let Some(kept) = &mut self.kept {
                kept.settle(page);
            }
            if mapped.iter().any(|r| r.contains(&page)) {
                // Without room to keep it, the page counts as written whenever it changes.
                let _ = self.keep_page(page, m);
            }
        }
    }

    /// What programs see of a page is lost: it is again what the disk has.
    pub(in crate::fs) fn revert(&mut self, page: PageNo, m: &mut dyn Machine) {
        let Some(was) = self.kept.as_mut().and_then(|k| k.take(page)) else { return };
        self.put_page(page, was.page, m);
        if let (Some(copy), Some(kept)) = (was.page, &self.kept) {
            kept.store.give_aside(copy);
        }
    }

    /// Gives a page the bytes of a page of the store, or none.
    fn put_page(&mut self, page: PageNo, from: Option<u64>, m: &mut dyn Machine) {
        match (from, self.store_page(page)) {
            (Some(from), Some(to)) => copy_page(from, to, m),
            (Some(from), None) => {
                // A page that was thrown away had a place: there is room for it.
                if self.allocate(page * PAGE, PAGE, m).is_ok()
                    && let Some(to) = self.store_page(page)
                {
                    copy_page(from, to, m);
                }
            }
            (None, Some(to)) => m.store_discard(to * PAGE, PAGE),
            (None, None) => {}
        }
    }

    /// Puts what the disk has of some sectors (by a bit for each) of a page into it, zeros from an offset on; the other sectors
    /// stay as programs saw them.
    pub(in crate::fs) fn revert_sectors(
        &mut self,
        page: PageNo,
        sectors: u64,
        size: u64,
        from: u64,
        m: &mut dyn Machine,
    ) {
        let Some(was) = self.kept.as_ref().and_then(|k| k.get(page)) else { return };
        let Some(to) = self.store_page(page) else { return };
        let mut buf = [0u8; PAGE as usize];
        if let Some(kept) = was.page {
            m.store_read(kept * PAGE, &mut buf);
        }
        buf[from as usize..].fill(0);
        for sector in (0..PAGE / size).filter(|s| sectors >> s & 1 != 0) {
            let at = sector * size;
            m.store_write(to * PAGE + at, &buf[at as usize..(at + size) as usize]);
        }
    }

    /// The disk has the file with this length now, and nothing behind it.
    pub(in crate::fs) fn cut_kept(&mut self, size: u64, m: &mut dyn Machine) {
        let Some(kept) = &mut self.kept else { return };
        if let Some(Was { page: Some(page), .. }) = kept.get(size / PAGE).filter(|_| !size.is_multiple_of(PAGE)) {
            zero(page * PAGE + size % PAGE, PAGE - size % PAGE, m);
        }
        let cut: Vec<PageNo> = kept.pages.range(size.div_ceil(PAGE)..).map(|(page, _)| *page).collect();
        for page in cut {
            let Some(was) = kept.pages.remove(&page) else { continue };
            kept.forget(was);
            if page * PAGE < self.size {
                kept.pages.insert(page, Was { page: None, ..was });
            }
        }
    }

    /// What programs see of the whole file is on the disk, or on none.
    pub(in crate::fs) fn forget_kept(&mut self) {
        if self.kept.is_some() {
            self.kept = Some(Kept::new(&self.store));
        }
    }

    /// Gives a page other bytes.
    pub(in crate::fs) fn overwrite(&mut self, page: PageNo, bytes: &[u8], m: &mut dyn Machine) {
        if let Some(to) = self.store_page(page) {
            m.store_write(to * PAGE, bytes);
        }
    }

    /// After a crash: the file has this length, and what is past it is gone.
    pub(in crate::fs) fn end_at(&mut self, size: u64, m: &mut dyn Machine) {
        self.size = size;
        let first = size.div_ceil(PAGE);
        self.drop_extents(first);
        if !size.is_multiple_of(PAGE)
            && let Some(store) = self.store_page(size / PAGE)
        {
            zero(store * PAGE + size % PAGE, PAGE - size % PAGE, m);
        }
    }
}

fn zero(at: u64, len: u64, m: &mut dyn Machine) {
    let zeros = [0u8; 512];
    let mut done = 0;
    while done < len {
        let n = (len - done).min(512);
        m.store_write(at + done, &zeros[..n as usize]);
        done += n;
    }
}
