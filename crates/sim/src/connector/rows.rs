//! Rows as a function of their position: `(k BIGINT, n BIGINT, v BIGINT, ts TIMESTAMP(3))`.

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, TimestampMillisecondArray};
use headwater_data::{ChangeBatch, arrow_schema, stable_hash};
use headwater_plan::ProducedColumn;
use headwater_plan::table::ColumnOrigin;
use headwater_types::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// Milliseconds of event time between positions.
const STEP_MS: i64 = 100;
/// Positions whose event times are shuffled: a watermark this many steps behind is never too early.
const SHUFFLED: i64 = 4;

/// What tells two tables apart.
#[derive(Clone)]
pub(super) struct Rows {
    pub(super) columns: Vec<ProducedColumn>,
    pub(super) keys: i64,
    pub(super) salt: i64,
}

impl Rows {
    fn random(&self, n: i64, column: i64) -> i64 {
        let bytes = [self.salt, n, column].map(i64::to_le_bytes).concat();
        (stable_hash(&bytes) >> 1) as i64
    }

    /// The value of a physical column: all event times are different.
    fn value(&self, n: i64, column: usize) -> i64 {
        match column {
            0 => self.random(n, 0) % self.keys,
            1 => n,
            2 => self.random(n, 2) % 100,
            _ => {
                let block = n.div_euclid(SHUFFLED);
                let place = n.rem_euclid(SHUFFLED) ^ (self.random(block, 3) % SHUFFLED);
                (block * SHUFFLED + place) * STEP_MS
            }
        }
    }

    /// The rows of some positions.
    pub(super) fn batch(&self, positions: Range<i64>) -> Result<ChangeBatch> {
        let array = |column: &ProducedColumn| -> Result<ArrayRef> {
            let ColumnOrigin::Physical(at) = column.origin else {
                return Err(Error::unsupported("simulated tables have no metadata"));
            };
            let values = positions.clone().map(|n| self.value(n, at));
            Ok(match at {
                0..3 => Arc::new(Int64Array::from_iter_values(values)),
                _ => Arc::new(TimestampMillisecondArray::from_iter_values(values)),
            })
        };
        let arrays = self.columns.iter().map(array).collect::<Result<Vec<_>>>()?;
        let schema = arrow_schema(self.columns.iter().map(|column| (column.name.as_str(), &column.ty)));
        let count = positions.end - positions.start;
        let options = RecordBatchOptions::new().with_row_count(Some(count as usize));
        let rows = RecordBatch::try_new_with_options(schema, arrays, &options);
        Ok(ChangeBatch::append(rows.map_err(|e| Error::internal(format!("simulated rows form no batch: {e}")))?))
    }
}
