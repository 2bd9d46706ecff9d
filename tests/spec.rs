//! SPEC.md and the code hold each other: same clauses, same sentences, scenarios that run, and
//! claims about checking that are so.

use session_spec::conformance::{
    Check, Profile, Program, Report, Subject, Trace, Verdict, check, check_subject,
};
use session_spec::store::BoxError;
use session_spec::{Clause, ManualClock, MemStore};
use std::sync::Arc;

const SPEC: &str = include_str!("../SPEC.md");

/// A clause's heading and what stands under it.
fn sections() -> Vec<(&'static str, &'static str)> {
    let starts = SPEC.split("\n### ").skip(1);
    starts
        .map(|section| {
            let section = section.split("\n## ").next().unwrap_or_default();
            section.split_once('\n').expect("a heading has a text")
        })
        .collect()
}

fn section(clause: Clause) -> &'static str {
    let found = sections().into_iter().find(|(id, _)| *id == clause.id());
    found.expect("every clause has a section").1
}

/// Fenced blocks of `section` whose info string is `info`.
fn blocks<'a>(section: &'a str, info: &str) -> Vec<&'a str> {
    let fence = format!("```{info}\n");
    let from_fence = section.split(&fence).skip(1);
    from_fence
        .map(|rest| {
            rest.split("\n```")
                .next()
                .expect("split gives a first part")
        })
        .collect()
}

fn scenarios(info: &str) -> Vec<(Program, &'static str)> {
    let blocks = blocks(SPEC, info).into_iter();
    blocks
        .map(|text| match text.parse() {
            Ok(program) => (program, text),
            Err(error) => panic!("{text}\n{error}"),
        })
        .collect()
}

#[test]
fn headings_and_clauses_are_the_same_in_the_same_order() {
    let headings: Vec<&str> = sections().into_iter().map(|(id, _)| id).collect();
    let clauses: Vec<&str> = Clause::ALL.iter().map(|clause| clause.id()).collect();
    assert_eq!(headings, clauses);
}

#[test]
fn every_clause_says_must_in_one_sentence_the_one_of_the_code() {
    for clause in Clause::ALL {
        let section = section(*clause);
        let bold: Vec<&str> = section
            .lines()
            .filter(|line| line.starts_with("**"))
            .collect();
        assert_eq!(bold, [format!("**{}**", clause.statement())], "{clause}");
        let rest = section.replace(clause.statement(), "");
        assert!(!rest.contains("MUST"), "{clause} says MUST twice");
    }
}

#[test]
fn every_clause_says_where_it_comes_from_and_how_it_is_checked() {
    for clause in Clause::ALL {
        let section = section(*clause);
        let from = section
            .lines()
            .find_map(|line| line.strip_prefix("- From: "));
        let from = from.unwrap_or_else(|| panic!("{clause} says not where it comes from"));
        let labels = ["seed", "upstream", "safe"];
        assert!(
            labels.iter().any(|label| from.starts_with(label)),
            "{clause}: {from}"
        );
        assert_eq!(section.matches("\n- Checked: ").count(), 1, "{clause}");
    }
}

#[test]
fn every_statement_in_a_scenario_is_what_the_model_says() {
    let all: Vec<_> = ["session", "session wire", "session restart"]
        .into_iter()
        .flat_map(scenarios)
        .collect();
    assert!(all.len() > 25, "only {} scenarios", all.len());
    for (program, text) in all {
        let trace = Trace::of(&program);
        assert!(!trace.is_disputed(), "{text}\n{trace}");
    }
}

#[test]
fn every_scenario_runs_against_memstore() {
    for (program, text) in scenarios("session") {
        assert!(program.is_expressible(), "{text}");
        check(MemStore::with_clock)
            .replay(&program.to_string())
            .assert();
    }
}

#[test]
fn every_scenario_with_a_restart_runs_against_a_store_that_outlives_one() {
    let scenarios = scenarios("session restart");
    assert!(!scenarios.is_empty());
    for (program, text) in scenarios {
        assert!(program.has_restart(), "{text}");
        let check = check_subject(Lasting).replay(&program.to_string());
        check.assert();
    }
}

/// A store that a restart does not touch.
struct Lasting;

impl Subject for Lasting {
    type Store = Arc<MemStore<ManualClock>>;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(Self::Store, ManualClock), BoxError> {
        let clock = ManualClock::new();
        Ok((Arc::new(MemStore::with_clock(clock.clone())), clock))
    }

    async fn restart(
        &self,
        store: Self::Store,
        clock: ManualClock,
    ) -> Result<(Self::Store, ManualClock), BoxError> {
        Ok((store, clock))
    }

    fn profile(&self) -> Profile {
        Profile::default().durable()
    }
}

#[test]
fn what_runs_against_the_model_only_is_what_rust_cannot_express() {
    let wire = scenarios("session wire");
    assert!(!wire.is_empty());
    for (program, text) in wire {
        assert!(!program.is_expressible(), "{text}");
    }
}

/// "exhaustive", "random", "restarted", "concurrent" and "cancelled" in the document are what these
/// searches exercise.
#[test]
fn clauses_are_checked_by_the_searches_that_the_document_names() {
    let check = || check(MemStore::with_clock).sequences(2_000);
    let searches = [
        ("exhaustive", check().depth(5).sequences(0).run()),
        ("random", of_one_client(check().depth(0)).run()),
        (
            "restarted",
            check_subject(Lasting).only(Clause::Dur1).depth(2).run(),
        ),
        (
            "concurrent",
            check().only(Clause::Con1).only(Clause::Con2).run(),
        ),
        ("cancelled", check().only(Clause::Can1).run()),
    ];
    for finding in &searches[0].1.clauses {
        let section = section(finding.clause);
        let (_, checked) = section.split_once("\n- Checked: ").expect("it says how");
        let first = checked.lines().next().unwrap_or_default();
        for (word, report) in &searches {
            assert_eq!(
                first.contains(word),
                exercised(report, finding.clause),
                "{}: {word}, but says: {first}",
                finding.clause
            );
        }
    }
}

/// Without the searches in histories.
fn of_one_client<S: Subject>(check: Check<S>) -> Check<S> {
    let why = "one client, whose calls all return";
    let profile = [Clause::Con1, Clause::Con2, Clause::Can1]
        .into_iter()
        .fold(Profile::default(), |profile, clause| {
            profile.unclaimed(clause, why)
        });
    check.profile(profile)
}

fn exercised(report: &Report, clause: Clause) -> bool {
    assert_ne!(report.verdict, Verdict::Violated, "{report}");
    let finding = report
        .clauses
        .iter()
        .find(|finding| finding.clause == clause);
    finding.is_some_and(|finding| finding.exercised > 0)
}
