//! Hostile ids: pairs that differ, but that a careless store may take for one another (IDN-1), and
//! ids that it may choke on (IDN-2, ERR-1).

/// A pair of different ids, by a number.
pub(crate) fn pair(number: u64) -> [String; 2] {
    let number = usize::try_from(number % (1 << 31)).unwrap_or(0);
    // Ids of many kilobytes are slow to hash and compare, so most pairs are short.
    let (kind, number) = (number % 8, number / 8);
    match kind {
        0..3 => short(PAIRS[number % PAIRS.len()]),
        3 => derived(number % DERIVED),
        4 => with_a_mark(number % MARKED),
        5 => with_another_mark(number % REMARKED),
        6 => escaped(number % ESCAPED),
        _ => {
            let wide = number.is_multiple_of(32);
            let lengths = match wide {
                true => &LENGTHS[..],
                false => &LENGTHS[..LENGTHS.len() - 4],
            };
            let number = number / 32;
            of_length(lengths[number % lengths.len()], number / lengths.len())
        }
    }
}

/// Every pair but the longest ones, and those of one mark and another.
pub(crate) fn pairs() -> impl Iterator<Item = [String; 2]> {
    let long = &LENGTHS[..LENGTHS.len() - 2];
    let long = (0..PLACES).flat_map(move |place| long.iter().map(move |length| (*length, place)));
    let marked = (0..MARKED).map(with_a_mark);
    let escaped = (0..ESCAPED).map(escaped);
    let long = long.map(|(length, place)| of_length(length, place));
    let short = PAIRS.into_iter().map(short);
    let derived = (0..DERIVED).map(derived);
    short
        .chain(derived)
        .chain(marked)
        .chain(escaped)
        .chain(long)
}

/// Every pair of texts with one mark and with another.
pub(crate) fn marks_for_marks() -> impl Iterator<Item = [String; 2]> {
    (0..REMARKED).map(with_another_mark)
}

fn short((one, other): (&str, &str)) -> [String; 2] {
    [one.to_owned(), other.to_owned()]
}

/// A mark that may separate, end, quote or mean something, and what is left without it, or with more of
/// it.
fn with_a_mark(number: usize) -> [String; 2] {
    let mark = char::from(MARKS[number / FORMS]);
    match number % FORMS {
        0 => [format!("a{mark}b"), "a".to_owned()],
        1 => [format!("a{mark}b"), "b".to_owned()],
        2 => [format!("a{mark}b"), "ab".to_owned()],
        3 => [format!("a{mark}b"), "acb".to_owned()],
        4 => [format!("a{mark}"), "a".to_owned()],
        // Doubled, as it is where it is escaped.
        5 => [format!("a{mark}b"), format!("a{mark}{mark}b")],
        // Alone, where it may stand for all there are.
        6 => [mark.to_string(), "a".to_owned()],
        _ => [format!("{mark}a{mark}"), "a".to_owned()],
    }
}

/// The same text with one mark and with another: escaping may make one of the other.
fn with_another_mark(number: usize) -> [String; 2] {
    let (first, second) = (number / MARKS.len(), number % MARKS.len());
    // One with itself is no pair: its place goes to what comes after.
    let second = match first == second {
        true => (second + 1) % MARKS.len(),
        false => second,
    };
    [first, second].map(|place| format!("a{}b", char::from(MARKS[place])))
}

const REMARKED: usize = MARKS.len() * MARKS.len();

/// An id, and one that a store may make of it for something that it keeps beside the entry.
fn derived(number: usize) -> [String; 2] {
    let (behind, number) = (number.is_multiple_of(2), number / 2);
    let separator = SEPARATORS[number % SEPARATORS.len()];
    let name = BESIDE[number / SEPARATORS.len()];
    let made = match behind {
        true => format!("x{separator}{name}"),
        false => format!("{name}{separator}x"),
    };
    ["x".to_owned(), made]
}

const SEPARATORS: [char; 6] = [':', '.', '-', '_', '/', '#'];
const BESIDE: [&str; 20] = [
    "lock", "meta", "data", "ttl", "exp", "expires", "user", "index", "csrf", "tmp", "old", "new",
    "1", "v1", "sess", "session", "sid", "cache", "backup", "copy",
];
const DERIVED: usize = 2 * SEPARATORS.len() * BESIDE.len();

