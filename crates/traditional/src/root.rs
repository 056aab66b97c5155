//! A host's file system: the machine's tree or an image's below, what the host writes above it in memory, and the
//! directories that every host has of its own.
//!
//! An overlay cannot stand over a directory in which the machine has mounted something else: in a user namespace nobody may
//! look under such a mount. So the root is put together of overlays over directories without mounts in them.

use rustix::fs::{CWD, FileType, Gid, Mode, Uid, chmodat, chownat, mkdirat, symlinkat};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_bind_recursive, mount_remount, unmount};
use snowglobe_abi::spec::{CHANNEL_DIR, CHANNELS, HostSpec, MountSource, MountSpec, RootSpec, WorldSpec};
use snowglobe_kernel::fs::build::{ETC_LINK, OWN, etc_files};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the warden keeps the machine's tree, hosts' roots, what hosts write, and named volumes.
pub const MACHINE: &str = "/machine";
const HOSTS: &str = "/hosts";
const UPPER: &str = "/upper";
const VOLUMES: &str = "/volumes";
/// Where all of that is seen from a host's root while it is made.
const OUTSIDE: &str = "/.snowglobe-outside";

/// Directories whose content is not the machine's.
const COMPUTED: [&str; 3] = ["/dev", "/proc", "/sys"];
/// Files of at most this many bytes are copied where no overlay can be.
const SMALL: u64 = 1 << 20;

/// What failed, as text for the operator.
pub type Failed = String;

/// Puts the path and what was tried before an error.
pub fn at<'a, E: std::fmt::Display>(what: &'a str, path: impl AsRef<Path> + 'a) -> impl FnOnce(E) -> Failed + 'a {
    move |e| format!("cannot {what} {}: {e}", path.as_ref().display())
}

/// What is the same for all hosts.
pub struct Tree {
    /// Where the machine has something mounted.
    mounted: Vec<PathBuf>,
}

impl Tree {
    /// Makes the calling process's root a file system in memory, with the machine's tree in it, seen by this process alone.
    pub fn leave_machine(spec: &WorldSpec) -> Result<Tree, Failed> {
        let flags = rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC;
        rustix::mount::mount_change("/", flags).map_err(at("make private the mounts under", "/"))?;
        let table = fs::read_to_string("/proc/self/mountinfo").map_err(at("read", "/proc/self/mountinfo"))?;
        // Any directory serves: what it hides for a moment is there again when the root is another.
        let stage = "/tmp";
        let data = c"mode=755,size=75%,nr_inodes=0";
        mount("snowglobe", stage, "tmpfs", MountFlags::empty(), data).map_err(at("mount a tmpfs on", stage))?;
        let machine = format!("{stage}{MACHINE}");
        mkdirat(CWD, &machine, Mode::from_raw_mode(0o755)).map_err(at("make", &machine))?;
        rustix::process::pivot_root(stage, machine.as_str()).map_err(at("make the root of", stage))?;
        rustix::process::chdir("/").map_err(at("enter", "/"))?;
        for dir in [HOSTS, UPPER, VOLUMES, "/proc"] {
            fs::create_dir(dir).map_err(at("make", dir))?;
        }
        let hidden = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount("proc", "/proc", "proc", hidden, None).map_err(at("mount", "/proc"))?;
        let volumes = spec.hosts.iter().flat_map(|host| &host.mounts).filter_map(|mount| match &mount.source {
            MountSource::Volume(name) => Some(volume(name)),
            _ => None,
        });
        for path in volumes {
            directory(Path::new(&path), 0o777).map_err(at("make", &path))?;
        }
        Ok(Tree { mounted: table.lines().filter_map(mount_point).collect() })
    }

    fn holds_mounts(&self, machine: &Path) -> bool {
        self.mounted.iter().any(|m| m != machine && m.starts_with(machine))
    }
}

fn volume(name: &str) -> String {
    format!("{VOLUMES}/{}", name.replace('/', "_"))
}

/// The fifth field of a line of mountinfo (proc(5)), with its octal escapes undone.
fn mount_point(line: &str) -> Option<PathBuf> {
    let field = line.split(' ').nth(4)?;
    let mut out = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (code, after) = after.split_at_checked(3)?;
        out.push(char::from(u8::from_str_radix(code, 8).ok()?));
        rest = after;
    }
    out.push_str(rest);
    Some(PathBuf::from(out))
}

