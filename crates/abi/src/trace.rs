//! The trace: an ordered stream of records, each a length, a kind, a time and a uniform body.
//!
//! ```text
//! record := len:varint body            (len = bytes of body)
//! body   := kind:u8 dt:varint task:varint n:u8 num:varint*n m:u8 (len:varint byte*len)*m
//! ```
//!
//! Some records stand for two, since they are so many; [`Record::decode`] gives what they stand for. A `CALL` is a BEGIN
//! and its RETURN with nothing between them: the body of the BEGIN, then `value:varint m:u8 blobs` of the RETURN. A `SEND4`
//! is a send to an IPv4 address, with address and port as numbers instead of the text; two numbers more are the move of the
//! status that came before it. Two numbers more of a `deliver` are the move that came after it.
//!
//! `dt` is the virtual time in nanoseconds since the record before. `varint` is LEB128, little end first.
//! The running digest of a run is the BLAKE3 hash of this stream's bytes.

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
    /// Bytes for the outside. Numbers: host, stream (1 or 2). Blob: the bytes.
    Output = 9, "output";
    /// The network takes bytes or a datagram. Numbers: socket ID, length. Blob: the peer's address as text.
    Send = 10, "send";
    /// Bytes or a datagram arrive at a socket. Numbers: socket ID, length.
    Deliver = 11, "deliver";
    /// The network drops something. Numbers: socket ID, length. Blob: the reason.
    Drop = 12, "drop";
    /// A fault strikes. Blob: what and why.
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

/// A BEGIN and its RETURN at once, in the stream.
const CALL: u8 = 19;
/// A send to an IPv4 address, in the stream. Numbers: socket ID, length, address, port; old and new status before it.
const SEND4: u8 = 20;

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
    /// [`TCP`], [`UDP`], [`ICMP`] or [`UNREACHABLE`].
    pub const TRANSPORT: usize = 7;
    /// TCP: the flags of its header. A port unreachable: length of the datagram that it is about.
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
    /// An ICMP port unreachable.
    pub const UNREACHABLE: u64 = 3;
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
        CALL => Some(Kind::Begin),
        SEND4 => Some(Kind::Send),
        kind => Kind::from_u8(kind),
    }
}

/// Appends LEB128.
#[inline]
fn put_varint(out: &mut [u8], at: &mut usize, mut v: u64) {
    while v >= 0x80 {
        out[*at] = v as u8 | 0x80;
        *at += 1;
        v >>= 7;
    }
    out[*at] = v as u8;
    *at += 1;
}

/// Reads LEB128; `None` at the end of the input or past 64 bits.
fn get_varint(input: &[u8], at: &mut usize) -> Option<u64> {
    let mut v = 0u64;
    for shift in (0..64).step_by(7) {
        let b = *input.get(*at)?;
        *at += 1;
        if shift == 63 && b > 1 {
            return None;
        }
        v |= u64::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return Some(v);
        }
    }
    None
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

/// Builds records one after another in one buffer, which is handed on when there is enough in it.
#[derive(Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    /// End of the whole records.
    whole: usize,
    at: usize,
    nums_at: usize,
    blobs_at: usize,
    /// Where a BEGIN stands after which nothing has come.
    open: Option<usize>,
}

