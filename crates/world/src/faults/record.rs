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

/// Kinds of which not one fault hit anything, and how many there were of each: they disturbed nothing.
pub fn idle_kinds(records: &[FaultRecord]) -> Vec<(String, usize)> {
    let mut kinds: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for record in records {
        let (count, hits) = kinds.entry(&record.kind).or_default();
        (*count, *hits) = (*count + 1, *hits + record.hits);
    }
    kinds.into_iter().filter(|(_, (_, hits))| *hits == 0).map(|(kind, (count, _))| (kind.to_owned(), count)).collect()
}
