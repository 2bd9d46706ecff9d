//! Run: a check under way, and what comes of it.

use super::budget::Budget;
use super::check::Settings;
use super::concurrent::{self, Concurrent};
use super::coverage::Tally;
use super::deadly;
use super::diagnose::{self, Diagnosis, Probe};
use super::exhaust::{self, Scope};
use super::findings::{self, CANCELLED, CONCURRENT, RESTARTED, STORE_CLAUSES};
use super::hidden;
use super::isolate::Isolation;
use super::lockstep::{Mistake, Symptom};
use super::profile::Profile;
use super::program::{Program, Time};
use super::regressions::Regressions;
use super::report::{self, Finding, Report, Searched, Verdict, Violation};
use super::restarts;
use super::search::{self, Caught, Progress, Search, Searcher};
use super::shrink::{self, Failing};
use super::subject::{Passing, Subject};
use super::supervise::SoFar;
use super::timed::Precision;
use super::workers;
use crate::clause::Clause;
use crate::data::MAX_DEPTH;
use crate::model::Op;
use rand::TryRng as _;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A check under way.
pub(super) struct Run<'a, S> {
    settings: &'a Settings,
    pub(super) searcher: Searcher<'a, S>,
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
    isolation: Option<Isolation>,
    /// Where values and ids of all kinds end the process.
    is_random_deadly: bool,
    report: Report,
}

