//! World files: what they mean, and what is wrong with them.
pub mod compose;
pub mod interpolate;
pub mod keys;
pub mod problem;
pub mod resolved;
pub mod root;
pub mod rundir;
pub mod trace;
pub mod units;
pub mod yaml;
