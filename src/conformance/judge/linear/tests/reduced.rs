use super::simulate::Mistake;
use super::*;
use reduce::{is_wrong, parts, without};

fn name(value: Value) -> String {
    format!("v{value}")
}

#[test]
fn what_is_left_is_wrong_and_needed_and_can_be_argued() {
    println!("LINEAR_SEED={}", seed());
    let mut chance = Chance(seed());
    for mistake in [
        Mistake::StaleRead,
        Mistake::LostUpdate,
        Mistake::Revival,
        Mistake::EarlyExpiry,
    ] {
        let scene = Scene {
            rules: Rules::default(),
            clients: 3,
            calls: 60,
            ttl: 2_000,
            tick: 20,
            ticks: 2,
            end: Nanos::MAX,
            values: 0,
            unknown: 10,
            slack: 0,
            idle: 1,
            mistake: Some(mistake),
        };
        let (mut wrong, mut argued, mut left) = (0, 0, 0);
        for _ in 0..200 {
            let calls = scene.play(&mut chance);
            let Some(reduced) = reduce(&calls, &scene.rules) else {
                continue;
            };
            wrong += 1;
            let Judgement::Wrong { at } = check(&calls, &scene.rules) else {
                panic!("it is reduced, but not wrong: {reduced:#?}");
            };
            let last = reduced.places.iter().position(|place| *place == at);
            let judgement = check(&reduced.calls, &scene.rules);
            let expected = last.map(|at| Judgement::Wrong { at });
            assert_eq!(Some(judgement), expected, "{reduced:#?}");
            let parts = parts(&calls, &scene.rules, at);
            for (index, part) in parts.iter().enumerate() {
                if part.is_relaxed {
                    let is_write = matches!(part.call.kind, Kind::Commit { .. } | Kind::Drop);
                    assert!(is_write, "{part:?} is left, and not needed");
                } else {
                    let fewer = without(&parts, index..index + 1);
                    assert!(!is_wrong(&fewer, &scene.rules), "{part:?} is not needed");
                }
            }
            let end = calls[at].returned;
            let relaxed: Vec<Call> = parts
                .iter()
                .map(|part| Call {
                    outcome: match part.is_relaxed || part.call.returned > end {
                        true => Outcome::Unknown,
                        false => part.call.outcome,
                    },
                    ..part.call
                })
                .collect();
            let judgement = check(&relaxed, &scene.rules);
            assert!(
                matches!(judgement, Judgement::Wrong { .. }),
                "a relaxed write is needed: {parts:#?}"
            );
            left += reduced.calls.len();
            argued += usize::from(!reduced.argue(&name).starts_with("no order"));
        }
        println!("{mistake:?}: {wrong} wrong, {argued} argued, {left} calls left");
        assert!(wrong >= 10, "{mistake:?}: {wrong} of 200 are wrong");
        assert!(
            left <= 5 * wrong,
            "{mistake:?}: {left} calls left of {wrong}"
        );
        assert!(argued * 10 >= wrong * 8, "{mistake:?}: {argued} of {wrong}");
    }
}

/// An argument is for a single prepare, so it must fit no prepare of a history that some order explains.
#[test]
fn what_is_right_cannot_be_argued_against() {
    println!("LINEAR_SEED={}", seed());
    let mut chance = Chance(seed());
    let mut right = 0;
    for number in 0..40_000 {
        let scene = small(&mut chance, number % 2 == 0);
        let mut calls = scene.play(&mut chance);
        for _ in 0..chance.below(3) {
            mutate(&mut calls, &mut chance);
        }
        if check(&calls, &scene.rules) != Judgement::Linearizable {
            continue;
        }
        right += 1;
        // A prepare of unknown outcome says nothing, and none is ever left.
        let is_read = |call: &Call| matches!(call.kind, Kind::Found(_) | Kind::Nothing);
        calls.retain(|call| call.outcome == Outcome::Certain || !is_read(call));
        let clocks = brute::within(&calls);
        for (call, clock) in calls.iter_mut().zip(clocks) {
            call.clock = clock;
        }
        let reduced = Reduced {
            places: (0..calls.len()).collect(),
            beside: Vec::new(),
            calls,
            rules: scene.rules,
        };
        let argument = reduced.argue(&name);
        assert!(
            argument.starts_with("no order"),
            "{argument}\n{reduced:#?}\n{}",
            reduced.draw(&name)
        );
    }
    assert!(right > 10_000, "{right} of 40000 are right");
}

