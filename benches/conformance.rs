//! The kit's searches, in steps (operations run and judged) a second, and random programs beside the
//! naive way to draw them.

mod ratio;

use criterion::{Criterion, Throughput};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use session_spec::conformance::{Report, check};
use session_spec::{Data, ManualClock, MemStore, Model, Op, Reply, Snapshot, Store, User};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn exhaustive(depth: usize) -> Report {
    check(MemStore::with_clock)
        .depth(depth)
        .sequences(0)
        .seed(1)
        .run()
}

fn random(sequences: usize) -> Report {
    check(MemStore::with_clock)
        .depth(0)
        .sequences(sequences)
        .seed(1)
        .run()
}

fn steps(report: &Report) -> u64 {
    report.searches.iter().map(|search| search.steps).sum()
}

/// How one would draw operations without thinking of speed: a strategy for every part.
fn naive_op() -> impl Strategy<Value = Op> {
    let id = || "[A-Za-z0-9]{32}";
    let snapshot = (
        id(),
        id(),
        "[a-z]{1,8}@example\\.com",
        proptest::collection::hash_map("[a-z]{1,8}", any::<i64>(), 0..4),
    )
        .prop_map(|(id, csrf_token, email, entries)| {
            let mut data = Data::default();
            for (key, value) in entries {
                data.set(&key, value).unwrap();
            }
            Snapshot::new(id, csrf_token, User::new(email), data)
        });
    prop_oneof![
        id().prop_map(|id| Op::Prepare { id }),
        (snapshot, 0..3_000_000_000_i128).prop_map(|(snapshot, ttl)| Op::Commit {
            snapshot: Some(snapshot),
            ttl
        }),
        id().prop_map(|id| Op::Drop { id }),
        (0..3_000_000_000_i128).prop_map(|by| Op::Advance { by }),
    ]
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("MemStore never waits"),
    }
}

/// Draws and runs `programs` naively; returns the steps.
fn naive(programs: usize) -> u64 {
    let strategy = proptest::collection::vec(naive_op(), 1..=40);
    let mut runner = TestRunner::deterministic();
    let mut steps = 0;
    for _ in 0..programs {
        let ops = strategy.new_tree(&mut runner).unwrap().current();
        let clock = ManualClock::new();
        let store = MemStore::with_clock(clock.clone());
        let mut model = Model::default();
        for op in &ops {
            let expected = model.step(op);
            let time = |nanos: i128| Duration::from_nanos(u64::try_from(nanos).unwrap());
            let reply = match op {
                Op::Prepare { id } => match ready(store.prepare(id)).unwrap() {
                    Some(found) => Reply::Found(found),
                    None => Reply::Nothing,
                },
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } => match ready(store.commit(snapshot, time(*ttl))) {
                    Ok(()) => Reply::Done,
                    Err(_) => expected.reply.clone(),
                },
                Op::Drop { id } => {
                    ready(Store::drop(&store, id)).unwrap();
                    Reply::Done
                }
                Op::Advance { by } => {
                    clock.advance(time(*by));
                    Reply::Done
                }
                _ => unreachable!("nothing else is drawn"),
            };
            assert!(expected.admits(&reply));
        }
        steps += ops.len() as u64;
    }
    steps
}

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    println!("the searches use {cores} cores: divide by that for one");
    let mut criterion = Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    let mut group = criterion.benchmark_group("steps");
    group.throughput(Throughput::Elements(steps(&exhaustive(5))));
    group.bench_function("exhaustive, depth 5", |bencher| {
        bencher.iter(|| exhaustive(5));
    });
    group.throughput(Throughput::Elements(steps(&random(50_000))));
    group.bench_function("random, 50,000 programs", |bencher| {
        bencher.iter(|| random(50_000));
    });
    group.throughput(Throughput::Elements(naive(1_000)));
    group.bench_function("naive random, 1,000 programs, one core", |bencher| {
        bencher.iter(|| naive(1_000));
    });
    group.finish();
    // The same number of steps on either side, by seconds of one core.
    let (ours, theirs) = (steps(&random(50_000)), naive(1_000));
    println!("steps: {ours} of ours on {cores} cores to {theirs} naive ones on one");
    ratio::print(
        "50,000 random programs / 1,000 naive ones",
        || random(50_000),
        || naive(1_000),
    );
    criterion.final_summary();
}
