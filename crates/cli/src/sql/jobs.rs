//! `SHOW JOBS`, `DESCRIBE JOB`, `STOP JOB`: the jobs that were started here, or all of a cluster of other processes.

use super::client::Trouble;
use crate::signals;
use headwater_checkpoint::Settings;
use headwater_embedded::{Engine, JobHandle, JobState, RequestKind, StartedJob};
use headwater_sql::session::Rows;
use headwater_types::Error;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How long a wait lasts before interrupts are looked at.
const TURN: Duration = Duration::from_millis(50);

/// How a job was stopped.
pub struct Stopped {
    /// The savepoint behind which it ended, if one was asked for.
    pub savepoint: Option<String>,
}

/// The jobs, as Flink lists them.
pub fn list(engine: &mut Engine) -> Result<Rows, Trouble> {
    Ok(table(engine.listed_jobs()?.iter()))
}

/// One job.
pub fn describe(engine: &mut Engine, id: &str) -> Result<Rows, Trouble> {
    Ok(table([&engine.job(id)?].into_iter()))
}

fn table<'a>(jobs: impl Iterator<Item = &'a StartedJob>) -> Rows {
    let row = |job: &StartedJob| {
        let started = crate::progress::timestamp(job.started_ms);
        let (id, name) = (job.handle.id().to_string(), job.handle.name().to_owned());
        [id, name, job.state.to_string(), started].map(Some).to_vec()
    };
    Rows::strings(&["job id", "job name", "status", "start time"], jobs.map(row).collect())
}

/// Stops a job and waits for its end: behind a savepoint, or, without one, by cancelling it. An interrupt ends the
/// waiting, not what was asked for.
pub fn stop(engine: &mut Engine, id: &str, savepoint: bool, drain: bool) -> Result<Stopped, Trouble> {
    let job = engine.job(id)?;
    if job.state.is_final() {
        let message = format!("the job '{id}' has ended: it is {}", job.state);
        return Err(Error::user("job-not-running", message).into());
    }
    signals::watch();
    let savepoint = match savepoint {
        true => Some(stop_with_savepoint(engine, &job.handle, drain)?),
        false => {
            job.handle.cancel();
            None
        }
    };
    let result = attentively(|handle| handle.wait(), &job.handle)?;
    match result.state {
        JobState::Canceled | JobState::Finished => Ok(Stopped { savepoint }),
        _ => Err(result.into_result().err().unwrap_or_else(|| Error::internal("a failed job has no error")).into()),
    }
}

fn stop_with_savepoint(engine: &Engine, handle: &JobHandle, drain: bool) -> Result<String, Trouble> {
    // The session may have been told another directory since the job was started.
    let directory = Settings::from_config(engine.session().config())?.savepoint_directory;
    let kind = RequestKind::Stop { directory, drain };
    let pending = handle.request_checkpoint(kind)?;
    loop {
        if let Some(stored) = pending.take()? {
            return Ok(stored?.path);
        }
        interrupted()?;
        pause();
    }
}

/// Waits for an answer about a job on a thread of its own, so that interrupts are noticed.
fn attentively<T: Send + 'static>(
    wait: impl FnOnce(&JobHandle) -> T + Send + 'static,
    handle: &JobHandle,
) -> Result<T, Trouble> {
    let (sender, answer) = sync_channel(1);
    let handle = handle.clone();
    std::thread::Builder::new()
        .name("wait".to_owned())
        .spawn(move || drop(sender.send(wait(&handle))))
        .map_err(|e| Error::retryable("no-thread", "a waiting thread could not be started").with_source(e))?;
    loop {
        match answer.recv_timeout(TURN) {
            Ok(answer) => return Ok(answer),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::internal("the waiting thread is gone").into()),
            Err(RecvTimeoutError::Timeout) => interrupted()?,
        }
    }
}

fn interrupted() -> Result<(), Trouble> {
    match signals::take() {
        false => Ok(()),
        true => {
            Err(Error::user("interrupted", "interrupted: the job goes on stopping; SHOW JOBS tells its state").into())
        }
    }
}

/// A short rest of the terminal's thread, which has nothing else to do.
fn pause() {
    let (_sender, nothing) = sync_channel::<()>(1);
    let _ = nothing.recv_timeout(TURN);
}
