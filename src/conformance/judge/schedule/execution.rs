//! Execution: what came of a program, and whether it will again.

use crate::conformance::judge::history::Record;
use crate::conformance::program::Program;
use crate::conformance::program::shape::Hold;
use std::fmt;

/// What came of a program.
pub(crate) struct Execution {
    pub(crate) records: Vec<Record>,
    /// The program, with the schedule in which it was made.
    pub(crate) program: Program,
    /// Why another run of the same schedule may come out otherwise, if it may.
    pub(crate) luck: Option<Luck>,
    /// Where threads that ran one at a time came to, each as a hold there.
    pub(crate) came: Vec<Hold>,
}

/// Why a schedule does not say all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    /// Clients are threads.
    Threads,
    /// A call was woken by something that is not of the run.
    Woken,
    /// It did not go wrong again in the very same schedule.
    Unsteady,
    /// There were very many calls, which did not go wrong again.
    Many,
}

impl fmt::Display for Luck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Threads => "its clients are threads, which the machine runs as it likes",
            Self::Woken => {
                "the store wakes its calls from a thread or a runtime of its own, when it likes"
            }
            Self::Unsteady => "it did not go wrong again in the very same schedule",
            Self::Many => "it was found once, among very many calls",
        })
    }
}
