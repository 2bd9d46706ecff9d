//! Shared parts: what a snapshot has in common with one under another id, where a store goes by it.

use crate::conformance::judge::failure::{Failing, Mistake, Probe};
use crate::conformance::program::{Id, payload};
use crate::model::Op;
use crate::snapshot::{Snapshot, User};

/// The part that the program's last snapshot under the failing id shares with one under another id, if
/// the program passes where that has another.
pub(super) fn near_miss(failing: &Failing, probe: Probe<'_>) -> Option<String> {
    let (Mistake::Lost | Mistake::Refused | Mistake::Failed) = failing.failure.mistake() else {
        return None;
    };
    let ops = &failing.ops;
    let id = ops.last()?.id()?;
    let own = ops.iter().rev().filter_map(payload::committed);
    let own = { own }.find(|snapshot| snapshot.id() == id)?;
    let passes_with = |at: usize, changed: Snapshot| {
        let mut ops = ops.clone();
        if let Op::Commit { snapshot, .. } = &mut ops[at] {
            *snapshot = Some(changed);
        }
        probe(&ops).is_none()
    };
    let others = ops.iter().enumerate();
    let others = others.filter_map(|(at, op)| Some((at, payload::committed(op)?)));
    let mut others = others.filter(|(_, other)| other.id() != id);
    others.find_map(|(at, other)| {
        let mut parts = with_one_shared_part_replaced(own, other)
            .into_iter()
            .flatten();
        let (part, _) = parts.find(|(_, changed)| passes_with(at, changed.clone()))?;
        let other = Id(other.id());
        Some(format!("with {part} under {other} it agrees"))
    })
}

/// `other` with something else in place of one of the parts that it shares with `own`, for each of them.
fn with_one_shared_part_replaced(
    own: &Snapshot,
    other: &Snapshot,
) -> [Option<(&'static str, Snapshot)>; 3] {
    /// Of a payload that no program has.
    const UNUSED: u64 = 999_999;
    let (id, csrf) = (other.id(), other.csrf_token());
    let (user, data) = (other.user(), other.data());
    let fresh = payload::numbered(UNUSED, id);
    let email = |snapshot: &Snapshot| snapshot.user().map(|user| user.email().to_owned());
    let is_user_shared = user.is_some() && email(own) == email(other);
    let is_data_shared = !data.is_empty() && own.data() == data;
    let with_csrf = |csrf| Snapshot::new(id, csrf, user.cloned(), data.clone());
    let with_user = |user: Option<User>| Snapshot::new(id, csrf, user, data.clone());
    let with_data = |data| Snapshot::new(id, csrf, user.cloned(), data);
    [
        is_user_shared.then(|| ("another user", with_user(fresh.user().cloned()))),
        (own.csrf_token() == csrf).then(|| ("another CSRF token", with_csrf(fresh.csrf_token()))),
        is_data_shared.then(|| ("other data", with_data(fresh.data().clone()))),
    ]
}
