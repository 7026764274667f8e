//! A gateway and its clients.

use headwater_env::Env;
use headwater_rest::Server;
use headwater_rest::testing::http;
use headwater_sql_gateway::{Cluster, Gateway, Options, serve};
use headwater_types::config::Configuration;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// A gateway that is served.
pub struct Fixture {
    pub gateway: Arc<Gateway>,
    server: Server,
}

/// A session of it.
pub struct Client<'a> {
    pub fixture: &'a Fixture,
    pub handle: String,
}

/// All pages of a result.
#[derive(Debug)]
pub struct Outcome {
    /// The first page that was ready.
    pub first: Value,
    /// The rows of all pages.
    pub rows: Vec<Value>,
}

impl Fixture {
    /// With these keys.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let mut config = Configuration::new();
        config.set("parallelism.default", "1");
        // Tests ask without a rest.
        config.set("headwater.rest.requests-per-second", "0");
        settings.iter().for_each(|(key, value)| config.set(*key, *value));
        let options = Options::from_config(&config).unwrap();
        let gateway = Gateway::start(options, config, Cluster::Here, Env::real()).unwrap();
        let server = serve(TcpListener::bind("127.0.0.1:0").unwrap(), &gateway).unwrap();
        Self { gateway, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Opens a session.
    pub fn open(&self) -> Client<'_> {
        let opened = self.post("/v4/sessions", json!({ "sessionName": "a test" }));
        Client { fixture: self, handle: opened["sessionHandle"].as_str().unwrap().to_owned() }
    }

    pub fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        http::json(self.address(), method, path, body)
    }

    pub fn post(&self, path: &str, body: Value) -> Value {
        let (status, document) = self.call("POST", path, &body.to_string());
        assert_eq!(status, 200, "{path}: {document}");
        document
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, document) = self.call("GET", path, "");
        assert_eq!(status, 200, "{path}: {document}");
        document
    }
}

impl Client<'_> {
    /// The path of the session.
    pub fn path(&self) -> String {
        format!("/v4/sessions/{}", self.handle)
    }

    /// Submits a statement; the path of its operation.
    pub fn submit(&self, statement: &str) -> String {
        self.submit_with(statement, json!({}))
    }

    /// As [`Self::submit`], with configuration for this statement.
    pub fn submit_with(&self, statement: &str, config: Value) -> String {
        let body = json!({ "statement": statement, "executionConfig": config });
        let submitted = self.fixture.post(&format!("{}/statements", self.path()), body);
        format!("{}/operations/{}", self.path(), submitted["operationHandle"].as_str().unwrap())
    }

    /// The page of a token, once the statement was executed.
    pub fn page(&self, operation: &str, token: u64) -> (u16, Value) {
        loop {
            let (status, page) = self.fixture.call("GET", &format!("{operation}/result/{token}?rowFormat=JSON"), "");
            if status != 200 || page["resultType"] != "NOT_READY" {
                return (status, page);
            }
        }
    }

    /// All pages, or the last of the errors.
    pub fn fetch(&self, operation: &str) -> Result<Outcome, String> {
        let (mut first, mut rows) = (None, vec![]);
        for token in 0.. {
            let (status, page) = self.page(operation, token);
            if status != 200 {
                return Err(page["errors"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned());
            }
            rows.extend(page["results"]["data"].as_array().unwrap().iter().cloned());
            let is_end = page["resultType"] == "EOS";
            assert_eq!(page["nextResultUri"].is_null(), is_end, "{page}");
            first.get_or_insert(page);
            if is_end {
                break;
            }
        }
        Ok(Outcome { first: first.unwrap(), rows })
    }

    /// Runs a statement to its end.
    pub fn run(&self, statement: &str) -> Result<Outcome, String> {
        self.fetch(&self.submit(statement))
    }

    /// The fields of the rows of a statement, as text.
    pub fn rows(&self, statement: &str) -> Vec<String> {
        let outcome = self.run(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        outcome.rows.iter().map(|row| row["fields"].to_string()).collect()
    }

    pub fn status(&self, operation: &str) -> String {
        self.fixture.get(&format!("{operation}/status"))["status"].as_str().unwrap().to_owned()
    }
}
