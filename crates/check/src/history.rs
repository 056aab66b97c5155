//! What clients did and saw: lines of JSON, one for each beginning and each end of an operation.
//!
//! ```text
//! {"type":"invoke","process":0,"f":"write","key":"x","value":1,"time":1000}
//! {"type":"ok","process":0,"f":"write","key":"x","value":1,"time":2000}
//! ```
//!
//! `type` is `invoke`, `ok` (it happened), `fail` (it did not, and will not) or `info` (nobody knows). `f` may be called `op`.
//! Names may have Jepsen's colon (`":ok"`). A line with `model` and without `type` says what the lines of its file are about.
//! Lines that a world took carry when it did: `_at` and `_seq`; and `_since`, before which the line was not written, where it
//! came in one piece with others. Without these, the order is that of the lines.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde_json::{Map, Value};

/// How much a judge may use before it says that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of one line.
    pub line: usize,
    /// Bytes of a history.
    pub bytes: u64,
    /// Steps of a search.
    pub steps: u64,
    /// States that a search remembers, at 24 to 48 bytes each.
    pub states: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { line: 16 << 20, bytes: 512 << 20, steps: 200_000_000, states: 8_000_000 }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It happened.
    Ok,
    /// It did not happen.
    Fail,
    /// It may have happened, or may yet.
    Info,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Who: numbered by first appearance, so that processes of different files differ.
    pub process: u32,
    /// What.
    pub f: Box<str>,
    /// On which key, as JSON; empty without one.
    pub key: Box<str>,
    /// What it was asked with.
    pub asked: Value,
    /// What it answered; as it was asked when there is no answer.
    pub answered: Value,
    /// How it ended.
    pub end: End,
    /// Its place among all beginnings and ends.
    pub call: u64,
    /// The place of its end: it precedes what begins later. `u64::MAX` when nobody knows that it has ended.
    pub ret: u64,
    /// File (by its place) and line where it begins.
    pub line: (u32, u32),
    /// The line where it ends; 0 when it does not.
    pub end_line: u32,
}

/// A history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The operations by their beginnings.
    pub operations: Vec<Operation>,
    /// What the lines say that they are about.
    pub model: Option<String>,
    /// What of the end is missing, if anything: what is found is real, and what is not found may be in what is missing.
    pub cut: Option<String>,
    /// How many lines were read.
    pub lines: u64,
    /// The names of processes, with their file's where there are more.
    pub processes: Vec<String>,
}

/// A line that cannot be understood. Nothing can be said of a history with such a line: what is missing may explain the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.why)
    }
}

impl std::error::Error for Broken {}

/// When something was: the world's time and count, or only the line.
type Place = (u64, u64);

/// Reads histories that belong together.
pub struct Reader {
    bounds: Bounds,
    bytes: u64,
    /// Whether every value is a pair of key and value, as Jepsen's independent histories have it.
    independent: bool,
    files: u32,
    history: History,
    /// Begin and end of each operation.
    places: Vec<(Place, Option<Place>)>,
    processes: BTreeMap<(u32, String), Open>,
}

/// A process as it is read.
struct Open {
    number: u32,
    operation: Option<usize>,
}

/// One event's line.
struct Line {
    kind: Box<str>,
    process: String,
    f: Box<str>,
    key: Box<str>,
    value: Value,
    at: Place,
    since: Option<u64>,
}

impl Reader {
    /// Reads within bounds.
    pub fn new(bounds: Bounds, independent: bool) -> Reader {
        Reader {
            bounds,
            bytes: 0,
            independent,
            files: 0,
            history: History::default(),
            places: Vec::new(),
            processes: BTreeMap::new(),
        }
    }

