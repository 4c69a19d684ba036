//! A small regular-expression matcher that takes time linear in the text, whatever the pattern.
//!
//! In: the part of Java's syntax that mapping rules use: literals, `.`, classes, `\d \w \s` and their opposites, groups,
//! alternatives, `* + ? {m,n}` greedy and lazy, `^ $`. Look-around, back-references, possessive quantifiers and loops
//! around what may be empty are errors. Threads run side by side in order of preference (Pike's machine), so what matches first is what Java's
//! backtracking finds first.

mod compile;
mod parse;
mod run;

#[cfg(test)]
mod tests;

/// Bytes of a pattern and steps of its program, at most.
const PATTERN_MAX: usize = 1_024;
const PROGRAM_MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("pattern is longer than {PATTERN_MAX} bytes or repeats too much")]
    TooLarge,
    #[error("{0} is not supported in a pattern")]
    Unsupported(&'static str),
    #[error("pattern is malformed: {0}")]
    Malformed(&'static str),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    program: Vec<compile::Step>,
    groups: usize,
}

/// Where a match and its groups lie, in characters of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub start: usize,
    pub end: usize,
    /// Group 1 first; a group that took no part is absent.
    pub groups: Vec<Option<(usize, usize)>>,
}

impl Pattern {
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_MAX {
            return Err(PatternError::TooLarge);
        }
        let (node, groups) = parse::parse(text)?;
        Ok(Self {
            program: compile::compile(&node, groups)?,
            groups,
        })
    }

    /// Capturing groups of the pattern.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &[char]) -> bool {
        run::run(&self.program, self.groups, text, 0, run::Mode::Whole).is_some()
    }

    /// The first match at or behind a position.
    pub fn find(&self, text: &[char], from: usize) -> Option<Match> {
        run::run(&self.program, self.groups, text, from, run::Mode::Search)
    }
}
