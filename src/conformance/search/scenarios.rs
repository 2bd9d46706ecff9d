//! Scenarios: those of SPEC.md, which say of every clause what it means.

use super::context::Context;
use super::definition::{Search, Takes};
use super::found::Found;
use super::given;
use crate::clause::Clause;
use crate::conformance::program::Program;
use crate::conformance::program::ids::{ids, renamed};
use crate::conformance::subject::profile::Profile;
use crate::conformance::subject::{NoRestart, Passing};
use crate::model::{Nanos, Op};
use crate::token;

/// What SPEC.md shows.
pub(crate) const SEARCH: Search = Search {
    name: "scenarios",
    runs: "the scenarios of SPEC.md, as far as the store claims their clauses and can be handed them",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |context| context.may_draw(),
    share: |budget| budget.sequences,
    weight: 4,
    run,
};

const SPEC: &str = include_str!("../../../SPEC.md");

const SECOND: Nanos = 1_000_000_000;

fn run(context: &Context<'_>) -> Result<Found, String> {
    let (mut programs, mut left_out) = (Vec::new(), Vec::new());
    for (clause, program) in scenarios() {
        match fitted(context, clause, &program) {
            Ok(program) => programs.push(program),
            Err(reason) => left_out.push(format!("one of {clause}, since {reason}")),
        }
    }
    left_out.dedup();
    let notes = match left_out.is_empty() {
        true => Vec::new(),
        false => vec![format!(
            "scenarios of SPEC.md that were left out: {}",
            left_out.join("; ")
        )],
    };
    Ok(Found {
        claim: "{programs} scenarios of SPEC.md".to_owned(),
        notes,
        ..given::run(context, SEARCH.name, context.runner.times_each(), &programs)?
    })
}

/// Every scenario, with the clause under which it stands.
fn scenarios() -> impl Iterator<Item = (Clause, Program)> {
    let sections = SPEC.split("\n### ").skip(1);
    let sections = sections.filter_map(|section| {
        let (heading, text) = section.split_once('\n')?;
        Some((heading.parse::<Clause>().ok()?, text))
    });
    sections.flat_map(|(clause, text)| {
        let blocks = text.split("\n```session").skip(1);
        let programs = blocks.filter_map(|block| {
            let (_, block) = block.split_once('\n')?;
            block.split("\n```").next()?.parse().ok()
        });
        programs.map(move |program| (clause, program))
    })
}

/// The scenario with ids and times that the subject can have; or why there is none.
fn fitted(context: &Context<'_>, clause: Clause, program: &Program) -> Result<Program, String> {
    let (runner, profile) = (&context.runner, context.runner.profile);
    if profile.why_unclaimed(clause).is_some() {
        return Err("it is not claimed".to_owned());
    }
    if !program.is_expressible() {
        return Err("a Rust store cannot be handed it".to_owned());
    }
    if program.has_restart() && !context.restarts {
        return Err(NoRestart.to_string());
    }
    let overlaps = program.together().iter().any(|one| one.clients() > 1);
    if overlaps && (profile.one_client || context.budget.clients < 2) {
        return Err("its calls overlap".to_owned());
    }
    let mut ops = with_supported_ids(program.ops(), profile)?;
    if !profile.supported.has_values_of(&ops) {
        return Err("its values are not all claimed".to_owned());
    }
    if runner.subject.passing() == Passing::Waiting {
        in_ticks(&mut ops, runner.tick);
        if ops
            .iter()
            .any(|op| matches!(op, Op::Advance { by } if *by > LONGEST_WAIT))
        {
            return Err("it would have to be waited for".to_owned());
        }
    }
    Ok(program.with_ops(ops))
}

/// Longer advances are not waited for.
const LONGEST_WAIT: Nanos = 5 * SECOND;

