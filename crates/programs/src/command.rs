//! Commands with a time limit, and the binary under test.

use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What `timeout` exits with when the time was up.
pub const OUT_OF_TIME: Option<i32> = Some(124);

/// The binary under test: `cargo xtask test` names it, else it is the release build.
pub fn snowglobe() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SNOWGLOBE_BIN") {
        return Ok(path.into());
    }
    let path = target().join("release/snowglobe");
    ensure!(path.is_file(), "there is no {}; build it: cargo build --release --bin snowglobe", path.display());
    Ok(path)
}

/// Where cargo builds: the test binary is in `TARGET/PROFILE/deps`, the scratch folder in `TARGET/tmp`.
pub fn target() -> PathBuf {
    let binary = std::env::current_exe().expect("a test binary has a path");
    binary.ancestors().nth(3).expect("and is three folders deep in cargo's own").to_owned()
}

/// A command that `timeout` ends with all its children, even if this process is gone.
pub fn limited(seconds: u64, program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", &seconds.to_string()]).arg(program);
    command.current_dir(folder).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

/// What it wrote, if it ended with status 0.
pub fn ended_well(mut command: impl std::borrow::BorrowMut<Command>) -> Result<Output> {
    let command = command.borrow_mut();
    let output = command.output().context("cannot start timeout(1)")?;
    if output.status.success() {
        return Ok(output);
    }
    let why = if output.status.code() == OUT_OF_TIME { "out of time".to_owned() } else { output.status.to_string() };
    bail!("{command:?}: {why}\n-- stdout\n{}\n-- stderr\n{}", tail(&output.stdout), tail(&output.stderr));
}

/// The end of an output, where errors are.
pub fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
