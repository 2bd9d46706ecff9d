//! The text of what several clients do together, and of what is cancelled.

use super::drawn::stating;
use super::{error, round_trip};
use crate::conformance::program::Program;
use crate::conformance::program::shape::{Cancel, Hold, Place, Poll, Schedule, Step};
use proptest::prelude::*;

#[test]
fn a_program_of_any_shape_reads_back_as_it_was_written() {
    for text in [
        "s2: commit A v1 ttl 1s; together { prepare A | commit A v2 ttl 1s; prepare A }; \
         prepare A -> v1 or v2",
        "s2: commit A v1 ttl 1s; cancel after 2 polls { drop A }; prepare A",
        "s2: cancel after 1 poll, 128 times { prepare A }; commit A v1 ttl 1s",
        "s2: cancel after 0 polls { commit nil ttl 1s }",
        "s2: together polls 1 2 2! - 1 { prepare A | cancel after 1 poll { drop A } }",
        "s2: together polls { prepare A | drop A }",
        "s2: together pause 1ms { prepare A -> nothing | advance 1s -> done; drop A }",
        "s2: together threads { prepare A | drop A | drop B }; together { drop A }",
        "s2: together threads hold 2 at clock 1 pause 1.5us { prepare A | drop A }",
        "s2: prepare A -> refused or nothing or refused empty-id or v1",
    ] {
        assert_eq!(round_trip(text), text);
    }
}

#[test]
fn shapes_stand_on_several_lines_with_comments() {
    let text = "s2:\n  together threads {  # two\n    prepare A -> v1 # one | }\n    drop A;\n  |\n  \
                cancel after 1 polls,2 times{\n drop A\n}}\n\n# last";
    assert_eq!(
        round_trip(text),
        "s2: together threads { prepare A -> v1; drop A | cancel after 1 poll, 2 times { drop A } }"
    );
    assert_eq!(
        round_trip("together{prepare A ->nothing|commit A{\"csrf_token\":\"|\"}ttl 1s}"),
        "s2: together { prepare A -> nothing | commit A {\"csrf_token\":\"|\"} ttl 1s }"
    );
}

#[test]
fn the_first_version_is_written_where_it_can_say_it() {
    for (text, version) in [
        ("s2: drop A -> done", "s1:"),
        ("drop A", "s1:"),
        ("prepare A -> v1 or nothing", "s2:"),
        ("together { drop A }", "s2:"),
        ("cancel after 1 poll { drop A }", "s2:"),
    ] {
        assert_eq!(&round_trip(text)[..3], version, "{text}");
    }
}

#[test]
fn what_is_read_is_what_the_text_says() {
    let text = "drop A; together polls 1 2! - { drop B; drop C | cancel after 3 polls { drop D } }; \
                together threads hold 2 at clock 4 pause 2ns { drop E | drop F }";
    let program: Program = text.parse().unwrap();
    let steps: Vec<Step<'_>> = program.steps().collect();
    let [first, second] = program.together() else {
        panic!("{:?}", program.together());
    };
    let of = |clients, together| Step::Together { clients, together };
    assert_eq!(
        steps,
        [
            Step::One { at: 0 },
            of(vec![1..3, 3..4], first),
            of(vec![4..5, 5..6], second),
        ]
    );
    let polls = vec![Poll::Woken(0), Poll::Unwoken(1), Poll::Yield];
    assert_eq!(first.schedule, Schedule::Polls(polls));
    assert_eq!((first.pause, second.pause), (0, 2));
    let hold = Hold {
        client: 1,
        place: Place::Clock,
        number: 4,
    };
    assert_eq!(second.schedule, Schedule::Threads(vec![hold]));
    assert_eq!(second.client_of(5), Some(1));
    assert_eq!(program.cancel(3), Some(Cancel { polls: 3, times: 1 }));
    assert_eq!(program.cancel(2), None);
    assert!(program.overlaps() && program.is_cancelling() && !program.is_sequential());
}

