//! Timed: programs on subjects whose time is not simply a manual clock, many at once, judged by the
//! times that were measured.
//!
//! A program runs until it has to wait; then others run. What a late wake-up costs is precision,
//! never justice: replies are judged by when calls really were made.

mod phase;
mod threads;
mod track;

pub(crate) use phase::{Begin, PHASES};

use super::coverage::{Coverage, Tally};
use super::failure::Failure;
use super::until::Until;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::time::nanos;
use crate::conformance::subject::backend::Backend;
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::{Passing, watch, workers};
use crate::model::{Nanos, Op};
use phase::phase;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::thread;
use std::time::Duration;
use track::Track;

/// Programs that one thread has under way.
const UNDER_WAY: usize = 2_500;

/// What is known of a program after its run.
pub(crate) struct Ran {
    pub(crate) failures: Vec<Failure>,
    pub(crate) coverage: Coverage,
    /// Operations that were judged: none where it was not begun in time.
    pub(crate) steps: usize,
}

/// What runs of many programs came to, besides their replies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Precision {
    /// Replies that the measured times did not decide.
    pub(crate) open: u64,
    pub(crate) wakes: u64,
    /// Wake-ups that came more than a tenth of a tick too late.
    pub(crate) late: u64,
}

impl Precision {
    pub(crate) fn add(&mut self, other: Self) {
        self.open += other.open;
        self.wakes += other.wakes;
        self.late += other.late;
    }
}

/// Runs programs on a subject.
pub(crate) struct Timed<'a> {
    pub(crate) subject: &'a dyn ErasedSubject,
    pub(crate) profile: &'a Profile,
    /// The unit of the programs' times.
    pub(crate) tick: Nanos,
    /// When none of them goes on.
    pub(crate) until: Until,
    /// What is behind a remote store.
    pub(crate) backend: Option<&'a Backend>,
}

type Result<T> = std::result::Result<T, String>;

impl Timed<'_> {
    /// Runs every program, each on a store of its own.
    pub(crate) fn run_all(&self, programs: &[Vec<Op>]) -> Result<(Vec<Ran>, Precision)> {
        self.run_begun(programs, Begin::AtPhases)
    }

    fn run_begun(&self, programs: &[Vec<Op>], begin: Begin) -> Result<(Vec<Ran>, Precision)> {
        let threads = self.threads(programs.len());
        let share = programs.len().div_ceil(threads).max(1);
        let shares: Vec<_> = programs.chunks(share).collect();
        let schedules = workers::each_on(threads, shares.len(), |index| {
            let mut schedule = Schedule::new(self, shares[index], begin);
            schedule.first = index * share;
            schedule.run().map(|()| schedule.finish())
        });
        let (mut ran, mut precision) = (Vec::with_capacity(programs.len()), Precision::default());
        for schedule in schedules {
            let (some, their) = schedule?;
            ran.extend(some);
            precision.add(their);
        }
        Ok((ran, precision))
    }

    /// The failures of one program, begun at these phases of the clock: of one that failed, all.
    pub(crate) fn run(&self, ops: &[Op], begin: Begin) -> Vec<Failure> {
        let times = match (self.subject.passing(), begin) {
            (Passing::Injected, _) => 1,
            (_, Begin::Now) => 3,
            (_, Begin::AtPhases) => 2 * PHASES,
        };
        let ran = self.run_begun(&vec![ops.to_vec(); times], begin);
        let ran = ran.map(|(ran, _)| ran).unwrap_or_default();
        ran.into_iter().flat_map(|ran| ran.failures).collect()
    }

    /// Runs one program `times`, each at another phase of the clock, and counts what that exercised.
    pub(crate) fn run_counted(
        &self,
        ops: &[Op],
        times: usize,
        tally: &mut Tally,
    ) -> Result<Vec<Failure>> {
        let (ran, _) = self.run_all(&vec![ops.to_vec(); times])?;
        for ran in ran.iter().filter(|ran| ran.steps > 0) {
            tally.count(&ran.coverage, ran.steps);
        }
        Ok(ran.into_iter().flat_map(|ran| ran.failures).collect())
    }
}

/// One thread's programs, by when they have to go on.
struct Schedule<'a> {
    timed: &'a Timed<'a>,
    clock: SystemClock,
    programs: &'a [Vec<Op>],
    /// The number of the first of them among all programs.
    first: usize,
    begin: Begin,
    /// As many as have been begun.
    tracks: Vec<Track<'a>>,
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    precision: Precision,
}

impl<'a> Schedule<'a> {
    fn new(timed: &'a Timed<'a>, programs: &'a [Vec<Op>], begin: Begin) -> Self {
        Self {
            timed,
            clock: SystemClock::new(),
            programs,
            first: 0,
            begin,
            tracks: Vec::with_capacity(programs.len()),
            due: BinaryHeap::new(),
            precision: Precision::default(),
        }
    }

