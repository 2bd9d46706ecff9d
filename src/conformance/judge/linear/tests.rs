#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers are drawn below small ends"
)]

mod brute;
mod long;
mod reduced;
mod sequential;
mod simulate;
mod work;

use super::*;
use crate::model::Nanos;
use simulate::{Chance, Scene};

/// A scene small enough for brute force.
fn small(chance: &mut Chance, is_plain: bool) -> Scene {
    let mut any = |end| chance.below(end);
    let rules = match is_plain {
        true => Rules::default(),
        false => Rules {
            early: 0,
            resolution: any(3).into(),
            uncertainty: any(2).into(),
            horizon: (any(3) == 0).then(|| Nanos::from(2 + any(2))),
            may_evict: any(8) == 0,
            start: match any(3) {
                0 => Start::Unknown,
                _ => Start::Empty,
            },
        },
    };
    Scene {
        rules,
        clients: 1 + any(4) as u32,
        calls: 4 + any(3) as usize,
        ttl: 1 + any(4),
        tick: any(3),
        ticks: 2 + any(3),
        end: 7,
        values: match is_plain {
            true => 0,
            false => any(3) as u32,
        },
        unknown: match is_plain {
            true => 0,
            false => [0, 0, 4][any(3) as usize],
        },
        slack: any(2),
        idle: any(2),
        mistake: None,
    }
}

/// Makes one call another one, or its clock more precise.
fn mutate(calls: &mut [Call], chance: &mut Chance) {
    let values: Vec<Value> = calls
        .iter()
        .filter_map(|call| match call.kind {
            Kind::Commit { value, .. } => Some(value),
            _ => None,
        })
        .collect();
    let index = chance.below(calls.len() as u64) as usize;
    let call = &mut calls[index];
    let before = *call;
    match &mut call.kind {
        _ if chance.one_in(4) => {
            let width = call.clock.to.saturating_sub(call.clock.from).clamp(0, 6);
            let by = Nanos::from(chance.below(width as u64 + 1));
            match chance.one_in(2) {
                true => call.clock.from += by,
                false if call.clock.to == Nanos::MAX => {}
                false => call.clock.to -= by,
            }
        }
        Kind::Found(_) | Kind::Nothing => {
            call.kind = match chance.below(values.len() as u64 + 1) as usize {
                value if value < values.len() => Kind::Found(values[value]),
                _ => Kind::Nothing,
            };
        }
        Kind::Commit { ttl, .. } => *ttl = (1 + chance.below(4)).into(),
        Kind::Drop => call.kind = Kind::Nothing,
    }
    if !is_possible(calls) {
        calls[index] = before;
    }
}

/// Whether the clock and the counter agree.
fn is_possible(calls: &[Call]) -> bool {
    calls.iter().all(|one| {
        calls
            .iter()
            .all(|other| one.invoked > other.returned || one.clock.from <= other.clock.to)
    })
}

/// What there is of a history just before a call returns, or when it does.
fn past(calls: &[Call], at: usize, with: bool) -> Vec<Call> {
    let end = calls[at].returned;
    let mut past = calls.to_vec();
    for (call, clock) in past.iter_mut().zip(brute::within(calls)) {
        call.clock = clock;
        if call.returned > end || call.returned == end && !with {
            call.outcome = Outcome::Unknown;
        }
    }
    past.retain(|call| call.invoked < end);
    past
}

fn seed() -> u64 {
    std::env::var("LINEAR_SEED").map_or(0x5e55_10f5, |seed| seed.parse().expect("a number"))
}

