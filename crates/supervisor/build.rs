//! Builds the layer with a nested cargo and hands its image to `include_bytes!`.
//!
//! Artifact dependencies are not stable. The nested build has a target folder of its own (the outer cargo holds the lock
//! of the other), which all profiles of the outer one share, since the layer's is always the same; and flags of its own: an outer
//! `target-cpu=native` would make the layer use registers that it does not keep.

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
    let target = shared_target(&out);
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
    let image = std::fs::read(&image).unwrap_or_else(|e| panic!("no layer at {}: {e}", image.display()));
    // What this build takes in stays as it is when another builds the layer anew.
    let copy = out.join("snowglobe-layer");
    std::fs::write(&copy, loaded(image)).expect("the folder can be written");
    println!("cargo:rustc-env=SNOWGLOBE_LAYER={}", copy.display());
}

/// The part of a program that is loaded (elf(5)): every run writes it to memory, and what a debugger reads is seven times as much.
fn loaded(mut image: Vec<u8>) -> Vec<u8> {
    let number = |at: usize, size: usize| (0..size).fold(0, |n, i| n | usize::from(image[at + i]) << (8 * i));
    let (headers, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    // Where each segment's bytes end in the file.
    let ends = (0..count).map(|i| headers + i * size).map(|header| number(header + 8, 8) + number(header + 32, 8));
    let end = ends.max().expect("a program has segments");
    image.truncate(end);
    // There are no sections any more: e_shoff, e_shnum, e_shstrndx.
    image[40..48].fill(0);
    image[60..64].fill(0);
    image
}

/// A folder beside those of the outer build's profiles: cargo gives `.../PROFILE/build/PACKAGE/out`.
fn shared_target(out: &Path) -> PathBuf {
    let profile = out.ancestors().find(|dir| dir.ends_with("build")).and_then(Path::parent);
    profile.and_then(Path::parent).unwrap_or(out).join("layer")
}
