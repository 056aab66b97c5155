//! A timeline of faults, as people write it.

use snowglobe_abi::fault::{
    CallFilter, CallVerb, ClockVerb, DiskVerb, Fault, FaultPlan, HostVerb, Planned, Schedule, When,
};
use snowglobe_abi::spec::{Chance, LinkChange, Nanos, Slow, Strike, Verb};
use snowglobe_kernel::rng::Rng;

use super::draw::{self, Bounds, Profile};
use super::verbs::{self, LINK, VERBS};
use super::{Scope, shape, words};
use crate::compose::{field, list, number, parsed, positive_duration, positive_size, text, texts};
use crate::keys::{self, Fields, entries, fields};
use crate::problem::{Problems, Span, suggestion};
use crate::yaml::{Key, Node, Value};
use crate::{link, units};

/// Reads the value of `faults`.
pub fn read(node: &Node, what: &str, scope: &Scope, problems: &mut Problems) -> FaultPlan {
    let f = fields(node, what, keys::FAULTS, problems);
    let mut reader = Reader { scope, what, problems };
    let mut plan = FaultPlan { quiet_from: reader.quiet(&f), ..FaultPlan::default() };
    if let Some(schedule) = f.get("schedule") {
        plan.schedule = reader.schedule(schedule).unwrap_or_default();
    }
    let mut places = Vec::new();
    if let Some(entries) = f.get("timeline") {
        for (at, entry) in list(entries, &format!("{what}: `timeline`"), reader.problems).iter().enumerate() {
            if let Some(planned) = reader.entry(entry, at) {
                places.push(entry.span);
                plan.timeline.push(planned);
            }
        }
    }
    reader.times(&plan, &places);
    reader.contradictions(&plan, &places);
    if let Some(profile) = reader.profile(&f)
        && let Some(end) = plan.quiet_from.or(scope.until)
    {
        let (drawn, turns) = draw::draw(&profile, scope, end);
        plan.timeline.extend(drawn);
        if f.get("schedule").is_none() {
            plan.schedule = turns;
        }
    }
    in_order(&mut plan);
    plan
}

/// Puts those with a time in its order; the others come last.
pub(super) fn in_order(plan: &mut FaultPlan) {
    plan.timeline.sort_by_key(|planned| match planned.when {
        When::At(at) => at,
        When::Call { .. } => Nanos::MAX,
    });
}

/// Whether an entry is about the calls that it names, and not set off by one of them.
fn strikes_calls(f: &Fields<'_>) -> bool {
    let caller = f.get("kill").is_some_and(|node| node.scalar() == Some("caller"));
    f.get("call").is_some() && (f.get("errno").is_some() || f.get("delay").is_some() || caller)
}

/// Some ways between hosts.
struct Ways {
    network: Option<u32>,
    from: Vec<u32>,
    to: Vec<u32>,
}

pub(super) struct Reader<'a> {
    pub(super) scope: &'a Scope,
    pub(super) what: &'a str,
    pub(super) problems: &'a mut Problems,
}

