//! World files: what they mean, and what is wrong with them.
pub mod compose;
pub mod interpolate;
pub mod keys;
pub mod problem;
pub mod root;
pub mod units;
pub mod yaml;