    fn run(&mut self) -> Result<()> {
        loop {
            let is_gone = self.timed.backend.is_some_and(Backend::is_gone);
            if watch::is_stopped() || self.timed.until.is_over() || is_gone {
                return Ok(());
            }
            self.begin_more();
            let Some(Reverse((due, index))) = self.due.pop() else {
                return Ok(());
            };
            self.wait_until(due);
            let track = &mut self.tracks[index];
            let went_on = track.go_on(&self.clock);
            let has_failed = track.has_failed || went_on.is_err();
            if let Some(backend) = self.timed.backend.filter(|_| has_failed) {
                track.has_failed = false;
                backend.suspect(self.timed.subject, false);
                if backend.is_gone() {
                    return Ok(());
                }
            }
            if let Some(wait) = went_on? {
                let due = self.clock.now().saturating_add(wait);
                self.due.push(Reverse((due, index)));
            }
        }
    }

    fn begin_more(&mut self) {
        while self.due.len() < UNDER_WAY && self.tracks.len() < self.programs.len() {
            let index = self.tracks.len();
            let phase = match (self.timed.subject.passing(), self.begin) {
                (Passing::Injected, _) | (_, Begin::Now) => None,
                _ => Some(phase(self.first + index, self.timed.tick)),
            };
            self.due.push(Reverse((Duration::ZERO, index)));
            let program = &self.programs[index];
            self.tracks.push(Track::new(
                self.timed.subject,
                self.timed.profile,
                program,
                phase,
            ));
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "some clocks can only be waited for"
    )]
    fn wait_until(&mut self, due: Duration) {
        let wait = due.saturating_sub(self.clock.now());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
        if due.is_zero() {
            // It begins now.
            return;
        }
        // Also where other programs took until after it was due.
        let late = self.clock.now().saturating_sub(due);
        self.precision.wakes += 1;
        self.precision.late += u64::from(nanos(late) > self.timed.tick / 10);
    }

    fn finish(self) -> (Vec<Ran>, Precision) {
        let mut precision = self.precision;
        precision.open = self.tracks.iter().map(|track| track.open).sum();
        let not_begun = self.programs.len() - self.tracks.len();
        let ran = self.tracks.into_iter().map(|track| Ran {
            failures: track.failures.into_vec(),
            coverage: track.coverage,
            steps: track.steps,
        });
        let not_begun = (0..not_begun).map(|_| Ran {
            failures: Vec::new(),
            coverage: Coverage::default(),
            steps: 0,
        });
        (ran.chain(not_begun).collect(), precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::program::Program;
    use crate::conformance::subject::{Subject, Waiting};
    use crate::store::{BoxError, Store, StoreError};
    use crate::{MemStore, Snapshot};
    use std::sync::Arc;

    const TICK: Duration = Duration::from_millis(40);

    /// A store whose every prepare takes half a tick.
    struct Slow(MemStore);

    impl Store for Slow {
        async fn prepare(&self, id: &str) -> std::result::Result<Option<Snapshot>, StoreError> {
            let clock = SystemClock::new();
            while clock.now() < TICK / 2 {
                std::hint::spin_loop();
            }
            self.0.prepare(id).await
        }

        async fn commit(
            &self,
            snapshot: &Snapshot,
            ttl: Duration,
        ) -> std::result::Result<(), StoreError> {
            self.0.commit(snapshot, ttl).await
        }

        async fn drop(&self, id: &str) -> std::result::Result<(), StoreError> {
            Store::drop(&self.0, id).await
        }
    }

    struct OfSlow;

    impl Subject for OfSlow {
        type Store = Slow;
        type Clock = Waiting;

        async fn fresh(&self) -> std::result::Result<(Slow, Waiting), BoxError> {
            Ok((Slow(MemStore::new()), Waiting))
        }
    }

    /// On each thread two begin at each phase, so one of them is due while the other is at its call.
    #[test]
    fn a_program_that_is_due_while_another_calls_is_late() {
        let (subject, profile) = (Arc::new(OfSlow), Profile::default());
        let timed = Timed {
            subject: &subject,
            profile: &profile,
            tick: nanos(TICK),
            until: Until::never(),
            backend: None,
        };
        let program: Program = "advance 40ms; prepare A".parse().unwrap();
        let cores = workers::cores() as usize;
        let programs = vec![program.ops().to_vec(); 2 * PHASES * cores];
        let (_, precision) = timed.run_all(&programs).unwrap();
        assert!(precision.late >= cores as u64, "{precision:?}");
    }
}