impl Encoder {
    /// An encoder without records.
    pub const fn new() -> Encoder {
        Encoder { bytes: Vec::new(), whole: 0, at: 0, nums_at: 0, blobs_at: 0, open: None }
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

    #[inline]
    fn start(&mut self, kind: u8, dt: u64, task: u32, nums: &[u64]) -> &mut Encoder {
        self.open = None;
        if self.bytes.len() < self.whole + HEAD + MAX_RECORD {
            self.bytes.resize(self.whole + 2 * (HEAD + MAX_RECORD), 0);
        }
        // Kind, time, task and twelve numbers of ten bytes at most. Most lengths take one byte; a longer one is made
        // room for at the end.
        let (bytes, mut at) = (&mut self.bytes[self.whole + 1..self.whole + 1 + 160], 1);
        bytes[0] = kind;
        put_varint(bytes, &mut at, dt);
        put_varint(bytes, &mut at, u64::from(task));
        self.nums_at = self.whole + 1 + at;
        bytes[at] = nums.len() as u8;
        at += 1;
        for num in nums {
            put_varint(bytes, &mut at, *num);
        }
        self.at = self.whole + 1 + at;
        self.blobs_at = 0;
        self
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
        self.bytes[start + 1] = CALL;
        if self.bytes.len() < start + HEAD + MAX_RECORD {
            self.bytes.resize(start + 2 * (HEAD + MAX_RECORD), 0);
        }
        put_varint(&mut self.bytes, &mut self.at, value);
        self.blobs_at = 0;
        self
    }

    /// Adds a number. All numbers come before all blobs; at most 16.
    #[inline]
    pub fn num(&mut self, v: u64) -> &mut Encoder {
        debug_assert!(self.blobs_at == 0);
        self.bytes[self.nums_at] += 1;
        put_varint(&mut self.bytes, &mut self.at, v);
        self
    }

    /// Adds a blob, cut to what the record still holds.
    pub fn blob(&mut self, data: &[u8]) -> &mut Encoder {
        if self.blobs_at == 0 {
            self.blobs_at = self.at;
            self.bytes[self.at] = 0;
            self.at += 1;
        }
        let room = (self.whole + HEAD + MAX_RECORD - self.at).saturating_sub(4);
        let data = &data[..data.len().min(room)];
        self.bytes[self.blobs_at] += 1;
        put_varint(&mut self.bytes, &mut self.at, data.len() as u64);
        self.bytes[self.at..self.at + data.len()].copy_from_slice(data);
        self.at += data.len();
        self
    }

    /// Ends the record.
    #[inline]
    pub fn finish(&mut self) {
        if self.blobs_at == 0 {
            self.bytes[self.at] = 0;
            self.at += 1;
        }
        let body = self.whole + 1;
        let len = self.at - body;
        if len < 0x80 {
            self.bytes[self.whole] = len as u8;
        } else {
            self.bytes.copy_within(body..self.at, body + 1);
            self.bytes[self.whole] = len as u8 | 0x80;
            self.bytes[body] = (len >> 7) as u8;
            self.at += 1;
        }
        self.whole = self.at;
    }
}

/// Virtual nanoseconds between a whole record and the one before it; `None` for bytes that are none.
pub fn delay(record: &[u8]) -> Option<u64> {
    let mut at = 0;
    get_varint(record, &mut at)?;
    at += 1;
    get_varint(record, &mut at)
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

impl Record {
    /// Decodes the record at the start of `input`; returns it, the one that comes with it, and the bytes taken.
    ///
    /// # Errors
    /// [`DecodeError::Incomplete`] when more input may help, [`DecodeError::Invalid`] when it cannot.
    pub fn decode(input: &[u8]) -> Result<(Record, Option<Record>, usize), DecodeError> {
        let mut at = 0;
        let len = match get_varint(input, &mut at) {
            Some(len) => len,
            None if input.len() < 10 => return Err(DecodeError::Incomplete),
            None => return Err(DecodeError::Invalid),
        };
        if len > MAX_RECORD as u64 {
            return Err(DecodeError::Invalid);
        }
        let end = at + len as usize;
        let body = input.get(at..end).ok_or(DecodeError::Incomplete)?;
        let (record, and) = Self::decode_body(body).ok_or(DecodeError::Invalid)?;
        Ok((record, and, end))
    }

    fn decode_body(body: &[u8]) -> Option<(Record, Option<Record>)> {
        let first = *body.first()?;
        let kind = kind_in_stream(first)?;
        let mut at = 1;
        let dt = get_varint(body, &mut at)?;
        let task = u32::try_from(get_varint(body, &mut at)?).ok()?;
        let count = *body.get(at)?;
        at += 1;
        let nums = (0..count).map(|_| get_varint(body, &mut at)).collect::<Option<Vec<_>>>()?;
        let blobs = get_blobs(body, &mut at)?;
        let mut record = Record { kind, dt, task, nums, blobs };
        let mut and = None;
        match first {
            CALL => {
                let nums = alloc::vec![*record.nums.first()?, get_varint(body, &mut at)?];
                let blobs = get_blobs(body, &mut at)?;
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

fn get_blobs(body: &[u8], at: &mut usize) -> Option<Vec<Vec<u8>>> {
    let count = *body.get(*at)?;
    *at += 1;
    let mut blobs = Vec::new();
    for _ in 0..count {
        let len = usize::try_from(get_varint(body, at)?).ok()?;
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
