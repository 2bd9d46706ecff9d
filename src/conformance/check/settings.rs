//! Settings: what was set of a check.

use crate::clause::Clause;
use crate::conformance::program::{Program, ProgramError};
use crate::conformance::search::context::Progress;
use crate::conformance::subject::profile::Profile;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What was set, and nothing where it was left alone.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) profile: Option<Profile>,
    pub(crate) sequences: Option<usize>,
    pub(crate) length: Option<usize>,
    pub(crate) depth: Option<usize>,
    /// The depth that is usual here, where none was set.
    pub(crate) usual_depth: Option<usize>,
    pub(crate) clients: Option<usize>,
    pub(crate) tick: Option<Duration>,
    pub(crate) seed: Option<u64>,
    pub(crate) patience: Option<Duration>,
    pub(crate) budget: Option<Duration>,
    pub(crate) isolate: Option<bool>,
    pub(crate) only: Vec<Clause>,
    pub(crate) replay: Option<Result<Program, ProgramError>>,
    pub(crate) regressions: Option<PathBuf>,
    pub(crate) progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}
