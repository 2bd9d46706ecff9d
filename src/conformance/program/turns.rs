//! Turns: a program step by step, and one call at a time.

use super::Program;
use super::shape::{Cancel, Step, Together};
use crate::model::Op;

impl Program {
    /// What it does, one step after another.
    pub(crate) fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut blocks = self.together.iter().peekable();
        let mut at = 0;
        std::iter::from_fn(move || {
            if let Some(together) = blocks.next_if(|together| together.from == at) {
                at = together.places().end;
                let clients = together.places_by_client();
                return Some(Step::Together { clients, together });
            }
            let one = (at < self.ops.len()).then_some(Step::One { at });
            at += 1;
            one
        })
    }

    /// How the call at `at` is cancelled, if it is.
    pub(crate) fn cancel(&self, at: usize) -> Option<Cancel> {
        let place = self.cancelled.binary_search_by_key(&at, |(at, _)| *at);
        Some(self.cancelled[place.ok()?].1)
    }

    /// What is done at once, in the order of the text.
    pub(crate) fn together(&self) -> &[Together] {
        &self.together
    }

    /// Whether it is of one client whose calls are all made to their end, as `s1:` can say it.
    pub(crate) fn is_sequential(&self) -> bool {
        !self.overlaps() && !self.is_cancelling()
    }

    /// Whether any of it is written as done by clients together.
    pub(crate) fn overlaps(&self) -> bool {
        !self.together.is_empty()
    }

    /// Whether any call is cancelled.
    pub(crate) fn is_cancelling(&self) -> bool {
        !self.cancelled.is_empty()
    }

    /// The operations one at a time, each once: `turn` says whose is next, of the clients that have calls
    /// left.
    pub(crate) fn in_turn(&self, mut turn: impl FnMut(&[usize]) -> usize) -> Vec<Op> {
        let mut ops = Vec::with_capacity(self.ops.len());
        for step in self.steps() {
            match step {
                Step::One { at } => ops.push(self.ops[at].clone()),
                Step::Together { mut clients, .. } => loop {
                    let left = (0..clients.len()).filter(|client| !clients[*client].is_empty());
                    let left: Vec<usize> = left.collect();
                    if left.is_empty() {
                        break;
                    }
                    let next = clients[turn(&left)].next();
                    ops.extend(next.map(|at| self.ops[at].clone()));
                },
            }
        }
        ops
    }
}
