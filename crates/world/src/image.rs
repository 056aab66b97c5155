//! Images as roots: a directory as it is, an OCI image layout, or an archive of `docker save`.
//!
//! Layers are unpacked once into a cache directory that is named by the image's configuration, which names all its layers by their hashes.
//! Whom its files belong to stands beside the tree ([`snowglobe_abi::owners`]): only root could give them away.
//! The few fields that matter of the formats' JSON are spelled out here: a library of all their types would be larger than this module.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use snowglobe_abi::owners::{self, Owner, Owners};
use tar::EntryType;

/// What is wrong, and what to do.
pub type Advice = (String, String);

/// A root with what its image says of running it.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The unpacked tree.
    pub tree: PathBuf,
    /// Its settings; empty for a plain directory.
    pub config: Config,
}

/// The settings of an image that a service may override.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// `NAME=value`.
    pub env: Option<Vec<String>>,
    /// What stands before the command.
    pub entrypoint: Option<Vec<String>>,
    /// The command.
    pub cmd: Option<Vec<String>>,
    /// Where it starts.
    pub working_dir: String,
    /// `user`, `user:group` or numbers.
    pub user: String,
    /// How it is asked to stop.
    pub stop_signal: String,
    /// How its health is asked.
    pub healthcheck: Option<HealthConfig>,
}

/// The health check of an image.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthConfig {
    /// Begins with `CMD`, `CMD-SHELL` or `NONE`.
    pub test: Vec<String>,
    /// Nanoseconds, as all that follow; 0 is the default.
    pub interval: u64,
    /// Time for a check.
    pub timeout: u64,
    /// Time of grace.
    pub start_period: u64,
    /// Time between checks in it.
    pub start_interval: u64,
    /// Failures allowed.
    pub retries: u32,
}

/// The image's own JSON.
#[derive(Deserialize)]
struct ImageJson {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    config: Option<Config>,
}

/// An entry of `manifest.json` of `docker save`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

/// `index.json` of an image layout, and an index within it.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Clone, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

/// Longest JSON file of an image.
const MAX_JSON: u64 = 16 << 20;
/// Most indexes within indexes.
const MAX_INDEX_DEPTH: u32 = 4;

/// Opens the image that a world file names.
///
/// # Errors
/// What is wrong, and what to do.
pub fn open(reference: &str, dir: &Path, cache: &Path) -> Result<Image, Advice> {
    let path = dir.join(reference);
    let Ok(meta) = fs::metadata(&path) else {
        let advice = if reference.starts_with(['.', '/']) {
            "check the path: it is taken from the world file's directory".to_owned()
        } else {
            let file = reference.replace(['/', ':'], "-");
            format!("nothing is pulled: `docker save {reference} -o {file}.tar`, and write `image: ./{file}.tar`")
        };
        return Err((format!("there is no image at {}", path.display()), advice));
    };
    if meta.is_dir() && !path.join("oci-layout").exists() {
        let tree = fs::canonicalize(&path).map_err(|e| failed(&path, &e))?;
        return Ok(Image { tree, config: Config::default() });
    }
    let blobs = if meta.is_dir() { Blobs::Dir(path.clone()) } else { Blobs::Archive(index_archive(&path)?) };
    unpack(&blobs, &path, cache)
}

fn failed(path: &Path, error: &io::Error) -> Advice {
    (format!("{} cannot be read: {error}", path.display()), "check the path and its permissions".to_owned())
}

fn damaged(path: &Path, what: impl std::fmt::Display) -> Advice {
    (
        format!("{} is not a whole image: {what}", path.display()),
        "an image is a directory, an OCI image layout, or an archive made with `docker save NAME -o FILE.tar`"
            .to_owned(),
    )
}

/// Named bytes: the files of a layout, or the entries of an archive.
enum Blobs {
    Dir(PathBuf),
    Archive(Archive),
}

