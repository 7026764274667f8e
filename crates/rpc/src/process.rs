//! The process of a JobManager: alone, or one of several of which one leads.

use crate::job_manager::{Submitters, redirect, serve};
use crate::leader::LeaseHolder;
use headwater_jobmanager::ha::{Candidate, HaOptions, Leadership, Records};
use headwater_jobmanager::{Handle, JobManager, Options};
use headwater_transport::messages::MessageListener;
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use tokio::sync::oneshot;

/// What happens while a JobManager leads: called with it at the beginning of a term. What it returns is dropped at the
/// end of the term, before the JobManager.
pub type Term = dyn Fn(&Handle) -> Result<Box<dyn Send>> + Send + Sync;

/// What happens while a JobManager waits to lead: called at the beginning of the wait. What it returns is dropped at its
/// end, without waiting for that.
pub type Standby = dyn Fn() -> Result<Box<dyn Send>> + Send + Sync;

/// The process of a JobManager.
pub struct JobManagerProcess {
    /// How the JobManager works. Its records are those of the term.
    pub options: Options,
    /// Where TaskManagers and clients call.
    pub listener: MessageListener,
    /// How they reach it, host and port.
    pub address: String,
    /// How its REST port is reached, host and port, if it has one.
    pub rest: Option<String>,
    /// What it shares with others; `None` when it is the only one.
    pub high_availability: Option<HaOptions>,
    /// What else is done while it leads, such as answering REST calls.
    pub term: Box<Term>,
    /// What else is done while it waits to lead, such as handing REST calls on.
    pub standby: Box<Standby>,
}

impl JobManagerProcess {
    /// Leads whenever it is its turn, until `end`. Callers are told who leads when it does not.
    ///
    /// # Errors
    /// When the JobManager cannot be started.
    pub async fn run(self, end: impl Future<Output = ()>) -> Result<()> {
        let mut end = std::pin::pin!(end);
        self.warn_of_strangers()?;
        let Some(shared) = &self.high_availability else { return self.lead(None, end).await };
        let leader = Arc::new(LeaseHolder { lease: shared.lease(), interval: shared.retry_period });
        loop {
            let (lost, told) = oneshot::channel();
            tracing::info!("waiting to lead");
            let waiting = Waiting(Some((self.standby)()?));
            let leadership = tokio::select! {
                won = self.win(shared, lost) => won?,
                () = redirect(&self.listener, leader.clone()) => continue,
                () = end.as_mut() => return Ok(()),
            };
            drop(waiting);
            let records = Records::new(shared, &leadership);
            let ended = tokio::select! {
                led = self.lead(Some(records), end.as_mut()) => Some(led),
                lost = told => {
                    let error = lost.unwrap_or_else(|_| Error::internal("nobody keeps the lease"));
                    tracing::error!(error = error.message(), "this JobManager leads no more");
                    None
                }
            };
            // Gives up the lease, so that another one need not wait.
            let _ = tokio::task::spawn_blocking(move || drop(leadership)).await;
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    /// Tells whoever reads the log that the cluster runs what anybody wants, where it does.
    fn warn_of_strangers(&self) -> Result<()> {
        let (submitters, address) = (Submitters::from_config(&self.options.config)?, self.listener.address()?);
        if submitters == Submitters::Anybody && !address.ip().is_loopback() && !self.listener.is_secured() {
            tracing::warn!(%address, "anybody who reaches this address may run jobs and read files: turn TLS on");
        }
        Ok(())
    }

    /// Waits for its turn; `lost` is told when it is over.
    async fn win(&self, shared: &HaOptions, lost: oneshot::Sender<Error>) -> Result<Leadership> {
        let name = format!("{}-{:016x}", self.address, self.options.env.random_u64());
        let candidate = Candidate { name, address: self.address.clone(), rest: self.rest.clone() };
        let (shared, env) = (shared.clone(), self.options.env.clone());
        // Dropped with this future, which ends the wait.
        let (_stop, stopped) = sync_channel(0);
        let told = move |error| drop(lost.send(error));
        let won = tokio::task::spawn_blocking(move || Leadership::win(&shared, &env, &candidate, &stopped, told));
        let won = won.await.map_err(|e| Error::internal("the wait for the lease failed").with_source(e))??;
        won.ok_or_else(Error::cancelled)
    }

    /// Leads until `end`. With records, goes on with the jobs that it finds there.
    async fn lead(&self, records: Option<Records>, end: impl Future<Output = ()>) -> Result<()> {
        let generation = records.as_ref().map_or(0, Records::generation);
        let submitters = Submitters::from_config(&self.options.config)?;
        let manager = Options { records, ..self.options.clone() }.start()?;
        let handle = manager.handle();
        let running = Running { manager: Some(manager) };
        let term = (self.term)(&handle)?;
        tokio::select! {
            () = serve(&self.listener, handle, generation, submitters) => {}
            () = end => {}
        }
        drop(term);
        drop(running);
        Ok(())
    }
}

/// What is done while waiting; another thread waits for its end.
struct Waiting(Option<Box<dyn Send>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let standby = self.0.take();
        drop(tokio::task::spawn_blocking(move || drop(standby)));
    }
}

/// A JobManager whose end is waited for by another thread.
struct Running {
    manager: Option<JobManager>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let manager = self.manager.take();
        drop(tokio::task::spawn_blocking(move || drop(manager)));
    }
}
