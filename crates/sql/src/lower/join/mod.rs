//! Joins: which kind of join a logical one is, and what all kinds share.
//!
//! The conditions of a join decide how it runs. In this order:
//!
//! 1. the right side is a table as of a time: [`temporal`];
//! 2. the windows of both sides are equal: [`window`];
//! 3. the time attributes of both sides bound each other: [`interval`];
//! 4. anything else: [`regular`], which keeps both inputs for as long as the job runs.
//!
//! Join order is the query's: the optimiser moves conditions into joins, never joins around each other.

mod interval;
mod mark;
pub(super) mod prune;
mod regular;
mod temporal;
pub(super) mod text;
mod window;

#[cfg(test)]
mod tests;

use super::hints::state_ttl_hint;
use super::physical::{Node, Parallelism};
use super::relation::{Relation, Slot};
use super::{Lowering, calc, expr, keyed};
use datafusion_common::{NullEquality, ScalarValue};
use datafusion_expr::logical_plan::Join;
use datafusion_expr::utils::split_conjunction;
use datafusion_expr::{BinaryExpr, Expr as DfExpr, JoinType, Operator};
use headwater_plan::operators::JoinKind;
use headwater_plan::{Expr, OperatorSpec, Partitioning};
use headwater_types::{Error, LogicalType, Result};

/// Columns that are equal where rows match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    left: usize,
    right: usize,
    /// Whether NULL equals NULL.
    null_safe: bool,
}

/// An equality over the columns of both sides, before its sides are columns.
struct Equality {
    left: DfExpr,
    right: DfExpr,
    null_safe: bool,
}

/// Both inputs of a join with what relates them.
struct Sides {
    kind: JoinKind,
    left: Relation,
    right: Relation,
    pairs: Vec<Pair>,
    /// What is not an equality, over left columns followed by right columns; all must be true.
    residual: Vec<Expr>,
}

