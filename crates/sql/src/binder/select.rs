//! SELECT: from rows to the query's columns.
//!
//! ```text
//! [project away sort keys] <- [sort] <- [distinct] <- project <- [QUALIFY] <- [rank]*
//!     <- [HAVING] <- [aggregate] <- [WHERE] <- FROM
//! ```

use super::aggregate::{Aggregation, has_aggregate};
use super::context::{Clause, ExprEnv, QueryEnv};
use super::grouping::Grouping;
use super::over::OverWindow;
use super::rank::{OrderKey, RankCall, RankCalls, directions};
use super::scope::Scope;
use super::select_list::{Item, unique_names};
use super::{Binder, BoundQuery, OutputColumn, Typed, plan_error};
use crate::{SqlError, SqlResult};
use datafusion_expr::{Distinct, Expr, Filter, LogicalPlan, Projection};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, ExprKind, Literal, OrderByExpr, Select, SelectItem, SetQuantifier};
use std::collections::HashSet;
use std::sync::Arc;

/// What ORDER BY names.
enum SortItem {
    /// A column of the select list.
    Output { position: usize, ascending: bool, nulls_first: bool },
    /// A value of its own.
    Hidden(OrderKey),
}

/// The bound clauses of a SELECT, before the nodes above its rows are built.
struct Clauses {
    items: Vec<Item>,
    having: Option<(Typed, Span)>,
    qualify: Option<(Typed, Span)>,
    sort: Vec<SortItem>,
    ranks: Vec<RankCall>,
    overs: Vec<OverWindow>,
}

