//! Held: small plans of two clients that are threads, one of them held at each place inside its call at which
//! code of this crate runs. What concurrent leaves to luck, this enumerates, as far as there is a place.

use super::concurrent::{self, is_plenty, scene};
use super::context::{Context, Progress};
use super::definition::{Search, Takes};
use super::found::Found;
use super::histories::judge;
use crate::clause::Clause;
use crate::conformance::judge::runner::no_store;
use crate::conformance::judge::schedule::Execution;
use crate::conformance::judge::schedule::holds::{self, Bounds, Made};
use crate::conformance::program::overlapping::Scene;
use crate::conformance::program::{Program, plans};
use crate::conformance::subject::workers;
use crate::model::Op;
use crate::store::BoxError;
use std::collections::HashSet;
use std::ops::RangeInclusive;

/// Two threads, and every place at which one can be held.
pub(crate) const SEARCH: Search = Search {
    name: "held",
    runs: "two clients that are threads, with a call each, after every state of the ids: one is held at every \
           place inside its call at which code of this crate runs, while the other comes first",
    takes: Takes::Histories,
    shows: concurrent::SEARCH.shows,
    fits: concurrent::SEARCH.fits,
    // So many schedules at most.
    share: |budget| 2 * budget.sequences,
    weight: 3,
    run,
};

/// Plans that are made at a time.
const AT_A_TIME: usize = 32;

fn run(context: &Context<'_>) -> Result<Found, String> {
    let scene = Scene {
        threads: true,
        ..scene(context)
    };
    let plans = plans::of_one_call_each(scene);
    let with_one = plans.iter().map(|plan| (plan, 0..=1));
    let on_one_id = plans.iter().filter(|plan| is_on_one_id(plan));
    let passes: Vec<_> = with_one
        .chain(on_one_id.map(|plan| (plan, 2..=2)))
        .collect();
    let most = (SEARCH.share)(&context.budget) as u64;
    let (mut found, mut all) = (Found::default(), Made::default());
    for (chunk, some) in passes.chunks(AT_A_TIME).enumerate() {
        if is_plenty(&found) {
            break;
        }
        let made = found.tally.programs;
        if context.runner.until.is_over() || made >= most {
            found.left_out += some.len() as u64;
            continue;
        }
        let runs = workers::each(some.len(), |at| {
            let (plan, holds) = &some[at];
            all_of(context, plan, holds, most - made)
        });
        for run in runs {
            let (executions, made) = run.map_err(|error| no_store(&*error))?;
            all = all.and(made);
            for execution in executions {
                judge(context, execution, Clause::Con1, &mut found);
            }
        }
        let done = chunk * AT_A_TIME + some.len();
        (context.progress)(Progress::new(SEARCH.name, done as u64, passes.len() as u64));
    }
    found.claim = claim(
        all,
        (plans.len() as u64).min(passes.len() as u64 - found.left_out),
    );
    Ok(found)
}

/// What comes of a plan, with so many held wherever they can be.
fn all_of(
    context: &Context<'_>,
    plan: &Program,
    holds: &RangeInclusive<usize>,
    most: u64,
) -> Result<(Vec<Execution>, Made), BoxError> {
    let bounds = Bounds {
        fewest: *holds.start(),
        holds: *holds.end(),
        schedules: usize::try_from(most).unwrap_or(usize::MAX),
    };
    let mut executions = Vec::new();
    let take = |execution| {
        executions.push(execution);
        !context.runner.until.is_over()
    };
    let made = holds::each(context.runner.subject, plan, bounds, take)?;
    Ok((executions, made))
}

/// Whether it has but one id by the time the clients have met.
fn is_on_one_id(plan: &Program) -> bool {
    let met = plan.together().last().map_or(0, |last| last.places().end);
    let ids: HashSet<_> = plan.ops()[..met].iter().filter_map(Op::id).collect();
    ids.len() < 2
}

fn claim(made: Made, plans: u64) -> String {
    let Made {
        whole,
        let_go,
        without_place,
        is_cut,
    } = made;
    let mut claim = format!(
        "{{programs}} schedules of {plans} plans of a call on one thread against a call on another, one held \
         where code of session-spec runs inside its call, or both in turn where there is but one id: {whole} ran one at a time"
    );
    if let_go > 0 {
        claim += &format!("; in {let_go} the other stood still, and the one held was let go");
    }
    if without_place > 0 {
        claim += &format!("; {without_place} calls had no place to be held at, and go by luck");
    }
    if is_cut {
        claim += "; of some plans not all were made";
    }
    claim
}
