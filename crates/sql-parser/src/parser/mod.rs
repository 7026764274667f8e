//! Tokens to syntax tree.
//!
//! Recursive descent for statements and queries, precedence climbing for expressions. The
//! parser reads ahead a few tokens but never backtracks. It stops at the first error; which
//! tokens would have been accepted at the furthest position is collected on the way.
//!
//! Recursion is bounded by [`MAX_NESTING`], and the height of the resulting trees by
//! [`MAX_HEIGHT`], so neither parsing nor dropping, cloning or printing a tree can overflow
//! the stack of a 2 MiB thread.

mod alter;
mod create;
mod cursor;
mod datatype;
mod dml;
mod drop;
mod expr;
mod from;
mod function;
mod function_arg;
mod grouping;
mod hint;
mod ident;
mod interval;
mod json;
mod literal;
mod match_recognize;
mod pattern;
mod postfix;
mod predicate;
mod query;
mod schema;
mod select;
mod show;
mod special;
mod statement;
mod statement_set;
mod table;
mod window;

use crate::ast::{DataType, Expr, Query, Statement};
use crate::{ParseError, Span};
use cursor::Parser;
pub(crate) use expr::power;
pub(crate) use postfix::is_context_value;

/// How deep constructs may nest. A subquery counts as several levels.
pub const MAX_NESTING: usize = 128;

/// How high a tree may become: nesting plus the length of chains such as `a + b + …`,
/// `a UNION b UNION …` and `a JOIN b JOIN …`. Chains of `AND` and `OR` are flat and do not
/// count.
pub const MAX_HEIGHT: usize = 256;

type Result<T, E = ParseError> = std::result::Result<T, E>;

/// A statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedStatement {
    /// The statement; spans in it refer to the whole script.
    pub statement: Statement,
    /// Where it stands, without the semicolon.
    pub span: Span,
    /// Its text.
    pub text: String,
}

/// Parses statements separated by semicolons. All statements before the first error are
/// returned beside it, so that a client can run them as it would line by line.
pub fn parse_script(source: &str) -> (Vec<ParsedStatement>, Option<ParseError>) {
    let mut statements = Vec::new();
    let outcome = Parser::new(source).and_then(|mut parser| parser.script(&mut statements));
    (statements, outcome.err())
}

/// Parses exactly one statement; a semicolon may follow.
pub fn parse_statement(source: &str) -> Result<Statement> {
    let mut parser = Parser::new(source)?;
    let statement = parser.statement()?;
    parser.end_of_statement()?;
    parser.expect_end()?;
    Ok(statement)
}

/// Parses exactly one query; a semicolon may follow.
pub fn parse_query(source: &str) -> Result<Query> {
    let mut parser = Parser::new(source)?;
    let query = parser.query()?;
    parser.end_of_statement()?;
    parser.expect_end()?;
    Ok(query)
}

/// Parses exactly one expression.
pub fn parse_expression(source: &str) -> Result<Expr> {
    let mut parser = Parser::new(source)?;
    let expr = parser.expr()?;
    parser.expect_end()?;
    Ok(expr)
}

/// Parses exactly one data type.
pub fn parse_data_type(source: &str) -> Result<DataType> {
    let mut parser = Parser::new(source)?;
    let data_type = parser.data_type()?;
    parser.expect_end()?;
    Ok(data_type)
}
