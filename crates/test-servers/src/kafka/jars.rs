//! Kafka's jars.

use crate::maven::{self, Artifact};
use std::io;
use std::path::PathBuf;

/// The version that tests run against.
const VERSION: &str = "4.1.1";

/// The directory with the jars, which are fetched when it is not there.
pub(super) fn directory() -> io::Result<PathBuf> {
    let broker = Artifact { group: "org.apache.kafka", name: "kafka_2.13", version: VERSION };
    maven::jars(&format!("kafka-{VERSION}"), &[broker])
}
