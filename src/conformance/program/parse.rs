//! Parse: a program's text into operations, with errors that show the place.

mod blocks;
mod cursor;
mod error;
mod operation;

use super::shape::Call;
use super::{Program, VERSIONS};
use cursor::{Cursor, Wrong, wrong};
use std::str::FromStr;

pub use error::ProgramError;

impl FromStr for Program {
    type Err = ProgramError;

    fn from_str(text: &str) -> Result<Self, ProgramError> {
        let mut cursor = Cursor {
            text,
            at: 0,
            is_s1: false,
        };
        cursor
            .program()
            .map_err(|Wrong { at, message }| ProgramError::new(text, at, message))
    }
}

/// What is accepted where a step of a program stands, in the first version and since.
const OPERATIONS: &str = "operations are `prepare ID`, `commit ID PAYLOAD ttl TIME`, `drop ID`, \
                          `advance TIME` and `restart`";
const STEPS: &str = "operations are `prepare ID`, `commit ID PAYLOAD ttl TIME`, `drop ID`, `advance TIME` \
                     and `restart`; a call is cancelled by `cancel after NUMBER polls { CALL }`, and \
                     clients are at it at once in `together { CALLS | CALLS .. }`";

impl Cursor<'_> {
    fn program(&mut self) -> Result<Program, Wrong> {
        self.version()?;
        let mut program = Program::default();
        self.skip_separators();
        while !self.rest().is_empty() {
            let expected = match self.next_word() {
                "together" => {
                    self.together(&mut program)?;
                    "expected `;` or a new line here"
                }
                "cancel" => {
                    program.push(self.cancelled()?);
                    "expected `;` or a new line here"
                }
                _ => {
                    let op = self.op(if self.is_s1 { OPERATIONS } else { STEPS })?;
                    program.push(Call {
                        op: op.clone(),
                        cancel: None,
                    });
                    if let Some(stated) = self.stated(&op)? {
                        program.state(stated);
                    }
                    "expected `;`, a new line or `-> REPLY` here"
                }
            };
            if !self.skip_separators() && !self.rest().is_empty() {
                return wrong(self.at, expected);
            }
        }
        Ok(program)
    }

    fn version(&mut self) -> Result<(), Wrong> {
        self.skip_separators();
        let start = self.at;
        let Some((version, _)) = self.rest().split_once(':') else {
            return Ok(());
        };
        let is_version = version
            .strip_prefix('s')
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if !is_version {
            return Ok(());
        }
        self.at += version.len() + 1;
        let [s1, s2] = VERSIONS;
        self.is_s1 = version == s1;
        if VERSIONS.contains(&version) {
            Ok(())
        } else {
            wrong(
                start,
                format!(
                    "programs of version {version:?} are not known here; the versions are {s1} and {s2}"
                ),
            )
        }
    }
}
