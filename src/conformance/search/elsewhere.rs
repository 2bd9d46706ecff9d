//! Elsewhere: programs that may end the process they run in, run in another one.

use crate::conformance::program::Program;

/// What runs programs in a process of their own.
pub(crate) trait Elsewhere: Sync {
    /// Runs them one after another.
    fn run(&self, programs: &[Program]) -> Fate;
}

/// What became of programs in a process of their own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Survived,
    /// The process ended in the midst of this program.
    Died {
        at: usize,
        how: String,
    },
    /// The process did not come to the check, or not to its end.
    Unknown,
}
