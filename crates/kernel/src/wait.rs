//! What a blocked call waits for, as data.
//!
//! A handler that cannot answer yet leaves a [`Wait`]. Whatever may end it wakes the task, and when the task has the baton
//! again, in its own address space, [`Kernel::complete`] tries to finish the call. If it still cannot, the task
//! waits on.

use crate::fs::file::FileRef;
use crate::fs::inode::InodeRef;
use crate::futex::FutexKey;
use crate::machine::Machine;
use crate::mem::Iov;
use crate::sched::Waiter;
use crate::signal::Info;
use crate::task::{State, TaskId};
use crate::time::Moment;
use crate::uapi::*;
use crate::{Cx, Kernel, Stop, calls};
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};
use snowglobe_abi::spec::Nanos;

/// What happens when a signal handler is to run while the task waits (`signal(7)`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// Only death ends the wait (vfork).
    Never,
    /// The call fails with EINTR, SA_RESTART or not.
    Fail,
    /// The call is repeated after a handler with SA_RESTART, and fails with EINTR after another.
    Restart,
}

impl Interrupt {
    /// signal(7): socket calls with a time-out fail with EINTR, whatever SA_RESTART says; the others restart.
    pub fn for_timeout(deadline: Option<Nanos>) -> Interrupt {
        if deadline.is_some() { Interrupt::Fail } else { Interrupt::Restart }
    }
}

/// A wait.
pub struct Wait {
    /// For what.
    pub kind: Kind,
    /// Until when, in virtual nanoseconds.
    pub deadline: Option<Nanos>,
    /// What the host's wall clock shows then, if that is what the deadline is.
    pub wall: Option<Nanos>,
    /// See [`Interrupt`].
    pub interrupt: Interrupt,
}

/// For what a task waits.
pub enum Kind {
    /// A fault lets the call take longer: it is made when the time is up.
    Delayed,
    /// `read` and its kin: data in the file.
    Read {
        /// From where.
        file: FileRef,
        /// To where.
        iov: Iov,
    },
    /// `write` and its kin: room in the file.
    Write {
        /// To where.
        file: FileRef,
        /// From where.
        iov: Iov,
        /// Bytes already written.
        done: u64,
    },
    /// A sleep: the deadline ends it. Where `nanosleep` wants the rest written.
    Sleep {
        /// `rem`, or 0.
        rem: u64,
    },
    /// A futex: `woken` is set by the waker.
    Futex {
        /// The word.
        key: FutexKey,
        /// FUTEX_WAIT_BITSET's set.
        bitset: u32,
        /// For a PI lock: the word's address, which the waiter must own when woken.
        pi: Option<u64>,
    },
    /// `futex_waitv`: any of these words.
    Futexes(Vec<FutexKey>),
    /// A child's change of state.
    Child(calls::wait::WaitFor),
    /// `poll` and `ppoll`.
    Poll {
        /// `struct pollfd` array in the guest.
        addr: u64,
        /// Its content as read.
        fds: Vec<(i32, u32)>,
        /// What the descriptors named.
        files: Vec<Option<FileRef>>,
    },
    /// `select` and `pselect6`.
    Select(calls::poll::Select),
    /// `epoll_wait` and its kin.
    Epoll {
        /// The instance.
        epoll: Rc<crate::fs::epoll::Epoll>,
        /// Where events go.
        addr: u64,
        /// How many fit.
        max: usize,
    },
    /// Readiness of a description, after which the whole call is made again: nothing of it has happened yet.
    Again {
        /// Of what.
        file: FileRef,
        /// Poll bits.
        events: u32,
        /// The call's arguments.
        args: [u64; 6],
    },
    /// Nothing but a signal (`pause`, `sigsuspend`).
    Signal,
    /// `rt_sigtimedwait`.
    SigWait {
        /// The signals.
        set: u64,
        /// Where `siginfo_t` goes, or 0.
        info: u64,
    },
    /// A call on a socket.
    Socket(crate::sockets::SocketWait),
    /// A record lock.
    Lock {
        /// On what.
        inode: InodeRef,
        /// Which.
        range: crate::fs::lock::Range,
        /// Whose lock stands in the way.
        blocker: crate::fs::lock::Owner,
    },
    /// `flock`.
    Flock {
        /// On what.
        file: FileRef,
        /// LOCK_EX.
        exclusive: bool,
    },
    /// A vfork child's exec or end; the result is its pid.
    Vfork {
        /// The child.
        child: TaskId,
        /// Its pid.
        pid: u32,
    },
    /// The other end of a named pipe.
    Fifo {
        /// The description to be installed.
        file: FileRef,
        /// Whether the descriptor is to be closed at exec.
        cloexec: bool,
        /// Opens of the other side seen at the beginning.
        seen: u64,
    },
    /// `io_getevents`.
    Aio(calls::aio::AioWait),
    /// A disk that is slow or stalls.
    Disk(Box<crate::fs::disk::faults::DiskWait>),
    /// A System V or POSIX queue or semaphore.
    Ipc(crate::ipc::IpcWait),
}

