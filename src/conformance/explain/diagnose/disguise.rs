//! Disguise: what only changes how a defect shows.

use crate::conformance::judge::failure::{Failing, Mistake, Probe};
use crate::conformance::program::ids::simplest;
use crate::conformance::program::outcome::Outcome;
use crate::model::{Nanos, Op, Reply};

/// A program next to a failing one that shows the same defect more plainly.
pub(crate) fn without_a_disguise(
    failing: &Failing,
    tick: Nanos,
    probe: Probe<'_>,
) -> Option<Failing> {
    with_an_operation_less(failing, probe).or_else(|| with_a_valid_commit(failing, tick, probe))
}

/// With a commit that need not be refused in place of one that was refused as it should be, but for another
/// reason, or failed: if that is refused or fails alike, it is not for what is wrong with the commit.
fn with_a_valid_commit(failing: &Failing, tick: Nanos, probe: Probe<'_>) -> Option<Failing> {
    let (before, failure) = (&failing.ops[..failing.ops.len() - 1], &failing.failure);
    let must_refuse = matches!(failure.expected.reply, Reply::Refused(_));
    let Op::Commit {
        snapshot: Some(snapshot),
        ttl,
    } = failing.ops.last().filter(|_| must_refuse)?
    else {
        return None;
    };
    let snapshot = match snapshot.id() {
        "" => snapshot.with_id(simplest(1).remove(0)),
        _ => snapshot.clone(),
    };
    let commit = Op::Commit {
        snapshot: Some(snapshot),
        ttl: if *ttl > 0 { *ttl } else { tick },
    };
    let ops = [before, &[commit]].concat();
    let plainer = probe(&ops).filter(|plainer| {
        plainer.at + 1 == ops.len()
            && plainer.expected.reply == Reply::Done
            && plainer.mistake() == failure.mistake()
            && is_alike(&plainer.outcome, &failure.outcome)
    })?;
    Some(Failing {
        ops,
        failure: plainer,
    })
}

/// Whether both name the same constraint, if they name one.
fn is_alike(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Replied(one), Outcome::Replied(other)) => one == other,
        _ => true,
    }
}

/// A program with one operation less that is answered wrong too at its last call, in another way though the
/// same should have come: the operation only changes how the defect shows. What was committed last is lost, say,
/// and what was committed before hides it. Or the advance is left out after which that should be gone too.
fn with_an_operation_less(failing: &Failing, probe: Probe<'_>) -> Option<Failing> {
    let (ops, failure) = (&failing.ops, &failing.failure);
    let is_answer = |mistake: Mistake| {
        let answers = [Mistake::Lost, Mistake::Revived, Mistake::Changed];
        answers.contains(&mistake)
    };
    if !is_answer(failure.mistake()) {
        return None;
    }
    let is_remnant = failure.mistake() == Mistake::Revived && is_remnant(failing);
    let without = (0..ops.len() - 1).map(|at| {
        let mut without = ops.clone();
        (without.remove(at), without)
    });
    without.into_iter().find_map(|(left_out, ops)| {
        let plainer = probe(&ops)?;
        let is_other = is_answer(plainer.mistake()) && plainer.mistake() != failure.mistake();
        let is_plainer = match left_out {
            Op::Advance { .. } => is_remnant && plainer.mistake() == Mistake::Changed,
            _ => is_other && plainer.expected.reply == failure.expected.reply,
        };
        let is_last = plainer.at + 1 == ops.len();
        (is_last && is_plainer).then_some(Failing {
            ops,
            failure: plainer,
        })
    })
}

/// Whether a prepare gives what was committed before the last commit.
fn is_remnant(Failing { ops, failure }: &Failing) -> bool {
    let Outcome::Replied(Reply::Found(found)) = &failure.outcome else {
        return false;
    };
    let committed = ops.iter().rev().filter_map(|op| match op {
        Op::Commit { snapshot, .. } => snapshot.as_ref(),
        _ => None,
    });
    let mut own = committed.filter(|snapshot| snapshot.id() == found.id());
    own.next().is_some_and(|last| last != found) && own.any(|earlier| earlier == found)
}
