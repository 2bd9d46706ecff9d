//! Near miss: what programs next to the failing one, or the wrong reply itself, say of the defect.

pub(super) mod damage;
pub(super) mod id_difference;
mod last_commit;
pub(super) mod lifetime;
mod loss;
mod shared_parts;

use super::irreducible::are_particular_tokens;
use crate::clause::Clause;
use crate::conformance::judge::failure::{Failing, Mistake, Probe};
use crate::conformance::program::generate::FURTHEST;
use crate::conformance::program::ids::ids as ids_of;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::date;
use crate::conformance::program::{Id, payload};
use crate::constraint::Constraint;
use crate::model::{Model, Nanos, Reply};
use crate::snapshot::Snapshot;
use crate::token;
use id_difference::id_difference;
use lifetime::Lifetime;
use std::collections::BTreeSet;

/// One sentence, where there is something certain to say.
pub(super) fn near_miss(
    failing: &Failing,
    clause: Clause,
    probe: Option<Probe<'_>>,
) -> Option<String> {
    let failure = &failing.failure;
    match (clause, &failure.expected.reply, &failure.outcome) {
        (Clause::Idn1 | Clause::Drp4, ..) => {
            let ids = ids_of(&failing.ops);
            let of_tokens = clause == Clause::Idn1 && ids.iter().all(|id| token::is_token(id));
            let whose = || match &failure.outcome {
                Outcome::Replied(Reply::Found(found)) => {
                    damage::committed_for_another(found, &failing.ops)
                }
                _ => None,
            };
            let hashed = "other tokens are told apart: are ids hashed, or compared in part?";
            let of_tokens = || match of_tokens {
                true if failure.expected.clause == Clause::Pre1 || are_particular_tokens(&ids) => {
                    Some(hashed.to_owned())
                }
                true => whose().or_else(|| Some(hashed.to_owned())),
                false => None,
            };
            id_difference(&failing.ops).or_else(of_tokens)
        }
        (_, Reply::Found(committed), Outcome::Replied(Reply::Found(found))) => {
            damage::damage(committed, found, &failing.ops)
        }
        (Clause::Dur1, ..) => id_difference(&failing.ops),
        (Clause::Val1, _, Outcome::Replied(Reply::Refused(Constraint::UnsupportedValue))) => Some(
            "a store that cannot hold some values says which (`Profile::depth`, `size`, `doubles_only`, \
             `refuses_characters`)"
                .to_owned(),
        ),
        _ => {
            if let Outcome::Replied(Reply::Found(found)) = &failure.outcome
                && let Some(whose) = damage::committed_for_another(found, &failing.ops)
            {
                return Some(whose);
            }
            let of_time = of_time(failing, probe?).map(|sentence| match clause {
                Clause::Ttl2 if sentence == lifetime::NEVER_EXPIRES => {
                    format!("{sentence}: does the store read the clock that it was made with?")
                }
                Clause::Ttl1 | Clause::Ttl2 => sentence + &at_date(failing),
                _ => sentence,
            });
            let of_time = of_time.or_else(|| shared_parts::near_miss(failing, probe?));
            of_time.or_else(|| (clause == Clause::Ttl1).then(|| eviction(failing))?)
        }
    }
}

/// That it is the oldest of many, which caches let go of.
fn eviction(failing: &Failing) -> Option<String> {
    let id = failing.ops.last()?.id()?;
    let mut commits = failing.ops.iter().filter_map(payload::committed);
    let oldest = commits.next()?.id();
    let others: BTreeSet<&str> = commits.map(Snapshot::id).collect();
    let is_oldest = oldest == id && !others.contains(id) && others.len() > 1;
    (is_oldest && failing.failure.mistake() == Mistake::Lost).then(|| {
        format!(
            "{} was the oldest of {} entries: a store that may let go of live ones says so \
             (`Profile::may_evict`)",
            Id(id),
            others.len() + 1
        )
    })
}

/// When that was, if it is late enough that it may matter.
fn at_date(failing: &Failing) -> String {
    const DAY: Nanos = 86_400 * 1_000_000_000;
    let mut model = Model::default();
    for op in &failing.ops {
        model.step(op);
    }
    match model.now() {
        now if (DAY - 1..FURTHEST).contains(&now) => format!(" ({})", date(now)),
        _ => String::new(),
    }
}

/// How near the store came to the right time.
pub(super) fn of_time(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    match (failing.failure.mistake(), Lifetime::of(failing, probe)) {
        (Mistake::Revived, Some(lifetime)) => lifetime.too_long(),
        (Mistake::Lost, Some(lifetime)) => lifetime.too_short(),
        (Mistake::Lost, None) => loss::near_miss(failing, probe),
        _ => None,
    }
}
