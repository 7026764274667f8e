//! Flink's REST API over a cluster: of `headwater sql --rest`, and of a JobManager.
//!
//! This only joins parts: what is served stands in the REST crate, what a script means in the engine.

mod scripts;
mod standby;

pub use scripts::graphs;

use headwater_env::Env;
use headwater_jobmanager::Handle;
use headwater_rest::{JobManagerCluster, Options, Server, Tracer, serve, serve_metrics};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use scripts::ClusterScripts;
use std::net::TcpListener;
use std::sync::Arc;

/// The port of a JobManager's REST API: bound as long as the process lives, and served by whoever it is at the moment,
/// the leader or one that waits.
pub struct Port {
    listener: TcpListener,
    options: Options,
    config: Configuration,
    /// Ends the process.
    end: Arc<dyn Fn() + Send + Sync>,
}

impl Port {
    /// Binds where the configuration says; `None` where it says nothing and somebody else is at the default port: then
    /// the cluster works without. Clients who may, end the process by `end`.
    ///
    /// # Errors
    /// When the configured address cannot be used, or a value of the configuration is none.
    pub fn bind(config: &Configuration, end: Arc<dyn Fn() + Send + Sync>) -> Result<Option<Self>> {
        let options = Options::from_config(config)?;
        match options.listen() {
            Ok(listener) => Ok(Some(Self { listener, options, config: config.clone(), end })),
            Err(error) if !options.is_configured => {
                tracing::warn!(error = error.message(), "there is no REST API");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The number of the port.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn number(&self) -> Result<u16> {
        self.listener.local_addr().map(|address| address.port()).map_err(unusable)
    }

    /// Serves as the leader, by its handle.
    ///
    /// # Errors
    /// When a server cannot be started.
    pub fn lead(&self, handle: Handle) -> Result<Served> {
        let (options, listener) = (self.options.clone(), self.listener.try_clone().map_err(unusable)?);
        Served::start(handle, &self.config, options, listener, Some(self.end.clone()))
    }

    /// Serves as one that waits, by asking the leader.
    ///
    /// # Errors
    /// When a server cannot be started.
    pub fn wait(&self, leader: Box<standby::Where>) -> Result<Server> {
        let listener = self.listener.try_clone().map_err(unusable)?;
        standby::serve(listener, leader, &self.config, self.options.clone())
    }
}

fn unusable(error: std::io::Error) -> Error {
    Error::retryable("rest-not-started", format!("the REST port cannot be used: {error}")).with_source(error)
}

/// What a process serves. It ends when this is dropped.
pub struct Served {
    server: Server,
    scheme: &'static str,
    _metrics: Option<Server>,
    _traces: Option<Tracer>,
}

impl Served {
    /// Serves the API over the cluster of a handle at a socket that is bound, and whatever else about it is configured.
    /// Clients who may, end the process by `end`, where they can.
    ///
    /// # Errors
    /// When a server cannot be started, or a value of the configuration is none.
    pub fn start(
        handle: Handle,
        config: &Configuration,
        options: Options,
        listener: TcpListener,
        end: Option<Arc<dyn Fn() + Send + Sync>>,
    ) -> Result<Self> {
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let storage = Arc::new(headwater_storage::Provider);
        let scripts = Arc::new(ClusterScripts::new(config.clone(), handle.clone()));
        let cluster =
            JobManagerCluster::new(handle, Env::real(), config.clone(), storage).with_scripts(scripts).with_end(end);
        let cluster: Arc<JobManagerCluster> = Arc::new(cluster);
        let metrics = serve_metrics(cluster.clone(), &options)?;
        let traces = Tracer::start(cluster.clone(), config)?;
        Ok(Self { server: serve(listener, cluster, options)?, scheme, _metrics: metrics, _traces: traces })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address())
    }
}
