//! The model: the store contract as one pure step function.

use crate::clause::Clause;
use crate::constraint::Constraint;
pub use crate::op::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;
use std::fmt;

/// What a store must answer, and the clause that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The answer; of several right ones, the first.
    pub reply: Reply,
    /// The clause that decides it.
    pub clause: Clause,
    /// Every constraint the call broke: a refusal may name any of them (COM-3).
    broken: Vec<Constraint>,
}

/// The contract of a store, executable: what every call must answer, given the calls before it.
///
/// Pure: it has no clock (time is [`Op::Advance`]), does no input or output, and shares no code with
/// any store. It reads in one sitting; [SPEC.md](crate::spec) has the reasons.
///
/// On its own it is an oracle for anybody's log of calls. Here a log in which a store forgot that a
/// second commit restarts the entry's life:
///
/// ```
/// use session_spec::{Clause, Data, Model, Op, Reply, Snapshot};
///
/// const SECOND: i128 = 1_000_000_000;
/// let snapshot = |csrf| Snapshot::new("id", csrf, None, Data::default());
/// let commit = |csrf, ttl| Op::Commit { snapshot: Some(snapshot(csrf)), ttl };
/// let log = [
///     (commit("first", SECOND), Reply::Done),
///     (commit("second", 3 * SECOND), Reply::Done),
///     (Op::Advance { by: SECOND }, Reply::Done),
///     (Op::Prepare { id: "id".into() }, Reply::Nothing),
/// ];
///
/// let mut model = Model::default();
/// let wrong = log.iter().position(|(op, reply)| !model.step(op).admits(reply));
/// assert_eq!(wrong, Some(3));
///
/// // Which clause says so, and what the reply should have been:
/// let mut model = Model::default();
/// let expected = log.map(|(op, _)| model.step(&op));
/// assert_eq!(expected[1].clause, Clause::Com6);
/// assert_eq!(expected[3].clause, Clause::Ttl1);
/// assert_eq!(expected[3].reply, Reply::Found(snapshot("second")));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Model {
    now: Nanos,
    /// Every id that was ever committed.
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    /// What was last committed; `None` once dropped.
    snapshot: Option<Snapshot>,
    committed: Nanos,
    deadline: Nanos,
    /// The clause that the last commit or drop falls under; DUR-1 once it has outlived a restart.
    by: Clause,
}

impl Entry {
    fn live(&self, now: Nanos) -> Option<&Snapshot> {
        self.snapshot.as_ref().filter(|_| now < self.deadline)
    }
}

impl Model {
    /// Takes one step and says what a store must answer to it.
    pub fn step(&mut self, op: &Op) -> Expected {
        match op {
            Op::Prepare { id } => self.prepare(id),
            Op::Commit { snapshot, ttl } => self.commit(snapshot.as_ref(), *ttl),
            Op::Drop { id } => self.drop(id),
            Op::Advance { by } => self.advance(*by),
            Op::Restart => self.restart(),
        }
    }

    fn prepare(&self, id: &str) -> Expected {
        let nothing = |clause| Expected::new(Reply::Nothing, clause);
        let Some(entry) = self.entries.get(id) else {
            return nothing(if id.is_empty() {
                Clause::Pre2
            } else {
                Clause::Pre1
            });
        };
        match entry.live(self.now) {
            Some(found) if self.now == entry.committed || entry.by == Clause::Dur1 => {
                Expected::new(Reply::Found(found.clone()), entry.by)
            }
            Some(found) => Expected::new(Reply::Found(found.clone()), Clause::Ttl1),
            None if entry.snapshot.is_none() => nothing(entry.by),
            None => nothing(Clause::Ttl2),
        }
    }

    fn commit(&mut self, snapshot: Option<&Snapshot>, ttl: Nanos) -> Expected {
        let broken: Vec<_> = [
            (snapshot.is_none(), Constraint::NilSnapshot, Clause::Com1),
            (
                snapshot.is_some_and(|s| s.id().is_empty()),
                Constraint::EmptyId,
                Clause::Com2,
            ),
            (ttl <= 0, Constraint::TtlNotPositive, Clause::Com3),
        ]
        .into_iter()
        .filter(|(is_broken, ..)| *is_broken)
        .collect();
        let Some(snapshot) = snapshot.filter(|_| broken.is_empty()) else {
            let (_, constraint, clause) = broken[0];
            return Expected {
                reply: Reply::Refused(constraint),
                clause,
                broken: broken
                    .into_iter()
                    .map(|(_, constraint, _)| constraint)
                    .collect(),
            };
        };
        let by = match self.entries.get(snapshot.id()) {
            None => Clause::Com5,
            Some(entry) if entry.live(self.now).is_some() => Clause::Com6,
            Some(_) => Clause::Com8,
        };
        let entry = Entry {
            snapshot: Some(snapshot.clone()),
            committed: self.now,
            deadline: self.now.saturating_add(ttl),
            by,
        };
        self.entries.insert(snapshot.id().to_owned(), entry);
        Expected::new(Reply::Done, by)
    }

    fn drop(&mut self, id: &str) -> Expected {
        let was_live = self.deadline(id).is_some();
        if let Some(entry) = self.entries.get_mut(id) {
            entry.snapshot = None;
            entry.by = Clause::Drp1;
        }
        let clause = match was_live {
            true => Clause::Drp1,
            false if id.is_empty() => Clause::Drp3,
            false => Clause::Drp2,
        };
        Expected::new(Reply::Done, clause)
    }

    fn advance(&mut self, by: Nanos) -> Expected {
        self.now = self.now.saturating_add(by.max(0));
        Expected::new(Reply::Done, Clause::Ttl3)
    }

    /// Changes nothing: what the model says is what a durable store must have.
    fn restart(&mut self) -> Expected {
        for entry in self.entries.values_mut() {
            entry.by = Clause::Dur1;
        }
        Expected::new(Reply::Done, Clause::Dur1)
    }

    /// The time, in nanoseconds since the model was made.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// When the live entry under `id` expires; nothing when there is none.
    pub fn deadline(&self, id: &str) -> Option<Nanos> {
        let entry = self.entries.get(id)?;
        entry.live(self.now).map(|_| entry.deadline)
    }
}

impl Expected {
    pub(crate) fn new(reply: Reply, clause: Clause) -> Self {
        Self {
            reply,
            clause,
            broken: Vec::new(),
        }
    }

    /// Whether `reply` is a right answer.
    pub fn admits(&self, reply: &Reply) -> bool {
        match reply {
            Reply::Refused(constraint) => self.broken.contains(constraint),
            _ => *reply == self.reply,
        }
    }
}

/// Shows no id (SES-8).
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("now", &self.now)
            .field("entries", &self.entries.len())
            .finish()
    }
}
