//! Scene: a program on one store, while some of its clients are threads.

use super::client::World;
use super::tasks::{self, Rest};
use super::underway::Underway;
use crate::conformance::judge::history::{Course, Record};
use crate::conformance::program::Program;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::shape::Together;
use crate::conformance::subject::erased::{ErasedSubject, Instance};
use crate::conformance::subject::panics;
use crate::store::BoxError;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A program on one store.
pub(super) struct Scene {
    pub(super) program: Program,
    pub(super) instance: Box<dyn Instance>,
    pub(super) course: Course,
    pub(super) underway: Arc<Underway>,
    pub(super) records: Mutex<Result<Vec<Record>, BoxError>>,
}

impl Scene {
    pub(super) fn world(&self) -> World<'_> {
        World {
            program: &self.program,
            instance: &*self.instance,
            course: &self.course,
        }
    }

    /// The operations in these places, while nobody else calls. Says whether the program goes on.
    pub(super) fn alone(&self, places: Range<usize>, subject: &dyn ErasedSubject) -> bool {
        if places.is_empty() {
            return true;
        }
        let mut goes_on = true;
        let run = panics::catching(|| {
            subject.block_on(async {
                let mut records = Vec::new();
                for at in places {
                    goes_on = self.world().one(at, &mut records).await?;
                    if !goes_on {
                        break;
                    }
                }
                Ok(records)
            })
        });
        self.note(run);
        goes_on
    }

    /// Clients that are tasks.
    pub(super) fn tasks(
        &self,
        clients: &[Range<usize>],
        together: &Together,
        rng: &mut Rng,
        subject: &dyn ErasedSubject,
    ) {
        let run = panics::catching(|| {
            let world = self.world();
            let mut rest = Rest::Drawn(rng);
            subject.block_on(tasks::together(
                &world,
                clients,
                together,
                &mut rest,
                &self.underway,
            ))
        });
        self.note(run);
    }

    pub(super) fn note(&self, run: Result<Result<Vec<Record>, BoxError>, String>) {
        let theirs = run.unwrap_or_else(|_| Ok(Vec::new()));
        let mut records = lock(&self.records);
        match (&mut *records, theirs) {
            (Ok(all), Ok(theirs)) => all.extend(theirs),
            (Ok(_), Err(error)) => *records = Err(error),
            (Err(_), _) => {}
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
