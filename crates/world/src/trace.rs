//! The trace on disk: written in a thread of its own, read back as events with times and places.
//!
//! The file is a frame of LZ4, so `lz4 -dc trace.lz4` gives the stream of [`snowglobe_abi::trace`]. A run that was killed leaves a
//! readable beginning, and its record has no digest: its reader ends with [`TraceError::Cut`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use snowglobe_abi::spec::Nanos;
use snowglobe_abi::trace::{DecodeError, Kind, MAX_RECORD, Record, kind_in_stream, length};

/// Bytes handed to the writing thread at once; each is a block of the frame.
const BLOCK: usize = 64 << 10;
/// Blocks that may wait for it: so little that on a disk that fills up the trace keeps step with what guests write.
const QUEUE: usize = 4;

/// What a finished trace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceSummary {
    /// BLAKE3 of the stream.
    pub digest: [u8; 32],
    /// Bytes of the stream.
    pub bytes: u64,
    /// Bytes on disk.
    pub stored: u64,
}

/// Takes a trace that is not kept.
#[derive(Default)]
pub struct TraceDigest {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl TraceDigest {
    /// Takes bytes of the stream.
    pub fn write(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// Ends the trace.
    pub fn finish(self) -> TraceSummary {
        TraceSummary { digest: *self.hasher.finalize().as_bytes(), bytes: self.bytes, stored: 0 }
    }
}

/// Writes a trace: takes the stream in any pieces, digests and compresses it elsewhere.
pub struct TraceWriter {
    block: Vec<u8>,
    to: Option<SyncSender<Vec<u8>>>,
    spare: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<TraceSummary>>>,
    /// Why the thread could not write, as the operating system numbers it: each later call gives it again.
    failed: Option<i32>,
}

impl TraceWriter {
    /// Begins a trace file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> io::Result<TraceWriter> {
        TraceWriter::to_file(File::create_new(path)?)
    }

    /// Begins a trace in an open file.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn to_file(file: File) -> io::Result<TraceWriter> {
        let (to, orders) = sync_channel(QUEUE);
        let (give_back, spare) = sync_channel(QUEUE + 2);
        let thread = thread::Builder::new()
            .name("trace".to_owned())
            .spawn(move || write_frame(file, &orders, |block| drop(give_back.try_send(block))))?;
        Ok(TraceWriter { block: Vec::new(), to: Some(to), spare, thread: Some(thread), failed: None })
    }

    /// Takes bytes of the stream.
    ///
    /// # Errors
    /// An earlier block could not be written (a full disk).
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = BLOCK - self.block.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.pass_on()?;
            }
        }
        Ok(())
    }

    /// Brings what was written so far to the file, for a reader of an unfinished run.
    ///
    /// # Errors
    /// An earlier block could not be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.pass_on()
    }

    /// Ends the trace.
    ///
    /// # Errors
    /// Something could not be written.
    pub fn finish(mut self) -> io::Result<TraceSummary> {
        self.pass_on()?;
        self.to = None;
        self.join()
    }

    fn pass_on(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let mut next = self.spare.try_recv().unwrap_or_default();
        next.clear();
        let full = std::mem::replace(&mut self.block, next);
        self.send(full)
    }

    fn send(&mut self, block: Vec<u8>) -> io::Result<()> {
        if self.to.as_ref().is_some_and(|to| to.send(block).is_ok()) {
            return Ok(());
        }
        // The thread only ends early when it could not write.
        self.join().and(Err(io::Error::other("the trace was ended before")))
    }

    fn join(&mut self) -> io::Result<TraceSummary> {
        let result = match (self.thread.take().map(JoinHandle::join), self.failed) {
            (Some(Ok(result)), _) => result,
            (_, Some(code)) => Err(io::Error::from_raw_os_error(code)),
            _ => Err(io::Error::other("the trace was ended before")),
        };
        if let Err(error) = &result {
            self.failed = error.raw_os_error();
        }
        result
    }
}

impl Drop for TraceWriter {
    fn drop(&mut self) {
        // A run that fails still leaves a whole trace of what it did.
        let _ = self.pass_on();
        self.to = None;
        let _ = self.join();
    }
}

