//! Functions that need all rows of a partition: LEAD, NTILE, CUME_DIST and PERCENT_RANK.

use super::functions::shift_offset;
use crate::arrow_error;
use arrow::array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::DataType;
use headwater_data::arrow_type;
use headwater_expressions::value::array_from_values;
use headwater_plan::Value;
use headwater_plan::operators::AggregateCall;
use headwater_types::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// Whether a function needs the whole partition.
pub(super) fn is_partition_function(function: &str) -> bool {
    matches!(function, "LEAD" | "NTILE" | "CUME_DIST" | "PERCENT_RANK")
}

/// Sorted rows with their partitions and, for every row, the range of its peers.
pub(super) struct Partitions<'a> {
    pub(super) rows: &'a RecordBatch,
    pub(super) partitions: &'a [Range<usize>],
    pub(super) peers: &'a [Range<usize>],
}

/// The results of a function, one per row.
pub(super) fn evaluate(call: &AggregateCall, of: &Partitions<'_>) -> Result<ArrayRef> {
    match call.function.as_str() {
        "LEAD" => lead(call, of),
        "NTILE" => ntile(call, of),
        "CUME_DIST" => {
            Ok(distribution(of, |row, partition| (of.peers[row].end - partition.start) as f64 / partition.len() as f64))
        }
        "PERCENT_RANK" => Ok(distribution(of, |row, partition| match partition.len() {
            1 => 0.0,
            rows => (of.peers[row].start - partition.start) as f64 / (rows - 1) as f64,
        })),
        other => Err(Error::internal(format!("{other} does not need the whole partition"))),
    }
}

fn distribution(of: &Partitions<'_>, value: impl Fn(usize, &Range<usize>) -> f64) -> ArrayRef {
    let values = of.partitions.iter().flat_map(|partition| partition.clone().map(|row| value(row, partition)));
    Arc::new(Float64Array::from_iter_values(values))
}

fn lead(call: &AggregateCall, of: &Partitions<'_>) -> Result<ArrayRef> {
    let Some(argument) = call.args.first() else { return Err(Error::internal("LEAD needs a value")) };
    let values = of.rows.column(*argument);
    let default = array_from_values(&[call.parameters.get(1).cloned().unwrap_or(Value::Null)], &call.ty)?;
    let offset = shift_offset(call);
    let place = |row: usize, partition: &Range<usize>| match row + offset < partition.end {
        true => (0, row + offset),
        false => (1, 0),
    };
    let places: Vec<(usize, usize)> =
        of.partitions.iter().flat_map(|partition| partition.clone().map(move |row| place(row, partition))).collect();
    let sources: [&dyn Array; 2] = [values.as_ref(), default.as_ref()];
    interleave(&sources, &places).map_err(arrow_error)
}

/// Buckets as even as possible, the larger ones first.
fn ntile(call: &AggregateCall, of: &Partitions<'_>) -> Result<ArrayRef> {
    let buckets = match call.parameters.first() {
        Some(Value::Int(buckets)) if *buckets > 0 => *buckets as usize,
        _ => return Err(Error::user("bad-ntile", "the number of buckets of NTILE must be a positive whole number")),
    };
    let bucket = |row: usize, partition: &Range<usize>| {
        let (rows, row) = (partition.len(), row - partition.start);
        let (size, larger) = (rows / buckets, rows % buckets);
        let in_larger = larger * (size + 1);
        1 + if row < in_larger { row / (size + 1) } else { larger + (row - in_larger) / size.max(1) }
    };
    let numbers = of.partitions.iter().flat_map(|p| p.clone().map(move |row| bucket(row, p) as i64));
    Ok(match arrow_type(&call.ty) {
        DataType::Int32 => Arc::new(Int32Array::from_iter_values(numbers.map(|n| n as i32))),
        _ => Arc::new(Int64Array::from_iter_values(numbers)),
    })
}
