//! Restarts: programs in which the store is closed and opened anew (DUR-1).
//!
//! What is looked for is what a restart does: a program that fails in the same way without its
//! restarts is the other searches' affair. Restarts come between calls. What a call still under way
//! may leave behind is not asked.

use super::exhaust::Scope;
use super::random;
use super::{Caught, LISTED, Progress, Search, Searcher};
use crate::conformance::judge::failure::Failure;
use crate::conformance::program::Time;
use crate::conformance::program::dice::Dice;
use crate::conformance::program::generate::Generator;
use crate::conformance::program::payload;
use crate::conformance::subject::NoRestart;
use crate::conformance::subject::panics;
use crate::conformance::subject::watch;
use crate::model::{Nanos, Op};
use std::sync::Arc;

/// How much is searched.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    /// Longest programs of the exhaustive part.
    pub(crate) depth: usize,
    /// Random programs, and the most operations in one but for its restarts.
    pub(crate) sequences: usize,
    pub(crate) length: usize,
}

/// The most restarts in a random program.
const MOST: usize = 3;

impl Budget {
    /// What was searched, as the report states it.
    pub(crate) fn claim(self, searcher: &Searcher<'_>) -> String {
        let (_, tick) = Scope::new(searcher.profile, searcher.tick).parts();
        let [one, two] = [1, 2].map(|ticks| Time(ticks * tick).to_string());
        let mut parts = Vec::new();
        if self.depth > 0 {
            parts.push(format!(
                "all of up to {} operations over prepare and drop of A and B, commit of A for {one} and \
                 {two} and of B for {two}, advance of {one}, and restart",
                self.depth
            ));
        }
        if self.sequences > 0 {
            parts.push(format!("random ones with up to {MOST} restarts"));
        }
        let parts = parts.join("; ");
        format!("{{programs}} programs in which the store restarts: {parts}")
    }
}

impl Searcher<'_> {
    /// Whether the subject can restart its store: tried on an empty one.
    pub(crate) fn can_restart(&self) -> Result<bool, String> {
        if self.subject.make().is_some() {
            return Ok(false);
        }
        watch::running(Arc::new(vec![Op::Restart]));
        let attempt = async {
            let fresh = self.subject.fresh().await;
            let instance = fresh.map_err(|error| format!("there is no store to check: {error}"))?;
            watch::call_begins();
            let restarted = instance.restart().await;
            watch::call_returned();
            match restarted {
                Ok(_) => Ok(true),
                Err(error) if error.is::<NoRestart>() => Ok(false),
                Err(error) => Err(format!("the store could not be restarted: {error}")),
            }
        };
        let attempt = || panics::catching(|| self.subject.block_on(attempt));
        // A panic is for the searches to find.
        panics::silently(attempt).unwrap_or(Ok(true))
    }

    /// Programs with restarts: every one of a small scope, and random ones.
    pub(crate) fn restarted(
        &self,
        budget: Budget,
        seed: u64,
        progress: &(impl Fn(Progress) + Sync),
    ) -> Result<Search, String> {
        let alphabet = alphabet(&Scope::new(self.profile, self.tick));
        let mut drawing = random::runner(seed, u64::MAX);
        let generator = Generator::new(
            budget.length,
            self.profile.supported.clone(),
            self.pace(),
            &mut drawing,
        );
        let drawn = (0..budget.sequences).map(|number| {
            let (mut ops, ids) = generator.draw(&mut drawing);
            insert_restarts(&mut ops, &mut Dice::new(seed, number as u64));
            random::observed((ops, ids))
        });
        let listed = (1..=budget.depth).flat_map(|length| programs(&alphabet, length));
        let mut programs = listed.chain(drawn);
        let mut search = Search::default();
        loop {
            let chunk: Vec<_> = programs.by_ref().take(LISTED).collect();
            if chunk.is_empty() {
                return Ok(search);
            }
            self.run_restarting(chunk, &mut search)?;
            progress(Progress {
                search: "restarted",
                done: search.tally.programs,
                total: search.tally.programs.max(budget.sequences as u64),
            });
        }
    }

    /// Runs these, and catches what fails because of a restart.
    fn run_restarting(&self, programs: Vec<Vec<Op>>, search: &mut Search) -> Result<(), String> {
        let (ran, precision) = self.timed().run_all(&programs)?;
        search.precision.add(precision);
        let mut failed = Vec::new();
        for (mut ops, ran) in programs.into_iter().zip(ran) {
            search.tally.count(&ran.coverage, ran.steps);
            if let Some(failure) = ran.failure {
                let after = search.tally.programs;
                ops.truncate(failure.at + 1);
                failed.push(Caught {
                    ops,
                    failure,
                    after,
                    others: 0,
                });
            }
        }
        let without = failed.iter().map(|caught| without_restarts(&caught.ops));
        let without: Vec<Vec<Op>> = without.collect();
        let (ran, _) = self.timed().run_all(&without)?;
        for (caught, ran) in failed.into_iter().zip(ran) {
            let mistake = ran.failure.map(|failure| failure.mistake());
            if mistake != Some(caught.failure.mistake()) {
                search.catch(caught);
            }
        }
        Ok(())
    }
}

fn without_restarts(ops: &[Op]) -> Vec<Op> {
    let calls = ops.iter().filter(|op| **op != Op::Restart);
    calls.cloned().collect()
}

/// The first failure of `ops`, if it takes their restarts to make that mistake.
pub(crate) fn needing_one(ops: &[Op], run: impl Fn(&[Op]) -> Option<Failure>) -> Option<Failure> {
    if !ops.contains(&Op::Restart) {
        return None;
    }
    let failure = run(ops)?;
    let without = run(&without_restarts(&ops[..=failure.at]));
    let mistake = without.map(|failure| failure.mistake());
    (mistake != Some(failure.mistake())).then_some(failure)
}

/// Puts a few restarts anywhere behind the first operation.
fn insert_restarts(ops: &mut Vec<Op>, dice: &mut Dice) {
    for _ in 0..=dice.below(MOST) {
        let place = 1 + dice.below(ops.len().max(1));
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