fn write_frame(file: File, blocks: &Receiver<Vec<u8>>, give_back: impl Fn(Vec<u8>)) -> io::Result<TraceSummary> {
    let mut hasher = blake3::Hasher::new();
    // A trace repeats itself, also from block to block.
    let info = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Linked);
    let mut frame = FrameEncoder::with_frame_info(info, file);
    let mut bytes = 0u64;
    for block in blocks {
        hasher.update(&block);
        frame.write_all(&block)?;
        frame.flush()?;
        bytes += block.len() as u64;
        give_back(block);
    }
    let mut file = frame.finish()?;
    Ok(TraceSummary { digest: *hasher.finalize().as_bytes(), bytes, stored: file.stream_position()? })
}

/// A trace file's stream.
pub struct Unpacked(FrameDecoder<Tail<BufReader<File>>>);

/// Knows the last bytes that were read.
struct Tail<R> {
    inner: R,
    last: [u8; END.len()],
}

/// What a frame ends with. A decoder takes the end of the file for one.
const END: [u8; 4] = [0; 4];

impl<R: Read> Read for Tail<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        let new = &buf[n.saturating_sub(END.len())..n];
        self.last.rotate_left(new.len());
        self.last[END.len() - new.len()..].copy_from_slice(new);
        Ok(n)
    }
}

impl Unpacked {
    /// Opens a trace file.
    ///
    /// # Errors
    /// It is not there, or cannot be read.
    pub fn open(path: &Path) -> io::Result<Unpacked> {
        let tail = Tail { inner: BufReader::new(File::open(path)?), last: [1; END.len()] };
        Ok(Unpacked(FrameDecoder::new(tail)))
    }
}

impl Read for Unpacked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 if self.0.get_ref().last != END => Err(io::ErrorKind::UnexpectedEof.into()),
            n => Ok(n),
        }
    }
}

/// Why a trace cannot be read on.
#[derive(Debug)]
pub enum TraceError {
    /// The file cannot be read.
    Io(io::Error),
    /// The bytes are no trace; at this offset of the stream.
    Damaged(u64),
    /// It ends within a record or frame, at this offset of the stream: the run was killed, or its disk was full.
    Cut(u64),
}

impl std::fmt::Display for TraceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TraceError::Io(error) => write!(f, "the trace cannot be read: {error}"),
            TraceError::Damaged(at) => write!(f, "the trace is damaged at byte {at} of its stream"),
            TraceError::Cut(at) => {
                write!(f, "the trace ends early, at byte {at} of its stream: the run could not end it")
            }
        }
    }
}

impl std::error::Error for TraceError {}

/// A task, as its `spawn` record introduced it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Index of its host.
    pub host: u32,
    /// Process id on the host.
    pub pid: u32,
    /// Thread id on the host.
    pub tid: u32,
    /// The program's name, as of its last `exec`.
    pub program: String,
}

/// A record with what the stream before it says of its time and place.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number in the stream, from 0.
    pub index: u64,
    /// Virtual nanoseconds since the world began.
    pub time: Nanos,
    /// The record.
    pub record: Record,
    /// The task that it is about.
    pub task: Option<Arc<Task>>,
    /// The call's BEGIN, when this is its RETURN or happens within it.
    pub call: Option<Arc<Record>>,
}

impl Event {
    /// The host that it is about.
    pub fn host(&self) -> Option<u32> {
        match self.record.kind {
            Kind::Host | Kind::Output | Kind::Spawn => {
                self.record.nums.first().and_then(|host| u32::try_from(*host).ok())
            }
            Kind::Verdict => self.record.nums.get(2).and_then(|host| u32::try_from(*host).ok()),
            _ => self.task.as_ref().map(|task| task.host),
        }
    }
}

/// Follows a stream: times, tasks and open calls.
#[derive(Default)]
struct Tracker {
    index: u64,
    time: Nanos,
    tasks: BTreeMap<u32, Arc<Task>>,
    calls: BTreeMap<u32, Arc<Record>>,
}

impl Tracker {
    fn event(&mut self, record: Record) -> Event {
        self.time = self.time.saturating_add(record.dt);
        let number = |i: usize| record.nums.get(i).and_then(|n| u32::try_from(*n).ok()).unwrap_or(0);
        let text = || record.blobs.first().map(|blob| String::from_utf8_lossy(blob).into_owned()).unwrap_or_default();
        if record.kind == Kind::Spawn {
            let task = Task { host: number(0), pid: number(1), tid: number(2), program: text() };
            self.tasks.insert(record.task, Arc::new(task));
        }
        let mut task = self.tasks.get(&record.task).cloned();
        let mut call = self.calls.get(&record.task).cloned();
        match record.kind {
            Kind::Begin => {
                self.calls.insert(record.task, Arc::new(record.clone()));
                call = None;
            }
            Kind::Return => {
                self.calls.remove(&record.task);
            }
            Kind::Exec => {
                let path = text();
                let program = path.rsplit('/').next().unwrap_or_default().to_owned();
                task = task.map(|task| Arc::new(Task { program, ..(*task).clone() }));
                if let Some(task) = &task {
                    self.tasks.insert(record.task, task.clone());
                }
            }
            Kind::Exit => {
                self.tasks.remove(&record.task);
                self.calls.remove(&record.task);
            }
            _ => {}
        }
        let event = Event { index: self.index, time: self.time, record, task, call };
        self.index += 1;
        event
    }
}

