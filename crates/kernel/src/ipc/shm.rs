//! System V shared memory (`shmop(2)`). How often a segment is attached is how many mappings hold its memory, so that fork,
//! exec and exit need not count.

use super::ids::{IPC_PRIVATE, Ids, Object, Perm};
use crate::mm::{SharedMemory, Source, Space};
use alloc::rc::{Rc, Weak};
use core::cell::Cell;

/// Most segments of a host (`SHMMNI`).
pub const MAX_SEGMENTS: u32 = 4096;
/// Most bytes of a segment, and pages of all (`SHMMAX`, `SHMALL`).
pub const MAX_SIZE: u64 = u64::MAX - (1 << 24);
/// SHM_DEST: to be removed when the last one detaches.
pub const DEST: u32 = 0o1000;
/// SHM_LOCKED.
pub const LOCKED: u32 = 0o2000;

/// What mappings tell of the segment that they show, and what attaching and detaching leaves behind.
#[derive(Debug)]
pub struct Tag {
    /// `/proc/PID/maps` names it by its key.
    pub key: u32,
    /// Its identifier.
    pub id: Cell<u32>,
    /// Time of the last attach in seconds, or 0.
    pub atime: Cell<u64>,
    /// Time of the last detach.
    pub dtime: Cell<u64>,
    /// Who attached or detached last.
    pub pid: Cell<u32>,
}

enum Memory {
    /// There until it is removed.
    Kept(Rc<SharedMemory>),
    /// Removed: there as long as it is attached.
    Doomed(Weak<SharedMemory>),
}

/// A segment.
pub struct Segment {
    /// Key and owner.
    pub perm: Perm,
    /// Bytes as asked for.
    pub size: u64,
    /// Who made it.
    pub maker: u32,
    /// Time of the last change in seconds.
    pub ctime: u64,
    /// Shared with its mappings.
    pub tag: Rc<Tag>,
    memory: Memory,
}

impl Object for Segment {
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

impl Segment {
    /// A segment over memory that carries `tag`.
    pub fn new(perm: Perm, size: u64, maker: u32, now: u64, tag: Rc<Tag>, memory: SharedMemory) -> Segment {
        Segment { perm, size, maker, ctime: now, tag, memory: Memory::Kept(Rc::new(memory)) }
    }

    /// Its memory.
    pub fn memory(&self) -> Option<Rc<SharedMemory>> {
        match &self.memory {
            Memory::Kept(memory) => Some(memory.clone()),
            Memory::Doomed(memory) => memory.upgrade(),
        }
    }

    /// How many mappings show it.
    pub fn attached(&self) -> usize {
        match &self.memory {
            Memory::Kept(memory) => Rc::strong_count(memory) - 1,
            Memory::Doomed(memory) => memory.strong_count(),
        }
    }

    /// IPC_RMID: its key finds it no more, and it goes with its last mapping.
    pub fn doom(&mut self) {
        self.perm.key = IPC_PRIVATE;
        self.perm.mode |= DEST;
        if let Memory::Kept(memory) = &self.memory {
            self.memory = Memory::Doomed(Rc::downgrade(memory));
        }
    }

    fn lives(&self) -> bool {
        matches!(self.memory, Memory::Kept(_)) || self.attached() > 0
    }
}

/// Forgets removed segments that nobody shows any more.
pub fn sweep(segments: &mut Ids<Segment>) {
    segments.retain(Segment::lives);
}

/// Notes that all attached segments of an address space have been attached once more, or are about to be detached.
pub fn touch(space: &Space, pid: u32, now: u64, attach: bool) {
    for vma in space.vmas.values() {
        if let Source::Shared(memory, _) = &vma.source
            && let Some(tag) = &memory.tag
        {
            tag.pid.set(pid);
            if attach { &tag.atime } else { &tag.dtime }.set(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::store::Store;
    use crate::task::Cred;

    fn segment(store: &Store) -> Segment {
        let tag =
            Rc::new(Tag { key: 5, id: Cell::new(0), atime: Cell::new(0), dtime: Cell::new(0), pid: Cell::new(0) });
        let memory = SharedMemory { start: 0, count: 0, store: store.clone(), tag: Some(tag.clone()) };
        Segment::new(Perm::new(5, 0o600, &Cred::new(0, 0)), 1, 1, 0, tag, memory)
    }

    #[test]
    fn a_removed_segment_lives_as_long_as_it_is_attached() {
        let mut ids = Ids::new(10);
        let id = ids.insert(segment(&Store::default())).unwrap();
        let mapping = ids.get(id).unwrap().memory();
        assert_eq!(ids.get(id).unwrap().attached(), 1);
        ids.get_mut(id).unwrap().doom();
        sweep(&mut ids);
        assert_eq!(ids.get(id).unwrap().attached(), 1);
        assert_eq!(ids.find(5), None);
        drop(mapping);
        sweep(&mut ids);
        assert!(ids.get(id).is_err());
    }

    #[test]
    fn a_segment_that_nobody_shows_goes_when_it_is_removed() {
        let mut ids = Ids::new(10);
        let id = ids.insert(segment(&Store::default())).unwrap();
        sweep(&mut ids);
        assert!(ids.get(id).is_ok());
        ids.get_mut(id).unwrap().doom();
        sweep(&mut ids);
        assert!(ids.is_empty());
    }
}
