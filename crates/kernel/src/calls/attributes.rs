//! Rights, owners and times of files.

use crate::fs::inode::InodeRef;
use crate::fs::path::{W, permit, permit_as};
use crate::mem;
use crate::uapi::*;
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};

impl Cx<'_> {
    fn access(&mut self, dirfd: i32, path: u64, mode: u32, flags: u32) -> Answer {
        if mode & !7 != 0 || flags & !(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let mut cred = self.proc().cred.clone();
        if flags & AT_EACCESS == 0 {
            // access(2) asks with the real ids, and with the capabilities that they would have.
            cred.fsuid = cred.uid;
            cred.fsgid = cred.gid;
            cred.caps[0] = if cred.uid == 0 { cred.caps[1] } else { 0 };
        }
        let node = if path != 0 || flags & AT_EMPTY_PATH == 0 {
            let path = mem::path(self.m, path)?;
            if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
                self.any_file(dirfd)?.inode.clone().ok_or(Errno::EINVAL)?
            } else {
                let follow = flags & AT_SYMLINK_NOFOLLOW == 0;
                let found = self.k.walk_as(self.m, self.task, dirfd, &path, follow, &cred)?;
                if found.file.as_ref().is_some_and(|f| f.inode.is_none()) {
                    return Ok(0);
                }
                found.inode()?
            }
        } else {
            self.any_file(dirfd)?.inode.clone().ok_or(Errno::EINVAL)?
        };
        permit_as(&cred, cred.fsuid, cred.fsgid, &node, mode)?;
        if mode & W != 0 && self.is_read_only(&node) && matches!(node.kind(), S_IFREG | S_IFDIR | S_IFLNK) {
            return Err(Errno::EROFS.into());
        }
        Ok(0)
    }
}

pub fn access(cx: &mut Cx) -> Answer {
    cx.access(AT_FDCWD, cx.args[0], cx.uint(1), 0)
}

pub fn faccessat(cx: &mut Cx) -> Answer {
    cx.access(cx.int(0), cx.args[1], cx.uint(2), 0)
}

pub fn faccessat2(cx: &mut Cx) -> Answer {
    cx.access(cx.int(0), cx.args[1], cx.uint(2), cx.uint(3))
}

impl Cx<'_> {
    fn chmod_inode(&mut self, node: &InodeRef, mode: u32) -> Answer {
        if self.is_read_only(node) {
            return Err(Errno::EROFS.into());
        }
        let cred = self.proc().cred.clone();
        {
            let meta = node.meta.borrow();
            if cred.fsuid != meta.uid && !cred.capable(CAP_FOWNER) {
                return Err(Errno::EPERM.into());
            }
            if meta.mode & S_IFMT == S_IFLNK {
                return Err(Errno::EOPNOTSUPP.into());
            }
        }
        self.k.catch_up_disk(self.m, &node.fs);
        let now = self.k.realtime();
        node.change(now, |meta| {
            let mut mode = mode & 0o7777;
            if !cred.in_group(meta.gid) && !cred.capable(CAP_FSETID) {
                mode &= !S_ISGID;
            }
            meta.mode = meta.mode & S_IFMT | mode;
            meta.ctime = now;
        });
        self.k.notify_found(node, IN_ATTRIB);
        Ok(0)
    }

    fn chown_inode(&mut self, node: &InodeRef, uid: u32, gid: u32) -> Answer {
        if self.is_read_only(node) {
            return Err(Errno::EROFS.into());
        }
        let cred = self.proc().cred.clone();
        let (old_uid, old_gid) = (node.meta.borrow().uid, node.meta.borrow().gid);
        let new_uid = if uid == u32::MAX { old_uid } else { uid };
        let new_gid = if gid == u32::MAX { old_gid } else { gid };
        if !cred.capable(CAP_CHOWN) {
            let own = cred.fsuid == old_uid;
            if new_uid != old_uid || (gid != u32::MAX && !(own && (new_gid == old_gid || cred.in_group(new_gid)))) {
                return Err(Errno::EPERM.into());
            }
        }
        self.k.catch_up_disk(self.m, &node.fs);
        let now = self.k.realtime();
        node.change(now, |meta| {
            meta.uid = new_uid;
            meta.gid = new_gid;
            if meta.mode & S_IFMT == S_IFREG && meta.mode & 0o111 != 0 {
                meta.mode &= !S_ISUID;
                if meta.mode & 0o010 != 0 {
                    meta.mode &= !S_ISGID;
                }
            }
            meta.ctime = now;
        });
        self.k.notify_found(node, IN_ATTRIB);
        Ok(0)
    }
}

pub fn chmod(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.chmod_inode(&node, cx.uint(1))
}

pub fn fchmod(cx: &mut Cx) -> Answer {
    let Some(node) = cx.inode_of(0)? else { return Ok(0) };
    cx.chmod_inode(&node, cx.uint(1))
}

pub fn fchmodat(cx: &mut Cx) -> Answer {
    let node = cx.at(cx.int(0), 1, true)?.inode()?;
    cx.chmod_inode(&node, cx.uint(2))
}

pub fn fchmodat2(cx: &mut Cx) -> Answer {
    let flags = cx.uint(3);
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let node = cx.at_inode(cx.int(0), cx.args[1], flags)?.inode()?;
    cx.chmod_inode(&node, cx.uint(2))
}

