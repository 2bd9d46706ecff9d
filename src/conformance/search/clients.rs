//! Clients: several at once on one store.
//!
//! As tasks on one thread, polled in an order that a seed decides, so that every point at which a
//! call waits is a place where another may come between; and as threads, for what happens between
//! two instructions.

mod tasks;
mod threads;

use super::plan::Step;
use crate::conformance::judge::history::{Course, Record};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time;
use crate::conformance::subject::erased::Instance;
use crate::model::Op;
use crate::store::BoxError;
use std::future::poll_fn;
use std::mem;
use std::task::Poll;
use std::thread;
use std::time::Duration;

pub(crate) use threads::bursts;

/// What the clients share.
struct World<'a> {
    instance: &'a dyn Instance,
    course: &'a Course,
    /// How long it is before each call.
    linger: Duration,
}

impl World<'_> {
    /// One client's calls, to their end. A call that panics is its last.
    async fn client(&self, client: u32, steps: &[Step]) -> Result<Vec<Record>, BoxError> {
        let mut records = Vec::with_capacity(steps.len());
        for Step { op, polls } in steps {
            if self.step(client, op, *polls, &mut records).await? {
                break;
            }
        }
        Ok(records)
    }

    /// The calls before the clients begin, or after they have ended.
    async fn alone(&self, ops: &[Op], records: &mut Vec<Record>) -> Result<(), BoxError> {
        for op in ops {
            if self.step(0, op, usize::MAX, records).await? {
                break;
            }
        }
        Ok(())
    }

    /// One call. Says whether it panicked.
    async fn step(
        &self,
        client: u32,
        op: &Op,
        polls: usize,
        records: &mut Vec<Record>,
    ) -> Result<bool, BoxError> {
        self.linger().await;
        if let Op::Advance { by } = op {
            let by = time::duration(*by).unwrap_or_default();
            self.course.advance(self.instance, by).await?;
            return Ok(false);
        }
        let call = self.course.call_until(client, self.instance, op, polls);
        let record = call.await;
        let panicked = matches!(record.outcome, Some(Outcome::Panicked(_)));
        records.push(record);
        Ok(panicked)
    }

    /// Gives time to the threads that a store may have, and to the tasks.
    #[expect(
        clippy::disallowed_methods,
        reason = "what a store does by itself, it does in real time"
    )]
    async fn linger(&self) {
        if self.linger.is_zero() {
            return;
        }
        thread::sleep(self.linger);
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
}
