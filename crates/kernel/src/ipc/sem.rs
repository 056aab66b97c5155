//! Semaphore sets (`semop(2)`): operations on several semaphores as a whole, and those that wait for them.

use super::ids::{Object, Perm};
use crate::task::{ProcId, TaskId};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

/// Highest value of a semaphore, and of an adjustment (`SEMVMX`, `SEMAEM`).
pub const MAX_VALUE: i32 = 32767;
/// Most semaphores of a set (`SEMMSL`).
pub const MAX_SEMS: u32 = 32000;
/// Most operations of one call (`SEMOPM`).
pub const MAX_OPS: u64 = 500;
/// Most sets of a host (`SEMMNI`).
pub const MAX_SETS: u32 = 32000;

const NOWAIT: u16 = super::ids::IPC_NOWAIT as u16;
const UNDO: u16 = 0o10000;

/// One operation (`struct sembuf`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// Which semaphore.
    pub num: u16,
    /// What is added; 0 waits for zero.
    pub by: i16,
    /// IPC_NOWAIT and SEM_UNDO.
    pub flags: u16,
}

/// One semaphore.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sem {
    /// Its value.
    pub value: i32,
    /// Who changed it last.
    pub pid: u32,
}

/// Who operates on a set.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// The thread that waits if need be.
    pub task: TaskId,
    /// Whose end undoes the operation.
    pub proc: ProcId,
    /// What GETPID shows.
    pub pid: u32,
}

/// A call that waits for its operations.
struct Pending {
    actor: Actor,
    ops: Vec<Op>,
    /// The operation that cannot be done yet.
    blocking: usize,
    result: Option<Result<()>>,
}

/// A set.
pub struct SemSet {
    /// Key and owner.
    pub perm: Perm,
    sems: Vec<Sem>,
    undo: BTreeMap<(ProcId, u16), i32>,
    pending: Vec<Pending>,
    /// Time of the last operation in seconds, or 0.
    pub otime: u64,
    /// Time of the last change by `semctl`.
    pub ctime: u64,
}

impl Object for SemSet {
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

/// What became of a call's operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All done.
    Done,
    /// None done: this one must wait.
    Blocked(usize),
    /// None done, and none will be.
    Failed(Errno),
}

impl SemSet {
    /// A set of `count` semaphores with value 0.
    pub fn new(perm: Perm, count: u32, now: u64) -> SemSet {
        let sems = alloc::vec![Sem::default(); count as usize];
        SemSet { perm, sems, undo: BTreeMap::new(), pending: Vec::new(), otime: 0, ctime: now }
    }

    /// Its semaphores.
    pub fn sems(&self) -> &[Sem] {
        &self.sems
    }

    /// Does all operations, or none.
    pub fn apply(&mut self, actor: Actor, ops: &[Op]) -> Outcome {
        let mut values: BTreeMap<u16, i32> = BTreeMap::new();
        let mut undo: BTreeMap<u16, i32> = BTreeMap::new();
        for (i, op) in ops.iter().enumerate() {
            let old = values.get(&op.num).copied().unwrap_or(self.sems[op.num as usize].value);
            let new = old + i32::from(op.by);
            if op.by == 0 && old != 0 || new < 0 {
                return if op.flags & NOWAIT != 0 { Outcome::Failed(Errno::EAGAIN) } else { Outcome::Blocked(i) };
            }
            if new > MAX_VALUE {
                return Outcome::Failed(Errno::ERANGE);
            }
            if op.flags & UNDO != 0 {
                let before = self.undo.get(&(actor.proc, op.num)).copied().unwrap_or(0);
                let adjust = undo.get(&op.num).copied().unwrap_or(before) - i32::from(op.by);
                if !(-MAX_VALUE - 1..=MAX_VALUE).contains(&adjust) {
                    return Outcome::Failed(Errno::ERANGE);
                }
                undo.insert(op.num, adjust);
            }
            values.insert(op.num, new);
        }
        for (num, value) in values {
            self.sems[num as usize] = Sem { value, pid: actor.pid };
        }
        for (num, adjust) in undo {
            self.undo.insert((actor.proc, num), adjust);
        }
        Outcome::Done
    }

    /// `semop`: does the operations and whatever others then can be done. `None` if the caller must wait.
    pub fn operate(&mut self, actor: Actor, ops: Vec<Op>, now: u64, woken: &mut Vec<TaskId>) -> Option<Result<()>> {
        match self.apply(actor, &ops) {
            Outcome::Done => {
                self.otime = now;
                if ops.iter().any(|op| op.by != 0) {
                    self.update(now, woken);
                }
                Some(Ok(()))
            }
            Outcome::Failed(e) => Some(Err(e)),
            Outcome::Blocked(blocking) => {
                self.pending.push(Pending { actor, ops, blocking, result: None });
                None
            }
        }
    }

