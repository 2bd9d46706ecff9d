//! Shape: fewer clients, fewer cancelled calls, and those sooner.

use super::Shrinker;
use crate::conformance::program::Program;
use crate::conformance::program::shape::{Cancel, Together};
use crate::model::{Nanos, Op};

impl<A: FnMut(&Program) -> Option<Program>> Shrinker<A> {
    pub(super) fn simplify_shape(&mut self) -> bool {
        self.try_any(without_pauses(&self.best))
            || self.try_any(with_less_cancelled(&self.best))
            || self.try_any(without_blocks(&self.best))
            || self.try_any(with_clients_in_order(&self.best))
            || self.try_any(with_prepares(&self.best))
    }

    fn try_any(&mut self, simpler: impl IntoIterator<Item = Program>) -> bool {
        simpler
            .into_iter()
            .any(|program| self.try_program(&program))
    }
}

fn without_pauses(program: &Program) -> Option<Program> {
    let mut together = program.together().iter();
    let pauses = together.any(|together| together.pause > 0);
    pauses.then(|| program.without_pauses())
}

/// With a call made to its end, seldomer, or cancelled sooner.
fn with_less_cancelled(program: &Program) -> Vec<Program> {
    let cancelled = (0..program.ops().len()).filter_map(|at| Some((at, program.cancel(at)?)));
    let simpler = cancelled.flat_map(|(at, Cancel { polls, times })| {
        let seldomer = [1, times / 2, times - 1].into_iter();
        let seldomer = seldomer.filter(move |fewer| (1..times).contains(fewer));
        let seldomer = seldomer.map(move |times| Cancel { polls, times });
        let sooner = (0..polls).map(move |polls| Cancel { polls, times });
        let cancels = seldomer.chain(sooner).map(Some);
        [None]
            .into_iter()
            .chain(cancels)
            .map(move |cancel| program.with_cancel(at, cancel))
    });
    simpler.collect()
}

/// With a client that is alone in what it does no more said to be at it together with others.
fn without_blocks(program: &Program) -> Vec<Program> {
    let blocks = program.together().iter().enumerate();
    let alone = blocks.filter(|(_, together)| together.clients() == 1);
    alone.map(|(block, _)| program.unwrapped(block)).collect()
}

/// Those that commit first, and those that read last.
fn with_clients_in_order(program: &Program) -> Vec<Program> {
    let rank = |at: usize| -> (usize, Nanos) {
        match &program.ops()[at] {
            Op::Commit { ttl, .. } => (0, *ttl),
            Op::Drop { .. } => (1, 0),
            Op::Advance { by } => (2, *by),
            Op::Prepare { .. } | Op::Restart => (3, 0),
        }
    };
    let in_order = |(block, together): (usize, &Together)| {
        let places = together.places_by_client();
        let ranks: Vec<Vec<_>> = places
            .into_iter()
            .map(|places| places.map(rank).collect())
            .collect();
        let mut order: Vec<usize> = (0..together.clients()).collect();
        order.sort_by_key(|client| &ranks[*client]);
        (!order.is_sorted()).then(|| program.with_client_order(block, &order))
    };
    let blocks = program.together().iter().enumerate();
    blocks.filter_map(in_order).collect()
}

/// Of one client, with prepares in place of other calls.
fn with_prepares(program: &Program) -> Vec<Program> {
    if program.overlaps() {
        return Vec::new();
    }
    let plainer = (0..program.ops().len()).filter_map(|at| {
        let mut ops = program.ops().to_vec();
        let id = ops[at].id()?.to_owned();
        let before = std::mem::replace(&mut ops[at], Op::Prepare { id });
        (before != ops[at]).then(|| program.with_ops(ops))
    });
    plainer.collect()
}
