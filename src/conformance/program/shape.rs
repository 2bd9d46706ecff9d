//! Shape: which operations of a program several clients do at once, in which schedule, and which calls
//! are cancelled.

use crate::model::{Nanos, Op};
pub(crate) use crate::places::Place;
use std::ops::Range;

/// How a call is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cancel {
    /// Its future is dropped when it has been polled so often and has not returned.
    pub(crate) polls: usize,
    /// It is made so many times, one after another; at least once.
    pub(crate) times: usize,
}

/// A stretch of a program's operations that several clients do at once. There is at least one client,
/// and each makes at least one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Together {
    /// The place of the first operation.
    pub(super) from: usize,
    /// How many operations each client has. They stand one client after another.
    pub(super) clients: Vec<usize>,
    pub(crate) schedule: Schedule,
    /// How long it is before each call.
    pub(crate) pause: Nanos,
}

/// Who runs when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// The clients are tasks, and the order in which they are polled is drawn.
    Drawn,
    /// The clients are tasks, polled in this order.
    Polls(Vec<Poll>),
    /// The clients are threads: all at once, or one at a time where some are held, one after another.
    Threads(Vec<Hold>),
}

/// One turn of an executor. Clients are numbered from 0 here, and from 1 in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poll {
    /// This client is polled once it is awake.
    Woken(usize),
    /// This client is polled though nobody woke it.
    Unwoken(usize),
    /// Whatever else the executor runs has its turn.
    Yield,
}

/// Where a thread is held, so that the others come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// From 0 here, and from 1 in text.
    pub(crate) client: usize,
    pub(crate) place: Place,
    /// Which time that the client comes to such a place, from 1.
    pub(crate) number: u32,
}

/// An operation, and whether it is cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) op: Op,
    pub(crate) cancel: Option<Cancel>,
}

/// What a program does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// The operation at this place, on its own.
    One { at: usize },
    /// The operations at these places, by client, all clients at once.
    Together {
        clients: Vec<Range<usize>>,
        together: &'a Together,
    },
}

impl Together {
    /// How many clients there are.
    pub(crate) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Whether its clients are threads that meet by luck.
    pub(crate) fn is_at_once(&self) -> bool {
        matches!(&self.schedule, Schedule::Threads(holds) if holds.is_empty())
    }

    /// Whether one of its clients is held, which are threads.
    pub(crate) fn is_held(&self) -> bool {
        matches!(&self.schedule, Schedule::Threads(holds) if !holds.is_empty())
    }

    /// The places of its operations.
    pub(crate) fn places(&self) -> Range<usize> {
        self.from..self.from + self.clients.iter().sum::<usize>()
    }

    /// The places of each client's operations.
    pub(crate) fn places_by_client(&self) -> Vec<Range<usize>> {
        let mut end = self.from;
        let each = self.clients.iter().map(|calls| {
            let start = end;
            end += calls;
            start..end
        });
        each.collect()
    }

    /// The client that does the operation at `at`, from 0.
    pub(crate) fn client_of(&self, at: usize) -> Option<usize> {
        let mut places = self.places_by_client().into_iter();
        places.position(|places| places.contains(&at))
    }
}

impl Schedule {
    /// The same of other clients: each is now called `name` of what it was, and one without a name is
    /// gone, with its turns.
    pub(super) fn renamed(self, name: impl Fn(usize) -> Option<usize>) -> Self {
        match self {
            Self::Drawn => Self::Drawn,
            Self::Polls(polls) => {
                let polls = polls.into_iter().filter_map(|poll| match poll {
                    Poll::Woken(client) => name(client).map(Poll::Woken),
                    Poll::Unwoken(client) => name(client).map(Poll::Unwoken),
                    Poll::Yield => Some(Poll::Yield),
                });
                Self::Polls(polls.collect())
            }
            Self::Threads(holds) => {
                let holds = holds.into_iter().filter_map(|hold| {
                    let client = name(hold.client)?;
                    Some(Hold { client, ..hold })
                });
                Self::Threads(holds.collect())
            }
        }
    }
}

/// Whether `op` is a call to the store, which can be cancelled.
pub(super) fn is_call(op: &Op) -> bool {
    !matches!(op, Op::Advance { .. } | Op::Restart)
}
