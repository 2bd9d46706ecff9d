//! Workers: one task after another, on every core.

use super::watch::Watch;
use crate::conformance::subject::panics;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::{iter, panic};

/// A thread with room for calls within calls: an overflow of the stack would end the kit.
///
/// To be joined: glibc's `pthread_detach`, which a dropped handle calls, may read a thread that has
/// just ended, and the memory of one with so much room is given back at once.
pub(crate) fn roomy() -> thread::Builder {
    const ROOM: usize = 1 << 26;
    thread::Builder::new().stack_size(ROOM)
}

/// What a thread returned, once it has ended; or its panic, on this one.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}

/// How many tasks there are at a time.
pub(crate) fn cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// The results of `work(0)`, `work(1)`, .. up to `tasks`, in that order whichever core did them.
///
/// The kit's own threads: panics on them are silent.
///
/// # Panics
/// When the system has no thread left.
pub(crate) fn each<T: Send>(tasks: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    each_on(cores() as usize, tasks, work)
}

/// The same on so many threads.
pub(crate) fn each_on<T: Send>(
    threads: usize,
    tasks: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if tasks == 1 {
        // To start a thread takes longer than most tasks.
        return vec![panics::silently(|| panics::with_place(|| work(0)))];
    }
    let next = AtomicUsize::new(0);
    let watch = Watch::here();
    let worker = || {
        panics::silence_panics_here();
        if let Some(watch) = &watch {
            watch.enter();
        }
        let task = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|task| *task < tasks);
        let results = iter::from_fn(task).map(|task| (task, work(task)));
        panics::with_place(|| results.collect::<Vec<_>>())
    };
    let mut results: Vec<_> = thread::scope(|scope| {
        let spawned = |_| {
            let spawned = roomy().spawn_scoped(scope, worker);
            spawned.expect("a thread can be had")
        };
        let workers: Vec<_> = (0..threads.min(tasks)).map(spawned).collect();
        workers.into_iter().flat_map(joined).collect()
    });
    results.sort_by_key(|(task, _)| *task);
    results.into_iter().map(|(_, result)| result).collect()
}
