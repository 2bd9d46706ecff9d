//! Diagnose: the clause that a minimal program shows to be broken, and the argument.
//!
//! Every operation of a minimal program is needed for it to fail, so what occurs in it is what
//! matters: a drop of another id, a refused commit, a time to live that could not be made plainer.

use super::lockstep;
use super::program::{Id, Payload, Time};
use super::shrink::Failing;
use super::{Outcome, payload};
use crate::clause::Clause;
use crate::model::{Model, Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use crate::token;

const SECOND: Nanos = 1_000_000_000;

/// Beyond ten years, a time to live is one that sums and units overflow at.
const HUGE: Nanos = 10 * 366 * 86_400 * SECOND;

/// The clause that the failing program's store breaks. `tick` is the unit of plain times.
pub(super) fn clause(failing: &Failing, tick: Nanos) -> Clause {
    let last = failing.ops.last();
    match (last, &failing.failure.outcome) {
        (_, Outcome::Panicked(_) | Outcome::Hung(_)) | (None, _) => Clause::Err1,
        (Some(Op::Prepare { id }), outcome) => {
            Story::of(&failing.ops, id, tick).prepare(failing, outcome)
        }
        (Some(op), _) => call(op, failing, tick),
    }
}

/// A commit or a drop that should have been answered otherwise.
fn call(op: &Op, failing: &Failing, tick: Nanos) -> Clause {
    let decided = failing.failure.expected.clause;
    if failing.failure.expected.reply != Reply::Done {
        return decided;
    }
    match op {
        _ if lockstep::id_of(op).is_some_and(is_foreign) => Clause::Idn2,
        Op::Commit {
            snapshot: Some(snapshot),
            ..
        } if payload::number_of(snapshot).is_none() => Clause::Snp4,
        Op::Commit { ttl, .. } if !is_plain(*ttl, tick) => Clause::Com7,
        _ => decided,
    }
}

/// What happened before the failing prepare, as far as it can matter to it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Story<'a> {
    /// Of this id: the commit that should decide.
    commit: Option<(&'a Snapshot, Nanos)>,
    /// The clause under which that commit put it there: first, over a live entry, or again.
    by: Option<Clause>,
    prepared: bool,
    /// A prepare has rightly found it gone since its commit.
    seen_gone: bool,
    time_passed: bool,
    /// Of any id:
    refused: Vec<&'a Snapshot>,
    /// Of other ids:
    dropped_other: bool,
    dropped_empty: bool,
    committed_other: Vec<&'a Snapshot>,
    prepared_other: bool,
    foreign: bool,
    /// The unit of plain times.
    tick: Nanos,
}

impl<'a> Story<'a> {
    fn of(ops: &'a [Op], id: &str, tick: Nanos) -> Self {
        let mut story = Self {
            tick,
            ..Self::default()
        };
        let mut model = Model::default();
        for op in &ops[..ops.len() - 1] {
            let expected = model.step(op);
            let own = lockstep::id_of(op) == Some(id);
            match op {
                Op::Advance { .. } => story.time_passed |= story.commit.is_some(),
                Op::Prepare { .. } if own => {
                    story.prepared = true;
                    story.seen_gone |= story.commit.is_some() && expected.reply == Reply::Nothing;
                }
                Op::Prepare { .. } => story.prepared_other = true,
                Op::Drop { .. } if own => {}
                Op::Drop { id } if id.is_empty() => story.dropped_empty = true,
                Op::Drop { .. } => story.dropped_other = true,
                Op::Commit { snapshot: None, .. } => {}
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } => {
                    if expected.reply != Reply::Done {
                        story.refused.push(snapshot);
                    } else if own {
                        story.commit = Some((snapshot, *ttl));
                        story.by = Some(expected.clause);
                        story.time_passed = false;
                        story.seen_gone = false;
                    } else {
                        story.committed_other.push(snapshot);
                    }
                }
            }
        }
        story.foreign = lockstep::ids(ops).into_iter().any(is_foreign)
            || lockstep::ids(ops)
                .windows(2)
                .any(|pair| pair[0].eq_ignore_ascii_case(pair[1]));
        story
    }

    fn prepare(&self, failing: &Failing, outcome: &Outcome) -> Clause {
        let expected = &failing.failure.expected;
        match (&expected.reply, outcome) {
            (Reply::Nothing, Outcome::Replied(Reply::Found(found))) => {
                self.revived(found, expected.clause)
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
    fn revived(&self, found: &Snapshot, decided: Clause) -> Clause {
        let of_refused = self
            .refused
            .iter()
            .any(|refused| same_payload(refused, found));
        match decided {
            Clause::Pre2 => Clause::Pre2,
            _ if of_refused || !self.refused.is_empty() => Clause::Com4,
            Clause::Pre1 if self.foreign => Clause::Idn1,
            Clause::Pre1 if self.prepared => Clause::Pre4,
            Clause::Pre1 => Clause::Pre1,
            _ if self.seen_gone => Clause::Ttl4,
            Clause::Drp1 => Clause::Drp1,
            _ if self.prepared => Clause::Pre4,
            _ if self.by == Some(Clause::Com6) => Clause::Com6,
            _ if self.has_huge_ttl() => Clause::Com7,
            _ if self.foreign => Clause::Idn1,
            _ if self.others_matter() => Clause::Ttl3,
            _ if self.by == Some(Clause::Com8) => Clause::Com8,
            _ => Clause::Ttl2,
        }
    }

    /// It should be there, but nothing is.
    fn lost(&self) -> Clause {
        match self.by {
            _ if !self.refused.is_empty() => Clause::Com4,
            _ if self.foreign => Clause::Idn1,
            _ if self.dropped_other => Clause::Drp4,
            _ if self.dropped_empty => Clause::Drp3,
            _ if self.prepared || self.prepared_other => Clause::Pre4,
            Some(Clause::Com6) => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if !self.has_plain_ttl() => Clause::Com7,
            _ if self.time_passed && self.others_matter() => Clause::Ttl3,
            _ if self.time_passed => Clause::Ttl1,
            _ if self.others_matter() => Clause::Pre3,
            _ if self.has_rich_payload() => Clause::Snp4,
            _ => Clause::Com5,
        }
    }

    /// Something else is there.
    fn changed(&self, found: &Snapshot) -> Clause {
        let of_other = self
            .committed_other
            .iter()
            .any(|other| same_payload(other, found));
        match self.by {
            _ if !self.refused.is_empty() => Clause::Com4,
            _ if self.foreign => Clause::Idn1,
            _ if of_other || !self.committed_other.is_empty() => Clause::Pre3,
            Some(Clause::Com6) => Clause::Com6,
            Some(Clause::Com8) => Clause::Com8,
            _ if self.prepared => Clause::Pre4,
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

    fn has_rich_payload(&self) -> bool {
        self.commit
            .is_some_and(|(snapshot, _)| payload::number_of(snapshot).is_none())
    }
}

/// An id that shrinking could not replace by a plain token.
fn is_foreign(id: &str) -> bool {
    !id.is_empty() && !token::is_token(id)
}

/// A time to live that shrinking ends at when any will do.
fn is_plain(ttl: Nanos, tick: Nanos) -> bool {
    ttl % tick == 0 && (1..=3).contains(&(ttl / tick))
}

fn same_payload(one: &Snapshot, other: &Snapshot) -> bool {
    one.with_id("") == other.with_id("")
}

/// Why the expected reply is the right one, from clause to clause.
pub(super) fn because(failing: &Failing) -> String {
    let Some(last) = failing.ops.last() else {
        return "making the store and dropping it again must not fail (ERR-1)".to_owned();
    };
    let decided = failing.failure.expected.clause;
    let argument = match (&failing.failure.expected.reply, last) {
        (Reply::Refused(constraint), _) => {
            format!("{constraint} ({decided}), so the commit must be refused")
        }
        (_, Op::Prepare { id }) => entry(&failing.ops, id, decided),
        (_, Op::Commit { .. }) => {
            "the id is not empty and the ttl is positive, so the commit must succeed".to_owned()
        }
        (_, Op::Drop { .. }) => format!("a drop succeeds, whatever is there ({decided})"),
        (_, Op::Advance { .. }) => format!("time only passes ({decided})"),
    };
    let argument = match failing.failure.measured {
        Some(at) => format!(
            "{argument}; this call was made at {} by the clock",
            Time(at)
        ),
        None => argument,
    };
    match failing.failure.outcome {
        Outcome::Panicked(_) => format!("{argument}; no input may make a store panic (ERR-1)"),
        Outcome::Hung(_) => format!("{argument}; no input may make a store hang (ERR-1)"),
        Outcome::Failed(_) => format!("{argument}; the store answered with an error"),
        Outcome::Replied(_) => argument,
    }
}

/// What there should be under `id` at the end of `ops`, and why.
fn entry(ops: &[Op], id: &str, decided: Clause) -> String {
    let mut model = Model::default();
    let mut commit = None;
    let mut dropped = None;
    for op in &ops[..ops.len() - 1] {
        let expected = model.step(op);
        if lockstep::id_of(op) != Some(id) || expected.reply != Reply::Done {
            continue;
        }
        match op {
            Op::Commit { snapshot, ttl } => {
                commit = snapshot.as_ref().map(|s| (s, model.now(), *ttl));
            }
            Op::Drop { .. } => dropped = Some(model.now()),
            _ => {}
        }
    }
    let name = Id(id);
    let Some((snapshot, at, ttl)) = commit else {
        return match id {
            "" => "the empty id is nobody's (PRE-2)".to_owned(),
            _ => format!("{name} was never committed (PRE-1)"),
        };
    };
    let payload = Payload(snapshot).to_string();
    let what = if payload.len() > 60 {
        "it".to_owned()
    } else {
        payload
    };
    let committed = format!("{what} was committed at {} for {}", Time(at), Time(ttl));
    let deadline = Time(at.saturating_add(ttl));
    match (decided, dropped) {
        (Clause::Drp1, Some(dropped)) => {
            format!(
                "{name} was dropped at {} and not committed since (DRP-1)",
                Time(dropped)
            )
        }
        (Clause::Ttl2, _) => format!("{committed}, so it is gone from {deadline} on (TTL-2)"),
        (Clause::Ttl1, _) => format!("{committed}, so it is live until {deadline} (TTL-1)"),
        _ => format!("{committed}, and is live ({decided})"),
    }
}
