//! Expressions.

use super::{DataType, Function, Ident, IntervalQualifier, Literal, ObjectName, Query, SpecialFunction};
use crate::Span;

/// An expression with its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands; covers the whole expression, without enclosing parentheses.
    pub span: Span,
}

impl Expr {
    /// An expression at a position.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The dotted path, when this is one.
    pub fn as_column(&self) -> Option<&ObjectName> {
        match &self.kind {
            ExprKind::Column(name) => Some(name),
            _ => None,
        }
    }

    /// The literal, when this is one.
    pub fn as_literal(&self) -> Option<&Literal> {
        match &self.kind {
            ExprKind::Literal(literal) => Some(literal),
            _ => None,
        }
    }
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A path `a`, `t.a`, `cat.db.t.a.field`: the binder decides what each part names.
    /// `USER`, `CURRENT_USER` and their like arrive here as well, unquoted.
    Column(ObjectName),
    /// A literal.
    Literal(Literal),
    /// `INTERVAL expr unit` with an expression instead of a string.
    Interval {
        /// The number of units.
        value: Box<Expr>,
        /// The unit.
        qualifier: IntervalQualifier,
    },
    /// `+a`, `-a`, `NOT a`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// The operand.
        expr: Box<Expr>,
    },
    /// Arithmetic, concatenation and comparison, left associative.
    Binary {
        /// The left operand.
        left: Box<Expr>,
        /// The operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `a AND b AND …` or `a OR b OR …`: two or more operands. An operand that is itself a
    /// chain of the same operator was parenthesised.
    Logical {
        /// The operator between all operands.
        op: LogicalOp,
        /// At least two operands.
        operands: Vec<Expr>,
    },
    /// `expr IS [NOT] test`.
    Is {
        /// The tested expression.
        expr: Box<Expr>,
        /// What it is tested for.
        test: IsTest,
        /// Whether `NOT` was written.
        negated: bool,
    },
    /// `left IS [NOT] DISTINCT FROM right`.
    IsDistinctFrom {
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
        /// Whether `NOT` was written.
        negated: bool,
    },
    /// `expr [NOT] BETWEEN [ASYMMETRIC | SYMMETRIC] low AND high`.
    Between {
        /// The tested expression.
        expr: Box<Expr>,
        /// The lower bound.
        low: Box<Expr>,
        /// The upper bound.
        high: Box<Expr>,
        /// Whether `NOT` was written.
        negated: bool,
        /// Whether the bounds may be exchanged.
        symmetric: bool,
    },
    /// `expr [NOT] LIKE pattern [ESCAPE escape]`, `SIMILAR TO` alike.
    Like {
        /// Which pattern language.
        kind: LikeKind,
        /// The tested expression.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The escape character.
        escape: Option<Box<Expr>>,
        /// Whether `NOT` was written.
        negated: bool,
    },
    /// `expr [NOT] IN (a, b, …)`.
    InList {
        /// The tested expression, possibly a row.
        expr: Box<Expr>,
        /// At least one value.
        list: Vec<Expr>,
        /// Whether `NOT` was written.
        negated: bool,
    },
    /// `expr [NOT] IN (query)`.
    InSubquery {
        /// The tested expression, possibly a row.
        expr: Box<Expr>,
        /// The subquery.
        query: Box<Query>,
        /// Whether `NOT` was written.
        negated: bool,
    },
    /// `left op ANY|SOME|ALL (query | a, b, …)`.
    Quantified {
        /// The left operand.
        left: Box<Expr>,
        /// The comparison.
        op: BinaryOp,
        /// Whether one or all must match.
        quantifier: Quantifier,
        /// What is compared with.
        right: QuantifiedRight,
    },
    /// `EXISTS (query)`.
    Exists(Box<Query>),
    /// `(query)` as a value.
    Subquery(Box<Query>),
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`.
    Case(Box<Case>),
    /// `CAST(expr AS type)`, `TRY_CAST(expr AS type)`.
    Cast {
        /// The value.
        expr: Box<Expr>,
        /// The target type.
        data_type: Box<DataType>,
        /// Whether a failure gives `NULL` (`TRY_CAST`).
        is_try: bool,
    },
    /// A function call with ordinary syntax.
    Function(Box<Function>),
    /// A function call with syntax of its own.
    Special(Box<SpecialFunction>),
    /// `ROW(a, b)` or `(a, b)`.
    Row {
        /// The fields.
        values: Vec<Expr>,
        /// Whether the word `ROW` was written.
        explicit: bool,
    },
    /// `ARRAY[a, b]`.
    Array(Vec<Expr>),
    /// `MAP[k, v, …]`.
    Map(Vec<(Expr, Expr)>),
    /// `base[index]`.
    Subscript {
        /// Array, map, row or variant.
        base: Box<Expr>,
        /// Position (from 1), key or field name.
        index: Box<Expr>,
    },
    /// `base.field` where the base is not a plain path: `(e).f`, `f(x).g`, `a[1].b`.
    FieldAccess {
        /// The composite value.
        base: Box<Expr>,
        /// The field.
        field: Ident,
    },
    /// `left OVERLAPS right` over rows of two (period predicates).
    Overlaps {
        /// The left period.
        left: Box<Expr>,
        /// The right period.
        right: Box<Expr>,
    },
}

/// Prefix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `NOT`
    Not,
}

/// Infix operators of [`ExprKind::Binary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `||`
    Concat,
    /// `=`
    Eq,
    /// `<>`, `!=`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
}

impl BinaryOp {
    /// The operator as SQL.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Plus => "+",
            BinaryOp::Minus => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::Concat => "||",
            BinaryOp::Eq => "=",
            BinaryOp::NotEq => "<>",
            BinaryOp::Lt => "<",
            BinaryOp::LtEq => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::GtEq => ">=",
        }
    }

    /// Whether the result is a boolean comparison.
    pub fn is_comparison(self) -> bool {
        matches!(self, BinaryOp::Eq | BinaryOp::NotEq | BinaryOp::Lt | BinaryOp::LtEq | BinaryOp::Gt | BinaryOp::GtEq)
    }
}

/// The operators of [`ExprKind::Logical`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogicalOp {
    /// `AND`
    And,
    /// `OR`
    Or,
}

/// What `IS` tests for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsTest {
    /// `IS NULL`
    Null,
    /// `IS TRUE`
    True,
    /// `IS FALSE`
    False,
    /// `IS UNKNOWN`
    Unknown,
    /// `IS JSON [VALUE]`
    JsonValue,
    /// `IS JSON SCALAR`
    JsonScalar,
    /// `IS JSON ARRAY`
    JsonArray,
    /// `IS JSON OBJECT`
    JsonObject,
}

/// The pattern languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeKind {
    /// `LIKE`
    Like,
    /// `SIMILAR TO`
    SimilarTo,
}

/// How many of the right side must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `ANY`, `SOME`
    Any,
    /// `ALL`
    All,
}

/// The right side of a quantified comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum QuantifiedRight {
    /// A subquery.
    Query(Box<Query>),
    /// A list of values.
    List(Vec<Expr>),
}

/// `CASE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The value compared with each `WHEN`; absent in a searched `CASE`.
    pub operand: Option<Expr>,
    /// The branches in order, at least one.
    pub branches: Vec<CaseBranch>,
    /// The `ELSE` value.
    pub otherwise: Option<Expr>,
}

/// `WHEN conditions THEN result`.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseBranch {
    /// One condition, or with an operand one or more values (`WHEN 1, 2`).
    pub conditions: Vec<Expr>,
    /// The value of the branch.
    pub result: Expr,
}
