//! Disorder: calls that no order explains.

use super::exec::{self, Outcome};
use super::history::{History, Record};
use super::judge::{Judge, Span};
use super::linear::{self, Call, Judgement, Kind, Reduced, Rules, Start, Value};
use super::payload;
use super::profile::{Profile, nanos};
use super::program::{Operation, OutcomeText};
use super::report::Violation;
use super::search::{Caught, Searcher};
use super::subject::{Passing, Subject};
use crate::clause::Clause;
use crate::model::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use std::collections::{HashMap, HashSet};

/// The calls on one id that are needed to see that no order explains what they returned.
pub(super) struct Disorder {
    pub(super) clause: Clause,
    /// The calls, in the order in which they were invoked.
    pub(super) records: Vec<Record>,
    /// Who called what when, a line a client.
    pub(super) lanes: String,
    /// Why no order explains them.
    pub(super) because: String,
    /// How many histories the search had run by then, with this one.
    pub(super) after: u64,
}

impl Disorder {
    pub(super) fn into_violation(self, search: &'static str) -> Violation {
        let last = self
            .records
            .iter()
            .rev()
            .find_map(|record| record.outcome.clone());
        let ops: Vec<Op> = self.records.into_iter().map(|record| record.op).collect();
        Violation {
            clause: self.clause,
            program: ops.into(),
            expected: None,
            got: last.unwrap_or(Outcome::Replied(Reply::Done)),
            because: self.because,
            near_miss: None,
            history: Some(self.lanes),
            search,
            after: self.after,
            repeats: false,
            gone: Vec::new(),
        }
    }
}

impl<S: Subject> Searcher<'_, S> {
    /// The calls one after another, with the cancelled ones or without, if the store answers wrong then
    /// too: what one client can show is no matter of order.
    pub(super) fn one_at_a_time(&self, history: &History, after: u64) -> Option<Caught> {
        let records: Vec<&Record> = history.records().iter().collect();
        let mut by_return = records.clone();
        by_return.sort_by_key(|record| record.returned);
        let [mut first, mut second] = [by_return.clone(), records.clone()];
        first.retain(|record| record.outcome.is_some());
        second.retain(|record| record.outcome.is_some());
        let orders = [first, second, by_return, records];
        orders.into_iter().find_map(|records| {
            let ops = Self::as_program(&records);
            let failure = exec::silently(|| self.runner(&ops)(&ops))?;
            Some(Caught {
                ops,
                failure,
                after,
            })
        })
    }

    /// The calls with the time between them.
    fn as_program(records: &[&Record]) -> Vec<Op> {
        let (mut ops, mut now) = (Vec::new(), 0);
        for record in records {
            if Self::PASSING == Passing::Injected && record.clock.from > now {
                let by = record.clock.from - now;
                ops.push(Op::Advance { by });
                now = record.clock.from;
            }
            ops.push(record.op.clone());
        }
        ops
    }
}

/// The clause that decides the first wrong reply, of calls none of which overlaps another and the
/// first of which is a write.
pub(super) fn in_turn(records: &[Record], profile: &Profile) -> Option<Clause> {
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
            _ => Some(admitted.expected.clause),
        }
    })
}

/// What is said of a history.
pub(super) enum Verdict {
    Explained,
    Undecided,
    Wrong(Disorder),
}

impl Disorder {
    /// Judges a history that was run for the sake of `clause`.
    pub(super) fn of(history: &History, profile: &Profile, clause: Clause) -> Verdict {
        let mut verdict = Verdict::Explained;
        for records in history.by_id().into_values() {
            match on_one_id(&records, profile, Start::Empty, clause) {
                Verdict::Explained => {}
                Verdict::Undecided => verdict = Verdict::Undecided,
                wrong @ Verdict::Wrong(_) => return wrong,
            }
        }
        verdict
    }
}

