//! Plans: what each of a few clients does.

use session_spec::conformance::__internal::linear::Value;
use session_spec::{Data, Snapshot};
use std::collections::BTreeSet;
use std::slice;

pub(crate) type Id = &'static str;

/// What a client does. A tick is a nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Act {
    Prepare(Id),
    /// With a time to live of so many ticks.
    Commit(Id, u32),
    Drop(Id),
    /// By one tick.
    Advance,
}

/// What each client does, beside the others.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    clients: Vec<Vec<Act>>,
}

/// An act of a client, at its place among all of the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Step {
    pub(crate) client: usize,
    place: usize,
    pub(crate) act: Act,
}

/// The steps of a plan. The first client also takes those before and after.
pub(crate) struct Steps {
    pub(crate) before: Vec<Step>,
    pub(crate) clients: Vec<Vec<Step>>,
    pub(crate) after: Vec<Step>,
}

/// Entries that are about to expire.
const BEFORE: [Act; 2] = [Act::Commit("A", 1), Act::Commit("B", 1)];

/// What is there then, and a tick later, after a commit that frees what has expired.
const AFTER: [Act; 6] = [
    Act::Prepare("A"),
    Act::Prepare("B"),
    Act::Advance,
    Act::Commit("C", 9),
    Act::Prepare("A"),
    Act::Prepare("B"),
];

impl Plan {
    pub(crate) fn new(clients: &[&[Act]]) -> Self {
        Self {
            clients: clients.iter().map(|acts| acts.to_vec()).collect(),
        }
    }

    /// Every plan over an alphabet in which the clients take so many steps each; of those that differ
    /// only in which client is which, one.
    pub(crate) fn all(alphabet: &[Act], lengths: &[usize]) -> Vec<Self> {
        let mut all = vec![vec![]];
        for length in lengths {
            all = pairs(&all, &words(alphabet, *length));
        }
        let mut plans = BTreeSet::new();
        for mut clients in all {
            clients.sort();
            plans.insert(clients);
        }
        plans.into_iter().map(|clients| Self { clients }).collect()
    }

    /// The same beside one client more.
    pub(crate) fn beside(mut self, acts: &[Act]) -> Self {
        self.clients.push(acts.to_vec());
        self
    }

    pub(crate) fn steps(&self) -> Steps {
        let mut places = 0..;
        let mut steps = |client, acts: &[Act]| -> Vec<Step> {
            let step = |(&act, place)| Step { client, place, act };
            acts.iter().zip(&mut places).map(step).collect()
        };
        Steps {
            before: steps(0, &BEFORE),
            clients: self
                .clients
                .iter()
                .enumerate()
                .map(|(client, acts)| steps(client, acts))
                .collect(),
            after: steps(0, &AFTER),
        }
    }
}

/// Every word of so many letters.
fn words(alphabet: &[Act], length: usize) -> Vec<Vec<Act>> {
    (0..length).fold(vec![vec![]], |words, _| pairs(&words, alphabet))
}

/// Each of `all` with each of `more` at its end.
fn pairs<T: Clone>(all: &[Vec<T>], more: &[T]) -> Vec<Vec<T>> {
    let with = |one: &Vec<T>, last: &T| [one.as_slice(), slice::from_ref(last)].concat();
    let each = |one| more.iter().map(move |last| with(one, last));
    all.iter().flat_map(each).collect()
}

impl Step {
    /// What a commit writes: a number that no other commit of the plan has.
    pub(crate) fn value(self) -> Value {
        Value::try_from(self.place).unwrap()
    }

    pub(crate) fn snapshot(self, id: Id) -> Snapshot {
        Snapshot::new(id, self.value().to_string(), None, Data::default())
    }
}
