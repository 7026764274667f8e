//! The engine: a session with its cluster.

use crate::jobs::{Jobs, StartedJob};
use crate::operators::SqlOperators;
use crate::query::RunningQuery;
use crate::recovery;
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::{Handle, JobHandle, LocalCluster, LocalOptions};
use headwater_plan::JobGraph;
use headwater_sql::SqlResult;
use headwater_sql::planner::{PlannedJob, PlannedQuery};
use headwater_sql::session::{Session, StatementResult};
use headwater_sql_parser::ast::Statement;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
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
    session: Session,
    /// Configuration of the process, below that of every job.
    config: Configuration,
    registry: Registry,
    env: Env,
    cluster: Option<LocalCluster>,
    /// The cluster that jobs run on instead of one in this process.
    elsewhere: Option<Handle>,
    jobs: Jobs,
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
        Self { session, config, registry, env, cluster: None, elsewhere: None, jobs: Jobs::default() }
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
        query.graph = self.prepare(&query.graph)?;
        if self.elsewhere.is_some() {
            let message = "a query whose rows come here, on a cluster elsewhere: write them to a table by INSERT INTO";
            return Err(Error::unsupported(message));
        }
        RunningQuery::start(&self.cluster()?, query)
    }

    /// Starts planned inserts.
    ///
    /// # Errors
    /// When they cannot be set up, or cannot go on from the checkpoint that they are to start from.
    pub fn start_job(&mut self, job: &PlannedJob) -> Result<JobHandle> {
        let graph = self.prepare(&job.graph)?;
        let handle = self.cluster()?.submit(&graph)?;
        self.jobs.add(handle.clone(), self.env.now_ms());
        Ok(handle)
    }

    /// Runs jobs on a cluster elsewhere from now on.
    pub fn submit_to(&mut self, cluster: Handle) {
        self.elsewhere = Some(cluster);
    }

    /// The inserts that were started, with their present states.
    pub fn jobs(&mut self) -> Vec<StartedJob> {
        self.jobs.list()
    }

    /// The job of this id.
    ///
    /// # Errors
    /// When none of that id was started here.
    pub fn job(&mut self, id: &str) -> Result<StartedJob> {
        self.jobs.find(id)
    }

    /// A handle of the cluster that the jobs run on, which starts with it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn cluster_handle(&mut self) -> Result<Handle> {
        self.cluster()
    }

    /// The job with what it takes over settled; warnings go to the session's.
    fn prepare(&mut self, graph: &JobGraph) -> Result<JobGraph> {
        let prepared = recovery::prepare(graph, &self.config, &self.env)?;
        self.session.warn(prepared.warnings);
        Ok(prepared.graph)
    }

    fn cluster(&mut self) -> Result<Handle> {
        if let Some(elsewhere) = &self.elsewhere {
            return Ok(elsewhere.clone());
        }
        if self.cluster.is_none() {
            self.cluster = Some(LocalCluster::start(LocalOptions {
                lanes: 0,
                registry: self.registry.clone(),
                operator_factory: Arc::new(SqlOperators),
                env: self.env.clone(),
                config: self.config.clone(),
                storage: Arc::new(headwater_storage::Provider),
            })?);
        }
        Ok(self.cluster.as_ref().expect("the cluster was just started").handle())
    }
}
