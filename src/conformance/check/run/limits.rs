//! Limits: what ends a check before its searches do.

use super::Run;
use crate::conformance::check::so_far::SoFar;
use crate::conformance::report::Report;
use crate::conformance::subject::backend::Backend;
use std::sync::PoisonError;

impl Run<'_> {
    /// Whether what is behind the store has gone. Then nothing that is not known by now can be counted on.
    pub(super) fn is_gone(&mut self) -> bool {
        let Some(gone) = self.runner.backend.and_then(Backend::gone) else {
            return false;
        };
        if self.gone.is_none() {
            let search = self
                .so_far
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .search;
            self.gone = Some(format!(
                "the backend is gone since {:.1} s after the check began, in the {search} search: no new \
                 store answered three times, though some did before",
                gone.as_secs_f64()
            ));
        }
        true
    }

    /// The report of a check that ended in the midst of a search, since the backend is gone.
    pub(crate) fn end_without(mut self, so_far: SoFar) -> Report {
        self.tally = so_far.tally;
        self.precision = so_far.precision;
        self.restarts = so_far.restarts;
        self.so_far
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .search = so_far.search;
        self.report = so_far.report.unwrap_or(self.report);
        self.is_gone();
        self.conclude()
    }
}
