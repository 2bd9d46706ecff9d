//! Generate: random programs, for what needs length, breadth of values and hostile ids.
//!
//! proptest draws plain integers; each becomes an operation. Times are drawn relative to deadlines,
//! since a uniform one practically never hits the instant of expiry.

use super::calendar::EDGES;
use super::rng::Rng;
use super::supported::Supported;
use super::time::{CLOCK_END, WALL_ORIGIN};
use super::{Program, hostile, ids, mutation, payload, values};
use crate::model::{Model, Nanos, Op};
use crate::snapshot::Snapshot;
use crate::token;
use proptest::collection::{self, VecStrategy};
use proptest::num::u64::{ANY, Any};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Draws programs. Made once for a search, since the pool of payloads takes a while.
#[derive(Clone, Debug)]
pub(crate) struct Generator {
    draws: VecStrategy<Any>,
    supported: Supported,
    pace: Pace,
    /// Snapshots over the whole JSON value space.
    payloads: Vec<Snapshot>,
}

/// How the times of programs are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The unit of ordinary times.
    pub(crate) tick: Nanos,
    /// Whether time can pass at will: the very instant of a deadline, and centuries.
    pub(crate) at_will: bool,
    /// Deadlines reach no further than this, if they do not.
    pub(crate) horizon: Option<Nanos>,
    /// Deadlines may be late by less than this.
    pub(crate) resolution: Nanos,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tick: SECOND,
            at_will: true,
            horizon: None,
            resolution: 0,
        }
    }
}

/// A program of up to `length` operations, for tests of your own with `proptest!`.
///
/// Every operation is legal in every state, so any part of such a program is a program too.
///
/// ```
/// use proptest::prelude::*;
/// use session_spec::conformance::programs;
///
/// proptest! {
///     # fn not_a_test_here(program in programs(3)) {}
///     # /*
///     #[test]
///     # */
///     fn my_store_survives(program in programs(20)) {
///         prop_assert!(program.is_expressible());
///     }
/// }
/// ```
pub fn programs(length: usize) -> impl Strategy<Value = Program> {
    let mut runner = TestRunner::deterministic();
    let generator = Generator::new(length, Supported::default(), Pace::default(), &mut runner);
    generator
        .draws
        .clone()
        .prop_map(move |draws| generator.program(&draws).0.into())
}

/// Payloads in the pool: many more than a program commits, few enough to be made at once.
const POOL: usize = 256;

impl Generator {
    pub(crate) fn new(
        length: usize,
        supported: Supported,
        pace: Pace,
        runner: &mut TestRunner,
    ) -> Self {
        Self {
            // The first integer chooses the ids.
            draws: collection::vec(ANY, 2..=length.max(1) + 1),
            payloads: values::snapshots(POOL, &supported.values, runner),
            supported,
            pace,
        }
    }

    /// What its programs may have in them.
    pub(crate) fn supported(&self) -> &Supported {
        &self.supported
    }

    /// A random program, and the ids it is about.
    pub(crate) fn draw(&self, runner: &mut TestRunner) -> (Vec<Op>, Vec<String>) {
        let draws = self
            .draws
            .new_tree(runner)
            .expect("integers are drawn without rejection")
            .current();
        self.program(&draws)
    }

    fn program(&self, draws: &[u64]) -> (Vec<Op>, Vec<String>) {
        let (first, rest) = draws.split_first().unwrap_or((&0, &[]));
        let mut first = Bits(*first);
        let phase = PHASES[first.take(PHASES.len())];
        let is_crowded = first.take(CROWDED) == 0;
        let ids = match is_crowded {
            true => self.crowd(rest.len(), first),
            false => self.ids(first),
        };
        let mut ops = Vec::with_capacity(1 + rest.len() + ids.len());
        let mut model = Model::default();
        let mut last = vec![None; ids.len()];
        // Some begin shortly before an edge of the calendar.
        let mut others = Bits(draws.first().map_or(0, |first| first >> 48));
        let phase = match others.take(ON_CALENDAR) {
            1 => EDGES[others.take(64) % EDGES.len()] - BEFORE[others.take(BEFORE.len())],
            _ => phase,
        };
        if phase > 0 && self.pace.at_will {
            let begin = Op::Advance { by: phase };
            model.step(&begin);
            ops.push(begin);
        }
        // With the advance in front, no more than were asked for.
        for &draw in &rest[ops.len()..] {
            let begun = Begun {
                ids: &ids,
                last: &last,
                model: &model,
                index: ops.len(),
            };
            let op = match is_crowded {
                true => self.op_of_a_crowd(Bits(draw), begun),
                false => self.op(Bits(draw), begun),
            };
            let slot = ids.iter().position(|id| Some(&**id) == op.id());
            if let (Op::Commit { snapshot, .. }, Some(slot)) = (&op, slot) {
                last[slot].clone_from(snapshot);
            }
            model.step(&op);
            ops.push(op);
        }
        (ops, ids)
    }

