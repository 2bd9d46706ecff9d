//! Concurrent: histories of several clients, judged for linearizability.

use super::clients::bursts;
use super::plan::{Plan, Size};
use super::scenario::Scenario;
use super::{Caught, Progress, Searcher};
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::history::{History, Record};
use crate::conformance::judge::nonlinearizable::{self, Anomaly, Verdict};
use crate::conformance::program::dice::Dice;
use crate::conformance::subject::Passing;
use crate::conformance::subject::workers;
use std::cell::Cell;
use std::time::Duration;

/// What histories came to.
#[derive(Default)]
pub(crate) struct Concurrent {
    pub(crate) tally: Tally,
    /// What no order of its calls explains.
    pub(crate) anomalies: Vec<Anomaly>,
    /// What the store answers wrong as well when one client calls at a time.
    pub(crate) sequential: Vec<Caught>,
    /// Histories for which the search for an order was given up.
    pub(crate) undecided: u64,
    /// Calls that failed with an error, so that whether they took effect is not known.
    pub(crate) failed: u64,
}

impl Concurrent {
    /// Notes how what was found since there were so many anomalies was made. Of very many calls, nobody
    /// finds those that matter in time.
    fn note(&mut self, before: usize, plan: &Plan, made: fn(Plan) -> Scenario) {
        const MOST: usize = 64;
        for anomaly in &mut self.anomalies[before..] {
            anomaly.scenario = (plan.calls() <= MOST).then(|| Box::new(made(plan.clone())));
        }
    }

    /// More of the same would be found, if anything.
    pub(crate) fn is_plenty(&self) -> bool {
        self.anomalies.len() >= PLENTY || self.sequential.len() >= 10 * PLENTY
    }
}

/// How much is run.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) clients: usize,
    /// So many histories of a kind of those of tasks are run however slow the store is.
    pub(crate) sure: usize,
    /// Short histories, of clients that are tasks, and as many of clients that are threads.
    pub(crate) short: usize,
    /// Long histories of clients that are tasks.
    pub(crate) tasks: usize,
    /// Long histories of clients that are threads.
    pub(crate) threads: usize,
}

/// A slow store gets no more time than this for each kind of history.
pub(crate) const LONGEST: Duration = Duration::from_secs(2);

/// Where somebody says how much is searched, so many histories of a kind are none too many: what is found
/// is not for the machine to say, which may be busy with others.
pub(crate) const SURE: usize = 5_000;

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

/// What goes wrong after many calls only, may do so with one client too: each of the first wrong long
/// histories is made in so many orders with one call at a time.
const DOUBTED: usize = 8;
const TURNS: usize = 16;

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
    fn dice(self, seed: u64, number: usize) -> Dice {
        Dice::new(seed, ((self as u64) << 48) + number as u64)
    }
}

