//! Making, moving and removing names; links.

use super::event::Happening;
use super::paths::same;
use crate::fs::dev::Device;
use crate::fs::disk::Joined;
use crate::fs::inode::{Inode, InodeRef, Node};
use crate::fs::path::Found;
use crate::fs::{pipe::Pipe, procfs};
use crate::mem;
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::rc::Rc;
use snowglobe_abi::errno::{Errno, Result};

impl Cx<'_> {
    fn mkdir_at(&mut self, dirfd: i32, path: usize, mode: u32) -> Answer {
        let found = self.at(dirfd, path, false)?;
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (mode, uid, gid) = cx.new_owner(dir, mode & 0o1777, true);
            Ok(Inode::new_dir(&dir.fs, mode, uid, gid, now))
        })?;
        Ok(0)
    }

    fn mknod_at(&mut self, dirfd: i32, path: usize, mode: u32, dev: u64) -> Answer {
        let found = self.at(dirfd, path, false)?;
        if found.slash && found.node.is_none() {
            return Err(Errno::ENOENT.into());
        }
        let kind = if mode & S_IFMT == 0 { S_IFREG } else { mode & S_IFMT };
        if matches!(kind, S_IFCHR | S_IFBLK) && !self.proc().cred.capable(27) && found.node.is_none() {
            return Err(Errno::EPERM.into());
        }
        if kind == S_IFDIR {
            return Err(Errno::EPERM.into());
        }
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (mode, uid, gid) = cx.new_owner(dir, mode, false);
            let node = match kind {
                S_IFREG => return Ok(Inode::new_file(&dir.fs, mode, uid, gid, now)),
                S_IFIFO => Node::Fifo(Pipe::new(0)),
                S_IFSOCK => Node::Socket(0),
                S_IFCHR | S_IFBLK => Node::Device(Device::from_rdev(dev)),
                _ => return Err(Errno::EINVAL),
            };
            Ok(Inode::new(&dir.fs, kind | mode, uid, gid, now, node))
        })?;
        Ok(0)
    }

    fn symlink_at(&mut self, target: u64, dirfd: i32, path: usize) -> Answer {
        let target = mem::path(self.m, target)?;
        if target.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        let found = self.at(dirfd, path, false)?;
        if found.slash && found.node.is_none() {
            return Err(Errno::ENOENT.into());
        }
        let now = self.k.realtime();
        self.add_name(&found, |cx, dir| {
            let (_, uid, gid) = cx.new_owner(dir, 0, false);
            Ok(Inode::new(&dir.fs, S_IFLNK | 0o777, uid, gid, now, Node::Symlink(target)))
        })?;
        Ok(0)
    }

    fn link_at(&mut self, old: (i32, u64), new: (i32, usize), flags: u32) -> Answer {
        if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let nofollow = if flags & AT_SYMLINK_FOLLOW == 0 { AT_SYMLINK_NOFOLLOW } else { 0 };
        let node = self.at_inode(old.0, old.1, nofollow | flags & AT_EMPTY_PATH)?.inode()?;
        let found = self.at(new.0, new.1, false)?;
        if found.node.is_some() {
            return Err(Errno::EEXIST.into());
        }
        if found.slash {
            return Err(Errno::ENOENT.into());
        }
        if node.is_dir() {
            return Err(Errno::EPERM.into());
        }
        if !Rc::ptr_eq(&node.fs, &found.dir.fs) {
            return Err(Errno::EXDEV.into());
        }
        // linkat(2): a file that has lost its last name gets no new one; one made with O_TMPFILE may.
        if node.meta.borrow().nlink == 0 && !node.linkable.get() {
            return Err(Errno::ENOENT.into());
        }
        let now = self.k.realtime();
        let linked = node.clone();
        self.add_name(&found, |cx, _| {
            cx.k.notify_inode(&linked, IN_ATTRIB, None);
            Ok(linked)
        })?;
        let mut meta = node.meta.borrow_mut();
        meta.nlink += 1;
        meta.ctime = now;
        Ok(0)
    }

    fn unlink_at(&mut self, dirfd: i32, path: usize, dir: bool) -> Answer {
        let raw = mem::path(self.m, self.args[path])?;
        let found = self.k.walk(self.m, self.task, dirfd, &raw, false)?;
        let node = found.inode()?;
        if found.name.is_empty() {
            let last = raw.split(|b| *b == b'/').rfind(|p| !p.is_empty());
            return Err(match (dir, last) {
                (true, Some(b".")) => Errno::EINVAL,
                (true, Some(b"..")) => Errno::ENOTEMPTY,
                (true, _) => Errno::EBUSY,
                (false, _) => Errno::EISDIR,
            }
            .into());
        }
        if matches!(found.dir.node, Node::Proc(_)) {
            return Err(Errno::EPERM.into());
        }
        if dir {
            if !node.is_dir() {
                return Err(Errno::ENOTDIR.into());
            }
            self.may_remove(&found.dir, &node)?;
            if !node.covers.borrow().is_empty() {
                return Err(Errno::EBUSY.into());
            }
            if !node.is_empty_dir(self.m)? {
                return Err(Errno::ENOTEMPTY.into());
            }
        } else {
            self.may_remove(&found.dir, &node)?;
            if node.is_dir() {
                return Err(Errno::EISDIR.into());
            }
        }
        self.k.catch_up_disk(self.m, &found.dir.fs);
        self.k.disk_change(&found.dir, &found.name, false)?;
        self.remove_name(&found.dir, &found.name, &node, true)?;
        Ok(0)
    }

    /// Takes a name away and counts it; `told` says whether watchers are told here.
    fn remove_name(&mut self, dir: &InodeRef, name: &[u8], node: &InodeRef, told: bool) -> Result<()> {
        let now = self.k.realtime();
        dir.unlink(name, node, now)?;
        {
            let mut meta = node.meta.borrow_mut();
            meta.nlink = if meta.mode & S_IFMT == S_IFDIR { 0 } else { meta.nlink.saturating_sub(1) };
            meta.ctime = now;
        }
        let bit = if node.is_dir() { IN_ISDIR } else { 0 };
        if told {
            if !node.is_dir() {
                self.k.notify_inode(node, IN_ATTRIB, None);
            }
            self.k.notify_if_gone(node);
            self.k.notify_inode(dir, IN_DELETE | bit, Some(name));
        }
        Ok(())
    }

    fn rename_at(&mut self, old: (i32, usize), new: (i32, usize), flags: u32) -> Answer {
        const NOREPLACE: u32 = 1;
        const EXCHANGE: u32 = 2;
        if flags & !(NOREPLACE | EXCHANGE) != 0 || flags == NOREPLACE | EXCHANGE {
            return Err(Errno::EINVAL.into());
        }
        let from = self.at(old.0, old.1, false)?;
        let to = self.at(new.0, new.1, false)?;
        if from.name.is_empty() || to.name.is_empty() {
            return Err(Errno::EBUSY.into());
        }
        let node = from.inode()?;
        if !Rc::ptr_eq(&from.dir.fs, &to.dir.fs) {
            return Err(Errno::EXDEV.into());
        }
        self.may_remove(&from.dir, &node)?;
        self.may_change(&to.dir)?;
        if (from.slash || to.slash) && !node.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        // A directory cannot move below itself.
        let root = self.proc().fs.borrow().root.clone();
        let mut up = to.dir.clone();
        loop {
            if same(&up, &node) {
                return Err(Errno::EINVAL.into());
            }
            let parent = up.parent(&root);
            if same(&parent, &up) {
                break;
            }
            up = parent;
        }
        self.k.catch_up_disk(self.m, &from.dir.fs);
        self.k.disk_change(&from.dir, &from.name, false)?;
        self.k.disk_change(&to.dir, &to.name, false)?;
        // A crash keeps all of it or nothing.
        let now = self.k.realtime();
        let disk = from.dir.fs.disk.clone();
        let _one = disk.as_ref().map(|disk| Joined::new(disk, now));
        if flags & EXCHANGE != 0 {
            let other = to.inode()?;
            from.dir.unlink(&from.name, &node, now)?;
            to.dir.unlink(&to.name, &other, now)?;
            from.dir.link(&from.name, &other, now)?;
            to.dir.link(&to.name, &node, now)?;
            self.tell_move(&from, &to, &node, None);
            self.tell_move(&to, &from, &other, None);
            return Ok(0);
        }
        if let Some(target) = &to.node {
            if flags & NOREPLACE != 0 {
                return Err(Errno::EEXIST.into());
            }
            if same(target, &node) {
                return Ok(0);
            }
            self.may_remove(&to.dir, target)?;
            match (node.is_dir(), target.is_dir()) {
                (true, false) => return Err(Errno::ENOTDIR.into()),
                (false, true) => return Err(Errno::EISDIR.into()),
                (true, true) if !target.is_empty_dir(self.m)? => return Err(Errno::ENOTEMPTY.into()),
                _ => {}
            }
            if !target.covers.borrow().is_empty() {
                return Err(Errno::EBUSY.into());
            }
            if let Some(disk) = &disk {
                disk.replaces(&node, now);
            }
            self.remove_name(&to.dir, &to.name, target, false)?;
        }
        from.dir.unlink(&from.name, &node, now)?;
        to.dir.link(&to.name, &node, now)?;
        node.meta.borrow_mut().ctime = now;
        self.tell_move(&from, &to, &node, to.node.as_ref());
        Ok(0)
    }

    /// Tells of a rename: the names with a cookie in common, what was in the way, the file itself.
    fn tell_move(&mut self, from: &Found, to: &Found, node: &InodeRef, over: Option<&InodeRef>) {
        node.note_move((&from.dir, &from.name), (&to.dir, &to.name));
        self.k.moves += 1;
        let cookie = self.k.moves;
        let bit = if node.is_dir() { IN_ISDIR } else { 0 };
        for (found, event) in [(from, IN_MOVED_FROM), (to, IN_MOVED_TO)] {
            let what = Happening { event: event | bit, name: Some(&found.name), cookie, gone: false };
            self.k.notify(&found.dir, what);
        }
        if Rc::ptr_eq(&from.dir, &to.dir) {
            self.k.notify_inode(&from.dir, super::event::RENAMED, None);
        }
        if let Some(over) = over.filter(|o| !o.is_dir()) {
            self.k.notify_inode(over, IN_ATTRIB, None);
        }
        self.k.notify_inode(node, IN_MOVE_SELF, None);
        if let Some(over) = over {
            self.k.notify_if_gone(over);
        }
    }
}

