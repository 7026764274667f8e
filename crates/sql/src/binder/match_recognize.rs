//! MATCH_RECOGNIZE in FROM.

use super::context::{ExprEnv, QueryEnv};
use super::from::Source;
use super::pattern_scope::{PatternScope, Referred};
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::select_list::unique_names;
use super::{Binder, Typed};
use crate::logical::match_recognize::{Element, Place, Reference};
use crate::logical::nodes::{NamedType, extension};
use crate::logical::{MatchRecognize, RankOrder};
use crate::{SqlError, SqlResult};
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr as DfExpr, LogicalPlan};
use headwater_plan::operators::SkipStrategy;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, AfterMatch, Ident, PatternExpr, RowsPerMatch, TableRef};
use headwater_types::TimeAttribute;
use std::collections::HashSet;

/// Most variables of a pattern.
const VARIABLES_MAX: usize = 64;

/// The order of a pattern's rows.
struct Order {
    rowtime: Option<String>,
    rest: Vec<RankOrder>,
}

impl Binder<'_> {
    /// The rows of matches.
    pub(super) fn match_recognize(
        &self,
        input: &TableRef,
        clause: &ast::MatchRecognize,
        item: &TableRef,
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        check_supported(clause)?;
        let (plan, relations) = self.table_ref(input, env)?;
        let rows = Scope::new(relations, None);
        let partition = self.partition(clause, &rows, env)?;
        let order = self.pattern_order(clause, &rows, env)?;
        let mut elements = elements(&clause.pattern)?;
        let names = elements.iter().map(|element| element.variable.clone()).collect();
        let pattern = PatternScope::new(self, names, rows.visible().cloned().collect(), order.rowtime.clone());
        self.define(clause, &mut elements, &pattern, env)?;
        let measures = self.measures(clause, &pattern, env)?;
        let within_ms = clause.within.as_ref().map(|within| self.interval_ms("WITHIN", within, env)).transpose()?;
        let (plan, references) = self.references(plan, pattern, &elements, &measures)?;
        let columns = self.match_columns(&partition, &measures);
        let schema =
            MatchRecognize::schema_of(&columns.iter().map(|c| (c.unique.clone(), c.ty.clone())).collect::<Vec<_>>());
        let own = columns[partition.len()..].iter().map(|c| (c.unique.clone(), c.ty.clone()));
        let node = MatchRecognize {
            input: plan,
            partition_by: partition.into_iter().map(|column| column.unique).collect(),
            rowtime: order.rowtime,
            order_by: order.rest,
            skip: skip(clause.after_match.as_ref(), &elements)?,
            measures: measures.into_iter().map(|(_, value)| value.expr).zip(own).collect(),
            columns: columns.iter().map(|c| (c.unique.clone(), c.ty.clone())).collect::<Vec<NamedType>>(),
            elements,
            references,
            within_ms,
            schema,
        };
        let path = item.alias.as_ref().map(|alias| alias.name.value.clone()).into_iter().collect();
        let columns = renamed(columns, item)?;
        Ok((extension(node), vec![ScopeRelation { path, columns }]))
    }

    fn partition(
        &self,
        clause: &ast::MatchRecognize,
        rows: &Scope<'_>,
        env: QueryEnv<'_>,
    ) -> SqlResult<Vec<ScopeColumn>> {
        let column = |key: &ast::Expr| {
            let value = self.expr(key, ExprEnv::rows(rows, env, "PARTITION BY"))?;
            let unique = value.column_name().and_then(|name| rows.visible().find(|column| column.unique == name));
            unique.cloned().ok_or_else(|| bad("PARTITION BY of MATCH_RECOGNIZE takes columns", key.span))
        };
        clause.partition_by.iter().map(column).collect()
    }

    fn pattern_order(&self, clause: &ast::MatchRecognize, rows: &Scope<'_>, env: QueryEnv<'_>) -> SqlResult<Order> {
        let mut order = Order { rowtime: None, rest: vec![] };
        for (position, key) in clause.order_by.iter().enumerate() {
            let bound = self.order_key(key, ExprEnv::rows(rows, env, "ORDER BY"))?;
            let Some(column) = bound.value.column_name() else {
                return Err(bad("ORDER BY of MATCH_RECOGNIZE takes columns", key.expr.span));
            };
            match (position, bound.value.ty.time_attribute()) {
                (0, TimeAttribute::None) => {
                    let message = "You must specify either rowtime or proctime for order by as the first one.";
                    return Err(bad(message, key.expr.span));
                }
                (0, _) if !bound.ascending => {
                    let message = "Primary sort order of a streaming table must be ascending on time.";
                    return Err(bad(message, key.expr.span));
                }
                (0, TimeAttribute::Rowtime) => order.rowtime = Some(column.to_owned()),
                (0, TimeAttribute::Proctime) => {}
                _ => order.rest.push(RankOrder {
                    column: column.to_owned(),
                    ascending: bound.ascending,
                    nulls_first: bound.nulls_first,
                }),
            }
        }
        if clause.order_by.is_empty() {
            return Err(bad("You must specify either rowtime or proctime for order by.", clause.span));
        }
        if let (None, false) = (&order.rowtime, order.rest.is_empty()) {
            return Err(SqlError::unsupported("a second order behind processing time", Some(clause.span)));
        }
        Ok(order)
    }

    /// Binds the conditions of variables.
    fn define(
        &self,
        clause: &ast::MatchRecognize,
        elements: &mut [Element],
        pattern: &PatternScope,
        env: QueryEnv<'_>,
    ) -> SqlResult<()> {
        let scope = pattern.scope();
        for definition in &clause.definitions {
            let name = &definition.variable;
            let known: Vec<String> = elements.iter().map(|element| element.variable.clone()).collect();
            let Some(element) = elements.iter_mut().find(|element| element.variable == name.value) else {
                let known = known.iter().map(String::as_str);
                return Err(SqlError::unknown(
                    "unknown-variable",
                    "pattern variable",
                    &name.value,
                    Some(name.span),
                    known,
                ));
            };
            if element.condition.is_some() {
                return Err(bad(&format!("the pattern variable '{}' is defined twice", name.value), name.span));
            }
            let env = ExprEnv { pattern: Some(pattern), ..ExprEnv::rows(&scope, env, "DEFINE") };
            element.condition = Some(self.condition(&definition.condition, env)?.expr);
        }
        Ok(())
    }

    /// Binds the measures, with their names.
    fn measures(
        &self,
        clause: &ast::MatchRecognize,
        pattern: &PatternScope,
        env: QueryEnv<'_>,
    ) -> SqlResult<Vec<(String, Typed)>> {
        let scope = pattern.scope();
        let measure = |measure: &ast::Measure| {
            let env = ExprEnv { pattern: Some(pattern), ..ExprEnv::rows(&scope, env, "MEASURES") };
            Ok((measure.alias.value.clone(), self.expr(&measure.expr, env)?))
        };
        clause.measures.iter().map(measure).collect()
    }

    /// The references that conditions and measures use, over the input with what they compute of its columns.
    fn references(
        &self,
        plan: LogicalPlan,
        pattern: PatternScope,
        elements: &[Element],
        measures: &[(String, Typed)],
    ) -> SqlResult<(LogicalPlan, Vec<Reference>)> {
        let conditions = elements.iter().filter_map(|element| element.condition.as_ref());
        let used: HashSet<String> =
            conditions.chain(measures.iter().map(|(_, value)| &value.expr)).flat_map(column_names).collect();
        let referred = pattern.into_referred().into_iter().filter(|referred| used.contains(&referred.name));
        let referred: Vec<Referred> = referred.collect();
        let (plan, names) = self.with_columns(plan, referred.iter().flat_map(|referred| &referred.args))?;
        let mut names = names.into_iter();
        let mut references = vec![];
        for referred in referred {
            let args: Vec<String> = names.by_ref().take(referred.args.len()).collect();
            references.push(referred.over(args).ok_or_else(|| SqlError::internal("a reference without its column"))?);
        }
        Ok((plan, references))
    }

    fn match_columns(&self, partition: &[ScopeColumn], measures: &[(String, Typed)]) -> Vec<ScopeColumn> {
        let keys = partition.iter().map(|column| (column.name.clone(), column.ty.clone()));
        let measures = measures.iter().map(|(name, value)| (name.clone(), value.ty.clone()));
        let columns: Vec<_> = keys.chain(measures).collect();
        let names = unique_names(columns.iter().map(|(name, _)| name.clone()));
        let column =
            |(name, (_, ty)): (String, (String, _))| ScopeColumn { unique: self.fresh(&name), name, ty, merged: false };
        names.into_iter().zip(columns).map(column).collect()
    }
}

