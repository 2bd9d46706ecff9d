//! Anomaly: calls that no order explains, and how they are shown.

use crate::clause::Clause;
use crate::conformance::judge::history::Record;
use crate::conformance::judge::linear::{Call, Reduced, Value};
use crate::conformance::judge::schedule::Luck;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::outline::outline;
use crate::conformance::program::{Operation, OutcomeText, Program, Time};
use crate::model::{Nanos, Op};

/// The calls on one id that are needed to see that no order explains what they returned.
#[derive(Clone)]
pub(crate) struct Anomaly {
    pub(crate) clause: Clause,
    /// The calls, in the order in which they were invoked.
    pub(crate) records: Vec<Record>,
    /// Others that are drawn with them, since they were under way with these, or were cancelled before.
    pub(crate) beside: Vec<Record>,
    /// Who called what when, a line a client.
    pub(crate) lanes: String,
    /// What else was called, a line each, where it is known to matter.
    pub(crate) context: String,
    /// Why no order explains them.
    pub(crate) because: String,
    /// How many histories the search had run by then, with this one.
    pub(crate) after: u64,
    /// How all calls were made, with their schedule.
    pub(crate) program: Option<Program>,
    /// Why they may come out otherwise when they are made again, if they may.
    pub(crate) luck: Option<Luck>,
    /// They have gone wrong again when they were made again.
    pub(crate) repeats: bool,
    /// Whether all would be right, had the cancelled calls taken effect at any later time; nothing where
    /// that took too long to find out.
    pub(crate) is_right_if_late: Option<bool>,
}

impl Anomaly {
    /// By what the smaller of two is told: its calls, then their text.
    pub(crate) fn size(&self) -> (usize, usize) {
        let texts = self
            .records
            .iter()
            .map(|record| Operation(&record.op).to_string().len());
        (self.records.len(), texts.sum())
    }

    /// All that are drawn, in the order in which they were invoked.
    pub(crate) fn drawn(&self) -> Vec<Record> {
        let all = self.records.iter().chain(&self.beside);
        let mut all: Vec<Record> = all.cloned().collect();
        all.sort_by_key(|record| record.invoked);
        all
    }

    /// When each of the calls was made and when it had returned, by the clock: a line each.
    pub(crate) fn times(&self) -> String {
        let drawn = self.drawn();
        let line = |record: &Record| {
            let (client, call) = (lane(&drawn, record), name(&record.op));
            let from = Time(record.clock.from);
            match record.clock.to {
                Nanos::MAX => format!("c{client}'s {call}: from {from} on\n"),
                to => format!("c{client}'s {call}: from {from} to {}\n", Time(to)),
            }
        };
        drawn.iter().map(line).collect()
    }

    /// What is wrong, with the hint at what a store may claim for which it would be right.
    pub(crate) fn because(&self) -> String {
        let hint = match self.is_right_if_late {
            Some(true) => {
                "; had the cancelled call taken effect later, all would be right: of a store whose calls \
                 a task or a server may finish after that, claim `Profile::remote`"
            }
            _ => "",
        };
        format!("{}{hint}", self.because)
    }
}

/// The calls that are needed, with some others to draw: cancelled ones, and where none of those needed overlap,
/// those that were under way with them.
pub(super) fn with_beside(reduced: Reduced, known: &[&Record], calls: &[Call]) -> Reduced {
    const MOST: usize = 4;
    let needed = || reduced.places.iter().map(|place| known[*place]);
    let other = |record: &Record, one: &Record| record.invoked != one.invoked;
    let meets = |record: &Record| needed().any(|one| other(record, one) && one.overlaps(record));
    let is_shown = needed().any(meets);
    let end = needed().map(|record| record.returned).max();
    let is_cancelled = |record: &Record| {
        record.outcome.is_none() && !record.is_under_way() && Some(record.invoked) < end
    };
    let matters = |record: &Record| is_cancelled(record) || !is_shown && meets(record);
    let beside = (0..known.len()).filter(|at| !reduced.places.contains(at) && matters(known[*at]));
    let beside: Vec<Call> = beside.map(|at| calls[at]).collect();
    match beside.len() <= MOST {
        true => Reduced { beside, ..reduced },
        false => reduced,
    }
}

