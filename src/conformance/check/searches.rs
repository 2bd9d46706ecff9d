//! Searches: the table of them all, in the order in which a check makes them.

use crate::conformance::search::definition::Search;
use crate::conformance::search::{
    calendar, cancelled, concurrent, crash, exhaustive, held, notorious, random, repeated,
    restarted, scenarios, schedules, unsupported,
};

/// What may end the process comes first; programs of one client, which tell more plainly what is wrong,
/// before those of several.
pub(crate) const SEARCHES: [Search; 13] = [
    crash::SEARCH,
    scenarios::SEARCH,
    exhaustive::SEARCH,
    notorious::SEARCH,
    unsupported::SEARCH,
    calendar::SEARCH,
    repeated::SEARCH,
    random::SEARCH,
    restarted::SEARCH,
    schedules::SEARCH,
    held::SEARCH,
    concurrent::SEARCH,
    cancelled::SEARCH,
];

/// The weight of a search and all that come after it.
pub(crate) fn weight_from(search: &Search) -> u32 {
    let from = SEARCHES.iter().skip_while(|one| one.name != search.name);
    from.map(|one| one.weight).sum()
}

/// Every search that a check makes, in their order: its name, and what it runs.
///
/// ```
/// let names: Vec<_> = session_spec::conformance::searches().map(|(name, _)| name).collect();
/// assert_eq!(names[2], "exhaustive");
/// ```
pub fn searches() -> impl Iterator<Item = (&'static str, &'static str)> {
    SEARCHES.iter().map(|search| (search.name, search.runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads of them, reads the same.
    #[test]
    fn what_is_written_of_the_searches_is_what_the_table_says() {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let rows = searches().map(|(name, runs)| format!("- *{name}*: {runs}.\n"));
        let table = words(&rows.collect::<String>());
        assert_eq!(words(include_str!("searches.md")), table);
        assert!(words(include_str!("../../../SPEC.md")).contains(&table));
    }
}
