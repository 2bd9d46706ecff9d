//! Concurrent: histories of several clients, judged for linearizability.

use super::context::{Context, Progress};
use super::definition::{Search, Takes};
use super::found::Found;
use super::histories::judge;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::runner::no_store;
use crate::conformance::judge::schedule::{execute, threads};
use crate::conformance::program::Program;
use crate::conformance::program::overlapping::{Scene, Size};
use crate::conformance::program::rng::Rng;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::{Passing, workers};
use std::cell::Cell;
use std::time::Duration;

/// Clients that call at the same time.
pub(crate) const SEARCH: Search = Search {
    name: "concurrent",
    runs: "several clients that call at once, as tasks and as threads, in histories that are judged for \
           linearizability",
    takes: Takes::Histories,
    // A panic or a hang where calls meet is ERR-1, of a store whose calls may meet.
    shows: |clause| clause == Clause::Err1 || Clause::CONCURRENT.contains(&clause),
    fits: |context| {
        let profile = context.runner.profile;
        let is_claimed = |clause: &Clause| profile.why_unclaimed(*clause).is_none();
        context.budget.clients > 1 && Clause::CONCURRENT.iter().any(is_claimed)
    },
    share: |budget| budget.sequences,
    weight: 4,
    run,
};

/// A slow store gets no more time than this for each kind of history.
pub(super) const LONGEST: Duration = Duration::from_secs(2);

/// Where somebody says how much is searched, so many histories of a kind are none too many: what is found
/// is not for the machine to say, which may be busy with others.
pub(super) const SURE: usize = 5_000;

/// Clients that have not met by then, and in so many histories, never do.
const HOPELESS: Duration = Duration::from_secs(15);
const HOPELESS_TRIES: usize = 64;

/// Short histories of threads end after this. Two at a time meet more often than many do.
const BURSTS: Duration = Duration::from_millis(300);

/// Calls that overlap, in a history of threads, and how many times as many histories are run until
/// there are so many of them.
const ENOUGH: usize = 100;
const PATIENT: usize = 16;

/// So many wrong histories of a kind are plenty.
const PLENTY: usize = 100;

/// One kind of history draws other numbers from a seed than another.
#[derive(Clone, Copy)]
enum Stream {
    LongTasks,
    ShortTasks,
    Pairs,
    Crowds,
    LongThreads,
    Lingering,
}

impl Stream {
    fn rng(self, seed: u64, number: usize) -> Rng {
        Rng::new(seed, ((self as u64) << 48) + number as u64)
    }
}

/// What is run of each kind.
struct Kinds<'a> {
    context: &'a Context<'a>,
    tasks: Scene<'a>,
    threads: Scene<'a>,
    /// Short histories, of clients that are tasks, and as many of clients that are threads.
    short: usize,
    /// Long histories of clients that are tasks.
    long: usize,
    /// Long histories of clients that are threads.
    long_threads: usize,
    /// So many of a kind of those of tasks are run however slow the store is.
    sure: usize,
}

fn run(context: &Context<'_>) -> Result<Found, String> {
    let sequences = context.budget.sequences;
    let tasks = scene(context);
    let kinds = Kinds {
        context,
        tasks,
        threads: Scene {
            threads: true,
            ..tasks
        },
        short: sequences / 2,
        long: sequences / 20,
        long_threads: (sequences / 500).clamp(4, 1_000),
        sure: sure(context),
    };
    let mut found = Found::default();
    kinds.short_tasks(&mut found)?;
    kinds.report_progress(&found);
    kinds.lingering(&mut found)?;
    kinds.long_tasks(&mut found)?;
    kinds.report_progress(&found);
    kinds.short_threads(2, Stream::Pairs, &mut found)?;
    let crowd = context.budget.clients.min(4);
    kinds.short_threads(crowd, Stream::Crowds, &mut found)?;
    kinds.report_progress(&found);
    kinds.long_threads(&mut found)?;
    found.claim = format!(
        "{{programs}} histories of up to {} clients at once on one or two ids, as tasks polled in random \
         order and as threads, judged for linearizability id by id",
        context.budget.clients
    );
    Ok(found)
}

/// What programs of several tasks are drawn for.
pub(super) fn scene<'a>(context: &Context<'a>) -> Scene<'a> {
    let runner = context.runner;
    let at_will = runner.subject.passing() != Passing::Waiting;
    Scene {
        supported: &runner.profile.supported,
        // Where time must be waited for, lives are to end while the clients are still at it.
        tick: match at_will {
            true => runner.tick,
            false => (2 * nanos(runner.profile.resolution)).max(2_000_000),
        },
        at_will,
        threads: false,
    }
}

/// How many histories of a kind are run however slow the store is.
pub(super) fn sure(context: &Context<'_>) -> usize {
    if context.budget.is_asked_for { SURE } else { 0 }
}

/// More of the same would be found, if anything.
pub(super) fn is_plenty(found: &Found) -> bool {
    found.anomalies.len() >= PLENTY || found.sequential >= 10 * PLENTY
}

