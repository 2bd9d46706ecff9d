//! Supervise: a check on a thread of its own, which is left behind when the store hangs.

use super::Settings;
use super::isolate::{self, Role};
use super::run::{Run, violation};
use crate::clause::Clause;
use crate::conformance::explain::diagnose::Diagnosis;
use crate::conformance::explain::hang;
use crate::conformance::judge::coverage::Tally;
use crate::conformance::judge::timed::Precision;
use crate::conformance::program::Time;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::nanos;
use crate::conformance::report::{Report, Violation};
use crate::conformance::search::scenario::Scenario;
use crate::conformance::subject::erased::AnySubject;
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::watch::{Hung, Running as _, Watch, Watcher};
use crate::conformance::subject::workers;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a call may take, unless told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a check, on a thread that can be left behind when the store hangs.
pub(crate) fn run(subject: &Arc<dyn AnySubject>, settings: &Settings) -> Report {
    let report = supervised(subject, settings);
    isolate::concluded(&report.verdict);
    report
}

/// Whether another process is wanted: unless told, not for a subject, which may have a server.
fn isolate(subject: &Arc<dyn AnySubject>, settings: &Settings) -> Option<bool> {
    let left_to_us = subject.make().is_some();
    settings.isolate.or((!left_to_us).then_some(false))
}

/// In the other process: the programs that it was started for.
fn errand(subject: &Arc<dyn AnySubject>, settings: &Settings) -> ! {
    let profile = profile(&**subject, settings);
    let nobody = Mutex::default();
    let run = Run::new(&**subject, settings, &profile, &nobody);
    isolate::errand(|program| drop(run.searcher.runner(program.ops())(program.ops())))
}

fn supervised(subject: &Arc<dyn AnySubject>, settings: &Settings) -> Report {
    /// How often to look whether a call hangs.
    const LOOK: Duration = Duration::from_millis(50);
    let patience = settings.patience.unwrap_or(PATIENCE);
    let isolation = match Role::of(subject.name(), isolate(subject, settings), patience) {
        Role::Check(isolation) => isolation,
        Role::Aside(report) => return *report,
        Role::Errand => errand(subject, settings),
    };
    let (watch, so_far) = (Arc::<Watch>::default(), Arc::<Mutex<SoFar>>::default());
    let (ends, end_of_kit) = mpsc::channel::<()>();
    let kit = workers::roomy().spawn({
        let (subject, settings) = (Arc::clone(subject), settings.clone());
        let (watch, so_far) = (Arc::clone(&watch), Arc::clone(&so_far));
        move || {
            let _ends = ends;
            watch.enter();
            let profile = profile(&*subject, &settings);
            let run = Run::new(&*subject, &settings, &profile, &so_far).isolating(isolation);
            run.finish()
        }
    });
    let kit = kit.expect("a thread can be had");
    let mut watcher = Watcher::new(Arc::clone(&watch), LOOK);
    loop {
        if end_of_kit.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            let report = kit.join();
            return report.unwrap_or_else(|panic| panic::resume_unwind(panic));
        }
        if let Some(hung) = watcher.hung(patience) {
            watch.stop();
            let so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
            return end(subject, settings, so_far.clone(), &hung, patience);
        }
    }
}

/// The report of a check that ended at a call that did not return.
fn end(
    subject: &Arc<dyn AnySubject>,
    settings: &Settings,
    so_far: SoFar,
    hung: &Hung,
    patience: Duration,
) -> Report {
    let (profile, nobody) = (profile(&**subject, settings), Mutex::default());
    let run = Run::new(&**subject, settings, &profile, &nobody);
    let tick = run.searcher.tick;
    let violation = if let Some(scenario) = &hung.scenario {
        let reduced = hang::reduce(subject, &profile, tick, scenario, patience);
        of_scenario(scenario, reduced.as_ref(), so_far.search, patience)
    } else {
        let failing = hang::shrink(subject, &profile, tick, &hung.ops, patience);
        let diagnosis = Diagnosis::of(&failing, tick, None, None);
        violation(failing, so_far.search, 0, Some(diagnosis))
    };
    run.end(so_far, violation)
}

/// A call that overlaps others, or comes after a cancelled one, did not return; nothing `reduced` where
/// it did when it was made again.
fn of_scenario(
    scenario: &Scenario,
    reduced: Option<&Scenario>,
    search: &'static str,
    patience: Duration,
) -> Violation {
    let got = Outcome::Hung(patience);
    let repeats = reduced.is_some();
    let last = repeats.then_some(&got);
    let scenario = reduced.unwrap_or(scenario);
    let is_cancelling = scenario.is_cancelling();
    Violation {
        clause: match is_cancelling {
            true => Clause::Can1,
            false => Clause::Err1,
        },
        because: format!(
            "a call did not return within {}, though it returns when one client calls at a time{}",
            Time(nanos(patience)),
            match is_cancelling {
                true => " and no call is cancelled",
                false => "",
            }
        ),
        program: scenario.ops(0).into(),
        expected: None,
        near_miss: None,
        refused_ids: Vec::new(),
        history: Some(scenario.lines(last)),
        search,
        after: 0,
        repeats,
        otherwise: Vec::new(),
        got,
    }
}

fn profile(subject: &dyn AnySubject, settings: &Settings) -> Profile {
    let told = settings.profile.clone();
    told.unwrap_or_else(|| subject.profile())
}

/// What a check knows while it goes on.
#[derive(Clone, Default)]
pub(crate) struct SoFar {
    /// The search under way.
    pub(crate) search: &'static str,
    pub(crate) tally: Tally,
    pub(crate) precision: Precision,
    pub(crate) restarts: bool,
    pub(crate) report: Option<Report>,
}
