//! The session model: one session over a store, as one pure step function.

use crate::clause::Clause;
use crate::constraint::Constraint;
use crate::data::{Data, DataError};
use crate::model::{Model, Nanos, Op, Reply};
use crate::snapshot::{Snapshot, User};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The pair of tokens that the model drew as its `n`th, counted from 0: the id `id0` with the CSRF
/// token `csrf0`, and so on.
///
/// A real session's tokens are random, so the model only says which are fresh and which are the
/// same as before; a session agrees with it up to a renaming. A pair that is not drawn yet names an
/// id that nobody has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub u32);

impl Name {
    /// The id of this name, as it stands in the model's snapshots.
    pub fn id(self) -> String {
        format!("id{}", self.0)
    }

    /// The CSRF token of this name.
    pub fn csrf_token(self) -> String {
        format!("csrf{}", self.0)
    }
}

/// What can be done with a session, or time passing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionOp {
    /// Put a new session in place of this one.
    New,
    /// Put the session under an id in place of this one.
    Load {
        /// The id; `None` is the empty one.
        id: Option<Name>,
    },
    /// Set the user.
    SetUser(User),
    /// Take fresh tokens.
    Rotate,
    /// Put a value under a key.
    Set {
        /// The key.
        key: String,
        /// The value.
        value: Value,
    },
    /// Take a key away.
    Delete {
        /// The key.
        key: String,
    },
    /// Save the session.
    Save {
        /// Its time to live.
        ttl: Nanos,
        /// What goes wrong on the way.
        faults: Faults,
    },
    /// Let time pass.
    Advance {
        /// How much; a negative amount counts as none.
        by: Nanos,
    },
}

/// Which of a save's calls to the store fail with an unknown outcome (ERR-3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// How the commit fails, if it does.
    pub commit: Option<Fault>,
    /// How the drops of these ids fail, if the save tries them.
    pub drops: BTreeMap<Name, Fault>,
}

/// What became of a call whose caller is left without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It never reached the store.
    CallLost,
    /// The store did as it was asked, and its answer did not come back.
    ReplyLost,
}

/// How an operation on a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionReply {
    /// It was done.
    Done,
    /// The key to delete was not there.
    Absent,
    /// The value was not set, and nothing has changed.
    Invalid(DataError),
    /// The save was refused, and nothing has changed in the store.
    Refused(Constraint),
    /// The save's outcome is unknown, or an earlier id may still resolve: save again.
    Failed,
}

/// How an operation must end, and the clause that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionExpected {
    /// The end.
    pub reply: SessionReply,
    /// The clause that decides it. Of a load: the one by which the store finds the session or
    /// nothing.
    pub clause: Clause,
}

/// The contract of one session over a store, executable: what becomes of both with every operation.
/// It starts with a new session over an empty store.
///
/// Pure: it has no clock, does no input or output, and shares no code with
/// [`Session`](crate::Session). Its store is [`Model`]. FLO-2 is not written in it; it follows from
/// FLO-1, and the tests check that it does.
///
/// ```
/// use session_spec::session_model::{Fault, Faults, Name, SessionModel, SessionOp, SessionReply};
/// use session_spec::{Clause, User};
///
/// let mut model = SessionModel::default();
/// let save = |faults| SessionOp::Save { ttl: 1_000, faults };
/// model.step(&save(Faults::default()));
///
/// let login = model.step(&SessionOp::SetUser(User::new("alice@example.com")));
/// assert_eq!(login.clause, Clause::Ses2);
/// assert_eq!(model.name(), Name(1)); // a fresh id and a fresh CSRF token
///
/// // The new id is saved, but the drop of the old one does not get through ..
/// let faults = Faults { drops: [(Name(0), Fault::CallLost)].into(), ..Faults::default() };
/// assert_eq!(model.step(&save(faults)).reply, SessionReply::Failed);
/// assert!(model.resolve(Name(0)).is_some() && model.resolve(Name(1)).is_some());
///
/// // .. so it is still owed, and the next save makes up for it.
/// assert_eq!(model.step(&save(Faults::default())).reply, SessionReply::Done);
/// assert!(model.resolve(Name(0)).is_none() && model.resolve(Name(1)).is_some());
/// ```
#[derive(Clone, Debug, Default)]
pub struct SessionModel {
    store: Model,
    /// The latest pair of tokens.
    latest: Name,
    name: Name,
    user: Option<User>,
    data: Map<String, Value>,
    /// What the session was loaded as, saved as or tried to be saved as, and is not yet dropped.
    known: BTreeSet<Name>,
}

