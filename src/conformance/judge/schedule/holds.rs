//! Holds: every place at which a client that is a thread can be held, so that the others come first; with one
//! hold, and then with two.
//!
//! Where each client comes to is found out in a run in which it is the first. A client that is held at a place
//! is one preemption, as another turn is among tasks (Musuvathi and Qadeer, 2007); where the next one comes to
//! then says where it can be held in turn.

use super::execution::Execution;
use super::threads;
use crate::conformance::program::Program;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::{Hold, Place, Schedule};
use crate::conformance::subject::erased::ErasedSubject;
use crate::store::BoxError;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::iter;

/// Which schedules of a program are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The most clients that are held, one after another.
    pub(crate) holds: usize,
    /// The most schedules.
    pub(crate) schedules: usize,
}

/// What was made of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Made {
    /// Schedules in which the clients ran one at a time.
    pub(crate) whole: u64,
    /// Schedules in which one had to be let go, as another stood still: no other than those.
    pub(crate) let_go: u64,
    /// Clients that came to no place inside a call.
    pub(crate) without_place: u64,
    /// There were more.
    pub(crate) is_cut: bool,
}

impl Made {
    /// What was made of this and of another.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            whole: self.whole + other.whole,
            let_go: self.let_go + other.let_go,
            without_place: self.without_place + other.without_place,
            is_cut: self.is_cut || other.is_cut,
        }
    }
}

/// A schedule to be made: a client that is the first and not held in a call, or holds.
enum Next {
    First(usize),
    Held(Vec<Hold>),
}

/// Makes the schedules of a program whose clients meet once, until `take` says that it is enough.
pub(crate) fn each(
    subject: &dyn ErasedSubject,
    program: &Program,
    bounds: Bounds,
    mut take: impl FnMut(Execution) -> bool,
) -> Result<Made, BoxError> {
    let calls: Vec<usize> = match program.together() {
        [together] => together
            .places_by_client()
            .iter()
            .map(ExactSizeIterator::len)
            .collect(),
        _ => return Ok(Made::default()),
    };
    let at_the_end = |client: usize| Hold {
        client,
        place: Place::Return,
        number: u32::try_from(calls[client]).unwrap_or(u32::MAX),
    };
    let frontier = RefCell::new((0..calls.len()).map(Next::First).collect::<VecDeque<_>>());
    let current = RefCell::new(None);
    // Places of a client that, held there, the other waits for.
    let in_the_way = RefCell::new(Vec::new());
    let (made, goes_on) = (Cell::new(Made::default()), Cell::new(true));
    let next = || {
        let Made { whole, let_go, .. } = made.get();
        let is_new = |next: &Next| match next {
            Next::Held(holds) if holds.len() > 1 => {
                let in_the_way = in_the_way.borrow();
                !holds.last().is_some_and(|last| in_the_way.contains(last))
            }
            _ => true,
        };
        let next = iter::from_fn(|| frontier.borrow_mut().pop_front()).find(is_new);
        let next = next.filter(|_| goes_on.get())?;
        if whole + let_go >= bounds.schedules as u64 {
            made.set(Made {
                is_cut: true,
                ..made.get()
            });
            return None;
        }
        let holds = match &next {
            Next::First(client) => vec![at_the_end(*client)],
            Next::Held(holds) => holds.clone(),
        };
        current.replace(Some(next));
        Some(program.with_schedules(vec![Schedule::Threads(holds)]))
    };
    let take = |execution: Execution| {
        let mut so_far = made.get();
        let is_last = |place: &Hold| *place == at_the_end(place.client);
        let came = || {
            execution
                .came
                .iter()
                .filter(|place| !is_last(place))
                .copied()
        };
        match current.take() {
            Some(Next::Held(holds)) if execution.luck.is_some() => {
                so_far.let_go += 1;
                in_the_way.borrow_mut().extend(holds.last());
            }
            _ if execution.luck.is_some() => so_far.let_go += 1,
            Some(Next::First(client)) => {
                so_far.whole += 1;
                let its = || came().filter(|place| place.client == client);
                let is_inside = |place: Hold| place.place != Place::Return;
                so_far.without_place += u64::from(!its().any(is_inside));
                if bounds.holds > 0 {
                    let held = its().map(|place| Next::Held(vec![place]));
                    frontier.borrow_mut().extend(held);
                }
            }
            Some(Next::Held(holds)) => {
                so_far.whole += 1;
                let last = holds.last().copied();
                let after = came().skip_while(|place| Some(*place) != last).skip(1);
                let next = after.take_while(|place| Some(place.client) != last.map(|it| it.client));
                if holds.len() < bounds.holds {
                    let and = |place| Next::Held([&holds[..], &[place]].concat());
                    frontier.borrow_mut().extend(next.map(and));
                }
            }
            None => {}
        }
        made.set(so_far);
        goes_on.set(take(execution));
    };
    threads::execute_each(subject, calls.len(), Rng::new(0, 0), next, take)?;
    let is_cut = made.get().is_cut || !frontier.borrow().is_empty();
    Ok(Made {
        is_cut,
        ..made.get()
    })
}
