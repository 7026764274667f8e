//! What conditions and measures read of runs, and their evaluation.
//!
//! Expressions are evaluated for many runs at once: a reference becomes a column with one value per run.

use super::runs::Run;
use crate::aggregate::Aggregates;
use crate::aggregate::factory::Rows;
use crate::arrow_error;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::take;
use headwater_expressions::{Evaluator, ExprContext, compile};
use headwater_plan::Expr;
use headwater_plan::operators::{MatchRecognizeSpec, RowPlace, RowReference};
use headwater_types::{LogicalType, Result};

/// Picks a row of a run by its number.
type PickRow<'a> = Box<dyn Fn(&Run) -> Option<u64> + 'a>;

/// The rows of a partition that are at hand.
pub(super) struct AtHand<'a> {
    pub(super) rows: &'a RecordBatch,
    /// Number of the first of them.
    pub(super) first: u64,
}

impl AtHand<'_> {
    fn position(&self, number: u64) -> Option<u64> {
        number.checked_sub(self.first).filter(|position| *position < self.rows.num_rows() as u64)
    }
}

/// An expression over references.
pub(super) struct Program {
    references: Vec<Reference>,
    evaluator: Evaluator,
}

struct Reference {
    spec: RowReference,
    /// Of an aggregate, over its argument columns.
    aggregates: Option<Aggregates>,
}

impl Program {
    /// Compiles an expression of a pattern over rows of these types.
    pub(super) fn new(
        expr: &Expr,
        spec: &MatchRecognizeSpec,
        input: &[LogicalType],
        context: &ExprContext,
    ) -> Result<Self> {
        let mut used = vec![];
        let mut expr = expr.clone();
        renumber(&mut expr, &mut used);
        let references = used.iter().map(|at| Reference::new(&spec.references[*at], input)).collect::<Result<_>>()?;
        let types: Vec<LogicalType> = used.iter().map(|at| type_of(&spec.references[*at], input)).collect();
        Ok(Self { references, evaluator: compile(&expr, &types, context)? })
    }

    /// Whether only the row itself is read when a variable is asked for a row.
    pub(super) fn is_local(&self, variable: usize) -> bool {
        self.references.iter().all(|reference| {
            let own = reference.spec.variable.is_none_or(|other| other == variable);
            own && matches!(reference.spec.place, RowPlace::Last { offset: 0, .. })
        })
    }

    /// The value for each row, of a program that is local.
    pub(super) fn by_row(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let column = |reference: &Reference| match reference.spec.place {
            RowPlace::Last { column, .. } => Some(rows.column(column).clone()),
            _ => None,
        };
        let columns: Vec<ArrayRef> = self.references.iter().filter_map(column).collect();
        self.evaluator.evaluate_rows(&columns, rows.num_rows())
    }

    /// The value for each run.
    pub(super) fn by_run(&self, runs: &[Run], at_hand: &AtHand<'_>) -> Result<ArrayRef> {
        let columns = self.references.iter().map(|reference| reference.column(runs, at_hand));
        self.evaluator.evaluate_rows(&columns.collect::<Result<Vec<_>>>()?, runs.len())
    }
}

/// The rows where a condition is true.
pub(super) fn truths(values: &ArrayRef) -> Vec<bool> {
    let values = values.as_boolean();
    (0..values.len()).map(|row| values.is_valid(row) && values.value(row)).collect()
}

impl Reference {
    fn new(spec: &RowReference, input: &[LogicalType]) -> Result<Self> {
        let aggregates = match &spec.place {
            RowPlace::Aggregate(call) => Some(Aggregates::new(std::slice::from_ref(call), input, false)?),
            _ => None,
        };
        Ok(Self { spec: spec.clone(), aggregates })
    }

    fn column(&self, runs: &[Run], at_hand: &AtHand<'_>) -> Result<ArrayRef> {
        let variable = self.spec.variable;
        let (column, pick): (usize, PickRow<'_>) = match &self.spec.place {
            RowPlace::Aggregate(_) => return self.aggregate(runs, at_hand),
            RowPlace::Last { offset, column } => (*column, Box::new(move |run| last(run, variable, *offset))),
            RowPlace::First { offset, column } => (*column, Box::new(move |run| first(run, variable, *offset))),
            RowPlace::Previous { offset, column } => {
                (*column, Box::new(move |run| last(run, variable, 0)?.checked_sub(*offset)))
            }
        };
        let positions = runs.iter().map(|run| pick(run).and_then(|number| at_hand.position(number)));
        let positions: UInt64Array = positions.collect();
        take(at_hand.rows.column(column), &positions, None).map_err(arrow_error)
    }

    fn aggregate(&self, runs: &[Run], at_hand: &AtHand<'_>) -> Result<ArrayRef> {
        let aggregates = self.aggregates.as_ref().expect("an aggregate has its call");
        let (mut positions, mut groups) = (vec![], vec![]);
        for (group, run) in runs.iter().enumerate() {
            for position in run.rows(self.spec.variable).filter_map(|number| at_hand.position(number)) {
                positions.push(position as u32);
                groups.push(group as u32);
            }
        }
        let positions = UInt32Array::from(positions);
        let pick = |column: &ArrayRef| take(column, &positions, None).map_err(arrow_error);
        let columns = at_hand.rows.columns().iter().map(pick).collect::<Result<Vec<_>>>()?;
        let mut accumulators = aggregates.accumulators()?;
        accumulators.iter_mut().for_each(|accumulator| accumulator.grow(runs.len()));
        let rows = Rows { columns: &columns, range: 0..groups.len(), signs: None, sequence: 0 };
        aggregates.update(&mut accumulators, &groups, &rows)?;
        let all: Vec<u32> = (0..runs.len() as u32).collect();
        accumulators[0].evaluate(&all)
    }
}

/// Number of the row so many before the last one of a variable.
fn last(run: &Run, variable: Option<usize>, offset: u64) -> Option<u64> {
    let rows = run.rows(variable);
    rows.end.checked_sub(offset.checked_add(1)?).filter(|number| rows.contains(number))
}

/// Number of the row so many behind the first one of a variable.
fn first(run: &Run, variable: Option<usize>, offset: u64) -> Option<u64> {
    let rows = run.rows(variable);
    rows.start.checked_add(offset).filter(|number| rows.contains(number))
}

fn type_of(reference: &RowReference, input: &[LogicalType]) -> LogicalType {
    match &reference.place {
        RowPlace::Last { column, .. } | RowPlace::First { column, .. } | RowPlace::Previous { column, .. } => {
            input[*column].clone().with_nullable(true)
        }
        RowPlace::Aggregate(call) => call.ty.clone(),
    }
}

/// Numbers the references of an expression from zero; `used` tells which they are.
fn renumber(expr: &mut Expr, used: &mut Vec<usize>) {
    if let Expr::Column { index, .. } = expr {
        let known = used.iter().position(|other| other == index);
        let position = known.unwrap_or_else(|| {
            used.push(*index);
            used.len() - 1
        });
        *index = position;
        return;
    }
    expr.children_mut().into_iter().for_each(|child| renumber(child, used));
}
