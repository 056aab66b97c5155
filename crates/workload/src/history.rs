//! The history: one line of JSON for each beginning and end of an operation, each written by one call as it happens.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::{Value, json};

/// Where the history goes.
pub struct History {
    file: Mutex<File>,
    began: Instant,
}

impl History {
    /// Opens it and names its model.
    pub fn open(path: Option<&str>, model: &str) -> Result<History, String> {
        let path = path.map(str::to_owned).or_else(|| std::env::var("SNOWGLOBE_HISTORY").ok());
        let path = path.unwrap_or_else(|| "/dev/stdout".to_owned());
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.map_err(|e| format!("cannot write the history {path}: {e}"))?;
        let history = History { file: Mutex::new(file), began: Instant::now() };
        history.line(&json!({ "model": model }));
        Ok(history)
    }

    fn line(&self, value: &Value) {
        let mut text = value.to_string();
        text.push('\n');
        let mut file = self.file.lock().expect("no writer panics");
        if let Err(error) = file.write_all(text.as_bytes()) {
            eprintln!("snowglobe-workload: cannot write the history: {error}");
            std::process::exit(1);
        }
    }

    /// One event of a process. The value comes as it was asked for or answered.
    pub fn event(&self, kind: &str, process: u64, f: &str, key: Option<&str>, value: Value, error: Option<&str>) {
        let time = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut line = json!({ "type": kind, "process": process, "f": f });
        if let Some(key) = key {
            line["key"] = key.into();
        }
        line["value"] = value;
        line["time"] = time.into();
        if let Some(error) = error {
            line["error"] = error.into();
        }
        self.line(&line);
    }
}
