//! Masked: what else the failing programs of a search show, beside the defects that are known.
//!
//! A program that is shrunk may slip: it began by failing for one reason and ends by failing for
//! another that takes less. So a defect can be masked by a plainer one that shows in the same way.
//! What it takes betrays it: an *ingredient* without which a program passes, and which no known
//! program has. Shrinking that keeps such an ingredient necessary cannot slip.

use super::shrink;
use crate::clause::Clause;
use crate::conformance::judge::failure::{Failing, Failure, Mistake};
use crate::conformance::program::{ids, payload};
use crate::conformance::search::found::Caught;
use crate::model::{Model, Nanos, Op, Reply};
use crate::token;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// What runs a program and gives its first failure.
type Run<'a> = &'a dyn Fn(&[Op]) -> Option<Failure>;

/// What it may take for a program to fail. Whose an operation is, the last one's id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ingredient {
    /// The commit that should decide, where the last operation is a prepare.
    DecidingCommit,
    Call(Call, Whose),
    Advance,
    /// Of the commit that should decide: a payload that is no small one.
    LargePayload,
    /// Ids that are no tokens, where tokens would not do.
    ForeignIds,
}

/// An operation, and what it came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    PrepareFound,
    PrepareNothing,
    Commit(Clause),
    CommitRefused,
    Drop,
    DropNothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Own,
    Other,
    Nobodys,
}

/// The defects of one kind that programs in `caught` show and those in `known` do not, each by its
/// smallest program, and after how many programs it was caught. No more than `budget` operations are
/// run to find them.
pub(crate) fn search(
    mistake: Mistake,
    caught: &[&Caught],
    known: &[Failing],
    tick: Nanos,
    budget: usize,
    run: Run<'_>,
) -> Vec<(Failing, u64)> {
    let left = Cell::new(budget);
    let run: Run<'_> = &|ops| {
        left.set(left.get().checked_sub(ops.len())?);
        run(ops)
    };
    let known = known
        .iter()
        .filter(|known| known.failure.mistake() == mistake);
    let mut seen: BTreeSet<Ingredient> = known
        .flat_map(|known| ingredients(&known.ops))
        .map(|(_, one)| one)
        .collect();
    let mut found = Vec::new();
    let mut attempts: BTreeMap<Ingredient, usize> = BTreeMap::new();
    let mut caught = caught.to_vec();
    // What is long takes long to shrink, and has more in it that does not matter.
    caught.sort_by_key(|caught| caught.ops.len());
    for caught in caught {
        let ops = &caught.ops[..];
        let new: BTreeSet<Ingredient> = ingredients(ops)
            .into_iter()
            .map(|(_, one)| one)
            .filter(|one| !seen.contains(one))
            .collect();
        for one in new {
            if seen.contains(&one) || !is_necessary(one, ops, run) {
                continue;
            }
            let shrunk = shrink::shrink(ops, tick, |ops| {
                let failure = run(ops)?;
                let cut = &ops[..=failure.at];
                (failure.mistake() == mistake && is_necessary(one, cut, run)).then_some(failure)
            });
            // A part is kept back, to look whether a program is whole.
            if left.get() < budget / 25 {
                // What was cut short is not the smallest.
                return found;
            }
            *attempts.entry(one).or_default() += 1;
            if attempts[&one] == ATTEMPTS {
                seen.insert(one);
            }
            if let Some(failing) = shrunk.filter(|failing| is_whole(failing, run)) {
                seen.extend(ingredients(&failing.ops).into_iter().map(|(_, one)| one));
                found.push((failing, caught.after));
            }
        }
    }
    found
}

/// How often what needs an ingredient may turn out to be a known defect in disguise.
const ATTEMPTS: usize = 8;

/// Whether no part of a program, and none with fewer ids, makes the same mistake. If one does, the
/// rest only undoes what another part of the rest has done.
fn is_whole(failing: &Failing, run: Run<'_>) -> bool {
    const MOST: usize = 9;
    let (ops, mistake) = (&failing.ops, failing.failure.mistake());
    let fails = |part: Vec<Op>| {
        let failure = run(&part);
        failure.is_some_and(|f| f.at + 1 == part.len() && f.mistake() == mistake)
    };
    let last = ops.len() - 1;
    let parts = (0..1_usize << last.min(MOST)).skip(1).map(|left_out| {
        let kept = ops.iter().enumerate();
        let kept = kept.filter(|(place, _)| *place >= last.min(MOST) || left_out >> place & 1 == 0);
        kept.map(|(_, op)| op.clone()).collect::<Vec<_>>()
    });
    let mut smaller = parts.chain(ids::with_merged_ids(ops));
    !smaller.any(fails)
}

