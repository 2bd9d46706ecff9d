//! Threads: clients that run at once, as far as the machine has cores.

use super::act::{Act, Order};
use super::execution::Execution;
use super::scene::{Scene, lock};
use super::signal::Signal;
use super::turns::Turns;
use super::underway::Underway;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::history::Course;
use crate::conformance::program::Program;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Schedule, Step};
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::watch::{self, Watch};
use crate::conformance::subject::{panics, workers};
use crate::store::BoxError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Makes one program, some of whose clients are as many threads.
pub(super) fn execute(
    subject: &dyn ErasedSubject,
    program: &Program,
    clients: usize,
    rng: Rng,
) -> Result<Execution, BoxError> {
    let (mut next, mut executed) = (Some(program), None);
    let take = |execution| executed = Some(execution);
    execute_each(subject, clients, rng, || next.take().cloned(), take)?;
    executed.ok_or_else(|| "the program was not run".into())
}

/// Makes short programs, one after another, each on a fresh store: this thread is the first client, and
/// the others wait on threads of their own for the next program. None has more than so many clients.
///
/// To start a thread takes longer than a call, so threads that are started for a call or two never
/// meet. `take` gets what came of each.
pub(crate) fn execute_each(
    subject: &dyn ErasedSubject,
    clients: usize,
    mut rng: Rng,
    mut next: impl FnMut() -> Option<Program>,
    mut take: impl FnMut(Execution),
) -> Result<(), BoxError> {
    let stage = Stage::new();
    let watch = Watch::here();
    thread::scope(|scope| {
        let curtain = Curtain(&stage);
        let others = (1..clients).map(|client| {
            let (stage, watch) = (&stage, &watch);
            scope.spawn(move || {
                panics::silence_panics_here();
                if let Some(watch) = watch {
                    watch.enter();
                }
                let mut number = 0;
                while let Some(act) = stage.next(&mut number) {
                    if client < act.clients.len() {
                        act.play(client, subject);
                    }
                    drop(act);
                    stage.done.fetch_add(1, Ordering::SeqCst);
                    stage.signal.give();
                }
            })
        });
        let others: Vec<_> = others.collect();
        while let Some(program) = next() {
            take(stage.program(subject, clients, &program, rng.next())?);
        }
        drop(curtain);
        others.into_iter().for_each(workers::joined);
        Ok(())
    })
}

/// Between two looks at a client that may stand still: twice as long as clients have been at it, all of them
/// together, that did not, and no less than this; so long where nobody knows.
const LEAST_APART: Duration = Duration::from_micros(20);
const APART: Duration = Duration::from_millis(1);

/// Where the clients meet.
struct Stage {
    act: Mutex<Option<Arc<Act>>>,
    /// How many acts have begun.
    number: AtomicUsize,
    /// Clients, but for the first, that are done with this one.
    done: AtomicUsize,
    is_over: AtomicBool,
    signal: Signal,
    /// The shortest time that clients have been at it who ran one at a time.
    quickest: Mutex<Option<Duration>>,
}

/// Ends the waiting, however the first client ends.
struct Curtain<'a>(&'a Stage);

impl Drop for Curtain<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.0.signal.give();
    }
}

impl Stage {
    fn new() -> Self {
        Self {
            act: Mutex::new(None),
            number: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            signal: Signal::default(),
            quickest: Mutex::default(),
        }
    }

    /// Waits for the act after this one.
    fn next(&self, number: &mut usize) -> Option<Arc<Act>> {
        self.signal
            .wait_until(|| self.number.load(Ordering::SeqCst) > *number || self.is_over());
        *number = self.number.load(Ordering::SeqCst);
        lock(&self.act).clone().filter(|_| !self.is_over())
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Makes one program, as the first client.
    fn program(
        &self,
        subject: &dyn ErasedSubject,
        clients: usize,
        program: &Program,
        seed: u64,
    ) -> Result<Execution, BoxError> {
        let underway = Arc::new(Underway::new(program));
        watch::running(Arc::clone(&underway) as _);
        let fresh = || panics::catching(|| subject.block_on(subject.fresh()));
        let fresh = panics::silently(fresh).map_err(|message| panics::no_store_made(&message))?;
        let scene = Arc::new(Scene {
            program: program.clone(),
            instance: fresh?,
            course: Course::of(subject.passing()),
            underway: Arc::clone(&underway),
            records: Mutex::new(Ok(Vec::new())),
        });
        let mut rng = Rng::new(seed, u64::MAX);
        panics::silently(|| {
            let mut alone = 0..0;
            for step in program.steps() {
                let (places, together) = match step {
                    Step::One { at } => {
                        alone = alone.start..at + 1;
                        continue;
                    }
                    Step::Together { clients, together } => (clients, together),
                };
                let goes_on = scene.alone(alone, subject);
                alone = together.places().end..together.places().end;
                match &together.schedule {
                    _ if !goes_on => return,
                    Schedule::Threads(holds) => {
                        let order = match &holds[..] {
                            [] => Order::drawn(places.len(), &mut rng),
                            holds => {
                                let turns = Turns::new(holds, places.len(), self.apart());
                                Order::Held(Arc::new(turns))
                            }
                        };
                        scene.underway.meet(together.schedule.clone());
                        self.act(
                            Act::new(&scene, places, together, order, seed),
                            clients,
                            subject,
                        );
                    }
                    _ => scene.tasks(&places, together, &mut rng, subject),
                }
            }
            scene.alone(alone, subject);
        });
        let Some(scene) = Arc::into_inner(scene) else {
            return Err("a client was lost".into());
        };
        // The store goes where its runtime is.
        let instance = scene.instance;
        let leave = || subject.block_on(async move { drop(instance) });
        let _ = panics::silently(|| panics::catching(leave));
        let records = scene.records.into_inner();
        Ok(Execution {
            records: records.unwrap_or_else(PoisonError::into_inner)?,
            program: underway.as_run(),
            luck: underway.luck(),
            came: underway.came(),
        })
    }

    fn apart(&self) -> Duration {
        lock(&self.quickest).map_or(APART, |quickest| LEAST_APART.max(2 * quickest))
    }

    /// Plays one act, as the first client, and waits for the others.
    fn act(&self, act: Act, clients: usize, subject: &dyn ErasedSubject) {
        let act = Arc::new(act);
        self.done.store(0, Ordering::SeqCst);
        *lock(&self.act) = Some(Arc::clone(&act));
        self.number.fetch_add(1, Ordering::SeqCst);
        self.signal.give();
        let clock = SystemClock::new();
        act.play(0, subject);
        let are_done = || self.done.load(Ordering::SeqCst) == clients - 1;
        self.signal.wait_until(|| are_done() || watch::is_stopped());
        *lock(&self.act) = None;
        if let Order::Held(turns) = &act.order {
            let to_the_end = !turns.is_for_all();
            act.scene.underway.held(turns.came(), to_the_end);
            let (took, mut quickest) = (clock.now(), lock(&self.quickest));
            if to_the_end {
                *quickest = Some(quickest.map_or(took, |quickest| quickest.min(took)));
            }
        }
    }
}
