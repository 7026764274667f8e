//! GROUP BY: groups and grouping sets.

use super::aggregate::column;
use super::context::ExprEnv;
use super::{Binder, Typed, plan_error};
use crate::logical::nodes::{df_schema, extension};
use crate::logical::{Expand, display_name};
use crate::{SqlError, SqlResult};
use datafusion_common::ScalarValue;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::{Case, Expr, LogicalPlan};
use headwater_data::arrow_type;
use headwater_sql_parser::ast::{GroupBy, GroupByItem, GroupByKind, SetQuantifier};
use headwater_types::{LogicalType, TypeRoot};
use std::collections::HashMap;

/// How many grouping sets a GROUP BY may expand to.
const SETS_MAX: usize = 4096;

/// A grouping expression.
pub(super) struct Group {
    /// Over the rows.
    pub input: Typed,
    /// Display name of its column.
    pub name: String,
    /// Its column in the aggregate's input and output.
    pub column: String,
    /// Whether some grouping set leaves it out, so that it is NULL there.
    pub padded: bool,
}

/// The GROUP BY of a query.
#[derive(Default)]
pub(super) struct Grouping {
    /// The distinct grouping expressions.
    pub groups: Vec<Group>,
    /// The grouping sets, as positions in `groups`; `None` for the one set of all.
    sets: Option<Vec<Vec<usize>>>,
    /// Column of the number of the grouping set.
    set_column: Option<String>,
}

/// New names of columns behind an [`Expand`].
#[derive(Default)]
pub(super) struct Renamed(HashMap<String, String>);

impl Renamed {
    /// The expression over the new names.
    pub fn apply(&self, expr: Expr) -> SqlResult<Expr> {
        if self.0.is_empty() {
            return Ok(expr);
        }
        let renamed = expr.transform(|e| match &e {
            Expr::Column(c) => match self.0.get(&c.name) {
                Some(new) => Ok(Transformed::yes(column(new))),
                None => Ok(Transformed::no(e)),
            },
            _ => Ok(Transformed::no(e)),
        });
        Ok(renamed.map_err(plan_error)?.data)
    }
}

impl Binder<'_> {
    /// Binds GROUP BY.
    pub(super) fn group_by(&self, group_by: &GroupBy, env: ExprEnv<'_>) -> SqlResult<Grouping> {
        let mut grouping = Grouping::default();
        let mut sets: Vec<Vec<usize>> = vec![vec![]];
        for item in &group_by.items {
            let item_sets = self.grouping_sets(item, &mut grouping, env)?;
            if sets.len().saturating_mul(item_sets.len()) > SETS_MAX {
                let message = format!("GROUP BY expands to more than {SETS_MAX} grouping sets");
                return Err(SqlError::at("too-many-grouping-sets", message, item.span));
            }
            sets = sets.iter().flat_map(|left| item_sets.iter().map(move |right| union(left, right))).collect();
        }
        if group_by.quantifier == Some(SetQuantifier::Distinct) {
            sets = distinct(sets);
        }
        if sets.len() > 1 {
            for (position, group) in grouping.groups.iter_mut().enumerate() {
                group.padded = sets.iter().any(|set| !set.contains(&position));
            }
            grouping.sets = Some(sets);
        }
        Ok(grouping)
    }

    /// The grouping sets of one item.
    fn grouping_sets(
        &self,
        item: &GroupByItem,
        grouping: &mut Grouping,
        env: ExprEnv<'_>,
    ) -> SqlResult<Vec<Vec<usize>>> {
        match &item.kind {
            GroupByKind::Expr(expr) => Ok(vec![self.group(expr, grouping, env)?]),
            GroupByKind::Tuple(exprs) => {
                let mut set = vec![];
                for expr in exprs {
                    set = union(&set, &self.group(expr, grouping, env)?);
                }
                Ok(vec![set])
            }
            GroupByKind::GroupingSets(items) => {
                let mut sets = vec![];
                for item in items {
                    sets.extend(self.grouping_sets(item, grouping, env)?);
                }
                Ok(sets)
            }
            GroupByKind::Rollup(items) => {
                let parts = self.grouping_parts(items, grouping, env)?;
                Ok((0..=parts.len()).rev().map(|n| union_all(&parts[..n])).collect())
            }
            GroupByKind::Cube(items) => {
                let parts = self.grouping_parts(items, grouping, env)?;
                if parts.len() > 12 {
                    return Err(SqlError::at("too-many-grouping-sets", "CUBE of more than 12 items", item.span));
                }
                let subset = |mask: usize| {
                    let bit = |i: usize| mask >> (parts.len() - 1 - i) & 1 == 1;
                    let chosen: Vec<_> = (0..parts.len()).filter(|i| bit(*i)).map(|i| parts[i].clone()).collect();
                    union_all(&chosen)
                };
                Ok((0..1usize << parts.len()).rev().map(subset).collect())
            }
        }
    }

    /// One set per item of CUBE or ROLLUP.
    fn grouping_parts(
        &self,
        items: &[GroupByItem],
        grouping: &mut Grouping,
        env: ExprEnv<'_>,
    ) -> SqlResult<Vec<Vec<usize>>> {
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            let mut sets = self.grouping_sets(item, grouping, env)?;
            match sets.len() {
                1 => parts.append(&mut sets),
                _ => return Err(SqlError::at("bad-grouping-set", "CUBE and ROLLUP take expressions", item.span)),
            }
        }
        Ok(parts)
    }

    /// The groups of an expression: one, but for a window of GROUP BY, which is its start and its end.
    fn group(
        &self,
        expr: &headwater_sql_parser::ast::Expr,
        grouping: &mut Grouping,
        env: ExprEnv<'_>,
    ) -> SqlResult<Vec<usize>> {
        if let Some(bounds) = self.group_window_bounds(expr, env)? {
            return Ok(bounds.into_iter().map(|b| grouping.add(b, "window".to_owned())).collect());
        }
        let value = self.expr(expr, env)?;
        let name = match &value.expr {
            Expr::Column(c) => display_name(&c.name).to_owned(),
            other => crate::logical::computed_name(other),
        };
        Ok(vec![grouping.add(value, name)])
    }
}

