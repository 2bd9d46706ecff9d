//! What is said of stores that are wrong at some instants only, or in a way that other programs give away.

use super::scripted::{committed, diagnosed, diagnosed_by_life};
use super::*;

fn near_miss_of(
    lives: impl Fn(Nanos, Nanos) -> bool + Copy + Send + Sync + 'static,
    program: &str,
) -> String {
    diagnosed_by_life(lives, program).1
}

const AT_DEADLINE: &str = "commit A v1 ttl 1s; advance 1s; prepare A";

#[test]
fn a_life_that_is_too_long_is_told_by_its_first_end() {
    let revived_later = |late, _| !(7..=SECOND / 10).contains(&late);
    let near_miss = near_miss_of(revived_later, AT_DEADLINE);
    assert_eq!(
        near_miss,
        "the entry lived until 1.000000007s: 7ns too long"
    );
    let later = "advance 1s; commit A v1 ttl 1s; advance 1s; prepare A";
    let near_miss = near_miss_of(revived_later, later);
    assert_eq!(
        near_miss,
        "the entry lived until 2.000000007s: 7ns too long"
    );
}

#[test]
fn a_single_wrong_instant_agrees_around_it_only_where_it_does() {
    assert_eq!(near_miss_of(|late, _| late <= 0, AT_DEADLINE), AGREES);
    let near_miss = near_miss_of(|late, _| late == 0 || late < -1, AT_DEADLINE);
    assert_eq!(
        near_miss,
        "the entry lived until 1.000000001s: 1ns too long"
    );

    // It looks like a whole second, but a longer life ends where it should.
    let lives = |late, ttl| if ttl < SECOND { late == 0 } else { late < 0 };
    let near_miss = near_miss_of(
        lives,
        "commit A v1 ttl 999999999ns; advance 999999999ns; prepare A",
    );
    assert_eq!(near_miss, "the entry lived until 1s: 1ns too long");

    let early = "commit A v1 ttl 1s; advance 500ms; prepare A";
    let half = -SECOND / 2;
    assert_eq!(
        near_miss_of(move |late, _| late < 0 && late != half, early),
        AGREES
    );
    let ends_there = move |late, _| late < 0 && !(half - 5..=half).contains(&late);
    assert_eq!(near_miss_of(ends_there, early), "");

    let at_the_end = "commit A v1 ttl 1s; advance 999.999999ms; prepare A";
    let at_the_end = at_the_end.replace("999.999999ms", "999999999ns");
    let near_miss = near_miss_of(|late, _| late != -1, &at_the_end);
    assert_eq!(
        near_miss,
        "the entry was gone from 999.999999ms on: 1ns too early"
    );
}

#[test]
fn a_life_that_is_cut_short_is_told_by_its_end() {
    let program = "commit A v1 ttl 2s; advance 1s; prepare A";
    let near_miss = near_miss_of(|late, _| late < -SECOND, program);
    assert_eq!(near_miss, "the entry was gone from 1s on: 1s too early");
    // At once, and nothing else was written that it could lie at.
    let near_miss = near_miss_of(|late, _| late == -2 * SECOND, program);
    assert_eq!(
        near_miss,
        "the entry was gone from 1ns on: 1.999999999s too early"
    );
}

/// Whether a whole second is missed as well tells rounding from a wrong sign, where that can be tried.
#[test]
fn a_deadline_of_a_second_tells_rounding_from_a_wrong_sign() {
    let rounded = |late, ttl| late < 0 || late == 0 && ttl != SECOND;
    let short = "commit A v1 ttl 1ms; advance 1ms; prepare A";
    let near_miss = near_miss_of(rounded, short);
    assert!(
        near_miss.ends_with("with a ttl of 1s: suspect rounding"),
        "{near_miss}"
    );
    // A second is over before the last advance.
    let long = "commit A v1 ttl 5s; advance 3s; prepare A; advance 2s; prepare A";
    assert_eq!(near_miss_of(rounded, long), AGREES);
}

