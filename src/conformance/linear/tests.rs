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

use super::*;
use simulate::{Chance, Scene};

/// A scene small enough for brute force.
fn small(chance: &mut Chance, is_plain: bool) -> Scene {
    let mut any = |end| chance.below(end);
    let rules = match is_plain {
        true => Rules::default(),
        false => Rules {
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

fn agrees_with_brute_force(is_plain: bool, histories: u32) {
    let seed = seed() + u64::from(is_plain);
    println!("LINEAR_SEED={seed}");
    let mut chance = Chance(seed);
    let (mut right, mut wrong) = (0, 0);
    for number in 0..histories {
        let scene = small(&mut chance, is_plain);
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
    agrees_with_brute_force(true, 100_000);
}

#[test]
fn agrees_with_brute_force_whatever_the_store_may_do() {
    agrees_with_brute_force(false, 100_000);
}
