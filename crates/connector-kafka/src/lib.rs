//! Apache Kafka as source and sink: the connectors `kafka` and `upsert-kafka`, with Flink's options.
//!
//! The client is librdkafka; its threads fetch, batch, compress and retry. What this crate adds:
//!
//! * [`client`]: properties under the names of Kafka's Java client, and errors that say what to do.
//! * [`table`]: which columns stand in the key, in the value and in the metadata of a record.
//! * [`source`]: an enumerator that finds partitions and their start and stop offsets; readers that decode whole
//!   batches into columns, one after the other per partition, so that watermarks can be kept per partition.
//! * [`sink`]: writers that produce directly (`none`, `at-least-once`), or stage the records of an epoch for a committer
//!   that produces them in one short transaction (`exactly-once`).
//!
//! Nothing here blocks a lane: what waits for a broker runs as blocking work of the
//! [`Env`](headwater_env::Env) or on librdkafka's threads.

mod bad_records;
mod client;
mod connector;
mod identity;
mod options;
mod sink;
mod source;
mod table;

pub use connector::{Kafka, UpsertKafka};

use headwater_connector_api::Registry;
use std::sync::Arc;

/// Adds the connectors `kafka` and `upsert-kafka`.
pub fn register(registry: &mut Registry) {
    registry.register(Arc::new(Kafka));
    registry.register(Arc::new(UpsertKafka));
}
