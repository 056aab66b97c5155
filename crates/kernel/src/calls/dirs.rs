//! Where a process is, and what is in a directory.

use crate::fs::file::FileRef;
use crate::fs::inode::{Entry, InodeRef, Node};
use crate::fs::path::{X, permit};
use crate::fs::procfs;
use crate::mem::{self, Struct};
use crate::uapi::*;
use crate::{Answer, Cx};
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
        let room = self.args[2] as usize;
        while let Some(entry) = self.dirent(&file, &node, at)? {
            let bytes = layout(&entry, at + 1);
            if out.len() + bytes.len() > room {
                if out.is_empty() {
                    return Err(Errno::EINVAL.into());
                }
                break;
            }
            at += 1;
            out.extend(bytes);
            *file.dir_at.borrow_mut() = Some(entry.name);
        }
        self.m.write(self.args[1], &out)?;
        file.pos.set(at);
        self.k.notify_file(&node, file.name.as_ref(), IN_ACCESS);
        Ok(out.len() as i64)
    }
}

impl Cx<'_> {
    /// The entry at a position: `.` and `..`, then the names in order as they stood when the listing began.
    fn dirent(&mut self, file: &FileRef, node: &InodeRef, at: u64) -> Result<Option<Dirent>> {
        match at {
            0 => return Ok(Some(Dirent { ino: node.ino, kind: S_IFDIR, name: b".".to_vec() })),
            1 => {
                return Ok(Some(Dirent {
                    ino: node.parent(&self.proc().fs.borrow().root).ino,
                    kind: S_IFDIR,
                    name: b"..".to_vec(),
                }));
            }
            _ => {}
        }
        if let Node::Proc(proc) = &node.node {
            let list = procfs::list(self, proc);
            let entry = list.into_iter().nth(at as usize - 2);
            return Ok(entry.map(|(name, kind)| Dirent { ino: 4_000_000 + at, kind, name }));
        }
        if at == 2 {
            node.list(self.m)?;
            *file.dir_at.borrow_mut() = None;
        }
        // The last name given out is the place from which to go on, so that names removed meanwhile shift nothing.
        let dir = node.dir()?.borrow();
        let last = file.dir_at.borrow().clone();
        let from = match &last {
            Some(last) => core::ops::Bound::Excluded(last.clone()),
            None => core::ops::Bound::Unbounded,
        };
        let next = dir.entries.range((from, core::ops::Bound::Unbounded)).find_map(|(name, entry)| match entry {
            Entry::There(node) => Some((name.clone(), node.top())),
            Entry::Gone => None,
        });
        Ok(next.map(|(name, node)| Dirent { ino: node.ino, kind: node.kind(), name }))
    }
}
