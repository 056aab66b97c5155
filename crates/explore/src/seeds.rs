//! Which seeds are run.

use std::fmt;
use std::str::FromStr;

/// A range of seeds, both ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl FromStr for Seeds {
    type Err = String;

    /// `1..10000` with both ends, `7` alone, `1..` without an end.
    fn from_str(text: &str) -> Result<Seeds, String> {
        let number = |text: &str| {
            text.trim().replace('_', "").parse::<u64>().map_err(|_| format!("`{text}` is not a seed: write `1..10000`"))
        };
        let seeds = match text.split_once("..") {
            None => number(text).map(|seed| Seeds { first: seed, last: seed })?,
            Some((first, "")) => Seeds { first: number(first)?, last: u64::MAX },
            Some((first, last)) => {
                Seeds { first: number(first)?, last: number(last.strip_prefix('=').unwrap_or(last))? }
            }
        };
        if seeds.first > seeds.last {
            return Err(format!("{} is greater than {}: no seed is between them", seeds.first, seeds.last));
        }
        Ok(seeds)
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, u64::MAX) => write!(f, "{first}.."),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}..{last}"),
        }
    }
}

/// One of several explorers that share a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// Whether a seed is its.
    pub fn has(self, seed: u64) -> bool {
        seed % self.of == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    /// `I/N`.
    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if 1 <= index && index <= of => Ok(Shard { index, of }),
            _ => Err(format!("`{text}` is not a shard: write `2/4` for the second of four")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// The seeds of a range that are a shard's and were not run yet, in order.
pub struct Pending {
    next: Option<u64>,
    last: u64,
    shard: Shard,
    done: std::collections::BTreeSet<u64>,
}

impl Pending {
    /// Those without `done`.
    pub fn new(seeds: Seeds, shard: Shard, done: impl IntoIterator<Item = u64>) -> Pending {
        Pending { next: Some(seeds.first), last: seeds.last, shard, done: done.into_iter().collect() }
    }
}

impl Iterator for Pending {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while let Some(seed) = self.next.filter(|seed| *seed <= self.last) {
            self.next = seed.checked_add(1);
            if self.shard.has(seed) && !self.done.contains(&seed) {
                return Some(seed);
            }
        }
        None
    }
}

/// How many seeds of a range are a shard's.
pub fn share(seeds: Seeds, shard: Shard) -> u64 {
    // Seeds up to and with `n` that are the shard's.
    // All that there are is one more than a number can say.
    let up_to = |n: u64| (n / shard.of).saturating_add(u64::from(n % shard.of >= shard.index - 1));
    up_to(seeds.last) - seeds.first.checked_sub(1).map_or(0, up_to)
}

/// One run in so many is run again to see that it is the same.
pub const VERIFY_EVERY: u64 = 50;
/// The first runs of a campaign all are.
pub const VERIFY_FIRST: u64 = 3;

/// Whether the so many-th run of a campaign (from 0) is run again though it passed.
pub fn is_verified(number: u64) -> bool {
    number < VERIFY_FIRST || number.is_multiple_of(VERIFY_EVERY)
}

/// Another seed that comes from this one and a number: splitmix64 (Steele, Lea, Flood, 2014).
pub fn derived(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(number.wrapping_add(1)));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_has_both_its_ends() {
        assert_eq!("1..10000".parse(), Ok(Seeds { first: 1, last: 10_000 }));
        assert_eq!("1..=3".parse(), Ok(Seeds { first: 1, last: 3 }));
        assert_eq!("7".parse(), Ok(Seeds { first: 7, last: 7 }));
        assert_eq!("5..".parse(), Ok(Seeds { first: 5, last: u64::MAX }));
        for bad in ["", "..", "..5", "a..b", "5..1", "-1..4", "1...5", "99999999999999999999"] {
            assert!(bad.parse::<Seeds>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_shard_is_one_of_several() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for bad in ["0/4", "5/4", "1", "1/0", "a/b", "1/2/3", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_run_is_not_run_again() {
        let pending = Pending::new(Seeds { first: 1, last: 6 }, Shard::WHOLE, [2, 5]);
        assert_eq!(pending.collect::<Vec<u64>>(), [1, 3, 4, 6]);
        let last = Pending::new(Seeds { first: u64::MAX - 1, last: u64::MAX }, Shard::WHOLE, []);
        assert_eq!(last.count(), 2);
    }

    proptest! {
        #[test]
        fn shards_share_a_range_without_rest_or_overlap(first in 0u64..50, len in 0u64..100, of in 1u64..9) {
            let seeds = Seeds { first, last: first + len };
            let mut all: Vec<u64> = Vec::new();
            for index in 1..=of {
                let part: Vec<u64> = Pending::new(seeds, Shard { index, of }, []).collect();
                prop_assert_eq!(part.len() as u64, share(seeds, Shard { index, of }));
                all.extend(part);
            }
            all.sort_unstable();
            prop_assert_eq!(all, (first..=first + len).collect::<Vec<u64>>());
        }
    }
}
