//! Worlds: what may be said of a program's replies once one was wrong, or its outcome is unknown.
//!
//! A call that had to be refused and was not counts as refused: the model has not changed. After an error
//! both worlds are open, that in which the call took effect and that in which it did not, and what comes
//! later has to fit one of them (ERR-3). Of a remote store, the call may still take effect later, so both stay
//! open until the next acknowledged commit or drop of that id. After any other wrong reply nobody knows what stands under its id,
//! so that id is not judged until its next acknowledged commit or drop; other ids are.

use super::failure::{Failure, Symptom};
use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::unsupported::Refusals;
use crate::model::{Expected, Op, Reply};

/// What says how a call may be answered: the model, or one that knows spans of time only.
pub(crate) trait World: Clone {
    type Admitted;

    fn admits(admitted: &Self::Admitted, reply: &Reply) -> bool;

    /// What should have come where this came, which is wrong.
    fn in_place_of<'a>(admitted: &'a mut Self::Admitted, came: Option<&Reply>) -> &'a mut Expected;

    /// Takes note of a right reply.
    fn observe(&mut self, op: &Op, reply: &Reply);
}

/// The worlds in which a store may be.
pub(crate) struct Worlds<W> {
    first: W,
    others: Vec<W>,
    /// Ids that are not judged.
    unjudged: Vec<String>,
    /// Ids whose last write failed.
    failed: Vec<String>,
    /// A call that has failed may take effect later.
    is_late: bool,
}

/// What a reply is, with what is admitted in its place.
pub(crate) enum Judged<A> {
    Right(A),
    Wrong(A),
    /// Nobody can say.
    Open(A),
}

impl<A> Judged<A> {
    pub(crate) fn into_admitted(self) -> A {
        let (Self::Right(admitted) | Self::Wrong(admitted) | Self::Open(admitted)) = self;
        admitted
    }
}

/// So many worlds may be open; where there would be more, the id is not judged instead.
const MOST: usize = 16;

impl<W: World> Worlds<W> {
    pub(crate) fn new(first: W) -> Self {
        Self {
            first,
            others: Vec::new(),
            unjudged: Vec::new(),
            failed: Vec::new(),
            is_late: false,
        }
    }

    /// The same of a store in which a call that has failed may take effect later.
    pub(crate) fn late(mut self, is_late: bool) -> Self {
        self.is_late = is_late;
        self
    }

