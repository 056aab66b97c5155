//! Times, numbers, tables and events as people read them.

use snowglobe_abi::spec::{CHANNELS, Nanos, YieldPoint};
use snowglobe_abi::trace::{self, Kind, entry, unzigzag};
use snowglobe_kernel::show::{self, Call, Ended};
use snowglobe_net::SocketStatus;
use snowglobe_net::linux::{af, ipproto, sock};
use snowglobe_world::trace::{Difference, Event};

/// A duration in seconds, with as many digits as matter.
pub fn seconds(ns: Nanos) -> String {
    match ns {
        0..1_000_000 => format!("{:.3} us", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.3} ms", ns as f64 / 1e6),
        1_000_000_000..600_000_000_000 => format!("{:.3} s", ns as f64 / 1e9),
        _ => {
            let s = ns / 1_000_000_000;
            format!("{}h{:02}m{:02}s", s / 3600, s / 60 % 60, s % 60)
        }
    }
}

/// Where a loop is that spins.
pub fn loop_place(point: &YieldPoint) -> String {
    match point.made.is_some() {
        true => format!("{:#x}, in code that the program made", point.offset),
        false => format!("{}+{:#x}", point.file, point.offset),
    }
}

/// A number with a thousands' unit.
pub fn count(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{:.1} k", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", n as f64 / 1e6),
        _ => format!("{:.1} G", n as f64 / 1e9),
    }
}

/// So many of a thing.
pub fn many(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// What a stream of output is called.
fn stream_name(stream: u64) -> &'static str {
    let channel = CHANNELS.iter().find(|channel| u64::from(channel.stream) == stream).map(|channel| channel.name);
    channel.unwrap_or(if stream == 2 { "stderr" } else { "stdout" })
}

/// Rows in aligned columns.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        out.push_str(line.join("  ").trim_end());
        out.push('\n');
    }
    out
}

/// A host's name, or its number where the run has no name for it.
pub fn host_name(host: Option<u32>, hosts: &[String]) -> String {
    match host {
        None => "-".to_owned(),
        Some(host) => hosts.get(host as usize).cloned().unwrap_or_else(|| format!("host {host}")),
    }
}

/// The host, process and thread of an event: `db/12` or `db/12.14`.
fn place(event: &Event, hosts: &[String]) -> String {
    let host = host_name(event.host(), hosts);
    match &event.task {
        None => host,
        Some(task) if task.pid == task.tid => format!("{host}/{}", task.pid),
        Some(task) => format!("{host}/{}.{}", task.pid, task.tid),
    }
}

/// The call that an event is about or happens in; with its result when the event is its end.
pub fn call(event: &Event) -> Option<Call<'_>> {
    let record = &event.record;
    let begin = match record.kind {
        Kind::Begin => record,
        _ => event.call.as_deref()?,
    };
    let (nr, args) = begin.nums.split_first()?;
    let ended = match record.kind {
        Kind::Return => Some(Ended { value: unzigzag(record.nums.get(1).copied().unwrap_or(0)), data: &record.blobs }),
        // A program that runs in place of the caller's is how the call succeeds.
        Kind::Exec => Some(Ended { value: 0, data: &[] }),
        _ => None,
    };
    Some(Call { nr: *nr, args, begun: &begin.blobs, ended })
}

