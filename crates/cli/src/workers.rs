//! Processes that run worlds for us: this command again, as `snowglobe worker`.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use snowglobe_abi::spec::Nanos;
use snowglobe_explore::job::Setup;
use snowglobe_explore::pool::Pool;
use snowglobe_supervisor::seat::cores;
use snowglobe_world::Problem;

use crate::conduct;
use crate::exit::{Failure, fault};

/// A pool of so many workers, one for each core without a number; each run takes at most the limit of the machine's time.
///
/// # Errors
/// We do not know where our own program is.
pub fn pool<T>(jobs: Option<u16>, limit: Nanos, setup: Setup) -> Result<Pool<T>, Failure> {
    let program = std::env::current_exe().map_err(|e| {
        fault(Problem::new(format!("the path of snowglobe's own program is not known: {e}")).help("mount /proc"))
    })?;
    conduct::store().sweep_scratch();
    let size = jobs.map_or_else(|| cores().len(), usize::from);
    let command = move || {
        let mut command = Command::new(&program);
        // Ctrl-C is for us: we say when a world ends.
        command.arg("worker").process_group(0);
        command
    };
    Ok(Pool::new(
        size,
        setup,
        Duration::from_nanos(limit),
        Box::new(command),
        Box::new(|pid| conduct::store().forget_scratch(pid)),
    ))
}
