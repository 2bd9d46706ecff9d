//! Run: a check under way, and what comes of it.

mod anomalies;
mod claimed;
mod claimed_ids;
mod convict;
mod flaky;
mod given;
mod limits;
mod notes;
mod shorten;

use super::budget;
use super::isolate::Isolation;
use super::searches::{SEARCHES, weight_from};
use super::settings::Settings;
use super::so_far::SoFar;
use crate::clause::Clause;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::failure::{Class, Failing, Mistake};
use crate::conformance::judge::runner::Runner;
use crate::conformance::judge::schedule;
use crate::conformance::judge::timed::Precision;
use crate::conformance::judge::until::Until;
use crate::conformance::program::Program;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::report::regressions::Regressions;
use crate::conformance::report::{Finding, Report, Searched, Verdict, Violation, findings};
use crate::conformance::search::context::{Budget, Context, Progress};
use crate::conformance::search::definition::{Search, Takes};
use crate::conformance::search::elsewhere::Elsewhere;
use crate::conformance::search::found::{Caught, Deadly, Found};
use crate::conformance::subject::backend::Backend;
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::{panics, watch};
use rand::TryRng as _;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is said to find what a program shows that was given to be replayed.
const REPLAY: &str = "replay";

/// A check under way.
pub(crate) struct Run<'a> {
    settings: &'a Settings,
    pub(super) runner: Runner<'a>,
    budget: Budget,
    isolation: Option<Isolation>,
    /// What is known so far, for whoever waits for this check.
    so_far: &'a Mutex<SoFar>,
    tally: Tally,
    precision: Precision,
    /// Of all failures that were shrunk.
    classes: BTreeSet<Class>,
    /// The smallest programs of all defects that are known.
    known: Vec<Failing>,
    /// Whether the subject can restart its store.
    restarts: bool,
    /// What ends the process of the store.
    deadly: Option<Deadly>,
    /// Some program failed in some of its runs only.
    is_flaky: bool,
    /// Some program of one client has failed.
    fails_alone: bool,
    /// Histories that could not be judged, with the clauses that they were for, and calls in histories
    /// that failed with an error.
    undecided: (u64, Vec<Clause>),
    failed: u64,
    /// Kinds of errors that did not come again when their program was run again.
    errors: u64,
    /// How long the check may take, if there is an end; when its searches have to end, and when it has to.
    time: Option<Duration>,
    end_of_searches: Until,
    end: Until,
    /// Programs for which no time was left, by their search.
    left_out: Vec<(&'static str, u64)>,
    report: Report,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        subject: &'a dyn ErasedSubject,
        settings: &'a Settings,
        profile: &'a Profile,
        so_far: &'a Mutex<SoFar>,
    ) -> Self {
        let runner = Runner::new(subject, profile, settings.tick);
        Self {
            settings,
            runner,
            budget: budget::of(settings, &runner),
            isolation: None,
            so_far,
            tally: Tally::default(),
            precision: Precision::default(),
            classes: BTreeSet::new(),
            known: Vec::new(),
            restarts: false,
            deadly: None,
            is_flaky: false,
            fails_alone: false,
            undecided: (0, Vec::new()),
            failed: 0,
            errors: 0,
            time: None,
            end_of_searches: Until::never(),
            end: Until::never(),
            left_out: Vec::new(),
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

    /// The same, with an eye on what is behind a remote store.
    pub(crate) fn watching(mut self, backend: &'a Backend) -> Self {
        if self.runner.profile.remote && !self.runner.is_in_lockstep() {
            self.runner.backend = Some(backend);
        }
        self
    }

    /// In the other process: runs a program, whatever comes of it.
    pub(crate) fn on_errand(&self, program: &Program) {
        if program.is_sequential() {
            drop(self.runner.probe(program.ops())(program.ops()));
            return;
        }
        schedule::executions(self.runner.subject, program, &mut drop).for_each(drop);
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
        let ended = self.search().err();
        if self.runner.is_gone() {
            return self.conclude();
        }
        let misuse = ended
            .or_else(watch::misuse)
            .or_else(|| self.needs_a_runtime());
        if let Some(reason) = misuse {
            self.report.verdict = Verdict::Misused(reason);
            return self.report;
        }
        self.conclude()
    }

    /// Whether the store panics since there is no runtime: so does every one that needs it.
    fn needs_a_runtime(&self) -> Option<String> {
        let mut violations = self.report.violations.iter();
        violations.find_map(|violation| match &violation.got {
            Outcome::Panicked(message) if message.contains("no reactor running") => Some(format!(
                "the store needs a Tokio runtime, and there is none here: {message}\n(implement `Subject` \
                 for it, whose `block_on` enters the runtime, and hand that to `check_subject`)"
            )),
            _ => None,
        })
    }

    /// The report of a check that ended in the midst of a search, with what was known by then and what
    /// it ended at.
    pub(crate) fn end(mut self, so_far: SoFar, violation: Violation) -> Report {
        let search = so_far.search;
        self.take_up(so_far);
        self.keep(violation);
        self.keep_regressions();
        self.report.notes.push(format!(
            "the check ended at that call, in the {search} search; what was not searched by then is not said \
             here",
        ));
        self.conclude()
    }

    fn conclude(mut self) -> Report {
        self.forget_flaky();
        self.note();
        self.report.clauses = Finding::all(
            &self.tally,
            &self.undecided.1,
            &self.report.violations,
            self.runner.profile,
            &self.settings.only,
            self.restarts,
        );
        self.report.verdict = findings::conclusion(&self.report);
        if let Some(gone) = self.gone() {
            self.report.notes.push(gone.clone());
            if self.report.verdict != Verdict::Violated {
                self.report.verdict = Verdict::Undecided(gone);
            }
        }
        self.report
    }

    /// What a search is handed.
    fn context<'b>(&'b self, progress: &'b (dyn Fn(Progress) + Sync)) -> Context<'b> {
        let by_clients = |clause| clause == Clause::Err1 || Clause::CONCURRENT.contains(&clause);
        let mut violations = self.report.violations.iter();
        let isolation = self.isolation.as_ref();
        Context {
            runner: self.runner,
            budget: self.budget,
            seed: self.report.seed,
            progress,
            elsewhere: isolation.map(|isolation| isolation as &dyn Elsewhere),
            restarts: self.restarts,
            deadly: self.deadly,
            is_flaky: self.is_flaky,
            fails_alone: self.fails_alone,
            fails_at_once: violations.any(|found| by_clients(found.clause)),
        }
    }

    fn search(&mut self) -> Result<(), String> {
        let settings = self.settings;
        budget::validate(&self.budget, settings)?;
        if let Some(replay) = &settings.replay {
            let program = replay.clone().map_err(|error| error.to_string())?;
            let found = self.given(REPLAY, vec![program])?;
            let claim = match found.tally.programs {
                1 => "{programs} program as given",
                _ => "the program as given, {programs} times, at every phase of the clock",
            };
            let claim = claim.to_owned();
            self.record(REPLAY, Found { claim, ..found });
            return Ok(());
        }
        self.publish("restarted");
        self.restarts = self.runner.can_restart()?;
        if let Some(kept) = self.regressions()? {
            let found = self.given("regressions", kept.programs)?;
            let claim = "{programs} programs that failed once".to_owned();
            self.record("regressions", Found { claim, ..found });
        }
        self.make_searches()?;
        self.keep_regressions();
        Ok(())
    }

    /// Makes those of all searches that fit the subject, and that could show something that was asked for.
    fn make_searches(&mut self) -> Result<(), String> {
        let settings = self.settings;
        if let Some(depth) = budget::depth_of_heavy(settings, &self.runner) {
            self.budget.depth = depth;
            self.report.notes.push(format!(
                "a store takes so long to make that the exhaustive search ends at a depth of {depth}; \
                 `Check::depth` has it go deeper"
            ));
        }
        self.time = budget::time(settings, &self.runner);
        if let Some(time) = self.time {
            // A fifth is kept for making programs smaller.
            (self.end_of_searches, self.end) = (Until::within(4 * time / 5), Until::within(time));
        }
        let progress = |progress| {
            let Some(tell) = settings.progress.as_ref().filter(|_| !watch::is_stopped()) else {
                return;
            };
            if let Err(message) = panics::catching_one(|| tell(progress)) {
                watch::misused(format!("Check::on_progress panicked: {message}"));
            }
        };
        let [crash, others @ ..] = &SEARCHES;
        self.make(crash, &progress)?;
        if self.deadly == Some(Deadly::All) {
            return Ok(());
        }
        self.runner.make_one()?;
        if let Some(backend) = self.runner.backend {
            let [id, _] = self.runner.profile.supported.two_ids();
            backend.greet(self.runner.subject, id);
        }
        for takes in [Takes::Programs, Takes::Histories] {
            for search in others.iter().filter(|search| search.takes == takes) {
                self.make(search, &progress)?;
            }
            if takes == Takes::Programs {
                self.shorten();
            }
        }
        Ok(())
    }

    /// Makes a search, if it fits.
    fn make(
        &mut self,
        search: &Search,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(), String> {
        let has_share = (search.share)(&self.budget) > 0;
        let fits = || (search.fits)(&self.context(progress));
        if !has_share || !self.wants(search) || !fits() {
            return Ok(());
        }
        self.publish(search.name);
        let clock = SystemClock::new();
        let is_asked_for = budget::is_asked_for(search, self.settings, self.budget);
        self.runner.until = match is_asked_for {
            true => Until::never(),
            false => self
                .end_of_searches
                .part(search.weight, weight_from(search)),
        };
        let until = self.runner.until;
        let estimated = |so_far: Progress| progress(so_far.estimated(clock.now(), until.left()));
        let found = (search.run)(&self.context(&estimated));
        let is_error = |caught: &Caught| caught.failure.mistake() == Mistake::Failed;
        let has_failed = |found: &Found| found.caught.values().any(is_error);
        if let Some(backend) = self.runner.backend
            && found.as_ref().map_or(true, has_failed)
        {
            backend.suspect(self.runner.subject, true);
        }
        if self.runner.is_gone() {
            return Err("the backend is gone".to_owned());
        }
        let found = found?;
        if is_asked_for {
            self.end_of_searches = self.end_of_searches.later(clock.now());
            self.end = self.end.later(clock.now());
        }
        self.runner.until = self.end;
        self.record(search.name, found);
        watch::misuse().map_or(Ok(()), Err)
    }

    fn regressions(&self) -> Result<Option<Regressions>, String> {
        let file = self.settings.regressions.as_deref();
        file.map(Regressions::read).transpose()
    }

    /// Adds what was found to the file of regressions, if there is one.
    fn keep_regressions(&mut self) {
        let kept = self.regressions();
        let kept = kept.and_then(|kept| match kept {
            Some(kept) => kept.keep(&self.report.violations, self.report.seed),
            None => Ok(()),
        });
        self.report.notes.extend(kept.err());
    }

    /// Whether a clause was asked for, and is claimed, that the search can show to be broken.
    fn wants(&self, search: &Search) -> bool {
        let only = &self.settings.only;
        let mut clauses = Clause::STORE.iter().copied();
        clauses.any(|clause| {
            let is_claimed = self.runner.profile.why_unclaimed(clause).is_none();
            let is_asked_for = only.is_empty() || only.contains(&clause);
            (search.shows)(clause) && is_claimed && is_asked_for
        })
    }

    /// Records what a search came to.
    fn record(&mut self, name: &'static str, mut found: Found) {
        if !found.claim.is_empty() {
            self.report.searches.push(Searched {
                name,
                claim: std::mem::take(&mut found.claim),
                programs: found.tally.programs,
                steps: found.tally.steps,
            });
        }
        self.tally.add(&found.tally);
        self.precision.add(found.precision);
        self.failed += found.failed;
        if found.undecided > 0 {
            self.undecided.0 += found.undecided;
            let search = SEARCHES.iter().find(|search| search.name == name);
            let shows = search.map_or(Takes::is_of_histories as fn(Clause) -> bool, |one| {
                one.shows
            });
            let of_order = |clause: &Clause| shows(*clause) && *clause != Clause::Err1;
            let clauses = Clause::STORE.iter().copied();
            self.undecided.1.extend(clauses.filter(of_order));
        }
        self.deadly = found.deadly.or(self.deadly);
        if found.left_out > 0 {
            self.left_out.push((name, found.left_out));
        }
        let notes = std::mem::take(&mut found.notes);
        self.convict(name, found);
        self.report.notes.extend(notes);
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
