//! The keys of a world file: one table each, from which the reader, its advice and the reference are made.

use crate::problem::{Problems, Span, nearest};
use crate::yaml::{Key, Node, Value};

/// A key that may be met.
pub struct KeySpec {
    /// As it is written.
    pub name: &'static str,
    /// What becomes of it.
    pub support: Support,
}

/// What becomes of a key.
pub enum Support {
    /// It is read. The text says what it does.
    Read(&'static str),
    /// Compose gives it no effect on what runs, or none that a world could show. The text says why.
    Idle(&'static str),
    /// Compose has it, a world has not. The text says what to do instead.
    Refused(&'static str),
}

use Support::{Idle, Read, Refused};

macro_rules! keys {
    ($($name:literal $support:ident $text:literal)*) => {
        &[$(KeySpec { name: $name, support: $support($text) }),*]
    };
}

/// The top of the file.
pub const TOP: &[KeySpec] = keys! {
    "services" Read "the hosts of the world, one for each service and replica, in this order"
    "networks" Read "the networks; without any, all hosts are on one that is called `default`"
    "volumes" Read "named volumes: empty at the beginning, shared by all hosts that mount them"
    "x-snowglobe" Read "the world's own settings"
    "version" Idle "obsolete in Compose"
    "name" Idle "a label for people"
    "include" Refused "copy the services into this file"
    "secrets" Refused "mount the file with a read-only volume: `- ./secret.txt:/run/secrets/secret:ro`"
    "configs" Refused "mount the file with a read-only volume: `- ./app.conf:/etc/app.conf:ro`"
    "models" Refused "remove it: nothing outside can be reached from a world"
};

/// `x-snowglobe` at the top.
pub const WORLD: &[KeySpec] = keys! {
    "seed" Read "from which all randomness comes, when the command line gives none (1)"
    "until" Read "virtual time at which the world ends at the latest, such as `60s`"
    "start" Read "what the wall clock shows at the beginning (`2027-01-01T00:00:00Z`)"
    "latency" Read "how long a packet takes on networks that say nothing of their own (`100us`)"
    "call_cost" Read "virtual time that a system call costs (`500ns`)"
    "quantum" Read "virtual time after which a runner gives way, on average (`200us`)"
    "cpus" Read "processors that each host shows (2)"
    "memory" Read "memory that each host has: what its processes touch beyond it gets the largest of them killed; without it, each shows `4G`, and nothing bounds it"
    "disk" Read "disk that each host has (`64G`)"
    "disk-profile" Read "what a power loss may leave of what was not made durable: `ext4-ordered`, `ext4-writeback`, `xfs` or `posix-worst` (`ext4-ordered`)"
    "max_tasks" Read "processes and threads that each host may have (4096)"
    "trace_calls" Read "whether system calls are traced (true)"
    "checks" Read "checks that need no writing, to switch them off: `{growth: false}`"
    "faults" Read "what goes wrong: a timeline, or a random profile, or both (below)"
};

/// `faults` of `x-snowglobe` at the top.
pub const FAULTS: &[KeySpec] = keys! {
    "timeline" Read "faults at their times, or at calls: a list (below)"
    "profile" Read "what the seed draws besides, by a profile (below)"
    "rates" Read "how likely kinds are on in a run, such as `{partition: 80 %, kill: 0}`; a profile's own have 50 %"
    "bounds" Read "how often and how long: `{partition: {every: 2s to 20s, for: 1s to 10s}}`, with `\"*\"` for all other kinds"
    "hosts" Read "services or hosts whose processes, disks and clocks may be struck by what is drawn, and whose majority the cap is about (all whose exit status does not judge the run)"
    "after" Read "no fault is drawn before this time (0s)"
    "cap" Read "how many of those hosts may be damaged at one moment by what is drawn: `majority` (fewer than half, one of two), `none`, or a number (`majority`)"
    "quiet" Read "how long before `until` all faults have ended, hosts that they keep down come back, and nothing strikes, such as `20s`"
    "quiet_from" Read "the same by its beginning"
    "schedule" Read "how threads take turns: `usual`, `{random: 5 %}` or `{pct: 3, calls: 10000}` (`usual`)"
};

/// A kind in `bounds` of `faults`.
pub const BOUNDS: &[KeySpec] = keys! {
    "every" Read "time between two of the kind, drawn once for a run: `2s to 20s`, or one time"
    "for" Read "how long one lasts, or how long a host is down: `1s to 10s`, or one time"
};

/// `schedule` of `faults`.
pub const SCHEDULE: &[KeySpec] = keys! {
    "random" Read "any thread that can run is next, by the seed, and a turn ends at a call or a yield point with this chance"
    "pct" Read "probabilistic concurrency testing: so many changes of priority at seeded moments; the thread of the highest priority runs"
    "calls" Read "in so many calls and yield points from the beginning, with `pct`"
};

/// An entry of `timeline` of `faults`: when, how long, what, and whom.
pub const FAULT: &[KeySpec] = keys! {
    "at" Read "when, such as `10s`"
    "call" Read "a system call that sets it off, or that it is about, by name; several in a list, `\"*\"` for all"
    "nth" Read "which of those calls, from 1, all hosts together (1)"
    "host" Read "services or hosts whose calls count; all without it"
    "path" Read "pattern (`*` and `?`) of the absolute paths that count; of calls, the path that they name or that their descriptor was opened by"
    "address" Read "address that calls name or that their socket is connected to: `10.0.1.2:6379`, `10.0.1.2` or `:6379`"
    "program" Read "pattern of the names of programs whose calls count"
    "chance" Read "how likely each operation or call is struck (100 %)"
    "for" Read "how long it lasts; until the quiet time, or for ever, without it"
    "restart" Read "of `kill`, `stop` and `power-loss`: so long after `for` the service starts again"
    "partition" Read "groups of hosts that hear each other and not the others, `[[n1], [n2, n3]]`; or `one`, `halves`, `majority` or `ring`, filled by the seed (below)"
    "cut" Read "nothing arrives: `[n1, n2]` in both directions between each two, or `{from: n1, to: n2}`"
    "clog" Read "packets wait in the sender's interface, whose queue is no longer than otherwise"
    "slow" Read "packets take longer (`by`), and less of the bandwidth is left (`left`)"
    "slow-close" Read "the end of a TCP stream takes longer (`by`)"
    "reset" Read "TCP connections are reset at both ends; of one host, those with all others"
    "latency" Read "how long a packet is on its way, as in a network; this and the keys down to `corrupt` may stand together"
    "jitter" Read "at most so much is added to that or taken from it"
    "bandwidth" Read "bits per second"
    "queue" Read "bytes that wait for the bandwidth"
    "loss" Read "share of packets that are lost, or bursts"
    "duplicate" Read "share of packets that arrive twice"
    "reorder" Read "share of packets that others overtake"
    "reorder_by" Read "how long such a packet is held up at most"
    "corrupt" Read "share of packets that arrive damaged"
    "between" Read "hosts between each two of which the network is struck, in both directions"
    "from" Read "hosts that send (all)"
    "to" Read "hosts that receive (all)"
    "network" Read "on this network alone"
    "by" Read "how much: a time, `-5s` for a clock that jumps back, `500 ppm` of a drift, `insert` or `delete` of a leap second"
    "left" Read "of `slow`: what is left of the bandwidth, such as `10 %`"
    "kill" Read "SIGKILL to all processes of hosts; with `call`, `kill: caller` is the process that calls"
    "stop" Read "the service's stop signal, and SIGKILL after its grace; it stays down unless `for` or `restart` say otherwise"
    "power-loss" Read "everything of hosts is gone but what is durable on their disks, and nobody is told; without power for as long as `for`, or until `restart`"
    "pause" Read "no thread of hosts runs, and their network stands still"
    "slow-cpu" Read "each call takes longer (`by`)"
    "memory" Read "hosts have no more memory than `limit`: when their processes touch more, the largest is killed"
    "descriptors" Read "each process may have no more than `limit` descriptors"
    "limit" Read "of `descriptors`: how many; of `memory`: how much, such as `64M`"
    "overcommit" Read "of `memory`: `never` lets calls that ask for more fail with ENOMEM, and kills nobody"
    "clock-jump" Read "the wall clocks of hosts jump (`by`), and back when it ends"
    "clock-drift" Read "they gain or lose (`by`); what they have gained stays"
    "leap-second" Read "they show a second twice, or leave one out (`by`)"
    "clock-strobe" Read "they jump to and fro (`by`, `every`)"
    "every" Read "of `clock-strobe`: how often"
    "read-error" Read "reads of hosts' disks fail with EIO"
    "write-error" Read "writes fail with EIO"
    "sync-error" Read "a sync fails with EIO, and what was dirty counts as clean, as on Linux"
    "short-io" Read "reads and writes do a part of what they were asked"
    "bit-flip" Read "what is read has a wrong bit"
    "lost-write" Read "what is written to the disk does not happen"
    "misdirected-write" Read "what is written to the disk lands on another page of the file"
    "disk-latency" Read "each operation that reaches the disk takes longer (`by`)"
    "disk-stall" Read "operations that reach the disk wait"
    "disk-full" Read "no room is left: ENOSPC"
    "quota" Read "the quota is used up: EDQUOT"
    "read-only" Read "the disk is read-only: EROFS"
    "errno" Read "calls (`call`) fail with this error, such as `EIO`, and do nothing"
    "delay" Read "calls (`call`) are answered so much later"
    "starve" Read "threads of hosts do not get their turn while others can run"
    "threads" Read "of `starve`: thread ids as the host numbers them; every second one by the seed without it"
    "cause" Read "where it comes from, for people; the file and its line without it"
};

/// `cut: {..}` and its kin, long form.
pub const WAYS: &[KeySpec] = keys! {
    "between" Read "hosts between each two of which it is, in both directions"
    "from" Read "hosts that send (all)"
    "to" Read "hosts that receive (all)"
    "network" Read "on this network alone"
};

/// `partition`, long form.
pub const PARTITION: &[KeySpec] = keys! {
    "shape" Read "`one` (one host and the rest), `halves`, `majority` (a majority of random size and the rest) or `ring` (each hears a majority, no two the same one)"
    "groups" Read "groups of hosts; two hosts that are named hear each other where some group has both, and who is not named hears all"
    "hosts" Read "which hosts the shape is of (all)"
    "network" Read "on this network alone"
};

/// `x-snowglobe` in a service.
pub const SERVICE_WORLD: &[KeySpec] = keys! {
    "check" Read "whether the service's exit status judges the run (false)"
    "history" Read "that the service writes a history to the file that SNOWGLOBE_HISTORY names: its model, or a mapping (below)"
    "expect" Read "the state of its last process at the end: `running`, `ended`, `exit 0`, `signal SIGKILL`"
    "outputs" Read "what its output must or must not have: a list (below)"
    "test_composer" Read "whether the host runs test commands under `/opt/antithesis/test/v1`: `true`, or `after-setup`, when a program has said `setup_complete` (false)"
    "stdin" Read "whether the service gets the run's standard input (false)"
};

/// `history` of a service.
pub const HISTORY: &[KeySpec] = keys! {
    "model" Read "`register`, `set`, `queue`, `counter`, `bank`, `append` or `monotonic`; what the lines say without it"
    "name" Read "a name: services that write a history of one name write it together (the model)"
    "consistency" Read "of `append`: `read-uncommitted`, `read-committed`, `snapshot-isolation`, `serializable`, `strict-serializable` (the last)"
    "initial" Read "of `register` (null) and `counter` (0): the value at the beginning"
    "independent" Read "whether values are pairs of key and value, as Jepsen's independent histories have them (false)"
    "stale" Read "of `set`: whether a read may lack an element that a later one has, `allow` or `forbid` (allow)"
    "duplicates" Read "of `queue`: whether an element may come out more than once (forbid)"
    "total" Read "of `bank`: the sum of all balances (that of most snapshots)"
    "negative" Read "of `bank`: whether balances may be below zero (forbid)"
    "scope" Read "of `monotonic`: whose reads are compared, those of one `process` or of all, `global` (process)"
};

/// An entry of `outputs` of a service.
pub const OUTPUT: &[KeySpec] = keys! {
    "must_match" Read "a regular expression that some line must match"
    "must_not_match" Read "a regular expression that no line may match"
    "stream" Read "`stdout` or `stderr`; both without it"
};

/// `checks` at the top: those that need no writing.
pub const CHECKS: &[KeySpec] = keys! {
    "crash" Read "no process is ended by a signal that tells of a crash: SIGSEGV, SIGABRT and the like (true)"
    "deadlock" Read "no host's threads all wait for each other for ever (true)"
    "growth" Read "no process's memory or descriptors grow without bound (true)"
    "up" Read "every service runs at the end of the quiet time (true)"
};

/// `x-snowglobe` in a network: what its links are like, and its own settings.
pub const NETWORK_WORLD: &[KeySpec] = keys! {
    "profile" Read "a named set of the keys that follow, which each of them overrides: `lan`, `wan`, `satellite`, `lossy-wifi`"
    "latency" Read "how long a packet is on its way: a time, or a distribution (below)"
    "jitter" Read "at most so much is added to that or taken from it, evenly (0)"
    "bandwidth" Read "bits per second from each host to each other, such as `5 Mbit` (`unlimited`)"
    "queue" Read "bytes that wait for the bandwidth at most; what comes then is dropped (1000 packets)"
    "loss" Read "share of packets that are lost, such as `1 %`, or bursts of loss (below) (0)"
    "duplicate" Read "share of packets that arrive twice (0)"
    "reorder" Read "share of packets that others overtake; the rest keep their order, whatever their latencies (0)"
    "reorder_by" Read "how long such a packet is held up at most (as long as it takes anyway)"
    "corrupt" Read "share of packets that arrive damaged, which the receiver's checksum throws away (0)"
    "cut" Read "whether nothing arrives (false)"
    "clog" Read "whether packets wait in the sender's interface for ever (false)"
    "mtu" Read "bytes of an IP packet at most, from 1280, which IPv6 needs, to 65535 (1500)"
    "links" Read "what is different between some hosts: a list, of which later entries have the last word"
};

/// An entry of `links` of a network.
pub const LINK: &[KeySpec] = keys! {
    "between" Read "services or hosts, in both directions between each two; a service stands for all its replicas, `*` for all"
    "from" Read "services or hosts that send; all of the network without it"
    "to" Read "services or hosts that receive; all of the network without it"
    "profile" Read "as in the network, as all that follow; what is not said here is as there"
    "latency" Read "how long a packet is on its way"
    "jitter" Read "at most so much is added to that or taken from it"
    "bandwidth" Read "bits per second"
    "queue" Read "bytes that wait for the bandwidth"
    "loss" Read "share of packets that are lost"
    "duplicate" Read "share of packets that arrive twice"
    "reorder" Read "share of packets that others overtake"
    "reorder_by" Read "how long such a packet is held up at most"
    "corrupt" Read "share of packets that arrive damaged"
    "cut" Read "whether nothing arrives: a partition, of one direction where `from` and `to` say so"
    "clog" Read "whether packets wait in the sender's interface"
};

/// A latency that is drawn. In one line: `normal mean 40ms deviation 5ms`.
pub const LATENCY: &[KeySpec] = keys! {
    "distribution" Read "`constant`, `uniform`, `normal`, `exponential` or `pareto`"
    "mean" Read "the mean, of `constant`, `normal` (before it is cut off at `min`) and `exponential`"
    "deviation" Read "the standard deviation, of `normal`"
    "min" Read "the least: of `uniform` and `pareto`; where it is cut off, of `normal` (0); on top of which the rest is drawn, of `exponential` (0)"
    "max" Read "the longest: of `uniform`; to which longer ones are cut, of `pareto`"
    "shape" Read "how heavy the tail is, of `pareto`: the smaller, the heavier; 2 to 3 is usual"
};

/// The distributions of a latency, and what each takes.
pub const DISTRIBUTIONS: &[(&str, &[&str])] = &[
    ("constant", &["mean"]),
    ("uniform", &["min", "max"]),
    ("normal", &["mean", "deviation", "min"]),
    ("exponential", &["mean", "min"]),
    ("pareto", &["min", "shape", "max"]),
];

/// Loss in bursts (Gilbert and Elliott). In one line: `to_bad 1% to_good 25% in_bad 50%`.
pub const LOSS: &[KeySpec] = keys! {
    "to_bad" Read "chance before each packet that a good link turns bad"
    "to_good" Read "chance before each packet that a bad link turns good"
    "in_good" Read "share of packets that a good link loses (0)"
    "in_bad" Read "share of packets that a bad link loses (100 %)"
};

/// A service.
pub const SERVICE: &[KeySpec] = keys! {
    "image" Read "the root file system: a directory, an OCI image layout or a `docker save` archive; the machine's own without it"
    "command" Read "the program and its arguments"
    "entrypoint" Read "what stands before the command"
    "environment" Read "variables, as a list or a mapping"
    "env_file" Read "files with variables"
    "working_dir" Read "where the program starts"
    "hostname" Read "what `gethostname` answers; the service's name without it"
    "container_name" Read "one more name by which others find the host"
    "user" Read "user, or user:group, as numbers or as names that the root's `/etc/passwd` knows"
    "networks" Read "the networks it is on, with `ipv4_address` and `aliases`"
    "network_mode" Read "`none` for a host without a network"
    "depends_on" Read "what must have started, be healthy or have ended before it starts"
    "healthcheck" Read "how its health is asked"
    "restart" Read "`no`, `always`, `on-failure[:N]` or `unless-stopped`"
    "stop_signal" Read "signal by which it is asked to stop (SIGTERM)"
    "stop_grace_period" Read "time from that signal to SIGKILL (10s)"
    "volumes" Read "paths and named volumes of the machine's; what a host writes there stays in the world"
    "tmpfs" Read "empty file systems of the host's own"
    "deploy" Read "`replicas`"
    "scale" Read "how many hosts run it"
    "init" Read "whether process 1 is an init that reaps orphans"
    "platform" Read "`linux/amd64`"
    "x-snowglobe" Read "the service's own settings"
    "expose" Idle "hosts reach each other on every port"
    "labels" Idle "labels for people"
    "annotations" Idle "labels for people"
    "logging" Idle "output goes to the run directory"
    "attach" Idle "output goes to the run directory"
    "pull_policy" Idle "nothing is pulled"
    "build" Refused "build the image first, save it with `docker save NAME -o image.tar`, and write `image: ./image.tar`"
    "ports" Refused "remove it: hosts of a world reach each other on every port, and nothing outside reaches them"
    "links" Refused "remove it: hosts find each other by name; for another name use `networks: {NETWORK: {aliases: [NAME]}}`"
    "external_links" Refused "remove it: a world knows only its own hosts"
    "extra_hosts" Refused "give the other service an alias: `networks: {NETWORK: {aliases: [NAME]}}`"
    "extends" Refused "use a YAML anchor: `x-base: &base {..}` and `<<: *base`"
    "profiles" Refused "remove the service or the key: every service of the file runs"
    "ipc" Refused "remove it: every host has its own"
    "pid" Refused "remove it: every host has its own process ids"
    "uts" Refused "remove it: every host has its own name"
    "userns_mode" Refused "remove it"
    "cgroup" Refused "remove it"
    "cgroup_parent" Refused "remove it"
    "privileged" Refused "remove it: there are no devices to reach"
    "devices" Refused "remove it: a world has the usual pseudo devices only"
    "device_cgroup_rules" Refused "remove it: a world has the usual pseudo devices only"
    "gpus" Refused "remove it: a world has no GPU"
    "cap_add" Refused "remove it: privileges are not simulated"
    "cap_drop" Refused "remove it: privileges are not simulated"
    "security_opt" Refused "remove it: privileges are not simulated"
    "group_add" Refused "name one group with `user: USER:GROUP`"
    "sysctls" Refused "remove it: kernel settings are fixed"
    "ulimits" Refused "remove it, or set the limit in the command: `sh -c 'ulimit -n 4096; exec PROGRAM'`"
    "shm_size" Refused "remove it: `/dev/shm` is as big as the host's memory"
    "mem_limit" Read "memory that each of its hosts has, as `memory` at the top says it of all"
    "mem_reservation" Refused "remove it"
    "mem_swappiness" Refused "remove it"
    "memswap_limit" Refused "remove it"
    "oom_kill_disable" Refused "remove it"
    "oom_score_adj" Refused "remove it"
    "pids_limit" Refused "set the limit of all hosts with `x-snowglobe: {max_tasks: 4096}` at the top"
    "cpus" Refused "set the processors of all hosts with `x-snowglobe: {cpus: 2}` at the top"
    "cpu_count" Refused "set the processors of all hosts with `x-snowglobe: {cpus: 2}` at the top"
    "cpu_percent" Refused "remove it"
    "cpu_shares" Refused "remove it"
    "cpu_period" Refused "remove it"
    "cpu_quota" Refused "remove it"
    "cpu_rt_period" Refused "remove it"
    "cpu_rt_runtime" Refused "remove it"
    "cpuset" Refused "remove it"
    "blkio_config" Refused "remove it"
    "storage_opt" Refused "set the disk of all hosts with `x-snowglobe: {disk: 64G}` at the top"
    "dns" Refused "remove it: the world's own resolver answers"
    "dns_opt" Refused "remove it: the world's own resolver answers"
    "dns_search" Refused "remove it: the world's own resolver answers"
    "domainname" Refused "write the full name as `hostname`"
    "mac_address" Refused "remove it: addresses below IP are not simulated"
    "read_only" Refused "mount what must not change with a read-only volume"
    "runtime" Refused "remove it"
    "isolation" Refused "remove it"
    "credential_spec" Refused "remove it"
    "secrets" Refused "mount the file with a read-only volume: `- ./secret.txt:/run/secrets/secret:ro`"
    "configs" Refused "mount the file with a read-only volume: `- ./app.conf:/etc/app.conf:ro`"
    "volumes_from" Refused "name the volumes here too"
    "stdin_open" Refused "use `x-snowglobe: {stdin: true}` for the service that gets the run's standard input"
    "tty" Refused "remove it: a world's programs have no terminal"
    "develop" Refused "remove it"
    "post_start" Refused "put it into the command"
    "pre_stop" Refused "put it into the command"
    "provider" Refused "remove it"
    "models" Refused "remove it: nothing outside can be reached from a world"
    "use_api_socket" Refused "remove it"
};

/// A network at the top.
pub const NETWORK: &[KeySpec] = keys! {
    "ipam" Read "the subnet: `config: [{subnet: 10.0.1.0/24}]`"
    "x-snowglobe" Read "the network's own settings"
    "driver" Read "`bridge`"
    "internal" Idle "no network of a world leads outside"
    "attachable" Idle "only the world's hosts attach"
    "name" Idle "a label for people"
    "labels" Idle "labels for people"
    "enable_ipv4" Idle "every network has IPv4"
    "external" Refused "remove it: a world knows only its own networks"
    "enable_ipv6" Read "whether names have IPv6 addresses, too (false); the hosts' interfaces have them in any case"
    "driver_opts" Refused "remove it; for a delay use `x-snowglobe: {latency: 1ms}`, for an MTU `x-snowglobe: {mtu: 9000}`"
};

/// `ipam` of a network.
pub const IPAM: &[KeySpec] = keys! {
    "config" Read "one entry with a `subnet`"
    "driver" Idle "addresses are given out by Snowglobe"
    "options" Refused "remove it"
};

/// An entry of `ipam.config`.
pub const IPAM_CONFIG: &[KeySpec] = keys! {
    "subnet" Read "address and prefix length, such as `10.0.1.0/24`"
    "gateway" Read "the address of the world's resolver, instead of the subnet's first"
    "ip_range" Refused "give the hosts their addresses with `ipv4_address`"
    "aux_addresses" Refused "give the hosts their addresses with `ipv4_address`"
};

/// A network of a service.
pub const SERVICE_NETWORK: &[KeySpec] = keys! {
    "ipv4_address" Read "the host's address; the lowest free one without it"
    "aliases" Read "more names by which others on the network find it"
    "priority" Idle "interfaces stand in the order in which they are named"
    "gw_priority" Idle "no network of a world leads outside"
    "ipv6_address" Refused "use `ipv4_address`"
    "link_local_ips" Refused "remove it"
    "mac_address" Refused "remove it: addresses below IP are not simulated"
    "driver_opts" Refused "remove it"
    "interface_name" Refused "remove it: interfaces are called eth0, eth1 and so on"
};

/// A named volume at the top.
pub const VOLUME: &[KeySpec] = keys! {
    "name" Idle "a label for people"
    "labels" Idle "labels for people"
    "driver" Read "`local`"
    "external" Refused "bind a directory instead: `- ./data:/data`"
    "driver_opts" Refused "bind a directory instead: `- ./data:/data`"
};

/// A long entry of a service's `volumes`.
pub const MOUNT: &[KeySpec] = keys! {
    "type" Read "`bind`, `volume` or `tmpfs`"
    "source" Read "a path of the machine, or a volume's name"
    "target" Read "where it is in the host"
    "read_only" Read "whether writes fail"
    "bind" Idle "paths must exist"
    "volume" Idle "volumes are empty at the beginning"
    "tmpfs" Idle "its size is the host's memory"
    "consistency" Idle "there is one copy"
};

/// `deploy` of a service.
pub const DEPLOY: &[KeySpec] = keys! {
    "replicas" Read "how many hosts run it"
    "mode" Read "`replicated`"
    "labels" Idle "labels for people"
    "resources" Read "`limits`"
    "restart_policy" Refused "use `restart` of the service"
    "placement" Refused "remove it"
    "endpoint_mode" Refused "remove it"
    "update_config" Refused "remove it"
    "rollback_config" Refused "remove it"
};

/// `resources` of `deploy`.
pub const RESOURCES: &[KeySpec] = keys! {
    "limits" Read "`memory`"
    "reservations" Idle "every host has what it needs"
};

/// `limits` of `resources`.
pub const LIMITS: &[KeySpec] = keys! {
    "memory" Read "as `mem_limit` of the service"
    "cpus" Refused "set the processors of all hosts with `x-snowglobe: {cpus: 2}` at the top"
    "pids" Refused "set the limit of all hosts with `x-snowglobe: {max_tasks: 4096}` at the top"
};

/// `healthcheck` of a service.
pub const HEALTHCHECK: &[KeySpec] = keys! {
    "test" Read "a command line, or a list that begins with `CMD`, `CMD-SHELL` or `NONE`"
    "interval" Read "time between two checks (30s)"
    "timeout" Read "time after which a check has failed (30s)"
    "retries" Read "failures in a row that make it unhealthy (3)"
    "start_period" Read "time at the beginning in which failures do not count (0s)"
    "start_interval" Read "time between two checks in that time, until one passes (5s, or `interval` where that is less)"
    "disable" Read "whether there is none"
};

/// A long entry of `depends_on`.
pub const DEPENDENCY: &[KeySpec] = keys! {
    "condition" Read "`service_started`, `service_healthy` or `service_completed_successfully`"
    "required" Idle "every service of the file runs"
    "restart" Refused "remove it: a restart of one service leaves the others running"
};

/// A long entry of `env_file`.
pub const ENV_FILE: &[KeySpec] = keys! {
    "path" Read "the file"
    "required" Read "whether it must exist (true)"
    "format" Refused "remove it"
};

/// The entries of a mapping whose keys were checked.
pub struct Fields<'a> {
    entries: Vec<(&'a Key, &'a Node)>,
    /// Where the mapping is.
    pub span: Span,
}

impl<'a> Fields<'a> {
    /// The value of a key that says something.
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| *node)
    }

