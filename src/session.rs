//! Sessions: what one request holds, between loading it from a store and saving it there.

use crate::data::{Data, DataError};
use crate::snapshot::{DecodeError, Snapshot, User};
use crate::store::{Store, StoreError};
use crate::token;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// One visitor's session, owned by one request.
///
/// ```
/// # use session_spec::{MemStore, Session, Store, StoreError, User};
/// # use std::time::Duration;
/// # async fn login(store: &MemStore, cookie: &str) -> Result<String, StoreError> {
/// let mut session = Session::load(store, cookie).await?; // a fresh one, if there is none
/// session.set_user(User::new("alice@example.com")); // a fresh id, against session fixation
/// session.save(store, Duration::from_secs(3600)).await?; // and the old id is gone
/// Ok(session.id().to_owned()) // the next cookie
/// # }
/// ```
///
/// Changing a session takes exclusive access, so one that is shared cannot be written to (SES-7):
///
/// ```compile_fail,E0596
/// # use session_spec::Session;
/// fn handler(shared: &Session) {
///     shared.set("k", 1).unwrap();
/// }
/// ```
pub struct Session {
    state: Snapshot,
    /// Every id under which a store may hold this session: it was loaded or built under it, or a
    /// save of it was begun, and no drop of it has succeeded since (FLO-1).
    known: Vec<Box<str>>,
}

impl Session {
    /// A new session: nobody's, empty, under fresh tokens (SES-1).
    ///
    /// # Panics
    /// As [`token::generate`].
    pub fn new() -> Self {
        Self {
            state: Snapshot::new(token::generate(), token::generate(), None, Data::default()),
            known: Vec::new(),
        }
    }

    /// The session that `snapshot` was taken of (SNP-1). Its id counts as one under which a store
    /// may hold it.
    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        Self {
            known: vec![snapshot.id().into()],
            state: snapshot,
        }
    }

    /// What would be saved now. Copies nothing; later writes to the session do not show in it
    /// (SNP-2).
    pub fn snapshot(&self) -> Snapshot {
        self.state.clone()
    }

    /// The session's id: a secret, since whoever has it is the visitor.
    pub fn id(&self) -> &str {
        self.state.id()
    }

    /// The token that the visitor's forms must send back.
    pub fn csrf_token(&self) -> &str {
        self.state.csrf_token()
    }

    /// Whether `candidate` is the CSRF token, in time that does not depend on where they differ
    /// (SES-9). An empty token, which only a foreign snapshot can hold, verifies nothing.
    pub fn verify_csrf_token(&self, candidate: &str) -> bool {
        let token = self.csrf_token().as_bytes();
        let same: bool = token.ct_eq(candidate.as_bytes()).into();
        same && !token.is_empty()
    }

    /// Who is logged in, if anybody is.
    pub fn user(&self) -> Option<&User> {
        self.state.user()
    }

    /// Whether somebody is logged in.
    pub fn is_authenticated(&self) -> bool {
        self.user().is_some()
    }

    /// Logs `user` in. The first user gets fresh tokens, against session fixation (SES-2); another
    /// user in place of the first keeps them (SES-3).
    ///
    /// Whoever knew the id before a *change* of user still holds it: [`rotate`](Self::rotate) first
    /// when the new user is another person.
    ///
    /// # Panics
    /// As [`token::generate`].
    pub fn set_user(&mut self, user: User) {
        if !self.is_authenticated() {
            self.rotate();
        }
        self.state.set_user(user);
    }

    /// A fresh id and a fresh CSRF token for the same user and data (SES-4). The store learns of it
    /// at the next [`save`](Self::save).
    ///
    /// # Panics
    /// As [`token::generate`].
    pub fn rotate(&mut self) {
        self.state.set_tokens(token::generate(), token::generate());
    }

    /// All of the session's data.
    pub fn data(&self) -> &Data {
        self.state.data()
    }

    /// The value under `key` as a `T`; nothing when the key is absent (SES-5).
    ///
    /// # Errors
    /// [`DataError::WrongType`] when there is a value that is no `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, DataError> {
        self.data().get(key)
    }

    /// Puts `value` under `key`, in place of what was there (SES-5).
    ///
    /// # Errors
    /// As [`Data::set`]. Nothing has changed then.
    pub fn set<T: Serialize>(&mut self, key: &str, value: T) -> Result<(), DataError> {
        self.state.data_mut().set(key, value)
    }

    /// Takes `key` away; says whether it was there (SES-5).
    pub fn delete(&mut self, key: &str) -> bool {
        self.state.data_mut().delete(key)
    }

    /// The session under `id`, or a new one under a fresh id when the store has nothing there: an
    /// id that a visitor made up is never taken over.
    ///
    /// # Errors
    /// What [`Store::prepare`] returned, or [`StoreError::Undecodable`] when the store answered
    /// with the snapshot of another id (SNP-5).
    pub async fn load(store: &(impl Store + ?Sized), id: &str) -> Result<Self, StoreError> {
        match store.prepare(id).await? {
            None => Ok(Self::new()),
            Some(snapshot) if snapshot.id() == id => Ok(Self::from_snapshot(snapshot)),
            Some(_) => Err(StoreError::Undecodable {
                store: "session",
                source: DecodeError::OtherId,
            }),
        }
    }

    /// Commits the session for `ttl` and drops every other id it was known under (FLO-1). When this
    /// succeeds, none of those resolves (FLO-2).
    ///
    /// The commit comes first, so that a failure at any point leaves the session under its new id,
    /// its old one, or both (FLO-3). One drop's failure does not keep the others from being tried.
    ///
    /// # Errors
    /// The commit's error, or else the first drop's. Save again: what is still to be dropped is
    /// remembered, also when the future was itself dropped half way.
    pub async fn save(
        &mut self,
        store: &(impl Store + ?Sized),
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let current = self.state.id();
        if !self.known.iter().any(|known| **known == *current) {
            self.known.push(current.into());
        }
        store.commit(&self.state, ttl).await?;
        let mut outcome = Ok(());
        let mut next = 0;
        while let Some(id) = self.known.get(next) {
            if **id == *self.state.id() {
                next += 1;
                continue;
            }
            match store.drop(id).await {
                Ok(()) => drop(self.known.remove(next)),
                Err(error) => {
                    outcome = outcome.and(Err(error));
                    next += 1;
                }
            }
        }
        outcome
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows neither id nor CSRF token (SES-8).
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.user())
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}
