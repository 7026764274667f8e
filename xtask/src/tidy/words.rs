//! Words that must not stand in the sources.

use super::functions::rust_files;
use crate::cargo;
use anyhow::Result;

/// Markers of unfinished work; assembled here so that this file does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[("TO", "DO"), ("FIX", "ME")];

/// Places of forbidden words.
pub fn violations() -> Result<Vec<String>> {
    let mut found = vec![];
    for file in rust_files(&cargo::root())? {
        let text = std::fs::read_to_string(&file)?;
        for (number, line) in text.lines().enumerate() {
            let marker = FORBIDDEN.iter().map(|(a, b)| format!("{a}{b}")).find(|w| has_word(line, w));
            if let Some(word) = marker {
                found.push(format!("{}:{}: {word}", file.display(), number + 1));
            }
        }
    }
    Ok(found)
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == word)
}
