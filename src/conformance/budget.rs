//! Budget: how much a check searches.

use super::check::Settings;
use super::exhaust;
use super::findings::STORE_CLAUSES;
use super::report;
use super::search::Searcher;
use super::subject::Passing;

/// How much is searched.
pub(super) struct Budget {
    pub(super) depth: usize,
    pub(super) sequences: usize,
    pub(super) length: usize,
    pub(super) clients: usize,
}

/// The most random programs that one check runs.
const MOST_SEQUENCES: usize = 1_000_000_000;

/// How many clients use the store at once, unless told; and the most that can.
const CLIENTS: usize = 4;
const MOST_CLIENTS: usize = 32;

/// The most operations that a random program can have.
const LONGEST: usize = 100_000;

impl Budget {
    /// What was set, and the default for the rest.
    pub(super) fn of(settings: &Settings, searcher: &Searcher<'_>) -> Self {
        let (depth, sequences, length) = match searcher.subject.passing() {
            _ if searcher.is_in_lockstep() => (5, 10_000, 40),
            Passing::Waiting => (3, 1_000, 12),
            _ => (4, 2_000, 40),
        };
        Self {
            depth: settings.depth.unwrap_or(depth),
            sequences: settings.sequences.unwrap_or(sequences),
            clients: settings.clients.unwrap_or(CLIENTS),
            length: settings.length.unwrap_or(length),
        }
    }

    /// Whether this can be run.
    pub(super) fn validate(&self, check: &Settings) -> Result<(), String> {
        if let Some(clause) = check
            .only
            .iter()
            .find(|clause| !STORE_CLAUSES.contains(clause))
        {
            let known: Vec<_> = STORE_CLAUSES.iter().map(|clause| clause.id()).collect();
            return Err(format!(
                "{clause} is no clause of the store contract; those are {}",
                known.join(" ")
            ));
        }
        if self.depth > exhaust::DEEPEST {
            return Err(format!(
                "depth {} is beyond what can be searched; the deepest is {}, with {} programs",
                self.depth,
                exhaust::DEEPEST,
                report::thousands(exhaust::programs_up_to(exhaust::DEEPEST))
            ));
        }
        if self.sequences > MOST_SEQUENCES {
            return Err(format!(
                "{} random programs would take days; the most is {}",
                report::thousands(self.sequences as u64),
                report::thousands(MOST_SEQUENCES as u64)
            ));
        }
        if self.sequences > 0 && !(1..=LONGEST).contains(&self.length) {
            return Err(format!("random programs have a length of 1 to {LONGEST}"));
        }
        if self.clients > MOST_CLIENTS {
            return Err(format!("the most clients at once are {MOST_CLIENTS}"));
        }
        let nothing = self.depth == 0 && self.sequences == 0;
        if nothing && check.replay.is_none() && check.regressions.is_none() {
            return Err(
                "a depth and a number of sequences of 0 leave nothing to search".to_owned(),
            );
        }
        Ok(())
    }
}
