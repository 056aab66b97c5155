//! The world of `run -- PROGRAM ARGS`: one host, the machine's file system, one program.

use snowglobe_abi::spec::{
    DEFAULT_START_S, HostSpec, InterfaceSpec, Knobs, MountSource, MountSpec, NetworkSpec, Restart, RootSpec,
    ServiceSpec, WorldSpec,
};

use crate::compose::clean_path;
use crate::problem::Problem;
use crate::resolve::{DEFAULT_LATENCY, DEFAULT_SEED, base_env, set_env};
use crate::root::{EMPTY_DIRS, Root, check_program, is_within};

/// The name of the only host.
pub const HOST: &str = "host";

/// Makes the world of one program.
///
/// The machine's file system is its root. Of the directories that are the world's own (`/tmp`, `/run` and the like) it sees the working directory
/// and what the command line names by its full path. Its environment is a fixed one, and what `env` adds.
///
/// # Errors
/// The program cannot run, with what to do.
pub fn one_program(argv: &[String], env: &[(String, String)], cwd: &str) -> Result<WorldSpec, Problem> {
    let Some(program) = argv.first() else {
        return Err(
            Problem::new("there is no program to run").help("write it behind `--`: `snowglobe run -- PROGRAM ARGS`")
        );
    };
    let cwd = clean_path(cwd);
    let mut mounts = Vec::new();
    let mut show = |path: &str| {
        let hidden = EMPTY_DIRS.iter().any(|dir| is_within(path, dir) && path != *dir);
        if hidden && !mounts.iter().any(|mount: &MountSpec| is_within(path, &mount.target)) {
            mounts.push(MountSpec {
                target: path.to_owned(),
                source: MountSource::Bind(path.to_owned()),
                read_only: false,
            });
        }
    };
    show(&cwd);
    for (i, word) in argv.iter().enumerate() {
        let path = match word {
            word if word.starts_with('/') => clean_path(word),
            word if i == 0 && word.contains('/') => clean_path(&format!("{cwd}/{word}")),
            _ => continue,
        };
        if std::path::Path::new(&path).exists() {
            show(&path);
        }
    }
    let root = Root { origin: &RootSpec::Machine, mounts: &mounts };
    let user = root.user("0").map_err(|(message, help)| Problem::new(message).help(help))?;
    let mut vars = base_env(&user);
    for (name, value) in env {
        set_env(&mut vars, name, value);
    }
    let path = vars.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
    check_program(root, program, path, &cwd).map_err(|unfit| Problem::new(unfit.what).help(unfit.help))?;
    let network = NetworkSpec::plain("default", ([10, 0, 1, 0], 24), [10, 0, 1, 1], DEFAULT_LATENCY);
    let host = HostSpec {
        name: HOST.to_owned(),
        hostname: HOST.to_owned(),
        root: RootSpec::Machine,
        mounts,
        interfaces: vec![InterfaceSpec { network: 0, address: [10, 0, 1, 2], aliases: Vec::new() }],
        memory: None,
        service: Some(ServiceSpec {
            argv: argv.to_vec(),
            env: vars.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            cwd,
            uid: user.uid,
            gid: user.gid,
            restart: Restart::No,
            depends_on: Vec::new(),
            healthcheck: None,
            stop_signal: 15,
            stop_grace: 10_000_000_000,
            init: true,
            stdin: true,
            check: true,
        }),
    };
    Ok(WorldSpec {
        seed: DEFAULT_SEED,
        start_realtime: DEFAULT_START_S * 1_000_000_000,
        until: None,
        hosts: vec![host],
        networks: vec![network],
        knobs: Knobs { one_program: true, ..Knobs::default() },
        yield_points: Vec::new(),
        faults: Default::default(),
        checks: Default::default(),
    })
}