struct Archive {
    path: PathBuf,
    /// Where each regular entry's bytes are.
    entries: BTreeMap<String, (u64, u64)>,
    /// Links, which older archives use for layers that two images share.
    links: BTreeMap<String, String>,
}

fn index_archive(path: &Path) -> Result<Archive, Advice> {
    let file = File::open(path).map_err(|e| failed(path, &e))?;
    let mut archive = tar::Archive::new(file);
    let mut out = Archive { path: path.to_owned(), entries: BTreeMap::new(), links: BTreeMap::new() };
    for entry in archive.entries_with_seek().map_err(|e| damaged(path, e))? {
        let entry = entry.map_err(|e| damaged(path, e))?;
        let name = plain_name(&entry.path().map_err(|e| damaged(path, e))?.to_string_lossy());
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                out.entries.insert(name, (entry.raw_file_position(), entry.size()));
            }
            EntryType::Symlink | EntryType::Link => {
                if let Ok(Some(target)) = entry.link_name() {
                    let base = if entry.header().entry_type() == EntryType::Symlink {
                        Path::new(&name).parent().map(Path::to_path_buf).unwrap_or_default()
                    } else {
                        PathBuf::new()
                    };
                    let target = plain_name(&base.join(target).to_string_lossy());
                    out.links.insert(name, target);
                }
            }
            _ => {}
        }
    }
    Ok(out)
}

fn plain_name(name: &str) -> String {
    crate::compose::clean_path(name).trim_start_matches('/').to_owned()
}

impl Blobs {
    fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let name = plain_name(name);
        match self {
            Blobs::Dir(dir) => Ok(Box::new(File::open(dir.join(name))?)),
            Blobs::Archive(archive) => {
                let real = archive.links.get(&name).unwrap_or(&name);
                let (at, size) =
                    *archive.entries.get(real).ok_or_else(|| io::Error::other(format!("it has no `{name}`")))?;
                let mut file = File::open(&archive.path)?;
                file.seek(SeekFrom::Start(at))?;
                Ok(Box::new(file.take(size)))
            }
        }
    }

    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.open(name)?.take(MAX_JSON).read_to_end(&mut out)?;
        Ok(out)
    }

    fn json<T: for<'a> Deserialize<'a>>(&self, name: &str) -> io::Result<T> {
        serde_json::from_slice(&self.bytes(name)?).map_err(|e| io::Error::other(format!("`{name}`: {e}")))
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Blobs::Dir(dir) => dir.join(name).exists(),
            Blobs::Archive(archive) => archive.entries.contains_key(name),
        }
    }
}

/// Names of the configuration and of the layers, lowest first.
fn contents(blobs: &Blobs, path: &Path) -> Result<(String, Vec<String>), Advice> {
    if blobs.has("manifest.json") {
        let mut saved: Vec<Saved> = blobs.json("manifest.json").map_err(|e| damaged(path, e))?;
        return match (saved.pop(), saved.len()) {
            (Some(image), 0) => Ok((image.config, image.layers)),
            (None, _) => Err(damaged(path, "it holds no image")),
            (Some(_), more) => Err((
                format!("{} holds {} images", path.display(), more + 1),
                "save one image into each archive".to_owned(),
            )),
        };
    }
    if !blobs.has("index.json") {
        let advice = "make one with `docker save NAME -o FILE.tar`; unpack any other archive, and write `image: ./DIR`";
        return Err((
            format!("{} is not an image: it has neither manifest.json nor index.json", path.display()),
            advice.to_owned(),
        ));
    }
    let mut index: Index = blobs.json("index.json").map_err(|e| damaged(path, e))?;
    for _ in 0..MAX_INDEX_DEPTH {
        let chosen = choose(&index, path)?;
        let name = blob_name(&chosen.digest).ok_or_else(|| damaged(path, "an odd digest"))?;
        if chosen.media_type.contains("index") || chosen.media_type.contains("manifest.list") {
            index = blobs.json(&name).map_err(|e| damaged(path, e))?;
            continue;
        }
        let manifest: Manifest = blobs.json(&name).map_err(|e| damaged(path, e))?;
        let names: Option<Vec<String>> = manifest.layers.iter().map(|layer| blob_name(&layer.digest)).collect();
        return match (blob_name(&manifest.config.digest), names) {
            (Some(config), Some(layers)) => Ok((config, layers)),
            _ => Err(damaged(path, "an odd digest")),
        };
    }
    Err(damaged(path, "indexes within indexes"))
}

