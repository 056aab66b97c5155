//! From the tree of a Compose file to what its services, networks and volumes ask for.
//!
//! The types are our own and not a library's: the library of Compose types drops places, and reads unknown keys as extensions.
//! Nothing here looks at the machine: files, images and addresses are settled by [`crate::resolve`].

use snowglobe_abi::fault::DiskProfile;
use snowglobe_abi::spec::{Condition, Nanos, Restart};

use crate::checks;
use crate::keys::{self, Fields, entries, fields};
use crate::link::{self, Link, Rule};
use crate::problem::{Problems, Span, suggestion};
use crate::units;
use crate::yaml::{Node, Value};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// Bytes of a packet at most on a network: what IPv6 needs (RFC 8200, section 5), and what an IP packet can have.
pub(crate) const MTU: std::ops::RangeInclusive<u32> = 1280..=65535;

/// What a world file asks for.
#[derive(Debug, Default)]
pub struct Compose {
    /// In the order of the file.
    pub services: Vec<Service>,
    /// In the order of the file.
    pub networks: Vec<Network>,
    /// Names of volumes.
    pub volumes: Vec<String>,
    /// The world's own settings.
    pub world: World,
}

/// `x-snowglobe` at the top.
#[derive(Debug, Default)]
pub struct World {
    /// See [`keys::WORLD`], as all that follow.
    pub seed: Option<u64>,
    /// When the world ends.
    pub until: Option<Nanos>,
    /// The wall clock at the beginning.
    pub start: Option<Nanos>,
    /// Default latency.
    pub latency: Option<Nanos>,
    /// Cost of a call.
    pub call_cost: Option<Nanos>,
    /// A runner's longest turn.
    pub quantum: Option<Nanos>,
    /// Processors shown.
    pub cpus: Option<u32>,
    /// Memory shown.
    pub memory: Option<u64>,
    /// Disk.
    pub disk: Option<u64>,
    /// What a power loss may leave on it.
    pub disk_profile: Option<DiskProfile>,
    /// Most tasks.
    pub max_tasks: Option<u32>,
    /// Whether calls are traced.
    pub trace_calls: Option<bool>,
    /// Which of the default checks are off.
    pub checks_off: Vec<String>,
    /// What goes wrong, which is understood when all hosts are known.
    pub faults: Option<Node>,
}

/// A network at the top.
#[derive(Debug)]
pub struct Network {
    /// Its name.
    pub name: Placed<String>,
    /// Its subnet.
    pub subnet: Option<Placed<([u8; 4], u8)>>,
    /// Where its resolver answers.
    pub gateway: Option<Placed<[u8; 4]>>,
    /// What its links are like.
    pub link: Link,
    /// Bytes of a packet at most.
    pub mtu: Option<u32>,
    /// Whether names have IPv6 addresses, too.
    pub ipv6: bool,
    /// What is different between some hosts.
    pub rules: Vec<Rule>,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: Placed<String>,
    /// How many hosts run it.
    pub replicas: u32,
    /// Memory of each of them.
    pub memory: Option<u64>,
    /// Its image.
    pub image: Option<Placed<String>>,
    /// Its command; an empty one clears the image's.
    pub command: Option<Placed<Vec<String>>>,
    /// What stands before it.
    pub entrypoint: Option<Placed<Vec<String>>>,
    /// Variables; those without a value are taken from the caller's environment.
    pub environment: Vec<(Placed<String>, Option<String>)>,
    /// Files with variables, and whether each must exist.
    pub env_files: Vec<(Placed<String>, bool)>,
    /// Where it starts.
    pub working_dir: Option<Placed<String>>,
    /// Its host name.
    pub hostname: Option<Placed<String>>,
    /// One more name.
    pub container_name: Option<Placed<String>>,
    /// Its user.
    pub user: Option<Placed<String>>,
    /// Its networks; `None` for the default one.
    pub networks: Option<Vec<Attachment>>,
    /// What it waits for.
    pub depends_on: Vec<(Placed<String>, Condition)>,
    /// Its health check; `Some(None)` when it wants none.
    pub healthcheck: Option<Option<Health>>,
    /// What follows its end.
    pub restart: Restart,
    /// How it is asked to stop.
    pub stop_signal: Option<u8>,
    /// How long it may take.
    pub stop_grace: Option<Nanos>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Whether process 1 is an init.
    pub init: bool,
    /// Whether its status judges the run.
    pub check: bool,
    /// Whether it gets the run's standard input.
    pub stdin: Option<Placed<bool>>,
    /// What it is judged by besides.
    pub asked: checks::Asked,
}