impl Lowering<'_> {
    pub(super) fn join(&mut self, join: &Join) -> Result<Relation> {
        match join.join_type {
            JoinType::RightSemi | JoinType::RightAnti => return self.mirrored(join),
            JoinType::LeftMark => return self.mark_join(join),
            _ => {}
        }
        if let Some(table) = temporal::versioned_side(join) {
            return self.temporal_join(join, table);
        }
        let left = self.plan(&join.left)?;
        let right = self.plan(&join.right)?;
        let sides = self.sides(join, left, right)?;
        if let Some(windows) = window::equal_windows(&sides) {
            return self.window_join(sides, windows);
        }
        match self.interval_bounds(&sides) {
            Some(bounds) => self.interval_join(sides, bounds),
            None => {
                let ttls = [&join.left, &join.right].map(|side| state_ttl_hint(side).unwrap_or(0));
                Ok(self.regular_join(sides, ttls))
            }
        }
    }

    /// A right semi or anti join is a left one with the sides exchanged.
    fn mirrored(&mut self, join: &Join) -> Result<Relation> {
        let mut mirrored = join.clone();
        std::mem::swap(&mut mirrored.left, &mut mirrored.right);
        mirrored.on = join.on.iter().map(|(l, r)| (r.clone(), l.clone())).collect();
        mirrored.join_type = match join.join_type {
            JoinType::RightSemi => JoinType::LeftSemi,
            _ => JoinType::LeftAnti,
        };
        self.join(&mirrored)
    }

    /// The inputs with their conditions split into equalities of columns and the rest.
    fn sides(&mut self, join: &Join, left: Relation, right: Relation) -> Result<Sides> {
        let kind = join_kind(join.join_type)?;
        let (left, right) = (self.flat(left)?, self.flat(right)?);
        let (equalities, rest) = split_conditions(join, &left, &right);
        let lefts: Vec<_> = equalities.iter().map(|e| e.left.clone()).collect();
        let rights: Vec<_> = equalities.iter().map(|e| e.right.clone()).collect();
        let (left, left_positions) = self.computed_columns(left, &lefts)?;
        let (right, right_positions) = self.computed_columns(right, &rights)?;
        let positions = left_positions.into_iter().zip(right_positions).zip(&equalities);
        let pairs = positions.map(|((left, right), e)| Pair { left, right, null_safe: e.null_safe }).collect();
        let residual = rest.iter().map(|c| self.join_condition(&left, &right, c)).collect::<Result<_>>()?;
        Ok(Sides { kind, left, right, pairs, residual })
    }

    /// Positions of the values of expressions; what is not a column is computed by a calc below the join.
    fn computed_columns(&mut self, input: Relation, exprs: &[DfExpr]) -> Result<(Relation, Vec<usize>)> {
        let name = |(i, e): (usize, &DfExpr)| {
            calc::plain_column(e).map_or_else(|| format!("{}#key{i}", crate::logical::computed_name(e)), str::to_owned)
        };
        let names: Vec<String> = exprs.iter().enumerate().map(name).collect();
        let computed = || exprs.iter().zip(&names).filter(|(e, _)| calc::plain_column(e).is_none());
        let visible = input.columns.len();
        let mut input = input;
        if computed().next().is_some() {
            let mut outputs = self.pass_through(&input);
            for (expr, name) in computed() {
                outputs.push((name.clone(), calc::Output::Expr(self.lower_expr(&input, expr)?)));
            }
            input = self.calc(input, None, outputs)?;
        }
        let positions = names.iter().map(|n| self.position_of(&input, n)).collect::<Result<Vec<_>>>()?;
        input.columns.truncate(visible);
        Ok((input, positions))
    }

    fn join_condition(&self, left: &Relation, right: &Relation, filter: &DfExpr) -> Result<Expr> {
        let (left_types, right_types) = (self.types(left), self.types(right));
        let resolve = |name: &str| match (left.slot(name), right.slot(name)) {
            (Some(Slot::Physical(i)), _) => Some((i, left_types[i].clone())),
            (None, Some(Slot::Physical(i))) => Some((left_types.len() + i, right_types[i].clone())),
            _ => None,
        };
        expr::lower(filter, &resolve)
    }

    /// A pair that an operator cannot take as keys, as a condition.
    fn pair_condition(&self, sides: &Sides, pair: Pair) -> Expr {
        let (left, right) = (self.types(&sides.left), self.types(&sides.right));
        let width = left.len();
        let (l, r) = (left[pair.left].clone(), right[pair.right].clone());
        let nullable = !pair.null_safe && (l.nullable || r.nullable);
        Expr::Call {
            function: if pair.null_safe { "IS NOT DISTINCT FROM" } else { "=" }.to_owned(),
            args: vec![Expr::column(pair.left, l), Expr::column(width + pair.right, r)],
            ty: LogicalType::new(headwater_types::TypeRoot::Boolean, nullable),
        }
    }

    /// Adds a join operator; its output is that of both sides, or of the left one alone.
    fn add_join(&mut self, sides: &Sides, keys: &[Pair], output: JoinOutput, spec: OperatorSpec) -> Relation {
        let (left, right) = (&sides.left, &sides.right);
        let width = self.types(left).len();
        let mut types = output.types(0, self.types(left), matches!(sides.kind, JoinKind::Right | JoinKind::Full));
        let mut names = self.names(left).to_vec();
        let mut columns = left.columns.clone();
        if !is_one_sided(sides.kind) {
            types.extend(output.types(1, self.types(right), matches!(sides.kind, JoinKind::Left | JoinKind::Full)));
            names = text::side_by_side(&names, self.names(right));
            let shifted = |slot: &Slot| if let Slot::Physical(i) = slot { Slot::Physical(width + i) } else { *slot };
            columns.extend(right.columns.iter().map(|(n, s)| (n.clone(), shifted(s))));
        }
        let (left_keys, right_keys) = positions(keys);
        let (left_side, parallelism) = keyed(&left_keys);
        let (right_side, _) = keyed(&right_keys);
        let node = self.join_node(sides, spec, [left_side, right_side], types, names);
        let node = Node { parallelism, emits_changes: output.emits_changes, ..node };
        Relation::new(self.physical.add(node), columns)
    }

    fn join_node(
        &self,
        sides: &Sides,
        spec: OperatorSpec,
        partitioning: [Partitioning; 2],
        types: Vec<LogicalType>,
        names: Vec<String>,
    ) -> Node {
        let [left, right] = partitioning;
        Node {
            spec,
            inputs: vec![sides.left.input(left), sides.right.input(right)],
            types,
            names,
            bounded: self.bounded(&sides.left) && self.bounded(&sides.right),
            emits_changes: false,
            parallelism: Parallelism::Default,
        }
    }
}

