//! Threads: clients that run at once, as far as the machine has cores.

use super::World;
use crate::clock::{Clock as _, SystemClock, pause};
use crate::conformance::judge::history::{Course, Record};
use crate::conformance::program::dice::Dice;
use crate::conformance::search::plan::Plan;
use crate::conformance::search::scenario::Scenario;
use crate::conformance::subject::erased::{AnySubject, Instance};
use crate::conformance::subject::panics;
use crate::conformance::subject::watch::{self, Watch};
use crate::conformance::subject::workers;
use crate::store::BoxError;
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

impl Plan {
    /// Runs the clients as threads; dice say how they meet.
    pub(crate) fn as_threads(
        &self,
        subject: &dyn AnySubject,
        dice: Dice,
    ) -> Result<Vec<Record>, BoxError> {
        let mut all = Vec::new();
        let mut plan = Some(self.clone());
        bursts(
            subject,
            self.clients.len(),
            dice,
            || plan.take(),
            |_, records| {
                all = records;
            },
        )?;
        Ok(all)
    }
}

/// Runs short plans, one after another, each on a fresh store: this thread is the first client, and
/// the others wait on threads of their own for the next plan.
///
/// To start a thread takes longer than a call, so threads that are started for a call or two never
/// meet. `take` gets what came of each.
pub(crate) fn bursts(
    subject: &dyn AnySubject,
    clients: usize,
    mut dice: Dice,
    mut next: impl FnMut() -> Option<Plan>,
    mut take: impl FnMut(&Plan, Vec<Record>),
) -> Result<(), BoxError> {
    let stage = Stage::default();
    let watch = Watch::here();
    thread::scope(|scope| {
        let curtain = Curtain(&stage.is_over);
        let others = (1..clients).map(|client| {
            let (stage, watch) = (&stage, &watch);
            scope.spawn(move || {
                panics::silence_panics_here();
                if let Some(watch) = watch {
                    watch.enter();
                }
                let mut number = 0;
                while let Some(act) = stage.next(&mut number) {
                    act.play(client, subject);
                    drop(act);
                    stage.done.fetch_add(1, Ordering::SeqCst);
                }
            })
        });
        let others: Vec<_> = others.collect();
        while let Some(plan) = next() {
            let records = stage.act(subject, clients, &plan, dice.next())?;
            take(&plan, records);
        }
        drop(curtain);
        others.into_iter().for_each(workers::joined);
        Ok(())
    })
}

/// A client that pauses does so at one of its first readings of the clock, for no longer than this: some
/// hundred calls.
const READINGS: usize = 4;
const LONGEST_PAUSE: Duration = Duration::from_micros(50);

/// Where the clients meet.
struct Stage {
    act: Mutex<Option<Arc<Act>>>,
    /// How many acts have begun.
    number: AtomicUsize,
    /// Clients, but for the first, that are done with this one.
    done: AtomicUsize,
    is_over: AtomicBool,
}

/// One plan on one store.
struct Act {
    plan: Plan,
    instance: Box<dyn Instance>,
    course: Course,
    dice: u64,
    /// The client that pauses at a reading of its clock, and at which.
    pausing: Option<(usize, u32)>,
    arrived: AtomicUsize,
    /// Clients whose calls have returned.
    ended: Arc<AtomicUsize>,
    records: Mutex<Result<Vec<Record>, BoxError>>,
}

/// Ends the waiting, however the first client ends.
struct Curtain<'a>(&'a AtomicBool);

impl Drop for Curtain<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            act: Mutex::new(None),
            number: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }
}

