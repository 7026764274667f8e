//! `FROM` items.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, when};
use crate::ast::{Join, JoinConstraint, JoinKind, NamedTable, TableAlias, TableRef, TableRefKind};

impl Display for TableRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match &self.alias {
            Some(alias) => write!(f, " AS {alias}"),
            None => Ok(()),
        }
    }
}

impl Display for TableAlias {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        if self.columns.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", Commas(&self.columns))
    }
}

impl Display for TableRefKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            TableRefKind::Table(table) => table.fmt(f),
            TableRefKind::Derived { lateral, query } => {
                write!(f, "{}({query})", when(*lateral, "LATERAL "))
            }
            TableRefKind::Function { lateral, wrapped, call } => {
                f.write_str(when(*lateral, "LATERAL "))?;
                if *wrapped { write!(f, "TABLE({call})") } else { call.fmt(f) }
            }
            TableRefKind::Unnest { exprs, with_ordinality } => {
                let ordinality = when(*with_ordinality, " WITH ORDINALITY");
                write!(f, "UNNEST({}){ordinality}", Commas(exprs))
            }
            TableRefKind::MatchRecognize { input, clause } => {
                write!(f, "{} {clause}", Factor(input))
            }
            TableRefKind::Join(join) => join.fmt(f),
        }
    }
}

impl Display for NamedTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        super::query::hints(f, &self.hints)?;
        write!(f, "{}", Clause("FOR SYSTEM_TIME AS OF", self.system_time.as_ref()))
    }
}

/// A table in a place where a join needs parentheses.
struct Factor<'a>(&'a TableRef);

impl Display for Factor<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if matches!(self.0.kind, TableRefKind::Join(_)) { write!(f, "({})", self.0) } else { self.0.fmt(f) }
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let natural = when(matches!(self.constraint, JoinConstraint::Natural), "NATURAL ");
        let kind = match self.kind {
            JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
            JoinKind::Cross => "CROSS JOIN",
        };
        write!(f, "{} {natural}{kind} {}", self.left, Factor(&self.right))?;
        match &self.constraint {
            JoinConstraint::On(condition) => write!(f, " ON {condition}"),
            JoinConstraint::Using(columns) => write!(f, " USING ({})", Commas(columns)),
            JoinConstraint::Natural | JoinConstraint::None => Ok(()),
        }
    }
}
