//! Ids: other ones, shorter ones, fewer of them.

use super::Shrinker;
use crate::conformance::program::Program;
use crate::conformance::program::cuts::shorter;
use crate::conformance::program::ids::{as_long, ids, renamed, simplest, with_plain_ids};
use crate::token;

impl<A: FnMut(&Program) -> Option<Program>> Shrinker<A> {
    pub(super) fn simplify_ids(&mut self) -> bool {
        let ids: Vec<String> = ids(self.best.ops())
            .into_iter()
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        self.rename_one(&ids)
            || self.rename_two(&ids)
            || self.rename_case_pair(&ids)
            || self.move_length_into_payloads(&ids)
            || self.shorten_one(&ids)
            || self.shorten_two(&ids)
            || self.make_characters_plain(&ids)
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
        let ops = with_plain_ids(self.best.ops());
        ops != self.best.ops() && self.try_ops(ops)
    }

    /// Puts `a` and `A` in place of two ids that differ in case.
    fn rename_case_pair(&mut self, ids: &[String]) -> bool {
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
    fn move_length_into_payloads(&mut self, ids: &[String]) -> bool {
        let simple = simplest(ids.len());
        let Some(spare) = simple.into_iter().find(|simple| !ids.contains(simple)) else {
            return false;
        };
        let mut long = ids.iter().filter(|id| id.len() > token::LEN);
        long.any(|id| {
            let names = [(id, &spare)];
            let ops = self
                .best
                .ops()
                .iter()
                .map(|op| as_long(op, &names))
                .collect();
            self.try_ops(ops)
        })
    }

    /// Puts `x` in place of other characters, as long in bytes: of one id, or where two are alike.
    fn make_characters_plain(&mut self, ids: &[String]) -> bool {
        let foreign: Vec<&String> = ids.iter().filter(|id| !token::is_token(id)).collect();
        let renames = foreign.iter().enumerate().flat_map(|(at, one)| {
            let alone = stretches(one.chars().count());
            let alone = alone.map(|stretch| vec![(*one, with_x_for(one, stretch))]);
            let alike = foreign[at + 1..].iter().flat_map(move |two| {
                let same = one.chars().zip(two.chars()).take_while(|(a, b)| a == b);
                stretches(same.count()).map(|stretch| {
                    vec![
                        (*one, with_x_for(one, stretch)),
                        (*two, with_x_for(two, stretch)),
                    ]
                })
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
        if self.tries_left == 0 || names.iter().any(|(_, new)| new.is_empty()) {
            return false;
        }
        let ops = self
            .best
            .ops()
            .iter()
            .map(|op| renamed(op, names))
            .collect();
        self.try_ops(ops)
    }
}

/// Stretches of so many characters: all of them, their halves and quarters.
fn stretches(len: usize) -> impl Iterator<Item = (usize, usize)> {
    let counts = [1, 2, 4].into_iter().filter(move |count| *count <= len);
    counts.flat_map(move |count| {
        (0..count).map(move |nth| (len * nth / count, len * (nth + 1) / count))
    })
}

/// `id` with `x` for the characters of a stretch, as long in bytes.
fn with_x_for(id: &str, (start, end): (usize, usize)) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_all_then_halves_then_quarters() {
        let of = |len| stretches(len).collect::<Vec<_>>();
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
}
