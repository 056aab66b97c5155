//! Transactions that append to lists and read them, after Elle (Kingsbury and Alvaro, 2020): what a list holds tells in which order
//! it was written, so who must have come before whom is known, and a cycle is an anomaly with a name (Adya, 1999).
//!
//! A transaction is `{"f":"txn","value":[["append","x",1],["r","x",[1]]]}`; values of one key are never appended twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cycles::{self, Edge, Graph, Why};
use crate::finding::{Finding, Kind, Outcome};
use crate::history::{Bounds, End, History, Operation};

/// What a store promises of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consistency {
    /// No dirty writes.
    ReadUncommitted,
    /// Nothing is seen of what is not committed.
    ReadCommitted,
    /// Each transaction sees one snapshot, and of two that write the same one fails.
    SnapshotIsolation,
    /// As if one after the other.
    Serializable,
    /// As if one after the other, in the order of time.
    StrictSerializable,
}

impl Consistency {
    /// The names.
    pub const ALL: [(&'static str, Consistency); 5] = [
        ("read-uncommitted", Consistency::ReadUncommitted),
        ("read-committed", Consistency::ReadCommitted),
        ("snapshot-isolation", Consistency::SnapshotIsolation),
        ("serializable", Consistency::Serializable),
        ("strict-serializable", Consistency::StrictSerializable),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Consistency::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// From which level on an anomaly is forbidden.
    fn forbids(self, anomaly: &str) -> bool {
        let least = match anomaly {
            "G0" | "duplicate-elements" | "incompatible-order" | "dirty-update" | "unexpected" => {
                Consistency::ReadUncommitted
            }
            "G1a" | "G1b" | "G1c" => Consistency::ReadCommitted,
            "internal" | "G-single" | "G-nonadjacent" | "lost-update" => Consistency::SnapshotIsolation,
            "G2" => Consistency::Serializable,
            _ => Consistency::StrictSerializable,
        };
        self >= least
    }
}

/// One operation of a transaction.
enum Micro {
    Append(u32, u32),
    /// The list; nothing when it was not answered.
    Read(u32, Option<Vec<u32>>),
}

struct Txn<'a> {
    operation: &'a Operation,
    micros: Vec<Micro>,
}

/// Keys and values by number.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    fn number(&mut self, value: &Value) -> u32 {
        let next = self.texts.len() as u32;
        *self.numbers.entry(value.to_string()).or_insert_with_key(|text| {
            self.texts.push(text.clone());
            next
        })
    }

    fn list(&self, list: &[u32]) -> String {
        let shown: Vec<&str> = list.iter().map(|value| self.texts[*value as usize].as_str()).collect();
        if shown.len() > 24 {
            format!("[…, {}]", shown[shown.len() - 24..].join(", "))
        } else {
            format!("[{}]", shown.join(", "))
        }
    }
}

struct Judge<'a> {
    history: &'a History,
    names: Names,
    txns: Vec<Txn<'a>>,
    /// Who appended a value to a key, and as the how-many-th of its appends to that key.
    writers: BTreeMap<(u32, u32), (u32, u32)>,
    /// How many appends to a key a transaction has.
    appends: BTreeMap<(u32, u32), u32>,
    /// The longest list of each key, and who read it.
    orders: BTreeMap<u32, (Vec<u32>, u32)>,
    anomalies: BTreeMap<&'static str, Vec<String>>,
}

/// Judges transactions.
pub fn judge(name: &str, history: &History, level: Consistency, bounds: &Bounds) -> Outcome {
    let mut out = Outcome::default();
    let mut judge = match read(history) {
        Ok(judge) => judge,
        Err(why) => {
            out.unknown.push(format!("history {name}: {why}"));
            return out;
        }
    };
    judge.reads_by_themselves();
    judge.orders();
    judge.lost_updates();
    let graph = judge.graph(level == Consistency::StrictSerializable);
    let mut cut = false;
    for cycle in cycles::anomalies(&graph, bounds.steps, &mut cut) {
        let text = judge.show_cycle(&cycle.edges);
        judge.note(cycle.name, text);
    }
    let (mut allowed, mut forbidden) = (Vec::new(), Vec::new());
    for (anomaly, texts) in &judge.anomalies {
        if level.forbids(anomaly) { forbidden.push((anomaly, texts)) } else { allowed.push(*anomaly) }
    }
    for (anomaly, texts) in forbidden {
        let more = if texts.len() > 1 { format!(" ({} times)", texts.len()) } else { String::new() };
        let text = format!("history {name}: {anomaly}{more}, which {} forbids:\n{}", level.name(), texts[0]);
        out.findings.push(Finding::new(Kind::History, format!("{name}/append/{anomaly}"), text));
    }
    if cut && out.findings.is_empty() {
        out.unknown.push(format!("history {name}: the search for cycles reached its bound"));
    }
    let mut notes = format!("history {name}: append ({}), {} transactions", level.name(), judge.txns.len());
    if !allowed.is_empty() {
        notes += &format!("; it has {}, which {} allows", allowed.join(", "), level.name());
    }
    out.checked.push(notes);
    out
}

