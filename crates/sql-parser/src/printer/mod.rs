//! Syntax tree to SQL.
//!
//! Every node implements [`Display`]. The text is on one line, keywords in
//! upper case, with parentheses only where the tree needs them, and parses to the same tree
//! (spans aside). Identifiers keep their backticks and get them where they must have them.

mod alter;
mod create;
mod dml;
mod expr;
mod from;
mod function;
mod literal;
mod match_recognize;
mod query;
mod show;
mod special;
mod statement;
mod table;
mod types;

use std::fmt::{self, Display, Formatter};

use crate::ast::{Ident, ObjectName, SqlOption, StringLiteral};
use crate::keywords::is_reserved;
use crate::lexer::{is_identifier_part, is_identifier_start};

/// Quotes a name with backticks if it cannot stand without.
pub fn quote_identifier(name: &str) -> String {
    Ident::generated(name).to_string()
}

/// Quotes text as a string literal.
pub fn quote_string(text: &str) -> String {
    Quoted(text).to_string()
}

/// Text as a string literal.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

/// Items separated by commas.
struct Commas<'a, T>(&'a [T]);

impl<T: Display> Display for Commas<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        separated(f, ", ", self.0)
    }
}

/// ` keyword item` if there is an item.
struct Clause<'a, T>(&'static str, Option<&'a T>);

impl<T: Display> Display for Clause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(item) => write!(f, " {} {item}", self.0),
            None => Ok(()),
        }
    }
}

/// ` keyword a, b` if there are items.
struct ListClause<'a, T>(&'static str, &'a [T]);

impl<T: Display> Display for ListClause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() {
            return Ok(());
        }
        write!(f, " {} {}", self.0, Commas(self.1))
    }
}

/// ` keyword (a, b)` if there are items.
struct ParenClause<'a, T>(&'static str, &'a [T]);

impl<T: Display> Display for ParenClause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() {
            return Ok(());
        }
        write!(f, " {} ({})", self.0, Commas(self.1))
    }
}

/// `text` if the condition holds.
fn when(condition: bool, text: &'static str) -> &'static str {
    if condition { text } else { "" }
}

fn separated<T: Display>(f: &mut Formatter<'_>, separator: &str, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl Display for Ident {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.quoted || !is_plain(&self.value) || is_reserved(&self.value) {
            write!(f, "`{}`", self.value.replace('`', "``"))
        } else {
            f.write_str(&self.value)
        }
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(is_identifier_start) && name.chars().all(is_identifier_part)
}

/// A name in a place where a reserved word is fine without backticks.
struct Bare<'a>(&'a Ident);

impl Display for Bare<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.0.quoted && is_plain(&self.0.value) { f.write_str(&self.0.value) } else { self.0.fmt(f) }
    }
}

impl Display for ObjectName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        separated(f, ".", &self.0)
    }
}

impl Display for StringLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Quoted(&self.value).fmt(f)
    }
}

impl Display for SqlOption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.key, self.value)
    }
}
