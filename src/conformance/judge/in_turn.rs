//! In turn: recorded calls none of which overlaps another, judged as those of one client are.

use super::history::Record;
use super::spans::Judge;
use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::subject::profile::Profile;
use crate::model::{Op, Reply};
use crate::snapshot::Snapshot;

/// The clause that decides the first wrong reply, of calls none of which overlaps another and the
/// first of which is a write.
pub(crate) fn first_broken(records: &[Record], profile: &Profile) -> Option<Clause> {
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
