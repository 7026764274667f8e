//! Function calls, windows and functions with syntax of their own.

use super::{DataType, Expr, Hint, Ident, ObjectName, OrderByExpr, Query, SetQuantifier, TimeUnit};
use crate::Span;

/// A call of a scalar, aggregate, window or table function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name as written; function names resolve without regard to case.
    pub name: ObjectName,
    /// False for `CURRENT_DATE` and the like, which stand without parentheses.
    pub parenthesised: bool,
    /// `DISTINCT` or `ALL` before the arguments.
    pub quantifier: Option<SetQuantifier>,
    /// The arguments.
    pub args: Vec<FunctionArg>,
    /// `ORDER BY` inside the parentheses.
    pub order_by: Vec<OrderByExpr>,
    /// `RESPECT NULLS` or `IGNORE NULLS`.
    pub null_treatment: Option<NullTreatment>,
    /// `WITHIN GROUP (ORDER BY …)`.
    pub within_group: Vec<OrderByExpr>,
    /// `FILTER (WHERE …)`.
    pub filter: Option<Expr>,
    /// `OVER …`.
    pub over: Option<WindowRef>,
    /// Where the call stands.
    pub span: Span,
}

impl Function {
    /// A plain call `name(args…)`.
    pub fn call(name: ObjectName, args: Vec<FunctionArg>, span: Span) -> Self {
        Self {
            name,
            parenthesised: true,
            quantifier: None,
            args,
            order_by: Vec::new(),
            null_treatment: None,
            within_group: Vec::new(),
            filter: None,
            over: None,
            span,
        }
    }

    /// Whether the call is exactly `name(args…)`: none of the clauses for aggregates.
    pub fn is_plain(&self) -> bool {
        self.quantifier.is_none()
            && self.order_by.is_empty()
            && self.null_treatment.is_none()
            && self.within_group.is_empty()
            && self.filter.is_none()
            && self.over.is_none()
    }
}

/// An argument, positional or `name => value`.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionArg {
    /// The name in a named argument.
    pub name: Option<Ident>,
    /// The value.
    pub value: FunctionArgValue,
    /// Where the argument stands, name included.
    pub span: Span,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionArgValue {
    /// An expression.
    Expr(Expr),
    /// `*`, as in `COUNT(*)`.
    Star,
    /// A table argument.
    Table(Box<TableArg>),
    /// `DESCRIPTOR(a, b)`.
    Descriptor(Vec<Ident>),
    /// `MODEL name`.
    Model(ObjectName),
    /// `DEFAULT`: the optional argument is left out.
    Default,
}

/// `TABLE t` or `TABLE (query)` as an argument.
#[derive(Debug, Clone, PartialEq)]
pub struct TableArg {
    /// The rows.
    pub source: TableArgSource,
    /// Hints behind the table name.
    pub hints: Vec<Hint>,
    /// `PARTITION BY …`; empty without.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY …`; empty without.
    pub order_by: Vec<OrderByExpr>,
    /// Where it stands.
    pub span: Span,
}

/// Where the rows of a table argument come from.
#[derive(Debug, Clone, PartialEq)]
pub enum TableArgSource {
    /// A table or view.
    Name(ObjectName),
    /// A query.
    Query(Box<Query>),
}

/// How window functions treat nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullTreatment {
    /// `RESPECT NULLS`
    Respect,
    /// `IGNORE NULLS`
    Ignore,
}

/// What stands behind `OVER`.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowRef {
    /// The name of a window of the `WINDOW` clause.
    Named(Ident),
    /// A window in place.
    Spec(WindowSpec),
}

/// `([base] [PARTITION BY …] [ORDER BY …] [frame])`.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSpec {
    /// The window this one refines.
    pub base: Option<Ident>,
    /// The partition keys.
    pub partition_by: Vec<Expr>,
    /// The order.
    pub order_by: Vec<OrderByExpr>,
    /// The frame.
    pub frame: Option<WindowFrame>,
    /// Where it stands, parentheses included.
    pub span: Span,
}

/// `ROWS|RANGE bound` or `ROWS|RANGE BETWEEN bound AND bound`.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowFrame {
    /// What the bounds count.
    pub unit: FrameUnit,
    /// The first bound.
    pub start: FrameBound,
    /// The second bound; `CURRENT ROW` when absent.
    pub end: Option<FrameBound>,
    /// Where it stands.
    pub span: Span,
}

/// What frame bounds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// Distance in the order key.
    Range,
}

/// A frame bound.
#[derive(Debug, Clone, PartialEq)]
pub enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `expr PRECEDING`
    Preceding(Box<Expr>),
    /// `CURRENT ROW`
    CurrentRow,
    /// `expr FOLLOWING`
    Following(Box<Expr>),
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
}

