//! Futex waiters (`futex(2)`).

use crate::sched::Sched;
use crate::task::{SpaceId, TaskId};
use alloc::collections::{BTreeMap, VecDeque};

/// The identity of a futex word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FutexKey {
    /// Private memory of an address space.
    Private(SpaceId, u64),
    /// Shared memory: object and offset.
    Shared(u64, u64),
}

struct Sleeper {
    task: TaskId,
    ticket: u64,
    bitset: u32,
    /// Which of the words of a `futex_waitv` it is.
    index: Option<usize>,
}

/// All futexes on which somebody waits.
#[derive(Default)]
pub struct Futexes {
    queues: BTreeMap<FutexKey, VecDeque<Sleeper>>,
    /// The key on which a task waits now, which a requeue moves.
    keys: BTreeMap<TaskId, FutexKey>,
    /// Of tasks that wait on several words: which one they were woken on, if on any yet.
    several: BTreeMap<TaskId, Option<usize>>,
}

impl Futexes {
    /// Puts a task to sleep on a word.
    pub fn add(&mut self, key: FutexKey, task: TaskId, ticket: u64, bitset: u32) {
        self.queues.entry(key).or_default().push_back(Sleeper { task, ticket, bitset, index: None });
        self.keys.insert(task, key);
    }

    /// Puts a task to sleep on several words.
    pub fn add_several(&mut self, keys: &[FutexKey], task: TaskId, ticket: u64) {
        for (index, key) in keys.iter().enumerate() {
            let sleeper = Sleeper { task, ticket, bitset: u32::MAX, index: Some(index) };
            self.queues.entry(*key).or_default().push_back(sleeper);
        }
        self.several.insert(task, None);
    }

    /// On which of its words a task was woken.
    pub fn woken_on(&self, task: TaskId) -> Option<usize> {
        self.several.get(&task).copied().flatten()
    }

    /// A wait on several words goes on under a new ticket.
    pub fn renew_several(&mut self, keys: &[FutexKey], task: TaskId, ticket: u64) {
        for key in keys {
            for s in self.queues.get_mut(key).into_iter().flatten().filter(|s| s.task == task) {
                s.ticket = ticket;
            }
        }
    }

    /// Forgets a sleeper on several words.
    pub fn remove_several(&mut self, keys: &[FutexKey], task: TaskId) {
        self.several.remove(&task);
        for key in keys {
            let Some(queue) = self.queues.get_mut(key) else { continue };
            queue.retain(|s| s.task != task);
            if queue.is_empty() {
                self.queues.remove(key);
            }
        }
    }

    /// Whether a task still sleeps (it may have been moved to another word).
    pub fn is_waiting(&self, _key: FutexKey, task: TaskId) -> bool {
        self.keys.contains_key(&task)
    }

    /// The task's wait goes on under a new ticket.
    pub fn renew(&mut self, task: TaskId, ticket: u64) {
        let Some(key) = self.keys.get(&task) else { return };
        if let Some(s) = self.queues.get_mut(key).and_then(|q| q.iter_mut().find(|s| s.task == task)) {
            s.ticket = ticket;
        }
    }

    /// Forgets a sleeper.
    pub fn remove(&mut self, _key: FutexKey, task: TaskId) {
        let Some(key) = self.keys.remove(&task) else { return };
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.retain(|s| s.task != task);
            if queue.is_empty() {
                self.queues.remove(&key);
            }
        }
    }

    /// Wakes at most `count` sleepers whose set meets `bitset`, the longest asleep first; returns how many.
    pub fn wake(&mut self, key: FutexKey, count: u64, bitset: u32, sched: &mut Sched) -> u64 {
        let Some(queue) = self.queues.get_mut(&key) else { return 0 };
        let mut woken = 0;
        let mut i = 0;
        while i < queue.len() && woken < count {
            if queue[i].bitset & bitset == 0 {
                i += 1;
                continue;
            }
            if let Some(s) = queue.remove(i) {
                match s.index {
                    None => drop(self.keys.remove(&s.task)),
                    Some(index) => drop(self.several.insert(s.task, Some(index))),
                }
                sched.wake_ticket(s.task, s.ticket);
                woken += 1;
            }
        }
        if queue.is_empty() {
            self.queues.remove(&key);
        }
        woken
    }

    /// Moves at most `count` sleepers from one word to another; returns how many.
    pub fn requeue(&mut self, from: FutexKey, to: FutexKey, count: u64) -> u64 {
        if from == to {
            return 0;
        }
        let Some(mut queue) = self.queues.remove(&from) else { return 0 };
        let mut moved = 0;
        let mut stay = VecDeque::new();
        while let Some(s) = queue.pop_front() {
            // Who waits on several words is not moved (Linux fails the call).
            if moved == count || s.index.is_some() {
                stay.push_back(s);
                continue;
            }
            self.keys.insert(s.task, to);
            self.queues.entry(to).or_default().push_back(s);
            moved += 1;
        }
        let queue = stay;
        if !queue.is_empty() {
            self.queues.insert(from, queue);
        }
        moved
    }

    /// The task that has slept longest on a word.
    pub fn first(&self, key: FutexKey) -> Option<TaskId> {
        self.queues.get(&key)?.front().map(|s| s.task)
    }

    /// Whether anybody sleeps on a word.
    pub fn any(&self, key: FutexKey) -> bool {
        self.queues.contains_key(&key)
    }
}
