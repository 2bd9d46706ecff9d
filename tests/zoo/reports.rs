//! Reports: every kind of thing that a report says, as people read it.

use crate::animal::{Animal, Cage, RIGHT};
use crate::checked;
use crate::right;
use crate::wrong::wrong;
use session_spec::conformance::{Check, Profile, Report, Subject, check};
use session_spec::{Clause, ManualClock, MemStore, Snapshot, Store, StoreError};
use std::future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn named(name: &str) -> Animal {
    let found = wrong().find(|animal| animal.name == name);
    *found.unwrap_or_else(|| panic!("no animal {name}"))
}

/// What is said of every clause that the store breaks, and the verdict.
fn violations(check: &Check<impl Subject>) -> String {
    conclusions(&check.run(), |report| {
        report.violations.iter().map(ToString::to_string).collect()
    })
}

/// What is noted, and the verdict.
fn notes(check: &Check<impl Subject>) -> String {
    conclusions(&check.run(), |report| report.notes.clone())
}

fn conclusions(report: &Report, parts: fn(&Report) -> Vec<String>) -> String {
    let text = report.to_string();
    let verdict = text.lines().last().map(ToOwned::to_owned);
    parts(report)
        .into_iter()
        .chain(verdict)
        .collect::<Vec<_>>()
        .join("\n")
}

/// By the exhaustive search and a few random programs.
fn of_one_client(animal: Animal) -> Check<impl Subject> {
    checked(animal).depth(4).sequences(500).clients(1)
}

macro_rules! reads_well {
    ($($test:ident: $check:expr,)*) => {$(
        #[test]
        fn $test() {
            insta::assert_snapshot!(violations(&$check));
        }
    )*};
}

reads_well! {
    a_deadline_that_is_missed_by_a_nanosecond: of_one_client(named("live at the deadline")),
    ids_that_are_taken_for_one_another: of_one_client(named("folds case")),
    a_value_that_is_changed: of_one_client(named("numeric strings become numbers")),
    a_refused_commit_that_does_something:
        of_one_client(named("refused commit removes the entry")),
    a_refusal_that_is_missing: of_one_client(named("takes the empty id")),
    a_drop_that_touches_another: of_one_client(named("drop takes all but for case")),
    a_ttl_that_is_too_long_for_the_store: of_one_client(named("seconds in 32 bits")),
    an_error_that_should_be_nothing: of_one_client(named("unknown id is an error")),
    a_panic: of_one_client(named("panics at the second drop")),
    a_hang: check(|clock| Stuck(MemStore::with_clock(clock)))
        .depth(2)
        .sequences(0)
        .patience(Duration::from_secs(2))
        .seed(1),
    two_defects_at_once: check(|clock| Twice(Cage::new(named("live at the deadline"), clock)))
        .depth(4)
        .sequences(200)
        .seed(1)
        .clients(1)
        .isolate(false),
    what_does_not_fail_again: {
        let once = AtomicBool::new(true);
        check(move |clock| Once {
            store: MemStore::with_clock(clock),
            fails: once.swap(false, Ordering::Relaxed),
        })
        .replay("s1: commit A v1 ttl 1s; prepare A")
        .seed(1)
        .isolate(false)
    },
    a_coarse_clock_that_rounds_down: {
        let cut = named("whole seconds, rounded down");
        of_one_client(cut).profile(Profile::default().resolution(Duration::from_secs(1)))
    },
    a_replay_of_a_right_store:
        checked(RIGHT).replay("s1: commit A v1 ttl 1s; advance 1s; prepare A"),
}

/// It never returns from a drop of what is there.
struct Stuck(MemStore<ManualClock>);

impl Store for Stuck {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        if self.0.prepare(id).await?.is_some() {
            future::pending::<()>().await;
        }
        Store::drop(&self.0, id).await
    }
}

/// A wrong store, and its drops do nothing as well.
struct Twice(Cage);

impl Store for Twice {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.0.prepare(id).await
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.0.commit(snapshot, ttl).await
    }

    async fn drop(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Loses what it has, one time.
struct Once {
    store: MemStore<ManualClock>,
    fails: bool,
}

impl Store for Once {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        match self.fails {
            true => Ok(None),
            false => self.store.prepare(id).await,
        }
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        Store::drop(&self.store, id).await
    }
}

#[test]
fn what_is_not_claimed_is_said_with_the_reason() {
    let clauses = [Clause::Idn1, Clause::Pre1, Clause::Com5];
    let profile = clauses
        .into_iter()
        .fold(Profile::default(), |profile, clause| {
            profile.unclaimed(clause, "the column of ids ignores case")
        });
    let check = of_one_client(named("folds case")).profile(profile);
    insta::assert_snapshot!(notes(&check));
}

#[test]
fn the_verdict_names_the_profile() {
    let (odd, profile) = right::odd()
        .find(|(animal, _)| animal.name == "milliseconds, rounded up")
        .expect("it is in the zoo");
    let profile = profile.one_client().durable();
    insta::assert_snapshot!(notes(&of_one_client(odd).clients(4).profile(profile)));
}

#[test]
fn what_nothing_could_show_is_undecided() {
    let check = checked(RIGHT).depth(1).sequences(0);
    insta::assert_snapshot!(notes(&check));
}

#[test]
fn misuse_says_what_to_do() {
    let misused = [
        checked(RIGHT).only(Clause::Tok1),
        checked(RIGHT).depth(0).sequences(0),
        checked(RIGHT).depth(99),
        checked(RIGHT).replay("s1: commit A"),
        checked(RIGHT).replay("s1: commit nil ttl 1s"),
    ];
    let said: Vec<String> = misused
        .iter()
        .map(|check| check.run().to_string())
        .collect();
    insta::assert_snapshot!(said.join("\n\n"));
}
