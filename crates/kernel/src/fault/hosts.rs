//! Faults of hosts: processes are killed or asked to stop, power is lost, everything stands still.

use super::Due;
use crate::Kernel;
use crate::ipc::Ipc;
use crate::machine::Machine;
use crate::signal::Info;
use crate::task::{HostId, ProcId, TaskId};
use crate::uapi::*;
use alloc::vec::Vec;
use snowglobe_abi::fault::{Fault, HostVerb, Planned};

/// A host that is short of memory by a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    pub(crate) index: u32,
    pub(crate) host: u32,
    pub(crate) limit: u64,
    pub(crate) strict: bool,
}

impl Kernel {
    pub(super) fn strike_hosts(
        &mut self,
        index: u32,
        hosts: &[u32],
        verb: HostVerb,
        planned: &Planned,
        m: &mut dyn Machine,
    ) {
        match verb {
            HostVerb::Kill { restart } => {
                let holds = restart.is_some() || planned.lasts.is_some();
                for &host in hosts {
                    if holds {
                        self.hold_host(index, host, true);
                    }
                    let killed = self.kill_all(HostId(host));
                    self.hit(index, killed);
                }
                self.return_after(index, hosts, planned, restart);
            }
            HostVerb::Stop { restart } => {
                let returns = self.comes_back(planned);
                for &host in hosts {
                    self.hold_host(index, host, returns);
                    self.ask_to_stop(index, host);
                }
                self.return_after(index, hosts, planned, restart);
            }
            HostVerb::PowerLoss { restart } => {
                let returns = self.comes_back(planned);
                let now = self.sched.now;
                // Nobody is to be told: first nothing gets out any more.
                self.sockets.table.begin_fault(index, &planned.fault, now);
                for &host in hosts {
                    self.hold_host(index, host, returns);
                    let gone = self.vanish(HostId(host), m);
                    self.hit(index, gone);
                }
                self.network_settle();
                // Without a time for the power, it is back when the service is to start.
                if let (None, Some(restart)) = (planned.lasts, restart) {
                    self.arm_fault(now.saturating_add(restart), Due::End(index));
                }
            }
            HostVerb::Pause => {
                for &host in hosts {
                    let threads = u64::from(self.host(HostId(host)).tasks);
                    self.hit(index, threads);
                    self.set_paused(host, true);
                }
                self.sockets.table.begin_fault(index, &planned.fault, self.sched.now);
                self.network_settle();
            }
            HostVerb::Slow(by) => {
                self.faults.slowed_by.extend(hosts.iter().map(|&host| (index, host, by)));
                self.settle_slow();
            }
            HostVerb::Descriptors(most) => {
                self.faults.descriptors.extend(hosts.iter().map(|&host| (index, host, most)))
            }
            HostVerb::Memory { limit, strict } => {
                let short = |&host: &u32| Short { index, host, limit, strict };
                self.faults.short_of_memory.extend(hosts.iter().map(short));
                self.settle_memory();
            }
        }
    }

    /// How much longer calls of each host take follows from all faults that go on.
    fn settle_slow(&mut self) {
        let sum = |host: usize| {
            let about = self.faults.slowed_by.iter().filter(|(_, struck, _)| *struck as usize == host);
            about.fold(0u64, |sum, (_, _, by)| sum.saturating_add(*by))
        };
        self.faults.slow = (0..self.hosts.len()).map(sum).collect();
        self.settle_odd();
    }

    /// Descriptors that a process of a host may have: `limit` (RLIMIT_NOFILE), or fewer by a fault.
    pub fn descriptor_limit(&self, host: HostId, limit: u64) -> u64 {
        let about = self.faults.descriptors.iter().filter(|(_, struck, _)| *struck == host.0);
        about.fold(limit, |least, (_, _, most)| least.min(u64::from(*most)))
    }

    /// A call found no free descriptor: the faults that bound them have hit something.
    pub fn out_of_descriptors(&mut self, host: HostId) {
        let about = self.faults.descriptors.iter().filter(|(_, struck, _)| *struck == host.0);
        let faults: Vec<u32> = about.map(|(index, ..)| *index).collect();
        faults.into_iter().for_each(|index| self.hit(index, 1));
    }

    pub(super) fn relieve_hosts(&mut self, index: u32, hosts: &[u32], verb: HostVerb) {
        let now = self.sched.now;
        match verb {
            // Their services return by timers of their own.
            HostVerb::Kill { .. } | HostVerb::Stop { .. } => {}
            HostVerb::PowerLoss { restart } => {
                self.sockets.table.end_fault(index, now);
                self.network_settle();
                let lasts = self.spec.faults.timeline[index as usize].lasts;
                // A fault that did not last has already waited for the restart.
                let wait = if lasts.is_some() { restart.unwrap_or(0) } else { 0 };
                for &host in hosts {
                    self.arm_fault(now.saturating_add(wait), Due::Return(index, host));
                }
            }
            HostVerb::Pause => {
                hosts.iter().for_each(|&host| self.set_paused(host, false));
                self.sockets.table.end_fault(index, now);
                self.network_settle();
            }
            HostVerb::Slow(_) => {
                self.faults.slowed_by.retain(|(struck, ..)| *struck != index);
                self.settle_slow();
            }
            HostVerb::Descriptors(_) => self.faults.descriptors.retain(|(struck, ..)| *struck != index),
            HostVerb::Memory { .. } => {
                self.faults.short_of_memory.retain(|short| short.index != index);
                self.settle_memory();
                for &host in hosts {
                    self.arm_fault(now, Due::Return(index, host));
                }
            }
        }
    }

