//! `SHOW JOBS`, `DESCRIBE JOB` and `STOP JOB`: the jobs of the cluster, whichever session started them.

use crate::execute::Executed;
use crate::gateway::Gateway;
use crate::operation::Operation;
use headwater_embedded::{Engine, JobHandle, JobState, RequestKind};
use headwater_functions::text::push_timestamp;
use headwater_sql::session::{JobStatement, Rows};
use headwater_sql::{SqlError, SqlResult};
use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use std::time::Duration;

/// How long the cluster may take to list its jobs.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a wait lasts before somebody may end it.
const TURN: Duration = Duration::from_millis(50);

/// A job that is to be stopped.
pub(crate) struct Stop {
    job: JobHandle,
    savepoint: Option<RequestKind>,
}

/// A job of the list.
struct Listed {
    handle: JobHandle,
    state: JobState,
    started_ms: i64,
}

/// Runs a statement about jobs.
pub(crate) fn run(gateway: &Gateway, engine: &mut Engine, statement: &JobStatement) -> SqlResult<Executed> {
    let all = list(gateway, engine)?;
    match statement {
        JobStatement::Show => Ok(Executed::Rows(table(&all))),
        JobStatement::Describe(id) => Ok(Executed::Rows(table(&[find(all, id)?]))),
        JobStatement::Stop { id, savepoint, drain } => {
            let job = find(all, id)?;
            if job.state.is_final() {
                let message = format!("the job '{id}' has ended: it is {}", job.state);
                return Err(SqlError::new("job-not-running", message));
            }
            let config = engine.session().config();
            let directory = config.get("execution.checkpointing.savepoint-dir").map(str::to_owned);
            let savepoint = savepoint.then_some(RequestKind::Stop { directory, drain: *drain });
            Ok(Executed::Stop(Stop { job: job.handle, savepoint }))
        }
    }
}

/// The jobs of the cluster; of a cluster that does not list them those of this session.
fn list(gateway: &Gateway, engine: &mut Engine) -> SqlResult<Vec<Listed>> {
    let cluster = gateway.cluster();
    if let Ok(all) = cluster.jobs().and_then(|pending| pending.wait(PATIENCE)) {
        let listed = |summary: headwater_jobmanager::JobSummary| Listed {
            handle: cluster.job(summary.job, &summary.graph.name),
            state: summary.state,
            started_ms: summary.started_ms,
        };
        let mut all: Vec<Listed> = all.into_iter().map(listed).collect();
        all.sort_by_key(|job| job.started_ms);
        return Ok(all);
    }
    let own = engine.jobs().into_iter();
    Ok(own.map(|job| Listed { handle: job.handle, state: job.state, started_ms: job.started_ms }).collect())
}

fn find(all: Vec<Listed>, id: &str) -> SqlResult<Listed> {
    let ids: Vec<String> = all.iter().map(|job| job.handle.id().to_string()).collect();
    let at = ids.iter().position(|known| known == id.trim());
    match at.and_then(|at| all.into_iter().nth(at)) {
        Some(job) => Ok(job),
        None => {
            let error = SqlError::new("unknown-job", format!("there is no job '{id}'"));
            let near = nearest(id, ids.iter().map(String::as_str)).map(|near| format!("did you mean '{near}'?"));
            Err(error.with_hint(near.unwrap_or_else(|| "SHOW JOBS lists those of the cluster".to_owned())))
        }
    }
}

fn table(jobs: &[Listed]) -> Rows {
    let row = |job: &Listed| {
        let mut started = String::new();
        let nanos = u32::try_from(job.started_ms.rem_euclid(1000) * 1_000_000).unwrap_or_default();
        push_timestamp(&mut started, job.started_ms.div_euclid(1000), nanos, 3);
        let (id, name) = (job.handle.id().to_string(), job.handle.name().to_owned());
        [id, name, job.state.to_string(), started].map(Some).to_vec()
    };
    Rows::strings(&["job id", "job name", "status", "start time"], jobs.iter().map(row).collect())
}

impl Stop {
    /// Stops the job and waits for its end; the savepoint behind which it ended. When the operation is ended meanwhile,
    /// the job goes on stopping.
    pub(crate) fn run(self, operation: &Operation) -> Result<Option<String>> {
        let savepoint = match self.savepoint {
            Some(kind) => Some(attentively(operation, &self.job.request_checkpoint(kind)?)??.path),
            None => {
                self.job.cancel();
                None
            }
        };
        let result = attentively(operation, &self.job.request_result()?)?;
        match result.state {
            JobState::Canceled | JobState::Finished => Ok(savepoint),
            _ => Err(result.into_result().err().unwrap_or_else(|| Error::internal("a failed job has no error"))),
        }
    }
}

/// Waits for an answer, until the operation is ended.
pub(crate) fn attentively<T>(operation: &Operation, pending: &headwater_jobmanager::Pending<T>) -> Result<T> {
    loop {
        match pending.wait(TURN) {
            Err(error) if error.code() == "no-answer" && !operation.is_over() => {}
            Err(error) if error.code() == "no-answer" => return Err(Error::cancelled()),
            answer => return answer,
        }
    }
}
