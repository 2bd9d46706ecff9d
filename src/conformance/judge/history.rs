//! History: what several clients asked of one store, and what they were answered.
//!
//! The order of calls comes from one sequentially consistent counter. The clock is read before a
//! call is invoked and after it has returned, so that its time lies between.

use super::coverage::Tally;
use super::spans::Span;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::erased::Instance;
use crate::conformance::subject::{Passing, panics, watch};
use crate::model::{Nanos, Op, Reply};
use crate::places;
use crate::store::BoxError;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

/// A call, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) client: u32,
    pub(crate) op: Op,
    /// Nothing where it was cancelled.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) invoked: u64,
    pub(crate) returned: u64,
    pub(crate) clock: Span,
}

/// What all clients of a store share besides it.
pub(crate) struct Course {
    passing: Passing,
    counter: AtomicU64,
    clock: SystemClock,
    // Nanoseconds that the store's clock has been moved: for certain, and at most.
    moved: AtomicU64,
    moving: AtomicU64,
}

impl Course {
    pub(crate) fn of(passing: Passing) -> Self {
        Self {
            passing,
            counter: AtomicU64::new(0),
            clock: SystemClock::new(),
            moved: AtomicU64::new(0),
            moving: AtomicU64::new(0),
        }
    }

    /// The store's clock shows this or more.
    fn from(&self) -> Nanos {
        Nanos::from(self.moved.load(Ordering::SeqCst)) + self.passed()
    }

    /// The store's clock shows this or less.
    fn to(&self) -> Nanos {
        self.passed() + Nanos::from(self.moving.load(Ordering::SeqCst))
    }

    fn passed(&self) -> Nanos {
        match self.passing {
            Passing::Injected => 0,
            _ => nanos(self.clock.now()),
        }
    }

    fn tick(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// Lets time pass for the store, or waits for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "some clocks can only be waited for"
    )]
    pub(crate) async fn advance(
        &self,
        instance: &dyn Instance,
        by: Duration,
    ) -> Result<(), BoxError> {
        if self.passing == Passing::Waiting {
            thread::sleep(by);
            return Ok(());
        }
        let by_nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.moving.fetch_add(by_nanos, Ordering::SeqCst);
        instance.advance(by).await?;
        self.moved.fetch_add(by_nanos, Ordering::SeqCst);
        Ok(())
    }

    /// Makes a call, and drops its future when it has been polled this often.
    pub(crate) async fn call_until(
        &self,
        client: u32,
        instance: &dyn Instance,
        op: &Op,
        polls: usize,
    ) -> Record {
        let from = self.from();
        let invoked = self.tick();
        let outcome = {
            let mut call = instance.store().call(op);
            let mut left = polls;
            poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                let poll = || panics::catching_one(|| call.as_mut().poll(context));
                match places::in_call(poll) {
                    Ok(Poll::Pending) if left == 0 => {
                        // Others may come first.
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Ok(other) => other.map(Some),
                    Err(message) => Poll::Ready(Some(Outcome::Panicked(message))),
                }
            })
            .await
        };
        let broke_off = matches!(outcome, None | Some(Outcome::Panicked(_)));
        if broke_off && polls > 0 {
            watch::call_returned();
        }
        let returned = self.tick();
        Record {
            client,
            op: op.clone(),
            outcome,
            invoked,
            returned,
            clock: Span {
                from,
                to: self.to(),
            },
        }
    }
}

