//! The scenarios and what the list says of them.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One scenario as the list has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// Seconds of the wall clock that one run may take.
    pub limit: u64,
    /// The host whose output the Linux variant must print; without it there is no such variant.
    pub linux: Option<String>,
    /// Whether the variants under the layer are part of an ordinary test run; if not, they are shown as ignored.
    pub layer: bool,
    /// Seconds of virtual time that must have passed at the end.
    #[serde(default)]
    pub virtual_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    scenario: Vec<Scenario>,
}

/// Where the scenarios are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/programs")
}

/// Reads the list. A folder that is not listed, or a listed one that is not there, is an error: none is left out unseen.
pub fn read() -> Result<Vec<Scenario>> {
    let folder = folder();
    let text = std::fs::read_to_string(folder.join("scenarios.toml")).context("cannot read scenarios.toml")?;
    let List { scenario } = toml::from_str(&text).context("scenarios.toml")?;
    let listed: BTreeSet<String> = scenario.iter().map(|scenario| scenario.name.clone()).collect();
    ensure!(listed.len() == scenario.len(), "scenarios.toml names a scenario twice");
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            there.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let differ: Vec<_> = listed.symmetric_difference(&there).collect();
    ensure!(differ.is_empty(), "scenarios.toml and the folders of tests/programs differ in {differ:?}");
    Ok(scenario)
}
