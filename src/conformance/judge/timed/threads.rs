//! Threads: how many run programs at once. Where calls take long since they wait, for a network or a disk,
//! more do than there are cores.

use super::Timed;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::subject::Passing;
use crate::conformance::subject::panics;
use crate::conformance::subject::workers;
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
        let alone = self.takes(1);
        let is_slow = alone > SLOW && self.takes(TIMES * cores) < MUCH * alone;
        if is_slow { TIMES * cores } else { cores }
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

#[cfg(test)]
mod tests {
    use super::*;
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
    fn stores_that_wait_are_waited_for_on_more_threads() {
        let threads = |far: Duration, programs| {
            let timed = Timed {
                subject: &Arc::new(Far(far)),
                profile: &Profile::default(),
                tick: 1,
            };
            timed.threads(programs)
        };
        let cores = workers::cores() as usize;
        let far = Duration::from_millis(100);
        assert_eq!(threads(far, MANY), TIMES * cores);
        assert_eq!(threads(far, MANY - 1), cores);
        let timed = Timed {
            subject: &Arc::new(crate::conformance::Made(|_| MemStore::new())),
            profile: &Profile::default(),
            tick: 1,
        };
        assert_eq!(timed.threads(MANY), cores);
    }
}