pub fn mkdir(cx: &mut Cx) -> Answer {
    cx.mkdir_at(AT_FDCWD, 0, cx.uint(1))
}

pub fn mkdirat(cx: &mut Cx) -> Answer {
    cx.mkdir_at(cx.int(0), 1, cx.uint(2))
}

pub fn mknod(cx: &mut Cx) -> Answer {
    cx.mknod_at(AT_FDCWD, 0, cx.uint(1), cx.args[2])
}

pub fn mknodat(cx: &mut Cx) -> Answer {
    cx.mknod_at(cx.int(0), 1, cx.uint(2), cx.args[3])
}

pub fn symlink(cx: &mut Cx) -> Answer {
    cx.symlink_at(cx.args[0], AT_FDCWD, 1)
}

pub fn symlinkat(cx: &mut Cx) -> Answer {
    cx.symlink_at(cx.args[0], cx.int(1), 2)
}

pub fn link(cx: &mut Cx) -> Answer {
    cx.link_at((AT_FDCWD, cx.args[0]), (AT_FDCWD, 1), 0)
}

pub fn linkat(cx: &mut Cx) -> Answer {
    cx.link_at((cx.int(0), cx.args[1]), (cx.int(2), 3), cx.uint(4))
}

pub fn unlink(cx: &mut Cx) -> Answer {
    cx.unlink_at(AT_FDCWD, 0, false)
}

