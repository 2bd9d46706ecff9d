//! Id difference: how two ids differ that a store takes for one another.

use crate::conformance::explain::diagnose::irreducible::is_foreign;
use crate::conformance::program::Id;
use crate::conformance::program::ids::ids;
use crate::model::Op;

/// How the ids of a program differ, where there are two and shrinking left them strange.
pub(in super::super) fn id_difference(ops: &[Op]) -> Option<String> {
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
    let unalike = Unalike::of(one, other);
    if unalike.prefix >= LONG && unalike.suffix == 0 {
        let bytes: usize = one.chars().take(unalike.prefix).map(char::len_utf8).sum();
        return differ(format!("what comes after their first {bytes} bytes"));
    }
    let place = match (unalike.prefix, unalike.suffix) {
        (0, 0) => "",
        (0, _) => " at the beginning",
        (_, 0) => " at the end",
        _ => " in the middle",
    };
    let (shorter, longer) = match unalike.one.len() <= unalike.other.len() {
        true => (&unalike.one, &unalike.other),
        false => (&unalike.other, &unalike.one),
    };
    match shorter.is_empty() {
        true if longer.chars().all(char::is_whitespace) => differ(format!("white space{place}")),
        true if longer.len() <= SHORT => differ(format!("{}{place}", Id(longer))),
        true if unalike.suffix == 0 => Some("one id is the beginning of the other".to_owned()),
        false if longer.len() <= SHORT => differ(format!(
            "{} for {}{place}",
            Id(&unalike.one),
            Id(&unalike.other)
        )),
        _ => None,
    }
}

/// A part of at most so many bytes is shown.
const SHORT: usize = 8;

/// So many characters that agree count.
const LONG: usize = 16;

/// Two ids without what they begin and end with alike.
struct Unalike {
    /// How many characters they begin with alike.
    prefix: usize,
    /// And end with.
    suffix: usize,
    one: String,
    other: String,
}

impl Unalike {
    fn of(one: &str, other: &str) -> Self {
        let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
        let prefix = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let (one, other) = (&one[prefix..], &other[prefix..]);
        let ends = one.iter().rev().zip(other.iter().rev());
        let suffix = ends.take_while(|(a, b)| a == b).count();
        let middle = |rest: &[char]| rest[..rest.len() - suffix].iter().collect();
        Self {
            prefix,
            suffix,
            one: middle(one),
            other: middle(other),
        }
    }
}
