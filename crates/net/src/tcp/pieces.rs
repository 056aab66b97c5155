//! What has arrived before its turn: pieces of the stream behind a gap, and what selective acknowledgements say of them
//! (RFC 2018, RFC 2883).

use crate::queue::{Chunk, Pool, truesize};
use alloc::vec::Vec;

/// Blocks that a segment with timestamps has room for.
pub(crate) const BLOCKS: usize = 3;

/// Selective acknowledgements of a segment: pairs of places, the newest first; a duplicate before all others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Blocks {
    blocks: [(u64, u64); BLOCKS],
    count: u8,
}

impl Blocks {
    fn push(&mut self, block: (u64, u64)) {
        if let Some(place) = self.blocks.get_mut(usize::from(self.count))
            && block.0 < block.1
        {
            *place = block;
            self.count += 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[(u64, u64)] {
        &self.blocks[..usize::from(self.count)]
    }

    /// The first block, if it tells of bytes that came twice (RFC 2883, 4).
    pub(crate) fn duplicate(&self, ack: u64) -> Option<(u64, u64)> {
        let first = *self.as_slice().first()?;
        let within = self.as_slice().get(1).is_some_and(|second| second.0 <= first.0 && first.1 <= second.1);
        (first.1 <= ack || within).then_some(first)
    }
}

/// Bytes behind a gap.
#[derive(Debug)]
struct Piece {
    seq: u64,
    chunk: Chunk,
}

impl Piece {
    fn end(&self) -> u64 {
        self.seq + self.chunk.len() as u64
    }
}

/// All pieces of a connection, in order and without overlaps.
#[derive(Default, Debug)]
pub(crate) struct Pieces {
    list: Vec<Piece>,
    /// What they amount to: stretches without gaps, in order.
    stretches: Vec<(u64, u64)>,
    /// A place in each of the stretches that changed last, the newest first.
    newest: Vec<u64>,
    /// What they count against the receive buffer, in bytes.
    held: usize,
    /// Bytes that came twice, of which the next acknowledgement tells.
    pub(crate) duplicate: Option<(u64, u64)>,
}

impl Pieces {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Keeps bytes for later, as far as `room` bytes of buffer allow. Returns whether all or some of them are new.
    pub(crate) fn keep(&mut self, seq: u64, chunk: Chunk, room: usize, pool: &mut Pool) -> bool {
        let end = seq + chunk.len() as u64;
        if self.held + truesize(chunk.len()) as usize > room {
            pool.give(chunk);
            return false;
        }
        let new = self.fill_gaps(seq, end, &chunk);
        pool.give(chunk);
        if !new {
            self.duplicate = Some((seq, end));
        }
        self.stretch(seq, end);
        new
    }

    /// Puts those parts of a chunk into the list that are not there.
    fn fill_gaps(&mut self, mut seq: u64, end: u64, chunk: &Chunk) -> bool {
        let begin = seq;
        let mut at = self.list.partition_point(|piece| piece.end() <= seq);
        let mut new = false;
        while seq < end {
            let next = self.list.get(at).map_or(end, |piece| piece.seq.min(end));
            if seq < next {
                let part = chunk.slice((seq - begin) as usize, (next - seq) as usize);
                self.held += truesize(part.len()) as usize;
                self.list.insert(at, Piece { seq, chunk: part });
                at += 1;
                new = true;
            }
            seq = self.list.get(at).map_or(end, |piece| next.max(piece.end()));
            at += 1;
        }
        new
    }

    fn stretch(&mut self, seq: u64, end: u64) {
        let first = self.stretches.partition_point(|stretch| stretch.1 < seq);
        let last = self.stretches.partition_point(|stretch| stretch.0 <= end);
        let (mut from, mut to) = (seq, end);
        if first < last {
            from = from.min(self.stretches[first].0);
            to = to.max(self.stretches[last - 1].1);
        }
        self.stretches.splice(first..last, [(from, to)]);
        self.newest.retain(|place| !(from..to).contains(place));
        self.newest.insert(0, from);
        self.newest.truncate(BLOCKS);
    }

    /// The next bytes, if they begin at `expected` or before it.
    pub(crate) fn take(&mut self, expected: u64, pool: &mut Pool) -> Option<Chunk> {
        while self.list.first().is_some_and(|piece| piece.seq <= expected) {
            let piece = self.list.remove(0);
            self.held -= truesize(piece.chunk.len()) as usize;
            let end = piece.end();
            self.forget_before(end);
            if end > expected {
                let known = (expected - piece.seq) as usize;
                return Some(if known == 0 {
                    piece.chunk
                } else {
                    piece.chunk.slice(known, (end - expected) as usize)
                });
            }
            pool.give(piece.chunk);
        }
        None
    }

    fn forget_before(&mut self, place: u64) {
        self.stretches.retain_mut(|stretch| {
            stretch.0 = stretch.0.max(place);
            stretch.0 < stretch.1
        });
        let stretches = &self.stretches;
        self.newest.retain_mut(|newest| {
            *newest = (*newest).max(place);
            stretches.iter().any(|stretch| (stretch.0..stretch.1).contains(newest))
        });
        self.newest.dedup();
    }

    /// What they count against the receive buffer, in bytes.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// What the next acknowledgement says of them; a duplicate is told of once.
    pub(crate) fn blocks(&mut self) -> Option<Blocks> {
        let mut blocks = Blocks::default();
        if let Some(duplicate) = self.duplicate.take() {
            blocks.push(duplicate);
        }
        for place in &self.newest {
            if let Some(&stretch) = self.stretches.iter().find(|s| (s.0..s.1).contains(place)) {
                blocks.push(stretch);
            }
        }
        (blocks.count > 0).then_some(blocks)
    }

    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        self.list.drain(..).for_each(|piece| pool.give(piece.chunk));
        *self = Pieces::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(pieces: &mut Pieces, pool: &mut Pool, seq: u64, text: &[u8]) -> bool {
        let chunk = pool.copy(text);
        pieces.keep(seq, chunk, 1 << 20, pool)
    }

    #[test]
    fn pieces_are_joined_whatever_their_order_and_overlaps() {
        let (mut pieces, mut pool) = (Pieces::default(), Pool::default());
        assert!(keep(&mut pieces, &mut pool, 10, b"cd"));
        assert!(keep(&mut pieces, &mut pool, 14, b"gh"));
        assert!(!keep(&mut pieces, &mut pool, 10, b"cd"));
        assert_eq!(pieces.blocks().unwrap().as_slice(), [(10, 12), (10, 12), (14, 16)]);
        assert_eq!(pieces.blocks().unwrap().as_slice(), [(10, 12), (14, 16)]);
        assert!(keep(&mut pieces, &mut pool, 8, b"abcdefghij"));
        assert_eq!(pieces.blocks().unwrap().as_slice(), [(8, 18)]);
        let mut got = Vec::new();
        let mut expected = 8;
        while let Some(chunk) = pieces.take(expected, &mut pool) {
            expected += chunk.len() as u64;
            got.extend_from_slice(chunk.bytes());
        }
        assert_eq!((got, expected), (b"abcdefghij".to_vec(), 18));
        assert!(pieces.is_empty() && pieces.blocks().is_none() && pieces.held == 0);
    }

    #[test]
    fn the_buffer_bounds_what_is_kept() {
        let (mut pieces, mut pool) = (Pieces::default(), Pool::default());
        let kept = (0..100u64).filter(|n| {
            let chunk = pool.copy(b"x");
            pieces.keep(2 * n, chunk, 8320, &mut pool)
        });
        assert_eq!(kept.count(), 10);
    }
}