/// What bounds the time of a call need not be left for that.
#[test]
fn clocks_stay_as_exact_as_the_whole_history_made_them() {
    let mut calls = story(&[
        (1, commit(1, 4), 1, 2),
        (2, Kind::Nothing, 9, 10),
        (3, Kind::Found(1), 11, 12),
    ]);
    // The clock was read long before the call was made.
    calls[2].clock.from = 0;
    let reduced = reduce(&calls, &Rules::default()).expect("it is wrong");
    assert_eq!(reduced.places, [0, 2]);
    assert_eq!(reduced.calls[1].clock.from, calls[1].clock.from);
}

fn tell(calls: &[(u32, Kind, u64, u64)]) -> String {
    let reduced = reduce(&story(calls), &Rules::default()).expect("it is wrong");
    format!("{}\n{}", reduced.draw(&name), reduced.argue(&name))
}

#[test]
fn an_entry_that_is_found_after_its_drop_is_told() {
    let told = tell(&[
        (7, commit(8, 100), 1, 2),
        (7, Kind::Found(8), 3, 4),
        (7, commit(1, 100), 5, 8),
        (3, Kind::Found(1), 6, 7),
        (3, Kind::Drop, 9, 12),
        (5, Kind::Found(1), 10, 11),
        (5, Kind::Found(1), 13, 14),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 100s--]
    c2                          [--drop--]
    c3                                     [--prepare v1--]

    c3's prepare was called after c2's drop had returned, yet it gives v1, which c1 had committed before that
    ");
}

#[test]
fn an_entry_that_expires_early_is_told() {
    let told = tell(&[
        (1, commit(1, 30), 1, 3),
        (2, Kind::Nothing, 2, 4),
        (2, Kind::Nothing, 5, 6),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 30s--]
    c2                         [--prepare nothing--]

    c1's commit of v1 is live until 31s at least, and no drop came after it; yet c2's prepare came after it and had returned by 6s, and finds nothing
    ");
}

#[test]
fn a_drop_that_takes_effect_twice_is_told() {
    let told = tell(&[
        (1, commit(1, 100), 1, 2),
        (2, Kind::Drop, 3, 12),
        (1, Kind::Nothing, 4, 5),
        (1, commit(2, 100), 6, 7),
        (1, Kind::Nothing, 8, 9),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 100s--]  [--prepare nothing--] [--commit v2 ttl 100s--]
    c2                          [--drop------------------------------------------------------------

    c1 [--prepare nothing--]
    c2 ---------------------]

    c1's commit of v2 is live until 106s at least, and c2's drop had taken effect before it, as c1's earlier prepare found nothing; yet c1's prepare came after it and had returned by 9s, and finds nothing
    ");
}

#[test]
fn an_entry_that_outlives_its_deadline_is_told() {
    let told = tell(&[(1, commit(1, 2), 1, 2), (2, Kind::Found(1), 6, 7)]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 2s--]
    c2                        [--prepare v1--]

    c1's commit of v1 is gone by 4s at the latest, and nobody committed it again; yet c2's prepare, called at 6s, gives it
    ");
}

#[test]
fn an_entry_that_comes_back_is_told() {
    let told = tell(&[
        (1, commit(1, 10), 1, 5),
        (2, Kind::Nothing, 6, 12),
        (1, Kind::Found(1), 13, 14),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 10s--]                       [--prepare v1--]
    c2                         [--prepare nothing--]

    c2's prepare had found nothing, and nobody has committed v1 again since c1 did; yet c1's prepare, called later, gives it
    ");
}

#[test]
fn a_lost_update_is_told() {
    let told = tell(&[
        (1, commit(1, 100), 1, 2),
        (2, commit(2, 100), 3, 6),
        (1, Kind::Found(2), 4, 5),
        (1, Kind::Found(1), 7, 8),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 100s--]                          [--prepare v1--]
    c2                          [--commit v2 ttl 100s--]

    c1's prepare was called after c2's commit of v2 had returned, yet it gives v1, which c1 had committed before that
    ");
}

#[test]
fn of_a_cancelled_commit_it_is_told_who_shows_that_it_took_effect() {
    let mut calls = story(&[
        (1, commit(1, 100), 1, 2),
        (1, commit(2, 100), 3, 4),
        (2, Kind::Found(2), 5, 6),
        (1, Kind::Found(1), 7, 8),
    ]);
    calls[1].outcome = Outcome::Unknown;
    let reduced = reduce(&calls, &Rules::default()).expect("it is wrong");
    insta::assert_snapshot!(
        reduced.argue(&name),
        @"c1's prepare gives v1, which c1 had committed before c1's commit of v2; that took effect, as c2's prepare of v2 shows, and no later than it was cancelled"
    );
}

#[test]
fn a_value_from_nowhere_is_told() {
    let told = tell(&[(1, Kind::Found(1), 1, 3), (2, commit(1, 100), 4, 5)]);
    insta::assert_snapshot!(told, @"
    c1 [--prepare v1--]

    c1's prepare gives v1, which nobody had committed by then
    ");
}

#[test]
fn two_prepares_that_see_two_commits_in_either_order_are_told() {
    let told = tell(&[
        (1, commit(1, 100), 1, 4),
        (2, commit(2, 100), 2, 3),
        (1, Kind::Found(1), 5, 7),
        (2, Kind::Found(2), 6, 8),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 100s----] [--prepare v1--]
    c2  [--commit v2 ttl 100s--]   [--prepare v2--]

    c2's prepare gives v2 and c1's gives v1; both commits had taken effect before either, so both prepares must give the later one
    ");
}

#[test]
fn a_prepare_that_is_wrong_alone_is_all_that_is_left() {
    let told = tell(&[(2, Kind::Nothing, 1, 2), (1, Kind::Found(1), 3, 4)]);
    insta::assert_snapshot!(told, @"
    c1 [--prepare v1--]

    c1's prepare gives v1, which nobody had committed by then
    ");
}

#[test]
fn a_call_that_may_go_on_beside_the_next_of_its_client_covers_none_of_them() {
    let mut calls = story(&[
        (1, commit(1, 100), 1, 2),
        (1, Kind::Drop, 3, u64::MAX),
        (1, Kind::Nothing, 4, 5),
        (1, Kind::Found(1), 6, 7),
    ]);
    calls[1].outcome = Outcome::Unknown;
    let reduced = Reduced {
        places: vec![0, 1, 2, 3],
        beside: Vec::new(),
        calls,
        rules: Rules::default(),
    };
    insta::assert_snapshot!(reduced.draw(&name), @"c1 [--commit v1 ttl 100s--] [--drop ?---[--prepare nothing--]-[--prepare v1--]-");
}

/// The names are as long as it takes: the second call fits just so, the fourth does not.
#[test]
fn what_does_not_fit_is_drawn_below() {
    let reduced = Reduced {
        calls: story(&[
            (1, Kind::Found(31), 1, 2),
            (2, Kind::Found(32), 3, 4),
            (1, Kind::Found(31), 5, 6),
            (2, Kind::Found(47), 7, 8),
        ]),
        places: vec![0, 1, 2, 3],
        beside: Vec::new(),
        rules: Rules::default(),
    };
    let drawn = reduced.draw(&|length| "v".repeat(length as usize));
    insta::assert_snapshot!(drawn, @"
    c1 [--prepare vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv--]
    c2                                               [--prepare vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv--]

    c1  [--prepare vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv--]
    c2

    c1
    c2 [--prepare vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv--]
    ");
}

#[test]
fn a_commit_that_was_found_before_it_returned_is_told() {
    let told = tell(&[
        (1, commit(1, 100), 1, 10),
        (2, Kind::Found(1), 2, 3),
        (2, Kind::Nothing, 4, 5),
    ]);
    insta::assert_snapshot!(told, @"
    c1 [--commit v1 ttl 100s------------------]
    c2  [--prepare v1--] [--prepare nothing--]

    c1's commit of v1 is live until 101s at least, and no drop came after it; c2's prepare had found it, yet c2's prepare came after that one and had returned by 5s, and finds nothing
    ");
}

#[test]
fn a_life_that_is_over_does_not_matter_once_another_has_begun() {
    let reduced = Reduced {
        calls: story(&[
            (1, commit(1, 1), 1, 2),
            (1, commit(2, 100), 3, 4),
            (2, Kind::Nothing, 7, 8),
        ]),
        places: vec![0, 1, 2],
        beside: Vec::new(),
        rules: Rules::default(),
    };
    let argument = reduced.argue(&name);
    assert!(
        argument.starts_with("c1's commit of v2 is live until 103s"),
        "{argument}"
    );
}
