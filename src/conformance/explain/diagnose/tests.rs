//! What is said of wrong stores that differ in small things.

mod argument;
mod broken_clause;
mod counterfactual;
mod damage;
mod near_miss;
mod scripted;

use super::*;
use crate::clock::ManualClock;
use crate::conformance::explain::diagnose::near_miss::id_difference::id_difference;
use crate::conformance::explain::diagnose::near_miss::of_time;
use crate::conformance::judge::failure::Failure;
use crate::conformance::judge::lockstep;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::{Program, payload};
use crate::conformance::subject::erased::boxing;
use crate::store::{Store, StoreError};
use crate::{Clock, Snapshot, token};
use std::sync::Mutex;
use std::time::Duration;

fn ops(program: &str) -> Vec<Op> {
    program.parse::<Program>().unwrap().ops().to_vec()
}

/// How two ids differ, as it is said.
fn difference(one: &str, other: &str) -> Option<String> {
    let prepare = |id: &str| Op::Prepare { id: id.to_owned() };
    id_difference(&[prepare(one), prepare(other)])
}

#[test]
fn ids_that_differ_only_in_case_are_told_so() {
    let shown = difference("Straße", "straße");
    assert_eq!(shown.as_deref(), Some("the ids differ only in case"));
}

#[test]
fn an_id_that_only_folds_to_another_in_one_direction_is_no_other_case_of_it() {
    // The sign for Kelvin is a small k in lower case, and itself in upper case.
    let shown = difference("\u{212a}", "k").unwrap();
    assert!(!shown.contains("case"), "{shown}");
}

#[test]
fn of_tokens_there_is_no_difference_to_tell() {
    let token = "A".repeat(31);
    assert_eq!(difference(&format!("{token}B"), &format!("{token}C")), None);
}

#[test]
fn a_token_and_something_more_differ_in_that() {
    let token = "A".repeat(32);
    for (other, expected) in [
        (format!("{token} "), "what comes after their first 32 bytes"),
        (format!(" {token}"), "white space at the beginning"),
        (format!("x{token}"), "\"x\" at the beginning"),
    ] {
        let expected = format!("the ids differ only in {expected}");
        assert_eq!(difference(&token, &other), Some(expected.clone()));
        assert_eq!(difference(&other, &token), Some(expected));
    }
}

#[test]
fn short_ids_differ_in_a_place() {
    for (one, other, expected) in [
        ("a", "", None),
        (
            "a b",
            "ab",
            Some("the ids differ only in white space in the middle"),
        ),
        (
            "ab ",
            "ab",
            Some("the ids differ only in white space at the end"),
        ),
        (
            "xab",
            "yab",
            Some("the ids differ only in \"x\" for \"y\" at the beginning"),
        ),
        (
            "abx",
            "aby",
            Some("the ids differ only in \"x\" for \"y\" at the end"),
        ),
        (
            "axb",
            "ayb",
            Some("the ids differ only in \"x\" for \"y\" in the middle"),
        ),
        ("x", "yz", Some("the ids differ only in \"x\" for \"yz\"")),
        (
            "ab",
            "abcdefghi",
            Some("the ids differ only in \"cdefghi\" at the end"),
        ),
        (
            "a",
            "abcdefghi",
            Some("the ids differ only in \"bcdefghi\" at the end"),
        ),
        (
            "a",
            "abcdefghij",
            Some("one id is the beginning of the other"),
        ),
        (
            "a",
            "bcdefghia",
            Some("the ids differ only in \"bcdefghi\" at the beginning"),
        ),
        ("a", "bcdefghija", None),
        ("abcdefghi", "123456789", None),
    ] {
        assert_eq!(difference(one, other).as_deref(), expected, "{one} {other}");
    }
}

#[test]
fn what_is_cut_off_counts_in_bytes() {
    for (begin, expected) in [
        (
            "é".repeat(16),
            Some("the ids differ only in what comes after their first 32 bytes"),
        ),
        ("é".repeat(15), None),
    ] {
        let [one, other] = ["123456789", "abcdefghi"].map(|end| format!("{begin}{end}"));
        assert_eq!(difference(&one, &other).as_deref(), expected);
    }
    let [one, other] = ["1", "2"].map(|middle| format!("{}{middle}z", "a".repeat(16)));
    let expected = "the ids differ only in \"1\" for \"2\" in the middle";
    assert_eq!(difference(&one, &other).as_deref(), Some(expected));
}

/// A store whose entries end when a function says, from when they were committed and for how long.
struct WithEnds {
    clock: ManualClock,
    entries: Mutex<Vec<(Snapshot, Nanos)>>,
    end: fn(Nanos, Nanos) -> Nanos,
    forgets_drops: bool,
}

fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos().cast_signed()
}

impl Store for WithEnds {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let now = nanos(self.clock.now());
        let entries = self.entries.lock().unwrap();
        let entry = entries.iter().rfind(|(snapshot, _)| snapshot.id() == id);
        let live = entry.filter(|(_, end)| now < *end);
        Ok(live.map(|(snapshot, _)| snapshot.clone()))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let end = (self.end)(nanos(self.clock.now()), nanos(ttl));
        self.entries.lock().unwrap().push((snapshot.clone(), end));
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let mut entries = self.entries.lock().unwrap();
        entries.retain(|(snapshot, _)| snapshot.id() != id || self.forgets_drops);
        Ok(())
    }
}

const SECOND: Nanos = 1_000_000_000;

