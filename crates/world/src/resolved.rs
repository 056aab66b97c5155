//! The resolved world as YAML: everything that a run was given, readable by people and read again for a replay.

use std::fmt;
use std::marker::PhantomData;
use std::net::Ipv4Addr;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_saphyr::Spanned;
use snowglobe_abi::fault::{DiskProfile, FaultPlan};
use snowglobe_abi::spec::{
    Capture, Chance, Condition, Dependency, Healthcheck, HostSpec, InterfaceSpec, Knobs, Latency, LinkChange, LinkRule,
    LinkSpec, Loss, MountSource, MountSpec, Nanos, NetworkSpec, Restart, RootSpec, ServiceSpec, WorldSpec, YieldPoint,
};

use crate::checks;
use crate::faults::show::{self, Tree};
use crate::faults::{self, Scope};
use crate::problem::{Problem, Problems, Source, Span, WorldError, suggestion};
use crate::yaml::Raw;
use crate::{compose, link, units, yaml};

/// The key by which such a file is told from a Compose file; its value is the format's version.
pub const MARK: &str = "snowglobe_world";
/// The format's version.
const VERSION: u32 = 2;

const HEAD: &str = "\
# A world after defaults, names and addresses were settled. Written by snowglobe, and read again by it:
# `snowglobe run` takes this file like any world file.
";

/// Writes a world.
pub fn to_yaml(spec: &WorldSpec) -> String {
    // Folded block scalars are for people who write prose; commands are better on one line.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let body = serde_saphyr::to_string_with_options(&World::from_spec(spec), options)
        .expect("plain data can always be written");
    format!("{HEAD}{body}")
}

/// Whether a file is a resolved world.
pub fn is_resolved(tree: &yaml::Node) -> bool {
    tree.get(MARK).is_some()
}

/// Reads a world.
///
/// # Errors
/// A problem with its place.
pub fn from_yaml(name: &str, text: &str) -> Result<WorldSpec, WorldError> {
    let source = Source::new(name, text);
    // A world of many hosts is longer when it is resolved; there are no aliases by which a short text could become a long one.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: 16, flow_nesting_limit: 16, max_aliases: 0, max_nodes: 10_000_000, max_events: 20_000_000 },
        with_snippet: false,
    };
    let mut world: World =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| yaml::from_saphyr(&source, &error))?;
    let at_top = |message: String, help: String| Problem::new(message).at(&source, Span::default(), "").help(help);
    if world.snowglobe_world != VERSION {
        return Err(at_top(
            format!("{name} has format {}, and this snowglobe reads format {VERSION}", world.snowglobe_world),
            "make it again from its world file".to_owned(),
        )
        .into());
    }
    let faults = std::mem::take(&mut world.faults);
    let mut spec = world.into_spec().map_err(|(message, help)| at_top(message, help))?;
    if let Faults::Read(raw) = faults {
        let node = yaml::raw_to_node(*raw, text);
        let mut problems = Problems::new(source);
        spec.faults = faults::read(&node, "`faults`", &Scope::of(&spec, |_| None), &mut problems);
        problems.check()?;
    }
    Ok(spec)
}

/// What is wrong, and what to do.
type Advice = (String, String);

/// A value that stands in the file as one word.
trait Word: Sized {
    const WHAT: &'static str;
    fn show(&self) -> String;
    fn read(text: &str) -> Result<Self, String>;
}

/// Carries a [`Word`] through serde.
#[derive(Clone, Copy)]
struct W<T>(T);

impl<T: Word> Serialize for W<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.show())
    }
}

impl<'de, T: Word> Deserialize<'de> for W<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<W<T>, D::Error> {
        struct WordVisitor<T>(PhantomData<T>);
        impl<T: Word> Visitor<'_> for WordVisitor<T> {
            type Value = W<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<W<T>, E> {
                T::read(text).map(W).map_err(|help| E::custom(format!("`{text}` is not {}: {help}", T::WHAT)))
            }
        }
        deserializer.deserialize_str(WordVisitor(PhantomData))
    }
}