impl Searcher<'_> {
    /// Histories of several clients, as tasks and as threads.
    pub(crate) fn concurrent(
        &self,
        budget: Budget,
        seed: u64,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Concurrent, String> {
        let mut found = Concurrent::default();
        let tell = |found: &Concurrent| {
            let planned = (2 * budget.short + budget.tasks + budget.threads) as u64;
            progress(Progress {
                search: "concurrent",
                done: found.tally.programs,
                // More are run where clients hardly meet.
                total: planned.max(found.tally.programs),
            });
        };
        self.short_tasks(budget, seed, &mut found)?;
        tell(&found);
        self.lingering(budget, seed, &mut found)?;
        self.long_tasks(budget, seed, &mut found)?;
        tell(&found);
        self.short_threads(2, Stream::Pairs, budget.short / 2, seed, &mut found)?;
        let crowd = budget.clients.min(4);
        self.short_threads(crowd, Stream::Crowds, budget.short / 2, seed, &mut found)?;
        tell(&found);
        self.long_threads(budget, seed, &mut found, tell)?;
        Ok(found)
    }

    fn short_tasks(&self, budget: Budget, seed: u64, found: &mut Concurrent) -> Result<(), String> {
        let clock = SystemClock::new();
        let runs = workers::each(budget.short, |number| {
            if number >= budget.sure && clock.now() > LONGEST {
                return None;
            }
            let mut dice = Stream::ShortTasks.dice(seed, number);
            let crowd = 2 + number % (budget.clients.min(3) - 1);
            // What hangs ends the check, so the shortest come first.
            let plan = match 4 * number / budget.short {
                0 => Plan::short(self, 2, 1, &mut dice),
                1 => Plan::meeting(self, 2, &mut dice),
                _ => Plan::short(self, crowd, 2, &mut dice),
            };
            let records = plan.as_tasks(self.subject, &mut dice);
            Some((plan, records))
        });
        for (plan, records) in runs.into_iter().flatten() {
            if found.is_plenty() {
                break;
            }
            let records = records.map_err(|error| lost(&*error))?;
            self.judge_short(&plan, Scenario::Tasks, records, Clause::Con1, found);
        }
        Ok(())
    }

    /// Few histories with time between the calls, for a store that sweeps on a thread of its own. Where time
    /// is not a manual clock's, there is some anyway.
    fn lingering(&self, budget: Budget, seed: u64, found: &mut Concurrent) -> Result<(), String> {
        const MOST: usize = 64;
        const THREADS: usize = 32;
        if self.subject.passing() != Passing::Injected {
            return Ok(());
        }
        let runs = workers::each_on(THREADS, MOST.min(budget.short / 16), |number| {
            let mut dice = Stream::Lingering.dice(seed, number);
            let plan = Plan::meeting(self, 2, &mut dice).lingering(&mut dice);
            let records = plan.as_tasks(self.subject, &mut dice);
            (plan, records)
        });
        for (plan, records) in runs {
            let records = records.map_err(|error| lost(&*error))?;
            self.judge_short(&plan, Scenario::Tasks, records, Clause::Con1, found);
        }
        Ok(())
    }

    fn long_tasks(&self, budget: Budget, seed: u64, found: &mut Concurrent) -> Result<(), String> {
        let clock = SystemClock::new();
        let runs = workers::each(budget.tasks, |number| {
            if number >= budget.sure && clock.now() > LONGEST {
                return None;
            }
            let mut dice = Stream::LongTasks.dice(seed, number);
            let size = Size {
                clients: budget.clients.min(3),
                calls: 6,
                ids: 1 + number % 2,
            };
            let plan = Plan::long(self, size, &mut dice);
            let records = plan.as_tasks(self.subject, &mut dice);
            Some((plan, records))
        });
        for (plan, records) in runs.into_iter().flatten() {
            let records = records.map_err(|error| lost(&*error))?;
            self.judge_long(&plan, Scenario::Tasks, records, found);
        }
        Ok(())
    }

    fn short_threads(
        &self,
        clients: usize,
        stream: Stream,
        most: usize,
        seed: u64,
        found: &mut Concurrent,
    ) -> Result<(), String> {
        let clock = SystemClock::new();
        let before = found.anomalies.len();
        let (mut number, wrong) = (0, Cell::new(before));
        let next = || {
            let go_on = number < most && clock.now() < BURSTS && wrong.get() < before + PLENTY;
            let mut dice = stream.dice(seed, number);
            number += 1;
            go_on.then(|| match 4 * number / most.max(1) {
                0 => Plan::short(self, clients, 1, &mut dice),
                1 => Plan::meeting(self, clients, &mut dice),
                _ => Plan::short(self, clients, 2, &mut dice),
            })
        };
        let take = |plan: &Plan, records| {
            self.judge_short(plan, Scenario::Threads, records, Clause::Con1, found);
            wrong.set(found.anomalies.len());
        };
        let dice = stream.dice(seed, most);
        bursts(self.subject, clients, dice, next, take).map_err(|error| lost(&*error))
    }

    fn long_threads(
        &self,
        budget: Budget,
        seed: u64,
        found: &mut Concurrent,
        tell: impl Fn(&Concurrent),
    ) -> Result<(), String> {
        let clock = SystemClock::new();
        let (mut number, mut overlaps, mut sequential) = (0, 0, 0);
        loop {
            // Threads that take turns, on a machine that is busy with others, show nothing.
            let is_enough = number >= budget.threads
                && (overlaps >= ENOUGH * budget.threads || number >= PATIENT * budget.threads);
            let have_met = Clause::CONCURRENT
                .iter()
                .all(|clause| found.tally.exercised(*clause) > 0);
            let is_late = match have_met {
                true => clock.now() > LONGEST,
                false => clock.now() > HOPELESS && number >= HOPELESS_TRIES,
            };
            // Of a store that is wrong when one client calls at a time, long histories show nothing
            // else.
            if have_met && (is_enough || sequential > 2) || is_late {
                break;
            }
            let mut dice = Stream::LongThreads.dice(seed, number);
            let size = Size {
                clients: budget.clients,
                calls: if self.is_in_lockstep() { 1_000 } else { 50 },
                ids: 1 + number % 2,
            };
            let plan = Plan::long(self, size, &mut dice);
            let records = plan.as_threads(self.subject, dice);
            let records = records.map_err(|error| lost(&*error))?;
            if records.is_empty() {
                break;
            }
            let before = found.sequential.len();
            overlaps += self.judge_long(&plan, Scenario::Threads, records, found);
            sequential += found.sequential.len() - before;
            number += 1;
            tell(found);
        }
        Ok(())
    }

    /// Judges what came of a long plan.
    fn judge_long(
        &self,
        plan: &Plan,
        made: fn(Plan) -> Scenario,
        records: Vec<Record>,
        found: &mut Concurrent,
    ) -> usize {
        let is_doubted = found.anomalies.len() < DOUBTED;
        let one_at_a_time = |history: &History, after| {
            let as_it_was = self.one_at_a_time(history, after);
            as_it_was.or_else(|| {
                let mut dice = Dice::new(0, after);
                let turns = if is_doubted { TURNS } else { 0 };
                (0..turns).find_map(|_| self.alone(plan.in_some_turn(&mut dice), after))
            })
        };
        let before = found.anomalies.len();
        let overlaps = self.judge(records, Clause::Con1, found, one_at_a_time);
        found.note(before, plan, made);
        overlaps
    }

    /// Judges what came of a short plan, which was run for the sake of `clause`.
    pub(crate) fn judge_short(
        &self,
        plan: &Plan,
        made: fn(Plan) -> Scenario,
        records: Vec<Record>,
        clause: Clause,
        found: &mut Concurrent,
    ) {
        let in_some_order = |history: &History, after| {
            let as_it_was = self.in_some_order(history.records(), after);
            as_it_was.or_else(|| {
                let mut orders = plan.orders(Dice::new(0, after));
                orders.find_map(|ops| self.alone(ops, after))
            })
        };
        let before = found.anomalies.len();
        self.judge(records, clause, found, in_some_order);
        found.note(before, plan, made);
    }

    /// Judges one history, which is for `clause`, and takes in what it shows: `one_at_a_time` says
    /// whether its calls are answered wrong without another at the same time. Says how many overlapped.
    pub(crate) fn judge(
        &self,
        records: Vec<Record>,
        clause: Clause,
        found: &mut Concurrent,
        one_at_a_time: impl FnOnce(&History, u64) -> Option<Caught>,
    ) -> usize {
        let history = History::new(records);
        found.tally.programs += 1;
        found.tally.steps += history.records().len() as u64;
        found.failed += history.failed();
        let verdict = nonlinearizable::judge(&history, self.profile, clause);
        if !matches!(verdict, Verdict::Undecided) {
            history.exercise(&mut found.tally);
        }
        match verdict {
            Verdict::Explained => {}
            Verdict::Undecided => found.undecided += 1,
            Verdict::Wrong(anomaly) => {
                let after = found.tally.programs;
                let needed = self.in_some_order(&anomaly.records, after);
                match needed.or_else(|| one_at_a_time(&history, after)) {
                    Some(caught) => found.sequential.push(caught),
                    None => found.anomalies.push(Anomaly { after, ..anomaly }),
                }
            }
        }
        history.overlaps()
    }
}

pub(crate) fn lost(error: &dyn std::error::Error) -> String {
    format!("there is no store to check: {error}")
}

#[cfg(test)]
mod tests;
