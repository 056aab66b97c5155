//! What the three kinds of System V objects share: identifiers, keys, owners (`sysvipc(7)`).

use crate::task::Cred;
use crate::uapi::{CAP_IPC_OWNER, CAP_SYS_ADMIN};
use alloc::collections::BTreeMap;
use snowglobe_abi::errno::{Errno, Result};

/// `IPC_PRIVATE`: a key that finds nothing.
pub const IPC_PRIVATE: u32 = 0;
/// `IPC_CREAT`
pub const IPC_CREAT: u32 = 0o1000;
/// `IPC_EXCL`
pub const IPC_EXCL: u32 = 0o2000;
/// `IPC_NOWAIT`
pub const IPC_NOWAIT: u32 = 0o4000;

/// Right to read, as three equal groups of permission bits.
pub const READ: u32 = 0o444;
/// Right to alter.
pub const WRITE: u32 = 0o222;

/// An identifier is a place in the table, and above it how often the places have been gone through.
const PLACES: u32 = 1 << 15;
/// Places are used one after the other, at least so many before the first is used again.
const MIN_CYCLE: u32 = 64;

/// Key, owner and permissions of an object (`struct ipc_perm`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perm {
    /// By which `get` calls find it.
    pub key: u32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Who made it.
    pub cuid: u32,
    /// The maker's group.
    pub cgid: u32,
    /// Permission bits, and for segments SHM_DEST and SHM_LOCKED.
    pub mode: u32,
}

impl Perm {
    /// Of an object that is made now.
    pub fn new(key: u32, flags: u32, cred: &Cred) -> Perm {
        let (uid, gid) = (cred.euid, cred.egid);
        Perm { key, uid, gid, cuid: uid, cgid: gid, mode: flags & 0o777 }
    }

    /// Whether `cred` has the rights of `want`, given as permission bits of any of the three groups.
    ///
    /// # Errors
    /// `EACCES`.
    pub fn check(&self, cred: &Cred, want: u32) -> Result<()> {
        let want = (want >> 6 | want >> 3 | want) & 0o7;
        let granted = if cred.euid == self.cuid || cred.euid == self.uid {
            self.mode >> 6
        } else if self.shares_group(cred) {
            self.mode >> 3
        } else {
            self.mode
        };
        if want & !granted != 0 && !cred.capable(CAP_IPC_OWNER) { Err(Errno::EACCES) } else { Ok(()) }
    }

    fn shares_group(&self, cred: &Cred) -> bool {
        let member = |gid: u32| cred.egid == gid || cred.groups.contains(&gid);
        member(self.cgid) || member(self.gid)
    }

    /// Whether `cred` may change or remove the object.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_owner(&self, cred: &Cred) -> Result<()> {
        let own = cred.euid == self.cuid || cred.euid == self.uid;
        if own || cred.capable(CAP_SYS_ADMIN) { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// IPC_SET: owner and permission bits are replaced.
    pub fn set(&mut self, uid: u32, gid: u32, mode: u32) {
        self.uid = uid;
        self.gid = gid;
        self.mode = self.mode & !0o777 | mode & 0o777;
    }
}

/// An object with key and owner.
pub trait Object {
    /// See [`Perm`].
    fn perm(&self) -> &Perm;
}

/// The objects of one kind on a host.
pub struct Ids<T> {
    entries: BTreeMap<u32, (u32, T)>,
    last: Option<u32>,
    round: u32,
    limit: u32,
}

impl<T: Object> Ids<T> {
    /// No objects, and at most `limit` of them.
    pub fn new(limit: u32) -> Ids<T> {
        Ids { entries: BTreeMap::new(), last: None, round: 0, limit }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The highest place in use, or 0: what the `INFO` commands return.
    pub fn highest(&self) -> u32 {
        self.entries.last_key_value().map_or(0, |(place, _)| *place)
    }

    /// Adds an object; returns its identifier.
    ///
    /// # Errors
    /// `ENOSPC`.
    pub fn insert(&mut self, object: T) -> Result<u32> {
        let used = self.entries.len() as u32;
        if used >= self.limit {
            return Err(Errno::ENOSPC);
        }
        let end = (used * 3 / 2).max(MIN_CYCLE).min(self.limit);
        let start = self.last.map_or(0, |l| l + 1);
        let place =
            (start..end).chain(0..end).find(|p| !self.entries.contains_key(p)).expect("a free place below the limit");
        if self.last.is_some_and(|last| place <= last) {
            self.round = (self.round + 1) % (i32::MAX as u32 / PLACES);
        }
        self.last = Some(place);
        self.entries.insert(place, (self.round, object));
        Ok(self.round * PLACES + place)
    }

    fn place(&self, id: u32) -> Result<u32> {
        if id as i32 <= -1 {
            return Err(Errno::EINVAL);
        }
        match self.entries.get(&(id % PLACES)) {
            None => Err(Errno::EINVAL),
            // The place has been given to another.
            Some((round, _)) if *round != id / PLACES => Err(Errno::EIDRM),
            Some(_) => Ok(id % PLACES),
        }
    }

    /// The object with an identifier.
    ///
    /// # Errors
    /// `EINVAL`, `EIDRM`.
    pub fn get(&self, id: u32) -> Result<&T> {
        let place = self.place(id)?;
        Ok(&self.entries[&place].1)
    }

    /// The object with an identifier, to change it.
    ///
    /// # Errors
    /// `EINVAL`, `EIDRM`.
    pub fn get_mut(&mut self, id: u32) -> Result<&mut T> {
        let place = self.place(id)?;
        self.entries.get_mut(&place).map(|(_, object)| object).ok_or(Errno::EINVAL)
    }

    /// The identifier at a place of the table, for the `STAT` commands.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn id_at(&self, place: u32) -> Result<u32> {
        self.entries.get(&place).map(|(round, _)| round * PLACES + place).ok_or(Errno::EINVAL)
    }

