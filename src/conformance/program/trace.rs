//! Trace: a program as a timeline, with the reply that the contract wants at every step.

use super::orders::{self, Effects};
use super::outcome::Outcome;
use super::unsupported::Refusals;
use super::{Operation, OutcomeText, Program, ReplyText, StatedReply, Time};
use crate::clause::Clause;
use crate::model::{Expected, Nanos, Op};
use std::fmt;

/// What the contract says of a program, step by step: the time, the operation, the reply, and the
/// clause that decides it.
///
/// Of calls that overlap or are cancelled, it says every reply that is right in some order: the calls of
/// a client keep their order, and a cancelled one takes its effect before the next of them or not at all.
/// Where the orders do not agree on a clause, it is CON-1, or CAN-1 where all depends on what is
/// cancelled. In place of the time, calls of clients that are at it together show which client makes
/// them.
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
///
/// let program: Program = "commit A v1 ttl 1s; together { drop A | prepare A }".parse()?;
/// assert_eq!(
///     Trace::of(&program).to_string(),
///     "    t=0s  commit A v1 ttl 1s  done           COM-5\n    \
///          c1    drop A              done           DRP-1\n    \
///          c2    prepare A           v1 or nothing  CON-1\n"
/// );
/// # Ok::<(), session_spec::conformance::ProgramError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// The time, or which client makes the call.
    when: String,
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
        Self::refusing(&Refusals::new(), program)
    }

    /// The same of a store that refuses these commits as unsupported (IDN-2, VAL-1).
    pub(crate) fn refusing(refusals: &Refusals, program: &Program) -> Self {
        let admitted = Admitted::of(refusals, program);
        let mut now: Nanos = 0;
        let step = |(at, op): (usize, &Op)| {
            let mut blocks = program.together().iter();
            let when = match blocks.find_map(|together| together.client_of(at)) {
                Some(client) => format!("c{}", client + 1),
                None => format!("t={}", Time(now)),
            };
            if let Op::Advance { by } = op {
                now = now.saturating_add((*by).max(0));
            }
            let is_disputed = |stated: &&StatedReply| !admitted.allows(at, stated);
            let disputed = program.stated(at).filter(is_disputed);
            Step {
                when,
                op: format!("{:#}", Operation(op)),
                reply: admitted.reply(at),
                clause: admitted.clause(at),
                disputed: disputed.map(ToString::to_string),
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

    /// The same with what came at these steps instead.
    pub(crate) fn answering(mut self, otherwise: &[(usize, Outcome)]) -> Self {
        for (at, outcome) in otherwise {
            if let Some(step) = self.steps.get_mut(*at) {
                step.reply = format!("{:#}", OutcomeText(outcome));
            }
        }
        self
    }

    /// The same with the times at which the operations began.
    pub(crate) fn at(mut self, times: &[Nanos]) -> Self {
        for (step, time) in self.steps.iter_mut().zip(times) {
            step.when = format!("t={}", Time(*time));
        }
        self
    }

    /// The same, with all that comes between put in one line where it is long: `matters` are steps that are
    /// shown all the same.
    pub(crate) fn abridged(mut self, program: &Program, matters: impl Fn(usize) -> bool) -> Self {
        /// Shorter ones are shown whole; of others, so many steps at each end.
        const LONG: usize = 40;
        const ENDS: usize = 3;
        let len = self.steps.len();
        if len <= LONG {
            return self;
        }
        let is_shown = |at: &usize| *at < ENDS || *at + ENDS >= len || matters(*at);
        let mut abridged: Vec<Step> = Vec::new();
        let mut left_out = Vec::new();
        for (at, step) in self.steps.drain(..).enumerate() {
            if !is_shown(&at) {
                left_out.push(at);
                continue;
            }
            if !left_out.is_empty() {
                let ops = left_out.drain(..).map(|at| &program.ops()[at]);
                abridged.push(Step {
                    when: String::new(),
                    op: format!(".. {}", counted(ops)),
                    reply: String::new(),
                    clause: None,
                    disputed: None,
                });
            }
            abridged.push(step);
        }
        Self { steps: abridged }
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

/// How many operations of each kind there are.
fn counted<'a>(ops: impl Iterator<Item = &'a Op>) -> String {
    let mut counts = [
        ("commits", 0),
        ("prepares", 0),
        ("drops", 0),
        ("advances", 0),
        ("restarts", 0),
    ];
    for op in ops {
        let kind = match op {
            Op::Commit { .. } => 0,
            Op::Prepare { .. } => 1,
            Op::Drop { .. } => 2,
            Op::Advance { .. } => 3,
            Op::Restart => 4,
        };
        counts[kind].1 += 1;
    }
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let texts: Vec<String> = counts
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    texts.join(", ")
}

/// What the contract admits of a program.
struct Admitted<'a> {
    program: &'a Program,
    /// By operation, over all orders; nothing where there are too many.
    expected: Option<Vec<Vec<Expected>>>,
    /// The same when all that is cancelled takes effect, and when none of it does, where that differs.
    settled: Vec<Vec<Vec<Expected>>>,
}

impl<'a> Admitted<'a> {
    fn of(refusals: &Refusals, program: &'a Program) -> Self {
        let expected = |effects| orders::expected(program, refusals, effects);
        let settled = [Effects::All, Effects::None].into_iter();
        let settled = settled.filter(|_| program.is_cancelling());
        Self {
            program,
            expected: expected(Effects::Some),
            settled: settled.filter_map(expected).collect(),
        }
    }

    fn reply(&self, at: usize) -> String {
        if let Op::Advance { .. } | Op::Restart = self.program.ops()[at] {
            return String::new();
        }
        if self.program.cancel(at).is_some() {
            return "cancelled".to_owned();
        }
        let Some(expected) = &self.expected else {
            return "too many orders".to_owned();
        };
        let replies = orders::replies(&expected[at]);
        let texts = replies
            .iter()
            .map(|reply| format!("{:#}", ReplyText(reply)));
        texts.collect::<Vec<_>>().join(" or ")
    }

    fn clause(&self, at: usize) -> Option<Clause> {
        if self.program.cancel(at).is_some() {
            return Some(Clause::Can1);
        }
        if let Some(clause) = agreed(&self.expected.as_ref()?[at]) {
            return Some(clause);
        }
        // Whatever becomes of what is cancelled, the order makes no difference.
        let is_settled = |all: &Vec<Vec<Expected>>| agreed(&all[at]).is_some();
        let depends_on_cancelled = self.settled.len() == 2 && self.settled.iter().all(is_settled);
        Some(match depends_on_cancelled {
            true => Clause::Can1,
            false => Clause::Con1,
        })
    }

    /// Whether some order allows what is stated; of alternatives, each of them.
    fn allows(&self, at: usize, stated: &StatedReply) -> bool {
        let Some(expected) = &self.expected else {
            return true;
        };
        match stated {
            StatedReply::OneOf(replies) => replies.iter().all(|stated| self.allows(at, stated)),
            _ => expected[at]
                .iter()
                .any(|expected| stated.admitted_by(expected)),
        }
    }
}

/// The clause that decides in every order, if it is the same.
fn agreed(expected: &[Expected]) -> Option<Clause> {
    let (first, rest) = expected.split_first()?;
    let is_same = |expected: &Expected| expected.clause == first.clause;
    rest.iter().all(is_same).then_some(first.clause)
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
        let (whens, ops) = (width(|step| &step.when), width(|step| &step.op));
        let replies = width(|step| &step.reply);
        for step in &self.steps {
            let Step {
                when, op, reply, ..
            } = step;
            let mut line = format!("    {when:<whens$}  {op:<ops$}  {reply:<replies$}");
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
