//! Images as roots.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use snowglobe_abi::owners;
use snowglobe_abi::spec::RootSpec;
use snowglobe_world::image::{self, Image};

use crate::{host, parse_in, problems_in, service};

/// A tar archive of regular files, directories (`name/`) and links (`name -> target`, `name => hard target`); a number and an
/// `@` before a name are its owner and group.
fn tar_of(entries: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes, mode) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_mtime(1_600_000_000);
        let (owner, name) = name.split_once('@').unwrap_or(("0", name));
        header.set_uid(owner.parse().unwrap());
        header.set_gid(owner.parse().unwrap());
        header.set_size(0);
        if let Some((name, target)) = name.split_once(" -> ") {
            header.set_entry_type(tar::EntryType::Symlink);
            builder.append_link(&mut header, name, target).unwrap();
        } else if let Some((name, target)) = name.split_once(" => ") {
            header.set_entry_type(tar::EntryType::Link);
            builder.append_link(&mut header, name, target).unwrap();
        } else {
            let kind = if name.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular };
            header.set_entry_type(kind);
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

const CONFIG: &str = r#"{"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin:/opt", "LEVEL=1"],
"Entrypoint": ["/bin/tool"], "Cmd": ["serve"], "WorkingDir": "/srv", "User": "app", "StopSignal": "SIGQUIT",
"Healthcheck": {"Test": ["CMD", "/bin/tool"], "Interval": 5000000000, "Retries": 7}}}"#;

/// Two layers: the second changes, hides and adds.
fn layers() -> [Vec<u8>; 2] {
    let tool = fs::read("/bin/true").unwrap();
    let lower = tar_of(&[
        ("bin/", b"", 0o755),
        ("bin/tool", &tool, 0o755),
        ("etc/", b"", 0o755),
        ("etc/passwd", b"root:x:0:0::/root:/bin/sh\napp:x:101:102::/home/app:/bin/sh\n", 0o644),
        ("etc/old", b"old", 0o644),
        ("data/", b"", 0o755),
        ("data/a", b"a", 0o644),
        ("data/b/", b"", 0o755),
        ("data/b/c", b"c", 0o644),
        ("run/", b"", 0o755),
        ("var/run -> /run", b"", 0o777),
        ("lib64 -> usr/lib64", b"", 0o777),
        ("usr/lib64/", b"", 0o755),
        ("usr/lib64/ld-linux-x86-64.so.2", &tool, 0o755),
        ("sealed/", b"", 0o555),
        ("sealed/inside", b"x", 0o400),
        ("suid", b"#!/bin/tool\n", 0o4755),
    ]);
    let upper = tar_of(&[
        ("etc/.wh.old", b"", 0o644),
        ("data/b/new", b"new", 0o644),
        ("data/.wh..wh..opq", b"", 0o644),
        ("var/run/pid", b"7", 0o644),
        ("bin/again => bin/tool", b"", 0o755),
        ("sealed/more", b"y", 0o644),
    ]);
    [lower, upper]
}

fn check_tree(image: &Image) {
    let at = |path: &str| image.tree.join(path);
    let read = |path: &str| fs::read_to_string(at(path)).unwrap();
    assert!(!at("etc/old").exists(), "a whiteout hides");
    assert!(!at("data/a").exists() && !at("data/b/c").exists(), "an opaque directory hides what was below");
    assert_eq!(read("data/b/new"), "new");
    assert_eq!(read("run/pid"), "7", "links are followed within the image");
    assert_eq!(fs::read(at("bin/again")).unwrap(), fs::read("/bin/true").unwrap());
    assert_eq!((read("sealed/more"), read("sealed/inside")), ("y".into(), "x".into()));
    assert_eq!(fs::metadata(at("suid")).unwrap().permissions().mode() & 0o7777, 0o4755);
    assert_eq!(fs::metadata(at("sealed")).unwrap().permissions().mode() & 0o777, 0o555);
    let time = fs::metadata(at("etc/passwd")).unwrap().modified().unwrap();
    assert_eq!(time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(), 1_600_000_000);
    assert_eq!(image.config.cmd.as_deref(), Some(&["serve".to_owned()][..]));
}

