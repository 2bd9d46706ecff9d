//! Run: a check under way, and what comes of it.

use super::check::Settings;
use super::concurrent::{self, Concurrent};
use super::coverage::Tally;
use super::diagnose::{self, Diagnosis, Probe};
use super::exec::Outcome;
use super::exhaust::{self, Scope};
use super::findings::{self, CANCELLED, CONCURRENT, STORE_CLAUSES};
use super::hang;
use super::lockstep::Symptom;
use super::profile::{Profile, nanos};
use super::program::Time;
use super::regressions::Regressions;
use super::report::{self, Finding, Report, Searched, Verdict, Violation};
use super::search::{self, Caught, Progress, Search, Searcher};
use super::shrink::{self, Failing};
use super::subject::{Passing, Subject};
use super::timed::Precision;
use super::watch::{Hung, Watch, Watcher};
use super::workers;
use crate::clause::Clause;
use rand::TryRng as _;
use std::collections::BTreeSet;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How much is searched.
struct Budget {
    depth: usize,
    sequences: usize,
    length: usize,
    clients: usize,
}

/// The most random programs that one check runs.
const MOST_SEQUENCES: usize = 1_000_000_000;

/// How many clients use the store at once, unless told; and the most that can.
const CLIENTS: usize = 4;
const MOST_CLIENTS: usize = 32;

/// The most operations that a random program can have.
const LONGEST: usize = 100_000;

/// How long a call may take, unless told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a check, on a thread that can be left behind when the store hangs.
pub(super) fn run<S: Subject>(subject: &Arc<S>, settings: &Settings) -> Report {
    /// How often to look whether a call hangs.
    const LOOK: Duration = Duration::from_millis(50);
    let (watch, so_far) = (Arc::<Watch>::default(), Arc::<Mutex<SoFar>>::default());
    let (send, receive) = mpsc::channel();
    let kit = thread::spawn({
        let (subject, settings) = (Arc::clone(subject), settings.clone());
        let (watch, so_far) = (Arc::clone(&watch), Arc::clone(&so_far));
        move || {
            watch.enter();
            let profile = profile(&*subject, &settings);
            let run = Run::new(&*subject, &settings, &profile, &so_far);
            // Nobody listens any more when something hung.
            let _ = send.send(run.finish());
        }
    });
    let patience = settings.patience.unwrap_or(PATIENCE);
    let mut watcher = Watcher::new(Arc::clone(&watch));
    loop {
        match receive.recv_timeout(LOOK) {
            Ok(report) => return report,
            Err(RecvTimeoutError::Disconnected) => match kit.join() {
                Err(panic) => panic::resume_unwind(panic),
                Ok(()) => unreachable!("the thread ends with a report"),
            },
            Err(RecvTimeoutError::Timeout) => {
                let Some(hung) = watcher.hung(patience) else {
                    continue;
                };
                watch.stop();
                let so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
                return end(subject, settings, so_far.clone(), &hung, patience);
            }
        }
    }
}

/// The report of a check that ended at a call that did not return.
fn end<S: Subject>(
    subject: &Arc<S>,
    settings: &Settings,
    so_far: SoFar,
    hung: &Hung,
    patience: Duration,
) -> Report {
    let (profile, nobody) = (profile(&**subject, settings), Mutex::default());
    let mut run = Run::new(&**subject, settings, &profile, &nobody);
    run.tally = so_far.tally;
    run.precision = so_far.precision;
    run.report = so_far.report.unwrap_or(run.report);
    let tick = run.searcher.tick;
    let violation = if let Some(history) = &hung.history {
        Violation {
            clause: match so_far.search {
                "cancelled" => Clause::Can1,
                _ => Clause::Con1,
            },
            because: format!(
                "a call did not return within {}, which it does when one client calls at a time and \
                 no call is cancelled",
                Time(nanos(patience))
            ),
            program: hung.ops.clone().into(),
            expected: None,
            got: Outcome::Hung(patience),
            near_miss: None,
            history: Some(history.clone()),
            search: so_far.search,
            after: 0,
            repeats: false,
        }
    } else {
        let failing = hang::shrink(subject, &profile, tick, &hung.ops, patience);
        let diagnosis = Diagnosis::of(&failing, tick, None);
        violation(failing, so_far.search, 0, Some(diagnosis))
    };
    run.keep(violation);
    run.report.notes.push(format!(
        "the check ended at that call, in the {} search; what was not searched by then is not said \
         here",
        so_far.search
    ));
    run.conclude()
}

fn profile<S: Subject>(subject: &S, settings: &Settings) -> Profile {
    let told = settings.profile.clone();
    told.unwrap_or_else(|| subject.profile())
}

/// What a check knows while it goes on.
#[derive(Clone, Default)]
struct SoFar {
    /// The search under way.
    search: &'static str,
    tally: Tally,
    precision: Precision,
    report: Option<Report>,
}

/// A check under way.
struct Run<'a, S> {
    settings: &'a Settings,
    searcher: Searcher<'a, S>,
    so_far: &'a Mutex<SoFar>,
    tally: Tally,
    precision: Precision,
    /// Of all failures that were shrunk.
    symptoms: BTreeSet<Symptom>,
    /// Histories that could not be judged, and calls in them that failed with an error.
    undecided: u64,
    failed: u64,
    report: Report,
}

