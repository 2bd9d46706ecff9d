//! Story: what happened before a failing call, and the clause that it points to.

mod counterfactual;

use crate::clause::Clause;
use crate::conformance::explain::diagnose::irreducible::are_particular;
use crate::conformance::explain::diagnose::irreducible::is_foreign;
use crate::conformance::explain::diagnose::irreducible::is_plain;
use crate::conformance::judge::failure::Failing;
use crate::conformance::judge::failure::Probe;
use crate::conformance::program::ids;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::model::{Model, Nanos, Op, Reply};
use crate::snapshot::Snapshot;

/// Beyond ten years, times are such as sums and units overflow at.
const HUGE: Nanos = 10 * 366 * 86_400 * 1_000_000_000;

/// What happened before the failing call, as far as it can matter to it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Story<'a> {
    ops: &'a [Op],
    /// The unit of plain times.
    pub(super) tick: Nanos,
    probe: Option<Probe<'a>>,
    /// When the last call came.
    now: Nanos,
    /// Of this id: the commit that should decide.
    commit: Option<(&'a Snapshot, Nanos)>,
    /// The clause under which that commit put it there: first, over a live entry, or again.
    by: Option<Clause>,
    pub(super) prepared: bool,
    /// A prepare has found it since its commit.
    seen_live: bool,
    /// A prepare has rightly found it gone since its commit.
    seen_gone: bool,
    /// A drop came when it was gone already.
    dropped_in_vain: bool,
    /// A drop came before its first commit.
    dropped_unknown: bool,
    /// Of any id:
    pub(super) refused: bool,
    /// For its id, as IDN-2 allows.
    refused_id: bool,
    /// Of other ids:
    pub(super) dropped_other: bool,
    pub(super) dropped_empty: bool,
    committed_other: Vec<&'a Snapshot>,
    committed_other_since: bool,
    /// Something was written under another id, whatever it was.
    written_other: bool,
    pub(super) prepared_other: bool,
    /// Some ids are strange, or differ in case only.
    foreign: bool,
    /// Other tokens would not do.
    particular: bool,
}

