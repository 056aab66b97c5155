//! When services start, are asked for their health, are started again, and are done: decisions alone.
//!
//! Who carries them out tells what happened, and is told what to do next. [`service`](crate::service) does it in the
//! layer; the traditional layout does it with processes of the operating system.

use alloc::vec::Vec;
use snowglobe_abi::spec::{Condition, Dependency, Healthcheck, HostSpec, Nanos, Restart, ServiceSpec, WorldSpec};

/// What a service's timer is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Timer {
    /// Start it, if its dependencies allow.
    Start,
    /// Ask for its health, if it is still the so many-th that was started.
    Check(u64),
    /// The health check with this number has taken too long.
    CheckTimeout(u64),
}

/// How healthy a service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// Not known yet.
    Starting,
    /// The last check passed.
    Healthy,
    /// Too many checks in a row failed.
    Unhealthy,
}

/// The state of a host's service; `P` names a process.
#[derive(Clone, Debug)]
pub struct Service<P> {
    /// Its main process while it runs.
    pub main: Option<P>,
    /// Whether it was ever started.
    pub started: bool,
    /// Whether it will not be started again.
    pub finished: bool,
    /// Its last wait status.
    pub status: Option<u32>,
    /// See [`Health`].
    pub health: Health,
    /// Failures in a row.
    failures: u32,
    /// Restarts so far.
    restarts: u32,
    /// Wait before the next restart.
    backoff: Nanos,
    /// The running health check.
    check: Option<P>,
    /// Health checks so far.
    checks: u64,
    /// How often it was started.
    starts: u64,
    began: Nanos,
    /// Faults that keep it down, and how many of them let it come back.
    held: u32,
    returning: u32,
    /// Whether it is to be started again at once when it has ended.
    revive: bool,
}

impl<P> Service<P> {
    /// Time from now to the next health check.
    fn until_check(&self, check: &Healthcheck, now: Nanos) -> Nanos {
        match self.health == Health::Starting && now < self.began + check.start_period {
            true => check.start_interval,
            false => check.interval,
        }
    }
}

/// Wait before the first restart; it doubles with each.
const FIRST_BACKOFF: Nanos = 100_000_000;
/// Longest wait between two restarts.
const MAX_BACKOFF: Nanos = 60_000_000_000;

/// What to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order<P> {
    /// Start the service's command, then say [`Policy::started`] or [`Policy::not_started`].
    Start,
    /// Start the health check's command, then say [`Policy::check_started`] or [`Policy::check_ended`].
    Check,
    /// Kill the health check.
    Kill(P),
}

/// Which process of a service has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Its main process.
    Main,
    /// Its health check.
    Check,
    /// Another.
    Other,
}

/// All services of a world, by host.
#[derive(Clone, Debug, Default)]
pub struct Policy<P> {
    services: Vec<Service<P>>,
    /// Timers that are to be set: when, on which host, for what.
    due: Vec<(Nanos, u32, Timer)>,
}

impl<P: Copy + PartialEq> Policy<P> {
    /// The services of a world that begins: what depends on nothing starts at time 0.
    pub fn new(spec: &WorldSpec) -> Policy<P> {
        let service = |is_there: bool| Service {
            main: None,
            started: false,
            finished: !is_there,
            status: None,
            health: Health::Starting,
            failures: 0,
            restarts: 0,
            backoff: FIRST_BACKOFF,
            check: None,
            checks: 0,
            starts: 0,
            began: 0,
            held: 0,
            returning: 0,
            revive: false,
        };
        let there = || spec.hosts.iter().map(|host| host.service.is_some());
        let due = there().enumerate().filter(|(_, is_there)| *is_there);
        Policy {
            due: due.map(|(index, _)| (0, index as u32, Timer::Start)).collect(),
            services: there().map(service).collect(),
        }
    }

    /// The timers that are to be set since this was last asked.
    pub fn take_timers(&mut self) -> Vec<(Nanos, u32, Timer)> {
        core::mem::take(&mut self.due)
    }

    /// A host's service.
    pub fn service(&self, host: u32) -> &Service<P> {
        &self.services[host as usize]
    }

    /// Whether nothing runs as a service and nothing will be started.
    pub fn all_done(&self) -> bool {
        self.services.iter().all(|s| s.main.is_none() && (s.finished || s.held > 0 && s.returning == 0))
    }

    /// A fault keeps a service down: nothing starts it before [`Policy::release`]. `returns` says whether that will come.
    pub fn hold(&mut self, host: u32, returns: bool) {
        let s = &mut self.services[host as usize];
        s.held += 1;
        s.returning += u32::from(returns);
    }

