//! `snowglobe trace`.

use std::io::{BufWriter, Write};

use serde_json::{Value, json};
use snowglobe_abi::spec::Nanos;
use snowglobe_abi::trace::{Kind, unzigzag};
use snowglobe_world::Problem;
use snowglobe_world::problem::suggestion;
use snowglobe_world::trace::{Event, TraceError};

use crate::args::TraceArgs;
use crate::calls;
use crate::conduct;
use crate::exit::{self, Failure, fault, usage};
use crate::text::{self, host_name};

/// Runs it.
pub fn run(args: &TraceArgs) -> Result<u8, Failure> {
    let run = conduct::store().open(&args.run).map_err(usage)?;
    let record = run.record().map_err(usage)?;
    let hosts: Vec<String> = record.hosts.into_iter().map(|host| host.name).collect();
    let filter = Filter::new(args, &hosts)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for event in run.trace().map_err(usage)? {
        let event = match event {
            Ok(event) => event,
            Err(error @ TraceError::Cut(_)) => {
                out.flush()?;
                eprintln!("note: {error}");
                return Ok(exit::status::PASSED);
            }
            Err(error) => {
                out.flush()?;
                return Err(fault(
                    Problem::new(error.to_string()).help("the run directory is damaged: run the world again"),
                ));
            }
        };
        if filter.is_past(&event) {
            break;
        }
        if filter.lets_through(&event) {
            if args.json {
                writeln!(out, "{}", object(&event, &hosts))?;
            } else {
                writeln!(out, "{}", text::event_line(&event, &hosts))?;
            }
        }
    }
    out.flush()?;
    Ok(exit::status::PASSED)
}

/// Which events are wanted.
#[derive(Debug, Default)]
struct Filter {
    hosts: Vec<u32>,
    pids: Vec<u32>,
    calls: Vec<u64>,
    from: Nanos,
    to: Option<Nanos>,
}

impl Filter {
    fn new(args: &TraceArgs, hosts: &[String]) -> Result<Filter, Failure> {
        let mut filter =
            Filter { pids: args.pid.clone(), from: args.from.unwrap_or(0), to: args.to, ..Filter::default() };
        for name in &args.host {
            let index = hosts.iter().position(|host| host == name).ok_or_else(|| {
                usage(
                    Problem::new(format!("the run has no host `{name}`"))
                        .help(suggestion(name, hosts.iter().map(String::as_str))),
                )
            })?;
            filter.hosts.push(index as u32);
        }
        for name in &args.call {
            let number = calls::number(name).ok_or_else(|| {
                let help = match snowglobe_world::problem::nearest(name, calls::names()) {
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
            && (self.calls.is_empty() || call_of(event).is_some_and(|nr| self.calls.contains(&nr)))
    }
}

/// The call that an event is about, or happens in.
fn call_of(event: &Event) -> Option<u64> {
    match event.record.kind {
        Kind::Begin | Kind::Return | Kind::Block | Kind::Unsupported => event.record.nums.first().copied(),
        Kind::Wake => event.call.as_ref().and_then(|call| call.nums.first().copied()),
        _ => None,
    }
}

fn object(event: &Event, hosts: &[String]) -> Value {
    let task = event.task.as_ref();
    let mut object = json!({
        "event": event.index,
        "time_ns": event.time,
        "kind": event.record.kind.name(),
        "host": event.host().map(|host| host_name(Some(host), hosts)),
        "pid": task.map(|task| task.pid),
        "tid": task.map(|task| task.tid),
        "program": task.map(|task| task.program.clone()),
        "text": text::what(event),
    });
    if let Some(nr) = call_of(event) {
        object["call"] = json!(calls::name(nr));
    }
    match event.record.kind {
        Kind::Begin => object["args"] = json!(event.record.nums.get(1..).unwrap_or_default()),
        Kind::Return => object["value"] = json!(unzigzag(event.record.nums.get(1).copied().unwrap_or(0))),
        _ => {}
    }
    object
}
