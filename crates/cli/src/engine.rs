//! The seam to what runs worlds.

#![expect(dead_code, reason = "the fields are read once the supervisor is connected")]
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use snowglobe_abi::spec::{Nanos, Report, WorldSpec};
use snowglobe_world::Problem;
use snowglobe_world::rundir::{Layout, Recorded, Recorder};

/// Where a run's standard input comes from.
pub enum Input {
    /// Nothing: guests read end of file.
    Empty,
    /// Bytes of an earlier run.
    Bytes(Vec<u8>),
    /// Asked for when a guest first reads it: reads all of it, and keeps it with the run.
    Ask(Box<dyn FnOnce() -> Result<Vec<u8>, Problem> + Send>),
}

/// One run.
pub struct RunRequest<'a> {
    /// The world.
    pub spec: &'a WorldSpec,
    /// How calls are answered.
    pub layout: Layout,
    /// Standard input.
    pub input: Input,
    /// Takes the trace as it comes; its `feed` says when the run may stop early.
    pub recorder: Recorder,
    /// Set by Ctrl-C.
    pub stop: Arc<AtomicBool>,
    /// Hears how it goes, several times a second.
    pub on_sample: &'a mut dyn FnMut(Sample),
}

/// How a run goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Virtual nanoseconds that passed.
    pub virtual_ns: Nanos,
    /// Trace records.
    pub events: u64,
    /// Hosts with a live process.
    pub hosts_up: u32,
}

/// How a run ended.
pub struct RunOutcome {
    /// The layer's report.
    pub report: Report,
    /// Trace records.
    pub events: u64,
    /// System calls.
    pub calls: u64,
    /// The recorder's last word.
    pub recorded: Recorded,
}

/// One row of the support table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SupportRow {
    /// The call's number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its support level.
    pub level: String,
    /// What a user should know.
    pub note: String,
}

fn not_connected() -> Problem {
    Problem::new("this build of snowglobe cannot run worlds: not connected yet").help("build it with the supervisor")
}

/// Runs a world to its end.
///
/// # Errors
/// The world could not be run: the machine or snowglobe is at fault.
pub fn run(_request: RunRequest<'_>) -> Result<RunOutcome, Problem> {
    Err(not_connected())
}

/// The table of system calls, from which dispatch comes.
///
/// # Errors
/// There is none in this build.
pub fn support() -> Result<Vec<SupportRow>, Problem> {
    Err(not_connected())
}
