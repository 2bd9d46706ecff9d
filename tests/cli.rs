//! The `session-spec` command: what it prints and its exit status.

use std::process::{Command, Output};

fn session_spec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_session-spec"))
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .expect("the command runs")
}

fn status(arguments: &[&str]) -> i32 {
    session_spec(arguments)
        .status
        .code()
        .expect("it exits by itself")
}

fn stdout(arguments: &[&str]) -> String {
    String::from_utf8(session_spec(arguments).stdout).expect("it prints UTF-8")
}

fn stderr(arguments: &[&str]) -> String {
    String::from_utf8(session_spec(arguments).stderr).expect("it prints UTF-8")
}

#[test]
fn a_store_that_conforms_is_status_0_with_a_verdict() {
    let arguments = [
        "check",
        "memstore",
        "--depth",
        "3",
        "--sequences",
        "500",
        "--seed",
        "1",
    ];
    assert_eq!(status(&arguments), 0);
    let text = stdout(&arguments);
    assert!(text.contains("MemStore<ManualClock> conforms."), "{text}");
    assert!(text.ends_with("Seed 1.\n"), "{text}");
    assert!(
        !text.contains('\u{1b}'),
        "colour without a terminal:\n{text}"
    );
}

#[test]
fn the_report_as_json() {
    let arguments = [
        "check",
        "memstore",
        "--depth",
        "3",
        "--sequences",
        "500",
        "--format",
        "json",
    ];
    let report: serde_json::Value = serde_json::from_str(&stdout(&arguments)).unwrap();
    assert_eq!(report["verdict"], "conforms");
    assert_eq!(report["clauses"].as_array().unwrap().len(), 33);
}

