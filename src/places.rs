//! Places: where code of this crate runs inside a store's call, so that a test can hold a thread there.
//!
//! Between two instructions of a store, those are the places where a test can let another thread come
//! between: noise, as tools that look for races call it, put where stores often look before they act. Without
//! the feature `conformance`, and under loom, nothing happens there.

/// A place inside a call at which code of this crate runs, or just behind the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "conformance"),
    expect(dead_code, reason = "only a test holds anybody")
)]
pub(crate) enum Place {
    /// A reading of a clock of this crate.
    Clock,
    /// A snapshot is cloned.
    Clone,
    /// A snapshot is asked for its id.
    Id,
    /// Two snapshots are compared.
    Compare,
    /// A snapshot is encoded.
    Encode,
    /// A snapshot is decoded.
    Decode,
    /// A snapshot is dropped.
    Release,
    /// The call has returned.
    Return,
}

#[cfg(feature = "conformance")]
impl Place {
    pub(crate) const ALL: [Self; 8] = [
        Self::Clock,
        Self::Clone,
        Self::Id,
        Self::Compare,
        Self::Encode,
        Self::Decode,
        Self::Release,
        Self::Return,
    ];
}

#[cfg(feature = "conformance")]
pub(crate) use watched::*;

#[cfg(not(feature = "conformance"))]
#[inline]
pub(crate) fn here(_: Place) {}

#[cfg(feature = "conformance")]
mod watched {
    use super::Place;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use std::thread;

    type Visit = Rc<dyn Fn(Place)>;

    thread_local! {
        /// Whether this thread is in a call, and somebody wants to know where.
        static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
        static VISIT: RefCell<Option<Visit>> = const { RefCell::new(None) };
    }

    /// What every place does.
    #[inline]
    pub(crate) fn here(place: Place) {
        if !cfg!(session_spec_loom) && IS_WATCHED.get() {
            come_to(place);
        }
    }

    /// Does `work`, and `visit` at each place that this thread comes to in a call of it.
    pub(crate) fn visiting<T>(visit: impl Fn(Place) + 'static, work: impl FnOnce() -> T) -> T {
        let before = VISIT.replace(Some(Rc::new(visit)));
        let done = work();
        VISIT.set(before);
        done
    }

    /// Does `call`, a part of a call to a store: only there it comes to places. It must not panic.
    pub(crate) fn in_call<T>(call: impl FnOnce() -> T) -> T {
        IS_WATCHED.set(VISIT.with_borrow(Option::is_some));
        let done = call();
        IS_WATCHED.set(false);
        done
    }

    /// A call has returned.
    pub(crate) fn returned() {
        come_to(Place::Return);
    }

    /// A store that panics, or whose thread ends, is not held up.
    #[cold]
    fn come_to(place: Place) {
        let visit = VISIT.try_with(|visit| visit.borrow().clone());
        let Some(visit) = visit.ok().flatten().filter(|_| !thread::panicking()) else {
            return;
        };
        // What the kit does there has no places.
        let was_watched = IS_WATCHED.replace(false);
        visit(place);
        IS_WATCHED.set(was_watched);
    }
}

#[cfg(all(test, feature = "conformance", not(session_spec_loom)))]
mod tests;
