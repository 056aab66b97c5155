//! What programs wrote, by pattern.

use regex::Regex;

use crate::finding::{Finding, Kind, Outcome};

/// A pattern, applied to lines. An anchor (`^`, `$`) is the line's beginning or end.
///
/// # Errors
/// What is wrong with it.
pub fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string().lines().last().unwrap_or("it is no pattern").to_owned())
}

/// Judges outputs of a host: one text for each stream that is looked at, with its name.
pub fn judge(host: &str, texts: &[(&str, &[u8])], pattern: &Regex, must: bool) -> Outcome {
    let mut out = Outcome::default();
    let names: Vec<&str> = texts.iter().map(|(name, _)| *name).collect();
    let names = names.join(" and ");
    let lines = texts.iter().flat_map(|(name, text)| {
        String::from_utf8_lossy(text)
            .lines()
            .enumerate()
            .map(|(at, line)| (*name, at + 1, line.to_owned()))
            .collect::<Vec<_>>()
    });
    let found = lines.into_iter().find(|(_, _, line)| pattern.is_match(line));
    let rule = format!("{names} of {host} must {}match `{pattern}`", if must { "" } else { "not " });
    let key = format!("{host}/{}match/{pattern}", if must { "" } else { "not-" });
    match (must, found) {
        (true, None) => out.findings.push(Finding::new(Kind::Output, key, format!("{rule}: no line does"))),
        (false, Some((name, at, line))) => {
            let text = format!("{rule}: line {at} of {name} does:\n  {line}");
            out.findings.push(Finding::new(Kind::Output, key, text));
        }
        _ => {}
    }
    out.checked.push(rule);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_match_some_line_or_none() {
        let text: &[(&str, &[u8])] = &[("stdout", b"ready\nPANIC: \xff\n"), ("stderr", b"")];
        for (words, must, passes) in
            [("^ready$", true, true), ("PANIC", false, false), ("gone", true, false), ("gone", false, true)]
        {
            let out = judge("db", text, &pattern(words).unwrap(), must);
            assert_eq!(out.findings.is_empty(), passes, "{words}");
            assert_eq!(out.checked.len(), 1);
        }
        assert!(pattern("(").is_err());
    }
}
