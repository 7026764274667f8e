//! `(a, b) IN (query)`, which is unknown where NULLs leave open whether a row of the query is equal.
//!
//! It is true if some row is equal, unknown if some row may be, else false. A condition that passes rows needs one of
//! the two answers only: `IN` asks for an equal row, `NOT IN` for the absence of rows that may be equal.

use datafusion_common::ScalarValue;
use datafusion_expr::expr::Exists;
use datafusion_expr::{Case, Expr, lit};

/// The value of a membership; `found` and `possible` tell whether rows of the query are, or may be, equal.
pub fn row_membership(found: Exists, possible: Exists) -> Expr {
    let branches = vec![
        (Box::new(Expr::Exists(found)), Box::new(lit(true))),
        (Box::new(Expr::Exists(possible)), Box::new(Expr::Literal(ScalarValue::Boolean(None), None))),
    ];
    Expr::Case(Case::new(None, branches, Some(Box::new(lit(false)))))
}

/// A condition that passes the same rows: of a membership only the part that decides.
pub fn decisive(condition: Expr) -> Expr {
    match condition {
        Expr::Not(inner) => match parts(&inner) {
            Some((_, possible)) => Expr::Not(Box::new(possible.clone())),
            None => Expr::Not(inner),
        },
        other => match parts(&other) {
            Some((found, _)) => found.clone(),
            None => other,
        },
    }
}

fn parts(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(_) }) = expr else { return None };
    let [(found, yes), (possible, unknown)] = when_then_expr.as_slice() else { return None };
    let are_tests = matches!((found.as_ref(), possible.as_ref()), (Expr::Exists(_), Expr::Exists(_)));
    let is_unknown = matches!(unknown.as_ref(), Expr::Literal(ScalarValue::Boolean(None), _));
    (are_tests && is_unknown && **yes == lit(true)).then_some((found.as_ref(), possible.as_ref()))
}