impl Reader<'_> {
    pub(super) fn error(&mut self, span: Span, message: &str, help: &str) {
        self.problems.error(span, format!("{}: {message}", self.what), "here", help);
    }

    /// When the quiet time begins.
    fn quiet(&mut self, f: &Fields<'_>) -> Option<Nanos> {
        let length = field(f, "quiet", self.what, positive_duration, self.problems);
        let from = field(f, "quiet_from", self.what, units::duration, self.problems);
        let place = |key: &str| f.get(key).map_or(f.span, |node| node.span);
        match (length, from, self.scope.until) {
            (Some(_), Some(_), _) => {
                let help = "`quiet` is how long it is, `quiet_from` when it begins: leave one of them out";
                self.error(place("quiet_from"), "has `quiet` and `quiet_from`", help);
                None
            }
            (Some(_), None, None) => {
                let help = "say when the world ends, such as `until: 60s`, or write `quiet_from: 40s`";
                self.error(place("quiet"), "a quiet time at the end of a world without an end", help);
                None
            }
            (Some(length), None, Some(until)) if length >= until => {
                let message = format!(
                    "a quiet time of {} leaves nothing of a world that ends at {}",
                    units::show_duration(length),
                    units::show_duration(until)
                );
                self.error(place("quiet"), &message, "make it shorter, or `until` later");
                None
            }
            (Some(length), None, Some(until)) => Some(until - length),
            (None, Some(from), Some(until)) if from >= until => {
                let message =
                    format!("the quiet time begins when the world has ended, at {}", units::show_duration(until));
                self.error(place("quiet_from"), &message, "make it earlier, or `until` later");
                None
            }
            (None, from, _) => from,
        }
    }

    /// What is to be drawn.
    fn profile(&mut self, f: &Fields<'_>) -> Option<Profile> {
        const KEYS: [&str; 6] = ["profile", "rates", "bounds", "hosts", "after", "cap"];
        KEYS.iter().find_map(|key| f.key(key))?;
        let before = self.problems.errors.len();
        let known = |text: &str| {
            let names = draw::PROFILES.iter().map(|(name, _)| *name);
            match names.clone().any(|name| name == text) {
                true => Ok(text.to_owned()),
                false => Err(suggestion(text, names.collect::<Vec<_>>())),
            }
        };
        let mut out = Profile {
            name: field(f, "profile", self.what, known, self.problems).unwrap_or_default(),
            after: field(f, "after", self.what, units::duration, self.problems).unwrap_or(0),
            cap: field(f, "cap", self.what, words::cap, self.problems).unwrap_or_default(),
            hosts: f.get("hosts").map_or_else(|| Some(self.scope.servers()), |node| self.hosts(node))?,
            ..Profile::default()
        };
        if let Some(node) = f.get("rates") {
            let what = format!("{}: `rates`", self.what);
            for (key, node) in entries(node, &what, self.problems) {
                self.drawable(key, &what, &["turns"]);
                let rate = parsed(node, &format!("{what}: `{}`", key.name), units::chance, self.problems);
                out.rates.extend(rate.map(|rate| (key.name.clone(), rate.value)));
            }
        }
        if let Some(node) = f.get("bounds") {
            let what = format!("{}: `bounds`", self.what);
            for (key, node) in entries(node, &what, self.problems) {
                self.drawable(key, &what, &["*"]);
                let what = format!("{what}: `{}`", key.name);
                let f = fields(node, &what, keys::BOUNDS, self.problems);
                let every = field(&f, "every", &what, words::times, self.problems);
                let lasts = field(&f, "for", &what, words::times, self.problems);
                out.bounds.insert(key.name.clone(), Bounds { every, lasts });
            }
        }
        if out.name.is_empty() && out.rates.is_empty() {
            let help = "add `profile: network`, or `rates: {partition: 50 %}`";
            self.error(f.span, "says how to draw faults, and not which", help);
        }
        if self.scope.until.is_none() {
            self.error(
                f.span,
                "faults are drawn for a time that has no end",
                "say when the world ends, such as `until: 60s`",
            );
        } else if let Some(until) = self.scope.until.filter(|until| out.after >= *until) {
            let place = f.get("after").map_or(f.span, |node| node.span);
            let message = format!("`after` is when the world has ended, at {}", units::show_duration(until));
            self.error(place, &message, "make it earlier");
        }
        (self.problems.errors.len() == before).then_some(out)
    }

    /// A name of a kind that can be drawn, or one of others.
    fn drawable(&mut self, key: &Key, what: &str, others: &[&'static str]) {
        let names: Vec<&str> = draw::KINDS.iter().map(|kind| kind.name).chain(others.iter().copied()).collect();
        if !names.contains(&key.name.as_str()) {
            let help = suggestion(&key.name, names);
            self.problems.error(key.span, format!("{what}: no kind `{}` is drawn", key.name), "unknown", help);
        }
    }

    /// `usual`, `{random: 5 %}` or `{pct: 3, calls: 10000}`.
    fn schedule(&mut self, node: &Node) -> Option<Schedule> {
        let what = format!("{}: `schedule`", self.what);
        if let Value::Scalar(_) = node.value {
            let usual = |text: &str| match text {
                "usual" => Ok(Schedule::Usual),
                _ => Err("write `usual`, `{random: 5 %}` or `{pct: 3, calls: 10000}`".to_owned()),
            };
            return parsed(node, &what, usual, self.problems).map(|schedule| schedule.value);
        }
        let f = fields(node, &what, keys::SCHEDULE, self.problems);
        let random = field(&f, "random", &what, units::chance, self.problems);
        let changes = field(&f, "pct", &what, number(0, 1_000_000), self.problems);
        let calls = field(&f, "calls", &what, number(1, u64::MAX), self.problems);
        match (random, changes, calls) {
            (Some(chance), None, None) => Some(Schedule::Random(chance)),
            (None, Some(changes), Some(calls)) => Some(Schedule::Pct { changes, calls }),
            _ => {
                let help = "write `usual`, `{random: 5 %}` or `{pct: 3, calls: 10000}`";
                self.problems.error(node.span, format!("{what} is not understood"), "here", help);
                None
            }
        }
    }

    fn entry(&mut self, node: &Node, at: usize) -> Option<Planned> {
        let before = self.problems.errors.len();
        let what = format!("{}: `timeline`", self.what);
        let f = fields(node, &what, keys::FAULT, self.problems);
        let when = self.when(&f);
        let lasts = field(&f, "for", &what, positive_duration, self.problems);
        let fault = self.verb(&f, node, at);
        let cause = f.get("cause").and_then(|node| text(node, &what, self.problems));
        let (when, fault) = (when?, fault?);
        if lasts.is_some() && !fault.lasts() {
            let help = "leave `for` out: it is over when it has happened";
            self.error(f.get("for").map_or(node.span, |n| n.span), &format!("`{}` does not last", fault.kind()), help);
        }
        let cause = cause.unwrap_or_else(|| self.problems.line(node.span));
        (self.problems.errors.len() == before).then_some(Planned { when, lasts, fault, cause })
    }

    /// What sets an entry off.
    fn when(&mut self, f: &Fields<'_>) -> Option<When> {
        let what = self.what;
        let at = field(f, "at", what, units::duration, self.problems);
        let nth = field(f, "nth", what, number(1, u64::MAX), self.problems);
        let by_chance = f.get("chance").is_some() && strikes_calls(f);
        let span = |key: &str| f.get(key).map_or(f.span, |node| node.span);
        if f.get("at").is_some() && at.is_none() || f.get("nth").is_some() && nth.is_none() {
            return None;
        }
        match (at, nth, f.get("call").is_some()) {
            (Some(_), Some(_), _) => {
                let help = "calls are counted from the beginning of the world: leave `at` or `nth` out";
                self.error(span("nth"), "an entry has `at` and `nth`", help);
                None
            }
            (None, Some(_), false) => {
                self.error(span("nth"), "`nth` without `call`", "say which calls count, such as `call: fsync`");
                None
            }
            (Some(at), None, _) => Some(When::At(at)),
            (None, None, true) if by_chance => Some(When::At(0)),
            (None, nth, true) => Some(When::Call { calls: self.filter(f)?, nth: nth.unwrap_or(1) }),
            (None, None, false) => {
                let help = "add a time, `at: 10s`, or a call that sets it off, `call: fsync`";
                self.error(f.span, "an entry says not when", help);
                None
            }
        }
    }

    /// Which calls are meant.
    fn filter(&mut self, f: &Fields<'_>) -> Option<CallFilter> {
        let what = format!("{}: `call`", self.what);
        let mut out = CallFilter::default();
        let before = self.problems.errors.len();
        for name in f.get("call").map(|node| texts(node, &what, true, self.problems)).unwrap_or_default() {
            if name.value == "*" {
                continue;
            }
            match snowglobe_kernel::table::number(&name.value) {
                Some(nr) => out.calls.push(nr),
                None => {
                    let help = suggestion(&name.value, snowglobe_kernel::table::names().collect::<Vec<_>>());
                    let help =
                        if help.len() > 200 { "use its name as in section 2 of the manual".into() } else { help };
                    self.problems.error(name.span, format!("{what}: no call `{}`", name.value), "unknown", help);
                }
            }
        }
        out.hosts = f.get("host").map_or(Some(Vec::new()), |node| self.hosts(node))?;
        let mut words = |key: &str| f.get(key).and_then(|node| text(node, &format!("`{key}`"), self.problems));
        (out.path, out.address, out.program) = (words("path"), words("address"), words("program"));
        (self.problems.errors.len() == before).then_some(out)
    }

    /// Hosts by name.
    fn hosts(&mut self, node: &Node) -> Option<Vec<u32>> {
        let mut out = Vec::new();
        let mut complete = true;
        for name in texts(node, self.what, true, self.problems) {
            let found = self.scope.called(&name.value);
            if found.is_empty() {
                let known = self.scope.hosts.iter().flat_map(|host| [host.service.as_str(), host.name.as_str()]);
                let mut known: Vec<&str> = known.collect();
                known.dedup();
                let help = suggestion(&name.value, known);
                let message = format!("{}: there is no host `{}`", self.what, name.value);
                self.problems.error(name.span, message, "unknown", help);
                complete = false;
            }
            out.extend(found);
        }
        out.sort_unstable();
        out.dedup();
        if out.is_empty() && complete {
            self.error(node.span, "names no host", "name one or more: `n1`, `[n1, n2]`, or `\"*\"` for all");
        }
        (complete && !out.is_empty()).then_some(out)
    }

    /// What happens.
    fn verb(&mut self, f: &Fields<'_>, node: &Node, at: usize) -> Option<Fault> {
        let said: Vec<(&str, &[&str])> = VERBS.iter().copied().filter(|(key, _)| f.get(key).is_some()).collect();
        let links = LINK.iter().any(|key| f.get(key).is_some());
        match (&said[..], links) {
            ([], false) => {
                self.error(
                    node.span,
                    "an entry says not what happens",
                    "add one such as `partition: halves` or `kill: n1`",
                );
                None
            }
            ([], true) => self.link_change(f),
            ([(verb, takes)], false) => {
                let value = f.get(verb)?;
                let of_caller: &[&str] = if strikes_calls(f) { &["chance"] } else { takes };
                self.foreign(f, &format!("`{verb}`"), of_caller);
                self.one_verb(f, verb, value, at)
            }
            ([(first, _), ..], _) => {
                let other =
                    said.get(1).map(|(key, _)| *key).or_else(|| LINK.iter().copied().find(|key| f.get(key).is_some()));
                let message = format!("an entry says `{first}` and `{}`", other.unwrap_or_default());
                let place = other.and_then(|key| f.key(key)).map_or(node.span, |key| key.span);
                self.error(place, &message, "write two entries");
                None
            }
        }
    }

    /// Keys that belong to another verb would pass unseen.
    fn foreign(&mut self, f: &Fields<'_>, shown: &str, takes: &[&str]) {
        let by_call = f.get("call").is_some();
        for key in verbs::particular() {
            let is_taken = takes.contains(&key) || by_call && verbs::OF_CALL.contains(&key);
            if let Some(at) = f.key(key).filter(|_| !is_taken) {
                self.error(at.span, &format!("`{key}` says nothing of {shown}"), "leave it out");
            }
        }
    }

    fn one_verb(&mut self, f: &Fields<'_>, verb: &str, value: &Node, at: usize) -> Option<Fault> {
        let restart = field(f, "restart", self.what, units::duration, self.problems);
        if verbs::is_disk(verb) {
            return self.disk(f, verb, value);
        }
        let host = |reader: &mut Self, verb| Some(Fault::Host { hosts: reader.hosts(value)?, verb });
        let clock = |reader: &mut Self, verb| Some(Fault::Clock { hosts: reader.hosts(value)?, verb });
        match verb {
            "partition" => self.partition(f, value, at),
            "cut" => self.strike(f, value, Verb::Cut),
            "clog" => self.strike(f, value, Verb::Clog),
            "reset" => self.strike(f, value, Verb::Reset),
            "slow-close" => {
                let by = self.needed(f, "by", "slow-close", positive_duration)?;
                self.strike(f, value, Verb::SlowClose(by))
            }
            "slow" => {
                let latency = field(f, "by", self.what, units::duration, self.problems);
                let left = field(f, "left", self.what, units::chance, self.problems);
                if latency.is_none() && left.is_none() {
                    self.error(
                        f.span,
                        "`slow` says not how slow",
                        "add `by: 100ms`, `left: 10 %` of the bandwidth, or both",
                    );
                    return None;
                }
                let slow = Slow { latency: latency.unwrap_or(0), bandwidth: left.unwrap_or(Chance::SURE) };
                self.strike(f, value, Verb::Slow(slow))
            }
            "kill" if strikes_calls(f) => self.call(f, CallVerb::Kill),
            "kill" => host(self, HostVerb::Kill { restart }),
            "stop" => host(self, HostVerb::Stop { restart }),
            "power-loss" => host(self, HostVerb::PowerLoss { restart }),
            "pause" => host(self, HostVerb::Pause),
            "slow-cpu" => {
                let by = self.needed(f, "by", verb, positive_duration)?;
                host(self, HostVerb::Slow(by))
            }
            "descriptors" => {
                let limit = self.needed(f, "limit", verb, number(0, u64::from(u32::MAX)))?;
                host(self, HostVerb::Descriptors(limit))
            }
            "memory" => {
                let limit = self.needed(f, "limit", verb, positive_size)?;
                let strict = field(f, "overcommit", self.what, words::overcommit, self.problems).unwrap_or(false);
                host(self, HostVerb::Memory { limit, strict })
            }
            "clock-jump" => {
                let by = self.needed(f, "by", verb, words::signed_duration)?;
                clock(self, ClockVerb::Jump(by))
            }
            "clock-drift" => {
                let by = self.needed(f, "by", verb, words::parts_per_million)?;
                clock(self, ClockVerb::Drift(by))
            }
            "leap-second" => {
                let by = self.needed(f, "by", verb, words::leap)?;
                clock(self, ClockVerb::Leap(by))
            }
            "clock-strobe" => {
                let by = self.needed(f, "by", verb, words::signed_duration)?;
                let every = self.needed(f, "every", verb, positive_duration)?;
                clock(self, ClockVerb::Strobe { by, every })
            }
            "errno" => {
                let errno = parsed(value, &format!("{}: `errno`", self.what), words::errno, self.problems)?.value;
                self.call(f, CallVerb::Errno(errno))
            }
            "delay" => {
                let delay = parsed(value, &format!("{}: `delay`", self.what), positive_duration, self.problems)?.value;
                self.call(f, CallVerb::Delay(delay))
            }
            "starve" => {
                let what = format!("{}: `threads`", self.what);
                let threads = f.get("threads").map(|node| list(node, &what, self.problems)).unwrap_or_default();
                let id = |node: &Node| parsed(node, &what, number(1, u64::from(u32::MAX)), self.problems);
                let threads: Vec<u32> = threads.iter().filter_map(id).map(|id| id.value).collect();
                Some(Fault::Starve { hosts: self.hosts(value)?, threads })
            }
            _ => None,
        }
    }

    /// A key that a verb cannot do without.
    fn needed<T>(
        &mut self,
        f: &Fields<'_>,
        key: &str,
        verb: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        if f.get(key).is_none() {
            self.error(f.span, &format!("`{verb}` says not how much"), &format!("add `{key}`"));
            return None;
        }
        field(f, key, self.what, parse, self.problems)
    }

    /// A fault of calls.
    fn call(&mut self, f: &Fields<'_>, verb: CallVerb) -> Option<Fault> {
        if f.get("call").is_none() {
            self.error(
                f.span,
                "says not which calls",
                "name them: `call: fsync`, `call: [read, write]` or `call: \"*\"`",
            );
            return None;
        }
        let chance = field(f, "chance", self.what, units::chance, self.problems).unwrap_or(Chance::SURE);
        if f.get("chance").is_some() && f.get("nth").is_some() {
            self.error(f.get("chance")?.span, "an entry has `nth` and `chance`", "leave one of them out");
        }
        Some(Fault::Call { calls: self.filter(f)?, chance, verb })
    }

    fn disk(&mut self, f: &Fields<'_>, verb: &str, value: &Node) -> Option<Fault> {
        let hosts = self.hosts(value)?;
        let chance = field(f, "chance", self.what, units::chance, self.problems).unwrap_or(Chance::SURE);
        // With a call that sets it off, the path is that call's.
        let by_call = f.get("call").is_some();
        let path = f.get("path").filter(|_| !by_call);
        let path = path.and_then(|node| text(node, &format!("{}: `path`", self.what), self.problems));
        let verb = match verb {
            "read-error" => DiskVerb::ReadError(chance),
            "write-error" => DiskVerb::WriteError(chance),
            "sync-error" => DiskVerb::SyncError(chance),
            "short-io" => DiskVerb::Short(chance),
            "bit-flip" => DiskVerb::Flip(chance),
            "lost-write" => DiskVerb::Lost(chance),
            "misdirected-write" => DiskVerb::Misdirected(chance),
            "disk-latency" => DiskVerb::Latency(self.needed(f, "by", verb, positive_duration)?),
            "disk-stall" => DiskVerb::Stall,
            "disk-full" => DiskVerb::Full,
            "quota" => DiskVerb::Quota,
            _ => DiskVerb::ReadOnly,
        };
        Some(Fault::Disk { hosts, path, verb })
    }

    /// A network by name.
    fn network(&mut self, f: &Fields<'_>) -> Option<Option<u32>> {
        let Some(node) = f.get("network") else { return Some(None) };
        let name = text(node, &format!("{}: `network`", self.what), self.problems)?;
        let found = self.scope.networks.iter().position(|network| network.name == name);
        if found.is_none() {
            let known: Vec<&str> = self.scope.networks.iter().map(|network| network.name.as_str()).collect();
            let help = suggestion(&name, known);
            let message = format!("{}: there is no network `{name}`", self.what);
            self.problems.error(node.span, message, "unknown", help);
        }
        found.map(|at| Some(at as u32))
    }

    /// The ways that `between`, `from`, `to` and `network` name.
    fn named_ways(&mut self, f: &Fields<'_>) -> Option<Ways> {
        let network = self.network(f)?;
        let (between, from, to) = (f.get("between"), f.get("from"), f.get("to"));
        if let (Some(at), true) = (f.key("between"), from.is_some() || to.is_some()) {
            let help = "`between` is both directions, `from` and `to` are one: leave one of them out";
            self.error(at.span, "an entry has `between` and `from` or `to`", help);
            return None;
        }
        let all = self.scope.all();
        let (from, to) = match between {
            Some(node) => {
                let hosts = self.hosts(node)?;
                (hosts.clone(), hosts)
            }
            None => {
                let from = from.map_or(Some(all.clone()), |node| self.hosts(node))?;
                let to = to.map_or(Some(all), |node| self.hosts(node))?;
                (from, to)
            }
        };
        self.some_way(&Ways { network, from: from.clone(), to: to.clone() }, f.span)?;
        Some(Ways { network, from, to })
    }

    /// A fault of ways that are none would disturb nothing.
    fn some_way(&mut self, ways: &Ways, span: Span) -> Option<()> {
        let connected = |a: u32, b: u32| {
            let mut networks = self.scope.networks.iter().enumerate();
            a != b
                && networks.any(|(at, n)| {
                    ways.network.is_none_or(|only| only as usize == at)
                        && n.members.contains(&a)
                        && n.members.contains(&b)
                })
        };
        if ways.from.iter().any(|&a| ways.to.iter().any(|&b| connected(a, b))) {
            return Some(());
        }
        let help = "name two hosts that are on one network, such as `[n1, n2]`, or `{from: n1, to: n2}`";
        self.error(span, "is about no way from one host to another", help);
        None
    }

    /// The ways of `cut: [a, b]` or `cut: {from: a, to: b}`, or those that the entry's own keys name.
    fn strike(&mut self, f: &Fields<'_>, value: &Node, verb: Verb) -> Option<Fault> {
        let ways = match &value.value {
            Value::Map(_) => {
                let what = format!("{}: `timeline`", self.what);
                let f = fields(value, &what, keys::WAYS, self.problems);
                self.named_ways(&f)?
            }
            _ => {
                let hosts = self.hosts(value)?;
                let others = || self.scope.all();
                let (from, to) = match (verb, &hosts[..]) {
                    // The connections of one host are those with all others.
                    (Verb::Reset, [_]) => (hosts.clone(), others()),
                    _ => (hosts.clone(), hosts),
                };
                let ways = Ways { network: self.network(f)?, from, to };
                self.some_way(&ways, value.span)?;
                ways
            }
        };
        let Ways { network, from, to } = ways;
        Some(Fault::Network(Strike { verb, network, from, to }))
    }

    /// `loss: 10 %` and its kin.
    fn link_change(&mut self, f: &Fields<'_>) -> Option<Fault> {
        let what = format!("{}: `timeline`", self.what);
        let before = self.problems.errors.len();
        let mut change = LinkChange::default();
        for key in LINK {
            if let Some(node) = f.get(key) {
                link::read_key(&mut change, key, node, &format!("{what}: `{key}`"), self.problems);
            }
        }
        self.foreign(f, "a link", verbs::OF_LINK);
        let Ways { network, from, to } = self.named_ways(f)?;
        (self.problems.errors.len() == before).then_some(Fault::Link { network, from, to, change })
    }

    /// Groups, or a shape that the seed fills.
    fn partition(&mut self, f: &Fields<'_>, value: &Node, at: usize) -> Option<Fault> {
        let what = format!("{}: `partition`", self.what);
        let mut network = self.network(f)?;
        let mut among = self.scope.all();
        let (mut shape, mut groups) = (None, None);
        match &value.value {
            Value::Map(_) => {
                let f = fields(value, &what, keys::PARTITION, self.problems);
                if f.get("network").is_some() {
                    network = self.network(&f)?;
                }
                if let Some(hosts) = f.get("hosts") {
                    among = self.hosts(hosts)?;
                }
                (shape, groups) = (f.get("shape"), f.get("groups"));
            }
            Value::Scalar(_) => shape = Some(value),
            _ => groups = Some(value),
        }
        if let Some(network) = network {
            among.retain(|host| self.scope.networks[network as usize].members.contains(host));
        }
        let groups = match (shape, groups) {
            (Some(shape), None) => {
                let shape = parsed(shape, &what, shape::read, self.problems)?;
                // One random stream for each entry: a change of one moves no other's hosts.
                let mut rng = Rng::stream(self.scope.seed, &format!("partition {at}"));
                let groups = shape.value.groups(&among, &mut rng);
                if groups.len() < 2 {
                    let message = format!("{} hosts cannot be parted like this", among.len());
                    self.error(shape.span, &message, "a partition needs two hosts, a ring of majorities four");
                    return None;
                }
                groups
            }
            (None, Some(node)) => {
                let lists = list(node, &what, self.problems);
                lists.iter().map(|node| self.hosts(node)).collect::<Option<Vec<_>>>()?
            }
            _ => {
                let help = "write `[[n1], [n2, n3]]`, or `one`, `halves`, `majority` or `ring`";
                self.problems.error(value.span, format!("{what} is not understood"), "here", help);
                return None;
            }
        };
        self.parts(&groups, network, value.span)?;
        Some(Fault::Partition { network, groups })
    }

    /// A partition that parts nobody is none.
    fn parts(&mut self, groups: &[Vec<u32>], network: Option<u32>, span: Span) -> Option<()> {
        let together = |a: u32, b: u32| groups.iter().any(|group| group.contains(&a) && group.contains(&b));
        let named: Vec<u32> = groups.iter().flatten().copied().collect();
        let on = |at: usize, host: u32| {
            network.is_none_or(|only| only as usize == at) && self.scope.networks[at].members.contains(&host)
        };
        let joined = |a: u32, b: u32| (0..self.scope.networks.len()).any(|at| on(at, a) && on(at, b));
        let cuts = named.iter().any(|&a| named.iter().any(|&b| a != b && !together(a, b) && joined(a, b)));
        if cuts {
            return Some(());
        }
        let help = "hosts hear each other where a group has both: write two groups or more, such as `[[n1], [n2, n3]]`";
        self.error(span, "this partition parts no hosts that hear each other", help);
        None
    }
}