/// A service's place on a network.
#[derive(Debug)]
pub struct Attachment {
    /// The network.
    pub network: Placed<String>,
    /// The address asked for.
    pub address: Option<Placed<[u8; 4]>>,
    /// More names.
    pub aliases: Vec<Placed<String>>,
}

/// A health check.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// What is run; the image's when there is none.
    pub argv: Option<Vec<String>>,
    /// Time between checks.
    pub interval: Option<Nanos>,
    /// Time for a check.
    pub timeout: Option<Nanos>,
    /// Failures allowed.
    pub retries: Option<u32>,
    /// Time of grace.
    pub start_period: Option<Nanos>,
    /// Time between checks in it.
    pub start_interval: Option<Nanos>,
}

/// A mount.
#[derive(Debug)]
pub struct Mount {
    /// Where it comes from.
    pub source: MountFrom,
    /// Where it is in the host.
    pub target: Placed<String>,
    /// Whether writes fail.
    pub read_only: bool,
}

/// Where a mount comes from.
#[derive(Debug)]
pub enum MountFrom {
    /// A path of the machine.
    Bind(Placed<String>),
    /// A named volume.
    Volume(Placed<String>),
    /// A volume without a name: the host's own.
    Anonymous,
    /// An empty file system.
    Tmpfs,
}

/// Reads the whole file.
pub fn read(tree: &Node, problems: &mut Problems) -> Compose {
    let mut out = Compose::default();
    if matches!(tree.value, Value::Null) {
        problems.error(tree.span, "the file is empty", "", "`snowglobe init` writes an example");
        return out;
    }
    let top = fields(tree, "the file", keys::TOP, problems);
    if let Some(node) = top.get("x-snowglobe") {
        out.world = world(node, problems);
    }
    if let Some(node) = top.get("networks") {
        out.networks = entries(node, "`networks`", problems)
            .into_iter()
            .map(|(key, node)| network(&placed_key(key), node, problems))
            .collect();
    }
    if let Some(node) = top.get("volumes") {
        for (key, node) in entries(node, "`volumes`", problems) {
            volume(&key.name, node, problems);
            out.volumes.push(key.name.clone());
        }
    }
    match top.get("services") {
        Some(node) => {
            for (key, node) in entries(node, "`services`", problems) {
                out.services.push(service(&placed_key(key), node, problems));
            }
            if out.services.is_empty() {
                problems.error(node.span, "there is no service", "", "`snowglobe init` writes an example");
            }
        }
        None if problems.errors.is_empty() => {
            problems.error(Span::default(), "`services` is missing", "", "`snowglobe init` writes an example");
        }
        None => {}
    }
    out
}

fn placed_key(key: &crate::yaml::Key) -> Placed<String> {
    Placed { value: key.name.clone(), span: key.span }
}

/// A scalar, or a note of what is there instead.
pub(crate) fn text(node: &Node, what: &str, problems: &mut Problems) -> Option<String> {
    match &node.value {
        Value::Scalar(text) if text.contains('\0') => {
            problems.error(node.span, format!("{what} has a zero byte"), "here", "remove it");
            None
        }
        Value::Scalar(text) => Some(text.clone()),
        _ => {
            problems.error(
                node.span,
                format!("{what} must be a single value, and here is {}", node.kind()),
                "here",
                "",
            );
            None
        }
    }
}

fn placed(node: &Node, what: &str, problems: &mut Problems) -> Option<Placed<String>> {
    Some(Placed { value: text(node, what, problems)?, span: node.span })
}