fn docker_save(path: &Path, config: &str, layers: &[Vec<u8>]) {
    let names: Vec<String> = (0..layers.len()).map(|i| format!("{i}/layer.tar")).collect();
    let manifest = format!(r#"[{{"Config": "c.json", "RepoTags": ["x:1"], "Layers": {names:?}}}]"#);
    let mut entries: Vec<(&str, &[u8], u32)> =
        names.iter().zip(layers).map(|(name, layer)| (name.as_str(), &layer[..], 0o644)).collect();
    entries.push(("c.json", config.as_bytes(), 0o644));
    entries.push(("manifest.json", manifest.as_bytes(), 0o644));
    File::create(path).unwrap().write_all(&tar_of(&entries)).unwrap();
}

/// The files of an image layout, by name.
fn layout(config: &str, layers: &[Vec<u8>], platform: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut blob = |bytes: &[u8]| {
        let name = format!("{:x}", files.len() + 10);
        files.insert(format!("blobs/sha256/{name}"), bytes.to_vec());
        format!("sha256:{name}")
    };
    let layers: Vec<String> = layers
        .iter()
        .map(|layer| {
            format!(r#"{{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "{}"}}"#, blob(layer))
        })
        .collect();
    let config = blob(config.as_bytes());
    let manifest =
        blob(format!(r#"{{"config": {{"digest": "{config}"}}, "layers": [{}]}}"#, layers.join(",")).as_bytes());
    let inner = format!(
        r#"{{"manifests": [{{"mediaType": "m", "digest": "sha256:beef", "platform": {{"architecture": "arm64", "os": "linux"}}}},
        {{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "{manifest}", "platform": {platform}}}]}}"#
    );
    let inner = blob(inner.as_bytes());
    let index = format!(
        r#"{{"manifests": [{{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "{inner}"}}]}}"#
    );
    files.insert("index.json".into(), index.into_bytes());
    files.insert("oci-layout".into(), br#"{"imageLayoutVersion": "1.0.0"}"#.to_vec());
    files
}

const AMD64: &str = r#"{"architecture": "amd64", "os": "linux"}"#;

fn put_layout(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn an_archive_of_docker_save_becomes_a_tree() {
    let dir = tempfile::tempdir().unwrap();
    docker_save(&dir.path().join("image.tar"), CONFIG, &layers());
    let open = || image::open("./image.tar", dir.path(), &dir.path().join("cache")).unwrap();
    let image = open();
    check_tree(&image);
    assert_eq!(open(), image, "the second time it is there already");
    let left: Vec<_> = fs::read_dir(dir.path().join("cache")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing half-made is left");
}

#[test]
fn whom_files_belong_to_is_written_down_whoever_unpacks_them() {
    let dir = tempfile::tempdir().unwrap();
    let tool = fs::read("/bin/true").unwrap();
    let lower = tar_of(&[
        ("bin/tool", &tool, 0o755),
        ("1000@srv/", b"", 0o750),
        ("1000@srv/own", b"x", 0o600),
        ("70@srv/gone", b"x", 0o644),
        ("70@srv/old/", b"", 0o700),
        ("70@srv/old/deep", b"x", 0o644),
        ("7@srv/link -> own", b"", 0o777),
        ("secret", b"x", 0),
        ("9@taken", b"x", 0o644),
    ]);
    let upper = tar_of(&[
        ("srv/.wh.gone", b"", 0o644),
        ("srv/.wh.old", b"", 0o644),
        ("srv/other => srv/own", b"", 0o600),
        ("taken", b"y", 0o644),
    ]);
    docker_save(&dir.path().join("image.tar"), CONFIG, &[lower, upper]);
    let image = image::open("./image.tar", dir.path(), &dir.path().join("cache")).unwrap();
    let written = fs::read(owners::place(image.tree.to_str().unwrap())).unwrap();
    let seen: Vec<(String, u32, u32)> =
        owners::decode(&written).unwrap().into_iter().map(|(path, owner)| (path, owner.mode, owner.uid)).collect();
    let wanted = [("/secret", 0, 0), ("/srv", 0o750, 1000), ("/srv/link", 0o777, 7), ("/srv/other", 0o600, 1000)];
    let own = ("/srv/own", 0o600, 1000);
    assert_eq!(seen, wanted.into_iter().chain([own]).map(|(path, m, u)| (path.to_owned(), m, u)).collect::<Vec<_>>());
}

#[test]
fn an_image_layout_becomes_a_tree_whatever_its_layers_compression() {
    let dir = tempfile::tempdir().unwrap();
    let [lower, upper] = layers();
    let packed = [gzip(&lower), zstd::encode_all(&upper[..], 3).unwrap()];
    let files = layout(CONFIG, &packed, AMD64);
    put_layout(&dir.path().join("layout"), &files);
    check_tree(&image::open("./layout", dir.path(), &dir.path().join("cache")).unwrap());
    // The same in an archive.
    let entries: Vec<(&str, &[u8], u32)> =
        files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..], 0o644)).collect();
    fs::write(dir.path().join("layout.tar"), tar_of(&entries)).unwrap();
    check_tree(&image::open("layout.tar", dir.path(), &dir.path().join("cache2")).unwrap());
}

#[test]
fn a_service_takes_what_its_image_says_and_overrides_it() {
    let dir = tempfile::tempdir().unwrap();
    docker_save(&dir.path().join("i.tar"), CONFIG, &layers());
    let text = "services:
  plain: {image: ./i.tar}
  other: {image: ./i.tar, command: [x, y], environment: {LEVEL: 2}, working_dir: /, user: root, stop_signal: TERM, healthcheck: {interval: 1s}}
  own: {image: ./i.tar, entrypoint: [/bin/again], healthcheck: {disable: true}}
";
    let spec = parse_in(dir.path(), text).unwrap_or_else(|e| panic!("{e}")).spec;
    let RootSpec::Tree(tree) = &host(&spec, "plain").root else { panic!() };
    assert!(tree.starts_with('/') && Path::new(tree).join("bin/tool").exists());
    let plain = service(&spec, "plain");
    assert_eq!(
        (plain.argv.join(" "), plain.cwd.as_str(), plain.uid, plain.gid),
        ("/bin/tool serve".into(), "/srv", 101, 102)
    );
    // Where the SDKs of assertions write is every service's.
    let own = plain.env.iter().filter(|text| !text.starts_with("ANTITHESIS_")).collect::<Vec<_>>();
    assert_eq!(own, ["PATH=/bin:/opt", "HOME=/home/app", "LEVEL=1", "HOSTNAME=plain"]);
    assert_eq!(plain.stop_signal, 3);
    let health = plain.healthcheck.as_ref().unwrap();
    assert_eq!(
        (health.argv.join(" "), health.interval, health.timeout, health.retries),
        ("/bin/tool".into(), 5_000_000_000, 30_000_000_000, 7)
    );
    let other = service(&spec, "other");
    assert_eq!(
        (other.argv.join(" "), other.cwd.as_str(), other.uid, other.stop_signal),
        ("/bin/tool x y".into(), "/", 0, 15)
    );
    assert!(other.env.contains(&"LEVEL=2".to_owned()) && !other.env.contains(&"LEVEL=1".to_owned()));
    assert_eq!(other.healthcheck.as_ref().unwrap().interval, 1_000_000_000);
    let own = service(&spec, "own");
    assert_eq!((own.argv.join(" "), own.healthcheck.is_none()), ("/bin/again".into(), true));
}

#[test]
fn a_directory_is_a_root_as_it_is_and_its_programs_are_looked_up_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::copy("/bin/true", root.join("bin/here")).unwrap();
    std::os::unix::fs::symlink("/bin/here", root.join("bin/link")).unwrap();
    let problems = problems_in(dir.path(), "services: {a: {image: ./root, command: sleep 1}}\n");
    assert!(problems[0].message().contains("no program `sleep`"), "{}", problems[0]);
    let problems = problems_in(dir.path(), "services: {a: {image: ./root, command: link}}\n");
    assert!(problems[0].message().contains("needs the loader"), "{}", problems[0]);
}

