//! `snowglobe trace`.

use std::io::{self, BufWriter, Write};

use serde_json::{Value, json};
use snowglobe_abi::spec::Nanos;
use snowglobe_abi::trace::{Kind, unzigzag};
use snowglobe_kernel::{show, table};
use snowglobe_world::Problem;
use snowglobe_world::problem::suggestion;
use snowglobe_world::trace::{Event, TraceError};

use crate::args::TraceArgs;
use crate::conduct;
use crate::exit::{self, Failure, fault, usage};
use crate::lines::Lines;
use crate::text::{self, host_name};

/// Runs it.
pub fn run(args: &TraceArgs) -> Result<u8, Failure> {
    let run = conduct::store().open(&args.run).map_err(usage)?;
    let record = run.record().map_err(usage)?;
    let hosts: Vec<String> = record.hosts.into_iter().map(|host| host.name).collect();
    let filter = Filter::new(args, &hosts)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut printed = Printed { form: Form::of(args), lines: Lines::default(), hosts: &hosts, failed: Ok(()) };
    let mut cut = None;
    for event in run.trace().map_err(usage)? {
        let event = match event {
            Ok(event) => event,
            Err(error @ TraceError::Cut(_)) => {
                cut = Some(error);
                break;
            }
            Err(error) => {
                printed.finish(&mut out)?;
                return Err(fault(
                    Problem::new(error.to_string()).help("the run directory is damaged: run the world again"),
                ));
            }
        };
        if filter.is_past(&event) {
            break;
        }
        if filter.lets_through(&event) {
            printed.event(&event, &mut out)?;
        }
    }
    printed.finish(&mut out)?;
    if let Some(error) = cut {
        eprintln!("note: {error}");
    }
    Ok(exit::status::PASSED)
}

/// How events are printed.
enum Form {
    /// A line for each call, as strace does.
    Calls,
    /// A line for each event.
    Events,
    /// An object for each event.
    Json,
}

impl Form {
    fn of(args: &TraceArgs) -> Form {
        match (args.json, args.events) {
            (true, _) => Form::Json,
            (false, true) => Form::Events,
            (false, false) => Form::Calls,
        }
    }
}

/// What prints them.
struct Printed<'a> {
    form: Form,
    lines: Lines,
    hosts: &'a [String],
    /// The first line that could not be written.
    failed: io::Result<()>,
}

impl Printed<'_> {
    fn event(&mut self, event: &Event, out: &mut impl Write) -> io::Result<()> {
        let Printed { form, lines, hosts, failed } = self;
        match form {
            Form::Json => writeln!(out, "{}", object(event, hosts)),
            Form::Events => writeln!(out, "{}", text::event_line(event, hosts)),
            Form::Calls => {
                lines.push(event, hosts, &mut |line| keep(failed, writeln!(out, "{line}")));
                std::mem::replace(failed, Ok(()))
            }
        }
    }

    fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Printed { lines, hosts, failed, .. } = self;
        lines.finish(hosts, &mut |line| keep(failed, writeln!(out, "{line}")));
        std::mem::replace(failed, Ok(()))?;
        out.flush()
    }
}

fn keep(first: &mut io::Result<()>, next: io::Result<()>) {
    if first.is_ok() {
        *first = next;
    }
}

/// Which events are wanted.
#[derive(Debug, Default)]
struct Filter {
    hosts: Vec<u32>,
    pids: Vec<u32>,
    calls: Vec<u64>,
    sockets: Vec<u64>,
    from: Nanos,
    to: Option<Nanos>,
}

