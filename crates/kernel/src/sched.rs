//! Who runs next: the run queue, wait queues and the timer queue.
//!
//! One task runs at a time. A task that may go on is put at the queue's end; the schedule stream of the seed now and
//! then takes another than the first. When nobody can run, time jumps to the next timer.

use crate::fs::epoll::EpollItem;
use crate::fs::file::{FileRef, OpenFile};
use crate::rng::Rng;
use crate::task::TaskId;
use crate::uapi::{O_ASYNC, POLLERR, POLLHUP, POLLRDHUP};
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Weak;
use alloc::vec::Vec;
use core::cell::RefCell;
use snowglobe_abi::spec::Nanos;

/// Who waits on an object.
#[derive(Clone)]
pub enum Waiter {
    /// A task in the wait with this ticket.
    Task(TaskId, u64),
    /// An item of an epoll instance, until it is removed.
    Epoll(Weak<EpollItem>),
    /// The owner of a description with O_ASYNC, until that is taken away.
    Owner(Weak<OpenFile>),
}

/// The waiters of one object, in the order in which they came.
#[derive(Default)]
pub struct WaitQueue {
    waiters: RefCell<Vec<Waiter>>,
    /// Sweep stale entries when the list has grown to this length.
    sweep_at: core::cell::Cell<usize>,
}

impl WaitQueue {
    /// Adds a waiter.
    pub fn add(&self, waiter: Waiter, sched: &Sched) {
        let mut list = self.waiters.borrow_mut();
        if list.len() >= self.sweep_at.get().max(8) {
            list.retain(|w| match w {
                Waiter::Task(task, ticket) => sched.is_current_ticket(*task, *ticket),
                Waiter::Epoll(item) => item.strong_count() > 0,
                Waiter::Owner(file) => file.strong_count() > 0,
            });
            self.sweep_at.set(list.len() * 2);
        }
        list.push(waiter);
    }

    /// Whether a task waits, and not only items of epoll instances.
    pub fn holds_task(&self, sched: &Sched) -> bool {
        self.waiters.borrow().iter().any(|w| match w {
            Waiter::Task(task, ticket) => sched.is_current_ticket(*task, *ticket),
            _ => false,
        })
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiters.borrow().is_empty()
    }

    /// Tells all waiters that `events` (poll bits) have happened.
    pub fn wake(&self, sched: &mut Sched, events: u32) {
        // The list keeps its room: waking is on the way of every message.
        let mut list = core::mem::take(&mut *self.waiters.borrow_mut());
        // Of those who want to be one of many told, one who waits is enough; an end is for all.
        let for_all = events & (POLLHUP | POLLERR | POLLRDHUP) != 0;
        let mut enough = false;
        list.retain(|waiter| match waiter {
            Waiter::Task(task, ticket) => {
                sched.wake_ticket(*task, *ticket);
                false
            }
            Waiter::Epoll(item) => match item.upgrade() {
                Some(item) => {
                    if !(enough && item.is_exclusive()) {
                        enough |= item.notify(sched, events) && !for_all;
                    }
                    true
                }
                None => false,
            },
            Waiter::Owner(file) => match file.upgrade().filter(|f| f.flags.get() & O_ASYNC != 0) {
                Some(file) => {
                    sched.owed.push((file, events));
                    true
                }
                None => false,
            },
        });
        let mut added = self.waiters.borrow_mut();
        list.append(&mut added);
        *added = list;
    }
}

/// What a timer does when it is due.
#[derive(Clone)]
pub enum TimerAction {
    /// Ends the wait of a task.
    Task(TaskId, u64),
    /// A timerfd.
    TimerFd(Weak<crate::time::TimerFd>),
    /// The `setitimer` timer of a process that counts virtual time.
    Interval(crate::task::ProcId),
    /// A `timer_create` timer of a process.
    Posix(crate::task::ProcId, u32),
    /// The network has something to deliver.
    Network,
    /// A deadline of the socket table has come.
    NetworkDeadline,
    /// A service's start, health check or time-out.
    Service(u32, crate::policy::Timer),
    /// The world's end.
    Until,
    /// Something of the plan of faults.
    Fault(crate::fault::Due),
}

/// One task, as the scheduler sees it.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// The ticket of its wait while it is blocked; 0 when it is not.
    ticket: u64,
    /// Whether its host stands still.
    frozen: bool,
    /// How many faults let others go first.
    starved: u32,
    /// With priorities: the highest runs.
    priority: u64,
}

