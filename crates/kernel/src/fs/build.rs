//! A host's tree from its specification: root, `/proc`, `/sys`, `/dev`, temporary directories, mounts, `/etc` files.

use super::dev::{Device, makedev};
use super::disk::{self, Disk};
use super::inode::{Dir, FileSystem, Inode, InodeRef, Node, TreeOwners};
use super::procfs::ProcNode;
use crate::Kernel;
use crate::machine::Machine;
use crate::task::{Host, HostId};
use crate::uapi::*;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use snowglobe_abi::errno::Result;
use snowglobe_abi::spec::{CHANNELS, Channel, MountSource, RootSpec, WorldSpec};

/// Directories of the machine that change by themselves, or tell of the machine: a host has its own.
pub const OWN: [(&str, u32); 6] =
    [("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/run", 0o755), ("/dev/shm", 0o1777), ("/mnt", 0o755), ("/media", 0o755)];

const TMPFS: u64 = 0x0102_1994;
const EXT4: u64 = 0xef53;
const PROC: u64 = 0x9fa0;
const SYSFS: u64 = 0x6265_6572;
const DEVPTS: u64 = 0x1cd1;

/// The link of `/etc` to what is mounted, by its name: distributions make it, and images as Docker runs them have it.
pub const ETC_LINK: (&str, &str) = ("mtab", "../proc/self/mounts");