/// Cuts a stream into records; takes it in any pieces.
#[derive(Default)]
struct Cutter {
    bytes: Vec<u8>,
    at: usize,
    /// Bytes of the stream before `bytes`.
    before: u64,
    /// The one that came with the last record.
    and: Option<Record>,
}

impl Cutter {
    fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.before += self.at as u64;
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// The next whole record, if there is one.
    fn next(&mut self) -> Result<Option<Record>, TraceError> {
        if let Some(record) = self.and.take() {
            return Ok(Some(record));
        }
        match Record::decode(&self.bytes[self.at..]) {
            Ok((record, and, used)) => {
                self.at += used;
                self.and = and;
                Ok(Some(record))
            }
            Err(DecodeError::Incomplete) => Ok(None),
            Err(DecodeError::Invalid) => Err(TraceError::Damaged(self.offset())),
        }
    }
}

/// Reads a trace event by event; its memory does not grow with the trace.
pub struct TraceReader<R> {
    input: R,
    cutter: Cutter,
    tracker: Tracker,
    chunk: Vec<u8>,
    /// Whether the run was ended in order, so that the end of the stream is the end of the run.
    whole: bool,
    done: bool,
}

/// A reader of a trace file.
pub type TraceFile = TraceReader<Unpacked>;

/// Opens a trace file.
///
/// # Errors
/// It is not there, or cannot be read.
pub fn open(path: &Path) -> io::Result<TraceFile> {
    Ok(TraceReader::new(Unpacked::open(path)?))
}

impl<R: Read> TraceReader<R> {
    /// Reads an uncompressed stream.
    pub fn new(input: R) -> TraceReader<R> {
        TraceReader {
            input,
            cutter: Cutter::default(),
            tracker: Tracker::default(),
            chunk: vec![0; 16 * MAX_RECORD],
            whole: true,
            done: false,
        }
    }

    /// Says that the run did not end in order: where the stream ends, more was to come.
    #[must_use]
    pub fn of_unfinished_run(mut self) -> TraceReader<R> {
        self.whole = false;
        self
    }

    fn advance(&mut self) -> Result<Option<Event>, TraceError> {
        loop {
            if let Some(record) = self.cutter.next()? {
                return Ok(Some(self.tracker.event(record)));
            }
            let end = TraceError::Cut(self.cutter.offset());
            match self.input.read(&mut self.chunk) {
                Ok(0) if self.whole && self.cutter.at == self.cutter.bytes.len() => return Ok(None),
                Ok(0) => return Err(end),
                Ok(n) => self.cutter.push(&self.chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(end),
                // The decompressor says so of bytes that are no frame.
                Err(error) if error.raw_os_error().is_none() => return Err(TraceError::Damaged(self.cutter.offset())),
                Err(error) => return Err(TraceError::Io(error)),
            }
        }
    }
}

impl<R: Read> Iterator for TraceReader<R> {
    type Item = Result<Event, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.advance().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// How many equal events before a difference are kept for its reader.
const CONTEXT: usize = 5;

/// The first event in which two traces differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its number.
    pub index: u64,
    /// What the first trace has there; nothing when it ended before.
    pub left: Option<Event>,
    /// What the second has.
    pub right: Option<Event>,
    /// The last events before, equal in both.
    pub before: Vec<Event>,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Events that are equal in both.
    pub equal: u64,
    /// The first that is not.
    pub difference: Option<Difference>,
    /// Whether the second went on where an unfinished first one ends.
    pub past_end: bool,
}

/// Compares two traces event by event.
///
/// # Errors
/// One of them cannot be read on.
pub fn compare<L: Read, R: Read>(left: TraceReader<L>, mut right: TraceReader<R>) -> Result<Comparison, TraceError> {
    let mut check = StreamCheck::new(left);
    loop {
        let event = right.next().transpose()?;
        let ended = event.is_none();
        let difference = check.step(event)?;
        if ended || difference.is_some() {
            return Ok(Comparison { equal: check.equal, difference, past_end: false });
        }
    }
}

/// Compares a stream that comes to be with a recorded trace, as it goes.
pub struct StreamCheck<R> {
    recorded: TraceReader<R>,
    cutter: Cutter,
    tracker: Tracker,
    before: std::collections::VecDeque<Event>,
    equal: u64,
    unfinished: bool,
    past_end: bool,
}

/// A comparison with a trace file.
pub type TraceCheck = StreamCheck<Unpacked>;

impl<R: Read> StreamCheck<R> {
    /// Begins a comparison with this trace.
    pub fn new(recorded: TraceReader<R>) -> StreamCheck<R> {
        StreamCheck {
            recorded,
            cutter: Cutter::default(),
            tracker: Tracker::default(),
            before: Default::default(),
            equal: 0,
            unfinished: false,
            past_end: false,
        }
    }

