//! Inodes and the directories that name them.
//!
//! A directory of the machine is read as names are asked for: an entry, once found (or found missing), is the
//! world's own from then on. So a host's tree costs what it has touched, a rename of a directory moves nothing, and
//! what a guest changes never reaches the machine.

use super::content::Content;
use super::dev::Device;
use super::disk::Disk;
use super::lock::Locks;
use super::pipe::Pipe;
use super::procfs::ProcNode;
use super::store::Store;
use crate::machine::{LowerStat, Machine};
use crate::task::HostId;
use crate::uapi::*;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::owners::{self, Owner, Owners};

/// A shared inode.
pub type InodeRef = Rc<Inode>;
/// A name in a directory.
pub type Name = Vec<u8>;

/// One file system of a host.
pub struct FileSystem {
    /// `st_dev`.
    pub dev: u64,
    /// `f_type` of `statfs`.
    pub magic: u64,
    /// Its type in `/proc/mounts`.
    pub kind: &'static str,
    /// Whether changes fail with EROFS.
    read_only: bool,
    /// Hosts that mount it read-only where others may write: a volume.
    pub readers: RefCell<BTreeSet<HostId>>,
    /// Next inode number.
    next_ino: Cell<u64>,
    /// Where its files keep their bytes.
    pub store: Store,
    /// Inodes that `name_to_handle_at` has given handles of, by number.
    pub handles: RefCell<BTreeMap<u64, Weak<Inode>>>,
    /// The disk under it, if that is watched.
    pub disk: Option<Rc<Disk>>,
    /// Bytes that it may hold.
    pub capacity: u64,
    /// The world's wall clock at its beginning: no file of the machine is younger.
    pub start: u64,
    /// Whom its files of the machine belong to, where an image says it.
    owners: Option<Rc<TreeOwners>>,
}

/// Whom the files of an image's tree belong to.
pub struct TreeOwners {
    /// Where the tree is.
    tree: String,
    owners: Owners,
}

impl TreeOwners {
    /// What is written down beside a tree, if it is.
    pub fn of(tree: &str, m: &mut dyn Machine) -> Option<Rc<TreeOwners>> {
        let file = m.lower_open(&owners::place(tree)).ok()?;
        let mut bytes = Vec::new();
        let mut part = alloc::vec![0u8; 64 << 10];
        let read = loop {
            match m.lower_read(file, bytes.len() as u64, &mut part) {
                Ok(0) => break Ok(()),
                Ok(n) => bytes.extend_from_slice(&part[..n]),
                Err(e) => break Err(e),
            }
        };
        m.lower_close(file);
        read.ok()?;
        Some(Rc::new(TreeOwners { tree: tree.into(), owners: owners::decode(&bytes)? }))
    }

    /// What a file of the machine shows in a world.
    fn show(&self, path: &str, stat: &LowerStat) -> LowerStat {
        let Some(below) = path.strip_prefix(&self.tree) else { return *stat };
        let root = Owner { mode: stat.mode & 0o7777, uid: 0, gid: 0 };
        let Owner { mode, uid, gid } = self.owners.get(below).copied().unwrap_or(root);
        LowerStat { mode: stat.mode & S_IFMT | mode & 0o7777, uid, gid, ..*stat }
    }
}

impl FileSystem {
    /// A file system whose root will have inode number 2.
    pub fn new(dev: u64, kind: &'static str, magic: u64, store: &Store, capacity: u64, start: u64) -> FileSystem {
        let (next_ino, handles) = (Cell::new(2), RefCell::default());
        FileSystem {
            dev,
            magic,
            kind,
            read_only: false,
            readers: RefCell::default(),
            next_ino,
            store: store.clone(),
            handles,
            disk: None,
            capacity,
            start,
            owners: None,
        }
    }

    /// The same, with files of the machine that belong to whom an image says.
    #[must_use]
    pub fn owned(mut self, owners: Option<Rc<TreeOwners>>) -> FileSystem {
        self.owners = owners;
        self
    }

