//! Cuts: stretches to leave out of a program, a text or a list.

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

/// `id` without some of its characters: halves, quarters, .., single ones where they are few.
pub(crate) fn shorter(id: &str) -> Vec<String> {
    let chars: Vec<char> = id.chars().collect();
    cuts(chars.len())
        .into_iter()
        .map(|(start, end)| chars[..start].iter().chain(&chars[end..]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_halves_and_less_and_few_of_what_is_long() {
        assert_eq!(cuts(3), [(0, 2), (2, 3), (0, 1), (1, 2), (2, 3)]);
        assert_eq!(cuts(1_000).len(), 224);
        assert_eq!(cuts(1_001).len(), 34);
    }
}
