//! ROW, ARRAY and MAP constructors, and element access.

use super::super::{Binder, Typed};
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast;
use headwater_types::TypeRoot;

impl Binder<'_> {
    /// `ROW(…)`; a parenthesised list alike.
    pub(super) fn row(&self, values: &[ast::Expr], span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let values = self.exprs(values, env)?;
        if !values.is_empty() && values.iter().all(|v| v.ty.root == TypeRoot::Null) {
            let error = SqlError::at("untyped-null", "Illegal use of 'NULL': the row has no typed field", span);
            return Err(error.with_hint("write CAST(NULL AS type)"));
        }
        self.call("ROW", values, span)
    }

    pub(super) fn array(&self, values: &[ast::Expr], span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        self.call("ARRAY", self.exprs(values, env)?, span)
    }

    pub(super) fn map(&self, entries: &[(ast::Expr, ast::Expr)], span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let mut args = Vec::with_capacity(entries.len() * 2);
        for (key, value) in entries {
            args.push(self.expr(key, env)?);
            args.push(self.expr(value, env)?);
        }
        self.call("MAP", args, span)
    }

    /// `base[index]`: a field of a row by a literal, an element otherwise.
    pub(super) fn subscript(
        &self,
        base: &ast::Expr,
        index: &ast::Expr,
        span: Span,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let (base, key) = (self.expr(base, env)?, self.expr(index, env)?);
        let Some(fields) = base.ty.row_fields() else {
            return self.call("ITEM", vec![base, key], span);
        };
        match &key.literal {
            Some(Value::String(name)) => self.field(base, &name.clone(), index.span),
            Some(Value::Int(position)) => {
                let count = fields.len();
                let at = usize::try_from(*position).ok().filter(|p| (1..=count).contains(p));
                let at = at.ok_or_else(|| {
                    let message = format!("the row has fields 1 to {count}, not {position}");
                    SqlError::at("unknown-field", message, index.span)
                })?;
                Ok(self.field_at(base, at - 1))
            }
            _ => {
                let message = "a field of a row is chosen by a literal name or position";
                Err(SqlError::at("unknown-field", message, index.span))
            }
        }
    }

    /// `(start, end) OVERLAPS (start, end)`.
    pub(super) fn overlaps(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        use headwater_sql_parser::ast::ExprKind;
        let ExprKind::Overlaps { left, right } = &expr.kind else {
            return Err(SqlError::internal("not an OVERLAPS"));
        };
        let (ExprKind::Row { values: left, .. }, ExprKind::Row { values: right, .. }) = (&left.kind, &right.kind)
        else {
            let message = "OVERLAPS compares two periods, each written (start, end) or (start, interval)";
            return Err(SqlError::at("bad-operand", message, expr.span));
        };
        if left.len() != 2 || right.len() != 2 {
            let message = "a period of OVERLAPS has two parts: (start, end) or (start, interval)";
            return Err(SqlError::at("bad-operand", message, expr.span));
        }
        let mut args = self.exprs(left, env)?;
        args.extend(self.exprs(right, env)?);
        self.call("OVERLAPS", args, expr.span)
    }

    /// NULL as a typed literal.
    pub(in crate::binder) fn null_of(&self, root: TypeRoot) -> SqlResult<Typed> {
        self.literal(Value::Null, root)
    }
}
