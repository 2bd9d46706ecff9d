//! Change: a program with more in it, with less in it, or with something else in its place.

use super::shape::{Call, Cancel, Schedule, Together, is_call};
use super::{Program, StatedReply};
use crate::model::{Nanos, Op};
use std::ops::Range;

impl Program {
    /// Puts an operation at the end. Time and restarts are not cancelled.
    pub(crate) fn push(&mut self, call: Call) {
        let Call { op, cancel } = call;
        if let Some(cancel) = cancel.filter(|_| is_call(&op)) {
            debug_assert!(cancel.times > 0, "a call is made at least once");
            self.cancelled.push((self.ops.len(), cancel));
        }
        self.ops.push(op);
    }

    /// Puts the calls of several clients at the end. Clients without calls are left out; where there is
    /// none with any, nothing happens. `schedule` counts all of them.
    pub(crate) fn push_together(
        &mut self,
        clients: Vec<Vec<Call>>,
        schedule: Schedule,
        pause: Nanos,
    ) {
        let names = names(clients.iter().map(|calls| !calls.is_empty()));
        let clients: Vec<_> = clients
            .into_iter()
            .filter(|calls| !calls.is_empty())
            .collect();
        if clients.is_empty() {
            return;
        }
        self.together.push(Together {
            from: self.ops.len(),
            clients: clients.iter().map(Vec::len).collect(),
            schedule: schedule.renamed(|client| *names.get(client)?),
            pause,
        });
        for call in clients.into_iter().flatten() {
            debug_assert!(call.op != Op::Restart, "clients share one store");
            self.push(call);
        }
    }

    /// Puts what the operation at the end must reply behind it.
    pub(super) fn state(&mut self, stated: StatedReply) {
        if let Some(last) = self.ops.len().checked_sub(1) {
            self.stated.push((last, stated));
        }
    }

    /// Other operations in the same places, as many as there are. What is stated is forgotten.
    pub(crate) fn with_ops(&self, ops: Vec<Op>) -> Self {
        debug_assert_eq!(ops.len(), self.ops.len());
        let mut program = Self {
            ops,
            cancelled: self.cancelled.clone(),
            together: self.together.clone(),
            stated: Vec::new(),
        };
        let ops = &program.ops;
        program.cancelled.retain(|(at, _)| is_call(&ops[*at]));
        program
    }

    /// Without the operations in these places, as far as there are such. What is stated is forgotten.
    /// Clients that have no call left are gone, with their turns, and where there is none, all that they
    /// did at once.
    pub(crate) fn without(&self, places: Range<usize>) -> Self {
        self.retaining(|at| !places.contains(&at))
    }

    fn retaining(&self, stays: impl Fn(usize) -> bool) -> Self {
        let count = |places: Range<usize>| places.filter(|at| stays(*at)).count();
        let mut program = Self::default();
        let ops = self.ops.iter().enumerate();
        let ops = ops.filter(|(at, _)| stays(*at));
        program.ops = ops.map(|(_, op)| op.clone()).collect();
        let cancelled = self.cancelled.iter().filter(|(at, _)| stays(*at));
        program.cancelled = cancelled
            .map(|(at, cancel)| (count(0..*at), *cancel))
            .collect();
        for together in &self.together {
            let left = together.places_by_client().into_iter().map(&count);
            let left: Vec<usize> = left.collect();
            if left == together.clients {
                let from = count(0..together.from);
                program.together.push(Together {
                    from,
                    ..together.clone()
                });
            } else if left.iter().any(|calls| *calls > 0) {
                let names = names(left.iter().map(|calls| *calls > 0));
                let schedule = together.schedule.clone();
                program.together.push(Together {
                    from: count(0..together.from),
                    clients: left.into_iter().filter(|calls| *calls > 0).collect(),
                    schedule: schedule.renamed(|client| *names.get(client)?),
                    pause: together.pause,
                });
            }
        }
        program
    }

