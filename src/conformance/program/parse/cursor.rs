//! Cursor: a place in a text, and what is read there.

/// What is wrong, and where.
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
}

pub(super) fn wrong<T>(at: usize, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        at,
        message: message.into(),
    })
}

pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    /// Whether the text is of the version that has neither clients nor cancelled calls.
    pub(super) is_s1: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        if self.rest().starts_with('#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// Skips what separates operations; says whether anything did.
    pub(super) fn skip_separators(&mut self) -> bool {
        let start = self.at;
        loop {
            self.skip_blanks();
            if !self.eat(";") && !self.eat("\n") {
                return self.text[start..self.at].contains([';', '\n']);
            }
        }
    }

    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// The next word, where it starts.
    pub(super) fn word(&mut self) -> (usize, &'a str) {
        self.skip_blanks();
        let start = self.at;
        let end = self
            .rest()
            .find(|c: char| {
                c.is_whitespace() || matches!(c, ';' | '#' | '+' | '*' | ',' | '{' | '|' | '}')
            })
            .map_or(self.text.len(), |end| start + end);
        self.at = end;
        (start, &self.text[start..end])
    }

    /// The next word, which stays where it is.
    pub(super) fn next_word(&mut self) -> &'a str {
        let (start, word) = self.word();
        self.at = start;
        word
    }

    /// Whether `word` is next; it is skipped then.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.next_word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    /// A whole number from `least` on, which is `what`.
    pub(super) fn number(&mut self, what: &str, least: u32) -> Result<u32, Wrong> {
        let (at, word) = self.word();
        let is_number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        match word.parse() {
            Ok(number) if is_number && number >= least => Ok(number),
            _ => wrong(
                at,
                format!(
                    "no number {word:?}; {what} is a whole number from {least} to {}",
                    u32::MAX
                ),
            ),
        }
    }

    /// What is wrong with a word that only `s2:` has.
    pub(super) fn needs_s2(&self, at: usize, word: &str) -> Result<(), Wrong> {
        match self.is_s1 {
            true => wrong(
                at,
                format!("`{word}` takes version s2: write `s2:` in front"),
            ),
            false => Ok(()),
        }
    }
}