fn agrees_with_brute_force(seed: u64, histories: u32, scene: impl Fn(&mut Chance) -> Scene) {
    println!("LINEAR_SEED={seed}");
    let mut chance = Chance(seed);
    let (mut right, mut wrong) = (0, 0);
    for number in 0..histories {
        let scene = scene(&mut chance);
        let mut calls = scene.play(&mut chance);
        let mutations = [0, 1, 2, 16, 16, 16][number as usize % 6];
        for _ in 0..mutations {
            mutate(&mut calls, &mut chance);
        }
        let expected = brute::is_linearizable(&calls, &scene.rules);
        assert!(expected || mutations > 0, "{scene:?} {calls:#?}");
        let judgement = check(&calls, &scene.rules);
        let agrees = match judgement {
            Judgement::Linearizable => expected,
            Judgement::Wrong { .. } => !expected,
            Judgement::Undecided { .. } => false,
        };
        assert!(
            agrees,
            "history {number}: {judgement:?}, but {expected} by brute force\n{scene:?}\n{calls:#?}"
        );
        if let Judgement::Wrong { at } = judgement {
            let [before, until] = [false, true].map(|with| past(&calls, at, with));
            assert!(
                !brute::is_linearizable(&until, &scene.rules),
                "{at} of {calls:#?}"
            );
            assert!(
                brute::is_linearizable(&before, &scene.rules),
                "{at} of {calls:#?}"
            );
        }
        *match expected {
            true => &mut right,
            false => &mut wrong,
        } += 1;
    }
    println!("{right} right, {wrong} wrong");
    assert!(right * 100 >= histories * 15 && wrong * 100 >= histories * 15);
}

#[test]
fn agrees_with_brute_force_on_plain_histories() {
    agrees_with_brute_force(seed(), 100_000, |chance| small(chance, true));
}

#[test]
fn agrees_with_brute_force_whatever_the_store_may_do() {
    agrees_with_brute_force(seed() + 1, 100_000, |chance| small(chance, false));
}

#[test]
fn agrees_with_brute_force_where_many_calls_overlap() {
    agrees_with_brute_force(seed() + 2, 20_000, |chance| Scene {
        clients: 5,
        calls: 8,
        idle: 0,
        ..small(chance, true)
    });
}

/// Calls from their client, kind, and the events at which they are invoked and return; the clock goes
/// on by a second with each event.
fn story(calls: &[(u32, Kind, u64, u64)]) -> Vec<Call> {
    let each = calls.iter().map(|(client, kind, invoked, returned)| Call {
        client: *client,
        kind: *kind,
        invoked: *invoked,
        returned: *returned,
        clock: Span {
            from: Nanos::from(*invoked) * 1_000_000_000,
            to: Nanos::from(*returned) * 1_000_000_000,
        },
        outcome: Outcome::Certain,
    });
    each.collect()
}

fn commit(value: Value, seconds: Nanos) -> Kind {
    let ttl = seconds * 1_000_000_000;
    Kind::Commit { value, ttl }
}

#[test]
fn of_two_drops_the_one_that_returns_first_explains_the_first_prepare() {
    let calls = story(&[
        (1, commit(1, 100), 1, 2),
        (2, Kind::Drop, 3, 12),
        (1, Kind::Drop, 4, 7),
        (3, Kind::Nothing, 5, 6),
        (1, commit(2, 100), 8, 9),
        (1, Kind::Nothing, 10, 11),
    ]);
    assert_eq!(check(&calls, &Rules::default()), Judgement::Linearizable);
}

/// An evicting store: the prepare of nothing comes between the last that finds the first entry and the
/// commit of the second.
#[test]
fn what_nobody_will_find_any_more_can_be_evicted_before_the_next_commit() {
    let mut calls = story(&[
        (1, Kind::Nothing, 1, 5),
        (0, Kind::Commit { value: 1, ttl: 2 }, 2, 4),
        (2, Kind::Commit { value: 2, ttl: 4 }, 3, 8),
        (1, Kind::Nothing, 6, 10),
        (0, Kind::Found(1), 7, 9),
        (2, Kind::Found(2), 11, 12),
    ]);
    let clock = [(1, 2), (1, 2), (2, 3), (2, 5), (3, 4), (5, 5)];
    for (call, (from, to)) in calls.iter_mut().zip(clock) {
        call.clock = Span { from, to };
    }
    let rules = Rules {
        early: 0,
        resolution: 1,
        uncertainty: 1,
        horizon: Some(2),
        may_evict: true,
        start: Start::Empty,
    };
    assert!(brute::is_linearizable(&calls, &rules));
    assert_eq!(check(&calls, &rules), Judgement::Linearizable);
}
