//! `/proc` and `/sys`, computed when they are read (`proc(5)`, `sysfs(5)`).
//!
//! One table of patterns says what exists; `[pid]`, `[tid]`, `[fd]` and `[cpu]` stand for numbers that exist now, `[if]` for
//! the interfaces of a host, `[count]` for what each of them counts.

use super::file::{FileKind, FileRef};
use super::inode::{Inode, InodeRef, Node};
use super::path::{Found, Link};
use crate::calls::misc::{RELEASE, VERSION};
use crate::mm::Source;
use crate::task::{HostId, ProcId, Process, State, TaskId};
use crate::time::SECOND;
use crate::uapi::*;
use crate::{Cx, Kernel};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_net::link::Interface;

/// Which tree a node is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tree {
    Proc,
    Sys,
}

/// A computed file or directory.
pub struct ProcNode {
    host: u32,
    tree: Tree,
    /// Names from the root.
    path: Vec<String>,
    parent: Option<InodeRef>,
}

impl ProcNode {
    /// `/proc`
    pub fn root(host: u32) -> ProcNode {
        ProcNode { host, tree: Tree::Proc, path: Vec::new(), parent: None }
    }

    /// `/sys`
    pub fn sys(host: u32) -> ProcNode {
        ProcNode { host, tree: Tree::Sys, path: Vec::new(), parent: None }
    }

    /// The directory above.
    pub fn parent(&self) -> Option<InodeRef> {
        self.parent.clone()
    }

    /// Its name there.
    pub fn name(&self) -> Vec<u8> {
        self.path.last().map(|s| s.clone().into_bytes()).unwrap_or_default()
    }

    fn number(&self, i: usize) -> Option<u32> {
        self.path.get(i)?.parse().ok()
    }

    /// The process that the path names.
    pub fn process(&self, k: &Kernel) -> Option<ProcId> {
        k.hosts[self.host as usize].pids.get(&self.number(0)?).copied()
    }

    /// The process that stands behind `/proc/[pid]` itself.
    ///
    /// # Errors
    /// `EBADF` for any other node, `ESRCH` when the process is gone.
    pub fn as_process(&self, k: &Kernel) -> Result<ProcId> {
        if self.tree != Tree::Proc || self.path.len() != 1 || self.number(0).is_none() {
            return Err(Errno::EBADF);
        }
        self.process(k).ok_or(Errno::ESRCH)
    }

    /// The thread that the path names: that of `task/[tid]`, else the main thread.
    fn thread(&self, k: &Kernel) -> Option<TaskId> {
        let host = &k.hosts[self.host as usize];
        if self.path.get(1).is_some_and(|s| s == "task") && self.path.len() > 2 {
            return host.tids.get(&self.number(2)?).copied();
        }
        k.proc(self.process(k)?).threads.first().copied()
    }
}

/// The mount that all files are said to be on (`mnt_id`).
pub const MOUNT_ID: u32 = 21;