    /// The recorded run was ended from outside, or its trace was cut: where that ends is no difference.
    #[must_use]
    pub fn unfinished(mut self) -> StreamCheck<R> {
        self.unfinished = true;
        self
    }

    /// Whether the first trace is one of a run that was ended from outside, or cut.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Whether the new stream has gone on where the unfinished one ends.
    pub fn past_end(&self) -> bool {
        self.past_end
    }

    /// Takes bytes of the new stream; says the first difference.
    ///
    /// # Errors
    /// The recorded trace cannot be read on, or the new bytes are no trace.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Difference>, TraceError> {
        self.cutter.push(bytes);
        while !self.past_end
            && let Some(record) = self.cutter.next()?
        {
            let event = self.tracker.event(record);
            if let Some(difference) = self.step(Some(event))? {
                return Ok(Some(difference));
            }
        }
        Ok(None)
    }

    /// Ends the new stream; the recorded one must end too.
    ///
    /// # Errors
    /// The recorded trace cannot be read on.
    pub fn finish(&mut self) -> Result<Comparison, TraceError> {
        let difference = if self.past_end { None } else { self.step(None)? };
        Ok(Comparison { equal: self.equal, difference, past_end: self.past_end })
    }

    fn step(&mut self, right: Option<Event>) -> Result<Option<Difference>, TraceError> {
        let left = match self.recorded.next().transpose() {
            Err(TraceError::Cut(_)) if self.unfinished => None,
            left => left?,
        };
        match (left, right) {
            (None, None) => Ok(None),
            (None, Some(_)) if self.unfinished => {
                self.past_end = true;
                Ok(None)
            }
            (Some(left), Some(right)) if left.record == right.record => {
                if self.before.len() == CONTEXT {
                    self.before.pop_front();
                }
                self.before.push_back(left);
                self.equal += 1;
                Ok(None)
            }
            (left, right) => {
                Ok(Some(Difference { index: self.equal, left, right, before: self.before.iter().cloned().collect() }))
            }
        }
    }
}

/// The kind and the whole bytes of each record in a stream that comes in pieces; for those who look at few of them.
#[derive(Default)]
pub struct Scanner {
    rest: Vec<u8>,
    /// Bytes of the stream before `rest`.
    before: u64,
}

impl Scanner {
    /// Bytes of the stream that were whole records.
    pub fn offset(&self) -> u64 {
        self.before
    }

    /// Whether the stream so far ends within a record.
    pub fn is_within(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Calls `each` with the kind and bytes of every record that is whole now.
    ///
    /// # Errors
    /// The bytes are no trace.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Kind, &[u8])) -> Result<(), TraceError> {
        let joined;
        let mut input = if self.rest.is_empty() {
            bytes
        } else {
            joined = [self.rest.as_slice(), bytes].concat();
            &joined
        };
        let all = input.len();
        let before = self.before;
        let damaged = |input: &[u8]| TraceError::Damaged(before + (all - input.len()) as u64);
        loop {
            let (len, head) = match length(input) {
                Ok(found) => found,
                Err(DecodeError::Incomplete) => break,
                Err(DecodeError::Invalid) => return Err(damaged(input)),
            };
            let Some(record) = input.get(..head + len) else { break };
            let kind = record.get(head).and_then(|kind| kind_in_stream(*kind)).ok_or_else(|| damaged(input))?;
            each(kind, record);
            input = &input[head + len..];
        }
        self.before += (all - input.len()) as u64;
        self.rest = input.to_vec();
        Ok(())
    }
}

/// A digest as text.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
