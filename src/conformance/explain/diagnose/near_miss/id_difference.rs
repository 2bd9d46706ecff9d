//! Ids: how two ids differ that a store takes for one another.

use crate::conformance::explain::diagnose::irreducible::is_foreign;
use crate::conformance::program::Id;
use crate::conformance::program::ids::ids;
use crate::model::Op;

/// How the ids of a program differ, where there are two and shrinking left them strange.
pub(in super::super) fn difference(ops: &[Op]) -> Option<String> {
    let ids = ids(ops);
    let ids: Vec<&str> = ids.into_iter().filter(|id| !id.is_empty()).collect();
    let [one, other] = ids[..] else {
        return None;
    };
    let differ = |part: String| Some(format!("the ids differ only in {part}"));
    if one.to_lowercase() == other.to_lowercase() && one.to_uppercase() == other.to_uppercase() {
        return differ("case".to_owned());
    }
    if !is_foreign(one) && !is_foreign(other) {
        return None;
    }
    let parts = Parts::of(one, other);
    if parts.begin >= LONG && parts.end == 0 {
        let bytes: usize = one.chars().take(parts.begin).map(char::len_utf8).sum();
        return differ(format!("what comes after their first {bytes} bytes"));
    }
    let place = match (parts.begin, parts.end) {
        (0, 0) => "",
        (0, _) => " at the beginning",
        (_, 0) => " at the end",
        _ => " in the middle",
    };
    let (shorter, longer) = match parts.one.len() <= parts.other.len() {
        true => (&parts.one, &parts.other),
        false => (&parts.other, &parts.one),
    };
    match shorter.is_empty() {
        true if longer.chars().all(char::is_whitespace) => differ(format!("white space{place}")),
        true if longer.len() <= SHORT => differ(format!("{}{place}", Id(longer))),
        true if parts.end == 0 => Some("one id is the beginning of the other".to_owned()),
        false if longer.len() <= SHORT => differ(format!(
            "{} for {}{place}",
            Id(&parts.one),
            Id(&parts.other)
        )),
        _ => None,
    }
}

/// A part of at most so many bytes is shown.
const SHORT: usize = 8;

/// So many characters that agree count.
const LONG: usize = 16;

/// Two ids without what they begin and end with alike.
struct Parts {
    /// Characters.
    begin: usize,
    end: usize,
    one: String,
    other: String,
}

impl Parts {
    fn of(one: &str, other: &str) -> Self {
        let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
        let begin = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let (one, other) = (&one[begin..], &other[begin..]);
        let ends = one.iter().rev().zip(other.iter().rev());
        let end = ends.take_while(|(a, b)| a == b).count();
        let middle = |rest: &[char]| rest[..rest.len() - end].iter().collect();
        Self {
            begin,
            end,
            one: middle(one),
            other: middle(other),
        }
    }
}
