//! Vectors: programs with the replies that the contract admits, for stores in any language.

use super::exhaustive::{self, Scope};
use super::random;
use crate::conformance::program::generate::{Generator, Pace, TIMES};
use crate::conformance::program::supported::Supported;
use crate::conformance::program::value_claims::ValueClaims;
use crate::conformance::program::{hostile, payload};
use crate::conformance::report::vectors::{header, line};
use crate::model::{Nanos, Op};
use crate::token;
use serde::Serialize;
use std::iter;

/// Test vectors: programs, and what a store has to reply to each of their operations.
///
/// ```
/// use session_spec::conformance::Vectors;
///
/// let vectors = Vectors::new(3, 300, 1);
/// let mut lines = vectors.lines();
/// assert!(lines.next().unwrap().starts_with(r#"{"format":"session-spec vectors","version":1,"#));
/// assert!(lines.next().unwrap().starts_with(r#"{"program":"s1: commit A v1 ttl 1s; "#));
/// assert_eq!(lines.count() as u64, vectors.programs() - 1);
/// ```
///
/// # Format
#[doc = include_str!("../report/vectors.md")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Vectors {
    depth: usize,
    sequences: usize,
    seed: u64,
}

/// Operations in a random program, at most, apart from the prepares at the end.
const LENGTH: usize = 12;

/// The longest time that a signed integer of 64 bits holds, as most languages have it.
const LONGEST: Nanos = i64::MAX as Nanos;

/// Levels of a value: there are up to seven more around it in a line, and common readers stop at
/// 127.
const VALUE_DEPTH: usize = 120;

const SECOND: Nanos = 1_000_000_000;

impl Vectors {
    /// The deepest there are: one more would be many gigabytes.
    pub const DEEPEST: usize = 5;

    /// Every program of up to `depth` operations over the alphabet of the exhaustive search, each
    /// followed by a prepare of every id; the same with a commit at the end that Rust's types rule
    /// out; one for every two ids that careless stores confuse, and for every time to live at which
    /// clocks break; and `sequences` random ones with any JSON value. The same seed gives the same.
    ///
    /// # Panics
    /// When `depth` is beyond [`DEEPEST`](Self::DEEPEST).
    pub fn new(depth: usize, sequences: usize, seed: u64) -> Self {
        assert!(depth <= Self::DEEPEST, "depth {depth} is too deep");
        Self {
            depth,
            sequences,
            seed,
        }
    }

    /// How many programs there are.
    pub fn programs(&self) -> u64 {
        let listed = self.exhaustive().chain(pairs()).chain(lives());
        (listed.count() + self.sequences) as u64
    }

    /// The header and the programs, without line ends.
    pub fn lines(&self) -> impl Iterator<Item = String> + use<> {
        let header = header(self, self.programs());
        let programs = self.exhaustive().chain(pairs()).chain(lives());
        iter::once(header).chain(programs.chain(self.random()).map(line))
    }

    fn exhaustive(&self) -> impl Iterator<Item = Vec<Op>> + use<> {
        let scope = Scope::new(&Supported::default(), SECOND);
        (1..=self.depth).flat_map(move |length| {
            // With a prepare last, the prepares that follow it anyway would tell no more.
            let distinct = exhaustive::programs(&scope, length)
                .filter(move |ops| !matches!(ops[length - 1], Op::Prepare { .. }));
            let shorter = exhaustive::programs(&scope, length - 1);
            let untyped = shorter.flat_map(move |ops| {
                untyped().map(|op| {
                    let mut ops = ops.clone();
                    ops.insert(length - 1, op);
                    ops
                })
            });
            distinct.chain(untyped)
        })
    }

    fn random(&self) -> impl Iterator<Item = Vec<Op>> + use<> {
        let mut drawing = random::runner(self.seed, 0);
        let supported = Supported {
            values: ValueClaims {
                depth: Some(VALUE_DEPTH),
                ..ValueClaims::default()
            },
            ..Supported::default()
        };
        let generator = Generator::new(LENGTH, supported, Pace::default(), &mut drawing);
        (0..self.sequences).map(move |_| {
            let mut ops = random::observed(generator.draw(&mut drawing));
            shorten_times(&mut ops);
            ops
        })
    }
}

/// Of two ids: each is committed, observed and dropped under the eyes of the other.
fn pairs() -> impl Iterator<Item = Vec<Op>> {
    hostile::pairs().map(|[one, other]| {
        let commit = |number, id: &str| Op::Commit {
            snapshot: Some(payload::numbered(number, id)),
            ttl: SECOND,
        };
        let prepare = |id: &str| Op::Prepare { id: id.to_owned() };
        vec![
            commit(1, &one),
            prepare(&other),
            commit(2, &other),
            prepare(&one),
            Op::Drop { id: one.clone() },
            prepare(&one),
            prepare(&other),
        ]
    })
}

/// Of a time to live: the last instant that the entry is live, and the next. At last one with a
/// deadline that 64 bits do not hold.
fn lives() -> impl Iterator<Item = Vec<Op>> {
    let id = "A".repeat(token::LEN);
    let commit = {
        let snapshot = Some(payload::numbered(1, &id));
        move |ttl| Op::Commit {
            snapshot: snapshot.clone(),
            ttl,
        }
    };
    let prepare = Op::Prepare { id };
    let beyond = vec![
        Op::Advance { by: SECOND },
        commit(LONGEST),
        Op::Advance {
            by: LONGEST - 1 - SECOND,
        },
        prepare.clone(),
    ];
    let fit = TIMES.into_iter().filter(|ttl| (1..LONGEST).contains(ttl));
    let lives = fit.map(move |ttl| {
        vec![
            commit(ttl),
            Op::Advance { by: ttl - 1 },
            prepare.clone(),
            Op::Advance { by: 1 },
            prepare.clone(),
        ]
    });
    lives.chain([beyond])
}

/// Commits that a Rust store cannot be handed.
fn untyped() -> [Op; 4] {
    let a = "A".repeat(token::LEN);
    let commit = |snapshot, ttl| Op::Commit { snapshot, ttl };
    [
        commit(None, SECOND),
        commit(None, 0),
        commit(Some(payload::numbered(9, &a)), -1),
        commit(Some(payload::numbered(9, "")), i64::MIN.into()),
    ]
}

/// Cuts times to what fits. A deadline that does not fit is then never reached, so that a store
/// which takes the longest time instead is right.
fn shorten_times(ops: &mut [Op]) {
    let mut now = 0;
    for op in ops {
        match op {
            Op::Commit { ttl, .. } => *ttl = (*ttl).min(LONGEST),
            Op::Advance { by } => {
                *by = (*by).min(LONGEST - 1 - now);
                now += *by;
            }
            Op::Prepare { .. } | Op::Drop { .. } | Op::Restart => {}
        }
    }
}
