//! Keys of an entry of a timeline that say what happens, and which others each of them takes.

/// Keys that say what happens, with those that they take. Each entry has one of them, or several of [`LINK`].
#[rustfmt::skip]
pub const VERBS: &[(&str, &[&str])] = &[
    ("partition", &["network"]),
    ("cut", &["between", "from", "to", "network"]),
    ("clog", &["between", "from", "to", "network"]),
    ("slow", &["between", "from", "to", "network", "by", "left"]),
    ("slow-close", &["between", "from", "to", "network", "by"]),
    ("reset", &["between", "from", "to", "network"]),
    ("kill", &["restart"]),
    ("stop", &["restart"]),
    ("power-loss", &["restart"]),
    ("pause", &[]),
    ("slow-cpu", &["by"]),
    ("descriptors", &["limit"]),
    ("memory", &["limit", "overcommit"]),
    ("clock-jump", &["by"]),
    ("clock-drift", &["by"]),
    ("leap-second", &["by"]),
    ("clock-strobe", &["by", "every"]),
    ("read-error", &["chance", "path"]),
    ("write-error", &["chance", "path"]),
    ("sync-error", &["chance", "path"]),
    ("short-io", &["chance", "path"]),
    ("bit-flip", &["chance", "path"]),
    ("lost-write", &["chance", "path"]),
    ("misdirected-write", &["chance", "path"]),
    ("disk-latency", &["by", "path"]),
    ("disk-stall", &["path"]),
    ("disk-full", &["path"]),
    ("quota", &["path"]),
    ("read-only", &["path"]),
    ("errno", &["chance"]),
    ("delay", &["chance"]),
    ("starve", &["threads"]),
];

/// Keys that change a link, as those of a network do.
pub const LINK: &[&str] =
    &["latency", "jitter", "bandwidth", "queue", "loss", "duplicate", "reorder", "reorder_by", "corrupt"];

/// Those that they take.
pub const OF_LINK: &[&str] = &["between", "from", "to", "network"];

/// Keys that say of a call which ones are meant.
pub const OF_CALL: &[&str] = &["path", "host", "address", "program"];

/// Whether a verb is about disks: these alone are about files.
pub fn is_disk(verb: &str) -> bool {
    VERBS.iter().any(|(name, takes)| *name == verb && takes.contains(&"path"))
}

/// Keys that only some take.
pub fn particular() -> impl Iterator<Item = &'static str> {
    let all = VERBS.iter().flat_map(|(_, takes)| *takes).chain(OF_LINK).chain(OF_CALL);
    let mut seen = Vec::new();
    all.copied().filter(move |key| {
        let is_new = !seen.contains(key);
        seen.push(*key);
        is_new
    })
}
