//! `datagen`: random rows and sequences, with Flink's options.
//!
//! A value is a function of its row's number and the seed, so runs repeat at any parallelism; times are taken from
//! the clock, as in Flink. A sequence bounds the source.

mod field;

#[cfg(test)]
mod tests;

use crate::numbered::{NumberedSource, RowGenerator};
use crate::simple::table_identity;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use field::{Generator, Settings};
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{Connector, DatasetIdentity, OptionSpec, Options, Sink, Source};
use headwater_data::arrow_schema;
use headwater_formats::values;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec, Value};
use headwater_types::config::nearest;
use headwater_types::{Error, LogicalType, Result};
use std::sync::Arc;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("rows-per-second", "10000", "Rows per second of all readers together."),
    OptionSpec::optional("number-of-rows", "Rows in all; endless without."),
    OptionSpec::with_default("seed", "1", "Seed of everything random."),
    OptionSpec::optional("scan.parallelism", "Parallelism of the source."),
];

/// What may follow `fields.NAME.`.
const FIELD_OPTIONS: [&str; 9] = ["kind", "min", "max", "max-past", "length", "var-len", "start", "end", "null-rate"];

/// The connector.
pub struct Datagen;

impl Connector for Datagen {
    fn name(&self) -> &'static str {
        "datagen"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.to_vec()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(table_identity("datagen", table))
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        let table = &scan.table;
        let options = Options(&table.options);
        options.validate("datagen", OPTIONS, &["fields."])?;
        validate_fields(table)?;
        let rate = positive(options, "rows-per-second")?.unwrap_or(10_000);
        let total = positive(options, "number-of-rows")?;
        let seed = options.integer("seed")?.unwrap_or(1) as u64;
        // All columns are resolved, so that a sequence bounds the source even when nobody reads it.
        let mut sequence = None;
        for (i, (name, ty)) in table.columns.iter().enumerate() {
            let generator = Generator::new(ty, name, i as u64, Settings { options, seed })?;
            sequence = shorter(sequence, generator.rows());
        }
        let generator = generator_of(scan.clone(), seed)?;
        let total = shorter(total, sequence);
        Ok(Some(Box::new(NumberedSource { total, rate: Some(rate), block: 1, limit: scan.limit, generator })))
    }

    fn sink(&self, _write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Ok(None)
    }
}

fn shorter(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn positive(options: Options<'_>, name: &str) -> Result<Option<u64>> {
    match options.integer(name)? {
        None => Ok(None),
        Some(value) if value > 0 => Ok(Some(value as u64)),
        Some(value) => Err(bad_option(name, &value.to_string(), "a whole number above zero")),
    }
}

/// Checks the names of `fields.NAME.OPTION`.
fn validate_fields(table: &TableSpec) -> Result<()> {
    for option in table.options.keys() {
        let Some(rest) = option.strip_prefix("fields.") else { continue };
        let (column, what) = rest.rsplit_once('.').unwrap_or((rest, ""));
        if !FIELD_OPTIONS.contains(&what) {
            let near = nearest(what, FIELD_OPTIONS).map(|n| format!("did you mean 'fields.{column}.{n}'?"));
            let hint = near.unwrap_or_else(|| format!("a field has the options {}", FIELD_OPTIONS.join(", ")));
            return Err(Error::user(
                "unknown-option",
                format!("the datagen connector does not know the option '{option}'; {hint}"),
            ));
        }
        let names = || table.columns.iter().map(|(n, _)| n.as_str());
        let known = names().any(|n| column == n || column.strip_prefix(n).is_some_and(|rest| rest.starts_with('.')));
        if !known {
            let near = nearest(column, names()).map(|n| format!("did you mean '{n}'?"));
            let hint = near.unwrap_or_else(|| format!("columns: {}", names().collect::<Vec<_>>().join(", ")));
            return Err(Error::user(
                "unknown-option",
                format!("the option '{option}' is about no column of the table; {hint}"),
            ));
        }
    }
    Ok(())
}

/// A produced column.
struct Column {
    declared: LogicalType,
    produced: LogicalType,
    generator: Generator,
}

struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
}

type Factory = Box<dyn Fn() -> Result<Box<dyn RowGenerator>> + Send + Sync>;

fn generator_of(scan: SourceSpec, seed: u64) -> Result<Factory> {
    let make = move || -> Result<Box<dyn RowGenerator>> {
        let settings = Settings { options: Options(&scan.table.options), seed };
        let column = |produced: &headwater_plan::ProducedColumn| {
            let ColumnOrigin::Physical(at) = produced.origin else {
                return Err(Error::user("unknown-metadata", "the datagen connector has no metadata columns"));
            };
            let (name, declared) = &scan.table.columns[at];
            let generator = Generator::new(declared, name, at as u64, settings)?;
            Ok(Column { declared: declared.clone(), produced: produced.ty.clone(), generator })
        };
        let columns = scan.produced.iter().map(column).collect::<Result<_>>()?;
        let schema = arrow_schema(scan.produced.iter().map(|p| (p.name.as_str(), &p.ty)));
        Ok(Box::new(Rows { schema, columns }))
    };
    make()?;
    Ok(Box::new(make))
}

impl RowGenerator for Rows {
    fn rows(&mut self, numbers: &[u64], now_ms: i64) -> Result<RecordBatch> {
        let array = |column: &Column| {
            let cells: Vec<Value> = numbers.iter().map(|n| column.generator.value(*n, now_ms)).collect();
            values::array(&column.declared, &column.produced, &cells)
        };
        let arrays = self.columns.iter().map(array).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|e| Error::internal(format!("generated columns do not form a batch: {e}")))
    }
}
