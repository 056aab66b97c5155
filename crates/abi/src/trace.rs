//! The trace: an ordered stream of records, each a length, a kind, a time and a uniform body.
//!
//! ```text
//! record := len body                   (len = bytes of body: 7 bits, or 14 in two bytes, the lower 7 and 0x80 first)
//! body   := kind:u8 counts:u8 dt:num task:num num*n (len:num byte*len)*m
//! counts := n + 16 m
//! ```
//!
//! Some records stand for two, since they are so many; [`Record::decode`] gives what they stand for. A `CALL` is a BEGIN
//! and its RETURN with nothing between them: the body of the BEGIN, then `value:num` of the RETURN; a `CALL_DATA` has
//! `counts:u8` and blobs of the RETURN after that. A `SEND4` is a send to an IPv4 address, with address and port as numbers instead of the text; two numbers more are the move of the
//! status that came before it. Two numbers more of a `deliver` are the move that came after it.
//!
//! `dt` is the virtual time in nanoseconds since the record before. `num` is a number whose first byte says by its lowest
//! bit that is set how long it is: n bytes, little end first, hold 7n bits above that bit; after a first byte of 0 come 64 bits.
//! Writing it takes no loop. The running digest of a run is the BLAKE3 hash of this stream's bytes.

use alloc::vec::Vec;

/// Longest body in bytes; longer blobs are cut by the writer.
pub const MAX_RECORD: usize = 4096;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        /// What a record says.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $value,)* }

        impl Kind {
            /// The kind with this number, if there is one.
            pub fn from_u8(v: u8) -> Option<Kind> {
                match v { $($value => Some(Kind::$name),)* _ => None }
            }

            /// Its name in listings.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// A call begins: numbers are the call number and its arguments; blobs are captured strings and data, in argument order.
    Begin = 1, "BEGIN";
    /// A call returns: numbers are the call number and the zigzag value; blobs are captured data.
    Return = 2, "RETURN";
    /// The task waits. Numbers: the call number, the deadline in virtual nanoseconds or 0.
    Block = 3, "block";
    /// The task's wait may be over.
    Wake = 4, "wake";
    /// A task comes to be. Numbers: host, pid, tid, parent's task + 1 or 0. Blob: the program's name.
    Spawn = 5, "spawn";
    /// A task ends. Numbers: the wait status.
    Exit = 6, "exit";
    /// A process runs a new program. Blob: its path.
    Exec = 7, "exec";
    /// A signal is delivered to the task. Numbers: signal, code, the handler's address (0 default, 1 ignored).
    Signal = 8, "signal";
    /// Bytes for the outside. Numbers: host, stream (1 or 2, or a channel's), virtual nanoseconds since the world began, so that
    /// who looks for these needs no other record. Blob: the bytes.
    Output = 9, "output";
    /// The network takes bytes or a datagram. Numbers: socket ID, length. Blob: the peer's address as text.
    Send = 10, "send";
    /// Bytes or a datagram arrive at a socket. Numbers: socket ID, length.
    Deliver = 11, "deliver";
    /// The network drops something. Numbers: socket ID, length. Blob: the reason.
    Drop = 12, "drop";
    /// A fault strikes or ends. Numbers: its place in the plan, 1 at its beginning and 0 at its end. Blobs: what and whom, and
    /// where it comes from.
    Fault = 13, "fault";
    /// A socket's status moves (FIG. 48, 4816). Numbers: socket ID, old status, new status.
    Status = 14, "status";
    /// A call that the table does not know. Numbers: the call number. Blob: the place.
    Unsupported = 15, "unsupported";
    /// The task gives up the baton at a learned yield point. Numbers: the address.
    Yield = 16, "yield";
    /// A host starts or stops. Numbers: host, 1 up or 0 down. Blob: its name.
    Host = 17, "host";
    /// A remark for the reader. Blob: text.
    Note = 18, "note";
    /// The verdict on something between two hosts that is neither to pass nor to drop. Numbers: socket ID, length, index of the
    /// host that sends and of the one that it goes to (any other number: the world's resolver), which of [`verdict`], and
    /// nanoseconds until it arrives, of what comes twice for both.
    Verdict = 21, "verdict";
    /// An entry of the socket table comes to be, or what changes rarely of it has changed. Numbers, by the places of
    /// [`entry`]. Blobs: its local and its remote network address as text.
    Socket = 24, "socket";
    /// Options of a socket were set. Numbers: socket ID. Blob: those that differ from the ones it began with, as text.
    Options = 25, "options";
    /// What a socket's queues hold, where that does not follow from what is sent, delivered and from the status.
    /// Numbers: socket ID, bytes in the send queue, bytes in the receive queue, messages in the receive queue.
    Queues = 26, "queues";
    /// An entry leaves the socket table. Numbers: socket ID.
    Gone = 27, "gone";
    /// A packet was captured; never in a trace. See [`packet`].
    Packet = 28, "packet";
}