/// A text, the column of what is wrong on its first line, and words of the error.
type Wrong = (&'static str, usize, &'static str);

fn assert_wrong(texts: &[Wrong]) {
    for (text, column, words) in texts {
        let parsed = text.parse::<Program>().expect_err(text);
        let place = (parsed.line(), parsed.column());
        assert_eq!(place, (1, *column), "{text}\n{parsed}");
        assert!(error(text).contains(words), "{text}\n{parsed}");
    }
}

#[test]
fn what_the_second_version_adds_is_not_in_the_first() {
    assert_wrong(&[
        (
            "s1: together { drop A }",
            5,
            "`together` takes version s2: write `s2:` in front",
        ),
        (
            "s1: cancel after 1 poll { drop A }",
            5,
            "`cancel` takes version s2",
        ),
        ("s1: drop A -> done or refused", 20, "`or` takes version s2"),
    ]);
}

#[test]
fn a_malformed_cancelled_call_is_told_what_is_wrong_where_and_what_is_accepted() {
    assert_wrong(&[
        ("cancel drop A", 8, "expected `after NUMBER polls` here"),
        (
            "cancel after x polls { drop A }",
            14,
            "no number \"x\"; how many polls is a whole number from 0",
        ),
        (
            "cancel after +1 polls { drop A }",
            14,
            "no number \"\"; how many polls",
        ),
        ("cancel after 1 { drop A }", 16, "expected `polls` here"),
        (
            "cancel after 1 poll drop A",
            21,
            "expected `, NUMBER times` or `{ CALL }` here",
        ),
        (
            "cancel after 1 poll, 0 times { drop A }",
            22,
            "no number \"0\"; how many times is a whole number from 1 to 4294967295",
        ),
        (
            "cancel after 1 poll, 4294967296 times { drop A }",
            22,
            "no number \"4294967296\"",
        ),
        (
            "cancel after 1 poll, 2 { drop A }",
            24,
            "expected `times` here",
        ),
        (
            "cancel after 1 poll, 2 times drop A",
            30,
            "expected `{ CALL }` here",
        ),
        (
            "cancel after 1 poll { }",
            23,
            "no operation \"\"; calls that can be cancelled are `prepare ID`",
        ),
        (
            "cancel after 1 poll { advance 1s }",
            23,
            "`advance` has no place inside `cancel`; calls that can be cancelled are `prepare ID`",
        ),
        (
            "cancel after 1 poll { restart }",
            23,
            "`restart` has no place inside `cancel`",
        ),
        (
            "cancel after 1 poll { together { drop A } }",
            23,
            "`together` has no place inside `cancel`",
        ),
        (
            "cancel after 1 poll { cancel after 1 poll { drop A } }",
            23,
            "`cancel` has no place inside `cancel`",
        ),
        (
            "cancel after 1 poll { drop A -> done }",
            30,
            "a cancelled call has no reply that could be stated",
        ),
        (
            "cancel after 1 poll { drop A; drop B }",
            31,
            "expected `}` here: one call is cancelled",
        ),
        (
            "cancel after 1 poll { drop A } -> done",
            32,
            "expected `;` or a new line here",
        ),
    ]);
}

