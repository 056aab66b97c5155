//! Memory that hosts have, and what happens when it is short: calls fail with ENOMEM, the largest process is killed.
//!
//! Programs compute on real memory, and the machine brings pages in when they are touched; when exactly, nobody here sees. But
//! which private pages a program has *written* up to one of its calls follows from what it did, and the machine can tell. So pages
//! are counted at calls, as control groups count them (`Documentation/admin-guide/cgroup-v2.rst`, "memory"): private pages that hold
//! something of their own, and shared memory that was written, each once. Not counted are page caches and files in memory.
//!
//! A count walks page tables. It is due when an address space has grown by a share of what it has or what is left, or after a number
//! of calls that is the larger the more there is to count.
//!
//! A child of fork shares its parent's pages until one of them writes. What was copied since cannot be told from what is shared: a
//! child counts what it has beyond the pages that it began with, and inherits those when its parent is gone.
//!
//! What is *promised* is another count (`Documentation/mm/overcommit-accounting.rst`): private writable mappings, touched or not.

use crate::Kernel;
use crate::machine::Machine;
use crate::mm::{PROMISED, Source, Space};
use crate::task::{HostId, ProcId, SpaceId, TaskId};
use crate::uapi::SIGKILL;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::fault::{Fault, HostVerb};
use snowglobe_abi::map::PAGE;
use snowglobe_abi::spec::{Restart, WorldSpec};

/// Calls between two counts of an address space at least.
const CALLS: u64 = 256;
/// Growth that is not worth a count.
const LITTLE: u64 = 64 << 10;

/// What of an address space counts.
#[derive(Clone, Default, Debug)]
pub struct Account {
    /// Bytes of private mappings whose pages can become the program's own.
    pub own: u64,
    /// Bytes of these that were its own at the last count, without what has been unmapped since.
    pub touched: u64,
    /// Bytes mapped since then.
    pub grown: u64,
    /// How many of the bytes touched it shares with whom it was copied from.
    inherited: u64,
    from: Option<SpaceId>,
    /// Calls since the last count.
    calls: u64,
    /// Bytes written of each shared memory that it maps, by its first page in the store.
    shared: BTreeMap<u64, u64>,
}

impl Account {
    /// What counts as its own.
    fn charged(&self) -> u64 {
        self.touched - self.inherited.min(self.touched)
    }

    /// All that it sees: what Linux goes by when it looks for whom to kill.
    fn seen(&self) -> u64 {
        self.touched + self.shared.values().sum::<u64>()
    }
}

/// What one host has.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Bytes that may be touched.
    touched: u64,
    /// Bytes that may be promised.
    promised: u64,
    /// Whether pages are counted: it is bounded, or will be.
    counted: bool,
    /// Who was killed last.
    victim: Option<ProcId>,
}

/// The bounds of all hosts.
#[derive(Default)]
pub struct Memory {
    hosts: Vec<Bounds>,
    /// Whether pages are counted anywhere.
    pub counted: bool,
}

impl Memory {
    /// The bounds that a world begins with.
    pub fn new(spec: &WorldSpec) -> Memory {
        let will_be_short = |host: usize| {
            spec.faults.timeline.iter().any(|planned| match &planned.fault {
                Fault::Host { hosts, verb: HostVerb::Memory { .. } } => hosts.contains(&(host as u32)),
                _ => false,
            })
        };
        let bounds = |(at, host): (usize, &snowglobe_abi::spec::HostSpec)| Bounds {
            touched: host.memory.unwrap_or(u64::MAX),
            promised: u64::MAX,
            counted: host.memory.is_some() || will_be_short(at),
            victim: None,
        };
        let hosts: Vec<Bounds> = spec.hosts.iter().enumerate().map(bounds).collect();
        Memory { counted: hosts.iter().any(|host| host.counted), hosts }
    }

    /// Whether pages of a host are counted.
    pub fn counts(&self, host: HostId) -> bool {
        self.counted && self.hosts[host.0 as usize].counted
    }
}

impl Kernel {
    /// Bytes of memory that a host shows.
    pub fn memory_shown(&self, host: HostId) -> u64 {
        self.spec.hosts[host.0 as usize].memory.unwrap_or(self.spec.knobs.memory)
    }

    /// Bytes of that which are free: where nothing is counted, as much as on a machine that does little.
    pub fn memory_free(&self, host: HostId) -> u64 {
        let shown = self.memory_shown(host);
        if !self.memory.counts(host) {
            return shown / 4 * 3;
        }
        shown.min(self.memory.hosts[host.0 as usize].touched).saturating_sub(self.memory_used(host))
    }

    /// `vm.overcommit_memory`: 0 where there is a bound, 2 where no more is promised than there is, 1 elsewhere.
    pub fn overcommit(&self, host: HostId) -> u32 {
        let bounds = &self.memory.hosts[host.0 as usize];
        match (bounds.promised, bounds.touched) {
            (u64::MAX, u64::MAX) => 1,
            (u64::MAX, _) => 0,
            _ => 2,
        }
    }

