//! Panics: caught, and silent on the threads of the kit, since they are findings.

use super::watch;
use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
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
            }
        }));
    });
    OURS.set(true);
}

/// Runs `work` with panics silent for its time.
pub(crate) fn silently<T>(work: impl FnOnce() -> T) -> T {
    let before = OURS.get();
    silence_panics_here();
    let result = work();
    OURS.set(before);
    result
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
