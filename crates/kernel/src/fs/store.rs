//! Which pages of the store are in use.
//!
//! The store is one file mapped by all address spaces; a file's content is a set of extents of it, and mapping a file
//! maps those extents. Pages are given out zero.

use crate::machine::Machine;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use snowglobe_abi::Errno;
use snowglobe_abi::map::{PAGE, STORE_SIZE};

/// Pages that are taken at a time for what is put aside.
const SPARE: u64 = 64;

/// Free and used pages of the store, shared by everything that holds extents.
#[derive(Clone, Default)]
pub struct Store {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    /// First page never given out.
    next: u64,
    /// Pages given back, first page to count; their bytes are stale.
    free: BTreeMap<u64, u64>,
    used: u64,
    /// Pages of [`Store::take_aside`] that were given back, for the next who asks for one.
    spare: Vec<u64>,
}

impl Store {
    /// Takes `count` pages in a row; returns the first.
    ///
    /// # Errors
    /// `ENOSPC`.
    pub fn take(&self, count: u64, m: &mut dyn Machine) -> Result<u64, Errno> {
        let mut inner = self.inner.borrow_mut();
        let fit = inner.free.iter().find(|(_, n)| **n >= count).map(|(s, n)| (*s, *n));
        inner.used += count;
        if let Some((start, n)) = fit {
            inner.free.remove(&start);
            if n > count {
                inner.free.insert(start + count, n - count);
            }
            m.store_discard(start * PAGE, count * PAGE);
            return Ok(start);
        }
        let start = inner.next;
        if (start + count) * PAGE > STORE_SIZE {
            inner.used -= count;
            return Err(Errno::ENOSPC);
        }
        inner.next += count;
        Ok(start)
    }

    /// Gives pages back. They keep their memory until they are taken again or the world discards them.
    pub fn give(&self, start: u64, count: u64) {
        let mut inner = self.inner.borrow_mut();
        inner.used -= count;
        let (mut start, mut count) = (start, count);
        if let Some((&s, &n)) = inner.free.range(..start).next_back()
            && s + n == start
        {
            inner.free.remove(&s);
            start = s;
            count += n;
        }
        if let Some(n) = inner.free.remove(&(start + count)) {
            count += n;
        }
        inner.free.insert(start, count);
    }

    /// Takes a page for what nobody sees: it does not count as used, and its bytes are any.
    ///
    /// # Errors
    /// `ENOSPC`.
    pub fn take_aside(&self, m: &mut dyn Machine) -> Result<u64, Errno> {
        if let Some(page) = self.inner.borrow_mut().spare.pop() {
            return Ok(page);
        }
        let start = self.take(SPARE, m)?;
        let mut inner = self.inner.borrow_mut();
        inner.used -= SPARE;
        inner.spare.extend((start..start + SPARE).rev());
        inner.spare.pop().ok_or(Errno::ENOSPC)
    }

    /// Gives back a page of [`Store::take_aside`].
    pub fn give_aside(&self, page: u64) {
        self.inner.borrow_mut().spare.push(page);
    }

    /// Pages in use.
    pub fn used(&self) -> u64 {
        self.inner.borrow().used
    }
}
