//! The commands, one module each.

pub mod check;
pub mod completions;
pub mod doctor;
pub mod explore;
pub mod export;
pub mod groups;
pub mod init;
pub mod ls;
pub mod reference;
pub mod replay;
pub mod retest;
pub mod run;
pub mod show;
pub mod shrink;
pub mod sockets;
pub mod support;
pub mod trace;
pub mod validate;
pub mod verify;
pub mod worker;

use std::io::Write;

use crate::exit::Failure;

/// Prints one JSON object on a line.
fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{value}")?)
}

/// Prints text.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}
