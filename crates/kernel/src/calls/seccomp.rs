//! What a program forbids itself (`seccomp(2)`): the strict mode, and filters in the classic BPF of `bpf(4)`.

use crate::mem;
use crate::signal::Info;
use crate::uapi::*;
use crate::{Answer, Cx, Kernel, Stop, machine::Machine};
use alloc::rc::Rc;
use alloc::vec::Vec;
use snowglobe_abi::errno::{Errno, Result};

/// What a thread has forbidden itself.
#[derive(Clone, Debug)]
pub enum Seccomp {
    /// Reading, writing, returning from handlers and ending: nothing else.
    Strict,
    /// What the newest filter and those before it let through.
    Filters(Rc<Filter>),
}

/// A filter and the one that was there before.
#[derive(Debug)]
pub struct Filter {
    program: Vec<Step>,
    before: Option<Rc<Filter>>,
}

/// `struct sock_filter`.
#[derive(Clone, Copy, Debug)]
struct Step {
    code: u16,
    /// Steps to leave out where a comparison holds, and where not.
    jumps: (u8, u8),
    k: u32,
}

/// `struct seccomp_data` as its 16 words.
type Data = [u32; 16];

const LONGEST: usize = 4096;
const CELLS: u32 = 16;
/// AUDIT_ARCH_X86_64.
const ARCH: u32 = 0xc000_003e;

const KILL_PROCESS: u32 = 0x8000_0000;
const KILL_THREAD: u32 = 0;
const TRAP: u32 = 0x3_0000;
const ERRNO: u32 = 0x5_0000;
const USER_NOTIF: u32 = 0x7fc0_0000;
const TRACE: u32 = 0x7ff0_0000;
const LOG: u32 = 0x7ffc_0000;
const ALLOW: u32 = 0x7fff_0000;

// Instructions: class, then width and mode, operation, or source.
const LD: u16 = 0;
const LDX: u16 = 1;
const ST: u16 = 2;
const STX: u16 = 3;
const ALU: u16 = 4;
const JMP: u16 = 5;
const RET: u16 = 6;
const MISC: u16 = 7;
const ABS: u16 = 0x20;
const MEM: u16 = 0x60;
const LEN: u16 = 0x80;
const X: u16 = 8;

impl Step {
    fn class(self) -> u16 {
        self.code & 7
    }

    /// Whether Linux takes this step in a filter, with `left` steps after it.
    fn is_fit(self, left: usize) -> bool {
        let k = self.k as usize;
        match (self.class(), self.code & !7) {
            (LD, ABS) => self.k < 64 && self.k.is_multiple_of(4),
            (LD | LDX, 0 | LEN) => true,
            (LD | LDX, MEM) | (ST | STX, 0) => self.k < CELLS,
            // Division by a constant zero; shifts that leave nothing.
            (ALU, 0x30) => self.k != 0,
            (ALU, 0x60 | 0x70) => self.k < 32,
            (ALU, 0x00 | 0x10 | 0x20 | 0x40 | 0x50 | 0xa0 | 0x80) => true,
            (ALU, 0x08 | 0x18 | 0x28 | 0x38 | 0x48 | 0x58 | 0x68 | 0x78 | 0xa8) => true,
            (JMP, 0) => k < left,
            (JMP, 0x10 | 0x20 | 0x30 | 0x40 | 0x18 | 0x28 | 0x38 | 0x48) => {
                usize::from(self.jumps.0) < left && usize::from(self.jumps.1) < left
            }
            // Return a constant or the accumulator; move between the two registers.
            (RET, 0 | 0x10) | (MISC, 0 | 0x80) => true,
            _ => false,
        }
    }
}

impl Filter {
    /// A filter from what the program gives, if it is one that ends.
    fn new(raw: &[u8], before: Option<Rc<Filter>>) -> Result<Filter> {
        let step =
            |s: &[u8]| Step { code: u16::from_le_bytes([s[0], s[1]]), jumps: (s[2], s[3]), k: mem::field32(s, 4) };
        let program: Vec<Step> = raw.chunks_exact(8).map(step).collect();
        let fit = program.iter().enumerate().all(|(at, step)| step.is_fit(program.len() - 1 - at));
        let ends = program.last().is_some_and(|step| step.class() == RET);
        if fit && ends { Ok(Filter { program, before }) } else { Err(Errno::EINVAL) }
    }

