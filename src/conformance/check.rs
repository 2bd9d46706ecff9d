//! Check: what to search, and what comes of it.

use super::coverage::Tally;
use super::diagnose;
use super::exhaust::{self, Scope};
use super::findings::{self, STORE_CLAUSES};
use super::profile::Profile;
use super::program::{Program, ProgramError, Time};
use super::regressions::Regressions;
use super::report::{self, Finding, Report, Searched, Verdict, Violation};
use super::search::{self, Caught, Progress, Search, Searcher};
use super::shrink::{self, Failing};
use super::subject::{Passing, Subject};
use super::timed::Precision;
use super::workers;
use crate::clause::Clause;
use rand::TryRng as _;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A check to be run; [`check`](super::check) and [`check_subject`](super::check_subject) make one.
#[must_use = "a check does nothing until `run` or `assert`"]
pub struct Check<S> {
    subject: S,
    profile: Option<Profile>,
    sequences: Option<usize>,
    length: Option<usize>,
    depth: Option<usize>,
    tick: Option<Duration>,
    seed: Option<u64>,
    only: Vec<Clause>,
    replay: Option<Result<Program, ProgramError>>,
    regressions: Option<PathBuf>,
    progress: Option<Box<dyn Fn(Progress) + Send + Sync>>,
}

/// How much is searched.
struct Budget {
    depth: usize,
    sequences: usize,
    length: usize,
}

/// The most random programs that one check runs.
const MOST_SEQUENCES: usize = 1_000_000_000;

/// The most operations that a random program can have.
const LONGEST: usize = 100_000;

impl<S: Subject> Check<S> {
    pub(super) fn new(subject: S) -> Self {
        Self {
            subject,
            profile: None,
            sequences: None,
            length: None,
            depth: None,
            tick: None,
            seed: None,
            only: Vec::new(),
            replay: None,
            regressions: None,
            progress: None,
        }
    }

    /// How many random programs to run. Unless told: 10,000 in lockstep with the model, 1,000 where
    /// time can only be waited for.
    pub fn sequences(mut self, sequences: usize) -> Self {
        self.sequences = Some(sequences);
        self
    }

    /// The most operations in a random program. Unless told: 40, or 12 where time can only be waited
    /// for.
    pub fn length(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }

    /// The most operations in a program of the exhaustive search, 7 at most; one more takes some
    /// fifteen times as long. Unless told: 5 in lockstep with the model, 4 on a subject with a
    /// runtime or a profile of its own, 3 where time can only be waited for.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = Some(depth);
        self
    }

    /// The unit of the programs' times. Unless told: 1 s, or 40 ms where time can only be waited for,
    /// and at least twice the store's resolution.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.tick = Some(tick);
        self
    }

    /// The random search's seed: a fresh one unless told. The report states it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What the store claims; unless told, what its subject says, which is everything by default.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
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
        let profile = self
            .profile
            .clone()
            .unwrap_or_else(|| self.subject.profile());
        let tick = self
            .tick
            .unwrap_or_else(|| Searcher::<S>::default_tick(&profile));
        let run = Run {
            check: self,
            searcher: Searcher {
                subject: &self.subject,
                profile: &profile,
                tick: search::ticks(tick),
            },
            tally: Tally::default(),
            precision: Precision::default(),
            report: Report {
                store: short_type_name::<S::Store>(),
                verdict: Verdict::Conforms,
                seed: self.seed.unwrap_or_else(fresh_seed),
                searches: Vec::new(),
                clauses: Vec::new(),
                violations: Vec::new(),
                notes: Vec::new(),
            },
        };
        run.finish()
    }
}

/// A check under way.
struct Run<'a, S> {
    check: &'a Check<S>,
    searcher: Searcher<'a, S>,
    tally: Tally,
    precision: Precision,
    report: Report,
}

