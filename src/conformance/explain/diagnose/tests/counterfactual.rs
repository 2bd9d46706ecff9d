//! The clause of a program where others say that another call, id or time in its place would not do, or would.

use super::scripted::{committed, diagnosed, diagnosed_by_life};
use super::*;

/// Where any write would do, it is not the drop that touches another id.
#[test]
fn a_drop_of_another_id_matters_only_if_a_commit_would_not_do() {
    // Every third write loses what was there.
    let every_third = |log: &[(Nanos, Op)], _, _: &str| {
        let is_whole = !log.len().is_multiple_of(3);
        is_whole.then(|| committed(log)[0].1.clone())
    };
    let clause_of = |program| diagnosed(every_third, program).0;
    assert_eq!(
        clause_of("drop B; drop B; commit A v1 ttl 1s; prepare A"),
        Clause::Com5
    );
    // A drop loses it, and a commit does not.
    let by_drop = |log: &[(Nanos, Op)], _, _: &str| {
        let is_dropped = log.iter().any(|(_, op)| matches!(op, Op::Drop { .. }));
        (!is_dropped).then(|| committed(log)[0].1.clone())
    };
    let clause_of = |program| diagnosed(by_drop, program).0;
    assert_eq!(
        clause_of("commit A v1 ttl 1s; drop B; prepare A"),
        Clause::Drp4
    );
    assert_eq!(
        clause_of(r#"commit A v1 ttl 1s; drop ""; prepare A"#),
        Clause::Drp3
    );
}

/// What stands for such a drop is a commit of a token that outlives the program, and no other drop.
#[test]
fn a_drop_of_another_id_is_any_write_also_among_other_things() {
    let every_third = |log: &[(Nanos, Op)], _, id: &str| {
        let is_prepare = |op: &Op| matches!(op, Op::Prepare { .. });
        let such = |op: &Op| !is_prepare(op) && op.id().is_some_and(token::is_token);
        let writes = log.iter().filter(|(_, op)| such(op)).count();
        let mut commits = committed(log).into_iter();
        let own = commits.find_map(|(_, it, _)| (it.id() == id).then_some(it));
        own.filter(|_| !writes.is_multiple_of(3))
    };
    let program = "commit A v1 ttl 2s; drop B; drop B; advance 1s; prepare A";
    assert_eq!(diagnosed(every_third, program).0, Clause::Ttl3);

    let third_brings_back =
        |log: &[(Nanos, Op)], _, _: &str| (log.len() == 3).then(|| committed(log).pop())?;
    let third_brings_back =
        move |log: &[(Nanos, Op)], now, id: &str| Some(third_brings_back(log, now, id)?.1);
    let program = "commit A v1 ttl 1s; drop A; drop B; prepare A";
    assert_eq!(diagnosed(third_brings_back, program).0, Clause::Drp1);

    let forgets_one_of_two = |log: &[(Nanos, Op)], now: Nanos, id: &str| {
        let commits = committed(log);
        let lives = |(at, it, ttl): &(Nanos, Snapshot, Nanos)| it.id() != id && now < at + ttl;
        let is_dropped = log.iter().any(|(_, op)| matches!(op, Op::Drop { .. }));
        let own = commits.iter().find(|(_, it, _)| it.id() == id)?;
        (!is_dropped && !commits.iter().any(lives)).then(|| own.1.clone())
    };
    let program = "commit A v1 ttl 3s; drop B; advance 2s; prepare A";
    assert_eq!(diagnosed(forgets_one_of_two, program).0, Clause::Ttl3);
}

/// Where calls of every kind do as well as those that there are, it is none of theirs.
#[test]
fn the_number_of_calls_is_no_matter_of_what_they_do() {
    // The clock is read at every fourth call.
    let seldom = |log: &[(Nanos, Op)], now: Nanos, id: &str| {
        let read = |at: usize| log.get(at / 4 * 4).map_or(now, |(at, _)| *at);
        let commit = |(at, (_, op)): (usize, &(Nanos, Op))| match op {
            Op::Commit { snapshot, ttl } => Some((snapshot.clone()?, read(at) + ttl)),
            _ => None,
        };
        let mut commits = log.iter().enumerate().rev().filter_map(commit);
        let (snapshot, end) = commits.find(|(it, _)| it.id() == id)?;
        (read(log.len()) < end).then_some(snapshot)
    };
    for program in [
        "prepare A; advance 1s; commit A v1 ttl 1s; drop B; prepare \"\"; prepare A",
        "commit A v1 ttl 1s; drop A; advance 1s; commit A v2 ttl 1s; prepare A; prepare A",
    ] {
        assert_eq!(diagnosed(seldom, program).0, Clause::Ttl1, "{program}");
    }
}

/// An id that is no token, and that the drop of the empty one drops too.
#[test]
fn what_the_empty_id_is_taken_for_is_a_matter_of_ids() {
    let hashed = |log: &[(Nanos, Op)], _, id: &str| {
        let is_dropped = log
            .iter()
            .any(|(_, op)| matches!(op, Op::Drop { id } if id.is_empty()));
        let own = committed(log).pop()?.1;
        (own.id() == id && !is_dropped).then_some(own)
    };
    let clause_of = |program| diagnosed(hashed, program).0;
    assert_eq!(
        clause_of("commit \"x\" v1 ttl 1s; drop \"\"; prepare \"x\""),
        Clause::Idn1
    );
    assert_eq!(
        clause_of("commit A v1 ttl 1s; drop \"\"; prepare A"),
        Clause::Drp3
    );
}

/// With the first commit under another id it fails before its end.
#[test]
fn what_is_replaced_matters_where_the_rest_fails_otherwise() {
    let one_commit_for_all = |log: &[(Nanos, Op)], _, id: &str| match &committed(log)[..] {
        [(_, only, _)] => Some(only.with_id(id)),
        _ => None,
    };
    let program = "commit A v1 ttl 1s; prepare A; commit A v2 ttl 1s; prepare A";
    assert_eq!(diagnosed(one_commit_for_all, program).0, Clause::Com6);
}

/// A prepare that does no more than a commit would is no matter of PRE-4: an entry is used, or counted.
#[test]
fn a_prepare_is_to_blame_only_if_a_commit_would_not_do_as_well() {
    fn own(log: &[(Nanos, Op)], id: &str) -> Option<Snapshot> {
        let mut commits = committed(log).into_iter();
        commits.find_map(|(_, snapshot, _)| (snapshot.id() == id).then_some(snapshot))
    }
    let third_finds_nothing =
        |log: &[(Nanos, Op)], _, id: &str| own(log, id).filter(|_| log.len() != 2);
    let second_prepare_finds_nothing = |log: &[(Nanos, Op)], _, id: &str| {
        let is_prepared = log.iter().any(|(_, op)| matches!(op, Op::Prepare { .. }));
        own(log, id).filter(|_| !is_prepared)
    };
    for (program, clause) in [
        ("commit A v1 ttl 1s; prepare A; prepare A", Clause::Pre3),
        ("commit A v1 ttl 1s; prepare B; prepare A", Clause::Com5),
        // A commit would have been refused, but any call does as well.
        ("commit A v1 ttl 1s; prepare \"\"; prepare A", Clause::Com5),
    ] {
        let clauses = [
            diagnosed(third_finds_nothing, program).0,
            diagnosed(second_prepare_finds_nothing, program).0,
        ];
        assert_eq!(clauses, [clause, Clause::Pre4], "{program}");
    }
}

/// Where what was replaced comes back, it is the replacing, whatever was committed under other ids.
#[test]
fn a_replaced_entry_that_comes_back_is_com_6_also_among_others() {
    // A third write brings back what was there first.
    let comes_back = |log: &[(Nanos, Op)], _, id: &str| {
        let commits = committed(log).into_iter().map(|(_, snapshot, _)| snapshot);
        let own: Vec<Snapshot> = commits.filter(|snapshot| snapshot.id() == id).collect();
        let place = if log.len() > 2 { own.len() - 1 } else { 0 };
        own.get(place).cloned()
    };
    let clause_of = |program| diagnosed(comes_back, program).0;
    let program = "commit A v1 ttl 1s; commit A v2 ttl 1s; commit B v3 ttl 1s; prepare A";
    assert_eq!(clause_of(program), Clause::Com6);
}

/// What is true of a life of one second too, is no matter of the ttl.
#[test]
fn a_ttl_matters_only_if_a_plain_one_would_do() {
    let half = SECOND / 2;
    let early = move |late, _| late < -half;
    let ten = "commit A v1 ttl 10s; advance 9600ms; prepare A";
    assert_eq!(diagnosed_by_life(early, ten).0, Clause::Ttl1);
    let beside_another = format!("commit B v2 ttl 10s; {ten}");
    assert_eq!(diagnosed_by_life(early, &beside_another).0, Clause::Ttl3);
    let a_second_early = |late, _| late < -SECOND;
    let nine = "commit A v1 ttl 10s; advance 9s; prepare A";
    assert_eq!(diagnosed_by_life(a_second_early, nine).0, Clause::Ttl1);
    let halved = |late, ttl: Nanos| late < -(ttl / 2);
    let half_way = "commit A v1 ttl 10s; advance 5s; prepare A";
    assert_eq!(diagnosed_by_life(halved, half_way).0, Clause::Com7);
    let or_never = |late, ttl| ttl == 10 * SECOND && late < -5 * SECOND;
    assert_eq!(diagnosed_by_life(or_never, half_way).0, Clause::Com7);
}

/// Whether a store takes two ids for one another is seen by asking it.
#[test]
fn ids_are_confused_where_one_finds_what_was_committed_under_the_other() {
    let folds = |log: &[(Nanos, Op)], _, id: &str| {
        let same = |other: &str| other.eq_ignore_ascii_case(id);
        log.iter().fold(None, |found, (_, op)| match op {
            Op::Commit { snapshot, .. } => snapshot.clone().filter(|it| same(it.id())).or(found),
            Op::Drop { id } if same(id) => None,
            _ => found,
        })
    };
    let drops_more = |log: &[(Nanos, Op)], _, id: &str| {
        log.iter().fold(None, |found, (_, op)| match op {
            Op::Commit { snapshot, .. } => snapshot.clone().filter(|it| it.id() == id).or(found),
            Op::Drop { id: dropped } if dropped.eq_ignore_ascii_case(id) => None,
            _ => found,
        })
    };
    for program in [
        "commit a v1 ttl 1s; drop A; prepare a",
        "commit \"x\" v1 ttl 1s; drop \"X\"; drop \"\"; prepare \"x\"",
    ] {
        assert_eq!(diagnosed(folds, program).0, Clause::Idn1, "{program}");
        assert_eq!(diagnosed(drops_more, program).0, Clause::Drp4, "{program}");
    }
}

/// What another commit sweeps away too early, it does not if its life is long.
#[test]
fn a_long_life_tells_a_sweep_that_is_too_early_from_room_for_one() {
    let swept = |log: &[(Nanos, Op)], _, id: &str| {
        let all = committed(log);
        let (at, own, ttl) = all.iter().find(|(_, snapshot, _)| snapshot.id() == id)?;
        let mut later = all
            .iter()
            .take_while(|(_, snapshot, _)| snapshot.id() != id);
        later
            .all(|(now, ..)| now + 5 * SECOND < at + ttl)
            .then(|| own.clone())
    };
    let room_for_one = |log: &[(Nanos, Op)], _, id: &str| {
        let last = committed(log).swap_remove(0).1;
        (last.id() == id).then_some(last)
    };
    let program = "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare A";
    assert_eq!(diagnosed(swept, program).0, Clause::Ttl3);
    assert_eq!(diagnosed(room_for_one, program).0, Clause::Pre3);
}

/// Where any other commit would have done as well, it is no matter of what was replaced.
#[test]
fn what_was_replaced_matters_only_if_it_was_under_this_id() {
    let every_third_is_lost = |log: &[(Nanos, Op)], _, id: &str| {
        let all = committed(log);
        let own = all
            .iter()
            .position(|(_, snapshot, _)| snapshot.id() == id)?;
        (!(all.len() - own).is_multiple_of(3)).then(|| all[own].1.clone())
    };
    let program = "commit A v1 ttl 1s; commit A v2 ttl 1s; commit A v3 ttl 1s; prepare A";
    assert_eq!(diagnosed(every_third_is_lost, program).0, Clause::Com5);
    let lives_on = |every: bool| {
        move |log: &[(Nanos, Op)], now, id: &str| {
            let all = committed(log);
            let own = all.iter().filter(|(_, snapshot, _)| snapshot.id() == id);
            let counted = if every {
                all.len()
            } else {
                own.clone().count()
            };
            let (at, snapshot, ttl) = own.clone().next()?.clone();
            let more = if counted == 2 { SECOND } else { 0 };
            (now < at + ttl + more).then_some(snapshot)
        }
    };
    let program = "commit A v1 ttl 1s; commit A v2 ttl 1s; advance 1s; prepare A";
    assert_eq!(diagnosed(lives_on(true), program).0, Clause::Ttl2);
    assert_eq!(diagnosed(lives_on(false), program).0, Clause::Com6);
}

/// The plainest tokens are what shrinking ends at, whether they matter or not.
#[test]
fn tokens_matter_where_others_in_the_same_order_would_not_do() {
    let first = |log: &[(Nanos, Op)], _, _: &str| Some(committed(log).pop()?.1);
    let letters = |id: &str| id.chars().collect::<std::collections::BTreeSet<_>>().len();
    let mixed = move |log: &[(Nanos, Op)], now, id: &str| {
        first(log, now, id).filter(|own| letters(own.id()) == letters(id))
    };
    let next = |log: &[(Nanos, Op)], _, id: &str| {
        let snapshots = committed(log).into_iter().map(|(_, it, _)| it);
        snapshots
            .filter(|it| it.id() >= id)
            .min_by_key(|it| it.id().to_owned())
    };
    let only = |_: &[(Nanos, Op)], _: Nanos, id: &str| {
        let is_it = id == "A".repeat(token::LEN);
        is_it.then(|| payload::numbered(1, id))
    };
    let program = "commit B v1 ttl 1s; prepare A";
    assert_eq!(diagnosed(mixed, program).0, Clause::Idn1);
    assert_eq!(diagnosed(next, program).0, Clause::Pre1);
    // Of one token alone nothing is said.
    assert_eq!(diagnosed(only, "prepare A").0, Clause::Pre1);
}
