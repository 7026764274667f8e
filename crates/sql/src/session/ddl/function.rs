//! CREATE, ALTER, DROP and DESCRIBE FUNCTION.
//!
//! Functions of users are classes of the JVM, or Python, in Flink; there is neither here. So none can be created, each
//! refusal says what the function would need, and statements about functions answer as Flink's do where there are none.

use crate::session::show::function_names;
use crate::session::{Rows, Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{CreateFunction, DropObject, FunctionLanguage, ObjectName, ObjectScope};
use headwater_types::config::nearest;

/// Refuses CREATE FUNCTION, and says why.
pub(in crate::session) fn create(session: &Session, statement: &CreateFunction) -> SqlResult<StatementResult> {
    let path = session.catalog.qualify(&statement.name)?;
    let function = path.0.last().map(String::as_str).unwrap_or_default();
    let (code, identifier) = (needs(statement.language), &statement.identifier.value);
    let what = format!("the function '{function}' of the {code} '{identifier}'");
    let error = SqlError::unsupported(what, Some(statement.identifier.span));
    let known = function_names();
    Err(match known.iter().find(|known| known.eq_ignore_ascii_case(function)) {
        Some(built_in) => error.with_hint(format!("'{built_in}' is built in: leave this statement out to use that one")),
        None => error.with_hint(
            "there are no functions of users: Headwater runs neither a JVM nor Python. Write it as an expression, or as \
             a view; SHOW FUNCTIONS lists what is built in",
        ),
    })
}

fn needs(language: Option<FunctionLanguage>) -> &'static str {
    match language {
        None | Some(FunctionLanguage::Java) => "Java class",
        Some(FunctionLanguage::Scala) => "Scala class",
        Some(FunctionLanguage::Python) => "Python function",
        Some(FunctionLanguage::Sql) => "SQL text",
    }
}

/// ALTER FUNCTION of a function, of which there is none.
pub(in crate::session) fn alter(
    session: &Session,
    scope: ObjectScope,
    if_exists: bool,
    name: &ObjectName,
) -> SqlResult<StatementResult> {
    let refused = |message: &str| Err(SqlError::at("temporary-function", message, name.span()));
    match scope {
        ObjectScope::Temporary => refused("Alter temporary catalog function is not supported"),
        ObjectScope::TemporarySystem => refused("Alter temporary system function is not supported"),
        ObjectScope::Permanent => gone(session, scope, if_exists, name),
    }
}

/// DROP FUNCTION of a function, of which there is none.
pub(in crate::session) fn drop(session: &Session, statement: &DropObject) -> SqlResult<()> {
    gone(session, statement.scope, statement.if_exists, &statement.name).map(|_| ())
}

fn gone(session: &Session, scope: ObjectScope, if_exists: bool, name: &ObjectName) -> SqlResult<StatementResult> {
    let path = session.catalog.qualify(name)?;
    let [catalog, database, function] = &path.0;
    if scope != ObjectScope::TemporarySystem {
        session.catalog.database(catalog, database).map_err(|error| error.with_span(name.span()))?;
    }
    if if_exists {
        return Ok(StatementResult::Ok);
    }
    let message = match scope {
        ObjectScope::Permanent => format!("Function {database}.{function} does not exist in Catalog {catalog}."),
        ObjectScope::Temporary => format!("Temporary catalog function {path} doesn't exist"),
        ObjectScope::TemporarySystem => {
            format!("Could not drop temporary system function. A function named '{function}' doesn't exist.")
        }
    };
    let error = SqlError::at("unknown-function", message, name.span());
    let is_built_in = function_names().iter().any(|known| known.eq_ignore_ascii_case(function));
    Err(if is_built_in { error.with_hint("a function that is built in cannot be changed or dropped") } else { error })
}

/// DESCRIBE FUNCTION of one that is built in.
pub(in crate::session) fn describe(name: &ObjectName, extended: bool) -> SqlResult<StatementResult> {
    let wanted = name.parts().collect::<Vec<_>>().join(".");
    let known = function_names();
    if !known.iter().any(|known| known.eq_ignore_ascii_case(&wanted)) {
        let message = format!("Function with the identifier '{wanted}' doesn't exist.");
        let error = SqlError::at("unknown-function", message, name.span());
        return Err(match nearest(&wanted, known.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        });
    }
    if extended {
        return Err(SqlError::unsupported("DESCRIBE FUNCTION EXTENDED (leave EXTENDED out)", Some(name.span())));
    }
    let fact = |name: &str, value: &str| vec![Some(name.to_owned()), Some(value.to_owned())];
    let facts = vec![fact("is system function", "true"), fact("is temporary", "false")];
    Ok(Rows::strings(&["info name", "info value"], facts).into())
}
