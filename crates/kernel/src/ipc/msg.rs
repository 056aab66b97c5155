//! System V message queues (`msgop(2)`). A sender hands its message to a receiver that waits for such a one, and a receiver
//! lets in the senders whose messages then fit: nobody who waits looks again.

use super::ids::{Object, Perm};
use crate::task::TaskId;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

/// Most bytes of a message (`msgmax`).
pub const MAX_SIZE: u64 = 8192;
/// Bytes that a queue holds unless it is told otherwise (`msgmnb`).
pub const DEFAULT_BYTES: u64 = 16384;
/// Most queues of a host (`msgmni`).
pub const MAX_QUEUES: u32 = 32000;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type, positive.
    pub kind: i64,
    /// Its text.
    pub data: Vec<u8>,
}

/// Which message a receiver wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The first.
    Any,
    /// The first of a type.
    Type(i64),
    /// The first that is not of a type (MSG_EXCEPT).
    Not(i64),
    /// The first of the lowest type up to this.
    UpTo(i64),
}

impl Want {
    /// From `msgrcv`'s type and flags.
    pub fn new(kind: i64, except: bool) -> Want {
        match kind {
            0 => Want::Any,
            kind if kind < 0 => Want::UpTo(kind.checked_neg().unwrap_or(i64::MAX)),
            kind if except => Want::Not(kind),
            kind => Want::Type(kind),
        }
    }

    fn fits(self, kind: i64) -> bool {
        match self {
            Want::Any => true,
            Want::Type(t) => kind == t,
            Want::Not(t) => kind != t,
            Want::UpTo(t) => kind <= t,
        }
    }
}

/// A call that receives.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    /// Who.
    pub task: TaskId,
    /// Its process id.
    pub pid: u32,
    /// What it wants.
    pub want: Want,
    /// Bytes that it takes.
    pub size: u64,
    /// MSG_NOERROR: a longer message is cut, where otherwise E2BIG leaves it in the queue.
    pub cut: bool,
}

impl Receiver {
    fn takes(&self, message: &Message) -> bool {
        self.cut || message.data.len() as u64 <= self.size
    }
}

struct WaitingReceiver {
    receiver: Receiver,
    given: Option<Result<Message>>,
}

struct WaitingSender {
    task: TaskId,
    pid: u32,
    /// Gone when it has been let in.
    message: Option<Message>,
}

/// A queue.
pub struct MsgQueue {
    /// Key and owner.
    pub perm: Perm,
    messages: VecDeque<Message>,
    /// Bytes of all messages.
    pub bytes: u64,
    /// Most bytes.
    pub limit: u64,
    /// Who sent last.
    pub last_sender: u32,
    /// Who received last.
    pub last_receiver: u32,
    /// Time of the last `msgsnd` in seconds, or 0.
    pub stime: u64,
    /// Time of the last `msgrcv`.
    pub rtime: u64,
    /// Time of the last change.
    pub ctime: u64,
    receivers: Vec<WaitingReceiver>,
    senders: Vec<WaitingSender>,
}

impl Object for MsgQueue {
    fn perm(&self) -> &Perm {
        &self.perm
    }
}

impl MsgQueue {
    /// An empty queue.
    pub fn new(perm: Perm, now: u64) -> MsgQueue {
        MsgQueue {
            perm,
            messages: VecDeque::new(),
            bytes: 0,
            limit: DEFAULT_BYTES,
            last_sender: 0,
            last_receiver: 0,
            stime: 0,
            rtime: 0,
            ctime: now,
            receivers: Vec::new(),
            senders: Vec::new(),
        }
    }

