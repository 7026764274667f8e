//! Scripts: statements separated by semicolons, run in order until the first error.

use super::{Client, Ending};
use headwater_sql::SqlError;
use headwater_sql_parser::ast::Statement;
use headwater_sql_parser::parse_script;
use headwater_types::{Error, Result};
use std::path::Path;

/// A script with the name that errors show.
pub struct Script<'a> {
    text: &'a str,
    path: Option<&'a Path>,
    declarations_only: bool,
}

/// Reads a script file; `-` is stdin.
pub fn read(path: &Path) -> Result<String> {
    let text = match path.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => std::fs::read_to_string(path),
    };
    text.map_err(|error| Error::user("unreadable-file", format!("cannot read the script {}: {error}", path.display())))
}

impl<'a> Script<'a> {
    /// A script, of a file or of the command line.
    pub fn new(text: &'a str, path: Option<&'a Path>) -> Self {
        Self { text, path, declarations_only: false }
    }

    /// The same script, which may only declare and set.
    pub fn declarations_only(mut self) -> Self {
        self.declarations_only = true;
        self
    }

    /// Runs the statements. Those before a syntax error run, as they would line by line.
    pub fn run(&self, client: &mut Client) -> Ending {
        let (statements, syntax_error) = parse_script(self.text);
        for parsed in &statements {
            if let Some(error) = self.refused(&parsed.statement) {
                client.show_error(&error.with_span(parsed.span), self.text, self.path);
                return Ending::Failed;
            }
            match client.run(parsed, self.text, self.path) {
                Ending::Done => {}
                other => return other,
            }
        }
        match syntax_error {
            None => Ending::Done,
            Some(error) => {
                client.show_error(&error.into(), self.text, self.path);
                Ending::Failed
            }
        }
    }

    fn refused(&self, statement: &Statement) -> Option<SqlError> {
        let runs_a_job = matches!(
            statement,
            Statement::Query(_) | Statement::Insert(_) | Statement::StatementSet(_) | Statement::BeginStatementSet
        );
        let refused = self.declarations_only && runs_a_job;
        let message = "an init file may only declare and set: CREATE, ALTER, DROP, USE, SET, RESET";
        refused.then(|| SqlError::new("not-a-declaration", message))
    }
}
