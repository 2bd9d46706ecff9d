//! Program: the language of all that the kit runs, keeps, prints, shrinks and runs again.
//!
//! Comes in: text, or random numbers. Goes out: a [`Program`], and text. It must never know a store, a
//! clock that goes, or what was answered by anybody but the model.
//!
//! - *program*: operations, one after another or of several clients at once, with their schedule.
//! - *operation*: a call to a store, time that passes, or a restart.
//! - *payload*: what a commit writes, apart from the id; `v1`, `v2`, .. are small ones.
//! - *shape*: which operations several clients do at once, and which calls are cancelled.
//! - *schedule*: in which order tasks are polled, and where a thread is held.
//! - *corpus*: values that some format is known to take for others, to cut or to lose.
//! - *hostile ids*: pairs that a careless store takes for one another.
//! - *mutation*: a snapshot as a request changes it between two commits.
//! - *rng*: random numbers from a seed.
//! - *trace*: a program with the replies that the contract admits at every step.
//! - *outline*: a program in a few lines for people.

pub(crate) mod corpus;
pub(crate) mod cuts;
pub(crate) mod fewer;
pub(crate) mod generate;
pub(crate) mod hostile;
pub(crate) mod ids;
pub(crate) mod mutation;
pub(crate) mod outcome;
pub(crate) mod outline;
pub(crate) mod overlapping;
pub(crate) mod payload;
pub(crate) mod plans;
pub(crate) mod rng;
pub(crate) mod supported;
pub(crate) mod time;
pub(crate) mod trace;
pub(crate) mod unsupported;
pub(crate) mod value_claims;
pub(crate) mod values;

pub(crate) mod alike;
pub(crate) mod alphabet;
pub(crate) mod calendar;
mod change;
pub(crate) mod orders;
mod parse;
pub(crate) mod shape;
mod turns;
mod write;

use crate::constraint::Constraint;
use crate::model::{Expected, Nanos, Op, Reply};
use shape::{Cancel, Together};
use std::fmt;

pub use parse::ProgramError;
pub(crate) use write::{Id, Operation, Outcome as OutcomeText, Payload, ReplyText, Time, ascii};

