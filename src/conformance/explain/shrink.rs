//! Shrink: a failing program down to one that no single simplification makes smaller.
//!
//! Greedy, to a fixpoint: every kind of simplification is tried until none of them leaves a program
//! that still fails in the same way. Each makes the program strictly simpler, so this ends.

mod ids;
mod json;
mod payloads;
mod shape;
mod times;

use crate::conformance::judge::failure::{Failing, Failure};
use crate::conformance::program::Program;
use crate::model::{Nanos, Op};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// The smallest program of one client found from `ops` that has the same symptom. `run` is what runs a
/// program, and `tick` the unit of plain times; nothing when `ops` does not fail now, as with a store that
/// is not deterministic.
pub(crate) fn shrink(
    ops: &[Op],
    tick: Nanos,
    run: impl Fn(&[Op]) -> Option<Failure>,
) -> Option<Failing> {
    let mut failure = run(ops)?;
    let symptom = failure.symptom();
    let cut = |ops: &[Op], failure: &Failure| Program::from(ops[..=failure.at].to_vec());
    let program = cut(ops, &failure);
    let times = Rc::new(RefCell::new(failure.times.clone()));
    let accept = |program: &Program| {
        let again = run(program.ops()).filter(|again| symptom.may_become(again.symptom()))?;
        let program = cut(program.ops(), &again);
        times.replace(again.times.clone());
        failure = again;
        Some(program)
    };
    let is_long = program.ops().len() > LONG;
    let mut shrinker = Shrinker {
        times: Some(Rc::clone(&times)),
        ..Shrinker::new(program, tick, accept)
    };
    if is_long {
        // All its tries may go by before it is short.
        shrinker.make_times_plain();
    }
    let program = shrinker.shrink(&[
        Shrinker::leave_out_operations,
        Shrinker::leave_out_pair,
        Shrinker::merge_advances,
        Shrinker::move_advance_into_ttls,
        Shrinker::simplify_ids,
        Shrinker::simplify_payloads,
        Shrinker::simplify_times,
    ]);
    let ops = program.ops().to_vec();
    Some(Failing { ops, failure })
}

/// The smallest program found from one whose calls overlap or are cancelled. `accept` says whether a
/// program still fails in the same way, and if so gives it in the schedule in which it does. It takes many
/// runs to say so, and so fewer simplifications are tried than of programs of one client.
pub(crate) fn shrink_history(
    program: Program,
    tick: Nanos,
    accept: impl FnMut(&Program) -> Option<Program>,
) -> Program {
    Shrinker::new(program, tick, accept).shrink(&[
        Shrinker::simplify_shape,
        Shrinker::leave_out_operations,
        Shrinker::simplify_ids,
        Shrinker::simplify_payloads,
        Shrinker::make_times_plain,
    ])
}

/// Makes a program smaller, for as long as it fails in the same way.
struct Shrinker<A> {
    best: Program,
    tick: Nanos,
    /// When its operations began, where time goes on by itself.
    times: Option<Rc<RefCell<Vec<Nanos>>>>,
    /// Gives a program as it is to be kept, if it fails in the same way.
    accept: A,
    /// How many programs may still be tried, or fewer long ones.
    tries_left: usize,
}

/// Enough for every program of the zoo many times over. Times that only fail together, and only in
/// small steps, would take millions.
const MOST_TRIES: usize = 50_000;

/// Of longer programs, fewer are tried.
const LONG: usize = 64;

impl<A: FnMut(&Program) -> Option<Program>> Shrinker<A> {
    fn new(program: Program, tick: Nanos, accept: A) -> Self {
        Self {
            best: program,
            tick,
            times: None,
            accept,
            tries_left: MOST_TRIES,
        }
    }

    /// Takes every pass as often as it does something, before the next: to begin again with the first
    /// every time would try the same again and again.
    fn shrink(mut self, passes: &[fn(&mut Self) -> bool]) -> Program {
        let mut passes_in_vain = 0;
        for pass in passes.iter().cycle() {
            passes_in_vain = match self.exhaust(*pass) {
                true => 1,
                false => passes_in_vain + 1,
            };
            if passes_in_vain == passes.len() {
                break;
            }
        }
        self.best
    }

    /// Takes a pass as often as it makes the program simpler. Says whether it ever did.
    fn exhaust(&mut self, pass: fn(&mut Self) -> bool) -> bool {
        let mut simpler = false;
        while pass(self) {
            simpler = true;
        }
        simpler
    }

