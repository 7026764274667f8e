//! Lineage: what a job reads and writes, down to its columns, and how that is told to the world.
//!
//! * [`model`] is OpenLineage as Rust types, written and read alike: events, and facets by name.
//! * [`job`] is the lineage of one job as its plan shows it, in terms of nobody's format.
//! * [`event`] makes events of a job's lineage and of what is known of its run. Every event says all there is to say,
//!   so that whoever has missed the ones before still has the whole picture.
//! * [`diff`] compares two lineages and says who would lose a column; [`render`] draws one.
//!
//! Nothing here does I/O, knows a clock, Arrow or SQL: the SQL front end extracts, `headwater-lineage-client` carries
//! events, `headwater-lineage-server` takes them in.

pub mod diff;
pub mod event;
pub mod job;
pub mod model;
pub mod render;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use event::{Observation, Producer, Run, Traffic, run_event, run_id};
pub use job::{Column, Dataset, DatasetId, Input, JobLineage, Kind, Output, Source, Transformation};