/// A scalar that a function understands.
pub(crate) fn parsed<T>(
    node: &Node,
    what: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Option<Placed<T>> {
    let text = text(node, what, problems)?;
    match parse(&text) {
        Ok(value) => Some(Placed { value, span: node.span }),
        Err(help) => {
            problems.error(node.span, format!("{what}: `{text}` is not understood"), "here", help);
            None
        }
    }
}

/// The same for a key of a mapping; nothing when the key is missing or says `null`.
pub(crate) fn field<T>(
    of: &Fields<'_>,
    name: &str,
    what: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Option<T> {
    let node = of.get(name).filter(|node| !matches!(node.value, Value::Null))?;
    parsed(node, &format!("{what}: `{name}`"), parse, problems).map(|p| p.value)
}

pub(crate) fn list<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> &'a [Node] {
    match &node.value {
        Value::Seq(items) => items,
        Value::Null => &[],
        _ => {
            problems.error(
                node.span,
                format!("{what} must be a list, and here is {}", node.kind()),
                "here",
                "write `- item` lines, or `[a, b]`",
            );
            &[]
        }
    }
}

/// A list of scalars; one scalar where that is allowed.
pub(crate) fn texts(node: &Node, what: &str, one: bool, problems: &mut Problems) -> Vec<Placed<String>> {
    if one && matches!(node.value, Value::Scalar(_)) {
        return placed(node, what, problems).into_iter().collect();
    }
    list(node, what, problems).iter().filter_map(|item| placed(item, what, problems)).collect()
}

/// Reads a number within bounds.
pub(crate) fn number<T: TryFrom<u64>>(min: u64, max: u64) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let advice = || {
            if max == u64::MAX {
                format!("write a whole number from {min}")
            } else {
                format!("write a whole number from {min} to {max}")
            }
        };
        let number: u64 = text.trim().parse().map_err(|_| advice())?;
        if number < min || number > max {
            return Err(advice());
        }
        T::try_from(number).map_err(|_| advice())
    }
}

/// Reads a duration that is longer than nothing.
pub(crate) fn positive_duration(text: &str) -> Result<Nanos, String> {
    match units::duration(text)? {
        0 => Err("write a time longer than nothing".to_owned()),
        ns => Ok(ns),
    }
}

/// Reads a size of memory or a disk.
pub fn positive_size(text: &str) -> Result<u64, String> {
    match units::size(text)? {
        bytes if bytes < 1 << 20 => Err("write at least `1M`".to_owned()),
        bytes => Ok(bytes),
    }
}

fn world(node: &Node, problems: &mut Problems) -> World {
    let what = "`x-snowglobe`";
    let f = fields(node, what, keys::WORLD, problems);
    World {
        seed: field(&f, "seed", what, number(0, u64::MAX), problems),
        until: field(&f, "until", what, positive_duration, problems),
        start: field(&f, "start", what, units::time, problems),
        latency: field(&f, "latency", what, units::duration, problems),
        call_cost: field(&f, "call_cost", what, positive_duration, problems),
        quantum: field(&f, "quantum", what, positive_duration, problems),
        cpus: field(&f, "cpus", what, number(1, 1024), problems),
        memory: field(&f, "memory", what, positive_size, problems),
        disk: field(&f, "disk", what, positive_size, problems),
        disk_profile: field(&f, "disk-profile", what, disk_profile, problems),
        max_tasks: field(&f, "max_tasks", what, number(1, 4_194_304), problems),
        trace_calls: field(&f, "trace_calls", what, units::boolean, problems),
        checks_off: f.get("checks").map(|node| checks::off(node, "`checks`", problems)).unwrap_or_default(),
        faults: f.get("faults").cloned(),
    }
}

/// Reads the name of a disk's profile.
fn disk_profile(text: &str) -> Result<DiskProfile, String> {
    let named = DISK_PROFILES.iter().find(|(name, _)| *name == text);
    named.map(|(_, profile)| *profile).ok_or_else(|| suggestion(text, DISK_PROFILES.map(|(name, _)| name)))
}

/// The profiles of disks by their names in world files.
const DISK_PROFILES: [(&str, DiskProfile); 4] = [
    ("ext4-ordered", DiskProfile::Ext4Ordered),
    ("ext4-writeback", DiskProfile::Ext4Writeback),
    ("xfs", DiskProfile::Xfs),
    ("posix-worst", DiskProfile::PosixWorst),
];

