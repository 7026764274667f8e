//! The nearest of a set of names, for "did you mean".

/// The candidate closest to `word`, if one is close enough to be a typing error: at most one
/// edit per three characters, swaps of neighbours counting as one. Case is ignored.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit && *distance > 0)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The optimal string alignment distance (Levenshtein plus swaps of neighbours).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().map(|c| c.to_ascii_uppercase()).collect();
    let right: Vec<char> = right.chars().map(|c| c.to_ascii_uppercase()).collect();
    if left.len().abs_diff(right.len()) > 3 {
        return usize::MAX;
    }
    let mut before_previous = vec![0; right.len() + 1];
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut current = vec![i + 1; right.len() + 1];
        for (j, r) in right.iter().enumerate() {
            let substituted = previous[j] + usize::from(l != r);
            let best = substituted.min(previous[j + 1] + 1).min(current[j] + 1);
            let swapped = i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r;
            current[j + 1] = if swapped { best.min(before_previous[j - 1] + 1) } else { best };
        }
        before_previous = std::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}