#[derive(Clone, Copy)]
enum What {
    /// A file with this text.
    Text(fn(&Cx, &ProcNode) -> Result<Vec<u8>>),
    /// A file with this constant text.
    Fixed(&'static str),
    /// A symbolic link.
    Link,
    /// A directory.
    Dir,
}

use What::{Dir, Fixed, Link as Symlink, Text};

/// `/proc`. Directories come before what is in them.
static PROC: &[(&str, What)] = &[
    ("self", Symlink),
    ("thread-self", Symlink),
    ("mounts", Symlink),
    ("net", Symlink),
    ("meminfo", Text(meminfo)),
    ("cpuinfo", Text(cpuinfo)),
    ("stat", Text(stat)),
    ("uptime", Text(uptime)),
    ("loadavg", Fixed("0.00 0.00 0.00 1/1 1\n")),
    ("version", Text(version)),
    ("config.gz", Text(|_, _| Ok(crate::fs::config::gz()))),
    ("cmdline", Fixed("quiet\n")),
    ("filesystems", Fixed("nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tdevpts\n\text4\n")),
    ("devices", Fixed("Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n  8 sd\n")),
    ("swaps", Fixed("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")),
    ("partitions", Fixed("major minor  #blocks  name\n\n")),
    ("diskstats", Fixed("")),
    ("vmstat", Fixed("nr_free_pages 500000\npgfault 0\npgmajfault 0\n")),
    ("cgroups", Fixed("#subsys_name\thierarchy\tnum_cgroups\tenabled\n")),
    ("modules", Fixed("")),
    ("interrupts", Fixed("")),
    ("sysvipc", Dir),
    ("sysvipc/shm", Text(|cx, n| Ok(cx.k.proc_shm(n.host).into_bytes()))),
    ("sysvipc/sem", Text(|cx, n| Ok(cx.k.proc_sem(n.host).into_bytes()))),
    ("sysvipc/msg", Text(|cx, n| Ok(cx.k.proc_msg(n.host).into_bytes()))),
    ("sys", Dir),
    ("sys/kernel", Dir),
    ("sys/kernel/hostname", Text(|cx, n| line(&cx.k.hosts[n.host as usize].hostname))),
    ("sys/kernel/domainname", Text(|cx, n| line(&cx.k.hosts[n.host as usize].domainname))),
    ("sys/kernel/osrelease", Text(|_, _| line(RELEASE))),
    ("sys/kernel/ostype", Fixed("Linux\n")),
    ("sys/kernel/version", Text(|_, _| line(VERSION))),
    ("sys/kernel/tainted", Fixed("0\n")),
    ("sys/kernel/pid_max", Fixed("4194304\n")),
    ("sys/kernel/threads-max", Fixed("63000\n")),
    ("sys/kernel/cap_last_cap", Fixed("40\n")),
    ("sys/kernel/ngroups_max", Fixed("65536\n")),
    ("sys/kernel/overflowuid", Fixed("65534\n")),
    ("sys/kernel/overflowgid", Fixed("65534\n")),
    ("sys/kernel/core_pattern", Fixed("core\n")),
    ("sys/kernel/core_uses_pid", Fixed("0\n")),
    ("sys/kernel/randomize_va_space", Fixed("0\n")),
    ("sys/kernel/shmmax", Fixed("18446744073692774399\n")),
    ("sys/kernel/shmall", Fixed("18446744073692774399\n")),
    ("sys/kernel/shmmni", Fixed("4096\n")),
    ("sys/kernel/sem", Fixed("32000\t1024000000\t500\t32000\n")),
    ("sys/kernel/msgmax", Fixed("8192\n")),
    ("sys/kernel/msgmnb", Fixed("16384\n")),
    ("sys/kernel/msgmni", Fixed("32000\n")),
    ("sys/kernel/seccomp", Dir),
    ("sys/kernel/seccomp/actions_avail", Fixed("kill_process kill_thread trap errno trace log allow\n")),
    ("sys/kernel/yama", Dir),
    ("sys/kernel/yama/ptrace_scope", Fixed("1\n")),
    ("sys/kernel/random", Dir),
    ("sys/kernel/random/boot_id", Text(|cx, n| uuid(cx, &cx.k.boot_name(n.host)))),
    ("sys/kernel/random/uuid", Text(|cx, _| uuid(cx, &format!("uuid {}", cx.k.sched.now)))),
    ("sys/kernel/random/entropy_avail", Fixed("256\n")),
    ("sys/kernel/random/poolsize", Fixed("256\n")),
    ("sys/vm", Dir),
    ("sys/vm/overcommit_memory", Text(|cx, n| line(&cx.k.overcommit(HostId(n.host)).to_string()))),
    ("sys/vm/overcommit_ratio", Fixed("50\n")),
    ("sys/vm/max_map_count", Fixed("1048576\n")),
    ("sys/vm/swappiness", Fixed("60\n")),
    ("sys/vm/nr_hugepages", Fixed("0\n")),
    ("sys/vm/mmap_min_addr", Fixed("65536\n")),
    ("sys/vm/dirty_ratio", Fixed("20\n")),
    ("sys/vm/dirty_background_ratio", Fixed("10\n")),
    ("sys/fs", Dir),
    ("sys/fs/file-max", Fixed("9223372036854775807\n")),
    ("sys/fs/nr_open", Fixed("1048576\n")),
    ("sys/fs/file-nr", Fixed("1024\t0\t9223372036854775807\n")),
    ("sys/fs/pipe-max-size", Fixed("1048576\n")),
    ("sys/fs/pipe-user-pages-soft", Fixed("0\n")),
    ("sys/fs/pipe-user-pages-hard", Fixed("0\n")),
    ("sys/fs/aio-max-nr", Fixed("65536\n")),
    ("sys/fs/inotify", Dir),
    ("sys/fs/inotify/max_user_watches", Fixed("65536\n")),
    ("sys/fs/inotify/max_user_instances", Fixed("128\n")),
    ("sys/fs/inotify/max_queued_events", Fixed("16384\n")),
    ("sys/fs/mqueue", Dir),
    ("sys/fs/mqueue/msg_max", Fixed("10\n")),
    ("sys/fs/mqueue/msgsize_max", Fixed("8192\n")),
    ("sys/fs/mqueue/queues_max", Fixed("256\n")),
    ("sys/net", Dir),
    ("sys/net/core", Dir),
    ("sys/net/core/somaxconn", Fixed("4096\n")),
    ("sys/net/core/rmem_max", Fixed("212992\n")),
    ("sys/net/core/wmem_max", Fixed("212992\n")),
    ("sys/net/core/rmem_default", Fixed("212992\n")),
    ("sys/net/core/wmem_default", Fixed("212992\n")),
    ("sys/net/core/netdev_max_backlog", Fixed("1000\n")),
    ("sys/net/ipv4", Dir),
    ("sys/net/ipv4/tcp_max_syn_backlog", Fixed("1024\n")),
    ("sys/net/ipv4/tcp_keepalive_time", Fixed("7200\n")),
    ("sys/net/ipv4/tcp_keepalive_intvl", Fixed("75\n")),
    ("sys/net/ipv4/tcp_keepalive_probes", Fixed("9\n")),
    ("sys/net/ipv4/tcp_fin_timeout", Fixed("60\n")),
    ("sys/net/ipv4/tcp_syncookies", Fixed("1\n")),
    ("sys/net/ipv4/tcp_fastopen", Fixed("1\n")),
    ("sys/net/ipv4/tcp_rmem", Fixed("4096\t131072\t6291456\n")),
    ("sys/net/ipv4/tcp_wmem", Fixed("4096\t16384\t4194304\n")),
    ("sys/net/ipv4/ip_local_port_range", Fixed("32768\t60999\n")),
    ("sys/net/ipv4/ip_unprivileged_port_start", Fixed("1024\n")),
    ("sys/net/ipv4/ip_forward", Fixed("0\n")),
    ("sys/net/ipv4/ip_default_ttl", Fixed("64\n")),
    ("sys/net/ipv4/ip_nonlocal_bind", Fixed("0\n")),
    ("sys/net/ipv4/ping_group_range", Fixed("0\t2147483647\n")),
    ("sys/net/ipv4/icmp_echo_ignore_all", Fixed("0\n")),
    ("sys/net/ipv4/icmp_echo_ignore_broadcasts", Fixed("1\n")),
    ("sys/net/ipv4/igmp_max_memberships", Fixed("20\n")),
    ("sys/net/ipv4/igmp_max_msf", Fixed("10\n")),
    ("sys/net/ipv4/tcp_max_tw_buckets", Fixed("8192\n")),
    ("sys/net/ipv4/tcp_congestion_control", Fixed("cubic\n")),
    ("sys/net/ipv4/tcp_available_congestion_control", Fixed("reno cubic\n")),
    ("sys/net/ipv4/tcp_allowed_congestion_control", Fixed("reno cubic\n")),
    ("sys/net/unix", Dir),
    ("sys/net/unix/max_dgram_qlen", Fixed("10\n")),
    ("sys/net/core/optmem_max", Fixed("131072\n")),
    ("sys/net/ipv6", Dir),
    ("sys/net/ipv6/conf", Dir),
    ("sys/net/ipv6/conf/all", Dir),
    ("sys/net/ipv6/conf/all/disable_ipv6", Fixed("0\n")),
    ("sys/net/ipv6/bindv6only", Fixed("0\n")),
    ("[pid]", Dir),
    ("[pid]/cmdline", Text(|cx, n| Ok(process(cx, n)?.cmdline.clone()))),
    ("[pid]/environ", Text(|cx, n| Ok(process(cx, n)?.environ.clone()))),
    ("[pid]/auxv", Text(|cx, n| Ok(process(cx, n)?.auxv.clone()))),
    ("[pid]/comm", Text(comm)),
    ("[pid]/stat", Text(pid_stat)),
    ("[pid]/statm", Text(pid_statm)),
    ("[pid]/status", Text(pid_status)),
    ("[pid]/maps", Text(maps)),
    ("[pid]/smaps", Text(maps)),
    ("[pid]/limits", Text(limits)),
    ("[pid]/mounts", Text(mounts)),
    ("[pid]/mountinfo", Text(mountinfo)),
    ("[pid]/cgroup", Fixed("0::/\n")),
    ("[pid]/oom_adj", Fixed("0\n")),
    ("[pid]/oom_score", Fixed("0\n")),
    ("[pid]/oom_score_adj", Text(|cx, n| line(&process(cx, n)?.oom_score_adj.to_string()))),
    ("[pid]/loginuid", Fixed("4294967295")),
    ("[pid]/sessionid", Fixed("4294967295")),
    ("[pid]/uid_map", Fixed("         0          0 4294967295\n")),
    ("[pid]/gid_map", Fixed("         0          0 4294967295\n")),
    ("[pid]/setgroups", Fixed("allow\n")),
    ("[pid]/wchan", Fixed("0")),
    ("[pid]/personality", Fixed("00000000\n")),
    ("[pid]/coredump_filter", Fixed("00000033\n")),
    ("[pid]/schedstat", Fixed("0 0 0\n")),
    ("[pid]/timerslack_ns", Text(|cx, n| line(&process(cx, n)?.timer_slack.to_string()))),
    (
        "[pid]/io",
        Fixed("rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"),
    ),
    ("[pid]/exe", Symlink),
    ("[pid]/cwd", Symlink),
    ("[pid]/root", Symlink),
    ("[pid]/fd", Dir),
    ("[pid]/fd/[fd]", Symlink),
    ("[pid]/fdinfo", Dir),
    ("[pid]/fdinfo/[fd]", Text(fdinfo)),
    ("[pid]/task", Dir),
    ("[pid]/task/[tid]", Dir),
    ("[pid]/task/[tid]/comm", Text(comm)),
    ("[pid]/task/[tid]/stat", Text(pid_stat)),
    ("[pid]/task/[tid]/status", Text(pid_status)),
    ("[pid]/task/[tid]/cmdline", Text(|cx, n| Ok(process(cx, n)?.cmdline.clone()))),
    ("[pid]/task/[tid]/maps", Text(maps)),
    ("[pid]/net", Dir),
    ("[pid]/net/tcp", Text(|cx, n| cx.k.sockets.proc_net(n.host, "tcp"))),
    ("[pid]/net/tcp6", Text(|cx, n| cx.k.sockets.proc_net(n.host, "tcp6"))),
    ("[pid]/net/udp", Text(|cx, n| cx.k.sockets.proc_net(n.host, "udp"))),
    ("[pid]/net/udp6", Text(|cx, n| cx.k.sockets.proc_net(n.host, "udp6"))),
    ("[pid]/net/unix", Text(|cx, n| cx.k.sockets.proc_net(n.host, "unix"))),
    ("[pid]/net/dev", Text(|cx, n| cx.k.sockets.proc_net(n.host, "dev"))),
    ("[pid]/net/route", Text(|cx, n| cx.k.sockets.proc_net(n.host, "route"))),
    ("[pid]/net/if_inet6", Text(|cx, n| cx.k.sockets.proc_net(n.host, "if_inet6"))),
    ("[pid]/net/raw", Text(|cx, n| cx.k.sockets.proc_net(n.host, "raw"))),
    ("[pid]/net/raw6", Text(|cx, n| cx.k.sockets.proc_net(n.host, "raw6"))),
    ("[pid]/net/icmp", Text(|cx, n| cx.k.sockets.proc_net(n.host, "icmp"))),
    ("[pid]/net/icmp6", Text(|cx, n| cx.k.sockets.proc_net(n.host, "icmp6"))),
    ("[pid]/net/netlink", Text(|cx, n| cx.k.sockets.proc_net(n.host, "netlink"))),
    ("[pid]/net/snmp", Text(|cx, n| cx.k.sockets.proc_net(n.host, "snmp"))),
    ("[pid]/net/netstat", Text(|cx, n| cx.k.sockets.proc_net(n.host, "netstat"))),
    ("[pid]/net/sockstat", Text(|cx, n| cx.k.sockets.proc_net(n.host, "sockstat"))),
    ("[pid]/net/sockstat6", Text(|cx, n| cx.k.sockets.proc_net(n.host, "sockstat6"))),
    ("[pid]/net/arp", Text(|cx, n| cx.k.sockets.proc_net(n.host, "arp"))),
    ("[pid]/net/softnet_stat", Text(softnet)),
    // AF_PACKET is not there: nobody has such a socket.
    ("[pid]/net/packet", Fixed("sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n")),
];

/// `/sys`.
static SYS: &[(&str, What)] = &[
    ("devices", Dir),
    ("devices/system", Dir),
    ("devices/system/cpu", Dir),
    ("devices/system/cpu/online", Text(cpu_range)),
    ("devices/system/cpu/possible", Text(cpu_range)),
    ("devices/system/cpu/present", Text(cpu_range)),
    ("devices/system/cpu/kernel_max", Fixed("8191\n")),
    ("devices/system/cpu/[cpu]", Dir),
    ("devices/system/cpu/[cpu]/topology", Dir),
    ("devices/system/cpu/[cpu]/topology/physical_package_id", Fixed("0\n")),
    ("devices/system/cpu/[cpu]/topology/core_id", Text(|_, n| line(n.path[3].trim_start_matches("cpu")))),
    ("devices/system/node", Dir),
    ("devices/system/node/online", Fixed("0\n")),
    ("devices/system/node/possible", Fixed("0\n")),
    ("kernel", Dir),
    ("kernel/mm", Dir),
    ("kernel/mm/transparent_hugepage", Dir),
    ("kernel/mm/transparent_hugepage/enabled", Fixed("always madvise [never]\n")),
    ("kernel/mm/transparent_hugepage/hpage_pmd_size", Fixed("2097152\n")),
    ("kernel/mm/hugepages", Dir),
    ("fs", Dir),
    ("fs/cgroup", Dir),
    ("devices/virtual", Dir),
    ("devices/virtual/net", Dir),
    ("devices/virtual/net/[if]", Dir),
    ("devices/virtual/net/[if]/addr_assign_type", Fixed("0\n")),
    ("devices/virtual/net/[if]/addr_len", Fixed("6\n")),
    ("devices/virtual/net/[if]/address", Text(|cx, n| line(&colons(&interface(cx, n)?.mac)))),
    (
        "devices/virtual/net/[if]/broadcast",
        Text(|cx, n| line(&colons(if wired(cx, n)? { &[0xff; 6] } else { &[0; 6] }))),
    ),
    ("devices/virtual/net/[if]/carrier", Fixed("1\n")),
    ("devices/virtual/net/[if]/carrier_changes", Fixed("0\n")),
    ("devices/virtual/net/[if]/carrier_down_count", Fixed("0\n")),
    ("devices/virtual/net/[if]/carrier_up_count", Fixed("0\n")),
    ("devices/virtual/net/[if]/dev_id", Fixed("0x0\n")),
    ("devices/virtual/net/[if]/dev_port", Fixed("0\n")),
    ("devices/virtual/net/[if]/dormant", Fixed("0\n")),
    ("devices/virtual/net/[if]/duplex", Text(|cx, n| if wired(cx, n)? { line("full") } else { Err(Errno::EINVAL) })),
    ("devices/virtual/net/[if]/flags", Text(|cx, n| line(if wired(cx, n)? { "0x1003" } else { "0x9" }))),
    ("devices/virtual/net/[if]/ifalias", Fixed("")),
    ("devices/virtual/net/[if]/ifindex", Text(|cx, n| line(&interface(cx, n)?.index.to_string()))),
    ("devices/virtual/net/[if]/iflink", Text(|cx, n| line(&interface(cx, n)?.index.to_string()))),
    ("devices/virtual/net/[if]/link_mode", Fixed("0\n")),
    ("devices/virtual/net/[if]/mtu", Text(|cx, n| line(&interface(cx, n)?.mtu.to_string()))),
    ("devices/virtual/net/[if]/name_assign_type", Fixed("4\n")),
    ("devices/virtual/net/[if]/netdev_group", Fixed("0\n")),
    ("devices/virtual/net/[if]/operstate", Text(|cx, n| line(if wired(cx, n)? { "up" } else { "unknown" }))),
    ("devices/virtual/net/[if]/proto_down", Fixed("0\n")),
    ("devices/virtual/net/[if]/speed", Text(|cx, n| if wired(cx, n)? { line("10000") } else { Err(Errno::EINVAL) })),
    ("devices/virtual/net/[if]/statistics", Dir),
    ("devices/virtual/net/[if]/statistics/[count]", Fixed("0\n")),
    ("devices/virtual/net/[if]/subsystem", Symlink),
    ("devices/virtual/net/[if]/tx_queue_len", Fixed("1000\n")),
    ("devices/virtual/net/[if]/type", Text(|cx, n| line(if wired(cx, n)? { "1" } else { "772" }))),
    ("devices/virtual/net/[if]/uevent", Text(uevent)),
    ("class", Dir),
    ("class/net", Dir),
    ("class/net/[if]", Symlink),
    ("block", Dir),
    ("module", Dir),
];

fn table(tree: Tree) -> &'static [(&'static str, What)] {
    match tree {
        Tree::Proc => PROC,
        Tree::Sys => SYS,
    }
}

