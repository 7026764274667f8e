//! Removes the aliases that DataFusion's decorrelation puts around subqueries.
//!
//! Column names are unique in a plan that the binder made, but the rules make columns of their own (`mark`,
//! `__always_true`) and may join one subquery several times. So the alias, which is unique, goes into the names of its
//! columns.

use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, Result};
use datafusion_expr::{Expr, Join, JoinType, LogicalPlan, Projection, SubqueryAlias};
use std::collections::HashMap;
use std::sync::Arc;

/// The plan without `SubqueryAlias` nodes and qualified columns.
pub(super) fn unalias(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !plan.exists(|node| Ok(is_aliased(node)))? {
        return Ok(plan);
    }
    Ok(plan.transform_up(|node| rewrite(node).map(Transformed::yes))?.data)
}

fn is_aliased(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::SubqueryAlias(_))
}

fn rewrite(node: LogicalPlan) -> Result<LogicalPlan> {
    match node {
        LogicalPlan::SubqueryAlias(alias) => without_alias(alias),
        LogicalPlan::Join(join) => rebuilt_join(join),
        other => {
            let plain = other.map_expressions(plain_expr)?.data;
            match plain {
                LogicalPlan::Projection(p) => Projection::try_new(p.expr, p.input).map(LogicalPlan::Projection),
                plain => plain.recompute_schema(),
            }
        }
    }
}

/// The input of an alias, with the alias put into its names.
fn without_alias(alias: SubqueryAlias) -> Result<LogicalPlan> {
    let exprs = alias.input.schema().fields().iter().map(|f| {
        let column = Expr::Column(Column::new_unqualified(f.name()));
        column.alias(qualified_name(alias.alias.table(), f.name()))
    });
    Projection::try_new(exprs.collect(), alias.input.clone()).map(LogicalPlan::Projection)
}

/// The join over its rewritten inputs. A mark join names its column itself, so the name is kept and is
/// unique because the alias is.
fn rebuilt_join(join: Join) -> Result<LogicalPlan> {
    let on = join.on.into_iter().map(|(l, r)| Ok((plain_expr(l)?.data, plain_expr(r)?.data)));
    let on = on.collect::<Result<Vec<_>>>()?;
    let filter = join.filter.map(|f| Ok::<_, datafusion_common::DataFusionError>(plain_expr(f)?.data)).transpose()?;
    let old = join.schema.clone();
    let mut rebuilt = Join::try_new(
        join.left,
        join.right,
        on,
        filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    if matches!(join.join_type, JoinType::LeftMark | JoinType::RightMark) {
        rebuilt.schema = Arc::new(plain_schema(&old)?);
    }
    Ok(LogicalPlan::Join(rebuilt))
}

fn plain_schema(schema: &DFSchema) -> Result<DFSchema> {
    let fields = schema.iter().map(|(qualifier, field)| {
        let name = match qualifier {
            Some(qualifier) => qualified_name(qualifier.table(), field.name()),
            None => field.name().clone(),
        };
        (None, Arc::new(field.as_ref().clone().with_name(name)))
    });
    DFSchema::new_with_metadata(fields.collect(), HashMap::new())
}

fn plain_expr(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform(|e| {
        Ok(match e {
            Expr::Column(Column { relation: Some(relation), name, .. }) => {
                let name = qualified_name(relation.table(), &name);
                Transformed::yes(Expr::Column(Column::new_unqualified(name)))
            }
            Expr::Alias(mut alias) if alias.relation.is_some() => {
                alias.relation = None;
                Transformed::yes(Expr::Alias(alias))
            }
            other => Transformed::no(other),
        })
    })
}

fn qualified_name(alias: &str, name: &str) -> String {
    match name.rsplit_once('#') {
        Some((display, number)) => format!("{display}#{number}.{alias}"),
        None => format!("{name}#{alias}"),
    }
}
