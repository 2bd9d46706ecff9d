//! Histories: what each client did, when, and what came of it.

use crate::plan::{Act, Id, Step};
use session_spec::Nanos;
use session_spec::conformance::__internal::linear::{
    self, Call, Judgement, Kind, Outcome, Rules, Span, Value,
};
use std::fmt;

/// What a step returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reply {
    Done,
    Nothing,
    /// What this commit had written.
    Found(Value),
}

/// A step that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) invoked: usize,
    pub(crate) returned: usize,
    pub(crate) step: Step,
    pub(crate) reply: Reply,
}

/// The records of one run, in the order of their invocations.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct History(Vec<Record>);

impl History {
    /// Two are equal if the same steps had returned before the same others were invoked, with the same
    /// replies. In which order steps were invoked, or returned, while nothing else happened, is no
    /// difference.
    pub(crate) fn new(mut records: Vec<Record>) -> Self {
        let mut moments: Vec<(usize, bool, &mut usize, usize)> = Vec::new();
        for Record {
            invoked,
            returned,
            step,
            ..
        } in &mut records
        {
            moments.push((*invoked, false, invoked, step.client));
            moments.push((*returned, true, returned, step.client));
        }
        moments.sort_by_key(|(at, ..)| *at);
        let (mut stretch, mut was_return) = (0, true);
        for (_, is_return, moment, client) in moments {
            stretch += usize::from(is_return != was_return);
            was_return = is_return;
            *moment = 10 * stretch + client;
        }
        records.sort();
        Self(records)
    }

    /// Whether no order explains the calls on some id (CON-1).
    pub(crate) fn breaks_con_1(&self) -> bool {
        let judge = |id| linear::check(&self.calls(id), &Rules::default());
        ["A", "B", "C"].into_iter().any(|id| match judge(id) {
            Judgement::Linearizable => false,
            Judgement::Wrong { .. } => true,
            Judgement::Undecided { .. } => panic!("undecided:\n{self}"),
        })
    }

    fn calls(&self, id: Id) -> Vec<Call> {
        let kind = |record: &Record| match (record.step.act, record.reply) {
            (Act::Prepare(of), Reply::Found(value)) if of == id => Some(Kind::Found(value)),
            (Act::Prepare(of), _) if of == id => Some(Kind::Nothing),
            (Act::Drop(of), _) if of == id => Some(Kind::Drop),
            (Act::Commit(of, ttl), _) if of == id => Some(Kind::Commit {
                value: record.step.value(),
                ttl: ttl.into(),
            }),
            _ => None,
        };
        let call = |record: &Record| {
            Some(Call {
                client: u32::try_from(record.step.client).unwrap(),
                kind: kind(record)?,
                invoked: record.invoked as u64,
                returned: record.returned as u64,
                clock: self.clock(record),
                outcome: Outcome::Certain,
            })
        };
        self.0.iter().filter_map(call).collect()
    }

    /// What the clock may have said during a call: it had been advanced that often for certain, and at
    /// most.
    fn clock(&self, call: &Record) -> Span {
        let count = |had: &dyn Fn(&Record) -> bool| {
            let advances = self.0.iter().filter(|other| other.step.act == Act::Advance);
            Nanos::try_from(advances.filter(|advance| had(advance)).count()).unwrap()
        };
        Span {
            from: count(&|advance| advance.returned < call.invoked),
            to: count(&|advance| advance.invoked < call.returned),
        }
    }
}

/// As lanes, by client.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Record {
            invoked,
            returned,
            step,
            reply,
        } in &self.0
        {
            let written = match step.act {
                Act::Commit(..) => format!(" of v{}", step.value()),
                _ => String::new(),
            };
            let lane = " ".repeat(4 * step.client);
            let span = format!("{invoked}..{returned}");
            writeln!(f, "{span:>10}  {lane}{:?}{written}: {reply:?}", step.act)?;
        }
        Ok(())
    }
}