fn directory(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// A host's root under construction.
struct Builder<'a> {
    tree: &'a Tree,
    index: usize,
    /// The place of the machine's tree, and of what hosts write, as seen now.
    outside: String,
    /// Overlays so far.
    layers: usize,
    /// What could not be had.
    limits: Vec<String>,
}

/// Makes the root of a host in the calling thread's own mount namespace, and makes it the thread's. Gives what could not be
/// had.
pub fn enter(tree: &Tree, spec: &WorldSpec, index: usize) -> Result<Vec<String>, Failed> {
    let host = &spec.hosts[index];
    let root = format!("{HOSTS}/{index}");
    fs::create_dir(&root).map_err(at("make", &root))?;
    let mut builder = Builder { tree, index, outside: String::new(), layers: 0, limits: Vec::new() };
    mount_bind(&root, &root).map_err(at("mount", &root))?;
    let (origin, is_machine) = match &host.root {
        RootSpec::Machine => (Path::new("/"), true),
        RootSpec::Tree(path) => (Path::new(path), false),
    };
    builder.show(origin, Path::new(&root), is_machine)?;
    let outside = format!("{root}{OUTSIDE}");
    fs::create_dir(&outside).map_err(at("make", &outside))?;
    rustix::process::pivot_root(&root, &outside).map_err(at("make the root of", &root))?;
    rustix::process::chdir("/").map_err(at("enter", "/"))?;
    builder.outside = OUTSIDE.to_owned();
    builder.own_directories()?;
    builder.devices()?;
    builder.kernel_files()?;
    for mount in &host.mounts {
        builder.mount(mount)?;
    }
    builder.texts(spec, host)?;
    unmount(OUTSIDE, UnmountFlags::DETACH).map_err(at("unmount", OUTSIDE))?;
    let _ = fs::remove_dir(OUTSIDE);
    Ok(builder.limits)
}