fn bad(message: &str, span: Span) -> SqlError {
    SqlError::at("bad-pattern", message, span)
}

/// The columns with the names of the alias, if it gives any.
fn renamed(mut columns: Vec<ScopeColumn>, item: &TableRef) -> SqlResult<Vec<ScopeColumn>> {
    let given = item.alias.as_ref().map(|alias| alias.columns.as_slice()).unwrap_or_default();
    if !given.is_empty() && given.len() != columns.len() {
        let message = format!("the alias names {} columns, but the pattern gives {}", given.len(), columns.len());
        return Err(SqlError::at("column-count", message, item.span));
    }
    columns.iter_mut().zip(given).for_each(|(column, name)| column.name.clone_from(&name.value));
    Ok(columns)
}

/// Refuses what Flink refuses, too.
fn check_supported(clause: &ast::MatchRecognize) -> SqlResult<()> {
    let unsupported = |what: &str, span| Err(SqlError::unsupported(what, Some(span)));
    if clause.rows_per_match == Some(RowsPerMatch::All) {
        return unsupported("ALL ROWS PER MATCH", clause.span);
    }
    if let Some(subset) = clause.subsets.first() {
        return unsupported("SUBSET", subset.name.span);
    }
    if clause.pattern.anchored_start || clause.pattern.anchored_end {
        return unsupported("a pattern with ^ or $", clause.pattern.span);
    }
    Ok(())
}

