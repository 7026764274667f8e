//! OVER aggregates, and ranks that nothing bounds.

#[cfg(test)]
mod tests;

use super::physical::Node;
use super::relation::{Relation, Slot};
use super::text::{calls_text, list, sort_text};
use super::{Lowering, keyed};
use crate::logical::{self, Over, OverCall, Rank, RankOrder};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{AggregateCall, OverAggregateSpec, OverFrame, OverTime, RankFunction, SortKey};
use headwater_types::{Error, LogicalType, Result, TimeAttribute};

/// Functions that need all rows of a partition at once.
const BATCH_FUNCTIONS: &[&str] = &["LEAD", "NTILE", "CUME_DIST", "PERCENT_RANK"];

impl Lowering<'_> {
    pub(super) fn over(&mut self, over: &Over) -> Result<Relation> {
        let input = self.plan(&over.input)?;
        let input = self.flat(input)?;
        let keys = over.partition_by.iter().map(|c| self.position_of(&input, c)).collect::<Result<Vec<_>>>()?;
        let order = self.over_order(&input, &over.order_by)?;
        let final_only = self.final_only(&input);
        let time = match final_only {
            true => self.batch_time(&input, &order),
            false => self.over_time(&input, &order, over.frame)?,
        };
        if let (Some(call), false) = (over.calls.iter().find(|c| BATCH_FUNCTIONS.contains(&&*c.function)), final_only) {
            return Err(Error::unsupported(format!("{} Function is not supported in stream mode.", call.function)));
        }
        let calls = over.calls.iter().map(|c| self.over_call(&input, c)).collect::<Result<Vec<_>>>()?;
        let spec = OverAggregateSpec {
            keys,
            order,
            time,
            frame: over.frame,
            calls,
            final_only,
            emits_update_before: true,
            state_ttl_ms: 0,
        };
        let outputs: Vec<_> = over.calls.iter().map(|c| c.output.as_str()).collect();
        Ok(self.over_node(input, spec, &outputs))
    }

    /// ROW_NUMBER and its like without a bound on the rank: as a call over the rows up to each row.
    pub(super) fn rank_over(&mut self, rank: &Rank) -> Result<Relation> {
        let (function, frame) = match rank.function {
            RankFunction::RowNumber => ("ROW_NUMBER", OverFrame::RowsUnbounded),
            RankFunction::Rank => ("RANK", OverFrame::RangeUnbounded),
            RankFunction::DenseRank => ("DENSE_RANK", OverFrame::RangeUnbounded),
        };
        let calls = vec![OverCall {
            function: function.to_owned(),
            args: vec![],
            distinct: false,
            filter: None,
            parameters: vec![],
            ty: Rank::output_type(),
            output: rank.output.clone(),
        }];
        self.over(&Over {
            input: rank.input.clone(),
            partition_by: rank.partition_by.clone(),
            order_by: rank.order_by.clone(),
            frame,
            calls,
            schema: rank.schema.clone(),
        })
    }

    fn over_order(&self, input: &Relation, order: &[RankOrder]) -> Result<Vec<SortKey>> {
        let key = |order: &RankOrder| {
            let column = self.position_of(input, &order.column)?;
            Ok(SortKey { column, ascending: order.ascending, nulls_first: order.nulls_first })
        };
        order.iter().map(key).collect()
    }

    /// What orders the rows of input that ends: there, every timestamp is as good as a time attribute.
    fn batch_time(&self, input: &Relation, order: &[SortKey]) -> OverTime {
        let first = order.first().filter(|k| self.types(input)[k.column].is_timestamp());
        first.map_or(OverTime::Column, |key| OverTime::Rowtime(key.column))
    }

    /// What orders the rows of a stream.
    fn over_time(&self, input: &Relation, order: &[SortKey], frame: OverFrame) -> Result<OverTime> {
        let Some(first) = order.first() else {
            return Err(Error::unsupported("OVER without ORDER BY is not supported in stream mode"));
        };
        let time = match self.types(input)[first.column].time_attribute() {
            TimeAttribute::Rowtime => OverTime::Rowtime(first.column),
            TimeAttribute::Proctime => OverTime::Proctime,
            TimeAttribute::None => OverTime::Column,
        };
        if time == OverTime::Column {
            return match frame {
                OverFrame::RowsUnbounded | OverFrame::RangeUnbounded => Ok(time),
                OverFrame::Rows(_) | OverFrame::Range(_) => Err(Error::unsupported(
                    "OVER windows' ordering in stream mode must be defined on a time attribute where the frame is \
                     bounded: ORDER BY a rowtime or processing-time column, or use UNBOUNDED PRECEDING",
                )),
            };
        }
        if order.len() > 1 {
            let message = "The window can only be ordered by a single time column.";
            return Err(Error::user("bad-window", message));
        }
        if !first.ascending {
            return Err(Error::user("bad-window", "The window can only be ordered in ASCENDING mode."));
        }
        if self.emits_changes(input) {
            let producer = self.physical.node(input.producers[0]).spec_name();
            let message = format!(
                "OverAggregate doesn't support consuming update and delete changes which is produced by node {producer}"
            );
            return Err(Error::unsupported(message));
        }
        Ok(time)
    }

    fn over_call(&self, input: &Relation, call: &OverCall) -> Result<AggregateCall> {
        Ok(AggregateCall {
            function: call.function.clone(),
            args: call.args.iter().map(|a| self.position_of(input, a)).collect::<Result<_>>()?,
            distinct: call.distinct,
            filter: call.filter.as_ref().map(|f| self.position_of(input, f)).transpose()?,
            parameters: call.parameters.clone(),
            ty: call.ty.clone(),
        })
    }

    /// The operator; its calls are the columns `outputs`.
    fn over_node(&mut self, input: Relation, spec: OverAggregateSpec, outputs: &[&str]) -> Relation {
        let width = self.types(&input).len();
        let added: Vec<LogicalType> = spec.calls.iter().map(|c| c.ty.clone()).collect();
        let types = [self.types(&input), &added].concat();
        let added: Vec<String> = outputs.iter().map(|o| logical::display_name(o).to_owned()).collect();
        let names = super::join::text::side_by_side(self.names(&input), &added);
        let updates = !spec.final_only && spec.time == OverTime::Column;
        let (partitioning, parallelism) = keyed(&spec.keys);
        let node = self.unary_node(&input, OperatorSpec::OverAggregate(spec), types, names);
        let node = Node { inputs: vec![input.input(partitioning)], emits_changes: updates, parallelism, ..node };
        let mut columns = input.columns.clone();
        columns.extend(outputs.iter().enumerate().map(|(i, name)| ((*name).to_owned(), Slot::Physical(width + i))));
        Relation { producers: vec![self.physical.add(node)], columns, window: input.window }
    }
}

/// The operator as text, over inputs with these column names.
pub(super) fn describe(spec: &OverAggregateSpec, names: &[String]) -> String {
    let keys =
        if spec.keys.is_empty() { String::new() } else { format!("partitionBy=[{}], ", list(&spec.keys, names)) };
    let frame = match spec.frame {
        OverFrame::RowsUnbounded => "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
        OverFrame::Rows(n) => format!("ROWS BETWEEN {n} PRECEDING AND CURRENT ROW"),
        OverFrame::RangeUnbounded => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
        OverFrame::Range(ms) => format!("RANGE BETWEEN {ms} PRECEDING AND CURRENT ROW"),
    };
    let order = sort_text(&spec.order, names);
    format!("{keys}orderBy=[{order}], window=[{frame}], select=[{}]", calls_text(&spec.calls, names))
}