impl Kind {
    /// Whether the first number is the unique ID of the socket that it is about; 0 where the table has none for it.
    pub fn is_of_socket(self) -> bool {
        use Kind::*;
        matches!(self, Send | Deliver | Drop | Status | Socket | Options | Queues | Gone)
    }
}

/// What [`Kind::Verdict`] says.
pub mod verdict {
    /// It arrives at its time.
    pub const DELAY: u64 = 1;
    /// It arrives twice.
    pub const DUPLICATE: u64 = 2;
    /// It arrives damaged.
    pub const CORRUPT: u64 = 3;
    /// It waits for the end of a clog.
    pub const HOLD: u64 = 4;
}

/// A BEGIN and its RETURN at once, in the stream.
const CALL: u8 = 19;
/// A send to an IPv4 address, in the stream. Numbers: socket ID, length, address, port; old and new status before it.
const SEND4: u8 = 20;
/// As [`CALL`], with data of the RETURN.
const CALL_DATA: u8 = 22;

/// Places of the numbers of a [`Kind::Packet`]. Blobs: source and destination IP address, and a piece of the payload.
pub mod packet {
    /// Virtual nanoseconds since the world's beginning.
    pub const AT: usize = 0;
    /// Index of the host at whose interface it is seen.
    pub const HOST: usize = 1;
    /// Index of the network + 1; 0 is the host's loopback.
    pub const NETWORK: usize = 2;
    /// Bit 0: it leaves the host; bit 1: the next record has more of its payload.
    pub const FLAGS: usize = 3;
    /// Unique ID of the socket that sent it, or 0.
    pub const SOCKET: usize = 4;
    /// Time to live, and above bit 8 the type of service.
    pub const TTL_TOS: usize = 5;
    /// Source port, and above bit 16 the destination port.
    pub const PORTS: usize = 6;
    /// [`TCP`], [`UDP`] or [`ICMP`].
    pub const TRANSPORT: usize = 7;
    /// TCP: the flags of its header.
    pub const BITS: usize = 8;
    /// TCP: place of its first byte in the stream, from 0, the SYN's.
    pub const SEQ: usize = 9;
    /// TCP: place that its sender expects next.
    pub const ACK: usize = 10;
    /// TCP: bytes that its sender would take from there.
    pub const WINDOW: usize = 11;
    /// TCP: place of the urgent byte + 1; 0 where none is announced.
    pub const URGENT: usize = 12;
    /// How many there are.
    pub const COUNT: usize = 13;

    /// A TCP segment.
    pub const TCP: u64 = 0;
    /// A UDP datagram.
    pub const UDP: u64 = 1;
    /// An ICMP or ICMPv6 message.
    pub const ICMP: u64 = 2;
}

