//! The machinery of the guest suite.
//!
//! | Module | What |
//! |---|---|
//! | [`guest`] | finds the guests under `tests/guests`, and builds them when their content has changed |
//! | [`run`] | runs one command with a time limit, in a process group of its own, and keeps what it printed |
//!
//! It knows nothing of what a guest checks: a guest passes when it exits 0.
#![forbid(unsafe_code)]

pub mod guest;
pub mod run;
