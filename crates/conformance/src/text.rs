//! Rows as text, for comparison: what `toString` of a row gives in Java, with its row kind in front.
//!
//! Expected and actual rows go through the same path (typed values, Arrow arrays, one printer), so that two rows
//! are equal if and only if their values are.

use crate::outcome::Stop;
use arrow::array::ArrayRef;
use headwater_connectors::values::Row;
use headwater_formats::text::java;
use headwater_formats::values::array;
use headwater_plan::Value;
use headwater_types::{LogicalType, RowKind};

/// The rows as text, in order.
pub(crate) fn rows(types: &[LogicalType], rows: &[Row]) -> Result<Vec<String>, Stop> {
    let columns = types
        .iter()
        .enumerate()
        .map(|(i, ty)| Ok(array(ty, ty, rows.iter().map(|(_, values)| values.get(i).unwrap_or(&Value::Null)))?))
        .collect::<Result<Vec<ArrayRef>, Stop>>()?;
    Ok(rows.iter().enumerate().map(|(i, (kind, _))| row(*kind, &columns, i)).collect())
}

fn row(kind: RowKind, columns: &[ArrayRef], row: usize) -> String {
    let mut out = kind.short().as_bytes().to_vec();
    out.push(b'[');
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        java::value(&mut out, column.as_ref(), row);
    }
    out.push(b']');
    String::from_utf8_lossy(&out).into_owned()
}

/// One value as text.
pub(crate) fn value(ty: &LogicalType, value: &Value) -> Result<String, Stop> {
    let column = array(ty, ty, std::iter::once(value))?;
    let mut out = vec![];
    java::value(&mut out, column.as_ref(), 0);
    Ok(String::from_utf8_lossy(&out).into_owned())
}
