//! Found: what a search came to.

use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::failure::{Class, Failing, Failure};
use crate::conformance::judge::nonlinearizable::Anomaly;
use crate::conformance::judge::timed::Precision;
use crate::model::Op;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a search came to.
#[derive(Default)]
pub(crate) struct Found {
    /// What was covered, exactly; `{programs}` stands for how many programs.
    pub(crate) claim: String,
    pub(crate) tally: Tally,
    pub(crate) precision: Precision,
    /// The first failing program of every class.
    pub(crate) caught: BTreeMap<Class, Caught>,
    /// Further ones, for what the first may mask.
    pub(crate) more: Vec<Caught>,
    /// Programs of several clients whose calls go wrong one at a time as well.
    pub(crate) sequential: usize,
    /// Calls that no order explains.
    pub(crate) anomalies: Vec<Anomaly>,
    /// Histories for which the search for an order was given up.
    pub(crate) undecided: u64,
    /// Calls of histories that failed with an error, so that whether they took effect is not known.
    pub(crate) failed: u64,
    /// What the searches after this one have to leave out, since it would end the process.
    pub(crate) deadly: Option<Deadly>,
    /// Programs for which no time was left.
    pub(crate) left_out: u64,
    /// What else there is to know, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// What ends the process of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadly {
    /// Values that are nested more deeply than this.
    Deeper(usize),
    /// Ids or texts of some kind: what is drawn may have them.
    Drawn,
    /// Ordinary calls.
    All,
}

/// A program that failed.
pub(crate) struct Caught {
    pub(crate) ops: Vec<Op>,
    pub(crate) failure: Failure,
    /// How many programs the search had run by then, with this one.
    pub(crate) after: u64,
    /// How many further programs of its class are kept.
    pub(crate) others: usize,
}

/// So many further programs of a class are kept.
const MORE: usize = 300;

impl Found {
    pub(crate) fn catch(&mut self, caught: Caught) {
        match self.caught.entry(caught.failure.class()) {
            Entry::Vacant(vacant) => {
                vacant.insert(caught);
            }
            Entry::Occupied(mut first) if first.get().others < MORE => {
                first.get_mut().others += 1;
                self.more.push(caught);
            }
            Entry::Occupied(_) => {}
        }
    }
}

impl Caught {
    pub(crate) fn as_failing(&self) -> Failing {
        Failing {
            ops: self.ops.clone(),
            failure: self.failure.clone(),
        }
    }

    /// The program up to its failure.
    pub(crate) fn new(mut ops: Vec<Op>, failure: Failure, after: u64) -> Self {
        ops.truncate(failure.at + 1);
        Self {
            ops,
            failure,
            after,
            others: 0,
        }
    }
}
