//! Starts a world, drains its trace, watches it, ends it.
//!
//! | Module | Content |
//! |---|---|
//! | [`world`] | one world from start to end |
//! | [`arena`] | the memory shared with the layer |
//!
//! This is the process that a user sees; it never runs a guest's code.

pub mod arena;
pub mod world;

pub use world::{Ended, Failure, Hooks, run};

/// The layer's image.
pub static LAYER: &[u8] = include_bytes!(env!("SNOWGLOBE_LAYER"));
