//! What is told beside the calls that are needed.

use super::*;
use crate::conformance::judge::Span;
use crate::conformance::program::Program;
use crate::token;

/// Calls with their spans, each by a client of its own, at the beginning of time.
fn told(calls: &[(&str, u64, u64, Reply)]) -> String {
    let record =
        |(client, (op, invoked, returned, reply)): (u32, &(&str, u64, u64, Reply))| Record {
            client,
            op: op.parse::<Program>().unwrap().ops()[0].clone(),
            outcome: Some(Outcome::Replied(reply.clone())),
            invoked: *invoked,
            returned: *returned,
            clock: Span { from: 0, to: 0 },
        };
    let history = History::new((0..).zip(calls).map(record).collect());
    match Disorder::of(&history, &Profile::default(), Clause::Con1) {
        Verdict::Wrong(disorder) => disorder.lanes,
        _ => String::new(),
    }
}

fn first() -> Snapshot {
    payload::numbered(1, &"A".repeat(token::LEN))
}

#[test]
fn what_was_under_way_is_told_where_nothing_overlaps() {
    let lanes = told(&[
        ("commit A v1 ttl 1000s", 1, 2, Reply::Done),
        ("prepare A", 3, 6, Reply::Found(first())),
        ("drop A", 4, 5, Reply::Done),
        ("prepare B", 7, 8, Reply::Nothing),
        ("prepare A", 9, 10, Reply::Found(first())),
    ]);
    assert!(
        lanes.ends_with("\nat the same time, by others: prepare A\n"),
        "{lanes}"
    );
    assert_eq!(lanes.lines().count(), 4, "{lanes}");
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
    let some = "by others: drop B; drop B; drop B; drop B, and 2 more\n";
    assert!(lanes.ends_with(some), "{lanes}");
}
