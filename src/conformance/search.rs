//! Search: every program of a small scope, random ones, and given ones, on any subject.

pub(crate) mod cancel;
pub(crate) mod clients;
pub(crate) mod concurrent;
pub(crate) mod deadly;
pub(crate) mod exhaust;
pub(crate) mod notorious;
pub(crate) mod plan;
pub(crate) mod random;
pub(crate) mod repeated;
pub(crate) mod restarts;
pub(crate) mod scenario;

use super::judge::coverage::Tally;
use super::judge::lockstep;
use super::judge::timed::{Begin, PHASES, Precision, Timed};
use super::program::Program;
use super::program::generate::{Generator, Pace};
use super::subject::erased::AnySubject;
use super::subject::profile::Profile;
use super::subject::watch;
use super::subject::workers;
use super::subject::{NoRestart, Passing};
use crate::conformance::judge::failure::Failure;
use crate::conformance::judge::failure::Symptom;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::panics;
use crate::model::{Nanos, Op};
use exhaust::Scope;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// `exhaustive`, `random`, `restarted` or `concurrent`.
    pub search: &'static str,
    /// Programs done, roughly.
    pub done: u64,
    /// Programs to do.
    pub total: u64,
}

/// What a search came to.
#[derive(Default)]
pub(crate) struct Search {
    pub(crate) tally: Tally,
    pub(crate) precision: Precision,
    /// The first failing program of every symptom.
    pub(crate) caught: BTreeMap<Symptom, Caught>,
    /// Further ones, for what may hide behind the first.
    pub(crate) more: Vec<Caught>,
}

/// So many further programs of a symptom are kept.
const MORE: usize = 300;

impl Search {
    pub(crate) fn catch(&mut self, caught: Caught) {
        match self.caught.entry(caught.failure.symptom()) {
            Entry::Vacant(vacant) => {
                vacant.insert(caught);
            }
            Entry::Occupied(mut first) if first.get().others < MORE => {
                first.get_mut().others += 1;
                self.more.push(caught);
            }
            Entry::Occupied(_) => {}
        }
    }
}

/// A program that failed.
pub(crate) struct Caught {
    pub(crate) ops: Vec<Op>,
    pub(crate) failure: Failure,
    /// How many programs the search had run by then, with this one.
    pub(crate) after: u64,
    /// How many further programs of its symptom are kept.
    pub(crate) others: usize,
}

/// Runs programs on a subject: in lockstep with the model where its time is exact, by measured times
/// where it is not.
pub(crate) struct Searcher<'a> {
    pub(crate) subject: &'a dyn AnySubject,
    pub(crate) profile: &'a Profile,
    /// The unit of ordinary times.
    pub(crate) tick: Nanos,
    /// Of deeper values it is known that they end the process.
    pub(crate) deepest: Option<usize>,
    /// It was a matter of luck that some program failed.
    pub(crate) goes_by_chance: bool,
    /// Some program of one client has failed.
    pub(crate) is_wrong_alone: bool,
}

/// Programs that are listed at a time, where they are not walked through.
pub(crate) const LISTED: usize = 20_000;

