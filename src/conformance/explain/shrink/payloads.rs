//! Payloads: small ones, and of large ones the part that matters.

use super::Shrinker;
use super::json::{Simpler, simpler_data, simpler_text};
use crate::conformance::program::{Program, payload};
use crate::data::Data;
use crate::model::Op;
use crate::snapshot::{Snapshot, User};

impl<A: FnMut(&Program) -> Option<Program>> Shrinker<A> {
    pub(super) fn simplify_payloads(&mut self) -> bool {
        self.simplify_alike() || self.simplify_one()
    }

    /// Puts the same small payload wherever the same large one is.
    fn simplify_alike(&mut self) -> bool {
        (0..self.best.ops().len()).any(|at| {
            let Some(large) = payload::committed(&self.best.ops()[at])
                .filter(|s| payload::number_of(s).is_none())
            else {
                return false;
            };
            let large = large.with_id("");
            let before = self.best.ops()[..at].iter().filter_map(payload::committed);
            let number = 1 + before.count() as u64;
            let small = |op: &Op| match op {
                Op::Commit {
                    snapshot: Some(snapshot),
                    ttl,
                } if snapshot.with_id("") == large => Op::Commit {
                    snapshot: Some(payload::numbered(number, snapshot.id())),
                    ttl: *ttl,
                },
                _ => op.clone(),
            };
            let ops = self.best.ops().iter().map(small).collect();
            self.try_ops(ops)
        })
    }

    fn simplify_one(&mut self) -> bool {
        (0..self.best.ops().len()).any(|at| {
            let Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } = self.best.ops()[at].clone()
            else {
                return false;
            };
            // v1 for the first commit, v2 for the second, ..: small, and no two alike.
            let commits = self.best.ops()[..=at]
                .iter()
                .filter(|op| matches!(op, Op::Commit { .. }));
            simpler(&snapshot, commits.count() as u64).any(|simpler| {
                let mut ops = self.best.ops().to_vec();
                ops[at] = Op::Commit {
                    snapshot: Some(simpler),
                    ttl,
                };
                self.try_ops(ops)
            })
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::explain::shrink::tests::shrunk;
    use crate::conformance::program::Program;

    fn large(text: &str) -> Snapshot {
        Snapshot::decode("A", text.as_bytes()).unwrap()
    }

    /// What is simpler than a payload, those that are numbered by their number.
    fn listed(snapshot: &Snapshot) -> Vec<String> {
        let text = |simpler: Snapshot| match payload::number_of(&simpler) {
            Some(number) => format!("v{number}"),
            None => String::from_utf8(simpler.encode()).unwrap(),
        };
        simpler(snapshot, 3).map(text).collect()
    }

    #[test]
    fn of_a_numbered_payload_those_before_it_are_simpler() {
        let of = |number| listed(&payload::numbered(number, "A"));
        assert_eq!(of(3), [] as [&str; 0]);
        assert_eq!(of(1), ["v3"]);
        assert_eq!(of(2), ["v3", "v1"]);
        assert_eq!(of(0), ["v3", "v1", "v2"]);
        assert_eq!(of(7), ["v3", "v1", "v2", "v0"]);
    }

    #[test]
    fn of_a_large_one_its_parts() {
        let whole =
            large(r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":1},"data":{"d":true}}"#);
        let expected = [
            "v3",
            "v1",
            "v2",
            "v0",
            r#"{"id":"A","csrf_token":"t","data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e"},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"","user":{"email":"e","k":1},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":1}}"#,
            r#"{"id":"A","csrf_token":"","user":{"email":"e","k":1},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":1}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":1},"data":{"d":null}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":1},"data":{"":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"","k":1},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e"},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":null},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","k":0},"data":{"d":true}}"#,
            r#"{"id":"A","csrf_token":"t","user":{"email":"e","":1},"data":{"d":true}}"#,
        ];
        assert_eq!(listed(&whole), expected);
        let bare = large(r#"{"id":"A","csrf_token":"","user":{"email":""}}"#);
        let without = r#"{"id":"A","csrf_token":""}"#;
        assert_eq!(listed(&bare)[4..], [without]);
        assert_eq!(listed(&large(without)).len(), 4);
    }

    /// What two commits have in common they keep, and a third is not drawn into it.
    #[test]
    fn what_is_alike_stays_alike() {
        let payloads = |ops: &[Op]| -> Vec<Snapshot> {
            let committed = ops.iter().filter_map(payload::committed);
            committed.map(|snapshot| snapshot.with_id("")).collect()
        };
        let fails = |ops: &[Op]| match &payloads(ops)[..] {
            [one, two, three] => ops.len() == 4 && one == two && two != three,
            _ => false,
        };
        let program = r#"commit A {"csrf_token":"x"} ttl 1s; prepare A;
            commit A {"csrf_token":"x"} ttl 1s; commit A {"csrf_token":"y"} ttl 1s"#;
        let expected = "commit A v1 ttl 1s; prepare A; commit A v1 ttl 1s; commit A v3 ttl 1s";
        let expected: Program = expected.parse().unwrap();
        assert_eq!(shrunk(program, fails), expected.ops());
    }
}
