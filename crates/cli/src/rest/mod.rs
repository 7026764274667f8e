//! Flink's REST API over a cluster: of `headwater sql --rest`, and of a JobManager.
//!
//! This only joins parts: what is served stands in the REST crate, what a script means in the engine.

mod scripts;

pub use scripts::graphs;

use headwater_env::Env;
use headwater_jobmanager::Handle;
use headwater_rest::{JobManagerCluster, Options, Server, Tracer, serve, serve_metrics};
use headwater_types::Result;
use headwater_types::config::Configuration;
use scripts::ClusterScripts;
use std::net::TcpListener;
use std::sync::Arc;

/// What a process serves. It ends when this is dropped.
pub struct Served {
    server: Server,
    scheme: &'static str,
    _metrics: Option<Server>,
    _traces: Option<Tracer>,
}

impl Served {
    /// Serves the API over the cluster of a handle at a socket that is bound, and whatever else about it is configured.
    ///
    /// # Errors
    /// When a server cannot be started, or a value of the configuration is none.
    pub fn start(handle: Handle, config: &Configuration, options: Options, listener: TcpListener) -> Result<Self> {
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let storage = Arc::new(headwater_storage::Provider);
        let scripts = Arc::new(ClusterScripts::new(config.clone(), handle.clone()));
        let cluster = JobManagerCluster::new(handle, Env::real(), config.clone(), storage).with_scripts(scripts);
        let cluster: Arc<JobManagerCluster> = Arc::new(cluster);
        let metrics = serve_metrics(cluster.clone(), &options)?;
        let traces = Tracer::start(cluster.clone(), config)?;
        Ok(Self { server: serve(listener, cluster, options)?, scheme, _metrics: metrics, _traces: traces })
    }

    /// Serves the API of a JobManager where the configuration says. Where it says nothing and somebody else is at the
    /// default port, the cluster works without.
    ///
    /// # Errors
    /// When the configured address cannot be used, or a value of the configuration is none.
    pub fn of_job_manager(handle: Handle, config: &Configuration) -> Result<Option<Self>> {
        let options = Options::from_config(config)?;
        match options.listen() {
            Ok(listener) => Self::start(handle, config, options, listener).map(Some),
            Err(error) if !options.is_configured => {
                tracing::warn!(error = error.message(), "there is no REST API");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address())
    }
}
