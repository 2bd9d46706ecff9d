//! Threads: clients that run at once, as far as the machine has cores.

use super::client::World;
use super::execution::Execution;
use super::tasks::{self, Rest};
use super::underway::Underway;
use crate::clock::{Clock as _, SystemClock, pause};
use crate::conformance::judge::history::{Course, Record};
use crate::conformance::program::Program;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Hold, Place, Schedule, Step, Together};
use crate::conformance::subject::erased::{ErasedSubject, Instance};
use crate::conformance::subject::watch::{self, Watch};
use crate::conformance::subject::{panics, workers};
use crate::store::BoxError;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{hint, thread};

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
                    if client < act.clients.len() {
                        act.play(client, subject);
                    }
                    drop(act);
                    stage.done.fetch_add(1, Ordering::SeqCst);
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

/// A client that is held where nobody says so is held at one of its first readings of the clock, for no
/// longer than this: some hundred calls.
pub(crate) const READINGS: u32 = 4;
const BRIEFLY: Duration = Duration::from_micros(50);

/// One that is to be held is, until the others have returned, but for no longer than this: they may wait
/// for a lock of its own.
pub(crate) const LONGEST_HOLD: Duration = Duration::from_secs(1);

/// Where the clients meet.
struct Stage {
    act: Mutex<Option<Arc<Act>>>,
    /// How many acts have begun.
    number: AtomicUsize,
    /// Clients, but for the first, that are done with this one.
    done: AtomicUsize,
    is_over: AtomicBool,
}

/// A program on one store.
struct Scene {
    program: Program,
    instance: Box<dyn Instance>,
    course: Course,
    underway: Arc<Underway>,
    records: Mutex<Result<Vec<Record>, BoxError>>,
}

/// Clients that meet.
struct Act {
    scene: Arc<Scene>,
    clients: Vec<Range<usize>>,
    together: Together,
    seed: u64,
    hold: Option<Hold>,
    /// Somebody said that this client is held there, so the others wait for it.
    is_hold_given: bool,
    /// The client that is held has come to the place, or to its end.
    is_held: Arc<AtomicBool>,
    arrived: AtomicUsize,
    /// Clients whose calls have returned.
    ended: Arc<AtomicUsize>,
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
                match together.schedule {
                    _ if !goes_on => return,
                    Schedule::Threads(hold) => {
                        let act = Act::new(&scene, places, together, hold, &mut rng, seed);
                        self.act(act, clients, subject);
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
        })
    }

    /// Plays one act, as the first client, and waits for the others.
    fn act(&self, act: Act, clients: usize, subject: &dyn ErasedSubject) {
        let act = Arc::new(act);
        self.done.store(0, Ordering::SeqCst);
        *lock(&self.act) = Some(Arc::clone(&act));
        self.number.fetch_add(1, Ordering::SeqCst);
        act.play(0, subject);
        wait_until(|| self.done.load(Ordering::SeqCst) == clients - 1 || watch::is_stopped());
        *lock(&self.act) = None;
    }
}

impl Scene {
    fn world(&self) -> World<'_> {
        World {
            program: &self.program,
            instance: &*self.instance,
            course: &self.course,
        }
    }

    /// The operations in these places, while nobody else calls. Says whether the program goes on.
    fn alone(&self, places: Range<usize>, subject: &dyn ErasedSubject) -> bool {
        if places.is_empty() {
            return true;
        }
        let mut goes_on = true;
        let run = panics::catching(|| {
            subject.block_on(async {
                let mut records = Vec::new();
                for at in places {
                    goes_on = self.world().one(at, &mut records).await?;
                    if !goes_on {
                        break;
                    }
                }
                Ok(records)
            })
        });
        self.note(run);
        goes_on
    }

    /// Clients that are tasks.
    fn tasks(
        &self,
        clients: &[Range<usize>],
        together: &Together,
        rng: &mut Rng,
        subject: &dyn ErasedSubject,
    ) {
        let run = panics::catching(|| {
            let world = self.world();
            let mut rest = Rest::Drawn(rng);
            subject.block_on(tasks::together(
                &world,
                clients,
                together,
                &mut rest,
                &self.underway,
            ))
        });
        self.note(run);
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

impl Act {
    fn new(
        scene: &Arc<Scene>,
        clients: Vec<Range<usize>>,
        together: &Together,
        given: Option<Hold>,
        rng: &mut Rng,
        seed: u64,
    ) -> Self {
        let is_held = rng.below(2) == 0;
        let number = 1 + u32::try_from(rng.below(READINGS as usize)).unwrap_or(0);
        let drawn = is_held.then(|| Hold {
            client: rng.below(clients.len()),
            place: Place::Clock,
            number,
        });
        let hold = given.or(drawn);
        // One that was drawn was brief, and that it mattered is not known.
        scene.underway.meet(Schedule::Threads(given));
        Self {
            scene: Arc::clone(scene),
            clients,
            together: together.clone(),
            seed,
            hold,
            is_hold_given: given.is_some(),
            is_held: Arc::default(),
            arrived: AtomicUsize::new(0),
            ended: Arc::default(),
        }
    }

    /// One client's calls, once all are there.
    fn play(&self, client: usize, subject: &dyn ErasedSubject) {
        watch::running(Arc::clone(&self.scene.underway) as _);
        let is_held = self.hold.is_some_and(|hold| hold.client == client);
        self.arrived.fetch_add(1, Ordering::SeqCst);
        wait_until(|| self.arrived.load(Ordering::SeqCst) >= self.clients.len());
        match self.is_hold_given {
            true if is_held => {}
            true => wait_until(|| self.is_held.load(Ordering::SeqCst)),
            false => self.be_late(client),
        }
        let number = u32::try_from(client).unwrap_or(u32::MAX);
        let places = self.clients[client].clone();
        let pause = self.together.pause;
        let world = self.scene.world();
        let calls = || panics::catching(|| subject.block_on(world.client(number, places, pause)));
        let run = match self.hold.filter(|_| is_held) {
            Some(hold) => pause::at_reading(hold.number, self.hold_here(), calls),
            None => calls(),
        };
        self.ended.fetch_add(1, Ordering::SeqCst);
        if is_held {
            self.is_held.store(true, Ordering::SeqCst);
        }
        self.scene.note(run);
    }

    /// All at once, or one a little later than another: a barrier would wake them one by one.
    fn be_late(&self, client: usize) {
        let mut rng = Rng::new(self.seed, client as u64);
        let most = 1 << rng.below(12);
        for step in 0..rng.below(most) {
            // About a nanosecond; a call takes some hundred.
            hint::black_box(step);
        }
    }

    /// What lets the others end their calls first, unless they wait for a lock of this one.
    fn hold_here(&self) -> impl FnOnce() + 'static {
        let (ended, others) = (Arc::clone(&self.ended), self.clients.len() - 1);
        let is_held = Arc::clone(&self.is_held);
        let longest = match self.is_hold_given {
            true => LONGEST_HOLD,
            false => BRIEFLY,
        };
        move || {
            is_held.store(true, Ordering::SeqCst);
            let clock = SystemClock::new();
            let is_over = || ended.load(Ordering::SeqCst) >= others || clock.now() > longest;
            watch::held(|| wait_until(is_over));
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
