//! Argue: why no order explains the calls that are left.
//!
//! Each argument is one for a single prepare, from the calls that come before or after it in any
//! order. What none of them fits is said to have no order, which the drawing shows.

use super::call::{Call, Kind, Outcome, Start, Value};
use super::reduce::Reduced;
use crate::conformance::program::Time;
use crate::model::Nanos;

impl Reduced {
    /// What is wrong, in one or two sentences. `name` says how a value is called.
    pub fn argue(&self, name: &dyn Fn(Value) -> String) -> String {
        let mut reads = self.calls.iter().rev();
        reads
            .find_map(|read| match read.kind {
                Kind::Found(value) => self.against_found(read, value, name),
                Kind::Nothing => self.against_nothing(read, name),
                Kind::Commit { .. } | Kind::Drop => None,
            })
            .unwrap_or_else(|| "no order of these calls explains what they returned".to_owned())
    }

    /// Why a prepare cannot have found a value.
    fn against_found(
        &self,
        read: &Call,
        value: Value,
        name: &dyn Fn(Value) -> String,
    ) -> Option<String> {
        if !self.is_past_the_start(read) {
            return None;
        }
        let (reader, found) = (self.client(read), name(value));
        let could: Vec<&Call> = self
            .calls
            .iter()
            .filter(|call| writes(call, value) && call.invoked < read.returned)
            .collect();
        let [commit] = could[..] else {
            return could.is_empty().then(|| {
                format!("{reader}'s prepare gives {found}, which nobody had committed by then")
            });
        };
        let writer = self.client(commit);
        // Both came after the commit and before the prepare.
        let between = self
            .calls
            .iter()
            .filter(|call| self.comes_before(commit, call) && is_before(call, read));
        let mut writes = between.clone().filter(|call| is_write(call));
        if let Some(write) = writes.find(|write| self.took_effect(write)) {
            let its = self.client(write);
            return Some(match write.kind {
                // Somebody has to show that it took effect.
                Kind::Commit { value, .. } if write.outcome == Outcome::Unknown => format!(
                    "{reader}'s prepare gives {found}, which {writer} had committed before {its}'s commit \
                     of {0}; that took effect, as {1}'s prepare of {0} shows, and no later than it was \
                     cancelled",
                    name(value),
                    self.client(self.finds_of(write).next()?)
                ),
                kind => {
                    let what = match kind {
                        Kind::Commit { value, .. } => format!("commit of {}", name(value)),
                        _ => "drop".to_owned(),
                    };
                    format!(
                        "{reader}'s prepare was called after {its}'s {what} had returned, yet it gives \
                         {found}, which {writer} had committed before that"
                    )
                }
            });
        }
        if let Some(other) = { between }.find(|call| call.kind == Kind::Nothing) {
            return Some(format!(
                "{}'s prepare had found nothing, and nobody has committed {found} again since \
                 {writer} did; yet {reader}'s prepare, called later, gives it",
                self.client(other)
            ));
        }
        let other = self.calls.iter().find_map(|call| match call.kind {
            Kind::Found(other) if other != value => {
                let newer = self.only_commit(other)?;
                let both = self.comes_before(commit, call) && self.comes_before(newer, read)
                    || is_before(commit, newer) && is_before(call, read);
                both.then(|| (self.client(call), name(other)))
            }
            _ => None,
        });
        if let Some((client, other)) = other {
            return Some(format!(
                "{reader}'s prepare gives {found} and {client}'s gives {other}; both commits had taken \
                 effect before either, so both prepares must give the later one"
            ));
        }
        let latest = commit.clock.to.saturating_add(self.life(commit).1);
        (latest <= read.clock.from.saturating_sub(self.rules.uncertainty)).then(|| {
            format!(
                "{writer}'s commit of {found} is gone by {} at the latest, and nobody committed it \
                 again; yet {reader}'s prepare, called at {}, gives it",
                Time(latest.saturating_add(self.rules.uncertainty)),
                Time(read.clock.from)
            )
        })
    }

    /// Why a prepare cannot have found nothing.
    fn against_nothing(&self, read: &Call, name: &dyn Fn(Value) -> String) -> Option<String> {
        if self.rules.may_evict {
            return None;
        }
        self.calls.iter().rev().find_map(|commit| {
            let Kind::Commit { value, .. } = commit.kind else {
                return None;
            };
            if !self.comes_before(commit, read) {
                return None;
            }
            // Whatever may be the last write before the prepare must be live then.
            let gone = self.may_be_last(commit, read);
            let gone: Vec<&Call> = gone.filter(|last| !self.is_live(last, read)).collect();
            let other = match gone[..] {
                [] => "no drop came after it".to_owned(),
                [drop] => {
                    let finder = self.shows_drop(drop).find(|call| is_before(call, commit))?;
                    format!(
                        "{}'s drop had taken effect before it, as {}'s earlier prepare found nothing",
                        self.client(drop),
                        self.client(finder)
                    )
                }
                _ => return None,
            };
            let mut finders = self.finds_of(commit).filter(|found| is_before(found, read));
            // Of a commit that may still be under way it is known by who found it that it comes before.
            let since = match finders.next() {
                Some(finder) => format!(
                    "{}'s prepare had found it, yet {}'s prepare came after that one",
                    self.client(finder),
                    self.client(read)
                ),
                _ => format!("yet {}'s prepare came after it", self.client(read)),
            };
            Some(format!(
                "{}'s commit of {} is live until {} at least, and {other}; {since} and had returned \
                 by {}, and finds nothing",
                self.client(commit),
                name(value),
                Time(self.live_until(commit)),
                Time(read.clock.to)
            ))
        })
    }

