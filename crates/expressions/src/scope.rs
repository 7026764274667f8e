//! The rows an expression is evaluated over: a batch, or a selection of another scope.
//!
//! A selection filters a column when it is first read, so evaluating a branch for few rows touches only the
//! columns of that branch. Results of shared sub-expressions are kept per scope.

use crate::arrow_error;
use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{FilterBuilder, FilterPredicate};
use headwater_functions::Operand;
use headwater_types::Result;
use std::cell::OnceCell;

pub(crate) struct Scope<'a> {
    source: Source<'a>,
    rows: usize,
    shared: Vec<OnceCell<Operand>>,
}

enum Source<'a> {
    Batch(&'a [ArrayRef]),
    Selection { parent: &'a Scope<'a>, predicate: FilterPredicate, columns: Vec<OnceCell<ArrayRef>> },
}

impl<'a> Scope<'a> {
    /// All rows of a batch, with room for `shared` shared results.
    pub(crate) fn batch(columns: &'a [ArrayRef], rows: usize, shared: usize) -> Self {
        Self { source: Source::Batch(columns), rows, shared: vec![OnceCell::new(); shared] }
    }

    /// The rows of `parent` where `mask` is true.
    pub(crate) fn select(parent: &'a Scope<'a>, mask: &BooleanArray) -> Self {
        let predicate = FilterBuilder::new(mask).optimize().build();
        let rows = predicate.count();
        let columns = vec![OnceCell::new(); parent.width()];
        let shared = vec![OnceCell::new(); parent.shared.len()];
        Self { source: Source::Selection { parent, predicate, columns }, rows, shared }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        match &self.source {
            Source::Batch(columns) => columns.len(),
            Source::Selection { columns, .. } => columns.len(),
        }
    }

    /// An input column. The position was checked when the expression was compiled.
    pub(crate) fn column(&self, index: usize) -> Result<ArrayRef> {
        match &self.source {
            Source::Batch(columns) => Ok(columns[index].clone()),
            Source::Selection { parent, predicate, columns } => {
                if let Some(column) = columns[index].get() {
                    return Ok(column.clone());
                }
                let column = predicate.filter(&parent.column(index)?).map_err(arrow_error)?;
                Ok(columns[index].get_or_init(|| column).clone())
            }
        }
    }

    /// The result of shared sub-expression `slot`, computed by `eval` unless this or an outer scope has it.
    pub(crate) fn shared(&self, slot: usize, eval: impl FnOnce(&Self) -> Result<Operand>) -> Result<Operand> {
        let result = match self.known(slot)? {
            Some(known) => known,
            None => eval(self)?,
        };
        Ok(self.shared[slot].get_or_init(|| result).clone())
    }

    fn known(&self, slot: usize) -> Result<Option<Operand>> {
        if let Some(result) = self.shared[slot].get() {
            return Ok(Some(result.clone()));
        }
        let Source::Selection { parent, predicate, .. } = &self.source else { return Ok(None) };
        Ok(match parent.known(slot)? {
            Some(Operand::Array(array)) => Some(Operand::Array(predicate.filter(&array).map_err(arrow_error)?)),
            scalar => scalar,
        })
    }
}