/// Who of those that can run is next.
enum Order {
    /// The first, with an exception by the seed now and then.
    Usual,
    /// Any, by the seed.
    Any,
    /// The one with the highest priority, drawn when it comes to be.
    Highest(Rng),
}

/// The run queue and the timers.
pub struct Sched {
    /// Virtual nanoseconds since the world began.
    pub now: Nanos,
    queue: VecDeque<TaskId>,
    /// Tasks that could run if their host did not stand still, in the order in which they could.
    parked: VecDeque<TaskId>,
    slots: Vec<Slot>,
    order: Order,
    /// How many tasks are starved.
    starving: usize,
    timers: BTreeMap<(Nanos, u64), TimerAction>,
    timer_seq: u64,
    /// The time of the first timer, or the maximum.
    pub next_timer: Nanos,
    rng: Rng,
    /// Tasks woken since the last look, for the trace.
    pub woken: Vec<TaskId>,
    /// Descriptions with O_ASYNC on which something has happened, and what: their owners are to get a signal.
    pub owed: Vec<(FileRef, u32)>,
}

impl Sched {
    /// An empty queue at time 0.
    pub fn new(rng: Rng) -> Sched {
        Sched {
            now: 0,
            queue: VecDeque::new(),
            parked: VecDeque::new(),
            slots: Vec::new(),
            order: Order::Usual,
            starving: 0,
            timers: BTreeMap::new(),
            timer_seq: 0,
            next_timer: Nanos::MAX,
            rng,
            woken: Vec::new(),
            owed: Vec::new(),
        }
    }

    /// Tells the scheduler of a new task; it is not yet queued.
    pub fn add_task(&mut self, task: TaskId) {
        let index = task.0 as usize;
        if self.slots.len() <= index {
            self.slots.resize(index + 1, Slot::default());
        }
        if let Order::Highest(rng) = &mut self.order {
            self.slots[index].priority = crate::fault::turns::LOWERED + rng.below(1 << 32);
        }
    }

    /// From now on any task that can run is next.
    pub fn reseed(&mut self, rng: Rng) {
        self.rng = rng;
    }

    /// Takes any.
    pub fn take_any(&mut self) {
        self.order = Order::Any;
    }

    /// From now on the task with the highest priority is next; new ones draw theirs from this stream.
    pub fn take_highest(&mut self, rng: Rng) {
        self.order = Order::Highest(rng);
    }

    /// Gives a task another priority.
    pub fn set_priority(&mut self, task: TaskId, priority: u64) {
        self.slots[task.0 as usize].priority = priority;
    }

    /// Whether one that can run has a higher priority than a task that runs.
    pub fn is_overtaken(&self, task: TaskId) -> bool {
        let own = self.slots[task.0 as usize].priority;
        self.queue.iter().any(|other| self.slots[other.0 as usize].priority > own)
    }

    /// One fault more, or less, lets others go before a task.
    pub fn set_starved(&mut self, task: TaskId, starved: bool) {
        let slot = &mut self.slots[task.0 as usize];
        let before = slot.starved > 0;
        slot.starved = if starved { slot.starved + 1 } else { slot.starved.saturating_sub(1) };
        self.starving = self.starving + usize::from(slot.starved > 0) - usize::from(before);
    }

    /// The place in the queue of who is next when that is not as usual.
    #[cold]
    fn place_of_next(&mut self) -> Option<usize> {
        let slots = &self.slots;
        let slot = |at: usize| slots[self.queue[at].0 as usize];
        let fed: Vec<usize> = (0..self.queue.len()).filter(|&at| slot(at).starved == 0).collect();
        let able = if fed.is_empty() { (0..self.queue.len()).collect() } else { fed };
        match self.order {
            Order::Usual => able.first().copied(),
            Order::Any if able.is_empty() => None,
            Order::Any => Some(able[self.rng.below(able.len() as u64) as usize]),
            // Of several the one that came first.
            Order::Highest(_) => able.into_iter().max_by_key(|&at| (slot(at).priority, core::cmp::Reverse(at))),
        }
    }

