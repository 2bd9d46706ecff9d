//! Schedule: programs whose calls overlap or are cancelled, made on a fresh store.
//!
//! Clients are tasks on one thread, polled in an order that is drawn or given, so that every point at
//! which a call waits is a place where another may come between; or threads, for what happens between
//! two instructions. What is drawn is noted, so that it can be made again.

mod act;
mod client;
mod enumerate;
mod execution;
pub(crate) mod holds;
mod outside;
mod scene;
mod signal;
mod standing;
mod tasks;
pub(crate) mod threads;
mod turns;
mod underway;

pub(crate) use enumerate::{Bounds, Schedules};
pub(crate) use execution::{Execution, Luck};

use super::history::Course;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::Program;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Schedule, Step, Together};
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::{panics, watch};
use crate::store::BoxError;
use client::World;
use std::sync::Arc;
use std::time::Duration;
use tasks::Rest;
use underway::Underway;

/// Makes a program on a fresh store; what is left open in its schedule is drawn.
///
/// # Errors
/// When there is no store to be had, or its time cannot be moved.
pub(crate) fn execute(
    subject: &dyn ErasedSubject,
    program: &Program,
    rng: &mut Rng,
) -> Result<Execution, BoxError> {
    let threads = threads_of(program);
    match threads > 0 {
        true => threads::execute(subject, program, threads, rng.clone()),
        false => execute_tasks(subject, program, &mut Rest::Drawn(rng)),
    }
}

/// Makes a program whose clients are tasks, on a fresh store.
fn execute_tasks(
    subject: &dyn ErasedSubject,
    program: &Program,
    rest: &mut Rest<'_>,
) -> Result<Execution, BoxError> {
    let underway = Arc::new(Underway::new(program));
    watch::running(Arc::clone(&underway) as _);
    let run = || {
        let made = async {
            let instance = subject.fresh().await?;
            let course = Course::of(subject.passing());
            let world = World {
                program,
                instance: &*instance,
                course: &course,
            };
            let mut records = Vec::new();
            for step in program.steps() {
                let goes_on = match step {
                    Step::One { at } => world.one(at, &mut records).await?,
                    Step::Together { clients, together } => {
                        let theirs = tasks::together(&world, &clients, together, rest, &underway);
                        records.extend(theirs.await?);
                        true
                    }
                };
                if !goes_on {
                    break;
                }
            }
            Ok::<_, BoxError>(records)
        };
        subject.block_on(outside::noted(made, &underway))
    };
    let run = panics::silently(|| panics::catching(run));
    // A store that panics when it is made or goes has been told of by now.
    let records = run.unwrap_or_else(|_| Ok(Vec::new()))?;
    Ok(Execution {
        records,
        program: underway.as_run(),
        luck: underway.luck(),
        came: underway.came(),
    })
}

/// Calls meet by luck where a schedule does not say all: they try so often, after a few for no longer than
/// this.
const TRIES: u32 = 256;
const FEW: u32 = 8;
const LONGEST: Duration = Duration::from_millis(50);

/// What comes of a program in the schedule that it gives; where that is none, or does not say all, again
/// and again, in others. What that takes is told to `spend`, as far as others on the machine do not hold
/// it up: every try counts as much as the quickest. So it is not for how busy the machine is to say how
/// many there are.
pub(crate) fn executions<'a>(
    subject: &'a dyn ErasedSubject,
    program: &'a Program,
    spend: &'a mut dyn FnMut(Duration),
) -> impl Iterator<Item = Result<Execution, BoxError>> + 'a {
    let (clock, mut began, mut quickest) = (SystemClock::new(), None, Duration::MAX);
    let mut is_settled = false;
    (0..).map_while(move |number| {
        let now = clock.now();
        if let Some(began) = began.replace(now) {
            quickest = quickest.min(now.saturating_sub(began));
            spend(quickest);
        }
        let may_go_on = number < FEW || number < TRIES && quickest.saturating_mul(number) < LONGEST;
        if is_settled || !may_go_on {
            return None;
        }
        let again = as_try(program, number);
        let execution = execute(subject, &again, &mut Rng::new(0, number.into()));
        is_settled = execution
            .as_ref()
            .is_ok_and(|execution| execution.luck.is_none() && !is_drawn(program));
        Some(execution)
    })
}

/// The program as it is tried for this time: of an order of polls that does not say all, every second one
/// is drawn.
fn as_try(program: &Program, number: u32) -> Program {
    let schedule = |one: &Together| match &one.schedule {
        Schedule::Polls(_) if number % 2 == 1 => Schedule::Drawn,
        given => given.clone(),
    };
    program.with_schedules(program.together().iter().map(schedule).collect())
}

/// Whether its schedule is drawn anew each time.
fn is_drawn(program: &Program) -> bool {
    let is_drawn = |one: &Together| one.schedule == Schedule::Drawn;
    program.together().iter().any(is_drawn)
}

/// How many clients there are at a time that are threads.
fn threads_of(program: &Program) -> usize {
    let together = program.together().iter();
    let of_threads = together.filter(|one| matches!(one.schedule, Schedule::Threads(_)));
    of_threads.map(Together::clients).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
