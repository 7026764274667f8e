//! Filters, and ranks with the filter above them that bounds them: Top-N and deduplication, per window or for ever.

use super::calc::{Output, plain_column};
use super::hints::state_ttl_hint;
use super::physical::Node;
use super::relation::{Relation, Slot, Window, WindowState};
use super::window::wants_event_time;
use super::{Lowering, keyed};
use crate::logical::Rank;
use datafusion_common::ScalarValue;
use datafusion_expr::logical_plan::Filter;
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{BinaryExpr, Expr as DfExpr, LogicalPlan, Operator};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{
    DeduplicateSpec, RankEnd, RankFunction, RankSpec, RankStrategy, SortKey, WindowProperty, WindowRankSpec,
};
use headwater_types::config::Key;
use headwater_types::{Error, Result, TimeAttribute};

/// Whether the first row of a key that is kept must be told from an update.
const INSERT_SENSITIVE: Key =
    Key { name: "table.exec.deduplicate.insert-update-after-sensitive-enabled", default: "true" };

impl Lowering<'_> {
    pub(super) fn filter(&mut self, filter: &Filter) -> Result<Relation> {
        if let LogicalPlan::Extension(extension) = filter.input.as_ref()
            && let Some(rank) = extension.node.as_any().downcast_ref::<Rank>()
        {
            return self.rank(rank, &filter.predicate);
        }
        let input = self.plan(&filter.input)?;
        self.filter_rows(input, &filter.predicate)
    }

    fn rank(&mut self, rank: &Rank, predicate: &DfExpr) -> Result<Relation> {
        let (bounds, rest) = rank_bounds(predicate, &rank.output);
        let input = self.plan(&rank.input)?;
        let input = self.flat(input)?;
        let output = match (bounds.end, self.rank_window(&input, rank)) {
            (Some(end), Some((window, keys))) => self.window_top_n(input, rank, (bounds.start, end), &window, &keys)?,
            (Some(end), None) if self.has_top_n(&input, rank) => {
                self.top_n(input, rank, bounds.start, RankEnd::Constant(end))?
            }
            _ => return self.unbounded_rank(rank, input, bounds, predicate),
        };
        self.filtered(output, rest)
    }

    /// A rank without a constant upper bound: bounded by a column, or computed for every row and filtered.
    fn unbounded_rank(&mut self, rank: &Rank, input: Relation, bounds: Bounds, predicate: &DfExpr) -> Result<Relation> {
        let conjuncts = split_conjunction(predicate);
        let end = conjuncts.iter().enumerate().find_map(|(i, c)| Some((i, column_bound(c, rank)?)));
        match end {
            Some((bound, end)) if self.has_top_n(&input, rank) && bounds.end.is_none() => {
                let (input, column) = self.with_rank_end(input, end)?;
                let output = self.top_n(input, rank, bounds.start, RankEnd::Column(column))?;
                let rest = conjuncts.into_iter().enumerate().filter(|(i, _)| *i != bound).map(|(_, c)| c);
                self.filtered(output, rest.collect())
            }
            _ => {
                let all = self.rank_over(rank)?;
                self.filter_rows(all, predicate)
            }
        }
    }

    /// Whether there is an operator that keeps the first rows only: for rows that are numbered while they arrive. Ties
    /// that share a rank, and input that ends, are ranked as a whole.
    fn has_top_n(&self, input: &Relation, rank: &Rank) -> bool {
        rank.function == RankFunction::RowNumber && !self.final_only(input)
    }

    /// The input with the column that bounds the rank, computed if it is not there.
    fn with_rank_end(&mut self, input: Relation, end: &DfExpr) -> Result<(Relation, usize)> {
        if let Some(name) = plain_column(end) {
            let column = self.position_of(&input, name)?;
            return Ok((input, column));
        }
        let visible = input.columns.len();
        let mut outputs = self.pass_through(&input);
        outputs.push(("$rank end".to_owned(), Output::Expr(self.lower_expr(&input, end)?)));
        let mut output = self.calc(input, None, outputs)?;
        let column = self.position_of(&output, "$rank end")?;
        output.columns.truncate(visible);
        Ok((output, column))
    }

    fn filtered(&mut self, relation: Relation, conditions: Vec<&DfExpr>) -> Result<Relation> {
        match conjunction(conditions.into_iter().cloned()) {
            Some(rest) => self.filter_rows(relation, &rest),
            None => Ok(relation),
        }
    }

    /// The window of a rank that is partitioned by window start and end, with the other partition columns.
    fn rank_window(&self, input: &Relation, rank: &Rank) -> Option<(Window, Vec<String>)> {
        let properties: Vec<_> = rank.partition_by.iter().map(|c| input.window_property(c)).collect();
        let has = |property| properties.contains(&Some(property));
        if !has(WindowProperty::Start) || !has(WindowProperty::End) {
            return None;
        }
        let others = rank.partition_by.iter().zip(&properties).filter(|(_, p)| p.is_none());
        Some((input.window.clone()?, others.map(|(c, _)| c.clone()).collect()))
    }

    fn window_top_n(
        &mut self,
        input: Relation,
        rank: &Rank,
        (start, end): (u64, u64),
        window: &Window,
        keys: &[String],
    ) -> Result<Relation> {
        let WindowState::Attached { start: Some(window_start), end: Some(window_end) } = window.state else {
            return Err(Error::internal("a window column was lost below a rank"));
        };
        wants_event_time(window, "a Top-N")?;
        let spec = WindowRankSpec {
            function: rank.function,
            keys: keys.iter().map(|c| self.position_of(&input, c)).collect::<Result<_>>()?,
            order: self.sort_keys(&input, rank)?,
            start: start.max(1),
            end,
            with_rank: true,
            window: (window_start, window_end),
            zone: window.spec.zone.clone(),
            proctime: window.proctime,
        };
        Ok(self.window_rank(input, spec, &rank.output))
    }

    /// Deduplication where one row is kept in the order of time, else a Top-N.
    fn top_n(&mut self, input: Relation, rank: &Rank, start: u64, end: RankEnd) -> Result<Relation> {
        let start = start.max(1);
        if let RankEnd::Constant(end) = end
            && end < start
        {
            let message =
                format!("Rank end can't smaller than rank start. The rank start is {start} rank end is {end}");
            return Err(Error::user("bad-rank", message));
        }
        let keys = rank.partition_by.iter().map(|c| self.position_of(&input, c)).collect::<Result<Vec<_>>>()?;
        let order = self.sort_keys(&input, rank)?;
        let one_row = rank.function == RankFunction::RowNumber && end == RankEnd::Constant(start);
        if one_row && start == 1 && !self.emits_changes(&input) && self.is_time_order(&input, &order) {
            let deduplicated = self.deduplicate(&input, keys, &order[0])?;
            return self.with_constant_rank(deduplicated, rank, start);
        }
        let spec = RankSpec {
            function: rank.function,
            keys,
            order,
            start,
            end,
            with_rank: !one_row,
            strategy: RankStrategy::Retract,
            emits_update_before: true,
            state_ttl_ms: state_ttl_hint(&rank.input).unwrap_or(0),
        };
        if one_row {
            let ranked = self.ranked(input, spec, None);
            return self.with_constant_rank(ranked, rank, start);
        }
        Ok(self.ranked(input, spec, Some(&rank.output)))
    }

    fn is_time_order(&self, input: &Relation, order: &[SortKey]) -> bool {
        matches!(order, [key] if self.types(input)[key.column].time_attribute() != TimeAttribute::None)
    }

    fn deduplicate(&mut self, input: &Relation, keys: Vec<usize>, order: &SortKey) -> Result<Relation> {
        let rowtime = self.types(input)[order.column].time_attribute() == TimeAttribute::Rowtime;
        let keep_last = !order.ascending;
        let sensitive = self.context.config.boolean(INSERT_SENSITIVE)?;
        let (partitioning, parallelism) = keyed(&keys);
        let spec = DeduplicateSpec {
            keys,
            rowtime: rowtime.then_some(order.column),
            keep_last,
            emits_update_before: true,
            emits_insert: sensitive,
            mini_batch: self.mini_batch()?,
            state_ttl_ms: 0,
        };
        let types = self.types(input).to_vec();
        let names = self.names(input).to_vec();
        let node = self.unary_node(input, OperatorSpec::Deduplicate(spec), types, names);
        let inputs = vec![input.input(partitioning)];
        let node = Node { inputs, parallelism, emits_changes: rowtime || keep_last, ..node };
        Ok(Relation { producers: vec![self.physical.add(node)], columns: input.columns.clone(), window: None })
    }

    /// Adds a Top-N operator; its rank is a column if it has a name.
    pub(super) fn ranked(&mut self, input: Relation, spec: RankSpec, rank_name: Option<&str>) -> Relation {
        let mut types = self.types(&input).to_vec();
        let mut names = self.names(&input).to_vec();
        let mut columns = input.columns.clone();
        if let Some(rank) = rank_name {
            columns.push((rank.to_owned(), Slot::Physical(types.len())));
            names.push(crate::logical::display_name(rank).to_owned());
            types.push(Rank::output_type());
        }
        let (partitioning, parallelism) = keyed(&spec.keys);
        let node = self.unary_node(&input, OperatorSpec::Rank(spec), types, names);
        let node = Node { inputs: vec![input.input(partitioning)], parallelism, emits_changes: true, ..node };
        Relation { producers: vec![self.physical.add(node)], columns, window: None }
    }

    /// The rows with a rank that is always the same.
    fn with_constant_rank(&mut self, relation: Relation, rank: &Rank, value: u64) -> Result<Relation> {
        let mut outputs = self.pass_through(&relation);
        let value = headwater_plan::Value::Int(i64::try_from(value).unwrap_or(i64::MAX));
        let literal = headwater_plan::Expr::Literal { value, ty: Rank::output_type() };
        outputs.push((rank.output.clone(), Output::Expr(literal)));
        self.calc(relation, None, outputs)
    }

    fn window_rank(&mut self, input: Relation, spec: WindowRankSpec, rank_name: &str) -> Relation {
        let mut types = self.types(&input).to_vec();
        let width = types.len();
        types.push(Rank::output_type());
        let mut names = self.names(&input).to_vec();
        names.push(crate::logical::display_name(rank_name).to_owned());
        let (partitioning, parallelism) = keyed(&spec.keys);
        let node = Node {
            spec: OperatorSpec::WindowRank(spec),
            inputs: vec![input.input(partitioning)],
            types,
            names,
            bounded: self.bounded(&input),
            emits_changes: false,
            parallelism,
        };
        let mut columns = input.columns.clone();
        columns.push((rank_name.to_owned(), Slot::Physical(width)));
        Relation { producers: vec![self.physical.add(node)], columns, window: input.window }
    }

    fn sort_keys(&self, input: &Relation, rank: &Rank) -> Result<Vec<SortKey>> {
        let key = |order: &crate::logical::RankOrder| {
            let column = self.position_of(input, &order.column)?;
            Ok(SortKey { column, ascending: order.ascending, nulls_first: order.nulls_first })
        };
        rank.order_by.iter().map(key).collect()
    }
}