fn line(text: &str) -> Result<Vec<u8>> {
    let mut out = text.as_bytes().to_vec();
    out.push(b'\n');
    Ok(out)
}

/// Whether a pattern's parts stand for a path.
fn fits(pattern: &str, path: &[String]) -> bool {
    let mut parts = pattern.split('/');
    for name in path {
        let Some(part) = parts.next() else { return false };
        let ok = match part {
            "[pid]" | "[tid]" | "[fd]" => canonical(name).is_some(),
            // Which interfaces there are is the host's affair: `exists` knows.
            "[if]" => true,
            "[count]" => STATISTICS.contains(&name.as_str()),
            "[cpu]" => name.strip_prefix("cpu").is_some_and(|n| canonical(n).is_some()),
            part => part == name,
        };
        if !ok {
            return false;
        }
    }
    parts.next().is_none()
}

fn canonical(name: &str) -> Option<u32> {
    let n: u32 = name.parse().ok()?;
    (n.to_string() == name).then_some(n)
}

fn what(node: &ProcNode) -> Option<What> {
    if node.path.is_empty() {
        return Some(Dir);
    }
    table(node.tree).iter().find(|(p, _)| fits(p, &node.path)).map(|(_, w)| *w)
}

/// Whether the numbers in a path are of something that is there.
fn exists(k: &Kernel, node: &ProcNode) -> bool {
    if node.tree == Tree::Sys {
        if node.path.iter().any(|part| part == "net") && interface_name(node).is_some() {
            return interface_of(k, node).is_some();
        }
        let cpu = node.path.get(3).and_then(|n| n.strip_prefix("cpu")).and_then(|n| n.parse::<u32>().ok());
        return cpu.is_none_or(|c| c < k.spec.knobs.cpus);
    }
    if node.number(0).is_none() {
        return true;
    }
    let Some(id) = node.process(k) else { return false };
    match (node.path.get(1).map(String::as_str), node.path.get(2)) {
        (Some("fd" | "fdinfo"), Some(_)) => node.number(2).is_some_and(|fd| descriptor(k, id, fd).is_some()),
        (Some("task"), Some(_)) => node.thread(k).is_some_and(|t| k.task(t).proc == id),
        _ => true,
    }
}

