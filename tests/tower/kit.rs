//! The kit against the bridge: over right stores it must find nothing, whatever their manner.

use super::shelf::{Manner, Shelf};
use proptest::prelude::*;
use session_spec::conformance::{Program, Verdict, check, programs};
use session_spec::{AsSessionStore, ManualClock, MemStore, Op, Store, TowerStore};

fn over_shelf(manner: Manner) -> impl Fn(ManualClock) -> TowerStore<Shelf, ManualClock> {
    move |clock| TowerStore::with_clock(Shelf::new(clock.clone(), manner), clock)
}

/// Both directions, one behind the other.
fn there_and_back(clock: ManualClock) -> impl Store {
    let ours = MemStore::with_clock(clock.clone());
    TowerStore::with_clock(AsSessionStore::with_clock(ours, clock.clone()), clock)
}

fn finds_nothing<S: Store + 'static>(make: impl Fn(ManualClock) -> S + Send + Sync + 'static) {
    let report = check(make).depth(3).sequences(0).run();
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.searches[0].programs > 3_000, "{report}");
}

#[test]
fn a_store_that_upserts_keeps_every_clause() {
    finds_nothing(over_shelf(Manner::Upsert));
}

#[test]
fn a_store_that_only_updates_keeps_every_clause() {
    finds_nothing(over_shelf(Manner::UpdateOnly));
}

#[test]
fn a_store_whose_create_fails_keeps_every_clause() {
    finds_nothing(over_shelf(Manner::CreateFails));
}

#[test]
fn there_and_back_keeps_every_clause() {
    finds_nothing(there_and_back);
}

/// Whether the clock stays within the years that the bridge has dates for.
fn is_before_the_horizon(program: &Program) -> bool {
    let year = 365 * 86_400 * 1_000_000_000;
    let advances = program.ops().iter().map(|op| match op {
        Op::Advance { by } => *by,
        _ => 0,
    });
    advances.fold(0, i128::saturating_add) < 7_900 * year
}

fn conforms<S: Store + 'static>(
    make: impl Fn(ManualClock) -> S + Send + Sync + 'static,
    program: &Program,
) -> Result<(), TestCaseError> {
    let report = check(make).replay(&program.to_string()).run();
    prop_assert!(report.verdict == Verdict::Conforms, "{report}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_find_nothing(
        program in programs(30).prop_filter("beyond the horizon", is_before_the_horizon)
    ) {
        for manner in [Manner::Upsert, Manner::UpdateOnly, Manner::CreateFails] {
            conforms(over_shelf(manner), &program)?;
        }
        conforms(there_and_back, &program)?;
    }
}