impl Kinds<'_> {
    fn report_progress(&self, found: &Found) {
        // More are run where clients hardly meet.
        let planned = (2 * self.short + self.long + self.long_threads) as u64;
        (self.context.progress)(Progress::new(
            SEARCH.name,
            found.tally.programs,
            planned.max(found.tally.programs),
        ));
    }

    /// Histories of tasks, each drawn by its number, until they are plenty, or take too long.
    fn of_tasks(
        &self,
        stream: Stream,
        most: usize,
        draw: impl Fn(usize, &mut Rng) -> Program + Sync,
        found: &mut Found,
    ) -> Result<(), String> {
        let clock = SystemClock::new();
        let context = self.context;
        let runs = workers::each(most, |number| {
            let is_late = match context.runner.is_in_lockstep() {
                true => false,
                false => number >= self.sure && clock.now() > LONGEST,
            };
            if is_late || context.runner.until.is_over() {
                return None;
            }
            let mut rng = stream.rng(context.seed, number);
            let program = draw(number, &mut rng);
            Some(execute(context.runner.subject, &program, &mut rng))
        });
        for execution in runs.into_iter().flatten() {
            if is_plenty(found) {
                break;
            }
            let execution = execution.map_err(|error| no_store(&*error))?;
            judge(context, execution, Clause::Con1, found);
        }
        Ok(())
    }

    fn short_tasks(&self, found: &mut Found) -> Result<(), String> {
        let most = self.short;
        let crowds = self.context.budget.clients.min(3) - 1;
        let draw = |number: usize, rng: &mut Rng| {
            // What hangs ends the check, so the shortest come first.
            match 4 * number / most {
                0 => self.tasks.short(2, 1, rng),
                1 => self.tasks.meeting(2, rng),
                _ => self.tasks.short(2 + number % crowds, 2, rng),
            }
        };
        self.of_tasks(Stream::ShortTasks, most, draw, found)
    }

    fn long_tasks(&self, found: &mut Found) -> Result<(), String> {
        let draw = |number: usize, rng: &mut Rng| {
            let size = Size {
                clients: self.context.budget.clients.min(3),
                calls: 6,
                ids: 1 + number % 2,
            };
            self.tasks.long(size, rng)
        };
        self.of_tasks(Stream::LongTasks, self.long, draw, found)
    }

    /// Few histories with time between the calls, for a store that sweeps on a thread of its own. Where
    /// time is not a manual clock's, there is some anyway.
    fn lingering(&self, found: &mut Found) -> Result<(), String> {
        const MOST: usize = 64;
        const THREADS: usize = 32;
        let context = self.context;
        if !context.runner.is_exact() {
            return Ok(());
        }
        let runs = workers::each_on(THREADS, MOST.min(self.short / 16), |number| {
            let mut rng = Stream::Lingering.rng(context.seed, number);
            let program = self.tasks.lingering(2, &mut rng);
            execute(context.runner.subject, &program, &mut rng)
        });
        for execution in runs {
            let execution = execution.map_err(|error| no_store(&*error))?;
            judge(context, execution, Clause::Con1, found);
        }
        Ok(())
    }

    fn short_threads(
        &self,
        clients: usize,
        stream: Stream,
        found: &mut Found,
    ) -> Result<(), String> {
        let (context, most, clock) = (self.context, self.short / 2, SystemClock::new());
        let before = found.anomalies.len();
        let (mut number, wrong) = (0, Cell::new(before));
        let next = || {
            // Where nothing else ends it, counts do, so that it is for no machine to say how many there are.
            let is_late = !context.runner.is_in_lockstep() && clock.now() >= BURSTS;
            let is_over = is_late || context.runner.until.is_over();
            let go_on = number < most && !is_over && wrong.get() < before + PLENTY;
            let mut rng = stream.rng(context.seed, number);
            number += 1;
            go_on.then(|| match 4 * number / most.max(1) {
                0 => self.threads.short(clients, 1, &mut rng),
                1 => self.threads.meeting(clients, &mut rng),
                _ => self.threads.short(clients, 2, &mut rng),
            })
        };
        let take = |execution| {
            judge(context, execution, Clause::Con1, found);
            wrong.set(found.anomalies.len());
        };
        let rng = stream.rng(context.seed, most);
        threads::execute_each(context.runner.subject, clients, rng, next, take)
            .map_err(|error| no_store(&*error))
    }

    fn long_threads(&self, found: &mut Found) -> Result<(), String> {
        let (context, clock, most) = (self.context, SystemClock::new(), self.long_threads);
        let (mut number, mut overlaps, mut sequential) = (0, 0, 0);
        loop {
            // Threads that take turns, on a machine that is busy with others, show nothing.
            let is_enough =
                number >= most && (overlaps >= ENOUGH * most || number >= PATIENT * most);
            let have_met = Clause::CONCURRENT
                .iter()
                .all(|clause| found.tally.exercised(*clause) > 0);
            let is_late = match have_met {
                true => clock.now() > LONGEST,
                false => clock.now() > HOPELESS && number >= HOPELESS_TRIES,
            };
            // Of a store that is wrong when one client calls at a time, long histories show nothing
            // else.
            let is_over = is_late || context.runner.until.is_over();
            if have_met && (is_enough || sequential > 2) || is_over {
                return Ok(());
            }
            let mut rng = Stream::LongThreads.rng(context.seed, number);
            let size = Size {
                clients: context.budget.clients,
                calls: if context.runner.is_in_lockstep() {
                    1_000
                } else {
                    50
                },
                ids: 1 + number % 2,
            };
            let program = self.threads.long(size, &mut rng);
            let execution = execute(context.runner.subject, &program, &mut rng);
            let execution = execution.map_err(|error| no_store(&*error))?;
            if execution.records.is_empty() {
                return Ok(());
            }
            let before = found.sequential;
            overlaps += judge(context, execution, Clause::Con1, found);
            sequential += found.sequential - before;
            number += 1;
            self.report_progress(found);
        }
    }
}