    /// With the call at `at` cancelled, or not. What is stated is forgotten.
    pub(crate) fn with_cancel(&self, at: usize, cancel: Option<Cancel>) -> Self {
        let mut program = self.unstated();
        program.cancelled.retain(|(place, _)| *place != at);
        if let Some(cancel) = cancel.filter(|_| self.ops.get(at).is_some_and(is_call)) {
            let place = program.cancelled.partition_point(|(place, _)| *place < at);
            program.cancelled.insert(place, (at, cancel));
        }
        program
    }

    /// With other numbers of polls after which calls are cancelled. Of more than it takes them to return,
    /// they are made to their end, as often as they are made.
    pub(crate) fn with_polls(&self, polls: usize) -> Self {
        let mut program = self.unstated();
        for (_, cancel) in &mut program.cancelled {
            cancel.polls = polls;
        }
        program
    }

    /// With these schedules, one for each time that clients are at it together, in their order.
    pub(crate) fn with_schedules(&self, schedules: Vec<Schedule>) -> Self {
        debug_assert_eq!(schedules.len(), self.together.len());
        let mut program = self.clone();
        for (together, schedule) in program.together.iter_mut().zip(schedules) {
            together.schedule = schedule;
        }
        program
    }

    /// With `together()[block]`, of a single client, as operations of their own: one after another.
    pub(crate) fn unwrapped(&self, block: usize) -> Self {
        let mut program = self.clone();
        if program.together[block].clients() == 1 {
            program.together.remove(block);
        }
        program
    }

    /// With no time before the calls of clients.
    pub(crate) fn without_pauses(&self) -> Self {
        let mut program = self.clone();
        for together in &mut program.together {
            together.pause = 0;
        }
        program
    }

    /// The same with the clients of `together()[block]` in another order: first the one that is
    /// `order[0]` now. The schedule still means what it meant.
    pub(crate) fn with_client_order(&self, block: usize, order: &[usize]) -> Self {
        let before = &self.together[block];
        debug_assert_eq!(order.len(), before.clients());
        let by_client = before.places_by_client();
        let within = order.iter().flat_map(|client| by_client[*client].clone());
        // By place: where what is there now was before.
        let mut from: Vec<usize> = (0..self.ops.len()).collect();
        from.splice(before.places(), within);
        let moved = |at: &usize| from.iter().position(|from| from == at).unwrap_or(*at);

        let mut program = self.clone();
        program.ops = from.iter().map(|at| self.ops[*at].clone()).collect();
        for (at, _) in &mut program.cancelled {
            *at = moved(at);
        }
        program.cancelled.sort_by_key(|(at, _)| *at);
        for (at, _) in &mut program.stated {
            *at = moved(at);
        }
        program.stated.sort_by_key(|(at, _)| *at);
        let together = &mut program.together[block];
        together.clients = order.iter().map(|client| before.clients[*client]).collect();
        let name = |client| order.iter().position(|before| *before == client);
        together.schedule = before.schedule.clone().renamed(name);
        program
    }

    /// With the cancelled calls left out. What is stated is forgotten.
    pub(crate) fn without_cancelled(&self) -> Self {
        self.retaining(|at| self.cancel(at).is_none())
    }

    /// With the cancelled calls made to their end, once. What is stated is forgotten.
    pub(crate) fn without_cancelling(&self) -> Self {
        let mut program = self.unstated();
        program.cancelled.clear();
        program
    }

    fn unstated(&self) -> Self {
        let mut program = self.clone();
        program.stated.clear();
        program
    }
}

/// The numbers that clients have once those that do not stay are gone; nothing for those.
fn names(stays: impl Iterator<Item = bool>) -> Vec<Option<usize>> {
    let mut next = 0..;
    let name = |stays| if stays { next.next() } else { None };
    stays.map(name).collect()
}

#[cfg(test)]
mod tests;
