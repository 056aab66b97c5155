//! Which files of the machine that a run has asked for are not what they were: a run reads them anew each time.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use snowglobe_abi::spec::{HostSpec, WorldSpec};
use snowglobe_abi::trace::Kind;
use snowglobe_kernel::table::{self, Arg};
use snowglobe_world::root::{Found, Root};
use snowglobe_world::rundir::RunDir;

/// Most files that are named.
const NAMED: usize = 8;

/// Files that the events of a recorded run up to one of them ask for, and that have changed since it began. A path that is
/// relative is taken from where its service starts: this is a hint, and no proof.
pub fn since(recorded: &RunDir, spec: &WorldSpec, until: u64) -> Vec<PathBuf> {
    // Written when the run began.
    let Some(began) = fs::metadata(recorded.world_path()).ok().map(|meta| (meta.mtime(), meta.mtime_nsec())) else {
        return Vec::new();
    };
    let Ok(trace) = recorded.trace() else { return Vec::new() };
    let mut asked: BTreeSet<(u32, String)> = BTreeSet::new();
    for event in trace.map_while(Result::ok).take_while(|event| event.index <= until) {
        let record = &event.record;
        let entry = record.nums.first().and_then(|nr| table::entry(*nr));
        let by_path =
            record.kind == Kind::Begin && entry.is_some_and(|e| e.args.iter().any(|a| matches!(a, Arg::Path)));
        if let (true, Some(host), Some(path)) = (by_path, event.host(), record.blobs.first()) {
            asked.insert((host, String::from_utf8_lossy(path).into_owned()));
        }
    }
    let files: BTreeSet<PathBuf> = asked
        .iter()
        .filter_map(|(host, path)| file(spec.hosts.get(*host as usize)?, path))
        .filter(|path| fs::metadata(path).is_ok_and(|meta| !meta.is_dir() && (meta.ctime(), meta.ctime_nsec()) > began))
        .collect();
    files.into_iter().take(NAMED).collect()
}

/// The file of the machine that a host sees at a path.
fn file(host: &HostSpec, path: &str) -> Option<PathBuf> {
    let cwd = host.service.as_ref().map_or("/", |service| &service.cwd);
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    match (Root { origin: &host.root, mounts: &host.mounts }).find(&full) {
        Found::Machine(path) => Some(path),
        _ => None,
    }
}
