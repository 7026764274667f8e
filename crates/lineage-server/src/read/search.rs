//! Search by words: each must occur in the name or the place, in any case; punctuation separates words too.

use super::list::List;

/// Most words of a search that count.
const WORDS_MAX: usize = 8;

/// Adds the words of a search. `key` is the column with the name in lower case, `more` are conditions with `{}` for
/// the pattern that count as well. Returns how to rank the hits: those that are or begin with the text come first.
pub fn add(list: &mut List<'_>, text: &str, key: &str, more: &[&str]) -> String {
    let text = text.trim().to_lowercase();
    for word in text.split_whitespace().take(WORDS_MAX) {
        let n = list.param(format!("%{}%", escape(word)));
        let pattern = format!("${n} ESCAPE '\\'");
        let mut any = vec![format!("{key} LIKE {pattern}")];
        any.extend(more.iter().map(|condition| condition.replace("{}", &pattern)));
        list.condition(format!("({})", any.join(" OR ")));
    }
    let exact = list.param(text.clone());
    let prefix = list.param(format!("{}%", escape(&text)));
    format!("CASE WHEN {key} = ${exact} THEN 0 WHEN {key} LIKE ${prefix} ESCAPE '\\' THEN 1 ELSE 2 END")
}

/// A location's name or one of its addresses has the word.
pub const OF_LOCATION: [&str; 2] =
    ["l.name LIKE {}", "EXISTS (SELECT 1 FROM address a WHERE a.location_id = l.id AND a.key LIKE {})"];

fn escape(word: &str) -> String {
    word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
