//! Where things are, and how the `snowglobe` binary is built.

use crate::process;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest time that a release build may take on 2 cores.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);

/// What guests' programs are built for.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
pub struct Metadata {
    /// All packages, dependencies included where they were asked for.
    pub packages: Vec<Package>,
    /// Where cargo builds.
    pub target_directory: PathBuf,
}

/// One package.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence expression, where it gives one.
    pub license: Option<String>,
    /// The registry it came from; none for the workspace's own.
    pub source: Option<String>,
}

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is one level below the root")
}

/// A cargo command in the workspace's root.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root());
    command
}

/// The workspace's own packages, or those and all that they depend on.
pub fn metadata(with_dependencies: bool) -> Result<Metadata> {
    let mut command = cargo(&["metadata", "--format-version=1"]);
    if !with_dependencies {
        command.arg("--no-deps");
    }
    serde_json::from_str(&process::output_of(&mut command)?).context("cargo metadata")
}

/// Builds the release binary and gives its path. `SNOWGLOBE_BIN` names another one, to compare builds.
pub fn build_snowglobe() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SNOWGLOBE_BIN") {
        return Ok(path.into());
    }
    process::must(&mut cargo(&["build", "--release", "--bin", "snowglobe"]), BUILD_LIMIT)?;
    let target = metadata(false)?.target_directory;
    let path = target.join("release/snowglobe");
    if !path.is_file() {
        bail!("the build made no {}", path.display());
    }
    build_companions(&target)?;
    Ok(path)
}

/// Builds the programs that worlds may name, which are looked for beside the binary. They are static: a host's root may be an image
/// with another C library, or with none.
fn build_companions(target: &Path) -> Result<()> {
    let mut command = cargo(&["build", "--release", "--package", "snowglobe-workload", "--target", TRIPLE]);
    process::must(command.env("RUSTFLAGS", "-C target-feature=+crt-static"), BUILD_LIMIT)?;
    for program in ["snowglobe-workload", "snowglobe-composer"] {
        let (from, to) = (target.join(TRIPLE).join("release").join(program), target.join("release").join(program));
        // One that runs cannot be written to, but replaced.
        let new = to.with_extension("new");
        std::fs::copy(&from, &new).with_context(|| format!("cannot copy {}", from.display()))?;
        std::fs::rename(&new, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}