/// Places of the numbers of a [`Kind::Socket`].
pub mod entry {
    /// Unique socket ID.
    pub const ID: usize = 0;
    /// Index of the host; `u32::MAX` is the world's own resolver.
    pub const HOST: usize = 1;
    /// `AF_*`.
    pub const FAMILY: usize = 2;
    /// `SOCK_*`.
    pub const TYPE: usize = 3;
    /// `IPPROTO_*`, or the number of a netlink protocol.
    pub const PROTOCOL: usize = 4;
    /// Bit 0: calls on it block; bit 1: its receive direction has ended; bit 2: its send direction has.
    pub const FLAGS: usize = 5;
    /// Process of the descriptor that first named it; 0 while there is none.
    pub const PID: usize = 6;
    /// Number of that descriptor.
    pub const FD: usize = 7;
    /// Unique ID of the other end; 0 while there is none.
    pub const OTHER_END: usize = 8;
    /// Index of the connection's network + 1; 0 within a host.
    pub const NETWORK: usize = 9;
    /// Number of the error that waits to be told, or 0.
    pub const ERROR: usize = 10;
    /// Connections that wait to be accepted.
    pub const WAITING: usize = 11;
    /// How many there are.
    pub const COUNT: usize = 12;
}

/// The kind of what a record of the stream begins with, by the first byte of its body.
pub fn kind_in_stream(first: u8) -> Option<Kind> {
    match first {
        CALL | CALL_DATA => Some(Kind::Begin),
        SEND4 => Some(Kind::Send),
        kind => Kind::from_u8(kind),
    }
}

/// Most bytes of a number, and the room that writing one takes.
const NUM: usize = 9;

/// Appends a number.
#[inline]
fn put_num(out: &mut [u8], at: &mut usize, v: u64) {
    let to = &mut out[*at..*at + NUM];
    if v < 1 << 7 {
        to[0] = (v << 1 | 1) as u8;
        *at += 1;
    } else if v < 1 << 56 {
        let len = (70 - v.leading_zeros()) / 7;
        to[..8].copy_from_slice(&((v << 1 | 1) << (len - 1)).to_le_bytes());
        *at += len as usize;
    } else {
        to[0] = 0;
        to[1..].copy_from_slice(&v.to_le_bytes());
        *at += NUM;
    }
}

/// Reads a number; `None` at the end of the input.
fn get_num(input: &[u8], at: &mut usize) -> Option<u64> {
    let first = *input.get(*at)?;
    let len = if first == 0 { NUM } else { first.trailing_zeros() as usize + 1 };
    let from = input.get(*at..*at + len)?;
    *at += len;
    let mut word = [0; 8];
    if first == 0 {
        word.copy_from_slice(&from[1..]);
        return Some(u64::from_le_bytes(word));
    }
    word[..len].copy_from_slice(from);
    Some(u64::from_le_bytes(word) >> len)
}

/// Signed to unsigned with small magnitudes first.
pub fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub fn unzigzag(v: u64) -> i64 {
    (v >> 1) as i64 ^ -((v & 1) as i64)
}

/// Most bytes of a record's length.
const HEAD: usize = 2;
/// Bytes that building a record takes.
const ROOM: usize = HEAD + MAX_RECORD + NUM;

/// Builds records one after another in one buffer, which is handed on when there is enough in it.
#[derive(Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    /// End of the whole records.
    whole: usize,
    at: usize,
    /// The byte that counts blobs; 0 where there is none yet.
    counts_at: usize,
    /// Where a BEGIN stands after which nothing has come.
    open: Option<usize>,
}

/// A blob in the byte that counts numbers and blobs.
const BLOB: u8 = 16;

impl Encoder {
    /// An encoder without records.
    pub const fn new() -> Encoder {
        Encoder { bytes: Vec::new(), whole: 0, at: 0, counts_at: 0, open: None }
    }

    /// The whole records that were built since the last [`Encoder::clear`].
    #[inline]
    pub fn records(&self) -> &[u8] {
        &self.bytes[..self.whole]
    }

    /// Forgets the whole records.
    pub fn clear(&mut self) {
        self.whole = 0;
        self.open = None;
    }

