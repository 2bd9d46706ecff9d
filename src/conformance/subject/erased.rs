//! Type-erased: subjects and their stores with their types left behind.
//!
//! Whatever the type of a store, what searches, shrinks and judges is one and the same code: compiled
//! once, with this crate, and optimized as this crate is, also where a store's tests are not.

use super::profile::Profile;
use super::{Clockwork as _, Passing, Subject, calls, executor};
use crate::clock::ManualClock;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::duration;
use crate::model::{Op, Reply};
use crate::store::{BoxError, Store};
use std::any;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

/// A future that stays on its thread.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A store.
pub(crate) trait ErasedStore: Send + Sync {
    /// Takes `op` to the store: see [`calls::call`].
    fn call<'a>(&'a self, op: &'a Op) -> Boxed<'a, Outcome>;

    /// The same, to its end, on this thread.
    fn call_here(&self, op: &Op) -> Outcome;
}

impl<S: Store> ErasedStore for S {
    fn call<'a>(&'a self, op: &'a Op) -> Boxed<'a, Outcome> {
        Box::pin(calls::call(self, op))
    }

    fn call_here(&self, op: &Op) -> Outcome {
        executor::block_on(calls::call(self, op))
    }
}

/// Takes `op`, which is no restart, to the store or to the clock.
///
/// `op` must be [expressible](time::expressible).
pub(crate) fn perform(store: &dyn ErasedStore, clock: &ManualClock, op: &Op) -> Outcome {
    if let Op::Advance { by } = op {
        clock.advance(duration(*by).unwrap_or_default());
        return Outcome::Replied(Reply::Done);
    }
    store.call_here(op)
}

/// What makes stores on manual clocks.
pub(crate) type Make<'a> = dyn Fn(ManualClock) -> Box<dyn ErasedStore> + Sync + 'a;

/// Makes what `make` makes, and leaves its type behind.
pub(crate) fn boxing<S: Store + 'static>(
    make: impl Fn(ManualClock) -> S + Sync,
) -> impl Fn(ManualClock) -> Box<dyn ErasedStore> + Sync {
    move |clock| Box::new(make(clock))
}

/// A store, with what moves its time.
pub(crate) trait Instance: Send + Sync {
    fn store(&self) -> &dyn ErasedStore;

    /// Lets time pass: see [`Clockwork::advance`](crate::conformance::Clockwork::advance).
    fn advance(&self, by: Duration) -> Boxed<'_, Result<(), BoxError>>;

    /// See [`Subject::restart`].
    fn restart(self: Box<Self>) -> Boxed<'static, Fresh>;
}

/// A store that was made, or opened anew.
pub(crate) type Fresh = Result<Box<dyn Instance>, BoxError>;

struct Typed<S: Subject> {
    store: S::Store,
    clockwork: S::Clock,
    subject: Arc<S>,
}

impl<S: Subject> Typed<S> {
    fn boxed(subject: &Arc<S>, (store, clockwork): (S::Store, S::Clock)) -> Box<dyn Instance> {
        let subject = Arc::clone(subject);
        Box::new(Self {
            store,
            clockwork,
            subject,
        })
    }
}

impl<S: Subject> Instance for Typed<S> {
    fn store(&self) -> &dyn ErasedStore {
        &self.store
    }

    fn advance(&self, by: Duration) -> Boxed<'_, Result<(), BoxError>> {
        Box::pin(self.clockwork.advance(&self.store, by))
    }

    fn restart(self: Box<Self>) -> Boxed<'static, Fresh> {
        Box::pin(async {
            let Self {
                store,
                clockwork,
                subject,
            } = *self;
            let again = subject.restart(store, clockwork).await?;
            Ok(Self::boxed(&subject, again))
        })
    }
}

/// A subject; its methods are those of [`Subject`].
pub(crate) trait ErasedSubject: Send + Sync {
    fn fresh(&self) -> Boxed<'_, Fresh>;

    fn profile(&self) -> Profile;

    fn passing(&self) -> Passing;

    fn make(&self) -> Option<Box<Make<'_>>>;

    /// The name of its type.
    fn name(&self) -> &'static str;

    /// The name of its stores' type.
    fn store_name(&self) -> &'static str;

    /// Runs a future to its end.
    fn drive(&self, future: Pin<&mut dyn Future<Output = ()>>);
}

impl<S: Subject> ErasedSubject for Arc<S> {
    fn fresh(&self) -> Boxed<'_, Fresh> {
        Box::pin(async { Ok(Typed::boxed(self, S::fresh(self).await?)) })
    }

    fn profile(&self) -> Profile {
        S::profile(self)
    }

    fn passing(&self) -> Passing {
        S::Clock::PASSING
    }

    fn make(&self) -> Option<Box<Make<'_>>> {
        Some(Box::new(boxing(S::make(self)?)))
    }

    fn name(&self) -> &'static str {
        any::type_name::<S>()
    }

    fn store_name(&self) -> &'static str {
        any::type_name::<S::Store>()
    }

    fn drive(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        S::block_on(self, future);
    }
}

impl dyn ErasedSubject + '_ {
    /// Runs a future to its end: see [`Subject::block_on`].
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut output = None;
        self.drive(pin!(async { output = Some(future.await) }));
        output.expect("block_on runs a future to its end")
    }
}