    /// Lets the services of hosts return: so long after the fault's end.
    fn return_after(&mut self, index: u32, hosts: &[u32], planned: &Planned, restart: Option<u64>) {
        if restart.is_none() && planned.lasts.is_none() {
            return;
        }
        let wait = planned.lasts.unwrap_or(0).saturating_add(restart.unwrap_or(0));
        let at = self.sched.now.saturating_add(wait);
        for &host in hosts {
            self.arm_fault(at, Due::Return(index, host));
        }
    }

    fn hold_host(&mut self, index: u32, host: u32, returns: bool) {
        if self.faults.held.insert((host, index)) {
            self.services.hold(host, returns);
        }
    }

    /// A fault has ended a service that nothing else starts again: it stays down until the fault ends, if it does.
    pub(crate) fn hold_until_end(&mut self, index: u32, host: u32) {
        let ends = self.comes_back(&self.spec.faults.timeline[index as usize]);
        if ends {
            self.hold_host(index, host, true);
        }
    }

    /// A fault keeps a service down no longer.
    pub(super) fn return_host(&mut self, index: u32, host: u32) {
        if !self.faults.held.remove(&(host, index)) {
            return;
        }
        if !self.faults.held.iter().any(|(_, fault)| *fault == index) {
            self.end_fault(index);
        }
        let planned = &self.spec.faults.timeline[index as usize];
        let returns =
            matches!(planned.fault, Fault::Host { verb: HostVerb::Kill { .. }, .. }) || self.comes_back(planned);
        let now = self.sched.now;
        self.services.release(host, now, returns);
        self.arm_services();
    }

    /// SIGKILL to all processes of a host: how many.
    fn kill_all(&mut self, host: HostId) -> u64 {
        let all: Vec<ProcId> = self.host(host).pids.values().copied().collect();
        let mut killed = 0;
        for id in all {
            if self.proc(id).status.is_none() && !self.is_own_init(id) {
                self.doom(id, SIGKILL);
                killed += 1;
            }
        }
        killed
    }

    /// The service's stop signal, and SIGKILL to what is left after its grace.
    fn ask_to_stop(&mut self, index: u32, host: u32) {
        let Some(spec) = &self.spec.hosts[host as usize].service else { return };
        let (signal, grace) = (u32::from(spec.stop_signal), spec.stop_grace);
        let Some(main) = self.services.service(host).main else { return };
        self.hit(index, 1);
        // Who cannot take it is killed after its grace.
        let _ = self.signal_process(main, Info::user(signal, SI_USER, 0, 0));
        self.arm_fault(self.sched.now.saturating_add(grace), Due::Grace(index, host));
    }

    pub(super) fn grace_is_over(&mut self, index: u32, host: u32) {
        let stays_down = self.faults.held.contains(&(host, index));
        if stays_down && self.services.service(host).main.is_some() {
            self.kill_all(HostId(host));
        }
    }

    /// A host's threads run no more, or run again.
    fn set_paused(&mut self, host: u32, on: bool) {
        let pauses = &mut self.faults.paused[host as usize];
        let was = *pauses > 0;
        *pauses = if on { *pauses + 1 } else { pauses.saturating_sub(1) };
        let is = *pauses > 0;
        if was == is {
            return;
        }
        for task in self.host(HostId(host)).tids.values().copied().collect::<Vec<_>>() {
            self.sched.set_frozen(task, is);
        }
        self.sched.settle_frozen();
    }

    /// Everything of a host is gone but its disk: processes without a word, sockets, timers, System V objects, what was in
    /// memory. Returns how many processes that were.
    fn vanish(&mut self, host: HostId, m: &mut dyn Machine) -> u64 {
        let now = self.sched.now;
        let procs: Vec<ProcId> = self.host(host).pids.values().copied().collect();
        let running: Vec<ProcId> = procs.iter().copied().filter(|id| self.proc(*id).status.is_none()).collect();
        if let Some(main) = self.services.service(host.0).main {
            if let Some(line) = self.proc(main).report_index {
                self.report.processes[line].status = Some(SIGKILL);
            }
            let name = self.spec.hosts[host.0 as usize].name.clone();
            self.record.host(now, host.0, false, &name);
        }
        for task in self.host(host).tids.values().copied().collect::<Vec<_>>() {
            self.vanish_task(host, task, m);
        }
        for &id in &running {
            let space = self.proc(id).space;
            self.proc_mut(id).status = Some(SIGKILL);
            self.leave_process_space(m, space);
            self.stop_timers(id);
        }
        for &id in &procs {
            self.close_all(id);
        }
        self.bury(m);
        self.sockets.table.vanish(host.0, now);
        self.network_settle();
        self.bury(m);
        procs.iter().for_each(|id| self.procs[id.0 as usize] = None);
        self.ipc[host.0 as usize] = Ipc::default();
        let h = self.host_mut(host);
        h.pids.clear();
        (h.init, h.next_pid) = (None, 1);
        self.services.power_lost(host.0, now, SIGKILL);
        self.crash_disks(host, m);
        running.len() as u64
    }

    fn vanish_task(&mut self, host: HostId, task: TaskId, m: &mut dyn Machine) {
        if let Some(wait) = self.task_mut(task).wait.take() {
            self.end_wait(task, &wait);
        }
        self.sched.remove(task);
        self.record.exit(self.sched.now, task, SIGKILL);
        m.drop_context(task.0);
        let tid = self.task(task).tid;
        self.forget_task(task, host, tid);
    }
}
