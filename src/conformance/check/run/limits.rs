//! Limits: what ends a check before its searches do.

use super::Run;
use crate::conformance::check::so_far::SoFar;
use crate::conformance::report::{Report, Verdict};
use crate::conformance::subject::backend::Backend;
use std::sync::PoisonError;

impl Run<'_> {
    /// Since when what is behind the store is gone, if it is. Then nothing that is not known by now can be
    /// counted on.
    pub(super) fn gone(&self) -> Option<String> {
        let gone = self.runner.backend.and_then(Backend::gone)?;
        let so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        Some(format!(
            "the backend is gone since {:.1} s after the check began, in the {} search: no new store \
             answered three times, though some did before",
            gone.as_secs_f64(),
            so_far.search
        ))
    }

    /// The report of a check that ended in the midst of a search, since the backend is gone.
    pub(crate) fn end_without(mut self, so_far: SoFar) -> Report {
        let mut known = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        known.search = so_far.search;
        drop(known);
        self.take_up(so_far);
        self.conclude()
    }

    /// The report of a check that ended at a panic of its own. What was found by then stands.
    pub(crate) fn at_fault(mut self, so_far: SoFar, fault: String) -> Report {
        self.take_up(so_far);
        self.report.notes.push(fault.clone());
        let mut report = self.conclude();
        if report.verdict != Verdict::Violated {
            report.verdict = Verdict::Undecided(fault);
        }
        report
    }

    /// Goes on from what was known when another run ended.
    pub(super) fn take_up(&mut self, so_far: SoFar) {
        self.tally = so_far.tally;
        self.precision = so_far.precision;
        self.restarts = so_far.restarts;
        if let Some(report) = so_far.report {
            self.report = report;
        }
    }
}
