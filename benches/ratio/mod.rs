//! Ratios: two pieces of work measured in turn, in one run, so that what else the machine does
//! falls on both.

use std::time::{Duration, Instant};

/// How long `work` takes.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn time<T>(work: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

/// Runs `ours` and `theirs` in turn and prints the median of how much longer ours takes.
pub(crate) fn print<A, B>(name: &str, mut ours: impl FnMut() -> A, mut theirs: impl FnMut() -> B) {
    const ROUNDS: usize = 41;
    time(&mut ours);
    time(&mut theirs);
    let mut ratios: Vec<f64> = (0..ROUNDS)
        .map(|_| time(&mut ours).as_secs_f64() / time(&mut theirs).as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("ratio  {name:<44} {:>6.2}", ratios[ROUNDS / 2]);
}
