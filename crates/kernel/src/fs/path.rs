//! Path walking (`path_resolution(7)`).

use super::inode::{Inode, InodeRef, Node};
use super::procfs;
use crate::Kernel;
use crate::machine::Machine;
use crate::task::{Cred, FsContext, ProcId};
use crate::uapi::*;
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

/// Longest name in a directory.
pub const NAME_MAX: usize = 255;
/// Symbolic links followed in one walk before ELOOP.
const MAX_LINKS: u32 = 40;

/// Permission to search or execute.
pub const X: u32 = 1;
/// Permission to write.
pub const W: u32 = 2;
/// Permission to read.
pub const R: u32 = 4;

/// Where a path leads.
pub struct Found {
    /// The directory of the last name.
    pub dir: InodeRef,
    /// The last name; empty when the path ends in `.`, `..` or `/`, or at a magic link.
    pub name: Vec<u8>,
    /// What the name leads to, if it exists.
    pub node: Option<InodeRef>,
    /// Whether the path ended in a slash.
    pub slash: bool,
    /// For a magic link of `/proc`: the open file behind it.
    pub file: Option<super::file::FileRef>,
}

impl Found {
    /// The inode.
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn inode(&self) -> Result<InodeRef> {
        self.node.clone().ok_or(Errno::ENOENT)
    }
}

/// Whether `cred` may do `want` (of [`R`], [`W`], [`X`]) to an inode.
///
/// # Errors
/// `EACCES`.
pub fn permit(cred: &Cred, node: &Inode, want: u32) -> Result<()> {
    permit_as(cred, cred.fsuid, cred.fsgid, node, want)
}

/// The same with these ids instead of the file-system ids (`access(2)` asks with the real ones).
///
/// # Errors
/// `EACCES`.
pub fn permit_as(cred: &Cred, uid: u32, gid: u32, node: &Inode, want: u32) -> Result<()> {
    let meta = node.meta.borrow();
    let bits = if uid == meta.uid {
        meta.mode >> 6
    } else if gid == meta.gid || cred.groups.contains(&meta.gid) {
        meta.mode >> 3
    } else {
        meta.mode
    };
    if bits & want == want {
        return Ok(());
    }
    let dir = meta.mode & S_IFMT == S_IFDIR;
    // CAP_DAC_OVERRIDE lets everything pass but the execution of a file that nobody may execute.
    if cred.capable(CAP_DAC_OVERRIDE) && (want & X == 0 || dir || meta.mode & 0o111 != 0) {
        return Ok(());
    }
    if cred.capable(CAP_DAC_READ_SEARCH) && want & W == 0 && (dir || want == R) {
        return Ok(());
    }
    Err(Errno::EACCES)
}

/// One walk.
pub struct Walk<'a> {
    /// The kernel, for computed directories.
    pub k: &'a Kernel,
    /// The machine, for its files.
    pub m: &'a mut dyn Machine,
    /// Who walks.
    pub proc: ProcId,
    /// With whose rights.
    pub cred: &'a Cred,
    /// Where paths begin.
    pub fs: &'a FsContext,
    links: u32,
    /// RESOLVE_ flags of `openat2(2)`.
    resolve: u64,
    /// The directory that BENEATH does not let the walk leave.
    base: Option<InodeRef>,
}

/// RESOLVE_NO_XDEV: mount points are not crossed.
pub const NO_XDEV: u64 = 0x1;
/// RESOLVE_NO_MAGICLINKS
pub const NO_MAGICLINKS: u64 = 0x2;
/// RESOLVE_NO_SYMLINKS
pub const NO_SYMLINKS: u64 = 0x4;
/// RESOLVE_BENEATH: the base directory is not left.
pub const BENEATH: u64 = 0x8;
/// RESOLVE_IN_ROOT: the base directory is the root.
pub const IN_ROOT: u64 = 0x10;