fn descriptor(k: &Kernel, id: ProcId, fd: u32) -> Option<FileRef> {
    k.proc(id).fds.borrow().get(fd as i32).ok().cloned()
}

/// Finds a name in a computed directory.
///
/// # Errors
/// `ENOENT`, `ENOTDIR`.
pub fn lookup(k: &Kernel, dir: &InodeRef, node: &ProcNode, name: &[u8], _caller: ProcId) -> Result<InodeRef> {
    let name = core::str::from_utf8(name).map_err(|_| Errno::ENOENT)?;
    let mut path = node.path.clone();
    path.push(name.to_string());
    let child = ProcNode { host: node.host, tree: node.tree, path, parent: Some(dir.clone()) };
    let what = what(&child).ok_or(Errno::ENOENT)?;
    if !exists(k, &child) {
        return Err(Errno::ENOENT);
    }
    let mode = match what {
        Dir if child.path.get(1).is_some_and(|p| p == "fd") => S_IFDIR | 0o500,
        Dir => S_IFDIR | 0o555,
        Symlink => S_IFLNK | 0o777,
        Text(_) | Fixed(_) if writable(&child) => S_IFREG | 0o644,
        Text(_) | Fixed(_) => S_IFREG | 0o444,
    };
    let (uid, gid) = owner(k, &child);
    Ok(Inode::new(&dir.fs, mode, uid, gid, k.realtime(), Node::Proc(child)))
}

fn writable(node: &ProcNode) -> bool {
    let last = node.path.last().map_or("", String::as_str);
    matches!(
        last,
        "oom_score_adj" | "oom_adj" | "comm" | "timerslack_ns" | "coredump_filter" | "loginuid" | "setgroups"
    ) || node.path.first().is_some_and(|p| p == "sys") && node.path.len() > 2
}

/// Who owns a computed file.
pub fn owner(k: &Kernel, node: &ProcNode) -> (u32, u32) {
    match node.process(k) {
        Some(id) if node.tree == Tree::Proc => (k.proc(id).cred.euid, k.proc(id).cred.egid),
        _ => (0, 0),
    }
}

/// Whether a computed file may be opened with these flags.
///
/// # Errors
/// `EACCES`.
pub fn check_open(cx: &Cx, node: &ProcNode, flags: u32) -> Result<()> {
    if !exists(cx.k, node) {
        return Err(Errno::ENOENT);
    }
    if flags & O_ACCMODE != O_RDONLY && !writable(node) { Err(Errno::EACCES) } else { Ok(()) }
}

/// Where a link of `/proc` leads.
///
/// # Errors
/// `ENOENT`.
pub fn follow(k: &Kernel, node: &ProcNode, caller: ProcId) -> Result<Link> {
    let path: Vec<&str> = node.path.iter().map(String::as_str).collect();
    let pid = k.proc(caller).pid;
    let magic = |inode: InodeRef, file: Option<FileRef>| {
        Link::Magic(Found { dir: inode.clone(), name: Vec::new(), node: Some(inode), slash: false, file })
    };
    let id = node.process(k);
    match path[..] {
        ["self"] => Ok(Link::To(pid.to_string().into_bytes())),
        ["thread-self"] => {
            let tid = k.task(k.current).tid;
            Ok(Link::To(format!("{pid}/task/{tid}").into_bytes()))
        }
        ["mounts"] => Ok(Link::To(b"self/mounts".to_vec())),
        ["net"] => Ok(Link::To(b"self/net".to_vec())),
        ["class", "net", name] => Ok(Link::To(format!("../../devices/virtual/net/{name}").into_bytes())),
        ["devices", .., "subsystem"] => Ok(Link::To(b"../../../../class/net".to_vec())),
        [_, "exe"] => {
            let p = k.proc(id.ok_or(Errno::ENOENT)?);
            let inode = p.exe_inode.clone().ok_or(Errno::ENOENT)?;
            let (dir, name) = p.exe_place.clone().ok_or(Errno::ENOENT)?;
            Ok(Link::Magic(Found { dir, name, node: Some(inode), slash: false, file: None }))
        }
        [_, "cwd"] => Ok(magic(k.proc(id.ok_or(Errno::ENOENT)?).fs.borrow().cwd.clone(), None)),
        [_, "root"] => Ok(magic(k.proc(id.ok_or(Errno::ENOENT)?).fs.borrow().root.clone(), None)),
        [_, "fd", fd] => {
            let fd = fd.parse().map_err(|_| Errno::ENOENT)?;
            let file = descriptor(k, id.ok_or(Errno::ENOENT)?, fd).ok_or(Errno::ENOENT)?;
            let here = node.parent.clone().ok_or(Errno::ENOENT)?;
            match &file.inode {
                Some(inode) => {
                    let (dir, name) = file.name.clone().unwrap_or((inode.clone(), Vec::new()));
                    let found = Found { dir, name, node: Some(inode.clone()), slash: false, file: Some(file.clone()) };
                    Ok(Link::Magic(found))
                }
                // Something without an inode: the walk ends at the directory, and the file says what it is.
                None => Ok(Link::Magic(Found {
                    dir: here,
                    name: fd.to_string().into_bytes(),
                    node: Some(stand_in(k, node, &file)),
                    slash: false,
                    file: Some(file),
                })),
            }
        }
        _ => Err(Errno::ENOENT),
    }
}