impl Filter {
    fn new(args: &TraceArgs, hosts: &[String]) -> Result<Filter, Failure> {
        let mut filter = Filter { from: args.from.unwrap_or(0), to: args.to, ..Filter::default() };
        if filter.to.is_some_and(|to| to < filter.from) {
            return Err(usage(Problem::new("--to is before --from").help("change them about")));
        }
        (filter.pids, filter.sockets) = (args.pid.clone(), args.socket.clone());
        filter.hosts = find_hosts(&args.host, hosts)?;
        for name in &args.call {
            let number = show::number(name).ok_or_else(|| {
                let help = match snowglobe_world::problem::nearest(name, table::TABLE.iter().map(|entry| entry.name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`snowglobe support` lists all names".to_owned(),
                };
                usage(Problem::new(format!("there is no system call `{name}`")).help(help))
            })?;
            filter.calls.push(number);
        }
        Ok(filter)
    }

    fn is_past(&self, event: &Event) -> bool {
        self.to.is_some_and(|to| event.time > to)
    }

    fn lets_through(&self, event: &Event) -> bool {
        event.time >= self.from
            && (self.hosts.is_empty() || event.host().is_some_and(|host| self.hosts.contains(&host)))
            && (self.pids.is_empty() || event.task.as_ref().is_some_and(|task| self.pids.contains(&task.pid)))
            && (self.sockets.is_empty() || socket_of(event).is_some_and(|id| self.sockets.contains(&id)))
            && (self.calls.is_empty() || call_of(event).is_some_and(|nr| self.calls.contains(&nr)))
    }
}

/// The indices of hosts by their names.
///
/// # Errors
/// The run has no such host.
pub fn find_hosts(names: &[String], hosts: &[String]) -> Result<Vec<u32>, Failure> {
    let find = |name: &String| {
        let index = hosts.iter().position(|host| host == name).ok_or_else(|| {
            usage(
                Problem::new(format!("the run has no host `{name}`"))
                    .help(suggestion(name, hosts.iter().map(String::as_str))),
            )
        })?;
        Ok(index as u32)
    };
    names.iter().map(find).collect()
}

/// The unique ID of the socket that an event is about.
fn socket_of(event: &Event) -> Option<u64> {
    event.record.kind.is_of_socket().then(|| event.record.nums.first().copied()).flatten()
}

/// The call that an event is about: its own events, and those that say how far it is.
fn call_of(event: &Event) -> Option<u64> {
    match event.record.kind {
        Kind::Begin | Kind::Return | Kind::Block | Kind::Unsupported => event.record.nums.first().copied(),
        Kind::Wake | Kind::Exec => event.call.as_ref().and_then(|call| call.nums.first().copied()),
        _ => None,
    }
}

/// An event with its fields named; the book's page on runs lists them.
fn object(event: &Event, hosts: &[String]) -> Value {
    let task = event.task.as_ref();
    let number = |i: usize| event.record.nums.get(i).copied().unwrap_or(0);
    let mut object = json!({
        "event": event.index,
        "time_ns": event.time,
        "kind": event.record.kind.name(),
        "host": event.host().map(|host| host_name(Some(host), hosts)),
        "pid": task.map(|task| task.pid),
        "tid": task.map(|task| task.tid),
        "program": task.map(|task| task.program.clone()),
        "text": text::what(event, hosts),
    });
    if let Some(nr) = call_of(event) {
        object["call"] = json!(show::name(nr));
        object["nr"] = json!(nr);
    }
    if let Some(socket) = socket_of(event) {
        object["socket"] = json!(socket);
    }
    match event.record.kind {
        Kind::Begin | Kind::Return => {
            if let Some(call) = text::call(event) {
                object["args"] = json!(call.args);
                object["shown"] = json!(call.arguments());
            }
        }
        Kind::Block => object["deadline_ns"] = if number(1) == 0 { Value::Null } else { json!(number(1)) },
        Kind::Signal => {
            object["signal"] = json!(show::signal_name(number(0) as u32));
            object["code"] = json!(unzigzag(number(1)));
        }
        Kind::Verdict => object["to"] = json!(host_name(u32::try_from(number(3)).ok(), hosts)),
        Kind::Exit => object["status"] = json!(number(0)),
        Kind::Status => {
            object["old_status"] = json!(text::status_name(number(1)));
            object["new_status"] = json!(text::status_name(number(2)));
        }
        _ => {}
    }
    if event.record.kind == Kind::Return {
        let value = unzigzag(number(1));
        object["value"] = json!(value);
        object["error"] = json!(show::errno(value).map(|error| error.name()));
    }
    object
}
