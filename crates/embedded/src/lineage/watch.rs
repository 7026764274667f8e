//! One job under watch.

use super::due::{Seen, Told, due};
use super::observe::{Asked, observe};
use super::positions::Positions;
use super::{ANSWER, ReporterOptions};
use headwater_checkpoint::settings::RECOVERY_PATH;
use headwater_connector_api::DatasetIdentity;
use headwater_jobmanager::locate::locate;
use headwater_jobmanager::{Handle, JobHandle, JobState, JobSummary};
use headwater_lineage::model::{EventType, Restore};
use headwater_lineage::{DatasetId, JobLineage, Run, run_event};
use headwater_lineage_client::{Client, Settings};
use headwater_plan::{JobGraph, OperatorSpec, TableSpec};
use headwater_storage::Provider;
use headwater_types::ids::JobId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shortest time between two questions to brokers about topics.
const DISCOVERY_MS: i64 = 10_000;

/// A job and what was told of it.
pub(super) struct Watch {
    run: Run,
    lineage: JobLineage,
    settings: Settings,
    client: Arc<Client>,
    told: Told,
    positions: Positions,
    found: BTreeMap<String, Vec<DatasetId>>,
    discovered_ms: i64,
}

impl Watch {
    /// A job that nothing was told of. `origin` knows runs and versions of other jobs.
    pub fn new(
        id: String,
        lineage: JobLineage,
        settings: Settings,
        client: Arc<Client>,
        summary: &JobSummary,
        options: &ReporterOptions,
        origin: &dyn Fn(JobId) -> Option<(String, String)>,
    ) -> Self {
        let restore = restore(&summary.graph, options, origin);
        let run = Run { id, job_id: summary.job.to_string(), parent: settings.parent.clone(), restore };
        let lineage = resolved(lineage, &settings);
        Self {
            run,
            lineage,
            settings,
            client,
            told: Told::default(),
            positions: Positions::default(),
            found: BTreeMap::new(),
            discovered_ms: i64::MIN,
        }
    }

    /// Its run and the version of its job.
    pub fn identity(&self) -> (String, String) {
        (self.run.id.clone(), self.lineage.version())
    }

    /// Tells what is due. A job that has ended before it was seen tells its beginning and its end.
    pub fn look(&mut self, summary: &JobSummary, manager: &Handle, options: &ReporterOptions) {
        if self.told.ended {
            return;
        }
        let handle = manager.job(summary.job, &summary.graph.name);
        let now_ms = options.env.now_ms();
        let statistics = handle.checkpoints().unwrap_or_default();
        let datasets_changed = self.discover(&summary.graph, options, now_ms);
        let mut seen = Seen {
            now_ms,
            state: summary.state,
            completed: self.settings.tracks_checkpoints.then_some(statistics.counts.completed),
            datasets_changed,
        };
        let interval_ms = i64::try_from(self.settings.interval.as_millis()).unwrap_or(i64::MAX);
        while let Some(event_type) = due(&self.told, &seen, interval_ms) {
            let details = manager.details(summary.job).and_then(|pending| pending.wait(ANSWER)).ok().flatten();
            let operators = operators(&handle, event_type);
            self.tell(event_type, summary, &Asked { details, operators, statistics: &statistics }, options);
            seen.datasets_changed = false;
        }
    }

    /// Tells that a job ends because its JobManager does.
    pub fn abandon(&mut self, mut summary: JobSummary, manager: &Handle, options: &ReporterOptions) {
        if !summary.state.is_final() {
            summary.state = JobState::Canceled;
            summary.ended_ms = Some(options.env.now_ms());
        }
        self.look(&summary, manager, options);
    }

