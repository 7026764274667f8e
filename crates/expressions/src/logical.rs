//! AND and OR, lazily from left to right.

use crate::arrow_error;
use crate::node::{Node, as_boolean, into_array};
use crate::scope::Scope;
use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{and_kleene, or_kleene};
use headwater_functions::Operand;
use headwater_types::Result;
use std::sync::Arc;

/// A conjunction or disjunction of at least one operand.
pub(crate) struct LogicalNode {
    pub(crate) conjunction: bool,
    pub(crate) operands: Vec<Node>,
}

impl LogicalNode {
    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Operand> {
        let mut result: Option<BooleanArray> = None;
        for operand in &self.operands {
            let value = match &result {
                None => self.first(operand, scope)?,
                Some(known) => match self.next(known, operand, scope)? {
                    Some(value) => value,
                    None => break,
                },
            };
            result = Some(match result {
                None => value,
                Some(known) => self.combine(&known, &value)?,
            });
        }
        let result = result.unwrap_or_else(|| BooleanArray::from(vec![self.conjunction; scope.rows()]));
        Ok(Operand::Array(Arc::new(result)))
    }

    fn combine(&self, left: &BooleanArray, right: &BooleanArray) -> Result<BooleanArray> {
        let combined = if self.conjunction { and_kleene(left, right) } else { or_kleene(left, right) };
        combined.map_err(arrow_error)
    }

    fn first(&self, operand: &Node, scope: &Scope<'_>) -> Result<BooleanArray> {
        let array = into_array(operand.eval(scope)?, scope.rows())?;
        as_boolean(&array, "an operand of AND or OR").cloned()
    }

    /// The value of a further operand; `None` when every row is decided. Rows that are decided may hold
    /// anything in the result.
    fn next(&self, known: &BooleanArray, operand: &Node, scope: &Scope<'_>) -> Result<Option<BooleanArray>> {
        let undecided = self.undecided(known);
        let open = undecided.count_set_bits();
        if open == 0 {
            return Ok(None);
        }
        if open == scope.rows() || operand.is_total() {
            return self.first(operand, scope).map(Some);
        }
        let mask = BooleanArray::new(undecided, None);
        let selection = Scope::select(scope, &mask);
        let array = into_array(operand.eval(&selection)?, selection.rows())?;
        Ok(Some(scatter(as_boolean(&array, "an operand of AND or OR")?, mask.values())))
    }

    /// The rows whose result a further operand can still change: not FALSE for AND, not TRUE for OR.
    fn undecided(&self, known: &BooleanArray) -> BooleanBuffer {
        let open = if self.conjunction { known.values().clone() } else { !known.values() };
        match known.nulls() {
            Some(nulls) => &open | &!nulls.inner(),
            None => open,
        }
    }
}

/// Spreads `values` over the set positions of `positions`; the others are FALSE.
fn scatter(values: &BooleanArray, positions: &BooleanBuffer) -> BooleanArray {
    let mut spread = BooleanBufferBuilder::new(positions.len());
    spread.append_n(positions.len(), false);
    let mut valid = values.nulls().map(|_| {
        let mut builder = BooleanBufferBuilder::new(positions.len());
        builder.append_n(positions.len(), true);
        builder
    });
    for (from, to) in positions.set_indices().enumerate() {
        spread.set_bit(to, values.value(from));
        if let Some(valid) = &mut valid {
            valid.set_bit(to, values.is_valid(from));
        }
    }
    BooleanArray::new(spread.finish(), valid.map(|mut v| NullBuffer::new(v.finish())))
}

/// The negation of a boolean operand.
pub(crate) fn not(operand: Operand) -> Result<Operand> {
    let negate = |array: &ArrayRef| -> Result<ArrayRef> {
        Ok(Arc::new(arrow::compute::not(as_boolean(array, "the operand of NOT")?).map_err(arrow_error)?))
    };
    Ok(match &operand {
        Operand::Array(array) => Operand::Array(negate(array)?),
        Operand::Scalar(array) => Operand::Scalar(negate(array)?),
    })
}
