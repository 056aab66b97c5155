//! What identifies a campaign: everything that a run is given besides its seed.

use std::fs::{self, File};
use std::path::Path;

use snowglobe_abi::spec::{MountSource, WorldSpec};

/// Files of a mounted directory that are looked at: with more of them, those behind count by name only.
const MAX_FILES: usize = 20_000;
/// Larger files count by size and time of change.
const MAX_READ: u64 = 16 << 20;

/// Hash of a world, of the files that it brings from the machine, and of the version that runs it. `base` is the world with
/// any one seed, always the same; what it draws from others follows from it and the text of its file.
pub fn key(text: &[u8], base: &WorldSpec, version: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    put(&mut hasher, version.as_bytes());
    put(&mut hasher, text);
    put(&mut hasher, &snowglobe_abi::spec::encode(&WorldSpec { yield_points: Vec::new(), ..base.clone() }));
    for host in &base.hosts {
        for mount in &host.mounts {
            if let MountSource::Bind(path) = &mount.source {
                put_tree(&mut hasher, Path::new(path));
            }
        }
        // A script is named by its interpreter's arguments.
        let words = host.service.iter().flat_map(|service| &service.argv);
        for word in words.filter(|word| word.starts_with('/')) {
            put_file(&mut hasher, Path::new(word));
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

fn put(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn put_tree(hasher: &mut blake3::Hasher, root: &Path) {
    let mut open = vec![root.to_owned()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        put(hasher, path.as_os_str().as_encoded_bytes());
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        seen += 1;
        if seen > MAX_FILES {
            continue;
        }
        if meta.is_dir() {
            let mut entries: Vec<_> = fs::read_dir(&path).into_iter().flatten().flatten().map(|e| e.path()).collect();
            entries.sort_unstable_by(|a, b| b.cmp(a));
            // What we write ourselves is no input.
            open.extend(entries.into_iter().filter(|path| path.file_name().is_none_or(|name| name != ".snowglobe")));
        } else if meta.is_symlink() {
            put(hasher, fs::read_link(&path).unwrap_or_default().as_os_str().as_encoded_bytes());
        } else {
            put_file(hasher, &path);
        }
    }
}

fn put_file(hasher: &mut blake3::Hasher, path: &Path) {
    let Ok(meta) = fs::metadata(path) else { return };
    put(hasher, &meta.len().to_le_bytes());
    if !meta.is_file() {
        return;
    }
    if meta.len() <= MAX_READ {
        // What cannot be read now cannot be read by a world.
        let _ = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
    } else {
        put(hasher, format!("{:?}", meta.modified().ok()).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snowglobe_world::{Options, resolve};

    fn world(dir: &Path, text: &str) -> WorldSpec {
        let options = Options { vars: Default::default(), images: dir.join("images"), seed: Some(0), until: None };
        resolve::parse("w.yaml", text, dir, &options).unwrap().spec
    }

    #[test]
    fn another_world_version_or_mounted_file_is_another_campaign() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join("src/a.py"), "1").unwrap();
        let text = "services:\n  a: {command: sleep 1, volumes: ['./src:/src']}\n";
        let spec = world(dir.path(), text);
        let first = key(text.as_bytes(), &spec, "1.0");
        assert_eq!(first, key(text.as_bytes(), &spec, "1.0"));
        assert_ne!(first, key(text.as_bytes(), &spec, "1.1"));
        assert_ne!(first, key(b"# a remark", &spec, "1.0"));
        fs::write(dir.path().join("src/a.py"), "2").unwrap();
        let second = key(text.as_bytes(), &spec, "1.0");
        assert_ne!(first, second);
        fs::create_dir(dir.path().join("src/.snowglobe")).unwrap();
        fs::write(dir.path().join("src/.snowglobe/x"), "1").unwrap();
        assert_eq!(second, key(text.as_bytes(), &spec, "1.0"));
    }
}