/// Takes the transactions apart.
fn read(history: &History) -> Result<Judge<'_>, String> {
    let mut judge = Judge {
        history,
        names: Names::default(),
        txns: Vec::new(),
        writers: BTreeMap::new(),
        appends: BTreeMap::new(),
        orders: BTreeMap::new(),
        anomalies: BTreeMap::new(),
    };
    for operation in &history.operations {
        let value = if operation.end == End::Ok { &operation.answered } else { &operation.asked };
        let micros = micros(operation, value, &mut judge.names)
            .ok_or_else(|| format!("{} is no transaction of appends and reads", history.show(operation)))?;
        let index = judge.txns.len() as u32;
        for micro in &micros {
            if let Micro::Append(key, value) = micro {
                let count = judge.appends.entry((index, *key)).or_default();
                if judge.writers.insert((*key, *value), (index, *count)).is_some() {
                    let (key, value) = (&judge.names.texts[*key as usize], &judge.names.texts[*value as usize]);
                    return Err(format!("{value} is appended to {key} twice: their order cannot be told"));
                }
                *count += 1;
            }
        }
        judge.txns.push(Txn { operation, micros });
    }
    Ok(judge)
}

fn micros(operation: &Operation, value: &Value, names: &mut Names) -> Option<Vec<Micro>> {
    let single = |f: &str, key: &Value, value: &Value, names: &mut Names| {
        let key = names.number(key);
        match f.trim_start_matches(':') {
            "append" => Some(Micro::Append(key, names.number(value))),
            "r" | "read" if operation.end != End::Ok => Some(Micro::Read(key, None)),
            "r" | "read" => match value {
                Value::Null => Some(Micro::Read(key, Some(Vec::new()))),
                Value::Array(list) => Some(Micro::Read(key, Some(list.iter().map(|v| names.number(v)).collect()))),
                _ => None,
            },
            _ => None,
        }
    };
    match &*operation.f {
        "txn" | "transaction" => value
            .as_array()?
            .iter()
            .map(|micro| match micro.as_array().map(Vec::as_slice) {
                Some([f, key, value]) => single(f.as_str()?, key, value, names),
                Some([f, key]) => single(f.as_str()?, key, &Value::Null, names),
                _ => None,
            })
            .collect(),
        f => {
            let key = serde_json::from_str(&operation.key).ok()?;
            Some(vec![single(f, &key, value, names)?])
        }
    }
}

