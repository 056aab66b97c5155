//! World files: what they mean, what is wrong with them, and what a run of theirs leaves behind.
//!
//! | Looking for | Module |
//! |---|---|
//! | reading a world file | [`resolve`] ([`load`]) |
//! | the world of one program | [`one`] |
//! | the keys that are known, and the reference made from them | [`keys`] |
//! | what services, networks and volumes ask for | [`compose`] |
//! | links, profiles of links | [`link`] |
//! | what goes wrong, and when | [`faults`] |
//! | `$VAR`, `.env`, `env_file` | [`interpolate`] |
//! | durations, sizes, times, bandwidths, chances, signals | [`units`] |
//! | images and their layers | [`image`] |
//! | a host's files, users and programs before it starts | [`root`] |
//! | YAML with places | [`yaml`] |
//! | errors with places and advice | [`problem`] |
//! | the resolved world as YAML | [`resolved`] |
//! | run directories | [`rundir`] |
//! | the trace on disk, comparing traces | [`trace`] |
//! | packet captures, and the frames in them | [`pcapng`], [`frames`] |
//! | the socket table at a time of a run | [`sockets`] |
//!
//! This crate reads and writes files and runs nothing. It looks at no clock, and at no variable that it is not handed.
#![forbid(unsafe_code)]

pub mod channel;
pub mod checks;
pub mod compose;
pub mod coverage;
pub mod faults;
pub mod frames;
pub mod image;
pub mod interpolate;
pub mod keys;
pub mod link;
pub mod one;
pub mod pcapng;
pub mod problem;
pub mod resolve;
pub mod resolved;
pub mod root;
pub mod rundir;
pub mod sockets;
pub mod trace;
pub mod units;
pub mod yaml;

pub use one::one_program;
pub use problem::{Problem, WorldError};
pub use resolve::{Loaded, Options, load};

/// A commented world file to begin with.
pub const EXAMPLE: &str = include_str!("example.yaml");
