//! Mixed: a prepare that gives what nobody had committed, such as parts of two commits (CON-2).

use super::anomaly::{Anomaly, needed, with_beside};
use super::calls::Values;
use crate::clause::Clause;
use crate::conformance::judge::history::Record;
use crate::conformance::judge::linear::{Call, Kind, Reduced, Rules, Value};
use crate::conformance::program::Id;
use crate::conformance::program::outcome::Outcome;
use crate::model::{Op, Reply};
use crate::snapshot::Snapshot;
use std::collections::HashSet;

/// The place of the prepare that gave what nobody had committed.
pub(super) fn place(calls: &[Call]) -> Option<usize> {
    let committed = |call: &Call| match call.kind {
        Kind::Commit { value, .. } => Some(value),
        _ => None,
    };
    let committed: HashSet<Value> = calls.iter().filter_map(committed).collect();
    let is_mixed =
        |call: &Call| matches!(call.kind, Kind::Found(value) if !committed.contains(&value));
    calls.iter().position(is_mixed)
}

/// The prepare at this place, with the commits that it gave something of.
pub(super) fn anomaly(
    known: &[&Record],
    calls: &[Call],
    at: usize,
    values: &Values,
    rules: Rules,
    clause: Clause,
) -> Anomaly {
    let prepare = known[at];
    let Some(Outcome::Replied(Reply::Found(found))) = &prepare.outcome else {
        unreachable!("it gave a snapshot");
    };
    let is_of_another = prepare.op.id() != Some(found.id());
    let before = |record: &Record| record.invoked < prepare.returned;
    let last_with = |is_alike: &dyn Fn(&Snapshot) -> bool| {
        known
            .iter()
            .rposition(|record| before(record) && committed(record).is_some_and(is_alike))
    };
    let parts = [
        (
            "token",
            last_with(&|it| it.csrf_token() == found.csrf_token()),
        ),
        (
            "user",
            last_with(&|it| it.user().is_some() && it.user() == found.user()),
        ),
        (
            "data",
            last_with(&|it| !it.data().is_empty() && it.data() == found.data()),
        ),
    ];
    let name = |value| match calls[at].kind == Kind::Found(value) {
        true if is_of_another => "another id's".to_owned(),
        true => "a mix".to_owned(),
        false => values.name(value),
    };
    let sources = |what: &&str| {
        let (_, place) = parts.iter().find(|(part, _)| part == what)?;
        match calls[(*place)?].kind {
            Kind::Commit { value, .. } => Some(format!("the {what} of {}", name(value))),
            _ => None,
        }
    };
    let sources: Vec<String> = ["token", "user", "data"]
        .iter()
        .filter_map(sources)
        .collect();
    let client = prepare.client + 1;
    let because = if is_of_another {
        let (asked, id) = (prepare.op.id().unwrap_or_default(), found.id());
        format!(
            "c{client}'s prepare of {} gives a snapshot of {}",
            Id(asked),
            Id(id)
        )
    } else if sources.is_empty() {
        format!("c{client}'s prepare gives a snapshot that nobody had committed")
    } else {
        let sources = sources.join(" and ");
        format!("c{client}'s prepare gives {sources}, and nobody had committed all that together")
    };
    let is_part = |place| parts.iter().any(|(_, part)| *part == Some(place));
    let is_cancelled = |record: &Record| record.outcome.is_none();
    let places: Vec<usize> = (0..known.len())
        .filter(|place| *place == at || is_part(*place) || is_cancelled(known[*place]))
        .collect();
    let reduced = Reduced {
        calls: places.iter().map(|place| calls[*place]).collect(),
        beside: Vec::new(),
        rules,
        places,
    };
    let reduced = with_beside(reduced, known, calls);
    let half_done = known.iter().any(|record| is_cancelled(record));
    Anomaly {
        clause: match clause {
            _ if half_done || clause == Clause::Can1 => Clause::Can1,
            _ if is_of_another => clause,
            _ => Clause::Con2,
        },
        because: because.replacen(&format!("c{client}"), &reduced.client(&calls[at]), 1),
        ..needed(&reduced, known, &name, clause)
    }
}

fn committed(record: &Record) -> Option<&Snapshot> {
    match &record.op {
        Op::Commit { snapshot, .. } => snapshot.as_ref(),
        _ => None,
    }
}