/// An inode with the type of something that has none of its own.
fn stand_in(k: &Kernel, node: &ProcNode, file: &FileRef) -> InodeRef {
    let fs = node.parent.as_ref().map(|p| p.fs.clone()).unwrap_or_else(|| k.hosts[node.host as usize].root.fs.clone());
    let mode = crate::calls::paths::kind_mode(&file.kind);
    let mode = if mode & S_IFMT == 0 { S_IFREG | mode } else { mode };
    Inode::new(&fs, mode | 0o666, 0, 0, k.realtime(), Node::Socket(0))
}

/// What follows the path of a file without a name.
const DELETED: &[u8] = b" (deleted)";

/// What `readlink` says of a link of `/proc`.
///
/// # Errors
/// `ENOENT`.
pub fn link_text(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let caller = cx.proc().id;
    if let (Tree::Proc, [_, kind, rest @ ..]) = (node.tree, &node.path[..]) {
        let id = node.process(cx.k).ok_or(Errno::ENOENT)?;
        let p = cx.k.proc(id);
        let root = cx.proc().fs.borrow().root.clone();
        match (kind.as_str(), rest) {
            ("exe", []) => {
                let mut path = p.exe.clone().into_bytes();
                if p.exe_inode.as_ref().is_some_and(|i| i.meta.borrow().nlink == 0) && !path.ends_with(DELETED) {
                    path.extend_from_slice(DELETED);
                }
                return Ok(path);
            }
            ("cwd", []) => return p.fs.borrow().cwd.dir_path(&root).ok_or(Errno::ENOENT),
            ("root", []) => return Ok(b"/".to_vec()),
            ("fd", [fd]) => {
                let fd = fd.parse().map_err(|_| Errno::ENOENT)?;
                let file = descriptor(cx.k, id, fd).ok_or(Errno::ENOENT)?;
                return Ok(cx.k.describe(cx.task, &file));
            }
            _ => {}
        }
    }
    match follow(cx.k, node, caller)? {
        Link::To(text) => Ok(text),
        _ => Err(Errno::EINVAL),
    }
}

impl Kernel {
    /// Inode number of a description without an inode. A socket's is its unique ID, as `/proc/net` has it.
    pub fn file_ino(&self, file: &FileRef) -> u64 {
        match &file.kind {
            FileKind::Socket(id) => self.sockets.table.get(*id).map_or(0, |entry| entry.unique()),
            // Both ends of a pipe are one object.
            FileKind::Pipe(pipe) => 10_000 + pipe.id,
            _ => 10_000 + file.id,
        }
    }

    /// What `/proc/self/fd/N` shows of a description.
    pub fn describe(&self, task: TaskId, file: &FileRef) -> Vec<u8> {
        if file.inode.is_some() {
            return self.file_path(task, file);
        }
        let id = self.file_ino(file);
        match &file.kind {
            FileKind::Pipe(_) | FileKind::Console(_) | FileKind::Input(_) => format!("pipe:[{id}]"),
            FileKind::Socket(_) => format!("socket:[{id}]"),
            FileKind::Epoll(_) => "anon_inode:[eventpoll]".into(),
            FileKind::Event(_) => "anon_inode:[eventfd]".into(),
            FileKind::Timer(_) => "anon_inode:[timerfd]".into(),
            FileKind::Signal(_) => "anon_inode:[signalfd]".into(),
            FileKind::Inotify(_) => "anon_inode:inotify".into(),
            FileKind::Pid(_) => "anon_inode:[pidfd]".into(),
            FileKind::Mqueue(_) => "/dev/mqueue".into(),
            FileKind::Master(_) => "/dev/ptmx".into(),
            FileKind::Terminal(tty) => format!("/dev/pts/{}", tty.index),
            FileKind::Device(_) => "/dev/null".into(),
            FileKind::Inode | FileKind::Closed => String::new(),
        }
        .into_bytes()
    }
}

/// Names in a computed directory with their types, in order.
pub fn list(cx: &Cx, node: &ProcNode) -> Vec<(Vec<u8>, u32)> {
    let mut out: Vec<(Vec<u8>, u32)> = Vec::new();
    let depth = node.path.len();
    for (pattern, what) in table(node.tree) {
        let parts: Vec<&str> = pattern.split('/').collect();
        if parts.len() != depth + 1 || depth > 0 && !fits(&parts[..depth].join("/"), &node.path) {
            continue;
        }
        let kind = match what {
            Dir => S_IFDIR,
            Symlink => S_IFLNK,
            _ => S_IFREG,
        };
        let host = &cx.k.hosts[node.host as usize];
        let numbers: Vec<u32> = match parts[depth] {
            "[pid]" => host.pids.keys().copied().collect(),
            "[tid]" => match node.process(cx.k) {
                Some(id) => cx.k.proc(id).threads.iter().map(|t| cx.k.task(*t).tid).collect(),
                None => Vec::new(),
            },
            "[fd]" => match node.process(cx.k) {
                Some(id) => cx.k.proc(id).fds.borrow().iter().map(|(fd, _)| fd as u32).collect(),
                None => Vec::new(),
            },
            "[if]" => {
                let names = cx.k.sockets.interfaces(node.host).iter().map(|i| i.name.clone().into_bytes());
                out.extend(names.map(|name| (name, kind)));
                continue;
            }
            "[count]" => {
                out.extend(STATISTICS.iter().map(|name| (name.as_bytes().to_vec(), kind)));
                continue;
            }
            "[cpu]" => {
                out.extend((0..cx.k.spec.knobs.cpus).map(|c| (format!("cpu{c}").into_bytes(), kind)));
                continue;
            }
            name => {
                out.push((name.as_bytes().to_vec(), kind));
                continue;
            }
        };
        out.extend(numbers.into_iter().map(|n| (n.to_string().into_bytes(), kind)));
    }
    out
}

