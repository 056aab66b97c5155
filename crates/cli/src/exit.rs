//! How the command ends: exit statuses, and errors for the operator.

use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use snowglobe_explore::trouble::Trouble;
use snowglobe_world::rundir::Verdict;
use snowglobe_world::{Problem, WorldError};

/// Exit statuses, as they are documented.
pub mod status {
    /// All went well.
    pub const PASSED: u8 = 0;
    /// A check failed.
    pub const FAILED: u8 = 1;
    /// The world could not be judged.
    pub const UNKNOWN: u8 = 2;
    /// Two runs that should be the same were not.
    pub const NONDETERMINISTIC: u8 = 3;
    /// Bad arguments or a bad world file.
    pub const USAGE: u8 = 254;
    /// A fault of snowglobe's own, or of the machine under it.
    pub const FAULT: u8 = 255;
}

/// What a verdict exits with.
pub fn of_verdict(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => status::PASSED,
        Verdict::Failed => status::FAILED,
        Verdict::Running | Verdict::Killed | Verdict::Interrupted | Verdict::Unknown => status::UNKNOWN,
        Verdict::Nondeterministic => status::NONDETERMINISTIC,
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The user's to mend.
    Usage(Vec<Problem>),
    /// Ours, or the machine's.
    Fault(Problem),
    /// Whoever read our output has gone: no error.
    Unheard,
}

impl From<WorldError> for Failure {
    fn from(error: WorldError) -> Failure {
        Failure::Usage(error.problems)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        fault(trouble)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::Unheard,
            _ => {
                Failure::Fault(Problem::new(format!("cannot write the output: {error}")).help("check where it goes to"))
            }
        }
    }
}

/// A problem of the user's.
pub fn usage(problem: Problem) -> Failure {
    Failure::Usage(vec![problem])
}

/// A problem of ours, or of the machine, unless it says itself that it is the user's.
pub fn fault(trouble: impl Into<Trouble>) -> Failure {
    let Trouble { problem, usage } = trouble.into();
    if usage { Failure::Usage(vec![problem]) } else { Failure::Fault(problem) }
}

impl Failure {
    /// Tells the operator, and says with what to exit.
    pub fn tell(&self) -> ExitCode {
        match self {
            Failure::Usage(problems) => {
                problems.iter().for_each(tell);
                ExitCode::from(status::USAGE)
            }
            Failure::Fault(problem) => {
                tell(problem);
                ExitCode::from(status::FAULT)
            }
            Failure::Unheard => ExitCode::SUCCESS,
        }
    }
}

/// Writes a problem to standard error: what, where, and what to do.
pub fn tell(problem: &Problem) {
    eprint!("{}", render(problem, rustix::termios::isatty(rustix::stdio::stderr())));
}

/// A problem as text.
pub fn render(problem: &Problem, terminal: bool) -> String {
    let theme = if terminal { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_links(false);
    let mut out = String::new();
    match handler.render_report(&mut out, problem as &dyn Diagnostic) {
        Ok(()) => out,
        Err(_) => format!("{problem}\n"),
    }
}
