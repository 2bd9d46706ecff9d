//! Supported: the ids and values that programs may have in them.

use super::alphabet::Alphabet;
use super::payload;
use super::value_claims::ValueClaims;
use crate::model::Op;
use crate::token;
use std::fmt;
use std::sync::Arc;

/// The ids and values that a store supports: any, unless told.
#[derive(Clone, Default)]
pub(crate) struct Supported {
    pub(crate) ids: Option<Pairs>,
    /// The characters and lengths that these have, where they are given by those; or why there are none.
    pub(crate) alphabet: Option<Result<Alphabet, String>>,
    pub(crate) values: ValueClaims,
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

    /// Whether all values that are committed are supported.
    pub(crate) fn has_values_of(&self, ops: &[Op]) -> bool {
        let mut committed = ops.iter().filter_map(payload::committed);
        self.values.are_all() || committed.all(|snapshot| self.values.has(snapshot))
    }

    /// Whether small snapshots under an id as long as this are supported.
    pub(crate) fn fits_in(&self, id: &str) -> bool {
        // With a user, and without.
        let small = [98, 99].map(|number| payload::numbered(number, id));
        small.iter().all(|snapshot| self.values.has(snapshot))
    }
}

impl fmt::Debug for Supported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supported")
            .field("ids", &self.ids.as_ref().map(|_| ".."))
            .field("alphabet", &self.alphabet)
            .field("values", &self.values)
            .finish()
    }
}
