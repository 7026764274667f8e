//! Queries.

use super::{Expr, Function, Ident, Literal, MatchRecognize, ObjectName, StringLiteral, WindowSpec};
use crate::Span;

/// `[WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Common table expressions.
    pub with: Vec<Cte>,
    /// Selects and set operations.
    pub body: SetExpr,
    /// The order; empty without.
    pub order_by: Vec<OrderByExpr>,
    /// `OFFSET n [ROWS]`.
    pub offset: Option<Expr>,
    /// `LIMIT n` or `FETCH FIRST n ROWS ONLY`; none for `LIMIT ALL`.
    pub limit: Option<Expr>,
    /// Where it stands, without enclosing parentheses.
    pub span: Span,
}

/// `name [(columns)] AS (query)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// The name.
    pub name: Ident,
    /// New names of the columns.
    pub columns: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// The body of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum SetExpr {
    /// `SELECT …`
    Select(Box<Select>),
    /// `VALUES (…), (…)`
    Values(Values),
    /// `TABLE name`
    Table(ObjectName),
    /// A query in parentheses, with its own `WITH`, `ORDER BY` or `LIMIT`.
    Query(Box<Query>),
    /// `left op [ALL | DISTINCT] right`; `INTERSECT` binds tighter than the others.
    SetOperation {
        /// The operator.
        op: SetOperator,
        /// `ALL` or `DISTINCT`; `DISTINCT` when absent.
        quantifier: Option<SetQuantifier>,
        /// The left operand.
        left: Box<SetExpr>,
        /// The right operand.
        right: Box<SetExpr>,
    },
}

/// Set operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// `UNION`
    Union,
    /// `INTERSECT`
    Intersect,
    /// `EXCEPT`, `MINUS`
    Except,
}

/// `ALL` or `DISTINCT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetQuantifier {
    /// `ALL`
    All,
    /// `DISTINCT`
    Distinct,
}

/// `VALUES row, row`.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// The rows; a row of one column may be a bare expression instead of an
    /// [`ExprKind::Row`](super::ExprKind::Row).
    pub rows: Vec<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// `SELECT …`.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// Hints behind `SELECT`.
    pub hints: Vec<Hint>,
    /// `DISTINCT` or `ALL`.
    pub quantifier: Option<SetQuantifier>,
    /// What is selected, at least one item.
    pub projection: Vec<SelectItem>,
    /// The comma list of `FROM`; empty when there is no `FROM`.
    pub from: Vec<TableRef>,
    /// `WHERE`.
    pub selection: Option<Expr>,
    /// `GROUP BY`.
    pub group_by: Option<GroupBy>,
    /// `HAVING`.
    pub having: Option<Expr>,
    /// `WINDOW w AS (…), …`.
    pub windows: Vec<NamedWindow>,
    /// `QUALIFY`.
    pub qualify: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// An item of a `SELECT` list.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `expr [[AS] alias]`
    Expr {
        /// The value.
        expr: Expr,
        /// The column name.
        alias: Option<Ident>,
    },
    /// `*`
    Wildcard(Span),
    /// `t.*`, `row.*`, `(expr).*`
    QualifiedWildcard {
        /// What is expanded; a [`Column`](super::ExprKind::Column) path for tables and rows.
        prefix: Expr,
        /// Where it stands, star included.
        span: Span,
    },
}

/// `GROUP BY [ALL | DISTINCT] items`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupBy {
    /// Whether equal grouping sets are kept (`ALL`) or not.
    pub quantifier: Option<SetQuantifier>,
    /// The items.
    pub items: Vec<GroupByItem>,
}

/// An item of `GROUP BY` or of a grouping set.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupByItem {
    /// What it is.
    pub kind: GroupByKind,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of grouping items.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupByKind {
    /// One expression.
    Expr(Expr),
    /// `(a, b)`; `()` when empty. `(a)` is an [`Expr`](Self::Expr).
    Tuple(Vec<Expr>),
    /// `GROUPING SETS (…)`
    GroupingSets(Vec<GroupByItem>),
    /// `CUBE (…)`
    Cube(Vec<GroupByItem>),
    /// `ROLLUP (…)`
    Rollup(Vec<GroupByItem>),
}

