//! What is wrong with a world file: where, and what to do.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// A stretch of a source text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// How long it is.
    pub len: usize,
}

impl Span {
    /// The text that it covers; empty when it lies outside.
    pub fn of<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.start..self.start.saturating_add(self.len)).unwrap_or("")
    }
}

/// A named text to which problems point.
#[derive(Clone, Debug)]
pub struct Source(Arc<NamedSource<String>>);

impl Source {
    /// Wraps a text with the name by which the user knows it.
    pub fn new(name: &str, text: &str) -> Source {
        Source(Arc::new(NamedSource::new(name, text.to_owned()).with_language("yaml")))
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.inner()
    }

    /// Line and column of a byte, both from 1, the column in characters.
    fn line_column(&self, at: usize) -> (usize, usize) {
        let text = self.text();
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Problem {
    message: String,
    help: Option<String>,
    source: Option<Source>,
    labels: Vec<(Span, String)>,
    warning: bool,
}

impl Problem {
    /// A problem without a place.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), help: None, source: None, labels: Vec::new(), warning: false }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Points at a stretch of a text; the first one is the problem's place.
    #[must_use]
    pub fn at(mut self, source: &Source, span: Span, label: impl Into<String>) -> Problem {
        self.source = Some(source.clone());
        self.labels.push((span, label.into()));
        self
    }

    /// Makes it a remark that stops nothing.
    #[must_use]
    pub fn warning(mut self) -> Problem {
        self.warning = true;
        self
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// File, line and column, where there is one.
    pub fn place(&self) -> Option<Place> {
        let source = self.source.as_ref()?;
        let (line, column) = source.line_column(self.labels.first()?.0.start);
        Some(Place { file: source.name().to_owned(), line, column })
    }
}

/// Longest line that is shown, in bytes.
const SHOWN: usize = 2000;

impl Problem {
    /// Whether the lines that it points to, and those around them, can be shown to a person. Where not, it names the place.
    fn is_shown(&self) -> bool {
        let Some(source) = &self.source else { return true };
        let text = source.text().as_bytes();
        let newline = |byte: &u8| *byte == b'\n';
        self.labels.iter().all(|(span, _)| {
            let at = span.start.min(text.len());
            let before = text[..at].rsplit(newline).take(2);
            let after = text[at..].split(newline).take(2);
            before.chain(after).all(|part| part.len() <= SHOWN)
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.place().filter(|_| !self.is_shown()) {
            Some(Place { file, line, column }) => write!(f, " ({file}:{line}:{column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<miette::Severity> {
        Some(if self.warning { miette::Severity::Warning } else { miette::Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().filter(|_| self.is_shown()).map(|source| &*source.0 as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if !self.is_shown() {
            return None;
        }
        let size = self.source.as_ref().map_or(0, |source| source.text().len());
        Some(Box::new(self.labels.iter().enumerate().map(move |(i, (span, label))| {
            let start = span.start.min(size);
            let range = (start, span.len.min(size - start));
            let label = (!label.is_empty()).then(|| label.clone());
            if i == 0 {
                LabeledSpan::new_primary_with_span(label, range)
            } else {
                LabeledSpan::new_with_span(label, range)
            }
        })))
    }
}

/// Why a world could not be had: every problem that was found.
#[derive(Clone, Debug)]
pub struct WorldError {
    /// In the order in which they were found; at least one.
    pub problems: Vec<Problem>,
}

impl From<Problem> for WorldError {
    fn from(problem: Problem) -> WorldError {
        WorldError { problems: vec![problem] }
    }
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            if let Some(place) = problem.place() {
                write!(f, "{}:{}:{}: ", place.file, place.line, place.column)?;
            }
            write!(f, "{}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for WorldError {}

/// Collects problems, so that a user sees all of them at once.
#[derive(Debug)]
pub struct Problems {
    /// The text that is looked at.
    pub source: Source,
    /// What stops the world.
    pub errors: Vec<Problem>,
    /// What does not.
    pub warnings: Vec<Problem>,
}

impl Problems {
    /// An empty collection about one text.
    pub fn new(source: Source) -> Problems {
        Problems { source, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Notes an error at a place.
    pub fn error(&mut self, span: Span, message: impl Into<String>, label: &str, help: impl Into<String>) {
        let problem = Problem::new(message).at(&self.source, span, label);
        let help = help.into();
        self.errors.push(if help.is_empty() { problem } else { problem.help(help) });
    }

    /// Notes an error that has two places.
    pub fn clash(&mut self, here: (Span, &str), there: (Span, &str), message: impl Into<String>, help: &str) {
        self.errors
            .push(Problem::new(message).at(&self.source, here.0, here.1).at(&self.source, there.0, there.1).help(help));
    }

    /// Notes a remark at a place.
    pub fn warn(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.warnings.push(Problem::new(message).at(&self.source, span, "").help(help).warning());
    }

    /// The place of a stretch in words that do not depend on where the file lies: `world.yaml:12`.
    pub(crate) fn line(&self, span: Span) -> String {
        let name = self.source.name();
        let name = name.rsplit('/').next().unwrap_or(name);
        format!("{name}:{}", self.source.line_column(span.start).0)
    }

    /// Ends the collection: an error when there is any.
    ///
    /// # Errors
    /// All errors noted so far.
    pub fn check(&mut self) -> Result<(), WorldError> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let mut problems = std::mem::take(&mut self.errors);
        // As a reader of the file meets them; those of other files keep their place behind.
        let here = self.source.name().to_owned();
        problems.sort_by_key(|problem| match problem.place() {
            Some(place) if place.file == here => (0, place.line, place.column),
            _ => (1, 0, 0),
        });
        Err(WorldError { problems })
    }
}

/// The known word nearest to what was written, when one is near enough to be meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_ascii_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= word.len().max(written.len()).div_ceil(4).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// `did you mean `x`?`, or what may be written instead.
pub fn suggestion<'a>(written: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(written, known.clone()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            let known: Vec<String> = known.into_iter().map(|word| format!("`{word}`")).collect();
            if known.is_empty() {
                String::from("there is none to choose from")
            } else {
                format!("one of {}", known.join(", "))
            }
        }
    }
}