/// The variables of a pattern with their quantifiers.
fn elements(pattern: &ast::Pattern) -> SqlResult<Vec<Element>> {
    let single = std::slice::from_ref(&pattern.expr);
    let parts = match &pattern.expr {
        PatternExpr::Concat(parts) => parts.as_slice(),
        _ => single,
    };
    let elements = parts.iter().map(|part| element(part, pattern.span)).collect::<SqlResult<Vec<Element>>>()?;
    let mut seen = HashSet::new();
    if !elements.iter().all(|element| seen.insert(&element.variable)) {
        return Err(bad("Pattern variables must be unique. That might change in the future.", pattern.span));
    }
    if elements.len() > VARIABLES_MAX {
        return Err(bad(&format!("a pattern has at most {VARIABLES_MAX} variables"), pattern.span));
    }
    if elements.iter().all(|element| element.min == 0) {
        let message = "Patterns that can produce empty matches are not supported. There must be at least one \
                       non-optional state.";
        return Err(bad(message, pattern.span));
    }
    if elements.last().is_some_and(|last| last.greedy) {
        let message = "Greedy quantifiers are not allowed as the last element of a Pattern yet. Finish your pattern \
                       with either a simple variable or reluctant quantifier.";
        return Err(bad(message, pattern.span));
    }
    Ok(elements)
}

fn element(part: &PatternExpr, span: Span) -> SqlResult<Element> {
    let once = |variable: &Ident| Element {
        variable: variable.value.clone(),
        min: 1,
        max: Some(1),
        greedy: false,
        condition: None,
    };
    match part {
        PatternExpr::Variable(variable) => Ok(once(variable)),
        PatternExpr::Quantified { inner, min, max, reluctant } => {
            let PatternExpr::Variable(variable) = inner.as_ref() else {
                return Err(SqlError::unsupported("a quantifier of a group of variables", Some(span)));
            };
            let optional = (*min, *max) == (0, Some(1));
            if optional && *reluctant {
                return Err(SqlError::unsupported(
                    "the quantifier '??' (reluctant optional variables)",
                    Some(variable.span),
                ));
            }
            if max.is_some_and(|max| max < *min || max == 0) {
                return Err(bad(
                    "a quantifier takes at least one row, and not less than its least number",
                    variable.span,
                ));
            }
            // An optional variable may always be left out, and a fixed number of rows leaves no choice.
            let greedy = !reluctant && !optional && Some(*min) != *max;
            Ok(Element { min: *min, max: *max, greedy, ..once(variable) })
        }
        PatternExpr::Concat(_) => Err(SqlError::unsupported("a group of variables in a pattern", Some(span))),
        PatternExpr::Alternation(_) => Err(SqlError::unsupported("the alternation '|' in a pattern", Some(span))),
        PatternExpr::Permute(_) => Err(SqlError::unsupported("PERMUTE in a pattern", Some(span))),
        PatternExpr::Exclude(_) => Err(SqlError::unsupported("an exclusion {- -} in a pattern", Some(span))),
    }
}

fn skip(after: Option<&AfterMatch>, elements: &[Element]) -> SqlResult<SkipStrategy> {
    let variable = |name: &Ident| {
        elements.iter().position(|element| element.variable == name.value).ok_or_else(|| {
            let known = elements.iter().map(|element| element.variable.as_str());
            SqlError::unknown("unknown-variable", "pattern variable", &name.value, Some(name.span), known)
        })
    };
    Ok(match after {
        None | Some(AfterMatch::SkipToNextRow) => SkipStrategy::NextRow,
        Some(AfterMatch::SkipPastLastRow) => SkipStrategy::PastLastRow,
        Some(AfterMatch::SkipToFirst(name)) => SkipStrategy::First(variable(name)?),
        Some(AfterMatch::SkipToLast(name)) => SkipStrategy::Last(variable(name)?),
    })
}

/// The columns an expression reads.
pub(super) fn column_names(expr: &DfExpr) -> Vec<String> {
    let mut names = vec![];
    // The visitor never fails.
    let _ = expr.apply(|node| {
        if let DfExpr::Column(column) = node {
            names.push(column.name.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    names
}

impl Referred {
    /// The reference, once its arguments are columns.
    fn over(self, args: Vec<String>) -> Option<Reference> {
        use super::pattern_scope::Kind;
        let place = match self.kind {
            Kind::Last(offset) => Place::Last(offset, args.into_iter().next()?),
            Kind::First(offset) => Place::First(offset, args.into_iter().next()?),
            Kind::Previous(offset) => Place::Previous(offset, args.into_iter().next()?),
            Kind::Aggregate { function, parameters } => Place::Aggregate { function, args, parameters },
        };
        Some(Reference { name: self.name, ty: self.ty, variable: self.variable, place })
    }
}
