//! Lexer, syntax tree, parser and printer for the Flink SQL dialect.
//!
//! ```
//! use headwater_sql_parser::{ast::Statement, parse_statement};
//!
//! let statement = parse_statement("SELECT name FROM t WHERE id = 1").expect("valid SQL");
//! assert!(matches!(statement, Statement::Query(_)));
//! assert_eq!(statement.to_string(), "SELECT name FROM t WHERE id = 1");
//!
//! let error = parse_statement("SELECT name FORM t").expect_err("a misspelt FROM");
//! assert_eq!(error.hint.as_deref(), Some("did you mean FROM instead of `FORM`?"));
//! ```
//!
//! The dialect is Flink's, which is Calcite's with extensions: identifiers are case
//! sensitive and quoted with backticks, reserved words need the quotes, hints are syntax.
//! What is parsed but not executed (yet) is for the binder to refuse.
//!
//! | entry point | for |
//! |---|---|
//! | [`parse_script`], [`parse_statement`] | running SQL |
//! | [`parse_query`], [`parse_expression`], [`parse_data_type`] | fragments in options and APIs |
//! | [`split_statements`], [`is_complete`] | prompts and files, without parsing |
//! | [`tokens`], [`keywords()`] | highlighting and completion |
//! | [`ParseError::render`], [`render_diagnostic`] | messages with a caret |
//!
//! Every tree prints as SQL that parses to the same tree. The crate depends on nothing and
//! knows neither catalogs nor types.

pub mod ast;
mod diagnostic;
mod error;
mod keywords;
mod lexer;
mod parser;
pub mod printer;
mod span;
mod split;
mod suggest;

pub use diagnostic::{line_and_column, render_diagnostic, render_with_notes};
pub use error::ParseError;
pub use keywords::{Keyword, KeywordClass, is_reserved, keywords};
pub use lexer::{LexError, Lexer, Punct, Token, TokenKind, tokens};
pub use parser::{
    MAX_HEIGHT, MAX_NESTING, ParsedStatement, parse_data_type, parse_expression, parse_query, parse_script,
    parse_statement,
};
pub use span::Span;
pub use split::{is_complete, split_statements};
pub use suggest::nearest;
