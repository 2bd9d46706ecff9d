//! Regressions: programs that failed once, kept in a file and run first from then on.

use super::Violation;
use crate::conformance::program::Program;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file of programs, one a line; `#` starts a comment.
pub(crate) struct Regressions {
    path: PathBuf,
    pub(crate) programs: Vec<Program>,
}

const HEADER: &str = "\
# Programs that a store once failed. They run before anything else is searched.
# One a line, in the text form of session_spec::conformance::Program. Keep this file.
";

impl Regressions {
    /// Reads the file, which need not exist. A relative path is taken from the manifest directory of
    /// the package under test, which cargo tells; without cargo, from the working directory.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let root = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let path = root.unwrap_or_default().join(path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let mut programs = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let program: Program = line
                .parse()
                .map_err(|error| format!("{}:{}: {error}", path.display(), index + 1))?;
            if !program.ops().is_empty() {
                programs.push(program);
            }
        }
        Ok(Self { path, programs })
    }

    /// Adds what was found, but for what is there already.
    pub(crate) fn keep(&self, found: &[Violation], seed: u64) -> Result<(), String> {
        let mut text = String::new();
        for violation in found {
            let is_known = |known: &Program| match violation.program.is_sequential() {
                // What a program states of its replies is no part of it.
                true => known.is_sequential() && known.ops() == violation.program.ops(),
                false => *known == violation.program,
            };
            if self.programs.iter().any(is_known) {
                continue;
            }
            text += &format!(
                "# {} broken, seed {seed}\n{}\n",
                violation.clause, violation.program
            );
        }
        if text.is_empty() {
            return Ok(());
        }
        self.append(&text)
            .map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }

    fn append(&self, text: &str) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(HEADER.as_bytes())?;
        }
        file.write_all(text.as_bytes())
    }
}
