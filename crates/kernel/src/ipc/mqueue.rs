//! POSIX message queues (`mq_overview(7)`): bounded, by priority, with one notification.

use crate::sched::WaitQueue;
use crate::task::{ProcId, TaskId};
use crate::uapi::*;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::cmp::Reverse;
use snowglobe_net::SocketId;

/// Priorities are below this (`MQ_PRIO_MAX`).
pub const MAX_PRIORITY: u64 = 32768;
/// `msg_max`: messages of a queue, by default and at most for the unprivileged.
pub const MESSAGES: u64 = 10;
/// `msgsize_max`: bytes of a message, likewise.
pub const SIZE: u64 = 8192;
/// Messages of a queue that even the privileged may not exceed.
pub const HARD_MESSAGES: u64 = 65536;
/// Bytes of a message, likewise.
pub const HARD_SIZE: u64 = 16 << 20;
/// Queues of a host (`queues_max`).
pub const QUEUES: usize = 256;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Higher comes first.
    pub priority: u32,
    /// Its text.
    pub data: Vec<u8>,
}

/// Who is to be told when a message comes to an empty queue (`mq_notify(3)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Which process.
    pub proc: ProcId,
    /// Its process id.
    pub pid: u32,
    /// SIGEV_SIGNAL's signal; `None` for the others.
    pub signal: Option<u32>,
    /// SIGEV_THREAD's socket.
    pub thread: Option<Thread>,
    /// `sigev_value`.
    pub value: u64,
}

/// A netlink socket that a thread of the C library reads, and what it wants to read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The socket.
    pub socket: SocketId,
    /// Its number, which no other socket has.
    pub unique: u64,
    /// The message, but for its last byte, which says what happened.
    pub cookie: [u8; COOKIE],
}

/// Bytes of such a message (`NOTIFY_COOKIE_LEN`).
pub const COOKIE: usize = 32;

/// What sending did besides.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// A receiver that has the message now.
    pub woken: Option<TaskId>,
    /// Who is to be notified.
    pub notify: Option<Notify>,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<Reverse<u32>, VecDeque<Vec<u8>>>,
    count: u64,
    /// Bytes of all messages.
    bytes: u64,
    receivers: Vec<(TaskId, Option<Message>)>,
    senders: Vec<(TaskId, Option<Message>)>,
    notify: Option<Notify>,
}

impl State {
    fn put(&mut self, message: Message) {
        self.count += 1;
        self.bytes += message.data.len() as u64;
        self.messages.entry(Reverse(message.priority)).or_default().push_back(message.data);
    }

    fn take(&mut self) -> Option<Message> {
        let mut first = self.messages.first_entry()?;
        let priority = first.key().0;
        let data = first.get_mut().pop_front()?;
        if first.get().is_empty() {
            first.remove();
        }
        self.count -= 1;
        self.bytes -= data.len() as u64;
        Some(Message { priority, data })
    }
}

/// A queue.
pub struct Mqueue {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Most messages (`mq_maxmsg`).
    pub max: u64,
    /// Most bytes of a message (`mq_msgsize`).
    pub size: u64,
    state: RefCell<State>,
    /// Who polls it.
    pub queue: WaitQueue,
}

impl Mqueue {
    /// An empty queue.
    pub fn new(mode: u32, uid: u32, gid: u32, max: u64, size: u64) -> Mqueue {
        Mqueue { mode, uid, gid, max, size, state: RefCell::default(), queue: WaitQueue::default() }
    }

    /// Bytes that count against RLIMIT_MSGQUEUE (`getrlimit(2)`).
    pub fn footprint(max: u64, size: u64) -> u64 {
        const NODE: u64 = 48;
        max.saturating_mul(NODE + size).saturating_add(max.min(MAX_PRIORITY) * NODE)
    }

