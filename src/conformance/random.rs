//! Random: programs that proptest draws, in batches with a seed each, so that what is found does not
//! depend on how many cores there are.

use super::coverage::{Coverage, Tally, Traits};
use super::generate::Generator;
use super::lockstep::{self, Symptom};
use super::workers;
use super::{Caught, Progress, Search};
use crate::clock::ManualClock;
use crate::model::Op;
use crate::store::Store;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;

/// Programs that share a seed.
const BATCH: usize = 256;

/// Runs `sequences` random programs of up to `length` operations, each followed by a prepare of
/// every id it knows.
pub(super) fn search<S: Store>(
    make: &(impl Fn(ManualClock) -> S + Sync),
    sequences: usize,
    length: usize,
    seed: u64,
    progress: &(impl Fn(Progress) + Sync),
) -> Search {
    let generator = Generator::new(length, &mut runner(seed, 0));
    let batches = workers::each(sequences.div_ceil(BATCH), |batch| {
        let mut runner = runner(seed, 1 + batch as u64);
        let first = batch * BATCH;
        let mut tally = Tally::default();
        let mut failures = BTreeMap::<Symptom, (u64, Vec<Op>)>::new();
        for _ in first..sequences.min(first + BATCH) {
            let (mut ops, ids) = generator.draw(&mut runner);
            ops.extend(ids.iter().map(|id| Op::Prepare { id: id.clone() }));
            let mut coverage = Coverage::default();
            let mut steps = 0;
            let failure = lockstep::run(make, &ops, |op, expected| {
                let slot =
                    lockstep::id_of(op).and_then(|id| ids.iter().position(|known| known == id));
                coverage.step(op, Traits::of(op, slot), expected);
                steps += 1;
            });
            tally.count(&coverage, steps);
            if let Some(failure) = failure {
                ops.truncate(failure.at + 1);
                let after = tally.programs;
                failures.entry(failure.symptom()).or_insert((after, ops));
            }
        }
        progress(Progress {
            search: "random",
            done: (first + BATCH).min(sequences) as u64,
            total: sequences as u64,
        });
        (tally, failures)
    });
    let mut search = Search::default();
    for (tally, failures) in batches {
        for (symptom, (ordinal, ops)) in failures {
            let after = search.tally.programs + ordinal;
            search.catch(symptom, || Caught { ops, after });
        }
        search.tally.add(&tally);
    }
    search
}

/// proptest's machinery with randomness of our own choosing.
fn runner(seed: u64, stream: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&stream.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
