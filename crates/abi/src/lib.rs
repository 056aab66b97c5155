//! What the supervisor, the layer and the kernel agree on.
//!
//! | Module | Content |
//! |---|---|
//! | [`map`] | the addresses at which the layer, its arena and its store are mapped in every guest |
//! | [`control`] | the control page at the start of the arena: baton slots, counters, the trace ring's ends |
//! | [`trace`] | the trace's records: encoding, decoding, kinds |
//! | [`spec`] | the resolved world that goes in, and the report that comes out |
//! | [`owners`] | whom files of unpacked images belong to |
//! | [`filter`] | the seccomp filter that guests run under |
//! | [`errno`], [`signal`] | Linux error numbers; signals by name |
//!
//! This crate performs no I/O and knows nothing of how guests are run.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod control;
pub mod errno;
pub mod fault;
pub mod filter;
pub mod map;
pub mod owners;
pub mod signal;
pub mod spec;
pub mod trace;

pub use errno::Errno;
