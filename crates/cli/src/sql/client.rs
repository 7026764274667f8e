//! The SQL client: runs statements and shows what they answer, with Flink's messages.

use super::gateway::Gateway;
use super::{Ending, Script, background, jobs, runner, script};
use crate::args::Format;
use crate::output::{self, Terminal};
use crate::savepoint;
use headwater_embedded::{Engine, JobHandle, wanted_operators};
use headwater_env::Env;
use headwater_sql::SqlError;
use headwater_sql::completion::Vocabulary;
use headwater_sql::planner::PlannedJob;
use headwater_sql::session::{JobStatement, Rows, StateComparison, StatementResult};
use headwater_sql_gateway::catalog_store::CatalogStore;
use headwater_sql_gateway::declares;
use headwater_sql_parser::ParsedStatement;
use headwater_sql_parser::ast::{ClientCommand, Statement};
use headwater_types::config::{Configuration, DML_SYNC};
use std::io;
use std::path::{Path, PathBuf};

/// How deep SOURCE may nest.
const SOURCE_DEPTH_MAX: usize = 16;

pub(super) const SUCCEEDED: &str = "[INFO] Execute statement succeeded.";
pub(super) const INSERTED: &str = "[INFO] Complete execution of the SQL update statement.";
pub(super) const SUBMITTED: &str = "\
[INFO] Submitting SQL update statement to the cluster...
[INFO] SQL update statement has been successfully submitted to the cluster:";
const HELP: &str = "\
Statements end with a semicolon and may span several lines. Some to start with:

  CREATE TABLE t (...) WITH ('connector' = '...');   declare a table
  SELECT ... FROM t;                                 run a query, Ctrl-C ends it
  INSERT INTO t SELECT ...;                          run a job, at the prompt in the background
  SHOW JOBS;  STOP JOB 'id' WITH SAVEPOINT;          jobs that run in the background
  SHOW TABLES;  DESCRIBE t;  EXPLAIN SELECT ...;     look around
  SET 'key' = 'value';  RESET 'key';                 configure
  SOURCE 'file.sql';  CLEAR;  HELP;  QUIT;           this client";

/// A client with its engine and output.
pub struct Client {
    engine: Engine,
    /// Runs the statements instead of the engine.
    gateway: Option<Gateway>,
    /// Keeps what is declared.
    store: Option<CatalogStore>,
    format: Format,
    progress: bool,
    source_depth: usize,
    /// Whether inserts run in the background where `table.dml-sync` is not set.
    background: bool,
    terminal: Terminal,
    /// The error that was shown last.
    error: Option<SqlError>,
}

impl Client {
    /// A client that writes results in this format.
    pub fn new(config: Configuration, format: Format, progress: bool) -> Self {
        Self {
            engine: Engine::new(config),
            gateway: None,
            store: None,
            format,
            progress,
            source_depth: 0,
            background: false,
            terminal: Terminal::default(),
            error: None,
        }
    }

    /// The same client, writing elsewhere.
    #[must_use]
    pub fn print_to(self, terminal: Terminal) -> Self {
        Self { terminal, ..self }
    }

    /// The error that was shown since the last call.
    pub fn take_error(&mut self) -> Option<SqlError> {
        self.error.take()
    }

    /// Inserts run in the background unless the session is told otherwise: somebody sits at a prompt.
    pub fn interactive(&mut self) {
        self.background = true;
    }

    /// Jobs run on a cluster elsewhere, where they go on when this process has ended.
    pub fn submit_to(&mut self, cluster: headwater_jobmanager::Handle) {
        self.background = true;
        self.engine.submit_to(cluster);
    }

    /// What is declared is kept in a store, and what it keeps is declared.
    pub fn keep(&mut self, store: CatalogStore) {
        self.store = Some(store);
    }

    /// Statements run in a session of a gateway.
    pub fn ask(&mut self, gateway: Gateway) {
        self.gateway = Some(gateway);
    }

    /// The words that a statement may have.
    pub fn vocabulary(&self) -> Vocabulary {
        let tables = self.gateway.as_ref().map(Gateway::tables).unwrap_or_default();
        Vocabulary::of(self.engine.session()).with_tables(tables)
    }

