//! Tasks: clients that take turns on one thread.

use super::World;
use crate::conformance::judge::history::{Course, Record};
use crate::conformance::program::dice::Dice;
use crate::conformance::search::plan::Plan;
use crate::conformance::search::scenario::Scenario;
use crate::conformance::subject::erased::AnySubject;
use crate::conformance::subject::panics;
use crate::conformance::subject::watch;
use crate::store::BoxError;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

impl Plan {
    /// Runs the clients as tasks on this thread.
    pub(crate) fn as_tasks(
        &self,
        subject: &dyn AnySubject,
        dice: &mut Dice,
    ) -> Result<Vec<Record>, BoxError> {
        watch::running(Arc::new(Scenario::Tasks(self.clone())));
        let run = panics::catching(|| {
            subject.block_on(async {
                let instance = subject.fresh().await?;
                let course = Course::of(subject.passing());
                let world: World<'_> = World {
                    instance: &*instance,
                    course: &course,
                    linger: self.linger,
                };
                let mut records = Vec::new();
                world.alone(&self.opening, &mut records).await?;
                let tasks = self.clients.iter().zip(0..);
                let tasks = tasks.map(|(steps, client)| Task::new(world.client(client, steps)));
                records.extend(interleaved(tasks.collect(), dice).await?);
                world.alone(&self.closing, &mut records).await?;
                Ok(records)
            })
        });
        // A store that panics when it is made or goes has been told of by now.
        run.unwrap_or_else(|_| Ok(Vec::new()))
    }
}

struct Task<'a> {
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
    fn new(future: impl Future<Output = Result<Vec<Record>, BoxError>> + 'a) -> Self {
        Self {
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

/// Polls the tasks that were woken in a random order, to their ends, and now and then another one,
/// which a future has to bear.
async fn interleaved(mut tasks: Vec<Task<'_>>, dice: &mut Dice) -> Result<Vec<Record>, BoxError> {
    let mut records = Vec::new();
    poll_fn(|context| {
        for task in &tasks {
            let mut all = task.bell.all.lock().unwrap_or_else(PoisonError::into_inner);
            all.clone_from(context.waker());
        }
        for _ in 0..2 * tasks.len() {
            let awake = tasks.iter().enumerate().filter(|(_, task)| task.is_awake());
            let awake: Vec<usize> = awake.map(|(place, _)| place).collect();
            if awake.is_empty() {
                return Poll::Pending;
            }
            let chosen = match dice.below(8) {
                0 => dice.below(tasks.len()),
                _ => awake[dice.below(awake.len())],
            };
            match tasks[chosen].poll() {
                Poll::Ready(Ok(theirs)) => {
                    records.extend(theirs);
                    drop(tasks.swap_remove(chosen));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
            if tasks.is_empty() {
                return Poll::Ready(Ok(std::mem::take(&mut records)));
            }
        }
        // Whatever else runs here has its turn.
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