impl SessionModel {
    /// Takes one step and says how it must end.
    pub fn step(&mut self, op: &SessionOp) -> SessionExpected {
        use SessionReply::{Absent, Done};
        let (reply, clause) = match op {
            SessionOp::New => (Done, self.renew()),
            SessionOp::Load { id } => (Done, self.load(*id)),
            SessionOp::SetUser(user) => (Done, self.set_user(user)),
            SessionOp::Rotate => (Done, self.rotate()),
            SessionOp::Set { key, value } => self.set(key, value),
            SessionOp::Delete { key } => match self.data.remove(key) {
                Some(_) => (Done, Clause::Ses5),
                None => (Absent, Clause::Ses5),
            },
            SessionOp::Save { ttl, faults } => self.save(*ttl, faults),
            SessionOp::Advance { by } => (Done, self.store.step(&Op::Advance { by: *by }).clause),
        };
        SessionExpected { reply, clause }
    }

    fn renew(&mut self) -> Clause {
        self.rotate();
        self.user = None;
        self.data.clear();
        self.known.clear();
        Clause::Ses1
    }

    fn load(&mut self, id: Option<Name>) -> Clause {
        let id_or_empty = id.map(Name::id).unwrap_or_default();
        let answer = self.store.step(&Op::Prepare { id: id_or_empty });
        if let (Some(name), Reply::Found(found)) = (id, answer.reply) {
            self.name = name;
            self.user = found.user().cloned();
            let entries = found.data().iter();
            self.data = entries.map(|(k, v)| (k.to_owned(), v.clone())).collect();
            self.known = [name].into();
        } else {
            self.renew();
        }
        answer.clause
    }

    fn set_user(&mut self, user: &User) -> Clause {
        if self.user.replace(user.clone()).is_some() {
            return Clause::Ses3;
        }
        self.rotate();
        Clause::Ses2
    }

    fn rotate(&mut self) -> Clause {
        self.latest.0 += 1;
        self.name = self.latest;
        Clause::Ses4
    }

    fn set(&mut self, key: &str, value: &Value) -> (SessionReply, Clause) {
        let entry = [(key.to_owned(), value.clone())];
        if let Err(error) = Data::try_from(Map::from_iter(entry.clone())) {
            return (SessionReply::Invalid(error), Clause::Snp4);
        }
        self.data.extend(entry);
        (SessionReply::Done, Clause::Ses5)
    }

    fn save(&mut self, ttl: Nanos, faults: &Faults) -> (SessionReply, Clause) {
        self.known.insert(self.name);
        let commit = Op::Commit {
            snapshot: Some(self.snapshot()),
            ttl,
        };
        match self.call(&commit, faults.commit) {
            Some((Reply::Done, _)) => {}
            Some((Reply::Refused(constraint), clause)) => {
                return (SessionReply::Refused(constraint), clause);
            }
            _ => return (SessionReply::Failed, Clause::Flo3),
        }
        for earlier in self.known.clone() {
            let drop = Op::Drop { id: earlier.id() };
            let fault = faults.drops.get(&earlier).copied();
            if earlier != self.name && self.call(&drop, fault).is_some() {
                self.known.remove(&earlier);
            }
        }
        if self.known.len() > 1 {
            return (SessionReply::Failed, Clause::Flo3);
        }
        (SessionReply::Done, Clause::Flo1)
    }

    /// The store's answer to `op`, with its clause; `None` when it did not come back.
    fn call(&mut self, op: &Op, fault: Option<Fault>) -> Option<(Reply, Clause)> {
        if fault == Some(Fault::CallLost) {
            return None;
        }
        let answer = self.store.step(op);
        fault.is_none().then_some((answer.reply, answer.clause))
    }

    /// The session's tokens.
    pub fn name(&self) -> Name {
        self.name
    }

    /// The session's state.
    ///
    /// # Panics
    /// Never: every value was checked when it was set.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(
            self.name.id(),
            self.name.csrf_token(),
            self.user.clone(),
            Data::try_from(self.data.clone()).expect("every value was checked when it was set"),
        )
    }

    /// What the store has live under the id of `name`.
    pub fn resolve(&self, name: Name) -> Option<Snapshot> {
        let prepare = Op::Prepare { id: name.id() };
        match self.store.clone().step(&prepare).reply {
            Reply::Found(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    /// Every pair of tokens drawn so far, in that order.
    pub fn names(&self) -> impl Iterator<Item = Name> + use<> {
        (0..=self.latest.0).map(Name)
    }
}
