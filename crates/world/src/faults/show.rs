//! A plan in the words of a world file.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use snowglobe_abi::Errno;
use snowglobe_abi::fault::{
    CallFilter, CallVerb, ClockVerb, DiskVerb, Fault, FaultPlan, HostVerb, Planned, Schedule, When,
};
use snowglobe_abi::spec::{Chance, LinkChange, Strike, Verb};
use snowglobe_kernel::table;

use super::Scope;
use crate::link;
use crate::units::{show_chance, show_duration, show_size};

/// A piece of YAML.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A single value.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A mapping.
    Map(Vec<(&'static str, Tree)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Text(text) => serializer.serialize_str(text),
            Tree::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|item| seq.serialize_element(item))?;
                seq.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

impl Tree {
    /// In one line, `{at: 10s, partition: [[n1], [n2, n3]]}`.
    pub fn line(&self) -> String {
        let join = |list: Vec<String>| list.join(", ");
        match self {
            Tree::Text(text) => quoted(text),
            Tree::List(list) => format!("[{}]", join(list.iter().map(Tree::line).collect())),
            Tree::Map(entries) => {
                let entry = |(key, value): &(&str, Tree)| format!("{key}: {}", value.line());
                format!("{{{}}}", join(entries.iter().map(entry).collect()))
            }
        }
    }
}

/// A text as it can stand in a flow of YAML.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/%+-".contains(c) || c == ' ';
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let is_other = matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if begins && !is_other && !text.ends_with(' ') && text.chars().all(plain) {
        return text.to_owned();
    }
    // What JSON says is YAML.
    serde_json::to_string(text).unwrap_or_default()
}

