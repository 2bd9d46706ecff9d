//! Listed: the searches whose programs are always the same, whatever is drawn.

use super::Run;
use crate::conformance::search::Searcher;
use crate::conformance::search::notorious;
use crate::conformance::search::repeated;
use crate::conformance::subject::Passing;

/// For each random program so many operations are repeated: somewhat fewer than it has.
const REPEATED: usize = 22;

impl Run<'_> {
    /// Programs that are always the same, whatever is drawn: what stores are known to take for one
    /// another, cut or lose, and what they count.
    pub(super) fn listed(&mut self, sequences: usize) -> Result<(), String> {
        // Where time goes on by itself, each takes its time, at every phase of the clock.
        if self.searcher.subject.passing() != Passing::Injected {
            return Ok(());
        }
        let Searcher { profile, tick, .. } = self.searcher;
        let deepest = self.searcher.deepest;
        let notorious = notorious::programs(&profile.supported, tick, deepest);
        let repeated = repeated::programs(profile, tick, REPEATED * sequences);
        let longest = repeated.iter().map(|program| program.ops().len()).max();
        let searches = [
            (
                "notorious",
                notorious,
                "{programs} programs, one for each value and each pair of ids that stores are known to \
                 take for another, to cut or to lose"
                    .to_owned(),
            ),
            (
                "repeated",
                repeated,
                format!(
                    "{{programs}} programs of up to {} operations, of which one, two or three are done \
                     again and again, on the same ids or on others",
                    longest.unwrap_or(0)
                ),
            ),
        ];
        for (name, programs, claim) in searches {
            self.publish(name);
            let search = self.searcher.given(&programs)?;
            self.take(name, claim, search);
        }
        Ok(())
    }
}