    /// Does the operations of those who wait, the longest waiting first, as long as that changes something; who waits for
    /// zero comes before who changes values.
    fn update(&mut self, now: u64, woken: &mut Vec<TaskId>) {
        while self.update_some(false, now, woken) | self.update_some(true, now, woken) {}
    }

    /// Returns whether a value has changed.
    fn update_some(&mut self, altering: bool, now: u64, woken: &mut Vec<TaskId>) -> bool {
        for i in 0..self.pending.len() {
            let p = &self.pending[i];
            if p.result.is_some() || p.ops.iter().any(|op| op.by != 0) != altering {
                continue;
            }
            let (actor, ops) = (p.actor, p.ops.clone());
            let result = match self.apply(actor, &ops) {
                Outcome::Blocked(at) => {
                    self.pending[i].blocking = at;
                    continue;
                }
                Outcome::Done => Ok(()),
                Outcome::Failed(e) => Err(e),
            };
            self.pending[i].result = Some(result);
            woken.push(actor.task);
            if result.is_ok() {
                self.otime = now;
                if altering {
                    return true;
                }
            }
        }
        false
    }

    /// What became of a waiting call, if that is known.
    pub fn result(&self, task: TaskId) -> Option<Result<()>> {
        self.pending.iter().find(|p| p.actor.task == task)?.result
    }

    /// A call waits no longer.
    pub fn forget(&mut self, task: TaskId) {
        self.pending.retain(|p| p.actor.task != task);
    }

    /// Who waits.
    pub fn sleepers(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.pending.iter().map(|p| p.actor.task)
    }

    /// How many wait for a semaphore: to become zero, or to grow.
    pub fn count(&self, num: u16, for_zero: bool) -> i64 {
        let waits = |p: &&Pending| {
            let op = &p.ops[p.blocking];
            p.result.is_none() && op.num == num && (op.by == 0) == for_zero
        };
        self.pending.iter().filter(waits).count() as i64
    }

    /// SETVAL and SETALL: sets values from semaphore `first` on; what processes would undo of them is forgotten.
    pub fn set(&mut self, first: u16, values: &[u16], pid: u32, now: u64, woken: &mut Vec<TaskId>) {
        for (num, value) in (first..).zip(values) {
            self.sems[num as usize] = Sem { value: i32::from(*value), pid };
            self.undo.retain(|(_, n), _| *n != num);
        }
        self.ctime = now;
        self.update(now, woken);
    }

    /// Whether the end of a process would undo something here.
    pub fn adjusted_by(&self, proc: ProcId) -> bool {
        self.undo.range((proc, 0)..=(proc, u16::MAX)).next().is_some()
    }