impl Record {
    /// Whether the call took effect is not known.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Failed(_)))
    }

    /// Whether it had neither returned nor been cancelled when the history was taken.
    pub(crate) fn is_under_way(&self) -> bool {
        self.returned == u64::MAX
    }

    /// Whether it is a commit that changes nothing, cancelled or not (COM-3, COM-4).
    pub(crate) fn must_be_refused(&self) -> bool {
        matches!(self.op, Op::Commit { ttl, .. } if ttl <= 0)
    }

    /// Whether two calls were under way at once.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.invoked < other.returned && other.invoked < self.returned
    }

    /// Whether no store may answer so, whatever the other calls do.
    pub(crate) fn is_wrong_alone(&self) -> bool {
        let Some(outcome) = &self.outcome else {
            return false;
        };
        let is_prepare = matches!(self.op, Op::Prepare { .. });
        match outcome {
            Outcome::Failed(_) => false,
            Outcome::Replied(reply) if self.must_be_refused() => {
                !matches!(reply, Reply::Refused(_))
            }
            Outcome::Replied(Reply::Found(_) | Reply::Nothing) => !is_prepare,
            Outcome::Replied(Reply::Done) => is_prepare,
            _ => true,
        }
    }
}

/// The calls of one run, in the order in which they were invoked.
pub(crate) struct History {
    records: Vec<Record>,
}

impl History {
    pub(crate) fn new(mut records: Vec<Record>) -> Self {
        records.sort_by_key(|record| record.invoked);
        Self { records }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// How many calls failed with an error.
    pub(crate) fn failed(&self) -> u64 {
        let failed = |record: &&Record| matches!(record.outcome, Some(Outcome::Failed(_)));
        self.records.iter().filter(failed).count() as u64
    }

    /// The calls on every id.
    pub(crate) fn by_id(&self) -> BTreeMap<&str, Vec<&Record>> {
        let mut by_id = BTreeMap::<_, Vec<_>>::new();
        for record in &self.records {
            if let Some(id) = record.op.id() {
                by_id.entry(id).or_default().push(record);
            }
        }
        by_id
    }

    /// How many writes were under way at once with another call on their id.
    pub(crate) fn overlaps(&self) -> usize {
        let by_id = self.by_id();
        let with_another = |calls: &[&Record]| pairs(calls).filter(is_race).count();
        by_id.values().map(|calls| with_another(calls)).sum()
    }

    /// Counts the clauses that this history could show to be broken.
    pub(crate) fn exercise(&self, tally: &mut Tally) {
        let by_id = self.by_id();
        let mut mark = |clause, exercised: fn(&[&Record]) -> bool| {
            if by_id.values().any(|calls| exercised(calls)) {
                tally.exercise(clause);
            }
        };
        mark(Clause::Con1, |calls| {
            pairs(calls).any(|pair| is_race(&pair))
        });
        mark(Clause::Con2, |calls| {
            pairs(calls).any(|(one, other)| is_read(one) != is_read(other))
        });
        mark(Clause::Can1, |calls| {
            let first = calls.iter().position(|call| call.outcome.is_none());
            first.is_some_and(|first| calls[first..].iter().any(|call| is_read(call)))
        });
    }
}

fn is_read(record: &Record) -> bool {
    matches!(record.op, Op::Prepare { .. })
}

fn is_race((one, other): &(&Record, &Record)) -> bool {
    !is_read(one) || !is_read(other)
}

/// The calls that were under way at once.
fn pairs<'a>(calls: &[&'a Record]) -> impl Iterator<Item = (&'a Record, &'a Record)> {
    calls.iter().enumerate().flat_map(|(at, call)| {
        let later = calls[at + 1..].iter();
        let under_way = later.take_while(|other| other.invoked < call.returned);
        under_way.map(|other| (*call, *other))
    })
}

#[cfg(test)]
impl Record {
    /// Calls with their spans, each by a client of its own, at the beginning of time.
    pub(crate) fn all(calls: &[(&str, u64, u64, Reply)]) -> Vec<Self> {
        let record = |(client, call): (u32, &(&str, u64, u64, Reply))| Self {
            client,
            op: call
                .0
                .parse::<crate::conformance::program::Program>()
                .unwrap()
                .ops()[0]
                .clone(),
            outcome: Some(Outcome::Replied(call.3.clone())),
            invoked: call.1,
            returned: call.2,
            clock: Span { from: 0, to: 0 },
        };
        (0..).zip(calls).map(record).collect()
    }
}
