//! The guests, the trees and the worlds that are measured, made ready.

use super::measure::{Cores, Server, bounded};
use crate::{process, project};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Files of the tree, and lines of the C file.
const FILES: usize = 20_000;
const LINES: usize = 2_000;

/// Where and how everything is measured.
pub struct Place {
    /// The binary under test.
    pub snowglobe: PathBuf,
    /// Samples of each row.
    pub samples: usize,
    /// Cores to run on.
    pub cores: Cores,
    /// Whether the supervisor may leave the one core.
    pub free_supervisor: bool,
    /// The scratch folder. It is not under /tmp: there a world has its own.
    folder: PathBuf,
}

/// What `snowglobe run --json` prints, as far as it is measured.
#[derive(Deserialize)]
pub struct Run {
    run: String,
    /// Events in the trace.
    pub events: u64,
}

/// Who answers the system calls of a world.
#[derive(Clone, Copy)]
pub enum Layout {
    /// The layer.
    Layer,
    /// The operating system.
    Traditional,
}

/// A host of a world that is made for a measurement.
pub struct Host<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its program and arguments.
    pub command: &'a [&'a str],
    /// How many there are of it.
    pub replicas: usize,
}

impl Place {
    /// The scratch folder with nothing in it but what was made by earlier measurements.
    pub fn new(snowglobe: PathBuf, samples: usize, free_supervisor: bool) -> Result<Place> {
        let folder = project::metadata(false)?.target_directory.join("xtask/bench");
        fs::create_dir_all(&folder)?;
        Ok(Place { snowglobe, samples, cores: Cores::here()?, free_supervisor, folder })
    }

    /// Compiles one of the C programs under `bench/`.
    pub fn guest(&self, name: &str, options: &[&str]) -> Result<String> {
        let program = self.folder.join(name);
        let source = project::root().join("bench").join(name).with_extension("c");
        let mut gcc = Command::new("/usr/bin/gcc");
        gcc.args(["-O2", "-Wall"]).args(options).arg("-o").arg(&program).arg(source);
        process::must(&mut gcc, Duration::from_secs(60))?;
        text_of(&program)
    }

    /// A script under `bench/`.
    pub fn script(&self, name: &str) -> Result<String> {
        text_of(&project::root().join("bench").join(name))
    }

    /// A C file of 2,000 lines: functions that call each other, with loops, structures and tables.
    pub fn c_file(&self) -> Result<String> {
        let path = self.folder.join("generated.c");
        let mut text = String::from("struct pair { int left; long right; };\nextern int puts(const char *);\n");
        // Ten lines each.
        for n in 0..LINES / 10 {
            let before = if n == 0 { "p->left".to_owned() } else { format!("f{}(p, depth - 1)", n - 1) };
            write!(
                text,
                "static const int table{n}[] = {{{n}, 3, 5, 7}};\n__attribute__((noinline)) long f{n}(struct pair *p, int depth) {{\n\
                 \x20   long sum = {n};\n    if (depth == 0) return p->right;\n\
                 \x20   for (int i = 0; i < 4; i++) sum = sum * 31 + table{n}[i] * p->left;\n\
                 \x20   switch (sum & 3) {{ case 0: p->left += {n}; break; case 1: p->right ^= sum; break; default: puts(\"f{n}\"); }}\n\
                 \x20   p->right += {before};\n    while (sum > 1000) sum /= 3 + ({n} & 1);\n    return sum + p->right;\n}}\n"
            )?;
        }
        ensure!(text.lines().count() == LINES + 2, "the generated file has {} lines", text.lines().count());
        fs::write(&path, text)?;
        text_of(&path)
    }

    /// A folder that is on the disk of a world as well.
    pub fn on_disk(&self) -> Result<String> {
        text_of(&self.folder)
    }

    /// A tree of 20,000 files in 200 folders, all committed to git.
    pub fn tree(&self) -> Result<String> {
        let tree = self.folder.join("tree");
        let done = self.folder.join("tree-is-whole");
        if !done.exists() {
            if tree.exists() {
                fs::remove_dir_all(&tree)?;
            }
            for n in 0..FILES {
                let folder = tree.join(format!("part{}/section{}", n % 20, n / 20 % 10));
                fs::create_dir_all(&folder)?;
                fs::write(folder.join(format!("file{n}.txt")), format!("This is file {n}.\n").repeat(1 + n % 50))?;
            }
            for args in [&["init", "-q"][..], &["add", "."], &["commit", "-q", "-m", "All"]] {
                let mut git = Command::new("/usr/bin/git");
                git.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(args).current_dir(&tree);
                process::must(&mut git, Duration::from_secs(120))?;
            }
            fs::write(done, "")?;
        }
        text_of(&tree)
    }

