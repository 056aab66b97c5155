//! The resolved world reads back as it was written.

use proptest::collection::vec;
use proptest::prelude::*;
use snowglobe_abi::fault::DiskProfile;
use snowglobe_abi::spec::*;
use snowglobe_world::resolved::{from_yaml, to_yaml};

/// Text of the kind that ends up in commands and variables, and the kinds that are hard to quote.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[ -~]{0,20}",
        "[ \t\n\r'\"#:|>&*!%@`{}\\[\\],?~-]{0,12}",
        any::<String>().prop_map(|s| s.replace('\0', "")),
        prop::sample::select(vec![
            "",
            "~",
            "null",
            "true",
            "no",
            "1",
            "0x1F",
            "1e3",
            ".inf",
            "- a",
            "a: b",
            "#",
            " x ",
            "\n",
            "<<",
            "2027-01-01",
            "\u{2028}",
            "\u{feff}x",
            "\u{7f}"
        ])
        .prop_map(str::to_owned),
    ]
}

fn nanos() -> impl Strategy<Value = Nanos> {
    prop_oneof![0..u64::MAX / 2, (0..10_000u64).prop_map(|s| s * 1_000_000_000), Just(0)]
}

fn address() -> impl Strategy<Value = [u8; 4]> {
    any::<[u8; 4]>()
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![(0..=1_000_000_000u32).prop_map(Chance), Just(Chance::NEVER), Just(Chance::SURE)]
}

