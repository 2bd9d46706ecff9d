//! Trace: a program as a timeline, with the reply that the contract wants at every step.

use super::{Operation, Program, ReplyText, Time};
use crate::clause::Clause;
use crate::constraint::Constraint;
use crate::model::{Expected, Model, Op, Reply};
use std::fmt;

/// What the contract says of a program, step by step: the time, the operation, the reply, and the
/// clause that decides it.
///
/// ```
/// use session_spec::conformance::{Program, Trace};
///
/// let program: Program = "commit A v1 ttl 2s; advance 2s; prepare A".parse()?;
/// assert_eq!(
///     Trace::of(&program).to_string(),
///     "    t=0s  commit A v1 ttl 2s  done     COM-5\n    \
///          t=0s  advance 2s                   TTL-3\n    \
///          t=2s  prepare A           nothing  TTL-2\n"
/// );
/// # Ok::<(), session_spec::conformance::ProgramError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    time: String,
    op: String,
    /// Empty where no call is made: there is nothing to say then.
    reply: String,
    clause: Option<Clause>,
    /// What the program states instead.
    disputed: Option<String>,
}

impl Trace {
    /// Takes `program` to the model.
    pub fn of(program: &Program) -> Self {
        Self::refusing(&[], program)
    }

    /// The same of a store that refuses the ids of the commits at these places (IDN-2).
    pub(crate) fn refusing(refused_ids: &[usize], program: &Program) -> Self {
        let mut model = Model::default();
        let step = |(index, op): (usize, &Op)| {
            let time = Time(model.now()).to_string();
            let expected = match refused_ids.contains(&index) {
                true => Expected::new(Reply::Refused(Constraint::UnsupportedId), Clause::Idn2),
                false => model.step(op),
            };
            let stated = program.stated(index);
            Step {
                time,
                op: Operation(op).to_string(),
                reply: reply_text(op, &expected.reply),
                clause: Some(expected.clause),
                disputed: stated
                    .filter(|stated| !stated.admitted_by(&expected))
                    .map(ToString::to_string),
            }
        };
        Self {
            steps: program.ops().iter().enumerate().map(step).collect(),
        }
    }

    /// Whether the program states a reply that the contract does not allow.
    pub fn is_disputed(&self) -> bool {
        self.steps.iter().any(|step| step.disputed.is_some())
    }

    /// The same with other replies at these steps.
    pub(crate) fn answering(mut self, otherwise: &[(usize, Reply)]) -> Self {
        for (at, reply) in otherwise {
            if let Some(step) = self.steps.get_mut(*at) {
                step.reply = ReplyText(reply).to_string();
            }
        }
        self
    }

    /// The same without clauses, and with another text for the last reply.
    pub(crate) fn ending_with(mut self, reply: String) -> Self {
        for step in &mut self.steps {
            step.clause = None;
        }
        if let Some(last) = self.steps.last_mut() {
            last.reply = reply;
        }
        self
    }
}

fn reply_text(op: &Op, reply: &Reply) -> String {
    match op {
        Op::Advance { .. } | Op::Restart => String::new(),
        _ => ReplyText(reply).to_string(),
    }
}

/// One step a line, in columns.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// No column is wider, whatever is in it.
        const WIDEST: usize = 60;
        let width = |text: fn(&Step) -> &str| {
            let widths = self.steps.iter().map(|step| text(step).chars().count());
            widths.max().unwrap_or(0).min(WIDEST)
        };
        let (times, ops) = (width(|step| &step.time), width(|step| &step.op));
        let replies = width(|step| &step.reply);
        for step in &self.steps {
            let Step {
                time, op, reply, ..
            } = step;
            let mut line = format!("    t={time:<times$}  {op:<ops$}  {reply:<replies$}");
            if let Some(clause) = step.clause {
                line += &format!("  {clause}");
            }
            if let Some(stated) = &step.disputed {
                line += &format!("  but the program states: {stated}");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
