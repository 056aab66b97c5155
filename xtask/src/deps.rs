//! The Debian packages that each part needs, and their installation.

use crate::process;
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What may be asked to be made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Part {
    /// `cargo xtask demo`
    Demo,
    /// `cargo xtask test`
    Test,
    /// `cargo xtask bench`
    Bench,
}

use Part::{Bench, Demo, Test};

/// One program, the package that brings it, and who needs it for what.
struct Need {
    program: &'static str,
    package: &'static str,
    parts: &'static [Part],
    why: &'static str,
}

/// The one table. Packages that every Debian system has (bash, coreutils, findutils, tar, gzip, util-linux) are left out.
#[rustfmt::skip]
const NEEDS: &[Need] = &[
    Need { program: "/usr/bin/etcd",                            package: "etcd-server",          parts: &[Test, Bench],       why: "the three-node cluster" },
    Need { program: "/usr/bin/etcdctl",                         package: "etcd-client",          parts: &[Test, Bench],       why: "the cluster's clients and health checks" },
    Need { program: "/usr/bin/redis-server",                    package: "redis-server",         parts: &[Demo, Test, Bench], why: "the cluster of the demo, persistence tests, the request benchmark" },
    Need { program: "/usr/bin/redis-cli",                       package: "redis-tools",          parts: &[Demo, Test, Bench], why: "redis clients and redis-benchmark" },
    Need { program: "/usr/bin/gcc",                             package: "gcc",                  parts: &[Test, Bench],       why: "guests in C; a compiler as a guest" },
    Need { program: "/usr/lib/x86_64-linux-gnu/libc.a",         package: "libc6-dev",            parts: &[Test, Bench],       why: "static guests" },
    Need { program: "/usr/bin/make",                            package: "make",                 parts: &[Test],              why: "make -j as a guest" },
    Need { program: "/usr/share/doc/busybox-static/copyright",  package: "busybox-static",       parts: &[Test],              why: "a static shell and its tools as guests" },
    Need { program: "/usr/bin/git",                             package: "git",                  parts: &[Test, Bench],       why: "a repository's life as a guest" },
    Need { program: "/usr/bin/python3",                         package: "python3",              parts: &[Test, Bench],       why: "asyncio, threads, multiprocessing, sqlite3" },
    Need { program: "/usr/bin/memcached",                       package: "memcached",            parts: &[Test],              why: "a server with several threads" },
    Need { program: "/usr/sbin/nginx",                          package: "nginx",                parts: &[Test, Bench],       why: "a master with workers, sendfile, reload; a server to measure" },
    Need { program: "/usr/bin/wrk",                             package: "wrk",                  parts: &[Test, Bench],       why: "many connections to nginx" },
    Need { program: "/usr/bin/curl",                            package: "curl",                 parts: &[Test],              why: "an HTTP client" },
    Need { program: "/usr/lib/postgresql/15/bin/postgres",      package: "postgresql-15",        parts: &[Test],              why: "a database of many processes; initdb and pgbench" },
    Need { program: "/usr/lib/postgresql/15/bin/psql",          package: "postgresql-client-15", parts: &[Test],              why: "its client" },
    Need { program: "/usr/bin/node",                            package: "nodejs",               parts: &[Test],              why: "an HTTP server, workers, timers" },
    Need { program: "/usr/bin/go",                              package: "golang-go",            parts: &[Test],              why: "builds the Go guest" },
    Need { program: "/usr/bin/javac",                           package: "openjdk-17-jdk-headless", parts: &[Test],           why: "threads, compiled loops and selectors of the JVM" },
    Need { program: "/usr/share/java/zookeeper.jar",            package: "zookeeper",            parts: &[Test],              why: "three servers in Java that elect a leader" },
    Need { program: "/usr/bin/perl",                             package: "perl",                 parts: &[Test],              why: "a server, children and signals in Perl" },
    Need { program: "/usr/bin/ruby",                             package: "ruby",                 parts: &[Test],              why: "threads, sockets and fibres in Ruby" },
    Need { program: "/usr/bin/php",                              package: "php-cli",              parts: &[Test],              why: "PHP's own web server" },
    Need { program: "/usr/bin/erlc",                             package: "erlang-base",          parts: &[Test],              why: "two nodes of Erlang" },
    Need { program: "/usr/bin/sbcl",                             package: "sbcl",                 parts: &[Test],              why: "a collector that protects memory and stops threads" },
    Need { program: "/usr/bin/g++",                              package: "g++",                  parts: &[Test],              why: "builds the C++ guest with OpenMP" },
    Need { program: "/usr/bin/xz",                               package: "xz-utils",             parts: &[Test],              why: "a compressor with threads" },
    Need { program: "/usr/bin/zstd",                             package: "zstd",                 parts: &[Test],              why: "another" },
    Need { program: "/usr/bin/bzip2",                            package: "bzip2",                parts: &[Test],              why: "a third" },
    Need { program: "/usr/bin/rsync",                            package: "rsync",                parts: &[Test],              why: "copies, alone and through ssh" },
    Need { program: "/usr/bin/ssh",                              package: "openssh-client",       parts: &[Test],              why: "ssh, scp, sftp, a tunnel" },
    Need { program: "/usr/sbin/sshd",                            package: "openssh-server",       parts: &[Test],              why: "their server" },
    Need { program: "/usr/sbin/haproxy",                         package: "haproxy",              parts: &[Test],              why: "a balancer with threads" },
    Need { program: "/usr/sbin/lighttpd",                        package: "lighttpd",             parts: &[Test],              why: "the servers behind it" },
    Need { program: "/usr/bin/ab",                               package: "apache2-utils",        parts: &[Test],              why: "many requests to it" },
    Need { program: "/usr/sbin/mosquitto",                       package: "mosquitto",            parts: &[Test],              why: "a message broker" },
    Need { program: "/usr/bin/mosquitto_pub",                    package: "mosquitto-clients",    parts: &[Test],              why: "its clients" },
    Need { program: "/usr/bin/openssl",                          package: "openssl",              parts: &[Test],              why: "TLS by hand" },
    Need { program: "/usr/bin/socat",                            package: "socat",                parts: &[Test],              why: "sockets of all kinds, and commands behind them" },
    Need { program: "/usr/bin/stunnel4",                         package: "stunnel4",             parts: &[Test],              why: "TLS before another server" },
    Need { program: "/usr/sbin/dnsmasq",                         package: "dnsmasq-base",         parts: &[Test],              why: "a name server" },
    Need { program: "/usr/bin/dig",                              package: "bind9-dnsutils",       parts: &[Test],              why: "its client" },
    Need { program: "/usr/bin/tshark",                           package: "tshark",               parts: &[Test],              why: "reads packet captures with a mind of its own" },
    Need { program: "/usr/sbin/mariadbd",                        package: "mariadb-server-core",  parts: &[Test],              why: "a database of many threads with asynchronous I/O" },
    Need { program: "/usr/bin/mariadb",                          package: "mariadb-client-core",  parts: &[Test],              why: "its client" },
    Need { program: "/usr/bin/ping",                             package: "iputils-ping",         parts: &[Test],              why: "echoes from ping sockets and raw ones" },
    Need { program: "/usr/bin/tracepath",                        package: "iputils-tracepath",    parts: &[Test],              why: "the way to a host by error queues" },
    Need { program: "/usr/sbin/traceroute",                      package: "traceroute",           parts: &[Test],              why: "another" },
    Need { program: "/usr/bin/ss",                               package: "iproute2",             parts: &[Test],              why: "ip and ss: interfaces and sockets by netlink" },
    Need { program: "/usr/bin/netstat",                          package: "net-tools",            parts: &[Test],              why: "the same by /proc/net and ioctls" },
    Need { program: "/usr/bin/iperf3",                           package: "iperf3",               parts: &[Test],              why: "streams and datagrams in bulk" },
    Need { program: "/usr/bin/nc.openbsd",                       package: "netcat-openbsd",       parts: &[Test],              why: "sockets by hand" },
    Need { program: "/usr/lib/python3/dist-packages/websockets", package: "python3-websockets",   parts: &[Test],              why: "web sockets" },
    Need { program: "/usr/lib/python3/dist-packages/pip",        package: "python3-pip",          parts: &[Test, Bench],       why: "fetches PySyncObj for its example" },
    Need { program: "/usr/lib/python3/dist-packages/grpc",       package: "python3-grpcio",       parts: &[Test],              why: "gRPC" },
];

