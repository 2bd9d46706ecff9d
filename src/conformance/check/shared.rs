//! Shared: one search for all tests of a suite in a run of nextest, in which each test is a process of its own.

use crate::clause::Clause;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, io};

/// Why the test of a clause fails; nothing stands there for those that pass.
pub(super) type Failures = BTreeMap<Clause, String>;

/// In front of the name of every file.
const PREFIX: &str = "session-spec-suite-";

/// The run of nextest that this process is a test of, if it is; empty, where it has no name.
pub(super) fn run_id() -> Option<OsString> {
    let is_alone = env::var("NEXTEST_EXECUTION_MODE").is_ok_and(|mode| mode == "process-per-test");
    is_alone.then(|| env::var_os("NEXTEST_RUN_ID").unwrap_or_default())
}

/// What is known of a suite when one of its tests begins.
pub(super) enum Known {
    /// What its tests come to: another process of the run has made the search.
    All(Failures),
    /// Nothing: this process makes it, while the others wait.
    Nothing(Turn),
}

/// The others wait until this goes, or its process ends.
pub(super) struct Turn {
    file: PathBuf,
    _lock: File,
}

/// Waits while another process of the run makes the search of this suite.
///
/// # Errors
/// Where the run has no name, or the folder for temporary files cannot be written to.
pub(super) fn enter(run: &OsStr, suite: &str) -> io::Result<Known> {
    if run.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = file_of(run, suite)?;
    let lock = File::create(file.with_extension("lock"))?;
    lock.lock()?;
    Ok(match fs::read(&file) {
        Ok(known) => Known::All(serde_json::from_slice(&known)?),
        Err(_) => Known::Nothing(Turn { file, _lock: lock }),
    })
}

impl Turn {
    /// Leaves for the others what the tests come to. If that does not work, the next of them makes the search
    /// again.
    pub(super) fn leave(self, failures: &Failures) {
        remove_old(&env::temp_dir());
        // Whole or not at all.
        let unfinished = self.file.with_extension("new");
        let text = serde_json::to_vec(failures).unwrap_or_default();
        let _ = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, &self.file));
    }
}

fn file_of(run: &OsStr, suite: &str) -> io::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (run, env::current_exe()?, suite).hash(&mut hasher);
    let name = format!("{PREFIX}{:016x}.json", hasher.finish());
    Ok(env::temp_dir().join(name))
}

/// Removes files of runs that have ended long ago; that some cannot be removed does not matter.
fn remove_old(folder: &Path) {
    const OLD: Duration = Duration::from_secs(86_400);
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = files.filter(|file| file.file_name().to_string_lossy().starts_with(PREFIX));
    for file in ours {
        let modified = file.metadata().and_then(|it| it.modified());
        let age = modified.map(|modified| modified.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > OLD) {
            let _ = fs::remove_file(file.path());
        }
    }
}
