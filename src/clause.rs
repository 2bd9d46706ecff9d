//! Clauses: every rule of SPEC.md by its number.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

macro_rules! clauses {
    ($($name:ident $id:literal $statement:literal)*) => {
        /// A rule of [SPEC.md](crate::spec). Its text form is its id there, such as `COM-6`.
        ///
        /// Later versions may add clauses; an id is never given to another rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Clause {
            $(#[doc = $statement] $name,)*
        }

        impl Clause {
            /// Every clause, in the order of SPEC.md.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number, such as `COM-6`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// The rule in one sentence, as it stands in SPEC.md.
            pub const fn statement(self) -> &'static str {
                match self { $(Self::$name => $statement,)* }
            }
        }
    };
}

clauses! {
    Tok1 "TOK-1" "A token MUST be exactly 32 characters of the Bitcoin base58 alphabet."
    Tok2 "TOK-2" "Every character of a token MUST be drawn uniformly and independently from a cryptographic generator."
    Tok3 "TOK-3" "Tokens MUST NOT repeat."

    Ses1 "SES-1" "A new session MUST be unauthenticated, without data, and under a fresh id and a fresh CSRF token drawn apart from each other."
    Ses2 "SES-2" "Setting a user on an unauthenticated session MUST attach the user, give a fresh id and a fresh CSRF token, and keep the data."
    Ses3 "SES-3" "Setting a user on an authenticated session MUST replace the user and leave the id and the CSRF token as they are."
    Ses4 "SES-4" "Rotating MUST give a fresh id and a fresh CSRF token and keep the user and the data."
    Ses5 "SES-5" "Data MUST behave as a map: set replaces, get returns what was last set, delete removes, an absent key reads as nothing and deletes as a no-op, and a value read as the wrong type is an error and stays."
    Ses6 "SES-6" "Reading MUST NOT change a session."
    Ses7 "SES-7" "Changing a session MUST take exclusive access to it."
    Ses8 "SES-8" "No debug output, display output or error text of any type MUST show the id or the CSRF token of a real session."
    Ses9 "SES-9" "A CSRF token MUST be compared in constant time."

    Snp1 "SNP-1" "A session made from the snapshot of a session MUST equal that session."
    Snp2 "SNP-2" "A snapshot and its session MUST share their data without a copy until one of them writes, and a write on one side MUST NOT be seen on the other."
    Snp3 "SNP-3" "The wire form MUST be a JSON object with `id`, `csrf_token`, `user` (absent when there is none; `email` and any further attributes, kept as they are) and `data` (absent when empty), and a reader MUST ignore other top-level fields."
    Snp4 "SNP-4" "Decoding an encoded snapshot MUST give back an equal one, and a value that JSON cannot carry back MUST be refused when it is set."
    Snp5 "SNP-5" "Bytes that are not a snapshot, or that hold another id than the key they were read under, MUST be a typed error that quotes nothing of them."

    Pre1 "PRE-1" "Preparing an id that was never committed MUST give nothing."
    Pre2 "PRE-2" "Preparing the empty id MUST give nothing."
    Pre3 "PRE-3" "Preparing a live id MUST give the snapshot last committed under it, equal in every field."
    Pre4 "PRE-4" "Preparing MUST NOT change anything that can be observed."

    Com1 "COM-1" "Committing a nil snapshot MUST be refused."
    Com2 "COM-2" "Committing a snapshot with an empty id MUST be refused."
    Com3 "COM-3" "Committing with a time to live that is not positive MUST be refused."
    Com4 "COM-4" "A refused commit MUST NOT change anything."
    Com5 "COM-5" "After a commit the next prepare of that id MUST give the committed snapshot."
    Com6 "COM-6" "A commit over a live entry MUST replace the whole snapshot and restart the entry's life from now."
    Com7 "COM-7" "Every positive time to live MUST be honoured, from one nanosecond to the largest the type holds."
    Com8 "COM-8" "A commit after a drop or an expiry MUST create the entry again."

    Drp1 "DRP-1" "After a drop, preparing that id MUST give nothing."
    Drp2 "DRP-2" "Dropping an unknown, expired or already dropped id MUST succeed and do nothing."
    Drp3 "DRP-3" "Dropping the empty id MUST succeed and do nothing."
    Drp4 "DRP-4" "A drop MUST NOT touch any id but its own."

    Ttl1 "TTL-1" "A committed entry MUST be live while now is before its commit time plus its time to live."
    Ttl2 "TTL-2" "A committed entry MUST be gone once now is at or after its commit time plus its time to live."
    Ttl3 "TTL-3" "The passing of time MUST NOT change anything but liveness, and each entry's on its own."
    Ttl4 "TTL-4" "An entry once observed gone MUST NOT be seen again without a commit."

    Idn1 "IDN-1" "Two ids MUST be the same only if they are equal byte for byte."
    Idn2 "IDN-2" "A store that cannot hold some id MUST refuse to commit it, answer nothing when it is prepared, succeed when it is dropped, and never file it under another."

    Val1 "VAL-1" "A store that cannot hold some value MUST refuse to commit it as unsupported, change nothing, and never store another value in its place."

    Iso1 "ISO-1" "Changing a session or a snapshot after its commit MUST NOT change the stored entry."
    Iso2 "ISO-2" "Changing a prepared snapshot MUST NOT change the stored entry, nor what another prepare returns."

    Con1 "CON-1" "A store MUST be usable from many tasks at once, with calls that are linearizable per id."
    Con2 "CON-2" "A prepare MUST NOT return a mix of two commits."

    Can1 "CAN-1" "A cancelled call MUST take effect wholly and once, or not at all, and later calls MUST work."

    Err1 "ERR-1" "No input MUST make a store panic or hang."
    Err2 "ERR-2" "A backend that cannot answer MUST be an error, never nothing and never done."
    Err3 "ERR-3" "After an error of unknown outcome the entry MUST be as it was or as was asked for, and a refusal MUST NOT be of unknown outcome."

    Dur1 "DUR-1" "After a restart a store that claims durability MUST have every acknowledged commit and drop, and no store may bring back a dropped entry or an older snapshot."

    Flo1 "FLO-1" "Saving a session MUST commit it under its id and drop every other id under which it was loaded, built, saved or tried to be saved and which is not yet dropped."
    Flo2 "FLO-2" "Once a save has succeeded, none of the session's earlier ids MUST resolve, unless somebody commits it again."
    Flo3 "FLO-3" "A failure in the middle of a save MUST NOT lose the session, nor report success while an earlier id still resolves."

    Mem1 "MEM-1" "MemStore MUST free an expired entry at the latest when it is prepared."
    Mem2 "MEM-2" "MemStore MUST take its time from a clock that the caller can inject."
    Mem3 "MEM-3" "MemStore's refusals MUST read `memstore: ` and the constraint."
    Mem4 "MEM-4" "Once entries have expired and as many commits have followed, MemStore MUST hold at most twice the live entries plus 64."
    Mem5 "MEM-5" "Under a limit on entries or bytes, MemStore MUST let go of expired entries first and then of the least recently committed, and refuse an entry larger than the limit without a change."
}

