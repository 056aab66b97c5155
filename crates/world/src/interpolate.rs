//! `$VAR` and `${VAR:-default}` in values, and `.env` files, as Compose has them.

use std::collections::BTreeMap;

use crate::problem::Problems;
use crate::yaml::{Node, Value};

/// Variables by name.
pub type Vars = BTreeMap<String, String>;

/// How deep defaults may hold variables of their own.
const MAX_DEPTH: usize = 16;
/// Longest text that a value may become.
const MAX_TEXT: usize = 1 << 20;

/// What a text asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The text with its variables filled in.
    pub text: String,
    /// Variables that were not set and had no default.
    pub unset: Vec<String>,
}

/// Fills in the variables of a text.
///
/// # Errors
/// What is wrong with it, for the user.
pub fn expand(text: &str, vars: &Vars) -> Result<Expanded, String> {
    let mut unset = Vec::new();
    let text = expand_into(text, vars, &mut unset, 0)?;
    Ok(Expanded { text, unset })
}

fn expand_into(text: &str, vars: &Vars, unset: &mut Vec<String>, depth: usize) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err("defaults within defaults go too deep".to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = closing_brace(after).ok_or("`${` without its `}`")?;
            out.push_str(&braced(&after[..end], vars, unset, depth)?);
            rest = &after[end + 1..];
        } else {
            let end = name_len(rest);
            if end == 0 {
                return Err("a lone `$`: write `$$` for the character itself".to_owned());
            }
            out.push_str(&lookup(&rest[..end], vars, unset));
            rest = &rest[end..];
        }
        if out.len() > MAX_TEXT {
            return Err("the value becomes too long".to_owned());
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands between `${` and `}`.
fn braced(inner: &str, vars: &Vars, unset: &mut Vec<String>, depth: usize) -> Result<String, String> {
    let end = name_len(inner);
    let (name, operator) = inner.split_at(end);
    if name.is_empty() {
        return Err(format!("`${{{inner}}}` names no variable"));
    }
    let value = vars.get(name);
    let filled = value.filter(|v| !v.is_empty());
    let (present, word) = match operator.as_bytes() {
        [] => return Ok(lookup(name, vars, unset)),
        [b':', b'-' | b'?' | b'+', ..] => (filled, &operator[2..]),
        [b'-' | b'?' | b'+', ..] => (value, &operator[1..]),
        _ => return Err(format!("`${{{inner}}}`: after the name comes one of `:-`, `-`, `:?`, `?`, `:+`, `+`")),
    };
    let kind = operator.trim_start_matches(':').as_bytes()[0];
    match (kind, present) {
        (b'+', Some(_)) => expand_into(word, vars, unset, depth + 1),
        (b'+', None) => Ok(String::new()),
        (_, Some(value)) => Ok(value.clone()),
        (b'-', None) => expand_into(word, vars, unset, depth + 1),
        (_, None) if word.is_empty() => Err(format!("the variable `{name}` must be set")),
        (_, None) => Err(format!("the variable `{name}` must be set: {word}")),
    }
}

fn lookup(name: &str, vars: &Vars, unset: &mut Vec<String>) -> String {
    vars.get(name).cloned().unwrap_or_else(|| {
        unset.push(name.to_owned());
        String::new()
    })
}

fn name_len(text: &str) -> usize {
    let mut len = 0;
    for b in text.bytes() {
        if b == b'_' || b.is_ascii_alphabetic() || (len > 0 && b.is_ascii_digit()) {
            len += 1;
        } else {
            break;
        }
    }
    len
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let bytes = text.as_bytes();
    for (i, b) in bytes.iter().enumerate() {
        match b {
            b'{' if i > 0 && bytes[i - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(i),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Fills in the variables of all values of a tree. Keys stay as they are.
pub fn expand_tree(node: &mut Node, vars: &Vars, problems: &mut Problems) {
    match &mut node.value {
        Value::Null => {}
        Value::Scalar(text) => {
            if !text.contains('$') {
                return;
            }
            match expand(text, vars) {
                Ok(done) => {
                    *text = done.text;
                    for name in done.unset {
                        problems.warn(
                            node.span,
                            format!("the variable `{name}` is not set: it becomes nothing"),
                            &format!(
                                "set it in the environment or in `.env`, write `${{{name}:-}}` for nothing, or `$$` for a `$`"
                            ),
                        );
                    }
                }
                Err(what) => problems.error(node.span, what, "here", "a `$` that is meant literally is written `$$`"),
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(|item| expand_tree(item, vars, problems)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| expand_tree(value, vars, problems)),
    }
}

/// Reads an environment file: `NAME=value` lines, `#` remarks, quotes, `export`, and variables set before.
/// A line with a name alone takes that variable from `outer`, if it is set there.
///
/// # Errors
/// The line's number, from 1, and what is wrong with it.
pub fn env_file(text: &str, outer: &Vars) -> Result<Vec<(String, String)>, (usize, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut known = outer.clone();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let bad = |what: &str| (number + 1, what.to_owned());
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once(['=', ':']) else {
            let name = line.split_whitespace().next().unwrap_or_default();
            if let Some(value) = outer.get(name) {
                out.push((name.to_owned(), value.clone()));
            }
            continue;
        };
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) || name.contains('\0') {
            return Err(bad("a line is `NAME=value`"));
        }
        let value = value.trim_start();
        let value = match value.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                let mut body = value[1..].to_owned();
                let end = loop {
                    if let Some(end) = closing_quote(&body, quote) {
                        break end;
                    }
                    let (_, more) = lines.next().ok_or_else(|| bad("a quote that does not end"))?;
                    body.push('\n');
                    body.push_str(more);
                };
                let body = &body[..end];
                if quote == '\'' { body.to_owned() } else { expand(&unescape(body), &known).map_err(|e| bad(&e))?.text }
            }
            _ => {
                let end = value.find(" #").unwrap_or(value.len());
                expand(value[..end].trim_end(), &known).map_err(|e| bad(&e))?.text
            }
        };
        if value.contains('\0') {
            return Err(bad("a value with a zero byte"));
        }
        known.insert(name.to_owned(), value.clone());
        out.push((name.to_owned(), value));
    }
    Ok(out)
}

fn closing_quote(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return Some(i),
            _ => {}
        }
    }
    None
}

fn unescape(body: &str) -> String {
    let mut out = String::new();
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('$') => out.push_str("$$"),
            Some(other @ ('"' | '\\')) => out.push(other),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars() -> Vars {
        [("A", "1"), ("EMPTY", ""), ("B_2", "two")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn variables_are_filled_in_as_compose_does() {
        for (text, want) in [
            ("x$A-y", "x1-y"),
            ("${A}${B_2}", "1two"),
            ("$$A", "$A"),
            ("$${A}", "${A}"),
            ("${NO:-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NO-${A}}", "1"),
            ("${NO:-${ALSO:-${A}x}y}", "1xy"),
            ("${A:+yes}${NO:+no}${EMPTY+e}", "yese"),
            ("${A:?msg}", "1"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(text, &vars()).unwrap().text, want, "{text}");
        }
        assert_eq!(expand("$NO", &vars()).unwrap().unset, ["NO"]);
    }

    #[test]
    fn what_cannot_be_filled_in_says_why() {
        for (text, want) in [
            ("${NO:?needed}", "must be set: needed"),
            ("${NO?}", "must be set"),
            ("a $ b", "lone"),
            ("${A", "without"),
            ("${}", "names no"),
            ("${A!}", "after the name"),
        ] {
            let error = expand(text, &vars()).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
        assert!(expand(&format!("{}x{}", "${N:-".repeat(5000), "}".repeat(5000)), &vars()).is_err());
    }

    #[test]
    fn an_environment_file_has_remarks_quotes_and_variables() {
        let text =
            "# c\n\nP=1\nexport Q = two words # c\nR='$A #'\nS=\"$A\\n\\$x\"\nT=${P}${Q}\nA\nNOT\nU=\"a\nb\"\nV=a#b\n";
        let got = env_file(text, &vars()).unwrap();
        let want = [
            ("P", "1"),
            ("Q", "two words"),
            ("R", "$A #"),
            ("S", "1\n$x"),
            ("T", "1two words"),
            ("A", "1"),
            ("U", "a\nb"),
            ("V", "a#b"),
        ];
        assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(env_file("A=1\nB='x", &vars()).unwrap_err().0, 2);
        assert_eq!(env_file("A B=1", &vars()).unwrap_err().0, 1);
    }
}
