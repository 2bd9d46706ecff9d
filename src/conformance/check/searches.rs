//! Searches: the table of them all, in the order in which a check makes them.

use crate::conformance::search::definition::Search;
use crate::conformance::search::{
    cancelled, concurrent, crash, exhaustive, notorious, random, repeated, restarted,
};

/// What may end the process comes first; programs of one client, which tell more plainly what is wrong,
/// before those of several.
pub(crate) const SEARCHES: [Search; 8] = [
    crash::SEARCH,
    exhaustive::SEARCH,
    notorious::SEARCH,
    repeated::SEARCH,
    random::SEARCH,
    restarted::SEARCH,
    concurrent::SEARCH,
    cancelled::SEARCH,
];

/// Every search that a check makes, in their order: its name, and what it runs.
///
/// ```
/// let names: Vec<_> = session_spec::conformance::searches().map(|(name, _)| name).collect();
/// assert_eq!(names[1], "exhaustive");
/// ```
pub fn searches() -> impl Iterator<Item = (&'static str, &'static str)> {
    SEARCHES.iter().map(|search| (search.name, search.runs))
}
