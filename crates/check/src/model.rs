//! Models by name, with their options: what a world file says of a history.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::append::Consistency;
use crate::finding::Outcome;
use crate::history::{Bounds, Broken, History};
use crate::monotonic::Scope;
use crate::{append, bank, counter, monotonic, queue, register, set};

/// What a history is judged by.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// See [`register`].
    Register {
        /// What a register holds at the beginning.
        initial: Value,
    },
    /// See [`set`].
    Set(set::Options),
    /// See [`queue`].
    Queue(queue::Options),
    /// See [`counter`].
    Counter {
        /// What it is at the beginning.
        initial: i64,
    },
    /// See [`bank`].
    Bank(bank::Options),
    /// See [`append`].
    Append(Consistency),
    /// See [`monotonic`].
    Monotonic(Scope),
}

/// The names of models, and of the options that each takes.
pub const MODELS: [(&str, &[&str]); 7] = [
    ("register", &["initial", "independent"]),
    ("set", &["stale", "independent"]),
    ("queue", &["duplicates", "independent"]),
    ("counter", &["initial", "independent"]),
    ("bank", &["total", "negative", "independent"]),
    ("append", &["consistency"]),
    ("monotonic", &["scope", "independent"]),
];

/// Other names that people know models by.
const ALIASES: [(&str, &str); 7] = [
    ("cas-register", "register"),
    ("linearizable", "register"),
    ("set-full", "set"),
    ("total-queue", "queue"),
    ("list-append", "append"),
    ("elle", "append"),
    ("monotonic-reads", "monotonic"),
];

fn choice<T: Copy>(options: &BTreeMap<String, String>, name: &str, usual: T, all: &[(&str, T)]) -> Result<T, String> {
    let Some(text) = options.get(name) else { return Ok(usual) };
    all.iter().find(|(known, _)| known == text).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        format!("`{name}` is {}, and not `{text}`", known.join(" or "))
    })
}

fn number(options: &BTreeMap<String, String>, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = options.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("`{name}` is a whole number, and not `{text}`"))
}

const YES: &[(&str, bool)] = &[("allow", true), ("forbid", false), ("true", true), ("false", false)];

impl Model {
    /// The model of a name.
    ///
    /// # Errors
    /// What is wrong with the name or the options, for people.
    pub fn named(name: &str, options: &BTreeMap<String, String>) -> Result<Model, String> {
        let known = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, known)| known);
        let Some((_, takes)) = MODELS.iter().find(|(model, _)| *model == known) else {
            let names: Vec<&str> = MODELS.iter().map(|(model, _)| *model).collect();
            return Err(format!("there is no model `{name}`; there are {}", names.join(", ")));
        };
        if let Some(other) = options.keys().find(|option| !takes.contains(&option.as_str())) {
            return Err(format!("{known} takes no `{other}`; it takes {}", takes.join(", ")));
        }
        choice(options, "independent", false, YES)?;
        Ok(match known {
            "register" => Model::Register {
                initial: options.get("initial").map_or(Value::Null, |text| {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
                }),
            },
            // Jepsen's set-full is used where nothing may be stale; its set only looks at the end.
            "set" => Model::Set(set::Options { stale: choice(options, "stale", name != "set-full", YES)? }),
            "queue" => Model::Queue(queue::Options { duplicates: choice(options, "duplicates", false, YES)? }),
            "counter" => Model::Counter { initial: number(options, "initial")?.unwrap_or(0) },
            "bank" => Model::Bank(bank::Options {
                total: number(options, "total")?,
                negative: choice(options, "negative", false, YES)?,
            }),
            "append" => {
                Model::Append(choice(options, "consistency", Consistency::StrictSerializable, &Consistency::ALL)?)
            }
            _ => {
                let scopes = [("process", Scope::Process), ("global", Scope::Global)];
                Model::Monotonic(choice(options, "scope", Scope::Process, &scopes)?)
            }
        })
    }

    /// Judges a history.
    pub fn judge(&self, name: &str, history: &History, bounds: &Bounds) -> Outcome {
        let mut out = match self {
            Model::Register { initial } => register::judge(name, history, initial, bounds),
            Model::Set(options) => set::judge(name, history, *options),
            Model::Queue(options) => queue::judge(name, history, *options),
            Model::Counter { initial } => counter::judge(name, history, i128::from(*initial)),
            Model::Bank(options) => bank::judge(name, history, *options),
            Model::Append(level) => append::judge(name, history, *level, bounds),
            Model::Monotonic(scope) => monotonic::judge(name, history, *scope),
        };
        if let Some(cut) = &history.cut {
            out.unknown.push(format!("history {name}: {cut}"));
        }
        if history.operations.is_empty() {
            out.unknown.push(format!("history {name}: it has no operation"));
        }
        out
    }
}

/// What becomes of a history that cannot be read: nothing can be said.
pub fn broken(name: &str, broken: &Broken) -> Outcome {
    Outcome { unknown: vec![format!("history {name}: {broken}")], ..Outcome::default() }
}