pub fn rmdir(cx: &mut Cx) -> Answer {
    cx.unlink_at(AT_FDCWD, 0, true)
}

pub fn unlinkat(cx: &mut Cx) -> Answer {
    if cx.uint(2) & !AT_REMOVEDIR != 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.unlink_at(cx.int(0), 1, cx.uint(2) & AT_REMOVEDIR != 0)
}

pub fn rename(cx: &mut Cx) -> Answer {
    cx.rename_at((AT_FDCWD, 0), (AT_FDCWD, 1), 0)
}

pub fn renameat(cx: &mut Cx) -> Answer {
    cx.rename_at((cx.int(0), 1), (cx.int(2), 3), 0)
}

pub fn renameat2(cx: &mut Cx) -> Answer {
    cx.rename_at((cx.int(0), 1), (cx.int(2), 3), cx.uint(4))
}

impl Cx<'_> {
    fn read_link(&mut self, dirfd: i32, path: u64, buf: u64, len: u64) -> Answer {
        if len as i32 <= 0 {
            return Err(Errno::EINVAL.into());
        }
        let raw = mem::path(self.m, path)?;
        let node = if raw.is_empty() && dirfd != AT_FDCWD {
            self.any_file(dirfd)?.inode.clone().ok_or(Errno::ENOENT)?
        } else {
            self.k.walk(self.m, self.task, dirfd, &raw, false)?.inode()?
        };
        let target = match &node.node {
            Node::Symlink(target) => target.clone(),
            Node::Proc(proc) if node.kind() == S_IFLNK => procfs::link_text(self, proc)?,
            _ => return Err(Errno::EINVAL.into()),
        };
        let n = target.len().min(len as usize);
        self.m.write(buf, &target[..n])?;
        Ok(n as i64)
    }
}

pub fn readlink(cx: &mut Cx) -> Answer {
    cx.read_link(AT_FDCWD, cx.args[0], cx.args[1], cx.args[2])
}

pub fn readlinkat(cx: &mut Cx) -> Answer {
    cx.read_link(cx.int(0), cx.args[1], cx.args[2], cx.args[3])
}
