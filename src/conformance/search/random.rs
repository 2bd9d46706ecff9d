//! Random: programs that proptest draws, in batches with a seed each, so that what is found does not
//! depend on how many cores there are.

use super::{Caught, Progress, Search};
use crate::conformance::judge::coverage::{Coverage, Tally, Traits};
use crate::conformance::judge::failure::Failure;
use crate::conformance::judge::failure::Symptom;
use crate::conformance::judge::lockstep;
use crate::conformance::program::generate::{Generator, Pace};
use crate::conformance::program::ids;
use crate::conformance::program::supported::Supported;
use crate::conformance::subject::erased::Make;
use crate::conformance::subject::watch::{self, Running};
use crate::conformance::subject::workers;

use crate::model::Op;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Programs that share a seed.
const BATCH: usize = 256;

/// Programs whose results are held at a time.
const CHUNK: usize = 4_096 * BATCH;

/// Runs `sequences` random programs of up to `length` operations, each followed by a prepare of
/// every id it knows.
pub(crate) fn search(
    make: &Make<'_>,
    sequences: usize,
    length: usize,
    seed: u64,
    supported: Supported,
    progress: &(impl Fn(Progress) + Sync),
) -> Search {
    let mut drawing = runner(seed, 0);
    let generator = Generator::new(length, supported, Pace::default(), &mut drawing);
    let mut search = Search::default();
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
            );
            progress(Progress {
                search: "random",
                done: (first + programs) as u64,
                total: sequences as u64,
            });
            result
        });
        for (tally, failures) in batches {
            for mut caught in failures.into_values().flatten() {
                caught.after += search.tally.programs;
                search.catch(caught);
            }
            search.tally.add(&tally);
        }
    }
    search
}

/// The first failing programs of every symptom; they count programs from the start of their batch.
type Failures = BTreeMap<Symptom, Vec<Caught>>;

/// So many programs of a symptom are kept of a batch.
const KEPT: usize = 8;

fn run_batch(
    make: &Make<'_>,
    generator: &Generator,
    programs: usize,
    runner: &mut TestRunner,
) -> (Tally, Failures) {
    let (mut tally, mut failures) = (Tally::default(), Failures::new());
    for _ in 0..programs {
        if watch::is_stopped() {
            break;
        }
        let ops = Arc::new(observed(generator.draw(runner)));
        watch::running(Arc::clone(&ops) as Arc<dyn Running>);
        let failure = run_counted(make, &ops, &mut tally);
        if let Some(failure) = failure {
            let kept = failures.entry(failure.symptom()).or_default();
            if kept.len() < KEPT {
                kept.push(Caught {
                    ops: ops[..=failure.at].to_vec(),
                    failure,
                    after: tally.programs,
                    others: 0,
                });
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

/// Runs one program and counts what it exercised.
pub(crate) fn run_counted(make: &Make<'_>, ops: &[Op], tally: &mut Tally) -> Option<Failure> {
    let ids = ids::ids(ops).into_iter();
    let slots: HashMap<&str, usize> = ids.enumerate().map(|(slot, id)| (id, slot)).collect();
    let mut coverage = Coverage::default();
    let mut steps = 0;
    let failure = lockstep::run(make, ops, |op, expected| {
        steps += 1;
        let Some(expected) = expected else {
            return coverage.refuse_id();
        };
        let slot = op.id().and_then(|id| slots.get(id).copied());
        coverage.step(op, Traits::of(op, slot), expected);
    });
    tally.count(&coverage, steps);
    failure
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