/// What comes back has not lived all the time until then, nor for ever.
#[test]
fn an_entry_that_comes_back_by_itself_is_told_so() {
    let back = |late, _| !(0..SECOND / 2).contains(&late);
    let near_miss = near_miss_of(back, "commit A v1 ttl 1s; advance 1500ms; prepare A");
    assert_eq!(
        near_miss,
        "the entry is gone at 1s, and is there again at 1.5s"
    );
    let half_way = |late, _| !(SECOND / 10..SECOND).contains(&late);
    let near_miss = near_miss_of(half_way, "commit A v1 ttl 1s; advance 2s; prepare A");
    assert_eq!(
        near_miss,
        "the entry is gone at 1.5s, and is there again at 2s"
    );
    // Where it is immortal, it is the ttl that is not honoured.
    let short = "commit A v1 ttl 1ns; advance 1s; prepare A";
    let for_ever = |_, ttl| ttl == 1;
    assert_eq!(diagnosed_by_life(for_ever, short).0, Clause::Com7);
    let from_then_on = |late, ttl| ttl == 1 && late >= SECOND - 1;
    assert_eq!(diagnosed_by_life(from_then_on, short).0, Clause::Ttl2);
}

/// The later deadline of two is no matter of `<` or `<=`, and of two that end there it is the own one.
#[test]
fn an_end_that_is_another_deadline_is_told_by_that() {
    let latest = |log: &[(Nanos, Op)], now, _: &str| {
        let commits = committed(log);
        let end = commits.iter().map(|(at, _, ttl)| at + ttl).max();
        end.filter(|end| now < *end).map(|_| commits[0].1.clone())
    };
    let near_miss = |program| diagnosed(latest, program).1;
    assert_eq!(
        near_miss("commit A v1 ttl 1000000001ns; commit A v2 ttl 1s; advance 1s; prepare A"),
        "the entry lived until 1.000000001s: 1ns too long, at the deadline of v1"
    );
    assert_eq!(
        near_miss(
            "commit A v1 ttl 2s; commit B v2 ttl 2s; commit A v3 ttl 1s; advance 1s; prepare A"
        ),
        "the entry lived until 2s: 1s too long, at the deadline of v1"
    );
    assert_eq!(
        near_miss("commit B v1 ttl 2s; commit A v2 ttl 1s; advance 1s; prepare A"),
        "the entry lived until 2s: 1s too long, at the deadline of B"
    );
}

#[test]
fn a_life_that_is_too_short_is_told_by_its_last_end() {
    let lives = |late, _| late < -SECOND * 4 / 10 || (-SECOND / 10..-4).contains(&late);
    let near_miss = near_miss_of(lives, "commit A v1 ttl 1s; advance 999999999ns; prepare A");
    assert_eq!(
        near_miss,
        "the entry was gone from 999.999996ms on: 4ns too early"
    );
}

#[test]
fn the_next_longer_ttl_that_is_kept_is_told() {
    let lives = |_, ttl| (SECOND + 11..SECOND * 3 / 2).contains(&ttl);
    let near_miss = near_miss_of(lives, "commit A v1 ttl 1s; prepare A");
    let kept = "with a ttl of 1.000000011s the entry is found, with one of 1.00000001s it is not";
    assert_eq!(near_miss, kept);
}

