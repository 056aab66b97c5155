//! What is said of a world's health at its end: crashes, threads that wait for each other, processes that grow.
//!
//! Nothing here changes what a guest sees. Growth is looked at when a task is picked anyway, so no timer is added for it.

use crate::Kernel;
use crate::fs::file::FileKind;
use crate::futex::FutexKey;
use crate::signal::{Default_, default_action};
use crate::task::{ProcId, Process, State, TaskId};
use crate::uapi::{SIGINT, SIGTERM};
use crate::wait::Kind;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use snowglobe_abi::spec::{Crash, Growth, Nanos, Stuck};

/// The first length of a window of growth.
const WINDOW: Nanos = 250_000_000;
/// Looks in one window.
const LOOKS: Nanos = 4;
/// Windows that are kept; when there are more, two become one.
const WINDOWS: u64 = 32;
/// Most crashes, and most processes of which growth is told.
const MOST: usize = 256;

/// How processes grow.
pub struct Health {
    /// When to look again.
    pub next: Nanos,
    window: Nanos,
    lives: BTreeMap<ProcId, Life>,
}

/// The least of descriptors and memory in each window, from the first in which the process was seen.
struct Life {
    first: u64,
    least: Vec<(u64, u64)>,
}

impl Default for Health {
    fn default() -> Health {
        Health { next: WINDOW, window: WINDOW, lives: BTreeMap::new() }
    }
}

impl Life {
    fn note(&mut self, window: u64, descriptors: u64, memory: u64) {
        let at = window.saturating_sub(self.first) as usize;
        // In a window without a look it had what it had before.
        while let Some(last) = self.least.last().copied().filter(|_| self.least.len() < at) {
            self.least.push(last);
        }
        match self.least.get_mut(at) {
            Some(least) => *least = (least.0.min(descriptors), least.1.min(memory)),
            None => self.least.push((descriptors, memory)),
        }
    }

    fn halve(&mut self) {
        let mut halved: Vec<(u64, u64)> = Vec::with_capacity(self.least.len() / 2 + 1);
        for (at, (descriptors, memory)) in self.least.iter().enumerate() {
            let window = ((self.first + at as u64) / 2 - self.first / 2) as usize;
            match halved.get_mut(window) {
                Some(least) => *least = (least.0.min(*descriptors), least.1.min(*memory)),
                None => halved.push((*descriptors, *memory)),
            }
        }
        self.first /= 2;
        self.least = halved;
    }
}

impl Kernel {
    /// Looks at what processes have.
    pub fn look_at_health(&mut self) {
        let now = self.sched.now;
        while now / self.health.window >= WINDOWS {
            self.health.window *= 2;
            self.health.lives.values_mut().for_each(Life::halve);
        }
        let window = now / self.health.window;
        self.health.next = now + self.health.window / LOOKS;
        let mut lives = core::mem::take(&mut self.health.lives);
        lives.retain(|id, _| self.procs[id.0 as usize].as_ref().is_some_and(|p| p.status.is_none()));
        for proc in self.procs.iter().flatten().filter(|p| p.status.is_none() && p.execed) {
            let Some(space) = &self.spaces[proc.space.0 as usize] else { continue };
            if lives.len() >= MOST && !lives.contains_key(&proc.id) {
                continue;
            }
            let life = lives.entry(proc.id).or_insert_with(|| Life { first: window, least: Vec::new() });
            life.note(window, proc.fds.borrow().open() as u64, space.space.resident);
        }
        self.health.lives = lives;
    }

    /// Notes the end of a process, if it is a crash.
    pub fn note_crash(&mut self, id: ProcId, status: u32) {
        let signal = status & 0x7f;
        let dumps = signal != 0 && matches!(default_action(signal), Default_::Core);
        if dumps && self.report.crashes.len() < MOST {
            let proc = self.proc(id);
            let (host, pid, name) = (proc.host.0, proc.pid, program(proc));
            self.report.crashes.push(Crash { host, name, pid, signal, at: self.sched.now });
        }
    }

