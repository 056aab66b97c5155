//! What a world file says of checks: histories, expectations and outputs of services, and which of the default checks are off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use snowglobe_abi::spec::{CHANNEL_DIR, CHANNELS, Checks, Expectation, FinalState, HistoryCheck, OutputCheck};
use snowglobe_check::{Model, defaults, outputs};

use crate::compose::{field, list, parsed};
use crate::keys::{self, Fields, fields};
use crate::problem::{Problems, Span, suggestion};
use crate::units;
use crate::yaml::{Node, Value};

/// What a service's `x-snowglobe` says.
#[derive(Debug, Default)]
pub struct Asked {
    /// Its history.
    pub history: Option<HistoryAsked>,
    /// Its state at the end.
    pub expect: Option<FinalState>,
    /// Its outputs.
    pub outputs: Vec<OutputAsked>,
    /// Whether it is a container of test commands.
    pub test_composer: Composer,
}

/// When the test commands of a service begin.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Composer {
    /// It has none.
    #[default]
    No,
    /// With the service.
    WithService,
    /// When a program has said that the system is set up.
    AfterSetup,
}

impl Composer {
    fn parse(text: &str) -> Result<Composer, String> {
        match text {
            "after-setup" => Ok(Composer::AfterSetup),
            _ => match units::boolean(text) {
                Ok(true) => Ok(Composer::WithService),
                Ok(false) => Ok(Composer::No),
                Err(_) => Err("write `true`, `false` or `after-setup`".to_owned()),
            },
        }
    }
}

/// A history that a service writes.
#[derive(Debug)]
pub struct HistoryAsked {
    name: String,
    model: Option<String>,
    options: BTreeMap<String, String>,
    span: Span,
}

/// A pattern for a service's output.
#[derive(Debug)]
pub struct OutputAsked {
    stream: Option<u8>,
    pattern: String,
    must: bool,
}

/// Reads the keys of a service.
pub(crate) fn service(own: &Fields<'_>, what: &str, problems: &mut Problems) -> Asked {
    let output = |node: &Node, problems: &mut Problems| output(node, &format!("{what}: `outputs`"), problems);
    Asked {
        history: own.get("history").and_then(|node| history(node, &format!("{what}: `history`"), problems)),
        expect: field(own, "expect", what, final_state, problems),
        outputs: own
            .get("outputs")
            .map(|node| {
                list(node, &format!("{what}: `outputs`"), problems).iter().filter_map(|n| output(n, problems)).collect()
            })
            .unwrap_or_default(),
        test_composer: field(own, "test_composer", what, Composer::parse, problems).unwrap_or_default(),
    }
}

fn history(node: &Node, what: &str, problems: &mut Problems) -> Option<HistoryAsked> {
    let (mut model, mut name, mut options) = (None, None, BTreeMap::new());
    match &node.value {
        Value::Scalar(text) if text == "false" => return None,
        Value::Scalar(text) if text == "true" => {}
        Value::Scalar(text) => model = Some(text.clone()),
        _ => {
            let f = fields(node, what, keys::HISTORY, problems);
            let text = |node: &Node, problems: &mut Problems| parsed(node, what, |text| Ok(text.to_owned()), problems);
            for spec in keys::HISTORY {
                let Some(value) = f.get(spec.name).and_then(|node| text(node, problems)) else { continue };
                match spec.name {
                    "model" => model = Some(value.value),
                    "name" => name = Some(value.value),
                    option => {
                        options.insert(option.to_owned(), value.value);
                    }
                }
            }
        }
    }
    if let Some(model) = &model
        && let Err(why) = Model::named(model, &options)
    {
        problems.error(node.span, format!("{what}: {why}"), "here", "see `book/guide/checking` for the models");
        return None;
    }
    let name = name.or_else(|| model.clone()).unwrap_or_else(|| "history".to_owned());
    Some(HistoryAsked { name, model, options, span: node.span })
}

fn output(node: &Node, what: &str, problems: &mut Problems) -> Option<OutputAsked> {
    let f = fields(node, what, keys::OUTPUT, problems);
    let pattern = |text: &str| outputs::pattern(text).map(|_| text.to_owned());
    let must = field(&f, "must_match", what, pattern, problems);
    let must_not = field(&f, "must_not_match", what, pattern, problems);
    let stream = field(
        &f,
        "stream",
        what,
        |text| match text {
            "stdout" => Ok(1),
            "stderr" => Ok(2),
            other => Err(suggestion(other, ["stdout", "stderr"])),
        },
        problems,
    );
    match (must, must_not) {
        (Some(pattern), None) => Some(OutputAsked { stream, pattern, must: true }),
        (None, Some(pattern)) => Some(OutputAsked { stream, pattern, must: false }),
        _ => {
            let help = "write `must_match: PATTERN` or `must_not_match: PATTERN`";
            problems.error(node.span, format!("{what}: an entry has one pattern"), "here", help);
            None
        }
    }
}

/// Reads `running`, `ended`, `exit 3` or `signal SIGKILL`.
fn final_state(text: &str) -> Result<FinalState, String> {
    let advice = || "write `running`, `ended`, `exit 0` or `signal SIGKILL`".to_owned();
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["running"] => Ok(FinalState::Running),
        ["ended" | "exited"] => Ok(FinalState::Ended),
        ["exit" | "exited", status] => status.parse().map(FinalState::Exit).map_err(|_| advice()),
        ["signal", name] => units::signal(name).map(FinalState::Signal),
        _ => Err(advice()),
    }
}

