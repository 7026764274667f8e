//! Flattening of a collection: one row per element.

use crate::arrow_error;
use crate::columns::{record_batch, schema_of, types_of};
use crate::kinds::with_kinds;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type, SchemaRef};
use headwater_data::ChangeBatch;
use headwater_expressions::{Evaluator, ExprContext, compile};
use headwater_operator_api::{Collector, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::UnnestSpec;
use headwater_types::{Error, Result, TypeRoot};

pub(crate) struct Unnest {
    collection: Evaluator,
    kind: Kind,
    left: bool,
    with_ordinality: bool,
    output: SchemaRef,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Array,
    Map,
    Multiset,
}

/// For every output row: its input row, its element (NULL for a padded row) and its position from 1.
#[derive(Default)]
struct Plan {
    rows: Vec<u32>,
    elements: Vec<Option<i64>>,
    ordinals: Vec<Option<i32>>,
}

impl Unnest {
    pub(crate) fn new(spec: &UnnestSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let kind = match spec.collection.ty().root {
            TypeRoot::Array(_) => Kind::Array,
            TypeRoot::Map(..) => Kind::Map,
            TypeRoot::Multiset(_) => Kind::Multiset,
            other => return Err(Error::internal(format!("UNNEST of a value of type {other}"))),
        };
        Ok(Self {
            collection: compile(&spec.collection, &types_of(&node.inputs[0]), context)?,
            kind,
            left: spec.left,
            with_ordinality: spec.with_ordinality,
            output: schema_of(&node.output),
        })
    }

    fn plan(&self, collection: &ArrayRef) -> Plan {
        let mut plan = Plan::default();
        let counts = (self.kind == Kind::Multiset).then(|| collection.as_map().values().as_primitive::<Int32Type>());
        let offsets = match collection.data_type() {
            DataType::Map(..) => collection.as_map().offsets(),
            _ => collection.as_list::<i32>().offsets(),
        };
        for row in 0..collection.len() {
            let range = if collection.is_null(row) { 0..0 } else { offsets[row]..offsets[row + 1] };
            let mut ordinal = 0;
            for element in range {
                let repeats = counts.map_or(1, |c| c.value(element as usize));
                for _ in 0..repeats {
                    ordinal += 1;
                    plan.push(row, Some(i64::from(element)), Some(ordinal));
                }
            }
            if ordinal == 0 && self.left {
                plan.push(row, None, None);
            }
        }
        plan
    }

    fn elements(&self, collection: &ArrayRef, plan: &Plan) -> Result<Vec<ArrayRef>> {
        let indices = Int64Array::from(plan.elements.clone());
        let pick = |array: &ArrayRef| take(array, &indices, None).map_err(arrow_error);
        match self.kind {
            Kind::Map => Ok(vec![pick(collection.as_map().keys())?, pick(collection.as_map().values())?]),
            Kind::Multiset => flatten(pick(collection.as_map().keys())?),
            Kind::Array => flatten(pick(collection.as_list::<i32>().values())?),
        }
    }
}

impl Plan {
    fn push(&mut self, row: usize, element: Option<i64>, ordinal: Option<i32>) {
        self.rows.push(row as u32);
        self.elements.push(element);
        self.ordinals.push(ordinal);
    }
}

/// A ROW element becomes its fields, NULL where the row is NULL.
fn flatten(elements: ArrayRef) -> Result<Vec<ArrayRef>> {
    let Some(row) = elements.as_struct_opt() else { return Ok(vec![elements]) };
    let Some(nulls) = row.nulls() else { return Ok(row.columns().to_vec()) };
    let mask = arrow::array::BooleanArray::new(!nulls.inner(), None);
    row.columns().iter().map(|c| arrow::compute::nullif(c, &mask).map_err(arrow_error)).collect()
}

impl Operator for Unnest {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let collection = self.collection.evaluate(batch.rows())?;
        let plan = self.plan(&collection);
        if plan.rows.is_empty() {
            return Ok(());
        }
        let elements = self.elements(&collection, &plan)?;
        let rows = UInt32Array::from(plan.rows);
        let repeated = batch.take(&rows).map_err(arrow_error)?;
        let (repeated, kinds) = repeated.into_parts();
        let mut columns = repeated.columns().to_vec();
        columns.extend(elements);
        if self.with_ordinality {
            columns.push(std::sync::Arc::new(Int32Array::from(plan.ordinals)));
        }
        let rows = record_batch(&self.output, columns, repeated.num_rows())?;
        out.emit(with_kinds(rows, kinds));
        Ok(())
    }
}