/// The files of `/etc` by which a host knows itself and the others: names and texts.
pub fn etc_files(spec: &WorldSpec, index: usize) -> [(&'static str, String); 3] {
    let me = &spec.hosts[index];
    let mut hosts = String::from("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    let mine: Vec<u32> = me.interfaces.iter().map(|i| i.network).collect();
    for (i, host) in spec.hosts.iter().enumerate() {
        for interface in host.interfaces.iter().filter(|f| mine.contains(&f.network)) {
            let [a, b, c, d] = interface.address;
            let mut names: Vec<&str> = Vec::new();
            for name in [&host.hostname, &host.name].into_iter().chain(&interface.aliases) {
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
            if i == index {
                names.dedup();
            }
            hosts.push_str(&format!("{a}.{b}.{c}.{d}\t{}\n", names.join(" ")));
        }
    }
    if me.interfaces.is_empty() {
        hosts.push_str(&format!("127.0.1.1\t{}\n", me.hostname));
    }
    let mut resolv = String::new();
    for network in &mine {
        let [a, b, c, d] = spec.networks[*network as usize].resolver;
        resolv.push_str(&format!("nameserver {a}.{b}.{c}.{d}\n"));
    }
    if resolv.is_empty() {
        resolv.push_str("nameserver 127.0.0.11\n");
    }
    [("hosts", hosts), ("resolv.conf", resolv), ("hostname", format!("{}\n", me.hostname))]
}

struct Builder<'a> {
    k: &'a Kernel,
    m: &'a mut dyn Machine,
    root: InodeRef,
    next_dev: u64,
    /// The root of `/dev/pts`, once it is there.
    pts: Option<InodeRef>,
    host: usize,
    /// Roots that outlive the host: its own, and by their places from 1 on what is mounted that is not in memory only.
    mounted: Vec<InodeRef>,
    /// Directories over which something was put.
    covered: Vec<InodeRef>,
    /// Whether they are there already.
    again: bool,
}

/// The disk under a file system of a host, if the world's disks are watched.
fn disk(spec: &WorldSpec, name: &str, host: Option<u32>) -> Option<Rc<Disk>> {
    disk::is_watched(spec).then(|| Rc::new(Disk::new(spec.knobs.disk_profile, spec.seed, name, host)))
}

/// The one host that mounts a volume; none for one that several mount.
fn owner(spec: &WorldSpec, volume: &str) -> Option<u32> {
    let source = MountSource::Volume(volume.into());
    let mounts = |(i, host): (usize, &snowglobe_abi::spec::HostSpec)| {
        host.mounts.iter().any(|m| m.source == source).then_some(i as u32)
    };
    let mut users = spec.hosts.iter().enumerate().filter_map(mounts);
    users.next().filter(|_| users.next().is_none())
}

/// Builds a host.
pub fn host(k: &mut Kernel, index: usize, m: &mut dyn Machine) -> Host {
    let spec = k.spec.hosts[index].clone();
    let dev = makedev(8, 1 + index as u64);
    let fs = FileSystem::new(dev, "ext4", EXT4, &k.store, k.spec.knobs.disk, k.spec.start_realtime);
    let fs = fs.with(disk(&k.spec, &format!("{} /", spec.name), Some(index as u32)), false);
    let (origin, owners) = match &spec.root {
        RootSpec::Machine => (String::from("/"), None),
        RootSpec::Tree(path) => {
            let known = k.owners.entry(path.clone()).or_insert_with(|| TreeOwners::of(path, m));
            (path.clone(), known.clone())
        }
    };
    let fs = Rc::new(fs.owned(owners));
    let lower = Dir::new(Some(origin));
    let root = Inode::new(&fs, S_IFDIR | 0o755, 0, 0, fs.start, Node::Dir(RefCell::new(lower)));
    root.meta.borrow_mut().nlink = 1;
    let (mounted, covered, ttys) = tree(k, index, alloc::vec![root.clone()], false, m);
    for disk in mounted.iter().filter_map(|root| root.fs.disk.as_ref()) {
        disk.accept();
    }
    Host {
        id: HostId(index as u32),
        name: spec.name,
        hostname: spec.hostname,
        domainname: "(none)".into(),
        root,
        next_pid: 1,
        tids: BTreeMap::new(),
        pids: BTreeMap::new(),
        init: None,
        tasks: 0,
        ended_cpu: 0,
        mounted,
        covered,
        ttys,
        wall_timers: alloc::vec::Vec::new(),
    }
}

/// Puts everything in its place in a host's tree: for the first time, or when it boots again, over the disks that it has.
fn tree(
    k: &mut Kernel,
    index: usize,
    mounted: Vec<InodeRef>,
    again: bool,
    m: &mut dyn Machine,
) -> (Vec<InodeRef>, Vec<InodeRef>, crate::calls::tty::Ttys) {
    let spec = k.spec.hosts[index].clone();
    let root = mounted[0].clone();
    let mut volumes = core::mem::take(&mut k.volumes);
    let next_dev = 100 + index as u64 * 100;
    let covered = Vec::new();
    let mut b = Builder { k, m, root: root.clone(), next_dev, pts: None, host: index, mounted, covered, again };
    b.own_directories();
    b.devices();
    b.proc(index);
    for (i, mount) in spec.mounts.iter().enumerate() {
        b.mount(i, mount, &mut volumes);
    }
    if !again {
        b.etc(index);
    }
    // Where programs run must be there even when it lies in a directory that is the host's own.
    if let Some(service) = &spec.service {
        let _ = b.directory(&service.cwd, 0o755);
    }
    let (mounted, covered, pts) = (b.mounted, b.covered, b.pts);
    k.volumes = volumes;
    (mounted, covered, crate::calls::tty::Ttys { dir: pts.unwrap_or(root), list: BTreeMap::new() })
}

/// A host boots after it has lost its power: what was in memory only is empty, what is on its disks is in its place.
pub fn boot_again(k: &mut Kernel, host: HostId, m: &mut dyn Machine) {
    let mounted = k.host(host).mounted.clone();
    // What was mounted is no more: it will be found in its place, and mounted anew.
    for dir in k.host(host).covered.iter().rev() {
        if let Some(root) = dir.mounted.borrow_mut().take() {
            root.covers.borrow_mut().retain(|covered| !Rc::ptr_eq(covered, dir));
        }
    }
    let (mounted, covered, ttys) = tree(k, host.0 as usize, mounted, true, m);
    let host = k.host_mut(host);
    (host.mounted, host.covered, host.ttys) = (mounted, covered, ttys);
}

impl Builder<'_> {
    fn fs(&mut self, kind: &'static str, magic: u64) -> Rc<FileSystem> {
        self.next_dev += 1;
        let (capacity, start) = (self.k.spec.knobs.disk, self.k.spec.start_realtime);
        Rc::new(FileSystem::new(self.next_dev, kind, magic, &self.k.store, capacity, start))
    }

    fn now(&self) -> u64 {
        self.k.spec.start_realtime
    }

    /// The directory at an absolute path; what is missing is made.
    fn directory(&mut self, path: &str, mode: u32) -> Result<InodeRef> {
        let mut node = self.root.top();
        for name in path.split('/').filter(|n| !n.is_empty()) {
            let next = match node.lookup(name.as_bytes(), self.m) {
                Ok(next) if next.is_dir() => next,
                // A link on the way (such as /lib) is followed one step at a time from the root.
                Ok(next) => match &next.node {
                    Node::Symlink(target) => {
                        let target = crate::mem::text(target);
                        let full = if target.starts_with('/') { target } else { self.sibling(&node, &target) };
                        self.directory(&full, mode)?
                    }
                    _ => return Err(snowglobe_abi::Errno::ENOTDIR),
                },
                Err(_) => {
                    let dir = Inode::new_dir(&node.fs, mode, 0, 0, self.now());
                    node.link(name.as_bytes(), &dir, self.now())?;
                    dir
                }
            };
            node = next.top();
        }
        Ok(node)
    }

    fn sibling(&self, dir: &InodeRef, name: &str) -> String {
        let path = dir.dir_path(&self.root.top()).unwrap_or_default();
        format!("{}/{}", crate::mem::text(&path), name)
    }

    /// Puts a root over a directory.
    fn cover(&mut self, path: &str, root: InodeRef) {
        let Ok(dir) = self.directory(path, 0o755) else { return };
        self.put_over(&dir, root);
    }

    fn put_over(&mut self, dir: &InodeRef, root: InodeRef) {
        root.covers.borrow_mut().push(dir.clone());
        *dir.mounted.borrow_mut() = Some(root);
        self.covered.push(dir.clone());
    }

    fn own_directories(&mut self) {
        for (path, mode) in OWN {
            let fs = self.fs("tmpfs", TMPFS);
            let root = Inode::new_dir(&fs, mode, 0, 0, self.now());
            self.cover(path, root);
        }
        // Linux distributions link these.
        let _ = self.directory("/run/lock", 0o1777);
    }

    fn devices(&mut self) {
        let fs = self.fs("devtmpfs", TMPFS);
        let dev = Inode::new_dir(&fs, 0o755, 0, 0, self.now());
        // What was put over /dev/shm goes into the new /dev.
        let shm_fs = self.fs("tmpfs", TMPFS);
        let shm = Inode::new_dir(&shm_fs, 0o1777, 0, 0, self.now());
        let pts_fs = self.fs("devpts", DEVPTS);
        let now = self.now();
        let pts = Inode::new_dir(&pts_fs, 0o755, 0, 0, now);
        self.pts = Some(pts.clone());
        let devices = [
            ("null", Device::Null, 0o666),
            ("zero", Device::Zero, 0o666),
            ("full", Device::Full, 0o666),
            ("random", Device::Random, 0o666),
            ("urandom", Device::Urandom, 0o666),
            ("tty", Device::Tty, 0o666),
            ("ptmx", Device::Ptmx, 0o666),
        ];
        for (name, device, mode) in devices {
            let node = Inode::new(&fs, S_IFCHR | mode, 0, 0, now, Node::Device(device));
            let _ = dev.link(name.as_bytes(), &node, now);
        }
        let links = [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ];
        for (name, target) in links {
            let node = Inode::new(&fs, S_IFLNK | 0o777, 0, 0, now, Node::Symlink(target.into()));
            let _ = dev.link(name.as_bytes(), &node, now);
        }
        // Each is what is mounted there; a queue's names may be anyone's.
        for (name, mode) in [("pts", 0o755), ("shm", 0o1777), ("mqueue", 0o1777)] {
            let node = Inode::new_dir(&fs, mode, 0, 0, now);
            let _ = dev.link(name.as_bytes(), &node, now);
            let over = match name {
                "shm" => shm.clone(),
                "pts" => pts.clone(),
                _ => continue,
            };
            self.put_over(&node, over);
        }
        let channels = Inode::new_dir(&fs, 0o1777, 0, 0, now);
        for Channel { name, stream } in CHANNELS {
            let node = Inode::new(&fs, S_IFCHR | 0o666, 0, 0, now, Node::Device(Device::Channel(stream)));
            let _ = channels.link(name.as_bytes(), &node, now);
        }
        let _ = dev.link(b"snowglobe", &channels, now);
        self.cover("/dev", dev);
    }

    fn proc(&mut self, host: usize) {
        let now = self.now();
        for (path, kind, magic, node) in
            [("/proc", "proc", PROC, ProcNode::root(host as u32)), ("/sys", "sysfs", SYSFS, ProcNode::sys(host as u32))]
        {
            let fs = self.fs(kind, magic);
            let root = Inode::new(&fs, S_IFDIR | 0o555, 0, 0, now, Node::Proc(node));
            self.cover(path, root);
        }
    }

    /// The root of what is mounted, made for the first time; `None` when there is no such thing.
    fn source(
        &mut self,
        mount: &snowglobe_abi::spec::MountSpec,
        volumes: &mut BTreeMap<String, InodeRef>,
    ) -> Option<InodeRef> {
        let now = self.now();
        let fs = FileSystem::new(self.next_dev, "ext4", EXT4, &self.k.store, self.k.spec.knobs.disk, now);
        let spec = &self.k.spec;
        match &mount.source {
            MountSource::Tmpfs => {
                let fs = FileSystem::new(fs.dev, "tmpfs", TMPFS, &fs.store, fs.capacity, now);
                Some(Inode::new_dir(&Rc::new(fs.with(None, mount.read_only)), 0o1777, 0, 0, now))
            }
            MountSource::Volume(name) => {
                let make = || {
                    let disk = disk(spec, &format!("volume {name}"), owner(spec, name));
                    Inode::new_dir(&Rc::new(fs.with(disk, false)), 0o777, 0, 0, now)
                };
                let root = volumes.entry(name.clone()).or_insert_with(make).clone();
                if mount.read_only {
                    root.fs.readers.borrow_mut().insert(HostId(self.host as u32));
                }
                Some(root)
            }
            MountSource::Bind(path) => {
                let name = format!("{} {}", spec.hosts[self.host].name, mount.target);
                let disk = disk(spec, &name, Some(self.host as u32));
                let fs = Rc::new(fs.with(disk, mount.read_only));
                let stat = self.m.lower_stat(path).ok()?;
                Inode::from_lower(&fs, path.clone(), &stat, self.m).ok()
            }
        }
    }

    fn mount(
        &mut self,
        index: usize,
        mount: &snowglobe_abi::spec::MountSpec,
        volumes: &mut BTreeMap<String, InodeRef>,
    ) {
        let now = self.now();
        self.next_dev += 1;
        let lasts = mount.source != MountSource::Tmpfs;
        let root = match self.mounted.get(index + 1).filter(|_| self.again && lasts) {
            Some(root) => root.clone(),
            None => match self.source(mount, volumes) {
                Some(root) => root,
                None => self.root.clone(),
            },
        };
        if !self.again {
            self.mounted.push(root.clone());
        }
        if Rc::ptr_eq(&root, &self.root) {
            return;
        }
        if root.is_dir() {
            self.cover(&mount.target, root);
            return;
        }
        // A file is put in the place of a name.
        let (dir, name) = mount.target.rsplit_once('/').unwrap_or(("", &mount.target));
        if let Ok(dir) = self.directory(dir, 0o755)
            && dir.lookup(name.as_bytes(), self.m).map_or(true, |there| !Rc::ptr_eq(&there, &root))
        {
            let _ = dir.link(name.as_bytes(), &root, now);
        }
    }

    /// See [`etc_files`].
    fn etc(&mut self, index: usize) {
        let files = etc_files(&self.k.spec, index);
        let Ok(etc) = self.directory("/etc", 0o755) else { return };
        let now = self.now();
        for (name, text) in files {
            let node = Inode::new_file(&etc.fs, 0o644, 0, 0, now);
            if let Some(content) = node.content() {
                let _ = content.borrow_mut().write(0, text.as_bytes(), self.m);
            }
            let _ = etc.link(name.as_bytes(), &node, now);
        }
        let (name, target) = ETC_LINK;
        let link = Inode::new(&etc.fs, S_IFLNK | 0o777, 0, 0, now, Node::Symlink(target.into()));
        let _ = etc.link(name.as_bytes(), &link, now);
        // An image may have its own.
        let (dir, name) = snowglobe_voidstar::PATH.rsplit_once('/').unwrap_or_default();
        if let Ok(dir) = self.directory(dir, 0o755)
            && dir.lookup(name.as_bytes(), self.m).is_err()
        {
            let node = Inode::new_file(&dir.fs, 0o755, 0, 0, now);
            if let Some(content) = node.content() {
                let _ = content.borrow_mut().write(0, snowglobe_voidstar::LIBRARY, self.m);
            }
            let _ = dir.link(name.as_bytes(), &node, now);
        }
        if let Node::Dir(dir) = &self.root.node {
            dir.borrow_mut().hidden.push(b".snowglobe".to_vec());
        }
    }
}
