//! What DEFINE and MEASURES see: the rows of pattern variables.
//!
//! A column of a variable, `A.price`, is that of its last row; without a variable it is that of the last row of the match.
//! In DEFINE the row that is asked about counts as the last one. Each such value is a column of its own, which
//! [`PatternScope`] makes: relations named after the variables offer them, and calls of FIRST, LAST, PREV and aggregates
//! add more.

use super::aggregate::is_aggregate;
use super::context::ExprEnv;
use super::match_recognize::column_names;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use datafusion_common::Column;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::Expr;
use headwater_functions::types::aggregate_type;
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Function, FunctionArgValue};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};
use std::cell::RefCell;

/// Functions that only patterns have, and that are not built.
const UNSUPPORTED: &[&str] = &["NEXT", "CLASSIFIER", "MATCH_NUMBER"];

/// The values of a pattern.
pub(super) struct PatternScope {
    variables: Vec<String>,
    /// The columns of rows.
    columns: Vec<ScopeColumn>,
    rowtime: Option<String>,
    referred: RefCell<Vec<Referred>>,
}

/// A value of rows of a match.
#[derive(Debug, Clone)]
pub(super) struct Referred {
    /// Unique name.
    pub name: String,
    pub ty: LogicalType,
    /// The variable; all rows when absent.
    pub variable: Option<usize>,
    pub kind: Kind,
    /// What is computed of a row.
    pub args: Vec<Typed>,
}

/// Which of the rows.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Last(u64),
    First(u64),
    Previous(u64),
    Aggregate { function: String, parameters: Vec<Value> },
}

impl PatternScope {
    /// The scope of variables over rows of these columns.
    pub fn new(
        binder: &Binder<'_>,
        variables: Vec<String>,
        columns: Vec<ScopeColumn>,
        rowtime: Option<String>,
    ) -> Self {
        let of = |variable: Option<usize>| {
            let value = move |column: &ScopeColumn| Referred {
                name: binder.fresh(&column.name),
                ty: value_type(&column.ty),
                variable,
                kind: Kind::Last(0),
                args: vec![Typed::column(&column.unique, column.ty.clone())],
            };
            columns.iter().map(value).collect::<Vec<_>>()
        };
        let all = std::iter::once(None).chain((0..variables.len()).map(Some));
        let referred = all.flat_map(of).collect();
        Self { variables, referred: RefCell::new(referred), columns, rowtime }
    }

    /// The columns in sight.
    pub fn scope(&self) -> Scope<'static> {
        let referred = self.referred.borrow();
        let paths = std::iter::once(None).chain(self.variables.iter().map(Some));
        let relations = paths.zip(referred.chunks(self.columns.len().max(1))).map(|(path, values)| {
            let column = |(column, value): (&ScopeColumn, &Referred)| ScopeColumn {
                name: column.name.clone(),
                unique: value.name.clone(),
                ty: value.ty.clone(),
                merged: path.is_some(),
            };
            let columns = self.columns.iter().zip(values).map(column).collect();
            ScopeRelation { path: path.cloned().into_iter().collect(), columns }
        });
        Scope::new(relations.collect(), None)
    }

    /// All values.
    pub fn into_referred(self) -> Vec<Referred> {
        self.referred.into_inner()
    }

    fn add(&self, referred: Referred) -> Typed {
        let value = Typed::column(&referred.name, referred.ty.clone());
        self.referred.borrow_mut().push(referred);
        value
    }

    /// An expression over values of one variable, as one over the columns of a row.
    fn of_row(&self, value: Typed, span: Span) -> SqlResult<(Option<usize>, Typed)> {
        let referred = self.referred.borrow();
        let find = |name: &str| referred.iter().find(|referred| referred.name == name);
        let mut variables: Vec<Option<usize>> =
            column_names(&value.expr).iter().filter_map(|name| Some(find(name)?.variable)).collect();
        variables.dedup();
        if variables.len() > 1 {
            let message = "the argument refers to more than one pattern variable: a function looks at the rows of one";
            return Err(SqlError::at("bad-pattern", message, span));
        }
        let to_row = |expr: Expr| {
            let column = match &expr {
                Expr::Column(column) => find(&column.name).and_then(|referred| referred.args.first()?.column_name()),
                _ => None,
            };
            let renamed = column.map(|name| Expr::Column(Column::new_unqualified(name)));
            Ok(renamed.map_or_else(|| Transformed::no(expr), Transformed::yes))
        };
        let expr = value.expr.transform(to_row).map_err(super::plan_error)?.data;
        Ok((variables.first().copied().flatten(), Typed { expr, ..value }))
    }
}