    /// Takes a program over if it fails in the same way. Whoever calls this made it simpler.
    fn try_program(&mut self, program: &Program) -> bool {
        let cost = 1 + program.ops().len() / LONG;
        if self.tries_left < cost {
            self.tries_left = 0;
            return false;
        }
        self.tries_left -= cost;
        let accepted = (self.accept)(program);
        let is_accepted = accepted.is_some();
        self.best = accepted.unwrap_or_else(|| std::mem::take(&mut self.best));
        is_accepted
    }

    /// The same with other operations in the same places.
    fn try_ops(&mut self, ops: Vec<Op>) -> bool {
        let program = self.best.with_ops(ops);
        self.try_program(&program)
    }

    /// Leaves out stretches of operations, the long ones first.
    fn leave_out_operations(&mut self) -> bool {
        let mut smaller = false;
        let mut stretch = self.best.ops().len();
        while stretch > 0 {
            let mut start = 0;
            while start < self.best.ops().len() {
                let end = (start + stretch).min(self.best.ops().len());
                let fewer = self.best.without(start..end);
                if self.try_program(&fewer) || self.try_waiting(start..end) {
                    smaller = true;
                } else {
                    start += stretch;
                }
            }
            stretch /= 2;
        }
        smaller
    }

    /// Waits as long as these operations took, in place of them: where time goes on by itself, that may be
    /// all that they are needed for.
    fn try_waiting(&mut self, places: Range<usize>) -> bool {
        let ops = self.best.ops();
        let is_call = |op: &Op| !matches!(op, Op::Advance { .. });
        let Some(time) = self
            .times
            .as_ref()
            .map(|times| times.borrow())
            .and_then(|times| {
                let begin = times.get(places.start)?;
                Some(times.get(places.end)? - begin)
            })
        else {
            return false;
        };
        if time <= 0 || !ops[places.clone()].iter().any(is_call) {
            return false;
        }
        let mut ops = ops.to_vec();
        ops.splice(places, [Op::Advance { by: time }]);
        let waiting = Program::from(ops);
        self.try_program(&waiting)
    }

    /// Leaves out any two; of a long program, that are near to each other.
    fn leave_out_pair(&mut self) -> bool {
        let len = self.best.ops().len();
        let reach = (2_048 / len.max(1)).max(4);
        let near = move |second: usize| second.saturating_sub(reach)..second;
        let pairs = (1..len).flat_map(|second| near(second).map(move |first| (first, second)));
        pairs.into_iter().any(|(first, second)| {
            let fewer = self.best.without(second..second + 1);
            let fewer = fewer.without(first..first + 1);
            self.try_program(&fewer)
        })
    }

    /// Leaves out an advance and makes the next one longer instead, and the times to live of the commits
    /// between the two, so that what ends later ends at the same time.
    fn move_advance_into_ttls(&mut self) -> bool {
        (0..self.best.ops().len()).any(|at| {
            let Op::Advance { by } = self.best.ops()[at] else {
                return false;
            };
            let mut ops = self.best.ops().to_vec();
            let mut advanced = false;
            for op in &mut ops[at + 1..] {
                match op {
                    Op::Commit { ttl, .. } if *ttl > 0 && !advanced => *ttl += by,
                    Op::Advance { by: time } if !advanced => {
                        *time += by;
                        advanced = true;
                    }
                    _ => {}
                }
            }
            if !advanced {
                return false;
            }
            let without = self.best.with_ops(ops).without(at..at + 1);
            self.try_program(&without)
        })
    }

    /// Makes two advances in a row, or with other calls between, one.
    fn merge_advances(&mut self) -> bool {
        let advances: Vec<(usize, Nanos)> = self
            .best
            .ops()
            .iter()
            .enumerate()
            .filter_map(|(at, op)| match op {
                Op::Advance { by } => Some((at, *by)),
                _ => None,
            })
            .collect();
        advances.windows(2).any(|pair| {
            let [(first, one), (second, other)] = *pair else {
                return false;
            };
            [(first, second), (second, first)]
                .iter()
                .any(|(kept, gone)| {
                    let mut ops = self.best.ops().to_vec();
                    ops[*kept] = Op::Advance { by: one + other };
                    let merged = self.best.with_ops(ops).without(*gone..gone + 1);
                    self.try_program(&merged)
                })
        })
    }
}

#[cfg(test)]
mod tests;