    /// Starts a record.
    #[inline]
    pub fn begin(&mut self, kind: Kind, dt: u64, task: u32) -> &mut Encoder {
        self.begin_with(kind, dt, task, &[])
    }

    /// Starts a record with its first numbers.
    #[inline]
    pub fn begin_with(&mut self, kind: Kind, dt: u64, task: u32, nums: &[u64]) -> &mut Encoder {
        self.start(kind as u8, dt, task, nums)
    }

    /// Starts a send to an IPv4 address: socket ID, length, address, port; old and new status, if it moved before.
    #[inline]
    pub fn begin_send4(&mut self, dt: u64, task: u32, nums: &[u64]) -> &mut Encoder {
        self.start(SEND4, dt, task, nums)
    }

    /// Starts a BEGIN and its RETURN: blobs of the RETURN may follow.
    #[inline]
    pub fn begin_call(&mut self, dt: u64, task: u32, nums: &[u64], value: u64) -> &mut Encoder {
        self.start(CALL, dt, task, nums);
        put_num(&mut self.bytes, &mut self.at, value);
        self.counts_at = 0;
        self
    }

    #[inline]
    fn start(&mut self, kind: u8, dt: u64, task: u32, nums: &[u64]) -> &mut Encoder {
        self.open = None;
        self.make_room();
        // Kind, counts, time, task and twelve numbers at most. Most lengths take one byte; a longer one is made room for
        // at the end.
        let body = self.whole + 1;
        let (bytes, mut at) = (&mut self.bytes[body..body + 160], 2);
        bytes[0] = kind;
        bytes[1] = nums.len() as u8;
        put_num(bytes, &mut at, dt);
        put_num(bytes, &mut at, u64::from(task));
        for num in nums {
            put_num(bytes, &mut at, *num);
        }
        self.at = body + at;
        self.counts_at = body + 1;
        self
    }

    #[inline]
    fn make_room(&mut self) {
        if self.bytes.len() < self.whole + ROOM {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.bytes.resize(self.whole + 2 * ROOM, 0);
    }

    /// Ends a BEGIN, to which the RETURN may be added if nothing comes between.
    #[inline]
    pub fn finish_open(&mut self) {
        let start = self.whole;
        self.finish();
        // A record with a long length is left as it is.
        self.open = (self.whole - start <= 0x80).then_some(start);
    }

    /// Whether the last record is a BEGIN to which a RETURN can be added.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Adds the RETURN to the BEGIN that is open: blobs may follow.
    ///
    /// # Panics
    /// When none is open.
    #[inline]
    pub fn add_return(&mut self, value: u64) -> &mut Encoder {
        let start = self.open.take().expect("a BEGIN is open");
        self.at = self.whole;
        self.whole = start;
        self.make_room();
        self.bytes[start + 1] = CALL;
        put_num(&mut self.bytes, &mut self.at, value);
        self.counts_at = 0;
        self
    }

    /// Adds a number. All numbers come before all blobs; at most 15.
    #[inline]
    pub fn num(&mut self, v: u64) -> &mut Encoder {
        let counts = &mut self.bytes[self.counts_at];
        assert!(*counts < BLOB - 1, "a number after a blob, or too many: {counts:#x}");
        *counts += 1;
        put_num(&mut self.bytes, &mut self.at, v);
        self
    }

    /// Adds a blob, cut to what the record still holds; at most 15.
    pub fn blob(&mut self, data: &[u8]) -> &mut Encoder {
        if self.counts_at == 0 {
            self.bytes[self.whole + 1] = CALL_DATA;
            self.bytes[self.at] = 0;
            self.counts_at = self.at;
            self.at += 1;
        }
        let room = (self.whole + HEAD + MAX_RECORD - self.at).saturating_sub(NUM);
        let data = &data[..data.len().min(room)];
        self.bytes[self.counts_at] += BLOB;
        put_num(&mut self.bytes, &mut self.at, data.len() as u64);
        self.bytes[self.at..self.at + data.len()].copy_from_slice(data);
        self.at += data.len();
        self
    }

    /// Ends the record.
    #[inline]
    pub fn finish(&mut self) {
        let len = self.at - self.whole - 1;
        if len < 0x80 {
            self.bytes[self.whole] = len as u8;
        } else {
            self.lengthen(len);
        }
        self.whole = self.at;
    }

    /// Makes room for a length of two bytes.
    #[cold]
    fn lengthen(&mut self, len: usize) {
        let body = self.whole + 1;
        self.bytes.copy_within(body..self.at, body + 1);
        self.bytes[self.whole] = len as u8 | 0x80;
        self.bytes[body] = (len >> 7) as u8;
        self.at += 1;
    }
}

/// Virtual nanoseconds between a whole record and the one before it; `None` for bytes that are none.
pub fn delay(record: &[u8]) -> Option<u64> {
    let (_, head) = length(record).ok()?;
    // After the kind and the counts.
    get_num(record, &mut (head + 2))
}

/// A decoded record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// What it says.
    pub kind: Kind,
    /// Virtual nanoseconds since the record before.
    pub dt: u64,
    /// The task it is about; 0 is the world itself.
    pub task: u32,
    /// See [`Kind`].
    pub nums: Vec<u64>,
    /// See [`Kind`].
    pub blobs: Vec<Vec<u8>>,
}