impl Wait {
    /// A wait without a deadline that restarts.
    pub fn new(kind: Kind) -> Box<Wait> {
        Box::new(Wait { kind, deadline: None, wall: None, interrupt: Interrupt::Restart })
    }

    /// With a deadline.
    pub fn until(mut self: Box<Wait>, deadline: Option<Nanos>) -> Box<Wait> {
        self.deadline = deadline;
        self
    }

    /// With a deadline that may be the wall clock's.
    pub fn until_moment(mut self: Box<Wait>, moment: Option<Moment>) -> Box<Wait> {
        self.deadline = moment.map(|moment| moment.at);
        self.wall = moment.and_then(|moment| moment.wall);
        self
    }

    /// With another behaviour on signals.
    pub fn on_signal(mut self: Box<Wait>, interrupt: Interrupt) -> Box<Wait> {
        self.interrupt = interrupt;
        self
    }

    /// As what a handler returns.
    pub fn stop(self: Box<Wait>) -> Stop {
        Stop::Block(self)
    }
}

impl Kernel {
    /// Hangs a task in the queues of what it waits for.
    pub fn register(&mut self, task: TaskId, ticket: u64, wait: &Wait) {
        let waiter = Waiter::Task(task, ticket);
        match &wait.kind {
            Kind::Read { file, .. } | Kind::Write { file, .. } | Kind::Again { file, .. } => self.watch(file, waiter),
            Kind::Sleep { .. } | Kind::Signal | Kind::Delayed | Kind::SigWait { .. } | Kind::Vfork { .. } => {}
            Kind::Futex { key, bitset, .. } => self.futexes.add(*key, task, ticket, *bitset),
            Kind::Futexes(keys) => self.futexes.add_several(keys, task, ticket),
            Kind::Child(_) => {
                // A task is woken for its siblings' children too: any thread may wait for them.
                self.proc_of(task).child_wait.add(waiter, &self.sched);
            }
            Kind::Poll { files, .. } => {
                for file in files.iter().flatten() {
                    self.watch(file, waiter.clone());
                }
            }
            Kind::Select(select) => {
                for (_, file, _) in &select.files {
                    self.watch(file, waiter.clone());
                }
            }
            Kind::Epoll { epoll, .. } => epoll.queue.add(waiter, &self.sched),
            Kind::Socket(wait) => self.sockets.watch_call(wait, waiter, &self.sched),
            Kind::Lock { inode, .. } => self.watch_locks(inode, waiter),
            Kind::Flock { file, .. } => {
                if let Some(inode) = &file.inode {
                    self.watch_locks(inode, waiter);
                }
            }
            Kind::Fifo { file, .. } => self.watch(file, waiter),
            Kind::Aio(wait) => wait.context.queue.add(waiter, &self.sched),
            Kind::Disk(_) => self.watch_disks(waiter),
            // Whoever has the result ready wakes the task.
            Kind::Ipc(_) => {}
        }
    }

    fn watch_locks(&self, inode: &InodeRef, waiter: Waiter) {
        inode.locks.borrow_mut().get_or_insert_default().queue.add(waiter, &self.sched);
    }

    /// Tries to finish the wait of the current task. Returns whether the task goes on; if not, it waits again.
    pub fn complete(&mut self, m: &mut dyn Machine, task: TaskId) -> bool {
        let Some(mut wait) = self.task_mut(task).wait.take() else { return true };
        if self.proc_of(task).dying.is_some() {
            self.end_wait(task, &wait);
            self.notice = true;
            return true;
        }
        let woken_by = self.task(task).timer;
        let outcome = match self.attempt(m, task, &mut wait) {
            Some(result) => Some(result),
            None if wait.deadline.is_some_and(|at| at <= self.sched.now) => Some(self.timed_out(m, task, &mut wait)),
            None => self.interrupted(m, task, &mut wait),
        };
        let _ = woken_by;
        let Some(result) = outcome else {
            self.wait_again(task, wait);
            return false;
        };
        self.end_wait(task, &wait);
        let value = match result {
            Ok(value) => value,
            Err(e) => e.to_ret(),
        };
        if value != RESTARTED {
            m.set_result(value);
            self.trace_end(m, task, value);
        }
        self.notice = true;
        true
    }