/// Whether `ops` pass without some operation that has this ingredient.
fn is_necessary(one: Ingredient, ops: &[Op], run: Run<'_>) -> bool {
    let places = ingredients(ops)
        .into_iter()
        .filter(|(_, other)| *other == one);
    let mut places = places.map(|(place, _)| place);
    let passes = |ops: &[Op]| run(ops).is_none();
    // Tokens may do, if what is committed is as long, or if they come in the same order.
    let would_tokens_do = || {
        let in_payloads = ids::with_ids_in_payloads(ops);
        let others = [in_payloads, ids::with_ids_in_order(ops)];
        one == Ingredient::ForeignIds && !others.iter().all(|ops| passes(ops))
    };
    places.any(|place| passes(&without(one, place, ops)) && !would_tokens_do())
}

fn without(one: Ingredient, place: usize, ops: &[Op]) -> Vec<Op> {
    let mut ops = ops.to_vec();
    match one {
        Ingredient::LargePayload => {
            let Op::Commit {
                snapshot: Some(large),
                ..
            } = ops[place].clone()
            else {
                return ops;
            };
            // With a user or without, as it was: that much is plain. And wherever it is, for it may
            // only matter that it is the same.
            let number = 2 - u64::from(large.user().is_some());
            let commits = ops.iter_mut().filter_map(|op| match op {
                Op::Commit { snapshot, .. } => snapshot.as_mut(),
                _ => None,
            });
            for snapshot in commits.filter(|it| it.with_id("") == large.with_id("")) {
                *snapshot = payload::numbered(number, snapshot.id());
            }
            ops
        }
        Ingredient::ForeignIds => ids::with_plain_ids(&ops),
        _ => {
            ops.remove(place);
            ops
        }
    }
}

/// What `ops` have in them, and in which places.
fn ingredients(ops: &[Op]) -> Vec<(usize, Ingredient)> {
    let Some((last, before)) = ops.split_last() else {
        return Vec::new();
    };
    let id = last.id().unwrap_or_default();
    let mut model = Model::default();
    let mut deciding = None;
    let mut all = Vec::new();
    for (place, op) in before.iter().enumerate() {
        let expected = model.step(op);
        let whose = match op.id() {
            Some(own) if own == id => Whose::Own,
            Some("") => Whose::Nobodys,
            _ => Whose::Other,
        };
        let call = match (op, &expected.reply) {
            (Op::Advance { .. } | Op::Restart, _) => {
                all.push((place, Ingredient::Advance));
                continue;
            }
            (Op::Prepare { .. }, Reply::Found(_)) => Call::PrepareFound,
            (Op::Prepare { .. }, _) => Call::PrepareNothing,
            (Op::Commit { .. }, Reply::Refused(_)) => Call::CommitRefused,
            (Op::Commit { .. }, _) => Call::Commit(expected.clause),
            (Op::Drop { .. }, _) if expected.clause == Clause::Drp1 => Call::Drop,
            (Op::Drop { .. }, _) => Call::DropNothing,
        };
        if matches!(call, Call::Commit(_)) && whose == Whose::Own {
            deciding = Some(all.len());
        }
        all.push((place, Ingredient::Call(call, whose)));
    }
    if let Some(deciding) = deciding {
        let (place, ingredient) = &mut all[deciding];
        let place = *place;
        // That it came over another, or again, follows from what was before.
        *ingredient = Ingredient::DecidingCommit;
        let is_large = |op: &Op| match op {
            Op::Commit {
                snapshot: Some(snapshot),
                ..
            } => payload::number_of(snapshot).is_none(),
            _ => false,
        };
        if is_large(&ops[place]) {
            all.push((place, Ingredient::LargePayload));
        }
    }
    let mut ids = ids::ids(ops).into_iter();
    if ids.any(|id| !id.is_empty() && !token::is_token(id)) {
        all.push((0, Ingredient::ForeignIds));
    }
    all
}