    /// Seconds of a program's run under normal execution.
    pub fn normal(&self, argv: &[&str]) -> Result<f64> {
        self.cores.time(bounded(argv[0]).args(&argv[1..]), true)
    }

    /// A server under normal execution.
    pub fn server(&self, argv: &[&str]) -> Result<Server> {
        self.cores.start(bounded(argv[0]).args(&argv[1..]), true).map(Server)
    }

    /// Seconds of a program's run in a world of its own.
    pub fn alone(&self, argv: &[&str]) -> Result<f64> {
        self.forget_runs()?;
        let mut command = self.run();
        command.arg("--").args(argv);
        self.cores.time(&mut command, !self.free_supervisor)
    }

    /// Seconds from the start of snowglobe to its end, with a program that does nothing.
    pub fn nothing(&self) -> Result<f64> {
        self.forget_runs()?;
        let mut command = Command::new(&self.snowglobe);
        command.args(["run", "--", "/bin/true"]).current_dir(&self.folder);
        self.cores.time(&mut command, !self.free_supervisor)
    }

    /// Seconds of a world's run.
    pub fn world(&self, world: &Path) -> Result<f64> {
        self.forget_runs()?;
        self.cores.time(self.run().arg(world), !self.free_supervisor)
    }

    /// Seconds of a world's run in one of the two layouts, all of it on one core.
    pub fn world_in(&self, layout: Layout, world: &Path) -> Result<f64> {
        self.forget_runs()?;
        let mut command = self.run();
        if let Layout::Traditional = layout {
            command.args(["--layout", "traditional"]);
        }
        self.cores.time(command.arg(world).stderr(Stdio::null()), true)
    }

    /// What a host of the last run has written to its standard output.
    pub fn output_of(&self, host: &str) -> Result<String> {
        let path = self.folder.join(".snowglobe/runs/latest/hosts").join(host).join("stdout");
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// A folder for the files of one row.
    pub fn folder_for(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Runs a world and gives what it says of itself, and the bytes of its trace on disk.
    pub fn recorded(&self, world: &Path) -> Result<(Run, u64)> {
        self.forget_runs()?;
        let text = process::output_of(self.run().arg("--json").arg(world))?;
        let run: Run = serde_json::from_str(&text).context("what snowglobe printed")?;
        let mut bytes = 0;
        for entry in fs::read_dir(self.folder.join(".snowglobe/runs").join(&run.run))? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("trace.") {
                bytes += entry.metadata()?.len();
            }
        }
        Ok((run, bytes))
    }

    /// Starts a world that is to be looked at while it runs.
    pub fn started(&self, world: &Path) -> Result<Server> {
        self.forget_runs()?;
        let mut command = Command::new(&self.snowglobe);
        command.arg("run").arg(world).current_dir(&self.folder).stderr(Stdio::null());
        self.cores.start(&mut command, !self.free_supervisor).map(Server)
    }

    fn run(&self) -> Command {
        let mut command = bounded(&self.snowglobe);
        command.arg("run").current_dir(&self.folder);
        command
    }

    /// Each run starts with an empty run folder, so that none pays for those before it.
    fn forget_runs(&self) -> Result<()> {
        let runs = self.folder.join(".snowglobe");
        if runs.exists() {
            fs::remove_dir_all(&runs)?;
        }
        Ok(())
    }

    /// Writes a world file. JSON is YAML.
    pub fn write_world(&self, name: &str, settings: serde_json::Value, hosts: &[Host]) -> Result<PathBuf> {
        let services: serde_json::Map<_, _> = hosts
            .iter()
            .map(|host| (host.name.to_owned(), json!({"command": host.command, "deploy": {"replicas": host.replicas}})))
            .collect();
        self.write_file(name, json!({"x-snowglobe": settings, "services": services}))
    }

    /// Writes a whole world. A host's `/tmp` is its own: where this project is below it, hosts have it mounted.
    pub fn write_file(&self, name: &str, mut world: serde_json::Value) -> Result<PathBuf> {
        if let (true, Some(services)) = (project::root().starts_with("/tmp"), world["services"].as_object_mut()) {
            let root = text_of(project::root())?;
            services.values_mut().for_each(|service| service["volumes"] = json!([format!("{root}:{root}:ro")]));
        }
        let path = self.folder.join(name).with_extension("yaml");
        fs::write(&path, serde_json::to_string_pretty(&world)?)?;
        Ok(path)
    }
}

fn text_of(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).context("a path that is not UTF-8")
}
