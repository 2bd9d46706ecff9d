//! Run: a check under way, and what comes of it.

mod chance;
mod convict;
mod histories;
mod isolated;
mod listed;
mod shorten;

pub(crate) use convict::violation;

use super::Settings;
use super::budget::Budget;
use super::isolate::Isolation;
use super::supervise::SoFar;
use crate::clause::Clause;
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::failure::Failing;
use crate::conformance::judge::failure::Symptom;
use crate::conformance::judge::timed::Precision;
use crate::conformance::program::Time;
use crate::conformance::report::findings;
use crate::conformance::report::regressions::Regressions;
use crate::conformance::report::{self, Finding, Report, Searched, Verdict, Violation};
use crate::conformance::search::exhaust::{self, Scope};
use crate::conformance::search::restarts;
use crate::conformance::search::{self, Progress, Search, Searcher};
use crate::conformance::subject::Passing;
use crate::conformance::subject::erased::AnySubject;
use crate::conformance::subject::profile::Profile;
use rand::TryRng as _;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A check under way.
pub(crate) struct Run<'a> {
    settings: &'a Settings,
    pub(crate) searcher: Searcher<'a>,
    so_far: &'a Mutex<SoFar>,
    tally: Tally,
    precision: Precision,
    /// Of all failures that were shrunk.
    symptoms: BTreeSet<Symptom>,
    /// The smallest programs of all defects that are known.
    known: Vec<Failing>,
    /// Whether the subject can restart its store.
    restarts: bool,
    /// Histories that could not be judged, with the clauses that they were for, and calls in histories
    /// that failed with an error.
    undecided: (u64, Vec<Clause>),
    failed: u64,
    /// Kinds of errors that did not come again when their program was run again.
    errors: u64,
    /// How long the store takes for a program, where that is so long that less was searched.
    pace: Option<Duration>,
    isolation: Option<Isolation>,
    /// Where values and ids of all kinds end the process.
    is_random_deadly: bool,
    report: Report,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        subject: &'a dyn AnySubject,
        settings: &'a Settings,
        profile: &'a Profile,
        so_far: &'a Mutex<SoFar>,
    ) -> Self {
        let tick = settings.tick;
        let tick = tick.unwrap_or_else(|| Searcher::default_tick(subject.passing(), profile));
        Self {
            settings,
            searcher: Searcher {
                subject,
                profile,
                tick: search::ticks(tick),
                deepest: None,
                goes_by_chance: false,
                is_wrong_alone: false,
            },
            so_far,
            tally: Tally::default(),
            precision: Precision::default(),
            symptoms: BTreeSet::new(),
            known: Vec::new(),
            restarts: false,
            undecided: (0, Vec::new()),
            failed: 0,
            errors: 0,
            pace: None,
            isolation: None,
            is_random_deadly: false,
            report: Report {
                store: short(subject.store_name()),
                profile: profile.to_string(),
                verdict: Verdict::Conforms,
                seed: settings.seed.unwrap_or_else(fresh_seed),
                searches: Vec::new(),
                clauses: Vec::new(),
                violations: Vec::new(),
                notes: Vec::new(),
            },
        }
    }

    /// The same, with another process for what may end this one.
    pub(crate) fn isolating(mut self, isolation: Option<Isolation>) -> Self {
        self.isolation = isolation;
        self
    }

    /// Tells what is known so far, and which search comes next.
    fn publish(&self, search: &'static str) {
        *self.so_far.lock().unwrap_or_else(PoisonError::into_inner) = SoFar {
            search,
            tally: self.tally.clone(),
            precision: self.precision,
            restarts: self.restarts,
            report: Some(self.report.clone()),
        };
    }

    pub(crate) fn finish(mut self) -> Report {
        if let Err(reason) = self.search() {
            self.report.verdict = Verdict::Misused(reason);
            return self.report;
        }
        self.conclude()
    }

    /// The report of a check that ended in the midst of a search, with what was known by then and what
    /// it ended at.
    pub(crate) fn end(mut self, so_far: SoFar, violation: Violation) -> Report {
        self.tally = so_far.tally;
        self.precision = so_far.precision;
        self.restarts = so_far.restarts;
        self.report = so_far.report.unwrap_or(self.report);
        self.keep(violation);
        self.report.notes.push(format!(
            "the check ended at that call, in the {} search; what was not searched by then is not said \
             here",
            so_far.search
        ));
        self.conclude()
    }

    fn conclude(mut self) -> Report {
        self.forget_bad_luck();
        self.note();
        self.report.clauses = Finding::all(
            &self.tally,
            &self.undecided.1,
            &self.report.violations,
            self.searcher.profile,
            &self.settings.only,
            self.restarts,
        );
        self.report.verdict = findings::conclusion(&self.report);
        self.report
    }

    fn search(&mut self) -> Result<(), String> {
        let check = self.settings;
        let mut budget = Budget::of(self.settings, &self.searcher);
        budget.validate(self.settings)?;
        let progress = |progress| {
            if let Some(tell) = &check.progress {
                tell(progress);
            }
        };
        if let Some(replay) = &check.replay {
            let program = replay.clone().map_err(|error| error.to_string())?;
            let search = self.given("replay", vec![program])?;
            let claim = match search.tally.programs {
                1 => "{programs} program as given",
                _ => "the program as given, {programs} times, at every phase of the clock",
            };
            self.take("replay", claim.to_owned(), search);
            return Ok(());
        }
        self.publish("restarted");
        self.restarts = self.searcher.can_restart()?;
        let kept = check
            .regressions
            .as_deref()
            .map(Regressions::read)
            .transpose()?;
        if let Some(kept) = &kept {
            let search = self.given("regressions", kept.programs.clone())?;
            self.take(
                "regressions",
                "{programs} programs that failed once".to_owned(),
                search,
            );
        }
        let elsewhere = [Clause::CONCURRENT, Clause::CANCELLED, Clause::RESTARTED].concat();
        let sequential = self.wants(|clause| !elsewhere.contains(&clause));
        if sequential && budget.sequences > 0 && !self.isolated() {
            return Ok(());
        }
        self.searcher.make_one()?;
        self.publish("exhaustive");
        self.pace = budget.adapt(self.settings, &self.searcher);
        if sequential && budget.depth > 0 {
            self.exhaustive(budget.depth, &progress)?;
        }
        if sequential && budget.sequences > 0 && !self.is_random_deadly {
            self.listed(budget.sequences)?;
            self.publish("random");
            let (sequences, length) = (budget.sequences, budget.length);
            let search = self
                .searcher
                .random(sequences, length, self.report.seed, &progress)?;
            let claim = format!(
                "{{programs}} programs of up to {length} operations, with {}extreme times to live, {} \
                 and {} JSON value",
                if self.searcher.subject.passing() == Passing::Injected {
                    "times relative to deadlines, "
                } else {
                    ""
                },
                if self.searcher.profile.supported.ids.is_some() {
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
        if self.restarts && self.wants(|clause| Clause::RESTARTED.contains(&clause)) {
            self.restarted(&budget, &progress)?;
        }
        self.shorten(budget.depth);
        if budget.sequences > 0 {
            self.histories(&budget, &progress)?;
        }
        if let Some(kept) = &kept {
            let kept = kept.keep(&self.report.violations, self.report.seed);
            self.report.notes.extend(kept.err());
        }
        Ok(())
    }

    /// The search in all programs of up to `depth` operations.
    fn exhaustive(
        &mut self,
        depth: usize,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<(), String> {
        self.publish("exhaustive");
        let search = self.searcher.exhaustive(depth, progress)?;
        let times = self.searcher.times_each();
        let all = exhaust::programs_up_to(depth) * times as u64;
        let claim = format!(
            "{}{{programs}} programs of up to {} operations over {}{}",
            if all == search.tally.programs {
                "all "
            } else {
                ""
            },
            depth,
            Scope::new(self.searcher.profile, self.searcher.tick).claim(),
            match times {
                1 => String::new(),
                times =>
                    format!("; each begun at {times} phases of the clock, and counted as often"),
            }
        );
        self.take("exhaustive", claim, search);
        Ok(())
    }

    /// The search in programs with restarts.
    fn restarted(
        &mut self,
        budget: &Budget,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<(), String> {
        self.publish("restarted");
        let search = restarts::Budget {
            depth: budget.depth,
            sequences: budget.sequences.div_ceil(2),
            length: budget.length,
        };
        let claim = search.claim(&self.searcher);
        let seed = self.report.seed;
        let search = self.searcher.restarted(search, seed, progress)?;
        self.take("restarted", claim, search);
        Ok(())
    }

    /// Whether such a clause was asked for and is claimed.
    fn wants(&self, such: impl Fn(Clause) -> bool) -> bool {
        let only = &self.settings.only;
        let mut clauses = Clause::STORE.iter().copied();
        clauses.any(|clause| {
            let is_claimed = self.searcher.profile.why_unclaimed(clause).is_none();
            such(clause) && is_claimed && (only.is_empty() || only.contains(&clause))
        })
    }

    fn supports_any_value(&self) -> bool {
        self.searcher.deepest.is_none()
            && self.searcher.profile.supported.depth.is_none()
            && self.searcher.profile.supported.size.is_none()
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

    fn note(&mut self) {
        let Precision { open, wakes, late } = self.precision;
        let count = report::thousands;
        let mut note = |text: String| self.report.notes.push(text);
        if let Some(pace) = self.pace {
            note(format!(
                "the store takes {}us for a program of seven calls, so less was searched than usual: \
                 `depth` and `sequences` say how much",
                count(u64::try_from(pace.as_micros()).unwrap_or(u64::MAX))
            ));
        }
        if self.tally.refused_ids > 0 {
            note(format!(
                "the store refused {} commits for ids that are not tokens, as IDN-2 allows",
                count(self.tally.refused_ids)
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

fn fresh_seed() -> u64 {
    rand::rngs::SysRng.try_next_u64().unwrap_or_default() >> 32
}

/// A type's name without the paths in it.
fn short(name: &str) -> String {
    let mut short = String::new();
    for part in name.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
        short += part.rsplit("::").next().unwrap_or(part);
    }
    short
}
