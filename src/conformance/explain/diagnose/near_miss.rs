//! Near miss: what programs next to the failing one, or the wrong reply itself, say of the defect.

pub(super) mod damage;
pub(super) mod id_difference;
mod last_commit;
pub(super) mod lifetime;
mod loss;
mod shared_parts;

use crate::clause::Clause;
use crate::conformance::judge::failure::{Failing, Mistake, Probe};
use crate::conformance::program::ids::ids as ids_of;
use crate::conformance::program::outcome::Outcome;
use crate::model::Reply;
use crate::token;
use id_difference::id_difference;
use lifetime::Lifetime;

/// One sentence, where there is something certain to say.
pub(super) fn near_miss(
    failing: &Failing,
    clause: Clause,
    probe: Option<Probe<'_>>,
) -> Option<String> {
    let failure = &failing.failure;
    match (clause, &failure.expected.reply, &failure.outcome) {
        (Clause::Idn1 | Clause::Drp4, ..) => {
            let mut ids = ids_of(&failing.ops).into_iter();
            let of_tokens = clause == Clause::Idn1 && ids.all(token::is_token);
            let hashed = "other tokens are told apart: are ids hashed, or compared in part?";
            id_difference(&failing.ops).or_else(|| of_tokens.then(|| hashed.to_owned()))
        }
        (_, Reply::Found(committed), Outcome::Replied(Reply::Found(found))) => {
            damage::damage(committed, found, &failing.ops)
        }
        (Clause::Dur1, ..) => id_difference(&failing.ops),
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
                _ => sentence,
            });
            of_time.or_else(|| shared_parts::near_miss(failing, probe?))
        }
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
