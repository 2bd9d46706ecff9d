//! How much is tried, and what counts as the same failure.

use super::*;
use crate::conformance::exec::Outcome;
use crate::conformance::program::Program;
use crate::model::{Model, Reply};
use std::cell::Cell;

const SECOND: Nanos = 1_000_000_000;

fn ops(program: &str) -> Vec<Op> {
    program.parse::<Program>().unwrap().ops().to_vec()
}

/// A failure at the end of `ops`.
fn failure(ops: &[Op], outcome: Outcome) -> Failure {
    let mut model = Model::default();
    let expected = ops.iter().map(|op| model.step(op)).last();
    Failure {
        at: ops.len() - 1,
        expected: expected.expect("there is a last one"),
        outcome,
        measured: None,
        otherwise: Vec::new(),
        refused_ids: Vec::new(),
    }
}

fn panicked() -> Outcome {
    Outcome::Panicked(String::new())
}

/// How many programs are run of one that would come down a nanosecond at a time.
fn tries(program: &str) -> usize {
    let whole = ops(program);
    let (tries, shortest) = (Cell::new(0), Cell::new(Nanos::MAX));
    let run = |ops: &[Op]| {
        tries.set(tries.get() + 1);
        assert!(tries.get() <= 2 * MOST_TRIES, "it does not end");
        let ttls = ops.iter().filter_map(|op| match op {
            Op::Commit { ttl, .. } => Some(*ttl),
            _ => None,
        });
        let ttl = ttls.max()?;
        let is_next = ttl == shortest.get() - 1 || shortest.get() == Nanos::MAX;
        (ops.len() == whole.len() && is_next).then(|| {
            shortest.set(ttl);
            failure(ops, panicked())
        })
    };
    shrink(whole.clone(), SECOND, run);
    tries.get()
}

#[test]
fn so_much_is_tried_and_no_more() {
    let long_life = "commit A v1 ttl 1000000s; prepare A";
    // The program itself is run before.
    assert_eq!(tries(long_life), 1 + MOST_TRIES);
}

#[test]
fn what_is_long_costs_more_tries() {
    let program = format!("{}commit A v1 ttl 1000000s", "prepare A; ".repeat(127));
    let tries = tries(&program);
    // Shorter ones cost as much as they are long.
    assert!((MOST_TRIES / 3..=MOST_TRIES).contains(&tries), "{tries}");
}

#[test]
fn another_failure_is_not_taken_for_this_one() {
    let all = ops("commit A v1 ttl 1s; prepare A");
    let run = |ops: &[Op]| {
        let outcome = match ops.len() {
            0 => return None,
            1 => panicked(),
            _ => Outcome::Replied(Reply::Nothing),
        };
        Some(failure(ops, outcome))
    };
    let shrunk = shrink(all.clone(), SECOND, run).expect("it fails");
    assert_eq!(shrunk.ops, all);
}
