//! Runner: programs of one client on a subject, in lockstep with the model where its time is exact, by
//! measured times where it is not.

use super::coverage::Tally;
use super::failure::Failure;
use super::lockstep;
use super::timed::{Begin, PHASES, Timed};
use super::until::Until;
use crate::conformance::program::generate::Pace;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::backend::Backend;
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::{NoRestart, Passing, panics, watch};
use crate::model::{Nanos, Op};
use std::sync::Arc;
use std::time::Duration;

/// A subject, what its store claims, and the unit of its programs' times.
#[derive(Clone, Copy)]
pub(crate) struct Runner<'a> {
    pub(crate) subject: &'a dyn ErasedSubject,
    pub(crate) profile: &'a Profile,
    /// The unit of ordinary times.
    pub(crate) tick: Nanos,
    /// When no further program is begun.
    pub(crate) until: Until,
    /// What is behind a remote store.
    pub(crate) backend: Option<&'a Backend>,
}

impl<'a> Runner<'a> {
    /// Unless told, the tick is so long that a wake-up some milliseconds late does not matter, and that
    /// the store's resolution does not hide it.
    pub(crate) fn new(
        subject: &'a dyn ErasedSubject,
        profile: &'a Profile,
        tick: Option<Duration>,
    ) -> Self {
        let usual = match subject.passing() {
            Passing::Waiting => Duration::from_millis(40),
            _ => Duration::from_secs(1),
        };
        let least = profile.resolution.max(profile.early).saturating_mul(2);
        let tick = tick.unwrap_or_else(|| usual.max(least));
        Self {
            subject,
            profile,
            tick: nanos(tick).max(1),
            until: Until::never(),
            backend: None,
        }
    }

    /// Whether what is behind the store has gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.backend.is_some_and(Backend::is_gone)
    }

    /// Whether time stands still but where a program lets it pass.
    pub(crate) fn is_exact(&self) -> bool {
        self.subject.passing() == Passing::Injected
    }

    /// Whether programs can be run in lockstep, at full speed.
    pub(crate) fn is_in_lockstep(&self) -> bool {
        self.subject.make().is_some() && self.profile.is_plain()
    }

    /// How often each listed program is run: once at every phase of a clock that goes on by itself.
    pub(crate) fn times_each(&self) -> usize {
        if self.is_exact() { 1 } else { PHASES }
    }

    /// How the times of its programs are drawn.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            tick: self.tick,
            at_will: self.is_exact(),
            horizon: self.profile.horizon.map(nanos),
            resolution: nanos(self.profile.resolution),
        }
    }

    /// Makes one store.
    ///
    /// # Errors
    /// Where that cannot be done: then there is nothing to check.
    pub(crate) fn make_one(&self) -> Result<(), String> {
        let make = || panics::catching(|| self.subject.block_on(self.subject.fresh()));
        let made = panics::silently(make).map_err(|message| panics::no_store_made(&message))?;
        let made = made.map_err(|error| no_store(&*error))?;
        // How it goes is for the searches to find.
        let go = || self.subject.block_on(async move { drop(made) });
        let _ = panics::silently(|| panics::catching(go));
        Ok(())
    }

    /// Whether the subject can restart its store: tried on an empty one.
    pub(crate) fn can_restart(&self) -> Result<bool, String> {
        if self.subject.make().is_some() {
            return Ok(false);
        }
        watch::running(Arc::new(vec![Op::Restart]));
        let attempt = async {
            let fresh = self.subject.fresh().await;
            let instance = fresh.map_err(|error| no_store(&*error))?;
            watch::call_begins();
            let restarted = instance.restart().await;
            watch::call_returned();
            match restarted {
                Ok(_) => Ok(true),
                Err(error) if error.is::<NoRestart>() => Ok(false),
                Err(error) => Err(format!("the store could not be restarted: {error}")),
            }
        };
        let attempt = || panics::catching(|| self.subject.block_on(attempt));
        // A panic is for the searches to find.
        panics::silently(attempt).unwrap_or(Ok(true))
    }

    pub(crate) fn timed(&self) -> Timed<'a> {
        Timed {
            subject: self.subject,
            profile: self.profile,
            tick: self.tick,
            until: self.until,
            backend: self.backend,
        }
    }

    /// What runs programs that are to fail like `ops`, and gives their failures.
    pub(crate) fn runs(&self, ops: &[Op]) -> impl Fn(&[Op]) -> Vec<Failure> + use<'a> {
        let runner = *self;
        // To wait for the phases of the clock takes a second each time; often it is not needed.
        let fails_at_once = || !self.timed().run(ops, Begin::Now).is_empty();
        let begin = match self.is_in_lockstep() || fails_at_once() {
            true => Begin::Now,
            false => Begin::AtPhases,
        };
        move |ops| {
            // A store that panics when it goes does so without any call too, and a failure is of a call.
            if ops.is_empty() || runner.until.is_over() || runner.is_gone() {
                return Vec::new();
            }
            watch::running(Arc::new(ops.to_vec()));
            match runner.subject.make() {
                Some(make) if runner.is_in_lockstep() => {
                    lockstep::run(&*make, ops, &runner.profile.supported, |_, _| {})
                }
                _ => runner.timed().run(ops, begin),
            }
        }
    }

    /// The same, giving the first failure of each.
    pub(crate) fn probe(&self, ops: &[Op]) -> impl Fn(&[Op]) -> Option<Failure> + use<'a> {
        let runs = self.runs(ops);
        move |ops| runs(ops).into_iter().next()
    }

    /// Runs a program, at every phase of a clock that goes on by itself, and counts what that exercised.
    pub(crate) fn run_counted(
        &self,
        ops: &[Op],
        tally: &mut Tally,
    ) -> Result<Vec<Failure>, String> {
        watch::running(Arc::new(ops.to_vec()));
        match self.subject.make() {
            Some(make) if self.is_in_lockstep() => {
                let supported = &self.profile.supported;
                Ok(lockstep::run_counted(&*make, ops, supported, tally))
            }
            _ => self.timed().run_counted(ops, self.times_each(), tally),
        }
    }
}

/// Where no store can be had, there is nothing to check.
pub(crate) fn no_store(error: &dyn std::error::Error) -> String {
    format!("there is no store to check: {error}")
}
