//! Clients: several at once on one store.
//!
//! As tasks on one thread, polled in an order that a seed decides, so that every point at which a
//! call waits is a place where another may come between; and as threads, for what happens between
//! two instructions.

use super::dice::Dice;
use super::exec::{self, Outcome};
use super::history::{Course, Record};
use super::payload;
use super::profile::{Profile, nanos};
use super::subject::{Clockwork, Passing, Subject};
use super::watch::{self, Running, Watch};
use crate::model::{Nanos, Op};
use crate::store::BoxError;
use crate::token;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;

/// What each client does, one call after another.
#[derive(Clone)]
pub(super) struct Plan {
    clients: Vec<Vec<Op>>,
}

/// The size of plans.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) clients: usize,
    /// Calls of each.
    pub(super) calls: usize,
    /// Ids that they all use: the fewer, the more they meet.
    pub(super) ids: usize,
}

impl Running for Plan {
    fn ops(&self, _: u64) -> Vec<Op> {
        self.clients.concat()
    }

    fn history(&self) -> Option<String> {
        let (clients, calls) = (
            self.clients.len(),
            self.clients.iter().map(Vec::len).sum::<usize>(),
        );
        Some(format!("{clients} clients at once, with {calls} calls"))
    }
}

impl Plan {
    /// A random plan. No two commits are of the same payload.
    pub(super) fn draw<S: Subject>(
        size: Size,
        profile: &Profile,
        tick: Nanos,
        dice: &mut Dice,
    ) -> Self {
        let ids = ids(size.ids, profile);
        let at_will = <S::Clock as Clockwork<S::Store>>::PASSING != Passing::Waiting;
        // Where time must be waited for, lives are to end while the clients are still at it.
        let tick = match at_will {
            true => tick,
            false => (2 * nanos(profile.resolution)).max(2_000_000),
        };
        let lives = match dice.below(2) {
            0 => [1, 1, 2, 1_000],
            _ => [2, 1_000, 1_000, 1_000],
        };
        let mut commits = 0;
        let mut op = |dice: &mut Dice| {
            let id = ids[dice.below(ids.len())].clone();
            match dice.below(16) {
                0..7 => Op::Prepare { id },
                7..10 => Op::Drop { id },
                10..14 => {
                    commits += 1;
                    Op::Commit {
                        snapshot: Some(payload::numbered(commits, &id)),
                        ttl: lives[dice.below(lives.len())] * tick,
                    }
                }
                _ if at_will => Op::Advance { by: tick },
                _ => Op::Prepare { id },
            }
        };
        let mut client = |_| (0..size.calls).map(|_| op(dice)).collect();
        Self {
            clients: (0..size.clients).map(&mut client).collect(),
        }
    }

    /// Runs the clients as tasks on this thread.
    pub(super) fn as_tasks<S: Subject>(
        &self,
        subject: &S,
        dice: &mut Dice,
    ) -> Result<Vec<Record>, BoxError> {
        watch::running(Arc::new(self.clone()));
        let run = exec::catching(|| {
            subject.block_on(async {
                let (store, clockwork) = subject.fresh().await?;
                let course = Course::of::<S>();
                let world: World<'_, S> = World {
                    store: &store,
                    clockwork: &clockwork,
                    course: &course,
                };
                let tasks = self.clients.iter().zip(0..);
                let tasks = tasks.map(|(ops, client)| Box::pin(world.client(client, ops)) as _);
                interleaved(tasks.collect(), dice).await
            })
        });
        // A store that panics when it is made or goes has been told of by now.
        run.unwrap_or_else(|_| Ok(Vec::new()))
    }

    /// Runs the clients as threads.
    pub(super) fn as_threads<S: Subject>(&self, subject: &S) -> Result<Vec<Record>, BoxError> {
        let fresh = || exec::catching(|| subject.block_on(subject.fresh()));
        let Ok(fresh) = exec::silently(fresh) else {
            return Ok(Vec::new());
        };
        let (store, clockwork) = fresh?;
        let (course, arrived) = (Course::of::<S>(), AtomicUsize::new(0));
        let world: World<'_, S> = World {
            store: &store,
            clockwork: &clockwork,
            course: &course,
        };
        let watch = Watch::here();
        let client = |client: u32, ops: &[Op]| {
            exec::silence_panics_here();
            if let Some(watch) = &watch {
                watch.enter();
            }
            watch::running(Arc::new(self.clone()));
            // All at once: a barrier would wake them one after another.
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < self.clients.len() {
                thread::yield_now();
            }
            let run = exec::catching(|| subject.block_on(world.client(client, ops)));
            run.unwrap_or_else(|_| Ok(Vec::new()))
        };
        let records = thread::scope(|scope| {
            let client = &client;
            let clients = self.clients.iter().zip(0..);
            let threads: Vec<_> = clients
                .map(|(ops, number)| scope.spawn(move || client(number, ops)))
                .collect();
            let joined = threads.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .map(|records| records.unwrap_or_else(|_| Err("a client was lost".into())))
                .collect::<Result<Vec<_>, _>>()
        })?;
        // The store goes where its runtime is.
        let leave = || subject.block_on(async move { drop((store, clockwork)) });
        let _ = exec::silently(|| exec::catching(leave));
        Ok(records.concat())
    }
}

/// Tokens, or the first of the profile's.
fn ids(count: usize, profile: &Profile) -> Vec<String> {
    let ids = match &profile.ids {
        None => ["A", "B", "C", "D"]
            .map(|letter| letter.repeat(token::LEN))
            .to_vec(),
        Some(pair) => pair(0).to_vec(),
    };
    ids.into_iter().take(count).collect()
}

/// What the clients share.
struct World<'a, S: Subject> {
    store: &'a S::Store,
    clockwork: &'a S::Clock,
    course: &'a Course,
}

impl<S: Subject> World<'_, S> {
    /// One client's calls, to their end. A call that panics is its last.
    async fn client(&self, client: u32, ops: &[Op]) -> Result<Vec<Record>, BoxError> {
        let mut records = Vec::with_capacity(ops.len());
        for op in ops {
            match op {
                Op::Advance { by } => {
                    let by = exec::duration(*by).unwrap_or_default();
                    self.course.advance(self.store, self.clockwork, by).await?;
                }
                _ => records.push(self.course.call::<S>(client, self.store, op).await),
            }
            if let Some(Outcome::Panicked(_)) =
                records.last().and_then(|last| last.outcome.as_ref())
            {
                break;
            }
        }
        Ok(records)
    }
}

type Task<'a> = Pin<Box<dyn Future<Output = Result<Vec<Record>, BoxError>> + 'a>>;

/// Polls the tasks in a random order, to their ends.
async fn interleaved(mut tasks: Vec<Task<'_>>, dice: &mut Dice) -> Result<Vec<Record>, BoxError> {
    let mut records = Vec::new();
    poll_fn(|context| {
        let mut waiting = vec![false; tasks.len()];
        for _ in 0..2 * tasks.len() {
            let chosen = dice.below(tasks.len());
            match tasks[chosen].as_mut().poll(context) {
                Poll::Ready(Ok(theirs)) => {
                    records.extend(theirs);
                    drop(tasks.swap_remove(chosen));
                    waiting.swap_remove(chosen);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => waiting[chosen] = true,
            }
            if tasks.is_empty() {
                return Poll::Ready(Ok(std::mem::take(&mut records)));
            }
        }
        if waiting.contains(&false) {
            // Its wake-up may have been this one.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}
