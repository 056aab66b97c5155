// Rust's processes: pipes, codes, signals, environment, the working directory.
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

fn main() {
    if std::env::args().nth(1).is_some() {
        assert_eq!(std::env::vars().collect::<Vec<_>>(), [("ONLY".to_string(), "this".to_string())]);
        assert_eq!(std::env::current_dir().unwrap().to_str(), Some("/"));
        std::process::exit(4);
    }
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cat.stdin.take().unwrap().write_all(&[b'r'; 10_000]).unwrap();
    assert_eq!(cat.wait_with_output().unwrap().stdout.len(), 10_000);
    let own = std::env::current_exe().unwrap();
    let status = Command::new(&own).arg("child").env_clear().env("ONLY", "this").current_dir("/").status().unwrap();
    assert_eq!(status.code(), Some(4));
    let status = Command::new("sh").args(["-c", "kill -9 $$"]).status().unwrap();
    assert_eq!(status.signal(), Some(9));
    let output = Command::new("sh").args(["-c", "echo out; echo err >&2"]).output().unwrap();
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(Command::new("/nonexistent").spawn().unwrap_err().kind(), std::io::ErrorKind::NotFound);
    let mut sleeper = Command::new("sleep").arg("30").process_group(0).spawn().unwrap();
    assert!(sleeper.try_wait().unwrap().is_none());
    sleeper.kill().unwrap();
    assert_eq!(sleeper.wait().unwrap().signal(), Some(9));
    // A closure between fork and exec, which makes it a real fork.
    let mut command = Command::new("/bin/true");
    let status = unsafe { command.pre_exec(|| Ok(())) }.status().unwrap();
    assert!(status.success());
}