impl<'a> Walk<'a> {
    /// A walk of a process.
    pub fn new(k: &'a Kernel, m: &'a mut dyn Machine, proc: ProcId, cred: &'a Cred, fs: &'a FsContext) -> Walk<'a> {
        Walk { k, m, proc, cred, fs, links: 0, resolve: 0, base: None }
    }

    /// With restrictions.
    pub fn within(mut self, base: &InodeRef, resolve: u64) -> Walk<'a> {
        self.resolve = resolve;
        self.base = (resolve & BENEATH != 0).then(|| base.clone());
        self
    }

    fn restricted(&self, flag: u64, e: Errno) -> Result<()> {
        if self.resolve & flag != 0 { Err(e) } else { Ok(()) }
    }

    /// Walks `path` from `base`; a symbolic link at its end is followed if `follow`.
    ///
    /// # Errors
    /// `ENOENT` for the empty path and for missing directories, `ENOTDIR`, `ELOOP`, `EACCES`, `ENAMETOOLONG`.
    pub fn walk(&mut self, base: &InodeRef, path: &[u8], follow: bool) -> Result<Found> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let mut dir = base.clone();
        if path[0] == b'/' {
            self.restricted(BENEATH, Errno::EXDEV)?;
            dir = self.fs.root.top();
            if !Rc::ptr_eq(&dir.fs, &base.fs) {
                self.restricted(NO_XDEV, Errno::EXDEV)?;
            }
        }
        let slash = path.last() == Some(&b'/');
        let mut parts = path.split(|b| *b == b'/').filter(|p| !p.is_empty()).peekable();
        loop {
            let Some(part) = parts.next() else {
                return Ok(Found { dir: dir.clone(), name: Vec::new(), node: Some(dir), slash, file: None });
            };
            let last = parts.peek().is_none();
            if !dir.is_dir() {
                return Err(Errno::ENOTDIR);
            }
            permit(self.cred, &dir, X)?;
            if part == b"." {
                continue;
            }
            if part == b".." {
                if self.base.as_ref().is_some_and(|base| Rc::ptr_eq(base, &dir)) {
                    return Err(Errno::EXDEV);
                }
                if !Rc::ptr_eq(&dir, &self.fs.root.top()) {
                    let up = dir.parent(&self.fs.root).top();
                    if !Rc::ptr_eq(&up.fs, &dir.fs) {
                        self.restricted(NO_XDEV, Errno::EXDEV)?;
                    }
                    dir = up;
                }
                continue;
            }
            if part.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            let node = match self.step(&dir, part) {
                Ok(node) => node,
                Err(Errno::ENOENT) if last => {
                    return Ok(Found { dir, name: part.to_vec(), node: None, slash, file: None });
                }
                Err(e) => return Err(e),
            };
            let to_follow = !last || follow || slash;
            match self.link_target(&node, to_follow)? {
                Link::None => {}
                Link::Magic(_) if self.resolve != 0 => {
                    self.restricted(NO_MAGICLINKS | NO_SYMLINKS, Errno::ELOOP)?;
                    self.restricted(BENEATH | IN_ROOT | NO_XDEV, Errno::EXDEV)?;
                }
                Link::Magic(found) if last => return Ok(Found { slash, ..found }),
                Link::Magic(found) => {
                    dir = found.inode()?;
                    continue;
                }
                Link::To(target) => {
                    self.restricted(NO_SYMLINKS, Errno::ELOOP)?;
                    self.links += 1;
                    if self.links > MAX_LINKS {
                        return Err(Errno::ELOOP);
                    }
                    let found = self.walk(&dir, &target, true)?;
                    if last {
                        if slash && found.node.as_ref().is_some_and(|n| !n.is_dir()) {
                            return Err(Errno::ENOTDIR);
                        }
                        return Ok(Found { slash, ..found });
                    }
                    dir = found.inode()?;
                    continue;
                }
            }
            if last {
                if slash && !node.is_dir() {
                    return Err(Errno::ENOTDIR);
                }
                node.note_found(&dir, part);
                return Ok(Found { dir, name: part.to_vec(), node: Some(node), slash, file: None });
            }
            dir = node;
        }
    }

    fn step(&mut self, dir: &InodeRef, name: &[u8]) -> Result<InodeRef> {
        let node = match &dir.node {
            Node::Proc(proc) => procfs::lookup(self.k, dir, proc, name, self.proc)?,
            _ => dir.lookup(name, self.m)?,
        };
        let top = node.top();
        if !Rc::ptr_eq(&top, &node) {
            self.restricted(NO_XDEV, Errno::EXDEV)?;
        }
        Ok(top)
    }

    fn link_target(&mut self, node: &InodeRef, follow: bool) -> Result<Link> {
        if !follow {
            return Ok(Link::None);
        }
        match &node.node {
            Node::Symlink(target) if target.is_empty() => Err(Errno::ENOENT),
            Node::Symlink(target) => Ok(Link::To(target.clone())),
            Node::Proc(proc) if node.kind() == S_IFLNK => procfs::follow(self.k, proc, self.proc),
            _ => Ok(Link::None),
        }
    }
}

/// What a symbolic link is.
pub enum Link {
    /// Not one, or not to be followed.
    None,
    /// One with this text.
    To(Vec<u8>),
    /// One of `/proc` that leads to an object and not to a path.
    Magic(Found),
}
