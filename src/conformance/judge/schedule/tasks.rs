//! Tasks: clients that take turns on one thread.

use super::client::World;
use super::underway::Underway;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::history::Record;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{self, Schedule, Together};
use crate::conformance::subject::watch;
use crate::store::BoxError;
use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use std::{slice, thread};

/// Who has the turns that a schedule leaves open.
pub(super) enum Rest<'a> {
    /// Whoever is drawn.
    Drawn(&'a mut Rng),
    /// One client for as long as it is awake, and then the next; with who else might have had each turn.
    Noted(&'a mut Vec<Choice>),
}

/// A turn that nobody gave.
pub(super) struct Choice {
    /// The clients that could have it, in their order.
    pub(super) awake: Vec<usize>,
    /// Who had it, and who had the one before.
    pub(super) chosen: usize,
    pub(super) last: Option<usize>,
}

/// A client that is awake all the time, as one that waits for another by asking again and again, has no more
/// turns in a row than this where others are awake too.
const TURNS_IN_A_ROW: usize = 12;

/// Runs the clients as tasks on this thread.
pub(super) async fn together(
    world: &World<'_>,
    clients: &[Range<usize>],
    together: &Together,
    rest: &mut Rest<'_>,
    underway: &Underway,
) -> Result<Vec<Record>, BoxError> {
    underway.meet(Schedule::Polls(Vec::new()));
    let tasks = clients.iter().zip(0..).map(|(places, number)| {
        let client = u32::try_from(number).unwrap_or(u32::MAX);
        Task::new(number, world.client(client, places.clone(), together.pause))
    });
    let mut crowd = Crowd {
        tasks: tasks.collect(),
        records: Vec::new(),
        is_off: false,
        last: None,
        turns_in_a_row: 0,
        underway,
    };
    let (given, mut waits) = match &together.schedule {
        Schedule::Polls(polls) => (&polls[..], None),
        _ => (&[][..], None),
    };
    let mut given = given.iter();
    poll_fn(|context| {
        crowd.listen(context.waker());
        if watch::is_stopped() {
            // Nobody waits for it any more.
            return Poll::Ready(Ok(()));
        }
        match crowd.as_given(&mut given, &mut waits, context) {
            Poll::Ready(Ok(true)) => match rest {
                Rest::Drawn(rng) => crowd.as_drawn(rng, context),
                Rest::Noted(choices) => crowd.one_after_another(choices),
            },
            Poll::Ready(Ok(false)) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await?;
    Ok(crowd.records)
}

struct Task<'a> {
    client: usize,
    future: Pin<Box<dyn Future<Output = Result<Vec<Record>, BoxError>> + 'a>>,
    bell: Arc<Bell>,
}

/// A waker of one task alone: what wakes the wrong one, or only one of two, leaves the other asleep.
struct Bell {
    has_rung: AtomicBool,
    all: Mutex<Waker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::SeqCst);
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.wake_by_ref();
    }
}

impl<'a> Task<'a> {
    fn new(
        client: usize,
        future: impl Future<Output = Result<Vec<Record>, BoxError>> + 'a,
    ) -> Self {
        Self {
            client,
            future: Box::pin(future),
            bell: Arc::new(Bell {
                has_rung: AtomicBool::new(true),
                all: Mutex::new(Waker::noop().clone()),
            }),
        }
    }

    fn poll(&mut self) -> Poll<Result<Vec<Record>, BoxError>> {
        self.bell.has_rung.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn is_awake(&self) -> bool {
        self.bell.has_rung.load(Ordering::SeqCst)
    }
}

/// A turn that is given to a task which sleeps, while another could go on, is waited for no longer than
/// this: the store is another one by now. Of a look that comes late, when the machine was busy with
/// others, no more counts than `LOOK`: so may have been whoever is to wake the task.
const LONGEST_WAIT: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_millis(1);

/// How long a turn has been waited for.
struct Waited {
    clock: SystemClock,
    /// When it was looked last, and the time that counts.
    last: Duration,
    passed: Duration,
}

impl Waited {
    fn new() -> Self {
        Self {
            clock: SystemClock::new(),
            last: Duration::ZERO,
            passed: Duration::ZERO,
        }
    }

    fn look(&mut self) -> Duration {
        let now = self.clock.now();
        self.passed += now.saturating_sub(self.last).min(LOOK);
        self.last = now;
        self.passed
    }
}

/// The tasks that have not ended.
struct Crowd<'a> {
    tasks: Vec<Task<'a>>,
    records: Vec<Record>,
    /// A turn was waited for in vain: what is left of the order is gone through without a wait.
    is_off: bool,
    /// Who had the last turn, and how many in a row.
    last: Option<usize>,
    turns_in_a_row: usize,
    underway: &'a Underway,
}

impl Crowd<'_> {
    /// Has whoever wakes a task wake this one.
    fn listen(&self, waker: &Waker) {
        for task in &self.tasks {
            let mut all = task.bell.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.clone_from(waker);
        }
    }

    /// Polls the tasks in the order that is left of what is given. Says whether some have not ended then.
    fn as_given(
        &mut self,
        given: &mut slice::Iter<'_, shape::Poll>,
        waits: &mut Option<Waited>,
        context: &Context<'_>,
    ) -> Poll<Result<bool, BoxError>> {
        while let Some(turn) = given.as_slice().first() {
            let place = match turn {
                shape::Poll::Yield => {
                    given.next();
                    self.underway.turn(*turn);
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                shape::Poll::Woken(client) | shape::Poll::Unwoken(client) => {
                    self.tasks.iter().position(|task| task.client == *client)
                }
            };
            // One that has ended has no turn.
            if let Some(place) = place {
                let task = &self.tasks[place];
                let sleeps = matches!(turn, shape::Poll::Woken(_)) && !task.is_awake();
                if sleeps && !self.is_off && !self.is_late(waits, context) {
                    return Poll::Pending;
                }
                if !sleeps
                    && let Some(ended) = self.turn(place)
                    && let Err(error) = ended
                {
                    return Poll::Ready(Err(error));
                }
            }
            given.next();
            *waits = None;
        }
        Poll::Ready(Ok(!self.tasks.is_empty()))
    }

    /// Whether a task has slept for too long, in which another could have gone on. Where all sleep,
    /// something else will wake one, or the call hangs.
    fn is_late(&mut self, waits: &mut Option<Waited>, context: &Context<'_>) -> bool {
        if !self.tasks.iter().any(Task::is_awake) {
            self.underway.woken_from_outside();
            return false;
        }
        if waits.get_or_insert_with(Waited::new).look() > LONGEST_WAIT {
            self.is_off = true;
            return true;
        }
        watch::waits();
        thread::yield_now();
        context.waker().wake_by_ref();
        false
    }

    /// Polls the tasks that were woken in a random order, to their ends, and now and then another one,
    /// which a future has to bear.
    fn as_drawn(&mut self, rng: &mut Rng, context: &Context<'_>) -> Poll<Result<(), BoxError>> {
        for _ in 0..2 * self.tasks.len() {
            let awake = self.tasks.iter().enumerate();
            let awake = awake.filter(|(_, task)| task.is_awake());
            let awake: Vec<usize> = awake.map(|(place, _)| place).collect();
            if awake.is_empty() {
                self.underway.woken_from_outside();
                return Poll::Pending;
            }
            let chosen = match rng.below(8) {
                0 => rng.below(self.tasks.len()),
                _ => awake[rng.below(awake.len())],
            };
            if let Some(Err(error)) = self.turn(chosen) {
                return Poll::Ready(Err(error));
            }
            if self.tasks.is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        // Whatever else runs here has its turn.
        self.underway.turn(shape::Poll::Yield);
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Polls one task for as long as it is awake, and then the next, to their ends.
    fn one_after_another(&mut self, choices: &mut Vec<Choice>) -> Poll<Result<(), BoxError>> {
        while !self.tasks.is_empty() && !watch::is_stopped() {
            let awake = self.tasks.iter().filter(|task| task.is_awake());
            let mut awake: Vec<usize> = awake.map(|task| task.client).collect();
            awake.sort_unstable();
            let Some(first) = awake.first() else {
                self.underway.woken_from_outside();
                return Poll::Pending;
            };
            let last = self.last.filter(|last| awake.contains(last));
            let chosen = match last {
                Some(last) if self.turns_in_a_row < TURNS_IN_A_ROW => last,
                Some(last) => *awake.iter().find(|client| **client > last).unwrap_or(first),
                None => *first,
            };
            choices.push(Choice {
                awake,
                chosen,
                last: self.last,
            });
            let mut places = self.tasks.iter();
            let place = places.position(|task| task.client == chosen);
            if let Some(Err(error)) = place.and_then(|place| self.turn(place)) {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Polls the task in this place. Says what came of it when that was its end.
    fn turn(&mut self, place: usize) -> Option<Result<(), BoxError>> {
        let task = &mut self.tasks[place];
        self.turns_in_a_row = match self.last.replace(task.client) {
            Some(last) if last == task.client => self.turns_in_a_row + 1,
            _ => 1,
        };
        self.underway.turn(match task.is_awake() {
            true => shape::Poll::Woken(task.client),
            false => shape::Poll::Unwoken(task.client),
        });
        let Poll::Ready(theirs) = task.poll() else {
            return None;
        };
        drop(self.tasks.swap_remove(place));
        Some(theirs.map(|theirs| self.records.extend(theirs)))
    }
}
