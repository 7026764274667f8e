//! Expressions, with as few parentheses as the tree allows.

use std::fmt::{self, Display, Formatter};

use super::{Bare, Commas, when};
use crate::ast::{
    BinaryOp, Case, Expr, ExprKind, IsTest, LikeKind, LogicalOp, ObjectName, QuantifiedRight, Quantifier, UnaryOp,
};
use crate::parser::power;

/// How tight a construct without operators at its edges binds.
const PRIMARY: u8 = u8::MAX;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

/// An operand that gets parentheses when it binds less tight than its place asks for.
pub(super) struct Operand<'a>(pub(super) &'a Expr, pub(super) u8);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Operand(expr, min_power) = self;
        if power_of(&expr.kind) < *min_power { write!(f, "({expr})") } else { expr.fmt(f) }
    }
}

/// The base of a subscript or of a field access.
struct Base<'a> {
    expr: &'a Expr,
    /// Whether a plain path may go without parentheses.
    allows_path: bool,
}

impl Display for Base<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_closed = match &self.expr.kind {
            ExprKind::Column(_) => self.allows_path,
            ExprKind::Subscript { .. }
            | ExprKind::FieldAccess { .. }
            | ExprKind::Special(_)
            | ExprKind::Array(_)
            | ExprKind::Map(_)
            | ExprKind::Cast { .. } => true,
            ExprKind::Function(call) => call.parenthesised && call.is_plain(),
            ExprKind::Row { explicit, .. } => *explicit,
            _ => false,
        };
        if is_closed { self.expr.fmt(f) } else { write!(f, "({})", self.expr) }
    }
}

fn power_of(kind: &ExprKind) -> u8 {
    match kind {
        ExprKind::Logical { op, .. } => logical_power(*op),
        ExprKind::Unary { op, .. } => unary_power(*op),
        ExprKind::Binary { op, .. } => binary_power(*op),
        ExprKind::Quantified { .. } => power::COMPARISON,
        ExprKind::Is { .. } => power::IS,
        ExprKind::IsDistinctFrom { .. }
        | ExprKind::Between { .. }
        | ExprKind::Like { .. }
        | ExprKind::InList { .. }
        | ExprKind::InSubquery { .. }
        | ExprKind::Overlaps { .. } => power::PREDICATE,
        _ => PRIMARY,
    }
}

fn logical_power(op: LogicalOp) -> u8 {
    match op {
        LogicalOp::Or => power::OR,
        LogicalOp::And => power::AND,
    }
}

fn unary_power(op: UnaryOp) -> u8 {
    match op {
        UnaryOp::Not => power::NOT,
        UnaryOp::Plus | UnaryOp::Minus => power::UNARY,
    }
}

fn binary_power(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Plus | BinaryOp::Minus => power::ADDITIVE,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo | BinaryOp::Concat => power::MULTIPLICATIVE,
        _ => power::COMPARISON,
    }
}

impl Display for ExprKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ExprKind::Column(name) => column(f, name),
            ExprKind::Literal(literal) => literal.fmt(f),
            ExprKind::Interval { value, qualifier } => {
                write!(f, "INTERVAL ({value}) {qualifier}")
            }
            ExprKind::Exists(query) => write!(f, "EXISTS ({query})"),
            ExprKind::Subquery(query) => write!(f, "({query})"),
            ExprKind::Case(case) => case.fmt(f),
            ExprKind::Cast { expr, data_type, is_try } => {
                let name = if *is_try { "TRY_CAST" } else { "CAST" };
                write!(f, "{name}({expr} AS {data_type})")
            }
            ExprKind::Function(call) => call.fmt(f),
            ExprKind::Special(call) => call.fmt(f),
            ExprKind::Row { values, explicit } => {
                write!(f, "{}({})", when(*explicit, "ROW"), Commas(values))
            }
            ExprKind::Array(values) => write!(f, "ARRAY[{}]", Commas(values)),
            ExprKind::Map(entries) => map(f, entries),
            ExprKind::Subscript { base, index } => {
                let base = Base { expr: base, allows_path: true };
                write!(f, "{base}[{index}]")
            }
            ExprKind::FieldAccess { base, field } => {
                let base = Base { expr: base, allows_path: false };
                write!(f, "{base}.{field}")
            }
            operator => operation(f, operator),
        }
    }
}

/// The kinds with operators.
fn operation(f: &mut Formatter<'_>, kind: &ExprKind) -> fmt::Result {
    match kind {
        ExprKind::Unary { op, expr } => unary(f, *op, expr),
        ExprKind::Binary { left, op, right, .. } => {
            let power = binary_power(*op);
            let (left, right) = (Operand(left, power), Operand(right, power + 1));
            write!(f, "{left} {} {right}", op.symbol())
        }
        ExprKind::Logical { op, operands } => logical(f, *op, operands),
        ExprKind::Is { expr, test, negated } => {
            let not = when(*negated, "NOT ");
            write!(f, "{} IS {not}{}", Operand(expr, power::IS), test_words(*test))
        }
        ExprKind::Quantified { left, op, quantifier, right } => {
            let word = match quantifier {
                Quantifier::Any => "ANY",
                Quantifier::All => "ALL",
            };
            let left = Operand(left, power::COMPARISON);
            write!(f, "{left} {} {word} ({right})", op.symbol())
        }
        predicate => self::predicate(f, predicate),
    }
}

