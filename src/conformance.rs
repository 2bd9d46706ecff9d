//! The conformance kit: tests any store against the model, and reports every clause it breaks with
//! a minimal counterexample.
//!
//! A store author's whole test is two lines, given a way to make the store on a clock that the test
//! moves:
//!
//! ```
//! # use session_spec::MemStore as MyStore;
//! # #[derive(Default)] struct _Hidden;
//! // #[test]
//! fn conforms() {
//!     session_spec::conformance::check(MyStore::with_clock).assert();
//! }
//! # session_spec::conformance::check(MyStore::with_clock).depth(2).sequences(500).assert();
//! ```
//!
//! Two searches run, both in lockstep with the [model](crate::Model): *exhaustive*, every program up
//! to a length over a small alphabet of calls; and *random*, long programs with extreme times,
//! hostile ids and every kind of value. A program that fails is shrunk; the clause named is derived
//! from the minimal program. A violation ends its program, not the search.

mod coverage;
mod diagnose;
mod exec;
mod exhaust;
mod generate;
mod hostile;
mod lockstep;
mod payload;
mod program;
mod random;
mod regressions;
mod report;
mod shrink;
mod trace;
mod values;
mod workers;

use crate::clause::Clause;
use crate::clock::ManualClock;
use crate::model::Op;
use crate::store::Store;
use coverage::Tally;
use lockstep::Symptom;
use rand::TryRng as _;
use regressions::Regressions;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub use exec::Outcome;
pub use generate::programs;
pub use program::{Program, ProgramError, Stated};
pub use report::{Finding, Report, Searched, Status, Verdict, Violation};
pub use trace::Trace;

/// A check of the store that `make` makes: configure it, then [`run`](Check::run) it for a report as
/// data, or [`assert`](Check::assert) it in a test.
///
/// `make` is called once for every program, with a clock of that program's own.
pub fn check<F, S>(make: F) -> Check<F>
where
    F: Fn(ManualClock) -> S + Send + Sync + 'static,
    S: Store + 'static,
{
    Check {
        make,
        sequences: 10_000,
        length: 40,
        depth: 5,
        seed: None,
        only: Vec::new(),
        replay: None,
        regressions: None,
        progress: None,
    }
}

/// A check to be run; [`check`] makes one.
#[must_use = "a check does nothing until `run` or `assert`"]
pub struct Check<F> {
    make: F,
    sequences: usize,
    length: usize,
    depth: usize,
    seed: Option<u64>,
    only: Vec<Clause>,
    replay: Option<Result<Program, ProgramError>>,
    regressions: Option<PathBuf>,
    progress: Option<Box<dyn Fn(Progress) + Send + Sync>>,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// `exhaustive` or `random`.
    pub search: &'static str,
    /// Programs done, roughly.
    pub done: u64,
    /// Programs to do.
    pub total: u64,
}