    /// Tells the trace that a call that blocked returns.
    fn trace_end(&mut self, m: &mut dyn Machine, task: TaskId, value: i64) {
        let nr = u64::from(self.task(task).call);
        let now = self.sched.now;
        self.record.end(now, task, nr, value, None, &[0; 6], m);
    }

    fn wait_again(&mut self, task: TaskId, wait: Box<Wait>) {
        let t = self.task_mut(task);
        t.ticket += 1;
        t.state = State::Blocked;
        let ticket = t.ticket;
        // The deadline's timer names the old ticket: it is armed anew.
        let old = t.timer.take();
        if let Some(key) = old {
            self.sched.disarm(key);
        }
        self.sched.block(task, ticket);
        match &wait.kind {
            // A place in a futex's queue is kept.
            Kind::Futex { .. } => self.futexes.renew(task, ticket),
            Kind::Futexes(keys) => self.futexes.renew_several(keys, task, ticket),
            _ => self.register(task, ticket, &wait),
        }
        let key = wait.deadline.map(|at| self.sched.arm(at, crate::sched::TimerAction::Task(task, ticket)));
        let t = self.task_mut(task);
        t.timer = key;
        t.wait = Some(wait);
    }

    /// Forgets what belongs to a wait that is over.
    pub fn end_wait(&mut self, task: TaskId, wait: &Wait) {
        if let Some(key) = self.task_mut(task).timer.take() {
            self.sched.disarm(key);
        }
        match &wait.kind {
            Kind::Futex { key, .. } => self.futexes.remove(*key, task),
            Kind::Futexes(keys) => self.futexes.remove_several(keys, task),
            Kind::Ipc(wait) => self.ipc_forget(task, wait),
            _ => {}
        }
    }

    /// The call's answer, if it has one now.
    fn attempt(&mut self, m: &mut dyn Machine, task: TaskId, wait: &mut Wait) -> Option<Result<i64>> {
        let mut cx = Cx { k: self, m, task, args: [0; 6] };
        let again = |r: Result<i64>| if r == Err(Errno::EAGAIN) { None } else { Some(r) };
        match &mut wait.kind {
            Kind::Read { file, iov } => {
                let answer = again(cx.read_file(file, iov).map(|n| n as i64));
                if answer.is_none() {
                    wait.deadline = cx.tty_deadline(file, wait.deadline);
                }
                answer
            }
            Kind::Write { file, iov, done } => match cx.write_more(file, iov, done) {
                Err(Errno::EAGAIN) => None,
                Err(e) if *done == 0 => Some(cx.sigpipe(&file.clone(), Err(e))),
                _ => Some(Ok(*done as i64)),
            },
            Kind::Sleep { .. } | Kind::Signal | Kind::Delayed => None,
            Kind::Again { file, events, args } => {
                let ready = cx.k.readiness(file, task) & (*events | POLLERR | POLLHUP) != 0;
                ready.then(|| cx.call_again(*args)).flatten()
            }
            Kind::Futex { key, pi, .. } => {
                if cx.k.futexes.is_waiting(*key, task) {
                    return None;
                }
                match pi {
                    Some(addr) => cx.futex_pi_taken(*addr),
                    None => Some(Ok(0)),
                }
            }
            Kind::Futexes(_) => cx.k.futexes.woken_on(task).map(|index| Ok(index as i64)),
            Kind::Child(what) => cx.wait_now(what).transpose(),
            Kind::Poll { addr, fds, files } => cx.poll_now(*addr, fds, files).transpose(),
            Kind::Select(select) => cx.select_now(select).transpose(),
            Kind::Epoll { epoll, addr, max } => cx.epoll_now(&epoll.clone(), *addr, *max).transpose(),
            Kind::SigWait { set, info } => cx.sigwait_now(*set, *info).transpose(),
            Kind::Socket(wait) => again(cx.socket_now(wait)),
            Kind::Lock { inode, range, blocker } => again(cx.lock_after(&inode.clone(), *range, blocker)),
            Kind::Flock { file, exclusive } => again(cx.flock_now(&file.clone(), *exclusive)),
            Kind::Vfork { child, pid } => {
                let waiting = cx.k.try_task(*child).is_some_and(|t| t.vfork_parent == Some(task));
                (!waiting).then_some(Ok(i64::from(*pid)))
            }
            Kind::Fifo { file, cloexec, seen } => again(cx.fifo_now(&file.clone(), *cloexec, *seen)),
            Kind::Aio(wait) => cx.aio_now(wait, false).transpose(),
            Kind::Disk(disk) => cx.disk_now(disk, &mut wait.deadline),
            Kind::Ipc(wait) => cx.ipc_now(wait),
        }
    }