fn latency() -> impl Strategy<Value = Latency> {
    let ordered = || (nanos(), nanos()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    prop_oneof![
        nanos().prop_map(Latency::Constant),
        ordered().prop_map(|(min, max)| Latency::Uniform { min, max }),
        (ordered(), nanos()).prop_map(|((min, mean), deviation)| Latency::Normal { mean, deviation, min }),
        ordered().prop_map(|(min, mean)| Latency::Exponential { min, mean }),
        (ordered(), 1..u32::MAX).prop_map(|((min, max), shape)| Latency::Pareto { min, shape, max }),
    ]
}

fn loss() -> impl Strategy<Value = Loss> {
    let bursts = (chance(), chance(), chance(), chance());
    prop_oneof![
        chance().prop_map(Loss::Independent),
        bursts.prop_map(|(to_bad, to_good, in_good, in_bad)| Loss::Bursty { to_bad, to_good, in_good, in_bad }),
    ]
}

fn change() -> BoxedStrategy<LinkChange> {
    use prop::option::of;
    (
        (of(latency()), of(nanos()), of(any::<u64>()), of(any::<u64>()), of(loss())),
        (of(chance()), of(chance()), of(nanos()), of(chance()), of(any::<bool>()), of(any::<bool>())),
    )
        .prop_map(
            |((latency, jitter, bandwidth, queue, loss), (duplicate, reorder, reorder_by, corrupt, cut, clog))| {
                LinkChange {
                    latency,
                    jitter,
                    bandwidth,
                    queue,
                    loss,
                    duplicate,
                    reorder,
                    reorder_by,
                    corrupt,
                    cut,
                    clog,
                }
            },
        )
        .boxed()
}

fn network(index: usize, hosts: u32) -> BoxedStrategy<NetworkSpec> {
    let rule = (vec(0..hosts, 0..3), vec(0..hosts, 0..3), change()).prop_map(|(from, to, change)| LinkRule {
        from,
        to,
        change,
    });
    (0..255u8, address(), 1280..=65535u32, change(), vec(rule, 0..3), text(), any::<bool>())
        .prop_map(move |(n, resolver, mtu, change, rules, name, ipv6)| {
            let mut link = LinkSpec::default();
            change.apply(&mut link);
            let name = format!("{name}{index}");
            NetworkSpec { name, subnet: ([10, n, 0, 0], 16), resolver, mtu, ipv6, link, rules }
        })
        .boxed()
}

fn mount() -> impl Strategy<Value = MountSpec> {
    let source =
        prop_oneof![text().prop_map(MountSource::Bind), text().prop_map(MountSource::Volume), Just(MountSource::Tmpfs)];
    (text(), source, any::<bool>()).prop_map(|(target, source, read_only)| MountSpec { target, source, read_only })
}

fn health() -> impl Strategy<Value = Healthcheck> {
    (vec(text(), 0..3), nanos(), nanos(), any::<u32>(), nanos(), nanos()).prop_map(
        |(argv, interval, timeout, retries, start_period, start_interval)| Healthcheck {
            argv,
            interval,
            timeout,
            retries,
            start_period,
            start_interval,
        },
    )
}

fn service(hosts: u32) -> impl Strategy<Value = ServiceSpec> {
    let restart =
        prop_oneof![Just(Restart::No), Just(Restart::Always), any::<Option<u32>>().prop_map(Restart::OnFailure)];
    let condition = prop::sample::select(vec![Condition::Started, Condition::Healthy, Condition::Completed]);
    let dependency = (0..hosts, condition).prop_map(|(host, condition)| Dependency { host, condition });
    (
        (vec(text(), 0..4), vec(text(), 0..4), text(), any::<u32>(), any::<u32>()),
        (restart, vec(dependency, 0..3), prop::option::of(health()), 1..=64u8, nanos()),
        any::<[bool; 3]>(),
    )
        .prop_map(
            |(
                (argv, env, cwd, uid, gid),
                (restart, depends_on, healthcheck, stop_signal, stop_grace),
                [init, stdin, check],
            )| {
                ServiceSpec {
                    argv,
                    env,
                    cwd,
                    uid,
                    gid,
                    restart,
                    depends_on,
                    healthcheck,
                    stop_signal,
                    stop_grace,
                    init,
                    stdin,
                    check,
                }
            },
        )
}

fn host(index: usize, hosts: u32, networks: u32) -> impl Strategy<Value = HostSpec> {
    let interface = (0..networks, address(), vec(text(), 0..3)).prop_map(|(network, address, aliases)| InterfaceSpec {
        network,
        address,
        aliases,
    });
    let root = prop_oneof![Just(RootSpec::Machine), text().prop_map(RootSpec::Tree)];
    let memory = prop::option::of(any::<u64>());
    (text(), text(), root, vec(mount(), 0..3), vec(interface, 0..3), memory, prop::option::of(service(hosts))).prop_map(
        move |(name, hostname, root, mounts, interfaces, memory, service)| HostSpec {
            name: format!("{name}{index}"),
            hostname,
            root,
            mounts,
            interfaces,
            memory,
            service,
        },
    )
}

fn disk_profile() -> impl Strategy<Value = DiskProfile> {
    use DiskProfile::{Ext4Ordered, Ext4Writeback, PosixWorst, Xfs};
    prop::sample::select(vec![Ext4Ordered, Ext4Writeback, Xfs, PosixWorst])
}

fn moment() -> impl Strategy<Value = Moment> {
    (any::<u64>(), any::<u32>(), vec(any::<u8>(), 0..15)).prop_map(|(entries, task, code)| Moment {
        entries,
        task,
        code,
    })
}

fn knobs() -> impl Strategy<Value = Knobs> {
    (
        nanos(),
        nanos(),
        any::<u32>(),
        any::<u64>(),
        any::<u64>(),
        any::<bool>(),
        any::<bool>(),
        (any::<u32>(), disk_profile()),
    )
        .prop_map(
            |(call_cost, quantum, cpus, memory, disk, trace_calls, one_program, (max_tasks, disk_profile))| Knobs {
                call_cost,
                quantum,
                cpus,
                memory,
                disk,
                disk_profile,
                trace_calls,
                one_program,
                max_tasks,
                ..Knobs::default()
            },
        )
}

fn spec() -> impl Strategy<Value = WorldSpec> {
    (1..4usize, 1..4usize).prop_flat_map(|(hosts, networks)| {
        let yield_point = (text(), any::<u64>(), prop::option::of(moment()))
            .prop_map(|(file, offset, made)| YieldPoint { file, offset, made });
        (
            any::<u64>(),
            nanos(),
            prop::option::of(nanos()),
            (0..hosts).map(|i| host(i, hosts as u32, networks as u32)).collect::<Vec<_>>(),
            (0..networks).map(|i| network(i, hosts as u32)).collect::<Vec<_>>(),
            knobs(),
            vec(yield_point, 0..3),
        )
            .prop_map(|(seed, start_realtime, until, hosts, networks, knobs, yield_points)| WorldSpec {
                seed,
                start_realtime,
                until,
                hosts,
                networks,
                knobs,
                yield_points,
                faults: Default::default(),
                checks: Default::default(),
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_resolved_world_reads_back_as_it_was_written(spec in spec()) {
        let text = to_yaml(&spec);
        let back = from_yaml("world.resolved.yaml", &text);
        prop_assert!(back.is_ok(), "{}\n{text}", back.unwrap_err());
        prop_assert_eq!(back.unwrap(), spec, "{}", text);
    }
}

#[test]
fn a_resolved_world_is_taken_like_a_world_file() {
    let spec = crate::world("services: {a: {command: sleep 1}}\n");
    let again = crate::world(&to_yaml(&spec));
    assert_eq!(again, spec);
}

#[test]
fn a_resolved_world_that_was_edited_badly_says_where() {
    let text = to_yaml(&crate::world("services: {a: {command: sleep 1}, b: {command: sleep 1, depends_on: [a]}}\n"));
    let error = from_yaml("w.yaml", &text.replace("- host: a", "- host: aa")).unwrap_err();
    assert!(error.to_string().contains("no host `aa`"), "{error}");
    let error = from_yaml("w.yaml", &text.replace("quantum: 200us", "quantum: soon")).unwrap_err();
    assert!(error.to_string().contains("`soon` is not a duration"), "{error}");
    assert_eq!(error.problems[0].place().unwrap().line, 8);
    let error = from_yaml("w.yaml", &text.replace("latency: 100us", "latency: late")).unwrap_err();
    assert!(error.to_string().contains("`late` is not a latency"), "{error}");
    let error = from_yaml("w.yaml", &text.replace("cpus: 2", "cpuz: 2")).unwrap_err();
    assert!(error.to_string().contains("cpuz"), "{error}");
}
