//! `conformance_tests!`: the tests that it makes, and what they say when they fail.

use session_spec::conformance::{Check, Profile, Subject};
use session_spec::store::BoxError;
use session_spec::{Clause, ManualClock, MemStore, Snapshot, Store, StoreError, conformance_tests};
use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs};

mod memstore {
    super::conformance_tests!(super::MemStore::with_clock);
}

mod subject {
    super::conformance_tests!(
        subject: super::Injected,
        |check| check.depth(3).sequences(200)
    );
}

mod fixture {
    super::conformance_tests!(
        super::Fixture::new,
        super::configured,
        skip(PRE-2: "an empty id is an error"),
    );
}

/// `MemStore`, as one that needs a subject.
struct Injected;

impl Subject for Injected {
    type Store = MemStore<ManualClock>;
    type Clock = ManualClock;

    async fn fresh(&self) -> Result<(Self::Store, ManualClock), BoxError> {
        let clock = ManualClock::new();
        Ok((MemStore::with_clock(clock.clone()), clock))
    }
}

/// A store that fails at the empty id, and forgets no entry if a test wants so; but a
/// right one where no test has run this program again, so that what is ignored passes there.
struct Fixture {
    store: MemStore<ManualClock>,
    drops: bool,
    is_strict: bool,
}

impl Fixture {
    fn new(clock: ManualClock) -> Self {
        Self {
            store: MemStore::with_clock(clock),
            drops: !wanted("no drops"),
            is_strict: env::var_os("FIXTURE").is_some(),
        }
    }
}

impl Store for Fixture {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        match self.is_strict && id.is_empty() {
            true => Err(StoreError::Backend {
                store: "fixture",
                source: "the id is empty".into(),
            }),
            false => self.store.prepare(id).await,
        }
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        match self.drops {
            true => Store::drop(&self.store, id).await,
            false => Ok(()),
        }
    }
}

/// What a test of this file wants of the fixture when it runs this program again.
fn wanted(what: &str) -> bool {
    env::var("FIXTURE").is_ok_and(|wanted| wanted == what)
}

fn configured<S: Subject>(check: Check<S>) -> Check<S> {
    static ONCE: AtomicBool = AtomicBool::new(false);
    let again = ONCE.swap(true, Ordering::Relaxed);
    assert!(!(again && wanted("one search")), "a second search");
    let check = check.depth(3).sequences(500);
    if wanted("ends") {
        process::exit(1);
    }
    if wanted("too little") {
        check.depth(1).sequences(0)
    } else if wanted("too much") {
        check.depth(8)
    } else if wanted("modest") {
        check.profile(Profile::default().unclaimed(Clause::Com6, "it is an archive"))
    } else {
        check
    }
}

/// How the tests of a run ended.
struct Ended {
    output: String,
    failed: Vec<String>,
}

const NEXTEST: (&str, &str) = ("NEXTEST_EXECUTION_MODE", "process-per-test");

fn run(fixture: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let output = Command::new(env::current_exe().expect("this program has a path"))
        .args(arguments)
        .env_remove(NEXTEST.0)
        .env("RUST_BACKTRACE", "0")
        .env("FIXTURE", fixture)
        .envs(environment.iter().copied())
        .output()
        .expect("it runs");
    let output = String::from_utf8(output.stdout).expect("it prints UTF-8");
    let failed = output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .map(str::to_owned)
        .collect();
    Ended { output, failed }
}

impl Ended {
    fn assert_passed(&self) {
        let passed = self.output.contains("test result: ok. ");
        let any = !self.output.contains(" 0 passed");
        assert!(passed && any, "{}", self.output);
    }

    fn assert_failed(&self, tests: &[&str]) {
        assert_eq!(self.failed, tests, "{}", self.output);
    }

    /// What the first test that failed said, and its tally.
    fn panic(&self) -> (&str, &str) {
        let (_, rest) = self.output.split_once("panicked at ").expect(&self.output);
        let (_, rest) = rest.split_once('\n').expect(&self.output);
        let (text, _) = rest.split_once("\nnote: ").expect(&self.output);
        text.split_once(" Clauses: ").unwrap_or((text, ""))
    }
}