/// Bounds of a rank, both inclusive.
#[derive(Debug, PartialEq, Eq)]
struct Bounds {
    start: u64,
    end: Option<u64>,
}

/// Splits a predicate into the bounds it puts on the rank column and the rest.
fn rank_bounds<'e>(predicate: &'e DfExpr, rank: &str) -> (Bounds, Vec<&'e DfExpr>) {
    let mut bounds = Bounds { start: 1, end: None };
    let mut rest = vec![];
    for conjunct in split_conjunction(predicate) {
        match rank_comparison(conjunct, rank) {
            Some((Operator::LtEq, n)) => bounds.limit(n),
            Some((Operator::Lt, n)) => bounds.limit(n.saturating_sub(1)),
            Some((Operator::GtEq, n)) => bounds.start = bounds.start.max(n.max(1) as u64),
            Some((Operator::Gt, n)) => bounds.start = bounds.start.max(n.saturating_add(1).max(1) as u64),
            Some((Operator::Eq, n)) => {
                bounds.limit(n);
                bounds.start = bounds.start.max(n.max(1) as u64);
            }
            _ => rest.push(conjunct),
        }
    }
    (bounds, rest)
}

impl Bounds {
    fn limit(&mut self, n: i64) {
        let n = n.max(0) as u64;
        self.end = Some(self.end.map_or(n, |e| e.min(n)));
    }
}

