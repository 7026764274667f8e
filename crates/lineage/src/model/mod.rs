//! OpenLineage 2-0-2 as types.
//!
//! Events are read leniently, because producers differ: what the specification does not require may be absent or
//! `null`, and what it does not know is kept. Facets stay JSON until somebody asks for one by its type
//! ([`Facets::get`]), so an unknown or malformed facet never costs an event. Run ids are text: not every producer
//! sends a UUID of version 7.

mod dataset_facets;
mod event;
mod facet;
mod headwater_facets;
mod job_facets;
mod run_facets;
#[cfg(test)]
mod tests;

pub use dataset_facets::{
    Catalog, ColumnInputs, ColumnLineage, DataSource, DatasetDocumentation, DatasetTags, DatasetType, DatasetVersion,
    FieldTag, Identifier, InputField, InputStatistics, Lifecycle, OutputStatistics, PreviousIdentifier, Schema,
    SchemaField, Storage, Symlinks, Transformation,
};
pub use event::{DatasetEvent, DatasetRef, Event, EventType, JobEvent, JobRef, ModelError, RunEvent, RunRef};
pub use facet::{Facet, Facets};
pub use headwater_facets::{
    Checkpoint, Checkpoints, FlinkJob, InputProgress, JobVersion, OutputProgress, PartitionPosition, Restore,
    RunHealth, StreamProgress,
};
pub use job_facets::{
    EmissionPattern, JobDocumentation, JobTags, JobType, LineageEntry, LineageField, LineageInput, LineageJob, Owner,
    Ownership, Sql, Tag,
};
pub use run_facets::{
    ErrorMessage, JobDependencies, JobDependency, JobId, NominalTime, Parent, ParentJob, ParentRun, ProcessingEngine,
    RootParent, RunTags,
};

/// Where the version of the specification that is written here lies.
pub const SPEC_URL: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
