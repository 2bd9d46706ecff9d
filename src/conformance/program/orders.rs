//! Orders: what the contract admits of a program, over all orders in which its calls may take effect.

use super::Program;
use super::shape::Step;
use super::unsupported::{self, Refusals};
use crate::model::{Expected, Model, Nanos, Op, Reply};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// No more than so many ways for things to stand are followed, in one step of a program.
const MOST: usize = 10_000;

/// What becomes of cancelled calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effects {
    /// Each takes effect or not.
    Some,
    All,
    None,
}

/// The replies that the contract admits to each operation, in the order in which they first come up;
/// to a cancelled call, those it would have had. Nothing where there are too many orders to try.
#[cfg(test)]
pub(crate) fn admitted(program: &Program) -> Option<Vec<Vec<Reply>>> {
    let each = expected(program, &Refusals::new(), Effects::Some)?.into_iter();
    Some(each.map(|expected| replies(&expected)).collect())
}

/// The replies among these, each once.
pub(super) fn replies(expected: &[Expected]) -> Vec<Reply> {
    let mut replies = Vec::new();
    for Expected { reply, .. } in expected {
        if !replies.contains(reply) {
            replies.push(reply.clone());
        }
    }
    replies
}

/// What the contract wants of each operation, in the order in which it first comes up. The calls of a
/// client keep their order; a cancelled one takes its effect before the client's next call. Commits among
/// the `refusals` are refused (IDN-2, VAL-1). Nothing where there are too many orders to try.
pub(super) fn expected(
    program: &Program,
    refusals: &Refusals,
    effects: Effects,
) -> Option<Vec<Vec<Expected>>> {
    let mut orders = Orders {
        program,
        refusals,
        effects,
        ids: ids(program),
        expected: vec![Vec::new(); program.ops().len()],
    };
    let mut models = vec![Model::default()];
    for step in program.steps() {
        let clients = match step {
            Step::One { at } if program.cancel(at).is_none() && models.len() == 1 => {
                orders.step(&mut models[0], at);
                continue;
            }
            Step::One { at } => std::iter::once(at..at + 1).collect(),
            Step::Together { clients, .. } => clients,
        };
        models = orders.interleaved(models, &clients)?;
    }
    Some(orders.expected)
}

/// The ids that are called, each once.
fn ids(program: &Program) -> BTreeSet<&str> {
    let ids = program.ops().iter().filter_map(|op| match op {
        Op::Prepare { id } | Op::Drop { id } => Some(id.as_str()),
        Op::Commit { snapshot, .. } => Some(snapshot.as_ref()?.id()),
        Op::Advance { .. } | Op::Restart => None,
    });
    ids.collect()
}

struct Orders<'a> {
    program: &'a Program,
    refusals: &'a Refusals,
    effects: Effects,
    ids: BTreeSet<&'a str>,
    /// By operation.
    expected: Vec<Vec<Expected>>,
}

/// Ways for things to stand that differ, in the order in which they first come up.
#[derive(Default)]
struct Standing {
    /// How many calls each client has made, and what has come of them.
    all: Vec<(Vec<usize>, Model)>,
    /// Where they are in `all`, by the calls made and by what is soon told apart.
    known: HashMap<(Vec<usize>, Seen), Vec<usize>>,
}

/// The time, and of each id the deadline and the CSRF token that is live.
type Seen = (Nanos, Vec<Option<(Nanos, String)>>);

impl Standing {
    fn insert(&mut self, made: Vec<usize>, model: Model, ids: &BTreeSet<&str>) {
        let seen = (model.now(), live(&model, ids));
        let known = self.known.entry((made.clone(), seen)).or_default();
        if known.iter().all(|at| self.all[*at].1 != model) {
            known.push(self.all.len());
            self.all.push((made, model));
        }
    }
}

fn live(model: &Model, ids: &BTreeSet<&str>) -> Vec<Option<(Nanos, String)>> {
    // A prepare changes nothing, so that one copy serves all of them.
    let mut copy = model.clone();
    let each = ids.iter().map(|id| {
        let deadline = model.deadline(id)?;
        match copy.step(&Op::Prepare { id: (*id).into() }).reply {
            Reply::Found(snapshot) => Some((deadline, snapshot.csrf_token().to_owned())),
            _ => None,
        }
    });
    each.collect()
}

impl Orders<'_> {
    /// What comes of clients that make the calls in these places, in every order. One call more is made
    /// each round.
    fn interleaved(&mut self, from: Vec<Model>, clients: &[Range<usize>]) -> Option<Vec<Model>> {
        let calls = self.calls(clients);
        let rounds = calls.iter().map(Vec::len).sum();
        let start = vec![0; calls.len()];
        let mut all: Vec<_> = from
            .into_iter()
            .map(|model| (start.clone(), model))
            .collect();
        let mut followed = 0;
        for _ in 0..rounds {
            let mut next = Standing::default();
            for (made, model) in &all {
                for client in 0..calls.len() {
                    let Some(at) = calls[client].get(made[client]) else {
                        continue;
                    };
                    let mut made = made.clone();
                    made[client] += 1;
                    for model in self.call(model, *at) {
                        next.insert(made.clone(), model, &self.ids);
                    }
                }
                if followed + next.all.len() > MOST {
                    return None;
                }
            }
            followed += next.all.len();
            all = next.all;
        }
        Some(all.into_iter().map(|(_, model)| model).collect())
    }

    /// The places of the calls that each client makes, one after another.
    fn calls(&self, clients: &[Range<usize>]) -> Vec<Vec<usize>> {
        let all: usize = clients.iter().map(Range::len).sum();
        let each = clients.iter().map(|places| {
            // Of one that is repeated between the same two calls of others, a third effect changes
            // nothing more: the second finds what the first has left.
            let most = 2 * (all - places.len() + 1);
            let times = |at| self.program.cancel(at).map_or(1, |cancel| cancel.times);
            let calls = places.clone();
            calls
                .flat_map(|at| std::iter::repeat_n(at, times(at).min(most)))
                .collect()
        });
        each.collect()
    }

    /// What may come of the call at `at`.
    fn call(&mut self, before: &Model, at: usize) -> Vec<Model> {
        let mut after = before.clone();
        self.step(&mut after, at);
        match (self.program.cancel(at), self.effects) {
            (None, _) | (Some(_), Effects::All) => vec![after],
            (Some(_), Effects::None) => vec![before.clone()],
            (Some(_), Effects::Some) => vec![before.clone(), after],
        }
    }

    /// The call at `at` takes effect.
    fn step(&mut self, model: &mut Model, at: usize) {
        let expected = match self.refusals.get(&at) {
            Some(constraint) => {
                let clause = unsupported::clause(*constraint);
                Expected::new(Reply::Refused(*constraint), clause)
            }
            None => model.step(&self.program.ops()[at]),
        };
        if !self.expected[at].contains(&expected) {
            self.expected[at].push(expected);
        }
    }
}

#[cfg(test)]
mod tests;
