//! Exhaustive: every program up to a given length over a small alphabet.
//!
//! Small scopes find most defects ("small scope hypothesis", Jackson, *Software Abstractions*, 2006),
//! and what was searched can be stated exactly. Two ids are named in the order of their first use:
//! a program and the one with both renamed are the same to the contract.

use super::context::{Budget, Context, Progress};
use super::definition::{Search, Takes};
use super::found::{Caught, Found};
use super::listed;
use crate::conformance::judge::coverage::{Coverage, Tally, Traits};
use crate::conformance::judge::failure::{Class, Failure};
use crate::conformance::judge::lockstep;
use crate::conformance::judge::until::Until;
use crate::conformance::program::outcome::Outcome;
use crate::conformance::program::supported::Supported;
use crate::conformance::program::{Program, Time, payload};
use crate::conformance::subject::erased::Make;
use crate::conformance::subject::watch::{self, Running};
use crate::conformance::subject::{erased, panics, workers};

use crate::clock::ManualClock;
use crate::model::{Expected, Model, Nanos, Op};
use crate::token;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::iter;
use std::sync::Arc;

/// The longest programs that can be searched: more would take hours.
pub(crate) const DEEPEST: usize = 7;

#[derive(Clone, Copy)]
enum Letter {
    Prepare(usize),
    Commit(usize, Nanos),
    Drop(usize),
    Advance(Nanos),
}

/// The ids, by what letters call them. The first two are alike, the third is never committed.
const A: usize = 0;
const B: usize = 1;
const UNKNOWN: usize = 2;
const EMPTY: usize = 3;

const ALPHABET: &[Letter] = &[
    Letter::Commit(A, 1),
    Letter::Commit(A, 2),
    Letter::Commit(A, 0),
    Letter::Commit(B, 1),
    Letter::Commit(B, 2),
    Letter::Commit(B, 0),
    Letter::Commit(EMPTY, 1),
    Letter::Commit(EMPTY, 0),
    Letter::Prepare(A),
    Letter::Prepare(B),
    Letter::Prepare(UNKNOWN),
    Letter::Prepare(EMPTY),
    Letter::Drop(A),
    Letter::Drop(B),
    Letter::Drop(UNKNOWN),
    Letter::Drop(EMPTY),
    Letter::Advance(1),
    Letter::Advance(2),
];

/// What is searched: the alphabet's ids and the unit of its times.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// A, B, one that is never committed, and the empty one.
    ids: [String; 4],
    tick: Nanos,
}

impl Scope {
    /// Tokens as ids, unless others are supported; ticks of this length.
    pub(crate) fn new(supported: &Supported, tick: Nanos) -> Self {
        let ids = match &supported.ids {
            None => ["A", "B", "U", ""].map(|letter| letter.repeat(token::LEN)),
            Some(pair) => {
                let ([a, b], known) = (pair(0), [pair(0), pair(0)].concat());
                let mut others = (1..).flat_map(|number| pair(number));
                let unknown = others.find(|id| !known.contains(id)).unwrap_or_default();
                [a, b, unknown, String::new()]
            }
        };
        Self { ids, tick }
    }

    /// The ids that are alike, and the unit of times.
    pub(crate) fn parts(&self) -> ([&str; 2], Nanos) {
        let [a, b, ..] = &self.ids;
        ([a, b], self.tick)
    }

    /// What was searched, as the report states it.
    pub(crate) fn claim(&self) -> String {
        let [zero, one, two] = [0, 1, 2].map(|ticks| Time(ticks * self.tick).to_string());
        format!(
            "prepare and drop of A, B, an unknown id and the empty id; commit of A and B for {zero}, \
             {one} and {two} and of the empty id for {zero} and {one}, each with a payload of its own; \
             advance of {one} and {two}; after each program a prepare of every id; A and B named by \
             first use"
        )
    }
}

impl Letter {
    fn id(self) -> Option<usize> {
        match self {
            Self::Prepare(id) | Self::Commit(id, _) | Self::Drop(id) => Some(id),
            Self::Advance(_) => None,
        }
    }

    /// Whether this may follow when the first `named` ids have been used.
    fn may_follow(self, named: usize) -> bool {
        self.id() != Some(B) || named > 0
    }

