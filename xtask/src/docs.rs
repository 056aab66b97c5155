//! The pages of the book that come from the program.

use crate::{process, project};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const NOTE: &str = "<!-- Written by `cargo xtask docs` from the program. Change the program, not this page. -->\n";

/// `cargo xtask docs`
#[derive(clap::Args)]
pub struct Options {
    /// Write nothing; fail if a page differs from what the program says
    #[arg(long)]
    check: bool,
}

/// Writes or checks the pages.
pub fn run(options: &Options) -> Result<()> {
    let snowglobe = project::build_snowglobe()?;
    if options.check {
        return check(&snowglobe);
    }
    for (path, text) in pages(&snowglobe)? {
        std::fs::create_dir_all(path.parent().context("a page has a folder")?)?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Fails if a page differs from what the program says.
pub fn check(snowglobe: &Path) -> Result<()> {
    let differs = |(path, text): &(PathBuf, String)| std::fs::read_to_string(path).ok().as_ref() != Some(text);
    let old: Vec<_> = pages(snowglobe)?.into_iter().filter(differs).map(|(path, _)| path).collect();
    if !old.is_empty() {
        bail!("not what the program says: {old:?}; `cargo xtask docs` writes them anew");
    }
    println!("docs: the reference pages match the program");
    Ok(())
}

fn pages(snowglobe: &Path) -> Result<Vec<(PathBuf, String)>> {
    let folder = project::root().join("book/src/reference");
    Ok(vec![
        (folder.join("cli.md"), cli(snowglobe)?),
        (folder.join("world-file.md"), world_file(snowglobe)?),
        (folder.join("support.md"), support(snowglobe)?),
    ])
}

fn ask(snowglobe: &Path, args: &[&str]) -> Result<String> {
    // Help is wrapped to the terminal's width unless told otherwise.
    process::output_of(Command::new(snowglobe).args(args).env("COLUMNS", "100").env("NO_COLOR", "1"))
}

/// The help of every command, as it is printed.
fn cli(snowglobe: &Path) -> Result<String> {
    let top = ask(snowglobe, &["--help"])?;
    let mut page = format!("{NOTE}\n# The command line\n\n```text\n{}\n```\n", top.trim_end());
    for command in subcommands(&top) {
        let help = ask(snowglobe, &[command, "--help"])?;
        write!(page, "\n## snowglobe {command}\n\n```text\n{}\n```\n", help.trim_end())?;
    }
    Ok(page)
}

/// The names under "Commands:" of a help text.
fn subcommands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

/// The keys as the reader of world files has them; it prints Markdown.
fn world_file(snowglobe: &Path) -> Result<String> {
    let intro = "A world file is a Compose file. A key that is not named here is an error with its line and column. One that is \
                 refused may say that it asks for nothing: `false`, an empty list, or no value.";
    let keys = ask(snowglobe, &["reference", "world"])?;
    Ok(format!("{NOTE}\n# The world file\n\n{intro}\n\n{}\n", keys.trim()))
}

fn support(snowglobe: &Path) -> Result<String> {
    let intro =
        "Every system call of Linux on x86-64 and what the layer does with it. Dispatch comes from the same table.";
    table_page("System calls", intro, &ask(snowglobe, &["support", "--json"])?)
}

fn table_page(title: &str, intro: &str, json: &str) -> Result<String> {
    let value: Value = serde_json::from_str(json).with_context(|| format!("{title}: what snowglobe printed"))?;
    let rows = rows(&value).with_context(|| format!("{title}: no list of objects"))?;
    Ok(format!("{NOTE}\n# {title}\n\n{intro}\n\n{}", table(rows)?))
}

/// The list itself, or the one list in an object.
fn rows(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().or_else(|| value.as_object()?.values().find_map(Value::as_array))
}

/// A Markdown table of objects; the first one's fields are the columns.
fn table(rows: &[Value]) -> Result<String> {
    let first = rows.first().and_then(Value::as_object).context("an empty list")?;
    let columns: Vec<&String> = first.keys().collect();
    let titles: Vec<String> = columns.iter().map(|column| capitalised(&column.replace('_', " "))).collect();
    let mut text = format!("| {} |\n|{}\n", titles.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        let cells: Vec<String> = columns.iter().map(|column| cell(&row[column.as_str()])).collect();
        writeln!(text, "| {} |", cells.join(" | "))?;
    }
    Ok(text)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace('|', "\\|").replace('\n', " "),
        Value::Array(list) => list.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_help() {
        let help = "Runs worlds\n\nCommands:\n  run     Runs a world\n          of hosts\n  verify  Checks\n  help    Print\n\n\
                    Options:\n  -h  help\n";
        assert_eq!(subcommands(help), ["run", "verify"]);
    }

    #[test]
    fn a_list_of_objects_becomes_a_table_in_the_order_of_its_fields() {
        let page = table_page("T", "I.", r#"{"calls":[{"nr":0,"name":"read","note":"a|b"},{"nr":1,"name":"write"}]}"#);
        let expected = "| Nr | Name | Note |\n|---|---|---|\n| 0 | read | a\\|b |\n| 1 | write |  |\n";
        assert!(page.unwrap().ends_with(expected));
    }
}
