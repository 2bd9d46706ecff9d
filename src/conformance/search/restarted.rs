//! Restarted: programs in which the store is closed and opened anew (DUR-1).
//!
//! What is looked for is what a restart does: a program that fails in the same way without its
//! restarts is the other searches' affair. Restarts come between calls. What a call still under way
//! may leave behind is not asked.

use super::context::{Context, Progress};
use super::definition::{Search, Takes};
use super::exhaustive::Scope;
use super::found::Found;
use super::listed::{self, LISTED};
use super::random;
use crate::clause::Clause;
use crate::conformance::judge::failure::Failure;
use crate::conformance::program::generate::Generator;
use crate::conformance::program::ids;
use crate::conformance::program::rng::Rng;
use crate::conformance::program::{Time, payload};
use crate::model::{Nanos, Op};

/// The most restarts in a random program.
const MOST: usize = 3;

/// Programs with restarts: every one of a small scope, and random ones.
pub(crate) const SEARCH: Search = Search {
    name: "restarted",
    runs: "programs in which the store is closed and opened anew, where the subject says how",
    takes: Takes::Programs,
    shows: |clause| Clause::RESTARTED.contains(&clause),
    fits: |context| context.restarts,
    share: |budget| budget.sequences.div_ceil(2) + budget.depth,
    weight: 3,
    run,
};

fn run(context: &Context<'_>) -> Result<Found, String> {
    let (runner, budget, seed) = (&context.runner, &context.budget, context.seed);
    let sequences = budget.sequences.div_ceil(2);
    let scope = Scope::new(&runner.profile.supported, runner.tick);
    let alphabet = alphabet(&scope);
    let mut drawing = random::runner(seed, u64::MAX);
    let supported = runner.profile.supported.clone();
    let generator = Generator::new(budget.length, supported, runner.pace(), &mut drawing);
    let drawn = (0..sequences).map(|number| {
        let (mut ops, ids) = generator.draw(&mut drawing);
        insert_restarts(&mut ops, &mut Rng::new(seed, number as u64));
        random::observed((ops, ids))
    });
    let of_scope = (1..=budget.depth).flat_map(|length| programs(&alphabet, length));
    let mut programs = of_scope.chain(drawn);
    let mut found = Found::default();
    loop {
        let chunk: Vec<_> = programs.by_ref().take(LISTED).collect();
        if chunk.is_empty() {
            break;
        }
        catch_restarts(context, chunk, &mut found)?;
        if context.runner.until.is_over() {
            break;
        }
        (context.progress)(Progress::new(
            SEARCH.name,
            found.tally.programs,
            found.tally.programs.max(sequences as u64),
        ));
    }
    found.claim = claim(&scope, budget.depth, sequences);
    Ok(found)
}

/// What was searched, as the report states it.
fn claim(scope: &Scope, depth: usize, sequences: usize) -> String {
    let (_, tick) = scope.parts();
    let [one, two] = [1, 2].map(|ticks| Time(ticks * tick).to_string());
    let mut parts = Vec::new();
    if depth > 0 {
        parts.push(format!(
            "all of up to {depth} operations over prepare and drop of A and B, commit of A for {one} and \
             {two} and of B for {two}, advance of {one}, and restart"
        ));
    }
    if sequences > 0 {
        parts.push(format!("random ones with up to {MOST} restarts"));
    }
    let parts = parts.join("; ");
    format!("{{programs}} programs in which the store restarts: {parts}")
}

/// Runs these, and catches what fails because of a restart.
fn catch_restarts(
    context: &Context<'_>,
    programs: Vec<Vec<Op>>,
    found: &mut Found,
) -> Result<(), String> {
    let failed = listed::failed(context, programs, found)?;
    let may_lose = !context.runner.profile.durable;
    let [without, lost] = [without_restarts, with_drops_for_restarts].map(|otherwise| {
        let programs = failed.iter().map(|caught| otherwise(&caught.ops));
        programs.collect::<Vec<Vec<Op>>>()
    });
    let (without, _) = context.runner.timed().run_all(&without)?;
    let (lost, _) = context
        .runner
        .timed()
        .run_all(if may_lose { &lost } else { &[] })?;
    let mut lost = lost.into_iter();
    for (caught, without) in failed.into_iter().zip(without) {
        let symptom = caught.failure.symptom();
        let failures = without.failures.into_iter();
        let mut failures = failures.chain(lost.next().into_iter().flat_map(|ran| ran.failures));
        if failures.all(|failure| failure.symptom() != symptom) {
            found.catch(caught);
        }
    }
    Ok(())
}

