//! What a stored table may become: compatibility of descriptors, and rewriting of values.
//!
//! Columns are matched by name. Keys decide where entries are, so their columns must stay; value columns of tables
//! with [`ValueEncoding::Rows`] may come in another order, be wider, be gone, or be new and nullable. The decision
//! is a pure function, so that a plan can be checked against a savepoint without reading any entry.

use crate::row_codec::{EncodedRows, RowCodec};
use crate::{AccumulatorLayout, Column, TableDescriptor, Ttl, ValueEncoding};
use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use headwater_data::arrow_type;
use headwater_types::{Error, ErrorKind, LogicalType, Result, TypeRoot};
use std::fmt;

/// Whether stored state fits what an operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compatibility {
    /// It is what is wanted.
    Same,
    /// It becomes what is wanted.
    Migrated {
        /// What changes, for people.
        what: Vec<String>,
        /// Columns that nothing takes any more.
        dropped: Vec<String>,
    },
    /// It cannot be used.
    Incompatible {
        /// Why, for people.
        why: String,
    },
}

/// Judges whether entries stored as `stored` can be restored into a table that is `wanted`.
pub fn compatibility(stored: &TableDescriptor, wanted: &TableDescriptor) -> Compatibility {
    match changes(stored, wanted) {
        Ok(Changed { what, dropped }) if what.is_empty() && dropped.is_empty() => Compatibility::Same,
        Ok(Changed { what, dropped }) => Compatibility::Migrated { what, dropped },
        Err(why) => Compatibility::Incompatible { why },
    }
}

/// What becomes of a table.
#[derive(Default)]
struct Changed {
    what: Vec<String>,
    dropped: Vec<String>,
}

type Changes = Result<Changed, String>;

fn changes(stored: &TableDescriptor, wanted: &TableDescriptor) -> Changes {
    if stored.kind != wanted.kind {
        return Err(format!("it was a table of kind {:?} and is one of kind {:?}", stored.kind, wanted.kind));
    }
    if !stored.cut_by.is_empty() && stored.cut_by != wanted.cut_by {
        return Err(format!("its entries are those of {} and would be those of {}", stored.cut_by, wanted.cut_by));
    }
    same_columns("key", &stored.key, &wanted.key)?;
    same_columns("map key", &stored.map_key, &wanted.map_key)?;
    let mut changed = match (stored.encoding, wanted.encoding) {
        (ValueEncoding::Rows, ValueEncoding::Rows) => row_changes(&stored.value, &wanted.value)?,
        (ValueEncoding::Opaque, ValueEncoding::Opaque) => {
            same_columns("value", &stored.value, &wanted.value)?;
            Changed::default()
        }
        // Operators said so of rows before they could be migrated.
        (ValueEncoding::Opaque, ValueEncoding::Rows) if same_columns("value", &stored.value, &wanted.value).is_ok() => {
            Changed::default()
        }
        _ => return Err("its values are encoded in another way".to_owned()),
    };
    changed.what.extend(ttl_change(stored.ttl, wanted.ttl));
    Ok(changed)
}

/// Keys and opaque values: names and bytes must be the same.
fn same_columns(what: &str, stored: &[Column], wanted: &[Column]) -> Result<(), String> {
    let same = |(a, b): (&Column, &Column)| a.name == b.name && arrow_type(&a.ty) == arrow_type(&b.ty);
    if stored.len() == wanted.len() && stored.iter().zip(wanted).all(same) {
        return Ok(());
    }
    Err(format!("its {what} columns were ({}) and are ({})", List(stored), List(wanted)))
}

fn row_changes(stored: &[Column], wanted: &[Column]) -> Changes {
    let mut what = vec![];
    // Accumulators of rows that may be taken back stand beside the number of those rows.
    let over_changes = wanted.iter().any(|column| column.accumulator.is_none() && !column.ty.nullable);
    for column in wanted {
        match stored.iter().find(|c| c.name == column.name) {
            Some(before) => what.extend(column_change(before, column)?),
            None if column.accumulator.is_some() && over_changes => {
                let why = "is new, and rows that it has not seen may be taken back from it";
                return Err(format!("column '{}' {why}", column.name));
            }
            None if column.ty.nullable => what.push(format!("column '{}' is new and starts as NULL", column.name)),
            None => return Err(format!("column '{}' is new and NOT NULL, so stored rows have no value", column.name)),
        }
    }
    let gone = stored.iter().filter(|c| wanted.iter().all(|w| w.name != c.name));
    let dropped = gone.map(|column| column.name.clone()).collect();
    let kept = |columns: &[Column], others: &[Column]| {
        let kept = columns.iter().filter(|c| others.iter().any(|o| o.name == c.name));
        kept.map(|c| c.name.clone()).collect::<Vec<_>>()
    };
    if kept(stored, wanted) != kept(wanted, stored) {
        what.push("columns change their order".to_owned());
    }
    Ok(Changed { what, dropped })
}

/// What changes about a column that stays.
fn column_change(stored: &Column, wanted: &Column) -> Result<Option<String>, String> {
    let change = || format!("column '{}' was {} and is {}", stored.name, stored.ty, wanted.ty);
    if stored.ty.nullable && !wanted.ty.nullable {
        return Err(format!("{}: stored rows may hold NULL", change()));
    }
    if stored.ty.same_root(&wanted.ty) {
        let accumulates = accumulator_change(stored, wanted)?;
        return Ok(accumulates.or_else(|| (stored.ty.nullable != wanted.ty.nullable).then(change)));
    }
    if widens(&stored.ty, &wanted.ty) { Ok(Some(change())) } else { Err(change()) }
}

