//! VALUES, and the single empty row below a SELECT without FROM.

use super::context::QueryEnv;
use super::{Binder, BoundQuery, OutputColumn, Typed};
use crate::logical::InlineValues;
use crate::logical::nodes::extension;
use crate::{SqlError, SqlResult};
use datafusion_expr::LogicalPlan;
use headwater_functions::types::least_restrictive;
use headwater_sql_parser::ast::{ExprKind, Values};
use headwater_types::{LogicalType, TypeRoot};

impl Binder<'_> {
    /// Inline rows; columns are named EXPR$0, EXPR$1, …
    pub(super) fn values(&self, values: &Values, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let rows = self.value_rows(values, env)?;
        let width = rows[0].len();
        let mut columns = Vec::with_capacity(width);
        for position in 0..width {
            let types: Vec<_> = rows.iter().map(|row| row[position].ty.clone()).collect();
            let ty = value_type(&types).ok_or_else(|| no_common_type(values, position, &types))?;
            let name = format!("EXPR${position}");
            columns.push(OutputColumn { unique: self.fresh(&name), name, ty });
        }
        let mut exprs = Vec::with_capacity(rows.len());
        for row in rows {
            let cells = row.into_iter().zip(&columns).map(|(cell, column)| Ok(self.cast(cell, &column.ty)?.expr));
            exprs.push(cells.collect::<SqlResult<Vec<_>>>()?);
        }
        let named = columns.iter().map(|c| (c.unique.clone(), c.ty.clone())).collect();
        Ok(BoundQuery { plan: extension(InlineValues::new(exprs, named)), columns })
    }

    fn value_rows(&self, values: &Values, env: QueryEnv<'_>) -> SqlResult<Vec<Vec<Typed>>> {
        let mut rows: Vec<Vec<Typed>> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let cells = match &row.kind {
                ExprKind::Row { values, .. } => values.as_slice(),
                _ => std::slice::from_ref(row),
            };
            let bound = cells.iter().map(|cell| self.constant_expr(cell, env)).collect::<SqlResult<Vec<_>>>()?;
            if rows.first().is_some_and(|first| first.len() != bound.len()) {
                let message = format!("a row of VALUES has {} values, the first one {}", bound.len(), rows[0].len());
                return Err(SqlError::at("column-count", message, row.span));
            }
            rows.push(bound);
        }
        match rows.is_empty() {
            true => Err(SqlError::at("empty-values", "VALUES needs at least one row", values.span)),
            false => Ok(rows),
        }
    }

    /// One row without columns.
    pub(super) fn one_row(&self) -> LogicalPlan {
        extension(InlineValues::new(vec![vec![]], vec![]))
    }
}

fn value_type(types: &[LogicalType]) -> Option<LogicalType> {
    if types.iter().all(|t| t.root == TypeRoot::Null) {
        return Some(TypeRoot::Null.into());
    }
    least_restrictive(types)
}

fn no_common_type(values: &Values, position: usize, types: &[LogicalType]) -> SqlError {
    let odd = (2..=types.len()).find(|n| value_type(&types[..*n]).is_none()).unwrap_or(types.len());
    let message =
        format!("column {} of VALUES has no common type: {} after {}", position + 1, types[odd - 1], types[0]);
    SqlError::at("no-common-type", message, values.rows[odd - 1].span)
}