    /// The bounds follow from the world file and all faults that go on.
    pub(crate) fn settle_memory(&mut self) {
        for (at, bounds) in self.memory.hosts.iter_mut().enumerate() {
            let about = self.faults.short_of_memory.iter().filter(|short| short.host as usize == at);
            let least = |strict: bool, begin: u64| {
                about.clone().filter(|short| short.strict == strict).fold(begin, |least, short| least.min(short.limit))
            };
            bounds.touched = least(false, self.spec.hosts[at].memory.unwrap_or(u64::MAX));
            bounds.promised = least(true, u64::MAX);
        }
    }

    /// The live address spaces of a host, each once.
    fn spaces_on(&self, host: HostId) -> impl Iterator<Item = (SpaceId, &Space)> {
        let live = self.host(host).pids.values().map(|id| self.proc(*id)).filter(|proc| proc.status.is_none());
        let mut ids: Vec<SpaceId> = live.map(|proc| proc.space).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| Some((id, &self.spaces[id.0 as usize].as_ref()?.space)))
    }

    /// Bytes in use on a host, as last counted.
    fn memory_used(&self, host: HostId) -> u64 {
        let mut shared: BTreeMap<u64, u64> = BTreeMap::new();
        let mut sum = 0;
        for (_, space) in self.spaces_on(host) {
            sum += space.account.charged();
            for (start, touched) in &space.account.shared {
                let most = shared.entry(*start).or_default();
                *most = (*most).max(*touched);
            }
        }
        sum + shared.values().sum::<u64>()
    }

    /// A task begins a call: the pages of its address space are counted if that is due, and what they ask for is done. Says
    /// whether its own process is to end.
    pub(crate) fn mind_memory(&mut self, m: &mut dyn Machine, task: TaskId) -> bool {
        let host = self.proc_of(task).host;
        if !self.memory.counts(host) {
            return false;
        }
        self.space_of_mut(task).account.calls += 1;
        if !self.count_is_due(task, host) {
            return false;
        }
        self.count_memory(m, task);
        self.kill_largest(host);
        self.proc_of(task).dying.is_some()
    }

    /// Whether it is: so that of who waits for long, little is not counted, and that a count is seldom more than a share of what
    /// the calls since the last one took.
    fn count_is_due(&self, task: TaskId, host: HostId) -> bool {
        let account = &self.space_of(task).account;
        if account.calls >= CALLS + 2 * account.touched / PAGE {
            return true;
        }
        if account.grown < LITTLE {
            return false;
        }
        let left = self.memory.hosts[host.0 as usize].touched.saturating_sub(self.memory_used(host));
        account.grown >= (left / 4).min(account.charged() / 8).max(LITTLE)
    }

    /// Counts the pages of a task's address space, which is the current one.
    fn count_memory(&mut self, m: &mut dyn Machine, task: TaskId) {
        let space = self.space_of(task);
        let own: Vec<(u64, u64)> =
            space.vmas.iter().filter(|(_, v)| v.is_own()).map(|(start, v)| (*start, v.end - start)).collect();
        let mut shared = BTreeMap::new();
        for vma in space.vmas.values() {
            if let Source::Shared(memory, _) = &vma.source {
                let written = || m.store_touched(memory.start * PAGE, memory.count * PAGE);
                shared.entry(memory.start).or_insert_with(written);
            }
        }
        let touched = m.touched(&own);
        let account = &mut self.space_of_mut(task).account;
        (account.touched, account.shared) = (touched, shared);
        (account.calls, account.grown) = (0, 0);
    }

    /// Kills the largest process of a host that uses more than it has. While one is still on its way out, no other is.
    fn kill_largest(&mut self, host: HostId) {
        let bounds = self.memory.hosts[host.0 as usize];
        let used = self.memory_used(host);
        let is_leaving = |id: ProcId| self.try_proc(id).is_some_and(|proc| proc.status.is_none());
        if used <= bounds.touched || bounds.victim.is_some_and(is_leaving) {
            return;
        }
        let Some((victim, seen)) = self.largest(host, bounds.touched) else { return };
        self.memory.hosts[host.0 as usize].victim = Some(victim);
        let proc = self.proc(victim);
        let (pid, space, first) = (proc.pid, proc.space, proc.threads.first().copied());
        let name = first.map_or_else(Default::default, |task| self.task(task).comm.clone());
        let kib = |bytes: u64| bytes / 1024;
        let text = alloc::format!(
            "out of memory: killed process {pid} ({name}) with {} KiB; {} of {} KiB in use",
            kib(seen),
            kib(used),
            kib(bounds.touched)
        );
        self.record.note(self.sched.now, first.unwrap_or(TaskId(0)), &text);
        self.strike_by_memory(host, false, Some(victim));
        // All who live in the same memory go with it.
        let all: Vec<ProcId> = self.host(host).pids.values().copied().collect();
        for id in all.into_iter().filter(|id| *id != victim) {
            if self.proc(id).space == space {
                self.doom(id, SIGKILL);
            }
        }
        self.doom(victim, SIGKILL);
    }

    /// The process that Linux would kill (`oom_badness`), and what it uses: the largest, `oom_score_adj` thousandths of all memory
    /// added; of two as large, the older.
    fn largest(&self, host: HostId, limit: u64) -> Option<(ProcId, u64)> {
        const NEVER: i32 = -1000;
        let points = |id: &ProcId| {
            let proc = self.proc(*id);
            if proc.status.is_some() || self.is_own_init(*id) || proc.oom_score_adj <= NEVER {
                return None;
            }
            let seen = self.spaces[proc.space.0 as usize].as_ref()?.space.account.seen();
            let adjusted = i128::from(seen) + i128::from(proc.oom_score_adj) * i128::from(limit) / 1000;
            Some((adjusted, core::cmp::Reverse(proc.pid), *id, seen))
        };
        self.host(host).pids.values().filter_map(points).max().map(|(_, _, id, seen)| (id, seen))
    }

    /// The faults that a host is short of memory by have hit something. A service that one of them ends, and that would stay down,
    /// returns with the fault's end.
    fn strike_by_memory(&mut self, host: HostId, strict: bool, victim: Option<ProcId>) {
        let about = self.faults.short_of_memory.iter().filter(|short| short.host == host.0 && short.strict == strict);
        let faults: Vec<u32> = about.map(|short| short.index).collect();
        faults.iter().for_each(|index| self.hit(*index, 1));
        let Some(spec) = &self.spec.hosts[host.0 as usize].service else { return };
        let is_main = victim.is_some() && self.services.service(host.0).main == victim;
        if let (Some(index), true, Restart::No) = (faults.first(), is_main, &spec.restart) {
            self.hold_until_end(*index, host.0);
        }
    }

    /// Whether memory may be promised to a task: so many bytes more.
    ///
    /// # Errors
    /// `ENOMEM`: it is more than there is (`vm.overcommit_memory` 0), or than is left (2).
    pub fn promise(&mut self, task: TaskId, more: u64) -> Result<()> {
        let host = self.proc_of(task).host;
        if more == 0 || !self.memory.counts(host) {
            return Ok(());
        }
        let bounds = self.memory.hosts[host.0 as usize];
        if more > bounds.touched {
            self.strike_by_memory(host, false, None);
            return Err(Errno::ENOMEM);
        }
        if bounds.promised < u64::MAX && self.memory_promised(host).saturating_add(more) > bounds.promised {
            self.strike_by_memory(host, true, None);
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// Bytes promised to the processes of a host.
    pub fn memory_promised(&self, host: HostId) -> u64 {
        let mut shared: BTreeMap<u64, u64> = BTreeMap::new();
        let mut sum = 0;
        for (_, space) in self.spaces_on(host) {
            sum += space.promised;
            for vma in space.vmas.values() {
                if let Source::Shared(memory, _) = &vma.source {
                    shared.insert(memory.start, memory.count * PAGE);
                }
            }
        }
        sum + shared.values().sum::<u64>()
    }

    /// A task forks: its pages are counted, and its child begins with them. Gives what the child's account is.
    ///
    /// # Errors
    /// `ENOMEM` when the child's memory cannot be promised.
    pub fn share_memory(&mut self, m: &mut dyn Machine, task: TaskId) -> Result<()> {
        if self.memory.counts(self.proc_of(task).host) {
            let promised = self.space_of(task).promised;
            self.promise(task, promised)?;
            self.count_memory(m, task);
        }
        Ok(())
    }

    /// An address space is gone, or is another program's from now on: the first that was copied from it has its pages now.
    pub fn leave_memory(&mut self, id: SpaceId) {
        if !self.memory.counted {
            return;
        }
        let Some(gone) = self.spaces[id.0 as usize].as_ref().map(|entry| entry.space.account.clone()) else { return };
        let mut heir: Option<(SpaceId, u64)> = None;
        for (at, entry) in self.spaces.iter_mut().enumerate().skip(id.0 as usize) {
            let Some(entry) = entry.as_mut().filter(|entry| entry.space.account.from == Some(id)) else { continue };
            let account = &mut entry.space.account;
            match heir {
                None => {
                    account.from = gone.from;
                    account.inherited = account.inherited.min(gone.inherited);
                    heir = Some((SpaceId(at as u32), account.touched));
                }
                Some((first, touched)) => {
                    account.from = Some(first);
                    account.inherited = account.inherited.min(touched);
                }
            }
        }
    }
}

impl Account {
    /// The account of a copy of an address space whose pages have just been counted.
    pub fn copied(&mut self, from: SpaceId) {
        (self.inherited, self.from) = (self.touched, Some(from));
        (self.calls, self.grown) = (0, 0);
    }
}

impl Space {
    /// Bytes of a range that would be promised if it were made writable.
    pub fn would_promise(&self, addr: u64, len: u64) -> u64 {
        self.pieces(addr, len).iter().filter(|(_, _, v)| v.would_promise()).map(|(_, n, _)| n).sum()
    }

    /// Bytes of a range that have been promised.
    pub fn promised_in(&self, addr: u64, len: u64) -> u64 {
        self.pieces(addr, len).iter().filter(|(_, _, v)| v.marks & PROMISED != 0).map(|(_, n, _)| n).sum()
    }
}
