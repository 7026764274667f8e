//! Columns of what Kafka knows of a record.

use super::batch::Message;
use crate::table::Metadata;
use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Builder, Int64Builder, MapBuilder, MapFieldNames, StringBuilder,
    TimestampMillisecondBuilder,
};
use headwater_types::{Error, Result};
use std::sync::Arc;

/// A metadata column under construction.
pub(super) enum MetadataColumn {
    Topic(StringBuilder),
    Partition(Int32Builder),
    Headers(Box<MapBuilder<StringBuilder, BinaryBuilder>>),
    LeaderEpoch(Int32Builder),
    Offset(Int64Builder),
    Timestamp(TimestampMillisecondBuilder),
    TimestampType(StringBuilder),
}

impl MetadataColumn {
    pub(super) fn new(metadata: Metadata) -> Self {
        match metadata {
            Metadata::Topic => Self::Topic(StringBuilder::new()),
            Metadata::Partition => Self::Partition(Int32Builder::new()),
            Metadata::Headers => {
                let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
                Self::Headers(Box::new(MapBuilder::new(Some(names), StringBuilder::new(), BinaryBuilder::new())))
            }
            Metadata::LeaderEpoch => Self::LeaderEpoch(Int32Builder::new()),
            Metadata::Offset => Self::Offset(Int64Builder::new()),
            Metadata::Timestamp => Self::Timestamp(TimestampMillisecondBuilder::new().with_timezone("UTC")),
            Metadata::TimestampType => Self::TimestampType(StringBuilder::new()),
        }
    }

    /// Appends the value of a message for a number of rows.
    pub(super) fn append(&mut self, message: &Message, rows: usize) -> Result<()> {
        for _ in 0..rows {
            match self {
                Self::Topic(column) => column.append_value(message.topic()),
                Self::Partition(column) => column.append_value(message.partition()),
                Self::Headers(column) => append_headers(column, message)?,
                Self::LeaderEpoch(column) => column.append_option(message.leader_epoch()),
                Self::Offset(column) => column.append_value(message.offset()),
                Self::Timestamp(column) => column.append_value(message.time().ms),
                Self::TimestampType(column) => column.append_value(message.time().kind),
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Topic(column) | Self::TimestampType(column) => Arc::new(column.finish()),
            Self::Partition(column) | Self::LeaderEpoch(column) => Arc::new(column.finish()),
            Self::Headers(column) => Arc::new(column.finish()),
            Self::Offset(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
        }
    }
}

/// Of headers with one name the last counts, as in Flink's map.
fn append_headers(column: &mut MapBuilder<StringBuilder, BinaryBuilder>, message: &Message) -> Result<()> {
    let headers: Vec<_> = message.headers().collect();
    for (at, (name, value)) in headers.iter().enumerate() {
        if headers[at + 1..].iter().any(|(later, _)| later == name) {
            continue;
        }
        column.keys().append_value(name);
        column.values().append_option(*value);
    }
    column.append(true).map_err(|e| Error::internal(format!("headers do not form a map: {e}")))
}
