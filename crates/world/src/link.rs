//! What a world file says of links: latencies, losses, profiles, and which hosts a rule is about.

use snowglobe_abi::spec::{Chance, Latency, LinkChange, Loss, Nanos};

use crate::compose::{self, Placed, field, parsed};
use crate::keys::{self, Fields, fields};
use crate::problem::{Problems, Span, suggestion};
use crate::units;
use crate::yaml::{Node, Value};

/// What a network, or an entry of its `links`, says.
#[derive(Debug, Default)]
pub struct Link {
    /// The keys, over those of its profile.
    pub change: LinkChange,
    /// Where it fixes the length of its queue.
    pub queue: Option<Span>,
}

/// An entry of `links`.
#[derive(Debug)]
pub struct Rule {
    /// Services or hosts that send; all of the network without it.
    pub from: Option<Vec<Placed<String>>>,
    /// Those that receive.
    pub to: Option<Vec<Placed<String>>>,
    /// What is different between them.
    pub link: Link,
    /// Where it stands.
    pub span: Span,
}

/// A profile: links as they are found, by the same keys as in a world file.
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is, and where its numbers come from.
    pub text: &'static str,
    keys: &'static [(&'static str, &'static str)],
}

/// The profiles that are known.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "lan",
        text: "hosts on one gigabit switch: `ping` shows 0.2 ms, and the switch has 1 MiB for a port",
        keys: &[("latency", "100us"), ("bandwidth", "1Gbit"), ("queue", "1MiB")],
    },
    Profile {
        name: "wan",
        text: "sites of one continent's far ends or across an ocean: a round trip of 80 ms (carriers promise 45 ms within North \
               America and 90 ms across the Atlantic), jitter below 5 ms, one packet in 10,000 lost (they promise to deliver \
               99.5 %, and measure losses around 0.01 %), a queue of half a round trip",
        keys: &[
            ("latency", "normal mean 40ms deviation 1ms min 36ms"),
            ("bandwidth", "100Mbit"),
            ("queue", "512KiB"),
            ("loss", "0.01%"),
        ],
    },
    Profile {
        name: "satellite",
        text: "over one geostationary hop: 240 to 279 ms for a ray up and down, so over 550 ms for a round trip, and one wrong bit \
               in ten million, so 0.1 % of full packets (RFC 2488, section 2); a queue of one round trip",
        keys: &[
            ("latency", "uniform min 270ms max 290ms"),
            ("bandwidth", "10Mbit"),
            ("queue", "700KiB"),
            ("corrupt", "0.1%"),
        ],
    },
    Profile {
        name: "lossy-wifi",
        text: "a crowded wireless cell: most packets take 2 ms, some wait for a turn or several attempts, and what interferes lasts \
               for some packets, of which half are lost (Gilbert and Elliott's model; 2 % on the average)",
        keys: &[
            ("latency", "exponential min 1ms mean 4ms"),
            ("bandwidth", "20Mbit"),
            ("queue", "256KiB"),
            ("loss", "to_bad 1% to_good 25% in_good 0.1% in_bad 50%"),
            ("reorder", "0.1%"),
        ],
    },
];

/// The keys of a profile.
///
/// # Errors
/// What to write instead of a name that none has.
pub fn profile(name: &str) -> Result<LinkChange, String> {
    let known = || PROFILES.iter().map(|profile| profile.name);
    let profile = PROFILES.iter().find(|profile| profile.name == name);
    let profile = profile.ok_or_else(|| suggestion(name, known().collect::<Vec<_>>()))?;
    let mut change = LinkChange::default();
    for (key, value) in profile.keys {
        set(&mut change, key, value)?;
    }
    Ok(change)
}

/// Sets a key from its text.
fn set(change: &mut LinkChange, key: &str, text: &str) -> Result<(), String> {
    match key {
        "latency" => change.latency = Some(latency(text)?),
        "jitter" => change.jitter = Some(units::duration(text)?),
        "bandwidth" => change.bandwidth = Some(units::bandwidth(text)?),
        "queue" => change.queue = Some(units::size(text)?),
        "loss" => change.loss = Some(loss(text)?),
        "duplicate" => change.duplicate = Some(units::chance(text)?),
        "reorder" => change.reorder = Some(units::chance(text)?),
        "reorder_by" => change.reorder_by = Some(units::duration(text)?),
        "corrupt" => change.corrupt = Some(units::chance(text)?),
        "cut" => change.cut = Some(units::boolean(text)?),
        "clog" => change.clog = Some(units::boolean(text)?),
        _ => {}
    }
    Ok(())
}

