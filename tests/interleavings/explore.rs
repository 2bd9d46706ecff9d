//! Explore: what a store shows in every interleaving of a plan.

use crate::history::{History, Record, Reply};
use crate::plan::{Act, Id, Plan, Step, Steps};
use loom::sync::atomic::AtomicU32;
use loom::thread;
use session_spec::{Data, ManualClock, Snapshot, Store};
use std::collections::HashSet;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const TICK: Duration = Duration::from_nanos(1);

/// A store of this process, whose calls never wait.
pub(crate) trait Subject: Store + Sized + 'static {
    /// How many entries are held.
    fn held(&self) -> usize;
}

/// Every history of the plan on a store that is made on this clock.
pub(crate) fn explore<S: Subject>(
    plan: &Plan,
    make: impl Fn(ManualClock) -> S + Send + Sync + 'static,
) -> HashSet<History> {
    let histories = Arc::new(Mutex::new(HashSet::new()));
    let (plan, seen) = (plan.clone(), Arc::clone(&histories));
    loom::model(move || {
        let clock = ManualClock::new();
        let store = make(clock.clone());
        let history = World::new(store, clock).run(plan.steps());
        seen.lock().unwrap().insert(history);
    });
    Arc::into_inner(histories).unwrap().into_inner().unwrap()
}

struct World<S> {
    store: S,
    clock: ManualClock,
    /// Moments.
    counter: AtomicUsize,
    /// What tells loom that the order of invocations and returns matters.
    seen: [AtomicU32; 2],
}

impl<S: Subject> World<S> {
    fn new(store: S, clock: ManualClock) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            counter: AtomicUsize::new(0),
            seen: Default::default(),
        })
    }

    fn run(self: &Arc<Self>, steps: Steps) -> History {
        let mut clients = steps.clients.into_iter();
        let count = clients.len();
        let mut records: Vec<_> = steps.before.iter().map(|step| self.take(*step)).collect();
        let first = clients.next().unwrap_or_default();
        let spawn = |steps| {
            let world = Arc::clone(self);
            thread::spawn(move || world.client(steps, count))
        };
        let others: Vec<_> = clients.map(spawn).collect();
        records.extend(self.client(first, count));
        for other in others {
            records.extend(other.join().unwrap());
        }
        records.extend(steps.after.iter().map(|step| self.take(*step)));
        self.free_all();
        History::new(records)
    }

    /// Takes steps beside other clients.
    ///
    /// What a store does during a step may depend on which others had returned before: so each return
    /// is a write, and each invocation has to come before it or after it. Of two clients, each has
    /// such a thing of its own, since the order of their invocations does not matter.
    fn client(&self, steps: Vec<Step>, clients: usize) -> Vec<Record> {
        let step = |step: Step| {
            let (mine, theirs) = match clients {
                2 => (step.client, 1 - step.client),
                _ => (0, 0),
            };
            self.seen[mine].fetch_add(0, Ordering::AcqRel);
            let record = self.take(step);
            self.seen[theirs].fetch_add(1, Ordering::AcqRel);
            Record {
                returned: self.moment(),
                ..record
            }
        };
        steps.into_iter().map(step).collect()
    }

    fn take(&self, step: Step) -> Record {
        Record {
            invoked: self.moment(),
            reply: self.reply(step),
            returned: self.moment(),
            step,
        }
    }

    fn reply(&self, step: Step) -> Reply {
        match step.act {
            Act::Prepare(id) => {
                return match now(self.store.prepare(id)).unwrap() {
                    Some(snapshot) => Reply::Found(value(id, &snapshot)),
                    None => Reply::Nothing,
                };
            }
            Act::Commit(id, ttl) => now(self.store.commit(&step.snapshot(id), TICK * ttl)).unwrap(),
            Act::Drop(id) => now(self.store.drop(id)).unwrap(),
            Act::Advance => self.clock.advance(TICK),
        }
        Reply::Done
    }

    fn moment(&self) -> usize {
        self.counter.fetch_add(1, Ordering::SeqCst)
    }

    /// As many commits as there are expired entries free them all (MEM-4).
    fn free_all(&self) {
        let (last, ttl) = (Snapshot::new("last", "", None, Data::default()), TICK * 100);
        self.clock.advance(ttl);
        for _ in 0..self.store.held() {
            now(self.store.commit(&last, ttl)).unwrap();
        }
        assert_eq!(self.store.held(), 1, "entries held, of which one is live");
    }
}

/// Which commit wrote this.
fn value(id: Id, snapshot: &Snapshot) -> u32 {
    assert_eq!(snapshot.id(), id);
    snapshot.csrf_token().parse().unwrap()
}

fn now<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call waits"),
    }
}
