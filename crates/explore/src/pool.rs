//! Workers: child processes that run one world after another, and answer.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::job::{Answer, Fault, Job, Setup};

/// How often a run is tried whose worker died: the machine may have ended the worker for another's memory.
const TRIES: u32 = 2;

/// Makes the command of a worker.
pub type MakeCommand = Box<dyn Fn() -> Command>;

/// Some workers.
pub struct Pool<T> {
    command: MakeCommand,
    setup: Setup,
    cores: Vec<usize>,
    workers: Vec<Option<Worker>>,
    busy: Vec<Option<Task<T>>>,
    waiting: VecDeque<Task<T>>,
    said: Receiver<Said>,
    say: Sender<Said>,
    /// Called with the process id of a worker that has ended, so that what it left can be removed.
    ended: Box<dyn Fn(u32)>,
}

/// A job with what its owner wants to know when it is done.
struct Task<T> {
    job: Job,
    tag: T,
    tries: u32,
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
    /// A pool of so many workers, on these cores in turn; they are started when they are needed.
    pub fn new(size: usize, cores: Vec<usize>, setup: Setup, command: MakeCommand, ended: Box<dyn Fn(u32)>) -> Pool<T> {
        let (say, said) = channel();
        let size = size.max(1);
        Pool {
            command,
            setup,
            cores,
            workers: (0..size).map(|_| None).collect(),
            busy: (0..size).map(|_| None).collect(),
            waiting: VecDeque::new(),
            said,
            say,
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
        self.waiting.push_back(Task { job, tag, tries: 0 });
        self.deal()
    }

    fn deal(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty()
            && let Some(worker) = self.busy.iter().position(Option::is_none)
        {
            let mut task = self.waiting.pop_front().expect("there is one");
            task.tries += 1;
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
        let core = (!self.cores.is_empty()).then(|| self.cores[worker % self.cores.len()]);
        let _ = stdin.write_all(&line(&Setup { core, ..self.setup.clone() }));
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
        match self.said.recv_timeout(patience) {
            Ok(Said { worker, answer: Some(answer), .. }) => {
                let task = self.busy[worker].take();
                self.deal()?;
                Ok(task.map(|task| (task.tag, answer)))
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
        let Some(mut dead) = self.workers[worker].take() else { return Ok(None) };
        drop(dead.stdin);
        let status = dead.child.wait()?;
        (self.ended)(pid);
        let Some(task) = self.busy[worker].take() else { return Ok(None) };
        if task.tries < TRIES {
            self.waiting.push_front(task);
            self.deal()?;
            return Ok(None);
        }
        self.deal()?;
        let fault = Fault {
            message: format!("the process that ran a world was ended ({status})"),
            help: Some("look for an out-of-memory kill in the system's log, or use fewer workers: `-j 1`".to_owned()),
            usage: false,
        };
        Ok(Some((task.tag, Answer::Fault(fault))))
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
            let pid = i32::try_from(worker.child.id()).ok().and_then(rustix::process::Pid::from_raw);
            // One that has ended is no child of another's: its status was not taken yet.
            let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM));
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

fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("plain data can always be written");
    line.push(b'\n');
    line
}
