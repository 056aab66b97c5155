//! What can be left out of a world: for each dimension the worlds that have less of it. No run is made here.

use snowglobe_abi::fault::{CallFilter, Fault, HostVerb, Planned, Schedule, When};
use snowglobe_abi::spec::{Chance, Latency, LinkSpec, Nanos, WorldSpec};

/// The world without a host; what is only about it goes too. `None` when it is the last one.
pub fn without_host(world: &WorldSpec, host: u32) -> Option<WorldSpec> {
    if world.hosts.len() <= 1 {
        return None;
    }
    let mut out = world.clone();
    out.hosts.remove(host as usize);
    for other in &mut out.hosts {
        if let Some(service) = &mut other.service {
            service.depends_on.retain(|dependency| dependency.host != host);
            for dependency in &mut service.depends_on {
                dependency.host -= u32::from(dependency.host > host);
            }
        }
    }
    for network in &mut out.networks {
        network.rules.retain_mut(|rule| leave_out(&mut rule.from, host) && leave_out(&mut rule.to, host));
    }
    out.faults.timeline.retain_mut(|planned| without_in_fault(planned, host));
    out.checks.histories.retain_mut(|check| leave_out(&mut check.hosts, host));
    out.checks.outputs.retain_mut(|check| leave_out(&mut check.hosts, host));
    out.checks.expect.retain(|expect| expect.host != host);
    for expect in &mut out.checks.expect {
        expect.host -= u32::from(expect.host > host);
    }
    Some(out)
}

/// Takes a host out of a list, and moves those behind it up. Whether somebody is left.
fn leave_out(hosts: &mut Vec<u32>, host: u32) -> bool {
    hosts.retain(|other| *other != host);
    for other in hosts.iter_mut() {
        *other -= u32::from(*other > host);
    }
    !hosts.is_empty()
}

/// The same in a filter, where an empty list means all.
fn leave_out_of_filter(filter: &mut CallFilter, host: u32) -> bool {
    filter.hosts.is_empty() || leave_out(&mut filter.hosts, host)
}

/// The same in a fault of the plan. Whether it is still about somebody.
fn without_in_fault(planned: &mut Planned, host: u32) -> bool {
    if let When::Call { calls, .. } = &mut planned.when
        && !leave_out_of_filter(calls, host)
    {
        return false;
    }
    match &mut planned.fault {
        Fault::Call { calls, .. } => leave_out_of_filter(calls, host),
        Fault::Partition { groups, .. } => {
            groups.retain_mut(|group| leave_out(group, host));
            groups.len() > 1
        }
        fault => host_lists(fault).into_iter().all(|list| leave_out(list, host)),
    }
}

/// The lists of hosts that a fault is about; of a call's filter, where an empty one means all, none.
fn host_lists(fault: &mut Fault) -> Vec<&mut Vec<u32>> {
    match fault {
        Fault::Network(strike) => vec![&mut strike.from, &mut strike.to],
        Fault::Link { from, to, .. } => vec![from, to],
        Fault::Partition { groups, .. } => groups.iter_mut().collect(),
        Fault::Host { hosts, .. }
        | Fault::Clock { hosts, .. }
        | Fault::Disk { hosts, .. }
        | Fault::Starve { hosts, .. } => vec![hosts],
        Fault::Call { .. } => vec![],
    }
}

/// The world with this plan's timeline.
pub fn with_timeline(world: &WorldSpec, timeline: &[Planned]) -> WorldSpec {
    let mut out = world.clone();
    out.faults.timeline = timeline.to_vec();
    out
}

/// A place in a plan: of one fault, the so many-th list of hosts.
pub type HostList = (usize, usize);

