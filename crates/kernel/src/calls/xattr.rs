//! Extended attributes (`xattr(7)`).

use super::paths::Target;
use crate::fs::inode::InodeRef;
use crate::fs::path::{W, permit};
use crate::mem;
use crate::uapi::*;
use crate::{Answer, Cx};
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

impl Cx<'_> {
    fn xattr_target(&mut self, how: Xattr) -> Result<InodeRef> {
        match how {
            Xattr::At => {
                let flags = self.uint(2);
                if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
                    return Err(Errno::EINVAL);
                }
                match self.at_inode(self.int(0), self.args[1], flags)? {
                    Target::Inode(inode) => Ok(inode),
                    Target::File(_) => Err(Errno::EOPNOTSUPP),
                }
            }
            Xattr::Follow => self.at(AT_FDCWD, 0, true)?.inode(),
            Xattr::Link => self.at(AT_FDCWD, 0, false)?.inode(),
            Xattr::Fd => self.inode_of(0)?.ok_or(Errno::EOPNOTSUPP),
        }
    }

    fn xattr_name(&mut self, addr: u64) -> Result<Vec<u8>> {
        let name = mem::c_string(self.m, addr, 256, Errno::ERANGE)?;
        let known = [&b"user."[..], b"trusted.", b"security.", b"system."];
        if name.is_empty() || name.len() > 255 {
            return Err(Errno::ERANGE);
        }
        if !known.iter().any(|p| name.starts_with(p)) {
            return Err(Errno::EOPNOTSUPP);
        }
        Ok(name)
    }

    fn setxattr(&mut self, how: Xattr) -> Answer {
        let [_, name, value, size, flags, _] = self.args;
        self.set_attribute(how, name, (value, size), flags as u32)
    }

    fn set_attribute(&mut self, how: Xattr, name: u64, (value, size): (u64, u64), flags: u32) -> Answer {
        if flags & !3 != 0 {
            return Err(Errno::EINVAL.into());
        }
        let name = self.xattr_name(name)?;
        if size > 65536 {
            return Err(Errno::E2BIG.into());
        }
        let value = mem::bytes(self.m, value, size as usize)?;
        let node = self.xattr_target(how)?;
        if self.is_read_only(&node) {
            return Err(Errno::EROFS.into());
        }
        if name.starts_with(b"user.") {
            if !matches!(node.kind(), S_IFREG | S_IFDIR) {
                return Err(Errno::EPERM.into());
            }
            permit(&self.proc().cred, &node, W)?;
        } else if name.starts_with(b"system.") {
            return Err(Errno::EOPNOTSUPP.into());
        } else if !self.proc().cred.capable(CAP_SYS_ADMIN) {
            return Err(Errno::EPERM.into());
        }
        match (flags, node.meta.borrow().xattrs.contains_key(&name)) {
            (1, true) => return Err(Errno::EEXIST.into()),
            (2, false) => return Err(Errno::ENODATA.into()),
            _ => {}
        }
        self.k.catch_up_disk(self.m, &node.fs);
        node.change(self.k.realtime(), |meta| meta.xattrs.insert(name, value));
        self.k.notify_found(&node, IN_ATTRIB);
        Ok(0)
    }

    fn getxattr(&mut self, how: Xattr) -> Answer {
        let [_, name, addr, size, _, _] = self.args;
        self.get_attribute(how, name, addr, size)
    }

    fn get_attribute(&mut self, how: Xattr, name: u64, addr: u64, size: u64) -> Answer {
        let node = self.xattr_target(how)?;
        let name = self.xattr_name(name)?;
        let value = node.meta.borrow().xattrs.get(&name).cloned().ok_or(Errno::ENODATA)?;
        self.put_sized(addr, size, &value)
    }

    fn listxattr(&mut self, how: Xattr) -> Answer {
        let node = self.xattr_target(how)?;
        let names: Vec<u8> = node.meta.borrow().xattrs.keys().flat_map(|k| k.iter().copied().chain([0])).collect();
        let at = if let Xattr::At = how { 3 } else { 1 };
        self.put_sized(self.args[at], self.args[at + 1], &names)
    }

    fn removexattr(&mut self, how: Xattr) -> Answer {
        let at = if let Xattr::At = how { 3 } else { 1 };
        let node = self.xattr_target(how)?;
        let name = self.xattr_name(self.args[at])?;
        permit(&self.proc().cred, &node, W)?;
        if self.is_read_only(&node) {
            return Err(Errno::EROFS.into());
        }
        self.k.catch_up_disk(self.m, &node.fs);
        if !node.meta.borrow().xattrs.contains_key(&name) {
            return Err(Errno::ENODATA.into());
        }
        node.change(self.k.realtime(), |meta| meta.xattrs.remove(&name));
        self.k.notify_found(&node, IN_ATTRIB);
        Ok(0)
    }

    /// Copies bytes out where size 0 asks for their length.
    fn put_sized(&mut self, addr: u64, room: u64, data: &[u8]) -> Answer {
        if room != 0 {
            if data.len() as u64 > room {
                return Err(Errno::ERANGE.into());
            }
            self.m.write(addr, data)?;
        }
        Ok(data.len() as i64)
    }
}

#[derive(Clone, Copy)]
enum Xattr {
    Follow,
    Link,
    Fd,
    /// Descriptor, path and AT_ flags, as the calls that end in `at` have them.
    At,
}

macro_rules! xattr {
    ($($name:ident = $method:ident($how:ident);)*) => {
        $(pub fn $name(cx: &mut Cx) -> Answer {
            cx.$method(Xattr::$how)
        })*
    };
}

/// `struct xattr_args`: address, size and flags.
fn xattr_args(cx: &mut Cx, size: u64) -> Result<(u64, u64, u32)> {
    if size < 16 {
        return Err(Errno::EINVAL);
    }
    let raw: [u8; 16] = mem::array(cx.m, cx.args[4])?;
    Ok((mem::field64(&raw, 0), u64::from(mem::field32(&raw, 8)), mem::field32(&raw, 12)))
}

pub fn setxattrat(cx: &mut Cx) -> Answer {
    let (addr, size, flags) = xattr_args(cx, cx.args[5])?;
    cx.set_attribute(Xattr::At, cx.args[3], (addr, size), flags)
}

pub fn getxattrat(cx: &mut Cx) -> Answer {
    let (addr, size, flags) = xattr_args(cx, cx.args[5])?;
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    cx.get_attribute(Xattr::At, cx.args[3], addr, size)
}

xattr! {
    listxattrat = listxattr(At);
    removexattrat = removexattr(At);
    setxattr = setxattr(Follow);
    lsetxattr = setxattr(Link);
    fsetxattr = setxattr(Fd);
    getxattr = getxattr(Follow);
    lgetxattr = getxattr(Link);
    fgetxattr = getxattr(Fd);
    listxattr = listxattr(Follow);
    llistxattr = listxattr(Link);
    flistxattr = listxattr(Fd);
    removexattr = removexattr(Follow);
    lremovexattr = removexattr(Link);
    fremovexattr = removexattr(Fd);
}
