//! Schedules: small plans of two clients, in every order in which they can be polled. What concurrent draws, this
//! enumerates.

use super::concurrent::{self, is_plenty, scene};
use super::context::{Context, Progress};
use super::definition::{Search, Takes};
use super::found::Found;
use super::histories::judge;
use crate::clause::Clause;
use crate::conformance::judge::runner::no_store;
use crate::conformance::judge::schedule::{Bounds, Execution, Schedules};
use crate::conformance::program::{Program, plans};
use crate::conformance::subject::workers;
use crate::store::BoxError;

/// Two clients, and every order of their polls.
pub(crate) const SEARCH: Search = Search {
    name: "schedules",
    runs: "two clients with a call or two each, or three with one, after every state of the ids: every order of \
           polls, those with the fewest preemptions first",
    takes: Takes::Histories,
    shows: concurrent::SEARCH.shows,
    fits: concurrent::SEARCH.fits,
    // So many schedules at most.
    share: |budget| 5 * budget.sequences,
    weight: 3,
    run,
};

/// Of a call against another, every order of so many polls; of more calls, those with so many preemptions, and so
/// many of a plan.
const POLLS: usize = 12;
const PREEMPTIONS: usize = 2;
const SCHEDULES: usize = 500;

/// Plans that are made at a time.
const AT_A_TIME: usize = 32;

/// What was made of some plans.
#[derive(Default)]
struct Made {
    schedules: u64,
    /// Plans of which not all schedules were made.
    cut: u64,
    /// Plans that were not begun.
    left_out: u64,
}

fn run(context: &Context<'_>) -> Result<Found, String> {
    let every = Bounds {
        polls: POLLS,
        preemptions: usize::MAX,
        schedules: usize::MAX,
    };
    let few = Bounds {
        polls: usize::MAX,
        preemptions: PREEMPTIONS,
        schedules: SCHEDULES,
    };
    let scene = scene(context);
    let mut found = Found::default();
    let one_each = plans::of_one_call_each(scene);
    let more = plans::of_more_calls(scene);
    let total = (one_each.len() + more.len()) as u64;
    let of_one = of_plans(context, &one_each, every, (0, total), &mut found)?;
    let of_more = of_plans(
        context,
        &more,
        few,
        (one_each.len() as u64, total),
        &mut found,
    )?;
    found.left_out = of_one.left_out + of_more.left_out;
    let part = |plans: &[Program], made: &Made| {
        let begun = plans.len() as u64 - made.left_out;
        let whole = begun - made.cut;
        match made.cut {
            0 => format!("{begun} plans"),
            _ => format!("{whole} plans, and some of {} others", made.cut),
        }
    };
    found.claim = format!(
        "{{programs}} schedules: every order of polls of {} of one call against another on one id or two, and \
         those with up to {PREEMPTIONS} preemptions of {} with up to two calls by each of two clients, or one \
         by each of three, on one id",
        part(&one_each, &of_one),
        part(&more, &of_more),
    );
    Ok(found)
}

/// Makes the schedules of some plans, until there are as many as the budget has, or it is over.
fn of_plans(
    context: &Context<'_>,
    plans: &[Program],
    bounds: Bounds,
    (before, total): (u64, u64),
    found: &mut Found,
) -> Result<Made, String> {
    let most = (SEARCH.share)(&context.budget) as u64;
    let mut made = Made::default();
    for some in plans.chunks(AT_A_TIME) {
        let is_over = context.runner.until.is_over() || found.tally.programs >= most;
        if is_over || is_plenty(found) {
            made.left_out += some.len() as u64;
            continue;
        }
        let runs = workers::each(some.len(), |at| all_of(context, &some[at], bounds));
        for (executions, is_cut) in runs {
            made.cut += u64::from(is_cut);
            for execution in executions {
                let execution = execution.map_err(|error| no_store(&*error))?;
                made.schedules += 1;
                judge(context, execution, Clause::Con1, found);
            }
        }
        let done = before + plans.len() as u64 - made.left_out;
        (context.progress)(Progress::new(SEARCH.name, done.min(total), total));
    }
    Ok(made)
}

/// What comes of a plan, in every schedule within the bounds; and whether some were left out.
fn all_of(
    context: &Context<'_>,
    plan: &Program,
    bounds: Bounds,
) -> (Vec<Result<Execution, BoxError>>, bool) {
    let mut schedules = Schedules::new(context.runner.subject, plan, bounds);
    let executions = std::iter::from_fn(|| match context.runner.until.is_over() {
        true => None,
        false => schedules.next(),
    });
    let executions = executions.collect();
    (executions, schedules.is_cut())
}
