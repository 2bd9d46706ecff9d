//! Hostile ids: pairs that differ, but that a careless store may take for one another (IDN-1), and
//! ids that it may choke on (IDN-2, ERR-1).

/// A pair of different ids, by a number.
pub(super) fn pair(number: u64) -> [String; 2] {
    let number = usize::try_from(number % (1 << 31)).unwrap_or(0);
    let (families, long) = (PAIRS.len(), LENGTHS.len());
    // Ids of many kilobytes are slow to hash and compare, so most pairs are short.
    if number % 8 < 7 {
        let (one, other) = PAIRS[number / 8 % families];
        return [one.to_owned(), other.to_owned()];
    }
    let wide = (number / 8).is_multiple_of(32);
    let lengths = if wide {
        &LENGTHS[..]
    } else {
        &LENGTHS[..long - 4]
    };
    of_length(lengths[number / 256 % lengths.len()])
}

/// Every pair but the longest ones.
pub(super) fn pairs() -> impl Iterator<Item = [String; 2]> {
    let short = PAIRS.map(|(one, other)| [one.to_owned(), other.to_owned()]);
    let long = &LENGTHS[..LENGTHS.len() - 2];
    short.into_iter().chain(long.iter().copied().map(of_length))
}

fn of_length(length: usize) -> [String; 2] {
    ["a", "b"].map(|last| "x".repeat(length - 1) + last)
}

/// Lengths at which buffers, columns and file names end. The pair differs in its last character.
const LENGTHS: [usize; 20] = [
    1, 8, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 512, 1_024, 4_096, 65_535,
    65_536,
];

const PAIRS: [(&str, &str); 48] = [
    // Case: of letters, of tokens, and where languages disagree about it.
    ("session", "Session"),
    (
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    ("i", "İ"),
    ("ss", "ß"),
    ("ſ", "s"),
    ("k", "\u{212a}"),
    // White space and what is invisible.
    ("a", "a "),
    ("a", " a"),
    ("a", "a\n"),
    ("a", "a\t"),
    ("a b", "a+b"),
    ("a", "a\u{a0}"),
    ("a", "\u{feff}a"),
    ("a", "a\u{200b}"),
    ("a", "a\u{301}"),
    // Unicode normalisation: composed and decomposed, compatible, beyond the basic plane.
    ("é", "e\u{301}"),
    ("Å", "\u{212b}"),
    ("ﬁ", "fi"),
    ("Ａ", "A"),
    ("가", "\u{1100}\u{1161}"),
    ("\u{1f980}", "\u{1f981}"),
    // One is the beginning or the end of the other.
    ("a", "ab"),
    ("b", "ab"),
    (
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    ("a:b", "a"),
    // Paths.
    ("x", "../x"),
    ("x", "./x"),
    ("a/b", "a//b"),
    ("a/b", "a\\b"),
    (".", ".."),
    ("/", "//"),
    // NUL and other control characters.
    ("a", "a\0"),
    ("a\0b", "a\0c"),
    ("\0", "\u{1}"),
    ("a\r\nb", "a\nb"),
    // Patterns, quotes and escapes.
    ("a*", "ab"),
    ("?", "a"),
    ("[ab]", "b"),
    ("%", "x"),
    ("_", "y"),
    ("a'--", "a"),
    ("a\"", "a\\\""),
    ("%41", "A"),
    ("&amp;", "&"),
    ("{a}b", "{a}c"),
    // What other types look like.
    ("1", "01"),
    ("1", "1.0"),
    ("null", "undefined"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_ids_of_a_pair_differ() {
        for number in 0..100_000 {
            let [one, other] = pair(number);
            assert_ne!(one, other, "pair {number}");
            assert!(!one.is_empty() && !other.is_empty());
        }
    }

    #[test]
    fn every_pair_and_every_length_comes_up() {
        let pairs: HashSet<[String; 2]> = (0..2_000_000).step_by(7).map(pair).collect();
        let longest = pairs.iter().map(|[one, _]| one.len()).max();
        assert_eq!(longest, Some(65_536));
        // One of the lengths, 1, is a pair of its own.
        assert_eq!(pairs.len(), PAIRS.len() + LENGTHS.len());
    }
}
