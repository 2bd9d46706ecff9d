//! Report: what is told, as data first and then as text.
//!
//! Comes in: what was found. Goes out: a [`Report`] for people and programs, a file of regressions, lines
//! of test vectors. It must never run a store.
//!
//! - *finding*: what is known of one clause; *vacuous*: nothing that was run could have shown it broken.
//! - *violation*: a broken clause, with its counterexample.
//! - *regressions*: programs that failed once, kept in a file and run first from then on.
//! - *vectors*: programs with the replies that are right, for stores in any language.

pub(crate) mod findings;
mod histories;
pub(crate) mod regressions;
pub(crate) mod vectors;

mod text;

use super::program::outcome::Outcome;
use super::program::{OutcomeText, Program, ReplyText};
use crate::clause::Clause;
use crate::constraint::Constraint;
use crate::model::{Nanos, Reply};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

pub(crate) use text::thousands;

/// What a check found. `Display` renders it for people; it serializes for programs.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The store's type, without its path.
    pub store: String,
    /// What the store claims, where that is not everything.
    pub profile: String,
    /// The conclusion.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What the random search was seeded with: the same seed finds the same again.
    pub seed: u64,
    /// What was searched, in that order.
    pub searches: Vec<Searched>,
    /// Every clause of the store contract that was asked for, in the order of SPEC.md.
    pub clauses: Vec<Finding>,
    /// Every broken clause, with its smallest program, in the order of SPEC.md.
    pub violations: Vec<Violation>,
    /// What else there is to know, a sentence each.
    pub notes: Vec<String>,
}

/// The conclusion of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict", content = "reason")]
#[non_exhaustive]
pub enum Verdict {
    /// No clause was found broken.
    Conforms,
    /// At least one clause is broken.
    Violated,
    /// What was asked for was not decided, for this reason.
    Undecided(String),
    /// The check itself was asked for something it cannot do, for this reason.
    Misused(String),
}

/// One search: what it covered and how much it ran.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Searched {
    /// `replay` or `regressions`, of programs that were given; or one of the
    /// [searches](super::searches()):
    ///
    #[doc = include_str!("check/searches.md")]
    pub name: &'static str,
    /// What was covered, exactly.
    pub claim: String,
    /// Programs, or histories, that were run.
    pub programs: u64,
    /// Operations in them that were judged.
    pub steps: u64,
}

/// What is known of one clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The clause.
    pub clause: Clause,
    /// What was found.
    pub status: Status,
    /// Of one that is cited: the clause whose violation shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see: Option<Clause>,
    /// How many programs exercised it: had it been broken, a reply in them could have shown it.
    pub exercised: u64,
}

/// What was found of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// It was exercised and never found broken.
    Kept,
    /// It was found broken.
    Violated,
    /// A reply contradicts it that breaks another clause first: see [`Finding::see`].
    Cited,
    /// Nothing that was run could have shown it broken.
    Vacuous,
    /// Some of what was run may have shown it broken: the search for an order of its calls was given
    /// up.
    Undecided,
    /// The store's profile does not claim it.
    NotClaimed,
    /// Rust's types rule a violation out.
    ByConstruction,
    /// This version of the kit has no search for it, or its subject no way to
    /// [restart](super::Subject::restart) the store.
    NotChecked,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Violated => "VIOLATED",
            Self::Cited => "cited",
            Self::Vacuous => "vacuous",
            Self::Undecided => "undecided",
            Self::NotClaimed => "not claimed",
            Self::ByConstruction => "by construction",
            Self::NotChecked => "not checked",
        })
    }
}

/// A broken clause, shown by the smallest program that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The clause.
    pub clause: Clause,
    /// The other clauses that the same reply contradicts: what they say cannot be counted on either.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cited: Vec<Clause>,
    /// The program. Of one client, its last operation got the wrong reply; of several, or where a call is
    /// cancelled, with the schedule in which it went wrong.
    #[serde(serialize_with = "as_text")]
    pub program: Program,
    /// What that reply should have been.
    /// Nothing where that depends on the order of calls that overlap, or on one that was cancelled.
    #[serde(serialize_with = "reply_as_text")]
    pub expected: Option<Reply>,
    /// What it was.
    #[serde(serialize_with = "outcome_as_text")]
    pub got: Outcome,
    /// Why the expected reply is right, from clause to clause.
    pub because: String,
    /// How near the store came to being right, or what it made of a value, where other runs or the
    /// reply itself say so for certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_miss: Option<String>,
    /// The commits of the program that the store refused as unsupported, as IDN-2 and VAL-1 allow, by their
    /// places, with the constraint that it named: they count as not made.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<usize, Constraint>,
    /// Of calls that overlap, or of which one was cancelled: who called what when, drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Of calls that overlap: why the program may not fail when it is run again, if it may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub luck: Option<String>,
    /// The search that caught it.
    pub search: &'static str,
    /// How many programs that search ran until then, with this one; 0 where the store hung.
    pub after: u64,
    /// Whether the program failed when it was run again. If not, it could not be shrunk, and the store,
    /// or the time it took, is flaky.
    pub repeats: bool,
    /// What came before the last operation and is not what the model says: right all the same, or wrong
    /// in another way.
    #[serde(skip)]
    pub(crate) otherwise: Vec<(usize, Outcome)>,
    /// When the operations began, in nanoseconds since the program did, where time was measured.
    #[serde(skip)]
    pub(crate) times: Vec<Nanos>,
    /// There was no time left to make it smaller.
    #[serde(skip)]
    pub(crate) is_cut_short: bool,
}

fn as_text<S: Serializer>(program: &Program, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(program)
}

#[expect(
    clippy::ref_option,
    reason = "serde hands over a reference to the field"
)]
fn reply_as_text<S: Serializer>(reply: &Option<Reply>, serializer: S) -> Result<S::Ok, S::Error> {
    match reply {
        Some(reply) => serializer.collect_str(&ReplyText(reply)),
        None => serializer.serialize_none(),
    }
}

fn outcome_as_text<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&OutcomeText(outcome))
}

impl Violation {
    /// Every clause that the reply contradicts.
    pub(crate) fn broken(&self) -> impl Iterator<Item = Clause> {
        std::iter::once(self.clause).chain(self.cited.iter().copied())
    }

    /// Puts another of the clauses that it breaks above it.
    pub(crate) fn head(&mut self, heading: Clause) {
        for cited in &mut self.cited {
            if *cited == heading {
                *cited = std::mem::replace(&mut self.clause, heading);
                break;
            }
        }
    }
}

impl Report {
    /// Of a check that did nothing.
    pub(crate) fn of_nothing() -> Self {
        Self {
            store: String::new(),
            profile: String::new(),
            verdict: Verdict::Conforms,
            seed: 0,
            searches: Vec::new(),
            clauses: Vec::new(),
            violations: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Whether programs were searched for, and not only given ones run.
    pub(crate) fn has_searched(&self) -> bool {
        let given = |search: &Searched| matches!(search.name, "replay" | "regressions");
        !self.searches.iter().all(given)
    }

    /// How many clauses have this status.
    pub fn count(&self, status: Status) -> usize {
        let with = |finding: &&Finding| finding.status == status;
        self.clauses.iter().filter(with).count()
    }
}
