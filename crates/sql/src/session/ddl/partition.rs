//! Partitions that were declared with ALTER TABLE .. ADD PARTITION. They are facts of the catalog only: a file system finds the
//! partitions of a table by itself when it reads.

use crate::catalog::{ObjectPath, Partition, Relation, Table};
use crate::session::{Rows, Session};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{ExprKind, Literal, NewPartition, ObjectName, PartitionSpec, PartitionValue};

/// SHOW PARTITIONS: those whose values are the written ones.
pub(in crate::session) fn show(session: &Session, name: &ObjectName, spec: Option<&PartitionSpec>) -> SqlResult<Rows> {
    let path = session.catalog.qualify(name)?;
    let table = match session.catalog.permanent(&path) {
        Some(Relation::Table(table)) => table,
        Some(Relation::View(_)) => return Err(not_partitioned(&path, name)),
        None => return Err(missing(session, &path, name)),
    };
    check_partitioned(table, name)?;
    let wanted = spec.map(values).transpose()?.unwrap_or_default();
    let matching = table.partitions.iter().filter(|known| wanted.iter().all(|value| known.values.contains(value)));
    let text = |partition: &Partition| {
        partition.values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("/")
    };
    Ok(Rows::list("partition name", matching.map(text)))
}

/// ADD PARTITION.
pub(super) fn add(table: &mut Table, if_not_exists: bool, new: &[NewPartition], name: &ObjectName) -> SqlResult<()> {
    check_partitioned(table, name)?;
    for partition in new {
        let values = full_spec(table, values(&partition.spec)?, name)?;
        let is_known = table.partitions.iter().any(|known| same(&known.values, &values));
        if is_known && !if_not_exists {
            let message = format!("Partition {} of table {} already exists.", text(&values), place(&table.path));
            return Err(SqlError::at("already-exists", message, name.span()));
        }
        if !is_known {
            table.partitions.push(Partition { values, options: super::schema::options(&partition.options) });
        }
    }
    Ok(())
}

/// DROP PARTITION.
pub(super) fn drop(table: &mut Table, if_exists: bool, specs: &[PartitionSpec], name: &ObjectName) -> SqlResult<()> {
    for spec in specs {
        let values = values(spec)?;
        let known = table.partitions.iter().position(|known| same(&known.values, &values));
        match known {
            Some(at) => {
                table.partitions.remove(at);
            }
            None if if_exists => {}
            None => {
                let message = format!("Partition {} of table {} does not exist.", text(&values), place(&table.path));
                return Err(SqlError::at("unknown-partition", message, name.span()));
            }
        }
    }
    Ok(())
}

type Values = Vec<(String, String)>;

/// The written values, which are literals.
fn values(spec: &PartitionSpec) -> SqlResult<Values> {
    spec.0.iter().map(value).collect()
}

fn value(written: &PartitionValue) -> SqlResult<(String, String)> {
    let key = &written.column;
    let literal = written.value.as_ref().map(|value| &value.kind);
    let text = match literal {
        Some(ExprKind::Literal(Literal::String(text))) => text.clone(),
        Some(ExprKind::Literal(other)) => other.to_string(),
        _ => {
            let message = format!("the partition column '{}' needs a literal as its value", key.value);
            return Err(SqlError::at("bad-partition", message, key.span));
        }
    };
    Ok((key.value.clone(), text))
}

/// Whether two specifications name the same values; their order does not matter.
fn same(left: &Values, right: &Values) -> bool {
    left.len() == right.len() && left.iter().all(|value| right.contains(value))
}

/// The values, which are those of all keys of the table and of nothing else.
fn full_spec(table: &Table, values: Values, name: &ObjectName) -> SqlResult<Values> {
    let is_given = |key: &String| values.iter().any(|(given, _)| given == key);
    match values.len() == table.partition_keys.len() && table.partition_keys.iter().all(is_given) {
        true => Ok(values),
        false => Err(invalid(table, &values, name)),
    }
}

/// The error of a table that is not in the catalog; temporary ones are not.
pub(super) fn missing(session: &Session, path: &ObjectPath, name: &ObjectName) -> SqlError {
    let [catalog, database, object] = &path.0;
    let message = format!("Table (or view) {database}.{object} does not exist in Catalog {catalog}.");
    session.catalog.not_there(path, name, message)
}

fn check_partitioned(table: &Table, name: &ObjectName) -> SqlResult<()> {
    if !table.partition_keys.is_empty() {
        return Ok(());
    }
    Err(not_partitioned(&table.path, name))
}

fn not_partitioned(path: &ObjectPath, name: &ObjectName) -> SqlError {
    let [catalog, database, object] = &path.0;
    let message = format!("Table {database}.{object} in catalog {catalog} is not partitioned.");
    SqlError::at("not-partitioned", message, name.span())
}

fn invalid(table: &Table, values: &Values, name: &ObjectName) -> SqlError {
    let [catalog, database, object] = &table.path.0;
    let message = format!(
        "PartitionSpec {} does not match partition keys [{}] of table {database}.{object} in catalog {catalog}.",
        text(values),
        table.partition_keys.join(", ")
    );
    SqlError::at("bad-partition", message, name.span())
}

fn text(values: &Values) -> String {
    let values: Vec<String> = values.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("CatalogPartitionSpec{{{{{}}}}}", values.join(", "))
}

fn place(path: &ObjectPath) -> String {
    let [catalog, database, object] = &path.0;
    format!("{database}.{object} in catalog {catalog}")
}