/// Reads an IPv4 address.
fn address(text: &str) -> Result<[u8; 4], String> {
    text.trim()
        .parse::<std::net::Ipv4Addr>()
        .map(|address| address.octets())
        .map_err(|_| "write an IPv4 address, such as `10.0.1.5`".to_owned())
}

/// Reads an address and a prefix length.
pub(crate) fn subnet(text: &str) -> Result<([u8; 4], u8), String> {
    let advice = || "write a subnet such as `10.0.1.0/24`".to_owned();
    let (base, prefix) = text.trim().split_once('/').ok_or_else(advice)?;
    let base = address(base).map_err(|_| advice())?;
    let prefix: u8 = prefix.parse().map_err(|_| advice())?;
    if !(8..=30).contains(&prefix) {
        return Err("a subnet has a prefix length from 8 to 30".to_owned());
    }
    let bits = u32::from_be_bytes(base);
    if bits & (u32::MAX >> prefix) != 0 {
        let clean = std::net::Ipv4Addr::from(bits & !(u32::MAX >> prefix));
        return Err(format!("the address has bits behind the prefix: write `{clean}/{prefix}`"));
    }
    if base[0] == 0 || base[0] == 127 || base[0] >= 224 {
        return Err("hosts have no addresses in there: use one of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16".to_owned());
    }
    Ok((base, prefix))
}

/// Reads a value of which only some are known.
fn one_of(known: &'static [&'static str]) -> impl Fn(&str) -> Result<&'static str, String> {
    move |text| known.iter().find(|word| **word == text).copied().ok_or_else(|| suggestion(text, known.iter().copied()))
}

fn network(name: &Placed<String>, node: &Node, problems: &mut Problems) -> Network {
    let what = format!("network `{}`", name.value);
    check_name(name, "network", problems);
    let f = fields(node, &what, keys::NETWORK, problems);
    field(&f, "driver", &what, one_of(&["bridge", "default"]), problems);
    let mut out = Network {
        name: name.clone(),
        subnet: None,
        gateway: None,
        link: Link::default(),
        mtu: None,
        ipv6: field(&f, "enable_ipv6", &what, units::boolean, problems).unwrap_or(false),
        rules: Vec::new(),
    };
    if let Some(own) = f.get("x-snowglobe") {
        let what = format!("{what}: `x-snowglobe`");
        let own = fields(own, &what, keys::NETWORK_WORLD, problems);
        out.link = link::read(&own, &what, problems);
        out.mtu = field(&own, "mtu", &what, number((*MTU.start()).into(), (*MTU.end()).into()), problems);
        if let Some(node) = own.get("links") {
            out.rules = link::rules(node, &format!("{what}: `links`"), problems);
        }
    }
    let Some(ipam) = f.get("ipam") else { return out };
    let ipam = fields(ipam, &format!("{what}: `ipam`"), keys::IPAM, problems);
    let Some(config) = ipam.get("config") else { return out };
    let what = format!("{what}: `ipam.config`");
    let configs = list(config, &what, problems);
    if let [_, second, ..] = configs {
        problems.error(second.span, format!("{what} has more than one entry"), "here", "a network has one subnet");
    }
    if let Some(config) = configs.first() {
        let f = fields(config, &what, keys::IPAM_CONFIG, problems);
        out.subnet = f.get("subnet").and_then(|node| parsed(node, &format!("{what}: `subnet`"), subnet, problems));
        out.gateway = f.get("gateway").and_then(|node| parsed(node, &format!("{what}: `gateway`"), address, problems));
    }
    out
}

fn volume(name: &str, node: &Node, problems: &mut Problems) {
    let what = format!("volume `{name}`");
    let f = fields(node, &what, keys::VOLUME, problems);
    field(&f, "driver", &what, one_of(&["local"]), problems);
}

/// Names of services and networks become parts of host names and paths.
fn check_name(name: &Placed<String>, what: &str, problems: &mut Problems) {
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let text = &name.value;
    if text.is_empty()
        || text.len() > 63
        || !text.chars().all(ok)
        || !text.starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        problems.error(
            name.span,
            format!("`{text}` cannot be the name of a {what}"),
            "here",
            "a name has up to 63 letters, digits, `-`, `_` and `.`, and begins with a letter or digit",
        );
    }
}