/// With ids of the profile's in place of tokens.
fn with_supported_ids(ops: &[Op], profile: &Profile) -> Result<Vec<Op>, String> {
    let Some(pair) = &profile.supported.ids else {
        return Ok(ops.to_vec());
    };
    let known: Vec<String> = ids(ops).into_iter().map(str::to_owned).collect();
    let named: Vec<String> = known.into_iter().filter(|id| !id.is_empty()).collect();
    if !named.iter().all(|id| token::is_token(id)) {
        return Err("its ids are none that are claimed".to_owned());
    }
    let mut supported: Vec<String> = Vec::new();
    for id in (0..)
        .flat_map(|number| pair(number))
        .take(64 + 2 * named.len())
    {
        if !supported.contains(&id) {
            supported.push(id);
        }
    }
    let names: Vec<(&String, &String)> = named.iter().zip(&supported).collect();
    Ok(ops.iter().map(|op| renamed(op, &names)).collect())
}

/// With ticks for seconds.
fn in_ticks(ops: &mut [Op], tick: Nanos) {
    for op in ops {
        if let Op::Commit { ttl: time, .. } | Op::Advance { by: time } = op {
            *time = time.saturating_mul(tick) / SECOND;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::judge::runner::Runner;
    use crate::conformance::subject::Factory;
    use crate::memstore::MemStore;
    use std::sync::Arc;

    /// What is run of a store with this profile, and what is noted.
    fn ran(profile: &Profile) -> (u64, String) {
        let subject = Arc::new(Factory(MemStore::with_clock));
        let found = run(&Context::of(Runner::new(&subject, profile, None))).unwrap();
        assert!(found.caught.is_empty() && found.anomalies.is_empty());
        (found.tally.programs, found.notes.join("\n"))
    }

    #[test]
    fn every_scenario_is_run_or_left_out_with_its_reason() {
        let all = scenarios().count() as u64;
        let (ran, notes) = ran(&Profile::default());
        let left_out = notes.matches("one of ").count() as u64;
        assert!(ran > 25 && left_out > 0, "{notes}");
        assert!(ran + left_out <= all, "{notes}");
        assert!(notes.contains("one of COM-1, since a Rust store cannot be handed it"));
        assert!(notes.contains("one of DUR-1, since this subject cannot restart its store"));
    }

    #[test]
    fn what_is_not_claimed_is_left_out() {
        let all = ran(&Profile::default());
        let claims_less = Profile::default().one_client().depth(0);
        let claims_less = claims_less.unclaimed(Clause::Drp4, "it drops by prefix");
        let (less, notes) = ran(&claims_less);
        assert!(less < all.0, "{notes}");
        for reason in [
            "one of DRP-4, since it is not claimed",
            "one of CON-1, since it is not claimed",
            "one of SNP-4, since its values are not all claimed",
        ] {
            assert!(notes.contains(reason), "{notes}");
        }
    }

    #[test]
    fn letters_become_ids_that_are_claimed() {
        let profile = Profile::default().ids(|number| ["a", "b"].map(|id| format!("{id}{number}")));
        let program: Program = "commit A v1 ttl 1s; drop \"\"; prepare C".parse().unwrap();
        let ops = with_supported_ids(program.ops(), &profile).unwrap();
        let expected = "s1: commit \"a0\" v1 ttl 1s; drop \"\"; prepare \"b0\"";
        assert_eq!(Program::from(ops).to_string(), expected);
        let foreign: Program = "prepare \"*\"".parse().unwrap();
        let reason = with_supported_ids(foreign.ops(), &profile).unwrap_err();
        assert_eq!(reason, "its ids are none that are claimed");
    }

    #[test]
    fn seconds_become_ticks() {
        let program: Program = "commit A v1 ttl 2s; advance 1500ms".parse().unwrap();
        let mut ops = program.ops().to_vec();
        in_ticks(&mut ops, 40_000_000);
        let expected = "s1: commit A v1 ttl 80ms; advance 60ms";
        assert_eq!(Program::from(ops).to_string(), expected);
    }
}
