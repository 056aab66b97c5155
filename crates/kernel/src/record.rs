//! What the kernel tells the trace.

use crate::machine::Machine;
use crate::table::{Arg, Entry};
use crate::task::TaskId;
use alloc::vec::Vec;
use snowglobe_abi::Errno;
use snowglobe_abi::spec::{Nanos, Report};
use snowglobe_abi::trace::{Encoder, Kind, packet, zigzag};

/// Bytes captured of a read or a write.
pub const DATA: usize = 32;
/// Bytes captured of a path.
pub const PATH: usize = 200;

/// Bytes of records that are handed to the machine at once.
const BATCH: usize = 4096;
/// Bytes of captured packets that are handed to the machine at once, at most.
const PART: usize = 64 << 10;
/// Bytes of a captured payload in one record.
const PIECE: usize = 3072;

/// Builds records in order, and hands them to the machine when there are enough of them.
pub struct Recorder {
    /// Whether calls are traced.
    pub calls: bool,
    last: Nanos,
    /// Whether `begun` is still to be written.
    has_begun: bool,
    begun: Begun,
    encoder: Encoder,
    /// Captured packets, which are no part of the trace: they have a time of their own, and come between no records of it.
    captured: Encoder,
    /// Records made.
    pub events: u64,
}

/// A BEGIN without data. It is written when something else happens; most calls return at once, and one record says both.
#[derive(Default)]
struct Begun {
    now: Nanos,
    task: u32,
    nums: [u64; 7],
    count: usize,
}

impl Recorder {
    /// An empty trace.
    pub fn new(calls: bool) -> Recorder {
        let (encoder, captured) = (Encoder::new(), Encoder::new());
        Recorder { calls, last: 0, has_begun: false, begun: Begun::default(), encoder, captured, events: 0 }
    }

    #[inline]
    fn start(&mut self, kind: Kind, now: Nanos, task: TaskId) -> &mut Encoder {
        self.start_with(kind, now, task, &[])
    }

    #[inline]
    fn start_with(&mut self, kind: Kind, now: Nanos, task: TaskId, nums: &[u64]) -> &mut Encoder {
        let dt = self.pass(now);
        self.encoder.begin_with(kind, dt, task.0, nums)
    }

    /// Counts a record; gives the time since the one before.
    #[inline]
    fn pass(&mut self, now: Nanos) -> Nanos {
        self.settle();
        self.events += 1;
        self.elapse(now)
    }

    /// Time since the record before.
    #[inline]
    fn elapse(&mut self, now: Nanos) -> Nanos {
        now - core::mem::replace(&mut self.last, now)
    }

    /// Writes the BEGIN that waits, if one does.
    #[inline]
    fn settle(&mut self) {
        if self.has_begun {
            self.write_begun();
        }
    }

    fn write_begun(&mut self) {
        self.has_begun = false;
        let dt = self.elapse(self.begun.now);
        self.encoder.begin_with(Kind::Begin, dt, self.begun.task, &self.begun.nums[..self.begun.count]);
        self.hold();
    }

    /// Hands what waits to the machine.
    pub fn flush(&mut self, m: &mut dyn Machine) {
        self.settle();
        if !self.encoder.records().is_empty() {
            m.emit(self.encoder.records());
            self.encoder.clear();
        }
        for part in self.captured.records().chunks(PART) {
            m.emit(part);
        }
        self.captured.clear();
    }

    /// Ends a record where there is a machine at hand.
    #[inline]
    fn emit(&mut self, m: &mut dyn Machine) {
        self.encoder.finish();
        if self.encoder.records().len() >= BATCH {
            self.flush(m);
        }
    }

    fn hold(&mut self) {
        self.encoder.finish();
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
        if self.encoder.records().len() >= BATCH || self.captured.records().len() >= BATCH {
            self.flush(m);
        }
        let kinds = entry.map_or(&[Arg::Hex; 6][..], |e| e.args);
        let nums = [nr, args[0], args[1], args[2], args[3], args[4], args[5]];
        if entry.is_none_or(|e| !e.data.0) {
            // Of a call that did not return, such as exec.
            self.settle();
            self.events += 1;
            self.has_begun = true;
            self.begun = Begun { now, task: task.0, nums, count: kinds.len() + 1 };
            return;
        }
        let enc = self.start_with(Kind::Begin, now, task, &nums[..=kinds.len()]);
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
        self.encoder.finish_open();
    }

