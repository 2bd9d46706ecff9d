//! What is told beside the calls that are needed.

use super::*;
use crate::conformance::program::payload;
use crate::model::Reply;
use crate::snapshot::Snapshot;
use crate::token;

/// What is drawn where no order explains these calls, the first so many of which are cancelled.
fn told_of(calls: &[(&str, u64, u64, Reply)], cancelled: usize, clause: Clause) -> String {
    let mut records = Record::all(calls);
    for record in &mut records[..cancelled] {
        record.outcome = None;
    }
    match judge(&History::new(records), &Profile::default(), clause) {
        Verdict::Wrong(anomaly) => anomaly.lanes + &anomaly.context,
        _ => String::new(),
    }
}

fn told(calls: &[(&str, u64, u64, Reply)]) -> String {
    told_of(calls, 0, Clause::Con1)
}

fn first() -> Snapshot {
    payload::numbered(1, &"A".repeat(token::LEN))
}

#[test]
fn what_was_under_way_is_drawn_where_nothing_overlaps() {
    let lanes = told(&[
        ("commit A v1 ttl 1000s", 1, 2, Reply::Done),
        ("prepare A", 3, 6, Reply::Found(first())),
        ("drop A", 4, 5, Reply::Done),
        ("prepare B", 7, 8, Reply::Nothing),
        ("prepare A", 9, 10, Reply::Found(first())),
    ]);
    insta::assert_snapshot!(lanes, @"
    c1 [--commit v1 ttl 1000s--]
    c2                           [--prepare v1--]
    c3                            [--drop--]
    c4                                            [--prepare v1--]
    ");
}

#[test]
fn a_cancelled_call_that_is_not_needed_is_drawn() {
    let calls = [
        ("commit A v2 ttl 1000s", 3, 4, Reply::Done),
        ("commit A v1 ttl 1000s", 1, 2, Reply::Done),
        ("prepare A", 5, 6, Reply::Nothing),
    ];
    insta::assert_snapshot!(told_of(&calls, 1, Clause::Can1), @"
    c1 [--commit v1 ttl 1000s--]
    c2                           [--commit v2 ttl 1000s ?--]
    c3                                                       [--prepare nothing--]
    ?: it was cancelled or failed, and took effect wholly and once, or never
    ");
}

#[test]
fn what_was_under_way_is_told_by_what_it_was_under_way_with() {
    let lanes = told(&[
        ("commit A v1 ttl 1000s", 2, 5, Reply::Done),
        ("prepare B", 3, 4, Reply::Nothing),
        ("drop A", 6, 9, Reply::Done),
        ("drop B", 7, 12, Reply::Done),
        ("prepare A", 11, 13, Reply::Found(first())),
    ]);
    let both = "as c1's commit, by others: prepare B\nat the same time as c2's drop and c3's prepare, by others: drop B\n";
    assert!(lanes.ends_with(both), "{lanes}");
}

#[test]
fn what_was_not_under_way_and_what_is_needed_is_not_told_again() {
    let after = [
        ("commit A v1 ttl 1000s", 1, 2, Reply::Done),
        ("drop A", 3, 4, Reply::Done),
        ("prepare B", 5, 6, Reply::Nothing),
        ("prepare A", 7, 8, Reply::Found(first())),
    ];
    let lanes = told(&after);
    assert!(!lanes.is_empty() && !lanes.contains("same time"), "{lanes}");
}

#[test]
fn of_many_that_were_under_way_some_are_told() {
    let mut calls = vec![
        ("commit A v1 ttl 1000s", 1, 2, Reply::Done),
        ("drop A", 3, 50, Reply::Done),
        ("prepare A", 51, 52, Reply::Found(first())),
    ];
    calls.extend((0..6).map(|number| ("drop B", 10 + 2 * number, 11 + 2 * number, Reply::Done)));
    let lanes = told(&calls);
    let some = "as c2's drop, by others: drop B; drop B; drop B; drop B, and 2 more\n";
    assert!(lanes.ends_with(some), "{lanes}");
}

#[test]
fn a_cancelled_call_is_told_where_it_came() {
    let lanes = |cancelled: (u64, u64), commit: (u64, u64)| {
        let calls = [
            ("prepare B", cancelled.0, cancelled.1, Reply::Nothing),
            ("commit A v1 ttl 1000s", commit.0, commit.1, Reply::Done),
            ("prepare A", 5, 6, Reply::Nothing),
        ];
        told_of(&calls, 1, Clause::Can1)
    };
    let before = lanes((1, 2), (3, 4));
    assert!(
        before.ends_with("\nbefore these, a call was cancelled: prepare B\n"),
        "{before}"
    );
    let between = lanes((3, 4), (1, 2));
    let told = "\nbefore the last of these, a call was cancelled: prepare B\n";
    assert!(between.ends_with(told), "{between}");
}
