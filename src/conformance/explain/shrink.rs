//! Shrink: a failing program down to one that no single simplification makes smaller.
//!
//! Greedy, to a fixpoint: every kind of simplification is tried until none of them leaves a program
//! that still fails in the same way. Each makes the program strictly simpler, so this ends.

mod ids;
mod payloads;
mod times;
mod values;

use crate::conformance::judge::failure::{Failing, Failure, Mistake};
use crate::model::{Nanos, Op};

/// The smallest program found from `ops` that makes the same mistake. `run` is what runs a
/// program, and `tick` the unit of plain times; nothing when `ops` does not fail now, as with a
/// store that is not deterministic.
pub(crate) fn shrink(
    ops: Vec<Op>,
    tick: Nanos,
    run: impl Fn(&[Op]) -> Option<Failure>,
) -> Option<Failing> {
    let failure = run(&ops)?;
    let mut shrinker = Shrinker {
        mistake: failure.mistake(),
        best: cut(ops, failure),
        tick,
        run,
        left: MOST_TRIES,
    };
    let passes = [
        Shrinker::drop_operations,
        Shrinker::merge_advances,
        Shrinker::advance_into_lives,
        Shrinker::simplify_ids,
        Shrinker::simplify_payloads,
        Shrinker::simplify_times,
    ];
    // Each as often as it does something, before the next: to begin again with the first every time
    // would try the same again and again.
    let mut in_vain = 0;
    for pass in passes.iter().cycle() {
        in_vain = match shrinker.exhaust(*pass) {
            true => 1,
            false => in_vain + 1,
        };
        if in_vain == passes.len() {
            break;
        }
    }
    Some(shrinker.best)
}

fn cut(mut ops: Vec<Op>, failure: Failure) -> Failing {
    ops.truncate(failure.at + 1);
    Failing { ops, failure }
}

struct Shrinker<R> {
    mistake: Mistake,
    best: Failing,
    tick: Nanos,
    run: R,
    /// How many programs may still be tried, or fewer long ones.
    left: usize,
}

/// Enough for every program of the zoo many times over. Times that only fail together, and only in
/// small steps, would take millions.
const MOST_TRIES: usize = 50_000;

impl<R: Fn(&[Op]) -> Option<Failure>> Shrinker<R> {
    /// Takes `ops` over if they fail in the same way. Whoever calls this made them simpler.
    fn try_these(&mut self, ops: Vec<Op>) -> bool {
        let cost = 1 + ops.len() / 64;
        if self.left < cost {
            self.left = 0;
            return false;
        }
        self.left -= cost;
        match (self.run)(&ops) {
            Some(failure) if failure.mistake() == self.mistake => {
                self.best = cut(ops, failure);
                true
            }
            _ => false,
        }
    }

    /// Takes a pass as often as it makes the program simpler. Says whether it ever did.
    fn exhaust(&mut self, pass: fn(&mut Self) -> bool) -> bool {
        let mut simpler = false;
        while pass(self) {
            simpler = true;
        }
        simpler
    }

    /// Leaves out stretches of operations, the long ones first, then any two.
    fn drop_operations(&mut self) -> bool {
        let mut smaller = false;
        let mut stretch = self.best.ops.len();
        while stretch > 0 {
            let mut start = 0;
            while start < self.best.ops.len() {
                let end = (start + stretch).min(self.best.ops.len());
                let mut ops = self.best.ops.clone();
                ops.drain(start..end);
                if self.try_these(ops) {
                    smaller = true;
                } else {
                    start += stretch;
                }
            }
            stretch /= 2;
        }
        smaller || self.drop_pair()
    }

    /// Of a long program, any two that are near to each other.
    fn drop_pair(&mut self) -> bool {
        let len = self.best.ops.len();
        let reach = (2_048 / len).max(4);
        let near = move |second: usize| second.saturating_sub(reach)..second;
        let pairs = (1..len).flat_map(|second| near(second).map(move |first| (first, second)));
        pairs.into_iter().any(|(first, second)| {
            let mut ops = self.best.ops.clone();
            ops.remove(second);
            ops.remove(first);
            self.try_these(ops)
        })
    }

    /// Leaves out an advance and lets the lives that begin later, and the next advance, be longer
    /// instead, so that what ends later ends at the same time.
    fn advance_into_lives(&mut self) -> bool {
        (0..self.best.ops.len()).any(|at| {
            let Op::Advance { by } = self.best.ops[at] else {
                return false;
            };
            let mut ops = self.best.ops.clone();
            ops.remove(at);
            let mut advanced = false;
            for op in &mut ops[at..] {
                match op {
                    Op::Commit { ttl, .. } if *ttl > 0 && !advanced => *ttl += by,
                    Op::Advance { by: time } if !advanced => {
                        *time += by;
                        advanced = true;
                    }
                    _ => {}
                }
            }
            advanced && self.try_these(ops)
        })
    }

    /// Makes two advances in a row, or with other calls between, one.
    fn merge_advances(&mut self) -> bool {
        let advances: Vec<(usize, Nanos)> = self
            .best
            .ops
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
                    let mut ops = self.best.ops.clone();
                    ops[*kept] = Op::Advance { by: one + other };
                    ops.remove(*gone);
                    self.try_these(ops)
                })
        })
    }
}

#[cfg(test)]
mod tests;
