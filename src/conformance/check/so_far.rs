//! So far: what a check knows while it goes on.

use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::timed::Precision;
use crate::conformance::report::Report;

/// What a check knows while it goes on.
#[derive(Clone, Default)]
pub(crate) struct SoFar {
    /// The search under way.
    pub(crate) search: &'static str,
    pub(crate) tally: Tally,
    pub(crate) precision: Precision,
    pub(crate) restarts: bool,
    pub(crate) report: Option<Report>,
}
