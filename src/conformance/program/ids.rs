//! Ids: those of a program, and the same program under others.

use super::payload;
use crate::model::Op;
use crate::token;
use std::collections::HashSet;

/// The ids of a program, in the order of their first use.
pub(crate) fn ids(ops: &[Op]) -> Vec<&str> {
    let mut known = HashSet::new();
    let ids = ops.iter().filter_map(Op::id);
    ids.filter(|id| known.insert(*id)).collect()
}

/// The simplest ids, the simplest first.
pub(crate) fn simplest(count: usize) -> Vec<String> {
    let letters = ('A'..='Z').chain('a'..='z').map(String::from);
    let tokens = letters.map(|letter| letter.repeat(token::LEN));
    tokens
        .filter(|id| token::is_token(id))
        .take(count)
        .collect()
}

/// The same with tokens in place of all ids, the empty one apart.
pub(crate) fn with_plain_ids(ops: &[Op]) -> Vec<Op> {
    with_tokens(ops, &ids(ops), renamed)
}

/// The same with tokens that are in the same order of all.
pub(crate) fn with_ids_in_order(ops: &[Op]) -> Vec<Op> {
    let mut ids = ids(ops);
    ids.sort_unstable();
    with_tokens(ops, &ids, renamed)
}

/// The same with tokens in place of all ids, the empty one apart, and data as long as these were in what
/// is committed under them.
pub(crate) fn with_ids_in_payloads(ops: &[Op]) -> Vec<Op> {
    with_tokens(ops, &ids(ops), as_long)
}

fn with_tokens(
    ops: &[Op],
    ids: &[&str],
    renamed: impl Fn(&Op, &[(&String, &String)]) -> Op,
) -> Vec<Op> {
    let ids = ids.iter().filter(|id| !id.is_empty());
    let ids: Vec<String> = ids.map(|id| (*id).to_owned()).collect();
    let simple = simplest(ids.len());
    let names: Vec<(&String, &String)> = ids.iter().zip(&simple).collect();
    ops.iter().map(|op| renamed(op, &names)).collect()
}

/// The same with one id less, in every way.
pub(crate) fn with_merged_ids(ops: &[Op]) -> Vec<Vec<Op>> {
    let ids: Vec<String> = ids(ops).into_iter().map(str::to_owned).collect();
    let ids: Vec<String> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    let pairs = ids
        .iter()
        .flat_map(|one| ids.iter().map(move |other| (one, other)));
    let pairs = pairs.filter(|(one, other)| one != other);
    pairs
        .map(|pair| ops.iter().map(|op| renamed(op, &[pair])).collect())
        .collect()
}

pub(crate) fn renamed(op: &Op, names: &[(&String, &String)]) -> Op {
    let new = |id: &str| {
        let renamed = names.iter().find(|(old, _)| *old == id);
        renamed.map_or_else(|| id.to_owned(), |(_, new)| (*new).clone())
    };
    match op {
        Op::Prepare { id } => Op::Prepare { id: new(id) },
        Op::Drop { id } => Op::Drop { id: new(id) },
        Op::Commit { snapshot, ttl } => Op::Commit {
            snapshot: snapshot.as_ref().map(|s| s.with_id(new(s.id()))),
            ttl: *ttl,
        },
        Op::Advance { .. } | Op::Restart => op.clone(),
    }
}

/// The same under other ids: what is committed under a long one gets data as long as that.
pub(crate) fn as_long(op: &Op, names: &[(&String, &String)]) -> Op {
    let length = op.id().map_or(0, str::len);
    match renamed(op, names) {
        Op::Commit {
            snapshot: Some(snapshot),
            ttl,
        } if length > token::LEN => Op::Commit {
            snapshot: payload::with_text(&snapshot, length),
            ttl,
        },
        op => op,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::program::Program;

    fn ops(program: &str) -> Vec<Op> {
        program.parse::<Program>().unwrap().ops().to_vec()
    }

    #[test]
    fn tokens_in_place_of_all_ids_leave_the_empty_one() {
        let plain = with_plain_ids(&ops("commit \"x\" v1 ttl 1s; drop \"\"; prepare \"y\""));
        assert_eq!(plain, ops("commit A v1 ttl 1s; drop \"\"; prepare B"));
    }

    #[test]
    fn tokens_come_in_the_order_of_the_ids_that_they_stand_for() {
        let plain = with_ids_in_order(&ops("prepare \"y\"; drop \"\"; drop \"x\""));
        assert_eq!(plain, ops("prepare B; drop \"\"; drop A"));
    }

    #[test]
    fn data_as_long_stand_for_long_ids_and_for_no_tokens() {
        let long = ops("commit \"x\"*33 v0 ttl 1s; commit C v0 ttl 1s; prepare \"x\"*33");
        let text = format!(
            r#"{{"csrf_token":"v0","data":{{"":"{}"}}}}"#,
            "x".repeat(33)
        );
        let plain = format!("commit A {text} ttl 1s; commit B v0 ttl 1s; prepare A");
        assert_eq!(with_ids_in_payloads(&long), ops(&plain));
    }

    #[test]
    fn each_id_is_merged_into_each_other_but_the_empty_one() {
        let merged = with_merged_ids(&ops("drop \"x\"; drop \"\"; drop \"y\""));
        let both = [
            "drop \"y\"; drop \"\"; drop \"y\"",
            "drop \"x\"; drop \"\"; drop \"x\"",
        ];
        assert_eq!(merged, both.map(ops));
    }
}