#[test]
fn a_ttl_that_a_narrow_number_ends_at_is_told_so() {
    for (unit, name) in [(86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")] {
        let end = (unit * SECOND) << 16;
        let near_miss = near_miss_of(
            move |_, ttl| ttl < end,
            &format!("commit A v1 ttl {}s; prepare A", unit << 16),
        );
        assert!(
            near_miss.ends_with(&format!("and that is 2^16 {name}")),
            "{near_miss}"
        );
    }
}

/// Of two entries with one deadline, it forgets to let go of the first.
#[test]
fn a_probe_moves_no_other_call() {
    let finds = |log: &[(Nanos, Op)], now, id: &str| {
        let commits = committed(log);
        let own = commits.iter().find(|(_, snapshot, _)| snapshot.id() == id);
        let (at, snapshot, ttl) = own?.clone();
        let is_shared = |(other, _, life): &&(Nanos, Snapshot, Nanos)| other + life == at + ttl;
        let is_kept = commits.iter().filter(is_shared).count() > 1 && now == at + ttl;
        (now < at + ttl || is_kept).then_some(snapshot)
    };
    let told = |program| diagnosed(finds, program).1;
    let shares = "commit A v1 ttl 2s; advance 1s; commit B v2 ttl 1s; advance 1s; prepare A";
    let expected = "agrees one nanosecond earlier and later; that is the deadline of B too";
    assert_eq!(told(shares), expected);
    // At its deadline it is kept when another is committed. To come to the prepare a nanosecond earlier would be
    // to commit that one earlier too, so nobody knows what comes then.
    let keeps = |log: &[(Nanos, Op)], now, id: &str| {
        let commits = committed(log);
        let own = commits.iter().find(|(_, snapshot, _)| snapshot.id() == id);
        let (at, snapshot, ttl) = own?.clone();
        let is_kept = commits.first().is_some_and(|(last, ..)| *last == now) && now == at + ttl;
        (now < at + ttl || is_kept).then_some(snapshot)
    };
    let moves_both = "commit A v1 ttl 2s; advance 2s; commit B v2 ttl 1s; prepare A";
    let later = "the entry lived until 2.000000001s: 1ns too long";
    assert_eq!(diagnosed(keeps, moves_both).1, later);
}

#[test]
fn a_life_that_a_prepare_prolongs_ends_a_whole_ttl_after_it() {
    let slides = |log: &[(Nanos, Op)], now, _: &str| {
        let mut end = None;
        for (at, op) in log {
            match op {
                Op::Commit { snapshot, ttl } => end = Some((at + ttl, *ttl, snapshot.clone()?)),
                Op::Prepare { .. } => {
                    end =
                        end.map(|(end, ttl, it)| (if *at < end { at + ttl } else { end }, ttl, it));
                }
                _ => {}
            }
        }
        end.filter(|(end, ..)| now < *end)
            .map(|(_, _, snapshot)| snapshot)
    };
    let diagnosed = diagnosed(
        slides,
        "commit A v1 ttl 2s; advance 1s; prepare A; advance 1s; prepare A",
    );
    let expected = "the entry lived until 3s: 1s too long, a whole ttl after the prepare at 1s";
    assert_eq!(diagnosed, (Clause::Pre4, expected.to_owned()));
}

#[test]
fn a_deadline_is_rounded_where_that_of_a_longer_life_is_too() {
    let program = "commit A v1 ttl 1500ms; advance 1500ms; prepare A";
    let near_miss = near_miss_of(|late, _| late < SECOND / 2, program);
    let rounded = "the entry lived until 2s: 500ms too long, its deadline rounded to 1s";
    assert_eq!(near_miss, rounded);
    let near_miss = near_miss_of(|late, ttl| late < ttl / 3, program);
    assert_eq!(near_miss, "the entry lived until 2s: 500ms too long");
}

/// While the entry lives the store gives something else, and from then on what was committed last.
#[test]
fn what_was_committed_last_is_no_remnant() {
    let finds = |log: &[(Nanos, Op)], now, _: &str| {
        let commits = committed(log);
        let (at, last, ttl) = commits.first()?.clone();
        let other = payload::numbered(9, last.id());
        Some(if now < at + ttl { other } else { last })
    };
    for (program, named) in [
        ("commit A v1 ttl 1s; advance 1s; prepare A", Clause::Ttl2),
        (
            "drop A; commit A v1 ttl 1s; commit A v1 ttl 1s; advance 1s; prepare A",
            Clause::Drp2,
        ),
    ] {
        assert_eq!(diagnosed(finds, program).0, named, "{program}");
    }
}

/// Without the first commit it is wrong as well, in another way, which tells nothing of a lost one.
#[test]
fn only_what_is_lost_without_a_remnant_is_hidden_by_it() {
    let finds = |log: &[(Nanos, Op)], _, _: &str| {
        let first = committed(log).pop()?.1;
        let is_second = payload::number_of(&first) == Some(2);
        Some(match is_second {
            true => payload::numbered(9, first.id()),
            false => first,
        })
    };
    let (clause, _) = diagnosed(finds, "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A");
    assert_eq!(clause, Clause::Com6);
}

#[test]
fn ids_that_a_restart_confuses_are_told() {
    let ops = ops("commit \"a\" v1 ttl 1s; commit \"A\" v2 ttl 1s; restart; prepare \"a\"");
    let failure = Failure::of_last(&ops, Outcome::Replied(Reply::Nothing));
    let diagnosis = Diagnosis::of(&Failing { ops, failure }, SECOND, None, None);
    assert_eq!(diagnosis.clause, Clause::Dur1);
    let near_miss = diagnosis.near_miss;
    assert_eq!(near_miss.as_deref(), Some("the ids differ only in case"));
}

/// The near miss of a store that forgets what has something in common with a later entry of another id.
fn near_miss_where(
    in_common: impl Fn(&Snapshot, &Snapshot) -> bool + Copy + Send + Sync + 'static,
    program: &str,
) -> String {
    let finds = move |log: &[(Nanos, Op)], _, id: &str| {
        let committed = committed(log);
        let place = committed.iter().position(|(_, it, _)| it.id() == id)?;
        let own = &committed[place].1;
        let mut later = committed[..place].iter();
        let is_forgotten = later.any(|(_, other, _)| in_common(own, other));
        (!is_forgotten).then(|| own.clone())
    };
    diagnosed(finds, program).1
}

#[test]
fn what_snapshots_have_in_common_is_told_where_a_store_goes_by_it() {
    let email = |snapshot: &Snapshot| snapshot.user().map(|user| user.email().to_owned());
    let program = "commit A v1 ttl 1s; commit B v1 ttl 1s; prepare A";
    let by_user = near_miss_where(move |own, other| email(own) == email(other), program);
    assert_eq!(by_user, "with another user under B it agrees");
    let by_csrf = near_miss_where(|own, other| own.csrf_token() == other.csrf_token(), program);
    assert_eq!(by_csrf, "with another CSRF token under B it agrees");
    let by_data = near_miss_where(|own, other| own.data() == other.data(), program);
    assert_eq!(by_data, "with other data under B it agrees");
    assert_eq!(near_miss_where(|_, _| true, program), "");
    // Neither has a user, so that is nothing that they share.
    let by_user = move |own: &Snapshot, other: &Snapshot| email(own) == email(other);
    let without = "commit A v2 ttl 1s; commit B v4 ttl 1s; prepare A";
    assert_eq!(near_miss_where(by_user, without), "");
}

#[test]
fn nothing_in_common_is_nothing_to_tell() {
    let finds = |log: &[(Nanos, Op)], _, id: &str| {
        let later = &committed(log)[0].1;
        (payload::number_of(later) != Some(2)).then(|| payload::numbered(1, id))
    };
    let (_, near_miss) = diagnosed(finds, "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare A");
    assert_eq!(near_miss, "");
}

#[test]
fn a_sign_is_not_suspected_where_another_deadline_is_right() {
    let rounds = |late, ttl| late < 0 || late == 0 && ttl % SECOND != 0;
    let near_miss = near_miss_of(rounds, "commit A v1 ttl 1.5s; advance 1.5s; prepare A");
    let rounding =
        "agrees one nanosecond earlier and later, and with a ttl of 1s: suspect rounding";
    assert_eq!(near_miss, rounding);
    let near_miss = near_miss_of(
        |late, _| late <= 0,
        "commit A v1 ttl 1.5s; advance 1.5s; prepare A",
    );
    assert!(near_miss.ends_with("suspect `<` for `<=`"), "{near_miss}");
}

#[test]
fn whose_it_is_that_came_back_is_told() {
    let finds = |log: &[(Nanos, Op)], _, id: &str| {
        let found = committed(log).swap_remove(0).1;
        Some(found.with_id(id))
    };
    let program = "commit A v1 ttl 1s; advance 1s; commit B v2 ttl 2s; prepare A";
    assert_eq!(
        diagnosed(finds, program).1,
        "what came back is v2, as committed for B"
    );
    // Its own came back.
    let program = "commit B v1 ttl 1s; commit A v1 ttl 1s; advance 1s; prepare A";
    let near_miss = diagnosed(finds, program).1;
    assert!(
        near_miss.starts_with("the entry is still there"),
        "{near_miss}"
    );
}

/// At the same instant it would not matter, but it is the commit that ends the entry.
#[test]
fn time_is_not_blamed_for_what_a_later_call_does() {
    let finds = |log: &[(Nanos, Op)], _, id: &str| {
        let committed = committed(log);
        let own = committed.iter().find(|(_, it, _)| it.id() == id)?;
        (committed[0].0 == own.0).then(|| own.1.clone())
    };
    let program = "commit A v1 ttl 2s; advance 1s; commit B v2 ttl 1s; prepare A";
    assert_eq!(diagnosed(finds, program).1, "");
}
