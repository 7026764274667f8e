//! CREATE, ALTER, DROP and DESCRIBE FUNCTION.
//!
//! Functions of users are classes of the JVM, or Python, in Flink; neither runs here. They can be declared all the same, as in
//! Flink, which does not look for the code before it is called; a call is refused and says what the function would need.

use crate::catalog::{ObjectPath, UserFunction};
use crate::session::show::function_names;
use crate::session::{Rows, Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{CreateFunction, DropObject, FunctionLanguage, ObjectName, ObjectScope};
use headwater_types::config::nearest;

/// CREATE FUNCTION.
pub(in crate::session) fn create(session: &mut Session, statement: &CreateFunction) -> SqlResult<StatementResult> {
    let path = path_of(session, &statement.name)?;
    let [catalog, database, name] = path.0.clone();
    let function = UserFunction { identifier: statement.identifier.value.clone(), code: needs(statement.language) };
    let span = statement.name.span();
    let (temporary, system) = session.catalog.temporary_functions();
    let (taken, message) = match statement.scope {
        ObjectScope::Temporary => (
            insert(temporary, path.clone(), function),
            format!("Could not register temporary catalog function. A function {path} does already exist."),
        ),
        ObjectScope::TemporarySystem => (
            insert(system, name.clone(), function),
            format!("Could not register temporary system function. A function named '{name}' does already exist."),
        ),
        ObjectScope::Permanent => (
            insert(permanent(session, &path, &statement.name)?, name.clone(), function),
            format!("Function {database}.{name} already exists in Catalog {catalog}."),
        ),
    };
    match taken && !statement.if_not_exists {
        true => Err(SqlError::at("already-exists", message, span)),
        false => Ok(StatementResult::Ok),
    }
}

/// Adds a function unless the name is taken; whether it is.
fn insert<K: Ord>(
    functions: &mut std::collections::BTreeMap<K, UserFunction>,
    name: K,
    function: UserFunction,
) -> bool {
    if functions.contains_key(&name) {
        return true;
    }
    functions.insert(name, function);
    false
}

fn path_of(session: &Session, name: &ObjectName) -> SqlResult<ObjectPath> {
    Ok(crate::catalog::function_path(session.catalog.qualify(name)?))
}

type Functions = std::collections::BTreeMap<String, UserFunction>;

fn permanent<'s>(session: &'s mut Session, path: &ObjectPath, name: &ObjectName) -> SqlResult<&'s mut Functions> {
    let [catalog, database, _] = &path.0;
    session.catalog.catalog(catalog).map_err(|error| error.with_span(name.span()))?;
    let found = session.catalog.database_mut(catalog, database).map_err(|error| {
        let message = format!("Database {database} does not exist in Catalog {catalog}.");
        SqlError { message, ..error.with_span(name.span()) }
    })?;
    Ok(&mut found.functions)
}

fn needs(language: Option<FunctionLanguage>) -> &'static str {
    match language {
        None | Some(FunctionLanguage::Java) => "Java class",
        Some(FunctionLanguage::Scala) => "Scala class",
        Some(FunctionLanguage::Python) => "Python function",
        Some(FunctionLanguage::Sql) => "SQL text",
    }
}

/// The error of a call of a declared function.
pub(crate) fn not_callable(name: &str, function: &UserFunction, span: headwater_sql_parser::Span) -> SqlError {
    let what = format!("the function '{name}' of the {} '{}'", function.code, function.identifier);
    SqlError::unsupported(what, Some(span)).with_hint(
        "functions of users can be declared but not called: Headwater runs neither a JVM nor Python. Write it as an \
         expression, or as a view; SHOW FUNCTIONS lists what is built in",
    )
}