    /// The key itself, for its place.
    pub fn key(&self, name: &str) -> Option<&'a Key> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(key, _)| *key)
    }
}

/// The entries of a mapping, whatever their keys, each once.
pub fn entries<'a>(node: &'a Node, what: &str, problems: &mut Problems) -> Vec<(&'a Key, &'a Node)> {
    let list = match &node.value {
        Value::Null => return Vec::new(),
        Value::Map(list) => list,
        _ => {
            problems.error(
                node.span,
                format!("{what} must be a mapping, and here is {}", node.kind()),
                "here",
                "write `name: value` lines, indented below it",
            );
            return Vec::new();
        }
    };
    let mut out: Vec<(&Key, &Node)> = Vec::with_capacity(list.len());
    let mut seen = std::collections::BTreeMap::new();
    for (key, value) in list {
        if let Some(first) = seen.insert(key.name.as_str(), key.span) {
            problems.clash(
                (key.span, "again here"),
                (first, "first here"),
                format!("{what} has `{}` twice", key.name),
                "remove or rename one of them",
            );
        } else {
            out.push((key, value));
        }
    }
    out
}

/// The entries of a mapping whose keys come from a table: an unknown or refused one is noted, with what to do.
pub fn fields<'a>(node: &'a Node, what: &str, table: &'static [KeySpec], problems: &mut Problems) -> Fields<'a> {
    let mut kept = Vec::new();
    for (key, value) in entries(node, what, problems) {
        match table.iter().find(|spec| spec.name == key.name).map(|spec| &spec.support) {
            Some(Read(_)) => kept.push((key, value)),
            Some(Idle(_)) => {}
            Some(Refused(_)) if asks_nothing(value) => {}
            Some(Refused(advice)) => {
                problems.error(key.span, format!("{what}: `{}` is not supported", key.name), "not supported", *advice);
            }
            None => unknown(key, what, table, problems),
        }
    }
    Fields { entries: kept, span: node.span }
}