    /// That fault keeps it down no longer. It is started again if it ran when it was struck, or would have been started.
    pub fn release(&mut self, host: u32, now: Nanos, returns: bool) {
        let s = &mut self.services[host as usize];
        s.held -= 1;
        s.returning -= u32::from(returns);
        if s.held > 0 || s.finished {
            return;
        }
        // Who is still on the way out is started when it is gone.
        s.revive = s.main.is_some();
        s.backoff = FIRST_BACKOFF;
        if s.main.is_none() {
            self.due.push((now, host, Timer::Start));
        }
    }

    /// A host has no power: nothing of its service runs any more.
    pub fn power_lost(&mut self, host: u32, now: Nanos, status: u32) {
        let s = &mut self.services[host as usize];
        if s.main.is_some() {
            s.status = Some(status);
        }
        (s.main, s.check, s.health, s.failures) = (None, None, Health::Starting, 0);
        self.look_at_waiting(now);
    }

    fn dependencies_hold(&self, spec: &ServiceSpec) -> bool {
        self.missing(spec).is_none()
    }

    /// The host of the first dependency that does not hold.
    fn missing(&self, spec: &ServiceSpec) -> Option<u32> {
        let holds = |d: &&Dependency| {
            let s = &self.services[d.host as usize];
            match d.condition {
                Condition::Started => s.started,
                Condition::Healthy => s.health == Health::Healthy,
                Condition::Completed => s.finished && s.status == Some(0),
            }
        };
        spec.depends_on.iter().find(|d| !holds(d)).map(|d| d.host)
    }

    /// Services that never started, each with the host that keeps it from it.
    pub fn waiting(&self, world: &WorldSpec) -> Vec<(u32, u32)> {
        let waits = |(index, host): (usize, &HostSpec)| {
            let service = host.service.as_ref().filter(|_| !self.services[index].started)?;
            Some((index as u32, self.missing(service)?))
        };
        world.hosts.iter().enumerate().filter_map(waits).collect()
    }

    /// Lets services that wait for others be looked at again.
    fn look_at_waiting(&mut self, now: Nanos) {
        let waiting = self.services.iter().enumerate().filter(|(_, s)| !s.started && !s.finished);
        self.due.extend(waiting.map(|(index, _)| (now, index as u32, Timer::Start)));
    }

    /// A timer is due.
    pub fn timer(&mut self, spec: &ServiceSpec, host: u32, timer: Timer) -> Option<Order<P>> {
        let s = &self.services[host as usize];
        match timer {
            Timer::Start => {
                let wanted = s.main.is_none() && !s.finished && s.held == 0;
                // As with Compose, dependencies are about the first start: a service that is restarted waits for nobody.
                (wanted && (s.started || self.dependencies_hold(spec))).then_some(Order::Start)
            }
            Timer::Check(of) if of != s.starts || s.main.is_none() || s.check.is_some() => None,
            Timer::Check(_) => {
                self.services[host as usize].checks += 1;
                Some(Order::Check)
            }
            Timer::CheckTimeout(n) if s.checks == n => s.check.map(Order::Kill),
            Timer::CheckTimeout(_) => None,
        }
    }

    /// The service's main process runs.
    pub fn started(&mut self, spec: &ServiceSpec, host: u32, now: Nanos, main: P) {
        let s = &mut self.services[host as usize];
        (s.started, s.began, s.main) = (true, now, Some(main));
        s.starts += 1;
        if let Some(check) = &spec.healthcheck {
            self.due.push((now + s.until_check(check, now), host, Timer::Check(s.starts)));
        }
        self.look_at_waiting(now);
    }

    /// Its command cannot be started: that is its end, with this wait status.
    pub fn not_started(&mut self, host: u32, now: Nanos, status: u32) {
        let s = &mut self.services[host as usize];
        (s.started, s.finished, s.status) = (true, true, Some(status));
        self.look_at_waiting(now);
    }

    /// The health check's process runs.
    pub fn check_started(&mut self, spec: &ServiceSpec, host: u32, now: Nanos, process: P) {
        let Some(check) = &spec.healthcheck else { return };
        let s = &mut self.services[host as usize];
        s.check = Some(process);
        self.due.push((now + check.timeout, host, Timer::CheckTimeout(s.checks)));
    }

    /// The health check has this wait status.
    pub fn check_ended(&mut self, spec: &ServiceSpec, host: u32, now: Nanos, status: u32) {
        let Some(check) = &spec.healthcheck else { return };
        let s = &mut self.services[host as usize];
        s.check = None;
        if status == 0 {
            s.failures = 0;
            s.health = Health::Healthy;
        } else if now >= s.began + check.start_period || s.health == Health::Healthy {
            s.failures += 1;
            if s.failures >= check.retries {
                s.health = Health::Unhealthy;
            }
        }
        self.due.push((now + s.until_check(check, now), host, Timer::Check(s.starts)));
        self.look_at_waiting(now);
    }

