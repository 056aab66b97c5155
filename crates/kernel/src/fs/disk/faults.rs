//! Disks that go wrong.

use crate::Kernel;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use snowglobe_abi::fault::DiskVerb;

/// One fault that lasts.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Indices of hosts whose disks it is about.
    pub hosts: Vec<u32>,
    /// Pattern of absolute paths; all files without it.
    pub path: Option<String>,
    /// What goes wrong.
    pub verb: DiskVerb,
}

/// The faults of all disks.
#[derive(Default)]
pub struct Faults {
    /// Those that last now, by their place in the plan.
    active: BTreeMap<u32, Fault>,
    /// How often each has hit something, those that are over too.
    hits: BTreeMap<u32, u64>,
}

impl Kernel {
    /// A fault of disks begins. `fault` is its place in the plan, by which it is ended and asked for.
    pub fn strike_disks(&mut self, fault: u32, hosts: &[u32], path: Option<&str>, verb: DiskVerb) {
        let new = Fault { hosts: hosts.to_vec(), path: path.map(String::from), verb };
        self.disk_faults.active.insert(fault, new);
    }

    /// It ends: who waited for it goes on.
    pub fn heal_disks(&mut self, fault: u32) {
        self.disk_faults.active.remove(&fault);
    }

    /// How many operations it has hit so far.
    pub fn disk_hits(&self, fault: u32) -> u64 {
        self.disk_faults.hits.get(&fault).copied().unwrap_or(0)
    }
}
