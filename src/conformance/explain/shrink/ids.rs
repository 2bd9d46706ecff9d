//! Ids: other ones, shorter ones, fewer of them.

use super::Shrinker;
use crate::conformance::judge::lockstep::{self, Failure};
use crate::conformance::program::payload;
use crate::model::Op;
use crate::token;

impl<R: Fn(&[Op]) -> Option<Failure>> Shrinker<R> {
    pub(super) fn simplify_ids(&mut self) -> bool {
        let ids: Vec<String> = lockstep::ids(&self.best.ops)
            .into_iter()
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        self.rename_one(&ids)
            || self.rename_two(&ids)
            || self.rename_cases(&ids)
            || self.length_into_payloads(&ids)
            || self.shorten_one(&ids)
            || self.shorten_two(&ids)
            || self.plain_characters(&ids)
            || self.rename_all()
    }

    /// Puts a simpler id in place of one, everywhere: one that occurs already merges the two.
    fn rename_one(&mut self, ids: &[String]) -> bool {
        let simple = simplest(ids.len() + 1);
        let mut renamed = false;
        for id in ids {
            let mut simpler = simple.iter().take_while(|simple| *simple != id);
            renamed |= simpler.any(|simple| self.rename(&[(id, simple)]));
        }
        renamed
    }

    /// Puts a simple id that occurs already in place of one that is not simple, and a spare one in
    /// place of that: some stores go by the order of ids.
    fn rename_two(&mut self, ids: &[String]) -> bool {
        let simple = simplest(ids.len());
        let spare = simple.iter().find(|simple| !ids.contains(simple));
        let strange = ids.iter().filter(|id| !simple.contains(id));
        let pairs = strange.flat_map(|id| ids.iter().map(move |other| (id, other)));
        let mut pairs = pairs.filter(|(_, other)| simple.contains(other));
        spare.is_some_and(|spare| {
            pairs.any(|(id, other)| self.rename(&[(id, other), (other, spare)]))
        })
    }

    /// Puts the simplest ids in place of all, in the order of their first use.
    fn rename_all(&mut self) -> bool {
        let ops = with_plain_ids(&self.best.ops);
        ops != self.best.ops && self.try_these(ops)
    }

    /// Puts `a` and `A` in place of two ids that differ in case.
    fn rename_cases(&mut self, ids: &[String]) -> bool {
        let [small, capital] = ["a", "A"].map(|letter| letter.repeat(token::LEN));
        let is_plain = |id: &&String| **id == small || **id == capital;
        let others = ids.iter().filter(|id| !is_plain(id));
        let pairs = others
            .clone()
            .flat_map(|one| others.clone().map(move |two| (one, two)));
        let mut pairs = pairs.filter(|(one, two)| one != two && one.eq_ignore_ascii_case(two));
        pairs.any(|(one, two)| self.rename(&[(one, &small), (two, &capital)]))
    }

    /// Puts a simple id in place of a long one, and data as long as that into what is committed under it:
    /// some stores go by how much there is of both.
    fn length_into_payloads(&mut self, ids: &[String]) -> bool {
        let simple = simplest(ids.len());
        let Some(spare) = simple.into_iter().find(|simple| !ids.contains(simple)) else {
            return false;
        };
        let mut long = ids.iter().filter(|id| id.len() > token::LEN);
        long.any(|id| {
            let names = [(id, &spare)];
            let ops = self.best.ops.iter().map(|op| as_long(op, &names)).collect();
            self.try_these(ops)
        })
    }

    /// Puts `x` in place of other characters, as long in bytes: of one id, or where two are alike.
    fn plain_characters(&mut self, ids: &[String]) -> bool {
        let foreign: Vec<&String> = ids.iter().filter(|id| !token::is_token(id)).collect();
        let renames = foreign.iter().enumerate().flat_map(|(at, one)| {
            let alone = parts(one.chars().count());
            let alone = alone.map(|stretch| vec![(*one, plain(one, stretch))]);
            let alike = foreign[at + 1..].iter().flat_map(move |two| {
                let same = one.chars().zip(two.chars()).take_while(|(a, b)| a == b);
                parts(same.count())
                    .map(|stretch| vec![(*one, plain(one, stretch)), (*two, plain(two, stretch))])
            });
            alone.chain(alike)
        });
        let renames = renames.filter(|names| names.iter().all(|(old, new)| *old != new));
        let renames: Vec<_> = renames.collect();
        renames.iter().any(|names| {
            let names: Vec<(&String, &String)> =
                names.iter().map(|(old, new)| (*old, new)).collect();
            self.rename(&names)
        })
    }

    fn shorten_one(&mut self, ids: &[String]) -> bool {
        ids.iter()
            .filter(|id| !token::is_token(id))
            .any(|id| shorter(id).iter().any(|short| self.rename(&[(id, short)])))
    }

    /// Takes the same beginning or end off two ids.
    fn shorten_two(&mut self, ids: &[String]) -> bool {
        let foreign: Vec<&String> = ids.iter().filter(|id| !token::is_token(id)).collect();
        let pairs = foreign
            .iter()
            .enumerate()
            .flat_map(|(at, one)| foreign[at + 1..].iter().map(move |other| (*one, *other)));
        pairs.into_iter().any(|(one, other)| {
            shorter_alike(one, other)
                .iter()
                .any(|(a, b)| self.rename(&[(one, a), (other, b)]))
        })
    }