    /// Messages in it.
    pub fn len(&self) -> u64 {
        self.state.borrow().count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Poll bits.
    pub fn readiness(&self) -> u32 {
        let count = self.len();
        let read = if count > 0 { POLLIN | POLLRDNORM } else { 0 };
        let write = if count < self.max { POLLOUT | POLLWRNORM } else { 0 };
        read | write
    }

    /// Sends; gives the message back when the queue is full.
    pub fn send(&self, message: Message) -> Result<Sent, Message> {
        let mut state = self.state.borrow_mut();
        if state.count >= self.max {
            return Err(message);
        }
        if let Some((task, slot)) = state.receivers.iter_mut().find(|(_, slot)| slot.is_none()) {
            *slot = Some(message);
            return Ok(Sent { woken: Some(*task), notify: None });
        }
        state.put(message);
        // mq_notify(3): only a message that comes to an empty queue, and once.
        let notify = if state.count == 1 { state.notify.take() } else { None };
        Ok(Sent { woken: None, notify })
    }

    /// Receives, and lets the sender in that has waited longest, which is returned too.
    pub fn receive(&self) -> Option<(Message, Option<TaskId>)> {
        let mut state = self.state.borrow_mut();
        let message = state.take()?;
        let next = state.senders.iter_mut().find_map(|(task, slot)| Some((*task, slot.take()?)));
        let woken = next.map(|(task, message)| {
            state.put(message);
            task
        });
        Some((message, woken))
    }

    /// A receiver waits.
    pub fn wait_to_receive(&self, task: TaskId) {
        self.state.borrow_mut().receivers.push((task, None));
    }

    /// A sender waits.
    pub fn wait_to_send(&self, task: TaskId, message: Message) {
        self.state.borrow_mut().senders.push((task, Some(message)));
    }

    /// What a waiting receiver was given, if anything yet.
    pub fn given(&self, task: TaskId) -> Option<Message> {
        self.state.borrow_mut().receivers.iter_mut().find(|(t, _)| *t == task)?.1.take()
    }

    /// Whether a waiting sender's message is in.
    pub fn admitted(&self, task: TaskId) -> bool {
        self.state.borrow().senders.iter().any(|(t, slot)| *t == task && slot.is_none())
    }

    /// A call waits no longer.
    pub fn forget(&self, task: TaskId) {
        let mut state = self.state.borrow_mut();
        state.receivers.retain(|(t, _)| *t != task);
        state.senders.retain(|(t, _)| *t != task);
    }

    /// Asks for a notification; whether nobody else had.
    pub fn ask(&self, notify: Notify) -> bool {
        let mut state = self.state.borrow_mut();
        let free = state.notify.is_none();
        if free {
            state.notify = Some(notify);
        }
        free
    }

    /// A process wants no notification any more, or has closed the queue.
    ///
    /// Returns what it had asked for.
    pub fn unask(&self, proc: ProcId) -> Option<Notify> {
        let mut state = self.state.borrow_mut();
        state.notify.take_if(|n| n.proc == proc)
    }

    /// What reading the queue's file shows.
    pub fn status(&self) -> alloc::string::String {
        let state = self.state.borrow();
        let (kind, signal, pid) = match state.notify {
            Some(Notify { signal: Some(signal), pid, .. }) => (0, signal, pid),
            Some(Notify { thread: Some(_), pid, .. }) => (2, 0, pid),
            Some(Notify { pid, .. }) => (1, 0, pid),
            None => (0, 0, 0),
        };
        alloc::format!("QSIZE:{:<10} NOTIFY:{kind:<5} SIGNO:{signal:<5} NOTIFY_PID:{pid:<6}\n", state.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(max: u64) -> Mqueue {
        Mqueue::new(0o600, 0, 0, max, 16)
    }

    fn message(priority: u32, text: &str) -> Message {
        Message { priority, data: text.as_bytes().to_vec() }
    }

    #[test]
    fn the_highest_priority_comes_first_and_equals_in_their_order() {
        let q = queue(10);
        for (p, t) in [(1, "a"), (9, "b"), (1, "c"), (5, "d")] {
            q.send(message(p, t)).unwrap();
        }
        let order: Vec<u8> = core::iter::from_fn(|| q.receive()).map(|(m, _)| m.data[0]).collect();
        assert_eq!(order, b"bdac");
        assert!(q.is_empty());
    }

    #[test]
    fn a_waiting_receiver_is_given_the_message_and_nobody_is_notified() {
        let q = queue(10);
        let notify = Notify { proc: ProcId(1), pid: 1, signal: Some(10), thread: None, value: 0 };
        assert!(q.ask(notify) && !q.ask(notify));
        q.wait_to_receive(TaskId(5));
        assert_eq!(q.send(message(1, "x")), Ok(Sent { woken: Some(TaskId(5)), notify: None }));
        assert_eq!(q.given(TaskId(5)), Some(message(1, "x")));
        q.forget(TaskId(5));
        assert_eq!(q.send(message(1, "y")), Ok(Sent { woken: None, notify: Some(notify) }));
        assert_eq!(q.send(message(1, "z")), Ok(Sent::default()));
    }

    #[test]
    fn room_lets_the_longest_waiting_sender_in() {
        let q = queue(1);
        q.send(message(1, "a")).unwrap();
        let back = q.send(message(2, "b")).unwrap_err();
        q.wait_to_send(TaskId(2), back);
        q.wait_to_send(TaskId(3), message(3, "c"));
        assert_eq!(q.receive(), Some((message(1, "a"), Some(TaskId(2)))));
        assert!(q.admitted(TaskId(2)) && !q.admitted(TaskId(3)));
        q.forget(TaskId(2));
        assert_eq!(q.receive(), Some((message(2, "b"), Some(TaskId(3)))));
        assert_eq!(q.readiness(), POLLIN | POLLRDNORM);
    }
}