/// The type of a value that may not be there.
fn value_type(ty: &LogicalType) -> LogicalType {
    ty.clone().with_time_attribute(TimeAttribute::None).with_nullable(true)
}

impl Binder<'_> {
    /// A call over rows of a match; `None` for other functions.
    pub(super) fn pattern_call(
        &self,
        name: &str,
        call: &Function,
        pattern: &PatternScope,
        env: ExprEnv<'_>,
    ) -> SqlResult<Option<Typed>> {
        let value = match name {
            "FIRST" | "LAST" | "PREV" => self.navigation(name, call, pattern, env)?,
            "MATCH_ROWTIME" => self.match_rowtime(call, pattern)?,
            "MATCH_PROCTIME" => self.call("PROCTIME", vec![], call.span)?,
            _ if UNSUPPORTED.contains(&name) => {
                return Err(SqlError::unsupported(format!("the function {name} in MATCH_RECOGNIZE"), Some(call.span)));
            }
            _ if is_aggregate(name) => self.pattern_aggregate(name, call, pattern, env)?,
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    /// `LAST(A.price, 2)` and its like.
    fn navigation(&self, name: &str, call: &Function, pattern: &PatternScope, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let wrong = |what: &str| SqlError::at("bad-function-call", format!("{name} {what}"), call.span);
        let exprs = call.args.iter().map(|arg| match &arg.value {
            FunctionArgValue::Expr(expr) => Ok(expr),
            _ => Err(wrong("takes a value and a number of rows")),
        });
        let exprs = exprs.collect::<SqlResult<Vec<_>>>()?;
        let (value, offset) = match exprs.as_slice() {
            [value] => (value, u64::from(name == "PREV")),
            [value, offset] => {
                let given = self.constant_expr(offset, env.query)?;
                match self.fold(&given) {
                    Some(Value::Int(offset)) if offset >= 0 => (value, offset as u64),
                    _ => return Err(wrong("counts rows by a constant that is not negative")),
                }
            }
            _ => return Err(wrong("takes a value and, optionally, a number of rows")),
        };
        let bound = self.expr(value, ExprEnv { pattern: None, ..env })?;
        let ty = value_type(&bound.ty);
        let (variable, arg) = pattern.of_row(bound, call.span)?;
        let kind = match name {
            "FIRST" => Kind::First(offset),
            "LAST" => Kind::Last(offset),
            _ => Kind::Previous(offset),
        };
        Ok(pattern.add(Referred { name: self.fresh(name), ty, variable, kind, args: vec![arg] }))
    }

    /// The event time of the last row, which is the event time of the match.
    fn match_rowtime(&self, call: &Function, pattern: &PatternScope) -> SqlResult<Typed> {
        let rowtime = pattern.rowtime.as_ref().and_then(|name| pattern.columns.iter().find(|c| c.unique == *name));
        let Some(column) = rowtime else {
            let message = "MATCH_ROWTIME needs a pattern that is ordered by event time";
            return Err(SqlError::at("bad-function-call", message, call.span));
        };
        Ok(pattern.add(Referred {
            name: self.fresh("MATCH_ROWTIME"),
            ty: column.ty.clone(),
            variable: None,
            kind: Kind::Last(0),
            args: vec![Typed::column(&column.unique, column.ty.clone())],
        }))
    }

    fn pattern_aggregate(
        &self,
        name: &str,
        call: &Function,
        pattern: &PatternScope,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if call.quantifier.is_some() || call.filter.is_some() || !call.order_by.is_empty() {
            let what = format!("DISTINCT, FILTER and ORDER BY of {name} in MATCH_RECOGNIZE");
            return Err(SqlError::unsupported(what, Some(call.span)));
        }
        let (args, parameters) = self.aggregate_args(name, call, ExprEnv { pattern: None, ..env })?;
        let ty = match args.first() {
            None => LogicalType::from(TypeRoot::BigInt).not_null(),
            Some(arg) => aggregate_type(name, &arg.ty).map_err(|e| SqlError::from(e).with_span(call.span))?,
        };
        let mut variable = None;
        let mut of_row = vec![];
        for arg in args {
            let (own, arg) = pattern.of_row(arg, call.span)?;
            variable = variable.or(own);
            of_row.push(arg);
        }
        let counts = matches!(name, "COUNT" | "APPROX_COUNT_DISTINCT" | "SUM0" | "$SUM0" | "COLLECT");
        let ty = if counts { ty } else { ty.with_nullable(true) };
        let kind = Kind::Aggregate { function: name.to_owned(), parameters };
        Ok(pattern.add(Referred { name: self.fresh(name), ty, variable, kind, args: of_row }))
    }
}
