//! Files by handles (`open_by_handle_at(2)`).

use crate::fs::inode::InodeRef;
use crate::fs::path::Found;
use crate::mem::{self, Struct};
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::Errno;

/// Most bytes of a handle (`MAX_HANDLE_SZ`).
const MAX_BYTES: u32 = 128;
/// Bytes of the handles here: the inode's number.
const BYTES: u32 = 8;
/// `FILEID_INO32_GEN`, which most file systems give.
const KIND: u32 = 1;
/// Where the handle begins in `struct file_handle`.
const HEAD: u64 = 8;

/// Whether a file system has handles: those do not whose inodes are made when they are looked up.
fn has_handles(node: &InodeRef) -> bool {
    matches!(node.fs.kind, "ext4" | "tmpfs" | "devtmpfs")
}

pub fn name_to_handle_at(cx: &mut Cx) -> Answer {
    const AT_SYMLINK_FOLLOW: u32 = 0x400;
    let [_, path, handle, mount, flags, _] = cx.args;
    let flags = flags as u32;
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let nofollow = if flags & AT_SYMLINK_FOLLOW == 0 { AT_SYMLINK_NOFOLLOW } else { 0 };
    let node =
        cx.at_inode(cx.int(0), path, flags & AT_EMPTY_PATH | nofollow)?.inode().map_err(|_| Errno::EOPNOTSUPP)?;
    if !has_handles(&node) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let room = mem::u32(cx.m, handle)?;
    if room > MAX_BYTES {
        return Err(Errno::EINVAL.into());
    }
    // Too little room is told of with how much it takes, and with the mount.
    cx.m.write(mount, &crate::fs::procfs::MOUNT_ID.to_le_bytes())?;
    if room < BYTES {
        cx.m.write(handle, &BYTES.to_le_bytes())?;
        return Err(Errno::EOVERFLOW.into());
    }
    Struct::new().u32(BYTES).u32(KIND).u64(node.ino).put(cx.m, handle)?;
    node.fs.handles.borrow_mut().insert(node.ino, Rc::downgrade(&node));
    Ok(0)
}

pub fn open_by_handle_at(cx: &mut Cx) -> Answer {
    const CAP_DAC_READ_SEARCH: u32 = 2;
    let (dirfd, handle, flags) = (cx.int(0), cx.args[1], cx.uint(2));
    if !cx.proc().cred.capable(CAP_DAC_READ_SEARCH) {
        return Err(Errno::EPERM.into());
    }
    let head: [u8; HEAD as usize] = mem::array(cx.m, handle)?;
    let (bytes, kind) = (mem::field32(&head, 0), mem::field32(&head, 4));
    if bytes == 0 || bytes > MAX_BYTES || (kind as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let mount = match dirfd {
        AT_FDCWD => cx.proc().fs.borrow().cwd.clone(),
        fd => cx.any_file(fd)?.inode.clone().ok_or(Errno::ESTALE)?,
    };
    let raw = mem::bytes(cx.m, handle + HEAD, bytes as usize)?;
    let node = if bytes == BYTES && kind == KIND { named(&mount, &raw) } else { None };
    let node = node.ok_or(Errno::ESTALE)?;
    cx.open_inode(node, flags)
}

/// The inode of a handle, while it has a name.
fn named(mount: &InodeRef, handle: &[u8]) -> Option<InodeRef> {
    let ino = mem::field64(handle, 0);
    let node = mount.fs.handles.borrow().get(&ino)?.upgrade();
    node.filter(|node| node.meta.borrow().nlink > 0)
}

impl Cx<'_> {
    /// Opens an inode that no path led to; it goes by the name that its directory has for it.
    fn open_inode(&mut self, node: InodeRef, flags: u32) -> Answer {
        let root = self.k.host_of(self.task).root.clone();
        let found = Found { dir: root, name: Vec::new(), node: Some(node.clone()), slash: false, file: None };
        self.open_found(node, found, flags)
    }
}
