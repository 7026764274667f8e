//! Fields as texts: what `CAST(.. AS STRING)` gives, bytes in hexadecimal; NULL is none.

use super::{Push, push_string};
use arrow::array::Array;
use chrono_tz::Tz;
use headwater_functions::text::Formatter;
use headwater_types::{LogicalType, Result};

/// Writes the values of a column.
pub(super) fn column<'a>(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    let formatter = Formatter::new(array, ty, zone)?;
    Ok(Box::new(move |out, row| {
        if array.is_null(row) {
            return out.push_str("null");
        }
        let mut text = String::new();
        formatter.push(&mut text, row);
        push_string(out, &text);
    }))
}