/// A character, and what it is written as where it means something.
fn escaped(number: usize) -> [String; 2] {
    let plain = PLAIN[number / ESCAPES];
    let code = plain as u32;
    let escaped = match number % ESCAPES {
        0 => format!("%{code:02X}"),
        1 => format!("%{code:02x}"),
        2 => format!("_{code:02x}"),
        3 => format!("_{code:02X}_"),
        4 => format!("={code:02X}"),
        5 => format!("~{code:02x}"),
        6 => format!("\\x{code:02x}"),
        7 => format!("\\u{code:04x}"),
        8 => format!("\\{plain}"),
        9 => format!("&#{code};"),
        _ => format!("{code:02x}"),
    };
    [escaped, plain.to_string()]
}

const PLAIN: [char; 7] = ['A', ' ', '/', ':', '_', '%', '"'];
const ESCAPES: usize = 11;
const ESCAPED: usize = PLAIN.len() * ESCAPES;

const MARKS: &[u8] = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const FORMS: usize = 8;
const MARKED: usize = MARKS.len() * FORMS;

/// A pair that differs at its end, at its beginning, in the middle, or in one character more.
fn of_length(length: usize, place: usize) -> [String; 2] {
    let (first, middle) = (length - 1, length / 2);
    match place % PLACES {
        1 => ["a", "b"].map(|mark| mark.to_owned() + &"x".repeat(first)),
        2 => ["a", "b"].map(|mark| "x".repeat(middle) + mark + &"x".repeat(first - middle)),
        3 => ["", "x"].map(|mark| "x".repeat(length) + mark),
        _ => ["a", "b"].map(|mark| "x".repeat(first) + mark),
    }
}

const PLACES: usize = 4;

/// Lengths at which buffers, columns and file names end.
const LENGTHS: [usize; 20] = [
    1, 8, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 512, 1_024, 4_096, 65_535,
    65_536,
];

const PAIRS: [(&str, &str); 91] = [
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
    ("ı", "i"),
    // Accents, where a collation does not tell them apart.
    ("é", "e"),
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
    // Prefixes that stores put before their keys, and marks that cookies have.
    ("x", "s:x"),
    // Files that a store makes beside those of its entries.
    ("x", ".x"),
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
    ("a\rb", "a"),
    ("a\nb", "a"),
    ("a\tb", "a"),
    // Patterns, quotes and escapes.
    ("a*", "ab"),
    ("?", "a"),
    ("[ab]", "b"),
    ("%", "x"),
    ("_", "y"),
    ("a'--", "a"),
    ("a\"", "a\\\""),
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("{a}b", "{a}c"),
    ("a-b", "a+b"),
    ("a_b", "a/b"),
    // Patterns of two marks, and statements that end one and begin another.
    (".*", "a"),
    (".+", "a"),
    ("%%", "a"),
    ("[a-z]", "a"),
    ("[^b]", "a"),
    ("(a)", "a"),
    ("a' or '1'='1", "b"),
    ("a\" or \"1\"=\"1", "b"),
    ("a'; delete from sessions; --", "b"),
    // Numbers that a loose comparison takes for one another, and digits of other scripts.
    ("0e1", "0e2"),
    ("1e3", "1000"),
    ("0x1", "1"),
    ("1", "\u{661}"),
    ("1", "\u{ff11}"),
    // As UUIDs: with hyphens and without, in one case and in the other.
    (
        "01234567-89ab-cdef-0123-456789abcdef",
        "0123456789abcdef0123456789abcdef",
    ),
    (
        "01234567-89ab-cdef-0123-456789abcdef",
        "01234567-89AB-CDEF-0123-456789ABCDEF",
    ),
    // The last letter of a token in the other case.
    (
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAa",
    ),
    // What other types look like.
    ("1", "01"),
    ("1", "1.0"),
    ("null", "undefined"),
    ("1", "+1"),
    // File names: those of devices, those beside which others are made, and what may not end one.
    ("NUL", "con"),
    ("a", "a."),
    ("a", "a.tmp"),
    ("a", "a.lock"),
    // Sums and hashes by which they are the same; and a name for something else.
    ("ab", "ba"),
    ("Aa", "BB"),
    ("bb", "cA"),
    ("bdb", "cbc"),
    ("plumless", "buckeroo"),
    ("user:1", "a"),
    // What an encoding leaves out, or cuts off each character.
    ("é", "C)"),
    ("1abc", "abc"),
    ("0abc", "abc"),
    ("a=", "a"),
    ("\u{161}", "a"),
    ("a", "a.json"),
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
        let drawn: HashSet<[String; 2]> = (0..200_000).map(pair).collect();
        let longest = drawn.iter().map(|[one, _]| one.len()).max();
        assert_eq!(longest, Some(65_536));
        let mut all = pairs().chain(marks_for_marks());
        assert_eq!(all.find(|pair| !drawn.contains(pair)), None);
    }
}
