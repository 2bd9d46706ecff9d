//! The conformance kit: tests any store against the model, and reports every clause it breaks with
//! a minimal counterexample.
//!
//! A store author's whole test is two lines, given a way to make the store on a clock that the test
//! moves:
//!
//! ```
//! # use session_spec::MemStore as MyStore;
//! // #[test]
//! fn conforms() {
//!     session_spec::conformance::check(MyStore::with_clock).assert();
//! }
//! # session_spec::conformance::check(MyStore::with_clock).depth(2).sequences(500).assert();
//! ```
//!
//! [`conformance_tests!`](crate::conformance_tests) makes one `#[test]` of each clause instead.
//!
//! # Searches
//!
//! A check makes these, in this order:
//!
#![doc = include_str!("conformance/check/searches.md")]
//!
//! Programs of one client run in lockstep with the [model](crate::Model). One that fails is shrunk, and
//! where no single simplification makes it shorter, all programs of fewer operations of the same kinds are
//! tried; the clause named is derived from the minimal program. A violation ends its program, not the
//! search.
//!
//! Calls that overlap or are cancelled are right if some order of them explains every reply. Of a wrong
//! history only the calls are shown that are needed to see it, and then those that it takes to come to
//! that: they are made again with ever fewer of them. Every violation ends with its program, which
//! [`Check::replay`] runs again, in the schedule in which it went wrong.
//!
//! A call that does not return is a finding too: the check runs on threads of its own, and ends there.
//! So is one that ends its process, by an overflow of the stack: what may do that is run in a process
//! of its own first, where there is one to be had (see [`Check::isolate`]).
//!
//! A store that cannot simply be made on a [`ManualClock`] is a [`Subject`]; what a store does not
//! claim, its [`Profile`] says.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod judge;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod search;
pub(crate) mod subject;

use crate::clock::ManualClock;
use crate::store::Store;

pub use check::Check;
#[doc(hidden)]
pub use check::environment::parse_budget;
pub use check::searches::searches;
#[doc(hidden)]
pub use check::suite::Suite;
pub use program::generate::programs;
pub use program::outcome::Outcome;
pub use program::trace::Trace;
pub use program::{Program, ProgramError, StatedReply};
pub use report::{Finding, Report, Searched, Status, Verdict, Violation};
pub use search::context::Progress;
pub use search::vectors::Vectors;
pub use subject::profile::Profile;
pub use subject::{Clockwork, Factory, Passing, Subject, Waiting};

/// A check of the store that `make` makes: configure it, then [`run`](Check::run) it for a report as
/// data, or [`assert`](Check::assert) it in a test.
///
/// `make` is called once for every program, with a clock of that program's own.
pub fn check<F, S>(make: F) -> Check<Factory<F>>
where
    F: Fn(ManualClock) -> S + Send + Sync + 'static,
    S: Store + 'static,
{
    check_subject(Factory(make))
}

/// A check of a store that cannot simply be made on a manual clock: see [`Subject`].
pub fn check_subject<S: Subject>(subject: S) -> Check<S> {
    Check::new(subject)
}

/// For the benches and tests of this crate alone: it changes without notice.
#[doc(hidden)]
pub mod __internal {
    pub use super::judge::linear;
}