macro_rules! word {
    ($name:ident($inner:ty), $what:literal, $show:expr, $read:expr) => {
        #[derive(Clone, Copy)]
        struct $name($inner);

        impl Word for $name {
            const WHAT: &'static str = $what;

            fn show(&self) -> String {
                let show: fn($inner) -> String = $show;
                show(self.0)
            }

            fn read(text: &str) -> Result<Self, String> {
                let read: fn(&str) -> Result<$inner, String> = $read;
                read(text).map($name)
            }
        }
    };
}

word!(Duration(Nanos), "a duration", units::show_duration, units::duration);
word!(Size(u64), "a size", units::show_size, units::size);
word!(Bandwidth(u64), "a bandwidth", units::show_bandwidth, units::bandwidth);
word!(Share(Chance), "a share", units::show_chance, units::chance);
word!(YesNo(bool), "true or false", |yes| if yes { "yes" } else { "no" }.to_owned(), units::boolean);
word!(LatencyText(Latency), "a latency", link::show_latency, link::latency);
word!(LossText(Loss), "a loss", link::show_loss, link::loss);
word!(Time(Nanos), "a time", units::show_time, units::time);
word!(Signal(u8), "a signal", units::signal_name, units::signal);
word!(Address([u8; 4]), "an IPv4 address", |a| Ipv4Addr::from(a).to_string(), |text| {
    text.parse::<Ipv4Addr>().map(|a| a.octets()).map_err(|_| "write `10.0.1.5`".to_owned())
});
word!(Subnet(([u8; 4], u8)), "a subnet", |(a, p)| format!("{}/{p}", Ipv4Addr::from(a)), compose::subnet);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    snowglobe_world: u32,
    seed: u64,
    start: W<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<W<Duration>>,
    knobs: KnobsText,
    networks: Vec<Network>,
    hosts: Vec<Host>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    yield_points: Vec<YieldPoint>,
    #[serde(default, skip_serializing_if = "checks::Text::is_empty")]
    checks: checks::Text,
    #[serde(default, skip_serializing_if = "Faults::is_none")]
    faults: Faults,
}

/// What goes wrong, in the words of a world file: written from one tree, read as another that knows its places.
#[derive(Default)]
enum Faults {
    #[default]
    None,
    Written(Tree),
    Read(Box<Spanned<Raw>>),
}

impl Faults {
    fn is_none(&self) -> bool {
        matches!(self, Faults::None)
    }
}

