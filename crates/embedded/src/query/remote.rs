//! The rows of a query that runs in other processes, or whose rows have to wait for a checkpoint.
//!
//! A thread asks the query's sinks for rows by way of the JobManager and puts them into the channel that [`RunningQuery`]
//! reads, so that both kinds of queries are read in the same way. While nobody reads, it takes no more rows but goes on
//! asking, so that the query knows that it has a client. It ends with the channel or with the job.
//!
//! [`RunningQuery`]: super::RunningQuery

use super::{collects, direct_to};
use headwater_checkpoint::Settings;
use headwater_connectors::collect::remote::{Fetcher, Guarantee, of_bytes, target, to_bytes};
use headwater_connectors::collect::{FETCH_TIMEOUT_MS, Sender};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_jobmanager::{Handle, JobHandle, JobResult, JobState, Pending};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_taskmanager::Inspected;
use headwater_types::config::{Configuration, Key, RUNTIME_MODE};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// After how long without its client a query ends.
const CLIENT_TIMEOUT: Key = Key { name: "client.heartbeat.timeout", default: "180 s" };
/// Pauses while there are no rows: first and longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// How often a query is told that its client is there while rows wait to be read, at least.
const KEEP_ALIVE: Duration = Duration::from_secs(1);
/// How long an answer may take; then it is asked for again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// What keeps the parallelism of a query as it is: its rows are fetched from each subtask.
const FIXED_PARALLELISM: [(&str, &str); 2] = [("jobmanager.scheduler", "default"), ("scheduler-mode", "")];

/// Why rows could not be fetched, once that is known.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<Error>>>);

impl Failure {
    pub(super) fn told(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn tell(&self, error: Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// Submits a query, and fetches its rows into a channel until it or the channel ends.
pub(super) fn start(cluster: &Handle, mut graph: JobGraph, rows: Sender, env: &Env) -> Result<(JobHandle, Failure)> {
    let id = format!("{:016x}{:016x}", env.random_u64(), env.random_u64());
    let timeout = graph.config.duration(CLIENT_TIMEOUT)?;
    let timeout_ms = timeout.as_millis().to_string();
    direct_to(&mut graph, &[("collect-id", &id), (FETCH_TIMEOUT_MS, &timeout_ms)]);
    FIXED_PARALLELISM.into_iter().for_each(|(key, value)| graph.config.set(key, value));
    let guarantee = guarantee(&graph.config)?;
    let part =
        |subtask: SubtaskId| Part { subtask, target: target(&id, subtask.index), fetcher: Fetcher::new(guarantee) };
    let parts = subtasks(&graph).map(part).collect();
    let job = cluster.submit(&graph)?;
    let failure = Failure::default();
    let fetching = Fetching {
        ended: job.request_result()?,
        job: job.clone(),
        parts,
        rows,
        failure: failure.clone(),
        keep_alive: (timeout / 4).min(KEEP_ALIVE),
        kept_alive_ns: env.clock().monotonic_ns(),
        env: env.clone(),
    };
    let spawned = std::thread::Builder::new().name("query-rows".to_owned()).spawn(move || fetching.run());
    spawned.map_err(|e| {
        job.cancel();
        Error::retryable("no-thread", "the thread that fetches rows could not be started").with_source(e)
    })?;
    Ok((job, failure))
}

/// What the query's checkpoints promise for its rows.
pub(super) fn guarantee(config: &Configuration) -> Result<Guarantee> {
    let settings = Settings::from_config(config)?;
    let is_batch = config.text(RUNTIME_MODE).trim().eq_ignore_ascii_case("BATCH");
    Ok(match (settings.interval_ms, settings.at_least_once) {
        (None, _) => Guarantee::NoRestart,
        (Some(_), _) if is_batch => Guarantee::NoRestart,
        (Some(_), true) => Guarantee::AtLeastOnce,
        (Some(_), false) => Guarantee::ExactlyOnce,
    })
}

/// The subtasks whose rows are to be fetched.
fn subtasks(graph: &JobGraph) -> impl Iterator<Item = SubtaskId> + '_ {
    let ends = graph.vertices.iter().filter(|vertex| {
        let last = vertex.chain.last().map(|operator| &operator.spec);
        matches!(last, Some(OperatorSpec::Sink(sink)) if collects(&sink.table.options))
    });
    ends.flat_map(|vertex| (0..vertex.parallelism).map(move |index| SubtaskId { vertex: vertex.id, index }))
}

/// One subtask of the sink.
struct Part {
    subtask: SubtaskId,
    target: String,
    fetcher: Fetcher,
}

impl Part {
    /// Asks; whether that brought something. While the task does not run, or cannot be reached, it does not: whether
    /// the job goes on is told otherwise.
    fn ask(&mut self, job: &JobHandle, takes: bool) -> Result<bool> {
        let request = to_bytes(&self.fetcher.request(takes))?;
        match job.coordinate(self.subtask, &self.target, request)?.wait(ANSWER_TIMEOUT) {
            Ok(Inspected::Coordinated(Some(answer))) => self.fetcher.take(&of_bytes(&answer)?),
            Ok(_) | Err(_) => Ok(false),
        }
    }
}

struct Fetching {
    job: JobHandle,
    ended: Pending<JobResult>,
    parts: Vec<Part>,
    rows: Sender,
    failure: Failure,
    keep_alive: Duration,
    /// When all subtasks were asked last while rows waited.
    kept_alive_ns: u64,
    env: Env,
}

impl Fetching {
    fn run(mut self) {
        if let Err(error) = self.fetch() {
            self.failure.tell(error);
            self.job.cancel();
        }
        self.rows.end();
    }

    fn fetch(&mut self) -> Result<()> {
        let mut pause = PAUSE.0;
        while !self.rows.is_closed() {
            if self.round()? {
                pause = PAUSE.0;
                continue;
            }
            if let Some(result) = self.ended.take()? {
                return self.finish(&result);
            }
            self.rows.pause(pause);
            pause = (pause * 2).min(PAUSE.1);
        }
        Ok(())
    }

    /// Asks every subtask once; whether that brought something.
    fn round(&mut self) -> Result<bool> {
        let mut is_new = false;
        for at in 0..self.parts.len() {
            is_new |= self.parts[at].ask(&self.job, true)?;
            while let Some(batch) = self.parts[at].fetcher.next_ready() {
                self.hand_over(batch)?;
            }
        }
        Ok(is_new)
    }

    /// Puts a batch into the channel and waits until there is room for the next.
    fn hand_over(&mut self, batch: ChangeBatch) -> Result<()> {
        self.rows.send(batch);
        loop {
            self.keep_alive()?;
            if self.rows.wait_for_room(self.keep_alive) || self.rows.is_closed() {
                return Ok(());
            }
        }
    }

    /// Lets no subtask wait for long, whichever one's rows are being read.
    fn keep_alive(&mut self) -> Result<()> {
        let now_ns = self.env.clock().monotonic_ns();
        if u128::from(now_ns.saturating_sub(self.kept_alive_ns)) < self.keep_alive.as_nanos() {
            return Ok(());
        }
        self.kept_alive_ns = now_ns;
        for part in &mut self.parts {
            part.ask(&self.job, false)?;
        }
        Ok(())
    }

    /// The job has ended. What waited for a checkpoint counts if it ended well.
    fn finish(&mut self, result: &JobResult) -> Result<()> {
        if result.state != JobState::Finished {
            return Ok(());
        }
        for at in 0..self.parts.len() {
            while let Some(batch) = self.parts[at].fetcher.next_finished() {
                self.hand_over(batch)?;
            }
        }
        Ok(())
    }
}