/// The keys that are single values; `latency` and `loss` may be mappings too.
const SINGLE: [&str; 9] =
    ["jitter", "bandwidth", "queue", "duplicate", "reorder", "reorder_by", "corrupt", "cut", "clog"];

/// Reads what a mapping says of a link.
pub fn read(f: &Fields<'_>, what: &str, problems: &mut Problems) -> Link {
    let mut change = LinkChange::default();
    for key in SINGLE {
        field(f, key, what, |text| set(&mut LinkChange::default(), key, text), problems);
        if let Some(Node { value: Value::Scalar(text), .. }) = f.get(key) {
            // What is wrong with it has been said.
            let _ = set(&mut change, key, text);
        }
    }
    change.latency = f.get("latency").and_then(|node| read_latency(node, &format!("{what}: `latency`"), problems));
    change.loss = f.get("loss").and_then(|node| read_loss(node, &format!("{what}: `loss`"), problems));
    let base = field(f, "profile", what, profile, problems).unwrap_or_default();
    Link { change: change.over(base), queue: f.get("queue").map(|node| node.span) }
}

/// Reads one key of a link.
pub(crate) fn read_key(change: &mut LinkChange, key: &str, node: &Node, what: &str, problems: &mut Problems) {
    match key {
        "latency" => change.latency = read_latency(node, what, problems),
        "loss" => change.loss = read_loss(node, what, problems),
        _ => {
            parsed(node, what, |text| set(&mut LinkChange::default(), key, text), problems);
            if let Value::Scalar(text) = &node.value {
                // What is wrong with it has been said.
                let _ = set(change, key, text);
            }
        }
    }
}

/// Writes what a change says, each key as it is read.
pub fn show_change(change: &LinkChange) -> Vec<(&'static str, String)> {
    let time = |time: Nanos| units::show_duration(time);
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let keys = [
        ("latency", change.latency.map(show_latency)),
        ("jitter", change.jitter.map(time)),
        ("bandwidth", change.bandwidth.map(units::show_bandwidth)),
        ("queue", change.queue.map(units::show_size)),
        ("loss", change.loss.map(show_loss)),
        ("duplicate", change.duplicate.map(units::show_chance)),
        ("reorder", change.reorder.map(units::show_chance)),
        ("reorder_by", change.reorder_by.map(time)),
        ("corrupt", change.corrupt.map(units::show_chance)),
        ("cut", change.cut.map(yes)),
        ("clog", change.clog.map(yes)),
    ];
    keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// Reads the entries of `links`.
pub fn rules(node: &Node, what: &str, problems: &mut Problems) -> Vec<Rule> {
    compose::list(node, what, problems).iter().flat_map(|node| rule(node, what, problems)).collect()
}

fn rule(node: &Node, what: &str, problems: &mut Problems) -> Vec<Rule> {
    let f = fields(node, what, keys::LINK, problems);
    let mut hosts =
        |key: &str| f.get(key).map(|node| compose::texts(node, &format!("{what}: `{key}`"), true, problems));
    let (between, from, to) = (hosts("between"), hosts("from"), hosts("to"));
    let span = node.span;
    let rule = |from, to, problems: &mut Problems| Rule { from, to, link: read(&f, what, problems), span };
    match (between, from, to) {
        (None, None, None) => {
            let help =
                "name them with `between: [a, b]`, or with `from: a` and `to: b`; use the network's own keys for all";
            problems.error(span, format!("{what}: an entry says not between which hosts"), "here", help);
            Vec::new()
        }
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            let help = "`between` is both directions, `from` and `to` are one: leave one of them out";
            problems.error(span, format!("{what}: an entry has `between` and `from` or `to`"), "here", help);
            Vec::new()
        }
        (Some(names), None, None) => {
            if names.len() < 2 && !matches!(&names[..], [one] if one.value == "*") {
                let help = "write `between: [a, b]`; a service with replicas counts as all of them";
                let at = f.get("between").map_or(span, |node| node.span);
                problems.error(at, format!("{what}: `between` names fewer than two"), "here", help);
            }
            vec![rule(Some(names.clone()), Some(names), problems)]
        }
        (None, from, to) => vec![rule(from, to, problems)],
    }
}

/// A value of a few named parts: words in a line, or a mapping.
type Parts<'a> = Vec<(&'a str, &'a str)>;