    /// Puts all of it into the report.
    pub fn report_health(&mut self) {
        for host in 0..self.hosts.len() as u32 {
            let stuck = self.stuck(host);
            self.report.stuck.extend(stuck);
        }
        let window = self.health.window;
        for (id, life) in &self.health.lives {
            let Some(proc) = self.procs[id.0 as usize].as_ref().filter(|p| p.status.is_none()) else { continue };
            // The last window has not ended.
            let whole = &life.least[..life.least.len().saturating_sub(1)];
            self.report.growth.push(Growth {
                host: proc.host.0,
                name: program(proc),
                pid: proc.pid,
                window,
                descriptors: whole.iter().map(|least| least.0).collect(),
                memory: whole.iter().map(|least| least.1).collect(),
            });
        }
    }

    /// Threads of a host that wait for each other for ever: all of the host, or all of some of its processes.
    fn stuck(&self, host: u32) -> Vec<Stuck> {
        let live: Vec<&Process> =
            self.procs.iter().flatten().filter(|p| p.host.0 == host && p.status.is_none()).map(|p| &**p).collect();
        let mut out = Vec::new();
        let (mut all, mut everyone) = (Vec::new(), true);
        for proc in &live {
            let waits: Option<Vec<_>> = proc.threads.iter().map(|task| self.inner_wait(proc, *task)).collect();
            let Some(waits) = waits.filter(|waits| !waits.is_empty()) else {
                everyone = false;
                continue;
            };
            let alone = waits.iter().all(|(_, private)| *private);
            let threads = waits.into_iter().zip(&proc.threads).map(|((what, _), task)| {
                let task = self.task(*task);
                (proc.pid, task.tid, task.comm.clone(), what)
            });
            let threads: Vec<_> = threads.collect();
            // A program of one thread that takes care of being ended may mean to wait for that.
            let handled = [SIGTERM, SIGINT].iter().any(|s| proc.actions.borrow().0[*s as usize - 1].handler > 1);
            if alone && (threads.len() > 1 || !handled) {
                out.push(Stuck { host, threads: threads.clone() });
            }
            all.extend(threads);
        }
        if out.is_empty() && everyone && live.len() > 1 {
            out.push(Stuck { host, threads: all });
        }
        out
    }

    /// For what a thread waits that only threads of its own host can give it, and whether only those of its own process can; nothing
    /// when something else may end the wait.
    fn inner_wait(&self, proc: &Process, id: TaskId) -> Option<(String, bool)> {
        let task = self.try_task(id)?;
        let wait = task.wait.as_ref().filter(|wait| wait.deadline.is_none())?;
        let timers = proc.itimers.iter().any(Option::is_some) || proc.posix_timers.values().any(|t| t.key.is_some());
        if timers || proc.stopped || !matches!(task.state, State::Blocked) {
            return None;
        }
        let inner = |what: &str| Some((what.to_string(), false));
        match &wait.kind {
            Kind::Futex { key, .. } if self.futexes.is_waiting(*key, id) => match key {
                FutexKey::Private(_, addr) => {
                    let joined = proc.threads.iter().find(|other| self.task(**other).clear_child_tid == *addr);
                    let what = joined.map_or_else(
                        || format!("futex at {addr:#x}"),
                        |other| format!("join of thread {}", self.task(*other).tid),
                    );
                    Some((what, true))
                }
                FutexKey::Shared(..) => inner("shared futex"),
            },
            Kind::Child(_) => inner("child"),
            Kind::Vfork { .. } => inner("vfork"),
            Kind::Lock { .. } => inner("record lock"),
            Kind::Flock { .. } => inner("flock"),
            Kind::Fifo { .. } => inner("open of a named pipe"),
            Kind::Ipc(_) => inner("queue or semaphore"),
            Kind::Read { file, .. } if matches!(file.kind, FileKind::Pipe(_)) => inner("read of a pipe"),
            Kind::Write { file, .. } if matches!(file.kind, FileKind::Pipe(_)) => inner("write to a pipe"),
            _ => None,
        }
    }
}

fn program(proc: &Process) -> String {
    proc.exe.rsplit('/').next().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_keeps_the_least_of_each_window_and_halves_them() {
        let mut life = Life { first: 3, least: Vec::new() };
        for (window, descriptors) in [(3, 9), (3, 5), (4, 6), (7, 8), (7, 9)] {
            life.note(window, descriptors, descriptors * 10);
        }
        let descriptors = |life: &Life| life.least.iter().map(|l| l.0).collect::<Vec<_>>();
        assert_eq!(descriptors(&life), [5, 6, 6, 6, 8]);
        life.halve();
        assert_eq!((life.first, descriptors(&life)), (1, alloc::vec![5, 6, 6]));
    }
}
