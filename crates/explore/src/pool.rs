//! Workers: child processes that run one world after another, and answer.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::job::{Answer, Fault, Job, Setup};

/// How often a run is tried whose worker was killed: the machine may have done so for another's memory. A worker that ended by
/// itself did not end for that.
const TRIES: u32 = 2;

/// How long a world may take to end that was asked to, before its worker is killed.
const GRACE: Duration = Duration::from_secs(20);

/// Makes the command of a worker.
pub type MakeCommand = Box<dyn Fn() -> Command>;

/// Some workers.
pub struct Pool<T> {
    command: MakeCommand,
    setup: Setup,
    workers: Vec<Option<Worker>>,
    busy: Vec<Option<Task<T>>>,
    waiting: VecDeque<Task<T>>,
    said: Receiver<Said>,
    say: Sender<Said>,
    /// Longest time of a run on the machine's clock.
    limit: Duration,
    /// Called with the process id of a worker that has ended, so that what it left can be removed.
    ended: Box<dyn Fn(u32)>,
}

/// A job with what its owner wants to know when it is done.
struct Task<T> {
    job: Job,
    tag: T,
    tries: u32,
    /// Since when it runs.
    began: Instant,
    /// Whether its time is up, and it was asked to end.
    overdue: bool,
}

struct Worker {
    child: Child,
    stdin: ChildStdin,
}

/// What the thread that reads a worker's answers passes on: its place, its process, and its line or its end.
struct Said {
    worker: usize,
    pid: u32,
    answer: Option<Answer>,
}

impl<T> Pool<T> {
    /// A pool of so many workers, which are started when they are needed.
    pub fn new(size: usize, setup: Setup, limit: Duration, command: MakeCommand, ended: Box<dyn Fn(u32)>) -> Pool<T> {
        let (say, said) = channel();
        let size = size.max(1);
        Pool {
            command,
            setup,
            workers: (0..size).map(|_| None).collect(),
            busy: (0..size).map(|_| None).collect(),
            waiting: VecDeque::new(),
            said,
            say,
            limit,
            ended,
        }
    }

    /// Workers without a job, less the jobs that wait for one.
    pub fn free(&self) -> usize {
        self.busy.iter().filter(|task| task.is_none()).count().saturating_sub(self.waiting.len())
    }

    /// Jobs that have no answer yet.
    pub fn open(&self) -> usize {
        self.busy.iter().flatten().count() + self.waiting.len()
    }

    /// What the jobs that have no answer yet are about.
    pub fn open_tags(&self) -> impl Iterator<Item = &T> {
        self.busy.iter().flatten().chain(&self.waiting).map(|task| &task.tag)
    }

    /// Hands a job over.
    ///
    /// # Errors
    /// No worker can be started.
    pub fn submit(&mut self, job: Job, tag: T) -> io::Result<()> {
        self.waiting.push_back(Task { job, tag, tries: 0, began: Instant::now(), overdue: false });
        self.deal()
    }

    fn deal(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty()
            && let Some(worker) = self.busy.iter().position(Option::is_none)
        {
            let mut task = self.waiting.pop_front().expect("there is one");
            task.tries += 1;
            task.began = Instant::now();
            if self.workers[worker].is_none() {
                self.workers[worker] = Some(self.start(worker)?);
            }
            let line = line(&task.job);
            self.busy[worker] = Some(task);
            // A worker that is dead is told by its reader.
            let _ = self.workers[worker].as_mut().expect("it was started above").stdin.write_all(&line);
        }
        Ok(())
    }

    fn start(&self, worker: usize) -> io::Result<Worker> {
        let mut child = (self.command)().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (mut stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let _ = stdin.write_all(&line(&Setup { worker, ..self.setup.clone() }));
        let (pid, say) = (child.id(), self.say.clone());
        std::thread::Builder::new().name(format!("worker {worker}")).spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Some(answer) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else { break };
                if say.send(Said { worker, pid, answer: Some(answer) }).is_err() {
                    return;
                }
            }
            let _ = say.send(Said { worker, pid, answer: None });
        })?;
        Ok(Worker { child, stdin })
    }

    /// The next answer, with what its job was about; `None` when there is none in this time.
    ///
    /// # Errors
    /// No worker can be started.
    pub fn wait(&mut self, patience: Duration) -> io::Result<Option<(T, Answer)>> {
        self.end_overdue();
        match self.said.recv_timeout(patience) {
            Ok(Said { worker, answer: Some(answer), .. }) => {
                let task = self.busy[worker].take();
                if matches!(answer, Answer::Interrupted) {
                    // It has said its last word: another takes its place.
                    self.bury(worker)?;
                }
                self.deal()?;
                Ok(task.map(|task| {
                    let overdue = task.overdue && matches!(answer, Answer::Interrupted);
                    (task.tag, if overdue { Answer::Fault(self.too_long()) } else { answer })
                }))
            }
            Ok(Said { worker, pid, answer: None }) => self.died(worker, pid),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(None),
        }
    }

    /// A worker has ended: its job is given to another, or given up.
    fn died(&mut self, worker: usize, pid: u32) -> io::Result<Option<(T, Answer)>> {
        if self.workers[worker].as_ref().is_none_or(|known| known.child.id() != pid) {
            return Ok(None);
        }
        let Some(status) = self.bury(worker)? else { return Ok(None) };
        let Some(task) = self.busy[worker].take() else { return Ok(None) };
        if task.tries < TRIES && status.signal() == Some(Signal::KILL.as_raw()) {
            self.waiting.push_front(task);
            self.deal()?;
            return Ok(None);
        }
        self.deal()?;
        if task.overdue {
            return Ok(Some((task.tag, Answer::Fault(self.too_long()))));
        }
        let fault = Fault {
            message: format!("the process that ran a world was ended ({status})"),
            help: Some("look for an out-of-memory kill in the system's log, or use fewer workers: `-j 1`".to_owned()),
            usage: false,
            endless: false,
        };
        Ok(Some((task.tag, Answer::Fault(fault))))
    }

    /// Takes a worker away that ends.
    fn bury(&mut self, worker: usize) -> io::Result<Option<ExitStatus>> {
        let Some(Worker { mut child, stdin }) = self.workers[worker].take() else { return Ok(None) };
        drop(stdin);
        let status = child.wait()?;
        (self.ended)(child.id());
        Ok(Some(status))
    }

    /// Ends worlds whose time is up; kills the workers of those that do not.
    fn end_overdue(&mut self) {
        for (worker, task) in self.workers.iter().zip(&mut self.busy) {
            let (Some(worker), Some(task)) = (worker, task) else { continue };
            let elapsed = task.began.elapsed();
            if elapsed >= self.limit.saturating_add(GRACE) {
                signal(worker, Signal::KILL);
            } else if elapsed >= self.limit && !task.overdue {
                (task.overdue, task.tries) = (true, TRIES);
                signal(worker, Signal::TERM);
            }
        }
    }

    fn too_long(&self) -> Fault {
        Fault {
            message: format!("the world did not end in {} s of the machine's time", self.limit.as_secs()),
            help: Some("give it an end with `until`, or more time with `--run-limit`".to_owned()),
            usage: false,
            endless: true,
        }
    }

    /// Ends the worlds that run, in order: their answer is that they were interrupted. Jobs that wait are forgotten.
    pub fn interrupt(&mut self) {
        self.waiting.clear();
        for (worker, task) in self.workers.iter().zip(&mut self.busy) {
            let Some(worker) = worker else { continue };
            // One that dies of it is not tried again.
            if let Some(task) = task {
                task.tries = TRIES;
            }
            signal(worker, Signal::TERM);
        }
    }
}

