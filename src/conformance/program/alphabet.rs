//! Alphabet: ids of certain characters and lengths, and among these the pairs that careless stores take for
//! one another.

use super::rng::Rng;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// How many kinds of pairs there are.
const KINDS: u64 = 11;

/// The ids that have these characters and lengths.
#[derive(Clone, Debug)]
pub(crate) struct Alphabet {
    characters: Vec<char>,
    lengths: RangeInclusive<usize>,
}

impl Alphabet {
    /// # Errors
    /// When there are no such ids, or too few, with the reason.
    pub(crate) fn new(characters: &str, lengths: RangeInclusive<usize>) -> Result<Self, String> {
        let characters: Vec<char> = characters.chars().collect();
        let distinct: BTreeSet<char> = characters.iter().copied().collect();
        let (least, most) = (*lengths.start(), *lengths.end());
        if distinct.is_empty() {
            return Err(
                "the alphabet of Profile::ids_of is empty; it has every character of an id"
                    .to_owned(),
            );
        }
        if let Some(twice) = characters
            .iter()
            .find(|one| characters.iter().filter(|other| other == one).count() > 1)
        {
            return Err(format!(
                "the alphabet of Profile::ids_of has {twice:?} twice; it has every character once"
            ));
        }
        if least == 0 || least > most {
            return Err(format!(
                "the lengths of Profile::ids_of are {least} to {most}; they are at least 1, and the first is \
                 not above the second"
            ));
        }
        let count = distinct.len();
        let longest = u32::try_from(most).unwrap_or(u32::MAX).min(8);
        let ids = (least..=most).take(4).fold(0_usize, |sum, _| {
            sum.saturating_add(count.saturating_pow(longest))
        });
        if ids < FEWEST || count == 1 && most - least + 1 < FEWEST {
            return Err(format!(
                "Profile::ids_of leaves fewer than {FEWEST} different ids; programs need as many"
            ));
        }
        Ok(Self {
            characters,
            lengths,
        })
    }

