//! Events: of a run, of a job without one, of a dataset by itself.

use super::SPEC_URL;
use super::facet::{Facets, or_default};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a document is no event.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is not a JSON object.
    #[error("an event is a JSON object, this is {0}")]
    NotAnObject(&'static str),
    /// Neither a run with a job, nor a job, nor a dataset.
    #[error("an event has 'run' and 'job', or 'job', or 'dataset': this has none of them")]
    NoSubject,
    /// A part is missing or of another type.
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
}

/// Any event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// A run changed or went on.
    Run(Box<RunEvent>),
    /// A job is described.
    Job(Box<JobEvent>),
    /// A dataset is described.
    Dataset(Box<DatasetEvent>),
}

impl Event {
    /// Reads an event; its kind is seen from what it is about.
    ///
    /// # Errors
    /// When a required part is missing or has another type. The message names it.
    pub fn from_value(value: Value) -> Result<Self, ModelError> {
        let Value::Object(object) = &value else { return Err(ModelError::NotAnObject(kind_of(&value))) };
        let has = |name: &str| object.get(name).is_some_and(|part| !part.is_null());
        match (has("run"), has("job"), has("dataset")) {
            (true, _, _) => Ok(Self::Run(Box::new(serde_json::from_value(value)?))),
            (false, true, _) => Ok(Self::Job(Box::new(serde_json::from_value(value)?))),
            (false, false, true) => Ok(Self::Dataset(Box::new(serde_json::from_value(value)?))),
            (false, false, false) => Err(ModelError::NoSubject),
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The transition a run event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// The run began.
    Start,
    /// It goes on.
    Running,
    /// It ended well.
    Complete,
    /// It was ended.
    Abort,
    /// It ended badly.
    Fail,
    /// More metadata, no transition.
    Other,
}

impl EventType {
    /// Whether the run is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Complete | Self::Abort | Self::Fail)
    }

    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Abort => "ABORT",
            Self::Fail => "FAIL",
            Self::Other => "OTHER",
        }
    }
}

/// Something about a run of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEvent {
    /// When it happened: a timestamp with a zone.
    pub event_time: String,
    /// Who says so: a URI.
    #[serde(default, deserialize_with = "or_default")]
    pub producer: String,
    /// The schema of the event.
    #[serde(default, rename = "schemaURL", deserialize_with = "or_default")]
    pub schema_url: String,
    /// What happened; absent where only metadata is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventType>,
    /// The run.
    pub run: RunRef,
    /// Its job.
    pub job: JobRef,
    /// What it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub inputs: Vec<DatasetRef>,
    /// What it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub outputs: Vec<DatasetRef>,
}

impl RunEvent {
    /// Value of `schemaURL`.
    pub fn schema() -> String {
        format!("{SPEC_URL}#/$defs/RunEvent")
    }
}

/// A job, described without a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEvent {
    /// When it was so: a timestamp with a zone.
    pub event_time: String,
    /// Who says so: a URI.
    #[serde(default, deserialize_with = "or_default")]
    pub producer: String,
    /// The schema of the event.
    #[serde(default, rename = "schemaURL", deserialize_with = "or_default")]
    pub schema_url: String,
    /// The job.
    pub job: JobRef,
    /// What it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub inputs: Vec<DatasetRef>,
    /// What it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub outputs: Vec<DatasetRef>,
}

impl JobEvent {
    /// Value of `schemaURL`.
    pub fn schema() -> String {
        format!("{SPEC_URL}#/$defs/JobEvent")
    }
}

/// A dataset, described by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetEvent {
    /// When it was so: a timestamp with a zone.
    pub event_time: String,
    /// Who says so: a URI.
    #[serde(default, deserialize_with = "or_default")]
    pub producer: String,
    /// The schema of the event.
    #[serde(default, rename = "schemaURL", deserialize_with = "or_default")]
    pub schema_url: String,
    /// The dataset.
    pub dataset: DatasetRef,
}

impl DatasetEvent {
    /// Value of `schemaURL`.
    pub fn schema() -> String {
        format!("{SPEC_URL}#/$defs/DatasetEvent")
    }
}

/// A run as an event names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRef {
    /// A UUID, by the specification; kept as text.
    pub run_id: String,
    /// What is said about the run.
    #[serde(default, skip_serializing_if = "Facets::is_empty", deserialize_with = "or_default")]
    pub facets: Facets,
}

/// A job as an event names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRef {
    /// Where the job lives.
    pub namespace: String,
    /// Its name there.
    pub name: String,
    /// What is said about the job.
    #[serde(default, skip_serializing_if = "Facets::is_empty", deserialize_with = "or_default")]
    pub facets: Facets,
}

/// A dataset as an event names it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatasetRef {
    /// Where the dataset lives.
    pub namespace: String,
    /// Its name there.
    pub name: String,
    /// What is said about the dataset.
    #[serde(default, skip_serializing_if = "Facets::is_empty", deserialize_with = "or_default")]
    pub facets: Facets,
    /// What is said about it as an input of this run.
    #[serde(default, skip_serializing_if = "Facets::is_empty", deserialize_with = "or_default")]
    pub input_facets: Facets,
    /// What is said about it as an output of this run.
    #[serde(default, skip_serializing_if = "Facets::is_empty", deserialize_with = "or_default")]
    pub output_facets: Facets,
}