/// Longest time that reading the package lists may take, and installing.
const UPDATE_LIMIT: Duration = Duration::from_secs(120);
const INSTALL_LIMIT: Duration = Duration::from_secs(420);

/// `cargo xtask deps`
#[derive(clap::Args)]
pub struct Options {
    /// What to make ready; all of it when not given
    parts: Vec<Part>,
    /// Only print the table and what is missing
    #[arg(long)]
    list: bool,
}

/// Prints the table or installs what is missing.
pub fn run(options: &Options) -> Result<()> {
    let parts = if options.parts.is_empty() { Part::value_variants() } else { &options.parts };
    if !options.list {
        return ensure(parts);
    }
    for need in wanted(parts) {
        let state = if is_there(need) { "there" } else { "missing" };
        println!("{:<22} {:<8} {}", need.package, state, need.why);
    }
    Ok(())
}

/// Installs what these parts miss, after naming it.
pub fn ensure(parts: &[Part]) -> Result<()> {
    let missing: Vec<&Need> = wanted(parts).filter(|need| !is_there(need)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Debian packages that are missing and will be installed:");
    for need in &missing {
        println!("  {:<22} {}", need.package, need.why);
    }
    let packages: BTreeSet<&str> = missing.iter().map(|need| need.package).collect();
    let by_hand = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        packages.iter().copied().collect::<Vec<_>>().join(" ")
    );
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this machine has no apt-get; install what is named above by its own means and try again");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("installing packages needs root. Run this, then try again:\n  sudo sh -c '{by_hand}'");
    }
    process::must(&mut apt_get(&["update", "-q"]), UPDATE_LIMIT)?;
    let mut install = apt_get(&["install", "-q", "-y", "--no-install-recommends"]);
    process::must(install.args(&packages), INSTALL_LIMIT)?;
    match missing.iter().find(|need| !is_there(need)) {
        None => Ok(()),
        Some(need) => bail!("package {} was installed, but brought no {}", need.package, need.program),
    }
}

fn wanted(parts: &[Part]) -> impl Iterator<Item = &'static Need> {
    NEEDS.iter().filter(|need| need.parts.iter().any(|part| parts.contains(part)))
}

fn is_there(need: &Need) -> bool {
    Path::new(need.program).exists()
}

/// No questions, and no service started: `invoke-rc.d` leaves services alone in the rescue run level.
fn apt_get(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=60", "-o", "Acquire::Retries=3"]).args(args);
    command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_program_is_listed_twice() {
        let programs: BTreeSet<_> = NEEDS.iter().map(|need| need.program).collect();
        assert_eq!(programs.len(), NEEDS.len());
    }

    #[test]
    fn the_demo_needs_no_more_than_the_tests() {
        assert!(wanted(&[Demo]).all(|need| need.parts.contains(&Test)));
    }
}