    /// The identifier of the object with a key.
    pub fn find(&self, key: u32) -> Option<u32> {
        self.iter().find(|(_, object)| object.perm().key == key).map(|(id, _)| id)
    }

    /// What the `get` calls do before they make an object: finds the one with a key, if it is to be found.
    ///
    /// # Errors
    /// `ENOENT`, `EEXIST`.
    pub fn look(&self, key: u32, flags: u32) -> Result<Option<u32>> {
        if key == IPC_PRIVATE {
            return Ok(None);
        }
        match self.find(key) {
            Some(_) if flags & IPC_CREAT != 0 && flags & IPC_EXCL != 0 => Err(Errno::EEXIST),
            Some(id) => Ok(Some(id)),
            None if flags & IPC_CREAT == 0 => Err(Errno::ENOENT),
            None => Ok(None),
        }
    }

    /// Takes an object away.
    ///
    /// # Errors
    /// `EINVAL`, `EIDRM`.
    pub fn remove(&mut self, id: u32) -> Result<T> {
        let place = self.place(id)?;
        self.entries.remove(&place).map(|(_, object)| object).ok_or(Errno::EINVAL)
    }

    /// Takes the objects away that do not satisfy a condition.
    pub fn retain(&mut self, test: impl Fn(&T) -> bool) {
        self.entries.retain(|_, (_, object)| test(object));
    }

    /// All objects with their identifiers, by place.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.entries.iter().map(|(place, (round, object))| (round * PLACES + place, object))
    }

    /// All objects, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.values_mut().map(|(_, object)| object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(Perm);
    impl Object for Thing {
        fn perm(&self) -> &Perm {
            &self.0
        }
    }

    fn thing(key: u32, mode: u32) -> Thing {
        Thing(Perm::new(key, mode, &Cred::new(1000, 1000)))
    }

    #[test]
    fn the_identifier_of_a_removed_object_is_not_that_of_the_next() {
        let mut ids = Ids::new(100);
        let first = ids.insert(thing(0, 0)).unwrap();
        ids.remove(first).unwrap();
        let second = ids.insert(thing(0, 0)).unwrap();
        assert_ne!(first, second);
        assert_eq!(ids.get(first).err(), Some(Errno::EINVAL));
    }

    #[test]
    fn a_place_that_is_used_again_makes_the_old_identifier_a_removed_one() {
        let mut ids = Ids::new(100);
        let first = ids.insert(thing(0, 0)).unwrap();
        for _ in 0..64 {
            ids.remove(ids.id_at(ids.highest()).unwrap()).unwrap();
            ids.insert(thing(0, 0)).unwrap();
        }
        assert_eq!(ids.get(first).err(), Some(Errno::EIDRM));
    }

    #[test]
    fn more_objects_than_the_limit_are_refused() {
        let mut ids = Ids::new(3);
        for _ in 0..3 {
            ids.insert(thing(0, 0)).unwrap();
        }
        assert_eq!(ids.insert(thing(0, 0)), Err(Errno::ENOSPC));
    }

    #[test]
    fn a_key_is_found_made_or_refused_as_the_flags_say() {
        let mut ids = Ids::new(3);
        assert_eq!(ids.look(7, 0), Err(Errno::ENOENT));
        assert_eq!(ids.look(7, IPC_CREAT), Ok(None));
        let id = ids.insert(thing(7, 0)).unwrap();
        assert_eq!(ids.look(7, IPC_CREAT), Ok(Some(id)));
        assert_eq!(ids.look(7, IPC_CREAT | IPC_EXCL), Err(Errno::EEXIST));
        assert_eq!(ids.look(IPC_PRIVATE, 0), Ok(None));
    }

    #[test]
    fn permission_bits_are_those_of_the_class_that_the_caller_is_in() {
        let perm = thing(0, 0o640).0;
        let owner = Cred::new(1000, 1);
        let group = Cred::new(1001, 1000);
        let other = Cred::new(1001, 1001);
        assert!(perm.check(&owner, READ | WRITE).is_ok());
        assert!(perm.check(&group, READ).is_ok());
        assert_eq!(perm.check(&group, WRITE), Err(Errno::EACCES));
        assert_eq!(perm.check(&other, READ), Err(Errno::EACCES));
        assert!(perm.check(&Cred::new(0, 0), READ | WRITE).is_ok());
        assert_eq!(perm.check_owner(&group), Err(Errno::EPERM));
    }
}
