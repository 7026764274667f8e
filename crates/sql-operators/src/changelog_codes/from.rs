//! Inserted rows as changes.

use crate::arrow_error;
use crate::columns::{record_batch, schema_of};
use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use headwater_data::{ChangeBatch, RowKinds};
use headwater_operator_api::{Collector, OpenContext, Operator, OperatorMetrics};
use headwater_plan::OperatorNode;
use headwater_plan::operators::FromChangelogSpec;
use headwater_types::{Error, Result, RowKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The operator.
pub(crate) struct FromChangelog {
    spec: FromChangelogSpec,
    output: SchemaRef,
    metrics: Arc<OperatorMetrics>,
}

impl FromChangelog {
    /// The operator of a specification.
    pub(crate) fn new(spec: &FromChangelogSpec, node: &OperatorNode) -> Self {
        Self { spec: spec.clone(), output: schema_of(&node.output), metrics: Arc::default() }
    }

    /// What a code means; `None` for one to be skipped.
    fn kind(&self, code: Option<&str>) -> Result<Option<RowKind>> {
        let known = code.and_then(|code| self.spec.kinds.iter().find(|(known, _)| known == code));
        match (known, code) {
            (Some((_, kind)), _) => Ok(Some(*kind)),
            (None, _) if self.spec.skips_errors => Ok(None),
            (None, None) => Err(refused("Received NULL op code")),
            (None, Some(code)) => {
                let known: Vec<_> = self.spec.kinds.iter().map(|(code, _)| format!("'{code}'")).collect();
                Err(refused(&format!("Received unknown op code '{code}': expected {}", known.join(", "))))
            }
        }
    }
}

fn refused(what: &str) -> Error {
    let message =
        format!("FROM_CHANGELOG: {what}. Map it by 'op_mapping', or drop such rows by error_handling => 'SKIP'");
    Error::user("unknown-change-code", message)
}

impl Operator for FromChangelog {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.metrics = context.metrics.clone();
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let (rows, _) = batch.into_parts();
        let codes = rows.column(self.spec.code).as_string::<i32>();
        let kinds = codes.iter().map(|code| self.kind(code)).collect::<Result<Vec<_>>>()?;
        let skipped = kinds.iter().filter(|kind| kind.is_none()).count();
        let rows = match skipped {
            0 => rows,
            _ => {
                self.metrics.bad_records.fetch_add(skipped as u64, Ordering::Relaxed);
                let mask: BooleanArray = kinds.iter().map(|kind| Some(kind.is_some())).collect();
                filter_record_batch(&rows, &mask).map_err(arrow_error)?
            }
        };
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let columns: Vec<ArrayRef> =
            self.spec.kept(rows.num_columns()).map(|column| rows.column(column).clone()).collect();
        let rows = record_batch(&self.output, columns, rows.num_rows())?;
        let kinds: Vec<i8> = kinds.into_iter().flatten().map(|kind| kind as i8).collect();
        out.emit(crate::kinds::with_kinds(rows, RowKinds::Mixed(kinds.into())));
        Ok(())
    }
}