/// Cuts `a 1 b 2` into its pairs.
fn pairs(text: &str) -> Result<Parts<'_>, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.chunks(2).map(|pair| match pair {
        [name, value] => Ok((*name, *value)),
        _ => Err("write names and values in turn, values without spaces".to_owned()),
    });
    pairs.collect()
}

/// The pairs of a mapping with keys of a table.
fn mapping<'a>(
    node: &'a Node,
    what: &str,
    table: &'static [keys::KeySpec],
    problems: &mut Problems,
) -> Option<Parts<'a>> {
    let before = problems.errors.len();
    let f = fields(node, what, table, problems);
    let mut out = Vec::new();
    for spec in table {
        let Some(node) = f.get(spec.name) else { continue };
        let part = format!("{what}: `{}`", spec.name);
        if compose::text(node, &part, problems).is_some()
            && let Value::Scalar(text) = &node.value
        {
            out.push((spec.name, text.as_str()));
        }
    }
    (problems.errors.len() == before).then_some(out)
}

fn read_latency(node: &Node, what: &str, problems: &mut Problems) -> Option<Latency> {
    if let Value::Map(_) = node.value {
        let parts = mapping(node, what, keys::LATENCY, problems)?;
        return built(node, what, latency_of(&parts), problems);
    }
    parsed(node, what, latency, problems).map(|latency| latency.value)
}

fn read_loss(node: &Node, what: &str, problems: &mut Problems) -> Option<Loss> {
    if let Value::Map(_) = node.value {
        let parts = mapping(node, what, keys::LOSS, problems)?;
        return built(node, what, loss_of(&parts), problems);
    }
    parsed(node, what, loss, problems).map(|loss| loss.value)
}

fn built<T>(node: &Node, what: &str, result: Result<T, String>, problems: &mut Problems) -> Option<T> {
    result.map_err(|help| problems.error(node.span, format!("{what} is not understood"), "here", help)).ok()
}

/// Reads `40ms`, or a distribution in words: `normal mean 40ms deviation 5ms`.
///
/// # Errors
/// What to write instead.
pub fn latency(text: &str) -> Result<Latency, String> {
    let known = keys::DISTRIBUTIONS.iter().any(|(name, _)| text.trim_start().starts_with(name));
    if !known {
        return units::duration(text).map(Latency::Constant);
    }
    latency_of(&pairs(&format!("distribution {text}"))?)
}

fn latency_of(parts: &Parts<'_>) -> Result<Latency, String> {
    let part = |name: &str| parts.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let distribution = part("distribution").unwrap_or("constant");
    let known = || keys::DISTRIBUTIONS.iter().map(|(name, _)| *name);
    let (_, takes) = keys::DISTRIBUTIONS
        .iter()
        .find(|(name, _)| *name == distribution)
        .ok_or_else(|| suggestion(distribution, known().collect::<Vec<_>>()))?;
    if let Some((foreign, _)) = parts.iter().find(|(key, _)| *key != "distribution" && !takes.contains(key)) {
        return Err(format!("`{foreign}` is nothing of a {distribution} latency: it takes {}", takes.join(", ")));
    }
    let missing = |name: &str| format!("a {distribution} latency needs `{name}`");
    let time = |name: &str| part(name).map_or_else(|| Err(missing(name)), units::duration);
    let time_or = |name: &str, other: Nanos| part(name).map_or(Ok(other), units::duration);
    match distribution {
        "uniform" => match (time("min")?, time("max")?) {
            (min, max) if min > max => Err("`min` is longer than `max`: exchange them".to_owned()),
            (min, max) => Ok(Latency::Uniform { min, max }),
        },
        "normal" => {
            let (mean, deviation, min) = (time("mean")?, time("deviation")?, time_or("min", 0)?);
            if min > mean {
                return Err("`min` is longer than `mean`".to_owned());
            }
            Ok(Latency::Normal { mean, deviation, min })
        }
        "exponential" => match (time_or("min", 0)?, time("mean")?) {
            (min, mean) if min > mean => Err("`min` is longer than `mean`, which is that of the whole".to_owned()),
            (min, mean) => Ok(Latency::Exponential { min, mean }),
        },
        "pareto" => {
            let (min, max) = (time("min")?, time_or("max", u64::MAX / 2)?);
            let shape = part("shape").map_or_else(|| Err(missing("shape")), units::thousandths)?;
            if min > max {
                return Err("`min` is longer than `max`: exchange them".to_owned());
            }
            if shape == 0 {
                return Err("`shape` is above 0; from 2 to 3 is usual".to_owned());
            }
            Ok(Latency::Pareto { min, shape, max })
        }
        _ => time("mean").map(Latency::Constant),
    }
}

