//! Builds the library with the compiler that builds us: as one file, without cargo, since it is for guests and needs nothing.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=library/libvoidstar.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("libvoidstar.so");
    let rustc = std::env::var_os("RUSTC").expect("cargo sets it");
    let mut command = Command::new(rustc);
    command
        .args(["--edition", "2024", "--crate-type", "cdylib", "--target", "x86_64-unknown-linux-gnu"])
        .args(["-C", "panic=abort", "-C", "opt-level=s", "-C", "strip=symbols"])
        .args(["-C", "link-arg=-nostdlib", "-C", "link-arg=-Wl,-soname,libvoidstar.so,--build-id=none"])
        .arg("library/libvoidstar.rs")
        .arg("-o")
        .arg(&out);
    let status = command.status().expect("the compiler runs");
    assert!(status.success(), "the library for guests does not build");
    println!("cargo:rustc-env=SNOWGLOBE_VOIDSTAR={}", out.display());
}