    /// A handle of the cluster that the jobs run on.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn cluster_handle(&mut self) -> headwater_types::Result<headwater_jobmanager::Handle> {
        self.engine.cluster_handle()
    }

    /// Waits for the jobs in the background, which end with this process.
    pub fn wait_for_jobs(&mut self) -> Ending {
        let jobs = self.running_jobs();
        match background::wait(&jobs, self.engine.session().config()) {
            Ok(ending) => ending,
            Err(error) => {
                crate::complain(format_args!("[ERROR] {error}"));
                Ending::Failed
            }
        }
    }

    /// The jobs that have not ended.
    pub fn running_jobs(&mut self) -> Vec<JobHandle> {
        let jobs = self.engine.jobs().into_iter().filter(|job| !job.state.is_final());
        jobs.map(|job| job.handle).collect()
    }

    /// Runs a statement and shows its result. `source` is the text its spans refer to.
    pub fn run(&mut self, parsed: &ParsedStatement, source: &str, path: Option<&Path>) -> Ending {
        let shown = match (&self.gateway, &parsed.statement) {
            (Some(gateway), statement) if !matches!(statement, Statement::Client(_)) => {
                gateway.run(statement, &parsed.text, self.format)
            }
            (_, statement) => {
                let result = match &self.store {
                    None => self.engine.execute(statement, source),
                    Some(store) => {
                        store.around(&mut self.engine, declares(statement), |engine| engine.execute(statement, source))
                    }
                };
                self.show_warnings();
                result.map_err(Trouble::Sql).and_then(|result| self.show(result))
            }
        };
        self.show_warnings();
        match shown {
            Ok(ending) => ending,
            Err(Trouble::Output(error)) if output::is_closed_pipe(&error) => Ending::Closed,
            Err(Trouble::Output(error)) => {
                self.terminal.complain(format_args!("[ERROR] cannot write the output: {error}"));
                Ending::Failed
            }
            Err(Trouble::Sql(error)) => {
                self.show_error(&error, source, path);
                Ending::Failed
            }
            Err(Trouble::Told(reason)) => {
                self.complain_of(&reason, path);
                Ending::Failed
            }
            Err(Trouble::Interrupted) => Ending::Interrupted,
        }
    }

    fn show_warnings(&mut self) {
        for warning in self.engine.session_mut().take_warnings() {
            self.terminal.complain(format_args!("[WARNING] {warning}"));
        }
    }

    /// Shows an error with its place in the text.
    pub fn show_error(&mut self, error: &SqlError, source: &str, path: Option<&Path>) {
        self.complain_of(&error.render(source), path);
        self.error = Some(error.clone());
    }

    fn complain_of(&self, reason: &str, path: Option<&Path>) {
        let file = path.map(|path| format!(" (in {})", path.display())).unwrap_or_default();
        self.terminal.complain(format_args!("[ERROR] Could not execute SQL statement{file}. Reason:\n{reason}"));
    }

    fn show(&mut self, result: StatementResult) -> Result<Ending, Trouble> {
        match result {
            StatementResult::Ok => self.info(SUCCEEDED)?,
            StatementResult::Rows(rows) => self.rows(&rows)?,
            StatementResult::Query(query) => {
                let session = self.engine.session();
                let shape = runner::shape(&query.columns, session.config(), self.format)?;
                return runner::run_query(&mut self.engine, *query, shape, self.format, &self.terminal, self.progress);
            }
            StatementResult::Job(job) => return self.insert(&job),
            StatementResult::CompareState(compared) => self.rows(&self.compared(&compared)?)?,
            StatementResult::Jobs(statement) => self.jobs(&statement)?,
            StatementResult::Client(command) => return self.command(command),
        }
        Ok(Ending::Done)
    }

    /// Runs inserts to their end, or starts them and goes on.
    fn insert(&mut self, job: &PlannedJob) -> Result<Ending, Trouble> {
        let config = self.engine.session().config();
        let waits = match config.get(DML_SYNC.name) {
            Some(_) => config.boolean(DML_SYNC)?,
            None => !self.background,
        };
        if waits {
            let ending = runner::run_job(&mut self.engine, job, self.progress)?;
            if matches!(ending, Ending::Done) {
                self.info(INSERTED)?;
            }
            return Ok(ending);
        }
        let handle = self.engine.start_job(job)?;
        match self.format {
            Format::Table | Format::Changelog => {
                self.terminal.say(&format!("{SUBMITTED}\nJob ID: {}\n", handle.id()))?
            }
            Format::Csv | Format::Json => self.rows(&Rows::single("job id", handle.id().to_string()))?,
        }
        Ok(Ending::Done)
    }

    fn jobs(&mut self, statement: &JobStatement) -> Result<(), Trouble> {
        let (savepoint, drain, id) = match statement {
            JobStatement::Show => {
                let listed = jobs::list(&mut self.engine)?;
                return Ok(self.rows(&listed)?);
            }
            JobStatement::Describe(id) => {
                let described = jobs::describe(&mut self.engine, id)?;
                return Ok(self.rows(&described)?);
            }
            JobStatement::Stop { id, savepoint, drain } => (*savepoint, *drain, id),
        };
        let stopped = jobs::stop(&mut self.engine, id, savepoint, drain)?;
        match (self.format, stopped.savepoint) {
            (Format::Table | Format::Changelog, None) => self.info("[INFO] The specified job is stopped.")?,
            (Format::Table | Format::Changelog, Some(path)) => {
                self.info(&format!("[INFO] The specified job is stopped with savepoint {path}."))?;
            }
            (Format::Csv | Format::Json, path) => self.rows(&Rows::strings(&["savepoint path"], vec![vec![path]]))?,
        }
        Ok(())
    }

    /// A message of the client; formats for programs have none.
    fn info(&self, message: &str) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Changelog => self.terminal.say(message),
            Format::Csv | Format::Json => Ok(()),
        }
    }

    fn rows(&self, rows: &Rows) -> io::Result<()> {
        output::write_rows(&mut *self.terminal.out(), self.format, rows)
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
            ClientCommand::Clear => self.terminal.say("\x1b[2J\x1b[H")?,
            ClientCommand::Help => self.terminal.say(HELP)?,
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
    /// A gateway says why, with the place in the statement.
    Told(String),
    /// There was an interrupt.
    Interrupted,
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