impl Searcher<'_> {
    /// The tick unless told: long enough that a wake-up some milliseconds late does not matter, and
    /// that the store's resolution does not hide it.
    pub(crate) fn default_tick(passing: Passing, profile: &Profile) -> Duration {
        match passing {
            Passing::Waiting => Duration::from_millis(40).max(2 * profile.resolution),
            _ => Duration::from_secs(1).max(2 * profile.resolution),
        }
    }

    /// Whether programs can be run in lockstep, at full speed.
    pub(crate) fn is_in_lockstep(&self) -> bool {
        self.subject.make().is_some() && self.profile.is_plain()
    }

    /// How often each program of the exhaustive search, and each given one, is run: once at every phase of a clock that goes
    /// on by itself.
    pub(crate) fn times_each(&self) -> usize {
        match self.subject.passing() {
            Passing::Injected => 1,
            _ => PHASES,
        }
    }

    /// Makes one store: where that cannot be done there is nothing to check.
    pub(crate) fn make_one(&self) -> Result<(), String> {
        let make = || panics::catching(|| self.subject.block_on(self.subject.fresh()));
        let made = panics::silently(make).map_err(|message| {
            format!(
                "there is no store to check: making one panicked: {message}\n(a store that needs a \
                 runtime or a server is a `Subject`, whose `block_on` can enter the runtime)"
            )
        })?;
        let made = made.map_err(|error| format!("there is no store to check: {error}"))?;
        // How it goes is for the searches to find.
        let go = || self.subject.block_on(async move { drop(made) });
        let _ = panics::silently(|| panics::catching(go));
        Ok(())
    }

    pub(crate) fn timed(&self) -> Timed<'_> {
        Timed {
            subject: self.subject,
            profile: self.profile,
            tick: self.tick,
        }
    }

    /// What runs programs that are to fail like `ops`, and gives their first failure.
    pub(crate) fn runner(&self, ops: &[Op]) -> impl Fn(&[Op]) -> Option<Failure> {
        // To wait for the phases of the clock takes a second each time; often it is not needed.
        let fails_at_once = || self.timed().run(ops, Begin::Now).is_some();
        let begin = match self.is_in_lockstep() || fails_at_once() {
            true => Begin::Now,
            false => Begin::AtPhases,
        };
        move |ops| {
            watch::running(Arc::new(ops.to_vec()));
            match self.subject.make() {
                Some(make) if self.is_in_lockstep() => lockstep::run(&*make, ops, |_, _| {}),
                _ => self.timed().run(ops, begin),
            }
        }
    }

    /// Every program of up to `depth` operations.
    pub(crate) fn exhaustive(
        &self,
        depth: usize,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Search, String> {
        let scope = Scope::new(self.profile, self.tick);
        if let Some(make) = self.subject.make()
            && self.is_in_lockstep()
        {
            return Ok(exhaust::search(&*make, &scope, depth, progress));
        }
        let times = self.times_each();
        let programs = (1..=depth).flat_map(|length| exhaust::programs(&scope, length));
        let programs = programs.flat_map(|ops| iter::repeat_n(ops, times));
        let total = exhaust::programs_up_to(depth) * times as u64;
        self.run_listed("exhaustive", total, programs, progress)
    }

    /// Random programs of up to `length` operations.
    pub(crate) fn random(
        &self,
        sequences: usize,
        length: usize,
        seed: u64,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Search, String> {
        let mut supported = self.profile.supported.clone();
        supported.depth = self.deepest.or(supported.depth);
        if let Some(make) = self.subject.make()
            && self.is_in_lockstep()
        {
            return Ok(random::search(
                &*make, sequences, length, seed, supported, progress,
            ));
        }
        let mut drawing = random::runner(seed, 0);
        let generator = Generator::new(length, supported, self.pace(), &mut drawing);
        let programs = (0..sequences).map(|_| {
            let (ops, mut ids) = generator.draw(&mut drawing);
            if self.profile.may_evict {
                newest_first(&mut ids, &ops);
            }
            random::observed((ops, ids))
        });
        self.run_listed("random", sequences as u64, programs, progress)
    }

    /// How the times of its programs are drawn.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            tick: self.tick,
            at_will: self.subject.passing() == Passing::Injected,
            horizon: self.profile.horizon.map(nanos),
            resolution: nanos(self.profile.resolution),
        }
    }

    /// Programs as they stand.
    pub(crate) fn given(&self, programs: &[Program]) -> Result<Search, String> {
        if let Some(program) = programs.iter().find(|program| !program.is_expressible()) {
            return Err(format!(
                "a Rust store cannot be handed this program: it has a nil snapshot, a negative ttl, \
                 or a time beyond the longest Duration\n  {program}"
            ));
        }
        if let Some(program) = programs.iter().find(|program| program.has_restart())
            && !self.can_restart()?
        {
            return Err(format!("{NoRestart}, as this program wants\n  {program}"));
        }
        let mut search = Search::default();
        let results = workers::each(programs.len(), |index| {
            let (ops, mut tally) = (programs[index].ops(), Tally::default());
            watch::running(Arc::new(ops.to_vec()));
            let failure = match self.subject.make() {
                Some(make) if self.is_in_lockstep() => {
                    Ok(random::run_counted(&*make, ops, &mut tally))
                }
                _ => self.timed().run_counted(ops, self.times_each(), &mut tally),
            };
            (tally, failure)
        });
        for (program, (tally, failure)) in programs.iter().zip(results) {
            search.tally.add(&tally);
            if let Some(failure) = failure? {
                let after = search.tally.programs;
                let ops = program.ops().to_vec();
                search.catch(Caught {
                    ops,
                    failure,
                    after,
                    others: 0,
                });
            }
        }
        Ok(search)
    }

    fn run_listed(
        &self,
        name: &'static str,
        total: u64,
        mut programs: impl Iterator<Item = Vec<Op>>,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Search, String> {
        let mut search = Search::default();
        loop {
            let listed: Vec<_> = programs.by_ref().take(LISTED).collect();
            if listed.is_empty() {
                return Ok(search);
            }
            let (ran, precision) = self.timed().run_all(&listed)?;
            search.precision.add(precision);
            for (mut ops, ran) in listed.into_iter().zip(ran) {
                search.tally.count(&ran.coverage, ran.steps);
                if let Some(failure) = ran.failure {
                    let after = search.tally.programs;
                    ops.truncate(failure.at + 1);
                    search.catch(Caught {
                        ops,
                        failure,
                        after,
                        others: 0,
                    });
                }
            }
            progress(Progress {
                search: name,
                done: search.tally.programs,
                total,
            });
        }
    }
}

/// Puts the id committed last in front: an entry that was read is no longer idle, and only idle ones
/// show that the newest was let go of before them.
fn newest_first(ids: &mut [String], ops: &[Op]) {
    let committed = |id: &String| {
        let is_commit = |op: &Op| matches!(op, Op::Commit { .. }) && op.id() == Some(id.as_str());
        ops.iter().rposition(is_commit)
    };
    ids.sort_by_key(|id| Reverse(committed(id)));
}

/// A duration in model time, for ticks.
pub(crate) fn ticks(tick: Duration) -> Nanos {
    nanos(tick).max(1)
}
