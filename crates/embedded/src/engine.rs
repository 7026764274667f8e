//! The engine: a session with its cluster.

use crate::jobs::{self, Jobs, StartedJob};
use crate::lineage::{self, Reporter, ReporterOptions};
use crate::operators::SqlOperators;
use crate::query::RunningQuery;
use crate::recovery;
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::{Handle, JobHandle, LocalCluster, LocalOptions};
use headwater_lineage::JobLineage;
use headwater_plan::JobGraph;
use headwater_sql::SqlResult;
use headwater_sql::planner::{PlannedJob, PlannedQuery};
use headwater_sql::session::{Session, StatementResult};
use headwater_sql_parser::ast::Statement;
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::sync::Arc;

/// All connectors of an installation whose processes have this configuration.
pub fn registry(config: &Configuration) -> Registry {
    let mut registry = headwater_connectors::registry_of(config);
    headwater_connector_kafka::register(&mut registry);
    headwater_connector_savepoint::register(&mut registry, config);
    registry
}

/// A session and the cluster its jobs run on.
pub struct Engine {
    /// Tells the lineage of jobs on the engine's own cluster, where only the session asks for it. Dropped before it.
    reporter: Option<Reporter>,
    session: Session,
    /// Configuration of the process, below that of every job.
    config: Configuration,
    registry: Registry,
    env: Env,
    place: Place,
    jobs: Jobs,
}

/// The cluster that jobs run on.
enum Place {
    /// One of the engine's own, which starts with the first job.
    Own(Option<LocalCluster>),
    /// One in this process that others use as well.
    Shared(Handle),
    /// One of other processes.
    Elsewhere(Handle),
}

/// Starts a cluster in this process, for one engine or for several.
///
/// # Errors
/// When it cannot be started.
pub fn start_cluster(config: &Configuration, registry: &Registry, env: &Env) -> Result<LocalCluster> {
    let mut cluster = LocalCluster::start(LocalOptions {
        lanes: 0,
        registry: registry.clone(),
        operator_factory: Arc::new(SqlOperators),
        env: env.clone(),
        config: config.clone(),
        storage: Arc::new(headwater_storage::Provider),
    })?;
    let options = ReporterOptions::of_process(registry, env, config);
    if options.settings(&Configuration::new()).is_on() {
        let reporter = Reporter::start(cluster.handle(), options)?;
        cluster.attach(Box::new(reporter));
    }
    Ok(cluster)
}

impl Engine {
    /// An engine with all built-in connectors and the real clock. Starts nothing yet.
    pub fn new(config: Configuration) -> Self {
        let registry = registry(&config);
        Self::with(config, registry, Env::real())
    }

