//! Why a reply is wrong, where other than the model decides what is right: after restarts, evictions and
//! refused ids.

use super::*;
use crate::constraint::Constraint;
use crate::model::Expected;

fn argued(program: &str, found: Option<u64>, expected: Expected, refused: &[usize]) -> String {
    let ops = ops(program);
    let id = ops.last().and_then(Op::id).unwrap_or_default();
    let outcome = match found {
        Some(number) => Reply::Found(payload::numbered(number, id)),
        None => Reply::Nothing,
    };
    let failure = Failure {
        expected,
        refusals: refused
            .iter()
            .map(|at| (*at, Constraint::UnsupportedId))
            .collect(),
        ..Failure::of_last(&ops, Outcome::Replied(outcome))
    };
    why_expected(&Failing { ops, failure }).text
}

fn nothing(clause: Clause) -> Expected {
    Expected::new(Reply::Nothing, clause)
}

#[test]
fn a_restart_is_told_where_it_matters() {
    let v1 = || {
        let id = "A".repeat(token::LEN);
        Expected::new(Reply::Found(payload::numbered(1, &id)), Clause::Dur1)
    };
    let restarted = "commit A v1 ttl 1s; restart; prepare A";
    assert_eq!(
        argued(restarted, None, v1(), &[]),
        "v1 was committed at 0s for 1s, so it is live until 1s (TTL-1), and a restart changes nothing \
         of that (DUR-1)"
    );
    assert_eq!(
        argued(restarted, Some(2), v1(), &[]),
        "v1 was committed at 0s for 1s, and a restart brings back no other snapshot than the last \
         (DUR-1)"
    );
    let expired = "commit A v1 ttl 1s; advance 1s; restart; prepare A";
    assert_eq!(
        argued(expired, Some(1), nothing(Clause::Ttl2), &[]),
        "v1 was committed at 0s for 1s, so it is gone from 1s on (TTL-2), and a restart adds nothing to \
         its life (DUR-1)"
    );
    let dropped = "commit A v1 ttl 1s; drop A; restart; prepare A";
    assert_eq!(
        argued(dropped, Some(1), nothing(Clause::Drp1), &[]),
        "A was dropped at 0s and not committed since, and a restart does not bring it back (DUR-1)"
    );
    let dropped_since = "restart; commit A v1 ttl 1s; drop A; prepare A";
    assert_eq!(
        argued(dropped_since, Some(1), nothing(Clause::Drp1), &[]),
        "A was dropped at 0s and not committed since (DRP-1)"
    );
}

#[test]
fn what_was_found_gone_or_let_go_of_is_told() {
    let twice = "commit A v1 ttl 1s; prepare A; prepare A";
    assert_eq!(
        argued(twice, Some(1), nothing(Clause::Ttl4), &[]),
        "A was found gone and not committed since, so it stays gone (TTL-4)"
    );
    let newest = "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare B; prepare A";
    assert_eq!(
        argued(newest, Some(1), nothing(Clause::Com5), &[]),
        "the entry committed last was let go of, and A, which is older and was not used since, must have \
         gone before it (COM-5)"
    );
}

#[test]
fn a_commit_that_was_refused_for_its_id_is_told() {
    let refused = "commit \"é\" v1 ttl 1s; prepare \"é\"";
    assert_eq!(
        argued(refused, Some(1), nothing(Clause::Pre1), &[0]),
        "the commit of \"\\u00e9\" was refused, so there is nothing under it (IDN-2)"
    );
    let another = "commit \"é\" v1 ttl 1s; prepare \"è\"";
    assert_eq!(
        argued(another, Some(1), nothing(Clause::Pre1), &[0]),
        "\"\\u00e8\" was never committed (PRE-1)"
    );
    let prepared = "prepare \"é\"; prepare \"é\"";
    assert_eq!(
        argued(prepared, Some(1), nothing(Clause::Pre1), &[]),
        "\"\\u00e9\" was never committed (PRE-1)"
    );
}

#[test]
fn a_long_payload_is_not_told_twice() {
    let long = |length: usize| {
        let text: String = ('a'..='z').cycle().take(length).collect();
        let program =
            format!("commit A {{\"csrf_token\":\"{text}\"}} ttl 1s; advance 1s; prepare A");
        argued(&program, Some(1), nothing(Clause::Ttl2), &[])
    };
    let around = r#"{"csrf_token":""}"#.len();
    assert!(
        long(60 - around).starts_with("{\"csrf_token\""),
        "{}",
        long(43)
    );
    assert!(
        long(61 - around).starts_with("it was committed at"),
        "{}",
        long(44)
    );
}