fn service(name: &Placed<String>, node: &Node, problems: &mut Problems) -> Service {
    let what = format!("service `{}`", name.value);
    check_name(name, "service", problems);
    let f = fields(node, &what, keys::SERVICE, problems);
    let key = |key: &str| format!("{what}: `{key}`");
    let get = |name: &str| f.get(name).filter(|node| !matches!(node.value, Value::Null));
    let mut out = Service {
        name: name.clone(),
        replicas: replicas(&f, &what, problems),
        memory: memory_limit(&f, &what, problems),
        image: get("image").and_then(|node| placed(node, &key("image"), problems)),
        command: get("command").and_then(|node| command_line(node, &key("command"), problems)),
        entrypoint: get("entrypoint").and_then(|node| command_line(node, &key("entrypoint"), problems)),
        environment: get("environment").map_or_else(Vec::new, |node| environment(node, &key("environment"), problems)),
        env_files: get("env_file").map_or_else(Vec::new, |node| env_files(node, &key("env_file"), problems)),
        working_dir: get("working_dir").and_then(|node| parsed(node, &key("working_dir"), absolute, problems)),
        hostname: get("hostname").and_then(|node| parsed(node, &key("hostname"), host_name, problems)),
        container_name: get("container_name")
            .and_then(|node| parsed(node, &key("container_name"), host_name, problems)),
        user: get("user").and_then(|node| placed(node, &key("user"), problems)),
        networks: get("networks").map(|node| attachments(node, &key("networks"), problems)),
        depends_on: get("depends_on").map_or_else(Vec::new, |node| depends_on(node, &key("depends_on"), problems)),
        healthcheck: get("healthcheck").map(|node| healthcheck(node, &key("healthcheck"), problems)),
        restart: field(&f, "restart", &what, restart, problems).unwrap_or(Restart::No),
        stop_signal: field(&f, "stop_signal", &what, units::signal, problems),
        stop_grace: field(&f, "stop_grace_period", &what, units::duration, problems),
        mounts: Vec::new(),
        init: field(&f, "init", &what, units::boolean, problems).unwrap_or(false),
        check: false,
        stdin: None,
        asked: checks::Asked::default(),
    };
    field(&f, "platform", &what, one_of(&["linux/amd64", "linux"]), problems);
    if let Some(node) = get("network_mode") {
        parsed(node, &key("network_mode"), one_of(&["none"]), problems);
        if let Some(networks) = f.key("networks") {
            problems.error(
                networks.span,
                format!("{what} has `networks` and `network_mode`"),
                "here",
                "remove one of them",
            );
        }
        out.networks = Some(Vec::new());
    }
    if let Some(node) = get("volumes") {
        out.mounts = list(node, &key("volumes"), problems)
            .iter()
            .filter_map(|node| mount(node, &key("volumes"), problems))
            .collect();
    }
    if let Some(node) = get("tmpfs") {
        for item in texts(node, &key("tmpfs"), true, problems) {
            // Size and mode stand behind a colon; a world's file systems in memory have no limit of their own.
            let target = item.value.split(':').next().unwrap_or_default().to_owned();
            if let Some(target) = target_path(Placed { value: target, span: item.span }, &key("tmpfs"), problems) {
                out.mounts.push(Mount { source: MountFrom::Tmpfs, target, read_only: false });
            }
        }
    }
    if let Some(node) = get("x-snowglobe") {
        let what = key("x-snowglobe");
        let own = fields(node, &what, keys::SERVICE_WORLD, problems);
        out.check = field(&own, "check", &what, units::boolean, problems).unwrap_or(false);
        out.stdin =
            own.get("stdin").and_then(|node| parsed(node, &format!("{what}: `stdin`"), units::boolean, problems));
        out.asked = checks::service(&own, &what, problems);
    }
    out
}

fn replicas(f: &Fields<'_>, what: &str, problems: &mut Problems) -> u32 {
    let scale = field(f, "scale", what, number(0, 10_000), problems);
    let deploy = f.get("deploy").and_then(|node| {
        let what = format!("{what}: `deploy`");
        let f = fields(node, &what, keys::DEPLOY, problems);
        field(&f, "mode", &what, one_of(&["replicated"]), problems);
        field(&f, "replicas", &what, number(0, 10_000), problems)
    });
    deploy.or(scale).unwrap_or(1)
}