    fn tell(&mut self, event_type: EventType, summary: &JobSummary, asked: &Asked<'_>, options: &ReporterOptions) {
        let at_ms = match event_type {
            EventType::Start => summary.started_ms,
            last if last.is_final() => summary.ended_ms.unwrap_or(summary.changed_ms),
            _ => options.env.now_ms(),
        };
        let mut observation = observe(event_type, at_ms, summary, asked);
        observation.health.events_dropped = self.client.counters().dropped;
        observation.positions = self.positions.of(summary, asked.statistics, options);
        observation.found.clone_from(&self.found);
        self.client.emit(&run_event(&self.settings.producer, &self.lineage, &self.run, &observation));
        self.told = Told {
            started: true,
            ended: event_type.is_final(),
            at_ms: options.env.now_ms(),
            // What follows at once compares with the state that was told.
            state: Some(summary.state),
            completed: asked.statistics.counts.completed,
        };
    }

    /// Asks for the datasets of patterns; whether they are others now.
    fn discover(&mut self, graph: &JobGraph, options: &ReporterOptions, now_ms: i64) -> bool {
        let is_due = now_ms.saturating_sub(self.discovered_ms) >= DISCOVERY_MS;
        if !self.settings.resolves_topic_patterns || !is_due {
            return false;
        }
        self.discovered_ms = now_ms;
        let mut changed = false;
        for table in sources(graph) {
            let connector = options.registry.get(table.options.get("connector").map_or("", String::as_str));
            let found = connector.and_then(|connector| connector.discover_datasets(table));
            // Brokers that do not answer leave what was known.
            let Ok(Some(found)) = found else { continue };
            let ids: Vec<DatasetId> = found.into_iter().map(|identity| resolved_id(identity, &self.settings)).collect();
            let known = self.found.insert(table.path.join("."), ids.clone());
            changed |= known.is_some_and(|known| known != ids);
        }
        changed
    }
}

fn operators(handle: &JobHandle, event_type: EventType) -> Vec<headwater_runtime::OperatorSnapshot> {
    let last = || handle.request_result().and_then(|pending| pending.wait(ANSWER)).map(|result| result.operators);
    let now = || handle.request_metrics().and_then(|pending| pending.wait(ANSWER));
    match event_type {
        EventType::Start => vec![],
        _ if event_type.is_final() => last().unwrap_or_default(),
        _ => now().unwrap_or_default(),
    }
}

/// The tables that a job reads.
pub(super) fn sources(graph: &JobGraph) -> impl Iterator<Item = &TableSpec> {
    let nodes = graph.vertices.iter().flat_map(|vertex| &vertex.chain);
    nodes.filter_map(|node| match &node.spec {
        OperatorSpec::Source(source) => Some(&source.table),
        _ => None,
    })
}

/// The lineage with the user's names for hosts.
fn resolved(mut lineage: JobLineage, settings: &Settings) -> JobLineage {
    let inputs = lineage.inputs.iter_mut().map(|input| &mut input.dataset);
    let outputs = lineage.outputs.iter_mut().map(|output| &mut output.dataset);
    for id in inputs.chain(outputs).flat_map(|dataset| &mut dataset.ids) {
        if let Some(namespace) = settings.resolvers.iter().find_map(|resolver| resolver.resolve(&id.namespace)) {
            id.namespace = namespace;
        }
    }
    lineage
}

fn resolved_id(identity: DatasetIdentity, settings: &Settings) -> DatasetId {
    let DatasetIdentity { namespace, name, .. } = identity;
    let other = settings.resolvers.iter().find_map(|resolver| resolver.resolve(&namespace));
    DatasetId { namespace: other.unwrap_or(namespace), name }
}

/// What the job goes on from.
fn restore(
    graph: &JobGraph,
    options: &ReporterOptions,
    origin: &dyn Fn(JobId) -> Option<(String, String)>,
) -> Option<Restore> {
    let mut config = options.config.clone();
    config.merge(&graph.config);
    let path = config.get(RECOVERY_PATH.name).filter(|path| !path.is_empty())?;
    let found = locate(&Provider, path, &config).ok()?;
    let known = origin(found.manifest.job);
    let (run_id, job_version) = known.unzip();
    Some(Restore {
        run_id,
        job_id: Some(found.manifest.job.to_string()),
        job_name: Some(found.manifest.job_name.clone()),
        job_version,
        checkpoint: found.manifest.checkpoint,
        path: found.path,
        savepoint: found.manifest.savepoint,
    })
}
