//! Filters, and ranks with the filter above them that bounds them.

use super::physical::Node;
use super::relation::{Relation, Slot, WindowState};
use super::{Lowering, keyed};
use crate::logical::Rank;
use datafusion_common::ScalarValue;
use datafusion_expr::logical_plan::Filter;
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{BinaryExpr, Expr as DfExpr, LogicalPlan, Operator};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{SortKey, WindowProperty, WindowRankSpec};
use headwater_types::{Error, Result};

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
        let Some(end) = bounds.end else {
            let message = "a ranking function needs an upper bound on its rank, such as WHERE rownum <= 10";
            return Err(Error::unsupported(format!("{message}; without one it is not supported yet")));
        };
        let input = self.plan(&rank.input)?;
        let input = self.flat(input)?;
        let window = input.window.clone();
        let of_window = |c: &String| input.window_property(c);
        let properties: Vec<_> = rank.partition_by.iter().map(of_window).collect();
        let windowed =
            properties.contains(&Some(WindowProperty::Start)) && properties.contains(&Some(WindowProperty::End));
        let (Some(window), true) = (window, windowed) else {
            let message = "Top-N and deduplication outside of windows are not supported yet";
            return Err(Error::unsupported(format!("{message}: partition by window_start and window_end")));
        };
        let WindowState::Attached { start: Some(start), end: Some(window_end) } = window.state else {
            return Err(Error::internal("a window column was lost below a rank"));
        };
        let keys = rank.partition_by.iter().zip(&properties).filter(|(_, p)| p.is_none());
        let keys = keys.map(|(c, _)| self.position_of(&input, c)).collect::<Result<Vec<_>>>()?;
        let spec = WindowRankSpec {
            function: rank.function,
            keys,
            order: self.sort_keys(&input, rank)?,
            start: bounds.start.max(1),
            end,
            with_rank: true,
            window: (start, window_end),
            zone: window.spec.zone.clone(),
            proctime: window.proctime,
        };
        let output = self.window_rank(input, spec, &rank.output);
        match conjunction(rest.into_iter().cloned()) {
            Some(rest) => self.filter_rows(output, &rest),
            None => Ok(output),
        }
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
            Some((Operator::Lt, n)) => bounds.limit(n - 1),
            Some((Operator::GtEq, n)) => bounds.start = bounds.start.max(n.max(1) as u64),
            Some((Operator::Gt, n)) => bounds.start = bounds.start.max((n + 1).max(1) as u64),
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