/// What a restart may do of a store that claims no durability: all that was there is gone.
fn with_drops_for_restarts(ops: &[Op]) -> Vec<Op> {
    let ids = ids::ids(ops).into_iter().filter(|id| !id.is_empty());
    let drops: Vec<Op> = ids.map(|id| Op::Drop { id: id.to_owned() }).collect();
    let otherwise = ops.iter().flat_map(|op| match op {
        Op::Restart => drops.clone(),
        _ => vec![op.clone()],
    });
    otherwise.collect()
}

fn without_restarts(ops: &[Op]) -> Vec<Op> {
    let calls = ops.iter().filter(|op| **op != Op::Restart);
    calls.cloned().collect()
}

/// The first failure of `ops`, if it takes their restarts for its symptom; and more than a loss, if the store
/// `may_lose` what it has.
pub(crate) fn needing_one(
    ops: &[Op],
    may_lose: bool,
    run: impl Fn(&[Op]) -> Option<Failure>,
) -> Option<Failure> {
    if !ops.contains(&Op::Restart) {
        return None;
    }
    let failure = run(ops)?;
    let cut = &ops[..=failure.at];
    let fails_alike = |ops: &[Op]| {
        let again = run(ops);
        again.is_some_and(|again| again.symptom() == failure.symptom())
    };
    let is_loss = || may_lose && fails_alike(&with_drops_for_restarts(cut));
    let is_needed = !fails_alike(&without_restarts(cut)) && !is_loss();
    is_needed.then_some(failure)
}

/// Puts a few restarts anywhere behind the first operation.
fn insert_restarts(ops: &mut Vec<Op>, rng: &mut Rng) {
    for _ in 0..=rng.below(MOST) {
        let place = 1 + rng.below(ops.len().max(1));
        ops.insert(place.min(ops.len()), Op::Restart);
    }
}

/// What programs are made of. Commits get their payload by their place.
fn alphabet(scope: &Scope) -> Vec<Op> {
    let ([a, b], tick) = scope.parts();
    let commit = |id, ticks: Nanos| Op::Commit {
        snapshot: Some(payload::numbered(0, id)),
        ttl: ticks * tick,
    };
    let prepare = |id: &str| Op::Prepare { id: id.to_owned() };
    let drop = |id: &str| Op::Drop { id: id.to_owned() };
    vec![
        commit(a, 1),
        commit(a, 2),
        commit(b, 2),
        prepare(a),
        prepare(b),
        drop(a),
        drop(b),
        Op::Advance { by: tick },
        Op::Restart,
    ]
}

/// Every program of exactly `length` operations with a restart among them, each followed by a prepare
/// of both ids.
fn programs(alphabet: &[Op], length: usize) -> impl Iterator<Item = Vec<Op>> + use<> {
    let (alphabet, letters) = (alphabet.to_vec(), alphabet.len());
    let prepares = alphabet
        .iter()
        .filter(|op| matches!(op, Op::Prepare { .. }));
    let observations: Vec<Op> = prepares.cloned().collect();
    (0..letters.pow(u32::try_from(length).unwrap_or(0))).filter_map(move |number| {
        let mut rest = number;
        let mut ops = Vec::with_capacity(length + observations.len());
        let mut commits = 0;
        for _ in 0..length {
            let mut op = alphabet[rest % letters].clone();
            rest /= letters;
            if let Op::Commit {
                snapshot: Some(snapshot),
                ..
            } = &mut op
            {
                commits += 1;
                *snapshot = payload::numbered(commits, snapshot.id());
            }
            ops.push(op);
        }
        ops.contains(&Op::Restart).then(|| {
            ops.extend(observations.iter().cloned());
            ops
        })
    })
}