impl Binder<'_> {
    /// Binds a SELECT with the ORDER BY that stands behind it.
    pub(super) fn select(&self, select: &Select, order_by: &[OrderByExpr], env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        self.select_clauses(select, order_by, env).map_err(|e| with_alias_hint(e, select))
    }

    fn select_clauses(&self, select: &Select, order_by: &[OrderByExpr], env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let (mut plan, relations) = self.sources(&select.from, QueryEnv { hints: &select.hints, ..env })?;
        super::hints::check(&select.hints, &relations)?;
        let mut scope = Scope::new(relations, env.outer);
        if let Some(condition) = &select.selection {
            let bound = self.condition(condition, ExprEnv::rows(&scope, env, "WHERE"))?;
            plan = filter(plan, bound.expr)?;
        }
        plan = self.group_window_node(plan, select.group_by.as_ref(), &mut scope, env)?;
        let rows = ExprEnv::rows(&scope, env, "GROUP BY");
        let grouping = select.group_by.as_ref().map(|g| self.group_by(g, rows)).transpose()?;
        let mut clauses = self.clauses(select, order_by, &scope, grouping.as_ref(), env)?;
        if grouping.is_some() || clauses.having.is_some() || clauses.exprs().any(has_aggregate) {
            plan = self.aggregate_rows(plan, grouping.unwrap_or_default(), &mut clauses)?;
        }
        self.output(plan, clauses, select.quantifier == Some(SetQuantifier::Distinct))
    }

    fn clauses(
        &self,
        select: &Select,
        order_by: &[OrderByExpr],
        scope: &Scope<'_>,
        grouping: Option<&Grouping>,
        env: QueryEnv<'_>,
    ) -> SqlResult<Clauses> {
        let ranks = RankCalls::new(&select.windows);
        let groups = ExprEnv {
            scope,
            query: env,
            clause: Clause::Groups("SELECT"),
            ranks: Some(&ranks),
            pattern: None,
            in_aggregate: false,
            global_groups: grouping.is_none_or(Grouping::is_global),
        };
        let items = self.select_list(&select.projection, groups)?;
        let having_env = ExprEnv { clause: Clause::Groups("HAVING"), ranks: None, ..groups };
        let having = self.optional_condition(select.having.as_ref(), having_env)?;
        let qualify_env = ExprEnv { clause: Clause::Groups("QUALIFY"), ..groups };
        let qualify = self.optional_condition(select.qualify.as_ref(), qualify_env)?;
        let order_env = ExprEnv { clause: Clause::Groups("ORDER BY"), ..groups };
        let sort = order_by.iter().map(|o| self.sort_item(o, &items, order_env)).collect::<SqlResult<Vec<_>>>()?;
        let (ranks, overs) = ranks.into_calls();
        Ok(Clauses { items, having, qualify, sort, ranks, overs })
    }

    fn optional_condition(&self, condition: Option<&ast::Expr>, env: ExprEnv<'_>) -> SqlResult<Option<(Typed, Span)>> {
        condition.map(|c| Ok((self.condition(c, env)?, c.span))).transpose()
    }

    /// An ordinal or alias of the select list, or an expression.
    fn sort_item(&self, order: &OrderByExpr, items: &[Item], env: ExprEnv<'_>) -> SqlResult<SortItem> {
        let (ascending, nulls_first) = directions(order);
        let position = match &order.expr.kind {
            ExprKind::Literal(Literal::Number(text)) => Some(ordinal(text, items.len(), order.expr.span)?),
            ExprKind::Column(name) => name.as_single().and_then(|n| items.iter().position(|i| i.name == n.value)),
            _ => None,
        };
        if let Some(position) = position {
            return Ok(SortItem::Output { position, ascending, nulls_first });
        }
        let key = self.order_key(order, env)?;
        match items.iter().position(|i| i.value.expr == key.value.expr) {
            Some(position) => Ok(SortItem::Output { position, ascending, nulls_first }),
            None => Ok(SortItem::Hidden(key)),
        }
    }

    /// The aggregate over the rows, with HAVING.
    fn aggregate_rows(&self, rows: LogicalPlan, grouping: Grouping, clauses: &mut Clauses) -> SqlResult<LogicalPlan> {
        let calls = clauses.overs.iter().flat_map(|o| &o.calls).map(|c| &c.output);
        let kept: HashSet<String> = clauses.ranks.iter().map(|r| &r.output).chain(calls).cloned().collect();
        let mut aggregation = Aggregation::collect(self, grouping, clauses.exprs(), kept);
        let plan = aggregation.build(self, rows)?;
        for (value, span) in clauses.values_mut() {
            aggregation.rewrite(value, span)?;
        }
        match &clauses.having {
            Some((condition, _)) => filter(plan, condition.expr.clone()),
            None => Ok(plan),
        }
    }

    /// Ranks, QUALIFY, the final projection, DISTINCT and the order.
    fn output(&self, plan: LogicalPlan, clauses: Clauses, distinct: bool) -> SqlResult<BoundQuery> {
        let plan = self.over_nodes(plan, clauses.overs)?;
        let mut plan = self.rank_nodes(plan, clauses.ranks)?;
        if let Some((condition, _)) = clauses.qualify {
            plan = filter(plan, condition.expr)?;
        }
        let (mut exprs, columns) = self.named(&clauses.items);
        let mut keys = Vec::with_capacity(clauses.sort.len());
        for item in clauses.sort {
            keys.push(match item {
                SortItem::Output { position, ascending, nulls_first } => {
                    (columns[position].unique.clone(), ascending, nulls_first)
                }
                SortItem::Hidden(key) if distinct => {
                    let message = "ORDER BY of SELECT DISTINCT takes columns of the select list only";
                    return Err(SqlError::at("bad-order", message, key.span));
                }
                SortItem::Hidden(key) => {
                    // State is found by these names.
                    let name = match exprs.len() - columns.len() {
                        0 => self.fresh("$s"),
                        before => self.fresh(&format!("$s{before}")),
                    };
                    exprs.push(key.value.expr.alias(&name));
                    (name, key.ascending, key.nulls_first)
                }
            });
        }
        let has_hidden = exprs.len() > columns.len();
        let projection = Projection::try_new(exprs, Arc::new(plan)).map_err(plan_error)?;
        let mut plan = LogicalPlan::Projection(projection);
        if distinct {
            plan = LogicalPlan::Distinct(Distinct::All(Arc::new(plan)));
        }
        plan = self.sorted(plan, keys);
        let bound = BoundQuery { plan, columns };
        if has_hidden { self.renamed(bound) } else { Ok(bound) }
    }

    /// The items under fresh names.
    pub(super) fn named(&self, items: &[Item]) -> (Vec<Expr>, Vec<OutputColumn>) {
        let names = unique_names(items.iter().map(|i| i.name.clone()));
        let mut exprs = Vec::with_capacity(items.len());
        let mut columns = Vec::with_capacity(items.len());
        for (item, name) in items.iter().zip(names) {
            let unique = self.fresh(&name);
            exprs.push(item.value.expr.clone().alias(&unique));
            columns.push(OutputColumn { name, unique, ty: item.value.ty.clone() });
        }
        (exprs, columns)
    }

    /// The query with exactly its columns, under fresh names.
    pub(super) fn renamed(&self, bound: BoundQuery) -> SqlResult<BoundQuery> {
        let items: Vec<Item> = bound
            .columns
            .into_iter()
            .map(|c| Item { value: Typed::column(&c.unique, c.ty), name: c.name, span: Span::default() })
            .collect();
        let (exprs, columns) = self.named(&items);
        let projection = Projection::try_new(exprs, Arc::new(bound.plan)).map_err(plan_error)?;
        Ok(BoundQuery { plan: LogicalPlan::Projection(projection), columns })
    }
}