impl<'a, S: Subject> Run<'a, S> {
    fn new(
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
            },
            so_far,
            tally: Tally::default(),
            precision: Precision::default(),
            symptoms: BTreeSet::new(),
            undecided: 0,
            failed: 0,
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

    /// Tells what is known so far, and which search comes next.
    fn publish(&self, search: &'static str) {
        *self.so_far.lock().unwrap_or_else(PoisonError::into_inner) = SoFar {
            search,
            tally: self.tally.clone(),
            precision: self.precision,
            report: Some(self.report.clone()),
        };
    }

    fn finish(mut self) -> Report {
        if let Err(reason) = self.search() {
            self.report.verdict = Verdict::Misused(reason);
            return self.report;
        }
        self.conclude()
    }

    fn conclude(mut self) -> Report {
        self.note();
        self.report.clauses = Finding::all(
            &self.tally,
            &self.report.violations,
            self.searcher.profile,
            &self.settings.only,
        );
        self.report.verdict = findings::conclusion(&self.report);
        self.report
    }

    fn search(&mut self) -> Result<(), String> {
        let check = self.settings;
        let budget = self.budget();
        self.validate(&budget)?;
        let progress = |progress| {
            if let Some(tell) = &check.progress {
                tell(progress);
            }
        };
        if let Some(replay) = &check.replay {
            let program = replay.clone().map_err(|error| error.to_string())?;
            self.publish("replay");
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
            self.publish("regressions");
            let search = self.searcher.given(&kept.programs)?;
            self.take(
                "regressions",
                "{programs} programs that failed once".to_owned(),
                search,
            );
        }
        let sequential = self.wants(|clause| !is_of_histories(clause));
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
        if sequential && budget.sequences > 0 {
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
        if budget.sequences > 0 {
            self.histories(&budget, &progress)?;
        }
        if let Some(kept) = &kept {
            let kept = kept.keep(&self.report.violations, self.report.seed);
            self.report.notes.extend(kept.err());
        }
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
            self.take_histories("concurrent", claim, found);
        }
        if self.wants(|clause| CANCELLED.contains(&clause)) {
            self.publish("cancelled");
            let found = self.searcher.cancelled()?;
            let claim = "{programs} histories in which one call is cancelled, after every number of \
                         polls up to where it returns";
            self.take_histories("cancelled", claim.to_owned(), found);
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

    fn take_histories(&mut self, name: &'static str, claim: String, found: Concurrent) {
        let mut search = Search {
            tally: found.tally,
            ..Search::default()
        };
        self.undecided += found.undecided;
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

    fn budget(&self) -> Budget {
        let (depth, sequences, length) = match Searcher::<S>::PASSING {
            _ if self.searcher.is_in_lockstep() => (5, 10_000, 40),
            Passing::Waiting => (3, 1_000, 12),
            _ => (4, 2_000, 40),
        };
        Budget {
            depth: self.settings.depth.unwrap_or(depth),
            sequences: self.settings.sequences.unwrap_or(sequences),
            clients: self.settings.clients.unwrap_or(CLIENTS),
            length: self.settings.length.unwrap_or(length),
        }
    }

    fn supports_any_value(&self) -> bool {
        self.searcher.profile.depth.is_none() && self.searcher.profile.size.is_none()
    }

    fn validate(&self, budget: &Budget) -> Result<(), String> {
        let check = self.settings;
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
        if budget.clients > MOST_CLIENTS {
            return Err(format!("the most clients at once are {MOST_CLIENTS}"));
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
        self.symptoms.extend(search.caught.keys());
        let caught: Vec<Caught> = search.caught.into_values().collect();
        let tick = self.searcher.tick;
        let violations = workers::each(caught.len(), |index| {
            let Caught {
                ops,
                failure,
                after,
            } = &caught[index];
            let run = self.searcher.runner(ops);
            let shrunk = shrink::shrink(ops.clone(), tick, &run);
            let probe = self.searcher.is_in_lockstep().then_some(&run as Probe<'_>);
            let repeats = shrunk.is_some();
            let failing = shrunk.unwrap_or_else(|| Failing {
                ops: ops.clone(),
                failure: failure.clone(),
            });
            let diagnosis = repeats.then(|| Diagnosis::of(&failing, tick, probe));
            violation(failing, name, *after, diagnosis)
        });
        for violation in violations {
            self.keep(violation);
        }
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
        if self.undecided > 0 {
            note(format!(
                "{} histories are undecided: too many orders might explain them",
                count(self.undecided)
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

fn is_of_histories(clause: Clause) -> bool {
    CONCURRENT.contains(&clause) || CANCELLED.contains(&clause)
}

/// What a failing program shows; of one that did not fail again, nothing says what in it matters.
fn violation(
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
        because: diagnose::because(&failing),
        near_miss,
        program: failing.ops.into(),
        expected: Some(failing.failure.expected.reply),
        got: failing.failure.outcome,
        history: None,
        search,
        after,
        repeats,
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
