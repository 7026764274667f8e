//! `[NOT] LIKE | ILIKE` of SHOW statements.

use headwater_sql_parser::ast::ShowFilter;

/// Whether a name passes the filter; everything passes none.
pub(super) fn passes(filter: Option<&ShowFilter>, name: &str) -> bool {
    let Some(filter) = filter else { return true };
    let matched = match filter.case_insensitive {
        true => like(&name.to_lowercase(), &filter.pattern.value.to_lowercase()),
        false => like(name, &filter.pattern.value),
    };
    matched != filter.negated
}

/// SQL's LIKE: `%` is any text, `_` any character, `\` takes the next character literally.
///
/// Linear in text times pattern: on a mismatch only the last `%` is tried further on.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match step(&pattern, p, text[t]) {
            Step::Any => {
                retry = Some((t, p + 1));
                p += 1;
            }
            Step::Match(width) => {
                t += 1;
                p += width;
            }
            Step::Mismatch => {
                let Some((at, after)) = retry else { return false };
                retry = Some((at + 1, after));
                (t, p) = (at + 1, after);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

/// How one pattern position relates to one character.
enum Step {
    Any,
    Match(usize),
    Mismatch,
}

fn step(pattern: &[char], at: usize, c: char) -> Step {
    match pattern.get(at) {
        Some('%') => Step::Any,
        Some('_') => Step::Match(1),
        Some('\\') if pattern.get(at + 1) == Some(&c) => Step::Match(2),
        Some(p) if *p == c => Step::Match(1),
        _ => Step::Mismatch,
    }
}
