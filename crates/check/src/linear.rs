//! Linearizability: whether operations that overlap can be put in one order that fits what each of them answered, and in which
//! none comes before one that had ended before it began (Herlihy and Wing, 1990).
//!
//! The search is Wing and Gong's with Lowe's memory ("Testing for linearizability", 2017), as Knossos and Porcupine have it:
//! depth first over the operations that could come next, never twice with the same operations done and the same state. Two
//! rules save most of it: an operation that reads is done as soon as it fits, since nothing can become worse by it; and an
//! operation whose outcome is unknown is done only right before one that sees its effect, since it could as well come later, or not
//! at all. A state is remembered by 128 bits that are mixed from it: two states in a billion years of searching fall together.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use crate::history::Bounds;

/// What an object does. States and values are small numbers that the caller gave out.
pub trait Model {
    /// What the object holds.
    type State: Clone + PartialEq + std::hash::Hash;
    /// An operation with its answer.
    type Op;
    /// What it holds at the beginning.
    fn begin(&self) -> Self::State;
    /// What it holds after the operation; nothing when the answer does not fit.
    fn step(&self, state: &Self::State, op: &Self::Op) -> Option<Self::State>;
    /// Whether the operation never changes anything.
    fn is_read(&self, op: &Self::Op) -> bool;
    /// Whether `op` could see that `earlier` was done right before it, where it otherwise would not fit. True is always safe.
    fn sees(&self, op: &Self::Op, earlier: &Self::Op) -> bool;
}

/// An operation in its time.
#[derive(Clone, Debug)]
pub struct Timed<Op> {
    /// What.
    pub op: Op,
    /// Place of its beginning.
    pub call: u64,
    /// Place of its end; nothing when it need not have happened.
    pub ret: Option<u64>,
}

/// What the search says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<State> {
    /// There is such an order.
    Linearizable,
    /// There is none.
    Not {
        /// The operation by whose end there is none any more.
        stuck: usize,
        /// The last operations of an order of those before it, as far as one goes.
        last: Vec<usize>,
        /// What the object holds after them.
        state: State,
    },
    /// The search was ended by its bounds.
    Unknown,
}

/// Takes numbers that are mixed already.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    fn write_u128(&mut self, n: u128) {
        self.0 = n as u64;
    }
}

/// A number without pattern for each index (SplitMix64, Steele and others 2014).
fn mixed(index: u64) -> u128 {
    let half = |seed: u64| {
        let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    u128::from(half(index * 2 + 1)) << 64 | u128::from(half(index * 2 + 2))
}

fn state_code<S: std::hash::Hash>(state: &S) -> u128 {
    let mut hasher = std::collections::hash_map::DefaultHasher::new();
    state.hash(&mut hasher);
    mixed(hasher.finish() >> 1 | 1 << 62)
}

/// No entry.
const NONE: u32 = u32::MAX;

/// A step that was taken.
struct Frame<S> {
    op: u32,
    before: S,
    /// It was a read: there is nothing else to try in its place.
    forced: bool,
}

/// The entries, beginnings and ends, as a list from which done operations are taken out.
struct Entries {
    /// Operation and whether it ends.
    entries: Vec<(u32, bool)>,
    next: Vec<u32>,
    prev: Vec<u32>,
    /// Each operation's beginning and end.
    of: Vec<(u32, u32)>,
}

impl Entries {
    fn new<Op>(ops: &[Timed<Op>]) -> Entries {
        let mut order: Vec<(u64, bool, u32)> = Vec::new();
        for (index, op) in ops.iter().enumerate() {
            order.push((op.call, false, index as u32));
            order.extend(op.ret.map(|ret| (ret, true, index as u32)));
        }
        order.sort_unstable();
        let n = order.len() as u32;
        let mut of = vec![(NONE, NONE); ops.len()];
        // Entry 0 is the head.
        let mut entries = vec![(NONE, false)];
        for (place, (_, ends, op)) in order.into_iter().enumerate() {
            entries.push((op, ends));
            let at = place as u32 + 1;
            if ends {
                of[op as usize].1 = at;
            } else {
                of[op as usize].0 = at;
            }
        }
        let next = (0..=n).map(|i| if i == n { NONE } else { i + 1 }).collect();
        let prev = (0..=n).map(|i| i.wrapping_sub(1)).collect();
        Entries { entries, next, prev, of }
    }

    fn first(&self) -> u32 {
        self.next[0]
    }

    fn take_out(&mut self, entry: u32) {
        let (prev, next) = (self.prev[entry as usize], self.next[entry as usize]);
        self.next[prev as usize] = next;
        if next != NONE {
            self.prev[next as usize] = prev;
        }
    }

    fn put_back(&mut self, entry: u32) {
        let (prev, next) = (self.prev[entry as usize], self.next[entry as usize]);
        self.next[prev as usize] = entry;
        if next != NONE {
            self.prev[next as usize] = entry;
        }
    }

    fn lift(&mut self, op: u32) {
        let (call, ret) = self.of[op as usize];
        self.take_out(call);
        if ret != NONE {
            self.take_out(ret);
        }
    }

    fn unlift(&mut self, op: u32) {
        let (call, ret) = self.of[op as usize];
        if ret != NONE {
            self.put_back(ret);
        }
        self.put_back(call);
    }
}

struct Search<'a, M: Model> {
    model: &'a M,
    ops: &'a [Timed<M::Op>],
    list: Entries,
    state: M::State,
    /// Which operations are done, as one number.
    done: u128,
    stack: Vec<Frame<M::State>>,
    seen: HashSet<u128, BuildHasherDefault<Mixed>>,
    /// Required operations that are not done.
    open: usize,
    steps: u64,
    deepest: Option<(u32, Vec<usize>, M::State)>,
}

