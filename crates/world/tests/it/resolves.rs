//! What a world file comes to.

use std::fs;

use snowglobe_abi::spec::{
    Chance, Condition, Dependency, Latency, LinkSpec, Loss, MountSource, NetworkSpec, Restart, RootSpec,
};

use crate::{host, options, parse_in, service, world};

#[test]
fn the_smallest_world_has_one_host_on_one_network() {
    let spec = world("services:\n  a:\n    command: sleep 1\n");
    assert_eq!((spec.seed, spec.until), (1, None));
    assert_eq!(spec.start_realtime, 1_798_761_600_000_000_000);
    assert_eq!(spec.networks.len(), 1);
    let network = &spec.networks[0];
    assert_eq!(
        (network.name.as_str(), network.subnet, network.resolver),
        ("default", ([10, 0, 1, 0], 24), [10, 0, 1, 1])
    );
    let a = host(&spec, "a");
    assert_eq!((a.hostname.as_str(), a.interfaces[0].address, &a.root), ("a", [10, 0, 1, 2], &RootSpec::Machine));
    let run = service(&spec, "a");
    assert_eq!((run.argv.as_slice(), run.cwd.as_str(), run.uid), (&["sleep".to_owned(), "1".to_owned()][..], "/", 0));
    assert_eq!(run.restart, Restart::No);
    assert!(!run.check && !run.stdin && !run.init);
    assert!(run.env.contains(&"LANG=C.UTF-8".to_owned()) && run.env.contains(&"HOSTNAME=a".to_owned()));
    assert!(!run.env.iter().any(|v| v.contains("secret")), "the caller's environment stays outside");
}

#[test]
fn settings_of_the_world_stand_under_its_own_key() {
    let spec = world(
        "x-snowglobe: {seed: 7, until: 1m30s, start: 2030-06-01T12:00:00Z, latency: 2 ms, call_cost: 1us, quantum: 1ms,
  cpus: 8, memory: 1G, disk: 2G, disk-profile: xfs, max_tasks: 99, trace_calls: false}
networks: {fast: {x-snowglobe: {latency: 5us}}}
services: {a: {command: sleep 1, networks: [fast, default]}}
",
    );
    assert_eq!((spec.seed, spec.until), (7, Some(90_000_000_000)));
    assert_eq!(spec.start_realtime, 1_906_545_600_000_000_000);
    let knobs = &spec.knobs;
    assert_eq!((knobs.call_cost, knobs.quantum, knobs.cpus, knobs.memory), (1_000, 1_000_000, 8, 1 << 30));
    assert_eq!(knobs.disk_profile, snowglobe_abi::fault::DiskProfile::Xfs);
    assert_eq!((knobs.disk, knobs.max_tasks, knobs.trace_calls, knobs.one_program), (2 << 30, 99, false, false));
    let latencies: Vec<(&str, Latency)> = spec.networks.iter().map(|n| (n.name.as_str(), n.link.latency)).collect();
    assert_eq!(latencies, [("default", Latency::Constant(2_000_000)), ("fast", Latency::Constant(5_000))]);
    let on: Vec<u32> = host(&spec, "a").interfaces.iter().map(|i| i.network).collect();
    assert_eq!(on, [1, 0], "eth0 is the network that is named first");
}

const MS: u64 = 1_000_000;

/// The network `n` of a world with services `a`, `b` (three of it) and `c`, which is elsewhere.
fn network(settings: &str) -> NetworkSpec {
    let spec = world(&format!(
        "networks:
  n: {{x-snowglobe: {settings}}}
services:
  a: {{command: sleep 1, networks: [n]}}
  b: {{command: sleep 1, networks: [n], scale: 3}}
  c: {{command: sleep 1}}
"
    ));
    spec.networks.into_iter().find(|network| network.name == "n").unwrap()
}