    /// Whether somebody could run.
    pub fn anyone(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Puts a task at the end of the queue.
    pub fn enqueue(&mut self, task: TaskId) {
        debug_assert!(!self.queue.contains(&task) && !self.parked.contains(&task));
        self.may_run(task);
    }

    /// Puts a task at the head of the queue: it gave up the baton for what is not its own.
    pub fn enqueue_first(&mut self, task: TaskId) {
        if self.slots[task.0 as usize].frozen {
            self.parked.push_front(task);
        } else {
            self.queue.push_front(task);
        }
    }

    #[inline]
    fn may_run(&mut self, task: TaskId) {
        if self.slots[task.0 as usize].frozen {
            self.parked.push_back(task);
        } else {
            self.queue.push_back(task);
        }
    }

    /// A task's host stands still, or goes on. [`Sched::settle_frozen`] is to follow.
    pub fn set_frozen(&mut self, task: TaskId, frozen: bool) {
        self.slots[task.0 as usize].frozen = frozen;
    }

    /// Tasks that are frozen leave the queue, and those that are not any more come back to it, each in its order.
    pub fn settle_frozen(&mut self) {
        let Sched { queue, parked, slots, .. } = self;
        let frozen = |task: &TaskId| slots[task.0 as usize].frozen;
        let back: Vec<TaskId> = parked.iter().copied().filter(|task| !frozen(task)).collect();
        parked.retain(|task| frozen(task));
        parked.extend(queue.iter().copied().filter(frozen));
        queue.retain(|task| !frozen(task));
        queue.extend(back);
    }

    /// Takes a task out of the queue, wherever it is.
    pub fn remove(&mut self, task: TaskId) {
        self.queue.retain(|t| *t != task);
        self.parked.retain(|t| *t != task);
        if let Some(slot) = self.slots.get_mut(task.0 as usize) {
            slot.ticket = 0;
            self.starving -= usize::from(core::mem::take(&mut slot.starved) > 0);
        }
    }

    /// The next task to run.
    pub fn take(&mut self) -> Option<TaskId> {
        if self.starving > 0 || !matches!(self.order, Order::Usual) {
            let at = self.place_of_next()?;
            return self.queue.remove(at);
        }
        let n = self.queue.len();
        if n > 1 && self.rng.one_in(16) {
            let at = self.rng.below(n as u64) as usize;
            return self.queue.remove(at);
        }
        self.queue.pop_front()
    }

    /// Marks a task as blocked with this ticket.
    pub fn block(&mut self, task: TaskId, ticket: u64) {
        self.slots[task.0 as usize].ticket = ticket;
    }

    /// Whether a waiter entry is of the wait that the task is in now.
    pub fn is_current_ticket(&self, task: TaskId, ticket: u64) -> bool {
        self.slots.get(task.0 as usize).is_some_and(|s| s.ticket == ticket)
    }

    /// Makes a blocked task runnable, whatever it waits for.
    pub fn wake(&mut self, task: TaskId) {
        let slot = &mut self.slots[task.0 as usize];
        if slot.ticket != 0 {
            slot.ticket = 0;
            self.may_run(task);
            self.woken.push(task);
        }
    }

    /// Makes a blocked task runnable if it is still in the wait with this ticket.
    pub fn wake_ticket(&mut self, task: TaskId, ticket: u64) {
        if self.is_current_ticket(task, ticket) {
            self.wake(task);
        }
    }

    /// Arms a timer; returns its key.
    pub fn arm(&mut self, at: Nanos, action: TimerAction) -> (Nanos, u64) {
        self.timer_seq += 1;
        let key = (at, self.timer_seq);
        self.timers.insert(key, action);
        self.next_timer = self.next_timer.min(at);
        key
    }

    /// Disarms a timer.
    pub fn disarm(&mut self, key: (Nanos, u64)) {
        self.timers.remove(&key);
        if key.0 == self.next_timer {
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        self.next_timer = self.timers.first_key_value().map_or(Nanos::MAX, |(k, _)| k.0);
    }

    /// The next timer that is due, if any; it is removed.
    pub fn due(&mut self) -> Option<TimerAction> {
        if self.next_timer > self.now {
            return None;
        }
        let (_, action) = self.timers.pop_first()?;
        self.refresh();
        Some(action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_two_faults_starve_is_fed_when_both_have_ended() {
        let mut sched = Sched::new(Rng::stream(1, "schedule"));
        let (hungry, other) = (TaskId(1), TaskId(2));
        [hungry, other].into_iter().for_each(|task| sched.add_task(task));
        let next = |sched: &mut Sched| {
            [hungry, other].into_iter().for_each(|task| sched.enqueue(task));
            let next = sched.take();
            [hungry, other].into_iter().for_each(|task| sched.queue.retain(|t| *t != task));
            next
        };
        sched.set_starved(hungry, true);
        sched.set_starved(hungry, true);
        sched.set_starved(hungry, false);
        assert!((0..50).all(|_| next(&mut sched) == Some(other)));
        sched.set_starved(hungry, false);
        assert!((0..50).any(|_| next(&mut sched) == Some(hungry)));
    }
}