impl Builder<'_> {
    fn outer(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("{}{path}", self.outside))
    }

    fn of_machine(&self, path: &Path) -> PathBuf {
        self.outer(&format!("{MACHINE}{}", path.display()))
    }

    /// Shows a directory of the machine at a directory that is there, so that writes stay in the host.
    fn show(&mut self, from: &Path, to: &Path, as_root: bool) -> Result<(), Failed> {
        let split = self.tree.holds_mounts(from);
        if !split && self.overlay(from, to, false).is_ok() {
            return Ok(());
        }
        let source = self.of_machine(from);
        if !split {
            self.limits.push(format!("{}: the machine allows no overlay over it, so it is read-only", from.display()));
            return self.read_only(&source, to);
        }
        self.alike(&source, to)?;
        // What may not be listed may not be seen either.
        let Ok(list) = fs::read_dir(&source) else { return Ok(()) };
        for entry in list.flatten() {
            let (child, place) = (from.join(entry.file_name()), to.join(entry.file_name()));
            let inside = child.to_str().unwrap_or_default();
            let is_own = as_root && (OWN.iter().any(|(dir, _)| *dir == inside) || COMPUTED.contains(&inside));
            self.show_entry(&child, &place, is_own, as_root)?;
        }
        Ok(())
    }

    fn show_entry(&mut self, from: &Path, to: &Path, is_own: bool, as_root: bool) -> Result<(), Failed> {
        let source = self.of_machine(from);
        let Ok(meta) = fs::symlink_metadata(&source) else { return Ok(()) };
        let kind = meta.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(&source).map_err(at("read", &source))?;
            return symlinkat(&target, CWD, to).map_err(at("link", to));
        }
        if kind.is_dir() {
            fs::create_dir(to).map_err(at("make", to))?;
            return if is_own { Ok(()) } else { self.show(from, to, as_root) };
        }
        if kind.is_block_device() || kind.is_char_device() || kind.is_fifo() || kind.is_socket() {
            return Ok(());
        }
        self.file(&source, to)
    }

    /// Shows a file: a copy of a small one, else the file itself, read-only.
    fn file(&mut self, source: &Path, to: &Path) -> Result<(), Failed> {
        let Ok(meta) = fs::metadata(source) else { return Ok(()) };
        if meta.len() <= SMALL && fs::copy(source, to).is_ok() {
            return self.alike(source, to);
        }
        fs::File::create(to).map_err(at("make", to))?;
        self.read_only(source, to)
    }

    /// Gives a copy the owner and the permissions of its origin, as far as they are known here.
    fn alike(&self, source: &Path, to: &Path) -> Result<(), Failed> {
        let meta = fs::symlink_metadata(source).map_err(at("look at", source))?;
        let _ = chownat(
            CWD,
            to,
            Some(Uid::from_raw(meta.uid())),
            Some(Gid::from_raw(meta.gid())),
            rustix::fs::AtFlags::empty(),
        );
        let mode = Mode::from_raw_mode(meta.mode() & 0o7777);
        chmodat(CWD, to, mode, rustix::fs::AtFlags::empty()).map_err(at("set the permissions of", to))
    }

    fn read_only(&self, source: &Path, to: &Path) -> Result<(), Failed> {
        mount_bind_recursive(source, to).map_err(at("mount", to))?;
        make_read_only(to)
    }

    /// Puts an overlay over a directory of the machine.
    fn overlay(&mut self, from: &Path, to: &Path, read_only: bool) -> io::Result<()> {
        let upper = self.outer(&format!("{UPPER}/{}/{}", self.index, self.layers));
        self.layers += 1;
        let (files, work) = (upper.join("files"), upper.join("work"));
        fs::create_dir_all(&files)?;
        fs::create_dir(&work)?;
        let source = self.of_machine(from);
        // The overlay's own directory shows the owner and permissions of the upper one.
        self.alike(&source, &files).map_err(io::Error::other)?;
        let escaped = source.display().to_string().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,");
        let data = format!("lowerdir={escaped},upperdir={},workdir={},userxattr", files.display(), work.display());
        let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        Ok(mount("overlay", to, "overlay", flags, CString::new(data)?.as_c_str())?)
    }

    fn tmpfs(&self, path: &str, mode: u32) -> Result<(), Failed> {
        directory(Path::new(path), mode).map_err(at("make", path))?;
        let data = CString::new(format!("mode={mode:o}")).expect("it holds no zero");
        mount("tmpfs", path, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, data.as_c_str())
            .map_err(at("mount", path))
    }

    fn own_directories(&self) -> Result<(), Failed> {
        for (path, mode) in OWN.iter().filter(|(path, _)| !path.starts_with("/dev")) {
            self.tmpfs(path, *mode)?;
        }
        directory(Path::new("/run/lock"), 0o1777).map_err(at("make", "/run/lock"))
    }

    fn devices(&self) -> Result<(), Failed> {
        directory(Path::new("/dev"), 0o755).map_err(at("make", "/dev"))?;
        let data = c"mode=755";
        mount("tmpfs", "/dev", "tmpfs", MountFlags::NOSUID, data).map_err(at("mount", "/dev"))?;
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            let path = format!("/dev/{name}");
            fs::File::create(&path).map_err(at("make", &path))?;
            let source = self.of_machine(Path::new(&path));
            mount_bind(&source, &path).map_err(at("mount", &path))?;
        }
        for (name, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            ("ptmx", "pts/ptmx"),
        ] {
            symlinkat(target, CWD, format!("/dev/{name}")).map_err(at("link", format!("/dev/{name}")))?;
        }
        directory(Path::new(CHANNEL_DIR), 0o1777).map_err(at("make", CHANNEL_DIR))?;
        for channel in &CHANNELS {
            let path = format!("{CHANNEL_DIR}/{}", channel.name);
            let fifo = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(CWD, &path, fifo, rustix::fs::Mode::from_raw_mode(0o666), 0)
                .map_err(at("make", &path))?;
            rustix::fs::chmod(&path, rustix::fs::Mode::from_raw_mode(0o666)).map_err(at("open up", &path))?;
        }
        self.tmpfs("/dev/shm", 0o1777)?;
        let hidden = MountFlags::NOSUID | MountFlags::NOEXEC;
        for (path, kind, data) in
            [("/dev/pts", "devpts", c"newinstance,ptmxmode=0666,mode=620"), ("/dev/mqueue", "mqueue", c"")]
        {
            fs::create_dir(path).map_err(at("make", path))?;
            mount(kind, path, kind, hidden, data).map_err(at("mount", path))?;
        }
        Ok(())
    }

    /// `/sys` of the host's network, and a `/proc` without which none may be mounted later: the one that programs see is
    /// mounted over it by the first of their process namespace.
    fn kernel_files(&self) -> Result<(), Failed> {
        let hidden = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        for (path, kind, flags) in [("/sys", "sysfs", hidden | MountFlags::RDONLY), ("/proc", "proc", hidden)] {
            directory(Path::new(path), 0o555).map_err(at("make", path))?;
            mount(kind, path, kind, flags, None).map_err(at("mount", path))?;
        }
        Ok(())
    }

    fn mount(&mut self, spec: &MountSpec) -> Result<(), Failed> {
        let target = Path::new(&spec.target);
        match &spec.source {
            MountSource::Tmpfs => {
                self.tmpfs(&spec.target, 0o1777)?;
                return if spec.read_only { make_read_only(target) } else { Ok(()) };
            }
            MountSource::Volume(name) => {
                directory(target, 0o755).map_err(at("make", target))?;
                mount_bind(self.outer(&volume(name)), target).map_err(at("mount", target))?;
            }
            MountSource::Bind(path) => {
                let from = PathBuf::from(path);
                let source = self.of_machine(&from);
                if source.is_dir() {
                    directory(target, 0o755).map_err(at("make", target))?;
                    self.show(&from, target, false)?;
                } else {
                    self.bind_file(&from, target)?;
                }
            }
        }
        if spec.read_only { make_read_only(target) } else { Ok(()) }
    }

    /// Shows one file of the machine by way of an overlay over its directory, so that writes stay in the host.
    fn bind_file(&mut self, from: &Path, target: &Path) -> Result<(), Failed> {
        if let Some(dir) = target.parent() {
            directory(dir, 0o755).map_err(at("make", dir))?;
        }
        if fs::symlink_metadata(target).is_err() {
            fs::File::create(target).map_err(at("make", target))?;
        }
        let stage = self.outer(&format!("{UPPER}/{}/stage{}", self.index, self.layers));
        fs::create_dir_all(&stage).map_err(at("make", &stage))?;
        let (Some(dir), Some(name)) = (from.parent(), from.file_name()) else { return Ok(()) };
        if !self.tree.holds_mounts(dir) && self.overlay(dir, &stage, false).is_ok() {
            return mount_bind(stage.join(name), target).map_err(at("mount", target));
        }
        let copy = stage.join(name);
        fs::copy(self.of_machine(from), &copy).map_err(at("copy", from))?;
        self.alike(&self.of_machine(from), &copy)?;
        mount_bind(&copy, target).map_err(at("mount", target))
    }

    fn texts(&self, spec: &WorldSpec, host: &HostSpec) -> Result<(), Failed> {
        directory(Path::new("/etc"), 0o755).map_err(at("make", "/etc"))?;
        for (name, text) in etc_files(spec, self.index) {
            let path = format!("/etc/{name}");
            // It may be a link to elsewhere.
            let _ = fs::remove_file(&path);
            fs::write(&path, text).map_err(at("write", &path))?;
        }
        let (name, target) = ETC_LINK;
        let path = format!("/etc/{name}");
        let _ = fs::remove_file(&path);
        symlinkat(target, CWD, &path).map_err(at("link", &path))?;
        // An image may have its own.
        let library = Path::new(snowglobe_voidstar::PATH);
        if !library.exists() {
            directory(library.parent().unwrap_or(library), 0o755).map_err(at("make", library))?;
            fs::write(library, snowglobe_voidstar::LIBRARY).map_err(at("write", library))?;
            fs::set_permissions(library, fs::Permissions::from_mode(0o755)).map_err(at("open up", library))?;
        }
        match &host.service {
            // Where programs run must be there even when it lies in a directory that is the host's own.
            Some(service) => directory(Path::new(&service.cwd), 0o755).map_err(at("make", &service.cwd)),
            None => Ok(()),
        }
    }
}

/// Makes what is mounted at a path read-only. What the mount forbids already must stay so.
pub fn make_read_only(path: &Path) -> Result<(), Failed> {
    let now = rustix::fs::statvfs(path).map_err(at("look at", path))?.f_flag;
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for (is, flag) in [
        (rustix::fs::StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (rustix::fs::StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (rustix::fs::StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (rustix::fs::StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (rustix::fs::StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (rustix::fs::StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        if now.contains(is) {
            flags |= flag;
        }
    }
    mount_remount(path, flags, c"").map_err(at("make read-only", path))
}

/// Whether a path is a file that can be run by a user.
pub fn is_program(path: &Path) -> bool {
    let kind =
        |meta: fs::Metadata| FileType::from_raw_mode(meta.mode()) == FileType::RegularFile && meta.mode() & 0o111 != 0;
    fs::metadata(path).is_ok_and(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_read_with_its_escapes() {
        let line = r"36 35 98:0 /mnt1 /mnt\0402/a rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(mount_point(line), Some(PathBuf::from("/mnt 2/a")));
    }
}
