//! The calls of an OVER operator: their accumulators, and running scripts through them.

use super::frame::Script;
use super::functions::{Ranking, Shift};
use super::partition::is_partition_function;
use crate::aggregate::factory::filter_signs;
use crate::aggregate::{Accumulator, Aggregates, Input, encoded_column};
use crate::arrow_error;
use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take;
use headwater_data::arrow_type;
use headwater_plan::operators::{AggregateCall, OverAggregateSpec, OverFrame};
use headwater_types::{LogicalType, Result};

/// The calls of an operator.
pub(super) struct OverCalls {
    calls: Vec<Call>,
}

struct Call {
    spec: AggregateCall,
    /// Columns that its accumulator reads.
    args: Vec<usize>,
    make: Make,
}

enum Make {
    Aggregate(Aggregates),
    /// ROW_NUMBER, RANK, DENSE_RANK.
    Ranking(Ranking),
    /// LAG.
    Shift(Shift),
    /// Needs the whole partition: computed elsewhere.
    Partition,
}

impl OverCalls {
    pub(super) fn new(spec: &OverAggregateSpec, input: &[LogicalType]) -> Result<Self> {
        let bounded = matches!(spec.frame, OverFrame::Rows(_) | OverFrame::Range(_));
        let order: Vec<usize> = spec.order.iter().map(|key| key.column).collect();
        let prepare = |call: &AggregateCall| {
            let (args, make) = match call.function.as_str() {
                "ROW_NUMBER" | "RANK" | "DENSE_RANK" => {
                    let types: Vec<_> = order.iter().map(|column| arrow_type(&input[*column])).collect();
                    (order.clone(), Make::Ranking(Ranking::new(&call.function, &types)?))
                }
                "LAG" => (call.args.clone(), Make::Shift(Shift::new(call, input)?)),
                function if is_partition_function(function) => (vec![], Make::Partition),
                _ => {
                    let aggregate = Aggregates::new(std::slice::from_ref(call), input, bounded)?;
                    (call.args.clone(), Make::Aggregate(aggregate))
                }
            };
            Ok(Call { spec: call.clone(), args, make })
        };
        Ok(Self { calls: spec.calls.iter().map(prepare).collect::<Result<_>>()? })
    }

    /// Names of the calls with an accumulator.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let stateful = self.calls.iter().filter(|call| !matches!(call.make, Make::Partition));
        stateful.map(|call| call.spec.function.as_str())
    }

    /// Empty accumulators for some groups.
    pub(super) fn accumulators(&self, groups: usize) -> Result<Vec<Box<dyn Accumulator>>> {
        let mut accumulators: Vec<Box<dyn Accumulator>> = vec![];
        for call in &self.calls {
            let mut accumulator: Box<dyn Accumulator> = match &call.make {
                Make::Aggregate(aggregate) => aggregate.accumulators()?.remove(0),
                Make::Ranking(ranking) => Box::new(ranking.empty()),
                Make::Shift(shift) => Box::new(shift.empty()),
                Make::Partition => continue,
            };
            accumulator.grow(groups);
            accumulators.push(accumulator);
        }
        Ok(accumulators)
    }

    /// Runs a script over rows; the answer holds for every call one result per output of the script, or nothing
    /// for calls that need the whole partition. `sequence` is the arrival number of the first step.
    pub(super) fn run(
        &self,
        accumulators: &mut [Box<dyn Accumulator>],
        script: &Script,
        rows: &RecordBatch,
        sequence: u64,
    ) -> Result<Vec<Option<ArrayRef>>> {
        let indices = UInt32Array::from(script.rows.clone());
        let pick = |column: &usize| take(rows.column(*column), &indices, None).map_err(arrow_error);
        let signs = script.signs.contains(&-1).then_some(script.signs.as_slice());
        let (own, complete) = (UInt32Array::from(script.own.clone()), UInt32Array::from(script.complete.clone()));
        let mut results = Vec::with_capacity(self.calls.len());
        let mut next = accumulators.iter_mut();
        for call in &self.calls {
            let stateful = !matches!(call.make, Make::Partition);
            let Some(accumulator) = stateful.then(|| next.next()).flatten() else {
                results.push(None);
                continue;
            };
            let args = call.args.iter().map(pick).collect::<Result<Vec<_>>>()?;
            let filter = call.spec.filter.as_ref().map(|filter| filter_signs(&pick(filter)?, signs)).transpose()?;
            let input = Input { args: &args, signs: filter.as_deref().or(signs), sequence };
            let steps = accumulator.scan(&script.groups, &input, None)?;
            let at = if matches!(call.make, Make::Aggregate(_)) { &complete } else { &own };
            results.push(Some(take(&steps, at, None).map_err(arrow_error)?));
        }
        Ok(results)
    }
}

/// The state of some groups: one BINARY column per accumulator.
pub(super) fn encode(accumulators: &[Box<dyn Accumulator>], groups: usize) -> Vec<ArrayRef> {
    accumulators.iter().map(|accumulator| encoded_column(accumulator.as_ref(), 0..groups as u32)).collect()
}

/// Takes over encoded state: row `i` of the columns belongs to `groups[i]`.
pub(super) fn load(accumulators: &mut [Box<dyn Accumulator>], groups: &[u32], columns: &[ArrayRef]) -> Result<()> {
    for (accumulator, column) in accumulators.iter_mut().zip(columns) {
        let column = column.as_binary::<i32>();
        for (row, group) in groups.iter().enumerate() {
            accumulator.load(*group, column.value(row))?;
        }
    }
    Ok(())
}
