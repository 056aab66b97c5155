//! What a world file says is to go wrong.

use snowglobe_abi::fault::*;
use snowglobe_world::faults::{Scope, show};
use snowglobe_world::resolved::{from_yaml, to_yaml};

const HOSTS: &str = "
services:
  n: {deploy: {replicas: 3}, command: sleep 1}
  client: {command: sleep 1, x-snowglobe: {check: true}}
x-snowglobe:
  until: 60s
  faults:
";

fn text(faults: &str) -> String {
    faults.lines().fold(HOSTS.to_owned(), |text, line| text + "    " + line + "\n")
}

fn plan(faults: &str) -> FaultPlan {
    crate::world(&text(faults)).faults
}

#[test]
fn a_timeline_says_when_how_long_what_and_whom() {
    let plan = plan(
        "quiet: 20s
timeline:
  - {at: 12s, for: 3s, power-loss: n-2, restart: 2s}
  - {at: 10s, partition: [[n-1], [n-2, n-3]]}
  - {call: fsync, host: n, path: '*.aof', nth: 3, errno: EIO}
  - {at: 5s, for: 1s, loss: 30%, latency: normal mean 40ms deviation 5ms, between: [n, client]}",
    );
    let shown = show::timeline(&plan, &Scope::of(&crate::world(&text("quiet: 1s")), |_| None));
    assert_eq!(
        shown,
        "- {at: 5s, for: 1s, latency: normal mean 40ms deviation 5ms min 0s, loss: 30%, between: [n-1, n-2, n-3, client], cause: \"world.yaml:13\"}
- {at: 10s, partition: [[n-1], [n-2, n-3]], cause: \"world.yaml:11\"}
- {at: 12s, for: 3s, power-loss: n-2, restart: 2s, cause: \"world.yaml:10\"}
- {nth: 3, call: fsync, host: [n-1, n-2, n-3], path: \"*.aof\", errno: EIO, cause: \"world.yaml:12\"}
"
    );
    assert_eq!(plan.quiet_from, Some(40_000_000_000));
}

/// One entry of every kind.
const EVERY_KIND: &[&str] = &[
    "{at: 1s, partition: halves}",
    "{at: 1s, partition: {shape: ring, hosts: '*'}}",
    "{at: 1s, partition: {groups: [[n-1, client], [n-2]], network: default}}",
    "{at: 1s, cut: {from: n-1, to: n-2}}",
    "{at: 1s, clog: [n-1, n-2], network: default}",
    "{at: 1s, slow: n, by: 100ms, left: 10%}",
    "{at: 1s, slow-close: n, by: 1s}",
    "{at: 1s, reset: n-1}",
    "{at: 1s, jitter: 1ms, bandwidth: 1Mbit, queue: 64k, duplicate: 1%, from: n}",
    "{at: 1s, reorder: 1%, reorder_by: 20ms, corrupt: 0.5%, to: client}",
    "{at: 1s, loss: to_bad 1% to_good 25% in_bad 50%}",
    "{at: 1s, kill: n, restart: 0}",
    "{at: 1s, stop: n-1}",
    "{at: 1s, for: 2s, power-loss: '*'}",
    "{at: 1s, pause: [n-1, client]}",
    "{at: 1s, slow-cpu: n-1, by: 5us}",
    "{at: 1s, descriptors: n-1, limit: 20}",
    "{at: 1s, for: 5s, memory: n, limit: 64M}",
    "{at: 1s, memory: n-1, limit: 96M, overcommit: never}",
    "{at: 1s, clock-jump: n-1, by: -5s}",
    "{at: 1s, clock-drift: n-1, by: -500 ppm}",
    "{at: 1s, leap-second: n, by: insert}",
    "{at: 1s, leap-second: n, by: delete}",
    "{at: 1s, clock-strobe: n-1, by: 200ms, every: 10ms}",
    "{at: 1s, read-error: n-1, chance: 10%, path: '/data/*'}",
    "{at: 1s, write-error: n-1}",
    "{at: 1s, sync-error: n-1}",
    "{at: 1s, short-io: n-1}",
    "{at: 1s, bit-flip: n-1}",
    "{at: 1s, lost-write: n-1}",
    "{at: 1s, misdirected-write: n-1}",
    "{at: 1s, disk-latency: n-1, by: 10ms}",
    "{at: 1s, disk-stall: n-1}",
    "{at: 1s, disk-full: n-1}",
    "{at: 1s, quota: n-1}",
    "{at: 1s, read-only: n-1}",
    "{call: [read, pread64], chance: 1%, errno: EIO, program: 'redis*'}",
    "{at: 2s, for: 1s, call: connect, address: ':6379', delay: 10ms}",
    "{call: '*', nth: 1000, kill: caller}",
    "{call: fsync, nth: 2, power-loss: n-1, restart: 1s}",
    "{at: 1s, starve: n-1, threads: [1, 2]}",
    "{at: 1s, starve: n-1}",
];

#[test]
fn every_kind_is_read_and_reads_back_from_the_resolved_world() {
    let mut kinds = std::collections::BTreeSet::new();
    for entry in EVERY_KIND {
        let spec = crate::world(&text(&format!("timeline:\n  - {entry}")));
        kinds.insert(spec.faults.timeline[0].fault.kind());
        let resolved = to_yaml(&spec);
        let back = from_yaml("world.resolved.yaml", &resolved).unwrap_or_else(|e| panic!("{entry}: {e}\n{resolved}"));
        assert_eq!(back.faults, spec.faults, "{entry}\n{resolved}");
    }
    assert!(kinds.len() == 36, "{kinds:?}");
}

#[test]
fn schedules_are_read_and_read_back() {
    for (text, want) in [
        ("{random: 5 %}", Schedule::Random(snowglobe_abi::spec::Chance(50_000_000))),
        ("{pct: 3, calls: 10000}", Schedule::Pct { changes: 3, calls: 10_000 }),
        ("usual", Schedule::Usual),
    ] {
        let spec = crate::world(&self::text(&format!("schedule: {text}")));
        assert_eq!(spec.faults.schedule, want);
        assert_eq!(from_yaml("w.yaml", &to_yaml(&spec)).unwrap().faults, spec.faults);
    }
}

#[test]
fn a_shape_is_filled_by_the_seed_and_nothing_else() {
    let groups = |plan: FaultPlan, at: usize| match &plan.timeline[at].fault {
        Fault::Partition { groups, .. } => groups.clone(),
        other => panic!("{other:?}"),
    };
    let two = "timeline:\n  - {at: 1s, partition: halves}\n  - {at: 2s, partition: one}";
    assert_eq!(plan(two), plan(two));
    // A change of the first entry moves nothing of the second.
    let other = "timeline:\n  - {at: 1s, partition: ring}\n  - {at: 2s, partition: one}";
    assert_eq!(groups(plan(two), 1), groups(plan(other), 1));
    assert_eq!(groups(plan(two), 1).iter().map(Vec::len).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(groups(plan(two), 0).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    // In a ring of four each hears its two neighbours, three with itself.
    let ring = groups(plan(other), 0);
    for host in 0..4u32 {
        let heard: std::collections::BTreeSet<u32> =
            ring.iter().filter(|group| group.contains(&host)).flatten().copied().collect();
        assert_eq!(heard.len(), 3, "{ring:?}");
    }
}

fn with_seed(faults: &str, seed: u64) -> snowglobe_abi::spec::WorldSpec {
    crate::world(&text(faults).replace("until: 60s", &format!("until: 60s\n  seed: {seed}")))
}

/// When a host is kept from its work by a fault, and until when.
fn damaged(planned: &Planned, host: u32) -> Option<(u64, u64)> {
    let When::At(at) = planned.when else { panic!("{planned:?}") };
    let lasts = planned.lasts.unwrap_or(0);
    let (hosts, until) = match &planned.fault {
        Fault::Host { hosts, verb } => match verb {
            HostVerb::Kill { restart } | HostVerb::Stop { restart } | HostVerb::PowerLoss { restart } => {
                (hosts.clone(), at + lasts + restart.unwrap())
            }
            HostVerb::Pause => (hosts.clone(), at + lasts),
            _ => return None,
        },
        Fault::Partition { groups, .. } => {
            // Those who hear fewer than two of the three servers, themselves among them.
            let hears = |a: u32, b: u32| {
                let named = |h: u32| groups.iter().any(|group| group.contains(&h));
                !named(a) || !named(b) || a == b || groups.iter().any(|group| group.contains(&a) && group.contains(&b))
            };
            let alone = (0..3).filter(|a| (0..3).filter(|b| hears(*a, *b)).count() < 2);
            (alone.collect(), at + lasts)
        }
        _ => return None,
    };
    hosts.contains(&host).then_some((at, until))
}

#[test]
fn what_is_drawn_is_the_seeds_within_its_bounds_and_its_cap_and_ends_before_the_quiet_time() {
    let faults = "profile: everything\nquiet: 20s\nafter: 2s\nbounds: {pause: {every: 1s to 2s, for: 3s to 4s}}";
    let mut kinds = std::collections::BTreeSet::new();
    let mut plans = Vec::new();
    for seed in 0..150 {
        let spec = with_seed(faults, seed);
        let plan = &spec.faults;
        assert_eq!(with_seed(faults, seed).faults, *plan);
        let mut moments = Vec::new();
        for planned in &plan.timeline {
            let When::At(at) = planned.when else { panic!("{planned:?}") };
            let end = at + planned.lasts.unwrap_or(0);
            assert!(at >= 2_000_000_000 && end <= 40_000_000_000, "{planned:?}");
            assert!(planned.cause.starts_with("everything: "), "{planned:?}");
            if matches!(planned.fault, Fault::Host { verb: HostVerb::Pause, .. }) && end < 40_000_000_000 {
                assert!((3_000_000_000..=4_000_000_000).contains(&planned.lasts.unwrap()), "{planned:?}");
            }
            if let Fault::Host { hosts, .. } | Fault::Clock { hosts, .. } | Fault::Disk { hosts, .. } = &planned.fault {
                assert!(!hosts.contains(&3), "the client judges the run: {planned:?}");
            }
            kinds.insert(planned.fault.kind());
            moments.push(at);
        }
        for moment in moments {
            let is = |host: &u32| {
                let mut spans = plan.timeline.iter().filter_map(|planned| damaged(planned, *host));
                spans.any(|(from, until)| (from..until).contains(&moment))
            };
            assert!((0..3).filter(is).count() <= 1, "seed {seed} at {moment}: {plan:#?}");
        }
        let resolved = to_yaml(&spec);
        let back = from_yaml("world.resolved.yaml", &resolved).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!(back.faults, *plan);
        plans.push(plan.timeline.len());
    }
    assert!(kinds.len() >= 28, "{kinds:?}");
    assert!(plans.contains(&0) || plans.iter().min() < plans.iter().max(), "runs differ in how hard they are");
}

#[test]
fn rates_say_which_kinds_are_on() {
    let kinds = |faults: &str| -> std::collections::BTreeSet<&'static str> {
        let plans = (0..20).map(|seed| with_seed(faults, seed).faults);
        plans.flat_map(|plan| plan.timeline).map(|planned| planned.fault.kind()).collect()
    };
    assert_eq!(kinds("profile: calm"), [].into());
    assert_eq!(kinds("rates: {kill: 100%}"), ["kill"].into());
    assert_eq!(
        kinds("profile: crash\nrates: {kill: 0, stop: 0, descriptors: 100%}"),
        ["descriptors", "pause", "power-loss"].into()
    );
    let always = with_seed("rates: {pause: 100%}", 7).faults;
    assert!(!always.timeline.is_empty());
}

#[test]
fn without_a_cap_all_may_be_down() {
    let faults = "rates: {power-loss: 100%}\ncap: none\nbounds: {power-loss: {every: 1s, for: 10s}}";
    let most = (0..20).map(|seed| {
        let plan = with_seed(faults, seed).faults;
        let at = |planned: &Planned| match planned.when {
            When::At(at) => at,
            When::Call { .. } => 0,
        };
        plan.timeline
            .iter()
            .map(|planned| {
                let down = |host: &u32| {
                    let mut spans = plan.timeline.iter().filter_map(|other| damaged(other, *host));
                    spans.any(|(from, until)| (from..until).contains(&at(planned)))
                };
                (0..3).filter(down).count()
            })
            .max()
            .unwrap_or(0)
    });
    assert_eq!(most.max(), Some(3));
}

/// What is wrong with an entry, and what helps.
fn refused(faults: &str, wants: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let error = snowglobe_world::WorldError { problems: crate::problems_in(dir.path(), &text(faults)) };
    let shown = error.to_string();
    for want in wants {
        assert!(shown.contains(want), "{faults}\n{shown}\ndoes not say {want:?}");
    }
    assert!(error.problems.iter().all(|problem| problem.place().is_some()), "{shown}");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place_and_advice() {
    let entry = |entry: &str, wants: &[&str]| refused(&format!("timeline:\n  - {entry}"), wants);
    entry("{at: 1s, kill: m}", &["world.yaml:9:", "no host `m`"]);
    entry("{at: 1s, partition: [[n-1], [n-4]]}", &["no host `n-4`", "n-"]);
    entry("{at: 1s, partition: [[n-1, n-2]]}", &["parts no hosts"]);
    entry("{at: 1s, partition: thirds}", &["`one`, `halves`"]);
    entry("{at: 1s, cut: n-1}", &["no way"]);
    entry("{at: 1s, loss: 130%}", &["`loss`", "at most 100 %"]);
    entry("{at: 1s, kill: n-1, pause: n-1}", &["`kill` and `pause`", "two entries"]);
    entry("{at: 70s, kill: n-1}", &["at 70s", "ends at 1m"]);
    entry("{at: 1s}", &["says not what happens"]);
    entry("{kill: n-1}", &["says not when"]);
    entry("{at: 1s, nth: 2, call: read, errno: EIO}", &["`at` and `nth`"]);
    entry("{call: fsink, errno: EIO}", &["no call `fsink`", "fsync"]);
    entry("{call: fsync, errno: EIOO}", &["did you mean `EIO`?"]);
    entry("{at: 1s, errno: EIO}", &["which calls"]);
    entry("{at: 1s, for: 1s, reset: n-1}", &["does not last"]);
    entry("{at: 1s, pause: n-1, restart: 1s}", &["`restart` says nothing of `pause`"]);
    entry("{call: fsync, chance: 50 %, kill: n-1}", &["`chance` says nothing of `kill`"]);
    entry("{at: 1s, loss: 5 %, path: /tmp}", &["`path` says nothing of a link"]);
    entry("{at: 1s, kil: n-1}", &["did you mean `kill`?"]);
    entry("{at: 1s, clock-drift: n-1, by: 2s}", &["ppm"]);
    entry("{at: 1s, descriptors: n-1}", &["add `limit`"]);
    entry("{at: 1s, memory: n-1}", &["add `limit`"]);
    entry("{at: 1s, memory: n-1, limit: 64M, overcommit: always}", &["`never`", "`heuristic`"]);
    entry("{at: 1s, memory: n-1, limit: 10}", &["at least `1M`"]);
    refused("quiet: 60s", &["leaves nothing"]);
    refused("quiet: 10s\nquiet_from: 10s", &["`quiet` and `quiet_from`"]);
    refused("quiet: 10s\ntimeline:\n  - {at: 55s, kill: n-1}", &["quiet time begins at 50s"]);
    refused("profile: netwrok", &["did you mean `network`?"]);
    refused("profile: network\nrates: {partition: 2}", &["`partition`", "did you mean `2 %`?"]);
    refused("profile: network\nrates: {partitoin: 2%}", &["did you mean `partition`?"]);
    refused("profile: network\nbounds: {kill: {every: 9s to 2s}}", &["exchange them"]);
    refused("profile: network\nafter: 2m", &["`after` is when the world has ended"]);
    refused("cap: none", &["not which", "profile"]);
    refused("profile: crash\ncap: most", &["`majority`, `none` or a number"]);
    let down = "timeline:\n  - {at: 1s, power-loss: n-1}\n  - {at: 5s, pause: n}";
    refused(down, &["n-1, which is down for good", "restart"]);
}
