//! Backend: whether what is behind a remote store still answers. A server that was stopped in the midst of a
//! check is no defect of the store.

use super::erased::ErasedSubject;
use super::panics;
use crate::clock::{Clock as _, SystemClock};
use crate::conformance::program::outcome::Outcome;
use crate::model::Op;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// So often a new store is made, and asked for an id that it does not know, before its backend is gone.
const TRIES: u32 = 3;

/// All of them together take no longer than this, where they fail at once.
const WITHIN: Duration = Duration::from_secs(1);

/// The backend of a check's stores.
pub(crate) struct Backend {
    clock: SystemClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What it was asked for when it answered first.
    known_by: Option<String>,
    /// When it last answered though a call had failed; when it was found gone.
    answered: Option<Duration>,
    gone: Option<Duration>,
}

impl Backend {
    /// One that has not been asked yet.
    pub(crate) fn new() -> Self {
        Self {
            clock: SystemClock::new(),
            state: Mutex::default(),
        }
    }

    /// Asks a new store for this id, so that its backend is known to have been there.
    pub(crate) fn greet(&self, subject: &dyn ErasedSubject, id: String) {
        if answers(subject, &id) {
            self.state().known_by = Some(id);
        }
    }

    /// A call has failed: finds out whether the backend is gone. One that answered a moment ago is not asked
    /// again, unless somebody has to know.
    pub(crate) fn suspect(&self, subject: &dyn ErasedSubject, has_to_know: bool) {
        let mut state = self.state();
        let Some(id) = state.known_by.clone() else {
            return;
        };
        let since = |answered| self.clock.now().saturating_sub(answered);
        let is_recent = state
            .answered
            .is_some_and(|answered| since(answered) < WITHIN);
        if state.gone.is_some() || is_recent && !has_to_know {
            return;
        }
        let since = self.clock.now();
        match (0..TRIES).any(|number| {
            pause(number);
            answers(subject, &id)
        }) {
            true => state.answered = Some(self.clock.now()),
            false => state.gone = Some(since),
        }
    }

    /// The same, where a call has not returned: nor may this.
    pub(crate) fn suspect_hung(&self, subject: &Arc<dyn ErasedSubject>) {
        let (send, answered) = mpsc::channel();
        let Some(id) = self.state().known_by.clone() else {
            return;
        };
        let subject = Arc::clone(subject);
        thread::spawn(move || {
            panics::silence_panics_here();
            let any = (0..TRIES).any(|number| {
                pause(number);
                answers(&*subject, &id)
            });
            let _ = send.send(any);
        });
        if answered.recv_timeout(2 * WITHIN) != Ok(true) {
            let mut state = self.state();
            state.gone = state.gone.or(Some(self.clock.now()));
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone().is_some()
    }

    /// How long after the beginning of the check it was found gone.
    pub(crate) fn gone(&self) -> Option<Duration> {
        self.state().gone
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "a server may come up again")]
fn pause(number: u32) {
    if number > 0 {
        thread::sleep(WITHIN / TRIES);
    }
}

/// Whether a new store can be had, and says that it does not know this id.
fn answers(subject: &dyn ErasedSubject, id: &str) -> bool {
    let prepare = Op::Prepare { id: id.to_owned() };
    let ask = async {
        let Ok(instance) = subject.fresh().await else {
            return false;
        };
        let outcome = instance.store().call(&prepare).await;
        drop(instance);
        matches!(outcome, Outcome::Replied(_))
    };
    let asked = panics::silently(|| panics::catching(|| subject.block_on(ask)));
    asked.unwrap_or(false)
}
