//! Judges of what a run left behind.
//!
//! - [`finding`]: what a check says: passed, failed with findings, or unknown.
//! - [`history`]: what clients did and saw, read from lines of JSON.
//! - [`model`]: which judge, by name and options.
//! - [`register`] (by [`linear`]), [`set`], [`queue`], [`counter`], [`bank`], [`monotonic`], [`append`] (by [`cycles`]): the judges.
//!
//! Nothing here opens a file, reads a clock or draws a random number: text comes by readers, bounds are counts.

#![forbid(unsafe_code)]

pub mod append;
pub mod assertions;
pub mod bank;
pub mod counter;
pub mod cycles;
pub mod defaults;
pub mod finding;
pub mod history;
pub mod linear;
pub mod model;
pub mod monotonic;
pub mod outputs;
pub mod queue;
pub mod register;
pub mod set;

pub use finding::{Finding, Kind, Outcome, Verdict};
pub use history::{Bounds, History, Reader};
pub use model::Model;
