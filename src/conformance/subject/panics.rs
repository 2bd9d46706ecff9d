//! Panics: caught, and silent on the threads of the kit, since they are findings.

use super::watch;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic on this thread came from.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A panic of the kit's own, with its message and its place.
pub(crate) struct Fault(pub(crate) String);

impl Fault {
    /// Of what a thread of ours panicked with, on that thread.
    pub(crate) fn of(payload: Box<dyn Any + Send>) -> Self {
        match payload.downcast::<Self>() {
            Ok(fault) => *fault,
            Err(payload) => {
                let (message, place) = (message(&*payload), PLACE.take());
                Self(format!("{message} (at {place})"))
            }
        }
    }
}

/// Runs the kit's own `work`, which does not panic unless it is wrong: the panic goes on with its place.
pub(crate) fn with_place<T>(work: impl FnOnce() -> T) -> T {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| panic::resume_unwind(Box::new(Fault::of(payload))))
}

/// Makes panics on this thread silent from here on: they are findings, and reported as such.
///
/// The hook is installed once and passes every other thread's panics on.
pub(crate) fn silence_panics_here() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !OURS.try_with(Cell::get).unwrap_or(false) {
                before(info);
                return;
            }
            let place = info.location().map(ToString::to_string);
            let _ = PLACE.try_with(|last| last.replace(place.unwrap_or_default()));
        }));
    });
    OURS.set(true);
}

/// Runs `work` with panics silent for its time.
pub(crate) fn silently<T>(work: impl FnOnce() -> T) -> T {
    /// Also where `work` panics.
    struct Before(bool);

    impl Drop for Before {
        fn drop(&mut self) {
            OURS.set(self.0);
        }
    }

    let _before = Before(OURS.get());
    silence_panics_here();
    work()
}

/// What `call` returns, or the message it panicked with.
pub(crate) fn catching<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    let result = catching_one(call);
    watch::all_returned();
    result
}

/// The same where other calls on this thread may still be under way.
pub(crate) fn catching_one<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(|payload| message(&*payload))
}

/// What `make` makes; nothing where it panics, which ends the check: it is not for the store that it did
/// not make.
pub(crate) fn made<T>(make: impl FnOnce() -> T) -> Option<T> {
    let made = catching_one(make);
    made.map_err(|message| watch::misused(no_store_made(&message)))
        .ok()
}

/// What is said of a store that could not be made.
pub(crate) fn no_store_made(message: &str) -> String {
    format!(
        "there is no store to check: making one panicked: {message}\n(a store that needs a runtime or a \
         server is a `Subject`, whose `block_on` can enter the runtime)"
    )
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::subject::workers;

    #[test]
    fn a_panic_of_the_kit_has_its_place_whichever_thread_it_was_on() {
        let work = |number| assert!(number < 2, "no third");
        let run = panic::catch_unwind(|| workers::each(3, work));
        let Err(payload) = run else {
            panic!("it does not panic");
        };
        let Fault(told) = Fault::of(payload);
        assert!(told.starts_with("no third (at "), "{told}");
        assert!(told.contains("panics.rs:"), "{told}");
    }
}