/// What changes about an accumulator whose bytes are kept.
fn accumulator_change(stored: &Column, wanted: &Column) -> Result<Option<String>, String> {
    let (Some(before), Some(after)) = (&stored.accumulator, &wanted.accumulator) else { return Ok(None) };
    let text = |layout: &AccumulatorLayout| match &layout.of {
        Some(ty) => format!("{} of {}", layout.function, ty.clone().with_nullable(true)),
        None => layout.function.clone(),
    };
    let change = || format!("column '{}' held {} and holds {}", stored.name, text(before), text(after));
    let (same, wider) = match (&before.of, &after.of) {
        (Some(a), Some(b)) => (a.same_root(b), widens(a, b)),
        (a, b) => (a.is_none() && b.is_none(), false),
    };
    match before.function == after.function {
        true if same => Ok(None),
        true if wider && before.widens && after.widens => Ok(Some(change())),
        _ => Err(change()),
    }
}

/// Whether every value of one type is a value of the other, so that stored values may become values of it.
pub fn widens(from: &LogicalType, to: &LogicalType) -> bool {
    use TypeRoot::{
        BigInt, Binary, Char, Decimal, Double, Float, Int, SmallInt, Timestamp, TimestampLtz, TinyInt, VarBinary,
        VarChar,
    };
    match (&from.root, &to.root) {
        (TinyInt, SmallInt | Int | BigInt) | (SmallInt, Int | BigInt) | (Int, BigInt) | (Float, Double) => true,
        (Decimal(p, s), Decimal(wider_p, wider_s)) => wider_s >= s && wider_p - wider_s >= p - s,
        (Char(n) | VarChar(n), VarChar(wider)) | (Binary(n) | VarBinary(n), VarBinary(wider)) => wider >= n,
        (Timestamp(p, _), Timestamp(wider, _)) | (TimestampLtz(p, _), TimestampLtz(wider, _)) => wider >= p,
        _ => false,
    }
}

fn ttl_change(stored: Option<Ttl>, wanted: Option<Ttl>) -> Option<String> {
    match (stored, wanted) {
        (None, Some(ttl)) => Some(format!("entries get a time to live of {} ms from the restore on", ttl.ttl_ms)),
        (Some(_), None) => Some("entries lose their time to live".to_owned()),
        (Some(a), Some(b)) if a.ttl_ms != b.ttl_ms => {
            Some(format!("the time to live was {} ms and is {} ms", a.ttl_ms, b.ttl_ms))
        }
        _ => None,
    }
}

struct List<'a>(&'a [Column]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, column) in self.0.iter().enumerate() {
            write!(f, "{}{} {}", if i > 0 { ", " } else { "" }, column.name, column.ty)?;
        }
        Ok(())
    }
}

/// Rewrites stored rows for the columns that are wanted.
#[derive(Debug)]
pub struct ValueMigrator {
    from: RowCodec,
    to: RowCodec,
    /// For every wanted column: the stored column, if there is one, and the type it becomes.
    columns: Vec<(Option<usize>, DataType)>,
}

impl ValueMigrator {
    /// What rewrites the rows of a table that is compatible; `None` when they can stay as they are.
    ///
    /// # Errors
    /// `state-incompatible` when the descriptors are not compatible.
    pub fn new(stored: &TableDescriptor, wanted: &TableDescriptor) -> Result<Option<Self>> {
        if let Compatibility::Incompatible { why } = compatibility(stored, wanted) {
            let message = format!(
                "the stored state table '{}' does not fit: {why}. Restore with the query that wrote it, or set \
                 'execution.state-recovery.ignore-unclaimed-state' to true, which lets the operator start empty",
                wanted.name
            );
            return Err(Error::user("state-incompatible", message));
        }
        let bytes =
            |d: &TableDescriptor| d.value.iter().map(|c| (c.name.clone(), arrow_type(&c.ty))).collect::<Vec<_>>();
        if wanted.encoding == ValueEncoding::Opaque || bytes(stored) == bytes(wanted) {
            return Ok(None);
        }
        let place = |name: &str| stored.value.iter().position(|c| c.name == name);
        let columns = wanted.value.iter().map(|c| (place(&c.name), arrow_type(&c.ty))).collect();
        let (from, to) = (RowCodec::of_columns(&stored.value)?, RowCodec::of_columns(&wanted.value)?);
        Ok(Some(Self { from, to, columns }))
    }

    /// Rewrites rows into `out`, replacing what is there.
    ///
    /// # Errors
    /// `Corruption` when the rows are not those that were stored.
    pub fn migrate(&self, rows: &EncodedRows, out: &mut EncodedRows) -> Result<()> {
        let stored = self.from.decode(rows)?;
        let column = |(place, ty): &(Option<usize>, DataType)| -> Result<ArrayRef> {
            match place {
                None => Ok(new_null_array(ty, rows.len())),
                Some(place) => cast(&stored[*place], ty).map_err(|e| {
                    Error::new(ErrorKind::Corruption, "bad-row", format!("a stored value cannot be widened: {e}"))
                }),
            }
        };
        let columns = self.columns.iter().map(column).collect::<Result<Vec<_>>>()?;
        self.to.encode(&columns, rows.len(), out)
    }
}

#[cfg(test)]
mod tests;
