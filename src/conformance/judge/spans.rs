//! Spans: what a store may answer when the time of a call is only known to lie in a span.
//!
//! A reply is wrong only if no permitted world explains it. In every such world the store read its
//! clock once during each call, at most `uncertainty` off; it rounds deadlines up by less than its
//! resolution, or lets entries go `early`; and a deadline beyond its horizon counts as at or after the
//! horizon. For each entry
//! this comes to two bounds on its deadline, and a prepare has
//!
//! ```text
//!                      earliest                    latest
//!   ──── must be live ────┤──── either is right ────├──── must be gone ────▶ time
//! ```

use super::worlds::World;
use crate::clause::Clause;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::profile::Profile;
use crate::model::{Expected, Model, Nanos, Op, Reply};
use crate::snapshot::Snapshot;
use std::collections::BTreeMap;

/// The replies that some permitted world explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// What the contract wants if times are taken as they were measured.
    pub(crate) expected: Expected,
    /// The other reply that is right, where there is one.
    pub(crate) or: Option<Expected>,
    /// There is, since the measured times do not decide.
    pub(crate) is_open: bool,
}

impl Admitted {
    fn only(expected: Expected) -> Self {
        Self {
            expected,
            or: None,
            is_open: false,
        }
    }

    pub(crate) fn admits(&self, reply: &Reply) -> bool {
        let mut both = std::iter::once(&self.expected).chain(&self.or);
        both.any(|right| right.admits(reply))
    }

    /// What should have come where this came, which is wrong: of two right replies, a snapshot where a
    /// snapshot came.
    fn in_place_of(&mut self, came: Option<&Reply>) -> &mut Expected {
        let is_found = |right: &Expected| matches!(right.reply, Reply::Found(_));
        if matches!(came, Some(Reply::Found(_)))
            && !is_found(&self.expected)
            && let Some(or) = self.or.as_mut().filter(|or| is_found(or))
        {
            std::mem::swap(&mut self.expected, or);
        }
        &mut self.expected
    }
}

/// A span of time, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub from: Nanos,
    /// The last one.
    pub to: Nanos,
}

#[derive(Clone, Default)]
pub(crate) struct Judge {
    profile: Profile,
    model: Model,
    entries: BTreeMap<String, Bounds>,
    /// Commits that have succeeded.
    commits: u64,
    /// The last commit whose entry was let go of while none was newer (COM-5): those that had not
    /// been used since it must have gone before.
    newest_evicted: u64,
    /// The store's clock shows no more than this.
    latest_now: Nanos,
}

/// What is known of the deadline of the last commit of an id.
#[derive(Clone)]
struct Bounds {
    snapshot: Snapshot,
    earliest: Nanos,
    latest: Nanos,
    /// A prepare has found it gone, so it stays so (TTL-4).
    seen_gone: bool,
    /// A restart may have lost it, and no prepare has told since (DUR-1).
    at_risk: bool,
    /// How many commits had succeeded by its own, with that; and by its last use, which is that
    /// commit or a prepare that found it.
    ordinal: u64,
    used: u64,
    /// The clause under which its commit put it there, DUR-1 once it has outlived a restart, and
    /// whether the program has let time pass since.
    by: Clause,
    has_aged: bool,
}

