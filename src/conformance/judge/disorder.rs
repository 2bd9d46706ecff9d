//! Disorder: calls that no order explains.

mod beside;
mod mix;

use super::history::{History, Record};
use super::linear::{self, Call, Judgement, Kind, Reduced, Rules, Start, Value};
use super::{Judge, Span};
use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::program::time::nanos;
use crate::conformance::program::{Operation, OutcomeText};
use crate::conformance::report::Violation;
use crate::conformance::search::scenario::Scenario;
use crate::conformance::subject::profile::Profile;
use crate::model::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// The calls on one id that are needed to see that no order explains what they returned.
#[derive(Clone)]
pub(crate) struct Disorder {
    pub(crate) clause: Clause,
    /// The calls, in the order in which they were invoked.
    pub(crate) records: Vec<Record>,
    /// Who called what when, a line a client.
    pub(crate) lanes: String,
    /// What else was called, a line each, where it is known to matter.
    pub(crate) context: String,
    /// Why no order explains them.
    pub(crate) because: String,
    /// How many histories the search had run by then, with this one.
    pub(crate) after: u64,
    /// How all calls were made, where they can be made again.
    pub(crate) scenario: Option<Box<Scenario>>,
    /// Whether all would be right, had the cancelled calls taken effect at any later time; nothing where
    /// that took too long to find out.
    pub(crate) is_right_if_late: Option<bool>,
}