    fn op(&self, mut bits: Bits, begun: Begun<'_>) -> Op {
        let Begun {
            ids,
            last,
            model,
            index,
        } = begun;
        let kind = bits.take(16);
        let slot = bits.take(8) % ids.len();
        let id = &ids[slot];
        match kind {
            0..6 => Op::Prepare { id: id.clone() },
            6..8 => Op::Drop { id: id.clone() },
            8..13 => Op::Commit {
                snapshot: Some(self.payload(&mut bits, id, last[slot].as_ref(), index)),
                ttl: self.ttl(&mut bits, id, model),
            },
            _ => Op::Advance {
                by: self.advance(&mut bits, ids, model),
            },
        }
    }

    /// Mostly commits of one id after another, for long: what stores with little room forget.
    fn op_of_a_crowd(&self, mut bits: Bits, begun: Begun<'_>) -> Op {
        if bits.take(8) == 0 {
            return self.op(bits, begun);
        }
        let Begun { ids, index, .. } = begun;
        Op::Commit {
            snapshot: Some(payload::numbered(index as u64 + 1, &ids[index % ids.len()])),
            ttl: 1_000 * self.pace.tick,
        }
    }

    /// Some of them small and unlike any other of the program, some always the same, some an edit of
    /// the one before, half of them anything.
    fn payload(
        &self,
        bits: &mut Bits,
        id: &str,
        last: Option<&Snapshot>,
        index: usize,
    ) -> Snapshot {
        let fits = |snapshot: &Snapshot| self.supported.values.has(snapshot);
        let drawn = match (bits.take(8), last) {
            (0, _) => Some(payload::numbered(index as u64 + 1, id)),
            (1, _) => None,
            (2, Some(last)) => Some(mutation::mutated(last, bits.take(1 << 12))).filter(fits),
            (2 | 3, last) => last.cloned(),
            _ => Some(self.payloads[bits.take(POOL)].with_id(id)).filter(fits),
        };
        drawn.unwrap_or_else(|| payload::numbered(1, id))
    }
}

/// A program of which some is drawn.
#[derive(Clone, Copy)]
struct Begun<'a> {
    ids: &'a [String],
    /// What was committed last under each of them.
    last: &'a [Option<Snapshot>],
    model: &'a Model,
    /// How many operations it has.
    index: usize,
}

/// The parts of a program that the supported ids and the pace decide.
impl Generator {
    /// Two tokens, the empty id, and in every second program a pair of ids that a careless store
    /// might take for one another; of a store that supports certain ids only, those.
    fn ids(&self, mut bits: Bits) -> Vec<String> {
        if let Some(pair) = &self.supported.ids {
            // Small numbers, large ones, and ones that no double holds exactly.
            let [other, another] = pair(bits.0 >> [32, 1][(bits.0 % 2) as usize]);
            let [one, two] = pair(bits.0 & u64::from(u32::MAX));
            return vec![one, two, String::new(), other, another];
        }
        let [a, b] = ["A", "B"].map(|letter| letter.repeat(token::LEN));
        // The first ones come up most.
        if bits.take(2) == 0 {
            let pair = hostile::pair(bits.0);
            if pair.iter().all(|id| self.supported.fits_in(id)) {
                let [one, other] = pair;
                return vec![a, one, other, b, String::new()];
            }
        }
        vec![a, b, String::new()]
    }

    /// As many ids as there are operations: those of one letter, as far as there are, or random
    /// tokens, which short hashes take for one another.
    fn crowd(&self, count: usize, mut bits: Bits) -> Vec<String> {
        if let Some(pair) = &self.supported.ids {
            return (0..count as u64).flat_map(|number| pair(number)).collect();
        }
        let tokens = ids::simplest(60);
        if bits.take(2) == 0 {
            return tokens.into_iter().take(count).collect();
        }
        let mut rng = Rng::new(bits.0, 0);
        let mut letter = || &tokens[rng.below(tokens.len())][..1];
        let mut token = || (0..token::LEN).map(|_| letter()).collect();
        (0..count).map(|_| token()).collect()
    }

    fn ttl(&self, bits: &mut Bits, id: &str, model: &Model) -> Nanos {
        let tick = self.pace.tick;
        if let Some(horizon) = self.pace.horizon
            && bits.take(4) == 0
        {
            // About the horizon, and far beyond.
            let beyond = [-1, 0, 1, tick, horizon];
            return horizon + beyond[bits.take(8) % beyond.len()];
        }
        match bits.take(8) {
            0..4 => 1 + bits.take(4) as Nanos * tick / 2,
            4 => (1 + bits.take(2) as Nanos) * tick,
            // To a deadline on a whole step of a coarse clock.
            5 => {
                let step = STEPS[bits.take(STEPS.len())];
                step * (1 + bits.take(2) as Nanos) - model.now() % step
            }
            6 => TIMES[bits.take(TIMES.len())],
            // To the deadline of the entry that it replaces, or next to it.
            _ => match model.deadline(id) {
                Some(deadline) => {
                    (deadline - model.now() + bits.take(4) as Nanos - 1).min(CLOCK_END)
                }
                None => tick,
            },
        }
    }

