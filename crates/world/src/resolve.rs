//! From what a world file asks for to a world that can run: addresses, roots, users, environments, and whether the programs are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use snowglobe_abi::spec::{
    Condition, DEFAULT_START_S, Dependency, Healthcheck, HostSpec, InterfaceSpec, Knobs, LinkRule, MountSource,
    MountSpec, Nanos, NetworkSpec, Restart, RootSpec, ServiceSpec, WorldSpec,
};

use crate::checks::{self, Composer};
use crate::compose::{self, Compose, Health, MountFrom, Placed, Service};
use crate::faults::{self, Scope};
use crate::image::{self, Image};
use crate::interpolate::{self, Vars};
use crate::link::{Link, Rule};
use crate::problem::{Problem, Problems, Source, Span, WorldError, nearest, suggestion};
use crate::root::{self, Found, Root, User};
use crate::{resolved, units, yaml};

/// How long a packet takes when the world file does not say: two machines in one room.
pub const DEFAULT_LATENCY: Nanos = 100_000;
/// The seed when neither the command line nor the world file gives one. Never the clock.
pub const DEFAULT_SEED: u64 = 1;
/// Where programs are looked up when nothing else is said.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes of an Ethernet header, which count in a link's queue.
const ETHERNET: u64 = 14;
/// The name of the network of services that name none.
const DEFAULT_NETWORK: &str = "default";
/// Most hosts of a world.
const MAX_HOSTS: usize = 10_000;

/// What a world file is read with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The environment of the caller, for `$VAR` and for variables that services take from it.
    pub vars: Vars,
    /// Where images are unpacked.
    pub images: PathBuf,
    /// Overrides the world file's seed.
    pub seed: Option<u64>,
    /// Overrides the world file's end.
    pub until: Option<Nanos>,
}

/// A world, and remarks about its file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The world.
    pub spec: WorldSpec,
    /// What may not be meant.
    pub warnings: Vec<Problem>,
}

/// Longest world file, in bytes. Whatever is longer is something else, such as a device without an end.
const LONGEST: u64 = 256 << 20;

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a world file: a Compose file, or a resolved world.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path, options: &Options) -> Result<Loaded, WorldError> {
    let bytes = read(path).map_err(|error| {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "`snowglobe init` writes an example",
            std::io::ErrorKind::IsADirectory => "name the file in it",
            _ => "check the path and its permissions",
        };
        Problem::new(format!("cannot read {}: {error}", path.display())).help(help)
    })?;
    let name = path.display().to_string();
    if bytes.len() as u64 > LONGEST {
        return Err(Problem::new(format!("{name} is longer than {} MiB", LONGEST >> 20))
            .help("name a world file")
            .into());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        Problem::new(format!("{name} is not text: byte {} is not UTF-8", error.utf8_error().valid_up_to()))
            .help("a world file is YAML in UTF-8")
    })?;
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    parse(&name, &text, full.parent().unwrap_or(Path::new("/")), options)
}

/// Reads the text of a world file; paths in it are taken from `dir`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, dir: &Path, options: &Options) -> Result<Loaded, WorldError> {
    let source = Source::new(name, text);
    let mut problems = Problems::new(source.clone());
    let is_ours = text.lines().any(|line| line.starts_with(resolved::MARK));
    if is_ours {
        let mut spec = resolved::from_yaml(name, text)?;
        let mut names = BTreeSet::new();
        if let Some(host) = spec.hosts.iter().find(|host| !names.insert(&host.name)) {
            let problem = Problem::new(format!("there are two hosts `{}`", host.name)).at(&source, Span::default(), "");
            return Err(problem.help("rename one of them").into());
        }
        spec.seed = options.seed.unwrap_or(spec.seed);
        spec.until = options.until.or(spec.until);
        return Ok(Loaded { spec, warnings: Vec::new() });
    }
    let mut tree = yaml::parse(&source)?;
    let vars = with_dot_env(dir, &options.vars)?;
    interpolate::expand_tree(&mut tree, &vars, &mut problems);
    let compose = compose::read(&tree, &mut problems);
    let mut resolver = Resolver { dir, options, vars: &vars, compose: &compose, problems, images: BTreeMap::new() };
    let spec = resolver.world();
    resolver.problems.check()?;
    Ok(Loaded { spec, warnings: resolver.problems.warnings })
}

/// The caller's variables over those of `.env` beside the world file.
fn with_dot_env(dir: &Path, vars: &Vars) -> Result<Vars, WorldError> {
    let path = dir.join(".env");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(vars.clone()) };
    let read =
        interpolate::env_file(&text, vars).map_err(|(line, what)| env_file_problem(&path, &text, line, &what))?;
    let mut out: Vars = read.into_iter().collect();
    out.extend(vars.clone());
    Ok(out)
}

fn env_file_problem(path: &Path, text: &str, line: usize, what: &str) -> Problem {
    let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let len = text[start..].lines().next().unwrap_or_default().len();
    let source = Source::new(&path.display().to_string(), text);
    Problem::new(format!("{} is not understood: {what}", path.display()))
        .at(&source, Span { start, len }, "here")
        .help("write `NAME=value` lines")
}