    /// The same, on a disk that is watched, or that never changes.
    #[must_use]
    pub fn with(mut self, disk: Option<Rc<Disk>>, read_only: bool) -> FileSystem {
        (self.disk, self.read_only) = (disk, read_only);
        self
    }

    /// Whether changes by a host fail with EROFS: it mounted it so, or its disk has come to refuse them.
    pub fn is_read_only(&self, host: HostId) -> bool {
        self.is_mounted_so(host) || self.disk.as_ref().is_some_and(|disk| disk.refuses())
    }

    /// Whether a host's `/proc/mounts` shows it as read-only.
    pub fn shows_read_only(&self, host: HostId) -> bool {
        self.is_mounted_so(host) || self.disk.as_ref().is_some_and(|disk| disk.read_only.get().is_some())
    }

    fn is_mounted_so(&self, host: HostId) -> bool {
        self.read_only || self.readers.borrow().contains(&host)
    }

    /// A regular file's bytes, none yet.
    fn content(&self, content: Content) -> Content {
        if self.disk.is_some() { content.tracked() } else { content }
    }

    fn ino(&self) -> u64 {
        let ino = self.next_ino.get();
        self.next_ino.set(ino + 1);
        ino
    }
}

/// What `stat` shows and `chmod` and its kin change.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Type and permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names.
    pub nlink: u32,
    /// Times, nanoseconds since 1970.
    pub atime: u64,
    /// Last change of content.
    pub mtime: u64,
    /// Last change of content or of this.
    pub ctime: u64,
    /// When it was made.
    pub btime: u64,
    /// Extended attributes.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What an inode is.
pub enum Node {
    /// A directory.
    Dir(RefCell<Dir>),
    /// A regular file.
    File(RefCell<Content>),
    /// A symbolic link.
    Symlink(Vec<u8>),
    /// A named pipe.
    Fifo(Rc<Pipe>),
    /// A unix socket's name; the number is the key under which the socket table knows it.
    Socket(u64),
    /// A device.
    Device(Device),
    /// A computed file or directory.
    Proc(ProcNode),
}

/// An entry of a directory.
#[derive(Clone)]
pub enum Entry {
    /// A name that leads to an inode.
    There(InodeRef),
    /// A name that is known not to exist, whatever the machine has.
    Gone,
}

impl Entry {
    /// The inode that it leads to.
    fn node(self) -> Option<InodeRef> {
        match self {
            Entry::There(node) => Some(node),
            Entry::Gone => None,
        }
    }
}

/// A directory's names.
pub struct Dir {
    /// What is known.
    pub entries: BTreeMap<Name, Entry>,
    /// The machine's directory from which unknown names come.
    pub lower: Option<String>,
    /// Whether the machine's names have all been taken over.
    listed: bool,
    /// The directory above, and its name there.
    pub parent: Option<(Weak<Inode>, Name)>,
    /// Names of the machine that this directory must not show.
    pub hidden: Vec<Name>,
}

/// A name in a directory, which it does not keep.
type Place = (Weak<Inode>, Name);

fn is_place((dir, name): &Place, other_dir: &InodeRef, other: &[u8]) -> bool {
    core::ptr::eq(dir.as_ptr(), Rc::as_ptr(other_dir)) && name == other
}

/// See the module.
pub struct Inode {
    /// `st_ino`.
    pub ino: u64,
    /// Its file system.
    pub fs: Rc<FileSystem>,
    /// See [`Meta`].
    pub meta: RefCell<Meta>,
    /// See [`Node`].
    pub node: Node,
    /// The root of a file system mounted here.
    pub mounted: RefCell<Option<InodeRef>>,
    /// The directories that this root covers: a volume's root has one on each host that mounts it.
    pub covers: RefCell<Vec<InodeRef>>,
    /// `flock` and record locks.
    pub locks: RefCell<Option<alloc::boxed::Box<Locks>>>,
    /// Who is told of what happens to it.
    pub watches: RefCell<Vec<super::event::Watcher>>,
    /// Writers that keep it from being executed, or executions that keep it from being written (ETXTBSY).
    pub writers: Cell<i32>,
    /// Where a walk last found it in a directory that somebody watches.
    found: RefCell<Option<Place>>,
    /// Where it was linked last, on a disk that is watched.
    place: RefCell<Option<Place>>,
    /// How often its data could not be written, and whether somebody has been told of the last time.
    errors: Cell<(u32, bool)>,
    /// Under which names it was renamed, and where they have led.
    moves: RefCell<Vec<(Place, Place)>>,
    /// `memfd` seals, for files that can have them.
    pub seals: Cell<Option<u32>>,
    /// How long its data will live, as a program has said (F_SET_RW_HINT).
    pub write_hint: Cell<u64>,
    /// Whether it may be given a first name (O_TMPFILE).
    pub linkable: Cell<bool>,
    /// Whether it has ever been mapped: then mappings must learn of its size.
    pub mapped: Cell<bool>,
}

