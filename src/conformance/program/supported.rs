//! Supported: the ids and values that programs may have in them.

use super::alphabet::Alphabet;
use super::payload;
use crate::data::MAX_DEPTH;
use crate::snapshot::Snapshot;
use crate::token;
use std::fmt;
use std::sync::Arc;

/// The ids and values that a store supports: any, unless told.
#[derive(Clone, Default)]
pub(crate) struct Supported {
    pub(crate) ids: Option<Pairs>,
    /// The characters and lengths that these have, where they are given by those; or why there are none.
    pub(crate) alphabet: Option<Result<Alphabet, String>>,
    /// How deep values may nest, in levels.
    pub(crate) depth: Option<usize>,
    /// How large a snapshot's wire form may be, in bytes.
    pub(crate) size: Option<usize>,
}

/// Pairs of ids, by a number.
pub(crate) type Pairs = Arc<dyn Fn(u64) -> [String; 2] + Send + Sync>;

impl Supported {
    /// Two ids: tokens, unless it has others.
    pub(crate) fn two_ids(&self) -> [String; 2] {
        match &self.ids {
            None => ["A", "B"].map(|letter| letter.repeat(token::LEN)),
            Some(pair) => pair(0),
        }
    }

    /// The deepest values, in levels.
    pub(crate) fn levels(&self) -> usize {
        self.depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH)
    }

    /// Whether a snapshot is no larger than what is supported.
    pub(crate) fn fits(&self, snapshot: &Snapshot) -> bool {
        let size = || snapshot.encode().len();
        self.size.is_none_or(|limit| size() <= limit)
    }

    /// Whether small snapshots under an id as long as this are.
    pub(crate) fn fits_in(&self, id: &str) -> bool {
        // With a user, and without.
        let small = [98, 99].map(|number| payload::numbered(number, id));
        small.iter().all(|snapshot| self.fits(snapshot))
    }
}

impl fmt::Debug for Supported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supported")
            .field("ids", &self.ids.as_ref().map(|_| ".."))
            .field("alphabet", &self.alphabet)
            .field("depth", &self.depth)
            .field("size", &self.size)
            .finish()
    }
}