impl<'a> Story<'a> {
    pub(super) fn of(
        failing: &'a Failing,
        id: &str,
        tick: Nanos,
        probe: Option<Probe<'a>>,
    ) -> Self {
        let Failing { ops, failure } = failing;
        let mut story = Self {
            ops,
            tick,
            probe,
            now: 0,
            commit: None,
            by: None,
            prepared: false,
            seen_live: false,
            seen_gone: false,
            dropped_in_vain: false,
            dropped_unknown: false,
            refused: false,
            refused_id: !failure.refused_ids.is_empty(),
            dropped_other: false,
            dropped_empty: false,
            committed_other: Vec::new(),
            committed_other_since: false,
            written_other: false,
            prepared_other: false,
            foreign: false,
            particular: false,
        };
        let mut model = Model::default();
        for (at, op) in ops[..ops.len() - 1].iter().enumerate() {
            if failure.refused_ids.contains(&at) {
                continue;
            }
            let expected = model.step(op);
            let own = op.id() == Some(id);
            match op {
                Op::Advance { .. } | Op::Restart | Op::Commit { snapshot: None, .. } => {}
                Op::Prepare { .. } if own => {
                    story.prepared = true;
                    let otherwise = failure.otherwise.iter().find(|(place, _)| *place == at);
                    let reply = otherwise.map_or(&expected.reply, |(_, reply)| reply);
                    story.seen_gone |= story.commit.is_some() && *reply == Reply::Nothing;
                    story.seen_live |= matches!(reply, Reply::Found(_));
                }
                Op::Prepare { .. } => story.prepared_other = true,
                Op::Drop { .. } if own => {
                    let in_vain = expected.clause == Clause::Drp2;
                    story.dropped_in_vain |= in_vain && story.commit.is_some();
                    story.dropped_unknown |= in_vain && story.commit.is_none();
                }
                Op::Drop { id } if id.is_empty() => story.dropped_empty = true,
                Op::Drop { .. } => story.dropped_other = true,
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } => {
                    if expected.reply != Reply::Done {
                        story.refused = true;
                    } else if own {
                        story.commit = Some((snapshot, *ttl));
                        story.by = Some(expected.clause);
                        story.seen_gone = false;
                        story.seen_live = false;
                        story.dropped_in_vain = false;
                        story.committed_other_since = false;
                    } else {
                        story.committed_other.push(snapshot);
                        story.committed_other_since = true;
                    }
                }
            }
        }
        story.now = model.now();
        let ids = ids::ids(ops);
        story.foreign = ids.iter().any(|id| is_foreign(id))
            || ids
                .windows(2)
                .any(|pair| pair[0].eq_ignore_ascii_case(pair[1]));
        story.particular = are_particular(&ids) || story.are_these_tokens_needed(failing);
        if story.is_any_call_as_good(failing) {
            story.forget_calls();
        }
        if (story.dropped_other || story.dropped_empty) && story.is_any_write_as_good(failing, id) {
            (story.dropped_other, story.dropped_empty) = (false, false);
            story.written_other = true;
        }
        let ends_with_prepare = matches!(ops.last(), Some(Op::Prepare { .. }));
        let prepared = story.prepared || story.prepared_other;
        if ends_with_prepare && prepared && story.is_any_use_as_good(failing) {
            (story.prepared, story.prepared_other) = (false, false);
        }
        story
    }

    /// Leaves the commit that should decide, as if nothing else had been called.
    fn forget_calls(&mut self) {
        self.by = Some(Clause::Com5);
        (self.prepared, self.prepared_other) = (false, false);
        (self.dropped_in_vain, self.dropped_unknown) = (false, false);
        (self.dropped_other, self.dropped_empty) = (false, false);
        (self.refused, self.seen_gone) = (false, false);
        self.committed_other.clear();
    }

    pub(super) fn prepare(&self, failing: &Failing, outcome: &Outcome) -> Clause {
        let expected = &failing.failure.expected;
        match (&expected.reply, outcome) {
            (Reply::Nothing, Outcome::Replied(Reply::Found(_))) => {
                self.revived(failing, expected.clause)
            }
            (Reply::Found(_), Outcome::Replied(Reply::Nothing)) => self.lost(),
            (Reply::Found(_), Outcome::Replied(Reply::Found(found))) => self.changed(found),
            (Reply::Nothing, _) => self.failed_for_nothing(expected.clause),
            // What cannot be read is as good as lost.
            (_, _) => match self.lost() {
                Clause::Com5 => Clause::Pre3,
                clause => clause,
            },
        }
    }

    /// Nothing should be there, but to say so the store fails.
    fn failed_for_nothing(&self, decided: Clause) -> Clause {
        match decided {
            _ if self.refused => Clause::Com4,
            _ if self.foreign => Clause::Idn2,
            _ if self.seen_gone => Clause::Ttl4,
            _ if self.dropped_in_vain || self.dropped_unknown => Clause::Drp2,
            _ if self.dropped_other => Clause::Drp4,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            _ => decided,
        }
    }

    /// Nothing should be there, but something is.
    fn revived(&self, failing: &Failing, decided: Clause) -> Clause {
        match decided {
            _ if self.refused_id => Clause::Idn2,
            Clause::Pre2 if !self.foreign => Clause::Pre2,
            _ if self.refused => Clause::Com4,
            // Of a store that may evict: it outlived the entry committed last, or came back.
            Clause::Com5 | Clause::Ttl4 => decided,
            Clause::Pre1 | Clause::Pre2 if self.foreign || self.particular => Clause::Idn1,
            _ if self.dropped_other && !self.are_ids_confused() => Clause::Drp4,
            Clause::Pre1 if self.prepared => Clause::Pre4,
            Clause::Pre1 => Clause::Pre1,
            _ if self.seen_gone => Clause::Ttl4,
            _ if self.dropped_in_vain || self.dropped_unknown => Clause::Drp2,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Clause::Drp1 => Clause::Drp1,
            _ if self.by == Some(Clause::Com6) && self.does_the_replaced_matter() => Clause::Com6,
            _ if self.has_huge_ttl() => Clause::Com7,
            _ if self.are_ids_confused() => Clause::Idn1,
            _ if self.others_matter() => Clause::Ttl3,
            _ if self.by == Some(Clause::Com8) => Clause::Com8,
            _ if self.does_the_ttl_matter() && self.is_immortal(failing) => Clause::Com7,
            _ => Clause::Ttl2,
        }
    }

    /// It should be there, but nothing is.
    fn lost(&self) -> Clause {
        match self.by {
            _ if self.refused || self.refused_id => Clause::Com4,
            _ if self.foreign && ids::ids(self.ops).len() == 1 => Clause::Idn2,
            _ if self.are_ids_confused() => Clause::Idn1,
            _ if self.dropped_other => Clause::Drp4,
            // Tokens would not do.
            _ if self.dropped_empty && self.foreign => Clause::Idn1,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.dropped_unknown => Clause::Drp2,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Some(Clause::Com6) if self.does_the_replaced_matter() => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if self.does_the_ttl_matter() || self.now > HUGE => Clause::Com7,
            _ if self.now > 0 && self.others_matter() => Clause::Ttl3,
            _ if self.now > 0 => Clause::Ttl1,
            _ if self.seen_live => Clause::Pre3,
            _ if self.others_matter() && !self.committed_other_since => Clause::Com5,
            _ if self.others_matter() && self.would_a_long_life_do() => Clause::Ttl3,
            _ if self.others_matter() => Clause::Pre3,
            _ if self.has_rich_payload() => Clause::Snp4,
            _ => Clause::Com5,
        }
    }

    /// Something else is there.
    fn changed(&self, found: &Snapshot) -> Clause {
        let of_other = || {
            let mut others = self.committed_other.iter();
            others.any(|other| other.with_id("") == found.with_id(""))
        };
        match self.by {
            _ if self.refused || self.refused_id => Clause::Com4,
            _ if (self.foreign || self.particular) && of_other() || self.are_ids_confused() => {
                Clause::Idn1
            }
            _ if self.dropped_other => Clause::Drp4,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.prepared_other => Clause::Pre4,
            Some(Clause::Com6)
                if !self.prepared && self.is_replaced(found) && self.does_the_replaced_matter() =>
            {
                Clause::Com6
            }
            _ if !self.committed_other.is_empty() => Clause::Pre3,
            _ if self.prepared => Clause::Pre4,
            Some(Clause::Com6) => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if self.has_rich_payload() => Clause::Snp4,
            _ => Clause::Pre3,
        }
    }

    /// Whether it was committed under the same id before the last commit, and not again.
    fn is_replaced(&self, found: &Snapshot) -> bool {
        let is_found =
            |op: &Op| matches!(op, Op::Commit { snapshot: Some(one), .. } if one == found);
        self.ops.iter().any(is_found) && self.commit.is_some_and(|(last, _)| last != found)
    }

    fn others_matter(&self) -> bool {
        self.dropped_other
            || self.written_other
            || !self.committed_other.is_empty()
            || self.prepared_other
    }

    fn has_plain_ttl(&self) -> bool {
        self.commit.is_some_and(|(_, ttl)| is_plain(ttl, self.tick))
    }

    fn has_huge_ttl(&self) -> bool {
        self.commit.is_some_and(|(_, ttl)| ttl > HUGE)
    }

    /// A payload that an ordinary one could not replace. One without user and data is not ordinary.
    fn has_rich_payload(&self) -> bool {
        let number = |snapshot| payload::number_of(snapshot).unwrap_or(0);
        self.commit
            .is_some_and(|(snapshot, _)| number(snapshot) == 0)
    }
}
