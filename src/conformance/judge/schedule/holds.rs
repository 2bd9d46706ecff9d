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
use std::ops::Range;

/// Which schedules of a program are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The fewest clients that are held, one after another: where it is none, each is the first once. Schedules
    /// with fewer are made to find out about those with more, and not counted.
    pub(crate) fewest: usize,
    /// The most that are held.
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
#[derive(Clone)]
enum Next {
    First(usize),
    Held(Vec<Hold>),
}

impl Next {
    /// How many are held.
    fn holds(&self) -> usize {
        match self {
            Self::First(_) => 0,
            Self::Held(holds) => holds.len(),
        }
    }
}

/// The schedules that are known and not made, and what was made.
struct Frontier {
    bounds: Bounds,
    /// How many calls each client makes.
    calls: Vec<usize>,
    known: VecDeque<Next>,
    current: Next,
    /// Places of a client that, held there, the other waits for.
    in_the_way: Vec<Hold>,
    made: Made,
}

impl Frontier {
    fn new(bounds: Bounds, calls: Vec<usize>) -> Self {
        Self {
            bounds,
            known: (0..calls.len()).map(Next::First).collect(),
            calls,
            current: Next::First(0),
            in_the_way: Vec::new(),
            made: Made::default(),
        }
    }

    /// Whether a client has come to its end there.
    fn is_end(&self, place: Hold) -> bool {
        place == self.end_of(place.client)
    }

    fn end_of(&self, client: usize) -> Hold {
        Hold {
            client,
            place: Place::Return,
            number: u32::try_from(self.calls[client]).unwrap_or(u32::MAX),
        }
    }

    /// The next schedule.
    fn next(&mut self) -> Option<Vec<Hold>> {
        loop {
            let next = self.known.pop_front()?;
            if self.made.whole + self.made.let_go >= self.bounds.schedules as u64 {
                self.made.is_cut = true;
                return None;
            }
            self.current = next.clone();
            match next {
                Next::First(client) => return Some(vec![self.end_of(client)]),
                Next::Held(holds) => match &holds[..] {
                    [_, .., last] if self.in_the_way.contains(last) => {}
                    _ => return Some(holds),
                },
            }
        }
    }

    /// Takes in what came of the schedule. Says whether it counts.
    fn learn(&mut self, execution: &Execution) -> bool {
        let counts = self.current.holds() >= self.bounds.fewest;
        let is_let_go = execution.luck.is_some();
        self.made.whole += u64::from(counts && !is_let_go);
        self.made.let_go += u64::from(counts && is_let_go);
        let came = execution.came.iter().copied();
        let came = came.filter(|place| !self.is_end(*place));
        let (holds, places): (&[Hold], Vec<Hold>) = match &self.current {
            Next::Held(holds) if is_let_go => {
                self.in_the_way.extend(holds.last());
                return counts;
            }
            Next::First(_) if is_let_go => return counts,
            Next::First(client) => {
                let its: Vec<Hold> = came.filter(|place| place.client == *client).collect();
                let has_place = its.iter().any(|place| place.place != Place::Return);
                self.made.without_place += u64::from(counts && !has_place);
                (&[], its)
            }
            Next::Held(holds) => {
                let last = holds.last().copied();
                let after = came.skip_while(|place| Some(*place) != last).skip(1);
                let is_other = |place: &Hold| Some(place.client) != last.map(|it| it.client);
                (holds, after.take_while(is_other).collect())
            }
        };
        if holds.len() < self.bounds.holds {
            let and = |place| Next::Held([holds, &[place]].concat());
            self.known.extend(places.into_iter().map(and));
        }
        counts
    }
}

/// Makes the schedules of a program whose clients meet once, until `take` says that it is enough.
pub(crate) fn each(
    subject: &dyn ErasedSubject,
    program: &Program,
    bounds: Bounds,
    mut take: impl FnMut(Execution) -> bool,
) -> Result<Made, BoxError> {
    let [together] = program.together() else {
        return Ok(Made::default());
    };
    let calls: Vec<usize> = together.places_by_client().iter().map(Range::len).collect();
    let clients = calls.len();
    let frontier = RefCell::new(Frontier::new(bounds, calls));
    let goes_on = Cell::new(true);
    let next = || {
        let holds = frontier.borrow_mut().next().filter(|_| goes_on.get())?;
        Some(program.with_schedules(vec![Schedule::Threads(holds)]))
    };
    let take = |execution: Execution| {
        if frontier.borrow_mut().learn(&execution) {
            goes_on.set(take(execution));
        }
    };
    threads::execute_each(subject, clients, Rng::new(0, 0), next, take)?;
    let Frontier {
        known, mut made, ..
    } = frontier.into_inner();
    made.is_cut |= !known.is_empty();
    Ok(made)
}