/// What is asked of a store, with a text form: calls one after another, calls of several clients at
/// once, calls that are cancelled, time that passes, and restarts. `FromStr` reads it; `Display` writes
/// it on one line, so that it can be pasted into `session-spec replay '..'`.
///
/// ```text
/// s1: commit A v1 ttl 1s; advance 999.999999ms; prepare A -> v1
/// s2: commit A v1 ttl 1s; together { prepare A | commit A v2 ttl 1s }; prepare A -> v2
/// s2: commit A v1 ttl 1s; cancel after 2 polls { drop A }; prepare A -> v1 or nothing
/// ```
///
/// Operations stand one to a line or behind one another with `;`. In front is the form's version, which
/// may be left out: `s1:` is of one client whose calls are all made to their end, and `s2:` adds what
/// several clients do together, what is cancelled, and `or`. `#` starts a comment that ends with its
/// line.
///
/// | what | how |
/// |---|---|
/// | operation | `prepare ID`, `commit ID PAYLOAD ttl TIME`, `commit nil ttl TIME`, `drop ID`, `advance TIME`, `restart` |
/// | `ID` | a base58 letter, which stands for the token of 32 such letters; or a JSON string; `*N` behind either repeats it, `+` joins two |
/// | `PAYLOAD` | `v0`, `v1`, .. for small ones that differ in every part; or the snapshot's wire form without its id, in which strings may be repeated and joined as ids are |
/// | `TIME` | a decimal number and `ns`, `us`, `ms` or `s`; or `max`, the longest `Duration` |
/// | `-> REPLY` | behind an operation: what it must reply. A `PAYLOAD`, `nothing`, `done`, `refused`, or `refused` with the constraint, such as `refused empty-id`; where several are right, `-> v1 or nothing` |
/// | cancelled call | `cancel after N polls { CALL }`: its future is dropped when it has been polled so often and has not returned; `cancel after N polls, M times { CALL }` does that so many times, one after another. `CALL` is a prepare, a commit or a drop, without `-> REPLY` |
/// | at once | `together SCHEDULE pause TIME { CLIENT \| CLIENT .. }`, where both `SCHEDULE` and `pause TIME` may be left out. A `CLIENT` is one operation or more, cancelled ones among them, but neither `restart` nor `together`. The next step begins when all clients have returned |
/// | `SCHEDULE` | none: the clients are tasks, polled in an order that is drawn |
/// | | `polls 1 2 2! -`: the clients are tasks, polled in this order. `2` is the second client once it is awake, `2!` polls it though nobody woke it, and at `-` whatever else the executor runs has its turn |
/// | | `threads`: the clients are threads, all at once |
/// | | `threads hold 2 at clock 1`: the clients are threads, one at a time. The second begins, and is held at its first reading of the clock until the others have returned, are held themselves, or stand still. Several holds may follow one another: whoever is held first, goes on first |
/// | place | where a thread is held: at a reading of the `clock`, where a snapshot is cloned (`clone`), asked for its `id`, compared (`compare`), encoded (`encode`), decoded (`decode`) or dropped (`release`), and where a call has returned (`return`); with how often it came there |
/// | `pause TIME` | how long it is before each call, for what a store does on threads of its own |
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
///
/// let program: Program = "together { drop A | cancel after 1 poll { prepare A } }".parse()?;
/// assert_eq!(
///     program.to_string(),
///     "s2: together { drop A | cancel after 1 poll { prepare A } }"
/// );
/// # Ok::<(), session_spec::conformance::ProgramError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// Every operation, in the order of the text.
    ops: Vec<Op>,
    /// The calls that are cancelled: by place, in their order.
    cancelled: Vec<(usize, Cancel)>,
    /// What several clients do at once: in the order of the places, of which no two have one.
    together: Vec<Together>,
    /// What the text says of the replies, as far as it does: by operation, in their order.
    stated: Vec<(usize, StatedReply)>,
}

/// A reply as a program states it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatedReply {
    /// This very reply.
    Reply(Reply),
    /// A refusal, whatever the constraint.
    AnyRefusal,
    /// One of these.
    OneOf(Vec<StatedReply>),
}

impl StatedReply {
    /// Whether the contract allows what is stated, at a step where it wants `expected`.
    pub fn admitted_by(&self, expected: &Expected) -> bool {
        match self {
            Self::Reply(reply) => expected.admits(reply),
            Self::AnyRefusal => matches!(expected.reply, Reply::Refused(_)),
            Self::OneOf(replies) => replies.iter().any(|stated| stated.admitted_by(expected)),
        }
    }
}

impl Program {
    /// Every operation, in the order of the text: of clients that are at it together, one client after
    /// another; one that is made many times, once.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// What the program states that operation `index` must reply.
    pub fn stated(&self, index: usize) -> Option<&StatedReply> {
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
            ..Self::default()
        }
    }
}

/// The program, as text. Its ids are a test's, not secrets.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The constraints a program's text can name.
pub(crate) const CONSTRAINTS: [(&str, Constraint); 5] = [
    ("nil-snapshot", Constraint::NilSnapshot),
    ("empty-id", Constraint::EmptyId),
    ("ttl-not-positive", Constraint::TtlNotPositive),
    ("unsupported-id", Constraint::UnsupportedId),
    ("unsupported-value", Constraint::UnsupportedValue),
];

/// The `Duration` that `max` stands for.
const MAX: Nanos = time::CLOCK_END;

/// The versions there are: `s1` is of one client whose calls are made to their end, and `s2` adds to it.
/// One more operation takes no new one: a reader that does not know it says so, and all others keep
/// their meaning.
const VERSIONS: [&str; 2] = ["s1", "s2"];

/// Characters of the token that a single letter stands for.
const LETTER_REPEATS: usize = crate::token::LEN;

#[cfg(test)]
mod tests;