#[test]
fn a_link_has_the_keys_of_its_network() {
    let n = network(
        "{latency: 5 ms, jitter: 1ms, bandwidth: 5 Mbit, queue: 64 KiB, loss: 1 %, duplicate: 0.5%, reorder: 0.001,
          reorder_by: 2ms, corrupt: 0.1 %, mtu: 9000, cut: false, clog: false}",
    );
    let want = LinkSpec {
        latency: Latency::Constant(5 * MS),
        jitter: MS,
        bandwidth: 5_000_000,
        queue: 64 << 10,
        loss: Loss::Independent(Chance(10_000_000)),
        duplicate: Chance(5_000_000),
        reorder: Chance(1_000_000),
        reorder_by: 2 * MS,
        corrupt: Chance(1_000_000),
        cut: false,
        clog: false,
    };
    assert_eq!((n.link, n.mtu, n.rules.len()), (want, 9000, 0));
    assert_eq!(network("{}"), NetworkSpec::plain("n", ([10, 0, 2, 0], 24), [10, 0, 2, 1], 100_000));
}

#[test]
fn latencies_and_losses_are_words_or_mappings() {
    let latency = |text: &str| network(&format!("{{latency: {text}}}")).link.latency;
    assert_eq!(latency("{distribution: constant, mean: 3ms}"), Latency::Constant(3 * MS));
    assert_eq!(latency("{distribution: uniform, min: 1ms, max: 2 ms}"), Latency::Uniform { min: MS, max: 2 * MS });
    let normal = Latency::Normal { mean: 40 * MS, deviation: 5 * MS, min: 0 };
    assert_eq!(latency("{distribution: normal, mean: 40ms, deviation: 5ms}"), normal);
    assert_eq!(latency("normal mean 40ms deviation 5ms"), normal);
    assert_eq!(latency("exponential mean 4ms min 1ms"), Latency::Exponential { min: MS, mean: 4 * MS });
    let pareto = Latency::Pareto { min: MS, shape: 2500, max: 100 * MS };
    assert_eq!(latency("{distribution: pareto, min: 1ms, shape: 2.5, max: 100ms}"), pareto);
    let loss = |text: &str| network(&format!("{{loss: {text}}}")).link.loss;
    let bursts = Loss::Bursty {
        to_bad: Chance(10_000_000),
        to_good: Chance(250_000_000),
        in_good: Chance::NEVER,
        in_bad: Chance(500_000_000),
    };
    assert_eq!(loss("{to_bad: 1%, to_good: 25%, in_bad: 50%}"), bursts);
    assert_eq!(loss("to_bad 1% to_good 25% in_bad 50%"), bursts);
}

#[test]
fn a_profile_is_overridden_key_by_key() {
    let wan = network("{profile: wan}").link;
    assert_eq!((wan.bandwidth, wan.queue), (100_000_000, 512 << 10));
    let own = network("{profile: wan, latency: 7ms, bandwidth: unlimited}").link;
    assert_eq!(own, LinkSpec { latency: Latency::Constant(7 * MS), bandwidth: 0, ..wan });
    let lan = network("{profile: lan, bandwidth: unlimited}").link;
    let plain = network("{}").link;
    assert_eq!(LinkSpec { queue: 0, ..lan }, plain, "hosts on one switch, as they are without a word");
    for profile in snowglobe_world::link::PROFILES {
        assert_ne!(network(&format!("{{profile: {}}}", profile.name)).link, network("{}").link);
    }
}

#[test]
fn links_are_changed_between_some_hosts() {
    let n = network(
        "{links: [{between: [a, b], loss: 5%}, {from: b-2, to: a, cut: true}, {from: a, profile: satellite, loss: 0},
          {between: '*', latency: 1s}]}",
    );
    let sides: Vec<(&[u32], &[u32])> = n.rules.iter().map(|r| (r.from.as_slice(), r.to.as_slice())).collect();
    let all: &[u32] = &[0, 1, 2, 3];
    assert_eq!(sides, [(all, all), (&[2], &[0]), (&[0], all), (all, all)]);
    assert_eq!(n.rules[0].change.loss, Some(Loss::Independent(Chance(50_000_000))));
    assert_eq!((n.rules[1].change.cut, n.rules[1].change.latency), (Some(true), None));
    let third = &n.rules[2].change;
    assert_eq!((third.bandwidth, third.loss), (Some(10_000_000), Some(Loss::Independent(Chance::NEVER))));
}

