pub(super) mod drawn;
mod shapes;

use super::*;
use crate::conformance::programs;
use proptest::prelude::*;

fn error(text: &str) -> String {
    text.parse::<Program>().unwrap_err().to_string()
}

fn round_trip(text: &str) -> String {
    text.parse::<Program>()
        .unwrap_or_else(|error| panic!("{error}"))
        .to_string()
}

#[test]
fn a_program_reads_back_as_it_was_written() {
    for text in [
        "s1:",
        "s1: commit A v1 ttl 1s; advance 999.999999ms; prepare A",
        "s1: commit nil ttl -1.5s -> refused nil-snapshot; drop \"\" -> done",
        r#"s1: commit "a\u0000" v0 ttl max -> refused; prepare "\u00e9\ud83e\udd80" -> nothing"#,
        r#"s1: prepare "x"*65535+"b"; prepare A -> v3; drop "a;b#c -> d""#,
        "s1: commit A v1 ttl 1s; restart; prepare A -> v1",
        r#"s1: commit A {"csrf_token":"c","user":{"email":""},"data":{"":[1,-0.0,null]}} ttl 1ns"#,
        r#"s1: commit A {"csrf_token":"}","data":{"k":["x"*256+"y\"]","\u00e9"]}} ttl 1s; prepare A"#,
    ] {
        assert_eq!(round_trip(text), text);
    }
}

#[test]
fn operations_stand_on_lines_of_their_own_with_comments() {
    let text = "\n# first\n  commit A v1 ttl 1000ms # one second\n\n ;;prepare A\t-> v1 ; \n# last";
    assert_eq!(round_trip(text), "s1: commit A v1 ttl 1s; prepare A -> v1");
}

#[test]
fn a_letter_is_a_token() {
    let program: Program = r#"prepare A; prepare "A"*32; prepare "A""#.parse().unwrap();
    let ids: Vec<_> = program
        .ops()
        .iter()
        .map(|op| format!("{:?}", op.id()))
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[test]
fn a_malformed_program_is_told_what_is_wrong_where_and_what_is_accepted() {
    for (text, line, column, words) in [
        (
            "fetch A",
            1,
            1,
            "no operation \"fetch\"; operations are `prepare ID`",
        ),
        ("s1: drop A;\n  remove B", 2, 3, "no operation \"remove\""),
        (
            "s3: drop A",
            1,
            1,
            "version \"s3\" are not known here; the versions are s1 and s2",
        ),
        ("drop O", 1, 6, "no id \"O\"; an id is a base58 letter"),
        ("drop AB", 1, 6, "no id \"AB\""),
        ("drop \"a", 1, 6, "an id in JSON does not parse here"),
        ("drop A*x", 1, 8, "expected how often to repeat"),
        ("drop \"aaaa\"*99999999", 1, 6, "at most 16777216 bytes"),
        ("drop A B", 1, 8, "expected `;`, a new line or `-> REPLY`"),
        (
            "commit A w1 ttl 1s",
            1,
            10,
            "no payload \"w1\"; a payload is v0, v1",
        ),
        (
            "commit A {} ttl 1s",
            1,
            10,
            "not a payload: it has `csrf_token`",
        ),
        (
            "commit A {\"id\":\"x\"} ttl 1s",
            1,
            10,
            "a payload has no id",
        ),
        ("commit A v1 for 1s", 1, 13, "expected `ttl TIME` here"),
        (
            "commit A v1 ttl 1h",
            1,
            17,
            "no time \"1h\"; a time is a number and ns, us, ms or s",
        ),
        (
            "commit A v1 ttl 0.5ns",
            1,
            17,
            "a whole number of nanoseconds",
        ),
        ("advance 1", 1, 9, "no time \"1\""),
        ("advance -1s", 1, 8, "time does not run backwards"),
        ("drop A -> nothing at all", 1, 19, "expected `;`"),
        ("drop A -> v1", 1, 11, "expected `done` or `refused`"),
        (
            "commit A v1 ttl 0s -> refused why",
            1,
            31,
            "no constraint \"why\"; constraints are nil-snapshot,",
        ),
    ] {
        let parsed = text.parse::<Program>().unwrap_err();
        assert_eq!(
            (parsed.line(), parsed.column()),
            (line, column),
            "{text}\n{parsed}"
        );
        assert!(error(text).contains(words), "{text}\n{parsed}");
    }
}

#[test]
fn an_error_points_at_the_place() {
    assert_eq!(
        error("s1: commit A v1 ttl 1s; fetch A"),
        "line 1 column 25: no operation \"fetch\"; operations are `prepare ID`, \
         `commit ID PAYLOAD ttl TIME`, `drop ID`, `advance TIME` and `restart`\n  \
         s1: commit A v1 ttl 1s; fetch A\n                          ^"
    );
}

#[test]
fn what_rust_cannot_express_is_known() {
    for (text, expressible) in [
        ("commit A v1 ttl max; advance max", true),
        ("commit A v1 ttl max; advance max; advance 1ns", false),
        ("commit nil ttl 1s", false),
        ("commit A v1 ttl -1ns", false),
        ("commit A v1 ttl 0s", true),
    ] {
        let program: Program = text.parse().unwrap();
        assert_eq!(program.is_expressible(), expressible, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: Some(Box::new(
            proptest::test_runner::FileFailurePersistence::Direct("proptest-regressions/program.txt"),
        )),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_random_program_reads_back_as_it_was_written(program in programs(20)) {
        prop_assert!(program.is_expressible());
        prop_assert!(program.ops().len() <= 20);
        prop_assert_eq!(&program.to_string().parse::<Program>().unwrap(), &program);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(s1:)?( |;|\n|[a-z]{1,7}|[A-Z]|v1|ttl|->|\"|\\*|\\+|\\{|[0-9.-]{1,3}s|é){0,12}") {
        if let Err(error) = text.parse::<Program>() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