/// The lists of hosts of a plan that have more than one, which may be more than it takes.
pub fn long_host_lists(world: &WorldSpec) -> Vec<HostList> {
    let mut timeline = world.faults.timeline.clone();
    let lists = timeline.iter_mut().enumerate().flat_map(|(i, planned)| {
        host_lists(&mut planned.fault)
            .into_iter()
            .enumerate()
            .map(move |(j, list)| ((i, j), list.len()))
            .collect::<Vec<_>>()
    });
    lists.filter(|(_, len)| *len > 1).map(|(place, _)| place).collect()
}

/// One of these lists.
pub fn host_list(world: &WorldSpec, (fault, list): HostList) -> Vec<u32> {
    let mut planned = world.faults.timeline[fault].clone();
    host_lists(&mut planned.fault)[list].clone()
}

/// The world with another of these lists.
pub fn with_host_list(world: &WorldSpec, (fault, list): HostList, hosts: &[u32]) -> WorldSpec {
    let mut out = world.clone();
    *host_lists(&mut out.faults.timeline[fault].fault)[list] = hosts.to_vec();
    out
}

/// With these chances turns end more seldom: fewer switches for a reader to follow. 0.1, 0.5 and 2 in 100.
const CHANCES: [Chance; 3] = [Chance(1_000_000), Chance(5_000_000), Chance(20_000_000)];

/// Worlds whose threads take turns more simply, the simplest first.
pub fn simpler_schedules(world: &WorldSpec) -> Vec<WorldSpec> {
    let simpler = match world.faults.schedule {
        Schedule::Usual => vec![],
        Schedule::Random(chance) => {
            let rarer = CHANCES.into_iter().filter(|rarer| *rarer < chance).map(Schedule::Random);
            std::iter::once(Schedule::Usual).chain(rarer).collect()
        }
        Schedule::Pct { changes, calls } => {
            let fewer = [0, changes / 4, changes / 2, changes.saturating_sub(1)].into_iter().filter(|c| *c < changes);
            let mut fewer: Vec<Schedule> = fewer.map(|changes| Schedule::Pct { changes, calls }).collect();
            fewer.dedup();
            [vec![Schedule::Usual], fewer].concat()
        }
    };
    simpler
        .into_iter()
        .map(|schedule| {
            let mut out = world.clone();
            out.faults.schedule = schedule;
            out
        })
        .collect()
}

/// Worlds whose networks are calmer: all of them at once, then each one, then each one's rules and qualities.
pub fn calmer_networks(world: &WorldSpec) -> Vec<WorldSpec> {
    let calm = |link: &LinkSpec| LinkSpec { latency: Latency::Constant(link.latency.typical()), ..LinkSpec::default() };
    let mut all = world.clone();
    for network in &mut all.networks {
        network.rules.clear();
        network.link = calm(&network.link);
    }
    let mut out = vec![all.clone()];
    for i in 0..world.networks.len() {
        let mut one = world.clone();
        one.networks[i] = all.networks[i].clone();
        out.push(one);
        for j in 0..world.networks[i].rules.len() {
            let mut fewer = world.clone();
            fewer.networks[i].rules.remove(j);
            out.push(fewer);
        }
        let goal = &all.networks[i].link;
        let qualities: [fn(&mut LinkSpec, &LinkSpec); 7] = [
            |link, goal| link.loss = goal.loss,
            |link, goal| link.duplicate = goal.duplicate,
            |link, goal| (link.reorder, link.reorder_by) = (goal.reorder, goal.reorder_by),
            |link, goal| link.corrupt = goal.corrupt,
            |link, goal| link.jitter = goal.jitter,
            |link, goal| (link.bandwidth, link.queue) = (goal.bandwidth, goal.queue),
            |link, goal| link.latency = goal.latency,
        ];
        for quality in qualities {
            let mut calmer = world.clone();
            quality(&mut calmer.networks[i].link, goal);
            out.push(calmer);
        }
    }
    distinct(world, out)
}

