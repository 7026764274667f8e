//! The engine: a session with its cluster.

use crate::operators::SqlOperators;
use crate::query::RunningQuery;
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::{JobHandle, LocalCluster, LocalOptions};
use headwater_sql::SqlResult;
use headwater_sql::planner::{PlannedJob, PlannedQuery};
use headwater_sql::session::{Session, StatementResult};
use headwater_sql_parser::ast::Statement;
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::sync::Arc;

/// All connectors of an installation.
pub fn registry() -> Registry {
    let mut registry = headwater_connectors::registry();
    headwater_connector_kafka::register(&mut registry);
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
}

impl Engine {
    /// An engine with all built-in connectors and the real clock. Starts nothing yet.
    pub fn new(config: Configuration) -> Self {
        Self::with(config, registry(), Env::real())
    }

    /// An engine with these connectors and effects.
    pub fn with(config: Configuration, registry: Registry, env: Env) -> Self {
        let session = Session::new(config.clone(), registry.clone(), env.clone());
        Self { session, config, registry, env, cluster: None }
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
    pub fn start_query(&mut self, query: PlannedQuery) -> Result<RunningQuery> {
        RunningQuery::start(self.cluster()?, query)
    }

    /// Starts planned inserts.
    pub fn start_job(&mut self, job: &PlannedJob) -> Result<JobHandle> {
        self.cluster()?.submit(&job.graph)
    }

    fn cluster(&mut self) -> Result<&LocalCluster> {
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
        Ok(self.cluster.as_ref().expect("the cluster was just started"))
    }
}
