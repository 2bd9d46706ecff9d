//! Profile: what a store claims.

use crate::clause::Clause;
use crate::model::Nanos;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a store claims. By default everything: any id that it does not refuse, any value, exact
/// time without an end.
///
/// Within its claims, every wrong reply is a violation; outside them, either reply is right.
///
/// ```
/// # use session_spec::conformance::Profile;
/// # use session_spec::Clause;
/// # use std::time::Duration;
/// let profile = Profile::default()
///     .resolution(Duration::from_secs(1)) // deadlines in whole seconds, rounded up
///     .unclaimed(Clause::Com4, "the backend deletes before it validates");
/// ```
#[derive(Clone, Default)]
pub struct Profile {
    pub(super) resolution: Duration,
    pub(super) horizon: Option<Duration>,
    pub(super) uncertainty: Duration,
    pub(super) ids: Option<Pairs>,
    pub(super) depth: Option<usize>,
    pub(super) size: Option<usize>,
    pub(super) unclaimed: Vec<(Clause, String)>,
}

/// Pairs of ids, by a number.
type Pairs = Arc<dyn Fn(u64) -> [String; 2] + Send + Sync>;

impl Profile {
    /// The store's clock has steps of this size, and it rounds up: an entry may live on for less
    /// than one step after its deadline (TTL-2, COM-7).
    #[must_use]
    pub fn resolution(mut self, resolution: Duration) -> Self {
        self.resolution = resolution;
        self
    }

    /// The store's deadlines reach this far from now: beyond it, an entry is live until then, and
    /// afterwards either answer is right (COM-7).
    #[must_use]
    pub fn horizon(mut self, horizon: Duration) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// How far the store's clock may be from the kit's, either way: another machine's clock, or one
    /// that is read in coarse steps.
    #[must_use]
    pub fn uncertainty(mut self, uncertainty: Duration) -> Self {
        self.uncertainty = uncertainty;
        self
    }

    /// The ids that the store supports, in pairs that it must tell apart. `pair` is called with all
    /// kinds of numbers, and gives different ids for one. Ids of other forms are not tried, and no
    /// id is refused then.
    #[must_use]
    pub fn ids(mut self, pair: impl Fn(u64) -> [String; 2] + Send + Sync + 'static) -> Self {
        self.ids = Some(Arc::new(pair));
        self
    }

    /// How deep values may nest, in levels; at most [`MAX_DEPTH`](crate::data::MAX_DEPTH).
    #[must_use]
    pub fn depth(mut self, levels: usize) -> Self {
        self.depth = Some(levels);
        self
    }

    /// How large a snapshot's wire form may be, in bytes.
    #[must_use]
    pub fn size(mut self, bytes: usize) -> Self {
        self.size = Some(bytes);
        self
    }

    /// The store does not claim this clause, for this reason. The report says so.
    #[must_use]
    pub fn unclaimed(mut self, clause: Clause, why: impl Into<String>) -> Self {
        self.unclaimed.push((clause, why.into()));
        self
    }

    /// Why the clause is not claimed, if it is not.
    pub(super) fn why_unclaimed(&self, clause: Clause) -> Option<&str> {
        let found = self
            .unclaimed
            .iter()
            .find(|(unclaimed, _)| *unclaimed == clause);
        found.map(|(_, why)| why.as_str())
    }

    /// Whether the model alone says what is right: time is exact, and any id may be refused.
    pub(super) fn is_plain(&self) -> bool {
        self.resolution.is_zero()
            && self.uncertainty.is_zero()
            && self.horizon.is_none()
            && self.ids.is_none()
    }
}

/// A duration in model time.
pub(super) fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos().cast_signed()
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("resolution", &self.resolution)
            .field("horizon", &self.horizon)
            .field("uncertainty", &self.uncertainty)
            .field("ids", &self.ids.as_ref().map(|_| ".."))
            .field("depth", &self.depth)
            .field("size", &self.size)
            .field("unclaimed", &self.unclaimed)
            .finish()
    }
}
