//! Random: programs that proptest draws, in batches with a seed each, so that what is found does not
//! depend on how many cores there are.

use super::context::{Budget, Context, Progress};
use super::definition::{Search, Takes};
use super::found::{Caught, Found};
use super::listed;
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::failure::Class;
use crate::conformance::judge::lockstep;
use crate::conformance::judge::until::Until;
use crate::conformance::program::generate::{Generator, Pace};
use crate::conformance::program::supported::Supported;
use crate::conformance::subject::erased::Make;
use crate::conformance::subject::watch::{self, Running};
use crate::conformance::subject::workers;

use crate::model::Op;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Programs that share a seed.
const BATCH: usize = 256;

/// Programs whose results are held at a time.
const CHUNK: usize = 4_096 * BATCH;

/// Long programs, with breadth of values, times and ids.
pub(crate) const SEARCH: Search = Search {
    name: "random",
    runs: "long programs with times at the edges of clocks, hostile ids and every kind of value",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |context| context.may_draw(),
    share: |budget| budget.sequences,
    weight: 4,
    run,
};

fn run(context: &Context<'_>) -> Result<Found, String> {
    let (runner, profile) = (&context.runner, context.runner.profile);
    let mut supported = profile.supported.clone();
    let is_any_value = supported.values.are_all() && context.deepest().is_none();
    supported.values = supported.values.no_deeper(context.deepest());
    let claim = format!(
        "{{programs}} programs of up to {} operations, with {}extreme times to live, {} and {} JSON value",
        context.budget.length,
        if runner.is_exact() {
            "times relative to deadlines, "
        } else {
            ""
        },
        if supported.ids.is_some() {
            "supported ids"
        } else {
            "hostile ids"
        },
        if is_any_value { "any" } else { "any supported" },
    );
    let found = match runner.subject.make() {
        Some(make) if runner.is_in_lockstep() => in_batches(&*make, supported, context),
        _ => at_length(supported, context)?,
    };
    Ok(Found { claim, ..found })
}

/// Runs random programs where time is not exact, or more than one answer may be right.
fn at_length(supported: Supported, context: &Context<'_>) -> Result<Found, String> {
    let Budget {
        sequences, length, ..
    } = context.budget;
    let mut drawing = runner(context.seed, 0);
    let generator = Generator::new(length, supported, context.runner.pace(), &mut drawing);
    let programs = (0..sequences).map(|_| {
        let (ops, mut ids) = generator.draw(&mut drawing);
        if context.runner.profile.may_evict {
            newest_first(&mut ids, &ops);
        }
        observed((ops, ids))
    });
    listed::run(context, SEARCH.name, sequences as u64, programs)
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

/// Runs random programs in lockstep, each followed by a prepare of
/// every id it knows.
fn in_batches(make: &Make<'_>, supported: Supported, context: &Context<'_>) -> Found {
    let Budget {
        sequences, length, ..
    } = context.budget;
    let seed = context.seed;
    let mut drawing = runner(seed, 0);
    let generator = Generator::new(length, supported, Pace::default(), &mut drawing);
    let mut found = Found::default();
    for first in (0..sequences).step_by(CHUNK) {
        let chunk = CHUNK.min(sequences - first);
        let batches = workers::each(chunk.div_ceil(BATCH), |batch| {
            let first = first + batch * BATCH;
            let programs = BATCH.min(sequences - first);
            let result = run_batch(
                make,
                &generator,
                programs,
                &mut runner(seed, 1 + first as u64),
                context.runner.until,
            );
            (context.progress)(Progress::new(
                SEARCH.name,
                (first + programs) as u64,
                sequences as u64,
            ));
            result
        });
        for (tally, failures) in batches {
            for mut caught in failures.into_values().flatten() {
                caught.after += found.tally.programs;
                found.catch(caught);
            }
            found.tally.add(&tally);
        }
    }
    if context.runner.until.is_over() {
        found.left_out = (sequences as u64).saturating_sub(found.tally.programs);
    }
    found
}

/// The first failing programs of every class; they count programs from the start of their batch.
type Failures = BTreeMap<Class, Vec<Caught>>;

/// So many programs of a class are kept of a batch.
const KEPT: usize = 8;

fn run_batch(
    make: &Make<'_>,
    generator: &Generator,
    programs: usize,
    runner: &mut TestRunner,
    until: Until,
) -> (Tally, Failures) {
    let (mut tally, mut failures) = (Tally::default(), Failures::new());
    for _ in 0..programs {
        if watch::is_stopped() || until.is_over() {
            break;
        }
        let ops = Arc::new(observed(generator.draw(runner)));
        watch::running(Arc::clone(&ops) as Arc<dyn Running>);
        for failure in lockstep::run_counted(make, &ops, generator.supported(), &mut tally) {
            let kept = failures.entry(failure.class()).or_default();
            if kept.len() < KEPT {
                kept.push(Caught::new(ops.to_vec(), failure, tally.programs));
            }
        }
    }
    (tally, failures)
}

/// A program, followed by a prepare of every id it is about.
pub(crate) fn observed((mut ops, ids): (Vec<Op>, Vec<String>)) -> Vec<Op> {
    ops.extend(ids.into_iter().map(|id| Op::Prepare { id }));
    ops
}

/// proptest's machinery with randomness of our own choosing.
pub(crate) fn runner(seed: u64, stream: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&stream.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