impl Inode {
    /// A new inode with one name.
    pub fn new(fs: &Rc<FileSystem>, mode: u32, uid: u32, gid: u32, now: u64, node: Node) -> InodeRef {
        let nlink = if mode & S_IFMT == S_IFDIR { 2 } else { 1 };
        let meta =
            Meta { mode, uid, gid, nlink, atime: now, mtime: now, ctime: now, btime: now, xattrs: BTreeMap::new() };
        Rc::new(Inode {
            ino: fs.ino(),
            fs: fs.clone(),
            meta: RefCell::new(meta),
            node,
            mounted: RefCell::new(None),
            covers: RefCell::default(),
            locks: RefCell::new(None),
            watches: RefCell::new(Vec::new()),
            writers: Cell::new(0),
            found: RefCell::new(None),
            place: RefCell::default(),
            errors: Cell::new((0, true)),
            moves: RefCell::default(),
            seals: Cell::new(None),
            write_hint: Cell::new(0),
            linkable: Cell::new(false),
            mapped: Cell::new(false),
        })
    }

    /// A new empty directory; its parent is set when it is linked.
    pub fn new_dir(fs: &Rc<FileSystem>, mode: u32, uid: u32, gid: u32, now: u64) -> InodeRef {
        Inode::new(fs, S_IFDIR | mode & 0o7777, uid, gid, now, Node::Dir(RefCell::new(Dir::new(None))))
    }

    /// A new empty regular file.
    pub fn new_file(fs: &Rc<FileSystem>, mode: u32, uid: u32, gid: u32, now: u64) -> InodeRef {
        let content = fs.content(Content::empty(&fs.store));
        Inode::new(fs, S_IFREG | mode & 0o7777, uid, gid, now, Node::File(RefCell::new(content)))
    }

    /// An inode for a file of the machine.
    pub fn from_lower(fs: &Rc<FileSystem>, path: String, stat: &LowerStat, m: &mut dyn Machine) -> Result<InodeRef> {
        let stat = fs.owners.as_ref().map_or(*stat, |owners| owners.show(&path, stat));
        let node = match stat.mode & S_IFMT {
            S_IFDIR => Node::Dir(RefCell::new(Dir::new(Some(path)))),
            S_IFREG => Node::File(RefCell::new(fs.content(Content::lower(&fs.store, path, stat.size)))),
            S_IFLNK => Node::Symlink(m.lower_link(&path)?),
            S_IFIFO => Node::Fifo(Pipe::new(0)),
            S_IFCHR | S_IFBLK => Node::Device(Device::from_rdev(stat.rdev)),
            _ => Node::Socket(0),
        };
        // A directory's time changes with every file that somebody else makes in it: it is the world's beginning.
        // One link means "not counted" (as btrfs has it), so that `find` does not take it for a leaf.
        let time = if stat.mode & S_IFMT == S_IFDIR { fs.start } else { stat.mtime.min(fs.start) };
        let node = Inode::new(fs, stat.mode, stat.uid, stat.gid, time, node);
        node.meta.borrow_mut().nlink = 1;
        Ok(node)
    }

    /// File type bits of the mode.
    pub fn kind(&self) -> u32 {
        self.meta.borrow().mode & S_IFMT
    }