impl Disorder {
    /// By what the smaller of two is told: its calls, then their text.
    pub(crate) fn size(&self) -> (usize, usize) {
        let texts = self
            .records
            .iter()
            .map(|record| Operation(&record.op).to_string().len());
        (self.records.len(), texts.sum())
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

    pub(crate) fn into_violation(self, search: &'static str) -> Violation {
        let last = self
            .records
            .iter()
            .rev()
            .find_map(|record| record.outcome.clone());
        let because = self.because();
        let ops: Vec<Op> = self.records.into_iter().map(|record| record.op).collect();
        Violation {
            clause: self.clause,
            program: ops.into(),
            expected: None,
            got: last.unwrap_or(Outcome::Replied(Reply::Done)),
            because,
            near_miss: None,
            refused_ids: Vec::new(),
            history: Some(self.lanes + &self.context),
            search,
            after: self.after,
            repeats: false,
            otherwise: Vec::new(),
        }
    }
}

/// The clause that decides the first wrong reply, of calls none of which overlaps another and the
/// first of which is a write.
pub(crate) fn in_turn(records: &[Record], profile: &Profile) -> Option<Clause> {
    let overlap = records.windows(2).any(|pair| pair[0].overlaps(&pair[1]));
    let begins_with_a_write = !matches!(records.first()?.op, Op::Prepare { .. });
    if overlap || !begins_with_a_write || records.iter().any(Record::is_open) {
        return None;
    }
    let mut judge = Judge::new(profile);
    records.iter().find_map(|record| {
        judge.advance();
        let admitted = judge.step(&record.op, record.clock);
        match &record.outcome {
            Some(Outcome::Replied(reply)) if admitted.admits(reply) => {
                judge.observe(&record.op, reply);
                None
            }
            // Nothing is known of the time before the first write, but a drop ended it.
            _ if admitted.expected.clause == Clause::Pre1 => Some(Clause::Drp1),
            Some(Outcome::Replied(Reply::Found(other)))
                if matches!(admitted.expected.reply, Reply::Found(_)) =>
            {
                let is_replaced = records.iter().any(|record| commits(&record.op, other));
                Some(if is_replaced {
                    Clause::Com6
                } else {
                    Clause::Pre3
                })
            }
            _ => Some(admitted.expected.clause),
        }
    })
}

fn commits(op: &Op, value: &Snapshot) -> bool {
    matches!(op, Op::Commit { snapshot: Some(snapshot), ttl } if snapshot == value && *ttl > 0)
}

/// What is said of a history.
pub(crate) enum Verdict {
    Explained,
    Undecided,
    Wrong(Disorder),
}

impl Disorder {
    /// Judges a history that was run for the sake of `clause`.
    pub(crate) fn of(history: &History, profile: &Profile, clause: Clause) -> Verdict {
        let all: Vec<&Record> = history.records().iter().collect();
        if let Some(wrong) = all.iter().find(|record| record.is_wrong_alone()) {
            return Verdict::Wrong(alone(&all, wrong, clause));
        }
        let mut verdict = Verdict::Explained;
        for records in history.by_id().into_values() {
            match on_one_id(&records, profile, Start::Empty, clause) {
                Verdict::Explained => {}
                Verdict::Undecided => verdict = Verdict::Undecided,
                Verdict::Wrong(disorder) => {
                    return Verdict::Wrong(disorder.among(history).with_cancelled(history));
                }
            }
        }
        verdict
    }
}

/// Judges the calls on one id, in the order in which they were invoked.
pub(crate) fn on_one_id(
    records: &[&Record],
    profile: &Profile,
    start: Start,
    clause: Clause,
) -> Verdict {
    if let Some(wrong) = records.iter().find(|record| record.is_wrong_alone()) {
        return Verdict::Wrong(alone(records, wrong, clause));
    }
    let mut values = Values::default();
    let known: Vec<&Record> = records
        .iter()
        .copied()
        .filter(|record| !record.is_open() || !matches!(record.op, Op::Prepare { .. }))
        .filter(|record| !record.must_be_refused())
        .collect();
    let calls: Vec<Call> = known
        .iter()
        .map(|record| call(record, profile, &mut values))
        .collect();
    let rules = rules(profile, start);
    if start == Start::Empty
        && let Some(at) = mix::place(&calls)
    {
        return Verdict::Wrong(mix::told(&known, &calls, at, &values, rules, clause));
    }
    match linear::check(&calls, &rules) {
        Judgement::Linearizable => Verdict::Explained,
        Judgement::Undecided { .. } => Verdict::Undecided,
        Judgement::Wrong { .. } => match linear::reduce(&calls, &rules) {
            Some(reduced) => {
                let name = |value| values.name(value);
                let mut disorder = needed(&reduced, &known, &name, clause);
                if disorder.clause == Clause::Can1 {
                    disorder.is_right_if_late = is_right_if_late(&known, profile, rules);
                }
                Verdict::Wrong(disorder)
            }
            None => Verdict::Undecided,
        },
    }
}

/// Whether some order explains the calls if those that were cancelled took effect at any later time.
fn is_right_if_late(records: &[&Record], profile: &Profile, rules: Rules) -> Option<bool> {
    let remote = profile.clone().remote();
    let mut values = Values::default();
    let calls = records
        .iter()
        .map(|record| call(record, &remote, &mut values));
    let calls: Vec<Call> = calls.collect();
    match linear::check(&calls, &rules) {
        Judgement::Linearizable => Some(true),
        Judgement::Wrong { .. } => Some(false),
        Judgement::Undecided { .. } => None,
    }
}

/// The calls that are needed, with the argument.
fn needed(
    reduced: &Reduced,
    known: &[&Record],
    name: &dyn Fn(Value) -> String,
    clause: Clause,
) -> Disorder {
    let records: Vec<Record> = reduced.places.iter().map(|at| known[*at].clone()).collect();
    let is_cancelled = |record: &Record| record.outcome.is_none() && !record.is_under_way();
    let mut lanes = reduced.draw(name);
    if records.iter().any(Record::is_under_way) {
        lanes += "?: it has not returned yet, and has taken effect or not\n";
    }
    if records
        .iter()
        .any(|record| record.is_open() && !record.is_under_way())
    {
        lanes += "?: it was cancelled or failed, and took effect wholly and once, or never\n";
    }
    Disorder {
        clause: match records.iter().any(is_cancelled) {
            true => Clause::Can1,
            false => clause,
        },
        lanes,
        because: reduced.argue(name),
        records,
        context: String::new(),
        after: 0,
        scenario: None,
        is_right_if_late: Some(false),
    }
}

/// Numbers for snapshots: equal ones for equal snapshots.
#[derive(Default)]
struct Values<'a>(HashMap<&'a str, Vec<(&'a Snapshot, Value)>>, Value);

impl<'a> Values<'a> {
    fn number(&mut self, snapshot: &'a Snapshot) -> Value {
        let alike = self.0.entry(snapshot.csrf_token()).or_default();
        if let Some((_, number)) = alike.iter().find(|(known, _)| *known == snapshot) {
            return *number;
        }
        self.1 += 1;
        alike.push((snapshot, self.1));
        self.1
    }

    /// The number of a numbered payload, and of others the one they have here.
    fn name(&self, value: Value) -> String {
        let mut all = self.0.values().flatten();
        let snapshot = all.find(|(_, number)| *number == value);
        let payload = snapshot.and_then(|(snapshot, _)| payload::number_of(snapshot));
        format!("v{}", payload.unwrap_or(value.into()))
    }
}

/// A call that was answered as no store may, whatever the others do.
fn alone(records: &[&Record], wrong: &Record, clause: Clause) -> Disorder {
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
            let text = outcome.map(|outcome| OutcomeText(outcome).to_string());
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
    Disorder {
        clause,
        lanes: listed(&around),
        records: around.into_iter().cloned().collect(),
        because,
        context: String::new(),
        after: 0,
        scenario: None,
        is_right_if_late: Some(false),
    }
}

/// A call that failed because another was cancelled.
pub(crate) fn broken(records: &[&Record], failed: &Record, lanes: String) -> Disorder {
    let call = name(&failed.op);
    let error = match &failed.outcome {
        Some(outcome) => OutcomeText(outcome).to_string(),
        None => String::new(),
    };
    Disorder {
        clause: Clause::Can1,
        lanes,
        because: format!(
            "the {call} fails every time ({error}), and never where no call is cancelled: later calls \
             must work"
        ),
        records: records.iter().copied().cloned().collect(),
        context: String::new(),
        after: 0,
        scenario: None,
        is_right_if_late: Some(false),
    }
}

/// The calls, one a line, in the order in which they were invoked.
fn listed(records: &[&Record]) -> String {
    let line = |record: &&Record| {
        let outcome = match &record.outcome {
            Some(outcome) => OutcomeText(outcome).to_string(),
            None => "cancelled".to_owned(),
        };
        let (client, call) = (record.client + 1, Operation(&record.op));
        format!("c{client}  {call}   {outcome}\n")
    };
    records.iter().map(line).collect()
}

fn name(op: &Op) -> &'static str {
    match op {
        Op::Prepare { .. } => "prepare",
        Op::Commit { .. } => "commit",
        Op::Drop { .. } => "drop",
        Op::Advance { .. } => "advance",
        Op::Restart => "restart",
    }
}

/// What a store with this profile may do.
pub(crate) fn rules(profile: &Profile, start: Start) -> Rules {
    Rules {
        resolution: nanos(profile.resolution),
        uncertainty: nanos(profile.uncertainty),
        horizon: profile.horizon.map(nanos),
        may_evict: profile.may_evict,
        start,
    }
}

/// A call as the search for an order wants it.
fn call<'a>(record: &'a Record, profile: &Profile, values: &mut Values<'a>) -> Call {
    let kind = match (&record.op, &record.outcome) {
        (Op::Commit { snapshot, ttl }, _) => Kind::Commit {
            value: snapshot
                .as_ref()
                .map_or(0, |snapshot| values.number(snapshot)),
            ttl: *ttl,
        },
        (_, Some(Outcome::Replied(Reply::Found(found)))) => Kind::Found(values.number(found)),
        (Op::Prepare { .. }, _) => Kind::Nothing,
        _ => Kind::Drop,
    };
    // A cancelled call of a store in this process has done what it does by the time its future is
    // dropped, and has read the clock by then.
    let (returned, to) = match &record.outcome {
        Some(Outcome::Failed(_)) => (u64::MAX, Nanos::MAX),
        None if profile.remote => (u64::MAX, Nanos::MAX),
        None | Some(_) => (record.returned, record.clock.to),
    };
    Call {
        client: record.client,
        kind,
        invoked: record.invoked,
        returned,
        clock: Span {
            from: record.clock.from,
            to,
        },
        outcome: match record.is_open() {
            true => linear::Outcome::Unknown,
            false => linear::Outcome::Certain,
        },
    }
}

#[cfg(test)]
mod tests;
