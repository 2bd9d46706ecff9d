//! Coverage: which clauses a program exercised, so that a clause nothing tested never reads as kept.

use crate::clause::Clause;
use crate::conformance::program::{payload, unsupported};
use crate::constraint::Constraint;
use crate::model::{Expected, Nanos, Op, Reply};
use crate::token;

/// How many programs exercised each clause.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) programs: u64,
    /// Operations that were run and judged.
    pub(crate) steps: u64,
    /// Commits that were refused for their id, as IDN-2 allows, and for a value, as VAL-1 allows.
    pub(crate) refused_ids: u64,
    pub(crate) refused_values: u64,
    exercised: [u64; CLAUSES],
}

const CLAUSES: usize = 64;
const _: () = assert!(Clause::ALL.len() <= CLAUSES);

impl Default for Tally {
    fn default() -> Self {
        Self {
            programs: 0,
            steps: 0,
            refused_ids: 0,
            refused_values: 0,
            exercised: [0; CLAUSES],
        }
    }
}

impl Tally {
    pub(crate) fn count(&mut self, program: &Coverage, steps: usize) {
        self.programs += 1;
        self.steps += steps as u64;
        self.refused_ids += u64::from(program.refused_ids);
        self.refused_values += u64::from(program.refused_values);
        let mut clauses = program.clauses;
        while clauses != 0 {
            self.exercised[clauses.trailing_zeros() as usize] += 1;
            clauses &= clauses - 1;
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.programs += other.programs;
        self.steps += other.steps;
        self.refused_ids += other.refused_ids;
        self.refused_values += other.refused_values;
        for (sum, more) in self.exercised.iter_mut().zip(other.exercised) {
            *sum += more;
        }
    }

    /// One more program, or history, exercised `clause`.
    pub(crate) fn exercise(&mut self, clause: Clause) {
        self.exercised[clause as usize] += 1;
    }

    /// How many programs exercised `clause`.
    pub(crate) fn exercised(&self, clause: Clause) -> u64 {
        self.exercised[clause as usize]
    }
}

/// What one program has exercised so far. A clause counts when a step was judged whose reply would
/// have been wrong in a store that breaks just this clause.
#[derive(Clone, Copy, Default)]
pub(crate) struct Coverage {
    /// One bit a clause.
    clauses: u64,
    refused_ids: u32,
    refused_values: u32,
    // What has happened, for any id:
    prepared: bool,
    refused: bool,
    advanced: bool,
    // What has happened, one bit an id:
    committed: u16,
    dropped: u16,
    seen_gone: u16,
    unusual_ttl: u16,
    rich_payload: u16,
}

/// Ids that coverage tells apart in one program; further ones share the last bit.
const IDS: usize = 16;

/// What the coverage of a step depends on and does not change from run to run.
#[derive(Clone, Copy)]
pub(crate) struct Traits {
    /// One bit: which of the program's ids.
    id: u16,
    /// Neither a token nor empty (IDN-2).
    foreign_id: bool,
    unusual_ttl: bool,
    rich_payload: bool,
}

impl Traits {
    /// Of `op`, whose id is the program's number `slot`.
    pub(crate) fn of(op: &Op, slot: Option<usize>) -> Self {
        let foreign = |id: &str| !id.is_empty() && !token::is_token(id);
        let (ttl, payload) = match op {
            Op::Commit { snapshot, ttl } => (Some(*ttl), snapshot.as_ref()),
            _ => (None, None),
        };
        Self {
            id: slot.map_or(0, |slot| 1 << slot.min(IDS - 1)),
            foreign_id: op.id().is_some_and(foreign),
            unusual_ttl: ttl.is_some_and(is_unusual),
            rich_payload: payload.is_some_and(|snapshot| payload::number_of(snapshot).is_none()),
        }
    }
}

/// Times to live at which clocks and sums break: with a part of a second, or beyond ten years.
fn is_unusual(ttl: Nanos) -> bool {
    const SECOND: Nanos = 1_000_000_000;
    const TEN_YEARS: Nanos = 10 * 366 * 86_400 * SECOND;
    ttl > TEN_YEARS || ttl % SECOND != 0
}

impl Coverage {
    /// The store refused an id or a value as unsupported, as it may.
    pub(crate) fn refuse(&mut self, constraint: Constraint) {
        self.mark(unsupported::clause(constraint));
        match constraint {
            Constraint::UnsupportedValue => self.refused_values += 1,
            _ => self.refused_ids += 1,
        }
    }

    pub(crate) fn step(&mut self, op: &Op, traits: Traits, expected: &Expected) {
        self.mark(Clause::Err1);
        if traits.foreign_id {
            self.mark(Clause::Idn2);
        }
        match op {
            Op::Prepare { .. } => self.prepare(traits, expected),
            Op::Commit { .. } => self.commit(traits, expected),
            Op::Drop { .. } => {
                if expected.clause != Clause::Drp1 {
                    self.mark(expected.clause);
                }
                self.dropped |= traits.id;
            }
            Op::Advance { .. } => self.advance(),
            Op::Restart => {}
        }
    }

    pub(crate) fn advance(&mut self) {
        self.advanced = true;
    }

    fn prepare(&mut self, traits: Traits, expected: &Expected) {
        let id = traits.id;
        self.mark(expected.clause);
        if matches!(expected.reply, Reply::Found(_)) {
            self.mark(Clause::Pre3);
            self.mark_if(self.dropped & !id != 0, Clause::Drp4);
            self.mark_if(self.unusual_ttl & id != 0, Clause::Com7);
            self.mark_if(self.rich_payload & id != 0, Clause::Snp4);
        } else if self.committed & id != 0 {
            self.mark_if(self.seen_gone & id != 0, Clause::Ttl4);
            self.mark_if(self.unusual_ttl & id != 0, Clause::Com7);
            self.seen_gone |= id;
        }
        self.mark_if(self.committed & !id != 0, Clause::Idn1);
        self.mark_if(self.refused, Clause::Com4);
        self.mark_if(self.advanced, Clause::Ttl3);
        self.mark_if(self.prepared, Clause::Pre4);
        self.prepared = true;
    }

    fn commit(&mut self, traits: Traits, expected: &Expected) {
        let id = traits.id;
        if let Reply::Refused(_) = expected.reply {
            self.mark(expected.clause);
            self.refused = true;
            return;
        }
        // One that is not plain was taken.
        self.mark_if(traits.rich_payload, Clause::Val1);
        self.committed |= id;
        self.seen_gone &= !id;
        let set = |bits: u16, on: bool| if on { bits | id } else { bits & !id };
        self.unusual_ttl = set(self.unusual_ttl, traits.unusual_ttl);
        self.rich_payload = set(self.rich_payload, traits.rich_payload);
    }

    fn mark(&mut self, clause: Clause) {
        self.clauses |= 1 << clause as u64;
    }

    fn mark_if(&mut self, condition: bool, clause: Clause) {
        self.clauses |= u64::from(condition) << clause as u64;
    }
}