    /// Whether it is one of them.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.lengths.contains(&id.chars().count())
            && id.chars().all(|c| self.characters.contains(&c))
    }

    /// A pair of different ids, by a number: of every kind that the alphabet and the lengths allow.
    pub(crate) fn pair(&self, number: u64) -> [String; 2] {
        let mut rng = Rng::new(number, 1);
        if number == 0 {
            return self.numbered(0);
        }
        let kind = number % KINDS;
        let pair = match kind {
            0 => Some(self.differing_at(&mut rng, Place::End)),
            1 => Some(self.differing_at(&mut rng, Place::Begin)),
            2 => Some(self.differing_at(&mut rng, Place::Middle)),
            3 => Some(self.in_other_case(&mut rng)),
            4 => self.with_a_mark_more(&mut rng, Place::End),
            5 => self.with_a_mark_more(&mut rng, Place::Begin),
            6 => self.with_marks(number),
            7 => Some(self.of_equal_halves(&mut rng)),
            8 => self.as_numbers(&mut rng),
            9 => Some(self.in_two_orders(&mut rng)),
            _ => Some([self.id(&mut rng), self.id(&mut rng)]),
        };
        match pair.filter(|[one, other]| one != other) {
            Some(pair) => pair,
            None => self.numbered(number),
        }
    }

    /// The plainest pair of this number: they differ at their end, or in their length.
    fn numbered(&self, number: u64) -> [String; 2] {
        let count = self.characters.len();
        if count == 1 {
            let lengths: Vec<usize> = self.lengths.clone().take(64).collect();
            let at = usize::try_from(number).unwrap_or(0) % (lengths.len() - 1);
            return [at, at + 1].map(|at| self.characters[0].to_string().repeat(lengths[at]));
        }
        let mut rest = usize::try_from(number / KINDS).unwrap_or(0);
        let mut characters: Vec<char> = vec![self.characters[0]; self.usual()];
        for place in characters.iter_mut().rev().skip(1) {
            *place = self.characters[rest % count];
            rest /= count;
        }
        let begin: String = characters[..characters.len() - 1].iter().collect();
        [0, 1].map(|at| format!("{begin}{}", self.characters[at]))
    }

    /// A length that is not long where it need not be.
    fn usual(&self) -> usize {
        const USUAL: usize = 32;
        USUAL.clamp(*self.lengths.start(), *self.lengths.end())
    }

    fn id(&self, rng: &mut Rng) -> String {
        let (least, most) = (*self.lengths.start(), *self.lengths.end());
        let length = match rng.below(4) {
            0 => least,
            1 => most.min(4_096),
            _ => self.usual(),
        };
        (0..length).map(|_| self.character(rng)).collect()
    }

    fn character(&self, rng: &mut Rng) -> char {
        self.characters[rng.below(self.characters.len())]
    }

    fn differing_at(&self, rng: &mut Rng, place: Place) -> [String; 2] {
        let characters: Vec<char> = self.id(rng).chars().collect();
        let at = match place {
            Place::Begin => 0,
            Place::Middle => characters.len() / 2,
            Place::End => characters.len() - 1,
        };
        let first = rng.below(self.characters.len());
        let second = (first + 1) % self.characters.len();
        [first, second].map(|chosen| {
            let mut characters = characters.clone();
            characters[at] = self.characters[chosen];
            characters.into_iter().collect()
        })
    }

    /// Two whose halves are equal: their exclusive or is nothing.
    fn of_equal_halves(&self, rng: &mut Rng) -> [String; 2] {
        [(); 2].map(|()| {
            let id: Vec<char> = self.id(rng).chars().collect();
            let half: String = id[..id.len() / 2].iter().collect();
            let rest = id[id.len() / 2 * 2..].iter();
            half.clone() + &half + &rest.collect::<String>()
        })
    }

    /// Two that a loose comparison takes for the number nought: `0e` and digits.
    fn as_numbers(&self, rng: &mut Rng) -> Option<[String; 2]> {
        let digits = self.characters.iter().filter(|c| c.is_ascii_digit());
        let digits: Vec<char> = digits.copied().collect();
        let has = |c: char| self.characters.contains(&c);
        let length = self.usual();
        if digits.len() < 2 || !has('0') || !has('e') || length < 3 {
            return None;
        }
        Some([(); 2].map(|()| {
            let tail = (2..length).map(|_| digits[rng.below(digits.len())]);
            "0e".chars().chain(tail).collect()
        }))
    }

    /// The same characters from the other end: what adds them up takes them for one.
    fn in_two_orders(&self, rng: &mut Rng) -> [String; 2] {
        let id = self.id(rng);
        let turned = id.chars().rev().collect();
        [id, turned]
    }

    /// One in the other case, as far as the alphabet has that.
    fn in_other_case(&self, rng: &mut Rng) -> [String; 2] {
        let id = self.id(rng);
        let other = |c: char| {
            let mut turned = match c.is_lowercase() {
                true => c.to_uppercase().collect::<Vec<_>>(),
                false => c.to_lowercase().collect::<Vec<_>>(),
            };
            match (turned.pop(), turned.is_empty()) {
                (Some(turned), true) if self.characters.contains(&turned) => turned,
                _ => c,
            }
        };
        let turned: String = id.chars().map(other).collect();
        [id, turned]
    }

    /// One that has a character more, at its end or before it: what is trimmed, or padded.
    fn with_a_mark_more(&self, rng: &mut Rng, place: Place) -> Option<[String; 2]> {
        let id = self.id(rng);
        let mark = self.character(rng);
        let longer = match place {
            Place::Begin => format!("{mark}{id}"),
            _ => format!("{id}{mark}"),
        };
        if self.has(&longer) {
            return Some([id, longer]);
        }
        let shorter: String = match place {
            Place::Begin => id.chars().skip(1).collect(),
            _ => id.chars().take(id.chars().count() - 1).collect(),
        };
        self.has(&shorter).then_some([id, shorter])
    }

    /// The same but for one mark and another: escaping may make one of the other.
    fn with_marks(&self, number: u64) -> Option<[String; 2]> {
        let marks: Vec<char> = { self.characters.iter() }
            .copied()
            .filter(|c| !c.is_alphanumeric())
            .collect();
        let plain = self
            .characters
            .iter()
            .copied()
            .find(|c| c.is_alphanumeric());
        let number = usize::try_from(number / 8).unwrap_or(0);
        let first = *marks.get(number % marks.len().max(1))?;
        let others: Vec<char> = marks.iter().copied().chain(plain).collect();
        let second = others[number / marks.len() % others.len()];
        let filler = plain.unwrap_or(first);
        let half = self.usual() / 2;
        Some([first, second].map(|mark| {
            let (begin, end) = (filler.to_string().repeat(half), self.usual() - half - 1);
            format!("{begin}{mark}{}", filler.to_string().repeat(end))
        }))
    }
}

