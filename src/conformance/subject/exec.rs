//! Exec: calls into a store, on a tiny executor, with panics caught.

use super::any::AnyStore;
use super::watch;
use crate::clock::ManualClock;
use crate::model::{Nanos, Op, Reply};
use crate::store::{Store, StoreError};
use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// What came back from a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// One of the contract's replies.
    Replied(Reply),
    /// An error that is no refusal, with its text and those of its sources.
    Failed(String),
    /// The store panicked, with this message (ERR-1).
    Panicked(String),
    /// The call had not returned after this time (ERR-1).
    Hung(Duration),
    /// The process that ran the program ended in its midst, like this: a stack overflow, an abort
    /// (ERR-1).
    Died(String),
}

/// Runs `future` to its end on this thread.
///
/// Most stores under test never wait, so the first poll goes without a waker that could wake
/// anybody; a future may be polled again at any time.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    if let Poll::Ready(output) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        return output;
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Takes `op`, which is no restart, to the store or to the clock.
///
/// `op` must be [`expressible`].
pub(crate) fn perform(store: &dyn AnyStore, clock: &ManualClock, op: &Op) -> Outcome {
    if let Op::Advance { by } = op {
        clock.advance(duration(*by).unwrap_or_default());
        return Outcome::Replied(Reply::Done);
    }
    store.call_here(op)
}

/// Takes `op`, which is neither an advance nor a restart, to the store.
///
/// `op` must be [`expressible`].
pub(crate) async fn call<S: Store>(store: &S, op: &Op) -> Outcome {
    let done = |result: Result<(), StoreError>| result.map(|()| Reply::Done);
    watch::call_begins();
    let reply = match op {
        Op::Prepare { id } => store.prepare(id).await.map(|found| match found {
            Some(snapshot) => Reply::Found(snapshot),
            None => Reply::Nothing,
        }),
        Op::Commit { snapshot, ttl } => match (snapshot, duration(*ttl)) {
            (Some(snapshot), Some(ttl)) => done(store.commit(snapshot, ttl).await),
            _ => unreachable!("callers keep to what is expressible"),
        },
        Op::Drop { id } => done(store.drop(id).await),
        Op::Advance { .. } | Op::Restart => unreachable!("callers keep to calls"),
    };
    watch::call_returned();
    match reply {
        Ok(reply) => Outcome::Replied(reply),
        Err(StoreError::Refused { constraint, .. }) => Outcome::Replied(Reply::Refused(constraint)),
        Err(error) => Outcome::Failed(with_sources(&error)),
    }
}

/// The last instant a [`ManualClock`] can show.
pub(crate) const CLOCK_END: Nanos = {
    let max = Duration::MAX;
    max.as_nanos().cast_signed()
};

/// Whether a Rust store can be handed this: it has no nil snapshot and no negative time to live.
pub(crate) fn expressible(op: &Op) -> bool {
    match op {
        Op::Commit { snapshot, ttl } => snapshot.is_some() && duration(*ttl).is_some(),
        _ => true,
    }
}

/// Model time as a `Duration`, where there is one.
pub(crate) fn duration(nanos: Nanos) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    // The short way for the times most programs have: 128-bit division is slow.
    if let Ok(nanos) = u64::try_from(nanos) {
        return Some(Duration::from_nanos(nanos));
    }
    let nanos = u128::try_from(nanos).ok()?;
    let seconds = u64::try_from(nanos / SECOND).ok()?;
    Some(Duration::new(seconds, (nanos % SECOND) as u32))
}

/// An error's text, with those of its sources.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}

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

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
