//! What a user configures, from all the places where OpenLineage clients look.
//!
//! Later ones win:
//!
//! 1. `openlineage.yml`: the file that `OPENLINEAGE_CONFIG` names, else in the working directory, else in `~/.openlineage/`;
//! 2. environment: `OPENLINEAGE_URL`, `OPENLINEAGE_API_KEY`, .., and `OPENLINEAGE__A__B` for the option `a.b`;
//! 3. configuration keys `openlineage.*` of process and job, and the older `execution.job-listener.openlineage.*`.
//!
//! All of them are put into one tree of options, which is read by [`read`]. What is odd gives a warning; only a transport
//! that cannot be built is an error, and that only for whoever starts it.

mod read;
mod resolve;
mod sources;
#[cfg(test)]
mod tests;
mod tree;

pub use resolve::NamespaceResolver;

use crate::client::Limits;
use headwater_lineage::Producer;
use headwater_lineage::model::Parent;
use headwater_types::config::Configuration;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a process finds its configuration, taken once at its start.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// The working directory.
    pub directory: PathBuf,
    /// Where temporary files go.
    pub temporary: PathBuf,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self {
            variables: variables.collect(),
            directory: std::env::current_dir().unwrap_or_default(),
            temporary: std::env::temp_dir(),
        }
    }
}

/// What was configured for a job.
#[derive(Clone)]
pub struct Settings {
    /// The transport's options; `None` when nothing is to be sent.
    pub transport: Option<Value>,
    /// How the job is told.
    pub producer: Producer,
    /// Longest time between two events of a running job.
    pub interval: Duration,
    /// Whether completed checkpoints are told when they complete.
    pub tracks_checkpoints: bool,
    /// Whether brokers are asked for the topics of a pattern.
    pub resolves_topic_patterns: bool,
    /// What started the job.
    pub parent: Option<Parent>,
    /// Other names for hosts.
    pub resolvers: Vec<NamespaceResolver>,
    /// Bounds of the client.
    pub limits: Limits,
    /// What is odd about the configuration.
    pub warnings: Vec<String>,
}

/// Options of transports may hold keys.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.transport.as_ref().and_then(|transport| transport.get("type"));
        f.debug_struct("Settings")
            .field("transport", &kind)
            .field("producer", &self.producer)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// What is configured, by the process and the job.
    pub fn load(config: &Configuration, surroundings: &Surroundings) -> Self {
        let mut warnings = vec![];
        let tree = sources::merged(config, surroundings, &mut warnings);
        read::settings(&tree, surroundings, warnings)
    }

    /// Whether events are sent.
    pub fn is_on(&self) -> bool {
        self.transport.is_some()
    }
}
