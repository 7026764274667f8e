//! CREATE, ALTER, DROP, DESCRIBE and SHOW CREATE MODEL. Models can be declared, not run; they live as long as the session.

use super::schema;
use crate::binder::logical_type;
use crate::catalog::{Column, ColumnKind, Model, ObjectPath};
use crate::session::{Rows, Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{AlterOptions, CreateModel, DropObject, ModelColumn, ObjectName, ObjectScope};
use std::collections::btree_map::Entry;

/// CREATE MODEL.
pub(in crate::session) fn create(session: &mut Session, statement: &CreateModel) -> SqlResult<StatementResult> {
    if statement.query.is_some() {
        return Err(SqlError::unsupported("CREATE MODEL ... AS query", Some(statement.name.span())));
    }
    let path = session.catalog.qualify(&statement.name)?;
    let [catalog, database, name] = &path.0;
    let span = statement.name.span();
    session.catalog.database(catalog, database).map_err(|error| error.with_span(span))?;
    let model = Model {
        inputs: columns(&statement.inputs)?,
        outputs: columns(&statement.outputs)?,
        comment: statement.comment.as_ref().map(|comment| comment.value.clone()),
        options: schema::options(&statement.options),
    };
    match session.catalog.models_mut(statement.temporary).entry(path.clone()) {
        Entry::Vacant(place) => {
            place.insert(model);
        }
        Entry::Occupied(_) if statement.if_not_exists => {}
        Entry::Occupied(_) => {
            let message = match statement.temporary {
                true => format!("Temporary model '{path}' already exists"),
                false => format!("Model {database}.{name} already exists in Catalog {catalog}."),
            };
            return Err(SqlError::at("already-exists", message, span));
        }
    }
    Ok(StatementResult::Ok)
}

fn columns(written: &[ModelColumn]) -> SqlResult<Vec<Column>> {
    let column = |column: &ModelColumn| {
        Ok(Column {
            name: column.name.value.clone(),
            ty: logical_type(&column.data_type)?,
            kind: ColumnKind::Physical,
            comment: column.comment.as_ref().map(|comment| comment.value.clone()),
        })
    };
    written.iter().map(column).collect()
}

/// ALTER MODEL.
pub(in crate::session) fn alter(
    session: &mut Session,
    if_exists: bool,
    name: &ObjectName,
    action: &AlterOptions,
) -> SqlResult<StatementResult> {
    let path = session.catalog.qualify(name)?;
    let target = match action {
        AlterOptions::Rename(to) => Some(super::alter::renamed_path(session, name, to)?),
        _ => None,
    };
    let models = session.catalog.models_mut(false);
    let Some(model) = models.get_mut(&path) else {
        let message = format!("Model {path} doesn't exist.");
        return if if_exists { Ok(StatementResult::Ok) } else { Err(unknown(message, name)) };
    };
    match action {
        AlterOptions::Set(options) => model.options.extend(schema::options(options)),
        AlterOptions::Reset(keys) if keys.is_empty() => {
            return Err(SqlError::new("empty-reset", "ALTER MODEL RESET does not support empty key"));
        }
        AlterOptions::Reset(keys) => model.options.retain(|option, _| keys.iter().all(|key| key.value != *option)),
        AlterOptions::Comment(comment) => model.comment = Some(comment.value.clone()),
        AlterOptions::Rename(_) => rename(session, &path, target)?,
    }
    Ok(StatementResult::Ok)
}

fn rename(session: &mut Session, from: &ObjectPath, to: Option<ObjectPath>) -> SqlResult<()> {
    let Some(to) = to else { return Ok(()) };
    let models = session.catalog.models_mut(false);
    if models.contains_key(&to) {
        let [catalog, database, name] = &to.0;
        let message = format!("Model {database}.{name} already exists in Catalog {catalog}.");
        return Err(SqlError::new("already-exists", message));
    }
    if let Some(model) = models.remove(from) {
        models.insert(to, model);
    }
    Ok(())
}

/// DROP MODEL.
pub(in crate::session) fn drop(session: &mut Session, statement: &DropObject) -> SqlResult<()> {
    let path = session.catalog.qualify(&statement.name)?;
    let is_temporary = statement.scope != ObjectScope::Permanent;
    let dropped = session.catalog.models_mut(is_temporary).remove(&path).is_some();
    if dropped || statement.if_exists {
        return Ok(());
    }
    let message = match is_temporary {
        true => format!("Temporary model with identifier '{}' does not exist.", path.0.join(".")),
        false => format!("Model with identifier '{}' does not exist.", path.0.join(".")),
    };
    Err(unknown(message, &statement.name))
}

/// DESCRIBE MODEL.
pub(in crate::session) fn describe(session: &Session, name: &ObjectName) -> SqlResult<Rows> {
    let path = session.catalog.qualify(name)?;
    let Some((model, _)) = session.catalog.model(&path) else {
        let message = format!("Model with the identifier '{}' doesn't exist.", path.0.join("."));
        return Err(unknown(message, name));
    };
    let inputs = model.inputs.iter().map(|column| (column, "TRUE"));
    let all: Vec<(&Column, &str)> = inputs.chain(model.outputs.iter().map(|column| (column, "FALSE"))).collect();
    let has_comment = all.iter().any(|(column, _)| column.comment.is_some());
    let row = |(column, is_input): &(&Column, &str)| -> Vec<Option<String>> {
        let null = if column.ty.nullable { "TRUE" } else { "FALSE" };
        let ty = column.ty.root.to_string();
        let texts = [column.name.as_str(), ty.as_str(), null, *is_input].map(|text| Some(text.to_owned()));
        texts.into_iter().chain(has_comment.then(|| column.comment.clone())).collect()
    };
    let mut names = vec!["name", "type", "null", "is input"];
    names.extend(has_comment.then_some("comment"));
    Ok(Rows::strings(&names, all.iter().map(row).collect()).with_boolean(2).with_boolean(3))
}

/// Names of the models of a database.
pub(in crate::session) fn names(session: &Session, from: Option<&ObjectName>) -> SqlResult<Vec<String>> {
    let [catalog, database] = match from {
        None => session.catalog.defaults(),
        Some(name) => session.catalog.qualify_database(name)?,
    };
    session.catalog.database(&catalog, &database).map_err(|error| {
        let message = format!("Database {database} does not exist in Catalog {catalog}.");
        SqlError { message, ..error }
    })?;
    Ok(session.catalog.model_names(&catalog, &database))
}

fn unknown(message: String, name: &ObjectName) -> SqlError {
    SqlError::at("unknown-model", message, name.span())
}