/// Judges the calls on one id, in the order in which they were invoked.
pub(super) fn on_one_id(
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
        .collect();
    let calls: Vec<Call> = known
        .iter()
        .map(|record| call(record, profile, &mut values))
        .collect();
    if start == Start::Empty
        && let Some(mixed) = mixed(&known, &calls)
    {
        return Verdict::Wrong(mix(records, mixed));
    }
    let rules = rules(profile, start);
    match linear::check(&calls, &rules) {
        Judgement::Linearizable => Verdict::Explained,
        Judgement::Undecided { .. } => Verdict::Undecided,
        Judgement::Wrong { .. } => match linear::reduce(&calls, &rules) {
            Some(reduced) => Verdict::Wrong(needed(&reduced, &known, &values, clause)),
            None => Verdict::Undecided,
        },
    }
}

/// The calls that are needed, with the argument.
fn needed(reduced: &Reduced, known: &[&Record], values: &Values, clause: Clause) -> Disorder {
    let records: Vec<Record> = reduced.places.iter().map(|at| known[*at].clone()).collect();
    let is_cancelled = |record: &Record| record.outcome.is_none();
    let name = |value| values.name(value);
    let mut lanes = reduced.draw(&name);
    if records.iter().any(Record::is_open) {
        lanes += "?: it was cancelled or failed, and took effect wholly and once, or never\n";
    }
    Disorder {
        clause: match records.iter().any(is_cancelled) {
            true => Clause::Can1,
            false => clause,
        },
        lanes,
        because: reduced.argue(&name),
        records,
        after: 0,
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
    let text = wrong
        .outcome
        .as_ref()
        .map(|outcome| OutcomeText(outcome).to_string());
    let because = format!(
        "c{}'s {} was answered with {}, which it is not when one client calls at a time",
        wrong.client + 1,
        name(&wrong.op),
        text.unwrap_or_default()
    );
    let around: Vec<&Record> = records
        .iter()
        .copied()
        .filter(|record| {
            record.invoked == wrong.invoked || record.overlaps(wrong) || record.outcome.is_none()
        })
        .collect();
    disorder(clause, &around, because)
}

/// The prepare that gave what nobody had committed.
fn mixed<'a>(records: &[&'a Record], calls: &[Call]) -> Option<&'a Record> {
    let committed = |call: &Call| match call.kind {
        Kind::Commit { value, .. } => Some(value),
        _ => None,
    };
    let committed: HashSet<Value> = calls.iter().filter_map(committed).collect();
    let is_mixed =
        |call: &Call| matches!(call.kind, Kind::Found(value) if !committed.contains(&value));
    let at = calls.iter().position(is_mixed)?;
    Some(records[at])
}

fn mix(records: &[&Record], mixed: &Record) -> Disorder {
    let around: Vec<&Record> = records
        .iter()
        .copied()
        .filter(|record| {
            let is_it = record.invoked == mixed.invoked;
            is_it || record.overlaps(mixed) || record.outcome.is_none()
        })
        .collect();
    let because = format!(
        "c{}'s prepare gave a snapshot that nobody had committed under this id",
        mixed.client + 1
    );
    let is_half_done = records.iter().any(|record| record.outcome.is_none());
    let clause = match is_half_done {
        true => Clause::Can1,
        false => Clause::Con2,
    };
    disorder(clause, &around, because)
}

fn disorder(clause: Clause, records: &[&Record], because: String) -> Disorder {
    Disorder {
        clause,
        lanes: listed(records),
        records: records.iter().map(|record| (*record).clone()).collect(),
        because,
        after: 0,
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
pub(super) fn rules(profile: &Profile, start: Start) -> Rules {
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
    // A cancelled call of a store in this process takes effect before any later one does; when it
    // reads the clock is its own affair.
    let (returned, to) = match &record.outcome {
        Some(Outcome::Failed(_)) => (u64::MAX, Nanos::MAX),
        None if profile.remote => (u64::MAX, Nanos::MAX),
        None => (record.returned, Nanos::MAX),
        Some(_) => (record.returned, record.clock.to),
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
