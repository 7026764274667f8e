//! Scripts: statements of one session, each with the text that the SQL client prints.
//!
//! What runs the statements is a [`ScriptSession`], so that the text is the client's own and is not made up here.

mod compare;
mod parse;
mod places;

#[cfg(test)]
mod tests;

pub(crate) use parse::{Script, Statement, Tag};
pub(crate) use places::Places;

use crate::outcome::Stop;
use headwater_sql::SqlError;
use headwater_types::ErrorKind;

/// Runs the statements of one script, in order.
pub trait ScriptSession {
    /// Runs a statement to its end, as a client that shows tables would.
    fn run(&mut self, statement: &str) -> Printed;
}

/// What a statement printed.
#[derive(Debug, Clone, Default)]
pub struct Printed {
    /// All of it, results and messages.
    pub text: String,
    /// The error that is shown in the text.
    pub error: Option<SqlError>,
}

impl Statement {
    /// Runs the statement and compares what it prints.
    pub(crate) fn run(&self, session: &mut dyn ScriptSession, places: &Places) -> Result<(), Stop> {
        if let Some(reason) = self.needs_java() {
            return Err(Stop::skipped(reason));
        }
        let sql = places.fill(&self.sql)?;
        let printed = session.run(&sql);
        // The statement may matter to later ones, so it has run even if there is nothing to compare it with.
        let expected = places.fill(&self.expected)?;
        let compared = match self.tag {
            Tag::Error => compare::error(&expected, &sql, &printed),
            tag => compare::output(tag, &expected, &sql, &printed),
        };
        match (compared, printed.error) {
            (Err(_), Some(error)) if is_missing(&error) => Err(error.into()),
            (compared, _) => compared,
        }
    }

    /// Why the statement means nothing outside of a JVM.
    fn needs_java(&self) -> Option<&'static str> {
        let words: Vec<String> = self.sql.split_whitespace().map(str::to_ascii_uppercase).collect();
        let starts = |prefix: &[&str]| words.iter().zip(prefix).filter(|(a, b)| a == b).count() == prefix.len();
        let is_jar = starts(&["ADD", "JAR"]) || starts(&["REMOVE", "JAR"]);
        let is_dialect = starts(&["SET"]) && words.iter().any(|word| word.contains("'TABLE.SQL-DIALECT'"));
        match (is_jar, is_dialect) {
            (true, _) => Some("it is about a jar"),
            (_, true) => Some("it sets a dialect of SQL that is a plug-in in Java"),
            _ => None,
        }
    }
}

/// Whether something that is known is not there yet.
fn is_missing(error: &SqlError) -> bool {
    error.kind == ErrorKind::Unsupported || error.code == "unknown-function"
}
