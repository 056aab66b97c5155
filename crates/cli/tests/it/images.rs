//! Images as roots, in both layouts.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{err, snowglobe, status};

/// One who owns a directory of the image writes to it, and to nothing else; what an upper layer hides is not there.
const WORLD: &str = r#"
services:
  a:
    image: ./image.tar
    user: app
    working_dir: /data
    command:
      - /bin/sh
      - -c
      - "echo x > new && echo written; echo x > /etc/new || echo refused; cd /etc; echo *"
"#;

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// As `docker save` makes it: a shell with its libraries, and a directory of a user's.
fn save(dir: &Path) {
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join("tree").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        done(Command::new("chmod").arg("755").arg(&path));
    };
    for path in ["bin/sh", "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6"] {
        put(path, &fs::read(format!("/{path}")).unwrap());
    }
    put("etc/passwd", b"root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/data:/bin/sh\n");
    put("etc/old", b"");
    put("upper/etc/.wh.old", b"");
    fs::create_dir(dir.join("tree/data")).unwrap();
    fs::create_dir_all(dir.join("image/1")).unwrap();
    fs::create_dir_all(dir.join("image/2")).unwrap();
    let tar = |owner: u32, from: &str, mode: &str, to: &str, names: &[&str]| {
        let owners = [format!("--owner={owner}"), format!("--group={owner}")];
        let (from, to) = (dir.join(from), dir.join("image").join(to));
        done(Command::new("tar").args(owners).arg("-C").arg(from).arg(mode).arg(to).args(names));
    };
    tar(0, "tree", "-cf", "1/layer.tar", &["bin", "lib64", "lib", "etc"]);
    tar(1000, "tree", "-rf", "1/layer.tar", &["data"]);
    tar(0, "tree/upper", "-cf", "2/layer.tar", &["etc"]);
    fs::write(dir.join("image/c.json"), r#"{"architecture": "amd64", "os": "linux"}"#).unwrap();
    let manifest = r#"[{"Config": "c.json", "Layers": ["1/layer.tar", "2/layer.tar"]}]"#;
    fs::write(dir.join("image/manifest.json"), manifest).unwrap();
    tar(0, "image", "-cf", "../image.tar", &["manifest.json", "c.json", "1", "2"]);
}

#[track_caller]
fn runs(dir: &Path, layout: &str) {
    let output = snowglobe(dir, &["run", "--layout", layout, "--out", layout, "w.yaml"]);
    assert_eq!(status(&output), 0, "{layout}: {}", err(&output));
    let said = fs::read_to_string(dir.join(layout).join("hosts/a/stdout")).unwrap();
    assert_eq!(said, "written\nrefused\nhostname hosts mtab passwd resolv.conf\n", "{layout}");
}

#[test]
fn an_image_is_the_root_in_both_layouts_and_its_files_belong_to_whom_it_says() {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path());
    fs::write(dir.path().join("w.yaml"), WORLD).unwrap();
    runs(dir.path(), "layer");
    if !rustix::process::geteuid().is_root() {
        // All services run as one user in the traditional layout.
        return;
    }
    if crate::traditional::is_there() {
        runs(dir.path(), "traditional");
    }
    // As an ordinary user unpacks it: all files are one's own.
    done(Command::new("chown").args(["-R", "0:0", ".snowglobe/images"]).current_dir(dir.path()));
    fs::remove_dir_all(dir.path().join("layer")).unwrap();
    runs(dir.path(), "layer");
}
