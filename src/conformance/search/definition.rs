//! Definition: what a search is.

use super::context::{Budget, Context};
use super::found::Found;
use crate::clause::Clause;

/// A search. All of them stand in one table, which a check walks through.
pub(crate) struct Search {
    pub(crate) name: &'static str,
    /// What it runs, for people: half a sentence.
    pub(crate) runs: &'static str,
    /// What it takes to a store.
    pub(crate) takes: Takes,
    /// Whether it can show this clause to be broken that no other kind of search can.
    pub(crate) shows: fn(Clause) -> bool,
    /// What the subject has to be able to do, what is claimed of it, and what was found so far.
    pub(crate) fits: fn(&Context<'_>) -> bool,
    /// Its share of the budget, in a unit of its own: nothing leaves it out.
    pub(crate) share: fn(&Budget) -> usize,
    /// Its part of the time, where that is limited: the more likely it finds something, the more.
    pub(crate) weight: u32,
    pub(crate) run: fn(&Context<'_>) -> Result<Found, String>,
}

/// What a search takes to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Programs of one client.
    Programs,
    /// Programs whose calls overlap or are cancelled.
    Histories,
}

impl Takes {
    /// Whether it takes calls that overlap or are cancelled to show the clause to be broken.
    pub(crate) fn is_of_histories(clause: Clause) -> bool {
        let clauses = [Clause::CONCURRENT, Clause::CANCELLED];
        clauses.iter().any(|clauses| clauses.contains(&clause))
    }

    /// Whether a search in programs of one client can show the clause to be broken.
    pub(crate) fn is_of_programs(clause: Clause) -> bool {
        !Self::is_of_histories(clause) && !Clause::RESTARTED.contains(&clause)
    }
}
