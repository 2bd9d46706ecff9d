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

/// What was made of the plans of a kind.
#[derive(Clone, Copy, Default)]
struct Made {
    /// Plans of which every schedule was made, and of which some were.
    whole: u64,
    cut: u64,
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
    let of_kind = |kind, plans: Vec<Program>, bounds| {
        let with_bounds = move |plan| (kind, plan, bounds);
        plans.into_iter().map(with_bounds)
    };
    let one_each = of_kind(0, plans::of_one_call_each(scene), every);
    let more = of_kind(1, plans::of_more_calls(scene), few);
    let plans: Vec<(usize, Program, Bounds)> = one_each.chain(more).collect();
    let most = (SEARCH.share)(&context.budget) as u64;
    let (mut found, mut made) = (Found::default(), [Made::default(); 2]);
    for (chunk, some) in plans.chunks(AT_A_TIME).enumerate() {
        if is_plenty(&found) {
            break;
        }
        if context.runner.until.is_over() || found.tally.programs >= most {
            found.left_out += some.len() as u64;
            continue;
        }
        let runs = workers::each(some.len(), |at| all_of(context, &some[at].1, some[at].2));
        for ((kind, ..), (executions, is_cut)) in some.iter().zip(runs) {
            match is_cut {
                true => made[*kind].cut += 1,
                false => made[*kind].whole += 1,
            }
            for execution in executions {
                let execution = execution.map_err(|error| no_store(&*error))?;
                judge(context, execution, Clause::Con1, &mut found);
            }
        }
        let done = chunk * AT_A_TIME + some.len();
        (context.progress)(Progress::new(SEARCH.name, done as u64, plans.len() as u64));
    }
    let [one_each, more] = made.map(|made| match made {
        Made { whole, cut: 0 } => format!("{whole} plans"),
        Made { whole, cut } => format!("{whole} plans, and some of {cut} others"),
    });
    found.claim = format!(
        "{{programs}} schedules: every order of polls of {one_each} of one call against another on one id or \
         two, and those with up to {PREEMPTIONS} preemptions of {more} with up to two calls by each of two \
         clients, or one by each of three, on one id"
    );
    Ok(found)
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
