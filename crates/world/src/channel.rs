//! What hosts write to their channels, as it is kept: each line with the world's own stamp, since clocks of hosts may be wrong.
//!
//! A line that begins an object gets `_at` (virtual nanoseconds) and `_seq` (a count over all hosts) before its own keys. Where lines
//! come in one piece, each may have been thought of at any time since the piece before: they get that time as `_since`.

use std::collections::BTreeMap;

/// Bytes of a write that the trace has in one record. A longer one comes in several with one time.
const CHUNK: usize = 3072;

/// The state of one host's channel.
#[derive(Default)]
struct Channel {
    /// The beginning of a line.
    rest: Vec<u8>,
    /// Time of the write before the one in which it began.
    rest_since: u64,
    /// Whether it began in an earlier write.
    is_split: bool,
    /// When something was written last, and before that.
    last: u64,
    before: u64,
}

/// All channels of a run.
#[derive(Default)]
pub struct Stamps {
    channels: BTreeMap<(u32, u32), Channel>,
    count: u64,
}

impl Stamps {
    /// The lines that are whole by these bytes, stamped.
    pub fn put(&mut self, host: u32, stream: u32, now: u64, bytes: &[u8]) -> Vec<u8> {
        let channel = self.channels.entry((host, stream)).or_default();
        if now > channel.last {
            (channel.before, channel.last) = (channel.last, now);
            channel.is_split |= !channel.rest.is_empty();
        }
        let mut whole = std::mem::take(&mut channel.rest);
        let had_rest = !whole.is_empty();
        whole.extend_from_slice(bytes);
        let end = whole.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        channel.rest = whole.split_off(end);
        if whole.is_empty() {
            if !had_rest {
                (channel.rest_since, channel.is_split) = (channel.before, false);
            }
            return whole;
        }
        let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
        let alone = lines.len() == 1 && channel.rest.is_empty() && bytes.len() < CHUNK;
        let first_since = if had_rest && channel.is_split { Some(channel.rest_since) } else { None };
        let mut out = Vec::with_capacity(whole.len() + lines.len() * 48);
        for (at, line) in lines.into_iter().enumerate() {
            self.count += 1;
            let since = match first_since.filter(|_| at == 0) {
                Some(since) => Some(since),
                None => (!alone).then_some(channel.before),
            };
            stamp(line, now, self.count, since, &mut out);
        }
        (channel.rest_since, channel.is_split) = (channel.before, false);
        out
    }

    /// What is left of lines that were not finished: by host and stream.
    pub fn rest(&mut self) -> Vec<((u32, u32), Vec<u8>)> {
        let rest = self.channels.iter_mut().map(|(of, channel)| (*of, std::mem::take(&mut channel.rest)));
        rest.filter(|(_, rest)| !rest.is_empty()).collect()
    }
}

fn stamp(line: &[u8], at: u64, count: u64, since: Option<u64>, out: &mut Vec<u8>) {
    let Some(rest) = line.trim_ascii_start().strip_prefix(b"{") else {
        out.extend_from_slice(line);
        return;
    };
    let since = since.map_or_else(String::new, |since| format!(",\"_since\":{since}"));
    let comma = if rest.trim_ascii_start().starts_with(b"}") { "" } else { "," };
    out.extend_from_slice(format!("{{\"_at\":{at},\"_seq\":{count}{since}{comma}").as_bytes());
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(stamps: &mut Stamps, now: u64, text: &str) -> String {
        String::from_utf8(stamps.put(0, 3, now, text.as_bytes())).unwrap()
    }

    #[test]
    fn a_line_by_itself_is_stamped_with_its_time() {
        let mut stamps = Stamps::default();
        assert_eq!(put(&mut stamps, 10, "{\"a\":1}\n"), "{\"_at\":10,\"_seq\":1,\"a\":1}\n");
        assert_eq!(put(&mut stamps, 20, "{}\n"), "{\"_at\":20,\"_seq\":2}\n");
        assert_eq!(put(&mut stamps, 30, "words\n"), "words\n");
    }

    #[test]
    fn lines_in_one_piece_may_be_as_old_as_the_piece_before() {
        let mut stamps = Stamps::default();
        put(&mut stamps, 10, "{}\n");
        let pieces = put(&mut stamps, 20, "{\"a\":1}\n{\"b\":1}\n{\"c\"");
        assert_eq!(
            pieces,
            "{\"_at\":20,\"_seq\":2,\"_since\":10,\"a\":1}\n{\"_at\":20,\"_seq\":3,\"_since\":10,\"b\":1}\n"
        );
        assert_eq!(put(&mut stamps, 30, ":1}\n"), "{\"_at\":30,\"_seq\":4,\"_since\":10,\"c\":1}\n");
        assert_eq!(put(&mut stamps, 40, "{\"d\":1}\n"), "{\"_at\":40,\"_seq\":5,\"d\":1}\n");
    }

    #[test]
    fn one_long_line_comes_in_several_records_of_one_time() {
        let mut stamps = Stamps::default();
        put(&mut stamps, 5, "{}\n");
        assert_eq!(put(&mut stamps, 10, "{\"long\":"), "");
        assert_eq!(put(&mut stamps, 10, "1}\n"), "{\"_at\":10,\"_seq\":2,\"long\":1}\n");
        assert_eq!(put(&mut stamps, 20, "{\"cut"), "");
        assert_eq!(stamps.rest(), [((0, 3), b"{\"cut".to_vec())]);
    }
}