/// What a computed file holds now.
///
/// # Errors
/// `ESRCH` when its process has gone.
pub fn read(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    match what(node).ok_or(Errno::ENOENT)? {
        Text(f) => f(cx, node),
        Fixed(text) => Ok(text.as_bytes().to_vec()),
        Dir => Err(Errno::EISDIR),
        Symlink => Err(Errno::EINVAL),
    }
}

/// What writing to a computed file does.
///
/// # Errors
/// `EINVAL`, `ESRCH`.
pub fn write(cx: &mut Cx, node: &ProcNode, data: &[u8]) -> Result<()> {
    let text = crate::mem::text(data);
    let text = text.trim();
    match node.path.last().map_or("", String::as_str) {
        "oom_score_adj" => {
            let value: i32 = text.parse().map_err(|_| Errno::EINVAL)?;
            let id = node.process(cx.k).ok_or(Errno::ESRCH)?;
            cx.k.proc_mut(id).oom_score_adj = value.clamp(-1000, 1000);
        }
        "comm" => {
            let task = node.thread(cx.k).ok_or(Errno::ESRCH)?;
            cx.k.task_mut(task).comm = text.chars().take(15).collect();
        }
        "hostname" => cx.k.hosts[node.host as usize].hostname = text.to_string(),
        _ => {}
    }
    Ok(())
}

fn process<'a>(cx: &'a Cx, node: &ProcNode) -> Result<&'a Process> {
    Ok(cx.k.proc(node.process(cx.k).ok_or(Errno::ESRCH)?))
}

fn meminfo(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let host = HostId(node.host);
    let (total, free) = (cx.k.memory_shown(host) / 1024, cx.k.memory_free(host) / 1024);
    let promised = if cx.k.memory.counts(host) { cx.k.memory_promised(host) / 1024 } else { total / 8 };
    let rows = [
        ("MemTotal", total),
        ("MemFree", free),
        ("MemAvailable", free),
        ("Buffers", 0),
        ("Cached", total / 8),
        ("SwapCached", 0),
        ("Active", total / 16),
        ("Inactive", total / 16),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Dirty", 0),
        ("Shmem", 0),
        ("Slab", 0),
        ("CommitLimit", total),
        ("Committed_AS", promised),
        ("VmallocTotal", 34_359_738_367),
        ("HugePages_Total", 0),
        ("Hugepagesize", 2048),
    ];
    let mut out = String::new();
    for (name, value) in rows {
        let unit = if name == "HugePages_Total" { "" } else { " kB" };
        let _ = writeln!(out, "{:<15} {value:>8}{unit}", format!("{name}:"));
    }
    Ok(out.into_bytes())
}

fn cpuinfo(cx: &Cx, _: &ProcNode) -> Result<Vec<u8>> {
    let mut out = String::new();
    let mhz = crate::COUNTER_MHZ;
    for i in 0..cx.k.spec.knobs.cpus {
        let _ = write!(
            out,
            "processor\t: {i}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 0\nmodel name\t: Snowglobe\n\
             stepping\t: 0\ncpu MHz\t\t: {mhz}.000\ncache size\t: 4096 KB\nphysical id\t: 0\nsiblings\t: {0}\n\
             core id\t\t: {i}\ncpu cores\t: {0}\nfpu\t\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n\
             flags\t\t: fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx lm sse3 ssse3 cx16 sse4_1 sse4_2 popcnt\n\
             bogomips\t: {1}.00\naddress sizes\t: 46 bits physical, 48 bits virtual\n\n",
            cx.k.spec.knobs.cpus,
            2 * mhz
        );
    }
    Ok(out.into_bytes())
}

fn stat(cx: &Cx, n: &ProcNode) -> Result<Vec<u8>> {
    const TICK: u64 = SECOND / 100;
    let (used, idle) = cx.k.host_cpu(HostId(n.host));
    let mut out = format!("cpu  {} 0 0 {} 0 0 0 0 0 0\n", used / TICK, idle / TICK);
    // No thread of a world is on one of its host's processors rather than on another.
    let cpus = u64::from(cx.k.spec.knobs.cpus);
    for i in 0..cpus {
        let _ = writeln!(out, "cpu{i} {} 0 0 {} 0 0 0 0 0 0", used / cpus / TICK, idle / cpus / TICK);
    }
    let boot = cx.k.realtime().saturating_sub(cx.k.monotonic()) / SECOND;
    let _ = write!(out, "intr 0\nctxt 0\nbtime {boot}\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n");
    out.push_str("softirq 0 0 0 0 0 0 0 0 0 0 0\n");
    Ok(out.into_bytes())
}

fn uptime(cx: &Cx, n: &ProcNode) -> Result<Vec<u8>> {
    let shown = |t: u64| format!("{}.{:02}", t / SECOND, t % SECOND / 10_000_000);
    line(&format!("{} {}", shown(cx.k.monotonic()), shown(cx.k.host_cpu(HostId(n.host)).1)))
}

/// `/proc/net/softnet_stat`: a line for each processor, whose number is the last of 13.
fn softnet(cx: &Cx, _: &ProcNode) -> Result<Vec<u8>> {
    let line = |cpu| format!("{}{cpu:08x}\n", "00000000 ".repeat(12));
    Ok((0..cx.k.spec.knobs.cpus).map(line).collect::<String>().into_bytes())
}

/// What `/sys/class/net/*/statistics` has of an interface; nothing is counted, as in `/proc/net/dev`.
const STATISTICS: [&str; 24] = [
    "collisions",
    "multicast",
    "rx_bytes",
    "rx_compressed",
    "rx_crc_errors",
    "rx_dropped",
    "rx_errors",
    "rx_fifo_errors",
    "rx_frame_errors",
    "rx_length_errors",
    "rx_missed_errors",
    "rx_nohandler",
    "rx_over_errors",
    "rx_packets",
    "tx_aborted_errors",
    "tx_bytes",
    "tx_carrier_errors",
    "tx_compressed",
    "tx_dropped",
    "tx_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_packets",
    "tx_window_errors",
];

/// The name in a path of `/sys` that should be an interface's.
fn interface_name(node: &ProcNode) -> Option<&str> {
    let name = match node.path.first().map(String::as_str) {
        Some("class") => node.path.get(2),
        _ => node.path.get(3),
    };
    name.map(String::as_str)
}

fn interface_of<'a>(k: &'a Kernel, node: &ProcNode) -> Option<&'a Interface> {
    let name = interface_name(node)?;
    k.sockets.interfaces(node.host).iter().find(|i| i.name == name)
}

fn interface<'a>(cx: &'a Cx, node: &ProcNode) -> Result<&'a Interface> {
    interface_of(cx.k, node).ok_or(Errno::ENODEV)
}

/// Whether an interface is on a network, and not the loopback.
fn wired(cx: &Cx, node: &ProcNode) -> Result<bool> {
    Ok(interface(cx, node)?.network.is_some())
}

/// A hardware address.
fn colons(mac: &[u8; 6]) -> String {
    let [a, b, c, d, e, f] = mac;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

fn uevent(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let i = interface(cx, node)?;
    line(&format!("INTERFACE={}\nIFINDEX={}", i.name, i.index))
}

fn version(_: &Cx, _: &ProcNode) -> Result<Vec<u8>> {
    line(&format!("Linux version {RELEASE} (snowglobe) {VERSION}"))
}

fn uuid(cx: &Cx, name: &str) -> Result<Vec<u8>> {
    let mut raw = [0u8; 16];
    crate::rng::Rng::stream(cx.k.spec.seed, name).fill(&mut raw);
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let mut out = String::new();
    for (i, b) in raw.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{b:02x}");
    }
    line(&out)
}