    /// Whether it is a directory, a computed one too.
    pub fn is_dir(&self) -> bool {
        self.kind() == S_IFDIR
    }

    /// The directory's names, if it is a directory that keeps some.
    pub fn dir(&self) -> Result<&RefCell<Dir>> {
        match &self.node {
            Node::Dir(dir) => Ok(dir),
            Node::Proc(_) if self.is_dir() => Err(Errno::EPERM),
            _ => Err(Errno::ENOTDIR),
        }
    }

    /// The regular file's bytes.
    pub fn content(&self) -> Option<&RefCell<Content>> {
        match &self.node {
            Node::File(content) => Some(content),
            _ => None,
        }
    }

    /// `st_size`.
    pub fn size(&self) -> u64 {
        match &self.node {
            Node::File(content) => content.borrow().size,
            Node::Symlink(target) => target.len() as u64,
            Node::Dir(_) => 4096,
            _ => 0,
        }
    }

    /// The root of what is mounted here, or itself.
    pub fn top(self: &Rc<Self>) -> InodeRef {
        let mut node = self.clone();
        loop {
            let over = node.mounted.borrow().clone();
            match over {
                Some(root) => node = root,
                None => return node,
            }
        }
    }

    /// Finds a name in a directory that keeps names (not a computed one).
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, or what the machine says.
    pub fn lookup(self: &Rc<Self>, name: &[u8], m: &mut dyn Machine) -> Result<InodeRef> {
        let dir = self.dir()?;
        if let Some(entry) = dir.borrow().entries.get(name) {
            return match entry {
                Entry::There(node) => Ok(node.clone()),
                Entry::Gone => Err(Errno::ENOENT),
            };
        }
        let path = {
            let dir = dir.borrow();
            match &dir.lower {
                Some(lower) if !dir.listed && !dir.hidden.iter().any(|h| h == name) => join(lower, name),
                _ => return Err(Errno::ENOENT),
            }
        };
        self.adopt(name, path, m)
    }

    /// Takes a name of the machine over.
    fn adopt(self: &Rc<Self>, name: &[u8], path: Option<String>, m: &mut dyn Machine) -> Result<InodeRef> {
        let found = match path {
            Some(path) => m.lower_stat(&path).and_then(|stat| Inode::from_lower(&self.fs, path, &stat, m)),
            None => Err(Errno::ENOENT),
        };
        let entry = match &found {
            Ok(node) => {
                node.set_parent(self, name);
                Entry::There(node.clone())
            }
            Err(Errno::ENAMETOOLONG) => return Err(Errno::ENAMETOOLONG),
            Err(_) => Entry::Gone,
        };
        self.dir()?.borrow_mut().entries.insert(name.to_vec(), entry);
        found.map_err(|_| Errno::ENOENT)
    }

    /// Takes all names of the machine's directory over.
    ///
    /// # Errors
    /// What the machine says.
    pub fn list(self: &Rc<Self>, m: &mut dyn Machine) -> Result<()> {
        let dir = self.dir()?;
        let lower = {
            let dir = dir.borrow();
            match &dir.lower {
                Some(lower) if !dir.listed => lower.clone(),
                _ => return Ok(()),
            }
        };
        let mut names = m.lower_list(&lower)?;
        names.sort();
        for name in names {
            let skip = {
                let dir = dir.borrow();
                dir.entries.contains_key(&name) || dir.hidden.contains(&name)
            };
            if !skip {
                let path = join(&lower, &name);
                // A name that went away in between is as good as never seen.
                let _ = self.adopt(&name, path, m);
            }
        }
        dir.borrow_mut().listed = true;
        Ok(())
    }

    /// A walk has found it here.
    pub fn note_found(&self, dir: &InodeRef, name: &[u8]) {
        if !dir.watches.borrow().is_empty() {
            *self.found.borrow_mut() = Some((Rc::downgrade(dir), name.to_vec()));
        } else if self.found.borrow().is_some() {
            *self.found.borrow_mut() = None;
        }
    }

    /// Where a walk found it, if that directory was watched.
    pub fn found_at(&self) -> Option<(InodeRef, Name)> {
        let found = self.found.borrow();
        let (dir, name) = found.as_ref()?;
        Some((dir.upgrade()?, name.clone()))
    }

