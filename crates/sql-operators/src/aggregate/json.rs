//! JSON_OBJECTAGG and JSON_ARRAYAGG: the values of a group as JSON text.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use headwater_functions::json::{JsonWriter, push_quoted};
use headwater_types::{Error, LogicalType, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the text of a group is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JsonForm {
    /// An object of keys and values instead of an array of values.
    pub(super) object: bool,
    /// Whether NULL values are left out instead of being `null`.
    pub(super) absent_on_null: bool,
    /// Type of the values.
    pub(super) value: LogicalType,
}

impl JsonForm {
    /// The texts of groups of so many entries each. `columns` are the arguments of all entries, group after group.
    pub(super) fn texts(&self, columns: &[ArrayRef], lengths: impl Iterator<Item = usize>) -> Result<ArrayRef> {
        let values = columns.last().ok_or_else(|| Error::internal("a JSON aggregate has no argument"))?;
        let writer = JsonWriter::new(values.as_ref(), &self.value)?;
        let mut next = 0;
        let mut texts: Vec<String> = vec![];
        for length in lengths {
            let entries = (next..next + length).filter(|entry| !self.absent_on_null || values.is_valid(*entry));
            texts.push(if self.object { object(&columns[0], &writer, entries)? } else { array(&writer, entries) });
            next += length;
        }
        Ok(Arc::new(StringArray::from_iter_values(texts)))
    }
}

fn array(writer: &JsonWriter<'_>, entries: impl Iterator<Item = usize>) -> String {
    let mut text = "[".to_owned();
    for entry in entries {
        if text.len() > 1 {
            text.push(',');
        }
        writer.push(&mut text, entry);
    }
    text.push(']');
    text
}

/// Keys are sorted, as in all JSON that SQL writes.
fn object(keys: &ArrayRef, writer: &JsonWriter<'_>, entries: impl Iterator<Item = usize>) -> Result<String> {
    let keys = keys.as_string_opt::<i32>().ok_or_else(|| Error::internal("keys of JSON objects are strings"))?;
    let mut members: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.filter(|entry| keys.is_valid(*entry)) {
        if members.insert(keys.value(entry), entry).is_some() {
            let message = format!(
                "Key '{}' is already present. Duplicate keys are not allowed in JSON_OBJECTAGG. Please ensure that \
                 keys are unique.",
                keys.value(entry)
            );
            return Err(Error::user("duplicate-json-key", message));
        }
    }
    let mut text = "{".to_owned();
    for (key, entry) in members {
        if text.len() > 1 {
            text.push(',');
        }
        push_quoted(&mut text, key);
        text.push(':');
        writer.push(&mut text, entry);
    }
    text.push('}');
    Ok(text)
}
