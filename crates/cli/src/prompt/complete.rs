//! Completion: keywords, tables, columns, functions, and configuration keys within the quotes of SET.

use headwater_sql::catalog::Relation;
use headwater_sql::session::Session;
use headwater_sql_parser::{LexError, TokenKind, is_reserved, keywords, tokens};
use headwater_types::config_keys;
use headwater_types::logical_type::quote_identifier;
use reedline::{Completer, CompletionResult, Span, Suggestion};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Suggestions shown at most.
const SUGGESTIONS_MAX: usize = 200;

/// The names of the session, by what they are.
#[derive(Default)]
pub struct Vocabulary {
    names: BTreeMap<String, &'static str>,
}

impl Vocabulary {
    /// Takes over the names of a session.
    pub fn update(&mut self, session: &Session) {
        let catalog = session.catalog();
        self.names.clear();
        self.names.extend(session.function_names().into_iter().map(|name| (name.to_uppercase(), "function")));
        for relation in catalog.relations(catalog.current_catalog(), catalog.current_database()) {
            for column in column_names(relation) {
                self.names.insert(column, "column");
            }
        }
        self.names.extend(catalog.visible_names().into_iter().map(|name| (name, "table")));
    }
}

fn column_names(relation: &Relation) -> Vec<String> {
    match relation {
        Relation::Table(table) => table.column_names().map(str::to_string).collect(),
        Relation::View(view) => view.columns.iter().map(|(name, _)| name.clone()).collect(),
    }
}

/// Completes the word before the cursor.
pub struct SqlCompleter {
    vocabulary: Arc<Mutex<Vocabulary>>,
}

impl SqlCompleter {
    /// A completer over names that are kept up to date elsewhere.
    pub fn new(vocabulary: Arc<Mutex<Vocabulary>>) -> Self {
        Self { vocabulary }
    }

    fn suggestions(&self, line: &str, pos: usize) -> Vec<Suggestion> {
        let before = &line[..pos];
        match open_string(before) {
            Some(start) if is_setting(before) => config_key_suggestions(&before[start..], start, pos),
            Some(_) => vec![],
            None => self.word_suggestions(before, pos),
        }
    }

    fn word_suggestions(&self, before: &str, pos: usize) -> Vec<Suggestion> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let start =
            before.rfind(|c| !is_word(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let word = &before[start..];
        if word.is_empty() {
            return vec![];
        }
        let vocabulary = self.vocabulary.lock().unwrap_or_else(PoisonError::into_inner);
        let starts = |name: &str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let names = vocabulary.names.iter().filter(|(name, _)| starts(name));
        let names = names.map(|(name, kind)| suggestion(quoted_if_needed(name, kind), Some(kind), start, pos));
        let words = keywords().map(|keyword| keyword.as_str()).filter(|word| starts(word));
        let words = words.map(|word| suggestion(word.to_string(), None, start, pos));
        names.chain(words).take(SUGGESTIONS_MAX).collect()
    }
}

impl Completer for SqlCompleter {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        CompletionResult::fresh(self.suggestions(line, pos))
    }
}

fn suggestion(value: String, description: Option<&str>, start: usize, end: usize) -> Suggestion {
    let description = description.map(str::to_string);
    Suggestion { value, description, span: Span { start, end }, append_whitespace: false, ..Suggestion::default() }
}

/// Names that are reserved words or no plain words need backticks.
fn quoted_if_needed(name: &str, kind: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !is_reserved(name);
    if is_plain || kind == "function" { name.to_string() } else { quote_identifier(name) }
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

fn config_key_suggestions(prefix: &str, start: usize, end: usize) -> Vec<Suggestion> {
    let keys = config_keys::all().filter(|(key, _)| key.starts_with(prefix)).take(SUGGESTIONS_MAX);
    keys.map(|(key, default)| suggestion(key.to_string(), Some(default).filter(|d| !d.is_empty()), start, end))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let names = BTreeMap::from([
            ("orders".to_string(), "table"),
            ("order".to_string(), "column"),
            ("UPPER".to_string(), "function"),
        ]);
        let completer = SqlCompleter::new(Arc::new(Mutex::new(Vocabulary { names })));
        completer.suggestions(line, line.len()).into_iter().map(|s| s.value).take(4).collect()
    }

    #[test]
    fn words_complete_to_names_then_keywords() {
        assert_eq!(complete("SELECT * FROM ord"), ["`order`", "orders", "ORDER", "ORDERING"]);
        assert_eq!(complete("SELECT upp"), ["UPPER", "UPPER"]);
        assert_eq!(complete("SELECT "), Vec::<String>::new());
        assert_eq!(complete("SELECT 'ord"), Vec::<String>::new());
    }

    #[test]
    fn the_quotes_of_set_complete_to_configuration_keys() {
        assert_eq!(complete("SET 'parallelism.d"), ["parallelism.default"]);
        assert_eq!(complete("SET 'a' = 'paral"), Vec::<String>::new());
    }
}