#[test]
fn the_command_line_overrides_seed_and_end() {
    let dir = tempfile::tempdir().unwrap();
    let options = snowglobe_world::Options { seed: Some(9), until: Some(5), ..options(dir.path()) };
    let text = "x-snowglobe: {seed: 7, until: 60s}\nservices: {a: {command: sleep 1}}\n";
    let spec = snowglobe_world::resolve::parse("w.yaml", text, dir.path(), &options).unwrap().spec;
    assert_eq!((spec.seed, spec.until), (9, Some(5)));
}

#[test]
fn commands_are_split_as_compose_splits_them() {
    let spec = world(
        "services:
  s: {command: sh -c 'echo \"a b\" $$HOME' x\\ y}
  l: {command: [sh, -c, 'echo 1']}
  e: {entrypoint: [sh, -c], command: 'exit\\ 0'}
  o: {entrypoint: sleep 1}
",
    );
    assert_eq!(service(&spec, "s").argv, ["sh", "-c", "echo \"a b\" $HOME", "x y"]);
    assert_eq!(service(&spec, "l").argv, ["sh", "-c", "echo 1"]);
    assert_eq!(service(&spec, "e").argv, ["sh", "-c", "exit 0"]);
    assert_eq!(service(&spec, "o").argv, ["sleep", "1"]);
}

#[test]
fn a_service_without_a_command_is_a_silent_host() {
    assert!(host(&world("services: {a: {}, b: }\n"), "b").service.is_none());
}

#[test]
fn variables_come_from_the_caller_and_from_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".env"), "TAG=of-dot-env\nONLY=here\n").unwrap();
    fs::write(dir.path().join("a.env"), "FROM_FILE=1\nBOTH=file\n").unwrap();
    let text = "services:
  a:
    command: sleep ${N:-5}
    env_file: [a.env, {path: missing.env, required: false}]
    environment: [TAG=$TAG-$ONLY, BOTH=mapping, TOKEN, NOT_SET]
  b:
    command: sleep 1
    environment: {NUMBER: 1.10, YES: true, EMPTY: '', TOKEN: }
";
    let spec = parse_in(dir.path(), text).unwrap().spec;
    let env = &service(&spec, "a").env;
    for want in ["TAG=v1-here", "BOTH=mapping", "FROM_FILE=1", "TOKEN=secret"] {
        assert!(env.contains(&want.to_owned()), "{want} in {env:?}");
    }
    assert!(!env.iter().any(|v| v.starts_with("NOT_SET")));
    assert_eq!(service(&spec, "a").argv[1], "5");
    let env = &service(&spec, "b").env;
    for want in ["NUMBER=1.10", "YES=true", "EMPTY=", "TOKEN=secret"] {
        assert!(env.contains(&want.to_owned()), "{want} in {env:?}");
    }
}

#[test]
fn an_unset_variable_is_remarked_upon() {
    let dir = tempfile::tempdir().unwrap();
    let loaded = parse_in(dir.path(), "services:\n  a: {command: sleep 1, working_dir: /$NOPE}\n").unwrap();
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].message().contains("`NOPE` is not set"));
    assert_eq!(loaded.warnings[0].place().unwrap().line, 2);
}

#[test]
fn addresses_are_given_out_in_the_order_of_the_file() {
    let spec = world(
        "networks:
  back: {ipam: {config: [{subnet: 192.168.7.0/28, gateway: 192.168.7.14}]}}
  front: {}
services:
  a: {command: sleep 1, networks: [back]}
  b: {command: sleep 1, networks: {back: {ipv4_address: 192.168.7.2, aliases: [db, store]}, front: }}
  c: {command: sleep 1, networks: [front, back], container_name: sea}
",
    );
    assert!(!spec.networks.iter().any(|n| n.name == "default"), "nobody is on it");
    assert_eq!(spec.networks[0].resolver, [192, 168, 7, 14]);
    let addresses = |name: &str| host(&spec, name).interfaces.iter().map(|i| i.address).collect::<Vec<_>>();
    assert_eq!(addresses("a"), [[192, 168, 7, 3]]);
    assert_eq!(addresses("b"), [[192, 168, 7, 2], [10, 0, 1, 2]]);
    assert_eq!(addresses("c"), [[10, 0, 1, 3], [192, 168, 7, 4]]);
    assert_eq!(host(&spec, "b").interfaces[0].aliases, ["db", "store"]);
    assert_eq!(host(&spec, "c").interfaces[0].aliases, ["sea"]);
}