/// What an event says, without its time and place.
pub fn what(event: &Event, hosts: &[String]) -> String {
    let record = &event.record;
    let num = |i: usize| record.nums.get(i).copied().unwrap_or(0);
    let text =
        |i: usize| record.blobs.get(i).map(|blob| String::from_utf8_lossy(blob).into_owned()).unwrap_or_default();
    let quoted = |i: usize| record.blobs.get(i).map(|blob| shown(blob)).unwrap_or_default();
    match record.kind {
        Kind::Begin | Kind::Return => match call(event) {
            Some(call) => call.whole(),
            // The trace begins within the call.
            None => format!("{} = {}", show::name(num(0)), unzigzag(num(1))),
        },
        Kind::Block if num(1) == 0 => show::name(num(0)).into_owned(),
        Kind::Block => format!("{} until {}", show::name(num(0)), clock(num(1))),
        Kind::Wake => call(event).map_or_else(String::new, |call| show::name(call.nr).into_owned()),
        Kind::Spawn => match num(3) {
            0 => format!("pid {} tid {} {}", num(1), num(2), quoted(0)),
            parent => format!("pid {} tid {} {} by task {}", num(1), num(2), quoted(0), parent - 1),
        },
        Kind::Exit => wait_status(num(0) as u32),
        Kind::Exec | Kind::Note => text(0),
        Kind::Fault => {
            let which = if num(1) == 0 { "end of " } else { "" };
            format!("{which}fault {}: {} ({})", num(0), text(0), text(1))
        }
        Kind::Signal => {
            let handler = match num(2) {
                0 => "default action".to_owned(),
                1 => "ignored".to_owned(),
                address => format!("handler {address:#x}"),
            };
            let (signal, code) = (num(0) as u32, unzigzag(num(1)) as i32);
            format!("{} {} ({handler})", show::signal_name(signal), show::signal_code(signal, code))
        }
        Kind::Output => format!("{} {}", stream_name(num(1)), quoted(0)),
        Kind::Send => format!("socket {} {} bytes to {}", num(0), num(1), text(0)),
        Kind::Deliver => format!("socket {} {} bytes", num(0), num(1)),
        Kind::Drop => format!("socket {} {} bytes: {}", num(0), num(1), text(0)),
        Kind::Verdict => {
            let to = host_name(u32::try_from(num(3)).ok(), hosts);
            format!("socket {} {} bytes to {to}: {}", num(0), num(1), verdict(num(4), num(5), num(6)))
        }
        Kind::Status => format!("socket {} {} -> {}", num(0), status_name(num(1)), status_name(num(2))),
        Kind::Socket => socket(&record.nums, &text(0), &text(1)),
        Kind::Options => format!("socket {} {}", num(0), text(0)),
        Kind::Queues => {
            let messages =
                if num(3) == 0 { String::new() } else { format!(" in {}", many(num(3) as usize, "message")) };
            format!("socket {} send queue {} bytes, receive queue {} bytes{messages}", num(0), num(1), num(2))
        }
        Kind::Gone => format!("socket {}", num(0)),
        Kind::Packet => String::from("captured"),
        Kind::Unsupported => {
            let (name, text) = (show::name(num(0)), text(0));
            if text.starts_with(name.as_ref()) { text } else { format!("{name} {text}") }
        }
        Kind::Yield => format!("{:#x}", num(0)),
        Kind::Host => format!("{} {}", text(0), if num(1) == 0 { "down" } else { "up" }),
    }
}

/// What becomes of something on a link.
fn verdict(code: u64, first: Nanos, second: Nanos) -> String {
    let first = seconds(first);
    match code {
        trace::verdict::DELAY => format!("arrives after {first}"),
        trace::verdict::DUPLICATE => format!("arrives twice, after {first} and {}", seconds(second)),
        trace::verdict::CORRUPT => format!("arrives damaged, after {first}"),
        trace::verdict::HOLD => "waits".to_owned(),
        code => format!("verdict {code}"),
    }
}

/// The name of a socket status (FIG. 48, 4816) by its number.
pub fn status_name(number: u64) -> String {
    match u8::try_from(number).ok().and_then(SocketStatus::from_u8) {
        Some(status) => status.name().to_owned(),
        None => number.to_string(),
    }
}

/// What a `socket` event says.
fn socket(nums: &[u64], local: &str, remote: &str) -> String {
    let num = |i: usize| nums.get(i).copied().unwrap_or(0);
    let mut out = format!(
        "socket {} {} {} {local} -> {remote}",
        num(entry::ID),
        socket_type(num(entry::TYPE)),
        protocol(num(entry::FAMILY), num(entry::PROTOCOL)),
    );
    if num(entry::PID) != 0 {
        out += &format!(" pid {} fd {}", num(entry::PID), num(entry::FD));
    }
    if num(entry::OTHER_END) != 0 {
        out += &format!(" other end {}", num(entry::OTHER_END));
    }
    if num(entry::FLAGS) & 1 == 0 {
        out += " nonblocking";
    }
    if num(entry::WAITING) != 0 {
        out += &format!(" {} waiting", num(entry::WAITING));
    }
    if num(entry::ERROR) != 0 {
        out += &format!(" error {}", errno_name(num(entry::ERROR)));
    }
    out
}

/// The name of an error by its number.
pub fn errno_name(number: u64) -> String {
    show::errno(-(number as i64)).map_or_else(|| number.to_string(), |error| error.name().to_string())
}

/// The name of a socket type by its `SOCK_*` number.
pub fn socket_type(number: u64) -> &'static str {
    match u32::try_from(number) {
        Ok(sock::STREAM) => "stream",
        Ok(sock::DGRAM) => "datagram",
        Ok(sock::SEQPACKET) => "seqpacket",
        Ok(sock::RAW) => "raw",
        _ => "?",
    }
}

