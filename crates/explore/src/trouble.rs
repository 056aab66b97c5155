//! Why something cannot be done.

use snowglobe_world::Problem;

use crate::job::Fault;

/// A problem, and whose it is to mend.
#[derive(Debug)]
pub struct Trouble {
    /// What is wrong, and what to do.
    pub problem: Problem,
    /// Whether it is what the user asked for that is wrong, and not the machine or snowglobe.
    pub usage: bool,
}

impl Trouble {
    /// Trouble with what was asked for.
    pub fn usage(problem: Problem) -> Trouble {
        Trouble { problem, usage: true }
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Trouble {
        Trouble { problem, usage: false }
    }
}

impl From<&Fault> for Trouble {
    fn from(fault: &Fault) -> Trouble {
        let problem = Problem::new(fault.message.clone());
        let problem = match &fault.help {
            Some(help) => problem.help(help.clone()),
            None => problem,
        };
        // That one seed after another has no end is the world's doing.
        Trouble { problem, usage: fault.usage || fault.endless }
    }
}