/// The environment of a program on the machine's file system: the same on every machine.
pub fn base_env(user: &User) -> Vec<(String, String)> {
    [("PATH", DEFAULT_PATH), ("HOME", &user.home), ("USER", &user.name), ("LANG", "C.UTF-8"), ("TERM", "dumb")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// Sets a variable; one that is set keeps its place.
pub fn set_env(env: &mut Vec<(String, String)>, name: &str, value: &str) {
    match env.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => value.clone_into(old),
        None => env.push((name.to_owned(), value.to_owned())),
    }
}

/// A host on its way to be one.
struct Host<'a> {
    service: &'a Service,
    name: String,
    hostname: String,
}

/// Where our own programs are in a host.
const TOOLS: &str = "/usr/local/bin";
const WORKLOAD: &str = "snowglobe-workload";
const COMPOSER: &str = "snowglobe-composer";

/// Test commands: drivers run until faults have stopped, and what comes last does not begin before.
fn calm(service: &mut ServiceSpec, quiet: Nanos) {
    let is_composer = service.argv.first().is_some_and(|program| *program == format!("{TOOLS}/{COMPOSER}"));
    if is_composer && let Some(drivers) = service.argv.get_mut(2) {
        *drivers = format!("{}ms", quiet / 1_000_000);
        service.argv.splice(3..3, ["--calm".to_owned(), format!("{}ms", quiet / 1_000_000)]);
    }
}

struct Resolver<'a> {
    dir: &'a Path,
    options: &'a Options,
    vars: &'a Vars,
    compose: &'a Compose,
    problems: Problems,
    images: BTreeMap<String, Option<Image>>,
}

