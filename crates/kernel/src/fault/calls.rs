//! Faults of calls: calls that set a fault off, are answered otherwise, or take longer; and whose turn ends at a call.
//!
//! A fault that a call sets off strikes before the call is done: the call is made again afterwards, by whoever is left to make it.

use super::Due;
use crate::fs::disk::faults::matches;
use crate::fs::file::{FileKind, FileRef};
use crate::machine::Machine;
use crate::rng::Rng;
use crate::table::{self, Arg};
use crate::task::TaskId;
use crate::uapi::*;
use crate::wait::{Interrupt, Kind, Wait};
use crate::{Answer, Cx, Kernel, Stop};
use alloc::string::ToString;
use alloc::vec::Vec;
use snowglobe_abi::Errno;
use snowglobe_abi::fault::{CallFilter, CallVerb, Fault, Planned, Schedule, When};
use snowglobe_abi::spec::{Chance, Nanos};
use snowglobe_net::Addr;

/// Longest path that is looked at.
const PATH_MAX: usize = 4096;

/// Calls that are watched for a fault.
pub(super) struct Watch {
    index: u32,
    filter: CallFilter,
    what: What,
}

enum What {
    /// The so many-th sets it off: how many are still to come.
    Trigger(u64),
    /// Each is struck by this chance.
    Strike(Chance, CallVerb, Rng),
}

impl Kernel {
    /// Watches for the calls that set faults off.
    pub(super) fn watch_triggers(&mut self) {
        let plan = self.spec.faults.timeline.iter().enumerate();
        let triggers = plan.filter_map(|(index, planned)| match &planned.when {
            When::Call { calls, nth } => {
                Some(Watch { index: index as u32, filter: calls.clone(), what: What::Trigger(*nth) })
            }
            When::At(_) => None,
        });
        self.faults.watches = triggers.collect();
        self.settle_odd();
    }

    /// Whether anything of the plan looks at every call.
    pub(super) fn settle_odd(&mut self) {
        self.faults.odd = !self.faults.watches.is_empty()
            || self.memory.counted
            || self.faults.slow.iter().any(|slow| *slow > 0)
            || self.faults.clocks.iter().any(super::clock::Clock::drifts)
            || self.spec.faults.schedule != Schedule::Usual;
    }

    /// Calls are struck from now on.
    pub(super) fn strike_calls(&mut self, index: u32, planned: &Planned) {
        let Fault::Call { calls, chance, verb } = &planned.fault else { return };
        // Named by what it is: a plan without another fault draws the same for this one.
        let rng = Rng::stream(self.spec.seed, &alloc::format!("call fault {calls:?} {verb:?}"));
        let what = What::Strike(*chance, *verb, rng);
        self.faults.watches.push(Watch { index, filter: calls.clone(), what });
        self.settle_odd();
    }

    /// They are struck no more.
    pub(super) fn relieve_calls(&mut self, index: u32) {
        self.faults.watches.retain(|watch| watch.index != index);
        self.settle_odd();
    }

    /// What the plan has to do with a call that begins: its answer, if that is the plan's.
    #[cold]
    pub(crate) fn odd_call(&mut self, m: &mut dyn Machine, task: TaskId, args: &[u64; 6]) -> Option<Answer> {
        if self.memory.counted && self.mind_memory(m, task) {
            return Some(Err(Errno::EINTR.into()));
        }
        let host = self.proc_of(task).host.0;
        let slow = self.faults.slow.get(host as usize).copied().unwrap_or(0);
        if slow > 0 {
            self.take_longer(task, host, slow);
        }
        self.settle_clock(host);
        self.step_schedule(task);
        if core::mem::take(&mut self.task_mut(task).struck) || self.faults.watches.is_empty() {
            return None;
        }
        let mut watches = core::mem::take(&mut self.faults.watches);
        let mut answer = None;
        for watch in &mut watches {
            let fits = answer.is_none() && self.fits(m, task, args, &watch.filter);
            if fits {
                answer = self.watched(m, task, watch);
            }
        }
        // A trigger goes off once.
        watches.retain(|watch| !matches!(watch.what, What::Trigger(0)));
        // What began meanwhile.
        watches.append(&mut self.faults.watches);
        self.faults.watches = watches;
        answer
    }

    fn take_longer(&mut self, task: TaskId, host: u32, slow: Nanos) {
        self.sched.now += slow;
        self.charge(task, slow);
        self.notice |= self.sched.next_timer <= self.sched.now;
        let hit: Vec<u32> =
            self.faults.slowed_by.iter().filter(|(_, h, _)| *h == host).map(|(index, ..)| *index).collect();
        hit.into_iter().for_each(|index| self.hit(index, 1));
    }

