//! What the kernel tells the trace.

use crate::machine::Machine;
use crate::table::{Arg, Entry};
use crate::task::TaskId;
use alloc::vec::Vec;
use snowglobe_abi::Errno;
use snowglobe_abi::spec::{Nanos, Report};
use snowglobe_abi::trace::{Encoder, Kind, zigzag};

/// Bytes captured of a read or a write.
pub const DATA: usize = 32;
/// Bytes captured of a path.
pub const PATH: usize = 200;

/// Builds records in order; records made where there is no machine at hand wait for the next.
pub struct Recorder {
    /// Whether calls are traced.
    pub calls: bool,
    last: Nanos,
    encoder: Encoder,
    held: Vec<u8>,
    /// Records made.
    pub events: u64,
}

impl Recorder {
    /// An empty trace.
    pub fn new(calls: bool) -> Recorder {
        Recorder { calls, last: 0, encoder: Encoder::new(), held: Vec::new(), events: 0 }
    }

    fn start(&mut self, kind: Kind, now: Nanos, task: TaskId) -> &mut Encoder {
        let dt = now - self.last;
        self.last = now;
        self.events += 1;
        self.encoder.begin(kind, dt, task.0)
    }

    /// Hands what waits to the machine.
    pub fn flush(&mut self, m: &mut dyn Machine) {
        if !self.held.is_empty() {
            m.emit(&self.held);
            self.held.clear();
        }
    }

    fn emit(&mut self, m: &mut dyn Machine) {
        self.flush(m);
        m.emit(self.encoder.finish());
    }

    fn hold(&mut self) {
        let bytes = self.encoder.finish();
        self.held.extend_from_slice(bytes);
    }

    /// A call begins.
    pub fn begin(
        &mut self,
        now: Nanos,
        task: TaskId,
        nr: u64,
        entry: Option<&Entry>,
        args: &[u64; 6],
        m: &mut dyn Machine,
    ) {
        if !self.calls {
            return;
        }
        let kinds = entry.map_or(&[Arg::Hex; 6][..], |e| e.args);
        let enc = self.start(Kind::Begin, now, task).num(nr);
        for arg in &args[..kinds.len()] {
            enc.num(*arg);
        }
        for (i, kind) in kinds.iter().enumerate() {
            match kind {
                Arg::Path => {
                    let path = crate::mem::c_string(m, args[i], PATH, Errno::E2BIG);
                    let mut head = [0u8; PATH];
                    match path {
                        Ok(path) => enc.blob(&path),
                        Err(Errno::E2BIG) if m.read(args[i], &mut head).is_ok() => enc.blob(&head),
                        Err(_) => enc.blob(b""),
                    };
                }
                Arg::In(len) => {
                    let mut buf = [0u8; DATA];
                    let n = (args[*len] as usize).min(DATA);
                    let ok = m.read(args[i], &mut buf[..n]).is_ok();
                    enc.blob(if ok { &buf[..n] } else { b"" });
                }
                _ => {}
            }
        }
        self.emit(m);
    }

    /// A call returns.
    #[allow(clippy::too_many_arguments)]
    pub fn end(
        &mut self,
        now: Nanos,
        task: TaskId,
        nr: u64,
        value: i64,
        entry: Option<&Entry>,
        args: &[u64; 6],
        m: &mut dyn Machine,
    ) {
        if !self.calls {
            return;
        }
        let enc = self.start(Kind::Return, now, task).num(nr).num(zigzag(value));
        for (i, kind) in entry.map_or(&[][..], |e| e.args).iter().enumerate() {
            if let Arg::Out(_) = kind
                && value > 0
            {
                let mut buf = [0u8; DATA];
                let n = (value as usize).min(DATA);
                let ok = m.read(args[i], &mut buf[..n]).is_ok();
                enc.blob(if ok { &buf[..n] } else { b"" });
            }
        }
        self.emit(m);
    }

    /// A task waits.
    pub fn block(&mut self, now: Nanos, task: TaskId, call: u64, deadline: Option<Nanos>) {
        if self.calls {
            self.start(Kind::Block, now, task).num(call).num(deadline.unwrap_or(0));
            self.hold();
        }
    }

    /// A task's wait may be over.
    pub fn wake(&mut self, now: Nanos, task: TaskId) {
        if self.calls {
            self.start(Kind::Wake, now, task);
            self.hold();
        }
    }

    /// A task gave up the baton at a yield point.
    pub fn yielded(&mut self, now: Nanos, task: TaskId, at: u64, m: &mut dyn Machine) {
        self.start(Kind::Yield, now, task).num(at);
        self.emit(m);
    }

    /// A task comes to be.
    pub fn spawn(&mut self, now: Nanos, task: TaskId, ids: [u64; 4], name: &str) {
        let enc = self.start(Kind::Spawn, now, task);
        for id in ids {
            enc.num(id);
        }
        enc.blob(name.as_bytes());
        self.hold();
    }

    /// A task ends.
    pub fn exit(&mut self, now: Nanos, task: TaskId, status: u32) {
        self.start(Kind::Exit, now, task).num(u64::from(status));
        self.hold();
    }

    /// A process runs a new program.
    pub fn exec(&mut self, now: Nanos, task: TaskId, path: &[u8]) {
        self.start(Kind::Exec, now, task).blob(path);
        self.hold();
    }

    /// A signal is delivered.
    pub fn signal(&mut self, now: Nanos, task: TaskId, signal: u32, code: i32, handler: u64) {
        self.start(Kind::Signal, now, task).num(u64::from(signal)).num(zigzag(i64::from(code))).num(handler);
        self.hold();
    }

    /// Bytes for the outside.
    pub fn output(&mut self, now: Nanos, task: TaskId, host: u32, stream: u32, data: &[u8], m: &mut dyn Machine) {
        for chunk in data.chunks(3072) {
            self.start(Kind::Output, now, task).num(u64::from(host)).num(u64::from(stream)).blob(chunk);
            self.emit(m);
        }
    }

    /// A call that the table does not know.
    pub fn unsupported(&mut self, now: Nanos, task: TaskId, nr: u32, what: &str) {
        self.start(Kind::Unsupported, now, task).num(u64::from(nr)).blob(what.as_bytes());
        self.hold();
    }

    /// A host starts or stops.
    pub fn host(&mut self, now: Nanos, host: u32, up: bool, name: &str) {
        self.start(Kind::Host, now, TaskId(0)).num(u64::from(host)).num(u64::from(up)).blob(name.as_bytes());
        self.hold();
    }

    /// A remark.
    pub fn note(&mut self, now: Nanos, task: TaskId, text: &str) {
        self.start(Kind::Note, now, task).blob(text.as_bytes());
        self.hold();
    }

    /// An event of the network: numbers and one text.
    pub fn network(&mut self, now: Nanos, kind: Kind, nums: &[u64], text: Option<&[u8]>) {
        if !self.calls {
            return;
        }
        let enc = self.start(kind, now, TaskId(0));
        for n in nums {
            enc.num(*n);
        }
        if let Some(text) = text {
            enc.blob(text);
        }
        self.hold();
    }
}

/// The report's bytes.
pub fn encode_report(report: &Report) -> Vec<u8> {
    snowglobe_abi::spec::encode(report)
}