/// Worlds in which a fault does not last as long, or a host comes back sooner: an eighth, a quarter, half.
pub fn shorter_faults(world: &WorldSpec, fault: usize) -> Vec<WorldSpec> {
    let parts =
        |time: Nanos| [8, 4, 2].map(|part| rounded(time / part).max(MOMENT)).into_iter().filter(move |t| *t < time);
    let planned = &world.faults.timeline[fault];
    let mut out = Vec::new();
    for lasts in planned.lasts.into_iter().flat_map(parts) {
        let mut shorter = world.clone();
        shorter.faults.timeline[fault].lasts = Some(lasts);
        out.push(shorter);
    }
    for sooner in restart(&mut planned.fault.clone()).copied().into_iter().flat_map(parts) {
        let mut shorter = world.clone();
        if let Some(restart) = restart(&mut shorter.faults.timeline[fault].fault) {
            *restart = sooner;
        }
        out.push(shorter);
    }
    distinct(world, out)
}

/// After which time a host comes back that a fault takes down.
fn restart(fault: &mut Fault) -> Option<&mut Nanos> {
    match fault {
        Fault::Host {
            verb: HostVerb::Kill { restart } | HostVerb::Stop { restart } | HostVerb::PowerLoss { restart },
            ..
        } => restart.as_mut(),
        _ => None,
    }
}

/// A time below which nothing is made shorter.
const MOMENT: Nanos = 1_000_000;

/// Worlds in which a fault strikes at a rounder time, the roundest first.
pub fn rounder_times(world: &WorldSpec, fault: usize) -> Vec<WorldSpec> {
    let When::At(at) = world.faults.timeline[fault].when else { return Vec::new() };
    let units = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000];
    let out = units.map(|unit| {
        let mut rounder = world.clone();
        rounder.faults.timeline[fault].when = When::At(nearest(at, unit));
        sort(&mut rounder.faults.timeline);
        rounder
    });
    distinct(world, out.into())
}

/// Worlds whose whole plan has rounder times, the roundest first: what is drawn has nanoseconds, which nobody reads.
pub fn rounder_plans(world: &WorldSpec) -> Vec<WorldSpec> {
    let out = [100_000_000, 10_000_000, MOMENT].map(|unit| {
        let mut rounder = world.clone();
        for planned in &mut rounder.faults.timeline {
            if let When::At(at) = &mut planned.when {
                *at = nearest(*at, unit);
            }
            for time in planned.lasts.iter_mut().chain(restart(&mut planned.fault)) {
                *time = nearest(*time, unit).max(MOMENT);
            }
        }
        sort(&mut rounder.faults.timeline);
        rounder
    });
    distinct(world, out.into())
}

fn nearest(time: Nanos, unit: Nanos) -> Nanos {
    time.saturating_add(unit / 2) / unit * unit
}

fn sort(timeline: &mut [Planned]) {
    timeline.sort_by_key(|planned| match planned.when {
        When::At(at) => at,
        When::Call { .. } => u64::MAX,
    });
}

/// Three digits of a time: what people read is enough.
pub fn rounded(time: Nanos) -> Nanos {
    let unit = 10u64.pow(time.checked_ilog10().unwrap_or(0).saturating_sub(2));
    time.div_ceil(unit).saturating_mul(unit)
}

/// The world that ends at this time.
pub fn with_until(world: &WorldSpec, until: Nanos) -> WorldSpec {
    let mut out = world.clone();
    out.until = Some(until);
    // A quiet time that never comes is none.
    out.faults.quiet_from = out.faults.quiet_from.filter(|quiet| *quiet < until);
    out.faults.timeline.retain(|planned| !matches!(planned.when, When::At(at) if at >= until));
    out
}

/// Those that are not the world itself nor one before.
fn distinct(world: &WorldSpec, candidates: Vec<WorldSpec>) -> Vec<WorldSpec> {
    let mut out: Vec<WorldSpec> = Vec::new();
    for candidate in candidates {
        if candidate != *world && !out.contains(&candidate) {
            out.push(candidate);
        }
    }
    out
}
