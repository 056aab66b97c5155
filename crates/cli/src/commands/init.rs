//! `snowglobe init`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use snowglobe_world::{EXAMPLE, Problem};

use crate::args::InitArgs;
use crate::exit::{self, Failure, usage};

/// Runs it.
pub fn run(args: &InitArgs) -> Result<u8, Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let shown = args.file.display();
    let written = options.open(&args.file).and_then(|mut file| file.write_all(EXAMPLE.as_bytes()));
    written.map_err(|error| {
        let help = if error.kind() == ErrorKind::AlreadyExists {
            "name another file, or overwrite it with `--force`"
        } else {
            "check the path"
        };
        usage(Problem::new(format!("cannot write {shown}: {error}")).help(help))
    })?;
    eprintln!("wrote {shown}; run it with: snowglobe run {shown}");
    Ok(exit::status::PASSED)
}
