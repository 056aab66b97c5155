//! Delta debugging: from a list that fails to a part of it that fails and has nothing to spare.

/// Who tries lists.
pub trait Trier<T> {
    /// The first of these lists that fails, by its place. `None` when none does, or when no more can be tried.
    fn first_failing(&mut self, lists: &[Vec<T>]) -> Option<usize>;
}

impl<T, F: FnMut(&[Vec<T>]) -> Option<usize>> Trier<T> for F {
    fn first_failing(&mut self, lists: &[Vec<T>]) -> Option<usize> {
        self(lists)
    }
}

/// The algorithm `ddmin` (Zeller and Hildebrandt, IEEE Transactions on Software Engineering 28, 2002): tries pieces of the list, then
/// what remains without each piece, then smaller pieces. The result fails, and if the trier never gave up, leaving out
/// any one of it does not. The order is kept. The empty list is tried first: much that fails needs none of it.
///
/// All lists of a round are handed over at once, so that they can be tried side by side; that the first that fails is
/// taken makes the result the same however many are.
pub fn ddmin<T: Clone>(all: Vec<T>, trier: &mut impl Trier<T>) -> Vec<T> {
    let mut left = all;
    if left.is_empty() || trier.first_failing(&[Vec::new()]).is_some() {
        return Vec::new();
    }
    let mut pieces = 2.min(left.len());
    while left.len() > 1 {
        let size = left.len().div_ceil(pieces);
        let parts: Vec<Vec<T>> = left.chunks(size).map(<[T]>::to_vec).collect();
        let mut lists = parts.clone();
        // With two pieces, what remains without one is the other.
        if parts.len() > 2 {
            lists.extend((0..parts.len()).map(|i| without(&parts, i)));
        }
        match trier.first_failing(&lists) {
            Some(i) if i < parts.len() => {
                left = parts[i].clone();
                pieces = 2;
            }
            Some(i) => {
                left = lists.swap_remove(i);
                pieces = (pieces - 1).max(2);
            }
            None if size == 1 => return left,
            None => pieces = (pieces * 2).min(left.len()),
        }
        pieces = pieces.min(left.len());
    }
    left
}

fn without<T: Clone>(parts: &[Vec<T>], leave_out: usize) -> Vec<T> {
    parts.iter().enumerate().filter(|(i, _)| *i != leave_out).flat_map(|(_, part)| part.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Runs `ddmin` on `0..len` with this notion of failing; says how many lists were tried too.
    fn least(len: u32, fails: impl Fn(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let mut tried = 0;
        let left = ddmin((0..len).collect(), &mut |lists: &[Vec<u32>]| {
            let found = lists.iter().position(|list| fails(list));
            tried += found.map_or(lists.len(), |i| i + 1);
            found
        });
        (left, tried)
    }

    #[test]
    fn what_needs_nothing_is_left_with_nothing() {
        assert_eq!(least(8, |_| true), (vec![], 1));
        assert_eq!(least(0, |_| true), (vec![], 0));
    }

    #[test]
    fn one_culprit_is_found_in_steps_of_the_logarithm() {
        let (left, tried) = least(1024, |list| list.contains(&777));
        assert_eq!(left, [777]);
        assert!(tried <= 25, "{tried}");
    }

    #[test]
    fn culprits_far_apart_are_found_together() {
        assert_eq!(least(100, |list| [3, 50, 99].iter().all(|x| list.contains(x))).0, [3, 50, 99]);
        assert_eq!(least(7, |list| list.len() == 7).0, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn who_gives_up_keeps_what_was_found() {
        let mut left = 6;
        let found = ddmin((0..64).collect::<Vec<u32>>(), &mut |lists: &[Vec<u32>]| {
            lists.iter().position(|list| {
                left = i32::max(left - 1, 0);
                left > 0 && list.contains(&1) && list.contains(&62)
            })
        });
        assert!(found.contains(&1) && found.contains(&62));
    }

    proptest! {
        /// Failing is being a superset of one of some sets.
        #[test]
        fn what_is_left_fails_and_has_nothing_to_spare(
            len in 1u32..60,
            culprits in proptest::collection::vec(proptest::collection::btree_set(0u32..60, 1..6), 1..4),
        ) {
            let culprits: Vec<BTreeSet<u32>> =
                culprits.into_iter().map(|set| set.into_iter().map(|x| x % len).collect()).collect();
            let fails = |list: &[u32]| culprits.iter().any(|set| set.iter().all(|x| list.contains(x)));
            let (left, tried) = least(len, fails);
            prop_assert!(fails(&left));
            for i in 0..left.len() {
                let mut fewer = left.clone();
                fewer.remove(i);
                prop_assert!(!fails(&fewer), "{left:?} without {i}");
            }
            prop_assert!(left.is_sorted());
            prop_assert!(tried as u32 <= len * len + 3 * len + 1);
        }
    }
}