impl<T> Drop for Pool<T> {
    /// Workers end at the end of their input, when the world that they run has ended.
    fn drop(&mut self) {
        for worker in self.workers.iter_mut().filter_map(Option::take) {
            let Worker { mut child, stdin } = worker;
            drop(stdin);
            let _ = child.wait();
            (self.ended)(child.id());
        }
    }
}

fn signal(worker: &Worker, signal: Signal) {
    // One that has ended keeps its number until its status is taken, so this reaches no other.
    let _ = kill_process(Pid::from_child(&worker.child), signal);
}

fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("plain data can always be written");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Subject;

    /// A pool of two workers that do this with each job.
    fn pool(limit: Duration, each: &str) -> Pool<u64> {
        let setup = Setup { label: "w".into(), world: None, until: None, worker: 0 };
        let script = format!("read setup; while read job; do {each}; done");
        let command = move || {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &script]);
            command
        };
        Pool::new(2, setup, limit, Box::new(command), Box::new(|_| ()))
    }

    fn job() -> Job {
        Job { subject: Subject::Seed(1), points: vec![], learn: true, keep: false }
    }

    /// The answers to so many jobs, by their tags.
    fn answers(pool: &mut Pool<u64>, jobs: u64) -> Vec<(u64, Answer)> {
        (0..jobs).for_each(|tag| pool.submit(job(), tag).unwrap());
        let mut out = Vec::new();
        while pool.open() > 0 {
            out.extend(pool.wait(Duration::from_millis(20)).unwrap());
        }
        out.sort_by_key(|(tag, _)| *tag);
        out
    }

    fn fault(answer: &Answer) -> &str {
        match answer {
            Answer::Fault(fault) => &fault.message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_job_is_answered_once() {
        let answer = r#"{"Fault":{"message":"no","help":null,"usage":false}}"#;
        let mut pool = pool(Duration::MAX, &format!("echo '{answer}'"));
        let found = answers(&mut pool, 9);
        assert_eq!(found.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        assert!(found.iter().all(|(_, answer)| fault(answer) == "no"));
        assert_eq!(pool.free(), 2);
    }

    #[test]
    fn a_job_whose_worker_ends_is_given_up() {
        let mut pool = pool(Duration::MAX, "exit 7");
        let found = answers(&mut pool, 3);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|(_, answer)| fault(answer).contains("exit status: 7")), "{found:?}");
    }

    #[test]
    fn a_job_whose_worker_is_killed_is_tried_again_and_then_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let tries = dir.path().join("tries");
        let mut pool = pool(Duration::MAX, &format!("echo x >> {}; kill -9 $$", tries.display()));
        let found = answers(&mut pool, 1);
        assert!(fault(&found[0].1).contains("signal: 9"), "{found:?}");
        assert_eq!(std::fs::read_to_string(tries).unwrap(), "x\nx\n");
    }

    #[test]
    fn a_run_that_takes_too_long_is_ended() {
        let mut pool = pool(Duration::from_millis(200), "exec sleep 60");
        let found = answers(&mut pool, 2);
        assert!(found.iter().all(|(_, answer)| fault(answer).contains("did not end in")), "{found:?}");
    }

    #[test]
    fn what_is_interrupted_is_not_tried_again() {
        let mut pool = pool(Duration::MAX, "exec sleep 60");
        (0..5).for_each(|tag| pool.submit(job(), tag).unwrap());
        assert_eq!((pool.open(), pool.free()), (5, 0));
        pool.interrupt();
        let mut ended = 0;
        while pool.open() > 0 {
            ended += pool.wait(Duration::from_millis(20)).unwrap().iter().count();
        }
        assert_eq!(ended, 2);
    }
}