#[test]
fn a_subnet_that_is_given_out_avoids_those_that_were_asked_for() {
    let spec = world(
        "networks: {a: , b: {ipam: {config: [{subnet: 10.0.0.0/22}]}}}\nservices: {h: {command: sleep 1, networks: [a, b]}}\n",
    );
    assert_eq!(spec.networks[0].subnet, ([10, 0, 4, 0], 24));
}

#[test]
fn replicas_are_hosts_that_share_the_services_name() {
    let spec = world(
        "services:
  web: {command: sleep 1, hostname: www, deploy: {replicas: 3}}
  none: {command: sleep 1, scale: 0}
  lb: {command: sleep 1, depends_on: [web, none]}
",
    );
    let names: Vec<&str> = spec.hosts.iter().map(|h| h.name.as_str()).collect();
    assert_eq!(names, ["web-1", "web-2", "web-3", "lb"]);
    assert_eq!(host(&spec, "web-2").hostname, "www-2");
    assert_eq!(host(&spec, "web-2").interfaces[0].aliases, ["web"]);
    let on: Vec<u32> = service(&spec, "lb").depends_on.iter().map(|d| d.host).collect();
    assert_eq!(on, [0, 1, 2]);
}

#[test]
fn dependencies_and_health_checks_come_in_all_their_forms() {
    let spec = world(
        "services:
  db: {command: sleep 1, healthcheck: {test: 'true && true', interval: 1s, timeout: 2s, retries: 4, start_period: 5s, start_interval: 300ms}}
  job: {command: sleep 1, healthcheck: {test: [CMD, 'true']}}
  web:
    command: sleep 1
    healthcheck: {test: [NONE]}
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully, required: true}
  other: {command: sleep 1, depends_on: [web], healthcheck: {disable: true, test: x}}
",
    );
    let health = service(&spec, "db").healthcheck.clone().unwrap();
    assert_eq!(health.argv, ["/bin/sh", "-c", "true && true"]);
    assert_eq!(
        (health.interval, health.timeout, health.retries, health.start_period, health.start_interval),
        (1_000_000_000, 2_000_000_000, 4, 5_000_000_000, 300_000_000)
    );
    let health = service(&spec, "job").healthcheck.clone().unwrap();
    assert_eq!(
        (health.argv.as_slice(), health.interval, health.retries, health.start_interval),
        (&["true".to_owned()][..], 30_000_000_000, 3, 5_000_000_000)
    );
    assert!(service(&spec, "web").healthcheck.is_none() && service(&spec, "other").healthcheck.is_none());
    let want = [
        Dependency { host: 0, condition: Condition::Healthy },
        Dependency { host: 1, condition: Condition::Completed },
    ];
    assert_eq!(service(&spec, "web").depends_on, want);
    assert_eq!(service(&spec, "other").depends_on, [Dependency { host: 2, condition: Condition::Started }]);
}

#[test]
fn the_rest_of_a_service_is_read_too() {
    let spec = world(
        "services:
  a:
    command: sleep 1
    working_dir: /usr/../etc/
    hostname: alpha.example
    user: nobody
    restart: on-failure:3
    stop_signal: SIGINT
    stop_grace_period: 1m
    init: true
    x-snowglobe: {check: true, stdin: true}
  b: {command: sleep 1, user: '12:34', restart: 'no'}
  c: {command: sleep 1, restart: unless-stopped}
  d: {command: sleep 1, restart: no, network_mode: none}
",
    );
    let a = service(&spec, "a");
    assert_eq!((host(&spec, "a").hostname.as_str(), a.cwd.as_str()), ("alpha.example", "/etc"));
    assert_eq!(
        (a.uid, a.restart, a.stop_signal, a.stop_grace),
        (65534, Restart::OnFailure(Some(3)), 2, 60_000_000_000)
    );
    assert!(a.init && a.check && a.stdin);
    assert_eq!((service(&spec, "b").uid, service(&spec, "b").gid, service(&spec, "b").restart), (12, 34, Restart::No));
    assert_eq!(service(&spec, "c").restart, Restart::Always);
    assert!(host(&spec, "d").interfaces.is_empty());
}

