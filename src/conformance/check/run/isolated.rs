//! Isolated: what may end this process is run in another one.

use super::Run;
use crate::clause::Clause;
use crate::conformance::program::Program;
use crate::conformance::search::Search;
use crate::conformance::search::deadly;
use crate::data::MAX_DEPTH;

impl Run<'_> {
    /// Programs as they stand; those that end their process, in another one only.
    pub(super) fn given(
        &mut self,
        name: &'static str,
        mut programs: Vec<Program>,
    ) -> Result<Search, String> {
        self.publish(name);
        let (mut from, mut deaths) = (0, 0);
        while let Some(isolation) = &self.isolation
            && let Some(Err(death)) =
                deadly::first_death(isolation, &programs[from..], self.searcher.tick)
        {
            from += death.at;
            programs.remove(from);
            deaths += 1;
            self.keep(death.into_violation(name, self.searcher.tick));
        }
        let mut search = self.searcher.given(&programs)?;
        search.tally.programs += deaths;
        Ok(search)
    }

    /// Runs in another process what may end this one. Says whether anything can be run in this one.
    pub(super) fn isolated(&mut self) -> bool {
        const NAME: &str = "isolated";
        self.publish(NAME);
        let tick = self.searcher.tick;
        let mut search = Search::default();
        let mut deepest = MAX_DEPTH;
        let is_safe = loop {
            let programs = deadly::programs(self.searcher.profile, deepest, tick);
            let isolation = self.isolation.as_ref();
            let fate = isolation.and_then(|one| deadly::first_death(one, &programs, tick));
            let Some(survived) = fate else {
                self.report.notes.push(
                    "values nested deeply and long ids were run in this process, which an overflow \
                     of the stack would have ended: see Check::isolate"
                        .to_owned(),
                );
                return true;
            };
            let ran = survived
                .as_ref()
                .map_or_else(|death| death.at + 1, |()| programs.len());
            for program in &programs[..ran] {
                search.tally.programs += 1;
                search.tally.steps += program.ops().len() as u64;
                search.tally.exercise(Clause::Err1);
            }
            let Err(death) = survived else { break true };
            let (depth, is_plain) = (death.depth(), death.is_plain());
            self.keep(death.into_violation(NAME, tick));
            match depth.checked_sub(1) {
                _ if is_plain => break false,
                Some(less) => {
                    deepest = less;
                    self.searcher.deepest = Some(less);
                }
                None => {
                    self.is_random_deadly = true;
                    break true;
                }
            }
        };
        let claim = "{programs} programs in a process of their own, with values as deep as they get, \
                     the longest texts, and ids of all kinds";
        self.take(NAME, claim.to_owned(), search);
        let left_out = match (is_safe, self.is_random_deadly) {
            (false, _) => "nothing else was",
            (true, true) => "no random programs were",
            (true, false) => return true,
        };
        self.report.notes.push(format!(
            "{left_out} run: they would have ended this process, as that program ends its own"
        ));
        is_safe
    }
}