/// Writes a latency so that [`latency`] reads the same one.
pub fn show_latency(latency: Latency) -> String {
    let show = units::show_duration;
    match latency {
        Latency::Constant(time) => show(time),
        Latency::Uniform { min, max } => format!("uniform min {} max {}", show(min), show(max)),
        Latency::Normal { mean, deviation, min } => {
            format!("normal mean {} deviation {} min {}", show(mean), show(deviation), show(min))
        }
        Latency::Exponential { min, mean } => format!("exponential min {} mean {}", show(min), show(mean)),
        Latency::Pareto { min, shape, max } => {
            format!("pareto min {} shape {}.{:03} max {}", show(min), shape / 1000, shape % 1000, show(max))
        }
    }
}

/// Reads `1%`, or bursts in words: `to_bad 1% to_good 25% in_bad 50%`.
///
/// # Errors
/// What to write instead.
pub fn loss(text: &str) -> Result<Loss, String> {
    if keys::LOSS.iter().any(|spec| text.trim_start().starts_with(spec.name)) {
        return loss_of(&pairs(text)?);
    }
    units::chance(text).map(Loss::Independent)
}

fn loss_of(parts: &Parts<'_>) -> Result<Loss, String> {
    if let Some((foreign, _)) = parts.iter().find(|(key, _)| !keys::LOSS.iter().any(|spec| spec.name == *key)) {
        return Err(format!("`{foreign}` is nothing of a loss in bursts"));
    }
    let part = |name: &str, other: Option<Chance>| {
        let found = parts.iter().find(|(key, _)| *key == name);
        let missing = || format!("a loss in bursts needs `{name}`");
        found.map_or_else(|| other.ok_or_else(missing), |(_, value)| units::chance(value))
    };
    Ok(Loss::Bursty {
        to_bad: part("to_bad", None)?,
        to_good: part("to_good", None)?,
        in_good: part("in_good", Some(Chance::NEVER))?,
        in_bad: part("in_bad", Some(Chance::SURE))?,
    })
}

/// Writes a loss so that [`loss`] reads the same one.
pub fn show_loss(loss: Loss) -> String {
    let show = units::show_chance;
    match loss {
        Loss::Independent(chance) => show(chance),
        Loss::Bursty { to_bad, to_good, in_good, in_bad } => format!(
            "to_bad {} to_good {} in_good {} in_bad {}",
            show(to_bad),
            show(to_good),
            show(in_good),
            show(in_bad)
        ),
    }
}

/// The profiles as a table in Markdown.
pub fn reference() -> String {
    let mut out = String::from("| Profile | Keys | What |\n|---|---|---|\n");
    for profile in PROFILES {
        let keys: Vec<String> = profile.keys.iter().map(|(key, value)| format!("`{key}: {value}`")).collect();
        out += &format!("| `{}` | {} | {} |\n", profile.name, keys.join("<br>"), profile.text);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_understood() {
        for profile in PROFILES {
            let change = super::profile(profile.name).unwrap();
            let said = profile.keys.len();
            let mut keys = String::new();
            keys += &format!("{change:?}");
            assert_eq!(keys.matches("Some(").count(), said, "{}", profile.name);
        }
    }

    #[test]
    fn latencies_and_losses_read_back_as_they_are_shown() {
        let ms = 1_000_000;
        for latency in [
            Latency::Constant(100_000),
            Latency::Uniform { min: ms, max: 2 * ms },
            Latency::Normal { mean: 40 * ms, deviation: 5 * ms, min: 0 },
            Latency::Exponential { min: 0, mean: 3 * ms },
            Latency::Pareto { min: ms, shape: 2_500, max: u64::MAX / 2 },
        ] {
            assert_eq!(super::latency(&show_latency(latency)), Ok(latency));
        }
        let burst = Loss::Bursty {
            to_bad: Chance(1),
            to_good: Chance(250_000_000),
            in_good: Chance::NEVER,
            in_bad: Chance::SURE,
        };
        for loss in [Loss::Independent(Chance(10_000_000)), burst] {
            assert_eq!(super::loss(&show_loss(loss)), Ok(loss));
        }
    }
}