fn predicate(f: &mut Formatter<'_>, kind: &ExprKind) -> fmt::Result {
    match kind {
        ExprKind::IsDistinctFrom { left, right, negated } => {
            let (left, right) = (subject(left), argument(right));
            write!(f, "{left} IS {}DISTINCT FROM {right}", when(*negated, "NOT "))
        }
        ExprKind::Between { expr, low, high, negated, symmetric } => {
            let (not, mode) = (when(*negated, "NOT "), when(*symmetric, "SYMMETRIC "));
            let (low, high) = (argument(low), argument(high));
            write!(f, "{} {not}BETWEEN {mode}{low} AND {high}", subject(expr))
        }
        ExprKind::Like { kind, expr, pattern, escape, negated } => {
            let word = match kind {
                LikeKind::Like => "LIKE",
                LikeKind::SimilarTo => "SIMILAR TO",
            };
            let (expr, not) = (subject(expr), when(*negated, "NOT "));
            write!(f, "{expr} {not}{word} {}", argument(pattern))?;
            match escape {
                Some(escape) => write!(f, " ESCAPE {}", argument(escape)),
                None => Ok(()),
            }
        }
        ExprKind::InList { expr, list, negated } => {
            let not = when(*negated, "NOT ");
            write!(f, "{} {not}IN ({})", subject(expr), Commas(list))
        }
        ExprKind::InSubquery { expr, query, negated } => {
            let not = when(*negated, "NOT ");
            write!(f, "{} {not}IN ({query})", subject(expr))
        }
        ExprKind::Overlaps { left, right } => {
            write!(f, "{} OVERLAPS {}", subject(left), argument(right))
        }
        _ => Ok(()), // every other kind is printed by the callers
    }
}

fn subject(expr: &Expr) -> Operand<'_> {
    Operand(expr, power::PREDICATE)
}

fn argument(expr: &Expr) -> Operand<'_> {
    Operand(expr, power::ADDITIVE)
}

/// A path; `USER` and the like only mean themselves without backticks.
fn column(f: &mut Formatter<'_>, name: &ObjectName) -> fmt::Result {
    match name.as_single() {
        Some(ident) if crate::parser::is_context_value(&ident.value.to_ascii_uppercase()) => Bare(ident).fmt(f),
        _ => name.fmt(f),
    }
}

fn unary(f: &mut Formatter<'_>, op: UnaryOp, expr: &Expr) -> fmt::Result {
    let operand = Operand(expr, unary_power(op));
    // A sign before a sign needs a space: `--` starts a comment.
    let is_signed = matches!(expr.kind, ExprKind::Unary { .. });
    match op {
        UnaryOp::Not => write!(f, "NOT {operand}"),
        UnaryOp::Plus => write!(f, "+{}{operand}", when(is_signed, " ")),
        UnaryOp::Minus => write!(f, "-{}{operand}", when(is_signed, " ")),
    }
}

fn logical(f: &mut Formatter<'_>, op: LogicalOp, operands: &[Expr]) -> fmt::Result {
    let word = match op {
        LogicalOp::And => " AND ",
        LogicalOp::Or => " OR ",
    };
    for (index, operand) in operands.iter().enumerate() {
        f.write_str(when(index > 0, word))?;
        Operand(operand, logical_power(op) + 1).fmt(f)?;
    }
    Ok(())
}

fn test_words(test: IsTest) -> &'static str {
    match test {
        IsTest::Null => "NULL",
        IsTest::True => "TRUE",
        IsTest::False => "FALSE",
        IsTest::Unknown => "UNKNOWN",
        IsTest::JsonValue => "JSON VALUE",
        IsTest::JsonScalar => "JSON SCALAR",
        IsTest::JsonArray => "JSON ARRAY",
        IsTest::JsonObject => "JSON OBJECT",
    }
}

fn map(f: &mut Formatter<'_>, entries: &[(Expr, Expr)]) -> fmt::Result {
    f.write_str("MAP[")?;
    for (index, (key, value)) in entries.iter().enumerate() {
        write!(f, "{}{key}, {value}", when(index > 0, ", "))?;
    }
    f.write_str("]")
}

impl Display for QuantifiedRight {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            QuantifiedRight::Query(query) => query.fmt(f),
            QuantifiedRight::List(values) => Commas(values).fmt(f),
        }
    }
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("CASE")?;
        if let Some(operand) = &self.operand {
            write!(f, " {operand}")?;
        }
        for branch in &self.branches {
            let conditions = Commas(&branch.conditions);
            write!(f, " WHEN {conditions} THEN {}", branch.result)?;
        }
        if let Some(otherwise) = &self.otherwise {
            write!(f, " ELSE {otherwise}")?;
        }
        f.write_str(" END")
    }
}
