//! `MemStore` and its clock in every order in which a few calls can meet (CON-1).
//!
//! Empty but under `--cfg session_spec_loom`, where loom runs each plan once for every order of its
//! steps that can make a difference.
#![cfg(session_spec_loom)]

mod atomic;
mod explore;
mod history;
mod plan;
mod racy;

use explore::{Subject, explore};
use history::History;
use plan::{Act, Plan};
use racy::{Flaw, Racy};
use session_spec::{Clock, ManualClock, MemStore};
use std::time::Duration;

const ONE_ID: [Act; 5] = [
    Act::Prepare("A"),
    Act::Drop("A"),
    Act::Commit("A", 1),
    Act::Commit("A", 2),
    Act::Advance,
];

/// What a commit of A frees, and others use: B.
const TWO_IDS: [Act; 5] = [
    Act::Prepare("B"),
    Act::Drop("B"),
    Act::Commit("A", 2),
    Act::Commit("B", 1),
    Act::Advance,
];

impl Subject for MemStore<ManualClock> {
    fn held(&self) -> usize {
        self.len()
    }
}

/// `MemStore` shows in these plans what a store shows whose every call takes effect at one instant, by
/// the time of that instant: nothing else, and all of that, so no order has been left out. The kit's
/// own judge explains all of it too.
fn judge(plans: Vec<Plan>, begun: Duration) {
    for plan in plans {
        let seen = explore(&plan, move |clock| {
            clock.advance(begun);
            MemStore::with_clock(clock)
        });
        let possible = atomic::histories(&plan);
        if let Some(wrong) = seen.difference(&possible).next() {
            panic!("no order explains this:\n{wrong}");
        }
        if let Some(missing) = possible.difference(&seen).next() {
            panic!("this was not tried:\n{missing}");
        }
        if let Some(accused) = seen.iter().find(|history| history.breaks_con_1()) {
            panic!("the kit finds no order that explains this:\n{accused}");
        }
    }
}

#[test]
fn con_1_memstore_under_two_clients_on_one_id() {
    judge(Plan::all(&ONE_ID, &[2, 2]), Duration::ZERO);
}

#[test]
fn con_1_memstore_under_two_clients_on_two_ids() {
    judge(Plan::all(&TWO_IDS, &[2, 2]), Duration::ZERO);
}

/// Every call beside every other while the clock is moved.
fn beside_an_advance(alphabet: &[Act]) -> Vec<Plan> {
    let calls: Vec<_> = alphabet
        .iter()
        .copied()
        .filter(|act| *act != Act::Advance)
        .collect();
    let plans = Plan::all(&calls, &[1, 1]).into_iter();
    plans.map(|plan| plan.beside(&[Act::Advance])).collect()
}

#[test]
fn con_1_memstore_under_three_clients_on_one_id() {
    judge(beside_an_advance(&ONE_ID), Duration::ZERO);
}

#[test]
fn con_1_memstore_under_three_clients_on_two_ids() {
    judge(beside_an_advance(&TWO_IDS), Duration::ZERO);
}

/// There the clock takes a lock of its own, under the store's.
#[test]
fn con_1_memstore_while_its_clock_outgrows_64_bits() {
    let plan = |acts: [Act; 2]| Plan::new(&[&[Act::Advance, Act::Advance], &acts]);
    let commit = Act::Commit("A", 1);
    let plans = vec![plan([commit, Act::Prepare("A")]), plan([commit, commit])];
    judge(plans, Duration::from_nanos(u64::MAX - 2));
}

#[test]
fn a_manual_clock_that_two_clients_move_does_not_run_backwards() {
    loom::model(|| {
        let clock = ManualClock::new();
        clock.advance(Duration::from_nanos(u64::MAX - 2));
        let tick = Duration::from_nanos(1);
        let movers = [clock.clone(), clock.clone()].map(|clock| {
            loom::thread::spawn(move || {
                clock.advance(tick);
                clock.now()
            })
        });
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second, "{first:?}, then {second:?}");
        let least = Duration::from_nanos(u64::MAX - 1);
        let end = least + tick;
        for seen in movers.map(|mover| mover.join().unwrap()) {
            assert!((least..=end).contains(&seen), "{seen:?} after an advance");
        }
        assert_eq!(clock.now(), end);
    });
}

/// A plan that shows the flaw, and is among those above or begins one of them.
fn plan(flaw: Flaw) -> Plan {
    let clients: [&[Act]; 2] = match flaw {
        Flaw::FreesAfterLooking => [&[Act::Advance, Act::Prepare("A")], &[Act::Commit("A", 2)]],
        Flaw::SweepsAfterLooking => [&[Act::Advance, Act::Commit("A", 2)], &[Act::Commit("B", 1)]],
        Flaw::ReplacesInTwo => [&[Act::Commit("A", 2)], &[Act::Prepare("A")]],
        Flaw::RefillsCache => [&[Act::Prepare("A")], &[Act::Drop("A")]],
        Flaw::ReadsClockFirst => [&[Act::Commit("A", 1)], &[Act::Advance, Act::Commit("A", 2)]],
    };
    Plan::new(&clients)
}

/// Whether some interleaving of the plan shows what no store with atomic calls does, and what breaks
/// CON-1.
fn caught(flaw: Flaw, plan: &Plan) -> (bool, bool) {
    let seen = explore(plan, move |clock| Racy::new(flaw, clock));
    let is_wrong = !seen.is_subset(&atomic::histories(plan));
    (is_wrong, seen.iter().any(History::breaks_con_1))
}

#[test]
fn con_1_a_prepare_that_frees_after_looking_is_caught() {
    let flaw = Flaw::FreesAfterLooking;
    assert_eq!(caught(flaw, &plan(flaw)), (true, true));
}

#[test]
fn con_1_a_commit_that_sweeps_after_looking_is_caught() {
    let flaw = Flaw::SweepsAfterLooking;
    assert_eq!(caught(flaw, &plan(flaw)), (true, true));
}

#[test]
fn con_1_a_commit_that_replaces_in_two_is_caught() {
    let flaw = Flaw::ReplacesInTwo;
    assert_eq!(caught(flaw, &plan(flaw)), (true, true));
}

#[test]
fn con_1_a_cache_refilled_after_a_drop_is_caught() {
    let flaw = Flaw::RefillsCache;
    assert_eq!(caught(flaw, &plan(flaw)), (true, true));
}

/// The time that a call goes by need not be that at which it takes effect. `MemStore` is stricter.
#[test]
fn con_1_a_clock_read_before_the_lock_is_seen_and_is_right() {
    let flaw = Flaw::ReadsClockFirst;
    assert_eq!(caught(flaw, &plan(flaw)), (true, false));
}

#[test]
fn con_1_a_store_without_a_flaw_is_right_where_others_are_caught() {
    for shown in [
        Flaw::FreesAfterLooking,
        Flaw::SweepsAfterLooking,
        Flaw::ReplacesInTwo,
        Flaw::RefillsCache,
    ] {
        let (_, breaks_con_1) = caught(Flaw::ReadsClockFirst, &plan(shown));
        assert!(!breaks_con_1, "{shown:?}");
    }
}
