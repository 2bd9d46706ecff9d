//! Watch: the calls under way, so that one that never returns is noticed.
//!
//! Nothing can end a thread that hangs in a call, whether it spins, waits for a lock or for a waker.
//! So a check runs on threads of its own, which are left behind when one of them hangs.

use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::Program;
use crate::model::Op;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The threads of one check.
#[derive(Default)]
pub(crate) struct Watch {
    beats: Mutex<Vec<Arc<Beat>>>,
    /// Threads that the kit holds inside a call, which others may have to wait for.
    held: AtomicU64,
    stop: AtomicBool,
    /// Why the check cannot go on: code of the user's, which is none of the store's, failed.
    misuse: Mutex<Option<String>>,
}

/// What one thread is doing.
#[derive(Default)]
struct Beat {
    /// Calls that it has begun, and those that have returned to it.
    begun: AtomicU64,
    returned: AtomicU64,
    /// The program under way, in a form that is cheap to note.
    packed: AtomicU64,
    program: Mutex<Option<Arc<dyn Running>>>,
}

/// A program under way.
pub(crate) trait Running: Send + Sync {
    /// The program, of several the one with this number; with the schedule so far.
    fn program(&self, packed: u64) -> Program;
}

impl Running for Vec<Op> {
    fn program(&self, _: u64) -> Program {
        self.clone().into()
    }
}

/// A thread, and who watches it.
struct Here {
    watch: Arc<Watch>,
    beat: Arc<Beat>,
}

impl Drop for Here {
    fn drop(&mut self) {
        // A check has thousands of threads one after another, and programs can be long.
        *lock(&self.beat.program) = None;
    }
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Why its check cannot go on, if it cannot.
    pub(crate) fn misuse(&self) -> Option<String> {
        lock(&self.misuse).clone()
    }

    /// Has this thread watched from here on.
    pub(crate) fn enter(self: &Arc<Self>) {
        let beat = Arc::<Beat>::default();
        lock(&self.beats).push(Arc::clone(&beat));
        let watch = Arc::clone(self);
        HERE.set(Some(Here { watch, beat }));
    }

    /// The watch over this thread.
    pub(crate) fn here() -> Option<Arc<Self>> {
        HERE.with_borrow(|here| here.as_ref().map(|here| Arc::clone(&here.watch)))
    }

    /// Tells the threads that nobody waits for them any more.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Ends the check of this thread for a reason that is not the store's.
pub(crate) fn misused(reason: String) {
    let Some(watch) = Watch::here() else {
        panic!("{reason}");
    };
    lock(&watch.misuse).get_or_insert(reason);
    watch.stop();
}

/// The same, where there is a check; elsewhere somebody else tells.
pub(crate) fn misused_if_watched(reason: String) {
    if Watch::here().is_some() {
        misused(reason);
    }
}

/// Why the check of this thread cannot go on, if it cannot.
pub(crate) fn misuse() -> Option<String> {
    Watch::here()?.misuse()
}

/// Whether this thread's check has ended without it.
pub(crate) fn is_stopped() -> bool {
    HERE.with_borrow(|here| {
        let stop = |here: &Here| here.watch.stop.load(Ordering::Relaxed);
        here.as_ref().is_some_and(stop)
    })
}

/// Notes that this thread goes on to run this.
pub(crate) fn running(program: Arc<dyn Running>) {
    with_beat(|beat| *lock(&beat.program) = Some(program));
}

/// Notes which of several programs.
pub(crate) fn packed(number: u64) {
    with_beat(|beat| beat.packed.store(number, Ordering::Relaxed));
}

/// Notes that a call begins on this thread.
pub(crate) fn call_begins() {
    with_beat(|beat| add_one(&beat.begun));
}

/// Notes that a call has returned, or was cancelled.
pub(crate) fn call_returned() {
    with_beat(|beat| add_one(&beat.returned));
}

/// Notes that the kit itself keeps the calls waiting that are under way on this thread.
pub(crate) fn waits() {
    with_beat(|beat| {
        add_one(&beat.begun);
        add_one(&beat.returned);
    });
}

/// Has this thread held in a call for as long as `wait` takes.
pub(crate) fn held(wait: impl FnOnce()) {
    let Some(watch) = Watch::here() else {
        return wait();
    };
    watch.held.fetch_add(1, Ordering::SeqCst);
    wait();
    watch.held.fetch_sub(1, Ordering::SeqCst);
}

/// Notes that no call is under way on this thread.
pub(crate) fn all_returned() {
    with_beat(|beat| {
        let begun = beat.begun.load(Ordering::Relaxed);
        beat.returned.store(begun, Ordering::Relaxed);
    });
}

/// To a counter that nobody else writes.
fn add_one(counter: &AtomicU64) {
    let count = counter.load(Ordering::Relaxed);
    counter.store(count + 1, Ordering::Relaxed);
}

fn with_beat(note: impl FnOnce(&Beat)) {
    HERE.with_borrow(|here| {
        if let Some(here) = here {
            note(&here.beat);
        }
    });
}

/// Looks at the threads of a check now and then.
///
/// When it comes late itself, the machine stood still or was busy with others, and so it may have been
/// for the call: of such a time no more counts than twice what lies between two looks.
pub(crate) struct Watcher {
    watch: Arc<Watch>,
    clock: SystemClock,
    /// How long it waits between two looks.
    look: Duration,
    /// When it looked last.
    last: Duration,
    /// The time that counts.
    passed: Duration,
    /// How many calls each thread had begun and seen return, and since when it is so.
    seen: Vec<((u64, u64), Duration)>,
}

impl Watcher {
    pub(crate) fn new(watch: Arc<Watch>, look: Duration) -> Self {
        Self {
            watch,
            clock: SystemClock::new(),
            look,
            last: Duration::ZERO,
            passed: Duration::ZERO,
            seen: Vec::new(),
        }
    }

