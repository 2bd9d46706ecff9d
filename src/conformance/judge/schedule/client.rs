//! Client: one client's calls, one after another.

use crate::conformance::judge::history::{Course, Record};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::shape::Cancel;
use crate::conformance::program::{Program, time};
use crate::conformance::subject::erased::Instance;
use crate::model::{Nanos, Op};
use crate::places;
use crate::store::BoxError;
use std::future::poll_fn;
use std::ops::Range;
use std::task::Poll;
use std::time::Duration;
use std::{mem, thread};

/// What the clients share.
pub(super) struct World<'a> {
    pub(super) program: &'a Program,
    pub(super) instance: &'a dyn Instance,
    pub(super) course: &'a Course,
}

impl World<'_> {
    /// One client's calls, to their end, with so much time before each. A call that panics is its last.
    pub(super) async fn client(
        &self,
        client: u32,
        places: Range<usize>,
        pause: Nanos,
    ) -> Result<Vec<Record>, BoxError> {
        let mut records = Vec::with_capacity(places.len());
        for at in places {
            linger(pause).await;
            if !self.call(client, at, &mut records).await? {
                break;
            }
        }
        Ok(records)
    }

    /// The operation at `at`, which nobody else is at. Says whether the program goes on.
    pub(super) async fn one(&self, at: usize, records: &mut Vec<Record>) -> Result<bool, BoxError> {
        self.call(0, at, records).await
    }

    /// One operation, as often as it is made. Says whether it did not panic.
    async fn call(
        &self,
        client: u32,
        at: usize,
        records: &mut Vec<Record>,
    ) -> Result<bool, BoxError> {
        let op = &self.program.ops()[at];
        if let Op::Advance { by } = op {
            let by = time::duration(*by).unwrap_or_default();
            self.course.advance(self.instance, by).await?;
            return Ok(true);
        }
        let to_its_end = Cancel {
            polls: usize::MAX,
            times: 1,
        };
        let Cancel { polls, times } = self.program.cancel(at).unwrap_or(to_its_end);
        for _ in 0..times {
            let call = self.course.call_until(client, self.instance, op, polls);
            let record = call.await;
            places::returned();
            let has_panicked = matches!(record.outcome, Some(Outcome::Panicked(_)));
            records.push(record);
            if has_panicked {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Gives time to the threads that a store may have, and to the tasks.
#[expect(
    clippy::disallowed_methods,
    reason = "what a store does by itself, it does in real time"
)]
async fn linger(pause: Nanos) {
    if pause <= 0 {
        return;
    }
    thread::sleep(time::duration(pause).unwrap_or(Duration::ZERO));
    let mut has_waited = false;
    poll_fn(|context| {
        if mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