/// What leaves a join.
#[derive(Clone, Copy)]
struct JoinOutput {
    /// Whether rows are taken back.
    emits_changes: bool,
    /// For each side, whether time attributes stay what they are.
    keeps_time: [bool; 2],
}

impl JoinOutput {
    /// The types of one side (0 is left) in the output.
    fn types(self, side: usize, types: &[LogicalType], padded: bool) -> Vec<LogicalType> {
        let output = |ty: &LogicalType| {
            let ty = if padded { ty.clone().with_nullable(true) } else { ty.clone() };
            if self.keeps_time[side] { ty } else { ty.with_time_attribute(headwater_types::TimeAttribute::None) }
        };
        types.iter().map(output).collect()
    }
}

/// The equalities between both sides, and the other conditions. `a NOT IN (SELECT b …)` is unknown, and drops the
/// row, as soon as one side is NULL: its equality, which comes first, then counts as a match.
fn split_conditions(join: &Join, left: &Relation, right: &Relation) -> (Vec<Equality>, Vec<DfExpr>) {
    let mut rest = vec![];
    let mut on = join.on.as_slice();
    if join.null_aware
        && let Some(((needle, value), others)) = on.split_first()
    {
        let nulls = needle.clone().is_null().or(value.clone().is_null());
        rest.push(needle.clone().eq(value.clone()).or(nulls));
        on = others;
    }
    let null_safe = join.null_equality == NullEquality::NullEqualsNull;
    let pair = |(l, r): &(DfExpr, DfExpr)| Equality { left: l.clone(), right: r.clone(), null_safe };
    let mut equalities: Vec<_> = on.iter().map(pair).collect();
    let is_true = |e: &&DfExpr| matches!(e, DfExpr::Literal(ScalarValue::Boolean(Some(true)), _));
    for condition in join.filter.iter().flat_map(split_conjunction).filter(|c| !is_true(c)) {
        match equality(condition, left, right) {
            Some(equality) => equalities.push(equality),
            None => rest.push(condition.clone()),
        }
    }
    (equalities, rest)
}

/// A condition that is an equality of a value of each side.
fn equality(condition: &DfExpr, left: &Relation, right: &Relation) -> Option<Equality> {
    let DfExpr::BinaryExpr(BinaryExpr { left: l, op, right: r }) = condition else { return None };
    let null_safe = match op {
        Operator::Eq => false,
        Operator::IsNotDistinctFrom => true,
        _ => return None,
    };
    let of = |expr: &DfExpr, side: &Relation| {
        let mut columns = calc::columns_of(expr).peekable();
        columns.peek().is_some() && columns.all(|c| side.slot(c).is_some())
    };
    if of(l, left) && of(r, right) {
        return Some(Equality { left: l.as_ref().clone(), right: r.as_ref().clone(), null_safe });
    }
    let swapped = of(r, left) && of(l, right);
    swapped.then(|| Equality { left: r.as_ref().clone(), right: l.as_ref().clone(), null_safe })
}

fn positions(pairs: &[Pair]) -> (Vec<usize>, Vec<usize>) {
    pairs.iter().map(|p| (p.left, p.right)).unzip()
}

/// All conditions in one.
fn all_of(mut conditions: Vec<Expr>) -> Option<Expr> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(Expr::And(conditions)),
    }
}

fn is_one_sided(kind: JoinKind) -> bool {
    matches!(kind, JoinKind::Semi | JoinKind::Anti)
}

fn join_kind(join_type: JoinType) -> Result<JoinKind> {
    match join_type {
        JoinType::Inner => Ok(JoinKind::Inner),
        JoinType::Left => Ok(JoinKind::Left),
        JoinType::Right => Ok(JoinKind::Right),
        JoinType::Full => Ok(JoinKind::Full),
        JoinType::LeftSemi => Ok(JoinKind::Semi),
        JoinType::LeftAnti => Ok(JoinKind::Anti),
        other => Err(Error::unsupported(format!("a {other} join is not supported yet"))),
    }
}