/// Calls whose arguments are not a comma list. `SUBSTRING(a FROM b FOR c)` is not here: it
/// becomes the plain call `SUBSTRING(a, b, c)`.
#[derive(Debug, Clone, PartialEq)]
pub enum SpecialFunction {
    /// `EXTRACT(unit FROM source)`
    Extract {
        /// The part to extract.
        unit: TimeUnit,
        /// The temporal value.
        source: Expr,
    },
    /// `FLOOR(expr TO unit)`
    Floor {
        /// The temporal value.
        expr: Expr,
        /// The unit to round down to.
        unit: TimeUnit,
    },
    /// `CEIL(expr TO unit)`
    Ceil {
        /// The temporal value.
        expr: Expr,
        /// The unit to round up to.
        unit: TimeUnit,
    },
    /// `TIMESTAMPADD(unit, count, timestamp)`
    TimestampAdd {
        /// The unit.
        unit: TimeUnit,
        /// How many units.
        count: Expr,
        /// What to add to.
        timestamp: Expr,
    },
    /// `TIMESTAMPDIFF(unit, start, end)`
    TimestampDiff {
        /// The unit.
        unit: TimeUnit,
        /// The earlier point.
        start: Expr,
        /// The later point.
        end: Expr,
    },
    /// `POSITION(needle IN haystack [FROM from])`
    Position {
        /// What is sought.
        needle: Expr,
        /// Where it is sought.
        haystack: Expr,
        /// The first position considered.
        from: Option<Expr>,
    },
    /// `OVERLAY(string PLACING replacement FROM start [FOR length])`
    Overlay {
        /// The string.
        string: Expr,
        /// What is put in.
        replacement: Expr,
        /// The first replaced position, from 1.
        start: Expr,
        /// How many characters are replaced.
        length: Option<Expr>,
    },
    /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM string)`, `TRIM(string)`
    Trim {
        /// Which ends.
        side: TrimSide,
        /// What to remove; spaces when absent.
        characters: Option<Expr>,
        /// The string.
        string: Expr,
    },
    /// `JSON_EXISTS(input, path [behaviour ON ERROR])`
    JsonExists {
        /// The JSON text.
        input: Expr,
        /// The path.
        path: Expr,
        /// What an error gives.
        on_error: Option<JsonExistsBehavior>,
    },
    /// `JSON_VALUE(input, path [RETURNING type] [… ON EMPTY] [… ON ERROR])`
    JsonValue {
        /// The JSON text.
        input: Expr,
        /// The path.
        path: Expr,
        /// The result type.
        returning: Option<DataType>,
        /// What a missing value gives.
        on_empty: Option<JsonValueBehavior>,
        /// What an error gives.
        on_error: Option<JsonValueBehavior>,
    },
    /// `JSON_QUERY(input, path [RETURNING type] [… WRAPPER] [… ON EMPTY] [… ON ERROR])`
    JsonQuery {
        /// The JSON text.
        input: Expr,
        /// The path.
        path: Expr,
        /// The result type.
        returning: Option<DataType>,
        /// Whether results are wrapped in an array.
        wrapper: Option<JsonWrapper>,
        /// What a missing value gives.
        on_empty: Option<JsonQueryBehavior>,
        /// What an error gives.
        on_error: Option<JsonQueryBehavior>,
    },
    /// `JSON_OBJECT(KEY k VALUE v, … [NULL | ABSENT ON NULL])`
    JsonObject {
        /// The members.
        members: Vec<JsonMember>,
        /// What nulls give.
        on_null: Option<JsonNullClause>,
    },
    /// `JSON_ARRAY(a, … [NULL | ABSENT ON NULL])`
    JsonArray {
        /// The elements.
        elements: Vec<Expr>,
        /// What nulls give.
        on_null: Option<JsonNullClause>,
    },
    /// `JSON_OBJECTAGG(KEY k VALUE v [NULL | ABSENT ON NULL]) [FILTER (WHERE …)]`
    JsonObjectAgg {
        /// The member per row.
        member: JsonMember,
        /// What nulls give.
        on_null: Option<JsonNullClause>,
        /// The row filter.
        filter: Option<Expr>,
    },
    /// `JSON_ARRAYAGG(value [ORDER BY …] [NULL | ABSENT ON NULL]) [FILTER (WHERE …)]`
    JsonArrayAgg {
        /// The element per row.
        value: Expr,
        /// The order of the elements.
        order_by: Vec<OrderByExpr>,
        /// What nulls give.
        on_null: Option<JsonNullClause>,
        /// The row filter.
        filter: Option<Expr>,
    },
}

/// Which ends `TRIM` works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrimSide {
    /// `BOTH`, also when nothing is written
    Both,
    /// `LEADING`
    Leading,
    /// `TRAILING`
    Trailing,
}

/// `KEY key VALUE value`.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonMember {
    /// The member name.
    pub key: Expr,
    /// The member value.
    pub value: Expr,
}

/// `… ON ERROR` of `JSON_EXISTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonExistsBehavior {
    /// `TRUE`
    True,
    /// `FALSE`
    False,
    /// `UNKNOWN`
    Unknown,
    /// `ERROR`
    Error,
}

/// `… ON EMPTY` and `… ON ERROR` of `JSON_VALUE`.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonValueBehavior {
    /// `ERROR`
    Error,
    /// `NULL`
    Null,
    /// `DEFAULT expr`
    Default(Box<Expr>),
}

/// `… ON EMPTY` and `… ON ERROR` of `JSON_QUERY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonQueryBehavior {
    /// `ERROR`
    Error,
    /// `NULL`
    Null,
    /// `EMPTY ARRAY`
    EmptyArray,
    /// `EMPTY OBJECT`
    EmptyObject,
}

/// `… WRAPPER` of `JSON_QUERY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonWrapper {
    /// `WITHOUT [ARRAY] WRAPPER`
    Without,
    /// `WITH CONDITIONAL [ARRAY] WRAPPER`
    Conditional,
    /// `WITH [UNCONDITIONAL] [ARRAY] WRAPPER`
    Unconditional,
}

/// What JSON constructors do with nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonNullClause {
    /// `NULL ON NULL`
    Null,
    /// `ABSENT ON NULL`
    Absent,
}