    /// One of its names has become another.
    pub fn note_move(&self, from: (&InodeRef, &[u8]), to: (&InodeRef, &[u8])) {
        let place = |(dir, name): (&InodeRef, &[u8])| (Rc::downgrade(dir), name.to_vec());
        let mut moves = self.moves.borrow_mut();
        for (_, now) in moves.iter_mut().filter(|(_, now)| is_place(now, from.0, from.1)) {
            *now = place(to);
        }
        moves.retain(|(old, _)| !is_place(old, from.0, from.1) && !is_place(old, to.0, to.1));
        moves.push((place(from), place(to)));
    }

    /// Where the name under which it was opened is now, if it has been moved.
    pub fn moved_to(&self, dir: &InodeRef, name: &[u8]) -> Option<(InodeRef, Name)> {
        let moves = self.moves.borrow();
        let (_, (dir, name)) = moves.iter().find(|(old, _)| is_place(old, dir, name))?;
        Some((dir.upgrade()?, name.clone()))
    }

    /// Where it was linked last, on a disk that is watched.
    pub fn place(&self) -> Option<(InodeRef, Name)> {
        let place = self.place.borrow();
        let (dir, name) = place.as_ref()?;
        Some((dir.upgrade()?, name.clone()))
    }

    /// Its data could not be written: whoever has it open is told once, by a sync.
    pub fn fail_writing(&self) {
        self.errors.set((self.errors.get().0 + 1, false));
    }

    /// The errors that somebody who opens it now need not be told of: one that nobody has seen yet is told to the next
    /// (`errseq_sample` of Linux).
    pub fn errors_told(&self) -> u32 {
        let (count, seen) = self.errors.get();
        if seen { count } else { count - 1 }
    }

    /// Whether its data could not be written since somebody was told last, who is told now.
    pub fn failed_since(&self, told: &Cell<u32>) -> bool {
        let (count, _) = self.errors.get();
        let failed = told.replace(count) != count;
        if failed {
            self.errors.set((count, true));
        }
        failed
    }

    /// It is of no disk, whatever file system it goes by (`memfd_create`).
    pub fn leave_disk(&self) {
        if let Node::File(content) = &self.node {
            content.borrow_mut().kept = None;
        }
    }

    /// Changes attributes.
    pub fn change<T>(self: &Rc<Self>, now: u64, f: impl FnOnce(&mut Meta) -> T) -> T {
        match &self.fs.disk {
            Some(disk) => disk.change(self, now, f),
            None => f(&mut self.meta.borrow_mut()),
        }
    }

    /// Notes where a directory hangs.
    pub fn set_parent(self: &Rc<Self>, parent: &InodeRef, name: &[u8]) {
        if self.fs.disk.is_some() {
            *self.place.borrow_mut() = Some((Rc::downgrade(parent), name.to_vec()));
        }
        if let Node::Dir(dir) = &self.node {
            dir.borrow_mut().parent = Some((Rc::downgrade(parent), name.to_vec()));
        }
    }

    /// Puts a name into a directory.
    ///
    /// # Errors
    /// `ENOTDIR`.
    pub fn link(self: &Rc<Self>, name: &[u8], node: &InodeRef, now: u64) -> Result<()> {
        let was = self.dir()?.borrow_mut().entries.insert(name.to_vec(), Entry::There(node.clone()));
        node.set_parent(self, name);
        if let Some(disk) = &self.fs.disk {
            disk.named(self, name, was.and_then(Entry::node), Some(node.clone()), now);
        }
        let mut meta = self.meta.borrow_mut();
        if node.is_dir() && meta.nlink >= 2 {
            meta.nlink += 1;
        }
        meta.mtime = now;
        meta.ctime = now;
        Ok(())
    }

