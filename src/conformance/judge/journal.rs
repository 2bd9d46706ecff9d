//! Journal: the calls that an oracle has seen, as far as they can still matter.

use super::history::Record;
use super::in_turn;
use super::linear::Start;
use super::nonlinearizable::{self, Verdict};
use super::spans::Span;
use crate::clause::Clause;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::time::nanos;
use crate::conformance::program::unsupported;
use crate::conformance::subject::profile::Profile;
use crate::constraint::Constraint;
use crate::model::{Nanos, Op, Reply};
use std::collections::HashMap;
use std::time::Duration;

/// What a store did that the contract does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{clause} violated: {}\n{history}\nbecause  {because}.", clause.statement())]
#[non_exhaustive]
pub struct Disagreement {
    /// The clause it breaks; of calls that overlapped, [`Clause::Con1`], and [`Clause::Can1`] where one of
    /// them was cancelled.
    pub clause: Clause,
    /// Why.
    pub because: String,
    /// The calls that are needed to see it: who called what when, drawn, and the times of each by the
    /// clock. Snapshots are `v1`, `v2`, ..
    pub history: String,
}

/// Every prepare of one id beyond these is forgotten, if it has returned.
const REMEMBERED: usize = 32;

/// With more calls on one id than these, prepares that have been under way for long are not judged.
const MOST: usize = 128;

#[derive(Default)]
pub(crate) struct Journal {
    profile: Profile,
    /// Calls invoked and returned so far.
    counter: u64,
    calls: HashMap<String, Vec<Record>>,
    /// The lanes of the calls under way: which are taken.
    lanes: Vec<bool>,
}

/// A call that was noted when it was made.
pub(crate) struct Begun {
    op: Op,
    client: u32,
    invoked: u64,
    from: Nanos,
}

impl Journal {
    pub(crate) fn claim(&mut self, profile: Profile) {
        self.profile = profile;
    }

    /// A call is about to be made; the clock was read before.
    pub(crate) fn begin(&mut self, op: Op, now: Duration) -> Begun {
        let free = self.lanes.iter().position(|taken| !taken);
        let lane = free.unwrap_or(self.lanes.len());
        match free {
            Some(lane) => self.lanes[lane] = true,
            None => self.lanes.push(true),
        }
        let begun = Begun {
            client: u32::try_from(lane).unwrap_or(u32::MAX),
            invoked: self.tick(),
            from: nanos(now),
            op,
        };
        let id = begun.op.id().unwrap_or_default().to_owned();
        self.calls.entry(id).or_default().push(Record {
            client: begun.client,
            op: begun.op.clone(),
            outcome: None,
            invoked: begun.invoked,
            returned: u64::MAX,
            clock: Span {
                from: begun.from,
                to: Nanos::MAX,
            },
        });
        begun
    }

    /// The number of a return; the clock is read after it.
    pub(crate) fn returned(&mut self) -> u64 {
        self.tick()
    }

