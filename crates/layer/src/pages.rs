//! Counting the pages that programs have made their own (`Documentation/admin-guide/mm/pagemap.rst`).

use crate::sys::sys;
use snowglobe_abi::map::PAGE;

/// `struct page_region`
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg`
#[repr(C)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`
const PAGEMAP_SCAN: u64 = 0xc060_6610;
const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;
const ENOTTY: i64 = 25;

/// Keeps the operating system from bringing in huge pages for small ones in this address space and its copies: how many of them it
/// has is nobody's to foresee.
pub fn one_by_one() {
    const PR_SET_THP_DISABLE: u64 = 41;
    // SAFETY: it changes only which pages are brought in.
    let _ = sys!(PRCTL, PR_SET_THP_DISABLE, 1);
}

/// Bytes of private pages in ranges of the current address space that are neither a file's nor the page of zeros.
pub fn touched(ranges: &[(u64, u64)]) -> u64 {
    const AT_FDCWD: i64 = -100;
    const O_CLOEXEC: u64 = 0o2_000_000;
    // SAFETY: the path ends in NUL.
    let file = sys!(OPENAT, AT_FDCWD, c"/proc/self/pagemap".as_ptr(), O_CLOEXEC, 0);
    assert!(file >= 0, "/proc/self/pagemap cannot be opened: {file}");
    let sum = ranges.iter().map(|(at, len)| scan(file, *at, at + len).unwrap_or_else(|| read(file, *at, *len))).sum();
    // SAFETY: it was opened here.
    let _ = sys!(CLOSE, file);
    sum
}

/// Counts by PAGEMAP_SCAN, which kernels have since 6.7.
fn scan(file: i64, start: u64, end: u64) -> Option<u64> {
    let mut regions = [Region::default(); 64];
    let (mut at, mut sum) = (start, 0);
    while at < end {
        let mut arg = Scan {
            size: size_of::<Scan>() as u64,
            flags: 0,
            start: at,
            end,
            walk_end: 0,
            vec: regions.as_mut_ptr() as u64,
            vec_len: regions.len() as u64,
            max_pages: 0,
            category_inverted: PAGE_IS_FILE | PAGE_IS_PFNZERO,
            category_mask: PAGE_IS_FILE | PAGE_IS_PFNZERO,
            category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
            return_mask: PAGE_IS_PRESENT,
        };
        // SAFETY: the structure and the regions outlive the call.
        let n = sys!(IOCTL, file, PAGEMAP_SCAN, core::ptr::from_mut(&mut arg));
        if n == -ENOTTY {
            return None;
        }
        assert!(n >= 0 && arg.walk_end > at, "PAGEMAP_SCAN of {at:#x}..{end:#x} failed: {n}");
        sum += regions[..n as usize].iter().map(|region| region.end - region.start).sum::<u64>();
        at = arg.walk_end;
    }
    Some(sum)
}

/// Counts by reading, where the page of zeros counts like any other.
fn read(file: i64, start: u64, len: u64) -> u64 {
    const PRESENT_OR_SWAPPED: u64 = 3 << 62;
    const OF_FILE: u64 = 1 << 61;
    let mut words = alloc::vec![0u64; 8192];
    let (mut page, end, mut sum) = (start / PAGE, (start + len) / PAGE, 0);
    while page < end {
        let want = words.len().min((end - page) as usize);
        // SAFETY: the buffer is as long as said.
        let n = sys!(PREAD64, file, words.as_mut_ptr(), want * 8, page * 8);
        assert!(n > 0, "/proc/self/pagemap cannot be read: {n}");
        let got = n as usize / 8;
        let own = words[..got].iter().filter(|word| **word & PRESENT_OR_SWAPPED != 0 && **word & OF_FILE == 0);
        sum += own.count() as u64 * PAGE;
        page += got as u64;
    }
    sum
}

/// Bytes of a range of a file in memory that have pages.
pub fn written(file: i32, offset: u64, len: u64) -> u64 {
    const SEEK_DATA: u64 = 3;
    const SEEK_HOLE: u64 = 4;
    let end = offset + len;
    let (mut at, mut sum) = (offset, 0);
    while at < end {
        // SAFETY: nobody goes by the position of this file.
        let data = sys!(LSEEK, file, at, SEEK_DATA);
        // ENXIO: there is no more of it.
        if data < 0 || data as u64 >= end {
            break;
        }
        // SAFETY: as above.
        let hole = sys!(LSEEK, file, data, SEEK_HOLE);
        let stop = if hole < 0 { end } else { (hole as u64).min(end) };
        sum += stop - data as u64;
        at = stop;
    }
    sum
}
