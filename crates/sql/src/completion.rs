//! How a statement may go on: keywords, tables, columns, functions, and configuration keys within the quotes of SET.

use crate::catalog::Relation;
use crate::session::Session;
use headwater_sql_parser::{LexError, TokenKind, is_reserved, keywords, tokens};
use headwater_types::config_keys;
use headwater_types::logical_type::quote_identifier;
use std::collections::BTreeMap;

/// Candidates at most.
const CANDIDATES_MAX: usize = 200;
/// After these words a table is named.
const BEFORE_TABLES: [&str; 6] = ["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "DESC"];

/// The names of a session, by what they are.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    names: BTreeMap<String, &'static str>,
}

/// What may stand in the place of the word at the end of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub text: String,
    /// What it is; `None` for a keyword.
    pub note: Option<String>,
}

/// The words that may stand at the end of a statement that is being written.
pub fn candidates(session: &Session, before: &str) -> Vec<String> {
    Vocabulary::of(session).complete(before).1.into_iter().map(|candidate| candidate.text).collect()
}

impl Vocabulary {
    /// The names of a session.
    pub fn of(session: &Session) -> Self {
        let catalog = session.catalog();
        let mut names = BTreeMap::new();
        names.extend(session.function_names().into_iter().map(|name| (name.to_uppercase(), "function")));
        for relation in catalog.relations(catalog.current_catalog(), catalog.current_database()) {
            names.extend(column_names(relation).into_iter().map(|column| (column, "column")));
        }
        names.extend(catalog.visible_names().into_iter().map(|name| (name, "table")));
        Self { names }
    }

    /// The same with tables that the session does not know.
    #[must_use]
    pub fn with_tables(mut self, tables: Vec<String>) -> Self {
        self.names.extend(tables.into_iter().map(|name| (name, "table")));
        self
    }

    /// These names, for tests.
    pub fn from_names(names: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    /// Where the word at the end of a text begins, and what may stand in its place.
    pub fn complete(&self, before: &str) -> (usize, Vec<Candidate>) {
        match open_string(before) {
            Some(start) if is_setting(before) => (start, config_keys_of(&before[start..])),
            Some(start) => (start, vec![]),
            None => {
                let start = word_start(before);
                (start, self.words(&before[..start], &before[start..]))
            }
        }
    }

    fn words(&self, before: &str, word: &str) -> Vec<Candidate> {
        if word.is_empty() {
            let last = before.split_whitespace().next_back().unwrap_or_default();
            let names_table = before.ends_with(char::is_whitespace)
                && BEFORE_TABLES.iter().any(|keyword| keyword.eq_ignore_ascii_case(last));
            let tables = self.names.iter().filter(|(_, kind)| names_table && **kind == "table");
            return tables.map(|(name, kind)| named(name, kind)).take(CANDIDATES_MAX).collect();
        }
        let starts = |name: &str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let names = self.names.iter().filter(|(name, _)| starts(name)).map(|(name, kind)| named(name, kind));
        let words = keywords().map(|keyword| keyword.as_str()).filter(|word| starts(word));
        let words = words.map(|word| Candidate { text: word.to_string(), note: None });
        names.chain(words).take(CANDIDATES_MAX).collect()
    }
}

fn column_names(relation: &Relation) -> Vec<String> {
    match relation {
        Relation::Table(table) => table.column_names().map(str::to_string).collect(),
        Relation::View(view) => view.columns.iter().map(|(name, _)| name.clone()).collect(),
    }
}

fn word_start(before: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    before.rfind(|c| !is_word(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
}

/// Names that are reserved words or no plain words need backticks.
fn named(name: &str, kind: &str) -> Candidate {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !is_reserved(name);
    let text = if is_plain || kind == "function" { name.to_string() } else { quote_identifier(name) };
    Candidate { text, note: Some(kind.to_string()) }
}

/// Where the content of an unterminated string at the end begins.
fn open_string(before: &str) -> Option<usize> {
    let last = tokens(before).pop()?;
    let is_open = last.kind == TokenKind::Error(LexError::UnterminatedString);
    is_open.then(|| last.span.range().start + 1)
}

/// Whether the statement at the end is SET or RESET and no value is being written.
fn is_setting(before: &str) -> bool {
    let statement = before.rsplit(';').next().unwrap_or(before).trim_start();
    let word: String = statement.chars().take_while(char::is_ascii_alphabetic).collect();
    (word.eq_ignore_ascii_case("SET") && !statement.contains('=')) || word.eq_ignore_ascii_case("RESET")
}

fn config_keys_of(prefix: &str) -> Vec<Candidate> {
    let keys = config_keys::all().filter(|(key, _)| key.starts_with(prefix)).take(CANDIDATES_MAX);
    keys.map(|(key, default)| Candidate {
        text: key.to_string(),
        note: Some(default.to_string()).filter(|default| !default.is_empty()),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let names = [("orders", "table"), ("order", "column"), ("UPPER", "function")];
        let vocabulary = Vocabulary::from_names(names.map(|(name, kind)| (name.to_string(), kind)));
        vocabulary.complete(line).1.into_iter().map(|candidate| candidate.text).take(4).collect()
    }

    #[test]
    fn words_complete_to_names_then_keywords() {
        assert_eq!(complete("SELECT * FROM ord"), ["`order`", "orders", "ORDER", "ORDERING"]);
        assert_eq!(complete("SELECT upp"), ["UPPER", "UPPER"]);
        assert_eq!(complete("SELECT "), Vec::<String>::new());
        assert_eq!(complete("SELECT 'ord"), Vec::<String>::new());
        assert_eq!(complete("SELECT * FROM "), ["orders"]);
        assert_eq!(complete("SELECT é"), Vec::<String>::new());
    }

    #[test]
    fn the_quotes_of_set_complete_to_configuration_keys() {
        assert_eq!(complete("SET 'parallelism.d"), ["parallelism.default"]);
        assert_eq!(complete("SET 'a' = 'paral"), Vec::<String>::new());
    }
}