    fn rename(&mut self, names: &[(&String, &String)]) -> bool {
        if self.left == 0 || names.iter().any(|(_, new)| new.is_empty()) {
            return false;
        }
        let ops = self.best.ops.iter().map(|op| renamed(op, names)).collect();
        self.try_these(ops)
    }
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
    with_tokens(ops, &lockstep::ids(ops), renamed)
}

/// The same with tokens that are in the same order of all.
pub(crate) fn with_ids_in_order(ops: &[Op]) -> Vec<Op> {
    let mut ids = lockstep::ids(ops);
    ids.sort_unstable();
    with_tokens(ops, &ids, renamed)
}

/// The same with tokens in place of all ids, the empty one apart, and data as long as these were in what
/// is committed under them.
pub(crate) fn with_ids_in_payloads(ops: &[Op]) -> Vec<Op> {
    with_tokens(ops, &lockstep::ids(ops), as_long)
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
    let ids: Vec<String> = lockstep::ids(ops).into_iter().map(str::to_owned).collect();
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
fn as_long(op: &Op, names: &[(&String, &String)]) -> Op {
    let length = lockstep::id_of(op).map_or(0, str::len);
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

/// `id` without some of its characters: halves, quarters, .., single ones where they are few.
pub(super) fn shorter(id: &str) -> Vec<String> {
    let chars: Vec<char> = id.chars().collect();
    cuts(chars.len())
        .into_iter()
        .map(|(start, end)| chars[..start].iter().chain(&chars[end..]).collect())
        .collect()
}

/// All of so many characters, their halves and quarters.
fn parts(len: usize) -> impl Iterator<Item = (usize, usize)> {
    let counts = [1, 2, 4].into_iter().filter(move |count| *count <= len);
    counts.flat_map(move |count| {
        (0..count).map(move |part| (len * part / count, len * (part + 1) / count))
    })
}

/// `id` with `x` for the characters of a stretch, as long in bytes.
fn plain(id: &str, (start, end): (usize, usize)) -> String {
    let plain = |(place, character): (usize, char)| match (start..end).contains(&place) {
        true => "x".repeat(character.len_utf8()),
        false => character.to_string(),
    };
    id.chars().enumerate().map(plain).collect()
}

/// Both without the same part of what they begin or end with alike.
fn shorter_alike(one: &str, other: &str) -> Vec<(String, String)> {
    let alike = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| {
        a.zip(b).take_while(|(a, b)| a == b).count()
    };
    let begin = alike(&mut one.chars(), &mut other.chars());
    let end = alike(&mut one.chars().rev(), &mut other.chars().rev());
    let skip = |id: &str, count| id.chars().skip(count).collect::<String>();
    let cut_end = |id: &str, count: usize| {
        let keep = id.chars().count() - count;
        id.chars().take(keep).collect::<String>()
    };
    let halvings =
        |count: usize| std::iter::successors(Some(count), |n| Some(n / 2)).take_while(|n| *n > 0);
    halvings(begin)
        .map(|n| (skip(one, n), skip(other, n)))
        .chain(halvings(end).map(|n| (cut_end(one, n), cut_end(other, n))))
        .collect()
}

/// Stretches to leave out of `len` characters or items, the long ones first.
pub(crate) fn cuts(len: usize) -> Vec<(usize, usize)> {
    // Beyond this many, stretches of one length are not tried at every place.
    let places = if len > 1_000 { 4 } else { 40 };
    let half = len.div_ceil(2);
    let lengths = std::iter::successors(Some(half), |n| Some(n / 2)).take_while(|n| *n > 0);
    lengths
        .flat_map(|length| {
            (0..len)
                .step_by(length)
                .take(places)
                .map(move |start| (start, (start + length).min(len)))
        })
        .collect()
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

    #[test]
    fn parts_are_all_then_halves_then_quarters() {
        let of = |len| parts(len).collect::<Vec<_>>();
        assert_eq!(of(1), [(0, 1)]);
        assert_eq!(of(3), [(0, 3), (0, 1), (1, 3)]);
        let eight = [(0, 8), (0, 4), (4, 8), (0, 2), (2, 4), (4, 6), (6, 8)];
        assert_eq!(of(8), eight);
    }

    #[test]
    fn what_two_begin_and_end_with_alike_is_cut_off_by_halving() {
        let cut = shorter_alike("--ab-", "--cd-");
        let [three, two, one] = [("ab-", "cd-"), ("-ab-", "-cd-"), ("--ab", "--cd")];
        let owned = [three, two, one].map(|(one, other)| (one.to_owned(), other.to_owned()));
        assert_eq!(cut, owned);
        assert_eq!(shorter_alike("ab", "cd"), []);
    }

    #[test]
    fn cuts_are_halves_and_less_and_few_of_what_is_long() {
        assert_eq!(cuts(3), [(0, 2), (2, 3), (0, 1), (1, 2), (2, 3)]);
        assert_eq!(cuts(1_000).len(), 224);
        assert_eq!(cuts(1_001).len(), 34);
    }
}