/// What the clause says of a program whose last call is answered like this.
fn applied(program: &str, outcome: Outcome, clause: Clause) -> Option<String> {
    let ops = ops(program);
    let failure = Failure::of_last(&ops, outcome);
    clause_applied(&Failing { ops, failure }, clause)
}

fn nothing_there() -> Outcome {
    Outcome::Replied(Reply::Nothing)
}

fn refused() -> Outcome {
    Outcome::Replied(Reply::Refused(Constraint::UnsupportedId))
}

fn are_applied<const N: usize>(cases: [(&str, Outcome, Clause, &str); N]) {
    for (program, outcome, clause, expected) in cases {
        let applied = applied(program, outcome, clause);
        assert_eq!(applied.as_deref(), Some(expected), "{program}");
    }
}

#[test]
fn a_clause_is_told_with_the_calls_it_speaks_of() {
    use Clause::{Com4, Drp4, Idn1};
    are_applied([
        (
            "commit A v1 ttl 1s; commit A v2 ttl 0s; commit \"\" v3 ttl 2s; prepare A",
            nothing_there(),
            Com4,
            "the commit of \"\" for 2s was refused, so it changed nothing (COM-4)",
        ),
        (
            "commit A v1 ttl 1s; commit A v2 ttl 0s; prepare A",
            nothing_there(),
            Com4,
            "the commit of v2 for 0s was refused, so it changed nothing (COM-4)",
        ),
        (
            "drop B; commit A v1 ttl 1s; drop C; drop A; prepare A",
            nothing_there(),
            Drp4,
            "the drop of C touches no other id (DRP-4)",
        ),
        (
            "drop C; commit B v1 ttl 1s; drop D; prepare A",
            nothing_there(),
            Idn1,
            "B is another id (IDN-1)",
        ),
        (
            "drop C; drop D; prepare A",
            nothing_there(),
            Idn1,
            "C is another id (IDN-1)",
        ),
    ]);
}

#[test]
fn a_clause_is_told_for_the_last_call() {
    use Clause::{Com5, Com6, Com7, Err1, Idn2, Pre3};
    are_applied([
        (
            "commit A v1 ttl 3s; commit A v2 ttl 2s; prepare A",
            nothing_there(),
            Com6,
            "its commit replaced v1 and its life (COM-6)",
        ),
        (
            "commit A v1 ttl 3s; commit A v2 ttl 2s",
            refused(),
            Com6,
            "it replaces what is live, and that is no error (COM-6)",
        ),
        (
            "commit A v1 ttl 3s; commit A v2 ttl 4s",
            refused(),
            Com7,
            "a ttl of 4s is positive, so it is honoured (COM-7)",
        ),
        (
            "commit A v1 ttl 3s; commit B v2 ttl 4s; prepare A",
            nothing_there(),
            Com7,
            "a ttl of 3s is positive, so it is honoured (COM-7)",
        ),
        (
            "commit \"é\" v1 ttl 1s",
            refused(),
            Idn2,
            "an id that it has taken before is one that it can hold (IDN-2)",
        ),
        (
            "drop \"é\"",
            refused(),
            Idn2,
            "an id is held as it is, or refused as one that is not supported (IDN-2)",
        ),
        (
            "commit \"é\" v1 ttl 1s",
            Outcome::Failed(String::new()),
            Idn2,
            "an id is held as it is, or refused as one that is not supported (IDN-2)",
        ),
        (
            "commit A v1 ttl 1s",
            refused(),
            Com5,
            "a commit that may not be refused takes effect (COM-5)",
        ),
        (
            "commit A v1 ttl 1s; prepare A",
            nothing_there(),
            Com5,
            "that is what a prepare gives (COM-5)",
        ),
        (
            "commit A v1 ttl 1s; prepare A",
            nothing_there(),
            Pre3,
            "that is what a prepare gives (PRE-3)",
        ),
    ]);
    let nothing_else = applied(
        "commit A v1 ttl 1s; drop A; prepare A",
        nothing_there(),
        Com6,
    );
    assert_eq!(nothing_else, None, "nothing was replaced");
    let dropped = "commit A v1 ttl 1s; drop A; commit A v2 ttl 1s; prepare A";
    assert_eq!(
        applied(dropped, nothing_there(), Com6),
        None,
        "nor what was dropped"
    );
    assert_eq!(applied("prepare A", nothing_there(), Err1), None);
}
