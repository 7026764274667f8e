//! What an expression or query can see from where it stands.

use super::EXPANSION_DEPTH_MAX;
use super::pattern_scope::PatternScope;
use super::rank::RankCalls;
use super::scope::Scope;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast;

/// The surroundings of a query.
#[derive(Clone, Copy)]
pub(super) struct QueryEnv<'a> {
    /// Columns of the enclosing query, for a correlated subquery.
    pub outer: Option<&'a Scope<'a>>,
    /// Common table expressions in sight, innermost first.
    pub ctes: Option<&'a CteFrame<'a>>,
    /// Current catalog and database.
    pub defaults: &'a [String; 2],
    /// Hints of the SELECT whose FROM is being bound.
    pub hints: &'a [ast::Hint],
    /// How many views and common table expressions are being expanded.
    pub depth: usize,
}

impl<'a> QueryEnv<'a> {
    /// The surroundings of a statement.
    pub fn new(defaults: &'a [String; 2]) -> Self {
        Self { outer: None, ctes: None, defaults, hints: &[], depth: 0 }
    }

    /// The depth inside one more view or common table expression.
    pub fn expanded(self, span: Span) -> SqlResult<usize> {
        if self.depth < EXPANSION_DEPTH_MAX {
            return Ok(self.depth + 1);
        }
        let message = format!("views and common table expressions nest deeper than {EXPANSION_DEPTH_MAX}");
        Err(SqlError::at("views-too-deep", message, span))
    }

    /// The same surroundings without an enclosing query.
    pub fn uncorrelated(self) -> Self {
        Self { outer: None, ..self }
    }
}

/// One common table expression with those visible in its own query.
pub(super) struct CteFrame<'a> {
    pub cte: &'a ast::Cte,
    /// What the query of the expression sees: the frames before it.
    pub env: QueryEnv<'a>,
}

impl<'a> CteFrame<'a> {
    /// The expression of this name, if in sight.
    pub fn find(frames: Option<&'a CteFrame<'a>>, name: &str) -> Option<&'a CteFrame<'a>> {
        let mut next = frames;
        while let Some(frame) = next {
            if frame.cte.name.value == name {
                return Some(frame);
            }
            next = frame.env.ctes;
        }
        None
    }
}

/// The clause an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    /// A clause over rows: the name is for messages.
    Rows(&'static str),
    /// A clause over groups, where aggregates may stand.
    Groups(&'static str),
}

impl Clause {
    /// Name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows(name) | Self::Groups(name) => name,
        }
    }
}

/// The surroundings of an expression.
#[derive(Clone, Copy)]
pub(super) struct ExprEnv<'a> {
    /// The columns.
    pub scope: &'a Scope<'a>,
    /// For subqueries.
    pub query: QueryEnv<'a>,
    /// The clause.
    pub clause: Clause,
    /// Where ranking functions are collected; none where OVER may not stand.
    pub ranks: Option<&'a RankCalls<'a>>,
    /// The pattern whose rows are in sight, in MATCH_RECOGNIZE.
    pub pattern: Option<&'a PatternScope>,
    /// Whether the expression is an argument of an aggregate.
    pub in_aggregate: bool,
    /// Whether all rows are one group, which may be empty.
    pub global_groups: bool,
}

impl<'a> ExprEnv<'a> {
    /// An expression over rows.
    pub fn rows(scope: &'a Scope<'a>, query: QueryEnv<'a>, clause: &'static str) -> Self {
        Self {
            scope,
            query,
            clause: Clause::Rows(clause),
            ranks: None,
            pattern: None,
            in_aggregate: false,
            global_groups: false,
        }
    }

    /// The surroundings of an aggregate's argument.
    pub fn inside_aggregate(self) -> Self {
        Self { in_aggregate: true, ranks: None, ..self }
    }

    /// The surroundings of a subquery.
    pub fn subquery(self) -> QueryEnv<'a> {
        QueryEnv { outer: Some(self.scope), ..self.query }
    }
}
