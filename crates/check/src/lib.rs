//! Judges of what a run left behind.
//!
//! - [`finding`]: what a check says: passed, failed with findings, or unknown.
//!
//! Nothing here opens a file, reads a clock or draws a random number: text comes by readers, bounds are counts.

#![forbid(unsafe_code)]

pub mod finding;

pub use finding::{Finding, Kind, Outcome, Verdict};
