//! Which core a world runs on.
//!
//! A world runs one thread at a time, so a second core is of no use to it, and two worlds on one core take turns. Worlds of
//! several commands (explorers, shards, a script's `run`s) find out about each other by a name that each binds: an abstract
//! unix socket, which needs no file, is gone with its process however that ends (unix(7)), and is never connected to.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// A core, for as long as this value lives.
#[derive(Debug)]
pub struct Seat {
    /// Its number, as the system counts.
    pub core: usize,
    /// What keeps others away; `None` when it is shared.
    claim: Option<UnixDatagram>,
}

impl Seat {
    /// A core that no other world of this machine has taken, of those that this process may use. When there is none left, one
    /// that is shared: the `nth`, counted round. `None` when the system does not say which we may use.
    pub fn take(nth: usize) -> Option<Seat> {
        Seat::of(&cores(), nth)
    }

    fn of(cores: &[usize], nth: usize) -> Option<Seat> {
        // The last first: most interrupts go to the first.
        let free = cores.iter().rev().find_map(|core| Some(Seat { core: *core, claim: Some(claim(*core)?) }));
        free.or_else(|| Some(Seat { core: *cores.get(nth % cores.len().max(1))?, claim: None }))
    }

    /// Whether another world runs on this core, too.
    pub fn shared(&self) -> bool {
        self.claim.is_none()
    }
}

fn claim(core: usize) -> Option<UnixDatagram> {
    let name = SocketAddr::from_abstract_name(format!("snowglobe/core/{core}")).ok()?;
    UnixDatagram::bind_addr(&name).ok()
}

/// Cores that this process may use.
pub fn cores() -> Vec<usize> {
    // SAFETY: a zeroed set is an empty one, and the call fills it.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set);
        set
    };
    // SAFETY: the index is below the set's size.
    (0..libc::CPU_SETSIZE as usize).filter(|i| unsafe { libc::CPU_ISSET(*i, &set) }).collect()
}

#[cfg(test)]
mod tests {
    use super::Seat;

    #[test]
    fn worlds_share_a_core_only_when_none_is_free() {
        // Numbers that no machine has, so that no world of it is in the way.
        let cores = [70_001, 70_002];
        let take = |nth| Seat::of(&cores, nth).expect("there are cores");
        let (first, second, third) = (take(0), take(0), take(3));
        assert_eq!([first.core, second.core, third.core], [70_002, 70_001, 70_002]);
        assert_eq!([first.shared(), second.shared(), third.shared()], [false, false, true]);
        drop(first);
        assert_eq!(take(0).core, 70_002);
        assert!(Seat::of(&[], 0).is_none());
    }
}
