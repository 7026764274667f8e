//! Row patterns: `MATCH_RECOGNIZE`.

use super::{AggregateCall, SortKey};
use crate::Expr;
use serde::{Deserialize, Serialize};

/// Finds sequences of rows that match a pattern; one row per match.
///
/// Output row: the partition columns, then the measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchRecognizeSpec {
    /// Partition columns; the input is partitioned by them.
    pub keys: Vec<usize>,
    /// Position of the rowtime column that orders rows; rows are taken as they arrive when absent.
    pub rowtime: Option<usize>,
    /// Order of rows of the same time.
    pub order: Vec<SortKey>,
    /// The pattern: its variables in order.
    pub elements: Vec<PatternElement>,
    /// What conditions and measures read: their columns are positions in this list.
    pub references: Vec<RowReference>,
    /// The measures.
    pub measures: Vec<Expr>,
    /// Where matching goes on after a match.
    pub skip: SkipStrategy,
    /// The last row of a match comes less than this after the first.
    pub within_ms: Option<i64>,
}

/// A variable of a pattern with its quantifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatternElement {
    /// Its name.
    pub variable: String,
    /// At least so many rows.
    pub min: u32,
    /// At most so many rows; no bound when absent.
    pub max: Option<u32>,
    /// Whether it takes every row that it can, rather than leave one to the next variable.
    pub greedy: bool,
    /// The condition of its rows; all rows satisfy it when absent.
    pub condition: Option<Expr>,
}

/// A value of rows of a match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowReference {
    /// The variable (a position in the pattern) whose rows are looked at; all rows of the match when absent.
    pub variable: Option<usize>,
    /// Which of the rows.
    pub place: RowPlace,
}

/// Which of the rows of a variable a reference reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RowPlace {
    /// A column of the row so many before the last.
    Last {
        /// Rows back.
        offset: u64,
        /// The column.
        column: usize,
    },
    /// A column of the row so many behind the first.
    First {
        /// Rows on.
        offset: u64,
        /// The column.
        column: usize,
    },
    /// A column of the row so many before the last one of the variable, whatever it was mapped to.
    Previous {
        /// Rows back.
        offset: u64,
        /// The column.
        column: usize,
    },
    /// An aggregate of all of them.
    Aggregate(AggregateCall),
}

/// Where matching goes on after a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SkipStrategy {
    /// At the row after the first one of the match.
    NextRow,
    /// At the row after the last one.
    PastLastRow,
    /// At the first row of this variable.
    First(usize),
    /// At the last row of this variable.
    Last(usize),
}

/// Rows before the first one of a match that some reference may read.
pub fn look_back(references: &[RowReference]) -> u64 {
    let back = |reference: &RowReference| match reference.place {
        RowPlace::Previous { offset, .. } => offset,
        _ => 0,
    };
    references.iter().map(back).max().unwrap_or(0)
}