    /// Which of its processes this is.
    pub fn which(&self, host: u32, process: P) -> Ended {
        let s = &self.services[host as usize];
        match process {
            p if s.check == Some(p) => Ended::Check,
            p if s.main == Some(p) => Ended::Main,
            _ => Ended::Other,
        }
    }

    /// The service's main process has ended.
    pub fn main_ended(&mut self, spec: &ServiceSpec, host: u32, now: Nanos, status: u32) {
        let s = &mut self.services[host as usize];
        s.main = None;
        s.status = Some(status);
        // A check that still runs is one of what is gone.
        (s.health, s.check, s.failures) = (Health::Starting, None, 0);
        let again = match spec.restart {
            Restart::No => false,
            Restart::Always => true,
            Restart::OnFailure(max) => status != 0 && max.is_none_or(|m| s.restarts < m),
        };
        if s.held > 0 {
            // The end of the fault decides.
        } else if core::mem::take(&mut s.revive) {
            self.due.push((now, host, Timer::Start));
        } else if again {
            s.restarts += 1;
            self.due.push((now + s.backoff, host, Timer::Start));
            s.backoff = (s.backoff * 2).min(MAX_BACKOFF);
        } else {
            s.finished = true;
        }
        self.look_at_waiting(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use snowglobe_abi::spec::{Knobs, RootSpec};

    const SECOND: Nanos = 1_000_000_000;

    /// A check each second that fails at once.
    fn each_second() -> Healthcheck {
        Healthcheck {
            argv: Vec::new(),
            interval: SECOND,
            timeout: SECOND,
            retries: 1,
            start_period: 0,
            start_interval: SECOND,
        }
    }

    fn service() -> ServiceSpec {
        ServiceSpec {
            argv: Vec::new(),
            env: Vec::new(),
            cwd: String::new(),
            uid: 0,
            gid: 0,
            restart: Restart::No,
            depends_on: Vec::new(),
            healthcheck: None,
            stop_signal: 15,
            stop_grace: 0,
            init: false,
            stdin: false,
            check: false,
        }
    }

    fn world(services: Vec<ServiceSpec>) -> WorldSpec {
        let host = |service| HostSpec {
            name: String::new(),
            hostname: String::new(),
            root: RootSpec::Machine,
            mounts: Vec::new(),
            interfaces: Vec::new(),
            memory: None,
            service: Some(service),
        };
        WorldSpec {
            seed: 1,
            start_realtime: 0,
            until: None,
            hosts: services.into_iter().map(host).collect(),
            networks: Vec::new(),
            knobs: Knobs::default(),
            yield_points: Vec::new(),
            faults: Default::default(),
            checks: Default::default(),
        }
    }

    /// The policy of a world whose timers at time 0 have been taken.
    fn begun(spec: &WorldSpec) -> Policy<u32> {
        let mut policy = Policy::new(spec);
        assert_eq!(policy.take_timers().len(), spec.hosts.len());
        policy
    }

    #[test]
    fn a_service_waits_for_what_it_depends_on() {
        let waits = |condition| ServiceSpec { depends_on: vec![Dependency { host: 0, condition }], ..service() };
        let first = ServiceSpec { healthcheck: Some(Healthcheck { retries: 2, ..each_second() }), ..service() };
        let spec = world(vec![
            first.clone(),
            waits(Condition::Started),
            waits(Condition::Healthy),
            waits(Condition::Completed),
        ]);
        let mut policy = begun(&spec);
        let ready = |policy: &mut Policy<u32>| -> Vec<u32> {
            let of = |host: &u32| spec.hosts[*host as usize].service.clone().unwrap();
            (1..4).filter(|host| policy.timer(&of(host), *host, Timer::Start) == Some(Order::Start)).collect()
        };
        assert_eq!(ready(&mut policy), []);
        policy.started(&first, 0, 0, 10);
        assert_eq!(ready(&mut policy), [1]);
        assert!(policy.take_timers().contains(&(SECOND, 0, Timer::Check(1))));
        assert_eq!(policy.timer(&first, 0, Timer::Check(1)), Some(Order::Check));
        policy.check_started(&first, 0, SECOND, 11);
        assert_eq!(policy.timer(&first, 0, Timer::CheckTimeout(1)), Some(Order::Kill(11)));
        assert_eq!(policy.which(0, 11), Ended::Check);
        policy.check_ended(&first, 0, SECOND, 0);
        assert_eq!(ready(&mut policy), [1, 2]);
        policy.main_ended(&first, 0, 2 * SECOND, 0);
        // It is as unknown how it is as before its first check.
        assert_eq!(ready(&mut policy), [1, 3]);
    }

    #[test]
    fn a_service_that_is_restarted_waits_for_nobody_though_what_it_depends_on_is_gone() {
        let check = each_second();
        let first = ServiceSpec { healthcheck: Some(check), ..service() };
        let second = ServiceSpec {
            restart: Restart::Always,
            depends_on: vec![Dependency { host: 0, condition: Condition::Healthy }],
            ..service()
        };
        let mut policy = begun(&world(vec![first.clone(), second.clone()]));
        policy.started(&first, 0, 0, 1);
        assert_eq!(policy.waiting(&world(vec![first.clone(), second.clone()])), [(1, 0)]);
        assert_eq!(policy.timer(&second, 1, Timer::Start), None);
        policy.check_ended(&first, 0, 0, 0);
        assert_eq!(policy.timer(&second, 1, Timer::Start), Some(Order::Start));
        policy.started(&second, 1, 0, 2);
        policy.main_ended(&first, 0, SECOND, 9);
        policy.main_ended(&second, 1, SECOND, 9);
        assert_eq!(policy.timer(&second, 1, Timer::Start), Some(Order::Start));
    }

    #[test]
    fn restarts_wait_twice_as_long_each_time_and_end_at_their_number() {
        let again = ServiceSpec { restart: Restart::OnFailure(Some(2)), ..service() };
        let mut policy = begun(&world(vec![again.clone()]));
        for wait in [FIRST_BACKOFF, 2 * FIRST_BACKOFF] {
            policy.started(&again, 0, 0, 1);
            policy.main_ended(&again, 0, 0, 256);
            assert!(policy.take_timers().contains(&(wait, 0, Timer::Start)));
            assert!(!policy.all_done());
        }
        policy.started(&again, 0, 0, 1);
        policy.main_ended(&again, 0, 0, 256);
        assert!(policy.all_done());
        assert_eq!(policy.timer(&again, 0, Timer::Start), None);
    }

    #[test]
    fn in_the_beginning_checks_have_an_interval_of_their_own_until_one_passes() {
        let check = Healthcheck {
            interval: 30 * SECOND,
            start_period: 10 * SECOND,
            start_interval: 4 * SECOND,
            ..each_second()
        };
        let spec = ServiceSpec { healthcheck: Some(check), ..service() };
        let mut policy = begun(&world(vec![spec.clone()]));
        policy.take_timers();
        policy.started(&spec, 0, 0, 1);
        let next = |policy: &mut Policy<u32>| policy.take_timers().first().map(|timer| timer.0 / SECOND);
        assert_eq!(next(&mut policy), Some(4));
        for (now, status, then) in [(4, 1, 8), (8, 1, 12), (12, 1, 42), (42, 0, 72)] {
            policy.check_ended(&spec, 0, now * SECOND, status);
            assert_eq!(next(&mut policy), Some(then));
        }
        policy.started(&spec, 0, 0, 2);
        policy.take_timers();
        policy.check_ended(&spec, 0, 4 * SECOND, 0);
        assert_eq!(next(&mut policy), Some(34), "it is healthy");
    }

    #[test]
    fn what_is_left_of_a_check_says_nothing_of_a_service_that_was_started_again() {
        let check = each_second();
        let spec = ServiceSpec { healthcheck: Some(check), restart: Restart::Always, ..service() };
        let mut policy = begun(&world(vec![spec.clone()]));
        policy.started(&spec, 0, 0, 1);
        assert_eq!(policy.timer(&spec, 0, Timer::Check(1)), Some(Order::Check));
        policy.check_started(&spec, 0, 0, 2);
        policy.main_ended(&spec, 0, 0, 9);
        policy.started(&spec, 0, 0, 3);
        assert_eq!(policy.which(0, 2), Ended::Other);
        assert_eq!(policy.timer(&spec, 0, Timer::Check(1)), None, "that was to be the first one's");
        assert_eq!(policy.timer(&spec, 0, Timer::CheckTimeout(1)), None);
        assert_eq!(policy.timer(&spec, 0, Timer::Check(2)), Some(Order::Check));
    }

    #[test]
    fn a_service_is_unhealthy_after_failures_in_a_row() {
        let check = Healthcheck { retries: 2, start_period: 10, ..each_second() };
        let spec = ServiceSpec { healthcheck: Some(check), ..service() };
        let mut policy = begun(&world(vec![spec.clone()]));
        policy.started(&spec, 0, 0, 1);
        let mut health = |now, status| {
            policy.check_ended(&spec, 0, now, status);
            policy.service(0).health
        };
        // In the beginning failures do not count.
        assert_eq!([health(1, 1), health(2, 1), health(3, 1)], [Health::Starting; 3]);
        assert_eq!([health(11, 1), health(12, 0), health(13, 1)], [Health::Starting, Health::Healthy, Health::Healthy]);
        assert_eq!(health(14, 1), Health::Unhealthy);
    }
}
