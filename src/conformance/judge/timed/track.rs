//! Track: one program under way, judged by the times that were measured.

use super::phase::until;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::coverage::{Coverage, Traits};
use crate::conformance::judge::failure::Failure;
use crate::conformance::judge::lockstep;
use crate::conformance::judge::spans::{Judge, Span};
use crate::conformance::judge::worlds::{Failures, Judged, Worlds};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::nanos;
use crate::conformance::program::unsupported::{self, Refusals};
use crate::conformance::program::{ids, time};
use crate::conformance::subject::erased::{ErasedSubject, Instance};
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::{Passing, calls, panics, watch};
use crate::model::{Expected, Model, Nanos, Op};
use std::sync::Arc;
use std::time::Duration;

type Result<T> = std::result::Result<T, String>;

/// A program under way.
pub(super) struct Track<'a> {
    subject: &'a dyn ErasedSubject,
    profile: &'a Profile,
    ops: &'a [Op],
    ids: Vec<&'a str>,
    /// The phase of the clock that it waits for, once it has its store.
    phase: Option<(Nanos, Nanos)>,
    next: usize,
    instance: Option<Box<dyn Instance>>,
    /// When it began, on the schedule's clock.
    began: Duration,
    /// Time that was moved, not waited for.
    moved: Nanos,
    worlds: Worlds<Judge>,
    pub(super) coverage: Coverage,
    pub(super) steps: usize,
    pub(super) open: u64,
    refusals: Refusals,
    pub(super) failures: Failures,
    /// When the operations began, where time is measured.
    times: Vec<Nanos>,
    /// A call has failed lately, with an error.
    pub(super) has_failed: bool,
}

impl<'a> Track<'a> {
    pub(super) fn new(
        subject: &'a dyn ErasedSubject,
        profile: &'a Profile,
        ops: &'a [Op],
        phase: Option<(Nanos, Nanos)>,
    ) -> Self {
        Self {
            subject,
            profile,
            ops,
            ids: ids::ids(ops),
            phase,
            next: 0,
            instance: None,
            began: Duration::ZERO,
            moved: 0,
            worlds: Worlds::new(Judge::new(profile)).late(profile.remote),
            coverage: Coverage::default(),
            steps: 0,
            open: 0,
            refusals: Refusals::new(),
            failures: Failures::default(),
            times: Vec::new(),
            has_failed: false,
        }
    }

    /// Runs until the program has to wait, and says how long.
    pub(super) fn go_on(&mut self, clock: &SystemClock) -> Result<Option<Duration>> {
        watch::running(Arc::new(self.ops.to_vec()));
        let subject = self.subject;
        let run = panics::catching(|| {
            subject.block_on(async {
                let wait = self.steps_until_wait(clock).await;
                if let Ok(None) = wait {
                    // The store goes as soon as its program is done, where its runtime is.
                    self.instance = None;
                }
                wait
            })
        });
        match run {
            Ok(wait) => wait,
            // It has not been made, or it would be there.
            Err(message) if self.instance.is_none() && self.steps == 0 => {
                Err(panics::no_store_made(&message))
            }
            Err(message) => {
                let at = self.next.min(self.ops.len().saturating_sub(1));
                let now = self.now(clock);
                let op = self.ops.get(at).unwrap_or(&Op::Advance { by: 0 });
                let (span, outcome) = (Span { from: now, to: now }, Outcome::Panicked(message));
                let judged = self
                    .worlds
                    .judge(op, &outcome, |judge| judge.step(op, span));
                self.fail(judged.into_admitted().expected, outcome);
                Ok(None)
            }
        }
    }

