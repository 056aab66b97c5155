//! Disks that go wrong.
//!
//! While a fault of a host's disk lasts, that host's page cache holds only what is not yet on the disk, as when memory is short:
//! a read of a page that is on the disk reaches it, a read of one that waits to be written does not. A write to a file reaches
//! the cache; the disk is reached when it is made durable: by a sync, by O_SYNC and its kin, by O_DIRECT, by time.

use super::Disk;
use super::kept::PageNo;
use crate::fs::content::Content;
use crate::fs::file::{FileKind, FileRef};
use crate::fs::inode::{FileSystem, InodeRef, Name};
use crate::machine::Machine;
use crate::rng::Rng;
use crate::sched::{WaitQueue, Waiter};
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Cx, Kernel, Stop};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Range;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::fault::DiskVerb;
use snowglobe_abi::map::{INTERP_BASE, PAGE};
use snowglobe_abi::spec::{Chance, Nanos};

/// One fault that lasts.
struct Fault {
    hosts: Vec<u32>,
    path: Option<Vec<u8>>,
    verb: DiskVerb,
    rng: Rng,
}

/// The faults of all disks.
#[derive(Default)]
pub struct Faults {
    /// Those that last now, by their place in the plan.
    active: BTreeMap<u32, Fault>,
    /// How often each has hit something, those that are over too.
    hits: BTreeMap<u32, u64>,
    /// Who waits for a disk that stalls.
    waiting: Rc<WaitQueue>,
}

/// Where a file is, for patterns: a directory and a name.
pub type Place<'a> = Option<&'a (InodeRef, Name)>;

impl Faults {
    /// Whether any lasts.
    #[inline]
    pub fn any(&self) -> bool {
        !self.active.is_empty()
    }

    /// Whether a host's disk stalls for a path.
    fn stalls(&self, host: u32, path: &[u8]) -> bool {
        self.active.values().any(|fault| {
            let fits = fault.hosts.contains(&host) && fault.path.as_ref().is_none_or(|p| matches(p, path));
            fits && fault.verb == DiskVerb::Stall
        })
    }

    /// The first fault of a host that `wants` says, is about the file, and happens; counts it.
    fn strike(
        &mut self,
        host: u32,
        path: &dyn Fn() -> Vec<u8>,
        wants: impl Fn(&DiskVerb) -> Option<Chance>,
    ) -> Option<(DiskVerb, &mut Rng)> {
        let found = self.active.iter_mut().find_map(|(index, fault)| {
            let chance = wants(&fault.verb)?;
            let fits = fault.hosts.contains(&host) && fault.path.as_ref().is_none_or(|p| matches(p, &path()));
            (fits && happens(&mut fault.rng, chance)).then_some(*index)
        })?;
        *self.hits.entry(found).or_default() += 1;
        let fault = self.active.get_mut(&found)?;
        Some((fault.verb, &mut fault.rng))
    }

    /// Whether a sync of a file with something to write fails.
    pub(super) fn sync_fails(&mut self, k: &Kernel, host: u32, node: &InodeRef) -> bool {
        let dirty = node.content().is_some_and(|c| c.borrow().kept.as_ref().is_some_and(super::kept::Kept::is_dirty));
        let path = || path_of(k, host, node.place().as_ref());
        dirty
            && self
                .strike(host, &path, |verb| if let DiskVerb::SyncError(c) = verb { Some(*c) } else { None })
                .is_some()
    }

    /// Decides which of the pages that are to be written get lost or land elsewhere, and does that to them.
    pub(super) fn lose_pages(
        &mut self,
        k: &Kernel,
        host: u32,
        node: &InodeRef,
        pages: &Range<PageNo>,
        mapped: &[Range<PageNo>],
        m: &mut dyn Machine,
    ) {
        let Some(content) = node.content() else { return };
        let dirty: Vec<PageNo> = match &content.borrow().kept {
            Some(kept) => kept.pages().range(pages.clone()).filter(|(_, w)| !w.dropped).map(|(p, _)| *p).collect(),
            None => return,
        };
        let path = || path_of(k, host, node.place().as_ref());
        for page in dirty.into_iter().filter(|page| !mapped.iter().any(|r| r.contains(page))) {
            let wants = |verb: &DiskVerb| match verb {
                DiskVerb::Lost(chance) | DiskVerb::Misdirected(chance) => Some(*chance),
                _ => None,
            };
            let Some((verb, rng)) = self.strike(host, &path, wants) else { continue };
            let mut content = content.borrow_mut();
            let count = content.size.div_ceil(PAGE);
            if matches!(verb, DiskVerb::Misdirected(_)) && count > 1 {
                let other = rng.below(count - 1);
                content.misdirect(page, if other >= page { other + 1 } else { other }, m);
            } else {
                content.revert(page, m);
            }
        }
    }
}

