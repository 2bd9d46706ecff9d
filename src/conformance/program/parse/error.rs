//! Error: why a text is not a program.

use std::fmt;

/// Why a text is not a program: what is wrong, where, and what is accepted there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramError {
    line: usize,
    column: usize,
    /// That line of the text, as far as it is worth showing.
    excerpt: String,
    message: String,
}

impl ProgramError {
    /// The line of the text, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character in that line, from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    pub(super) fn new(text: &str, at: usize, message: String) -> Self {
        let before = &text[..at];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = text[start..].lines().next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: text[start..at].chars().count() + 1,
            excerpt: line_text.to_owned(),
            message,
        }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Characters shown on either side of the place.
        const AROUND: usize = 60;
        let first = self.column.saturating_sub(1 + AROUND);
        let shown: String = self.excerpt.chars().skip(first).take(2 * AROUND).collect();
        write!(
            f,
            "line {} column {}: {}\n  {shown}\n  {:>width$}",
            self.line,
            self.column,
            self.message,
            "^",
            width = self.column - first
        )
    }
}

impl std::error::Error for ProgramError {}