impl<'a, S: Subject> Run<'a, S> {
    pub(super) fn new(
        subject: &'a S,
        settings: &'a Settings,
        profile: &'a Profile,
        so_far: &'a Mutex<SoFar>,
    ) -> Self {
        let tick = settings.tick;
        let tick = tick.unwrap_or_else(|| Searcher::<S>::default_tick(profile));
        Self {
            settings,
            searcher: Searcher {
                subject,
                profile,
                tick: search::ticks(tick),
                deepest: None,
            },
            so_far,
            tally: Tally::default(),
            precision: Precision::default(),
            symptoms: BTreeSet::new(),
            known: Vec::new(),
            restarts: false,
            undecided: (0, Vec::new()),
            failed: 0,
            isolation: None,
            is_random_deadly: false,
            report: Report {
                store: short_type_name::<S::Store>(),
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
    pub(super) fn isolating(mut self, isolation: Option<Isolation>) -> Self {
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

    pub(super) fn finish(mut self) -> Report {
        if let Err(reason) = self.search() {
            self.report.verdict = Verdict::Misused(reason);
            return self.report;
        }
        self.conclude()
    }

    /// The report of a check that ended in the midst of a search, with what was known by then and what
    /// it ended at.
    pub(super) fn end(mut self, so_far: SoFar, violation: Violation) -> Report {
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
        let budget = Budget::of(self.settings, &self.searcher);
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
        let elsewhere = [CONCURRENT, CANCELLED, RESTARTED].concat();
        let sequential = self.wants(|clause| !elsewhere.contains(&clause));
        if sequential && budget.sequences > 0 && !self.isolated() {
            return Ok(());
        }
        if sequential && budget.depth > 0 {
            self.publish("exhaustive");
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
        if sequential && budget.sequences > 0 && !self.is_random_deadly {
            self.publish("random");
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
        if self.restarts && self.wants(|clause| RESTARTED.contains(&clause)) {
            self.restarted(&budget, &progress)?;
        }
        if budget.sequences > 0 {
            self.histories(&budget, &progress)?;
        }
        if let Some(kept) = &kept {
            let kept = kept.keep(&self.report.violations, self.report.seed);
            self.report.notes.extend(kept.err());
        }
        Ok(())
    }

    /// Programs as they stand; those that end their process, in another one only.
    fn given(&mut self, name: &'static str, mut programs: Vec<Program>) -> Result<Search, String> {
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
    fn isolated(&mut self) -> bool {
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

    /// The searches in histories of several clients, and of cancelled calls.
    fn histories(
        &mut self,
        budget: &Budget,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<(), String> {
        if self.wants(|clause| CONCURRENT.contains(&clause)) && budget.clients > 1 {
            self.publish("concurrent");
            let search = concurrent::Budget {
                clients: budget.clients,
                short: budget.sequences / 2,
                tasks: budget.sequences / 20,
                threads: (budget.sequences / 500).clamp(4, 1_000),
            };
            let found = self
                .searcher
                .concurrent(search, self.report.seed, progress)?;
            let claim = format!(
                "{{programs}} histories of up to {} clients at once on one or two ids, as tasks polled \
                 in random order and as threads, judged for linearizability id by id",
                budget.clients
            );
            self.take_histories("concurrent", claim, CONCURRENT, found);
        }
        if self.wants(|clause| CANCELLED.contains(&clause)) {
            self.publish("cancelled");
            // What races shows among others without cancelling anything.
            let races = |found: &Violation| {
                found.clause == Clause::Err1 || CONCURRENT.contains(&found.clause)
            };
            let short = match self.report.violations.iter().any(races) {
                true => 0,
                false => budget.sequences / 5,
            };
            let seed = self.report.seed;
            let found = self.searcher.cancelled(short, budget.clients, seed)?;
            let claim = "{programs} histories in which one call is cancelled, after every number of \
                         polls up to where it returns";
            self.take_histories("cancelled", claim.to_owned(), CANCELLED, found);
        }
        Ok(())
    }

    /// Whether such a clause was asked for and is claimed.
    fn wants(&self, such: impl Fn(Clause) -> bool) -> bool {
        let only = &self.settings.only;
        let mut clauses = STORE_CLAUSES.iter().copied();
        clauses.any(|clause| {
            let is_claimed = self.searcher.profile.why_unclaimed(clause).is_none();
            such(clause) && is_claimed && (only.is_empty() || only.contains(&clause))
        })
    }

    fn take_histories(
        &mut self,
        name: &'static str,
        claim: String,
        clauses: &[Clause],
        found: Concurrent,
    ) {
        let mut search = Search {
            tally: found.tally,
            ..Search::default()
        };
        if found.undecided > 0 {
            self.undecided.0 += found.undecided;
            self.undecided.1.extend(clauses);
        }
        self.failed += found.failed;
        for caught in found.sequential {
            if !self.symptoms.contains(&caught.failure.symptom()) {
                search.catch(caught);
            }
        }
        self.take(name, claim, search);
        for disorder in found.disorders {
            self.keep(disorder.into_violation(name));
        }
    }

    fn supports_any_value(&self) -> bool {
        self.searcher.deepest.is_none()
            && self.searcher.profile.depth.is_none()
            && self.searcher.profile.size.is_none()
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
        self.symptoms.extend(search.caught.keys());
        let caught: Vec<Caught> = search.caught.into_values().collect();
        let tick = self.searcher.tick;
        let convicted = workers::each(caught.len(), |index| {
            let Caught {
                ops,
                failure,
                after,
                ..
            } = &caught[index];
            let run = self.searcher.runner(ops);
            let with_a_restart = |ops: &[Op]| restarts::needing_one(ops, &run);
            let run: Probe<'_> = match with_a_restart(ops) {
                Some(_) => &with_a_restart,
                None => &run,
            };
            let shrunk = shrink::shrink(ops.clone(), tick, run);
            let diagnosis = shrunk.as_ref().map(|failing| self.diagnose(failing, run));
            let failing = shrunk.clone().unwrap_or_else(|| Failing {
                ops: ops.clone(),
                failure: failure.clone(),
            });
            (violation(failing, name, *after, diagnosis), shrunk)
        });
        for (violation, failing) in convicted {
            self.keep(violation);
            self.known.extend(failing);
        }
        self.convict_hidden(name, &search.more);
    }

    /// The same for what hides behind known defects. Where time must be waited for, that would take
    /// too long.
    fn convict_hidden(&mut self, name: &'static str, caught: &[Caught]) {
        if Searcher::<S>::PASSING != Passing::Injected {
            return;
        }
        // As many operations as a tenth of a second allows.
        let budget = match self.searcher.is_in_lockstep() {
            true => 500_000,
            false => 25_000,
        };
        let caught: Vec<&Caught> = caught
            .iter()
            .filter(|caught| !caught.ops.contains(&Op::Restart))
            .collect();
        let mistakes: BTreeSet<Mistake> = caught.iter().map(|c| c.failure.mistake()).collect();
        let mistakes: Vec<Mistake> = mistakes.into_iter().collect();
        let (tick, known) = (self.searcher.tick, &self.known);
        let found = workers::each(mistakes.len(), |index| {
            let mistake = mistakes[index];
            let such: Vec<&Caught> = caught
                .iter()
                .filter(|caught| caught.failure.mistake() == mistake)
                .copied()
                .collect();
            let run = self.searcher.runner(&such[0].ops);
            let found = hidden::search(mistake, &such, known, tick, budget, &run);
            let diagnosed = found.into_iter().map(|(failing, after)| {
                let diagnosis = self.diagnose(&failing, &run);
                let violation = violation(failing.clone(), name, after, Some(diagnosis));
                (violation, failing)
            });
            diagnosed.collect::<Vec<_>>()
        });
        for (violation, failing) in found.into_iter().flatten() {
            self.keep(violation);
            self.known.push(failing);
        }
    }

    fn diagnose(&self, failing: &Failing, run: Probe<'_>) -> Diagnosis {
        let probe = self.searcher.is_in_lockstep().then_some(run);
        Diagnosis::of(failing, self.searcher.tick, probe)
    }

    /// Takes in a violation of a clause that was asked for, unless a smaller one is known.
    fn keep(&mut self, violation: Violation) {
        let (only, clause) = (&self.settings.only, violation.clause);
        let is_asked_for = only.is_empty() || only.contains(&clause);
        if !is_asked_for || self.searcher.profile.why_unclaimed(clause).is_some() {
            return;
        }
        let known = &mut self.report.violations;
        match known.iter_mut().find(|known| known.clause == clause) {
            Some(known) if size(&violation) < size(known) => *known = violation,
            Some(_) => {}
            None => known.push(violation),
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
        if self.failed > 0 {
            note(format!(
                "{} calls of several clients failed with an error, so that they may have taken effect \
                 or not",
                count(self.failed)
            ));
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

/// What a failing program shows; of one that did not fail again, nothing says what in it matters.
pub(super) fn violation(
    failing: Failing,
    search: &'static str,
    after: u64,
    diagnosis: Option<Diagnosis>,
) -> Violation {
    let repeats = diagnosis.is_some();
    let Diagnosis { clause, near_miss } = diagnosis.unwrap_or(Diagnosis {
        clause: failing.failure.expected.clause,
        near_miss: None,
    });
    Violation {
        clause,
        because: diagnose::argument(&failing, clause),
        near_miss,
        refused_ids: failing.failure.refused_ids,
        program: failing.ops.into(),
        expected: Some(failing.failure.expected.reply),
        got: failing.failure.outcome,
        history: None,
        search,
        after,
        repeats,
        gone: failing.failure.gone,
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