impl<F, S> Check<F>
where
    F: Fn(ManualClock) -> S + Send + Sync + 'static,
    S: Store + 'static,
{
    /// How many random programs to run: 10,000 unless told.
    pub fn sequences(mut self, sequences: usize) -> Self {
        self.sequences = sequences;
        self
    }

    /// The most operations in a random program: 40 unless told.
    pub fn length(mut self, length: usize) -> Self {
        self.length = length;
        self
    }

    /// The most operations in a program of the exhaustive search: 5 unless told, 7 at most. One
    /// more takes some fifteen times as long.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// The random search's seed: a fresh one unless told. The report states it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Looks for this clause only, and for others that were asked for in the same way.
    pub fn only(mut self, clause: Clause) -> Self {
        self.only.push(clause);
        self
    }

    /// Runs this program, and nothing else.
    pub fn replay(mut self, program: &str) -> Self {
        self.replay = Some(program.parse());
        self
    }

    /// Runs the programs in this file first, and adds to it those that fail. A relative path is
    /// taken from the manifest directory of the package under test. Without this, a check writes
    /// nothing.
    pub fn regressions(mut self, file: impl Into<PathBuf>) -> Self {
        self.regressions = Some(file.into());
        self
    }

    /// Has `tell` told how far the searches have come, from several threads, many times a second.
    pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// Runs the check and panics with the report unless the store conforms.
    ///
    /// # Panics
    /// When a clause is broken, when nothing was decided, and when the check was misused.
    pub fn assert(&self) {
        let report = self.run();
        assert!(report.verdict == Verdict::Conforms, "{report}");
    }

    /// Runs the check.
    pub fn run(&self) -> Report {
        let seed = self.seed.unwrap_or_else(fresh_seed);
        let mut report = Report {
            store: short_type_name::<S>(),
            verdict: Verdict::Conforms,
            seed,
            searches: Vec::new(),
            clauses: Vec::new(),
            violations: Vec::new(),
            notes: Vec::new(),
        };
        report.verdict = match self.search(&mut report) {
            Err(reason) => Verdict::Misused(reason),
            Ok(()) => conclusion(&report),
        };
        report
    }

    fn search(&self, report: &mut Report) -> Result<(), String> {
        self.validate()?;
        let mut tally = Tally::default();
        let progress = |progress| {
            if let Some(tell) = &self.progress {
                tell(progress);
            }
        };
        let mut take = |report: &mut Report, name, claim: String, search: Search| {
            report.searches.push(Searched {
                name,
                claim,
                programs: search.tally.programs,
                steps: search.tally.steps,
            });
            tally.add(&search.tally);
            self.convict(report, name, search);
        };
        if let Some(replay) = &self.replay {
            let program = replay.clone().map_err(|error| error.to_string())?;
            let search = self.replay_all(&[program])?;
            take(
                report,
                "replay",
                "{programs} program as given".to_owned(),
                search,
            );
        } else {
            let kept = self
                .regressions
                .as_deref()
                .map(Regressions::read)
                .transpose()?;
            if let Some(kept) = &kept {
                let search = self.replay_all(&kept.programs)?;
                take(
                    report,
                    "regressions",
                    "{programs} programs that failed once".to_owned(),
                    search,
                );
            }
            if self.depth > 0 {
                let search = exhaust::search(&self.make, self.depth, &progress);
                let all = exhaust::programs_up_to(self.depth) == search.tally.programs;
                let all = if all { "all " } else { "" };
                let claim = format!(
                    "{all}{{programs}} programs of up to {} operations over {}",
                    self.depth,
                    exhaust::CLAIM
                );
                take(report, "exhaustive", claim, search);
            }
            if self.sequences > 0 {
                let (sequences, length) = (self.sequences, self.length);
                let search = random::search(&self.make, sequences, length, report.seed, &progress);
                let claim = format!(
                    "{{programs}} programs of up to {length} operations, with times relative to \
                     deadlines, extreme times to live, hostile ids and any JSON value"
                );
                take(report, "random", claim, search);
            }
            if let Some(kept) = &kept {
                let note = kept.keep(&report.violations, report.seed);
                report.notes.extend(note.err());
            }
        }
        if tally.refused_ids > 0 {
            report.notes.push(format!(
                "the store refused {} commits for ids that are not tokens, as IDN-2 allows",
                report::thousands(tally.refused_ids)
            ));
        }
        report.clauses = self.findings(&tally, &report.violations);
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        if let Some(clause) = self
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
        if self.replay.is_none()
            && self.depth == 0
            && self.sequences == 0
            && self.regressions.is_none()
        {
            return Err(
                "a depth and a number of sequences of 0 leave nothing to search".to_owned(),
            );
        }
        Ok(())
    }

    /// Runs programs as they stand.
    fn replay_all(&self, programs: &[Program]) -> Result<Search, String> {
        if let Some(program) = programs.iter().find(|program| !program.is_expressible()) {
            return Err(format!(
                "a Rust store cannot be handed this program: it has a nil snapshot, a negative ttl, \
                 or a time beyond the longest Duration\n  {program}"
            ));
        }
        let mut search = Search::default();
        let results = workers::each(programs.len(), |index| {
            let mut tally = Tally::default();
            let failure = random::run_counted(&self.make, programs[index].ops(), &mut tally);
            (tally, failure)
        });
        for (program, (tally, failure)) in programs.iter().zip(results) {
            search.tally.add(&tally);
            if let Some(failure) = failure {
                let after = search.tally.programs;
                let ops = program.ops().to_vec();
                search.catch(failure.symptom(), || Caught { ops, after });
            }
        }
        Ok(search)
    }

    /// Shrinks what a search caught, names the clauses, and keeps the smallest program of each.
    fn convict(&self, report: &mut Report, name: &'static str, search: Search) {
        let caught: Vec<Caught> = search.caught.into_values().collect();
        let violations = workers::each(caught.len(), |index| {
            let Caught { ops, after } = &caught[index];
            let run = |ops: &[Op]| lockstep::run(&self.make, ops, |_, _| {});
            let failing = shrink::shrink(ops.clone(), run)?;
            Some(Violation {
                clause: diagnose::clause(&failing),
                because: diagnose::because(&failing),
                program: failing.ops.into(),
                expected: failing.failure.expected.reply,
                got: failing.failure.outcome,
                search: name,
                after: *after,
            })
        });
        for violation in violations.into_iter().flatten() {
            if !self.only.is_empty() && !self.only.contains(&violation.clause) {
                continue;
            }
            match report
                .violations
                .iter_mut()
                .find(|known| known.clause == violation.clause)
            {
                Some(known) if size(&violation) < size(known) => *known = violation,
                Some(_) => {}
                None => report.violations.push(violation),
            }
        }
        report.violations.sort_by_key(|violation| violation.clause);
    }

    fn findings(&self, tally: &Tally, violations: &[Violation]) -> Vec<Finding> {
        let asked = |clause: &&Clause| self.only.is_empty() || self.only.contains(clause);
        STORE_CLAUSES
            .iter()
            .filter(asked)
            .map(|&clause| {
                let exercised = tally.exercised(clause);
                let status = if violations
                    .iter()
                    .any(|violation| violation.clause == clause)
                {
                    Status::Violated
                } else if BY_CONSTRUCTION.contains(&clause) {
                    Status::ByConstruction
                } else if NOT_CHECKED.contains(&clause) {
                    Status::NotChecked
                } else if exercised == 0 {
                    Status::Vacuous
                } else {
                    Status::Kept
                };
                Finding {
                    clause,
                    status,
                    exercised,
                }
            })
            .collect()
    }
}