impl Stage {
    /// Waits for the act after this one.
    fn next(&self, number: &mut usize) -> Option<Arc<Act>> {
        wait_until(|| self.number.load(Ordering::SeqCst) > *number || self.is_over());
        *number = self.number.load(Ordering::SeqCst);
        lock(&self.act).clone().filter(|_| !self.is_over())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Plays one act, as the first client.
    fn act(
        &self,
        subject: &dyn AnySubject,
        clients: usize,
        plan: &Plan,
        dice: u64,
    ) -> Result<Vec<Record>, BoxError> {
        watch::running(Arc::new(Scenario::Threads(plan.clone())));
        let fresh = || panics::catching(|| subject.block_on(subject.fresh()));
        let Ok(fresh) = panics::silently(fresh) else {
            return Ok(Vec::new());
        };
        let instance = fresh?;
        let mut whose = Dice::new(dice, u64::MAX);
        let pauses = whose.below(2) == 0;
        let reading = 1 + u32::try_from(whose.below(READINGS)).unwrap_or(0);
        let act = Arc::new(Act {
            plan: plan.clone(),
            instance,
            course: Course::of(subject.passing()),
            dice,
            pausing: pauses.then(|| (whose.below(clients), reading)),
            arrived: AtomicUsize::new(0),
            ended: Arc::default(),
            records: Mutex::new(Ok(Vec::new())),
        });
        panics::silently(|| {
            act.alone(&act.plan.opening, subject);
            self.done.store(0, Ordering::SeqCst);
            *lock(&self.act) = Some(Arc::clone(&act));
            self.number.fetch_add(1, Ordering::SeqCst);
            act.play(0, subject);
            wait_until(|| self.done.load(Ordering::SeqCst) == clients - 1 || watch::is_stopped());
            *lock(&self.act) = None;
            act.alone(&act.plan.closing, subject);
        });
        let Some(act) = Arc::into_inner(act) else {
            return Err("a client was lost".into());
        };
        // The store goes where its runtime is.
        let instance = act.instance;
        let leave = || subject.block_on(async move { drop(instance) });
        let _ = panics::silently(|| panics::catching(leave));
        act.records
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Act {
    fn world(&self) -> World<'_> {
        World {
            instance: &*self.instance,
            course: &self.course,
            linger: self.plan.linger,
        }
    }

    fn alone(&self, ops: &[crate::model::Op], subject: &dyn AnySubject) {
        if ops.is_empty() {
            return;
        }
        let run = panics::catching(|| {
            subject.block_on(async {
                let mut records = Vec::new();
                let all = self.world().alone(ops, &mut records).await;
                all.map(|()| records)
            })
        });
        self.note(run);
    }

    /// One client's calls, once all are there.
    fn play(&self, client: usize, subject: &dyn AnySubject) {
        watch::running(Arc::new(Scenario::Threads(self.plan.clone())));
        let steps = &self.plan.clients[client];
        // All at once, or one a little later than another: a barrier would wake them one by one.
        let mut dice = Dice::new(self.dice, client as u64);
        let most = 1 << dice.below(12);
        let late = dice.below(most);
        self.arrived.fetch_add(1, Ordering::SeqCst);
        wait_until(|| self.arrived.load(Ordering::SeqCst) >= self.plan.clients.len());
        for step in 0..late {
            // About a nanosecond; a call takes some hundred.
            hint::black_box(step);
        }
        let number = u32::try_from(client).unwrap_or(u32::MAX);
        let calls = || panics::catching(|| subject.block_on(self.world().client(number, steps)));
        let run = match self.pausing {
            Some((whose, reading)) if whose == client => {
                pause::at_reading(reading, self.others(), calls)
            }
            _ => calls(),
        };
        self.ended.fetch_add(1, Ordering::SeqCst);
        self.note(run);
    }

    /// What lets the others end their calls first, unless they wait for a lock of this one.
    fn others(&self) -> impl FnOnce() + 'static {
        let (ended, others) = (Arc::clone(&self.ended), self.plan.clients.len() - 1);
        move || {
            let clock = SystemClock::new();
            wait_until(|| ended.load(Ordering::SeqCst) >= others || clock.now() > LONGEST_PAUSE);
        }
    }

    fn note(&self, run: Result<Result<Vec<Record>, BoxError>, String>) {
        let theirs = run.unwrap_or_else(|_| Ok(Vec::new()));
        let mut records = lock(&self.records);
        match (&mut *records, theirs) {
            (Ok(all), Ok(theirs)) => all.extend(theirs),
            (Ok(_), Err(error)) => *records = Err(error),
            (Err(_), _) => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Spins for as long as another core may be about to do it, then lets others have this one.
fn wait_until(is_so: impl Fn() -> bool) {
    let mut turns = 0;
    while !is_so() {
        turns += 1;
        match turns < 200 {
            true => hint::spin_loop(),
            false => thread::yield_now(),
        }
    }
}