/// Searches.
pub fn check<M: Model>(model: &M, ops: &[Timed<M::Op>], bounds: &Bounds) -> Answer<M::State> {
    let mut search = Search {
        model,
        ops,
        list: Entries::new(ops),
        state: model.begin(),
        done: 0,
        stack: Vec::new(),
        seen: HashSet::default(),
        open: ops.iter().filter(|op| op.ret.is_some()).count(),
        steps: 0,
        deepest: None,
    };
    let mut from = None;
    loop {
        if search.open == 0 {
            return Answer::Linearizable;
        }
        if search.steps > bounds.steps || search.seen.len() > bounds.states {
            return Answer::Unknown;
        }
        if search.forward(from) {
            from = None;
            continue;
        }
        match search.back() {
            Some(place) => from = Some(place),
            None => {
                let Some((entry, last, state)) = search.deepest else { return Answer::Unknown };
                return Answer::Not { stuck: search.list.entries[entry as usize].0 as usize, last, state };
            }
        }
    }
}

/// Where in a configuration the search goes on: after this entry, among required operations or those that are not.
type Resume = (u32, bool);

impl<M: Model> Search<'_, M> {
    /// Operations that could come next: those that begin before any that is not done ends.
    fn window(&mut self, from: u32, mut each: impl FnMut(&mut Self, u32) -> bool) -> bool {
        let mut at = from;
        while at != NONE {
            self.steps += 1;
            let (op, ends) = self.list.entries[at as usize];
            if ends {
                return false;
            }
            if each(self, op) {
                return true;
            }
            at = self.list.next[at as usize];
        }
        false
    }

    /// Takes a step. False when there is none (any more) that was not tried.
    fn forward(&mut self, from: Option<Resume>) -> bool {
        let first = self.list.first();
        if from.is_none()
            && self.window(first, |me, op| {
                let fits = me.model.is_read(&me.ops[op as usize].op)
                    && me.model.step(&me.state, &me.ops[op as usize].op).is_some();
                if fits {
                    me.push(op, None);
                }
                fits
            })
        {
            return true;
        }
        let (place, required) =
            from.map_or((first, true), |(after, required)| (self.list.next[after as usize], required));
        if required && self.window(place, |me, op| me.ops[op as usize].ret.is_some() && me.attempt(op)) {
            return true;
        }
        let place = if required { first } else { place };
        if self.window(place, |me, op| me.ops[op as usize].ret.is_none() && me.is_seen(op) && me.attempt(op)) {
            return true;
        }
        self.note_stuck();
        false
    }

    /// Whether an operation that could come next sees this one.
    fn is_seen(&mut self, earlier: u32) -> bool {
        let first = self.list.first();
        self.window(first, |me, op| {
            op != earlier && me.model.sees(&me.ops[op as usize].op, &me.ops[earlier as usize].op)
        })
    }

    /// Does an operation that changes something, if it fits and leads to what was not seen.
    fn attempt(&mut self, op: u32) -> bool {
        if self.model.is_read(&self.ops[op as usize].op) {
            return false;
        }
        let Some(state) = self.model.step(&self.state, &self.ops[op as usize].op) else { return false };
        if !self.seen.insert(self.done ^ mixed(u64::from(op)) ^ state_code(&state)) {
            return false;
        }
        self.push(op, Some(state));
        true
    }

    fn push(&mut self, op: u32, state: Option<M::State>) {
        let forced = state.is_none();
        let state = state.unwrap_or_else(|| self.state.clone());
        let before = std::mem::replace(&mut self.state, state);
        self.stack.push(Frame { op, before, forced });
        self.done ^= mixed(u64::from(op));
        self.list.lift(op);
        self.open -= usize::from(self.ops[op as usize].ret.is_some());
    }

    /// Takes back the last step in whose place another could be taken, and says where to go on.
    fn back(&mut self) -> Option<Resume> {
        loop {
            let frame = self.stack.pop()?;
            self.list.unlift(frame.op);
            self.done ^= mixed(u64::from(frame.op));
            self.state = frame.before;
            let required = self.ops[frame.op as usize].ret.is_some();
            self.open += usize::from(required);
            if !frame.forced {
                return Some((self.list.of[frame.op as usize].0, required));
            }
        }
    }

    /// Remembers how far an order goes: to the first end that stands in the way.
    fn note_stuck(&mut self) {
        let mut at = self.list.first();
        while at != NONE && !self.list.entries[at as usize].1 {
            at = self.list.next[at as usize];
        }
        if at != NONE && self.deepest.as_ref().is_none_or(|(deepest, ..)| at > *deepest) {
            let last = self.stack.iter().rev().take(6).rev().map(|frame| frame.op as usize).collect();
            self.deepest = Some((at, last, self.state.clone()));
        }
    }
}