    /// What the call returns when its time is up.
    fn timed_out(&mut self, m: &mut dyn Machine, task: TaskId, wait: &mut Wait) -> Result<i64> {
        match &mut wait.kind {
            Kind::Futex { .. } | Kind::Futexes(_) => Err(Errno::ETIMEDOUT),
            Kind::SigWait { .. } => Err(Errno::EAGAIN),
            Kind::Poll { .. } | Kind::Epoll { .. } | Kind::Sleep { .. } => Ok(0),
            Kind::Select(select) => {
                let mut cx = Cx { k: self, m, task, args: [0; 6] };
                cx.select_nothing(select)
            }
            Kind::Socket(wait) => {
                let mut cx = Cx { k: self, m, task, args: [0; 6] };
                cx.socket_timed_out(wait)
            }
            Kind::Read { file, iov } => {
                let mut cx = Cx { k: self, m, task, args: [0; 6] };
                cx.tty_timed_out(file, iov).unwrap_or(Err(Errno::EAGAIN))
            }
            Kind::Aio(wait) => {
                let mut cx = Cx { k: self, m, task, args: [0; 6] };
                cx.aio_now(wait, true).map(Option::unwrap_or_default)
            }
            Kind::Delayed => {
                let nr = u64::from(self.task(task).call);
                m.restart_call(nr);
                Ok(RESTARTED)
            }
            Kind::Ipc(wait) => Err(wait.timed_out()),
            // SO_RCVTIMEO and SO_SNDTIMEO (socket(7)): what was moved, or EAGAIN.
            Kind::Write { done, .. } if *done > 0 => Ok(*done as i64),
            _ => Err(Errno::EAGAIN),
        }
    }

    /// What a signal makes of the wait; `None` when it goes on.
    fn interrupted(&mut self, m: &mut dyn Machine, task: TaskId, wait: &mut Wait) -> Option<Result<i64>> {
        if wait.interrupt == Interrupt::Never {
            return None;
        }
        let next = self.peek_signal(task)?;
        let caught = self.action_of(task, next.signal);
        if caught.handler <= 1 {
            // Ignored: it is thrown away when it is taken. A stop keeps the wait. Death takes the task anyway.
            return match crate::signal::default_action(next.signal) {
                _ if caught.handler == 1 => None,
                crate::signal::Default_::Ignore | crate::signal::Default_::Continue => None,
                crate::signal::Default_::Stop => {
                    self.stop_now(task, next.signal);
                    None
                }
                _ => {
                    self.notice = true;
                    Some(Err(Errno::EINTR))
                }
            };
        }
        match &mut wait.kind {
            Kind::Write { done, .. } if *done > 0 => return Some(Ok(*done as i64)),
            Kind::Sleep { rem } if *rem != 0 => {
                let left = wait.deadline.map_or(0, |at| at - self.sched.now);
                if crate::calls::time::put_timespec(m, *rem, left).is_err() {
                    return Some(Err(Errno::EFAULT));
                }
            }
            Kind::Select(select) => {
                let mut cx = Cx { k: self, m, task, args: [0; 6] };
                cx.select_time_left(select);
            }
            Kind::Socket(wait) => {
                let mut cx = Cx { k: self, m, task, args: [0; 6] };
                if let Some(result) = cx.socket_partial(wait) {
                    return Some(result);
                }
            }
            _ => {}
        }
        if wait.interrupt == Interrupt::Restart && caught.flags & SA_RESTART != 0 {
            let nr = u64::from(self.task(task).call);
            m.restart_call(nr);
            return Some(Ok(RESTARTED));
        }
        Some(Err(Errno::EINTR))
    }

    /// The next signal that the task would take, without taking it.
    fn peek_signal(&mut self, task: TaskId) -> Option<Info> {
        let t = self.task(task);
        let allowed = !t.mask;
        let mut own = t.pending.clone();
        let proc = self.proc_of(task);
        if (t.pending.set | proc.pending.set) & allowed == 0 {
            return None;
        }
        own.take(allowed).or_else(|| proc.pending.clone().take(allowed))
    }
}

impl Cx<'_> {
    /// Runs the handler of the task's call once more; `None` if it would block again.
    pub fn call_again(&mut self, args: [u64; 6]) -> Option<Result<i64>> {
        let entry = crate::table::entry(u64::from(self.me().call))?;
        self.args = args;
        match (entry.handler)(self) {
            Ok(value) => Some(Ok(value)),
            Err(Stop::Errno(e)) => Some(Err(e)),
            Err(Stop::Block(_) | Stop::Replaced | Stop::Gone) => None,
        }
    }
}

/// A result that is none: the call is made again.
pub const RESTARTED: i64 = i64::MIN;