    fn watched(&mut self, m: &mut dyn Machine, task: TaskId, watch: &mut Watch) -> Option<Answer> {
        let index = watch.index;
        match &mut watch.what {
            What::Trigger(left) => {
                *left = left.saturating_sub(1);
                if *left > 0 || self.faults.quiet {
                    return None;
                }
                let planned = self.spec.faults.timeline[index as usize].clone();
                if let Fault::Call { verb, .. } = planned.fault
                    && planned.lasts.is_none()
                {
                    // It is this call alone.
                    self.one_call(index, &planned);
                    return self.struck(task, index, verb);
                }
                self.faults.due.push_back(Due::Begin(index));
                self.make_again(m, task);
                // A fault of calls is about this one, too.
                self.task_mut(task).struck = !matches!(planned.fault, Fault::Call { .. });
                Some(Err(Stop::Replaced))
            }
            What::Strike(chance, verb, rng) => {
                let hits = *chance == Chance::SURE || rng.below(u64::from(Chance::SURE.0)) < u64::from(chance.0);
                let verb = *verb;
                if hits { self.struck(task, index, verb) } else { None }
            }
        }
    }

    /// How a call is answered that was struck.
    fn struck(&mut self, task: TaskId, index: u32, verb: CallVerb) -> Option<Answer> {
        self.hit(index, 1);
        match verb {
            CallVerb::Errno(errno) => Some(Err(Errno(errno).into())),
            CallVerb::Delay(time) => {
                self.task_mut(task).struck = true;
                let until = self.sched.now.saturating_add(time);
                Some(Err(Wait::new(Kind::Delayed).until(Some(until)).on_signal(Interrupt::Never).stop()))
            }
            CallVerb::Kill => {
                let proc = self.task(task).proc;
                self.doom(proc, SIGKILL);
                Some(Err(Errno::EINTR.into()))
            }
        }
    }

    /// The call is made again when its task runs next.
    fn make_again(&mut self, m: &mut dyn Machine, task: TaskId) {
        let nr = u64::from(self.task(task).call);
        m.restart_call(nr);
        self.notice = true;
    }

    /// Whether a call is one that a filter means.
    fn fits(&mut self, m: &mut dyn Machine, task: TaskId, args: &[u64; 6], filter: &CallFilter) -> bool {
        let nr = self.task(task).call;
        if !filter.calls.is_empty() && !filter.calls.contains(&nr) {
            return false;
        }
        let host = self.proc_of(task).host.0;
        if !filter.hosts.is_empty() && !filter.hosts.contains(&host) {
            return false;
        }
        if let Some(program) = &filter.program
            && !matches(program.as_bytes(), self.task(task).comm.as_bytes())
        {
            return false;
        }
        let mut cx = Cx { k: self, m, task, args: *args };
        filter.path.as_ref().is_none_or(|path| cx.names_path(path.as_bytes()))
            && filter.address.as_ref().is_none_or(|address| cx.names_address(address))
    }
}

impl Cx<'_> {
    /// Whether the call names a path that a pattern means, or a descriptor that was opened by one.
    fn names_path(&mut self, pattern: &[u8]) -> bool {
        let Some(entry) = table::entry(u64::from(self.me().call)) else { return false };
        let mut dir = AT_FDCWD;
        for (i, arg) in entry.args.iter().enumerate() {
            let path = match arg {
                Arg::Dirfd => {
                    dir = self.args[i] as i32;
                    continue;
                }
                Arg::Path => crate::mem::c_string(self.m, self.args[i], PATH_MAX, Errno::ENAMETOOLONG)
                    .ok()
                    .map(|path| self.absolute_path(core::mem::replace(&mut dir, AT_FDCWD), path)),
                Arg::Fd => self.file(i).ok().map(|file| self.opened_by(&file)),
                _ => None,
            };
            if path.is_some_and(|path| matches(pattern, &path)) {
                return true;
            }
        }
        false
    }

    fn opened_by(&self, file: &FileRef) -> Vec<u8> {
        self.k.file_path(self.task, file)
    }

    fn absolute_path(&self, dir: i32, path: Vec<u8>) -> Vec<u8> {
        if path.first() == Some(&b'/') {
            return path;
        }
        let mut out = if dir == AT_FDCWD {
            let fs = self.k.proc_of(self.task).fs.borrow().clone();
            fs.cwd.dir_path(&fs.root).unwrap_or_default()
        } else {
            self.file_of(dir).map(|file| self.opened_by(&file)).unwrap_or_default()
        };
        if out.last() != Some(&b'/') {
            out.push(b'/');
        }
        out.extend(path.strip_prefix(b"./").unwrap_or(&path));
        out
    }

    /// Whether the call names an address that is meant, or its socket is connected to one: `IP:PORT`, `IP` or `:PORT`.
    fn names_address(&mut self, wanted: &str) -> bool {
        let Ok(file) = self.file(0) else { return false };
        let FileKind::Socket(id) = file.kind else { return false };
        let Some(entry) = table::entry(u64::from(self.me().call)) else { return false };
        let place = match entry.name {
            "connect" | "bind" => Some((self.args[1], self.args[2])),
            "sendto" if self.args[4] != 0 => Some((self.args[4], self.args[5])),
            _ => None,
        };
        let named = place.and_then(|(at, len)| {
            let mut raw = [0u8; 128];
            let len = (len as usize).min(raw.len());
            self.m.read(at, &mut raw[..len]).ok()?;
            Addr::parse(&raw[..len]).ok()
        });
        let address = named.or_else(|| self.k.sockets.table.getpeername(id).ok());
        let Some(Addr::Ip(end)) = address else { return false };
        match wanted.strip_prefix(':') {
            Some(port) => end.port.to_string() == port,
            None => wanted == end.ip.to_string() || wanted == end.to_string(),
        }
    }
}
