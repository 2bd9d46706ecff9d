//! Stores that may evict: which entry they let go of is theirs to choose, but for the one that was
//! committed last.

use session_spec::conformance::{Check, Profile, Report, Subject, check};
use session_spec::{Clause, Clock, Constraint, ManualClock, Snapshot, Store, StoreError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A cache that holds so many entries.
#[derive(Clone, Copy)]
struct Cache {
    name: &'static str,
    capacity: usize,
    /// Which entry goes when there is one too many: its place in the shelf.
    victim: Victim,
    /// Whether it makes room when it is read, and not when it is written.
    lazy: bool,
    /// Whether an entry that was let go of comes back when it is read for the second time.
    revives: bool,
}

type Victim = fn(&mut Shelf) -> usize;

/// The entries, those last committed or read at the end.
#[derive(Default)]
struct Shelf {
    entries: Vec<Entry>,
    gone: Vec<Entry>,
    /// Drawn from.
    noise: u64,
    commits: u64,
}

impl Shelf {
    fn forget(&mut self, id: &str) {
        self.entries.retain(|entry| entry.snapshot.id() != id);
        self.gone.retain(|entry| entry.snapshot.id() != id);
    }
}

#[derive(Clone)]
struct Entry {
    snapshot: Snapshot,
    deadline: u128,
    /// How many commits there had been.
    committed: u64,
    /// How often it was asked for since it is gone.
    misses: u64,
}

/// The victims that are right to choose.
const RIGHT: [(&str, Victim); 3] = [
    ("least recently used", |_| 0),
    ("first in, first out", |shelf| {
        let entries = shelf.entries.iter().enumerate();
        let first = entries.min_by_key(|(_, entry)| entry.committed);
        first.map_or(0, |(place, _)| place)
    }),
    ("any but the last", |shelf| {
        shelf.noise = shelf
            .noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let others = shelf.entries.len() as u64 - 1;
        usize::try_from((shelf.noise >> 33) % others).unwrap_or(0)
    }),
];

fn newest(shelf: &mut Shelf) -> usize {
    let entries = shelf.entries.iter().enumerate();
    let last = entries.max_by_key(|(_, entry)| entry.committed);
    last.map_or(0, |(place, _)| place)
}

const CAPACITIES: [usize; 4] = [1, 2, 3, 100];

struct At {
    cache: Cache,
    clock: ManualClock,
    shelf: Mutex<Shelf>,
}

impl At {
    fn with<T>(&self, call: impl FnOnce(&mut Shelf, u128) -> T) -> T {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now().as_nanos();
        shelf.entries.retain(|entry| now < entry.deadline);
        call(&mut shelf, now)
    }

    fn make_room(&self, shelf: &mut Shelf) {
        while shelf.entries.len() > self.cache.capacity {
            let place = (self.cache.victim)(shelf);
            let gone = shelf.entries.remove(place);
            shelf.gone.push(gone);
        }
    }
}

impl Store for At {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.with(|shelf, now| {
            let is_it = |entry: &Entry| entry.snapshot.id() == id;
            let found = shelf.entries.iter().position(is_it);
            let found = found.map(|place| {
                let entry = shelf.entries.remove(place);
                shelf.entries.push(entry.clone());
                entry.snapshot
            });
            if found.is_none() && self.cache.revives {
                let back = shelf.gone.iter_mut().rfind(|entry| is_it(entry));
                let back = back.filter(|entry| now < entry.deadline)?;
                back.misses += 1;
                return (back.misses > 1).then(|| back.snapshot.clone());
            }
            if self.cache.lazy {
                self.make_room(shelf);
            }
            found
        }))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        let refused = |constraint| {
            Err(StoreError::Refused {
                store: "cache",
                constraint,
            })
        };
        if snapshot.id().is_empty() {
            return refused(Constraint::EmptyId);
        }
        if ttl.is_zero() {
            return refused(Constraint::TtlNotPositive);
        }
        self.with(|shelf, now| {
            shelf.commits += 1;
            shelf.forget(snapshot.id());
            shelf.entries.push(Entry {
                snapshot: snapshot.clone(),
                deadline: now + ttl.as_nanos(),
                committed: shelf.commits,
                misses: 0,
            });
            if !self.cache.lazy {
                self.make_room(shelf);
            }
        });
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.with(|shelf, _| shelf.forget(id));
        Ok(())
    }
}

fn checked(cache: Cache) -> Check<impl Subject> {
    let make = move |clock| At {
        cache,
        clock,
        shelf: Mutex::default(),
    };
    check(make)
        .profile(Profile::default().may_evict())
        .clients(1)
}

fn right() -> impl Iterator<Item = Cache> {
    let by = |(name, victim)| {
        CAPACITIES.map(|capacity| Cache {
            name,
            capacity,
            victim,
            lazy: false,
            revives: false,
        })
    };
    let eager = RIGHT.into_iter().flat_map(by);
    let (name, victim) = RIGHT[0];
    let lazy = CAPACITIES.map(|capacity| Cache {
        name,
        capacity,
        victim,
        lazy: true,
        revives: false,
    });
    eager.chain(lazy)
}

fn violated(report: &Report) -> Vec<Clause> {
    report.violations.iter().map(|found| found.clause).collect()
}

#[test]
fn right_caches_of_any_capacity_are_left_in_peace() {
    for cache in right() {
        let report = checked(cache).depth(3).sequences(300).run();
        let Cache { name, capacity, .. } = cache;
        assert_eq!(report.violations, [], "{name}, {capacity}\n{report}");
    }
}

#[test]
#[ignore = "a hundred checks of every cache take minutes: run it with --release"]
fn right_caches_are_left_in_peace_by_a_hundred_checks() {
    for cache in right() {
        for seed in 0..100 {
            let report = checked(cache).depth(2).sequences(1_000).seed(seed).run();
            let Cache { name, capacity, .. } = cache;
            assert_eq!(report.violations, [], "{name}, {capacity}\n{report}");
        }
    }
}

#[test]
fn com_5_a_cache_that_lets_go_of_what_was_just_committed_is_caught() {
    // Random programs fill no more than forty entries.
    for capacity in [1, 2, 3, 16] {
        let cache = Cache {
            name: "newest",
            capacity,
            victim: newest,
            lazy: false,
            revives: false,
        };
        let report = checked(cache).depth(2).sequences(1_000).seed(1).run();
        assert_eq!(violated(&report), [Clause::Com5], "{capacity}\n{report}");
        let text = report.violations[0].to_string();
        assert!(text.contains("           nothing\n"), "{text}");
    }
}

#[test]
fn ttl_4_what_was_let_go_of_stays_gone() {
    let cache = Cache {
        revives: true,
        ..right().next().expect("there are some")
    };
    let report = checked(cache).depth(3).sequences(300).seed(1).run();
    assert_eq!(violated(&report), [Clause::Ttl4], "{report}");
}
