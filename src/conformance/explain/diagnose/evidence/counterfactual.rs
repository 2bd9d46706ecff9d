//! Counterfactual: what programs tell that have other calls, ids or times in place of some.

use super::Evidence;
use crate::conformance::explain::diagnose::irreducible::is_plain_ttl;
use crate::conformance::explain::diagnose::near_miss::lifetime;
use crate::conformance::judge::failure::{Failing, Mistake, Whose};
use crate::conformance::program::rng::Rng;
use crate::conformance::program::{ids, payload};
use crate::model::{Nanos, Op};
use crate::token;

const DAY: Nanos = 86_400 * 1_000_000_000;

impl Evidence<'_> {
    /// Whether one of the ids finds what was committed under another. Without runs, ids that
    /// are no tokens are suspected of it.
    pub(super) fn are_ids_confused(&self) -> bool {
        let Some(probe) = self
            .probe
            .filter(|_| self.has_confusable_ids || self.has_particular_tokens)
        else {
            return self.has_confusable_ids;
        };
        let ids = ids::ids(self.ops);
        let ids = || ids.iter().filter(|id| !id.is_empty());
        let mut pairs = ids().flat_map(|one| ids().map(move |other| (*one, *other)));
        pairs.any(|(one, other)| {
            let commit = Op::Commit {
                snapshot: Some(payload::numbered(1, one)),
                ttl: self.tick,
            };
            let id = other.to_owned();
            let failure = probe(&[commit, Op::Prepare { id }]);
            one != other && failure.is_some_and(|failure| failure.mistake() == Mistake::Revived)
        })
    }

    /// Whether it takes just these tokens: others, in the same order, would not do. Shrinking ends at the
    /// plainest ones, which may be those that a store takes for one another.
    pub(super) fn are_these_tokens_needed(&self, failing: &Failing) -> bool {
        const TRIES: u64 = 4;
        let ids = ids::ids(self.ops);
        let mut known: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        known.retain(|id| token::is_token(id));
        known.sort_unstable();
        let Some(probe) = self.probe.filter(|_| known.len() > 1) else {
            return false;
        };
        let passes = |number: u64| {
            let mut rng = Rng::new(0, number);
            let mut others: Vec<String> = known.iter().map(|_| random_token(&mut rng)).collect();
            others.sort_unstable();
            let pairs: Vec<(&String, &String)> = known.iter().zip(&others).collect();
            let ops: Vec<Op> = { self.ops.iter() }
                .map(|op| ids::renamed(op, &pairs))
                .collect();
            let failure = probe(&ops);
            failure.is_none_or(|failure| failure.mistake() != failing.failure.mistake())
        };
        (0..TRIES).any(passes)
    }

    /// Whether commits under an id of their own do as well as the drops of other ids than `id`: then it
    /// is not what they drop that matters, but that something is written.
    pub(super) fn fails_alike_with_commits_for_drops(&self, failing: &Failing, id: &str) -> bool {
        let is_other = |_, op: &Op| matches!(op, Op::Drop { id: dropped } if dropped != id);
        self.fails_alike_with(failing, is_other, |_, unused| {
            self.long_lived_commit(unused)
        })
    }

    /// Whether what is committed instead of the drop of another id, under which something was committed too, is
    /// what is found: so both have one place.
    pub(super) fn finds_what_replaces_a_drop(&self) -> bool {
        let own = self.ops.last().and_then(Op::id);
        let is_committed = |id: &str| self.committed_other.iter().any(|other| other.id() == id);
        let dropped = self.ops.iter().position(
            |op| matches!(op, Op::Drop { id } if Some(id.as_str()) != own && is_committed(id)),
        );
        let (Some(probe), Some(at)) = (self.probe, dropped) else {
            return false;
        };
        let mut ops = self.ops.to_vec();
        ops[at] = self.long_lived_commit(ops[at].id().unwrap_or_default());
        probe(&ops).is_some_and(|failure| failure.found == Some(Whose::Others))
    }

    /// Whether commits do as well as the prepares before the last operation: then it is not what they read
    /// that matters, but that an entry is used.
    pub(super) fn fails_alike_with_commits_for_prepares(&self, failing: &Failing) -> bool {
        let last = self.ops.len() - 1;
        let is_earlier = |at, op: &Op| at < last && matches!(op, Op::Prepare { .. });
        // Where that is refused, for its empty id, it does not fail in the same way.
        self.fails_alike_with(failing, is_earlier, |id, _| self.long_lived_commit(id))
    }

    /// Whether calls of each kind, on an id of their own, do as well as all but the commit that should
    /// decide and the last: then it is only their number that matters.
    pub(super) fn fails_alike_with_any_calls(&self, failing: &Failing) -> bool {
        let last = self.ops.len() - 1;
        let Some((deciding, _)) = self.deciding_commit else {
            return false;
        };
        let decides = |op: &Op| payload::committed(op).is_some_and(|it| std::ptr::eq(it, deciding));
        let is_other = |at, op: &Op| at < last && !decides(op) && op.id().is_some();
        let others = self.ops.iter().enumerate();
        let without: Vec<Op> = others
            .filter(|(at, op)| !is_other(*at, op))
            .map(|(_, op)| op.clone())
            .collect();
        let are_needed = self.probe.is_some_and(|probe| probe(&without).is_none());
        let prepare = |id: &str| Op::Prepare { id: id.to_owned() };
        let drop = |id: &str| Op::Drop { id: id.to_owned() };
        are_needed
            && self.fails_alike_with(failing, is_other, |_, unused| prepare(unused))
            && self.fails_alike_with(failing, is_other, |_, unused| drop(unused))
            && self.fails_alike_with(failing, is_other, |_, unused| {
                self.long_lived_commit(unused)
            })
    }

    /// Whether the last call goes wrong alike with a token in place of its id.
    pub(super) fn fails_alike_under_a_token(&self, failing: &Failing) -> bool {
        let id = self.ops.last().and_then(Op::id);
        let (Some(probe), Some(id), Some(token)) = (self.probe, id, self.unused_id()) else {
            return false;
        };
        let names = [(&id.to_owned(), &token)];
        let ops = self.ops.iter().map(|op| ids::renamed(op, &names));
        let ops: Vec<Op> = ops.collect();
        probe(&ops).is_some_and(|failure| {
            failure.at + 1 == ops.len() && failure.mistake() == failing.failure.mistake()
        })
    }

    /// Whether a commit that is refused for its ttl does as well as those that were refused as unsupported.
    pub(super) fn fails_alike_with_another_refusal(&self, failing: &Failing) -> bool {
        let is_refused = |at, _: &Op| failing.failure.refusals.contains_key(&at);
        self.fails_alike_with(failing, is_refused, |id, _| Op::Commit {
            snapshot: Some(payload::numbered(999_999, id)),
            ttl: 0,
        })
    }

    /// Whether it fails alike with other calls instead of some, each made for its id and one that does not
    /// occur.
    fn fails_alike_with(
        &self,
        failing: &Failing,
        is_replaced: impl Fn(usize, &Op) -> bool,
        replacement: impl Fn(&str, &str) -> Op,
    ) -> bool {
        let (Some(probe), Some(unused)) = (self.probe, self.unused_id()) else {
            return false;
        };
        let otherwise = |(at, op): (usize, &Op)| match op.id() {
            Some(id) if is_replaced(at, op) => replacement(id, &unused),
            _ => op.clone(),
        };
        let ops: Vec<Op> = self.ops.iter().enumerate().map(otherwise).collect();
        probe(&ops).is_some_and(|failure| {
            failure.at + 1 == ops.len() && failure.mistake() == failing.failure.mistake()
        })
    }

    /// A commit that outlives the program, of a payload that none has.
    fn long_lived_commit(&self, id: &str) -> Op {
        Op::Commit {
            snapshot: Some(payload::numbered(999_999, id)),
            ttl: 1_000 * self.tick,
        }
    }

    fn unused_id(&self) -> Option<String> {
        unused_id(self.ops)
    }

    /// Whether it takes an entry that its commit replaced, and not only one more commit: under an id of
    /// their own the commits before it do as well then.
    pub(super) fn does_the_replaced_entry_matter(&self) -> bool {
        let (Some(probe), Some((last, _))) = (self.probe, self.deciding_commit) else {
            return true;
        };
        let Some(unused) = self.unused_id() else {
            return true;
        };
        let elsewhere = |op: &Op| match op {
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } if snapshot.id() == last.id() && !std::ptr::eq(snapshot, last) => Op::Commit {
                snapshot: Some(snapshot.with_id(unused.as_str())),
                ttl: *ttl,
            },
            _ => op.clone(),
        };
        let ops: Vec<Op> = self.ops.iter().map(elsewhere).collect();
        probe(&ops).is_none_or(|failure| failure.at + 1 < ops.len())
    }

    /// Whether it takes a time to live that is not plain. Where a plain one does as well, with as much
    /// time from the prepare to the deadline, it does not matter.
    pub(super) fn does_the_ttl_matter(&self) -> bool {
        let Some((snapshot, ttl)) = self.deciding_commit else {
            return false;
        };
        let is_its_own = |op: &Op| match op {
            Op::Commit {
                snapshot: Some(other),
                ttl: time,
            } => std::ptr::eq(other, snapshot) && *time == ttl,
            _ => false,
        };
        let commit = self.ops.iter().position(is_its_own);
        let advance = self
            .ops
            .iter()
            .rposition(|op| matches!(op, Op::Advance { .. }));
        let (false, Some(commit)) = (self.has_plain_ttl(), commit) else {
            return false;
        };
        let Some(probe) = self.probe else {
            return true;
        };
        let mut ops = self.ops.to_vec();
        ops[commit] = Op::Commit {
            snapshot: Some(snapshot.clone()),
            ttl: self.tick,
        };
        let Some(advance) = advance.filter(|place| *place > commit) else {
            return probe(&ops).is_none();
        };
        // The same life at the same date, begun later.
        let mut at_same_date = ops.clone();
        at_same_date.insert(
            commit,
            Op::Advance {
                by: ttl - self.tick,
            },
        );
        for (ops, advance) in [(&mut ops, advance), (&mut at_same_date, advance + 1)] {
            if let Op::Advance { by } = &mut ops[advance] {
                *by += self.tick - ttl;
                if *by < 0 {
                    return true;
                }
            }
        }
        // Of shorter lives it may be the ttl that is rounded.
        let is_long = ttl > DAY;
        probe(&ops).is_none() && !(is_long && probe(&at_same_date).is_some())
    }

    fn has_plain_ttl(&self) -> bool {
        self.deciding_commit
            .is_some_and(|(_, ttl)| is_plain_ttl(ttl, self.tick))
    }

    /// Whether the entry, which should have expired, is never seen to. Without runs, nobody knows.
    pub(super) fn never_expires(&self, failing: &Failing) -> bool {
        self.probe
            .is_some_and(|probe| lifetime::never_expires(failing, probe))
    }

    /// Whether it is not lost when every commit is for much longer.
    pub(super) fn is_kept_with_long_ttls(&self) -> bool {
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

/// An id that does not occur.
pub(in super::super) fn unused_id(ops: &[Op]) -> Option<String> {
    let ids = ids::ids(ops);
    let mut simplest = ids::simplest(ids.len() + 1).into_iter();
    simplest.find(|id| !ids.contains(&id.as_str()))
}

/// A token of letters that are drawn, not of one letter as the plain ones are.
fn random_token(rng: &mut Rng) -> String {
    let letter = |_| {
        let digit = u8::try_from(rng.below(58)).unwrap_or(0);
        bs58::encode([digit]).into_string()
    };
    (0..token::LEN).map(letter).collect()
}
