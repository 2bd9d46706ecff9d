//! Story: what happened before a failing prepare, and the clause that it points to.

use super::{Probe, is_foreign, is_plain, life};
use crate::clause::Clause;
use crate::conformance::lockstep::Mistake;
use crate::conformance::shrink::Failing;
use crate::conformance::{Outcome, lockstep, payload};
use crate::model::{Model, Nanos, Op, Reply};
use crate::snapshot::Snapshot;

/// Beyond ten years, times are such as sums and units overflow at.
const HUGE: Nanos = 10 * 366 * 86_400 * 1_000_000_000;

/// What happened before the failing prepare, as far as it can matter to it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Story<'a> {
    ops: &'a [Op],
    /// The unit of plain times.
    tick: Nanos,
    probe: Option<Probe<'a>>,
    /// When the prepare came.
    now: Nanos,
    /// Of this id: the commit that should decide.
    commit: Option<(&'a Snapshot, Nanos)>,
    /// The clause under which that commit put it there: first, over a live entry, or again.
    by: Option<Clause>,
    prepared: bool,
    /// A prepare has rightly found it gone since its commit.
    seen_gone: bool,
    /// A drop came when it was gone already.
    dropped_in_vain: bool,
    /// Of any id:
    refused: bool,
    /// Of other ids:
    dropped_other: bool,
    dropped_empty: bool,
    committed_other: Vec<&'a Snapshot>,
    committed_other_since: bool,
    prepared_other: bool,
    foreign: bool,
}

impl<'a> Story<'a> {
    pub(super) fn of(ops: &'a [Op], id: &str, tick: Nanos, probe: Option<Probe<'a>>) -> Self {
        let mut story = Self {
            ops,
            tick,
            probe,
            now: 0,
            commit: None,
            by: None,
            prepared: false,
            seen_gone: false,
            dropped_in_vain: false,
            refused: false,
            dropped_other: false,
            dropped_empty: false,
            committed_other: Vec::new(),
            committed_other_since: false,
            prepared_other: false,
            foreign: false,
        };
        let mut model = Model::default();
        for op in &ops[..ops.len() - 1] {
            let expected = model.step(op);
            let own = lockstep::id_of(op) == Some(id);
            match op {
                Op::Advance { .. } | Op::Restart | Op::Commit { snapshot: None, .. } => {}
                Op::Prepare { .. } if own => {
                    story.prepared = true;
                    story.seen_gone |= story.commit.is_some() && expected.reply == Reply::Nothing;
                }
                Op::Prepare { .. } => story.prepared_other = true,
                Op::Drop { .. } if own => {
                    story.dropped_in_vain |=
                        story.commit.is_some() && expected.clause == Clause::Drp2;
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
        let ids = lockstep::ids(ops);
        story.foreign = ids.iter().any(|id| is_foreign(id))
            || ids
                .windows(2)
                .any(|pair| pair[0].eq_ignore_ascii_case(pair[1]));
        story
    }

    pub(super) fn prepare(&self, failing: &Failing, outcome: &Outcome) -> Clause {
        let expected = &failing.failure.expected;
        match (&expected.reply, outcome) {
            (Reply::Nothing, Outcome::Replied(Reply::Found(_))) => {
                self.revived(failing, expected.clause)
            }
            (Reply::Found(_), Outcome::Replied(Reply::Nothing)) => self.lost(),
            (Reply::Found(_), Outcome::Replied(Reply::Found(found))) => self.changed(found),
            (Reply::Nothing, _) if self.foreign => Clause::Idn2,
            (Reply::Nothing, _) => expected.clause,
            (_, _) if self.foreign => Clause::Idn1,
            (_, _) if self.has_rich_payload() => Clause::Snp4,
            (_, _) => Clause::Pre3,
        }
    }

    /// Nothing should be there, but something is.
    fn revived(&self, failing: &Failing, decided: Clause) -> Clause {
        match decided {
            Clause::Pre2 => Clause::Pre2,
            _ if self.refused => Clause::Com4,
            // Of a store that may evict: it outlived the entry committed last, or came back.
            Clause::Com5 | Clause::Ttl4 => decided,
            Clause::Pre1 if self.foreign => Clause::Idn1,
            Clause::Pre1 if self.prepared => Clause::Pre4,
            Clause::Pre1 => Clause::Pre1,
            _ if self.seen_gone => Clause::Ttl4,
            _ if self.dropped_in_vain => Clause::Drp2,
            _ if self.prepared => Clause::Pre4,
            Clause::Drp1 => Clause::Drp1,
            _ if self.by == Some(Clause::Com6) => Clause::Com6,
            _ if self.has_huge_ttl() => Clause::Com7,
            _ if self.are_ids_confused() => Clause::Idn1,
            _ if self.others_matter() => Clause::Ttl3,
            _ if self.by == Some(Clause::Com8) => Clause::Com8,
            _ if !self.has_plain_ttl() && self.is_immortal(failing) => Clause::Com7,
            _ => Clause::Ttl2,
        }
    }

    /// It should be there, but nothing is.
    fn lost(&self) -> Clause {
        match self.by {
            _ if self.refused => Clause::Com4,
            _ if self.foreign && lockstep::ids(self.ops).len() == 1 => Clause::Idn2,
            _ if self.are_ids_confused() => Clause::Idn1,
            _ if self.dropped_other => Clause::Drp4,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Some(Clause::Com6) => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if !self.has_plain_ttl() || self.now > HUGE => Clause::Com7,
            _ if self.now > 0 && self.others_matter() => Clause::Ttl3,
            _ if self.now > 0 => Clause::Ttl1,
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
            _ if self.refused => Clause::Com4,
            _ if self.foreign && of_other() || self.are_ids_confused() => Clause::Idn1,
            _ if !self.committed_other.is_empty() => Clause::Pre3,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Some(Clause::Com6) => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if self.has_rich_payload() => Clause::Snp4,
            _ => Clause::Pre3,
        }
    }

    fn others_matter(&self) -> bool {
        self.dropped_other || !self.committed_other.is_empty() || self.prepared_other
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

/// What other programs tell.
impl Story<'_> {
    /// Whether one of the ids finds what was committed under another. Without runs, strange ids are
    /// suspected of it.
    fn are_ids_confused(&self) -> bool {
        let Some(probe) = self.probe.filter(|_| self.foreign) else {
            return self.foreign;
        };
        let ids = lockstep::ids(self.ops);
        let ids = || ids.iter().filter(|id| !id.is_empty());
        let mut pairs = ids().flat_map(|one| ids().map(move |other| (*one, *other)));
        pairs.any(|(one, other)| {
            let commit = Op::Commit {
                snapshot: Some(payload::numbered(1, one)),
                ttl: 3 * self.tick,
            };
            let id = other.to_owned();
            let failure = probe(&[commit, Op::Prepare { id }]);
            one != other && failure.is_some_and(|failure| failure.mistake() == Mistake::Revived)
        })
    }

    fn is_immortal(&self, failing: &Failing) -> bool {
        self.probe
            .is_some_and(|probe| life::is_immortal(failing, probe))
    }

    /// Whether it is not lost when every commit is for much longer.
    fn would_a_long_life_do(&self) -> bool {
        let long = |op: &Op| match op {
            Op::Commit { snapshot, ttl } => Op::Commit {
                snapshot: snapshot.clone(),
                ttl: ttl * 1_000,
            },
            _ => op.clone(),
        };
        let ops: Vec<Op> = self.ops.iter().map(long).collect();
        self.probe.is_some_and(|probe| probe(&ops).is_none())
    }
}
