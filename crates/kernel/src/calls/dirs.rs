//! Where a process is, and what is in a directory.

use crate::fs::inode::{Entry, InodeRef, Node};
use crate::fs::path::{X, permit};
use crate::fs::procfs;
use crate::mem::{self, Struct};
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

pub fn chdir(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.enter(node)
}

pub fn fchdir(cx: &mut Cx) -> Answer {
    let node = cx.any_file(cx.int(0))?.inode.clone().ok_or(Errno::ENOTDIR)?;
    cx.enter(node)
}

pub fn chroot(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    if !node.is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    permit(&cx.proc().cred, &node, X)?;
    if !cx.proc().cred.capable(CAP_SYS_CHROOT) {
        return Err(Errno::EPERM.into());
    }
    cx.proc().fs.borrow_mut().root = node;
    Ok(0)
}

impl Cx<'_> {
    fn enter(&mut self, node: InodeRef) -> Answer {
        if !node.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        permit(&self.proc().cred, &node, X)?;
        self.proc().fs.borrow_mut().cwd = node;
        Ok(0)
    }
}

pub fn getcwd(cx: &mut Cx) -> Answer {
    let fs = cx.proc().fs.borrow().clone();
    let gone = fs.cwd.meta.borrow().nlink == 0;
    let mut path = if gone { None } else { fs.cwd.dir_path(&fs.root) }.ok_or(Errno::ENOENT)?;
    path.push(0);
    if path.len() > mem::PATH_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    if path.len() as u64 > cx.args[1] {
        return Err(Errno::ERANGE.into());
    }
    cx.m.write(cx.args[0], &path)?;
    Ok(path.len() as i64)
}

/// Position of the first entry after `.` and `..`.
const NAMES: u64 = 2;

/// A directory entry as `getdents64` gives it.
struct Dirent {
    ino: u64,
    kind: u32,
    name: Vec<u8>,
}

pub fn getdents64(cx: &mut Cx) -> Answer {
    cx.put_dirents(|entry, next| {
        let len = (19 + entry.name.len() + 1).next_multiple_of(8);
        let out = Struct::new().u64(entry.ino).u64(next).u16(len as u16);
        out.bytes(&[(entry.kind >> 12) as u8]).bytes(&entry.name).pad(len).0
    })
}

pub fn getdents(cx: &mut Cx) -> Answer {
    cx.put_dirents(|entry, next| {
        // getdents(2): the type is the last byte.
        let len = (18 + entry.name.len() + 2).next_multiple_of(8);
        let out = Struct::new().u64(entry.ino).u64(next).u16(len as u16).bytes(&entry.name);
        out.pad(len - 1).bytes(&[(entry.kind >> 12) as u8]).0
    })
}

impl Cx<'_> {
    /// Hands entries out in the form that `layout` gives them: entry and position after it.
    fn put_dirents(&mut self, layout: fn(&Dirent, u64) -> Vec<u8>) -> Answer {
        let file = self.file(0)?;
        let node = file.inode.clone().ok_or(Errno::ENOTDIR)?;
        if !node.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        let mut out: Vec<u8> = Vec::new();
        let mut at = file.pos.get();
        let now = match &node.node {
            Node::Proc(proc) => Some(procfs::list(self, proc)),
            _ => None,
        };
        if at <= NAMES || file.listing.borrow().is_empty() {
            *file.listing.borrow_mut() = match &now {
                Some(now) => now.iter().map(|(name, _)| name.clone()).collect(),
                None => self.names_in(&node)?,
            };
        }
        let now: Option<BTreeMap<_, _>> = now.map(|now| now.into_iter().collect());
        let room = self.args[2] as usize;
        while let Some((entry, next)) = self.dirent(&node, &file.listing.borrow(), now.as_ref(), at)? {
            let bytes = layout(&entry, next);
            if out.len() + bytes.len() > room {
                if out.is_empty() {
                    return Err(Errno::EINVAL.into());
                }
                break;
            }
            at = next;
            out.extend(bytes);
        }
        self.m.write(self.args[1], &out)?;
        file.pos.set(at);
        self.k.notify_file(&node, file.name.as_ref(), IN_ACCESS);
        Ok(out.len() as i64)
    }

    fn names_in(&mut self, node: &InodeRef) -> Result<Vec<Vec<u8>>> {
        node.list(self.m)?;
        let dir = node.dir()?.borrow();
        let there = dir.entries.iter().filter(|(_, entry)| matches!(entry, Entry::There(_)));
        Ok(there.map(|(name, _)| name.clone()).collect())
    }

    /// The entry at a position and the position after it: `.` and `..`, then the names as they stood when the listing began,
    /// without those that have gone since. `now` is what a computed directory holds.
    fn dirent(
        &self,
        node: &InodeRef,
        names: &[Vec<u8>],
        now: Option<&BTreeMap<Vec<u8>, u32>>,
        at: u64,
    ) -> Result<Option<(Dirent, u64)>> {
        if at < NAMES {
            let (name, ino) = match at {
                0 => (&b"."[..], node.ino),
                _ => (&b".."[..], node.parent(&self.proc().fs.borrow().root).ino),
            };
            return Ok(Some((Dirent { ino, kind: S_IFDIR, name: name.to_vec() }, at + 1)));
        }
        let rest = names.iter().zip(NAMES..).skip((at - NAMES) as usize);
        if let Some(now) = now {
            let mut there = rest.filter_map(|(name, at)| now.get(name).map(|kind| (name, at, *kind)));
            return Ok(there.next().map(|(name, at, kind)| {
                const FIRST: u64 = 4_000_000;
                (Dirent { ino: FIRST + at, kind, name: name.clone() }, at + 1)
            }));
        }
        let dir = node.dir()?.borrow();
        let mut there = rest.filter_map(|(name, at)| match dir.entries.get(name) {
            Some(Entry::There(node)) => Some((name, at, node.top())),
            _ => None,
        });
        Ok(there.next().map(|(name, at, node)| {
            let entry = Dirent { ino: node.ino, kind: node.kind(), name: name.clone() };
            (entry, at + 1)
        }))
    }
}