fn happens(rng: &mut Rng, chance: Chance) -> bool {
    chance == Chance::SURE || rng.below(u64::from(Chance::SURE.0)) < u64::from(chance.0)
}

/// Whether a pattern of `*` (any characters) and `?` (one) is all of a path.
pub fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (mut p, mut at, mut star) = (0, 0, None);
    while at < path.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, at));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == path[at] => {
                p += 1;
                at += 1;
            }
            _ => match star {
                // The last star takes one more.
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    (p, at) = (back + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p.min(pattern.len())..].iter().all(|c| *c == b'*')
}

/// Whether a call comes from the program interpreter. A program that starts is read without faults of the disk, and so
/// are the shared objects that it is made of: what fails there fails for ever, and says nothing of the program.
fn is_loader(site: u64) -> bool {
    (INTERP_BASE..INTERP_BASE + 0x4000_0000).contains(&site)
}

/// A file's absolute path on a host, as far as it is known.
fn path_of(k: &Kernel, host: u32, place: Place) -> Vec<u8> {
    let Some((dir, name)) = place else { return Vec::new() };
    let root = &k.hosts[host as usize].root;
    let mut path = dir.dir_path(root).unwrap_or_default();
    if path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

impl Content {
    /// What was to be written to a page is written to another, which then has it, on the disk too.
    fn misdirect(&mut self, page: PageNo, other: PageNo, m: &mut dyn Machine) {
        let Some(from) = self.store_page(page) else { return };
        let mut bytes = [0u8; PAGE as usize];
        m.store_read(from * PAGE, &mut bytes);
        self.revert(page, m);
        if self.allocate(other * PAGE, PAGE, m).is_ok() {
            self.overwrite(other, &bytes, m);
        }
    }

    /// Whether a read of a range has to ask the disk.
    fn asks_disk(&self, at: u64, len: u64) -> bool {
        let end = at.saturating_add(len).min(self.size);
        let Some(kept) = &self.kept else { return at < end };
        (at / PAGE..end.div_ceil(PAGE)).any(|page| kept.get(page).is_none_or(|was| was.dropped))
    }

    /// Turns a bit of a range, on the disk too; not in a page that waits to be written. Whether it did.
    fn flip(&mut self, at: u64, len: u64, rng: &mut Rng, m: &mut dyn Machine) -> bool {
        let end = at.saturating_add(len).min(self.size);
        if at >= end || self.copy_up(m).is_err() {
            return false;
        }
        let at = at + rng.below(end - at);
        let bit = rng.below(8);
        if self.kept.as_ref().is_some_and(|k| k.get(at / PAGE).is_some()) {
            return false;
        }
        let Some(page) = self.store_page(at / PAGE) else { return false };
        let mut byte = [0u8];
        m.store_read(page * PAGE + at % PAGE, &mut byte);
        m.store_write(page * PAGE + at % PAGE, &[byte[0] ^ 1 << bit]);
        true
    }
}

/// How an operation reaches the disk.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    /// It reads so many bytes at an offset.
    Read(u64, u64),
    /// It writes through to the disk, or makes durable.
    Write,
}

/// A wait for a disk that is slow or stalls: after it the whole call is made, nothing of which has happened yet.
pub struct DiskWait {
    /// The host whose disk it is.
    pub host: u32,
    /// The file's path.
    path: Vec<u8>,
    /// When it has waited long enough for a disk that is slow.
    pub until: Nanos,
    /// The call's arguments.
    pub args: [u64; 6],
}

impl Kernel {
    /// A fault of disks begins. `fault` is its place in the plan, by which it is ended and asked for.
    pub fn strike_disks(&mut self, fault: u32, hosts: &[u32], path: Option<&str>, verb: DiskVerb) {
        // Named by what it is: a plan without another fault draws the same for this one.
        let rng = Rng::stream(self.spec.seed, &alloc::format!("disk fault {verb:?} {path:?} {hosts:?}"));
        let path = path.map(|p| p.as_bytes().to_vec());
        if verb == DiskVerb::ReadOnly && path.is_none() {
            self.each_disk(hosts, |disk| disk.read_only.set(Some(fault)));
        }
        self.disk_faults.hits.entry(fault).or_default();
        self.disk_faults.active.insert(fault, Fault { hosts: hosts.to_vec(), path, verb, rng });
    }