/// Compose has two ways to say it; both may be given if they say the same.
fn memory_limit(f: &Fields<'_>, what: &str, problems: &mut Problems) -> Option<u64> {
    let own = field(f, "mem_limit", what, positive_size, problems);
    let limits = f.get("deploy").and_then(|node| inner(node, "resources")).and_then(|resources| {
        let what = format!("{what}: `resources`");
        let f = fields(resources, &what, keys::RESOURCES, problems);
        let limits = f.get("limits")?;
        let what = format!("{what}: `limits`");
        field(&fields(limits, &what, keys::LIMITS, problems), "memory", &what, positive_size, problems)
    });
    if let (Some(own), Some(other), Some(key)) = (own, limits, f.key("mem_limit"))
        && own != other
    {
        let message = format!("{what} has `mem_limit` and another limit in `deploy`");
        problems.error(key.span, message, "here", "remove one of them");
    }
    own.or(limits)
}

/// The value of a key in a mapping that is checked elsewhere.
fn inner<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

/// A list of words, or one string that is split as a shell would.
fn command_line(node: &Node, what: &str, problems: &mut Problems) -> Option<Placed<Vec<String>>> {
    let words = match &node.value {
        Value::Scalar(_) => {
            let split = |line: &str| {
                shell_words::split(line)
                    .map_err(|_| "close its quotes, or write a list: `[\"sh\", \"-c\", \"..\"]`".to_owned())
            };
            parsed(node, what, split, problems)?.value
        }
        _ => texts(node, what, false, problems).into_iter().map(|word| word.value).collect(),
    };
    Some(Placed { value: words, span: node.span })
}

fn variable_name(name: &Placed<String>, what: &str, problems: &mut Problems) -> bool {
    let ok = !name.value.is_empty() && !name.value.contains(['=', '\0']);
    if !ok {
        problems.error(
            name.span,
            format!("{what}: `{}` cannot be a variable's name", name.value),
            "here",
            "write `NAME=value`",
        );
    }
    ok
}

fn environment(node: &Node, what: &str, problems: &mut Problems) -> Vec<(Placed<String>, Option<String>)> {
    let mut out = Vec::new();
    if matches!(node.value, Value::Seq(_)) {
        for item in texts(node, what, false, problems) {
            let (name, value) = match item.value.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (item.value, None),
            };
            out.push((Placed { value: name, span: item.span }, value));
        }
    } else {
        for (key, node) in entries(node, what, problems) {
            let value = match &node.value {
                Value::Null => None,
                _ => text(node, &format!("{what}: `{}`", key.name), problems),
            };
            out.push((placed_key(key), value));
        }
    }
    out.retain(|(name, _)| variable_name(name, what, problems));
    out
}

fn env_files(node: &Node, what: &str, problems: &mut Problems) -> Vec<(Placed<String>, bool)> {
    if let Value::Scalar(_) = node.value {
        return placed(node, what, problems).map(|path| (path, true)).into_iter().collect();
    }
    let mut out = Vec::new();
    for item in list(node, what, problems) {
        if let Value::Map(_) = item.value {
            let f = fields(item, what, keys::ENV_FILE, problems);
            let required = field(&f, "required", what, units::boolean, problems).unwrap_or(true);
            match f.get("path") {
                Some(path) => out.extend(placed(path, what, problems).map(|path| (path, required))),
                None => {
                    problems.error(item.span, format!("{what}: an entry has no `path`"), "here", "add `path: FILE`")
                }
            }
        } else {
            out.extend(placed(item, what, problems).map(|path| (path, true)));
        }
    }
    out
}

/// Reads an absolute path of a host, and removes what is superfluous in it.
fn absolute(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("write an absolute path, such as `/data`".to_owned());
    }
    Ok(clean_path(text))
}

/// Removes `.`, `..` and double slashes.
pub(crate) fn clean_path(text: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Reads a host name (RFC 1123, and `_` because Compose services have it).
fn host_name(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    // HOST_NAME_MAX of Linux is 64.
    if text.len() <= 64 && text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err("a host name has up to 64 letters, digits, `-`, `_` and `.`".to_owned())
    }
}

