//! Builds the layer with a nested cargo and hands its image to `include_bytes!`.
//!
//! Artifact dependencies are not stable. The nested build has a target folder of its own (the outer cargo holds the lock
//! of the other) and flags of its own: an outer `target-cpu=native` would make the layer use registers that it does not keep.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = here.join("../..").canonicalize().expect("the workspace is there");
    for part in ["abi", "kernel", "net", "layer", "voidstar"] {
        println!("cargo:rerun-if-changed={}", root.join("crates").join(part).display());
    }
    println!("cargo:rerun-if-changed={}", root.join("Cargo.lock").display());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let target = out.join("layer");
    let cargo = std::env::var_os("CARGO").expect("cargo sets it");
    let mut command = Command::new(cargo);
    command
        .current_dir(&root)
        .args(["build", "--package", "snowglobe-layer", "--features", "image", "--profile", "layer", "--locked"])
        .args(["--target", "x86_64-unknown-linux-gnu", "--target-dir"])
        .arg(&target);
    // What the outer cargo sets for this build script must not reach the inner one.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().into_owned();
        let inner = text.starts_with("CARGO_")
            && text != "CARGO_HOME"
            && text != "CARGO_TERM_COLOR"
            && text != "CARGO_NET_OFFLINE";
        if inner
            || ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CLIPPY_ARGS", "CLIPPY_CONF_DIR", "RUSTC"]
                .contains(&text.as_str())
        {
            command.env_remove(&name);
        }
    }
    command.env("RUSTFLAGS", "");
    let status = command.status().expect("cargo runs");
    assert!(status.success(), "the layer does not build");
    let image = target.join("x86_64-unknown-linux-gnu/layer/snowglobe-layer");
    assert!(Path::new(&image).exists(), "no layer at {}", image.display());
    println!("cargo:rustc-env=SNOWGLOBE_LAYER={}", image.display());
}
