//! Packaged programs as guests.
//!
//! Each folder of `tests/programs` is a scenario: a world file, the scripts that it runs, and under `expected/` what each
//! host must print. `tests/programs/scenarios.toml` lists them all. A scenario is tried in up to three ways:
//!
//! | Variant | What is done |
//! |---|---|
//! | `linux` | the same scripts on plain Linux, over loopback: what is expected is true |
//! | `layer` | `snowglobe run`: every host prints what is expected |
//! | `verify` | `snowglobe verify --runs 3`: the runs are the same event by event |
//!
//! | Module | Content |
//! |---|---|
//! | [`list`] | the scenarios and what the list says of them |
//! | [`trial`] | how one variant of one scenario is tried |
//! | [`example`] | the examples that find bugs: that they still find them, and that what is mended is clean |
//! | [`world`] | small worlds: every fault, check and assertion, as programs see them and as the command tells them |
//! | [`command`] | commands with a time limit, and the binary under test |
#![forbid(unsafe_code)]

pub mod command;
pub mod example;
pub mod list;
pub mod trial;
pub mod world;
