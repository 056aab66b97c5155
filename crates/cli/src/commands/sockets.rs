//! `snowglobe sockets`: the socket table of a run (FIG. 48, 4800), by the names of the drawing.

use serde_json::{Map, Value, json};
use snowglobe_abi::spec::{Nanos, WorldSpec};
use snowglobe_net::SocketStatus;
use snowglobe_world::Problem;
use snowglobe_world::sockets::{Descriptor, Entry, Queue, Reach, SocketStructure, SocketTable, table_at};

use crate::args::SocketsArgs;
use crate::commands::trace::find_hosts;
use crate::commands::{print, print_json};
use crate::conduct;
use crate::exit::{self, Failure, fault, usage};
use crate::text::{self, clock, table};

/// Runs it.
pub fn run(args: &SocketsArgs) -> Result<u8, Failure> {
    let run = conduct::store().open(&args.run).map_err(usage)?;
    let record = run.record().map_err(usage)?;
    let names: Vec<String> = record.hosts.iter().map(|host| host.name.clone()).collect();
    let hosts = find_hosts(&args.host, &names)?;
    let spec = run.world().map_err(usage)?;
    if !spec.knobs.trace_calls {
        let problem = Problem::new("the run's trace says nothing of sockets: its world has `trace_calls: false`");
        return Err(usage(problem.help("run the world again without that")));
    }
    let mut found = table_at(&run.trace_path(), args.at, !record.digest.is_empty()).map_err(|error| {
        fault(Problem::new(error.to_string()).help("the run directory is damaged: run the world again"))
    })?;
    let all = found.entries.len();
    found.entries.retain(|entry| hosts.is_empty() || hosts.contains(&entry.host));
    let view = View { spec: &spec, names: &names };
    if args.json {
        print_json(&view.object(&record.run, args.at, &found))?;
        return Ok(exit::status::PASSED);
    }
    if !found.entries.is_empty() {
        print(&view.text(&found.entries))?;
    }
    for note in notes(args.at, &found, all) {
        eprintln!("note: {note}");
    }
    Ok(exit::status::PASSED)
}

/// What a reader of the table should know besides.
fn notes(at: Option<Nanos>, found: &SocketTable, all: usize) -> Vec<String> {
    let mut out = Vec::new();
    match (found.reach, at) {
        (Reach::Ended(end), Some(at)) if at > end => {
            out.push(format!("the last event of the run is at {}: this is the table from then on", clock(end)));
        }
        (Reach::Cut(end), Some(at)) if at > end => out.push(format!(
            "the run was killed, and its trace ends at {}: what the table was at {} is not known, this is it as far as the trace goes",
            clock(end),
            clock(at),
        )),
        (Reach::Cut(end), None) => {
            out.push(format!("the run was killed: this is the table at {}, where its trace ends", clock(end)));
        }
        _ => {}
    }
    if found.entries.is_empty() {
        let when = match (found.reach, at) {
            (Reach::Beyond, Some(at)) => format!("at {}", clock(at)),
            (Reach::Ended(end) | Reach::Cut(end), _) => format!("at {}", clock(end)),
            (Reach::Beyond, None) => "at the end".to_owned(),
        };
        out.push(match (all, found.seen) {
            (0, 0) => format!("no socket had been made {when}"),
            (0, seen) => {
                format!("the table is empty {when}: of {} none is left", text::many(seen as usize, "socket"))
            }
            (all, _) => format!("of {} {when} none is of these hosts", text::many(all, "socket")),
        });
    }
    out
}

/// How the table is shown.
struct View<'a> {
    spec: &'a WorldSpec,
    names: &'a [String],
}

/// The name of the world's own resolver among the hosts.
const RESOLVER: &str = "resolver";