fn choose<'a>(index: &'a Index, path: &Path) -> Result<&'a Descriptor, Advice> {
    let fits = |d: &&Descriptor| d.platform.as_ref().is_some_and(|p| p.architecture == "amd64" && p.os == "linux");
    let fitting: Vec<&Descriptor> = index.manifests.iter().filter(fits).collect();
    match (&fitting[..], &index.manifests[..]) {
        ([one], _) => Ok(one),
        ([], [one]) if one.platform.is_none() => Ok(one),
        ([], []) => Err(damaged(path, "it holds no image")),
        ([], _) => Err((
            format!("{} holds no image for linux/amd64", path.display()),
            "get the image for that platform: `docker pull --platform linux/amd64 NAME`".to_owned(),
        )),
        (several, _) => Err((
            format!("{} holds {} images", path.display(), several.len()),
            "save one image into each layout".to_owned(),
        )),
    }
}

/// Where the blob of a digest is; nothing when the digest could name a path elsewhere.
fn blob_name(digest: &str) -> Option<String> {
    let (algorithm, hash) = digest.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
    (plain(algorithm) && plain(hash)).then(|| format!("blobs/{algorithm}/{hash}"))
}

fn unpack(blobs: &Blobs, path: &Path, cache: &Path) -> Result<Image, Advice> {
    let (config_name, layers) = contents(blobs, path)?;
    let config_bytes = blobs.bytes(&config_name).map_err(|e| damaged(path, e))?;
    let json: ImageJson = serde_json::from_slice(&config_bytes).map_err(|e| damaged(path, e))?;
    if !matches!(json.architecture.as_str(), "" | "amd64") {
        return Err((
            format!("{} is an image for {}", path.display(), json.architecture),
            "get it for x86-64: `docker pull --platform linux/amd64 NAME`".to_owned(),
        ));
    }
    let config = json.config.unwrap_or_default();
    // The name of a file in it stands for how it is laid out: what an older version unpacked is another one.
    let mut hasher = blake3::Hasher::new();
    hasher.update(OWNERS.as_bytes()).update(&config_bytes);
    let key = &hasher.finalize().to_hex().to_string()[..24];
    let place = cache.join(key);
    if !place.exists() {
        let fresh = cache.join(format!(".{key}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&fresh);
        let made = fs::create_dir_all(&fresh)
            .map_err(|e| failed(&fresh, &e))
            .and_then(|()| unpack_layers(blobs, &layers, &fresh).map_err(|e| damaged(path, e)))
            // Another snowglobe may have been first: what it made is the same.
            .and_then(|()| {
                fs::rename(&fresh, &place).or_else(|e| if place.exists() { Ok(()) } else { Err(failed(&place, &e)) })
            });
        if made.is_err() || fresh.exists() {
            let _ = fs::remove_dir_all(&fresh);
        }
        made?;
    }
    let tree = fs::canonicalize(place.join(TREE)).map_err(|e| failed(&place, &e))?;
    Ok(Image { tree, config })
}

/// An unpacked image in the cache: its tree, and whom its files belong to.
const TREE: &str = "tree";
const OWNERS: &str = "tree.owners";

fn unpack_layers(blobs: &Blobs, layers: &[String], place: &Path) -> io::Result<()> {
    let root = place.join(TREE);
    fs::create_dir(&root)?;
    fs::set_permissions(&root, Permissions::from_mode(0o755))?;
    let (dirs, owners, written) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut unpacker = Unpacker { root, dirs, owners, written };
    for layer in layers {
        unpacker.written.clear();
        unpacker.layer(decompressed(blobs.open(layer)?)?)?;
    }
    let owners = unpacker.finish()?;
    fs::write(place.join(OWNERS), owners::encode(&owners))
}

fn decompressed(blob: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut blob = BufReader::with_capacity(256 << 10, blob);
    let head = blob.fill_buf()?;
    Ok(if head.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(blob))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::Decoder::with_buffer(blob)?)
    } else {
        Box::new(blob)
    })
}

