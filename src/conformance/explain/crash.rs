//! Crash: the smallest program that ends its process.

use super::shrink;
use crate::conformance::judge::failure::{Failing, Failure};
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::{Program, payload};
use crate::conformance::search::elsewhere::{Elsewhere, Fate};
use crate::model::{Nanos, Op};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;

/// Each try to shrink starts a process.
const TRIES: usize = 300;

/// The smallest program found from `ops` that ends its process, and what is certain about its depth;
/// nothing if that does not end it again.
pub(crate) fn shrink(
    elsewhere: &dyn Elsewhere,
    ops: &[Op],
    tick: Nanos,
) -> Option<(Failing, Option<String>)> {
    let (left, survived) = (Cell::new(TRIES), RefCell::new(HashSet::new()));
    let run = |ops: &[Op]| {
        let program = Program::from(ops.to_vec());
        let text = program.to_string();
        // Of lists in lists, one level less is the same at every level.
        if survived.borrow().contains(&text) {
            return None;
        }
        left.set(left.get().checked_sub(1)?);
        if let Fate::Died { how, .. } = elsewhere.run(&[program]) {
            return Some(Failure::of_last(ops, Outcome::Died(how)));
        }
        survived.borrow_mut().insert(text);
        None
    };
    let failing = shrink::shrink(ops, tick, run)?;
    let depths = failing.ops.iter().filter_map(payload::committed);
    let depth = depths.map(payload::depth).max().unwrap_or_default();
    let is_minimal = left.get() > 0;
    let near_miss = (depth > 0 && is_minimal).then(|| {
        format!("the value is {depth} levels deep; with one level less the process goes on")
    });
    Some((failing, near_miss))
}
