//! The standard input of a run: read as guests ask for it, in parts, and kept with the run.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use snowglobe_abi::control::INPUT_PART;
use snowglobe_world::Problem;
use snowglobe_world::rundir::RunDir;

/// How long bytes are waited for before others have a turn: Ctrl-C, a guest that was killed, the status line.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Where a run's standard input comes from.
pub enum Source {
    /// Guests read end of file.
    Nothing,
    /// Our own standard input.
    Own,
    /// What an earlier run read; nothing, when it has kept no input.
    Earlier(RunDir),
}

/// See the module.
pub struct StandardInput {
    run: RunDir,
    live: Live,
    /// What was read so far, once something was. A world that is begun again reads it again.
    kept: Option<File>,
    /// How much of that this world has read.
    at: u64,
    /// The part that is being put together.
    part: Vec<u8>,
}

/// What is read when all that is kept has been read.
enum Live {
    Nothing,
    Own,
    File(File, PathBuf),
}

impl StandardInput {
    /// The input of a run.
    ///
    /// # Errors
    /// An earlier run's cannot be opened.
    pub fn new(run: &RunDir, source: Source) -> Result<StandardInput, Problem> {
        let live = match source {
            Source::Nothing => Live::Nothing,
            Source::Own => Live::Own,
            Source::Earlier(earlier) => match earlier.stdin()? {
                Some(file) => Live::File(file, earlier.stdin_path()),
                None => Live::Nothing,
            },
        };
        Ok(StandardInput { run: run.clone(), live, kept: None, at: 0, part: Vec::new() })
    }

    /// Gives the same bytes again, to a world that is begun again.
    pub fn begin_again(&mut self) {
        self.at = 0;
        self.part.clear();
    }

    /// The next part, or nothing when it is not there yet.
    ///
    /// # Errors
    /// The input cannot be read or kept.
    pub fn next_part(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let mut chunk = vec![0; 64 << 10];
        while self.part.len() < INPUT_PART {
            let room = chunk.len().min(INPUT_PART - self.part.len());
            let chunk = &mut chunk[..room];
            let mut n = self.read_kept(chunk)?;
            if n == 0 {
                match self.live.read(chunk)? {
                    None => return Ok(None),
                    Some(0) => {
                        self.live = Live::Nothing;
                        break;
                    }
                    Some(new) => n = new,
                }
                self.keep(&chunk[..n])?;
            }
            self.at += n as u64;
            self.part.extend_from_slice(&chunk[..n]);
        }
        Ok(Some(std::mem::take(&mut self.part)))
    }

    fn read_kept(&self, chunk: &mut [u8]) -> Result<usize, Problem> {
        let Some(kept) = &self.kept else { return Ok(0) };
        kept.read_at(chunk, self.at).map_err(|e| {
            Problem::new(format!("{} cannot be read: {e}", self.run.stdin_path().display()))
                .help("look at the disk under the run directory")
        })
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        if self.kept.is_none() {
            self.kept = Some(self.run.keep_stdin()?);
        }
        let kept = self.kept.as_mut().expect("it was opened above");
        kept.write_all(bytes).map_err(|e| self.run.stdin_problem(&e))
    }
}

impl Live {
    /// Reads what is there: nothing at the end, `None` when nothing came for a while.
    fn read(&mut self, chunk: &mut [u8]) -> Result<Option<usize>, Problem> {
        match self {
            Live::Nothing => Ok(Some(0)),
            Live::File(file, path) => file.read(chunk).map(Some).map_err(|e| {
                Problem::new(format!("{} cannot be read: {e}", path.display())).help("run the world again")
            }),
            Live::Own => read_own(chunk).map_err(|e| {
                Problem::new(format!("standard input cannot be read: {e}"))
                    .help("redirect it from a file or from /dev/null")
            }),
        }
    }
}

fn read_own(chunk: &mut [u8]) -> io::Result<Option<usize>> {
    let stdin = rustix::stdio::stdin();
    let come_again = |e: rustix::io::Errno| match e {
        rustix::io::Errno::INTR | rustix::io::Errno::AGAIN => Ok(None),
        e => Err(e.into()),
    };
    match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&PATIENCE)) {
        Ok(0) => Ok(None),
        Ok(_) => rustix::io::read(stdin, chunk).map(Some).or_else(come_again),
        Err(e) => come_again(e),
    }
}