    fn named_after(self, named: usize) -> usize {
        match self.id() {
            Some(id @ (A | B)) => named.max(id + 1),
            _ => named,
        }
    }

    fn op(self, Scope { ids, tick }: &Scope, commits: usize) -> Op {
        match self {
            Self::Prepare(id) => Op::Prepare {
                id: ids[id].clone(),
            },
            Self::Drop(id) => Op::Drop {
                id: ids[id].clone(),
            },
            Self::Advance(ticks) => Op::Advance { by: ticks * tick },
            Self::Commit(id, ticks) => Op::Commit {
                snapshot: Some(payload::numbered(commits as u64 + 1, &ids[id])),
                ttl: ticks * tick,
            },
        }
    }
}

/// How many programs of exactly `length` operations there are.
fn programs_of(length: usize) -> u64 {
    // By how many of A and B have been named.
    let mut counts = [1u64, 0, 0];
    for _ in 0..length {
        let mut next = [0; 3];
        for (named, count) in counts.into_iter().enumerate() {
            for letter in ALPHABET.iter().filter(|letter| letter.may_follow(named)) {
                next[letter.named_after(named)] += count;
            }
        }
        counts = next;
    }
    counts.iter().sum()
}

/// How many programs of up to `depth` operations there are.
pub(crate) fn programs_up_to(depth: usize) -> u64 {
    (1..=depth).map(programs_of).sum()
}

/// Every program up to a length, and what they are made of.
pub(crate) const SEARCH: Search = Search {
    name: "exhaustive",
    runs: "every program up to a length over a small alphabet of calls",
    takes: Takes::Programs,
    shows: Takes::is_of_programs,
    fits: |_| true,
    share: |budget: &Budget| budget.depth,
    weight: 6,
    run,
};

fn run(context: &Context<'_>) -> Result<Found, String> {
    let (runner, depth) = (&context.runner, context.budget.depth);
    let scope = Scope::new(&runner.profile.supported, runner.tick);
    let times = runner.times_each();
    let all = programs_up_to(depth) * times as u64;
    let mut found = match runner.subject.make() {
        Some(make) if runner.is_in_lockstep() => walk(&*make, &scope, depth, context),
        _ => {
            let programs = (1..=depth).flat_map(|length| programs(&scope, length));
            let programs = programs.flat_map(|ops| iter::repeat_n(ops, times));
            listed::run(context, SEARCH.name, all, programs)?
        }
    };
    found.claim = format!(
        "{}{{programs}} programs of up to {depth} operations over {}{}",
        if all == found.tally.programs {
            "all "
        } else {
            ""
        },
        scope.claim(),
        match times {
            1 => String::new(),
            times => format!("; each begun at {times} phases of the clock, and counted as often"),
        }
    );
    Ok(found)
}

/// Runs every program of up to `depth` operations, the short ones first.
///
/// A program that begins like one that has failed is not run: its failure is known.
fn walk(make: &Make<'_>, scope: &Scope, depth: usize, context: &Context<'_>) -> Found {
    let table = Arc::new(Table::new(scope, depth));
    let total = programs_up_to(depth);
    let mut found = Found::default();
    for length in 1..=depth {
        let prefixes = table.prefixes(length.min(3) - 1);
        let (before, has_failed) = (found.tally.programs, !found.caught.is_empty());
        let walks = workers::each(prefixes.len(), |task| {
            watch::running(Arc::clone(&table) as Arc<dyn Running>);
            let mut walk = Walk::new(make, &table, length, context.runner.until);
            walk.has_failed_before = has_failed;
            walk.under(&prefixes[task]);
            (context.progress)(Progress::new(
                SEARCH.name,
                before + (programs_of(length) * task as u64) / prefixes.len() as u64,
                total,
            ));
            (walk.tally, walk.failures)
        });
        for (tally, failures) in walks {
            for (failure, ordinal, letters) in failures.into_values() {
                let after = found.tally.programs + ordinal;
                found.catch(Caught::new(table.ops_of(&letters), failure, after));
            }
            found.tally.add(&tally);
        }
    }
    if context.runner.until.is_over() {
        found.left_out = total.saturating_sub(found.tally.programs);
    }
    found
}

