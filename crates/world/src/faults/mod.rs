//! What a world file says is to go wrong, as a plan that a run is given ([`snowglobe_abi::fault`]).
//!
//! | Module | Content |
//! |---|---|
//! | [`parse`] | a timeline, as people write it |
//! | `verbs` | what may happen, and what is said of each |
//! | [`shape`] | shapes of partitions |
//! | `words` | single words |
//! | `possible` | entries that cannot happen |
//! | [`draw`] | what the seed draws by a profile |
//! | [`record`] | what became of a run's faults |
//! | [`show`] | a plan in the same words, which read back as the same plan |
//!
//! Everything here is a pure function of the file, the seed and the world. Choices that a timeline leaves to the seed
//! (`partition: halves`) are made here, too: the plan names hosts.

pub mod draw;
pub mod parse;
mod possible;
pub mod record;
pub mod shape;
pub mod show;
mod verbs;
mod words;

pub use parse::read;

use std::collections::BTreeSet;

use snowglobe_abi::spec::Nanos;

/// What a plan is about: the hosts and networks of a world, and its time.
#[derive(Clone, Debug)]
pub struct Scope {
    /// By index.
    pub hosts: Vec<HostNames>,
    /// By index.
    pub networks: Vec<NetworkNames>,
    /// When the world ends.
    pub until: Option<Nanos>,
    /// From which choices are drawn.
    pub seed: u64,
}

/// A host by its names.
#[derive(Clone, Debug)]
pub struct HostNames {
    /// Its own.
    pub name: String,
    /// Its service's, which all replicas share.
    pub service: String,
    /// Whether its exit status judges the run.
    pub check: bool,
}

/// A network by its name and members.
#[derive(Clone, Debug)]
pub struct NetworkNames {
    /// Its name.
    pub name: String,
    /// Indices of its hosts.
    pub members: BTreeSet<u32>,
}

impl Scope {
    /// The scope of a world whose hosts are known by their own names, and by those of their services where `service` tells them.
    pub fn of(spec: &snowglobe_abi::spec::WorldSpec, service: impl Fn(usize) -> Option<String>) -> Scope {
        let host = |(at, host): (usize, &snowglobe_abi::spec::HostSpec)| HostNames {
            name: host.name.clone(),
            service: service(at).unwrap_or_else(|| host.name.clone()),
            check: host.service.as_ref().is_some_and(|service| service.check),
        };
        let members = |network: usize| {
            let is_on = |at: &u32| spec.hosts[*at as usize].interfaces.iter().any(|i| i.network as usize == network);
            (0..spec.hosts.len() as u32).filter(is_on).collect()
        };
        let networks = spec.networks.iter().enumerate();
        Scope {
            hosts: spec.hosts.iter().enumerate().map(host).collect(),
            networks: networks.map(|(at, n)| NetworkNames { name: n.name.clone(), members: members(at) }).collect(),
            until: spec.until,
            seed: spec.seed,
        }
    }

    /// Indices of all hosts.
    pub fn all(&self) -> Vec<u32> {
        (0..self.hosts.len() as u32).collect()
    }

    /// The hosts that a name stands for.
    pub fn called(&self, name: &str) -> Vec<u32> {
        if name == "*" {
            return self.all();
        }
        let is = |host: &&HostNames| host.name == name || host.service == name;
        let found = self.hosts.iter().enumerate().filter(|(_, host)| is(host));
        found.map(|(at, _)| at as u32).collect()
    }

    /// Hosts whose exit status does not judge the run: servers, not what looks on.
    pub fn servers(&self) -> Vec<u32> {
        self.all().into_iter().filter(|host| !self.hosts[*host as usize].check).collect()
    }

    /// A host's name.
    pub fn name(&self, host: u32) -> String {
        self.hosts.get(host as usize).map_or_else(|| host.to_string(), |host| host.name.clone())
    }
}

/// The profiles of faults as tables in Markdown.
pub fn reference() -> String {
    let mut out = String::from("| Profile | What |\n|---|---|\n");
    for (name, text) in draw::PROFILES {
        out += &format!("| `{name}` | {text} |\n");
    }
    out += "\n| Kind | Profile | Time between two | How long |\n|---|---|---|---|\n";
    for kind in draw::KINDS {
        let profile =
            if kind.profile.is_empty() { "only by `rates`".to_owned() } else { format!("`{}`", kind.profile) };
        let (every, lasts) = kind.bounds();
        out += &format!("| `{}` | {profile} | {} | {} |\n", kind.name, every.show(), lasts.show());
    }
    out
}
