//! Argue: why no order explains the calls that are left.
//!
//! Each argument is one for a single prepare, from the calls that come before or after it in any
//! order. What none of them fits is said to have no order, which the drawing shows.

use super::super::program::Time;
use super::{Call, Kind, Outcome, Reduced, Start, Value};
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
            let what = match write.kind {
                Kind::Commit { value, .. } => format!("commit of {}", name(value)),
                _ => "drop".to_owned(),
            };
            return Some(format!(
                "{reader}'s prepare was called after {}'s {what} had returned, yet it gives {found}, \
                 which {writer} had committed before that",
                self.client(write)
            ));
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
                "{reader}'s prepare gives {found} and {client}'s gives {other}; both had been committed \
                 before either, so both prepares must give the one that was committed last"
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
        let live_until = |call: &Call| {
            let earliest = call.clock.from.saturating_add(self.life(call).0);
            earliest.saturating_sub(self.rules.uncertainty)
        };
        let is_live = |call: &Call| {
            matches!(call.kind, Kind::Commit { .. }) && read.clock.to < live_until(call)
        };
        self.calls.iter().rev().find_map(|commit| {
            let Kind::Commit { value, .. } = commit.kind else {
                return None;
            };
            // Whoever found the value came after the commit, and after whatever came before that.
            let is_past = |call: &Call| {
                let found = |found: &&Call| found.kind == Kind::Found(value);
                is_before(call, commit)
                    || self.only_commit(value).is_some()
                        && self.calls.iter().filter(found).any(|found| is_before(call, found))
            };
            // Whatever may be the last write before the prepare must be live then.
            let mut last = self
                .calls
                .iter()
                .filter(|call| is_write(call) && !is_before(read, call))
                .filter(|call| *call == commit || !is_past(call));
            (self.comes_before(commit, read) && last.all(is_live)).then(|| {
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
                format!(
                    "{}'s commit of {} is live until {} at least, and no drop came after it; {since} \
                     and had returned by {}, and finds nothing",
                    self.client(commit),
                    name(value),
                    Time(live_until(commit)),
                    Time(read.clock.to)
                )
            })
        })
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
