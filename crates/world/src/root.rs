//! What a host will find in its root: files by their path in the host, users, and programs that can run.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{LittleEndian, ReadRef};
use snowglobe_abi::spec::{MountSource, MountSpec, RootSpec};

use crate::compose::clean_path;
use crate::problem::suggestion;

/// Directories of the machine that a host with the machine's root does not see: its own are empty at the beginning.
pub const EMPTY_DIRS: [&str; 4] = ["/tmp", "/var/tmp", "/run", "/dev/shm"];
/// Directories whose content the world computes.
const COMPUTED_DIRS: [&str; 3] = ["/dev", "/proc", "/sys"];
/// Most symbolic links that a path may lead through, as on Linux.
const MAX_LINKS: usize = 40;

/// A host's file system before it starts.
#[derive(Clone, Copy)]
pub struct Root<'a> {
    /// Its root.
    pub origin: &'a RootSpec,
    /// What is mounted over it.
    pub mounts: &'a [MountSpec],
}

/// What stands at a path of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file or directory of the machine.
    Machine(PathBuf),
    /// Nothing.
    Missing,
    /// It is in the world's own, and comes to be while the world runs, or not.
    Unknown,
}

/// Whether a path is a directory or lies in it.
pub fn is_within(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || dir.ends_with('/'))
}

impl Root<'_> {
    /// Where the bytes of a path of the host are, before symbolic links are followed.
    fn origin_of(&self, path: &str) -> Found {
        let mount = self.mounts.iter().rev().filter(|m| is_within(path, &m.target)).max_by_key(|m| m.target.len());
        if let Some(mount) = mount {
            return match &mount.source {
                MountSource::Bind(source) => Found::Machine(below(source, &path[mount.target.len()..])),
                MountSource::Volume(_) => Found::Unknown,
                MountSource::Tmpfs if path == mount.target => Found::Unknown,
                MountSource::Tmpfs => Found::Missing,
            };
        }
        let is_mount_point_above = self.mounts.iter().any(|m| is_within(&m.target, path));
        match self.origin {
            _ if is_mount_point_above => Found::Unknown,
            RootSpec::Machine if EMPTY_DIRS.iter().any(|dir| is_within(path, dir) && path != *dir) => Found::Missing,
            _ if COMPUTED_DIRS.iter().any(|dir| is_within(path, dir)) => Found::Unknown,
            RootSpec::Machine => Found::Machine(PathBuf::from(path)),
            RootSpec::Tree(tree) => Found::Machine(below(tree, path)),
        }
    }

    /// Follows a path of the host, symbolic links included, without ever leaving the host's root.
    pub fn find(&self, path: &str) -> Found {
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::from("/");
        let mut links = 0;
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at = clean_path(&format!("{at}/.."));
                    continue;
                }
                _ => {}
            }
            let next = if at == "/" { format!("/{part}") } else { format!("{at}/{part}") };
            let found = self.origin_of(&next);
            let Found::Machine(real) = &found else {
                // What is mounted below may still be known.
                if found == Found::Unknown
                    && self.mounts.iter().any(|m| is_within(&m.target, &next) && m.target != next)
                {
                    at = next;
                    continue;
                }
                return found;
            };
            let Ok(meta) = fs::symlink_metadata(real) else { return Found::Missing };
            if meta.is_symlink() {
                links += 1;
                let Ok(target) = fs::read_link(real) else { return Found::Missing };
                let Some(target) = target.to_str().filter(|_| links <= MAX_LINKS) else { return Found::Missing };
                if target.starts_with('/') {
                    at = String::from("/");
                }
                todo.extend(target.split('/').rev().map(str::to_owned));
            } else {
                at = next;
            }
        }
        self.origin_of(&at)
    }

    /// The text of a file of the host.
    fn read(&self, path: &str) -> Option<String> {
        match self.find(path) {
            Found::Machine(real) => fs::read(real).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            _ => None,
        }
    }

    /// The user that a service asks for: `name`, `name:group` or numbers.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn user(&self, asked: &str) -> Result<User, (String, String)> {
        let (user, group) = match asked.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (asked, None),
        };
        let passwd = self.read("/etc/passwd").unwrap_or_default();
        let rows: Vec<Vec<&str>> =
            passwd.lines().map(|line| line.split(':').collect()).filter(|row: &Vec<_>| row.len() >= 6).collect();
        let number = user.parse::<u32>().ok();
        let row = rows.iter().find(|row| row[0] == user || (number.is_some() && row[2].parse().ok() == number));
        let uid = number.or_else(|| row.and_then(|row| row[2].parse().ok())).ok_or_else(|| {
            (format!("the host's `/etc/passwd` has no user `{user}`"), suggestion(user, rows.iter().map(|row| row[0])))
        })?;
        let gid = match group {
            Some(group) => self.group(group)?,
            None => row.and_then(|row| row[3].parse().ok()).unwrap_or(0),
        };
        let name = row.map_or_else(|| uid.to_string(), |row| row[0].to_owned());
        let home = row.map(|row| row[5]).filter(|home| home.starts_with('/')).unwrap_or("/").to_owned();
        Ok(User { uid, gid, name, home })
    }

    fn group(&self, asked: &str) -> Result<u32, (String, String)> {
        if let Ok(gid) = asked.parse() {
            return Ok(gid);
        }
        let groups = self.read("/etc/group").unwrap_or_default();
        let rows: Vec<Vec<&str>> =
            groups.lines().map(|line| line.split(':').collect()).filter(|row: &Vec<_>| row.len() >= 3).collect();
        rows.iter().find(|row| row[0] == asked).and_then(|row| row[2].parse().ok()).ok_or_else(|| {
            (
                format!("the host's `/etc/group` has no group `{asked}`"),
                suggestion(asked, rows.iter().map(|row| row[0])),
            )
        })
    }
}

