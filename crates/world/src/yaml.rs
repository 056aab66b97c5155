//! YAML as a tree in which every key and value knows its place.
//!
//! The tree keeps scalars as the text that was written (`1.10` stays `1.10`), because Compose reads most of them as text.
//! Aliases, depth and size are bounded: hostile input ends in an error, not in a full memory.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use crate::problem::{Problem, Source, Span};

/// Longest world file in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting.
const MAX_DEPTH: usize = 48;
/// Most nodes after aliases were followed.
const MAX_NODES: usize = 50_000;

/// A value and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its place; that of the alias where it comes from one.
    pub span: Span,
    /// What is there.
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Text, a number or a boolean, as written.
    Scalar(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping in the order of the file. Keys may repeat: the reader of the mapping says so with both places.
    Map(Vec<(Key, Node)>),
}

/// A key and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Its text.
    pub name: String,
    /// Its place.
    pub span: Span,
}

impl Node {
    /// What kind of thing it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The text of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            _ => None,
        }
    }
}

/// Limits that keep hostile input small.
pub(crate) fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(MAX_BYTES),
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_documents: 1,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// Reads a text.
///
/// # Errors
/// A problem with its place when the text is not YAML or too big.
pub fn parse(source: &Source) -> Result<Node, Problem> {
    let text = source.text();
    if text.len() > MAX_BYTES {
        return Err(Problem::new(format!("{} has {} bytes", source.name(), text.len()))
            .help(format!("a world file has at most {MAX_BYTES} bytes")));
    }
    let raw: Option<Spanned<Raw>> =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| from_saphyr(source, &error))?;
    Ok(match raw {
        Some(raw) => raw_to_node(raw, text),
        None => Node { span: Span::default(), value: Value::Null },
    })
}

/// The parser's error as a problem of ours.
pub(crate) fn from_saphyr(source: &Source, error: &serde_saphyr::Error) -> Problem {
    let span = error.location().map_or(Span::default(), |at| span_of(at, source.text()));
    let text = error.without_snippet().to_string();
    // The place is printed by us, in the manner of all other problems.
    let text = text.lines().next().unwrap_or_default();
    let text = text.find(" at line ").map_or(text, |end| &text[..end]);
    Problem::new(format!("{} is not readable as YAML: {text}", source.name()))
        .at(source, span, "here")
        .help("check the indentation (spaces, no tabs), the quotes and the colons around this place")
}

fn span_of(at: Location, text: &str) -> Span {
    let span = at.span();
    match (span.byte_offset(), span.byte_len()) {
        (Some(start), len) => Span { start: start as usize, len: len.unwrap_or(0) as usize },
        // Only line and column are known.
        _ => {
            let line = (at.line().max(1) - 1) as usize;
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            let column = (at.column().max(1) - 1) as usize;
            let within = text[start..].char_indices().nth(column).map_or(text.len() - start, |(i, _)| i);
            Span { start: start + within, len: 0 }
        }
    }
}

/// The tree as the parser gives it.
#[derive(Debug)]
pub(crate) enum Raw {
    Null,
    /// A boolean or number: its own text is cut from the source.
    Plain(String),
    Text(String),
    Seq(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

pub(crate) fn raw_to_node(raw: Spanned<Raw>, text: &str) -> Node {
    let defined = span_of(raw.defined, text);
    let span = span_of(raw.referenced, text);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(s) => Value::Scalar(s),
        Raw::Plain(s) => {
            let written = defined.of(text).trim();
            Value::Scalar(if written.is_empty() || written.contains(char::is_whitespace) {
                s
            } else {
                written.to_owned()
            })
        }
        Raw::Seq(items) => Value::Seq(items.into_iter().map(|item| raw_to_node(item, text)).collect()),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let key = Key { span: span_of(key.referenced, text), name: key.value };
                    (key, raw_to_node(value, text))
                })
                .collect(),
        ),
    };
    Node { span, value }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Raw, E> {
        Ok(Raw::Plain(v.to_string()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Raw, E> {
        Ok(Raw::Plain(v.to_string()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Raw, E> {
        Ok(Raw::Plain(v.to_string()))
    }

    fn visit_i128<E>(self, v: i128) -> Result<Raw, E> {
        Ok(Raw::Plain(v.to_string()))
    }

    fn visit_u128<E>(self, v: u128) -> Result<Raw, E> {
        Ok(Raw::Plain(v.to_string()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Raw, E> {
        Ok(Raw::Plain(v.to_string()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Raw, E> {
        Ok(Raw::Text(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Raw, E> {
        Ok(Raw::Text(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        parse(&Source::new("t.yaml", text)).unwrap_or_else(|e| panic!("{e}: {:?}", e.place()))
    }

    #[test]
    fn scalars_keep_the_text_that_was_written() {
        let node = tree("a: 1.10\nb: 0x1F\nc: true\nd: 1_000\ne: '5'\nf: yes\ng: ~\nh:\ni: .inf\n");
        let text = |name: &str| node.get(name).unwrap().value.clone();
        for (name, want) in
            [("a", "1.10"), ("b", "0x1F"), ("c", "true"), ("d", "1_000"), ("e", "5"), ("f", "yes"), ("i", ".inf")]
        {
            assert_eq!(text(name), Value::Scalar(want.into()), "{name}");
        }
        assert_eq!(text("g"), Value::Null);
        assert_eq!(text("h"), Value::Null);
    }

    #[test]
    fn keys_and_values_know_their_place() {
        let text = "services:\n  döner: {image: \"x\", n: 5}\n";
        let node = tree(text);
        let Value::Map(services) = &node.get("services").unwrap().value else { panic!() };
        assert_eq!(services[0].0.span.of(text), "döner");
        let image = services[0].1.get("image").unwrap();
        assert_eq!(image.span.of(text), "\"x\"");
        assert_eq!(services[0].1.get("n").unwrap().span.of(text), "5");
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        let node = tree("x-base: &b\n  p: 1.0\n  q: 2\nm:\n  <<: *b\n  q: 3\nn: *b\n");
        let m = node.get("m").unwrap();
        assert_eq!(m.get("p").unwrap().scalar(), Some("1.0"));
        assert_eq!(m.get("q").unwrap().scalar(), Some("3"));
        let Value::Map(entries) = &m.value else { panic!() };
        assert_eq!(entries.len(), 2);
        assert_eq!(node.get("n").unwrap().get("q").unwrap().scalar(), Some("2"));
    }

    #[test]
    fn a_repeated_key_is_passed_on_with_both_places() {
        let text = "s:\n  a: 1\n  a: 2\n";
        let node = tree(text);
        let Value::Map(entries) = &node.get("s").unwrap().value else { panic!() };
        assert_eq!(entries.iter().map(|(key, _)| key.span.start).collect::<Vec<_>>(), [5, 12]);
    }

    #[test]
    fn a_bomb_of_aliases_ends_in_an_error() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for i in 1..9 {
            let before = format!("*a{}", i - 1);
            text += &format!("a{i}: &a{i} [{}]\n", vec![before; 10].join(","));
        }
        assert!(parse(&Source::new("bomb.yaml", &text)).is_err());
        assert!(parse(&Source::new("deep.yaml", &"[".repeat(100_000))).is_err());
        assert!(parse(&Source::new("deep.yaml", &"a:\n".repeat(3).replace('\n', " b"))).is_err());
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        let problem = parse(&Source::new("w.yaml", "services:\n  a: [1, 2\n  b: 3\n")).unwrap_err();
        let place = problem.place().unwrap();
        assert!(place.line >= 2, "{place:?} {problem}");
    }
}
