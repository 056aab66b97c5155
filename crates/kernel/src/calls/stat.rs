//! What is told of files and file systems (`stat(2)`, `statx(2)`, `statfs(2)`).

use super::paths::{Target, kind_mode};
use crate::fs::file::FileKind;
use crate::fs::inode::{InodeRef, Node};
use crate::fs::procfs;
use crate::mem::Struct;
use crate::uapi::*;
use crate::{Answer, Cx};
use snowglobe_abi::errno::Errno;
use snowglobe_abi::map::PAGE;

/// The numbers of `struct stat` and `struct statx`.
struct Stat {
    dev: u64,
    ino: u64,
    mode: u32,
    nlink: u32,
    uid: u32,
    gid: u32,
    rdev: u64,
    size: u64,
    blocks: u64,
    times: [u64; 4],
}

impl Cx<'_> {
    fn stat_of(&self, target: &Target) -> Stat {
        match target {
            Target::Inode(inode) => self.stat_inode(inode),
            Target::File(file) => {
                let cred = &self.proc().cred;
                let now = self.k.spec.start_realtime;
                let dev = if matches!(file.kind, FileKind::Socket(_)) { 8 } else { 13 };
                Stat {
                    dev,
                    ino: self.k.file_ino(file),
                    mode: kind_mode(&file.kind),
                    nlink: 1,
                    uid: cred.fsuid,
                    gid: cred.fsgid,
                    rdev: 0,
                    size: 0,
                    blocks: 0,
                    times: [now; 4],
                }
            }
        }
    }

    fn stat_inode(&self, inode: &InodeRef) -> Stat {
        let meta = inode.meta.borrow();
        let (size, blocks) = match &inode.node {
            Node::File(content) => (content.borrow().size, content.borrow().blocks()),
            Node::Dir(_) => (4096, 8),
            Node::Symlink(target) => (target.len() as u64, 0),
            _ => (0, 0),
        };
        let rdev = if let Node::Device(device) = &inode.node { device.rdev() } else { 0 };
        let (uid, gid) = match &inode.node {
            Node::Proc(node) => procfs::owner(self.k, node),
            _ => (meta.uid, meta.gid),
        };
        Stat {
            dev: inode.fs.dev,
            ino: inode.ino,
            mode: meta.mode,
            nlink: meta.nlink,
            uid,
            gid,
            rdev,
            size,
            blocks,
            times: [meta.atime, meta.mtime, meta.ctime, meta.btime],
        }
    }

    fn put_stat(&mut self, target: &Target, addr: u64) -> Answer {
        let s = self.stat_of(target);
        let mut out = Struct::new()
            .u64(s.dev)
            .u64(s.ino)
            .u64(u64::from(s.nlink))
            .u32(s.mode)
            .u32(s.uid)
            .u32(s.gid)
            .u32(0)
            .u64(s.rdev)
            .u64(s.size)
            .u64(PAGE)
            .u64(s.blocks);
        for time in &s.times[..3] {
            out = out.u64(time / 1_000_000_000).u64(time % 1_000_000_000);
        }
        out.pad(144).put(self.m, addr)?;
        Ok(0)
    }
}

pub fn stat(cx: &mut Cx) -> Answer {
    let target = cx.at_inode(AT_FDCWD, cx.args[0], 0)?;
    cx.put_stat(&target, cx.args[1])
}

pub fn lstat(cx: &mut Cx) -> Answer {
    let target = cx.at_inode(AT_FDCWD, cx.args[0], AT_SYMLINK_NOFOLLOW)?;
    cx.put_stat(&target, cx.args[1])
}

pub fn fstat(cx: &mut Cx) -> Answer {
    let file = cx.any_file(cx.int(0))?;
    let target = match &file.inode {
        Some(inode) => Target::Inode(inode.clone()),
        None => Target::File(file),
    };
    cx.put_stat(&target, cx.args[1])
}

pub fn newfstatat(cx: &mut Cx) -> Answer {
    let flags = cx.uint(3);
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.at_inode(cx.int(0), cx.args[1], flags)?;
    cx.put_stat(&target, cx.args[2])
}

pub fn statx(cx: &mut Cx) -> Answer {
    let (flags, mask) = (cx.uint(2), cx.uint(3));
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | 0x6000) != 0
        || mask & 0x8000_0000 != 0
        || flags & 0x6000 == 0x6000
    {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.at_inode(cx.int(0), cx.args[1], flags)?;
    let s = cx.stat_of(&target);
    let split = |dev: u64| ((dev >> 8) as u32 & 0xfff, (dev & 0xff | dev >> 12 & 0xfff00) as u32);
    let mut out = Struct::new()
        .u32(0xfff)
        .u32(PAGE as u32)
        .u64(0)
        .u32(s.nlink)
        .u32(s.uid)
        .u32(s.gid)
        .u16(s.mode as u16)
        .u16(0)
        .u64(s.ino)
        .u64(s.size)
        .u64(s.blocks)
        .u64(0);
    for time in [s.times[0], s.times[3], s.times[2], s.times[1]] {
        out = out.u64(time / 1_000_000_000).u32((time % 1_000_000_000) as u32).u32(0);
    }
    let ((rmajor, rminor), (major, minor)) = (split(s.rdev), split(s.dev));
    out = out.u32(rmajor).u32(rminor).u32(major).u32(minor);
    out.pad(256).put(cx.m, cx.args[4])?;
    Ok(0)
}

/// `ustat(2)`: free blocks and inodes of a mounted device.
pub fn ustat(cx: &mut Cx) -> Answer {
    let dev = cx.args[0];
    if cx.k.host_of(cx.task).root.fs.dev != dev {
        return Err(Errno::EINVAL.into());
    }
    let free = cx.k.host_of(cx.task).root.fs.capacity / PAGE;
    let free = free.saturating_sub(cx.k.store.used());
    Struct::new().u64(free.min(i32::MAX as u64)).u64((1 << 20) - 1000).pad(32).put(cx.m, cx.args[1])?;
    Ok(0)
}

impl Cx<'_> {
    fn put_statfs(&mut self, fs: &crate::fs::inode::FileSystem, addr: u64) -> Answer {
        let blocks = fs.capacity / PAGE;
        let free = blocks.saturating_sub(self.k.store.used());
        let words = [fs.magic, PAGE, blocks, free, free, 1 << 20, (1 << 20) - 1000, fs.dev, 255, PAGE, 0x20];
        let out = words.iter().fold(Struct::new(), |s, w| s.u64(*w));
        out.pad(120).put(self.m, addr)?;
        Ok(0)
    }
}

pub fn statfs(cx: &mut Cx) -> Answer {
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    cx.put_statfs(&node.fs, cx.args[1])
}

pub fn fstatfs(cx: &mut Cx) -> Answer {
    let file = cx.any_file(cx.int(0))?;
    let fs = match &file.inode {
        Some(node) => node.fs.clone(),
        None => cx.proc().fs.borrow().root.fs.clone(),
    };
    cx.put_statfs(&fs, cx.args[1])
}