impl Judge {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            ..Self::default()
        }
    }

    /// What a call in this span may answer. Spans must not go back.
    pub(crate) fn step(&mut self, op: &Op, span: Span) -> Admitted {
        self.latest_now = span.to + nanos(self.profile.uncertainty);
        let by = span.from - self.model.now();
        self.model.step(&Op::Advance { by });
        let expected = self.model.step(op);
        match op {
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } if expected.reply == Reply::Done => {
                self.commits += 1;
                let bounds = self.bounds(snapshot, *ttl, span, expected.clause);
                self.entries.insert(snapshot.id().to_owned(), bounds);
            }
            Op::Drop { id } => {
                self.entries.remove(id);
            }
            Op::Prepare { id } => {
                if let Some(bounds) = self.entries.get(id) {
                    return self.prepare(bounds, expected, span);
                }
            }
            _ => {}
        }
        Admitted::only(expected)
    }

    /// Takes note of a restart, over which a store that claims no durability may lose any entry.
    pub(crate) fn restart(&mut self) {
        self.model.step(&Op::Restart);
        for bounds in self.entries.values_mut() {
            bounds.at_risk |= !self.profile.durable;
            bounds.by = Clause::Dur1;
        }
    }

    /// Takes note that the program lets time pass. How much, the next span tells.
    pub(crate) fn advance(&mut self) {
        for bounds in self.entries.values_mut() {
            bounds.has_aged = true;
        }
    }

    /// Takes note of a right reply.
    pub(crate) fn observe(&mut self, op: &Op, reply: &Reply) {
        let Op::Prepare { id } = op else {
            return;
        };
        let Some(bounds) = self.entries.get_mut(id) else {
            return;
        };
        if let Reply::Found(_) = reply {
            bounds.at_risk = false;
            bounds.used = self.commits;
            return;
        }
        let by_eviction = !bounds.seen_gone && !bounds.at_risk && self.latest_now < bounds.earliest;
        if by_eviction && bounds.ordinal == self.commits {
            self.newest_evicted = bounds.ordinal;
        }
        bounds.seen_gone = true;
    }

    fn bounds(&self, snapshot: &Snapshot, ttl: Nanos, span: Span, by: Clause) -> Bounds {
        let uncertainty = nanos(self.profile.uncertainty);
        let early = nanos(self.profile.early);
        let earliest = (span.from - uncertainty).saturating_add(ttl) - early;
        let latest = (span.to + uncertainty).saturating_add(ttl);
        let horizon = self.profile.horizon.map_or(Nanos::MAX, |horizon| {
            (span.from - uncertainty).saturating_add(nanos(horizon))
        });
        Bounds {
            snapshot: snapshot.clone(),
            earliest: earliest.min(horizon),
            latest: if latest > horizon {
                Nanos::MAX
            } else {
                latest.saturating_add(nanos(self.profile.resolution))
            },
            seen_gone: false,
            at_risk: false,
            ordinal: self.commits,
            used: self.commits,
            by,
            has_aged: false,
        }
    }

    fn prepare(&self, bounds: &Bounds, nominal: Expected, span: Span) -> Admitted {
        let uncertainty = nanos(self.profile.uncertainty);
        let (first, last) = (span.from - uncertainty, span.to + uncertainty);
        let by_age = match bounds.by {
            Clause::Dur1 => Clause::Dur1,
            _ if bounds.has_aged => Clause::Ttl1,
            by => by,
        };
        let found = || Expected::new(Reply::Found(bounds.snapshot.clone()), by_age);
        let nothing = |clause| Expected::new(Reply::Nothing, clause);
        if bounds.seen_gone {
            Admitted::only(nothing(Clause::Ttl4))
        } else if bounds.used < self.newest_evicted {
            Admitted::only(nothing(Clause::Com5))
        } else if last < bounds.earliest {
            let may_be_gone = self.profile.may_evict || bounds.at_risk;
            Admitted {
                or: may_be_gone.then(|| nothing(by_age)),
                ..Admitted::only(found())
            }
        } else if first >= bounds.latest {
            Admitted::only(nothing(Clause::Ttl2))
        } else {
            let or = match nominal.reply {
                Reply::Nothing => found(),
                _ => nothing(Clause::Ttl2),
            };
            Admitted {
                expected: nominal,
                or: Some(or),
                is_open: true,
            }
        }
    }
}

impl World for Judge {
    type Admitted = Admitted;

    fn admits(admitted: &Admitted, reply: &Reply) -> bool {
        admitted.admits(reply)
    }

    fn in_place_of<'a>(admitted: &'a mut Admitted, came: Option<&Reply>) -> &'a mut Expected {
        admitted.in_place_of(came)
    }

    fn observe(&mut self, op: &Op, reply: &Reply) {
        Judge::observe(self, op, reply);
    }
}

#[cfg(test)]
mod tests;
