//! Claimed: programs that have nothing in them but what the store claims, while they are made smaller.

use super::claimed_ids::ClaimedIds;
use crate::conformance::program::supported::Supported;
use crate::model::Op;

/// What programs next to a failing one may have.
pub(super) struct Claimed<'a> {
    supported: &'a Supported,
    /// Where the store claims certain ones.
    pub(super) ids: Option<ClaimedIds>,
    /// It was found with a value that is not claimed.
    has_other_values: bool,
}

impl<'a> Claimed<'a> {
    pub(super) fn of(ops: &[Op], supported: &'a Supported) -> Self {
        let pairs = supported.ids.as_ref();
        Self {
            supported,
            ids: pairs.map(|pair| ClaimedIds::of(ops, pair, supported)),
            has_other_values: !supported.has_values_of(ops),
        }
    }

    /// Whether a program has nothing else: of that, nothing is asked.
    pub(super) fn has_all(&self, ops: &[Op]) -> bool {
        let has_ids = self.ids.as_ref().is_none_or(|ids| ids.has_all(ops));
        has_ids && (self.has_other_values || self.supported.has_values_of(ops))
    }
}