impl Judge<'_> {
    fn note(&mut self, anomaly: &'static str, text: String) {
        self.anomalies.entry(anomaly).or_default().push(text);
    }

    fn is_ok(&self, txn: u32) -> bool {
        self.txns[txn as usize].operation.end == End::Ok
    }

    fn show(&self, txn: u32) -> String {
        format!("  {}", self.history.show(self.txns[txn as usize].operation))
    }

    /// What one read shows to be wrong: values that are there twice or by nobody, of failed transactions (G1a), of the middle of
    /// one (G1b), and lists that do not fit what the transaction itself has seen and done (internal).
    fn reads_by_themselves(&mut self) {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for (index, txn) in self.txns.iter().enumerate() {
            if txn.operation.end != End::Ok {
                continue;
            }
            let index = index as u32;
            let mut own: BTreeMap<u32, (Option<Vec<u32>>, Vec<u32>)> = BTreeMap::new();
            for micro in &txn.micros {
                match micro {
                    Micro::Append(key, value) => own.entry(*key).or_default().1.push(*value),
                    Micro::Read(key, Some(list)) => {
                        let (base, appended) = own.entry(*key).or_default();
                        let fits = match base {
                            Some(base) => {
                                list.len() == base.len() + appended.len()
                                    && list.starts_with(base)
                                    && list.ends_with(appended)
                            }
                            None => list.ends_with(appended),
                        };
                        if !fits {
                            let base = base.as_ref().map_or_else(|| "[…]".to_owned(), |base| self.names.list(base));
                            let text = format!(
                                "{}\n  it had seen {} = {base}, appended {}, and then read {}",
                                self.show(index),
                                self.names.texts[*key as usize],
                                self.names.list(appended),
                                self.names.list(list)
                            );
                            found.push(("internal", text));
                        }
                        *base = Some(list.clone());
                        appended.clear();
                        self.one_list(index, *key, list, &mut found);
                    }
                    Micro::Read(_, None) => {}
                }
            }
        }
        found.into_iter().for_each(|(anomaly, text)| self.note(anomaly, text));
    }

    fn one_list(&self, reader: u32, key: u32, list: &[u32], found: &mut Vec<(&'static str, String)>) {
        let name = &self.names.texts[key as usize];
        let text = |value: u32| &self.names.texts[value as usize];
        let mut seen = BTreeSet::new();
        let mut aborted = None;
        for value in list {
            if !seen.insert(*value) {
                found.push((
                    "duplicate-elements",
                    format!("{}\n  {} is in {name} twice", self.show(reader), text(*value)),
                ));
            }
            let Some((writer, _)) = self.writers.get(&(key, *value)) else {
                found.push((
                    "unexpected",
                    format!("{}\n  nobody appended {} to {name}", self.show(reader), text(*value)),
                ));
                continue;
            };
            if self.txns[*writer as usize].operation.end == End::Fail {
                if aborted.is_none() {
                    let why = format!(
                        "{}\n  it read {} of {name}, by\n{}",
                        self.show(reader),
                        text(*value),
                        self.show(*writer)
                    );
                    found.push(("G1a", why));
                }
                aborted = Some(*value);
            } else if let Some(before) = aborted.take()
                && *writer != reader
            {
                let why = format!(
                    "{}\n  after {} of a failed transaction, {name} got {}, by\n{}",
                    self.show(reader),
                    text(before),
                    text(*value),
                    self.show(*writer)
                );
                found.push(("dirty-update", why));
                aborted = Some(before);
            }
        }
        if let Some(last) = list.last()
            && let Some((writer, place)) = self.writers.get(&(key, *last))
            && *writer != reader
            && self.appends.get(&(*writer, key)).is_some_and(|all| place + 1 < *all)
        {
            let why = format!("{}\n  it read {name} in the middle of\n{}", self.show(reader), self.show(*writer));
            found.push(("G1b", why));
        }
    }

    /// The order of each key's values: that of the longest list; all others must be its beginnings.
    fn orders(&mut self) {
        let mut orders: BTreeMap<u32, (Vec<u32>, u32)> = BTreeMap::new();
        let mut found = Vec::new();
        for pass in 0..2 {
            for (index, txn) in self.txns.iter().enumerate() {
                for micro in &txn.micros {
                    let Micro::Read(key, Some(list)) = micro else { continue };
                    let longest = orders.entry(*key).or_insert_with(|| (list.clone(), index as u32));
                    if pass == 0 && list.len() > longest.0.len() {
                        *longest = (list.clone(), index as u32);
                    }
                    if pass == 1 && !longest.0.starts_with(list) {
                        found.push(format!(
                            "{}\n{}\n  one read {} = {}, the other {}",
                            self.show(longest.1),
                            self.show(index as u32),
                            self.names.texts[*key as usize],
                            self.names.list(&longest.0),
                            self.names.list(list)
                        ));
                    }
                }
            }
        }
        self.orders = orders;
        found.into_iter().for_each(|text| self.note("incompatible-order", text));
    }

    /// Two transactions that read the same version of a key and then appended to it.
    fn lost_updates(&mut self) {
        let mut by_version: BTreeMap<(u32, Vec<u32>), Vec<u32>> = BTreeMap::new();
        for (index, txn) in self.txns.iter().enumerate() {
            if txn.operation.end != End::Ok {
                continue;
            }
            let mut read: BTreeMap<u32, &Vec<u32>> = BTreeMap::new();
            let mut written = BTreeSet::new();
            for micro in &txn.micros {
                match micro {
                    Micro::Read(key, Some(list)) if !written.contains(key) => {
                        read.entry(*key).or_insert(list);
                    }
                    Micro::Append(key, _) => {
                        written.insert(*key);
                    }
                    Micro::Read(..) => {}
                }
            }
            for key in written {
                if let Some(list) = read.get(&key) {
                    by_version.entry((key, (*list).clone())).or_default().push(index as u32);
                }
            }
        }
        for ((key, list), txns) in by_version.into_iter().filter(|(_, txns)| txns.len() > 1) {
            let all: Vec<String> = txns.iter().take(4).map(|txn| self.show(*txn)).collect();
            let (name, list) = (&self.names.texts[key as usize], self.names.list(&list));
            let text = format!("{}\n  all of them read {name} = {list} and appended to it", all.join("\n"));
            self.note("lost-update", text);
        }
    }

    /// Who came before whom.
    fn graph(&self, realtime: bool) -> Graph {
        let mut graph = Graph::new(self.txns.len());
        let mut unseen: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        let observed: BTreeSet<(u32, u32)> =
            self.orders.iter().flat_map(|(key, (list, _))| list.iter().map(|value| (*key, *value))).collect();
        for ((key, value), (writer, _)) in &self.writers {
            if self.is_ok(*writer) && !observed.contains(&(*key, *value)) {
                unseen.entry(*key).or_default().push((*writer, *value));
            }
        }
        let writer = |key: u32, value: u32| {
            let (writer, _) = self.writers.get(&(key, value))?;
            (self.txns[*writer as usize].operation.end != End::Fail).then_some(*writer)
        };
        // A list only grows: what was acknowledged and is in no list came after the longest.
        let no_list = (Vec::new(), 0);
        let keys: BTreeSet<u32> = self.orders.keys().chain(unseen.keys()).copied().collect();
        for key in keys {
            let list = &self.orders.get(&key).unwrap_or(&no_list).0;
            for pair in list.windows(2) {
                if let (Some(a), Some(b)) = (writer(key, pair[0]), writer(key, pair[1])) {
                    graph.add(a, Edge { to: b, why: Why::Ww, key, value: pair[1] });
                }
            }
            if let Some(last) = list.last().and_then(|last| writer(key, *last)) {
                for (to, value) in unseen.get(&key).into_iter().flatten() {
                    graph.add(last, Edge { to: *to, why: Why::Ww, key, value: *value });
                }
            }
        }
        self.read_edges(&mut graph, &unseen, &writer);
        if realtime {
            self.time_edges(&mut graph);
        }
        graph
    }

    fn read_edges(
        &self,
        graph: &mut Graph,
        unseen: &BTreeMap<u32, Vec<(u32, u32)>>,
        writer: &dyn Fn(u32, u32) -> Option<u32>,
    ) {
        for (index, txn) in self.txns.iter().enumerate() {
            let (index, mut written) = (index as u32, BTreeSet::new());
            for micro in &txn.micros {
                let (key, list) = match micro {
                    Micro::Append(key, _) => {
                        written.insert(*key);
                        continue;
                    }
                    // What was read after own writes says no more than those.
                    Micro::Read(key, Some(list)) if !written.contains(key) => (*key, list),
                    Micro::Read(..) => continue,
                };
                let Some((order, _)) = self.orders.get(&key) else { continue };
                if let Some(last) = list.last()
                    && let Some(from) = writer(key, *last)
                {
                    graph.add(from, Edge { to: index, why: Why::Wr, key, value: *last });
                }
                if !order.starts_with(list) {
                    continue;
                }
                match order.get(list.len()) {
                    Some(next) => {
                        if let Some(to) = writer(key, *next) {
                            graph.add(index, Edge { to, why: Why::Rw, key, value: *next });
                        }
                    }
                    None => {
                        for (to, value) in unseen.get(&key).into_iter().flatten() {
                            graph.add(index, Edge { to: *to, why: Why::Rw, key, value: *value });
                        }
                    }
                }
            }
        }
    }

    /// Who had ended before who began; what follows from two others is left out.
    fn time_edges(&self, graph: &mut Graph) {
        let mut events: Vec<(u64, bool, u32)> = Vec::new();
        for (index, txn) in self.txns.iter().enumerate() {
            match txn.operation.end {
                End::Ok => {
                    events.push((txn.operation.call, false, index as u32));
                    events.push((txn.operation.ret, true, index as u32));
                }
                End::Info => events.push((txn.operation.call, false, index as u32)),
                End::Fail => {}
            }
        }
        events.sort_unstable();
        // Those that have ended and that nobody who ended since has begun after.
        let mut front: BTreeSet<u32> = BTreeSet::new();
        let mut behind: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (_, ends, index) in events {
            if ends {
                for before in behind.remove(&index).into_iter().flatten() {
                    front.remove(&before);
                }
                front.insert(index);
            } else {
                for before in &front {
                    graph.add(*before, Edge { to: index, why: Why::Time, key: 0, value: 0 });
                }
                behind.insert(index, front.iter().copied().collect());
            }
        }
    }

    fn show_cycle(&self, edges: &[(u32, Edge)]) -> String {
        let label = |txn: u32| edges.iter().position(|(from, _)| *from == txn).map_or(0, |n| n + 1);
        let mut text: Vec<String> = Vec::new();
        for (n, (from, _)) in edges.iter().enumerate().take(12) {
            text.push(format!("  T{}: {}", n + 1, self.show(*from).trim_start()));
        }
        for (from, edge) in edges.iter().take(12) {
            let name = |n: u32| self.names.texts.get(n as usize).map_or("", String::as_str);
            let (key, value) = (name(edge.key), name(edge.value));
            let because = match edge.why {
                Why::Ww => format!("it appended {value} to {key} later"),
                Why::Wr => format!("it read {value} of {key}"),
                Why::Rw => format!("it appended {value} to {key}, which the other did not see"),
                Why::Time => "it began when the other had ended".to_owned(),
            };
            let arrow = edge.why.name();
            text.push(format!("  T{} -{arrow}-> T{}: {because}", label(*from), label(edge.to)));
        }
        if edges.len() > 12 {
            text.push(format!("  and {} more steps", edges.len() - 12));
        }
        text.join("\n")
    }
}
