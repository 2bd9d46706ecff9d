//! Pause: holds a thread at a reading of a manual clock.
//!
//! Between two instructions of a store, that is the one place where a test can let another thread come
//! between: noise, as tools that look for races call it, put where stores often look before they act.

use std::cell::{Cell, RefCell};

type Pause = Box<dyn FnOnce()>;

thread_local! {
    /// The readings of this thread up to the one that pauses, with that one; 0 if none does.
    static READINGS: Cell<u32> = const { Cell::new(0) };
    static PAUSE: RefCell<Option<Pause>> = const { RefCell::new(None) };
}

/// Does `work`, in which the reading with this number, from 1, returns no sooner than `pause` does.
pub(crate) fn at_reading<T>(
    number: u32,
    pause: impl FnOnce() + 'static,
    work: impl FnOnce() -> T,
) -> T {
    PAUSE.set(Some(Box::new(pause)));
    READINGS.set(number);
    let done = work();
    READINGS.set(0);
    PAUSE.set(None);
    done
}

/// What every reading does.
pub(super) fn here() {
    let left = READINGS.get();
    if left == 0 {
        return;
    }
    READINGS.set(left - 1);
    if left == 1
        && let Some(pause) = PAUSE.take()
    {
        pause();
    }
}