    fn advance(&self, bits: &mut Bits, ids: &[String], model: &Model) -> Nanos {
        let Pace { tick, at_will, .. } = self.pace;
        let halves = |bits: &mut Bits| (1 + bits.take(4) as Nanos) * tick / 2;
        if !at_will {
            return halves(bits);
        }
        let to_deadline = |bits: &mut Bits| {
            let deadline = model.deadline(&ids[bits.take(8) % ids.len()])?;
            // What lies beyond the horizon is live until then.
            let horizon = self.pace.horizon.unwrap_or(Nanos::MAX);
            let deadline = deadline.min(model.now().saturating_add(horizon));
            let about = deadline + bits.take(4) as Nanos % 3 - 1;
            // Or when a store with a coarse clock must have let go.
            let resolution = self.pace.resolution;
            let is_late = resolution > 0 && bits.take(2) == 0;
            Some(about + if is_late { resolution } else { 0 } - model.now())
        };
        let by = match bits.take(8) {
            0..4 => to_deadline(bits).unwrap_or(tick),
            4 | 5 => halves(bits),
            6 => [1, MILLISECOND][bits.take(2)],
            _ => TIMES[bits.take(16)],
        };
        by.clamp(0, FURTHEST - model.now())
    }
}

/// A random integer, spent bit by bit.
struct Bits(u64);

impl Bits {
    /// A number below `end`, a power of two.
    fn take(&mut self, end: usize) -> usize {
        debug_assert!(end.is_power_of_two());
        let taken = self.0 & (end as u64 - 1);
        self.0 >>= end.trailing_zeros();
        usize::try_from(taken).unwrap_or(0)
    }
}

/// One program in so many commits many ids.
const CROWDED: usize = 32;

const SECOND: Nanos = 1_000_000_000;
const MILLISECOND: Nanos = 1_000_000;

/// No program's time goes further: 20,000 years. A `SystemTime` ends not much later on some
/// platforms, and a clock that cannot go on would convict the store that reads it.
pub(crate) const FURTHEST: Nanos = 20_000 * 366 * 86_400 * SECOND;

/// Where between two whole seconds programs begin: clocks that are cut to steps err at these.
const PHASES: [Nanos; 8] = [
    0,
    0,
    0,
    1,
    MILLISECOND - 1,
    100 * MILLISECOND,
    SECOND / 2,
    SECOND - 1,
];

/// One program of so many begins around an edge of the calendar: so long before it.
const ON_CALENDAR: usize = 32;
const BEFORE: [Nanos; 4] = [1, SECOND, 3 * SECOND / 2, 3_600 * SECOND];

/// The steps of coarse clocks.
const STEPS: [Nanos; 4] = [MILLISECOND, 100 * MILLISECOND, SECOND, 60 * SECOND];

/// Times to live at which clocks, units and sums break.
pub(crate) const TIMES: [Nanos; 32] = [
    0,
    1,
    999_999,
    MILLISECOND,
    MILLISECOND + 1,
    1_500_000,
    SECOND - 1,
    SECOND + 1,
    3 * SECOND / 2,
    1_999 * MILLISECOND,
    60 * SECOND,
    86_400 * SECOND,
    30 * 86_400 * SECOND,
    31 * 86_400 * SECOND,
    // The wall clock passes 2^31 seconds (2038), 2^32 seconds (2106) and the year 9999.
    ((1 << 31) - 1 - WALL_ORIGIN) * SECOND,
    ((1 << 31) - WALL_ORIGIN) * SECOND,
    ((1 << 32) - 1 - WALL_ORIGIN) * SECOND,
    ((1 << 32) - WALL_ORIGIN) * SECOND,
    (253_402_300_799 - WALL_ORIGIN) * SECOND,
    (253_402_300_800 - WALL_ORIGIN) * SECOND,
    // A number of seconds, milliseconds, .. that 32 or 64 bits just hold, or not.
    i32::MAX as Nanos * MILLISECOND,
    u32::MAX as Nanos * MILLISECOND,
    i32::MAX as Nanos * SECOND,
    (u32::MAX as Nanos + 1) * SECOND,
    i64::MAX as Nanos,
    i64::MAX as Nanos + 1,
    u64::MAX as Nanos + 1,
    (i64::MAX as Nanos + 1) * 1_000,
    (i64::MAX as Nanos + 1) * MILLISECOND,
    i64::MAX as Nanos * SECOND,
    CLOCK_END - 1,
    CLOCK_END,
];