#[test]
fn what_is_no_image_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("text"), "hello").unwrap();
    fs::write(dir.path().join("other.tar"), tar_of(&[("etc/passwd", b"x", 0o644)])).unwrap();
    docker_save(&dir.path().join("cut.tar"), CONFIG, &[b"\x1f\x8bnonsense".to_vec()]);
    docker_save(&dir.path().join("arm.tar"), r#"{"architecture": "arm64"}"#, &[]);
    docker_save(
        &dir.path().join("evil.tar"),
        CONFIG,
        &[tar_of(&[("out -> /", b"", 0o777), ("out/tmp/snowglobe-evil", b"x", 0o644)])],
    );
    put_layout(&dir.path().join("arm"), &layout(CONFIG, &[], r#"{"architecture": "arm64", "os": "linux"}"#));
    for (image, message, help) in [
        ("redis:7", "there is no image", "docker save redis:7 -o redis-7.tar"),
        ("./none", "there is no image", "world file's directory"),
        ("./text", "is not", "docker save"),
        ("./other.tar", "neither manifest.json nor index.json", "unpack any other archive"),
        ("./cut.tar", "is not a whole image", "docker save"),
        ("./arm.tar", "an image for arm64", "linux/amd64"),
        ("./arm", "no image for linux/amd64", "--platform"),
    ] {
        let problems = problems_in(dir.path(), &format!("services: {{a: {{image: {image}, command: x}}}}\n"));
        assert_eq!(problems.len(), 1, "{image}: {problems:#?}");
        assert!(problems[0].message().contains(message), "{image}: {}", problems[0]);
        assert!(problems[0].advice().unwrap().contains(help), "{image}: {:?}", problems[0].advice());
    }
    // A layer cannot write outside its image: links are taken within it.
    let evil = image::open("./evil.tar", dir.path(), &dir.path().join("cache")).unwrap();
    assert!(!Path::new("/tmp/snowglobe-evil").exists());
    assert!(evil.tree.join("tmp/snowglobe-evil").exists());
}