    /// Reads one file.
    ///
    /// # Errors
    /// A line that is no event, or does not fit those before it.
    pub fn file(&mut self, name: &str, from: &mut dyn BufRead) -> Result<(), Broken> {
        let file = self.files;
        self.files += 1;
        let (mut number, mut text) = (0, Vec::new());
        loop {
            number += 1;
            let broken = |why: String| Broken { file: name.to_owned(), line: number, why };
            text.clear();
            let limit = self.bounds.line as u64 + 1;
            let n = std::io::Read::take(&mut *from, limit).read_until(b'\n', &mut text);
            let n = n.map_err(|error| broken(format!("cannot be read: {error}")))?;
            if n == 0 {
                return Ok(());
            }
            self.bytes += n as u64;
            if self.bytes > self.bounds.bytes {
                let bound = self.bounds.bytes >> 20;
                self.cut(format!("{name}: only the first {bound} MiB were read"));
                return Ok(());
            }
            let whole = text.last() == Some(&b'\n');
            if !whole && n as u64 == limit {
                return Err(broken(format!("it is longer than {} bytes", self.bounds.line)));
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            self.history.lines += 1;
            match serde_json::from_slice::<Map<String, Value>>(&text) {
                Ok(map) => self.line(file, number, map).map_err(broken)?,
                // What was being written when the writer was stopped.
                Err(_) if !whole => self.cut(format!("{name} is cut in line {number}")),
                Err(error) => return Err(broken(format!("it is no JSON object: {error}"))),
            }
        }
    }

    fn cut(&mut self, why: String) {
        self.history.cut.get_or_insert(why);
    }

    fn line(&mut self, file: u32, number: u64, map: Map<String, Value>) -> Result<(), String> {
        if let (Some(model), None) = (map.get("model"), map.get("type")) {
            let model = model.as_str().ok_or("`model` is no text")?.trim_start_matches(':').to_owned();
            match &self.history.model {
                Some(known) if *known != model => return Err(format!("it is of {model}, and lines before of {known}")),
                _ => self.history.model = Some(model),
            }
            return Ok(());
        }
        let line = read_line(map, number, self.independent)?;
        // Those who disturb are no clients.
        if line.process == "nemesis" {
            return Ok(());
        }
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let count = self.processes.len() as u32;
        let open = self.processes.entry((file, line.process.clone())).or_insert_with(|| {
            self.history.processes.push(line.process.clone());
            Open { number: count, operation: None }
        });
        if &*line.kind == "invoke" {
            // An operation of before stays open: its process was stopped and began anew.
            open.operation = Some(self.history.operations.len());
            let begin = line.since.map_or(line.at, |since| (since, 0));
            self.places.push((begin, None));
            self.history.operations.push(Operation {
                process: open.number,
                f: line.f,
                key: line.key,
                answered: line.value.clone(),
                asked: line.value,
                end: End::Info,
                call: 0,
                ret: u64::MAX,
                line: (file, number),
                end_line: 0,
            });
            return Ok(());
        }
        let Some(index) = open.operation.take() else {
            // Jepsen notes what happens to processes by `info` lines of their own.
            if &*line.kind == "info" {
                return Ok(());
            }
            return Err(format!("process {} ends what it did not begin", line.process));
        };
        let operation = &mut self.history.operations[index];
        if operation.f != line.f && !line.f.is_empty() {
            return Err(format!("process {} ends `{}` and began `{}`", line.process, line.f, operation.f));
        }
        if operation.key != line.key && !line.key.is_empty() {
            return Err(format!("process {} ends on key {} and began on {}", line.process, line.key, operation.key));
        }
        operation.end_line = number;
        match &*line.kind {
            "ok" => {
                operation.end = End::Ok;
                operation.answered = line.value;
                self.places[index].1 = Some(line.at);
            }
            "fail" => {
                operation.end = End::Fail;
                self.places[index].1 = Some(line.at);
            }
            _ => {}
        }
        Ok(())
    }

    /// All that was read, in one order.
    pub fn finish(self) -> History {
        let Reader { mut history, places, .. } = self;
        // Of events at one place, beginnings come first: what is not known to precede does not.
        let mut order: Vec<(Place, bool, usize)> = Vec::with_capacity(places.len() * 2);
        for (index, (begin, end)) in places.iter().enumerate() {
            order.push((*begin, false, index));
            order.extend(end.map(|end| (end, true, index)));
        }
        order.sort_unstable();
        for (place, (_, ends, index)) in order.into_iter().enumerate() {
            let operation = &mut history.operations[index];
            *(if ends { &mut operation.ret } else { &mut operation.call }) = place as u64;
        }
        history.operations.sort_by_key(|operation| operation.call);
        history
    }
}

/// A name without Jepsen's colon.
fn plain(value: &Value) -> Option<&str> {
    value.as_str().map(|text| text.trim_start_matches(':'))
}

fn read_line(mut map: Map<String, Value>, number: u64, independent: bool) -> Result<Line, String> {
    let kind = map.get("type").ok_or("it has no `type`")?;
    let kind = plain(kind).filter(|kind| ["invoke", "ok", "fail", "info"].contains(kind));
    let kind: Box<str> = kind.ok_or("its `type` is not one of invoke, ok, fail, info")?.into();
    let process = match map.get("process") {
        Some(Value::Number(process)) => process.to_string(),
        Some(text @ Value::String(_)) => plain(text).unwrap_or_default().to_owned(),
        Some(_) => return Err("its `process` is no number".to_owned()),
        None => return Err("it has no `process`".to_owned()),
    };
    let f = match map.get("f").or_else(|| map.get("op")) {
        Some(name) => plain(name).ok_or("its `f` is no text")?.into(),
        None if &*kind == "invoke" && process != "nemesis" => return Err("it has no `f`".to_owned()),
        None => "".into(),
    };
    let mut key: Box<str> = match map.get("key") {
        None | Some(Value::Null) => "".into(),
        Some(key) => key.to_string().into(),
    };
    let mut value = map.get_mut("value").map(Value::take).unwrap_or_default();
    if independent && process != "nemesis" && key.is_empty() {
        match value {
            Value::Array(mut pair) if pair.len() == 2 => {
                value = pair.pop().unwrap_or_default();
                key = pair.pop().unwrap_or_default().to_string().into();
            }
            _ => return Err("its value is no pair of key and value".to_owned()),
        }
    }
    let natural = |name: &str| match map.get(name) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("its `{name}` is no natural number")),
    };
    let at = match (natural("_at")?, natural("_seq")?) {
        (Some(at), seq) => (at, seq.unwrap_or(number)),
        (None, _) => (0, number),
    };
    Ok(Line { kind, process, f, key, value, at, since: natural("_since")? })
}

