//! One command, bounded in time, alone in its process group.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, kill_process_group, pidfd_open, set_child_subreaper,
};

/// How long a guest may take. A guest ends by itself, by its own alarm, well before.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Starts the command with its output in files, because a pipe would be held open by a guest's forgotten child.
///
/// The environment is the same on every machine, so that a guest sees the same.
pub fn start(mut command: Command, stdout: &Path, stderr: &Path) -> io::Result<Running> {
    command.stdin(Stdio::null()).stdout(File::create(stdout)?).stderr(File::create(stderr)?);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").env("HOME", "/tmp");
    command.process_group(0);
    Ok(Running { child: command.spawn()?, started: Instant::now() })
}

/// A command that has been started and not yet waited for.
pub struct Running {
    child: Child,
    started: Instant,
}

impl Running {
    /// Waits for the end, or makes one at the time limit: `None` is a command that had to be killed.
    pub fn finish(mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let pid = Pid::from_child(&self.child);
        let in_time = self.ends_before(limit)?;
        // The leader is not reaped yet, so its id still names this group: what it left running goes with it.
        let _ = kill_process_group(pid, Signal::KILL);
        let status = self.child.wait()?;
        Ok(in_time.then_some(status))
    }

    fn ends_before(&self, limit: Duration) -> io::Result<bool> {
        let pidfd = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty())?;
        let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
        loop {
            let left = limit.saturating_sub(self.started.elapsed());
            let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut ended, Some(&timeout)) {
                Ok(ready) => return Ok(ready > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Makes this process the parent of whatever outlives its own parent from now on, so that [`left_behind`] can see it.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Ends what is still running of all that was started, after a moment's grace, and says what it was.
pub fn left_behind() -> io::Result<Vec<String>> {
    let patience = Instant::now();
    let mut living = living_children()?;
    while !living.is_empty() && patience.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(20));
        living = living_children()?;
    }
    for (pid, _) in &living {
        let _ = kill_process(*pid, Signal::KILL);
    }
    Ok(living.into_iter().map(|(pid, command)| format!("{}: {command}", pid.as_raw_pid())).collect())
}

fn living_children() -> io::Result<Vec<(Pid, String)>> {
    let mut children = Vec::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let list = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        for pid in list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
            let folder = format!("/proc/{}", pid.as_raw_pid());
            let stat = fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
            let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
            // A zombie has ended by itself; nobody will wait for it before this process ends.
            if state.is_some_and(|state| state != 'Z') {
                let command = fs::read_to_string(format!("{folder}/cmdline")).unwrap_or_default();
                children.push((pid, command.replace('\0', " ")));
            }
        }
    }
    Ok(children)
}