/// The clause and the near miss of a program that such a store fails.
fn diagnosed_with_end(
    end: fn(Nanos, Nanos) -> Nanos,
    forgets_drops: bool,
    program: &str,
) -> (Clause, String) {
    let make = move |clock| WithEnds {
        clock,
        entries: Mutex::default(),
        end,
        forgets_drops,
    };
    let run = move |ops: &[Op]| {
        lockstep::run(&boxing(make), ops, &Supported::default(), |_, _| {})
            .into_iter()
            .next()
    };
    let ops = ops(program);
    let failure = run(&ops).expect("it fails");
    assert_eq!(failure.at + 1, ops.len(), "it fails at its end");
    let diagnosis = Diagnosis::of(&Failing { ops, failure }, SECOND, Some(&run), Some(&run));
    (diagnosis.clause, diagnosis.near_miss.unwrap_or_default())
}

#[test]
fn a_drop_that_was_forgotten_is_no_life_that_is_too_long() {
    let program = "commit A v1 ttl 3s; drop A; advance 1s; prepare A";
    let diagnosed = diagnosed_with_end(|now, ttl| now + ttl, true, program);
    assert_eq!(diagnosed, (Clause::Drp1, String::new()));
}

#[test]
fn a_drop_of_another_id_does_not_end_the_life_that_is_watched() {
    let make = |clock| WithEnds {
        clock,
        entries: Mutex::default(),
        end: |now, ttl| now + ttl + SECOND,
        forgets_drops: false,
    };
    let run = |ops: &[Op]| {
        lockstep::run(&boxing(make), ops, &Supported::default(), |_, _| {})
            .into_iter()
            .next()
    };
    let ops = ops("commit A v1 ttl 1s; drop B; advance 1500ms; prepare A");
    let failure = run(&ops).expect("it fails");
    let near = of_time(&Failing { ops, failure }, &run);
    assert_eq!(
        near.as_deref(),
        Some("the entry lived until 2s: 1s too long")
    );
}

#[test]
fn a_life_that_is_too_long_or_too_short_is_measured_to_the_nanosecond() {
    for (end, program, expected) in [
        (
            (|now, ttl| now + ttl + 7) as fn(Nanos, Nanos) -> Nanos,
            "commit A v1 ttl 1s; advance 1s; prepare A",
            "the entry lived until 1.000000007s: 7ns too long",
        ),
        (
            |now, ttl| now + ttl - 7,
            "commit A v1 ttl 1s; advance 999.999999ms; prepare A",
            "the entry was gone from 999.999993ms on: 7ns too early",
        ),
        (
            |now, ttl| now + ttl + 1,
            "advance 1s; commit A v1 ttl 1s; advance 1s; prepare A",
            AGREES,
        ),
        (
            |now, ttl| now + ttl + 2,
            "commit A v1 ttl 1s; advance 1s; prepare A",
            "the entry lived until 1.000000002s: 2ns too long",
        ),
        (
            |now, ttl| (now + ttl + 999_999) / 1_000_000 * 1_000_000,
            "commit A v1 ttl 1ns; advance 1ns; prepare A",
            "the entry lived until 1ms: 999.999us too long, its deadline rounded to 1ms",
        ),
        (
            |now, ttl| (now + ttl) / 1_000 * 1_000,
            "commit A v1 ttl 1.999us; advance 1.5us; prepare A",
            "the entry was gone from 1us on: 999ns too early, its deadline rounded to 1us",
        ),
    ] {
        assert_eq!(
            diagnosed_with_end(end, false, program).1,
            expected,
            "{program}"
        );
    }
}

const AGREES: &str = "agrees one nanosecond earlier and later: suspect `<` for `<=`";

#[test]
fn from_which_ttl_on_an_entry_is_lost_is_told() {
    for (end, program, expected) in [
        (
            (|now, ttl| now + ttl % (SECOND << 32)) as fn(Nanos, Nanos) -> Nanos,
            "commit A v1 ttl 4294967296s; prepare A",
            "with a ttl of 4294967295.999999999s the entry is found, with one of 4294967296s it is \
             not, and that is 2^32 s",
        ),
        (
            |now, ttl| now + ttl % (1 << 31),
            "commit A v1 ttl 4.294967296s; prepare A",
            "with a ttl of 4.294967295s the entry is found, with one of 4.294967296s it is not, and \
             that is 2^32 ns",
        ),
        (
            |now, ttl| now + ttl % (1 << 31),
            "commit A v1 ttl 6.442450944s; prepare A",
            "with a ttl of 6.442450943s the entry is found, with one of 6.442450944s it is not, and \
             that is a multiple of 2^31 ns",
        ),
        (
            |now, ttl| now + ttl / 1_000 * 1_000,
            "commit A v1 ttl 1ns; prepare A",
            "with a ttl of 1us the entry is found, with one of 999ns it is not",
        ),
    ] {
        assert_eq!(
            diagnosed_with_end(end, false, program).1,
            expected,
            "{program}"
        );
    }
}

#[test]
fn a_commit_that_fails_for_its_payload_breaks_val_1() {
    let ops = ops(r#"commit A {"csrf_token":"c","data":{"k":["x"]}} ttl 1s"#);
    let failure = Failure::of_last(&ops, Outcome::Failed("no lists".to_owned()));
    let diagnosis = Diagnosis::of(&Failing { ops, failure }, SECOND, None, None);
    assert_eq!(diagnosis.clause, Clause::Val1);
}
