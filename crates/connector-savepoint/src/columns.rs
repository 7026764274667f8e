//! The columns of stored state, by name.
//!
//! A column is named as the state's descriptor names it: a column of the query, or an aggregate as text. The key, the
//! map key and the value may have columns of one name; the bare name means the first of them in that order, and
//! `key.x`, `map_key.x` and `value.x` each exactly one. Timers have a column `time` besides their key; values that only
//! the operator understands are one column `value BYTES`.

use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SourceSpec};
use headwater_state::{Column, TableDescriptor, TableKind, ValueEncoding, widens};
use headwater_types::config::nearest;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};

/// Metadata: the key group of an entry.
pub const KEY_GROUP: &str = "key-group";
/// Metadata: when an entry was written, in tables with a time to live.
pub const WRITTEN_TIME: &str = "written-time";

/// Where in an entry a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A column of the key.
    Key(usize),
    /// A column of the map key.
    MapKey(usize),
    /// A column of the value.
    Value(usize),
    /// The value as bytes, of tables whose values only their operator understands.
    Bytes,
    /// The time of a timer.
    Time,
    /// The key group.
    Group,
    /// When it was written.
    Written,
}

/// A column of a table of state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateColumn {
    /// The shortest name that means it.
    pub name: String,
    /// Where it is.
    pub part: Part,
    /// Its stored type.
    pub ty: LogicalType,
}

/// A column that a scan produces.
#[derive(Debug, Clone)]
pub(crate) struct Produced {
    pub(crate) name: String,
    pub(crate) part: Part,
    pub(crate) ty: LogicalType,
}

/// The columns of a table of state.
pub fn state_columns(descriptor: &TableDescriptor) -> Vec<StateColumn> {
    let mut found: Vec<StateColumn> = vec![];
    let mut push = |prefix: &str, name: &str, part: Part, ty: LogicalType| {
        let taken = found.iter().any(|known| known.name == name);
        let name = if taken { format!("{prefix}.{name}") } else { name.to_owned() };
        found.push(StateColumn { name, part, ty: ty.with_time_attribute(TimeAttribute::None) });
    };
    for (at, column) in descriptor.key.iter().enumerate() {
        push("key", &column.name, Part::Key(at), column.ty.clone());
    }
    if descriptor.kind == TableKind::Timers {
        push("timer", "time", Part::Time, LogicalType::from(TypeRoot::TimestampLtz(3, TimeAttribute::None)).not_null());
        return found;
    }
    for (at, column) in descriptor.map_key.iter().enumerate() {
        push("map_key", &column.name, Part::MapKey(at), column.ty.clone());
    }
    match descriptor.encoding {
        ValueEncoding::Rows => {
            for (at, column) in descriptor.value.iter().enumerate() {
                push("value", &column.name, Part::Value(at), column.ty.clone());
            }
        }
        ValueEncoding::Opaque if descriptor.value.is_empty() => {}
        ValueEncoding::Opaque => {
            push("value", "value", Part::Bytes, LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32)));
        }
    }
    found
}

/// Finds the columns of a scan in a table of state.
pub(crate) fn produced(scan: &SourceSpec, descriptor: &TableDescriptor) -> Result<Vec<Produced>> {
    let columns = state_columns(descriptor);
    scan.produced.iter().map(|wanted| one(scan, wanted, descriptor, &columns)).collect()
}

fn one(
    scan: &SourceSpec,
    wanted: &ProducedColumn,
    descriptor: &TableDescriptor,
    columns: &[StateColumn],
) -> Result<Produced> {
    let part = match &wanted.origin {
        ColumnOrigin::Metadata(key) if key == KEY_GROUP => Part::Group,
        ColumnOrigin::Metadata(_) => Part::Written,
        ColumnOrigin::Physical(at) => {
            let (name, ty) = &scan.table.columns[*at];
            let stored = find(name, descriptor, columns)?;
            check_type(name, ty, &stored.ty)?;
            stored.part
        }
    };
    Ok(Produced { name: wanted.name.clone(), part, ty: wanted.ty.clone() })
}

fn find(name: &str, descriptor: &TableDescriptor, columns: &[StateColumn]) -> Result<StateColumn> {
    if let Some(column) = columns.iter().find(|c| c.name == name).or_else(|| qualified(name, descriptor, columns)) {
        return Ok(column.clone());
    }
    let near = nearest(name, columns.iter().map(|c| c.name.as_str()));
    let hint = near.map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
    let all: Vec<String> = columns.iter().map(|c| format!("`{}` {}", c.name, c.ty)).collect();
    let message = format!("the state '{}' has no column '{name}'{hint}; it has {}", descriptor.name, all.join(", "));
    Err(Error::user("unknown-state-column", message))
}

/// `key.x`, `map_key.x`, `value.x`.
fn qualified<'a>(name: &str, descriptor: &TableDescriptor, columns: &'a [StateColumn]) -> Option<&'a StateColumn> {
    let (prefix, name) = name.split_once('.')?;
    let position = |columns: &[Column]| columns.iter().position(|column| column.name == name);
    let part = match prefix {
        "key" => Part::Key(position(&descriptor.key)?),
        "map_key" => Part::MapKey(position(&descriptor.map_key)?),
        "value" => Part::Value(position(&descriptor.value)?),
        _ => return None,
    };
    columns.iter().find(|column| column.part == part)
}

fn check_type(name: &str, declared: &LogicalType, stored: &LogicalType) -> Result<()> {
    if declared.same_root(stored) || widens(stored, declared) {
        return Ok(());
    }
    let stored = stored.clone().with_nullable(true);
    let message =
        format!("the column '{name}' is declared as {declared} and stored as {stored}: declare it as {stored}");
    Err(Error::user("state-column-type", message))
}
