//! Signals as data: actions, queues, masks, `siginfo_t`.

use crate::uapi::*;
use alloc::collections::VecDeque;

/// A set with every signal but SIGKILL and SIGSTOP: those cannot be blocked.
pub const BLOCKABLE: u64 = !(bit(SIGKILL) | bit(SIGSTOP));

/// The mask bit of a signal.
pub const fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// One `struct sigaction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// SIG_DFL (0), SIG_IGN (1) or an address.
    pub handler: u64,
    /// SA_ flags.
    pub flags: u64,
    /// Where the handler returns to.
    pub restorer: u64,
    /// Blocked while it runs.
    pub mask: u64,
}

/// All actions of a process, by signal - 1.
#[derive(Clone, Debug)]
pub struct Actions(pub [Action; 64]);

impl Default for Actions {
    fn default() -> Self {
        Actions([Action::default(); 64])
    }
}

impl Actions {
    /// No handlers any more; what is ignored stays so.
    pub fn forget_handlers(&mut self) {
        for action in &mut self.0 {
            *action = Action { handler: u64::from(action.handler == 1), ..Action::default() };
        }
    }

    /// Ignores every signal that can be ignored.
    pub fn ignore_all(&mut self) {
        for signal in (1..=SIGMAX).filter(|s| BLOCKABLE & bit(*s) != 0) {
            self.0[signal as usize - 1].handler = 1;
        }
    }
}

/// What happens when nobody catches a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default_ {
    /// The process ends.
    Terminate,
    /// The process ends and would dump core.
    Core,
    /// Nothing.
    Ignore,
    /// The process stops.
    Stop,
    /// The process goes on if it was stopped.
    Continue,
}

/// The default action (`signal(7)`).
pub fn default_action(signal: u32) -> Default_ {
    match signal {
        SIGQUIT | SIGILL | SIGTRAP | SIGABRT | SIGBUS | SIGFPE | SIGSEGV | SIGXCPU | SIGXFSZ | SIGSYS => Default_::Core,
        SIGCHLD | SIGURG | SIGWINCH => Default_::Ignore,
        SIGSTOP | SIGTSTP | SIGTTIN | SIGTTOU => Default_::Stop,
        SIGCONT => Default_::Continue,
        _ => Default_::Terminate,
    }
}

/// A sent signal with its `siginfo_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The signal.
    pub signal: u32,
    /// `si_code`.
    pub code: i32,
    /// `si_errno`.
    pub errno: i32,
    /// What follows from byte 16 on: pid and uid, timer id and overrun, or an address; then the value.
    pub fields: [u64; 3],
}

impl Info {
    /// A signal sent by `kill` and its kin.
    pub fn user(signal: u32, code: i32, pid: u32, uid: u32) -> Info {
        Info { signal, code, errno: 0, fields: [u64::from(pid) | u64::from(uid) << 32, 0, 0] }
    }

    /// A signal that the kernel sends of itself.
    pub fn kernel(signal: u32) -> Info {
        Info { signal, code: SI_KERNEL, errno: 0, fields: [0; 3] }
    }

    /// A signal with an address (`SIGSEGV` and its kin).
    pub fn fault(signal: u32, code: i32, addr: u64) -> Info {
        Info { signal, code, errno: 0, fields: [addr, 0, 0] }
    }

    /// A signal that tells of a descriptor's readiness (fcntl(2), F_SETSIG).
    pub fn band(signal: u32, bits: u32, fd: i32) -> Info {
        // POLL_IN, POLL_OUT, POLL_ERR, POLL_PRI, POLL_HUP.
        let codes = [(POLLIN, 1), (POLLPRI, 5), (POLLERR, 4), (POLLHUP, 6)];
        let code = codes.iter().find(|(bit, _)| bits & bit != 0).map_or(2, |(_, code)| *code);
        Info { signal, code, errno: 0, fields: [u64::from(bits), u64::from(fd as u32), 0] }
    }

    /// A signal that tells of a change in a directory (fcntl(2), F_NOTIFY).
    pub fn changed(signal: u32, fd: i32) -> Info {
        const POLL_MSG: i32 = 3;
        let bits = POLLIN | POLLRDNORM | POLLMSG;
        Info { signal, code: POLL_MSG, errno: 0, fields: [u64::from(bits), u64::from(fd as u32), 0] }
    }

    /// The 128 bytes of `siginfo_t`.
    pub fn bytes(&self) -> [u8; 128] {
        let mut out = [0; 128];
        out[0..4].copy_from_slice(&self.signal.to_le_bytes());
        out[4..8].copy_from_slice(&self.errno.to_le_bytes());
        out[8..12].copy_from_slice(&self.code.to_le_bytes());
        for (i, field) in self.fields.iter().enumerate() {
            out[16 + i * 8..24 + i * 8].copy_from_slice(&field.to_le_bytes());
        }
        out
    }

    /// From the bytes that `rt_sigqueueinfo` is given.
    pub fn from_bytes(raw: &[u8; 128], signal: u32) -> Info {
        Info {
            signal,
            errno: crate::mem::field32(raw, 4) as i32,
            code: crate::mem::field32(raw, 8) as i32,
            fields: core::array::from_fn(|i| crate::mem::field64(raw, 16 + i * 8)),
        }
    }
}

/// Signals sent and not yet taken.
#[derive(Clone, Debug, Default)]
pub struct SignalQueue {
    queue: VecDeque<Info>,
    /// The signals in the queue, as a mask.
    pub set: u64,
}

impl SignalQueue {
    /// Adds a signal. A standard signal that is pending already is not queued again.
    pub fn push(&mut self, info: Info) {
        if info.signal < SIGRTMIN && self.set & bit(info.signal) != 0 {
            return;
        }
        self.set |= bit(info.signal);
        self.queue.push_back(info);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether the signal of a `timer_create` timer is there.
    pub fn has_timer(&self, signal: u32, id: u32) -> bool {
        let of_timer = |i: &Info| i.code == SI_TIMER && i.signal == signal && i.fields[0] as u32 == id;
        self.set & bit(signal) != 0 && self.queue.iter().any(of_timer)
    }

    /// Takes the next signal of a set: synchronous ones first, then by number, the oldest of each number first.
    pub fn take(&mut self, allowed: u64) -> Option<Info> {
        let set = self.set & allowed;
        if set == 0 {
            return None;
        }
        let sync = set & (bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGFPE) | bit(SIGSYS));
        let signal = if sync != 0 { sync } else { set }.trailing_zeros() + 1;
        let at = self.queue.iter().position(|i| i.signal == signal)?;
        let info = self.queue.remove(at);
        if !self.queue.iter().any(|i| i.signal == signal) {
            self.set &= !bit(signal);
        }
        info
    }

    /// Throws away the signals of a set.
    pub fn discard(&mut self, set: u64) {
        if self.set & set != 0 {
            self.queue.retain(|i| bit(i.signal) & set == 0);
            self.set &= !set;
        }
    }
}

/// `sigaltstack(2)`.
#[derive(Clone, Copy, Debug)]
pub struct AltStack {
    /// Lowest address.
    pub base: u64,
    /// SS_ flags.
    pub flags: u32,
    /// Bytes.
    pub size: u64,
}

impl Default for AltStack {
    fn default() -> Self {
        AltStack { base: 0, flags: SS_DISABLE, size: 0 }
    }
}

impl AltStack {
    /// Whether a stack pointer is on it.
    pub fn holds(&self, sp: u64) -> bool {
        self.flags & SS_DISABLE == 0 && sp > self.base && sp - self.base <= self.size
    }
}