    /// Takes a name out of a directory.
    ///
    /// # Errors
    /// `ENOTDIR`.
    pub fn unlink(self: &Rc<Self>, name: &[u8], node: &InodeRef, now: u64) -> Result<()> {
        self.dir()?.borrow_mut().set(name, None);
        if let Some(disk) = &self.fs.disk {
            disk.named(self, name, Some(node.clone()), None, now);
        }
        let mut meta = self.meta.borrow_mut();
        if node.is_dir() && meta.nlink > 2 {
            meta.nlink -= 1;
        }
        meta.mtime = now;
        meta.ctime = now;
        Ok(())
    }

    /// Whether a directory has no names.
    ///
    /// # Errors
    /// What the machine says.
    pub fn is_empty_dir(self: &Rc<Self>, m: &mut dyn Machine) -> Result<bool> {
        self.list(m)?;
        Ok(!self.dir()?.borrow().entries.values().any(|e| matches!(e, Entry::There(_))))
    }

    /// The directory that this root covers as seen from `root`, a process's; `None` if it covers none.
    fn below(self: &Rc<Self>, root: &InodeRef) -> Option<InodeRef> {
        match &self.covers.borrow()[..] {
            [] => None,
            [one] => Some(one.clone()),
            several => {
                let seen = several.iter().find(|dir| dir.dir_path(root).is_some());
                seen.or(several.first()).cloned()
            }
        }
    }

    /// The directory above as seen from `root`, a process's, through mounts; itself for a root.
    pub fn parent(self: &Rc<Self>, root: &InodeRef) -> InodeRef {
        let mut node = self.clone();
        while let Some(below) = node.below(root) {
            node = below;
        }
        let parent = match &node.node {
            Node::Dir(dir) => dir.borrow().parent.as_ref().and_then(|(p, _)| p.upgrade()),
            Node::Proc(proc) => proc.parent(),
            _ => None,
        };
        parent.unwrap_or_else(|| self.clone())
    }

    /// The absolute path of a directory as seen from `root`; `None` when it has been removed.
    pub fn dir_path(self: &Rc<Self>, root: &InodeRef) -> Option<Vec<u8>> {
        let mut parts: Vec<Name> = Vec::new();
        let mut node = self.clone();
        while !Rc::ptr_eq(&node, root) {
            if let Some(below) = node.below(root) {
                node = below;
                continue;
            }
            let (parent, name) = match &node.node {
                Node::Dir(dir) => {
                    let dir = dir.borrow();
                    let (parent, name) = dir.parent.as_ref()?;
                    (parent.upgrade()?, name.clone())
                }
                Node::Proc(proc) => (proc.parent()?, proc.name()),
                _ => return None,
            };
            parts.push(name);
            node = parent;
        }
        let mut out = Vec::new();
        for part in parts.iter().rev() {
            out.push(b'/');
            out.extend_from_slice(part);
        }
        Some(if out.is_empty() { b"/".to_vec() } else { out })
    }

    /// Notes a change of content.
    pub fn touch_modified(&self, now: u64) {
        let mut meta = self.meta.borrow_mut();
        meta.mtime = now;
        meta.ctime = now;
    }
}

impl Dir {
    /// Makes a name lead to an inode, or to none; returns what it led to.
    pub fn set(&mut self, name: &[u8], node: Option<&InodeRef>) -> Option<InodeRef> {
        let old = match node {
            Some(node) => self.entries.insert(name.to_vec(), Entry::There(node.clone())),
            None if self.lower.is_some() && !self.listed => self.entries.insert(name.to_vec(), Entry::Gone),
            None => self.entries.remove(name),
        };
        old.and_then(Entry::node)
    }

    /// An empty directory, or one of the machine's.
    pub fn new(lower: Option<String>) -> Dir {
        Dir { entries: BTreeMap::new(), lower, listed: false, parent: None, hidden: Vec::new() }
    }
}

/// A path of the machine; `None` for a name that is not text, which the machine's paths here are.
fn join(dir: &str, name: &[u8]) -> Option<String> {
    let name = core::str::from_utf8(name).ok()?;
    let mut path = String::with_capacity(dir.len() + 1 + name.len());
    path.push_str(dir);
    if !dir.ends_with('/') {
        path.push('/');
    }
    path.push_str(name);
    Some(path)
}
