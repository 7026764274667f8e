//! A statement of a session, from its text to its result.

use crate::errors::Failure;
use crate::gateway::Gateway;
use crate::jobs;
use crate::operation::{Description, Operation, Results};
use crate::session::{Session, Task};
use headwater_embedded::{Engine, JobHandle, JobResult};
use headwater_sql::planner::{PlannedJob, PlannedQuery};
use headwater_sql::session::{Rows, StatementResult};
use headwater_sql::zone::session_zone;
use headwater_sql::{SqlError, SqlResult};
use headwater_sql_parser::ast::Statement;
use headwater_sql_parser::parse_script;
use headwater_types::Result;
use headwater_types::config::DML_SYNC;

/// Executes a task of a session and tells its operation.
pub(crate) fn run(gateway: &Gateway, session: &Session, task: &Task) {
    let operation = &task.operation;
    if !operation.begin() {
        return;
    }
    match (Run { gateway, session, operation }).execute(task) {
        Ok((description, results)) => operation.finish(description, results),
        Err(error) => operation.fail(Failure::of(&error, &task.statement)),
    }
}

struct Run<'a> {
    gateway: &'a Gateway,
    session: &'a Session,
    operation: &'a Operation,
}

impl Run<'_> {
    fn execute(&self, task: &Task) -> SqlResult<(Description, Results)> {
        let statement = single(&task.statement)?;
        if task.declares_only && !declares(&statement) {
            let message = "Unsupported statement for configuring session: only CREATE, ALTER, DROP, USE, SET, RESET, \
                           LOAD and UNLOAD MODULE, ADD and REMOVE JAR";
            return Err(SqlError::new("not-a-declaration", message));
        }
        let mut engine = self.session.engine();
        let before = self.overlay(&mut engine, task);
        let executed = self.statement(&mut engine, &statement, task);
        restore(&mut engine, before);
        for warning in engine.session_mut().take_warnings() {
            tracing::warn!(session = %self.session.handle, warning);
        }
        let (columns, zone) = (vec![], session_zone(engine.session().config())?);
        let plain = Description { columns, is_query: false, is_plain_success: false, job: None, zone };
        match executed? {
            Executed::Rows(rows) => table(plain, &rows),
            Executed::Done => table(Description { is_plain_success: true, ..plain }, &Rows::single("result", "OK")),
            Executed::Query(query) => {
                let job = Some(query.job().id());
                let columns = query.columns().to_vec();
                Ok((Description { columns, is_query: true, job, ..plain }, Results::query(query)))
            }
            Executed::Job(handle, waits) => {
                drop(engine);
                if waits {
                    self.wait(&handle)?.into_result()?;
                }
                let rows = Rows::single("job id", handle.id().to_string());
                table(Description { job: Some(handle.id()), ..plain }, &rows)
            }
            Executed::Stop(stop) => {
                drop(engine);
                stop_rows(plain, stop.run(self.operation)?)
            }
        }
    }

    /// Executes a statement, with the catalogs of the store if there is one.
    fn statement(&self, engine: &mut Engine, statement: &Statement, task: &Task) -> SqlResult<Executed> {
        let result = match self.gateway.store() {
            None => engine.execute(statement, &task.statement)?,
            Some(store) => {
                store.around(engine, declares(statement), |engine| engine.execute(statement, &task.statement))?
            }
        };
        match result {
            StatementResult::Ok => Ok(Executed::Done),
            StatementResult::Rows(rows) => Ok(Executed::Rows(rows)),
            StatementResult::Query(query) => self.query(engine, query),
            StatementResult::Job(job) => self.job(engine, &job),
            StatementResult::Jobs(statement) => jobs::run(self.gateway, engine, &statement),
            StatementResult::CompareState(_) => Err(SqlError::unsupported(
                "EXPLAIN .. COMPATIBLE WITH by the gateway (use 'headwater sql' or 'headwater savepoint check')",
                None,
            )),
            StatementResult::Client(_) => {
                let message = "Unsupported SQL query! QUIT, CLEAR, HELP and SOURCE are for the client, not the gateway";
                Err(SqlError::new("client-command", message))
            }
        }
    }

    fn query(&self, engine: &mut Engine, query: Box<PlannedQuery>) -> SqlResult<Executed> {
        Ok(Executed::Query(engine.start_query(*query)?))
    }

    fn job(&self, engine: &mut Engine, job: &PlannedJob) -> SqlResult<Executed> {
        let waits = engine.session().config().boolean(DML_SYNC)?;
        Ok(Executed::Job(engine.start_job(job)?, waits))
    }

    /// Waits for a job. It is cancelled with the operation.
    fn wait(&self, job: &JobHandle) -> Result<JobResult> {
        let result = jobs::attentively(self.operation, &job.request_result()?);
        if self.operation.is_over() {
            job.cancel();
        }
        result
    }

    /// Sets the configuration of this statement; what was set before.
    fn overlay(&self, engine: &mut Engine, task: &Task) -> Vec<(String, Option<String>)> {
        let session = engine.session_mut();
        let set = |(key, value): (&String, &String)| {
            let before = session.config().get(key).map(str::to_owned);
            session.set_config(key, value);
            (key.clone(), before)
        };
        task.config.iter().map(set).collect()
    }
}

/// What executing a statement gave.
pub(crate) enum Executed {
    Done,
    Rows(Rows),
    Query(headwater_embedded::RunningQuery),
    /// A job, and whether the statement lasts as long as it.
    Job(JobHandle, bool),
    /// A job that is to be stopped.
    Stop(jobs::Stop),
}

fn restore(engine: &mut Engine, before: Vec<(String, Option<String>)>) {
    let session = engine.session_mut();
    for (key, value) in before {
        match value {
            Some(value) => session.set_config(&key, &value),
            None => session.unset_config(&key),
        }
    }
}

fn table(description: Description, rows: &Rows) -> SqlResult<(Description, Results)> {
    let results = Results::rows(rows)?;
    Ok((Description { columns: rows.columns.clone(), ..description }, results))
}

/// As Flink answers: the path of the savepoint, or that it is done.
fn stop_rows(plain: Description, savepoint: Option<String>) -> SqlResult<(Description, Results)> {
    match savepoint {
        Some(path) => table(plain, &Rows::single("savepoint path", path)),
        None => table(Description { is_plain_success: true, ..plain }, &Rows::single("result", "OK")),
    }
}

fn single(text: &str) -> SqlResult<Statement> {
    let (mut statements, error) = parse_script(text);
    match (error, statements.len()) {
        (Some(error), _) => Err(error.into()),
        (None, 1) => Ok(statements.remove(0).statement),
        (None, 0) => Err(SqlError::new("empty-statement", "there is no statement")),
        (None, _) => {
            Err(SqlError::new("several-statements", "only single statement supported: submit them one by one"))
        }
    }
}

/// Whether a statement only declares and sets: what `configure-session` takes, as in Flink.
pub fn declares(statement: &Statement) -> bool {
    !matches!(
        statement,
        Statement::Query(_)
            | Statement::Insert(_)
            | Statement::StatementSet(_)
            | Statement::BeginStatementSet
            | Statement::EndStatementSet
            | Statement::Explain(_)
            | Statement::Show(_)
            | Statement::Describe(_)
            | Statement::StopJob { .. }
            | Statement::Client(_)
    )
}
