//! Crash: programs that may end the process of a store that is wrong: values as deep as they get, the
//! longest texts, ids that are long or mean something to a parser. They are run in another process, and
//! before anything else.

use super::context::Context;
use super::definition::{Search, Takes};
use super::elsewhere::{Elsewhere, Fate};
use super::found::{Caught, Deadly, Found};
use crate::clause::Clause;
use crate::conformance::judge::failure::Failure;
use crate::conformance::judge::until::Until;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::values::{self, Nested};
use crate::conformance::program::{Program, hostile, payload, unsupported};
use crate::data::MAX_DEPTH;
use crate::model::{Nanos, Op};
use crate::snapshot::Snapshot;

/// What may end the process.
pub(crate) const SEARCH: Search = Search {
    name: "isolated",
    runs: "values nested as deep as they get, the longest texts and ids of all kinds, in a process of \
           their own, since a store may overflow its stack on them",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |_| true,
    share: |budget| budget.sequences,
    weight: 1,
    run,
};

/// A program that may end its process.
struct Risk {
    program: Program,
    /// What in it is nested, and how deep.
    nested: Option<(Nested, usize)>,
}

#[expect(clippy::unnecessary_wraps, reason = "all searches are of one shape")]
fn run(context: &Context<'_>) -> Result<Found, String> {
    let not_isolated = || {
        Found {
        notes: vec![
            "values nested deeply and long ids were run in this process, which an overflow of the stack \
             would have ended: see Check::isolate"
                .to_owned(),
        ],
        ..Found::default()
    }
    };
    let Some(elsewhere) = context.elsewhere else {
        return Ok(not_isolated());
    };
    let (supported, tick) = (&context.runner.profile.supported, context.runner.tick);
    let mut found = Found {
        claim:
            "{programs} programs in a process of their own, with values as deep as they get, the \
                longest texts, and ids of all kinds"
                .to_owned(),
        ..Found::default()
    };
    let mut deepest = MAX_DEPTH;
    loop {
        let risks = risks(supported, deepest, tick);
        let programs: Vec<Program> = risks.iter().map(|risk| risk.program.clone()).collect();
        let (fate, survived) = in_batches(elsewhere, &programs, context.runner.until);
        let ran = match fate {
            Fate::Unknown => return Ok(not_isolated()),
            Fate::Survived => survived,
            Fate::Died { at, .. } => at + 1,
        };
        found.left_out = (programs.len() - ran) as u64;
        for program in &programs[..ran] {
            found.tally.programs += 1;
            found.tally.steps += program.ops().len() as u64;
            found.tally.exercise(Clause::Err1);
        }
        let Fate::Died { at, how } = fate else {
            break;
        };
        let (mut program, mut how) = (programs[at].clone(), how);
        let deadly = match risks[at].nested {
            _ if at == 0 => Deadly::All,
            None => Deadly::Drawn,
            Some((nested, depth)) => {
                let depth = shallowest(elsewhere, supported, tick, (nested, depth), &mut how);
                program = of_nested(supported, nested, depth, tick);
                Deadly::Deeper(depth - 1)
            }
        };
        let ops = program.ops().to_vec();
        let failure = Failure::of_last(&ops, Outcome::Died(how));
        found.catch(Caught::new(ops, failure, found.tally.programs));
        found.deadly = Some(deadly);
        found.left_out = 0;
        match deadly {
            Deadly::Deeper(less) => deepest = less,
            Deadly::Drawn | Deadly::All => break,
        }
    }
    let left_out = match found.deadly {
        Some(Deadly::All) => "nothing else was",
        Some(Deadly::Drawn) => "no random programs were",
        Some(Deadly::Deeper(_)) | None => return Ok(found),
    };
    found.notes.push(format!(
        "{left_out} run: they would have ended this process, as that program ends its own"
    ));
    Ok(found)
}

/// Runs them, as far as there is time. Says how many survived before the rest was left out.
fn in_batches(elsewhere: &dyn Elsewhere, programs: &[Program], until: Until) -> (Fate, usize) {
    const BATCH: usize = 8;
    let batch = if until.has_end() {
        BATCH
    } else {
        programs.len()
    };
    let mut survived = 0;
    for some in programs.chunks(batch) {
        match elsewhere.run(some) {
            Fate::Survived => survived += some.len(),
            Fate::Died { at, how } => {
                let at = survived + at;
                return (Fate::Died { at, how }, survived);
            }
            Fate::Unknown => return (Fate::Unknown, survived),
        }
        if until.is_over() {
            break;
        }
    }
    (Fate::Survived, survived)
}

/// The least depth at which a value that is nested so ends the process, as one of this depth does; and
/// how it does.
fn shallowest(
    elsewhere: &dyn Elsewhere,
    supported: &Supported,
    tick: Nanos,
    (nested, depth): (Nested, usize),
    how: &mut String,
) -> usize {
    let (mut survived, mut died) = (0, depth);
    while died - survived > 1 {
        let middle = usize::midpoint(survived, died);
        match elsewhere.run(&[of_nested(supported, nested, middle, tick)]) {
            Fate::Survived => survived = middle,
            Fate::Died { how: again, .. } => {
                died = middle;
                *how = again;
            }
            Fate::Unknown => break,
        }
    }
    died
}

/// The programs, a plain one first, with values of up to `deepest` levels.
fn risks(supported: &Supported, deepest: usize, tick: Nanos) -> Vec<Risk> {
    let [token, _] = supported.two_ids();
    let plain = of_id(&token, tick);
    let values = values::extremes(&supported.values, deepest).into_iter();
    let beyond = unsupported::snapshots(&supported.values, &token).into_iter();
    let beyond = beyond.filter(|(nested, _)| nested.is_none_or(|(_, depth)| depth <= deepest));
    let values = values.chain(beyond).map(|(nested, value)| Risk {
        program: of_value(&token, &value, tick),
        nested,
    });
    let ids = hostile::pairs().filter(|_| supported.ids.is_none());
    let ids = ids.map(|[one, other]| [of_id(&one, tick), of_id(&other, tick)].concat());
    let not_nested = |ops: Vec<Op>| Risk {
        program: ops.into(),
        nested: None,
    };
    let plain = [not_nested(plain)].into_iter();
    plain.chain(values).chain(ids.map(not_nested)).collect()
}

fn of_nested(supported: &Supported, nested: Nested, depth: usize, tick: Nanos) -> Program {
    let [token, _] = supported.two_ids();
    of_value(&token, &nested.snapshot(depth), tick)
}

fn of_value(token: &str, value: &Snapshot, tick: Nanos) -> Program {
    let (id, snapshot) = (token.to_owned(), value.with_id(token));
    let prepare = Op::Prepare { id: id.clone() };
    let ops = vec![
        commit(&snapshot, tick),
        prepare.clone(),
        commit(&snapshot, tick),
        prepare,
        Op::Drop { id },
    ];
    ops.into()
}

fn of_id(id: &str, tick: Nanos) -> Vec<Op> {
    let (prepare, drop) = (Op::Prepare { id: id.into() }, Op::Drop { id: id.into() });
    let first = commit(&payload::numbered(1, id), tick);
    vec![prepare.clone(), first, prepare, drop]
}

fn commit(snapshot: &Snapshot, ttl: Nanos) -> Op {
    Op::Commit {
        snapshot: Some(snapshot.clone()),
        ttl,
    }
}
