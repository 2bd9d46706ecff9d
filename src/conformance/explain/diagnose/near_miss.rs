//! Near miss: what programs next to the failing one, or the wrong reply itself, say of the defect.

pub(super) mod damage;
pub(super) mod id_difference;
pub(super) mod lifetime;
mod shared_parts;

use crate::clause::Clause;
use crate::conformance::judge::failure::{Failing, Probe};
use crate::conformance::program::ids::ids as ids_of;
use crate::conformance::program::outcome::Outcome;
use crate::model::Reply;
use crate::token;

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
            let told = id_difference::difference(&failing.ops);
            told.or_else(|| of_tokens.then(|| hashed.to_owned()))
        }
        (_, Reply::Found(committed), Outcome::Replied(Reply::Found(found))) => {
            damage::damage(committed, found, &failing.ops)
        }
        (Clause::Dur1, ..) => id_difference::difference(&failing.ops),
        _ => {
            if let Outcome::Replied(Reply::Found(found)) = &failure.outcome
                && let Some(told) = damage::of_another(found, &failing.ops)
            {
                return Some(told);
            }
            let told = lifetime::near_miss(failing, probe?).map(|told| match clause {
                Clause::Ttl2 if told == lifetime::IMMORTAL => {
                    format!("{told}: does the store read the clock that it was made with?")
                }
                _ => told,
            });
            told.or_else(|| shared_parts::near_miss(failing, probe?))
        }
    }
}