/// Sets of clauses.
#[cfg(feature = "conformance")]
impl Clause {
    /// The clauses that a store can keep or break.
    pub(crate) const STORE: &[Self] = &[
        Self::Snp4,
        Self::Pre1,
        Self::Pre2,
        Self::Pre3,
        Self::Pre4,
        Self::Com1,
        Self::Com2,
        Self::Com3,
        Self::Com4,
        Self::Com5,
        Self::Com6,
        Self::Com7,
        Self::Com8,
        Self::Drp1,
        Self::Drp2,
        Self::Drp3,
        Self::Drp4,
        Self::Ttl1,
        Self::Ttl2,
        Self::Ttl3,
        Self::Ttl4,
        Self::Idn1,
        Self::Idn2,
        Self::Val1,
        Self::Iso1,
        Self::Iso2,
        Self::Con1,
        Self::Con2,
        Self::Can1,
        Self::Err1,
        Self::Err2,
        Self::Err3,
        Self::Dur1,
    ];

    /// Rust has no nil snapshot, and what a store was given or gave is copied on write (SNP-2).
    pub(crate) const BY_CONSTRUCTION: &[Self] = &[Self::Com1, Self::Iso1, Self::Iso2];

    /// They need faults.
    pub(crate) const NOT_CHECKED: &[Self] = &[Self::Err2, Self::Err3];

    /// What takes a restart to break, which not every subject can do.
    pub(crate) const RESTARTED: &[Self] = &[Self::Dur1];

    /// What takes several clients to break.
    pub(crate) const CONCURRENT: &[Self] = &[Self::Con1, Self::Con2];

    /// What takes a cancelled call to break.
    pub(crate) const CANCELLED: &[Self] = &[Self::Can1];
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// There is no clause of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no clause {name:?}; clauses are {}", families())]
pub struct UnknownClause {
    name: String,
}

/// `TOK-1 to TOK-3, SES-1 to SES-9, ..`
fn families() -> String {
    Clause::ALL
        .chunk_by(|a, b| a.id()[..3] == b.id()[..3])
        .map(|family| match family {
            [only] => only.to_string(),
            [first, .., last] => format!("{first} to {last}"),
            [] => String::new(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// From its id, in capitals or not.
impl FromStr for Clause {
    type Err = UnknownClause;

    fn from_str(name: &str) -> Result<Self, UnknownClause> {
        Self::ALL
            .iter()
            .copied()
            .find(|clause| clause.id().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownClause {
                name: name.to_owned(),
            })
    }
}

impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Clause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_found_by_its_id() {
        for clause in Clause::ALL {
            assert_eq!(clause.id().parse(), Ok(*clause));
            assert_eq!(clause.id().to_lowercase().parse(), Ok(*clause));
        }
    }

    #[test]
    fn an_unknown_clause_is_named_and_the_known_ones_shown() {
        let error = "COM-99".parse::<Clause>().unwrap_err().to_string();
        assert!(error.starts_with(r#"no clause "COM-99"; clauses are TOK-1 to TOK-3, "#));
        assert!(error.contains("COM-1 to COM-8") && error.contains("CAN-1, "));
    }
}
