//! The crate from outside: one module for each thing a user meets.

mod faults;
mod images;
mod mutations;
mod records;
mod rejects;
mod resolves;
mod round_trip;

use std::path::Path;

use snowglobe_abi::spec::{HostSpec, ServiceSpec, WorldSpec};
use snowglobe_world::resolve::{self, Loaded, Options};
use snowglobe_world::{Problem, WorldError};

/// A caller with a few variables, who keeps images in `dir`.
fn options(dir: &Path) -> Options {
    let vars = [("TAG", "v1"), ("HOME", "/home/me"), ("TOKEN", "secret")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    Options { vars: vars.into(), images: dir.join("images"), seed: None, until: None }
}

fn parse_in(dir: &Path, text: &str) -> Result<Loaded, WorldError> {
    resolve::parse("world.yaml", text, dir, &options(dir))
}

/// Bytes as a trace file has them.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
    std::io::Write::write_all(&mut frame, bytes).unwrap();
    frame.finish().unwrap()
}

/// The world that a text describes.
fn world(text: &str) -> WorldSpec {
    let dir = tempfile::tempdir().unwrap();
    parse_in(dir.path(), text).unwrap_or_else(|e| panic!("{e}")).spec
}

fn host<'a>(spec: &'a WorldSpec, name: &str) -> &'a HostSpec {
    spec.hosts.iter().find(|host| host.name == name).unwrap_or_else(|| panic!("no host {name}"))
}

fn service<'a>(spec: &'a WorldSpec, name: &str) -> &'a ServiceSpec {
    host(spec, name).service.as_ref().unwrap()
}

/// The problems of a text that describes no world.
fn problems_in(dir: &Path, text: &str) -> Vec<Problem> {
    match parse_in(dir, text) {
        Ok(loaded) => panic!("accepted: {:?}", loaded.spec),
        Err(error) => error.problems,
    }
}
