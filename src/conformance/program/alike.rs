//! Alike: snapshots that differ, but that a store which compares a checksum, a length or an end takes for
//! unchanged.

use crate::data::Data;
use crate::snapshot::{Snapshot, User};
use serde_json::{Value, json};

/// Texts of one length that have one checksum wherever they stand: the same one in the sum and the exclusive
/// or of their bytes, in Adler-32 and Fletcher's, in hashes that multiply by 31 or by 33, and in CRC-32.
const OF_ONE_CHECKSUM: [(&str, &str); 5] = [
    ("ab", "ba"),
    ("bdb", "cbc"),
    ("Aa", "BB"),
    ("bb", "cA"),
    ("plumless", "buckeroo"),
];

/// So long are texts that differ in one character only: at their beginning, in the middle, at their end.
const LENGTHS: [usize; 3] = [64, 1_024, 16_384];

/// Values that are equal to who compares loosely.
fn loosely_equal() -> [[Value; 2]; 8] {
    [
        [json!("a"), json!("A")],
        [json!("a"), json!("a ")],
        [json!("1"), json!(1)],
        [json!(1), json!(1.0)],
        [json!(1), json!(true)],
        [json!([]), json!({})],
        [json!([1, 2]), json!([2, 1])],
        [json!({ "a": 1 }), json!({ "a": 1, "b": null })],
    ]
}

/// Pairs of snapshots under `id`, in which one value is another one.
pub(crate) fn pairs(id: &str) -> Vec<[Snapshot; 2]> {
    let short = OF_ONE_CHECKSUM.map(|(one, other)| [one.to_owned(), other.to_owned()]);
    let long = LENGTHS.into_iter().flat_map(|length| {
        [0, length / 2, length - 1].map(|at| {
            let text = "x".repeat(length);
            let mut other = text.clone();
            other.replace_range(at..=at, "y");
            [text, other]
        })
    });
    let pairs = short.into_iter().chain(long);
    let texts = pairs.map(|pair| pair.map(|text| of_value(id, text)));
    let values = loosely_equal().map(|pair| pair.map(|value| of_value(id, value)));
    let no_data = Data::default;
    let in_other_case = [
        ["a", "A"].map(|text| Snapshot::new(id, text, None, no_data())),
        ["a", "A"].map(|text| Snapshot::new(id, "", User::new(text), no_data())),
        ["a", "A"].map(|key| Snapshot::new(id, "", None, of_entry(key, Value::Null))),
        [no_data(), of_entry("", Value::Null)].map(|data| Snapshot::new(id, "", None, data)),
    ];
    texts.chain(values).chain(in_other_case).collect()
}

fn of_value(id: &str, value: impl Into<Value>) -> Snapshot {
    Snapshot::new(id, "", None, of_entry("", value.into()))
}

fn of_entry(key: &str, value: Value) -> Data {
    let mut data = Data::default();
    data.set(key, value).expect("it is not deep");
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multiplied(text: &str, by: u32) -> u32 {
        let bytes = text.bytes();
        bytes.fold(0, |hash: u32, byte| {
            hash.wrapping_mul(by).wrapping_add(byte.into())
        })
    }

    fn adler_32(text: &str) -> (u32, u32) {
        text.bytes().fold((1, 0), |(one, two), byte| {
            let one = (one + u32::from(byte)) % 65_521;
            (one, (one + two) % 65_521)
        })
    }

    fn crc_32(text: &str) -> u32 {
        !text.bytes().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| match crc & 1 {
                1 => crc >> 1 ^ 0xedb8_8320,
                _ => crc >> 1,
            })
        })
    }

    #[test]
    fn each_pair_has_a_checksum_in_common_wherever_it_stands() {
        assert_eq!(crc_32("123456789"), 0xcbf4_3926);
        let texts = |(one, other): (&str, &str)| [one, other].map(|text| format!("{{{text}}} z"));
        let is_alike = |pair: (&str, &str), sum: &dyn Fn(&str) -> u32| {
            let [one, other] = texts(pair);
            sum(&one) == sum(&other)
        };
        let [bytes, adler, by_31, by_33, crc] = OF_ONE_CHECKSUM;
        assert!(is_alike(bytes, &|text| text.bytes().map(u32::from).sum()));
        assert!(is_alike(bytes, &|text| text
            .bytes()
            .fold(0, |sum, byte| sum ^ u32::from(byte))));
        assert!(
            is_alike(adler, &|text| adler_32(text).0) && is_alike(adler, &|text| adler_32(text).1)
        );
        assert!(is_alike(by_31, &|text| multiplied(text, 31)));
        assert!(is_alike(by_33, &|text| multiplied(text, 33)));
        assert!(is_alike(crc, &crc_32));
    }
}