/// Why bytes are not a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// The input ends within a record: more bytes may come.
    Incomplete,
    /// The bytes cannot be a record.
    Invalid,
}

/// Bytes of the body of the record at the start of `input`, and those that say so.
///
/// # Errors
/// As [`Record::decode`].
pub fn length(input: &[u8]) -> Result<(usize, usize), DecodeError> {
    let (len, head) = match *input {
        [a, ..] if a < 0x80 => (usize::from(a), 1),
        [a, b, ..] if b < 0x80 => (usize::from(a & 0x7f) | usize::from(b) << 7, 2),
        [_, _, ..] => return Err(DecodeError::Invalid),
        _ => return Err(DecodeError::Incomplete),
    };
    if len > MAX_RECORD { Err(DecodeError::Invalid) } else { Ok((len, head)) }
}

impl Record {
    /// Decodes the record at the start of `input`; returns it, the one that comes with it, and the bytes taken.
    ///
    /// # Errors
    /// [`DecodeError::Incomplete`] when more input may help, [`DecodeError::Invalid`] when it cannot.
    pub fn decode(input: &[u8]) -> Result<(Record, Option<Record>, usize), DecodeError> {
        let (len, head) = length(input)?;
        let end = head + len;
        let body = input.get(head..end).ok_or(DecodeError::Incomplete)?;
        let (record, and) = Self::decode_body(body).ok_or(DecodeError::Invalid)?;
        Ok((record, and, end))
    }

    fn decode_body(body: &[u8]) -> Option<(Record, Option<Record>)> {
        let &[first, counts, ..] = body else { return None };
        let kind = kind_in_stream(first)?;
        let mut at = 2;
        let dt = get_num(body, &mut at)?;
        let task = u32::try_from(get_num(body, &mut at)?).ok()?;
        let nums = (0..counts % BLOB).map(|_| get_num(body, &mut at)).collect::<Option<Vec<_>>>()?;
        let blobs = get_blobs(body, &mut at, counts)?;
        let mut record = Record { kind, dt, task, nums, blobs };
        let mut and = None;
        match first {
            CALL | CALL_DATA => {
                let nums = alloc::vec![*record.nums.first()?, get_num(body, &mut at)?];
                let mut blobs = Vec::new();
                if first == CALL_DATA {
                    let counts = *body.get(at)?;
                    at += 1;
                    blobs = get_blobs(body, &mut at, counts)?;
                }
                and = Some(Record { kind: Kind::Return, dt: 0, task, nums, blobs });
            }
            SEND4 => {
                let &[socket, len, address, port, ref status @ ..] = &record.nums[..] else { return None };
                let [a, b, c, d] = u32::try_from(address).ok()?.to_be_bytes();
                let text = alloc::format!("{a}.{b}.{c}.{d}:{}", u16::try_from(port).ok()?);
                let blobs = alloc::vec![text.into_bytes()];
                let send = |dt| Record { kind, dt, task, nums: alloc::vec![socket, len], blobs };
                record = match *status {
                    [] => send(dt),
                    [old, new] => {
                        and = Some(send(0));
                        Record { kind: Kind::Status, dt, task, nums: alloc::vec![socket, old, new], blobs: Vec::new() }
                    }
                    _ => return None,
                };
            }
            _ if kind == Kind::Deliver => {
                if let &[socket, len, old, new] = &record.nums[..] {
                    let nums = alloc::vec![socket, old, new];
                    and = Some(Record { kind: Kind::Status, dt: 0, task, nums, blobs: Vec::new() });
                    record.nums = alloc::vec![socket, len];
                }
            }
            _ => {}
        }
        (at == body.len()).then_some((record, and))
    }
}