/// `name AS (window)`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedWindow {
    /// The name.
    pub name: Ident,
    /// The window.
    pub spec: WindowSpec,
}

/// `expr [ASC | DESC] [NULLS FIRST | LAST]`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderByExpr {
    /// The key; a positive integer literal names a select item.
    pub expr: Expr,
    /// The direction; ascending when absent.
    pub direction: Option<SortDirection>,
    /// Where nulls go; first when ascending and last when descending, when absent.
    pub nulls: Option<NullsOrder>,
}

/// Sort directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortDirection {
    /// `ASC`
    Asc,
    /// `DESC`
    Desc,
}

/// Where nulls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullsOrder {
    /// `NULLS FIRST`
    First,
    /// `NULLS LAST`
    Last,
}

/// One hint of `/*+ NAME(args), … */`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// The hint name; compare without regard to case.
    pub name: Ident,
    /// The arguments.
    pub args: Vec<HintArg>,
    /// Where it stands.
    pub span: Span,
}

/// An argument of a hint.
#[derive(Debug, Clone, PartialEq)]
pub enum HintArg {
    /// `'key' = 'value'`; an unquoted key is kept as text.
    KeyValue {
        /// The key.
        key: StringLiteral,
        /// The value.
        value: StringLiteral,
    },
    /// A table or alias.
    Name(ObjectName),
    /// A string or number.
    Literal(Literal, Span),
}

/// An item of `FROM`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRef {
    /// What it is.
    pub kind: TableRefKind,
    /// The alias; never on a join.
    pub alias: Option<TableAlias>,
    /// Where it stands, alias included.
    pub span: Span,
}

/// The kinds of `FROM` items.
#[derive(Debug, Clone, PartialEq)]
pub enum TableRefKind {
    /// A table, view or common table expression.
    Table(Box<NamedTable>),
    /// `[LATERAL] (query)`
    Derived {
        /// Whether it may refer to items to its left.
        lateral: bool,
        /// The query.
        query: Box<Query>,
    },
    /// `[LATERAL] TABLE(f(…))`, or `f(…)` alone.
    Function {
        /// Whether `LATERAL` was written.
        lateral: bool,
        /// Whether `TABLE(…)` was written around the call.
        wrapped: bool,
        /// The call.
        call: Box<Function>,
    },
    /// `UNNEST(expr, …) [WITH ORDINALITY]`
    Unnest {
        /// The collections.
        exprs: Vec<Expr>,
        /// Whether a position column is added.
        with_ordinality: bool,
    },
    /// `input MATCH_RECOGNIZE (…)`
    MatchRecognize {
        /// The rows.
        input: Box<TableRef>,
        /// The clause.
        clause: Box<MatchRecognize>,
    },
    /// `left JOIN right`
    Join(Box<Join>),
}

/// `name [/*+ hints */] [FOR SYSTEM_TIME AS OF expr]`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTable {
    /// The name.
    pub name: ObjectName,
    /// Hints behind the name.
    pub hints: Vec<Hint>,
    /// The point in time of a temporal join or of time travel.
    pub system_time: Option<Expr>,
}

/// `[AS] name [(columns)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableAlias {
    /// The new name.
    pub name: Ident,
    /// New names of the columns; empty without.
    pub columns: Vec<Ident>,
}

/// A join of two `FROM` items.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The left side.
    pub left: TableRef,
    /// The right side.
    pub right: TableRef,
    /// The join type.
    pub kind: JoinKind,
    /// The condition.
    pub constraint: JoinConstraint,
    /// Where the words `LEFT JOIN` and so on stand.
    pub operator_span: Span,
}

/// Join types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// `[INNER] JOIN`
    Inner,
    /// `LEFT [OUTER] JOIN`
    Left,
    /// `RIGHT [OUTER] JOIN`
    Right,
    /// `FULL [OUTER] JOIN`
    Full,
    /// `CROSS JOIN`
    Cross,
}

/// Join conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum JoinConstraint {
    /// `ON expr`
    On(Expr),
    /// `USING (a, b)`
    Using(Vec<Ident>),
    /// `NATURAL`
    Natural,
    /// Nothing.
    None,
}