    /// The end of a process: its adjustments are made, as far as values allow (`semop(2)`, NOTES).
    pub fn exit(&mut self, proc: ProcId, pid: u32, now: u64, woken: &mut Vec<TaskId>) {
        let mine: Vec<(u16, i32)> =
            self.undo.range((proc, 0)..=(proc, u16::MAX)).map(|((_, num), adjust)| (*num, *adjust)).collect();
        if mine.is_empty() {
            return;
        }
        for (num, adjust) in mine {
            self.undo.remove(&(proc, num));
            if adjust != 0 {
                let value = (self.sems[num as usize].value + adjust).clamp(0, MAX_VALUE);
                self.sems[num as usize] = Sem { value, pid };
            }
        }
        self.otime = now;
        self.update(now, woken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Cred;

    fn set(values: &[u16]) -> SemSet {
        let mut set = SemSet::new(Perm::new(0, 0o600, &Cred::new(0, 0)), values.len() as u32, 0);
        set.set(0, values, 1, 0, &mut Vec::new());
        set
    }

    fn actor(n: u32) -> Actor {
        Actor { task: TaskId(n), proc: ProcId(n), pid: n }
    }

    fn op(num: u16, by: i16) -> Op {
        Op { num, by, flags: 0 }
    }

    fn values(set: &SemSet) -> Vec<i32> {
        set.sems().iter().map(|s| s.value).collect()
    }

    #[test]
    fn operations_are_done_all_or_none() {
        let mut s = set(&[0, 2]);
        assert_eq!(s.apply(actor(1), &[op(1, -1), op(0, -1)]), Outcome::Blocked(1));
        assert_eq!(values(&s), [0, 2]);
        assert_eq!(s.apply(actor(1), &[op(0, 1), op(0, -1), op(0, 0)]), Outcome::Done);
        assert_eq!(values(&s), [0, 2]);
    }

    #[test]
    fn a_value_never_leaves_its_range() {
        let mut s = set(&[32767]);
        assert_eq!(s.apply(actor(1), &[op(0, 1)]), Outcome::Failed(Errno::ERANGE));
        assert_eq!(values(&s), [32767]);
    }

    #[test]
    fn no_wait_fails_where_a_wait_would_begin() {
        let mut s = set(&[0]);
        let flags = NOWAIT;
        assert_eq!(s.apply(actor(1), &[Op { num: 0, by: -1, flags }]), Outcome::Failed(Errno::EAGAIN));
    }

    #[test]
    fn who_waits_longest_is_served_first() {
        let mut s = set(&[0]);
        let mut woken = Vec::new();
        for n in 1..4 {
            assert_eq!(s.operate(actor(n), alloc::vec![op(0, -1)], 0, &mut woken), None);
        }
        assert_eq!(s.count(0, false), 3);
        s.operate(actor(9), alloc::vec![op(0, 2)], 0, &mut woken);
        assert_eq!(woken, [TaskId(1), TaskId(2)]);
        assert_eq!(s.result(TaskId(1)), Some(Ok(())));
        assert_eq!(s.result(TaskId(3)), None);
        assert_eq!((values(&s), s.count(0, false)), (alloc::vec![0], 1));
    }

    #[test]
    fn a_big_demand_does_not_hold_up_a_small_one() {
        let mut s = set(&[0]);
        let mut woken = Vec::new();
        s.operate(actor(1), alloc::vec![op(0, -5)], 0, &mut woken);
        s.operate(actor(2), alloc::vec![op(0, -1)], 0, &mut woken);
        s.operate(actor(9), alloc::vec![op(0, 1)], 0, &mut woken);
        assert_eq!(woken, [TaskId(2)]);
    }

    #[test]
    fn one_wake_up_leads_to_the_next() {
        let mut s = set(&[0, 0]);
        let mut woken = Vec::new();
        s.operate(actor(1), alloc::vec![op(1, -1)], 0, &mut woken);
        s.operate(actor(2), alloc::vec![op(0, -1), op(1, 1)], 0, &mut woken);
        s.operate(actor(9), alloc::vec![op(0, 1)], 0, &mut woken);
        assert_eq!(woken, [TaskId(2), TaskId(1)]);
    }

    #[test]
    fn who_waits_for_zero_is_woken_by_zero() {
        let mut s = set(&[2]);
        let mut woken = Vec::new();
        s.operate(actor(1), alloc::vec![op(0, 0)], 0, &mut woken);
        s.operate(actor(9), alloc::vec![op(0, -1)], 0, &mut woken);
        assert_eq!((woken.len(), s.count(0, true)), (0, 1));
        s.operate(actor(9), alloc::vec![op(0, -1)], 0, &mut woken);
        assert_eq!(woken, [TaskId(1)]);
    }

    #[test]
    fn the_end_of_a_process_undoes_what_it_did_with_undo() {
        let mut s = set(&[5, 5]);
        let mut woken = Vec::new();
        s.apply(actor(1), &[Op { num: 0, by: -3, flags: UNDO }, Op { num: 1, by: -1, flags: 0 }]);
        s.operate(actor(2), alloc::vec![op(0, -4)], 0, &mut woken);
        s.exit(ProcId(1), 1, 7, &mut woken);
        assert_eq!((values(&s), woken), (alloc::vec![1, 4], alloc::vec![TaskId(2)]));
        s.exit(ProcId(1), 1, 8, &mut Vec::new());
        assert_eq!(values(&s), [1, 4]);
    }

    #[test]
    fn setting_a_value_forgets_what_would_be_undone() {
        let mut s = set(&[5]);
        s.apply(actor(1), &[Op { num: 0, by: -3, flags: UNDO }]);
        s.set(0, &[4], 1, 0, &mut Vec::new());
        s.exit(ProcId(1), 1, 0, &mut Vec::new());
        assert_eq!(values(&s), [4]);
    }

    #[test]
    fn sums_are_kept_whatever_is_done_in_which_order() {
        let mut rng = crate::rng::Rng::stream(7, "test");
        let mut s = set(&[3, 0, 9]);
        let mut woken = Vec::new();
        let mut waiting: Vec<(u32, Vec<Op>)> = Vec::new();
        let mut sum = [3i32, 0, 9];
        for n in 1..2000 {
            let ops: Vec<Op> =
                (0..1 + rng.below(3)).map(|_| op(rng.below(3) as u16, rng.below(7) as i16 - 3)).collect();
            let before = woken.len();
            let add = |sum: &mut [i32; 3], ops: &[Op]| ops.iter().for_each(|o| sum[o.num as usize] += i32::from(o.by));
            match s.operate(actor(n), ops.clone(), 0, &mut woken) {
                Some(Ok(())) => add(&mut sum, &ops),
                Some(Err(e)) => panic!("{e}"),
                None => waiting.push((n, ops)),
            }
            for task in &woken[before..] {
                let at = waiting.iter().position(|(n, _)| *n == task.0).expect("only who waits is woken");
                let (_, ops) = waiting.remove(at);
                assert_eq!(s.result(*task), Some(Ok(())));
                s.forget(*task);
                add(&mut sum, &ops);
            }
            assert_eq!(values(&s), sum);
            assert!(sum.iter().all(|v| *v >= 0));
        }
        // Nobody is left who could go on.
        for (n, ops) in waiting {
            assert!(matches!(s.apply(actor(n), &ops), Outcome::Blocked(_)));
        }
    }
}