    /// Whether the last record is a BEGIN whose RETURN may be added to it.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.has_begun || self.encoder.is_open()
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
        let enc = if self.has_begun && now == self.begun.now {
            self.has_begun = false;
            self.events += 1;
            let dt = self.elapse(now);
            self.encoder.begin_call(dt, task.0, &self.begun.nums[..self.begun.count], zigzag(value))
        } else if self.encoder.is_open() && now == self.last {
            self.events += 1;
            self.encoder.add_return(zigzag(value))
        } else {
            self.start_with(Kind::Return, now, task, &[nr, zigzag(value)])
        };
        for (i, kind) in entry.filter(|e| e.data.1).map_or(&[][..], |e| e.args).iter().enumerate() {
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
            self.start_with(Kind::Output, now, task, &[u64::from(host), u64::from(stream), now]).blob(chunk);
            self.emit(m);
        }
        // Somebody may be looking on.
        self.flush(m);
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

    /// A fault of the plan begins or ends, by its number: what, and why.
    pub fn fault(&mut self, now: Nanos, index: u32, begins: bool, what: &str, cause: &str) {
        let enc = self.start(Kind::Fault, now, TaskId(0)).num(u64::from(index)).num(u64::from(begins));
        enc.blob(what.as_bytes()).blob(cause.as_bytes());
        self.hold();
    }

    /// A remark.
    pub fn note(&mut self, now: Nanos, task: TaskId, text: &str) {
        self.start(Kind::Note, now, task).blob(text.as_bytes());
        self.hold();
    }

    /// The network takes bytes for an IPv4 address: socket ID, length, address and port. `moved`: the status before and
    /// after that, if it moved.
    pub fn send4(&mut self, now: Nanos, to: [u64; 4], moved: Option<[u64; 2]>) {
        if !self.calls {
            return;
        }
        let (dt, both) = (self.pass(now), moved.unwrap_or_default());
        let nums = [to[0], to[1], to[2], to[3], both[0], both[1]];
        self.events += u64::from(moved.is_some());
        self.encoder.begin_send4(dt, 0, &nums[..if moved.is_some() { 6 } else { 4 }]);
        self.hold();
    }

    /// Bytes arrive, and the status moves: socket ID, length, the status before and after.
    pub fn deliver(&mut self, now: Nanos, nums: [u64; 4]) {
        if self.calls {
            self.start_with(Kind::Deliver, now, TaskId(0), &nums);
            self.events += 1;
            self.hold();
        }
    }

    /// A captured packet: numbers as [`snowglobe_abi::trace::packet`] has them, and addresses.
    pub fn packet(&mut self, nums: &[u64; packet::COUNT], addresses: [&[u8]; 2], payload: &[u8]) {
        let mut rest = payload;
        loop {
            let (piece, more) = rest.split_at(rest.len().min(PIECE));
            let mut nums = *nums;
            nums[packet::FLAGS] |= u64::from(!more.is_empty()) << 1;
            let encoder = self.captured.begin(Kind::Packet, 0, 0);
            for num in nums {
                encoder.num(num);
            }
            encoder.blob(addresses[0]).blob(addresses[1]).blob(piece).finish();
            if more.is_empty() {
                return;
            }
            rest = more;
        }
    }

    /// An event of the network: numbers and texts.
    pub fn network(&mut self, now: Nanos, kind: Kind, nums: &[u64], texts: &[&[u8]]) {
        if !self.calls {
            return;
        }
        let enc = self.start_with(kind, now, TaskId(0), nums);
        for text in texts {
            enc.blob(text);
        }
        self.hold();
    }
}

/// The report's bytes.
pub fn encode_report(report: &Report) -> Vec<u8> {
    snowglobe_abi::spec::encode(report)
}
