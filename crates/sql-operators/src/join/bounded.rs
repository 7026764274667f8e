//! Join of finite inputs in batch mode: both are collected, then joined by hash once.

use crate::columns::{relabelled, schema_of};
use crate::hash_join::{HashJoin, Probing, concatenated};
use crate::joined::Condition;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_expressions::ExprContext;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::JoinSpec;
use headwater_types::{Error, Result};

pub(super) struct BoundedJoin {
    join: HashJoin,
    schemas: [SchemaRef; 2],
    rows: [Vec<RecordBatch>; 2],
    ended: [bool; 2],
    probing: Option<Probing>,
    batch_rows: usize,
}

impl BoundedJoin {
    pub(super) fn new(spec: &JoinSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let [left, right] = node.inputs.as_slice() else {
            return Err(Error::internal("a join has two inputs"));
        };
        let condition = spec.condition.as_ref().map(|expr| Condition::new(expr, left, right, context));
        Ok(Self {
            join: HashJoin {
                kind: spec.kind,
                left_keys: spec.left_keys.clone(),
                right_keys: spec.right_keys.clone(),
                null_safe: spec.null_safe.clone(),
                condition: condition.transpose()?,
                output: schema_of(&node.output),
            },
            schemas: [schema_of(left), schema_of(right)],
            rows: [vec![], vec![]],
            ended: [false; 2],
            probing: None,
            batch_rows: 4096,
        })
    }

    /// All rows of one input.
    fn take(&mut self, side: usize) -> Result<RecordBatch> {
        concatenated(&self.schemas[side], &std::mem::take(&mut self.rows[side]))
    }
}

impl Operator for BoundedJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("a batch join over a changelog"));
        }
        let side = usize::from(input != 0);
        let (rows, _) = batch.into_parts();
        self.rows[side].push(relabelled(rows, &self.schemas[side])?);
        Ok(())
    }

    fn end_input(&mut self, input: u8, out: &mut dyn Collector) -> Result<Progress> {
        self.ended[usize::from(input != 0)] = true;
        if self.ended != [true, true] {
            return Ok(Progress::Done);
        }
        let mut probing = match self.probing.take() {
            Some(probing) => probing,
            None => {
                let (left, right) = (self.take(0)?, self.take(1)?);
                self.join.start(left, right)?
            }
        };
        if !self.join.step(&mut probing, self.batch_rows, out)? {
            return Ok(Progress::Done);
        }
        self.probing = Some(probing);
        Ok(Progress::More)
    }
}
