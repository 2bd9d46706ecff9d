//! Signal: threads that wait for one another.
//!
//! Whoever waits spins for as long as another core may be about to end it, then sleeps: on a machine that is
//! busy with others, one that slept has its turn sooner than one that never stopped asking.

use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Some tens of microseconds.
const TURNS: u32 = 200;

/// Nobody sleeps for longer without a look: nothing rests on it.
const NAP: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(super) struct Signal {
    sleepers: AtomicUsize,
    door: Mutex<()>,
    changed: Condvar,
}

impl Signal {
    /// Says that what somebody waits for may have changed.
    pub(super) fn give(&self) {
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let _door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
            self.changed.notify_all();
        }
    }

    /// Waits until it is so. What it reads is written with `SeqCst`.
    pub(super) fn wait_until(&self, is_so: impl Fn() -> bool) {
        while !self.wait_for(NAP, TURNS, &is_so) {}
    }

    /// Spins for so many turns until it is so, and sleeps for so long; says whether it is.
    pub(super) fn wait_for(&self, nap: Duration, turns: u32, is_so: impl Fn() -> bool) -> bool {
        for _ in 0..turns {
            if is_so() {
                return true;
            }
            hint::spin_loop();
        }
        let door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        // Whoever changes it after this look sees that somebody sleeps.
        if !is_so() {
            drop(self.changed.wait_timeout(door, nap));
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        is_so()
    }
}