impl<S: Subject> Run<'_, S> {
    fn finish(mut self) -> Report {
        if let Err(reason) = self.search() {
            self.report.verdict = Verdict::Misused(reason);
            return self.report;
        }
        self.note();
        let violations = &self.report.violations;
        self.report.clauses = Finding::all(
            &self.tally,
            violations,
            self.searcher.profile,
            &self.check.only,
        );
        self.report.verdict = findings::conclusion(&self.report);
        self.report
    }

    fn search(&mut self) -> Result<(), String> {
        let check = self.check;
        let budget = self.budget();
        self.validate(&budget)?;
        let progress = |progress| {
            if let Some(tell) = &check.progress {
                tell(progress);
            }
        };
        if let Some(replay) = &check.replay {
            let program = replay.clone().map_err(|error| error.to_string())?;
            let search = self.searcher.given(&[program])?;
            let claim = match search.tally.programs {
                1 => "{programs} program as given",
                _ => "the program as given, {programs} times, at every phase of the clock",
            };
            self.take("replay", claim.to_owned(), search);
            return Ok(());
        }
        let kept = check
            .regressions
            .as_deref()
            .map(Regressions::read)
            .transpose()?;
        if let Some(kept) = &kept {
            let search = self.searcher.given(&kept.programs)?;
            self.take(
                "regressions",
                "{programs} programs that failed once".to_owned(),
                search,
            );
        }
        if budget.depth > 0 {
            let search = self.searcher.exhaustive(budget.depth, &progress)?;
            let times = Searcher::<S>::times_each();
            let all = exhaust::programs_up_to(budget.depth) * times as u64;
            let claim = format!(
                "{}{{programs}} programs of up to {} operations over {}{}",
                if all == search.tally.programs {
                    "all "
                } else {
                    ""
                },
                budget.depth,
                Scope::new(self.searcher.profile, self.searcher.tick).claim(),
                match times {
                    1 => String::new(),
                    times =>
                        format!("; each begun at {times} phases of the clock, and counted as often"),
                }
            );
            self.take("exhaustive", claim, search);
        }
        if budget.sequences > 0 {
            let (sequences, length) = (budget.sequences, budget.length);
            let search = self
                .searcher
                .random(sequences, length, self.report.seed, &progress)?;
            let claim = format!(
                "{{programs}} programs of up to {length} operations, with {}extreme times to live, {} \
                 and {} JSON value",
                if Searcher::<S>::PASSING == Passing::Injected {
                    "times relative to deadlines, "
                } else {
                    ""
                },
                if self.searcher.profile.ids.is_some() {
                    "supported ids"
                } else {
                    "hostile ids"
                },
                if self.supports_any_value() {
                    "any"
                } else {
                    "any supported"
                },
            );
            self.take("random", claim, search);
        }
        if let Some(kept) = &kept {
            let kept = kept.keep(&self.report.violations, self.report.seed);
            self.report.notes.extend(kept.err());
        }
        Ok(())
    }

    fn budget(&self) -> Budget {
        let (depth, sequences, length) = match Searcher::<S>::PASSING {
            _ if self.searcher.is_in_lockstep() => (5, 10_000, 40),
            Passing::Waiting => (3, 1_000, 12),
            _ => (4, 2_000, 40),
        };
        Budget {
            depth: self.check.depth.unwrap_or(depth),
            sequences: self.check.sequences.unwrap_or(sequences),
            length: self.check.length.unwrap_or(length),
        }
    }

    fn supports_any_value(&self) -> bool {
        self.searcher.profile.depth.is_none() && self.searcher.profile.size.is_none()
    }

    fn validate(&self, budget: &Budget) -> Result<(), String> {
        let check = self.check;
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
        if budget.depth > exhaust::DEEPEST {
            return Err(format!(
                "depth {} is beyond what can be searched; the deepest is {}, with {} programs",
                budget.depth,
                exhaust::DEEPEST,
                report::thousands(exhaust::programs_up_to(exhaust::DEEPEST))
            ));
        }
        if budget.sequences > MOST_SEQUENCES {
            return Err(format!(
                "{} random programs would take days; the most is {}",
                report::thousands(budget.sequences as u64),
                report::thousands(MOST_SEQUENCES as u64)
            ));
        }
        if budget.sequences > 0 && !(1..=LONGEST).contains(&budget.length) {
            return Err(format!("random programs have a length of 1 to {LONGEST}"));
        }
        let nothing = budget.depth == 0 && budget.sequences == 0;
        if nothing && check.replay.is_none() && check.regressions.is_none() {
            return Err(
                "a depth and a number of sequences of 0 leave nothing to search".to_owned(),
            );
        }
        Ok(())
    }

    /// Takes in what a search came to.
    fn take(&mut self, name: &'static str, claim: String, search: Search) {
        self.report.searches.push(Searched {
            name,
            claim,
            programs: search.tally.programs,
            steps: search.tally.steps,
        });
        self.tally.add(&search.tally);
        self.precision.add(search.precision);
        self.convict(name, search);
    }

    /// Shrinks what a search caught, names the clauses, and keeps the smallest program of each.
    fn convict(&mut self, name: &'static str, search: Search) {
        let caught: Vec<Caught> = search.caught.into_values().collect();
        let Searcher { profile, tick, .. } = self.searcher;
        let violations = workers::each(caught.len(), |index| {
            let Caught {
                ops,
                failure,
                after,
            } = &caught[index];
            let run = self.searcher.runner(ops);
            let shrunk = shrink::shrink(ops.clone(), tick, run);
            let repeats = shrunk.is_some();
            let failing = shrunk.unwrap_or_else(|| Failing {
                ops: ops.clone(),
                failure: failure.clone(),
            });
            Violation {
                clause: match repeats {
                    true => diagnose::clause(&failing, tick),
                    // Of a program that was not shrunk, nothing says what in it matters.
                    false => failing.failure.expected.clause,
                },
                because: diagnose::because(&failing),
                program: failing.ops.into(),
                expected: failing.failure.expected.reply,
                got: failing.failure.outcome,
                search: name,
                after: *after,
                repeats,
            }
        });
        let only = &self.check.only;
        let known = &mut self.report.violations;
        for violation in violations {
            let clause = violation.clause;
            let is_asked_for = only.is_empty() || only.contains(&clause);
            if !is_asked_for || profile.why_unclaimed(clause).is_some() {
                continue;
            }
            match known.iter_mut().find(|known| known.clause == clause) {
                Some(known) if size(&violation) < size(known) => *known = violation,
                Some(_) => {}
                None => known.push(violation),
            }
        }
        known.sort_by_key(|violation| violation.clause);
    }

    fn note(&mut self) {
        let Precision { open, wakes, late } = self.precision;
        let count = report::thousands;
        let mut note = |text: String| self.report.notes.push(text);
        if self.tally.refused_ids > 0 {
            note(format!(
                "the store refused {} commits for ids that are not tokens, as IDN-2 allows",
                count(self.tally.refused_ids)
            ));
        }
        if open > 0 {
            note(format!(
                "{} replies fell so near to a deadline that the measured times did not decide them; \
                 they count for no clause",
                count(open)
            ));
        }
        if wakes > 0 {
            note(format!(
                "time was waited for, in ticks of {}: the very instant of a deadline was not hit, and \
                 long advances were left out; {} of {} wake-ups were late",
                Time(self.searcher.tick),
                count(late),
                count(wakes)
            ));
        }
        for (clause, why) in &self.searcher.profile.unclaimed {
            self.report
                .notes
                .push(format!("{clause} is not claimed: {why}"));
        }
    }
}

impl<S> fmt::Debug for Check<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("profile", &self.profile)
            .field("sequences", &self.sequences)
            .field("length", &self.length)
            .field("depth", &self.depth)
            .field("tick", &self.tick)
            .field("seed", &self.seed)
            .field("only", &self.only)
            .finish_non_exhaustive()
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