/// Permissions without which a file, or a directory, of a cache that is not root's is of no use to the layer.
const USABLE: u32 = 0o400;
const USABLE_DIR: u32 = 0o500;

/// Applies layers to a tree.
struct Unpacker {
    root: PathBuf,
    /// Modes and times of directories, which are set last: a read-only one must still be filled.
    dirs: BTreeMap<PathBuf, (u32, u64)>,
    /// Whom files belong to that are not root's, or that who unpacks could not use as they should be.
    owners: BTreeMap<PathBuf, Owner>,
    /// What the layer that is being applied wrote: its whiteouts hide only what is below it.
    written: BTreeSet<PathBuf>,
}

impl Unpacker {
    fn layer(&mut self, tar: impl Read) -> io::Result<()> {
        let mut archive = tar::Archive::new(tar);
        archive.set_preserve_permissions(true);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let name = entry.path()?.into_owned();
            let Some((parent, name)) = split(&name)? else { continue };
            let parent = self.confine(&parent)?;
            if name == ".wh..wh..opq" {
                self.hide_children(&parent)?;
            } else if let Some(hidden) = name.strip_prefix(".wh.") {
                // `.wh.` alone or with dots would name the directory itself or its parent.
                if !matches!(hidden, "" | "." | "..") && !self.written.contains(&parent.join(hidden)) {
                    self.remove(&parent.join(hidden))?;
                }
            } else {
                self.entry(&mut entry, parent.join(name))?;
            }
        }
        Ok(())
    }

    fn entry<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>, target: PathBuf) -> io::Result<()> {
        let header = entry.header();
        let kind = header.entry_type();
        let (mode, mtime) = (header.mode()? & 0o7777, header.mtime()?);
        let id = |id: u64| u32::try_from(id).map_err(|_| io::Error::other("an odd owner"));
        let owner = Owner { mode, uid: id(header.uid()?)?, gid: id(header.gid()?)? };
        let existing = fs::symlink_metadata(&target).ok();
        if kind == EntryType::Directory {
            if !existing.is_some_and(|meta| meta.is_dir()) {
                self.remove(&target)?;
                fs::create_dir(&target)?;
            }
            self.dirs.insert(target.clone(), (mode, mtime));
        } else {
            self.remove(&target)?;
            match kind {
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    entry.unpack(&target)?;
                }
                EntryType::Symlink => {
                    let to = entry.link_name()?.ok_or_else(|| io::Error::other("a link to nowhere"))?;
                    symlink(to, &target)?;
                }
                EntryType::Link => {
                    let to = entry.link_name()?.ok_or_else(|| io::Error::other("a link to nowhere"))?;
                    let (parent, name) = split(&to)?.ok_or_else(|| io::Error::other("a link to the root"))?;
                    let to = self.confine(&parent)?.join(name);
                    fs::hard_link(&to, &target)?;
                    if let Some(owner) = self.owners.get(&to).copied() {
                        self.owners.insert(target.clone(), owner);
                    }
                    self.written.insert(target);
                    return Ok(());
                }
                // Devices are the world's own; a pipe of an image has no reader.
                _ => return Ok(()),
            }
        }
        self.give(&target, kind, owner)?;
        self.written.insert(target);
        Ok(())
    }

    /// Gives a file to whom it belongs, and writes it down.
    fn give(&mut self, target: &Path, kind: EntryType, owner: Owner) -> io::Result<()> {
        // Only root may give files away; for others all of the tree is theirs.
        let is_given = lchown(target, Some(owner.uid), Some(owner.gid)).is_ok();
        let needs = match kind {
            EntryType::Symlink => 0,
            EntryType::Directory => USABLE_DIR,
            _ => {
                let usable = if is_given { 0 } else { USABLE };
                fs::set_permissions(target, Permissions::from_mode(owner.mode | usable))?;
                USABLE
            }
        };
        if (owner.uid, owner.gid) != (0, 0) || owner.mode & needs != needs {
            self.owners.insert(target.to_owned(), owner);
        } else {
            self.owners.remove(target);
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(meta) if meta.is_dir() => {
                self.dirs.retain(|dir, _| !dir.starts_with(path));
                self.owners.retain(|file, _| !file.starts_with(path));
                fs::remove_dir_all(path)
            }
            Ok(_) => {
                self.owners.remove(path);
                fs::remove_file(path)
            }
        }
    }

    /// Removes what lower layers put into a directory.
    fn hide_children(&mut self, dir: &Path) -> io::Result<()> {
        for child in fs::read_dir(dir)? {
            let child = child?.path();
            let next = self.written.range(child.clone()..).next();
            if !next.is_some_and(|path| path.starts_with(&child)) {
                self.remove(&child)?;
            } else if !self.written.contains(&child) || fs::symlink_metadata(&child)?.is_dir() {
                self.hide_children(&child)?;
            }
        }
        Ok(())
    }

    /// Where a directory of the image is, its symbolic links followed within the image; made when it is not there.
    fn confine(&mut self, parts: &[String]) -> io::Result<PathBuf> {
        let mut todo: Vec<String> = parts.iter().rev().cloned().collect();
        let mut at = self.root.clone();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                if at != self.root {
                    at.pop();
                }
                continue;
            }
            let next = at.join(&part);
            match fs::symlink_metadata(&next) {
                Ok(meta) if meta.is_symlink() => {
                    links += 1;
                    if links > 40 {
                        return Err(io::Error::other("symbolic links in a circle"));
                    }
                    let to = fs::read_link(&next)?;
                    if to.is_absolute() {
                        at = self.root.clone();
                    }
                    let names = to.components().rev().filter_map(|c| match c {
                        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                        Component::ParentDir => Some("..".to_owned()),
                        _ => None,
                    });
                    todo.extend(names);
                }
                Ok(meta) if meta.is_dir() => at = next,
                Ok(_) => return Err(io::Error::other(format!("{} is a file and a directory", next.display()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir(&next)?;
                    self.dirs.insert(next.clone(), (0o755, 0));
                    at = next;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(at)
    }

    fn finish(self) -> io::Result<Owners> {
        // Deepest first: setting a mode must not bar the way to what lies below.
        for (dir, (mode, mtime)) in self.dirs.iter().rev() {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(*mtime);
            File::open(dir)?.set_modified(time)?;
            let mut mode = *mode;
            if fs::symlink_metadata(dir)?.uid() != 0 {
                mode |= USABLE_DIR;
            }
            fs::set_permissions(dir, Permissions::from_mode(mode))?;
        }
        let below =
            |path: PathBuf| path.strip_prefix(&self.root).ok().and_then(Path::to_str).map(|path| format!("/{path}"));
        Ok(self.owners.into_iter().filter_map(|(path, owner)| Some((below(path)?, owner))).collect())
    }
}

/// The directories and the name of an entry; nothing for the root itself.
fn split(path: &Path) -> io::Result<Option<(Vec<String>, String)>> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                let name = name.to_str().ok_or_else(|| io::Error::other("a name that is not UTF-8"))?;
                parts.push(name.to_owned());
            }
            Component::ParentDir => return Err(io::Error::other("a name with `..`")),
            _ => {}
        }
    }
    Ok(parts.pop().map(|name| (parts, name)))
}
