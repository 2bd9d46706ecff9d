//! MemStore beside the plainest map that could do its work.

mod ratio;

use criterion::{BenchmarkId, Criterion, Throughput};
use session_spec::{Data, MemStore, Session, Snapshot, Store, User};
use std::collections::HashMap;
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const TTL: Duration = Duration::from_secs(3600);

/// What a map does without a contract.
#[derive(Default)]
struct Plain(Mutex<HashMap<String, (Arc<Payload>, Instant)>>);

/// As much as a snapshot holds.
struct Payload {
    _csrf_token: String,
    _email: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the plain map reads the machine's clock"
)]
fn now() -> Instant {
    Instant::now()
}

impl Plain {
    fn prepare(&self, id: &str) -> Option<Arc<Payload>> {
        let entries = self.0.lock().unwrap();
        let (payload, deadline) = entries.get(id)?;
        (now() < *deadline).then(|| Arc::clone(payload))
    }

    fn commit(&self, id: &str, payload: &Arc<Payload>) {
        let entry = (Arc::clone(payload), now() + TTL);
        self.0.lock().unwrap().insert(id.to_owned(), entry);
    }
}

/// MemStore never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("MemStore never waits"),
    }
}

struct Filled {
    ids: Vec<String>,
    snapshots: Vec<Snapshot>,
    memstore: MemStore,
    payloads: Vec<Arc<Payload>>,
    plain: Plain,
}

/// Both with the same `entries`, and their ids in an order of their own.
fn filled(entries: usize) -> Filled {
    let (memstore, plain) = (MemStore::new(), Plain::default());
    let snapshots: Vec<Snapshot> = (0..entries)
        .map(|_| {
            let session = Session::new();
            let user = User::new("alice@example.com");
            Snapshot::new(session.id(), session.csrf_token(), user, Data::default())
        })
        .collect();
    let payloads: Vec<_> = snapshots
        .iter()
        .map(|snapshot| {
            Arc::new(Payload {
                _csrf_token: snapshot.csrf_token().to_owned(),
                _email: "alice@example.com".to_owned(),
            })
        })
        .collect();
    for (snapshot, payload) in snapshots.iter().zip(&payloads) {
        ready(memstore.commit(snapshot, TTL)).unwrap();
        plain.commit(snapshot.id(), payload);
    }
    // Tokens are random, so sorting them shuffles the entries.
    let mut ids: Vec<String> = snapshots
        .iter()
        .map(|snapshot| snapshot.id().to_owned())
        .collect();
    ids.sort_unstable();
    Filled {
        ids,
        snapshots,
        memstore,
        payloads,
        plain,
    }
}

fn prepare_hit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("prepare-hit");
    for entries in [1_000, 100_000, 1_000_000] {
        let filled = filled(entries);
        let looks = entries.min(50_000);
        group.throughput(Throughput::Elements(looks as u64));
        let ours = || {
            for id in &filled.ids[..looks] {
                black_box(ready(filled.memstore.prepare(id)).unwrap());
            }
        };
        let theirs = || {
            for id in &filled.ids[..looks] {
                black_box(filled.plain.prepare(id));
            }
        };
        ratio::print(
            &format!("prepare hit, {entries} entries: memstore / plain"),
            ours,
            theirs,
        );
        group.bench_function(BenchmarkId::new("memstore", entries), |bencher| {
            bencher.iter(ours);
        });
        group.bench_function(BenchmarkId::new("plain", entries), |bencher| {
            bencher.iter(theirs);
        });
    }
}

fn commit_over(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("commit-over");
    for entries in [1_000, 100_000] {
        let filled = filled(entries);
        group.throughput(Throughput::Elements(entries as u64));
        let ours = || {
            for snapshot in &filled.snapshots {
                ready(filled.memstore.commit(snapshot, TTL)).unwrap();
            }
        };
        let theirs = || {
            for (snapshot, payload) in filled.snapshots.iter().zip(&filled.payloads) {
                filled.plain.commit(snapshot.id(), payload);
            }
        };
        ratio::print(
            &format!("commit over, {entries} entries: memstore / plain"),
            ours,
            theirs,
        );
        group.bench_function(BenchmarkId::new("memstore", entries), |bencher| {
            bencher.iter(ours);
        });
    }
}

fn make(criterion: &mut Criterion) {
    criterion.bench_function("make an empty memstore", |bencher| {
        bencher.iter(MemStore::new);
    });
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    make(&mut criterion);
    prepare_hit(&mut criterion);
    commit_over(&mut criterion);
    criterion.final_summary();
}