    /// The program of a thread that has been in one call for as long as `patience`.
    pub(crate) fn hung(&mut self, patience: Duration) -> Option<Program> {
        self.hung_at(self.clock.now(), patience)
    }

    fn hung_at(&mut self, looked: Duration, patience: Duration) -> Option<Program> {
        self.passed += looked.saturating_sub(self.last).min(2 * self.look);
        self.last = looked;
        let now = self.passed;
        let is_held = self.watch.held.load(Ordering::SeqCst) > 0;
        let beats = lock(&self.watch.beats);
        self.seen.resize(beats.len(), ((0, 0), now));
        beats.iter().zip(&mut self.seen).find_map(|(beat, seen)| {
            let returned = beat.returned.load(Ordering::Relaxed);
            let begun = beat.begun.load(Ordering::Relaxed);
            if is_held || (begun, returned) != seen.0 {
                *seen = ((begun, returned), now);
            }
            let is_hung = begun > returned && now.saturating_sub(seen.1) >= patience;
            let program = lock(&beat.program).clone().filter(|_| is_hung)?;
            Some(program.program(beat.packed.load(Ordering::Relaxed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_call_that_does_not_return_hangs_and_not_when_the_watcher_itself_came_late() {
        thread::spawn(|| {
            let watch = Arc::<Watch>::default();
            watch.enter();
            running(Arc::new(vec![Op::Restart]));
            let mut watcher = Watcher::new(watch, SECOND);
            let mut hangs_at = |second: u32| watcher.hung_at(second * SECOND, 5 * SECOND).is_some();
            call_begins();
            assert!(!(1..=5).any(&mut hangs_at));
            call_returned();
            call_begins();
            assert!(!(6..=10).any(&mut hangs_at));
            assert!(hangs_at(11), "since the sixth second");
            call_returned();
            assert!(!hangs_at(12));
            call_begins();
            assert!(!hangs_at(13));
            assert!(!hangs_at(1_000), "two seconds of these count");
            assert!(!(1_001..=1_002).any(&mut hangs_at));
            assert!(hangs_at(1_003));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn no_call_hangs_while_the_kit_keeps_it_waiting() {
        thread::spawn(|| {
            let watch = Arc::<Watch>::default();
            watch.enter();
            running(Arc::new(vec![Op::Restart]));
            call_begins();
            let mut watcher = Watcher::new(watch, SECOND);
            let mut hangs_at = |second: u32| watcher.hung_at(second * SECOND, 5 * SECOND).is_some();
            held(|| assert!(!(1..=20).any(&mut hangs_at)));
            for second in 21..40 {
                waits();
                assert!(!hangs_at(second));
            }
            assert!(!(40..=43).any(&mut hangs_at));
            assert!(hangs_at(44), "since the 39th second");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_thread_that_has_ended_keeps_no_program() {
        let watch = Arc::<Watch>::default();
        let program = Arc::new(Vec::<Op>::new());
        let ran = thread::spawn({
            let (watch, program) = (Arc::clone(&watch), Arc::clone(&program));
            move || {
                watch.enter();
                running(program);
                assert!(
                    lock(&watch.beats)
                        .iter()
                        .all(|beat| lock(&beat.program).is_some())
                );
            }
        });
        ran.join().unwrap();
        assert_eq!(Arc::strong_count(&program), 1);
    }
}
