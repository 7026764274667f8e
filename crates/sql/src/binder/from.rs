//! FROM: tables, views, subqueries, functions.

use super::context::{CteFrame, QueryEnv};
use super::scope::{ScopeColumn, ScopeRelation};
use super::{Binder, BoundQuery};
use crate::{SqlError, SqlResult};
use datafusion_expr::LogicalPlan;
use headwater_sql_parser::ast::{
    Hint, HintArg, JoinConstraint, JoinKind, ObjectName, TableAlias, TableRef, TableRefKind,
};
use std::collections::BTreeMap;

/// A plan with the relations it offers.
pub(super) type Source = (LogicalPlan, Vec<ScopeRelation>);

impl Binder<'_> {
    /// The comma list of FROM: a cross join; one empty row without FROM.
    pub(super) fn sources(&self, from: &[TableRef], env: QueryEnv<'_>) -> SqlResult<Source> {
        let Some((first, rest)) = from.split_first() else { return Ok((self.one_row(), vec![])) };
        let mut source = self.table_ref(first, env)?;
        for item in rest {
            source = self.joined(source, item, JoinKind::Cross, &JoinConstraint::None, env)?;
        }
        Ok(source)
    }

    /// One item of FROM, with what hints say about its state.
    pub(super) fn table_ref(&self, item: &TableRef, env: QueryEnv<'_>) -> SqlResult<Source> {
        let (plan, relations) = self.bare_table_ref(item, env)?;
        Ok((super::hints::with_state_ttl(plan, &relations, env.hints)?, relations))
    }

    fn bare_table_ref(&self, item: &TableRef, env: QueryEnv<'_>) -> SqlResult<Source> {
        let generated = self.generated_alias(item);
        let path = || generated.clone().into_iter().collect();
        match &item.kind {
            TableRefKind::Table(table) => {
                if table.system_time.is_some() {
                    return Err(SqlError::unsupported("FOR SYSTEM_TIME AS OF outside of a join", Some(item.span)));
                }
                let bound = self.named_relation(&table.name, &table.hints, env)?;
                self.note_alias(item, bound.path.last().map_or("", String::as_str));
                self.aliased(bound.query, bound.path, item.alias.as_ref())
            }
            TableRefKind::Derived { query, .. } => {
                let bound = self.inner_query(query, env)?;
                self.aliased(bound, path(), item.alias.as_ref())
            }
            TableRefKind::Function { lateral, call, .. } => {
                let bound = self.table_function(call, *lateral, env)?;
                self.aliased(bound, path(), item.alias.as_ref())
            }
            TableRefKind::Unnest { exprs, with_ordinality } => {
                let empty = (self.one_row(), vec![]);
                self.unnest(empty, exprs, *with_ordinality, false, item, env)
            }
            TableRefKind::MatchRecognize { input, clause } => self.match_recognize(input, clause, item, env),
            TableRefKind::Join(join) => self.join(join, env),
        }
    }

    /// The query's columns as one relation.
    pub(super) fn aliased(
        &self,
        bound: BoundQuery,
        path: Vec<String>,
        alias: Option<&TableAlias>,
    ) -> SqlResult<Source> {
        let path = alias.map_or(path, |alias| vec![alias.name.value.clone()]);
        let names = alias.map_or(&[][..], |alias| alias.columns.as_slice());
        let bound = self.with_column_names(bound, names, "the alias")?;
        let columns = bound.columns.into_iter().map(ScopeColumn::from).collect();
        Ok((bound.plan, vec![ScopeRelation { path, columns }]))
    }

    /// A table, view or common table expression by name.
    pub(super) fn named_relation(
        &self,
        name: &ObjectName,
        hints: &[Hint],
        env: QueryEnv<'_>,
    ) -> SqlResult<NamedSource> {
        self.count_relation(name.span())?;
        if let Some(single) = name.as_single()
            && let Some(frame) = CteFrame::find(env.ctes, &single.value)
        {
            self.note_text(name.span(), || super::notes::dotted(name.parts()));
            return self.cte(frame, name, env);
        }
        let relation = self.catalog.resolve_in(name, env.defaults)?;
        self.note_text(name.span(), || relation.path().to_string());
        let options = option_hints(hints)?;
        self.relation(relation, options, name, env)
    }

    fn cte(&self, frame: &CteFrame<'_>, name: &ObjectName, env: QueryEnv<'_>) -> SqlResult<NamedSource> {
        let depth = env.expanded(name.span())?;
        let bound = self.inner_query(&frame.cte.query, QueryEnv { depth, ..frame.env })?;
        let what = format!("the common table expression '{}'", frame.cte.name.value);
        let query = self.with_column_names(bound, &frame.cte.columns, &what)?;
        Ok(NamedSource { query, path: vec![frame.cte.name.value.clone()] })
    }

    /// `TABLE name` as a query.
    pub(super) fn whole_table(&self, name: &ObjectName, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        Ok(self.named_relation(name, &[], env)?.query)
    }
}

/// A named relation with the parts of its name.
pub(super) struct NamedSource {
    pub query: BoundQuery,
    pub path: Vec<String>,
}

/// The merged OPTIONS hints; the first hint wins, within one hint the last value does. Other hints do not
/// change results and are left to the planner.
pub(super) fn option_hints(hints: &[Hint]) -> SqlResult<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    for hint in hints.iter().filter(|h| h.name.value.eq_ignore_ascii_case("OPTIONS")) {
        let mut own = BTreeMap::new();
        for arg in &hint.args {
            let HintArg::KeyValue { key, value } = arg else {
                let message = "OPTIONS takes 'key' = 'value' pairs";
                return Err(SqlError::at("bad-hint", message, hint.span));
            };
            own.insert(key.value.clone(), value.value.clone());
        }
        for (key, value) in own {
            options.entry(key).or_insert(value);
        }
    }
    Ok(options)
}
