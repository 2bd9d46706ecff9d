//! How fast histories of overlapping calls are judged, on all cores. The calls are a right store's:
//! half prepares, a third commits, a sixth drops; some entries expire. Eight clients have each always
//! one call under way, all on one id or spread over many.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use session_spec::conformance::__internal::linear::{
    Call, Judgement, Kind, Outcome, Rules, Span, Start, Value, by_id, check, check_all, reduce,
};
use session_spec::model::Nanos;
use std::time::Duration;

#[path = "../src/conformance/judge/linear/tests/simulate.rs"]
mod simulate;

use simulate::{Chance, Mistake, Scene};

fn scene(calls: usize) -> Scene {
    Scene {
        rules: Rules::default(),
        clients: 8,
        calls,
        ttl: 20_000,
        tick: 1_000,
        ticks: 1,
        end: Nanos::MAX,
        values: 0,
        unknown: 0,
        slack: 0,
        idle: 0,
        mistake: None,
    }
}

/// The calls on many ids, each client at an id as much less often.
fn histories(ids: u64, calls: usize) -> Vec<Vec<Call>> {
    let scene = Scene {
        idle: 2 * ids,
        ttl: 2_000 * ids,
        ..scene(calls)
    };
    (0..ids).map(|id| scene.play(&mut Chance(id))).collect()
}

fn one_id(criterion: &mut Criterion) {
    let rules = Rules::default();
    let mut group = criterion.benchmark_group("one id");
    for calls in [10_000, 100_000, 1_000_000] {
        let history = scene(calls).play(&mut Chance(1));
        group.throughput(Throughput::Elements(calls as u64));
        group.bench_function(format!("{calls} calls"), |bencher| {
            bencher.iter(|| assert_eq!(check(&history, &rules), Judgement::Linearizable));
        });
    }
    group.finish();
}

fn many_ids(criterion: &mut Criterion) {
    let rules = Rules::default();
    let mut group = criterion.benchmark_group("many ids");
    let sixteen = histories(16, 100_000);
    group.throughput(Throughput::Elements(1_600_000));
    group.bench_function("16 ids x 100000 calls", |bencher| {
        bencher.iter(|| {
            let judgements = check_all(&sixteen, &rules);
            assert!(
                judgements
                    .iter()
                    .all(|each| *each == Judgement::Linearizable)
            );
        });
    });
    // One after another in one history, as clients that visit all the ids would leave them.
    let thousand = histories(1_000, 1_000);
    let history: Vec<(u32, Call)> = (0..1_000)
        .flat_map(|call| {
            (0..)
                .zip(&thousand)
                .map(move |(id, calls)| (id, calls[call]))
        })
        .collect();
    group.throughput(Throughput::Elements(1_000_000));
    group.bench_function("1000 ids x 1000 calls, from one history", |bencher| {
        bencher.iter(|| {
            let judgements = check_all(&by_id(&history), &rules);
            assert!(
                judgements
                    .iter()
                    .all(|each| *each == Judgement::Linearizable)
            );
        });
    });
    group.finish();
}

fn wrong(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reduced, 10000 calls");
    for mistake in [
        Mistake::StaleRead,
        Mistake::LostUpdate,
        Mistake::Revival,
        Mistake::EarlyExpiry,
    ] {
        let scene = Scene {
            mistake: Some(mistake),
            idle: 8,
            ttl: 200_000,
            ..scene(10_000)
        };
        let history = scene.play(&mut Chance(1));
        group.bench_function(format!("{mistake:?}"), |bencher| {
            bencher.iter(|| reduce(&history, &scene.rules).expect("it is wrong"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1));
    targets = one_id, many_ids, wrong
}
criterion_main!(benches);