/// Every program of exactly `length` operations, each followed by its observations.
pub(crate) fn programs(scope: &Scope, length: usize) -> impl Iterator<Item = Vec<Op>> + use<> {
    let table = Table::new(scope, length);
    let observations = ALPHABET.len()..ALPHABET.len() + table.observations.len();
    let programs = table.prefixes(length).into_iter();
    programs.map(move |letters| {
        let letters: Vec<usize> = letters.into_iter().chain(observations.clone()).collect();
        table.ops_of(&letters)
    })
}

/// Every operation that can occur, made once.
struct Table {
    /// By letter, then by the commits before it.
    ops: Vec<Vec<(Op, Traits)>>,
    observations: Vec<(Op, Traits)>,
}

impl Table {
    fn new(scope: &Scope, depth: usize) -> Self {
        let with_traits = |letter: Letter, commits| {
            let op = letter.op(scope, commits);
            let traits = Traits::of(&op, letter.id());
            (op, traits)
        };
        Self {
            ops: ALPHABET
                .iter()
                .map(|letter| {
                    (0..depth)
                        .map(|commits| with_traits(*letter, commits))
                        .collect()
                })
                .collect(),
            observations: [A, B, UNKNOWN, EMPTY]
                .map(|id| with_traits(Letter::Prepare(id), 0))
                .into(),
        }
    }

    /// Every beginning of `length` letters.
    fn prefixes(&self, length: usize) -> Vec<Vec<usize>> {
        let mut prefixes = vec![(Vec::new(), 0)];
        for _ in 0..length {
            prefixes = prefixes
                .into_iter()
                .flat_map(|(prefix, named)| {
                    let next =
                        (0..self.ops.len()).filter(move |next| ALPHABET[*next].may_follow(named));
                    next.map(move |next| {
                        let longer = prefix.iter().copied().chain([next]).collect();
                        (longer, ALPHABET[next].named_after(named))
                    })
                })
                .collect();
        }
        prefixes.into_iter().map(|(prefix, _)| prefix).collect()
    }

    /// The operations of a program, given as letters; those beyond the alphabet are observations.
    fn ops_of(&self, letters: &[usize]) -> Vec<Op> {
        let mut commits = 0;
        letters
            .iter()
            .map(|&letter| {
                let Some(by_commits) = self.ops.get(letter) else {
                    return self.observations[letter - self.ops.len()].0.clone();
                };
                let (op, _) = &by_commits[commits];
                commits += usize::from(matches!(op, Op::Commit { .. }));
                op.clone()
            })
            .collect()
    }
}

/// Letters in one number, five bits each, behind a one.
fn packed(letters: &[usize]) -> u64 {
    let add = |packed: u64, letter: &usize| packed << 5 | *letter as u64;
    letters.iter().fold(1, add)
}

impl Running for Table {
    /// The one under way, with its observations.
    fn program(&self, packed: u64) -> Program {
        let letters = (0..12).rev().map(|place| packed >> (5 * place));
        let letters = letters.skip_while(|rest| *rest == 0).skip(1);
        let letters = letters.map(|rest| usize::try_from(rest % 32).unwrap_or(0));
        let observations = self.ops.len()..self.ops.len() + self.observations.len();
        self.ops_of(&letters.chain(observations).collect::<Vec<_>>())
            .into()
    }
}

/// A depth-first walk over programs of one length. The model takes each step once, however many
/// programs share it; a store cannot be copied, so each program gets a fresh one.
struct Walk<'a> {
    make: &'a Make<'a>,
    table: &'a Table,
    until: Until,
    length: usize,
    letters: Vec<usize>,
    steps: Vec<(&'a Op, Expected)>,
    tally: Tally,
    /// The first failure of every class, after how many programs, and its letters.
    failures: BTreeMap<Class, (Failure, u64, Vec<usize>)>,
    /// How many failing programs were run again.
    reruns: usize,
    /// Some shorter program has failed.
    has_failed_before: bool,
}

/// Of those under one beginning, so many failing programs are run once more, to their end, for what else is
/// wrong there.
const RERUNS: usize = 200;

/// Where a walk stands, apart from the steps that led there.
#[derive(Clone, Default)]
struct Node {
    model: Model,
    coverage: Coverage,
    named: usize,
    commits: usize,
}

