//! Profile: what a store claims.

use crate::clause::Clause;
use crate::conformance::program::Time;
use crate::conformance::program::alphabet::Alphabet;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::time::nanos;
use crate::conformance::subject::{panics, watch};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::panic;
use std::sync::Arc;
use std::time::Duration;

/// What a store claims. By default everything that a store in one process can: any id that it does
/// not refuse, any value, exact time without an end. To outlive a restart is claimed by
/// [`durable`](Profile::durable).
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
#[expect(clippy::struct_excessive_bools, reason = "each is a claim of its own")]
pub struct Profile {
    pub(crate) resolution: Duration,
    pub(crate) horizon: Option<Duration>,
    pub(crate) uncertainty: Duration,
    pub(crate) early: Duration,
    /// What programs may have in them.
    pub(crate) supported: Supported,
    pub(crate) may_evict: bool,
    pub(crate) durable: bool,
    pub(crate) remote: bool,
    pub(crate) one_client: bool,
    pub(crate) unclaimed: Vec<(Clause, String)>,
}

impl Profile {
    /// The store's clock has steps of this size, and it rounds up, or it sweeps as often: an entry may
    /// live on for less than one step after its deadline (TTL-2, COM-7). Once it was found gone, it is
    /// (TTL-4).
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

    /// An entry may be gone so long before its deadline (TTL-1), as of a store that keeps it for a whole number of
    /// seconds, rounded down. Once it was found gone, it is (TTL-4). Shorter than a
    /// [tick](crate::conformance::Check::tick), of which nothing could be told otherwise.
    #[must_use]
    pub fn early(mut self, early: Duration) -> Self {
        self.early = early;
        self
    }

    /// The ids that the store supports, in pairs that it must tell apart. `pair` is called with all
    /// kinds of numbers, and gives different ids for one. Ids of other forms are not tried, and no
    /// id is refused then.
    #[must_use]
    pub fn ids(mut self, pair: impl Fn(u64) -> [String; 2] + Send + Sync + 'static) -> Self {
        let told = move |number| {
            panics::catching_one(|| pair(number)).unwrap_or_else(|message| {
                let reason = format!("Profile::ids panicked for {number}: {message}");
                watch::misused_if_watched(reason);
                panic::resume_unwind(Box::new(message))
            })
        };
        self.supported.ids = Some(Arc::new(told));
        self
    }

    /// The ids that the store supports, by their characters and lengths (in characters): all of these, and no
    /// others. The kit makes pairs of them that careless stores take for one another: in another case, cut
    /// at one end, with one mark for another.
    ///
    /// ```
    /// # use session_spec::conformance::Profile;
    /// let hexadecimal = Profile::default().ids_of("0123456789abcdef", 64..=64);
    /// ```
    #[must_use]
    pub fn ids_of(mut self, characters: &str, lengths: RangeInclusive<usize>) -> Self {
        let alphabet = Alphabet::new(characters, lengths);
        if let Ok(alphabet) = alphabet.clone() {
            self = self.ids(move |number| alphabet.pair(number));
        }
        self.supported.alphabet = Some(alphabet);
        self
    }

    /// How deep values may nest, in levels; at most [`MAX_DEPTH`](crate::data::MAX_DEPTH). Deeper ones the
    /// store may refuse, as [unsupported](crate::Constraint::UnsupportedValue) (VAL-1).
    #[must_use]
    pub fn depth(mut self, levels: usize) -> Self {
        self.supported.values.depth = Some(levels);
        self
    }

    /// How large a snapshot's wire form may be, in bytes. Larger ones the store may refuse, as
    /// [unsupported](crate::Constraint::UnsupportedValue) (VAL-1).
    #[must_use]
    pub fn size(mut self, bytes: usize) -> Self {
        self.supported.values.size = Some(bytes);
        self
    }

    /// The store keeps numbers as doubles (IEEE 754), as a JavaScript object or a Lua table does. It holds the
    /// integers up to 2^53 - 1, either way, and the doubles that no integer of 64 bits equals: those with a
    /// fraction and those beyond. Others it may refuse, as
    /// [unsupported](crate::Constraint::UnsupportedValue) (VAL-1): 2^53 + 1, which becomes 2^53, and also 1.0 and
    /// -0.0, since 1 and 1.0 are two values (SNP-4), and a double is one.
    #[must_use]
    pub fn doubles_only(mut self) -> Self {
        self.supported.values.doubles_only = true;
        self
    }

    /// Characters that the store holds in no text of a snapshot: no value, key, e-mail address or CSRF token, as
    /// the `jsonb` of Postgres holds no `\0`. A snapshot with one of them it may refuse, as
    /// [unsupported](crate::Constraint::UnsupportedValue) (VAL-1). Letters and digits of ASCII, `@` and `.` it
    /// has to hold.
    ///
    /// ```
    /// # use session_spec::conformance::Profile;
    /// let jsonb = Profile::default().refuses_characters("\0");
    /// ```
    #[must_use]
    pub fn refuses_characters(mut self, characters: &str) -> Self {
        let refused = &mut self.supported.values.refused_characters;
        refused.extend(characters.chars());
        self
    }

