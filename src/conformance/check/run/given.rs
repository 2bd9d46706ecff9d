//! Given: programs as they stand.

use super::Run;
use crate::conformance::judge::failure::Failure;
use crate::conformance::program::Program;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::report::Violation;
use crate::conformance::search::elsewhere::{Elsewhere as _, Fate};
use crate::conformance::search::found::{Caught, Found};
use crate::conformance::search::given;

impl Run<'_> {
    /// Programs as they stand; those that end their process, in another one only.
    pub(super) fn given(
        &mut self,
        name: &'static str,
        mut programs: Vec<Program>,
    ) -> Result<Found, String> {
        self.publish(name);
        let (mut from, mut dead) = (0, Vec::new());
        while let Some(isolation) = &self.isolation
            && let Fate::Died { at, how } = isolation.run(&programs[from..])
        {
            from += at;
            dead.push((programs.remove(from), how));
        }
        let progress = |_| {};
        let context = self.context(&progress);
        let times = context.runner.times_each();
        let mut found = given::run(&context, name, times, &programs)?;
        for (program, how) in dead {
            found.tally.programs += 1;
            let got = Outcome::Died(how);
            if program.is_sequential() {
                let failure = Failure::of_last(program.ops(), got);
                let ops = program.ops().to_vec();
                found.catch(Caught::new(ops, failure, found.tally.programs));
            } else {
                let because = "the process that ran these calls ended".to_owned();
                self.keep(Violation::of_hang(program, because, got, name, true));
            }
        }
        Ok(found)
    }
}
