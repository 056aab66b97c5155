//! What lies on a host's disk, as opposed to what its programs see: the two differ until something is made durable.
//!
//! | Module | Content |
//! |---|---|
//! | [`faults`] | disks that go wrong: which operations are struck, and how often that happened |

pub mod faults;

use crate::Kernel;
use crate::machine::Machine;
use crate::task::HostId;

impl Kernel {
    /// A host has lost its power: its file systems become what they are when it boots again. To be called when all its
    /// processes are gone, before its services start anew.
    pub fn crash_disks(&mut self, host: HostId, m: &mut dyn Machine) {
        let _ = (host, m);
    }
}