fn attachments(node: &Node, what: &str, problems: &mut Problems) -> Vec<Attachment> {
    let mut out: Vec<Attachment> = Vec::new();
    if matches!(node.value, Value::Seq(_)) {
        for network in texts(node, what, false, problems) {
            if let Some(first) = out.iter().find(|other| other.network.value == network.value) {
                let message = format!("{what} names `{}` twice", network.value);
                problems.clash(
                    (network.span, "again here"),
                    (first.network.span, "first here"),
                    message,
                    "remove one of them",
                );
            } else {
                out.push(Attachment { network, address: None, aliases: Vec::new() });
            }
        }
        return out;
    }
    for (key, node) in entries(node, what, problems) {
        let what = format!("{what}: `{}`", key.name);
        let f = fields(node, &what, keys::SERVICE_NETWORK, problems);
        let address_at = format!("{what}: `ipv4_address`");
        let address = f.get("ipv4_address").and_then(|node| parsed(node, &address_at, address, problems));
        let mut aliases = Vec::new();
        if let Some(node) = f.get("aliases") {
            let what = format!("{what}: `aliases`");
            for item in list(node, &what, problems) {
                aliases.extend(parsed(item, &what, host_name, problems));
            }
        }
        out.push(Attachment { network: placed_key(key), address, aliases });
    }
    out
}

/// Reads a condition.
fn condition(text: &str) -> Result<Condition, String> {
    const KNOWN: [&str; 3] = ["service_started", "service_healthy", "service_completed_successfully"];
    match text {
        "service_started" => Ok(Condition::Started),
        "service_healthy" => Ok(Condition::Healthy),
        "service_completed_successfully" => Ok(Condition::Completed),
        _ => Err(suggestion(text, KNOWN)),
    }
}

fn depends_on(node: &Node, what: &str, problems: &mut Problems) -> Vec<(Placed<String>, Condition)> {
    if matches!(node.value, Value::Seq(_)) {
        return texts(node, what, false, problems).into_iter().map(|name| (name, Condition::Started)).collect();
    }
    let mut out = Vec::new();
    for (key, node) in entries(node, what, problems) {
        let what = format!("{what}: `{}`", key.name);
        let f = fields(node, &what, keys::DEPENDENCY, problems);
        let condition = field(&f, "condition", &what, condition, problems).unwrap_or(Condition::Started);
        out.push((placed_key(key), condition));
    }
    out
}

fn healthcheck(node: &Node, what: &str, problems: &mut Problems) -> Option<Health> {
    let f = fields(node, what, keys::HEALTHCHECK, problems);
    let health = Health {
        argv: None,
        interval: field(&f, "interval", what, positive_duration, problems),
        timeout: field(&f, "timeout", what, positive_duration, problems),
        retries: field(&f, "retries", what, number(1, 1_000_000), problems),
        start_period: field(&f, "start_period", what, units::duration, problems),
        start_interval: field(&f, "start_interval", what, positive_duration, problems),
    };
    if field(&f, "disable", what, units::boolean, problems) == Some(true) {
        return None;
    }
    let Some(test) = f.get("test") else { return Some(health) };
    let what = format!("{what}: `test`");
    if let Value::Scalar(line) = &test.value {
        return Some(Health { argv: Some(shell(line)), ..health });
    }
    let words: Vec<String> = texts(test, &what, false, problems).into_iter().map(|word| word.value).collect();
    let argv = match words.split_first() {
        Some((first, [])) if first == "NONE" => return None,
        Some((first, rest)) if first == "CMD" && !rest.is_empty() => rest.to_vec(),
        Some((first, [line])) if first == "CMD-SHELL" => shell(line),
        _ => {
            let help = "write `[\"CMD\", PROGRAM, ARGS..]`, `[\"CMD-SHELL\", \"LINE\"]` or `[\"NONE\"]`";
            problems.error(test.span, format!("{what} is not understood"), "here", help);
            return None;
        }
    };
    Some(Health { argv: Some(argv), ..health })
}

/// A line for the host's shell.
pub(crate) fn shell(line: &str) -> Vec<String> {
    ["/bin/sh", "-c", line].map(str::to_owned).to_vec()
}