impl Grouping {
    fn add(&mut self, input: Typed, name: String) -> usize {
        if let Some(position) = self.groups.iter().position(|g| g.input.expr == input.expr) {
            return position;
        }
        self.groups.push(Group { input, name, column: String::new(), padded: false });
        self.groups.len() - 1
    }

    /// Whether all rows form one group even when there are none.
    pub fn is_global(&self) -> bool {
        self.groups.is_empty() || self.sets.as_ref().is_some_and(|sets| sets.iter().any(Vec::is_empty))
    }

    /// The key columns of the aggregate.
    pub fn keys(&self) -> Vec<Expr> {
        self.groups.iter().map(|g| &g.column).chain(&self.set_column).map(|name| column(name)).collect()
    }

    /// Repeats the rows per grouping set, with NULL for the groups a set leaves out. The first
    /// `group_count` columns of the input are the groups; all columns get new names.
    pub fn expand(
        &mut self,
        binder: &Binder<'_>,
        input: LogicalPlan,
        group_count: usize,
    ) -> SqlResult<(LogicalPlan, Renamed)> {
        let Some(sets) = &self.sets else { return Ok((input, Renamed::default())) };
        let names: Vec<String> = input.schema().fields().iter().map(|f| f.name().clone()).collect();
        let types = crate::logical::types::column_types(&input)?;
        let mut columns: Vec<(String, LogicalType)> = Vec::with_capacity(names.len() + 1);
        for (position, (name, ty)) in names.iter().zip(types).enumerate() {
            let padded = position < group_count && self.groups[position].padded;
            let nullable = ty.nullable || padded;
            columns.push((binder.fresh(display_name(name)), ty.with_nullable(nullable)));
        }
        let set_column = binder.fresh("$e");
        columns.push((set_column.clone(), LogicalType::from(TypeRoot::BigInt).not_null()));
        let mut projections = Vec::with_capacity(sets.len());
        for (number, set) in sets.iter().enumerate() {
            projections.push(set_projection(&names, &columns, set, group_count, number)?);
        }
        let renamed: HashMap<_, _> = names.into_iter().zip(columns.iter().map(|(n, _)| n.clone())).collect();
        for group in &mut self.groups {
            group.column = renamed[&group.column].clone();
        }
        self.set_column = Some(set_column);
        let schema = df_schema(&columns);
        Ok((extension(Expand { input, projections, columns, schema }), Renamed(renamed)))
    }

    /// GROUPING, GROUPING_ID or GROUP_ID over the aggregate's output; `None` when an argument is no group.
    pub fn indicator(&self, function: &str, args: &[Expr]) -> Option<Expr> {
        let positions = args.iter().map(|a| self.groups.iter().position(|g| g.input.expr == *a));
        let positions = positions.collect::<Option<Vec<_>>>()?;
        let (Some(sets), Some(set_column)) = (&self.sets, &self.set_column) else { return Some(bigint(0)) };
        let value = |number: usize| match function {
            "GROUP_ID" => sets[..number].iter().filter(|earlier| same_set(earlier, &sets[number])).count() as i64,
            _ => positions.iter().fold(0, |bits, p| bits << 1 | i64::from(!sets[number].contains(p))),
        };
        let branches = (1..sets.len()).map(|number| {
            let is_set = column(set_column).eq(bigint(number as i64));
            (Box::new(is_set), Box::new(bigint(value(number))))
        });
        Some(Expr::Case(Case::new(None, branches.collect(), Some(Box::new(bigint(value(0)))))))
    }
}

fn set_projection(
    names: &[String],
    columns: &[(String, LogicalType)],
    set: &[usize],
    group_count: usize,
    number: usize,
) -> SqlResult<Vec<Expr>> {
    let mut exprs = Vec::with_capacity(columns.len());
    for (position, name) in names.iter().enumerate() {
        let left_out = position < group_count && !set.contains(&position);
        exprs.push(match left_out {
            false => column(name),
            true => {
                let null = ScalarValue::try_from(arrow_type(&columns[position].1)).map_err(plan_error)?;
                Expr::Literal(null, None)
            }
        });
    }
    exprs.push(bigint(number as i64));
    Ok(exprs)
}

fn bigint(value: i64) -> Expr {
    Expr::Literal(ScalarValue::Int64(Some(value)), None)
}

fn union(left: &[usize], right: &[usize]) -> Vec<usize> {
    let added = right.iter().filter(|r| !left.contains(r));
    left.iter().chain(added).copied().collect()
}

fn union_all(parts: &[Vec<usize>]) -> Vec<usize> {
    parts.iter().fold(vec![], |all, part| union(&all, part))
}

fn same_set(left: &[usize], right: &[usize]) -> bool {
    left.len() == right.len() && left.iter().all(|l| right.contains(l))
}

fn distinct(sets: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut kept: Vec<Vec<usize>> = vec![];
    for set in sets {
        if !kept.iter().any(|k| same_set(k, &set)) {
            kept.push(set);
        }
    }
    kept
}