    async fn steps_until_wait(&mut self, clock: &SystemClock) -> Result<Option<Duration>> {
        if self.instance.is_none() {
            let fresh = self.subject.fresh().await;
            self.instance =
                Some(fresh.map_err(|error| format!("there is no store to check: {error}"))?);
            if let Some(phase) = self.phase {
                return Ok(Some(until(phase, clock)));
            }
        }
        if self.next == 0 {
            self.began = clock.now();
        }
        while let Some(op) = self.ops.get(self.next) {
            if self.subject.passing() != Passing::Injected {
                let now = self.now(clock);
                self.times.push(now);
            }
            if let Op::Advance { by } = op {
                let wait = self.advance(*by).await?;
                self.next += 1;
                if wait.is_some() {
                    return Ok(wait);
                }
                continue;
            }
            if let Op::Restart = op {
                self.steps += 1;
                if !self.restart().await? {
                    return Ok(None);
                }
                self.next += 1;
                continue;
            }
            let from = self.now(clock);
            let instance = self.instance.as_ref().ok_or("the store is gone")?;
            let outcome = instance.store().call(op).await;
            let to = self.now(clock);
            self.steps += 1;
            self.has_failed |= matches!(outcome, Outcome::Failed(_));
            self.judge(op, outcome, Span { from, to });
            self.next += 1;
        }
        Ok(None)
    }

    /// Lets time pass, or says how long to wait for it.
    async fn advance(&mut self, by: Nanos) -> Result<Option<Duration>> {
        let by = time::duration(by.max(0)).unwrap_or(Duration::MAX);
        self.coverage.advance();
        self.worlds.each(Judge::advance);
        if self.subject.passing() == Passing::Waiting {
            return Ok(Some(by));
        }
        let instance = self.instance.as_ref().ok_or("the store is gone")?;
        let advanced = instance.advance(by).await;
        advanced.map_err(|error| format!("the store's time could not be moved: {error}"))?;
        self.moved += nanos(by);
        Ok(None)
    }

    /// Whether the store came up again.
    async fn restart(&mut self) -> Result<bool> {
        let instance = self.instance.take().ok_or("the store is gone")?;
        watch::call_begins();
        let restarted = instance.restart().await;
        watch::call_returned();
        self.worlds.each(Judge::restart);
        match restarted {
            Ok(instance) => {
                self.instance = Some(instance);
                Ok(true)
            }
            Err(error) => {
                let expected = Model::default().step(&Op::Restart);
                let outcome = Outcome::Failed(calls::with_sources(&*error));
                self.fail(expected, outcome);
                Ok(false)
            }
        }
    }

    fn judge(&mut self, op: &Op, outcome: Outcome, span: Span) {
        let (before, supported) = (&self.ops[..self.next], &self.profile.supported);
        if let Some(constraint) = unsupported::refusal(op, &outcome, supported)
            && !lockstep::was_taken(constraint, op, before, &self.refusals)
        {
            self.coverage.refuse(constraint);
            self.refusals.insert(self.next, constraint);
            return;
        }
        let judged = self
            .worlds
            .judge(op, &outcome, |judge| judge.step(op, span));
        match judged {
            Judged::Right(admitted) => {
                let is_as_expected = lockstep::right(&admitted.expected, &outcome);
                if !is_as_expected {
                    self.failures.note(self.next, outcome);
                }
                if admitted.is_open {
                    self.open += 1;
                } else if is_as_expected {
                    let id = op.id();
                    let slot = id.and_then(|id| self.ids.iter().position(|known| *known == id));
                    self.coverage
                        .step(op, Traits::of(op, slot), &admitted.expected);
                }
            }
            Judged::Open(admitted) if lockstep::right(&admitted.expected, &outcome) => {}
            Judged::Open(_) => self.failures.note(self.next, outcome),
            Judged::Wrong(admitted) => {
                self.fail(admitted.expected, outcome);
            }
        }
    }

    /// The operation at hand fails.
    fn fail(&mut self, expected: Expected, outcome: Outcome) {
        let at = self.next.min(self.ops.len().saturating_sub(1));
        let ops = self.ops[..(at + 1).min(self.ops.len())].iter();
        let failure = Failure {
            at,
            times: self.times.clone(),
            ..Failure::of(ops, expected, outcome)
        };
        self.failures.push(failure, &self.refusals);
    }

    /// The program's time, in nanoseconds since it began.
    fn now(&self, clock: &SystemClock) -> Nanos {
        match self.subject.passing() {
            Passing::Injected => self.moved,
            _ => nanos(clock.now().saturating_sub(self.began)) + self.moved,
        }
    }
}