#[test]
fn mounts_come_in_all_their_forms_and_outer_ones_first() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("data/deep")).unwrap();
    let text = "volumes: {shared: }
services:
  a:
    command: sleep 1
    volumes:
      - ./data/deep:/srv/a/b:ro
      - shared:/srv
      - /opt
      - {type: bind, source: ./data, target: /data, read_only: true}
      - {type: tmpfs, target: /scratch}
      - {type: volume, source: shared, target: /two}
    tmpfs: /run/x:size=64m
";
    let spec = parse_in(dir.path(), text).unwrap().spec;
    let data = dir.path().join("data").display().to_string();
    let got: Vec<(&str, MountSource, bool)> =
        host(&spec, "a").mounts.iter().map(|m| (m.target.as_str(), m.source.clone(), m.read_only)).collect();
    let shared = || MountSource::Volume("shared".into());
    assert_eq!(
        got,
        [
            ("/srv", shared(), false),
            ("/opt", MountSource::Volume("a:/opt".into()), false),
            ("/data", MountSource::Bind(data.clone()), true),
            ("/scratch", MountSource::Tmpfs, false),
            ("/two", shared(), false),
            ("/run/x", MountSource::Tmpfs, false),
            ("/srv/a/b", MountSource::Bind(format!("{data}/deep")), true),
        ]
    );
}

#[test]
fn anchors_merges_and_keys_of_others_are_fine() {
    let spec = world(
        "version: '3'
name: demo
x-other: {anything: [goes]}
x-base: &base {command: sleep 1, restart: always, x-vendor: 1}
services:
  a: {<<: *base, labels: {x: y}, expose: [80]}
  b: {<<: *base, restart: 'no'}
",
    );
    assert_eq!(service(&spec, "a").restart, Restart::Always);
    assert_eq!(service(&spec, "b").restart, Restart::No);
}

#[test]
fn the_example_is_a_world() {
    let spec = world(snowglobe_world::EXAMPLE);
    assert_eq!(spec.hosts.len(), 2);
    assert!(service(&spec, "client").check);
    assert_eq!(spec.until, Some(60_000_000_000));
}

#[test]
fn one_program_sees_where_it_was_started_and_a_fixed_environment() {
    let dir = tempfile::tempdir().unwrap();
    let cwd = dir.path().to_str().unwrap();
    fs::copy("/bin/true", dir.path().join("tool")).unwrap();
    let argv = |line: &[&str]| line.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let env = [("A".to_owned(), "1".to_owned()), ("HOME".to_owned(), "/x".to_owned())];
    let spec = snowglobe_world::one_program(&argv(&["./tool", "x"]), &env, cwd).unwrap();
    let host = &spec.hosts[0];
    assert!(spec.knobs.one_program);
    assert_eq!((host.mounts.len(), host.mounts[0].target.as_str()), (1, cwd));
    let run = host.service.as_ref().unwrap();
    assert_eq!((run.cwd.as_str(), run.stdin), (cwd, true));
    assert_eq!(
        run.env,
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/x",
            "USER=root",
            "LANG=C.UTF-8",
            "TERM=dumb",
            "A=1"
        ]
    );
    // From elsewhere, the program's own file is shown.
    let spec = snowglobe_world::one_program(&argv(&[&format!("{cwd}/tool")]), &[], "/").unwrap();
    assert_eq!(spec.hosts[0].mounts[0].target, format!("{cwd}/tool"));
    let problem = snowglobe_world::one_program(&argv(&["./nope"]), &[], cwd).unwrap_err();
    assert!(problem.message().contains("nope"), "{problem}");
}

#[test]
fn the_reference_lists_every_key_with_what_becomes_of_it() {
    let text = snowglobe_world::keys::reference();
    for want in ["| `ports` | refused: ", "| `expose` | accepted without effect: ", "| `call_cost` | virtual time"] {
        assert!(text.contains(want), "{want}");
    }
}
