//! Tokens: the random strings that serve as session ids and CSRF tokens.

use rand::TryRng as _;
use rand::rngs::SysRng;

/// Characters in a token (TOK-1).
pub const LEN: usize = 32;

/// Letters in the Bitcoin base58 alphabet.
const BASE: u8 = 58;

/// A fresh token: 32 characters, each uniform over the 58 letters (TOK-1, TOK-2).
///
/// The bits come from the operating system on every call, so a forked process or a
/// cloned virtual machine never repeats its parent's tokens (TOK-3).
///
/// # Panics
/// When the operating system has no random bits to give; no session can be safe then.
pub fn generate() -> String {
    let mut token = String::with_capacity(LEN);
    // 48 bytes hold 32 digits all but once in a hundred thousand times; then the loop draws again.
    let mut bytes = [0; 48];
    while token.len() < LEN {
        SysRng
            .try_fill_bytes(&mut bytes)
            .expect("the operating system's random generator failed");
        let missing = LEN - token.len();
        for digit in bytes.into_iter().filter_map(digit).take(missing) {
            bs58::encode([digit])
                .onto(&mut token)
                .expect("a String takes any letter");
        }
    }
    token
}

/// Whether `candidate` has a token's form (TOK-1): worth asking before a cookie's value goes to a
/// store that somebody pays for by the call.
pub fn is_token(candidate: &str) -> bool {
    candidate.len() == LEN && bs58::decode(candidate).onto([0; LEN]).is_ok()
}

/// A uniform digit from a uniform byte, or nothing.
///
/// Proof (TOK-2): the low six bits of a uniform byte are uniform over 0..64, and what is uniform
/// over a set stays uniform over the part of it that is kept, here 0..58. Base58 writes each digit
/// as one letter and no two alike, so letters are uniform too; bytes are independent, so letters
/// are. (`byte % 58` would not do: 256 mod 58 = 24, so 24 letters would come up a quarter more often.)
fn digit(byte: u8) -> Option<u8> {
    let digit = byte & 0b11_1111;
    (digit < BASE).then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, HashSet};

    /// The whole argument of [`digit`], over every byte there is.
    #[test]
    fn tok_2_every_digit_comes_from_equally_many_bytes() {
        let mut sources = BTreeMap::new();
        for digit in (0..=u8::MAX).filter_map(digit) {
            *sources.entry(digit).or_insert(0) += 1;
        }
        assert_eq!(sources, (0..BASE).map(|d| (d, 4)).collect());
    }

    #[test]
    fn tok_1_the_digits_are_the_base58_letters() {
        let letters: String = (0..BASE).map(|d| bs58::encode([d]).into_string()).collect();
        assert_eq!(
            letters,
            "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
        );
    }

    /// Every letter at every place, by a chi-squared test whose bound a right generator passes but
    /// once in 10^9 runs (57 degrees of freedom, 32 places: 140 is beyond p = 3e-11 each).
    #[test]
    fn tok_2_letters_are_uniform_at_every_place() {
        const DRAWS: u32 = 5_800;
        let mut counts = vec![[0_u32; 128]; LEN];
        for _ in 0..DRAWS {
            let token = generate();
            assert!(is_token(&token), "a token of {} bytes", token.len());
            for (place, letter) in token.bytes().enumerate() {
                counts[place][usize::from(letter)] += 1;
            }
        }
        let expected = f64::from(DRAWS) / f64::from(BASE);
        for (place, letters) in counts.iter().enumerate() {
            let squares = (0..BASE).map(|digit| {
                let letter = bs58::encode([digit]).into_string().into_bytes()[0];
                (f64::from(letters[usize::from(letter)]) - expected).powi(2)
            });
            let chi2 = squares.sum::<f64>() / expected;
            assert!(chi2 < 140.0, "place {place}: chi-squared {chi2:.1}");
        }
    }

    #[test]
    fn tok_3_tokens_do_not_repeat() {
        let tokens: HashSet<String> = (0..10_000).map(|_| generate()).collect();
        assert_eq!(tokens.len(), 10_000);
    }

    #[test]
    fn tok_1_other_strings_are_not_tokens() {
        let a = "A".repeat(32);
        assert!(is_token(&a));
        for wrong in [
            "",
            &a[1..],
            &format!("{a}A"),
            &a.replacen('A', "0", 1),
            &a.replacen('A', "l", 1),
            &"é".repeat(16),
        ] {
            assert!(!is_token(wrong), "{wrong:?}");
        }
    }
}