impl Node {
    fn next_letters(&self) -> impl Iterator<Item = (usize, &'static Letter)> + use<> {
        let named = self.named;
        let all = ALPHABET.iter().enumerate();
        all.filter(move |(_, letter)| letter.may_follow(named))
    }
}

/// How many of the letters in hand still lead to programs worth running.
type Keep = usize;

impl<'a> Walk<'a> {
    fn new(make: &'a Make<'a>, table: &'a Table, length: usize, until: Until) -> Self {
        Self {
            make,
            table,
            until,
            length,
            letters: Vec::new(),
            steps: Vec::new(),
            tally: Tally::default(),
            failures: BTreeMap::new(),
            reruns: 0,
            has_failed_before: false,
        }
    }

    /// Walks every program that begins with `prefix`.
    fn under(&mut self, prefix: &[usize]) {
        let mut node = Node::default();
        for &letter in prefix {
            node = self.enter(&node, letter);
        }
        self.walk(&mut node);
    }

    fn enter(&mut self, node: &Node, letter: usize) -> Node {
        let (op, traits) = &self.table.ops[letter][node.commits];
        let mut next = node.clone();
        let expected = next.model.step(op);
        next.coverage.step(op, *traits, &expected);
        next.named = ALPHABET[letter].named_after(node.named);
        next.commits += usize::from(matches!(op, Op::Commit { .. }));
        self.letters.push(letter);
        self.steps.push((op, expected));
        next
    }

    fn walk(&mut self, node: &mut Node) -> Keep {
        let depth = self.letters.len();
        if depth == self.length {
            return self.program(node);
        }
        for (letter, _) in node.next_letters() {
            let mut next = self.enter(node, letter);
            let keep = self.walk(&mut next);
            self.letters.truncate(depth);
            self.steps.truncate(depth);
            if keep < depth {
                return keep;
            }
        }
        depth
    }

    /// Runs the program in hand and its observations.
    fn program(&mut self, node: &mut Node) -> Keep {
        for (op, traits) in &self.table.observations {
            let expected = node.model.step(op);
            node.coverage.step(op, *traits, &expected);
            self.steps.push((op, expected));
        }
        if watch::is_stopped() || self.until.is_over() {
            return 0;
        }
        watch::packed(packed(&self.letters));
        let at = Cell::new(0);
        let wrong = panics::catching(|| self.run(&at));
        let at = at.get();
        self.tally.count(&node.coverage, at + 1);
        let outcome = match wrong {
            Ok(None) => return self.length,
            Ok(Some(outcome)) => outcome,
            Err(message) => Outcome::Panicked(message),
        };
        // A shorter program has shown this; so will all that begin like this one.
        let is_known = at + 1 < self.length;
        if is_known && self.has_failed_before {
            return at;
        }
        let ops = self.steps[..=at].iter().map(|(op, _)| *op);
        self.catch(Failure::of(ops, self.steps[at].1.clone(), outcome));
        if is_known {
            // None has: it comes by chance.
            return at;
        }
        if self.reruns < RERUNS && at + 1 < self.steps.len() {
            self.reruns += 1;
            let ops: Vec<Op> = self.steps.iter().map(|(op, _)| (*op).clone()).collect();
            for failure in lockstep::run(self.make, &ops, &Supported::default(), |_, _| {}) {
                self.catch(failure);
            }
        }
        self.length
    }

    /// Takes in a failure of the program in hand. Its ids are tokens, or those that the profile names.
    fn catch(&mut self, failure: Failure) {
        let Entry::Vacant(vacant) = self.failures.entry(failure.class()) else {
            return;
        };
        let mut letters = self.letters.clone();
        // The observations before the wrong one may be what it takes.
        let observed = (failure.at + 1).saturating_sub(self.length);
        letters.extend(ALPHABET.len()..ALPHABET.len() + observed);
        vacant.insert((failure, self.tally.programs, letters));
    }

    /// The first wrong reply; `at` follows the steps.
    fn run(&self, at: &Cell<usize>) -> Option<Outcome> {
        watch::call_begins();
        let clock = ManualClock::new();
        let store = panics::made(|| (self.make)(clock.clone()))?;
        watch::call_returned();
        for (index, (op, expected)) in self.steps.iter().enumerate() {
            at.set(index);
            let outcome = erased::perform(&*store, &clock, op);
            if !lockstep::right(expected, &outcome) {
                return Some(outcome);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