/// `privileged: false`, `ports: []`: files say so what is so without it, and what a world lacks is then not missed.
fn asks_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Scalar(text) => text == "false",
        Value::Seq(list) => list.is_empty(),
        Value::Map(list) => list.is_empty(),
    }
}

fn unknown(key: &Key, what: &str, table: &'static [KeySpec], problems: &mut Problems) {
    let names = || table.iter().filter(|spec| !matches!(spec.support, Refused(_))).map(|spec| spec.name);
    let near = nearest(&key.name, names());
    // Compose leaves `x-` keys to their owners; a slip in ours would otherwise pass unseen.
    if key.name.starts_with("x-") && near != Some("x-snowglobe") {
        return;
    }
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if WORLD.iter().chain(SERVICE_WORLD).any(|spec| spec.name == key.name) => {
            format!("Snowglobe's own keys stand under `x-snowglobe:`, so `x-snowglobe: {{{}: ..}}`", key.name)
        }
        None => {
            let read = table.iter().filter(|spec| matches!(spec.support, Read(_)));
            format!("known keys: {}", read.map(|spec| spec.name).collect::<Vec<_>>().join(", "))
        }
    };
    problems.error(key.span, format!("{what}: unknown key `{}`", key.name), "unknown", help);
}

/// The reference of the world file's keys, in Markdown, made from the tables.
pub fn reference() -> String {
    let sections: [(&str, &[KeySpec]); 28] = [
        ("Top", TOP),
        ("`x-snowglobe` at the top", WORLD),
        ("`faults`", FAULTS),
        ("`timeline` of `faults`", FAULT),
        ("`partition`, long form", PARTITION),
        ("`cut`, `clog`, `slow`, `slow-close` and `reset`, long form", WAYS),
        ("`schedule` of `faults`", SCHEDULE),
        ("A kind in `bounds` of `faults`", BOUNDS),
        ("A service", SERVICE),
        ("`x-snowglobe` in a service", SERVICE_WORLD),
        ("`history` of a service", HISTORY),
        ("`outputs` of a service", OUTPUT),
        ("`checks` at the top", CHECKS),
        ("A network of a service", SERVICE_NETWORK),
        ("`healthcheck`", HEALTHCHECK),
        ("`depends_on`, long form", DEPENDENCY),
        ("`volumes` of a service, long form", MOUNT),
        ("`deploy`", DEPLOY),
        ("`resources` of `deploy`", RESOURCES),
        ("`limits` of `resources`", LIMITS),
        ("`env_file`, long form", ENV_FILE),
        ("A network", NETWORK),
        ("`x-snowglobe` in a network", NETWORK_WORLD),
        ("`links` of a network", LINK),
        ("`latency`, drawn", LATENCY),
        ("`loss`, in bursts", LOSS),
        ("`ipam.config`", IPAM_CONFIG),
        ("A volume", VOLUME),
    ];
    let mut out = String::new();
    for (title, table) in sections {
        out += &format!("## {title}\n\n| Key | What |\n|---|---|\n");
        for spec in table {
            let text = match spec.support {
                Read(text) => text.to_owned(),
                Idle(text) => format!("accepted without effect: {text}"),
                Refused(text) => format!("refused: {text}"),
            };
            out += &format!("| `{}` | {} |\n", spec.name, text.replace('|', "\\|"));
        }
        out.push('\n');
    }
    out += &format!("## Profiles of links\n\n{}\n", crate::link::reference());
    out + "## Profiles of faults\n\n" + &crate::faults::reference()
}
