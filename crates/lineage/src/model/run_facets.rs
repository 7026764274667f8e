//! Facets of runs.

use super::facet::{facets, or_default};
use super::job_facets::Tag;
use serde::{Deserialize, Serialize};

facets! {
    ProcessingEngine => "processing_engine", "1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet";
    ErrorMessage => "errorMessage", "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";
    Parent => "parent", "1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet";
    RunTags => "tags", "1-0-0/TagsRunFacet.json#/$defs/TagsRunFacet";
    NominalTime => "nominalTime", "1-0-1/NominalTimeRunFacet.json#/$defs/NominalTimeRunFacet";
    JobDependencies => "jobDependencies", "1-0-1/JobDependenciesRunFacet.json#/$defs/JobDependenciesRunFacet";
}

/// The engine that runs the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingEngine {
    /// Version of the engine.
    pub version: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Version of what makes the events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openlineage_adapter_version: Option<String>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// The sentence for people.
    pub message: String,
    /// Language of what failed.
    #[serde(default, deserialize_with = "or_default")]
    pub programming_language: String,
    /// Where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

/// The run that started this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    /// Its run.
    pub run: ParentRun,
    /// Its job.
    pub job: ParentJob,
    /// What started it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<RootParent>,
}

/// A run, by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRun {
    /// The id.
    pub run_id: String,
}

/// A job, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentJob {
    /// Where it lives.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

/// The run at the top of the hierarchy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootParent {
    /// Its run.
    pub run: ParentRun,
    /// Its job.
    pub job: ParentJob,
}

/// Tags of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunTags {
    /// The tags.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<Tag>,
}

/// The time a run was planned for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NominalTime {
    /// Its beginning.
    pub nominal_start_time: String,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal_end_time: Option<String>,
}

/// Jobs that a scheduler runs before and after this one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobDependencies {
    /// Before.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub upstream: Vec<JobDependency>,
    /// After.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub downstream: Vec<JobDependency>,
    /// When the job is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_rule: Option<String>,
}

/// A job that another one depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDependency {
    /// The job.
    pub job: JobId,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<ParentRun>,
    /// Kind of the dependency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency_type: Option<String>,
}

/// A job, by its name.
pub type JobId = ParentJob;
