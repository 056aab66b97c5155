//! A plan of faults as a person reads it: a line for each.

use snowglobe_abi::fault::{CallFilter, CallVerb, ClockVerb, DiskVerb, Fault, HostVerb, Planned, Schedule, When};
use snowglobe_abi::spec::{Chance, Nanos, Strike, Verb, WorldSpec};
use snowglobe_world::units::{show_chance, show_duration, show_size};

/// All of a world's plan.
pub fn lines(world: &WorldSpec) -> Vec<String> {
    let names = Names(world);
    let mut out: Vec<String> = world.faults.timeline.iter().map(|planned| names.planned(planned)).collect();
    match world.faults.schedule {
        Schedule::Usual => {}
        Schedule::Random(chance) => {
            out.push(format!("schedule: any thread, a turn ends with chance {}", show_chance(chance)))
        }
        Schedule::Pct { changes, calls } => {
            out.push(format!("schedule: by priorities, {changes} changes within the first {calls} calls"));
        }
    }
    if let Some(quiet) = world.faults.quiet_from {
        out.push(format!("{} quiet from here on", at(quiet)));
    }
    out
}

fn at(time: Nanos) -> String {
    format!("{:>10}", show_duration(time))
}

/// Indices of a world as names.
struct Names<'a>(&'a WorldSpec);

impl Names<'_> {
    fn hosts(&self, hosts: &[u32]) -> String {
        let names = hosts.iter().map(|host| self.0.hosts.get(*host as usize).map_or("?", |host| &host.name));
        names.collect::<Vec<&str>>().join(", ")
    }

    fn network(&self, network: Option<u32>) -> String {
        let network = network.and_then(|network| self.0.networks.get(network as usize));
        network.map_or_else(String::new, |network| format!(" on {}", network.name))
    }

    fn planned(&self, planned: &Planned) -> String {
        let when = match &planned.when {
            When::At(time) => at(*time),
            When::Call { calls, nth } => format!("at call {nth} of {}:", self.filter(calls)),
        };
        let lasts = planned.lasts.map_or_else(String::new, |lasts| format!(", for {}", show_duration(lasts)));
        format!("{when} {}{lasts}", self.fault(&planned.fault))
    }

    fn fault(&self, fault: &Fault) -> String {
        match fault {
            Fault::Network(strike) => self.strike(strike),
            Fault::Link { network, from, to, .. } => {
                format!("another link from {} to {}{}", self.hosts(from), self.hosts(to), self.network(*network))
            }
            Fault::Host { hosts, verb } => {
                let hosts = self.hosts(hosts);
                match verb {
                    HostVerb::Kill { restart } => format!("kill {hosts}{}", again(*restart)),
                    HostVerb::Stop { restart } => format!("stop {hosts}{}", again(*restart)),
                    HostVerb::PowerLoss { restart } => format!("power loss of {hosts}{}", again(*restart)),
                    HostVerb::Pause => format!("pause {hosts}"),
                    HostVerb::Slow(by) => format!("slow {hosts}: {} more for each call", show_duration(*by)),
                    HostVerb::Memory(bytes) => format!("memory of {hosts}: {}", show_size(*bytes)),
                    HostVerb::Descriptors(n) => format!("descriptors of {hosts}: {n}"),
                }
            }
            Fault::Clock { hosts, verb } => format!("clock of {}: {}", self.hosts(hosts), clock(*verb)),
            Fault::Disk { hosts, path, verb } => {
                let path = path.as_ref().map_or_else(String::new, |path| format!(" below {path}"));
                format!("disk of {}{path}: {}", self.hosts(hosts), disk(*verb))
            }
            Fault::Call { calls, chance, verb } => {
                let chance =
                    if *chance == Chance::SURE { String::new() } else { format!(" (chance {})", show_chance(*chance)) };
                let what = match verb {
                    CallVerb::Errno(number) => format!("fail with error {number}"),
                    CallVerb::Delay(time) => format!("take {} longer", show_duration(*time)),
                    CallVerb::Kill => "kill their process".to_owned(),
                };
                format!("{} {what}{chance}", self.filter(calls))
            }
            Fault::Starve { hosts, threads } => match &threads[..] {
                [] => format!("starve threads of {}", self.hosts(hosts)),
                threads => format!("starve threads {threads:?} of {}", self.hosts(hosts)),
            },
        }
    }

    fn strike(&self, strike: &Strike) -> String {
        let (from, to) = (self.hosts(&strike.from), self.hosts(&strike.to));
        let on = self.network(strike.network);
        match strike.verb {
            Verb::Pause => format!("the network of {from} stands still{on}"),
            Verb::Resume => format!("the network of {from} goes on{on}"),
            Verb::Cut => format!("cut {from} -> {to}{on}"),
            Verb::Heal => format!("heal {from} -> {to}{on}"),
            Verb::Clog => format!("clog {from} -> {to}{on}"),
            Verb::Unclog => format!("unclog {from} -> {to}{on}"),
            Verb::Slow(slow) => format!("slow {from} -> {to} by {}{on}", show_duration(slow.latency)),
            Verb::Unslow => format!("no longer slow {from} -> {to}{on}"),
            Verb::Reset => format!("reset connections {from} -> {to}{on}"),
        }
    }

    fn filter(&self, filter: &CallFilter) -> String {
        let mut out = if filter.calls.is_empty() { "calls".to_owned() } else { format!("calls {:?}", filter.calls) };
        let parts = [("of", &filter.program), ("on", &filter.path), ("to", &filter.address)];
        for (word, text) in parts {
            if let Some(text) = text {
                out += &format!(" {word} {text}");
            }
        }
        if !filter.hosts.is_empty() {
            out += &format!(" at {}", self.hosts(&filter.hosts));
        }
        out
    }
}

fn again(restart: Option<Nanos>) -> String {
    restart.map_or_else(String::new, |time| format!(", up again after {}", show_duration(time)))
}

fn signed(by: i64) -> String {
    format!("{}{}", if by < 0 { "-" } else { "+" }, show_duration(by.unsigned_abs()))
}

fn clock(verb: ClockVerb) -> String {
    match verb {
        ClockVerb::Jump(by) => format!("jump by {}", signed(by)),
        ClockVerb::Drift(parts) => format!("drift by {parts} in a million"),
        ClockVerb::Leap(1) => "leap second".to_owned(),
        ClockVerb::Leap(_) => "a second left out".to_owned(),
        ClockVerb::Strobe { by, every } => format!("strobe by {} every {}", signed(by), show_duration(every)),
    }
}

fn disk(verb: DiskVerb) -> String {
    let with = |what: &str, chance: Chance| format!("{what} with chance {}", show_chance(chance));
    match verb {
        DiskVerb::ReadError(chance) => with("reads fail", chance),
        DiskVerb::WriteError(chance) => with("writes fail", chance),
        DiskVerb::SyncError(chance) => with("syncs fail", chance),
        DiskVerb::Short(chance) => with("short reads and writes", chance),
        DiskVerb::Flip(chance) => with("a bit flips", chance),
        DiskVerb::Lost(chance) => with("writes are lost", chance),
        DiskVerb::Misdirected(chance) => with("writes land elsewhere", chance),
        DiskVerb::Latency(time) => format!("{} slower", show_duration(time)),
        DiskVerb::Stall => "stalls".to_owned(),
        DiskVerb::Full => "full".to_owned(),
        DiskVerb::Quota => "quota used up".to_owned(),
        DiskVerb::ReadOnly => "read-only".to_owned(),
    }
}