impl View<'_> {
    fn host(&self, host: u32) -> String {
        if host == snowglobe_net::link::RESOLVER {
            RESOLVER.to_owned()
        } else {
            text::host_name(Some(host), self.names)
        }
    }

    fn network(&self, entry: &Entry) -> Option<&str> {
        let network = self.spec.networks.get(entry.connection.network? as usize)?;
        Some(&network.name)
    }

    /// The table in the manner of `ss -tanp`.
    fn text(&self, entries: &[Entry]) -> String {
        const HEAD: [&str; 14] = [
            "HOST",
            "ID",
            "FAMILY",
            "TYPE",
            "PROTOCOL",
            "STATUS",
            "RECV-Q",
            "SEND-Q",
            "LOCAL",
            "REMOTE",
            "SOCKET",
            "CONNECTION",
            "EVENT",
            "OPTIONS",
        ];
        let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
        rows.extend(entries.iter().map(|entry| self.row(entry)));
        table(&rows)
    }

    fn row(&self, entry: &Entry) -> Vec<String> {
        let local = &entry.local;
        let event = if local.event.is_empty() { "-".to_owned() } else { local.event.join(",") };
        let mut options = local.options.clone();
        if !local.blocking {
            options.insert(0, "nonblocking".to_owned());
        }
        vec![
            self.host(entry.host),
            local.id.to_string(),
            text::family(local.family).to_owned(),
            text::socket_type(local.kind).to_owned(),
            text::protocol(local.family, local.protocol).to_owned(),
            entry.status.name().to_owned(),
            // As in ss, the receive queue of one that listens is that of the connections that wait.
            match entry.status {
                SocketStatus::Listening => entry.connection.waiting.to_string(),
                _ => queue(entry.receive_queue),
            },
            queue(entry.send_queue),
            address(&local.address),
            address(&entry.remote.address),
            entry.socket.as_ref().map_or_else(|| "-".to_owned(), socket),
            self.connection(entry),
            event,
            options.join(" "),
        ]
    }

    fn connection(&self, entry: &Entry) -> String {
        let way = match entry.connection.network {
            Some(_) => self.network(entry).unwrap_or("?"),
            None if entry.remote.id != 0 => "local",
            None => return "-".to_owned(),
        };
        match (entry.remote.id, entry.connection.host) {
            (0, _) | (_, None) => way.to_owned(),
            (id, Some(host)) if host == entry.host => format!("{way} {id}"),
            (id, Some(host)) => format!("{way} {id}@{}", self.host(host)),
        }
    }

    fn object(&self, run: &str, at: Option<Nanos>, found: &SocketTable) -> Value {
        let (reach, last) = match found.reach {
            Reach::Beyond => ("beyond", None),
            Reach::Ended(end) => ("ended", Some(end)),
            Reach::Cut(end) => ("cut", Some(end)),
        };
        let entries: Vec<Value> = found.entries.iter().map(|entry| self.entry(entry)).collect();
        json!({
            "run": run,
            "at_ns": at,
            "trace": reach,
            "last_event_ns": last,
            "made": found.seen,
            "entries": entries,
        })
    }

    fn entry(&self, entry: &Entry) -> Value {
        let connection = &entry.connection;
        let network = connection.network.and_then(|network| self.spec.networks.get(network as usize));
        let ended: Vec<&str> = [("receive", connection.ended.0), ("send", connection.ended.1)]
            .into_iter()
            .filter_map(|(name, ended)| ended.then_some(name))
            .collect();
        json!({
            "host": self.host(entry.host),
            "local": structure(&entry.local),
            "remote": structure(&entry.remote),
            "status": entry.status.name(),
            "socket": entry.socket.as_ref().map(|s| json!({"pid": s.pid, "fd": s.fd, "program": s.program})),
            "send_queue": {"bytes": entry.send_queue.bytes},
            "receive_queue": {"bytes": entry.receive_queue.bytes, "messages": entry.receive_queue.messages},
            "connection": {
                "network": network.map(|network| network.name.clone()),
                "latency_ns": network.map(|network| network.link.latency.typical()),
                "other_end": (entry.remote.id != 0).then_some(entry.remote.id),
                "other_host": connection.host.map(|host| self.host(host)),
                "ended": ended,
                "error": (connection.error != 0).then(|| text::errno_name(connection.error)),
                "waiting": connection.waiting,
            },
        })
    }
}

/// A socket structure with all its names.
fn structure(of: &SocketStructure) -> Value {
    let options: Map<String, Value> = of
        .options
        .iter()
        .filter_map(|option| option.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "id": (of.id != 0).then_some(of.id),
        "type": text::socket_type(of.kind),
        "protocol": text::protocol(of.family, of.protocol),
        "options": options,
        "address": of.address,
        "event": of.event,
        "family": text::family(of.family),
        "blocking": of.blocking,
    })
}

/// Bytes, and the messages that they are.
fn queue(queue: Queue) -> String {
    match queue.messages {
        0 => queue.bytes.to_string(),
        messages => format!("{}/{messages}", queue.bytes),
    }
}

/// An address, with `*` for a port that is none.
fn address(address: &str) -> String {
    match address.strip_suffix(":0") {
        _ if address == "unnamed" => "*".to_owned(),
        Some(ip) => format!("{ip}:*"),
        None => without_padding(address),
    }
}

/// Libraries fill abstract names up with zeros to the full length: a row says how many instead.
fn without_padding(name: &str) -> String {
    const ZERO: &str = "\\x00";
    let bare = name.trim_end_matches(ZERO);
    match (name.len() - bare.len()) / ZERO.len() {
        0 | 1 => name.to_owned(),
        zeros => format!("{bare}{ZERO}*{zeros}"),
    }
}

/// The program, its process and its descriptor, as ss names them.
fn socket(of: &Descriptor) -> String {
    let program = of.program.as_deref().unwrap_or("(ended)");
    format!("{program},pid={},fd={}", of.pid, of.fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_that_fill_a_name_are_counted() {
        assert_eq!(address(&format!("@cmap{}", "\\x00".repeat(102))), "@cmap\\x00*102");
        assert_eq!(address("@a\\x00b\\x00"), "@a\\x00b\\x00");
        assert_eq!(address("10.0.1.2:0"), "10.0.1.2:*");
    }
}
