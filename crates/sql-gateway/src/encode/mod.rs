//! Results as Flink's gateway writes them: column descriptions, and rows in one of two formats.

mod json;
mod logical_type;
mod text;

#[cfg(test)]
mod tests;

use chrono_tz::Tz;
use headwater_data::ChangeBatch;
use headwater_types::{LogicalType, Result, RowKind};
use serde_json::{Value, json};

/// Names and types of columns.
pub(crate) type Columns = Vec<(String, LogicalType)>;

/// How the fields of rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowFormat {
    /// As JSON values.
    Json,
    /// As the texts that `CAST(.. AS STRING)` gives.
    PlainText,
}

impl RowFormat {
    /// The format of a name, in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Json, Self::PlainText].into_iter().find(|format| format.name().eq_ignore_ascii_case(name))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::PlainText => "PLAIN_TEXT",
        }
    }
}

/// Appends `{"columns": [..], "rowFormat": .., "data": [..]}`.
///
/// # Errors
/// When a value has no form, which a plan rules out.
pub(crate) fn push_results(
    out: &mut String,
    columns: &Columns,
    batches: &[ChangeBatch],
    format: RowFormat,
    zone: Tz,
) -> Result<()> {
    let described: Vec<Value> = columns.iter().map(|(name, ty)| column(name, ty)).collect();
    out.push_str("{\"columns\":");
    out.push_str(&Value::Array(described).to_string());
    out.push_str(",\"rowFormat\":\"");
    out.push_str(format.name());
    out.push_str("\",\"data\":[");
    let mut is_first = true;
    for batch in batches {
        push_batch(out, columns, batch, format, zone, &mut is_first)?;
    }
    out.push_str("]}");
    Ok(())
}

fn column(name: &str, ty: &LogicalType) -> Value {
    json!({ "name": name, "logicalType": logical_type::describe(ty), "comment": null })
}

fn push_batch(
    out: &mut String,
    columns: &Columns,
    batch: &ChangeBatch,
    format: RowFormat,
    zone: Tz,
    is_first: &mut bool,
) -> Result<()> {
    let arrays = columns.iter().zip(batch.rows().columns());
    let fields = arrays.map(|((_, ty), array)| match format {
        RowFormat::Json => json::column(array.as_ref(), ty, zone),
        RowFormat::PlainText => text::column(array.as_ref(), ty, zone),
    });
    let fields: Vec<Push<'_>> = fields.collect::<Result<_>>()?;
    for row in 0..batch.num_rows() {
        if !std::mem::take(is_first) {
            out.push(',');
        }
        out.push_str("{\"kind\":\"");
        out.push_str(kind(batch.kind(row)));
        out.push_str("\",\"fields\":[");
        for (position, push) in fields.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            push(out, row);
        }
        out.push_str("]}");
    }
    Ok(())
}

/// Appends the value of a row.
type Push<'a> = Box<dyn Fn(&mut String, usize) + 'a>;

fn kind(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Insert => "INSERT",
        RowKind::UpdateBefore => "UPDATE_BEFORE",
        RowKind::UpdateAfter => "UPDATE_AFTER",
        RowKind::Delete => "DELETE",
    }
}

/// Appends a JSON string.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            c if c < ' ' => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        match escape {
            "" => out.push_str(&format!("\\u{:04x}", c as u32)),
            escape => out.push_str(escape),
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}