fn cpu_range(cx: &Cx, _: &ProcNode) -> Result<Vec<u8>> {
    match cx.k.spec.knobs.cpus {
        1 => line("0"),
        n => line(&format!("0-{}", n - 1)),
    }
}

fn comm(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    match node.thread(cx.k) {
        Some(task) => line(&cx.k.task(task).comm),
        None => line(&crate::exec::comm(process(cx, node)?.exe.as_bytes())),
    }
}

fn state_letter(cx: &Cx, p: &Process, task: Option<TaskId>) -> char {
    match task.map(|t| cx.k.task(t).state) {
        None => 'Z',
        _ if p.stopped => 'T',
        Some(State::Running | State::Runnable) => 'R',
        // Somebody who has been woken sleeps no more, whether it has run since or not.
        Some(State::Blocked) => match task {
            Some(t) if !cx.k.sched.is_current_ticket(t, cx.k.task(t).ticket) => 'R',
            _ => 'S',
        },
        Some(State::Stopped) => 'T',
    }
}

fn parent_pid(cx: &Cx, p: &Process) -> u32 {
    p.parent.and_then(|id| cx.k.try_proc(id)).map_or(0, |p| p.pid)
}

fn pid_stat(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let p = process(cx, node)?;
    let task = node.thread(cx.k);
    let name = task.map_or(crate::exec::comm(p.exe.as_bytes()), |t| cx.k.task(t).comm.clone());
    let id = task.map_or(p.pid, |t| if node.path.len() > 3 { cx.k.task(t).tid } else { p.pid });
    let ticks = cx.k.process_cpu(p.id) / 10_000_000;
    let start = p.start.wrapping_add(cx.k.up) / 10_000_000;
    let space = cx.k.spaces[p.space.0 as usize].as_ref().map(|s| &s.space);
    let (vsize, rss, code) = space.map_or((0, 0, (0, 0, 0)), |s| (s.total, s.resident, s.code));
    let nice = task.map_or(0, |t| cx.k.task(t).nice);
    line(&format!(
        "{id} ({name}) {} {} {} {} {} {} 4194304 0 0 0 0 {ticks} 0 {} 0 {} {nice} {} 0 {start} {vsize} {} \
         18446744073709551615 {} {} {} 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        state_letter(cx, p, task),
        parent_pid(cx, p),
        p.pgid,
        p.sid,
        p.tty.as_ref().map_or(0, |t| super::dev::Device::Pts(t.index).rdev()),
        p.tty.as_ref().map_or(-1, |t| i64::from(t.group.get())),
        p.children_cpu / 10_000_000,
        20 + nice,
        p.threads.len(),
        rss / 4096,
        code.0,
        code.1,
        code.2,
    ))
}

fn pid_statm(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let p = process(cx, node)?;
    let (size, resident) =
        cx.k.spaces[p.space.0 as usize].as_ref().map_or((0, 0), |s| (s.space.total / 4096, s.space.resident / 4096));
    line(&format!("{size} {resident} 0 0 0 {size} 0"))
}

fn pid_status(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let p = process(cx, node)?;
    let task = node.thread(cx.k);
    let t = task.map(|t| cx.k.task(t));
    let name = t.map_or(crate::exec::comm(p.exe.as_bytes()), |t| t.comm.clone());
    let letter = state_letter(cx, p, task);
    let word = match letter {
        'R' => "running",
        'S' => "sleeping",
        'T' => "stopped",
        _ => "zombie",
    };
    let space = cx.k.spaces[p.space.0 as usize].as_ref().map(|s| &s.space);
    let [peak, size, high, rss] =
        space.map_or([0; 4], |s| [s.peak, s.total, s.peak_resident, s.resident].map(|bytes| bytes / 1024));
    let locked = space.map_or(0, |s| s.locked(0, snowglobe_abi::map::GUEST_MAX) / 1024);
    let c = &p.cred;
    let mut ignored = 0u64;
    let mut caught = 0u64;
    for (i, a) in p.actions.borrow().0.iter().enumerate() {
        match a.handler {
            0 => {}
            1 => ignored |= 1 << i,
            _ => caught |= 1 << i,
        }
    }
    let groups: Vec<String> = c.groups.iter().map(u32::to_string).collect();
    let cpus = cx.k.spec.knobs.cpus;
    let mask = if cpus >= 64 { u64::MAX } else { (1 << cpus) - 1 };
    let umask = p.fs.borrow().umask;
    let tid = t.map_or(p.pid, |t| t.tid);
    Ok(format!(
        "Name:\t{name}\nUmask:\t{umask:04o}\nState:\t{letter} ({word})\nTgid:\t{}\nNgid:\t0\nPid:\t{tid}\nPPid:\t{}\n\
         TracerPid:\t0\nUid:\t{}\t{}\t{}\t{}\nGid:\t{}\t{}\t{}\t{}\nFDSize:\t64\nGroups:\t{} \nNStgid:\t{}\nNSpid:\t{tid}\n\
         VmPeak:\t{peak:>8} kB\nVmSize:\t{size:>8} kB\nVmLck:\t{locked:>8} kB\nVmHWM:\t{high:>8} kB\nVmRSS:\t{rss:>8} kB\n\
         VmData:\t{rss:>8} kB\nVmStk:\t    8192 kB\nVmSwap:\t       0 kB\nThreads:\t{}\nSigQ:\t{}/{}\n\
         SigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n\
         CapInh:\t{:016x}\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\nCapBnd:\t{:016x}\nCapAmb:\t{:016x}\nNoNewPrivs:\t{}\n\
         Seccomp:\t{}\nSeccomp_filters:\t{}\nCpus_allowed:\t{mask:x}\nCpus_allowed_list:\t{}\nMems_allowed:\t1\nMems_allowed_list:\t0\n\
         voluntary_ctxt_switches:\t0\nnonvoluntary_ctxt_switches:\t0\n",
        p.pid,
        parent_pid(cx, p),
        c.uid,
        c.euid,
        c.suid,
        c.fsuid,
        c.gid,
        c.egid,
        c.sgid,
        c.fsgid,
        groups.join(" "),
        p.pid,
        p.threads.len(),
        cx.k.queued_signals(p.id),
        p.limits[RLIMIT_SIGPENDING as usize].0,
        t.map_or(0, |t| t.pending.set),
        p.pending.set,
        t.map_or(0, |t| t.mask),
        c.caps[2],
        c.caps[1],
        c.caps[0],
        c.caps[3],
        c.caps[4],
        u32::from(p.no_new_privs),
        t.and_then(|t| t.seccomp.as_ref()).map_or(0, |s| s.mode()),
        t.map_or(0, |t| match &t.seccomp {
            Some(crate::calls::seccomp::Seccomp::Filters(filters)) => filters.count(),
            _ => 0,
        }),
        if cpus == 1 { "0".to_string() } else { format!("0-{}", cpus - 1) },
    )
    .into_bytes())
}

