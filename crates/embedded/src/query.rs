//! A running query and its rows.

mod remote;

use headwater_connectors::collect::remote::Guarantee;
use headwater_connectors::collect::{Received, Receiver};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_jobmanager::{Handle, JobHandle, JobResult, JobState};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_sql::planner::{COLLECT_CONNECTOR, PlannedQuery};
use headwater_types::{LogicalType, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Numbers the channels of this process.
static NEXT_CHANNEL: AtomicU64 = AtomicU64::new(0);

/// A query that runs; dropping it cancels the job.
pub struct RunningQuery {
    columns: Vec<(String, LogicalType)>,
    job: JobHandle,
    rows: Receiver,
    ended: bool,
    /// Where the rows come from another process, why they did not.
    remote: Option<remote::Failure>,
}

/// What [`RunningQuery::poll`] found.
#[derive(Debug)]
pub enum Polled {
    /// Rows.
    Batch(ChangeBatch),
    /// None yet.
    Nothing,
    /// There will be no more.
    End,
}

impl RunningQuery {
    /// Opens a channel, points the plan's sink at it and submits the job. Where rows count when a checkpoint holds them,
    /// they are fetched as from elsewhere.
    pub(crate) fn start(cluster: &Handle, mut query: PlannedQuery, env: &Env) -> Result<Self> {
        let name = || format!("query-{}", NEXT_CHANNEL.fetch_add(1, Ordering::Relaxed));
        let rows = match remote::guarantee(&query.graph.config)? {
            Guarantee::ExactlyOnce => return Self::start_elsewhere(cluster, query, env),
            Guarantee::NoRestart => Receiver::open_once(name()),
            Guarantee::AtLeastOnce => Receiver::open(name()),
        };
        direct_to(&mut query.graph, &[("collect-id", rows.id())]);
        let job = cluster.submit(&query.graph)?;
        Ok(Self { columns: query.columns, job, rows, ended: false, remote: None })
    }

    /// Submits the job to a cluster of other processes, and fetches its rows from there.
    pub(crate) fn start_elsewhere(cluster: &Handle, query: PlannedQuery, env: &Env) -> Result<Self> {
        let rows = Receiver::open(format!("query-{}", NEXT_CHANNEL.fetch_add(1, Ordering::Relaxed)));
        let (job, failure) = remote::start(cluster, query.graph, rows.sender(), env)?;
        Ok(Self { columns: query.columns, job, rows, ended: false, remote: Some(failure) })
    }

    /// Names and types of the columns.
    pub fn columns(&self) -> &[(String, LogicalType)] {
        &self.columns
    }

    /// The job.
    pub fn job(&self) -> &JobHandle {
        &self.job
    }

    /// Waits up to `timeout` for rows.
    pub fn poll(&mut self, timeout: Duration) -> Polled {
        if self.ended {
            return Polled::End;
        }
        match self.rows.receive(timeout) {
            Received::Batch(batch) => Polled::Batch(batch),
            Received::End => self.end(),
            Received::Timeout if self.remote.is_none() && self.has_job_ended() => {
                // Writers of a job that failed say no end; what they wrote is still to be read.
                self.rows.close();
                Polled::Nothing
            }
            Received::Timeout => Polled::Nothing,
        }
    }

    /// All rows to the end, and how the job ended.
    pub fn collect(mut self) -> (Vec<ChangeBatch>, JobResult) {
        let mut batches = vec![];
        loop {
            match self.poll(Duration::from_millis(20)) {
                Polled::Batch(batch) => batches.push(batch),
                Polled::Nothing => {}
                Polled::End => return (batches, self.wait()),
            }
        }
    }

    /// Waits for the end of the job, and tells whether its rows have come.
    pub fn wait(&self) -> JobResult {
        let result = self.job.wait();
        match self.remote.as_ref().and_then(remote::Failure::told).or_else(|| self.rows.failure()) {
            Some(error) => JobResult { state: JobState::Failed, error: Some(error), ..result },
            None => result,
        }
    }

    fn end(&mut self) -> Polled {
        if self.rows.failure().is_some() {
            self.job.cancel();
        }
        self.ended = true;
        Polled::End
    }

    fn has_job_ended(&self) -> bool {
        self.job.status().map_or(true, |status| status.state.is_final())
    }
}

impl Drop for RunningQuery {
    fn drop(&mut self) {
        if !self.ended {
            self.job.cancel();
        }
    }
}

/// Sets options of the sink that collects.
fn direct_to(graph: &mut JobGraph, options: &[(&str, &str)]) {
    let operators = graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.chain);
    for operator in operators {
        if let OperatorSpec::Sink(sink) = &mut operator.spec
            && collects(&sink.table.options)
        {
            let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            sink.table.options.extend(options);
        }
    }
}

fn collects(options: &BTreeMap<String, String>) -> bool {
    options.get("connector").is_some_and(|connector| connector == COLLECT_CONNECTOR)
}
