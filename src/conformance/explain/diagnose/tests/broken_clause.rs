//! The clause of a minimal program in which every operation is needed, by what is in it and by what the
//! store answers last. Nothing else can be run.

use super::*;
use crate::constraint::Constraint;
use crate::model::Expected;

/// A program whose last call is answered like this: `error`, `refused`, `done`, `nothing`, `panic`, or a
/// payload.
fn failing(program: &str, answer: &str) -> Failing {
    let ops = ops(program);
    let id = ops.last().and_then(Op::id).unwrap_or_default();
    let outcome = match answer {
        "error" => Outcome::Failed("out of order".to_owned()),
        "refused" => Outcome::Replied(Reply::Refused(Constraint::UnsupportedId)),
        "done" => Outcome::Replied(Reply::Done),
        "nothing" => Outcome::Replied(Reply::Nothing),
        "panic" => Outcome::Panicked("oh".to_owned()),
        payload => {
            let number = payload.strip_prefix('v').and_then(|it| it.parse().ok());
            let number = number.unwrap_or_else(|| panic!("no answer is {payload}"));
            Outcome::Replied(Reply::Found(payload::numbered(number, id)))
        }
    };
    let failure = Failure::of_last(&ops, outcome);
    Failing { ops, failure }
}

fn clause_of(program: &str, answer: &str) -> Clause {
    broken_clause(&failing(program, answer), SECOND, None)
}

