//! A running query and its rows.

use headwater_connectors::collect::{Received, Receiver};
use headwater_data::ChangeBatch;
use headwater_jobmanager::{Handle, JobHandle, JobResult};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_sql::planner::{COLLECT_CONNECTOR, PlannedQuery};
use headwater_types::{LogicalType, Result};
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
    /// Opens a channel, points the plan's sink at it and submits the job.
    pub(crate) fn start(cluster: &Handle, mut query: PlannedQuery) -> Result<Self> {
        let rows = Receiver::open(format!("query-{}", NEXT_CHANNEL.fetch_add(1, Ordering::Relaxed)));
        direct_to(&mut query.graph, rows.id());
        let job = cluster.submit(&query.graph)?;
        Ok(Self { columns: query.columns, job, rows, ended: false })
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
            Received::Timeout if self.has_job_ended() => {
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
                Polled::End => return (batches, self.job.wait()),
            }
        }
    }

    fn end(&mut self) -> Polled {
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

/// Sets the channel of the sink that collects.
fn direct_to(graph: &mut JobGraph, channel: &str) {
    let operators = graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.chain);
    for operator in operators {
        if let OperatorSpec::Sink(sink) = &mut operator.spec {
            let options = &mut sink.table.options;
            if options.get("connector").is_some_and(|connector| connector == COLLECT_CONNECTOR) {
                options.insert("collect-id".to_string(), channel.to_string());
            }
        }
    }
}
