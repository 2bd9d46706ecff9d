//! Payloads: small ones, and of large ones the part that matters.

use super::Shrinker;
use super::values::{Simpler, simpler_data, simpler_text};
use crate::conformance::lockstep::Failure;
use crate::conformance::payload;
use crate::data::Data;
use crate::model::Op;
use crate::snapshot::{Snapshot, User};

impl<R: Fn(&[Op]) -> Option<Failure>> Shrinker<R> {
    pub(super) fn simplify_payloads(&mut self) -> bool {
        self.simplify_alike() || self.simplify_one()
    }

    /// Puts the same small payload wherever the same large one is.
    fn simplify_alike(&mut self) -> bool {
        (0..self.best.ops.len()).any(|at| {
            let Some(large) =
                committed(&self.best.ops[at]).filter(|s| payload::number_of(s).is_none())
            else {
                return false;
            };
            let large = large.with_id("");
            let small = |op: &Op| match op {
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } if snapshot.with_id("") == large => Op::Commit {
                    snapshot: Some(payload::numbered(1, snapshot.id())),
                    ttl: *ttl,
                },
                _ => op.clone(),
            };
            let ops = self.best.ops.iter().map(small).collect();
            self.try_these(ops)
        })
    }

    fn simplify_one(&mut self) -> bool {
        (0..self.best.ops.len()).any(|at| {
            let Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } = self.best.ops[at].clone()
            else {
                return false;
            };
            // v1 for the first commit, v2 for the second, ..: small, and no two alike.
            let commits = self.best.ops[..=at]
                .iter()
                .filter(|op| matches!(op, Op::Commit { .. }));
            simpler(&snapshot, commits.count() as u64).any(|simpler| {
                let mut ops = self.best.ops.clone();
                ops[at] = Op::Commit {
                    snapshot: Some(simpler),
                    ttl,
                };
                self.try_these(ops)
            })
        })
    }
}

fn committed(op: &Op) -> Option<&Snapshot> {
    match op {
        Op::Commit { snapshot, .. } => snapshot.as_ref(),
        _ => None,
    }
}

/// Simpler payloads than `snapshot`: the numbered ones, this number first, then parts of it.
fn simpler(snapshot: &Snapshot, number: u64) -> Simpler<'_, Snapshot> {
    let own = payload::number_of(snapshot);
    let numbered = [number, 1, 2, 0].into_iter();
    let numbered = numbered
        .take_while(move |simple| own != Some(*simple))
        .map(|simple| payload::numbered(simple, snapshot.id()));
    if own.is_some() {
        return Box::new(numbered);
    }
    let large = without_a_part(snapshot).into_iter().flatten();
    Box::new(numbered.chain(large).chain(with_a_simpler_part(snapshot)))
}

/// `snapshot` without its user, the user's attributes, its CSRF token, or its data.
fn without_a_part(snapshot: &Snapshot) -> [Option<Snapshot>; 4] {
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    let (user, data) = (snapshot.user(), snapshot.data());
    let bare = user.filter(|user| !user.attributes().is_empty());
    let bare = bare.map(|user| User::new(user.email()));
    [
        user.map(|_| Snapshot::new(id, csrf, None, data.clone())),
        bare.map(|bare| Snapshot::new(id, csrf, bare, data.clone())),
        (!csrf.is_empty()).then(|| Snapshot::new(id, "", user.cloned(), data.clone())),
        (!data.is_empty()).then(|| Snapshot::new(id, csrf, user.cloned(), Data::default())),
    ]
}

fn with_a_simpler_part(snapshot: &Snapshot) -> Simpler<'_, Snapshot> {
    let (id, csrf) = (snapshot.id(), snapshot.csrf_token());
    let (user, data) = (snapshot.user(), snapshot.data());
    let with_csrf = simpler_text(csrf)
        .into_iter()
        .map(move |csrf| Snapshot::new(id, csrf, user.cloned(), data.clone()));
    let with_data =
        simpler_data(data).map(move |data| Snapshot::new(id, csrf, user.cloned(), data));
    let users = user.into_iter().flat_map(simpler_users);
    let with_user = users.map(move |user| Snapshot::new(id, csrf, user, data.clone()));
    Box::new(with_csrf.chain(with_data).chain(with_user))
}

fn simpler_users(user: &User) -> Simpler<'_, User> {
    let emails = simpler_text(user.email()).into_iter();
    let renamed = emails.map(|email| User::with_attributes(email, user.attributes().clone()));
    let attributes = simpler_data(user.attributes());
    let lessened = attributes.map(|attributes| User::with_attributes(user.email(), attributes));
    Box::new(renamed.chain(lessened).flatten())
}