#[test]
fn a_program_that_states_what_the_contract_denies_is_status_1() {
    let arguments = [
        "replay",
        "s1: commit A v1 ttl 1s; advance 1s; prepare A -> v1",
    ];
    assert_eq!(status(&arguments), 1);
    insta::assert_snapshot!(stdout(&arguments), @r"
    what the contract says
        t=0s  commit A v1 ttl 1s  done     COM-5
        t=0s  advance 1s                   TTL-3
        t=1s  prepare A           nothing  TTL-2  but the program states: v1
    ");
}

#[test]
fn a_program_replayed_is_shown_step_by_step() {
    let arguments = [
        "replay",
        r#"commit A v1 ttl 1.5s; commit "" v2 ttl 0s; drop A; prepare A"#,
    ];
    assert_eq!(status(&arguments), 0);
    insta::assert_snapshot!(stdout(&arguments));
}

#[test]
fn calls_that_overlap_and_calls_that_are_cancelled_are_replayed() {
    for program in [
        "s2: commit A v1 ttl 1s; together { prepare A | commit A v2 ttl 1s }; prepare A -> v2",
        "s2: together polls 1 2 { commit A v1 ttl 1s | drop A }; prepare A -> v1 or nothing",
        "s2: together threads hold 2 at clock 1 { commit A v1 ttl 1s | prepare A }",
        "s2: cancel after 0 polls, 3 times { commit A v1 ttl 1s }; prepare A -> nothing",
    ] {
        assert_eq!(status(&["replay", program]), 0, "{program}");
    }
}

#[test]
fn undecided_is_status_3() {
    let arguments = [
        "check",
        "memstore",
        "--depth",
        "2",
        "--sequences",
        "0",
        "--only",
        "CON-1",
    ];
    assert_eq!(status(&arguments), 3);
    assert!(stdout(&arguments).contains("is undecided"));
}

#[test]
fn wrong_use_is_status_2_and_says_what_is_accepted() {
    for (arguments, words) in [
        (&["check", "redis"][..], "possible values: memstore"),
        (
            &["check", "memstore", "--only", "COM-99"],
            "no clause \"COM-99\"; clauses are TOK-1 to TOK-3",
        ),
        (
            &["check", "memstore", "--only", "TOK-1"],
            "TOK-1 is no clause of the store contract",
        ),
        (&["check", "memstore", "--depth", "8"], "the deepest is 7"),
        (
            &["check", "memstore", "--depth", "many"],
            "invalid value 'many' for '--depth <DEPTH>'",
        ),
        (
            &["check", "memstore", "--depth", "0", "--sequences", "0"],
            "nothing to search",
        ),
        (
            &["check", "memstore", "--frobnicate"],
            "unexpected argument '--frobnicate'",
        ),
        (
            &["replay", "s1: fetch A"],
            "malformed program at line 1 column 5: no operation \"fetch\"",
        ),
        (&["replay", ""], "the program has no operations"),
        (&["replay", "commit nil ttl 1s"], "only the model was asked"),
        (
            &["replay", "s1: restart"],
            "MemStore keeps nothing over a restart",
        ),
        (
            &["replay", "s2: together { prepare A | fetch A }"],
            "malformed program at line 1 column 28: no operation \"fetch\"",
        ),
        (
            &["replay", "s2: together polls 1 3 { prepare A | drop A }"],
            "column 22: no client 3; clients are numbered from 1 to 2 here",
        ),
        (
            &["replay", "s2: together { prepare A | drop A }; restart"],
            "MemStore keeps nothing over a restart",
        ),
        (&["vectors", "--depth", "6"], "the deepest is 5"),
        (&["spec", "COM-99"], "no clause \"COM-99\""),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
    ] {
        assert_eq!(status(arguments), 2, "{arguments:?}");
        let told = stderr(arguments);
        assert!(told.contains(words), "{arguments:?}\n{told}");
    }
}

#[test]
fn spec_lists_every_clause_and_shows_one() {
    let list = stdout(&["spec"]);
    assert_eq!(list.lines().count(), session_spec::Clause::ALL.len());
    let one = stdout(&["spec", "com-6"]);
    assert!(
        one.starts_with("COM-6\n\n**A commit over a live entry MUST"),
        "{one}"
    );
    assert!(!one.contains("COM-7"), "{one}");
}

#[test]
fn vectors_are_json_lines_the_same_for_a_seed() {
    let arguments = |seed| {
        [
            "vectors",
            "--depth",
            "1",
            "--sequences",
            "50",
            "--seed",
            seed,
        ]
    };
    let text = stdout(&arguments("1"));
    for line in text.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
    assert_eq!(text, stdout(&arguments("1")));
    assert_ne!(text, stdout(&arguments("2")));
    assert!(stderr(&arguments("1")).is_empty());
}

#[test]
fn help_teaches() {
    insta::assert_snapshot!("help", stdout(&["--help"]));
    insta::assert_snapshot!("help_check", stdout(&["check", "--help"]));
    insta::assert_snapshot!("help_replay", stdout(&["replay", "--help"]));
    insta::assert_snapshot!("help_vectors", stdout(&["vectors", "--help"]));
}

#[test]
fn the_environment_says_seed_and_budget_where_nothing_else_does() {
    let check = |arguments: &[&str], variable: (&str, &str)| {
        let output = Command::new(env!("CARGO_BIN_EXE_session-spec"))
            .args(["check", "memstore", "--depth", "1", "--sequences", "10"])
            .args(arguments)
            .env(variable.0, variable.1)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), text, error)
    };
    let (_, text, _) = check(&[], ("SESSION_SPEC_SEED", "7"));
    assert!(text.ends_with(" Seed 7.\n"), "{text}");
    let (_, text, _) = check(&["--seed", "8"], ("SESSION_SPEC_SEED", "7"));
    assert!(text.ends_with(" Seed 8.\n"), "{text}");
    let (status, _, error) = check(&[], ("SESSION_SPEC_BUDGET", "soon"));
    assert_eq!(status, Some(2), "{error}");
    assert!(
        error.starts_with("error: SESSION_SPEC_BUDGET is \"soon\"; "),
        "{error}"
    );
}
