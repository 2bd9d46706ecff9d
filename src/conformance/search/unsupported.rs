//! Unsupported: values that the store does not claim to hold. Each it holds as it is, or refuses as unsupported
//! and changes nothing (VAL-1).

use super::context::Context;
use super::definition::{Search, Takes};
use super::found::Found;
use super::given;
use crate::clause::Clause;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::{Program, payload, unsupported};
use crate::model::{Nanos, Op};
use crate::snapshot::Snapshot;

/// Values beyond what is claimed.
pub(crate) const SEARCH: Search = Search {
    name: "unsupported",
    runs: "values just beyond what the store claims to hold, and far beyond, each over nothing and over a \
           live entry",
    takes: Takes::Programs,
    shows: |clause| matches!(clause, Clause::Val1 | Clause::Err1),
    fits: |context| {
        let claims = &context.runner.profile.supported.values;
        context.may_draw() && !claims.are_all()
    },
    share: |budget| budget.sequences,
    weight: 1,
    run,
};

fn run(context: &Context<'_>) -> Result<Found, String> {
    let runner = &context.runner;
    let supported = &runner.profile.supported;
    let programs = match runner.is_exact() {
        true => programs(supported, context.deepest(), runner.tick, runner.tick),
        // No deadline comes near.
        false => programs(supported, context.deepest(), 1_000 * runner.tick, 0),
    };
    let claim = "{programs} programs with values beyond what the store claims to hold, over nothing and over \
                 a live entry";
    Ok(Found {
        claim: claim.to_owned(),
        ..given::run(context, SEARCH.name, 1, &programs)?
    })
}

/// Two programs for each value of no more than `deepest` levels.
fn programs(
    supported: &Supported,
    deepest: Option<usize>,
    life: Nanos,
    age: Nanos,
) -> Vec<Program> {
    let [id, _] = supported.two_ids();
    let snapshots = unsupported::snapshots(&supported.values, &id).into_iter();
    let is_shallow = |depth: usize| deepest.is_none_or(|deepest| depth <= deepest);
    let snapshots =
        snapshots.filter(|(nested, _)| nested.is_none_or(|(_, depth)| is_shallow(depth)));
    let programs = snapshots.flat_map(|(_, snapshot)| {
        [
            over_nothing(&snapshot, life),
            over_a_live_entry(&snapshot, life, age),
        ]
    });
    programs.map(Program::from).collect()
}

fn over_nothing(snapshot: &Snapshot, life: Nanos) -> Vec<Op> {
    vec![commit(snapshot, life), prepare(snapshot.id())]
}

/// Whose life goes on as before, if the value is refused.
fn over_a_live_entry(snapshot: &Snapshot, life: Nanos, age: Nanos) -> Vec<Op> {
    let id = snapshot.id();
    let mut ops = vec![commit(&payload::numbered(1, id), life + age)];
    let advance = Op::Advance { by: age };
    ops.extend((age > 0).then(|| advance.clone()));
    ops.extend([commit(snapshot, life + age), prepare(id)]);
    ops.extend(
        (age > 0)
            .then(|| [advance, prepare(id)])
            .into_iter()
            .flatten(),
    );
    ops
}

fn commit(snapshot: &Snapshot, ttl: Nanos) -> Op {
    Op::Commit {
        snapshot: Some(snapshot.clone()),
        ttl,
    }
}

fn prepare(id: &str) -> Op {
    Op::Prepare { id: id.to_owned() }
}