fn get_blobs(body: &[u8], at: &mut usize, counts: u8) -> Option<Vec<Vec<u8>>> {
    let mut blobs = Vec::new();
    for _ in 0..counts / BLOB {
        let len = usize::try_from(get_num(body, at)?).ok()?;
        blobs.push(body.get(*at..at.checked_add(len)?)?.to_vec());
        *at += len;
    }
    Some(blobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_record_reads_back_as_written() {
        let mut enc = Encoder::new();
        enc.begin(Kind::Begin, 300, 7).num(257).num(u64::MAX).blob(b"/etc/passwd").finish();
        let bytes = enc.records().to_vec();
        let (rec, _, used) = Record::decode(&bytes).unwrap();
        assert_eq!(used, bytes.len());
        assert_eq!((rec.kind, rec.dt, rec.task), (Kind::Begin, 300, 7));
        assert_eq!(rec.nums, [257, u64::MAX]);
        assert_eq!(rec.blobs, [b"/etc/passwd".to_vec()]);
    }

    #[test]
    fn no_kind_has_the_number_of_a_form_of_the_stream() {
        for form in [CALL, SEND4, CALL_DATA] {
            assert_eq!(Kind::from_u8(form), None, "{form}");
        }
    }

    #[test]
    fn numbers_of_all_lengths_read_back() {
        let around = |bits: u32| [1u64 << bits, (1u64 << bits) - 1, (1u64 << bits) + 1];
        for v in (0..64).flat_map(around).chain([u64::MAX]) {
            let (mut out, mut at, mut read) = ([0xa5; 16], 3, 3);
            put_num(&mut out, &mut at, v);
            assert_eq!(get_num(&out[..at], &mut read), Some(v));
            assert_eq!(read, at, "{v:#x}");
            read = 3;
            assert_eq!(get_num(&out[..at - 1], &mut read), None, "{v:#x}");
        }
    }

    #[test]
    fn an_oversized_blob_is_cut_and_still_decodes() {
        let mut enc = Encoder::new();
        enc.begin(Kind::Output, 0, 1).num(0).num(1).blob(&[b'x'; 10_000]).finish();
        enc.begin(Kind::Exit, 5, 1).num(9).finish();
        let (rec, _, used) = Record::decode(enc.records()).unwrap();
        assert!(rec.blobs[0].len() > 4000);
        let (rec, _, last) = Record::decode(&enc.records()[used..]).unwrap();
        assert_eq!((rec.kind, rec.dt, used + last), (Kind::Exit, 5, enc.records().len()));
        enc.clear();
        assert!(enc.records().is_empty());
    }

    #[test]
    fn a_call_reads_back_as_its_begin_and_its_return() {
        let mut enc = Encoder::new();
        enc.begin(Kind::Begin, 500, 3).num(0).num(7).blob(b"in").finish_open();
        enc.add_return(zigzag(5)).blob(b"bytes").finish();
        assert!(!enc.is_open());
        let (begin, ret, used) = Record::decode(enc.records()).unwrap();
        assert_eq!(used, enc.records().len());
        assert_eq!(
            (begin.kind, begin.dt, begin.nums, begin.blobs),
            (Kind::Begin, 500, vec![0, 7], vec![b"in".to_vec()])
        );
        let ret = ret.unwrap();
        assert_eq!((ret.kind, ret.dt, ret.nums, ret.blobs), (Kind::Return, 0, vec![0, 10], vec![b"bytes".to_vec()]));
    }

    #[test]
    fn a_call_that_is_written_at_once_is_the_same_bytes() {
        let nums = [232, 5, u64::MAX, 300];
        let (mut open, mut whole) = (Encoder::new(), Encoder::new());
        for data in [&b""[..], b"bytes"] {
            open.begin_with(Kind::Begin, 500, 3, &nums).finish_open();
            for call in [open.add_return(zigzag(-9)), whole.begin_call(500, 3, &nums, zigzag(-9))] {
                if !data.is_empty() {
                    call.blob(data);
                }
                call.finish();
            }
        }
        assert_eq!(open.records(), whole.records());
    }

    #[test]
    fn a_begin_is_open_until_something_comes_between_or_it_is_long() {
        let mut enc = Encoder::new();
        enc.begin(Kind::Begin, 1, 1).num(0).finish_open();
        assert!(enc.is_open());
        enc.begin(Kind::Wake, 0, 2).finish();
        assert!(!enc.is_open());
        enc.begin(Kind::Begin, 1, 1).num(0).blob(&[1; 200]).finish_open();
        assert!(!enc.is_open());
    }

    #[test]
    fn a_send_by_numbers_reads_back_with_its_text() {
        let mut enc = Encoder::new();
        enc.begin_send4(0, 0, &[18, 45, 0x0a00_0102, 6379]).finish();
        let (send, _, _) = Record::decode(enc.records()).unwrap();
        assert_eq!((send.kind, send.nums, send.blobs), (Kind::Send, vec![18, 45], vec![b"10.0.1.2:6379".to_vec()]));
    }

    #[test]
    fn moves_of_the_status_come_with_what_moves_it() {
        let mut enc = Encoder::new();
        enc.begin_send4(7, 0, &[18, 45, 0x0a00_0102, 6379, 4, 5]).finish();
        let (first, then, used) = Record::decode(enc.records()).unwrap();
        let then = then.unwrap();
        assert_eq!((first.kind, first.dt, first.nums), (Kind::Status, 7, vec![18, 4, 5]));
        assert_eq!((then.kind, then.dt, then.nums, used), (Kind::Send, 0, vec![18, 45], enc.records().len()));
        enc.clear();
        enc.begin_with(Kind::Deliver, 7, 0, &[18, 45, 4, 6]).finish();
        let (first, then, _) = Record::decode(enc.records()).unwrap();
        assert_eq!((first.kind, first.dt, first.nums), (Kind::Deliver, 7, vec![18, 45]));
        assert_eq!(then.unwrap().nums, vec![18, 4, 6]);
    }

    #[test]
    fn a_cut_record_is_incomplete_and_garbage_is_invalid() {
        let mut enc = Encoder::new();
        enc.begin(Kind::Exit, 1, 1).num(0).finish();
        let bytes = enc.records().to_vec();
        assert_eq!(Record::decode(&bytes[..bytes.len() - 1]), Err(DecodeError::Incomplete));
        assert_eq!(Record::decode(&[3, 99, 0, 0]), Err(DecodeError::Invalid));
        assert_eq!(Record::decode(&[0xff; 12]), Err(DecodeError::Invalid));
    }

    #[test]
    fn zigzag_is_its_own_inverse() {
        for v in [0, 1, -1, i64::MAX, i64::MIN, -4095] {
            assert_eq!(unzigzag(zigzag(v)), v);
        }
    }
}