/// Where two ids differ.
#[derive(Clone, Copy)]
enum Place {
    Begin,
    Middle,
    End,
}

/// Programs need so many.
const FEWEST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_of_the_alphabet_and_differs() {
        let lengths = [1..=3, 32..=32, 4..=64];
        let texts = [
            "ab",
            "abcdefghijkmnopqrstuvwxyz",
            "aAbB-_.:",
            "0123456789abcdef",
            "é漢z",
        ];
        for (text, length) in texts
            .iter()
            .flat_map(|text| lengths.clone().map(|it| (text, it)))
        {
            let alphabet = Alphabet::new(text, length).unwrap();
            for number in 0..2_000 {
                let pair = alphabet.pair(number);
                assert_ne!(pair[0], pair[1], "{alphabet:?}, {number}");
                assert!(
                    pair.iter().all(|id| alphabet.has(id)),
                    "{alphabet:?}: {pair:?}"
                );
            }
        }
        let only = Alphabet::new("a", 1..=9).unwrap();
        assert!((0..100).all(|number| only.pair(number)[0] != only.pair(number)[1]));
    }

    #[test]
    fn pairs_of_every_kind_that_there_are_come_up() {
        let alphabet = Alphabet::new("aA-_:0", 2..=8).unwrap();
        let pairs: Vec<[String; 2]> = (0..2_000).map(|number| alphabet.pair(number)).collect();
        let any =
            |is_so: &dyn Fn(&str, &str) -> bool| pairs.iter().any(|[one, two]| is_so(one, two));
        assert!(any(&|one, two| one.eq_ignore_ascii_case(two)));
        assert!(any(&|one, two| two.starts_with(one) || one.starts_with(two)));
        assert!(any(&|one, two| two.ends_with(one) || one.ends_with(two)));
        assert!(any(&|one, two| one.replace('-', "_") == two));
        assert!(any(&|one, two| one.replace(':', "_") == two));
        let hexadecimal = Alphabet::new("0123456789abcdef", 8..=8).unwrap();
        let pairs: Vec<[String; 2]> = (0..400).map(|number| hexadecimal.pair(number)).collect();
        let any =
            |is_so: &dyn Fn(&str) -> bool| pairs.iter().any(|pair| pair.iter().all(|id| is_so(id)));
        assert!(any(&|id| id[..4] == id[4..]));
        assert!(any(
            &|id| id.starts_with("0e") && id[2..].parse::<u32>().is_ok()
        ));
        let turned = |id: &str| id.chars().rev().collect::<String>();
        assert!(pairs.iter().any(|[one, two]| turned(one) == *two));
    }

    #[test]
    fn what_leaves_no_ids_is_told() {
        let why = |characters, lengths| Alphabet::new(characters, lengths).unwrap_err();
        assert!(why("", 1..=2).contains("is empty"));
        assert!(why("aba", 1..=2).contains("'a' twice"));
        assert!(why("ab", 0..=2).contains("0 to 2"));
        #[expect(clippy::reversed_empty_ranges, reason = "that is what is wrong")]
        let reversed = 3..=2;
        assert!(why("ab", reversed).contains("3 to 2"));
        assert!(why("ab", 1..=1).contains("fewer than 4"));
        assert!(why("a", 1..=3).contains("fewer than 4"));
    }
}