impl Clauses {
    fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let items = self.items.iter().map(|i| &i.value);
        let conditions = self.having.iter().chain(&self.qualify).map(|(v, _)| v);
        let sort = self.sort.iter().filter_map(|s| match s {
            SortItem::Hidden(key) => Some(&key.value),
            SortItem::Output { .. } => None,
        });
        let partition = self.ranks.iter().flat_map(|r| r.partition.iter().map(|(v, _)| v));
        let order = self.ranks.iter().flat_map(|r| r.order.iter().map(|o| &o.value));
        let overs = self.overs.iter().flat_map(OverWindow::values);
        items.chain(conditions).chain(sort).chain(partition).chain(order).chain(overs).map(|v| &v.expr)
    }

    fn values_mut(&mut self) -> impl Iterator<Item = (&mut Typed, Span)> {
        let items = self.items.iter_mut().map(|i| (&mut i.value, i.span));
        let conditions = self.having.iter_mut().chain(&mut self.qualify).map(|(v, span)| (v, *span));
        let sort = self.sort.iter_mut().filter_map(|s| match s {
            SortItem::Hidden(key) => Some((&mut key.value, key.span)),
            SortItem::Output { .. } => None,
        });
        let ranks = self.ranks.iter_mut().flat_map(|r| {
            let partition = r.partition.iter_mut().map(|(v, span)| (v, *span));
            partition.chain(r.order.iter_mut().map(|o| (&mut o.value, o.span)))
        });
        let overs = self.overs.iter_mut().flat_map(OverWindow::values_mut);
        items.chain(conditions).chain(sort).chain(ranks).chain(overs)
    }
}

/// Explains that a name exists as an alias, but not in that clause.
fn with_alias_hint(error: SqlError, select: &Select) -> SqlError {
    let is_alias = |item: &SelectItem| match item {
        SelectItem::Expr { alias: Some(alias), .. } => error.message == format!("unknown column '{}'", alias.value),
        _ => false,
    };
    if error.origin.is_none() && select.projection.iter().any(is_alias) {
        let hint = "aliases of the select list are visible in ORDER BY only: repeat the expression, or use a subquery";
        return SqlError { hint: Some(hint.to_owned()), ..error };
    }
    error
}

/// Keeps the rows where the condition is true.
pub(super) fn filter(plan: LogicalPlan, condition: Expr) -> SqlResult<LogicalPlan> {
    Filter::try_new(condition, Arc::new(plan)).map(LogicalPlan::Filter).map_err(plan_error)
}

/// The position an ordinal of ORDER BY names.
pub(super) fn ordinal(text: &str, count: usize, span: Span) -> SqlResult<usize> {
    match text.parse::<usize>() {
        Ok(n) if (1..=count).contains(&n) => Ok(n - 1),
        _ => {
            let message = format!("ORDER BY position {text} is not in the select list, which has {count} columns");
            Err(SqlError::at("bad-order", message, span))
        }
    }
}