    /// It ends: who waited for it goes on.
    pub fn heal_disks(&mut self, fault: u32) {
        let Some(over) = self.disk_faults.active.remove(&fault) else { return };
        if over.verb == DiskVerb::ReadOnly {
            let mut refused = 0;
            self.each_disk(&over.hosts, |disk| {
                if disk.read_only.get() == Some(fault) {
                    disk.read_only.set(None);
                    refused += disk.refused.take();
                }
            });
            *self.disk_faults.hits.entry(fault).or_default() += refused;
        }
        let waiting = self.disk_faults.waiting.clone();
        waiting.wake(&mut self.sched, POLLIN);
    }

    /// How many operations it has hit so far.
    pub fn disk_hits(&self, fault: u32) -> u64 {
        let mut hits = self.disk_faults.hits.get(&fault).copied().unwrap_or(0);
        if let Some(active) = self.disk_faults.active.get(&fault) {
            self.each_disk(&active.hosts, |disk| {
                if disk.read_only.get() == Some(fault) {
                    hits += disk.refused.get();
                }
            });
        }
        hits
    }

    fn each_disk(&self, hosts: &[u32], mut f: impl FnMut(&Disk)) {
        for host in hosts {
            let Some(host) = self.hosts.get(*host as usize) else { continue };
            let disks = host.mounted.iter().filter_map(|root| root.fs.disk.as_ref());
            disks.filter(|disk| disk.host == Some(host.id.0)).for_each(|disk| f(disk));
        }
    }

    /// Hangs a task in the queue of those who wait for disks that stall.
    pub fn watch_disks(&self, waiter: Waiter) {
        self.disk_faults.waiting.add(waiter, &self.sched);
    }

    /// The host whose disk's faults an operation on a file system may meet.
    #[inline]
    fn faulty(&self, fs: &FileSystem) -> Option<u32> {
        if self.disk_faults.any() { fs.disk.as_ref()?.host } else { None }
    }

    fn strike(
        &mut self,
        host: u32,
        place: Place,
        wants: impl Fn(&DiskVerb) -> Option<Chance>,
    ) -> Option<(DiskVerb, Rng)> {
        let mut faults = core::mem::take(&mut self.disk_faults);
        let path = || path_of(self, host, place);
        let struck = faults.strike(host, &path, wants).map(|(verb, rng)| {
            let own = rng.clone();
            rng.next_u64();
            (verb, own)
        });
        self.disk_faults = faults;
        struck
    }

    /// How much of a read from a disk is done.
    ///
    /// # Errors
    /// `EIO`.
    pub fn disk_read(&mut self, m: &mut dyn Machine, node: &InodeRef, place: Place, at: u64, len: u64) -> Result<u64> {
        let (Some(host), Some(content)) = (self.faulty(&node.fs), node.content()) else { return Ok(len) };
        if !content.borrow().asks_disk(at, len) || is_loader(m.call_site()) {
            return Ok(len);
        }
        let wants = |verb: &DiskVerb| if let DiskVerb::ReadError(c) = verb { Some(*c) } else { None };
        if self.strike(host, place, wants).is_some() {
            return Err(Errno::EIO);
        }
        let wants = |verb: &DiskVerb| if let DiskVerb::Flip(c) = verb { Some(*c) } else { None };
        if let Some((_, mut rng)) = self.strike(host, place, wants) {
            content.borrow_mut().flip(at, len, &mut rng, m);
        }
        Ok(self.shortened(host, place, len))
    }

    fn shortened(&mut self, host: u32, place: Place, len: u64) -> u64 {
        let wants = |verb: &DiskVerb| if let DiskVerb::Short(c) = verb { Some(*c) } else { None };
        if len < 2 {
            return len;
        }
        match self.strike(host, place, wants) {
            Some((_, mut rng)) => 1 + rng.below(len - 1),
            None => len,
        }
    }

    /// How much of a write to a file of a disk is done; `more` is the room that it needs in bytes.
    ///
    /// # Errors
    /// `EROFS`, `EIO`, `ENOSPC`, `EDQUOT`.
    pub fn disk_write(&mut self, fs: &FileSystem, place: Place, len: u64, more: u64) -> Result<u64> {
        if fs.disk.as_ref().is_some_and(|disk| disk.refuses()) {
            return Err(Errno::EROFS);
        }
        let Some(host) = self.faulty(fs) else { return Ok(len) };
        let wants = |verb: &DiskVerb| match verb {
            DiskVerb::ReadOnly => Some(Chance::SURE),
            DiskVerb::WriteError(c) => Some(*c),
            DiskVerb::Full | DiskVerb::Quota if more > 0 => Some(Chance::SURE),
            _ => None,
        };
        match self.strike(host, place, wants) {
            Some((DiskVerb::ReadOnly, _)) => Err(Errno::EROFS),
            Some((DiskVerb::Full, _)) => Err(Errno::ENOSPC),
            Some((DiskVerb::Quota, _)) => Err(Errno::EDQUOT),
            Some(_) => Err(Errno::EIO),
            None => Ok(self.shortened(host, place, len)),
        }
    }

