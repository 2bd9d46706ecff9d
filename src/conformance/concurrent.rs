//! Concurrent: histories of several clients, judged for linearizability.

use super::clients::{Plan, Size};
use super::coverage::Tally;
use super::dice::Dice;
use super::disorder::{Disorder, Verdict};
use super::history::{History, Record};
use super::search::{Caught, Progress, Searcher};
use super::subject::Subject;
use super::workers;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use std::time::Duration;

/// What histories came to.
#[derive(Default)]
pub(super) struct Concurrent {
    pub(super) tally: Tally,
    /// What no order of its calls explains.
    pub(super) disorders: Vec<Disorder>,
    /// What the store answers wrong as well when one client calls at a time.
    pub(super) sequential: Vec<Caught>,
    /// Histories for which the search for an order was given up.
    pub(super) undecided: u64,
    /// Calls that failed with an error, so that whether they took effect is not known.
    pub(super) failed: u64,
}

/// How much is run.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) clients: usize,
    /// Histories of clients that are tasks.
    pub(super) tasks: usize,
    /// Histories of clients that are threads.
    pub(super) threads: usize,
}

/// A slow store gets no more time than this for each kind of history.
const LONGEST: Duration = Duration::from_secs(2);

/// Calls that overlap, in a history of threads, and how many times as many histories are run until
/// there are so many of them.
const ENOUGH: usize = 100;
const PATIENT: usize = 16;

impl<S: Subject> Searcher<'_, S> {
    /// Histories of several clients, as tasks and as threads.
    pub(super) fn concurrent(
        &self,
        budget: Budget,
        seed: u64,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Concurrent, String> {
        let mut found = Concurrent::default();
        let tell = |found: &Concurrent| {
            let planned = (budget.tasks + budget.threads) as u64;
            progress(Progress {
                search: "concurrent",
                done: found.tally.programs,
                // More are run where clients hardly meet.
                total: planned.max(found.tally.programs),
            });
        };
        self.tasks(budget, seed, &mut found)?;
        tell(&found);
        let clock = SystemClock::new();
        let (mut number, mut overlaps) = (0, 0);
        // Threads that take turns, on a machine that is busy with others, show nothing.
        while number < budget.threads
            || overlaps < ENOUGH * budget.threads && number < PATIENT * budget.threads
        {
            let mut dice = Dice::new(seed, u64::MAX - number as u64);
            let size = Size {
                clients: budget.clients,
                calls: if self.is_in_lockstep() { 1_000 } else { 50 },
                ids: 1 + number % 2,
            };
            let plan = Plan::draw::<S>(size, self.profile, self.tick, &mut dice);
            let records = plan.as_threads(self.subject);
            let records = records.map_err(|error| lost(&*error))?;
            overlaps += self.judge(records, Clause::Con1, &mut found);
            number += 1;
            tell(&found);
            // Of a store that is wrong when one client calls at a time, long histories show nothing
            // else.
            if clock.now() > LONGEST || found.sequential.len() > 2 {
                break;
            }
        }
        Ok(found)
    }

    fn tasks(&self, budget: Budget, seed: u64, found: &mut Concurrent) -> Result<(), String> {
        let clock = SystemClock::new();
        let runs = workers::each(budget.tasks, |number| {
            if clock.now() > LONGEST {
                return None;
            }
            let mut dice = Dice::new(seed, number as u64);
            let size = Size {
                clients: budget.clients.min(3),
                calls: 6,
                ids: 1 + number % 2,
            };
            let plan = Plan::draw::<S>(size, self.profile, self.tick, &mut dice);
            Some(plan.as_tasks(self.subject, &mut dice))
        });
        for run in runs.into_iter().flatten() {
            let records = run.map_err(|error| lost(&*error))?;
            self.judge(records, Clause::Con1, found);
        }
        Ok(())
    }

    /// Judges one history, which is for `clause`, and takes in what it shows. Says how many calls in
    /// it overlapped.
    pub(super) fn judge(
        &self,
        records: Vec<Record>,
        clause: Clause,
        found: &mut Concurrent,
    ) -> usize {
        let history = History::new(records);
        found.tally.programs += 1;
        found.tally.steps += history.records().len() as u64;
        found.failed += history.failed();
        let verdict = Disorder::of(&history, self.profile, clause);
        if !matches!(verdict, Verdict::Undecided) {
            history.exercise(&mut found.tally);
        }
        match verdict {
            Verdict::Explained => {}
            Verdict::Undecided => found.undecided += 1,
            Verdict::Wrong(disorder) => {
                let after = found.tally.programs;
                match self.one_at_a_time(&history, after) {
                    Some(caught) => found.sequential.push(caught),
                    None => found.disorders.push(Disorder { after, ..disorder }),
                }
            }
        }
        history.overlaps()
    }
}

pub(super) fn lost(error: &dyn std::error::Error) -> String {
    format!("there is no store to check: {error}")
}
