//! Driving a job through the two halves of its sources' rows.

use crate::outcome::Stop;
use crate::phases::Gate;
use headwater_connectors::values::Store;
use headwater_embedded::{JobHandle, JobResult, OperatorSnapshot, totals};
use headwater_plan::operators::WindowTime;
use headwater_plan::{JobGraph, OperatorSpec, Partitioning, SourceSpec};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How long a job of a case may run.
const JOB_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a half may take to be processed before the job goes on regardless.
const HALF_TIMEOUT: Duration = Duration::from_secs(15);
/// The same where windows wait for the clock.
const HALF_TIMEOUT_PROCTIME: Duration = Duration::from_secs(25);
/// How often the job is looked at.
const TURN: Duration = Duration::from_millis(2);
/// How often in a row nothing may have happened for a half to count as processed, or a row where sources go in
/// step.
const QUIET_TURNS: u32 = 5;
const QUIET_TURNS_ROW: u32 = 2;

/// What decides when a job may go on.
pub(super) struct Drive<'a> {
    pub(super) gate: &'a Gate,
    pub(super) graph: &'a JobGraph,
    /// The `data-id`s of the sinks and how many rows they should hold after each half.
    pub(super) sinks: Vec<(String, [usize; 2])>,
    /// How long to wait between the halves: restores came long after, when short-lived state was gone.
    pub(super) pause: Duration,
}

impl Drive<'_> {
    /// Lets the job run to its end.
    pub(super) fn run(&self, job: &JobHandle) -> Result<JobResult, Stop> {
        let ended = watch(job);
        for half in 0..2 {
            if let Some(result) = self.half(job, half, &ended) {
                return Ok(result);
            }
            if half == 0 {
                self.wait_for_expiry(&ended);
            }
            self.gate.open_next();
        }
        end(job, &ended)
    }

    /// Lets the job process its first half; the result when it ends meanwhile.
    pub(super) fn run_first_half(&self, job: &JobHandle) -> Option<JobResult> {
        let ended = watch(job);
        let result = self.half(job, 0, &ended);
        if result.is_none() {
            self.wait_for_expiry(&ended);
        }
        result
    }

    fn wait_for_expiry(&self, ended: &Receiver<JobResult>) {
        // Nobody ends the job now: this only waits.
        let _ = (!self.pause.is_zero()).then(|| ended.recv_timeout(self.pause));
    }

    /// Lets a job that was restored behind its first half run to its end.
    pub(super) fn run_second_half(&self, job: &JobHandle) -> Result<JobResult, Stop> {
        let ended = watch(job);
        if let Some(result) = self.half(job, 1, &ended) {
            return Ok(result);
        }
        self.gate.open_next();
        end(job, &ended)
    }

    /// Waits until a half is processed; the result when the job ends meanwhile.
    fn half(&self, job: &JobHandle, half: usize, ended: &Receiver<JobResult>) -> Option<JobResult> {
        let by_clock = self.fires_by_the_clock();
        let deadline = now() + if by_clock { HALF_TIMEOUT_PROCTIME } else { HALF_TIMEOUT };
        let mut before = vec![];
        let mut quiet_turns = 0;
        while now() < deadline {
            match ended.recv_timeout(TURN) {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let counters = rows_seen(job);
            let is_quiet = self.is_drained(&counters) && counters == before;
            quiet_turns = if is_quiet { quiet_turns + 1 } else { 0 };
            before = counters;
            let is_read = self.gate.waiting(half) >= readers(self.graph);
            if is_read && quiet_turns >= QUIET_TURNS && (!by_clock || self.have_arrived(half)) {
                return None;
            }
            if !is_read && quiet_turns >= QUIET_TURNS_ROW {
                self.gate.step();
            }
        }
        None
    }

    /// Whether every row that was sent over an edge has arrived.
    fn is_drained(&self, counters: &[OperatorSnapshot]) -> bool {
        let totals = totals(counters);
        let total =
            |vertex, position: usize| totals.iter().find(|t| t.vertex == vertex && t.position as usize == position);
        self.graph.vertices.iter().all(|vertex| {
            let edges: Vec<_> = self.graph.edges.iter().filter(|edge| edge.target == vertex.id).collect();
            let spreads = edges.iter().any(|edge| edge.partitioning == Partitioning::Broadcast);
            let sent = edges.iter().filter_map(|edge| {
                let source = self.graph.vertices.iter().find(|v| v.id == edge.source)?;
                total(source.id, source.chain.len().checked_sub(1)?).map(|t| t.rows_out)
            });
            let received = total(vertex.id, 0).map_or(0, |t| t.rows_in);
            edges.is_empty() || spreads || sent.sum::<u64>() == received
        })
    }

    fn have_arrived(&self, half: usize) -> bool {
        self.sinks.iter().all(|(data_id, counts)| Store::results(data_id).len() >= counts[half])
    }

    fn fires_by_the_clock(&self) -> bool {
        let specs = self.graph.vertices.iter().flat_map(|vertex| &vertex.chain).map(|operator| &operator.spec);
        specs.into_iter().any(|spec| match spec {
            OperatorSpec::WindowTableFunction(window) => window.time == WindowTime::Proctime,
            OperatorSpec::WindowAggregate(aggregate) => aggregate.window.time == WindowTime::Proctime,
            OperatorSpec::WindowJoin(join) => join.proctime,
            OperatorSpec::WindowRank(rank) => rank.proctime,
            _ => false,
        })
    }
}

