//! Check: what a user calls.
//!
//! Comes in: a subject, and what was set. Goes out: a report. It decides what is searched, in which order,
//! and what becomes of a finding; it must never look into a program to find out why it fails.
//!
//! - *searches*: the table of them, which `run` walks through.
//! - *convict*: from failing programs to clauses.
//! - *isolate*: runs what may end the process in another one.
//! - *supervise*: waits for the check on another thread, and ends it where a call hangs.
//! - *suite*: one `#[test]` a clause.

pub(crate) mod budget;
pub(crate) mod environment;
pub(crate) mod isolate;
mod misuse;
pub(crate) mod run;
pub(crate) mod searches;
pub(crate) mod settings;
mod shared;
pub(crate) mod so_far;
pub(crate) mod suite;
pub(crate) mod supervise;

use super::report::{Report, Verdict};
use super::search::context::Progress;
use super::subject::Subject;
use super::subject::erased::ErasedSubject;
use super::subject::profile::Profile;
use crate::clause::Clause;
use settings::Settings;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A check to be run; [`check`](super::check) and [`check_subject`](super::check_subject) make one.
#[must_use = "a check does nothing until `run` or `assert`"]
pub struct Check<S> {
    subject: Arc<S>,
    settings: Settings,
}

impl<S: Subject> Check<S> {
    pub(crate) fn new(subject: S) -> Self {
        Self {
            subject: Arc::new(subject),
            settings: Settings::default(),
        }
    }

    /// How many random programs to run. Unless told: 10,000 in lockstep with the model, 2,000 on a
    /// subject with a runtime or a profile of its own, 1,000 where time can only be waited for; as far as
    /// the [`budget`](Check::budget) goes.
    pub fn sequences(mut self, sequences: usize) -> Self {
        self.settings.sequences = Some(sequences);
        self
    }

    /// The most operations in a random program. Unless told: 40, or 12 where time can only be waited
    /// for.
    pub fn length(mut self, length: usize) -> Self {
        self.settings.length = Some(length);
        self
    }

    /// The most operations in a program of the exhaustive search, 7 at most; one more takes some
    /// fifteen times as long. Unless told: 5 in lockstep with the model, 4 on a subject with a
    /// runtime or a profile of its own, 3 where time can only be waited for; as far as the
    /// [`budget`](Check::budget) goes, the short ones first.
    pub fn depth(mut self, depth: usize) -> Self {
        self.settings.depth = Some(depth);
        self
    }

    /// The depth unless told, where a search has to take less.
    pub(crate) fn usual_depth(mut self, depth: usize) -> Self {
        self.settings.usual_depth = Some(depth);
        self
    }

    /// How many clients use the store at once in the concurrent search; fewer than two leave it out.
    /// Unless told: 4. How many histories of them are run follows from
    /// [`sequences`](Check::sequences).
    ///
    /// They are tasks, polled in a random order, and threads. Of these, one is held now and then at a
    /// reading of its [`ManualClock`](crate::ManualClock), for up to 50 microseconds, so that others come
    /// between what a store looks at and what it does then.
    pub fn clients(mut self, clients: usize) -> Self {
        self.settings.clients = Some(clients);
        self
    }

    /// The unit of the programs' times. Unless told: 1 s, or 40 ms where time can only be waited for,
    /// and at least twice the store's resolution, and twice what it may be early by.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.settings.tick = Some(tick);
        self
    }

    /// The seed of what is drawn. Unless told: what the environment variable `SESSION_SPEC_SEED` says, or a
    /// fresh one. The report states it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// What the store claims; unless told, what its subject says, which is everything by default.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.settings.profile = Some(profile);
        self
    }

    /// The store does not claim this clause, whatever its profile says.
    pub(crate) fn not_claiming(mut self, clause: Clause, why: &str) -> Self {
        let profile = self.settings.profile.take();
        let profile = profile.unwrap_or_else(|| self.subject.profile());
        self.profile(profile.unclaimed(clause, why))
    }

    /// Looks for this clause only, and for others that were asked for in the same way.
    pub fn only(mut self, clause: Clause) -> Self {
        self.settings.only.push(clause);
        self
    }

    /// Runs this program, and nothing else.
    pub fn replay(mut self, program: &str) -> Self {
        self.settings.replay = Some(program.parse());
        self
    }

    /// Runs the programs in this file first, and adds to it those that fail. A relative path is
    /// taken from the manifest directory of the package under test. Without this, a check writes
    /// nothing.
    pub fn regressions(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.regressions = Some(file.into());
        self
    }

    /// How long a call may take; one that has not returned by then hangs (ERR-1). Unless told: 10 s.
    ///
    /// The check ends at such a call, and leaves the thread behind that it hangs on.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = Some(patience);
        self
    }

    /// Whether what may end the process (values nested deeply, long ids) is first run in another one,
    /// so that an overflow of the stack is a finding (ERR-1). The other process is this program,
    /// started once more, and does nothing but that when it comes to this check.
    ///
    /// Unless told: yes, for a store made on a manual clock in a `#[test]`, which is started by its
    /// name, and for its first eight checks; those before must have conformed. Elsewhere no, and the
    /// report says so:
    /// with `true`, a program that is no test is started with the same arguments, and whatever it does
    /// before it comes to this check, it does once more.
    pub fn isolate(mut self, isolate: bool) -> Self {
        self.settings.isolate = Some(isolate);
        self
    }

    /// How long the check may take, for all searches and for making what they find smaller, for which a fifth
    /// is kept. A call that is under way then is waited for, by [`patience`](Check::patience). What was left
    /// out, the report says. The environment variable `SESSION_SPEC_BUDGET` (such as `30s` or `500ms`) says
    /// the same of checks that do not.
    ///
    /// Unless told: no end for a quick store in lockstep with the model, of which counts decide, so that one
    /// seed gives one report on every machine; 60 s for others. A [`depth`](Check::depth) and a number of
    /// [`sequences`](Check::sequences) that were asked for have all the time they need, unless a budget was
    /// asked for too.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.settings.budget = Some(budget);
        self
    }

    /// Has `tell` told how far the searches have come, from several threads, many times a second.
    pub fn on_progress(mut self, tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.settings.progress = Some(Arc::new(tell));
        self
    }

    /// Runs the check and panics with the report unless the store conforms; where it does, the verdict and
    /// the notes are printed, which the test runner shows on request.
    ///
    /// # Panics
    /// When a clause is broken, when nothing was decided, and when the check was misused.
    #[track_caller]
    pub fn assert(&self) {
        let report = self.run();
        assert!(report.verdict == Verdict::Conforms, "{report}");
        for note in &report.notes {
            println!("note: {note}");
        }
        println!("{}", report.verdict_line());
    }

    /// Runs the check.
    pub fn run(&self) -> Report {
        let subject: Arc<dyn ErasedSubject> = Arc::new(Arc::clone(&self.subject));
        match environment::fill(&self.settings) {
            Ok(settings) => supervise::run(&subject, &settings),
            Err(reason) => Report {
                verdict: Verdict::Misused(reason),
                ..Report::of_nothing()
            },
        }
    }
}

impl<S> fmt::Debug for Check<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        f.debug_struct("Check")
            .field("profile", &settings.profile)
            .field("sequences", &settings.sequences)
            .field("length", &settings.length)
            .field("depth", &settings.depth)
            .field("clients", &settings.clients)
            .field("tick", &settings.tick)
            .field("seed", &settings.seed)
            .field("only", &settings.only)
            .finish_non_exhaustive()
    }
}
