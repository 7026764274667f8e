//! One OpenLineage event, read leniently.
//!
//! Producers disagree with the specification in many small ways, so nothing is refused that can be understood: any
//! UUID version, any order of keys, unknown facets, facets of the wrong shape (they count as absent). An event is
//! refused, with a [`Reject`] that says why, only when it cannot be placed at all: no time, no job, a state nobody
//! knows, a name nothing could store. What an event *means* is not decided here but in [`crate::extract`].

mod read;
#[cfg(test)]
mod tests;
mod text;

pub use read::{array, child, flag, integer, items, object, string};
pub use text::{NAME_CHARS_MAX, clean, micros, time_of_uuid};

use serde_json::Value;
use uuid::Uuid;

/// Furthest an event's time may lie in the future.
pub const CLOCK_SKEW_MAX_US: i64 = 24 * 3600 * 1_000_000;
/// Most datasets of one event.
pub const DATASETS_MAX: usize = 20_000;
/// Namespace of datasets that are told with an empty one, as Flink tells those of connectors that name none. The first
/// event of a Flink job is the only one with datasets: refusing it would lose them all.
const NO_NAMESPACE: &str = "unknown";

/// Why an event is not taken: a stable code and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Reject {
    /// Stable, for programs.
    pub code: &'static str,
    /// What is wrong, where, and what was expected.
    pub message: String,
}

impl Reject {
    /// A refusal.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What a run event says about its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The run began.
    Start,
    /// The run goes on.
    Running,
    /// The run ended well.
    Complete,
    /// The run failed.
    Fail,
    /// The run was stopped.
    Abort,
    /// Something about the run, at any time of its life.
    Other,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A run of a job.
    Run(Uuid),
    /// A job, as designed.
    Job,
    /// A dataset.
    Dataset,
}

/// A namespace and a name, as the event has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id {
    /// The namespace.
    pub namespace: String,
    /// The name within it.
    pub name: String,
}

/// A dataset of an event.
#[derive(Debug, Clone)]
pub struct Dataset<'a> {
    /// Who it is.
    pub id: Id,
    body: &'a Value,
}

impl<'a> Dataset<'a> {
    /// A facet about the dataset itself.
    pub fn facet(&self, name: &str) -> Option<&'a Value> {
        child(self.body, "facets").and_then(|f| child(f, name))
    }

    /// A facet about this reading or writing of it: `inputFacets` or `outputFacets`.
    pub fn usage(&self, group: &str, name: &str) -> Option<&'a Value> {
        child(self.body, group).and_then(|f| child(f, name))
    }
}

/// A checked event.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// When it happened: microseconds since the epoch.
    pub at: i64,
    /// What it is about.
    pub subject: Subject,
    /// What it says about its run.
    pub kind: Kind,
    /// The job; a dataset event has the dataset's own name here.
    pub job: Id,
    /// What is read.
    pub inputs: Vec<Dataset<'a>>,
    /// What is written; the dataset of a dataset event.
    pub outputs: Vec<Dataset<'a>>,
    body: &'a Value,
}

impl<'a> Event<'a> {
    /// Reads an event. `now_us` is the server's time, against which a clock gone wrong is noticed.
    ///
    /// # Errors
    /// When the event cannot be placed; see the module's documentation.
    pub fn read(body: &'a Value, now_us: i64) -> Result<Self, Reject> {
        if !body.is_object() {
            return Err(Reject::new("not-an-object", "an event is a JSON object"));
        }
        let at = time(body, now_us)?;
        let kind = kind(body)?;
        let subject = subject(body)?;
        let datasets = |key: &str| datasets(body, key);
        let (inputs, outputs) = match subject {
            Subject::Dataset => (vec![], vec![dataset(&body["dataset"], "dataset")?]),
            _ => (datasets("inputs")?, datasets("outputs")?),
        };
        let job = match subject {
            Subject::Dataset => outputs[0].id.clone(),
            _ => id(&body["job"], "job")?,
        };
        Ok(Self { at, subject, kind, job, inputs, outputs, body })
    }

    /// A facet of the run.
    pub fn run_facet(&self, name: &str) -> Option<&'a Value> {
        child(self.body, "run").and_then(|r| child(r, "facets")).and_then(|f| child(f, name))
    }

    /// A facet of the job.
    pub fn job_facet(&self, name: &str) -> Option<&'a Value> {
        child(self.body, "job").and_then(|j| child(j, "facets")).and_then(|f| child(f, name))
    }

    /// Whether it names any dataset.
    pub fn has_datasets(&self) -> bool {
        !self.inputs.is_empty() || !self.outputs.is_empty()
    }

    /// `integration` of the job type, in upper case.
    pub fn integration(&self) -> Option<String> {
        string(self.job_facet("jobType")?, "integration").map(|s| s.to_uppercase())
    }

    /// `jobType` of the job type, in upper case.
    pub fn job_type(&self) -> Option<String> {
        string(self.job_facet("jobType")?, "jobType").map(|s| s.to_uppercase())
    }

    /// `processingType` of the job type, in upper case.
    pub fn processing_type(&self) -> Option<String> {
        string(self.job_facet("jobType")?, "processingType").map(|s| s.to_uppercase())
    }
}

