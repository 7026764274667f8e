//! A cluster in this process with a job that runs, and the API over it.

use crate::scripts::Echo;
use headwater_embedded::{Engine, JobHandle};
use headwater_rest::testing::http;
use headwater_rest::{JobManagerCluster, Options, Server, Tracer, serve};
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

const SCRIPT: &str = "
CREATE TABLE orders (id BIGINT, name STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '2000',
  'fields.name.length' = '1');
CREATE TABLE totals (name STRING, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals SELECT name, COUNT(*) FROM orders GROUP BY name;
";

/// A cluster, a job on it, and the API.
pub struct Fixture {
    pub job: JobHandle,
    pub server: Server,
    pub directory: tempfile::TempDir,
    _tracer: Option<Tracer>,
    _engine: Engine,
}

impl Fixture {
    /// With these keys besides.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        Self::with(SCRIPT, settings, |_| {})
    }

    /// With the job of another script.
    pub fn of(script: &str, settings: &[(&str, &str)]) -> Self {
        Self::with(script, settings, |_| {})
    }

    /// Whose options say that all interfaces are listened at; the socket is a local one all the same.
    pub fn elsewhere() -> Self {
        Self::with(SCRIPT, &[], |options| options.bind = ([0, 0, 0, 0], 0).into())
    }

    fn with(script: &str, settings: &[(&str, &str)], change: impl FnOnce(&mut Options)) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().to_str().expect("the path of a temporary directory is text");
        let mut config = Configuration::new();
        for (key, value) in [
            ("parallelism.default", "2"),
            ("execution.checkpointing.interval", "1 h"),
            ("execution.checkpointing.dir", &format!("{root}/checkpoints")),
            ("execution.checkpointing.savepoint-dir", &format!("{root}/savepoints")),
        ] {
            config.set(key, value);
        }
        settings.iter().for_each(|(key, value)| config.set(*key, *value));
        let mut options = Options::from_config(&config).expect("the options are valid");
        change(&mut options);
        let mut engine = Engine::new(config.clone());
        let job = submit(&mut engine, script);
        let handle = engine.cluster_handle().expect("the cluster runs");
        let env = headwater_env::Env::real();
        let cluster = JobManagerCluster::new(handle, env, config.clone(), Arc::new(headwater_storage::Provider));
        let cluster = Arc::new(cluster.with_scripts(Arc::new(Echo)));
        let tracer = Tracer::start(cluster.clone(), &config).expect("the options are valid");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = serve(listener, cluster, options).expect("the server starts");
        Self { job, server, directory, _tracer: tracer, _engine: engine }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A document of the API.
    pub fn get(&self, path: &str) -> Value {
        let (status, document) = http::json(self.address(), "GET", path, "");
        assert_eq!(status, 200, "{path}: {document}");
        document
    }

    /// The id of the first vertex.
    pub fn vertex(&self) -> String {
        let details = self.get(&format!("/jobs/{}", self.job.id()));
        details["vertices"][0]["id"].as_str().expect("vertices have ids").to_owned()
    }

    /// Begins an operation and waits for its outcome.
    pub fn operate(&self, begin: &str, body: &str, look: &str) -> (String, Value) {
        let (status, begun) = http::json(self.address(), "POST", begin, body);
        assert!(status == 202 || status == 200, "{begin}: {status} {begun}");
        let id = begun["request-id"].as_str().expect("operations have ids").to_owned();
        loop {
            let outcome = self.get(&format!("{look}/{id}"));
            if outcome["status"]["id"] == "COMPLETED" {
                return (id, outcome);
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.job.cancel();
        self.job.wait();
    }
}

fn submit(engine: &mut Engine, script: &str) -> JobHandle {
    let (statements, error) = parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let mut job = None;
    for parsed in &statements {
        let result = engine.execute(&parsed.statement, script).unwrap_or_else(|e| panic!("{}", e.render(script)));
        if let StatementResult::Job(planned) = result {
            job = Some(engine.start_job(&planned).expect("the job starts"));
        }
    }
    let job = job.expect("the script has an INSERT");
    // A checkpoint is only complete when all subtasks run.
    while job.trigger_checkpoint().is_err() && job.status().is_ok_and(|status| !status.state.is_final()) {
        std::thread::yield_now();
    }
    job
}
