//! `MATCH_RECOGNIZE`.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, ListClause, separated, when};
use crate::ast::{
    AfterMatch, MatchRecognize, Measure, MeasureSemantics, Pattern, PatternDefinition, PatternExpr, PatternSubset,
    RowsPerMatch,
};

impl Display for MatchRecognize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("MATCH_RECOGNIZE (")?;
        if !self.partition_by.is_empty() {
            write!(f, "PARTITION BY {} ", Commas(&self.partition_by))?;
        }
        if !self.order_by.is_empty() {
            write!(f, "ORDER BY {} ", Commas(&self.order_by))?;
        }
        if !self.measures.is_empty() {
            write!(f, "MEASURES {} ", Commas(&self.measures))?;
        }
        f.write_str(match self.rows_per_match {
            Some(RowsPerMatch::One) => "ONE ROW PER MATCH ",
            Some(RowsPerMatch::All) => "ALL ROWS PER MATCH ",
            None => "",
        })?;
        if let Some(after_match) = &self.after_match {
            write!(f, "{after_match} ")?;
        }
        self.pattern.fmt(f)?;
        write!(f, "{}", Clause("WITHIN", self.within.as_ref()))?;
        write!(f, "{}", ListClause("SUBSET", &self.subsets))?;
        write!(f, " DEFINE {})", Commas(&self.definitions))
    }
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.semantics {
            Some(MeasureSemantics::Final) => "FINAL ",
            Some(MeasureSemantics::Running) => "RUNNING ",
            None => "",
        })?;
        write!(f, "{} AS {}", self.expr, self.alias)
    }
}

impl Display for AfterMatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("AFTER MATCH SKIP ")?;
        match self {
            AfterMatch::SkipToNextRow => f.write_str("TO NEXT ROW"),
            AfterMatch::SkipPastLastRow => f.write_str("PAST LAST ROW"),
            AfterMatch::SkipToFirst(variable) => write!(f, "TO FIRST {variable}"),
            AfterMatch::SkipToLast(variable) => write!(f, "TO LAST {variable}"),
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let start = when(self.anchored_start, "^ ");
        let end = when(self.anchored_end, " $");
        write!(f, "PATTERN ({start}{}{end})", self.expr)
    }
}

impl Display for PatternExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            PatternExpr::Variable(name) => name.fmt(f),
            PatternExpr::Concat(terms) => {
                let terms: Vec<_> = terms.iter().map(|term| Term(term, 1)).collect();
                separated(f, " ", &terms)
            }
            PatternExpr::Alternation(branches) => {
                let branches: Vec<_> = branches.iter().map(|branch| Term(branch, 0)).collect();
                separated(f, " | ", &branches)
            }
            PatternExpr::Quantified { inner, min, max, reluctant } => {
                Term(inner, 2).fmt(f)?;
                quantifier(f, *min, *max)?;
                f.write_str(when(*reluctant, "?"))
            }
            PatternExpr::Permute(terms) => write!(f, "PERMUTE({})", Commas(terms)),
            PatternExpr::Exclude(inner) => write!(f, "{{- {inner} -}}"),
        }
    }
}

fn quantifier(f: &mut Formatter<'_>, min: u32, max: Option<u32>) -> fmt::Result {
    match (min, max) {
        (0, None) => f.write_str("*"),
        (1, None) => f.write_str("+"),
        (0, Some(1)) => f.write_str("?"),
        (min, None) => write!(f, "{{{min},}}"),
        (min, Some(max)) if min == max => write!(f, "{{{min}}}"),
        (min, Some(max)) => write!(f, "{{{min},{max}}}"),
    }
}

/// A part of a pattern that gets parentheses when it binds less tight than its place:
/// 0 in an alternation, 1 in a concatenation, 2 before a quantifier.
struct Term<'a>(&'a PatternExpr, u8);

impl Display for Term<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tightness = match self.0 {
            PatternExpr::Alternation(_) => -1,
            PatternExpr::Concat(_) => 0,
            PatternExpr::Quantified { .. } => 1,
            _ => 2,
        };
        if tightness < i16::from(self.1) { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

impl Display for PatternSubset {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = ({})", self.name, Commas(&self.variables))
    }
}

impl Display for PatternDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} AS {}", self.variable, self.condition)
    }
}
