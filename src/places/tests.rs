//! Where a call comes to places, and where it does not.

use super::*;
use crate::{Clock as _, Data, ManualClock, Snapshot, SystemClock};
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;

fn visited(work: impl FnOnce()) -> Vec<Place> {
    let places = Rc::<RefCell<Vec<Place>>>::default();
    let seen = Rc::clone(&places);
    visiting(move |place| seen.borrow_mut().push(place), work);
    places.take()
}

fn snapshot() -> Snapshot {
    Snapshot::new("a", "b", None, Data::default())
}

#[test]
fn every_place_is_come_to_in_a_call_and_nowhere_else() {
    use Place::{Clock, Clone, Compare, Decode, Encode, Id, Release, Return};
    let all = || {
        let snapshot = snapshot();
        let other = snapshot.clone();
        let _ = snapshot.id();
        let _ = snapshot == other;
        drop(other);
        let bytes = snapshot.encode();
        drop(Snapshot::decode("a", &bytes));
        ManualClock::new().now();
        SystemClock::new().now();
    };
    let places = [
        Clone, Id, Compare, Release, Encode, Decode, Release, Clock, Clock, Release,
    ];
    assert_eq!(visited(|| in_call(all)), places);
    assert_eq!(visited(all), []);
    assert_eq!(visited(returned), [Return]);
}

#[test]
fn what_is_done_at_a_place_has_none() {
    let times = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&times);
    let visit = move |_| {
        *seen.borrow_mut() += 1;
        drop(snapshot().clone());
    };
    visiting(visit, || in_call(|| drop(snapshot())));
    assert_eq!(times.take(), 1);
}

#[test]
fn nothing_is_held_up_that_unwinds() {
    let held = snapshot();
    let panics = || {
        let _held = held;
        panic::resume_unwind(Box::new(()));
    };
    let places = visited(|| {
        in_call(|| {
            let _ = panic::catch_unwind(AssertUnwindSafe(panics));
        });
    });
    assert_eq!(places, []);
}