impl<'a> Resolver<'a> {
    fn world(&mut self) -> WorldSpec {
        let asked = &self.compose.world;
        let asked_off = asked.checks_off.clone();
        let knobs = Knobs::default();
        let mut spec = WorldSpec {
            seed: self.options.seed.or(asked.seed).unwrap_or(DEFAULT_SEED),
            start_realtime: asked.start.unwrap_or(DEFAULT_START_S * 1_000_000_000),
            until: self.options.until.or(asked.until),
            hosts: Vec::new(),
            networks: self.networks(),
            knobs: Knobs {
                call_cost: asked.call_cost.unwrap_or(knobs.call_cost),
                quantum: asked.quantum.unwrap_or(knobs.quantum),
                cpus: asked.cpus.unwrap_or(knobs.cpus),
                memory: asked.memory.unwrap_or(knobs.memory),
                disk: asked.disk.unwrap_or(knobs.disk),
                disk_profile: asked.disk_profile.unwrap_or(knobs.disk_profile),
                trace_calls: asked.trace_calls.unwrap_or(knobs.trace_calls),
                max_tasks: asked.max_tasks.unwrap_or(knobs.max_tasks),
                capture: knobs.capture,
                one_program: false,
            },
            yield_points: Vec::new(),
            faults: Default::default(),
            checks: Default::default(),
        };
        let hosts = self.hosts();
        let judged = hosts.iter().enumerate().map(|(at, host)| (at as u32, &host.service.asked));
        spec.checks = checks::resolve(judged, &asked_off, &mut self.problems);
        self.dependencies();
        self.standard_input();
        // What follows is costly or would only repeat what is already known to be wrong.
        if !self.problems.errors.is_empty() {
            return spec;
        }
        let mut interfaces = self.interfaces(&hosts, &spec.networks);
        for network in &self.compose.networks {
            let Some(index) = spec.networks.iter().position(|n| n.name == network.name.value) else { continue };
            let is_on = |host: usize| interfaces[host].iter().any(|i| i.network as usize == index);
            let members: Vec<(u32, &Host<'_>)> =
                hosts.iter().enumerate().filter(|(at, _)| is_on(*at)).map(|(at, host)| (at as u32, host)).collect();
            for rule in &network.rules {
                self.queue_holds_a_packet(&rule.link, &spec.networks[index]);
                let rule = self.rule(rule, &network.name.value, &hosts, &members);
                spec.networks[index].rules.extend(rule);
            }
        }
        let mut resolved: BTreeMap<&str, (RootSpec, Vec<MountSpec>, Option<ServiceSpec>)> = BTreeMap::new();
        for service in &self.compose.services {
            let parts = self.service(service);
            resolved.insert(&service.name.value, parts);
        }
        let first_host: BTreeMap<&str, Vec<u32>> =
            hosts.iter().enumerate().fold(BTreeMap::new(), |mut map, (i, host)| {
                map.entry(host.service.name.value.as_str()).or_insert_with(Vec::new).push(i as u32);
                map
            });
        for (index, host) in hosts.iter().enumerate() {
            let Some((root, mounts, service)) = resolved.get(host.service.name.value.as_str()).cloned() else {
                continue;
            };
            let service = service.map(|mut service| {
                if !service.env.iter().any(|variable| variable.starts_with("HOSTNAME=")) {
                    service.env.push(format!("HOSTNAME={}", host.hostname));
                }
                service.depends_on = depends_on(host.service, &first_host);
                service
            });
            spec.hosts.push(HostSpec {
                name: host.name.clone(),
                hostname: host.hostname.clone(),
                root,
                mounts: own_volumes(mounts, &host.name),
                interfaces: std::mem::take(&mut interfaces[index]),
                memory: host.service.memory.or(asked.memory),
                service,
            });
        }
        if let Some(node) = &asked.faults {
            let service = |at: usize| Some(hosts[at].service.name.value.clone());
            spec.faults = faults::read(node, "`faults`", &Scope::of(&spec, service), &mut self.problems);
        }
        if let Some(quiet) = spec.faults.quiet_from {
            spec.hosts.iter_mut().filter_map(|host| host.service.as_mut()).for_each(|service| calm(service, quiet));
        }
        spec
    }

    /// The networks, with subnets given out in the order of the file where none are asked for.
    fn networks(&mut self) -> Vec<NetworkSpec> {
        let wants_default = self.compose.services.iter().any(|service| match &service.networks {
            None => true,
            Some(list) => list.iter().any(|attachment| attachment.network.value == DEFAULT_NETWORK),
        });
        let has_default = self.compose.networks.iter().any(|network| network.name.value == DEFAULT_NETWORK);
        let latency = self.compose.world.latency.unwrap_or(DEFAULT_LATENCY);
        let asked: Vec<([u8; 4], u8)> =
            self.compose.networks.iter().filter_map(|n| n.subnet.as_ref()).map(|s| s.value).collect();
        let mut free = (1..=255u8)
            .map(|n| ([10, 0, n, 0], 24))
            .filter(move |subnet| !asked.iter().any(|other| overlap(*subnet, *other)));
        let mut next = || free.next();
        let mut out = Vec::new();
        if wants_default && !has_default {
            let subnet = next().unwrap_or(([10, 0, 1, 0], 24));
            out.push(NetworkSpec::plain(DEFAULT_NETWORK, subnet, nth(subnet, 1), latency));
        }
        for (i, network) in self.compose.networks.iter().enumerate() {
            let Some(subnet) = network.subnet.as_ref().map(|s| s.value).or_else(&mut next) else {
                let message = format!("there is no subnet left for network `{}`", network.name.value);
                self.problems.error(
                    network.name.span,
                    message,
                    "here",
                    "give it one: `ipam: {config: [{subnet: 10.1.0.0/24}]}`",
                );
                continue;
            };
            if let Some(here) = &network.subnet
                && let Some((other, there)) = self.compose.networks[..i]
                    .iter()
                    .find_map(|other| other.subnet.as_ref().filter(|s| overlap(s.value, subnet)).map(|s| (other, s)))
            {
                let message = format!("networks `{}` and `{}` overlap", other.name.value, network.name.value);
                self.problems.clash(
                    (here.span, "overlaps"),
                    (there.span, "with this"),
                    message,
                    "give each its own subnet",
                );
            }
            let resolver = match &network.gateway {
                Some(gateway) if !is_host_address(subnet, gateway.value) => {
                    let message =
                        format!("{} is no host's address in {}", Ipv4Addr::from(gateway.value), show_subnet(subnet));
                    self.problems.error(
                        gateway.span,
                        message,
                        "here",
                        format!("write one such as {}", Ipv4Addr::from(nth(subnet, 1))),
                    );
                    gateway.value
                }
                Some(gateway) => gateway.value,
                None => nth(subnet, 1),
            };
            let mut spec = NetworkSpec::plain(&network.name.value, subnet, resolver, latency);
            spec.mtu = network.mtu.unwrap_or(spec.mtu);
            spec.ipv6 = network.ipv6;
            network.link.change.apply(&mut spec.link);
            self.queue_holds_a_packet(&network.link, &spec);
            out.push(spec);
        }
        out
    }

    /// A queue that holds not one packet would drop them all.
    fn queue_holds_a_packet(&mut self, link: &Link, network: &NetworkSpec) {
        let frame = u64::from(network.mtu) + ETHERNET;
        if let (Some(span), Some(queue)) = (link.queue, link.change.queue)
            && queue < frame
        {
            let message = format!("a queue of {queue} bytes holds not one packet of network `{}`", network.name);
            let help = format!(
                "write at least `{frame}`: the MTU is {}, and each packet has {ETHERNET} bytes of Ethernet header",
                network.mtu
            );
            self.problems.error(span, message, "here", help);
        }
    }

    /// An entry of `links` with its hosts by number.
    fn rule(
        &mut self,
        rule: &Rule,
        network: &str,
        hosts: &[Host<'_>],
        members: &[(u32, &Host<'_>)],
    ) -> Option<LinkRule> {
        let mut side = |names: &Option<Vec<Placed<String>>>| -> Option<Vec<u32>> {
            let Some(names) = names else { return Some(members.iter().map(|(at, _)| *at).collect()) };
            let mut found = BTreeSet::new();
            for name in names {
                found.extend(self.members_called(name, network, hosts, members)?);
            }
            Some(found.into_iter().collect())
        };
        let (from, to) = (side(&rule.from)?, side(&rule.to)?);
        if !from.iter().any(|a| to.iter().any(|b| a != b)) {
            let message = format!("a link of network `{network}` goes from one host to another");
            self.problems.error(rule.span, message, "here is only one", "name two hosts that are on it");
            return None;
        }
        Some(LinkRule { from, to, change: rule.link.change.clone() })
    }

    /// The hosts of a network that a name of a rule stands for.
    fn members_called(
        &mut self,
        name: &Placed<String>,
        network: &str,
        hosts: &[Host<'_>],
        members: &[(u32, &Host<'_>)],
    ) -> Option<Vec<u32>> {
        let is =
            |host: &Host<'_>| name.value == "*" || host.name == name.value || host.service.name.value == name.value;
        let found: Vec<u32> = members.iter().filter(|(_, host)| is(host)).map(|(at, _)| *at).collect();
        if !found.is_empty() {
            return Some(found);
        }
        if hosts.iter().any(is) {
            let message = format!("`{}` is not on network `{network}`", name.value);
            let help = format!("add `{network}` to the `networks` of the service, or remove it here");
            self.problems.error(name.span, message, "here", help);
        } else {
            let known = members.iter().map(|(_, host)| host.name.as_str());
            let help = suggestion(&name.value, known);
            self.problems.error(name.span, format!("there is no host `{}`", name.value), "unknown", help);
        }
        None
    }

    /// One host for each service and replica.
    fn hosts(&mut self) -> Vec<Host<'a>> {
        let mut out: Vec<Host<'a>> = Vec::new();
        for service in &self.compose.services {
            let many = service.replicas > 1;
            if many {
                self.no_replicas(service);
            }
            if out.len() + service.replicas as usize > MAX_HOSTS {
                let help = format!("a world has at most {MAX_HOSTS} hosts");
                self.problems.error(service.name.span, "the world has too many hosts", "here", help);
                return out;
            }
            for number in 1..=service.replicas {
                let numbered = |name: &str| if many { format!("{name}-{number}") } else { name.to_owned() };
                let name = numbered(&service.name.value);
                let hostname = service.hostname.as_ref().map_or_else(|| name.clone(), |h| numbered(&h.value));
                out.push(Host { service, name, hostname });
            }
        }
        self.unique_names(&out);
        out
    }

    fn unique_names(&mut self, hosts: &[Host<'_>]) {
        let mut names: BTreeMap<&str, &Host<'_>> = BTreeMap::new();
        for host in hosts {
            let at = |host: &Host<'_>| match &host.service.hostname {
                Some(hostname) => hostname.span,
                None => host.service.name.span,
            };
            let mut all = vec![host.name.as_str(), host.hostname.as_str()];
            all.dedup();
            for name in all {
                if let Some(other) = names.insert(name, host)
                    && !std::ptr::eq(other, host)
                {
                    let message = format!(
                        "there are two hosts `{name}`: a host is known by its service's name and its `hostname`"
                    );
                    self.problems.clash(
                        (at(host), "this host"),
                        (at(other), "and this one"),
                        message,
                        "rename one of them",
                    );
                }
            }
        }
    }

    /// What cannot be said of several hosts at once.
    fn no_replicas(&mut self, service: &Service) {
        let name = &service.name.value;
        let mut refuse = |span: Span, what: &str| {
            let message =
                format!("service `{name}` has {} replicas, and they cannot share one {what}", service.replicas);
            self.problems.error(span, message, "here", "remove it, or write the service several times");
        };
        if let Some(container) = &service.container_name {
            refuse(container.span, "`container_name`");
        }
        for attachment in service.networks.iter().flatten() {
            if let Some(address) = &attachment.address {
                refuse(address.span, "address");
            }
        }
        if let Some(stdin) = service.stdin.as_ref().filter(|stdin| stdin.value) {
            refuse(stdin.span, "standard input");
        }
    }

    fn standard_input(&mut self) {
        let mut first: Option<Span> = None;
        for stdin in
            self.compose.services.iter().filter_map(|service| service.stdin.as_ref()).filter(|stdin| stdin.value)
        {
            if let Some(first) = first {
                let message = "two services want the run's standard input";
                self.problems.clash(
                    (stdin.span, "and this one"),
                    (first, "this one"),
                    message,
                    "leave it to one of them",
                );
            }
            first = first.or(Some(stdin.span));
        }
    }

    /// Addresses: those asked for, then the lowest free ones in the order of the file.
    fn interfaces(&mut self, hosts: &[Host<'_>], networks: &[NetworkSpec]) -> Vec<Vec<InterfaceSpec>> {
        let mut taken: Vec<BTreeMap<[u8; 4], Option<Span>>> =
            networks.iter().map(|network| BTreeMap::from([(network.resolver, None)])).collect();
        for host in hosts {
            for attachment in host.service.networks.iter().flatten() {
                let Some(index) = networks.iter().position(|n| n.name == attachment.network.value) else {
                    self.unknown_network(attachment, networks);
                    continue;
                };
                if let Some(address) = &attachment.address {
                    self.take_address(address, &networks[index], &mut taken[index]);
                }
            }
        }
        let mut out = Vec::with_capacity(hosts.len());
        for host in hosts {
            let default = [compose::Attachment {
                network: Placed { value: DEFAULT_NETWORK.to_owned(), span: host.service.name.span },
                address: None,
                aliases: Vec::new(),
            }];
            let attachments = host.service.networks.as_deref().unwrap_or(&default);
            let mut interfaces = Vec::new();
            for attachment in attachments {
                let Some(index) = networks.iter().position(|n| n.name == attachment.network.value) else { continue };
                let address = match &attachment.address {
                    Some(address) => Some(address.value),
                    None => free_address(networks[index].subnet, &mut taken[index]),
                };
                let Some(address) = address else {
                    let network = &networks[index];
                    let message =
                        format!("network `{}` ({}) has no address left", network.name, show_subnet(network.subnet));
                    self.problems.error(
                        host.service.name.span,
                        message,
                        "for this host",
                        "give it a larger subnet: `ipam: {config: [{subnet: 10.1.0.0/16}]}`",
                    );
                    break;
                };
                interfaces.push(InterfaceSpec { network: index as u32, address, aliases: aliases(host, attachment) });
            }
            out.push(interfaces);
        }
        out
    }

    fn unknown_network(&mut self, attachment: &compose::Attachment, networks: &[NetworkSpec]) {
        let name = &attachment.network.value;
        let help = match nearest(name, networks.iter().map(|n| n.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `{name}:` under `networks:` at the top"),
        };
        self.problems.error(attachment.network.span, format!("there is no network `{name}`"), "not declared", help);
    }

    fn take_address(
        &mut self,
        address: &Placed<[u8; 4]>,
        network: &NetworkSpec,
        taken: &mut BTreeMap<[u8; 4], Option<Span>>,
    ) {
        let shown = Ipv4Addr::from(address.value);
        let subnet = show_subnet(network.subnet);
        if !is_host_address(network.subnet, address.value) {
            let (low, high) = (Ipv4Addr::from(nth(network.subnet, 2)), Ipv4Addr::from(last_host(network.subnet)));
            let message = format!("{shown} is no host's address in network `{}` ({subnet})", network.name);
            self.problems.error(address.span, message, "here", format!("choose one from {low} to {high}"));
            return;
        }
        match taken.insert(address.value, Some(address.span)) {
            None => {}
            Some(None) => {
                let message = format!("{shown} is the address of the world's resolver in network `{}`", network.name);
                self.problems.error(
                    address.span,
                    message,
                    "here",
                    "choose another one, or move the resolver with `ipam: {config: [{gateway: ..}]}`",
                );
            }
            Some(Some(first)) => {
                let message = format!("the address {shown} is given twice");
                self.problems.clash(
                    (address.span, "again here"),
                    (first, "first here"),
                    message,
                    "give each host its own",
                );
            }
        }
    }

    /// Unknown, impossible and circular dependencies.
    fn dependencies(&mut self) {
        let services = &self.compose.services;
        let mut edges: BTreeMap<&str, Vec<(&str, Span)>> = BTreeMap::new();
        for service in services {
            let name = service.name.value.as_str();
            for (on, condition) in &service.depends_on {
                let Some(target) = services.iter().find(|other| other.name.value == on.value) else {
                    let help =
                        suggestion(&on.value, services.iter().map(|s| s.name.value.as_str()).filter(|n| *n != name));
                    let message = format!("service `{name}` depends on `{}`, which does not exist", on.value);
                    self.problems.error(on.span, message, "unknown service", help);
                    continue;
                };
                edges.entry(name).or_default().push((&target.name.value, on.span));
                let (what, help) = match condition {
                    Condition::Healthy if target.image.is_none() && !matches!(&target.healthcheck, Some(Some(_))) => (
                        "to be healthy, and it has no health check",
                        "add a `healthcheck`, or depend on `service_started`",
                    ),
                    Condition::Completed if target.restart == Restart::Always => (
                        "to complete, and it is always restarted",
                        "remove its `restart`, or depend on `service_started`",
                    ),
                    _ => continue,
                };
                self.problems.error(on.span, format!("service `{name}` waits for `{}` {what}", on.value), "here", help);
            }
        }
        if let Some((path, span)) = cycle(&edges) {
            let message = format!("the dependencies go in a circle: {}", path.join(" -> "));
            self.problems.error(span, message, "closes the circle", "remove one of them");
        }
    }

    fn image(&mut self, service: &Service) -> Option<Image> {
        let asked = service.image.as_ref()?;
        if let Some(known) = self.images.get(&asked.value) {
            return known.clone();
        }
        let image = match image::open(&asked.value, self.dir, &self.options.images) {
            Ok(image) => Some(image),
            Err((message, help)) => {
                self.problems.error(asked.span, message, "this image", help);
                None
            }
        };
        self.images.insert(asked.value.clone(), image.clone());
        image
    }

    /// Root, mounts and program of a service: the same for all its replicas but for names.
    fn service(&mut self, service: &Service) -> (RootSpec, Vec<MountSpec>, Option<ServiceSpec>) {
        let image = self.image(service);
        let root = match &image {
            Some(image) => RootSpec::Tree(image.tree.display().to_string()),
            None => RootSpec::Machine,
        };
        let mut mounts = self.mounts(service);
        self.own_tools(service, &root, &mut mounts);
        if service.image.is_some() && image.is_none() {
            return (root, mounts, None);
        }
        let program = self.program(service, Root { origin: &root, mounts: &mounts }, image.as_ref());
        (root, mounts, program)
    }

    /// Programs of ours that a service names are there, whatever its root: they stand beside the one that runs.
    fn own_tools(&self, service: &Service, origin: &RootSpec, mounts: &mut Vec<MountSpec>) {
        let named = |tool: &str| {
            let words = service.command.iter().chain(&service.entrypoint).flat_map(|words| &words.value);
            words.into_iter().any(|word| word.contains(tool))
        };
        for (tool, wanted) in [(WORKLOAD, named(WORKLOAD)), (COMPOSER, service.asked.test_composer != Composer::No)] {
            let target = format!("{TOOLS}/{tool}");
            let known = Root { origin, mounts }.find(&target) != Found::Missing;
            let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(tool)));
            if let Some(path) = beside.filter(|path| wanted && !known && path.is_file()) {
                let source = MountSource::Bind(path.display().to_string());
                mounts.push(MountSpec { target, source, read_only: true });
            }
        }
    }

    fn mounts(&mut self, service: &Service) -> Vec<MountSpec> {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        let mut out = Vec::new();
        for mount in &service.mounts {
            if let Some(first) = seen.insert(&mount.target.value, mount.target.span) {
                let message = format!("service `{}` mounts on `{}` twice", service.name.value, mount.target.value);
                self.problems.clash(
                    (mount.target.span, "again here"),
                    (first, "first here"),
                    message,
                    "remove one of them",
                );
                continue;
            }
            let source = match &mount.source {
                MountFrom::Tmpfs => MountSource::Tmpfs,
                MountFrom::Anonymous => MountSource::Volume(String::new()),
                MountFrom::Volume(name) => {
                    if !self.compose.volumes.contains(&name.value) {
                        let help = match nearest(&name.value, self.compose.volumes.iter().map(String::as_str)) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!(
                                "add `{0}:` under `volumes:` at the top, or write `./{0}` for a directory",
                                name.value
                            ),
                        };
                        self.problems.error(
                            name.span,
                            format!("there is no volume `{}`", name.value),
                            "not declared",
                            help,
                        );
                    }
                    MountSource::Volume(name.value.clone())
                }
                MountFrom::Bind(path) => match self.bind(path) {
                    Some(path) => MountSource::Bind(path),
                    None => continue,
                },
            };
            out.push(MountSpec { target: mount.target.value.clone(), source, read_only: mount.read_only });
        }
        // What lies in another mount comes after it.
        out.sort_by_key(|mount| mount.target.matches('/').count());
        out
    }

    fn bind(&mut self, path: &Placed<String>) -> Option<String> {
        let full = match path.value.strip_prefix('~') {
            Some(rest) => format!("{}/{rest}", self.vars.get("HOME").map_or("", String::as_str)),
            None if path.value.starts_with('/') => path.value.clone(),
            None => format!("{}/{}", self.dir.display(), path.value),
        };
        let full = compose::clean_path(&full);
        match fs::metadata(&full) {
            Ok(_) => Some(full),
            Err(error) => {
                let help = "make it, or correct the path: it is taken from the world file's directory";
                self.problems.error(path.span, format!("{full} cannot be mounted: {error}"), "here", help);
                None
            }
        }
    }

    fn program(&mut self, service: &Service, root: Root<'_>, image: Option<&Image>) -> Option<ServiceSpec> {
        let config = image.map(|image| image.config.clone()).unwrap_or_default();
        let user = self.user(service, root, &config);
        let mut argv = match &service.entrypoint {
            Some(entrypoint) => entrypoint.value.clone(),
            None => config.entrypoint.clone().unwrap_or_default(),
        };
        match &service.command {
            Some(command) => argv.extend(command.value.clone()),
            // As in Compose: an entrypoint of one's own leaves the image's command behind.
            None if service.entrypoint.is_none() => argv.extend(config.cmd.clone().unwrap_or_default()),
            None => {}
        }
        if service.asked.test_composer != Composer::No {
            argv = self.composed(service, argv);
        }
        let place = service.command.as_ref().or(service.entrypoint.as_ref()).map(|p| p.span);
        let place = place.or(service.image.as_ref().map(|p| p.span)).unwrap_or(service.name.span);
        if argv.is_empty() {
            if service.check || service.healthcheck.is_some() {
                let message = format!("service `{}` has no command", service.name.value);
                self.problems.error(service.name.span, message, "here", "add `command: PROGRAM ARGS`");
            }
            return None;
        }
        let env = self.environment(service, &user, image.map(|_| config.env.clone().unwrap_or_default()));
        let path = env.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
        let cwd = match &service.working_dir {
            Some(dir) => dir.value.clone(),
            None if config.working_dir.is_empty() => "/".to_owned(),
            None => compose::clean_path(&config.working_dir),
        };
        if let Err(unfit) = root::check_program(root, &argv[0], path, &cwd) {
            let message = format!("service `{}` cannot start: {}", service.name.value, unfit.what);
            self.problems.error(place, message, "this program", unfit.help);
        }
        // An image's missing directory is made, as Compose does; the machine's would be a slip of the pen.
        if image.is_none() && root.find(&cwd) == Found::Missing {
            let span = service.working_dir.as_ref().map_or(place, |p| p.span);
            let message = format!("service `{}` starts in {cwd}, which does not exist", service.name.value);
            self.problems.error(span, message, "here", format!("mount something there: `tmpfs: {cwd}`"));
        }
        let healthcheck = self.healthcheck(service, &config);
        if let Some(health) = &healthcheck
            && let Err(unfit) = root::check_program(root, &health.argv[0], path, &cwd)
        {
            let message = format!("the health check of service `{}` cannot run: {}", service.name.value, unfit.what);
            self.problems.error(service.name.span, message, "of this service", unfit.help);
        }
        if service.check && service.restart == Restart::Always {
            let message = format!(
                "service `{}` judges the run by its exit status, and it is always restarted",
                service.name.value
            );
            self.problems.error(service.name.span, message, "here", "remove `restart` or `check`");
        }
        Some(ServiceSpec {
            argv,
            cwd,
            uid: user.uid,
            gid: user.gid,
            restart: service.restart,
            depends_on: Vec::new(),
            healthcheck,
            stop_signal: service.stop_signal.or_else(|| units::signal(&config.stop_signal).ok()).unwrap_or(15),
            stop_grace: service.stop_grace.unwrap_or(10_000_000_000),
            init: service.init,
            stdin: service.stdin.as_ref().is_some_and(|stdin| stdin.value),
            check: service.check || service.asked.test_composer != Composer::No,
            env: env.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        })
    }

    /// The command of a service with test commands, which has its own beside them.
    fn composed(&self, service: &Service, own: Vec<String>) -> Vec<String> {
        // Two thirds of the time for drivers; the rest is for what follows them.
        let drivers = self.options.until.or(self.compose.world.until).map_or(30_000_000_000, |until| until / 3 * 2);
        let mut argv =
            vec![format!("{TOOLS}/{COMPOSER}"), "--drivers".to_owned(), format!("{}ms", drivers / 1_000_000)];
        if service.asked.test_composer == Composer::AfterSetup {
            argv.push("--after-setup".to_owned());
        }
        if !own.is_empty() {
            argv.push("--".to_owned());
            argv.extend(own);
        }
        argv
    }

    fn user(&mut self, service: &Service, root: Root<'_>, config: &image::Config) -> User {
        let asked = match &service.user {
            Some(user) => user.value.as_str(),
            None if config.user.is_empty() => "0",
            None => config.user.as_str(),
        };
        root.user(asked).unwrap_or_else(|(message, help)| {
            let span = service.user.as_ref().or(service.image.as_ref()).map_or(service.name.span, |p| p.span);
            self.problems.error(span, message, "this user", help);
            User { uid: 0, gid: 0, name: "root".to_owned(), home: "/root".to_owned() }
        })
    }

    fn environment(&mut self, service: &Service, user: &User, image: Option<Vec<String>>) -> Vec<(String, String)> {
        let mut env = match image {
            None => base_env(user),
            Some(list) => {
                let mut env =
                    vec![("PATH".to_owned(), DEFAULT_PATH.to_owned()), ("HOME".to_owned(), user.home.clone())];
                for variable in list {
                    let (name, value) = variable.split_once('=').unwrap_or((&variable, ""));
                    set_env(&mut env, name, value);
                }
                env
            }
        };
        for (path, required) in &service.env_files {
            let full = self.dir.join(&path.value);
            match fs::read_to_string(&full) {
                Ok(text) => match interpolate::env_file(&text, self.vars) {
                    Ok(list) => list.iter().for_each(|(name, value)| set_env(&mut env, name, value)),
                    Err((line, what)) => self.problems.errors.push(env_file_problem(&full, &text, line, &what)),
                },
                Err(error) if *required => {
                    let help = "correct the path: it is taken from the world file's directory";
                    self.problems.error(path.span, format!("{} cannot be read: {error}", full.display()), "here", help);
                }
                Err(_) => {}
            }
        }
        for (name, value) in &service.environment {
            match value.as_ref().or_else(|| self.vars.get(&name.value)) {
                Some(value) => set_env(&mut env, &name.value, value),
                None => env.retain(|(known, _)| *known != name.value),
            }
        }
        for (name, value) in checks::variables(&service.asked) {
            if !env.iter().any(|(known, _)| known == name) {
                set_env(&mut env, name, &value);
            }
        }
        env
    }

    fn healthcheck(&mut self, service: &Service, config: &image::Config) -> Option<Healthcheck> {
        let asked = match &service.healthcheck {
            Some(None) => return None,
            Some(Some(health)) => health.clone(),
            None => Health::default(),
        };
        let of_image = config.healthcheck.clone().unwrap_or_default();
        let image_argv = match of_image.test.split_first() {
            Some((first, rest)) if first == "CMD" && !rest.is_empty() => Some(rest.to_vec()),
            Some((first, [line])) if first == "CMD-SHELL" => Some(compose::shell(line)),
            _ => None,
        };
        let Some(argv) = asked.argv.or(image_argv) else {
            if let Some(Some(_)) = service.healthcheck {
                let message = format!("the health check of service `{}` has no `test`", service.name.value);
                self.problems.error(service.name.span, message, "of this service", "add `test: COMMAND`");
            }
            return None;
        };
        let given = |asked: Option<Nanos>, image: Nanos, default: Nanos| {
            asked.or((image != 0).then_some(image)).unwrap_or(default)
        };
        let interval = given(asked.interval, of_image.interval, 30_000_000_000);
        Some(Healthcheck {
            argv,
            interval,
            timeout: given(asked.timeout, of_image.timeout, 30_000_000_000),
            retries: asked.retries.or((of_image.retries != 0).then_some(of_image.retries)).unwrap_or(3),
            start_period: given(asked.start_period, of_image.start_period, 0),
            start_interval: given(asked.start_interval, of_image.start_interval, interval.min(5_000_000_000)),
        })
    }
}

/// The names by which others find a host on a network, besides its own two.
fn aliases(host: &Host<'_>, attachment: &compose::Attachment) -> Vec<String> {
    let service = host.service;
    let names = attachment.aliases.iter().chain(&service.container_name).map(|name| &name.value);
    // All replicas answer to the service's name.
    let mut seen = BTreeSet::from([host.name.as_str(), host.hostname.as_str()]);
    names.chain([&service.name.value]).filter(|name| seen.insert(name.as_str())).cloned().collect()
}

/// A volume without a name belongs to one host alone.
fn own_volumes(mut mounts: Vec<MountSpec>, host: &str) -> Vec<MountSpec> {
    for mount in &mut mounts {
        if mount.source == MountSource::Volume(String::new()) {
            mount.source = MountSource::Volume(format!("{host}:{}", mount.target));
        }
    }
    mounts
}

fn depends_on(service: &Service, hosts: &BTreeMap<&str, Vec<u32>>) -> Vec<Dependency> {
    let mut out = Vec::new();
    for (on, condition) in &service.depends_on {
        for host in hosts.get(on.value.as_str()).into_iter().flatten() {
            out.push(Dependency { host: *host, condition: *condition });
        }
    }
    out
}

/// A circle among dependencies: its names, and the place of the edge that closes it.
fn cycle(edges: &BTreeMap<&str, Vec<(&str, Span)>>) -> Option<(Vec<String>, Span)> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in edges.keys() {
        // A path of names, each with the number of its edges that were followed: no recursion, for a file may have ten thousand services.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, followed)) = path.last_mut() {
            let next = edges.get(name).and_then(|list| list.get(*followed)).copied();
            *followed += 1;
            let Some((to, span)) = next else {
                done.insert(name);
                path.pop();
                continue;
            };
            if let Some(at) = path.iter().position(|(name, _)| *name == to) {
                let names = path[at..].iter().map(|(name, _)| (*name).to_owned()).chain([to.to_owned()]);
                return Some((names.collect(), span));
            }
            if !done.contains(to) {
                path.push((to, 0));
            }
        }
    }
    None
}

fn bits(address: [u8; 4]) -> u32 {
    u32::from_be_bytes(address)
}

fn host_mask(prefix: u8) -> u32 {
    u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0)
}

fn overlap(a: ([u8; 4], u8), b: ([u8; 4], u8)) -> bool {
    let mask = host_mask(a.1) | host_mask(b.1);
    bits(a.0) | mask == bits(b.0) | mask
}

fn nth(subnet: ([u8; 4], u8), n: u32) -> [u8; 4] {
    (bits(subnet.0) + n).to_be_bytes()
}

fn last_host(subnet: ([u8; 4], u8)) -> [u8; 4] {
    nth(subnet, host_mask(subnet.1) - 1)
}

/// Whether an address lies in a subnet, and is neither its first nor its last.
fn is_host_address(subnet: ([u8; 4], u8), address: [u8; 4]) -> bool {
    (bits(subnet.0) + 1..=bits(last_host(subnet))).contains(&bits(address))
}

fn show_subnet(subnet: ([u8; 4], u8)) -> String {
    format!("{}/{}", Ipv4Addr::from(subnet.0), subnet.1)
}

fn free_address(subnet: ([u8; 4], u8), taken: &mut BTreeMap<[u8; 4], Option<Span>>) -> Option<[u8; 4]> {
    let free = (bits(subnet.0) + 2..=bits(last_host(subnet)))
        .map(u32::to_be_bytes)
        .find(|address| !taken.contains_key(address))?;
    taken.insert(free, None);
    Some(free)
}