    /// What the filter says of a call. Jumps go forward only, so it ends.
    fn run(&self, data: &Data) -> u32 {
        let (mut a, mut x, mut cells) = (0u32, 0u32, [0u32; CELLS as usize]);
        let mut at = 0;
        while let Some(step) = self.program.get(at) {
            at += 1;
            let k = step.k;
            let value = if step.code & X != 0 { x } else { k };
            match (step.class(), step.code & !7) {
                (LD, ABS) => a = data[k as usize / 4],
                (LD, LEN) => a = 64,
                (LDX, LEN) => x = 64,
                (LD, MEM) => a = cells[k as usize],
                (LDX, MEM) => x = cells[k as usize],
                (LD, _) => a = k,
                (LDX, _) => x = k,
                (ST, _) => cells[k as usize] = a,
                (STX, _) => cells[k as usize] = x,
                (ALU, op) => match op & 0xf0 {
                    0x00 => a = a.wrapping_add(value),
                    0x10 => a = a.wrapping_sub(value),
                    0x20 => a = a.wrapping_mul(value),
                    0x30 => match a.checked_div(value) {
                        Some(quotient) => a = quotient,
                        // Division by a zero in X ends the filter with 0.
                        None => return KILL_THREAD,
                    },
                    0x40 => a |= value,
                    0x50 => a &= value,
                    0x60 => a = a.wrapping_shl(value),
                    0x70 => a = a.wrapping_shr(value),
                    0xa0 => a ^= value,
                    _ => a = a.wrapping_neg(),
                },
                (JMP, 0) => at += k as usize,
                (JMP, op) => {
                    let holds = match op & 0xf0 {
                        0x10 => a == value,
                        0x20 => a > value,
                        0x30 => a >= value,
                        _ => a & value != 0,
                    };
                    at += usize::from(if holds { step.jumps.0 } else { step.jumps.1 });
                }
                (RET, 0) => return k,
                (RET, _) => return a,
                (_, 0) => x = a,
                _ => a = x,
            }
        }
        KILL_PROCESS
    }

    /// What this filter and those before it say together: the strictest. Of equal ones the newest's data counts.
    fn judge(&self, data: &Data) -> u32 {
        let strictness = |verdict: u32| (verdict & 0xffff_0000) as i32;
        let mut verdict = self.run(data);
        let mut next = self.before.as_ref();
        while let Some(filter) = next {
            let other = filter.run(data);
            if strictness(other) < strictness(verdict) {
                verdict = other;
            }
            next = filter.before.as_ref();
        }
        verdict
    }

    /// Steps of this filter and those before it, each with the four that Linux counts for its upkeep.
    fn steps(&self) -> usize {
        self.program.len() + 4 + self.before.as_ref().map_or(0, |f| f.steps())
    }

    /// How many filters there are.
    pub fn count(&self) -> usize {
        1 + self.before.as_ref().map_or(0, |f| f.count())
    }
}

impl Drop for Filter {
    /// One at a time: a long chain must not be as many calls deep.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut filter) = next.and_then(Rc::into_inner) {
            next = filter.before.take();
        }
    }
}

impl Seccomp {
    /// What PR_GET_SECCOMP says.
    pub fn mode(&self) -> u32 {
        match self {
            Seccomp::Strict => 1,
            Seccomp::Filters(_) => 2,
        }
    }
}

impl Kernel {
    /// What becomes of a call that its thread may have forbidden itself: `None` where it is let through.
    pub fn forbidden(&mut self, m: &mut dyn Machine, nr: u64, args: &[u64; 6]) -> Option<Answer> {
        let task = self.current;
        let filters = match self.task(task).seccomp.as_ref()? {
            Seccomp::Strict => {
                // read, write, rt_sigreturn, exit.
                if !matches!(nr, 0 | 1 | 15 | 60) {
                    return Some(self.end_thread(m, SIGKILL));
                }
                return None;
            }
            Seccomp::Filters(filters) => filters.clone(),
        };
        let site = m.call_site() + 2;
        let mut data: Data = [0; 16];
        (data[0], data[1], data[2], data[3]) = (nr as u32, ARCH, site as u32, (site >> 32) as u32);
        for (i, arg) in args.iter().enumerate() {
            (data[4 + 2 * i], data[5 + 2 * i]) = (*arg as u32, (*arg >> 32) as u32);
        }
        let verdict = filters.judge(&data);
        let value = verdict & 0xffff;
        let result = match verdict & 0xffff_0000 {
            ALLOW | LOG => return None,
            ERRNO => Errno(value.min(4095) as u16).to_ret(),
            // Nobody traces, and nobody listens.
            TRACE | USER_NOTIF => Errno::ENOSYS.to_ret(),
            TRAP => {
                const SYS_SECCOMP: i32 = 1;
                let call = nr & 0xffff_ffff | u64::from(ARCH) << 32;
                let info = Info { signal: SIGSYS, code: SYS_SECCOMP, errno: value as i32, fields: [site, call, 0] };
                self.force_signal(task, info);
                // The handler finds the call's number where it was.
                nr as i64
            }
            KILL_THREAD => return Some(self.end_thread(m, SIGSYS)),
            _ => {
                let proc = self.task(task).proc;
                self.doom(proc, SIGSYS);
                0
            }
        };
        Some(Ok(result))
    }

