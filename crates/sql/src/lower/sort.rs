//! ORDER BY and LIMIT.

use super::Lowering;
use super::calc::Output;
use super::physical::{Node, Parallelism};
use super::relation::Relation;
use datafusion_expr::logical_plan::{FetchType, SkipType};
use datafusion_expr::{Limit, Sort};
use headwater_plan::operators::{
    LimitSpec, RankEnd, RankFunction, RankSpec, RankStrategy, SortKey, SortLimitSpec, SortSpec, TemporalSortSpec,
};
use headwater_plan::{OperatorSpec, Partitioning};
use headwater_types::{Error, Result, TimeAttribute};

impl Lowering<'_> {
    pub(super) fn sort(&mut self, sort: &Sort) -> Result<Relation> {
        let fetch = sort.fetch.map(|n| n as u64);
        self.sort_with(sort, 0, fetch)
    }

    /// A LIMIT over a sort keeps only the first rows while sorting.
    pub(super) fn limit(&mut self, limit: &Limit) -> Result<Relation> {
        let (offset, fetch) = limit_bounds(limit)?;
        if let datafusion_expr::LogicalPlan::Sort(sort) = limit.input.as_ref() {
            let fetch = match (fetch, sort.fetch) {
                (Some(f), Some(s)) => Some(f.min((s as u64).saturating_sub(offset))),
                (fetch, sort) => fetch.or(sort.map(|s| (s as u64).saturating_sub(offset))),
            };
            return self.sort_with(sort, offset, fetch);
        }
        let input = self.plan(&limit.input)?;
        let input = self.flat(input)?;
        if self.emits_changes(&input) {
            return match fetch {
                Some(fetch) => Ok(self.first_rows(input, vec![], offset, fetch)),
                None => Err(Error::unsupported("OFFSET without LIMIT over an updating query is not supported")),
            };
        }
        let spec = OperatorSpec::Limit(LimitSpec { offset, fetch });
        Ok(self.global(input, spec, false))
    }

    fn sort_with(&mut self, sort: &Sort, offset: u64, fetch: Option<u64>) -> Result<Relation> {
        let input = self.plan(&sort.input)?;
        let input = self.flat(input)?;
        let visible = input.columns.len();
        let mut outputs = self.pass_through(&input);
        for (position, key) in sort.expr.iter().enumerate() {
            outputs.push((format!("$sort {position}"), Output::Expr(self.lower_expr(&input, &key.expr)?)));
        }
        let mut input = self.calc(input, None, outputs)?;
        let keys = sort.expr.iter().enumerate().map(|(position, key)| {
            let column = self.position_of(&input, &format!("$sort {position}"))?;
            Ok(SortKey { column, ascending: key.asc, nulls_first: key.nulls_first })
        });
        let order = keys.collect::<Result<Vec<_>>>()?;
        input.columns.truncate(visible);
        if let Some(fetch) = fetch
            && !self.final_only(&input)
            && (self.emits_changes(&input) || offset > 0)
        {
            return Ok(self.first_rows(input, order, offset, fetch));
        }
        let spec = self.sort_operator(&input, SortSpec { order, offset, fetch })?;
        let changes = matches!(spec, OperatorSpec::SortLimit(_));
        Ok(self.global(input, spec, changes))
    }

    /// The first rows of a changelog, or those behind an offset: a Top-N without partitions.
    fn first_rows(&mut self, input: Relation, order: Vec<SortKey>, offset: u64, fetch: u64) -> Relation {
        let spec = RankSpec {
            function: RankFunction::RowNumber,
            keys: vec![],
            order,
            start: offset.saturating_add(1),
            end: RankEnd::Constant(offset.saturating_add(fetch)),
            with_rank: false,
            strategy: RankStrategy::Retract,
            emits_update_before: true,
            state_ttl_ms: 0,
        };
        self.ranked(input, spec, None)
    }

    /// The operator of an order: by the end of input in batch mode and where nothing else is needed, by the
    /// watermark, or as a changelog of the first rows.
    fn sort_operator(&self, input: &Relation, sort: SortSpec) -> Result<OperatorSpec> {
        if self.emits_changes(input) {
            let message = "Sort on a non-time-attribute field is not supported: ORDER BY over an updating query needs a \
                           LIMIT in streaming mode; SET 'execution.runtime-mode' = 'batch' gives its final result";
            return Err(Error::unsupported(message));
        }
        if self.final_only(input) {
            return Ok(OperatorSpec::Sort(sort));
        }
        let by_rowtime = sort.order.first().filter(|k| k.ascending).map(|k| k.column);
        let by_rowtime = by_rowtime.filter(|c| self.types(input)[*c].time_attribute() == TimeAttribute::Rowtime);
        match (by_rowtime, sort.fetch) {
            (Some(rowtime), None) if sort.offset == 0 => {
                Ok(OperatorSpec::TemporalSort(TemporalSortSpec { rowtime, order: sort.order }))
            }
            (_, Some(fetch)) if sort.offset == 0 => {
                Ok(OperatorSpec::SortLimit(SortLimitSpec { order: sort.order, fetch }))
            }
            (_, None) if self.bounded(input) => Ok(OperatorSpec::Sort(sort)),
            (_, Some(_)) => Err(Error::internal("an ORDER BY with OFFSET was not made a Top-N")),
            _ => {
                let message = "Sort on a non-time-attribute field is not supported: ORDER BY over input that does \
                               not end needs an ascending rowtime column first, or a LIMIT";
                Err(Error::unsupported(message))
            }
        }
    }

    /// An operator that sees all rows in one subtask.
    fn global(&mut self, input: Relation, spec: OperatorSpec, changes: bool) -> Relation {
        let types = self.types(&input).to_vec();
        let names = self.names(&input).to_vec();
        let node = self.unary_node(&input, spec, types, names);
        let node = Node {
            inputs: vec![input.input(Partitioning::Global)],
            parallelism: Parallelism::Fixed(1),
            emits_changes: node.emits_changes || changes,
            ..node
        };
        Relation { producers: vec![self.physical.add(node)], ..input }
    }
}

fn limit_bounds(limit: &Limit) -> Result<(u64, Option<u64>)> {
    let bad = || Error::unsupported("LIMIT and OFFSET take literal numbers only");
    let skip = match limit.get_skip_type().map_err(|_| bad())? {
        SkipType::Literal(n) => n as u64,
        SkipType::UnsupportedExpr => return Err(bad()),
    };
    match limit.get_fetch_type().map_err(|_| bad())? {
        FetchType::Literal(n) => Ok((skip, n.map(|n| n as u64))),
        FetchType::UnsupportedExpr => Err(bad()),
    }
}
