//! The SQL client: runs statements and shows what they answer, with Flink's messages.

use super::{Ending, Script, runner, script};
use crate::args::Format;
use crate::output;
use crate::savepoint;
use headwater_embedded::{Engine, wanted_operators};
use headwater_env::Env;
use headwater_sql::SqlError;
use headwater_sql::session::{Rows, StateComparison, StatementResult};
use headwater_sql_parser::ast::{ClientCommand, Statement};
use headwater_types::config::Configuration;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How deep SOURCE may nest.
const SOURCE_DEPTH_MAX: usize = 16;

const SUCCEEDED: &str = "[INFO] Execute statement succeeded.";
const INSERTED: &str = "[INFO] Complete execution of the SQL update statement.";
const HELP: &str = "\
Statements end with a semicolon and may span several lines. Some to start with:

  CREATE TABLE t (...) WITH ('connector' = '...');   declare a table
  SELECT ... FROM t;                                 run a query, Ctrl-C ends it
  INSERT INTO t SELECT ...;                          run a job, Ctrl-C stops it cleanly
  SHOW TABLES;  DESCRIBE t;  EXPLAIN SELECT ...;     look around
  SET 'key' = 'value';  RESET 'key';                 configure
  SOURCE 'file.sql';  CLEAR;  HELP;  QUIT;           this client";

/// A client with its engine and output.
pub struct Client {
    engine: Engine,
    format: Format,
    progress: bool,
    source_depth: usize,
}

impl Client {
    /// A client that writes results in this format.
    pub fn new(config: Configuration, format: Format, progress: bool) -> Self {
        Self { engine: Engine::new(config), format, progress, source_depth: 0 }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs a statement and shows its result. `source` is the text its spans refer to.
    pub fn run(&mut self, statement: &Statement, source: &str, path: Option<&Path>) -> Ending {
        let result = self.engine.execute(statement, source);
        for warning in self.engine.session_mut().take_warnings() {
            crate::complain(format_args!("[WARNING] {warning}"));
        }
        let shown = match result {
            Ok(result) => self.show(result),
            Err(error) => Err(Trouble::Sql(error)),
        };
        match shown {
            Ok(ending) => ending,
            Err(Trouble::Output(error)) if output::is_closed_pipe(&error) => Ending::Closed,
            Err(Trouble::Output(error)) => {
                crate::complain(format_args!("[ERROR] cannot write the output: {error}"));
                Ending::Failed
            }
            Err(Trouble::Sql(error)) => {
                self.show_error(&error, source, path);
                Ending::Failed
            }
        }
    }

    /// Shows an error with its place in the text.
    pub fn show_error(&self, error: &SqlError, source: &str, path: Option<&Path>) {
        let file = path.map(|path| format!(" (in {})", path.display())).unwrap_or_default();
        crate::complain(format_args!(
            "[ERROR] Could not execute SQL statement{file}. Reason:\n{}",
            error.render(source)
        ));
    }

    fn show(&mut self, result: StatementResult) -> Result<Ending, Trouble> {
        match result {
            StatementResult::Ok => self.info(SUCCEEDED)?,
            StatementResult::Rows(rows) => self.rows(&rows)?,
            StatementResult::Query(query) => {
                let session = self.engine.session();
                let shape = runner::shape(&query, session.config(), self.format)?;
                return runner::run_query(&mut self.engine, *query, shape, self.format, self.progress);
            }
            StatementResult::Job(job) => {
                let ending = runner::run_job(&mut self.engine, &job, self.progress)?;
                if !matches!(ending, Ending::Done) {
                    return Ok(ending);
                }
                self.info(INSERTED)?;
            }
            StatementResult::CompareState(compared) => self.rows(&self.compared(&compared)?)?,
            StatementResult::Client(command) => return self.command(command),
        }
        Ok(Ending::Done)
    }

    /// A message of the client; formats for programs have none.
    fn info(&self, message: &str) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Changelog => writeln!(io::stdout().lock(), "{message}"),
            Format::Csv | Format::Json => Ok(()),
        }
    }

    fn rows(&self, rows: &Rows) -> io::Result<()> {
        output::write_rows(&mut io::BufWriter::new(io::stdout().lock()), self.format, rows)
    }

    /// The plan, and what it would keep of a savepoint.
    fn compared(&self, compared: &StateComparison) -> Result<Rows, Trouble> {
        let StateComparison { savepoint, text, graph, .. } = compared;
        let opened = savepoint::open(savepoint, self.engine.session().config())?;
        let wanted = wanted_operators(graph, &Env::real())?;
        let comparison = savepoint::Comparison::new(&graph.name, &wanted, &opened);
        let report = savepoint::comparison_text(&comparison);
        Ok(Rows::single("result", format!("{text}\n== State Compatibility ==\n{report}")))
    }

    fn command(&mut self, command: ClientCommand) -> Result<Ending, Trouble> {
        match command {
            ClientCommand::Quit => return Ok(Ending::Quit),
            ClientCommand::Clear => write!(io::stdout().lock(), "\x1b[2J\x1b[H")?,
            ClientCommand::Help => writeln!(io::stdout().lock(), "{HELP}")?,
            ClientCommand::Source(file) => return self.source(&PathBuf::from(file.value)),
        }
        Ok(Ending::Done)
    }

    fn source(&mut self, path: &Path) -> Result<Ending, Trouble> {
        if self.source_depth >= SOURCE_DEPTH_MAX {
            let message = format!("SOURCE nests deeper than {SOURCE_DEPTH_MAX} files");
            return Err(Trouble::Sql(SqlError::new("source-too-deep", message)));
        }
        let text = script::read(path).map_err(SqlError::from)?;
        self.source_depth += 1;
        let ending = Script::new(&text, Some(path)).run(self);
        self.source_depth -= 1;
        Ok(ending)
    }
}

/// Why a result could not be shown.
#[derive(Debug)]
pub enum Trouble {
    /// The statement or its job failed.
    Sql(SqlError),
    /// The output could not be written.
    Output(io::Error),
}

impl From<SqlError> for Trouble {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<headwater_types::Error> for Trouble {
    fn from(error: headwater_types::Error) -> Self {
        Self::Sql(error.into())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
