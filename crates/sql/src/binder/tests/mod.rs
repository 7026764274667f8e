//! Binder tests: SQL text to plan text, types and errors.

mod catalog;
mod errors;
mod inserts;
mod queries;
mod windows;

use super::{Binder, BoundQuery};
use crate::SqlResult;
use catalog::TestCatalog;
use chrono_tz::Tz;
use expect_test::Expect;
use headwater_env::Env;
use headwater_expressions::ExprContext;
use headwater_types::config::Configuration;

/// A context with a clock that stands still.
pub(crate) fn context() -> ExprContext {
    ExprContext { zone: Tz::UTC, env: Env::simulated(1, 1_700_000_000_000).0 }
}

pub(crate) fn bind(sql: &str) -> SqlResult<BoundQuery> {
    let query = headwater_sql_parser::parse_query(sql)?;
    let (catalog, connectors, config) = (TestCatalog::new(), catalog::connectors(), Configuration::new());
    Binder::new(&catalog, &connectors, &config, context()).bind_query(&query)
}

/// The columns with their types and time attributes, and the plan.
fn shown(bound: &BoundQuery) -> String {
    let columns = bound.columns.iter().map(|c| {
        let attribute = match c.ty.time_attribute() {
            headwater_types::TimeAttribute::None => String::new(),
            other => format!(" *{other:?}*"),
        };
        format!("{}: {}{attribute}", c.name, c.ty)
    });
    let columns: Vec<_> = columns.collect();
    format!("[{}]\n{}\n", columns.join(", "), bound.plan.display_indent())
}

fn check(sql: &str, expected: Expect) {
    match bind(sql) {
        Ok(bound) => expected.assert_eq(&shown(&bound)),
        Err(error) => panic!("{}", error.render(sql)),
    }
}

/// Only names and types of the columns.
fn check_types(sql: &str, expected: Expect) {
    match bind(sql) {
        Ok(bound) => expected.assert_eq(shown(&bound).lines().next().unwrap_or_default()),
        Err(error) => panic!("{}", error.render(sql)),
    }
}

fn check_error(sql: &str, expected: Expect) {
    match bind(sql) {
        Ok(bound) => panic!("expected an error, but got\n{}", shown(&bound)),
        Err(error) => expected.assert_eq(&error.render(sql)),
    }
}
