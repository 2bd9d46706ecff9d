//! Non-linearizable: histories that no order of their calls explains (CON-1, CON-2, CAN-1).

mod anomaly;
mod calls;
mod context;
mod mixed;

pub(crate) use anomaly::{Anomaly, broken};

use super::history::{History, Record};
use super::linear::{self, Call, Judgement, Rules, Start};
use crate::clause::Clause;
use crate::conformance::subject::profile::Profile;
use crate::model::Op;
use anomaly::{alone, needed, with_beside};
use calls::{Values, call, rules};

/// What is said of a history.
pub(crate) enum Verdict {
    Explained,
    Undecided,
    Wrong(Box<Anomaly>),
}

/// Judges a history that was run for the sake of `clause`.
pub(crate) fn judge(history: &History, profile: &Profile, clause: Clause) -> Verdict {
    let all: Vec<&Record> = history.records().iter().collect();
    if let Some(wrong) = all.iter().find(|record| record.is_wrong_alone()) {
        return Verdict::Wrong(Box::new(alone(&all, wrong, clause)));
    }
    let mut verdict = Verdict::Explained;
    for records in history.by_id().into_values() {
        match on_one_id(&records, profile, Start::Empty, clause) {
            Verdict::Explained => {}
            Verdict::Undecided => verdict = Verdict::Undecided,
            Verdict::Wrong(anomaly) => {
                let anomaly = anomaly.among(history).with_cancelled(history);
                return Verdict::Wrong(Box::new(anomaly));
            }
        }
    }
    verdict
}

/// Judges the calls on one id, in the order in which they were invoked.
pub(crate) fn on_one_id(
    records: &[&Record],
    profile: &Profile,
    start: Start,
    clause: Clause,
) -> Verdict {
    if let Some(wrong) = records.iter().find(|record| record.is_wrong_alone()) {
        return Verdict::Wrong(Box::new(alone(records, wrong, clause)));
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
        && let Some(at) = mixed::place(&calls)
    {
        let anomaly = mixed::anomaly(&known, &calls, at, &values, rules, clause);
        return Verdict::Wrong(Box::new(anomaly));
    }
    match linear::check(&calls, &rules) {
        Judgement::Linearizable => Verdict::Explained,
        Judgement::Undecided { .. } => Verdict::Undecided,
        Judgement::Wrong { .. } => match linear::reduce(&calls, &rules) {
            Some(reduced) => {
                let name = |value| values.name(value);
                let reduced = with_beside(reduced, &known, &calls);
                let mut anomaly = needed(&reduced, &known, &name, clause);
                if anomaly.clause == Clause::Can1 {
                    anomaly.is_right_if_late = is_right_if_late(&known, profile, rules);
                }
                Verdict::Wrong(Box::new(anomaly))
            }
            None => Verdict::Undecided,
        },
    }
}

/// Of a call that was answered as it is not when one client calls at a time.
pub(crate) fn among_others(records: &[Record], wrong: &Record) -> Anomaly {
    let all: Vec<&Record> = records.iter().collect();
    alone(&all, wrong, Clause::Con1)
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

#[cfg(test)]
mod tests;
