//! Compiled expressions as operators use them.

use crate::node::{Node, as_boolean, into_array};
use crate::scope::Scope;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::prep_null_mask_filter;
use headwater_types::Result;

/// A compiled expression.
pub struct Evaluator {
    node: Node,
}

impl Evaluator {
    pub(crate) fn new(node: Node) -> Self {
        Self { node }
    }

    /// One value per row of the batch.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        self.evaluate_rows(batch.columns(), batch.num_rows())
    }

    /// One value per row of `rows` rows in these columns.
    pub fn evaluate_rows(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let scope = Scope::batch(columns, rows, 0);
        into_array(self.node.eval(&scope)?, rows)
    }

    /// Which rows satisfy a boolean expression; unknown counts as false, so the result has no NULLs.
    pub fn evaluate_predicate(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        predicate(&self.node, &Scope::batch(batch.columns(), batch.num_rows(), 0))
    }
}

/// A filter and projections that were compiled together.
pub struct EvaluatorSet {
    condition: Option<Node>,
    projection: Vec<Node>,
    slots: usize,
}

/// The outcome of an [`EvaluatorSet`].
pub struct Evaluated {
    /// The rows that passed the filter; `None` when all did.
    pub mask: Option<BooleanArray>,
    /// Number of rows that passed.
    pub rows: usize,
    /// The projected columns over those rows; empty when no row passed.
    pub columns: Vec<ArrayRef>,
}

impl EvaluatorSet {
    pub(crate) fn new(condition: Option<Node>, projection: Vec<Node>, slots: usize) -> Self {
        Self { condition, projection, slots }
    }

    /// Filters the batch, then evaluates the projections over the rows that are left. Only columns that
    /// a projection reads are filtered.
    pub fn evaluate(&self, batch: &RecordBatch) -> Result<Evaluated> {
        let scope = Scope::batch(batch.columns(), batch.num_rows(), self.slots);
        let Some(condition) = &self.condition else { return self.project(&scope, None) };
        let mask = predicate(condition, &scope)?;
        match mask.true_count() {
            0 => Ok(Evaluated { mask: Some(mask), rows: 0, columns: vec![] }),
            hits if hits == batch.num_rows() => self.project(&scope, None),
            _ => {
                let selection = Scope::select(&scope, &mask);
                self.project(&selection, Some(mask.clone()))
            }
        }
    }

    fn project(&self, scope: &Scope<'_>, mask: Option<BooleanArray>) -> Result<Evaluated> {
        let column = |node: &Node| into_array(node.eval(scope)?, scope.rows());
        let columns = self.projection.iter().map(column).collect::<Result<_>>()?;
        Ok(Evaluated { mask, rows: scope.rows(), columns })
    }
}

fn predicate(node: &Node, scope: &Scope<'_>) -> Result<BooleanArray> {
    let array = into_array(node.eval(scope)?, scope.rows())?;
    let mask = as_boolean(&array, "a filter condition")?;
    Ok(if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() })
}
