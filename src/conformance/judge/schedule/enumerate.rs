//! Enumerate: every order in which the clients of a program can be polled, those with the fewest preemptions
//! first.
//!
//! A preemption is a turn of another client while the one before is awake. Each schedule is made of turns that
//! are given and a rest without a preemption, and leads to those that differ from it in one turn of the rest
//! (iterative context bounding: Musuvathi and Qadeer, *Iterative context bounding for systematic testing of
//! multithreaded programs*, 2007). Nothing is taken to commute.

use super::execute_tasks;
use super::execution::Execution;
use super::tasks::{Choice, Rest};
use crate::conformance::program::Program;
use crate::conformance::program::shape::{Poll, Schedule};
use crate::conformance::subject::erased::ErasedSubject;
use crate::store::BoxError;
use std::collections::VecDeque;

/// Which schedules of a program are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Turns from this one on are not varied.
    pub(crate) polls: usize,
    /// The most preemptions.
    pub(crate) preemptions: usize,
    /// The most schedules.
    pub(crate) schedules: usize,
}

/// The schedules of a program in which clients meet once, as tasks.
pub(crate) struct Schedules<'a> {
    subject: &'a dyn ErasedSubject,
    program: &'a Program,
    bounds: Bounds,
    /// Turns to begin with, by how many preemptions they have.
    frontier: Vec<VecDeque<Vec<Poll>>>,
    made: usize,
    /// Something was left out: more schedules, or turns of calls that the store wakes from outside.
    is_cut: bool,
}

impl<'a> Schedules<'a> {
    pub(crate) fn new(
        subject: &'a dyn ErasedSubject,
        program: &'a Program,
        bounds: Bounds,
    ) -> Self {
        Self {
            subject,
            program,
            bounds,
            frontier: vec![VecDeque::from([Vec::new()])],
            made: 0,
            is_cut: false,
        }
    }

    /// Whether not all schedules within the preemptions were made.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut || self.frontier.iter().any(|turns| !turns.is_empty())
    }

    /// Adds what differs from a schedule in one turn of its rest.
    fn vary(&mut self, made: &[Poll], given: usize, preemptions: usize, rest: &[Choice]) {
        let mut preemptions = preemptions;
        for (at, choice) in (given..).zip(rest) {
            let is_awake = choice.last.is_some_and(|last| choice.awake.contains(&last));
            let others = choice.awake.iter().filter(|other| **other != choice.chosen);
            for other in others {
                let is_preemption = is_awake && choice.last != Some(*other);
                let preemptions = preemptions + usize::from(is_preemption);
                if preemptions > self.bounds.preemptions {
                    continue;
                }
                if at >= self.bounds.polls || made.len() <= at {
                    self.is_cut = true;
                    continue;
                }
                let turns = made[..at].iter().copied().chain([Poll::Woken(*other)]);
                if self.frontier.len() <= preemptions {
                    self.frontier.resize_with(preemptions + 1, VecDeque::new);
                }
                self.frontier[preemptions].push_back(turns.collect());
            }
            // After many turns in a row, another has one.
            preemptions += usize::from(is_awake && choice.last != Some(choice.chosen));
        }
    }
}

impl Iterator for Schedules<'_> {
    type Item = Result<Execution, BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.made >= self.bounds.schedules {
            return None;
        }
        let preemptions = self.frontier.iter().position(|turns| !turns.is_empty())?;
        let turns = self.frontier[preemptions].pop_front()?;
        self.made += 1;
        let given = turns.len();
        let program = self.program.with_schedules(vec![Schedule::Polls(turns)]);
        let mut rest = Vec::new();
        let execution = execute_tasks(self.subject, &program, &mut Rest::Noted(&mut rest));
        if let Ok(execution) = &execution {
            let schedules = execution.program.together().first();
            match schedules.map(|together| &together.schedule) {
                Some(Schedule::Polls(made)) if execution.luck.is_none() => {
                    self.vary(made, given, preemptions, &rest);
                }
                _ => self.is_cut = true,
            }
        }
        Some(execution)
    }
}