    /// The writes that may be the last one before a prepare, of which `commit` comes before it: that
    /// commit, and what need not come before that, nor after the prepare.
    fn may_be_last(&self, commit: &Call, read: &Call) -> impl Iterator<Item = &Call> {
        // Whoever found the value came after the commit, and after whatever came before that.
        let is_past = move |call: &Call| {
            let is_found = || self.finds_of(commit).any(|found| is_before(call, found));
            is_before(call, commit) || is_found()
        };
        let writes = self.calls.iter().filter(|call| is_write(call));
        let read = *read;
        let before = writes.filter(move |call| !is_before(&read, call));
        before.filter(move |call| *call == commit || !is_past(call))
    }

    /// The prepares that found nothing, and cannot have but for this drop, which so came before them.
    fn shows_drop(&self, drop: &Call) -> impl Iterator<Item = &Call> {
        let only_by_drop = move |read: &Call| {
            let mut commits = self.calls.iter().filter(|call| {
                matches!(call.kind, Kind::Commit { .. }) && self.comes_before(call, read)
            });
            commits.any(|commit| {
                let mut gone = self.may_be_last(commit, read);
                gone.all(|last| last == drop || self.is_live(last, read))
            })
        };
        let nothing = self.calls.iter().filter(|call| call.kind == Kind::Nothing);
        nothing.filter(move |read| drop.kind == Kind::Drop && only_by_drop(read))
    }

    /// The least deadline of a commit, whatever the store's clock showed.
    fn live_until(&self, commit: &Call) -> Nanos {
        let earliest = commit.clock.from.saturating_add(self.life(commit).0);
        earliest.saturating_sub(self.rules.uncertainty)
    }

    /// Whether a write leaves an entry that is live when a prepare returns.
    fn is_live(&self, write: &Call, read: &Call) -> bool {
        matches!(write.kind, Kind::Commit { .. }) && read.clock.to < self.live_until(write)
    }

    /// Whether a prepare cannot see what there was before the history began.
    fn is_past_the_start(&self, read: &Call) -> bool {
        let mut writes = self.calls.iter().filter(|call| is_write(call));
        let is_past = |write: &Call| write.outcome == Outcome::Certain && is_before(write, read);
        self.rules.start == Start::Empty || writes.any(is_past)
    }

    /// The commit of a value that can only have come from it.
    fn only_commit(&self, value: Value) -> Option<&Call> {
        let mut commits = self.calls.iter().filter(|call| writes(call, value));
        match (commits.next(), commits.next(), self.rules.start) {
            (Some(commit), None, Start::Empty) => Some(commit),
            _ => None,
        }
    }

    /// Whether a commit has come before a call in any order: it had returned, or somebody had found
    /// what it wrote.
    fn comes_before(&self, commit: &Call, call: &Call) -> bool {
        let is_found = || self.finds_of(commit).any(|found| is_before(found, call));
        self.took_effect(commit) && is_before(commit, call) || is_found()
    }

    /// Whether a write took effect for certain: nobody doubts it, or somebody found what it wrote.
    fn took_effect(&self, write: &Call) -> bool {
        write.outcome == Outcome::Certain || self.finds_of(write).next().is_some()
    }

    /// The prepares that found what this commit wrote, and can only have it from there.
    fn finds_of(&self, commit: &Call) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |found| match found.kind {
            Kind::Found(value) => self.only_commit(value) == Some(commit),
            _ => false,
        })
    }

    /// How long after the moment of a commit its deadline is.
    fn life(&self, commit: &Call) -> (Nanos, Nanos) {
        match commit.kind {
            Kind::Commit { ttl, .. } => self.rules.life(ttl),
            _ => (0, 0),
        }
    }
}

fn is_before(one: &Call, other: &Call) -> bool {
    one.returned < other.invoked
}

fn is_write(call: &Call) -> bool {
    matches!(call.kind, Kind::Commit { .. } | Kind::Drop)
}

fn writes(call: &Call, value: Value) -> bool {
    matches!(call.kind, Kind::Commit { value: other, .. } if other == value)
}
