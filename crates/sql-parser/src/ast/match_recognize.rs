//! `MATCH_RECOGNIZE`.

use super::{Expr, Ident, OrderByExpr};
use crate::Span;

/// The clause behind `MATCH_RECOGNIZE`, in parentheses.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchRecognize {
    /// `PARTITION BY`.
    pub partition_by: Vec<Expr>,
    /// `ORDER BY`.
    pub order_by: Vec<OrderByExpr>,
    /// `MEASURES`.
    pub measures: Vec<Measure>,
    /// `ONE ROW PER MATCH` or `ALL ROWS PER MATCH`.
    pub rows_per_match: Option<RowsPerMatch>,
    /// `AFTER MATCH SKIP …`.
    pub after_match: Option<AfterMatch>,
    /// `PATTERN (…)`.
    pub pattern: Pattern,
    /// `WITHIN interval`.
    pub within: Option<Expr>,
    /// `SUBSET name = (a, b), …`.
    pub subsets: Vec<PatternSubset>,
    /// `DEFINE a AS condition, …`.
    pub definitions: Vec<PatternDefinition>,
    /// Where it stands, from the keyword to the closing parenthesis.
    pub span: Span,
}

/// `[FINAL | RUNNING] expr AS alias`.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Over which rows it is evaluated.
    pub semantics: Option<MeasureSemantics>,
    /// The value.
    pub expr: Expr,
    /// The output column.
    pub alias: Ident,
}

/// Over which rows a measure is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureSemantics {
    /// `FINAL`
    Final,
    /// `RUNNING`
    Running,
}

/// Which rows a match gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsPerMatch {
    /// `ONE ROW PER MATCH`
    One,
    /// `ALL ROWS PER MATCH`
    All,
}

/// Where matching goes on after a match.
#[derive(Debug, Clone, PartialEq)]
pub enum AfterMatch {
    /// `SKIP TO NEXT ROW`
    SkipToNextRow,
    /// `SKIP PAST LAST ROW`
    SkipPastLastRow,
    /// `SKIP TO FIRST variable`
    SkipToFirst(Ident),
    /// `SKIP TO [LAST] variable`
    SkipToLast(Ident),
}

/// `[^] pattern [$]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Whether it is anchored at the start (`^`).
    pub anchored_start: bool,
    /// Whether it is anchored at the end (`$`).
    pub anchored_end: bool,
    /// The pattern.
    pub expr: PatternExpr,
    /// Where it stands, without the parentheses.
    pub span: Span,
}

/// A row pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum PatternExpr {
    /// A pattern variable.
    Variable(Ident),
    /// `a b c`, at least two.
    Concat(Vec<PatternExpr>),
    /// `a | b`, at least two.
    Alternation(Vec<PatternExpr>),
    /// `a*`, `a+?`, `a{2,3}`.
    Quantified {
        /// What is repeated.
        inner: Box<PatternExpr>,
        /// At least so often.
        min: u32,
        /// At most so often; unbounded when absent.
        max: Option<u32>,
        /// Whether as few as possible are taken.
        reluctant: bool,
    },
    /// `PERMUTE(a, b)`.
    Permute(Vec<PatternExpr>),
    /// `{- a -}`.
    Exclude(Box<PatternExpr>),
}

/// `name = (a, b)`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternSubset {
    /// The name of the union.
    pub name: Ident,
    /// The variables in it.
    pub variables: Vec<Ident>,
}

/// `variable AS condition`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternDefinition {
    /// The variable.
    pub variable: Ident,
    /// The condition its rows satisfy.
    pub condition: Expr,
}