/// The calls that are needed, with the argument.
pub(super) fn needed(
    reduced: &Reduced,
    known: &[&Record],
    name: &dyn Fn(Value) -> String,
    clause: Clause,
) -> Anomaly {
    let records: Vec<Record> = reduced.places.iter().map(|at| known[*at].clone()).collect();
    let is_beside = |record: &&&Record| {
        let mut beside = reduced.beside.iter();
        beside.any(|call| call.invoked == record.invoked)
    };
    let beside: Vec<Record> = known.iter().filter(is_beside).copied().cloned().collect();
    let is_cancelled = |record: &Record| record.outcome.is_none() && !record.is_under_way();
    let mut lanes = reduced.draw(name);
    let drawn = || records.iter().chain(&beside);
    if drawn().any(Record::is_under_way) {
        lanes += "?: it has not returned yet, and has taken effect or not\n";
    }
    if drawn().any(|record| record.is_open() && !record.is_under_way()) {
        lanes += "?: it was cancelled or failed, and took effect wholly and once, or never\n";
    }
    Anomaly {
        clause: match records.iter().any(is_cancelled) {
            true => Clause::Can1,
            false => clause,
        },
        lanes,
        because: reduced.argue(name),
        records,
        beside,
        context: String::new(),
        after: 0,
        program: None,
        luck: None,
        repeats: false,
        is_right_if_late: Some(false),
    }
}

/// A call that was answered as no store may, whatever the others do.
pub(super) fn alone(records: &[&Record], wrong: &Record, clause: Clause) -> Anomaly {
    let (client, call) = (wrong.client + 1, name(&wrong.op));
    let outcome = wrong.outcome.as_ref();
    let (clause, because) = match (outcome, clause) {
        (Some(Outcome::Panicked(message)), Clause::Can1) => (
            Clause::Can1,
            format!(
                "c{client}'s {call} panicked ({message:?}), as it does not unless a call is cancelled"
            ),
        ),
        (Some(Outcome::Panicked(message)), _) => (
            Clause::Err1,
            format!(
                "c{client}'s {call} panicked ({message:?}), as it does not when one client calls at a time"
            ),
        ),
        _ => {
            let text = outcome.map(|outcome| format!("{:#}", OutcomeText(outcome)));
            let because = format!(
                "c{client}'s {call} was answered with {}, which it is not when one client calls at a \
                 time",
                text.unwrap_or_default()
            );
            (clause, because)
        }
    };
    let around: Vec<&Record> = records
        .iter()
        .copied()
        .filter(|record| {
            record.invoked == wrong.invoked || record.overlaps(wrong) || record.outcome.is_none()
        })
        .collect();
    Anomaly {
        clause,
        lanes: listed(&around),
        records: around.into_iter().cloned().collect(),
        beside: Vec::new(),
        because,
        context: String::new(),
        after: 0,
        program: None,
        luck: None,
        repeats: false,
        is_right_if_late: Some(false),
    }
}

/// Of a program whose last call failed because another was cancelled, with what its calls returned.
pub(crate) fn broken(program: Program, records: &[Record]) -> Option<Anomaly> {
    let failed = records.last()?;
    let call = name(&failed.op);
    let error = match &failed.outcome {
        Some(outcome) => format!("{:#}", OutcomeText(outcome)),
        None => String::new(),
    };
    let mut returned = records.iter().filter_map(|record| record.outcome.as_ref());
    let mut outcomes: Vec<String> = Vec::new();
    for (at, op) in program.ops().iter().enumerate() {
        let is_call = !matches!(op, Op::Advance { .. }) && program.cancel(at).is_none();
        let outcome = if is_call { returned.next() } else { None };
        outcomes.push(outcome.map_or_else(String::new, |one| format!("   {:#}", OutcomeText(one))));
    }
    Some(Anomaly {
        clause: Clause::Can1,
        lanes: outline(&program, |at| outcomes[at].clone()),
        because: format!(
            "the {call} fails every time ({error}), and never where no call is cancelled: later calls \
             must work"
        ),
        records: records.to_vec(),
        beside: Vec::new(),
        context: String::new(),
        after: 0,
        program: Some(program),
        luck: None,
        repeats: true,
        is_right_if_late: Some(false),
    })
}

/// The calls, one a line, in the order in which they were invoked.
fn listed(records: &[&Record]) -> String {
    let line = |record: &&Record| {
        let outcome = match &record.outcome {
            Some(outcome) => format!("{:#}", OutcomeText(outcome)),
            None => "cancelled".to_owned(),
        };
        let (client, call) = (record.client + 1, Operation(&record.op));
        format!("c{client}  {call:#}   {outcome}\n")
    };
    records.iter().map(line).collect()
}

pub(super) fn name(op: &Op) -> &'static str {
    match op {
        Op::Prepare { .. } => "prepare",
        Op::Commit { .. } => "commit",
        Op::Drop { .. } => "drop",
        Op::Advance { .. } => "advance",
        Op::Restart => "restart",
    }
}

/// The number of a call's lane among those of these calls, in whose order lanes are drawn.
pub(super) fn lane(records: &[Record], of: &Record) -> usize {
    let mut clients: Vec<u32> = Vec::new();
    for record in records {
        if !clients.contains(&record.client) {
            clients.push(record.client);
        }
    }
    let place = clients.iter().position(|client| *client == of.client);
    place.map_or(0, |place| place + 1)
}