pub fn chown(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.chown_inode(&node, cx.uint(1), cx.uint(2))
}

pub fn lchown(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, false)?.inode()?;
    cx.chown_inode(&node, cx.uint(1), cx.uint(2))
}

pub fn fchown(cx: &mut Cx) -> Answer {
    let Some(node) = cx.inode_of(0)? else { return Ok(0) };
    cx.chown_inode(&node, cx.uint(1), cx.uint(2))
}

pub fn fchownat(cx: &mut Cx) -> Answer {
    let node = cx.at_inode(cx.int(0), cx.args[1], cx.uint(4))?.inode()?;
    cx.chown_inode(&node, cx.uint(2), cx.uint(3))
}

pub fn umask(cx: &mut Cx) -> Answer {
    let new = cx.uint(0) & 0o777;
    let mut fs = cx.proc().fs.borrow_mut();
    Ok(i64::from(core::mem::replace(&mut fs.umask, new)))
}

impl Cx<'_> {
    /// Sets access and modification time; `None` leaves a time, `Some(None)` is now.
    fn set_times(&mut self, node: &InodeRef, times: [Option<Option<u64>>; 2]) -> Answer {
        if self.is_read_only(node) {
            return Err(Errno::EROFS.into());
        }
        let cred = &self.proc().cred;
        let owner = cred.fsuid == node.meta.borrow().uid || cred.capable(CAP_FOWNER);
        let all_now = times.iter().all(|t| matches!(t, Some(None)));
        let none = times.iter().all(Option::is_none);
        if !owner && !none {
            // utimensat(2): setting both to now needs only the right to write.
            if !all_now {
                return Err(Errno::EPERM.into());
            }
            permit(cred, node, W)?;
        }
        let now = self.k.realtime();
        self.k.catch_up_disk(self.m, &node.fs);
        node.change(now, |meta| {
            if let Some(t) = times[0] {
                meta.atime = t.unwrap_or(now);
            }
            if let Some(t) = times[1] {
                meta.mtime = t.unwrap_or(now);
            }
            if !none {
                meta.ctime = now;
            }
        });
        let event = match times {
            [Some(_), Some(_)] => IN_ATTRIB,
            [Some(_), None] => IN_ACCESS,
            [None, Some(_)] => IN_MODIFY,
            [None, None] => return Ok(0),
        };
        self.k.notify_found(node, event);
        Ok(0)
    }

    fn read_times(&mut self, addr: u64) -> Result<[Option<Option<u64>>; 2]> {
        const UTIME_NOW: u64 = 0x3fff_ffff;
        const UTIME_OMIT: u64 = 0x3fff_fffe;
        if addr == 0 {
            return Ok([Some(None); 2]);
        }
        let raw: [u8; 32] = mem::array(self.m, addr)?;
        let mut out = [None; 2];
        for (i, slot) in out.iter_mut().enumerate() {
            let (sec, nsec) = (mem::field64(&raw, i * 16) as i64, mem::field64(&raw, i * 16 + 8));
            *slot = match nsec {
                UTIME_NOW => Some(None),
                UTIME_OMIT => None,
                0..1_000_000_000 => Some(Some((sec.max(0) as u64).saturating_mul(1_000_000_000).saturating_add(nsec))),
                _ => return Err(Errno::EINVAL),
            };
        }
        Ok(out)
    }
}

pub fn utimensat(cx: &mut Cx) -> Answer {
    let times = cx.read_times(cx.args[2])?;
    let flags = cx.uint(3);
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if cx.args[1] == 0 && cx.int(0) != AT_FDCWD {
        let Some(node) = cx.inode_of(0)? else { return Ok(0) };
        return cx.set_times(&node, times);
    }
    let node = cx.at_inode(cx.int(0), cx.args[1], flags)?.inode()?;
    cx.set_times(&node, times)
}

pub fn utimes(cx: &mut Cx) -> Answer {
    let times = cx.timeval_times(cx.args[1])?;
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.set_times(&node, times)
}

pub fn futimesat(cx: &mut Cx) -> Answer {
    let times = cx.timeval_times(cx.args[2])?;
    let node = cx.at_inode(cx.int(0), cx.args[1], AT_EMPTY_PATH)?.inode()?;
    cx.set_times(&node, times)
}

pub fn utime(cx: &mut Cx) -> Answer {
    let times = if cx.args[1] == 0 {
        [Some(None); 2]
    } else {
        let raw: [u8; 16] = mem::array(cx.m, cx.args[1])?;
        let sec = |at| Some(Some(mem::field64(&raw, at).saturating_mul(1_000_000_000)));
        [sec(0), sec(8)]
    };
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.set_times(&node, times)
}

impl Cx<'_> {
    fn timeval_times(&mut self, addr: u64) -> Result<[Option<Option<u64>>; 2]> {
        if addr == 0 {
            return Ok([Some(None); 2]);
        }
        let raw: [u8; 32] = mem::array(self.m, addr)?;
        let one = |at: usize| {
            let (sec, usec) = (mem::field64(&raw, at), mem::field64(&raw, at + 8));
            if usec >= 1_000_000 {
                Err(Errno::EINVAL)
            } else {
                Ok(Some(Some(sec.saturating_mul(1_000_000_000).saturating_add(usec * 1000))))
            }
        };
        Ok([one(0)?, one(16)?])
    }
}
