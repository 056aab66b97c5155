//! Links the layer as a freestanding image at its fixed address.

fn main() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rerun-if-changed=layer.ld");
    for arg in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,--build-id=none",
        "-Wl,-z,norelro",
        "-Wl,-z,max-page-size=0x200000",
        "-Wl,--gc-sections",
        "-Wl,--no-dynamic-linker",
        &format!("-Wl,-T,{dir}/layer.ld"),
    ] {
        println!("cargo:rustc-link-arg-bins={arg}");
    }
}
