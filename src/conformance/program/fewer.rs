//! Fewer: programs of fewer operations of the same kinds, in any order and on any of the same ids. A
//! program that no single simplification makes smaller need not be the shortest.

use super::ids::{ids, renamed, simplest};
use super::payload;
use crate::model::{Model, Op, Reply};
use crate::snapshot::Snapshot;
use std::mem;

/// How many operations the programs that are looked at may have together: some hundredths of a second.
const MOST: usize = 200_000;

/// Shows `is_it` the programs of fewer operations than `ops` whose last should be answered alike, like
/// `expected`, the shortest first, until it says that this is it. Says whether it did; there may be too
/// many to show all.
pub(crate) fn fewer(ops: &[Op], expected: &Reply, mut is_it: impl FnMut(&[Op]) -> bool) -> bool {
    let mut fewer = Fewer::than(ops, expected);
    (2..ops.len()).any(|length| fewer.extend(length, 0, &mut is_it))
}

struct Fewer<'a> {
    /// The kinds of operations, each without an id that others could take the place of, and how many
    /// of it there are.
    kinds: Vec<(Op, usize)>,
    last: Op,
    /// What the last operation should be answered.
    expected: &'a Reply,
    ids: Vec<String>,
    ops: Vec<Op>,
    /// How many operations may still be looked at.
    left: usize,
}

/// What stands for an id until one is put in its place: no token, so that no other id is the same.
const OPEN: &str = "?";

impl<'a> Fewer<'a> {
    fn than(ops: &[Op], expected: &'a Reply) -> Self {
        let known = ids(ops);
        let mut ids = simplest(known.len());
        ids.retain(|id| known.contains(&id.as_str()));
        let mut kinds: Vec<(Op, usize)> = Vec::new();
        let (last, before) = ops.split_last().expect("something fails in it");
        for op in before.iter().map(|op| kind(op, &ids)) {
            match kinds.iter_mut().find(|(kind, _)| *kind == op) {
                Some((_, count)) => *count += 1,
                None => kinds.push((op, 1)),
            }
        }
        Self {
            kinds,
            last: kind(last, &ids),
            expected,
            ids,
            ops: Vec::new(),
            left: MOST,
        }
    }

    /// Goes on to `length` operations, of which so many ids occur in those that are there.
    fn extend(
        &mut self,
        length: usize,
        used: usize,
        is_it: &mut impl FnMut(&[Op]) -> bool,
    ) -> bool {
        if self.ops.len() + 1 == length {
            let last = self.last.clone();
            return self.with_each_id(&last, used, |fewer, _| fewer.show(is_it));
        }
        (0..self.kinds.len()).any(|index| {
            let (kind, count) = &mut self.kinds[index];
            if *count == 0
                || self
                    .ops
                    .last()
                    .is_some_and(|last| is_as_well_one(last, kind))
            {
                return false;
            }
            *count -= 1;
            let kind = kind.clone();
            let found =
                self.with_each_id(&kind, used, |fewer, used| fewer.extend(length, used, is_it));
            self.kinds[index].1 += 1;
            found
        })
    }

    /// Adds an operation of this kind, once for each id: those that occur, and the next that does not.
    fn with_each_id(
        &mut self,
        kind: &Op,
        used: usize,
        mut go_on: impl FnMut(&mut Self, usize) -> bool,
    ) -> bool {
        if kind.id() != Some(OPEN) {
            return self.with(kind.clone(), used, &mut go_on);
        }
        let choices = (used + 1).min(self.ids.len());
        (0..choices).any(|choice| {
            let op = self.with_id(kind, choice);
            self.with(op, used.max(choice + 1), &mut go_on)
        })
    }

    fn with(
        &mut self,
        op: Op,
        used: usize,
        go_on: &mut impl FnMut(&mut Self, usize) -> bool,
    ) -> bool {
        self.ops.push(op);
        let found = self.left > 0 && go_on(self, used);
        self.ops.pop();
        found
    }

    /// With an id, and a commit with the payload of its number, unless it matters what is committed.
    fn with_id(&self, kind: &Op, choice: usize) -> Op {
        let id = &self.ids[choice];
        match kind {
            Op::Commit {
                snapshot: Some(snapshot),
                ttl,
            } if is_ordinary(snapshot) => {
                let commits = self.ops.iter().filter_map(payload::committed).count();
                Op::Commit {
                    snapshot: Some(payload::numbered(commits as u64 + 1, id)),
                    ttl: *ttl,
                }
            }
            _ => renamed(kind, &[(&OPEN.to_owned(), id)]),
        }
    }

    fn show(&mut self, is_it: &mut impl FnMut(&[Op]) -> bool) -> bool {
        self.left = self.left.saturating_sub(self.ops.len());
        let mut model = Model::default();
        let expected = self.ops.iter().map(|op| model.step(op).reply).last();
        let alike = |reply: Reply| mem::discriminant(&reply) == mem::discriminant(self.expected);
        expected.is_some_and(alike) && is_it(&self.ops)
    }
}

