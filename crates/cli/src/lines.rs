//! A trace as strace prints it: a line for each call, and lines for what else happens.
//!
//! A call whose end follows at once is one line. One that waits while others go on is two, `<unfinished ...>` and
//! `<... resumed>`, as in strace. What happens within a call while its task runs (bytes sent, output) stands behind its line.

use snowglobe_abi::trace::{Kind, unzigzag};
use snowglobe_kernel::show;
use snowglobe_world::trace::Event;

use crate::text;

/// The column of a result, as strace has it.
const RESULT: usize = 39;

/// Turns events into lines.
#[derive(Default)]
pub struct Lines {
    open: Option<Open>,
}

/// A call that has begun, and may be told in one line.
struct Open {
    begin: Event,
    /// What happened since.
    within: Vec<String>,
    /// Its task waits: what comes now is of others.
    waits: bool,
}

impl Lines {
    /// Takes an event; gives the lines that are whole now to `out`.
    pub fn push(&mut self, event: &Event, hosts: &[String], out: &mut dyn FnMut(String)) {
        let line = |what: String| text::line(event, hosts, &what);
        match event.record.kind {
            Kind::Begin => {
                self.close(event, hosts, out);
                match text::call(event) {
                    Some(call) if call.never_returns() => out(line(with_result(&call.text(), "?"))),
                    _ => self.open = Some(Open { begin: event.clone(), within: Vec::new(), waits: false }),
                }
            }
            Kind::Return | Kind::Exec if event.call.is_some() => self.end(event, hosts, out),
            Kind::Block => {
                if let Some(open) = self.open_of(event) {
                    open.waits = true;
                }
            }
            Kind::Wake => {}
            Kind::Exit => {
                self.close(event, hosts, out);
                out(line(exit(event.record.nums.first().copied().unwrap_or(0) as u32)));
            }
            Kind::Signal => {
                self.close(event, hosts, out);
                out(line(signal(event)));
            }
            kind => {
                let told = line(format!("{:<7} {}", kind.name(), text::what(event, hosts)));
                match &mut self.open {
                    Some(open) if !open.waits => open.within.push(told),
                    _ => {
                        self.close(event, hosts, out);
                        out(told);
                    }
                }
            }
        }
    }

    /// Ends the trace.
    pub fn finish(&mut self, hosts: &[String], out: &mut dyn FnMut(String)) {
        if let Some(open) = self.open.take() {
            unfinished(open, hosts, out);
        }
    }

    fn open_of(&mut self, event: &Event) -> Option<&mut Open> {
        self.open.as_mut().filter(|open| open.begin.record.task == event.record.task)
    }

    /// A call ends: it is one line if nothing stands between.
    fn end(&mut self, event: &Event, hosts: &[String], out: &mut dyn FnMut(String)) {
        let Some(call) = text::call(event) else { return };
        if self.open_of(event).is_some() {
            let Some(open) = self.open.take() else { return };
            out(text::line(&open.begin, hosts, &with_result(&call.text(), &call.result())));
            open.within.into_iter().for_each(out);
        } else {
            self.close(event, hosts, out);
            let rest = format!("<... {} resumed>{}", show::name(call.nr), call.ending());
            out(text::line(event, hosts, &with_result(&rest, &call.result())));
        }
    }

    /// Something else comes before the open call's end; if it is of the same task, there is no end.
    fn close(&mut self, event: &Event, hosts: &[String], out: &mut dyn FnMut(String)) {
        let Some(open) = self.open.take() else { return };
        if open.begin.record.task == event.record.task && event.record.kind != Kind::Signal {
            let text = text::call(&open.begin).map(|call| call.text()).unwrap_or_default();
            out(text::line(&open.begin, hosts, &with_result(&text, "?")));
            open.within.into_iter().for_each(out);
        } else {
            unfinished(open, hosts, out);
        }
    }
}

fn unfinished(open: Open, hosts: &[String], out: &mut dyn FnMut(String)) {
    let begun = text::call(&open.begin).map(|call| call.beginning()).unwrap_or_default();
    out(text::line(&open.begin, hosts, &format!("{begun} <unfinished ...>")));
    open.within.into_iter().for_each(out);
}

fn with_result(call: &str, result: &str) -> String {
    format!("{call:<RESULT$} = {result}")
}

fn exit(status: u32) -> String {
    match status & 0x7f {
        0 => format!("+++ exited with {} +++", status >> 8 & 0xff),
        signal => {
            let core = if status & 0x80 != 0 { " (core dumped)" } else { "" };
            format!("+++ killed by {}{core} +++", show::signal_name(signal))
        }
    }
}

fn signal(event: &Event) -> String {
    let number = |i: usize| event.record.nums.get(i).copied().unwrap_or(0);
    let (signal, code) = (number(0) as u32, unzigzag(number(1)) as i32);
    let name = show::signal_name(signal);
    format!("--- {name} {{si_signo={name}, si_code={}}} ---", show::signal_code(signal, code))
}