    /// Messages in it.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn fits(&self, message: &Message) -> bool {
        message.data.len() as u64 + self.bytes <= self.limit && (self.messages.len() as u64) < self.limit
    }

    /// Sends; gives the message back when there is no room for it.
    pub fn send(&mut self, message: Message, pid: u32, now: u64, woken: &mut Vec<TaskId>) -> Option<Message> {
        if !self.fits(&message) {
            return Some(message);
        }
        self.last_sender = pid;
        self.stime = now;
        self.deliver(message, now, woken);
        None
    }

    fn deliver(&mut self, message: Message, now: u64, woken: &mut Vec<TaskId>) {
        for w in &mut self.receivers {
            if w.given.is_some() || !w.receiver.want.fits(message.kind) {
                continue;
            }
            woken.push(w.receiver.task);
            if w.receiver.takes(&message) {
                self.last_receiver = w.receiver.pid;
                self.rtime = now;
                w.given = Some(Ok(message));
                return;
            }
            w.given = Some(Err(Errno::E2BIG));
        }
        self.bytes += message.data.len() as u64;
        self.messages.push_back(message);
    }

    /// A sender waits for room.
    pub fn wait_to_send(&mut self, task: TaskId, pid: u32, message: Message) {
        self.senders.push(WaitingSender { task, pid, message: Some(message) });
    }

    /// Lets senders in whose messages fit, the longest waiting first.
    pub fn admit(&mut self, now: u64, woken: &mut Vec<TaskId>) {
        for i in 0..self.senders.len() {
            let Some(message) = self.senders[i].message.take() else { continue };
            let (task, pid) = (self.senders[i].task, self.senders[i].pid);
            match self.send(message, pid, now, woken) {
                None => woken.push(task),
                Some(message) => self.senders[i].message = Some(message),
            }
        }
    }

    fn find(&self, want: Want) -> Option<usize> {
        let fitting = self.messages.iter().enumerate().filter(|(_, m)| want.fits(m.kind));
        match want {
            // Among equals the first is the least.
            Want::UpTo(_) => fitting.min_by_key(|(_, m)| m.kind).map(|(i, _)| i),
            _ => fitting.map(|(i, _)| i).next(),
        }
    }

    /// Receives; `None` when there is no such message.
    ///
    /// # Errors
    /// `E2BIG`.
    pub fn receive(&mut self, receiver: Receiver, now: u64, woken: &mut Vec<TaskId>) -> Result<Option<Message>> {
        let Some(at) = self.find(receiver.want) else { return Ok(None) };
        if !receiver.takes(&self.messages[at]) {
            return Err(Errno::E2BIG);
        }
        let message = self.messages.remove(at);
        self.bytes -= message.as_ref().map_or(0, |m| m.data.len() as u64);
        self.last_receiver = receiver.pid;
        self.rtime = now;
        self.admit(now, woken);
        Ok(message)
    }

    /// The message at a place, which stays there (MSG_COPY).
    pub fn peek(&self, at: usize) -> Option<&Message> {
        self.messages.get(at)
    }

    /// A receiver waits for its message.
    pub fn wait_to_receive(&mut self, receiver: Receiver) {
        self.receivers.push(WaitingReceiver { receiver, given: None });
    }

    /// What a waiting receiver was given, if anything yet.
    pub fn given(&mut self, task: TaskId) -> Option<Result<Message>> {
        self.receivers.iter_mut().find(|w| w.receiver.task == task)?.given.take()
    }

    /// Whether a waiting sender has been let in.
    pub fn admitted(&self, task: TaskId) -> bool {
        self.senders.iter().any(|w| w.task == task && w.message.is_none())
    }

    /// A call waits no longer.
    pub fn forget(&mut self, task: TaskId) {
        self.receivers.retain(|w| w.receiver.task != task);
        self.senders.retain(|w| w.task != task);
    }

    /// Who waits.
    pub fn sleepers(&self) -> impl Iterator<Item = TaskId> + '_ {
        self.receivers.iter().map(|w| w.receiver.task).chain(self.senders.iter().map(|w| w.task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Cred;

    fn queue() -> MsgQueue {
        MsgQueue::new(Perm::new(0, 0o600, &Cred::new(0, 0)), 0)
    }

    fn message(kind: i64, text: &str) -> Message {
        Message { kind, data: text.as_bytes().to_vec() }
    }

    fn receiver(task: u32, want: Want) -> Receiver {
        Receiver { task: TaskId(task), pid: task, want, size: 100, cut: false }
    }

    fn take(q: &mut MsgQueue, want: Want) -> Option<i64> {
        q.receive(receiver(1, want), 0, &mut Vec::new()).unwrap().map(|m| m.kind)
    }

    #[test]
    fn types_choose_among_messages() {
        let mut q = queue();
        for kind in [5, 3, 4, 3, 9] {
            assert_eq!(q.send(message(kind, "x"), 1, 0, &mut Vec::new()), None);
        }
        assert_eq!(take(&mut q, Want::new(-4, false)), Some(3));
        assert_eq!(take(&mut q, Want::new(4, false)), Some(4));
        assert_eq!(take(&mut q, Want::new(5, true)), Some(3));
        assert_eq!(take(&mut q, Want::new(1, false)), None);
        assert_eq!(take(&mut q, Want::new(0, false)), Some(5));
        assert_eq!(take(&mut q, Want::new(i64::MIN, true)), Some(9));
        assert_eq!((q.len(), q.bytes), (0, 0));
    }

    #[test]
    fn a_message_goes_to_the_first_waiting_receiver_that_wants_it() {
        let mut q = queue();
        q.wait_to_receive(receiver(1, Want::Type(7)));
        q.wait_to_receive(Receiver { size: 2, ..receiver(2, Want::Any) });
        q.wait_to_receive(receiver(3, Want::Any));
        let mut woken = Vec::new();
        assert_eq!(q.send(message(8, "long"), 1, 0, &mut woken), None);
        assert_eq!(woken, [TaskId(2), TaskId(3)]);
        assert_eq!(q.given(TaskId(1)), None);
        assert_eq!(q.given(TaskId(2)), Some(Err(Errno::E2BIG)));
        assert_eq!(q.given(TaskId(3)), Some(Ok(message(8, "long"))));
        assert!(q.is_empty());
    }

    #[test]
    fn room_lets_waiting_senders_in() {
        let mut q = queue();
        q.limit = 4;
        assert_eq!(q.send(message(1, "four"), 1, 0, &mut Vec::new()), None);
        let back = q.send(message(2, "abc"), 1, 0, &mut Vec::new()).expect("no room");
        q.wait_to_send(TaskId(2), 2, back);
        q.wait_to_send(TaskId(3), 3, message(3, "ab"));
        q.wait_to_send(TaskId(4), 4, message(4, "a"));
        let mut woken = Vec::new();
        q.receive(receiver(1, Want::Any), 0, &mut woken).unwrap();
        assert_eq!(woken, [TaskId(2), TaskId(4)]);
        assert!(q.admitted(TaskId(2)) && !q.admitted(TaskId(3)));
        assert_eq!((q.len(), q.bytes, q.last_sender), (2, 4, 4));
    }

    #[test]
    fn a_message_that_is_too_long_stays_unless_it_may_be_cut() {
        let mut q = queue();
        q.send(message(1, "four"), 1, 0, &mut Vec::new());
        let short = Receiver { size: 2, ..receiver(1, Want::Any) };
        assert_eq!(q.receive(short, 0, &mut Vec::new()), Err(Errno::E2BIG));
        assert_eq!(q.len(), 1);
        assert!(q.receive(Receiver { cut: true, ..short }, 0, &mut Vec::new()).unwrap().is_some());
    }
}