/// A state as it is written.
pub fn show_state(state: FinalState) -> String {
    match state {
        FinalState::Running => "running".to_owned(),
        FinalState::Ended => "ended".to_owned(),
        FinalState::Exit(status) => format!("exit {status}"),
        FinalState::Signal(signal) => format!("signal {signal}"),
    }
}

/// Reads `checks` at the top: which of the default checks are off.
pub(crate) fn off(node: &Node, what: &str, problems: &mut Problems) -> Vec<String> {
    let f = fields(node, what, keys::CHECKS, problems);
    let is_off = |name: &&str| field(&f, name, what, units::boolean, &mut *problems) == Some(false);
    defaults::NAMES.iter().copied().filter(is_off).map(str::to_owned).collect()
}

/// Puts together what services ask for. Those that write a history of one name write it together.
pub(crate) fn resolve<'a>(
    asked: impl Iterator<Item = (u32, &'a Asked)>,
    off: &[String],
    problems: &mut Problems,
) -> Checks {
    let mut checks = Checks { off: off.to_vec(), ..Checks::default() };
    let mut first: BTreeMap<&str, &HistoryAsked> = BTreeMap::new();
    for (host, asked) in asked {
        if let Some(history) = &asked.history {
            let known = *first.entry(&history.name).or_insert(history);
            if (&known.model, &known.options) != (&history.model, &history.options) {
                problems.clash(
                    (history.span, "and this one"),
                    (known.span, "this one"),
                    format!("two services write the history `{}`, and do not say the same of it", history.name),
                    "say the same, or give one of them another `name`",
                );
            }
            match checks.histories.iter_mut().find(|check| check.name == history.name) {
                Some(check) => check.hosts.push(host),
                None => checks.histories.push(HistoryCheck {
                    name: history.name.clone(),
                    hosts: vec![host],
                    model: history.model.clone(),
                    options: history.options.clone().into_iter().collect(),
                }),
            }
        }
        checks.expect.extend(asked.expect.map(|state| Expectation { host, state }));
        checks.outputs.extend(asked.outputs.iter().map(|output| OutputCheck {
            hosts: vec![host],
            stream: output.stream,
            pattern: output.pattern.clone(),
            must: output.must,
        }));
    }
    checks
}

/// Variables that tell programs of the channels, with their values.
pub(crate) fn variables(asked: &Asked) -> Vec<(&'static str, String)> {
    let [history, sdk] = CHANNELS.map(|channel| format!("{CHANNEL_DIR}/{}", channel.name));
    let mut out = vec![("ANTITHESIS_OUTPUT_DIR", CHANNEL_DIR.to_owned()), ("ANTITHESIS_SDK_LOCAL_OUTPUT", sdk)];
    if asked.history.is_some() || asked.test_composer != Composer::No {
        out.push(("SNOWGLOBE_HISTORY", history));
    }
    out
}

/// Checks in a resolved world.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Text {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    histories: Vec<HistoryText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<OutputText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expect: Vec<ExpectText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    off: Vec<String>,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryText {
    name: String,
    hosts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, String>,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputText {
    hosts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<u8>,
    pattern: String,
    must: bool,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectText {
    host: String,
    state: String,
}

impl Text {
    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Text::default()
    }

    /// From a specification.
    pub(crate) fn from_spec(checks: &Checks, names: &[String]) -> Text {
        let name = |host: &u32| names.get(*host as usize).cloned().unwrap_or_default();
        let all = |hosts: &[u32]| hosts.iter().map(name).collect();
        Text {
            histories: checks
                .histories
                .iter()
                .map(|check| HistoryText {
                    name: check.name.clone(),
                    hosts: all(&check.hosts),
                    model: check.model.clone(),
                    options: check.options.iter().cloned().collect(),
                })
                .collect(),
            outputs: checks
                .outputs
                .iter()
                .map(|check| OutputText {
                    hosts: all(&check.hosts),
                    stream: check.stream,
                    pattern: check.pattern.clone(),
                    must: check.must,
                })
                .collect(),
            expect: checks
                .expect
                .iter()
                .map(|expect| ExpectText { host: name(&expect.host), state: show_state(expect.state) })
                .collect(),
            off: checks.off.clone(),
        }
    }

    /// The specification of it.
    pub(crate) fn into_spec(self, names: &[String]) -> Result<Checks, (String, String)> {
        let host = |name: &String| {
            let found = names.iter().position(|known| known == name).map(|at| at as u32);
            found.ok_or_else(|| {
                (format!("a check names the host `{name}`, which is not there"), "correct the name".to_owned())
            })
        };
        let all = |hosts: &[String]| hosts.iter().map(host).collect::<Result<Vec<u32>, _>>();
        let wrong = |what: String| move |why: String| (format!("{what}: {why}"), "correct it".to_owned());
        let mut checks = Checks { off: self.off, ..Checks::default() };
        for text in self.histories {
            if let Some(model) = &text.model {
                Model::named(model, &text.options).map_err(wrong(format!("the history `{}`", text.name)))?;
            }
            let (hosts, options) = (all(&text.hosts)?, text.options.into_iter().collect());
            checks.histories.push(HistoryCheck { name: text.name, hosts, model: text.model, options });
        }
        for text in self.outputs {
            outputs::pattern(&text.pattern).map_err(wrong("a pattern".to_owned()))?;
            let (hosts, stream) = (all(&text.hosts)?, text.stream);
            checks.outputs.push(OutputCheck { hosts, stream, pattern: text.pattern, must: text.must });
        }
        for text in self.expect {
            let state = final_state(&text.state).map_err(wrong(format!("`{}`", text.state)))?;
            checks.expect.push(Expectation { host: host(&text.host)?, state });
        }
        Ok(checks)
    }
}
