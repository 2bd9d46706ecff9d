//! Flaky: programs that fail in some runs only, since the store goes by chance. It may evict at random.

use super::failure::{Failing, Failure, Mistake, Probe};
use crate::model::Op;
use std::cell::Cell;

/// How often a program is run until it counts as one that passes. One that fails in every tenth run is
/// missed once in eight hundred times.
pub(crate) const TIMES: usize = 64;

/// How many runs more than one for each program there may be: about a second's.
const MOST: usize = 400_000;

/// Runs each program until it fails, for it may the next time.
pub(crate) struct Flaky<'a> {
    run: Probe<'a>,
    left: Cell<usize>,
}

impl<'a> Flaky<'a> {
    pub(crate) fn new(run: Probe<'a>) -> Self {
        let left = Cell::new(MOST);
        Self { run, left }
    }

    pub(crate) fn run(&self, ops: &[Op]) -> Option<Failure> {
        let times = self.left.get().clamp(1, TIMES);
        (0..times).find_map(|_| {
            self.left.set(self.left.get().saturating_sub(1));
            (self.run)(ops)
        })
    }

    /// How often a program fails, as a sentence; nothing if it never does.
    pub(crate) fn how_often(&self, ops: &[Op]) -> Option<String> {
        let failed = (0..TIMES).filter(|_| (self.run)(ops).is_some()).count();
        let told =
            || format!("it failed in {failed} of {TIMES} runs more: does the store go by chance?");
        (failed > 0).then(told)
    }
}

/// Whether such a program may be flaky. What hangs is not run again.
pub(crate) fn is_likely(failing: &Failing, run: Probe<'_>) -> bool {
    let is_wrong_answer = matches!(
        failing.failure.mistake(),
        Mistake::Lost
            | Mistake::Revived
            | Mistake::Changed
            | Mistake::NotRefused
            | Mistake::Refused
            | Mistake::Panicked
    );
    is_wrong_answer && !comes_again(&failing.ops, run)
}

/// Whether a program fails whenever it is run.
pub(crate) fn comes_again(ops: &[Op], run: Probe<'_>) -> bool {
    const TIMES: usize = 8;
    (0..TIMES).all(|_| run(ops).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::program::outcome::Outcome;

    #[test]
    fn what_never_fails_again_is_not_told_to_fail_in_some_runs() {
        let ops = [Op::Prepare { id: "A".to_owned() }];
        let failure = |ops: &[Op]| Some(Failure::of_last(ops, Outcome::Panicked(String::new())));
        let always = Flaky::new(&failure).how_often(&ops);
        assert!(always.is_some_and(|told| told.contains("in 64 of 64 runs")));
        assert_eq!(Flaky::new(&|_| None).how_often(&ops), None);
    }
}
