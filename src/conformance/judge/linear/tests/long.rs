use super::*;

/// Eight clients, each with always a call under way; some entries expire.
fn busy(calls: usize) -> Scene {
    Scene {
        rules: Rules::default(),
        clients: 8,
        calls,
        ttl: 40_000,
        tick: 1_000,
        ticks: 1,
        end: Nanos::MAX,
        values: 0,
        unknown: 0,
        slack: 0,
        idle: 0,
        mistake: None,
    }
}

#[test]
fn a_long_history_of_a_right_store_is_linearizable() {
    let scene = busy(20_000);
    let coarse = Rules {
        early: 0,
        resolution: 500,
        uncertainty: 200,
        horizon: Some(30_000),
        may_evict: false,
        start: Start::Unknown,
    };
    for rules in [Rules::default(), coarse] {
        let scene = Scene { rules, ..scene };
        let calls = scene.play(&mut Chance(seed()));
        assert_eq!(check(&calls, &rules), Judgement::Linearizable, "{rules:?}");
    }
}

#[test]
fn calls_of_unknown_outcome_stay_possible() {
    let scene = Scene {
        unknown: 50,
        ..busy(2_000)
    };
    let calls = scene.play(&mut Chance(seed()));
    assert_eq!(check(&calls, &scene.rules), Judgement::Linearizable);
}

#[test]
fn a_single_wrong_reply_in_a_long_history_is_found_when_it_returns() {
    let scene = busy(20_000);
    let mut chance = Chance(seed());
    let calls = scene.play(&mut chance);
    for _ in 0..3 {
        let mut calls = calls.clone();
        let (at, value) = loop {
            let at = chance.below(calls.len() as u64) as usize;
            if let Kind::Found(value) = calls[at].kind {
                break (at, value);
            }
        };
        // Nobody ever committed that.
        calls[at].kind = Kind::Found(value + 1_000_000);
        assert_eq!(check(&calls, &scene.rules), Judgement::Wrong { at });
    }
}

#[test]
fn too_many_calls_under_way_are_undecided() {
    let mut calls: Vec<Call> = Vec::new();
    for index in 0..200 {
        calls.push(Call {
            client: index,
            kind: Kind::Drop,
            invoked: index.into(),
            returned: 1_000 + u64::from(index),
            clock: Span { from: 0, to: 0 },
            outcome: Outcome::Certain,
        });
    }
    let judgement = check(&calls, &Rules::default());
    assert!(
        matches!(judgement, Judgement::Undecided { .. }),
        "{judgement:?}"
    );
}

/// Each of the commits can have come before any of the others, and somebody finds each.
#[test]
fn too_many_orders_are_undecided() {
    let commits = (0..20).map(|value| (value, commit(value, 1_000)));
    let founds = (0..20).map(|value| (20 + value, Kind::Found(value)));
    let calls: Vec<_> = (1..)
        .zip(commits.chain(founds))
        .map(|(invoked, (client, kind))| (client, kind, invoked, 1_000 - invoked))
        .collect();
    let judgement = check(&story(&calls), &Rules::default());
    assert!(
        matches!(judgement, Judgement::Undecided { .. }),
        "{judgement:?}"
    );
}

#[test]
fn ids_are_judged_apart() {
    let scene = busy(200);
    let ids = [1, 2, 3].map(|seed| scene.play(&mut Chance(seed)));
    let mut history: Vec<(u32, Call)> = (0..200)
        .flat_map(|call| (0..).zip(&ids).map(move |(id, calls)| (id, calls[call])))
        .collect();
    assert_eq!(by_id(&history), ids);
    let wrong = history
        .iter_mut()
        .rfind(|(id, call)| *id == 1 && call.kind == Kind::Nothing);
    wrong.unwrap().1.kind = Kind::Found(9_999);
    let judgements = check_all(&by_id(&history), &scene.rules);
    let right = judgements
        .iter()
        .map(|judgement| *judgement == Judgement::Linearizable);
    assert_eq!(right.collect::<Vec<_>>(), [true, false, true]);
}