impl Serialize for Faults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Faults::Written(tree) => tree.serialize(serializer),
            _ => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Faults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Faults, D::Error> {
        Spanned::<Raw>::deserialize(deserializer).map(|raw| Faults::Read(Box::new(raw)))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnobsText {
    call_cost: W<Duration>,
    quantum: W<Duration>,
    cpus: u32,
    memory: W<Size>,
    disk: W<Size>,
    #[serde(default)]
    disk_profile: DiskProfileText,
    trace_calls: bool,
    one_program: bool,
    max_tasks: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    name: String,
    subnet: W<Subnet>,
    resolver: W<Address>,
    mtu: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ipv6: bool,
    link: Link,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    from: Vec<String>,
    to: Vec<String>,
    link: Link,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    name: String,
    hostname: String,
    /// An unpacked tree; the machine's own file system without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    mounts: Vec<Mount>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<Interface>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<W<Size>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<Service>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mount {
    target: String,
    /// Neither of the two: an empty file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    read_only: bool,
}

fn is_false(v: &bool) -> bool {
    !v
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Interface {
    network: String,
    address: W<Address>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    argv: Vec<String>,
    env: Vec<String>,
    cwd: String,
    uid: u32,
    gid: u32,
    restart: RestartText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restart_at_most: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<DependencyText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    healthcheck: Option<Health>,
    stop_signal: W<Signal>,
    stop_grace: W<Duration>,
    #[serde(default, skip_serializing_if = "is_false")]
    init: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    stdin: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    check: bool,
}

/// The profile of the disks; files of earlier versions do not say it.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DiskProfileText {
    #[default]
    Ext4Ordered,
    Ext4Writeback,
    Xfs,
    PosixWorst,
}

impl DiskProfileText {
    fn from_spec(profile: DiskProfile) -> DiskProfileText {
        match profile {
            DiskProfile::Ext4Ordered => DiskProfileText::Ext4Ordered,
            DiskProfile::Ext4Writeback => DiskProfileText::Ext4Writeback,
            DiskProfile::Xfs => DiskProfileText::Xfs,
            DiskProfile::PosixWorst => DiskProfileText::PosixWorst,
        }
    }

    fn into_spec(self) -> DiskProfile {
        match self {
            DiskProfileText::Ext4Ordered => DiskProfile::Ext4Ordered,
            DiskProfileText::Ext4Writeback => DiskProfile::Ext4Writeback,
            DiskProfileText::Xfs => DiskProfile::Xfs,
            DiskProfileText::PosixWorst => DiskProfile::PosixWorst,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RestartText {
    Never,
    Always,
    OnFailure,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DependencyText {
    host: String,
    condition: ConditionText,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConditionText {
    Started,
    Healthy,
    Completed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Health {
    argv: Vec<String>,
    interval: W<Duration>,
    timeout: W<Duration>,
    retries: u32,
    start_period: W<Duration>,
    start_interval: W<Duration>,
}

impl World {
    fn from_spec(spec: &WorldSpec) -> World {
        let names: Vec<String> = spec.hosts.iter().map(|host| host.name.clone()).collect();
        World {
            snowglobe_world: VERSION,
            seed: spec.seed,
            start: W(Time(spec.start_realtime)),
            until: spec.until.map(|ns| W(Duration(ns))),
            knobs: KnobsText::from_spec(&spec.knobs),
            networks: spec.networks.iter().map(|network| Network::from_spec(network, &spec.hosts)).collect(),
            hosts: spec.hosts.iter().map(|host| Host::from_spec(host, spec)).collect(),
            yield_points: spec.yield_points.clone(),
            checks: checks::Text::from_spec(&spec.checks, &names),
            faults: show::plan(&spec.faults, &Scope::of(spec, |_| None)).map_or(Faults::None, Faults::Written),
        }
    }

    fn into_spec(self) -> Result<WorldSpec, Advice> {
        let names: Vec<String> = self.hosts.iter().map(|host| host.name.clone()).collect();
        let checks = self.checks.into_spec(&names)?;
        let networks: Vec<NetworkSpec> =
            self.networks.into_iter().map(|network| network.into_spec(&names)).collect::<Result<_, _>>()?;
        let hosts = self.hosts.into_iter().map(|host| host.into_spec(&names, &networks)).collect::<Result<_, _>>()?;
        Ok(WorldSpec {
            seed: self.seed,
            start_realtime: self.start.0.0,
            until: self.until.map(|ns| ns.0.0),
            hosts,
            networks,
            knobs: self.knobs.into_spec(),
            yield_points: self.yield_points,
            faults: FaultPlan::default(),
            checks,
        })
    }
}

impl KnobsText {
    fn from_spec(knobs: &Knobs) -> KnobsText {
        KnobsText {
            call_cost: W(Duration(knobs.call_cost)),
            quantum: W(Duration(knobs.quantum)),
            cpus: knobs.cpus,
            memory: W(Size(knobs.memory)),
            disk: W(Size(knobs.disk)),
            disk_profile: DiskProfileText::from_spec(knobs.disk_profile),
            trace_calls: knobs.trace_calls,
            one_program: knobs.one_program,
            max_tasks: knobs.max_tasks,
        }
    }

    fn into_spec(self) -> Knobs {
        Knobs {
            call_cost: self.call_cost.0.0,
            quantum: self.quantum.0.0,
            cpus: self.cpus,
            memory: self.memory.0.0,
            disk: self.disk.0.0,
            disk_profile: self.disk_profile.into_spec(),
            trace_calls: self.trace_calls,
            one_program: self.one_program,
            max_tasks: self.max_tasks,
            capture: Capture::Nothing,
        }
    }
}

impl Network {
    fn from_spec(network: &NetworkSpec, hosts: &[HostSpec]) -> Network {
        Network {
            name: network.name.clone(),
            subnet: W(Subnet(network.subnet)),
            resolver: W(Address(network.resolver)),
            mtu: network.mtu,
            ipv6: network.ipv6,
            link: Link::from_change(difference(&network.link)),
            rules: network.rules.iter().map(|rule| Rule::from_spec(rule, hosts)).collect(),
        }
    }

    fn into_spec(self, names: &[String]) -> Result<NetworkSpec, Advice> {
        if !compose::MTU.contains(&self.mtu) {
            let (least, most) = (compose::MTU.start(), compose::MTU.end());
            let message = format!("network `{}` has an MTU of {}", self.name, self.mtu);
            return Err((message, format!("write one from {least} to {most}")));
        }
        let mut link = LinkSpec::default();
        self.link.into_change().apply(&mut link);
        Ok(NetworkSpec {
            name: self.name,
            subnet: self.subnet.0.0,
            resolver: self.resolver.0.0,
            mtu: self.mtu,
            ipv6: self.ipv6,
            link,
            rules: self.rules.into_iter().map(|rule| rule.into_spec(names)).collect::<Result<_, _>>()?,
        })
    }
}

impl Rule {
    fn from_spec(rule: &LinkRule, hosts: &[HostSpec]) -> Rule {
        let names = |list: &[u32]| -> Vec<String> {
            list.iter().map(|&at| hosts.get(at as usize).map_or_else(String::new, |host| host.name.clone())).collect()
        };
        Rule { from: names(&rule.from), to: names(&rule.to), link: Link::from_change(rule.change.clone()) }
    }

    fn into_spec(self, names: &[String]) -> Result<LinkRule, Advice> {
        let indices = |list: Vec<String>| -> Result<Vec<u32>, Advice> {
            list.iter().map(|name| index_of("host", name, names.iter().map(String::as_str))).collect()
        };
        Ok(LinkRule { from: indices(self.from)?, to: indices(self.to)?, change: self.link.into_change() })
    }
}

macro_rules! link {
    ($($name:ident: $word:ident),* $(,)?) => {
        /// The keys of a link that say something.
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Link {
            $(#[serde(default, skip_serializing_if = "Option::is_none")]
            $name: Option<W<$word>>,)*
        }

        impl Link {
            fn from_change(change: LinkChange) -> Link {
                Link { $($name: change.$name.map(|value| W($word(value)))),* }
            }

            fn into_change(self) -> LinkChange {
                LinkChange { $($name: self.$name.map(|word| word.0.0)),* }
            }
        }

        /// What a link has that one that says nothing has not; its latency in any case.
        fn difference(link: &LinkSpec) -> LinkChange {
            let none = LinkSpec::default();
            let change = LinkChange { $($name: (link.$name != none.$name).then_some(link.$name)),* };
            LinkChange { latency: Some(link.latency), ..change }
        }
    };
}

link! {
    latency: LatencyText,
    jitter: Duration,
    bandwidth: Bandwidth,
    queue: Size,
    loss: LossText,
    duplicate: Share,
    reorder: Share,
    reorder_by: Duration,
    corrupt: Share,
    cut: YesNo,
    clog: YesNo,
}

/// The index of a name, or what to say.
fn index_of<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Result<u32, Advice> {
    match names.clone().position(|known| known == name) {
        Some(index) => Ok(index as u32),
        None => Err((format!("there is no {what} `{name}`"), suggestion(name, names))),
    }
}

impl Host {
    fn from_spec(host: &HostSpec, spec: &WorldSpec) -> Host {
        Host {
            name: host.name.clone(),
            hostname: host.hostname.clone(),
            tree: match &host.root {
                RootSpec::Machine => None,
                RootSpec::Tree(path) => Some(path.clone()),
            },
            mounts: host.mounts.iter().map(Mount::from_spec).collect(),
            interfaces: host.interfaces.iter().map(|interface| Interface::from_spec(interface, spec)).collect(),
            memory: host.memory.map(|bytes| W(Size(bytes))),
            service: host.service.as_ref().map(|service| Service::from_spec(service, spec)),
        }
    }

    fn into_spec(self, names: &[String], networks: &[NetworkSpec]) -> Result<HostSpec, Advice> {
        let interface = |i: Interface| -> Result<InterfaceSpec, Advice> {
            let network = index_of("network", &i.network, networks.iter().map(|n| n.name.as_str()))?;
            Ok(InterfaceSpec { network, address: i.address.0.0, aliases: i.aliases })
        };
        Ok(HostSpec {
            name: self.name,
            hostname: self.hostname,
            root: self.tree.map_or(RootSpec::Machine, RootSpec::Tree),
            mounts: self.mounts.into_iter().map(Mount::into_spec).collect(),
            interfaces: self.interfaces.into_iter().map(interface).collect::<Result<_, _>>()?,
            memory: self.memory.map(|size| size.0.0),
            service: self.service.map(|service| service.into_spec(names)).transpose()?,
        })
    }
}

impl Mount {
    fn from_spec(mount: &MountSpec) -> Mount {
        let (bind, volume) = match &mount.source {
            MountSource::Bind(path) => (Some(path.clone()), None),
            MountSource::Volume(name) => (None, Some(name.clone())),
            MountSource::Tmpfs => (None, None),
        };
        Mount { target: mount.target.clone(), bind, volume, read_only: mount.read_only }
    }

    fn into_spec(self) -> MountSpec {
        let source = match (self.bind, self.volume) {
            (Some(path), _) => MountSource::Bind(path),
            (None, Some(name)) => MountSource::Volume(name),
            (None, None) => MountSource::Tmpfs,
        };
        MountSpec { target: self.target, source, read_only: self.read_only }
    }
}

impl Interface {
    fn from_spec(interface: &InterfaceSpec, spec: &WorldSpec) -> Interface {
        let network = spec.networks.get(interface.network as usize).map_or_else(String::new, |n| n.name.clone());
        Interface { network, address: W(Address(interface.address)), aliases: interface.aliases.clone() }
    }
}

impl Service {
    fn from_spec(service: &ServiceSpec, spec: &WorldSpec) -> Service {
        let (restart, restart_at_most) = match service.restart {
            Restart::No => (RestartText::Never, None),
            Restart::Always => (RestartText::Always, None),
            Restart::OnFailure(most) => (RestartText::OnFailure, most),
        };
        let dependency = |d: &Dependency| DependencyText {
            host: spec.hosts.get(d.host as usize).map_or_else(String::new, |host| host.name.clone()),
            condition: match d.condition {
                Condition::Started => ConditionText::Started,
                Condition::Healthy => ConditionText::Healthy,
                Condition::Completed => ConditionText::Completed,
            },
        };
        Service {
            argv: service.argv.clone(),
            env: service.env.clone(),
            cwd: service.cwd.clone(),
            uid: service.uid,
            gid: service.gid,
            restart,
            restart_at_most,
            depends_on: service.depends_on.iter().map(dependency).collect(),
            healthcheck: service.healthcheck.as_ref().map(Health::from_spec),
            stop_signal: W(Signal(service.stop_signal)),
            stop_grace: W(Duration(service.stop_grace)),
            init: service.init,
            stdin: service.stdin,
            check: service.check,
        }
    }

    fn into_spec(self, names: &[String]) -> Result<ServiceSpec, Advice> {
        let dependency = |d: DependencyText| -> Result<Dependency, Advice> {
            let host = index_of("host", &d.host, names.iter().map(String::as_str))?;
            let condition = match d.condition {
                ConditionText::Started => Condition::Started,
                ConditionText::Healthy => Condition::Healthy,
                ConditionText::Completed => Condition::Completed,
            };
            Ok(Dependency { host, condition })
        };
        Ok(ServiceSpec {
            argv: self.argv,
            env: self.env,
            cwd: self.cwd,
            uid: self.uid,
            gid: self.gid,
            restart: match self.restart {
                RestartText::Never => Restart::No,
                RestartText::Always => Restart::Always,
                RestartText::OnFailure => Restart::OnFailure(self.restart_at_most),
            },
            depends_on: self.depends_on.into_iter().map(dependency).collect::<Result<_, _>>()?,
            healthcheck: self.healthcheck.map(Health::into_spec),
            stop_signal: self.stop_signal.0.0,
            stop_grace: self.stop_grace.0.0,
            init: self.init,
            stdin: self.stdin,
            check: self.check,
        })
    }
}

impl Health {
    fn from_spec(health: &Healthcheck) -> Health {
        Health {
            argv: health.argv.clone(),
            interval: W(Duration(health.interval)),
            timeout: W(Duration(health.timeout)),
            retries: health.retries,
            start_period: W(Duration(health.start_period)),
            start_interval: W(Duration(health.start_interval)),
        }
    }

    fn into_spec(self) -> Healthcheck {
        Healthcheck {
            argv: self.argv,
            interval: self.interval.0.0,
            timeout: self.timeout.0.0,
            retries: self.retries,
            start_period: self.start_period.0.0,
            start_interval: self.start_interval.0.0,
        }
    }
}