fn below(dir: &str, rest: &str) -> PathBuf {
    match rest.trim_start_matches('/') {
        // Joining nothing would add a slash, and a file with a slash behind it is not found.
        "" => PathBuf::from(dir),
        rest => Path::new(dir).join(rest),
    }
}

/// A user of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Name, or the id as text.
    pub name: String,
    /// Home directory.
    pub home: String,
}

/// Why a program cannot run: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// One sentence.
    pub what: String,
    /// What to do.
    pub help: String,
}

fn unfit(what: impl Into<String>, help: impl Into<String>) -> Unfit {
    Unfit { what: what.into(), help: help.into() }
}

/// Looks whether a program can run in a host; says nothing against what only the running world can tell.
///
/// # Errors
/// Why it cannot.
pub fn check_program(root: Root<'_>, program: &str, path: &str, cwd: &str) -> Result<(), Unfit> {
    if program.is_empty() {
        return Err(unfit("the command is empty", "name a program"));
    }
    if program.contains('/') {
        let full = if program.starts_with('/') { program.to_owned() } else { format!("{cwd}/{program}") };
        return check_file(root, &full, 0);
    }
    let mut fault = None;
    for dir in path.split(':') {
        let full = if dir.is_empty() { format!("{cwd}/{program}") } else { format!("{dir}/{program}") };
        match root.find(&full) {
            Found::Missing => {}
            Found::Unknown => return Ok(()),
            // As execvp does: what cannot be executed is passed over, and remembered when there is nothing better.
            Found::Machine(_) => match check_file(root, &full, 0) {
                Ok(()) => return Ok(()),
                Err(unfit) => fault = fault.or(Some(unfit)),
            },
        }
    }
    Err(fault.unwrap_or_else(|| not_on_path(root, program, path)))
}

fn not_on_path(root: Root<'_>, program: &str, path: &str) -> Unfit {
    let mut names = Vec::new();
    for dir in path.split(':') {
        if let Found::Machine(real) = root.find(dir)
            && let Ok(list) = fs::read_dir(real)
        {
            names.extend(list.flatten().filter_map(|entry| entry.file_name().into_string().ok()));
        }
    }
    names.sort();
    let help = match crate::problem::nearest(program, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? If not, install it, or give its full path"),
        None => "install it, or give its full path".to_owned(),
    };
    unfit(format!("there is no program `{program}` in the host's PATH ({path})"), help)
}