fn are_named(cases: &[(&str, &str, Clause)]) {
    let wrong = cases.iter().filter_map(|(program, answer, clause)| {
        let named = clause_of(program, answer);
        (named != *clause).then(|| format!("{program} -> {answer}: {named}, not {clause}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn of_commits_that_are_not_done() {
    use Clause::{Com2, Com3, Com4, Com5, Com6, Com7, Com8, Drp3, Drp4, Err1, Idn2, Pre4, Val1};
    are_named(&[
        ("commit A v1 ttl 1s", "error", Com5),
        ("commit A v1 ttl 1s", "refused", Com5),
        ("commit A v1 ttl 1s", "panic", Err1),
        ("commit \"é\" v1 ttl 1s", "error", Idn2),
        ("commit \"é\" v1 ttl 0s", "error", Idn2),
        ("commit A v1 ttl 1s; commit A v2 ttl 1s", "error", Com6),
        (
            "commit A v1 ttl 1s; drop A; commit A v2 ttl 1s",
            "error",
            Com8,
        ),
        ("commit A v1 ttl 1ns", "error", Com7),
        ("commit A v1 ttl 4s", "error", Com7),
        ("commit A {\"csrf_token\":\"\"} ttl 1s", "error", Val1),
        ("commit A {\"csrf_token\":\"\"} ttl 1s", "refused", Val1),
        ("commit A v1 ttl 0s; commit A v2 ttl 1s", "error", Com4),
        ("drop B; commit A v1 ttl 1s", "error", Drp4),
        ("drop \"\"; commit A v1 ttl 1s", "error", Drp3),
        ("prepare A; commit A v1 ttl 1s", "error", Pre4),
        ("prepare B; commit A v1 ttl 1s", "error", Pre4),
        ("commit \"\" v1 ttl 1s", "done", Com2),
        ("commit A v1 ttl 0s", "done", Com3),
        ("prepare A; commit A v1 ttl 0s", "done", Com3),
        ("commit \"é\" v1 ttl 0s", "done", Com3),
    ]);
}

#[test]
fn of_drops_that_are_not_done() {
    use Clause::{Com4, Drp1, Drp2, Drp3, Drp4, Idn2, Pre4};
    are_named(&[
        ("drop A", "error", Drp2),
        ("drop \"\"", "error", Drp3),
        ("drop \"é\"", "error", Idn2),
        ("commit A v1 ttl 1s; drop A", "error", Drp1),
        ("commit A v1 ttl 1s; drop A; drop A", "error", Drp2),
        ("commit A v1 ttl 0s; drop A", "error", Com4),
        ("drop B; drop A", "error", Drp4),
        ("drop \"\"; drop A", "error", Drp3),
        ("prepare A; drop A", "error", Pre4),
        ("prepare B; drop A", "error", Pre4),
    ]);
}

#[test]
fn of_what_is_found_that_should_not_be() {
    use Clause::{
        Com4, Com6, Com7, Com8, Drp1, Drp2, Drp4, Dur1, Idn1, Pre1, Pre2, Pre4, Ttl2, Ttl3, Ttl4,
    };
    are_named(&[
        ("prepare A", "v1", Pre1),
        ("prepare \"\"", "v1", Pre2),
        ("prepare A; prepare A", "v1", Pre4),
        ("commit a v1 ttl 1s; prepare A", "v1", Idn1),
        ("commit \"x\" v1 ttl 1s; prepare \"\"", "v1", Idn1),
        ("commit A v1 ttl 1s; prepare C", "v1", Pre1),
        (
            "commit a v1 ttl 1s; commit A v2 ttl 2s; advance 1s; prepare a",
            "v2",
            Idn1,
        ),
        ("commit Y v1 ttl 1s; prepare Z", "v1", Idn1),
        // Ten years of 366 days, and a second more.
        (
            "commit A v1 ttl 316224000s; advance 316224000s; prepare A",
            "v1",
            Ttl2,
        ),
        (
            "commit A v1 ttl 316224001s; advance 316224001s; prepare A",
            "v1",
            Com7,
        ),
        ("commit \"x\" v1 ttl 1s; prepare \"y\"", "v1", Idn1),
        ("commit A v1 ttl 0s; prepare A", "v1", Com4),
        ("commit A v1 ttl 1s; drop A; prepare A", "v1", Drp1),
        (
            "commit A v1 ttl 1s; prepare A; drop A; prepare A",
            "v1",
            Pre4,
        ),
        ("commit A v1 ttl 1s; drop A; drop A; prepare A", "v1", Drp2),
        ("commit A v1 ttl 1s; drop A; drop B; prepare A", "v1", Drp4),
        (
            "commit A v1 ttl 1s; drop A; commit A v2 ttl 0s; prepare A",
            "v1",
            Com4,
        ),
        ("commit A v1 ttl 1s; drop A; restart; prepare A", "v1", Dur1),
        ("commit A v1 ttl 1s; advance 1s; prepare A", "v1", Ttl2),
        (
            "commit A v1 ttl 1s; advance 1s; prepare A; prepare A",
            "v1",
            Ttl4,
        ),
        (
            "commit A v1 ttl 2s; commit A v2 ttl 1s; advance 1s; prepare A",
            "v2",
            Com6,
        ),
        (
            "commit A v1 ttl 2s; drop A; commit A v2 ttl 1s; advance 1s; prepare A",
            "v2",
            Com8,
        ),
        (
            "commit A v1 ttl 1s; commit B v2 ttl 2s; advance 1s; prepare A",
            "v1",
            Ttl3,
        ),
        (
            "commit A v1 ttl 1s; prepare B; advance 1s; prepare A",
            "v1",
            Pre4,
        ),
        (
            "commit A v1 ttl 1s; advance 1s; drop A; prepare A",
            "v1",
            Drp2,
        ),
        (
            "commit A v1 ttl 9223372036.854775808s; advance 9223372036.854775808s; prepare A",
            "v1",
            Com7,
        ),
    ]);
}

#[test]
fn of_what_is_lost() {
    use Clause::{
        Com4, Com5, Com6, Com7, Com8, Drp2, Drp3, Drp4, Dur1, Idn1, Idn2, Pre3, Pre4, Snp4, Ttl1,
        Ttl3,
    };
    are_named(&[
        (
            "commit \"x\" v1 ttl 1s; commit \"y\" v2 ttl 1s; prepare \"x\"",
            "nothing",
            Idn1,
        ),
        (
            "commit A v1 ttl 1s; advance 1s; drop A; commit A v2 ttl 1s; prepare A",
            "nothing",
            Com8,
        ),
        (
            "advance 316224000s; commit A v1 ttl 1s; prepare A",
            "nothing",
            Ttl1,
        ),
        (
            "advance 316224001s; commit A v1 ttl 1s; prepare A",
            "nothing",
            Com7,
        ),
        ("commit A v1 ttl 1s; prepare A", "nothing", Com5),
        ("commit A v1 ttl 1s; prepare A", "error", Pre3),
        ("commit A v0 ttl 1s; prepare A", "nothing", Snp4),
        ("commit \"é\" v1 ttl 1s; prepare \"é\"", "nothing", Idn2),
        ("commit A v1 ttl 1s; prepare A; prepare A", "nothing", Pre4),
        ("commit A v1 ttl 1s; prepare B; prepare A", "nothing", Pre4),
        ("drop A; commit A v1 ttl 1s; prepare A", "nothing", Drp2),
        ("commit A v1 ttl 1s; drop B; prepare A", "nothing", Drp4),
        ("commit A v1 ttl 1s; drop \"\"; prepare A", "nothing", Drp3),
        (
            "commit \"x\" v1 ttl 1s; drop \"\"; prepare \"x\"",
            "nothing",
            Idn1,
        ),
        (
            "commit A v1 ttl 1s; commit A v2 ttl 0s; prepare A",
            "nothing",
            Com4,
        ),
        (
            "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A",
            "nothing",
            Com6,
        ),
        (
            "commit A v1 ttl 1s; drop A; commit A v2 ttl 1s; prepare A",
            "nothing",
            Com8,
        ),
        ("commit A v1 ttl 1ns; prepare A", "nothing", Com7),
        (
            "advance 4000000000s; commit A v1 ttl 1s; prepare A",
            "nothing",
            Com7,
        ),
        ("commit A v1 ttl 2s; advance 1s; prepare A", "nothing", Ttl1),
        (
            "commit A v1 ttl 2s; commit B v2 ttl 1s; advance 1s; prepare A",
            "nothing",
            Ttl3,
        ),
        (
            "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare A",
            "nothing",
            Pre3,
        ),
        (
            "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare B",
            "nothing",
            Com5,
        ),
        ("commit A v1 ttl 1s; restart; prepare A", "nothing", Dur1),
    ]);
}

#[test]
fn of_something_else_that_is_found() {
    use Clause::{Com4, Com6, Com8, Drp3, Drp4, Idn1, Pre3, Pre4, Snp4};
    are_named(&[
        ("commit A v1 ttl 1s; prepare A", "v2", Pre3),
        ("commit A v0 ttl 1s; prepare A", "v2", Snp4),
        ("commit A v1 ttl 1s; prepare A; prepare A", "v2", Pre4),
        ("commit A v1 ttl 1s; prepare B; prepare A", "v2", Pre4),
        (
            "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A",
            "v1",
            Com6,
        ),
        (
            "commit A v1 ttl 1s; drop A; commit A v2 ttl 1s; prepare A",
            "v1",
            Com8,
        ),
        (
            "commit A v1 ttl 1s; commit A v2 ttl 0s; prepare A",
            "v2",
            Com4,
        ),
        (
            "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare A",
            "v2",
            Idn1,
        ),
        (
            "commit A v1 ttl 1s; advance 1s; commit B v1 ttl 1s; prepare A; prepare B",
            "v2",
            Pre4,
        ),
        (
            "commit A v1 ttl 1s; commit \"é\" v2 ttl 1s; prepare A",
            "v2",
            Idn1,
        ),
        (
            "commit A v1 ttl 1s; prepare A; commit B v2 ttl 1s; prepare A",
            "v2",
            Pre4,
        ),
        (
            "commit Y v1 ttl 1s; commit Z v2 ttl 1s; prepare Y",
            "v2",
            Idn1,
        ),
        (
            "commit Y v1 ttl 1s; commit Z v2 ttl 1s; prepare Y",
            "v3",
            Pre3,
        ),
        (
            "commit A v1 ttl 1s; commit A v2 ttl 1s; commit B v3 ttl 1s; prepare A",
            "v9",
            Pre3,
        ),
        ("commit A v1 ttl 1s; drop B; prepare A", "v2", Drp4),
        ("commit A v1 ttl 1s; drop \"\"; prepare A", "v2", Drp3),
    ]);
}

#[test]
fn of_errors_where_nothing_should_be() {
    use Clause::{Com4, Drp1, Drp2, Drp4, Idn2, Pre1, Pre2, Pre4, Ttl2, Ttl4};
    are_named(&[
        ("prepare A", "error", Pre1),
        ("prepare \"\"", "error", Pre2),
        ("prepare \"é\"", "error", Idn2),
        ("prepare A; prepare A", "error", Pre4),
        ("prepare B; prepare A", "error", Pre4),
        ("drop A; prepare A", "error", Drp2),
        ("drop B; prepare A", "error", Drp4),
        ("commit A v1 ttl 0s; prepare A", "error", Com4),
        ("commit A v1 ttl 1s; drop A; prepare A", "error", Drp1),
        (
            "commit A v1 ttl 1s; drop A; drop A; prepare A",
            "error",
            Drp2,
        ),
        ("commit A v1 ttl 1s; advance 1s; prepare A", "error", Ttl2),
        (
            "commit A v1 ttl 1s; advance 1s; prepare A; prepare A",
            "error",
            Ttl4,
        ),
    ]);
}

#[test]
fn of_what_the_store_answered_and_not_of_what_the_model_says() {
    let program = "commit A v1 ttl 1s; advance 1s; prepare A; prepare A";
    let mut failing = failing(program, "v1");
    assert_eq!(broken_clause(&failing, SECOND, None), Clause::Ttl4);
    let found = Reply::Found(payload::numbered(1, &"A".repeat(token::LEN)));
    failing.failure.otherwise = vec![(2, Outcome::Replied(found))];
    assert_eq!(broken_clause(&failing, SECOND, None), Clause::Pre4);
}

#[test]
fn of_what_should_have_been_evicted_before_another() {
    let program = "commit A v1 ttl 1s; commit B v2 ttl 1s; prepare B; prepare A";
    let mut failing = failing(program, "v1");
    failing.failure.expected = Expected::new(Reply::Nothing, Clause::Com5);
    assert_eq!(broken_clause(&failing, SECOND, None), Clause::Com5);
}

/// A commit that the store refused for its id was not made.
#[test]
fn of_ids_that_the_store_refused() {
    for (program, answer, expected, named) in [
        (
            "commit \"é\" v1 ttl 1s; prepare \"é\"",
            "v1",
            Expected::new(Reply::Nothing, Clause::Pre1),
            Clause::Idn2,
        ),
        (
            "commit A v1 ttl 1s; commit \"é\" v2 ttl 1s; prepare A",
            "nothing",
            Expected::new(
                Reply::Found(payload::numbered(1, &"A".repeat(token::LEN))),
                Clause::Com5,
            ),
            Clause::Com4,
        ),
        (
            "commit A v1 ttl 1s; commit \"é\" v2 ttl 1s; prepare A",
            "v2",
            Expected::new(
                Reply::Found(payload::numbered(1, &"A".repeat(token::LEN))),
                Clause::Com5,
            ),
            Clause::Com4,
        ),
    ] {
        let clause = clause_of_refusing(Constraint::UnsupportedId, program, answer, expected);
        assert_eq!(clause, named, "{program}");
    }
}

/// The clause of a program of which the store refused the last call but one.
fn clause_of_refusing(
    constraint: Constraint,
    program: &str,
    answer: &str,
    expected: Expected,
) -> Clause {
    let mut failing = failing(program, answer);
    failing.failure.expected = expected;
    failing.failure.refusals = [(failing.ops.len() - 2, constraint)].into();
    broken_clause(&failing, SECOND, None)
}

/// What it changes all the same, it changes for the value.
#[test]
fn of_values_that_the_store_refused() {
    let nothing = || Expected::new(Reply::Nothing, Clause::Pre1);
    let a = "A".repeat(token::LEN);
    let v1 = || Expected::new(Reply::Found(payload::numbered(1, &a)), Clause::Com5);
    let over_nothing = "commit A v2 ttl 1s; prepare A";
    let over_another = "commit A v1 ttl 1s; commit A v2 ttl 1s; prepare A";
    for (program, answer, expected) in [
        (over_nothing, "v2", nothing()),
        (over_another, "nothing", v1()),
        (over_another, "v2", v1()),
    ] {
        let refused = Constraint::UnsupportedValue;
        let clause = clause_of_refusing(refused, program, answer, expected);
        assert_eq!(clause, Clause::Val1, "{program}: {answer}");
    }
}
