//! Joins: of two inputs whose windows are equal.

use super::physical::Node;
use super::relation::{Relation, Slot, WindowState};
use super::{Lowering, expr, keyed};
use datafusion_expr::logical_plan::Join;
use datafusion_expr::{Expr as DfExpr, JoinType};
use headwater_plan::Expr;
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{JoinKind, WindowJoinSpec};
use headwater_types::{Error, LogicalType, Result};

/// Equality pairs: positions left and right.
type Pairs = Vec<(usize, usize)>;

impl Lowering<'_> {
    pub(super) fn join(&mut self, join: &Join) -> Result<Relation> {
        if matches!(join.join_type, JoinType::RightSemi | JoinType::RightAnti) {
            return self.mirrored(join);
        }
        let kind = join_kind(join.join_type)?;
        let left = self.plan(&join.left)?;
        let right = self.plan(&join.right)?;
        let left = self.flat(left)?;
        let right = self.flat(right)?;
        let (on, filter) = conditions(join);
        let (left, right, pairs) = self.equal_pairs(left, right, &on)?;
        let (Some(left_window), Some(right_window)) = (window_columns(&left), window_columns(&right)) else {
            return Err(regular_join());
        };
        let windowed =
            pairs.contains(&(left_window.0, right_window.0)) && pairs.contains(&(left_window.1, right_window.1));
        if !windowed {
            return Err(regular_join());
        }
        let keys =
            pairs.iter().filter(|p| **p != (left_window.0, right_window.0) && **p != (left_window.1, right_window.1));
        let (left_keys, right_keys): (Vec<_>, Vec<_>) = keys.copied().unzip();
        let condition = filter.as_ref().map(|f| self.join_condition(&left, &right, f)).transpose()?;
        let window = left.window.clone().ok_or_else(|| Error::internal("a window join without a window"))?;
        let spec = WindowJoinSpec {
            kind,
            left_window,
            right_window,
            left_keys,
            right_keys,
            condition,
            zone: window.spec.zone.clone(),
            proctime: window.proctime,
        };
        Ok(self.window_join(&left, &right, spec))
    }

    fn window_join(&mut self, left: &Relation, right: &Relation, spec: WindowJoinSpec) -> Relation {
        let one_sided = matches!(spec.kind, JoinKind::Semi | JoinKind::Anti);
        let width = self.types(left).len();
        let mut types = padded(self.types(left), matches!(spec.kind, JoinKind::Right | JoinKind::Full));
        let mut names = self.names(left).to_vec();
        let mut columns = left.columns.clone();
        if !one_sided {
            types.extend(padded(self.types(right), matches!(spec.kind, JoinKind::Left | JoinKind::Full)));
            names.extend(self.names(right).to_vec());
            let shifted = |slot: &Slot| if let Slot::Physical(i) = slot { Slot::Physical(width + i) } else { *slot };
            columns.extend(right.columns.iter().map(|(n, s)| (n.clone(), shifted(s))));
        }
        let keeps_window = !matches!(spec.kind, JoinKind::Right | JoinKind::Full);
        let window = if keeps_window { left.window.clone() } else { None };
        let (left_side, parallelism) = keyed(&spec.left_keys);
        let (right_side, _) = keyed(&spec.right_keys);
        let node = Node {
            spec: OperatorSpec::WindowJoin(spec),
            inputs: vec![left.input(left_side), right.input(right_side)],
            types,
            names,
            bounded: self.bounded(left) && self.bounded(right),
            emits_changes: false,
            parallelism,
        };
        Relation { producers: vec![self.physical.add(node)], columns, window }
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

    /// The equality pairs as positions; computed sides become columns of a calc below the join.
    fn equal_pairs(
        &mut self,
        left: Relation,
        right: Relation,
        on: &[(DfExpr, DfExpr)],
    ) -> Result<(Relation, Relation, Pairs)> {
        let (lefts, rights): (Vec<_>, Vec<_>) = on.iter().cloned().unzip();
        let (left, left_positions) = self.computed_columns(left, &lefts)?;
        let (right, right_positions) = self.computed_columns(right, &rights)?;
        Ok((left, right, left_positions.into_iter().zip(right_positions).collect()))
    }

    fn computed_columns(&mut self, input: Relation, exprs: &[DfExpr]) -> Result<(Relation, Vec<usize>)> {
        let mut outputs = self.pass_through(&input);
        let computed: Vec<_> = exprs.iter().filter(|e| super::calc::plain_column(e).is_none()).collect();
        if computed.is_empty() {
            let positions = exprs.iter().filter_map(super::calc::plain_column).map(|c| self.position_of(&input, c));
            let positions = positions.collect::<Result<Vec<_>>>()?;
            return Ok((input, positions));
        }
        let name = |e: &DfExpr| super::calc::plain_column(e).map_or_else(|| format!("$join {e}"), str::to_owned);
        for expr in computed {
            outputs.push((name(expr), super::calc::Output::Expr(self.lower_expr(&input, expr)?)));
        }
        let visible = input.columns.len();
        let mut output = self.calc(input, None, outputs)?;
        let positions = exprs.iter().map(|e| self.position_of(&output, &name(e))).collect::<Result<Vec<_>>>()?;
        output.columns.truncate(visible);
        Ok((output, positions))
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
}

/// The equalities and the rest of the condition. `a NOT IN (SELECT b …)` is unknown, and drops the row, as soon as one
/// side is NULL: its equality, which comes first, then counts as a match.
fn conditions(join: &Join) -> (Vec<(DfExpr, DfExpr)>, Option<DfExpr>) {
    let Some(((left, right), others)) = join.on.split_first().filter(|_| join.null_aware) else {
        return (join.on.clone(), join.filter.clone());
    };
    let matches = left.clone().eq(right.clone()).or(left.clone().is_null()).or(right.clone().is_null());
    let filter = match &join.filter {
        Some(filter) => matches.and(filter.clone()),
        None => matches,
    };
    (others.to_vec(), Some(filter))
}

fn padded(types: &[LogicalType], pad: bool) -> Vec<LogicalType> {
    types.iter().map(|t| if pad { t.clone().with_nullable(true) } else { t.clone() }).collect()
}

fn window_columns(relation: &Relation) -> Option<(usize, usize)> {
    match relation.window.as_ref()?.state {
        WindowState::Attached { start: Some(start), end: Some(end) } => Some((start, end)),
        _ => None,
    }
}

fn regular_join() -> Error {
    let message =
        "a regular join is not supported yet: only joins on equal window_start and window_end of both inputs are";
    Error::unsupported(message)
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
