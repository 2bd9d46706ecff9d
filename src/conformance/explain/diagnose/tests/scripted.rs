//! Scripted: stores that go by all that they were asked, and the diagnoses of what they fail.

use super::*;
use crate::conformance::program::supported::Supported;
use crate::conformance::subject::erased::boxing;

/// A store that goes by all that it was asked, and when.
struct Scripted<F> {
    clock: ManualClock,
    log: Mutex<Vec<(Nanos, Op)>>,
    /// What the next prepare finds now.
    finds: F,
}

impl<F> Scripted<F> {
    fn note(&self, op: Op) {
        let now = nanos(self.clock.now());
        self.log.lock().unwrap().push((now, op));
    }
}

impl<F: Fn(&[(Nanos, Op)], Nanos, &str) -> Option<Snapshot> + Send + Sync> Store for Scripted<F> {
    async fn prepare(&self, id: &str) -> Result<Option<Snapshot>, StoreError> {
        let found = (self.finds)(&self.log.lock().unwrap(), nanos(self.clock.now()), id);
        self.note(Op::Prepare { id: id.to_owned() });
        Ok(found)
    }

    async fn commit(&self, snapshot: &Snapshot, ttl: Duration) -> Result<(), StoreError> {
        self.note(Op::Commit {
            snapshot: Some(snapshot.clone()),
            ttl: nanos(ttl),
        });
        Ok(())
    }

    async fn drop(&self, id: &str) -> Result<(), StoreError> {
        self.note(Op::Drop { id: id.to_owned() });
        Ok(())
    }
}

/// The clause and the near miss of a program that such a store fails.
pub(super) fn diagnosed<F>(finds: F, program: &str) -> (Clause, String)
where
    F: Fn(&[(Nanos, Op)], Nanos, &str) -> Option<Snapshot> + Copy + Send + Sync + 'static,
{
    let make = move |clock| Scripted {
        clock,
        log: Mutex::default(),
        finds,
    };
    let run = move |ops: &[Op]| {
        lockstep::run(&boxing(make), ops, &Supported::default(), |_, _| {})
            .into_iter()
            .next()
    };
    let ops = ops(program);
    let failure = run(&ops).expect("it fails");
    let diagnosis = Diagnosis::of(&Failing { ops, failure }, SECOND, Some(&run), Some(&run));
    (diagnosis.clause, diagnosis.near_miss.unwrap_or_default())
}

/// What was committed, the last first: when, what and for how long.
pub(super) fn committed(log: &[(Nanos, Op)]) -> Vec<(Nanos, Snapshot, Nanos)> {
    let commits = log.iter().rev().filter_map(|(at, op)| match op {
        Op::Commit { snapshot, ttl } => Some((*at, snapshot.clone()?, *ttl)),
        _ => None,
    });
    commits.collect()
}

/// The same of a store whose last entry is live when this says, by how late it is after the deadline and by the
/// ttl.
pub(super) fn diagnosed_by_life(
    lives: impl Fn(Nanos, Nanos) -> bool + Copy + Send + Sync + 'static,
    program: &str,
) -> (Clause, String) {
    let finds = move |log: &[(Nanos, Op)], now, _: &str| {
        let (at, snapshot, ttl) = committed(log).swap_remove(0);
        lives(now - (at + ttl), ttl).then_some(snapshot)
    };
    diagnosed(finds, program)
}
