//! Claimed ids: those that programs may have on a store that claims certain ones.

use crate::conformance::judge::failure::Failing;
use crate::conformance::program::alphabet::Alphabet;
use crate::conformance::program::ids::{ids, renamed, simplest};
use crate::conformance::program::supported::{Pairs, Supported};
use crate::model::Op;

/// The ids of a program, and others that are claimed.
pub(super) struct ClaimedIds {
    ids: Vec<String>,
    alphabet: Option<Alphabet>,
    /// As many of the plainest tokens.
    tokens: Vec<String>,
}

/// So many of the pairs that a store supports.
const PAIRS: u64 = 16;

impl ClaimedIds {
    pub(super) fn of(ops: &[Op], pair: &Pairs, supported: &Supported) -> Self {
        let own = ids(ops).into_iter().map(str::to_owned);
        let mut ids: Vec<String> = own.filter(|id| !id.is_empty()).collect();
        for id in (0..PAIRS).flat_map(|number| pair(number)) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let tokens = simplest(ids.len());
        let alphabet = supported.alphabet.clone().and_then(Result::ok);
        Self {
            ids,
            alphabet,
            tokens,
        }
    }

    /// Whether a program has no others.
    pub(super) fn has_all(&self, ops: &[Op]) -> bool {
        ids(ops).into_iter().all(|id| {
            id.is_empty()
                || self.ids.iter().any(|known| known == id)
                || self
                    .alphabet
                    .as_ref()
                    .is_some_and(|alphabet| alphabet.has(id))
        })
    }

    /// The same with plain tokens in place of these ids.
    pub(super) fn with_tokens(&self, failing: &Failing) -> Failing {
        let names: Vec<(&String, &String)> = self.ids.iter().zip(&self.tokens).collect();
        Failing {
            ops: failing.ops.iter().map(|op| renamed(op, &names)).collect(),
            failure: failing.failure.clone(),
        }
    }

    /// And with these ids in place of plain tokens.
    pub(super) fn with_claimed(&self, ops: &[Op]) -> Vec<Op> {
        let names: Vec<(&String, &String)> = self.tokens.iter().zip(&self.ids).collect();
        ops.iter().map(|op| renamed(op, &names)).collect()
    }
}
