//! Facets of jobs.

use super::dataset_facets::Transformation;
use super::facet::{facets, or_default};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

facets! {
    JobType => "jobType", "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet";
    JobTags => "tags", "1-0-0/TagsJobFacet.json#/$defs/TagsJobFacet";
    Ownership => "ownership", "1-0-1/OwnershipJobFacet.json#/$defs/OwnershipJobFacet";
    Sql => "sql", "1-1-0/SQLJobFacet.json#/$defs/SQLJobFacet";
    JobDocumentation => "documentation", "1-1-0/DocumentationJobFacet.json#/$defs/DocumentationJobFacet";
    LineageJob => "lineage", "1-0-0/LineageFacet.json#/$defs/LineageJobFacet";
}

/// What kind of job it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    /// `BATCH`, `STREAMING` or `SERVICE`.
    #[serde(default, deserialize_with = "or_default")]
    pub processing_type: String,
    /// Who integrates it, such as `FLINK`.
    #[serde(default, deserialize_with = "or_default")]
    pub integration: String,
    /// What it is there, such as `JOB` or `QUERY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<String>,
    /// When events come, and what one says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emission_pattern: Option<EmissionPattern>,
}

/// When events of a job come, and what one says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmissionPattern {
    /// `PERIODIC` or `EVENT_BASED`.
    #[serde(default, deserialize_with = "or_default")]
    pub event_trigger: String,
    /// `COMPLETE_SNAPSHOT` or `ACCUMULATIVE`.
    #[serde(default, deserialize_with = "or_default")]
    pub event_content_mode: String,
    /// Seconds between two periodic events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_duration: Option<u64>,
}

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// What it is about.
    pub key: String,
    /// What it says.
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Tags of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobTags {
    /// The tags.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: Vec<Tag>,
}

/// Who answers for a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ownership {
    /// The owners.
    #[serde(default, deserialize_with = "or_default")]
    pub owners: Vec<Owner>,
}

/// One who answers for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// A name, preferably a URN such as `team:data`.
    pub name: String,
    /// In which role.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The text of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sql {
    /// The text.
    pub query: String,
    /// Its dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
}

/// What a job is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobDocumentation {
    /// The text.
    pub description: String,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// Which inputs feed which output: without it, every input is taken to feed every output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageJob {
    /// One per target.
    #[serde(default, deserialize_with = "or_default")]
    pub entries: Vec<LineageEntry>,
}

/// What feeds one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageEntry {
    /// Namespace of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `DATASET` or `JOB`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What feeds the whole of it.
    #[serde(default, deserialize_with = "or_default")]
    pub inputs: Vec<LineageInput>,
    /// What feeds its fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "or_default")]
    pub fields: BTreeMap<String, LineageField>,
}

/// What feeds one field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageField {
    /// The sources.
    #[serde(default, deserialize_with = "or_default")]
    pub inputs: Vec<LineageInput>,
}

/// A source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageInput {
    /// Namespace of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `DATASET` or `JOB`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The field, if not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is done with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub transformations: Vec<Transformation>,
}
