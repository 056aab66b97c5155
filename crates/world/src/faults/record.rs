//! What became of the faults of a run: `faults.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use snowglobe_abi::fault::FaultReport;
use snowglobe_abi::spec::{Nanos, WorldSpec};

use super::{Scope, show};

/// One fault of a run's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Its place in the plan, by which the trace names it.
    pub index: u32,
    /// Its kind, as in a timeline.
    pub kind: String,
    /// Whom it is about.
    pub whom: String,
    /// Where it comes from: the world file's line, or the profile.
    pub cause: String,
    /// When it began, in virtual nanoseconds; nothing if it never did.
    pub begin_ns: Option<Nanos>,
    /// When it ended; nothing if it went on.
    pub end_ns: Option<Nanos>,
    /// How often it hit something: a packet, a process, a call, an operation of a disk.
    pub hits: u64,
    /// Whether it hit anything.
    pub disturbed: bool,
    /// The entry of a timeline that says the same.
    pub entry: String,
}

/// The faults of a run, from its world and what was reported of them.
pub fn records(spec: &WorldSpec, reports: &[FaultReport]) -> Vec<FaultRecord> {
    let scope = Scope::of(spec, |_| None);
    let names = |host: u32| scope.name(host);
    let record = |(index, planned): (usize, &snowglobe_abi::fault::Planned)| {
        let report = reports.iter().find(|report| report.index as usize == index);
        let times = report.and_then(|report| report.times);
        let hits = report.map_or(0, |report| report.hits);
        FaultRecord {
            index: index as u32,
            kind: planned.fault.kind().to_owned(),
            whom: planned.fault.whom(&names),
            cause: planned.cause.clone(),
            begin_ns: times.map(|(begin, _)| begin),
            end_ns: times.and_then(|(_, end)| end),
            hits,
            disturbed: hits > 0,
            entry: show::entry(planned, &scope).line(),
        }
    };
    spec.faults.timeline.iter().enumerate().map(record).collect()
}

/// The faults of one kind, in one run or in many. A kind without a hit disturbed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRecord {
    /// The kind, as in a timeline.
    pub kind: String,
    /// Faults of it that were planned.
    pub planned: u64,
    /// How often they hit something.
    pub hits: u64,
}

impl KindRecord {
    /// The faults in words: "3 faults of kind `kill`".
    pub fn name(&self) -> String {
        let Self { kind, planned, .. } = self;
        let faults = if *planned == 1 { "fault".to_owned() } else { format!("{planned} faults") };
        format!("{faults} of kind `{kind}`")
    }
}

/// The faults of a run by their kind.
pub fn by_kind(records: &[FaultRecord]) -> Vec<KindRecord> {
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for record in records {
        let (planned, hits) = kinds.entry(&record.kind).or_default();
        (*planned, *hits) = (*planned + 1, *hits + record.hits);
    }
    let record = |(kind, (planned, hits)): (&str, (u64, u64))| KindRecord { kind: kind.to_owned(), planned, hits };
    kinds.into_iter().map(record).collect()
}