/// Reads a restart policy.
fn restart(text: &str) -> Result<Restart, String> {
    const KNOWN: [&str; 4] = ["no", "always", "on-failure", "unless-stopped"];
    match text {
        "no" | "false" => Ok(Restart::No),
        // Nobody stops a service by hand in a world.
        "always" | "unless-stopped" => Ok(Restart::Always),
        "on-failure" => Ok(Restart::OnFailure(None)),
        _ => match text.strip_prefix("on-failure:").map(|n| number(1, 1_000_000)(n)) {
            Some(most) => most.map(|n| Restart::OnFailure(Some(n))),
            None => Err(suggestion(text, KNOWN)),
        },
    }
}

fn target_path(target: Placed<String>, what: &str, problems: &mut Problems) -> Option<Placed<String>> {
    match absolute(&target.value) {
        Ok(path) if path == "/" => {
            problems.error(
                target.span,
                format!("{what}: nothing can be mounted on `/`"),
                "here",
                "use `image: ./dir` for another root",
            );
            None
        }
        Ok(path) => Some(Placed { value: path, span: target.span }),
        Err(help) => {
            problems.error(target.span, format!("{what}: `{}` is not a place in a host", target.value), "here", help);
            None
        }
    }
}

/// Whether the source of a short volume is a path and not a name.
fn is_path(source: &str) -> bool {
    source.starts_with(['/', '.', '~'])
}

fn mount(node: &Node, what: &str, problems: &mut Problems) -> Option<Mount> {
    if matches!(node.value, Value::Map(_)) {
        return long_mount(node, what, problems);
    }
    let entry = placed(node, what, problems)?;
    let span = entry.span;
    let at = |text: &str| Placed { value: text.to_owned(), span };
    let parts: Vec<&str> = entry.value.split(':').collect();
    let (source, target, mode) = match parts[..] {
        [target] => (MountFrom::Anonymous, target, ""),
        [source, target] => (from(at(source)), target, ""),
        [source, target, mode] => (from(at(source)), target, mode),
        _ => {
            problems.error(
                span,
                format!("{what}: `{}` is not understood", entry.value),
                "here",
                "write `SOURCE:TARGET` or `SOURCE:TARGET:ro`",
            );
            return None;
        }
    };
    let mut read_only = false;
    for word in mode.split(',').filter(|word| !word.is_empty()) {
        match word {
            "ro" => read_only = true,
            // Labels for SELinux and hints for caches: nothing that a program of a world could see.
            "rw" | "z" | "Z" | "cached" | "delegated" | "consistent" => {}
            _ => problems.error(span, format!("{what}: unknown mode `{word}`"), "here", suggestion(word, ["ro", "rw"])),
        }
    }
    Some(Mount { source, target: target_path(at(target), what, problems)?, read_only })
}

fn from(source: Placed<String>) -> MountFrom {
    if is_path(&source.value) { MountFrom::Bind(source) } else { MountFrom::Volume(source) }
}

fn long_mount(node: &Node, what: &str, problems: &mut Problems) -> Option<Mount> {
    let f = fields(node, what, keys::MOUNT, problems);
    let Some(target) = f.get("target") else {
        problems.error(node.span, format!("{what}: an entry has no `target`"), "here", "add `target: /PATH`");
        return None;
    };
    let target = placed(target, what, problems).and_then(|target| target_path(target, what, problems))?;
    let source = f.get("source").and_then(|node| placed(node, what, problems));
    let kind = match f.get("type") {
        Some(node) => parsed(node, &format!("{what}: `type`"), one_of(&["bind", "volume", "tmpfs"]), problems)?.value,
        None => "volume",
    };
    let source = match (kind, source) {
        ("bind", Some(source)) => MountFrom::Bind(source),
        ("bind", None) => {
            problems.error(node.span, format!("{what}: a bind has no `source`"), "here", "add `source: PATH`");
            return None;
        }
        ("volume", Some(source)) => MountFrom::Volume(source),
        ("volume", None) => MountFrom::Anonymous,
        _ => MountFrom::Tmpfs,
    };
    let read_only = field(&f, "read_only", what, units::boolean, problems).unwrap_or(false);
    Some(Mount { source, target, read_only })
}
