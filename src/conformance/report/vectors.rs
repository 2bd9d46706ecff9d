//! Vectors: programs with the replies that the contract admits, as lines of JSON for stores in any
//! language.

use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::{CONSTRAINTS, Program, ascii, unsupported};
use crate::constraint::Constraint;
use crate::model::{Model, Op, Reply};
use crate::snapshot::Snapshot;
use serde::Serialize;
use serde_json::Value;
use std::iter;

#[derive(Serialize)]
struct Header<'a, P> {
    format: &'static str,
    version: u32,
    #[serde(rename = "crate")]
    release: &'static str,
    #[serde(flatten)]
    vectors: &'a P,
    programs: u64,
}

/// The first line: what the programs were made from, and how many there are.
pub(crate) fn header(vectors: &impl Serialize, programs: u64) -> String {
    json(&Header {
        format: "session-spec vectors",
        version: 1,
        release: env!("CARGO_PKG_VERSION"),
        vectors,
        programs,
    })
}

#[derive(Serialize)]
struct Vector {
    program: String,
    steps: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    #[serde(flatten)]
    call: Call,
    #[serde(flatten)]
    right: Option<Right>,
}

#[derive(Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Call {
    Prepare {
        id: String,
    },
    Commit {
        snapshot: Option<Value>,
        ttl_ns: String,
    },
    Drop {
        id: String,
    },
    Advance {
        by_ns: String,
    },
}

/// What is right, and why.
#[derive(Serialize)]
struct Right {
    admits: Vec<Answer>,
    clause: Clause,
}

#[derive(Serialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
enum Answer {
    Found { snapshot: Value },
    Nothing,
    Done,
    Refused { constraint: Constraint },
}

/// A program's line.
pub(crate) fn line(ops: Vec<Op>) -> String {
    let mut model = Model::default();
    let steps = ops.iter().map(|op| Step {
        call: Call::of(op),
        right: Right::of(op, &mut model),
    });
    json(&Vector {
        steps: steps.collect(),
        program: Program::from(ops).to_string(),
    })
}

impl Call {
    fn of(op: &Op) -> Self {
        match op {
            Op::Prepare { id } => Self::Prepare { id: id.clone() },
            Op::Commit { snapshot, ttl } => Self::Commit {
                snapshot: snapshot.as_ref().map(wire),
                ttl_ns: ttl.to_string(),
            },
            Op::Drop { id } => Self::Drop { id: id.clone() },
            Op::Advance { by } => Self::Advance {
                by_ns: by.to_string(),
            },
            Op::Restart => unreachable!("no vector restarts the store"),
        }
    }
}

impl Right {
    /// Nothing of an advance: it has no reply.
    fn of(op: &Op, model: &mut Model) -> Option<Self> {
        let expected = model.step(op);
        if let Op::Advance { .. } = op {
            return None;
        }
        let refusals = CONSTRAINTS.map(|(_, constraint)| Reply::Refused(constraint));
        let supported = Supported::default();
        let canonical = iter::once(expected.reply.clone());
        let others = refusals
            .into_iter()
            .filter(|reply| *reply != expected.reply);
        let admits = canonical.chain(others).filter(|reply| {
            expected.admits(reply)
                || unsupported::refusal(op, &Outcome::Replied(reply.clone()), &supported).is_some()
        });
        Some(Self {
            admits: admits.map(Answer::from).collect(),
            clause: expected.clause,
        })
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Found(snapshot) => Self::Found {
                snapshot: wire(&snapshot),
            },
            Reply::Nothing => Self::Nothing,
            Reply::Done => Self::Done,
            Reply::Refused(constraint) => Self::Refused { constraint },
        }
    }
}

fn wire(snapshot: &Snapshot) -> Value {
    serde_json::from_slice(&snapshot.encode()).expect("the wire form is JSON")
}

/// One line of ASCII, so that ids that look alike can be told apart, and no reader finds other line
/// ends in it.
fn json(line: &impl Serialize) -> String {
    let line = serde_json::to_string(line).expect("text and numbers have a JSON form");
    ascii(&line)
}
