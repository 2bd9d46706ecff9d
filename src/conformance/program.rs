//! Programs: sequences of operations, and their text form.

pub(crate) mod corpus;
pub(crate) mod cuts;
pub(crate) mod dice;
pub(crate) mod edits;
pub(crate) mod fewer;
pub(crate) mod generate;
pub(crate) mod hostile;
pub(crate) mod ids;
pub(crate) mod outcome;
pub(crate) mod payload;
pub(crate) mod supported;
pub(crate) mod time;
pub(crate) mod trace;
pub(crate) mod values;

mod parse;
mod write;

use crate::constraint::Constraint;
use crate::model::{Expected, Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use std::fmt;
use std::str::FromStr;

pub use parse::ProgramError;
pub(crate) use write::{Id, Operation, Outcome as OutcomeText, Payload, ReplyText, Time, ascii};

/// A sequence of operations, with a text form. `FromStr` reads it; `Display` writes it on one line,
/// so that it can be pasted into `session-spec replay '..'`.
///
/// ```text
/// s1: commit A v1 ttl 1s; advance 999.999999ms; prepare A -> v1
/// ```
///
/// Operations stand one to a line or behind one another with `;`. The `s1:` in front is the form's
/// version; it may be left out. `#` starts a comment that ends with its line.
///
/// | what | how |
/// |---|---|
/// | operation | `prepare ID`, `commit ID PAYLOAD ttl TIME`, `commit nil ttl TIME`, `drop ID`, `advance TIME`, `restart` |
/// | `ID` | a base58 letter, which stands for the token of 32 such letters; or a JSON string; `*N` behind either repeats it, `+` joins two |
/// | `PAYLOAD` | `v0`, `v1`, .. for small ones that differ in every part; or the snapshot's wire form without its id, in which strings may be repeated and joined as ids are |
/// | `TIME` | a decimal number and `ns`, `us`, `ms` or `s`; or `max`, the longest `Duration` |
/// | `-> REPLY` | behind an operation: what it must reply. A `PAYLOAD`, `nothing`, `done`, `refused`, or `refused` with the constraint, such as `refused empty-id` |
///
/// ```
/// use session_spec::conformance::Program;
///
/// let program: Program = "commit A v1 ttl 1s; drop A; prepare A -> nothing".parse()?;
/// assert_eq!(program.ops().len(), 3);
/// assert_eq!(
///     program.to_string(),
///     "s1: commit A v1 ttl 1s; drop A; prepare A -> nothing"
/// );
/// # Ok::<(), session_spec::conformance::ProgramError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Program {
    ops: Vec<Op>,
    /// What the text says of the replies, as far as it does: by operation, in their order.
    stated: Vec<(usize, Stated)>,
}

/// A reply as a program states it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stated {
    /// This very reply.
    Reply(Reply),
    /// A refusal, whatever the constraint.
    AnyRefusal,
}

impl Stated {
    /// Whether the contract allows what is stated, at a step where it wants `expected`.
    pub fn admitted_by(&self, expected: &Expected) -> bool {
        match self {
            Self::Reply(reply) => expected.admits(reply),
            Self::AnyRefusal => matches!(expected.reply, Reply::Refused(_)),
        }
    }
}

impl Program {
    /// The operations.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// What the program states that operation `index` must reply.
    pub fn stated(&self, index: usize) -> Option<&Stated> {
        let (_, stated) = self.stated.iter().find(|(at, _)| *at == index)?;
        Some(stated)
    }

    /// Whether it has a restart in it, which takes a [`Subject`](super::Subject) that can do so.
    pub fn has_restart(&self) -> bool {
        self.ops.contains(&Op::Restart)
    }

    /// Whether a Rust store can be handed all of it: Rust has no nil snapshot and no negative
    /// duration, and its clocks end at [`Duration::MAX`](std::time::Duration::MAX).
    pub fn is_expressible(&self) -> bool {
        let advances = self.ops.iter().map(|op| match op {
            Op::Advance { by } => (*by).max(0),
            _ => 0,
        });
        self.ops.iter().all(time::expressible)
            && advances.fold(0, Nanos::saturating_add) <= time::CLOCK_END
    }
}

impl From<Vec<Op>> for Program {
    fn from(ops: Vec<Op>) -> Self {
        Self {
            ops,
            stated: Vec::new(),
        }
    }
}

impl FromStr for Program {
    type Err = ProgramError;

    fn from_str(text: &str) -> Result<Self, ProgramError> {
        parse::program(text)
    }
}

/// The program, as text. Its ids are a test's, not secrets.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The constraints a program's text can name.
pub(crate) const CONSTRAINTS: [(&str, Constraint); 4] = [
    ("nil-snapshot", Constraint::NilSnapshot),
    ("empty-id", Constraint::EmptyId),
    ("ttl-not-positive", Constraint::TtlNotPositive),
    ("unsupported-id", Constraint::UnsupportedId),
];

/// The `Duration` that `max` stands for.
const MAX: Nanos = time::CLOCK_END;

/// Units of time, longest first.
const UNITS: [(&str, Nanos); 4] = [
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The only version there is. One more operation takes no new one: a reader that does not know it
/// says so, and all others keep their meaning.
const VERSION: &str = "s1";

/// Characters of the token that a single letter stands for.
const LETTER_REPEATS: usize = crate::token::LEN;

fn numbered(number: u64, id: &str) -> Snapshot {
    payload::numbered(number, id)
}

#[cfg(test)]
mod tests;
