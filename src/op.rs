//! Operations and replies: what can be asked of a store, and what it can answer.

use crate::constraint::Constraint;
use crate::snapshot::Snapshot;
use std::fmt;

/// Model time and times to live, in nanoseconds. Sums saturate.
pub type Nanos = i128;

/// A call to a store, time passing, or a restart.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// Load what is live under an id.
    Prepare {
        /// The id.
        id: String,
    },
    /// Write a snapshot under its id.
    Commit {
        /// What to write; `None` is a nil snapshot, which Rust's stores cannot be handed (COM-1).
        snapshot: Option<Snapshot>,
        /// Its time to live; Rust's stores cannot be handed a negative one (COM-3).
        ttl: Nanos,
    },
    /// Remove what is under an id.
    Drop {
        /// The id.
        id: String,
    },
    /// Let time pass.
    Advance {
        /// How much; a negative amount counts as none.
        by: Nanos,
    },
    /// Close the store, and open it anew over what it has kept (DUR-1).
    Restart,
}

/// What a store answered.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// A prepare gave this snapshot.
    Found(Snapshot),
    /// A prepare gave nothing.
    Nothing,
    /// A commit or a drop succeeded, time has passed, or the store is up again.
    Done,
    /// The call was refused, and nothing has changed.
    Refused(Constraint),
}

impl Op {
    /// The id that the operation is about: none of a nil snapshot, of time passing and of a restart.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Prepare { id } | Self::Drop { id } => Some(id),
            Self::Commit { snapshot, .. } => snapshot.as_ref().map(Snapshot::id),
            Self::Advance { .. } | Self::Restart => None,
        }
    }
}

/// Shows no id (SES-8).
impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare { .. } => f.debug_struct("Prepare").finish_non_exhaustive(),
            Self::Commit { snapshot, ttl } => f
                .debug_struct("Commit")
                .field("snapshot", snapshot)
                .field("ttl", ttl)
                .finish(),
            Self::Drop { .. } => f.debug_struct("Drop").finish_non_exhaustive(),
            Self::Advance { by } => f.debug_struct("Advance").field("by", by).finish(),
            Self::Restart => f.write_str("Restart"),
        }
    }
}

/// Shows no id (SES-8).
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(snapshot) => f.debug_tuple("Found").field(snapshot).finish(),
            Self::Nothing => f.write_str("Nothing"),
            Self::Done => f.write_str("Done"),
            Self::Refused(constraint) => f.debug_tuple("Refused").field(constraint).finish(),
        }
    }
}
