//! Last commit: the one that decides what is found under an id.

use crate::model::{Model, Nanos, Op, Reply};

/// The last commit of `id` that took effect in `ops`, by its place there, and when that was.
pub(super) fn last_commit(ops: &[Op], id: &str) -> Option<(usize, Nanos)> {
    let mut model = Model::default();
    let mut last = None;
    for (at, op) in ops.iter().enumerate() {
        let now = model.now();
        let done = model.step(op).reply == Reply::Done;
        match op {
            Op::Commit { .. } if done && op.id() == Some(id) => last = Some((at, now)),
            Op::Drop { id: dropped } if dropped == id => last = None,
            _ => {}
        }
    }
    last
}
