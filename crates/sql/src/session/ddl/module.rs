//! Modules: there is one, `core`, and it is always loaded.

use crate::session::StatementResult;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::Ident;

/// The module of the built-in functions.
const CORE: &str = "core";

/// Runs LOAD MODULE: other modules would be code in Java.
pub(in crate::session) fn load(name: &Ident) -> SqlResult<StatementResult> {
    match name.value.as_str() {
        CORE => {
            let message = format!("A module with name '{CORE}' already exists");
            Err(SqlError::at("duplicate-module", message, name.span))
        }
        _ => Err(SqlError::unknown("unknown-module", "module", &name.value, Some(name.span), [CORE])),
    }
}

/// Runs UNLOAD MODULE.
pub(in crate::session) fn unload(name: &Ident) -> SqlResult<StatementResult> {
    match name.value.as_str() {
        CORE => Err(SqlError::unsupported("UNLOAD MODULE core", Some(name.span))),
        _ => Err(unknown(name)),
    }
}

/// Runs USE MODULES.
pub(in crate::session) fn enable(names: &[Ident]) -> SqlResult<StatementResult> {
    if let Some(name) = names.iter().find(|name| name.value != CORE) {
        return Err(unknown(name));
    }
    match names {
        [_, second, ..] => {
            let message = format!("Module '{CORE}' appears more than once");
            Err(SqlError::at("duplicate-module", message, second.span))
        }
        _ => Ok(StatementResult::Ok),
    }
}

fn unknown(name: &Ident) -> SqlError {
    let message = format!("No module with name '{}' exists", name.value);
    SqlError::at("unknown-module", message, name.span).with_hint(format!("the only module is '{CORE}'"))
}