    fn tick(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The call's future was dropped; the clock is read after it.
    pub(crate) fn cancel(&mut self, begun: &Begun, returned: u64, now: Duration) {
        self.lanes[begun.client as usize] = false;
        if let Some(record) = self.record(begun) {
            record.returned = returned;
            record.clock.to = nanos(now);
        }
    }

    /// The call has returned; with what is wrong, if anything is.
    pub(crate) fn end(
        &mut self,
        begun: &Begun,
        reply: Option<Reply>,
        returned: u64,
        now: Duration,
    ) -> Option<Disagreement> {
        self.lanes[begun.client as usize] = false;
        let wrong = reply
            .as_ref()
            .and_then(|reply| self.wrong_alone(&begun.op, reply));
        let Some(record) = self.record(begun) else {
            return wrong;
        };
        record.returned = returned;
        record.clock.to = nanos(now);
        record.outcome = Some(match reply {
            Some(reply) => Outcome::Replied(reply),
            None => Outcome::Failed(String::new()),
        });
        let is_refused = matches!(record.outcome, Some(Outcome::Replied(Reply::Refused(_))));
        let id = begun.op.id().unwrap_or_default();
        let calls = self.calls.get_mut(id)?;
        if is_refused {
            // Nothing has changed, so nothing happened.
            calls.retain(|record| record.invoked != begun.invoked);
        }
        if wrong.is_some() {
            return wrong;
        }
        let records: Vec<&Record> = calls.iter().collect();
        let verdict =
            nonlinearizable::on_one_id(&records, &self.profile, Start::Unknown, Clause::Con1);
        if let Verdict::Wrong(anomaly) = verdict {
            // What follows is judged by itself: of what was before, only writes that may still come.
            let may_come =
                |call: &Record| call.is_under_way() || may_come_late(call, &self.profile);
            calls.retain(|call| !is_prepare(call) && may_come(call));
            let in_turn = in_turn::first_broken(&anomaly.records, &self.profile);
            return Some(Disagreement {
                clause: in_turn.unwrap_or(anomaly.clause),
                because: anomaly.because(),
                history: anomaly.lanes.clone() + &anomaly.times(),
            });
        }
        forget(calls, &self.profile);
        None
    }

    fn record(&mut self, begun: &Begun) -> Option<&mut Record> {
        let calls = self.calls.get_mut(begun.op.id()?)?;
        calls
            .iter_mut()
            .rfind(|record| record.invoked == begun.invoked)
    }

    /// An answer that is wrong whatever was called before.
    fn wrong_alone(&self, op: &Op, reply: &Reply) -> Option<Disagreement> {
        let id = op.id().unwrap_or_default();
        let ttl = match op {
            Op::Commit { ttl, .. } => Some(*ttl),
            _ => None,
        };
        let no_life = ttl.is_some_and(|ttl| ttl <= 0);
        let (clause, because) = match reply {
            Reply::Found(_) if id.is_empty() => {
                (Clause::Pre2, "there is something under the empty id")
            }
            Reply::Found(found) if found.id() != id => {
                (Clause::Idn1, "a prepare gave a snapshot of another id")
            }
            Reply::Done if ttl.is_some() && id.is_empty() => {
                (Clause::Com2, "a commit under the empty id was not refused")
            }
            Reply::Refused(constraint) => {
                let outcome = Outcome::Replied(reply.clone());
                let is_right = match constraint {
                    Constraint::EmptyId => ttl.is_some() && id.is_empty(),
                    Constraint::TtlNotPositive => no_life,
                    Constraint::UnsupportedId | Constraint::UnsupportedValue => {
                        unsupported::refusal(op, &outcome, &self.profile.supported).is_some()
                    }
                    Constraint::NilSnapshot => false,
                };
                if is_right {
                    return None;
                }
                match constraint {
                    Constraint::UnsupportedValue if ttl.is_some() => (
                        Clause::Val1,
                        "a value was refused that the store claims to hold",
                    ),
                    _ => (Clause::Com5, "a call was refused that breaks no constraint"),
                }
            }
            _ => return None,
        };
        Some(Disagreement {
            clause,
            because: because.to_owned(),
            history: String::new(),
        })
    }
}

/// Forgets what cannot matter any more: what had returned when a later write was called that is sure,
/// for all that is still to be judged comes after that write. Of the writes that would do, the last but
/// one is taken: one more makes what is wrong easier to see. And prepares beyond the last ones.
fn forget(calls: &mut Vec<Record>, profile: &Profile) {
    while !forget_before(calls, profile) && calls.len() > MOST {
        let Some(waiting) = calls
            .iter()
            .position(|call| is_prepare(call) && call.is_under_way())
        else {
            break;
        };
        // It may have seen whatever was there since it was called; what it gives is not judged.
        calls.remove(waiting);
    }
    let prepares = calls.iter().filter(|call| is_prepare(call)).count();
    let mut surplus = prepares.saturating_sub(REMEMBERED);
    calls.retain(|call| {
        let goes = surplus > 0 && is_prepare(call) && !call.is_under_way();
        surplus -= usize::from(goes);
        !goes
    });
}

/// Says whether there is such a write.
fn forget_before(calls: &mut Vec<Record>, profile: &Profile) -> bool {
    let waiting = calls
        .iter()
        .filter(|call| is_prepare(call) && call.is_under_way());
    let waiting = waiting.map(|call| call.invoked).min().unwrap_or(u64::MAX);
    let done = Some(Outcome::Replied(Reply::Done));
    let sure = calls.iter().rev().filter(|call| call.outcome == done);
    let mut sure = sure.filter(|call| call.returned < waiting);
    let Some((called, returned)) = sure.nth(1).map(|write| (write.invoked, write.returned)) else {
        return false;
    };
    calls.retain(|call| match is_prepare(call) {
        true => call.invoked > returned,
        false => call.returned > called || may_come_late(call, profile),
    });
    true
}

fn is_prepare(call: &Record) -> bool {
    matches!(call.op, Op::Prepare { .. })
}

/// Whether a write may take effect after it has returned, at any time (ERR-3, CAN-1).
fn may_come_late(call: &Record, profile: &Profile) -> bool {
    match call.outcome {
        Some(Outcome::Failed(_)) => true,
        None => profile.remote,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
