//! What the two sides say to each other over a socket: frames of a tag, a length and as many bytes.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

/// What a frame says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Tag {
    /// The gate is in a user namespace of its own and waits for its ids to be mapped.
    Mapless = 1,
    /// The gate needs no mapping.
    Mapped = 2,
    /// The gate may go on.
    Go = 3,
    /// The world's specification.
    World = 4,
    /// Something that the layout cannot do here. Text.
    Limit = 5,
    /// Records of the trace.
    Trace = 6,
    /// How it goes: nanoseconds, records, hosts with a live process, 8 bytes each.
    Sample = 7,
    /// The report: the end.
    Report = 8,
    /// Why the world cannot be run: the end. Text.
    Failure = 9,
    /// The world is to be stopped.
    Stop = 10,
}

const ALL: [Tag; 10] = [
    Tag::Mapless,
    Tag::Mapped,
    Tag::Go,
    Tag::World,
    Tag::Limit,
    Tag::Trace,
    Tag::Sample,
    Tag::Report,
    Tag::Failure,
    Tag::Stop,
];

/// Longest frame: a world of many hosts is some MiB.
const MAX: usize = 1 << 30;
const HEAD: usize = 5;

/// Sends a frame.
pub fn send(channel: &mut UnixStream, tag: Tag, bytes: &[u8]) -> io::Result<()> {
    let mut head = [0; HEAD];
    head[0] = tag as u8;
    head[1..].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    channel.write_all(&head)?;
    channel.write_all(bytes)
}

/// Takes one frame without a body, and not a byte more: what follows is for another process.
pub fn receive_bare(channel: &mut UnixStream) -> io::Result<u8> {
    let mut head = [0; HEAD];
    channel.read_exact(&mut head)?;
    Ok(head[0])
}

/// Puts frames together from what arrives.
#[derive(Default)]
pub struct Frames {
    held: Vec<u8>,
    at: usize,
}

/// What came of a look at the channel.
pub enum Arrival {
    /// Bytes.
    Some,
    /// None in the time that the channel waits.
    None,
    /// The other side is gone.
    End,
}

impl Frames {
    /// Reads what is there.
    pub fn read(&mut self, channel: &mut UnixStream) -> io::Result<Arrival> {
        self.held.drain(..self.at);
        self.at = 0;
        let mut chunk = [0; 64 << 10];
        match channel.read(&mut chunk) {
            Ok(0) => Ok(Arrival::End),
            Ok(n) => {
                self.held.extend_from_slice(&chunk[..n]);
                Ok(Arrival::Some)
            }
            Err(e) => match e.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Ok(Arrival::None),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ok(Arrival::End),
                _ => Err(e),
            },
        }
    }

    /// The next whole frame.
    pub fn next(&mut self) -> Option<(Tag, Vec<u8>)> {
        let rest = &self.held[self.at..];
        let (head, body) = rest.split_at_checked(HEAD)?;
        let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        // A frame of an unknown kind would be a bug of ours, as both sides are one program.
        let tag = *ALL.iter().find(|tag| **tag as u8 == head[0]).filter(|_| len <= MAX)?;
        let bytes = body.get(..len)?.to_vec();
        self.at += HEAD + len;
        Some((tag, bytes))
    }

    /// Waits for a frame; none when the other side is gone.
    pub fn wait(&mut self, channel: &mut UnixStream) -> io::Result<Option<(Tag, Vec<u8>)>> {
        loop {
            if let Some(frame) = self.next() {
                return Ok(Some(frame));
            }
            if let Arrival::End = self.read(channel)? {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_whole_however_they_are_cut() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let long = vec![7; 100_000];
        let sender = std::thread::spawn(move || {
            send(&mut theirs, Tag::Trace, &long).unwrap();
            send(&mut theirs, Tag::Stop, &[]).unwrap();
        });
        let mut frames = Frames::default();
        let (tag, bytes) = frames.wait(&mut ours).unwrap().unwrap();
        assert_eq!((tag, bytes.len()), (Tag::Trace, 100_000));
        assert_eq!(frames.wait(&mut ours).unwrap(), Some((Tag::Stop, Vec::new())));
        assert_eq!(frames.wait(&mut ours).unwrap(), None);
        sender.join().unwrap();
    }
}
