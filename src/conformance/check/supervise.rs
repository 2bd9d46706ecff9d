//! Supervise: a check on a thread of its own, which is left behind when the store hangs.

use super::isolate::{self, Role};
use super::misuse;
use super::run::Run;
use super::settings::Settings;
use super::so_far::SoFar;
use crate::conformance::explain::diagnose::{self, Diagnosis};
use crate::conformance::explain::hang::Hanging;
use crate::conformance::judge::failure::{Failing, Failure};
use crate::conformance::judge::runner::Runner;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::nanos;
use crate::conformance::program::{Program, Time};
use crate::conformance::report::{Report, Verdict, Violation};
use crate::conformance::subject::backend::Backend;
use crate::conformance::subject::erased::ErasedSubject;
use crate::conformance::subject::panics::{self, Fault};
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::watch::{Watch, Watcher};
use crate::conformance::subject::workers;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a call may take, unless told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a check, on a thread that can be left behind when the store hangs.
pub(crate) fn run(subject: &Arc<dyn ErasedSubject>, settings: &Settings) -> Report {
    let report = supervised(subject, settings);
    isolate::concluded(&report.verdict);
    report
}

/// Whether another process is wanted: unless told, not for a subject, which may have a server.
fn isolate(subject: &Arc<dyn ErasedSubject>, settings: &Settings) -> Option<bool> {
    let left_to_us = subject.make().is_some();
    settings.isolate.or((!left_to_us).then_some(false))
}

/// In the other process: the programs that it was started for.
fn errand(subject: &Arc<dyn ErasedSubject>, settings: &Settings) -> ! {
    let profile = profile(&**subject, settings);
    let nobody = Mutex::default();
    let run = Run::new(&**subject, settings, &profile, &nobody);
    isolate::errand(|program| run.on_errand(program))
}

fn supervised(subject: &Arc<dyn ErasedSubject>, settings: &Settings) -> Report {
    /// How often to look whether a call hangs.
    const LOOK: Duration = Duration::from_millis(50);
    let patience = settings.patience.unwrap_or(PATIENCE);
    let isolation = match Role::of(subject.name(), isolate(subject, settings), patience) {
        Role::Check(isolation) => isolation,
        Role::Aside(report) => return *report,
        Role::Errand => errand(subject, settings),
    };
    let (watch, so_far) = (Arc::<Watch>::default(), Arc::<Mutex<SoFar>>::default());
    let backend = Arc::new(Backend::new());
    let (ends, end_of_kit) = mpsc::channel::<()>();
    let kit = workers::roomy().spawn({
        let (subject, settings) = (Arc::clone(subject), settings.clone());
        let (watch, so_far) = (Arc::clone(&watch), Arc::clone(&so_far));
        let backend = Arc::clone(&backend);
        move || {
            let _ends = ends;
            watch.enter();
            let profile = profile(&*subject, &settings);
            if let Some(reason) = misuse::why(&settings, &profile) {
                return Report {
                    verdict: Verdict::Misused(reason),
                    ..Report::of_nothing()
                };
            }
            let run = Run::new(&*subject, &settings, &profile, &so_far);
            let run = run.isolating(isolation).watching(&backend);
            panics::with_place(|| panics::silently(|| run.finish()))
        }
    });
    let kit = kit.expect("a thread can be had");
    let mut watcher = Watcher::new(Arc::clone(&watch), LOOK);
    loop {
        if end_of_kit.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
            return kit.join().unwrap_or_else(|payload| {
                if let Some(reason) = watch.misuse() {
                    return Report {
                        verdict: Verdict::Misused(reason),
                        ..Report::of_nothing()
                    };
                }
                let Fault(fault) = Fault::of(payload);
                let so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
                at_fault(subject, settings, so_far.clone(), &fault)
            });
        }
        if let Some(hung) = watcher.hung(patience) {
            watch.stop();
            let so_far = so_far.lock().unwrap_or_else(PoisonError::into_inner);
            return end(
                subject,
                settings,
                so_far.clone(),
                &hung,
                (patience, &backend),
            );
        }
    }
}

/// The report of a check that ended at a panic of its own, with what was known by then.
fn at_fault(
    subject: &Arc<dyn ErasedSubject>,
    settings: &Settings,
    so_far: SoFar,
    fault: &str,
) -> Report {
    let fault = format!(
        "a fault of session-spec, and not of the store: it panicked in the {} search: {fault}",
        so_far.search
    );
    let known = panics::catching(|| {
        let (profile, nobody) = (profile(&**subject, settings), Mutex::default());
        Run::new(&**subject, settings, &profile, &nobody).at_fault(so_far, fault.clone())
    });
    known.unwrap_or_else(|_| Report {
        verdict: Verdict::Undecided(fault),
        ..Report::of_nothing()
    })
}

/// The report of a check that ended at a call that did not return.
fn end(
    subject: &Arc<dyn ErasedSubject>,
    settings: &Settings,
    so_far: SoFar,
    hung: &Program,
    (patience, backend): (Duration, &Backend),
) -> Report {
    let (profile, nobody) = (profile(&**subject, settings), Mutex::default());
    let run = Run::new(&**subject, settings, &profile, &nobody).watching(backend);
    if run.runner.backend.is_some() {
        backend.suspect_hung(subject);
        if backend.is_gone() {
            return run.end_without(so_far);
        }
    }
    let hanging = Hanging {
        subject,
        profile: &profile,
        tick: run.runner.tick,
        patience,
    };
    let smallest = hanging.smallest(hung);
    let violation = violation(hung, smallest, &run.runner, so_far.search, patience);
    run.end(so_far, violation)
}

/// A call did not return; nothing is `smallest` where it did when it was made again.
fn violation(
    hung: &Program,
    smallest: Option<Program>,
    runner: &Runner<'_>,
    search: &'static str,
    patience: Duration,
) -> Violation {
    let repeats = smallest.is_some();
    let program = smallest.unwrap_or_else(|| hung.clone());
    let got = Outcome::Hung(patience);
    if program.is_sequential() {
        let ops = program.ops().to_vec();
        let failure = Failure::of_last(&ops, got);
        let failing = Failing { ops, failure };
        let diagnosis = Diagnosis::of(&failing, runner.tick, None, None);
        return diagnose::violation(failing, search, 0, Some(diagnosis).filter(|_| repeats));
    }
    let without = match program.is_cancelling() {
        true => " and no call is cancelled",
        false => "",
    };
    let because = format!(
        "a call did not return within {}, though it returns when one client calls at a time{without}",
        Time(nanos(patience)),
    );
    Violation::of_hang(program, because, got, search, repeats)
}

fn profile(subject: &dyn ErasedSubject, settings: &Settings) -> Profile {
    let told = settings.profile.clone();
    told.unwrap_or_else(|| subject.profile())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::subject::Factory;
    use crate::memstore::MemStore;

    #[test]
    fn a_fault_of_the_kit_is_never_the_stores() {
        let subject: Arc<dyn ErasedSubject> = Arc::new(Arc::new(Factory(MemStore::with_clock)));
        let settings = Settings::default();
        let fault = |so_far| at_fault(&subject, &settings, so_far, "it broke (at a line)");
        let nothing = SoFar {
            search: "random",
            ..SoFar::default()
        };
        let told = "a fault of session-spec, and not of the store: it panicked in the random search: it \
                    broke (at a line)";
        let report = fault(nothing);
        assert_eq!(
            report.verdict,
            Verdict::Undecided(told.to_owned()),
            "{report}"
        );
    }
}