fn maps(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let p = process(cx, node)?;
    let Some(space) = cx.k.spaces[p.space.0 as usize].as_ref().map(|s| &s.space) else { return Ok(Vec::new()) };
    let smaps = node.path.last().is_some_and(|n| n == "smaps");
    let mut out = Vec::new();
    for (start, v) in &space.vmas {
        let flag = |bit: u32, c: char| if v.prot & bit != 0 { c } else { '-' };
        let (offset, dev, ino, path) = match &v.source {
            Source::Anon => (0, 0, 0, v.label.as_bytes().to_vec()),
            Source::Shared(memory, at) => match &memory.tag {
                Some(tag) => (*at, 1, u64::from(tag.id.get()), format!("/SYSV{:08x} (deleted)", tag.key).into_bytes()),
                None => (*at, 1, 1, b"/dev/zero (deleted)".to_vec()),
            },
            Source::File { inode, offset, path } => (*offset, inode.fs.dev, inode.ino, path.to_vec()),
        };
        let head = format!(
            "{start:08x}-{:08x} {}{}{}{} {offset:08x} {:02x}:{:02x} {ino} ",
            v.end,
            flag(1, 'r'),
            flag(2, 'w'),
            flag(4, 'x'),
            if v.shared { 's' } else { 'p' },
            dev >> 8 & 0xfff,
            dev & 0xff,
        );
        let at = out.len();
        out.extend_from_slice(head.as_bytes());
        if !path.is_empty() {
            out.resize((at + 73).max(out.len()), b' ');
            out.extend_from_slice(&path);
        }
        out.push(b'\n');
        if smaps {
            let kb = (v.end - start) / 1024;
            let locked = if v.marks & crate::mm::LOCKED != 0 { kb } else { 0 };
            let rows = format!(
                "Size: {kb:>18} kB\nKernelPageSize: {:>8} kB\nMMUPageSize: {:>11} kB\nRss: {kb:>19} kB\n\
                 Pss: {kb:>19} kB\nSwap: {:>18} kB\nLocked: {locked:>16} kB\n",
                4, 4, 0
            );
            out.extend_from_slice(rows.as_bytes());
        }
    }
    Ok(out)
}

fn limits(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    const NAMES: [(&str, &str); 16] = [
        ("Max cpu time", "seconds"),
        ("Max file size", "bytes"),
        ("Max data size", "bytes"),
        ("Max stack size", "bytes"),
        ("Max core file size", "bytes"),
        ("Max resident set", "bytes"),
        ("Max processes", "processes"),
        ("Max open files", "files"),
        ("Max locked memory", "bytes"),
        ("Max address space", "bytes"),
        ("Max file locks", "locks"),
        ("Max pending signals", "signals"),
        ("Max msgqueue size", "bytes"),
        ("Max nice priority", ""),
        ("Max realtime priority", ""),
        ("Max realtime timeout", "us"),
    ];
    let p = process(cx, node)?;
    let mut out = format!("{:<25} {:<20} {:<20} {:<10}\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for ((name, unit), (soft, hard)) in NAMES.iter().zip(p.limits) {
        let show = |v: u64| if v == u64::MAX { "unlimited".to_string() } else { v.to_string() };
        let _ = writeln!(out, "{name:<25} {:<20} {:<20} {unit:<10}", show(soft), show(hard));
    }
    Ok(out.into_bytes())
}

/// Mounted file systems as seen from the process's root: path, file system.
fn mount_points(cx: &Cx, node: &ProcNode) -> Vec<(String, Rc<super::inode::FileSystem>)> {
    let host = &cx.k.hosts[node.host as usize];
    let mut out = alloc::vec![("/".to_string(), host.root.fs.clone())];
    let mut queue: Vec<InodeRef> = alloc::vec![host.root.clone()];
    // Mounts hang below directories that are known: those of the world's own making are.
    while let Some(dir) = queue.pop() {
        let Node::Dir(entries) = &dir.node else { continue };
        for entry in entries.borrow().entries.values() {
            let super::inode::Entry::There(child) = entry else { continue };
            if !child.is_dir() {
                continue;
            }
            if let Some(root) = child.mounted.borrow().clone() {
                let path = root.dir_path(&host.root).unwrap_or_default();
                out.push((crate::mem::text(&path), root.fs.clone()));
                queue.push(root);
            } else {
                queue.push(child.clone());
            }
        }
    }
    out[1..].sort_by(|a, b| a.0.cmp(&b.0));
    out
}

fn mounts(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let mut out = String::new();
    for (path, fs) in mount_points(cx, node) {
        let source = if fs.kind == "ext4" { "/dev/sda" } else { fs.kind };
        let mode = if fs.shows_read_only(HostId(node.host)) { "ro" } else { "rw" };
        let _ = writeln!(out, "{source} {path} {} {mode},relatime 0 0", fs.kind);
    }
    Ok(out.into_bytes())
}

fn mountinfo(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let mut out = String::new();
    for (i, (path, fs)) in mount_points(cx, node).into_iter().enumerate() {
        let source = if fs.kind == "ext4" { "/dev/sda" } else { fs.kind };
        let mode = if fs.shows_read_only(HostId(node.host)) { "ro" } else { "rw" };
        let (id, parent) = (21 + i, if i == 0 { 1 } else { 21 });
        let (major, minor) = (fs.dev >> 8 & 0xfff, fs.dev & 0xff);
        let _ = writeln!(out, "{id} {parent} {major}:{minor} / {path} {mode},relatime - {} {source} {mode}", fs.kind);
    }
    Ok(out.into_bytes())
}

fn fdinfo(cx: &Cx, node: &ProcNode) -> Result<Vec<u8>> {
    let id = node.process(cx.k).ok_or(Errno::ESRCH)?;
    let fd = node.number(2).ok_or(Errno::ENOENT)?;
    let file = descriptor(cx.k, id, fd).ok_or(Errno::ENOENT)?;
    let cloexec = cx.k.proc(id).fds.borrow().entry(fd as i32).is_ok_and(|e| e.cloexec);
    let flags = file.flags.get() | if cloexec { O_CLOEXEC } else { 0 };
    let mut out = format!("pos:\t{}\nflags:\t0{flags:o}\nmnt_id:\t{MOUNT_ID}\n", file.pos.get());
    if let FileKind::Pid(proc) = &file.kind {
        let pid = cx.k.try_proc(*proc).map_or(-1, |p| i64::from(p.pid));
        let _ = writeln!(out, "Pid:\t{pid}");
    }
    if let FileKind::Event(event) = &file.kind {
        let _ = writeln!(out, "eventfd-count: {:16x}", event.count.get());
    }
    if let FileKind::Inotify(inotify) = &file.kind {
        for (wd, inode, mask) in inotify.watches.borrow().iter().rev() {
            let (ino, dev) = (inode.ino, inode.fs.dev);
            let _ = writeln!(out, "inotify wd:{wd} ino:{ino:x} sdev:{dev:x} mask:{mask:x} ignored_mask:0 ");
        }
    }
    Ok(out.into_bytes())
}
