//! Decode error: why bytes are no snapshot.

/// Why bytes did not decode. Says where, never what stood there (SNP-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are not the wire form of a snapshot.
    #[error("not a snapshot: {category} at line {line} column {column}")]
    Malformed {
        /// What kind of thing is wrong.
        category: Category,
        /// Line of the bytes, from 1.
        line: usize,
        /// Column in that line, in bytes, from 1; 0 when the line is where it was missed.
        column: usize,
    },
    /// They are a snapshot, of another id than the key they were read under.
    #[error("snapshot has another id than the key it was read under")]
    OtherId,
    /// The entry has no such bytes: another program wrote it, or the backend cannot read it itself.
    #[error("entry holds no snapshot")]
    NoSnapshot,
}

/// What is wrong with bytes that are not a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Category {
    /// They are not JSON, or nest deeper than a snapshot can.
    #[error("bad JSON")]
    Syntax,
    /// They are JSON of another shape, or hold a value that a snapshot cannot.
    #[error("unexpected content")]
    Content,
    /// They stop half way.
    #[error("premature end")]
    End,
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category as Json;
        Self::Malformed {
            category: match error.classify() {
                Json::Syntax | Json::Io => Category::Syntax,
                Json::Data => Category::Content,
                Json::Eof => Category::End,
            },
            line: error.line(),
            column: error.column(),
        }
    }
}
