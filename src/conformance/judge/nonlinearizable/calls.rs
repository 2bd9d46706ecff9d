//! Calls: what was recorded, as the search for an order wants it.

use crate::conformance::judge::history::Record;
use crate::conformance::judge::linear::{self, Call, Kind, Rules, Start, Value};
use crate::conformance::judge::spans::Span;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::profile::Profile;
use crate::model::{Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// Numbers for snapshots: equal ones for equal snapshots.
#[derive(Default)]
pub(super) struct Values<'a>(HashMap<&'a str, Vec<(&'a Snapshot, Value)>>, Value);

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
    pub(super) fn name(&self, value: Value) -> String {
        let mut all = self.0.values().flatten();
        let snapshot = all.find(|(_, number)| *number == value);
        let payload = snapshot.and_then(|(snapshot, _)| payload::number_of(snapshot));
        format!("v{}", payload.unwrap_or(value.into()))
    }
}

/// What a store with this profile may do.
pub(super) fn rules(profile: &Profile, start: Start) -> Rules {
    Rules {
        resolution: nanos(profile.resolution),
        uncertainty: nanos(profile.uncertainty),
        early: nanos(profile.early),
        horizon: profile.horizon.map(nanos),
        may_evict: profile.may_evict,
        start,
    }
}

/// A call as the search for an order wants it.
pub(super) fn call<'a>(record: &'a Record, profile: &Profile, values: &mut Values<'a>) -> Call {
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