#[test]
fn a_broken_clause_fails_its_own_test_with_the_counterexample() {
    let ended = run("no drops", &["fixture::"], &[]);
    ended.assert_failed(&["fixture::drp_1"]);
    insta::assert_snapshot!(ended.panic().0, @r#"
    DRP-1 violated: After a drop, preparing that id MUST give nothing.
        t=0s  commit A v1 ttl 1s  done
        t=0s  drop A              done
        t=0s  prepare A           v1   <- expected nothing
    because  A was dropped at 0s and not committed since (DRP-1).
    found    by scenarios search, program 12; 3 operations after shrinking
    replay   session-spec replay 's1: commit A v1 ttl 1s; drop A; prepare A'
    test     check(..).replay("s1: commit A v1 ttl 1s; drop A; prepare A").assert();

    Fixture breaks the contract.
    "#);
}

#[test]
fn the_tests_of_a_process_share_one_search() {
    run("one search", &["fixture::"], &[]).assert_passed();
}

#[test]
fn a_test_that_runs_alone_in_a_run_without_a_name_searches_for_its_own_clause() {
    let ended = run("no drops", &["--exact", "fixture::drp_1"], &[NEXTEST]);
    ended.assert_failed(&["fixture::drp_1"]);
    let (_, tally) = ended.panic();
    assert!(tally.starts_with("1 violated. "), "{tally}");
    run("no drops", &["--exact", "fixture::com_6"], &[NEXTEST]).assert_passed();
}

#[test]
fn what_runs_alone_has_programs_for_every_clause() {
    run("", &["memstore::"], &[NEXTEST]).assert_passed();
}

/// An empty folder for temporary files, in which no run has left anything.
fn empty_folder(name: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("suite-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("it can be made");
    folder.to_str().expect("its name is text").to_owned()
}

#[test]
fn the_processes_of_a_run_share_one_search_and_those_of_another_have_theirs() {
    let folder = empty_folder("shared");
    let ended_of = |test: &str, fixture: &str, id: &str| {
        let environment = [NEXTEST, ("NEXTEST_RUN_ID", id), ("TMPDIR", &*folder)];
        run(fixture, &["--exact", test], &environment)
    };
    let ended = |fixture: &str, id: &str| ended_of("fixture::drp_1", fixture, id);
    let first = ended("no drops", "one");
    first.assert_failed(&["fixture::drp_1"]);
    // This store is right, but it is not asked any more.
    let later = ended("", "one");
    later.assert_failed(&["fixture::drp_1"]);
    assert_eq!(first.panic(), later.panic());
    ended("", "other").assert_passed();
    ended_of("fixture::com_6", "", "one").assert_passed();
}

#[test]
fn where_a_search_ends_its_process_the_next_test_of_the_run_makes_it_again() {
    let folder = empty_folder("ended");
    let environment = [NEXTEST, ("NEXTEST_RUN_ID", "one"), ("TMPDIR", &*folder)];
    let ended = run("ends", &["--exact", "fixture::drp_1"], &environment);
    assert!(!ended.output.contains("test result"), "{}", ended.output);
    run("", &["--exact", "fixture::drp_1"], &environment).assert_passed();
}

#[test]
fn a_clause_that_is_not_claimed_is_ignored_for_a_reason() {
    let ended = run("", &["fixture::not_claimed"], &[]);
    let line = "fixture::not_claimed::pre_2 ... ignored, an empty id is an error\n";
    assert!(ended.output.contains(line), "{}", ended.output);
}

#[test]
fn an_ignored_test_says_what_the_store_makes_of_the_clause_all_the_same() {
    let ended = run("", &["fixture::", "--ignored"], &[]);
    ended.assert_failed(&["fixture::not_claimed::pre_2"]);
    let (text, _) = ended.panic();
    assert!(text.starts_with("PRE-2 violated: "), "{text}");
}

#[test]
fn a_clause_that_nothing_exercised_fails() {
    run("too little", &["--exact", "fixture::pre_1"], &[]).assert_passed();
    let ended = run("too little", &["--exact", "fixture::drp_1"], &[]);
    ended.assert_failed(&["fixture::drp_1"]);
    insta::assert_snapshot!(ended.panic().0, @r"
    DRP-1 is vacuous: nothing that was run could show it broken
    After a drop, preparing that id MUST give nothing.
    ");
}

#[test]
fn a_clause_that_only_the_profile_does_not_claim_fails() {
    let ended = run("modest", &["fixture::"], &[]);
    ended.assert_failed(&["fixture::com_6"]);
    insta::assert_snapshot!(ended.panic().0, @r#"
    COM-6 is not claimed: say skip(COM-6: "why") to have its test ignored
    A commit over a live entry MUST replace the whole snapshot and restart the entry's life from now.
    "#);
}

#[test]
fn misuse_fails_every_test() {
    let ended = run("too much", &["fixture::"], &[]);
    let none = "test result: FAILED. 0 passed";
    assert!(ended.output.contains(none), "{}", ended.output);
    let (text, _) = ended.panic();
    assert!(text.starts_with("depth 8 is beyond"), "{text}");
}