/// The operation without its id, if it is one of `ids`, and without its number, if it has one.
fn kind(op: &Op, ids: &[String]) -> Op {
    let Some(id) = op.id().filter(|id| ids.iter().any(|known| known == id)) else {
        return op.clone();
    };
    match op {
        Op::Commit {
            snapshot: Some(snapshot),
            ttl,
        } if is_ordinary(snapshot) => Op::Commit {
            snapshot: Some(payload::numbered(1, OPEN)),
            ttl: *ttl,
        },
        _ => renamed(op, &[(&id.to_owned(), &OPEN.to_owned())]),
    }
}

/// A payload that any other would do as well for. One without user and data is none.
fn is_ordinary(snapshot: &Snapshot) -> bool {
    payload::number_of(snapshot).is_some_and(|number| number > 0)
}

/// Two advances in a row.
fn is_as_well_one(last: &Op, next: &Op) -> bool {
    matches!((last, next), (Op::Advance { .. }, Op::Advance { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::program::Program;

    /// The programs that are shown for one whose last operation fails, until so many.
    fn shown(program: &str, most: usize) -> Vec<String> {
        let ops = program.parse::<Program>().unwrap().ops().to_vec();
        let mut model = Model::default();
        let expected = ops.iter().map(|op| model.step(op).reply).last().unwrap();
        let mut shown = Vec::new();
        let is_found = fewer(&ops, &expected, |ops| {
            let text = Program::from(ops.to_vec()).to_string();
            shown.push(text.trim_start_matches("s1: ").to_owned());
            shown.len() == most
        });
        assert_eq!(is_found, shown.len() == most);
        shown
    }

    #[test]
    fn the_shortest_come_first_in_every_order_and_on_every_id() {
        let program = "commit B v7 ttl 1s; prepare A; drop A; prepare A";
        let expected = [
            "commit A v1 ttl 1s; prepare B",
            "prepare A; prepare A",
            "prepare A; prepare B",
            "drop A; prepare A",
            "drop A; prepare B",
            "commit A v1 ttl 1s; prepare A; prepare B",
            "commit A v1 ttl 1s; prepare B; prepare B",
            "commit A v1 ttl 1s; drop A; prepare A",
            "commit A v1 ttl 1s; drop A; prepare B",
            "commit A v1 ttl 1s; drop B; prepare B",
            "prepare A; commit A v1 ttl 1s; prepare B",
            "prepare A; commit B v1 ttl 1s; prepare A",
        ];
        let all = shown(program, usize::MAX);
        assert_eq!(all[..expected.len()], expected);
        let expected = "drop A; prepare B; prepare B";
        assert_eq!(all.last().map(String::as_str), Some(expected));
        assert_eq!(shown(program, 3).len(), 3);
    }

    #[test]
    fn what_is_committed_is_counted_unless_it_matters() {
        let all = shown(
            "commit A v0 ttl 1s; commit A v5 ttl 2s; commit B v3 ttl 2s; prepare A",
            usize::MAX,
        );
        let expected = [
            "commit A v0 ttl 1s; prepare A",
            "commit A v1 ttl 2s; prepare A",
            "commit A v0 ttl 1s; commit A v2 ttl 2s; prepare A",
        ];
        assert_eq!(all[..3], expected);
        assert_eq!(
            all.last().map(String::as_str),
            Some("commit A v1 ttl 2s; commit B v2 ttl 2s; prepare B")
        );
    }

    #[test]
    fn particular_ids_and_no_ids_stay_where_they_are() {
        let program = "commit \"x\" v3 ttl 1s; drop \"\"; advance 1s; advance 1s; prepare A";
        let expected = [
            "commit \"x\" v3 ttl 1s; prepare A",
            "drop \"\"; prepare A",
            "advance 1s; prepare A",
            "commit \"x\" v3 ttl 1s; drop \"\"; prepare A",
            "commit \"x\" v3 ttl 1s; advance 1s; prepare A",
            "drop \"\"; commit \"x\" v3 ttl 1s; prepare A",
            "drop \"\"; advance 1s; prepare A",
            "advance 1s; commit \"x\" v3 ttl 1s; prepare A",
            "advance 1s; drop \"\"; prepare A",
        ];
        let all = shown(program, usize::MAX);
        assert_eq!(all[..expected.len()], expected);
        assert!(!all.iter().any(|one| one.contains("advance 1s; advance")));
    }

    #[test]
    fn so_many_operations_are_looked_at_and_no_more() {
        let program =
            "commit A v1 ttl 1s; commit B v1 ttl 1s; drop A; drop C; prepare B; ".repeat(3);
        let all = shown(&format!("{program}drop A; drop A; prepare A"), usize::MAX);
        let operations = all.iter().map(|one| one.split(';').count());
        assert!((MOST / 4..=MOST).contains(&operations.sum()));
    }
}
