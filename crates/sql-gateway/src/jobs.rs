//! `SHOW JOBS`, `DESCRIBE JOB` and `STOP JOB`: the jobs of the cluster, whichever session started them.

use crate::execute::Executed;
use crate::gateway::Gateway;
use crate::operation::Operation;
use headwater_embedded::{Engine, JobHandle, JobState, RequestKind, StartedJob, jobs};
use headwater_functions::text::push_timestamp;
use headwater_sql::session::{JobStatement, Rows};
use headwater_sql::{SqlError, SqlResult};
use headwater_types::{Error, Result};
use std::time::Duration;

/// How long a wait lasts before somebody may end it.
const TURN: Duration = Duration::from_millis(50);

/// A job that is to be stopped.
pub(crate) struct Stop {
    job: JobHandle,
    savepoint: Option<RequestKind>,
}

/// Runs a statement about jobs.
pub(crate) fn run(gateway: &Gateway, engine: &mut Engine, statement: &JobStatement) -> SqlResult<Executed> {
    let all = list(gateway)?;
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

/// The jobs of the cluster, whichever session or client started them.
fn list(gateway: &Gateway) -> SqlResult<Vec<StartedJob>> {
    Ok(jobs::of_cluster(gateway.cluster())?)
}

fn find(all: Vec<StartedJob>, id: &str) -> SqlResult<StartedJob> {
    Ok(jobs::find(all, id, "of the cluster")?)
}

fn table(jobs: &[StartedJob]) -> Rows {
    let row = |job: &StartedJob| {
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