    /// An engine with these connectors and effects.
    pub fn with(config: Configuration, registry: Registry, env: Env) -> Self {
        let session = Session::new(config.clone(), registry.clone(), env.clone());
        Self { reporter: None, session, config, registry, env, place: Place::Own(None), jobs: Jobs::default() }
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The session, to change it.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Starts a new session on the same cluster: an empty catalog and the configuration of the process.
    pub fn reset_session(&mut self) {
        self.session = Session::new(self.config.clone(), self.registry.clone(), self.env.clone());
    }

    /// Executes a statement up to the point where a job has to run. `source` is the text its spans refer to.
    pub fn execute(&mut self, statement: &Statement, source: &str) -> SqlResult<StatementResult> {
        self.session.execute(statement, source)
    }

    /// Starts a planned query.
    ///
    /// # Errors
    /// When it cannot be set up, or cannot go on from the checkpoint that it is to start from.
    pub fn start_query(&mut self, mut query: PlannedQuery) -> Result<RunningQuery> {
        query.graph = self.prepare(&query.graph, &query.lineage)?;
        if let Place::Elsewhere(cluster) = &self.place {
            return RunningQuery::start_elsewhere(cluster, query, &self.env);
        }
        let cluster = self.cluster()?;
        self.report(&cluster, &query.graph)?;
        RunningQuery::start(&cluster, query, &self.env)
    }

    /// Starts planned inserts.
    ///
    /// # Errors
    /// When they cannot be set up, or cannot go on from the checkpoint that they are to start from.
    pub fn start_job(&mut self, job: &PlannedJob) -> Result<JobHandle> {
        let graph = self.prepare(&job.graph, &job.lineage)?;
        let cluster = self.cluster()?;
        self.report(&cluster, &graph)?;
        let handle = cluster.submit(&graph)?;
        self.jobs.add(handle.clone(), self.env.now_ms());
        Ok(handle)
    }

    /// The graph that planned inserts would run as, for whoever submits it by other means.
    ///
    /// # Errors
    /// When they cannot go on from the checkpoint that they are to start from.
    pub fn job_graph(&mut self, job: &PlannedJob) -> Result<JobGraph> {
        self.prepare(&job.graph, &job.lineage)
    }

    /// Runs jobs on a cluster elsewhere from now on.
    pub fn submit_to(&mut self, cluster: Handle) {
        self.place = Place::Elsewhere(cluster);
    }

    /// Runs jobs on a cluster in this process that others use as well, from now on.
    pub fn share(&mut self, cluster: Handle) {
        self.place = Place::Shared(cluster);
    }

    /// The inserts that were started, with their present states.
    pub fn jobs(&mut self) -> Vec<StartedJob> {
        self.jobs.list()
    }

    /// The jobs that `SHOW JOBS` lists: of a cluster of other processes all, else the inserts that were started here.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub fn listed_jobs(&mut self) -> Result<Vec<StartedJob>> {
        match &self.place {
            Place::Elsewhere(cluster) => jobs::of_cluster(cluster),
            Place::Own(_) | Place::Shared(_) => Ok(self.jobs.list()),
        }
    }

    /// The listed job of this id.
    ///
    /// # Errors
    /// When there is none of that id, or the cluster does not answer.
    pub fn job(&mut self, id: &str) -> Result<StartedJob> {
        let place = match &self.place {
            Place::Elsewhere(_) => "of the cluster",
            Place::Own(_) | Place::Shared(_) => "that were started here",
        };
        jobs::find(self.listed_jobs()?, id, place)
    }

    /// A handle of the cluster that the jobs run on, which starts with it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn cluster_handle(&mut self) -> Result<Handle> {
        self.cluster()
    }

    /// The job with what it takes over settled, and with its lineage; warnings go to the session's.
    fn prepare(&mut self, graph: &JobGraph, lineage: &JobLineage) -> Result<JobGraph> {
        let mut prepared = recovery::prepare(graph, &self.config, &self.env)?;
        self.session.warn(prepared.warnings);
        lineage::attach(&mut prepared.graph, lineage);
        Ok(prepared.graph)
    }

    /// Sees to it that the lineage of a job on the engine's own cluster is told, where only the session asks for it: what
    /// the process asks for, the cluster does by itself.
    fn report(&mut self, cluster: &Handle, graph: &JobGraph) -> Result<()> {
        if self.reporter.is_some() || !matches!(self.place, Place::Own(_)) {
            return Ok(());
        }
        let options = ReporterOptions::of_process(&self.registry, &self.env, &self.config);
        if options.settings(&Configuration::new()).is_on() || !options.settings(&graph.config).is_on() {
            return Ok(());
        }
        self.reporter = Some(Reporter::start(cluster.clone(), options)?);
        Ok(())
    }

    fn cluster(&mut self) -> Result<Handle> {
        let own = match &mut self.place {
            Place::Shared(handle) | Place::Elsewhere(handle) => return Ok(handle.clone()),
            Place::Own(own) => own,
        };
        let cluster = match own.take() {
            Some(cluster) => cluster,
            None => start_cluster(&self.config, &self.registry, &self.env)?,
        };
        Ok(own.insert(cluster).handle())
    }
}
