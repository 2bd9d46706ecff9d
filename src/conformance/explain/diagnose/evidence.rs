//! Evidence: what happened before a failing call, as far as it can matter to it.

mod clause;
mod counterfactual;

pub(super) use counterfactual::unused_id;

use crate::clause::Clause;
use crate::conformance::explain::diagnose::irreducible::{are_particular_tokens, is_foreign};
use crate::conformance::judge::failure::{Failing, Probe};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{ids, unsupported};
use crate::model::{Model, Nanos, Op, Reply};
use crate::snapshot::Snapshot;

/// Beyond ten years, times are such as sums and units overflow at.
const HUGE: Nanos = 10 * 366 * 86_400 * 1_000_000_000;

/// What a program of one client says before its last call. Programs that are run instead of it take away
/// what does not matter.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Evidence<'a> {
    ops: &'a [Op],
    /// The unit of plain times.
    tick: Nanos,
    probe: Option<Probe<'a>>,
    /// When the last call came.
    now: Nanos,
    /// The commit that should decide: the last one under the id of the failing call, with its ttl.
    deciding_commit: Option<(&'a Snapshot, Nanos)>,
    /// The clause that says what it did: create the entry, replace a live one, or create it again.
    decided_by: Option<Clause>,
    /// A prepare came under this id.
    prepared: bool,
    /// A prepare has found it since its commit.
    was_found_live: bool,
    /// A prepare has rightly found it gone since its commit.
    was_found_gone: bool,
    /// A drop came when it was gone already.
    dropped_when_gone: bool,
    /// A drop came before its first commit.
    dropped_before_commit: bool,
    /// A commit was rightly refused, under whatever id.
    refused: bool,
    /// The clause by which the last of those was refused that were refused as unsupported.
    refused_by: Option<Clause>,
    /// A drop of another id, which is not empty.
    dropped_other: bool,
    dropped_empty: bool,
    /// What was committed under other ids.
    committed_other: Vec<&'a Snapshot>,
    /// Some of it after the commit that should decide.
    committed_other_since: bool,
    /// Something was written under another id, whatever it was.
    written_other: bool,
    prepared_other: bool,
    /// Some ids are no tokens, or differ only in case, so that a store may take one for another.
    has_confusable_ids: bool,
    /// Other tokens would not do.
    has_particular_tokens: bool,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(
        failing: &'a Failing,
        id: &str,
        tick: Nanos,
        probe: Option<Probe<'a>>,
    ) -> Self {
        let Failing { ops, failure } = failing;
        let mut evidence = Self {
            ops,
            tick,
            probe,
            now: 0,
            deciding_commit: None,
            decided_by: None,
            prepared: false,
            was_found_live: false,
            was_found_gone: false,
            dropped_when_gone: false,
            dropped_before_commit: false,
            refused: false,
            refused_by: { failure.refusals.values() }
                .next_back()
                .map(|constraint| unsupported::clause(*constraint)),
            dropped_other: false,
            dropped_empty: false,
            committed_other: Vec::new(),
            committed_other_since: false,
            written_other: false,
            prepared_other: false,
            has_confusable_ids: false,
            has_particular_tokens: false,
        };
        let mut model = Model::default();
        for (at, op) in ops[..ops.len() - 1].iter().enumerate() {
            if failure.refusals.contains_key(&at) {
                continue;
            }
            let expected = model.step(op);
            let own = op.id() == Some(id);
            match op {
                Op::Advance { .. } | Op::Restart | Op::Commit { snapshot: None, .. } => {}
                Op::Prepare { .. } if own => {
                    evidence.prepared = true;
                    let otherwise = failure.otherwise.iter().find(|(place, _)| *place == at);
                    let reply = match otherwise {
                        Some((_, Outcome::Replied(reply))) => reply,
                        _ => &expected.reply,
                    };
                    evidence.was_found_gone |=
                        evidence.deciding_commit.is_some() && *reply == Reply::Nothing;
                    evidence.was_found_live |= matches!(reply, Reply::Found(_));
                }
                Op::Prepare { .. } => evidence.prepared_other = true,
                Op::Drop { .. } if own => {
                    let in_vain = expected.clause == Clause::Drp2;
                    evidence.dropped_when_gone |= in_vain && evidence.deciding_commit.is_some();
                    evidence.dropped_before_commit |= in_vain && evidence.deciding_commit.is_none();
                }
                Op::Drop { id } if id.is_empty() => evidence.dropped_empty = true,
                Op::Drop { .. } => evidence.dropped_other = true,
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } => {
                    if expected.reply != Reply::Done {
                        evidence.refused = true;
                    } else if own {
                        evidence.deciding_commit = Some((snapshot, *ttl));
                        evidence.decided_by = Some(expected.clause);
                        evidence.was_found_gone = false;
                        evidence.was_found_live = false;
                        evidence.dropped_when_gone = false;
                        evidence.committed_other_since = false;
                    } else {
                        evidence.committed_other.push(snapshot);
                        evidence.committed_other_since = true;
                    }
                }
            }
        }
        evidence.now = model.now();
        let ids = ids::ids(ops);
        evidence.has_confusable_ids = ids.iter().any(|id| is_foreign(id))
            || ids
                .windows(2)
                .any(|pair| pair[0].eq_ignore_ascii_case(pair[1]));
        evidence.has_particular_tokens =
            are_particular_tokens(&ids) || evidence.are_these_tokens_needed(failing);
        if evidence.fails_alike_with_any_calls(failing) {
            evidence.disregard_other_calls();
        }
        if (evidence.dropped_other || evidence.dropped_empty)
            && evidence.fails_alike_with_commits_for_drops(failing, id)
        {
            (evidence.dropped_other, evidence.dropped_empty) = (false, false);
            evidence.written_other = true;
        }
        let ends_with_prepare = matches!(ops.last(), Some(Op::Prepare { .. }));
        let prepared = evidence.prepared || evidence.prepared_other;
        if ends_with_prepare && prepared && evidence.fails_alike_with_commits_for_prepares(failing)
        {
            (evidence.prepared, evidence.prepared_other) = (false, false);
        }
        evidence
    }

    /// Leaves the commit that should decide, as if nothing else had been called.
    fn disregard_other_calls(&mut self) {
        self.decided_by = Some(Clause::Com5);
        (self.prepared, self.prepared_other) = (false, false);
        (self.dropped_when_gone, self.dropped_before_commit) = (false, false);
        (self.dropped_other, self.dropped_empty) = (false, false);
        (self.refused, self.was_found_gone) = (false, false);
        self.committed_other.clear();
    }
}