impl History {
    /// An operation in words: `write 3 on "x" by process 0 (lines 5 to 9)`.
    pub fn show(&self, operation: &Operation) -> String {
        let value = match operation.end {
            End::Ok => &operation.answered,
            _ => &operation.asked,
        };
        let key = if operation.key.is_empty() { String::new() } else { format!(" on {}", operation.key) };
        let who = self.processes.get(operation.process as usize).map_or("?", String::as_str);
        let lines = match (operation.end, operation.end_line) {
            (End::Info, 0) => format!("line {}, never answered", operation.line.1),
            (End::Info, end) => format!("lines {} to {end}, outcome unknown", operation.line.1),
            (End::Fail, end) => format!("lines {} to {end}, failed", operation.line.1),
            (End::Ok, end) => format!("lines {} to {end}", operation.line.1),
        };
        format!("{} {}{key} by process {who} ({lines})", operation.f, short(value))
    }

    /// The operations by key, in the order of keys.
    pub fn by_key(&self) -> BTreeMap<&str, Vec<&Operation>> {
        let mut out: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
        for operation in &self.operations {
            out.entry(&operation.key).or_default().push(operation);
        }
        out
    }
}

/// A value, and not all of it when it is long.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Reads one history from text, for tests and tools.
///
/// # Errors
/// See [`Reader::file`].
pub fn parse(text: &str) -> Result<History, Broken> {
    let mut reader = Reader::new(Bounds::default(), false);
    reader.file("history", &mut text.as_bytes())?;
    Ok(reader.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, process: &str, f: &str, value: &str) -> String {
        format!("{{\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\"value\":{value}}}\n")
    }

    #[test]
    fn beginnings_and_ends_are_put_together() {
        let text =
            [line("invoke", "0", "write", "1"), line(":invoke", "1", ":read", "null"), line("ok", "0", "write", "1")];
        let text = text.concat() + &line("ok", "1", "read", "1") + &line("invoke", "0", "write", "2");
        let history = parse(&text).unwrap();
        let ends: Vec<(End, u64, u64)> = history.operations.iter().map(|o| (o.end, o.call, o.ret)).collect();
        assert_eq!(ends, [(End::Ok, 0, 2), (End::Ok, 1, 3), (End::Info, 4, u64::MAX)]);
        assert_eq!(history.show(&history.operations[1]), "read 1 by process 1 (lines 2 to 4)");
    }

    #[test]
    fn a_cut_end_is_told_and_garbage_before_it_is_refused_with_its_line() {
        let whole = line("invoke", "0", "read", "null");
        let history = parse(&format!("{whole}{{\"type\":\"ok\",\"pro")).unwrap();
        assert_eq!(history.cut.as_deref(), Some("history is cut in line 2"));
        assert_eq!(history.operations.len(), 1);
        for (bad, why) in [
            ("}{\n", "no JSON object"),
            ("[1]\n", "no JSON object"),
            ("{\"type\":\"done\",\"process\":1}\n", "type"),
            ("{\"type\":\"ok\"}\n", "process"),
            ("{\"type\":\"ok\",\"process\":7,\"f\":\"read\"}\n", "did not begin"),
            ("{\"type\":\"ok\",\"process\":0,\"f\":\"write\"}\n", "began"),
            ("{\"type\":\"ok\",\"process\":{},\"f\":\"write\"}\n", "no number"),
            ("{\"type\":\"ok\",\"process\":0,\"_at\":-1}\n", "natural"),
        ] {
            let error = parse(&format!("{whole}{bad}{whole}")).unwrap_err();
            assert_eq!(error.line, 2, "{bad}");
            assert!(error.why.contains(why), "{bad}: {}", error.why);
        }
    }

    #[test]
    fn hostile_lines_end_in_an_error_or_a_cut_and_in_no_more_memory_than_allowed() {
        let deep = format!("{}\n", "[".repeat(100_000));
        assert!(parse(&deep).is_err());
        let bounds = Bounds { line: 100, bytes: 1000, ..Bounds::default() };
        let mut reader = Reader::new(bounds, false);
        assert!(reader.file("h", &mut std::io::repeat(b'x').chain(&b""[..]).buffered()).is_err());
        let mut reader = Reader::new(bounds, false);
        let many = line("invoke", "0", "read", "null").repeat(100);
        reader.file("h", &mut many.as_bytes()).unwrap();
        assert!(reader.finish().cut.unwrap().contains("only the first"));
        assert!(parse("\u{0}\u{0}\n").is_err());
    }

    trait Buffered: std::io::Read + Sized {
        fn buffered(self) -> std::io::BufReader<Self> {
            std::io::BufReader::new(self)
        }
    }
    impl<R: std::io::Read> Buffered for R {}
    use std::io::Read;

    #[test]
    fn the_worlds_own_times_order_lines_of_several_files_and_pieces_widen_operations() {
        let mut reader = Reader::new(Bounds::default(), false);
        let event = |at: u32, seq: u32, kind: &str, more: &str| {
            format!("{{\"_at\":{at},\"_seq\":{seq},{more}\"type\":\"{kind}\",\"process\":0,\"f\":\"read\"}}\n")
        };
        let first = event(10, 1, "invoke", "") + &event(40, 4, "ok", "");
        // Both lines came in one piece at 30: it may have begun at any time after 5.
        let second = event(30, 2, "invoke", "\"_since\":5,") + &event(30, 3, "ok", "\"_since\":5,");
        reader.file("a", &mut first.as_bytes()).unwrap();
        reader.file("b", &mut second.as_bytes()).unwrap();
        let history = reader.finish();
        let places: Vec<(u32, u64, u64)> = history.operations.iter().map(|o| (o.process, o.call, o.ret)).collect();
        assert_eq!(places, [(1, 0, 2), (0, 1, 3)]);
    }

    #[test]
    fn jepsens_pairs_of_key_and_value_are_taken_apart_when_asked() {
        let mut reader = Reader::new(Bounds::default(), true);
        let text = line("invoke", "0", "cas", "[\"x\",[1,2]]");
        reader.file("h", &mut text.as_bytes()).unwrap();
        let history = reader.finish();
        assert_eq!(
            (&*history.operations[0].key, history.operations[0].asked.to_string()),
            ("\"x\"", "[1,2]".to_owned())
        );
    }
}