impl<F> fmt::Debug for Check<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("sequences", &self.sequences)
            .field("length", &self.length)
            .field("depth", &self.depth)
            .field("seed", &self.seed)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

/// The most random programs that one check runs.
const MOST_SEQUENCES: usize = 1_000_000_000;

/// The most operations that a random program can have.
const LONGEST: usize = 100_000;

/// The clauses that a store can keep or break.
const STORE_CLAUSES: &[Clause] = &[
    Clause::Snp4,
    Clause::Pre1,
    Clause::Pre2,
    Clause::Pre3,
    Clause::Pre4,
    Clause::Com1,
    Clause::Com2,
    Clause::Com3,
    Clause::Com4,
    Clause::Com5,
    Clause::Com6,
    Clause::Com7,
    Clause::Com8,
    Clause::Drp1,
    Clause::Drp2,
    Clause::Drp3,
    Clause::Drp4,
    Clause::Ttl1,
    Clause::Ttl2,
    Clause::Ttl3,
    Clause::Ttl4,
    Clause::Idn1,
    Clause::Idn2,
    Clause::Iso1,
    Clause::Iso2,
    Clause::Con1,
    Clause::Con2,
    Clause::Can1,
    Clause::Err1,
    Clause::Err2,
    Clause::Err3,
    Clause::Dur1,
];

/// Rust has no nil snapshot, and what a store was given or gave is copied on write (SNP-2).
const BY_CONSTRUCTION: &[Clause] = &[Clause::Com1, Clause::Iso1, Clause::Iso2];

/// They need histories of overlapping calls, faults or a restart.
const NOT_CHECKED: &[Clause] = &[
    Clause::Con1,
    Clause::Con2,
    Clause::Can1,
    Clause::Err2,
    Clause::Err3,
    Clause::Dur1,
];

/// What a search came to.
#[derive(Default)]
struct Search {
    tally: Tally,
    /// The first failing program of every symptom.
    caught: BTreeMap<Symptom, Caught>,
}

impl Search {
    fn catch(&mut self, symptom: Symptom, caught: impl FnOnce() -> Caught) {
        self.caught.entry(symptom).or_insert_with(caught);
    }
}

/// A program that failed.
struct Caught {
    ops: Vec<Op>,
    /// How many programs the search had run by then, with this one.
    after: u64,
}

fn conclusion(report: &Report) -> Verdict {
    if !report.violations.is_empty() {
        return Verdict::Violated;
    }
    if report.searches.iter().all(|search| search.programs == 0) {
        return Verdict::Undecided("no program was run".to_owned());
    }
    let all_asked = report.clauses.len() == STORE_CLAUSES.len();
    let is_open = |status| match status {
        Status::Vacuous => report.has_searched(),
        // Nobody expects these, unless they were asked for by name.
        Status::NotChecked => !all_asked,
        _ => false,
    };
    let open: Vec<&str> = report
        .clauses
        .iter()
        .filter(|finding| is_open(finding.status))
        .map(|finding| finding.clause.id())
        .collect();
    if open.is_empty() {
        Verdict::Conforms
    } else {
        let clauses = open.join(" ");
        Verdict::Undecided(format!(
            "nothing that was run could show a violation of {clauses}"
        ))
    }
}

/// By what the smaller of two programs is told: its operations, then its text.
fn size(violation: &Violation) -> (usize, usize) {
    let program = &violation.program;
    (program.ops().len(), program.to_string().len())
}

fn fresh_seed() -> u64 {
    rand::rngs::SysRng.try_next_u64().unwrap_or_default() >> 32
}

/// A type's name without the paths in it.
fn short_type_name<T>() -> String {
    let name = std::any::type_name::<T>();
    let mut short = String::new();
    for part in name.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
        short += part.rsplit("::").next().unwrap_or(part);
    }
    short
}
