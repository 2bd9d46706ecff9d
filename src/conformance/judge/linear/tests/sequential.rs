//! Calls that do not overlap: the model and the judge of programs know what is right.

use super::*;
use crate::conformance::judge::spans::Judge;
use crate::conformance::program::payload;
use crate::conformance::subject::profile::Profile;
use crate::model::{Model, Op, Reply};
use std::time::Duration;

/// A history of one client, as the programs of the kit have it.
fn steps(calls: &[Call]) -> Vec<(Op, Reply)> {
    let snapshot = |value| payload::numbered(u64::from(value), "A");
    let each = calls.iter().map(|call| match call.kind {
        Kind::Found(value) => (prepare(), Reply::Found(snapshot(value))),
        Kind::Nothing => (prepare(), Reply::Nothing),
        Kind::Commit { value, ttl } => {
            let snapshot = Some(snapshot(value));
            (Op::Commit { snapshot, ttl }, Reply::Done)
        }
        Kind::Drop => (Op::Drop { id: "A".into() }, Reply::Done),
    });
    each.collect()
}

fn prepare() -> Op {
    Op::Prepare { id: "A".into() }
}

/// A scene of one client whose calls are all certain.
fn alone(chance: &mut Chance, is_plain: bool) -> Scene {
    Scene {
        clients: 1,
        calls: 8,
        unknown: 0,
        ..small(chance, is_plain)
    }
}

#[test]
fn agrees_with_the_model_where_time_is_exact() {
    let mut chance = Chance(seed());
    println!("LINEAR_SEED={}", seed());
    let mut wrong = 0;
    for _ in 0..20_000 {
        let scene = alone(&mut chance, true);
        let mut calls = scene.play(&mut chance);
        for _ in 0..chance.below(4) {
            mutate(&mut calls, &mut chance);
        }
        let spans = brute::within(&calls);
        for (call, span) in calls.iter_mut().zip(spans) {
            (call.clock.from, call.clock.to) = (span.from, span.from);
        }
        let mut model = Model::default();
        let first = calls
            .iter()
            .zip(steps(&calls))
            .position(|(call, (op, reply))| {
                let by = call.clock.from - model.now();
                model.step(&Op::Advance { by });
                !model.step(&op).admits(&reply)
            });
        let expected = match first {
            Some(at) => Judgement::Wrong { at },
            None => Judgement::Linearizable,
        };
        assert_eq!(check(&calls, &scene.rules), expected, "{calls:#?}");
        wrong += u32::from(first.is_some());
    }
    assert!(
        (3_000..17_000).contains(&wrong),
        "{wrong} of 20000 are wrong"
    );
}

/// The judge of programs forgets what replies say of the moment of a commit, so it may let more pass.
#[test]
fn what_the_judge_of_programs_convicts_is_wrong() {
    let mut chance = Chance(seed());
    println!("LINEAR_SEED={}", seed());
    let mut wrong = 0;
    for _ in 0..20_000 {
        let mut scene = alone(&mut chance, false);
        (scene.rules.may_evict, scene.rules.start) = (false, Start::Empty);
        let mut calls = scene.play(&mut chance);
        for _ in 0..chance.below(4) {
            mutate(&mut calls, &mut chance);
        }
        let length = |nanos: Nanos| Duration::from_nanos(nanos as u64);
        let mut profile = Profile::default()
            .resolution(length(scene.rules.resolution))
            .uncertainty(length(scene.rules.uncertainty));
        if let Some(horizon) = scene.rules.horizon {
            profile = profile.horizon(length(horizon));
        }
        let mut judge = Judge::new(&profile);
        let spans = brute::within(&calls).into_iter();
        let first = spans.zip(steps(&calls)).position(|(span, (op, reply))| {
            let is_right = judge.step(&op, span).admits(&reply);
            judge.observe(&op, &reply);
            !is_right
        });
        if let Some(convicted) = first {
            match check(&calls, &scene.rules) {
                Judgement::Wrong { at } => assert!(at <= convicted, "{scene:?} {calls:#?}"),
                other => panic!("{other:?} {scene:?} {calls:#?}"),
            }
            wrong += 1;
        }
    }
    assert!(wrong > 1_000, "{wrong} of 20000 are wrong");
}
