//! Join of a stream with the version of a table that was valid at the row's time.
//!
//! [`event_time`] waits for the watermark and finds the version by time, [`processing_time`] takes the latest one,
//! [`snapshot`] all present rows once they are loaded.

mod event_time;
mod processing_time;
mod snapshot;
#[cfg(test)]
mod tests;

pub(crate) use event_time::take_due;

use crate::build::{BuildContext, expr_context};
use crate::columns::schema_of;
use crate::joined::{Condition, PADDED, joined_batch};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{JoinKind, TemporalJoinSpec};
use headwater_types::{Error, Result};

/// Builds the operator.
pub(crate) fn build(
    spec: &TemporalJoinSpec,
    node: &OperatorNode,
    context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    let [left, right] = node.inputs.as_slice() else {
        return Err(Error::internal("a temporal join has two inputs"));
    };
    if !matches!(spec.kind, JoinKind::Inner | JoinKind::Left) {
        return Err(Error::unsupported(format!("a temporal join of kind {:?}", spec.kind)));
    }
    let expressions = expr_context(context)?;
    let condition = spec.condition.as_ref().map(|expr| Condition::new(expr, left, right, &expressions));
    let lookup = Lookup {
        pads: spec.kind == JoinKind::Left,
        condition: condition.transpose()?,
        output: schema_of(&node.output),
    };
    if let Some(load_until_ms) = spec.load_until_ms {
        return Ok(Box::new(snapshot::SnapshotJoin::new(spec, (left, right), load_until_ms, lookup)?));
    }
    match spec.rowtimes {
        Some(times) => Ok(Box::new(event_time::EventTimeJoin::new(spec, (left, right), times, lookup)?)),
        None => Ok(Box::new(processing_time::ProcessingTimeJoin::new(spec, (left, right), lookup)?)),
    }
}

/// Puts left rows beside the versions that were found for them.
struct Lookup {
    /// Whether left rows without a version are padded instead of dropped.
    pads: bool,
    condition: Option<Condition>,
    output: SchemaRef,
}

impl Lookup {
    /// Emits left rows with their kinds; `versions` holds for every one the position of its version, or [`PADDED`].
    fn emit(
        &self,
        left: &RecordBatch,
        kinds: &[i8],
        right: &RecordBatch,
        mut versions: Vec<u32>,
        batch_rows: usize,
        out: &mut dyn Collector,
    ) -> Result<()> {
        self.judge(left, right, &mut versions)?;
        let kept = (0..versions.len()).filter(|row| self.pads || versions[*row] != PADDED);
        let rows: Vec<u32> = kept.map(|row| row as u32).collect();
        for rows in rows.chunks(batch_rows.max(1)) {
            let versions: Vec<u32> = rows.iter().map(|row| versions[*row as usize]).collect();
            let kinds: Vec<i8> = rows.iter().map(|row| kinds[*row as usize]).collect();
            let joined = joined_batch(&self.output, (left, rows), Some((right, &versions)))?;
            let append = kinds.iter().all(|kind| *kind == headwater_types::RowKind::Insert as i8);
            out.emit(if append { ChangeBatch::append(joined) } else { ChangeBatch::mixed(joined, kinds.into()) });
        }
        Ok(())
    }

    /// A version that does not satisfy the condition is as good as none.
    fn judge(&self, left: &RecordBatch, right: &RecordBatch, versions: &mut [u32]) -> Result<()> {
        let Some(condition) = &self.condition else { return Ok(()) };
        let found = versions.iter().enumerate().filter(|(_, version)| **version != PADDED);
        let (lefts, rights): (Vec<u32>, Vec<u32>) = found.map(|(row, version)| (row as u32, *version)).unzip();
        if lefts.is_empty() {
            return Ok(());
        }
        let mask = condition.matching(left, &lefts, right, &rights)?;
        for (position, row) in lefts.iter().enumerate() {
            if !mask.value(position) {
                versions[*row as usize] = PADDED;
            }
        }
        Ok(())
    }
}