    /// The store may let go of a live entry, as caches do: nothing is a right answer then, at any
    /// time. A wrong snapshot is not, an entry that is gone stays so (TTL-4), and the one committed
    /// last is not let go of while older ones remain that nobody has read since (COM-5).
    #[must_use]
    pub fn may_evict(mut self) -> Self {
        self.may_evict = true;
        self
    }

    /// The store outlives a restart: what it has acknowledged is there afterwards, commits and drops
    /// alike (DUR-1). One that does not say this may lose entries at a restart, all or some of them,
    /// but may not bring back a dropped one or an older snapshot, and what is there afterwards has the
    /// life that was left to it, neither more nor less. Checked on a subject that can
    /// [restart](crate::conformance::Subject::restart).
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// The store is a client of something outside this process, or hands its calls to a task of its
    /// own: a cancelled call may take effect long after its future was dropped (CAN-1). Any other
    /// store in this process has to be done by then.
    #[must_use]
    pub fn remote(mut self) -> Self {
        self.remote = true;
        self
    }

    /// The store is for one client at a time: nothing is claimed of calls that overlap (CON-1, CON-2),
    /// and none are made.
    #[must_use]
    pub fn one_client(mut self) -> Self {
        self.one_client = true;
        self
    }

    /// The store does not claim this clause, for this reason. The report says so.
    #[must_use]
    pub fn unclaimed(mut self, clause: Clause, why: impl Into<String>) -> Self {
        self.unclaimed.push((clause, why.into()));
        self
    }

    /// Why the clause is not claimed, if it is not.
    pub(crate) fn why_unclaimed(&self, clause: Clause) -> Option<&str> {
        let found = self
            .unclaimed
            .iter()
            .find(|(unclaimed, _)| *unclaimed == clause);
        match found {
            Some((_, why)) => Some(why),
            None if clause == Clause::Ttl1 && self.may_evict => Some("the store may evict"),
            None if Clause::CONCURRENT.contains(&clause) && self.one_client => {
                Some("the store is for one client at a time")
            }
            None => None,
        }
    }

    /// Whether the model alone says what is right: time is exact, and any id may be refused.
    pub(crate) fn is_plain(&self) -> bool {
        self.resolution.is_zero()
            && self.uncertainty.is_zero()
            && self.early.is_zero()
            && self.horizon.is_none()
            && self.supported.ids.is_none()
            && !self.may_evict
    }
}

/// What sets it apart from the default, in a few words.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |duration: Duration| Time(nanos(duration)).to_string();
        let mut parts = Vec::new();
        if !self.resolution.is_zero() {
            parts.push(format!("resolution {}", time(self.resolution)));
        }
        if !self.uncertainty.is_zero() {
            parts.push(format!("clock uncertain by {}", time(self.uncertainty)));
        }
        if !self.early.is_zero() {
            parts.push(format!("up to {} early", time(self.early)));
        }
        parts.extend(
            self.horizon
                .map(|horizon| format!("horizon {}", time(horizon))),
        );
        parts.extend(
            self.supported
                .ids
                .as_ref()
                .map(|_| "certain ids".to_owned()),
        );
        let values = &self.supported.values;
        let levels = values.depth;
        parts.extend(levels.map(|levels| format!("values of {levels} levels")));
        let bytes = values.size;
        parts.extend(bytes.map(|bytes| format!("snapshots of {bytes} bytes")));
        let doubles = values.doubles_only;
        parts.extend(doubles.then(|| "numbers as doubles".to_owned()));
        parts.extend(without(&values.refused_characters));
        parts.extend(self.may_evict.then(|| "may evict".to_owned()));
        parts.extend(self.durable.then(|| "durable".to_owned()));
        parts.extend(self.remote.then(|| "remote".to_owned()));
        parts.extend(self.one_client.then(|| "one client at a time".to_owned()));
        let unclaimed = self.unclaimed.iter();
        parts.extend(unclaimed.map(|(clause, _)| format!("{clause} not claimed")));
        match parts.is_empty() {
            true => f.write_str("default"),
            false => f.write_str(&parts.join(", ")),
        }
    }
}

/// Which characters no text has, the first of them.
fn without(characters: &BTreeSet<char>) -> Option<String> {
    const SHOWN: usize = 4;
    let first = characters.iter().take(SHOWN);
    let first = first.map(|character| format!("U+{:04X}", u32::from(*character)));
    let first = first.collect::<Vec<_>>().join(" ");
    match characters.len() {
        0 => None,
        count if count > SHOWN => Some(format!("no {first} and {} more", count - SHOWN)),
        _ => Some(format!("no {first}")),
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("resolution", &self.resolution)
            .field("horizon", &self.horizon)
            .field("uncertainty", &self.uncertainty)
            .field("early", &self.early)
            .field("supported", &self.supported)
            .field("may_evict", &self.may_evict)
            .field("durable", &self.durable)
            .field("remote", &self.remote)
            .field("one_client", &self.one_client)
            .field("unclaimed", &self.unclaimed)
            .finish()
    }
}
