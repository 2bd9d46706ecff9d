//! Workers: one task after another, on every core.

use super::exec;
use super::watch::Watch;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A thread with room for calls within calls: an overflow of the stack would end the kit.
pub(super) fn roomy() -> thread::Builder {
    const ROOM: usize = 1 << 26;
    thread::Builder::new().stack_size(ROOM)
}

/// The results of `work(0)`, `work(1)`, .. up to `tasks`, in that order whichever core did them.
///
/// The kit's own threads: panics on them are silent.
///
/// # Panics
/// When the system has no thread left.
pub(super) fn each<T: Send>(tasks: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let watch = Watch::here();
    thread::scope(|scope| {
        for _ in 0..cores.min(tasks) {
            let worker = || {
                exec::silence_panics_here();
                if let Some(watch) = &watch {
                    watch.enter();
                }
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= tasks {
                        return;
                    }
                    let result = work(task);
                    results
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((task, result));
                }
            };
            let spawned = roomy().spawn_scoped(scope, worker);
            spawned.expect("a thread can be had");
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(task, _)| *task);
    results.into_iter().map(|(_, result)| result).collect()
}