    /// Ends the current thread as if by a signal; the last one of its process ends that by the signal.
    fn end_thread(&mut self, m: &mut dyn Machine, signal: u32) -> Answer {
        let task = self.current;
        self.end_task(m, task, signal);
        Err(Stop::Gone)
    }
}

impl Cx<'_> {
    /// The strict mode.
    pub fn seccomp_strict(&mut self) -> Answer {
        match self.me().seccomp {
            Some(Seccomp::Filters(_)) => Err(Errno::EINVAL.into()),
            _ => {
                self.me_mut().seccomp = Some(Seccomp::Strict);
                Ok(0)
            }
        }
    }

    /// One filter more.
    pub fn seccomp_filter(&mut self, flags: u32, program: u64) -> Answer {
        const TSYNC: u32 = 1;
        let raw: [u8; 16] = mem::array(self.m, program)?;
        let len = usize::from(u16::from_le_bytes([raw[0], raw[1]]));
        if len == 0 || len > LONGEST {
            return Err(Errno::EINVAL.into());
        }
        if !self.proc().no_new_privs && !self.proc().cred.capable(CAP_SYS_ADMIN) {
            return Err(Errno::EACCES.into());
        }
        let steps = mem::bytes(self.m, mem::field64(&raw, 8), len * 8)?;
        let before = match &self.me().seccomp {
            None => None,
            Some(Seccomp::Filters(filters)) => Some(filters.clone()),
            Some(Seccomp::Strict) => return Err(Errno::EINVAL.into()),
        };
        let filter = Rc::new(Filter::new(&steps, before.clone())?);
        if filter.steps() > 8 * LONGEST {
            return Err(Errno::ENOMEM.into());
        }
        if flags & TSYNC != 0 {
            if let Some(other) = self.out_of_step(before.as_ref()) {
                return Ok(other);
            }
            for thread in self.proc().threads.clone() {
                self.k.task_mut(thread).seccomp = Some(Seccomp::Filters(filter.clone()));
            }
        }
        self.me_mut().seccomp = Some(Seccomp::Filters(filter));
        Ok(0)
    }

    /// A thread whose filters are not those that the caller has, or had: SECCOMP_FILTER_FLAG_TSYNC fails with its id.
    fn out_of_step(&self, mine: Option<&Rc<Filter>>) -> Option<i64> {
        let is_before = |theirs: &Rc<Filter>| {
            core::iter::successors(mine, |f| f.before.as_ref()).any(|filter| Rc::ptr_eq(filter, theirs))
        };
        let fits = |thread: &crate::task::TaskId| match &self.k.task(*thread).seccomp {
            None => true,
            Some(Seccomp::Filters(theirs)) => is_before(theirs),
            Some(Seccomp::Strict) => false,
        };
        let other = self.proc().threads.iter().find(|thread| !fits(thread))?;
        Some(i64::from(self.k.task(*other).tid))
    }
}

pub fn seccomp(cx: &mut Cx) -> Answer {
    const NEW_LISTENER: u32 = 8;
    const KNOWN_FLAGS: u32 = 0x3f;
    let (flags, arg) = (cx.uint(1), cx.args[2]);
    match cx.uint(0) {
        0 if flags == 0 && arg == 0 => cx.seccomp_strict(),
        1 if flags & !KNOWN_FLAGS == 0 && flags & NEW_LISTENER == 0 => cx.seccomp_filter(flags, arg),
        // SECCOMP_GET_ACTION_AVAIL
        2 if flags == 0 => {
            const KNOWN: [u32; 7] = [KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, TRACE, LOG, ALLOW];
            let action = mem::u32(cx.m, arg)?;
            if KNOWN.contains(&action) { Ok(0) } else { Err(Errno::EOPNOTSUPP.into()) }
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
