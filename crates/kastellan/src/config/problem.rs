//! What is wrong in a configuration: where, what, and how to put it right. All problems are told at once.

use std::fmt;
use std::path::PathBuf;

/// One problem. `line` counts from 1; absent when the problem is not at one place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: Option<usize>,
    /// `gateway.listener[1].bind`
    pub key: String,
    pub message: String,
}

/// Every problem of one file, in order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    pub file: Option<PathBuf>,
    pub list: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match (&self.file, problem.line) {
                (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
                (Some(file), None) => write!(f, "{}: ", file.display())?,
                (None, _) => {}
            }
            if !problem.key.is_empty() {
                write!(f, "{}: ", problem.key)?;
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