    /// Whether a directory of a disk can be changed; `makes` says whether that needs room.
    ///
    /// # Errors
    /// `EROFS`, `ENOSPC`, `EDQUOT`.
    pub fn disk_change(&mut self, dir: &InodeRef, name: &[u8], makes: bool) -> Result<()> {
        let Some(host) = self.faulty(&dir.fs) else { return Ok(()) };
        let wants = |verb: &DiskVerb| match verb {
            DiskVerb::ReadOnly => Some(Chance::SURE),
            DiskVerb::Full | DiskVerb::Quota if makes => Some(Chance::SURE),
            _ => None,
        };
        match self.strike(host, Some(&(dir.clone(), name.to_vec())), wants) {
            None => Ok(()),
            Some((DiskVerb::Full, _)) => Err(Errno::ENOSPC),
            Some((DiskVerb::Quota, _)) => Err(Errno::EDQUOT),
            Some(_) => Err(Errno::EROFS),
        }
    }
}

impl Cx<'_> {
    /// Waits for the disk where it is slow or stalls, before anything of the call has happened.
    ///
    /// # Errors
    /// The wait.
    pub fn reach_disk(&mut self, file: &FileRef, reach: Reach) -> core::result::Result<(), Stop> {
        let Some(node) = &file.inode else { return Ok(()) };
        let Some(host) = self.k.faulty(&node.fs) else { return Ok(()) };
        if !matches!(file.kind, FileKind::Inode) || self.k.task(self.task).disk_passed {
            return Ok(());
        }
        if let (Reach::Read(at, len), Some(content)) = (reach, node.content())
            && !content.borrow().asks_disk(at, len)
        {
            return Ok(());
        }
        let path = path_of(self.k, host, file.name.as_ref());
        let slow = |verb: &DiskVerb| if let DiskVerb::Latency(_) = verb { Some(Chance::SURE) } else { None };
        let mut until = 0;
        if let Some((DiskVerb::Latency(time), _)) = self.k.strike(host, file.name.as_ref(), slow) {
            until = self.k.sched.now + time;
        }
        let stall = |verb: &DiskVerb| (*verb == DiskVerb::Stall).then_some(Chance::SURE);
        let stalls = self.k.strike(host, file.name.as_ref(), stall).is_some();
        if until == 0 && !stalls {
            return Ok(());
        }
        let deadline = (!stalls).then_some(until);
        let wait = DiskWait { host, path, until, args: self.args };
        // Nothing but death ends a wait for a disk.
        Err(Wait::new(Kind::Disk(Box::new(wait))).until(deadline).on_signal(Interrupt::Never).stop())
    }

    /// Goes on with a call that waited for a disk; `None` while it stalls, with the time until which it is slow.
    pub fn disk_now(&mut self, wait: &DiskWait, deadline: &mut Option<Nanos>) -> Option<Result<i64>> {
        if self.k.disk_faults.stalls(wait.host, &wait.path) {
            *deadline = None;
            return None;
        }
        if self.k.sched.now < wait.until {
            *deadline = Some(wait.until);
            return None;
        }
        self.k.task_mut(self.task).disk_passed = true;
        let answer = self.call_again(wait.args);
        if let Some(task) = self.k.tasks[self.task.0 as usize].as_mut() {
            task.disk_passed = false;
        }
        answer
    }

    /// The same for a call that only asks whether it may go on.
    ///
    /// # Errors
    /// The wait.
    pub fn reach_read(&mut self, file: &FileRef, at: u64, len: u64) -> core::result::Result<(), Stop> {
        self.reach_disk(file, Reach::Read(at, len))
    }

    /// Before a write to a file whose flags say that it goes through to the disk.
    ///
    /// # Errors
    /// The wait.
    pub fn reach_write(&mut self, file: &FileRef, rwf: u32) -> core::result::Result<(), Stop> {
        const RWF_SYNCS: u32 = 6;
        if file.flags.get() & (O_SYNC | O_DSYNC | O_DIRECT) != 0 || rwf & RWF_SYNCS != 0 {
            return self.reach_disk(file, Reach::Write);
        }
        Ok(())
    }
}
