//! Statements that change rows.

use std::fmt::{self, Display, Formatter};

use super::{Clause, Commas, ListClause};
use crate::ast::{Analyze, AnalyzeColumns, Assignment, Delete, Insert, OnConflict, StatementSet, Update};

impl Display for Insert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mode = if self.overwrite { "OVERWRITE" } else { "INTO" };
        write!(f, "INSERT {mode} {}", self.table)?;
        super::query::hints(f, &self.hints)?;
        if let Some(partition) = &self.partition {
            write!(f, " {partition}")?;
        }
        if !self.columns.is_empty() {
            write!(f, " ({})", Commas(&self.columns))?;
        }
        write!(f, " {}", self.source)?;
        f.write_str(match self.on_conflict {
            Some(OnConflict::Nothing) => " ON CONFLICT DO NOTHING",
            Some(OnConflict::Error) => " ON CONFLICT DO ERROR",
            Some(OnConflict::Deduplicate) => " ON CONFLICT DO DEDUPLICATE",
            None => "",
        })
    }
}

/// Without the word `EXECUTE`.
impl Display for StatementSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("STATEMENT SET BEGIN ")?;
        let mut inserts = self.inserts.iter();
        inserts.try_for_each(|insert| write!(f, "{insert}; "))?;
        f.write_str("END")
    }
}

impl Display for Update {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "UPDATE {}", self.table)?;
        super::query::hints(f, &self.hints)?;
        write!(f, "{}", Clause("AS", self.alias.as_ref()))?;
        write!(f, "{}", ListClause("SET", &self.assignments))?;
        write!(f, "{}", Clause("WHERE", self.selection.as_ref()))
    }
}

impl Display for Assignment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.column, self.value)
    }
}

impl Display for Delete {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "DELETE FROM {}", self.table)?;
        super::query::hints(f, &self.hints)?;
        write!(f, "{}", Clause("AS", self.alias.as_ref()))?;
        write!(f, "{}", Clause("WHERE", self.selection.as_ref()))
    }
}

impl Display for Analyze {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ANALYZE TABLE {}", self.table)?;
        if let Some(partition) = &self.partition {
            write!(f, " {partition}")?;
        }
        f.write_str(" COMPUTE STATISTICS")?;
        match &self.columns {
            AnalyzeColumns::None => Ok(()),
            AnalyzeColumns::All => f.write_str(" FOR ALL COLUMNS"),
            AnalyzeColumns::List(columns) => write!(f, " FOR COLUMNS {}", Commas(columns)),
        }
    }
}
