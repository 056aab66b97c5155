//! A guest: one small program, one purpose.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One guest program, `tests/guests/FAMILY/NAME.EXTENSION`.
pub struct Guest {
    /// The folder, and the middle part of the test's name.
    pub family: String,
    /// The file name without its extension.
    pub name: String,
    source: PathBuf,
    language: Language,
    /// Where its program goes, and what all guests include.
    folders: Folders,
    argv: OnceLock<Result<Vec<OsString>, String>>,
}

#[derive(Clone, Copy)]
enum Language {
    C,
    Go,
    Rust,
    Python,
    Shell,
}

/// Where the sources are and where the programs go.
#[derive(Clone)]
pub struct Folders {
    /// `tests/guests`.
    pub sources: PathBuf,
    /// `target/guests`.
    pub programs: PathBuf,
}

/// Every guest in the folder, by family and name.
pub fn find(folders: &Folders) -> std::io::Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for family in fs::read_dir(&folders.sources)? {
        let family = family?.path();
        if !family.is_dir() {
            continue;
        }
        for source in fs::read_dir(&family)? {
            let source = source?.path();
            let language = match source.extension().and_then(|extension| extension.to_str()) {
                Some("c") => Language::C,
                Some("go") => Language::Go,
                Some("rs") => Language::Rust,
                Some("py") => Language::Python,
                Some("sh") => Language::Shell,
                _ => continue,
            };
            guests.push(Guest {
                family: text(family.file_name()),
                name: text(source.file_stem()),
                source,
                language,
                folders: folders.clone(),
                argv: OnceLock::new(),
            });
        }
    }
    guests.sort_by(|a, b| (&a.family, &a.name).cmp(&(&b.family, &b.name)));
    Ok(guests)
}

fn text(name: Option<&std::ffi::OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}

impl Guest {
    /// The tool without which this guest cannot run here, if it is missing.
    pub fn missing_tool(&self) -> Option<&'static str> {
        let tool = match self.language {
            Language::Go => "/usr/bin/go",
            Language::Python => "/usr/bin/python3",
            Language::C | Language::Rust | Language::Shell => return None,
        };
        (!Path::new(tool).exists()).then_some(tool)
    }

    /// The command that runs the guest; built at the first question, once for all modes.
    pub fn argv(&self) -> Result<&[OsString], String> {
        self.argv.get_or_init(|| self.prepare()).as_deref().map_err(Clone::clone)
    }

    fn prepare(&self) -> Result<Vec<OsString>, String> {
        let path = self.source.clone().into_os_string();
        match self.language {
            Language::Python => Ok(vec!["/usr/bin/python3".into(), path]),
            Language::Shell => Ok(vec!["/bin/sh".into(), path]),
            Language::C | Language::Go | Language::Rust => Ok(vec![self.build()?.into_os_string()]),
        }
    }

    /// Builds the program unless the one that is there came from the same content.
    fn build(&self) -> Result<PathBuf, String> {
        let source = fs::read_to_string(&self.source).map_err(|e| format!("{}: {e}", self.source.display()))?;
        let headers = self.headers().map_err(|e| format!("headers of {}: {e}", self.source.display()))?;
        let folder = self.folders.programs.join(&self.family);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let program = folder.join(&self.name);
        let stamp = folder.join(format!("{}.hash", self.name));
        let fresh = folder.join(format!("{}.{}.new", self.name, std::process::id()));

        let mut command = self.compiler(&source, &fresh);
        let mut hasher = DefaultHasher::new();
        // The name of the fresh file holds a process id, which must not count.
        (&source, headers, format!("{:?}", self.compiler(&source, &program))).hash(&mut hasher);
        let hash = format!("{:016x}", hasher.finish());
        if program.exists() && fs::read_to_string(&stamp).is_ok_and(|kept| kept == hash) {
            return Ok(program);
        }

        let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
        if !output.status.success() {
            return Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        // A rename, because another run of the suite may be executing the old one.
        fs::rename(&fresh, &program).map_err(|e| format!("{}: {e}", program.display()))?;
        fs::write(&stamp, hash).map_err(|e| format!("{}: {e}", stamp.display()))?;
        Ok(program)
    }

    /// The text of every header that the source might include.
    fn headers(&self) -> std::io::Result<Vec<String>> {
        let mut texts = Vec::new();
        for folder in [&self.folders.sources, &self.folders.sources.join(&self.family)] {
            let mut paths =
                fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "h"));
            paths.sort();
            for path in paths {
                texts.push(fs::read_to_string(path)?);
            }
        }
        Ok(texts)
    }

    fn compiler(&self, source: &str, program: &Path) -> Command {
        match self.language {
            Language::Go => {
                let mut command = Command::new("go");
                command.args(["build", "-o"]).arg(program).arg(&self.source);
                command.env("CGO_ENABLED", "0").env("GOCACHE", self.folders.programs.join(".go-cache"));
                command.env("GO111MODULE", "off");
                command
            }
            Language::Rust => {
                let mut command = Command::new("rustc");
                command.args(["--edition", "2021", "-O", "-o"]).arg(program).arg(&self.source);
                command
            }
            _ => {
                let mut command = Command::new("gcc");
                command.args(["-O1", "-g", "-pthread", "-I"]).arg(&self.folders.sources);
                command.args(options(source, "// build:"));
                command.arg("-o").arg(program).arg(&self.source);
                command.args(options(source, "// link:"));
                command
            }
        }
    }
}

/// The words after a mark such as `// build:` in the comment that opens the source.
fn options<'a>(source: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    let opening = source.lines().take_while(|line| line.starts_with("//"));
    opening.filter_map(move |line| line.strip_prefix(mark)).flat_map(str::split_whitespace)
}
