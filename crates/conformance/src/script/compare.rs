//! Printed text against expected text.
//!
//! Results and messages are equal to the letter. Of errors, what the message says counts: a Java class in front of
//! it, the line and column behind it, spaces and line ends do not. Of a syntax error only the place does, since the tokens that a parser expects are
//! its own; and what Flink's validator and its factories call unknown must be unknown here, in other words.

use super::{Printed, Tag};
use crate::outcome::Stop;
use headwater_sql::SqlError;
use headwater_sql_parser::ast::Statement;
use headwater_sql_parser::{line_and_column, parse_script};

/// What stands in front of an error's message.
const REASON: &str = "[ERROR] Could not execute SQL statement. Reason:";

/// Compares a result or a message.
pub(super) fn output(tag: Tag, expected: &str, sql: &str, printed: &Printed) -> Result<(), Stop> {
    let (expected, actual) = (expected.trim_end(), printed.text.trim_end());
    let actual_tag = gravest(actual);
    if actual_tag != tag {
        return Err(differs(&format!("expected {}, but it is {}", tag.line(), actual_tag.line()), expected, actual));
    }
    let is_same = expected == actual || (is_unordered(sql) && sorted(expected) == sorted(actual));
    if is_same { Ok(()) } else { Err(differs("printed differently", expected, actual)) }
}

/// Compares an error.
pub(super) fn error(expected: &str, sql: &str, printed: &Printed) -> Result<(), Stop> {
    let actual = printed.text.trim_end();
    let Some(error) = &printed.error else {
        return Err(differs("expected an error", expected, actual));
    };
    let Some(expected) = expected.trim_start().strip_prefix(REASON) else {
        return Err(Stop::failed(format!("an expected error starts with '{REASON}'")));
    };
    let expected = without_class(expected.trim());
    if let Some(place) = syntax_error_place(expected) {
        let actual_place = error.span.map(|span| line_and_column(sql, span));
        let is_there = error.code == "syntax-error" && actual_place == Some(place);
        return if is_there { Ok(()) } else { Err(differs("fails elsewhere", expected, actual)) };
    }
    match words(without_place(expected)) == words(&error.message) || names_unknown(expected, error) {
        true => Ok(()),
        false => Err(differs("fails with another message", expected, &error.message)),
    }
}

/// The gravest mark at the start of a line.
fn gravest(text: &str) -> Tag {
    let mark = |line: &str| match line.split(' ').next() {
        Some("[ERROR]") => Tag::Error,
        Some("[WARNING]") => Tag::Warning,
        Some("[INFO]") => Tag::Info,
        _ => Tag::Ok,
    };
    text.lines().map(mark).max().unwrap_or(Tag::Ok)
}

/// Whether the statement is a query whose rows have no order.
fn is_unordered(sql: &str) -> bool {
    match &parse_script(sql).0[..] {
        [parsed] => match &parsed.statement {
            Statement::Query(query) => query.order_by.is_empty(),
            _ => false,
        },
        _ => false,
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// The text without the name of a Java class in front, such as `org.apache.flink.table.api.ValidationException: `.
fn without_class(text: &str) -> &str {
    let Some((class, message)) = text.split_once(':') else { return text };
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    match class.contains('.') && class.split('.').all(is_name) {
        true => message.trim_start(),
        false => text,
    }
}

/// The text without `at line 1, column 2` at its end: here a caret shows the place.
fn without_place(text: &str) -> &str {
    let Some((message, place)) = text.rsplit_once(" at line ") else { return text };
    let is_place = place.split(", column ").all(|part| part.trim().parse::<usize>().is_ok());
    if is_place { message.trim_end_matches(',') } else { text }
}

/// Beginnings of messages up to the name that is unknown or missing, and the code that such an error has here.
const UNKNOWN: &[(&str, &str)] = &[
    ("Object '", "unknown-table"),
    ("Cannot find table '", "unknown-table"),
    ("Column '", "unknown-column"),
    ("No match found for function signature ", "unknown-function"),
    ("Could not find any factory for identifier '", "unknown-connector"),
    ("Could not find any factory for identifier '", "unknown-catalog-type"),
    ("Could not find any factory for identifier '", "unknown-module"),
    ("Table options do not contain an option key '", "missing-option"),
    ("Catalog options do not contain an option key '", "missing-option"),
    ("Unknown identifier '", "unknown-type"),
];
/// How Flink starts the list of options that a connector does not have.
const UNKNOWN_OPTIONS: &str = "Unsupported options:";

/// Whether both messages say that the same thing is unknown.
fn names_unknown(expected: &str, error: &SqlError) -> bool {
    let names =
        |name: &str| !name.is_empty() && error.message.to_lowercase().contains(&format!("'{}'", name.to_lowercase()));
    if let Some((_, options)) = expected.split_once(UNKNOWN_OPTIONS) {
        return error.code == "unknown-option" && options.split_whitespace().next().is_some_and(names);
    }
    UNKNOWN.iter().filter(|(_, code)| *code == error.code).any(|(start, _)| {
        let Some(rest) = expected.strip_prefix(start) else { return false };
        // A table may be named by its whole path.
        let quoted = rest.split(['\'', '(']).next().unwrap_or_default();
        names(quoted.rsplit('.').next().unwrap_or_default().trim_matches('`'))
    })
}

/// Line and column of `Encountered "x" at line 1, column 2.`
fn syntax_error_place(expected: &str) -> Option<(usize, usize)> {
    let (_, place) = expected.strip_prefix("Encountered ")?.split_once(" at line ")?;
    let (line, rest) = place.split_once(", column ")?;
    let column = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn differs(what: &str, expected: &str, actual: &str) -> Stop {
    Stop::failed(format!("{what}\nexpected:\n{expected}\nactual:\n{actual}"))
}
