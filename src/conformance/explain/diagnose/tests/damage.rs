//! What is said of a snapshot that came back otherwise than it was committed.

use super::*;
use crate::conformance::explain::diagnose::near_miss::damage;

/// What a payload is, in the form that programs have.
fn payload_of(text: &str) -> Snapshot {
    match ops(&format!("commit A {text} ttl 1s")).swap_remove(0) {
        Op::Commit { snapshot, .. } => snapshot.expect("it is one"),
        _ => unreachable!("it is a commit"),
    }
}

fn damage(committed: &str, found: &str) -> Option<String> {
    damage::damage(&payload_of(committed), &payload_of(found), &[])
}

fn data(json: &str) -> String {
    format!("{{\"csrf_token\":\"c\",\"data\":{json}}}")
}

#[test]
fn the_first_part_that_differs_is_told() {
    let user = |user: &str| format!("{{\"csrf_token\":\"c\",\"user\":{user}}}");
    let none = "{\"csrf_token\":\"c\"}";
    let of_a = user(r#"{"email":"a"}"#);
    for (committed, found, expected) in [
        (
            r#"{"csrf_token":"c","data":{"k":1}}"#,
            r#"{"csrf_token":"d"}"#,
            "the CSRF token \"c\" came back as \"d\"",
        ),
        (&of_a, none, "the user did not come back"),
        (none, &of_a, "a user came back where there was none"),
        (
            &of_a,
            &user(r#"{"email":"b"}"#),
            "the user's e-mail address \"a\" came back as \"b\"",
        ),
        (
            &user(r#"{"email":"a","k":1}"#),
            &of_a,
            "integer 1 under \"k\" did not come back with the user's attributes",
        ),
        (
            &data(r#"{"j":1,"k":2}"#),
            &data(r#"{"j":1,"l":2}"#),
            "a key of the data \"k\" came back as \"l\"",
        ),
        (
            &data(r#"{"j":null,"k":2}"#),
            &data(r#"{"k":2}"#),
            "null under \"j\" did not come back with the data",
        ),
        (
            &data(r#"{"k":2}"#),
            &data(r#"{"k":2,"l":2}"#),
            "the data came back with the key \"l\" too",
        ),
    ] {
        assert_eq!(damage(committed, found).as_deref(), Some(expected));
    }
    assert_eq!(damage(none, none), None);
    assert_eq!(damage(&of_a, &of_a), None);
    assert_eq!(damage(&data(r#"{"k":[2]}"#), &data(r#"{"k":[2]}"#)), None);
}

#[test]
fn a_value_is_told_as_deep_as_the_difference_lies() {
    for (committed, found, expected) in [
        ("true", "1", "boolean true came back as integer 1"),
        ("1.5", "1", "double 1.5 came back as integer 1"),
        ("[1,2,3]", "[1,4,3]", "integer 2 came back as integer 4"),
        ("[1,2,3]", "[4,2]", "list of 3 came back as list of 2"),
        ("[1]", "1", "list of 1 came back as integer 1"),
        (
            r#"{"a":[{"b":"x"}]}"#,
            r#"{"a":[{"b":null}]}"#,
            "string \"x\" came back as null",
        ),
        (r#"{"a":1}"#, r#"{"b":2}"#, "map of 1 came back as map of 1"),
    ] {
        let [committed, found] =
            [committed, found].map(|value| data(&format!("{{\"k\":{value}}}")));
        assert_eq!(damage(&committed, &found).as_deref(), Some(expected));
    }
}

#[test]
fn a_long_value_is_not_shown() {
    let damage_of_text = |length: usize| {
        let text: String = ('a'..='z').cycle().take(length).collect();
        let long = data(&format!("{{\"k\":\"{text}\"}}"));
        damage(&long, &data("{\"k\":1}")).expect("they differ")
    };
    assert!(
        damage_of_text(38).starts_with("string \"abc"),
        "{}",
        damage_of_text(38)
    );
    assert_eq!(damage_of_text(39), "a string came back as integer 1");
}

#[test]
fn what_was_committed_elsewhere_is_told() {
    let ops = ops("commit A v1 ttl 1s; commit B v2 ttl 1s; commit A v3 ttl 1s");
    let of = |number, letter: &str| payload::numbered(number, &letter.repeat(token::LEN));
    for (found, expected) in [
        (of(3, "B"), "the snapshot came back with the id B"),
        (of(1, "A"), "what came back is v1, as committed before"),
        (of(2, "A"), "what came back is v2, as committed for B"),
        (of(4, "A"), "the CSRF token \"v3\" came back as \"v4\""),
    ] {
        let damage = damage::damage(&of(3, "A"), &found, &ops);
        assert_eq!(damage.as_deref(), Some(expected));
    }
}