/// Sources of the test connector: each is read by one reader.
pub(super) fn readers(graph: &JobGraph) -> usize {
    sources(graph).count()
}

/// Those among them that are looked up.
pub(super) fn looked_up(graph: &JobGraph) -> usize {
    sources(graph).filter(|source| is_looked_up(&source.table.options)).count()
}

/// Whether a table with these options is looked up.
pub(super) fn is_looked_up(options: &BTreeMap<String, String>) -> bool {
    options.get("disable-lookup").is_some_and(|disabled| disabled == "false")
}

fn sources(graph: &JobGraph) -> impl Iterator<Item = &SourceSpec> {
    let specs = graph.vertices.iter().flat_map(|vertex| &vertex.chain).map(|operator| &operator.spec);
    specs.filter_map(|spec| match spec {
        OperatorSpec::Source(source) if source.table.options.get("connector").is_some_and(|c| c == "values") => {
            Some(source)
        }
        _ => None,
    })
}

/// The counters of a job that stand still when nothing moves: without the times of its tasks.
fn rows_seen(job: &JobHandle) -> Vec<OperatorSnapshot> {
    let counters = job.metrics().unwrap_or_default();
    counters.into_iter().map(|counter| OperatorSnapshot { task: None, ..counter }).collect()
}

/// Waits for the end of a job; one that takes too long is cancelled and fails its case.
pub(super) fn wait(job: &JobHandle) -> Result<JobResult, Stop> {
    end(job, &watch(job))
}

fn end(job: &JobHandle, ended: &Receiver<JobResult>) -> Result<JobResult, Stop> {
    ended.recv_timeout(JOB_TIMEOUT).map_err(|_| {
        job.cancel();
        Stop::failed(format!("the job did not end within {} seconds", JOB_TIMEOUT.as_secs()))
    })
}

/// Sends the result of a job when it ends.
fn watch(job: &JobHandle) -> Receiver<JobResult> {
    let (sender, ended) = sync_channel(1);
    let waiting = job.clone();
    // Without a thread the receiver is disconnected, and waiting ends at once.
    let _ = std::thread::Builder::new().name("wait".to_string()).spawn(move || {
        let _ = sender.send(waiting.wait());
    });
    ended
}

#[allow(clippy::disallowed_methods, reason = "deadlines of the runner, not of the engine")]
fn now() -> Instant {
    Instant::now()
}
