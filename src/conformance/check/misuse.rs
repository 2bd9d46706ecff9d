//! Misuse: settings and claims with which nothing can be checked.

use super::settings::Settings;
use crate::conformance::program::Time;
use crate::conformance::program::supported::{Pairs, Supported};
use crate::conformance::program::time::nanos;
use crate::conformance::subject::panics;
use crate::conformance::subject::profile::Profile;
use crate::data::MAX_DEPTH;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longer units of time than this make sums of them overflow.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// So many pairs of ids are looked at beforehand.
const PAIRS: u64 = 256;

/// So many different ids programs need: two that are alike, an unknown one, and another.
const IDS: usize = 4;

/// What is wrong with a setting or a claim: its name, its value, and what is accepted.
pub(super) fn why(settings: &Settings, profile: &Profile) -> Option<String> {
    let of_time = |name: &str, value: Option<Duration>, least: Duration, most: Duration| {
        let value = value.filter(|value| !(least..=most).contains(value))?;
        let [value, least, most] = [value, least, most].map(|time| Time(nanos(time)).to_string());
        Some(format!(
            "{name} is {value}; it is at least {least} and at most {most}"
        ))
    };
    let instant = Duration::from_nanos(1);
    let times = [
        ("Check::tick", settings.tick, instant, LONGEST),
        ("Check::patience", settings.patience, instant, Duration::MAX),
        ("Check::budget", settings.budget, instant, Duration::MAX),
        (
            "Profile::resolution",
            Some(profile.resolution),
            Duration::ZERO,
            LONGEST / 2,
        ),
        (
            "Profile::uncertainty",
            Some(profile.uncertainty),
            Duration::ZERO,
            LONGEST,
        ),
        (
            "Profile::early",
            Some(profile.early),
            Duration::ZERO,
            LONGEST / 2,
        ),
        ("Profile::horizon", profile.horizon, instant, Duration::MAX),
    ];
    let mut times = times.into_iter();
    let time = times.find_map(|(name, value, least, most)| of_time(name, value, least, most));
    let tick = settings.tick.filter(|tick| profile.early >= *tick);
    let early = tick.map(|tick| {
        let [early, tick] = [profile.early, tick].map(|time| Time(nanos(time)).to_string());
        format!("Profile::early is {early}; it is shorter than the tick, which is {tick}")
    });
    time.or(early).or_else(|| of_values(&profile.supported))
}

fn of_values(supported: &Supported) -> Option<String> {
    let values = &supported.values;
    if let Some(depth) = values.depth.filter(|depth| *depth > MAX_DEPTH) {
        return Some(format!(
            "Profile::depth is {depth}; values nest no deeper than {MAX_DEPTH} levels (SNP-4)"
        ));
    }
    let is_needed = |c: &&char| c.is_ascii_alphanumeric() || "@.".contains(**c);
    if let Some(needed) = values.refused_characters.iter().find(is_needed) {
        return Some(format!(
            "Profile::refuses_characters has {needed:?}; it has no letters and digits of ASCII, '@' or '.', \
             which tokens and plain snapshots are made of"
        ));
    }
    if let Some(Err(reason)) = &supported.alphabet {
        return Some(reason.clone());
    }
    if let Some(reason) = supported.ids.as_ref().and_then(of_ids) {
        return Some(reason);
    }
    let [id, _] = supported.two_ids();
    let size = values.size.filter(|_| !supported.fits_in(&id))?;
    Some(format!(
        "Profile::size is {size}; small snapshots, with an id, a CSRF token, a user and two numbers, have \
         some 150 bytes"
    ))
}

/// What is wrong with pairs of ids.
fn of_ids(pair: &Pairs) -> Option<String> {
    let mut ids = BTreeSet::new();
    for number in 0..PAIRS {
        let drawn = panics::silently(|| panics::catching(|| pair(number)));
        let [one, other] = match drawn {
            Ok(pair) => pair,
            Err(message) => {
                return Some(format!("Profile::ids panicked for {number}: {message}"));
            }
        };
        if one == other || one.is_empty() || other.is_empty() {
            return Some(format!(
                "Profile::ids gives {one:?} and {other:?} for {number}; the ids of a pair differ, and none \
                 is empty"
            ));
        }
        ids.extend([one, other]);
    }
    let few = ids.len();
    (few < IDS).then(|| {
        format!(
            "Profile::ids gives {few} different ids for all numbers below {PAIRS}; programs need {IDS}"
        )
    })
}
