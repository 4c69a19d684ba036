//! How data and talk are printed.

use std::io::{IsTerminal, Write};

use serde::Serialize;

/// How data goes to standard output.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// The value as JSON, or the text for people.
    pub fn data<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) {
        let line = if self.json {
            serde_json::to_string_pretty(value)
                .unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
        } else {
            text(value)
        };
        if !line.is_empty() {
            print(&line);
        }
    }
}

/// One text to standard output. A closed pipe is not an error worth telling.
pub fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'));
}

/// One text to standard error.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

/// A failure, to standard error.
pub fn complain(text: &str) {
    let stderr = std::io::stderr();
    let colour = stderr.is_terminal();
    let mark = if colour {
        "\u{1b}[31merror:\u{1b}[0m"
    } else {
        "error:"
    };
    say(&format!("{mark} {text}"));
}

/// Columns, each as wide as its widest cell; the first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows =
            [["NAME", "KIND"], ["alice", "person"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "NAME   KIND\nalice  person\n");
    }
}