/// ALTER FUNCTION: another class or entry point.
pub(in crate::session) fn alter(
    session: &mut Session,
    scope: ObjectScope,
    if_exists: bool,
    name: &ObjectName,
    changed: UserFunction,
) -> SqlResult<StatementResult> {
    let refused = |message: &str| Err(SqlError::at("temporary-function", message, name.span()));
    match scope {
        ObjectScope::Temporary => return refused("Alter temporary catalog function is not supported"),
        ObjectScope::TemporarySystem => return refused("Alter temporary system function is not supported"),
        ObjectScope::Permanent => {}
    }
    let path = path_of(session, name)?;
    let known = session.catalog.database_mut(&path.0[0], &path.0[1]).ok();
    match known.and_then(|database| database.functions.get_mut(&path.0[2])) {
        Some(function) => *function = changed,
        None if if_exists => {}
        None => return Err(gone(session, scope, &path, name)),
    }
    Ok(StatementResult::Ok)
}

/// The function that ALTER FUNCTION declares.
pub(super) fn declared(identifier: &str, language: Option<FunctionLanguage>) -> UserFunction {
    UserFunction { identifier: identifier.to_owned(), code: needs(language) }
}

/// DROP FUNCTION.
pub(in crate::session) fn drop(session: &mut Session, statement: &DropObject) -> SqlResult<()> {
    let path = path_of(session, &statement.name)?;
    let (temporary, system) = session.catalog.temporary_functions();
    let dropped = match statement.scope {
        ObjectScope::Temporary => temporary.remove(&path).is_some(),
        ObjectScope::TemporarySystem => system.remove(&path.0[2]).is_some(),
        ObjectScope::Permanent => {
            session.catalog.catalog(&path.0[0]).map_err(|error| error.with_span(statement.name.span()))?;
            let database = session.catalog.database_mut(&path.0[0], &path.0[1]).ok();
            database.is_some_and(|database| database.functions.remove(&path.0[2]).is_some())
        }
    };
    match dropped || statement.if_exists {
        true => Ok(()),
        false => Err(gone(session, statement.scope, &path, &statement.name)),
    }
}

fn gone(session: &Session, scope: ObjectScope, path: &ObjectPath, name: &ObjectName) -> SqlError {
    let [catalog, database, function] = &path.0;
    if let Err(error) = session.catalog.catalog(catalog) {
        return error.with_span(name.span());
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
    if is_built_in { error.with_hint("a function that is built in cannot be changed or dropped") } else { error }
}

/// DESCRIBE FUNCTION.
pub(in crate::session) fn describe(session: &Session, name: &ObjectName, extended: bool) -> SqlResult<StatementResult> {
    let wanted = name.parts().collect::<Vec<_>>().join(".");
    let known = function_names();
    let declared = session.catalog.user_function(name, &session.catalog.defaults());
    if let Some((function, is_system, is_temporary)) = declared {
        return described_function(&wanted, function, is_system, is_temporary, extended, name);
    }
    if !known.iter().any(|known| known.eq_ignore_ascii_case(&wanted)) {
        let quoted: Vec<String> = name.parts().map(|part| format!("`{part}`")).collect();
        let message = format!("Function with the identifier '{}' doesn't exist.", quoted.join("."));
        let error = SqlError::at("unknown-function", message, name.span());
        return Err(match nearest(&wanted, known.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        });
    }
    if extended {
        return Err(SqlError::unsupported("DESCRIBE FUNCTION EXTENDED (leave EXTENDED out)", Some(name.span())));
    }
    Ok(facts(true, false).into())
}

fn described_function(
    wanted: &str,
    function: &UserFunction,
    is_system: bool,
    is_temporary: bool,
    extended: bool,
    name: &ObjectName,
) -> SqlResult<StatementResult> {
    match extended {
        true => Err(not_callable(wanted, function, name.span())),
        false => Ok(facts(is_system, is_temporary).into()),
    }
}

fn facts(is_system: bool, is_temporary: bool) -> Rows {
    let fact = |name: &str, value: bool| vec![Some(name.to_owned()), Some(value.to_string())];
    let facts = vec![fact("is system function", is_system), fact("is temporary", is_temporary)];
    Rows::strings(&["info name", "info value"], facts)
}