/// The name of a protocol by the numbers of its family and of itself.
pub fn protocol(family: u64, number: u64) -> &'static str {
    match (u16::try_from(family), u32::try_from(number)) {
        (Ok(af::UNIX), _) => "unix",
        (Ok(af::NETLINK), _) => "netlink",
        (_, Ok(ipproto::TCP)) => "tcp",
        (_, Ok(ipproto::UDP)) => "udp",
        (_, Ok(ipproto::ICMP)) => "icmp",
        (_, Ok(ipproto::ICMPV6)) => "icmpv6",
        _ => "?",
    }
}

/// The name of a family by its `AF_*` number.
pub fn family(number: u64) -> &'static str {
    match u16::try_from(number) {
        Ok(af::INET) => "inet",
        Ok(af::INET6) => "inet6",
        Ok(af::UNIX) => "unix",
        Ok(af::NETLINK) => "netlink",
        _ => "?",
    }
}

/// Longest piece of data that is shown of what is no call's.
const SHOWN_BYTES: usize = 64;

/// Data as strace shows it.
fn shown(bytes: &[u8]) -> String {
    show::quoted(&bytes[..bytes.len().min(SHOWN_BYTES)], bytes.len() > SHOWN_BYTES)
}

/// A point of virtual time, to the nanosecond.
pub fn clock(ns: Nanos) -> String {
    format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

/// A wait status as `wait(2)` gives it, in words.
pub fn wait_status(status: u32) -> String {
    match status & 0x7f {
        0 => format!("status {}", status >> 8 & 0xff),
        signal if status & 0x80 != 0 => format!("killed by {} (core dumped)", show::signal_name(signal)),
        signal => format!("killed by {}", show::signal_name(signal)),
    }
}

/// A wait status as a shell has it.
pub fn shell_status(status: u32) -> u32 {
    match status & 0x7f {
        0 => status >> 8 & 0xff,
        signal => 128 + signal,
    }
}

/// One event in one line.
pub fn event_line(event: &Event, hosts: &[String]) -> String {
    line(event, hosts, &format!("{:<7} {}", event.record.kind.name(), what(event, hosts)))
}

/// A line with the time and place of an event.
pub fn line(event: &Event, hosts: &[String], what: &str) -> String {
    format!("{:>17} {:<16} {what}", clock(event.time), place(event, hosts)).trim_end().to_owned()
}

/// The first difference of two runs, for the operator.
pub fn difference(difference: &Difference, hosts: &[String], left: &str, right: &str) -> String {
    let mut out = format!("event {} is the first that differs\n", difference.index);
    if !difference.before.is_empty() {
        out += "  before it, in both:\n";
        for event in &difference.before {
            out += &format!("    {}\n", event_line(event, hosts));
        }
    }
    for (name, event) in [(left, &difference.left), (right, &difference.right)] {
        out += &format!("  {name}:\n");
        match event {
            None => out += "    (the run had ended)\n",
            Some(event) => {
                out += &format!("    {}\n", event_line(event, hosts));
                // The line of a call's own event has its arguments already.
                if let Some(call) = call(event)
                    && !matches!(event.record.kind, Kind::Begin | Kind::Return)
                {
                    out += &format!("    in the call {}\n", call.text());
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use snowglobe_world::trace::Task;

    proptest! {
        #[test]
        fn an_event_of_any_content_is_a_line(
            kind in (1..=28u8).prop_filter_map("a kind", Kind::from_u8),
            nums in prop::collection::vec(prop_oneof![any::<u64>(), 0..500u64], 0..18),
            blobs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5),
            time in any::<u64>(),
        ) {
            let record = snowglobe_abi::trace::Record { kind, dt: 0, task: 1, nums, blobs };
            let task = Task { host: 9, pid: 1, tid: 2, program: String::new() };
            let call = Some(record.clone().into());
            let event = Event { index: 0, time, record, task: Some(task.into()), call };
            prop_assert!(event_line(&event, &[]).contains(kind.name()));
        }
    }

    #[test]
    fn durations_and_counts_have_fitting_units() {
        assert_eq!(seconds(1_500), "1.500 us");
        assert_eq!(seconds(2_500_000_000), "2.500 s");
        assert_eq!(seconds(3_725_000_000_000), "1h02m05s");
        assert_eq!([many(1, "host"), many(2, "host")], ["1 host", "2 hosts"]);
        assert_eq!([count(999), count(12_345), count(2_000_000)], ["999", "12.3 k", "2.0 M"]);
    }

    #[test]
    fn wait_statuses_are_told_in_words_and_as_a_shell_has_them() {
        assert_eq!((wait_status(0x100), shell_status(0x100)), ("status 1".to_owned(), 1));
        assert_eq!((wait_status(9), shell_status(9)), ("killed by SIGKILL".to_owned(), 137));
        assert_eq!(wait_status(0x8b), "killed by SIGSEGV (core dumped)");
    }
}
