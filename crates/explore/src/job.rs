//! What explorers and their workers say to each other, a line of JSON each way.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use snowglobe_abi::spec::{Nanos, WorldSpec, YieldPoint};
use snowglobe_check::Finding;
use snowglobe_check::assertions::Catalogue;
use snowglobe_world::faults::record::KindRecord;
use snowglobe_world::rundir::{BinaryRecord, Verdict};

/// What a worker is told first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// The label of runs that are kept.
    pub label: String,
    /// The world file that seeds are for, where there is one.
    pub world: Option<PathBuf>,
    /// Overrides its end.
    pub until: Option<Nanos>,
    /// Which of its pool's workers it is; workers without a core of their own share one by this number.
    pub worker: usize,
}

/// One run that is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What is run.
    pub subject: Subject,
    /// Loops that give way from the beginning.
    pub points: Vec<YieldPoint>,
    /// Whether loops that spin are looked for. A run that is run again has the points that it had.
    pub learn: bool,
    /// Whether the run is kept with its whole trace.
    pub keep: bool,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Subject {
    /// The world file with this seed.
    Seed(u64),
    /// This world.
    World(Box<WorldSpec>),
}

/// What a worker answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The run ended, whatever came of it.
    Ended(Box<Outcome>),
    /// It was interrupted, which says nothing of it.
    Interrupted,
    /// It could not be made.
    Fault(Fault),
}

/// Why a run could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Whether it is the user's to mend: the world is wrong, and is so for every seed.
    pub usage: bool,
    /// Whether the world did not end in its time, which others of it may do.
    #[serde(default)]
    pub endless: bool,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// How it was judged.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
    /// What failed.
    pub findings: Vec<Finding>,
    /// BLAKE3 of the trace, hex.
    pub digest: String,
    /// Virtual nanoseconds that passed.
    pub virtual_ns: Nanos,
    /// Nanoseconds that passed on the machine.
    pub wall_ns: u64,
    /// Trace records.
    pub events: u64,
    /// System calls.
    pub calls: u64,
    /// The loops that gave way from the beginning in the run that counts.
    pub points: Vec<YieldPoint>,
    /// The run's ID, where it was kept.
    pub run: Option<String>,
    /// What was executed, when it was not the same as in the worker's run before.
    pub binaries: Option<Vec<BinaryRecord>>,
    /// What became of the assertions inside programs.
    pub assertions: Catalogue,
    /// What became of the kinds of faults in its plan.
    pub faults: Vec<KindRecord>,
    /// What should be known though nothing failed: a run that nothing judged.
    pub remarks: Vec<String>,
}

impl Outcome {
    /// Whether a check failed.
    pub fn failed(&self) -> bool {
        self.verdict == Verdict::Failed
    }

    /// Whether it is this run again.
    pub fn is_same(&self, other: &Outcome) -> bool {
        (&self.digest, self.verdict) == (&other.digest, other.verdict)
    }
}
