//! Notes: what else there is to know of a check, a sentence each.

use super::Run;
use crate::conformance::judge::timed::Precision;
use crate::conformance::program::Time;
use crate::conformance::program::time::nanos;
use crate::conformance::report;

impl Run<'_> {
    pub(super) fn note(&mut self) {
        let Precision { open, wakes, late } = self.precision;
        let count = report::thousands;
        let mut note = |text: String| self.report.notes.push(text);
        if !self.left_out.is_empty() {
            let left_out = self.left_out.iter();
            let left_out = left_out.map(|(name, programs)| format!("{name} {}", count(*programs)));
            note(format!(
                "programs that were left out{}: {}; `Check::budget` and `Check::sequences` give more",
                match self.time {
                    Some(time) => format!(" by a budget of {}", Time(nanos(time))),
                    None => String::new(),
                },
                left_out.collect::<Vec<_>>().join(", ")
            ));
        }
        if self.tally.refused_ids > 0 {
            note(format!(
                "the store refused {} commits for ids that are not tokens, as IDN-2 allows",
                count(self.tally.refused_ids)
            ));
        }
        if self.tally.refused_values > 0 {
            note(format!(
                "the store refused {} commits of values that it does not claim to hold, as VAL-1 allows",
                count(self.tally.refused_values)
            ));
        }
        if open > 0 {
            note(format!(
                "{} fell so near to a deadline that the clock, as exact as it is, did not decide; that \
                 counts for no clause",
                match open {
                    1 => "1 reply".to_owned(),
                    _ => format!("{} replies", count(open)),
                }
            ));
        }
        if self.failed > 0 {
            note(format!(
                "{} calls of several clients failed with an error, so that they may have taken effect \
                 or not",
                count(self.failed)
            ));
        }
        if self.errors > 0 {
            note(
                "some calls of one client failed with an error that did not come again; a backend that \
                 cannot answer has to say so (ERR-2), so they count for no clause"
                    .to_owned(),
            );
        }
        if self.undecided.0 > 0 {
            note(format!(
                "{} histories are undecided: too many orders might explain them",
                count(self.undecided.0)
            ));
        }
        if wakes > 0 {
            note(format!(
                "time was waited for, in ticks of {}: the very instant of a deadline was not hit, and \
                 long advances were left out; {} of {} wake-ups were late",
                Time(self.runner.tick),
                count(late),
                count(wakes)
            ));
        }
        for (clause, why) in &self.runner.profile.unclaimed {
            self.report
                .notes
                .push(format!("{clause} is not claimed: {why}"));
        }
    }
}