/// What bounds a rank from above, if it is a column, possibly cast: `rank <= column` or its mirror image.
fn column_bound<'e>(expr: &'e DfExpr, rank: &Rank) -> Option<&'e DfExpr> {
    let DfExpr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return None };
    let is_rank = |side: &DfExpr| plain_column(side) == Some(&rank.output);
    let end = match op {
        Operator::LtEq if is_rank(left) => right,
        Operator::GtEq if is_rank(right) => left,
        _ => return None,
    };
    let mut columns = super::calc::columns_of(end);
    (columns.next().is_some_and(|c| c != rank.output) && columns.next().is_none()).then_some(end)
}

/// `rank op literal` or its mirror image.
fn rank_comparison(expr: &DfExpr, rank: &str) -> Option<(Operator, i64)> {
    let DfExpr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return None };
    match (left.as_ref(), right.as_ref()) {
        (DfExpr::Column(c), literal) if c.name == rank => Some((*op, integer(literal)?)),
        (literal, DfExpr::Column(c)) if c.name == rank => Some((op.swap()?, integer(literal)?)),
        _ => None,
    }
}

fn integer(expr: &DfExpr) -> Option<i64> {
    let DfExpr::Literal(value, _) = expr else { return None };
    match value {
        ScalarValue::Int64(Some(n)) => Some(*n),
        ScalarValue::Int32(Some(n)) => Some(i64::from(*n)),
        ScalarValue::Int16(Some(n)) => Some(i64::from(*n)),
        ScalarValue::Int8(Some(n)) => Some(i64::from(*n)),
        _ => None,
    }
}
