//! What takes the place of a long program, for a store that goes by the calls that it has had.

use super::*;
use crate::clause::Clause;
use crate::clock::ManualClock;
use crate::conformance::check::settings::Settings;
use crate::conformance::judge::failure::Failure;
use crate::conformance::program::Program;
use crate::conformance::subject::profile::Profile;
use crate::conformance::{Factory, Outcome};
use crate::memstore::MemStore;
use crate::model::Reply;
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Finds nothing where its calls so far are these, a letter for each.
struct Counting {
    store: MemStore<ManualClock>,
    calls: Mutex<String>,
    is_lost: fn(&str) -> bool,
}

impl Counting {
    fn call(&self, letter: char) -> bool {
        let mut calls = self.calls.lock().unwrap();
        calls.push(letter);
        (self.is_lost)(&calls)
    }
}

impl Store for Counting {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        match self.call('p') {
            true => Ok(None),
            false => self.store.prepare(id).await,
        }
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.call('c');
        self.store.commit(snapshot, ttl).await
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.call('d');
        self.store.drop(id).await
    }
}

const LONG: &str = "commit A v1 ttl 1s; prepare A; prepare A; drop B; drop B; drop B; prepare A";

/// The calls of `LONG`.
const CALLS: &str = "cppdddp";

/// What is left of what was known, at a depth of five operations.
fn shortened(
    is_lost: fn(&str) -> bool,
    known: &[(Clause, &str)],
    change: impl Fn(&mut Run<'_>),
    profile: &Profile,
) -> Vec<(Clause, String)> {
    let subject = Arc::new(Factory(move |clock| Counting {
        store: MemStore::with_clock(clock),
        calls: Mutex::default(),
        is_lost,
    }));
    let (settings, so_far) = (Settings::default(), Mutex::default());
    let mut run = Run::new(&subject, &settings, profile, &so_far);
    run.report.violations = { known.iter() }
        .map(|(clause, program)| {
            let ops = program.parse::<Program>().unwrap().ops().to_vec();
            let failure = Failure::of_last(&ops, Outcome::Replied(Reply::Nothing));
            Violation {
                clause: *clause,
                ..violation(Failing { ops, failure }, "random", 1, None)
            }
        })
        .collect();
    change(&mut run);
    run.budget.depth = 5;
    run.shorten();
    let left = run.report.violations.iter();
    left.map(|it| (it.clause, it.program.to_string())).collect()
}

fn left(is_lost: fn(&str) -> bool, known: &[(Clause, &str)]) -> Vec<(Clause, String)> {
    shortened(is_lost, known, |_| {}, &Profile::default())
}

fn as_it_was(known: &[(Clause, &str)]) -> Vec<(Clause, String)> {
    let known = known.iter();
    known
        .map(|(clause, ops)| (*clause, format!("s1: {ops}")))
        .collect()
}

const BY_DROP: &str = "commit A v1 ttl 1s; drop B; prepare A";
const BY_PREPARE: &str = "commit A v1 ttl 1s; prepare A; prepare A";

#[test]
fn a_shorter_program_takes_the_place_of_a_long_one() {
    let shorter = as_it_was(&[(Clause::Drp4, BY_DROP)]);
    let is_lost = |calls: &str| calls == CALLS || calls == "cdp";
    assert_eq!(left(is_lost, &[(Clause::Drp4, LONG)]), shorter);
    assert_eq!(
        left(|calls| calls == CALLS, &[(Clause::Drp4, LONG)]),
        as_it_was(&[(Clause::Drp4, LONG)])
    );
}

#[test]
fn it_may_show_another_clause_if_no_other_program_does_and_it_was_asked_for() {
    let is_lost = |calls: &str| calls == CALLS || calls == "cpp";
    let by_prepare = (Clause::Pre4, BY_PREPARE);
    assert_eq!(
        left(is_lost, &[(Clause::Drp4, LONG)]),
        as_it_was(&[by_prepare])
    );
    let both = [by_prepare, (Clause::Drp4, LONG)];
    assert_eq!(left(is_lost, &both), as_it_was(&both));
    let unclaimed = Profile::default().unclaimed(Clause::Pre4, "it counts");
    let known = [(Clause::Drp4, LONG)];
    assert_eq!(
        shortened(is_lost, &known, |_| {}, &unclaimed),
        as_it_was(&known)
    );
}

/// But not for ever.
#[test]
fn what_shows_a_known_clause_is_passed_over() {
    let known = [(Clause::Pre4, BY_PREPARE), (Clause::Drp4, LONG)];
    let is_lost = |calls: &str| [CALLS, "cpp", "cdddp"].contains(&calls);
    let by_drops = "commit A v1 ttl 1s; drop B; drop B; drop B; prepare A";
    let shorter = [(Clause::Pre4, BY_PREPARE), (Clause::Drp4, by_drops)];
    assert_eq!(left(is_lost, &known), as_it_was(&shorter));
    // Of two that would do, it is the shorter one.
    let known_alone = [(Clause::Drp4, LONG)];
    let shorter = [(Clause::Pre4, BY_PREPARE)];
    assert_eq!(left(is_lost, &known_alone), as_it_was(&shorter));
    let is_lost_often = |calls: &str| {
        let is_short = calls.len() < 6 && calls.starts_with('c') && calls.ends_with("pp");
        is_short || [CALLS, "cpdddp"].contains(&calls)
    };
    assert_eq!(left(is_lost_often, &known), as_it_was(&known));
}

#[test]
fn what_no_program_can_take_the_place_of_is_left_alone() {
    let is_lost = |calls: &str| calls == CALLS || calls == "cdp";
    let plain = Profile::default();
    let known = [(Clause::Drp4, LONG)];
    let unless = |change: fn(&mut Run<'_>)| shortened(is_lost, &known, change, &plain);
    let by_chance = unless(|run| run.is_flaky = true);
    assert_eq!(by_chance, as_it_was(&known));
    let history = unless(|run| run.report.violations[0].history = Some(String::new()));
    assert_eq!(history, as_it_was(&known));
    let coarse = Profile::default().resolution(Duration::from_millis(1));
    assert_eq!(
        shortened(is_lost, &known, |_| {}, &coarse),
        as_it_was(&known)
    );
    let restarted = format!("restart; {LONG}");
    let known = [(Clause::Drp4, &*restarted)];
    assert_eq!(left(is_lost, &known), as_it_was(&known));
    // All of its length have been run, but for the last call.
    let just_longer = "commit A v1 ttl 1s; prepare A; drop B; drop B; drop B; prepare A";
    let known = [(Clause::Drp4, just_longer)];
    assert_eq!(
        left(|calls| ["cpdddp", "cdp"].contains(&calls), &known),
        as_it_was(&known)
    );
}
