//! JSON lines: one object a row, `op` first when it is shown.
//!
//! Numbers and booleans are JSON's own, ROW is an object, ARRAY an array, MAP an object with its keys as text,
//! bytes are base64; everything else is the text that a table would show.

use super::{ResultWriter, Shape};
use arrow::array::{Array, ArrayRef, AsArray};
use base64::Engine;
use chrono_tz::Tz;
use headwater_data::ChangeBatch;
use headwater_functions::text::display;
use headwater_types::{LogicalType, TypeRoot};
use serde_json::{Map, Number, Value};
use std::io::{self, Write};

/// Writes JSON lines.
pub struct JsonWriter {
    shape: Shape,
}

impl JsonWriter {
    /// A writer of this shape.
    pub fn new(shape: Shape) -> Self {
        Self { shape }
    }

    fn object(&self, batch: &ChangeBatch, row: usize) -> Map<String, Value> {
        let mut object = Map::new();
        if self.shape.show_op {
            object.insert("op".to_string(), Value::from(batch.kind(row).short()));
        }
        for ((name, ty), array) in self.shape.columns.iter().zip(batch.rows().columns()) {
            object.insert(name.clone(), value(array, ty, row, self.shape.zone));
        }
        object
    }
}

impl ResultWriter for JsonWriter {
    fn batch(&mut self, out: &mut dyn Write, batch: &ChangeBatch) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            serde_json::to_writer(&mut *out, &self.object(batch, row))?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.flush()
    }
}

fn value(array: &ArrayRef, ty: &LogicalType, row: usize, zone: Tz) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match &ty.root {
        TypeRoot::Boolean => Value::Bool(array.as_boolean().value(row)),
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) => {
            Value::from(base64::engine::general_purpose::STANDARD.encode(array.as_binary::<i32>().value(row)))
        }
        TypeRoot::Array(element) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|i| value(&items, element, i, zone)).collect())
        }
        TypeRoot::Map(key, element) => map(array, key, element, row, zone),
        TypeRoot::Multiset(element) => map(array, element, &TypeRoot::Int.into(), row, zone),
        TypeRoot::Row(fields) => {
            let columns = array.as_struct().columns();
            let entries =
                fields.iter().zip(columns).map(|(f, column)| (f.name.clone(), value(column, &f.ty, row, zone)));
            Value::Object(entries.collect())
        }
        _ if ty.is_numeric() => number(&display(array, ty, row, zone)),
        _ => Value::String(display(array, ty, row, zone)),
    }
}

fn map(array: &ArrayRef, key: &LogicalType, element: &LogicalType, row: usize, zone: Tz) -> Value {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0), entries.column(1));
    let pairs = (0..entries.len()).map(|i| (display(keys, key, i, zone), value(values, element, i, zone)));
    Value::Object(pairs.collect())
}

/// A number exactly as its text; what JSON has no number for (`NaN`) stays text.
fn number(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(whole) => Value::from(whole),
        Err(_) => match text.parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) if number.to_string() == text || is_float(text) => Value::Number(number),
            _ => Value::String(text.to_string()),
        },
    }
}

/// Whether the text is a float's; a DECIMAL that f64 cannot hold exactly stays text.
fn is_float(text: &str) -> bool {
    text.len() <= 17
}