fn time(body: &Value, now_us: i64) -> Result<i64, Reject> {
    let text = string(body, "eventTime").ok_or_else(|| {
        Reject::new("no-event-time", "'eventTime' is missing: an ISO 8601 time such as 2026-01-31T10:00:00Z is needed")
    })?;
    let at = micros(&text).ok_or_else(|| {
        Reject::new("bad-event-time", format!("'eventTime' is {:?}, not an ISO 8601 time", shorten(&text)))
    })?;
    if at < 0 || at > now_us.saturating_add(CLOCK_SKEW_MAX_US) {
        let message = format!("'eventTime' {} is before 1970 or more than a day ahead of this server", shorten(&text));
        return Err(Reject::new("clock-skew", message));
    }
    Ok(at)
}

fn kind(body: &Value) -> Result<Kind, Reject> {
    let Some(text) = string(body, "eventType") else { return Ok(Kind::Other) };
    Ok(match text.to_uppercase().as_str() {
        "START" => Kind::Start,
        "RUNNING" => Kind::Running,
        "COMPLETE" => Kind::Complete,
        "FAIL" => Kind::Fail,
        "ABORT" => Kind::Abort,
        "OTHER" => Kind::Other,
        _ => {
            let known = "START, RUNNING, COMPLETE, FAIL, ABORT, OTHER";
            let message = format!("'eventType' is {:?}; known are {known}", shorten(&text));
            return Err(Reject::new("unknown-event-type", message));
        }
    })
}

fn subject(body: &Value) -> Result<Subject, Reject> {
    let has = |key: &str| body.get(key).is_some_and(|v| !v.is_null());
    if has("run") {
        return run_id(&body["run"]["runId"], "run.runId").map(Subject::Run);
    }
    match (has("job"), has("dataset")) {
        (true, _) => Ok(Subject::Job),
        (_, true) => Ok(Subject::Dataset),
        _ => Err(Reject::new("no-subject", "the event has neither 'run' with 'job', nor 'job', nor 'dataset'")),
    }
}

/// Reads a run id: any version of UUID.
///
/// # Errors
/// When it is absent or no UUID.
pub fn run_id(value: &Value, place: &str) -> Result<Uuid, Reject> {
    let text = value.as_str().unwrap_or_default();
    Uuid::parse_str(text.trim())
        .map_err(|_| Reject::new("bad-run-id", format!("'{place}' is {:?}, not a UUID", shorten(text))))
}

fn datasets<'a>(body: &'a Value, key: &str) -> Result<Vec<Dataset<'a>>, Reject> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(vec![]),
        Some(Value::Array(all)) if all.len() > DATASETS_MAX => {
            Err(Reject::new("too-many-datasets", format!("'{key}' has {} entries, over {DATASETS_MAX}", all.len())))
        }
        Some(Value::Array(all)) => all.iter().map(|d| dataset(d, key)).collect(),
        Some(_) => Err(Reject::new("bad-datasets", format!("'{key}' is not a list"))),
    }
}

fn dataset<'a>(body: &'a Value, place: &str) -> Result<Dataset<'a>, Reject> {
    Ok(Dataset { id: dataset_id(body, place)?, body })
}

/// Reads `namespace` and `name` of a dataset, whose namespace may be empty.
///
/// # Errors
/// When one is absent or too long to be a name, or the name is empty.
pub fn dataset_id(body: &Value, place: &str) -> Result<Id, Reject> {
    match body.get("namespace") {
        Some(Value::String(text)) if text.is_empty() => {
            Ok(Id { namespace: NO_NAMESPACE.to_owned(), name: part(body, "name", place)? })
        }
        _ => id(body, place),
    }
}

/// Reads `namespace` and `name`.
///
/// # Errors
/// When one is absent, empty or too long to be a name.
pub fn id(body: &Value, place: &str) -> Result<Id, Reject> {
    Ok(Id { namespace: part(body, "namespace", place)?, name: part(body, "name", place)? })
}

fn part(body: &Value, key: &str, place: &str) -> Result<String, Reject> {
    let text = string(body, key).unwrap_or_default();
    match text.chars().count() {
        0 => Err(Reject::new("no-name", format!("'{place}.{key}' is missing or empty"))),
        n if n > NAME_CHARS_MAX => {
            Err(Reject::new("name-too-long", format!("'{place}.{key}' has {n} characters, over {NAME_CHARS_MAX}")))
        }
        _ => Ok(text),
    }
}

/// The beginning of a text that may be long, for messages.
fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