/// Builds a mapping.
#[derive(Default)]
struct Entry(Vec<(&'static str, Tree)>);

impl Entry {
    fn text(&mut self, key: &'static str, value: impl Into<String>) {
        self.0.push((key, Tree::Text(value.into())));
    }

    fn maybe(&mut self, key: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn list(&mut self, key: &'static str, list: Vec<Tree>) {
        self.0.push((key, Tree::List(list)));
    }
}

/// A whole plan as the value of `faults`; nothing where nothing goes wrong and there is no quiet time.
pub fn plan(plan: &FaultPlan, scope: &Scope) -> Option<Tree> {
    let mut out = Entry::default();
    out.maybe("quiet_from", plan.quiet_from.map(show_duration));
    match plan.schedule {
        Schedule::Usual => {}
        Schedule::Random(chance) => {
            out.0.push(("schedule", Tree::Map(vec![("random", Tree::Text(show_chance(chance)))])));
        }
        Schedule::Pct { changes, calls } => {
            let (changes, calls) = (Tree::Text(changes.to_string()), Tree::Text(calls.to_string()));
            out.0.push(("schedule", Tree::Map(vec![("pct", changes), ("calls", calls)])));
        }
    }
    if !plan.timeline.is_empty() {
        out.list("timeline", plan.timeline.iter().map(|planned| entry(planned, scope)).collect());
    }
    (!out.0.is_empty()).then_some(Tree::Map(out.0))
}

/// The timeline of a plan as lines of a world file.
pub fn timeline(plan: &FaultPlan, scope: &Scope) -> String {
    plan.timeline.iter().map(|planned| format!("- {}\n", entry(planned, scope).line())).collect()
}

/// One fault as an entry of a timeline.
pub fn entry(planned: &Planned, scope: &Scope) -> Tree {
    let mut out = Entry::default();
    let mut filter = None;
    match &planned.when {
        When::At(at) => out.text("at", show_duration(*at)),
        When::Call { calls, nth } => {
            filter = Some(calls);
            out.text("nth", nth.to_string());
        }
    }
    out.maybe("for", planned.lasts.map(show_duration));
    if let Fault::Call { calls, .. } = &planned.fault {
        filter = Some(calls);
    }
    if let Some(filter) = filter {
        show_filter(&mut out, filter, scope);
    }
    show_fault(&mut out, &planned.fault, scope);
    out.text("cause", planned.cause.clone());
    Tree::Map(out.0)
}

fn show_filter(out: &mut Entry, filter: &CallFilter, scope: &Scope) {
    let name = |nr: &u32| table::entry(u64::from(*nr)).map_or("*", |entry| entry.name).to_owned();
    let calls: Vec<Tree> = filter.calls.iter().map(|nr| Tree::Text(name(nr))).collect();
    match &calls[..] {
        [] => out.text("call", "*"),
        [one] => out.0.push(("call", one.clone())),
        _ => out.list("call", calls),
    }
    if !filter.hosts.is_empty() {
        out.0.push(("host", hosts(&filter.hosts, scope)));
    }
    out.maybe("path", filter.path.clone());
    out.maybe("address", filter.address.clone());
    out.maybe("program", filter.program.clone());
}

/// Hosts by name; one of them stands alone.
fn hosts(list: &[u32], scope: &Scope) -> Tree {
    match list {
        [one] => Tree::Text(scope.name(*one)),
        _ => Tree::List(names(list, scope)),
    }
}

fn names(list: &[u32], scope: &Scope) -> Vec<Tree> {
    list.iter().map(|host| Tree::Text(scope.name(*host))).collect()
}

fn network(out: &mut Entry, network: Option<u32>, scope: &Scope) {
    let name = |at: u32| scope.networks.get(at as usize).map(|network| network.name.clone());
    out.maybe("network", network.and_then(name));
}

fn show_fault(out: &mut Entry, fault: &Fault, scope: &Scope) {
    let kind = fault.kind();
    match fault {
        Fault::Network(strike) => show_strike(out, kind, strike, scope),
        Fault::Partition { network: on, groups } => {
            out.list(kind, groups.iter().map(|group| Tree::List(names(group, scope))).collect());
            network(out, *on, scope);
        }
        Fault::Link { network: on, from, to, change } => {
            show_link(out, change);
            if from == to {
                out.list("between", names(from, scope));
            } else {
                out.list("from", names(from, scope));
                out.list("to", names(to, scope));
            }
            network(out, *on, scope);
        }
        Fault::Host { hosts: list, verb } => {
            out.0.push((kind, hosts(list, scope)));
            match verb {
                HostVerb::Kill { restart } | HostVerb::Stop { restart } | HostVerb::PowerLoss { restart } => {
                    out.maybe("restart", restart.map(show_duration));
                }
                HostVerb::Pause => {}
                HostVerb::Slow(by) => out.text("by", show_duration(*by)),
                HostVerb::Descriptors(limit) => out.text("limit", limit.to_string()),
                HostVerb::Memory { limit, strict } => {
                    out.text("limit", show_size(*limit));
                    out.maybe("overcommit", strict.then(|| "never".to_owned()));
                }
            }
        }
        Fault::Clock { hosts: list, verb } => {
            out.0.push((kind, hosts(list, scope)));
            match *verb {
                ClockVerb::Jump(by) => out.text("by", show_signed(by)),
                ClockVerb::Drift(by) => out.text("by", format!("{by} ppm")),
                ClockVerb::Leap(by) => out.text("by", if by > 0 { "insert" } else { "delete" }),
                ClockVerb::Strobe { by, every } => {
                    out.text("by", show_signed(by));
                    out.text("every", show_duration(every));
                }
            }
        }
        Fault::Disk { hosts: list, path, verb } => {
            out.0.push((kind, hosts(list, scope)));
            show_disk(out, *verb);
            out.maybe("path", path.clone());
        }
        Fault::Call { chance, verb, .. } => {
            if *chance != Chance::SURE {
                out.text("chance", show_chance(*chance));
            }
            match verb {
                CallVerb::Errno(errno) => out.text("errno", Errno(*errno).name()),
                CallVerb::Delay(by) => out.text("delay", show_duration(*by)),
                CallVerb::Kill => out.text("kill", "caller"),
            }
        }
        Fault::Starve { hosts: list, threads } => {
            out.0.push((kind, hosts(list, scope)));
            if !threads.is_empty() {
                out.list("threads", threads.iter().map(|id| Tree::Text(id.to_string())).collect());
            }
        }
    }
}

fn show_strike(out: &mut Entry, kind: &'static str, strike: &Strike, scope: &Scope) {
    let mut ways = Entry::default();
    if strike.from == strike.to {
        ways.list("between", names(&strike.from, scope));
    } else {
        ways.list("from", names(&strike.from, scope));
        ways.list("to", names(&strike.to, scope));
    }
    network(&mut ways, strike.network, scope);
    out.0.push((kind, Tree::Map(ways.0)));
    match strike.verb {
        Verb::Slow(slow) => {
            out.text("by", show_duration(slow.latency));
            out.text("left", show_chance(slow.bandwidth));
        }
        Verb::SlowClose(by) => out.text("by", show_duration(by)),
        _ => {}
    }
}

fn show_link(out: &mut Entry, change: &LinkChange) {
    for (key, value) in link::show_change(change) {
        out.text(key, value);
    }
}

fn show_disk(out: &mut Entry, verb: DiskVerb) {
    match verb {
        DiskVerb::ReadError(chance)
        | DiskVerb::WriteError(chance)
        | DiskVerb::SyncError(chance)
        | DiskVerb::Short(chance)
        | DiskVerb::Flip(chance)
        | DiskVerb::Lost(chance)
        | DiskVerb::Misdirected(chance) => {
            if chance != Chance::SURE {
                out.text("chance", show_chance(chance));
            }
        }
        DiskVerb::Latency(by) => out.text("by", show_duration(by)),
        DiskVerb::Stall | DiskVerb::Full | DiskVerb::Quota | DiskVerb::ReadOnly => {}
    }
}

fn show_signed(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    format!("{sign}{}", show_duration(ns.unsigned_abs()))
}
