//! Deadly: programs that may end the process of a store that is wrong: values as deep as they get, the
//! longest texts, ids that are long or mean something to a parser.

use crate::conformance::check::isolate::{Fate, Isolation};
use crate::conformance::check::run;
use crate::conformance::explain::diagnose::Diagnosis;
use crate::conformance::explain::shrink;
use crate::conformance::judge::failure::Failing;
use crate::conformance::judge::failure::Failure;
use crate::conformance::program::Program;
use crate::conformance::program::hostile;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::payload;
use crate::conformance::program::values;
use crate::conformance::report::Violation;
use crate::conformance::subject::profile::Profile;
use crate::model::{Nanos, Op};
use crate::snapshot::Snapshot;
use crate::token;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;

/// Each try to shrink starts a process.
const TRIES: usize = 300;

/// The programs, plain ones first, with values of up to `deepest` levels.
pub(crate) fn programs(profile: &Profile, deepest: usize, tick: Nanos) -> Vec<Program> {
    let commit = |snapshot: &Snapshot| Op::Commit {
        snapshot: Some(snapshot.clone()),
        ttl: tick,
    };
    let of_id = |id: &str| {
        let (prepare, drop) = (Op::Prepare { id: id.into() }, Op::Drop { id: id.into() });
        let first = payload::numbered(1, id);
        [prepare.clone(), commit(&first), prepare, drop]
    };
    let [token, _] = profile.supported.two_ids();
    let of_value = |value: Snapshot| {
        let (id, snapshot) = (token.clone(), value.with_id(&*token));
        let prepare = Op::Prepare { id: id.clone() };
        vec![
            commit(&snapshot),
            prepare.clone(),
            commit(&snapshot),
            prepare,
            Op::Drop { id },
        ]
    };
    let values = values::extremes(&profile.supported, deepest)
        .into_iter()
        .map(of_value);
    let ids = hostile::pairs().filter(|_| profile.supported.ids.is_none());
    let ids = ids.map(|[one, other]| [of_id(&one), of_id(&other)].concat());
    let plain = of_id(&token).to_vec();
    let programs = [plain].into_iter().chain(values).chain(ids);
    programs.map(Program::from).collect()
}

/// The first of `programs` that ends its process, shrunk. Nothing where that could not be found out.
pub(crate) fn first_death(
    isolation: &Isolation,
    programs: &[Program],
    tick: Nanos,
) -> Option<Result<(), Death>> {
    match isolation.run(programs) {
        Fate::Unknown => None,
        Fate::Survived => Some(Ok(())),
        Fate::Died { at, how } => Some(Err(Death::shrunk(isolation, at, &programs[at], how, tick))),
    }
}

/// A program in whose midst the process ended.
pub(crate) struct Death {
    /// Its place among those that were run.
    pub(crate) at: usize,
    failing: Failing,
    /// It did so when it was run again.
    repeats: bool,
    /// There were tries left when no part of it could be left out.
    is_minimal: bool,
}

impl Death {
    fn shrunk(
        isolation: &Isolation,
        at: usize,
        program: &Program,
        how: String,
        tick: Nanos,
    ) -> Self {
        let failure = |ops: &[Op], how: String| Failure::of_last(ops, Outcome::Died(how));
        let (left, survived) = (Cell::new(TRIES), RefCell::new(HashSet::new()));
        let run = |ops: &[Op]| {
            let program = Program::from(ops.to_vec());
            let text = program.to_string();
            // Of lists in lists, one level less is the same at every level.
            if survived.borrow().contains(&text) {
                return None;
            }
            left.set(left.get().checked_sub(1)?);
            if let Fate::Died { how, .. } = isolation.run(&[program]) {
                return Some(failure(ops, how));
            }
            survived.borrow_mut().insert(text);
            None
        };
        let ops = program.ops().to_vec();
        let shrunk = shrink::shrink(ops.clone(), tick, run);
        Self {
            at,
            repeats: shrunk.is_some(),
            is_minimal: left.get() > 0,
            failing: shrunk.unwrap_or_else(|| Failing {
                failure: failure(&ops, how),
                ops,
            }),
        }
    }

    /// Whether it takes no values and no ids but such as every search has.
    pub(crate) fn is_plain(&self) -> bool {
        self.failing.ops.iter().all(|op| {
            let is_plain = match op {
                Op::Commit { snapshot, .. } => snapshot
                    .as_ref()
                    .is_none_or(|snapshot| payload::number_of(snapshot).is_some()),
                _ => true,
            };
            let id = op.id().unwrap_or_default();
            is_plain && (id.is_empty() || token::is_token(id))
        })
    }

    pub(crate) fn into_violation(self, search: &'static str, tick: Nanos) -> Violation {
        let mut diagnosis = Diagnosis::of(&self.failing, tick, None, None);
        let depth = self.depth();
        diagnosis.near_miss = (depth > 0 && self.is_minimal).then(|| {
            format!("the value is {depth} levels deep; with one level less the process goes on")
        });
        let diagnosis = self.repeats.then_some(diagnosis);
        run::violation(self.failing, search, self.at as u64 + 1, diagnosis)
    }

    /// How deep the values are that it needs.
    pub(crate) fn depth(&self) -> usize {
        let snapshots = self.failing.ops.iter().filter_map(|op| match op {
            Op::Commit { snapshot, .. } => snapshot.as_ref(),
            _ => None,
        });
        snapshots.map(values::depth).max().unwrap_or_default()
    }
}
