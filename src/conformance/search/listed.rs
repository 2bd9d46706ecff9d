//! Listed: programs that are listed some thousands at a time, and run many at once.

use super::context::{Context, Progress};
use super::found::{Caught, Found};
use crate::model::Op;

/// Programs that are listed at a time, where they are not walked through.
pub(crate) const LISTED: usize = 20_000;

/// Of a slow store, the first few take long enough to tell of.
const FIRST: usize = 64;

/// Runs these, some thousands at a time, and tells how far it has come by the name of the search.
pub(crate) fn run(
    context: &Context<'_>,
    name: &'static str,
    total: u64,
    mut programs: impl Iterator<Item = Vec<Op>>,
) -> Result<Found, String> {
    let mut found = Found::default();
    let mut chunk = FIRST;
    loop {
        (context.progress)(Progress::new(
            name,
            found.tally.programs,
            total.max(found.tally.programs),
        ));
        let listed: Vec<_> = programs.by_ref().take(chunk).collect();
        if listed.is_empty() {
            return Ok(found);
        }
        for caught in failed(context, listed, &mut found)? {
            found.catch(caught);
        }
        if context.runner.until.is_over() {
            found.left_out = total.saturating_sub(found.tally.programs);
            return Ok(found);
        }
        chunk = (8 * chunk).min(LISTED);
    }
}

/// Runs these, counts them, and gives those that fail.
pub(crate) fn failed(
    context: &Context<'_>,
    programs: Vec<Vec<Op>>,
    found: &mut Found,
) -> Result<Vec<Caught>, String> {
    let (ran, precision) = context.runner.timed().run_all(&programs)?;
    found.precision.add(precision);
    let mut failed = Vec::new();
    let begun = programs.into_iter().zip(ran);
    for (ops, ran) in begun.filter(|(_, ran)| ran.steps > 0) {
        found.tally.count(&ran.coverage, ran.steps);
        for failure in ran.failures {
            failed.push(Caught::new(ops.clone(), failure, found.tally.programs));
        }
    }
    Ok(failed)
}
