//! Stores that fail with errors: ever after a cancelled call, or for reasons of their own.

use super::racer::{Entrant, Shelf, lock, step_back, validate};
use session_spec::conformance::Profile;
use session_spec::{Clause, DynStore, ManualClock, Snapshot, Store, StoreError};
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) fn wrong() -> Vec<Entrant> {
    use Clause::{Can1, Con1};
    let entrant = |name, make| Entrant::made(name, &[Can1], Profile::default(), make);
    // A second client has no connection either.
    let of_one = |name, make| Entrant::made(name, &[Con1, Can1], Profile::default(), make);
    vec![
        of_one("fails ever after a cancelled commit", |clock| {
            Box::new(Line::new(clock, 1, Until::Ever))
        }),
        of_one("fails once after a cancelled commit", |clock| {
            Box::new(Line::new(clock, 1, Until::OneHasFailed))
        }),
        Entrant::made(
            "inserts a row that another has inserted",
            &[Con1],
            Profile::default(),
            |clock| Box::new(Inserts(Shelf::new(clock))),
        ),
        entrant("fails when its ten connections are gone", |clock| {
            Box::new(Line::new(clock, 10, Until::Ever))
        }),
        entrant("fails where the index has no row", indexed),
        Entrant::made(
            "fails ever after, far away",
            &[Can1],
            Profile::default().remote(),
            |clock| Box::new(Line::new(clock, 1, Until::Ever)),
        ),
    ]
}

pub(crate) fn right() -> Vec<Entrant> {
    vec![
        Entrant::made("fails now and then", &[], Profile::default(), |clock| {
            Box::new(NowAndThen(Shelf::new(clock), AtomicU64::new(0)))
        }),
        Entrant::made(
            "is called again, far away",
            &[],
            Profile::default().remote(),
            |clock| Box::new(Line::new(clock, 1, Until::OneHasFailed)),
        ),
    ]
}

/// How long it fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Ever,
    OneHasFailed,
}

/// A commit takes one of its connections, and gives it back unless it is cancelled.
struct Line {
    shelf: Shelf,
    connections: u64,
    left: AtomicU64,
    until: Until,
}

impl Line {
    fn new(clock: ManualClock, connections: u64, until: Until) -> Self {
        Self {
            shelf: Shelf::new(clock),
            connections,
            left: AtomicU64::new(connections),
            until,
        }
    }

    fn is_up(&self) -> Result<(), StoreError> {
        if self.left.load(Ordering::SeqCst) > 0 {
            return Ok(());
        }
        if self.until == Until::OneHasFailed {
            self.left.store(self.connections, Ordering::SeqCst);
        }
        failed("no connection is left")
    }
}

impl Store for Line {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.is_up()?;
        Ok(self.shelf.live(id))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.is_up()?;
        validate(snapshot, ttl)?;
        self.left.fetch_sub(1, Ordering::SeqCst);
        self.shelf.put(snapshot, ttl);
        step_back().await;
        self.left.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.is_up()?;
        self.shelf.take(id);
        Ok(())
    }
}

/// Looks whether there is a row, and then inserts one or changes it.
struct Inserts(Shelf);

impl Store for Inserts {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.0.live(id))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        validate(snapshot, ttl)?;
        let is_there = |id: &str| self.0.entry(id).is_some();
        let was_there = is_there(snapshot.id());
        step_back().await;
        if !was_there && is_there(snapshot.id()) {
            return failed("there is such a row");
        }
        self.0.put(snapshot, ttl);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.0.take(id);
        Ok(())
    }
}

fn failed<T>(reason: &str) -> Result<T, StoreError> {
    Err(StoreError::Backend {
        store: "racing",
        source: reason.into(),
    })
}

/// An id is in the index first, and its row is written then.
struct Indexed {
    shelf: Shelf,
    turn: tokio::sync::Mutex<()>,
    index: Mutex<HashSet<String>>,
}

fn indexed(clock: ManualClock) -> Box<dyn DynStore> {
    Box::new(Indexed {
        shelf: Shelf::new(clock),
        turn: tokio::sync::Mutex::default(),
        index: Mutex::default(),
    })
}

impl Store for Indexed {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let _turn = self.turn.lock().await;
        match self.shelf.entry(id) {
            None if lock(&self.index).contains(id) => failed("the row is missing"),
            entry => Ok(self.shelf.if_live(entry)),
        }
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        validate(snapshot, ttl)?;
        let _turn = self.turn.lock().await;
        lock(&self.index).insert(snapshot.id().to_owned());
        step_back().await;
        self.shelf.put(snapshot, ttl);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        lock(&self.index).remove(id);
        self.shelf.take(id);
        Ok(())
    }
}

/// A backend that is not always there.
struct NowAndThen(Shelf, AtomicU64);

impl NowAndThen {
    fn is_there(&self) -> Result<(), StoreError> {
        match self.1.fetch_add(1, Ordering::SeqCst) % 7 {
            4 => failed("the backend is not there"),
            _ => Ok(()),
        }
    }
}

impl Store for NowAndThen {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        self.is_there()?;
        step_back().await;
        Ok(self.0.live(id))
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        validate(snapshot, ttl)?;
        self.is_there()?;
        step_back().await;
        self.0.put(snapshot, ttl);
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.is_there()?;
        step_back().await;
        self.0.take(id);
        Ok(())
    }
}
