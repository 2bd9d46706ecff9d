//! Threads: how many run programs at once. Where calls take long since they wait, for a network or a disk,
//! more do than there are cores.

use super::Timed;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::subject::{Passing, panics, workers};
use crate::model::Op;
use std::sync::Barrier;
use std::time::Duration;

/// Of fewer programs it makes no difference.
const MANY: usize = 64;

/// A call that takes longer is a slow one.
const SLOW: Duration = Duration::from_micros(200);

/// So many times the cores, if their calls do not hold each other up much.
const TIMES: usize = 8;
const MUCH: u32 = 3;

impl Timed<'_> {
    /// How many threads so many programs are run on.
    pub(super) fn threads(&self, programs: usize) -> usize {
        let cores = workers::cores() as usize;
        if self.subject.passing() == Passing::Injected || programs < MANY {
            return cores;
        }
        if waits(self.takes(1), || self.takes(TIMES * cores)) {
            TIMES * cores
        } else {
            cores
        }
    }

    /// How long a prepare takes while as many threads make one, each on a store of its own.
    fn takes(&self, threads: usize) -> Duration {
        let all = Barrier::new(threads);
        let prepare = Op::Prepare {
            id: self.profile.supported.two_ids()[0].clone(),
        };
        let took = workers::each_on(threads, threads, |_| {
            let call = || panics::catching(|| self.subject.block_on(self.subject.fresh()));
            let made = call().ok().and_then(Result::ok);
            all.wait();
            let clock = SystemClock::new();
            let Some(instance) = made else {
                return Duration::ZERO;
            };
            let _ = panics::catching(|| {
                self.subject.block_on(async {
                    instance.store().call(&prepare).await;
                    drop(instance);
                });
            });
            clock.now()
        });
        took.into_iter().max().unwrap_or_default()
    }
}

/// Whether a call that takes so long alone is one that waits: it takes not much longer among others.
fn waits(alone: Duration, among_others: impl FnOnce() -> Duration) -> bool {
    alone > SLOW && among_others() < MUCH * alone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::judge::until::Until;
    use crate::conformance::subject::profile::Profile;
    use crate::conformance::subject::{Subject, Waiting};
    use crate::store::BoxError;
    use crate::{MemStore, Snapshot, Store, StoreError};
    use std::sync::Arc;
    use std::thread;

    /// A call waits for so long.
    struct Far(Duration);

    impl Store for Far {
        #[expect(clippy::disallowed_methods, reason = "it waits for a network")]
        async fn prepare(&self, _: &str) -> Result<Option<Snapshot>, StoreError> {
            thread::sleep(self.0);
            Ok(None)
        }

        async fn commit(&self, _: &Snapshot, _: Duration) -> Result<(), StoreError> {
            Ok(())
        }

        async fn drop(&self, _: &str) -> Result<(), StoreError> {
            Ok(())
        }
    }

    impl Subject for Far {
        type Store = Far;
        type Clock = Waiting;

        async fn fresh(&self) -> Result<(Far, Waiting), BoxError> {
            Ok((Far(self.0), Waiting))
        }
    }

    #[test]
    fn a_call_takes_as_long_as_it_waits_and_few_programs_need_no_more_threads_than_cores() {
        let (far, profile) = (Duration::from_millis(2), Profile::default());
        let subject = Arc::new(Far(far));
        let timed = Timed {
            subject: &subject,
            profile: &profile,
            tick: 1,
            until: Until::never(),
            backend: None,
        };
        assert!(timed.takes(1) >= far && timed.takes(3) >= far);
        let cores = workers::cores() as usize;
        assert_eq!(timed.threads(MANY - 1), cores);
        let timed = Timed {
            subject: &Arc::new(crate::conformance::Factory(|_| MemStore::new())),
            ..timed
        };
        assert_eq!(timed.threads(MANY), cores);
    }

    #[test]
    fn a_call_waits_if_it_takes_long_and_not_much_longer_among_others() {
        let waits = |alone: u32, among_others: u32| waits(alone * SLOW, || among_others * SLOW);
        assert!(waits(2, 2) && waits(2, 5));
        assert!(!waits(2, 6) && !waits(2, 100));
        assert!(!waits(1, 1));
    }
}