fn check_file(root: Root<'_>, path: &str, depth: u32) -> Result<(), Unfit> {
    let path = clean_path(path);
    let real = match root.find(&path) {
        Found::Unknown => return Ok(()),
        Found::Missing => return Err(missing(root, &path)),
        Found::Machine(real) => real,
    };
    let meta = fs::metadata(&real).map_err(|_| missing(root, &path))?;
    if meta.is_dir() {
        return Err(unfit(format!("`{path}` is a directory"), "name a program in it"));
    }
    if !meta.is_file() {
        return Err(unfit(format!("`{path}` is not a regular file"), "name a program"));
    }
    if meta.permissions().mode() & 0o111 == 0 {
        return Err(unfit(format!("`{path}` is not executable"), format!("chmod +x {}", real.display())));
    }
    let mut head = Vec::new();
    let read = fs::File::open(&real).and_then(|file| file.take(4096).read_to_end(&mut head));
    if let Err(error) = read {
        return Err(unfit(
            format!("`{path}` cannot be read: {error}"),
            "the layer loads programs itself: make the file readable",
        ));
    }
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let interpreter = line.split_whitespace().next().unwrap_or_default().to_owned();
        if depth >= 4 || interpreter.is_empty() {
            return Err(unfit(
                format!("`{path}` begins with `#!` and no interpreter"),
                "write `#!/bin/sh` on its first line",
            ));
        }
        return check_file(root, &interpreter, depth + 1).map_err(|inner| {
            unfit(format!("`{path}` asks for the interpreter `{interpreter}`: {}", inner.what), inner.help)
        });
    }
    match check_elf(&head, meta.len()).map_err(|(what, help)| unfit(format!("`{path}` {what}"), help))? {
        Some(interpreter) if root.find(&interpreter) == Found::Missing => Err(unfit(
            format!("`{path}` needs the loader `{interpreter}`, which the host does not have"),
            "use an image that has it, or a statically linked program",
        )),
        _ => Ok(()),
    }
}

fn missing(root: Root<'_>, path: &str) -> Unfit {
    let hidden = EMPTY_DIRS.iter().find(|dir| is_within(path, dir));
    match (root.origin, hidden) {
        (RootSpec::Machine, Some(dir)) if Path::new(path).exists() => unfit(
            format!("there is no `{path}` in the host: its `{dir}` is its own, and empty at the beginning"),
            format!("mount it: `volumes: [\"{path}:{path}:ro\"]`"),
        ),
        (RootSpec::Machine, _) => unfit(format!("there is no `{path}`"), "give the path of an installed program"),
        (RootSpec::Tree(tree), _) => {
            unfit(format!("there is no `{path}` in the image {tree}"), "give the path of a program in the image")
        }
    }
}

/// Looks at the beginning of a file: an x86-64 program, and the loader that it asks for.
///
/// # Errors
/// What is wrong (behind the file's name), and what to do.
pub fn check_elf(head: &[u8], size: u64) -> Result<Option<String>, (String, String)> {
    let rebuild = || "get or build it for x86-64 Linux".to_owned();
    if head.len() < 4 || head[..4] != elf::ELFMAG {
        return Err((
            "is neither an ELF program nor a script with `#!`".to_owned(),
            "for a shell script write `#!/bin/sh` on its first line".to_owned(),
        ));
    }
    let broken = || ("is a damaged ELF file".to_owned(), "install it again".to_owned());
    if head.get(4) == Some(&1) {
        return Err(("is a 32-bit program".to_owned(), rebuild()));
    }
    if head.get(5) == Some(&2) {
        return Err(("is a program for a big-endian machine".to_owned(), rebuild()));
    }
    let header = elf::FileHeader64::<LittleEndian>::parse(head).map_err(|_| broken())?;
    let endian = LittleEndian;
    match header.e_machine(endian) {
        elf::EM_X86_64 => {}
        elf::EM_AARCH64 => return Err(("is a program for ARM (aarch64)".to_owned(), rebuild())),
        other => return Err((format!("is a program for another architecture (ELF machine {})", other.0), rebuild())),
    }
    if !matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN) {
        return Err(("is an object file, not a program".to_owned(), "link it first".to_owned()));
    }
    let table_end = header.e_phoff(endian).checked_add(u64::from(header.e_phnum(endian)) * 56);
    if header.e_phnum(endian) == 0 || table_end.is_none_or(|end| end > size) {
        return Err(broken());
    }
    // Program headers behind the first page are legal and rare: the loader will look at them.
    let Ok(segments) = header.program_headers(endian, head) else { return Ok(None) };
    let Some(interpreter) = segments.iter().find(|segment| segment.p_type(endian) == elf::PT_INTERP) else {
        return Ok(None);
    };
    let (at, len) = interpreter.file_range(endian);
    let Ok(name) = head.read_bytes_at(at, len) else { return Ok(None) };
    let name = name.split(|b| *b == 0).next().unwrap_or_default();
    Ok(std::str::from_utf8(name).ok().filter(|name| name.starts_with('/')).map(str::to_owned))
}
