//! The length of files and the room that they take.

use crate::fs::dev::Device;
use crate::fs::inode::{InodeRef, Node};
use crate::fs::path::{W, permit};
use crate::mm::Before;
use crate::uapi::*;
use crate::{Answer, Cx};
use snowglobe_abi::errno::{Errno, Result};

impl Cx<'_> {
    /// `truncate` of an inode that the caller may write.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL`, `EFBIG`, `ENOSPC`, `EPERM` for a seal.
    pub fn truncate_inode(&mut self, node: &InodeRef, size: u64) -> Result<()> {
        let Node::File(content) = &node.node else {
            // A computed file takes O_TRUNC and ignores it. A channel is to programs a file that is theirs: some begin by emptying
            // it, and what others have written stays.
            let is_idle = matches!(node.node, Node::Proc(_) | Node::Device(Device::Channel(_)));
            return if is_idle { Ok(()) } else { Err(Errno::EINVAL) };
        };
        if let Some(seals) = node.seals.get()
            && (seals & 0x2 != 0 && size < node.size() || seals & 0x4 != 0 && size > node.size())
        {
            return Err(Errno::EPERM);
        }
        self.may_grow(node, size)?;
        self.k.make_room(self.m, node, node.place().as_ref(), 0, 0)?;
        if size < node.size() {
            self.k.before_cut(self.m, node);
        }
        let before = Before::told(node);
        content.borrow_mut().truncate(size, self.m)?;
        self.k.show_change(self.m, node, &before);
        node.touch_modified(self.k.realtime());
        self.k.drop_set_ids(self.task, node);
        self.k.notify_found(node, IN_MODIFY);
        Ok(())
    }

    /// setrlimit(2), RLIMIT_FSIZE: SIGXFSZ, and EFBIG for who ignores it. A file that is longer already may stay so.
    fn may_grow(&mut self, node: &InodeRef, size: u64) -> Result<()> {
        if size > node.size() && size > self.proc().limits[RLIMIT_FSIZE as usize].0 {
            let _ = self.k.signal_task(self.task, crate::signal::Info::kernel(SIGXFSZ));
            return Err(Errno::EFBIG);
        }
        Ok(())
    }
}

pub fn truncate(cx: &mut Cx) -> Answer {
    if (cx.args[1] as i64) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let node = cx.at(AT_FDCWD, 0, true)?.inode()?;
    if node.is_dir() {
        return Err(Errno::EISDIR.into());
    }
    permit(&cx.proc().cred, &node, W)?;
    if cx.is_read_only(&node) {
        return Err(Errno::EROFS.into());
    }
    if cx.k.is_running(&node) {
        return Err(Errno::ETXTBSY.into());
    }
    cx.truncate_inode(&node, cx.args[1])?;
    Ok(0)
}

pub fn ftruncate(cx: &mut Cx) -> Answer {
    let file = cx.file(0)?;
    cx.inode_of(0)?;
    let node = file.inode.clone().ok_or(Errno::EINVAL)?;
    if (cx.args[1] as i64) < 0 || !file.writable() {
        return Err(Errno::EINVAL.into());
    }
    cx.truncate_inode(&node, cx.args[1])?;
    Ok(0)
}

pub fn fallocate(cx: &mut Cx) -> Answer {
    const KEEP_SIZE: u32 = 1;
    const PUNCH_HOLE: u32 = 2;
    const ZERO_RANGE: u32 = 0x10;
    let file = cx.file(0)?;
    let (mode, at, len) = (cx.uint(1), cx.args[2], cx.args[3]);
    if (at as i64) < 0 || (len as i64) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    if mode & !(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE) != 0 || mode & (PUNCH_HOLE | KEEP_SIZE) == PUNCH_HOLE {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if !file.writable() {
        return Err(Errno::EBADF.into());
    }
    let node = file.inode.clone().ok_or(Errno::ESPIPE)?;
    let content = node.content().ok_or(if node.is_dir() { Errno::EISDIR } else { Errno::ENODEV })?;
    let end = at.checked_add(len).filter(|e| *e <= i64::MAX as u64).ok_or(Errno::EFBIG)?;
    if end > crate::fs::content::MAX_SIZE {
        return Err(Errno::EFBIG.into());
    }
    if mode & KEEP_SIZE == 0 {
        cx.may_grow(&node, end)?;
    }
    if node.seals.get().is_some_and(|s| s & 0x8 != 0 && mode & PUNCH_HOLE != 0 || s & 0x4 != 0 && end > node.size()) {
        return Err(Errno::EPERM.into());
    }
    cx.k.make_room(cx.m, &node, file.name.as_ref(), at, len)?;
    let before = Before::told(&node);
    {
        let mut content = content.borrow_mut();
        if mode & (PUNCH_HOLE | ZERO_RANGE) != 0 {
            content.zero_range(at, len, cx.m)?;
        }
        if mode & PUNCH_HOLE == 0 {
            content.copy_up(cx.m)?;
            content.allocate(at, len, cx.m)?;
            if mode & KEEP_SIZE == 0 && end > content.size {
                content.truncate(end, cx.m)?;
            }
        }
    }
    cx.k.show_change(cx.m, &node, &before);
    node.touch_modified(cx.k.realtime());
    cx.k.notify_file(&node, file.name.as_ref(), IN_MODIFY);
    Ok(0)
}