    /// Does something in every world.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut W)) {
        change(&mut self.first);
        self.others.iter_mut().for_each(change);
    }

    /// Judges what came of a call; `step` takes it in a world.
    pub(crate) fn judge(
        &mut self,
        op: &Op,
        outcome: &Outcome,
        step: impl Fn(&mut W) -> W::Admitted,
    ) -> Judged<W::Admitted> {
        let reply = match outcome {
            Outcome::Replied(reply) => Some(reply),
            _ => None,
        };
        let is_certain = self.others.is_empty() && self.unjudged.is_empty();
        if let Some(reply) = reply.filter(|_| is_certain) {
            let admitted = step(&mut self.first);
            return match W::admits(&admitted, reply) {
                true => {
                    self.first.observe(op, reply);
                    self.right(op, admitted)
                }
                false => self.wrong(op, Some(reply), admitted, Vec::new()),
            };
        }
        let id = op.id().unwrap_or_default();
        if self.unjudged.iter().any(|unjudged| unjudged == id) {
            let mut admitted = self.step(op, None, &step).0;
            let is_acknowledged = reply == Some(&Reply::Done)
                && W::in_place_of(&mut admitted, reply).reply == Reply::Done;
            if !is_acknowledged {
                return Judged::Open(admitted);
            }
            self.unjudged.retain(|unjudged| unjudged != id);
            return self.right(op, admitted);
        }
        let is_write = matches!(op, Op::Commit { .. } | Op::Drop { .. });
        let without = match outcome {
            Outcome::Failed(_) if is_write => self.all().cloned().collect(),
            _ => Vec::new(),
        };
        match (self.step(op, reply, &step), reply) {
            ((admitted, true), _) => self.right(op, admitted),
            ((admitted, false), _) => self.wrong(op, reply, admitted, without),
        }
    }

    fn all(&self) -> impl Iterator<Item = &W> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Takes a step in every world. Those that explain the reply take note of it and stay; where none does, or
    /// others may come true later, all do. Gives what one admits, and whether that is the reply.
    fn step(
        &mut self,
        op: &Op,
        reply: Option<&Reply>,
        step: &impl Fn(&mut W) -> W::Admitted,
    ) -> (W::Admitted, bool) {
        let all = std::iter::once(&mut self.first).chain(&mut self.others);
        let stepped = all.map(|world| {
            let admitted = step(world);
            let explained = reply.filter(|reply| W::admits(&admitted, reply));
            if let Some(reply) = explained {
                world.observe(op, reply);
            }
            (admitted, explained.is_some())
        });
        let stepped: Vec<(W::Admitted, bool)> = stepped.collect();
        let explaining = stepped.iter().position(|(_, explains)| *explains);
        if explaining.is_some() && !self.is_late {
            let mut explains = stepped.iter().map(|(_, explains)| *explains);
            let mut worlds = std::mem::take(&mut self.others);
            worlds.insert(0, self.first.clone());
            worlds.retain(|_| explains.next().unwrap_or_default());
            self.first = worlds.remove(0);
            self.others = worlds;
        }
        let (admitted, is_explained) = stepped
            .into_iter()
            .nth(explaining.unwrap_or(0))
            .expect("there is a first world");
        (admitted, is_explained)
    }

    fn right(&mut self, op: &Op, admitted: W::Admitted) -> Judged<W::Admitted> {
        if !self.failed.is_empty() && matches!(op, Op::Commit { .. } | Op::Drop { .. }) {
            self.failed
                .retain(|failed| Some(failed.as_str()) != op.id());
        }
        Judged::Right(admitted)
    }

    /// `without` are the worlds in which the call took no effect, where that is open.
    fn wrong(
        &mut self,
        op: &Op,
        reply: Option<&Reply>,
        mut admitted: W::Admitted,
        without: Vec<W>,
    ) -> Judged<W::Admitted> {
        let id = op.id().unwrap_or_default();
        let expected = W::in_place_of(&mut admitted, reply);
        if self.failed.iter().any(|failed| failed == id) && reply.is_some() {
            expected.clause = Clause::Err3;
        }
        let was_to_be_refused = matches!(expected.reply, Reply::Refused(_));
        let is_open = !without.is_empty() && self.others.len() + without.len() < MOST;
        match reply {
            Some(Reply::Done) if was_to_be_refused => {}
            None if is_open => {
                self.others.extend(without);
                self.failed.push(id.to_owned());
            }
            // A prepare changes nothing, whatever becomes of it.
            None if matches!(op, Op::Prepare { .. }) => {}
            _ => self.unjudged.push(id.to_owned()),
        }
        Judged::Wrong(admitted)
    }
}

/// The failures of a run: of those that look alike, the first.
#[derive(Default)]
pub(crate) struct Failures {
    all: Vec<Failure>,
    symptoms: Vec<Symptom>,
    /// What every later failure has to say of what came before.
    otherwise: Vec<(usize, Outcome)>,
}

impl Failures {
    /// Takes a failure in, which stands at `failure.at`.
    pub(crate) fn push(&mut self, failure: Failure, refusals: &Refusals) {
        let (at, outcome, symptom) = (failure.at, failure.outcome.clone(), failure.symptom());
        if !self.symptoms.contains(&symptom) {
            self.symptoms.push(symptom);
            self.all.push(Failure {
                otherwise: self.otherwise.clone(),
                refusals: refusals.clone(),
                ..failure
            });
        }
        self.note(at, outcome);
    }

    /// Takes note of what came and is not what the model says.
    pub(crate) fn note(&mut self, at: usize, outcome: Outcome) {
        self.otherwise.push((at, outcome));
    }

    pub(crate) fn into_vec(self) -> Vec<Failure> {
        self.all
    }
}

#[cfg(test)]
mod tests;