#[test]
fn a_malformed_schedule_is_told_what_is_wrong_where_and_what_is_accepted() {
    assert_wrong(&[
        (
            "together drop A",
            10,
            "expected `threads`, `polls`, `pause TIME` or `{ CALLS | CALLS .. }` here",
        ),
        ("together threads pause 1s drop A", 27, "expected `{` here"),
        (
            "together threads at { drop A }",
            18,
            "expected `hold CLIENT at PLACE NUMBER`, `pause TIME` or `{",
        ),
        (
            "together threads hold 0 at clock 1 { drop A }",
            23,
            "no number \"0\"; a client is a whole number from 1",
        ),
        (
            "together threads hold 1 clock 1 { drop A }",
            25,
            "expected `at PLACE NUMBER` here",
        ),
        (
            "together threads hold 1 at noon 1 { drop A }",
            28,
            "no place \"noon\"; a client is held at `clock`, `clone`, `id`, `compare`, `encode`, `decode`, `release`, `return`",
        ),
        (
            "together threads hold 1 at clock { drop A }",
            34,
            "no number \"\"; which time the client comes there is a whole number from 1",
        ),
        (
            "together threads hold 1 at clock 0 { drop A }",
            34,
            "no number \"0\"; which time the client comes there",
        ),
        (
            "together threads hold 3 at clock 1 { drop A | drop B }",
            23,
            "no client 3; clients are numbered from 1 to 2 here",
        ),
        (
            "together threads hold 1 at clock 1 x { drop A }",
            36,
            "expected `hold CLIENT at PLACE NUMBER`, `pause TIME` or `{",
        ),
        (
            "together polls 1 x { drop A }",
            18,
            "expected a poll (`1` of a client once it is awake",
        ),
        (
            "together polls 1 0 { drop A }",
            18,
            "no poll \"0\"; clients are numbered from 1",
        ),
        ("together polls 1 1!! { drop A }", 18, "no poll \"1!!\""),
        (
            "together polls 1 2! { drop A }",
            18,
            "no client 2; clients are numbered from 1 to 1 here",
        ),
        ("together pause 1h { drop A }", 16, "no time \"1h\""),
        (
            "together pause -1s { drop A }",
            16,
            "time does not run backwards",
        ),
    ]);
}

#[test]
fn malformed_clients_are_told_what_is_wrong_where_and_what_is_accepted() {
    assert_wrong(&[
        (
            "together { }",
            12,
            "expected a call here: every client makes one",
        ),
        (
            "together { drop A | }",
            21,
            "expected a call here: every client makes one",
        ),
        (
            "together { | drop A }",
            12,
            "expected a call here: every client makes one",
        ),
        (
            "together { drop A",
            18,
            "expected `;`, a new line, `-> REPLY`, `|` or `}` here",
        ),
        ("together { drop A;", 19, "expected a call, `|` or `}` here"),
        (
            "together { drop A B }",
            19,
            "expected `;`, a new line, `-> REPLY`, `|` or `}` here",
        ),
        (
            "together { restart }",
            12,
            "`restart` has no place inside `together`: the clients share one store",
        ),
        (
            "together { together { drop A } }",
            12,
            "`together` has no place inside `together`",
        ),
        (
            "together { fetch A }",
            12,
            "no operation \"fetch\"; operations of clients are `prepare ID`",
        ),
        (
            "together { drop A } -> done",
            21,
            "expected `;` or a new line here",
        ),
    ]);
}

#[test]
fn malformed_steps_and_alternatives_are_told_what_is_wrong_where_and_what_is_accepted() {
    assert_wrong(&[
        ("drop A }", 8, "expected `;`, a new line or `-> REPLY` here"),
        ("prepare A -> v1 or", 19, "no payload \"\""),
        ("prepare A -> or v1", 14, "no payload \"or\""),
        (
            "drop A -> done or v1",
            19,
            "expected `done` or `refused` here",
        ),
        (
            "fetch A",
            1,
            "`restart`; a call is cancelled by `cancel after NUMBER polls { CALL }`, and",
        ),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::Direct("proptest-regressions/program.txt"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_program_of_any_shape_reads_back_as_it_was_written(program in stating(6)) {
        prop_assert_eq!(&program.to_string().parse::<Program>().unwrap(), &program);
    }

    #[test]
    fn no_text_of_a_shape_makes_the_parser_panic(
        text in "(s2:)?( |;|\n|\\{|\\||\\}|together |threads |hold |at |clock |polls |pause 1s|cancel after |times|drop A|restart|-> done| or |,|-|!|[0-9]{1,2} |é){0,16}",
    ) {
        if let Err(error) = text.parse::<Program>() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
